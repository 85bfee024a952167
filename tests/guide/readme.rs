//! Holds the README against the library and the pages that it links to. Its first program prints what it
//! says, and its figures are theirs.

use std::cell::RefCell;
use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");
const FIRST_PROGRAM: &str = include_str!("first_program.rs");

thread_local! {
    /// What the first program printed.
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The first program, whose `println!` is one of our own.
mod first_program {
    macro_rules! println {
        ($($text:tt)*) => {
            super::PRINTED.with_borrow_mut(|printed| {
                printed.push_str(&format!($($text)*));
                printed.push('\n');
            })
        };
    }

    include!("first_program.rs");

    pub(super) fn run() {
        main().unwrap();
    }
}

#[test]
fn its_first_program_is_the_one_that_is_tested_and_prints_what_it_says() {
    first_program::run();
    let printed = PRINTED.take();
    let expected = format!("```rust\n{FIRST_PROGRAM}```\n\nIt prints:\n\n```text\n{printed}```\n");
    assert!(README.contains(&expected), "the README lacks this:\n{expected}");
}

#[test]
fn it_can_be_read_in_five_minutes() {
    assert!(README.lines().count() <= 150, "{} lines", README.lines().count());
    let one_process = include_str!("../../examples/starters/one_process/main.rs");
    assert!(one_process.lines().count() < 100, "{} lines", one_process.lines().count());
}

#[test]
fn it_has_the_two_commands() {
    for command in [
        "cargo run --release --example replay -- tests/fixtures/evening.jsonl",
        "cargo test --all-features",
    ] {
        assert!(README.lines().any(|line| line == command), "{command}");
    }
}

/// A row of results links to the page that has its figures. One row of a table there has all of the first figures
/// of the cells. What follows them in a cell stands in any row, and the figures of what was measured anywhere.
#[test]
fn its_figures_are_those_of_the_pages_that_it_links_to() {
    let (_, results) = README.split_once("## Results").unwrap();
    let rows: Vec<_> = results.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(rows.len(), 3, "{rows:#?}");
    for row in rows {
        let page = match row.split("](").nth(1).unwrap().split(')').next().unwrap() {
            "examples/simulate/README.md" => include_str!("../../examples/simulate/README.md"),
            "benches/README.md" => include_str!("../../benches/README.md"),
            page if page.ends_with("/guide/migrating/index.html") => {
                include_str!("../../src/guide/migrating.md")
            }
            other => panic!("which page is {other}?"),
        };
        let cells: Vec<_> = row.trim_matches('|').split('|').skip(1).collect();
        let measured = figures(cells[0]);
        assert!(!measured.is_empty() && measured.is_subset(&figures(page)), "{measured:?}: {row}");
        let (mut first, mut others) = (BTreeSet::new(), BTreeSet::new());
        for cell in &cells[1..] {
            let (before, after) = cell.split_once(", and ").unwrap_or((cell, ""));
            first.extend(figures(before));
            others.extend(figures(after));
        }
        let table: Vec<_> =
            page.lines().filter(|line| line.starts_with('|')).map(figures).collect();
        assert!(!first.is_empty(), "no figures: {row}");
        assert!(table.iter().any(|held| first.is_subset(held)), "no row has {first:?}");
        assert!(
            others.iter().all(|figure| table.iter().any(|held| held.contains(figure))),
            "{row}"
        );
    }
}

/// The numbers of a text, without the commas between thousands.
fn figures(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let numbers = text.split(|c: char| !is_part(c)).map(|word| word.trim_matches(['.', ',']));
    numbers.filter(|word| !word.is_empty()).map(|word| word.replace(',', "")).collect()
}
