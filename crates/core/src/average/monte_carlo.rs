//! The mean of sampled thinned networks, and how far they lie apart.

use rayon::prelude::*;
use thinnet_kernels::Isa;

use super::Link;
use crate::data::Matrix;
use crate::network::Network;
use crate::thin::{Buffers, PREDICTED_ROWS, Sample, Slice, Thinning};

/// Mean and standard deviation of the predictions of `samples` thinned networks, both `[rows, width]`.
///
/// Where training gave each row a mask of its own, so does this; where a slice shared one, all
/// rows here meet the same thinned networks. The layers below the first thinned level are
/// computed once. Runs on the threads of the pool it is called from.
pub fn monte_carlo(
    isa: Isa,
    network: &Network,
    thinning: &Thinning,
    link: Link,
    inputs: &Matrix,
    samples: u32,
) -> (Matrix, Matrix) {
    let width = link.width(network.outputs());
    let (mut mean, mut spread) = (Matrix::zeros(inputs.rows(), width), Matrix::zeros(inputs.rows(), width));
    let chunk = PREDICTED_ROWS * width;
    let chunks = mean.values_mut().par_chunks_mut(chunk).zip(spread.values_mut().par_chunks_mut(chunk));
    let new_slice = || Slice::new(isa, network, PREDICTED_ROWS.min(inputs.rows()), 0, Buffers::Predict);
    chunks.enumerate().for_each_init(new_slice, |slice, (chunk, (mean, spread))| {
        let first = chunk * PREDICTED_ROWS;
        let rows = first..first + mean.len() / width;
        let mut sums = Moments::new(mean.len());
        sample(slice, network, thinning, inputs, rows, samples, |slice| sums.add(slice, network, link));
        sums.write(mean, spread);
    });
    (mean, spread)
}

