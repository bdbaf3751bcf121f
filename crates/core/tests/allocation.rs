//! A step of training asks for no memory. This file has one test, because the allocator counts for
//! the whole process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use thinnet::Isa;
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{Count, Drop, MaskSpec, RateSchedule, Rates, Share, ThinSpec};
use thinnet::train::{Loss, Objective, Optimizer, Pair, Stepper, Threads, TrainSpec};

struct Counting;

static REQUESTS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every request goes to the system's allocator as it came; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROWS: usize = 256;
const INPUTS: usize = 60;
const BATCH: usize = 100;
/// After so many steps the threads have met every place where they may wait or steal work.
const FIRST_STEPS: usize = 20;
const STEPS: usize = 80;

fn examples(loss: Loss) -> Examples {
    let number = |i: usize| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0;
    let inputs = Matrix::new(ROWS, INPUTS, (0..ROWS * INPUTS).map(number).collect()).unwrap();
    let targets = match loss {
        Loss::CrossEntropy => {
            Targets::Classes { labels: (0..ROWS).map(|row| (row % 7) as u32).collect(), classes: 7 }
        }
        Loss::BinaryCrossEntropy => {
            Targets::Classes { labels: (0..ROWS).map(|row| (row % 2) as u32).collect(), classes: 2 }
        }
        _ => Targets::Values(Matrix::new(ROWS, 2, (0..2 * ROWS).map(number).collect()).unwrap()),
    };
    Examples::new(inputs, targets, None).unwrap()
}

/// How often `STEPS` steps ask for memory, after the first ones.
fn requests(thin: &ThinSpec, train: &TrainSpec, threads: &Threads, activation: Activation) -> u64 {
    let examples = examples(train.loss.unwrap());
    let objective = Objective::new(train, &examples.targets).unwrap();
    let spec = NetworkSpec { hidden: vec![120, 90], activation, ..NetworkSpec::default() };
    let network = Network::new(INPUTS, objective.outputs(&examples.targets), &spec, 3).unwrap();
    let network = thin.with_noise(network).unwrap();
    let weights = vec![0.5; ROWS];
    let order: Vec<usize> = (0..ROWS).collect();
    threads.run(|| {
        let isa = Isa::from_environment().unwrap();
        let stepper = Stepper::new(isa, network, thin, train, objective, BATCH, 3).unwrap();
        let mut stepper = stepper.for_run(ROWS, (FIRST_STEPS + STEPS) as u64);
        let mut before = 0;
        for step in 0..FIRST_STEPS + STEPS {
            if step == FIRST_STEPS {
                before = REQUESTS.load(Ordering::Relaxed);
            }
            let first = step * 13 % (ROWS - BATCH);
            // Every tenth step is on fewer rows, as the last of an epoch is.
            let count = if step % 10 == 9 { 37 } else { BATCH };
            stepper.step(&examples, Some(&weights), &order[first..first + count], &[0.001; 4]).unwrap();
        }
        REQUESTS.load(Ordering::Relaxed) - before
    })
}

#[test]
fn a_step_asks_for_no_memory() {
    let before = REQUESTS.load(Ordering::Relaxed);
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(REQUESTS.load(Ordering::Relaxed) > before, "the allocator counts");

    let base = TrainSpec { slice: 32, ..TrainSpec::default() };
    // Both stay until the end: threads that come to theirs ask for memory at a time of their own.
    let pools = [1, 2].map(|count| Threads::new(count).unwrap());
    for threads in &pools {
        for share in [Share::Row, Share::Slice] {
            for (loss, activation, optimizer, clip) in [
                (Loss::CrossEntropy, Activation::Relu, Optimizer::Adam, 0.0),
                (Loss::CrossEntropy, Activation::Relu, Optimizer::Adam, 0.1),
                (Loss::BinaryCrossEntropy, Activation::Gelu, Optimizer::Sgd, 0.0),
                (Loss::Huber, Activation::Tanh, Optimizer::Sgd, 0.1),
            ] {
                let train =
                    TrainSpec { loss: Some(loss), optimizer, clip, max_norm: 1.0, l1: 1e-4, ..base.clone() };
                let thin = ThinSpec { input: 0.2, hidden: Rates::All(0.5), share, ..ThinSpec::default() };
                let requests = requests(&thin, &train, threads, activation);
                let what =
                    format!("{} threads, {share:?}, {loss:?}, {optimizer:?}, clip {clip}", threads.count());
                assert_eq!(requests, 0, "{STEPS} steps asked for memory: {what}");
            }
        }
        for (drop, count, pool, masks) in [
            (Drop::Gaussian, Count::Random, 0, None),
            (Drop::Variational, Count::Random, 0, None),
            (Drop::Concrete, Count::Random, 0, None),
            (Drop::Standout, Count::Random, 0, None),
            (Drop::Edges, Count::Random, 0, None),
            (Drop::EdgesGaussian, Count::Random, 0, None),
            (Drop::SparseVariational, Count::Random, 0, None),
            (Drop::Units, Count::Exact, 0, None),
            (Drop::Units, Count::Exact, 7, None),
            (Drop::Units, Count::Random, 0, Some(MaskSpec { members: 4, scale: 2.0 })),
        ] {
            let input = if drop == Drop::Standout { 0.0 } else { 0.2 };
            let thin = ThinSpec { drop, count, pool, masks, input, ..ThinSpec::default() };
            for share in [Share::Row, Share::Slice] {
                let thin = ThinSpec { share, ..thin.clone() };
                if thin.check().is_err() {
                    continue;
                }
                let train = TrainSpec { loss: Some(Loss::CrossEntropy), ..base.clone() };
                let requests = requests(&thin, &train, threads, Activation::Relu);
                assert_eq!(
                    requests,
                    0,
                    "{STEPS} steps asked for memory: {} threads, {thin:?}",
                    threads.count()
                );
            }
        }
        // Half of the counted steps are the first that drop anything.
        let late = RateSchedule::Late(0.6);
        let (r_drop, linear) = (Pair::RDrop { alpha: 1.0 }, Pair::ExpectationLinear { lambda: 1.0 });
        for (drop, share, share_rows, schedule, pair) in [
            (Drop::Units, Share::Row, 0, late, Pair::None),
            (Drop::Units, Share::Row, 0, RateSchedule::Constant, r_drop),
            (Drop::Units, Share::Slice, 0, late, r_drop),
            (Drop::Units, Share::Slice, 0, RateSchedule::Early(0.8), linear),
            (Drop::Gaussian, Share::Row, 0, late, Pair::None),
            (Drop::Gaussian, Share::Row, 0, late, linear),
            (Drop::Edges, Share::Row, 0, late, r_drop),
            (Drop::Edges, Share::Slice, 16, RateSchedule::Constant, Pair::None),
            (Drop::Edges, Share::Slice, 16, late, r_drop),
            (Drop::Edges, Share::Slice, 0, late, linear),
            (Drop::EdgesGaussian, Share::Row, 0, late, r_drop),
        ] {
            let thin = ThinSpec { drop, share, share_rows, schedule, input: 0.2, ..ThinSpec::default() };
            let train = TrainSpec { loss: Some(Loss::CrossEntropy), pair, ..base.clone() };
            let requests = requests(&thin, &train, threads, Activation::Relu);
            let what = format!("{} threads, {pair}, {thin:?}", threads.count());
            assert_eq!(requests, 0, "{STEPS} steps asked for memory: {what}");
        }
    }
}
