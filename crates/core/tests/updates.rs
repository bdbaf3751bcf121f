//! Many steps of every optimizer, with penalties and constraints, against the papers' formulas in f64.
//!
//! The judge follows the optimizer's memory from the first step to the last, but takes the
//! weights of each step from the engine: else the two would drift apart as any two trainings do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape};
use naive::real::DEVIATIONS;
use naive::rule::Memory;
use naive::{Net, Parameters, parameters_of};
use thinnet::network::{Activation, Network};
use thinnet::thin::{Drop, Rates, Scaling, Share, ThinSpec};
use thinnet::train::{Momentum, Optimizer, TrainSpec};

const STEPS: u64 = 25;

/// A small network with several slices in a mini-batch, the last one short.
fn case(share: Share, loss: usize, random: &mut Random) -> Case {
    let shape = Shape {
        inputs: 9,
        hidden: vec![17, 6],
        activation: Activation::Tanh,
        loss: LOSSES[loss % LOSSES.len()],
        share,
        scaling: Scaling::Training,
        rates: vec![0.2, 0.5, 0.25],
        batch: 13,
        slice: 5,
    };
    Case::new(shape, random)
}

/// Steps the engine and the judge side by side. Returns the share of unit norms and of gradient
/// norms that are at their limits.
fn follow(case: &Case, random: &mut Random) -> f64 {
    let mut stepper = case.stepper();
    let mut memory = Memory::new(&Net::of(&case.network));
    let mut held = 0.0;
    for step in 0..STEPS {
        let count = if step % 5 == 4 { 7 } else { case.batch };
        let (rows, rate) = (case.rows(count, random), learning_rate(&case.train, step));
        let net = Net::of(stepper.network());
        let (_, gradients) = net.loss_and_gradients(&case.loss(), &case.batch(&rows, step));
        let after = memory.step(&case.train, rate, &net, gradients);
        stepper.step(&case.examples, case.weights.as_deref(), &rows, &[rate]).unwrap();
        let moved = parameters_of(stepper.network());
        assert!(
            is_strict(&net, &after),
            "step {step}: the tolerance is not small beside the step, {:?}",
            case.train
        );
        for (at, (&engine, judged)) in moved.iter().zip(after.iter()).enumerate() {
            let distance = judged.distance(engine);
            assert!(
                distance <= 1.0,
                "step {step}, parameter {at}: {engine}, not {judged:?}, {:?}",
                case.train
            );
        }
        held += share_at_norm(&case.train, &Net::of(stepper.network())) / STEPS as f64;
    }
    held
}

/// Whether the tolerance is below a thousandth of the step, for 19 of 20 parameters. The steps of
/// Adam are of one size even where a gradient is 0 but for its rounding.
fn is_strict(before: &Net, after: &Parameters) -> bool {
    let mut before = before.clone();
    let before = before.parameters_mut();
    let steps: f64 =
        before.iter().zip(after.iter()).map(|(before, after)| (after.value - **before).powi(2)).sum();
    let step = (steps / before.len() as f64).sqrt();
    let loose = after.iter().filter(|after| DEVIATIONS * after.error > 1e-3 * step).count();
    loose * 20 < before.len()
}

/// A learning rate that is another at each step.
fn learning_rate(train: &TrainSpec, step: u64) -> f64 {
    f64::from(train.learning_rate) / (1.0 + 0.1 * step as f64)
}

/// The share of units whose incoming weights have the largest norm that is allowed.
fn share_at_norm(train: &TrainSpec, net: &Net) -> f64 {
    let norm = |weights: &Vec<f64>| weights.iter().map(|w| w * w).sum::<f64>().sqrt();
    let norms: Vec<f64> = net.layers.iter().flat_map(|layer| layer.weights.iter().map(norm)).collect();
    let limit = f64::from(train.max_norm);
    assert!(limit == 0.0 || norms.iter().all(|&norm| norm < limit * (1.0 + 1e-6)), "{norms:?} above {limit}");
    norms.iter().filter(|&&norm| norm > limit * (1.0 - 1e-6)).count() as f64 / norms.len() as f64
}

#[test]
fn every_optimizer_follows_its_formula() {
    let mut random = Random(5);
    let optimizers = [
        (Optimizer::Sgd, 0.1, "0"),
        (Optimizer::Sgd, 0.1, "0.9"),
        (Optimizer::Sgd, 0.1, "linear:0.5:0.95:10"),
        (Optimizer::Nesterov, 0.05, "exponential:0.5:0.99:7"),
        (Optimizer::Adam, 0.01, "0.9"),
        (Optimizer::Adamw, 0.01, "0.9"),
    ];
    for (number, (optimizer, learning_rate, momentum)) in optimizers.into_iter().enumerate() {
        for share in [Share::Row, Share::Slice] {
            for (l1, l2, max_norm, clip) in CONSTRAINTS {
                let mut case = case(share, number, &mut random);
                let momentum: Momentum = momentum.parse().unwrap();
                case.train = TrainSpec {
                    optimizer,
                    learning_rate,
                    momentum,
                    l1,
                    l2,
                    max_norm,
                    clip,
                    weight_decay: 0.3,
                    ..case.train
                };
                follow(&case, &mut random);
            }
        }
    }
}

