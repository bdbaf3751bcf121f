//! `thinnet compare`: what keeps a network from overfitting, side by side at equal cost.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::{Value, json};
use thinnet::Spec;
use thinnet::compare::{Against, Compared, Event, Plan, Sets, Setup, Stage, Summary, compare};
use thinnet::data::{Data, Part};
use thinnet::measure::Estimate;
use thinnet::report::table;
use thinnet::train::Flow;

use crate::arguments::{Arguments, Compare, Rows};
use crate::{fit, measure, progress, text};

/// The part of DATA that is the test part where nothing else is said.
const TEST: f64 = 0.2;
/// Lines of progress of the search.
const LINES: usize = 10;

/// Compares and prints.
pub fn run(arguments: &Compare) -> anyhow::Result<()> {
    let setup = setup(arguments)?;
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-compare", fit::stem(&arguments.data))));
    let interrupted = progress::interrupted()?;
    let data = Data::open(&arguments.data, None, &setup.spec.data.types)?;
    let valid = fit::open_like(&data, arguments.columns.valid.as_ref())?;
    let test = match &arguments.test {
        None if Data::has_parts(&arguments.data) => {
            Some(Data::open(&arguments.data, Some(Part::Test), &setup.spec.data.types)?)
        }
        rows => fit::open_like(&data, rows.as_ref())?,
    };
    let sets = Sets { data: &data, valid: valid.as_ref(), test: test.as_ref() };
    let lines = Lines { setup: &setup, began: Instant::now(), quiet: arguments.quiet };
    let watch = |event: &Event| {
        lines.tell(event);
        if interrupted.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    };
    let compared = compare(&sets, &setup, &folder, arguments.resume, arguments.threads, &watch)?;
    let Some(compared) = compared else {
        anyhow::bail!(
            "you stopped the comparison; what is done is kept in {}, and the same command with --resume goes on",
            folder.display()
        );
    };
    for method in &compared.failed {
        text::warn(&format!("{method} has no result: the loss of a run was no longer finite"));
    }
    if arguments.json {
        text::print_json(&as_json(&setup, &compared, &data))?;
    } else if !arguments.quiet {
        text::print(&report(&setup, &compared, arguments))?;
    }
    Ok(())
}

/// What the options ask for.
fn setup(arguments: &Compare) -> anyhow::Result<Setup> {
    let mut spec = match &arguments.spec {
        Some(path) => Spec::read(path)?,
        None => Spec::default(),
    };
    fit::set(&mut spec.seed, &arguments.seed);
    fit::set(&mut spec.network.hidden, &arguments.hidden.as_ref().map(|units| units.0.clone()));
    fit::set(&mut spec.network.activation, &arguments.activation);
    fit::set_columns(&mut spec.data, &arguments.columns);
    spec.data.test_seed = spec.seed;
    match &arguments.test {
        Some(Rows::Fraction(fraction)) => spec.data.test = *fraction,
        Some(Rows::File(_)) => spec.data.test = 0.0,
        None if Data::has_parts(&arguments.data) => spec.data.test = 0.0,
        None if spec.data.test == 0.0 => spec.data.test = TEST,
        None => {}
    }
    let mut setup = Setup {
        seeds: arguments.seeds,
        members: arguments.members,
        minutes: arguments.minutes,
        epochs: arguments.epochs,
        spec,
        ..Setup::default()
    };
    if !arguments.methods.is_empty() {
        setup.methods.clone_from(&arguments.methods);
    }
    setup.check().map_err(|error| Arguments::command().error(ErrorKind::ValueValidation, error))?;
    Ok(setup)
}

/// Lines on standard error while the comparison goes on.
struct Lines<'a> {
    setup: &'a Setup,
    began: Instant,
    quiet: bool,
}

