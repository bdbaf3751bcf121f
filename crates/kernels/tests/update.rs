//! Each update against the formulas of its papers, in f64.

mod common;

use common::{ROUNDING, Random, assert_close, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::update::{Adam, Descent, Penalty, adapt, descend};
use thinnet_kernels::{Isa, LINE};

fn factor(values: std::ops::Range<f32>) -> impl Strategy<Value = f32> {
    prop_oneof![1 => Just(0.0), 3 => values]
}

fn penalties() -> impl Strategy<Value = Penalty> {
    (factor(0.0..0.5), factor(0.0..0.5)).prop_map(|(l1, l2)| Penalty { l1, l2 })
}

/// The gradient with its penalty, and the sum of the magnitudes of what it is made of.
fn penalised(penalty: Penalty, gradient: f32, weight: f32) -> (f64, f64) {
    let (l1, l2, g, w) =
        (f64::from(penalty.l1), f64::from(penalty.l2), f64::from(gradient), f64::from(weight));
    let sign = if w == 0.0 { 0.0 } else { w.signum() };
    (g + l2 * w + l1 * sign, g.abs() + l2 * w.abs() + l1)
}

/// Ten roundings of numbers up to this size in each of two results.
fn tolerance(magnitude: f64) -> f64 {
    20.0 * ROUNDING * magnitude + f64::from(f32::MIN_POSITIVE)
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn descend_follows_the_momentum(
        blocks in 0..8usize, penalty in penalties(), rate in factor(0.0..1.0), momentum in factor(0.0..1.0),
        nesterov in any::<bool>(), seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let [gradients, weights, velocities] = std::array::from_fn(|_| random.values(blocks * LINE));
        let by = Descent { rate, momentum, nesterov };
        let run = |isa: Isa| {
            let (mut w, mut v) = (weights.clone(), velocities.clone());
            descend(isa, &[by], penalty, &gradients, &mut w, &mut v);
            (w, v)
        };
        let (rate, momentum) = (f64::from(rate), f64::from(momentum));
        let twin = run(Isa::SCALAR);
        for isa in every_isa() {
            let (w, v) = run(isa);
            for i in 0..blocks * LINE {
                let (g, size) = penalised(penalty, gradients[i], weights[i]);
                let velocity = momentum * f64::from(velocities[i]) + g;
                let v_size = tolerance(size + momentum * f64::from(velocities[i]).abs());
                assert_close(v[i], velocity, v_size, format!("{isa}, velocity {i}"));
                assert_close(v[i], f64::from(twin.1[i]), v_size, format!("{isa}, velocity {i} of the twin"));

                let step = if nesterov { g + momentum * velocity } else { velocity };
                let weight = f64::from(weights[i]);
                let w_size = tolerance(weight.abs()) + rate * (tolerance(size) + 2.0 * v_size);
                assert_close(w[i], weight - rate * step, w_size, format!("{isa}, weight {i}"));
                assert_close(w[i], f64::from(twin.0[i]), w_size, format!("{isa}, weight {i} of the twin"));
            }
        }
    }

    #[test]
    fn adapt_follows_both_means(
        blocks in 0..8usize, penalty in penalties(), rate in factor(0.0..1.0), beta1 in factor(0.5..1.0),
        beta2 in factor(0.5..1.0), root_correction in 1.0f32..30.0, decay in factor(0.0..0.1), seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let [gradients, weights, means, squares] = std::array::from_fn(|_| random.values(blocks * LINE));
        let squares: Vec<f32> = squares.iter().map(|v| v * v).collect();
        let by = Adam { rate, beta1, beta2, root_correction, epsilon: 1e-8, decay };
        let run = |isa: Isa| {
            let (mut w, mut m, mut v) = (weights.clone(), means.clone(), squares.clone());
            adapt(isa, &[by], penalty, &gradients, &mut w, &mut m, &mut v);
            [w, m, v]
        };
        let [rate, beta1, beta2] = [rate, beta1, beta2].map(f64::from);
        let twin = run(Isa::SCALAR);
        for isa in every_isa() {
            let [w, m, v] = run(isa);
            for i in 0..blocks * LINE {
                let (g, size) = penalised(penalty, gradients[i], weights[i]);
                let (mean, square) = (f64::from(means[i]), f64::from(squares[i]));
                let m_size = tolerance(beta1 * mean.abs() + (1.0 - beta1) * size);
                assert_close(m[i], beta1 * mean + (1.0 - beta1) * g, m_size, format!("{isa}, mean {i}"));
                assert_close(m[i], f64::from(twin[1][i]), m_size, format!("{isa}, mean {i} of the twin"));
                let v_size = tolerance(beta2 * square + (1.0 - beta2) * size * size);
                assert_close(v[i], beta2 * square + (1.0 - beta2) * g * g, v_size, format!("{isa}, square {i}"));
                assert_close(v[i], f64::from(twin[2][i]), v_size, format!("{isa}, square {i} of the twin"));

                // From the means as they were rounded: the step has no bound in terms of the
                // exact ones where both are nearly 0.
                let divisor = f64::from(root_correction) * f64::from(v[i]).sqrt() + f64::from(by.epsilon);
                let (step, weight) = (rate * f64::from(m[i]) / divisor, f64::from(weights[i]));
                let expected = weight * (1.0 - f64::from(decay)) - step;
                assert_close(w[i], expected, tolerance(weight.abs() + step.abs()), format!("{isa}, weight {i}"));
            }
        }
    }
}

#[test]
fn a_diverged_gradient_reaches_the_weight() {
    let (penalty, adam) = (
        Penalty { l1: 0.1, l2: 0.1 },
        Adam { rate: 0.1, beta1: 0.9, beta2: 0.9, root_correction: 1.0, epsilon: 1e-8, decay: 0.0 },
    );
    for isa in every_isa() {
        for nesterov in [false, true] {
            let [mut w, mut v] = [[1.0; LINE]; 2];
            let by = Descent { rate: 0.1, momentum: 0.9, nesterov };
            descend(isa, &[by], penalty, &[f32::NAN; LINE], &mut w, &mut v);
            assert!(w.iter().chain(&v).all(|x| x.is_nan()), "{isa}");
        }
        let [mut w, mut m, mut v] = [[1.0; LINE]; 3];
        adapt(isa, &[adam], penalty, &[f32::NAN; LINE], &mut w, &mut m, &mut v);
        assert!(w.iter().chain(&m).chain(&v).all(|x| x.is_nan()), "{isa}");
    }
}
