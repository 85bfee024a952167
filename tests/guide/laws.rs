//! The guide's table of laws: it has every law, and its tests and their documentation say the same.
#![allow(clippy::disallowed_methods, reason = "a test, not the library: it may read files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How a test begins to name its laws: one law without an S, or several with it.
const HOLDS: &str = "Holds law";

/// Its section, and its number in it.
type Law = (u8, u8);

const TABLE: &str = include_str!("../../src/guide/laws.md");
const PAGES: [&str; 3] = [
    include_str!("../../src/guide/rules.md"),
    include_str!("../../src/guide/repair.md"),
    include_str!("../../src/guide/memberships.md"),
];

#[test]
fn every_law_has_a_number_of_its_own_and_a_row_in_the_table() {
    let pages = PAGES.map(|page| laws_of(page).collect::<Vec<_>>());
    for stated in &pages {
        assert!(stated.is_sorted_by(|a, b| a < b), "once each, ascending: {stated:?}");
    }
    let all: BTreeSet<_> = pages.iter().flatten().copied().collect();
    assert_eq!(all.len(), pages.iter().map(Vec::len).sum::<usize>(), "each on one page");
    assert_eq!(rows().into_keys().collect::<BTreeSet<_>>(), all);
}

#[test]
fn the_table_and_the_tests_name_each_other() {
    for (law, tests) in rows() {
        assert!(!tests.is_empty(), "law {law:?} has no test");
    }
    let named: BTreeSet<_> = rows()
        .into_iter()
        .flat_map(|(law, tests)| tests.into_iter().map(move |(file, test)| (file, test, law)))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut naming = BTreeSet::new();
    for program in ["laws", "stories", "forms", "guide"] {
        read(root, &root.join(program), &mut naming);
    }
    read(&root.join(".."), &root.join("../src"), &mut naming);
    let without: Vec<_> = named.difference(&naming).collect();
    assert!(without.is_empty(), "in the table, but no test says so: {without:#?}");
    let beside: Vec<_> = naming.difference(&named).collect();
    assert!(beside.is_empty(), "a test says so, but not the table: {beside:#?}");
}

/// Section and number of each law that a page states.
fn laws_of(page: &str) -> impl Iterator<Item = Law> {
    page.lines().filter_map(|line| number(line.strip_prefix("**Law ")?.split("**").next()?))
}

fn number(text: &str) -> Option<Law> {
    let (section, number) = text.trim().split_once('.')?;
    Some((section.parse().ok()?, number.parse().ok()?))
}

/// The tests of each law, with their files. A path in backticks is the file of the tests behind it.
fn rows() -> BTreeMap<Law, Vec<(String, String)>> {
    let rows = TABLE.lines().filter_map(|line| {
        let (law, tests) = line.strip_prefix('|')?.split_once('|')?;
        let mut file = "";
        let mut named = Vec::new();
        for name in tests.split('`').skip(1).step_by(2) {
            if name.contains('.') {
                file = name;
            } else {
                named.push((file.to_owned(), name.to_owned()));
            }
        }
        Some((number(law)?, named))
    });
    rows.collect()
}

/// Adds the laws that the documentation of each function in a folder names, after the words of
/// [`HOLDS`].
fn read(root: &Path, folder: &Path, naming: &mut BTreeSet<(String, String, Law)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, naming);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            let mut documentation = String::new();
            for line in fs::read_to_string(&path).unwrap().lines().map(str::trim_start) {
                if let Some(more) = line.strip_prefix("/// ") {
                    documentation = format!("{documentation} {more}");
                } else if let Some(test) = line.strip_prefix("fn ") {
                    let test = test.split('(').next().unwrap();
                    let laws = laws_in(&documentation);
                    naming.extend(laws.map(|law| (file.clone(), test.to_owned(), law)));
                    documentation.clear();
                } else if !line.starts_with("#[") {
                    documentation.clear();
                }
            }
        }
    }
}

fn laws_in(documentation: &str) -> impl Iterator<Item = Law> {
    let said = documentation.split_once(HOLDS).map_or("", |(_, laws)| laws);
    let words = said.trim_start_matches('s').split([' ', ',']).filter(|word| !word.is_empty());
    let laws = words.map(|word| (word, number(word.trim_end_matches('.'))));
    laws.take_while(|(word, law)| law.is_some() || *word == "and").filter_map(|(_, law)| law)
}
