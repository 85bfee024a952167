//! Journals: replayed, with and without a snapshot, they give the same state.

use std::time::Duration;

use proptest::prelude::*;
use room_registry::journal::{Answer, Command, Input, JournalEntry};
use room_registry::repair::ObservedUser;
use room_registry::{
    Clock, Config, Error, Heartbeat, ManualClock, Mirror, NewRoom, NewUser, Observation, RoomId,
    RoomRegistry, Timestamp, UserId,
};
use room_registry_world::effort::properties;
use room_registry_world::inputs::input;
use serde_json::{Value, json};

type Registry = RoomRegistry<ManualClock>;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// What everybody can see and all that is held.
#[track_caller]
fn assert_same(one: &Registry, other: &Registry) {
    assert_eq!(saved(one), saved(other));
    assert_eq!(one.rooms().collect::<Mirror>(), other.rooms().collect());
    let ids = |registry: &Registry| -> Vec<_> {
        registry.rooms().map(|room| room.id().clone()).collect()
    };
    assert_eq!(ids(one), ids(other));
    assert_eq!(one.outcomes(), other.outcomes());
    let counts = |registry: &Registry| {
        (
            registry.room_count(),
            registry.user_count(),
            registry.stream_count(),
            registry.session_count(),
            registry.held_room_count(),
        )
    };
    assert_eq!(counts(one), counts(other));
}

fn saved(registry: &Registry) -> Value {
    serde_json::to_value(registry.snapshot()).unwrap()
}

/// What is given, after how long, and how far the clock is set back before it.
type Step = (u64, u64, Input);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![4 => 0..50_u64, 2 => 0..4_000_u64, 1 => 0..30_000_u64];
    let back = prop_oneof![15 => Just(0_u64), 1 => 0..5_000_u64, 1 => 5_000..60_000_u64];
    prop::collection::vec((pause, back, input()), 0..60)
}

/// Settings under which much happens in a short time.
fn config() -> impl Strategy<Value = Config> {
    let retention = prop::sample::select(vec![
        None,
        Some(Duration::from_secs(4)),
        Some(Duration::from_secs(600)),
    ]);
    (retention, any::<bool>(), prop::option::of(0..3_usize)).prop_map(
        |(retention, end_logins, auto)| {
            let lifecycle = [
                room_registry::Lifecycle::UntilEmpty,
                room_registry::Lifecycle::FollowsSession,
                room_registry::Lifecycle::UntilEnded,
            ];
            Config::builder()
                .retention(retention)
                .heartbeat_timeout(Duration::from_secs(3))
                .empty_grace(Duration::from_secs(2))
                .heartbeats_end_logins(end_logins)
                .auto_create_rooms(auto.map(|which| lifecycle[which]))
                .max_users_per_room(Some(2))
                .max_rooms_per_host(Some(1))
                .build()
                .unwrap()
        },
    )
}

/// Plays the steps on a live registry, writes each down beside it, and keeps the answers. `look` sees
/// the registry before each step and at the end.
fn play(
    config: &Config,
    steps: Vec<Step>,
    mut look: impl FnMut(usize, &Registry),
) -> (Registry, Vec<JournalEntry>, Vec<Result<Answer, Error>>) {
    let clock = ManualClock::at(at(1_004_000)); // where the junk is stamped
    let mut live = RoomRegistry::with_clock(config.clone(), clock.clone());
    let (mut journal, mut answers) = (Vec::new(), Vec::new());
    for (number, (pause, back, input)) in steps.into_iter().enumerate() {
        look(number, &live);
        clock.set(at((clock.now().as_millis() + pause).saturating_sub(back)));
        answers.push(live.apply_input(&input));
        journal.push(JournalEntry::new(clock.now(), input));
    }
    look(journal.len(), &live);
    (live, journal, answers)
}

