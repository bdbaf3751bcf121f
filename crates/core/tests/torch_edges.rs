//! Noise on edges beside PyTorch's arithmetic, with the same noise fed in: reference/edges.py wrote what
//! PyTorch makes of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde::Deserialize;
use thinnet::Isa;
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{Buffers, Drop, Gradient, Rates, Sample, Share, Slice, ThinSpec, Thinning};
use thinnet_kernels::divergence::{self, By};
use thinnet_kernels::lines;

#[derive(Deserialize)]
struct Reference {
    seed: u32,
    step: u64,
    first_row: u32,
    slice: u32,
    rows: usize,
    widths: Vec<usize>,
    cases: Vec<Case>,
}

/// Matrices stand row by row, one for each layer.
#[derive(Deserialize)]
struct Case {
    name: Drop,
    share: Share,
    inputs: Vec<f32>,
    weights: Vec<Vec<f32>>,
    biases: Vec<Vec<f32>>,
    logarithms: Vec<Vec<f32>>,
    outputs: Vec<f32>,
    by_outputs: Vec<f32>,
    by_weights: Vec<Vec<f32>>,
    by_biases: Vec<Vec<f32>>,
    by_logarithms: Vec<Vec<f32>>,
    divergence_by_weights: Vec<Vec<f32>>,
    divergence_by_logarithms: Vec<Vec<f32>>,
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

/// Lines without their padding.
fn dense(lines: &[f32], units: usize, inputs: usize, stride: usize) -> Vec<f32> {
    lines.chunks_exact(stride).take(units).flat_map(|line| &line[..inputs]).copied().collect()
}

#[test]
fn the_engine_agrees_with_pytorch() {
    let Reference { seed, step, first_row, slice: number, rows, widths, cases } =
        serde_json::from_str(include_str!("reference/edges.json")).unwrap();
    let isa = Isa::from_environment().unwrap();
    for case in cases {
        let (what, learns) = (format!("{:?}, {:?}", case.name, case.share), !case.logarithms.is_empty());
        let hidden = Rates::All(0.2);
        let thin = ThinSpec { drop: case.name, share: case.share, input: 0.2, hidden, ..ThinSpec::default() };
        let spec = NetworkSpec {
            hidden: widths[1..widths.len() - 1].to_vec(),
            activation: Activation::Tanh,
            ..NetworkSpec::default()
        };
        let network = Network::zeros(widths[0], widths[widths.len() - 1], &spec).unwrap();
        let mut network = thin.with_noise(network).unwrap();
        for layer in 0..case.weights.len() {
            network.set_layer(layer, &case.weights[layer], &case.biases[layer]).unwrap();
        }
        for (layer, logarithms) in case.logarithms.iter().enumerate() {
            network.set_noise(layer, logarithms).unwrap();
        }
        let thinning = Thinning::new(&thin, &network, seed).unwrap();
        let mut slice = Slice::new(isa, &network, rows, number, Buffers::Train);
        slice.thin(&thinning, Sample::Training { step }, first_row);
        slice.load(&thinning, case.inputs.chunks_exact(widths[0]));
        slice.forward(&network, &thinning, 0..network.layers().len());
        let mut outputs = vec![0.0; case.outputs.len()];
        slice.write_outputs(&mut outputs);
        assert_near(&outputs, &case.outputs, &format!("{what}, outputs"));

        let (padded, width) = (slice.padded(), network.outputs());
        let (_, gradients) = slice.outputs_and_gradients();
        gradients.fill(0.0);
        for (at, &gradient) in case.by_outputs.iter().enumerate() {
            gradients[at % width * padded + at / width] = gradient;
        }
        slice.backward(&network, &thinning);
        for (index, layer) in network.layers().iter().enumerate() {
            let (units, inputs, stride) = (layer.units, layer.inputs, layer.stride);
            let positions: Vec<u32> = (0..units.max(rows) as u32).collect();
            let length = units * stride + 16;
            let (mut compact, mut whole) = (vec![0.0; length], vec![0.0; length]);
            let (weights, biases) = (network.weights(index), network.biases(index));
            slice.weight_gradients(Gradient {
                layer: index,
                units: 0..units,
                fresh: true,
                weights,
                positions: &positions,
                compact: &mut compact,
                to: &mut whole,
            });
            let got = dense(&whole, units, inputs, stride);
            assert_near(&got, &case.by_weights[index], &format!("{what}, weights {index}"));
            let mut got = vec![0.0; units.next_multiple_of(16)];
            slice.bias_gradients(index, biases, &mut compact, &mut got);
            assert_near(&got[..units], &case.by_biases[index], &format!("{what}, biases {index}"));
            if learns {
                let logarithms = network.noise(index);
                let mut got = vec![0.0; units * stride];
                slice.variance_gradients(index, 0..units, &positions, &mut got);
                lines::multiply_by_exponential(isa, logarithms, &mut got);
                let got = dense(&got, units, inputs, stride);
                assert_near(&got, &case.by_logarithms[index], &format!("{what}, logarithms {index}"));
                for (by, expected) in [
                    (By::Weight, &case.divergence_by_weights[index]),
                    (By::Logarithm, &case.divergence_by_logarithms[index]),
                ] {
                    let mut got = vec![0.0; units * stride];
                    divergence::of_weights(isa, by, 1.0, weights, logarithms, &mut got);
                    let got = dense(&got, units, inputs, stride);
                    assert_near(&got, expected, &format!("{what}, divergence by {by:?} {index}"));
                }
            }
        }
    }
}
