//! Edges dropped with a mask of its own for each row (DropConnect, Wan et al. 2013).
//!
//! No product of matrices can do it: every row meets other weights. The masks of up to 64 rows
//! and 32 inputs of some units are drawn into the first-level cache ([`edges`]), and
//! multiply-adds run under them. Forward pass, backward pass and gradient draw the same bits.
//!
//! The words of edge k of unit j, for a run of 64 rows: block j B + 16 (k / 32) + k % 16 with
//! B = 16 ceil(inputs / 32); words 0 and 1 of it where k % 32 < 16, else 2 and 3; the first of
//! them has the rows 0 to 31 of the run, lowest bit first, the second the rows 32 to 63. Biases
//! are the edges of one more line behind those of the units: that of unit j is edge j of it.

#![allow(clippy::needless_range_loop, reason = "index loops: what is not inlined loses its instruction set")]

use crate::edges::{self, EdgeMask};
use crate::fits;
use crate::isa::for_each_isa;
use crate::matmul::TILE_LINES;
use crate::simd::Simd;

/// Rows whose bits stand in two words.
const RUN: usize = 64;

/// Inputs whose masks are drawn together.
const CHUNK: usize = 32;

/// Units whose masks are drawn together: a multiple of the lines of a tile.
const UNITS: usize = 24;

/// Units whose gradients are summed together.
const GRADIENT_UNITS: usize = 8;

/// Words of the mask of one unit and a chunk of inputs: of 16 inputs and 32 rows, 4 times.
const UNIT_WORDS: usize = 2 * CHUNK;

/// A layer whose edges are dropped for each row.
#[derive(Clone, Copy, Debug)]
pub struct RowEdges {
    /// Where its masks come from; `row` is the number of the first row.
    pub mask: EdgeMask,
    /// The units of the whole layer.
    pub units: usize,
    /// The inputs of a unit.
    pub inputs: usize,
    /// The distance between the lines of two units.
    pub stride: usize,
    /// The length of a line of activations: the padded number of rows.
    pub rows: usize,
}

impl RowEdges {
    /// The block of random words with which the line of a unit begins; that of the biases follows the last unit's.
    #[inline(always)]
    fn block(&self, unit: usize) -> u32 {
        (unit * self.inputs.div_ceil(CHUNK) * (CHUNK / 2)) as u32
    }

    #[inline(always)]
    fn of_run(&self, first_row: usize) -> EdgeMask {
        EdgeMask { row: self.mask.row.wrapping_add(first_row as u32), ..self.mask }
    }

    /// The masks of the biases of a chunk of units for a run of rows.
    #[inline(always)]
    fn bias_words<S: Simd>(&self, first_row: usize, first_unit: usize) -> [u32; UNIT_WORDS] {
        let mut words = [0; UNIT_WORDS];
        let block = self.block(self.units).wrapping_add((first_unit / 2) as u32);
        // SAFETY: the lanes are those of the running machine.
        unsafe { draw::<S>(self.of_run(first_row), block, &mut words) }
        words
    }

    fn check_biases(&self, biases: usize, values: usize) {
        assert!(self.rows.is_multiple_of(crate::LINE), "{} rows are not in whole vectors", self.rows);
        assert!(biases >= self.units, "too few biases");
        assert!(fits(self.units, self.rows, self.rows, values), "the units do not fit");
    }

    fn check(&self, weights: usize, units: usize, inputs: usize) {
        assert!(self.rows.is_multiple_of(crate::LINE), "{} rows are not in whole vectors", self.rows);
        assert!(fits(self.units, self.stride, self.inputs, weights), "too few weights");
        assert!(fits(self.units, self.rows, self.rows, units), "the units do not fit");
        assert!(fits(self.inputs, self.rows, self.rows, inputs), "the inputs do not fit");
    }
}

/// Draws the masks of some units and a chunk of inputs.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
unsafe fn draw<S: Simd>(mask: EdgeMask, block: u32, words: &mut [u32; UNIT_WORDS]) {
    for lane in (0..CHUNK / 2).step_by(S::LANES) {
        // SAFETY: each of the four vectors lies inside its 16 words.
        unsafe {
            let drawn = edges::draw::<S>(mask, block.wrapping_add(lane as u32));
            for (i, vector) in drawn.into_iter().enumerate() {
                S::store_u32(words.as_mut_ptr().add(i * CHUNK / 2 + lane), vector);
            }
        }
    }
}

for_each_isa! {
    /// `to`, `[units, rows]`, becomes the product of the masked weights with `inputs`, `[inputs, rows]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn forward(layer: RowEdges, weights: &[f32], inputs: &[f32], to: &mut [f32]) = forward_body
}

