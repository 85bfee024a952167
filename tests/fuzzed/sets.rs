//! Sets of callbacks and observations, applied in several orders.

use room_registry::{Callback, Config, ManualClock, Mirror, Observation, RoomRegistry};
use serde_json::Value;

use super::bytes::Bytes;
use super::callbacks::{ROOMS, callback, evening, observation};

#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
enum Input {
    Callback(Callback),
    Observation(Observation),
}

/// With an infinite retention, what is held and visible is a function of the set.
pub fn in_any_order(bytes: &mut Bytes<'_>) {
    let config = Config::builder()
        .retention(None)
        .infer_sessions(!bytes.one_in(4))
        .empty_means_closed(!bytes.one_in(4))
        .build()
        .expect("these settings fit");
    let now = evening().as_millis();
    let split = usize::from(bytes.byte());
    let mut inputs = Vec::new();
    while !bytes.is_empty() && inputs.len() < 32 {
        if bytes.one_in(4) {
            inputs.push(Input::Observation(observation(bytes, now)));
        } else {
            inputs.extend(callback(bytes, now).map(Input::Callback));
        }
    }
    let told = applied(&config, inputs.iter());
    let backwards = applied(&config, inputs.iter().rev());
    assert_same(&told, &backwards);
    let split = split % inputs.len().max(1);
    let repeated = inputs[split..].iter().chain(&inputs).chain(&inputs[..split]);
    assert_same(&told, &applied(&config, repeated));

    let mut merged = applied(&config, inputs[..split].iter());
    let other = applied(&config, inputs[split..].iter());
    for room_id in ROOMS {
        other.export(room_id).into_iter().for_each(|room| merged.import(room).expect("one config"));
    }
    assert_same(&told, &merged);
}

fn applied<'a, I: Iterator<Item = &'a Input>>(
    config: &Config,
    inputs: I,
) -> RoomRegistry<ManualClock> {
    let mut registry = RoomRegistry::with_clock(config.clone(), ManualClock::at(evening()));
    for input in inputs {
        match input {
            Input::Callback(callback) => drop(registry.apply_callback(callback)),
            // One that contradicts itself changes nothing.
            Input::Observation(seen) => drop(registry.apply_observation(seen)),
        }
    }
    registry
}

fn assert_same(one: &RoomRegistry<ManualClock>, other: &RoomRegistry<ManualClock>) {
    assert_eq!(one.rooms().collect::<Mirror>(), other.rooms().collect::<Mirror>());
    for room_id in ROOMS {
        assert_eq!(stored(one, room_id), stored(other, room_id), "{room_id}");
    }
}

/// What callbacks and observations made of the room, without what depends on the order of arrival. Left out
/// are the instants at which something was noticed, the evidence of losses, the first opening, and what was
/// found open.
fn stored(registry: &RoomRegistry<ManualClock>, room_id: &str) -> Value {
    let mut room = serde_json::to_value(registry.export(room_id)).expect("a room serialises");
    let mut live = room["live"].take();
    for session in live["sessions"].as_array_mut().into_iter().flatten() {
        session["evidence"].take();
        session["first_opening_at"].take(); // it goes with a session that a bound leaves empty
        for list in ["users", "streams"] {
            for stays in session[list].as_array_mut().into_iter().flatten() {
                stays["found_open_at"].take();
            }
        }
    }
    live
}
