//! `thinnet fit`: from data to a model file.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::{Value, json};
use thinnet::data::{Cells, ColumnType, ColumnTypes, Data, DataSpec, Examples};
use thinnet::measure::Effort;
use thinnet::model::{Evaluation, Fitted, FittedMember, Member, Model, Prepared, Run, prepare};
use thinnet::prepare::Inputs;
use thinnet::report::table;
use thinnet::thin::{Pruned, PrunedLayer, Rates};
use thinnet::train::{Ended, Threads};
use thinnet::{Error, Spec};

use crate::arguments::{Arguments, Columns, Fit, Rows};
use crate::evaluate::{disagree, measures, members_table};
use crate::page::{self, Shown};
use crate::progress::Progress;
use crate::{describe, output, text};

/// Trains, saves and prints.
pub fn run(arguments: &Fit) -> anyhow::Result<()> {
    let spec = spec(arguments)?;
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
    let valid = output::file(arguments.columns.valid.as_ref());
    let read = [Some(arguments.data.as_path()), arguments.spec.as_deref(), valid];
    output::check("-o", model, &read)?;
    let others = [&read[..], &[Some(model)]].concat();
    arguments.report.as_deref().map_or(Ok(()), |page| output::check("--report", page, &others))
}

/// What the rows of a page are called where nothing was held out.
pub const TRAINING_ROWS: &str = "training rows";

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
    let name = name_of(&arguments.data);
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
        rows: if valid.is_some() { "validation rows".into() } else { TRAINING_ROWS.into() },
        effort,
        command: again(arguments, "run.toml"),
        answer: answer.clone(),
    };
    shown.write(page, threads)
}

