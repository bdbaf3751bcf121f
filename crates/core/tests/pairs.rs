//! Losses over pairs of thinned networks: value and gradient of a step against the papers'
//! formulas, written out in f64 over the judge's networks and differentiated by differences.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape, isa};
use naive::loss::{Target, softmax};
use naive::mask::{self, Mask};
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{Rates, Scaling, Share, ThinSpec};
use thinnet::train::{Loss, Momentum, Objective, Optimizer, Pair, Stepper, TrainSpec};

fn case(number: usize, pair: Pair, random: &mut Random) -> Case {
    let shape = Shape {
        inputs: 5,
        hidden: vec![7, 4],
        activation: Activation::Tanh,
        loss: LOSSES[number % 3],
        share: [Share::Row, Share::Slice][number / 3 % 2],
        scaling: [Scaling::Training, Scaling::AtPrediction][number / 6 % 2],
        rates: vec![0.2, 0.5, 0.3],
        batch: 11,
        slice: 4,
    };
    let mut case = Case::new(shape, random);
    case.train.pair = pair;
    case.train.optimizer = Optimizer::Sgd;
    case.train.momentum = Momentum::Constant(0.0);
    case
}

/// The mask of a twin: the rows of the twins follow those of the whole mini-batch, their slices its slices.
fn twin_mask(case: &Case, position: usize, step: u64) -> Mask {
    let levels = Net::of(&case.network).levels();
    let own = match case.thin.share {
        Share::Row => case.batch + position,
        Share::Slice => case.batch.div_ceil(case.train.slice) + position / case.train.slice,
    };
    mask::draw(&case.rates, &levels, case.seed, mask::TRAINING, own, step)
}

/// What outputs stand for, as a distribution or as values.
fn means(loss: Loss, outputs: &[Real]) -> Vec<f64> {
    let probabilities = |logits: &[Real]| softmax(logits).iter().map(|p| p.value).collect();
    match loss {
        Loss::CrossEntropy => probabilities(outputs),
        Loss::BinaryCrossEntropy => probabilities(&[Real::exact(0.0), outputs[0]]),
        _ => outputs.iter().map(|z| z.value).collect(),
    }
}

/// sum p log (p / q); for values that of normal distributions of variance 1, a mean over the outputs.
fn divergence(loss: Loss, p: &[f64], q: &[f64]) -> f64 {
    match loss {
        Loss::CrossEntropy | Loss::BinaryCrossEntropy => p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum(),
        _ => p.iter().zip(q).map(|(p, q)| 0.5 * (p - q).powi(2)).sum::<f64>() / p.len() as f64,
    }
}

fn distance(loss: Loss, p: &[f64], q: &[f64]) -> f64 {
    let squares: f64 = p.iter().zip(q).map(|(p, q)| (p - q).powi(2)).sum();
    match loss {
        Loss::CrossEntropy => squares,
        // Of the one probability, not of both.
        Loss::BinaryCrossEntropy => squares / 2.0,
        _ => squares / p.len() as f64,
    }
}

/// The mean loss of a mini-batch of pairs.
fn loss_of(case: &Case, net: &Net, rows: &[usize], step: u64) -> f64 {
    let (batch, loss) = (case.batch(rows, step), case.loss());
    let whole = mask::whole_scales(&case.rates, case.thin.scaling);
    let total = batch.rows.iter().enumerate().map(|(position, row)| {
        let target: &Target = &row.target;
        let first = net.forward(&row.inputs, &row.mask, &batch.scales);
        let one = loss.value(first.outputs(), target).value;
        let p = means(loss.kind, first.outputs());
        let pair = match case.train.pair {
            Pair::None => one,
            Pair::RDrop { alpha } => {
                let second = net.forward(&row.inputs, &twin_mask(case, position, step), &batch.scales);
                let q = means(loss.kind, second.outputs());
                let both = divergence(loss.kind, &p, &q) + divergence(loss.kind, &q, &p);
                0.5 * (one + loss.value(second.outputs(), target).value) + f64::from(alpha) * 0.5 * both
            }
            Pair::ExpectationLinear { lambda } => {
                let second = net.forward(&row.inputs, &mask::whole(&net.levels()), &whole);
                one + f64::from(lambda) * distance(loss.kind, &p, &means(loss.kind, second.outputs()))
            }
        };
        row.weight * pair
    });
    total.sum::<f64>() / rows.len() as f64
}

