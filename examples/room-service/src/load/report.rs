//! What was measured, for people.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use super::{Half, Kind, Measured, Server};

/// A heartbeat at half the saturation rate, 99 of 100, in microseconds.
const HEARTBEAT_P99: u64 = 5_000;
/// A page of the room list likewise.
const LIST_PAGE_P99: u64 = 10_000;
/// How many times the heartbeats of whole rooms read and written Redis must bear.
const TIMES_PLAIN_REDIS: f64 = 2.0;

pub(super) fn table(measured: &[Measured]) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "server",
        "request",
        "a second",
        "p50",
        "p99",
        "at half: p50",
        "p99",
        "worst round",
        "nothing: p99",
        "failed",
    ]);
    for row in measured {
        let half = |pick: fn(&Half) -> u64| {
            row.half.as_ref().map_or_else(String::new, |half| millis(pick(half)))
        };
        table.add_row([
            name(&row.server),
            name(&row.kind),
            format!("{:.0}", row.saturated),
            millis(row.full.p50),
            millis(row.full.p99),
            half(|it| it.median.p50),
            half(|it| it.median.p99),
            half(|it| it.worst.p99),
            half(|it| it.floor.p99),
            row.failures.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// What is asked of this service, and whether it holds.
pub(super) fn verdicts(measured: &[Measured]) -> String {
    let of = |server, kind| measured.iter().find(|row| row.server == server && row.kind == kind);
    let mut lines = Vec::new();
    for server in [Server::Memory, Server::File] {
        for (kind, limit) in [(Kind::Heartbeat, HEARTBEAT_P99), (Kind::ListPage, LIST_PAGE_P99)] {
            let Some(half) = of(server, kind).and_then(|row| row.half) else { continue };
            lines.push(format!(
                "{}: {} {} at half the saturation rate: p99 {}, at most {} (of nothing: {})",
                verdict(half.median.p99 <= limit),
                name(&server),
                name(&kind),
                millis(half.median.p99),
                millis(limit),
                millis(half.floor.p99),
            ));
        }
    }
    let ours = of(Server::Redis, Kind::Heartbeat);
    if let (Some(ours), Some(plain)) = (ours, of(Server::PlainRedis, Kind::Heartbeat)) {
        let times = ours.saturated / plain.saturated;
        lines.push(format!(
            "{}: redis heartbeats are {times:.1} times those of whole rooms, at least {TIMES_PLAIN_REDIS}",
            verdict(times >= TIMES_PLAIN_REDIS),
        ));
    }
    let failures: u64 =
        measured.iter().filter(|row| !row.server.is_plain()).map(|row| row.failures).sum();
    lines.push(format!("{}: {failures} requests failed", verdict(failures == 0)));
    lines.join("\n")
}

impl Server {
    fn is_plain(self) -> bool {
        matches!(self, Self::PlainMemory | Self::PlainRedis)
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "pass" } else { "MISS" }
}

fn millis(micros: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a latency of some seconds")]
    let millis = micros as f64 / 1_000.0;
    format!("{millis:.2} ms")
}

fn name(value: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).expect("plain values");
    name.as_str().unwrap_or_default().replace('_', " ")
}
