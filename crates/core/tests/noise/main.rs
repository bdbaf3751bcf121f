//! Noise on units: the engine's passes and gradients against the naive ones, those against central
//! differences with the noise held fixed, what the regularisers do, and the limit cases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod case;
mod gradients;
mod limits;
mod masks;
mod moments;
#[path = "../naive/mod.rs"]
mod naive;
mod regularisers;
mod schedules;
mod standout;

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

/// The units of the hidden layer that each slice of each step keeps.
fn kept(thin: &ThinSpec, sample: Sample, slice: u32) -> Vec<u32> {
    let spec = NetworkSpec { hidden: vec![40], ..NetworkSpec::default() };
    let network = Network::zeros(12, 2, &spec).unwrap();
    let thinning = Thinning::new(thin, &network, 6).unwrap().with_total_steps(1000);
    let mut at = Slice::new(isa(), &network, 4, slice, Buffers::Predict);
    at.thin(&thinning, sample, 0);
    at.kept(1).units().to_vec()
}
