//! Draws what operations cost over the number of users, both axes logarithmic.
//!
//! In the manner of the simulation's plot. Colours are by Okabe and Ito, so that the colour-blind can tell
//! them apart. They are a little darker on light ground and lighter on dark. The reader's system decides
//! which of the two it is.

use std::fmt::Write;

use super::support::method::count;
use super::{OPERATIONS, Row, short_count};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 470.0;
/// Where the field of the plot begins and ends.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 628.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 414.0;
/// How far apart names stand at least.
const APART: f64 = 17.0;

/// On light ground and on dark, in the order of [`OPERATIONS`]; the floor is grey.
const COLOURS: [[&str; 2]; OPERATIONS.len()] = [
    ["#b94e00", "#f0803c"],
    ["#7a828b", "#8b949e"],
    ["#0067a5", "#5db3ee"],
    ["#007a58", "#2fc79a"],
    ["#8a6a00", "#e0b321"],
    ["#a3457d", "#dd8fbd"],
    ["#5b4bb8", "#a99cf5"],
];

/// Numbers to places.
struct Field {
    users: [f64; 2],
    nanos: [f64; 2],
}

impl Field {
    fn new(rows: &[Row]) -> Self {
        let users = rows.iter().map(|row| count(row.users));
        let nanos = rows.iter().flat_map(|row| row.nanos);
        let around = |least: f64, number: f64| (least.min(number), number);
        let (least, most) = nanos.fold((f64::MAX, 1.0_f64), |(least, most), nanos| {
            (around(least, nanos).0, most.max(nanos))
        });
        Self {
            users: [users.clone().fold(f64::MAX, f64::min), users.fold(1.0, f64::max)],
            // Whole decades.
            nanos: [10_f64.powf(least.log10().floor()), 10_f64.powf(most.log10().ceil())],
        }
    }

    fn x(&self, users: f64) -> f64 {
        let [least, most] = self.users;
        LEFT + (RIGHT - LEFT) * (users / least).ln() / (most / least).ln().max(f64::MIN_POSITIVE)
    }

    fn y(&self, nanos: f64) -> f64 {
        let [least, most] = self.nanos;
        BOTTOM - (BOTTOM - TOP) * (nanos / least).ln() / (most / least).ln()
    }
}

/// The whole picture.
pub fn svg(rows: &[Row]) -> String {
    let mut svg = String::new();
    if !rows.is_empty() {
        // Writing to a string does not fail.
        _ = draw(&mut svg, rows, &Field::new(rows));
    }
    svg
}

fn draw(svg: &mut String, rows: &[Row], field: &Field) -> std::fmt::Result {
    let font = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif";
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"{font}\" font-size=\"13\" role=\"img\">"
    )?;
    writeln!(svg, "<title>What operations cost while the users grow</title>")?;
    style(svg)?;
    writeln!(
        svg,
        "<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n\
         <text class=\"head\" x=\"{LEFT}\" y=\"30\" font-size=\"17\" font-weight=\"600\">\
         What operations cost while the users grow</text>\n\
         <text x=\"{LEFT}\" y=\"51\">one operation at a time, each about somebody else, 20 users a room; \
         both axes logarithmic</text>"
    )?;
    axes(svg, rows, field)?;
    for index in 0..OPERATIONS.len() {
        write!(svg, "<polyline class=\"line c{index}\" points=\"")?;
        for row in rows {
            write!(svg, "{:.1},{:.1} ", field.x(count(row.users)), field.y(row.nanos[index]))?;
        }
        write!(svg, "\"/>")?;
        for row in rows {
            let (x, y) = (field.x(count(row.users)), field.y(row.nanos[index]));
            write!(svg, "<circle class=\"dot c{index}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>")?;
        }
        writeln!(svg)?;
    }
    names(svg, rows, field)?;
    writeln!(svg, "</svg>")
}

fn style(svg: &mut String) -> std::fmt::Result {
    writeln!(svg, "<style>")?;
    writeln!(svg, ".line{{fill:none;stroke-width:2;stroke-linejoin:round}}")?;
    writeln!(svg, ".c1{{stroke-dasharray:5 4}}.dot,.grid{{stroke-dasharray:none}}")?;
    let ground = ["#ffffff", "#0d1117"];
    let (text, head, grid) =
        (["#59636e", "#9aa4ae"], ["#1f2328", "#e6edf3"], ["#d5dae0", "#2b323b"]);
    for theme in 0..2 {
        if theme == 1 {
            writeln!(svg, "@media (prefers-color-scheme:dark){{")?;
        }
        writeln!(
            svg,
            ".ground{{fill:{}}}text{{fill:{}}}text.head{{fill:{}}}.grid{{stroke:{}}}",
            ground[theme], text[theme], head[theme], grid[theme]
        )?;
        for (index, colours) in COLOURS.iter().enumerate() {
            let colour = colours[theme];
            writeln!(
                svg,
                ".line.c{index}{{stroke:{colour}}}.dot.c{index}{{fill:{colour}}}text.c{index}{{fill:{colour}}}"
            )?;
        }
        if theme == 1 {
            writeln!(svg, "}}")?;
        }
    }
    writeln!(svg, "</style>")
}

fn axes(svg: &mut String, rows: &[Row], field: &Field) -> std::fmt::Result {
    let mut decade = field.nanos[0];
    while decade <= field.nanos[1] * 1.01 {
        for nanos in [decade, 3.0 * decade] {
            if nanos <= field.nanos[1] * 1.01 {
                let y = field.y(nanos);
                writeln!(
                    svg,
                    "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                     <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                    LEFT - 8.0,
                    y + 4.5,
                    span(nanos),
                )?;
            }
        }
        decade *= 10.0;
    }
    for row in rows {
        let x = field.x(count(row.users));
        writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 5.0,
            BOTTOM + 21.0,
            short_count(row.users),
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">users</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 43.0,
    )
}

/// Each at the end of its line, with what the most users cost; no two on top of each other.
fn names(svg: &mut String, rows: &[Row], field: &Field) -> std::fmt::Result {
    let Some(last) = rows.last() else { return Ok(()) };
    let mut order: Vec<usize> = (0..OPERATIONS.len()).collect();
    order.sort_by(|a, b| last.nanos[*b].total_cmp(&last.nanos[*a]));
    let mut places: Vec<f64> = order.iter().map(|index| field.y(last.nanos[*index])).collect();
    // Down if there is no room, and up again if that leads out of the field.
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + APART);
    }
    let mut lowest = BOTTOM;
    for place in places.iter_mut().rev() {
        *place = place.min(lowest);
        lowest = *place - APART;
    }
    for (index, y) in order.into_iter().zip(places) {
        let (operation, nanos) = (OPERATIONS[index], span(last.nanos[index]));
        let (x, end) = (RIGHT + 24.0, field.y(last.nanos[index]));
        writeln!(
            svg,
            "<path class=\"grid\" fill=\"none\" d=\"M{} {end:.1}L{} {y:.1}\"/>\
             <text class=\"c{index}\" x=\"{x}\" y=\"{:.1}\">{operation}: {nanos}</text>",
            RIGHT + 6.0,
            x - 4.0,
            y + 4.5,
        )?;
    }
    Ok(())
}

/// A span of time, with two digits or three.
fn span(nanos: f64) -> String {
    let (number, unit) = match nanos {
        nanos if nanos < 999.5 => (nanos, "ns"),
        nanos if nanos < 999_500.0 => (nanos / 1e3, "µs"),
        _ => (nanos / 1e6, "ms"),
    };
    let digits = usize::from(number < 9.95 && number.fract() > 0.04);
    format!("{number:.digits$} {unit}")
}
