//! Products under masks over edges, normal noise on edges, and sparse products, against f64.

mod common;

use std::cell::RefCell;
use std::collections::HashMap;

use common::{ROUNDING, Random, UNTOUCHED, assert_close, assert_same_bits, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::edge_noise::{self, Perturbed};
use thinnet_kernels::edges::{EdgeMask, keep, rate};
use thinnet_kernels::philox::{Counter, Key, words};
use thinnet_kernels::row_edges::{self, RowEdges};
use thinnet_kernels::shared_edges::{self, Columns, Rows, SharedEdges};
use thinnet_kernels::sparse::{self, Sparse};
use thinnet_kernels::{line, stride};

/// The words of a block: of each of 16 digits, from streams that are 2^16 apart.
type Digits = [[u32; 4]; 16];

fn digits(mask: EdgeMask, block: usize) -> Digits {
    std::array::from_fn(|digit| {
        let key = Key { stream: mask.key.stream + ((digit as u32) << 16), ..mask.key };
        words(key, Counter { block: block as u32, row: mask.row, step: mask.step })
    })
}

/// Unit, inputs, rows.
#[derive(Clone, Copy, Debug)]
struct Shape {
    units: usize,
    inputs: usize,
    rows: usize,
    rate: u16,
    seed: u64,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let width = || prop_oneof![3 => 1..20usize, 2 => 28..70usize, 1 => 120..150usize];
    let rates = prop_oneof![Just(32768u16), Just(13107), Just(1), Just(65535), any::<u16>()];
    (width(), width(), 1..100usize, rates, any::<u64>()).prop_map(|(units, inputs, rows, rate, seed)| Shape {
        units,
        inputs,
        rows,
        rate: rate.max(1),
        seed,
    })
}

/// Weights, activations and gradients of a layer.
struct Case {
    shape: Shape,
    mask: EdgeMask,
    weights: Vec<f32>,
    biases: Vec<f32>,
    inputs: Vec<f32>,
    input_rows: Vec<f32>,
    gradients: Vec<f32>,
    /// Those of a block and a row, drawn once.
    digits: RefCell<HashMap<(usize, u32), Digits>>,
}

impl Case {
    fn new(shape: Shape) -> Self {
        let (mut random, Shape { units, inputs, rows, .. }) = (Random(shape.seed), shape);
        let (stride, padded) = (stride(inputs), line(rows));
        let key = Key { seed: random.word() as u32, stream: 0x5000_0003 };
        let mask = EdgeMask { key, step: random.word(), row: random.word() as u32 >> 8, rate: shape.rate };
        let mut weights = vec![0.0; units * stride];
        weights.chunks_mut(stride).for_each(|line| line[..inputs].fill_with(|| random.value()));
        let (mut columns, mut input_rows) = (vec![0.0; inputs * padded], vec![0.0; padded * stride]);
        for row in 0..rows {
            for input in 0..inputs {
                let value = random.value();
                (columns[input * padded + row], input_rows[row * stride + input]) = (value, value);
            }
        }
        let mut gradients = vec![0.0; units * padded];
        gradients.chunks_mut(padded).for_each(|line| line[..rows].fill_with(|| random.value()));
        let mut biases = random.values(units);
        biases.resize(line(units), 0.0);
        let digits = RefCell::default();
        Self { shape, mask, weights, biases, inputs: columns, input_rows, gradients, digits }
    }

    fn padded(&self) -> usize {
        line(self.shape.rows)
    }

    fn row_edges(&self) -> RowEdges {
        let Shape { units, inputs, .. } = self.shape;
        RowEdges { mask: self.mask, units, inputs, stride: stride(inputs), rows: self.padded() }
    }

    fn shared(&self, scale: f32) -> SharedEdges {
        let Shape { units, inputs, .. } = self.shape;
        SharedEdges { mask: self.mask, scale, units, inputs, stride: stride(inputs) }
    }

    /// The bit of an edge: whether a number of 16 digits is at least the rate.
    fn is_kept(&self, mask: EdgeMask, block: usize, word: usize, bit: usize) -> bool {
        let mut drawn = self.digits.borrow_mut();
        let digits = drawn.entry((block, mask.row)).or_insert_with(|| digits(mask, block));
        let number = digits.iter().fold(0, |number, words| number << 1 | (words[word] >> bit & 1));
        number >= u32::from(mask.rate)
    }

    /// The documented place of an edge; the biases are those of one more unit.
    fn kept(&self, shared: bool, unit: usize, input: usize, row: usize) -> bool {
        let Shape { units, inputs, .. } = self.shape;
        if shared {
            let block = match unit < units {
                true => input / 128 * units + unit,
                false => inputs.div_ceil(128) * units + input / 128,
            };
            return self.is_kept(self.mask, block, input / 32 % 4, input % 32);
        }
        let block = unit * 16 * inputs.div_ceil(32) + input / 32 * 16 + input % 16;
        let mask = EdgeMask { row: self.mask.row + (row / 64 * 64) as u32, ..self.mask };
        self.is_kept(mask, block, input / 16 % 2 * 2 + row % 64 / 32, row % 32)
    }

    /// The sums of kept terms, and the sums of their magnitudes times what their roundings may be.
    fn sum(&self, terms: impl Iterator<Item = (bool, f32, f32)>) -> (f64, f64) {
        let mut count = 0;
        let (sum, magnitude) = terms.filter(|term| term.0).fold((0.0, 0.0), |(sum, magnitude), (_, a, b)| {
            count += 1;
            let term = f64::from(a) * f64::from(b);
            (sum + term, magnitude + term.abs())
        });
        (sum, (f64::from(count) + 3.0) * ROUNDING * magnitude)
    }
}

const SCALE: f32 = 1.25;

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn products_under_masks_of_rows(shape in shapes()) {
        let case = Case::new(shape);
        let (Shape { units, inputs, rows, .. }, padded) = (shape, case.padded());
        let (layer, width) = (case.row_edges(), stride(inputs));
        for isa in every_isa() {
            let mut to = vec![UNTOUCHED; units * padded];
            row_edges::forward(isa, layer, &case.weights, &case.inputs, &mut to);
            row_edges::add_biases(isa, layer, &case.biases, SCALE, &mut to);
            let mut back = vec![UNTOUCHED; inputs * padded];
            row_edges::backward(isa, layer, &case.weights, &case.gradients, &mut back);
            let first = units / 2;
            let mut slopes = vec![0.5; (units - first) * width];
            row_edges::gradients(
                isa, layer, first, units - first, rows, &case.gradients, &case.input_rows, width, SCALE, &mut slopes,
            );
            let mut of_biases = vec![0.5; units];
            row_edges::bias_gradients(isa, layer, &case.gradients, SCALE, &mut of_biases);
            for unit in 0..units {
                for row in (0..rows).step_by(7) {
                    let edges = (0..inputs).map(|k| {
                        (case.kept(false, unit, k, row), case.weights[unit * width + k], case.inputs[k * padded + row])
                    });
                    let bias = (case.kept(false, units, unit, row), case.biases[unit], 1.0);
                    let (sum, off) = case.sum(edges.chain([bias]));
                    let scale = f64::from(SCALE);
                    assert_close(to[unit * padded + row], scale * sum, 2.0 * off, format_args!("{isa}, {unit}, {row}"));
                }
                let terms = (0..rows).map(|row| {
                    (case.kept(false, units, unit, row), case.gradients[unit * padded + row], SCALE)
                });
                let (sum, off) = case.sum(terms);
                assert_close(of_biases[unit], 0.5 + sum, 2.0 * off + ROUNDING, format_args!("{isa}, bias {unit}"));
                for input in (0..inputs).step_by(5).filter(|_| unit >= first) {
                    let terms = (0..rows).map(|row| {
                        let kept = case.kept(false, unit, input, row);
                        (kept, case.gradients[unit * padded + row], case.inputs[input * padded + row])
                    });
                    let (sum, off) = case.sum(terms);
                    let at = (unit - first) * width + input;
                    let expected = 0.5 + f64::from(SCALE) * sum;
                    assert_close(slopes[at], expected, 2.0 * off + ROUNDING, format_args!("{isa}, weight {unit}, {input}"));
                }
            }
            for input in (0..inputs).step_by(3) {
                for row in (0..rows).step_by(11) {
                    let terms = (0..units).map(|j| {
                        (case.kept(false, j, input, row), case.weights[j * width + input], case.gradients[j * padded + row])
                    });
                    let (sum, off) = case.sum(terms);
                    assert_close(back[input * padded + row], sum, off, format_args!("{isa}, back {input}, {row}"));
                }
            }
        }
    }

    #[test]
    fn products_under_shared_masks(shape in shapes(), fresh in any::<bool>()) {
        let case = Case::new(shape);
        let (Shape { units, inputs, rows, .. }, padded) = (shape, case.padded());
        let (layer, width) = (case.shared(SCALE), stride(inputs));
        let columns = Columns { stride: padded, width: padded };
        let kept = |unit: usize, input: usize| case.kept(true, unit, input, 0);
        for isa in every_isa() {
            let mut to = vec![UNTOUCHED; units * padded];
            shared_edges::forward(isa, layer, columns, &case.weights, &case.inputs, &mut to);
            let mut back = vec![UNTOUCHED; inputs * padded];
            shared_edges::backward(isa, layer, columns, &case.weights, &case.gradients, &mut back);
            let (first, begin) = (units / 2, if fresh { UNTOUCHED } else { 0.5 });
            let mut slopes = vec![begin; (units - first) * width];
            let of = Rows { values: &case.input_rows, stride: width, count: rows };
            shared_edges::gradients(isa, layer, first, units - first, &case.gradients, padded, of, fresh, &mut slopes);
            let mut biases = vec![0.5; line(units)];
            shared_edges::add_of_biases(isa, layer, &case.biases, &mut biases);
            let (scale, before) = (f64::from(SCALE), if fresh { 0.0 } else { 0.5 });
            for unit in 0..units {
                for row in (0..rows).step_by(7) {
                    let terms = (0..inputs)
                        .map(|k| (kept(unit, k), case.weights[unit * width + k], case.inputs[k * padded + row]));
                    let (sum, off) = case.sum(terms);
                    assert_close(to[unit * padded + row], scale * sum, 2.0 * off, format_args!("{isa}, {unit}, {row}"));
                }
                let bias = if kept(units, unit) { scale * f64::from(case.biases[unit]) } else { 0.0 };
                assert_close(biases[unit], 0.5 + bias, 4.0 * ROUNDING * (0.5 + bias.abs()), format_args!("{isa}, bias {unit}"));
                for input in (0..inputs).step_by(5).filter(|_| unit >= first) {
                    let terms = (0..rows).map(|row| {
                        (kept(unit, input), case.gradients[unit * padded + row], case.inputs[input * padded + row])
                    });
                    let (sum, off) = case.sum(terms);
                    let at = (unit - first) * width + input;
                    let what = format_args!("{isa}, weight {unit}, {input}");
                    assert_close(slopes[at], before + scale * sum, 2.0 * off + ROUNDING, what);
                }
            }
            for input in (0..inputs).step_by(3) {
                for row in (0..rows).step_by(11) {
                    let terms = (0..units)
                        .map(|j| (kept(j, input), case.weights[j * width + input], case.gradients[j * padded + row]));
                    let (sum, off) = case.sum(terms);
                    assert_close(back[input * padded + row], scale * sum, 2.0 * off, format_args!("{isa}, {input}, {row}"));
                }
            }
        }
    }

    #[test]
    fn sparse_products(shape in shapes(), empty in any::<bool>()) {
        let mut case = Case::new(shape);
        let mut random = Random(shape.seed ^ 1);
        for weight in &mut case.weights {
            *weight = if empty || random.below(4) > 0 { 0.0 } else { *weight };
        }
        let (Shape { units, inputs, rows, .. }, padded) = (shape, case.padded());
        let (sparse, width) = (Sparse::of(&case.weights, stride(inputs), inputs), stride(inputs));
        prop_assert_eq!(sparse.lines(), units);
        prop_assert!(sparse.values.iter().all(|&value| value != 0.0));
        for isa in every_isa() {
            let mut to = vec![UNTOUCHED; units * padded];
            sparse::product(isa, &sparse, &case.inputs, padded, &mut to);
            for unit in 0..units {
                for row in 0..rows {
                    let terms =
                        (0..inputs).map(|k| (true, case.weights[unit * width + k], case.inputs[k * padded + row]));
                    let (sum, off) = case.sum(terms);
                    assert_close(to[unit * padded + row], sum, off, format_args!("{isa}, {unit}, {row}"));
                }
            }
        }
    }

    #[test]
    fn normal_sums(shape in shapes(), noisy_biases in any::<bool>()) {
        let case = Case::new(shape);
        let (Shape { units, rows, .. }, padded) = (shape, case.padded());
        let (key, alpha) = (case.mask.key, 0.75);
        let first_row = case.mask.row;
        let by = Perturbed { key, step: case.mask.step, first_row, units, rows: padded, alpha, noisy_biases };
        let squares: Vec<f32> = case.gradients.iter().map(|value| value * value).collect();
        for isa in every_isa() {
            let (mut values, mut slopes) = (case.gradients.clone(), squares.clone());
            edge_noise::perturb(isa, by, &case.biases, &mut values, &mut slopes);
            for unit in 0..units {
                for row in 0..rows {
                    let counter = Counter { block: unit as u32 / 4, row: first_row + row as u32, step: by.step };
                    let (drawn, pair) = (words(key, counter), unit % 4 / 2 * 2);
                    let uniform = |word: u32| (2.0 * f64::from(word >> 9) + 1.0) / 2f64.powi(24);
                    let radius = (-2.0 * uniform(drawn[pair]).ln()).sqrt();
                    let angle = std::f64::consts::TAU * uniform(drawn[pair + 1]);
                    let number = radius * if unit % 2 == 0 { angle.cos() } else { angle.sin() };
                    let (at, bias) = (unit * padded + row, f64::from(case.biases[unit]));
                    let of_bias = if noisy_biases { bias * bias } else { 0.0 };
                    let variance = f64::from(alpha) * (f64::from(squares[at]) + of_bias);
                    let deviation = variance.sqrt();
                    let expected = f64::from(case.gradients[at]) + bias + deviation * number;
                    assert_close(values[at], expected, 4e-6 * (1.0 + deviation), format_args!("{isa}, {unit}, {row}"));
                    let slope = if variance == 0.0 { 0.0 } else { 0.5 * f64::from(alpha) * number / deviation };
                    let off = if variance == 0.0 { 0.0 } else { 4e-6 / deviation };
                    assert_close(slopes[at], slope, off, format_args!("{isa}, slope {unit}, {row}"));
                }
            }
        }
    }

    #[test]
    fn weights_that_are_mostly_noise_become_0(seed in any::<u64>()) {
        let mut random = Random(seed);
        let weights = random.values(64);
        let logarithms: Vec<f32> = random.values(64).iter().map(|value| 5.0 * value - 3.0).collect();
        for isa in every_isa() {
            let mut clear = vec![UNTOUCHED; 64];
            edge_noise::copy_clear(isa, 3f32.exp(), &weights, &logarithms, &mut clear);
            for at in 0..64 {
                let (w, l) = (f64::from(weights[at]), f64::from(logarithms[at]));
                let ratio = l - (w * w).max(1e-30).ln();
                if (ratio - 3.0).abs() > 1e-4 {
                    let expected = if ratio > 3.0 { 0.0 } else { weights[at] };
                    prop_assert_eq!(clear[at], expected, "{}, w {}, l {}", isa, w, l);
                }
            }
        }
    }
}

