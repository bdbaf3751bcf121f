//! The product against a sum in f64, over every kind of shape.

mod common;

use common::{ROUNDING, Random, UNTOUCHED, assert_close, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::matmul::{Submatrix, product};
use thinnet_kernels::{Isa, LINE};

#[derive(Clone, Debug)]
struct Shape {
    lines: usize,
    steps: usize,
    blocks: usize,
    gaps: [usize; 3],
    accumulate: bool,
    transposed: bool,
    seed: u64,
}

/// Lines around the 6 of a tile, steps around one and two blocks of 64, widths around every tile.
fn shapes() -> impl Strategy<Value = Shape> {
    let steps = prop_oneof![4 => 0..20usize, 2 => 60..70usize, 1 => 120..140usize, 1 => 250..270usize];
    let gap = || prop_oneof![Just(0usize), 1..40usize];
    let gaps = [gap(), gap(), gap()];
    (0..15usize, steps, 0..8usize, gaps, any::<[bool; 2]>(), any::<u64>()).prop_map(
        |(lines, steps, blocks, gaps, [accumulate, transposed], seed)| Shape {
            lines,
            steps,
            blocks,
            gaps,
            accumulate,
            transposed,
            seed,
        },
    )
}

struct Case {
    shape: Shape,
    matrix: Vec<f32>,
    lines: Vec<u32>,
    steps: Vec<u32>,
    strides: [usize; 2],
    v: Vec<f32>,
    v_stride: usize,
    before: Vec<f32>,
    c_stride: usize,
}

impl Case {
    fn new(shape: &Shape) -> Self {
        let mut random = Random(shape.seed);
        let [gap, v_gap, c_gap] = shape.gaps;
        let (all_lines, all_steps) = (1 + random.below(20), 1 + random.below(200));
        let strides = if shape.transposed { [1, all_lines + gap] } else { [all_steps + gap, 1] };
        let width = shape.blocks * LINE;
        let (v_stride, c_stride) = (width + v_gap, width + c_gap);
        // Not one value more than is needed: a read behind the end leaves the buffer.
        let length = |count: usize, stride: usize| count.saturating_sub(1) * stride + width;
        let mut before = vec![UNTOUCHED; length(shape.lines, c_stride)];
        for line in 0..shape.lines {
            // What is not added to must not be read either.
            before[line * c_stride..][..width]
                .fill_with(|| if shape.accumulate { random.value() } else { f32::NAN });
        }
        Self {
            matrix: random.values((all_lines - 1) * strides[0] + (all_steps - 1) * strides[1] + 1),
            lines: random.list(shape.lines, all_lines),
            steps: random.list(shape.steps, all_steps),
            v: random.values(length(shape.steps, v_stride)),
            shape: shape.clone(),
            strides,
            v_stride,
            before,
            c_stride,
        }
    }

    fn run(&self, isa: Isa) -> Vec<f32> {
        let [line_stride, step_stride] = self.strides;
        let whole = Submatrix {
            values: &self.matrix,
            lines: &self.lines,
            line_stride,
            steps: &self.steps,
            step_stride,
        };
        let mut c = self.before.clone();
        let width = self.shape.blocks * LINE;
        product(isa, whole, &self.v, self.v_stride, width, &mut c, self.c_stride, self.shape.accumulate);
        c
    }

    /// The value of C at a line and a column, and the sum of the magnitudes of what it is made of.
    fn expected(&self, line: usize, column: usize) -> (f64, f64) {
        let before = f64::from(self.before[line * self.c_stride + column]);
        let start = if self.shape.accumulate { (before, before.abs()) } else { (0.0, 0.0) };
        self.steps.iter().enumerate().fold(start, |(sum, magnitude), (k, &step)| {
            let at = self.lines[line] as usize * self.strides[0] + step as usize * self.strides[1];
            let term = f64::from(self.matrix[at]) * f64::from(self.v[k * self.v_stride + column]);
            (sum + term, magnitude + term.abs())
        })
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn is_the_sum_over_the_steps(shape in shapes()) {
        let case = Case::new(&shape);
        let results: Vec<_> = every_isa().into_iter().map(|isa| (isa, case.run(isa))).collect();
        let (_, twin) = &results[0];
        for at in 0..case.before.len() {
            let (line, column) = (at / case.c_stride, at % case.c_stride);
            if column >= shape.blocks * LINE || line >= shape.lines {
                for (isa, c) in &results {
                    prop_assert_eq!(c[at].to_bits(), case.before[at].to_bits(), "{} wrote at {}", isa, at);
                }
                continue;
            }
            let (expected, magnitude) = case.expected(line, column);
            // A term is rounded once, and again with each sum it is part of; so are the twin's.
            let tolerance = 2.0 * (shape.steps + 4) as f64 * ROUNDING * magnitude;
            for (isa, c) in &results {
                assert_close(c[at], expected, tolerance, format!("{isa}, line {line}, column {column}"));
                assert_close(c[at], f64::from(twin[at]), tolerance, format!("{isa} and its twin at {at}"));
            }
        }
    }
}

#[test]
fn transposed_exchanges_lines_and_steps() {
    let values: Vec<f32> = (0..12u8).map(f32::from).collect();
    let matrix =
        Submatrix { values: &values, lines: &[0, 2], line_stride: 4, steps: &[1, 3], step_stride: 1 };
    // S = [[1, 3], [9, 11]], so S transposed times the vectors (1, ...) and (10, ...) is 1 + 90 and 3 + 110.
    let mut v = [1.0; 2 * LINE];
    v[LINE..].fill(10.0);
    for isa in every_isa() {
        let mut c = [0.0; 2 * LINE];
        product(isa, matrix.transposed(), &v, LINE, LINE, &mut c, LINE, false);
        assert_eq!([c[0], c[LINE - 1], c[LINE], c[2 * LINE - 1]], [91.0, 91.0, 113.0, 113.0], "{isa}");
    }
}
