//! How good: the share of wrong classes, the distance from the targets, and both as one record.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::reliability::{ReliabilityBin, reliability};
use super::weights::{Weights, check_probabilities, check_values};
use super::{calibration, crps};
use crate::data::{Matrix, largest};
use crate::error::{Error, Result};

/// How good a classification is. The field names are those of `thinnet evaluate --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// How many rows were measured.
    pub rows: usize,
    /// The share of rows whose most probable class is wrong; see [`error_rate`].
    pub error: f64,
    /// The share of rows whose most probable class is right: 1 - error.
    pub accuracy: f64,
    /// The mean negative log-likelihood, in nats; see [`calibration::negative_log_likelihood`].
    pub nll: f64,
    /// The Brier score, between 0 and 2; see [`calibration::brier`].
    pub brier: f64,
    /// The expected calibration error; see [`calibration::expected_calibration_error`].
    pub ece: f64,
    /// The area under the ROC curve, for two classes only; see [`area_under_curve`].
    pub auc: Option<f64>,
    /// How often predictions of each confidence are right; see [`reliability()`].
    pub reliability: Vec<ReliabilityBin>,
}

impl Classification {
    /// Measures probabilities `[rows, classes]` against the true class of each row.
    ///
    /// # Errors
    /// See [the module](crate::measure).
    pub fn new(probabilities: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> Result<Self> {
        let error = error_rate(probabilities, labels, weights)?;
        let auc = match probabilities.columns() {
            2 => area_under_curve(probabilities, labels, weights)?,
            _ => None,
        };
        Ok(Self {
            rows: labels.len(),
            error,
            accuracy: 1.0 - error,
            nll: calibration::negative_log_likelihood(probabilities, labels, weights)?,
            brier: calibration::brier(probabilities, labels, weights)?,
            ece: calibration::expected_calibration_error(probabilities, labels, weights)?,
            auc,
            reliability: reliability(probabilities, labels, weights)?,
        })
    }
}

/// How good a regression is. The field names are those of `thinnet evaluate --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// How many rows were measured.
    pub rows: usize,
    /// The root mean squared error, in the target's unit; see [`root_mean_squared_error`].
    pub rmse: f64,
    /// The mean absolute error, in the target's unit; see [`mean_absolute_error`].
    pub mae: f64,
    /// The share of the targets' variance that is explained; see [`r_squared`].
    pub r2: f64,
    /// The mean log-likelihood of the targets, in nats, if the spread of the predictions is known.
    pub log_likelihood: Option<f64>,
    /// The share of targets inside the 90 % interval, if the spread of the predictions is known.
    pub coverage_90: Option<f64>,
    /// The mean width of the 90 % interval, in the target's unit, if the spread is known.
    pub width_90: Option<f64>,
    /// The continuous ranked probability score, in the target's unit, if the spread is known; see
    /// [`crps::gaussian_crps`].
    pub crps: Option<f64>,
}

impl Regression {
    /// Measures predictions `[rows, outputs]` against targets of the same shape, both in original
    /// units. `spread`, if given, has the same shape and is the standard deviation of each
    /// prediction, observation noise included.
    ///
    /// # Errors
    /// See [the module](crate::measure); besides, a spread must be above 0.
    pub fn new(
        predictions: &Matrix,
        spread: Option<&Matrix>,
        targets: &Matrix,
        weights: Option<&[f32]>,
    ) -> Result<Self> {
        let [log_likelihood, coverage_90, width_90, crps] = match spread {
            None => [None; 4],
            Some(spread) => [
                Some(calibration::gaussian_log_likelihood(predictions, spread, targets, weights)?),
                Some(calibration::coverage_90(predictions, spread, targets, weights)?),
                Some(calibration::width_90(spread, weights)?),
                Some(crps::gaussian_crps(predictions, spread, targets, weights)?),
            ],
        };
        Ok(Self {
            rows: targets.rows(),
            rmse: root_mean_squared_error(predictions, targets, weights)?,
            mae: mean_absolute_error(predictions, targets, weights)?,
            r2: r_squared(predictions, targets, weights)?,
            log_likelihood,
            coverage_90,
            width_90,
            crps,
        })
    }

    /// The same of predictions and targets that are all multiplied by a number above 0, as from standardised
    /// values to their own unit.
    pub fn times(self, factor: f64) -> Self {
        Self {
            rmse: factor * self.rmse,
            mae: factor * self.mae,
            log_likelihood: self.log_likelihood.map(|likelihood| likelihood - libm::log(factor)),
            width_90: self.width_90.map(|width| factor * width),
            crps: self.crps.map(|score| factor * score),
            ..self
        }
    }

