//! Noise on units beside PyTorch's arithmetic, with the same noise fed in: reference/noise.py wrote what
//! PyTorch makes of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::noise::gradients_of_engine;
use serde::Deserialize;
use thinnet::Isa;
use thinnet::network::{Network, NetworkSpec};
use thinnet::thin::{Buffers, Drop, Rates, Sample, Share, Slice, ThinSpec, Thinning};
use thinnet_kernels::divergence;

#[derive(Deserialize)]
struct Reference {
    seed: u32,
    step: u64,
    first_row: u32,
    rows: usize,
    widths: Vec<usize>,
    cases: Vec<Case>,
}

/// Matrices stand row by row, one for each layer or for the noise of its inputs.
#[derive(Deserialize)]
struct Case {
    name: Drop,
    inputs: Vec<f32>,
    weights: Vec<Vec<f32>>,
    biases: Vec<Vec<f32>>,
    learned: Vec<Vec<f32>>,
    outputs: Vec<f32>,
    by_outputs: Vec<f32>,
    by_weights: Vec<Vec<f32>>,
    by_biases: Vec<Vec<f32>>,
    by_learned: Vec<Vec<f32>>,
    divergence: Vec<Vec<f32>>,
}

/// Says no when numbers differ by more than a few roundings of the largest among them: sums of f32 in
/// another order differ so much.
fn assert_near(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(largest > 0.0, "{what}");
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        let off = (got - expected).abs();
        assert!(off <= 4e-6 * largest, "{what}, {at}: {got}, not {expected}, of up to {largest}");
    }
}

impl Case {
    fn network(&self, thin: &ThinSpec, widths: &[usize]) -> Network {
        let spec = NetworkSpec { hidden: widths[1..widths.len() - 1].to_vec(), ..NetworkSpec::default() };
        let network = Network::zeros(widths[0], widths[widths.len() - 1], &spec).unwrap();
        let mut network = thin.with_noise(network).unwrap();
        for layer in 0..self.weights.len() {
            network.set_layer(layer, &self.weights[layer], &self.biases[layer]).unwrap();
        }
        for (layer, learned) in self.learned.iter().enumerate() {
            network.set_noise(layer, learned).unwrap();
        }
        network
    }
}

#[test]
fn the_engine_agrees_with_pytorch() {
    let Reference { seed, step, first_row, rows, widths, cases } =
        serde_json::from_str(include_str!("reference/noise.json")).unwrap();
    for case in cases {
        let thin = ThinSpec {
            drop: case.name,
            share: Share::Row,
            input: 0.25,
            hidden: Rates::All(0.25),
            ..ThinSpec::default()
        };
        let network = case.network(&thin, &widths);
        let (thinning, what) = (Thinning::new(&thin, &network, seed).unwrap(), format!("{:?}", case.name));
        let mut slice = Slice::new(Isa::from_environment().unwrap(), &network, rows, 1, Buffers::Train);
        slice.thin(&thinning, Sample::Training { step }, first_row);
        slice.load(&thinning, case.inputs.chunks_exact(widths[0]));
        slice.forward(&network, &thinning, 0..network.layers().len());
        let mut outputs = vec![0.0; case.outputs.len()];
        slice.write_outputs(&mut outputs);
        assert_near(&outputs, &case.outputs, &format!("{what}: outputs"));

        let (padded, width) = (slice.padded(), network.outputs());
        let (_, to) = slice.outputs_and_gradients();
        to.fill(0.0);
        for (at, &by_output) in case.by_outputs.iter().enumerate() {
            to[at % width * padded + at / width] = by_output;
        }
        slice.backward(&network, &thinning);
        for (index, layer) in network.layers().iter().enumerate() {
            let [weights, biases, learned] = gradients_of_engine(&slice, index, layer);
            assert_near(&weights, &case.by_weights[index], &format!("{what}: weights of layer {index}"));
            assert_near(&biases, &case.by_biases[index], &format!("{what}: biases of layer {index}"));
            if let Some(expected) = case.by_learned.get(index) {
                let count = expected.len();
                assert_near(&learned[..count], expected, &format!("{what}: noise of layer {index}"));
            }
        }
        for (learned, expected) in case.learned.iter().zip(&case.divergence) {
            let mut slopes = vec![0.0; learned.len()];
            divergence::of_units(Isa::from_environment().unwrap(), 1.0, learned, &mut slopes);
            assert_near(&slopes, expected, &format!("{what}: divergence"));
        }
    }
}
