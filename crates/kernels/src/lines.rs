//! One line by another, or by a number. The length of a line is a multiple of [`LINE`].

use crate::functions::exp;
use crate::isa::for_each_isa;
use crate::simd::Simd;
use crate::{LINE, same_lines};

for_each_isa! {
    /// `line` is multiplied by `factor`.
    ///
    /// # Panics
    /// If the length is not a multiple of [`LINE`].
    pub fn scale(line: &mut [f32], factor: f32) = scale_body
}

#[inline(always)]
fn scale_body<S: Simd>(line: &mut [f32], factor: f32) {
    assert!(line.len().is_multiple_of(LINE), "{} values are not in whole vectors", line.len());
    for vector in line.chunks_exact_mut(S::LANES) {
        // SAFETY: the chunk holds the lanes of a vector.
        unsafe { S::store(vector.as_mut_ptr(), S::mul(S::load(vector.as_ptr()), S::splat(factor))) }
    }
}

for_each_isa! {
    /// `to` becomes `from²`.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn square(from: &[f32], to: &mut [f32]) = square_body
}

#[inline(always)]
fn square_body<S: Simd>(from: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[from.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let value = S::load(from.as_ptr().add(at));
            S::store(to.as_mut_ptr().add(at), S::mul(value, value));
        }
    }
}

for_each_isa! {
    /// `to` is multiplied by `by`.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn multiply(by: &[f32], to: &mut [f32]) = multiply_body
}

#[inline(always)]
fn multiply_body<S: Simd>(by: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[by.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let to = to.as_mut_ptr().add(at);
            S::store(to, S::mul(S::load(to), S::load(by.as_ptr().add(at))));
        }
    }
}

for_each_isa! {
    /// Adds `2 a b` to `to`: what a derivative by squares of `a`, which is `b`, gives for `a`.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn add_through_square(a: &[f32], b: &[f32], to: &mut [f32]) = add_through_square_body
}

#[inline(always)]
fn add_through_square_body<S: Simd>(a: &[f32], b: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[a.len(), b.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let a = S::load(a.as_ptr().add(at));
            let to = to.as_mut_ptr().add(at);
            S::store(to, S::fma(S::add(a, a), S::load(b.as_ptr().add(at)), S::load(to)));
        }
    }
}

for_each_isa! {
    /// `to` becomes e^`from`, by [`crate::elementwise::exponential`]'s formula.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn exponentials(from: &[f32], to: &mut [f32]) = exponentials_body
}

#[inline(always)]
fn exponentials_body<S: Simd>(from: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[from.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe { S::store(to.as_mut_ptr().add(at), exp::<S>(S::load(from.as_ptr().add(at)))) }
    }
}

for_each_isa! {
    /// `to` is multiplied by e^`logarithms`.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn multiply_by_exponential(logarithms: &[f32], to: &mut [f32]) = multiply_by_exponential_body
}

#[inline(always)]
fn multiply_by_exponential_body<S: Simd>(logarithms: &[f32], to: &mut [f32]) {
    same_lines(to.len(), &[logarithms.len()]);
    for at in (0..to.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length.
        unsafe {
            let to = to.as_mut_ptr().add(at);
            S::store(to, S::mul(S::load(to), exp::<S>(S::load(logarithms.as_ptr().add(at)))));
        }
    }
}
