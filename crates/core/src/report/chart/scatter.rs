//! Points: predictions against targets, residuals against predictions.

use super::drawing::{Drawing, Room, at};
use super::frame::Frame;
use super::lines::written;
use super::{Axis, Chart, Entry, Key};
use crate::report::{Cell, Table};

/// What points are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reference {
    /// Nothing.
    #[default]
    None,
    /// The line on which both are the same.
    Same,
    /// The line of 0.
    Zero,
}

/// Points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// The horizontal axis.
    pub horizontal: Axis,
    /// The vertical axis.
    pub vertical: Axis,
    /// Where the points are.
    pub points: Vec<(f64, f64)>,
    /// What they are compared with, and what the legend calls it.
    pub reference: (Reference, String),
}

/// The most rows that the table behind a chart has.
const TABLE_ROWS: usize = 100;

impl Scatter {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        let (reference, name) = &self.reference;
        let entry = Entry { name: name.clone(), key: Key::Diagonal };
        Chart {
            kind: "scatter",
            title: self.title.clone(),
            description: self.description.clone(),
            half: true,
            legend: if *reference == Reference::None { Vec::new() } else { vec![entry] },
            drawings: Room::BOTH.map(|room| self.drawing(room)).into(),
            table: self.table(),
        }
    }

    fn drawing(&self, room: Room) -> Drawing {
        let height = if room == Room::Wide { 420.0 } else { 340.0 };
        let (x, y) = (|| self.points.iter().map(|point| point.0), || self.points.iter().map(|point| point.1));
        let axes = (&self.horizontal, &self.vertical);
        let frame = Frame::new(room, height, axes, (x(), y()));
        let mut marks = frame.axes() + &self.reference_line(&frame);
        marks += "<g class=\"points\">\n";
        for (x, y) in self.points.iter().filter_map(|&(x, y)| frame.place(x, y)) {
            marks += &format!("<circle cx=\"{}\" cy=\"{}\" r=\"2.4\"/>\n", at(x), at(y));
        }
        marks += "</g>\n";
        Drawing { room, name: String::new(), width: frame.width, height, marks }
    }

    fn reference_line(&self, frame: &Frame) -> String {
        let finite = |values: &mut dyn Iterator<Item = f64>| {
            values
                .filter(|value| value.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                })
        };
        let across = finite(&mut self.points.iter().map(|point| point.0));
        let up = finite(&mut self.points.iter().map(|point| point.1));
        let ends = match self.reference.0 {
            Reference::None => None,
            Reference::Zero => Some(((across.0, 0.0), (across.1, 0.0))),
            Reference::Same => {
                let (low, high) = (across.0.max(up.0), across.1.min(up.1));
                Some(((low, low), (high, high)))
            }
        };
        let place = |(x, y): (f64, f64)| frame.place(x, y);
        match ends.and_then(|(one, other)| Some((place(one)?, place(other)?))) {
            Some((one, other)) => {
                let [x, y, to_x, to_y] = [one.0, one.1, other.0, other.1].map(at);
                format!("<path class=\"diagonal\" d=\"M{x} {y}L{to_x} {to_y}\"/>\n")
            }
            None => String::new(),
        }
    }

    fn table(&self) -> Table {
        let every = self.points.len().div_ceil(TABLE_ROWS).max(1);
        let cell = |axis: &Axis, value: f64| Cell::number(value, written(axis, value));
        let row = |&(x, y): &(f64, f64)| vec![cell(&self.horizontal, x), cell(&self.vertical, y)];
        Table {
            caption: self.title.clone(),
            headers: vec![self.horizontal.name.clone(), self.vertical.name.clone()],
            rows: self.points.iter().step_by(every).map(row).collect(),
            half: false,
        }
    }
}
