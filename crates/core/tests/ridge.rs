//! Linear regression with dropout of its inputs is ridge regression (Srivastava et al. 2014, section
//! 9.1): the engine, trained long enough, must find the weights that ridge has in closed form.
//!
//! How close it must come is computed, not chosen. For a quadratic loss with Hessian H, descent
//! with learning rates a_t moves the distance from the minimum by I - a_t H at each step, and
//! adds noise of covariance a_t² C, where C is that of the gradient at the minimum over all
//! masks. Both sums are done here, C by enumerating the masks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Random, isa};
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Network, NetworkSpec};
use thinnet::thin::{Rates, Share, ThinSpec};
use thinnet::train::{Momentum, Objective, Optimizer, Stepper, TrainSpec};

const COLUMNS: usize = 5;
/// The columns, and a column of ones for the bias.
const SIZE: usize = COLUMNS + 1;
const ROWS: usize = 60;
/// How often each row stands in a mini-batch, each time with another mask.
const COPIES: usize = 8;
const SLICE: usize = 24;
const STEPS: usize = 6000;
const RATE: f32 = 0.3;

type Vector = [f64; SIZE];
type Square = [[f64; SIZE]; SIZE];

fn zeros() -> Square {
    [[0.0; SIZE]; SIZE]
}

/// Gauss's elimination with the largest pivot.
fn solve(mut a: Square, mut b: Vector) -> Vector {
    for column in 0..SIZE {
        let pivot =
            (column..SIZE).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs())).unwrap();
        a.swap(column, pivot);
        b.swap(column, pivot);
        for row in (0..SIZE).filter(|&row| row != column) {
            let factor = a[row][column] / a[column][column];
            let above = a[column];
            a[row].iter_mut().zip(above).for_each(|(value, above)| *value -= factor * above);
            b[row] -= factor * b[column];
        }
    }
    std::array::from_fn(|i| b[i] / a[i][i])
}

/// The rows, with columns that are correlated and of unlike size.
struct Rows {
    inputs: Vec<Vector>,
    targets: Vec<f64>,
}

impl Rows {
    fn new(random: &mut Random) -> (Self, Examples) {
        let mut values = Vec::new();
        let mut targets = Vec::new();
        for _ in 0..ROWS {
            let common = random.normal();
            let row: Vec<f32> =
                (0..COLUMNS).map(|j| (0.4 + 0.2 * j as f32) * (random.normal() + 0.7 * common)).collect();
            targets.push(2.0 * row[0] - row[1] + 0.5 * row[3] + 1.0 + 0.3 * random.normal());
            values.extend(row);
        }
        let inputs = values
            .chunks(COLUMNS)
            .map(|row| std::array::from_fn(|j| if j < COLUMNS { f64::from(row[j]) } else { 1.0 }));
        let rows =
            Self { inputs: inputs.collect(), targets: targets.iter().map(|&t| f64::from(t)).collect() };
        let matrix = Matrix::new(ROWS, COLUMNS, values).unwrap();
        let targets = Targets::Values(Matrix::new(ROWS, 1, targets).unwrap());
        (rows, Examples::new(matrix, targets, None).unwrap())
    }

    /// X'X / rows, and X'y / rows.
    fn moments(&self) -> (Square, Vector) {
        let (mut squares, mut products) = (zeros(), [0.0; SIZE]);
        for (x, y) in self.inputs.iter().zip(&self.targets) {
            for i in 0..SIZE {
                products[i] += x[i] * y / ROWS as f64;
                (0..SIZE).for_each(|j| squares[i][j] += x[i] * x[j] / ROWS as f64);
            }
        }
        (squares, products)
    }

    /// The minimum of ‖y - X w‖² + penalty * sum over columns of ‖x_j‖² w_j², and half its Hessian.
    fn ridge(&self, penalty: f64) -> (Vector, Square) {
        let (mut squares, products) = self.moments();
        (0..COLUMNS).for_each(|j| squares[j][j] *= 1.0 + penalty);
        (solve(squares, products), squares)
    }

