//! Student's t distribution: how far a mean of few values can be trusted.

use crate::error::{Error, Result};

/// Student's t distribution (Student 1908) with some degrees of freedom: that of a mean of normal values
/// less the true one, over its standard error, with their number less one as the degrees of freedom.
///
/// ```
/// use thinnet::measure::{Estimate, Student};
///
/// let errors = [1.10, 1.13, 1.17];
/// let Some(Estimate { mean, standard_error: Some(error) }) = Estimate::of(&errors) else { panic!() };
/// let half = Student::new(2.0)?.quantile(0.975)? * error;
/// assert_eq!(format!("{mean:.2} ± {half:.2}"), "1.13 ± 0.09");
/// # Ok::<(), thinnet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Student {
    degrees: f64,
}

impl Student {
    /// The distribution with so many degrees of freedom.
    ///
    /// # Errors
    /// [`Error::Argument`] if they are not above 0.
    pub fn new(degrees: f64) -> Result<Self> {
        match degrees > 0.0 && degrees.is_finite() {
            true => Ok(Self { degrees }),
            false => Err(Error::argument("degrees of freedom", format!("must be above 0, not {degrees}"))),
        }
    }

    /// The probability of a number at least as far from 0 as `t`, on either side: the p-value of a
    /// two-sided test.
    pub fn beyond(self, t: f64) -> f64 {
        let (square, degrees) = (t * t, self.degrees);
        if square.is_infinite() {
            return 0.0;
        }
        let near = square / (degrees + square);
        incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + square), near)
    }

    /// The probability of a number of at most `t`.
    pub fn cumulative(self, t: f64) -> f64 {
        let tail = 0.5 * self.beyond(t);
        if t < 0.0 { tail } else { 1.0 - tail }
    }

    /// The number that is exceeded with a probability of 1 - `probability`.
    ///
    /// # Errors
    /// [`Error::Argument`] if the probability is not between 0 and 1.
    pub fn quantile(self, probability: f64) -> Result<f64> {
        if !(probability > 0.0 && probability < 1.0) {
            let problem = format!("must be above 0 and below 1, not {probability}");
            return Err(Error::argument("probability", problem));
        }
        let both_tails = 2.0 * probability.min(1.0 - probability);
        let (mut low, mut high) = (0.0, 1.0);
        while self.beyond(high) > both_tails && high < f64::MAX / 2.0 {
            (low, high) = (high, 2.0 * high);
        }
        // Halved until no number lies between the two.
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return Ok(if probability < 0.5 { -high } else { high });
            }
            if self.beyond(middle) > both_tails { low = middle } else { high = middle }
        }
    }
}

/// The regularised incomplete beta function of `x`, with `rest` = 1 - x.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast below the mean of the distribution; above it the other side is taken.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, rest, x);
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log(rest) - log_beta) / a;
    (front * fraction(a, b, x)).clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), from the front by
/// Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut value, mut numerator) = (1.0, 1.0);
    let mut denominator = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    value *= denominator;
    for term in 1..100_000 {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for coefficient in [even, odd] {
            denominator = 1.0 / away_from_zero(1.0 + coefficient * denominator);
            numerator = away_from_zero(1.0 + coefficient / numerator);
            value *= denominator * numerator;
        }
        if (value - before).abs() <= f64::EPSILON * value.abs() {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64, tolerance: f64) {
        assert!((value / expected - 1.0).abs() < tolerance, "{value}, not {expected}");
    }

    /// Against numbers printed by scipy 1.17.1: `t = scipy.stats.t(df)`, `t.cdf` of -3.5, 0.3 and 2, `t.ppf`
    /// of 0.975, 0.9 and 0.0005, and `2 * t.sf(30)`.
    #[test]
    #[rustfmt::skip]
    fn are_those_of_scipy() {
        let quoted = [
            (1.0, [0.08858553278290476, 0.5927735790777423, 0.8524163823495667],
             [12.706204736174694, 3.0776835371752544, -636.6192487687196], 0.02121280481107085),
            (2.0, [0.036413675027234665, 0.6037571695799112, 0.908248290463863],
             [4.302652729749462, 1.8856180831641272, -31.59905457644362], 0.001109262681959659),
            (4.0, [0.012448081730111374, 0.6104392858612702, 0.9419417382415922],
             [2.7764451051977934, 1.533206274058944, -8.610301581379275], 7.352856097661319e-6),
            (9.5, [0.0030944562881680356, 0.6146808209944098, 0.9625568211260053],
             [2.2441374614922958, 1.3773005643959917, -4.6772752379502185], 9.849785969639103e-11),
            (19.0, [0.0011976733448414046, 0.6162826698303683, 0.9699989818069509],
             [2.0930240544083087, 1.3277282090267986, -3.883405852592083], 1.8097318417250446e-17),
            (200.0, [0.0002867700374914997, 0.617755634905336, 0.9765734069064645],
             [1.9718962236339088, 1.2857987939948012, -3.3398354062756788], 5.724161208827853e-76),
        ];
        for (degrees, cumulative, quantiles, far) in quoted {
            let student = Student::new(degrees).unwrap();
            for (t, expected) in [-3.5, 0.3, 2.0].into_iter().zip(cumulative) {
                close(student.cumulative(t), expected, 1e-12);
            }
            for (probability, expected) in [0.975, 0.9, 0.0005].into_iter().zip(quantiles) {
                close(student.quantile(probability).unwrap(), expected, 1e-12);
            }
            close(student.beyond(30.0), far, 1e-11);
        }
    }

    /// scipy 1.17.1 again; the logarithms of gamma are large and near each other here.
    #[test]
    fn many_degrees_of_freedom_are_nearly_normal() {
        let student = Student::new(1e6).unwrap();
        close(student.cumulative(2.0), 0.9772497330743404, 1e-8);
        close(student.quantile(0.975).unwrap(), 1.959966356814107, 1e-8);
    }

    #[test]
    fn the_middle_and_the_ends() {
        let student = Student::new(3.0).unwrap();
        assert_eq!((student.cumulative(0.0), student.beyond(0.0)), (0.5, 1.0));
        assert_eq!((student.beyond(f64::INFINITY), student.cumulative(f64::NEG_INFINITY)), (0.0, 0.0));
        assert!(student.quantile(0.5).unwrap().abs() < 1e-12);
        assert!((student.quantile(0.1).unwrap() + student.quantile(0.9).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for degrees in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Student::new(degrees).is_err(), "{degrees}");
        }
        for probability in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(Student::new(2.0).unwrap().quantile(probability).is_err(), "{probability}");
        }
    }
}
