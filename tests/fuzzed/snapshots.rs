//! Snapshots: any bytes, and real ones that were damaged.

use room_registry::{Config, ManualClock, RoomRegistry, Timestamp};
use serde_json::{Value, json};

use super::bytes::Bytes;
use super::callbacks::START;
use super::play::{self, Player};

type Registry = RoomRegistry<ManualClock>;

/// Restores what the bytes say. What is accepted is saved and restored again without a difference,
/// and is as good to go on with as any other.
///
/// What starts with a brace is JSON. Else the first byte says whether the rest is in a binary form, or
/// plays, saves, and damages what was saved.
pub fn snapshot(data: &[u8]) {
    let clock = ManualClock::at(Timestamp::from_millis(START));
    let mut config = Config::default();
    let (restored, mut rest) = match data.split_first() {
        None => return,
        Some((b'{', _)) => (from_json(&config, &clock, data), Bytes::new(&[])),
        Some((kind, rest)) if kind % 4 == 1 => {
            (from_binary(&config, &clock, rest), Bytes::new(&[]))
        }
        Some((kind, rest)) => {
            let mut bytes = Bytes::new(rest);
            config = play::config(&mut bytes);
            let mut player = Player::new(config.clone());
            let len = bytes.index(512);
            player.play(&mut Bytes::new(bytes.take(len)));
            let restored = if kind % 4 == 2 {
                let saved = player.registry().snapshot();
                let mut saved = postcard::to_allocvec(&saved).expect("a registry serialises");
                damage_bytes(&mut saved, &mut bytes);
                from_binary(&config, &clock, &saved)
            } else {
                let saved = player.registry().snapshot();
                let mut saved = serde_json::to_value(saved).expect("a registry serialises");
                damage(&mut saved, &mut bytes);
                RoomRegistry::restore(config.clone(), clock.clone(), saved)
                    .map_err(|error| error.to_string())
            };
            (restored, bytes)
        }
    };
    match restored {
        Ok(registry) => go_on(registry, config, clock, &mut rest),
        Err(error) => assert!(!error.is_empty()),
    }
}

fn from_json(config: &Config, clock: &ManualClock, json: &[u8]) -> Result<Registry, String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    RoomRegistry::restore(config.clone(), clock.clone(), &mut reader)
        .map_err(|error| error.to_string())
}

fn from_binary(config: &Config, clock: &ManualClock, bytes: &[u8]) -> Result<Registry, String> {
    let mut reader = postcard::Deserializer::from_bytes(bytes);
    RoomRegistry::restore(config.clone(), clock.clone(), &mut reader)
        .map_err(|error| error.to_string())
}

fn go_on(registry: Registry, config: Config, clock: ManualClock, bytes: &mut Bytes<'_>) {
    let saved = serde_json::to_value(registry.snapshot()).expect("a registry serialises");
    let again = RoomRegistry::restore(config.clone(), clock.clone(), saved.clone())
        .expect("what was accepted once is good");
    let saved_again = serde_json::to_value(again.snapshot()).expect("a registry serialises");
    assert_eq!(saved_again, saved);
    let binary = postcard::to_allocvec(&registry.snapshot()).expect("a registry serialises");
    let again = from_binary(&config, &clock, &binary).expect("what was accepted once is good");
    assert_eq!(serde_json::to_value(again.snapshot()).expect("a registry serialises"), saved);

    let mut player = Player::resume(config, clock, registry);
    player.play(bytes);
    player.fall_silent();
}

/// Some bits turned, bytes left out, or the end cut off.
fn damage_bytes(saved: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    for _ in 0..bytes.byte() % 4 {
        let at = bytes.index(saved.len());
        match bytes.byte() % 4 {
            0 => saved.truncate(at),
            1 if at < saved.len() => drop(saved.remove(at)),
            _ => {
                let new = bytes.byte();
                saved.get_mut(at).into_iter().for_each(|byte| *byte = new);
            }
        }
    }
}

/// Some values exchanged, left out or doubled, wherever they stand.
fn damage(saved: &mut Value, bytes: &mut Bytes<'_>) {
    for _ in 0..=bytes.byte() % 4 {
        let count = count(saved);
        let other = bytes.index(count);
        let other = nth(saved, &mut { other }).cloned().unwrap_or_default();
        let mut at = bytes.index(count);
        if let Some(value) = nth(saved, &mut at) {
            damage_one(value, other, bytes);
        }
    }
}

fn damage_one(value: &mut Value, other: Value, bytes: &mut Bytes<'_>) {
    let kind = bytes.byte() % 8;
    match value {
        Value::Array(items) if kind < 5 && !items.is_empty() => {
            let at = bytes.index(items.len());
            match kind {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.reverse(),
                _ => items.swap(0, at),
            }
        }
        Value::Number(number) if kind < 6 => {
            let number = number.as_u64().unwrap_or_default();
            let by = u64::from(bytes.byte());
            *value = json!(match kind {
                0 => number.wrapping_add(by),
                1 => number.wrapping_sub(by),
                2 => number.wrapping_add(by * 1_000),
                3 => number.wrapping_sub(by * 1_000),
                4 => bytes.pick(&[0, u64::MAX, START, u64::MAX - 1]),
                _ => bytes.number(),
            });
        }
        Value::Object(fields) if kind < 2 => {
            let at = bytes.index(fields.len());
            let key = fields.keys().nth(at).cloned().unwrap_or_default();
            fields.remove(&key);
        }
        value => *value = if kind == 7 { Value::Null } else { other },
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0_usize,
    }
}

/// The value that comes `at` steps down the tree, in the order of the text.
fn nth<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Value::Object(fields) => fields.values_mut().find_map(|item| nth(item, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
