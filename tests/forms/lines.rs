//! Changes, the lines of a lobby, cursors and journals as they were written once: it is what is written now.
//!
//! Where such a form changes on purpose, this writes the files anew:
//!
//! ```text
//! REGENERATE=1 cargo test --test forms lines
//! ```

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt::Debug;

use room_registry::event::{
    CallbackEvent, LogoutReason, RoomCloseReason, RoomClosed, RoomCreated, StreamCloseReason,
    StreamClosed, StreamCreated, UserLoggedIn, UserLoggedOut,
};
use room_registry::journal::{Command, Input, JournalEntry};
use room_registry::page::{Direction, RoomCursor, RoomOrder, StreamCursor, UserCursor};
use room_registry::repair::{
    ObservedList, ObservedStream, ObservedUser, Sign, SuspectedList, Suspicion,
};
use room_registry::visible::SummaryChange;
use room_registry::{
    Callback, Cause, Change, ChangeKind, EndReason, Lifecycle, NewRoom, NewUser, Observation, Role,
    RoomUpdate, StreamSessionId, Text, Timestamp, UserSessionId, UserUpdate,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::filled::{each, never_varied, variants, variants_by};
use super::golden::{self, regenerate, room_id, session_id, stream_id, user_id};

/// Holds what is written now, a line each, against a file, and answers the lines of the file.
#[track_caller]
fn held_against<T>(file: &str, stored: &str, values: &[T]) -> Vec<Value>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let lines = values.iter().map(|value| serde_json::to_string(value).unwrap() + "\n");
    let written: String = lines.collect();
    if written != stored {
        regenerate(file, &written);
        panic!(
            "{file} has another form now; if that is meant: REGENERATE=1 cargo test --test forms lines"
        );
    }
    for (line, value) in stored.lines().zip(values) {
        assert_eq!(serde_json::from_str::<T>(line).unwrap(), *value, "{line}");
    }
    let lines: Vec<_> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(never_varied(&lines), [""; 0], "{file} does not show this");
    lines
}

