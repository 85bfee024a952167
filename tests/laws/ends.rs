//! Ends of a room between callbacks and observations, held against the slow reading of the whole log.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{
    CallbackEvent, RoomClosed, RoomCreated, StreamClosed, StreamCreated, UserLoggedIn,
    UserLoggedOut,
};
use room_registry::{
    Callback, Config, Lifecycle, Mirror, NewRoom, Outcome, Room, SessionId, StreamId,
    StreamSessionId, Timestamp, UserId, UserSessionId,
};
use room_registry_world::effort::{properties, seeds, times};
use room_registry_world::history::{Options, as_it_arrives, permutations, room_id, valid_history};
use room_registry_world::junk::{junk, junk_callback};
use room_registry_world::log_model::{Event, Listing, Log, listing};
use room_registry_world::observations::{Told, observed_at, present_user};
use room_registry_world::repair_model::Rules;
use room_registry_world::repair_view::listing_of;
use room_registry_world::rng::Rng;

const SKEW: u64 = 5_000;
/// Of what forgets.
const RETENTION: u64 = 60_000;

/// What happens to a room.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most steps are of this kind")]
pub(super) enum Step {
    Told(Told),
    Create,
    End,
    Sweep,
}

/// A room that is followed by a mirror, and the log of what happens to it.
#[derive(Clone)]
pub(super) struct Played {
    retention: Option<u64>,
    config: Config,
    pub(super) room: Room,
    pub(super) log: Log,
    mirror: Mirror,
    pub(super) now: u64,
}

impl Played {
    /// Begins with nothing.
    pub(super) fn new(retention: Option<u64>, now: u64) -> Self {
        let config = Config::builder()
            .retention(retention.map(Duration::from_millis))
            .empty_listing_time(None)
            .build()
            .unwrap();
        let room = Room::new(room_id(), &config);
        let log = Log::new(Rules::default());
        Self { retention, config, room, log, mirror: Mirror::default(), now }
    }

    /// Does a step after a pause. What readers see then is what the log says.
    #[track_caller]
    pub(super) fn step(&mut self, pause: u64, step: &Step) {
        self.now += pause;
        // Whether an observation came before or after an end of the same millisecond is left to stories, if
        // another end was in it.
        if matches!(step, Step::End) && self.log.saw_something() {
            self.now = self.log.ended_at().map_or(self.now, |ended_at| self.now.max(ended_at + 1));
        }
        if let Some(retention) = self.retention {
            self.log.forget(self.now, retention);
        }
        let now = Timestamp::from_millis(self.now);
        let before = listing(&[&self.log]);
        let is_done = match step {
            Step::Told(told) => {
                let outcome = told.to(&mut self.room, &self.config, now);
                assert!(!matches!(outcome, Outcome::TooLate | Outcome::Refused), "{told:?}");
                self.log.push(self.now, Event::Told(told.clone()));
                true
            }
            Step::Create => {
                let new = NewRoom::new("room", "tom").lifecycle(Lifecycle::UntilEnded);
                let is_done = self.room.create(new, &self.config, now).is_ok();
                let is_created = before.is_some_and(|listed| listed.created_at.is_some());
                assert_eq!(is_done, !is_created, "what was created is not created again");
                is_done.then(|| self.log.push(self.now, Event::Created)).is_some()
            }
            Step::End => {
                let is_done = self.room.end(&self.config, now).is_ok();
                assert_eq!(is_done, before.is_some(), "what is not listed cannot be ended");
                is_done.then(|| self.log.push(self.now, Event::Ended)).is_some()
            }
            Step::Sweep => self.room.expire(&self.config, now).is_ok(),
        };
        if is_done {
            self.room.changes().for_each(|change| self.mirror.apply(&change));
        }
        assert_eq!(self.seen(), listing(&[&self.log]), "after {step:?}");
        assert_eq!(self.mirror, self.room.view().into_iter().collect(), "after {step:?}");
    }

