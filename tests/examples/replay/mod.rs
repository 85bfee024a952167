//! The example `replay`: the sample journal, bad input, and what it prints.

mod arguments;
#[path = "../../../examples/evening/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod evening;
mod input;
mod output;
#[path = "../../../examples/replay/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod program;
mod sample;
mod snapshots;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};

use program::{Console, Status};

/// The sample journal, and the rooms that it leads to.
const JOURNAL: &str = include_str!("../../fixtures/evening.jsonl");
const ROOMS: &str = include_str!("../../fixtures/evening.json");

const CREATE_R1: &str =
    r#"{"at":1000,"command":{"create_room":{"room_id":"r1","room_name":"One","host_id":"tom"}}}"#;

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
    let mut stdout = Vec::new();
    let (status, stderr) = replay_to(&mut stdout, args, stdin);
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
    Run { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Answers what went to the standard error.
fn replay_to(
    stdout: &mut impl Write,
    args: &[impl AsRef<OsStr>],
    stdin: impl AsRef<[u8]>,
) -> (Status, Vec<u8>) {
    let mut stderr = Vec::new();
    let mut console =
        Console { stdin: &mut stdin.as_ref(), stdout, stderr: &mut stderr, shows_progress: false };
    let status = program::run(args.iter().map(OsString::from), &mut console);
    (status, stderr)
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