#[test]
fn changes_keep_their_lines() {
    const STORED: &str = include_str!("../fixtures/forms/changes.jsonl");
    let lines = held_against("forms/changes.jsonl", STORED, &changes());
    let names = |field: &str| -> BTreeSet<_> {
        lines.iter().map(|line| line[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("kind"), variants_by::<ChangeKind>(&json!({"kind": "no such kind"})));
    assert_eq!(names("cause"), variants::<Cause>());
}

#[test]
fn the_lines_of_a_lobby_keep_their_form() {
    const STORED: &str = include_str!("../fixtures/forms/summaries.jsonl");
    let registry = golden::restored();
    let gone = SummaryChange::RoomUnlisted { room_id: room_id("closed") };
    let rooms = registry.rooms().map(|room| SummaryChange::RoomSummary(room.summary()));
    let lines =
        held_against("forms/summaries.jsonl", STORED, &rooms.chain([gone]).collect::<Vec<_>>());
    let kinds: BTreeSet<_> =
        lines.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, variants_by::<SummaryChange>(&json!({"kind": "no such kind"})));
    // A room alone reads as what its line carries.
    for (room, line) in registry.rooms().zip(&lines) {
        assert_eq!(serde_json::to_value(room).unwrap(), line["value"]);
    }
}

#[test]
fn cursors_keep_their_texts() {
    const STORED: &str = include_str!("../fixtures/forms/cursors.jsonl");
    let registry = golden::restored();
    let show = registry.room("show").unwrap();
    let orders = ["newest", "oldest", "users", "id", "score"].map(|name| name.parse().unwrap());
    let rooms = orders.map(|order| match order {
        RoomOrder::Score => RoomCursor::new(order, u64::MAX, room_id("a~b é")),
        order => show.cursor(order),
    });
    let users = show.user_page(2, None, Direction::OldestFirst).next.unwrap();
    let screen = StreamCreated::new(stream_id("screen"), golden::at(299));
    let mut registry = golden::restored();
    registry.apply_callback(&golden::callback("show", golden::SECOND, screen));
    let streams = registry.room("show").unwrap().stream_page(1, None, Direction::NewestFirst);
    let streams = streams.next.unwrap();

    let text = |value: Value| value.as_str().unwrap().to_owned();
    let mut written: Vec<_> =
        rooms.iter().map(|cursor| text(serde_json::to_value(cursor).unwrap())).collect();
    written.push(text(serde_json::to_value(&users).unwrap()));
    written.push(text(serde_json::to_value(&streams).unwrap()));
    held_against("forms/cursors.jsonl", STORED, &written);
    for (cursor, text) in rooms.iter().zip(&written) {
        assert_eq!(text.parse().as_ref(), Ok(cursor));
        assert_eq!(&serde_json::from_value::<RoomCursor>(json!(text)).unwrap(), cursor);
    }
    assert_eq!(serde_json::from_value::<UserCursor>(json!(written[5])).unwrap(), users);
    assert_eq!(serde_json::from_value::<StreamCursor>(json!(written[6])).unwrap(), streams);
}

#[test]
fn the_entries_of_a_journal_keep_their_lines() {
    const STORED: &str = include_str!("../fixtures/forms/journal.jsonl");
    let inputs = inputs();
    let entries = (0..).zip(inputs).map(|(second, input)| JournalEntry::new(at(second), input));
    let lines = held_against("forms/journal.jsonl", STORED, &entries.collect::<Vec<_>>());
    let inputs: Vec<_> = lines.iter().map(|line| &line["input"]).collect();
    assert_eq!(names(inputs.iter().copied()), variants::<Input>());
    let commands = inputs.iter().filter_map(|input| input.get("command"));
    assert_eq!(names(commands), variants::<Command>());
    let events = inputs.iter().filter_map(|input| input.get("callback"));
    assert_eq!(names(events.map(|callback| &callback["event"])), variants::<CallbackEvent>());
    let lists = inputs.iter().filter_map(|input| input.get("observation"));
    let lists = lists.flat_map(|seen| [&seen["users"], &seen["streams"]]);
    assert_eq!(names(lists), variants::<ObservedList<ObservedUser>>());
}

/// What later versions added may be missing from a line, and so may everything that is merely unknown.
#[test]
fn the_lines_of_an_old_journal_are_read_as_they_were_meant() {
    const STORED: &str = include_str!("../fixtures/forms/old-journal.jsonl");
    let read: Vec<JournalEntry> =
        STORED.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let meant = sparse_inputs();
    assert_eq!(read.len(), meant.len());
    for ((second, entry), meant) in (0..).zip(read).zip(meant) {
        assert_eq!(entry, JournalEntry::new(at(second), meant));
    }
    let inputs: Vec<Value> = STORED
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["input"].take())
        .collect();
    assert_eq!(names(&inputs), variants::<Input>());
    assert_eq!(
        names(inputs.iter().filter_map(|input| input.get("command"))),
        variants::<Command>()
    );
    let events = inputs.iter().filter_map(|input| input.get("callback"));
    assert_eq!(names(events.map(|callback| &callback["event"])), variants::<CallbackEvent>());
}

/// The names of variants: each alone, or with what it carries.
fn names(values: impl IntoIterator<Item: Borrow<Value>>) -> BTreeSet<String> {
    let name = |value: &Value| match value {
        Value::String(name) => name.clone(),
        value => value.as_object().unwrap().keys().next().unwrap().clone(),
    };
    values.into_iter().map(|value| name(value.borrow())).collect()
}

/// A change of each kind, by each cause and for each reason, made of what the stored registry shows.
fn changes() -> Vec<Change> {
    let mut registry = golden::restored();
    let room = |id: &str| registry.room(id).unwrap().to_owned();
    let [show, asked, limits, seen, signs] = ["show", "asked", "limits", "seen", "signs"].map(room);
    let mut kinds = Vec::new();
    for room in [&show, &asked, &limits, &signs] {
        let (info, session) = (room.info.clone(), room.session.clone());
        kinds.push(ChangeKind::RoomListed { info: info.clone(), session });
        kinds.push(ChangeKind::RoomUpdated { info });
    }
    kinds.push(ChangeKind::RoomUnlisted);
    for session in [&signs.session, &asked.session] {
        let session = session.clone().unwrap();
        let session_id = session.session_id.clone();
        kinds.push(ChangeKind::SessionOpened(session.clone()));
        kinds.push(ChangeKind::SessionUpdated(session));
        kinds.push(ChangeKind::SessionClosed { session_id });
    }
    for room in [&show, &limits, &seen, &signs] {
        kinds.extend(room.users.values().cloned().map(ChangeKind::UserJoined));
        kinds.extend(room.users.values().take(1).cloned().map(ChangeKind::UserUpdated));
        kinds.extend(room.streams.values().cloned().map(ChangeKind::StreamOpened));
        kinds.extend(room.streams.values().take(1).cloned().map(ChangeKind::StreamUpdated));
    }
    for reason in reasons() {
        kinds.push(ChangeKind::UserLeft { user_id: user_id("ann"), at: at(9), reason });
    }
    for reason in reasons() {
        kinds.push(ChangeKind::StreamClosed { stream_id: stream_id("camera"), at: at(9), reason });
    }
    assert!(!signs.suspicions.is_empty());
    for suspicion in signs.suspicions {
        let Suspicion { list, sign, .. } = suspicion;
        kinds.push(ChangeKind::SuspicionRaised(suspicion));
        kinds.push(ChangeKind::SuspicionWithdrawn { list, sign });
    }
    for sign in each::<Sign>() {
        kinds.push(ChangeKind::SuspicionWithdrawn { list: SuspectedList::Room, sign });
    }
    for list in each::<SuspectedList>() {
        kinds.push(ChangeKind::SuspicionWithdrawn { list, sign: Sign::Gap });
    }
    registry.create_room(NewRoom::new("r1", "tom")).unwrap();
    let any = registry.changes().next().unwrap();
    let causes = each::<Cause>();
    let causes = causes.iter().cycle();
    let change = |(kind, cause): (ChangeKind, &Cause)| {
        let mut change = any.clone();
        (change.kind, change.cause) = (kind, *cause);
        change
    };
    kinds.into_iter().zip(causes).map(change).collect()
}

