//! How far predictions can be trusted: confidence against accuracy and confusions of classes, or
//! predictions against targets.

use serde_json::{Value, json};
use thinnet::average::Averaged;
use thinnet::data::Targets;
use thinnet::measure::{Classification, confusion};
use thinnet::model::Evaluation;
use thinnet::report::{Axis, Cell, Item, Reference, Reliability, ReliabilityCurve, Scatter, Section, Table};

use super::Shown;
use crate::{describe, text};

/// With more classes than this the most frequent confusions are listed in place of a matrix.
const MATRIX: usize = 20;
/// How many confusions are listed.
const LISTED: usize = 20;
/// How many rows of a regression are drawn.
const POINTS: usize = 800;

/// What is seen of the predictions, and its numbers.
pub fn section(shown: &Shown, predicted: &Averaged) -> anyhow::Result<(Section, Value)> {
    let (mut items, numbers) = predictions(shown, predicted)?;
    if let Some(Evaluation::Classification(of)) = shown.closer() {
        let whole = if describe::several(shown.model) { "all members together" } else { "whole network" };
        items.insert(0, reliability(&[(whole, of)], &shown.rows));
    }
    Ok((Section { heading: "How far to trust it".into(), items, ..Section::default() }, numbers))
}

/// The confusion of classes, or predictions against targets and residuals, and their numbers.
pub fn predictions(shown: &Shown, predicted: &Averaged) -> anyhow::Result<(Vec<Item>, Value)> {
    let (examples, rows, apart) = (shown.examples, shown.rows.as_str(), shown.apart.as_str());
    let Targets::Classes { labels, .. } = &examples.targets else {
        let points = points(shown, predicted)?;
        return Ok((scatters(&points, rows, apart), json!({ "predictions": points })));
    };
    let counts = confusion(&predicted.mean, labels, examples.weights.as_deref())?;
    let classes = shown.model.pipeline.classes();
    let table = match classes.len() {
        ..=MATRIX => matrix(classes, &counts, rows, apart),
        _ => list(classes, &counts, rows, apart),
    };
    Ok((vec![table.into()], json!({ "confusion": counts })))
}

/// Confidence against accuracy of one network or several.
pub fn reliability(of: &[(&str, &Classification)], rows: &str) -> Item {
    let curve = |(name, of): &(&str, &Classification)| ReliabilityCurve {
        name: name.to_string(),
        bins: of.reliability.clone(),
    };
    let errors: Vec<String> = match of {
        [(_, of)] => vec![text::number(of.ece)],
        several => several.iter().map(|(name, of)| format!("{} for {name}", text::number(of.ece))).collect(),
    };
    let description = format!(
        "The {rows} by the probability of the class taken, and how often it is right. Below the diagonal it is too \
         sure. The expected calibration error, the mean distance from the diagonal, is {}.",
        errors.join(", ")
    );
    let curves = of.iter().map(curve).collect();
    Reliability { title: "Confidence and accuracy".into(), description, curves }.draw().into()
}

/// A number of rows, which need not be whole if rows have weights.
fn rows_cell(rows: f64) -> Cell {
    Cell::number(rows, if rows.fract() == 0.0 { text::count(rows as u64) } else { text::number(rows) })
}

/// A line for each class, a column for each class that was taken.
fn matrix(classes: &[String], counts: &[Vec<f64>], rows: &str, apart: &str) -> Table {
    let row = |(class, counts): (&String, &Vec<f64>)| {
        let total: f64 = counts.iter().sum();
        let cell = |&count: &f64| rows_cell(count).shaded(count / total.max(f64::MIN_POSITIVE));
        std::iter::once(class.as_str().into()).chain(counts.iter().map(cell)).collect()
    };
    Table {
        caption: format!("Confusion{apart}: the {rows} of each class, and the classes taken for them"),
        headers: std::iter::once("class")
            .chain(classes.iter().map(String::as_str))
            .map(str::to_string)
            .collect(),
        rows: classes.iter().zip(counts).map(row).collect(),
        half: classes.len() <= 10,
    }
}

/// The most frequent confusions.
fn list(classes: &[String], counts: &[Vec<f64>], rows: &str, apart: &str) -> Table {
    let mut pairs: Vec<(usize, usize)> =
        (0..classes.len()).flat_map(|class| (0..classes.len()).map(move |taken| (class, taken))).collect();
    pairs.retain(|&(class, taken)| class != taken && counts[class][taken] > 0.0);
    pairs.sort_by(|one, other| counts[other.0][other.1].total_cmp(&counts[one.0][one.1]));
    let row = |&(class, taken): &(usize, usize)| {
        let share = counts[class][taken] / counts[class].iter().sum::<f64>();
        let of_class = Cell::number(share, text::percent(share));
        vec![
            classes[class].as_str().into(),
            classes[taken].as_str().into(),
            rows_cell(counts[class][taken]),
            of_class,
        ]
    };
    Table {
        caption: format!("The most frequent confusions of classes of the {rows}{apart}"),
        headers: ["class", "taken for it", "rows", "of the class"].map(str::to_string).into(),
        rows: pairs.iter().take(LISTED).map(row).collect(),
        half: true,
    }
}

/// Target and prediction of some rows, in the target's own units, to six digits.
fn points(shown: &Shown, predicted: &Averaged) -> anyhow::Result<Vec<[f64; 2]>> {
    let Targets::Values(targets) = &shown.examples.targets else { return Ok(Vec::new()) };
    let (model, rows) = (shown.model, shown.examples.rows());
    let predictions = model.in_own_units(predicted)?.mean;
    let point = |row: usize| {
        let target = model.pipeline.denormalise(targets.row(row)[0]);
        [text::rounded(target, 6), text::rounded(predictions.row(row)[0].into(), 6)]
    };
    Ok((0..rows).step_by(rows.div_ceil(POINTS).max(1)).map(point).collect())
}

fn scatters(points: &[[f64; 2]], rows: &str, apart: &str) -> Vec<Item> {
    let some = format!("{} of the {rows}.", text::count(points.len() as u64));
    let predictions = Scatter {
        title: format!("Predictions and targets{apart}"),
        description: format!("{some} On the line a prediction is the target; above it, too high."),
        horizontal: Axis::new("target"),
        vertical: Axis::new("prediction"),
        points: points.iter().map(|&[target, prediction]| (target, prediction)).collect(),
        reference: (Reference::Same, "prediction = target".into()),
    };
    let residuals = Scatter {
        title: format!("Residuals{apart}"),
        description: format!(
            "{some} What the target is above its prediction. A trend was not learned; a funnel says that some \
             predictions are surer than others."
        ),
        horizontal: Axis::new("prediction"),
        vertical: Axis::new("target \u{2212} prediction"),
        points: points.iter().map(|&[target, prediction]| (prediction, target - prediction)).collect(),
        reference: (Reference::Zero, "prediction = target".into()),
    };
    vec![predictions.draw().into(), residuals.draw().into()]
}
