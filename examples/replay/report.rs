//! The rooms at the end of a journal: for people, and for programs.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use room_registry::{Clock, Outcome, RoomRef, RoomRegistry, SessionId, Text, Timestamp, UserId};
use serde_json::{Map, Value, json};

use crate::player::Counts;

/// How long a text of a table may be.
const WIDTH: usize = 28;

/// Prints the open rooms as a table, newest first, and what became of the input.
pub(crate) fn table(
    registry: &RoomRegistry<impl Clock>,
    now: Timestamp,
    counts: &Counts,
    out: &mut dyn Write,
) -> io::Result<()> {
    if registry.room_count() == 0 {
        writeln!(out, "No room is open.")?;
    } else {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["room", "name", "host", "session", "users", "streams", "open for"]);
        for column in 4..7 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for room in registry.rooms() {
            table.add_row(row(room, now));
        }
        writeln!(out, "{table}")?;
    }
    let outcomes = registry.outcomes();
    writeln!(
        out,
        "\n{} rooms, {} with an open session, {} users, {} streams",
        registry.room_count(),
        registry.session_count(),
        registry.user_count(),
        registry.stream_count()
    )?;
    let each: Vec<String> = Outcome::ALL
        .into_iter()
        .map(|outcome| format!("{} {}", outcomes.of(outcome), outcome.name().replace('_', " ")))
        .collect();
    writeln!(out, "{} callbacks: {}", outcomes.total(), each.join(", "))?;
    writeln!(
        out,
        "{} lines: {} commands, {} expiries, {} other events, {} bad lines",
        counts.lines, counts.commands, counts.expiries, counts.other_events, counts.bad_lines
    )
}

fn row(room: RoomRef<'_>, now: Timestamp) -> [String; 7] {
    let text =
        |text: Option<&str>| text.map_or_else(|| "–".to_owned(), |text| printable(text, WIDTH));
    [
        printable(room.id().as_str(), WIDTH),
        text(room.name().map(Text::as_str)),
        text(room.host_id().map(UserId::as_str)),
        text(room.session_id().map(SessionId::as_str)),
        room.user_count().to_string(),
        room.stream_count().to_string(),
        room.began_at().map_or_else(|| "–".to_owned(), |began_at| span(now, began_at)),
    ]
}

/// A span of time in two units, for people.
fn span(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}

/// A text from outside, so that it can't move the cursor of a terminal: control characters escaped,
/// long texts cut.
pub(crate) fn printable(text: &str, width: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count + 1 >= width && text.chars().nth(width).is_some() {
            shown.push('…');
            break;
        }
        // Marks of direction reorder what stands around them.
        let hides = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
        if hides {
            // Writing to a string does not fail.
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Prints everything as one JSON document, lists sorted by id.
pub(crate) fn json(registry: &RoomRegistry<impl Clock>, out: &mut dyn Write) -> io::Result<()> {
    let mut rooms: Vec<RoomRef<'_>> = registry.rooms().collect();
    rooms.sort_unstable_by(|a, b| a.id().cmp(b.id()));
    let outcomes: Map<String, Value> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome.name().to_owned(), registry.outcomes().of(outcome).into()))
        .collect();
    let rooms: Vec<Value> = rooms.into_iter().map(room_json).collect();
    serde_json::to_writer(&mut *out, &json!({ "rooms": rooms, "outcomes": outcomes }))?;
    writeln!(out)
}

fn room_json(room: RoomRef<'_>) -> Value {
    let mut users: Vec<_> = room.users().collect();
    users.sort_unstable_by(|a, b| a.id().cmp(b.id()));
    let mut streams: Vec<_> = room.streams().collect();
    streams.sort_unstable_by(|a, b| a.id().cmp(b.id()));
    let users = users.into_iter().map(|user| {
        json!({
            "user_id": user.id(),
            "user_name": user.name(),
            "session_id": user.login().map(|login| &login.user_session_id),
        })
    });
    let streams = streams
        .into_iter()
        .map(|stream| json!({ "stream_id": stream.id(), "user_id": stream.publisher_id() }));
    json!({
        "room_id": room.id(),
        "room_name": room.name(),
        "host_id": room.host_id(),
        "session_id": room.session_id(),
        "users": users.collect::<Vec<_>>(),
        "streams": streams.collect::<Vec<_>>(),
    })
}
