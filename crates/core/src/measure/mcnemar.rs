//! Whether one way to predict is better than another on the same rows.

use serde::{Deserialize, Serialize};

use super::student::incomplete_beta;
use crate::error::{Error, Result};

/// The test of McNemar (1947), in its exact form. Rows that both get right, or both wrong, say nothing; of
/// the others each has the same chance to be right if neither way is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Rows that only the first way gets right.
    pub only_first: usize,
    /// Rows that only the second way gets right.
    pub only_second: usize,
    /// The probability of counts at least as far apart if neither is better.
    pub p: f64,
}

impl McNemar {
    /// From two predicted classes for each row, and the true one.
    ///
    /// # Errors
    /// [`Error::Argument`] if they are not equally many.
    pub fn new(first: &[u32], second: &[u32], labels: &[u32]) -> Result<Self> {
        if first.len() != labels.len() || second.len() != labels.len() {
            let problem = format!("{} and {} for {} labels", first.len(), second.len(), labels.len());
            return Err(Error::argument("predictions", problem));
        }
        let only = |these: &[u32], those: &[u32]| {
            let rows = these.iter().zip(those).zip(labels);
            rows.filter(|((this, that), label)| this == label && that != label).count()
        };
        Ok(Self::of_counts(only(first, second), only(second, first)))
    }

    /// From the rows that only one of the two gets right.
    pub fn of_counts(only_first: usize, only_second: usize) -> Self {
        let (less, more) = (only_first.min(only_second) as f64, only_first.max(only_second) as f64);
        // Up to `less` heads of less + more tosses of a fair coin, on either side.
        let p = if less == more { 1.0 } else { 2.0 * incomplete_beta(more, less + 1.0, 0.5, 0.5) };
        Self { only_first, only_second, p: p.min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against numbers printed by scipy 1.17.1, `scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue`.
    #[test]
    fn is_the_binomial_test_of_scipy() {
        for (first, second, expected) in [
            (1, 0, 1.0),
            (0, 6, 0.03125),
            (5, 15, 0.04138946533203125),
            (3, 4, 1.0),
            (60, 40, 0.05688793364098089),
            (400, 330, 0.010605994778707762),
        ] {
            let p = McNemar::of_counts(first, second).p;
            assert!((p / expected - 1.0).abs() < 1e-11, "{first}, {second}: {p}, not {expected}");
            assert_eq!(McNemar::of_counts(second, first).p, p);
        }
        assert_eq!(McNemar::of_counts(0, 0).p, 1.0);
    }

    #[test]
    fn only_rows_on_which_they_differ_count() {
        let labels = [0, 1, 2, 0, 1, 2];
        let test = McNemar::new(&[0, 1, 2, 1, 1, 0], &[0, 2, 0, 0, 0, 1], &labels).unwrap();
        // Both right on row 0, both wrong on row 5; the first alone on 1, 2 and 4, the second on 3.
        assert_eq!((test.only_first, test.only_second), (3, 1));
        assert!((test.p - 0.625).abs() < 1e-12);
        assert!(McNemar::new(&[0], &[0, 1], &[0, 1]).is_err());
    }
}
