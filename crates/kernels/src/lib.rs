//! The numbers of thinnet: random words, masks, products, elementwise passes, updates.
//!
//! This crate knows nothing of learning. It is the only one with `unsafe`, and what it
//! exports is safe: every function checks the lengths it relies on.
//!
//! | module | what it does |
//! |---|---|
//! | [`isa`] | which instruction set runs, and how one is forced |
//! | [`philox`] | random words from a key and a counter |
//! | [`matmul`] | products with a submatrix of a weight matrix, read in place |
//! | [`memory`] | zeros in large pages |
//! | [`gather`] | rows into units and back, compact lines into whole ones |
//! | `functions` | exp, ln, tanh and others over lanes |
//! | [`elementwise`] | activations, masks and their derivatives |
//! | [`moments`] | mean and variance through activations and masks |
//! | `normal` | normal random numbers |
//! | [`noise`] | units multiplied by random factors, and what is learned of those |
//! | [`mask`] | masks over matrices that stand row by row |
//! | [`edges`] | masks over edges, drawn bit by bit |
//! | [`shared_edges`] | edges dropped with one mask for many rows |
//! | [`row_edges`] | edges dropped with a mask for each row |
//! | [`edge_noise`] | edges with normal noise |
//! | [`divergence`] | how far learned noise is from its prior |
//! | [`sparse`] | products with a matrix most of which is 0 |
//! | [`update`] | one line of weights moved by its gradient |
//! | [`reduce`] | sums in a fixed order |
//! | [`lines`] | one line by another, or by a number |
//!
//! Every kernel is written once, over the lanes of `simd::Simd`, and compiled for each
//! instruction set.

pub mod divergence;
pub mod edge_noise;
pub mod edges;
pub mod elementwise;
mod functions;
pub mod gather;
pub mod isa;
pub mod lines;
pub mod mask;
pub mod matmul;
pub mod memory;
pub mod moments;
pub mod noise;
mod normal;
pub mod philox;
pub mod reduce;
pub mod row_edges;
pub mod shared_edges;
mod simd;
pub mod sparse;
pub mod update;

pub use isa::Isa;

/// Buffers that the kernels walk in vectors have a multiple of this many f32 in a line.
pub const LINE: usize = 16;

/// The length of a line that holds `count` values: `count` rounded up to a multiple of [`LINE`].
pub const fn line(count: usize) -> usize {
    count.div_ceil(LINE) * LINE
}

/// The distance between the lines of a matrix with `count` values in a line.
///
/// Like [`line()`], but never a multiple of 1 KiB: lines a power of two apart share cache sets,
/// and a walk down a column would throw its own lines out.
pub const fn stride(count: usize) -> usize {
    let padded = line(count);
    if padded.is_multiple_of(256) { padded + LINE } else { padded }
}

/// Whether `count` lines of `width` values, `stride` apart, lie within `length` values. What
/// overflows does not.
fn fits(count: usize, stride: usize, width: usize, length: usize) -> bool {
    count == 0 || (count - 1).saturating_mul(stride).saturating_add(width) <= length
}

/// Panics unless the others are as long as this line, whose length is a multiple of [`LINE`].
#[inline]
fn same_lines(length: usize, others: &[usize]) {
    assert!(others.iter().all(|&other| other == length), "the lines differ in length");
    assert!(length.is_multiple_of(LINE), "{length} values are not in whole vectors");
}
