//! The derivatives of the divergence, of units and of weights, against its formula in f64.

mod common;

use common::{Random, assert_close, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::divergence::{self, By, DIVERGENCE};

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_slope_of_units_is_that_of_the_formula(count in 0..70usize, seed in any::<u64>()) {
        let mut random = Random(seed);
        let logarithms: Vec<f32> = random.values(count).iter().map(|value| 4.0 * value).collect();
        let before = random.values(count);
        let divergence = |l: f64| {
            let [k1, k2, k3] = DIVERGENCE.map(f64::from);
            k1 + 0.5 * (-l).exp().ln_1p() - k1 * logistic(k2 + k3 * l)
        };
        for isa in every_isa() {
            let mut gradients = before.clone();
            divergence::of_units(isa, 0.25, &logarithms, &mut gradients);
            for at in 0..count {
                let l = f64::from(logarithms[at]);
                let slope = (divergence(l + 1e-5) - divergence(l - 1e-5)) / 2e-5;
                let expected = f64::from(before[at]) + 0.25 * slope;
                assert_close(gradients[at], expected, 6e-7, format_args!("{isa}, {at}: {l}"));
            }
        }
    }

    #[test]
    fn the_slopes_of_weights_are_those_of_the_formula(seed in any::<u64>()) {
        let mut random = Random(seed);
        let weights = random.values(64);
        let logarithms: Vec<f32> = random.values(64).iter().map(|value| 5.0 * value - 3.0).collect();
        let [k1, k2, k3] = [0.635_76, 1.873_20, 1.486_95];
        for isa in every_isa() {
            let (mut by_weight, mut by_logarithm) = (vec![0.5; 64], vec![0.5; 64]);
            divergence::of_weights(isa, By::Weight, 0.25, &weights, &logarithms, &mut by_weight);
            divergence::of_weights(isa, By::Logarithm, 0.25, &weights, &logarithms, &mut by_logarithm);
            for at in 0..64 {
                let (w, l) = (f64::from(weights[at]), f64::from(logarithms[at]));
                let ratio = l - (w * w).max(1e-30).ln();
                let y = logistic(k2 + k3 * ratio);
                let slope = -(k1 * k3 * y * (1.0 - y) + 0.5 / (1.0 + ratio.exp()));
                let what = format!("{isa}, w {w}, l {l}");
                assert_close(by_logarithm[at], 0.5 + 0.25 * slope, 4e-6, &what);
                let expected = 0.5 - 0.25 * slope * 2.0 * w / (w * w).max(1e-30);
                assert_close(by_weight[at], expected, 4e-6 * (1.0 + 1.0 / w.abs().max(1e-3)), &what);
            }
        }
    }
}
