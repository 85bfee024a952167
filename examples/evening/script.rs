//! What happens that evening.

use serde_json::{Value, json};

use crate::app::{Journal, Rng};
use crate::server::{Server, title};

/// Eight in the evening, somewhere.
const START: u64 = 1_763_596_800_000;
const MINUTE: u64 = 60_000;

/// A user who is in a room, as the app has it.
#[derive(Debug)]
struct Guest {
    room: &'static str,
    user: &'static str,
    /// Whether the client of the app sends heartbeats.
    beats: bool,
}

struct Evening {
    journal: Journal,
    server: Server,
    rng: Rng,
    guests: Vec<Guest>,
    now: u64,
}

/// The journal of an evening.
pub(crate) fn evening(seed: u64) -> String {
    let mut evening = Evening {
        journal: Journal::default(),
        server: Server::default(),
        rng: Rng(seed),
        guests: Vec::new(),
        now: START,
    };
    evening.play();
    evening.journal.lines()
}

impl Evening {
    fn play(&mut self) {
        // The lobby is always there; nobody has to be in it.
        self.create("lobby", "The lobby", "staff", json!({"lifecycle": "permanent"}));

        // A talk show.
        self.create(
            "show",
            "Tom's late show",
            "tom",
            json!({"attributes": {"cover": "tom.jpg", "mode": "talk"}}),
        );
        self.join("show", "tom", "host");
        self.publish("show", "tom", "show-camera");
        for user in ["ann", "bob", "cleo", "dan", "eve"] {
            self.pass(20);
            self.join("show", user, "audience");
        }

        // A karaoke room that ends when it is empty.
        self.create("karaoke", "Karaoke till midnight", "mia", json!({"lifecycle": "until_empty"}));
        for user in ["mia", "noa", "oli"] {
            self.join("karaoke", user, "audience");
            self.publish("karaoke", user, &format!("mic-{user}"));
            self.pass(15);
        }

        // A game stream that no command created: known only from callbacks.
        self.login("game", "Speedrun, no sleep", "rex");
        self.publish("game", "rex", "rex-screen");
        for user in ["sam", "tess", "uma"] {
            self.pass(10);
            self.login("game", "Speedrun, no sleep", user);
        }
        self.heartbeats(3);

        // A meeting that goes with its session.
        self.create("meeting", "Monday planning", "liz", json!({"lifecycle": "follows_session"}));
        for user in ["liz", "kai", "jo"] {
            self.join("meeting", user, "host");
            self.publish("meeting", user, &format!("cam-{user}"));
            self.pass(8);
        }
        self.update("show", json!({"attributes": {"mode": "interview", "cover": null}}));
        self.publish("show", "tom", "show-camera"); // the network was away: published again
        self.leave("show", "bob");
        self.publish("show", "ann", "show-guest");
        self.heartbeats(4);

        // The karaoke empties; its last singer just closes the phone.
        self.leave("karaoke", "noa");
        self.leave("karaoke", "oli");
        self.vanish("karaoke", "mia");
        self.unpublish("show", "show-guest");
        self.moderate("show");
        self.heartbeats(5);

        // A quiz is ended and starts again, and again.
        for round in 1..=3 {
            self.create("quiz", &format!("Quiz, round {round}"), "zoe", json!({}));
            for user in ["zoe", "yan", "xia"] {
                self.join("quiz", user, "audience");
            }
            self.publish("quiz", "zoe", "quiz-stage");
            self.heartbeats(1);
            if round < 3 {
                for user in ["yan", "xia", "zoe"] {
                    self.leave("quiz", user);
                }
                self.end("quiz");
                self.pass(5);
            }
        }

        // The meeting is over; the game goes on with others.
        for user in ["jo", "kai", "liz"] {
            self.leave("meeting", user);
        }
        self.logout("game", "sam");
        self.login("game", "Speedrun, no sleep", "vic");
        self.login("game", "Speedrun, no sleep", "tess"); // from another device
        self.publish("game", "rex", "rex-face");
        self.moderate("game");
        for user in
            ["wes", "xav", "yui", "zac", "abe", "bea", "cal", "dee", "eli", "fay", "gil", "hue"]
        {
            self.login("game", "Speedrun, no sleep", user);
            if self.rng.chance(70) {
                self.logout("game", user);
            }
        }

        // A radio on a phone in a pocket: logins only, heartbeats now and then.
        self.create("radio", "Radio nowhere", "ida", json!({"attributes": {"mode": "audio"}}));
        self.join("radio", "ida", "host");
        self.publish("radio", "ida", "radio-mic");
        self.login("radio", "Radio nowhere", "gus");
        self.login("radio", "Radio nowhere", "hal");
        self.heartbeats(3);
        self.vanish("show", "dan");
        self.heartbeats(5);
    }

