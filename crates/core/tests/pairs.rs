//! Losses over pairs of thinned networks: value and gradient of a step against the papers'
//! formulas, written out in f64 over the judge's networks and differentiated by differences.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, LOSSES, Random, Shape, isa};
use naive::edges::{self, Draw};
use naive::loss::{Target, softmax};
use naive::mask::{self, Mask};
use naive::noise::{Noise, Words, gradients_of_engine};
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{
    Buffers, Count, Drop, MaskSpec, Rates, Sample, Scaling, Share, Slice, ThinSpec, Thinning,
};
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

/// A member of the family: the noise, the count of kept units, and the rows of a group of edges.
const FAMILY: [(Drop, Count, usize); 10] = [
    (Drop::Units, Count::Random, 0),
    (Drop::Units, Count::Exact, 0),
    (Drop::Gaussian, Count::Random, 0),
    (Drop::Variational, Count::Random, 0),
    (Drop::Concrete, Count::Random, 0),
    (Drop::Standout, Count::Random, 0),
    (Drop::Edges, Count::Random, 0),
    (Drop::Edges, Count::Random, 16),
    (Drop::EdgesGaussian, Count::Random, 0),
    (Drop::SparseVariational, Count::Random, 0),
];

/// A case with this noise, whose mini-batch has whole slices only.
fn case_of_family(
    (drop, count, share_rows): (Drop, Count, usize),
    (share, scaling, activation): (Share, Scaling, Activation),
    (pair, loss): (Pair, Loss),
    random: &mut Random,
) -> Case {
    let input = if drop == Drop::Standout { 0.0 } else { 0.2 };
    let rates = vec![input, 0.5, 0.3];
    let shape =
        Shape { inputs: 5, hidden: vec![7, 4], activation, loss, share, scaling, rates, batch: 12, slice: 4 };
    let mut case = Case::new(shape, random);
    (case.thin.drop, case.thin.count, case.thin.share_rows) = (drop, count, share_rows);
    case.network = case.thin.with_noise(case.network).unwrap();
    for index in 0..case.network.layers().len() {
        let layer = case.network.layers()[index];
        let count = match drop {
            Drop::Variational => layer.inputs,
            Drop::Concrete => 1,
            Drop::SparseVariational => layer.units * layer.inputs,
            _ => 0,
        };
        let learned: Vec<f32> = (0..count).map(|_| -0.5 - 2.5 * random.uniform()).collect();
        case.network.set_noise(index, &learned).unwrap();
    }
    (case.train.pair, case.train.optimizer) = (pair, Optimizer::Sgd);
    case.train.momentum = Momentum::Constant(0.0);
    case
}

/// The judge's network, and what is learned of the noise of each layer.
struct Judge {
    net: Net,
    learned: Vec<Vec<f64>>,
}

impl Judge {
    fn of(case: &Case, network: &Network) -> Self {
        let learned = |index: usize| -> Vec<f64> {
            let (layer, noise) = (network.layers()[index], network.noise(index));
            let numbers = match case.thin.drop {
                Drop::Variational => noise[..layer.inputs].to_vec(),
                Drop::Concrete => noise[..1].to_vec(),
                Drop::SparseVariational => {
                    noise.chunks(layer.stride).flat_map(|line| line[..layer.inputs].to_vec()).collect()
                }
                _ => Vec::new(),
            };
            numbers.into_iter().map(f64::from).collect()
        };
        Self { net: Net::of(network), learned: (0..network.layers().len()).map(learned).collect() }
    }

    /// Every parameter, and then what is learned of the noise.
    fn numbers(&mut self) -> Vec<&mut f64> {
        let Self { net, learned } = self;
        net.parameters_mut().into_iter().chain(learned.iter_mut().flatten()).collect()
    }
}

/// What was drawn for a network of a pair, for one row.
enum Drawn {
    /// The units that are kept, and what they are multiplied by.
    Mask(Mask, Vec<Real>),
    /// The words of the noise on units; none in the whole network.
    Units(Option<Words>),
    /// The noise on the edges of each layer; what is learned of it stands in the judge.
    Edges(Vec<edges::Noise>),
}

