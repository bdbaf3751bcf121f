//! Forward pass, loss and every gradient of the engine against the naive ones, and those
//! against central differences of the naive loss.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape, isa};
use naive::loss::Target;
use naive::mask::{self, MONTE_CARLO};
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::average::{Average, Link, average};
use thinnet::network::Activation;
use thinnet::thin::{self, Scaling, Share, Thinning};
use thinnet::train::{Loss, Optimizer};

const RATES: [f32; 6] = [0.0, 0.1, 0.2, 0.5, 0.5, 0.9];

/// The case with this number: activations, shares, scalings and losses take turns, so that any
/// 216 numbers in a row have all combinations; the rest is random.
fn case(number: usize, widest: usize, random: &mut Random) -> Case {
    let width = |random: &mut Random| 1 + random.below(widest);
    let depth = random.below(5);
    let shape = Shape {
        inputs: width(random),
        hidden: (0..depth).map(|_| width(random)).collect(),
        activation: naive::activation::ACTIVATIONS[number % 9],
        share: [Share::Row, Share::Slice][number / 9 % 2],
        scaling: [Scaling::Training, Scaling::AtPrediction][number / 18 % 2],
        loss: LOSSES[number / 36 % LOSSES.len()],
        rates: (0..=depth).map(|_| random.pick(&RATES)).collect(),
        batch: 1 + random.below(60),
        slice: 1 + random.below(40),
    };
    Case::new(shape, random)
}

/// What one step of plain descent with a learning rate of 2^20 leaves: so far from where it
/// began that the difference has the gradient to the last bit but one.
fn gradients_of_engine(case: &Case, rows: &[usize], steps_before: u64) -> (f64, Vec<f32>) {
    const RATE: f64 = (1 << 20) as f64;
    let mut stepper = case.stepper();
    for _ in 0..steps_before {
        // With a learning rate of 0 a step only counts.
        stepper.step(&case.examples, case.weights.as_deref(), rows, &[0.0]).unwrap();
    }
    let before = parameters_of(stepper.network());
    let loss = stepper.step(&case.examples, case.weights.as_deref(), rows, &[RATE]).unwrap();
    let after = parameters_of(stepper.network());
    let gradient = |(&before, &after): (&f32, &f32)| ((f64::from(before) - f64::from(after)) / RATE) as f32;
    (loss, before.iter().zip(&after).map(gradient).collect())
}

/// The naive gradient as the engine shows it: with penalties, then subtracted from the weight.
fn gradients_of_judge(case: &Case, rows: &[usize], step: u64) -> (Real, Vec<Real>) {
    let mut net = Net::of(&case.network);
    let (loss, mut gradients) = net.loss_and_gradients(&case.loss(), &case.batch(rows, step));
    let (l1, l2) = (f64::from(case.train.l1), f64::from(case.train.l2));
    for (gradients, layer) in gradients.weights.iter_mut().zip(&net.layers) {
        for (gradient, &weight) in gradients.iter_mut().flatten().zip(layer.weights.iter().flatten()) {
            *gradient += Real::exact(weight) * l2 + Real::exact(weight).sign() * l1;
        }
    }
    let weights: Vec<f64> = net.parameters_mut().into_iter().map(|weight| *weight).collect();
    // Subtracting 2^20 times the gradient from the weight and then the weight from that rounds twice.
    let shown = |(gradient, weight): (&Real, f64)| {
        let weight = Real::exact(weight / 2f64.powi(20));
        weight - (weight - *gradient)
    };
    (loss, gradients.iter().zip(weights).map(shown).collect())
}

#[test]
fn loss_and_every_gradient_are_the_naive_ones() {
    let (mut random, mut farthest, mut widest_tolerance) = (Random(1), 0.0_f64, 0.0_f64);
    for number in 0..360 {
        let mut case = case(number, 70, &mut random);
        case.train.optimizer = Optimizer::Sgd;
        case.train.momentum = thinnet::train::Momentum::Constant(0.0);
        case.train.l1 = random.pick(&[0.0, 0.0, 0.02]);
        case.train.l2 = random.pick(&[0.0, 0.0, 0.3]);
        // Fewer rows than the buffers hold, and a last slice that is short.
        let count = 1 + random.below(case.batch);
        let (rows, step) = (case.rows(count, &mut random), random.below(4) as u64);
        let (loss, gradients) = gradients_of_engine(&case, &rows, step);
        let (judged_loss, judged) = gradients_of_judge(&case, &rows, step);

        let what = || {
            format!(
                "case {number}: {:?} {:?} {:?} {count} rows",
                case.network.layers(),
                case.thin,
                case.train
            )
        };
        assert!(judged_loss.distance(loss as f32) <= 1.0, "loss {loss}, not {judged_loss:?}, {}", what());
        assert_eq!(gradients.len(), judged.len());
        for (at, (&gradient, judged)) in gradients.iter().zip(&judged).enumerate() {
            let distance = judged.distance(gradient);
            assert!(distance <= 1.0, "gradient {at} is {gradient}, not {judged:?}, {}", what());
            farthest = farthest.max(distance);
        }
        let norm = |of: &dyn Fn(&Real) -> f64| judged.iter().map(|g| of(g).powi(2)).sum::<f64>().sqrt();
        if norm(&|g| g.value) > 0.0 {
            widest_tolerance = widest_tolerance.max(norm(&|g| g.error) / norm(&|g| g.value));
        }
    }
    // Where a relu is so close to 0 that f32 cannot tell its side, much is allowed; else millionths.
    assert!(widest_tolerance < 1e-3, "the tolerance is {widest_tolerance} of the gradient");
    println!("farthest {farthest} of what is allowed, which is at most {widest_tolerance} of the gradient");
}

