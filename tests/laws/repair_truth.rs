//! True observations beside valid histories, whole ones and such with losses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use room_registry::event::CallbackEvent;
use room_registry::{Callback, Config, Observation, Outcome, Room, RoomRef, SessionId, Timestamp};
use room_registry_world::effort::{seeds, times};
use room_registry_world::history::{Options, room_id, valid_history};
use room_registry_world::model::SessionKey;
use room_registry_world::observations::{Answers, Told, true_observation};
use room_registry_world::repair_model::{SeenStream, SeenUser, VisibleSession};
use room_registry_world::repair_view::{observed_of, visible_session_of};
use room_registry_world::rng::Rng;
use room_registry_world::truth::truth;
use room_registry_world::vendor::Vendor;
use room_registry_world::view::stored_of;

const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);
/// The default clock skew.
const SKEW: u64 = 5_000;
/// The default retention.
const RETENTION: u64 = 600_000;

/// Whether the room is open, and who and what is in it.
#[derive(Debug, PartialEq, Eq)]
struct Scene {
    is_open: bool,
    users: BTreeSet<String>,
    streams: BTreeSet<String>,
}

/// Nothing is lost, and the media server is asked now and then.
#[track_caller]
fn check_that_nothing_changes(seed: u64, history: &[Callback], context: &str) {
    let mut rng = Rng::new(seed);
    let answers = Answers { named: rng.chance(50), partly: rng.below(60) };
    let mut told = heard(history);
    for _ in 0..=rng.below(5) {
        told.push(Told::Saw(look(history, answers, &mut rng).1));
    }
    let room = room_told(&with_repeats(told, &mut rng), &config());
    let view = room.view();
    assert_eq!(scene(view), true_scene(history), "{context}");
    let session = truth(history).and_then(|truth| truth.session_id);
    assert_eq!(view.and_then(RoomRef::session_id), session.as_ref(), "{context}");
    // Everything is normal again: nothing is known by an observation alone.
    for user in view.into_iter().flat_map(RoomRef::users) {
        assert!(user.login().is_some(), "{context}");
    }
}

/// Holds law 16.8.
#[test]
fn true_observations_change_nothing_if_nothing_was_lost() {
    for (seed, history) in histories(80) {
        check_that_nothing_changes(seed, &history, &format!("seed {seed}"));
    }
}

/// Holds law 16.8.
#[test]
fn true_observations_change_nothing_if_nothing_of_any_vendor_was_lost() {
    for (vendor, seed) in Vendor::each_with_seeds(seeds(2)) {
        let history = history(seed, vendor);
        check_that_nothing_changes(seed, &history, &format!("seed {seed}, {vendor:?}"));
    }
}

/// Holds law 16.8.
#[test]
fn after_a_complete_true_observation_the_visible_state_is_the_truth_of_that_moment() {
    let config = config();
    let mut mended = 0;
    for (vendor, seed) in Vendor::each_with_seeds(seeds(16)) {
        let history = history(seed, vendor);
        let mut rng = Rng::new(seed);
        let answers = Answers { named: rng.chance(50), partly: 0 };
        let (moment, observation) = look(&history, answers, &mut rng);
        let told = &history[..moment];
        let (arrived, lost) = with_losses(told, &observation, 1 + seed % 60, &mut rng);
        if lost.is_empty() || is_beyond_one_look(&arrived, &lost, &observation) {
            continue;
        }
        let mut room = room_told(&shuffled(heard(&arrived), &mut rng), &config);
        let was_wrong = scene(room.view()) != true_scene(told);
        room.apply_observation(&observation, &config, NOW).unwrap();
        assert_eq!(scene(room.view()), true_scene(told), "seed {seed}, {vendor:?}, lost {lost:#?}");
        mended += u32::from(was_wrong);
    }
    assert!(mended > times(300), "losses do harm: {mended}");
}