/// Draws a thinned network for a row and a slice with these numbers, or none for the whole one.
fn draw(case: &Case, numbers: Option<(usize, usize)>, step: u64) -> Drawn {
    let (rates, thin) = (&case.rates, &case.thin);
    let number = numbers.map(|(row, slice)| if thin.share == Share::Row { row } else { slice });
    if thin.drop.acts_on_edges() {
        let layers = 0..case.network.layers().len();
        return Drawn::Edges(layers.map(|layer| edge_noise(case, layer, numbers, step)).collect());
    }
    if (thin.drop, thin.count) != (Drop::Units, Count::Random) {
        let words = |row: usize| Words { seed: case.seed, purpose: mask::TRAINING, row: row as u32, step };
        return Drawn::Units(number.map(words));
    }
    let levels = Net::of(&case.network).levels();
    match number {
        None => Drawn::Mask(mask::whole(&levels), mask::whole_scales(rates, thin.scaling)),
        Some(number) => {
            let mask = mask::draw(rates, &levels, case.seed, mask::TRAINING, number, step);
            Drawn::Mask(mask, mask::thinned_scales(rates, thin.scaling))
        }
    }
}

/// The noise on the edges of a layer, as [`draw`] has it.
fn edge_noise(case: &Case, index: usize, numbers: Option<(usize, usize)>, step: u64) -> edges::Noise {
    let (layer, rate) = (case.network.layers()[index], case.rates[index]);
    let Some((position, _)) = numbers else {
        return edges::Noise::Factors(vec![vec![Real::exact(1.0); layer.inputs + 1]; layer.units]);
    };
    let share = match (case.thin.share, case.thin.share_rows) {
        (Share::Row, _) => edges::Share::Row,
        (Share::Slice, 0) => edges::Share::Slice,
        (Share::Slice, rows) => edges::Share::Groups(rows),
    };
    let (seed, slice) = (case.seed, case.train.slice);
    let draw = Draw { seed, purpose: edges::TRAINING, step, share, slice, position };
    match case.thin.drop {
        Drop::EdgesGaussian => {
            let alpha = Real::exact(f64::from(rate) / (1.0 - f64::from(rate)));
            edges::Noise::Gaussian { alpha, numbers: draw.numbers(index, layer.units) }
        }
        Drop::SparseVariational => {
            edges::Noise::Variational { logarithms: Vec::new(), numbers: draw.numbers(index, layer.units) }
        }
        _ => {
            let scale = if case.thin.scaling == Scaling::Training { 1.0 / edges::keep(rate) } else { 1.0 };
            draw.factors(index, rate, layer.units, layer.inputs, Real::exact(scale))
        }
    }
}

/// The noise on the units of each level.
fn unit_noise(case: &Case, judge: &Judge) -> Vec<Noise> {
    let level = |(level, &rate): (usize, &f32)| {
        let (units, rate) = (case.network.layers()[level].inputs as f64, f64::from(rate));
        let odds = rate / (1.0 - rate);
        match case.thin.drop {
            _ if rate == 0.0 => Noise::None,
            Drop::Gaussian => Noise::Gaussian(vec![odds.ln(); units as usize]),
            Drop::Variational => Noise::Gaussian(judge.learned[level].clone()),
            Drop::Concrete => Noise::Concrete(judge.learned[level][0]),
            Drop::Standout => Noise::Standout(f64::from(case.thin.standout_slope), -odds.ln()),
            _ => {
                let kept = ((1.0 - rate) * units).round();
                Noise::Count(kept as usize, units / kept)
            }
        }
    };
    case.rates.iter().enumerate().map(level).collect()
}

/// The judge's outputs of a network for one row.
fn outputs(case: &Case, judge: &Judge, drawn: &Drawn, inputs: &[f32]) -> Vec<Real> {
    match drawn {
        Drawn::Mask(mask, scales) => judge.net.forward(inputs, mask, scales).outputs().to_vec(),
        Drawn::Units(words) => {
            judge.net.forward_noisy(inputs, &unit_noise(case, judge), *words).outputs().to_vec()
        }
        Drawn::Edges(noise) => {
            let mut noise = noise.clone();
            let layers = case.network.layers();
            for (noise, (layer, learned)) in noise.iter_mut().zip(layers.iter().zip(&judge.learned)) {
                if let edges::Noise::Variational { logarithms, .. } = noise {
                    *logarithms = learned.chunks(layer.inputs).map(<[f64]>::to_vec).collect();
                }
            }
            judge.net.edge_forward(inputs, &noise).outputs().to_vec()
        }
    }
}

