//! The error of the mean of k sampled networks (Srivastava et al. 2014, figure 11).

use rayon::prelude::*;
use thinnet_kernels::philox::{Counter, Key};

use super::record::Point;
use super::trial::Resampling;
use crate::average::Average;
use crate::data::{Examples, Matrix, Targets};
use crate::error::{Error, Result};
use crate::measure::largest;
use crate::model::Model;
use crate::random;
use crate::streams;
use crate::train::Threads;

/// Rows whose predictions by all sampled networks are held at a time.
const ROWS: usize = 1000;
/// Why other data are refused, or another average.
pub(super) const ONLY_CLASSES: &str = "means of networks have an error where there are classes, by mc:T";

/// The error of means of 1, 2, ..., `most` networks. Networks are sampled once, and each mean draws from
/// them with replacement; of one draw to the next only the last network of the mean is new.
///
/// # Errors
/// Examples without classes, or an average that samples no networks.
pub(super) fn resample(
    model: &Model,
    examples: &Examples,
    spec: &Resampling,
    threads: &Threads,
) -> Result<Vec<Point>> {
    let (Targets::Classes { labels, .. }, Average::MonteCarlo { samples, .. }) =
        (&examples.targets, spec.average)
    else {
        return Err(Error::spec("resample", ONLY_CLASSES));
    };
    let seed = model.spec.seed;
    let draws: Vec<Vec<usize>> = (0..spec.draws).map(|draw| drawn(seed, draw, spec.most, samples)).collect();
    let mut wrong = vec![vec![0; spec.most as usize]; draws.len()];
    let rows: Vec<usize> = (0..examples.rows()).collect();
    for rows in rows.chunks(ROWS) {
        let sampled = model.samples(&examples.inputs.select(rows), spec.average, seed, threads)?;
        let each: Vec<Matrix> = sampled.into_iter().map(|sampled| sampled.mean).collect();
        let labels: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
        threads.run(|| {
            let counts = wrong.par_iter_mut().zip(&draws);
            counts.for_each(|(wrong, draw)| count_wrong(&each, &labels, draw, wrong));
        });
    }
    let share = |count: usize| 100.0 * count as f64 / examples.rows() as f64;
    let point = |at: usize| {
        let errors = wrong.iter().map(|wrong| share(wrong[at])).collect();
        of_draws(at as u32 + 1, errors)
    };
    Ok((0..spec.most as usize).map(point).collect())
}

/// Which of the sampled networks a draw takes, one after the other.
fn drawn(seed: u32, draw: u32, most: u32, samples: u32) -> Vec<usize> {
    let key = Key { seed, stream: streams::STUDY_NETWORKS };
    let network =
        |place| random::below_counter(key, Counter { block: place, row: draw, step: 0 }, samples as usize);
    (0..most).map(network).collect()
}

/// Adds to `wrong[k - 1]` the rows that the mean of the first k networks of a draw gets wrong.
fn count_wrong(each: &[Matrix], labels: &[u32], draw: &[usize], wrong: &mut [usize]) {
    let mut sums = Matrix::zeros(labels.len(), each.first().map_or(0, Matrix::columns));
    for (&network, wrong) in draw.iter().zip(wrong) {
        let terms = sums.values_mut().iter_mut().zip(each[network].values());
        terms.for_each(|(sum, &probability)| *sum += probability);
        *wrong += (0..labels.len()).filter(|&row| largest(sums.row(row)) as u32 != labels[row]).count();
    }
}

/// Mean, deviation and the middle 95 % of the errors of the draws.
fn of_draws(networks: u32, mut errors: Vec<f64>) -> Point {
    let count = errors.len() as f64;
    let error = errors.iter().sum::<f64>() / count;
    let variance = errors.iter().map(|value| (value - error).powi(2)).sum::<f64>() / count;
    errors.sort_by(f64::total_cmp);
    // Between the two values that lie beside the wanted place.
    let quantile = |share: f64| {
        let place = share * (count - 1.0);
        let (below, above) = (errors[place.floor() as usize], errors[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    Point { networks, error, deviation: variance.sqrt(), low: quantile(0.025), high: quantile(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of class 0 and three networks. The first is right on both; the second is wrong on row 0 by
    /// much, the third on row 1 by little.
    #[test]
    fn means_by_hand() {
        let network = |values: [f32; 4]| Matrix::new(2, 2, values.to_vec()).unwrap();
        let each =
            [network([0.7, 0.3, 0.6, 0.4]), network([0.1, 0.9, 0.8, 0.2]), network([0.9, 0.1, 0.45, 0.55])];
        let wrong = |draw: &[usize]| {
            let mut wrong = vec![0; draw.len()];
            count_wrong(&each, &[0, 0], draw, &mut wrong);
            wrong
        };
        // Row 0: .7 right; .8 of 2 wrong; 1.7 of 3 right.
        assert_eq!(wrong(&[0, 1, 2]), [0, 1, 0]);
        // A network that is drawn again counts again: .1, 1.0, 1.1 of 3 wrong; row 1 always right.
        assert_eq!(wrong(&[1, 2, 1]), [1, 0, 1]);
        assert_eq!(wrong(&[2, 2]), [1, 1]);
    }

    #[test]
    fn the_spread_of_draws_by_hand() {
        let point = of_draws(3, vec![4.0, 1.0, 2.0, 3.0, 5.0]);
        assert_eq!((point.networks, point.error), (3, 3.0));
        assert!((point.deviation - 2.0_f64.sqrt()).abs() < 1e-12, "{point:?}");
        assert!((point.low - 1.1).abs() < 1e-12 && (point.high - 4.9).abs() < 1e-12, "{point:?}");
    }

    #[test]
    fn networks_are_drawn_equally_often() {
        let mut counts = [0_u32; 10];
        (0..100).flat_map(|draw| drawn(7, draw, 200, 10)).for_each(|network| counts[network] += 1);
        // 20,000 draws, 2,000 of each: chi-squared with 9 degrees of freedom, 99.9 % of it below 27.9.
        let squares = counts.iter().map(|&count| (f64::from(count) - 2000.0).powi(2) / 2000.0).sum::<f64>();
        assert!(squares < 27.9, "{counts:?}");
        assert_ne!(drawn(7, 0, 20, 1000), drawn(7, 1, 20, 1000));
    }
}
