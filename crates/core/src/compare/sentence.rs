//! What the numbers say about what to use, in words.

use super::{Against, Method, Summary};
use crate::report::number;

/// One or a few sentences: what to use, or that the data do not tell. The validation rows have chosen
/// `best`; the tests are those of the test part.
pub(super) fn sentence(methods: &[Summary], best: Method) -> String {
    let of = |method: Method| methods.iter().find(|summary| summary.method == method);
    let Some(chosen) = of(best) else { return String::new() };
    let verdict = match methods {
        [_] => format!("Only {best} was run, so there is nothing to compare it with."),
        _ if chosen.runs.len() < 2 => {
            format!(
                "The validation rows favour {best}, but from one seed nothing can be told; run more seeds."
            )
        }
        _ => match (best, of(Method::Nothing), chosen.against_nothing) {
            (Method::Nothing, ..) => nothing_is_best(chosen, methods),
            (_, Some(nothing), Some(against)) => a_remedy_is_best(chosen, nothing, against, methods),
            _ => format!("The validation rows favour {best}. {}", beside(chosen, methods)),
        },
    };
    let ensemble =
        methods.iter().find(|summary| summary.method == Method::Ensemble && best != Method::Ensemble);
    match ensemble.and_then(|ensemble| ensemble_costs(ensemble, chosen)) {
        Some(costs) => format!("{} {costs}", verdict.trim_end()),
        None => verdict.trim_end().into(),
    }
}

fn nothing_is_best(nothing: &Summary, methods: &[Summary]) -> String {
    let loss = nothing.loss_name();
    let better = better(methods);
    match better.is_empty() {
        true => format!(
            "Use nothing: no remedy lowers the {loss} of the test rows, {}, by more than other seeds could turn.",
            number(nothing.test_loss().mean)
        ),
        false => format!(
            "The data do not tell: the validation rows favour nothing, but on the test rows the {loss} of {} \
             is lower.",
            listed(&better)
        ),
    }
}

fn a_remedy_is_best(chosen: &Summary, nothing: &Summary, against: Against, methods: &[Summary]) -> String {
    let (best, loss) = (chosen.method, chosen.loss_name());
    let [own, others] = [chosen, nothing].map(|summary| number(summary.test_loss().mean));
    let p = p_value(against.p_holm);
    match (against.counts(), against.difference.mean < 0.0) {
        (true, true) => format!(
            "Use {best}: its {loss} on the test rows is {own}, and that of nothing {others} ({p}). {}",
            beside(chosen, methods)
        ),
        (true, false) => format!(
            "Use nothing, or more validation rows: these favour {best}, but on the test rows its {loss} is {own}, \
             and that of nothing {others} ({p})."
        ),
        (false, _) => format!(
            "The data do not tell: the validation rows favour {best}, but on the test rows its {loss} is {own} \
             and that of nothing {others}, which other seeds could turn ({p})."
        ),
    }
}

/// How the other methods of the same cost stand beside the best.
fn beside(chosen: &Summary, methods: &[Summary]) -> String {
    let better = better(methods);
    let same: Vec<Method> =
        rivals(methods).filter(|(_, against)| !against.counts()).map(|(method, _)| method).collect();
    let mut sentences = Vec::new();
    if !better.is_empty() {
        let verb = if better.len() == 1 { "does" } else { "do" };
        sentences.push(format!("{} {verb} better still on the test rows.", capital(&listed(&better))));
    }
    match (same.is_empty(), better.is_empty()) {
        (false, _) => {
            sentences.push(format!("{} cannot be told from {}.", capital(&listed(&same)), chosen.method));
        }
        (true, true) => sentences.push("Every other method does worse.".into()),
        (true, false) => {}
    }
    sentences.join(" ")
}

/// The methods of the same cost, but for nothing, whose test loss is lower than that of the best.
fn better(methods: &[Summary]) -> Vec<Method> {
    let lower = |against: &Against| against.counts() && against.difference.mean < 0.0;
    rivals(methods).filter(|(_, against)| lower(against)).map(|(method, _)| method).collect()
}

/// The other methods of the same cost, but for nothing, with their tests against the best.
fn rivals(methods: &[Summary]) -> impl Iterator<Item = (Method, Against)> {
    let others = methods.iter().filter(|of| !matches!(of.method, Method::Nothing | Method::Ensemble));
    others.filter_map(|summary| Some((summary.method, summary.against_best?)))
}

/// What an ensemble brings for its price.
fn ensemble_costs(ensemble: &Summary, chosen: &Summary) -> Option<String> {
    let against = ensemble.against_best?;
    let seconds = |summary: &Summary| summary.estimate("seconds").map(|seconds| seconds.mean);
    let times = seconds(ensemble)? / seconds(chosen)?;
    let what = match (against.counts(), against.difference.mean < 0.0) {
        (false, _) => format!("cannot be told from {}", chosen.method),
        (true, true) => "is lower".into(),
        (true, false) => "is higher".into(),
    };
    Some(format!(
        "The {} of the ensemble, {}, {what} ({}), at {times:.1} times the training time.",
        chosen.loss_name(),
        number(ensemble.test_loss().mean),
        p_value(against.p_holm)
    ))
}

/// "p = 0.012", "p < 0.001"
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") }
}

/// "a, b and c"
fn listed(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
