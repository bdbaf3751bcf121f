//! The libraries that are timed, behind one product of row-major matrices.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use gemmkit::{MatMut, MatRef};

/// A row-major matrix `[rows, columns]`, to be read as it is or transposed.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub data: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub transposed: bool,
}

impl<'a> View<'a> {
    /// The matrix as it is stored.
    pub fn plain(data: &'a [f32], rows: usize, columns: usize) -> View<'a> {
        View { data, rows, columns, transposed: false }
    }

    /// The transpose of the matrix that is stored as `[rows, columns]`.
    pub fn transposed(data: &'a [f32], rows: usize, columns: usize) -> View<'a> {
        View { data, rows, columns, transposed: true }
    }

    /// Rows and columns as they are read.
    fn shape(&self) -> (usize, usize) {
        if self.transposed { (self.columns, self.rows) } else { (self.rows, self.columns) }
    }

    /// From one row to the next and from one column to the next, as they are read.
    fn strides(&self) -> (isize, isize) {
        if self.transposed { (1, self.columns as isize) } else { (self.columns as isize, 1) }
    }
}

/// A library and its single-threaded product.
pub struct Library {
    pub name: &'static str,
    /// Writes `left x right` over the first argument, a row-major matrix.
    pub product: fn(&mut [f32], View, View),
}

pub const LIBRARIES: [Library; 3] = [
    Library { name: "gemmkit", product: with_gemmkit },
    Library { name: "faer", product: with_faer },
    Library { name: "gemm", product: with_gemm },
];

fn with_gemmkit(out: &mut [f32], left: View, right: View) {
    let ((m, k), (left_down, left_across)) = (left.shape(), left.strides());
    let ((_, n), (right_down, right_across)) = (right.shape(), right.strides());
    gemmkit::gemm(
        1.0,
        MatRef::new(left.data, m, k, left_down, left_across),
        MatRef::new(right.data, k, n, right_down, right_across),
        0.0,
        MatMut::from_row_major(out, m, n),
        gemmkit::Parallelism::Serial,
    );
}

fn with_faer(out: &mut [f32], left: View, right: View) {
    fn view(matrix: View<'_>) -> faer::MatRef<'_, f32> {
        let stored = faer::MatRef::from_row_major_slice(matrix.data, matrix.rows, matrix.columns);
        if matrix.transposed { stored.transpose() } else { stored }
    }
    let (rows, columns) = (left.shape().0, right.shape().1);
    let out = faer::MatMut::from_row_major_slice_mut(out, rows, columns);
    matmul(out, Accum::Replace, view(left), view(right), 1.0, Par::Seq);
}

fn with_gemm(out: &mut [f32], left: View, right: View) {
    let ((m, k), (left_down, left_across)) = (left.shape(), left.strides());
    let ((depth, n), (right_down, right_across)) = (right.shape(), right.strides());
    assert!(depth == k && out.len() == m * n && left.data.len() == m * k && right.data.len() == k * n);
    // SAFETY: the strides address the m x k, k x n and m x n elements whose number was just compared.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.data.as_ptr(),
            left_across,
            left_down,
            right.data.as_ptr(),
            right_across,
            right_down,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(matrix: View, row: usize, column: usize) -> f32 {
        let (down, across) = matrix.strides();
        matrix.data[(row as isize * down + column as isize * across) as usize]
    }

    #[test]
    fn every_library_multiplies_every_form_of_the_step() {
        let numbers = |count: usize| (0..count).map(|i| ((i * 37) % 19) as f32 - 9.0).collect::<Vec<_>>();
        let (a, b) = (numbers(6 * 7), numbers(7 * 5));
        for (left_transposed, right_transposed) in [(false, false), (false, true), (true, false)] {
            let left = if left_transposed { View::transposed(&a, 7, 6) } else { View::plain(&a, 6, 7) };
            let right = if right_transposed { View::transposed(&b, 5, 7) } else { View::plain(&b, 7, 5) };
            for library in &LIBRARIES {
                let mut out = vec![f32::NAN; 6 * 5];
                (library.product)(&mut out, left, right);
                for (index, &value) in out.iter().enumerate() {
                    let expected: f32 =
                        (0..7).map(|depth| at(left, index / 5, depth) * at(right, depth, index % 5)).sum();
                    assert_eq!(value, expected, "{} element {index}", library.name);
                }
            }
        }
    }
}
