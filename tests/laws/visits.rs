//! Visits, against a slow model that looks at all arrivals at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{CallbackEvent, LogoutReason, RoomClosed, UserLoggedIn, UserLoggedOut};
use room_registry::journal::Input;
use room_registry::{
    Callback, Clock, Config, EndReason, Facet, ManualClock, RoomId, RoomRegistry, SessionId,
    Timestamp, UserId, UserSessionId, Visit, Visits,
};
use room_registry_world::effort::{properties, seeds};
use room_registry_world::inputs::input;
use room_registry_world::rng::Rng;

const SKEW: u64 = 5_000;
const RETENTION: u64 = 60_000;
/// How long signs of loss wait: longer than the clock skew, or not.
const LONG: u64 = 20_000;
const SHORT: u64 = 1_000;
const START: u64 = 100_000_000;
const HOUR: u64 = 3_600_000;
const LONGEST_STAY: u64 = HOUR;

fn config(report_after: u64) -> Config {
    let config = Config::builder()
        .clock_skew(Duration::from_millis(SKEW))
        .retention(Some(Duration::from_millis(RETENTION)))
        .report_after(Duration::from_millis(report_after));
    config.build().unwrap()
}

/// Who is there, and until when, in truth.
#[derive(Debug, Clone)]
struct Stay {
    room: u64,
    session: u64,
    user: u64,
    life: u64,
    from: u64,
    /// `None` if the logout is lost.
    to: Option<u64>,
    tells_login: bool,
}

#[derive(Debug, Clone)]
struct Session {
    room: u64,
    number: u64,
    closed_at: u64,
}

/// What callbacks tell the stays of one user apart by, beside when they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Each stay has an id of its own.
    Ids,
    /// An order decides. An id names the user's connection, and comes again.
    Orders,
    /// They have neither.
    Nothing,
}

/// A history, and what arrives of it at local times.
#[derive(Debug)]
struct Evening {
    names: Names,
    /// Whether callbacks name the session.
    names_sessions: bool,
    report_after: u64,
    stays: Vec<Stay>,
    sessions: Vec<Session>,
    arrivals: Vec<(u64, Arrival)>,
}

/// What arrives: of which stay or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Login(usize),
    Logout(usize),
    Close(usize),
}

impl Evening {
    /// Nothing arrives for the first time later than `latest` after it happened. Everything may be
    /// repeated, also hours later.
    fn new(seed: u64, latest: u64, report_after: u64) -> Self {
        let mut rng = Rng::new(seed);
        let names = [Names::Ids, Names::Orders, Names::Nothing];
        let names = names[usize::try_from(rng.below(3)).unwrap()];
        let names_sessions = rng.chance(70);
        let (mut stays, mut sessions) = (Vec::<Stay>::new(), Vec::new());
        let mut now = START;
        for session in 0..=rng.below(5) {
            let (opened_at, closed_at) = (now, now + 1_000 + rng.below(120_000));
            let room = rng.below(2);
            for _ in 0..rng.below(12) {
                let from = opened_at + rng.below(closed_at - opened_at);
                let to = from + rng.below(closed_at + SKEW - from);
                let user = rng.below(3);
                let is_same = |held: &Stay| (held.room, held.user, held.from) == (room, user, from);
                if names != Names::Ids && stays.iter().any(is_same) {
                    continue; // nothing would tell the two apart
                }
                stays.push(Stay {
                    room,
                    session,
                    user,
                    life: stays.len() as u64,
                    from,
                    to: rng.chance(80).then_some(to),
                    tells_login: rng.chance(50),
                });
            }
            sessions.push(Session { room, number: session, closed_at });
            now = closed_at + rng.below(60_000);
        }
        let mut arrivals = Vec::new();
        let mut arrive = |at: u64, what: Arrival| {
            let first = at + if rng.chance(30) { rng.below(100) } else { rng.below(latest) };
            arrivals.push((first, what));
            for _ in 0..rng.below(4) {
                let again = match rng.below(3) {
                    0 => first + rng.below(RETENTION),
                    1 => at + RETENTION + rng.below(3 * SKEW), // when it is about to be forgotten
                    _ => first + rng.below(5 * HOUR),
                };
                arrivals.push((again.max(first), what));
            }
        };
        for (index, stay) in stays.iter().enumerate() {
            arrive(stay.from, Arrival::Login(index));
            stay.to.into_iter().for_each(|to| arrive(to, Arrival::Logout(index)));
        }
        for (index, session) in sessions.iter().enumerate() {
            arrive(session.closed_at, Arrival::Close(index));
        }
        rng.shuffle(&mut arrivals);
        arrivals.sort_by_key(|(at, _)| *at);
        Self { names, names_sessions, report_after, stays, sessions, arrivals }
    }