#[inline(always)]
fn forward_body<S: Simd>(layer: RowEdges, weights: &[f32], inputs: &[f32], to: &mut [f32]) {
    layer.check(weights.len(), to.len(), inputs.len());
    to[..layer.units * layer.rows].fill(0.0);
    for first_row in (0..layer.rows).step_by(RUN) {
        for unit in (0..layer.units).step_by(UNITS) {
            for input in (0..layer.inputs).step_by(CHUNK) {
                block::<S, false>(&layer, [first_row, unit, input], weights, inputs, to);
            }
        }
    }
}

for_each_isa! {
    /// `to`, `[inputs, rows]`, becomes the product of the transposed masked weights with
    /// `gradients`, `[units, rows]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn backward(layer: RowEdges, weights: &[f32], gradients: &[f32], to: &mut [f32]) = backward_body
}

#[inline(always)]
fn backward_body<S: Simd>(layer: RowEdges, weights: &[f32], gradients: &[f32], to: &mut [f32]) {
    layer.check(weights.len(), gradients.len(), to.len());
    to[..layer.inputs * layer.rows].fill(0.0);
    for first_row in (0..layer.rows).step_by(RUN) {
        for input in (0..layer.inputs).step_by(CHUNK) {
            for unit in (0..layer.units).step_by(UNITS) {
                block::<S, true>(&layer, [first_row, unit, input], weights, gradients, to);
            }
        }
    }
}

/// Adds what a block of weights gives: some units, a chunk of inputs, a run of rows.
#[inline(always)]
fn block<S: Simd, const TRANSPOSED: bool>(
    layer: &RowEdges,
    [first_row, unit, input]: [usize; 3],
    weights: &[f32],
    from: &[f32],
    to: &mut [f32],
) {
    let (units, inputs) = (UNITS.min(layer.units - unit), CHUNK.min(layer.inputs - input));
    let rows = RUN.min(layer.rows - first_row);
    let mut words = [[0; UNIT_WORDS]; UNITS];
    for (number, words) in words[..units].iter_mut().enumerate() {
        let block = layer.block(unit + number).wrapping_add((input / 2) as u32);
        // SAFETY: the lanes are those of the running machine.
        unsafe { draw::<S>(layer.of_run(first_row), block, words) }
    }
    for half in (0..inputs).step_by(CHUNK / 2) {
        let half_inputs = (CHUNK / 2).min(inputs - half);
        let (lines, steps) = if TRANSPOSED { (half_inputs, units) } else { (units, half_inputs) };
        let (weight, word) = ([layer.stride, 1], [UNIT_WORDS, 1]);
        let turn = |[unit, input]: [usize; 2]| if TRANSPOSED { [input, unit] } else { [unit, input] };
        let ([weight_line, weight_step], [word_line, word_step]) = (turn(weight), turn(word));
        let [first_line, first_step] = turn([unit, input + half]);
        let mut column = 0;
        while column < rows {
            let vectors = ((rows - column) / S::LANES).min(S::TILE_VECTORS);
            for line in (0..lines).step_by(TILE_LINES) {
                // SAFETY: units, inputs and rows lie inside the buffers, as the caller has checked.
                unsafe {
                    let tile = Tile {
                        weights: weights
                            .as_ptr()
                            .add(unit * layer.stride + input + half + line * weight_line),
                        weight_line,
                        weight_step,
                        words: words.as_ptr().cast::<u32>().add(2 * half + line * word_line),
                        word_line,
                        word_step,
                        steps,
                        column,
                        from: from.as_ptr().add(first_step * layer.rows + first_row + column),
                        to: to.as_mut_ptr().add((first_line + line) * layer.rows + first_row + column),
                        rows: layer.rows,
                    };
                    match vectors {
                        1 => tile.run_lines::<S, 1>(lines - line),
                        2 => tile.run_lines::<S, 2>(lines - line),
                        3 => tile.run_lines::<S, 3>(lines - line),
                        _ => tile.run_lines::<S, 4>(lines - line),
                    }
                }
            }
            column += vectors * S::LANES;
        }
    }
}

struct Tile {
    weights: *const f32,
    weight_line: usize,
    weight_step: usize,
    words: *const u32,
    word_line: usize,
    word_step: usize,
    steps: usize,
    column: usize,
    from: *const f32,
    to: *mut f32,
    rows: usize,
}

impl Tile {
    #[inline(always)]
    unsafe fn run_lines<S: Simd, const VECTORS: usize>(&self, lines: usize) {
        // SAFETY: as the caller's.
        unsafe {
            match lines {
                1 => self.run::<S, 1, VECTORS>(),
                2 => self.run::<S, 2, VECTORS>(),
                3 => self.run::<S, 3, VECTORS>(),
                4 => self.run::<S, 4, VECTORS>(),
                5 => self.run::<S, 5, VECTORS>(),
                _ => self.run::<S, TILE_LINES, VECTORS>(),
            }
        }
    }

