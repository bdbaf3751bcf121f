//! The remedies, and what of each is tried.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::average::{Average, EnsembleSpec};
use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::thin::{Drop, Rates, Share, ThinSpec};
use crate::train::{Loss, Pair, Schedule, WeightAverage};

/// Each method has a grid of candidates: so many doses, each with so many learning rates.
pub(super) const DOSES: usize = 4;
/// The learning rates of each dose.
pub(super) const RATES: usize = 4;
/// The dose with which learning rates are tried.
pub(super) const MIDDLE: usize = 1;

/// Rows that share a mask of edges: one mask for many rows is too weak a remedy (Wan et al. 2013).
const EDGE_ROWS: usize = 16;

/// The rates of hidden units and of inputs that are tried, from the weakest on.
const THINNING: [(f32, f32); DOSES] = [(0.1, 0.0), (0.25, 0.0), (0.3, 0.1), (0.5, 0.2)];
/// The rates of inputs where there are no hidden units.
const INPUT_THINNING: [f32; DOSES] = [0.05, 0.1, 0.2, 0.5];

/// The learning rates that every method tries, as factors of the given one.
const FACTORS: [f32; RATES] = [0.25, 0.75, 2.0, 4.0];
/// What has no dose has further factors in its place.
const FINER: [f32; DOSES] = [0.75, 1.0, 1.25, 1.375];

/// What may keep a network from overfitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Nothing: the last epoch counts.
    Nothing,
    /// The epoch with the lowest loss on the validation rows counts.
    EarlyStopping,
    /// A penalty on the sum of |weight|.
    L1,
    /// A penalty on half the sum of weight².
    L2,
    /// A greatest norm of each unit's incoming weights.
    MaxNorm,
    /// Units are dropped (Srivastava et al. 2014).
    Dropout,
    /// The same with a greatest norm, as the paper advises.
    DropoutMaxNorm,
    /// Units are multiplied by normal noise (the same paper, section 10).
    Gaussian,
    /// Edges are dropped (Wan et al. 2013).
    Dropconnect,
    /// Units are dropped at rates that are learned (Gal, Hron and Kendall 2017).
    Concrete,
    /// The mean of several networks that have nothing, at several times the cost.
    Ensemble,
}

impl Method {
    /// All methods, in the order of tables.
    pub const ALL: [Self; 11] = [
        Self::Nothing,
        Self::EarlyStopping,
        Self::L1,
        Self::L2,
        Self::MaxNorm,
        Self::Dropout,
        Self::DropoutMaxNorm,
        Self::Gaussian,
        Self::Dropconnect,
        Self::Concrete,
        Self::Ensemble,
    ];

