//! Noise over random shapes, on every instruction set, against its formulas in f64.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
// Indices name units and rows here.
#![allow(clippy::needless_range_loop)]

mod common;

use common::{ROUNDING, Random, assert_close, assert_same_bits, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::noise::{self, Draw, Noise, Noisy};
use thinnet_kernels::philox::{Counter, Key, words};

/// The word of a unit at a row of the buffer.
fn word(draw: Draw, unit: usize, row: usize) -> u32 {
    let row = draw.first_row.wrapping_add(if draw.shared { 0 } else { row as u32 });
    words(draw.key, Counter { block: unit as u32 / 4, row, step: draw.step })[unit % 4]
}

fn uniform(draw: Draw, unit: usize, row: usize) -> f64 {
    f64::from(2 * (word(draw, unit, row) >> 9) + 1) / f64::from(1 << 24)
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The factor of a unit at a row, its derivative by what is learned, and how far off both may be; none
/// where no f32 can tell.
fn factor(at: Noisy<'_>, unit: usize, row: usize) -> Option<(f64, f64, f64)> {
    match at.noise {
        Noise::Gaussian { deviations } => {
            let first = unit / 2 * 2;
            let radius = (-2.0 * uniform(at.draw, first, row).ln()).sqrt();
            let angle = std::f64::consts::TAU * uniform(at.draw, first + 1, row);
            let normal = radius * if unit.is_multiple_of(2) { angle.cos() } else { angle.sin() };
            let noise = f64::from(deviations[unit]) * normal;
            let off = 4e-7 * radius * f64::from(deviations[unit]) + 2.0 * ROUNDING;
            Some((1.0 + noise, 0.5 * noise, off))
        }
        Noise::Concrete { odds } => {
            let (odds, u) = (f64::from(odds), uniform(at.draw, unit, row));
            let kept = 1.0 / (1.0 + (odds * u / (1.0 - u)).powi(10));
            let (factor, rate) = (kept * (1.0 + odds), odds / (1.0 + odds));
            let off = (1.0 + odds) * (60.0 * ROUNDING * (1.0 + 10.0 * kept * (1.0 - kept)));
            Some((factor, factor * (rate - 10.0 * (1.0 - kept)), off))
        }
        Noise::Standout { slope, shift, pre } => {
            let z = f64::from(slope) * f64::from(pre[unit * at.rows + row]) + f64::from(shift);
            let (keep, u) = (logistic(z), uniform(at.draw, unit, row));
            (keep - u).abs().gt(&1e-6).then(|| (f64::from(u8::from(u < keep)), 0.0, 0.0))
        }
        Noise::Count { thresholds, scale } => {
            let kept = word(at.draw, unit, row) >= thresholds[row];
            Some((if kept { f64::from(scale) } else { 0.0 }, 0.0, 0.0))
        }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn noise_is_multiplied_and_differentiated_as_its_formula_says(
        units in prop_oneof![4 => 0..14usize, 1 => 14..70usize], blocks in 0..5usize, kind in 0..4usize, shared in any::<bool>(),
        [seed, stream] in any::<[u32; 2]>(), step in any::<u64>(),
        first_row in prop_oneof![any::<u32>(), u32::MAX - 30..=u32::MAX],
    ) {
        let (rows, mut random) = (16 * blocks, Random(step));
        let (values, clean) = (random.values(units * rows), random.values(units * rows));
        let deviations: Vec<f32> = random.values(units).iter().map(|value| value.abs()).collect();
        let pre = random.values(units * rows);
        let thresholds: Vec<u32> = (0..rows).map(|_| random.word() as u32).collect();
        let noise = match kind {
            0 => Noise::Gaussian { deviations: &deviations },
            1 => Noise::Concrete { odds: 0.05 + random.value().abs() },
            2 => Noise::Standout { slope: random.value(), shift: random.value(), pre: &pre },
            _ => Noise::Count { thresholds: &thresholds, scale: 1.25 },
        };
        let draw = Draw { key: Key { seed, stream }, step, first_row, shared };
        let at = Noisy { units, rows, draw, noise };
        let learns = kind < 2;
        for isa in every_isa() {
            let (mut product, mut copy) = (values.clone(), vec![0.0; values.len()]);
            noise::multiply(isa, at, &mut product, &mut copy);
            assert_same_bits(&copy, &values, "the copy");
            let mut alone = values.clone();
            noise::multiply(isa, at, &mut alone, &mut []);
            assert_same_bits(&alone, &product, "without a copy");
            let (mut gradients, mut learned) = (values.clone(), vec![0.0; if learns { units } else { 0 }]);
            noise::differentiate(isa, at, &clean, &mut gradients, &mut learned);
            let mut given = values.clone();
            noise::differentiate(isa, at, &[], &mut given, &mut []);
            assert_same_bits(&given, &gradients, "where nothing is learned");
            for unit in 0..units {
                let (mut sum, mut sum_off) = (0.0, 1e-30);
                for row in 0..rows {
                    let place = unit * rows + row;
                    let (value, Some((factor, slope, off))) = (f64::from(values[place]), factor(at, unit, row)) else {
                        continue;
                    };
                    let allowed = value.abs() * (off + 2.0 * ROUNDING * factor.abs());
                    for got in [product[place], gradients[place]] {
                        let what = format_args!("{isa}, {noise:?}, unit {unit}, row {row}");
                        assert_close(got, value * factor, allowed, what);
                    }
                    let term = value * f64::from(clean[place]);
                    sum += term * slope;
                    sum_off += term.abs() * (12.0 * off + (rows + 4) as f64 * ROUNDING * slope.abs());
                }
                if learns {
                    assert_close(learned[unit], sum, sum_off, format_args!("{isa}, {noise:?}, unit {unit}"));
                }
            }
        }
    }

    #[test]
    fn the_mean_of_standout_is_its_keep_probability(blocks in 0..5usize, seed in any::<u64>()) {
        let mut random = Random(seed);
        let (pre, values) = (random.values(16 * blocks), random.values(16 * blocks));
        let (slope, shift) = (random.value(), random.value());
        for isa in every_isa() {
            let mut products = values.clone();
            noise::multiply_by_keep(isa, slope, shift, &pre, &mut products);
            for at in 0..pre.len() {
                let expected = f64::from(values[at]) * logistic(f64::from(slope) * f64::from(pre[at]) + f64::from(shift));
                assert_close(products[at], expected, 20.0 * ROUNDING * expected.abs() + 1e-30, format_args!("{isa}, {at}"));
            }
        }
    }
}

#[test]
#[should_panic(expected = "shorter than its units")]
fn a_buffer_that_is_too_short_is_refused() {
    let draw = Draw { key: Key { seed: 0, stream: 0 }, step: 0, first_row: 0, shared: false };
    let at = Noisy { units: 2, rows: 16, draw, noise: Noise::Gaussian { deviations: &[1.0] } };
    noise::multiply(thinnet_kernels::Isa::best(), at, &mut [0.0; 32], &mut []);
}
