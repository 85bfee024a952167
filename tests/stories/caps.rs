//! Caps: what hostile input can make a room hold, to the last one that fits and the first that does
//! not. Valid histories never come near.

use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::repair::ObservedUser;
use room_registry::{
    Callback, ChangeKind, Config, Observation, Room, RoomId, SessionId, StreamId, StreamSessionId,
    Timestamp, UserId, UserSessionId, UserUpdate,
};
use serde_json::Value;

/// Of sessions a room, user sessions a user, and facts a stream.
const CAP: u64 = 16;
const BASE: u64 = 1_763_596_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BASE + millis)
}

struct Held {
    room: Room,
    config: Config,
}

impl Held {
    fn new() -> Self {
        let config = Config::default();
        Self { room: Room::new(RoomId::new("r").unwrap(), &config), config }
    }

    fn apply(&mut self, session: u64, event: impl Into<CallbackEvent>) {
        let session_id = SessionId::new(session.to_string()).unwrap();
        let callback = Callback::new(RoomId::new("r").unwrap(), session_id, event);
        self.room.apply(&callback, &self.config, at(30_000)).unwrap();
    }

    /// A login of Tom's. All are within the tie window.
    fn login(&mut self, user_session: u64) {
        let id = UserSessionId::new(user_session.to_string()).unwrap();
        let login_at = at(10_000 + user_session);
        self.apply(
            1,
            UserLoggedIn::new(UserId::new("tom").unwrap(), login_at)
                .user_session_id(id)
                .counter(user_session),
        );
    }

    /// A logout of Tom's, of a login that nobody told of, or before that login.
    fn logout(&mut self, user_session: u64, millis: u64) {
        let id = UserSessionId::new(user_session.to_string()).unwrap();
        let logout = UserLoggedOut::new(UserId::new("tom").unwrap(), at(millis))
            .user_session_id(id)
            .counter(1);
        self.apply(1, logout.login_at(at(9_000)));
    }

    fn publish(&mut self, life: u64) {
        let id = StreamSessionId::new(life.to_string()).unwrap();
        let camera = StreamId::new("camera").unwrap();
        // The greater counter has the earlier time, so that none replaces another.
        self.apply(
            1,
            StreamCreated::new(camera, at(20_000 - life))
                .stream_session_id(id)
                .order(life)
                .counter(life),
        );
    }

    fn sessions(&self) -> Vec<Value> {
        let stored = serde_json::to_value(&self.room).unwrap();
        stored["live"]["sessions"].as_array().unwrap().clone()
    }

