//! Products with a submatrix of a weight matrix, read in place.
//!
//! A thinned network uses some lines and some columns of each weight matrix. A library can
//! multiply them only after they were copied together; here the product itself walks the
//! lists of what is kept, and a whole matrix is the case in which the lists are complete.
//! One loop therefore serves all three products of a training step:
//!
//! | product | submatrix S | vectors V | result |
//! |---|---|---|---|
//! | forward | kept units x kept inputs of W | inputs `[inputs, rows]` | `[units, rows]` |
//! | backward | kept inputs x kept units of W, transposed | gradients `[units, rows]` | `[inputs, rows]` |
//! | gradient | gradients `[units, rows]` | inputs `[rows, inputs]` | `[units, inputs]` |
//!
//! S is read one number at a time and spread over the lanes, so that it needs no packing;
//! with 64 rows to a slice each number read feeds four vectors of 16, or eight of 8.

use crate::isa::for_each_isa;
use crate::simd::{Simd, Walk};
use crate::{LINE, fits};

/// A selection of lines and steps of a matrix: S\[j, k\] = `values[lines[j] * line_stride + steps[k] * step_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Submatrix<'a> {
    /// The whole matrix.
    pub values: &'a [f32],
    /// Which lines are selected.
    pub lines: &'a [u32],
    /// The distance from one line to the next.
    pub line_stride: usize,
    /// Which steps of a line are selected.
    pub steps: &'a [u32],
    /// The distance from one step to the next.
    pub step_stride: usize,
}

impl<'a> Submatrix<'a> {
    /// The same numbers with lines and steps exchanged.
    pub fn transposed(self) -> Self {
        Self {
            values: self.values,
            lines: self.steps,
            line_stride: self.step_stride,
            steps: self.lines,
            step_stride: self.line_stride,
        }
    }
}

/// Steps that are walked before the next lines are begun, so that the vectors of these steps
/// stay in the first-level cache.
const STEP_BLOCK: usize = 64;

/// Columns that are finished for some lines before the next lines are begun: so many of the vectors
/// of a block of steps stay in the first-level cache, and S is read from further away only once.
const PANEL: usize = 64;

/// Lines of a tile: with their vectors they fill the registers.
pub(crate) const TILE_LINES: usize = 6;

for_each_isa! {
    /// C\[j, ..width\] = sum over k of S\[j, k\] V\[k, ..width\], or with `accumulate` added to C.
    ///
    /// V is `[steps, v_stride]` and C `[lines, c_stride]`; `width` is a multiple of [`LINE`].
    /// The sum runs over k in order, whatever the machine.
    ///
    /// # Panics
    /// If an index leads outside `values`, `v` or `c`.
    pub fn product(
        s: Submatrix<'_>, v: &[f32], v_stride: usize, width: usize, c: &mut [f32], c_stride: usize, accumulate: bool,
    ) = product_body
}

#[inline(always)]
fn product_body<S: Simd>(
    s: Submatrix<'_>,
    v: &[f32],
    v_stride: usize,
    width: usize,
    c: &mut [f32],
    c_stride: usize,
    accumulate: bool,
) {
    let last = |list: &[u32], stride: usize| {
        list.iter().max().map_or(0, |&last| stride.saturating_mul(last as usize))
    };
    let (lines, steps) = (s.lines.len(), s.steps.len());
    if lines == 0 || width == 0 {
        return;
    }
    assert!(width.is_multiple_of(LINE), "width {width} is not a multiple of {LINE}");
    assert!(fits(lines, c_stride, width, c.len()), "the result does not fit");
    if steps == 0 {
        if !accumulate {
            (0..lines).for_each(|line| c[line * c_stride..][..width].fill(0.0));
        }
        return;
    }
    assert!(fits(steps, v_stride, width, v.len()), "too few vectors");
    assert!(
        last(s.lines, s.line_stride).saturating_add(last(s.steps, s.step_stride)) < s.values.len(),
        "index outside the matrix"
    );
    let mut offsets = [0; STEP_BLOCK];
    for first_step in (0..steps).step_by(STEP_BLOCK) {
        let block = &s.steps[first_step..steps.min(first_step + STEP_BLOCK)];
        for (offset, &step) in offsets.iter_mut().zip(block) {
            *offset = step as usize * s.step_stride;
        }
        for panel in (0..width).step_by(PANEL) {
            for first_line in (0..lines).step_by(TILE_LINES) {
                let (lines, next) = s.lines[first_line..].split_at(TILE_LINES.min(lines - first_line));
                // SAFETY: the asserts above bound every index; the lanes are those of the running machine.
                unsafe {
                    let tiles = Tiles {
                        values: s.values.as_ptr(),
                        line_stride: s.line_stride,
                        steps: &offsets[..block.len()],
                        v: v.as_ptr().add(first_step * v_stride + panel),
                        v_stride,
                        width: PANEL.min(width - panel),
                        c: c.as_mut_ptr().add(first_line * c_stride + panel),
                        c_stride,
                        add: accumulate || first_step > 0,
                        ahead: if panel + PANEL < width { PANEL } else { STEP_BLOCK * v_stride - panel },
                    };
                    tiles.run::<S>(lines, next);
                }
            }
        }
    }
}

