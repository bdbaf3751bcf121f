//! How good the predictions are, how far their probabilities and spreads can be trusted, and
//! whether thinning did what it is for: [`Overfitting`], [`Coadaptation`] of each hidden layer,
//! [`InferenceGap`]. docs/measures.md says what each measure is and how to read it.
//!
//! [`Classification`] and [`Regression`] hold every number that `thinnet evaluate` prints, and
//! [`Measures`](crate::model::Measures) those of `thinnet measure`; the functions behind them can
//! be called one by one. All of them add up in f64, take one optional
//! weight for each row (`None` means 1 each; a row of weight 2 counts as if it were there
//! twice), and refuse with [`Error::Argument`] shapes that do not fit and values that are no
//! finite numbers, so that what they return is always a finite number too. (Products of
//! activations are the kernels', in f32.)
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

use crate::data::Matrix;
use crate::error::{Error, Result};

/// The weights of `rows` rows, ready for averages.
struct Weights<'a> {
    given: Option<&'a [f32]>,
    total: f64,
}

impl<'a> Weights<'a> {
    fn new(given: Option<&'a [f32]>, rows: usize) -> Result<Self> {
        if rows == 0 {
            return Err(Error::argument("rows", "there is no row to measure"));
        }
        let Some(weights) = given else {
            return Ok(Self { given, total: rows as f64 });
        };
        if weights.len() != rows {
            return Err(Error::argument("weights", format!("{} weights for {rows} rows", weights.len())));
        }
        if let Some(row) = weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
            let problem = format!("the weight of row {row} is {}; it must be 0 or more", weights[row]);
            return Err(Error::argument("weights", problem));
        }
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        if total == 0.0 {
            return Err(Error::argument("weights", "all weights are 0; at least one row must count"));
        }
        Ok(Self { given, total })
    }

    fn of(&self, row: usize) -> f64 {
        self.given.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The weighted mean over rows of `value(row)`.
    fn mean(&self, rows: usize, value: impl Fn(usize) -> f64) -> f64 {
        (0..rows).map(|row| self.of(row) * value(row)).sum::<f64>() / self.total
    }
}

/// Checks that a matrix has the shape of the targets and holds finite numbers only.
fn check_values(what: &'static str, values: &Matrix, rows: usize, outputs: usize) -> Result<()> {
    if (values.rows(), values.columns()) != (rows, outputs) {
        let problem = format!(
            "{} rows of {} values, but the targets are {rows} rows of {outputs}",
            values.rows(),
            values.columns()
        );
        return Err(Error::argument(what, problem));
    }
    if outputs == 0 {
        return Err(Error::argument(what, "there is no output to measure"));
    }
    match values.values().iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("row {} holds {}, not a finite number", at / outputs, values.values()[at]);
            Err(Error::argument(what, problem))
        }
    }
}

/// Checks probabilities `[rows, classes]` against one label for each row.
fn check_probabilities(probabilities: &Matrix, labels: &[u32]) -> Result<()> {
    let (rows, classes) = (labels.len(), probabilities.columns());
    if probabilities.rows() != rows {
        let problem = format!("{} rows of probabilities for {rows} labels", probabilities.rows());
        return Err(Error::argument("probabilities", problem));
    }
    if let Some(row) = labels.iter().position(|&label| label as usize >= classes) {
        let problem =
            format!("row {row} has class {}, but there are probabilities of {classes} classes", labels[row]);
        return Err(Error::argument("labels", problem));
    }
    // Averages of many softmax outputs in f32 may lie a few roundings above 1.
    let outside = |&p: &f32| !(0.0..=1.0001).contains(&p);
    match probabilities.values().iter().position(outside) {
        None => Ok(()),
        Some(at) => {
            let problem = format!(
                "row {} holds {}; a probability lies between 0 and 1",
                at / classes,
                probabilities.values()[at]
            );
            Err(Error::argument("probabilities", problem))
        }
    }
}