/// Runs each sampled network on some rows and shows what it gave.
fn sample(
    slice: &mut Slice,
    network: &Network,
    thinning: &Thinning,
    inputs: &Matrix,
    rows: std::ops::Range<usize>,
    samples: u32,
    mut show: impl FnMut(&Slice),
) {
    let (layers, first_row) = (network.layers().len(), rows.start as u32);
    let load = |slice: &mut Slice| slice.load(thinning, rows.clone().map(|row| inputs.row(row)));
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

/// Sums over the samples: of the predictions, and of the squares of their distance from the first.
struct Moments {
    count: f64,
    first: Vec<f32>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    row: Vec<f32>,
}

impl Moments {
    fn new(length: usize) -> Self {
        Self {
            count: 0.0,
            first: vec![0.0; length],
            sums: vec![0.0; length],
            squares: vec![0.0; length],
            row: Vec::new(),
        }
    }

    fn add(&mut self, slice: &Slice, network: &Network, link: Link) {
        let (outputs, width) = (network.outputs(), link.width(network.outputs()));
        let mut logits = vec![0.0; slice.rows() * outputs];
        slice.write_outputs(&mut logits);
        self.row.resize(width, 0.0);
        for (row, logits) in logits.chunks_exact(outputs).enumerate() {
            link.apply_row(logits, &mut self.row);
            for (at, &value) in (row * width..).zip(&self.row) {
                if self.count == 0.0 {
                    self.first[at] = value;
                }
                let distance = f64::from(value) - f64::from(self.first[at]);
                self.sums[at] += distance;
                self.squares[at] += distance * distance;
            }
        }
        self.count += 1.0;
    }

    fn write(&self, mean: &mut [f32], spread: &mut [f32]) {
        for at in 0..mean.len() {
            let shift = self.sums[at] / self.count;
            mean[at] = (f64::from(self.first[at]) + shift) as f32;
            spread[at] = (self.squares[at] / self.count - shift * shift).max(0.0).sqrt() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, NetworkSpec};
    use crate::streams;
    use crate::thin::{Rates, Share, ThinSpec};
    use thinnet_kernels::philox::{self, Counter, Key};

    const SEED: u32 = 11;

    /// y = 3 x + 1 with a rate of one half on x, on more rows than are computed at a time.
    fn line(share: Share, samples: u32) -> (Matrix, Matrix) {
        let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
        let mut network = Network::zeros(1, 1, &spec).unwrap();
        network.set_layer(0, &[3.0], &[1.0]).unwrap();
        let thin = ThinSpec { input: 0.5, share, ..ThinSpec::default() };
        let thinning = Thinning::new(&thin, &network, SEED).unwrap();
        let inputs = Matrix::new(150, 1, vec![2.0; 150]).unwrap();
        monte_carlo(Isa::from_environment().unwrap(), &network, &thinning, Link::Identity, &inputs, samples)
    }

    /// In which part of the sampled networks x is kept, for a row or a slice.
    fn kept(row: u32, samples: u32) -> f64 {
        let key = Key { seed: SEED, stream: streams::monte_carlo(0) };
        let word = |step: u32| philox::words(key, Counter { block: 0, row, step: u64::from(step) })[0];
        (0..samples).filter(|&number| word(number) >= 1 << 31).count() as f64 / f64::from(samples)
    }

    #[test]
    fn mean_and_spread_by_hand() {
        for share in [Share::Row, Share::Slice] {
            let (mean, spread) = line(share, 10);
            for row in 0..150 {
                // 3 * 2 * 2 + 1 where x is kept, 1 where it is not.
                let part = kept(if share == Share::Row { row as u32 } else { 0 }, 10);
                let (expected, deviation) = (1.0 + 12.0 * part, 12.0 * (part * (1.0 - part)).sqrt());
                assert!((f64::from(mean.row(row)[0]) - expected).abs() < 1e-5, "{share:?}, row {row}");
                assert!((f64::from(spread.row(row)[0]) - deviation).abs() < 1e-5, "{share:?}, row {row}");
            }
        }
        let (mean, _) = line(Share::Row, 10);
        assert!(mean.values().iter().any(|&value| value != mean.values()[0]), "rows have masks of their own");
    }

    #[test]
    fn one_sample_has_no_spread() {
        assert!(line(Share::Row, 1).1.values().iter().all(|&spread| spread == 0.0));
    }

    #[test]
    fn layers_below_the_first_thinned_one_may_be_computed_once() {
        // The same network with a rate that drops nothing below, and so computes all layers each time.
        let spec =
            NetworkSpec { hidden: vec![9, 8, 7], activation: Activation::Tanh, ..NetworkSpec::default() };
        let network = Network::new(5, 2, &spec, 1).unwrap();
        let inputs = Matrix::new(70, 5, (0..350).map(|i| (i % 13) as f32 - 6.0).collect()).unwrap();
        for share in [Share::Row, Share::Slice] {
            let sampled = |lowest: f32| {
                let thin = ThinSpec {
                    input: lowest,
                    hidden: Rates::Each(vec![0.0, 0.5, 0.5]),
                    share,
                    ..ThinSpec::default()
                };
                let thinning = Thinning::new(&thin, &network, SEED).unwrap();
                monte_carlo(Isa::from_environment().unwrap(), &network, &thinning, Link::Softmax, &inputs, 6)
            };
            assert_eq!(sampled(0.0), sampled(1e-12), "{share:?}");
        }
    }

    #[test]
    fn one_logit_gives_two_probabilities() {
        let spec = NetworkSpec { hidden: vec![6], ..NetworkSpec::default() };
        let network = Network::new(3, 1, &spec, 1).unwrap();
        let thinning = Thinning::new(&ThinSpec::default(), &network, SEED).unwrap();
        let inputs = Matrix::new(2, 3, vec![1.0, -2.0, 0.5, 3.0, 0.0, -1.0]).unwrap();
        let (mean, spread) =
            monte_carlo(Isa::from_environment().unwrap(), &network, &thinning, Link::Logistic, &inputs, 50);
        assert_eq!((mean.columns(), spread.columns()), (2, 2));
        for row in 0..2 {
            assert!((mean.row(row).iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!((spread.row(row)[0] - spread.row(row)[1]).abs() < 1e-6 && spread.row(row)[0] > 0.0);
        }
    }
}
