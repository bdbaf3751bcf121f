//! How far the noise of units and of weights is from its prior: the divergence of Molchanov, Ashukha and
//! Vetrov 2017, by its derivatives.

use crate::functions::{exp, ln, logistic};
use crate::isa::for_each_isa;
use crate::simd::Simd;
use crate::{LINE, same_lines};

/// The numbers k1, k2 and k3 of Molchanov, Ashukha and Vetrov 2017, equation 14.
pub const DIVERGENCE: [f32; 3] = [0.635_76, 1.873_20, 1.486_95];

for_each_isa! {
    /// Adds `factor` times the derivative, by each l = ln(alpha), of the divergence of multiplicative noise
    /// of variance alpha from its prior: k1 + ln(1 + 1 / alpha) / 2 - k1 logistic(k2 + k3 l).
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn of_units(factor: f32, logarithms: &[f32], gradients: &mut [f32]) = of_units_body
}

#[inline(always)]
fn of_units_body<S: Simd>(factor: f32, logarithms: &[f32], gradients: &mut [f32]) {
    assert!(logarithms.len() == gradients.len(), "the lines differ in length");
    let whole = logarithms.len() - logarithms.len() % S::LANES;
    // SAFETY: `at` is a vector below the common length; the last lanes have room for a vector.
    unsafe {
        for at in (0..whole).step_by(S::LANES) {
            let slope = divergence_slope::<S>(factor, S::load(logarithms.as_ptr().add(at)));
            let to = gradients.as_mut_ptr().add(at);
            S::store(to, S::add(S::load(to), slope));
        }
        let mut last = [0.0; LINE];
        last[..logarithms.len() - whole].copy_from_slice(&logarithms[whole..]);
        let slope = divergence_slope::<S>(factor, S::load(last.as_ptr()));
        S::store(last.as_mut_ptr(), slope);
        for at in whole..gradients.len() {
            gradients[at] += last[at - whole];
        }
    }
}

/// Squares of weights below this count as this: their logarithms must be finite.
const LEAST_SQUARE: f32 = 1e-30;

/// By which of its numbers the divergence of a weight is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The weight.
    Weight,
    /// The logarithm of the variance of its noise.
    Logarithm,
}

for_each_isa! {
    /// Adds `factor` times the derivative of the divergence of the noise of each weight from its prior:
    /// with l = ln(variance / w²) it is k1 + ln(1 + e^-l) / 2 - k1 logistic(k2 + k3 l) (Molchanov, Ashukha
    /// and Vetrov 2017, equation 14).
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn of_weights(by: By, factor: f32, weights: &[f32], logarithms: &[f32], to: &mut [f32]) =
        of_weights_body
}

#[inline(always)]
fn of_weights_body<S: Simd>(by: By, factor: f32, weights: &[f32], logarithms: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[weights.len(), logarithms.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let w = S::load(weights.as_ptr().add(at));
            let square = S::max(S::mul(w, w), S::splat(LEAST_SQUARE));
            let l = S::sub(S::load(logarithms.as_ptr().add(at)), ln::<S>(square));
            let mut slope = divergence_slope::<S>(factor, l);
            if by == By::Weight {
                slope = S::mul(slope, S::div(S::mul(S::splat(-2.0), w), square));
            }
            let to = to.as_mut_ptr().add(at);
            S::store(to, S::add(S::load(to), slope));
        }
    }
}

/// `factor` times the derivative of the divergence by l: -(k1 k3 y (1 - y) + 1 / (2 (1 + e^l))) with
/// y = logistic(k2 + k3 l).
#[inline(always)]
unsafe fn divergence_slope<S: Simd>(factor: f32, l: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let one = S::splat(1.0);
        let [k1, k2, k3] = DIVERGENCE;
        let y = logistic::<S>(S::fma(S::splat(k3), l, S::splat(k2)));
        let of_logistic = S::mul(S::splat(k1 * k3), S::mul(y, S::sub(one, y)));
        let of_logarithm = S::div(S::splat(0.5), S::add(one, exp::<S>(l)));
        S::mul(S::splat(-factor), S::add(of_logistic, of_logarithm))
    }
}
