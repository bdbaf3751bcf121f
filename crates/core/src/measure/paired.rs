//! Whether two networks differ by more than chance: differences of pairs, and many of them at once.

use serde::Serialize;

use super::{Estimate, Student};
use crate::error::{Error, Result};

/// The differences of pairs of values, such as the errors of two networks for the same seeds. The field
/// names are those of `thinnet compare --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The mean of the differences, in the unit of the values.
    pub mean: f64,
    /// Its standard error, in the same unit.
    pub standard_error: f64,
    /// The probability of a mean so far from 0, on either side, if there were no difference (the t test of
    /// Student 1908): 1 less than the pairs are its degrees of freedom.
    pub p: f64,
}

impl Paired {
    /// Of each value less its partner.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are fewer than two pairs, a value without a partner, or values that are
    /// not finite, or too large for the squares of their differences.
    ///
    /// ```
    /// let of = thinnet::measure::Paired::new(&[1.5, 1.7, 1.6], &[2.1, 2.2, 2.0])?;
    /// assert!((of.mean + 0.5).abs() < 1e-12 && of.p < 0.05);
    /// # Ok::<(), thinnet::Error>(())
    /// ```
    pub fn new(values: &[f64], partners: &[f64]) -> Result<Self> {
        if values.len() != partners.len() {
            let problem = format!("{} for {} values; each needs one", partners.len(), values.len());
            return Err(Error::argument("partners", problem));
        }
        let differences: Vec<f64> = values.iter().zip(partners).map(|(one, other)| one - other).collect();
        let Some(Estimate { mean, standard_error: Some(standard_error) }) = Estimate::of(&differences) else {
            return Err(Error::argument("pairs", "a test needs at least two"));
        };
        if !standard_error.is_finite() {
            let problem = format!("they differ by {mean} ± {standard_error}; a test needs finite numbers");
            return Err(Error::argument("pairs", problem));
        }
        let t = if mean == 0.0 { 0.0 } else { mean / standard_error };
        let p = Student::new(differences.len() as f64 - 1.0)?.beyond(t);
        Ok(Self { mean, standard_error, p })
    }

    /// The mean difference with its standard error.
    pub fn estimate(&self) -> Estimate {
        Estimate { mean: self.mean, standard_error: Some(self.standard_error) }
    }
}

/// The p-values of several tests, raised so that the probability of any that falls below a level by chance
/// is at most that level (Holm 1979): the lowest times their number, the next times one less, and so on,
/// none lower than one before it, and at most 1. A NaN stays one, and counts among the tests.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&place| !p[place].is_nan()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]));
    let (mut raised, mut highest) = (vec![f64::NAN; p.len()], 0.0_f64);
    for (before, &place) in order.iter().enumerate() {
        highest = highest.max(p[place] * (p.len() - before) as f64).min(1.0);
        raised[place] = highest;
    }
    raised
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{value}, not {expected}");
    }

    /// Against numbers printed by scipy 1.17.1, `scipy.stats.ttest_rel(b, a)`.
    #[test]
    fn the_test_is_that_of_scipy() {
        let a = [2.14, 2.21, 1.95, 2.08, 2.30];
        let b = [1.51, 1.70, 1.62, 1.40, 1.77];
        let of = Paired::new(&b, &a).unwrap();
        close(of.mean / of.standard_error, -8.888998899209229);
        close(of.p, 0.0008850292626453409);
        let of = Paired::new(&[0.352, 0.349, 0.355], &[0.35, 0.36, 0.34]).unwrap();
        close(of.mean / of.standard_error, 0.2664693550105946);
        close(of.p, 0.814835980045491);
    }

    /// Against numbers printed by statsmodels 0.15.0, `multipletests(p, method="holm")[1]`.
    #[test]
    fn many_tests_are_those_of_statsmodels() {
        let quoted: [(&[f64], &[f64]); 3] = [
            (&[0.01, 0.04, 0.03, 0.005, 0.9], &[0.04, 0.09, 0.09, 0.025, 0.9]),
            (&[0.001, 0.2, 0.02, 0.02], &[0.004, 0.2, 0.06, 0.06]),
            (&[], &[]),
        ];
        for (p, expected) in quoted {
            holm(p).into_iter().zip(expected).for_each(|(raised, &expected)| close(raised, expected));
            assert_eq!(holm(p).len(), expected.len());
        }
        assert_eq!(holm(&[0.7, 0.8]), [1.0, 1.0]);
    }

    #[test]
    fn equal_values_and_equal_differences() {
        let same = Paired::new(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.mean, same.standard_error, same.p), (0.0, 0.0, 1.0));
        assert_eq!(Paired::new(&[2.0, 3.0], &[1.0, 2.0]).unwrap().p, 0.0);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert!(Paired::new(&[1.0], &[2.0]).unwrap_err().to_string().contains("at least two"));
        assert!(Paired::new(&[1.0, 2.0], &[2.0]).unwrap_err().to_string().contains("1 for 2 values"));
    }

    #[test]
    fn values_that_are_not_finite_have_no_test() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            for (values, partners) in [([1.0, value], [0.0, 0.0]), ([1.0, 0.0], [value, 0.0])] {
                let error = Paired::new(&values, &partners).unwrap_err().to_string();
                assert!(error.ends_with("a test needs finite numbers"), "{value}: {error}");
            }
        }
        // Also where both are the same, so that nothing differs.
        assert!(Paired::new(&[f64::INFINITY; 2], &[f64::INFINITY; 2]).is_err());
    }

    #[test]
    fn a_p_that_is_no_number_raises_the_others_and_stays_so() {
        for nan in [f64::NAN, -f64::NAN] {
            let raised = holm(&[0.01, nan, 0.04]);
            close(raised[0], 0.03);
            assert!(raised[1].is_nan());
            close(raised[2], 0.08);
            assert!(holm(&[nan])[0].is_nan());
        }
    }
}