    fn input(&self, arrival: Arrival) -> Input {
        let at = Timestamp::from_millis;
        let id = |number: u64| number.to_string();
        let callback = |room: u64, session: u64, event: CallbackEvent| {
            let session_id = self.names_sessions.then(|| SessionId::new(id(session)).unwrap());
            Callback::new(RoomId::new(id(room)).unwrap(), session_id, event)
        };
        let named = |stay: &Stay| match self.names {
            Names::Ids => (Some(UserSessionId::new(id(stay.life)).unwrap()), None),
            Names::Orders => (Some(UserSessionId::new("1").unwrap()), Some(stay.from)),
            Names::Nothing => (None, None),
        };
        let (Arrival::Login(index) | Arrival::Logout(index) | Arrival::Close(index)) = arrival;
        let event = match arrival {
            Arrival::Close(_) => {
                let Session { room, number, closed_at } = self.sessions[index];
                return callback(room, number, RoomClosed::new(at(closed_at)).into()).into();
            }
            Arrival::Login(_) => {
                let Stay { user, from, .. } = self.stays[index];
                let mut event = UserLoggedIn::new(UserId::new(id(user)).unwrap(), at(from));
                (event.user_session_id, event.order) = named(&self.stays[index]);
                event.into()
            }
            Arrival::Logout(_) => {
                let Stay { user, from, to, tells_login, .. } = self.stays[index];
                let to = at(to.expect("only such a logout arrives"));
                let mut event = UserLoggedOut::new(UserId::new(id(user)).unwrap(), to);
                (event.user_session_id, event.order) = named(&self.stays[index]);
                event.login_at = tells_login.then_some(at(from));
                event.reason = Some(LogoutReason::Other(index.to_string().into()));
                event.into()
            }
        };
        callback(self.stays[index].room, self.stays[index].session, event).into()
    }

    fn first(&self, what: Arrival) -> Option<u64> {
        self.arrivals.iter().find(|(_, arrival)| *arrival == what).map(|(at, _)| *at)
    }

    /// Returns when each stay is to be told, until when it lasted, and why it ended. Not all are told.
    fn expected(&self) -> BTreeMap<usize, (u64, u64, EndReason)> {
        let told = self.stays.iter().enumerate().filter_map(|(index, stay)| {
            let logout = self.first(Arrival::Logout(index));
            if self.names != Names::Ids && !stay.tells_login {
                return None; // nothing says which login ends
            }
            let by_logout = |told_at: u64| {
                let reason = LogoutReason::Other(index.to_string().into());
                (index, (told_at, stay.to.unwrap(), EndReason::LoggedOut(Some(reason))))
            };
            if self.names != Names::Ids {
                return logout.map(by_logout); // its login says nothing
            }
            let login = self.first(Arrival::Login(index)).expect("each login arrives");
            let from =
                logout.filter(|_| stay.tells_login).map_or(login, |logout| logout.min(login));
            let session = self.sessions.iter().position(|held| held.number == stay.session);
            let session = session.expect("each stay has a session");
            let close = self.first(Arrival::Close(session)).expect("each close arrives");
            // A close without a session ends no visit.
            let counts_at = self.names_sessions.then_some(close.max(from) + self.report_after + 1);
            match (logout, counts_at) {
                (Some(logout), _) if counts_at.is_none_or(|counts_at| logout < counts_at) => {
                    Some(by_logout(logout.max(from)))
                }
                (_, Some(counts_at)) => {
                    let to = self.sessions[session].closed_at;
                    Some((index, (counts_at, to, EndReason::RoomClosed)))
                }
                (_, None) => None,
            }
        });
        told.collect()
    }
}