/// Holds law 16.8.
#[test]
fn what_is_still_under_way_or_repeated_and_older_observations_do_no_harm() {
    let config = config();
    let mut checked = 0;
    for (vendor, seed) in Vendor::each_with_seeds(seeds(12)) {
        let history = history(seed, vendor);
        let mut rng = Rng::new(seed);
        let answers = Answers { named: rng.chance(50), partly: 0 };
        let (moment, observation) = look(&history, answers, &mut rng);
        let (arrived, lost) = with_losses(&history, &observation, 1 + seed % 60, &mut rng);
        if lost.is_empty() || is_beyond_one_look(&arrived, &lost, &observation) {
            continue;
        }
        let mut told = heard(&arrived);
        told.push(Told::Saw(observation.clone()));
        for _ in 0..rng.below(3) {
            let answers = Answers { named: rng.chance(50), partly: rng.below(60) };
            told.push(Told::Saw(look(&history[..moment], answers, &mut rng).1));
        }
        let room = room_told(&with_repeats(told.clone(), &mut rng), &config);
        checked += 1;
        assert_eq!(
            scene(room.view()),
            true_scene(&history),
            "seed {seed}, {vendor:?}, lost {lost:#?}"
        );
    }
    assert!(checked > times(500), "something is lost: {checked}");
}

/// Holds laws 1.3 and 1.4.
#[test]
fn nothing_seen_to_close_comes_back_and_after_a_silence_only_what_is_visible_is_stored() {
    // Nothing is reported here, which would be due as well, and empty rooms stay listed.
    let config = Config::builder().report_after(Duration::MAX).empty_listing_time(None);
    let config = config.build().unwrap();
    let mut present = 0;
    for (vendor, seed) in Vendor::each_with_seeds(seeds(2)) {
        let history = history(seed, vendor);
        let context = format!("seed {seed}, {vendor:?}");
        let mut room = Room::new(room_id(), &config);
        let mut known = Known::default();
        let mut now = Timestamp::MIN;
        for (at, told) in deliveries(&history, seed) {
            now = at;
            if told.to(&mut room, &config, now) != Outcome::TooLate {
                known.take(&told);
            }
            present += known
                .check(visible_session_of(room.view()).as_ref(), &format!("{context} at {at}"));
        }
        let visible = visible_session_of(room.view());
        room.expire(&config, Timestamp::from_millis(now.as_millis() + 2 * RETENTION)).unwrap();
        assert_eq!(visible_session_of(room.view()), visible, "{context}");
        assert_eq!(room.is_forgotten(), visible.is_none(), "{context}");
        assert_eq!(room.next_expiry(&config), None, "{context}: nothing is left to let go");
        let Some(visible) = visible else { continue };
        let (stored, observed) = (stored_of(&room), observed_of(&room));
        let is_shown = |id: &SessionKey| visible.session_id == *id;
        // Others were created in the same moment as the one that shows, and are not known to be closed. Or
        // nobody is in the current one, and the room is open in an unknown one (law 15.8).
        let others = stored.sessions.iter().filter(|(id, _)| !is_shown(id));
        let left: Vec<_> = others.filter(|(_, session)| session.create.is_none()).collect();
        assert!(left.len() <= usize::from(visible.session_id.is_none()), "{context}: {left:?}");
        let shown = || stored.sessions.iter().filter(|(id, _)| is_shown(id));
        let mut users = shown().flat_map(|(_, session)| session.users.keys());
        assert!(users.all(|id| visible.users.contains_key(id)), "{context}");
        let mut streams = shown().flat_map(|(_, session)| session.streams.keys());
        assert!(streams.all(|id| visible.streams.contains_key(id)), "{context}");
        // An entry stays for whom it shows, and for a login that would count in another session.
        let sessions = || stored.sessions.values();
        let mut users = observed.users.entries.keys();
        let is_held = |id| sessions().any(|session| session.users.contains_key(id));
        assert!(users.all(|id| visible.users.contains_key(id) || is_held(id)), "{context}");
        let mut streams = observed.streams.entries.keys();
        let is_held = |id| sessions().any(|session| session.streams.contains_key(id));
        assert!(streams.all(|id| visible.streams.contains_key(id) || is_held(id)), "{context}");
    }
    assert!(present > times(200) as usize, "some are known by observations alone: {present}");
}

