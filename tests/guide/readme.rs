//! The README, held against the library and the repository: its first program prints what it says, and its links lead
//! somewhere.
#![allow(clippy::disallowed_methods, reason = "a test, not the library: it may look for files")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

const README: &str = include_str!("../../README.md");
const FIRST_PROGRAM: &str = include_str!("first_program.rs");
/// Where the documentation of the newest version is.
const DOCS: &str = "https://docs.rs/room-registry/latest/room_registry/";

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

/// Relative links are of the repository, and absolute ones of the documentation: a registry shows the README, too, and
/// has neither the files nor the guide.
#[test]
fn its_links_lead_to_files_and_to_pages_of_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let links: BTreeSet<_> = links(README).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        let file = match link.split('#').next().unwrap() {
            page if page.starts_with(DOCS) => source_of(&page[DOCS.len()..]),
            other if other.contains("://") => continue,
            file => file.to_owned(),
        };
        assert!(root.join(&file).exists(), "{link} leads to {file}, which is not there");
    }
}

/// The targets of all links and images.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The source of a page of the documentation: a page of the guide, or a module.
fn source_of(page: &str) -> String {
    let module = page.strip_suffix("index.html").map(|module| module.trim_end_matches('/'));
    match module {
        Some("") => "src/lib.rs".to_owned(),
        Some("guide") => "src/guide.rs".to_owned(),
        Some(module) if module.starts_with("guide/") => format!("src/{module}.md"),
        Some(module) => format!("src/{module}.rs"),
        None => panic!("{page} is not the page of a module"),
    }
}
