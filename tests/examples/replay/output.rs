//! What is printed: the document, what is mended and suspected, and the explanation in words.

use super::program::Status;
use super::{CREATE_R1, JOURNAL, login, replay, replay_to};

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
            "standard input:6: observation refused: the observation says that room \"r4\" is not \
             open, but lists users or streams in it",
            "standard input:7: missing field `observed_at`",
        ]
    );
    let run = replay(&["--explain", "-"], &journal);
    assert!(
        run.stdout.contains("2 at 1970-01-01T00:01:00.000Z: repaired: room r1, 4 changes\n"),
        "{}",
        run.stdout
    );
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
    let gap = serde_json::json!(
        {"room_id": "r1", "list": "users", "missing": [[3, 4]], "sign": "hole"}
    );
    assert_eq!(suspected(&[], 91_999), serde_json::json!([no_create]));
    assert_eq!(suspected(&[], 92_000), serde_json::json!([no_create, gap]));
    assert_eq!(suspected(&["--report-after-ms", "100000"], 92_000), serde_json::json!([]));
    assert!(replay(&["-"], journal(92_000)).stdout.contains("suspected      2 in 1 rooms\n"));
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
1 at 1970-01-01T00:00:01.000Z: created: room r1
2 at 1970-01-01T00:00:01.001Z: joined: user ann, room r1
3 at 1970-01-01T00:00:01.002Z: alive: user ann, room r1
4 at 1970-01-01T00:00:01.003Z: expired: nothing was due
5 at 1970-01-01T00:01:31.003Z: expired: user ann of room r1 timed out
6 at 1970-01-01T00:01:31.004Z: refused: user \"ann\" is not in room \"r1\"
7 at 1970-01-01T00:01:31.005Z: joined: user ben, room r1
8 at 1970-01-01T00:03:11.005Z: timed out: user ben, room r1
9 at 1970-01-01T00:03:20.000Z: applied: user ann logged in to room r1 at 1970-01-01T00:03:20.000Z; readers see the difference
10 at 1970-01-01T00:03:20.001Z: ended: room r1
";
    let run = replay(&["--explain", "-"], &journal);
    assert!(run.stdout.starts_with(sentences), "{}", run.stdout);
    assert!(run.stdout[sentences.len()..].starts_with("\nno room is open\n"), "{}", run.stdout);

    let run = replay(&["--explain", "--json", "-"], &journal);
    assert!(run.stdout.starts_with('{'), "standard output is for the document alone");
    assert!(run.stderr.contains("10 at 1970-01-01T00:03:20.001Z: ended: room r1\n"));
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
        let (status, stderr) = replay_to(&mut Gone, options, JOURNAL);
        assert_eq!((status, stderr.len()), (Status::Fine, 0), "{options:?}");
    }
}
