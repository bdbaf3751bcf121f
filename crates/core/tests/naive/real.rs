//! A number, and how far an f32 computation of it may be off.
//!
//! The engine adds in f32 and in its own order, so its results cannot equal those in f64. How
//! far apart they may lie is not guessed: each operation here carries, beside the value in f64,
//! the standard deviation of what rounding every intermediate result to f32 does to it. Roundings
//! count as independent with mean 0 (Higham and Mary, "A new approach to probabilistic rounding
//! error analysis", 2019), each with a deviation of the largest that it can be: the unit
//! roundoff times the result. Errors of the operands enter to first order, and as a product.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// The unit roundoff of f32.
pub const UNIT: f64 = f32::EPSILON as f64 / 2.0;

/// Below this f32 has no numbers but 0.
const SMALLEST: f64 = 1.5e-45;

/// How many deviations a result may be off. Of a million independent normal numbers one is 5
/// deviations off; errors that share an origin are not independent, so one more.
pub const DEVIATIONS: f64 = 6.0;

/// A value, and the deviation of an f32 computation of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real {
    pub value: f64,
    pub error: f64,
}

impl Real {
    pub const ZERO: Real = Real::exact(0.0);

    /// A number that f32 holds as it is.
    pub const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A number rounded to f32, with errors that come in beside the rounding.
    pub fn rounded(value: f64, errors: &[f64]) -> Self {
        let own = [UNIT * value.abs(), SMALLEST];
        let squares: f64 = own.iter().chain(errors).map(|error| error * error).sum();
        Self { value, error: squares.sqrt() }
    }

    pub fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        // The slope of the root has no bound at 0, its rise has.
        Self::rounded(root, &[self.error.sqrt().min(self.error / (2.0 * root))])
    }

    /// The exponential; the engine's is right to 2 units in the last place.
    pub fn exp(self) -> Self {
        let value = self.value.exp();
        Self::rounded(value, &[value * self.error, 4.0 * UNIT * value])
    }

    pub fn ln(self) -> Self {
        Self::rounded(self.value.ln(), &[self.error / self.value])
    }

    pub fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    /// The sign; it may be the other one where the error reaches over 0.
    pub fn sign(self) -> Self {
        let value = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        Self { value, error: if self.is_clear_of(0.0) { 0.0 } else { 2.0 } }
    }

    /// Whether no error that is allowed reaches the point.
    pub fn is_clear_of(self, point: f64) -> bool {
        (self.value - point).abs() > DEVIATIONS * self.error || self.error == 0.0
    }

    /// How much of what is allowed an f32 result is off: at most 1 is right.
    pub fn distance(self, result: f32) -> f64 {
        let off = (f64::from(result) - self.value).abs();
        if off == 0.0 { 0.0 } else { off / (DEVIATIONS * self.error) }
    }
}

impl From<f32> for Real {
    fn from(value: f32) -> Self {
        Self::exact(f64::from(value))
    }
}

impl Add for Real {
    type Output = Real;
    fn add(self, other: Real) -> Real {
        Real::rounded(self.value + other.value, &[self.error, other.error])
    }
}

impl Neg for Real {
    type Output = Real;
    fn neg(self) -> Real {
        Real { value: -self.value, ..self }
    }
}

impl Sub for Real {
    type Output = Real;
    fn sub(self, other: Real) -> Real {
        self + -other
    }
}

impl Mul for Real {
    type Output = Real;
    fn mul(self, other: Real) -> Real {
        let errors = [self.error * other.value, self.value * other.error, self.error * other.error];
        Real::rounded(self.value * other.value, &errors)
    }
}

impl Mul<f64> for Real {
    type Output = Real;
    fn mul(self, other: f64) -> Real {
        self * Real::exact(other)
    }
}

impl Div for Real {
    type Output = Real;
    fn div(self, other: Real) -> Real {
        let value = self.value / other.value;
        Real::rounded(value, &[self.error / other.value, value * other.error / other.value])
    }
}

impl AddAssign for Real {
    fn add_assign(&mut self, other: Real) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Real {
    fn sum<I: Iterator<Item = Real>>(numbers: I) -> Real {
        numbers.fold(Real::ZERO, |total, number| total + number)
    }
}