/// Why somebody or something went: each reason, and the vendor's own.
fn reasons() -> Vec<EndReason> {
    let mut reasons = each::<EndReason>();
    reasons.extend(each::<LogoutReason>().into_iter().map(Some).map(EndReason::LoggedOut));
    reasons.extend(each::<StreamCloseReason>().into_iter().map(Some).map(EndReason::StreamClosed));
    reasons
}

/// Inputs of each kind, with all that each may carry, and with as little.
fn inputs() -> Vec<Input> {
    let room = || NewRoom::new("r1", "tom").name("Show").attribute("mode", "talk");
    let update = || RoomUpdate::new().host("ann").name("Show").attribute("mode", "talk");
    let user = UserUpdate::new().name("Ann").role(Role::HOST).attribute("seat", "2");
    let join = NewUser::new("ann").name("Ann").role(Role::HOST).attribute("seat", "2");
    let (ten, twenty) = (std::time::Duration::from_secs(10), std::time::Duration::from_secs(20));
    let (r1, ann) = (|| room_id("r1"), || user_id("ann"));
    let phone = || Some("phone".parse().unwrap());
    let attributes = || [("seat".into(), Some("2".into())), ("mode".into(), None)].into();
    let mut inputs: Vec<Input> = Vec::new();
    let mut of_room = |room: NewRoom| inputs.push(Command::CreateRoom(room).into());
    of_room(NewRoom::new("r1", "tom"));
    for lifecycle in each::<Lifecycle>() {
        let room = room().lifecycle(lifecycle).max_users(8).ends_at(at(90));
        of_room(room.first_join_grace(ten).empty_grace(twenty));
    }
    let update = update().lifecycle(Lifecycle::Permanent).max_users(8).ends_at(at(90));
    let update = update.remove_attribute("cover").first_join_grace(ten).empty_grace(twenty);
    let commands = [
        Command::UpdateRoom { room_id: r1(), update },
        Command::UpdateRoom { room_id: r1(), update: RoomUpdate::new() },
        Command::EndRoom { room_id: r1() },
        Command::JoinRoom { room_id: r1(), user: join.connection("phone") },
        Command::JoinRoom { room_id: r1(), user: NewUser::new("ann") },
        Command::LeaveRoom { room_id: r1(), user_id: ann(), connection_id: phone() },
        Command::LeaveRoom { room_id: r1(), user_id: ann(), connection_id: None },
        Command::RemoveUser { room_id: r1(), user_id: ann(), reason: "spam".into() },
        Command::Heartbeat {
            room_id: r1(),
            user_id: ann(),
            connection_id: phone(),
            update: user.clone(),
        },
        Command::UpdateUser {
            room_id: r1(),
            user_id: ann(),
            update: user.remove_attribute("level"),
        },
        Command::UpdateStream {
            room_id: r1(),
            stream_id: stream_id("camera"),
            attributes: attributes(),
        },
        Command::GrantGrace,
    ];
    inputs.extend(commands.map(Input::from));
    let told = |event: CallbackEvent| Callback::new(r1(), session_id("7"), event);
    let (stay, life) = (UserSessionId::new("71").unwrap(), StreamSessionId::new("s-1").unwrap());
    let login = UserLoggedIn::new(ann(), at(2)).user_session_id(stay.clone()).order(3).counter(4);
    let login = login.user_name(Text::from("Ann")).role(Role::HOST).room_name(Text::from("Show"));
    let logout = UserLoggedOut::new(ann(), at(8)).user_session_id(stay).order(5).counter(6);
    let stream = StreamCreated::new(stream_id("camera"), at(3)).stream_session_id(life.clone());
    let stream = stream.order(1).counter(2).details(golden::details());
    let closed = StreamClosed::new(stream_id("camera"), at(7)).stream_session_id(life);
    let callbacks = [
        told(RoomCreated::new(at(1)).creator_id(user_id("tom")).into()),
        told(RoomClosed::new(at(9)).into()),
        told(login.into()),
        told(UserLoggedIn::new(ann(), at(2)).exclusive(false).into()),
        told(logout.login_at(at(2)).into()),
        told(UserLoggedOut::new(ann(), at(8)).exclusive(false).opening_optional(true).into()),
        told(stream.into()),
        told(StreamCreated::new(stream_id("camera"), at(3)).exclusive(false).into()),
        told(closed.order(3).counter(4).created_at(at(3)).into()),
        Callback::new(
            r1(),
            None,
            StreamClosed::new(stream_id("camera"), at(7)).exclusive(false).opening_optional(true),
        ),
    ];
    inputs.extend(callbacks.map(Input::from));
    for reason in each::<RoomCloseReason>() {
        let mut closed = RoomClosed::new(at(9));
        closed.reason = Some(reason);
        inputs.push(told(closed.into()).into());
    }
    for reason in each::<LogoutReason>() {
        inputs.push(told(UserLoggedOut::new(ann(), at(8)).reason(reason).into()).into());
    }
    for reason in each::<StreamCloseReason>() {
        let closed = StreamClosed::new(stream_id("camera"), at(7)).reason(reason);
        inputs.push(told(closed.into()).into());
    }
    inputs.extend(observations().map(Input::from));
    inputs.push(Input::Expire);
    inputs
}

