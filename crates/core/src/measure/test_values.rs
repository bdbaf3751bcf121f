//! The arrays behind the numbers that the tests quote.

use crate::data::Matrix;

pub const LABELS: [u32; 6] = [0, 1, 1, 1, 2, 2];
pub const WEIGHTS: [f32; 6] = [1.0, 2.0, 0.5, 1.0, 3.0, 1.5];

#[rustfmt::skip]
pub fn probabilities() -> Matrix {
    let values = vec![
        0.7, 0.2, 0.1,   0.1, 0.8, 0.1,    0.3, 0.3, 0.4,
        0.25, 0.5, 0.25, 0.05, 0.15, 0.8,  0.6, 0.3, 0.1,
    ];
    Matrix::new(6, 3, values).unwrap()
}

pub fn targets() -> Matrix {
    Matrix::new(5, 2, vec![3.0, -0.5, -0.5, 2.0, 2.0, 0.0, 7.0, 8.0, 4.25, 1.5]).unwrap()
}

pub fn predictions() -> Matrix {
    Matrix::new(5, 2, vec![2.5, 0.0, 0.0, 2.0, 2.0, -1.0, 8.0, 8.5, 4.0, 1.0]).unwrap()
}

/// Three predictions of the first output of each row.
pub fn samples() -> Vec<Matrix> {
    let samples = [[2.5, 0.0, 2.0, 8.0, 4.0], [3.5, 0.5, 1.0, 6.0, 4.5], [2.0, -1.0, 2.5, 7.5, 3.0]];
    samples.iter().map(|sample| Matrix::new(5, 1, sample.to_vec()).unwrap()).collect()
}

/// The quantile of the standard normal distribution, by bisection.
pub fn normal_quantile(probability: f64) -> f32 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
        if below < probability { low = middle } else { high = middle }
    }
    low as f32
}

pub fn first_column(matrix: &Matrix) -> Matrix {
    let values = (0..matrix.rows()).map(|row| matrix.row(row)[0]).collect();
    Matrix::new(matrix.rows(), 1, values).unwrap()
}

#[track_caller]
pub fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{value}, not {expected}");
}
