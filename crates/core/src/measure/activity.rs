//! What the units of a layer do, and how much of it they do together.

use rayon::prelude::*;
use serde::Serialize;
use thinnet_kernels::matmul::{self, Submatrix};
use thinnet_kernels::{Isa, line, stride};

use super::eigenvalues::eigenvalues;
use super::weights::{Weights, check_values};
use crate::data::Matrix;
use crate::error::Result;

/// An activation is near zero when it is at most this share of the layer's root mean square.
const NEAR_ZERO: f64 = 0.01;

/// Units whose correlations with all others one thread computes at a time.
const BLOCK: usize = 96;

/// What the units of a layer do on some rows. The field names are those of `thinnet measure --json`.
///
/// A unit that gives the same on every row (a dead relu, for one) has no correlation with any
/// other. It is counted in `constant_units`, adds nothing to `decov`, and is left out of
/// `mean_absolute_correlation` and `effective_rank`, which are those of the other units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Activity {
    /// Units of the layer.
    pub units: usize,
    /// Units that never vary.
    pub constant_units: usize,
    /// The mean activation over rows and units.
    pub mean_activation: f64,
    /// The share of activations near zero: at most 1 % of their root mean square over rows and units.
    pub sparsity: f64,
    /// The mean over pairs of different units of the absolute value of their correlation, between 0
    /// and 1; none if fewer than two units vary.
    pub mean_absolute_correlation: Option<f64>,
    /// Half the sum of the squared covariances of different units (DeCov; Cogswell et al.
    /// 2016). It grows with the number of units and with the fourth power of their scale.
    pub decov: f64,
    /// How many independent units would vary as much as these: the exponential of the entropy of the
    /// eigenvalues of the matrix of correlations, divided by their sum (Roy and Vetterli 2007, there
    /// of singular values). From 1, all units do the same, to the number of varying units; none if no
    /// unit varies. Fewer rows than units make it smaller than it is.
    pub effective_rank: Option<f64>,
}

impl Activity {
    /// From activations `[rows, units]`, in whatever unit they have. Products run on the threads of the
    /// pool it is called from.
    ///
    /// # Errors
    /// See [the module](crate::measure).
    pub fn new(isa: Isa, activations: &Matrix, weights: Option<&[f32]>) -> Result<Self> {
        let (rows, units) = (activations.rows(), activations.columns());
        check_values("activations", activations, rows, units)?;
        let weights = Weights::new(weights, rows)?;
        let of_units = means_and_deviations(activations, &weights);
        let over_units =
            |value: fn(&MeanAndDeviation) -> f64| of_units.iter().map(value).sum::<f64>() / units as f64;
        let mean_square = over_units(|unit| unit.mean.powi(2) + unit.deviation.powi(2));
        let near = NEAR_ZERO * mean_square.sqrt();
        let is_near = |&&value: &&f32| f64::from(value).abs() <= near;
        let near_zero = |row: usize| activations.row(row).iter().filter(is_near).count() as f64;

        let varying: Vec<usize> = (0..units).filter(|&unit| of_units[unit].deviation > 0.0).collect();
        let correlations = correlations(isa, activations, &weights, &of_units, &varying);
        let (count, width) = (varying.len(), stride(varying.len()));
        let mut decov = 0.0;
        for one in 0..count {
            for other in one + 1..count {
                let correlation = f64::from(correlations[one * width + other]);
                let deviation = |unit: usize| of_units[varying[unit]].deviation;
                decov += (correlation * deviation(one) * deviation(other)).powi(2);
            }
        }
        Ok(Self {
            units,
            constant_units: units - count,
            mean_activation: over_units(|unit| unit.mean),
            sparsity: weights.mean(rows, near_zero) / units as f64,
            mean_absolute_correlation: mean_absolute(&correlations, count, width),
            decov,
            effective_rank: (count > 0).then(|| effective_rank(&correlations, count, width)),
        })
    }
}

