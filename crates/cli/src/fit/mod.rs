//! `thinnet fit`: from data to a model file.

mod json;
mod summary;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use thinnet::data::{Data, Examples};
use thinnet::measure::Effort;
use thinnet::model::{Fitted, Member, Prepared, prepare};
use thinnet::train::{Ended, Threads};
use thinnet::{Error, Spec};

use crate::arguments::{Fit, Rows};
use crate::describe::several;
use crate::page::{self, Shown};
use crate::progress::Progress;
use crate::{asked, describe, output, rows, text};
use json::as_json;
use summary::{summary, took};

/// Trains, saves and prints.
pub fn run(arguments: &Fit) -> anyhow::Result<()> {
    let spec = asked::spec(arguments)?;
    let output = arguments.output.clone().unwrap_or_else(|| default_output(&arguments.data));
    if !arguments.print_spec {
        check_outputs(arguments, &output)?;
    }
    let prepared = read(arguments, &spec)?;
    if arguments.print_spec {
        return print_spec(arguments, &prepared.spec);
    }
    let threads = Threads::new(arguments.threads)?;
    if !arguments.quiet {
        introduce(&prepared, &threads);
    }
    let held_out =
        arguments.report.as_ref().map(|_| prepared.valid.as_ref().unwrap_or(&prepared.train).clone());
    let mut progress = Progress::new(&prepared.spec, arguments.quiet)?;
    let fitted = prepared.fit(&threads, &mut |event| progress.note(event));
    progress.finish();
    let fitted = fitted?;
    let replaced = output.is_file();
    fitted.model.save(&output)?;
    for Member { number, run, .. } in fitted.model.members() {
        if let Ended::NotFinite { step, learning_rate } = run.ended {
            let of = if several(&fitted.model) { format!(" of member {number}") } else { String::new() };
            text::warn(&format!(
                "{} holds the parameters{of} of epoch {}, before the loss went astray",
                output.display(),
                run.chosen_epoch
            ));
            return Err(Error::NotFinite { step, learning_rate }.into());
        }
    }
    let mut answer = as_json(&fitted, &output);
    answer["replaced"] = json!(replaced);
    if let (Some(page), Some(examples)) = (&arguments.report, &held_out) {
        answer["report"] = json!(page.display().to_string());
        write_page(arguments, page, (&fitted, &output), examples, &answer, &threads)?;
    }
    if arguments.json {
        text::print_json(&answer)?;
    } else if !arguments.quiet {
        text::print(&summary(arguments, &fitted, (&output, replaced), &threads))?;
    }
    Ok(())
}

/// Neither the model nor the page may replace what the run reads, nor one the other.
fn check_outputs(arguments: &Fit, model: &Path) -> anyhow::Result<()> {
    let valid = rows::file(arguments.columns.valid.as_ref());
    let read = [Some(arguments.data.as_path()), arguments.spec.as_deref(), valid];
    output::check("-o", model, &read)?;
    let others = [&read[..], &[Some(model)]].concat();
    arguments.report.as_deref().map_or(Ok(()), |page| output::check("--report", page, &others))
}

/// The page of the run, with the rows that were held out or, without them, those trained on.
fn write_page(
    arguments: &Fit,
    page: &Path,
    (fitted, output): (&Fitted, &Path),
    examples: &Examples,
    answer: &Value,
    threads: &Threads,
) -> anyhow::Result<()> {
    let (model, valid, effort) = (&fitted.model, fitted.valid.as_ref(), Effort::default());
    let name = output::name_of(&arguments.data);
    let mut facts = vec![("Data", name.clone())];
    facts.extend(page::facts(model));
    let version = env!("CARGO_PKG_VERSION");
    facts.push(("Time", took(fitted, threads)));
    facts.push(("Model", format!("{}, written by thinnet {version}", output.display())));
    let parts = [("training", Some(&fitted.train)), ("validation", valid)];
    let shown = Shown {
        title: page::title(model, "learned from", &name),
        apart: String::new(),
        facts,
        model,
        member: 0,
        measures: &model.measures_on(0, examples, &effort, threads)?,
        parts: parts.into_iter().filter_map(|(name, part)| Some((name, part?))).collect(),
        examples,
        rows: if valid.is_some() { "validation rows".into() } else { page::TRAINING_ROWS.into() },
        effort,
        command: again(arguments, "run.toml"),
        answer: answer.clone(),
    };
    shown.write(page, threads)
}

/// Reads the data and makes them ready, with what the user should know about it.
fn read(arguments: &Fit, spec: &Spec) -> anyhow::Result<Prepared> {
    rows::check_test(&arguments.data, spec.data.test)?;
    let data = Data::open(&arguments.data, None, &spec.data.types)?;
    let valid = rows::open_like(&data, &spec.data, arguments.columns.valid.as_ref())?;
    let prepared = prepare(&data, valid.as_ref(), spec)?;
    prepared.warnings.iter().for_each(|warning| text::warn(warning));
    if let (None, Some(target), false) = (&spec.data.target, prepared.pipeline.target_name(), arguments.quiet)
    {
        text::say(&format!("the target is the last column, {target}; --target COLUMN takes another"));
    }
    Ok(prepared)
}

fn print_spec(arguments: &Fit, spec: &Spec) -> anyhow::Result<()> {
    let unset = [
        (spec.data.target.is_none(), "data.target"),
        (spec.data.weight.is_none(), "data.weight"),
        (spec.thin.masks.is_none(), "thin.masks"),
    ];
    let unset: Vec<&str> = unset.iter().filter(|(is_unset, _)| *is_unset).map(|(_, field)| *field).collect();
    // TOML has no word for nothing.
    let unset = match unset.is_empty() {
        true => String::new(),
        false => format!("# Without a value, and so not in it: {}\n", unset.join(", ")),
    };
    Ok(text::print(&format!("# {}\n{unset}{}", again(arguments, "THIS-FILE"), spec.to_toml()?))?)
}

/// The command that runs a spec on the same data.
fn again(arguments: &Fit, spec: &str) -> String {
    let mut command = format!("thinnet fit {} --spec {spec}", text::typed(&arguments.data));
    if let Some(Rows::File(path)) = &arguments.columns.valid {
        command += &format!(" --valid {}", text::typed(path));
    }
    command
}

/// The data's name without its extension, in the current folder.
fn default_output(data: &Path) -> PathBuf {
    PathBuf::from(format!("{}.thinnet", output::stem(data)))
}

/// What is about to be trained, on what.
fn introduce(prepared: &Prepared, threads: &Threads) {
    let Prepared { spec, pipeline, train, valid, .. } = prepared;
    let classes = match pipeline.classes() {
        [] => String::new(),
        names => format!(", {} classes: {}", names.len(), text::some_of(names, 5)),
    };
    let valid = valid.as_ref().map_or(0, |valid| valid.rows());
    let (train, valid) = (text::counted(train.rows(), "row", "rows"), text::count(valid as u64));
    text::say(&format!("{train} to train on, {valid} to validate{classes}"));
    text::say(&format!(
        "{}, {}, seed {}, {}",
        describe::networks(spec, pipeline.input_units(), prepared.outputs()),
        describe::thinning(spec).map_or("no dropout".into(), |who| format!("dropout of {who}")),
        spec.seed,
        text::counted(threads.count(), "thread", "threads")
    ));
}