    /// The ids of what is held in a list of Tom's, or of the camera's.
    fn held(&self, of: &str, list: &str) -> Vec<u64> {
        let sessions = self.sessions();
        let held = sessions[0][of][0][list].as_array().unwrap().clone();
        let number = |entry: &Value| entry["stay_id"].as_str().unwrap().parse().unwrap();
        let mut numbers: Vec<u64> = held.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    fn logins(&self) -> Vec<u64> {
        self.held("users", "facts")
    }

    fn closings(&self) -> Vec<u64> {
        self.held("users", "closings")
    }
}

/// Holds law 3.10.
#[test]
fn beyond_the_cap_the_lowest_login_goes() {
    let mut held = Held::new();
    (1..=CAP).for_each(|id| held.login(id));
    assert_eq!(held.logins(), (1..=CAP).collect::<Vec<_>>());
    held.login(CAP + 1);
    assert_eq!(held.logins(), (2..=CAP + 1).collect::<Vec<_>>());
}

/// Holds law 3.10.
#[test]
fn beyond_the_cap_the_oldest_closing_without_a_login_goes_first() {
    let mut held = Held::new();
    held.logout(101, 10_050);
    held.logout(102, 10_040);
    (1..=CAP - 2).for_each(|id| held.login(id));
    assert_eq!(held.closings(), [101, 102]);
    held.login(CAP - 1);
    assert_eq!(held.closings(), [101], "the other closed earlier");
    assert_eq!(held.logins(), (1..CAP).collect::<Vec<_>>());
    held.login(CAP);
    assert_eq!(held.logins(), (1..=CAP).collect::<Vec<_>>());
    assert!(held.closings().is_empty());
}

/// Holds law 3.10.
#[test]
fn a_login_and_an_earlier_closing_of_one_user_session_count_once() {
    let mut held = Held::new();
    for id in 1..=CAP {
        held.login(id);
        held.logout(id, 10_000);
    }
    assert_eq!(held.logins(), (1..=CAP).collect::<Vec<_>>());
    assert_eq!(held.closings(), (1..=CAP).collect::<Vec<_>>());
    held.login(CAP + 1);
    assert_eq!(held.logins(), (2..=CAP + 1).collect::<Vec<_>>());
    assert_eq!(held.closings(), (2..=CAP).collect::<Vec<_>>(), "both go together");
}

/// Holds law 3.10.
#[test]
fn beyond_the_cap_the_lowest_fact_of_a_stream_goes() {
    let mut held = Held::new();
    let facts = |held: &Held| held.held("streams", "facts");
    (1..=CAP).for_each(|life| held.publish(life));
    assert_eq!(facts(&held), (1..=CAP).collect::<Vec<_>>());
    held.publish(CAP + 1);
    assert_eq!(facts(&held), (2..=CAP + 1).collect::<Vec<_>>());
}

/// Holds law 3.10.
#[test]
fn beyond_the_cap_the_oldest_session_goes_that_readers_do_not_see() {
    let mut held = Held::new();
    // All are within the tie window; the highest is visible.
    let create = |held: &mut Held, id: u64| held.apply(id, RoomCreated::new(at(id)));
    let ids = |held: &Held| -> Vec<String> {
        let ids = held.sessions().into_iter();
        ids.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect()
    };
    (1..=CAP).for_each(|id| create(&mut held, id));
    assert_eq!(ids(&held).len(), 16);
    create(&mut held, CAP + 1);
    assert_eq!(ids(&held), (2..=CAP + 1).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(held.room.view().unwrap().session_id().unwrap(), "17");
}

/// The session that goes must not be the one that hides an older one. Holds law 3.10.
#[test]
fn no_session_is_visible_again_because_another_went_beyond_the_cap() {
    let mut held = Held::new();
    let (tom, ann) = (UserId::new("tom").unwrap(), UserId::new("ann").unwrap());
    held.apply(1, UserLoggedIn::new(tom.clone(), at(5_000)));
    held.apply(2, UserLoggedIn::new(tom, at(10_000)));
    held.apply(2, RoomClosed::new(at(11_000)));
    assert!(held.room.view().is_none(), "the later session closed");
    held.apply(1, UserLoggedOut::new(ann, at(20_000)));
    for id in 3..=CAP + 1 {
        held.apply(id, RoomClosed::new(at(12_000 + id)));
        assert!(held.room.view().is_none(), "after {id} sessions");
    }
    assert_eq!(held.sessions().len(), 16);
}

/// What goes with a session may have outdated what an observation saw, of anybody. Holds laws 3.10 and 15.4.
#[test]
fn who_was_seen_is_listed_again_if_the_session_goes_that_knew_better() {
    let mut held = Held::new();
    let (ann, bob) = (UserId::new("ann").unwrap(), UserId::new("bob").unwrap());
    held.apply(1, RoomCreated::new(at(10_000)));
    let observed = Observation::new(RoomId::new("r").unwrap(), at(25_000)); // it counts as of 20,000
    let observed = observed.some_users([ObservedUser::new(ann.clone())]);
    held.room.apply_observation(&observed, &held.config, at(30_000)).unwrap();
    let users = |held: &Held| -> Vec<String> {
        held.room.view().unwrap().users().map(|user| user.id().to_string()).collect()
    };
    assert_eq!(users(&held), ["ann"]);
    held.apply(2, UserLoggedOut::new(ann.clone(), at(21_000)));
    for id in 3..=CAP {
        held.apply(id, UserLoggedOut::new(bob.clone(), at(21_000 + id)));
        assert!(users(&held).is_empty(), "she was seen before she left");
    }
    held.apply(CAP + 1, UserLoggedOut::new(bob, at(22_000)));
    assert_eq!(users(&held), ["ann"], "nobody remembers that she left");
    let changes: Vec<_> = held.room.changes().map(|change| change.kind).collect();
    assert_eq!(
        changes,
        [ChangeKind::UserJoined(held.room.view().unwrap().user("ann").unwrap().to_owned())]
    );
}

/// So does a merge of two that remember others. What is beyond the cap could not be read back. Holds law 10.9.
#[test]
fn a_session_remembers_sixty_four_signs() {
    let config = Config::default();
    let replica = |first: u64| {
        let mut room = Room::new(RoomId::new("r").unwrap(), &config);
        for number in first..first + 70 {
            let user_session = UserSessionId::new(format!("{number:03}")).unwrap();
            let logout = UserLoggedOut::new(UserId::new(format!("u{number}")).unwrap(), at(1))
                .user_session_id(user_session);
            let session = SessionId::new("1").unwrap();
            let callback = Callback::new(RoomId::new("r").unwrap(), session, logout);
            room.apply(&callback, &config, at(1)).unwrap();
        }
        room
    };
    let (one, other) = (replica(0), replica(100));
    let mut both = one.clone();
    both.merge(other, &config, at(1)).unwrap();
    for room in [one, both] {
        let stored = serde_json::to_string(&room).unwrap();
        assert_eq!(stored.matches("LogoutWithoutLogin").count(), 64);
        serde_json::from_str::<Room>(&stored).unwrap();
    }
}

/// Each login shows at once, and what the application said of the user passes to it. All logins stay, in sessions
/// that go on beside one another. Holds laws 1.7 and 18.11.
#[test]
fn a_word_on_many_logins_in_many_sessions_can_be_read_back() {
    let mut held = Held::new();
    for login in 0..4 * 64 {
        let id = UserSessionId::new((login + 1).to_string()).unwrap();
        let logged_in = UserLoggedIn::new(UserId::new("tom").unwrap(), at(login));
        held.apply(1 + login / 64, logged_in.user_session_id(id).exclusive(false));
        if login == 0 {
            let word = UserUpdate::new().name("Tom of the app");
            held.room.update_user("tom", word, &held.config, at(30_000)).unwrap();
        }
    }
    let stored = serde_json::to_value(&held.room).unwrap();
    assert_eq!(stored["user_notes"]["tom"].as_array().unwrap().len(), 256);
    let mut room: Room = serde_json::from_value(stored).unwrap();
    room.expire(&held.config, at(30_000)).unwrap();
    assert_eq!(room.view().unwrap().user("tom").unwrap().name().unwrap(), "Tom of the app");
}