/// The index of the largest value, the first of them if there are several.
pub fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence<T>(result: Result<T>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn weights_that_cannot_be_used_are_refused() {
        assert!(sentence(Weights::new(None, 0)).contains("no row"));
        assert!(sentence(Weights::new(Some(&[1.0]), 2)).contains("1 weights for 2 rows"));
        assert!(sentence(Weights::new(Some(&[1.0, -1.0]), 2)).contains("row 1 is -1"));
        assert!(sentence(Weights::new(Some(&[f32::NAN, 1.0]), 2)).contains("row 0 is NaN"));
        assert!(sentence(Weights::new(Some(&[0.0, 0.0]), 2)).contains("all weights are 0"));
    }

    #[test]
    fn values_that_cannot_be_used_are_refused() {
        let values = Matrix::new(2, 1, vec![1.0, f32::INFINITY]).unwrap();
        assert!(sentence(check_values("predictions", &values, 2, 1)).contains("row 1 holds inf"));
        assert!(sentence(check_values("predictions", &values, 1, 2)).contains("1 rows of 2"));
        assert!(sentence(check_values("predictions", &Matrix::zeros(2, 0), 2, 0)).contains("no output"));
    }

    #[test]
    fn probabilities_that_cannot_be_used_are_refused() {
        let probabilities = Matrix::new(2, 2, vec![0.5, 0.5, 1.5, -0.5]).unwrap();
        assert!(sentence(check_probabilities(&probabilities, &[0])).contains("2 rows"));
        assert!(sentence(check_probabilities(&probabilities, &[0, 2])).contains("row 1 has class 2"));
        assert!(sentence(check_probabilities(&probabilities, &[0, 1])).contains("row 1 holds 1.5"));
        let probabilities = Matrix::new(1, 2, vec![f32::NAN, 0.5]).unwrap();
        assert!(sentence(check_probabilities(&probabilities, &[0])).contains("row 0 holds NaN"));
        assert!(sentence(check_probabilities(&Matrix::zeros(1, 0), &[0])).contains("0 classes"));
    }
}

/// The arrays behind the numbers that the tests quote.
#[cfg(test)]
mod test_values {
    use crate::data::Matrix;

    pub const LABELS: [u32; 6] = [0, 1, 1, 1, 2, 2];
    pub const WEIGHTS: [f32; 6] = [1.0, 2.0, 0.5, 1.0, 3.0, 1.5];

    #[rustfmt::skip]
    pub fn probabilities() -> Matrix {
        let values = vec![
            0.7, 0.2, 0.1,   0.1, 0.8, 0.1,    0.3, 0.3, 0.4,
            0.25, 0.5, 0.25, 0.05, 0.15, 0.8,  0.6, 0.3, 0.1,
        ];
        Matrix::new(6, 3, values).unwrap()
    }

    pub fn targets() -> Matrix {
        Matrix::new(5, 2, vec![3.0, -0.5, -0.5, 2.0, 2.0, 0.0, 7.0, 8.0, 4.25, 1.5]).unwrap()
    }

    pub fn predictions() -> Matrix {
        Matrix::new(5, 2, vec![2.5, 0.0, 0.0, 2.0, 2.0, -1.0, 8.0, 8.5, 4.0, 1.0]).unwrap()
    }

    /// Three predictions of the first output of each row.
    pub fn samples() -> Vec<Matrix> {
        let samples = [[2.5, 0.0, 2.0, 8.0, 4.0], [3.5, 0.5, 1.0, 6.0, 4.5], [2.0, -1.0, 2.5, 7.5, 3.0]];
        samples.iter().map(|sample| Matrix::new(5, 1, sample.to_vec()).unwrap()).collect()
    }

    /// The quantile of the standard normal distribution, by bisection.
    pub fn normal_quantile(probability: f64) -> f32 {
        let (mut low, mut high) = (-10.0, 10.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
            if below < probability { low = middle } else { high = middle }
        }
        low as f32
    }

    pub fn first_column(matrix: &Matrix) -> Matrix {
        let values = (0..matrix.rows()).map(|row| matrix.row(row)[0]).collect();
        Matrix::new(matrix.rows(), 1, values).unwrap()
    }

    #[track_caller]
    pub fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value}, not {expected}");
    }
}
