//! Sums against sums in f64.

mod common;

use common::{ROUNDING, Random, assert_close, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::reduce::{sum, sum_of_squares};
use thinnet_kernels::{Isa, LINE};

/// How far a sum of these terms may be off: one rounding for each product and each sum.
fn tolerance(terms: impl ExactSizeIterator<Item = f64>) -> f64 {
    2.0 * terms.len() as f64 * ROUNDING * terms.map(f64::abs).sum::<f64>()
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn sums_are_the_sums(blocks in 0..40usize, seed in any::<u64>()) {
        let line = Random(seed).values(blocks * LINE);
        let terms = || line.iter().map(|&x| f64::from(x));
        let squares = || terms().map(|x| x * x);
        let twins = [sum(Isa::SCALAR, &line), sum_of_squares(Isa::SCALAR, &line)].map(f64::from);
        for isa in every_isa() {
            for expected in [terms().sum(), twins[0]] {
                assert_close(sum(isa, &line), expected, tolerance(terms()), format!("{isa}, sum"));
            }
            for expected in [squares().sum(), twins[1]] {
                assert_close(sum_of_squares(isa, &line), expected, tolerance(squares()), format!("{isa}, squares"));
            }
        }
    }
}

#[test]
fn nan_comes_through_from_every_place() {
    for isa in every_isa() {
        for place in 0..5 * LINE {
            let mut line = vec![1.0; 5 * LINE];
            line[place] = f32::NAN;
            assert!(sum(isa, &line).is_nan() && sum_of_squares(isa, &line).is_nan(), "{isa}, {place}");
        }
    }
}
