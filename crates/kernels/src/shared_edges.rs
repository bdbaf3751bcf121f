//! Edges dropped with one mask for many rows.
//!
//! The products are those of [`crate::matmul`]; the mask is laid over small copies of the weights in the
//! first-level cache, or over a tile of their gradients on its way out.
//!
//! Of a layer with n units, edge k of unit j has bit k % 32 of word k / 32 % 4 of block k / 128 * n + j.
//! Biases are the edges of one more unit: that of unit j is edge j of it, in the blocks behind all others.

use crate::edges::{EdgeMask, draw};
use crate::fits;
use crate::isa::for_each_isa;
use crate::matmul::{TILE_LINES, Tiles};
use crate::simd::Simd;

/// Edges that share a block of four random words.
const CHUNK: usize = 128;

/// Units whose masks are drawn together: as many as lines of tiles and lanes both divide.
const UNITS: usize = 48;

/// Units whose weights are copied together for the backward pass.
const COPIED_UNITS: usize = 32;

/// The distance between the lines of a copy.
const COPY_STRIDE: usize = CHUNK + 16;

/// 0, 1, 2, …
const LINES: [u32; TILE_LINES] = [0, 1, 2, 3, 4, 5];

/// Where the steps of a line are that lie side by side.
const BESIDE: [usize; CHUNK] = offsets(1);

/// Where the steps of a column of a copy are.
const BELOW: [usize; COPIED_UNITS] = offsets(COPY_STRIDE);

const fn offsets<const STEPS: usize>(stride: usize) -> [usize; STEPS] {
    let mut offsets = [0; STEPS];
    let mut i = 0;
    while i < STEPS {
        offsets[i] = i * stride;
        i += 1;
    }
    offsets
}

/// A layer whose edges are dropped for all rows alike.
#[derive(Clone, Copy, Debug)]
pub struct SharedEdges {
    /// Where its mask comes from.
    pub mask: EdgeMask,
    /// What kept edges are multiplied by.
    pub scale: f32,
    /// The units of the whole layer.
    pub units: usize,
    /// The inputs of a unit.
    pub inputs: usize,
    /// The distance between the lines of two units.
    pub stride: usize,
}

impl SharedEdges {
    /// The words of the masks of `units` units from `first` on, for a chunk of inputs.
    ///
    /// # Safety
    /// The machine must have the lanes' instructions; there must be at most [`UNITS`].
    #[inline(always)]
    unsafe fn words<S: Simd>(&self, chunk: usize, first: usize, units: usize) -> [[u32; 4]; UNITS] {
        let mut words = [[0; 4]; UNITS];
        for unit in (0..units).step_by(S::LANES) {
            // SAFETY: the lanes divide the units that there is room for; each has four words.
            unsafe {
                let block = (chunk * self.units + first + unit) as u32;
                let drawn = S::interleave(draw::<S>(self.mask, block));
                for (i, vector) in drawn.into_iter().enumerate() {
                    S::store_u32(words.as_mut_ptr().add(unit).cast::<u32>().add(i * S::LANES), vector);
                }
            }
        }
        words
    }

    fn check(&self, weights: usize) {
        assert!(self.stride >= crate::line(self.inputs), "lines overlap");
        assert!(fits(self.units, self.stride, crate::line(self.inputs), weights), "too few weights");
    }
}

/// Some rows of the activations: `[lines, stride]`, of which `width` columns count.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The distance between two lines.
    pub stride: usize,
    /// How many columns there are, a multiple of [`crate::LINE`].
    pub width: usize,
}

impl Columns {
    fn check(&self, lines: usize, length: usize) {
        assert!(self.width.is_multiple_of(crate::LINE), "{} columns are not in whole vectors", self.width);
        assert!(fits(lines, self.stride, self.width, length), "the buffer is shorter than its lines");
    }
}

for_each_isa! {
    /// `to`, `[units, columns]`, becomes the product of the masked and scaled weights with `inputs`,
    /// `[inputs, columns]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn forward(layer: SharedEdges, columns: Columns, weights: &[f32], inputs: &[f32], to: &mut [f32]) =
        forward_body
}

