//! What charts are drawn with: numbers as coordinates, texts, markers.

use crate::report::page::escape;

/// For which room a drawing is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Room {
    /// Any.
    Any,
    /// A column of text on a desk.
    Wide,
    /// A phone, or half of such a column.
    Narrow,
}

impl Room {
    /// Both rooms that a chart with axes is drawn for.
    pub const BOTH: [Room; 2] = [Room::Wide, Room::Narrow];

    /// How wide a drawing for it is, in pixels of a page.
    pub fn width(self) -> f64 {
        match self {
            Room::Wide => 780.0,
            Room::Any | Room::Narrow => 372.0,
        }
    }

    /// The class that hides it where there is another one.
    pub fn class(self) -> &'static str {
        match self {
            Room::Any => "",
            Room::Wide => " wide",
            Room::Narrow => " narrow",
        }
    }
}

/// One drawing of a chart: SVG without its element.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Drawing {
    pub room: Room,
    /// What sets it apart from the other drawings of the chart.
    pub name: String,
    pub width: f64,
    pub height: f64,
    pub marks: String,
}

/// A coordinate, to a tenth of a pixel.
pub(super) fn at(place: f64) -> String {
    let tenths = (10.0 * place).round() as i64;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        _ => format!("{:.1}", tenths as f64 / 10.0),
    }
}

/// Where a text stands to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text; `class` says what it is: `tick`, `name` or `label`.
pub(super) fn text(class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    format!("<text class=\"{class}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>\n", at(x), at(y), escape(text))
}

/// About how many pixels a text of the size of a tick's label takes.
pub(super) fn text_width(text: &str) -> f64 {
    7.0 * crate::report::table::width(text) as f64
}

/// How many shapes and dashes there are before they come again.
const STYLES: usize = 6;

/// The class of a series: its colour, its dashes.
pub(super) fn style(series: usize) -> String {
    format!("s{}", series % STYLES)
}

/// The marker of a series as the path of its shape.
pub(super) fn marker(series: usize, x: f64, y: f64) -> String {
    let (left, top) = (at(x), at(y));
    match series % STYLES {
        0 => format!("M{} {top}a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z", at(x - 3.2)),
        1 => format!("M{} {}h6v6h-6z", at(x - 3.0), at(y - 3.0)),
        2 => format!("M{left} {}l3.8 6.6h-7.6z", at(y - 4.2)),
        3 => format!("M{left} {}l4 4l-4 4l-4-4z", at(y - 4.0)),
        4 => format!("M{left} {}l3.8-6.6h-7.6z", at(y + 4.2)),
        _ => format!("M{} {top}l2-4h4l2 4l-2 4h-4z", at(x - 4.0)),
    }
}
