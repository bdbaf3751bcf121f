//! One spec and one seed give one model, to the last bit of its file, on any number of threads.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;

use thinnet::data::{Data, digits};
use thinnet::model::{Fitted, fit};
use thinnet::network::{Activation, NetworkSpec};
use thinnet::thin::{Count, Drop, MaskSpec, RateSchedule, Rates, Share, ThinSpec};
use thinnet::train::{Flow, Momentum, Optimizer, Pair, Threads, TrainSpec};
use thinnet::{Spec, average::Average};

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("thinnet-same-bits-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl std::ops::Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn data() -> Data {
    Data::Images(digits().unwrap())
}

/// 64-72-40-10 on mini-batches of 160 rows in slices of 48, the last of 16: 1.3 million
/// multiply-adds, more than the million from which on a step is shared by threads.
fn spec(share: Share, optimizer: Optimizer) -> Spec {
    let mut spec = Spec {
        seed: 21,
        network: NetworkSpec { hidden: vec![72, 40], activation: Activation::Relu, ..NetworkSpec::default() },
        thin: ThinSpec { input: 0.2, hidden: Rates::All(0.5), share, ..ThinSpec::default() },
        train: TrainSpec {
            optimizer,
            learning_rate: if optimizer == Optimizer::Sgd { 0.05 } else { 0.002 },
            momentum: match optimizer {
                Optimizer::Sgd | Optimizer::Nesterov => Momentum::Linear { from: 0.5, to: 0.9, steps: 20.0 },
                Optimizer::Adam | Optimizer::Adamw => TrainSpec::default().momentum,
            },
            max_norm: 2.0,
            l2: 1e-4,
            batch: Some(160),
            slice: 48,
            epochs: 2,
            steps: 12,
            patience: Some(5),
            ..TrainSpec::default()
        },
        ..Spec::default()
    };
    spec.data.valid = Some(0.2);
    spec
}

fn fitted(spec: &Spec, threads: usize) -> Fitted {
    let threads = Threads::new(threads).unwrap();
    fit(&data(), None, spec, &threads, &mut |_| Flow::Continue).unwrap()
}

/// The bytes of the model's file.
fn file(spec: &Spec, threads: usize, folder: &Folder) -> Vec<u8> {
    let path = folder.0.join(format!("{threads}.thinnet"));
    fitted(spec, threads).model.save(&path).unwrap();
    fs::read(path).unwrap()
}