#[inline(always)]
fn forward_body<S: Simd>(
    layer: SharedEdges,
    columns: Columns,
    weights: &[f32],
    inputs: &[f32],
    to: &mut [f32],
) {
    layer.check(weights.len());
    columns.check(layer.inputs, inputs.len());
    columns.check(layer.units, to.len());
    for input in (0..layer.inputs).step_by(CHUNK) {
        let steps = &BESIDE[..CHUNK.min(layer.inputs - input)];
        for first in (0..layer.units).step_by(UNITS) {
            let count = UNITS.min(layer.units - first);
            // SAFETY: the asserts above bound units, inputs and columns; the lanes are the running machine's.
            unsafe {
                let words = layer.words::<S>(input / CHUNK, first, count);
                for line in (0..count).step_by(TILE_LINES) {
                    let lines = TILE_LINES.min(count - line);
                    let mut copy = [0.0; TILE_LINES * COPY_STRIDE];
                    let from = weights.as_ptr().add((first + line) * layer.stride + input);
                    masked_copy::<S>(&layer, &words[line..line + lines], steps.len(), from, &mut copy);
                    let tiles = Tiles {
                        values: copy.as_ptr(),
                        line_stride: COPY_STRIDE,
                        steps,
                        v: inputs.as_ptr().add(input * columns.stride),
                        v_stride: columns.stride,
                        width: columns.width,
                        c: to.as_mut_ptr().add((first + line) * columns.stride),
                        c_stride: columns.stride,
                        add: input > 0,
                        ahead: 0,
                    };
                    tiles.run::<S>(&LINES[..lines], &[]);
                }
            }
        }
    }
}

/// Copies masked and scaled weights of some units, one for each element of `words`: `count` inputs of
/// each, and padding up to a whole vector.
///
/// # Safety
/// As for [`Simd`]; `from` must be valid for the lines, `copy` have room for them.
#[inline(always)]
unsafe fn masked_copy<S: Simd>(
    layer: &SharedEdges,
    words: &[[u32; 4]],
    count: usize,
    from: *const f32,
    copy: &mut [f32],
) {
    for (line, words) in words.iter().enumerate() {
        for at in (0..crate::line(count)).step_by(S::LANES) {
            // SAFETY: as the caller's; what is fetched for later need not be there.
            unsafe {
                let from = from.add(line * layer.stride + at);
                S::prefetch(from.wrapping_add(TILE_LINES * layer.stride));
                let kept = S::mask_from_bits(words[at / 32] >> (at % 32));
                let value = S::keep(kept, S::mul(S::load(from), S::splat(layer.scale)));
                S::store(copy.as_mut_ptr().add(line * COPY_STRIDE + at), value);
            }
        }
    }
}

for_each_isa! {
    /// `to`, `[inputs, columns]`, becomes the product of the transposed masked and scaled weights with
    /// `gradients`, `[units, columns]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn backward(layer: SharedEdges, columns: Columns, weights: &[f32], gradients: &[f32], to: &mut [f32]) =
        backward_body
}

#[inline(always)]
fn backward_body<S: Simd>(
    layer: SharedEdges,
    columns: Columns,
    weights: &[f32],
    gradients: &[f32],
    to: &mut [f32],
) {
    layer.check(weights.len());
    columns.check(layer.units, gradients.len());
    columns.check(layer.inputs, to.len());
    let mut copy = [0.0; COPIED_UNITS * COPY_STRIDE];
    for input in (0..layer.inputs).step_by(CHUNK) {
        let inputs = CHUNK.min(layer.inputs - input);
        for first in (0..layer.units).step_by(COPIED_UNITS) {
            let count = COPIED_UNITS.min(layer.units - first);
            // SAFETY: the asserts above bound units, inputs and columns; the lanes are the running machine's.
            unsafe {
                let words = layer.words::<S>(input / CHUNK, first, count);
                let from = weights.as_ptr().add(first * layer.stride + input);
                masked_copy::<S>(&layer, &words[..count], inputs, from, &mut copy);
                for line in (0..inputs).step_by(TILE_LINES) {
                    let tiles = Tiles {
                        values: copy.as_ptr().add(line),
                        line_stride: 1,
                        steps: &BELOW[..count],
                        v: gradients.as_ptr().add(first * columns.stride),
                        v_stride: columns.stride,
                        width: columns.width,
                        c: to.as_mut_ptr().add((input + line) * columns.stride),
                        c_stride: columns.stride,
                        add: first > 0,
                        ahead: 0,
                    };
                    tiles.run::<S>(&LINES[..TILE_LINES.min(inputs - line)], &[]);
                }
            }
        }
    }
}

/// Rows of inputs, `[rows, stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Their numbers.
    pub values: &'a [f32],
    /// The distance between two rows.
    pub stride: usize,
    /// How many there are.
    pub count: usize,
}

