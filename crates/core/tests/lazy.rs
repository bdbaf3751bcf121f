//! The lazy update leaves the parameters that the full update leaves, to the last bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use thinnet::Isa;
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Network, NetworkSpec};
use thinnet::thin::{Count, MaskSpec, RateSchedule, Rates, Share, ThinSpec};
use thinnet::train::{
    Event, Flow, Momentum, Objective, Optimizer, Outcome, Pair, Schedule, Stepper, Threads, TrainSpec,
    Trainer,
};

const ROWS: usize = 200;
const BATCH: usize = 64;
const STEPS: usize = 40;

fn examples() -> Examples {
    let number = |at: usize| ((at * 7919 % 1013) as f32 / 1013.0 - 0.5) * 3.0;
    let inputs = Matrix::new(ROWS, 70, (0..ROWS * 70).map(number).collect()).unwrap();
    let labels = (0..ROWS).map(|row| (row * row % 5) as u32).collect();
    Examples::new(inputs, Targets::Classes { labels, classes: 5 }, None).unwrap()
}

/// The learning rate of a step: another one at each.
fn rate(step: usize) -> f64 {
    0.02 / (1.0 + 0.1 * step as f64)
}

fn thin(rates: [f32; 2]) -> ThinSpec {
    let hidden = Rates::Each(rates.to_vec());
    ThinSpec { input: 0.2, hidden, share: Share::Slice, ..ThinSpec::default() }
}

/// All parameters after `STEPS` steps, each told of up to `known` learning rates; every seventh
/// mini-batch is short, so that a slice of it is missing.
fn trained(train: &TrainSpec, thin: &ThinSpec, known: usize) -> Vec<u32> {
    let examples = examples();
    // 23,000 weights by 64 rows: enough to be shared by threads, and to be updated lazily.
    let spec = NetworkSpec { hidden: vec![130, 100], ..NetworkSpec::default() };
    let network = Network::new(70, 5, &spec, 2).unwrap();
    let objective = Objective::new(train, &examples.targets).unwrap();
    let isa = Isa::from_environment().unwrap();
    let stepper = Stepper::new(isa, network, thin, train, objective, BATCH, 9).unwrap();
    let mut stepper = stepper.for_run(ROWS, STEPS as u64);
    for step in 0..STEPS {
        let count = if step % 7 == 6 { 20 } else { BATCH };
        let rows: Vec<usize> = (0..count).map(|row| (row * 3 + step * 31) % ROWS).collect();
        // An epoch ends after every 13th step: nobody knows more than its rest.
        let coming = step..(step + known).min(step / 13 * 13 + 13).min(STEPS);
        let rates: Vec<f64> = coming.map(rate).collect();
        stepper.step(&examples, None, &rows, &rates).unwrap();
    }
    let network = stepper.network();
    let layers = 0..network.layers().len();
    let numbers = layers.flat_map(|layer| [network.weights(layer), network.biases(layer)].concat());
    numbers.map(f32::to_bits).collect()
}

#[test]
fn units_brought_forward_are_where_the_full_update_leaves_them() {
    let sgd = TrainSpec { optimizer: Optimizer::Sgd, ..TrainSpec::default() };
    let specs = [
        TrainSpec { momentum: Momentum::Linear { from: 0.5, to: 0.95, steps: 30.0 }, ..sgd.clone() },
        TrainSpec { optimizer: Optimizer::Nesterov, l1: 1e-3, l2: 1e-2, ..sgd.clone() },
        TrainSpec { max_norm: 0.8, clip: 0.5, ..sgd },
        TrainSpec { optimizer: Optimizer::Adam, l2: 1e-3, ..TrainSpec::default() },
        TrainSpec { pair: Pair::RDrop { alpha: 1.0 }, ..TrainSpec::default() },
        TrainSpec { pair: Pair::ExpectationLinear { lambda: 1.0 }, ..TrainSpec::default() },
        TrainSpec { optimizer: Optimizer::Adamw, max_norm: 1.0, clip: 0.1, ..TrainSpec::default() },
    ];
    for train in specs {
        let train = TrainSpec { slice: 32, ..train };
        for rates in [[0.5, 0.5], [0.8, 0.0], [0.9, 0.4]] {
            let (thin, full) = (thin(rates), trained(&train, &thin(rates), 1));
            for known in [2, 3, 8, 20] {
                assert!(trained(&train, &thin, known) == full, "{known} steps known, {rates:?}, {train:?}");
            }
        }
    }
}

/// Every kind of mask that takes the path of the lazy update.
#[test]
fn units_are_brought_forward_past_masks_of_every_kind() {
    let base = thin([0.8, 0.5]);
    let (exact, pool) =
        (ThinSpec { count: Count::Exact, ..base.clone() }, ThinSpec { pool: 6, ..base.clone() });
    let mut kinds = vec![
        ThinSpec { masks: Some(MaskSpec { members: 4, scale: 2.0 }), ..base.clone() },
        ThinSpec { pool: 1, ..base.clone() },
        ThinSpec { pool: 6, ..exact.clone() },
    ];
    for schedule in [
        RateSchedule::Constant,
        RateSchedule::Linear { from: 0.2, to: 1.0 },
        RateSchedule::Early(0.7),
        RateSchedule::Late(0.4),
    ] {
        kinds.extend([&base, &exact, &pool].map(|thin| ThinSpec { schedule, ..thin.clone() }));
    }
    let momentum = Momentum::Linear { from: 0.5, to: 0.95, steps: 30.0 };
    let trains = [
        TrainSpec { optimizer: Optimizer::Sgd, momentum, l2: 1e-3, slice: 32, ..TrainSpec::default() },
        TrainSpec { optimizer: Optimizer::Adam, max_norm: 1.0, slice: 32, ..TrainSpec::default() },
        TrainSpec { pair: Pair::RDrop { alpha: 1.0 }, slice: 32, ..TrainSpec::default() },
    ];
    for thin in &kinds {
        for train in &trains {
            let full = trained(train, thin, 1);
            for known in [3, 20] {
                assert!(trained(train, thin, known) == full, "{known} steps known, {thin:?}, {train:?}");
            }
        }
    }
}

/// A run that is told to stop in the middle of an epoch, after some steps, if at all.
fn stopped(after: u64, steps: u64) -> Outcome {
    let network = NetworkSpec { hidden: vec![300, 200], ..NetworkSpec::default() };
    let schedule = Some(Schedule::Constant);
    let train = TrainSpec { schedule, batch: Some(20), slice: 20, steps, epochs: 1, ..TrainSpec::default() };
    let (thin, isa) = (thin([0.9, 0.8]), Isa::from_environment().unwrap());
    let trainer = Trainer { network: &network, thin: &thin, train: &train, seed: 9, isa };
    let watch = &mut |event: &Event| match event {
        Event::Step { steps, .. } if *steps == after => Flow::Stop,
        _ => Flow::Continue,
    };
    trainer.run(&examples(), None, &Threads::new(1).unwrap(), watch).unwrap()
}

#[test]
fn a_run_that_stops_leaves_all_units_at_the_same_step() {
    let mut later = 0;
    for after in 1..=10 {
        let outcome = stopped(after, 0);
        let whole = stopped(0, outcome.steps);
        assert!(outcome.steps >= after && outcome.steps < after + 8, "{} for {after}", outcome.steps);
        assert_eq!(outcome.history.len(), 1);
        assert_eq!(outcome.network, whole.network, "told to stop after {after}");
        later += outcome.steps - after;
    }
    assert!(later > 10, "{later} more: no weights were ahead");
}
