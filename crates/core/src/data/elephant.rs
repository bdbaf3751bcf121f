//! Von Neumann's elephant: an outline of four complex numbers, and a fifth that moves its trunk.
//!
//! "With four parameters I can fit an elephant, and with five I can make him wiggle his trunk", said
//! von Neumann, as Fermi told Dyson. Mayer, Khairy and Howard (*American Journal of Physics* 78, 648,
//! 2010) found the numbers.

use std::f64::consts::TAU;

use thinnet_kernels::philox::{self, Counter, Key};

use super::Matrix;
use crate::error::{Error, Result};
use crate::random;
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
/// assert_eq!(elephant.outline(0.0), [-60.0, 2.0]); // behind
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
        let along = if right > begins { (right - begins) / (tip - begins) } else { 0.0 };
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
            let [a, b] = random::uniform_pair(philox::words(key, Counter { block: 0, row, step: 0 }));
            let ([right, up], [one, other]) = (self.outline(angle), random::normal_pair(a, b, noise));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    fn near([right, up]: [f64; 2], [other_right, other_up]: [f64; 2]) -> bool {
        (right - other_right).abs() < 1e-12 && (up - other_up).abs() < 1e-12
    }

    fn all_around() -> impl Iterator<Item = f64> {
        (0..10_000).map(|step| TAU * f64::from(step) / 10_000.0)
    }

    /// The closed form with the numbers of the paper, by the sines and cosines of the standard library.
    #[test]
    fn the_outline_is_that_of_the_paper() {
        for t in all_around() {
            let right = -60.0 * t.cos() - 30.0 * t.sin() + 8.0 * (2.0 * t).sin() - 10.0 * (3.0 * t).sin();
            let up =
                -50.0 * t.sin() - 18.0 * (2.0 * t).sin() - 12.0 * (3.0 * t).cos() + 14.0 * (5.0 * t).cos();
            let drawn = Elephant::default().outline(t);
            assert!(near(drawn, [right, up]), "{drawn:?} at {t}, not [{right}, {up}]");
        }
    }

    /// By hand: at a quarter turn sin kt is 1, 0, -1 and cos kt is 0 for odd k.
    #[test]
    fn known_points() {
        let elephant = Elephant::default();
        for (angle, point) in
            [(0.0, [-60.0, 2.0]), (FRAC_PI_2, [-20.0, -50.0]), (PI, [60.0, -2.0]), (-FRAC_PI_2, [20.0, 50.0])]
        {
            assert!(near(elephant.outline(angle), point), "{:?} at {angle}", elephant.outline(angle));
        }
        assert_eq!(elephant.eye(), [20.0, 20.0]);
    }

    /// Fourier's integrals find the coefficients that the paper lists, and no other.
    #[test]
    fn four_complex_numbers_are_eight_coefficients() {
        let elephant = Elephant::default();
        let mut found = Vec::new();
        for k in 0..=12 {
            for (wave, name) in [(f64::cos as fn(f64) -> f64, 'A'), (f64::sin, 'B')] {
                for (axis, sign, of) in [(1, -1.0, 'x'), (0, 1.0, 'y')] {
                    let value = |t: f64| sign * elephant.outline(t)[axis] * wave(f64::from(k) * t);
                    let coefficient = all_around().map(value).sum::<f64>() / 5_000.0;
                    if coefficient.abs() > 1e-9 {
                        found.push((format!("{name}{of}{k}"), coefficient.round()));
                        assert!((coefficient - coefficient.round()).abs() < 1e-9, "{coefficient}");
                    }
                }
            }
        }
        let expected = [
            ("Ay1", -60.0),
            ("Bx1", 50.0),
            ("By1", -30.0),
            ("Bx2", 18.0),
            ("By2", 8.0),
            ("Ax3", 12.0),
            ("By3", -10.0),
            ("Ax5", -14.0),
        ];
        assert_eq!(found, expected.map(|(name, coefficient)| (name.to_string(), coefficient)));
    }

    #[test]
    fn only_the_trunk_swings_and_its_tip_the_most() {
        let elephant = Elephant::default();
        let tip = all_around().map(|t| elephant.outline(t)[0]).fold(0.0, f64::max);
        let (mut changes, mut farthest, mut before) = (0, 0.0_f64, false);
        for point in all_around().map(|t| elephant.outline(t)) {
            let [right, up] = elephant.swung(point, tip, FRAC_PI_2);
            let moved = up - point[1];
            assert_eq!((right, moved > 0.0), (point[0], point[0] > 40.0), "{point:?}");
            assert!(near(elephant.swung(point, tip, 0.0), point));
            let down = elephant.swung(point, tip, -FRAC_PI_2)[1];
            assert!((point[1] - down - moved).abs() < 1e-12, "as far down as up");
            changes += i32::from((moved > 0.0) != before);
            (farthest, before) = (farthest.max(moved), moved > 0.0);
        }
        assert_eq!(changes, 2, "what swings is one piece of the outline");
        assert!((farthest - 20.0).abs() < 1e-12, "{farthest}");
        let headlong = Elephant { parameters: [[1.0, -1.0]; 5] };
        assert_eq!(headlong.swung([-1.0, 0.5], 0.5, 1.0), [-1.0, 0.5], "without a trunk nothing moves");
        let halfway = elephant.swung([40.0 + 0.5 * (tip - 40.0), 0.0], tip, FRAC_PI_2);
        assert!((halfway[1] - 5.0).abs() < 1e-12, "half the way along, a quarter of the swing");
    }

    #[test]
    fn points_without_noise_lie_on_the_outline() {
        let elephant = Elephant::default();
        let samples = elephant.samples(8, 0.0, 3).unwrap();
        for (step, (&angle, &point)) in samples.angles.iter().zip(&samples.points).enumerate() {
            assert!((angle - step as f64 * PI / 4.0).abs() < 1e-15);
            assert_eq!(point, elephant.outline(angle));
        }
        assert!(elephant.samples(0, 1.0, 0).unwrap().points.is_empty());
    }

    /// The mean of 20,000 numbers is off by less than 4 / sqrt 20,000 of their deviation, their variance by
    /// less than 4 sqrt(2 / 20,000) of itself.
    #[test]
    fn noise_has_its_deviation_and_no_direction() {
        let elephant = Elephant::default();
        let samples = elephant.samples(10_000, 2.5, 7).unwrap();
        let truth = samples.angles.iter().map(|&angle| elephant.outline(angle));
        let noise: Vec<[f64; 2]> =
            samples.points.iter().zip(truth).map(|(p, t)| [p[0] - t[0], p[1] - t[1]]).collect();
        let mean_of = |value: fn(&[f64; 2]) -> f64| noise.iter().map(value).sum::<f64>() / 10_000.0;
        assert!(mean_of(|noise| noise[0] + noise[1]).abs() / 2.0 < 2.5 * 4.0 / 20_000_f64.sqrt());
        let variance = mean_of(|noise| noise[0].powi(2) + noise[1].powi(2)) / 2.0;
        assert!((variance / 6.25 - 1.0).abs() < 4.0 * 0.01, "{variance}");
        assert!(
            mean_of(|noise| noise[0] * noise[1]).abs() < 6.25 * 4.0 / 100.0,
            "right and up are independent"
        );
    }

    #[test]
    fn a_seed_gives_its_points_and_another_one_others() {
        let draw = |count, seed| Elephant::default().samples(count, 1.0, seed).unwrap();
        assert_eq!(draw(50, 1), draw(50, 1));
        assert_ne!(draw(50, 1), draw(50, 2));
        // Noise belongs to a point's number, so that of twice as many points begins with the same.
        let (few, many) = (draw(50, 1), draw(100, 1));
        let noise = |samples: &ElephantSamples, at: usize| {
            samples.points[at][0] - Elephant::default().outline(samples.angles[at])[0]
        };
        assert!((0..50).all(|at| (noise(&few, at) - noise(&many, at)).abs() < 1e-12));
    }

    /// As docs/determinism.md has it: 52 bits of two words as a uniform number each, then Box and Muller.
    #[test]
    fn the_noise_is_the_documented_one() {
        let counter = Counter { block: 0, row: 3, step: 0 };
        let words = philox::words(Key { seed: 9, stream: 0x30 }, counter).map(u64::from);
        let uniform = |high: u64, low: u64| ((high << 20 | low >> 12) as f64 + 0.5) / 2f64.powi(52);
        let radius = 2.0 * (-2.0 * uniform(words[0], words[1]).ln()).sqrt();
        let (sine, cosine) = (TAU * uniform(words[2], words[3])).sin_cos();
        let samples = Elephant::default().samples(5, 2.0, 9).unwrap();
        let [right, up] = Elephant::default().outline(samples.angles[3]);
        assert!(near(samples.points[3], [right + radius * cosine, up + radius * sine]));
    }

    #[test]
    fn noise_that_is_none_is_refused() {
        for noise in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Elephant::default().samples(3, noise, 0).unwrap_err().to_string();
            assert_eq!(error, format!("noise: must be 0 or more, not {noise}"));
        }
    }

    #[test]
    fn harmonics_are_cosines_and_sines() {
        let angles = [0.3, 4.0];
        let matrix = harmonics(&angles, 3);
        assert_eq!((matrix.rows(), matrix.columns()), (2, 6));
        for (row, angle) in angles.iter().enumerate() {
            for k in 1..=3 {
                let pair = &matrix.row(row)[2 * k - 2..2 * k];
                let turn = k as f64 * angle;
                assert!((f64::from(pair[0]) - turn.cos()).abs() < 1e-7, "{pair:?}");
                assert!((f64::from(pair[1]) - turn.sin()).abs() < 1e-7, "{pair:?}");
            }
        }
    }
}
