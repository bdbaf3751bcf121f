//! Noise on units: the engine's passes and gradients against the naive ones, those against central
//! differences with the noise held fixed, what the regularisers do, and the limit cases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::Net;
use naive::case::{Random, isa};
use naive::mask::{MONTE_CARLO, TRAINING};
use naive::noise::{Noise, NoisyGradients, Words, gradients_of_engine};
use naive::real::Real;
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{self, Buffers, Count, Drop, Rates, Sample, Scaling, Share, Slice, ThinSpec, Thinning};
use thinnet::train::{Loss, Momentum, Objective, Optimizer, Stepper, TrainSpec};

const FAMILY: [Drop; 5] = [Drop::Units, Drop::Gaussian, Drop::Variational, Drop::Concrete, Drop::Standout];

/// A network with noise, and a slice of rows.
struct Case {
    network: Network,
    thin: ThinSpec,
    inputs: Matrix,
    /// What the outputs of each row count in the loss, `[rows, outputs]`: the loss is their sum.
    by_outputs: Vec<f32>,
    seed: u32,
    slice: u32,
    step: u64,
}

/// The case with this number: the members of the family, the activations and the shares take turns.
fn case(number: usize, widest: usize, random: &mut Random) -> Case {
    let drop = FAMILY[number % 5];
    let width = |random: &mut Random| 1 + random.below(widest);
    let depth = 1 + random.below(3);
    let spec = NetworkSpec {
        hidden: (0..depth).map(|_| width(random)).collect(),
        activation: naive::activation::ACTIVATIONS[number / 5 % 9],
        ..NetworkSpec::default()
    };
    // An exact count for rows is the only member of `units` that is noise to the engine.
    let share = if drop == Drop::Units { Share::Row } else { [Share::Row, Share::Slice][number / 45 % 2] };
    let count = if drop == Drop::Units { Count::Exact } else { Count::Random };
    let rate = |random: &mut Random| random.pick(&[0.0, 0.1, 0.25, 0.5]);
    let thin = ThinSpec {
        drop,
        share,
        count,
        input: if drop == Drop::Standout { 0.0 } else { rate(random) },
        hidden: Rates::Each((0..depth).map(|_| rate(random)).collect()),
        standout_slope: random.pick(&[1.0, -0.5, 2.0]),
        ..ThinSpec::default()
    };
    let (inputs, outputs) = (width(random), 1 + random.below(4));
    let mut network =
        thin.with_noise(Network::new(inputs, outputs, &spec, random.word() as u32).unwrap()).unwrap();
    for layer in 0..network.layers().len() {
        let count = match drop {
            Drop::Variational => network.layers()[layer].inputs,
            Drop::Concrete => 1,
            _ => 0,
        };
        let learned: Vec<f32> = (0..count).map(|_| -3.0 * random.uniform()).collect();
        network.set_noise(layer, &learned).unwrap();
        let shape = network.layers()[layer];
        let weights: Vec<f32> =
            (0..shape.units).flat_map(|unit| network.unit_weights(layer, unit).to_vec()).collect();
        let biases: Vec<f32> = random.normals(shape.units).iter().map(|bias| 0.3 * bias).collect();
        network.set_layer(layer, &weights, &biases).unwrap();
    }
    let rows = 1 + random.below(40);
    Case {
        inputs: Matrix::new(rows, inputs, random.normals(rows * inputs)).unwrap(),
        by_outputs: random.normals(rows * outputs),
        seed: random.word() as u32,
        slice: random.below(5) as u32,
        step: random.word() >> 20,
        network,
        thin,
    }
}

impl Case {
    fn rows(&self) -> usize {
        self.inputs.rows()
    }

    /// The judge's view of the noise.
    fn noises(&self) -> Vec<Noise> {
        let rates = self.thin.rates(self.network.layers().len() - 1).unwrap();
        let noise = |(level, &rate): (usize, &f32)| {
            let (units, learned) = (self.network.layers()[level].inputs, self.network.noise(level));
            let rate = f64::from(rate);
            let odds = rate / (1.0 - rate);
            match self.thin.drop {
                _ if rate == 0.0 => Noise::None,
                Drop::Gaussian => Noise::Gaussian(vec![odds.ln(); units]),
                Drop::Variational => {
                    Noise::Gaussian(learned[..units].iter().map(|&l| f64::from(l)).collect())
                }
                Drop::Concrete => Noise::Concrete(f64::from(learned[0])),
                Drop::Standout => Noise::Standout(f64::from(self.thin.standout_slope), -odds.ln()),
                Drop::Units => {
                    let kept = (((1.0 - rate) * units as f64).round() as usize).max(1);
                    Noise::Count(kept, units as f64 / kept as f64)
                }
                drop => unreachable!("{drop:?} acts on edges; tests/edges.rs judges it"),
            }
        };
        rates.iter().enumerate().map(noise).collect()
    }

    fn words(&self, row: usize, purpose: u32) -> Words {
        let shared = self.thin.share == Share::Slice;
        // The first row of slice s is 40 s in these cases.
        let row = if shared { self.slice } else { 40 * self.slice + row as u32 };
        Words { seed: self.seed, purpose, row, step: self.step }
    }

