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
    let (loss, own) = (nothing.loss_name(), number(nothing.test_loss().mean));
    let (better, mut tested) = (better(methods), rivals(methods).peekable());
    if !better.is_empty() {
        return format!(
            "The data do not tell: the validation rows favour nothing, but on the test rows the {loss} of {} is lower.",
            listed(&better)
        );
    }
    match tested.peek().is_some() && tested.all(|(_, against)| against.counts()) {
        true => format!("Use nothing: its {loss} on the test rows is {own}, and every remedy does worse."),
        false => format!(
            "No remedy is shown to help: the validation rows favour nothing, and on the test rows the {loss} of none is \
             lower than its {own} by more than other seeds could turn."
        ),
    }
}

fn a_remedy_is_best(chosen: &Summary, nothing: &Summary, against: Against, methods: &[Summary]) -> String {
    let (best, loss) = (chosen.method, chosen.loss_name());
    let [own, others] = [chosen, nothing].map(|summary| number(summary.test_loss().mean));
    let p = p_value(against.p_holm);
    let helpful = helpful(methods);
    let but = match helpful.is_empty() {
        true => String::new(),
        false => format!(" That of {} is lower than that of nothing.", listed(&helpful)),
    };
    match (against.counts(), against.difference.mean < 0.0) {
        (true, true) => format!(
            "Use {best}: its {loss} on the test rows is {own}, and that of nothing {others} ({p}). {}",
            beside(chosen, methods)
        ),
        (true, false) if helpful.is_empty() => format!(
            "Use nothing, or more validation rows: these favour {best}, but on the test rows its {loss} is {own}, \
             and that of nothing {others} ({p})."
        ),
        (true, false) => format!(
            "The data do not tell: the validation rows favour {best}, but on the test rows its {loss} is {own}, and \
             that of nothing {others} ({p}).{but}"
        ),
        (false, _) => format!(
            "The data do not tell: the validation rows favour {best}, but on the test rows its {loss} is {own} \
             and that of nothing {others}, which other seeds could turn ({p}).{but}"
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
        (true, true) => sentences.push("Every other method of the same cost does worse.".into()),
        (true, false) => {}
    }
    sentences.join(" ")
}

/// The methods of the same cost, but for nothing, whose test loss is lower than that of the best.
fn better(methods: &[Summary]) -> Vec<Method> {
    let lower = |against: &Against| against.counts() && against.difference.mean < 0.0;
    rivals(methods).filter(|(_, against)| lower(against)).map(|(method, _)| method).collect()
}

/// The methods of the same cost whose test loss is lower than that of nothing.
fn helpful(methods: &[Summary]) -> Vec<Method> {
    let lower = |against: Against| against.counts() && against.difference.mean < 0.0;
    let same_cost = methods.iter().filter(|of| of.method != Method::Ensemble);
    same_cost.filter(|of| of.against_nothing.is_some_and(lower)).map(|of| of.method).collect()
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

#[cfg(test)]
mod tests {
    use super::Method::{Dropout, Ensemble, L1, L2, Nothing};
    use super::*;
    use crate::compare::summary::made_up::summaries;

    const HIGH: &[f64] = &[0.50, 0.53, 0.52, 0.51];
    const NEAR: &[f64] = &[0.52, 0.50, 0.53, 0.51];
    const LOW: &[f64] = &[0.20, 0.22, 0.21, 0.22];
    const ALIKE: &[f64] = &[0.22, 0.20, 0.22, 0.21];

    fn says(of: &[(Method, f64, &[f64])], sentence: &str) {
        let (methods, best) = summaries(of);
        assert_eq!(super::sentence(&methods, best), sentence);
    }

    #[test]
    fn a_remedy_that_helps_is_to_be_used() {
        let of = [(Nothing, 0.5, HIGH), (L1, 0.5, NEAR), (L2, 0.3, ALIKE), (Dropout, 0.2, LOW)];
        says(
            &of,
            "Use dropout: its nll on the test rows is 0.2125, and that of nothing 0.5150 (p < 0.001). L2 cannot \
             be told from dropout.",
        );
        let alone = [(Nothing, 0.5, HIGH), (Dropout, 0.2, LOW), (L1, 0.4, NEAR)];
        says(
            &alone,
            "Use dropout: its nll on the test rows is 0.2125, and that of nothing 0.5150 (p < 0.001). Every other \
             method of the same cost does worse.",
        );
        let better = [(Nothing, 0.5, &[0.9, 0.93, 0.92, 0.91][..]), (L1, 0.2, HIGH), (Dropout, 0.3, LOW)];
        says(
            &better,
            "Use l1: its nll on the test rows is 0.5150, and that of nothing 0.9150 (p < 0.001). Dropout does \
             better still on the test rows.",
        );
    }

    #[test]
    fn what_other_seeds_could_turn_is_not_told() {
        says(
            &[(Nothing, 0.5, HIGH), (Dropout, 0.2, NEAR)],
            "The data do not tell: the validation rows favour dropout, but on the test rows its nll is 0.5150 and \
             that of nothing 0.5150, which other seeds could turn (p = 1.000).",
        );
        says(
            &[(Nothing, 0.5, LOW), (Dropout, 0.2, HIGH)],
            "Use nothing, or more validation rows: these favour dropout, but on the test rows its nll is 0.5150, \
             and that of nothing 0.2125 (p < 0.001).",
        );
    }

    #[test]
    fn a_remedy_that_helps_is_named_whatever_the_validation_rows_favour() {
        says(
            &[(Nothing, 0.5, HIGH), (L2, 0.2, NEAR), (Dropout, 0.3, LOW)],
            "The data do not tell: the validation rows favour l2, but on the test rows its nll is 0.5150 and that of \
             nothing 0.5150, which other seeds could turn (p = 1.000). That of dropout is lower than that of nothing.",
        );
        says(
            &[(Nothing, 0.5, HIGH), (Dropout, 0.2, &[0.9, 0.93, 0.92, 0.91]), (L2, 0.3, LOW)],
            "The data do not tell: the validation rows favour dropout, but on the test rows its nll is 0.9150, and that \
             of nothing 0.5150 (p < 0.001). That of l2 is lower than that of nothing.",
        );
    }

    #[test]
    fn nothing_may_be_best() {
        says(
            &[(Nothing, 0.1, HIGH), (L1, 0.2, NEAR)],
            "No remedy is shown to help: the validation rows favour nothing, and on the test rows the nll of none is \
             lower than its 0.5150 by more than other seeds could turn.",
        );
        says(
            &[(Nothing, 0.1, LOW), (L1, 0.2, HIGH), (L2, 0.2, HIGH)],
            "Use nothing: its nll on the test rows is 0.2125, and every remedy does worse.",
        );
        says(
            &[(Nothing, 0.1, HIGH), (L1, 0.2, LOW), (L2, 0.2, ALIKE)],
            "The data do not tell: the validation rows favour nothing, but on the test rows the nll of l1 and l2 \
             is lower.",
        );
    }

    #[test]
    fn an_ensemble_has_its_price() {
        let of = [(Nothing, 0.5, HIGH), (Dropout, 0.2, NEAR), (Ensemble, 0.1, LOW)];
        let (methods, best) = summaries(&of);
        let sentence = sentence(&methods, best);
        let price = " The nll of the ensemble, 0.2125, is lower (p < 0.001), at 5.0 times the training time.";
        assert!(best == Dropout && sentence.ends_with(price), "{sentence}");
    }

    #[test]
    fn without_pairs_nothing_is_told() {
        says(&[(Dropout, 0.2, LOW)], "Only dropout was run, so there is nothing to compare it with.");
        says(
            &[(Nothing, 0.5, &[0.5]), (L1, 0.2, &[0.2])],
            "The validation rows favour l1, but from one seed nothing can be told; run more seeds.",
        );
        says(
            &[(L1, 0.2, HIGH), (L2, 0.4, NEAR), (Dropout, 0.4, &[0.9, 0.93, 0.92, 0.91])],
            "The validation rows favour l1. L2 cannot be told from l1.",
        );
    }

    #[test]
    fn small_probabilities_are_not_written_as_zero() {
        assert_eq!([0.0001, 0.0123, 1.0].map(p_value), ["p < 0.001", "p = 0.012", "p = 1.000"]);
    }
}
