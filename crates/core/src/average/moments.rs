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
use super::{Averaged, Link, Thinned};

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
        Averaged {
            mean: self.row_by_row(all.iter().map(|(mean, _)| &mean[..])),
            spread: Some(self.row_by_row(all.iter().map(|(_, spread)| &spread[..]))),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::average::average;
    use crate::data::Matrix;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{Rates, Scaling, ThinSpec, Thinning};
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
        for (scaling, rate) in [(Scaling::Training, 0.3), (Scaling::AtPrediction, 0.6)] {
            let network =
                Network::new(40, 3, &NetworkSpec { hidden: vec![], ..NetworkSpec::default() }, 1).unwrap();
            let thin = ThinSpec { input: rate, scaling, ..ThinSpec::default() };
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

    /// The largest and the mean distance of mean and of spread from those of 20,000 samples, in spreads.
    fn distances(network: &Network, thin: &ThinSpec, link: Link, rows: &Matrix) -> [f64; 3] {
        let (mean, spread) = averaged(network, thin, link, rows, "moments");
        let (sampled, deviation) = averaged(network, thin, link, rows, "mc:20000:shared");
        let (mut of_means, mut of_spreads, mut largest) = (0.0, 0.0, 0.0_f64);
        let typical =
            deviation.values().iter().map(|&s| f64::from(s)).sum::<f64>() / mean.values().len() as f64;
        for at in 0..mean.values().len() {
            let distance = f64::from(mean.values()[at] - sampled.values()[at]).abs() / typical;
            of_means += distance / mean.values().len() as f64;
            largest = largest.max(distance);
            let ratio = f64::from(spread.values()[at]) / f64::from(deviation.values()[at]);
            of_spreads += (ratio - 1.0).abs() / mean.values().len() as f64;
        }
        [of_means, largest, of_spreads]
    }

    /// One hidden layer, of which input and units are dropped, against 20,000 samples.
    #[test]
    fn print_distances() {
        for hidden in [vec![200], vec![100, 100]] {
            for activation in ACTIVATIONS {
                let spec = NetworkSpec { hidden: hidden.clone(), activation, ..NetworkSpec::default() };
                let thin = ThinSpec { input: 0.2, hidden: Rates::All(0.5), ..ThinSpec::default() };
                for (link, outputs) in
                    [(Link::Identity, 3), (Link::Logistic, 1), (Link::Softmax, 2), (Link::Softmax, 10)]
                {
                    let network = Network::new(50, outputs, &spec, 3).unwrap();
                    println!(
                        "{hidden:?} {activation:?} {link:?} {outputs} {:.3?}",
                        distances(&network, &thin, link, &inputs(20, 50))
                    );
                }
            }
        }
    }
}
