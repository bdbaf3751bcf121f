//! How sure: whether probabilities and spreads say what then happens.

use std::f64::consts::PI;

use super::reliability::{ReliabilityBin, reliability};
use super::weights::{Weights, check_probabilities, check_values};
use crate::data::Matrix;
use crate::error::{Error, Result};

/// The least probability that [`negative_log_likelihood`] takes a logarithm of. It is about the
/// smallest normal f32, so that only a probability that f32 cannot hold is changed; the most that
/// one row can cost is 87.3 nats.
const SMALLEST_PROBABILITY: f64 = f32::MIN_POSITIVE as f64;

/// The 95 % quantile of the normal distribution: 90 % of it lies within so many standard
/// deviations of its mean.
const NORMAL_QUANTILE_95: f64 = 1.6448536269514722;

/// The mean over rows of -ln(probability of the true class), in nats, from probabilities
/// `[rows, classes]`. Those below 1.18e-38 (the smallest normal f32) count as that.
///
/// # Errors
/// See [the module](crate::measure).
pub fn negative_log_likelihood(
    probabilities: &Matrix,
    labels: &[u32],
    weights: Option<&[f32]>,
) -> Result<f64> {
    check_probabilities(probabilities, labels)?;
    let of_label = |row: usize| f64::from(probabilities.row(row)[labels[row] as usize]);
    let loss = |row: usize| -of_label(row).max(SMALLEST_PROBABILITY).ln();
    Ok(Weights::new(weights, labels.len())?.mean(labels.len(), loss))
}