/// What a file or folder is called, without the folders that it is in.
pub fn name_of(data: &Path) -> String {
    data.file_name().map_or_else(|| data.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The spec that the options ask for.
fn spec(arguments: &Fit) -> anyhow::Result<Spec> {
    let mut spec = match &arguments.spec {
        Some(path) => Spec::read(path)?,
        None => Spec::default(),
    };
    override_with(arguments, &mut spec);
    check_asked(arguments.spec.as_deref(), spec.check().and_then(|()| spec.check_effects()))?;
    Ok(spec)
}

/// What cannot be used is the fault of the command line, unless the spec's file alone cannot be used either.
pub fn check_asked(file: Option<&Path>, checked: thinnet::Result<()>) -> anyhow::Result<()> {
    let Err(error) = checked else { return Ok(()) };
    file.map_or(Ok(()), Spec::check_file)?;
    Err(Arguments::command().error(ErrorKind::ValueValidation, error).into())
}

/// Puts what was typed in the place of what the spec says.
fn override_with(arguments: &Fit, spec: &mut Spec) {
    let Fit { columns, network, ensemble, loss, steps, .. } = arguments;
    set(&mut spec.seed, &arguments.seed);

    set_columns(&mut spec.data, columns);
    set(&mut spec.data.test, &arguments.test);

    set(&mut spec.network.hidden, &network.hidden.as_ref().map(|units| units.0.clone()));
    set(&mut spec.network.activation, &network.activation);
    set(&mut spec.network.initialise, &network.initialise);
    set(&mut spec.thin.input, &network.input_dropout);
    set(&mut spec.thin.share, &network.share);
    set(&mut spec.thin.share_rows, &network.share_rows);
    set(&mut spec.thin.scaling, &network.scaling);
    set(&mut spec.thin.drop, &network.drop);
    set(&mut spec.thin.count, &network.count);
    set(&mut spec.thin.schedule, &network.rate_schedule);
    set(&mut spec.thin.pool, &network.pool);
    set(&mut spec.thin.standout_slope, &network.standout_slope);
    set(&mut spec.thin.divergence_warmup, &network.divergence_warmup);
    set(&mut spec.thin.length_scale, &network.length_scale);
    set(&mut spec.thin.precision, &network.precision);
    fill(&mut spec.thin.masks, &network.masks);
    match network.dropout.as_ref().map(|rates| &rates.0[..]) {
        Some([rate]) => spec.thin.hidden = Rates::All(*rate),
        Some(rates) => spec.thin.hidden = Rates::Each(rates.to_vec()),
        None => {}
    }

    set(&mut spec.ensemble.members, &ensemble.members);
    set(&mut spec.ensemble.columns, &ensemble.column_share);
    spec.ensemble.bootstrap |= ensemble.bootstrap;
    if !ensemble.member_hidden.is_empty() {
        spec.ensemble.networks = ensemble.member_hidden.iter().map(|units| units.0.clone()).collect();
    }
    if !ensemble.member_activation.is_empty() {
        spec.ensemble.activations.clone_from(&ensemble.member_activation);
    }

    fill(&mut spec.train.loss, &loss.loss);
    set(&mut spec.train.huber_delta, &loss.huber_delta);
    set(&mut spec.train.label_smoothing, &loss.label_smoothing);
    set(&mut spec.train.pair, &loss.pair);
    set(&mut spec.train.class_weights, &loss.class_weights);
    set(&mut spec.train.l1, &loss.l1);
    set(&mut spec.train.l2, &loss.l2);
    set(&mut spec.train.max_norm, &loss.max_norm);
    set(&mut spec.train.clip, &loss.clip);

    set(&mut spec.train.optimizer, &steps.optimizer);
    set(&mut spec.train.learning_rate, &steps.lr);
    fill(&mut spec.train.schedule, &steps.schedule);
    set(&mut spec.train.warmup, &steps.warmup);
    set(&mut spec.train.momentum, &steps.momentum);
    set(&mut spec.train.weight_decay, &steps.weight_decay);
    set(&mut spec.train.epochs, &steps.epochs);
    set(&mut spec.train.steps, &steps.steps);
    set(&mut spec.train.minutes, &steps.minutes);
    set(&mut spec.train.slice, &steps.slice);
    set(&mut spec.train.min_improvement, &steps.min_improvement);
    set(&mut spec.train.weight_average, &steps.weight_average);
    set(&mut spec.average, &steps.average);
    spec.train.temperature |= steps.temperature;
    fill(&mut spec.train.batch, &steps.batch);
    fill(&mut spec.train.patience, &steps.patience);
}

/// Puts an option, where it was typed, in the place of a field.
pub fn set<T: Clone>(field: &mut T, option: &Option<T>) {
    if let Some(value) = option {
        field.clone_from(value);
    }
}

fn fill<T: Clone>(field: &mut Option<T>, option: &Option<T>) {
    if option.is_some() {
        field.clone_from(option);
    }
}

/// Puts what was typed of the columns in the place of what the spec says.
pub fn set_columns(spec: &mut DataSpec, columns: &Columns) {
    fill(&mut spec.target, &columns.target);
    fill(&mut spec.task, &columns.task);
    fill(&mut spec.weight, &columns.weight);
    if !columns.ignore.is_empty() {
        spec.ignore.clone_from(&columns.ignore);
    }
    spec.types.extend(columns.types.iter().cloned());
    if let Some(Rows::Fraction(fraction)) = columns.valid {
        spec.valid = Some(fraction);
    }
}

/// Reads the data and makes them ready, with what the user should know about it.
fn read(arguments: &Fit, spec: &Spec) -> anyhow::Result<Prepared> {
    let data = Data::open(&arguments.data, None, &spec.data.types)?;
    let valid = open_like(&data, arguments.columns.valid.as_ref())?;
    let prepared = prepare(&data, valid.as_ref(), spec)?;
    prepared.warnings.iter().for_each(|warning| text::warn(warning));
    if let (None, Some(target), false) = (&spec.data.target, prepared.pipeline.target_name(), arguments.quiet)
    {
        text::say(&format!("the target is the last column, {target}; --target COLUMN takes another"));
    }
    Ok(prepared)
}

/// Opens the file that holds some rows, if it is one, in the same way as the data.
pub fn open_like(data: &Data, rows: Option<&Rows>) -> thinnet::Result<Option<Data>> {
    match rows {
        Some(Rows::File(path)) => Data::open(path, None, &types(data)).map(Some),
        _ => Ok(None),
    }
}

/// The types of a table's columns, so that another file is read in the same way.
fn types(data: &Data) -> ColumnTypes {
    let Data::Table(table) = data else { return ColumnTypes::new() };
    let kind = |cells: &Cells| match cells {
        Cells::Numbers(_) => ColumnType::Number,
        Cells::Texts { .. } => ColumnType::Text,
    };
    table.columns().iter().map(|column| (column.name.clone(), kind(&column.cells))).collect()
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
    PathBuf::from(format!("{}.thinnet", stem(data)))
}

/// The data's name without its extension.
pub fn stem(data: &Path) -> String {
    let whole = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let name = data.file_name().or(whole.file_name()).map(|name| name.to_string_lossy().into_owned());
    let mut stem = name.as_deref().unwrap_or("model");
    for extension in [".gz", ".csv", ".tsv", ".txt"] {
        stem = stem.strip_suffix(extension).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    }
    stem.into()
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
        describe::networks(spec, pipeline.input_units(), pipeline.output_units()),
        describe::thinning(spec).map_or("no dropout".into(), |who| format!("dropout of {who}")),
        spec.seed,
        text::counted(threads.count(), "thread", "threads")
    ));
}