#[test]
fn loss_and_gradient_of_a_pair_are_those_of_its_formula() {
    let mut random = Random(11);
    let pairs = [
        Pair::None,
        Pair::RDrop { alpha: 0.0 },
        Pair::RDrop { alpha: 1.5 },
        Pair::ExpectationLinear { lambda: 2.0 },
    ];
    for number in 0..48 {
        let case = case(number, pairs[number / 12], &mut random);
        // A short mini-batch, too: its twins keep their numbers.
        let rows = case.rows(if number % 2 == 0 { case.batch } else { 6 }, &mut random);
        let (mut stepper, step, rate) = (case.stepper(), 2, f64::from(1 << 20));
        for _ in 0..step {
            stepper.step(&case.examples, case.weights.as_deref(), &rows, &[0.0]).unwrap();
        }
        let loss = stepper.step(&case.examples, case.weights.as_deref(), &rows, &[rate]).unwrap();
        let net = Net::of(&case.network);
        let expected = loss_of(&case, &net, &rows, step);
        let what = format!("case {number}, {:?}, {:?}", case.train.pair, case.thin);
        assert!((loss - expected).abs() < 1e-5 * (1.0 + expected), "{loss}, not {expected}: {what}");
        let (before, after) = (parameters_of(&case.network), parameters_of(stepper.network()));
        for (parameter, (before, after)) in before.iter().zip(&after).enumerate() {
            let moved = |by: f64| {
                let mut net = net.clone();
                *net.parameters_mut()[parameter] += by;
                loss_of(&case, &net, &rows, step)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let gradient = (f64::from(*before) - f64::from(*after)) / rate;
            assert!(
                (gradient - slope).abs() < 3e-6 * (1.0 + slope.abs()),
                "parameter {parameter}: {gradient}, not {slope}: {what}"
            );
        }
    }
}

/// One step of a small network against PyTorch with the same masks: reference/pairs.py wrote it.
#[test]
fn a_pair_is_the_one_of_pytorch() {
    let reference: serde_json::Value = serde_json::from_str(include_str!("reference/pairs.json")).unwrap();
    let numbers = |list: &serde_json::Value| -> Vec<f64> {
        list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let narrow = |list: &serde_json::Value| numbers(list).iter().map(|&number| number as f32).collect();
    let labels = numbers(&reference["labels"]).iter().map(|&label| label as u32).collect();
    let inputs = Matrix::new(6, 4, narrow(&reference["inputs"])).unwrap();
    let examples = Examples::new(inputs, Targets::Classes { labels, classes: 3 }, None).unwrap();
    let parameters: Vec<f32> = narrow(&reference["parameters"]);
    let spec = NetworkSpec { hidden: vec![6], ..NetworkSpec::default() };
    let mut network = Network::zeros(4, 3, &spec).unwrap();
    network.set_layer(0, &parameters[..24], &parameters[24..30]).unwrap();
    network.set_layer(1, &parameters[30..48], &parameters[48..]).unwrap();
    let rates = numbers(&reference["rates"]);
    let thin = ThinSpec {
        input: rates[0] as f32,
        hidden: Rates::All(rates[1] as f32),
        share: Share::Row,
        ..ThinSpec::default()
    };
    for (pair, expected) in reference["cases"].as_object().unwrap() {
        let train = TrainSpec {
            pair: pair.parse().unwrap(),
            optimizer: Optimizer::Sgd,
            momentum: Momentum::Constant(0.0),
            slice: 4,
            ..TrainSpec::default()
        };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let seed = reference["seed"].as_u64().unwrap() as u32;
        let mut stepper = Stepper::new(isa(), network.clone(), &thin, &train, objective, 6, seed).unwrap();
        let rows: Vec<usize> = (0..6).collect();
        for _ in 0..reference["step"].as_u64().unwrap() {
            stepper.step(&examples, None, &rows, &[0.0]).unwrap();
        }
        let rate = f64::from(1 << 20);
        let loss = stepper.step(&examples, None, &rows, &[rate]).unwrap();
        let torch = expected["loss"].as_f64().unwrap();
        assert!((loss - torch).abs() < 1e-6 * torch, "{pair}: loss {loss}, not {torch}");
        let after = parameters_of(stepper.network());
        for ((before, after), torch) in parameters.iter().zip(&after).zip(numbers(&expected["gradients"])) {
            let gradient = (f64::from(*before) - f64::from(*after)) / rate;
            assert!((gradient - torch).abs() < 2e-6 * (1.0 + torch.abs()), "{pair}: {gradient}, not {torch}");
        }
    }
}
