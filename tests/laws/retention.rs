//! Forgetting: no zombies, bounded memory, and sweeping that nobody notices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{
    CallbackEvent, StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::repair::Sign;
use room_registry::{
    Callback, ChangeKind, Config, ManualClock, NewRoom, NewUser, Outcome, Room, RoomRef,
    RoomRegistry, SessionId, StreamId, StreamSessionId, Timestamp, UserId, UserSessionId,
};
use room_registry_world::effort::{properties, seeds, times};
use room_registry_world::history::{Options, delivered, room_id, valid_history};
use room_registry_world::interpreter::as_truth;
use room_registry_world::junk::junk;
use room_registry_world::observations::Told;
use room_registry_world::repair_view::{observed_of, visible_session_of};
use room_registry_world::truth::truth;
use room_registry_world::vendor::Vendor;
use room_registry_world::view::{stored_of, visible_of};

/// The default tie window.
const TIE_WINDOW: Duration = Duration::from_millis(100);
const MINUTE: u64 = 60_000;
/// The default retention.
const RETENTION: u64 = 10 * MINUTE;

/// A valid history, and what made it.
struct Case {
    seed: u64,
    vendor: Vendor,
    history: Vec<Callback>,
}

impl Case {
    fn new(seed: u64, vendor: Vendor) -> Self {
        let options = Options {
            callbacks: 150,
            skew: if seed.is_multiple_of(2) { 0 } else { 50 },
            closings: 8,
            untold_ends: 20,
            without_login_time: if seed.is_multiple_of(3) { 40 } else { 0 },
            max_gap: [3_000, 20_000, 120_000][usize::try_from(seed % 3).unwrap()],
            vendor,
        };
        Self { seed, vendor, history: valid_history(seed, options) }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {:?}", self.seed, self.vendor)
    }
}

/// Histories of the first vendor.
fn histories() -> impl Iterator<Item = Case> {
    seeds(30).map(|seed| Case::new(seed, Vendor::default()))
}

/// Histories of each vendor.
fn histories_of_any_vendor() -> impl Iterator<Item = Case> {
    Vendor::each_with_seeds(seeds(1)).map(|(vendor, seed)| Case::new(seed, vendor))
}

/// What was seen to close.
#[derive(Debug, Default)]
struct Closed {
    sessions: BTreeSet<SessionId>,
    logins: BTreeSet<UserSessionId>,
    streams: BTreeSet<StreamSessionId>,
    /// The highest order of a closing, by session, and user or stream.
    orders: BTreeMap<(Option<SessionId>, String), u64>,
    /// The latest close of a room that names no session.
    rooms: Option<Timestamp>,
}

impl Closed {
    fn see(&mut self, callback: &Callback) {
        let (id, stay, order, at) = match &callback.event {
            CallbackEvent::RoomClosed(event) => {
                if callback.session_id.is_none() {
                    self.rooms = self.rooms.max(Some(event.closed_at));
                }
                self.sessions.extend(callback.session_id.clone());
                return;
            }
            CallbackEvent::UserLoggedOut(event) => {
                self.logins.extend(event.user_session_id.clone());
                (
                    event.user_id.to_string(),
                    event.user_session_id.is_some(),
                    event.order,
                    event.logout_at,
                )
            }
            CallbackEvent::StreamClosed(event) => {
                self.streams.extend(event.stream_session_id.clone());
                (
                    event.stream_id.to_string(),
                    event.stream_session_id.is_some(),
                    event.order,
                    event.closed_at,
                )
            }
            _ => return,
        };
        if order.is_some() || !stay {
            let highest = self.orders.entry((callback.session_id.clone(), id)).or_default();
            *highest = order.unwrap_or(at.as_millis()).max(*highest);
        }
    }