/// Whether a model is an ensemble.
pub fn several(model: &Model) -> bool {
    model.members().len() > 1
}

/// Why a run ended, and which epoch it left.
pub fn ending(run: &Run, spec: &Spec) -> String {
    let epochs = run.history.len() as u64;
    let why = match run.ended {
        Ended::Finished => format!("The run went to its end, epoch {epochs}"),
        Ended::Patience => format!(
            "The validation loss had not improved for {} epochs, so epoch {epochs} was the last",
            spec.train.patience_for(true)
        ),
        Ended::Minutes => format!("The time was over in epoch {epochs}"),
        Ended::Interrupted => format!("You stopped the run in epoch {epochs}"),
        Ended::NotFinite { step, .. } => format!("The loss was no longer finite at step {step}"),
    };
    let kept = match (run.chosen_epoch, run.validation_rows) {
        (chosen, 1..) if chosen != epochs => {
            format!("epoch {chosen}, the best on the validation rows, is kept")
        }
        (chosen, _) => format!("epoch {chosen} is kept"),
    };
    format!("{why}; {kept}.")
}

/// What pruning left.
pub fn left(pruned: &Pruned) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let sum = |of: fn(&PrunedLayer) -> usize| pruned.layers.iter().map(of).fold(0, usize::saturating_add);
    let layers: Vec<String> = pruned.layers.iter().map(|layer| percent(layer.sparsity())).collect();
    let hidden: Vec<String> = pruned.hidden().iter().map(usize::to_string).collect();
    let units = match hidden.is_empty() {
        true => String::new(),
        false => format!(" {} hidden units are left.", hidden.join("-")),
    };
    format!(
        "Pruned: {} of {} weights are left, a sparsity of {} % ({} % by layer).{units}",
        text::count(sum(|layer| layer.kept_weights) as u64),
        text::count(sum(|layer| layer.weights) as u64),
        percent(pruned.sparsity()),
        layers.join(", "),
    )
}

/// What a person reads after a run.
fn summary(arguments: &Fit, fitted: &Fitted, (output, replaced): (&Path, bool), threads: &Threads) -> String {
    let model = &fitted.model;
    let parts = [("train", Some(&fitted.train)), ("validation", fitted.valid.as_ref())];
    let lines: Vec<Vec<String>> = parts
        .iter()
        .filter_map(|(name, evaluation)| Some((name, (*evaluation)?)))
        .map(|(name, evaluation)| {
            std::iter::once(name.to_string()).chain(measures(evaluation).into_iter().map(|m| m.1)).collect()
        })
        .collect();
    let names = measures(&fitted.train).into_iter().map(|measure| measure.0);
    let header: Vec<&str> = std::iter::once("part").chain(names).collect();
    let replaces = if replaced { ", and has replaced the file of that name" } else { "" };
    let pruned = model.run().pruned.as_ref().map_or(String::new(), |pruned| format!("{}\n", left(pruned)));
    let ending = if several(model) { members(fitted) } else { ending(model.run(), &model.spec) };
    let report = arguments
        .report
        .as_ref()
        .map_or(String::new(), |page| format!("{} shows the run; open it in a browser.\n", page.display()));
    format!(
        "\n{}\n{}\n{pruned}{}.\n{} holds the model: {}, {}{replaces}.\n{report}\n{}",
        table(&header, &lines),
        ending,
        took(fitted, threads),
        output.display(),
        describe::networks(&model.spec, model.pipeline.input_units(), model.network().outputs()),
        text::counted(model.parameters(), "parameter", "parameters"),
        next(model, &arguments.data, output),
    )
}

