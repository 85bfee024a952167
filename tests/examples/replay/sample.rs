//! The sample journal: how it is made, the rooms that it leads to, and their table.

use std::fmt::Write as _;

use super::program::Status;
use super::{JOURNAL, ROOMS, evening, replay};

#[test]
fn the_sample_journal_is_what_the_generator_makes() {
    // Not assert_eq: the difference would be hundreds of lines.
    assert!(
        evening::journal(evening::SEED) == JOURNAL,
        "run: cargo run --example evening > tests/fixtures/evening.jsonl",
    );
    assert_ne!(evening::journal(1), JOURNAL);
}

#[test]
fn the_sample_journal_is_in_the_order_of_receipt_and_of_some_size() {
    let at = |line: &str| -> u64 {
        let rest = line.strip_prefix("{\"at\":").expect("each line begins with its time");
        rest[..rest.find(',').unwrap()].parse().unwrap()
    };
    assert!(JOURNAL.lines().map(at).is_sorted());
    assert!((400..=800).contains(&JOURNAL.lines().count()));
}

#[test]
fn the_sample_journal_leads_to_the_rooms_that_are_open_at_the_end_of_the_story() {
    let run = replay(&["--json", "-"], JOURNAL);
    assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""));
    assert!(run.stdout == ROOMS, "the document is another now:\n{}", run.stdout);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let rooms: Vec<_> =
        document["rooms"].as_array().unwrap().iter().map(|room| &room["room_id"]).collect();
    assert_eq!(
        rooms,
        ["backstage", "game-42", "karaoke-8", "lobby", "quiz", "street-music", "talk-1"]
    );
}

#[test]
fn every_seed_leads_to_rooms_with_the_same_users_and_streams() {
    // Ids and delays differ; what is true at the end does not.
    let truth = |seed| {
        let run = replay(&["--json", "-"], evening::journal(seed));
        assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""), "seed {seed}");
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let mut truth = String::new();
        for room in document["rooms"].as_array().unwrap() {
            write!(truth, "\n{} {} {}:", room["room_id"], room["room_name"], room["host_id"])
                .unwrap();
            for user in room["users"].as_array().unwrap() {
                write!(truth, " {}", user["user_id"]).unwrap();
            }
            for stream in room["streams"].as_array().unwrap() {
                write!(truth, " {} by {}", stream["stream_id"], stream["user_id"]).unwrap();
            }
        }
        truth
    };
    let expected = truth(evening::SEED);
    for seed in 0..40 {
        assert_eq!(truth(seed), expected, "seed {seed}");
    }
}

#[test]
fn the_table_and_the_totals_of_the_sample_journal() {
    let run = replay(&["-"], JOURNAL);
    let room_ids: Vec<_> =
        run.stdout.lines().skip(2).map_while(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        room_ids,
        ["backstage", "quiz", "karaoke-8", "street-music", "game-42", "lobby", "talk-1"],
        "newest first"
    );
    assert!(run.stdout.contains("open now       rooms 7, "));
    assert!(run.stdout.contains("other events   6 ignored\n"));
    assert!(run.stdout.contains("expiries       35\n"));
    assert!(run.stdout.ends_with("bad lines      0\n"));
}

#[test]
fn the_table_goes_on_where_its_cursor_says() {
    let rooms = |args: &[&str]| -> (Vec<String>, Option<String>) {
        let run = replay(&[args, &["-"]].concat(), JOURNAL);
        let table = run.stdout.lines().skip(2).map_while(|line| line.split_whitespace().next());
        let cursor = run.stdout.lines().find_map(|line| line.strip_prefix("more: --cursor '"));
        (
            table.map(str::to_owned).collect(),
            cursor.map(|text| text.trim_end_matches('\'').to_owned()),
        )
    };
    let (first, cursor) = rooms(&["--order", "users", "--limit", "4"]);
    assert_eq!(first, ["talk-1", "game-42", "karaoke-8", "street-music"]);
    let (rest, end) = rooms(&["--order", "users", "--limit", "4", "--cursor", &cursor.unwrap()]);
    assert_eq!(rest, ["quiz", "backstage", "lobby"]);
    assert_eq!(end, None);
    let (by_id, _) = rooms(&["--order", "id"]);
    assert!(by_id.is_sorted() && by_id.len() == 7);
    for wrong in [
        ["--order", "tallest"],
        ["--cursor", "users~1~1"],
        ["--cursor", "users~1~1~a"],
        ["--limit", "x"],
    ] {
        assert_eq!(replay(&[&wrong[..], &["-"]].concat(), JOURNAL).status.code(), 2, "{wrong:?}");
    }
}
