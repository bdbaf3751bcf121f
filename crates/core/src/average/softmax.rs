//! Mean and variance of logistic and softmax probabilities, from those of the logits.

use thinnet_kernels::elementwise::{Activation, Units};
use thinnet_kernels::{matmul, moments};

use super::passes::PADDED;
use super::thinned::Thinned;

/// Buffers for the softmax of one chunk of rows.
pub(super) struct Softmax {
    /// Each class's probability, `[classes, PADDED]`.
    shares: Vec<f32>,
    /// For each class the logarithm of the sum of the exponentials of the other classes' logits.
    others: Vec<f64>,
    /// The variance of each logit, `[classes, PADDED]`.
    logits: Vec<f32>,
    /// The mean of the logits.
    means: Vec<f32>,
    /// A product's vectors and result, `[classes, PADDED]`.
    away: Vec<f32>,
    shared: Vec<f32>,
    /// `[units below, PADDED]`
    weights: Vec<f32>,
    distances: Vec<f32>,
}

impl Softmax {
    /// For so many units below and classes.
    pub fn new(below: usize, classes: usize) -> Self {
        let zeros = |lines: usize| vec![0.0; lines * PADDED];
        Self {
            shares: zeros(classes),
            others: vec![0.0; classes * PADDED],
            logits: zeros(classes),
            means: zeros(classes),
            away: zeros(classes),
            shared: zeros(classes),
            weights: zeros(below),
            distances: zeros(below),
        }
    }
}

/// What is needed of the row in a round: the most probable class, and the sums over the rows' lines.
#[derive(Clone, Copy, Default)]
struct Row {
    top: usize,
    /// The probability of all classes but the top one.
    rest: f64,
    /// The variance of the mean logit, each class counting with its probability.
    mean_variance: f64,
    /// The variance of the distance of the others' mean logit from the top one's.
    top_variance: f64,
    /// The sum over the classes of probability times variance about the mean logit, and the same without
    /// the top class.
    scatter: f64,
    scatter_of_others: f64,
}

impl Thinned<'_> {
    /// Logits with these moments become probabilities, `[classes or 1, PADDED]`.
    pub(super) fn logistic(&self, positions: &[u32], means: &mut [f32], variances: &mut [f32]) {
        let units = Units {
            units: &positions[..means.len() / PADDED],
            rows: PADDED,
            mask: None,
            scale: 1.0,
            activation: Activation::Logistic,
        };
        moments::activate(self.isa, units, &[], 1.0, means, variances);
    }

    /// Means and variances of logits become those of the classes' probabilities, `[classes, PADDED]`.
    /// `below` are the variances of the units that the last layer reads.
    ///
    /// The probability of class k is the logistic of y = z_k - log of the sum over the other classes j of
    /// exp z_j, whose mean and variance are taken from the second and the first order of its series about
    /// the mean logits: with each other class's share q_j of the others' probability, Var y = Var(z_k - sum
    /// q_j z_j), and E log sum exp = log sum exp E z_j + c / (1 + c / 2), where c is half the sum of q_j
    /// Var(z_j - sum q_i z_i). The divisor is not of the series: it keeps the second order from running away
    /// where variances are large. A second round takes the shares from the probabilities of the first. For
    /// two classes all of this is exact for normal logits.
    pub(super) fn softmax(
        &self,
        positions: &[u32],
        below: &[f32],
        buffers: &mut Softmax,
        means: &mut [f32],
        variances: &mut [f32],
    ) {
        let classes = means.len() / PADDED;
        if classes < 2 {
            means.fill(1.0);
            return variances.fill(0.0);
        }
        buffers.means.copy_from_slice(means);
        buffers.logits.copy_from_slice(variances);
        begin(buffers);
        for _ in 0..2 {
            let rows = self.round(positions, below, buffers);
            for class in 0..classes {
                for (row, of) in rows.iter().enumerate() {
                    let at = class * PADDED + row;
                    let (mean, variance) = against_others(of, class, at, buffers);
                    (means[at], variances[at]) = (mean as f32, variance as f32);
                }
            }
            self.logistic(positions, means, variances);
            let mut sums = [0.0_f32; PADDED];
            for line in means.chunks_exact(PADDED) {
                sums.iter_mut().zip(line).for_each(|(sum, mean)| *sum += mean);
            }
            for line in means.chunks_exact_mut(PADDED) {
                line.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean /= sum);
            }
            buffers.shares.copy_from_slice(means);
        }
    }

    /// The products of a round, and what they say of each row. Leaves in `shared` the covariance of each
    /// logit with the mean logit.
    fn round(&self, positions: &[u32], below: &[f32], buffers: &mut Softmax) -> [Row; PADDED] {
        let Softmax { shares, away, shared, weights, distances, logits, .. } = buffers;
        let layer = self.network.layers().len() - 1;
        let matrix = self.weights(layer, self.network.weights(layer), positions);
        let inverse = 1.0 / (self.output.temperature * self.output.temperature);
        let mut rows = [Row::default(); PADDED];
        let classes = shares.len() / PADDED;
        for (row, of) in rows.iter_mut().enumerate() {
            let share = |class: usize| f64::from(shares[class * PADDED + row]);
            of.top = (1..classes).fold(0, |top, class| if share(class) > share(top) { class } else { top });
            of.rest = (0..classes).filter(|&class| class != of.top).map(share).sum();
            // What is infinitely improbable still has to lie somewhere.
            of.rest = of.rest.max(f64::from(f32::MIN_POSITIVE));
            for class in 0..classes {
                let at = class * PADDED + row;
                away[at] = if class == of.top { -1.0 } else { (share(class) / of.rest) as f32 };
            }
        }
        let isa = self.isa;
        matmul::product(isa, matrix.transposed(), away, PADDED, PADDED, distances, PADDED, false);
        matmul::product(isa, matrix.transposed(), shares, PADDED, PADDED, weights, PADDED, false);
        let (mut mean_variance, mut top_variance) = ([0.0_f32; PADDED], [0.0_f32; PADDED]);
        let lines = weights.chunks_exact_mut(PADDED).zip(distances.chunks_exact(PADDED));
        for ((weights, distances), below) in lines.zip(below.chunks_exact(PADDED)) {
            for row in 0..PADDED {
                let (weight, distance) = (weights[row], distances[row]);
                weights[row] = below[row] * inverse * weight;
                mean_variance[row] += weights[row] * weight;
                top_variance[row] += below[row] * inverse * distance * distance;
            }
        }
        for (row, of) in rows.iter_mut().enumerate() {
            (of.mean_variance, of.top_variance) = (mean_variance[row].into(), top_variance[row].into());
        }
        matmul::product(isa, matrix, weights, PADDED, PADDED, shared, PADDED, false);
        for (row, of) in rows.iter_mut().enumerate() {
            for class in 0..classes {
                let at = class * PADDED + row;
                let weighted = f64::from(shares[at]) * about_mean(of, class, logits[at], shared[at]);
                of.scatter += weighted;
                of.scatter_of_others += if class == of.top { 0.0 } else { weighted };
            }
        }
        rows
    }
}

