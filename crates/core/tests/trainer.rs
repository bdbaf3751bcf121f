//! A run is its steps: the documented order of the rows, the learning rate of each step, and what is told of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use thinnet::Isa;
use thinnet::data::{Data, Examples, Matrix, Targets, parse_csv};
use thinnet::model::{Evaluation, Fitted, fit};
use thinnet::network::{Network, NetworkSpec};
use thinnet::thin::{Drop, RateSchedule, ThinSpec};
use thinnet::train::{
    Ended, Flow, Objective, Outcome, Schedule, Stepper, Threads, TrainSpec, Trainer, WeightAverage,
};
use thinnet::{Spec, thin::Rates};
use thinnet_kernels::philox::{Counter, Key, words};

const ROWS: usize = 50;
const BATCH: usize = 16;

/// Rows with a value each, that count 1, 2 and 3 by turns.
fn examples() -> Examples {
    let inputs = (0..4 * ROWS).map(|at| (at * 37 % 41) as f32 / 20.0 - 1.0).collect();
    let values = (0..ROWS).map(|row| (row * row % 17) as f32 / 8.0 - 1.0).collect();
    let targets = Targets::Values(Matrix::new(ROWS, 1, values).unwrap());
    let weights = (0..ROWS).map(|row| 1.0 + (row % 3) as f32).collect();
    Examples::new(Matrix::new(ROWS, 4, inputs).unwrap(), targets, Some(weights)).unwrap()
}

fn spec() -> NetworkSpec {
    NetworkSpec { hidden: vec![9], ..NetworkSpec::default() }
}

fn run(thin: &ThinSpec, train: &TrainSpec, valid: Option<&Examples>) -> Outcome {
    let isa = Isa::from_environment().unwrap();
    let trainer = Trainer { network: &spec(), thin, train, seed: 5, isa };
    trainer.run(&examples(), valid, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap()
}

/// Weights, biases and what is learned of the noise.
fn numbers(network: &Network) -> Vec<f32> {
    let layer = |layer: usize| [network.weights(layer), network.biases(layer), network.noise(layer)].concat();
    (0..network.layers().len()).flat_map(layer).collect()
}

/// The order of the rows in an epoch, from that of the one before (docs/determinism.md, stream 1).
fn shuffle(order: &mut [usize], epoch: u64) {
    for last in (1..order.len()).rev() {
        let counter = Counter { block: last as u32, row: 0, step: epoch };
        let [high, low, ..] = words(Key { seed: 5, stream: 1 }, counter);
        let word = u128::from(u64::from(high) << 32 | u64::from(low));
        order.swap(last, ((word * (last as u128 + 1)) >> 64) as usize);
    }
}

#[test]
fn a_run_is_its_steps() {
    let examples = examples();
    let own = examples.weights.as_ref().unwrap();
    let mean = own.iter().sum::<f32>() / ROWS as f32;
    let weights: Vec<f32> = own.iter().map(|weight| weight / mean).collect();
    let cosine = Schedule::Cosine;
    let train = TrainSpec {
        batch: Some(BATCH),
        epochs: 3,
        warmup: 4,
        schedule: Some(cosine),
        ..TrainSpec::default()
    };
    for (drop, schedule) in [
        (Drop::Units, RateSchedule::Linear { from: 0.0, to: 1.0 }),
        (Drop::Variational, RateSchedule::Constant),
        (Drop::Concrete, RateSchedule::Constant),
    ] {
        let thin = ThinSpec { drop, schedule, input: 0.2, hidden: Rates::All(0.4), ..ThinSpec::default() };
        let network = thin.with_noise(Network::new(4, 1, &spec(), 5).unwrap()).unwrap();
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let isa = Isa::from_environment().unwrap();
        let stepper = Stepper::new(isa, network, &thin, &train, objective, BATCH, 5).unwrap();
        let mut stepper = stepper.for_run(ROWS, 12);
        let (mut order, mut step): (Vec<usize>, u32) = ((0..ROWS).collect(), 0);
        for epoch in 1..=3 {
            shuffle(&mut order, epoch);
            for rows in order.chunks(BATCH) {
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * f64::from(step) / 12.0).cos());
                let warm = (f64::from(step + 1) / 4.0).min(1.0);
                let rate = f64::from(train.learning_rate) * cosine * warm;
                stepper.step(&examples, Some(&weights), rows, &[rate]).unwrap();
                step += 1;
            }
        }
        let (found, expected) = (numbers(&run(&thin, &train, None).network), numbers(stepper.network()));
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{drop:?}: {found}, not {expected}");
        }
    }
}