#[test]
fn naive_gradients_are_the_slopes_of_the_naive_loss() {
    let (mut random, mut kinks, mut slopes) = (Random(2), 0, 0);
    for number in 0..216 {
        let case = case(number, 6, &mut random);
        let rows = case.rows(1 + case.batch.min(5), &mut random);
        let (batch, loss, net) = (case.batch(&rows, 0), case.loss(), Net::of(&case.network));
        let (_, gradients) = net.loss_and_gradients(&loss, &batch);
        let at = |parameter: usize, by: f64| {
            let mut net = net.clone();
            *net.parameters_mut()[parameter] += by;
            (net.loss_and_gradients(&loss, &batch).0.value, sides(&net, &loss, &batch))
        };
        for (parameter, gradient) in gradients.iter().enumerate().filter(|_| random.below(4) == 0) {
            let h = 1e-3;
            let [below, above, half_below, half_above] =
                [-h, h, -h / 2.0, h / 2.0].map(|by| at(parameter, by));
            if below.1 != above.1 {
                kinks += 1;
                continue;
            }
            // Richardson: the errors of h² cancel, what is left is about h⁴ times a fifth derivative.
            let coarse = (above.0 - below.0) / (2.0 * h);
            let fine = (half_above.0 - half_below.0) / h;
            let slope = (4.0 * fine - coarse) / 3.0;
            let off = (slope - gradient.value).abs();
            assert!(
                off < 1e-8 * (1.0 + slope.abs()),
                "case {number}, parameter {parameter}: {gradient:?}, not {slope}"
            );
            slopes += 1;
        }
    }
    assert!(slopes > 2000 && kinks < slopes / 20, "{slopes} slopes, {kinks} kinks");
}

/// On which side of its kinks every unit and every error of every row is.
fn sides(net: &Net, loss: &naive::loss::Loss, batch: &naive::Batch) -> Vec<bool> {
    let mut sides = Vec::new();
    for row in &batch.rows {
        let pass = net.forward(&row.inputs, &row.mask, &batch.scales);
        sides.extend(pass.pre.iter().flatten().map(|z| z.value > 0.0));
        if let Target::Values(values) = &row.target {
            for (output, target) in pass.outputs().iter().zip(values) {
                let error = output.value - target;
                sides.extend([error > 0.0, error.abs() > loss.delta]);
            }
        }
    }
    sides
}

#[test]
fn outputs_of_whole_and_sampled_networks_are_the_naive_ones() {
    let mut random = Random(3);
    for number in 0..216 {
        let case = case(number, 70, &mut random);
        let inputs = &case.examples.inputs;
        let thinning = Thinning::new(&case.thin, &case.network, case.seed).unwrap();
        let whole = thin::outputs(isa(), &case.network, &thinning, inputs).unwrap();
        // The mean of one sampled network is its outputs.
        let by = Average::monte_carlo(1);
        let sampled = average(isa(), &case.network, &thinning, Link::Identity, inputs, by).unwrap().mean;
        let (net, scales) = (Net::of(&case.network), mask::thinned_scales(&case.rates, case.thin.scaling));
        for row in 0..inputs.rows() {
            for (&output, judged) in whole.row(row).iter().zip(case.whole_outputs(row)) {
                assert!(
                    judged.distance(output) <= 1.0,
                    "whole, case {number}, row {row}: {output}, not {judged:?}"
                );
            }
            let own = if case.thin.share == Share::Row { row } else { 0 };
            let mask = mask::draw(&case.rates, &net.levels(), case.seed, MONTE_CARLO, own, 0);
            let pass = net.forward(inputs.row(row), &mask, &scales);
            for (&output, judged) in sampled.row(row).iter().zip(pass.outputs()) {
                assert!(
                    judged.distance(output) <= 1.0,
                    "sampled, case {number}, row {row}: {output}, not {judged:?}"
                );
            }
        }
    }
}

/// A gradient that is off by a thousandth, or a mask that is another, must be seen.
#[test]
fn the_tolerance_is_small() {
    let mut random = Random(4);
    let mut case = case(0, 70, &mut random);
    case.train.optimizer = Optimizer::Sgd;
    case.train.momentum = thinnet::train::Momentum::Constant(0.0);
    assert_eq!(
        (case.train.loss, case.network.layers()[0].activation),
        (Some(Loss::CrossEntropy), Activation::Relu)
    );
    let rows = case.rows(case.batch, &mut random);
    let (_, gradients) = gradients_of_engine(&case, &rows, 0);
    let (_, judged) = gradients_of_judge(&case, &rows, 0);
    let (_, of_other_masks) = gradients_of_judge(&case, &rows, 1);
    let wrong = |judged: &[Real], factor: f32| {
        gradients
            .iter()
            .zip(judged)
            .filter(|(gradient, judged)| judged.distance(factor * **gradient) > 1.0)
            .count()
    };
    let alive = gradients.iter().filter(|gradient| **gradient != 0.0).count();
    assert_eq!(wrong(&judged, 1.0), 0);
    assert!(wrong(&judged, 1.001) > alive * 9 / 10, "{} of {alive}", wrong(&judged, 1.001));
    assert!(wrong(&of_other_masks, 1.0) > alive * 9 / 10, "{} of {alive}", wrong(&of_other_masks, 1.0));
}
