//! The layout of random words is the documented one (docs/determinism.md): what a seed gives, from the words alone.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use thinnet::Isa;
use thinnet::data::{Data, DataSpec, Table, Task};
use thinnet::network::{Network, NetworkSpec};
use thinnet::prepare::Parts;
use thinnet::thin::{Buffers, MaskSpec, Rates, Sample, Share, Slice, ThinSpec, Thinning};
use thinnet_kernels::philox::{Counter, Key, words};

/// Box and Muller, from 52 bits each.
#[test]
fn first_weights_are_from_stream_0() {
    let spec = NetworkSpec { hidden: vec![7], ..NetworkSpec::default() };
    let network = Network::new(5, 3, &spec, 11).unwrap();
    for (layer, inputs, units) in [(0, 5, 7), (1, 7, 3)] {
        for unit in 0..units {
            for (input, weight) in network.unit_weights(layer, unit).iter().enumerate() {
                let counter = Counter { block: input as u32 / 2, row: unit as u32, step: layer as u64 };
                let drawn = words(Key { seed: 11, stream: 0 }, counter);
                let number = |at: usize| {
                    let bits = (u64::from(drawn[at]) << 32 | u64::from(drawn[at + 1])) >> 12;
                    (bits as f64 + 0.5) / (1_u64 << 52) as f64
                };
                let radius = (-2.0 * number(0).ln() * 2.0 / f64::from(inputs)).sqrt();
                let (sine, cosine) = (std::f64::consts::TAU * number(2)).sin_cos();
                let expected = radius * if input % 2 == 0 { cosine } else { sine };
                assert!((f64::from(*weight) - expected).abs() < 1e-6, "{layer}, {unit}, {input}: {weight}");
            }
        }
    }
}

/// Rows set aside by Fisher and Yates, each place by Lemire's method from the words of steps 1, 2, ...
fn aside(rows: &[usize], share: f64, key: Key) -> Vec<usize> {
    let mut step = 0;
    let mut below = |limit: u64| loop {
        step += 1;
        let product = u64::from(words(key, Counter { block: 0, row: 0, step })[0]) * limit;
        if product % (1 << 32) >= (1 << 32) % limit {
            return (product >> 32) as usize;
        }
    };
    let mut rows = rows.to_vec();
    for last in (1..rows.len()).rev() {
        rows.swap(last, below(last as u64 + 1));
    }
    rows.truncate((share * rows.len() as f64).round() as usize);
    rows.sort_unstable();
    rows
}

#[test]
fn the_test_part_is_from_stream_4_and_then_the_validation_rows_from_stream_2() {
    let values: Vec<f32> = (0..80).map(|row| row as f32).collect();
    let data = Data::from(Table::from_rows(&values, 1, Some(&values)).unwrap());
    let task = Some(Task::Regression);
    let spec = DataSpec { test: 0.25, valid: Some(0.2), test_seed: 3, task, ..DataSpec::default() };
    let parts = Parts::new(&data, &spec, 9).unwrap();
    let all: Vec<usize> = (0..80).collect();
    assert_eq!(parts.test, aside(&all, 0.25, Key { seed: 3, stream: 4 }));
    let learned: Vec<usize> = all.into_iter().filter(|row| !parts.test.contains(row)).collect();
    assert_eq!(parts.valid, aside(&learned, 0.2, Key { seed: 9, stream: 2 }));
}

/// The units of the hidden layer that a slice keeps.
fn kept(thin: &ThinSpec, sample: Sample, slice: u32) -> Vec<u32> {
    let spec = NetworkSpec { hidden: vec![40], ..NetworkSpec::default() };
    let network = Network::zeros(12, 2, &spec).unwrap();
    let thinning = Thinning::new(thin, &network, 6).unwrap();
    let mut at = Slice::new(Isa::from_environment().unwrap(), &network, 4, slice, Buffers::Predict);
    at.thin(&thinning, sample, 0);
    at.kept(1).units().to_vec()
}

#[test]
fn the_mask_of_a_pool_is_chosen_by_stream_3() {
    let thin = ThinSpec { pool: 5, share: Share::Slice, hidden: Rates::All(0.5), ..ThinSpec::default() };
    let mut chosen = [false; 5];
    for step in 0..20 {
        for slice in 0..3 {
            let word = words(Key { seed: 6, stream: 3 }, Counter { block: 0, row: slice, step })[0];
            let number = (u64::from(word) * 5) >> 32;
            chosen[number as usize] = true;
            let expected = kept(&thin, Sample::MonteCarlo { number }, 0);
            assert_eq!(kept(&thin, Sample::Training { step }, slice), expected, "{step}, {slice}");
        }
    }
    assert_eq!(chosen, [true; 5]);
}

/// Masks are drawn in training and in prediction by the same seed from other streams.
#[test]
fn units_are_kept_by_streams_of_their_level() {
    let thin = ThinSpec { share: Share::Slice, hidden: Rates::All(0.5), ..ThinSpec::default() };
    for (sample, stream, row, step) in [
        (Sample::Training { step: 7 }, 0x1000_0001, 2, 7),
        // A prediction is one slice after the other with the number 0, so that all rows meet the same networks.
        (Sample::MonteCarlo { number: 9 }, 0x2000_0001, 0, 9),
    ] {
        let is_kept = |unit: &u32| {
            let counter = Counter { block: unit / 4, row, step };
            words(Key { seed: 6, stream }, counter)[*unit as usize % 4] >= 1 << 31
        };
        let expected: Vec<u32> = (0..40).filter(is_kept).collect();
        assert_eq!(kept(&thin, sample, row), expected, "{sample:?}");
    }
    // Fixed masks come back in turn, whatever the step.
    let masks = Some(MaskSpec { members: 3, scale: 2.0 });
    let fixed = ThinSpec { masks, ..thin };
    assert_eq!(kept(&fixed, Sample::Training { step: 4 }, 0), kept(&fixed, Sample::Training { step: 0 }, 1));
}