/// Both networks of the pair for the row at a position of a mini-batch. The rows of a second thinned network
/// follow those of the whole mini-batch, its slices the slices.
fn draw_pair(case: &Case, position: usize, step: u64) -> [Drawn; 2] {
    let (batch, slice) = (case.batch, case.train.slice);
    let second = match case.train.pair {
        Pair::ExpectationLinear { .. } => None,
        _ => Some((batch + position, batch.div_ceil(slice) + position / slice)),
    };
    [Some((position, position / slice)), second].map(|numbers| draw(case, numbers, step))
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
fn loss_of(case: &Case, judge: &Judge, rows: &[usize], pairs: &[[Drawn; 2]]) -> f64 {
    let loss = case.loss();
    let total = rows.iter().zip(pairs).map(|(&row, pair)| {
        let target = &Target::of(&case.examples.targets, row);
        let weight = case.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]));
        let [first, second] = [0, 1].map(|of| outputs(case, judge, &pair[of], case.examples.inputs.row(row)));
        let one = loss.value(&first, target).value;
        let [p, q] = [&first, &second].map(|outputs| means(loss.kind, outputs));
        let pair = match case.train.pair {
            Pair::None => one,
            Pair::RDrop { alpha } => {
                let both = divergence(loss.kind, &p, &q) + divergence(loss.kind, &q, &p);
                0.5 * (one + loss.value(&second, target).value) + f64::from(alpha) * 0.5 * both
            }
            Pair::ExpectationLinear { lambda } => one + f64::from(lambda) * distance(loss.kind, &p, &q),
        };
        weight * pair
    });
    total.sum::<f64>() / rows.len() as f64
}

/// Compares a step with its formula: the loss, and the gradient by every parameter and by all that is learned
/// of the noise.
fn assert_step(case: &Case, rows: &[usize], tolerance: f64) {
    // For so many rows no regulariser counts anything.
    let (mut stepper, step) = (case.stepper().for_run(1 << 40, 100), 2);
    let mut judge = Judge::of(case, &case.network);
    // What is learned has bounds, which a large step would meet.
    let rate = if judge.learned.iter().all(Vec::is_empty) { f64::from(1 << 20) } else { 1.0 / 16.0 };
    for _ in 0..step {
        stepper.step(&case.examples, case.weights.as_deref(), rows, &[0.0]).unwrap();
    }
    let loss = stepper.step(&case.examples, case.weights.as_deref(), rows, &[rate]).unwrap();
    let pairs: Vec<[Drawn; 2]> = (0..rows.len()).map(|position| draw_pair(case, position, step)).collect();
    let expected = loss_of(case, &judge, rows, &pairs);
    let what = format!("{:?}, {:?}, {:?}", case.train.pair, case.thin, case.network.layers()[0].activation);
    assert!((loss - expected).abs() < 4.0 * tolerance * (1.0 + expected), "{loss}, not {expected}: {what}");
    let mut after = Judge::of(case, stepper.network());
    let after: Vec<f64> = after.numbers().into_iter().map(|number| *number).collect();
    for (at, after) in after.into_iter().enumerate() {
        let before = *judge.numbers()[at];
        // So little that no unit comes over a kink.
        let [below, above] = [-1e-7, 1e-7].map(|by| {
            *judge.numbers()[at] = before + by;
            loss_of(case, &judge, rows, &pairs)
        });
        *judge.numbers()[at] = before;
        let (slope, gradient) = ((above - below) / 2e-7, (before - after) / rate);
        let off = (gradient - slope).abs();
        assert!(off < tolerance * (1.0 + slope.abs()), "number {at}: {gradient}, not {slope}: {what}");
    }
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
        assert_step(&case, &rows, 3e-6);
    }
}

/// Every member of the family, with and without a kink in the activation; where the whole network has no
/// backward pass, its pair is refused.
#[test]
fn pairs_work_with_every_member_of_the_family_or_are_refused() {
    let (mut random, mut judged, mut refused) = (Random(13), 0, 0);
    for (number, kind) in FAMILY.into_iter().flat_map(|kind| [kind; 16]).enumerate() {
        let is = |digit: usize| number >> digit & 1;
        let share = [Share::Row, Share::Slice][is(0)];
        let scaling = [Scaling::Training, Scaling::AtPrediction][is(1)];
        let activation = [Activation::Relu, Activation::Tanh][is(2)];
        let pair = [Pair::RDrop { alpha: 1.5 }, Pair::ExpectationLinear { lambda: 2.0 }][is(3)];
        let (drop, count, _) = kind;
        let case =
            case_of_family(kind, (share, scaling, activation), (pair, LOSSES[number % 3]), &mut random);
        // The judge of exact counts knows one scaling.
        if case.thin.check().is_err() || count == Count::Exact && scaling == Scaling::AtPrediction {
            continue;
        }
        let (network, objective) = (case.network.clone(), case.objective());
        let stepper = Stepper::new(isa(), network, &case.thin, &case.train, objective, case.batch, case.seed);
        let without = matches!(drop, Drop::Standout | Drop::SparseVariational)
            || drop == Drop::Edges && scaling == Scaling::AtPrediction;
        if matches!(pair, Pair::ExpectationLinear { .. }) && without {
            let error = stepper.unwrap_err().to_string();
            assert!(error.starts_with("spec, train.pair: expectation-linear"), "{error}");
            refused += 1;
            continue;
        }
        let rows = case.rows(if number % 5 == 0 { 6 } else { case.batch }, &mut random);
        assert_step(&case, &rows, 1e-4);
        judged += 1;
    }
    assert_eq!((judged, refused), (82, 14));
}

