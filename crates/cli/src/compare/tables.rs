//! What a person reads of a comparison in the end.

use thinnet::compare::{Against, Compared, Method, Setup, Summary};
use thinnet::measure::Estimate;
use thinnet::report::table;

use super::Compare;
use crate::arguments::Rows;
use crate::{describe, text};

/// How many rows there are for what.
pub fn rows(compared: &Compared) -> String {
    let prepared = &compared.prepared;
    let classes = match prepared.pipeline.classes() {
        [] => String::new(),
        names => format!("; {} classes: {}", names.len(), text::some_of(names, 5)),
    };
    format!(
        "{} to train on, {} to validate, {} to test{classes}",
        text::counted(prepared.train.rows(), "row", "rows"),
        text::count(prepared.valid.as_ref().map_or(0, |valid| valid.rows()) as u64),
        text::count(compared.test_rows as u64)
    )
}

/// What a person reads in the end.
pub fn report(setup: &Setup, compared: &Compared, arguments: &Compare) -> String {
    let prepared = &compared.prepared;
    let (inputs, outputs) = (prepared.pipeline.input_units(), prepared.outputs());
    let spec = compared.spec_path(compared.best, setup.spec.seed);
    format!(
        "\n{}\n{}; {}\n\n{}\n{}\n{}{}\n{}\n\n{} holds the first \
         model of {}; {} in all.\n\nNext:\n  thinnet measure {} {}\n  thinnet fit {} --spec {}\n",
        rows(compared),
        describe::shape(&prepared.spec, inputs, outputs),
        text::counted(setup.seeds as usize, "seed", "seeds, mean ± standard error"),
        on_the_test_part(compared),
        what_it_takes(compared),
        tests_table(compared),
        compared.sentence,
        sampling(compared),
        compared.best_path().display(),
        compared.best,
        text::seconds(compared.seconds),
        text::typed(compared.best_path()),
        tested(setup, arguments),
        text::typed(&arguments.data),
        text::typed(&spec),
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
pub fn shown(name: &str, estimate: Option<Estimate>) -> String {
    estimate.map_or("-".into(), |of| text::estimate(of, is_share(name)))
}

/// Whether a measure is a share, to be written as percent.
pub fn is_share(name: &str) -> bool {
    matches!(name, "error" | "coverage_90")
}

/// What a measure of the comparison is, in a sentence or two.
pub fn meaning(name: &str, compared: &Compared) -> &'static str {
    match name {
        "error" => "The share of test rows whose most probable class is wrong.",
        "nll" => "The negative log-likelihood of the test rows, nats a row: lower is better.",
        "ece" => "The expected calibration error on the test rows: how far confidence is off.",
        "brier" => "The squared error of the probabilities of the test rows, 0 to 2.",
        "rmse" => "The root mean squared error on the test rows, in the target's unit.",
        "log_likelihood" => "The log-likelihood of the test rows, nats a row: higher is better.",
        "coverage_90" => "The share of test rows inside the 90 % interval: 90 % is right.",
        "width_90" => {
            "The mean width of that interval, in the target's unit: of two that hold 90 %, the \
                       narrower says more."
        }
        "gap" => {
            "The overfitting gap: the loss on the test rows less that on the training rows, both of the \
                  whole network."
        }
        "correlation" if has_ensemble(compared) => {
            "Co-adaptation: the mean over hidden layers of the mean |correlation| of two units, 0 to 1. That of an \
             ensemble is that of its first member."
        }
        "correlation" => {
            "Co-adaptation: the mean over hidden layers of the mean |correlation| of two units, 0 to 1."
        }
        "seconds" => "Seconds of training of one run.",
        _ => "",
    }
}

/// Whether it must be said whose correlation is that of an ensemble, whose members have units of their own.
pub fn has_ensemble(compared: &Compared) -> bool {
    compared.of(Method::Ensemble).is_some()
}

/// What is measured on the test part, of classes or of values.
pub const ON_THE_TEST_PART: [&str; 8] =
    ["error", "rmse", "nll", "log_likelihood", "ece", "brier", "coverage_90", "width_90"];
/// What else is measured.
pub const WHAT_IT_TAKES: [&str; 3] = ["gap", "correlation", "seconds"];

fn on_the_test_part(compared: &Compared) -> String {
    format!("ON THE TEST PART\n{}", measures(compared, &ON_THE_TEST_PART, &[], |_| Vec::new()))
}

fn what_it_takes(compared: &Compared) -> String {
    let more = |summary: &Summary| {
        let epochs = summary.runs.first().map_or(0, |run| run.epochs);
        vec![epochs.to_string(), summary.settings.clone()]
    };
    let loss = compared.methods.first().map_or("loss", Summary::loss_name);
    format!(
        "GAP: test {loss} less training {loss}. CORRELATION: mean |correlation| of two units{}\n{}",
        if has_ensemble(compared) { "; of an ensemble, of its first member" } else { "" },
        measures(compared, &WHAT_IT_TAKES, &["epochs", "settings"], more)
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

/// A test of every method, by the name of what it is tested against.
pub type Tests = (&'static str, fn(&Summary) -> Option<Against>);

/// The paired tests that there are: against nothing, and against the best.
pub fn tests(compared: &Compared) -> Vec<Tests> {
    let nothing: Tests = (Method::Nothing.name(), |summary| summary.against_nothing);
    let best: Tests = (compared.best.name(), |summary| summary.against_best);
    let mut tests = if nothing.0 == best.0 { vec![nothing] } else { vec![nothing, best] };
    tests.retain(|(_, of)| compared.methods.iter().any(|summary| of(summary).is_some()));
    tests
}

fn tests_table(compared: &Compared) -> String {
    let columns = tests(compared);
    let (Some(first), false) = (compared.methods.first(), columns.is_empty()) else { return String::new() };
    let cells = |against: Option<Against>| match against {
        Some(Against { difference, p_holm }) => {
            [text::estimate(difference.estimate(), false), format!("{p_holm:.4}")]
        }
        None => ["-".into(), "-".into()],
    };
    let line = |summary: &Summary| {
        let tests = columns.iter().flat_map(|(_, of)| cells(of(summary)));
        std::iter::once(summary.method.to_string()).chain(tests).collect()
    };
    let lines: Vec<Vec<String>> = compared.methods.iter().map(line).collect();
    let headers: Vec<String> =
        columns.iter().flat_map(|(name, _)| [format!("less {name}"), "p".to_string()]).collect();
    let headers: Vec<&str> = std::iter::once("method").chain(headers.iter().map(String::as_str)).collect();
    format!(
        "DIFFERENCE of the test {} over pairs of seeds; p by Student's t, raised for all lines (Holm)\n{}\n",
        first.loss_name(),
        table(&headers, &lines)
    )
}

/// How far the test rows can be trusted beside the seeds.
pub fn sampling(compared: &Compared) -> String {
    let rows = text::counted(compared.test_rows, "test row", "test rows");
    let what = format!("Standard errors and tests tell what other seeds would change, on the same {rows}.");
    match compared.of(compared.best).and_then(|best| best.estimate("error")) {
        Some(Estimate { mean, .. }) if mean > 0.0 && mean < 1.0 => {
            let points = 100.0 * (mean * (1.0 - mean) / compared.test_rows as f64).sqrt();
            format!(
                "{what} On others an error of {} would scatter by {points:.2} points.",
                text::percent(mean)
            )
        }
        _ => what,
    }
}
