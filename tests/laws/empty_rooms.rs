//! How long an empty room is listed, against a slow model beside a registry that lists it for ever.
//!
//! With a retention, eras of half a second follow each other, with a silence between two. What is told late is
//! of the era before. The registry that lists the room for ever never forgets the session that is empty.
//! So the model says when the other one does, and what is told later is told to a new room beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::event::{CallbackEvent, RoomCreated};
use room_registry::{
    Callback, Config, NewRoom, Outcome, Role, Room, RoomRef, SessionId, Timestamp,
};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;
use room_registry_world::junk::{junk, junk_time};
use room_registry_world::observations::{Told, observed_at};
use room_registry_world::repair_view::visible_session_of;

const LISTED: u64 = 20;
const CLOCK_SKEW: u64 = 5_000;
/// Longer than what an era tells is old.
const RETENTION: u64 = 30_000;
/// After it nothing of the era before is new.
const SILENCE: u64 = 2 * RETENTION;

#[derive(Debug, Clone)]
enum Step {
    Told(Told),
    /// What belongs to the era before.
    ToldLate(Told),
    Create,
    End,
    Expire,
    Silence,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        12 => junk(CLOCK_SKEW).prop_map(Step::Told),
        3 => junk(CLOCK_SKEW).prop_map(Step::ToldLate),
        1 => Just(Step::Create),
        1 => Just(Step::End),
        6 => Just(Step::Expire),
        2 => Just(Step::Silence),
    ];
    (0..12_u64, step)
}

/// A room in which little happens. So it is mostly empty, and its sessions are forgotten.
fn quiet_step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        2 => junk(CLOCK_SKEW).prop_map(Step::Told),
        2 => seen_empty().prop_map(Step::Told),
        2 => created().prop_map(Step::Told),
        3 => created().prop_map(Step::ToldLate),
        6 => Just(Step::Expire),
        2 => Just(Step::Silence),
    ];
    (0..25_u64, step)
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    prop_oneof![prop::collection::vec(step(), 0..40), prop::collection::vec(quiet_step(), 0..40),]
}

/// A session that is open and empty. It shows also if no creation of it came.
fn seen_empty() -> impl Strategy<Value = Told> {
    (junk_time(), session()).prop_map(|(at, session)| {
        let seen = observed_at(at + CLOCK_SKEW).session_id(session).open(true);
        Told::Saw(seen.users([]).streams([]))
    })
}

fn created() -> impl Strategy<Value = Told> {
    (junk_time(), session()).prop_map(|(at, session)| {
        let created = RoomCreated::new(Timestamp::from_millis(at));
        Told::Heard(Callback::new(room_id(), session, created))
    })
}

fn session() -> impl Strategy<Value = SessionId> {
    prop::sample::select(vec!["7", "8", "10"]).prop_map(|id| SessionId::new(id).unwrap())
}

/// Since when each session that readers saw is empty, and whether the room left the list for that.
#[derive(Default)]
struct Model {
    empty: BTreeMap<Option<SessionId>, (u64, bool)>,
    retention: Option<u64>,
    /// When anything of the room last changed.
    changed: u64,
}

impl Model {
    fn see(&mut self, room: &Room, now: u64) {
        let info = room.view().is_some_and(|room| room.info().is_some());
        let visible = room.view().and_then(shown);
        let is_visible = |id: &Option<SessionId>| visible.as_ref().is_some_and(|(at, _)| at == id);
        self.empty.retain(|id, _| !info && is_visible(id));
        match visible {
            Some((id, false)) if !info => {
                self.empty.entry(id).or_insert((now, false));
            }
            Some((id, _)) => {
                self.empty.remove(&id);
            }
            None => {}
        }
    }

    fn expire(&mut self, room: &Room, now: u64) -> usize {
        let Some((id, false)) = room.view().and_then(shown) else { return 0 };
        match self.empty.get_mut(&id) {
            Some((since, unlisted @ false)) if *since + LISTED <= now => {
                *unlisted = true;
                1
            }
            _ => 0,
        }
    }

    fn lists(&self, room: &Room) -> bool {
        let Some(view) = room.view() else { return false };
        let unlisted = |id| self.empty.get(&id).is_some_and(|(_, unlisted)| *unlisted);
        view.info().is_some() || shown(view).is_some_and(|(id, full)| full || !unlisted(id))
    }

    /// Whether the room left the list because it was empty.
    fn unlists(&self, room: &Room) -> bool {
        room.view().is_some() && !self.lists(room)
    }

    /// Nobody sees the session, so it is forgotten with all the rest once nothing of it is new.
    fn forgets(&self, room: &Room, now: u64) -> bool {
        let threshold = self.retention.map(|retention| now - retention - CLOCK_SKEW);
        self.unlists(room) && threshold.is_some_and(|threshold| self.changed < threshold)
    }