    /// The covariance over all masks of the gradient of a mini-batch, at the weights `w`.
    fn noise(&self, w: &Vector, rate: f64, share: Share) -> Square {
        let (batch, keep) = (ROWS * COPIES, 1.0 - rate);
        let rows_of_a_mask = if share == Share::Row { 1 } else { SLICE };
        let mut covariance = zeros();
        for first in (0..batch).step_by(rows_of_a_mask) {
            let (mut mean, mut square) = ([0.0; SIZE], zeros());
            for mask in 0..1usize << COLUMNS {
                let kept = mask.count_ones() as i32;
                let probability = keep.powi(kept) * rate.powi(COLUMNS as i32 - kept);
                let scale = |j: usize| {
                    if j == COLUMNS {
                        1.0
                    } else if mask >> j & 1 == 1 {
                        1.0 / keep
                    } else {
                        0.0
                    }
                };
                let mut gradient = [0.0; SIZE];
                for row in first..(first + rows_of_a_mask).min(batch) {
                    let x: Vector = std::array::from_fn(|j| scale(j) * self.inputs[row % ROWS][j]);
                    let error = x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() - self.targets[row % ROWS];
                    (0..SIZE).for_each(|j| gradient[j] += 2.0 * error * x[j] / batch as f64);
                }
                for i in 0..SIZE {
                    mean[i] += probability * gradient[i];
                    (0..SIZE).for_each(|j| square[i][j] += probability * gradient[i] * gradient[j]);
                }
            }
            for i in 0..SIZE {
                (0..SIZE).for_each(|j| covariance[i][j] += square[i][j] - mean[i] * mean[j]);
            }
        }
        covariance
    }
}

fn learning_rate(step: usize) -> f64 {
    f64::from(RATE) / (1.0 + step as f64 / 30.0)
}

/// How far from the minimum the steps end: what is left of the distance at the start, and the
/// standard deviation, for each parameter.
fn expected(minimum: &Vector, half_hessian: &Square, noise: &Square) -> (Vector, Vector) {
    let (mut distance, mut covariance) = (minimum.map(|w| -w), zeros());
    for step in 0..STEPS {
        let a = learning_rate(step);
        let shrink: Square = std::array::from_fn(|i| {
            std::array::from_fn(|j| f64::from(u8::from(i == j)) - 2.0 * a * half_hessian[i][j])
        });
        distance = std::array::from_fn(|i| (0..SIZE).map(|j| shrink[i][j] * distance[j]).sum());
        let left: Square = std::array::from_fn(|i| {
            std::array::from_fn(|j| (0..SIZE).map(|k| shrink[i][k] * covariance[k][j]).sum())
        });
        covariance = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                (0..SIZE).map(|k| left[i][k] * shrink[j][k]).sum::<f64>() + a * a * noise[i][j]
            })
        });
    }
    (distance, std::array::from_fn(|i| covariance[i][i].sqrt()))
}

fn trained(examples: &Examples, rate: f32, share: Share) -> Vector {
    let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
    let network = Network::zeros(COLUMNS, 1, &spec).unwrap();
    let thin = ThinSpec { input: rate, hidden: Rates::All(0.0), share, ..ThinSpec::default() };
    let train = TrainSpec {
        optimizer: Optimizer::Sgd,
        momentum: Momentum::Constant(0.0),
        slice: SLICE,
        ..TrainSpec::default()
    };
    let objective = Objective::new(&train, &examples.targets).unwrap();
    let mut stepper = Stepper::new(isa(), network, &thin, &train, objective, ROWS * COPIES, 17).unwrap();
    let rows: Vec<usize> = (0..ROWS * COPIES).map(|row| row % ROWS).collect();
    for step in 0..STEPS {
        stepper.step(examples, None, &rows, &[learning_rate(step)]).unwrap();
    }
    let network = stepper.network();
    std::array::from_fn(|j| {
        f64::from(if j < COLUMNS { network.unit_weights(0, 0)[j] } else { network.biases(0)[0] })
    })
}

#[test]
fn linear_regression_with_input_dropout_becomes_ridge() {
    let (rows, examples) = Rows::new(&mut Random(13));
    let (plain, _) = rows.ridge(0.0);
    for (rate, share) in [(0.25, Share::Row), (0.5, Share::Row), (0.25, Share::Slice), (0.5, Share::Slice)] {
        let penalty = rate / (1.0 - rate);
        let (ridge, half_hessian) = rows.ridge(penalty);
        let noise = rows.noise(&ridge, rate, share);
        let (left, deviation) = expected(&ridge, &half_hessian, &noise);
        let found = trained(&examples, rate as f32, share);
        for j in 0..SIZE {
            // The noise is larger away from the minimum, where the first steps are; f32 adds some millionths.
            let allowed = 4.0 * deviation[j] + left[j].abs() + 1e-5;
            let off = (found[j] - ridge[j]).abs();
            assert!(
                off < allowed,
                "rate {rate}, {share:?}, weight {j}: {}, not {}; allowed {allowed}",
                found[j],
                ridge[j]
            );
        }
        // The tolerance tells ridge from no penalty, and from a penalty that is 1.1 times as large.
        for other in [plain, rows.ridge(1.1 * penalty).0] {
            let apart = (0..SIZE).any(|j| (other[j] - ridge[j]).abs() > 8.0 * deviation[j]);
            assert!(apart, "rate {rate}, {share:?}: the noise hides the penalty");
        }
    }
}
