//! What the replay led to: a table and totals for people, or one JSON document.

use std::collections::BTreeSet;
use std::io::{self, Write};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use room_registry::repair::{Sign, SuspectedList};
use room_registry::{
    Outcome, Outcomes, RoomQuery, RoomRef, SessionId, StreamRef, Text, UserId, UserRef,
    UserSessionId,
};
use serde::Serialize;

use super::options::Window;
use super::replay::{Replay, Totals};
use super::text::{Clean, cut, span};

/// The open rooms that the window shows, and the totals.
pub(crate) fn table(replay: &Replay, window: Window, out: &mut dyn Write) -> io::Result<()> {
    let mut query = RoomQuery::new(window.order)
        .limit(window.limit.unwrap_or(usize::MAX))
        .look_at_most(usize::MAX);
    if let Some(cursor) = window.cursor {
        query = query.after(cursor);
    }
    let page = replay.registry.page(&query).map_err(io::Error::other)?;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(["room", "name", "host", "session", "users", "streams", "open for"]);
    for room in page.rooms {
        table.add_row(row(room, replay));
    }
    for number in [4, 5, 6] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if table.is_empty() {
        writeln!(out, "no room is open")?;
    } else {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    if let Some(next) = page.next {
        writeln!(out, "\nmore: --cursor '{}'", Clean(&next.to_string()))?;
    }
    totals(replay, out)
}

fn row(room: RoomRef<'_>, replay: &Replay) -> [String; 7] {
    let or_dash = |text: Option<&str>, max| text.map_or("-".to_owned(), |text| cut(text, max));
    [
        cut(room.id().as_str(), 20),
        or_dash(room.name().map(Text::as_str), 24),
        or_dash(room.host_id().map(UserId::as_str), 16),
        or_dash(room.session_id().map(SessionId::as_str), 20),
        room.user_count().to_string(),
        room.stream_count().to_string(),
        room.began_at().map_or("-".to_owned(), |at| span(replay.last_at.since(at))),
    ]
}

fn totals(replay: &Replay, out: &mut dyn Write) -> io::Result<()> {
    let Totals {
        lines,
        commands,
        refused_commands,
        other_events,
        expiries,
        observations,
        bad_lines,
    } = &replay.totals;
    let registry = &replay.registry;
    let outcomes = registry.outcomes();
    let shares: Vec<_> = Outcome::ALL
        .into_iter()
        .map(|outcome| format!("{} {}", outcome.name().replace('_', " "), outcomes.of(outcome)))
        .collect();
    writeln!(out)?;
    writeln!(
        out,
        "open now       rooms {}, users {}, streams {}",
        registry.room_count(),
        registry.user_count(),
        registry.stream_count()
    )?;
    writeln!(out, "lines read     {lines}")?;
    writeln!(out, "commands       {commands}, of them refused {refused_commands}")?;
    writeln!(out, "callbacks      {}: {}", outcomes.total(), shares.join(", "))?;
    writeln!(out, "other events   {other_events} ignored")?;
    writeln!(out, "observations   {observations}")?;
    writeln!(out, "expiries       {expiries}")?;
    let suspected = suspected(replay);
    let rooms: BTreeSet<_> = suspected.iter().map(|suspected| suspected.room_id).collect();
    writeln!(out, "suspected      {} in {} rooms", suspected.len(), rooms.len())?;
    writeln!(out, "bad lines      {bad_lines}")
}

#[derive(Serialize)]
struct Document<'a> {
    rooms: Vec<JsonRoom<'a>>,
    outcomes: Outcomes,
    suspected: Vec<JsonSuspicion<'a>>,
}

/// A sign that callbacks of a room were lost.
#[derive(Serialize)]
struct JsonSuspicion<'a> {
    room_id: &'a str,
    list: SuspectedList,
    /// As pairs of the first and the last; null if the sign is no gap.
    missing: Option<Vec<(u64, u64)>>,
    sign: Sign,
}

#[derive(Serialize)]
struct JsonRoom<'a> {
    room_id: &'a str,
    room_name: Option<&'a str>,
    host_id: Option<&'a str>,
    session_id: Option<&'a str>,
    users: Vec<JsonUser<'a>>,
    streams: Vec<JsonStream<'a>>,
}

#[derive(Serialize)]
struct JsonUser<'a> {
    user_id: &'a str,
    user_name: Option<&'a str>,
    session_id: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonStream<'a> {
    stream_id: &'a str,
    user_id: Option<&'a str>,
}

/// The open rooms and the outcomes as one document. Lists are sorted by id.
pub(crate) fn json(replay: &Replay, out: &mut dyn Write) -> io::Result<()> {
    let mut rooms: Vec<_> = replay.registry.rooms().map(JsonRoom::from).collect();
    rooms.sort_unstable_by_key(|room| room.room_id);
    let (outcomes, suspected) = (replay.registry.outcomes(), suspected(replay));
    let document = Document { rooms, outcomes, suspected };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// What is suspected at the time of the last line, by room.
fn suspected(replay: &Replay) -> Vec<JsonSuspicion<'_>> {
    let grace = replay.registry.config().report_after();
    let mut suspected: Vec<_> = replay
        .registry
        .rooms()
        .flat_map(|room| {
            let suspicions = room.suspicions_as_of(replay.last_at, grace).into_iter();
            suspicions.map(move |suspicion| JsonSuspicion {
                room_id: room.id().as_str(),
                list: suspicion.list,
                missing: (suspicion.sign == Sign::Gap).then_some(suspicion.missing),
                sign: suspicion.sign,
            })
        })
        .collect();
    suspected.sort_by_key(|suspicion| suspicion.room_id);
    suspected
}

impl<'a> From<RoomRef<'a>> for JsonRoom<'a> {
    fn from(room: RoomRef<'a>) -> Self {
        let mut users: Vec<_> = room.users().map(JsonUser::from).collect();
        users.sort_unstable_by_key(|user| user.user_id);
        let mut streams: Vec<_> = room.streams().map(JsonStream::from).collect();
        streams.sort_unstable_by_key(|stream| stream.stream_id);
        Self {
            room_id: room.id().as_str(),
            room_name: room.name().map(Text::as_str),
            host_id: room.host_id().map(UserId::as_str),
            session_id: room.session_id().map(SessionId::as_str),
            users,
            streams,
        }
    }
}

impl<'a> From<UserRef<'a>> for JsonUser<'a> {
    fn from(user: UserRef<'a>) -> Self {
        Self {
            user_id: user.id().as_str(),
            user_name: user.name().map(Text::as_str),
            session_id: user.user_session_id().map(UserSessionId::as_str),
        }
    }
}

impl<'a> From<StreamRef<'a>> for JsonStream<'a> {
    fn from(stream: StreamRef<'a>) -> Self {
        Self { stream_id: stream.id().as_str(), user_id: stream.publisher_id().map(UserId::as_str) }
    }
}
