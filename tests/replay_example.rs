//! The example `replay`: the sample journal, bad input, and what it prints.
#![cfg(feature = "serde")]
#![allow(clippy::disallowed_methods, reason = "a program is tested, which reads and writes files")]

#[path = "../examples/evening/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod evening;
#[path = "../examples/replay/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod program;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use program::{Console, Status};

/// The sample journal, and the rooms that it leads to.
const JOURNAL: &str = include_str!("fixtures/evening.jsonl");
const ROOMS: &str = include_str!("fixtures/evening.json");

const CREATE_R1: &str =
    r#"{"at":1000,"command":{"create_room":{"room_id":"r1","room_name":"One","host_id":"tom"}}}"#;

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

#[test]
fn the_document_has_exactly_the_fields_that_were_promised() {
    let run = replay(&["--json", "-"], format!("{CREATE_R1}\n{}\n", login("7", 1)));
    let expected = r#"{"rooms":[{"room_id":"r1","room_name":"One","host_id":"tom","session_id":"7",
        "users":[{"user_id":"ann","user_name":null,"session_id":"8"}],"streams":[]}],
        "outcomes":{"applied":1,"held":0,"duplicate":0,"stale":0,"too_late":0,"refused":0},
        "suspected":[]}"#;
    let squeeze = |text: &str| text.replace([' ', '\n'], "");
    assert_eq!(squeeze(&run.stdout), squeeze(expected));
}

#[test]
fn an_observation_mends_what_callbacks_lost() {
    let journal = [
        login("7", 1_000).as_str(),
        r#"{"at":60000,"observed":{"room_id":"r1","observed_at":50000,
            "users":[{"user_id":"bob","user_name":"Bob"}],
            "streams":[{"stream_id":"camera","user_id":"bob","create_time_ms":2000}]}}"#,
        r#"{"at":61000,"observed":{"room_id":"r2","observed_at":60000,"session_id":858012925204410401,"open":true}}"#,
        r#"{"at":62000,"observed":{"room_id":"r3","observed_at":60000,"session_id":null,"open":null,
            "users":[{"user_id":"cat"}],"users_partial":true}}"#,
        r#"{"at":63000,"observed":{"room_id":"r3","observed_at":63000,"users":[]}}"#,
        r#"{"at":64000,"observed":{"room_id":"r4","observed_at":60000,"open":false,"users":[{"user_id":"cat"}]}}"#,
        r#"{"at":65000,"observed":{"room_id":"r4"}}"#,
    ]
    .map(|line| line.replace('\n', ""))
    .join("\n");
    let run = replay(&["--json", "-"], &journal);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = serde_json::json!([
        {
            "room_id": "r1", "room_name": null, "host_id": null, "session_id": "7",
            "users": [{"user_id": "bob", "user_name": "Bob", "session_id": null}],
            "streams": [{"stream_id": "camera", "user_id": "bob"}],
        },
        {
            "room_id": "r2", "room_name": null, "host_id": null, "session_id": "858012925204410401",
            "users": [], "streams": [],
        },
    ]);
    assert_eq!(document["rooms"], expected);
    assert_eq!(
        run.stderr.lines().collect::<Vec<_>>(),
        [
            "standard input:6: observation refused: the observation of room \"r4\" says that it is not \
             open, and lists somebody in it",
            "standard input:7: missing field `observed_at`",
        ]
    );
    let run = replay(&["--explain", "-"], &journal);
    assert!(run.stdout.contains("2 at 60000 ms: repaired: room r1, 4 changes\n"), "{}", run.stdout);
    assert!(run.stdout.contains("observations   5\n"));
}

#[test]
fn what_seems_to_be_lost_is_told() {
    let second = login("7", 2_000)
        .replace("ann", "bob")
        .replace("\"login_time\"", "\"user_update_seq\":5,\"login_time\"");
    let first = login("7", 1_000).replace("\"login_time\"", "\"user_update_seq\":2,\"login_time\"");
    let journal = |last_at: u64| format!("{first}\n{second}\n{{\"at\":{last_at},\"expire\":{{}}}}");
    let suspected = |args: &[&str], last_at| -> serde_json::Value {
        let run = replay(&[args, &["--json", "-"]].concat(), journal(last_at));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        document["suspected"].clone()
    };
    let no_create =
        serde_json::json!({"room_id": "r1", "list": "room", "missing": null, "sign": "no_create"});
    let hole = serde_json::json!(
        {"room_id": "r1", "list": "users", "missing": [[3, 4]], "sign": "hole"}
    );
    assert_eq!(suspected(&[], 91_999), serde_json::json!([no_create]));
    assert_eq!(suspected(&[], 92_000), serde_json::json!([no_create, hole]));
    assert_eq!(suspected(&["--report-after-ms", "100000"], 92_000), serde_json::json!([]));
    assert!(replay(&["-"], journal(92_000)).stdout.contains("suspected      2 in 1 rooms\n"));
}

