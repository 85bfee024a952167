//! `cargo bench --bench decoding`: the vendor's payloads and answers, as the tests have them.
//!
//! What no decoder can beat passes over the text and keeps nothing of it. The obvious version makes a tree
//! of values, from which it still would have to pick.
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(missing_docs, unreachable_pub, reason = "a program of its own")]

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use room_registry::vendor::zego::{Answer, Event, StreamList, UserCounts, UserPage, UserStatuses};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use support::topic::criterion;

/// Names and texts of samples.
macro_rules! samples {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../tests/fixtures/zego/", $name, ".json")))),+]
    };
}

const CALLBACKS: [(&str, &str); 13] = samples![
    "room_create",
    "room_create_all_numbers",
    "room_close",
    "room_close_by_room_seq",
    "room_login",
    "room_login_relogin_leading_zeros",
    "room_login_unknown_fields",
    "room_logout",
    "room_logout_without_login_time",
    "stream_create",
    "stream_create_recreate",
    "stream_close",
    "stream_close_minimal",
];
const OTHER: [(&str, &str); 1] = samples!["unknown_event"];
const REFUSED: [(&str, &str); 1] = samples!["room_login_missing_user"];
const ANSWERS: [(&str, &str); 5] = samples![
    "answers/user_list_first_page",
    "answers/user_list_odd_forms",
    "answers/stream_list",
    "answers/users",
    "answers/user_num",
];

fn main() {
    let mut criterion = criterion();
    for (name, text) in CALLBACKS {
        assert!(matches!(serde_json::from_str(text), Ok(Event::Callback(_))), "{name}");
        decode::<Event>(&mut criterion, name, text);
    }
    for (name, text) in OTHER {
        assert!(matches!(serde_json::from_str(text), Ok(Event::Other(_))), "{name}");
        decode::<Event>(&mut criterion, name, text);
    }
    for (name, text) in REFUSED {
        assert!(serde_json::from_str::<Event>(text).is_err(), "{name}");
        decode::<Event>(&mut criterion, name, text);
    }
    for (name, text) in &ANSWERS[..2] {
        answer::<UserPage>(&mut criterion, name, text);
    }
    answer::<StreamList>(&mut criterion, ANSWERS[2].0, ANSWERS[2].1);
    answer::<UserStatuses>(&mut criterion, ANSWERS[3].0, ANSWERS[3].1);
    answer::<UserCounts>(&mut criterion, ANSWERS[4].0, ANSWERS[4].1);
    criterion.final_summary();
}

fn answer<T>(criterion: &mut Criterion, name: &str, text: &str)
where
    Answer<T>: DeserializeOwned,
{
    let answer = serde_json::from_str::<Answer<T>>(text).expect("a sound answer");
    assert!(answer.into_data().is_ok(), "{name}");
    decode::<Answer<T>>(criterion, name, text);
}

fn decode<T: DeserializeOwned>(criterion: &mut Criterion, name: &str, text: &str) {
    let mut group = criterion.benchmark_group("decoding");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.measurement_time(std::time::Duration::from_millis(300));
    group.bench_function(BenchmarkId::new("this crate", name), |bencher| {
        bencher.iter(|| serde_json::from_str::<T>(black_box(text)));
    });
    group.bench_function(BenchmarkId::new("floor", name), |bencher| {
        bencher.iter(|| serde_json::from_str::<IgnoredAny>(black_box(text)));
    });
    group.bench_function(BenchmarkId::new("obvious", name), |bencher| {
        bencher.iter(|| serde_json::from_str::<Value>(black_box(text)));
    });
    group.finish();
}
