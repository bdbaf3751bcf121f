//! What stands in for an empty cell in a column of numbers.

use serde::{Deserialize, Serialize};

/// Fills gaps with the median, and tells the network of them if it could learn from some.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impute {
    /// The median of the training rows, gaps left out.
    pub median: f64,
    /// Whether the training rows have a gap, so that a further input is 1 where there is one and 0 elsewhere.
    pub indicator: bool,
}

impl Impute {
    /// The median of the numbers that are not NaN, and whether some are. `None` if all are.
    pub fn fit(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut rows = 0;
        let mut present: Vec<f64> =
            numbers.inspect(|_| rows += 1).filter(|number| !number.is_nan()).collect();
        if present.is_empty() {
            return None;
        }
        let middle = present.len() / 2;
        let even = present.len().is_multiple_of(2);
        let (below, &mut upper, _) = present.select_nth_unstable_by(middle, f64::total_cmp);
        let lower = if even { below.iter().copied().fold(f64::NEG_INFINITY, f64::max) } else { upper };
        // Halved first: their sum could be too large.
        let median = if lower == upper { upper } else { lower / 2.0 + upper / 2.0 };
        Some(Self { median, indicator: present.len() < rows })
    }

    /// The number, or the median in place of a gap.
    pub fn apply(&self, number: f64) -> f64 {
        if number.is_nan() { self.median } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_median() {
        let fit = |numbers: &[f64]| Impute::fit(numbers.iter().copied());
        assert_eq!(fit(&[3.0, 1.0, 9.0]), Some(Impute { median: 3.0, indicator: false }));
        assert_eq!(fit(&[4.0, f64::NAN, 1.0, 2.0, 9.0]), Some(Impute { median: 3.0, indicator: true }));
        assert_eq!(fit(&[f64::NAN, 5.0]), Some(Impute { median: 5.0, indicator: true }));
        assert_eq!(fit(&[f64::MAX, f64::MAX]), Some(Impute { median: f64::MAX, indicator: false }));
        assert_eq!(fit(&[f64::NAN]), None);
        assert_eq!(fit(&[]), None);
        let impute = Impute { median: 3.0, indicator: true };
        assert_eq!((impute.apply(f64::NAN), impute.apply(7.0)), (3.0, 7.0));
    }
}
