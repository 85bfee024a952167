//! Memberships beside logins, against a naive model: whose word says who is there, and what a heartbeat is
//! answered. Everything arrives at once and in order, so the model needs no rules of order.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{CallbackEvent, RoomCreated, UserLoggedIn, UserLoggedOut};
use room_registry::{
    Callback, Clock, Config, Error, Heartbeat, Lifecycle, ManualClock, NewRoom, NewUser, RoomId,
    RoomRegistry, SessionId, Timestamp, UserId, UserSessionId,
};
use room_registry_world::commands::{START, TIMEOUT};
use room_registry_world::effort::properties;

#[derive(Debug, Clone, Copy)]
enum Step {
    Pass(u64),
    LogIn(u8),
    LogOut(u8),
    Join(u8),
    Leave(u8),
    Remove(u8),
    Heartbeat(u8),
    Expire,
}

/// What is true of a user.
#[derive(Debug, Default)]
struct Truth {
    /// The stay by which the user is logged in, and since when.
    login: Option<(u64, u64)>,
    /// When the membership last had a heartbeat.
    heartbeat_at: Option<u64>,
    /// How the user last went.
    gone: Option<Heartbeat>,
}

impl Truth {
    fn is_there(&self) -> bool {
        self.login.is_some() || self.heartbeat_at.is_some()
    }

    fn is_overdue(&self, now: u64) -> bool {
        self.heartbeat_at.is_some_and(|at| now - at > TIMEOUT)
    }

    fn goes(&mut self, how: Heartbeat, ends_login: bool) {
        (self.heartbeat_at, self.gone) = (None, Some(how));
        if ends_login {
            self.login = None;
        }
    }
}

/// A registry of one room, and what is true of its users.
struct Played {
    registry: RoomRegistry<ManualClock>,
    clock: ManualClock,
    heartbeats_end_logins: bool,
    users: BTreeMap<String, Truth>,
    logins: u64,
}

