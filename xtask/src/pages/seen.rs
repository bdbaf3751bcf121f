//! What a browser shows of a page, as `look.js` tells it.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// A page in a window of some width.
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// The JSON that the page holds.
    pub data: String,
    pub charts: Vec<Chart>,
    /// The tables that belong to no chart.
    pub tables: Vec<Table>,
    pub colours: std::collections::BTreeMap<String, [f64; 3]>,
    /// One of each kind and colour.
    pub marks: Vec<Mark>,
    pub background: [f64; 3],
    /// Text and background of each shaded cell.
    pub shades: Vec<[[f64; 3]; 2]>,
    /// How wide the page is, what does not fit into the window included.
    pub width: u32,
    /// What was loaded beside the page.
    pub resources: Vec<String>,
}

/// A chart, in one drawing or several.
#[derive(Debug, Deserialize)]
pub struct Chart {
    pub kind: String,
    pub title: String,
    pub drawings: Vec<Drawing>,
    pub table: Table,
}

/// How many marks of each kind a drawing has.
#[derive(Debug, Deserialize)]
pub struct Drawing {
    pub shown: bool,
    pub title: String,
    pub description: String,
    /// Of each line.
    pub points: Vec<usize>,
    /// Of each line.
    pub markers: Vec<usize>,
    pub bars: usize,
    pub shares: usize,
    pub circles: usize,
    pub cells: usize,
    pub areas: usize,
    pub places: usize,
}

/// What stands for a number in a chart.
#[derive(Debug, Deserialize)]
pub struct Mark {
    /// Its classes.
    pub name: String,
    /// What it is filled and outlined with.
    pub paints: Vec<Paint>,
}

/// A colour that lets some of what is below it through.
#[derive(Debug, Deserialize)]
pub struct Paint {
    pub colour: [f64; 3],
    /// From 0 to 1.
    pub opacity: f64,
}

/// A table.
#[derive(Debug, Deserialize)]
pub struct Table {
    pub caption: String,
    pub headers: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A cell, and the number that it stands for.
#[derive(Debug, Deserialize)]
pub struct Cell {
    pub text: String,
    pub value: Option<String>,
}

impl Seen {
    /// The chart whose title begins so.
    pub fn chart(&self, title: &str) -> Result<&Chart> {
        let chart = self.charts.iter().find(|chart| chart.title.starts_with(title));
        chart.with_context(|| format!("there is no chart {title:?}"))
    }

    /// The table whose caption begins so.
    pub fn table(&self, caption: &str) -> Result<&Table> {
        let table = self.tables.iter().find(|table| table.caption.starts_with(caption));
        table.with_context(|| format!("there is no table {caption:?}"))
    }

    /// The contrast of two named colours.
    pub fn contrast(&self, one: &str, other: &str) -> f64 {
        let colour = |name: &str| self.colours.get(name).copied().unwrap_or_default();
        contrast([colour(one), colour(other)])
    }
}

/// The contrast of two colours by WCAG 2: from 1, the same, to 21, black on white.
pub fn contrast(colours: [[f64; 3]; 2]) -> f64 {
    let linear = |channel: f64| match channel / 255.0 {
        dark if dark <= 0.04045 => dark / 12.92,
        bright => ((bright + 0.055) / 1.055).powf(2.4),
    };
    let luminance = |colour: [f64; 3]| {
        let [red, green, blue] = colour.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let [one, other] = colours.map(luminance);
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

impl Mark {
    /// The contrast of what is seen of it on paper: of its area or its outline, whichever is clearer.
    pub fn contrast(&self, paper: [f64; 3]) -> f64 {
        let seen = |paint: &Paint| {
            let mixed = |at: usize| paint.opacity * paint.colour[at] + (1.0 - paint.opacity) * paper[at];
            contrast([[0, 1, 2].map(mixed), paper])
        };
        self.paints.iter().map(seen).fold(1.0, f64::max)
    }
}

impl Table {
    /// Checks that a column holds these numbers, unrounded in its `data` elements.
    pub fn holds(&self, column: usize, expected: &[Option<f64>]) -> Result<()> {
        let what = || format!("{}, column {column}", self.caption);
        let found: Vec<Option<f64>> =
            self.rows.iter().map(|row| row.get(column).and_then(Cell::number)).collect();
        ensure!(found == expected, "{}: {found:?}, not {expected:?}", what());
        Ok(())
    }
}

impl Cell {
    /// The number behind the cell.
    pub fn number(&self) -> Option<f64> {
        self.value.as_ref()?.parse().ok()
    }

    /// Checks that the text is the number, rounded.
    pub fn is_rounded(&self) -> Result<()> {
        let Some(value) = self.number() else { return Ok(()) };
        let mut words = self.text.split_whitespace();
        let number = words.next().unwrap_or_default().replace(',', "").replace('\u{2212}', "-");
        let value = if words.next() == Some("%") { 100.0 * value } else { value };
        let shown: f64 = number.parse().with_context(|| format!("{:?} is no number", self.text))?;
        let (digits, exponent) = number.split_once('e').unwrap_or((&number, "0"));
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len()) as i32;
        let half = 0.5 * 10f64.powi(exponent.parse::<i32>()? - decimals);
        ensure!((shown - value).abs() <= 1.0001 * half, "{:?} is shown for {value}", self.text);
        Ok(())
    }
}

/// The numbers at a place of some JSON objects.
pub fn numbers(objects: &Value, at: &str) -> Vec<Option<f64>> {
    let objects = objects.as_array().map_or(&[][..], |objects| objects);
    objects.iter().map(|object| object.pointer(at).and_then(Value::as_f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of WCAG 2: the extremes, and the grey that just suffices on white.
    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((contrast([[0.0; 3], [255.0; 3]]) - 21.0).abs() < 1e-9);
        assert!((contrast([[118.0; 3], [255.0; 3]]) - 4.54).abs() < 0.01);
    }

    /// Half of black on white is a grey of 127.5, whose luminance is 0.2140.
    #[test]
    fn a_mark_is_mixed_with_the_paper() {
        let paint = |opacity: f64| Paint { colour: [0.0; 3], opacity };
        let of = |paints: Vec<Paint>| Mark { name: "bar".into(), paints }.contrast([255.0; 3]);
        assert!((of(vec![paint(0.5)]) - 1.05 / 0.2640).abs() < 0.01);
        assert!((of(vec![paint(0.5), paint(1.0)]) - 21.0).abs() < 1e-9, "an outline counts");
        assert_eq!((of(vec![paint(0.0)]), of(Vec::new())), (1.0, 1.0));
    }

    #[test]
    fn a_number_is_held_against_its_text() {
        let cell = |text: &str, value: f64| Cell { text: text.into(), value: Some(value.to_string()) };
        for (text, value) in [
            ("1,438", 1438.0),
            ("1.39\u{a0}%", 0.013927),
            ("-1.147e-5 ±\u{a0}1.037e-5", -1.1469e-5),
            ("\u{2212}0.5", -0.5),
            ("12 (3.05 %)", 12.0),
        ] {
            cell(text, value).is_rounded().unwrap();
            assert!(cell(text, 1.2 * value).is_rounded().is_err(), "{text}");
        }
        assert!(cell("much", 1.0).is_rounded().is_err());
    }
}
