//! Mean and variance of a unit whose pre-activation is normally distributed, and that a mask drops.
//!
//! This is what moment propagation (Wang and Manning 2013, "fast dropout") does at each layer. For
//! piecewise linear activations the integrals are known; for all others they are sums over 19 points,
//! half a standard deviation apart (the trapezoidal rule, which converges exponentially for functions
//! as smooth as these).

use crate::elementwise::{Activation, Function, Gelu, LEAK, Logistic, Mish, Selu, Silu, Tanh, Units};
use crate::fits;
use crate::functions::{INVERSE_ROOT_TWO_PI, normal_distribution};
use crate::isa::for_each_isa;
use crate::simd::Simd;

for_each_isa! {
    /// `means` and `variances` of pre-activations without their biases become those of
    /// `scale * mask * f(pre-activation)`, where the mask is 1 with probability `keep`, else 0. Both are
    /// `[units, rows]`. The mask of `layer` must be none.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn activate(
        layer: Units<'_>, biases: &[f32], keep: f32, means: &mut [f32], variances: &mut [f32],
    ) = activate_body
}

#[inline(always)]
fn activate_body<S: Simd>(
    layer: Units<'_>,
    biases: &[f32],
    keep: f32,
    means: &mut [f32],
    variances: &mut [f32],
) {
    layer.check(means.len());
    assert!(fits(layer.units.len(), layer.rows, layer.rows, variances.len()), "too few variances");
    match layer.activation {
        Activation::Relu => each_vector::<S, Hinge<0>>(layer, biases, keep, means, variances),
        Activation::LeakyRelu => each_vector::<S, Hinge<1>>(layer, biases, keep, means, variances),
        Activation::Logistic => each_vector::<S, Sum<Logistic>>(layer, biases, keep, means, variances),
        Activation::Tanh => each_vector::<S, Sum<Tanh>>(layer, biases, keep, means, variances),
        Activation::Selu => each_vector::<S, Sum<Selu>>(layer, biases, keep, means, variances),
        Activation::Gelu => each_vector::<S, Sum<Gelu>>(layer, biases, keep, means, variances),
        Activation::Silu => each_vector::<S, Sum<Silu>>(layer, biases, keep, means, variances),
        Activation::Mish => each_vector::<S, Sum<Mish>>(layer, biases, keep, means, variances),
        Activation::Identity => each_vector::<S, Same>(layer, biases, keep, means, variances),
    }
}

/// Mean and variance of f(z) for a normal z.
trait Moments {
    /// From mean and variance of z.
    unsafe fn through<S: Simd>(mean: S::F, variance: S::F) -> (S::F, S::F);
}

#[inline(always)]
fn each_vector<S: Simd, M: Moments>(
    layer: Units<'_>,
    biases: &[f32],
    keep: f32,
    means: &mut [f32],
    variances: &mut [f32],
) {
    let (means, variances) = (means.as_mut_ptr(), variances.as_mut_ptr());
    for (line, &unit) in layer.units.iter().enumerate() {
        let bias = if biases.is_empty() { 0.0 } else { biases[unit as usize] };
        for row in (0..layer.rows).step_by(S::LANES) {
            let at = line * layer.rows + row;
            // SAFETY: line and row lie inside both buffers, as `activate_body` has checked.
            unsafe {
                let mean = S::add(S::load(means.add(at)), S::splat(bias));
                let (mean, variance) = M::through::<S>(mean, S::load(variances.add(at)));
                // E[m f] = keep E[f], Var[m f] = keep (Var f + (1 - keep) (E f)^2)
                let dropped = S::mul(S::splat(1.0 - keep), S::mul(mean, mean));
                let scale = S::splat(layer.scale * keep);
                S::store(means.add(at), S::mul(mean, scale));
                let scale = S::splat(layer.scale * layer.scale * keep);
                S::store(variances.add(at), S::mul(S::add(variance, dropped), scale));
            }
        }
    }
}

/// The identity.
struct Same;

impl Moments for Same {
    #[inline(always)]
    unsafe fn through<S: Simd>(mean: S::F, variance: S::F) -> (S::F, S::F) {
        (mean, variance)
    }
}

/// relu, or with `LEAKY` 1 a z + (1 - a) relu(z).
struct Hinge<const LEAKY: usize>;

