//! What each column of a table is to the model.

use serde_json::{Value, json};
use thinnet::average::Average;
use thinnet::model::Importance;
use thinnet::prepare::Inputs;
use thinnet::report::{Axis, Bar, Bars, Section};
use thinnet::train::Threads;

use super::Shown;
use crate::text;

/// The most columns that are drawn.
const COLUMNS: usize = 20;

/// The rise of the loss where a column is shuffled, and its numbers; none for images, or where there are too few
/// rows to shuffle.
pub fn section(shown: &Shown, threads: &Threads) -> anyhow::Result<Option<(Section, Value)>> {
    let Shown { model, examples, effort, .. } = *shown;
    if matches!(model.pipeline.fitted_inputs(), Inputs::Images { .. }) || examples.rows() < 2 {
        return Ok(None);
    }
    let of = model.importance_on(examples, Average::WeightScaling, &effort, threads)?;
    let heading = "What each column is worth".into();
    let items = vec![bars(&of, shown).draw().into()];
    Ok(Some((Section { heading, items, ..Section::default() }, json!({ "importance": of }))))
}

fn bars(of: &[Importance], shown: &Shown) -> Bars {
    let (measure, loss) = match shown.model.pipeline.classes() {
        [] => ("rmse", "root mean squared error"),
        _ => ("nll", "negative log-likelihood"),
    };
    let bar = |of: &Importance| {
        let value = of.rise()?;
        let text = text::with_error(value.mean, value.standard_error, text::number);
        Some(Bar { name: of.column.clone(), value, text, chosen: false })
    };
    let rest = match of.len().saturating_sub(COLUMNS) {
        0 => String::new(),
        rest => format!(" {rest} further columns are worth no more."),
    };
    Bars {
        title: "Importance of columns".into(),
        description: format!(
            "By how much the {loss} of the {} rises where a column's cells are shuffled among them; mean and standard \
             error of {}. Near 0 the model does without the column.{rest}",
            shown.rows,
            text::counted(shown.effort.draws as usize, "shuffle", "shuffles"),
        ),
        axis: Axis::new(format!("rise of the {measure}")),
        bars: of.iter().take(COLUMNS).filter_map(bar).collect(),
    }
}