    #[track_caller]
    fn check(&self, room: RoomRef<'_>, context: &str) {
        let session = room.session_id();
        let is_back = session.is_some_and(|session| self.sessions.contains(session));
        assert!(!is_back, "{context}: session {session:?} is back");
        // Laws 21.3 and 1.3: a close without a session counts a tie window before its stamp.
        let opens_at = self.rooms.filter(|_| session.is_none()).map(|at| at - TIE_WINDOW);
        let check_order = |id: &str, order: u64, at: Timestamp| {
            let closed = self.orders.get(&(session.cloned(), id.to_owned()));
            assert!(closed.is_none_or(|closed| *closed < order), "{context}: {id} is back");
            assert!(
                opens_at.is_none_or(|opens_at| at >= opens_at),
                "{context}: {id} outlives the room"
            );
        };
        for user in room.users() {
            let is_back = user.user_session_id().is_some_and(|login| self.logins.contains(login));
            assert!(!is_back, "{context}: login {:?} is back", user.user_session_id());
            let login = user.login().unwrap();
            check_order(user.id().as_str(), login.counter, login.login_at);
        }
        for stream in room.streams() {
            let life = stream.stream_session_id();
            let is_back = life.is_some_and(|life| self.streams.contains(life));
            assert!(!is_back, "{context}: stream {life:?} is back");
            check_order(
                stream.id().as_str(),
                stream.counter().unwrap(),
                stream.created_at().unwrap(),
            );
        }
    }
}

/// Answers how many callbacks came too late.
fn check_that_nothing_comes_back(case: &Case) -> u32 {
    let config = Config::default();
    let mut too_late = 0;
    for longest in [5_000, 9 * MINUTE, 40 * MINUTE, 400 * MINUTE] {
        let mut room = Room::new(room_id(), &config);
        let mut closed = Closed::default();
        for (at, callback) in delivered(&case.history, case.seed, longest) {
            match room.apply(&callback, &config, at).unwrap() {
                Outcome::TooLate => too_late += 1,
                _ => closed.see(&callback),
            }
            if let Some(view) = room.view() {
                closed.check(view, &format!("{case}, delays up to {longest} ms, at {at}"));
            }
        }
    }
    too_late
}

/// Holds laws 1.3 and 11.3.
#[test]
fn nothing_that_was_seen_to_close_comes_back_whatever_the_delays() {
    let too_late: u32 = histories().map(|case| check_that_nothing_comes_back(&case)).sum();
    assert!(too_late > times(20), "the delays reach beyond the retention: {too_late}");
}

/// Holds laws 1.3 and 11.3.
#[test]
fn nothing_of_any_vendor_that_was_seen_to_close_comes_back_whatever_the_delays() {
    let too_late: u32 =
        histories_of_any_vendor().map(|case| check_that_nothing_comes_back(&case)).sum();
    assert!(too_late > times(100), "the delays reach beyond the retention: {too_late}");
}

fn check_that_it_ends_in_the_truth(case: &Case) {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    for (at, callback) in delivered(&case.history, case.seed, RETENTION - 5_000) {
        room.apply(&callback, &config, at).unwrap();
    }
    assert_eq!(as_truth(visible_of(room.view()).as_ref()), truth(&case.history), "{case}");
}

/// Holds law 1.2.
#[test]
fn whatever_arrives_within_the_retention_ends_in_the_truth() {
    histories().for_each(|case| check_that_it_ends_in_the_truth(&case));
}

/// Holds law 1.2.
#[test]
fn whatever_arrives_within_the_retention_of_any_vendor_ends_in_the_truth() {
    histories_of_any_vendor().for_each(|case| check_that_it_ends_in_the_truth(&case));
}

fn check_that_sweeping_makes_no_difference(case: &Case) {
    let config = Config::builder().empty_listing_time(None).build().unwrap();
    let mut lazy = Room::new(room_id(), &config);
    let mut eager = Room::new(room_id(), &config);
    let mut before = Timestamp::MIN;
    for (at, callback) in delivered(&case.history, case.seed, 30 * MINUTE) {
        // Whenever something is due in between, and right before the callback.
        while let Some(due_at) =
            eager.next_expiry(&config).filter(|due_at| (before..at).contains(due_at))
        {
            assert!(eager.expire(&config, due_at).unwrap().steps() > 0, "{case}: nothing was due");
        }
        eager.expire(&config, at).unwrap();
        let outcome = lazy.apply(&callback, &config, at).unwrap();
        assert_eq!(eager.apply(&callback, &config, at).unwrap(), outcome, "{case}");
        assert_eq!(visible_of(eager.view()), visible_of(lazy.view()), "{case}");
        assert_eq!(stored_of(&eager), stored_of(&lazy), "{case}");
        assert_eq!(observed_of(&eager), observed_of(&lazy), "{case}");
        before = at;
    }
}

/// Holds law 5.1.
#[test]
fn sweeping_or_not_before_each_step_makes_no_difference() {
    let histories = histories().take(times(12) as usize);
    histories.for_each(|case| check_that_sweeping_makes_no_difference(&case));
}