/// Of n bits, n keep are expected to be set, with a deviation of sqrt(n keep rate).
#[test]
fn edges_are_kept_as_often_as_the_rate_says() {
    for wanted in [0.5, 0.2, 0.01, 0.9] {
        let rate = rate(wanted).unwrap();
        let mask = EdgeMask { key: Key { seed: 5, stream: 0x5000_0000 }, step: 3, row: 0, rate };
        let (units, inputs) = (100, 1000);
        let layer = SharedEdges { mask, scale: 1.0, units, inputs, stride: stride(inputs) };
        let ones = vec![1.0; units * stride(inputs)];
        let columns = Columns { stride: 16, width: 16 };
        let mut counts = Vec::new();
        for isa in every_isa() {
            let mut to = vec![0.0; units * 16];
            shared_edges::forward(isa, layer, columns, &ones, &vec![1.0; inputs * 16], &mut to);
            counts.push(to);
        }
        for to in &counts {
            assert_same_bits(to, &counts[0], "masks do not depend on the instruction set");
        }
        let kept: f64 = counts[0].iter().step_by(16).map(|&count| f64::from(count)).sum();
        let (n, keep) = ((units * inputs) as f64, f64::from(keep(rate)));
        assert!((kept - n * keep).abs() < 4.0 * (n * keep * (1.0 - keep)).sqrt(), "{wanted}: {kept}");
    }
}
