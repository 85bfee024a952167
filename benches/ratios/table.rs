//! The table of what was measured, for people and for machines.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::{Value, json};

use super::method::Pair;

/// One line: an operation, ours and what it is compared with in the same unit, and the ratio that
/// is the target.
#[derive(Debug, Clone)]
pub struct Line {
    pub operation: &'static str,
    pub unit: &'static str,
    pub ours: f64,
    pub floor: f64,
    pub target: Target,
}

#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Ours ÷ floor at most.
    Ratio(f64),
    /// Ours at most, whatever the floor.
    AtMost(f64),
    /// None: to compare with.
    Known,
}

impl Line {
    pub fn new(operation: &'static str, pair: Pair, target: f64) -> Self {
        let Pair { ours, floor } = pair;
        Self { operation, unit: "ns", ours, floor, target: Target::Ratio(target) }
    }

    /// How many allocations; there should be none.
    pub fn allocations(operation: &'static str, ours: f64) -> Self {
        Self { operation, unit: "allocations", ours, floor: 0.0, target: Target::AtMost(0.0) }
    }

    pub fn known(operation: &'static str, pair: Pair) -> Self {
        Self { target: Target::Known, ..Self::new(operation, pair, 0.0) }
    }

    pub fn ratio(&self) -> Option<f64> {
        (self.floor > 0.0).then(|| self.ours / self.floor)
    }

    pub fn is_ok(&self) -> bool {
        match self.target {
            Target::Ratio(target) => self.ratio().is_some_and(|ratio| ratio <= target),
            Target::AtMost(target) => self.ours <= target,
            Target::Known => true,
        }
    }

    fn json(&self) -> Value {
        let target = match self.target {
            Target::Ratio(target) | Target::AtMost(target) => json!(target),
            Target::Known => Value::Null,
        };
        json!({
            "operation": self.operation,
            "unit": self.unit,
            "ours": rounded(self.ours),
            "floor": rounded(self.floor),
            "ratio": self.ratio().map(rounded),
            "target": target,
            "ok": self.is_ok(),
        })
    }
}

pub fn as_json(lines: &[Line]) -> String {
    let lines: Vec<_> = lines.iter().map(Line::json).collect();
    serde_json::to_string_pretty(&lines).expect("plain values")
}

pub fn as_text(lines: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["operation", "ours", "floor", "unit", "ratio", "target", ""]);
    for line in lines {
        let target = match line.target {
            Target::Ratio(target) => format!("{target:.2}"),
            Target::AtMost(target) => format!("{target:.0} {}", line.unit),
            Target::Known => String::new(),
        };
        let verdict = match line.target {
            Target::Known => "",
            _ if line.is_ok() => "pass",
            _ => "miss",
        };
        table.add_row([
            line.operation.to_owned(),
            short(line.ours),
            if line.floor > 0.0 { short(line.floor) } else { String::new() },
            line.unit.to_owned(),
            line.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            target,
            verdict.to_owned(),
        ]);
    }
    for column in [1, 2, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn short(number: f64) -> String {
    match number {
        number if number >= 1e7 => format!("{:.0} M", number / 1e6),
        number if number >= 1e5 => format!("{:.0} k", number / 1e3),
        number if number >= 100.0 => format!("{number:.0}"),
        number => format!("{number:.1}"),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
