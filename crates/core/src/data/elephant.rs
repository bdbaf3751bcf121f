//! Von Neumann's elephant: an outline of four complex numbers, and a fifth that moves its trunk.
//!
//! "With four parameters I can fit an elephant, and with five I can make him wiggle his trunk", said
//! von Neumann, as Fermi told Dyson. Mayer, Khairy and Howard (*American Journal of Physics* 78, 648,
//! 2010) found the numbers.

use std::f64::consts::TAU;

use thinnet_kernels::philox::{self, Counter, Key};

use super::Matrix;
use crate::error::{Error, Result};
use crate::streams;

/// An elephant, by its five complex numbers. The default is the paper's:
/// 50 - 30i, 18 + 8i, 12 - 10i, -14 - 60i and 40 + 20i.
///
/// The first four are the eight coefficients of two Fourier series,
///
/// ```text
/// x(t) = Re p1 sin t + Re p2 sin 2t + Re p3 cos 3t + Re p4 cos 5t
/// y(t) = Im p4 cos t + Im p1 sin t  + Im p2 sin 2t + Im p3 sin 3t
/// ```
///
/// and the elephant stands on its feet where y is drawn to the right and -x upwards. Points are pairs
/// of these two, right and up.
///
/// ```
/// use thinnet::data::Elephant;
/// let elephant = Elephant::default();
/// assert_eq!(elephant.outline(0.0), [-60.0, 2.0]); // the tail
/// assert_eq!(elephant.eye(), [20.0, 20.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elephant {
    /// The numbers, each its real and its imaginary part.
    pub parameters: [[f64; 2]; 5],
}

impl Default for Elephant {
    fn default() -> Self {
        Self { parameters: [[50.0, -30.0], [18.0, 8.0], [12.0, -10.0], [-14.0, -60.0], [40.0, 20.0]] }
    }
}

/// Points of an outline that were measured with noise.
#[derive(Clone, Debug, PartialEq)]
pub struct ElephantSamples {
    /// Where on the outline each point lies: the angle t, from 0 to below 2 pi.
    pub angles: Vec<f64>,
    /// The points, right and up.
    pub points: Vec<[f64; 2]>,
}

impl Elephant {
    /// The point of the outline at an angle t.
    pub fn outline(&self, angle: f64) -> [f64; 2] {
        let [one, two, three, four, _] = self.parameters;
        let (sine, cosine) = (|k: f64| libm::sin(k * angle), |k: f64| libm::cos(k * angle));
        let x = one[0] * sine(1.0) + two[0] * sine(2.0) + three[0] * cosine(3.0) + four[0] * cosine(5.0);
        let y = four[1] * cosine(1.0) + one[1] * sine(1.0) + two[1] * sine(2.0) + three[1] * sine(3.0);
        [y, -x]
    }

    /// Where its eye is: as far right as up, by the imaginary part of the fifth number.
    pub fn eye(&self) -> [f64; 2] {
        [self.parameters[4][1]; 2]
    }

    /// Where a point of the outline is while the trunk swings, at a phase of its swing.
    ///
    /// The trunk is what lies to the right of the real part of the fifth number. It bends there as a beam
    /// does that is held at this line: by the square of the distance from it, `tip` being how far right
    /// the trunk goes and the imaginary part of the fifth number how far its tip swings up and down. The
    /// paper has the two numbers and no formula; this one is ours.
    pub fn swung(&self, [right, up]: [f64; 2], tip: f64, phase: f64) -> [f64; 2] {
        let [begins, swing] = self.parameters[4];
        let along = ((right - begins) / (tip - begins)).max(0.0);
        [right, up + swing * along * along * libm::sin(phase)]
    }

    /// So many points at equal steps of the angle, each moved right and up by normal noise of this
    /// standard deviation, which the seed decides.
    ///
    /// # Errors
    /// [`Error::Argument`] if the noise is negative or not finite.
    pub fn samples(&self, count: u32, noise: f64, seed: u32) -> Result<ElephantSamples> {
        if !(noise >= 0.0 && noise.is_finite()) {
            return Err(Error::argument("noise", format!("must be 0 or more, not {noise}")));
        }
        let key = Key { seed, stream: streams::ELEPHANT };
        let angles: Vec<f64> = (0..count).map(|row| TAU * f64::from(row) / f64::from(count)).collect();
        let noisy = |(row, &angle): (u32, &f64)| {
            let [a, b] = streams::uniform_pair(philox::words(key, Counter { block: 0, row, step: 0 }));
            let ([right, up], [one, other]) = (self.outline(angle), streams::normal_pair(a, b, noise));
            [right + one, up + other]
        };
        let points = (0..count).zip(&angles).map(noisy).collect();
        Ok(ElephantSamples { angles, points })
    }
}

/// Angles as a network can take them, each by cosine and sine of itself, of twice itself and so on up to a
/// multiple: `[angles, 2 multiples]`. Angles a whole turn apart are the same.
///
/// ```
/// let matrix = thinnet::data::harmonics(&[0.0, std::f64::consts::PI], 2);
/// assert_eq!(matrix.row(0), [1.0, 0.0, 1.0, 0.0]);
/// assert!((matrix.row(1)[0] + 1.0).abs() < 1e-6 && (matrix.row(1)[2] - 1.0).abs() < 1e-6);
/// ```
pub fn harmonics(angles: &[f64], multiples: u32) -> Matrix {
    let mut matrix = Matrix::zeros(angles.len(), 2 * multiples as usize);
    let turns = angles.iter().flat_map(|&angle| (1..=multiples).map(move |k| f64::from(k) * angle));
    for (pair, turn) in matrix.values_mut().chunks_exact_mut(2).zip(turns) {
        pair.copy_from_slice(&[libm::cos(turn) as f32, libm::sin(turn) as f32]);
    }
    matrix
}