/// The Brier score in its original form (Brier 1950), from probabilities `[rows, classes]`: the
/// sum over classes of (probability - 1 if it is the true class else 0) squared, then the mean
/// over rows. It lies between 0 and 2; for two classes it is twice the score that is often given for them.
///
/// # Errors
/// See [the module](crate::measure).
pub fn brier(probabilities: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> Result<f64> {
    check_probabilities(probabilities, labels)?;
    let score = |row: usize| -> f64 {
        let truth = |class: usize| f64::from(class == labels[row] as usize);
        let row = probabilities.row(row).iter().enumerate();
        row.map(|(class, &p)| (f64::from(p) - truth(class)).powi(2)).sum()
    };
    Ok(Weights::new(weights, labels.len())?.mean(labels.len(), score))
}

/// The expected calibration error (Guo et al. 2017), from probabilities `[rows, classes]`: the
/// mean over the bins of the [`reliability`] curve, each weighted with its rows, of
/// |accuracy - mean probability|. It lies between 0 and 1.
///
/// # Errors
/// See [the module](crate::measure).
pub fn expected_calibration_error(
    probabilities: &Matrix,
    labels: &[u32],
    weights: Option<&[f32]>,
) -> Result<f64> {
    let bins = reliability(probabilities, labels, weights)?;
    let off = |bin: &ReliabilityBin| Some(bin.share * (bin.accuracy? - bin.confidence?).abs());
    Ok(bins.iter().filter_map(off).sum())
}

/// The mean over rows and outputs of the logarithm of the normal density of the target, in nats.
/// `mean` and `spread` (the standard deviation, observation noise included) are
/// `[rows, outputs]`, as are the targets, in the targets' units.
///
/// # Errors
/// See [the module](crate::measure); besides, every spread must be above 0.
pub fn gaussian_log_likelihood(
    mean: &Matrix,
    spread: &Matrix,
    targets: &Matrix,
    weights: Option<&[f32]>,
) -> Result<f64> {
    check_spread(mean, spread, targets)?;
    if let Some(at) = spread.values().iter().position(|&spread| spread == 0.0) {
        let problem = format!("row {} has spread 0; add observation noise", at / spread.columns());
        return Err(Error::argument("spread", problem));
    }
    over_values(targets, weights, |row, output, target| {
        let (mean, spread) = (f64::from(mean.row(row)[output]), f64::from(spread.row(row)[output]));
        log_density(target, mean, spread)
    })
}

/// The mean over rows and outputs of the logarithm of the density of the target, in nats, under
/// an equal mixture of T normal distributions around T samples:
/// logsumexp over t of ln N(target; sample t, noise^2), minus ln T (Gal and Ghahramani 2016,
/// with noise^2 = 1/tau). Each sample is `[rows, outputs]`; `noise` is the standard deviation of
/// the observation noise of each output; all are in the targets' unit.
///
/// # Errors
/// See [the module](crate::measure); besides, there must be a sample, and noise above 0.
pub fn mixture_log_likelihood(
    samples: &[Matrix],
    noise: &[f32],
    targets: &Matrix,
    weights: Option<&[f32]>,
) -> Result<f64> {
    check_samples(samples, noise, targets.rows(), targets.columns())?;
    if noise.contains(&0.0) {
        return Err(Error::argument("noise", "the noise of an output is 0; it must be above 0"));
    }
    over_values(targets, weights, |row, output, target| {
        let spread = f64::from(noise[output]);
        let each = |sample: &Matrix| log_density(target, f64::from(sample.row(row)[output]), spread);
        let most = samples.iter().map(each).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = samples.iter().map(|sample| (each(sample) - most).exp()).sum();
        most + sum.ln() - (samples.len() as f64).ln()
    })
}

/// Mean and spread of the predictive distribution, both `[rows, outputs]`, from T samples of that
/// shape and the standard deviation of the observation noise of each output, all in the same unit:
/// spread^2 = noise^2 + variance of the samples (divided by T; Gal and Ghahramani 2016).
///
/// # Errors
/// [`Error::Argument`] if there is no sample, their shapes differ, or there is not one noise of 0
/// or more for each output.
pub fn predictive_moments(samples: &[Matrix], noise: &[f32]) -> Result<(Matrix, Matrix)> {
    let (rows, outputs) = samples.first().map_or((0, 0), |sample| (sample.rows(), sample.columns()));
    check_samples(samples, noise, rows, outputs)?;
    let (mut means, mut spreads) = (Matrix::zeros(rows, outputs), Matrix::zeros(rows, outputs));
    let count = samples.len() as f64;
    for at in 0..rows * outputs {
        let each = || samples.iter().map(|sample| f64::from(sample.values()[at]));
        let mean = each().sum::<f64>() / count;
        let variance = each().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        means.values_mut()[at] = mean as f32;
        spreads.values_mut()[at] = (variance + f64::from(noise[at % outputs]).powi(2)).sqrt() as f32;
    }
    Ok((means, spreads))
}

/// The share of targets, over rows and outputs, within the 90 % interval: mean +- 1.6448536
/// spread, its ends included. All are `[rows, outputs]`. 0.9 is right; less means too sure.
///
/// # Errors
/// See [the module](crate::measure); besides, no spread may be below 0.
pub fn coverage_90(mean: &Matrix, spread: &Matrix, targets: &Matrix, weights: Option<&[f32]>) -> Result<f64> {
    check_spread(mean, spread, targets)?;
    over_values(targets, weights, |row, output, target| {
        let (mean, spread) = (f64::from(mean.row(row)[output]), f64::from(spread.row(row)[output]));
        f64::from((target - mean).abs() <= NORMAL_QUANTILE_95 * spread)
    })
}

/// The mean over rows and outputs of the width of the 90 % interval, in the unit of `spread`, which is
/// `[rows, outputs]`: 2 x 1.6448536 spread. Of two predictions whose intervals cover as much, the one
/// with the narrower ones says more.
///
/// # Errors
/// See [the module](crate::measure); besides, no spread may be below 0.
pub fn width_90(spread: &Matrix, weights: Option<&[f32]>) -> Result<f64> {
    check_spread(spread, spread, spread)?;
    over_values(spread, weights, |_, _, spread| 2.0 * NORMAL_QUANTILE_95 * spread)
}

/// ln N(value; mean, spread^2).
fn log_density(value: f64, mean: f64, spread: f64) -> f64 {
    let distance = (value - mean) / spread;
    -0.5 * distance * distance - spread.ln() - 0.5 * (2.0 * PI).ln()
}

/// The weighted mean over rows of the mean over outputs of `measure(row, output, target)`.
pub(super) fn over_values(
    targets: &Matrix,
    weights: Option<&[f32]>,
    measure: impl Fn(usize, usize, f64) -> f64,
) -> Result<f64> {
    let (rows, outputs) = (targets.rows(), targets.columns());
    check_values("targets", targets, rows, outputs)?;
    let of_row = |row: usize| {
        let targets = targets.row(row).iter().enumerate();
        targets.map(|(output, &target)| measure(row, output, f64::from(target))).sum::<f64>() / outputs as f64
    };
    Ok(Weights::new(weights, rows)?.mean(rows, of_row))
}

/// Checks that mean and spread have the shape of the targets, and that no spread is below 0.
pub(super) fn check_spread(mean: &Matrix, spread: &Matrix, targets: &Matrix) -> Result<()> {
    check_values("predictions", mean, targets.rows(), targets.columns())?;
    check_values("spread", spread, targets.rows(), targets.columns())?;
    match spread.values().iter().position(|&spread| spread < 0.0) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("row {} has a spread below 0", at / spread.columns());
            Err(Error::argument("spread", problem))
        }
    }
}