for_each_isa! {
    /// The gradients of the weights of `units` units from `first` on, `[units, stride]`, are added to `to`, or
    /// with `fresh` written there. `gradients` is `[units of the layer, gradients_stride]`, one for each row.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn gradients(
        layer: SharedEdges, first: usize, units: usize, gradients: &[f32], gradients_stride: usize,
        rows: Rows<'_>, fresh: bool, to: &mut [f32],
    ) = gradients_body
}

/// Rows whose products are summed before those of the next.
const ROWS: usize = 64;

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn gradients_body<S: Simd>(
    layer: SharedEdges,
    first: usize,
    units: usize,
    gradients: &[f32],
    gradients_stride: usize,
    rows: Rows<'_>,
    fresh: bool,
    to: &mut [f32],
) {
    let width = crate::line(layer.inputs);
    assert!(first + units <= layer.units, "the layer has fewer units");
    assert!(fits(layer.units, gradients_stride, rows.count, gradients.len()), "too few gradients");
    assert!(fits(rows.count, rows.stride, width, rows.values.len()), "too few rows");
    assert!(fits(units, layer.stride, width, to.len()), "the result does not fit");
    for input in (0..width).step_by(CHUNK) {
        let inputs = CHUNK.min(width - input);
        for group in (0..units).step_by(UNITS) {
            let count = UNITS.min(units - group);
            // SAFETY: the asserts above bound units, inputs and rows; the lanes are the running machine's.
            unsafe {
                let words = layer.words::<S>(input / CHUNK, first + group, count);
                for line in (0..count).step_by(TILE_LINES) {
                    let lines = TILE_LINES.min(count - line);
                    let unit = first + group + line;
                    let mut sums = [0.0; TILE_LINES * CHUNK];
                    for row in (0..rows.count).step_by(ROWS) {
                        let tiles = Tiles {
                            values: gradients.as_ptr().add(unit * gradients_stride + row),
                            line_stride: gradients_stride,
                            steps: &BESIDE[..ROWS.min(rows.count - row)],
                            v: rows.values.as_ptr().add(row * rows.stride + input),
                            v_stride: rows.stride,
                            width: inputs,
                            c: sums.as_mut_ptr(),
                            c_stride: CHUNK,
                            add: row > 0,
                            ahead: 0,
                        };
                        tiles.run::<S>(&LINES[..lines], &[]);
                    }
                    let to = to.as_mut_ptr().add((group + line) * layer.stride + input);
                    for (number, words) in words[line..line + lines].iter().enumerate() {
                        let (sums, to) = (&sums[number * CHUNK..], to.add(number * layer.stride));
                        masked_sums::<S>(words, &sums[..inputs], layer.scale, fresh, to);
                    }
                }
            }
        }
    }
}

/// Adds the masked and scaled sums to `to`, or with `fresh` writes them there.
///
/// # Safety
/// As for [`Simd`]; `to` must be valid for the sums.
#[inline(always)]
unsafe fn masked_sums<S: Simd>(words: &[u32; 4], sums: &[f32], scale: f32, fresh: bool, to: *mut f32) {
    for at in (0..sums.len()).step_by(S::LANES) {
        // SAFETY: as the caller's.
        unsafe {
            let kept = S::mask_from_bits(words[at / 32] >> (at % 32));
            let (sum, to) = (S::load(sums.as_ptr().add(at)), to.add(at));
            let before = if fresh { S::splat(0.0) } else { S::load(to) };
            S::store(to, S::fma_where(kept, sum, S::splat(scale), before));
        }
    }
}

for_each_isa! {
    /// Adds `scale * mask * from` to `to`, one number for each unit: what the biases give, or their gradients.
    ///
    /// # Panics
    /// If a buffer is too short for the units, padded to whole vectors.
    pub fn add_of_biases(layer: SharedEdges, from: &[f32], to: &mut [f32]) = add_of_biases_body
}

#[inline(always)]
fn add_of_biases_body<S: Simd>(layer: SharedEdges, from: &[f32], to: &mut [f32]) {
    let width = crate::line(layer.units);
    assert!(from.len().min(to.len()) >= width, "too few biases");
    let behind = layer.inputs.div_ceil(CHUNK);
    let line = SharedEdges { units: 1, ..layer };
    for first in (0..width).step_by(CHUNK) {
        let count = CHUNK.min(width - first);
        // SAFETY: the numbers of a chunk are inside both buffers; the lanes are the running machine's.
        unsafe {
            let words = line.words::<S>(behind * layer.units + first / CHUNK, 0, 1);
            let (from, to) = (&from[first..first + count], to.as_mut_ptr().add(first));
            masked_sums::<S>(&words[0], from, layer.scale, false, to);
        }
    }
}
