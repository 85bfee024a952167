//! Draws the rooms wrong over time.
//!
//! The numbers of the contestants differ by orders of magnitude, and some are zero: the axis is that
//! of the logarithm of (1 + rooms). The colours can be told apart by the colour-blind, and are
//! legible on light and on dark ground.

use std::fmt::Write;

use super::report::{STEP, grouped};
use super::settings::START;
use super::simulation::Simulation;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 430.0;
/// Where the field of the plot begins and ends.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 842.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 374.0;

/// By Okabe and Ito, the last two a little lighter for dark ground.
const COLOURS: [&str; 4] = ["#d55e00", "#c98b00", "#3a8fd0", "#10a37a"];

/// One contestant's line.
struct Line {
    name: &'static str,
    /// Rooms wrong, on average, in each step of time.
    rooms: Vec<f64>,
}

/// The whole picture.
pub(crate) fn svg(simulation: &Simulation) -> String {
    let (step, span) = (number(STEP), number(simulation.now() - START));
    let lines = simulation.entrants().iter().map(|entrant| Line {
        name: entrant.contestant.name(),
        rooms: entrant
            .score
            .buckets()
            .iter()
            .enumerate()
            .map(|(index, wrong)| number(*wrong) / step.min(span - step * number(index as u64)))
            .collect(),
    });
    let lines: Vec<_> = lines.collect();
    let most =
        lines.iter().flat_map(|line| &line.rooms).fold(1.0, |most: f64, rooms| most.max(*rooms));
    let field = Field { span, most };
    let mut svg = String::new();
    // Writing to a string does not fail.
    _ = draw(&mut svg, simulation, &lines, &field);
    svg
}

/// Numbers to places.
struct Field {
    /// In ms.
    span: f64,
    most: f64,
}

impl Field {
    fn x(&self, millis: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * millis / self.span
    }

    fn y(&self, rooms: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * rooms.ln_1p() / self.most.ln_1p()
    }
}

fn draw(
    svg: &mut String,
    simulation: &Simulation,
    lines: &[Line],
    field: &Field,
) -> std::fmt::Result {
    let font = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif";
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"{font}\" font-size=\"13\" fill=\"#75808c\" role=\"img\">"
    )?;
    head(svg, simulation, lines)?;
    down_time(svg, simulation, field)?;
    axes(svg, field)?;
    last_callback(svg, simulation, field)?;
    for (line, colour) in lines.iter().zip(COLOURS) {
        write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" \
             stroke-linejoin=\"round\" points=\""
        )?;
        let mut at = 0.0;
        for rooms in &line.rooms {
            // In the middle of its step.
            let x = field.x((at + number(STEP) / 2.0).min(field.span));
            write!(svg, "{x:.1},{:.1} ", field.y(*rooms))?;
            at += number(STEP);
        }
        writeln!(svg, "\"/>")?;
    }
    writeln!(svg, "</svg>")
}

/// What is shown, and which line is whose.
fn head(svg: &mut String, simulation: &Simulation, lines: &[Line]) -> std::fmt::Result {
    let settings = simulation.settings();
    writeln!(
        svg,
        "<title>Rooms wrong over time</title>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"17\" font-weight=\"600\">Rooms wrong over time</text>"
    )?;
    let (loss, duplicates) = (settings.roads.loss, settings.roads.duplicates);
    write!(
        svg,
        "<text x=\"{LEFT}\" y=\"47\">{} rooms, a change a room each {} s, {} % of callbacks lost for good, \
         {} % repeated, {} calls a second for repair",
        grouped(settings.manners.rooms as u64),
        settings.manners.change_every / 1_000,
        loss.as_number() * 100.0,
        duplicates.as_number() * 100.0,
        settings.config.repair_calls_per_second(),
    )?;
    writeln!(svg, "</text>")?;
    let mut x = LEFT;
    for (line, colour) in lines.iter().zip(COLOURS) {
        writeln!(
            svg,
            "<path d=\"M{x} 69h22\" stroke=\"{colour}\" stroke-width=\"4\"/>\
             <text x=\"{}\" y=\"73.5\">{}</text>",
            x + 29.0,
            line.name
        )?;
        x += 60.0 + 7.0 * number(line.name.len() as u64);
    }
    Ok(())
}

/// When the receiver was down.
fn down_time(svg: &mut String, simulation: &Simulation, field: &Field) -> std::fmt::Result {
    let outage = &simulation.settings().roads.outage;
    if outage.is_empty() {
        return Ok(());
    }
    let place = |at: u64| field.x(number(at.saturating_sub(START))).min(RIGHT);
    let (from, to) = (place(outage.start), place(outage.end));
    writeln!(
        svg,
        "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#75808c\" \
         fill-opacity=\"0.22\"/><text x=\"{:.1}\" y=\"{}\" text-anchor=\"end\">receiver down</text>",
        (to - from).max(1.0),
        BOTTOM - TOP,
        from - 6.0,
        TOP + 14.0,
    )
}

fn axes(svg: &mut String, field: &Field) -> std::fmt::Result {
    for rooms in [0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
        if number(rooms) > field.most {
            break;
        }
        let y = field.y(number(rooms));
        let opacity = if rooms == 0 { 0.9 } else { 0.28 };
        writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#75808c\" stroke-opacity=\"{opacity}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.5,
            grouped(rooms),
        )?;
    }
    let minutes = field.span / 60_000.0;
    let apart = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 240.0, 480.0, 1_440.0];
    let apart = apart.into_iter().find(|apart| minutes / apart <= 12.0).unwrap_or(10_080.0);
    let mut at = 0.0;
    while at <= minutes {
        let x = field.x(at * 60_000.0);
        writeln!(
            svg,
            "<path d=\"M{x:.1} {BOTTOM}v5\" stroke=\"#75808c\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{at}</text>",
            BOTTOM + 20.0,
        )?;
        at += apart;
    }
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">minutes</text>\n\
         <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">rooms wrong</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 42.0,
        f64::midpoint(TOP, BOTTOM),
    )
}

/// From when on nothing new comes.
fn last_callback(svg: &mut String, simulation: &Simulation, field: &Field) -> std::fmt::Result {
    let x = field.x(number(simulation.last_callback_at() - START));
    writeln!(
        svg,
        "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"#75808c\" stroke-dasharray=\"3 4\"/>\
         <text x=\"{:.1}\" y=\"{}\" text-anchor=\"end\" font-size=\"12\">last callback</text>",
        x - 5.0,
        BOTTOM - 6.0,
    )
}

#[expect(clippy::cast_precision_loss, reason = "no picture is that fine")]
fn number(whole: u64) -> f64 {
    whole as f64
}
