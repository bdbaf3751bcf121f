//! Small images beside each other: the weights of units as what they look for.

use super::Chart;
use super::cells::cells;
use super::drawing::{Drawing, Room, at};
use super::heat_map::signed_legend;
use crate::report::number::number;
use crate::report::{Cell, Table};

/// One image.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// What it is of.
    pub name: String,
    /// Its numbers, row after row.
    pub values: Vec<f64>,
}

/// Images of one size. Each has its own scale: its largest number, whatever its sign, has the full tone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageGrid {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// How many numbers are beside each other in an image.
    pub width: usize,
    /// The images.
    pub images: Vec<Image>,
}

/// Images in a row.
const COLUMNS: usize = 8;
/// From an image to the next, in images.
const PITCH: f64 = 1.12;

impl ImageGrid {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        Chart {
            kind: "image-grid",
            title: self.title.clone(),
            description: self.description.clone(),
            half: false,
            legend: signed_legend(),
            drawings: vec![self.drawing()],
            table: self.table(),
        }
    }

    fn drawing(&self) -> Drawing {
        let columns = self.width.max(1);
        let tall = self.images.first().map_or(0, |image| image.values.len() / columns);
        let pitch = |units: usize| units as f64 * PITCH;
        let mut marks = String::new();
        for (index, image) in self.images.iter().enumerate() {
            let largest = image.values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            let scaled: Vec<f64> =
                image.values.iter().map(|value| value / largest.max(f64::MIN_POSITIVE)).collect();
            let (x, y) =
                ((index % COLUMNS) as f64 * pitch(columns), (index / COLUMNS) as f64 * pitch(tall) + 0.5);
            marks += &format!("<g class=\"cells\" transform=\"translate({} {})\">\n", at(x), at(y));
            marks += &format!("{}</g>\n", cells(&scaled, columns));
        }
        let lines = self.images.len().div_ceil(COLUMNS);
        let room = |count: usize, units: usize| count as f64 * pitch(units) - (pitch(units) - units as f64);
        Drawing {
            room: Room::Any,
            name: String::new(),
            width: room(COLUMNS.min(self.images.len().max(1)), columns),
            height: room(lines.max(1), tall.max(1)),
            marks,
        }
    }

    fn table(&self) -> Table {
        let row = |image: &Image| {
            let ends = image.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
            let cell = |value: f64| Cell::number(value, number(value));
            vec![image.name.as_str().into(), cell(ends.0), cell(ends.1)]
        };
        let headers = ["image", "smallest", "largest"].map(str::to_string).into();
        Table {
            caption: self.title.clone(),
            headers,
            rows: self.images.iter().map(row).collect(),
            half: false,
        }
    }
}
