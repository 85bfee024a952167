//! Inputs of every kind, as bytes: what the fuzz targets check under the guidance of coverage, here
//! by chance, and what they once found.

use proptest::collection::vec;
use proptest::prelude::*;
use room_registry_world::effort::properties;

proptest! {
    #![proptest_config(properties(400))]

    #[test]
    fn whatever_a_host_does_everything_stays_in_step(bytes in vec(any::<u8>(), 0..600)) {
        crate::fuzzed::decode_and_apply(&bytes);
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_as_good_as_any(bytes in vec(any::<u8>(), 0..600)) {
        crate::fuzzed::snapshot(&bytes);
    }

    #[test]
    fn a_text_is_a_cursor_or_an_error(limit: u8, text in cursor_text()) {
        let mut bytes = vec![limit];
        bytes.extend(text.as_bytes());
        crate::fuzzed::cursor(&bytes);
    }
}

#[test]
fn what_fuzzing_once_broke_holds() {
    let found = include_bytes!("../fixtures/fuzzing/snapshot/a-time-that-no-clock-shows");
    crate::fuzzed::snapshot(found);
}

fn cursor_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(newest~|oldest~|users~|id~|)[0-9]{1,4}~[0-9]{1,2}~[ab~1汤]{0,4}",
        "(newest~|oldest~|users~|id~|)(1000|1001|900|0)~1~[ab~0]",
    ]
}
