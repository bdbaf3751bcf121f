//! The averages against enumeration in f64, against each other, and on any number of threads.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, Random, Shape, isa};
use naive::loss::{pair, softmax};
use naive::real::Real;
use naive::{Net, mask};
use thinnet::average::{Average, Averaged, Link, Output, average};
use thinnet::data::Matrix;
use thinnet::network::Activation;
use thinnet::thin::{Drop, Scaling, Share, Thinning};
use thinnet::train::{Loss, Threads};

fn averaged(case: &Case, output: impl Into<Output>, inputs: &Matrix, by: &str) -> Averaged {
    let thinning = Thinning::new(&case.thin, &case.network, case.seed).unwrap();
    average(isa(), &case.network, &thinning, output, inputs, by.parse().unwrap()).unwrap()
}

fn link(outputs: &[Real], loss: Loss) -> Vec<f64> {
    let numbers = match (Link::of(loss), outputs) {
        (Link::Logistic, [logit]) => pair(*logit).to_vec(),
        (Link::Softmax, logits) => softmax(logits),
        (Link::Normal, values) => {
            let (means, numbers) = values.split_at(values.len() / 2);
            let variance = |number: &Real| (number.exp() + Real::exact(1.0)).ln() + Real::exact(1e-6);
            means.iter().copied().chain(numbers.iter().map(variance)).collect()
        }
        (_, values) => values.to_vec(),
    };
    numbers.iter().map(|number| number.value).collect()
}

/// Mean and standard deviation of a row's predictions over all masks, one network at a time.
fn enumerated(case: &Case, inputs: &[f32]) -> Vec<(f64, f64)> {
    let net = Net::of(&case.network);
    let scales = mask::thinned_scales(&case.rates, case.thin.scaling);
    // The judge's masks are those of the units that have a rate.
    let levels = net.levels();
    let droppable = levels.iter().zip(&case.rates).map(|(&units, &rate)| if rate > 0.0 { units } else { 0 });
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for (mut mask, probability) in mask::all(&case.rates, &droppable.collect::<Vec<usize>>()) {
        mask.resize(levels.len(), Vec::new());
        mask.iter_mut().zip(&levels).for_each(|(kept, &units)| kept.resize(units, true));
        let predicted = link(net.forward(inputs, &mask, &scales).outputs(), case.loss().kind);
        sums.resize(predicted.len(), (0.0, 0.0));
        for (sum, value) in sums.iter_mut().zip(predicted) {
            *sum = (sum.0 + probability * value, sum.1 + probability * value * value);
        }
    }
    sums.into_iter().map(|(mean, square)| (mean, (square - mean * mean).max(0.0).sqrt())).collect()
}

/// Networks of up to 12 droppable units: on the input, in the middle, everywhere and nowhere.
fn small(number: usize, random: &mut Random) -> Case {
    let shapes: [(usize, &[usize], &[f32]); 7] = [
        (9, &[], &[0.4]),
        (3, &[4, 3], &[0.2, 0.5, 0.7]),
        (7, &[5, 20, 6], &[0.0, 0.3, 0.0, 0.6]),
        (8, &[20], &[0.25, 0.0]),
        (3, &[10], &[0.0, 0.5]),
        (2, &[4, 9, 3], &[0.5, 0.0, 0.0, 0.1]),
        (5, &[6, 4], &[0.0, 0.0, 0.0]),
    ];
    let (inputs, hidden, rates) = shapes[number % shapes.len()];
    let shape = Shape {
        inputs,
        hidden: hidden.to_vec(),
        activation: [Activation::Relu, Activation::Tanh, Activation::Gelu][number % 3],
        loss: [Loss::CrossEntropy, Loss::Squared, Loss::BinaryCrossEntropy, Loss::Normal][number / 7 % 4],
        share: [Share::Row, Share::Slice][number % 2],
        scaling: [Scaling::Training, Scaling::AtPrediction][number / 2 % 2],
        rates: rates.to_vec(),
        batch: 70,
        slice: 8,
    };
    Case::new(shape, random)
}

