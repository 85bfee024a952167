//! One moment in one room: what its people do, and what the media server makes of it.

use rand::RngExt;
use room_registry::event::{
    LogoutReason, RoomCloseReason, RoomClosed, RoomCreated, StreamCloseReason,
};
use room_registry::{
    Callback, Role, SessionId, StreamId, StreamSessionId, Text, Timestamp, UserId, UserSessionId,
};
use room_registry_world::room::{Login, MediaRoom};

use super::{
    BEATS_EVERY, HAPPENS_EVERY, HEARTBEAT, Happening, Room, SWEPT_WITHIN, Subject, ToldCallback,
    ToldCommand, World,
};

const PEOPLE: [&str; 16] = [
    "ann", "bob", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo", "jin", "kim", "lea", "max",
    "nora", "omar", "pia",
];
/// How many people there are to each name.
const NAMESAKES: usize = 4;
const TOPICS: [&str; 5] = ["music", "travel", "food", "games", "films"];

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
                parameters: vec![("RoomID", self.room_id()), ("UserID", user)],
            };
            self.happenings.push(Happening::Command(command));
        }
    }

    /// The media server notices who vanished.
    pub(super) fn drop_who_vanished(&mut self) {
        let now = self.now;
        let room = self.room_mut();
        let (due, dropping): (Vec<_>, Vec<_>) =
            room.dropping.drain(..).partition(|(at, _)| *at <= now);
        room.dropping = dropping;
        for (_, user) in due {
            self.log_out(&user, LogoutReason::ConnectionLost);
        }
        self.close_if_empty(RoomCloseReason::HeartbeatTimeout);
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
        self.room().is_listed || self.media().is_open()
    }

    /// The host ends the room.
    pub(super) fn end(&mut self) {
        if self.media().is_open() {
            self.close_session(RoomCloseReason::Normal);
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
        if room.is_created {
            room.is_listed = true;
            let name = ("RoomName", room.name.to_owned());
            let topic = ("Attributes", self.topic());
            self.command("create_room", Subject::Room, vec![name, ("HostID", host.clone()), topic]);
        }
        let session = SessionId::new(session.to_string()).expect("a number is an id");
        let created = RoomCreated::new(self.stamp()).creator_id(user_id(&host));
        let created = self.media_mut().open(session, created);
        self.tell(Subject::Room, created);
        self.come(&host);
        self.publish(&host);
    }

    fn go_on(&mut self) {
        let present: Vec<String> = self.room().truth().users.into_iter().collect();
        if present.is_empty() || !self.media().is_open() {
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
        self.log_out(user, LogoutReason::Normal);
        if self.room_mut().members.remove(user).is_some() {
            let parameters = vec![("UserID", user.to_owned())];
            self.command("leave_room", Subject::User(user.to_owned()), parameters);
        }
        self.close_if_empty(RoomCloseReason::WentOffline);
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
        if room.media.login(&user_id(user)).is_some()
            && !room.dropping.iter().any(|(_, dropping)| dropping == user)
        {
            room.dropping.push((drops_at, user.to_owned()));
        }
    }

    fn change_topic(&mut self) {
        if self.room().is_listed {
            let topic = self.topic();
            self.command("update_room", Subject::Room, vec![("Attributes", topic)]);
        }
    }

    fn close_if_empty(&mut self, reason: RoomCloseReason) {
        if self.media().is_open() && self.media().user_count() == 0 {
            self.close_session(reason);
        }
    }

    /// Everything in a session ends with it, told or (now and then) not.
    fn close_session(&mut self, reason: RoomCloseReason) {
        if self.world.rng.random_bool(0.85) {
            let users: Vec<String> = self.media().logins().map(|(id, _)| id.to_string()).collect();
            for user in users {
                self.log_out(&user, LogoutReason::Normal);
            }
        }
        let mut closed = RoomClosed::new(self.stamp());
        closed.reason = Some(reason);
        let closed = self.media_mut().close(closed);
        self.tell(Subject::Room, closed);
        self.room_mut().dropping.clear();
    }

    fn log_in(&mut self, user: &str) {
        if !self.media().is_open() {
            return;
        }
        let (session, at) = (self.world.new_session(), self.stamp());
        let role = if user == self.room().host { Role::HOST } else { Role::AUDIENCE };
        self.room_mut().dropping.retain(|(_, dropping)| dropping != user);
        let session = UserSessionId::new(session.to_string()).expect("a number is an id");
        let mut login = self.media_mut().log_in(user_id(user), session, at);
        login.room_name = Some(Text::from(self.room().name));
        login.details.user_name = Some(Text::from(shown(user).as_str()));
        login.details.role = Some(role);
        let told = self.media().tell(login);
        self.tell(Subject::User(user.to_owned()), told);
    }

    /// With the user go his streams.
    fn log_out(&mut self, user: &str, reason: LogoutReason) {
        let user_id = user_id(user);
        let mine = self.media().streams().filter(|(_, held)| held.publisher_id == user_id);
        let mine: Vec<StreamId> = mine.map(|(id, _)| id.clone()).collect();
        for stream in mine {
            self.unpublish(&stream);
        }
        if let Some(login) = self.media_mut().take_login(&user_id) {
            self.tell_logout(user, login, reason);
        }
    }

    fn tell_logout(&mut self, user: &str, login: Login, reason: LogoutReason) {
        let at = self.stamp();
        let mut logout = self.media_mut().tell_logout(&user_id(user), login, at);
        logout.reason = Some(reason);
        let told = self.media().tell(logout);
        self.tell(Subject::User(user.to_owned()), told);
    }

    /// A login elsewhere ends the one before, and either may be told first.
    fn move_to_another_device(&mut self, user: &str) {
        let Some(login) = self.media_mut().take_login(&user_id(user)) else { return };
        if self.world.rng.random_bool(0.5) {
            self.tell_logout(user, login, LogoutReason::KickedOut);
            self.log_in(user);
        } else {
            self.log_in(user);
            self.tell_logout(user, login, LogoutReason::KickedOut);
        }
    }

    fn change_stream(&mut self, user: &str) {
        if self.media().login(&user_id(user)).is_none() {
            return;
        }
        let id = stream_of(user);
        if self.media().stream(&id).is_some() && self.world.rng.random_bool(0.6) {
            self.unpublish(&id);
        } else {
            self.publish(user);
        }
    }

    /// Published again, it is the same life of the stream.
    fn publish(&mut self, user: &str) {
        if !self.media().is_open() {
            return;
        }
        let (id, new, at) = (stream_of(user), self.world.new_session(), self.stamp());
        let new = StreamSessionId::new(format!("s-{new}")).expect("a valid id");
        let mut created = self.media_mut().publish(id.clone(), user_id(user), new, at);
        let details = &mut created.details;
        details.publisher_name = Some(Text::from(shown(user).as_str()));
        details.title = Some(Text::from(format!("{} on camera", shown(user)).as_str()));
        let url = format!("https://cdn.example.com/live/{id}.m3u8");
        details.playback.hls = vec![Text::from(url.as_str())];
        let told = self.media().tell(created);
        self.tell(Subject::Stream(id.to_string()), told);
    }

    fn unpublish(&mut self, id: &StreamId) {
        if self.media().stream(id).is_none() {
            return;
        }
        let at = self.stamp();
        let mut closed = self.media_mut().unpublish(id, at);
        closed.reason = Some(StreamCloseReason::Normal);
        let told = self.media().tell(closed);
        self.tell(Subject::Stream(id.to_string()), told);
    }

    fn tell(&mut self, subject: Subject, callback: Callback) {
        self.world.sent(self.index, &subject);
        let told = ToldCallback { room: self.index, subject, callback };
        self.happenings.push(Happening::Callback(Box::new(told)));
    }

    fn command(
        &mut self,
        name: &'static str,
        subject: Subject,
        mut parameters: Vec<(&'static str, String)>,
    ) {
        parameters.push(("RoomID", self.room_id()));
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
    fn stamp(&mut self) -> Timestamp {
        Timestamp::from_millis(self.real + self.world.rng.random_range(0..20))
    }

    fn room_id(&self) -> String {
        self.media().id().to_string()
    }

    fn media(&self) -> &MediaRoom {
        &self.room().media
    }

    fn media_mut(&mut self) -> &mut MediaRoom {
        &mut self.room_mut().media
    }

    fn room(&self) -> &Room {
        &self.world.rooms[self.index]
    }

    fn room_mut(&mut self) -> &mut Room {
        &mut self.world.rooms[self.index]
    }
}

/// The name to show.
fn shown(user: &str) -> String {
    let mut letters = user.split('-').next().unwrap_or(user).chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn user_id(user: &str) -> UserId {
    UserId::new(user).expect("letters, a hyphen and digits")
}

fn stream_of(user: &str) -> StreamId {
    StreamId::new(format!("{user}-camera")).expect("letters, hyphens and digits")
}