impl Played {
    fn new(heartbeats_end_logins: bool) -> Self {
        let config = Config::builder()
            .heartbeat_timeout(Duration::from_millis(TIMEOUT))
            .heartbeats_end_logins(heartbeats_end_logins)
            .retention(None)
            .build()
            .unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(START));
        let mut registry = RoomRegistry::with_clock(config, clock.clone());
        let room = NewRoom::new("r", "tom").lifecycle(Lifecycle::Permanent);
        registry.create_room(room).unwrap();
        let mut played =
            Self { registry, clock, heartbeats_end_logins, users: BTreeMap::new(), logins: 0 };
        played.hears(RoomCreated::new(played.clock.now()));
        played
    }

    fn hears(&mut self, event: impl Into<CallbackEvent>) {
        let room_id = RoomId::new("r").unwrap();
        let session_id = SessionId::new("7").unwrap();
        self.registry.apply_callback(&Callback::new(room_id, session_id, event));
    }

    /// Plays a step. Its answer is the one that the model gives.
    fn step(&mut self, step: Step) {
        // Two logins within the tie window are not ordered by time. The model orders all of them.
        self.clock.advance(Duration::from_millis(101));
        let now = self.clock.now();
        let id = |user: u8| format!("user{user}");
        match step {
            Step::Pass(span) => self.clock.advance(Duration::from_millis(span)),
            Step::LogIn(user) => {
                self.logins += 1;
                let (id, stay) = (id(user), self.logins);
                let login = UserLoggedIn::new(UserId::new(&id).unwrap(), now);
                self.hears(login.user_session_id(stay_id(stay)));
                self.users.entry(id).or_default().login = Some((stay, now.as_millis()));
            }
            Step::LogOut(user) => {
                let id = id(user);
                let truth = self.users.entry(id.clone()).or_default();
                let Some((stay, since)) = truth.login.take() else { return };
                let logout = UserLoggedOut::new(UserId::new(&id).unwrap(), now)
                    .user_session_id(stay_id(stay))
                    .login_at(Timestamp::from_millis(since));
                self.hears(logout);
            }
            Step::Join(user) => {
                let id = id(user);
                let joined = self.registry.join_room("r", NewUser::new(id.as_str()));
                let truth = self.users.entry(id.clone()).or_default();
                if truth.is_overdue(now.as_millis()) {
                    truth.goes(Heartbeat::TimedOut, self.heartbeats_end_logins);
                }
                let already = Error::UserAlreadyJoined { room_id: "r".to_owned(), user_id: id };
                let expected = if truth.heartbeat_at.is_some() { Err(already) } else { Ok(()) };
                assert_eq!(joined, expected);
                if joined.is_ok() {
                    truth.heartbeat_at = Some(now.as_millis());
                    truth.gone = None;
                }
            }
            Step::Leave(user) => {
                let id = id(user);
                let left = self.registry.leave_room("r", id.as_str());
                self.goes(id, &left, Heartbeat::Left);
            }
            Step::Remove(user) => {
                let id = id(user);
                let removed = self.registry.remove_user("r", &id, "spam");
                self.goes(id, &removed, Heartbeat::Removed);
            }
            Step::Heartbeat(user) => {
                let id = id(user);
                let answer = self.registry.heartbeat("r", id.as_str());
                let truth = self.users.entry(id.clone()).or_default();
                if truth.is_overdue(now.as_millis()) {
                    truth.goes(Heartbeat::TimedOut, self.heartbeats_end_logins);
                    assert_eq!(answer, Ok(Heartbeat::TimedOut));
                    return;
                }
                // Whoever is logged in and was not removed is not gone.
                let is_member = truth.heartbeat_at.is_some();
                let counts = truth.is_there() && truth.gone != Some(Heartbeat::Removed);
                if is_member || counts {
                    truth.heartbeat_at = Some(now.as_millis());
                    truth.gone = None;
                }
                let expected = match truth.gone {
                    _ if is_member || counts => Ok(Heartbeat::Alive),
                    Some(how) => Ok(how),
                    None => Err(not_in_room(id)),
                };
                assert_eq!(answer, expected);
            }
            Step::Expire => {
                self.registry.expire();
                for truth in self.users.values_mut() {
                    if truth.is_overdue(now.as_millis()) {
                        truth.goes(Heartbeat::TimedOut, self.heartbeats_end_logins);
                    }
                }
            }
        }
    }

    /// Lets a user go by a command, who must be there.
    fn goes(&mut self, id: String, answer: &Result<(), Error>, how: Heartbeat) {
        let truth = self.users.entry(id.clone()).or_default();
        let expected = if truth.is_there() { Ok(()) } else { Err(not_in_room(id)) };
        assert_eq!(*answer, expected);
        if answer.is_ok() {
            truth.goes(how, true);
        }
    }

    /// The list has those who are there, by the word that says so.
    fn assert_same(&self) {
        let room = self.registry.room("r").unwrap();
        let listed = room.users().map(|user| {
            let login = user.user_session_id().map(ToString::to_string);
            (user.id().to_string(), login, user.heartbeat_at().map(Timestamp::as_millis))
        });
        let mut listed: Vec<_> = listed.collect();
        listed.sort();
        let there = self.users.iter().filter(|(_, truth)| truth.is_there());
        let expected = there.map(|(id, truth)| {
            let login = truth.login.map(|(stay, _)| stay.to_string());
            (id.clone(), login, truth.heartbeat_at)
        });
        assert_eq!(listed, expected.collect::<Vec<_>>());
        assert_eq!(room.user_count(), listed.len());
    }
}

fn stay_id(stay: u64) -> UserSessionId {
    UserSessionId::new(stay.to_string()).unwrap()
}

fn not_in_room(user_id: String) -> Error {
    Error::UserNotInRoom { room_id: "r".to_owned(), user_id }
}

fn step() -> impl Strategy<Value = Step> {
    let user = || 0..3_u8;
    let spans = vec![1_000, TIMEOUT / 2, TIMEOUT - 101, TIMEOUT - 100];
    prop_oneof![
        3 => prop::sample::select(spans).prop_map(Step::Pass),
        3 => user().prop_map(Step::LogIn),
        2 => user().prop_map(Step::LogOut),
        3 => user().prop_map(Step::Join),
        1 => user().prop_map(Step::Leave),
        1 => user().prop_map(Step::Remove),
        4 => user().prop_map(Step::Heartbeat),
        2 => Just(Step::Expire),
    ]
}

proptest! {
    #![proptest_config(properties(256))]

    /// Holds laws 4.8, 6.1, 6.2, 18.1 and 18.2.
    #[test]
    fn memberships_beside_logins_do_what_a_naive_model_does(
        steps in prop::collection::vec(step(), 0..60),
        heartbeats_end_logins: bool,
    ) {
        let mut played = Played::new(heartbeats_end_logins);
        for step in steps {
            played.step(step);
            played.assert_same();
        }
    }
}
