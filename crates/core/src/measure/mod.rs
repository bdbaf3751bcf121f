//! How good the predictions are, how far their probabilities and spreads can be trusted, and
//! whether thinning did what it is for: [`Overfitting`], [`Coadaptation`] of each hidden layer,
//! [`InferenceGap`]. docs/measures.md says what each measure is and how to read it.
//!
//! [`Classification`] and [`Regression`] hold every number that `thinnet evaluate` prints, and
//! [`Measures`](crate::model::Measures) those of `thinnet measure`; the functions behind them can
//! be called one by one. All of them add up in f64, take one optional
//! weight for each row (`None` means 1 each; a row of weight 2 counts as if it were there
//! twice), and refuse with [`Error::Argument`](crate::Error::Argument) shapes that do not fit
//! and values that are no finite numbers, so that what they return is always a finite number too.
//! (Products of activations are the kernels', in f32.)
//!
//! Everywhere `probabilities` is `[rows, classes]` with one label below `classes` for each row;
//! `predictions`, `targets`, `mean` and `spread` are `[rows, outputs]`, all in the same unit.
//!
//! | file | says |
//! |---|---|
//! | `weights` | what each row counts, and what is refused before anything is measured |
//! | `metrics` | how good: wrong classes, distances from the targets, and all of it as one record |
//! | `reliability` | how often a prediction is right that is made with so much confidence |
//! | `calibration` | how sure: what probabilities and spreads say, and what then happens |
//! | `crps` | how far a predicted distribution lies from what came |
//! | `disagreement` | how far the members of an ensemble disagree |
//! | `overfitting` | the gap between training and held-out loss over the epochs |
//! | `coadaptation` | how far the units of each hidden layer depend on each other |
//! | `activity`, `eigenvalues` | what the units of a layer do, and how much of it together |
//! | `ablation` | what a layer's units are to the network, by silencing some of them |
//! | `correlation` | which units do the same, and whether they did before training |
//! | `inference_gap` | how far the whole network is from the average that it stands for |
//! | `estimate`, `student` | a mean, and how far it can be trusted |
//! | `paired`, `mcnemar` | whether two networks differ by more than chance |
//!
//! ```
//! use thinnet::data::Matrix;
//! use thinnet::measure::Classification;
//!
//! let probabilities = Matrix::new(2, 2, vec![0.9, 0.1, 0.6, 0.4])?;
//! let measured = Classification::new(&probabilities, &[0, 1], None)?;
//! assert_eq!((measured.error, measured.auc), (0.5, Some(1.0)));
//! # Ok::<(), thinnet::Error>(())
//! ```

mod ablation;
mod activity;
mod calibration;
mod coadaptation;
mod correlation;
mod crps;
mod disagreement;
mod eigenvalues;
mod estimate;
mod inference_gap;
mod mcnemar;
mod metrics;
mod overfitting;
mod paired;
mod reliability;
mod student;
#[cfg(test)]
mod test_values;
mod weights;

pub use ablation::{Interaction, Silenced};
pub use activity::{Activity, mean_absolute_correlation};
pub use calibration::{
    brier, coverage_90, expected_calibration_error, gaussian_log_likelihood, mixture_log_likelihood,
    negative_log_likelihood, predictive_moments, width_90,
};
pub use coadaptation::{Coadaptation, Effort, Subject, coadaptation};
pub use correlation::{UnitCorrelations, unit_correlations};
pub use crps::{gaussian_crps, mixture_crps};
pub use disagreement::Disagreement;
pub use estimate::Estimate;
pub use inference_gap::InferenceGap;
pub use mcnemar::McNemar;
pub use metrics::{
    Classification, Regression, area_under_curve, confusion, error_rate, mean_absolute_error, r_squared,
    root_mean_squared_error,
};
pub use overfitting::{Gap, Overfitting};
pub use paired::{Paired, holm};
pub use reliability::{ReliabilityBin, reliability};
pub use student::Student;

pub use crate::data::largest;
