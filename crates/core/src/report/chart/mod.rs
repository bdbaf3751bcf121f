//! Charts of a page: each kind has a file, and what they share stands in scale, frame and drawing.

mod bars;
mod cells;
mod drawing;
mod frame;
mod heat_map;
mod image_grid;
mod lines;
mod reliability;
mod scale;
mod scatter;

pub use bars::{Bar, Bars};
pub use heat_map::{HeatMap, Panel};
pub use image_grid::{Image, ImageGrid};
pub use lines::{Area, Line, Lines, Place};
pub use reliability::{Reliability, ReliabilityCurve};
pub use scale::Axis;
pub use scatter::{Reference, Scatter};

use self::drawing::Drawing;

use super::Table;
use super::page::escape;

/// A chart that is drawn: SVG, the numbers behind it, and what it tells those who cannot see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) description: String,
    /// Whether two of it stand beside each other where there is room.
    pub(super) half: bool,
    pub(super) legend: Vec<Entry>,
    pub(super) drawings: Vec<Drawing>,
    /// The numbers behind it.
    pub table: Table,
}

/// A line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub name: String,
    pub key: Key,
}

/// What a legend explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Line(usize),
    Area,
    Diagonal,
    /// A cell with a value from -1 to 1.
    Tone(f64),
}

impl Key {
    /// A small picture of it.
    fn picture(self) -> String {
        let marks = match self {
            Key::Line(series) => {
                let (style, marker) = (drawing::style(series), drawing::marker(series, (17.0, 7.0), 1.0));
                format!(
                    "<path class=\"line {style}\" d=\"M1 7h32\"/><path class=\"marker {style}\" d=\"{marker}\"/>"
                )
            }
            Key::Area => "<rect class=\"area\" x=\"1\" y=\"1\" width=\"32\" height=\"12\"/>".into(),
            Key::Diagonal => "<path class=\"diagonal\" d=\"M1 7h32\"/>".into(),
            Key::Tone(value) => {
                let cell = cells::cells(&[value], 1);
                let cell = cell.trim_end();
                return format!(
                    "<svg class=\"tone\" viewBox=\"0 0 1 1\" width=\"14\" height=\"14\" aria-hidden=\"true\">\
                     <g class=\"cells\" transform=\"translate(0 .5)\">{cell}</g></svg>"
                );
            }
        };
        format!("<svg viewBox=\"0 0 34 14\" width=\"34\" height=\"14\" aria-hidden=\"true\">{marks}</svg>")
    }
}

impl Chart {
    /// Writes the chart with a number of its own among those of the page.
    pub(super) fn write(&self, html: &mut String, number: usize) {
        let Self { kind, title, description, half, legend, drawings, table } = self;
        let half = if *half { " half" } else { "" };
        let (title, description) = (escape(title), escape(description));
        *html += &format!("<figure class=\"chart{half}\" id=\"chart-{number}\" data-kind=\"{kind}\">\n");
        *html += &format!("<figcaption><h3>{title}</h3>\n<p>{description}</p></figcaption>\n");
        if !legend.is_empty() {
            let tones = legend.iter().all(|entry| matches!(entry.key, Key::Tone(_)));
            *html += if tones { "<ul class=\"legend tones\">" } else { "<ul class=\"legend\">" };
            for Entry { name, key } in legend {
                *html += &format!("<li>{}{}</li>", key.picture(), escape(name));
            }
            *html += "</ul>\n";
        }
        *html += "<div class=\"drawings\">\n";
        for (index, drawing) in drawings.iter().enumerate() {
            let (id, class) = (format!("chart-{number}-{index}"), drawing.room.class());
            let name = escape(&drawing.name);
            let (title, below) = match name.is_empty() {
                true => (title.clone(), String::new()),
                false => (format!("{title}: {name}"), format!("<p class=\"panel\">{name}</p>\n")),
            };
            let Drawing { width, height, marks, .. } = drawing;
            *html += &format!(
                "<div class=\"drawing{class}\">\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
                 aria-labelledby=\"{id}-title {id}-description\">\n<title id=\"{id}-title\">{title}</title>\n\
                 <desc id=\"{id}-description\">{description}</desc>\n{marks}</svg>\n{below}</div>\n"
            );
        }
        *html += "</div>\n<details><summary>The numbers</summary>\n";
        table.write(html);
        *html += "</details>\n</figure>\n";
    }
}