#[test]
fn bad_lines_are_named_and_the_rest_is_replayed() {
    let journal = [
        CREATE_R1,
        "",
        "nonsense",
        r#"{"at":1001}"#,
        r#"{"command":{"end_room":{"room_id":"r1"}}}"#,
        r#"{"at":1002,"command":{"end_room":{"room_id":"nowhere"}}}"#,
        r#"{"at":1003,"command":{"dance":{}}}"#,
        r#"{"at":1004,"callback":{"event":"room_close","room_id":"r1","room_close_time":1}}"#,
        r#"{"at":1005,"expire":{},"command":{"end_room":{"room_id":"r1"}}}"#,
        r#"{"at":-1,"expire":{}}"#,
        "[]",
        "  ",
        r#"{"at":1006,"callback":{"event":"audio_moderation"}}"#,
        r#"{"at":1007,"command":{"join_room":{"room_id":"r1","user_id":"ann"}}}"#,
    ]
    .join("\r\n");
    let run = replay(&["-"], &journal);
    assert_eq!(run.status, Status::BadInput);
    let bad: Vec<_> = run.stderr.lines().collect();
    assert_eq!(bad[0], "standard input:3: not JSON: expected ident, column 2");
    assert_eq!(
        bad[1],
        "standard input:4: none of `callback`, `command`, `observed`, `expire` and `event` is there"
    );
    assert_eq!(bad[2], "standard input:5: `at` is missing");
    assert_eq!(bad[3], r#"standard input:6: command refused: room "nowhere" not found"#);
    assert!(bad[4].starts_with("standard input:7: unknown variant `dance`"), "{}", bad[4]);
    assert_eq!(bad[5], "standard input:8: room_close: field `room_session_id` is missing");
    assert_eq!(
        bad[6],
        "standard input:9: more than one of `callback`, `command`, `observed` and `expire` is there"
    );
    assert!(bad[7].starts_with("standard input:10: invalid value"), "{}", bad[7]);
    assert!(bad[8].starts_with("standard input:11: "), "{}", bad[8]);
    assert_eq!(bad.len(), 9);
    assert!(run.stdout.contains("open now       rooms 1, users 1, streams 0"));
    assert!(run.stdout.contains("lines read     14\n"));
    assert!(run.stdout.contains("commands       3, of them refused 1\n"));
    assert!(run.stdout.contains("other events   1 ignored\n"));
    assert!(run.stdout.ends_with("bad lines      9\n"));
}

#[test]
fn lines_that_are_too_long_or_no_text_are_bad_and_the_next_one_is_read() {
    let mut journal = vec![b'x'; 3 * 1024 * 1024];
    journal.extend(b"\n\"\xff\"\n");
    journal.extend(CREATE_R1.bytes()); // without an end of line
    let run = replay(&["-"], journal);
    assert_eq!(
        run.stderr,
        "standard input:1: longer than 1048576 bytes\nstandard input:2: not UTF-8\n"
    );
    assert!(run.stdout.contains("open now       rooms 1,"));
}

#[test]
fn a_line_of_the_greatest_length_is_read() {
    let fits = format!("{CREATE_R1}{}", " ".repeat(1024 * 1024 - CREATE_R1.len()));
    assert_eq!(replay(&["-"], fits.clone()).status, Status::Fine);
    assert_eq!(replay(&["-"], fits.clone() + "\n").status, Status::Fine);
    assert_eq!(replay(&["-"], fits + " ").status, Status::BadInput);
}

#[test]
fn a_bare_body_is_received_at_the_later_of_its_timestamp_and_the_line_before() {
    let bare = |timestamp: &str| {
        format!(r#"{{"event":"audio_moderation","timestamp":{timestamp},"callback_data":""}}"#)
    };
    let journal = [
        bare("\"7\""),
        r#"{"at":9500,"expire":{}}"#.to_owned(),
        bare("9"),
        bare("10"),
        r#"{"event":"ping"}"#.to_owned(),
    ];
    let run = replay(&["--explain", "-"], journal.join("\n"));
    let times: Vec<_> =
        run.stdout.lines().take(5).map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        times,
        ["1 at 7000 ms", "2 at 9500 ms", "3 at 9500 ms", "4 at 10000 ms", "5 at 10000 ms"]
    );
    assert_eq!(run.status, Status::Fine);
}

#[test]
fn each_input_is_explained_in_words() {
    let journal = [
        CREATE_R1,
        r#"{"at":1001,"command":{"join_room":{"room_id":"r1","user_id":"ann"}}}"#,
        r#"{"at":1002,"command":{"heartbeat":{"room_id":"r1","user_id":"ann"}}}"#,
        r#"{"at":1003,"expire":{}}"#,
        r#"{"at":91003,"expire":{}}"#,
        r#"{"at":91004,"command":{"leave_room":{"room_id":"r1","user_id":"ann"}}}"#,
        r#"{"at":91005,"command":{"join_room":{"room_id":"r1","user_id":"ben"}}}"#,
        r#"{"at":191005,"command":{"heartbeat":{"room_id":"r1","user_id":"ben"}}}"#,
        &login("7", 200_000),
        r#"{"at":200001,"command":{"end_room":{"room_id":"r1"}}}"#,
    ]
    .join("\n");
    let sentences = "\
1 at 1000 ms: created: room r1
2 at 1001 ms: joined: user ann, room r1
3 at 1002 ms: alive: user ann, room r1
4 at 1003 ms: expired: nothing was due
5 at 91003 ms: expired: user ann of room r1 timed out
6 at 91004 ms: refused: user \"ann\" is not in room \"r1\"
7 at 91005 ms: joined: user ben, room r1
8 at 191005 ms: timed out: user ben, room r1
9 at 200000 ms: applied: user ann logged in to room r1 at 200000 ms; readers see the difference
10 at 200001 ms: ended: room r1
";
    let run = replay(&["--explain", "-"], &journal);
    assert!(run.stdout.starts_with(sentences), "{}", run.stdout);
    assert!(run.stdout[sentences.len()..].starts_with("\nno room is open\n"), "{}", run.stdout);

    let run = replay(&["--explain", "--json", "-"], &journal);
    assert!(run.stdout.starts_with('{'), "standard output is for the document alone");
    assert!(run.stderr.contains("10 at 200001 ms: ended: room r1\n"));
}

#[test]
fn texts_from_outside_do_not_reach_the_terminal_as_they_are() {
    let journal = [
        r#"{"at":1,"command":{"create_room":{"room_id":"r\u202e1","room_name":"\u001b[2J\u0007\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host_id":"tom"}}}"#,
        "{\"at\":2,\"command\":{\"\u{1b}]0;owned\u{7}\":{}}}",
        r#"{"at":3,"callback":{"event":"\u001b[31m\nred"}}"#,
        r#"{"at":4,"command":{"end_room":{"room_id":"\u202e"}}}"#,
    ]
    .join("\n");
    let run = replay(&["--explain", "-"], &journal);
    for text in [&run.stdout, &run.stderr] {
        assert!(
            !text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{text}"
        );
    }
    assert!(run.stdout.contains("r\\u{202e}1"));
    assert!(run.stdout.contains("\\u{1b}[2J\\u{7}\\nAAAAAA"), "{}", run.stdout);
    assert!(run.stdout.contains('…'));
}

#[test]
fn several_files_are_one_journal_and_one_that_is_missing_is_named() {
    let scratch = Scratch::new("several_files");
    let first = scratch.file("first.jsonl", CREATE_R1);
    let second =
        scratch.file("second.jsonl", r#"{"at":2000,"command":{"end_room":{"room_id":"r1"}}}"#);
    let missing = scratch.0.join("missing.jsonl");
    let run =
        replay(&[OsString::from("--explain"), first, missing.clone().into(), second.clone()], "");
    assert_eq!(run.status, Status::BadInput);
    assert!(run.stderr.starts_with(&format!("{}: ", missing.display())), "{}", run.stderr);
    assert!(
        run.stdout
            .contains(&format!("{}:1 at 2000 ms: ended: room r1", Path::new(&second).display()))
    );
    assert!(run.stdout.contains("no room is open"));
}

#[test]
fn a_journal_that_goes_on_from_a_snapshot_leads_to_the_same_document() {
    let scratch = Scratch::new("snapshot");
    let snapshot = scratch.0.join("state.json");
    let lines: Vec<_> = JOURNAL.lines().collect();
    for place in [0, 1, 200, lines.len() / 2, lines.len() - 1, lines.len()] {
        let (first, second) = lines.split_at(place);
        let out: [&OsStr; 4] =
            ["--json".as_ref(), "--snapshot-out".as_ref(), snapshot.as_ref(), "-".as_ref()];
        let run = replay(&out, first.join("\n"));
        assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""), "after {place} lines");
        let run = replay(&[out[0], "--snapshot-in".as_ref(), out[2], out[3]], second.join("\n"));
        assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""), "after {place} lines");
        assert!(run.stdout == ROOMS, "after {place} lines:\n{}", run.stdout);
    }
    // The last one has everything in it, and needs no journal.
    let run = replay(&["--json".as_ref(), "--snapshot-in".as_ref(), snapshot.as_os_str()], "");
    assert!(run.stdout == ROOMS, "{}", run.stdout);
    assert!(!scratch.0.join("state.json.part").exists());
}

