//! `thinnet measure`: whether thinning worked. Overfitting, co-adaptation, calibration.

use std::path::Path;

use serde_json::{Value, json};
use thinnet::average::Average;
use thinnet::data::Data;
use thinnet::measure::{Coadaptation, Effort, Estimate, InferenceGap, Overfitting};
use thinnet::model::{Measures, Member, Model};
use thinnet::report::{Cell, Curve, Series, table};
use thinnet::train::Threads;

use crate::arguments::Measure;
use crate::coadaptation::{MEANINGS, layers};
use crate::overfitting::{NOTHING_HELD_OUT, gap, lost};
use crate::page::{self, Shown};
use crate::rows::{knows, unseen};
use crate::{describe, judged, output, text};

/// Measures and prints.
pub fn run(arguments: &Measure) -> anyhow::Result<()> {
    if let Some(page) = &arguments.report {
        output::check("--report", page, &[Some(&arguments.model), Some(&arguments.data)])?;
    }
    let (model, data) = arguments.open()?;
    let trained_on = knows(&model, &data)?;
    unseen(&model, &data)?;
    let effort = arguments.effort();
    let member = arguments.member as usize - 1;
    let threads = Threads::new(arguments.threads)?;
    let measures = model.measures(member, &data, &effort, &threads)?;
    let mut object = json!(measures);
    object["model"] = json!(arguments.model.display().to_string());
    object["data"] = json!(data.name());
    object["member"] = json!(arguments.member);
    object["draws"] = json!(effort.draws);
    object["seed"] = json!(effort.seed);
    object["trained_on"] = json!(trained_on);
    if let Some(page) = &arguments.report {
        object["report"] = json!(page.display().to_string());
        write_page(arguments, page, (&model, &data), &measures, &object, &threads)?;
    }
    if arguments.json {
        return Ok(text::print_json(&object)?);
    }
    let of_members = match model.members().len() {
        1 => String::new(),
        members => format!(", member {} of {members}", arguments.member),
    };
    let parts = [
        format!(
            "{}{of_members} on {}: {}",
            arguments.model.display(),
            data.name(),
            text::counted(measures.rows, "row", "rows")
        ),
        overfitting(measures.overfitting.as_ref(), &model, member),
        coadaptation(&measures.coadaptation),
        silenced(&measures, &effort),
        inference_gap(measures.inference_gap),
        calibration(&measures),
    ];
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    text::print(&format!("{}\n", parts.join("\n\n")))?;
    Ok(())
}

/// The page of the model on these rows.
fn write_page(
    arguments: &Measure,
    page: &Path,
    (model, data): (&Model, &Data),
    measures: &Measures,
    answer: &Value,
    threads: &Threads,
) -> anyhow::Result<()> {
    let (examples, effort) = (model.pipeline.examples(data, None)?, arguments.effort());
    let evaluate = |by: Average| model.measure(&examples, by, effort.seed, threads);
    let whole = evaluate(Average::WeightScaling)?;
    let sampled =
        measures.sampled.as_ref().map(|_| evaluate(Average::monte_carlo(effort.samples))).transpose()?;
    let parts = [("mean of thinned", sampled.as_ref()), ("whole network", Some(&whole))];
    let name = output::name_of(&arguments.data);
    let mut facts = vec![("Model", arguments.model.display().to_string()), ("Measured on", name.clone())];
    facts.extend(page::facts(model));
    let shown = Shown {
        title: page::title(model, "measured on", &name),
        apart: String::new(),
        facts,
        model,
        member: arguments.member as usize - 1,
        measures,
        parts: parts.into_iter().filter_map(|(name, part)| Some((name, part?))).collect(),
        examples: &examples,
        rows: format!("rows of {name}"),
        effort,
        command: again(model),
        answer: answer.clone(),
    };
    shown.write(page, threads)
}

/// The command that runs the model's spec again.
fn again(model: &Model) -> String {
    let own = model.run().validation_rows > 0 && model.spec.data.valid == Some(0.0);
    format!("thinnet fit DATA --spec run.toml{}", if own { " --valid FILE" } else { "" })
}