    /// Nobody sees the session. So a creation of it that comes too late is not let in, unless one is known.
    fn refuses(&self, room: &Room, told: &Told, now: u64) -> bool {
        let Told::Heard(Callback { event: CallbackEvent::RoomCreated(event), session_id, .. }) =
            told
        else {
            return false;
        };
        let session = room.view().and_then(RoomRef::session);
        let is_of_it = session.is_some_and(|it| it.inferred && it.session_id == *session_id);
        let is_old = self.retention.is_some_and(|span| event.created_at.as_millis() < now - span);
        session_id.is_some() && is_old && is_of_it && self.unlists(room)
    }
}

/// The session that readers see, and whether anybody who counts or anything is in the room.
fn shown(room: RoomRef<'_>) -> Option<(Option<SessionId>, bool)> {
    let id = room.session()?.session_id.clone();
    Some((id, room.user_count() > 0 || room.stream_count() > 0))
}

/// Whether something of it may be stored. The creation of a session without a name states no fact.
fn changes(outcome: Outcome, told: &Told) -> bool {
    let states_nothing = matches!(
        told,
        Told::Heard(Callback { session_id: None, event: CallbackEvent::RoomCreated(_), .. })
    );
    matches!(outcome, Outcome::Applied | Outcome::Held) && !states_nothing
}

proptest! {
    #![proptest_config(properties(600))]

    /// Holds laws 4.10, 5.2 and 5.6.
    #[test]
    fn an_empty_room_is_listed_for_the_time_that_is_set(
        steps in steps(),
        retention in prop::sample::select(vec![None, Some(RETENTION)]),
        uncounted in any::<bool>(),
        inferred in any::<bool>(),
        empty_means_closed in any::<bool>(),
    ) {
        let config = |listed: Option<u64>| {
            let roles = if uncounted { vec![Role::HOST] } else { vec![] };
            Config::builder()
                .retention(retention.map(Duration::from_millis))
                .clock_skew(Duration::from_millis(CLOCK_SKEW))
                .infer_sessions(inferred)
                .empty_means_closed(empty_means_closed)
                .uncounted_roles(roles)
                .empty_listing_time(listed.map(Duration::from_millis))
                .build()
                .unwrap()
        };
        let (ever, bounded) = (config(None), config(Some(LISTED)));
        let mut whole = Room::new(room_id(), &ever);
        let mut room = Room::new(room_id(), &bounded);
        let mut model = Model { retention, ..Model::default() };
        let mut now = 1_020_000;
        let (mut era, mut era_before) = (Duration::ZERO, Duration::ZERO);
        for (pause, step) in steps {
            now += pause;
            let at = Timestamp::from_millis(now);
            let told_of = if matches!(step, Step::ToldLate(_)) { era_before } else { era };
            if !matches!(step, Step::Silence) && model.forgets(&whole, now) {
                whole = Room::new(room_id(), &ever);
                model.empty.clear();
            }
            match step {
                Step::Told(told) | Step::ToldLate(told) => {
                    let told = told.later(told_of);
                    let outcome = told.to(&mut room, &bounded, at);
                    if model.refuses(&whole, &told, now) {
                        prop_assert_eq!(outcome, Outcome::TooLate);
                    } else {
                        let is_too_late = told.to(&mut whole, &ever, at) == Outcome::TooLate;
                        prop_assert_eq!(outcome == Outcome::TooLate, is_too_late);
                    }
                    if changes(outcome, &told) {
                        model.changed = now;
                    }
                }
                Step::Create => {
                    let new = || NewRoom::new("room", "tom");
                    prop_assert_eq!(
                        whole.create(new(), &ever, at).is_ok(),
                        room.create(new(), &bounded, at).is_ok()
                    );
                }
                // Who is not listed cannot be ended, so only a created room is.
                Step::End => if whole.view().is_some_and(|room| room.info().is_some()) {
                    whole.end(&ever, at).unwrap();
                    room.end(&bounded, at).unwrap();
                    model.changed = now; // for forgetting, it counts as a fact of what it hides
                },
                Step::Expire => {
                    whole.expire(&ever, at).unwrap();
                    model.see(&whole, now);
                    let unlisted = model.expire(&whole, now);
                    prop_assert_eq!(room.expire(&bounded, at).unwrap().unlisted, unlisted);
                    if model.forgets(&whole, now) {
                        whole = Room::new(room_id(), &ever);
                        let stored = serde_json::to_value(&room).unwrap();
                        prop_assert_eq!(&stored["live"]["sessions"], &serde_json::json!([]));
                    }
                }
                Step::Silence => {
                    now += SILENCE;
                    (era, era_before) = (era + Duration::from_millis(SILENCE), era);
                    continue; // nobody looks
                }
            }
            model.see(&whole, now);
            if model.lists(&whole) {
                prop_assert_eq!(visible_session_of(room.view()), visible_session_of(whole.view()));
                prop_assert_eq!(room.view().is_some(), whole.view().is_some());
            } else {
                prop_assert!(room.view().is_none());
            }
        }
    }
}
