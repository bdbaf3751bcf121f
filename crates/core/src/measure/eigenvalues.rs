//! The eigenvalues of a symmetric matrix, in f64.

use rayon::prelude::*;

/// Rows that are worth a thread's while.
const ROWS: usize = 64;

/// Eigenvalues that are looked for at a time, so that no division waits for the one before.
const LANES: usize = 8;

/// Halvings of an interval until it is as narrow as an f64 of its size.
const HALVINGS: usize = 60;

/// The eigenvalues of a symmetric matrix `[size, size]` in ascending order: Householder's reflections
/// make it tridiagonal, then each eigenvalue is found by bisection with Sturm's count (Golub and
/// Van Loan, Matrix Computations, chapter 8), to within 1e-15 of the largest one, times the size.
///
/// Nothing in it can fail to converge. It takes 2 size^3 operations on the threads of the pool it is
/// called from.
pub(super) fn eigenvalues(matrix: Vec<f64>, size: usize) -> Vec<f64> {
    let (diagonal, squares) = tridiagonal(matrix, size);
    let at = |index: usize| squares.get(index).map_or(0.0, |square: &f64| square.sqrt());
    // Gershgorin: every eigenvalue is within the neighbours' sum of a number on the diagonal.
    let reach = |index: usize| at(index) + index.checked_sub(1).map_or(0.0, at);
    let lowest = (0..size).map(|index| diagonal[index] - reach(index)).fold(f64::INFINITY, f64::min);
    let highest = (0..size).map(|index| diagonal[index] + reach(index)).fold(f64::NEG_INFINITY, f64::max);
    let mut eigenvalues = vec![0.0; size];
    eigenvalues.par_chunks_mut(LANES).enumerate().for_each(|(chunk, to)| {
        let (mut low, mut high) = ([lowest; LANES], [highest; LANES]);
        for _ in 0..HALVINGS {
            let middle = std::array::from_fn(|lane| 0.5 * (low[lane] + high[lane]));
            let counts = counts_below(&diagonal, &squares, middle);
            for lane in 0..LANES {
                let is_above = counts[lane] > chunk * LANES + lane;
                *(if is_above { &mut high[lane] } else { &mut low[lane] }) = middle[lane];
            }
        }
        for (lane, to) in to.iter_mut().enumerate() {
            *to = 0.5 * (low[lane] + high[lane]);
        }
    });
    eigenvalues
}

/// The diagonal of the similar tridiagonal matrix, and the squares of the numbers beside it.
///
/// A reflection changes the rest of the matrix to A - v q' - q v'. That change is left undone until the
/// next reflection passes over the rows, so that each pass reads and writes them once.
fn tridiagonal(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut diagonal, mut squares) = (Vec::with_capacity(size), Vec::with_capacity(size));
    let (mut v, mut q, mut next) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
    for step in 0..size {
        let (row, below) = matrix[step * size..].split_at_mut(size);
        change(&mut row[step..], v[step], q[step], &v[step..], &q[step..]);
        diagonal.push(row[step]);
        let from = step + 1;
        let [first, ..] = row[from..] else { break };
        let square = dot(&row[from..], &row[from..]);
        squares.push(square);
        next[from..].copy_from_slice(&row[from..]);
        next[from] += square.sqrt().copysign(first);
        let length = dot(&next[from..], &next[from..]);
        let factor = if length > 0.0 { 2.0 / length } else { 0.0 };
        let products: Vec<f64> = below
            .par_chunks_mut(size)
            .with_min_len(ROWS)
            .enumerate()
            .map(|(row, line)| {
                let row = from + row;
                change(&mut line[from..], v[row], q[row], &v[from..], &q[from..]);
                factor * dot(&line[from..], &next[from..])
            })
            .collect();
        let along = 0.5 * factor * dot(&products, &next[from..]);
        for ((q, product), next) in q[from..].iter_mut().zip(&products).zip(&next[from..]) {
            *q = product - along * next;
        }
        std::mem::swap(&mut v, &mut next);
    }
    (diagonal, squares)
}