/// What can be done with the model.
fn next(model: &Model, data: &Path, output: &Path) -> String {
    let (output, data) = (text::typed(output), text::typed(data));
    let is_table = matches!(model.pipeline.fitted_inputs(), Inputs::Table(_));
    let new = if is_table { "NEW.csv" } else { &data };
    let (test, files) = match (model.spec.data.test > 0.0, is_table) {
        (true, true) => (format!("{data} --part test"), ", with new rows of your own"),
        (true, false) => (format!("{data} --part test"), ""),
        (false, true) => ("TEST.csv".into(), ", with new rows of your own (TEST.csv has their targets)"),
        (false, false) => (data.clone(), ""),
    };
    format!(
        "Next{files}:\n  thinnet evaluate {output} {test}\n  thinnet predict {output} {new} -o predictions.csv\n"
    )
}

/// 4.15 s on 2 threads, 129,184 rows a second
fn took(fitted: &Fitted, threads: &Threads) -> String {
    format!(
        "{} on {}, {} rows a second",
        text::seconds(fitted.seconds),
        text::counted(threads.count(), "thread", "threads"),
        text::count((fitted.rows as f64 / fitted.seconds) as u64)
    )
}

/// What each member became, and how far they disagree.
fn members(fitted: &Fitted) -> String {
    let Fitted { model, members, disagreement, .. } = fitted;
    let on_valid = members.iter().all(|member| member.valid.is_some());
    let evaluations: Vec<Evaluation> =
        members.iter().map(|member| member.valid.as_ref().unwrap_or(&member.train).clone()).collect();
    let lines: Vec<Vec<String>> = model.members().iter().map(|member| history(&model.spec, member)).collect();
    let part = if on_valid { "validation" } else { "training" };
    let asked = model.spec.ensemble.members;
    let stopped = match asked - members.len() {
        0 => String::new(),
        missing => {
            format!("You stopped the run; {missing} of {asked} members had hardly begun and are left out.\n")
        }
    };
    format!(
        "{stopped}Each member alone, on the {part} rows:\n{}{}\n",
        members_table(&["network", "epochs", "kept"], &lines, &evaluations),
        disagree(disagreement)
    )
}

/// The layers of a member, how many epochs it had and which one it keeps.
fn history(spec: &Spec, member: &Member) -> Vec<String> {
    let Member { number, network, run, .. } = member;
    let shape = describe::shape(&spec.member(*number), network.inputs(), network.outputs());
    let mut epochs = run.history.len().to_string();
    if run.ended == Ended::Interrupted {
        epochs += ", stopped";
    }
    vec![shape, epochs, run.chosen_epoch.to_string()]
}

fn as_json(fitted: &Fitted, output: &Path) -> Value {
    let Fitted { model, train, valid, members, disagreement, rows, seconds, warnings } = fitted;
    let run = model.run();
    let mut object = json!({
        "model": output.display().to_string(),
        "task": model.spec.data.task,
        "target": model.pipeline.target_name(),
        "classes": model.pipeline.classes(),
        "inputs": model.pipeline.input_units(),
        "parameters": model.parameters(),
        "seed": model.spec.seed,
        "rows": run.training_rows + run.validation_rows,
        "seconds": seconds,
        "rows_per_second": *rows as f64 / seconds,
        "train": train,
        "valid": valid,
        "learned_noise": model.spec.thin.learned_noise(model.network()),
        "warnings": warnings,
    });
    if !several(model) {
        merge(&mut object, history_json(run));
        return object;
    }
    let member = |(member, fitted): (&Member, &FittedMember)| {
        let spec = model.spec.member(member.number);
        let mut object = json!({
            "number": member.number,
            "seed": spec.seed,
            "hidden": spec.network.hidden,
            "activation": spec.network.activation,
            "inputs": member.network.inputs(),
            "parameters": member.network.parameters(),
            "seconds": fitted.seconds,
            "train": fitted.train,
            "valid": fitted.valid,
        });
        merge(&mut object, history_json(&member.run));
        object
    };
    object["epochs"] = json!(model.members().iter().map(|member| member.run.history.len()).max());
    object["steps"] = json!(model.members().iter().map(|member| member.run.steps).sum::<u64>());
    object["members"] = model.members().iter().zip(members).map(member).collect();
    object["disagreement"] = json!(disagreement);
    object
}

fn history_json(run: &Run) -> Value {
    json!({
        "epochs": run.history.len(),
        "chosen_epoch": run.chosen_epoch,
        "steps": run.steps,
        "ended": run.ended,
        "pruned": run.pruned,
        "sparsity": run.pruned.as_ref().map(Pruned::sparsity),
    })
}

/// Adds the fields of one object to another.
pub fn merge(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}
