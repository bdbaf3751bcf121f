//! Wrong lengths are refused before anything is read or written.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::every_isa;
use thinnet_kernels::divergence::{By, of_weights};
use thinnet_kernels::edge_noise::copy_clear;
use thinnet_kernels::elementwise::{Activation, RowMask, Units, activate, differentiate};
use thinnet_kernels::gather::{compress, expand, transpose};
use thinnet_kernels::matmul::{Submatrix, product};
use thinnet_kernels::philox::Key;
use thinnet_kernels::reduce::{sum, sum_of_squares};
use thinnet_kernels::update::{Adam, Descent, Penalty, adapt, descend};
use thinnet_kernels::{Isa, LINE, lines};

/// Says no unless the call panics with this message, on every instruction set.
#[track_caller]
fn assert_refused(message: &str, call: impl Fn(Isa)) {
    for isa in every_isa() {
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| call(isa))) else {
            panic!("{isa} did not refuse: {message}");
        };
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        assert!(said.contains(message), "{isa} said {said:?}, not {message:?}");
    }
}

#[test]
fn product_refuses_what_does_not_fit() {
    // 3 lines and 4 steps of a matrix [5, 7], the largest index the last; vectors 2 further apart.
    const STRIDE: usize = LINE + 2;
    let call = |matrix: usize, v: usize, width: usize, c: usize, strides: [usize; 4]| {
        move |isa| {
            let [line_stride, step_stride, v_stride, c_stride] = strides;
            let values = vec![1.0; matrix];
            let s = Submatrix {
                values: &values,
                lines: &[4, 0, 2],
                line_stride,
                steps: &[6, 1, 3, 0],
                step_stride,
            };
            product(isa, s, &vec![1.0; v], v_stride, width, &mut vec![1.0; c], c_stride, true);
        }
    };
    let (strides, v, c) = ([7, 1, STRIDE, STRIDE], 3 * STRIDE + LINE, 2 * STRIDE + LINE);
    every_isa().into_iter().for_each(call(35, v, LINE, c, strides));
    assert_refused("index outside the matrix", call(34, v, LINE, c, strides));
    assert_refused("index outside the matrix", call(0, v, LINE, c, strides));
    assert_refused("too few vectors", call(35, v - 1, LINE, c, strides));
    assert_refused("the result does not fit", call(35, v, LINE, c - 1, strides));
    assert_refused("width 15 is not a multiple of 16", call(35, v, LINE - 1, c, strides));
    // Strides whose products wrap around to small numbers.
    let wrapping = usize::MAX / 2 + 1;
    assert_refused("index outside the matrix", call(35, v, LINE, c, [wrapping, 1, STRIDE, STRIDE]));
    assert_refused("index outside the matrix", call(35, v, LINE, c, [7, wrapping, STRIDE, STRIDE]));
    assert_refused("too few vectors", call(35, v, LINE, c, [7, 1, usize::MAX / 3 + 1, STRIDE]));
    assert_refused("the result does not fit", call(35, v, LINE, c, [7, 1, STRIDE, wrapping]));
}

#[test]
fn product_without_steps_refuses_what_does_not_fit() {
    assert_refused("the result does not fit", |isa| {
        let s = Submatrix { values: &[], lines: &[0, 1], line_stride: 1, steps: &[], step_stride: 1 };
        product(isa, s, &[], LINE, LINE, &mut [0.0; 2 * LINE - 1], LINE, false);
    });
}

#[test]
fn activate_and_differentiate_refuse_what_does_not_fit() {
    let message = "the buffer is shorter than its units";
    let mask = RowMask { key: Key { seed: 0, stream: 0 }, step: 0, first_row: 0, threshold: 0 };
    for mask in [None, Some(mask)] {
        let layer = |rows| Units { units: &[0, 1, 2], rows, mask, scale: 1.0, activation: Activation::Tanh };
        let forward = |rows, biases: usize, values: usize, pre: usize| {
            move |isa| {
                activate(isa, layer(rows), &vec![0.; biases], &mut vec![0.; values], &mut vec![0.; pre])
            }
        };
        let backward = |rows, pre: usize, gradients: usize| {
            move |isa| differentiate(isa, layer(rows), &vec![0.; pre], &mut vec![0.; gradients])
        };
        every_isa().into_iter().for_each(forward(LINE, 3, 3 * LINE, 3 * LINE));
        every_isa().into_iter().for_each(backward(LINE, 3 * LINE, 3 * LINE));
        assert_refused(message, forward(LINE, 3, 3 * LINE - 1, 0));
        assert_refused(message, forward(LINE, 3, 3 * LINE, 1));
        assert_refused(message, forward(LINE, 3, 3 * LINE, 3 * LINE - 1));
        assert_refused("index out of bounds", forward(LINE, 2, 3 * LINE, 0));
        assert_refused(message, backward(LINE, 3 * LINE - 1, 3 * LINE));
        assert_refused(message, backward(LINE, 3 * LINE, 3 * LINE - 1));
        assert_refused("15 rows are not a multiple of 16", forward(LINE - 1, 3, 3 * LINE, 0));
        assert_refused("17 rows are not a multiple of 16", backward(LINE + 1, 6 * LINE, 6 * LINE));
        // Three times this is 16 more than a usize holds.
        let wrapping = usize::MAX / 3 / LINE * LINE + LINE;
        assert_refused(message, forward(wrapping, 3, 3 * LINE, 0));
        assert_refused(message, backward(wrapping, 3 * LINE, 3 * LINE));
    }
}