/// Some lines of a product, cut into tiles of as many vectors as the registers hold.
pub(crate) struct Tiles<'a> {
    pub values: *const f32,
    pub line_stride: usize,
    /// How far into its line each number is.
    pub steps: &'a [usize],
    pub v: *const f32,
    pub v_stride: usize,
    /// How many columns there are, in whole vectors.
    pub width: usize,
    pub c: *mut f32,
    pub c_stride: usize,
    pub add: bool,
    /// Behind which of the vectors those lie that are needed after these lines; 0: none.
    pub ahead: usize,
}

impl Tiles<'_> {
    /// Computes the given lines, at most [`TILE_LINES`]; `next` are fetched meanwhile.
    ///
    /// # Safety
    /// Every index of lines, steps and vectors must lie inside the buffers.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, lines: &[u32], next: &[u32]) {
        // SAFETY: as the caller's.
        unsafe {
            match *lines {
                [a, b, c, d, e, f] => self.run_lines::<S, 6>([a, b, c, d, e, f], next),
                [a, b, c, d, e] => self.run_lines::<S, 5>([a, b, c, d, e], next),
                [a, b, c, d] => self.run_lines::<S, 4>([a, b, c, d], next),
                [a, b, c] => self.run_lines::<S, 3>([a, b, c], next),
                [a, b] => self.run_lines::<S, 2>([a, b], next),
                [a] => self.run_lines::<S, 1>([a], next),
                _ => {}
            }
        }
    }

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "an index loop keeps the instruction set, a closure may not"
    )]
    unsafe fn run_lines<S: Simd, const LINES: usize>(&self, lines: [u32; LINES], next: &[u32]) {
        // SAFETY: as the caller's.
        unsafe {
            let mut at_line = [self.values; LINES];
            let mut at_next = [self.values; LINES];
            for line in 0..LINES {
                at_line[line] = self.values.add(lines[line] as usize * self.line_stride);
                let next = if line < next.len() { next[line] } else { lines[line] };
                at_next[line] = self.values.add(next as usize * self.line_stride);
            }
            let (mut column, mut turn) = (0, 0);
            while column < self.width {
                let vectors = ((self.width - column) / S::LANES).min(S::TILE_VECTORS);
                let walk = Walk {
                    steps: self.steps,
                    v: self.v.add(column),
                    v_stride: self.v_stride,
                    c: self.c.add(column),
                    c_stride: self.c_stride,
                    add: self.add,
                    ahead: if next.is_empty() { self.ahead } else { 0 },
                    turn,
                };
                match vectors {
                    4 if S::TILE_VECTORS == 4 => S::walk::<LINES, 4>(&walk, at_line, at_next),
                    3 if S::TILE_VECTORS == 4 => S::walk::<LINES, 3>(&walk, at_line, at_next),
                    2 => S::walk::<LINES, 2>(&walk, at_line, at_next),
                    _ => S::walk::<LINES, 1>(&walk, at_line, at_next),
                }
                column += vectors * S::LANES;
                turn += 1;
            }
        }
    }
}
