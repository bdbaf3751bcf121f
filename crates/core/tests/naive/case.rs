//! Random networks, specs and rows to judge the engine on.

use thinnet::Isa;
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{Rates, Scaling, Share, ThinSpec};
use thinnet::train::{self, Objective, Stepper, TrainSpec};

use super::loss::{Loss, Target};
use super::real::Real;
use super::{Batch, Net, Row, mask};

/// Random numbers for the choice of cases (Steele, Lea and Flood 2014, "splitmix").
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of 0 to end - 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Uniform from 0 to 1.
    pub fn uniform(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1 << 24) as f32
    }

    /// About normal: mean 0, variance 1.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }

    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// What decides a case.
#[derive(Clone, Debug)]
pub struct Case {
    pub network: Network,
    pub rates: Vec<f32>,
    pub thin: ThinSpec,
    pub train: TrainSpec,
    pub examples: Examples,
    pub weights: Option<Vec<f32>>,
    /// Rows of the largest mini-batch.
    pub batch: usize,
    pub seed: u32,
}

/// The shape of a case.
#[derive(Clone, Debug)]
pub struct Shape {
    pub inputs: usize,
    pub hidden: Vec<usize>,
    pub activation: Activation,
    pub loss: train::Loss,
    pub share: Share,
    pub scaling: Scaling,
    pub rates: Vec<f32>,
    pub batch: usize,
    pub slice: usize,
}

impl Case {
    /// Rows, targets and parameters for a shape.
    pub fn new(shape: Shape, random: &mut Random) -> Self {
        let rows = shape.batch + random.below(20);
        let seed = random.word() as u32;
        let (targets, smoothing) = targets(shape.loss, rows, random);
        let train = TrainSpec {
            loss: Some(shape.loss),
            label_smoothing: smoothing,
            huber_delta: 0.2 + random.uniform(),
            slice: shape.slice,
            ..TrainSpec::default()
        };
        let spec = NetworkSpec {
            hidden: shape.hidden.clone(),
            activation: shape.activation,
            ..NetworkSpec::default()
        };
        let outputs = Objective::new(&train, &targets).unwrap().outputs(&targets);
        let mut network = Network::new(shape.inputs, outputs, &spec, seed).unwrap();
        // Variances near 0 would make the loss too steep for differences of it.
        let last = if shape.loss == train::Loss::Normal { 0.2 } else { 1.0 };
        for index in 0..network.layers().len() {
            let layer = network.layers()[index];
            let factor = if index + 1 == network.layers().len() { last } else { 1.0 };
            let weights = (0..layer.units).flat_map(|unit| network.unit_weights(index, unit));
            let weights: Vec<f32> = weights.map(|weight| factor * weight).collect();
            let biases: Vec<f32> = random.normals(layer.units).iter().map(|bias| 0.3 * bias).collect();
            network.set_layer(index, &weights, &biases).unwrap();
        }
        let inputs = Matrix::new(rows, shape.inputs, random.normals(rows * shape.inputs)).unwrap();
        let weights = (random.below(2) == 0).then(|| (0..rows).map(|_| 2.0 * random.uniform()).collect());
        let thin = ThinSpec {
            input: shape.rates[0],
            hidden: Rates::Each(shape.rates[1..].to_vec()),
            share: shape.share,
            scaling: shape.scaling,
            ..ThinSpec::default()
        };
        let examples = Examples::new(inputs, targets, None).unwrap();
        Self { network, rates: shape.rates, thin, train, examples, weights, batch: shape.batch, seed }
    }

    pub fn objective(&self) -> Objective {
        Objective::new(&self.train, &self.examples.targets).unwrap()
    }

    pub fn stepper(&self) -> Stepper {
        let network = self.network.clone();
        Stepper::new(isa(), network, &self.thin, &self.train, self.objective(), self.batch, self.seed)
            .unwrap()
    }

    /// The judge's view of the loss.
    pub fn loss(&self) -> Loss {
        let TrainSpec { loss, label_smoothing, huber_delta, .. } = self.train;
        Loss { kind: loss.unwrap(), smoothing: f64::from(label_smoothing), delta: f64::from(huber_delta) }
    }

    /// The judge's view of a mini-batch of a training step.
    pub fn batch(&self, rows: &[usize], step: u64) -> Batch {
        let levels = Net::of(&self.network).levels();
        let row = |(position, &row): (usize, &usize)| Row {
            inputs: self.examples.inputs.row(row).to_vec(),
            target: Target::of(&self.examples.targets, row),
            weight: self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row])),
            mask: mask::of_training(
                &self.rates,
                &levels,
                self.seed,
                self.thin.share,
                self.train.slice,
                position,
                step,
            ),
        };
        Batch {
            rows: rows.iter().enumerate().map(row).collect(),
            scales: mask::thinned_scales(&self.rates, self.thin.scaling),
        }
    }

    /// The judge's outputs of the whole network for one row.
    pub fn whole_outputs(&self, row: usize) -> Vec<Real> {
        let net = Net::of(&self.network);
        let scales = mask::whole_scales(&self.rates, self.thin.scaling);
        net.forward(self.examples.inputs.row(row), &mask::whole(&net.levels()), &scales).outputs().to_vec()
    }

    /// Rows for a mini-batch, some of them more than once.
    pub fn rows(&self, count: usize, random: &mut Random) -> Vec<usize> {
        (0..count).map(|_| random.below(self.examples.rows())).collect()
    }
}

/// Targets that suit a loss, and a label smoothing.
fn targets(loss: train::Loss, rows: usize, random: &mut Random) -> (Targets, f32) {
    match loss {
        train::Loss::CrossEntropy | train::Loss::BinaryCrossEntropy => {
            let classes = if loss == train::Loss::CrossEntropy { 2 + random.below(9) } else { 2 };
            let labels = (0..rows).map(|_| random.below(classes) as u32).collect();
            (Targets::Classes { labels, classes }, random.pick(&[0.0, 0.1, 0.3]))
        }
        _ => {
            let outputs = 1 + random.below(5);
            (Targets::Values(Matrix::new(rows, outputs, random.normals(rows * outputs)).unwrap()), 0.0)
        }
    }
}

pub const LOSSES: [train::Loss; 6] = [
    train::Loss::CrossEntropy,
    train::Loss::BinaryCrossEntropy,
    train::Loss::Squared,
    train::Loss::Absolute,
    train::Loss::Huber,
    train::Loss::Normal,
];

/// The instruction set that is tested: the one that `THINNET_ISA` names, or the best.
pub fn isa() -> Isa {
    Isa::from_environment().unwrap()
}