    #[inline(always)]
    unsafe fn run<S: Simd, const LINES: usize, const VECTORS: usize>(&self) {
        // SAFETY: `block` keeps every index inside the buffers.
        unsafe {
            let mut sums = [[S::splat(0.0); VECTORS]; LINES];
            for line in 0..LINES {
                for i in 0..VECTORS {
                    sums[line][i] = S::load(self.to.add(line * self.rows + i * S::LANES));
                }
            }
            for step in 0..self.steps {
                let mut vectors = [S::splat(0.0); VECTORS];
                for i in 0..VECTORS {
                    vectors[i] = S::load(self.from.add(step * self.rows + i * S::LANES));
                }
                for line in 0..LINES {
                    let weight =
                        S::splat(*self.weights.add(line * self.weight_line + step * self.weight_step));
                    let words = self.words.add(line * self.word_line + step * self.word_step);
                    for i in 0..VECTORS {
                        let row = self.column + i * S::LANES;
                        let kept = S::mask_from_bits(*words.add(row / 32 * (CHUNK / 2)) >> (row % 32));
                        sums[line][i] = S::fma_where(kept, weight, vectors[i], sums[line][i]);
                    }
                }
            }
            for line in 0..LINES {
                for i in 0..VECTORS {
                    S::store(self.to.add(line * self.rows + i * S::LANES), sums[line][i]);
                }
            }
        }
    }
}

for_each_isa! {
    /// Adds `scale` times the gradients of the weights of some units, from `first_unit` on, to `to`,
    /// `[units, stride]`. `gradients` is `[units of the layer, rows]`, `inputs` is `[rows, inputs_stride]`,
    /// of which the first `real_rows` count.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn gradients(
        layer: RowEdges, first_unit: usize, units: usize, real_rows: usize, gradients: &[f32], inputs: &[f32],
        inputs_stride: usize, scale: f32, to: &mut [f32],
    ) = gradients_body
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn gradients_body<S: Simd>(
    layer: RowEdges,
    first_unit: usize,
    units: usize,
    real_rows: usize,
    gradients: &[f32],
    inputs: &[f32],
    inputs_stride: usize,
    scale: f32,
    to: &mut [f32],
) {
    let width = crate::line(layer.inputs);
    assert!(first_unit + units <= layer.units && real_rows <= layer.rows, "there are fewer units or rows");
    assert!(fits(layer.units, layer.rows, layer.rows, gradients.len()), "the gradients do not fit");
    assert!(fits(real_rows, inputs_stride, width, inputs.len()), "the inputs do not fit");
    assert!(fits(units, layer.stride, width, to.len()), "the result does not fit");
    for first_row in (0..real_rows).step_by(RUN) {
        let rows = RUN.min(real_rows - first_row);
        for input in (0..width).step_by(CHUNK) {
            for unit in (0..units).step_by(GRADIENT_UNITS) {
                let count = GRADIENT_UNITS.min(units - unit);
                let mut words = [[0; UNIT_WORDS]; GRADIENT_UNITS];
                // SAFETY: units, inputs and rows lie inside the buffers, as checked.
                unsafe {
                    for number in 0..count {
                        let block = layer.block(first_unit + unit + number).wrapping_add((input / 2) as u32);
                        draw::<S>(layer.of_run(first_row), block, &mut words[number]);
                    }
                    let sum = GradientSum {
                        words: words.as_ptr().cast(),
                        rows,
                        gradients: gradients.as_ptr().add((first_unit + unit) * layer.rows + first_row),
                        gradients_stride: layer.rows,
                        inputs: inputs.as_ptr().add(first_row * inputs_stride + input),
                        inputs_stride,
                        scale,
                        to: to.as_mut_ptr().add(unit * layer.stride + input),
                        to_stride: layer.stride,
                    };
                    for at in (0..CHUNK.min(width - input)).step_by(S::LANES) {
                        if count == GRADIENT_UNITS {
                            sum.run::<S, GRADIENT_UNITS>(at);
                            continue;
                        }
                        for number in 0..count {
                            sum.of(number).run::<S, 1>(at);
                        }
                    }
                }
            }
        }
    }
}

/// The sum over a run of rows for a vector of inputs of some units.
struct GradientSum {
    words: *const u32,
    rows: usize,
    gradients: *const f32,
    gradients_stride: usize,
    inputs: *const f32,
    inputs_stride: usize,
    scale: f32,
    to: *mut f32,
    to_stride: usize,
}