/// What came in of a room: what closed, and who and what was seen when.
#[derive(Debug, Default)]
struct Known {
    closed_sessions: BTreeSet<SessionId>,
    /// Users and streams, each with the name of a stay.
    closed: BTreeSet<(String, String)>,
    /// The latest closing of each user and stream in each session.
    closings: BTreeMap<(String, Option<SessionId>), u64>,
    /// When each user and stream was last seen, with the session that the answer named.
    seen: BTreeMap<(String, Option<SessionId>), u64>,
}

impl Known {
    fn take(&mut self, told: &Told) {
        let callback = match told {
            Told::Heard(callback) => callback,
            Told::Saw(observation) => return self.take_observation(observation),
        };
        if let CallbackEvent::RoomClosed(_) = callback.event {
            self.closed_sessions.extend(callback.session_id.clone());
        }
        let Some(mark) = Mark::of(callback).filter(|mark| mark.closes) else { return };
        // Only an order tells which of two that began in one moment has closed, if they have no names.
        if mark.stay.is_some() || !mark.is_ordered {
            self.closed.extend(mark.opened_at.map(|at| (mark.of.clone(), name(mark.stay, at))));
        }
        let latest = self.closings.entry((mark.of, callback.session_id.clone())).or_default();
        *latest = callback.latest_time().as_millis().max(*latest);
    }

    fn take_observation(&mut self, observation: &Observation) {
        let users = observation.users.entries().iter().map(|user| user.user_id.to_string());
        let streams = observation.streams.entries().iter();
        for id in users.chain(streams.map(|stream| stream.stream_id.to_string())) {
            let latest = self.seen.entry((id, observation.session_id.clone())).or_default();
            *latest = counts_at(observation).max(*latest);
        }
    }

    /// Counts who and what is known by an observation alone.
    #[track_caller]
    fn check(&self, visible: Option<&VisibleSession>, context: &str) -> usize {
        let Some(visible) = visible else { return 0 };
        let is_back =
            visible.session_id.as_ref().is_some_and(|id| self.closed_sessions.contains(id));
        assert!(!is_back, "{context}: a session is back");
        let users = visible.users.iter().map(|(id, user)| match user {
            SeenUser::LoggedIn(seen) => (id.to_string(), Some(seen)),
            SeenUser::Present(_) => (id.to_string(), None),
        });
        let streams = visible.streams.iter().map(|(id, stream)| match stream {
            SeenStream::Published(seen) => (id.to_string(), Some(seen)),
            SeenStream::Present(_) => (id.to_string(), None),
        });
        let mut present = 0;
        for (id, seen) in users.chain(streams) {
            if let Some(seen) = seen {
                let stay = (id, name(seen.stay.clone(), seen.at));
                assert!(!self.closed.contains(&stay), "{context}: {stay:?} is back");
            } else {
                // Of whom an answer named in a session, a closing in another one says nothing (law 15.5).
                let counts = |named: Option<&SessionId>| {
                    let seen = self.seen.get(&(id.clone(), named.cloned()));
                    let closings = self.closings.iter().filter(|((of, session), _)| {
                        *of == id && (named.is_none() || session.as_ref() == named)
                    });
                    seen > closings.map(|(_, at)| at).max()
                };
                let is_seen = counts(None) || counts(visible.session_id.as_ref());
                assert!(is_seen, "{context}: {id}");
                present += 1;
            }
        }
        present
    }
}

/// The opening or closing of a stay.
struct Mark {
    /// Of which user or stream.
    of: String,
    stay: Option<String>,
    /// When the stay began, if that is told.
    opened_at: Option<u64>,
    closes: bool,
    is_ordered: bool,
    exclusive: bool,
}