#[test]
fn a_snapshot_that_is_damaged_foreign_or_of_other_settings_is_named_and_nothing_is_printed() {
    let scratch = Scratch::new("bad_snapshots");
    let whole = scratch.0.join("whole.json");
    let out: [&OsStr; 3] = ["--snapshot-out".as_ref(), whole.as_ref(), "-".as_ref()];
    assert_eq!(replay(&out, CREATE_R1).status, Status::Fine);
    let text = std::fs::read_to_string(&whole).unwrap();
    let refused = |file: &OsStr, more: &[&str]| {
        let mut args: Vec<&OsStr> = vec!["--json".as_ref(), "--snapshot-in".as_ref(), file];
        args.extend(more.iter().map(|arg| OsStr::new(*arg)));
        let run = replay(&args, CREATE_R1);
        assert_eq!((run.status.code(), run.stdout.as_str()), (1, ""), "{}", run.stderr);
        let named = format!("{}: ", Path::new(file).display());
        run.stderr.strip_prefix(&named).expect("the file is named").to_owned()
    };
    for (name, content, problem) in [
        (
            "cut.json",
            text[..text.len() / 2].to_owned(),
            "no snapshot to start from: EOF while parsing",
        ),
        ("empty.json", String::new(), "no snapshot to start from: EOF while parsing"),
        ("twice.json", format!("{text}{text}"), "no snapshot to start from: trailing characters"),
        ("foreign.json", ROOMS.to_owned(), "no snapshot to start from: missing field `version`"),
        ("journal.json", JOURNAL.to_owned(), "no snapshot to start from: unknown field `at`"),
        (
            "future.json",
            text.replacen("\"version\":1", "\"version\":2", 1),
            "no snapshot to start from: a snapshot of version 2 cannot be read: this is version 1",
        ),
    ] {
        let file = scratch.file(name, &content);
        let sentence = refused(&file, &["-"]);
        assert!(sentence.starts_with(problem), "{name}: {sentence}");
        assert_eq!(sentence.lines().count(), 1, "{name}: {sentence}");
    }
    let sentence = refused(whole.as_ref(), &["--clock-skew-ms", "1000", "-"]);
    let problem = "no snapshot to start from: the snapshot was taken under other settings";
    assert!(sentence.starts_with(problem), "{sentence}");
    refused(scratch.0.join("missing.json").as_ref(), &["-"]);
}