impl GradientSum {
    /// The same from another unit on.
    #[inline(always)]
    unsafe fn of(&self, unit: usize) -> Self {
        // SAFETY: the caller's unit is one of those there.
        unsafe {
            Self {
                words: self.words.add(unit * UNIT_WORDS),
                gradients: self.gradients.add(unit * self.gradients_stride),
                to: self.to.add(unit * self.to_stride),
                ..*self
            }
        }
    }

    #[inline(always)]
    unsafe fn run<S: Simd, const COUNT: usize>(&self, at: usize) {
        // SAFETY: `gradients_body` keeps every index inside the buffers.
        unsafe {
            let mut sums = [S::splat(0.0); COUNT];
            for half in (0..self.rows).step_by(32) {
                let mut words = [S::splat_u32(0); COUNT];
                // 16 inputs of 32 rows stand together: first both halves of the rows, then the next inputs.
                let place = at / 16 * 32 + half / 32 * 16 + at % 16;
                for unit in 0..COUNT {
                    words[unit] = S::load_u32(self.words.add(unit * UNIT_WORDS + place));
                }
                for row in half..self.rows.min(half + 32) {
                    let bit = S::splat_u32(1 << (row % 32));
                    let input = S::load(self.inputs.add(row * self.inputs_stride + at));
                    for unit in 0..COUNT {
                        let gradient = S::splat(*self.gradients.add(unit * self.gradients_stride + row));
                        let kept = S::has_bit(words[unit], bit);
                        sums[unit] = S::fma_where(kept, gradient, input, sums[unit]);
                    }
                }
            }
            for unit in 0..COUNT {
                let to = self.to.add(unit * self.to_stride + at);
                S::store(to, S::fma(sums[unit], S::splat(self.scale), S::load(to)));
            }
        }
    }
}

for_each_isa! {
    /// `values`, `[units, rows]`, becomes `scale * (values + mask * bias)`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn add_biases(layer: RowEdges, biases: &[f32], scale: f32, values: &mut [f32]) = add_biases_body
}

#[inline(always)]
fn add_biases_body<S: Simd>(layer: RowEdges, biases: &[f32], scale: f32, values: &mut [f32]) {
    layer.check_biases(biases.len(), values.len());
    for first_row in (0..layer.rows).step_by(RUN) {
        for first_unit in (0..layer.units).step_by(CHUNK) {
            let words = layer.bias_words::<S>(first_row, first_unit);
            for unit in first_unit..layer.units.min(first_unit + CHUNK) {
                for row in (first_row..layer.rows.min(first_row + RUN)).step_by(S::LANES) {
                    let kept = kept_bits(&words, unit - first_unit, row - first_row);
                    // SAFETY: unit and row are those of the layer, and a whole vector of rows is there.
                    unsafe {
                        let at = values.as_mut_ptr().add(unit * layer.rows + row);
                        let bias = S::keep(S::mask_from_bits(kept), S::splat(biases[unit]));
                        S::store(at, S::mul(S::splat(scale), S::add(S::load(at), bias)));
                    }
                }
            }
        }
    }
}

for_each_isa! {
    /// Adds `scale` times the gradients of the biases to `to`, one for each unit. `gradients` is `[units, rows]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn bias_gradients(layer: RowEdges, gradients: &[f32], scale: f32, to: &mut [f32]) = bias_gradients_body
}

#[inline(always)]
fn bias_gradients_body<S: Simd>(layer: RowEdges, gradients: &[f32], scale: f32, to: &mut [f32]) {
    layer.check_biases(to.len(), gradients.len());
    for first_row in (0..layer.rows).step_by(RUN) {
        for first_unit in (0..layer.units).step_by(CHUNK) {
            let words = layer.bias_words::<S>(first_row, first_unit);
            for unit in first_unit..layer.units.min(first_unit + CHUNK) {
                let mut lanes = [0.0; crate::LINE];
                // SAFETY: unit and row are those of the layer, a whole vector of rows is there, and
                // `lanes` has room for a vector.
                unsafe {
                    let mut sum = S::splat(0.0);
                    for row in (first_row..layer.rows.min(first_row + RUN)).step_by(S::LANES) {
                        let kept = S::mask_from_bits(kept_bits(&words, unit - first_unit, row - first_row));
                        let gradient = S::load(gradients.as_ptr().add(unit * layer.rows + row));
                        sum = S::add(sum, S::keep(kept, gradient));
                    }
                    S::store(lanes.as_mut_ptr(), sum);
                }
                to[unit] += scale * lanes[..S::LANES].iter().sum::<f32>();
            }
        }
    }
}

/// The bits of an edge of a chunk from a row of a run on, as many as there are in the row's word.
#[inline(always)]
fn kept_bits(words: &[u32; UNIT_WORDS], edge: usize, row: usize) -> u32 {
    words[edge / 16 * 32 + row / 32 * 16 + edge % 16] >> (row % 32)
}