/// Asks for what is due whenever something is, until an instant.
fn ask(visits: &mut Visits, until: u64) -> Vec<(u64, Visit)> {
    let mut told = Vec::new();
    while let Some(due) = visits.next_due().filter(|due| due.as_millis() <= until) {
        let made = visits.take_due(due);
        let next = visits.next_due();
        assert!(next.is_none_or(|next| next > due), "nothing is left due");
        told.extend(made.into_iter().map(|visit| (due.as_millis(), visit)));
    }
    told
}

/// Lets all arrive. Returns what is told, with the time of the call.
fn follow(evening: &Evening, asks: bool, is_stored: bool) -> Vec<(u64, Visit)> {
    let mut visits = Visits::new(&config(evening.report_after))
        .longest_stay(Duration::from_millis(LONGEST_STAY));
    let expected = evening.expected();
    let mut told = Vec::new();
    for (at, arrival) in &evening.arrivals {
        if asks {
            told.extend(ask(&mut visits, *at));
        }
        let now = Timestamp::from_millis(*at);
        let made = visits.apply(&evening.input(*arrival), now);
        told.extend(made.into_iter().map(|visit| (*at, visit)));
        if is_stored {
            let stored = serde_json::to_string(&visits).unwrap();
            let read: Visits = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, visits);
            visits = read;
        }
        // What is held is not told yet, or was heard of or told not long ago.
        let span = RETENTION + 2 * SKEW + evening.report_after + 2;
        let stays = (0..evening.stays.len()).filter(|index| {
            let heard = evening.first(Arrival::Login(*index)).into_iter();
            let heard = heard.chain(evening.first(Arrival::Logout(*index))).min();
            let heard = heard.expect("each login arrives");
            let until = match expected.get(index) {
                Some((told_at, to, _)) => told_at.max(to) + span,
                None if evening.names == Names::Ids => heard + LONGEST_STAY,
                None => return false,
            };
            heard <= *at && until >= *at
        });
        let closes = (0..evening.sessions.len()).filter(|index| {
            let heard = evening.first(Arrival::Close(*index)).unwrap();
            evening.names_sessions && heard <= *at && heard + span >= *at
        });
        assert!(visits.held_count() <= stays.count() + closes.count(), "at {at}");
    }
    let end = Timestamp::from_millis(START + 24 * HOUR);
    if asks {
        told.extend(ask(&mut visits, end.as_millis()));
    }
    told.extend(visits.take_due(end).into_iter().map(|visit| (end.as_millis(), visit)));
    assert_eq!((visits.held_count(), visits.next_due()), (0, None));
    told
}

fn check(evening: &Evening, told: &[(u64, Visit)], is_timely: bool) {
    let mut expected = evening.expected();
    for (at, visit) in told {
        // Without an id, a visit has the number of its stay in the reason of its logout alone.
        let life = match (&visit.user_session_id, &visit.reason) {
            (Some(life), _) => life.as_str(),
            (None, EndReason::LoggedOut(Some(LogoutReason::Other(index)))) => index,
            (None, reason) => panic!("{reason:?} ends what has no id"),
        };
        let life = life.parse().unwrap();
        let (told_at, to, reason) = expected.remove(&life).expect("told once");
        let stay = &evening.stays[life];
        assert_eq!(visit.user_session_id.is_some(), evening.names == Names::Ids);
        assert!(!is_timely || *at == told_at, "{visit:?} at {at} and not at {told_at}");
        assert_eq!((visit.from.as_millis(), visit.to.as_millis()), (stay.from, to.max(stay.from)));
        assert_eq!((&visit.reason, visit.facet), (&reason, Facet::Login));
        assert_eq!(visit.user_id.as_str(), stay.user.to_string());
        assert_eq!(visit.room_id.as_str(), stay.room.to_string());
        let session = evening.names_sessions.then(|| stay.session.to_string());
        assert_eq!(visit.session_id.as_ref().map(SessionId::as_str), session.as_deref());
    }
    assert!(expected.is_empty(), "missing: {expected:?}");
}