    fn create(&mut self, room: &str, name: &str, host: &str, more: Value) {
        let mut new = json!({"room_id": room, "room_name": name, "host_id": host});
        merge(&mut new, more);
        self.journal.command(self.now, &json!({ "create_room": new }));
        self.pass(1);
    }

    fn update(&mut self, room: &str, more: Value) {
        let mut update = json!({"room_id": room});
        merge(&mut update, more);
        self.journal.command(self.now, &json!({ "update_room": update }));
    }

    fn end(&mut self, room: &'static str) {
        self.journal.command(self.now, &json!({"end_room": {"room_id": room}}));
        self.guests.retain(|guest| guest.room != room);
    }

    /// A user joins by command, and logs in at the media server.
    fn join(&mut self, room: &'static str, user: &'static str, role: &str) {
        let join =
            json!({"room_id": room, "user_id": user, "user_name": title(user), "role": role});
        self.journal.command(self.now, &json!({ "join_room": join }));
        self.guests.push(Guest { room, user, beats: true });
        self.login(room, "", user);
    }

    fn leave(&mut self, room: &'static str, user: &'static str) {
        self.journal.command(self.now, &json!({"leave_room": {"room_id": room, "user_id": user}}));
        self.guests.retain(|guest| (guest.room, guest.user) != (room, user));
        self.logout(room, user);
    }

    /// A user is gone without a word: no heartbeats, and the media server finds out by itself.
    fn vanish(&mut self, room: &'static str, user: &'static str) {
        for guest in self.guests.iter_mut().filter(|guest| (guest.room, guest.user) == (room, user))
        {
            guest.beats = false;
        }
        let told = self.server.logout(room, user, 1, self.now + 100_000);
        self.journal.callbacks(self.now + 100_000, told, &mut self.rng);
    }

    fn login(&mut self, room: &str, name: &str, user: &str) {
        self.pass(1);
        let told = self.server.login(room, name, user, self.now);
        self.journal.callbacks(self.now, told, &mut self.rng);
    }

    fn logout(&mut self, room: &str, user: &str) {
        self.pass(1);
        let told = self.server.logout(room, user, 0, self.now);
        self.journal.callbacks(self.now, told, &mut self.rng);
    }

    fn publish(&mut self, room: &str, user: &str, stream: &str) {
        self.pass(2);
        let told = self.server.publish(room, user, stream, self.now);
        self.journal.callbacks(self.now, told, &mut self.rng);
    }

    fn unpublish(&mut self, room: &str, stream: &str) {
        self.pass(1);
        let told = self.server.unpublish(room, stream, self.now);
        self.journal.callbacks(self.now, told, &mut self.rng);
    }

    fn moderate(&mut self, room: &str) {
        let told = self.server.moderate(room, self.now);
        self.journal.callbacks(self.now, told, &mut self.rng);
    }

    /// Some rounds of heartbeats, 30 s apart, with a sweep after each.
    fn heartbeats(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += MINUTE / 2;
            for (place, guest) in self.guests.iter().filter(|guest| guest.beats).enumerate() {
                let at = self.now + 150 * u64::try_from(place).expect("a small number");
                let beat = json!({"room_id": guest.room, "user_id": guest.user});
                self.journal.command(at, &json!({ "heartbeat": beat }));
            }
            self.now += 10_000;
            self.journal.expire(self.now);
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds * 1_000 + self.rng.below(700);
    }
}

/// Adds the fields of one object to another.
fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