/// Mean and standard deviation of a unit over the rows.
#[derive(Clone, Copy, Default)]
pub(super) struct MeanAndDeviation {
    pub mean: f64,
    pub deviation: f64,
}

/// Those of each unit, from activations `[rows, units]`. A unit that never varies has a deviation of exactly
/// 0, because its mean is counted from one of its own values.
pub(super) fn means_and_deviations(activations: &Matrix, weights: &Weights) -> Vec<MeanAndDeviation> {
    let rows = || (0..activations.rows()).filter(|&row| weights.of(row) > 0.0);
    let first = rows().next().map_or(&[][..], |row| activations.row(row));
    let mut sums = vec![0.0; first.len()];
    for row in rows() {
        for ((sum, &value), &first) in sums.iter_mut().zip(activations.row(row)).zip(first) {
            *sum += weights.of(row) * (f64::from(value) - f64::from(first));
        }
    }
    let mean = |(&first, sum): (&f32, f64)| f64::from(first) + sum / weights.total;
    let means: Vec<f64> = first.iter().zip(sums).map(mean).collect();
    let mut squares = vec![0.0; means.len()];
    for row in rows() {
        for ((square, &value), mean) in squares.iter_mut().zip(activations.row(row)).zip(&means) {
            *square += weights.of(row) * (f64::from(value) - mean).powi(2);
        }
    }
    let of_unit = |(mean, square): (f64, f64)| {
        let deviation = (square / weights.total).sqrt();
        MeanAndDeviation { mean, deviation }
    };
    means.into_iter().zip(squares).map(of_unit).collect()
}

/// The correlations of the varying units, `[varying, stride(varying)]`; of each pair at least that
/// in the line of the lower one.
pub(super) fn correlations(
    isa: Isa,
    activations: &Matrix,
    weights: &Weights,
    of_units: &[MeanAndDeviation],
    varying: &[usize],
) -> Vec<f32> {
    let (count, width) = (varying.len(), stride(varying.len()));
    let mut standard = vec![0.0; activations.rows() * width];
    for (row, to) in standard.chunks_exact_mut(width.max(1)).enumerate() {
        let factor = (weights.of(row) / weights.total).sqrt();
        for (to, &unit) in to.iter_mut().zip(varying) {
            let MeanAndDeviation { mean, deviation } = of_units[unit];
            *to = (factor * (f64::from(activations.row(row)[unit]) - mean) / deviation) as f32;
        }
    }
    let (units, rows): (Vec<u32>, Vec<u32>) =
        ((0..count as u32).collect(), (0..activations.rows() as u32).collect());
    let mut correlations = vec![0.0; count * width];
    correlations.par_chunks_mut((BLOCK * width).max(1)).enumerate().for_each(|(block, to)| {
        let first = block * BLOCK;
        let lines = &units[first..count.min(first + BLOCK)];
        let s = Submatrix { values: &standard, lines, line_stride: 1, steps: &rows, step_stride: width };
        let from = line(count) - first;
        matmul::product(isa, s, &standard[first..], width, from, &mut to[first..], width, false);
    });
    correlations
}

/// [`Activity::mean_absolute_correlation`] alone, from activations `[rows, units]`, for a small part of the
/// time of all. Runs on the threads of the pool it is called from.
///
/// # Errors
/// See [the module](crate::measure).
pub fn mean_absolute_correlation(
    isa: Isa,
    activations: &Matrix,
    weights: Option<&[f32]>,
) -> Result<Option<f64>> {
    let (rows, units) = (activations.rows(), activations.columns());
    check_values("activations", activations, rows, units)?;
    let weights = Weights::new(weights, rows)?;
    let of_units = means_and_deviations(activations, &weights);
    let varying: Vec<usize> = (0..units).filter(|&unit| of_units[unit].deviation > 0.0).collect();
    let correlations = correlations(isa, activations, &weights, &of_units, &varying);
    Ok(mean_absolute(&correlations, varying.len(), stride(varying.len())))
}

