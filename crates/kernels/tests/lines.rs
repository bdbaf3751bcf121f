//! One line by another, and by a number, against f64.

mod common;

use common::{ROUNDING, Random, assert_close, assert_same_bits, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::elementwise::exponential;
use thinnet_kernels::{LINE, lines};

/// The product of two f32, rounded once: it is exact in f64.
fn product(a: f32, b: f32) -> f32 {
    (f64::from(a) * f64::from(b)) as f32
}

fn products(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(&a, &b)| product(a, b)).collect()
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn each_product_is_rounded_once(blocks in 0..40usize, factor in -3f32..3.0, seed in any::<u64>()) {
        let mut random = Random(seed);
        let (line, other) = (random.values(blocks * LINE), random.values(blocks * LINE));
        let scaled: Vec<f32> = line.iter().map(|&value| product(value, factor)).collect();
        for isa in every_isa() {
            let mut to = line.clone();
            lines::scale(isa, &mut to, factor);
            assert_same_bits(&to, &scaled, format!("{isa}, by a number"));
            lines::square(isa, &line, &mut to);
            assert_same_bits(&to, &products(&line, &line), format!("{isa}, squares"));
            to.copy_from_slice(&line);
            lines::multiply(isa, &other, &mut to);
            assert_same_bits(&to, &products(&line, &other), format!("{isa}, by a line"));
        }
    }

    #[test]
    fn a_derivative_goes_through_squares(blocks in 0..10usize, seed in any::<u64>()) {
        let mut random = Random(seed);
        let [a, b, before] = std::array::from_fn(|_| random.values(blocks * LINE));
        for isa in every_isa() {
            let mut to = before.clone();
            lines::add_through_square(isa, &a, &b, &mut to);
            for at in 0..to.len() {
                let term = 2.0 * f64::from(a[at]) * f64::from(b[at]);
                let expected = f64::from(before[at]) + term;
                let tolerance = 2.0 * ROUNDING * (expected.abs() + term.abs());
                assert_close(to[at], expected, tolerance, format_args!("{isa}, {at}"));
            }
        }
    }

    #[test]
    fn exponentials_are_those_of_one_line(blocks in 0..10usize, seed in any::<u64>()) {
        let mut random = Random(seed);
        let logarithms: Vec<f32> = random.values(blocks * LINE).iter().map(|value| 43.0 * value).collect();
        let line = random.values(blocks * LINE);
        for isa in every_isa() {
            let (mut expected, mut to) = (logarithms.clone(), line.clone());
            exponential(isa, &mut expected);
            lines::multiply_by_exponential(isa, &logarithms, &mut to);
            assert_same_bits(&to, &products(&line, &expected), format!("{isa}, products"));
            lines::exponentials(isa, &logarithms, &mut to);
            assert_same_bits(&to, &expected, isa);
        }
    }
}
