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
            Room::Any | Room::Narrow => 344.0,
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

/// A text; `class` says what it is: `tick`, `name`, `label` or, in bold, `value`.
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

/// The marker of a series as the path of its shape, so many times as large as usual.
pub(super) fn marker(series: usize, (x, y): (f64, f64), size: f64) -> String {
    let start = |right: f64, down: f64| format!("M{} {}", at(x + size * right), at(y + size * down));
    let by = |right: f64, down: f64| format!("l{} {}", at(size * right), at(size * down));
    match series % STYLES {
        0 => {
            let (radius, across) = (at(size * 3.2), at(size * 6.4));
            let half = |sign: &str| format!("a{radius} {radius} 0 1 0 {sign}{across} 0");
            start(-3.2, 0.0) + &half("") + &half("-") + "z"
        }
        1 => start(-3.0, -3.0) + &by(6.0, 0.0) + &by(0.0, 6.0) + &by(-6.0, 0.0) + "z",
        2 => start(0.0, -4.2) + &by(3.8, 6.6) + &by(-7.6, 0.0) + "z",
        3 => start(0.0, -4.0) + &by(4.0, 4.0) + &by(-4.0, 4.0) + &by(-4.0, -4.0) + "z",
        4 => start(0.0, 4.2) + &by(3.8, -6.6) + &by(-7.6, 0.0) + "z",
        _ => {
            start(-4.0, 0.0)
                + &by(2.0, -4.0)
                + &by(4.0, 0.0)
                + &by(2.0, 4.0)
                + &by(-2.0, 4.0)
                + &by(-4.0, 0.0)
                + "z"
        }
    }
}