#[test]
fn exact_is_the_enumeration_of_all_masks() {
    let mut random = Random(31);
    for number in 0..28 {
        let case = small(number, &mut random);
        let inputs = &case.examples.inputs;
        let Averaged { mean, spread, noise } = averaged(&case, Link::of(case.loss().kind), inputs, "exact");
        let spread = spread.unwrap();
        // The first rows, one around the end of a slice of 64, and the last.
        for row in [0, 1, 63, 64, inputs.rows() - 1] {
            let mut expected = enumerated(&case, inputs.row(row));
            // Of what a network says of the variance of the observations there is the mean alone.
            let variances = expected.split_off(mean.columns());
            let noise = noise.as_ref().map_or(&[][..], |noise| noise.row(row));
            assert_eq!(variances.len(), noise.len());
            for (noise, (expected, _)) in noise.iter().zip(variances) {
                let variance = f64::from(*noise).powi(2);
                let near = 2e-6 * (1.0 + expected);
                assert!(
                    (variance - expected).abs() < near,
                    "case {number}, row {row}: {variance}, not {expected}"
                );
            }
            for (at, (expected, deviation)) in expected.into_iter().enumerate() {
                let (mean, spread) = (f64::from(mean.row(row)[at]), f64::from(spread.row(row)[at]));
                let near = 2e-6 * (1.0 + expected.abs() + deviation);
                assert!((mean - expected).abs() < near, "case {number}, row {row}: {mean}, not {expected}");
                // The square root makes much of the roundings of a variance near 0.
                let near = if deviation < 1e-3 { 1e-3 } else { near };
                assert!(
                    (spread - deviation).abs() < near,
                    "case {number}, row {row}: {spread}, not {deviation}"
                );
            }
        }
    }
}

/// Both means of 100,000 sampled networks, shared and each row's own, against the enumeration.
#[test]
fn a_hundred_thousand_samples_come_near_the_enumeration() {
    const SAMPLES: f64 = 100_000.0;
    let mut random = Random(32);
    for number in [1, 8, 15, 22] {
        let case = small(number, &mut random);
        let inputs = case.examples.inputs.select(&[0, 1, 2]);
        let link = Link::of(case.loss().kind);
        let exact = averaged(&case, link, &inputs, "exact");
        for by in ["mc:100000:rows", "mc:100000:shared"] {
            let sampled = averaged(&case, link, &inputs, by);
            for at in 0..exact.mean.values().len() {
                let deviation = f64::from(exact.spread.as_ref().unwrap().values()[at]);
                let distance = f64::from(sampled.mean.values()[at] - exact.mean.values()[at]).abs();
                assert!(
                    distance < 4.5 * deviation / SAMPLES.sqrt() + 1e-6,
                    "case {number}, {by}: {distance}"
                );
                let spread = f64::from(sampled.spread.as_ref().unwrap().values()[at]);
                assert!(
                    (spread / deviation - 1.0).abs() < 0.02,
                    "case {number}, {by}: {spread}, {deviation}"
                );
            }
        }
    }
}

/// Baldi and Sadowski 2013: for one softmax layer the geometric mean of all masks is weight scaling, so
/// that of many samples comes near it; the arithmetic mean does not.
#[test]
fn the_geometric_mean_of_one_layer_comes_near_weight_scaling() {
    let mut random = Random(33);
    for number in [0, 7 * 2] {
        let case = small(number, &mut random);
        // Large enough for the two means to differ.
        let inputs = case.examples.inputs.select(&[0, 1, 2, 3]);
        let inputs = Matrix::new(4, 9, inputs.values().iter().map(|x| 3.0 * x).collect()).unwrap();
        let link = Link::of(case.loss().kind);
        let distance = |by: &str| {
            let (mean, whole) =
                (averaged(&case, link, &inputs, by).mean, averaged(&case, link, &inputs, "scale").mean);
            let distances = mean.values().iter().zip(whole.values()).map(|(a, b)| (a - b).abs());
            distances.fold(0.0, f32::max)
        };
        let (geometric, arithmetic) = (distance("mc-geometric:100000:shared"), distance("exact"));
        assert!(geometric < 0.004, "{geometric}");
        assert!(arithmetic > 0.02, "{arithmetic}: the test tells nothing");
    }
}