fn overfitting(of: Option<&Overfitting>, model: &Model, member: usize) -> String {
    let Some(of) = of else {
        return format!("OVERFITTING\n{NOTHING_HELD_OUT}");
    };
    let gaps: Vec<f64> = of.gaps.iter().map(|gap| gap.gap).collect();
    let series = Series { name: "gap: held-out loss minus training loss", values: &gaps };
    let curve = Curve { height: 6, ..Curve::default() }.draw(&[series]);
    let Member { number, run, .. } = &model.members()[member];
    let thinned = match describe::thinning(&model.spec.member(*number)) {
        Some(_) => {
            " The training loss is that of the thinned networks,\nwhich have the harder task: with dropout the gap \
             can lie below 0."
        }
        None => "",
    };
    format!(
        "OVERFITTING\n{curve}\n{}\n{}\nThe model has the parameters of epoch {}.{thinned}",
        gap(of),
        lost(of),
        run.chosen_epoch
    )
}

fn coadaptation(of: &[Coadaptation]) -> String {
    if of.is_empty() {
        return "CO-ADAPTATION\nThere are no hidden layers whose units could co-adapt.".into();
    }
    let (headers, rows) = layers(of);
    let text = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.clone()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(text).collect();
    format!(
        "CO-ADAPTATION of each hidden layer\n{}\n{}",
        table(&headers, &rows),
        MEANINGS.map(|(name, meaning)| format!("{name:<11}  {meaning}")).join("\n")
    )
}

/// The error, or for a regression the loss, without a share of the units of each layer.
fn silenced(measures: &Measures, effort: &Effort) -> String {
    let Some(first) = measures.coadaptation.first() else { return String::new() };
    let what = if first.silenced.iter().any(|of| of.error.is_some()) { "error" } else { "loss" };
    let line = |index: usize| {
        let cell = |layer: &Coadaptation| match layer.silenced[index] {
            of if what == "error" => of.error.map_or("-".into(), |of| estimate(of, text::percent)),
            of => estimate(of.loss, text::number),
        };
        let share = format!("{:.0} %", 100.0 * first.silenced[index].share);
        std::iter::once(share).chain(measures.coadaptation.iter().map(cell)).collect()
    };
    let lines: Vec<Vec<String>> = (0..first.silenced.len()).map(line).collect();
    let layers: Vec<String> =
        measures.coadaptation.iter().map(|layer| format!("layer {}", layer.layer)).collect();
    let headers: Vec<&str> = std::iter::once("silenced").chain(layers.iter().map(String::as_str)).collect();
    format!(
        "{} WITHOUT a share of the units of one layer, on {}; mean ± standard error of {}\n{}\
         The flatter, the less a layer depends on single units.",
        what.to_uppercase(),
        text::counted(measures.ablated_rows, "row", "rows"),
        text::counted(effort.draws as usize, "draw", "draws"),
        table(&headers, &lines)
    )
}

fn inference_gap(gap: Option<InferenceGap>) -> String {
    let Some(of) = gap else {
        return "INFERENCE GAP\nNothing was dropped in training: the whole network is its own average."
            .into();
    };
    format!(
        "INFERENCE GAP {}\nSo far is the prediction of the whole network from the mean of {}.\nSampling \
         alone would make a gap of {}.",
        text::number(of.gap),
        text::counted(of.samples as usize, "thinned network", "thinned networks"),
        text::number(of.noise)
    )
}

fn calibration(measures: &Measures) -> String {
    let sampled = measures.sampled.as_ref().map(judged::measures).unwrap_or_default();
    let whole = judged::measures(&measures.whole);
    // With samples there are more measures of a regression.
    let names = if sampled.len() > whole.len() { &sampled } else { &whole };
    let line = |(name, _, meaning): &(&str, String, &str)| {
        let value = |of: &[(&str, String, &str)]| {
            of.iter().find(|(other, ..)| other == name).map_or("-".into(), |(_, value, _)| value.clone())
        };
        vec![name.to_string(), value(&whole), value(&sampled), meaning.to_string()]
    };
    let lines: Vec<Vec<String>> = names.iter().map(line).collect();
    let table = table(&["measure", "whole", "mean of thinned", "what it is"], &lines);
    format!("CALIBRATION\n{table}{}", judged::reliability(&measures.whole))
}

/// "1.52 ± 0.06"
fn estimate(of: Estimate, show: fn(f64) -> String) -> String {
    text::with_error(of.mean, of.standard_error, show)
}
