//! What happens to a unit's pre-activation: bias, activation, mask, scale, in one pass.
//!
//! Buffers are `[units, rows]` with the rows of a slice padded to a multiple of
//! [`LINE`](crate::LINE). Masks are drawn in registers and never stored.

use crate::fits;
use crate::functions::{INVERSE_ROOT_TWO_PI, exp, logistic, normal_distribution, tanh, tanh_softplus};
use crate::isa::for_each_isa;
use crate::philox::{self, Key};
use crate::simd::Simd;

/// What a unit does with its pre-activation z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(z, 0)
    Relu,
    /// z where positive, else 0.01 z
    LeakyRelu,
    /// 1 / (1 + exp(-z))
    Logistic,
    /// tanh z
    Tanh,
    /// 1.0507 z where positive, else 1.7581 (exp z - 1) (Klambauer et al. 2017)
    Selu,
    /// z Φ(z) with the normal distribution function Φ (Hendrycks and Gimpel 2016)
    Gelu,
    /// z / (1 + exp(-z)) (Elfwing et al. 2017)
    Silu,
    /// z tanh(log(1 + exp z)) (Misra 2019)
    Mish,
    /// z
    Identity,
}

/// Which units of which rows are kept: each row has a mask of its own.
#[derive(Clone, Copy, Debug)]
pub struct RowMask {
    /// Seed and stream of the layer.
    pub key: Key,
    /// The step, or the number of the sampled network.
    pub step: u64,
    /// The number of the buffer's first row; the others follow.
    pub first_row: u32,
    /// Kept where the random word is at least this: [`philox::threshold`].
    pub threshold: u32,
}

/// One layer's units at work on one slice of rows.
#[derive(Clone, Copy, Debug)]
pub struct Units<'a> {
    /// Which unit each line of the buffers belongs to. With a row mask, all units in order.
    pub units: &'a [u32],
    /// The length of a line: the padded number of rows.
    pub rows: usize,
    /// The mask of each row, or none.
    pub mask: Option<RowMask>,
    /// What kept values are multiplied by.
    pub scale: f32,
    /// What the units do.
    pub activation: Activation,
}

impl Units<'_> {
    pub(crate) fn check(&self, buffer: usize) {
        assert!(
            self.rows.is_multiple_of(crate::LINE),
            "{} rows are not a multiple of {}",
            self.rows,
            crate::LINE
        );
        assert!(fits(self.units.len(), self.rows, self.rows, buffer), "the buffer is shorter than its units");
    }
}

for_each_isa! {
    /// `values` becomes `scale * mask * f(values + bias)`; with `pre` not empty, the
    /// pre-activations `values + bias` are written there. `biases` holds one number for each
    /// unit of the whole layer, or nothing for an input.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn activate(layer: Units<'_>, biases: &[f32], values: &mut [f32], pre: &mut [f32]) = activate_body
}

#[inline(always)]
fn activate_body<S: Simd>(layer: Units<'_>, biases: &[f32], values: &mut [f32], pre: &mut [f32]) {
    layer.check(values.len());
    assert!(
        pre.is_empty() || fits(layer.units.len(), layer.rows, layer.rows, pre.len()),
        "the buffer is shorter than its units"
    );
    struct Forward<'a>(Units<'a>, &'a [f32], *mut f32, *mut f32);
    impl<S: Simd> Pass<S> for Forward<'_> {
        #[inline(always)]
        unsafe fn run<A: Function>(&self, line: usize, row: usize, kept: Option<S::M>) {
            let Forward(layer, biases, values, pre) = self;
            let bias = if biases.is_empty() { 0.0 } else { biases[layer.units[line] as usize] };
            // SAFETY: `line` and `row` lie inside the buffers, as checked.
            unsafe {
                let at = line * layer.rows + row;
                let z = S::add(S::load(values.add(at)), S::splat(bias));
                if !pre.is_null() {
                    S::store(pre.add(at), z);
                }
                let scaled = S::mul(A::value::<S>(z), S::splat(layer.scale));
                let masked = match kept {
                    Some(kept) => S::keep(kept, scaled),
                    None => scaled,
                };
                S::store(values.add(at), masked);
            }
        }
    }
    let pre = if pre.is_empty() { std::ptr::null_mut() } else { pre.as_mut_ptr() };
    each_unit::<S, _>(layer, &Forward(layer, biases, values.as_mut_ptr(), pre));
}

