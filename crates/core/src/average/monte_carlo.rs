//! The mean of sampled thinned networks, and how far they lie apart.

use std::ops::Range;

use super::sums::{Densities, SampleSums};
use super::thinned::Thinned;
use super::{Averaged, Masks, Mean};
use crate::data::Matrix;
use crate::thin::{PREDICTED_ROWS, Sample, Share, Slice, Thinning};

impl Thinned<'_> {
    /// Mean and standard deviation of the predictions of `samples` thinned networks.
    pub(super) fn monte_carlo(&self, samples: u32, mean: Mean, masks: Masks) -> Averaged {
        let new = |rows: Range<usize>| SampleSums::new(rows.len(), self.network.outputs(), self.output, mean);
        self.assemble(self.sample(samples, masks, new, SampleSums::add).into_iter())
    }

    /// The same for values whose targets, `[rows, outputs]`, are known; also the logarithm of each row's
    /// predictive density.
    pub(super) fn monte_carlo_with_targets(
        &self,
        samples: u32,
        masks: Masks,
        targets: &Matrix,
        tau: f64,
    ) -> (Averaged, Vec<f64>) {
        let outputs = self.network.outputs();
        let new = |rows: Range<usize>| {
            let targets = &targets.values()[rows.start * outputs..rows.end * outputs];
            (
                SampleSums::new(rows.len(), outputs, self.output, Mean::Arithmetic),
                Densities::new(targets, tau),
            )
        };
        let add = |(sums, densities): &mut (SampleSums, Densities), values: &[f32]| {
            sums.add(values);
            densities.add(values);
        };
        let (sums, densities): (Vec<_>, Vec<_>) = self.sample(samples, masks, new, add).into_iter().unzip();
        let densities = densities.iter().flat_map(|densities| densities.of_rows(samples, outputs)).collect();
        (self.assemble(sums.into_iter()), densities)
    }

    /// The predictions of each of the sampled networks, `[rows, width]`.
    pub(super) fn each_sample(&self, samples: u32, masks: Masks) -> Vec<Matrix> {
        let width = self.output.width(self.network.outputs());
        let add = |predictions: &mut Vec<f32>, outputs: &[f32]| {
            let mut row = vec![0.0; width];
            for outputs in outputs.chunks_exact(self.network.outputs()) {
                self.output.apply_row(outputs, &mut row);
                predictions.extend_from_slice(&row);
            }
        };
        let mut each = vec![Matrix::zeros(self.inputs.rows(), width); samples as usize];
        let chunks: Vec<Vec<f32>> = self.sample(samples, masks, |_| Vec::new(), add);
        for (chunk, predictions) in chunks.iter().enumerate() {
            let (first, length) = (chunk * PREDICTED_ROWS * width, predictions.len() / samples as usize);
            for (to, from) in each.iter_mut().zip(predictions.chunks_exact(length)) {
                to.values_mut()[first..][..length].copy_from_slice(from);
            }
        }
        each
    }

    /// Shows the outputs of each sampled network, `[rows, outputs]`, to what `new` made for those rows.
    /// The layers below the first thinned level are computed once.
    fn sample<T: Send>(
        &self,
        samples: u32,
        masks: Masks,
        new: impl Fn(Range<usize>) -> T + Sync,
        add: impl Fn(&mut T, &[f32]) + Sync,
    ) -> Vec<T> {
        let thinning = &match masks {
            Masks::AsTrained => self.thinning.clone(),
            Masks::Rows => self.thinning.with_share(Share::Row),
            Masks::Shared => self.thinning.with_share(Share::Slice),
        };
        self.each_slice(|slice, rows| {
            let mut seen = new(rows.clone());
            let mut outputs = vec![0.0; rows.len() * self.network.outputs()];
            self.sample_slice(slice, thinning, rows, samples, |slice| {
                slice.write_outputs(&mut outputs);
                add(&mut seen, &outputs);
            });
            seen
        })
    }

    /// Runs each sampled network on some rows and shows what it gave.
    fn sample_slice(
        &self,
        slice: &mut Slice,
        thinning: &Thinning,
        rows: Range<usize>,
        samples: u32,
        mut show: impl FnMut(&Slice),
    ) {
        let (network, first_row) = (self.network, rows.start as u32);
        let layers = network.layers().len();
        let load = |slice: &mut Slice| slice.load(thinning, rows.clone().map(|row| self.inputs.row(row)));
        // The layer whose units are the first to be thinned; 0 where the input itself is.
        let first_layer = thinning.first_thinned().map_or(layers, |level| level.saturating_sub(1));
        let input_is_thinned = thinning.first_thinned() == Some(0);
        if !input_is_thinned {
            slice.thin(thinning, Sample::MonteCarlo { number: 0 }, first_row);
            load(slice);
            slice.forward(network, thinning, 0..first_layer);
        }
        for number in 0..u64::from(samples) {
            slice.thin(thinning, Sample::MonteCarlo { number }, first_row);
            if input_is_thinned {
                load(slice);
            }
            slice.forward(network, thinning, first_layer..layers);
            show(slice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::average::{Average, Link, average, average_with_targets, samples};
    use crate::measure::Regression;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::streams;
    use crate::thin::{Rates, ThinSpec};
    use thinnet_kernels::Isa;
    use thinnet_kernels::philox::{self, Counter, Key};

    const SEED: u32 = 11;

    fn sampled(
        network: &Network,
        thinning: &Thinning,
        link: Link,
        inputs: &Matrix,
        by: Average,
    ) -> (Matrix, Matrix) {
        let isa = Isa::from_environment().unwrap();
        let Averaged { mean, spread, .. } = average(isa, network, thinning, link, inputs, by).unwrap();
        (mean, spread.unwrap())
    }

    /// y = 3 x + 1 with a rate of one half on x, on more rows than are computed at a time.
    fn line(share: Share, masks: Masks, samples: u32) -> (Matrix, Matrix) {
        let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
        let mut network = Network::zeros(1, 1, &spec).unwrap();
        network.set_layer(0, &[3.0], &[1.0]).unwrap();
        let thin = ThinSpec { input: 0.5, share, ..ThinSpec::default() };
        let thinning = Thinning::new(&thin, &network, SEED).unwrap();
        let inputs = Matrix::new(150, 1, vec![2.0; 150]).unwrap();
        let by = Average::MonteCarlo { samples, mean: Mean::Arithmetic, masks };
        sampled(&network, &thinning, Link::Identity, &inputs, by)
    }

    /// In which part of the sampled networks x is kept, for a row or a slice.
    fn kept(row: u32, samples: u32) -> f64 {
        let key = Key { seed: SEED, stream: streams::monte_carlo(0) };
        let word = |step: u32| philox::words(key, Counter { block: 0, row, step: u64::from(step) })[0];
        (0..samples).filter(|&number| word(number) >= 1 << 31).count() as f64 / f64::from(samples)
    }

    #[test]
    fn mean_and_spread_by_hand() {
        for (share, masks, own) in [
            (Share::Row, Masks::AsTrained, true),
            (Share::Slice, Masks::AsTrained, false),
            (Share::Slice, Masks::Rows, true),
            (Share::Row, Masks::Shared, false),
        ] {
            let (mean, spread) = line(share, masks, 10);
            for row in 0..150 {
                // 3 * 2 * 2 + 1 where x is kept, 1 where it is not.
                let part = kept(if own { row as u32 } else { 0 }, 10);
                let (expected, deviation) = (1.0 + 12.0 * part, 12.0 * (part * (1.0 - part)).sqrt());
                assert!((f64::from(mean.row(row)[0]) - expected).abs() < 1e-5, "{share:?}, row {row}");
                assert!((f64::from(spread.row(row)[0]) - deviation).abs() < 1e-5, "{share:?}, row {row}");
            }
        }
        let (mean, _) = line(Share::Row, Masks::AsTrained, 10);
        assert!(mean.values().iter().any(|&value| value != mean.values()[0]), "rows have masks of their own");
    }

    /// The mean of the first k of them is what an average of k gives, also on more rows than are computed at
    /// a time.
    #[test]
    fn sampled_networks_one_by_one() {
        let isa = Isa::from_environment().unwrap();
        let spec = NetworkSpec { hidden: vec![9], ..NetworkSpec::default() };
        let network = Network::new(4, 3, &spec, 1).unwrap();
        let inputs = Matrix::new(150, 4, (0..600).map(|at| (at * 7 % 23) as f32 / 8.0).collect()).unwrap();
        for (share, link) in [(Share::Row, Link::Softmax), (Share::Slice, Link::Identity)] {
            let thin = ThinSpec { input: 0.2, share, ..ThinSpec::default() };
            let thinning = Thinning::new(&thin, &network, SEED).unwrap();
            let each = samples(isa, &network, &thinning, link, &inputs, Average::monte_carlo(5)).unwrap();
            assert_eq!(each.len(), 5);
            for count in [1, 2, 5] {
                let by = Average::monte_carlo(count as u32);
                let (mean, _) = sampled(&network, &thinning, link, &inputs, by);
                for (at, mean) in mean.values().iter().enumerate() {
                    let sum: f32 = each[..count].iter().map(|sampled| sampled.mean.values()[at]).sum();
                    assert!((sum / count as f32 - mean).abs() < 1e-5, "{share:?}, {count}, {at}");
                }
            }
            let scale = samples(isa, &network, &thinning, link, &inputs, Average::WeightScaling);
            assert!(scale.unwrap_err().to_string().contains("scale samples no networks"));
        }
    }

    #[test]
    fn one_sample_has_no_spread() {
        assert!(line(Share::Row, Masks::AsTrained, 1).1.values().iter().all(|&spread| spread == 0.0));
    }

    #[test]
    fn layers_below_the_first_thinned_one_may_be_computed_once() {
        // The same network with a rate that drops nothing below, and so computes all layers each time.
        let spec =
            NetworkSpec { hidden: vec![9, 8, 7], activation: Activation::Tanh, ..NetworkSpec::default() };
        let network = Network::new(5, 2, &spec, 1).unwrap();
        let inputs = Matrix::new(70, 5, (0..350).map(|i| (i % 13) as f32 - 6.0).collect()).unwrap();
        for share in [Share::Row, Share::Slice] {
            let with_rate = |lowest: f32| {
                let thin = ThinSpec {
                    input: lowest,
                    hidden: Rates::Each(vec![0.0, 0.5, 0.5]),
                    share,
                    ..ThinSpec::default()
                };
                let thinning = Thinning::new(&thin, &network, SEED).unwrap();
                sampled(&network, &thinning, Link::Softmax, &inputs, Average::monte_carlo(6))
            };
            assert_eq!(with_rate(0.0), with_rate(1e-12), "{share:?}");
        }
    }

    #[test]
    fn one_logit_gives_two_probabilities() {
        let spec = NetworkSpec { hidden: vec![6], ..NetworkSpec::default() };
        let network = Network::new(3, 1, &spec, 1).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, SEED).unwrap();
        let inputs = Matrix::new(2, 3, vec![1.0, -2.0, 0.5, 3.0, 0.0, -1.0]).unwrap();
        let (mean, spread) = sampled(&network, &thinning, Link::Logistic, &inputs, Average::monte_carlo(50));
        assert_eq!((mean.columns(), spread.columns()), (2, 2));
        for row in 0..2 {
            assert!((mean.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!((spread.row(row)[0] - spread.row(row)[1]).abs() < 1e-6 && spread.row(row)[0] > 0.0);
        }
    }

    /// prod over the samples of p^(1/T), over the sum of the same of all classes.
    #[test]
    fn the_geometric_mean_is_that_of_the_samples_probabilities() {
        const SAMPLES: u32 = 7;
        let isa = Isa::from_environment().unwrap();
        for (link, outputs) in [(Link::Softmax, 4), (Link::Logistic, 1)] {
            let network =
                Network::new(5, outputs, &NetworkSpec { hidden: vec![12], ..NetworkSpec::default() }, 3);
            let network = network.unwrap();
            let inputs = Matrix::new(3, 5, (0..15).map(|at| (at * 4 % 11) as f32 - 5.0).collect()).unwrap();
            let thinning = Thinning::new(&ThinSpec::default(), &network, SEED).unwrap();
            let width = link.width(outputs);
            let thinned =
                Thinned { isa, network: &network, thinning: &thinning, output: link.into(), inputs: &inputs };
            let logarithms = thinned.sample(
                SAMPLES,
                Masks::Rows,
                |rows| vec![0.0; rows.len() * width],
                |sums, logits| {
                    let logits = Matrix::new(3, outputs, logits.to_vec()).unwrap();
                    let probabilities = link.apply(logits).unwrap();
                    sums.iter_mut()
                        .zip(probabilities.values())
                        .for_each(|(sum, &p)| *sum += f64::from(p).ln());
                },
            );
            let by = Average::MonteCarlo { samples: SAMPLES, mean: Mean::Geometric, masks: Masks::Rows };
            let (mean, spread) = sampled(&network, &thinning, link, &inputs, by);
            for (row, logarithms) in logarithms[0].chunks_exact(width).enumerate() {
                let roots: Vec<f64> = logarithms.iter().map(|sum| (sum / f64::from(SAMPLES)).exp()).collect();
                for (&mean, root) in mean.row(row).iter().zip(&roots) {
                    let expected = root / roots.iter().sum::<f64>();
                    assert!((f64::from(mean) - expected).abs() < 1e-6, "{link:?}: {mean}, not {expected}");
                }
            }
            let by = Average::MonteCarlo { samples: SAMPLES, mean: Mean::Arithmetic, masks: Masks::Rows };
            let arithmetic = sampled(&network, &thinning, link, &inputs, by);
            assert!(arithmetic.0 != mean && arithmetic.1 == spread, "the spread is that of the same samples");
        }
    }

    #[test]
    fn the_density_of_targets_is_that_of_the_stored_samples() {
        let isa = Isa::from_environment().unwrap();
        let network =
            Network::new(3, 2, &NetworkSpec { hidden: vec![20], ..NetworkSpec::default() }, 3).unwrap();
        let inputs = Matrix::new(90, 3, (0..270).map(|at| (at * 4 % 11) as f32 - 5.0).collect()).unwrap();
        let targets = Matrix::new(90, 2, (0..180).map(|at| (at * 5 % 7) as f32 - 3.0).collect()).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, SEED).unwrap();
        let output = Link::Identity.into();
        let thinned = Thinned { isa, network: &network, thinning: &thinning, output, inputs: &inputs };
        let stored =
            thinned.sample(9, Masks::AsTrained, |_| Vec::new(), |all, values| all.push(values.to_vec()));
        let sample = |number: usize| {
            Matrix::new(90, 2, stored.iter().flat_map(|chunk| chunk[number].clone()).collect()).unwrap()
        };
        let samples: Vec<Matrix> = (0..9).map(sample).collect();
        for tau in [0.01, 1.0, 400.0_f64] {
            let noise = (1.0 / tau).sqrt() as f32;
            let expected = Regression::from_samples(&samples, &[noise; 2], &targets, None).unwrap();
            let by = Average::monte_carlo(9);
            let (averaged, densities) =
                average_with_targets(isa, &network, &thinning, &inputs, by, &targets, tau).unwrap();
            assert_eq!(averaged, average(isa, &network, &thinning, Link::Identity, &inputs, by).unwrap());
            let mean = densities.iter().sum::<f64>() / 90.0;
            let expected = expected.log_likelihood.unwrap();
            assert!((mean - expected).abs() < 1e-6 * expected.abs(), "tau {tau}: {mean}, not {expected}");
        }
    }

    #[test]
    fn a_geometric_mean_of_values_is_refused() {
        let network = Network::zeros(1, 1, &NetworkSpec::default()).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, SEED).unwrap();
        let by = "mc-geometric:5".parse().unwrap();
        let inputs = Matrix::zeros(1, 1);
        let error = average(Isa::best(), &network, &thinning, Link::Identity, &inputs, by).unwrap_err();
        assert!(error.to_string().contains("which a regression has none of; use mc:T"), "{error}");
    }
}
