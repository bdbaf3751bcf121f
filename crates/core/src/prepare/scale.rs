//! Standardising: mean 0, standard deviation 1.

use serde::{Deserialize, Serialize};

/// Subtracts a mean and divides by a standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The mean of the training rows, gaps left out.
    pub mean: f64,
    /// The standard deviation of the training rows (divided by their number, gaps left out); 0 if all are
    /// equal.
    pub deviation: f64,
}

impl Scale {
    /// Mean and standard deviation of the numbers that are not NaN. `None` if there is no such number, or
    /// if they are too large for f64 to hold their squares.
    pub fn fit(numbers: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let present = numbers.filter(|number| !number.is_nan());
        let count = present.clone().count() as f64;
        let mean = present.clone().sum::<f64>() / count;
        let variance = present.clone().map(|number| (number - mean).powi(2)).sum::<f64>() / count;
        // Of equal numbers, rounding can leave a mean beside them and so a deviation above 0.
        let first = present.clone().next()?;
        let deviation = if present.clone().all(|number| number == first) { 0.0 } else { variance.sqrt() };
        Some(Self { mean, deviation }).filter(Self::is_usable)
    }

    /// Whether it was fitted, or could have been.
    pub(super) fn is_usable(&self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation >= 0.0
    }

    /// The standardised number: 0 for every number if all numbers of the training rows were equal.
    pub fn apply(&self, number: f64) -> f64 {
        if self.deviation == 0.0 { 0.0 } else { (number - self.mean) / self.deviation }
    }

    /// The number whose standardised form this is.
    pub fn undo(&self, standardised: f64) -> f64 {
        self.mean + self.deviation * standardised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_left_out() {
        // A textbook's example: 2, 4, 4, 4, 5, 5, 7, 9 have mean 5 and standard deviation 2.
        let numbers = [2.0, 4.0, f64::NAN, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let scale = Scale::fit(numbers.into_iter()).unwrap();
        assert_eq!(scale, Scale { mean: 5.0, deviation: 2.0 });
        assert_eq!((scale.apply(9.0), scale.undo(2.0)), (2.0, 9.0));
    }

    #[test]
    fn equal_numbers_become_zero() {
        let scale = Scale::fit([0.1; 1000].into_iter()).unwrap();
        assert_eq!(scale.deviation, 0.0);
        assert_eq!((scale.apply(0.1), scale.apply(7.0)), (0.0, 0.0));
        assert!((scale.undo(0.0) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn nothing_and_too_much_have_no_scale() {
        assert_eq!(Scale::fit([f64::NAN].into_iter()), None);
        assert_eq!(Scale::fit([1e300, -1e300].into_iter()), None);
    }

    proptest::proptest! {
        #[test]
        fn undo_is_the_inverse(numbers in proptest::collection::vec(-1e6_f64..1e6, 2..50), number in -1e6_f64..1e6) {
            let scale = Scale::fit(numbers.into_iter()).unwrap();
            proptest::prop_assume!(scale.deviation > 1e-3);
            proptest::prop_assert!((scale.undo(scale.apply(number)) - number).abs() < 1e-6);
        }
    }
}