/// The first shares, the softmax of the mean logits; and the others' log-sums, which stay.
fn begin(buffers: &mut Softmax) {
    let Softmax { shares, others, means, .. } = buffers;
    let classes = means.len() / PADDED;
    for row in 0..PADDED {
        let logit = |class: usize| f64::from(means[class * PADDED + row]);
        let top = (1..classes).fold(0, |top, class| if logit(class) > logit(top) { class } else { top });
        let others_of = |class: usize| (0..classes).filter(move |&other| other != class);
        let second = others_of(top).map(logit).fold(f64::NEG_INFINITY, f64::max);
        // In units of the second largest, so that it does not matter how far the largest lies above.
        let powers = |class: usize| libm::exp(logit(class) - second);
        let rest: f64 = others_of(top).map(powers).sum();
        let gap = logit(top) - second;
        // The same in units of the largest.
        let (small, whole) = (rest * libm::exp(-gap), 1.0 + rest * libm::exp(-gap));
        for class in 0..classes {
            let at = class * PADDED + row;
            let share = if class == top { 1.0 / whole } else { libm::exp(logit(class) - logit(top)) / whole };
            shares[at] = share as f32;
            others[at] = match class == top {
                true => second + libm::log(rest),
                false => logit(top) + libm::log((1.0 + small) - share * whole),
            };
        }
    }
}

/// The variance of a logit about the mean logit.
fn about_mean(of: &Row, class: usize, variance: f32, shared: f32) -> f64 {
    if class == of.top {
        return of.rest * of.rest * of.top_variance;
    }
    (f64::from(variance) - 2.0 * f64::from(shared) + of.mean_variance).max(0.0)
}

/// Mean and variance of y, the logit of a class against all others.
fn against_others(of: &Row, class: usize, at: usize, buffers: &Softmax) -> (f64, f64) {
    let share = f64::from(buffers.shares[at]);
    let own = about_mean(of, class, buffers.logits[at], buffers.shared[at]);
    let (rest, scatter, variance) = match class == of.top {
        true => (of.rest, of.scatter_of_others, of.top_variance),
        false => (1.0 - share, of.scatter - share * own, own / ((1.0 - share) * (1.0 - share))),
    };
    // Their scatter about their own mean, not about that of all.
    let curvature = 0.5 * (scatter / rest - share * share * variance).max(0.0);
    let log_sum = buffers.others[at] + curvature / (1.0 + 0.5 * curvature);
    (f64::from(buffers.means[at]) - log_sum, variance)
}
