//! What each row counts, and what is refused before anything is measured.

use crate::data::Matrix;
use crate::error::{Error, Result};

/// The weights of `rows` rows, ready for averages.
pub(super) struct Weights<'a> {
    given: Option<&'a [f32]>,
    /// Their sum, above 0.
    pub total: f64,
}

impl<'a> Weights<'a> {
    /// `given` are the weights, one for each row; without them each row counts 1.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no row, not one weight for each, a weight below 0 or not finite, or
    /// if all are 0.
    pub fn new(given: Option<&'a [f32]>, rows: usize) -> Result<Self> {
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

    /// How much a row counts.
    pub fn of(&self, row: usize) -> f64 {
        self.given.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The weighted mean over rows of `value(row)`.
    pub fn mean(&self, rows: usize, value: impl Fn(usize) -> f64) -> f64 {
        (0..rows).map(|row| self.of(row) * value(row)).sum::<f64>() / self.total
    }
}

/// Checks that a matrix has the shape of the targets and holds finite numbers only.
///
/// # Errors
/// [`Error::Argument`] of `what`, if not, or if there is no output.
pub(super) fn check_values(what: &'static str, values: &Matrix, rows: usize, outputs: usize) -> Result<()> {
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
///
/// # Errors
/// [`Error::Argument`] if there is not one row for each label, a label is none of the classes, or a number is
/// no probability.
pub(super) fn check_probabilities(probabilities: &Matrix, labels: &[u32]) -> Result<()> {
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
