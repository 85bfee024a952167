//! Snapshots to go on from: written, read, damaged, and those that cannot be written.

use std::ffi::OsStr;
use std::path::Path;

use super::program::Status;
use super::{CREATE_R1, JOURNAL, ROOMS, Scratch, replay};

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
            text.replacen("\"version\":2", "\"version\":1", 1),
            "no snapshot to start from: a snapshot of version 1 cannot be read: this is version 2",
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