/// Written as JSON lines, and read back.
fn kept(journal: &[JournalEntry]) -> Vec<JournalEntry> {
    let lines: Vec<_> = journal.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let text = lines.join("\n");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An empty registry whose own clock is nowhere near the journal.
fn empty(config: &Config) -> Registry {
    RoomRegistry::with_clock(config.clone(), ManualClock::at(at(77)))
}

proptest! {
    #![proptest_config(properties(300))]

    #[test]
    fn a_replayed_journal_gives_the_same_state_and_the_same_answers(config in config(), steps in steps()) {
        let (live, journal, answers) = play(&config, steps, |_, _| {});
        let read = kept(&journal);
        prop_assert_eq!(&read, &journal);
        let mut replayed = empty(&config);
        let mut mirror = Mirror::default();
        for (entry, answer) in read.into_iter().zip(answers) {
            prop_assert_eq!(replayed.replay(&entry), answer);
            replayed.changes().for_each(|change| mirror.apply(&change));
            prop_assert_eq!(&mirror, &replayed.rooms().collect());
        }
        assert_same(&replayed, &live);
        prop_assert_eq!(replayed.next_expiry(), live.next_expiry());
    }

    /// Holds law 1.7.
    #[test]
    fn a_snapshot_and_the_journal_since_give_the_same_state_as_the_whole_journal(
        config in config(),
        steps in steps(),
        place: prop::sample::Index,
    ) {
        let place = place.index(steps.len() + 1);
        let mut snapshot = String::new();
        let (live, journal, answers) = play(&config, steps, |number, live| {
            if number == place {
                snapshot = serde_json::to_string(&live.snapshot()).unwrap();
            }
        });
        let mut reader = serde_json::Deserializer::from_str(&snapshot);
        let clock = ManualClock::at(at(77));
        let mut restored = RoomRegistry::restore_exactly(config, clock, &mut reader).unwrap();
        prop_assert_eq!(serde_json::to_string(&restored.snapshot()).unwrap(), snapshot);
        for (entry, answer) in journal.into_iter().zip(answers).skip(place) {
            prop_assert_eq!(restored.replay(&entry), answer);
        }
        assert_same(&restored, &live);
    }
}

#[test]
fn a_replay_takes_the_time_of_each_entry_and_calls_after_it_the_clock_again() {
    let clock = ManualClock::at(at(5_000));
    let mut registry = RoomRegistry::with_clock(Config::default(), clock);
    let create = Command::CreateRoom(NewRoom::new("r1", "tom"));
    assert_eq!(registry.replay(&JournalEntry::new(at(1_000), create.clone())), Ok(Answer::Done));
    let refused = registry.replay(&JournalEntry::new(at(2_000), create));
    assert_eq!(refused, Err(Error::RoomAlreadyExists { room_id: "r1".into() }));
    registry.join_room("r1", NewUser::new("ann")).unwrap();
    let room = registry.room("r1").unwrap();
    assert_eq!(room.info().unwrap().created_at, at(1_000));
    assert_eq!(room.user("ann").unwrap().membership().unwrap().joined_at, at(5_000));
}

#[test]
fn who_was_silent_while_the_process_was_away_gets_a_grace_by_an_entry_of_the_journal() {
    let command = |json: Value| serde_json::from_value::<Command>(json).unwrap();
    let ann = || json!({"room_id": "r1", "user_id": "ann"});
    let journal = |silence| {
        [
            JournalEntry::new(at(0), Command::CreateRoom(NewRoom::new("r1", "tom"))),
            JournalEntry::new(at(0), command(json!({"join_room": ann()}))),
            JournalEntry::new(at(silence), Command::GrantGrace),
            JournalEntry::new(at(silence), Input::Expire),
            JournalEntry::new(at(silence + 90_000), command(json!({"heartbeat": ann()}))),
        ]
    };
    for silence in [1_000, 3_600_000] {
        let mut registry = empty(&Config::default());
        let answers: Vec<_> =
            journal(silence).into_iter().map(|entry| registry.replay(&entry)).collect();
        assert_eq!(answers.last().unwrap(), &Ok(Answer::Heartbeat(Heartbeat::Alive)));
    }
}

#[test]
fn an_entry_that_was_damaged_or_forged_is_an_error_and_no_input() {
    for (line, problem) in [
        (r#"{"received_at":1}"#, "missing field `input`"),
        (r#"{"input":"expire"}"#, "missing field `received_at`"),
        (r#"{"received_at":-1,"input":"expire"}"#, "invalid value: integer `-1`"),
        (r#"{"received_at":1,"input":{"dance":{}}}"#, "unknown variant `dance`"),
        (
            r#"{"received_at":1,"input":{"command":{"end_room":{"room_id":""}}}}"#,
            "a room id must not be empty",
        ),
        (
            r#"{"received_at":1,"input":{"callback":{"room_id":"r1","session_id":"a\nb","event":{"room_closed":{"closed_at":1,"reason":null}}}}}"#,
            "control character",
        ),
        (r#"{"received_at":1,"input":{"callback":{"room_id":"r1""#, "EOF"),
    ] {
        let error = serde_json::from_str::<JournalEntry>(line).unwrap_err().to_string();
        assert!(error.contains(problem), "{line}: {error}");
    }
}

/// What a server answers with: an answer in JSON, or an error with its status.
#[test]
fn answers_are_json_and_errors_have_a_status() {
    let mut registry =
        RoomRegistry::with_clock(Config::default(), ManualClock::at(Timestamp::from_secs(1_000)));
    let mut ask = |command: &str| {
        let command: Command = serde_json::from_str(command).unwrap();
        match registry.apply_command(&command) {
            Ok(answer) => (200, serde_json::to_string(&answer).unwrap()),
            Err(error) => (error.http_status(), error.name().to_owned()),
        }
    };
    let name = "x".repeat(2_000);
    for (command, status, answer) in [
        (r#"{"end_room":{"room_id":"r"}}"#, 404, "room_not_found"),
        (r#"{"create_room":{"room_id":"r","host_id":"tom","max_users":1}}"#, 200, r#""done""#),
        (r#"{"create_room":{"room_id":"r","host_id":"tom"}}"#, 409, "room_already_exists"),
        (r#"{"create_room":{"room_id":"","host_id":"tom"}}"#, 400, "invalid_id"),
        (r#"{"heartbeat":{"room_id":"r","user_id":"ann"}}"#, 404, "user_not_in_room"),
        (r#"{"join_room":{"room_id":"r","user_id":"ann"}}"#, 200, r#""done""#),
        (r#"{"join_room":{"room_id":"r","user_id":"ann"}}"#, 409, "user_already_joined"),
        (r#"{"join_room":{"room_id":"r","user_id":"bob"}}"#, 409, "room_full"),
        (r#"{"heartbeat":{"room_id":"r","user_id":"ann"}}"#, 200, r#"{"heartbeat":"alive"}"#),
        (
            &format!(r#"{{"update_room":{{"room_id":"r","room_name":"{name}"}}}}"#),
            400,
            "text_too_long",
        ),
        (r#"{"leave_room":{"room_id":"r","user_id":"ann"}}"#, 200, r#""done""#),
        (r#"{"heartbeat":{"room_id":"r","user_id":"ann"}}"#, 200, r#"{"heartbeat":"left"}"#),
    ] {
        assert_eq!(ask(command), (status, answer.to_owned()), "{command}");
    }
    let expired = serde_json::to_value(registry.apply_input(&Input::Expire).unwrap()).unwrap();
    assert_eq!(expired["expired"]["memberships"], 0);
    // Those that are no client's fault.
    let observation = Observation::new(RoomId::new("r").unwrap(), Timestamp::from_secs(999))
        .open(false)
        .users([ObservedUser::new(UserId::new("ann").unwrap())]);
    assert_eq!(registry.apply_observation(&observation).unwrap_err().http_status(), 500);
}

/// Old journals and clients of any language have these lines: each is flat, whatever values it is made of.
#[test]
fn every_command_keeps_its_line() {
    let room = json!({
        "room_id": "r1", "host_id": "tom", "room_name": "Show", "attributes": {"mode": "talk"},
        "lifecycle": "permanent", "max_users": 5, "ends_at": 90, "first_join_grace_ms": 7,
        "empty_grace_ms": 8,
    });
    let update = json!({
        "room_id": "r1", "host_id": null, "room_name": "Show", "attributes": {"mode": null},
        "lifecycle": "until_empty", "max_users": 5, "ends_at": 90, "first_join_grace_ms": 7,
        "empty_grace_ms": 8,
    });
    let join = json!({
        "room_id": "r1", "user_id": "ann", "user_name": "Ann", "role": "1",
        "attributes": {"seat": "2"}, "connection_id": "phone",
    });
    let of_user = json!({"user_name": "Ann", "role": "2", "attributes": {"seat": null}});
    let with = |more: &[(&str, &str)]| {
        let mut line = of_user.clone();
        for (key, value) in more {
            line[*key] = json!(value);
        }
        line
    };
    let lines = [
        json!({"create_room": room}),
        json!({"update_room": update}),
        json!({"end_room": {"room_id": "r1"}}),
        json!({"join_room": join}),
        json!({"leave_room": {"room_id": "r1", "user_id": "ann", "connection_id": "phone"}}),
        json!({"remove_user": {"room_id": "r1", "user_id": "ann", "reason": "spam"}}),
        json!({"heartbeat":
            with(&[("room_id", "r1"), ("user_id", "ann"), ("connection_id", "phone")])}),
        json!({"update_user": with(&[("room_id", "r1"), ("user_id", "ann")])}),
        json!({"update_stream": {"room_id": "r1", "stream_id": "camera", "attributes": {"a": "b"}}}),
        json!("grant_grace"),
    ];
    for line in lines {
        let command: Command = serde_json::from_value(line.clone()).expect("a command");
        assert_eq!(serde_json::to_value(&command).unwrap(), line);
        let bytes = postcard::to_stdvec(&command).unwrap();
        assert_eq!(postcard::from_bytes::<Command>(&bytes).unwrap(), command);
    }
}