    /// Measures the predictions of T thinned networks, each `[rows, outputs]` in original units,
    /// with the standard deviation of the observation noise of each output. The prediction is
    /// the samples' mean, log-likelihood and CRPS are those of their mixture
    /// ([`calibration::mixture_log_likelihood`], [`crps::mixture_crps`]), and the interval comes
    /// from [`calibration::predictive_moments`].
    ///
    /// # Errors
    /// See [the module](crate::measure); besides, there must be a sample, and noise above 0.
    pub fn from_samples(
        samples: &[Matrix],
        noise: &[f32],
        targets: &Matrix,
        weights: Option<&[f32]>,
    ) -> Result<Self> {
        let (mean, spread) = calibration::predictive_moments(samples, noise)?;
        let mixture = calibration::mixture_log_likelihood(samples, noise, targets, weights)?;
        let crps = crps::mixture_crps(samples, noise, targets, weights)?;
        let normal = Self::new(&mean, Some(&spread), targets, weights)?;
        Ok(Self { log_likelihood: Some(mixture), crps: Some(crps), ..normal })
    }
}

/// The share of rows whose most probable class (the first of equals) is not the true one, from
/// probabilities `[rows, classes]`.
///
/// # Errors
/// See [the module](crate::measure).
pub fn error_rate(probabilities: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> Result<f64> {
    check_probabilities(probabilities, labels)?;
    let wrong = |row: usize| f64::from(largest(probabilities.row(row)) != labels[row] as usize);
    Ok(Weights::new(weights, labels.len())?.mean(labels.len(), wrong))
}

/// How often each class (first index) was taken for each class (second index), from probabilities
/// `[rows, classes]`: sums of the row weights, `[classes][classes]`.
///
/// # Errors
/// See [the module](crate::measure).
pub fn confusion(probabilities: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> Result<Vec<Vec<f64>>> {
    check_probabilities(probabilities, labels)?;
    let weights = Weights::new(weights, labels.len())?;
    let classes = probabilities.columns();
    let mut counts = vec![vec![0.0; classes]; classes];
    for (row, &label) in labels.iter().enumerate() {
        counts[label as usize][largest(probabilities.row(row))] += weights.of(row);
    }
    Ok(counts)
}

/// The area under the ROC curve for two classes, from probabilities `[rows, 2]`: the probability that a
/// row of class 1 is given a higher probability of class 1 than a row of class 0, where a tie counts
/// half. `None` if one of the two classes has no row of weight above 0.
///
/// It is the Mann-Whitney U statistic over the number of pairs (Hanley and McNeil 1982).
///
/// # Errors
/// See [the module](crate::measure); besides, `probabilities` must have two columns.
pub fn area_under_curve(
    probabilities: &Matrix,
    labels: &[u32],
    weights: Option<&[f32]>,
) -> Result<Option<f64>> {
    check_probabilities(probabilities, labels)?;
    if probabilities.columns() != 2 {
        let problem = format!("{} classes; the area under the curve needs two", probabilities.columns());
        return Err(Error::argument("probabilities", problem));
    }
    let weights = Weights::new(weights, labels.len())?;
    let score = |row: usize| probabilities.row(row)[1];
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| score(a).partial_cmp(&score(b)).unwrap_or(Ordering::Equal));

    // Sums of weights, [class 0, class 1], of all rows below the present score.
    let mut below = [0.0, 0.0];
    let mut pairs_in_order = 0.0;
    for ties in order.chunk_by(|&a, &b| score(a) == score(b)) {
        let mut tied = [0.0, 0.0];
        for &row in ties {
            tied[labels[row] as usize] += weights.of(row);
        }
        pairs_in_order += tied[1] * (below[0] + 0.5 * tied[0]);
        below = [below[0] + tied[0], below[1] + tied[1]];
    }
    let pairs = below[0] * below[1];
    Ok((pairs > 0.0).then(|| pairs_in_order / pairs))
}

/// The square root of the mean squared difference of predictions and targets, both
/// `[rows, outputs]`, for each output; then the mean over outputs, in the targets' unit.
///
/// # Errors
/// See [the module](crate::measure).
pub fn root_mean_squared_error(
    predictions: &Matrix,
    targets: &Matrix,
    weights: Option<&[f32]>,
) -> Result<f64> {
    over_outputs(predictions, targets, weights, |weights, rows, predicted, target| {
        weights.mean(rows, |row| (predicted(row) - target(row)).powi(2)).sqrt()
    })
}

/// The mean absolute difference of predictions and targets, both `[rows, outputs]`, over rows and
/// outputs, in the targets' unit.
///
/// # Errors
/// See [the module](crate::measure).
pub fn mean_absolute_error(predictions: &Matrix, targets: &Matrix, weights: Option<&[f32]>) -> Result<f64> {
    over_outputs(predictions, targets, weights, |weights, rows, predicted, target| {
        weights.mean(rows, |row| (predicted(row) - target(row)).abs())
    })
}

/// The coefficient of determination of predictions and targets, both `[rows, outputs]`: 1 - (sum of
/// squared differences) / (sum of squared distances of the targets from their mean), for each output;
/// then the mean over outputs. 0 is as good as always predicting the mean. An output whose targets are
/// all the same counts 1 if predicted exactly and 0 otherwise, as in scikit-learn.
///
/// # Errors
/// See [the module](crate::measure).
pub fn r_squared(predictions: &Matrix, targets: &Matrix, weights: Option<&[f32]>) -> Result<f64> {
    over_outputs(predictions, targets, weights, |weights, rows, predicted, target| {
        let mean = weights.mean(rows, target);
        let residual = weights.mean(rows, |row| (predicted(row) - target(row)).powi(2));
        // The rounding error of the mean must not pass for variance.
        let mut counted = (0..rows).filter(|&row| weights.of(row) > 0.0).map(target);
        let first = counted.next();
        let constant = counted.all(|value| Some(value) == first);
        match constant {
            true => f64::from(residual == 0.0),
            false => 1.0 - residual / weights.mean(rows, |row| (target(row) - mean).powi(2)),
        }
    })
}

/// The mean over outputs of a measure of one output, which gets the weights, the number of rows,
/// and the prediction and target of a row.
fn over_outputs(
    predictions: &Matrix,
    targets: &Matrix,
    weights: Option<&[f32]>,
    measure: impl Fn(&Weights, usize, &dyn Fn(usize) -> f64, &dyn Fn(usize) -> f64) -> f64,
) -> Result<f64> {
    let (rows, outputs) = (targets.rows(), targets.columns());
    check_values("targets", targets, rows, outputs)?;
    check_values("predictions", predictions, rows, outputs)?;
    let weights = Weights::new(weights, rows)?;
    let sum: f64 = (0..outputs)
        .map(|output| {
            let predicted = |row: usize| f64::from(predictions.row(row)[output]);
            let target = |row: usize| f64::from(targets.row(row)[output]);
            measure(&weights, rows, &predicted, &target)
        })
        .sum();
    Ok(sum / outputs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::test_values::*;

    // The numbers below come from scikit-learn 1.9.1 on the arrays of `test_values`, where
    // `p` are the probabilities (f32 made f64), `y` the labels, `q` predictions, `t` targets and
    // `w` the weights. Each comment is the line that gave the number.

    #[test]
    fn error_is_one_minus_the_accuracy_of_scikit_learn() {
        // accuracy_score(y, p.argmax(1)), and with sample_weight=w
        close(error_rate(&probabilities(), &LABELS, None).unwrap(), 1.0 - 0.6666666666666666);
        close(error_rate(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap(), 1.0 - 0.7777777777777778);
    }

    #[test]
    fn confusion_is_that_of_scikit_learn() {
        // confusion_matrix(y, p.argmax(1), sample_weight=w).tolist()
        let expected = [[1.0, 0.0, 0.0], [0.0, 3.0, 0.5], [1.5, 0.0, 3.0]];
        assert_eq!(confusion(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap(), expected);
    }

    #[test]
    fn the_first_of_equal_probabilities_is_the_class() {
        let even = Matrix::new(1, 2, vec![0.5, 0.5]).unwrap();
        assert_eq!(error_rate(&even, &[0], None).unwrap(), 0.0);
        assert_eq!(error_rate(&even, &[1], None).unwrap(), 1.0);
    }

    fn two_classes(scores: &[f32]) -> Matrix {
        let values = scores.iter().flat_map(|&score| [1.0 - score, score]).collect();
        Matrix::new(scores.len(), 2, values).unwrap()
    }

    #[test]
    fn auc_with_ties_is_that_of_scikit_learn() {
        let scores = two_classes(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.2]);
        let labels = [0, 0, 1, 1, 1, 0, 1, 1];
        let weights = [1.0, 2.0, 0.5, 1.0, 3.0, 1.5, 1.0, 0.25];
        // roc_auc_score(labels, scores), and with sample_weight=weights
        close(area_under_curve(&scores, &labels, None).unwrap().unwrap(), 0.6666666666666667);
        close(area_under_curve(&scores, &labels, Some(&weights)).unwrap().unwrap(), 0.6956521739130435);
    }

    #[test]
    fn auc_of_one_class_or_many_is_none() {
        let scores = two_classes(&[0.1, 0.4]);
        assert_eq!(area_under_curve(&scores, &[1, 1], None).unwrap(), None);
        assert_eq!(area_under_curve(&scores, &[0, 1], Some(&[0.0, 1.0])).unwrap(), None);
        assert!(area_under_curve(&probabilities(), &LABELS, None).is_err());
        assert_eq!(Classification::new(&probabilities(), &LABELS, None).unwrap().auc, None);
    }

    #[test]
    fn one_output_measures_as_scikit_learn_does() {
        let (predictions, targets) = (first_column(&predictions()), first_column(&targets()));
        // root_mean_squared_error, mean_absolute_error and r2_score (t[:, 0], q[:, 0]),
        // then with sample_weight=w[:5]
        let all = Regression::new(&predictions, None, &targets, None).unwrap();
        close(all.rmse, 0.5590169943749475);
        close(all.mae, 0.45);
        close(all.r2, 0.9491042345276873);
        let weighted = Regression::new(&predictions, None, &targets, Some(&WEIGHTS[..5])).unwrap();
        close(weighted.rmse, 0.5082650227325636);
        close(weighted.mae, 0.43333333333333335);
        close(weighted.r2, 0.9575846027547205);
        assert_eq!((all.log_likelihood, all.coverage_90), (None, None));
    }

    #[test]
    fn two_outputs_are_averaged_as_scikit_learn_does() {
        // the same three functions of (t, q, sample_weight=w[:5])
        let both = Regression::new(&predictions(), None, &targets(), Some(&WEIGHTS[..5])).unwrap();
        close(both.rmse, 0.49565545713610576);
        close(both.mae, 0.4166666666666667);
        close(both.r2, 0.9592900725512087);
    }

    #[test]
    fn a_constant_target_is_explained_fully_or_not_at_all() {
        let constant = Matrix::new(3, 1, vec![0.1; 3]).unwrap();
        assert_eq!(r_squared(&constant, &constant, None).unwrap(), 1.0);
        assert_eq!(r_squared(&Matrix::zeros(3, 1), &constant, None).unwrap(), 0.0);
        let other = Matrix::new(3, 1, vec![0.1, 0.1, 9.0]).unwrap();
        assert_eq!(r_squared(&Matrix::zeros(3, 1), &other, Some(&[1.0, 3.0, 0.0])).unwrap(), 0.0);
    }

    #[test]
    fn a_weight_of_two_counts_as_two_rows() {
        let (p, q, t) = (probabilities(), predictions(), targets());
        let (rows, weights) = ([0, 0, 2, 3, 3, 4], [2.0, 0.0, 1.0, 2.0, 1.0, 0.0]);
        let labels: Vec<u32> = rows.iter().map(|&row: &usize| LABELS[row]).collect();
        let twice = Classification::new(&p.select(&rows), &labels, None).unwrap();
        let weighted = Classification::new(&p, &LABELS, Some(&weights)).unwrap();
        close(twice.nll, weighted.nll);
        close(twice.brier, weighted.brier);
        close(twice.ece, weighted.ece);
        close(twice.error, weighted.error);
        let twice = Regression::new(&q.select(&rows), None, &t.select(&rows), None).unwrap();
        let weighted = Regression::new(&q, None, &t, Some(&weights[..5])).unwrap();
        close(twice.rmse, weighted.rmse);
        close(twice.r2, weighted.r2);
    }

    #[test]
    fn samples_give_every_number_of_a_regression() {
        let (samples, targets) = (samples(), first_column(&targets()));
        let measured = Regression::from_samples(&samples, &[0.75], &targets, None).unwrap();
        // root_mean_squared_error(t[:, 0], s.mean(0)); the mean is rounded to f32 here
        assert!((measured.rmse - 0.30046260628866583).abs() < 1e-7);
        // np.mean(logsumexp(norm.logpdf(t[:, 0], s, .75), axis=0) - np.log(3))
        close(measured.log_likelihood.unwrap(), -1.0422040181636893);
        close(measured.coverage_90.unwrap(), 1.0);
        close(measured.crps.unwrap(), crps::mixture_crps(&samples, &[0.75], &targets, None).unwrap());
        assert!(measured.width_90.unwrap() > 2.0 * 1.6448 * 0.75);
    }

    #[test]
    fn the_json_names_are_those_of_the_command_line() {
        let names = |value: serde_json::Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        let classification = Classification::new(&probabilities(), &LABELS, None).unwrap();
        assert_eq!(
            names(serde_json::to_value(classification).unwrap()),
            ["accuracy", "auc", "brier", "ece", "error", "nll", "reliability", "rows"]
        );
        let regression = Regression::new(&predictions(), None, &targets(), None).unwrap();
        assert_eq!(
            names(serde_json::to_value(regression).unwrap()),
            ["coverage_90", "crps", "log_likelihood", "mae", "r2", "rmse", "rows", "width_90"]
        );
    }
}
