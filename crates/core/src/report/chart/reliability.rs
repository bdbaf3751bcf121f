//! The reliability curve: accuracy against confidence, and how many rows have so much of it.

use super::drawing::{Anchor, Drawing, Room, at, marker, style, text};
use super::frame::Frame;
use super::{Axis, Chart, Entry, Key};
use crate::measure::ReliabilityBin;
use crate::report::number::{number, percent};
use crate::report::{Cell, Table};

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct ReliabilityCurve {
    /// Whose curve it is.
    pub name: String,
    /// Its bins, from the lowest confidence on.
    pub bins: Vec<ReliabilityBin>,
}

/// Accuracy against confidence for one model or several. Markers are the larger, the more rows a bin has;
/// bars below the curves tell the share of its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// The curves.
    pub curves: Vec<ReliabilityCurve>,
}

/// The height of the bars for the shares of rows.
const SHARES: f64 = 44.0;

impl Reliability {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        let entry = |(index, curve): (usize, &ReliabilityCurve)| Entry {
            name: curve.name.clone(),
            key: Key::Line(index),
        };
        let mut legend: Vec<Entry> = self.curves.iter().enumerate().map(entry).collect();
        legend.push(Entry { name: "as sure as right".into(), key: Key::Diagonal });
        Chart {
            kind: "reliability",
            title: self.title.clone(),
            description: self.description.clone(),
            half: true,
            legend,
            drawings: vec![self.drawing()],
            table: self.table(),
        }
    }

    fn drawing(&self) -> Drawing {
        let height = Room::Any.width() + SHARES;
        let reach = vec![0.0, 1.0];
        let horizontal = Axis { reach: reach.clone(), ..Axis::percent("confidence") };
        let vertical = Axis { reach, ..Axis::percent("rows that are right") };
        let none = std::iter::empty::<f64>;
        let mut frame = Frame::new(Room::Any, height - SHARES, (&horizontal, &vertical), (none(), none()));
        let mut marks = frame.axes();
        let (left, right, bottom, top) = (at(frame.left), at(frame.right), at(frame.bottom), at(frame.top));
        marks += &format!("<path class=\"diagonal\" d=\"M{left} {bottom}L{right} {top}\"/>\n");
        for (index, curve) in self.curves.iter().enumerate() {
            marks += &self.curve(&frame, index, curve);
        }
        frame.height = height;
        marks += &self.shares(&frame);
        Drawing { room: Room::Any, name: String::new(), width: frame.width, height, marks }
    }

    /// The more rows a bin has, the larger is its marker.
    fn curve(&self, frame: &Frame, index: usize, curve: &ReliabilityCurve) -> String {
        let place = |bin: &ReliabilityBin| Some((frame.place(bin.confidence?, bin.accuracy?)?, bin.share));
        let places: Vec<((f64, f64), f64)> = curve.bins.iter().filter_map(place).collect();
        let line: Vec<String> = places.iter().map(|&((x, y), _)| format!("{} {}", at(x), at(y))).collect();
        let size = |share: f64| 0.6 + 1.4 * share.sqrt();
        let markers: String =
            places.iter().map(|&(place, share)| marker(index, place, size(share))).collect();
        let (style, line) = (style(index), line.join("L"));
        format!(
            "<path class=\"line thin {style}\" d=\"M{line}\"/>\n<path class=\"marker {style}\" d=\"{markers}\"/>\n"
        )
    }

    /// Bars for the shares of the rows, side by side in each bin.
    fn shares(&self, frame: &Frame) -> String {
        let bottom = frame.height - 4.0;
        let top = bottom - SHARES + 14.0;
        let mut svg = text("name", (frame.left, top - 4.0), Anchor::Start, "share of rows");
        let count = self.curves.len() as f64;
        let most = self.curves.iter().flat_map(|curve| &curve.bins).map(|bin| bin.share).fold(0.0, f64::max);
        for (index, curve) in self.curves.iter().enumerate() {
            for bin in curve.bins.iter().filter(|bin| bin.share > 0.0) {
                let (Some(from), Some(to)) = (frame.x.place(bin.above), frame.x.place(bin.up_to)) else {
                    continue;
                };
                let width = (to - from - 2.0) / count;
                let tall = (bin.share / most * (bottom - top)).max(1.0);
                svg += &format!(
                    "<rect class=\"share {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                    style(index),
                    at(from + 1.0 + index as f64 * width),
                    at(bottom - tall),
                    at(width),
                    at(tall)
                );
            }
        }
        svg
    }

    fn table(&self) -> Table {
        let several = self.curves.len() > 1;
        let row = |curve: &ReliabilityCurve, bin: &ReliabilityBin| {
            let share = |value: f64| Cell::number(value, percent(value));
            let cells = [
                format!("{} to {}", number(bin.above), number(bin.up_to)).into(),
                share(bin.share),
                share(bin.confidence?),
                share(bin.accuracy?),
            ];
            let name = several.then(|| curve.name.as_str().into());
            Some(name.into_iter().chain(cells).collect())
        };
        let headers = ["confidence", "of rows", "mean confidence", "right"];
        let name = several.then_some("").into_iter();
        let rows =
            self.curves.iter().flat_map(|curve| curve.bins.iter().filter_map(move |bin| row(curve, bin)));
        Table {
            caption: self.title.clone(),
            headers: name.chain(headers).map(str::to_string).collect(),
            rows: rows.collect(),
            half: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_without_rows_are_left_out() {
        let bin = |index: usize, share: f64| ReliabilityBin {
            above: index as f64 / 4.0,
            up_to: (index + 1) as f64 / 4.0,
            share,
            confidence: (share > 0.0).then_some((index as f64 + 0.5) / 4.0),
            accuracy: (share > 0.0).then_some(0.5),
        };
        let bins = vec![bin(0, 0.0), bin(1, 0.25), bin(2, 0.0), bin(3, 0.75)];
        let curve = |name: &str| ReliabilityCurve { name: name.into(), bins: bins.clone() };
        let chart = Reliability { curves: vec![curve("a"), curve("b")], ..Reliability::default() }.draw();
        let svg = &chart.drawings[0].marks;
        assert_eq!((svg.matches("class=\"share").count(), svg.matches("class=\"marker").count()), (4, 2));
        assert_eq!(chart.table.rows.len(), 4);
        assert_eq!(
            chart.table.rows[3][1..],
            [
                "0.7500 to 1.000".into(),
                Cell::number(0.75, "75.00 %"),
                Cell::number(0.875, "87.50 %"),
                Cell::number(0.5, "50.00 %")
            ]
        );
        let heights: Vec<f64> = svg
            .split(" height=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!((heights[1] / heights[0] - 3.0).abs() < 0.1, "{heights:?}");
    }
}