#[test]
fn a_snapshot_that_cannot_be_written_or_would_lack_a_file_is_named_and_leaves_the_one_before() {
    let scratch = Scratch::new("unwritten_snapshots");
    let nowhere = scratch.0.join("nowhere").join("state.json");
    let out: [&OsStr; 3] = ["--snapshot-out".as_ref(), nowhere.as_ref(), "-".as_ref()];
    let run = replay(&out, CREATE_R1);
    assert_eq!((run.status, run.stdout.as_str()), (Status::BadInput, ""));
    let named = format!("{}: the snapshot could not be written: ", nowhere.display());
    assert!(run.stderr.starts_with(&named), "{}", run.stderr);

    let (before, missing) = (scratch.file("state.json", "as it was"), scratch.0.join("gone.jsonl"));
    let out: [&OsStr; 4] =
        ["--snapshot-out".as_ref(), before.as_ref(), "-".as_ref(), missing.as_ref()];
    let run = replay(&out, CREATE_R1);
    assert_eq!((run.status, run.stdout.as_str()), (Status::BadInput, ""));
    assert!(run.stderr.ends_with("as not all of the journal was read\n"), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&before).unwrap(), "as it was");
}

#[test]
fn arguments_that_make_no_sense_are_told_and_nothing_is_read() {
    for (args, problem) in [
        (&[][..], "no file was named"),
        (&["--dance", "-"], "invalid option '--dance'"),
        (&["-x", "-"], "invalid option '-x'"),
        (&["--json=yes", "-"], "unexpected argument for option '--json': \"yes\""),
        (&["--retention-ms"], "missing argument for option '--retention-ms'"),
        (&["--clock-skew-ms", "soon", "-"], "--clock-skew-ms: soon is no whole number"),
        (&["--heartbeat-timeout-ms", "0", "-"], "the heartbeat timeout must be at least 1 ms"),
        (
            &["--tie-window-ms", "9000", "-"],
            "the tie window (9s) must not exceed the clock skew (5s)",
        ),
        (&["--retention-ms", "-1", "-"], "--retention-ms: -1 is no whole number"),
    ] {
        let run = replay(args, CREATE_R1);
        assert_eq!((run.status, run.status.code(), run.stdout.as_str()), (Status::Usage, 2, ""));
        assert!(run.stderr.starts_with(&format!("replay: {problem}")), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains("\nUsage: replay "), "{}", run.stderr);
    }
}