    /// What it is called on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::EarlyStopping => "early-stopping",
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::MaxNorm => "max-norm",
            Self::Dropout => "dropout",
            Self::DropoutMaxNorm => "dropout-max-norm",
            Self::Gaussian => "gaussian",
            Self::Dropconnect => "dropconnect",
            Self::Concrete => "concrete",
            Self::Ensemble => "ensemble",
        }
    }

    /// Whether it thins networks while they learn; the others always train the whole one.
    pub fn thins(self) -> bool {
        use Method::{Concrete, Dropconnect, Dropout, DropoutMaxNorm, Gaussian};
        matches!(self, Dropout | DropoutMaxNorm | Gaussian | Dropconnect | Concrete)
    }

    /// How many networks one run of the method trains, where an ensemble has so many members.
    pub(super) fn networks(self, members: usize) -> usize {
        if self == Self::Ensemble { members } else { 1 }
    }

    /// The method whose candidates are searched for this one: a member of an ensemble has nothing.
    pub(super) fn searched(self) -> Self {
        if self == Self::Ensemble { Self::Nothing } else { self }
    }

    /// The specs that can be tried, dose by dose, which are those of a single network. What `base` says against
    /// overfitting is left out; its data, network, optimizer, learning rate and batches are where all begin.
    pub(super) fn candidates(self, base: &Spec) -> Vec<Spec> {
        (0..DOSES * RATES).map(|number| self.candidate(base, number / RATES, number % RATES)).collect()
    }

    fn candidate(self, base: &Spec, dose: usize, rate: usize) -> Spec {
        let mut spec = plain(base);
        spec.train.learning_rate *= FACTORS[rate];
        match self.searched() {
            Self::EarlyStopping => {
                // The best epoch of a cosine may come before its low rates.
                let (own, constant) = (base.train.schedule_for(), Schedule::Constant);
                let other = if own == constant { Schedule::Cosine } else { constant };
                spec.train.schedule = Some([other, own, other, own][dose]);
                spec.train.learning_rate *= [1.0, 1.0, 1.25, 1.25][dose];
            }
            Self::L1 => spec.train.l1 = [1e-5, 1e-4, 1e-3, 1e-2][dose],
            Self::L2 => spec.train.l2 = [1e-5, 1e-4, 1e-3, 1e-2][dose],
            Self::MaxNorm => spec.train.max_norm = [4.0, 2.0, 1.0, 0.5][dose],
            Self::Dropout => thin(&mut spec, Drop::Units, dose),
            Self::DropoutMaxNorm => {
                thin(&mut spec, Drop::Units, dose);
                spec.train.max_norm = [3.0, 1.5, 3.0, 1.5][dose];
            }
            Self::Gaussian => thin(&mut spec, Drop::Gaussian, dose),
            Self::Dropconnect => {
                thin(&mut spec, Drop::Edges, dose);
                if spec.train.slice > EDGE_ROWS {
                    spec.thin.share_rows = EDGE_ROWS;
                }
            }
            Self::Concrete => {
                spec.thin = ThinSpec {
                    drop: Drop::Concrete,
                    share: Share::Row,
                    hidden: Rates::All(0.1),
                    input: if spec.network.hidden.is_empty() { 0.1 } else { 0.0 },
                    length_scale: [0.01, 0.1, 0.3, 1.0][dose],
                    // Only a regression has a precision, unless it is predicted.
                    precision: match base.train.loss {
                        Some(Loss::Normal | Loss::CrossEntropy | Loss::BinaryCrossEntropy) => 1.0,
                        _ => [1.0, 3.0, 10.0, 30.0][dose],
                    },
                    ..ThinSpec::default()
                }
            }
            Self::Nothing | Self::Ensemble => spec.train.learning_rate *= FINER[dose],
        }
        spec
    }

    /// The whole spec of a run: a candidate with its epochs and, for an ensemble, its members.
    pub(super) fn run(self, candidate: &Spec, epochs: u64, members: usize) -> Spec {
        let mut spec = candidate.clone();
        spec.train.epochs = epochs;
        if self == Self::EarlyStopping {
            // All epochs are run, as with every method, and the best is restored.
            spec.train.patience = Some(epochs);
        }
        spec.ensemble.members = self.networks(members);
        spec
    }

    /// What the method sets in a spec, for people: "rate 0.25, inputs 0.1, learning rate 0.004".
    pub fn settings(self, spec: &Spec) -> String {
        let (train, thin) = (&spec.train, &spec.thin);
        let mut parts = Vec::new();
        match self {
            Self::Nothing => {}
            Self::EarlyStopping => parts.push(train.schedule_for().to_string()),
            Self::L1 => parts.push(format!("l1 {}", train.l1)),
            Self::L2 => parts.push(format!("l2 {}", train.l2)),
            Self::MaxNorm => parts.push(format!("norm {}", train.max_norm)),
            Self::Dropout | Self::DropoutMaxNorm | Self::Gaussian | Self::Dropconnect => {
                match thin.hidden {
                    Rates::All(rate) if !spec.network.hidden.is_empty() => parts.push(format!("rate {rate}")),
                    _ => {}
                }
                if thin.input > 0.0 {
                    parts.push(format!("inputs {}", thin.input));
                }
                if self == Self::DropoutMaxNorm {
                    parts.push(format!("norm {}", train.max_norm));
                }
            }
            Self::Concrete => parts.push(format!("length scale {}", thin.length_scale)),
            Self::Ensemble => parts.push(format!("{} members", spec.ensemble.members)),
        }
        parts.push(format!("learning rate {}", short(train.learning_rate)));
        parts.join(", ")
    }
}

/// A number as it was meant, without the last digits of a product.
fn short(number: f32) -> f64 {
    format!("{number:.4e}").parse().unwrap_or(f64::from(number))
}

/// The same spec without anything that is a remedy, or that ends a run before its epochs are done.
pub(super) fn plain(base: &Spec) -> Spec {
    let mut spec = base.clone();
    spec.thin = ThinSpec::none();
    spec.ensemble = EnsembleSpec::default();
    spec.average = Average::WeightScaling;
    let train = &mut spec.train;
    (train.l1, train.l2, train.max_norm, train.weight_decay, train.label_smoothing) =
        (0.0, 0.0, 0.0, 0.0, 0.0);
    (train.pair, train.weight_average, train.temperature) = (Pair::None, WeightAverage::None, false);
    // Every run is given its epochs; those of `base` may be none where its minutes end a run.
    (train.epochs, train.patience, train.min_improvement) = (1, Some(0), 0.0);
    (train.steps, train.minutes) = (0, 0.0);
    spec
}

