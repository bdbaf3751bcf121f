//! One line of weights moved by its gradient: penalty, momentum and step in one pass.
//!
//! Several steps can be done in one pass: the gradient is that of the first, and 0 in the others.
//! All lines have the same length, a multiple of [`LINE`](crate::LINE).

use crate::isa::for_each_isa;
use crate::same_lines;
use crate::simd::Simd;

/// What is added to a gradient for the weight's own sake: `l2 * w + l1 * sign(w)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    /// The factor of |w|.
    pub l1: f32,
    /// The factor of w² / 2.
    pub l2: f32,
}

/// Gradient descent with momentum: v = momentum v + g, then w -= rate v; with `nesterov`,
/// w -= rate (g + momentum v).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// The learning rate of this step.
    pub rate: f32,
    /// The momentum of this step.
    pub momentum: f32,
    /// Whether the step looks ahead.
    pub nesterov: bool,
}

/// Adam (Kingma and Ba 2015), and with `decay` AdamW (Loshchilov and Hutter 2019):
/// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g²,
/// w = w (1 - decay) - rate m / (root_correction sqrt(v) + epsilon).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate divided by 1 - beta1^t.
    pub rate: f32,
    /// How much of the mean of the gradients stays.
    pub beta1: f32,
    /// How much of the mean of their squares stays.
    pub beta2: f32,
    /// 1 / sqrt(1 - beta2^t)
    pub root_correction: f32,
    /// Keeps the divisor from 0.
    pub epsilon: f32,
    /// The learning rate times the decoupled weight decay.
    pub decay: f32,
}

for_each_isa! {
    /// Moves `weights` by steps of gradient descent; `velocities` holds v.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`](crate::LINE).
    pub fn descend(
        by: &[Descent], penalty: Penalty, gradients: &[f32], weights: &mut [f32], velocities: &mut [f32],
    ) = descend_body
}

#[inline(always)]
fn descend_body<S: Simd>(
    by: &[Descent],
    penalty: Penalty,
    gradients: &[f32],
    weights: &mut [f32],
    velocities: &mut [f32],
) {
    same_lines(gradients.len(), &[weights.len(), velocities.len()]);
    let penalised = penalty != Penalty::default();
    // SAFETY: every index is below the common length.
    unsafe {
        for at in (0..gradients.len()).step_by(S::LANES) {
            let mut g = S::load(gradients.as_ptr().add(at));
            let mut w = S::load(weights.as_ptr().add(at));
            let mut v = S::load(velocities.as_ptr().add(at));
            for by in by {
                if penalised {
                    g = add_penalty::<S>(penalty, g, w);
                }
                v = S::fma(S::splat(by.momentum), v, g);
                let direction = if by.nesterov { S::fma(S::splat(by.momentum), v, g) } else { v };
                w = S::fma(S::splat(-by.rate), direction, w);
                g = S::splat(0.0);
            }
            S::store(velocities.as_mut_ptr().add(at), v);
            S::store(weights.as_mut_ptr().add(at), w);
        }
    }
}

for_each_isa! {
    /// Moves `weights` by steps of Adam; `means` holds m and `squares` v.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`](crate::LINE).
    pub fn adapt(
        by: &[Adam], penalty: Penalty, gradients: &[f32], weights: &mut [f32], means: &mut [f32], squares: &mut [f32],
    ) = adapt_body
}

#[inline(always)]
fn adapt_body<S: Simd>(
    by: &[Adam],
    penalty: Penalty,
    gradients: &[f32],
    weights: &mut [f32],
    means: &mut [f32],
    squares: &mut [f32],
) {
    same_lines(gradients.len(), &[weights.len(), means.len(), squares.len()]);
    let penalised = penalty != Penalty::default();
    // SAFETY: every index is below the common length.
    unsafe {
        for at in (0..gradients.len()).step_by(S::LANES) {
            let mut g = S::load(gradients.as_ptr().add(at));
            let mut w = S::load(weights.as_ptr().add(at));
            let mut m = S::load(means.as_ptr().add(at));
            let mut v = S::load(squares.as_ptr().add(at));
            for by in by {
                if penalised {
                    g = add_penalty::<S>(penalty, g, w);
                }
                m = S::fma(S::splat(1.0 - by.beta1), g, S::mul(S::splat(by.beta1), m));
                v = S::fma(S::splat(1.0 - by.beta2), S::mul(g, g), S::mul(S::splat(by.beta2), v));
                let divisor = S::fma(S::splat(by.root_correction), S::sqrt(v), S::splat(by.epsilon));
                w = S::mul(w, S::splat(1.0 - by.decay));
                w = S::fma(S::splat(-by.rate), S::div(m, divisor), w);
                g = S::splat(0.0);
            }
            S::store(means.as_mut_ptr().add(at), m);
            S::store(squares.as_mut_ptr().add(at), v);
            S::store(weights.as_mut_ptr().add(at), w);
        }
    }
}

#[inline(always)]
unsafe fn add_penalty<S: Simd>(penalty: Penalty, gradient: S::F, weight: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let zero = S::splat(0.0);
        let pull = S::keep(S::greater(weight, zero), S::splat(penalty.l1));
        let pull = S::select(S::greater(zero, weight), S::splat(-penalty.l1), pull);
        S::add(S::fma(S::splat(penalty.l2), weight, gradient), pull)
    }
}