/// Holds law 5.1.
#[test]
fn sweeping_or_not_before_each_step_of_any_vendor_makes_no_difference() {
    for mut case in histories_of_any_vendor() {
        case.history.truncate(60); // what is stored is read at each step
        check_that_sweeping_makes_no_difference(&case);
    }
}

/// Answers whether the room is listed.
fn check_that_only_what_is_visible_is_stored(case: &Case) -> bool {
    let config = Config::builder().empty_listing_time(None).build().unwrap();
    let mut room = Room::new(room_id(), &config);
    let mut now = Timestamp::MIN;
    for (at, callback) in delivered(&case.history, case.seed, 8 * MINUTE) {
        room.apply(&callback, &config, at).unwrap();
        now = at;
    }
    let visible = visible_of(room.view());
    let later = Timestamp::from_millis(now.as_millis() + 2 * RETENTION);
    room.expire(&config, later).unwrap();
    assert_eq!(visible_of(room.view()), visible, "{case}");
    assert_eq!(room.is_forgotten(), visible.is_none(), "{case}");
    let Some(visible) = visible else { return false };
    let (stored, observed) = (stored_of(&room), observed_of(&room));
    assert_eq!(stored.sessions.len(), 1, "{case}");
    let session = &stored.sessions[&visible.session_id];
    assert_eq!(session.users.len(), visible.users.len(), "{case}");
    assert!(session.users.values().all(|user| user.closings.is_empty()), "{case}");
    assert_eq!(session.streams.len(), visible.streams.len(), "{case}");
    assert!(session.streams.values().all(|stream| stream.closings.is_empty()), "{case}");
    let (mut users, mut streams) = (session.users.iter(), session.streams.iter());
    assert!(users.all(|(id, user)| user.hidden(observed.users.absent(id)) == 0), "{case}");
    assert!(streams.all(|(id, stream)| stream.hidden(observed.streams.absent(id)) == 0), "{case}");
    assert_eq!(room.next_expiry(&config), None, "{case}: nothing is left to let go");
    true
}

/// Holds laws 1.4 and 5.7.
#[test]
fn after_a_long_silence_only_what_is_visible_is_stored() {
    let listed = histories().filter(check_that_only_what_is_visible_is_stored).count();
    assert!(
        (times(4)..times(26)).contains(&u32::try_from(listed).unwrap()),
        "some rooms are open at the end and some are not: {listed}"
    );
}

/// Holds laws 1.4 and 5.7.
#[test]
fn after_a_long_silence_only_what_is_visible_of_any_vendor_is_stored() {
    let histories = histories_of_any_vendor();
    let listed = histories.filter(check_that_only_what_is_visible_is_stored).count();
    assert!(
        (times(20)..times(110)).contains(&u32::try_from(listed).unwrap()),
        "some rooms are open at the end and some are not: {listed}"
    );
}

/// Holds laws 5.4 and 5.6.
#[test]
fn a_closing_is_remembered_for_exactly_the_retention() {
    let config = Config::default();
    let mut room = Room::new(room_id(), &config);
    let history = valid_history(1, Options { callbacks: 1, ..Options::default() });
    let opened_at = history[0].latest_time();
    room.apply(&history[0], &config, opened_at).unwrap();
    let closed = room_registry::event::RoomClosed::new(opened_at);
    let close = Callback::new(room_id(), history[0].session_id.clone(), closed);
    room.apply(&close, &config, opened_at).unwrap();

    let due_at = Timestamp::from_millis(opened_at.as_millis() + RETENTION + 5_000 + 1);
    assert_eq!(room.next_expiry(&config), Some(due_at));
    room.expire(&config, Timestamp::from_millis(due_at.as_millis() - 1)).unwrap();
    assert!(!room.is_forgotten());
    room.expire(&config, due_at).unwrap();
    assert!(room.is_forgotten());
}

/// Junk, each with the time that passes before it is delivered.
fn junk_deliveries() -> impl Strategy<Value = Vec<(u64, Told)>> {
    let pause = prop_oneof![4 => 0..50_u64, 2 => 0..4_000_u64, 1 => 0..30_000_u64];
    prop::collection::vec((pause, junk(5_000)), 0..25)
}

