//! What a user takes.

use allocation_counter::measure;

use super::heartbeats::count_of;
use super::method::count;
use super::support::filled::{LOGGED_IN, SESSION, joined, logged_in};
use super::support::floor::Floor;
use super::support::lists::Lists;
use super::support::obvious::Obvious;
use super::support::world::{MEDIUM, at};
use super::table::{Line, Target};

pub fn lines() -> Vec<Line> {
    let floor = bytes_a_user(|| Floor::new(MEDIUM));
    let logged_in = bytes_a_user(|| {
        let (registry, _, _) = logged_in(MEDIUM);
        registry
    });
    let joined = bytes_a_user(|| joined(MEDIUM).0);
    let lists = bytes_a_user(|| Lists::new(MEDIUM, SESSION, at(LOGGED_IN)));
    let obvious = bytes_a_user(|| Obvious::new(MEDIUM, at(0)));
    let line = |operation, ours, target| Line { operation, unit: "bytes", ours, floor, target };
    vec![
        line(
            "a user who is logged in, all indices; floor: ids and a number",
            logged_in,
            Target::Ratio(3.0),
        ),
        line("a user who joined, all indices", joined, Target::Known),
        line("a user of the lists alone", lists, Target::Known),
        line("a user of the obvious version", obvious, Target::Known),
    ]
}

/// What is held when something is made, for each user.
fn bytes_a_user<T>(make: impl FnOnce() -> T) -> f64 {
    let mut held = None;
    let counted = measure(|| held = Some(make()));
    drop(held);
    count_of(u64::try_from(counted.bytes_current).unwrap_or(0)) / count(MEDIUM.users())
}
