//! `thinnet compare`: what keeps a network from overfitting, side by side at equal cost.

mod lines;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use thinnet::Spec;
use thinnet::compare::{Compared, Event, Method, Sets, Setup, Summary, compare, files, has_begun};
use thinnet::data::{Data, Part};
use thinnet::train::{Flow, Threads};

pub use self::tables::{
    ON_THE_TEST_PART, WHAT_IT_TAKES, has_ensemble, is_share, meaning, sampling, shown, tests,
};

use self::lines::Lines;
use crate::arguments::{Compare, Rows};
use crate::{asked, describe, output, page, progress, rows, text};

/// The part of DATA that is the test part where nothing else is said.
const TEST: f64 = 0.2;

/// Compares and prints.
pub fn run(arguments: &Compare) -> anyhow::Result<()> {
    let setup = setup(arguments)?;
    let folder = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-compare", output::stem(&arguments.data))));
    check_report(arguments, &setup, &folder)?;
    let interrupted = progress::interrupted()?;
    let data = Data::open(&arguments.data, None, &setup.spec.data.types)?;
    let valid = rows::open_like(&data, &setup.spec.data, arguments.columns.valid.as_ref())?;
    let test = match &arguments.test {
        None if Data::has_parts(&arguments.data) => {
            Some(Data::open(&arguments.data, Some(Part::Test), &setup.spec.data.types)?)
        }
        test => rows::open_like(&data, &setup.spec.data, test.as_ref())?,
    };
    let sets = Sets { data: &data, valid: valid.as_ref(), test: test.as_ref() };
    let lines = Lines::new(&setup, arguments.quiet);
    let watch = |event: &Event| {
        lines.tell(event);
        if interrupted.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    };
    let compared = compare(&sets, &setup, &folder, arguments.resume, arguments.threads, &watch)?;
    let Some(compared) = compared else {
        anyhow::bail!(match has_begun(&folder) {
            true => format!(
                "you stopped the comparison; what is done is kept in {}, and the same command with --resume goes on",
                folder.display()
            ),
            false => "you stopped the comparison before anything was done".into(),
        });
    };
    for method in &compared.failed {
        text::warn(&format!("{method} has no result: the loss of a run was no longer finite"));
    }
    let mut answer = as_json(&setup, &compared, &data);
    if let Some(page) = &arguments.report {
        answer["report"] = json!(page.display().to_string());
        write_page(arguments, page, (&setup, &compared), &sets, &answer)?;
    }
    if arguments.json {
        text::print_json(&answer)?;
    } else if !arguments.quiet {
        text::print(&tables::report(&setup, &compared, arguments))?;
    }
    Ok(())
}

/// The page may replace neither what the run reads nor what it leaves.
fn check_report(arguments: &Compare, setup: &Setup, folder: &Path) -> anyhow::Result<()> {
    let Some(page) = &arguments.report else { return Ok(()) };
    let [valid, test] =
        [&arguments.columns.valid, &arguments.test].map(|held_out| rows::file(held_out.as_ref()));
    let own = files(folder, setup);
    let read = [Some(arguments.data.as_path()), arguments.spec.as_deref(), valid, test];
    let others: Vec<Option<&Path>> = read.into_iter().chain(own.iter().map(|path| Some(&**path))).collect();
    // What the run makes cannot be written to before it.
    let will_be_made = page.parent() == Some(folder) && !folder.exists();
    let check = if will_be_made { output::check_apart } else { output::check };
    check("--report", page, &others)
}

/// What the options ask for.
fn setup(arguments: &Compare) -> anyhow::Result<Setup> {
    let mut spec = match &arguments.spec {
        Some(path) => Spec::read(path)?,
        None => Spec::default(),
    };
    asked::set(&mut spec.seed, &arguments.seed);
    asked::set(&mut spec.network.hidden, &arguments.hidden.as_ref().map(|units| units.0.clone()));
    asked::set(&mut spec.network.activation, &arguments.activation);
    asked::set_columns(&mut spec.data, &arguments.columns);
    asked::set(&mut spec.data.test_seed, &arguments.seed);
    match &arguments.test {
        Some(Rows::Fraction(fraction)) => spec.data.test = *fraction,
        Some(Rows::File(_)) => spec.data.test = 0.0,
        None if spec.data.test == 0.0 && !Data::has_parts(&arguments.data) => spec.data.test = TEST,
        None => {}
    }
    rows::check_test(&arguments.data, spec.data.test)?;
    let mut setup = Setup {
        seeds: arguments.seeds,
        minutes: arguments.minutes,
        epochs: arguments.epochs,
        spec,
        ..Setup::default()
    };
    if !arguments.methods.is_empty() {
        setup.methods.clone_from(&arguments.methods);
    }
    asked::set(&mut setup.members, &arguments.members);
    if arguments.members.is_some() && !setup.methods.contains(&Method::Ensemble) {
        anyhow::bail!(
            "members: only the method ensemble has any; add it to --methods, or leave --members out"
        );
    }
    asked::check_asked(arguments.spec.as_deref(), setup.check())?;
    Ok(setup)
}

/// The page of a comparison.
fn write_page(
    arguments: &Compare,
    page: &Path,
    (setup, compared): (&Setup, &Compared),
    sets: &Sets,
    answer: &Value,
) -> anyhow::Result<()> {
    let prepared = &compared.prepared;
    let model = compared.first_model(compared.best)?;
    let test = match sets.test {
        Some(test) => model.pipeline.examples(test, None)?,
        None => model.pipeline.examples(&model.part(sets.data, Part::Test)?, None)?,
    };
    let epochs = |summary: &Summary| format!("{} {}", compared.plan.epochs(summary.method), summary.method);
    let epochs: Vec<String> = compared.methods.iter().map(epochs).collect();
    let name = output::name_of(&arguments.data);
    let facts = vec![
        ("Rows", tables::rows(compared)),
        ("Network", describe::shape(&prepared.spec, prepared.pipeline.input_units(), prepared.outputs())),
        ("Seeds", format!("{}, from {} on", setup.seeds, setup.spec.seed)),
        ("Time", format!("{} of {} minutes", text::seconds(compared.seconds), setup.minutes)),
        ("Epochs", epochs.join(", ")),
        ("Left in", format!("{}, by thinnet {}", compared.folder.display(), env!("CARGO_PKG_VERSION"))),
    ];
    let comparison = page::compare::Comparison {
        title: format!("What keeps a network from overfitting {}", page::title(&model, "in", &name)),
        facts,
        compared,
        examples: &test,
        seed: setup.spec.seed,
        members: setup.members,
        answer: answer.clone(),
    };
    comparison.write(page, &Threads::new(arguments.threads)?)
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
        "model": compared.best_path().display().to_string(),
        "seconds": compared.seconds,
    })
}
