//! What each column of a table is to the model.

use serde_json::{Value, json};
use thinnet::average::Average;
use thinnet::measure::Effort;
use thinnet::model::Importance;
use thinnet::prepare::Inputs;
use thinnet::report::{Axis, Bar, Bars, Section};
use thinnet::train::Threads;

use super::Shown;
use crate::text;

/// The most columns that are drawn.
const DRAWN: usize = 20;
/// The most that are measured: each takes a pass of its rows for each shuffle.
const MEASURED: usize = 200;

/// The rise of the loss where a column is shuffled, and its numbers; none for images, or where there are too few
/// rows to shuffle.
pub fn section(shown: &Shown, threads: &Threads) -> anyhow::Result<Option<(Section, Value)>> {
    let Shown { model, examples, effort, .. } = *shown;
    let Inputs::Table(columns) = model.pipeline.fitted_inputs() else {
        return Ok(None);
    };
    let counted = (0..examples.rows()).filter(|&row| examples.weight(row) > 0.0).count();
    let effort = Effort { rows: effort.ablated_rows, ..effort };
    if counted.min(effort.rows) < 2 {
        return Ok(None);
    }
    let heading = "What each column is worth".into();
    if columns.len() > MEASURED {
        let paragraphs = vec![format!(
            "{} columns are too many to be measured for a page; thinnet evaluate --importance does it.",
            text::count(columns.len() as u64)
        )];
        return Ok(Some((Section { heading, paragraphs, items: Vec::new() }, json!({}))));
    }
    let of = model.importance_on(examples, Average::WeightScaling, &effort, threads)?;
    let items = vec![bars(&of, shown, counted.min(effort.rows)).draw().into()];
    Ok(Some((Section { heading, items, ..Section::default() }, json!({ "importance": of }))))
}

fn bars(of: &[Importance], shown: &Shown, rows: usize) -> Bars {
    let (measure, loss) = match shown.model.pipeline.classes() {
        [] => ("rmse", "root mean squared error"),
        _ => ("nll", "negative log-likelihood"),
    };
    let bar = |of: &Importance| {
        let value = of.rise()?;
        let text = text::with_error(value.mean, value.standard_error, text::number);
        Some(Bar { name: of.column.clone(), value, text, chosen: false })
    };
    let rest = match of.len().saturating_sub(DRAWN) {
        0 => String::new(),
        1 => " One further column is worth no more.".into(),
        rest => format!(" {rest} further columns are worth no more."),
    };
    Bars {
        title: "Importance of columns".into(),
        description: format!(
            "By how much the {loss} of {} of the {} rises where a column's cells are shuffled among them; mean and \
             standard error of {}. Near 0 the model does without the column.{rest}",
            text::count(rows as u64),
            shown.rows,
            text::counted(shown.effort.draws as usize, "shuffle", "shuffles"),
        ),
        axis: Axis::new(format!("rise of the {measure}")),
        bars: of.iter().take(DRAWN).filter_map(bar).collect(),
    }
}
