//! The inference of DropConnect: normal pre-activations, drawn layer by layer.

use super::sums::SampleSums;
use super::thinned::Thinned;
use super::{Averaged, Mean};
use crate::thin::Sample;

impl Thinned<'_> {
    /// Mean and standard deviation of the predictions over `samples` draws of the outputs.
    ///
    /// With keep p the sum of a unit's kept edges has the mean p W v and the variance p (1 - p) (W∘W)(v∘v)
    /// (Wan et al. 2013, section 3.2), and divided by p the mean W v and the variance rate / p times
    /// (W∘W)(v∘v); the bias is an edge whose input is 1. So many numbers with these moments are drawn for
    /// each unit, and the mean of their activations goes into the next layer. The last layer shows its draws.
    pub(super) fn dropconnect(&self, samples: u32) -> Averaged {
        let thinning = &self.thinning.gaussian_form();
        let network = self.network;
        let (layers, outputs) = (network.layers().len(), network.outputs());
        let sums = self.each_slice(|slice, rows| {
            slice.thin(thinning, Sample::MonteCarlo { number: 0 }, rows.start as u32);
            slice.load(thinning, rows.clone().map(|row| self.inputs.row(row)));
            for index in 0..layers - 1 {
                slice.average_draws(network, thinning, index, samples, |_| {});
            }
            let mut drawn = vec![0.0; rows.len() * outputs];
            let mut seen = SampleSums::new(rows.len(), outputs, self.output, Mean::Arithmetic);
            slice.average_draws(network, thinning, layers - 1, samples, |slice| {
                slice.write_outputs(&mut drawn);
                seen.add(&drawn);
            });
            seen
        });
        self.assemble(sums.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Average, Link, average};
    use crate::data::Matrix;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{Drop, Rates, Scaling, ThinSpec, Thinning};
    use thinnet_kernels::Isa;

    const SAMPLES: u32 = 20_000;

    fn averaged(scaling: Scaling, hidden: Vec<usize>, by: Average) -> (Network, Matrix, Matrix) {
        let spec = NetworkSpec { hidden, activation: Activation::Relu, ..NetworkSpec::default() };
        let mut network = Network::new(3, 1, &spec, 4).unwrap();
        network.set_layer(0, &[0.5, -1.0, 2.0], &[0.25]).unwrap();
        let thin = ThinSpec {
            drop: Drop::Edges,
            input: 0.25,
            hidden: Rates::All(0.5),
            scaling,
            ..ThinSpec::default()
        };
        let thinning = Thinning::new(&thin, &network, 9).unwrap();
        let inputs = Matrix::new(1, 3, vec![1.0, 2.0, -0.5]).unwrap();
        let isa = Isa::from_environment().unwrap();
        let averaged = average(isa, &network, &thinning, Link::Identity, &inputs, by).unwrap();
        (network, averaged.mean, averaged.spread.unwrap())
    }

    #[test]
    fn one_layer_has_the_moments_of_its_edges() {
        for (scaling, keep) in [(Scaling::Training, 1.0), (Scaling::AtPrediction, 0.75_f64)] {
            let (network, mean, spread) =
                averaged(scaling, vec![], Average::DropConnect { samples: SAMPLES });
            let edges: Vec<f64> = network
                .unit_weights(0, 0)
                .iter()
                .zip([1.0, 2.0, -0.5])
                .map(|(&w, x)| f64::from(w) * x)
                .collect();
            let bias = f64::from(network.biases(0)[0]);
            let sum: f64 = edges.iter().sum::<f64>() + bias;
            let variance = 0.25 / 0.75 * (edges.iter().map(|edge| edge * edge).sum::<f64>() + bias * bias);
            let (expected, deviation) = (keep * sum, keep * variance.sqrt());
            // Standard errors: deviation / sqrt(20,000) = 0.7 %, and deviation / sqrt(40,000).
            let (mean, spread) = (f64::from(mean.row(0)[0]), f64::from(spread.row(0)[0]));
            assert!((mean - expected).abs() < 0.03 * deviation, "{mean}, not {expected}");
            assert!((spread - deviation).abs() < 0.02 * deviation, "{spread}, not {deviation}");
        }
    }

    /// The mean of relu of a normal number: m Phi(m / s) + s phi(m / s).
    #[test]
    fn a_hidden_layer_gives_the_mean_of_its_activations() {
        let (network, mean, _) =
            averaged(Scaling::Training, vec![1], Average::DropConnect { samples: SAMPLES });
        let edges = [0.5, -2.0, -1.0_f64];
        let bias = f64::from(network.biases(0)[0]);
        let m = edges.iter().sum::<f64>() + bias;
        let s = (0.25 / 0.75 * (edges.iter().map(|edge| edge * edge).sum::<f64>() + bias * bias)).sqrt();
        let z = m / s;
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let unit = m * 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2) + s * density;
        let w = f64::from(network.unit_weights(1, 0)[0]);
        let expected = w * unit + f64::from(network.biases(1)[0]);
        let (mean, tolerance) = (f64::from(mean.row(0)[0]), 0.04 * s * w.abs());
        assert!((mean - expected).abs() < tolerance, "{mean}, not {expected}");
    }
}