for_each_isa! {
    /// `gradients` becomes `scale * mask * f'(pre) * gradients`: the derivative of
    /// [`activate`]. `pre` holds the pre-activations. For [`Activation::Relu`] it may hold the
    /// activations instead, and the mask may then be left out: a unit that the mask or the
    /// activation silenced is 0 there.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn differentiate(layer: Units<'_>, pre: &[f32], gradients: &mut [f32]) = differentiate_body
}

#[inline(always)]
fn differentiate_body<S: Simd>(layer: Units<'_>, pre: &[f32], gradients: &mut [f32]) {
    layer.check(pre.len().min(gradients.len()));
    struct Backward<'a>(Units<'a>, *const f32, *mut f32);
    impl<S: Simd> Pass<S> for Backward<'_> {
        #[inline(always)]
        unsafe fn run<A: Function>(&self, line: usize, row: usize, kept: Option<S::M>) {
            let Backward(layer, pre, gradients) = self;
            // SAFETY: `line` and `row` lie inside the buffers, as checked.
            unsafe {
                let at = line * layer.rows + row;
                let gradient = S::mul(S::load(gradients.add(at)), S::splat(layer.scale));
                let gradient = A::derived::<S>(S::load(pre.add(at)), gradient);
                let masked = match kept {
                    Some(kept) => S::keep(kept, gradient),
                    None => gradient,
                };
                S::store(gradients.add(at), masked);
            }
        }
    }
    each_unit::<S, _>(layer, &Backward(layer, pre.as_ptr(), gradients.as_mut_ptr()));
}

/// What is done with one vector of rows of one unit.
trait Pass<S: Simd> {
    /// # Safety
    /// The line must be below the number of units and the row a multiple of the lanes.
    unsafe fn run<A: Function>(&self, line: usize, row: usize, kept: Option<S::M>);
}

#[inline(always)]
fn each_unit<S: Simd, P: Pass<S>>(layer: Units<'_>, pass: &P) {
    match layer.activation {
        Activation::Relu => each_vector::<S, P, Relu>(layer, pass),
        Activation::LeakyRelu => each_vector::<S, P, LeakyRelu>(layer, pass),
        Activation::Logistic => each_vector::<S, P, Logistic>(layer, pass),
        Activation::Tanh => each_vector::<S, P, Tanh>(layer, pass),
        Activation::Selu => each_vector::<S, P, Selu>(layer, pass),
        Activation::Gelu => each_vector::<S, P, Gelu>(layer, pass),
        Activation::Silu => each_vector::<S, P, Silu>(layer, pass),
        Activation::Mish => each_vector::<S, P, Mish>(layer, pass),
        Activation::Identity => each_vector::<S, P, Identity>(layer, pass),
    }
}

#[inline(always)]
fn each_vector<S: Simd, P: Pass<S>, A: Function>(layer: Units<'_>, pass: &P) {
    let lines = layer.units.len();
    let Some(mask) = layer.mask else {
        for line in 0..lines {
            for row in (0..layer.rows).step_by(S::LANES) {
                // SAFETY: both are inside the buffers.
                unsafe { pass.run::<A>(line, row, None) }
            }
        }
        return;
    };
    // Four words come from each counter: those of four units of one row, for a vector of rows.
    for first in (0..lines).step_by(4) {
        for row in (0..layer.rows).step_by(S::LANES) {
            // SAFETY: both are inside the buffers.
            unsafe {
                let first_row = mask.first_row.wrapping_add(row as u32);
                let words = philox::of_rows::<S>(mask.key, (first / 4) as u32, first_row, mask.step);
                for (unit, word) in words.iter().enumerate().take(lines - first) {
                    let kept = S::at_least(*word, S::splat_u32(mask.threshold));
                    pass.run::<A>(first + unit, row, Some(kept));
                }
            }
        }
    }
}

for_each_isa! {
    /// Each value becomes its exponential. Values below -87 give about 1.6e-38, above
    /// 88 about 1.7e38, and NaN gives NaN.
    pub fn exponential(values: &mut [f32]) = exponential_body
}