#[test]
fn more_than_20_droppable_units_are_refused() {
    let shape = |units: usize| Shape {
        inputs: 3,
        hidden: vec![units, 30],
        activation: Activation::Relu,
        loss: Loss::Squared,
        share: Share::Slice,
        scaling: Scaling::Training,
        rates: vec![0.0, 0.5, 0.0],
        batch: 4,
        slice: 8,
    };
    let case = Case::new(shape(21), &mut Random(34));
    let thinning = Thinning::new(&case.thin, &case.network, 0).unwrap();
    let (link, inputs) = (Link::Identity, &case.examples.inputs);
    let error = average(isa(), &case.network, &thinning, link, inputs, Average::Exact).unwrap_err();
    assert_eq!(
        error.to_string(),
        "average: exact asks all 2^21 thinned networks; with more than 20 droppable units use mc:T"
    );
}

#[test]
fn a_temperature_is_that_of_every_thinned_network() {
    let mut random = Random(35);
    let mut case = small(1, &mut random);
    let cold = |case: &Case, by: &str| averaged(case, Link::Softmax, &case.examples.inputs, by);
    let warm: Vec<Averaged> = ["scale", "mc:7", "mc-geometric:7", "exact", "moments"]
        .map(|by| {
            averaged(&case, Output { link: Link::Softmax, temperature: 2.0 }, &case.examples.inputs, by)
        })
        .to_vec();
    // The same network with half the weights and biases in its last layer.
    let last = case.network.layers().len() - 1;
    let units = case.network.layers()[last].units;
    let half = |values: &[f32]| values.iter().map(|value| 0.5 * value).collect::<Vec<f32>>();
    let weights: Vec<f32> = (0..units).flat_map(|unit| half(case.network.unit_weights(last, unit))).collect();
    let biases = half(case.network.biases(last));
    case.network.set_layer(last, &weights, &biases).unwrap();
    for (by, warm) in ["scale", "mc:7", "mc-geometric:7", "exact", "moments"].iter().zip(warm) {
        let halved = cold(&case, by);
        let distances = warm.mean.values().iter().zip(halved.mean.values()).map(|(a, b)| (a - b).abs());
        let distance = distances.fold(0.0, f32::max);
        assert!(distance < 1e-6, "{by}: {distance}");
        if let (Some(warm), Some(halved)) = (warm.spread, halved.spread) {
            let distances = warm.values().iter().zip(halved.values()).map(|(a, b)| (a - b).abs());
            assert!(distances.fold(0.0, f32::max) < 1e-5, "{by}: the spread");
        }
    }
}

/// 300 rows, in five chunks: each kind of noise by the averages that it has, and at two temperatures.
#[test]
fn every_average_has_the_same_bits_on_any_number_of_threads() {
    let of_units = &["mc:9", "mc-geometric:9:rows", "mc:9:shared", "exact", "moments"][..];
    let of_edges = &["mc:9", "mc-geometric:9:rows", "mc:9:shared", "dropconnect:9"][..];
    for (drop, share, averages) in [
        (Drop::Units, Share::Row, of_units),
        (Drop::Gaussian, Share::Row, &["mc:9", "mc:9:shared", "moments"]),
        (Drop::Gaussian, Share::Slice, &["mc:9", "mc-geometric:9:rows"]),
        (Drop::Edges, Share::Row, of_edges),
        (Drop::Edges, Share::Slice, of_edges),
        (Drop::EdgesGaussian, Share::Row, &["mc:9", "dropconnect:9"]),
        (Drop::SparseVariational, Share::Row, &["mc:9"]),
    ] {
        let mut random = Random(36);
        let mut case = small(2, &mut random);
        (case.thin.drop, case.thin.share) = (drop, share);
        if !matches!(drop, Drop::Units | Drop::Edges) {
            case.thin.scaling = Scaling::Training;
        }
        case.network = case.thin.with_noise(case.network).unwrap();
        case.examples.inputs = Matrix::new(300, 7, random.normals(2100)).unwrap();
        for by in averages {
            for temperature in [1.0, 2.0] {
                let output = Output { link: Link::Softmax, temperature };
                let on = |threads: usize| {
                    let threads = Threads::new(threads).unwrap();
                    threads.run(|| averaged(&case, output, &case.examples.inputs, by))
                };
                let one = on(1);
                let spread = one.spread.as_ref().unwrap().values();
                assert!(spread.iter().all(|&spread| spread > 0.0), "{drop:?}, {by}: nothing was sampled");
                for threads in 2..=4 {
                    assert!(on(threads) == one, "{drop:?}, {share:?}, {by} on {threads} threads");
                }
            }
        }
    }
}