#[test]
fn gather_refuses_what_does_not_fit() {
    const STRIDE: usize = 2 * LINE + 3;
    let call = |lines: usize, values: usize, from: usize, stride: usize, to: usize, to_stride: usize| {
        move |isa| transpose(isa, &vec![0.; from], lines, values, stride, &mut vec![0.; to], to_stride)
    };
    let [from, to] = [15 * STRIDE + 2 * LINE, 31 * STRIDE + LINE];
    every_isa().into_iter().for_each(call(LINE, 2 * LINE, from, STRIDE, to, STRIDE));
    assert_refused("too few lines", call(LINE, 2 * LINE, from - 1, STRIDE, to, STRIDE));
    assert_refused("the transpose does not fit", call(LINE, 2 * LINE, from, STRIDE, to - 1, STRIDE));
    assert_refused("15 x 32 is not in whole blocks", call(LINE - 1, 2 * LINE, from, STRIDE, to, STRIDE));
    assert_refused("16 x 31 is not in whole blocks", call(LINE, 2 * LINE - 1, from, STRIDE, to, STRIDE));
    assert_refused("too few lines", call(LINE, 2 * LINE, from, usize::MAX / 15 + 1, to, STRIDE));
    assert_refused("the transpose does not fit", call(LINE, 2 * LINE, from, STRIDE, to, usize::MAX / 31 + 1));

    // The last block has no bit set, and is moved whole all the same.
    let bits = [u16::MAX, 0b101, 0];
    let both = |message: &str, compact: usize, whole: usize| {
        assert_refused(message, |isa| compress(isa, &bits, &vec![0.; whole], &mut vec![0.; compact]));
        assert_refused(message, |isa| expand(isa, &bits, &vec![0.; compact], &mut vec![0.; whole], true));
    };
    both("the compact line is too short", 18 + LINE - 1, 3 * LINE);
    both("the whole line is too short", 18 + LINE, 3 * LINE - 1);
}

#[test]
fn updates_refuse_lines_of_other_lengths() {
    let adam = Adam { rate: 0.1, beta1: 0.9, beta2: 0.9, root_correction: 1.0, epsilon: 1e-8, decay: 0.0 };
    let both = |message: &str, lengths: [usize; 4]| {
        let [g, w, m, v] = lengths.map(|length| vec![0.0; length]);
        assert_refused(message, |isa| {
            adapt(isa, &[adam], Penalty::default(), &g, &mut w.clone(), &mut m.clone(), &mut v.clone());
        });
        assert_refused(message, |isa| {
            let by = Descent { rate: 0.1, momentum: 0.9, nesterov: false };
            // Of the three last lines one is shorter: it takes one of these places.
            descend(
                isa,
                &[by],
                Penalty::default(),
                &g,
                &mut w.clone(),
                &mut if m.len() < v.len() { m.clone() } else { v.clone() },
            );
        });
    };
    for short in 0..4 {
        let mut lengths = [2 * LINE; 4];
        lengths[short] = LINE;
        both("the lines differ in length", lengths);
    }
    both("17 values are not in whole vectors", [LINE + 1; 4]);
}

#[test]
fn one_line_that_is_not_whole_is_refused() {
    let (message, line) = ("15 values are not in whole vectors", [1.0; LINE - 1]);
    assert_refused(message, |isa| _ = sum(isa, &line));
    assert_refused(message, |isa| _ = sum_of_squares(isa, &line));
    assert_refused(message, |isa| lines::scale(isa, &mut line.clone(), 2.0));
}

#[test]
fn lines_beside_others_that_do_not_fit_are_refused() {
    let each = |message: &str, length: usize, other: usize| {
        let (line, other) = (vec![1.0; length], vec![1.0; other]);
        let to = || line.clone();
        assert_refused(message, |isa| lines::square(isa, &other, &mut to()));
        assert_refused(message, |isa| lines::multiply(isa, &other, &mut to()));
        assert_refused(message, |isa| lines::exponentials(isa, &other, &mut to()));
        assert_refused(message, |isa| lines::multiply_by_exponential(isa, &other, &mut to()));
        for [a, b] in [[&line, &other], [&other, &line]] {
            assert_refused(message, |isa| lines::add_through_square(isa, a, b, &mut to()));
            assert_refused(message, |isa| copy_clear(isa, 1.0, a, b, &mut to()));
            assert_refused(message, |isa| of_weights(isa, By::Weight, 1.0, a, b, &mut to()));
        }
    };
    each("the lines differ in length", LINE, 2 * LINE);
    each("15 values are not in whole vectors", LINE - 1, LINE - 1);
}
