//! How good a model is, in words and tables: its measures, those of its members, and how far these disagree.

use thinnet::measure::{Disagreement, ReliabilityBin};
use thinnet::model::Evaluation;
use thinnet::report::table;

use crate::text;

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

#[cfg(test)]
mod tests {
    use super::*;
    use thinnet::measure::Regression;

    fn regression(rmse: f64) -> Evaluation {
        let [log_likelihood, coverage_90, width_90, crps] = [None; 4];
        let of =
            Regression { rows: 10, rmse, mae: 0.5, r2: 0.25, log_likelihood, coverage_90, width_90, crps };
        Evaluation::Regression(of)
    }

    #[test]
    fn a_member_has_a_line_with_what_is_known_of_it_and_its_measures() {
        let known = [vec!["30".to_string()], vec!["40".to_string()]];
        let table = members_table(&["epochs"], &known, &[regression(1.5), regression(2.5)]);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["member", "epochs", "rmse", "mae", "r2"]);
        assert_eq!(lines[2], ["1", "30", "1.500", "0.5000", "0.2500"]);
        assert_eq!(lines[3], ["2", "40", "2.500", "0.5000", "0.2500"]);
    }

    #[test]
    fn members_disagree_in_classes_or_in_the_targets_unit() {
        let of = |classes_differ, mutual_information| {
            disagree(&Disagreement { deviation: 0.5, classes_differ, mutual_information })
        };
        let classes = of(Some(0.125), Some(0.25));
        assert!(classes.starts_with("They find different classes for 12.50 % of the rows;"), "{classes}");
        let values = of(None, None);
        assert!(values.ends_with("deviation of 0.5000, in the target's unit."), "{values}");
    }
}