/// With one that no epoch reaches, the first one is the last that improved.
#[test]
fn an_improvement_that_is_too_small_does_not_prolong_a_run() {
    let of = |min_improvement| {
        let train = TrainSpec { epochs: 30, patience: Some(3), min_improvement, ..TrainSpec::default() };
        run(&ThinSpec::none(), &train, Some(&examples()))
    };
    let patient = of(0.0);
    assert!(patient.ended == Ended::Finished && patient.history.len() == 30, "{:?}", patient.ended);
    let hasty = of(100.0);
    assert_eq!((hasty.ended, hasty.history.len()), (Ended::Patience, 4));
    assert_eq!(hasty.chosen_epoch, 4, "the lowest is kept all the same");
}

/// A run whose steps are too small to change anything, of two classes and a column of weights.
fn standing(weight: Option<&str>, label_smoothing: f32) -> Fitted {
    let row = |i: usize| format!("{},{},{}\n", (i * 37 % 41) as f64 / 20.0, 1 + i % 4, ["a", "b"][i % 3 % 2]);
    let text: String = (0..90).map(row).collect();
    let text = format!("x,count,class\n{text}");
    let data = Data::from(parse_csv("rows", text.as_bytes(), &Default::default()).unwrap());
    let mut spec = Spec { thin: ThinSpec::none(), network: spec(), ..Spec::default() };
    (spec.data.valid, spec.data.weight) = (Some(0.3), weight.map(str::to_string));
    spec.train = TrainSpec {
        epochs: 2,
        batch: Some(20),
        learning_rate: 1e-30,
        label_smoothing,
        weight_average: WeightAverage::None,
        ..TrainSpec::default()
    };
    fit(&data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap()
}

fn nll(evaluation: &Evaluation) -> f64 {
    let Evaluation::Classification(of) = evaluation else { panic!("no classes") };
    of.nll
}

#[test]
fn the_history_has_the_losses_of_all_rows() {
    let Fitted { model, train, valid, .. } = standing(None, 0.0);
    for epoch in &model.run().history {
        assert!((epoch.train_loss - nll(&train)).abs() < 1e-5, "{epoch:?}, not {}", nll(&train));
        assert!((epoch.valid_loss.unwrap() - nll(valid.as_ref().unwrap())).abs() < 1e-5, "{epoch:?}");
    }
    // By the weights of the rows, and without the smoothing of the labels.
    let Fitted { model, valid, .. } = standing(Some("count"), 0.1);
    let (found, expected) = (model.run().history[1].valid_loss.unwrap(), nll(&valid.unwrap()));
    assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
}

/// The errors of an overfitted regression are smaller on the rows that it has learned.
#[test]
fn the_noise_of_a_regression_is_that_of_its_validation_rows() {
    let text: String = (0..60).map(|i| format!("{},{}\n", i * 7 % 60, (i * i * 31) % 101)).collect();
    let data = Data::from(parse_csv("r", format!("x,y\n{text}").as_bytes(), &Default::default()).unwrap());
    let mut spec = Spec { thin: ThinSpec::none(), ..Spec::default() };
    (spec.network.hidden, spec.data.valid) = (vec![64], Some(0.25));
    spec.data.task = Some(thinnet::data::Task::Regression);
    (spec.train.epochs, spec.train.learning_rate, spec.train.patience) = (200, 0.02, Some(0));
    let fitted = fit(&data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap();
    let rmse = |evaluation: &Evaluation| match evaluation {
        Evaluation::Regression(of) => of.rmse,
        Evaluation::Classification(_) => panic!("no values"),
    };
    let noise = fitted.model.pipeline.denormalise_spread(fitted.model.noise.unwrap());
    assert!((noise / rmse(fitted.valid.as_ref().unwrap()) - 1.0).abs() < 1e-5, "{noise}");
    assert!(noise > 1.1 * rmse(&fitted.train), "{noise}, {}", rmse(&fitted.train));
}
