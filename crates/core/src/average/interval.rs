//! Where a value will probably lie.

use super::Averaged;
use crate::data::Matrix;
use crate::error::{Error, Result};

impl Averaged {
    /// The lower and the upper ends of the intervals that hold a `share` of what is to be expected, each
    /// of the shape and in the unit of the mean: mean -+ spread times a quantile of the normal
    /// distribution. With the noise of the observations in the spread, as
    /// [`Model::predict`](crate::model::Model::predict) gives it, these are intervals for the targets.
    ///
    /// # Errors
    /// [`Error::Argument`] if the share is not above 0 and below 1, or there is no spread.
    pub fn interval(&self, share: f64) -> Result<[Matrix; 2]> {
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::argument(
                "interval",
                format!("its share is above 0 and below 1, not {share}"),
            ));
        }
        let Some(spread) = &self.spread else {
            let problem = "the whole network alone has no spread; average by mc:50, exact or moments, or take \
                           Model::with_noise";
            return Err(Error::argument("interval", problem));
        };
        let width = half_width(share) as f32;
        let end = |width: f32| {
            let pairs = self.mean.values().iter().zip(spread.values());
            let ends = pairs.map(|(mean, spread)| mean + width * spread).collect();
            Matrix::new(self.mean.rows(), self.mean.columns(), ends)
        };
        Ok([end(-width)?, end(width)?])
    }
}

/// Within how many standard deviations of its mean a share of the normal distribution lies: the solution
/// of erf(x / sqrt 2) = share, by halving.
fn half_width(share: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        // By what lies outside, which is exact where the share is near 1.
        if libm::erfc(middle * std::f64::consts::FRAC_1_SQRT_2) > 1.0 - share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widths_are_those_of_the_tables() {
        // The two-sided quantiles of any table of the normal distribution.
        for (share, width) in
            [(0.5, 0.674490), (0.6826895, 1.0), (0.9, 1.644854), (0.95, 1.959964), (0.999, 3.290527)]
        {
            assert!((half_width(share) - width).abs() < 1e-6, "{share}: {}", half_width(share));
        }
    }

    #[test]
    fn an_interval_lies_around_its_mean() {
        let mean = Matrix::new(2, 1, vec![10.0, -1.0]).unwrap();
        let spread = Some(Matrix::new(2, 1, vec![2.0, 0.0]).unwrap());
        let [low, high] = Averaged::new(mean.clone(), spread.clone()).interval(0.6826895).unwrap();
        assert!((low.values()[0] - 8.0).abs() < 1e-5 && (high.values()[0] - 12.0).abs() < 1e-5);
        assert_eq!((low.values()[1], high.values()[1]), (-1.0, -1.0));
        let refused = |averaged: Averaged, share| averaged.interval(share).unwrap_err().to_string();
        assert!(refused(Averaged::new(mean.clone(), spread), 1.0).contains("above 0 and below 1, not 1"));
        assert!(refused(Averaged::new(mean, None), 0.9).contains("has no spread; average by mc:50"));
    }
}