/// Observations with all that each may carry, and with as little.
fn observations() -> [Observation; 4] {
    let mut seen_user = ObservedUser::new(user_id("ann")).name("Ann");
    (seen_user.role, seen_user.login_at) = (Some(Role::HOST), Some(at(2)));
    let mut seen_stream = ObservedStream::new(stream_id("camera"));
    (seen_stream.created_at, seen_stream.details) = (Some(at(3)), golden::details());
    let seen = || Observation::new(room_id("r1"), at(5));
    let users = [seen_user];
    let streams = [seen_stream];
    let whole = seen().users(users.clone()).streams(streams.clone());
    [
        whole.session_id(session_id("7")).open(true),
        seen().some_users(users).some_streams(streams),
        seen().open(false).users([]).streams([]),
        seen(),
    ]
}

/// What the lines of the old journal say.
fn sparse_inputs() -> Vec<Input> {
    let (r1, ann) = (|| room_id("r1"), || user_id("ann"));
    let told = |event: CallbackEvent| Input::from(Callback::new(r1(), session_id("7"), event));
    let update = UserUpdate::new;
    vec![
        Command::CreateRoom(NewRoom::new("r1", "tom").lifecycle(Lifecycle::UntilEnded)).into(),
        Command::UpdateRoom { room_id: r1(), update: RoomUpdate::new() }.into(),
        Command::EndRoom { room_id: r1() }.into(),
        Command::JoinRoom { room_id: r1(), user: NewUser::new("ann") }.into(),
        Command::LeaveRoom { room_id: r1(), user_id: ann(), connection_id: None }.into(),
        Command::RemoveUser { room_id: r1(), user_id: ann(), reason: "".into() }.into(),
        Command::Heartbeat { room_id: r1(), user_id: ann(), connection_id: None, update: update() }
            .into(),
        Command::UpdateUser { room_id: r1(), user_id: ann(), update: update() }.into(),
        Command::UpdateStream {
            room_id: r1(),
            stream_id: stream_id("camera"),
            attributes: [].into(),
        }
        .into(),
        Command::GrantGrace.into(),
        told(RoomCreated::new(at(1)).into()),
        Callback::new(r1(), None, RoomClosed::new(at(9))).into(),
        told(UserLoggedIn::new(ann(), at(2)).into()),
        told(UserLoggedOut::new(ann(), at(8)).into()),
        told(StreamCreated::new(stream_id("camera"), at(3)).into()),
        told(StreamClosed::new(stream_id("camera"), at(7)).into()),
        Observation::new(r1(), at(5)).users([ObservedUser::new(ann())]).into(),
        Input::Expire,
    ]
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}