const CONSTRAINTS: [(f32, f32, f32, f32); 6] = [
    (0.0, 0.0, 0.0, 0.0),
    (0.01, 0.0, 0.0, 0.0),
    (0.0, 0.1, 0.0, 0.0),
    (0.0, 0.0, 1.2, 0.0),
    (0.0, 0.0, 0.0, 0.3),
    (0.01, 0.1, 0.9, 0.2),
];

#[test]
fn adam_follows_its_formula_with_other_numbers() {
    let mut random = Random(6);
    for (beta1, beta2, epsilon) in [(0.5, 0.9, 1e-3), (0.0, 0.99, 1e-8), (0.8, 0.5, 0.1)] {
        let mut case = case(Share::Slice, 2, &mut random);
        case.train = TrainSpec { beta1, beta2, epsilon, learning_rate: 0.02, ..case.train };
        follow(&case, &mut random);
    }
}

/// The constraints of these tests must be felt: most units are at their largest norm, and
/// clipping changes where the steps lead.
#[test]
fn limits_are_reached() {
    let mut random = Random(7);
    let mut case = case(Share::Row, 0, &mut random);
    case.train = TrainSpec { optimizer: Optimizer::Sgd, learning_rate: 0.1, max_norm: 0.9, ..case.train };
    let held = follow(&case, &mut random);
    assert!(held > 0.5, "only {held} of the units are at the limit");
    let rows = case.rows(case.batch, &mut random);
    let (_, gradients) = Net::of(&case.network).loss_and_gradients(&case.loss(), &case.batch(&rows, 0));
    let norm = gradients.iter().map(|gradient| gradient.value.powi(2)).sum::<f64>().sqrt();
    assert!(norm > 0.3, "a clip of 0.3 does nothing to a gradient of {norm}");
}

/// All parameters of a network, what is learned of its noise included.
fn numbers(network: &Network) -> Vec<f64> {
    let of_layer = |index| [network.weights(index), network.biases(index), network.noise(index)].concat();
    (0..network.layers().len()).flat_map(of_layer).map(f64::from).collect()
}

/// The divergence of learned noise, and the penalty of concrete dropout, come on top of a clipped gradient.
/// Rows of weight 0 have no gradient, so that they leave what these do alone.
#[test]
fn what_learned_noise_costs_is_not_clipped() {
    const CLIP: f32 = 0.05;
    let mut random = Random(9);
    for drop in [Drop::Variational, Drop::Concrete, Drop::SparseVariational] {
        let mut case = case(Share::Row, 0, &mut random);
        case.thin = ThinSpec { drop, input: 0.2, hidden: Rates::All(0.3), ..ThinSpec::default() };
        case.network = case.thin.with_noise(case.network).unwrap();
        let rows = case.rows(case.batch, &mut random);
        // By how much a step of gradient descent at the rate 1 lowers each parameter.
        let gradients = |clip: f32, weight: f32| -> Vec<f64> {
            let (optimizer, momentum) = (Optimizer::Sgd, Momentum::Constant(0.0));
            let train = TrainSpec { optimizer, momentum, clip, ..case.train.clone() };
            let mut stepper = Case { train, ..case.clone() }.stepper();
            let weights = vec![weight; case.examples.rows()];
            stepper.step(&case.examples, Some(&weights), &rows, &[1.0]).unwrap();
            let pairs = numbers(&case.network).into_iter().zip(numbers(stepper.network()));
            pairs.map(|(before, after)| before - after).collect()
        };
        let (all, costs, clipped) = (gradients(0.0, 1.0), gradients(0.0, 0.0), gradients(CLIP, 1.0));
        let norm = |of: &[f64]| of.iter().map(|gradient| gradient * gradient).sum::<f64>().sqrt();
        let of_loss: Vec<f64> = all.iter().zip(&costs).map(|(all, cost)| all - cost).collect();
        let limit = f64::from(CLIP);
        let (of_loss_norm, of_costs_norm) = (norm(&of_loss), norm(&costs));
        assert!(of_loss_norm > 2.0 * limit && of_costs_norm > 2.0 * limit, "{of_loss_norm}, {of_costs_norm}");
        for (at, clipped) in clipped.into_iter().enumerate() {
            let expected = of_loss[at] * limit / of_loss_norm + costs[at];
            // Parameters up to 8 are rounded to some 5e-7, in each of the three runs.
            let near = 1e-5 * (1.0 + expected.abs());
            assert!((clipped - expected).abs() < near, "{drop:?}, {at}: {clipped}, not {expected}");
        }
    }
}