/// A retention short enough for junk times to cross it.
fn short_memory() -> Config {
    let short = Duration::from_secs(4);
    Config::builder().retention(Some(short)).report_after(Duration::MAX).build().unwrap()
}

/// A stream that opens again outlives its close. A user who logs in again outlives the logout, which stands
/// before the close among what is to be forgotten.
/// Holds law 5.4.
#[test]
fn what_was_outlived_behind_something_else_is_not_waited_for() {
    let at = Timestamp::from_millis;
    let stream_id = StreamId::new("s").unwrap();
    let (user_id, login) = (UserId::new("ann").unwrap(), UserSessionId::new("0").unwrap());
    let logout = UserLoggedOut::new(user_id.clone(), at(1_000_000)).user_session_id(login.clone());
    let events: [CallbackEvent; 4] = [
        logout.login_at(at(1_000_000)).into(),
        StreamClosed::new(stream_id.clone(), at(1_000_001)).into(),
        StreamCreated::new(stream_id, at(1_004_900)).into(),
        UserLoggedIn::new(user_id, at(1_000_101)).user_session_id(login).into(),
    ];

    let clock = ManualClock::at(at(1_003_000));
    let mut registry = RoomRegistry::with_clock(short_memory(), clock.clone());
    registry.create_room(NewRoom::new("other", "tom")).unwrap();
    registry.join_room("other", NewUser::new("tom")).unwrap();
    for event in events {
        registry.apply_callback(&Callback::new(room_id(), SessionId::new("10").unwrap(), event));
    }
    let room = registry.export(room_id().as_str()).unwrap();
    assert_eq!(room.next_expiry(registry.config()), None, "who is there goes by a callback only");
    let timed_out_at = at(1_003_000 + 90_001);
    assert_eq!(registry.next_expiry(), Some(timed_out_at));
    clock.set(timed_out_at);
    assert_eq!(registry.expire().memberships, 1, "what is due elsewhere is done by the same call");
}

proptest! {
    #![proptest_config(properties(600))]

    /// Holds laws 5.1 and 5.7.
    #[test]
    fn sweeping_junk_never_changes_what_is_visible_and_is_due_when_it_says(deliveries in junk_deliveries()) {
        let config = short_memory();
        let mut room = Room::new(room_id(), &config);
        let mut now = 1_003_000;
        for (pause, told) in deliveries {
            let until = now + pause;
            while let Some(due_at) = room.next_expiry(&config).filter(|at| at.as_millis() <= until) {
                let visible = visible_session_of(room.view());
                // What is overdue is due now.
                let due_at = due_at.max(Timestamp::from_millis(now));
                let early = Timestamp::from_millis(due_at.as_millis().saturating_sub(1).max(now));
                if early < due_at {
                    prop_assert_eq!(room.expire(&config, early).unwrap().steps(), 0, "nothing is due before");
                }
                prop_assert!(room.expire(&config, due_at).unwrap().steps() > 0, "something is due");
                prop_assert_eq!(visible_session_of(room.view()), visible);
                // An opening that came too late is worth asking about for as long.
                let is_sign = |kind: &ChangeKind| {
                    matches!(kind, ChangeKind::SuspicionWithdrawn { sign: Sign::RefusedOpening, .. })
                };
                prop_assert!(room.changes().all(|change| is_sign(&change.kind)));
                prop_assert!(room.next_expiry(&config).is_none_or(|next| next > due_at));
            }
            now = until;
            told.to(&mut room, &config, Timestamp::from_millis(now));
        }
    }

    /// Holds law 1.7.
    #[test]
    fn a_room_with_a_short_memory_is_the_same_after_it_was_stored(deliveries in junk_deliveries()) {
        let config = short_memory();
        let mut room = Room::new(room_id(), &config);
        let mut now = 1_003_000;
        for (pause, told) in deliveries {
            now += pause;
            let mut restored: Room = serde_json::from_value(serde_json::to_value(&room).unwrap()).unwrap();
            let at = Timestamp::from_millis(now);
            // What is overdue is due now, since whenever that was.
            let due = |room: &Room| room.next_expiry(&config).map(|due_at| due_at.max(at));
            prop_assert_eq!(due(&restored), due(&room));
            let outcome = told.to(&mut room, &config, at);
            prop_assert_eq!(told.to(&mut restored, &config, at), outcome);
            prop_assert_eq!(serde_json::to_value(&restored).unwrap(), serde_json::to_value(&room).unwrap());
        }
    }
}