    /// A slice that has run forward.
    fn forward(&self, sample: Sample, buffers: Buffers) -> (Slice, Thinning) {
        let thinning = Thinning::new(&self.thin, &self.network, self.seed).unwrap();
        let mut slice = Slice::new(isa(), &self.network, self.rows(), self.slice, buffers);
        slice.thin(&thinning, sample, 40 * self.slice);
        slice.load(&thinning, (0..self.rows()).map(|row| self.inputs.row(row)));
        slice.forward(&self.network, &thinning, 0..self.network.layers().len());
        (slice, thinning)
    }

    fn outputs_of(&self, slice: &Slice) -> Vec<f32> {
        let mut outputs = vec![0.0; self.by_outputs.len()];
        slice.write_outputs(&mut outputs);
        outputs
    }

    /// The loss and its gradients by the judge.
    fn judged(&self, net: &Net, noises: &[Noise]) -> (f64, NoisyGradients) {
        let (mut loss, mut gradients) = (0.0, NoisyGradients::zeros(net, noises));
        let width = self.network.outputs();
        for row in 0..self.rows() {
            let pass = net.forward_noisy(self.inputs.row(row), noises, Some(self.words(row, TRAINING)));
            let by_outputs = &self.by_outputs[row * width..][..width];
            loss += pass.outputs().iter().zip(by_outputs).map(|(y, &c)| y.value * f64::from(c)).sum::<f64>();
            net.backward_noisy(&pass, by_outputs.iter().map(|&c| Real::from(c)).collect(), &mut gradients);
        }
        (loss, gradients)
    }

    /// A slice that has run forward and backward.
    fn backward(&self) -> Slice {
        let (mut slice, thinning) = self.forward(Sample::Training { step: self.step }, Buffers::Train);
        let (width, padded) = (self.network.outputs(), slice.padded());
        let (_, to) = slice.outputs_and_gradients();
        to.fill(0.0);
        for (at, &by_output) in self.by_outputs.iter().enumerate() {
            to[at % width * padded + at / width] = by_output;
        }
        slice.backward(&self.network, &thinning);
        slice
    }
}

#[test]
fn outputs_and_every_gradient_are_the_naive_ones() {
    let (mut random, mut learned_count) = (Random(11), 0);
    for number in 0..180 {
        let case = case(number, 40, &mut random);
        let what = || format!("case {number}: {:?} {:?}", case.thin, case.network.layers()[0].activation);
        let (net, noises) = (Net::of(&case.network), case.noises());
        for (sample, purpose) in [
            (Sample::Training { step: case.step }, Some(TRAINING)),
            (Sample::MonteCarlo { number: case.step }, Some(MONTE_CARLO)),
            (Sample::Whole, None),
        ] {
            let outputs = case.outputs_of(&case.forward(sample, Buffers::Predict).0);
            for (row, outputs) in outputs.chunks(case.network.outputs()).enumerate() {
                let words = purpose.map(|purpose| case.words(row, purpose));
                let pass = net.forward_noisy(case.inputs.row(row), &noises, words);
                for (&output, judged) in outputs.iter().zip(pass.outputs()) {
                    let distance = judged.distance(output);
                    assert!(distance <= 1.0, "{sample:?}, row {row}: {output}, not {judged:?}, {}", what());
                }
            }
        }
        let (_, judged) = case.judged(&net, &noises);
        let slice = case.backward();
        for (layer, shape) in case.network.layers().iter().enumerate() {
            let [weights, biases, learned] = gradients_of_engine(&slice, layer, shape);
            let ours = weights.iter().chain(&biases).chain(&learned);
            let theirs = judged.weights[layer].iter().flatten().chain(&judged.biases[layer]);
            let given = matches!(case.thin.drop, Drop::Units | Drop::Gaussian | Drop::Standout);
            let judged_learned = if given { &[][..] } else { &judged.learned[layer][..] };
            learned_count += judged_learned.len();
            for (at, (&gradient, judged)) in ours.zip(theirs.chain(judged_learned)).enumerate() {
                let distance = judged.distance(gradient);
                assert!(distance <= 1.0, "layer {layer}, {at}: {gradient}, not {judged:?}, {}", what());
            }
            assert!(learned[judged_learned.len()..].iter().all(|&gradient| gradient == 0.0), "{}", what());
        }
    }
    assert!(learned_count > 500, "only {learned_count} learned numbers were judged");
}

#[test]
fn naive_gradients_are_the_slopes_of_the_naive_loss() {
    let (mut random, mut slopes, mut kinks) = (Random(12), 0, 0);
    for number in 0..90 {
        let case = case(number, 6, &mut random);
        let (net, noises) = (Net::of(&case.network), case.noises());
        let (_, gradients) = case.judged(&net, &noises);
        let parameters = gradients.weights.iter().zip(&gradients.biases);
        let parameters: Vec<Real> =
            parameters.flat_map(|(w, b)| w.iter().flatten().chain(b)).copied().collect();
        let learned: Vec<Real> = gradients.learned.iter().flatten().copied().collect();
        let of_noise = learned.len();
        for (at, gradient) in learned.iter().chain(&parameters).enumerate().filter(|_| random.below(3) == 0) {
            let moved = |by: f64| {
                let (mut net, mut noises) = (net.clone(), noises.clone());
                if at < of_noise {
                    *noises.iter_mut().flat_map(Noise::learned_mut).nth(at).unwrap() += by;
                } else {
                    *net.parameters_mut()[at - of_noise] += by;
                }
                (case.judged(&net, &noises).0, sides(&case, &net, &noises))
            };
            let h = 1e-4;
            let [(below, sides_below), (above, sides_above), (near_below, _), (near_above, _)] =
                [-h, h, -h / 2.0, h / 2.0].map(moved);
            if sides_below != sides_above {
                kinks += 1;
                continue;
            }
            let (coarse, fine) = ((above - below) / (2.0 * h), (near_above - near_below) / h);
            let slope = (4.0 * fine - coarse) / 3.0;
            let off = (slope - gradient.value).abs();
            assert!(
                off < 1e-7 * (1.0 + slope.abs()),
                "case {number}, {at}: {gradient:?}, not {slope}, {:?}",
                case.thin
            );
            slopes += 1;
        }
    }
    assert!(slopes > 700 && kinks < slopes / 10, "{slopes} slopes, {kinks} kinks");
}

