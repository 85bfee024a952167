//! The table of what was counted.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::Value;

use super::scenes::{DUE, OPERATIONS};

/// Where a summary tells how many instructions the benchmark took.
const INSTRUCTIONS: &str = "/profiles/0/data/total/metrics/Ir/values";

/// A benchmark, what a reader calls it, how many operations it makes, and how many instructions one
/// may take.
struct Row {
    function: &'static str,
    id: &'static str,
    operation: &'static str,
    operations: usize,
    target: Option<i64>,
}

const ROWS: [Row; 13] = [
    row("callbacks", "turns", "logout or login, applied", Some(4_000)),
    row("lists_alone", "turns", "the same by the lists alone, without rules", None),
    row("callbacks", "repeats", "repeat of a login", Some(1_400)),
    row("lists_alone", "repeats", "the same by the lists alone, without rules", None),
    row("callbacks", "late", "login of an ended session", Some(800)),
    row("heartbeats", "of_members", "heartbeat", Some(900)),
    Row {
        operations: DUE,
        ..row("expire", "silent_users", "expire, a user who is due", Some(4_000))
    },
    row("members", "join", "join_room", Some(4_000)),
    row("members", "leave", "leave_room", Some(4_000)),
    row("callbacks", "streams_without_sign", "stream opens or closes, no sign of loss", None),
    row("callbacks", "streams_with_sign", "the same in a room with a sign", None),
    row("callbacks", "late_without_sign", "login of an ended session, no sign of loss", None),
    row("callbacks", "late_with_sign", "the same in a room with a sign", None),
];

const fn row(
    function: &'static str,
    id: &'static str,
    operation: &'static str,
    target: Option<i64>,
) -> Row {
    Row { function, id, operation, operations: OPERATIONS, target }
}

/// What gungraun tells of each benchmark, a line of JSON each, as a table of instructions an
/// operation.
pub fn of(summaries: &str) -> Table {
    let summaries: Vec<Value> =
        summaries.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["operation", "instructions", "last time", "at most", ""]);
    let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut without_sign = None;
    for row in &ROWS {
        let Some(now) = row.count(&summaries, "new") else { continue };
        let before = row.count(&summaries, "old");
        let verdict = row.target.map_or("", |target| if now <= target { "pass" } else { "miss" });
        let name = row.operation.to_owned();
        table.add_row([name, now.to_string(), text(before), text(row.target), verdict.to_owned()]);
        if row.id.ends_with("_without_sign") {
            without_sign = Some((now, before));
        } else if let Some((now_without, before_without)) = without_sign.take() {
            let before = before.zip(before_without).map(|(with, without)| with - without);
            let more = (now - now_without).to_string();
            table.add_row(["what the sign costs".to_owned(), more, text(before)]);
        }
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

impl Row {
    /// Instructions an operation, of this run (`new`) or the one before it (`old`).
    fn count(&self, summaries: &[Value], run: &str) -> Option<i64> {
        let is_ours = |summary: &&Value| {
            summary["function_name"] == self.function && summary["id"] == self.id
        };
        let counts = summaries.iter().find(is_ours)?.pointer(INSTRUCTIONS)?;
        Some(counts[run].as_i64()? / i64::try_from(self.operations).ok()?)
    }
}
