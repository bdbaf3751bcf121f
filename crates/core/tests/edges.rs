//! Noise on edges against the naive f64 judge: loss, every gradient, sampled and whole outputs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape, isa};
use naive::edges::{self, Draw, EdgeRow, Noise, Share, divergence, divergence_slopes};
use naive::loss::Target;
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::average::{Average, Link, average};
use thinnet::network::{Activation, Network};
use thinnet::thin::{self, Drop, Scaling, Thinning};
use thinnet::train::{Loss, Momentum, Optimizer};

const RATES: [f32; 6] = [0.0, 0.1, 0.2, 0.5, 0.5, 0.875];
const DROPS: [Drop; 3] = [Drop::Edges, Drop::EdgesGaussian, Drop::SparseVariational];
const SHARES: [Share; 3] = [Share::Row, Share::Slice, Share::Groups(16)];

/// The case with this number; activations, shares and scalings take turns.
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
        loss: random.pick(&LOSSES),
        rates: (0..=depth).map(|_| random.pick(&RATES)).collect(),
        batch: 1 + random.below(90),
        slice: 1 + random.below(80),
    };
    let mut case = Case::new(shape, random);
    case.thin.drop = DROPS[number % 4 % 3];
    let is_masked = case.thin.drop == Drop::Edges;
    if !is_masked {
        case.thin.scaling = Scaling::Training;
    }
    let share = if is_masked { share } else { Share::Row };
    case.network = case.thin.with_noise(case.network).unwrap();
    for index in 0..case.network.layers().len() {
        let count = case.network.noise(index).iter().filter(|&&l| l != 0.0).count();
        // A steep loss needs less noise, so that no step takes a logarithm out of its bounds.
        let middle = if case.train.loss == Some(Loss::Normal) { -8.0 } else { -4.0 };
        let logarithms: Vec<f32> = (0..count).map(|_| middle + 2.0 * random.normal()).collect();
        case.network.set_noise(index, &logarithms).unwrap();
    }
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
        match case.thin.drop {
            Drop::EdgesGaussian if rate > 0.0 => {
                let alpha = Real::rounded(f64::from(rate) / (1.0 - f64::from(rate)), &[]);
                return Noise::Gaussian { alpha, numbers: draw.numbers(index, layer.units) };
            }
            Drop::SparseVariational => {
                let lines = case.network.noise(index).chunks_exact(layer.stride);
                let logarithms = lines.map(|line| line[..layer.inputs].iter().map(|&l| l.into()).collect());
                let numbers = draw.numbers(index, layer.units);
                return Noise::Variational { logarithms: logarithms.collect(), numbers };
            }
            Drop::EdgesGaussian => return all_kept(layer, Real::exact(1.0)),
            _ => {}
        }
        let scale = match case.thin.scaling {
            Scaling::Training => Real::rounded(1.0 / edges::keep(rate), &[]),
            Scaling::AtPrediction => Real::exact(1.0),
        };
        draw.factors(index, rate, layer.units, layer.inputs, scale)
    };
    layers.map(layer).collect()
}

