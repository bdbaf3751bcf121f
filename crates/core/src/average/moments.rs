//! One pass that carries the mean and the variance of every unit over the thinned networks.
//!
//! Fast dropout (Wang and Manning 2013): a unit's pre-activation is a sum of many independent terms and
//! so about normal. With inputs of mean m and variance v its mean is the sum of w m, its variance that of
//! w² v: two products. The moments of its activation, dropped and scaled, are those of
//! [`thinnet_kernels::moments`]. That units of a layer depend on one another through their inputs is left
//! out, except among the classes of a softmax.

use rayon::prelude::*;
use thinnet_kernels::{matmul, moments};

use super::passes::PADDED;
use super::softmax::Softmax;
use super::thinned::Thinned;
use super::{Averaged, Link};
use crate::train::variance;

/// Mean and variance of the units of each level, `[units, PADDED]`.
struct Pass {
    means: Vec<Vec<f32>>,
    variances: Vec<Vec<f32>>,
    softmax: Softmax,
}

impl Thinned<'_> {
    /// Mean and standard deviation of the predictions over all masks.
    pub(super) fn moments(&self) -> Averaged {
        let (positions, layers) = (self.positions(), self.network.layers().len());
        let first = self.thinned_levels().next().unwrap_or(layers);
        let square =
            |layer: usize| self.network.weights(layer).iter().map(|weight| weight * weight).collect();
        let squares: Vec<Vec<f32>> =
            (0..layers).map(|layer| if layer < first { Vec::new() } else { square(layer) }).collect();
        let new_pass = || {
            let zeros = || (0..=layers).map(|level| vec![0.0; self.units(level) * PADDED]).collect();
            let softmax = Softmax::new(self.units(layers - 1), self.units(layers));
            Pass { means: zeros(), variances: zeros(), softmax }
        };
        let chunk = |pass: &mut Pass, chunk: usize| {
            self.load(chunk, &mut pass.means[0]);
            self.drop_inputs(pass);
            for (layer, squares) in squares.iter().enumerate() {
                self.propagate(layer, first, squares, &positions, pass);
            }
            self.predict_moments(&positions, pass)
        };
        let chunks = (0..self.chunks()).into_par_iter();
        let all: Vec<(Vec<f32>, Vec<f32>)> = chunks.map_init(new_pass, chunk).collect();
        Averaged::new(
            self.row_by_row(all.iter().map(|(mean, _)| &mean[..])),
            Some(self.row_by_row(all.iter().map(|(_, spread)| &spread[..]))),
        )
    }

    /// What the input's own masks do. The inputs are scaled already.
    fn drop_inputs(&self, pass: &mut Pass) {
        let keep = 1.0 - self.thinning.rate(0);
        for (mean, variance) in pass.means[0].iter_mut().zip(&mut pass.variances[0]) {
            *variance = keep * (1.0 - keep) * *mean * *mean;
            *mean *= keep;
        }
    }

    /// From a level to the one above. Below the first thinned level nothing has a variance.
    fn propagate(&self, layer: usize, first: usize, squares: &[f32], positions: &[u32], pass: &mut Pass) {
        let (below, above) = pass.means.split_at_mut(layer + 1);
        let (below, means) = (&below[layer], &mut above[0]);
        let (variances_below, above) = pass.variances.split_at_mut(layer + 1);
        let (variances_below, variances) = (&variances_below[layer], &mut above[0]);
        self.product(layer, positions, below, means);
        if layer + 1 < first {
            return self.activate(layer, positions, means);
        }
        if layer < first {
            variances.fill(0.0);
        } else {
            let weights = self.weights(layer, squares, positions);
            matmul::product(self.isa, weights, variances_below, PADDED, PADDED, variances, PADDED, false);
        }
        let (units, keep) = (self.all_units(layer, positions), 1.0 - self.thinning.rate(layer + 1));
        moments::activate(self.isa, units, self.network.biases(layer), keep, means, variances);
    }

    /// Mean and spread of the predictions, `[width, PADDED]` both, from those of the outputs.
    fn predict_moments(&self, positions: &[u32], pass: &mut Pass) -> (Vec<f32>, Vec<f32>) {
        let layers = self.network.layers().len();
        let (last, above) = pass.variances.split_at_mut(layers);
        let (means, variances) = (&mut pass.means[layers], &mut above[0]);
        match self.output.link {
            Link::Identity => {}
            Link::Normal => {
                let half = means.len() / 2;
                let numbers = means[half..].iter_mut().zip(&variances[half..]);
                numbers.for_each(|(number, &spread)| *number = mean_variance(*number, spread));
            }
            Link::Logistic => {
                self.temper(means, variances);
                self.logistic(positions, means, variances);
                let of_class_0: Vec<f32> = means.iter().map(|mean| 1.0 - mean).collect();
                let spread = variances.iter().map(|variance| variance.sqrt());
                let spread: Vec<f32> = spread.collect();
                return ([&of_class_0[..], means].concat(), [&spread[..], &spread].concat());
            }
            Link::Softmax => {
                self.temper(means, variances);
                self.softmax(positions, &last[layers - 1], &mut pass.softmax, means, variances);
            }
        }
        (means.clone(), variances.iter().map(|variance| variance.sqrt()).collect())
    }

    /// Divides logits by the temperature.
    fn temper(&self, means: &mut [f32], variances: &mut [f32]) {
        let temperature = self.output.temperature;
        means.iter_mut().for_each(|mean| *mean /= temperature);
        variances.iter_mut().for_each(|variance| *variance /= temperature * temperature);
    }
}