/// line -= own_v q + own_q v
fn change(line: &mut [f64], own_v: f64, own_q: f64, v: &[f64], q: &[f64]) {
    for ((value, v), q) in line.iter_mut().zip(v).zip(q) {
        *value -= own_v * q + own_q * v;
    }
}

/// In eight sums, which the compiler can keep in vectors.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    for (one, other) in ones.zip(others) {
        for lane in 0..8 {
            sums[lane] += one[lane] * other[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// How many eigenvalues of a tridiagonal matrix T lie below each x: the negative pivots of T - x (Sturm).
fn counts_below(diagonal: &[f64], squares: &[f64], x: [f64; LANES]) -> [usize; LANES] {
    let (mut counts, mut pivots) = ([0; LANES], [1.0; LANES]);
    for (index, value) in diagonal.iter().enumerate() {
        let square = if index == 0 { 0.0 } else { squares[index - 1] };
        for lane in 0..LANES {
            let pivot = value - x[lane] - square / pivots[lane];
            counts[lane] += usize::from(pivot < 0.0);
            pivots[lane] = if pivot == 0.0 { f64::MIN_POSITIVE } else { pivot };
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: &[f64], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < tolerance, "{found}, not {expected}");
        }
    }

    #[test]
    fn small_matrices_by_hand() {
        assert!(eigenvalues(vec![], 0).is_empty());
        close(&eigenvalues(vec![-3.0], 1), &[-3.0], 1e-15);
        close(&eigenvalues(vec![2.0, 1.0, 1.0, 2.0], 2), &[1.0, 3.0], 1e-14);
        close(&eigenvalues(vec![0.0; 9], 3), &[0.0; 3], 1e-15);
        close(&eigenvalues(vec![1.0; 25], 5), &[0.0, 0.0, 0.0, 0.0, 5.0], 1e-14);
        let diagonal = vec![4.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 4.0];
        close(&eigenvalues(diagonal, 3), &[-1.0, 4.0, 4.0], 1e-14);
    }

    /// A chain of springs: 2 - 2 cos(k pi / (n + 1)).
    #[test]
    fn those_of_a_chain() {
        let size = 37;
        let value = |at: usize| match (at / size).abs_diff(at % size) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let angle = |k: usize| k as f64 * std::f64::consts::PI / (size + 1) as f64;
        let expected: Vec<f64> = (1..=size).map(|k| 2.0 - 2.0 * angle(k).cos()).collect();
        close(&eigenvalues((0..size * size).map(value).collect(), size), &expected, 1e-13);
    }

    /// Given eigenvalues, some of them equal or 0, turned by reflections that fill the whole matrix.
    #[test]
    fn those_that_a_full_matrix_was_made_of() {
        for size in [3, 8, 65, 200] {
            let mut expected: Vec<f64> = (0..size).map(|k| ((k * k) % 17) as f64 - 3.0).collect();
            let mut matrix = vec![0.0; size * size];
            (0..size).for_each(|k| matrix[k * size + k] = expected[k]);
            for turn in 1..4 {
                let v: Vec<f64> = (0..size).map(|k| ((k * 7 + turn * 3) % 11) as f64 - 4.5).collect();
                let length: f64 = v.iter().map(|v| v * v).sum();
                let times_v: Vec<f64> = (0..size)
                    .map(|row| (0..size).map(|column| matrix[row * size + column] * v[column]).sum())
                    .collect();
                let along: f64 = times_v.iter().zip(&v).map(|(a, b)| a * b).sum();
                for (at, value) in matrix.iter_mut().enumerate() {
                    let (row, column) = (at / size, at % size);
                    *value -= 2.0 / length * (v[row] * times_v[column] + times_v[row] * v[column]);
                    *value += 4.0 * along / (length * length) * v[row] * v[column];
                }
            }
            expected.sort_by(f64::total_cmp);
            close(&eigenvalues(matrix, size), &expected, 1e-11);
        }
    }
}