impl<const LEAKY: usize> Moments for Hinge<LEAKY> {
    /// With h = |mean| / s, d = Φ(-h), φ the normal density, and of the part of a standard normal
    /// variable that lies beyond h its first two moments about h, g = φ(h) - h d and a = (h² + 1) d - h φ(h):
    /// below 0 the mean is s g and the variance s² (a - g²); above 0, as relu(z) = z + relu(-z), they are
    /// mean + s g and s² (1 - 2 d + a - g²). Nothing large is subtracted.
    #[inline(always)]
    unsafe fn through<S: Simd>(mean: S::F, variance: S::F) -> (S::F, S::F) {
        // SAFETY: the caller's machine has the lanes.
        unsafe {
            let (zero, one) = (S::splat(0.0), S::splat(1.0));
            let s = S::sqrt(S::max(variance, zero));
            let size = S::max(mean, S::sub(zero, mean));
            // Where s is 0, so is all that is multiplied by it. Beyond 30 nothing is left of the tail.
            let h = S::min(S::splat(30.0), S::div(size, S::max(s, S::splat(1e-18))));
            let (d, bell) = normal_distribution::<S>(S::sub(zero, h));
            let density = S::mul(bell, S::splat(INVERSE_ROOT_TWO_PI));
            let g = S::max(zero, S::sub(density, S::mul(h, d)));
            let a = S::sub(S::mul(S::fma(h, h, one), d), S::mul(h, density));
            let tail = S::max(zero, S::sub(a, S::mul(g, g)));
            let positive = S::greater(mean, zero);
            let most = S::add(S::sub(one, S::add(d, d)), tail);
            let hinge_mean = S::fma(s, g, S::select(positive, mean, zero));
            let hinge_variance = S::mul(variance, S::select(positive, most, tail));
            if LEAKY == 0 {
                return (hinge_mean, hinge_variance);
            }
            // Cov(z, relu(z)) = s² Φ(mean / s), by Stein's lemma.
            let (leak, rest) = (S::splat(LEAK), S::splat(1.0 - LEAK));
            let above = S::mul(variance, S::select(positive, S::sub(one, d), d));
            let shared = S::mul(S::splat(2.0 * LEAK * (1.0 - LEAK)), above);
            let own = S::fma(S::splat(LEAK * LEAK), variance, S::mul(S::mul(rest, rest), hinge_variance));
            (S::fma(leak, mean, S::mul(rest, hinge_mean)), S::add(own, shared))
        }
    }
}

/// Any activation, by its values at 19 points.
struct Sum<A>(A);

/// exp(-z²/2) at z = 0, 1/2, 1, … 9/2, over the sum of them and those at the negative points.
const WEIGHTS: [f32; 10] = [
    0.199_471_46,
    0.176_032_95,
    0.120_985_56,
    0.064_758_9,
    0.026_995_526,
    0.008_764_164,
    0.002_215_927_8,
    0.000_436_342_05,
    0.000_066_915_22,
    0.000_007_991_883,
];

impl<A: Function> Moments for Sum<A> {
    #[inline(always)]
    unsafe fn through<S: Simd>(mean: S::F, variance: S::F) -> (S::F, S::F) {
        // SAFETY: the caller's machine has the lanes.
        unsafe {
            let half = S::mul(S::splat(0.5), S::sqrt(S::max(variance, S::splat(0.0))));
            let middle = A::value::<S>(mean);
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            #[allow(clippy::needless_range_loop, reason = "an iterator may lose the instruction set")]
            for point in 1..WEIGHTS.len() {
                let away = S::mul(half, S::splat(point as f32));
                let weight = S::splat(WEIGHTS[point]);
                // About the value in the middle, so that a small variance is no difference of large numbers.
                let right = S::sub(A::value::<S>(S::add(mean, away)), middle);
                let left = S::sub(A::value::<S>(S::sub(mean, away)), middle);
                first = S::fma(weight, S::add(left, right), first);
                second = S::fma(weight, S::fma(left, left, S::mul(right, right)), second);
            }
            let variance = S::max(S::splat(0.0), S::sub(second, S::mul(first, first)));
            (S::add(middle, first), variance)
        }
    }
}