impl Mark {
    fn of(callback: &Callback) -> Option<Self> {
        macro_rules! mark {
            ($event:ident, $id:ident, $stay:ident, $opened_at:expr, $closes:expr) => {
                Self {
                    of: $event.$id.to_string(),
                    stay: $event.$stay.as_ref().map(ToString::to_string),
                    opened_at: $opened_at.map(Timestamp::as_millis),
                    closes: $closes,
                    is_ordered: $event.order.is_some(),
                    exclusive: $event.exclusive,
                }
            };
        }
        Some(match &callback.event {
            CallbackEvent::UserLoggedIn(event) => {
                mark!(event, user_id, user_session_id, Some(event.login_at), false)
            }
            CallbackEvent::UserLoggedOut(event) => {
                mark!(event, user_id, user_session_id, event.login_at, true)
            }
            CallbackEvent::StreamCreated(event) => {
                mark!(event, stream_id, stream_session_id, Some(event.created_at), false)
            }
            CallbackEvent::StreamClosed(event) => {
                mark!(event, stream_id, stream_session_id, event.created_at, true)
            }
            _ => return None,
        })
    }
}

/// Names a stay of a user or stream: by its id, or else by when it began.
fn name(stay: Option<String>, opened_at: u64) -> String {
    stay.unwrap_or_else(|| format!("since {opened_at}"))
}

/// A history with losses and delays beside looks that are handed in early or late.
fn deliveries(history: &[Callback], seed: u64) -> Vec<(Timestamp, Told)> {
    let mut rng = Rng::new(seed);
    let longest = [5_000, RETENTION, 3 * RETENTION][usize::try_from(seed % 3).unwrap()];
    let delayed = |at: Timestamp, rng: &mut Rng| {
        let delay = if rng.chance(70) { rng.below(1_000) } else { rng.below(longest) };
        Timestamp::from_millis(at.as_millis() + delay)
    };
    let mut deliveries = Vec::new();
    for callback in history {
        for _ in 0..[0, 1, 1, 1, 2][usize::try_from(rng.below(5)).unwrap()] {
            let at = delayed(callback.latest_time(), &mut rng);
            deliveries.push((at, Told::Heard(callback.clone())));
        }
    }
    for _ in 0..rng.below(8) {
        let answers = Answers { named: rng.chance(30), partly: rng.below(60) };
        let observation = look(history, answers, &mut rng).1;
        deliveries.push((delayed(observation.observed_at, &mut rng), Told::Saw(observation)));
    }
    deliveries.sort_by_key(|(at, _)| *at);
    deliveries
}

fn config() -> Config {
    Config::builder().retention(None).build().unwrap()
}

fn histories(usual: u32) -> impl Iterator<Item = (u64, Vec<Callback>)> {
    seeds(usual).map(|seed| (seed, history(seed, Vendor::default())))
}

fn history(seed: u64, vendor: Vendor) -> Vec<Callback> {
    let options = Options {
        callbacks: 10 + usize::try_from(seed % 7).unwrap() * 12,
        skew: if seed.is_multiple_of(2) { 0 } else { 50 },
        without_login_time: 0,
        closings: if seed.is_multiple_of(4) { 20 } else { 5 },
        max_gap: [2_000, 8_000, 60_000][usize::try_from(seed % 3).unwrap()],
        vendor,
        ..Options::default()
    };
    valid_history(seed, options)
}

/// A look at the room at some moment: how much had been told until then, and what it showed.
fn look(history: &[Callback], answers: Answers, rng: &mut Rng) -> (usize, Observation) {
    let moment = 1 + usize::try_from(rng.below(history.len() as u64)).unwrap();
    (moment, true_observation(&history[..moment], history.get(moment), answers, rng))
}

/// When an observation counts as made.
fn counts_at(observation: &Observation) -> u64 {
    observation.observed_at.as_millis() - SKEW
}

/// Loses this share, in percent, of what is stamped before an observation counts as made.
fn with_losses(
    history: &[Callback],
    observation: &Observation,
    percent: u64,
    rng: &mut Rng,
) -> (Vec<Callback>, Vec<Callback>) {
    let until = counts_at(observation);
    let is_lost = |callback: &Callback| callback.latest_time().as_millis() < until;
    let (lost, arrived) =
        history.iter().cloned().partition(|callback| is_lost(callback) && rng.chance(percent));
    (arrived, lost)
}