/// On which side of its kinks every unit is, and whether standout keeps it.
fn sides(case: &Case, net: &Net, noises: &[Noise]) -> Vec<bool> {
    let mut sides = Vec::new();
    for row in 0..case.rows() {
        let words = case.words(row, TRAINING);
        let pass = net.forward_noisy(case.inputs.row(row), noises, Some(words));
        for (level, pre) in pass.pre.iter().enumerate() {
            sides.extend(pre.iter().map(|z| z.value > 0.0));
            if let Some(noise @ Noise::Standout(..)) = noises.get(level + 1) {
                let factors = noise.factors(level + 1, pre.len(), words, pre);
                sides.extend(factors.iter().map(|factor| factor.value.value > 0.0));
            }
        }
    }
    sides
}

/// How many values a row of a regression has.
const VALUES: usize = 3;

/// Rows, and a network of 6 inputs and one hidden layer of 20 units.
fn setting(drop: Drop, loss: Loss) -> (Examples, Network, ThinSpec, TrainSpec) {
    let mut random = Random(3);
    let rows = 24;
    let inputs = Matrix::new(rows, 6, random.normals(rows * 6)).unwrap();
    let targets = match loss {
        Loss::CrossEntropy => {
            Targets::Classes { labels: (0..rows).map(|row| row as u32 % 3).collect(), classes: 3 }
        }
        _ => Targets::Values(Matrix::new(rows, VALUES, random.normals(rows * VALUES)).unwrap()),
    };
    let thin = ThinSpec {
        drop,
        input: if drop == Drop::Standout { 0.0 } else { 0.2 },
        hidden: Rates::All(0.3),
        length_scale: 0.7,
        precision: 2.5,
        divergence_warmup: 4,
        ..ThinSpec::default()
    };
    let train = TrainSpec {
        loss: Some(loss),
        optimizer: Optimizer::Sgd,
        momentum: Momentum::Constant(0.0),
        slice: 8,
        ..TrainSpec::default()
    };
    let spec = NetworkSpec { hidden: vec![20], activation: Activation::Relu, ..NetworkSpec::default() };
    let outputs = match loss {
        Loss::CrossEntropy => 3,
        Loss::Normal => 2 * VALUES,
        _ => VALUES,
    };
    let network = thin.with_noise(Network::new(6, outputs, &spec, 3).unwrap()).unwrap();
    (Examples::new(inputs, targets, None).unwrap(), network, thin, train)
}

/// The regulariser of a network in f64, as the papers have it.
fn regulariser(
    network: &Network,
    noise: &[Vec<f64>],
    thin: &ThinSpec,
    loss: Loss,
    rows: f64,
    warm: f64,
) -> f64 {
    // The loss of a row is the mean over its values, and half of the precision times the squared error of each
    // is a negative log-likelihood.
    let values = VALUES as f64;
    let precision = f64::from(thin.precision) * values;
    let (of_weights, of_noise) = match loss {
        Loss::Squared => (1.0 / precision, 2.0 / precision),
        Loss::Absolute | Loss::Huber => (1.0 / precision, 1.0 / precision),
        Loss::Normal => (0.5 / values, 1.0 / values),
        _ => (1.0, 1.0),
    };
    let of_noise = of_noise / rows;
    let of_weights = of_weights * f64::from(thin.length_scale).powi(2) / rows;
    let layer = |(layer, numbers): (usize, &Vec<f64>)| -> f64 {
        if thin.drop == Drop::Variational {
            let divergence = |&l: &f64| {
                let logistic = 1.0 / (1.0 + (-(1.87320 + 1.48695 * l)).exp());
                0.63576 + 0.5 * (-l).exp().ln_1p() - 0.63576 * logistic
            };
            return warm * of_noise * numbers.iter().map(divergence).sum::<f64>();
        }
        let (rate, shape) = (1.0 / (1.0 + (-numbers[0]).exp()), network.layers()[layer]);
        let weights = (0..shape.units).flat_map(|unit| network.unit_weights(layer, unit));
        let squares: f64 = weights.map(|&w| f64::from(w).powi(2)).sum();
        let entropy = rate * rate.ln() + (1.0 - rate) * (1.0 - rate).ln();
        of_weights * squares / (1.0 - rate) + of_noise * shape.inputs as f64 * entropy
    };
    noise.iter().enumerate().map(layer).sum()
}

