//! Limits and moments of noise on edges.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Random, isa};
use thinnet::average::{Average, Link, average};
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{self, Buffers, Drop, Rates, Sample, Scaling, Share, Slice, ThinSpec, Thinning};
use thinnet::train::{Objective, Stepper, TrainSpec};

const ROWS: usize = 50;

fn network(thin: &ThinSpec, hidden: Vec<usize>, activation: Activation) -> Network {
    let spec = NetworkSpec { hidden, activation, ..NetworkSpec::default() };
    let mut network = Network::new(30, 3, &spec, 7).unwrap();
    let mut random = Random(8);
    for index in 0..network.layers().len() {
        let units = network.layers()[index].units;
        let weights: Vec<f32> =
            (0..units).flat_map(|unit| network.unit_weights(index, unit).to_vec()).collect();
        network.set_layer(index, &weights, &random.normals(units)).unwrap();
    }
    thin.with_noise(network).unwrap()
}

fn examples() -> Examples {
    let mut random = Random(9);
    let inputs = Matrix::new(ROWS, 30, random.normals(ROWS * 30)).unwrap();
    let labels = (0..ROWS).map(|_| random.below(3) as u32).collect();
    Examples::new(inputs, Targets::Classes { labels, classes: 3 }, None).unwrap()
}

/// The network after three steps.
fn trained(thin: &ThinSpec, slice: usize) -> Network {
    let (examples, train) = (examples(), TrainSpec { slice, ..TrainSpec::default() });
    let objective = Objective::new(&train, &examples.targets).unwrap();
    let network = network(thin, vec![40, 20], Activation::Tanh);
    let mut stepper = Stepper::new(isa(), network, thin, &train, objective, ROWS, 3).unwrap();
    let rows: Vec<usize> = (0..ROWS).collect();
    for _ in 0..3 {
        stepper.step(&examples, None, &rows, &[0.01]).unwrap();
    }
    stepper.into_network()
}

fn edges(drop: Drop, rate: f32, share: Share, share_rows: usize) -> ThinSpec {
    ThinSpec { drop, input: rate, hidden: Rates::All(rate), share, share_rows, ..ThinSpec::default() }
}

#[test]
fn a_rate_of_0_is_no_noise_to_the_bit() {
    let none = trained(&ThinSpec::none(), 32);
    for (share, rows) in [(Share::Row, 0), (Share::Slice, 0), (Share::Slice, 16)] {
        assert!(trained(&edges(Drop::Edges, 0.0, share, rows), 32) == none, "{share:?}, {rows}");
        assert!(
            trained(&edges(Drop::Edges, 1e-6, share, rows), 32) == none,
            "{share:?}, {rows}: rounds to 0"
        );
        assert!(trained(&edges(Drop::Edges, 0.5, share, rows), 32) != none, "{share:?}, {rows}: half");
    }
    assert!(trained(&edges(Drop::EdgesGaussian, 0.0, Share::Row, 0), 32) == none);
    assert!(trained(&edges(Drop::EdgesGaussian, 0.5, Share::Row, 0), 32) != none);
}

/// A batch of one slice: its number, and the number of the first row of its only group, are 0.
#[test]
fn a_group_of_all_rows_is_a_slice() {
    let slice = trained(&edges(Drop::Edges, 0.5, Share::Slice, 0), 64);
    assert!(trained(&edges(Drop::Edges, 0.5, Share::Slice, 64), 64) == slice);
    assert!(trained(&edges(Drop::Edges, 0.5, Share::Slice, 4096), 64) == slice);
    assert!(trained(&edges(Drop::Edges, 0.5, Share::Slice, 32), 64) != slice);
}

/// The standard deviation of the noise goes with the root of alpha.
#[test]
fn noise_of_little_variance_changes_little() {
    let inputs = examples().inputs;
    let distance = |thin: &ThinSpec, logarithm: f32| {
        let mut network = network(thin, vec![40, 20], Activation::Tanh);
        for layer in 0..3 {
            let count = network.noise(layer).iter().filter(|&&l| l != 0.0).count();
            network.set_noise(layer, &vec![logarithm; count]).unwrap();
        }
        let thinning = Thinning::new(thin, &network, 1).unwrap();
        let whole = thin::outputs(isa(), &network, &thinning, &inputs).unwrap();
        let by = Average::monte_carlo(1);
        let sampled = average(isa(), &network, &thinning, Link::Identity, &inputs, by).unwrap().mean;
        let off = whole.values().iter().zip(sampled.values()).map(|(a, b)| f64::from(a - b).powi(2));
        (off.sum::<f64>() / whole.values().len() as f64).sqrt()
    };
    let gaussian = |rate| distance(&edges(Drop::EdgesGaussian, rate, Share::Row, 0), 0.0);
    let variational = |logarithm| distance(&edges(Drop::SparseVariational, 0.0, Share::Row, 0), logarithm);
    for [large, small] in [[gaussian(1e-4), gaussian(1e-8)], [variational(-10.0), variational(-20.0)]] {
        assert!(large > 1e-3 && small < 0.012 * large, "{large}, then {small}");
    }
}