/// All edges are kept.
fn all_kept(layer: &thinnet::network::Layer, scale: Real) -> Noise {
    Noise::Factors(vec![vec![scale; layer.inputs + 1]; layer.units])
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

/// Parameters, then the learned logarithms of all layers.
fn numbers_of(network: &Network) -> Vec<f32> {
    let logarithms = (0..network.layers().len()).flat_map(|index| {
        let layer = network.layers()[index];
        let lines = network.noise(index).chunks_exact(layer.stride.max(1));
        lines.flat_map(move |line| line[..layer.inputs].to_vec())
    });
    parameters_of(network).into_iter().chain(logarithms).collect()
}

/// What one step of plain descent leaves, with a learning rate so large that the difference is the gradient,
/// and yet so small that what is learned of the noise stays within its bounds.
fn gradients_of_engine(case: &Case, rows: &[usize], steps_before: u64) -> (f64, Vec<f32>, f64) {
    let rate = if case.thin.drop == Drop::SparseVariational { 1.0 / 16.0 } else { (1 << 20) as f64 };
    let mut stepper = case.stepper();
    for _ in 0..steps_before {
        stepper.step(&case.examples, case.weights.as_deref(), rows, &[0.0]).unwrap();
    }
    let before = numbers_of(stepper.network());
    let loss = stepper.step(&case.examples, case.weights.as_deref(), rows, &[rate]).unwrap();
    let after = numbers_of(stepper.network());
    let gradient = |(&before, &after): (&f32, &f32)| ((f64::from(before) - f64::from(after)) / rate) as f32;
    (loss, before.iter().zip(&after).map(gradient).collect(), rate)
}

/// The judge's loss and gradients, with those of the divergence.
fn gradients_of_judge(case: &Case, batch: &[EdgeRow]) -> (Real, Vec<Real>) {
    let net = Net::of(&case.network);
    let (loss, mut gradients, mut of_logarithms) = net.edge_loss_and_gradients(&case.loss(), batch);
    if case.thin.drop != Drop::SparseVariational {
        return (loss, gradients.iter().copied().collect());
    }
    // Against the sum of the losses of as many rows as a batch has; the losses of numbers are means over
    // the outputs, and half the squared error is a negative log-likelihood.
    let outputs = case.network.outputs() as f64;
    let factor = match case.train.loss.unwrap() {
        Loss::CrossEntropy | Loss::BinaryCrossEntropy => 1.0,
        Loss::Squared => 2.0 / outputs,
        Loss::Absolute | Loss::Huber => 1.0 / outputs,
        // Half of the outputs are variances.
        Loss::Normal => 2.0 / outputs,
    };
    let factor = Real::rounded(factor / case.batch as f64, &[]);
    for (index, layer) in net.layers.iter().enumerate() {
        let stride = case.network.layers()[index].stride;
        for (unit, weights) in layer.weights.iter().enumerate() {
            for (input, &w) in weights.iter().enumerate() {
                let l = f64::from(case.network.noise(index)[unit * stride + input]);
                let [by_weight, by_logarithm] = divergence_slopes(w, l);
                gradients.weights[index][unit][input] += by_weight * factor;
                of_logarithms[index][unit][input] += by_logarithm * factor;
            }
        }
    }
    let logarithms = of_logarithms.into_iter().flatten().flatten();
    (loss, gradients.iter().copied().chain(logarithms).collect())
}

#[test]
fn loss_and_every_gradient_are_the_naive_ones() {
    let (mut random, mut widest_tolerance) = (Random(1), 0.0_f64);
    for number in 0..108 {
        let widest = if number % 6 == 0 { 150 } else { 40 };
        let (case, share) = case(number, widest, &mut random);
        let count = 1 + random.below(case.batch);
        let (rows, step) = (case.rows(count, &mut random), random.below(4) as u64);
        let (loss, gradients, rate) = gradients_of_engine(&case, &rows, step);
        let (judged_loss, judged) = gradients_of_judge(&case, &batch(&case, share, &rows, step));
        let what = || {
            format!(
                "case {number}: {:?} {share:?} {:?} {:?} {count} rows",
                case.train.loss,
                case.thin,
                case.network.layers()
            )
        };
        assert!(judged_loss.distance(loss as f32) <= 1.0, "loss {loss}, not {judged_loss:?}, {}", what());
        let numbers = numbers_of(&case.network);
        assert_eq!(gradients.len(), judged.len());
        let (mut errors, mut values) = (0.0, 0.0);
        for (at, (&gradient, judged)) in gradients.iter().zip(&judged).enumerate() {
            // Subtracting the gradient from the number and then the number from that rounds twice.
            let number = Real::exact(f64::from(numbers[at]) / rate);
            let judged = number - (number - *judged);
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

/// The judge's network without weights whose noise has a variance above e^3 times their square.
fn pruned(case: &Case) -> Net {
    let mut net = Net::of(&case.network);
    if case.thin.drop == Drop::SparseVariational {
        for (index, layer) in net.layers.iter_mut().enumerate() {
            let stride = case.network.layers()[index].stride;
            for (unit, weights) in layer.weights.iter_mut().enumerate() {
                for (input, w) in weights.iter_mut().enumerate() {
                    let l = f64::from(case.network.noise(index)[unit * stride + input]);
                    *w = if l - (*w * *w).ln() > 3.0 { 0.0 } else { *w };
                }
            }
        }
    }
    net
}

#[test]
fn outputs_of_whole_and_sampled_networks_are_the_naive_ones() {
    let mut random = Random(3);
    for number in 0..54 {
        let (case, share) = case(number, 50, &mut random);
        let inputs = &case.examples.inputs;
        let thinning = Thinning::new(&case.thin, &case.network, case.seed).unwrap();
        let whole = thin::outputs(isa(), &case.network, &thinning, inputs).unwrap();
        let by = Average::monte_carlo(1);
        let sampled = average(isa(), &case.network, &thinning, Link::Identity, inputs, by).unwrap().mean;
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
                all_kept(layer, Real::exact(scale))
            });
            let net = pruned(&case);
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
    for number in 0..72 {
        let (case, share) = case(number, 6, &mut random);
        // A kink has no slope, and the judge of units shows how to step around it.
        let kinked = [Activation::Relu, Activation::LeakyRelu, Activation::Selu];
        let kinked_loss = matches!(case.train.loss, Some(Loss::Absolute | Loss::Huber));
        if kinked.contains(&case.network.layers()[0].activation) || kinked_loss {
            continue;
        }
        let rows = case.rows(1 + case.batch.min(5), &mut random);
        let (batch, loss, net) = (batch(&case, share, &rows, 0), case.loss(), Net::of(&case.network));
        let (_, gradients, of_logarithms) = net.edge_loss_and_gradients(&loss, &batch);
        let mut check = |what: &str, gradient: &Real, at: &dyn Fn(f64) -> f64| {
            let h = 1e-3;
            let [coarse, fine] = [h, h / 2.0].map(|h| (at(h) - at(-h)) / (2.0 * h));
            let slope = (4.0 * fine - coarse) / 3.0;
            let off = (slope - gradient.value).abs();
            assert!(off < 1e-7 * (1.0 + slope.abs()), "case {number}, {what}: {gradient:?}, not {slope}");
            slopes += 1;
        };
        for (parameter, gradient) in gradients.iter().enumerate() {
            check(&format!("parameter {parameter}"), gradient, &|by| {
                let mut net = net.clone();
                *net.parameters_mut()[parameter] += by;
                net.edge_loss_and_gradients(&loss, &batch).0.value
            });
        }
        if case.thin.drop == Drop::SparseVariational {
            check("logarithm", &of_logarithms[0][0][0], &|by| {
                let mut batch = batch.clone();
                for row in &mut batch {
                    let Noise::Variational { logarithms, .. } = &mut row.noise[0] else { unreachable!() };
                    logarithms[0][0] += by;
                }
                net.edge_loss_and_gradients(&loss, &batch).0.value
            });
        }
    }
    assert!(slopes > 500, "{slopes} slopes");
}

#[test]
fn slopes_of_the_divergence_are_its_differences() {
    let mut random = Random(5);
    for _ in 0..200 {
        let (w, l) = (f64::from(random.normal()) + 0.01, f64::from(6.0 * random.normal() - 3.0));
        let h = 1e-6 * w.abs();
        let by_w = (divergence(w + h, l) - divergence(w - h, l)) / (2.0 * h);
        let by_l = (divergence(w, l + 1e-5) - divergence(w, l - 1e-5)) / 2e-5;
        let [slope_w, slope_l] = divergence_slopes(w, l).map(|slope| slope.value);
        assert!((by_w - slope_w).abs() < 1e-5 * (1.0 + slope_w.abs()), "w {w}, l {l}: {slope_w}, not {by_w}");
        assert!((by_l - slope_l).abs() < 1e-7, "w {w}, l {l}: {slope_l}, not {by_l}");
    }
}
