//! Noise on edges against the naive f64 judge: loss, every gradient, sampled and whole outputs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape, isa};
use naive::edges::{self, Draw, EdgeRow, Noise, Share};
use naive::loss::Target;
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::average::{Average, Link, average};
use thinnet::network::Activation;
use thinnet::thin::{self, Drop, Scaling, Thinning};
use thinnet::train::{Momentum, Optimizer};

const RATES: [f32; 6] = [0.0, 0.1, 0.2, 0.5, 0.5, 0.875];
const SHARES: [Share; 3] = [Share::Row, Share::Slice, Share::Groups(16)];

/// The case with this number; activations, shares, scalings and losses take turns.
fn case(number: usize, widest: usize, random: &mut Random) -> (Case, Share) {
    let width = |random: &mut Random| 1 + random.below(widest);
    let depth = random.below(4);
    let share = SHARES[number / 9 % 3];
    let shape = Shape {
        inputs: width(random),
        hidden: (0..depth).map(|_| width(random)).collect(),
        activation: naive::activation::ACTIVATIONS[number % 9],
        share: if share == Share::Row { thin::Share::Row } else { thin::Share::Slice },
        scaling: [Scaling::Training, Scaling::AtPrediction][number / 27 % 2],
        loss: LOSSES[number % 5],
        rates: (0..=depth).map(|_| random.pick(&RATES)).collect(),
        batch: 1 + random.below(90),
        slice: 1 + random.below(80),
    };
    let mut case = Case::new(shape, random);
    case.thin.drop = Drop::Edges;
    case.thin.share_rows = if let Share::Groups(rows) = share { rows } else { 0 };
    case.train.optimizer = Optimizer::Sgd;
    case.train.momentum = Momentum::Constant(0.0);
    (case, share)
}

/// The noise of all layers for a row.
fn noise(case: &Case, draw: Draw) -> Vec<Noise> {
    let layers = case.network.layers().iter().enumerate();
    let layer = |(index, layer): (usize, &thinnet::network::Layer)| {
        let rate = case.rates[index];
        let scale = match case.thin.scaling {
            Scaling::Training => Real::rounded(1.0 / edges::keep(rate), &[]),
            Scaling::AtPrediction => Real::exact(1.0),
        };
        draw.factors(index, rate, layer.units, layer.inputs, scale)
    };
    layers.map(layer).collect()
}

fn batch(case: &Case, share: Share, rows: &[usize], step: u64) -> Vec<EdgeRow> {
    let row = |(position, &row): (usize, &usize)| {
        let (seed, slice) = (case.seed, case.train.slice);
        let draw = Draw { seed, purpose: edges::TRAINING, step, share, slice, position };
        EdgeRow {
            inputs: case.examples.inputs.row(row).to_vec(),
            target: Target::of(&case.examples.targets, row),
            weight: case.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row])),
            noise: noise(case, draw),
        }
    };
    rows.iter().enumerate().map(row).collect()
}

/// What one step of plain descent leaves, with a learning rate so large that the difference is the gradient.
fn gradients_of_engine(case: &Case, rows: &[usize], steps_before: u64) -> (f64, Vec<f32>) {
    const RATE: f64 = (1 << 20) as f64;
    let mut stepper = case.stepper();
    for _ in 0..steps_before {
        stepper.step(&case.examples, case.weights.as_deref(), rows, 0.0).unwrap();
    }
    let before = parameters_of(stepper.network());
    let loss = stepper.step(&case.examples, case.weights.as_deref(), rows, RATE).unwrap();
    let after = parameters_of(stepper.network());
    let gradient = |(&before, &after): (&f32, &f32)| ((f64::from(before) - f64::from(after)) / RATE) as f32;
    (loss, before.iter().zip(&after).map(gradient).collect())
}

