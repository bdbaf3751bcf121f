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
pub(crate) const STEP_BLOCK: usize = 64;

/// Columns that are finished for some lines before the next lines are begun: so many of the vectors
/// of a block of steps stay in the first-level cache, and S is read from further away only once.
const PANEL: usize = 64;

/// Lines of a tile: with their vectors they fill the registers.
pub(crate) const TILE_LINES: usize = 6;

for_each_isa! {
    /// C\[j, ..width\] = sum over k of S\[j, k\] V\[k, ..width\], or with `accumulate` added to C.
    ///
    /// V is `[steps, v_stride]` and C `[lines, c_stride]`; `width` is a multiple of [`LINE`].
    /// The sum runs over k in order, in blocks of 64, whatever the machine.
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
    for first_step in (0..steps).step_by(STEP_BLOCK) {
        let block = &s.steps[first_step..steps.min(first_step + STEP_BLOCK)];
        let add = accumulate || first_step > 0;
        for panel in (0..width).step_by(PANEL) {
            let end = width.min(panel + PANEL);
            for first_line in (0..lines).step_by(TILE_LINES) {
                let (tile_lines, next_lines) =
                    s.lines[first_line..].split_at(TILE_LINES.min(lines - first_line));
                let mut column = panel;
                while column < end {
                    let vectors = ((end - column) / S::LANES).min(S::TILE_VECTORS);
                    // SAFETY: the asserts above bound every index; the lanes are those of the running machine.
                    unsafe {
                        let tile = Tile {
                            values: s.values.as_ptr(),
                            line_stride: s.line_stride,
                            steps: block,
                            step_stride: s.step_stride,
                            v: v.as_ptr().add(first_step * v_stride + column),
                            v_stride,
                            c: c.as_mut_ptr().add(first_line * c_stride + column),
                            c_stride,
                            add,
                        };
                        tile.run_vectors::<S>(vectors, tile_lines, next_lines);
                    }
                    column += vectors * S::LANES;
                }
            }
        }
    }
}

/// Some lines of a product, and as many vectors of it as the registers hold.
pub(crate) struct Tile<'a> {
    pub values: *const f32,
    pub line_stride: usize,
    pub steps: &'a [u32],
    pub step_stride: usize,
    pub v: *const f32,
    pub v_stride: usize,
    pub c: *mut f32,
    pub c_stride: usize,
    pub add: bool,
}

#[allow(clippy::needless_range_loop, reason = "see Tile::run")]
impl Tile<'_> {
    /// Computes the given lines, at most [`TILE_LINES`]; `next` are fetched meanwhile.
    ///
    /// # Safety
    /// Every index of lines, steps and vectors must lie inside the buffers.
    #[inline(always)]
    pub unsafe fn run_vectors<S: Simd>(&self, vectors: usize, lines: &[u32], next: &[u32]) {
        // SAFETY: as the caller's.
        unsafe {
            match vectors {
                4 if S::TILE_VECTORS == 4 => self.run_lines::<S, 4>(lines, next),
                3 if S::TILE_VECTORS == 4 => self.run_lines::<S, 3>(lines, next),
                2 => self.run_lines::<S, 2>(lines, next),
                _ => self.run_lines::<S, 1>(lines, next),
            }
        }
    }

    #[inline(always)]
    unsafe fn run_lines<S: Simd, const VECTORS: usize>(&self, lines: &[u32], next: &[u32]) {
        // SAFETY: as the caller's.
        unsafe {
            match *lines {
                [a, b, c, d, e, f] => self.run::<S, 6, VECTORS>([a, b, c, d, e, f], next),
                [a, b, c, d, e] => self.run::<S, 5, VECTORS>([a, b, c, d, e], next),
                [a, b, c, d] => self.run::<S, 4, VECTORS>([a, b, c, d], next),
                [a, b, c] => self.run::<S, 3, VECTORS>([a, b, c], next),
                [a, b] => self.run::<S, 2, VECTORS>([a, b], next),
                [a] => self.run::<S, 1, VECTORS>([a], next),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn run<S: Simd, const LINES: usize, const VECTORS: usize>(
        &self,
        lines: [u32; LINES],
        next: &[u32],
    ) {
        // SAFETY: `product_body` has checked every index that is used here.
        unsafe {
            // Index loops, not closures or iterators over vectors: what is not inlined here loses its
            // instruction set, and with it the registers.
            let mut at_line = [self.values; LINES];
            let mut at_next = [self.values; LINES];
            for line in 0..LINES {
                at_line[line] = self.values.add(lines[line] as usize * self.line_stride);
                let next = if line < next.len() { next[line] } else { lines[line] };
                at_next[line] = self.values.add(next as usize * self.line_stride);
            }
            let Tile { steps, step_stride, v, v_stride, .. } = *self;
            let walk = Walk { steps, step_stride, v, v_stride };
            let sums = S::walk::<LINES, VECTORS>(walk, at_line, at_next);
            for line in 0..LINES {
                for i in 0..VECTORS {
                    let to = self.c.add(line * self.c_stride + i * S::LANES);
                    let sum = sums[line][i];
                    S::store(to, if self.add { S::add(S::load(to), sum) } else { sum });
                }
            }
        }
    }
}
