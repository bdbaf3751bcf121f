//! A heat map: numbers from -1 to 1, one for each pair.

use super::cells::cells;
use super::drawing::{Drawing, Room};
use super::{Chart, Entry, Key};
use crate::report::number::{count, percent};
use crate::report::{Cell, Table};

/// One of the maps that stand side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What sets it apart from the others.
    pub name: String,
    /// One row after the other; all of one length, and every value from -1 to 1.
    pub rows: Vec<Vec<f64>>,
}

/// Maps of numbers from -1 to 1, side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// What is seen.
    pub title: String,
    /// How to read it, and what it shows, in sentences.
    pub description: String,
    /// The maps.
    pub panels: Vec<Panel>,
}

/// The edges of the intervals that the table behind a map counts its values in.
const EDGES: [f64; 9] = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];

impl HeatMap {
    /// The chart of a page.
    pub fn draw(&self) -> Chart {
        Chart {
            kind: "heat-map",
            title: self.title.clone(),
            description: self.description.clone(),
            half: false,
            legend: signed_legend(),
            drawings: self.panels.iter().map(drawing).collect(),
            table: self.table(),
        }
    }

    /// How many values lie in each interval; the numbers themselves are too many to read.
    fn table(&self) -> Table {
        let headers = std::iter::once("values".to_string());
        let row = |edges: &[f64]| {
            let last = edges[1] == 1.0;
            let inside = |value: &&f64| (edges[0]..edges[1]).contains(*value) || last && **value >= 1.0;
            let cell = |panel: &Panel| {
                let all = panel.rows.iter().map(Vec::len).sum::<usize>();
                let found = panel.rows.iter().flatten().filter(inside).count();
                // A map without cells has none of them in any interval.
                let share = percent(found as f64 / all.max(1) as f64);
                Cell::number(found as f64, format!("{} ({share})", count(found as u64)))
            };
            let name = format!("{} to {}", edges[0], edges[1]).replace('-', "\u{2212}");
            std::iter::once(name.into()).chain(self.panels.iter().map(cell)).collect()
        };
        Table {
            caption: format!("{}: how many cells", self.title),
            headers: headers.chain(self.panels.iter().map(|panel| panel.name.clone())).collect(),
            rows: EDGES.windows(2).map(row).collect(),
            half: false,
        }
    }
}

/// From orange through nothing to blue.
pub(super) fn signed_legend() -> Vec<Entry> {
    let entry = |value: f64, name: &str| Entry { name: name.into(), key: Key::Tone(value) };
    vec![
        entry(-1.0, "\u{2212}1"),
        entry(-0.5, "\u{2212}½"),
        entry(0.0, "0"),
        entry(0.5, "½"),
        entry(1.0, "1"),
    ]
}

fn drawing(panel: &Panel) -> Drawing {
    let (rows, columns) = (panel.rows.len(), panel.rows.first().map_or(0, Vec::len));
    let cells = cells(&panel.rows.concat(), columns);
    Drawing {
        room: Room::Any,
        name: panel.name.clone(),
        width: columns.max(1) as f64,
        height: rows.max(1) as f64,
        marks: format!("<g class=\"cells\" transform=\"translate(0 .5)\">\n{cells}</g>\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_without_cells_is_empty_and_not_broken() {
        let map = |rows: Vec<Vec<f64>>| {
            let panels = vec![Panel { name: "after".into(), rows }];
            let mut html = String::new();
            HeatMap { panels, ..HeatMap::default() }.draw().write(&mut html, 1);
            html
        };
        let empty = map(Vec::new());
        assert!(!empty.contains("NaN") && !empty.contains("viewBox=\"0 0 0 0\""), "{empty}");
        assert_eq!(empty.matches("0 (0.00&nbsp;%)").count(), 8, "{empty}");
        let full = map(vec![vec![1.0, -0.2], vec![-0.2, 1.0]]);
        assert!(full.contains("viewBox=\"0 0 2 2\"") && full.contains("2 (50.00&nbsp;%)"), "{full}");
    }
}
