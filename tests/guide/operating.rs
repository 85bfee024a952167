//! The guide's page on operating: it names each outcome, sign and error that one counts, and none that is not there.
//! The room service counts under its names.

use std::collections::BTreeSet;

use room_registry::repair::{Reason, Sign};
use room_registry::{Cause, Error, Outcome};

const PAGE: &str = include_str!("../../src/guide/operating.md");
const SERVICE: &str = include_str!("../../examples/room-service/src/metrics.rs");

/// What the values of these enums are called.
fn outcomes() -> BTreeSet<&'static str> {
    names(include_str!("../../src/model/outcome.rs"), "pub enum Outcome", " = ")
}

fn signs() -> BTreeSet<&'static str> {
    names(include_str!("../../src/model/suspicion.rs"), "pub enum Sign ", " = ")
}

fn errors() -> BTreeSet<&'static str> {
    names(include_str!("../../src/model/error.rs"), "impl Error", " => ")
}

fn changes() -> BTreeSet<&'static str> {
    let source = include_str!("../../src/model/change.rs");
    let causes = names(source, "pub enum Cause", " = ");
    causes.into_iter().chain(names(source, "pub enum ChangeKind", " = ")).collect()
}

fn reasons() -> BTreeSet<&'static str> {
    names(include_str!("../../src/repair/question.rs"), "pub enum Reason", " = ")
}

/// The names that a source gives to the values of an enum.
fn names(source: &'static str, start: &str, between: &str) -> BTreeSet<&'static str> {
    let (_, rest) = source.split_once(start).unwrap();
    let lines = rest.lines().skip(1).take_while(|line| !line.ends_with("    }") && *line != "}");
    let names = lines.filter_map(|line| {
        let (_, name) = line.split_once(between)?;
        name.strip_prefix('"')?.strip_suffix("\",")
    });
    names.collect()
}

#[test]
fn the_names_are_read_from_the_source_as_they_are() {
    assert_eq!(outcomes(), Outcome::ALL.map(Outcome::name).into());
    assert!(signs().contains(Sign::Gap.name()) && signs().contains(Sign::RefusedOpening.name()));
    assert!(reasons().contains(Reason::Rotation.name()));
    assert!(changes().contains(Cause::Import.name()) && changes().contains("suspicion_withdrawn"));
    let room_id = || "r1".to_owned();
    let first = Error::RoomAlreadyExists { room_id: room_id() };
    let last = Error::OtherRoom { expected: room_id(), found: room_id() };
    assert!(errors().contains(first.name()) && errors().contains(last.name()));
    let counts = [signs(), errors(), changes(), reasons()].map(|names| names.len());
    assert_eq!(counts, [9, 15, 22, 5], "names that were added are in the page, too");
}

#[test]
fn it_names_every_outcome_sign_and_error() {
    let named = words();
    for names in [outcomes(), signs(), errors()] {
        let missing: Vec<_> = names.difference(&named).collect();
        assert!(missing.is_empty(), "the page lacks {missing:?}");
    }
}

#[test]
fn it_names_nothing_that_is_not_there() {
    let mut known = metrics();
    for names in [outcomes(), signs(), errors(), changes(), reasons(), own_metrics()] {
        known.extend(names);
    }
    known.extend(["_total", "_seconds", "room_service_", "sign", "error", "debug", "tracing"]);
    let unknown: Vec<_> = words().difference(&known).copied().collect();
    assert!(unknown.is_empty(), "there is no {unknown:?}");
}

#[test]
fn the_room_service_counts_under_its_names() {
    let (_, registered) = SERVICE.split_once("registered! {").unwrap();
    let registered = registered.lines().skip(1).map_while(|line| line.split_once(": \""));
    let registered: BTreeSet<_> = registered.map(|(name, _)| name.trim()).collect();
    assert!(registered.len() > 10, "{registered:?}");
    let base = |name: &'static str| name.strip_suffix("_total").unwrap_or(name);
    let proposed: BTreeSet<_> = metrics().into_iter().map(base).collect();
    let own: BTreeSet<_> = own_metrics().into_iter().map(base).collect();
    let named = &proposed | &own;
    let other: Vec<_> = registered.difference(&named).collect();
    assert!(other.is_empty(), "the page does not name {other:?}");
    assert!(own.is_subset(&registered) && own.is_disjoint(&proposed), "{own:?}");
}

/// The words in backticks that are no links, outside the code. Rustdoc checks links.
fn words() -> BTreeSet<&'static str> {
    let mut words = BTreeSet::new();
    for prose in PAGE.split("```").step_by(2) {
        let parts: Vec<_> = prose.split('`').collect();
        for part in parts.chunks_exact(2).filter(|part| !part[0].ends_with('[')) {
            let name = part[1].split('{').next().unwrap();
            if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                words.insert(name);
            }
        }
    }
    words
}

/// The metrics of the table.
fn metrics() -> BTreeSet<&'static str> {
    let (_, table) = PAGE.split_once("| metric |").unwrap();
    let cells = table.lines().skip(2).map_while(|row| row.strip_prefix('|')?.split('|').next());
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    spans.map(|span| span.split('{').next().unwrap()).collect()
}

/// Those that the room service alone has, by what the page says.
fn own_metrics() -> BTreeSet<&'static str> {
    let (_, sentence) = PAGE.split_once("a few of its own:").unwrap();
    sentence.split('.').next().unwrap().split('`').skip(1).step_by(2).collect()
}
