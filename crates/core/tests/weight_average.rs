//! Runs that keep a mean of their weights, against the mean of the weights of shorter runs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::parameters_of;
use thinnet::Isa;
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::NetworkSpec;
use thinnet::thin::{self, ThinSpec, Thinning};
use thinnet::train::{Flow, Outcome, Schedule, Threads, TrainSpec, Trainer, WeightAverage};

const ROWS: usize = 100;

fn examples(first: usize) -> Examples {
    let number = |at: usize| (((first + at) * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0;
    let inputs = Matrix::new(ROWS, 5, (0..5 * ROWS).map(number).collect()).unwrap();
    let target = |row: usize| inputs.row(row)[0] * 2.0 - inputs.row(row)[1] + number(7 * row);
    let targets = Matrix::new(ROWS, 1, (0..ROWS).map(target).collect()).unwrap();
    Examples::new(inputs, Targets::Values(targets), None).unwrap()
}

/// A run of which shorter ones are the beginnings: the learning rate knows no end. It is large enough for the
/// lazy update, which a mean over the steps must not meet halfway.
fn run(change: impl Fn(&mut TrainSpec)) -> Outcome {
    let network = NetworkSpec { hidden: vec![300, 300], ..NetworkSpec::default() };
    let mut train = TrainSpec {
        schedule: Some(Schedule::Constant),
        learning_rate: 0.01,
        batch: Some(30),
        patience: Some(0),
        ..TrainSpec::default()
    };
    change(&mut train);
    let (thin, isa) = (ThinSpec::default(), Isa::from_environment().unwrap());
    let trainer = Trainer { network: &network, thin: &thin, train: &train, seed: 5, isa };
    let threads = Threads::new(2).unwrap();
    trainer.run(&examples(0), Some(&examples(9)), &threads, &mut |_| Flow::Continue).unwrap()
}

/// The mean of the networks of shorter runs, each with its weight.
fn assert_mean(outcome: &Outcome, shorter: &[(f64, Outcome)]) {
    let found = parameters_of(&outcome.network);
    let total: f64 = shorter.iter().map(|(weight, _)| weight).sum();
    let mut expected = vec![0.0; found.len()];
    for (weight, outcome) in shorter {
        let parameters = parameters_of(&outcome.network);
        expected.iter_mut().zip(parameters).for_each(|(sum, p)| *sum += weight / total * f64::from(p));
    }
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found}, not {expected}");
    }
}

/// The mean squared error of the whole network on the validation rows.
fn loss(outcome: &Outcome) -> f64 {
    let Examples { inputs, targets: Targets::Values(targets), .. } = examples(9) else { panic!() };
    let thinning = Thinning::new(&ThinSpec::default(), &outcome.network, 5).unwrap();
    let isa = Isa::from_environment().unwrap();
    let outputs = thin::outputs(isa, &outcome.network, &thinning, &inputs).unwrap();
    let errors = outputs.values().iter().zip(targets.values()).map(|(o, t)| f64::from(o - t).powi(2));
    errors.sum::<f64>() / ROWS as f64
}

#[test]
fn the_stochastic_mean_is_that_of_the_runs_that_end_at_each_epoch() {
    let averaged =
        run(|train| (train.epochs, train.weight_average) = (6, WeightAverage::Stochastic { from: 0.5 }));
    let shorter: Vec<(f64, Outcome)> =
        (3..=6).map(|epochs| (1.0, run(|train| train.epochs = epochs))).collect();
    assert_mean(&averaged, &shorter);
    // The first epochs validate the weights as they are, the others their mean.
    let valid = |outcome: &Outcome, epoch: usize| outcome.history[epoch - 1].valid_loss.unwrap();
    assert_eq!(valid(&averaged, 2), valid(&shorter[3].1, 2));
    assert!((valid(&averaged, 6) - loss(&averaged)).abs() < 1e-5);
    assert!((valid(&averaged, 6) - valid(&shorter[3].1, 6)).abs() > 1e-5);
}

#[test]
fn the_exponential_mean_is_that_of_the_runs_that_end_at_each_step() {
    let decay = 0.8_f64;
    let steps = |steps: u64| run(move |train| (train.steps, train.epochs) = (steps, 0));
    let averaged = run(|train| {
        (train.steps, train.epochs, train.weight_average) = (7, 0, WeightAverage::Exponential { decay });
    });
    let shorter: Vec<(f64, Outcome)> =
        (1..=7).map(|step| (decay.powi(7 - step), steps(step as u64))).collect();
    assert_mean(&averaged, &shorter);
    assert!((averaged.history.last().unwrap().valid_loss.unwrap() - loss(&averaged)).abs() < 1e-5);
}

/// What early stopping brings back is the mean of its epoch, not the weights.
#[test]
fn the_chosen_epoch_has_its_mean() {
    let averaged = run(|train| {
        (train.epochs, train.patience, train.learning_rate) = (30, Some(4), 0.05);
        train.weight_average = WeightAverage::Exponential { decay: 0.9 };
    });
    let chosen = averaged.history[averaged.chosen_epoch as usize - 1].valid_loss.unwrap();
    assert!((chosen - loss(&averaged)).abs() < 1e-5, "{chosen}, {}", loss(&averaged));
    assert!(averaged.history.iter().all(|epoch| epoch.valid_loss.unwrap() >= chosen));
    assert!((averaged.chosen_epoch as usize) < averaged.history.len(), "an earlier epoch than the last");
}

#[test]
fn the_mean_is_the_same_on_any_number_of_threads() {
    let on = |threads: usize| {
        let network = NetworkSpec { hidden: vec![300, 300], ..NetworkSpec::default() };
        let train = TrainSpec {
            epochs: 2,
            weight_average: WeightAverage::Exponential { decay: 0.9 },
            ..TrainSpec::default()
        };
        let (thin, isa) = (ThinSpec::default(), Isa::from_environment().unwrap());
        let trainer = Trainer { network: &network, thin: &thin, train: &train, seed: 5, isa };
        let threads = Threads::new(threads).unwrap();
        trainer.run(&examples(0), None, &threads, &mut |_| Flow::Continue).unwrap().network
    };
    let one = on(1);
    assert!((2..=4).all(|threads| on(threads) == one));
}