/// Holds laws 19.1, 19.2, 19.3, 19.4, 19.5 and 21.7.
#[test]
fn stays_in_any_order_repeated_and_repeated_hours_later_are_each_told_once() {
    for seed in seeds(400) {
        let evening = Evening::new(seed, RETENTION, if seed % 2 == 0 { LONG } else { SHORT });
        let asked = follow(&evening, true, false);
        check(&evening, &asked, true);
        let unasked = follow(&evening, false, false);
        check(&evening, &unasked, false);
        let visits = |told: Vec<(u64, Visit)>| told.into_iter().map(|(_, visit)| visit);
        assert!(visits(asked).eq(visits(unasked)), "asking makes no difference, seed {seed}");
    }
}

/// Holds law 19.2.
#[test]
fn stays_that_are_late_by_less_than_signs_of_loss_wait_are_told_as_they_were() {
    for seed in seeds(100) {
        let evening = Evening::new(seed, LONG - SKEW, LONG);
        for (index, (_, to, reason)) in evening.expected() {
            assert_eq!(evening.stays[index].to.is_none(), reason == EndReason::RoomClosed);
            assert!(evening.stays[index].to.is_none_or(|truth| truth == to));
        }
        check(&evening, &follow(&evening, false, false), false);
    }
}

/// Holds law 19.8.
#[test]
fn visits_that_were_stored_and_read_back_go_on_as_if_they_had_not() {
    for seed in seeds(20) {
        let evening = Evening::new(seed, RETENTION, LONG);
        assert_eq!(follow(&evening, true, true), follow(&evening, true, false));
    }
}

type Members = BTreeSet<(String, String, Timestamp)>;

fn members(registry: &RoomRegistry<ManualClock>) -> Members {
    let members = registry.rooms().flat_map(|room| {
        room.users().filter_map(move |user| {
            let since = user.membership()?.joined_at;
            Some((room.id().to_string(), user.id().to_string(), since))
        })
    });
    members.collect()
}

proptest! {
    #![proptest_config(properties(200))]

    /// Holds law 19.7.
    #[test]
    fn every_membership_that_readers_saw_is_told_once_when_it_ends(
        steps in prop::collection::vec((input(), 2..40_000_u64), 0..80),
    ) {
        let clock = ManualClock::at(Timestamp::from_millis(1_004_000));
        let config = Config::builder().heartbeat_timeout(Duration::from_secs(60)).build().unwrap();
        let mut registry = RoomRegistry::with_clock(config, clock.clone());
        let mut visits = Visits::new(registry.config());
        let mut before = Members::new();
        for (input, pause) in steps {
            clock.advance(Duration::from_millis(pause));
            let _may_be_refused = registry.apply_input(&input);
            let now = clock.now();
            let told = registry.changes().flat_map(|change| visits.follow(&change, now));
            let told: Vec<_> = told.collect();
            let after = members(&registry);
            let ended: Members = before.difference(&after).cloned().collect();
            let key = |visit: &Visit| {
                (visit.room_id.to_string(), visit.user_id.to_string(), visit.from)
            };
            prop_assert_eq!(told.iter().map(key).collect::<Members>(), ended);
            prop_assert_eq!(visits.held_count(), after.len());
            for visit in &told {
                prop_assert_eq!(visit.facet, Facet::Membership);
                prop_assert!(visit.from <= visit.to && visit.to <= now);
            }
            before = after;
        }
    }
}