/// The mean absolute value over all pairs of units, if there is one.
fn mean_absolute(correlations: &[f32], count: usize, width: usize) -> Option<f64> {
    let line = |one: usize| correlations[one * width..][one + 1..count].iter();
    let sum: f64 = (0..count).flat_map(line).map(|&correlation| f64::from(correlation).abs()).sum();
    (count > 1).then(|| sum / (count * (count - 1) / 2) as f64)
}

/// The exponential of the entropy of the normalised eigenvalues.
fn effective_rank(correlations: &[f32], count: usize, width: usize) -> f64 {
    let mut matrix = vec![0.0; count * count];
    for one in 0..count {
        for other in one..count {
            let correlation = if one == other { 1.0 } else { f64::from(correlations[one * width + other]) };
            (matrix[one * count + other], matrix[other * count + one]) = (correlation, correlation);
        }
    }
    // Rounding makes a few of those that are 0 negative.
    let values: Vec<f64> = eigenvalues(matrix, count).into_iter().filter(|&value| value > 0.0).collect();
    let total: f64 = values.iter().sum();
    let entropy = |value: &f64| -(value / total) * libm::log(value / total);
    libm::exp(values.iter().map(entropy).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinnet_kernels::philox::{self, Counter, Key};

    /// Uniform numbers between -1 and 1, `[rows, units]`.
    fn independent(rows: usize, units: usize) -> Matrix {
        let word = |at: usize| {
            philox::words(Key { seed: 3, stream: 99 }, Counter { block: at as u32, row: 0, step: 0 })[0]
        };
        let values = (0..rows * units).map(|at| word(at) as f32 / 2_147_483_648.0 - 1.0).collect();
        Matrix::new(rows, units, values).unwrap()
    }

    fn activity(activations: &Matrix) -> Activity {
        Activity::new(Isa::best(), activations, None).unwrap()
    }

    /// Units made from others: `[rows, units]` from a function of a row of independent ones.
    fn made(rows: usize, units: usize, make: impl Fn(&[f32]) -> Vec<f32>) -> Matrix {
        let from = independent(rows, units);
        let values: Vec<f32> = (0..rows).flat_map(|row| make(from.row(row))).collect();
        Matrix::new(rows, values.len() / rows, values).unwrap()
    }

    #[test]
    fn a_layer_of_rank_one_is_one_unit() {
        let activity = activity(&made(500, 1, |x| vec![x[0], -2.0 * x[0], 0.5 * x[0] + 3.0, 7.0 * x[0]]));
        assert!((activity.mean_absolute_correlation.unwrap() - 1.0).abs() < 1e-5, "{activity:?}");
        assert!((activity.effective_rank.unwrap() - 1.0).abs() < 1e-3, "{activity:?}");
    }

    #[test]
    fn independent_units_have_full_rank() {
        let activity = activity(&independent(20_000, 24));
        assert!(activity.mean_absolute_correlation.unwrap() < 0.01, "{activity:?}");
        assert!(activity.effective_rank.unwrap() > 23.9, "{activity:?}");
        assert!(activity.mean_activation.abs() < 0.01 && activity.constant_units == 0);
        // |x| <= .01 / sqrt 3 for x uniform.
        assert!((activity.sparsity - 0.00577).abs() < 0.0005, "{activity:?}");
    }

    /// Three pairs of twins are three units.
    #[test]
    fn twins_count_once() {
        let activity = activity(&made(20_000, 3, |x| [x, x].concat()));
        assert!((activity.effective_rank.unwrap() - 3.0).abs() < 0.01, "{activity:?}");
        // 3 of the 15 pairs are the same unit.
        assert!((activity.mean_absolute_correlation.unwrap() - 0.2).abs() < 0.01, "{activity:?}");
    }

    /// DeCov by hand: the covariance of (1, 2, 3) and (0, 4, 2) is ((-1)(-2) + 0 + 1 * 0) / 3 = 2 / 3.
    #[test]
    fn decov_by_hand() {
        let activity = activity(&Matrix::new(3, 2, vec![1.0, 0.0, 2.0, 4.0, 3.0, 2.0]).unwrap());
        assert!((activity.decov - (2.0_f64 / 3.0).powi(2)).abs() < 1e-6, "{activity:?}");
        assert_eq!((activity.mean_activation, activity.sparsity), (2.0, 1.0 / 6.0));
    }

    #[test]
    fn units_that_never_vary_are_counted_and_left_out() {
        let varying = activity(&independent(300, 5));
        let with = |extra: &[f32]| activity(&made(300, 5, |x| [x, extra].concat()));
        let dead = with(&[0.0, 0.0, 0.1]);
        assert_eq!((dead.units, dead.constant_units), (8, 3));
        assert_eq!(dead.effective_rank, varying.effective_rank);
        assert_eq!(dead.mean_absolute_correlation, varying.mean_absolute_correlation);
        assert_eq!(dead.decov, varying.decov);
        let none = activity(&Matrix::new(7, 2, [0.1, 0.7].repeat(7)).unwrap());
        assert_eq!((none.constant_units, none.decov), (2, 0.0));
        assert_eq!((none.effective_rank, none.mean_absolute_correlation), (None, None));
    }

    #[test]
    fn a_row_of_weight_two_is_there_twice() {
        let matrix = independent(60, 9);
        let weights: Vec<f32> = (0..60).map(|row| (row % 3) as f32).collect();
        let rows: Vec<usize> = (0..60).flat_map(|row| std::iter::repeat_n(row, row % 3)).collect();
        let twice = activity(&matrix.select(&rows));
        let weighted = Activity::new(Isa::best(), &matrix, Some(&weights)).unwrap();
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-5, "{twice:?}, {weighted:?}");
        close(twice.decov, weighted.decov);
        close(twice.mean_activation, weighted.mean_activation);
        close(twice.sparsity, weighted.sparsity);
        close(twice.effective_rank.unwrap(), weighted.effective_rank.unwrap());
        close(twice.mean_absolute_correlation.unwrap(), weighted.mean_absolute_correlation.unwrap());
    }

    /// Against sums in f64 over all pairs, with more units than one thread takes at a time, and
    /// units of very different scale.
    #[test]
    fn correlations_are_those_of_naive_sums() {
        let (rows, units) = (257, 2 * BLOCK + 21);
        let scaled = made(rows, units, |x| {
            let unit = |unit: usize| (x[unit] + 0.3 * x[0] + 5.0) * [1.0, 1e-4, 300.0][unit % 3];
            (0..units).map(unit).collect()
        });
        let value = |row: usize, unit: usize| f64::from(scaled.row(row)[unit]);
        let mean = |f: &dyn Fn(usize) -> f64| (0..rows).map(f).sum::<f64>() / rows as f64;
        let means: Vec<f64> = (0..units).map(|unit| mean(&|row| value(row, unit))).collect();
        let covariance = |one: usize, other: usize| {
            mean(&|row| (value(row, one) - means[one]) * (value(row, other) - means[other]))
        };
        let deviations: Vec<f64> = (0..units).map(|unit| covariance(unit, unit).sqrt()).collect();
        let (mut absolute, mut decov) = (0.0, 0.0);
        for one in 0..units {
            for other in one + 1..units {
                let covariance = covariance(one, other);
                absolute += (covariance / deviations[one] / deviations[other]).abs();
                decov += covariance * covariance;
            }
        }
        let expected = absolute / (units * (units - 1) / 2) as f64;
        for isa in Isa::available() {
            let activity = Activity::new(isa, &scaled, None).unwrap();
            let alone = mean_absolute_correlation(isa, &scaled, None).unwrap();
            assert_eq!(alone, activity.mean_absolute_correlation);
            let distance = activity.mean_absolute_correlation.unwrap() - expected;
            assert!(distance.abs() < 1e-6 * expected, "{isa}: {distance}");
            assert!((activity.decov / decov - 1.0).abs() < 1e-5, "{isa}: {}, {decov}", activity.decov);
        }
    }
}