/// Rows that count nothing leave only the regulariser to move anything.
#[test]
fn regularisers_enter_once_with_their_slopes() {
    for (drop, loss) in [
        (Drop::Concrete, Loss::CrossEntropy),
        (Drop::Concrete, Loss::Squared),
        (Drop::Concrete, Loss::Normal),
        (Drop::Concrete, Loss::Absolute),
        (Drop::Concrete, Loss::Huber),
        (Drop::Variational, Loss::CrossEntropy),
        (Drop::Variational, Loss::Squared),
        (Drop::Variational, Loss::Normal),
        (Drop::Variational, Loss::Huber),
    ] {
        let (examples, network, thin, train) = setting(drop, loss);
        let count = |layer: usize| if drop == Drop::Concrete { 1 } else { network.layers()[layer].inputs };
        let noise_of = |network: &Network| -> Vec<Vec<f64>> {
            (0..2)
                .map(|layer| network.noise(layer)[..count(layer)].iter().map(|&l| f64::from(l)).collect())
                .collect()
        };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let mut stepper =
            Stepper::new(isa(), network.clone(), &thin, &train, objective, 24, 1).unwrap().for_run(500, 100);
        let rows: Vec<usize> = (0..24).collect();
        let rate = 3.0;
        for step in 0..6 {
            let before = stepper.network().clone();
            stepper.step(&examples, Some(&[0.0; 24]), &rows, &[rate]).unwrap();
            let (noise, warm) = (noise_of(&before), ((step + 1) as f64 / 4.0).min(1.0));
            let value =
                |noise: &[Vec<f64>], network: &Network| regulariser(network, noise, &thin, loss, 500.0, warm);
            for layer in 0..2 {
                for at in 0..count(layer) {
                    let moved = |by: f64| {
                        let mut noise = noise.clone();
                        noise[layer][at] += by;
                        value(&noise, &before)
                    };
                    let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                    let expected = (noise[layer][at] - rate * slope).min(if drop == Drop::Variational {
                        0.0
                    } else {
                        10.0
                    });
                    let got = noise_of(stepper.network())[layer][at];
                    let off = (got - expected).abs();
                    assert!(off < 2e-6, "{drop:?}, {loss:?}, layer {layer}: {got}, not {expected}");
                    assert!(got != noise[layer][at] || expected == 0.0);
                }
                let w = f64::from(before.unit_weights(layer, 0)[2]);
                let expected = if drop == Drop::Concrete {
                    let slope = |by: f64| {
                        let shape = before.layers()[layer];
                        let mut weights: Vec<f32> = (0..shape.units)
                            .flat_map(|unit| before.unit_weights(layer, unit).to_vec())
                            .collect();
                        weights[2] += by as f32;
                        let mut network = before.clone();
                        network.set_layer(layer, &weights, before.biases(layer)).unwrap();
                        value(&noise, &network)
                    };
                    w - rate * (slope(1.0 / 128.0) - slope(-1.0 / 128.0)) * 64.0
                } else {
                    w
                };
                let got = f64::from(stepper.network().unit_weights(layer, 0)[2]);
                assert!(
                    (got - expected).abs() < 2e-6,
                    "{drop:?}, {loss:?}, layer {layer}: {got}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn what_is_learned_stays_within_its_bounds() {
    for drop in [Drop::Variational, Drop::Concrete] {
        let (examples, network, thin, train) = setting(drop, Loss::CrossEntropy);
        let thin = ThinSpec { length_scale: 0.0, ..thin };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let mut stepper = Stepper::new(isa(), network, &thin, &train, objective, 24, 1).unwrap();
        let rows: Vec<usize> = (0..24).collect();
        for _ in 0..20 {
            stepper.step(&examples, Some(&[0.0; 24]), &rows, &[1e4]).unwrap();
        }
        let noise: Vec<f32> = (0..2).flat_map(|layer| stepper.network().noise(layer).to_vec()).collect();
        assert!(noise.iter().all(|l| (-20.0..=10.0).contains(l)), "{noise:?}");
        if drop == Drop::Variational {
            assert!(
                noise.iter().all(|&l| l == 0.0),
                "the divergence alone drives the variance to 1: {noise:?}"
            );
        }
    }
}

/// The network after ten steps, as the numbers of its layers.
fn trained(thin: &ThinSpec, network: Network, examples: &Examples, train: &TrainSpec) -> Vec<f32> {
    let objective = Objective::new(train, &examples.targets).unwrap();
    let mut stepper = Stepper::new(isa(), network, thin, train, objective, 24, 9).unwrap().for_run(24, 10);
    let rows: Vec<usize> = (0..24).collect();
    for _ in 0..10 {
        stepper.step(examples, None, &rows, &[0.05]).unwrap();
    }
    naive::parameters_of(stepper.network())
}

#[test]
fn rate_0_is_no_noise_to_the_bit() {
    for loss in [Loss::CrossEntropy, Loss::Squared] {
        for share in [Share::Row, Share::Slice] {
            let (examples, network, thin, train) = setting(Drop::Units, loss);
            let none = ThinSpec { drop: Drop::Units, share, ..ThinSpec::none() };
            let expected = trained(&none, network.clone(), &examples, &train);
            for drop in FAMILY {
                let none = ThinSpec { drop, input: 0.0, hidden: Rates::All(0.0), share, ..thin.clone() };
                let network = none.with_noise(network.clone()).unwrap();
                assert!(trained(&none, network, &examples, &train) == expected, "{drop:?}");
            }
        }
    }
}

/// With a variance of e^-20 the noise is below f32's own; with odds of e^-10 no relaxed mask is far from 1.
#[test]
fn little_noise_is_nearly_none() {
    let mut random = Random(8);
    for number in 0..60 {
        let mut case = case(number, 30, &mut random);
        let lowest = match case.thin.drop {
            Drop::Variational => -20.0,
            Drop::Concrete => -10.0,
            Drop::Gaussian => {
                case.thin.input = 1e-9;
                case.thin.hidden = Rates::All(1e-9);
                0.0
            }
            _ => continue,
        };
        for layer in 0..case.network.layers().len() {
            let count = match case.thin.drop {
                Drop::Variational => case.network.layers()[layer].inputs,
                Drop::Concrete => 1,
                _ => 0,
            };
            case.network.set_noise(layer, &vec![lowest; count]).unwrap();
        }
        let noisy = case.outputs_of(&case.forward(Sample::Training { step: 3 }, Buffers::Predict).0);
        let whole = case.outputs_of(&case.forward(Sample::Whole, Buffers::Predict).0);
        for (noisy, whole) in noisy.iter().zip(&whole) {
            assert!((noisy - whole).abs() < 3e-3 * (1.0 + whole.abs()), "{:?}: {noisy}, {whole}", case.thin);
        }
    }
}

/// The mean and the variance of the factors that inputs of 1 are multiplied by.
fn moments(thin: &ThinSpec, units: usize, samples: u64) -> (f64, f64) {
    let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
    let mut network = thin.with_noise(Network::zeros(units, units, &spec).unwrap()).unwrap();
    let copy: Vec<f32> =
        (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
    network.set_layer(0, &copy, &vec![0.0; units]).unwrap();
    let thinning = Thinning::new(thin, &network, 4).unwrap();
    let (row, rows) = (vec![1.0; units], 64);
    let mut slice = Slice::new(isa(), &network, rows, 0, Buffers::Predict);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for number in 0..samples {
        slice.thin(&thinning, Sample::MonteCarlo { number }, 0);
        slice.load(&thinning, (0..rows).map(|_| &row[..]));
        slice.forward(&network, &thinning, 0..1);
        let mut outputs = vec![0.0; rows * units];
        slice.write_outputs(&mut outputs);
        for &factor in &outputs {
            sum += f64::from(factor);
            squares += f64::from(factor).powi(2);
            count += 1.0;
        }
    }
    (sum / count, squares / count - (sum / count).powi(2))
}

/// 64 x 40 x 100 factors: the standard error of their mean is a five-hundredth of their deviation.
#[test]
fn the_noise_has_its_mean_and_variance() {
    for rate in [0.1f32, 0.25, 0.5] {
        let variance = f64::from(rate / (1.0 - rate));
        for (drop, count) in [
            (Drop::Units, Count::Random),
            (Drop::Units, Count::Exact),
            (Drop::Gaussian, Count::Random),
            (Drop::Variational, Count::Random),
        ] {
            let thin = ThinSpec { drop, count, share: Share::Row, input: rate, ..ThinSpec::none() };
            let (mean, measured) = moments(&thin, 40, 100);
            assert!((mean - 1.0).abs() < 4.0 * variance.sqrt() / 506.0, "{drop:?}, {rate}: mean {mean}");
            assert!((measured / variance - 1.0).abs() < 0.02, "{drop:?}, {rate}: {measured}, not {variance}");
        }
        // The moments of the relaxed mask by the midpoint rule over its uniform number.
        let factor = |u: f64| (1.0 + variance) / (1.0 + (variance * u / (1.0 - u)).powi(10));
        let expected = |power: i32| {
            (0..100_000).map(|at| factor((f64::from(at) + 0.5) / 1e5).powi(power)).sum::<f64>() / 1e5
        };
        let thin = ThinSpec { drop: Drop::Concrete, share: Share::Row, input: rate, ..ThinSpec::none() };
        let ((mean, measured), first) = (moments(&thin, 40, 100), expected(1));
        let deviation = (expected(2) - first * first).sqrt();
        assert!((mean - first).abs() < 4.0 * deviation / 506.0, "concrete, {rate}: mean {mean}, not {first}");
        assert!((measured.sqrt() / deviation - 1.0).abs() < 0.01, "concrete, {rate}");
    }
}

/// The outputs of each row of each sample: the units of a hidden layer whose pre-activations are `pre`.
fn hidden_units(
    thin: &ThinSpec,
    activation: Activation,
    pre: &[f32],
    rows: usize,
    samples: impl Iterator<Item = Sample>,
) -> Vec<Vec<f32>> {
    let units = pre.len();
    let spec = NetworkSpec { hidden: vec![units], activation, ..NetworkSpec::default() };
    let mut network = Network::zeros(units, units, &spec).unwrap();
    let copy: Vec<f32> =
        (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
    (0..2).for_each(|layer| network.set_layer(layer, &copy, &vec![0.0; units]).unwrap());
    let thinning = Thinning::new(thin, &network, 4).unwrap();
    let mut slice = Slice::new(isa(), &network, rows, 0, Buffers::Predict);
    let mut all = Vec::new();
    for sample in samples {
        slice.thin(&thinning, sample, 0);
        slice.load(&thinning, (0..rows).map(|_| pre));
        slice.forward(&network, &thinning, 0..2);
        let mut outputs = vec![0.0; rows * units];
        slice.write_outputs(&mut outputs);
        all.extend(outputs.chunks(units).map(<[f32]>::to_vec));
    }
    all
}

/// Pre-activations from -1.95 to 1.95, none of them 0.
fn spread_out() -> Vec<f32> {
    (0..40).map(|unit| 0.1 * unit as f32 - 1.95).collect()
}

fn standout(slope: f32, rate: f32, share: Share) -> ThinSpec {
    let hidden = Rates::All(rate);
    ThinSpec { drop: Drop::Standout, hidden, standout_slope: slope, share, ..ThinSpec::default() }
}

/// A unit is kept as it is or 0, each with its own probability, and no two depend on each other: 6,400 rows,
/// or as many slices, within 4.5 standard errors.
#[test]
fn standout_has_the_moments_of_its_keep_probabilities() {
    let (pre, count) = (spread_out(), 6400.0_f64);
    for (slope, rate) in [(1.0, 0.5), (2.0, 0.25), (-0.5, 0.7), (0.0, 0.3)] {
        for (share, rows, samples) in [(Share::Row, 64, 100), (Share::Slice, 1, 6400)] {
            let thin = standout(slope, rate, share);
            let numbers = (0..samples).map(|number| Sample::MonteCarlo { number });
            let sampled = hidden_units(&thin, Activation::Tanh, &pre, rows, numbers);
            assert_eq!(sampled.len() as f64, count);
            let what = format!("slope {slope}, rate {rate}, {share:?}");
            let (mut of_sum, mut variance_of_sum) = (0.0, 0.0);
            for (unit, &z) in pre.iter().enumerate() {
                let (z, f) = (f64::from(z), f64::from(z).tanh());
                let odds = f64::from(rate) / (1.0 - f64::from(rate));
                let keep = 1.0 / (1.0 + odds * (-f64::from(slope) * z).exp());
                let values = sampled.iter().map(|units| f64::from(units[unit]));
                assert!(values.clone().all(|value| value == 0.0 || (value - f).abs() < 1e-6), "{what}");
                let [mean, square] =
                    [1, 2].map(|power| values.clone().map(|value| value.powi(power)).sum::<f64>() / count);
                let error = 4.5 * (keep * (1.0 - keep) / count).sqrt();
                assert!((mean - keep * f).abs() < error * f.abs(), "{what}: mean {mean}, not {}", keep * f);
                assert!((square - keep * f * f).abs() < error * f * f, "{what}: E f² is {square}");
                of_sum += keep * f;
                variance_of_sum += keep * (1.0 - keep) * f * f;
            }
            let sums = sampled.iter().map(|units| units.iter().map(|&f| f64::from(f)).sum::<f64>());
            let variance = sums.map(|sum| (sum - of_sum).powi(2)).sum::<f64>() / count;
            let error = 4.5 * (2.0 / count).sqrt() * variance_of_sum;
            assert!(
                (variance - variance_of_sum).abs() < error,
                "{what}: the sum varies by {variance}, not {variance_of_sum}"
            );
        }
    }
}

/// At a slope of 0 all units are kept with the same probability. Standout keeps those with small words and
/// dropout those with large ones, so it keeps what dropout at a rate of 1 - rate drops; the whole network is
/// that of dropout at its rate.
#[test]
fn standout_of_slope_0_is_dropout() {
    let pre = spread_out();
    for share in [Share::Row, Share::Slice] {
        for rate in [0.5, 0.25, 0.8] {
            let dropout = |rate: f32| ThinSpec {
                hidden: Rates::All(rate),
                share,
                scaling: Scaling::AtPrediction,
                ..ThinSpec::default()
            };
            let units = |thin: &ThinSpec, sample: fn(u64) -> Sample, samples: u64| {
                hidden_units(thin, Activation::Identity, &pre, 64, (0..samples).map(sample)).concat()
            };
            let standout = standout(0.0, rate, share);
            for sample in [|step| Sample::Training { step }, |number| Sample::MonteCarlo { number }] {
                let (kept, dropped) = (units(&standout, sample, 20), units(&dropout(1.0 - rate), sample, 20));
                for ((&kept, &dropped), &z) in kept.iter().zip(&dropped).zip(pre.iter().cycle()) {
                    assert!(kept == z && dropped == 0.0 || kept == 0.0 && dropped == z, "{share:?}, {rate}");
                }
            }
            let whole = |thin: &ThinSpec| units(thin, |_| Sample::Whole, 1);
            for (&standout, dropout) in whole(&standout).iter().zip(whole(&dropout(rate))) {
                assert!((standout - dropout).abs() < 1e-6, "{share:?}, {rate}: {standout}, not {dropout}");
            }
        }
    }
}

/// A very steep standout keeps the units above 0, which are those that a relu leaves: nothing is noise.
#[test]
fn standout_of_a_steep_slope_keeps_what_a_relu_keeps() {
    for share in [Share::Row, Share::Slice] {
        let (examples, network, _, train) = setting(Drop::Standout, Loss::CrossEntropy);
        let none = ThinSpec { share, ..ThinSpec::none() };
        let expected = trained(&none, network.clone(), &examples, &train);
        assert!(trained(&standout(1e6, 0.3, share), network.clone(), &examples, &train) == expected);
        assert!(trained(&standout(1.0, 0.3, share), network, &examples, &train) != expected);
    }
}

#[test]
fn an_exact_count_is_exact_for_every_row_and_slice() {
    for share in [Share::Row, Share::Slice] {
        for (units, rate, kept) in [(10, 0.5, 5), (37, 0.2, 30), (4, 0.9, 1)] {
            let thin = ThinSpec { count: Count::Exact, share, input: rate, ..ThinSpec::none() };
            let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
            let mut network = Network::zeros(units, units, &spec).unwrap();
            let copy: Vec<f32> =
                (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
            network.set_layer(0, &copy, &vec![0.0; units]).unwrap();
            let thinning = Thinning::new(&thin, &network, 4).unwrap();
            let row = vec![1.0; units];
            let mut slice = Slice::new(isa(), &network, 30, 0, Buffers::Predict);
            let mut seen = vec![0; units];
            for step in 0..20 {
                slice.thin(&thinning, Sample::Training { step }, 0);
                slice.load(&thinning, (0..30).map(|_| &row[..]));
                slice.forward(&network, &thinning, 0..1);
                let mut outputs = vec![0.0; 30 * units];
                slice.write_outputs(&mut outputs);
                for row in outputs.chunks(units) {
                    let sum: f32 = row.iter().sum();
                    assert_eq!(row.iter().filter(|&&y| y > 0.0).count(), kept, "{share:?}");
                    assert!((sum - units as f32).abs() < 1e-3, "{share:?}: {sum}");
                    row.iter().zip(&mut seen).for_each(|(&y, seen)| *seen += usize::from(y > 0.0));
                }
            }
            assert!(seen.iter().all(|&seen| seen > 0), "{share:?}: {seen:?}");
        }
    }
}

/// The units of the hidden layer that each slice of each step keeps.
fn kept(thin: &ThinSpec, sample: Sample, slice: u32) -> Vec<u32> {
    let spec = NetworkSpec { hidden: vec![40], ..NetworkSpec::default() };
    let network = Network::zeros(12, 2, &spec).unwrap();
    let thinning = Thinning::new(thin, &network, 6).unwrap().with_total_steps(1000);
    let mut at = Slice::new(isa(), &network, 4, slice, Buffers::Predict);
    at.thin(&thinning, sample, 0);
    at.kept(1).units().to_vec()
}

#[test]
fn a_pool_of_one_mask_has_one_mask_and_a_pool_of_n_has_n() {
    for pool in [1, 5] {
        let thin = ThinSpec { pool, hidden: Rates::All(0.5), ..ThinSpec::default() };
        let mut masks = std::collections::BTreeSet::new();
        for step in 0..30 {
            (0..4).for_each(|slice| {
                masks.insert(kept(&thin, Sample::Training { step }, slice));
            });
        }
        assert_eq!(masks.len(), pool as usize);
        // A prediction with as many samples as masks is their ensemble.
        let sampled: std::collections::BTreeSet<_> =
            (0..pool.into()).map(|number| kept(&thin, Sample::MonteCarlo { number }, 0)).collect();
        assert_eq!(sampled, masks);
    }
    let own = ThinSpec { hidden: Rates::All(0.5), ..ThinSpec::default() };
    assert_ne!(kept(&own, Sample::Training { step: 0 }, 0), kept(&own, Sample::Training { step: 1 }, 0));
}

#[test]
fn fixed_masks_are_the_same_in_training_and_prediction() {
    let masks = Some(thin::MaskSpec { members: 4, scale: 2.0 });
    let thin = ThinSpec { masks, hidden: Rates::All(0.5), ..ThinSpec::default() };
    for number in 0..8 {
        let member = kept(&thin, Sample::MonteCarlo { number }, 0);
        assert_eq!(member, kept(&thin, Sample::Training { step: number + 4 }, 0));
        assert_eq!(member, kept(&thin, Sample::Training { step: number }, 4));
        assert_eq!(member.len(), (40.0 / (2.0 * (1.0 - 0.5f64.powi(4)))) as usize);
    }
    let small = ThinSpec { input: 0.2, masks, ..ThinSpec::default() };
    let network = Network::zeros(9, 1, &NetworkSpec { hidden: vec![20], ..NetworkSpec::default() }).unwrap();
    let error = Thinning::new(&small, &network, 0).unwrap_err().to_string();
    assert!(error.contains("thin.masks") && error.contains("needs 10"), "{error}");
}

#[test]
fn the_whole_of_fixed_masks_is_the_mean_of_its_members() {
    let masks = Some(thin::MaskSpec { members: 3, scale: 2.0 });
    let thin = ThinSpec { masks, hidden: Rates::All(0.5), ..ThinSpec::default() };
    let mut random = Random(2);
    let spec = NetworkSpec { hidden: vec![20, 16], ..NetworkSpec::default() };
    let network = Network::new(5, 2, &spec, 1).unwrap();
    let inputs = Matrix::new(70, 5, random.normals(350)).unwrap();
    let thinning = Thinning::new(&thin, &network, 6).unwrap();
    let whole = thin::outputs(isa(), &network, &thinning, &inputs).unwrap();
    let by = thinnet::average::Average::monte_carlo(3);
    let link = thinnet::average::Link::Identity;
    let members = thinnet::average::average(isa(), &network, &thinning, link, &inputs, by).unwrap();
    assert!(members.spread.unwrap().values().iter().any(|&spread| spread > 0.1));
    for (whole, mean) in whole.values().iter().zip(members.mean.values()) {
        assert!((whole - mean).abs() < 1e-5 * (1.0 + mean.abs()), "{whole}, not {mean}");
    }
}

#[test]
fn a_schedule_changes_who_is_kept_in_training_alone() {
    let at = |schedule: &str, step: u64| {
        let schedule = schedule.parse().unwrap();
        let thin = ThinSpec { schedule, hidden: Rates::All(0.5), ..ThinSpec::default() };
        kept(&thin, Sample::Training { step }, 0)
    };
    for (schedule, step, factor) in [
        ("early:0.5", 0, 1.0),
        ("early:0.5", 250, 0.5),
        ("early:0.5", 500, 0.0),
        ("late:0.25", 100, 0.0),
        ("late:0.25", 250, 1.0),
        ("off:0.1", 899, 1.0),
        ("off:0.1", 900, 0.0),
        ("linear:0:1", 500, 0.5),
    ] {
        let thin = ThinSpec { hidden: Rates::All(0.5 * factor), ..ThinSpec::default() };
        assert_eq!(at(schedule, step), kept(&thin, Sample::Training { step }, 0), "{schedule} at {step}");
    }
    let spec = |schedule: &str| ThinSpec { schedule: schedule.parse().unwrap(), ..ThinSpec::default() };
    let sample = Sample::MonteCarlo { number: 3 };
    assert_eq!(kept(&spec("early:0.1"), sample, 0), kept(&spec("constant"), sample, 0));
}

/// Who is dropped and what the others are multiplied by, or the variance of Gaussian noise.
#[test]
fn a_schedule_changes_the_noise_in_training_alone() {
    let spec = NetworkSpec { hidden: vec![20], ..NetworkSpec::default() };
    let network = Network::new(12, 3, &spec, 5).unwrap();
    let inputs = Random(6).normals(30 * 12);
    let outputs = |thin: &ThinSpec, sample: Sample| {
        let thinning = Thinning::new(thin, &network, 6).unwrap().with_total_steps(1000);
        let mut slice = Slice::new(isa(), &network, 30, 2, Buffers::Predict);
        slice.thin(&thinning, sample, 60);
        slice.load(&thinning, inputs.chunks(12));
        slice.forward(&network, &thinning, 0..2);
        let mut outputs = vec![0.0; 30 * 3];
        slice.write_outputs(&mut outputs);
        outputs
    };
    for (drop, count, share) in [
        (Drop::Gaussian, Count::Random, Share::Row),
        (Drop::Gaussian, Count::Random, Share::Slice),
        (Drop::Units, Count::Random, Share::Row),
        (Drop::Units, Count::Random, Share::Slice),
        (Drop::Units, Count::Exact, Share::Row),
        (Drop::Units, Count::Exact, Share::Slice),
    ] {
        let of = |rate: f32, schedule: &str| {
            let (hidden, schedule) = (Rates::All(rate), schedule.parse().unwrap());
            ThinSpec { drop, count, input: 0.5 * rate, hidden, share, schedule, ..ThinSpec::default() }
        };
        let constant = |rate: f32| of(rate, "constant");
        let what = format!("{drop:?}, {count:?}, {share:?}");
        for (schedule, step, factor) in [
            ("linear:0:1", 250, 0.25),
            ("linear:1:0.5", 500, 0.75),
            ("early:0.5", 250, 0.5),
            ("early:0.5", 500, 0.0),
            ("late:0.25", 249, 0.0),
            ("late:0.25", 250, 1.0),
        ] {
            let sample = Sample::Training { step };
            let scheduled = outputs(&of(0.5, schedule), sample);
            assert_eq!(scheduled, outputs(&constant(0.5 * factor), sample), "{what}, {schedule} at {step}");
            let is_full = factor == 1.0;
            assert_eq!(scheduled == outputs(&constant(0.5), sample), is_full, "{what}, {schedule} at {step}");
        }
        let sample = Sample::MonteCarlo { number: 3 };
        assert_eq!(outputs(&of(0.5, "early:0.1"), sample), outputs(&constant(0.5), sample), "{what}");
        // The gradients, too: a schedule that is one half at every step of a run.
        let (examples, network, _, train) = setting(drop, Loss::CrossEntropy);
        let half = of(0.5, "linear:0.5:0.5");
        let run = |thin: &ThinSpec| trained(thin, network.clone(), &examples, &train);
        assert!(run(&half) == run(&constant(0.25)) && run(&half) != run(&constant(0.5)), "{what}");
    }
}

#[test]
fn a_network_without_room_for_learned_noise_is_refused() {
    let network = Network::zeros(4, 1, &NetworkSpec { hidden: vec![3], ..NetworkSpec::default() }).unwrap();
    for drop in [Drop::Variational, Drop::Concrete] {
        let error = Thinning::new(&ThinSpec { drop, ..ThinSpec::default() }, &network, 0).unwrap_err();
        assert!(error.to_string().contains("with_noise"), "{error}");
    }
}
