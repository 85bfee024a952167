//! One moment in one room: what its people do, and what the media server makes of it.

use std::collections::BTreeMap;

use rand::RngExt;

use super::super::wire::Told;
use super::{
    BEATS_EVERY, HAPPENS_EVERY, HEARTBEAT, Happening, Live, Login, Room, SWEPT_WITHIN, Stream,
    Subject, ToldCallback, ToldCommand, World,
};

const PEOPLE: [&str; 16] = [
    "ann", "bob", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo", "jin", "kim", "lea", "max",
    "nora", "omar", "pia",
];
/// How many people there are to each name.
const NAMESAKES: usize = 4;
const TOPICS: [&str; 5] = ["music", "travel", "food", "games", "films"];

/// The vendor's numbers of roles.
const HOST: u64 = 1;
const AUDIENCE: u64 = 2;

pub(super) struct Scene<'a> {
    world: &'a mut World,
    index: usize,
    now: u64,
    real: u64,
    happenings: &'a mut Vec<Happening>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        world: &'a mut World,
        index: usize,
        now: u64,
        real: u64,
        happenings: &'a mut Vec<Happening>,
    ) -> Self {
        Self { world, index, now, real, happenings }
    }

    /// Clients beat when it is time.
    pub(super) fn beat(&mut self) {
        let now = self.now;
        let due = self.room().members.iter().filter(|(_, at)| **at <= now);
        let due: Vec<String> = due.map(|(user, _)| user.clone()).collect();
        for user in due {
            self.room_mut().members.insert(user.clone(), now + BEATS_EVERY);
            // It changes nothing that is shown, so it counts as nothing that is on its way.
            let command = ToldCommand {
                room: self.index,
                subject: Subject::User(user.clone()),
                name: HEARTBEAT,
                parameters: vec![("RoomID", self.room().id.clone()), ("UserID", user)],
            };
            self.happenings.push(Happening::Command(command));
        }
    }

    /// The media server notices who vanished.
    pub(super) fn drop_who_vanished(&mut self) {
        let now = self.now;
        let Some(live) = &mut self.room_mut().live else { return };
        let (due, dropping): (Vec<_>, Vec<_>) =
            live.dropping.drain(..).partition(|(at, _)| *at <= now);
        live.dropping = dropping;
        for (_, user) in due {
            self.log_out(&user, 2);
        }
        self.close_if_empty(1);
    }

    /// The next thing happens.
    pub(super) fn step(&mut self) {
        if self.is_running() {
            self.go_on();
        } else {
            self.open();
        }
        let pause = if self.is_running() {
            self.pause(HAPPENS_EVERY)
        } else {
            self.pause(HAPPENS_EVERY * 4.0).max(self.world.shortest_pause)
        };
        self.room_mut().next_at = self.now + pause;
    }

    pub(super) fn is_running(&self) -> bool {
        self.room().is_listed || self.room().live.is_some()
    }

    /// The host ends the room.
    pub(super) fn end(&mut self) {
        if self.room().live.is_some() {
            self.close_session(0);
        }
        let room = self.room_mut();
        room.members.clear();
        room.fading.clear();
        if room.is_listed {
            room.is_listed = false;
            self.command("end_room", Subject::Room, Vec::new());
        }
    }

    fn open(&mut self) {
        let host = self.person();
        let crowd = self.world.rng.random_range(3..16);
        let session = self.world.new_session();
        let room = self.room_mut();
        room.host.clone_from(&host);
        room.crowd = crowd;
        room.live = Some(Live {
            session,
            logins: BTreeMap::new(),
            streams: BTreeMap::new(),
            user_counter: 0,
            stream_counter: 0,
            dropping: Vec::new(),
        });
        if room.is_created {
            room.is_listed = true;
            let name = ("RoomName", room.name.to_owned());
            let topic = ("Attributes", self.topic());
            self.command("create_room", Subject::Room, vec![name, ("HostID", host.clone()), topic]);
        }
        let at = self.stamp();
        let told = Told::new("room_create")
            .text("room_id", self.room().id.as_str())
            .number("room_session_id", session)
            .digits("room_create_time", at)
            .text("id_name", host.as_str());
        self.tell(Subject::Room, told);
        self.come(&host);
        self.publish(&host);
    }

    fn go_on(&mut self) {
        let present: Vec<String> = self.room().truth().users.into_iter().collect();
        if present.is_empty() || self.room().live.is_none() {
            return self.end();
        }
        let user = present[self.world.rng.random_range(0..present.len())].clone();
        let is_host = user == self.room().host;
        match self.world.rng.random_range(0..100) {
            0..2 => self.end(),
            2..7 => self.move_to_another_device(&user),
            7..24 => self.change_stream(&user),
            24..28 => self.change_topic(),
            28..33 if !is_host && present.len() > 2 => self.vanish(&user),
            _ => {
                let crowd = self.room().crowd;
                let goes = self.world.rng.random_range(0..crowd + present.len()) < present.len();
                if goes && !is_host {
                    self.leave(&user);
                } else {
                    let newcomer = self.person();
                    if !present.contains(&newcomer) {
                        self.come(&newcomer);
                    }
                }
            }
        }
    }

    /// A user joins, and logs in.
    fn come(&mut self, user: &str) {
        if self.room().is_listed {
            let role = if user == self.room().host { "host" } else { "audience" };
            let beats_at = self.now + self.world.rng.random_range(0..BEATS_EVERY);
            let level = self.world.rng.random_range(1..60);
            let room = self.room_mut();
            room.members.insert(user.to_owned(), beats_at);
            room.fading.remove(user);
            let parameters = vec![
                ("UserID", user.to_owned()),
                ("UserName", shown(user)),
                ("Role", role.to_owned()),
                ("Attributes", format!("{{\"level\":\"{level}\"}}")),
            ];
            self.command("join_room", Subject::User(user.to_owned()), parameters);
        }
        self.log_in(user);
    }

    /// A user leaves, and says so.
    fn leave(&mut self, user: &str) {
        self.log_out(user, 0);
        if self.room_mut().members.remove(user).is_some() {
            let parameters = vec![("UserID", user.to_owned())];
            self.command("leave_room", Subject::User(user.to_owned()), parameters);
        }
        self.close_if_empty(2);
    }

    /// A user vanishes: no heartbeat any more, and the media server notices later.
    fn vanish(&mut self, user: &str) {
        let shown_for = self.world.heartbeat_timeout + SWEPT_WITHIN;
        let until = self.real + u64::try_from(shown_for.as_millis()).unwrap_or(u64::MAX);
        let drops_at = self.now + self.world.rng.random_range(5_000..100_000);
        let room = self.room_mut();
        if room.members.remove(user).is_some() {
            room.fading.insert(user.to_owned(), until);
        }
        if let Some(live) = &mut room.live
            && live.logins.contains_key(user)
            && !live.dropping.iter().any(|(_, dropping)| dropping == user)
        {
            live.dropping.push((drops_at, user.to_owned()));
        }
    }

    fn change_topic(&mut self) {
        if self.room().is_listed {
            let topic = self.topic();
            self.command("update_room", Subject::Room, vec![("Attributes", topic)]);
        }
    }

    fn close_if_empty(&mut self, reason: u64) {
        if self.room().live.as_ref().is_some_and(|live| live.logins.is_empty()) {
            self.close_session(reason);
        }
    }

    /// Everything in a session ends with it, told or (now and then) not.
    fn close_session(&mut self, reason: u64) {
        if self.world.rng.random_bool(0.85) {
            let users: Vec<String> = self.live().logins.keys().cloned().collect();
            for user in users {
                self.log_out(&user, 0);
            }
        }
        let (at, session) = (self.stamp(), self.live().session);
        let told = Told::new("room_close")
            .text("room_id", self.room().id.as_str())
            .number("room_session_id", session)
            .number("close_reason", reason)
            .digits("room_close_time", at);
        self.tell(Subject::Room, told);
        self.room_mut().live = None;
    }

    fn log_in(&mut self, user: &str) {
        let (session, began_at) = (self.world.new_session(), self.stamp());
        let role = if user == self.room().host { HOST } else { AUDIENCE };
        let Some(live) = &mut self.room_mut().live else { return };
        live.user_counter += 1;
        live.dropping.retain(|(_, dropping)| dropping != user);
        live.logins.insert(user.to_owned(), Login { session, began_at, role });
        let (counter, room_session) = (live.user_counter, live.session);
        let told = Told::new("room_login")
            .text("room_id", self.room().id.as_str())
            .text("room_name", self.room().name)
            .digits("room_seq", room_session)
            .text("user_account", user)
            .text("user_nickname", shown(user))
            .digits("session_id", session)
            .digits("login_time", began_at)
            .digits("user_role", role)
            .text("relogin", "0")
            .digits("user_update_seq", counter);
        self.tell(Subject::User(user.to_owned()), told);
    }

    /// With the user go his streams.
    fn log_out(&mut self, user: &str, reason: u64) {
        let Some(live) = &self.room().live else { return };
        let mine = live.streams.iter().filter(|(_, stream)| stream.publisher == user);
        let mine: Vec<String> = mine.map(|(id, _)| id.clone()).collect();
        for stream in mine {
            self.unpublish(&stream);
        }
        if let Some(login) = self.live().logins.remove(user) {
            self.tell_logout(user, &login, reason);
        }
    }

    fn tell_logout(&mut self, user: &str, login: &Login, reason: u64) {
        let at = self.stamp();
        let live = self.live();
        live.user_counter += 1;
        let (counter, session) = (live.user_counter, live.session);
        let told = Told::new("room_logout")
            .text("room_id", self.room().id.as_str())
            .digits("room_seq", session)
            .text("user_account", user)
            .text("user_nickname", shown(user))
            .digits("session_id", login.session)
            .digits("login_time", login.began_at)
            .digits("logout_time", at)
            .digits("reason", reason)
            .digits("user_role", login.role)
            .digits("user_update_seq", counter);
        self.tell(Subject::User(user.to_owned()), told);
    }

    /// A login elsewhere ends the one before, and either may be told first.
    fn move_to_another_device(&mut self, user: &str) {
        let Some(live) = &mut self.room_mut().live else { return };
        let Some(login) = live.logins.remove(user) else { return };
        if self.world.rng.random_bool(0.5) {
            self.tell_logout(user, &login, 3);
            self.log_in(user);
        } else {
            self.log_in(user);
            self.tell_logout(user, &login, 3);
        }
    }

    fn change_stream(&mut self, user: &str) {
        let id = stream_of(user);
        let Some(live) = &self.room().live else { return };
        if !live.logins.contains_key(user) {
            return;
        }
        if live.streams.contains_key(&id) && self.world.rng.random_bool(0.6) {
            self.unpublish(&id);
        } else {
            self.publish(user);
        }
    }

    /// Published again, it is the same life of the stream.
    fn publish(&mut self, user: &str) {
        let id = stream_of(user);
        let (new, created_at) = (self.world.new_session(), self.stamp());
        let Some(live) = &mut self.room_mut().live else { return };
        let held = live.streams.get(&id).map(|stream| stream.session);
        let session = held.unwrap_or(new);
        live.stream_counter += 1;
        live.streams.insert(id.clone(), Stream { publisher: user.to_owned(), session, created_at });
        let (counter, room_session) = (live.stream_counter, live.session);
        let told = Told::new("stream_create")
            .text("room_id", self.room().id.as_str())
            .digits("room_session_id", room_session)
            .text("user_id", user)
            .text("user_name", shown(user))
            .text("stream_id", id.as_str())
            .text("stream_alias", id.as_str())
            .text("stream_sid", format!("s-{session}"))
            .digits("stream_seq", counter)
            .digits("create_time_ms", created_at)
            .text("recreate", if held.is_some() { "1" } else { "0" })
            .text("title", format!("{} on camera", shown(user)))
            .texts("hls_url", &[format!("https://cdn.example.com/live/{id}.m3u8")]);
        self.tell(Subject::Stream(id), told);
    }

    fn unpublish(&mut self, id: &str) {
        let at = self.stamp();
        let live = self.live();
        let Some(stream) = live.streams.remove(id) else { return };
        live.stream_counter += 1;
        let (counter, session) = (live.stream_counter, live.session);
        let told = Told::new("stream_close")
            .text("room_id", self.room().id.as_str())
            .digits("room_session_id", session)
            .text("user_id", stream.publisher.as_str())
            .text("user_name", shown(&stream.publisher))
            .text("type", "0")
            .text("stream_id", id)
            .text("stream_alias", id)
            .text("stream_sid", format!("s-{}", stream.session))
            .digits("stream_seq", counter)
            .digits("create_time_ms", stream.created_at)
            .digits("destroy_timemillis", at);
        self.tell(Subject::Stream(id.to_owned()), told);
    }

    fn tell(&mut self, subject: Subject, told: Told) {
        self.world.sent(self.index, &subject);
        self.happenings.push(Happening::Callback(ToldCallback { room: self.index, subject, told }));
    }

    fn command(
        &mut self,
        name: &'static str,
        subject: Subject,
        mut parameters: Vec<(&'static str, String)>,
    ) {
        parameters.push(("RoomID", self.room().id.clone()));
        self.world.sent(self.index, &subject);
        let command = ToldCommand { room: self.index, subject, name, parameters };
        self.happenings.push(Happening::Command(command));
    }

    fn person(&mut self) -> String {
        let name = PEOPLE[self.world.rng.random_range(0..PEOPLE.len())];
        format!("{name}-{}", self.world.rng.random_range(1..=NAMESAKES))
    }

    fn topic(&mut self) -> String {
        let topic = TOPICS[self.world.rng.random_range(0..TOPICS.len())];
        format!("{{\"topic\":\"{topic}\"}}")
    }

    /// A pause of this length on average, and never much longer.
    fn pause(&mut self, mean: f64) -> u64 {
        let share: f64 = self.world.rng.random_range(0.001..1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some seconds in milliseconds"
        )]
        let pause = (-share.ln() * mean) as u64;
        pause
    }

    /// The time by the clock of one of the media server's machines.
    fn stamp(&mut self) -> u64 {
        self.real + self.world.rng.random_range(0..20)
    }

    fn room(&self) -> &Room {
        &self.world.rooms[self.index]
    }

    fn room_mut(&mut self) -> &mut Room {
        &mut self.world.rooms[self.index]
    }

    fn live(&mut self) -> &mut Live {
        self.room_mut().live.as_mut().expect("a session runs, as the caller has seen")
    }
}

/// The name to show.
fn shown(user: &str) -> String {
    let mut letters = user.split('-').next().unwrap_or(user).chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn stream_of(user: &str) -> String {
    format!("{user}-camera")
}