#[test]
fn help_is_no_error() {
    let run = replay(&["--help"], "");
    assert_eq!((run.status.code(), run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("--retention-ms N"));
}

#[test]
fn settings_reach_the_registry() {
    let silent = format!(
        "{CREATE_R1}\n{}\n{}",
        r#"{"at":1000,"command":{"join_room":{"room_id":"r1","user_id":"ann"}}}"#,
        r#"{"at":3000,"expire":{}}"#
    );
    assert!(replay(&["-"], &silent).stdout.contains("rooms 1, users 1"));
    let run = replay(&["--heartbeat-timeout-ms", "1999", "-"], &silent);
    assert!(run.stdout.contains("rooms 1, users 0"));

    let late = login("7", 1_000).replace("\"at\":1000,", "\"at\":2000000,");
    assert!(replay(&["-"], &late).stdout.contains("too late 1"));
    assert!(replay(&["--retention-ms=none", "-"], &late).stdout.contains("too late 0"));
    assert!(replay(&["--retention-ms=9000000", "-"], &late).stdout.contains("too late 0"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for options in [&["-"][..], &["--json", "-"], &["--explain", "-"], &["--help"]] {
        let mut stderr = Vec::new();
        let mut console = Console {
            stdin: &mut JOURNAL.as_bytes(),
            stdout: &mut Gone,
            stderr: &mut stderr,
            shows_progress: false,
        };
        let status = program::run(options.iter().map(OsString::from), &mut console);
        assert_eq!((status, stderr.len()), (Status::Fine, 0), "{options:?}");
    }
}

/// A login of ann to room r1, received when it happened.
fn login(session: &str, at: u64) -> String {
    format!(
        r#"{{"at":{at},"callback":{{"event":"room_login","room_id":"r1","room_seq":"{session}","user_account":"ann","session_id":"8","login_time":"{at}"}}}}"#
    )
}

struct Run {
    status: Status,
    stdout: String,
    stderr: String,
}

fn replay(args: &[impl AsRef<OsStr>], stdin: impl AsRef<[u8]>) -> Run {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console {
        stdin: &mut stdin.as_ref(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        shows_progress: false,
    };
    let status = program::run(args.iter().map(OsString::from), &mut console);
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
    Run { status, stdout: text(stdout), stderr: text(stderr) }
}

/// A directory for one test, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        std::fs::create_dir_all(&path).expect("the target directory can be written");
        Self(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a test, not the library")]
    fn file(&self, name: &str, content: &str) -> OsString {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("the directory was made just now");
        path.into()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
