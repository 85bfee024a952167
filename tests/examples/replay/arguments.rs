//! Arguments: the senseless ones, the help, and the settings that they change.

use super::program::Status;
use super::{CREATE_R1, login, replay};

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
