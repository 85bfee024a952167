//! The example `simulate`: what it prints, and that what it promises holds.

#[path = "../../examples/simulate/main.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod program;

use std::path::Path;

use program::{Console, Status};
use room_registry_world::effort::seeds;
use serde_json::Value;

/// A small world in which the run takes a moment.
const SMALL: [&str; 4] = ["--rooms", "30", "--events", "4000"];

#[test]
fn the_same_seed_prints_the_same_document_and_another_seed_another() {
    let first = simulate(&[&SMALL[..], &["--json"]].concat());
    assert_eq!((first.status, first.stderr.as_str()), (Status::Fine, ""));
    let again = simulate(&[&SMALL[..], &["--json", "--seed", "1"]].concat());
    assert!(first.stdout == again.stdout, "two runs of one seed differ");
    let other = simulate(&[&SMALL[..], &["--json", "--seed", "2"]].concat());
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn with_nothing_lost_this_crate_is_never_wrong_and_others_are() {
    for seed in ["1", "2", "3"] {
        let run = json(&["--loss", "0", "--duplicates", "0.2", "--outage", "50", "--seed", seed]);
        assert_eq!(run["traffic"]["lost"], 0);
        assert!(wrong(&run, "arrival order", "at_the_end") > 0);
        for name in ["this crate", "this crate with repair"] {
            assert_eq!(contestant(&run, name)["room_ms_wrong"], 0, "{name}, seed {seed}");
            assert_eq!(wrong(&run, name, "at_the_end"), 0, "{name}, seed {seed}");
        }
    }
}

#[test]
fn repair_mends_what_was_lost() {
    for seed in ["1", "2", "3"] {
        let run = json(&["--loss", "0.02", "--outage", "100", "--seed", seed]);
        assert!(run["traffic"]["lost"].as_u64().unwrap() > 50);
        assert!(wrong(&run, "this crate", "at_the_end") > 0);
        assert_eq!(wrong(&run, "this crate with repair", "at_the_end"), 0, "seed {seed}");
        let wrong_for = |name| contestant(&run, name)["room_ms_wrong"].as_u64().unwrap();
        let (without, with) = (wrong_for("this crate"), wrong_for("this crate with repair"));
        assert!(with * 100 <= without * 15, "seed {seed}: {with} of {without}");
        let calls = &contestant(&run, "this crate with repair")["calls"];
        assert_eq!(calls["refused"], 0, "the planner keeps to the server's limits");
        assert!(calls["made"].as_u64().unwrap() > 0);
    }
}

#[test]
fn without_a_budget_nothing_is_asked() {
    let run = json(&["--budget", "0"]);
    let repaired = contestant(&run, "this crate with repair");
    assert_eq!(repaired["calls"]["made"], 0);
    assert_eq!(repaired["room_ms_wrong"], contestant(&run, "this crate")["room_ms_wrong"]);
}

#[test]
fn clocks_that_are_far_apart_do_no_harm() {
    let run = json(&["--loss", "0", "--skew", "2000"]);
    assert_eq!(contestant(&run, "this crate")["room_ms_wrong"], 0);
}

#[test]
fn every_contestant_has_a_line() {
    let run = simulate(&SMALL);
    assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""));
    assert!(run.stdout.starts_with("30 rooms, 4,00"), "{}", run.stdout);
    for name in ["arrival order", "published recipe", "this crate", "this crate with repair"] {
        let lines = run.stdout.lines().map(str::trim_start);
        assert!(lines.into_iter().any(|line| line.starts_with(name)), "{name}: {}", run.stdout);
    }
    assert!(run.stdout.contains("\nrepair asked about "));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test, not the library")]
fn the_plot_is_drawn_into_the_file() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rooms-wrong.svg");
    let run =
        simulate(&[&SMALL[..], &["--outage", "90", "--plot", path.to_str().unwrap()]].concat());
    assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""));
    let svg = std::fs::read_to_string(&path).expect("it was written");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<polyline ").count(), 4);
    assert!(svg.contains("receiver down") && !svg.contains("NaN") && !svg.contains("inf"));

    let nowhere = simulate(&[&SMALL[..], &["--plot", "/nowhere/rooms.svg"]].concat());
    assert_eq!((nowhere.status, nowhere.status.code()), (Status::Failed, 1));
    assert!(nowhere.stderr.starts_with("simulate: cannot write /nowhere/rooms.svg: "));
}

#[test]
fn a_round_of_the_storm_finds_nothing() {
    for seed in seeds(1) {
        let seed = (seed + 6).to_string(); // the first takes a moment, and has a bit of everything
        let run = simulate(&["--storm", "0", "--seed", &seed]);
        assert_eq!(run.status, Status::Fine, "{}", run.stdout);
        assert!(run.stdout.ends_with("\nno divergence\n"), "{}", run.stdout);
    }
}

#[test]
fn arguments_that_make_no_sense_are_told() {
    for (args, problem) in [
        (&["--dance"][..], "invalid option '--dance'"),
        (&["rooms"], "unexpected argument \"rooms\""),
        (&["--rooms"], "missing argument for option '--rooms'"),
        (&["--rooms", "0"], "--rooms: 0 is no whole number from 1 to 100000"),
        (&["--events", "many"], "--events: many is no whole number from 1 to 1000000000"),
        (&["--loss", "2"], "--loss: 2 is no number from 0 to 1"),
        (&["--duplicates", "-0.1"], "--duplicates: -0.1 is no number from 0 to 1"),
        (&["--loss", "NaN"], "--loss: NaN is no number from 0 to 1"),
        (&["--skew", "99999999"], "--skew: 99999999 is no whole number from 0 to 60000"),
        (&["--storm", "soon"], "--storm: soon is no whole number from 0 to 1000000"),
    ] {
        let run = simulate(args);
        assert_eq!((run.status, run.status.code(), run.stdout.as_str()), (Status::Usage, 2, ""));
        assert!(
            run.stderr.starts_with(&format!("simulate: {problem}")),
            "{args:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("\nUsage: simulate "), "{}", run.stderr);
    }
}

#[test]
fn help_is_no_error() {
    let run = simulate(&["--help"]);
    assert_eq!((run.status.code(), run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("--outage SECONDS"));
}

/// The document of a small world with these options.
fn json(options: &[&str]) -> Value {
    let run = simulate(&[&SMALL[..], options, &["--json"]].concat());
    assert_eq!((run.status, run.stderr.as_str()), (Status::Fine, ""));
    serde_json::from_str(&run.stdout).expect("one document")
}

#[track_caller]
fn contestant<'a>(run: &'a Value, name: &str) -> &'a Value {
    let mut contestants = run["contestants"].as_array().expect("a list").iter();
    contestants.find(|contestant| contestant["name"] == name).expect("it takes part")
}

#[track_caller]
fn wrong(run: &Value, name: &str, when: &str) -> u64 {
    contestant(run, name)["rooms_wrong"][when].as_u64().expect("a number")
}

struct Run {
    status: Status,
    stdout: String,
    stderr: String,
}

fn simulate(args: &[&str]) -> Run {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console { stdout: &mut stdout, stderr: &mut stderr, shows_progress: false };
    let status = program::run(args.iter().map(std::ffi::OsString::from), &mut console);
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
    Run { status, stdout: text(stdout), stderr: text(stderr) }
}