/// Fixed masks take turns over the slices; one that came round to the second network would leave it nothing
/// to disagree with.
#[test]
fn second_networks_with_fixed_masks_are_other_ones() {
    const SLICE: usize = 8;
    let mut random = Random(5);
    let inputs = Matrix::new(32, 12, random.normals(32 * 12)).unwrap();
    let targets = random.normals(32);
    let values = Targets::Values(Matrix::new(32, 1, targets.clone()).unwrap());
    let examples = Examples::new(inputs, values, None).unwrap();
    let spec = NetworkSpec { hidden: vec![20], ..NetworkSpec::default() };
    let network = Network::new(12, 1, &spec, 3).unwrap();
    for (members, slices, first_twin) in
        [(2, 1, 1), (3, 2, 2), (3, 4, 4), (4, 2, 2), (2, 2, 3), (2, 4, 5), (3, 3, 4), (4, 4, 5)]
    {
        let thin = ThinSpec { masks: Some(MaskSpec { members, scale: 2.0 }), ..ThinSpec::default() };
        let train = TrainSpec { pair: Pair::RDrop { alpha: 3.0 }, slice: SLICE, ..TrainSpec::default() };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let batch = slices * SLICE;
        let mut stepper = Stepper::new(isa(), network.clone(), &thin, &train, objective, batch, 7).unwrap();
        let rows: Vec<usize> = (0..batch).collect();
        let loss = stepper.step(&examples, None, &rows, &[0.0]).unwrap();
        let thinning = Thinning::new(&thin, &network, 7).unwrap();
        let (mut expected, mut apart) = (0.0, 0.0);
        for (number, rows) in rows.chunks(SLICE).enumerate() {
            let outputs = |number: usize| {
                let mut slice = Slice::new(isa(), &network, SLICE, number as u32, Buffers::Predict);
                slice.thin(&thinning, Sample::Training { step: 0 }, 0);
                slice.load(&thinning, rows.iter().map(|&row| examples.inputs.row(row)));
                slice.forward(&network, &thinning, 0..2);
                let mut outputs = vec![0.0; SLICE];
                slice.write_outputs(&mut outputs);
                outputs
            };
            let (first, second) = (outputs(number), outputs(first_twin + number));
            for ((&row, &a), &b) in rows.iter().zip(&first).zip(&second) {
                let [a, b, target] = [a, b, targets[row]].map(f64::from);
                apart += (a - b).powi(2);
                expected += 0.5 * ((a - target).powi(2) + (b - target).powi(2)) + 1.5 * (a - b).powi(2);
            }
        }
        let (expected, what) = (expected / batch as f64, format!("{members} members, {slices} slices"));
        assert!(apart > 1e-3, "{what}: both networks are the same");
        assert!((loss - expected).abs() < 1e-5 * expected, "{what}: {loss}, not {expected}");
    }
}

/// A slice that trained a noisy network before is asked for the gradients of the whole one.
#[test]
fn the_whole_network_moves_nothing_that_is_learned_of_noise() {
    const ROWS: usize = 7;
    for drop in [Drop::Variational, Drop::Concrete] {
        let thin = ThinSpec { drop, input: 0.2, ..ThinSpec::default() };
        let spec = NetworkSpec { hidden: vec![9], ..NetworkSpec::default() };
        let network = thin.with_noise(Network::new(5, 2, &spec, 1).unwrap()).unwrap();
        let thinning = Thinning::new(&thin, &network, 3).unwrap();
        let inputs = Random(4).normals(5 * ROWS);
        let mut slice = Slice::new(isa(), &network, ROWS, 0, Buffers::Train);
        for (sample, learns) in [(Sample::Training { step: 0 }, true), (Sample::Whole, false)] {
            slice.thin(&thinning, sample, 0);
            slice.load(&thinning, inputs.chunks(5));
            slice.forward(&network, &thinning, 0..2);
            let padded = slice.padded();
            let (_, gradients) = slice.outputs_and_gradients();
            gradients.fill(0.0);
            gradients.chunks_mut(padded).for_each(|line| line[..ROWS].fill(1.0));
            slice.backward(&network, &thinning);
            for (index, layer) in network.layers().iter().enumerate() {
                let [_, _, learned] = gradients_of_engine(&slice, index, layer);
                let moves = learned.iter().any(|&gradient| gradient != 0.0);
                assert_eq!(moves, learns, "{drop:?}, {sample:?}, layer {index}: {learned:?}");
            }
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
