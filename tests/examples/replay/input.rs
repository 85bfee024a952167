//! Lines of every kind, bad ones among them, and files that are read one after the other.

use std::ffi::OsString;
use std::path::Path;

use super::program::Status;
use super::{CREATE_R1, Scratch, replay};

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
        [
            "1 at 1970-01-01T00:00:07.000Z",
            "2 at 1970-01-01T00:00:09.500Z",
            "3 at 1970-01-01T00:00:09.500Z",
            "4 at 1970-01-01T00:00:10.000Z",
            "5 at 1970-01-01T00:00:10.000Z"
        ]
    );
    assert_eq!(run.status, Status::Fine);
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
    assert!(run.stdout.contains(&format!(
        "{}:1 at 1970-01-01T00:00:02.000Z: ended: room r1",
        Path::new(&second).display()
    )));
    assert!(run.stdout.contains("no room is open"));
}
