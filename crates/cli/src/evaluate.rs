//! `thinnet evaluate`: how good a model is on rows whose targets are known.

use serde_json::{Value, json};
use thinnet::average::{Average, Mean};
use thinnet::measure::Effort;
use thinnet::model::MembersEvaluation;
use thinnet::report::table;
use thinnet::train::Threads;

use crate::arguments::Evaluate;
use crate::importance::importances;
use crate::judged::{disagree, measures, members_table, reliability};
use crate::rows::{knows, unseen};
use crate::text;

/// Measures and prints.
pub fn run(arguments: &Evaluate) -> anyhow::Result<()> {
    let rows = &arguments.rows;
    let (model, data) = rows.open(&[])?;
    rows.check_precision(&model)?;
    let trained_on = knows(&model, &data)?;
    let unseen = unseen(&model, &data)?;
    let by = rows.average(&model);
    let threads = Threads::new(rows.threads)?;
    let examples = model.pipeline.examples(&data, None)?;
    let name = data.name().to_string();
    drop(data);
    let measured = model.measure_members(&examples, by, rows.seed, &threads)?;
    let importance = |draws| {
        let effort = Effort { rows: usize::MAX, draws, seed: rows.seed, ..Effort::default() };
        model.importance_on(&examples, by, &effort, &threads)
    };
    let importance = arguments.importance.map(importance).transpose()?;
    if arguments.json {
        let mut object = as_json(&measured);
        object["model"] = json!(rows.model.display().to_string());
        object["data"] = json!(name);
        object["average"] = json!(by.to_string());
        object["tau"] = json!(model.tau());
        object["trained_on"] = json!(trained_on);
        object["unseen"] = json!(unseen);
        if let Some(importance) = &importance {
            object["importance"] = json!(importance);
        }
        text::print_json(&object)?;
        return Ok(());
    }
    let lines = measures(&measured.ensemble)
        .into_iter()
        .map(|(name, value, meaning)| vec![name.to_string(), value, meaning.to_string()]);
    let of_members = match model.members().len() {
        1 => String::new(),
        members => format!("mean of {members} members, of each the "),
    };
    text::print(&format!(
        "{} on {}: {of_members}{}\n\n{}{}{}{}",
        rows.model.display(),
        name,
        predictions(by),
        table(&["measure", "value", "what it is"], &lines.collect::<Vec<_>>()),
        reliability(&measured.ensemble),
        alone(&measured),
        importances(&importance.unwrap_or_default(), arguments.importance.unwrap_or_default())
    ))?;
    Ok(())
}

/// The measures of all members together, and of several also those of each.
fn as_json(measured: &MembersEvaluation) -> Value {
    let MembersEvaluation { ensemble, members, disagreement } = measured;
    let mut object = json!(ensemble);
    if members.len() > 1 {
        object["members"] = json!(members);
        object["disagreement"] = json!(disagreement);
    }
    object
}

/// What is measured: the predictions by this average.
fn predictions(by: Average) -> String {
    match by {
        Average::WeightScaling => "predictions of the whole network".to_string(),
        Average::MonteCarlo { samples, mean: Mean::Arithmetic, .. } => {
            format!("mean predictions of {samples} thinned networks")
        }
        Average::MonteCarlo { samples, mean: Mean::Geometric, .. } => {
            format!("geometric mean of {samples} thinned networks")
        }
        Average::Exact => "mean predictions of all thinned networks".to_string(),
        Average::DropConnect { samples } => {
            format!("predictions from {samples} draws of each unit's sum of dropped edges")
        }
        Average::Moments => "mean predictions by moment propagation".to_string(),
    }
}

/// Each member alone, and how far they disagree, where there are several.
fn alone(measured: &MembersEvaluation) -> String {
    let MembersEvaluation { members, disagreement, .. } = measured;
    if members.len() < 2 {
        return String::new();
    }
    format!(
        "\nEach member alone:\n{}{}\n",
        members_table(&[], &vec![Vec::new(); members.len()], members),
        disagree(disagreement)
    )
}