    #[track_caller]
    fn play(&mut self, steps: &[(u64, Step)]) {
        for (pause, step) in steps {
            self.step(*pause, step);
        }
    }

    /// What readers see.
    fn seen(&self) -> Option<Listing> {
        listing_of(self.room.view())
    }
}

/// A room that remembers everything, and what happens to it.
fn play(steps: &[(u64, Step)]) -> Played {
    let mut played = Played::new(None, START);
    played.play(steps);
    played
}

/// What two rooms that merge show is what their logs say together, whichever takes the other in.
#[track_caller]
pub(super) fn check_merged(a: &Played, b: &Played) {
    let now = Timestamp::from_millis(a.now.max(b.now) + 1);
    for (a, b) in [(a, b), (b, a)] {
        let mut merged = a.clone();
        merged.room.merge(b.room.clone(), &a.config, now).unwrap();
        merged.room.changes().for_each(|change| merged.mirror.apply(&change));
        assert_eq!(merged.seen(), listing(&[&a.log, &b.log]));
        assert_eq!(merged.mirror, merged.room.view().into_iter().collect());
    }
}

/// Pauses after which ends meet the edges of junk times, less the skew.
fn pause() -> impl Strategy<Value = u64> {
    let edges = [0, 0, 0, 0, 1, 1, 50, 99, 100, 2_500, 4_900, 4_999, 5_000, 5_001];
    prop_oneof![4 => prop::sample::select(edges.to_vec()), 1 => 0..3_000_u64]
}

fn step(told: impl Strategy<Value = Told>) -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        10 => told.prop_map(Step::Told),
        1 => Just(Step::Create),
        2 => Just(Step::End),
        1 => Just(Step::Sweep),
    ];
    (pause(), step)
}

fn callbacks(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u64, Step)>> {
    prop::collection::vec(step(junk_callback().prop_map(Told::Heard)), range)
}

fn anything(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u64, Step)>> {
    prop::collection::vec(step(junk(SKEW)), range)
}

const START: u64 = BASE + SKEW;

proptest! {
    #![proptest_config(properties(600))]

    /// Holds laws 4.5, 4.7, 6.3, 6.4, 6.5 and 6.8.
    #[test]
    fn whatever_is_heard_before_and_after_ends_shows_as_the_log_says(steps in callbacks(0..16)) {
        play(&steps);
    }

    /// Holds laws 6.4, 16.3 and 21.4.
    #[test]
    fn whatever_is_heard_and_seen_before_and_after_ends_shows_as_the_log_says(
        steps in anything(0..16),
    ) {
        play(&steps);
    }
}

proptest! {
    #![proptest_config(properties(40))]

    /// Holds laws 6.8 and 21.4.
    #[test]
    fn a_long_log_with_ends_shows_as_it_says(steps in anything(40..70)) {
        play(&steps);
    }
}

proptest! {
    #![proptest_config(properties(400))]

    /// Holds laws 6.8, 7.5 and 16.3.
    #[test]
    fn replicas_that_end_and_hear_apart_show_what_their_logs_say_together(
        both in anything(0..4),
        one in anything(0..10),
        other in anything(0..10),
    ) {
        let both = play(&both);
        let [mut a, mut b] = [both.clone(), both];
        a.play(&one);
        b.play(&other);
        check_merged(&a, &b);
    }
}

