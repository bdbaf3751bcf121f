//! The activations and their derivatives, from the papers' formulas, in f64.

use thinnet::network::Activation;

use super::real::{Real, UNIT};

pub const ACTIVATIONS: [Activation; 9] = [
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Logistic,
    Activation::Tanh,
    Activation::Selu,
    Activation::Gelu,
    Activation::Silu,
    Activation::Mish,
    Activation::Identity,
];

/// Klambauer et al. 2017, section 2: lambda and alpha.
const SELU: (f64, f64) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

fn normal_distribution(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

fn softplus(z: f64) -> f64 {
    z.exp().ln_1p()
}

/// f(z)
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Relu => z.max(0.0),
        Activation::LeakyRelu => z.max(0.01 * z),
        Activation::Logistic => logistic(z),
        Activation::Tanh => z.tanh(),
        Activation::Selu if z > 0.0 => SELU.0 * z,
        Activation::Selu => SELU.0 * SELU.1 * z.exp_m1(),
        Activation::Gelu => z * normal_distribution(z),
        Activation::Silu => z * logistic(z),
        Activation::Mish => z * softplus(z).tanh(),
        Activation::Identity => z,
    }
}

/// f'(z)
fn slope(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Relu => f64::from(u8::from(z > 0.0)),
        Activation::LeakyRelu => {
            if z > 0.0 {
                1.0
            } else {
                0.01
            }
        }
        Activation::Logistic => logistic(z) * logistic(-z),
        Activation::Tanh => 1.0 / z.cosh().powi(2),
        Activation::Selu if z > 0.0 => SELU.0,
        Activation::Selu => SELU.0 * SELU.1 * z.exp(),
        Activation::Gelu => normal_distribution(z) + z * normal_density(z),
        Activation::Silu => logistic(z) * (1.0 + z * logistic(-z)),
        Activation::Mish => softplus(z).tanh() + z * logistic(z) / softplus(z).cosh().powi(2),
        Activation::Identity => 1.0,
    }
}

/// The kernels' own errors of f(z) and f'(z), from the accuracy that they state (exp: 2 units in
/// the last place, 4 u; error function: 1.5e-7) and one rounding for each operation that follows.
fn kernel_errors(activation: Activation, z: f64) -> (f64, f64) {
    let y = value(activation, z).abs();
    let (of_value, of_slope) = match activation {
        Activation::Relu | Activation::Identity => (0.0, 0.0),
        Activation::LeakyRelu => (2.0 * y, 0.02),
        // y has 4 u from the exponential and 2 of its own; 1 - y makes them absolute.
        Activation::Logistic => (6.0 * y, 14.0 * y),
        // Near 0 a polynomial; beyond, 1 - 2 / (exp 2z + 1), where y > 0.55.
        Activation::Tanh => (8.0 * y, 18.0 * y * y + 2.0),
        // exp z - 1 has the error of exp z, up to 5 u, times 1.76.
        Activation::Selu => {
            if z > 0.0 {
                (2.0 * y, 1.0)
            } else {
                (10.0 + y, 10.0)
            }
        }
        Activation::Gelu => {
            let of_distribution = 1.5e-7 / UNIT + 8.0;
            (
                z.abs() * of_distribution,
                of_distribution + 8.0 * (z.abs() + z * z * z.abs()) * normal_density(z),
            )
        }
        Activation::Silu => (7.0 * y, 8.0 * logistic(z) * (3.0 + 2.0 * z.abs())),
        // e^z (e^z + 2) has 11 u, its ratio to itself + 2 then 13.
        Activation::Mish => (14.0 * y, 14.0 + 32.0 * z.abs() * logistic(z)),
    };
    (of_value * UNIT, of_slope * UNIT)
}

/// f(z)
pub fn activate(activation: Activation, z: Real) -> Real {
    let (kernel, _) = kernel_errors(activation, z.value);
    // A step of z to the other side of 0 changes f by less than the steeper slope says.
    let steepest = slope(activation, z.value).abs().max(slope(activation, z.value + z.error).abs());
    Real::rounded(value(activation, z.value), &[steepest * z.error, kernel])
}

/// f'(z)
pub fn derivative(activation: Activation, z: Real) -> Real {
    let (_, kernel) = kernel_errors(activation, z.value);
    let at_zero = match activation {
        Activation::Relu | Activation::LeakyRelu => 1.0,
        Activation::Selu => SELU.0 * (SELU.1 - 1.0),
        _ => 0.0,
    };
    let jump = if z.is_clear_of(0.0) { 0.0 } else { at_zero };
    // No second derivative is beyond 0.8 but that of selu, whose first is at most 1.76.
    let curvature = match activation {
        Activation::Relu | Activation::LeakyRelu | Activation::Identity => 0.0,
        Activation::Selu => 1.76,
        _ => 0.8,
    };
    Real::rounded(slope(activation, z.value), &[curvature * z.error, kernel, jump])
}