/// Mean and variance of the outputs of one layer, over 20,000 sampled networks: those of the sum of
/// independent edges.
#[test]
fn the_moments_of_the_noise_are_those_of_dropped_edges() {
    const SAMPLES: u32 = 20_000;
    let inputs = Matrix::new(2, 30, Random(10).normals(60)).unwrap();
    for (drop, share, scaling) in [
        (Drop::Edges, Share::Row, Scaling::Training),
        (Drop::Edges, Share::Slice, Scaling::AtPrediction),
        (Drop::EdgesGaussian, Share::Row, Scaling::Training),
        (Drop::SparseVariational, Share::Row, Scaling::Training),
    ] {
        let thin = ThinSpec { scaling, ..edges(drop, 0.2, share, 0) };
        let network = network(&thin, vec![], Activation::Relu);
        let thinning = Thinning::new(&thin, &network, 2).unwrap();
        let by = Average::monte_carlo(SAMPLES);
        let averaged = average(isa(), &network, &thinning, Link::Identity, &inputs, by).unwrap();
        let spread = averaged.spread.unwrap();
        let scale = if scaling == Scaling::Training { 1.0 } else { 0.8 };
        for row in 0..2 {
            for unit in 0..3 {
                let edges: Vec<f64> = network
                    .unit_weights(0, unit)
                    .iter()
                    .zip(inputs.row(row))
                    .map(|(&w, &x)| f64::from(w) * f64::from(x))
                    .chain([f64::from(network.biases(0)[unit])])
                    .collect();
                let mean = scale * edges.iter().sum::<f64>();
                let variance = match drop {
                    Drop::SparseVariational => {
                        inputs.row(row).iter().map(|&x| f64::from(x).powi(2) * (-8f64).exp()).sum()
                    }
                    _ => scale * scale * 0.25 * edges.iter().map(|edge| edge * edge).sum::<f64>(),
                };
                let deviation = variance.sqrt();
                // Standard errors of mean and deviation: 0.7 and 0.5 % of the deviation.
                let (got, got_spread) =
                    (f64::from(averaged.mean.row(row)[unit]), f64::from(spread.row(row)[unit]));
                assert!((got - mean).abs() < 0.03 * deviation, "{drop:?}, {share:?}: {got}, not {mean}");
                assert!(
                    (got_spread - deviation).abs() < 0.02 * deviation,
                    "{drop:?}: {got_spread}, not {deviation}"
                );
            }
        }
    }
}

/// The outputs of the second slice of a mini-batch, in a run of 1,000 steps.
fn outputs(thin: &ThinSpec, sample: Sample) -> Vec<f32> {
    let (inputs, network) = (examples().inputs, network(thin, vec![40, 20], Activation::Tanh));
    let thinning = Thinning::new(thin, &network, 6).unwrap().with_total_steps(1000);
    let mut slice = Slice::new(isa(), &network, ROWS, 1, Buffers::Predict);
    slice.thin(&thinning, sample, ROWS as u32);
    slice.load(&thinning, (0..ROWS).map(|row| inputs.row(row)));
    slice.forward(&network, &thinning, 0..3);
    let mut outputs = vec![0.0; ROWS * 3];
    slice.write_outputs(&mut outputs);
    outputs
}

#[test]
fn a_schedule_changes_the_rate_of_edges_in_training_alone() {
    for (drop, share, rows) in [
        (Drop::Edges, Share::Row, 0),
        (Drop::Edges, Share::Slice, 0),
        (Drop::Edges, Share::Slice, 16),
        (Drop::EdgesGaussian, Share::Row, 0),
    ] {
        let constant = |rate: f32| edges(drop, rate, share, rows);
        let scheduled = |schedule: &str| ThinSpec { schedule: schedule.parse().unwrap(), ..constant(0.5) };
        for (schedule, step, factor) in [
            ("linear:0:1", 250, 0.25),
            ("linear:1:0.5", 500, 0.75),
            ("early:0.5", 250, 0.5),
            ("early:0.5", 500, 0.0),
            ("late:0.25", 249, 0.0),
            ("late:0.25", 250, 1.0),
        ] {
            let (what, sample) =
                (format!("{drop:?}, {share:?}, {rows}, {schedule}"), Sample::Training { step });
            let at_step = outputs(&scheduled(schedule), sample);
            assert_eq!(at_step, outputs(&constant(0.5 * factor), sample), "{what}");
            assert_eq!(at_step == outputs(&constant(0.5), sample), factor == 1.0, "{what}");
        }
        let sample = Sample::MonteCarlo { number: 3 };
        assert_eq!(outputs(&scheduled("early:0.1"), sample), outputs(&constant(0.5), sample), "{drop:?}");
        // The gradients, too: a schedule that is one half at every step of a run.
        let half = trained(&scheduled("linear:0.5:0.5"), 32);
        assert!(half == trained(&constant(0.25), 32) && half != trained(&constant(0.5), 32), "{drop:?}");
    }
}
