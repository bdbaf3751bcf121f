//! The continuous ranked probability score: how far a predicted distribution lies from what came.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::calibration::{check_samples, check_spread, over_values};
use crate::data::Matrix;
use crate::error::Result;

/// The mean over rows and outputs of the continuous ranked probability score (CRPS) of normal
/// distributions, in the targets' unit; lower is better. It is the integral over x of
/// (F(x) - 1 if x is the target or above, else 0) squared, with F the distribution function, and
/// has a closed form (Gneiting and Raftery 2007, section 4.2). A spread of 0 gives the absolute error, so
/// that points and distributions can be compared.
///
/// `mean` and `spread` (the standard deviation, observation noise included) are
/// `[rows, outputs]`, as are the targets.
///
/// # Errors
/// See [the module](crate::measure); besides, no spread may be below 0.
pub fn gaussian_crps(
    mean: &Matrix,
    spread: &Matrix,
    targets: &Matrix,
    weights: Option<&[f32]>,
) -> Result<f64> {
    check_spread(mean, spread, targets)?;
    over_values(targets, weights, |row, output, target| {
        let (mean, spread) = (f64::from(mean.row(row)[output]), f64::from(spread.row(row)[output]));
        expected_distance(target - mean, spread) - 0.5 * expected_distance(0.0, spread * 2.0_f64.sqrt())
    })
}

/// The same under an equal mixture of T normal distributions around T samples, each
/// `[rows, outputs]`, with one standard deviation of the observation noise for each output (0 for
/// the samples as they are): E|X - target| - E|X - X'| / 2 with X and X' drawn from the mixture
/// (Gneiting and Raftery 2007, section 4.2; for mixtures Grimit et al. 2006). It takes T squared steps
/// for each value.
///
/// # Errors
/// See [the module](crate::measure); besides, there must be a sample.
pub fn mixture_crps(
    samples: &[Matrix],
    noise: &[f32],
    targets: &Matrix,
    weights: Option<&[f32]>,
) -> Result<f64> {
    check_samples(samples, noise, targets.rows(), targets.columns())?;
    let count = samples.len() as f64;
    over_values(targets, weights, |row, output, target| {
        let sample = |index: usize| f64::from(samples[index].row(row)[output]);
        let noise = f64::from(noise[output]);
        let (mut to_target, mut to_each_other) = (0.0, 0.0);
        for one in 0..samples.len() {
            to_target += expected_distance(target - sample(one), noise);
            for other in 0..one {
                to_each_other += expected_distance(sample(one) - sample(other), noise * 2.0_f64.sqrt());
            }
        }
        let to_itself = count * expected_distance(0.0, noise * 2.0_f64.sqrt());
        to_target / count - (to_each_other + 0.5 * to_itself) / (count * count)
    })
}

/// The mean of |x| for x normal: 2 s f(m / s) + m (2 F(m / s) - 1), with f and F the density and
/// the distribution function of the standard normal distribution.
fn expected_distance(mean: f64, spread: f64) -> f64 {
    if spread == 0.0 {
        return mean.abs();
    }
    let z = mean / spread;
    let density = libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt();
    2.0 * spread * density + mean * libm::erf(z * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::test_values::*;

    fn one(value: f64) -> Matrix {
        Matrix::new(1, 1, vec![value as f32]).unwrap()
    }

    /// The integral of the definition, by the trapezoidal rule.
    fn integral(distribution: impl Fn(f64) -> f64, target: f64) -> f64 {
        let (low, high, steps) = (-40.0, 40.0, 400_000);
        let width = (high - low) / f64::from(steps);
        let value = |step: i32| {
            let x = low + width * (f64::from(step) + 0.5);
            (distribution(x) - f64::from(x >= target)).powi(2)
        };
        (0..steps).map(value).sum::<f64>() * width
    }

    fn normal(x: f64, mean: f64, spread: f64) -> f64 {
        0.5 * libm::erfc((mean - x) / spread * FRAC_1_SQRT_2)
    }

    #[test]
    fn the_closed_forms_are_the_integral_of_the_definition() {
        for (mean, spread, target) in
            [(0.0, 1.0, 0.0), (1.0, 2.0, -3.5), (-2.0, 0.25, -1.75), (0.5, 4.0, 9.0)]
        {
            let closed = gaussian_crps(&one(mean), &one(spread), &one(target), None).unwrap();
            let expected = integral(|x| normal(x, mean, spread), target);
            assert!((closed - expected).abs() < 1e-3, "{closed}, not {expected}");
        }
        let (centres, noise) = ([-1.0, 0.5, 0.75, 3.0], 0.5);
        let samples = centres.map(one);
        for target in [-2.0, 0.625, 5.0] {
            let mixture = |x| centres.iter().map(|&centre| normal(x, centre, noise)).sum::<f64>() / 4.0;
            let closed = mixture_crps(&samples, &[noise as f32], &one(target), None).unwrap();
            let expected = integral(mixture, target);
            assert!((closed - expected).abs() < 1e-3, "{closed}, not {expected}");
            let steps = |x| centres.iter().map(|&centre| f64::from(x >= centre)).sum::<f64>() / 4.0;
            let closed = mixture_crps(&samples, &[0.0], &one(target), None).unwrap();
            let expected = integral(steps, target);
            assert!((closed - expected).abs() < 1e-3, "{closed}, not {expected}");
        }
    }

    #[test]
    fn a_point_scores_its_absolute_error() {
        let score = gaussian_crps(&one(2.0), &one(0.0), &one(-1.5), None).unwrap();
        assert_eq!(score, 3.5);
        assert_eq!(mixture_crps(&[one(2.0)], &[0.0], &one(-1.5), None).unwrap(), 3.5);
    }

    #[test]
    fn one_sample_with_noise_is_a_normal_distribution() {
        let (mean, targets) = (first_column(&predictions()), first_column(&targets()));
        let spread = Matrix::new(5, 1, vec![0.75; 5]).unwrap();
        let weights = Some(&WEIGHTS[..5]);
        let normal = gaussian_crps(&mean, &spread, &targets, weights).unwrap();
        close(mixture_crps(std::slice::from_ref(&mean), &[0.75], &targets, weights).unwrap(), normal);
    }

    /// The score of noise of a known scale, predicted as it is, is scale / sqrt pi; any other
    /// scale scores worse.
    #[test]
    fn the_right_spread_scores_best() {
        let quantiles: Vec<f32> = (0..4000).map(|i| normal_quantile((f64::from(i) + 0.5) / 4000.0)).collect();
        let targets = Matrix::new(4000, 1, quantiles.iter().map(|q| 3.0 * q).collect()).unwrap();
        let score = |spread: f32| {
            let spread = Matrix::new(4000, 1, vec![spread; 4000]).unwrap();
            gaussian_crps(&Matrix::zeros(4000, 1), &spread, &targets, None).unwrap()
        };
        assert!((score(3.0) - 3.0 / PI.sqrt()).abs() < 1e-3, "{}", score(3.0));
        assert!(score(2.5) > score(3.0) && score(3.5) > score(3.0));
    }
}