impl Lines<'_> {
    fn tell(&self, event: &Event) {
        if let Event::Ready { prepared, .. } = event {
            prepared.warnings.iter().for_each(|warning| text::warn(warning));
        }
        let line = match event {
            _ if self.quiet => None,
            Event::Ready { lanes, .. } => Some(format!(
                "{} at equal cost, {}, {} in all, {} at a time",
                text::counted(self.setup.methods.len(), "method", "methods"),
                text::counted(self.setup.seeds as usize, "seed", "seeds"),
                text::seconds(60.0 * self.setup.minutes),
                text::counted(*lanes, "run", "runs")
            )),
            Event::Planned(plan) => Some(planned(plan)),
            Event::Candidate { done, total, .. } => {
                let parts = |done: usize| done * LINES / total;
                (parts(*done) > parts(done - 1)).then(|| format!("search {done}/{total}  {}", self.clock()))
            }
            Event::Chosen { method, spec, loss } => {
                Some(format!("{method}: {}, valid loss {loss:.4}", method.settings(spec)))
            }
            Event::Run { run, done, total } => {
                let width = total.to_string().len();
                let loss = run.measured.as_ref().and_then(|of| of.history.get(of.chosen_epoch as usize - 1));
                let loss = loss.and_then(|epoch| epoch.valid_loss);
                Some(format!(
                    "run {done:>width$}/{total}  {}, seed {}: {} epochs in {}, {}  {}",
                    run.method,
                    run.seed,
                    run.epochs,
                    text::seconds(run.seconds),
                    loss.map_or("no longer finite".into(), |loss| format!("valid loss {loss:.4}")),
                    self.clock()
                ))
            }
            Event::Step => None,
        };
        if let Some(line) = line {
            text::say(&line);
        }
    }

    fn clock(&self) -> String {
        text::clock(self.began.elapsed().as_secs_f64())
    }
}

/// How long the runs of a stage are.
fn planned(plan: &Plan) -> String {
    let what = match plan.stage {
        Stage::Search => "search for settings",
        Stage::Runs => "runs",
    };
    let (fewest, most) = (plan.epochs.values().min(), plan.epochs.values().max());
    let (fewest, most) = (fewest.copied().unwrap_or(0), most.copied().unwrap_or(0));
    let epochs = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
    let capped = match plan.is_capped() {
        true => "; more would be of no use, so it will end before its minutes",
        false => "",
    };
    format!("{what}: {} and {epochs} epochs for each network{capped}", text::seconds(plan.share))
}

/// What a person reads in the end.
fn report(setup: &Setup, compared: &Compared, arguments: &Compare) -> String {
    let prepared = &compared.prepared;
    let valid = prepared.valid.as_ref().map_or(0, |valid| valid.rows());
    let classes = match prepared.pipeline.classes() {
        [] => String::new(),
        names => format!("; {} classes: {}", names.len(), text::some_of(names, 5)),
    };
    let (inputs, outputs) = (prepared.pipeline.input_units(), prepared.pipeline.output_units());
    let specs = compared.model.with_file_name("specs");
    let folder = compared.model.parent().map(text::typed).unwrap_or_default();
    format!(
        "\n{} to train on, {} to validate, {} to test{classes}\n{}; {}\n\n{}\n{}\n{}{}\n\n{} holds the first \
         model of {}; {} in all.\n\nNext:\n  thinnet measure {} {}\n  thinnet fit {} --spec {}/{}-{}.toml\n",
        text::counted(prepared.train.rows(), "row", "rows"),
        text::count(valid as u64),
        text::count(compared.test_rows as u64),
        fit::shape(&prepared.spec, inputs, outputs),
        text::counted(setup.seeds as usize, "seed", "seeds, mean ± standard error"),
        on_the_test_part(compared),
        what_it_takes(compared),
        tests(compared),
        compared.sentence,
        compared.model.display(),
        compared.best,
        text::seconds(compared.seconds),
        format_args!("{folder}/best.thinnet"),
        tested(setup, arguments),
        text::typed(&arguments.data),
        text::typed(&specs),
        compared.best,
        setup.spec.seed,
    )
}

/// The test part as other modes take it.
fn tested(setup: &Setup, arguments: &Compare) -> String {
    match &arguments.test {
        Some(Rows::File(path)) => text::typed(path),
        _ if setup.spec.data.test > 0.0 => format!("{} --part test", text::typed(&arguments.data)),
        _ => text::typed(&arguments.data),
    }
}

/// How a measure is written.
fn shown(name: &str, estimate: Option<Estimate>) -> String {
    let show = match name {
        "error" | "coverage_90" => text::percent,
        "seconds" => |seconds| format!("{seconds:.2}"),
        _ => text::number,
    };
    estimate.map_or("-".into(), |of| measure::estimate(of, show))
}

fn on_the_test_part(compared: &Compared) -> String {
    let names = ["error", "rmse", "nll", "log_likelihood", "ece", "brier", "coverage_90", "width_90"];
    format!("ON THE TEST PART\n{}", measures(compared, &names, &[], |_| Vec::new()))
}

