//! Moments of activations against integrals in f64.

mod common;

use common::{ROUNDING, Random, UNTOUCHED, assert_close, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::elementwise::{Activation, Units};
use thinnet_kernels::{Isa, moments};

use Activation::*;

const ACTIVATIONS: [Activation; 9] = [Relu, LeakyRelu, Logistic, Tanh, Selu, Gelu, Silu, Mish, Identity];

/// The definitions, from the papers that [`Activation`] names.
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Relu => z.max(0.0),
        LeakyRelu => z.max(0.01 * z),
        Logistic => 1.0 / (1.0 + (-z).exp()),
        Tanh => z.tanh(),
        Selu => 1.050_700_987_355_480_5 * if z > 0.0 { z } else { 1.673_263_242_354_377_2 * z.exp_m1() },
        // The tanh form is not the activation; this is, by integrating the density from far below.
        Gelu => z * distribution(z),
        Silu => z / (1.0 + (-z).exp()),
        Mish => z * z.exp().ln_1p().tanh(),
        Identity => z,
    }
}

/// Φ by Marsaglia's series (2004).
fn distribution(z: f64) -> f64 {
    if z.abs() > 9.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    0.5 + sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// Mean and variance of f(z) for z ~ N(mean, deviation²), by 4,001 points from -8 to 8 deviations.
fn integral(activation: Activation, mean: f64, deviation: f64) -> (f64, f64) {
    let (mut weights, mut first, mut second) = (0.0, 0.0, 0.0);
    let middle = value(activation, mean);
    for point in -2000..=2000 {
        let away = f64::from(point) / 250.0;
        let weight = (-0.5 * away * away).exp();
        let distance = value(activation, mean + deviation * away) - middle;
        weights += weight;
        first += weight * distance;
        second += weight * distance * distance;
    }
    (middle + first / weights, second / weights - (first / weights).powi(2))
}

fn through(isa: Isa, activation: Activation, scale: f32, keep: f32, mean: f32, deviation: f32) -> (f64, f64) {
    let (mut means, mut variances) = ([mean - 0.25; 16], [deviation * deviation; 16]);
    let layer = Units { units: &[0], rows: 16, mask: None, scale, activation };
    moments::activate(isa, layer, &[0.25], keep, &mut means, &mut variances);
    assert!(means.iter().all(|&mean| mean == means[0]) && variances.iter().all(|&v| v == variances[0]));
    (f64::from(means[0]), f64::from(variances[0]))
}

/// How far mean and variance may be off, in deviations of z and their squares. With steps of h in z a
/// function with a pole d from the real line is off by the order of exp(-2 pi d / h): for tanh, d is pi / 2,
/// and at a deviation of 2 that is exp(-pi^2) = 5e-5 at each of two poles, and twice as much for its square.
fn tolerance(activation: Activation, deviation: f32) -> (f64, f64) {
    match activation {
        Identity | Relu | LeakyRelu => (2e-6, 3e-6),
        // Its corner is not resolved by 19 points.
        Selu => (8e-3, 2e-2),
        _ if deviation <= 1.0 => (1e-5, 5e-5),
        _ if deviation <= 2.0 => (1e-4, 5e-4),
        _ => (4e-3, 3e-3),
    }
}

#[test]
fn moments_are_the_integrals() {
    for activation in ACTIVATIONS {
        for deviation in [1e-3, 0.1, 0.5, 1.0, 2.0, 4.0_f32] {
            for step in -20..=20 {
                let mean = step as f32 * 0.25;
                let expected = integral(activation, f64::from(mean), f64::from(deviation));
                let (of_mean, of_variance) = tolerance(activation, deviation);
                let size = f64::from(deviation);
                // A rounding of the bias and of the value itself comes on top.
                let rounding = 1e-6 * (f64::from(mean).abs() + 1.0);
                for isa in every_isa() {
                    let found = through(isa, activation, 1.0, 1.0, mean, deviation);
                    let place = format!(
                        "{activation:?}, N({mean}, {deviation}²), {isa}: {found:?}, not {expected:?}"
                    );
                    assert!((found.0 - expected.0).abs() < of_mean * size + rounding, "{place}");
                    assert!(
                        (found.1 - expected.1).abs()
                            < of_variance * size * size
                                + rounding * rounding
                                + 2.0 * rounding * expected.1.sqrt(),
                        "{place}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Units in any order, each with its own bias, and means and variances of their own at every row: a few
    /// places of each shape, and nothing beyond it.
    #[test]
    fn moments_are_the_integrals_at_every_place(
        units in 0..30usize, blocks in 0..5usize, kind in 0..9usize, keep in 0.05..1.0f32,
        scale in 0.5..3.0f32, seed in any::<u64>(),
    ) {
        let (mut random, rows, activation) = (Random(seed), 16 * blocks, ACTIVATIONS[kind]);
        let (biases, positions) = (random.values(40), random.list(units, 40));
        let variance = |value: f32| if value == 0.0 { 0.0 } else { (4.0 * value - 5.3).exp() };
        let end = [UNTOUCHED; 16];
        let means: Vec<f32> = random.values(units * rows).iter().map(|value| 2.0 * value).chain(end).collect();
        let variances: Vec<f32> = random.values(units * rows).into_iter().map(variance).chain(end).collect();
        let layer = Units { units: &positions, rows, mask: None, scale, activation };
        let found: Vec<_> = every_isa().into_iter().map(|isa| {
            let (mut means, mut variances) = (means.clone(), variances.clone());
            moments::activate(isa, layer, &biases, keep, &mut means, &mut variances);
            (isa, means, variances)
        }).collect();
        let places = if units * rows == 0 { 0 } else { 6 };
        let (keep, scale) = (f64::from(keep), f64::from(scale));
        for _ in 0..places {
            let at = random.below(units * rows);
            let z = f64::from(means[at]) + f64::from(biases[positions[at / rows] as usize]);
            let deviation = f64::from(variances[at]).sqrt();
            let (mean, variance) = integral(activation, z, deviation);
            let (of_mean, of_variance) = tolerance(activation, deviation as f32);
            let rounding = 1e-6 * (z.abs() + 1.0);
            let off = of_mean * deviation + rounding;
            let off_variance = of_variance * deviation * deviation + rounding * (rounding + 2.0 * variance.sqrt());
            let expected = scale * scale * keep * (variance + (1.0 - keep) * mean * mean);
            let off_dropped = (1.0 - keep) * off * (off + 2.0 * mean.abs());
            let off_expected = scale * scale * keep * (off_variance + off_dropped) + 8.0 * ROUNDING * expected;
            for (isa, means, variances) in &found {
                let what = format!("{isa}, {activation:?}, N({z}, {deviation}²), {at} of {units} x {rows}");
                assert_close(means[at], scale * keep * mean, 1.01 * scale * keep * off, format_args!("mean, {what}"));
                assert_close(variances[at], expected, off_expected, format_args!("variance, {what}"));
            }
        }
        for (isa, means, variances) in &found {
            let beyond = means[units * rows..].iter().chain(&variances[units * rows..]);
            prop_assert!(beyond.into_iter().all(|&value| value == UNTOUCHED), "{}", isa);
        }
    }
}

/// E[m f] = keep E f and E[(m f)²] = keep E f².
#[test]
fn a_mask_drops_and_a_scale_multiplies() {
    for isa in every_isa() {
        for activation in [Relu, Tanh, Identity] {
            for (scale, keep) in [(1.0, 0.5), (2.0, 0.5), (1.25, 0.8), (1.0, 0.1)] {
                let (mean, variance) = through(isa, activation, 1.0, 1.0, 0.7, 0.9);
                let dropped = through(isa, activation, scale, keep, 0.7, 0.9);
                let (scale, keep) = (f64::from(scale), f64::from(keep));
                let expected = scale * keep * mean;
                let square = scale * scale * keep * (variance + mean * mean);
                assert!((dropped.0 - expected).abs() < 1e-6, "{activation:?}");
                assert!((dropped.1 - (square - expected * expected)).abs() < 1e-6, "{activation:?}");
            }
        }
    }
}

#[test]
fn without_variance_it_is_the_activation() {
    for isa in every_isa() {
        for activation in ACTIVATIONS {
            for mean in [-90.0, -3.0, -0.5, 0.0, 0.5, 3.0, 90.0] {
                let (found, variance) = through(isa, activation, 1.0, 1.0, mean, 0.0);
                let expected = value(activation, f64::from(mean));
                assert!(
                    (found - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                    "{activation:?} {mean}: {found}"
                );
                assert_eq!(variance, 0.0, "{activation:?} {mean}");
            }
        }
    }
}