/// Holds laws 6.3, 6.4 and 6.8.
#[test]
fn every_order_of_a_short_log_with_ends_shows_as_it_says() {
    let saw = |q| observed_at(BASE + q + SKEW).users([present_user("tom")]);
    let saw_7 = |q| saw(q).session_id(SessionId::new("7").unwrap()).open(true);
    let sets = [
        // A session that opens shortly before an end, all of which may come late.
        vec![create(7, 0), login(7, 1, 10), logout(7, 1, 10, 20), close(7, 50), Step::End],
        vec![login(7, 1, 10), login(7, 2, 30), Step::Create, Step::End, Step::Sweep, create(7, 20)],
        // One before an end, and one after it.
        vec![
            Step::Create,
            create(7, 0),
            login(7, 1, 10),
            Step::End,
            create(8, 30),
            login(8, 2, 30),
        ],
        vec![create(7, 0), close(7, 15), Step::End, create(8, 20), close(8, 40), login(9, 1, 45)],
        // A callback that tells of an opening long before.
        vec![create(7, 20), login(8, 1, 30), Step::End, login(7, 2, 20), logout(8, 1, 10, 40)],
        vec![create(7, 5_030), login(7, 1, 20), create(8, 5_040), close(8, 5_050), Step::End],
        // Two ends, and two creations.
        vec![Step::End, create(7, 0), Step::End, login(8, 1, 20), Step::Create, Step::Create],
        vec![Step::Create, Step::End, create(7, 0), create(8, 50), Step::End, close(8, 60)],
        // Streams.
        vec![publish(7, 1, 10), unpublish(7, 2, 30), Step::End, create(7, 20), publish(8, 1, 25)],
        // A session with a name beside those without.
        vec![
            login(0, 1, 10),
            create(7, 20),
            Step::End,
            login(0, 2, 30),
            close(0, 140),
            Step::Create,
        ],
        vec![
            login(0, 1, 10),
            publish(0, 1, 20),
            Step::End,
            login(0, 2, 30),
            Step::End,
            Step::Sweep,
        ],
        // Observations beside callbacks.
        vec![create(7, 0), seen(saw(10)), Step::End, seen(saw(10)), close(7, 20), seen(saw(30))],
        vec![seen(saw_7(10)), Step::End, login(7, 1, 10), seen(saw_7(30)), Step::Create],
    ];
    for set in sets {
        for order in permutations(set.len()) {
            for pause in [0, 1, 10, 2_510] {
                let mut played = Played::new(None, START);
                for index in &order {
                    played.step(pause, &set[*index]);
                }
            }
        }
    }
}

/// Holds laws 6.4 and 6.8.
#[test]
fn long_histories_shuffled_and_repeated_with_ends_between_show_as_the_log_says() {
    for seed in seeds(8) {
        let options =
            Options { callbacks: 100, skew: 50, without_login_time: 30, ..Options::default() };
        let history = valid_history(seed, options);
        let start = history[0].latest_time().as_millis();
        let span = history[history.len() - 1].latest_time().as_millis() - start;
        let mut rng = Rng::new(seed);
        let mut played = Played::new(None, start);
        for callback in as_it_arrives(&history, seed, 20) {
            command(&mut played, 0, true, &mut rng);
            let pause = rng.below(2 * span / history.len() as u64);
            played.step(pause, &Step::Told(Told::Heard(callback)));
        }
    }
}

/// Now and then ends or creates the room, or does what is due.
fn command(played: &mut Played, pause: u64, creates: bool, rng: &mut Rng) {
    let step = match rng.below(20) {
        0 | 1 => Step::End,
        2 if creates => Step::Create,
        3..6 => Step::Sweep,
        _ => return,
    };
    played.step(pause, &step);
}