#[inline(always)]
fn exponential_body<S: Simd>(values: &mut [f32]) {
    let whole = values.len() - values.len() % S::LANES;
    let (vectors, rest) = values.split_at_mut(whole);
    // SAFETY: each chunk holds exactly the lanes of a vector, as does `last`.
    unsafe {
        for vector in vectors.chunks_exact_mut(S::LANES) {
            S::store(vector.as_mut_ptr(), exp::<S>(S::load(vector.as_ptr())));
        }
        let mut last = [0.0; crate::LINE];
        last[..rest.len()].copy_from_slice(rest);
        S::store(last.as_mut_ptr(), exp::<S>(S::load(last.as_ptr())));
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// An activation over lanes.
pub(crate) trait Function {
    /// f(z)
    unsafe fn value<S: Simd>(z: S::F) -> S::F;
    /// f'(z) * gradient
    unsafe fn derived<S: Simd>(z: S::F, gradient: S::F) -> S::F;
}

macro_rules! functions {
    ($($name:ident: |$z:ident| $value:expr, |$at:ident, $gradient:ident| $derived:expr;)*) => { $(
        pub(crate) struct $name;
        #[allow(unused_unsafe, reason = "the identity does nothing unsafe")]
        impl Function for $name {
            #[inline(always)]
            unsafe fn value<S: Simd>($z: S::F) -> S::F {
                // SAFETY: the caller's machine has the lanes.
                unsafe { $value }
            }
            #[inline(always)]
            unsafe fn derived<S: Simd>($at: S::F, $gradient: S::F) -> S::F {
                // SAFETY: the caller's machine has the lanes.
                unsafe { $derived }
            }
        }
    )* };
}

pub(crate) const LEAK: f32 = 0.01;
const SELU_SCALE: f32 = 1.050_701;
const SELU_SCALE_ALPHA: f32 = 1.758_099_3;

functions! {
    // A comparison, not a maximum: a NaN must come through.
    Relu: |z| S::select(S::greater(S::splat(0.0), z), S::splat(0.0), z),
        |z, gradient| S::keep(S::greater(z, S::splat(0.0)), gradient);
    LeakyRelu: |z| S::select(S::greater(z, S::splat(0.0)), z, S::mul(z, S::splat(LEAK))),
        |z, gradient| S::select(S::greater(z, S::splat(0.0)), gradient, S::mul(gradient, S::splat(LEAK)));
    Logistic: |z| logistic::<S>(z),
        |z, gradient| { let y = logistic::<S>(z); S::mul(gradient, S::mul(y, S::sub(S::splat(1.0), y))) };
    Tanh: |z| tanh::<S>(z),
        |z, gradient| { let y = tanh::<S>(z); S::mul(gradient, S::sub(S::splat(1.0), S::mul(y, y))) };
    Selu: |z| {
            let below = S::sub(exp::<S>(S::min(S::splat(0.0), z)), S::splat(1.0));
            let below = S::mul(below, S::splat(SELU_SCALE_ALPHA));
            S::select(S::greater(z, S::splat(0.0)), S::mul(z, S::splat(SELU_SCALE)), below)
        },
        |z, gradient| {
            let below = S::mul(exp::<S>(S::min(S::splat(0.0), z)), S::splat(SELU_SCALE_ALPHA));
            S::mul(gradient, S::select(S::greater(z, S::splat(0.0)), S::splat(SELU_SCALE), below))
        };
    Gelu: |z| S::mul(z, normal_distribution::<S>(z).0),
        |z, gradient| {
            let (below, bell) = normal_distribution::<S>(z);
            S::mul(gradient, S::fma(S::mul(z, bell), S::splat(INVERSE_ROOT_TWO_PI), below))
        };
    Silu: |z| S::mul(z, logistic::<S>(z)),
        |z, gradient| {
            let (y, one) = (logistic::<S>(z), S::splat(1.0));
            S::mul(gradient, S::mul(y, S::fma(z, S::sub(one, y), one)))
        };
    Mish: |z| S::mul(z, tanh_softplus::<S>(z)),
        |z, gradient| {
            let (t, one) = (tanh_softplus::<S>(z), S::splat(1.0));
            let slope = S::mul(S::sub(one, S::mul(t, t)), logistic::<S>(z));
            S::mul(gradient, S::fma(z, slope, t))
        };
    Identity: |z| z, |_z, gradient| gradient;
}