#[test]
fn loss_and_every_gradient_are_the_naive_ones() {
    let (mut random, mut widest_tolerance) = (Random(1), 0.0_f64);
    for number in 0..108 {
        let widest = if number % 6 == 0 { 150 } else { 40 };
        let (case, share) = case(number, widest, &mut random);
        let count = 1 + random.below(case.batch);
        let (rows, step) = (case.rows(count, &mut random), random.below(4) as u64);
        let (loss, gradients) = gradients_of_engine(&case, &rows, step);
        let mut net = Net::of(&case.network);
        let (judged_loss, judged) =
            net.edge_loss_and_gradients(&case.loss(), &batch(&case, share, &rows, step));
        let what =
            || format!("case {number}: {share:?} {:?} {:?} {count} rows", case.thin, case.network.layers());
        assert!(judged_loss.distance(loss as f32) <= 1.0, "loss {loss}, not {judged_loss:?}, {}", what());
        let weights: Vec<f64> = net.parameters_mut().into_iter().map(|weight| *weight).collect();
        let (mut errors, mut values) = (0.0, 0.0);
        for (at, (&gradient, judged)) in gradients.iter().zip(judged.iter()).enumerate() {
            // Subtracting 2^20 times the gradient from the weight and then the weight from that rounds twice.
            let weight = Real::exact(weights[at] / 2f64.powi(20));
            let judged = weight - (weight - *judged);
            assert!(
                judged.distance(gradient) <= 1.0,
                "gradient {at} is {gradient}, not {judged:?}, {}",
                what()
            );
            (errors, values) = (errors + judged.error.powi(2), values + judged.value.powi(2));
        }
        if values > 0.0 {
            widest_tolerance = widest_tolerance.max((errors / values).sqrt());
        }
    }
    assert!(widest_tolerance < 1e-3, "the tolerance is {widest_tolerance} of the gradient");
}

#[test]
fn outputs_of_whole_and_sampled_networks_are_the_naive_ones() {
    let mut random = Random(3);
    for number in 0..54 {
        let (case, share) = case(number, 50, &mut random);
        let inputs = &case.examples.inputs;
        let thinning = Thinning::new(&case.thin, &case.network, case.seed).unwrap();
        let whole = thin::outputs(isa(), &case.network, &thinning, inputs);
        let by = Average::MonteCarlo { samples: 1 };
        let sampled = average(isa(), &case.network, &thinning, Link::Identity, inputs, by).mean;
        let net = Net::of(&case.network);
        for row in 0..inputs.rows() {
            // All rows meet the same network where a slice or a group shared one.
            let (share, position) = if share == Share::Row { (share, row) } else { (Share::Slice, 0) };
            let draw =
                Draw { seed: case.seed, purpose: edges::MONTE_CARLO, step: 0, share, slice: 64, position };
            let pass = net.edge_forward(inputs.row(row), &noise(&case, draw));
            for (&output, judged) in sampled.row(row).iter().zip(pass.outputs()) {
                assert!(judged.distance(output) <= 1.0, "sampled, case {number}: {output}, not {judged:?}");
            }
            let whole_noise = case.network.layers().iter().zip(&case.rates).map(|(layer, &rate)| {
                let scale = if case.thin.scaling == Scaling::Training { 1.0 } else { edges::keep(rate) };
                Noise::Factors(vec![vec![Real::exact(scale); layer.inputs + 1]; layer.units])
            });
            let pass = net.edge_forward(inputs.row(row), &whole_noise.collect::<Vec<_>>());
            for (&output, judged) in whole.row(row).iter().zip(pass.outputs()) {
                assert!(judged.distance(output) <= 1.0, "whole, case {number}: {output}, not {judged:?}");
            }
        }
    }
}

#[test]
fn naive_gradients_are_the_slopes_of_the_naive_loss() {
    let (mut random, mut slopes) = (Random(2), 0);
    for number in 0..54 {
        let (case, share) = case(number, 6, &mut random);
        // A kink has no slope, and the judge of units shows how to step around it.
        let kinked = [Activation::Relu, Activation::LeakyRelu, Activation::Selu];
        if kinked.contains(&case.network.layers()[0].activation) || number % 5 > 2 {
            continue;
        }
        let rows = case.rows(1 + case.batch.min(5), &mut random);
        let (batch, loss, net) = (batch(&case, share, &rows, 0), case.loss(), Net::of(&case.network));
        let (_, gradients) = net.edge_loss_and_gradients(&loss, &batch);
        for (parameter, gradient) in gradients.iter().enumerate() {
            let at = |by: f64| {
                let mut net = net.clone();
                *net.parameters_mut()[parameter] += by;
                net.edge_loss_and_gradients(&loss, &batch).0.value
            };
            let h = 1e-3;
            let [coarse, fine] = [h, h / 2.0].map(|h| (at(h) - at(-h)) / (2.0 * h));
            let slope = (4.0 * fine - coarse) / 3.0;
            let off = (slope - gradient.value).abs();
            assert!(
                off < 1e-8 * (1.0 + slope.abs()),
                "case {number}, {parameter}: {gradient:?}, not {slope}"
            );
            slopes += 1;
        }
    }
    assert!(slopes > 500, "{slopes} slopes");
}