/// Sets the noise and its rates.
fn thin(spec: &mut Spec, drop: Drop, dose: usize) {
    let is_flat = spec.network.hidden.is_empty();
    let (hidden, input) = if is_flat { (0.0, INPUT_THINNING[dose]) } else { THINNING[dose] };
    spec.thin = ThinSpec { drop, hidden: Rates::All(hidden), input, ..ThinSpec::default() };
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|method| method.name()).collect();
            Error::argument("methods", format!("there is no {text:?}; there are {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Task;

    #[test]
    fn names_are_those_of_files() {
        for method in Method::ALL {
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
            assert_eq!(method.name().parse::<Method>().unwrap(), method);
        }
        let error = "drop-out".parse::<Method>().unwrap_err().to_string();
        assert!(
            error.starts_with("methods: there is no \"drop-out\"; there are nothing, early-stopping, l1")
        );
    }

    #[test]
    fn candidates_are_good_specs_that_differ() {
        let mut base = Spec::default();
        base.train.l2 = 0.5;
        base.train.minutes = 3.0;
        for method in Method::ALL {
            let candidates = method.candidates(&base);
            assert_eq!(candidates.len(), DOSES * RATES);
            for (loss, task) in [
                (Loss::CrossEntropy, Task::Classification),
                (Loss::BinaryCrossEntropy, Task::Classification),
                (Loss::Squared, Task::Regression),
                (Loss::Normal, Task::Regression),
            ] {
                let mut completed = base.clone();
                completed.train.loss = Some(loss);
                for spec in method.candidates(&completed) {
                    spec.check_effects().and(spec.check_effects_on(task, true)).unwrap();
                }
            }
            for (index, spec) in candidates.iter().enumerate() {
                spec.check().unwrap();
                assert!(candidates[..index].iter().all(|other| other != spec), "{method} {index}");
                assert_eq!((spec.train.patience, spec.train.minutes), (Some(0), 0.0));
                assert_eq!(spec.train.l2 > 0.0, method == Method::L2, "{method}");
                assert_eq!(spec.train.max_norm > 0.0, method.name().contains("max-norm"), "{method}");
                method.run(spec, 7, 3).check().unwrap();
            }
        }
    }

    #[test]
    fn methods_differ_in_their_own_fields_alone_and_try_the_same_learning_rates() {
        let base = Spec::default();
        let of_rates = |method: Method| method.candidates(&base)[MIDDLE * RATES..][..RATES].to_vec();
        let nothing = of_rates(Method::Nothing);
        for method in Method::ALL {
            let mut candidates = of_rates(method);
            for spec in &mut candidates {
                (spec.train.l1, spec.train.l2, spec.train.max_norm) = (0.0, 0.0, 0.0);
                (spec.thin, spec.train.schedule) = (ThinSpec::none(), None);
            }
            assert_eq!(candidates, nothing, "{method}");
        }
    }

    #[test]
    fn those_that_thin_have_rates_also_without_hidden_layers() {
        for hidden in [vec![], vec![8, 8]] {
            let mut base = Spec::default();
            base.network.hidden = hidden;
            for method in Method::ALL {
                for spec in method.candidates(&base) {
                    let rates = spec.thin.rates(base.network.hidden.len()).unwrap();
                    let has_rates = rates.iter().any(|&rate| rate > 0.0);
                    assert_eq!(has_rates, method.thins(), "{method}: {rates:?}");
                }
            }
        }
    }

    #[test]
    fn where_minutes_end_the_run_of_the_spec_epochs_end_those_of_the_comparison() {
        let mut base = Spec::default();
        (base.train.epochs, base.train.minutes) = (0, 1.0);
        plain(&base).check().unwrap();
        let spec = Method::Dropout.run(&Method::Dropout.candidates(&base)[0], 40, 5);
        assert_eq!((spec.train.epochs, spec.train.minutes), (40, 0.0));
    }

    #[test]
    fn early_stopping_restores_and_never_ends_a_run() {
        let spec = Method::EarlyStopping.run(&Method::EarlyStopping.candidates(&Spec::default())[0], 40, 5);
        assert_eq!((spec.train.epochs, spec.train.patience, spec.ensemble.members), (40, Some(40), 1));
        let spec = Method::Ensemble.run(&Method::Ensemble.candidates(&Spec::default())[0], 40, 5);
        assert_eq!((spec.train.patience, spec.ensemble.members), (Some(0), 5));
        assert_eq!(Method::Ensemble.settings(&spec), "5 members, learning rate 0.000375");
    }

    #[test]
    fn settings_are_read_by_people() {
        let of = |method: Method, index: usize| {
            method.settings(&method.run(&method.candidates(&Spec::default())[index], 10, 5))
        };
        assert_eq!(of(Method::Nothing, 6), "learning rate 0.004");
        assert_eq!(of(Method::EarlyStopping, 1), "constant, learning rate 0.0015");
        assert_eq!(of(Method::EarlyStopping, 15), "cosine, learning rate 0.01");
        assert_eq!(of(Method::L1, 0), "l1 0.00001, learning rate 0.0005");
        assert_eq!(of(Method::DropoutMaxNorm, 15), "rate 0.5, inputs 0.2, norm 1.5, learning rate 0.008");
        assert_eq!(of(Method::Concrete, 6), "length scale 0.1, learning rate 0.004");
    }
}
