//! What the simulation led to: a table for people, or one JSON document.

use std::io::{self, Write};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;

use super::repair::Calls;
use super::settings::{START, Settings};
use super::simulation::{Entrant, Simulation, Traffic};

/// How finely rooms wrong are told over time, in ms.
pub(crate) const STEP: u64 = 10_000;

/// The contestants, a line each.
pub(crate) fn table(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let settings = simulation.settings();
    let Traffic { callbacks, lost, deliveries, repeats } = simulation.traffic();
    let seconds = (simulation.last_callback_at() - START) / 1_000;
    writeln!(
        out,
        "{} rooms, {} callbacks within {} min {} s, of them lost {}; {} deliveries, of them repeats {}\n",
        grouped(settings.manners.rooms as u64),
        grouped(callbacks),
        seconds / 60,
        seconds % 60,
        grouped(lost),
        grouped(deliveries),
        grouped(repeats),
    )?;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header([
        "rooms wrong",
        "at the last callback",
        "2 min later",
        "at the end",
        "room-seconds wrong",
        "all right after",
        "calls",
    ]);
    for entrant in simulation.entrants() {
        table.add_row(row(entrant, simulation));
    }
    for number in 1..7 {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    for calls in simulation.entrants().iter().filter_map(Entrant::calls) {
        let Calls { questions, made, failed, refused } = calls;
        writeln!(
            out,
            "\nrepair asked about {} rooms in {} calls, {} a second; {} failed, {} of them refused",
            grouped(questions),
            grouped(made),
            tenths(made * 10_000 / (simulation.now() - START).max(1)),
            grouped(failed),
            grouped(refused),
        )?;
    }
    Ok(())
}

fn row(entrant: &Entrant, simulation: &Simulation) -> [String; 7] {
    let all_right_after = right_after(entrant, simulation);
    [
        entrant.contestant.name().to_owned(),
        grouped(entrant.marks.last_callback),
        grouped(entrant.marks.two_minutes),
        grouped(entrant.marks.end),
        grouped(entrant.score.room_millis() / 1_000),
        all_right_after.map_or("-".to_owned(), |millis| format!("{} s", tenths(millis / 100))),
        entrant.calls().map_or("-".to_owned(), |calls| grouped(calls.made)),
    ]
}

/// How long after the last callback the last room was mended; `None` if one was not.
fn right_after(entrant: &Entrant, simulation: &Simulation) -> Option<u64> {
    let last_wrong_at = entrant.score.last_wrong_at().unwrap_or_default();
    let is_right = entrant.score.rooms_wrong() == 0;
    is_right.then(|| last_wrong_at.saturating_sub(simulation.last_callback_at()))
}

#[derive(Serialize)]
struct Document {
    settings: JsonSettings,
    traffic: Traffic,
    /// From the start to the last callback, and to the end, in ms.
    last_callback_after_ms: u64,
    end_after_ms: u64,
    contestants: Vec<JsonContestant>,
    /// How many milliseconds each number of `room_ms_wrong_over_time` is about.
    step_ms: u64,
}

#[derive(Serialize)]
struct JsonSettings {
    rooms: usize,
    events: u64,
    loss: f64,
    duplicates: f64,
    outage_ms: u64,
    skew_ms: u64,
    budget: u32,
    seed: u64,
    change_every_ms: u64,
}

#[derive(Serialize)]
struct JsonContestant {
    name: &'static str,
    rooms_wrong: JsonMarks,
    room_ms_wrong: u64,
    /// After the last callback; null if a room stayed wrong.
    all_right_after_ms: Option<u64>,
    calls: Option<Calls>,
    room_ms_wrong_over_time: Vec<u64>,
}

#[derive(Serialize)]
struct JsonMarks {
    at_the_last_callback: u64,
    two_minutes_later: u64,
    at_the_end: u64,
}

/// Everything, as one document.
pub(crate) fn json(simulation: &Simulation, out: &mut dyn Write) -> io::Result<()> {
    let contestants = simulation.entrants().iter().map(|entrant| JsonContestant {
        name: entrant.contestant.name(),
        rooms_wrong: JsonMarks {
            at_the_last_callback: entrant.marks.last_callback,
            two_minutes_later: entrant.marks.two_minutes,
            at_the_end: entrant.marks.end,
        },
        room_ms_wrong: entrant.score.room_millis(),
        all_right_after_ms: right_after(entrant, simulation),
        calls: entrant.calls(),
        room_ms_wrong_over_time: entrant.score.buckets().to_vec(),
    });
    let document = Document {
        settings: JsonSettings::from(simulation.settings()),
        traffic: simulation.traffic(),
        last_callback_after_ms: simulation.last_callback_at() - START,
        end_after_ms: simulation.now() - START,
        contestants: contestants.collect(),
        step_ms: STEP,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

impl From<&Settings> for JsonSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            rooms: settings.manners.rooms,
            events: settings.events,
            loss: settings.roads.loss.as_number(),
            duplicates: settings.roads.duplicates.as_number(),
            outage_ms: settings.roads.outage.end - settings.roads.outage.start,
            skew_ms: settings.manners.skew,
            budget: settings.config.repair_calls_per_second(),
            seed: settings.seed,
            change_every_ms: settings.manners.change_every,
        }
    }
}

/// A whole number with its thousands apart: "1,234,567".
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of tenths: "12.3".
fn tenths(number: u64) -> String {
    format!("{}.{}", grouped(number / 10), number % 10)
}
