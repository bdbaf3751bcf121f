//! The masks are what theory says of coins: their rate, and that none knows of another.

mod common;

use common::{Random, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::elementwise::{Activation, RowMask, Units, activate, differentiate};
use thinnet_kernels::philox::{Counter, Key, fill, threshold, words};
use thinnet_kernels::{Isa, LINE};

const KEY: Key = Key { seed: 2014, stream: 5 };
const COUNTER: Counter = Counter { block: 0, row: 9, step: 1234 };

fn drawn(key: Key, counter: Counter, count: usize) -> Vec<u32> {
    let mut words = vec![0; count];
    fill(Isa::best(), key, counter, &mut words);
    words
}

#[test]
fn the_rate_is_within_4_standard_errors_over_ten_million_draws() {
    const DRAWS: usize = 10_000_000;
    for (stream, rate) in [(1, 0.05f32), (2, 0.2), (3, 0.5), (4, 0.9)] {
        let threshold = threshold(rate);
        let words = drawn(Key { stream, ..KEY }, COUNTER, DRAWS);
        let dropped = words.iter().filter(|&&word| word < threshold).count() as f64 / DRAWS as f64;
        let rate = f64::from(rate);
        let error = (rate * (1.0 - rate) / DRAWS as f64).sqrt();
        assert!((dropped - rate).abs() < 4.0 * error, "rate {rate}: {dropped}");
    }
}

/// The correlation of two masks with this rate, in standard errors.
fn correlation(a: &[u32], b: &[u32], rate: f32) -> f64 {
    let (threshold, keep) = (threshold(rate), 1.0 - f64::from(rate));
    let deviation = |word: u32| f64::from(u8::from(word >= threshold)) - keep;
    let sum: f64 = a.iter().zip(b).map(|(&a, &b)| deviation(a) * deviation(b)).sum();
    sum / (keep * (1.0 - keep) * (a.len() as f64).sqrt())
}

#[test]
fn masks_know_nothing_of_their_neighbours() {
    const UNITS: usize = 500_000;
    let one = drawn(KEY, COUNTER, UNITS + 16);
    let (row, step) = (COUNTER.row, COUNTER.step);
    let neighbours = [
        ("row", drawn(KEY, Counter { row: row + 1, ..COUNTER }, UNITS)),
        ("far row", drawn(KEY, Counter { row: row + 128, ..COUNTER }, UNITS)),
        ("step", drawn(KEY, Counter { step: step + 1, ..COUNTER }, UNITS)),
        ("step beyond 32 bits", drawn(KEY, Counter { step: step + (1 << 32), ..COUNTER }, UNITS)),
        (
            "row and step exchanged",
            drawn(KEY, Counter { row: step as u32, step: row.into(), ..COUNTER }, UNITS),
        ),
        ("stream", drawn(Key { stream: KEY.stream + 1, ..KEY }, COUNTER, UNITS)),
        ("seed", drawn(Key { seed: KEY.seed + 1, ..KEY }, COUNTER, UNITS)),
        ("seed and stream exchanged", drawn(Key { seed: KEY.stream, stream: KEY.seed }, COUNTER, UNITS)),
        ("unit", one[1..].to_vec()),
        ("unit after next", one[2..].to_vec()),
        ("unit of the next block", one[4..].to_vec()),
        ("unit of the next vector", one[16..].to_vec()),
    ];
    for rate in [0.05, 0.2, 0.5, 0.9] {
        for (what, other) in &neighbours {
            let errors = correlation(&one[..UNITS], other, rate);
            assert!(errors.abs() < 4.0, "{what}, rate {rate}: {errors} standard errors");
        }
    }
}

/// As above, across rows and steps of the same unit, where a run uses few units and many rows.
#[test]
fn a_units_masks_over_rows_and_steps_know_nothing_of_each_other() {
    const COUNT: u32 = 300_000;
    let over_rows: Vec<u32> = (0..COUNT).map(|row| words(KEY, Counter { row, ..COUNTER })[1]).collect();
    let over_steps: Vec<u32> =
        (0..COUNT).map(|step| words(KEY, Counter { step: step.into(), ..COUNTER })[1]).collect();
    for rate in [0.2, 0.5] {
        for line in [&over_rows, &over_steps] {
            for lag in [1, 2, 64] {
                let errors = correlation(&line[..line.len() - lag], &line[lag..], rate);
                assert!(errors.abs() < 4.0, "lag {lag}, rate {rate}: {errors} standard errors");
            }
        }
        assert!(correlation(&over_rows, &over_steps, rate).abs() < 4.0);
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn every_isa_fills_the_words_of_the_counters(
        count in 0..300usize, [seed, stream, block, row] in any::<[u32; 4]>(), step in any::<u64>(),
    ) {
        let key = Key { seed, stream };
        for isa in every_isa() {
            let mut drawn = vec![0; count];
            fill(isa, key, Counter { block, row, step }, &mut drawn);
            for (unit, &word) in drawn.iter().enumerate() {
                let counter = Counter { block: block.wrapping_add(unit as u32 / 4), row, step };
                prop_assert_eq!(word, words(key, counter)[unit % 4], "{}, unit {} of {}", isa, unit, count);
            }
        }
    }

    #[test]
    fn each_row_has_the_mask_of_its_counter(
        count in 0..20usize, blocks in 0..5usize, [seed, stream] in any::<[u32; 2]>(), step in any::<u64>(),
        // Row numbers wrap.
        first_row in prop_oneof![any::<u32>(), u32::MAX - 70..=u32::MAX],
        rate in prop_oneof![Just(0.0f32), Just(0.5), Just(1.0), 0f32..1.0],
    ) {
        let (key, threshold, rows) = (Key { seed, stream }, threshold(rate), blocks * LINE);
        let units: Vec<u32> = (0..count as u32).collect();
        let mask = Some(RowMask { key, step, first_row, threshold });
        let layer = Units { units: &units, rows, mask, scale: 3.0, activation: Activation::Identity };
        let numbers = Random(step).values(count * rows);
        for isa in every_isa() {
            let mut values = numbers.clone();
            activate(isa, layer, &vec![0.0; count], &mut values, &mut []);
            let mut gradients = numbers.clone();
            differentiate(isa, layer, &numbers, &mut gradients);
            for at in 0..count * rows {
                let (unit, row) = (at / rows, first_row.wrapping_add((at % rows) as u32));
                let word = words(key, Counter { block: unit as u32 / 4, row, step })[unit % 4];
                let expected = if word >= threshold { 3.0 * numbers[at] } else { 0.0 };
                prop_assert_eq!(values[at], expected, "{}, unit {}, row {}", isa, unit, row);
                prop_assert_eq!(gradients[at], expected, "{}, gradient of unit {}, row {}", isa, unit, row);
            }
        }
    }
}
