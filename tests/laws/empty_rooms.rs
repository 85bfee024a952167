//! How long an empty room is listed, against a slow model beside a registry that lists it for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use room_registry::{Config, NewRoom, Role, Room, RoomRef, SessionId, Timestamp};
use room_registry_world::effort::properties;
use room_registry_world::history::room_id;
use room_registry_world::junk::junk;
use room_registry_world::repair_view::sight_of;
use room_registry_world::sightings::Told;

const LISTED: u64 = 20;

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most steps are of this kind")]
enum Step {
    Told(Told),
    Create,
    End,
    Expire,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        12 => junk(5_000).prop_map(Step::Told),
        1 => Just(Step::Create),
        1 => Just(Step::End),
        6 => Just(Step::Expire),
    ];
    (0..12_u64, step)
}

/// Since when each session that readers saw is empty, and whether the room left the list for that.
#[derive(Default)]
struct Model {
    empty: BTreeMap<Option<SessionId>, (u64, bool)>,
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
}

/// The session that readers see, and whether anybody who counts or anything is in the room.
fn shown(room: RoomRef<'_>) -> Option<(Option<SessionId>, bool)> {
    let id = room.session()?.session_id.clone();
    Some((id, room.user_count() > 0 || room.stream_count() > 0))
}

proptest! {
    #![proptest_config(properties(600))]

    /// Holds law 4.10.
    #[test]
    fn an_empty_room_is_listed_for_the_time_that_is_set(
        steps in prop::collection::vec(step(), 0..40),
        uncounted in any::<bool>(),
        inferred in any::<bool>(),
        empty_means_closed in any::<bool>(),
    ) {
        let config = |listed: Option<u64>| {
            let roles = if uncounted { vec![Role::HOST] } else { vec![] };
            Config::builder()
                .retention(None)
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
        let mut model = Model::default();
        let mut now = 1_020_000;
        for (pause, step) in steps {
            now += pause;
            let at = Timestamp::from_millis(now);
            match step {
                Step::Told(told) => {
                    told.to(&mut whole, &ever, at);
                    told.to(&mut room, &bounded, at);
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
                },
                Step::Expire => {
                    whole.expire(&ever, at).unwrap();
                    model.see(&whole, now);
                    let unlisted = model.expire(&whole, now);
                    prop_assert_eq!(room.expire(&bounded, at).unwrap().unlisted, unlisted);
                }
            }
            model.see(&whole, now);
            if model.lists(&whole) {
                prop_assert_eq!(sight_of(room.view()), sight_of(whole.view()));
                prop_assert_eq!(room.view().is_some(), whole.view().is_some());
            } else {
                prop_assert!(room.view().is_none());
            }
        }
    }
}
