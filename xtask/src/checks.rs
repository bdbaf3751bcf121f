//! The floors that thinnet's speed must not fall below.

use serde_json::{Value, json};

use crate::contest::Contest;
use crate::own::RACES;

/// The names of thinnet's own contestants.
pub const DENSE: &str = "thinnet, no dropout";
/// Every row its own mask.
pub const ROW: &str = "thinnet, share = row";
/// One mask for the rows of a slice.
pub const SLICE: &str = "thinnet, share = slice";

/// Net, share and the least speed against the fastest peer with dropout.
const AGAINST_PEERS: [(&str, &str, f64); 7] = [
    ("W1", SLICE, 2.3),
    ("W1", ROW, 1.35),
    ("W2", SLICE, 2.3),
    ("W2", ROW, 1.2),
    ("W3", SLICE, 5.0),
    ("W3", ROW, 2.0),
    ("W4", ROW, 5.0),
];

/// Everything that was measured. A contest's title begins with its net's name.
pub struct Results {
    /// The training step of each net.
    pub steps: Vec<Contest>,
    /// Prediction of 10,000 rows by W1.
    pub predict: Contest,
    /// The bare products of a W1 step.
    pub gemm: Contest,
    /// The races of thinnet with itself, in the order of [`RACES`].
    pub own: Vec<Contest>,
    /// The most memory that training W2 held.
    pub peak_megabytes: Option<f64>,
}

/// One floor or ceiling.
pub struct Check {
    /// What is compared.
    pub name: String,
    /// What was measured, if it was.
    pub value: Option<f64>,
    /// The least or the most that is allowed.
    pub bound: f64,
    /// Whether `bound` is the least.
    pub at_least: bool,
    /// "x" for ratios.
    pub unit: &'static str,
}

impl Check {
    /// "met", "missed" or "not measured".
    pub fn verdict(&self) -> &'static str {
        match self.value {
            None => "not measured",
            Some(value) if self.at_least && value >= self.bound => "met",
            Some(value) if !self.at_least && value <= self.bound => "met",
            Some(_) => "missed",
        }
    }

    /// "at least 2.3 x".
    pub fn demand(&self) -> String {
        format!("at {} {} {}", if self.at_least { "least" } else { "most" }, self.bound, self.unit)
    }

    /// For the result file.
    pub fn json(&self) -> Value {
        json!({
            "check": self.name,
            "value": self.value,
            "demand": self.demand(),
            "verdict": self.verdict(),
        })
    }
}

/// All checks, in the order of the report.
pub fn checks(results: &Results) -> Vec<Check> {
    let step = |net: &str| results.steps.iter().find(|contest| contest.title.starts_with(net));
    let median = |net: &str, label: &str| step(net)?.median(label);
    let at_least = |name: String, value, bound| Check { name, value, bound, at_least: true, unit: "x" };
    let at_most = |name: String, value, bound| Check { name, value, bound, at_least: false, unit: "x" };

    let mut checks = Vec::new();
    for (net, label, floor) in AGAINST_PEERS {
        let value = ratio(step(net).and_then(Contest::fastest_peer), median(net, label));
        checks.push(at_least(
            format!("{net}: speed of {label}, to the fastest peer's with dropout"),
            value,
            floor,
        ));
    }
    for net in ["W1", "W2"] {
        let value = ratio(median(net, SLICE), median(net, DENSE));
        checks.push(at_most(format!("{net}: time of {SLICE}, to {DENSE}"), value, 0.40));
    }
    let value = ratio(median("W1", ROW), median("W1", DENSE));
    checks.push(at_most(format!("W1: time of {ROW}, to {DENSE}"), value, 1.06));
    let value = ratio(results.gemm.median("thinnet"), results.gemm.median(DENSE));
    checks.push(at_least(format!("W1: time of the bare products, to {DENSE}"), value, 0.75));
    let peers = ["ONNX Runtime", "JAX"].map(|label| results.predict.median(label));
    let value = ratio(peers.into_iter().flatten().min_by(f64::total_cmp), results.predict.median("thinnet"));
    checks.push(at_least(
        "W1: speed of prediction, to the faster of ONNX Runtime and JAX".into(),
        value,
        1.0,
    ));
    let name = "W2: peak memory of training".into();
    for (race, contest) in RACES.iter().zip(&results.own) {
        checks.extend(race.checks(contest));
    }
    checks.push(Check { name, value: results.peak_megabytes, bound: 900.0, at_least: false, unit: "MB" });
    checks
}

fn ratio(numerator: Option<f64>, denominator: Option<f64>) -> Option<f64> {
    Some(numerator? / denominator?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Timing;

    fn contest(title: &str, medians: &[(&str, bool, f64)]) -> Contest {
        let timings = medians.iter().map(|&(label, peer_with_dropout, value)| Timing {
            label: label.into(),
            peer_with_dropout,
            rounds: vec![vec![value]],
            ..Timing::default()
        });
        Contest { title: title.into(), timings: timings.collect() }
    }

    #[test]
    fn checks_compare_in_the_right_direction() {
        let results = Results {
            steps: vec![contest(
                "W1 784",
                &[(DENSE, false, 20.0), (ROW, false, 22.0), (SLICE, false, 8.0), ("JAX", true, 24.0)],
            )],
            predict: contest(
                "",
                &[("thinnet", false, 100.0), ("JAX", false, 300.0), ("ONNX Runtime", false, 90.0)],
            ),
            gemm: contest("", &[("thinnet", false, 16.0), (DENSE, false, 20.0)]),
            own: Vec::new(),
            peak_megabytes: Some(901.0),
        };
        let found: Vec<(Option<f64>, &str)> =
            checks(&results).iter().map(|check| (check.value, check.verdict())).collect();
        let expected = [
            (Some(3.0), "met"),
            (Some(24.0 / 22.0), "missed"),
            (None, "not measured"),
            (None, "not measured"),
            (None, "not measured"),
            (None, "not measured"),
            (None, "not measured"),
            (Some(0.4), "met"),
            (None, "not measured"),
            (Some(1.1), "missed"),
            (Some(0.8), "met"),
            (Some(0.9), "missed"),
            (Some(901.0), "missed"),
        ];
        assert_eq!(found, expected);
    }
}
