//! A mean, and how far it can be trusted.

use serde::Serialize;

/// The mean of some values and its standard error. The field names are those of `thinnet measure --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean, in the unit of the values.
    pub mean: f64,
    /// The standard deviation of the values, their number less one in the denominator, over the
    /// square root of their number, in the same unit; none of a single value.
    pub standard_error: Option<f64>,
}

impl Estimate {
    /// Of some values; none if there are none. Values that are not finite give no finite estimate.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let standard_error = (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        (!values.is_empty()).then_some(Self { mean, standard_error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_standard_error_by_hand() {
        let of = Estimate::of(&[1.0, 2.0, 6.0]).unwrap();
        assert_eq!(of.mean, 3.0);
        // (4 + 1 + 9) / 2 = 7, over 3.
        assert!((of.standard_error.unwrap() - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(Estimate::of(&[2.5]), Some(Estimate { mean: 2.5, standard_error: None }));
        assert_eq!(Estimate::of(&[]), None);
    }
}