/// Checks that there are samples `[rows, outputs]`, and one noise of 0 or more for each output.
pub(super) fn check_samples(samples: &[Matrix], noise: &[f32], rows: usize, outputs: usize) -> Result<()> {
    if samples.is_empty() {
        return Err(Error::argument("samples", "there is none; at least one thinned network must predict"));
    }
    for sample in samples {
        check_values("samples", sample, rows, outputs)?;
    }
    if noise.len() != outputs || noise.iter().any(|&noise| !(noise >= 0.0 && noise.is_finite())) {
        let problem = format!("there must be one noise of 0 or more for each of {outputs} outputs");
        return Err(Error::argument("noise", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::test_values::*;

    // The numbers below come from NumPy, SciPy and scikit-learn 1.9.1 on the arrays of
    // `test_values`: `p` are the probabilities (f32 made f64), `y` the labels, `w` the weights,
    // `q` predictions, `t` targets, `s` samples. Each comment is the line that gave the number.

    #[test]
    fn nll_is_that_of_numpy() {
        // np.average(-np.log(p[np.arange(6), y]), weights=None), and with weights=w; scikit-learn's
        // log_loss(y, p / p.sum(1, keepdims=True)) is within 2e-8 of it
        close(negative_log_likelihood(&probabilities(), &LABELS, None).unwrap(), 0.833777842839511);
        let weighted = negative_log_likelihood(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap();
        close(weighted, 0.6912670914475445);
    }

    #[test]
    fn nll_of_an_impossible_class_is_finite() {
        let sure = Matrix::new(1, 2, vec![1.0, 0.0]).unwrap();
        // -np.log(np.finfo(np.float32).tiny.astype(float))
        close(negative_log_likelihood(&sure, &[1], None).unwrap(), 87.3365447505531);
        assert_eq!(negative_log_likelihood(&sure, &[0], None).unwrap(), 0.0);
    }

    #[test]
    fn brier_is_that_of_numpy() {
        // np.average(((p - np.eye(3)[y]) ** 2).sum(1), weights=w); scikit-learn's
        // brier_score_loss(y, p / p.sum(1, keepdims=True), scale_by_half=False) is within 4e-9
        close(brier(&probabilities(), &LABELS, None).unwrap(), 0.4400000049794716);
        close(brier(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap(), 0.34333333764639185);
    }

    #[test]
    fn brier_goes_from_0_to_2() {
        let sure = Matrix::new(1, 3, vec![1.0, 0.0, 0.0]).unwrap();
        assert_eq!(brier(&sure, &[0], None).unwrap(), 0.0);
        assert_eq!(brier(&sure, &[2], None).unwrap(), 2.0);
    }

    #[test]
    fn ece_is_that_of_numpy() {
        // c, ok = p.max(1), p.argmax(1) == y; b = np.digitize(c, np.linspace(0, 1, 16), right=True)
        // sum(abs(np.sum(w[b == k] * (ok - c)[b == k])) for k in range(1, 16)) / w.sum()
        close(expected_calibration_error(&probabilities(), &LABELS, None).unwrap(), 0.3666666696468989);
        let weighted = expected_calibration_error(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap();
        close(weighted, 0.3222222212288115);
    }

    #[test]
    fn the_highest_probability_belongs_to_the_last_bin() {
        // 0.95 and 1 share the last bin, where -0.95 and +0 add up; 0.5 is alone.
        let values = vec![0.95, 0.05, 1.0, 0.0, 0.5, 0.5];
        let probabilities = Matrix::new(3, 2, values).unwrap();
        let ece = expected_calibration_error(&probabilities, &[1, 0, 0], None).unwrap();
        assert!((ece - (0.95 + 0.5) / 3.0).abs() < 1e-7, "{ece}");
    }

    fn spreads() -> Matrix {
        Matrix::new(5, 1, vec![0.5, 1.0, 0.25, 0.5, 2.0]).unwrap()
    }

    #[test]
    fn gaussian_log_likelihood_is_that_of_scipy() {
        let (mean, targets) = (first_column(&predictions()), first_column(&targets()));
        let weights = Some(&WEIGHTS[..5]);
        // np.average(norm.logpdf(t[:, 0], q[:, 0], spread), weights=w[:5])
        let all = gaussian_log_likelihood(&mean, &spreads(), &targets, None).unwrap();
        close(all, -1.0296127248687053);
        close(gaussian_log_likelihood(&mean, &spreads(), &targets, weights).unwrap(), -1.2887301998713394);
    }

    #[test]
    fn coverage_is_that_of_numpy() {
        let (mean, targets) = (first_column(&predictions()), first_column(&targets()));
        // np.average(abs(t[:, 0] - q[:, 0]) <= 1.6448536 * spread, weights=w[:5])
        close(coverage_90(&mean, &spreads(), &targets, None).unwrap(), 0.8);
        let weighted = coverage_90(&mean, &spreads(), &targets, Some(&WEIGHTS[..5])).unwrap();
        close(weighted, 0.8666666666666667);
    }

    /// Normal noise of scale 2 around predictions that say so, and around ones that do not.
    #[test]
    fn noise_of_known_scale_is_covered_as_often_as_said() {
        let quantile = |i: usize| normal_quantile((i as f64 + 0.5) / 1000.0);
        let targets = Matrix::new(1000, 1, (0..1000).map(|i| 5.0 + 2.0 * quantile(i)).collect()).unwrap();
        let mean = Matrix::new(1000, 1, vec![5.0; 1000]).unwrap();
        let of = |scale: f32| {
            let spread = Matrix::new(1000, 1, vec![scale; 1000]).unwrap();
            (coverage_90(&mean, &spread, &targets, None).unwrap(), width_90(&spread, None).unwrap())
        };
        let (coverage, width) = of(2.0);
        close(coverage, 0.9);
        close(width, 4.0 * NORMAL_QUANTILE_95);
        for said in [1.0, 1.5, 4.0] {
            // So many deviations hold this share of a normal distribution; targets come in pairs of 0.002.
            let share = libm::erf(NORMAL_QUANTILE_95 * said / 2.0 / std::f64::consts::SQRT_2);
            let coverage = of(said as f32).0;
            assert!((coverage - share).abs() <= 0.002, "{coverage}, not {share}");
        }
    }

    #[test]
    fn widths_are_averaged_by_weight() {
        // np.average(2 * 1.6448536269514722 * np.array([.5, 1, .25, .5, 2]), weights=w[:5])
        let mean = (0.5 + 2.0 + 0.125 + 0.5 + 6.0) / 7.5;
        close(width_90(&spreads(), Some(&WEIGHTS[..5])).unwrap(), 2.0 * NORMAL_QUANTILE_95 * mean);
    }

    #[test]
    fn mixture_log_likelihood_is_that_of_scipy() {
        let targets = first_column(&targets());
        // np.average(logsumexp(norm.logpdf(t[:, 0], s, .75), axis=0) - np.log(3), weights=w[:5])
        let weighted = mixture_log_likelihood(&samples(), &[0.75], &targets, Some(&WEIGHTS[..5])).unwrap();
        close(weighted, -1.0280514973166823);
    }

    #[test]
    fn one_sample_is_a_normal_distribution_however_far_the_target() {
        let far = Matrix::new(1, 1, vec![1e6]).unwrap();
        let sample = Matrix::zeros(1, 1);
        let mixture = mixture_log_likelihood(&[sample.clone(), sample.clone()], &[0.5], &far, None).unwrap();
        let spread = Matrix::new(1, 1, vec![0.5]).unwrap();
        close(mixture, gaussian_log_likelihood(&sample, &spread, &far, None).unwrap());
    }

    #[test]
    fn moments_are_those_of_numpy() {
        let (mean, spread) = predictive_moments(&samples(), &[0.75]).unwrap();
        // s.mean(0) and np.sqrt(s.var(0) + .75 ** 2)
        let means = [2.6666666666666665, -0.16666666666666666, 1.8333333333333333, 7.166666666666667];
        let spreads = [0.9753916592266354, 0.9753916592266354, 0.9753916592266354, 1.1334558757279536];
        for row in 0..4 {
            assert_eq!(mean.row(row)[0], means[row] as f32);
            assert_eq!(spread.row(row)[0], spreads[row] as f32);
        }
    }

    #[test]
    fn spreads_and_samples_that_cannot_be_used_are_refused() {
        let (one, zero) = (Matrix::new(1, 1, vec![1.0]).unwrap(), Matrix::zeros(1, 1));
        let below = Matrix::new(1, 1, vec![-1.0]).unwrap();
        assert!(gaussian_log_likelihood(&one, &zero, &one, None).is_err());
        assert!(coverage_90(&one, &below, &one, None).is_err());
        assert!(coverage_90(&one, &zero, &one, None).is_ok());
        assert!(predictive_moments(&[], &[]).is_err());
        assert!(predictive_moments(&[one.clone(), Matrix::zeros(2, 1)], &[1.0]).is_err());
        assert!(predictive_moments(std::slice::from_ref(&one), &[]).is_err());
        assert!(mixture_log_likelihood(std::slice::from_ref(&one), &[0.0], &one, None).is_err());
    }
}