/// Plays a history that arrives within the retention, with ends and silences between, in a room that
/// forgets, and that may be created. Returns how often something was hidden, and how often all was
/// forgotten.
fn play_and_forget(history: &[Callback], creates: bool, seed: u64) -> [usize; 2] {
    let mut rng = Rng::new(seed);
    let mut arrivals = Vec::new();
    for callback in history {
        for _ in 0..=u64::from(rng.chance(20)) {
            let delay =
                if rng.chance(70) { rng.below(1_000) } else { rng.below(RETENTION - 1_000) };
            arrivals.push((callback.latest_time().as_millis() + delay, callback));
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    let mut played = Played::new(Some(RETENTION), arrivals[0].0);
    let [mut hidden, mut forgotten] = [0; 2];
    for (at, callback) in arrivals {
        for _ in 0..2 {
            // An end shortly after something outlives it by less than the skew.
            let longest = (at - played.now).min(if rng.chance(50) { 1_000 } else { u64::MAX });
            let pause = rng.below(longest.saturating_add(1));
            command(&mut played, pause, creates, &mut rng);
        }
        let due_at = played.log.ended_at().map(|ended_at| ended_at + RETENTION + 1);
        if let Some(due_at) = due_at.filter(|due_at| (played.now..=at).contains(due_at)) {
            played.step(due_at - played.now, &Step::Sweep); // just when the end is to be forgotten
        }
        let pause = at - played.now;
        let known = played.log.told_count();
        played.step(pause, &Step::Told(Told::Heard(callback.clone())));
        hidden += usize::from(played.log.hides_something());
        forgotten += usize::from(known > 0 && played.log.told_count() == 1);
    }
    // After a silence, only what readers see is left.
    played.step(3 * RETENTION, &Step::Sweep);
    assert_eq!(played.room.is_forgotten(), played.seen().is_none());
    [hidden, forgotten]
}

/// Plays such histories, each changed before, and sees that they hide and forget something.
pub(super) fn check_what_ends_hide(
    closings: u64,
    creates: bool,
    first_seed: u64,
    change: impl Fn(&mut Callback),
) {
    let [mut hidden, mut forgotten] = [0; 2];
    for seed in seeds(20) {
        let options = Options {
            callbacks: 50,
            skew: 50 * (seed % 2),
            without_login_time: 30,
            closings,
            max_gap: [5_000, 40_000, 150_000][usize::try_from(seed % 3).unwrap()],
            ..Options::default()
        };
        let mut history = valid_history(first_seed + seed, options);
        history.iter_mut().for_each(&change);
        let counts = play_and_forget(&history, creates, seed);
        hidden += counts[0];
        forgotten += counts[1];
    }
    assert!(hidden > times(20) as usize && forgotten > times(5) as usize, "{hidden}, {forgotten}");
}

/// Holds laws 5.1, 5.7 and 6.8.
#[test]
fn what_an_end_hides_stays_hidden_in_a_room_that_forgets() {
    check_what_ends_hide(4, true, 0, |_| {});
}

/// When the hand-picked sets happen.
const BASE: u64 = 1_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BASE + millis)
}

/// Of session 0 nobody tells the name.
fn heard(session: u64, event: impl Into<CallbackEvent>) -> Step {
    let id = (session > 0).then(|| SessionId::new(session.to_string()).unwrap());
    Step::Told(Told::Heard(Callback::new(room_id(), id, event)))
}

fn seen(observation: room_registry::Observation) -> Step {
    Step::Told(Told::Saw(observation))
}

fn create(session: u64, millis: u64) -> Step {
    heard(session, RoomCreated::new(at(millis)))
}

fn close(session: u64, millis: u64) -> Step {
    heard(session, RoomClosed::new(at(millis)))
}

fn login(session: u64, stay: u64, millis: u64) -> Step {
    let stay_id = UserSessionId::new(stay.to_string()).unwrap();
    let login = UserLoggedIn::new(UserId::new("tom").unwrap(), at(millis));
    heard(session, login.user_session_id(stay_id).counter(stay))
}

fn logout(session: u64, stay: u64, since: u64, millis: u64) -> Step {
    let stay_id = UserSessionId::new(stay.to_string()).unwrap();
    let logout = UserLoggedOut::new(UserId::new("tom").unwrap(), at(millis));
    heard(session, logout.user_session_id(stay_id).login_at(at(since)))
}

fn publish(session: u64, order: u64, millis: u64) -> Step {
    let id = StreamId::new("camera").unwrap();
    let stay_id = StreamSessionId::new("s-1").unwrap();
    heard(session, StreamCreated::new(id, at(millis)).stream_session_id(stay_id).order(order))
}

fn unpublish(session: u64, order: u64, millis: u64) -> Step {
    let id = StreamId::new("camera").unwrap();
    let stay_id = StreamSessionId::new("s-1").unwrap();
    heard(session, StreamClosed::new(id, at(millis)).stream_session_id(stay_id).order(order))
}