/// Rare losses that wait for a further look.
fn is_beyond_one_look(arrived: &[Callback], lost: &[Callback], observation: &Observation) -> bool {
    let is_create = |callback: &&Callback| matches!(callback.event, CallbackEvent::RoomCreated(_));
    let is_close = |callback: &Callback| matches!(callback.event, CallbackEvent::RoomClosed(_));
    let has_lost_close = lost.iter().any(is_close);
    let at = |callback: &Callback| callback.latest_time().as_millis();
    // A session is heard of after the look, and its create is lost. Either it opened too soon after the
    // create of another one to be known for a later one without its own. Or only its close is heard of, and
    // that of the other one is lost, too.
    let is_overshadowed = lost.iter().filter(is_create).any(|create| {
        let session = arrived.iter().filter(|callback| callback.session_id == create.session_id);
        let mut heard = session.filter(|callback| at(callback) >= counts_at(observation));
        heard.any(|heard| {
            let mut others = arrived.iter().filter(is_create);
            let is_only_closed = has_lost_close && is_close(heard);
            others.any(|other| is_only_closed || at(heard) <= at(other) + SKEW)
        })
    });
    // Two sessions were created within the tie window, and the close of one is lost.
    let is_tied = arrived.iter().filter(is_create).any(|one| {
        let mut others = arrived.iter().filter(is_create);
        others.any(|other| one.session_id != other.session_id && at(one).abs_diff(at(other)) <= 100)
    });
    let marks = |callbacks: &[Callback]| callbacks.iter().filter_map(Mark::of).collect::<Vec<_>>();
    let (known, unknown) = (marks(arrived), marks(lost));
    // Two openings of one user or stream are within the tie window, and the first closing is lost.
    let is_ambiguous = unknown.iter().filter(|mark| mark.closes).any(|closing| {
        known.iter().chain(&unknown).filter(|mark| !mark.closes).any(|opening| {
            let apart = opening.opened_at.zip(closing.opened_at).map(|(a, b)| a.abs_diff(b));
            opening.of == closing.of
                && opening.stay != closing.stay
                && apart.is_some_and(|apart| apart <= 100)
        })
    });
    // Several stays share a user or stream. Something of one is lost, and another one closes after the look.
    // The close of the room may be what is lost of it.
    let ended = known.iter().filter(|mark| !mark.closes && has_lost_close);
    let is_shared = unknown.iter().chain(ended).filter(|mark| !mark.exclusive).any(|lost| {
        arrived.iter().filter(|callback| at(callback) >= counts_at(observation)).any(|later| {
            let closing = Mark::of(later).filter(|mark| mark.closes);
            closing.is_some_and(|closing| closing.of == lost.of && closing.stay != lost.stay)
        })
    });
    is_overshadowed || is_tied || is_ambiguous || is_shared
}

fn heard(callbacks: &[Callback]) -> Vec<Told> {
    callbacks.iter().cloned().map(Told::Heard).collect()
}

fn shuffled(mut told: Vec<Told>, rng: &mut Rng) -> Vec<Told> {
    rng.shuffle(&mut told);
    told
}

fn with_repeats(mut told: Vec<Told>, rng: &mut Rng) -> Vec<Told> {
    let repeats: Vec<_> = told.iter().filter(|_| rng.chance(30)).cloned().collect();
    told.extend(repeats);
    shuffled(told, rng)
}

fn room_told(told: &[Told], config: &Config) -> Room {
    let mut room = Room::new(room_id(), config);
    for told in told {
        told.to(&mut room, config, NOW);
    }
    room
}

fn scene(room: Option<RoomRef<'_>>) -> Scene {
    let users = room.into_iter().flat_map(RoomRef::users);
    let streams = room.into_iter().flat_map(RoomRef::streams);
    Scene {
        is_open: room.is_some(),
        users: users.map(|user| user.id().to_string()).collect(),
        streams: streams.map(|stream| stream.id().to_string()).collect(),
    }
}

fn true_scene(told: &[Callback]) -> Scene {
    let truth = truth(told);
    let users = truth.iter().flat_map(|truth| truth.users.keys());
    let streams = truth.iter().flat_map(|truth| truth.streams.keys());
    Scene {
        is_open: truth.is_some(),
        users: users.map(ToString::to_string).collect(),
        streams: streams.map(ToString::to_string).collect(),
    }
}