/// The mean of the variances of observations that a normal number with this mean and variance stands for, as
/// a sum over 25 points half a standard deviation apart.
fn mean_variance(mean: f32, variance_of_number: f32) -> f32 {
    let deviation = variance_of_number.sqrt();
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in -12..=12 {
        let distance = 0.5 * step as f32;
        let weight = libm::exp(-0.5 * f64::from(distance * distance));
        sum += weight * variance(mean + distance * deviation);
        weights += weight;
    }
    (sum / weights) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::average::average;
    use crate::data::Matrix;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{Drop, Rates, Scaling, ThinSpec, Thinning};
    use thinnet_kernels::Isa;

    fn inputs(rows: usize, columns: usize) -> Matrix {
        let number = |at: usize| ((at * 2_654_435_761) % 1000) as f32 / 250.0 - 2.0;
        Matrix::new(rows, columns, (0..rows * columns).map(number).collect()).unwrap()
    }

    fn averaged(network: &Network, thin: &ThinSpec, link: Link, rows: &Matrix, by: &str) -> (Matrix, Matrix) {
        let thinning = Thinning::new(thin, network, 5).unwrap();
        let isa = Isa::from_environment().unwrap();
        let averaged = average(isa, network, &thinning, link, rows, by.parse().unwrap()).unwrap();
        (averaged.mean, averaged.spread.unwrap())
    }

    /// Mean and variance of a sum of independent terms are the sums of theirs.
    #[test]
    fn a_linear_layer_by_hand() {
        for (drop, scaling, rate) in [
            (Drop::Units, Scaling::Training, 0.3),
            (Drop::Units, Scaling::AtPrediction, 0.6),
            (Drop::Gaussian, Scaling::Training, 0.3),
        ] {
            let network =
                Network::new(40, 3, &NetworkSpec { hidden: vec![], ..NetworkSpec::default() }, 1).unwrap();
            let thin = ThinSpec { drop, input: rate, scaling, ..ThinSpec::default() };
            let rows = inputs(70, 40);
            let (mean, spread) = averaged(&network, &thin, Link::Identity, &rows, "moments");
            let (rate, keep) = (f64::from(rate), 1.0 - f64::from(rate));
            let scale = if scaling == Scaling::Training { 1.0 / keep } else { 1.0 };
            for row in 0..70 {
                for output in 0..3 {
                    let terms = network.unit_weights(0, output).iter().zip(rows.row(row));
                    let terms: Vec<f64> = terms.map(|(w, x)| scale * f64::from(*w) * f64::from(*x)).collect();
                    let expected = keep * terms.iter().sum::<f64>();
                    let deviation = (keep * rate * terms.iter().map(|term| term * term).sum::<f64>()).sqrt();
                    assert!((f64::from(mean.row(row)[output]) - expected).abs() < 1e-5);
                    assert!((f64::from(spread.row(row)[output]) - deviation).abs() < 1e-5 * deviation);
                }
            }
        }
    }

    const ACTIVATIONS: [Activation; 9] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Logistic,
        Activation::Tanh,
        Activation::Selu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Mish,
        Activation::Identity,
    ];

    /// How far means and spreads lie on average from those of 10,000 samples, in spreads; the samples'
    /// own error is about 0.01 and 0.007.
    fn distances(drop: Drop, spec: &NetworkSpec, link: Link, outputs: usize) -> [f64; 2] {
        let thin = ThinSpec { drop, input: 0.2, hidden: Rates::All(0.5), ..ThinSpec::default() };
        let (network, rows) = (Network::new(50, outputs, spec, 3).unwrap(), inputs(16, 50));
        let moments = averaged(&network, &thin, link, &rows, "moments");
        let samples = averaged(&network, &thin, link, &rows, "mc:10000:shared");
        let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let distance = |one: &Matrix, other: &Matrix| {
            let pairs = one.values().iter().zip(other.values());
            mean(&pairs.map(|(one, other)| (one - other).abs()).collect::<Vec<f32>>())
                / mean(samples.1.values())
        };
        [distance(&moments.0, &samples.0), distance(&moments.1, &samples.1)]
    }

    fn near(
        drop: Drop,
        hidden: &[usize],
        activation: Activation,
        link: Link,
        outputs: usize,
        most: [f64; 2],
    ) {
        let spec = NetworkSpec { hidden: hidden.to_vec(), activation, ..NetworkSpec::default() };
        let found = distances(drop, &spec, link, outputs);
        let place = format!("{drop:?}, {hidden:?}, {activation:?}, {link:?} of {outputs}: {found:.4?}");
        assert!(found[0] < most[0] && found[1] < most[1], "{place}");
    }

    #[test]
    fn values_are_those_of_many_samples() {
        for activation in ACTIVATIONS {
            near(Drop::Units, &[200], activation, Link::Identity, 3, [0.03, 0.04]);
        }
        near(Drop::Units, &[100, 100], Activation::Relu, Link::Identity, 3, [0.03, 0.04]);
    }

    /// By the sum of 100,000 terms.
    #[test]
    fn the_mean_of_a_variance_is_its_integral() {
        for (mean, deviation) in [(0.0, 0.0), (-4.0, 1.0), (-6.0, 2.0), (0.0, 3.0), (5.0, 0.5)] {
            let term = |at: i32| {
                let t = f64::from(at) / 1e4;
                let weight = (-0.5 * t * t).exp();
                (weight * (1.0 + (mean + deviation * t).exp()).ln(), weight)
            };
            let terms: Vec<(f64, f64)> = (-90_000..=90_000).map(term).collect();
            let (sum, weights) = terms.iter().fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
            let (expected, found) =
                (sum / weights + 1e-6, f64::from(mean_variance(mean as f32, (deviation * deviation) as f32)));
            assert!((found / expected - 1.0).abs() < 1e-4, "{mean}, {deviation}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_noise_is_that_of_many_samples() {
        let spec = NetworkSpec { hidden: vec![100, 100], ..NetworkSpec::default() };
        let network = Network::new(6, 4, &spec, 3).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, 5).unwrap();
        let rows = inputs(20, 6);
        let by = |by: &str| {
            average(Isa::best(), &network, &thinning, Link::Normal, &rows, by.parse().unwrap()).unwrap()
        };
        let (moments, samples, whole) = (by("moments"), by("mc:4000"), by("scale"));
        let mean = |averaged: &Averaged| {
            let noise = averaged.noise.as_ref().unwrap();
            (noise.values().iter().map(|noise| f64::from(noise * noise)).sum::<f64>()) / 40.0
        };
        assert_eq!((moments.mean.columns(), moments.noise.as_ref().unwrap().columns()), (2, 2));
        let (moments, samples, whole) = (mean(&moments), mean(&samples), mean(&whole));
        // Each hidden layer adds to the error.
        assert!((moments / samples - 1.0).abs() < 0.02, "{moments}, {samples}");
        assert!((whole / samples - 1.0).abs() > 0.04, "{whole}, {samples}: the test tells nothing");
    }

    #[test]
    fn probabilities_are_those_of_many_samples() {
        for hidden in [&[200][..], &[100, 100]] {
            for activation in [Activation::Relu, Activation::Tanh] {
                near(Drop::Units, hidden, activation, Link::Logistic, 1, [0.03, 0.03]);
                near(Drop::Units, hidden, activation, Link::Softmax, 2, [0.03, 0.03]);
                near(Drop::Units, hidden, activation, Link::Softmax, 10, [0.1, 0.08]);
            }
        }
    }

    /// Its factors have longer tails than a mask's, so the sums of a second layer are a little less normal:
    /// the spread of a probability may be as far off as that of a value.
    #[test]
    fn moments_of_gaussian_noise_are_those_of_many_samples() {
        for hidden in [&[200][..], &[100, 100]] {
            for activation in [Activation::Relu, Activation::Tanh] {
                near(Drop::Gaussian, hidden, activation, Link::Identity, 3, [0.03, 0.04]);
                near(Drop::Gaussian, hidden, activation, Link::Logistic, 1, [0.03, 0.04]);
                near(Drop::Gaussian, hidden, activation, Link::Softmax, 10, [0.1, 0.08]);
            }
        }
    }

    /// Two classes are one logit, the difference of the two.
    #[test]
    fn the_softmax_of_two_classes_is_the_logistic() {
        let spec = NetworkSpec { hidden: vec![30], ..NetworkSpec::default() };
        let (mut one, mut two) =
            (Network::new(9, 1, &spec, 4).unwrap(), Network::new(9, 2, &spec, 4).unwrap());
        let weights: Vec<f32> = (0..60).map(|at| (at * 37 % 19) as f32 / 10.0 - 0.9).collect();
        let difference: Vec<f32> = (0..30).map(|at| weights[30 + at] - weights[at]).collect();
        one.set_layer(1, &difference, &[0.5]).unwrap();
        two.set_layer(1, &weights, &[-0.2, 0.3]).unwrap();
        let thin = ThinSpec { input: 0.2, hidden: Rates::All(0.5), ..ThinSpec::default() };
        let rows = inputs(40, 9);
        let logistic = averaged(&one, &thin, Link::Logistic, &rows, "moments");
        let softmax = averaged(&two, &thin, Link::Softmax, &rows, "moments");
        for (one, two) in [(&logistic.0, &softmax.0), (&logistic.1, &softmax.1)] {
            for (one, two) in one.values().iter().zip(two.values()) {
                assert!((one - two).abs() < 1e-4, "{one}, {two}");
            }
        }
    }

    /// A rate of 0 leaves weight scaling, and logits that lie far apart do no harm.
    #[test]
    fn without_masks_it_is_the_softmax() {
        for size in [1.0, 30.0, 1000.0] {
            let spec = NetworkSpec { hidden: vec![12], ..NetworkSpec::default() };
            let network = Network::new(9, 4, &spec, 4).unwrap();
            let rows = inputs(40, 9);
            let rows = Matrix::new(40, 9, rows.values().iter().map(|x| size * x).collect()).unwrap();
            let (mean, spread) = averaged(&network, &ThinSpec::none(), Link::Softmax, &rows, "moments");
            let thinning = Thinning::new(&ThinSpec::none(), &network, 0).unwrap();
            let by = crate::average::Average::WeightScaling;
            let whole = average(Isa::best(), &network, &thinning, Link::Softmax, &rows, by).unwrap().mean;
            for (mean, whole) in mean.values().iter().zip(whole.values()) {
                assert!((mean - whole).abs() < 1e-5, "{size}: {mean}, not {whole}");
            }
            assert!(spread.values().iter().all(|&spread| spread < 1e-6), "{size}");
            let thin = ThinSpec { hidden: Rates::All(0.5), ..ThinSpec::default() };
            let (mean, spread) = averaged(&network, &thin, Link::Softmax, &rows, "moments");
            for row in 0..40 {
                assert!(
                    (mean.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-5,
                    "{size}: {:?}",
                    mean.row(row)
                );
                assert!(
                    spread.row(row).iter().all(|s| (0.0..=0.5).contains(s)),
                    "{size}: {:?}",
                    spread.row(row)
                );
            }
        }
    }
}
