//! `thinnet evaluate`: how good a model is on rows whose targets are known.

use std::path::Path;

use serde_json::json;
use thinnet::average::{Average, Mean};
use thinnet::data::Data;
use thinnet::measure::{Disagreement, ReliabilityBin};
use thinnet::model::{Evaluation, MembersEvaluation, Model};
use thinnet::report::table;
use thinnet::train::Threads;

use crate::arguments::Evaluate;
use crate::text;

/// Measures and prints.
pub fn run(arguments: &Evaluate) -> anyhow::Result<()> {
    let rows = &arguments.rows;
    let (model, data) = rows.open()?;
    let trained_on = has_learned_from(&model, &rows.model, &data)?;
    let by = rows.average(&model);
    let measured = model.evaluate_members(&data, by, rows.seed, &Threads::new(rows.threads)?)?;
    let MembersEvaluation { ensemble, members, disagreement } = measured;
    let several = members.len() > 1;
    if arguments.json {
        let mut object = json!(ensemble);
        if several {
            object["members"] = json!(members);
            object["disagreement"] = json!(disagreement);
        }
        object["model"] = json!(rows.model.display().to_string());
        object["data"] = json!(data.name());
        object["average"] = json!(by.to_string());
        object["tau"] = json!(model.tau());
        object["trained_on"] = json!(trained_on);
        text::print_json(&object)?;
        return Ok(());
    }
    let lines = measures(&ensemble)
        .into_iter()
        .map(|(name, value, meaning)| vec![name.to_string(), value, meaning.to_string()]);
    let average = match by {
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
    };
    let of_members = match model.members().len() {
        1 => String::new(),
        members => format!("mean of {members} members, of each the "),
    };
    let alone = match several {
        true => {
            format!(
                "\nEach member alone:\n{}{}\n",
                members_table(&[], &vec![Vec::new(); members.len()], &members),
                disagree(&disagreement)
            )
        }
        false => String::new(),
    };
    text::print(&format!(
        "{} on {}: {of_members}{average}\n\n{}{}{alone}",
        rows.model.display(),
        data.name(),
        table(&["measure", "value", "what it is"], &lines.collect::<Vec<_>>()),
        reliability(&ensemble)
    ))?;
    Ok(())
}

/// Whether a model has learned from the data; if so, warns of it.
pub fn has_learned_from(model: &Model, path: &Path, data: &Data) -> anyhow::Result<bool> {
    let has_learned = model.has_learned_from(data)?;
    if has_learned {
        let path = path.display();
        let part = match model.spec.data.test {
            0.0 => "take rows that it has never seen",
            _ => "--part test takes those that it has never seen",
        };
        text::warn(&format!(
            "{path} was trained on rows of these data and looks better here than it is; {part}"
        ));
    }
    Ok(has_learned)
}

/// The reliability curve of a classification, without its empty bins.
pub fn reliability(evaluation: &Evaluation) -> String {
    let Evaluation::Classification(of) = evaluation else { return String::new() };
    let line = |bin: &ReliabilityBin| {
        let (confidence, accuracy) = (bin.confidence?, bin.accuracy?);
        let range = format!("{:.3} to {:.3}", bin.above, bin.up_to);
        Some(vec![range, text::percent(bin.share), text::number(confidence), text::number(accuracy)])
    };
    let lines: Vec<Vec<String>> = of.reliability.iter().filter_map(line).collect();
    let headers = ["confidence", "of rows", "mean confidence", "accuracy"];
    format!(
        "\nRows by the probability of the class taken; mean confidence should be the accuracy.\n\n{}",
        table(&headers, &lines)
    )
}

/// A line for each member: its number, what else is known of it, its measures.
pub fn members_table(headers: &[&str], known: &[Vec<String>], members: &[Evaluation]) -> String {
    let of = |evaluation: &Evaluation| measures(evaluation).into_iter().skip(1);
    let names = members.first().map_or(Vec::new(), |first| of(first).map(|measure| measure.0).collect());
    let line = |(index, (known, evaluation)): (usize, (&Vec<String>, &Evaluation))| {
        let number = std::iter::once((index + 1).to_string());
        number.chain(known.iter().cloned()).chain(of(evaluation).map(|measure| measure.1)).collect()
    };
    let lines: Vec<Vec<String>> = known.iter().zip(members).enumerate().map(line).collect();
    table(&[&["member"], headers, &names].concat(), &lines)
}

/// How far members disagree, in a sentence.
pub fn disagree(disagreement: &Disagreement) -> String {
    let Disagreement { deviation, classes_differ, mutual_information } = disagreement;
    let deviation = text::number(*deviation);
    match (classes_differ, mutual_information) {
        (Some(differ), Some(information)) => format!(
            "They find different classes for {} of the rows; their probabilities have a standard deviation of \
             {deviation}; class and member share {} nats.",
            text::percent(*differ),
            text::number(*information)
        ),
        _ => format!("Their predictions have a standard deviation of {deviation}, in the target's unit."),
    }
}

/// The measures that there are: name, value, meaning.
pub fn measures(evaluation: &Evaluation) -> Vec<(&'static str, String, &'static str)> {
    match evaluation {
        Evaluation::Classification(of) => {
            let mut measures = vec![
                ("rows", text::count(of.rows as u64), "rows measured"),
                ("error", text::percent(of.error), "rows whose most probable class is wrong"),
                ("accuracy", text::percent(of.accuracy), "rows whose most probable class is right"),
                ("nll", text::number(of.nll), "negative log-likelihood, nats a row; lower is better"),
                ("brier", text::number(of.brier), "squared error of the probabilities, 0 to 2"),
                ("ece", text::number(of.ece), "expected calibration error: how far confidence is off"),
            ];
            measures.extend(of.auc.map(|auc| {
                ("auc", text::number(auc), "area under the ROC curve: 0.5 is chance, 1 is perfect")
            }));
            measures
        }
        Evaluation::Regression(of) => {
            let mut measures = vec![
                ("rows", text::count(of.rows as u64), "rows measured"),
                ("rmse", text::number(of.rmse), "root mean squared error, in the target's unit"),
                ("mae", text::number(of.mae), "mean absolute error, in the target's unit"),
                ("r2", text::number(of.r2), "share of the target's variance that is explained"),
            ];
            measures.extend(of.log_likelihood.map(|value| {
                ("log_likelihood", text::number(value), "of the targets, nats a row; higher is better")
            }));
            measures.extend(of.coverage_90.map(|share| {
                ("coverage_90", text::percent(share), "targets inside the 90 % interval; 90 % is right")
            }));
            measures.extend(of.width_90.map(|width| {
                ("width_90", text::number(width), "mean width of that interval, in the target's unit")
            }));
            measures.extend(of.crps.map(|score| {
                ("crps", text::number(score), "like mae, of the whole distribution; lower is better")
            }));
            measures
        }
    }
}
