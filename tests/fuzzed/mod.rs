//! Inputs made of bytes, and what must hold whatever the bytes are.
//!
//! The fuzz targets in `tests/fuzz` share this with `tests/laws/fuzzing.rs`. Coverage guides the bytes of
//! the first, and chance those of the second. The second also keeps the inputs that once broke something.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each crate that includes it uses a part of it"
)]

mod bytes;
mod callbacks;
mod cursors;
mod play;
mod sets;
mod snapshots;

use bytes::Bytes;
use play::Player;

pub use cursors::cursor;
pub use snapshots::snapshot;

/// Decodes bodies and applies what they tell, beside commands, expiry and whatever else a host does,
/// and checks everything after every step.
///
/// What starts with a brace are the lines of a journal. Else the first byte says whether the rest is a
/// play, or a set of callbacks that is applied in several orders.
pub fn decode_and_apply(data: &[u8]) {
    match data.split_first() {
        None => {}
        Some((b'{', _)) => play::journal(data),
        Some((kind, rest)) if kind % 4 == 1 => sets::in_any_order(&mut Bytes::new(rest)),
        Some((_, rest)) => {
            let mut bytes = Bytes::new(rest);
            let mut player = Player::new(play::config(&mut bytes));
            player.play(&mut bytes);
            player.fall_silent();
        }
    }
}
