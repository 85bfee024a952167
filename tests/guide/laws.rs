//! The guide's table of laws: it has every law, and every test that it names is there.
#![allow(clippy::disallowed_methods, reason = "a test, not the library: it may read files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const TABLE: &str = include_str!("../../src/guide/laws.md");
const PAGES: [&str; 2] =
    [include_str!("../../src/guide/rules.md"), include_str!("../../src/guide/repair.md")];

#[test]
fn every_law_has_a_number_of_its_own_and_a_row_in_the_table() {
    let stated: Vec<_> = PAGES.into_iter().flat_map(laws_of).collect();
    let in_order: BTreeSet<_> = stated.iter().copied().collect();
    assert_eq!(stated, in_order.into_iter().collect::<Vec<_>>(), "once each, ascending");
    assert_eq!(rows().into_keys().collect::<Vec<_>>(), stated);
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let root = &Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut source = String::new();
    read(&root.join("tests"), &mut source);
    read(&root.join("src"), &mut source);
    for (law, tests) in rows() {
        assert!(!tests.is_empty(), "law {law:?} has no test");
        for test in tests {
            assert!(source.contains(&format!("fn {test}(")), "law {law:?}: there is no {test}");
        }
    }
}

/// Section and number of each law that a page states.
fn laws_of(page: &str) -> impl Iterator<Item = (u8, u8)> {
    page.lines().filter_map(|line| number(line.strip_prefix("**Law ")?.split("**").next()?))
}

fn number(text: &str) -> Option<(u8, u8)> {
    let (section, number) = text.trim().split_once('.')?;
    Some((section.parse().ok()?, number.parse().ok()?))
}

/// The tests of each law. What stands in backticks is a test or its file.
fn rows() -> BTreeMap<(u8, u8), Vec<&'static str>> {
    let rows = TABLE.lines().filter_map(|line| {
        let (law, tests) = line.strip_prefix('|')?.split_once('|')?;
        let names = tests.split('`').skip(1).step_by(2);
        Some((number(law)?, names.filter(|name| !name.contains('.')).collect()))
    });
    rows.collect()
}

fn read(folder: &Path, source: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