fn all_threads_give_the_same_file(name: &str, spec: &Spec) {
    let folder = Folder::new(name);
    let one = file(spec, 1, &folder);
    for threads in [1, 2, 3, 4] {
        assert!(file(spec, threads, &folder) == one, "{name}: {threads} threads give another file than 1");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    for (share, optimizer) in [
        (Share::Row, Optimizer::Adam),
        (Share::Slice, Optimizer::Adam),
        (Share::Row, Optimizer::Sgd),
        (Share::Slice, Optimizer::Nesterov),
        (Share::Slice, Optimizer::Adamw),
    ] {
        all_threads_give_the_same_file(&format!("{share:?}-{optimizer:?}"), &spec(share, optimizer));
    }
}

/// Every member of the family that acts on units, and masks that come back.
#[test]
fn noise_is_the_same_on_any_number_of_threads() {
    let base = |share| spec(share, Optimizer::Adam);
    for (drop, share) in [
        (Drop::Gaussian, Share::Row),
        (Drop::Variational, Share::Row),
        (Drop::Concrete, Share::Slice),
        (Drop::Standout, Share::Row),
    ] {
        let mut spec = base(share);
        spec.thin.drop = drop;
        spec.thin.input = if drop == Drop::Standout { 0.0 } else { 0.2 };
        spec.train.clip = if drop == Drop::Variational { 0.5 } else { 0.0 };
        all_threads_give_the_same_file(&format!("noise-{drop:?}"), &spec);
    }
    for share in [Share::Row, Share::Slice] {
        let mut spec = base(share);
        spec.thin.count = Count::Exact;
        spec.thin.schedule = RateSchedule::Linear { from: 0.0, to: 1.0 };
        all_threads_give_the_same_file(&format!("count-{share:?}"), &spec);
    }
    let (mut pool, mut masks) = (base(Share::Slice), base(Share::Slice));
    pool.thin.pool = 10;
    masks.thin.masks = Some(MaskSpec { members: 4, scale: 2.0 });
    all_threads_give_the_same_file("pool", &pool);
    all_threads_give_the_same_file("masks", &masks);
}

#[test]
fn noise_on_edges_is_the_same_on_any_number_of_threads() {
    for (drop, share, share_rows, clip) in [
        (Drop::Edges, Share::Row, 0, 0.0),
        (Drop::Edges, Share::Slice, 0, 0.0),
        (Drop::Edges, Share::Slice, 16, 0.5),
        (Drop::EdgesGaussian, Share::Row, 0, 0.0),
        (Drop::SparseVariational, Share::Row, 0, 0.0),
        (Drop::SparseVariational, Share::Row, 0, 0.5),
    ] {
        let mut spec = spec(share, Optimizer::Adam);
        (spec.thin.drop, spec.thin.share_rows, spec.train.clip) = (drop, share_rows, clip);
        all_threads_give_the_same_file(&format!("{drop:?}-{share:?}-{share_rows}-{clip}"), &spec);
    }
}

#[test]
fn a_clipped_gradient_is_the_same_on_any_number_of_threads() {
    for share in [Share::Row, Share::Slice] {
        let mut spec = spec(share, Optimizer::Sgd);
        spec.train.clip = 0.5;
        all_threads_give_the_same_file(&format!("clip-{share:?}"), &spec);
    }
}

#[test]
fn a_loss_over_pairs_is_the_same_on_any_number_of_threads() {
    for (pair, drop, share) in [
        (Pair::RDrop { alpha: 1.0 }, Drop::Units, Share::Row),
        (Pair::RDrop { alpha: 1.0 }, Drop::Units, Share::Slice),
        (Pair::RDrop { alpha: 1.0 }, Drop::Edges, Share::Slice),
        (Pair::ExpectationLinear { lambda: 1.0 }, Drop::Units, Share::Slice),
        (Pair::ExpectationLinear { lambda: 1.0 }, Drop::Gaussian, Share::Row),
    ] {
        let mut spec = spec(share, Optimizer::Adam);
        (spec.train.pair, spec.thin.drop) = (pair, drop);
        all_threads_give_the_same_file(&format!("{pair}-{drop:?}-{share:?}"), &spec);
    }
}

/// The file holds the temperature, to its last bit.
#[test]
fn a_temperature_is_the_same_on_any_number_of_threads() {
    for share in [Share::Row, Share::Slice] {
        let mut spec = spec(share, Optimizer::Adam);
        spec.train.temperature = true;
        assert!(fitted(&spec, 2).model.run().temperature != 1.0, "{share:?}: none was fitted");
        all_threads_give_the_same_file(&format!("temperature-{share:?}"), &spec);
    }
}

#[test]
fn sampled_predictions_are_the_same_on_any_number_of_threads() {
    for share in [Share::Row, Share::Slice] {
        let model = fitted(&spec(share, Optimizer::Adam), 1).model;
        let inputs = model.pipeline.inputs(&data(), None).unwrap();
        let predicted = |threads, seed| {
            let by = Average::monte_carlo(5);
            model.average(&inputs, by, seed, &Threads::new(threads).unwrap()).unwrap()
        };
        let one = predicted(1, 3);
        for threads in [2, 3, 4] {
            assert!(predicted(threads, 3) == one, "{share:?}: {threads} threads predict otherwise than 1");
        }
        assert!(predicted(1, 4) != one, "{share:?}: another seed samples other networks");
    }
}

/// The seed stands in the file; that of the parameters alone must tell two runs apart.
#[test]
fn another_seed_gives_another_network() {
    for share in [Share::Row, Share::Slice] {
        let with_seed =
            |seed| fitted(&Spec { seed, ..spec(share, Optimizer::Adam) }, 2).model.network().clone();
        assert!(with_seed(21) == with_seed(21) && with_seed(21) != with_seed(22));
    }
}