fn what_it_takes(compared: &Compared) -> String {
    let more = |summary: &Summary| {
        let epochs = summary.runs.first().map_or(0, |run| run.epochs);
        vec![epochs.to_string(), summary.settings.clone()]
    };
    let loss = compared.methods.first().map_or("loss", Summary::loss_name);
    format!(
        "GAP: test {loss} less training {loss}. CORRELATION: mean |correlation| of two units\n{}",
        measures(compared, &["gap", "correlation", "seconds"], &["epochs", "settings"], more)
    )
}

/// A line for each method, with those of the measures that there are, and more.
fn measures(
    compared: &Compared,
    names: &[&str],
    headers: &[&str],
    more: impl Fn(&Summary) -> Vec<String>,
) -> String {
    let there =
        |name: &&&str| compared.methods.iter().any(|of| of.measures.iter().any(|(other, _)| other == *name));
    let names: Vec<&str> = names.iter().filter(there).copied().collect();
    let line = |summary: &Summary| {
        let cells = names.iter().map(|name| shown(name, summary.estimate(name)));
        std::iter::once(summary.method.to_string()).chain(cells).chain(more(summary)).collect()
    };
    let lines: Vec<Vec<String>> = compared.methods.iter().map(line).collect();
    table(&[&["method"], &names[..], headers].concat(), &lines)
}

/// The paired tests, where there are several seeds and methods.
fn tests(compared: &Compared) -> String {
    let has =
        |of: fn(&Summary) -> Option<Against>| compared.methods.iter().any(|summary| of(summary).is_some());
    let columns: Vec<(&str, fn(&Summary) -> Option<Against>)> = [
        ("nothing", (|summary| summary.against_nothing) as fn(&Summary) -> Option<Against>),
        (compared.best.name(), |summary| summary.against_best),
    ]
    .into_iter()
    .enumerate()
    .filter(|(place, (name, of))| has(*of) && (*place == 0 || *name != "nothing"))
    .map(|(_, column)| column)
    .collect();
    if columns.is_empty() {
        return String::new();
    }
    let line = |summary: &Summary| {
        let cells = columns.iter().flat_map(|(_, of)| match of(summary) {
            Some(against) => {
                let difference = measure::estimate(against.difference.estimate(), text::number);
                [difference, format!("{:.4}", against.p_holm)]
            }
            None => ["-".into(), "-".into()],
        });
        std::iter::once(summary.method.to_string()).chain(cells).collect()
    };
    let lines: Vec<Vec<String>> = compared.methods.iter().map(line).collect();
    let headers: Vec<String> =
        columns.iter().flat_map(|(name, _)| [format!("less {name}"), "p".to_string()]).collect();
    let headers: Vec<&str> = std::iter::once("method").chain(headers.iter().map(String::as_str)).collect();
    let loss = compared.methods.first().map_or("loss", Summary::loss_name);
    format!(
        "DIFFERENCE of the test {loss} over pairs of seeds; p by Student's t, raised for all lines (Holm)\n{}\n",
        table(&headers, &lines)
    )
}

fn as_json(setup: &Setup, compared: &Compared, data: &Data) -> Value {
    let prepared = &compared.prepared;
    let method = |summary: &Summary| {
        let measures: serde_json::Map<String, Value> =
            summary.measures.iter().map(|(name, estimate)| (name.to_string(), json!(estimate))).collect();
        json!({
            "method": summary.method,
            "settings": summary.settings,
            "epochs": compared.plan.epochs(summary.method),
            "valid_loss": summary.valid_loss,
            "measures": measures,
            "against_nothing": summary.against_nothing,
            "against_best": summary.against_best,
            "runs": summary.runs,
        })
    };
    json!({
        "data": data.name(),
        "task": prepared.pipeline.task(),
        "classes": prepared.pipeline.classes(),
        "train_rows": prepared.train.rows(),
        "valid_rows": prepared.valid.as_ref().map_or(0, |valid| valid.rows()),
        "test_rows": compared.test_rows,
        "setup": setup,
        "loss": compared.methods.first().map(Summary::loss_name),
        "methods": compared.methods.iter().map(method).collect::<Vec<_>>(),
        "failed": compared.failed,
        "best": compared.best,
        "sentence": compared.sentence,
        "model": compared.model.display().to_string(),
        "seconds": compared.seconds,
    })
}
