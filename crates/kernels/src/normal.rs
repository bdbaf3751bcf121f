//! Normal random numbers from random words (Box and Muller 1958).
//!
//! The four words of a [`Counter`](crate::philox::Counter) give four numbers: with the uniform numbers u of
//! the first word and v of the second, the first is sqrt(-2 ln u) cos(2 pi v) and the second
//! sqrt(-2 ln u) sin(2 pi v); the third and fourth come from the other two words in the same way. A word w
//! stands for the uniform number (2k + 1) / 2^24, where k is its upper 23 bits. No number is beyond 5.8.

use crate::functions::{ln, sine_and_cosine};
use crate::simd::Simd;

/// The normal numbers of the four words of as many counters as there are lanes.
///
/// # Safety
/// The machine must have the lanes' instructions.
#[inline(always)]
pub(crate) unsafe fn normals<S: Simd>([a, b, c, d]: [S::U; 4]) -> [S::F; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let (first, second) = pair::<S>(a, b);
        let (third, fourth) = pair::<S>(c, d);
        [first, second, third, fourth]
    }
}

#[inline(always)]
unsafe fn pair<S: Simd>(first: S::U, second: S::U) -> (S::F, S::F) {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let radius = S::sqrt(S::mul(S::splat(-2.0), ln::<S>(S::uniform(first))));
        let (sine, cosine) = sine_and_cosine::<S>(S::uniform(second));
        (S::mul(radius, cosine), S::mul(radius, sine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::edge_noise::{Perturbed, perturb};
    use crate::isa::for_each_isa;
    use crate::philox::{self, Counter, Key};

    for_each_isa! {
        fn uniforms(words: &[u32], to: &mut [f32]) = uniforms_body
    }

    fn uniforms_body<S: Simd>(words: &[u32], to: &mut [f32]) {
        for (words, to) in words.chunks_exact(S::LANES).zip(to.chunks_exact_mut(S::LANES)) {
            // SAFETY: the chunks hold the lanes of a vector, which are the running machine's.
            unsafe { S::store(to.as_mut_ptr(), S::uniform(S::load_u32(words.as_ptr()))) }
        }
    }

    /// The uniform number of a word, in f64.
    fn uniform(word: u32) -> f64 {
        f64::from(2 * (word >> 9) + 1) / f64::from(1 << 24)
    }

    fn words() -> Vec<u32> {
        let edges = [0, 1, 511, 512, 1 << 31, (1 << 31) - 1, u32::MAX - 512, u32::MAX];
        let spread = (0..4088u32).map(|at| at.wrapping_mul(0x9E37_79B9).rotate_left(at % 32));
        edges.into_iter().chain(spread).collect()
    }

    #[test]
    fn a_word_is_a_number_between_0_and_1() {
        let words = words();
        for isa in Isa::available() {
            let mut numbers = vec![0.0; words.len()];
            uniforms(isa, &words, &mut numbers);
            for (&word, &number) in words.iter().zip(&numbers) {
                assert_eq!(f64::from(number), uniform(word), "{isa}, word {word}");
                assert!(number > 0.0 && number < 1.0);
            }
        }
    }

    /// Normal numbers, `[units, rows]`: values around 0 whose variance is 1.
    fn draw(isa: Isa, key: Key, step: u64, first_row: u32, units: usize, rows: usize) -> Vec<f32> {
        let by = Perturbed { key, step, first_row, units, rows, alpha: 1.0, noisy_biases: false };
        let (mut values, mut variances) = (vec![0.0; units * rows], vec![1.0; units * rows]);
        perturb(isa, by, &vec![0.0; units], &mut values, &mut variances);
        values
    }

    #[test]
    fn every_isa_draws_the_documented_numbers() {
        const ROWS: usize = 32;
        let (key, step, first_row) = (Key { seed: 3, stream: 9 }, 1 << 40, u32::MAX - 3);
        for isa in Isa::available() {
            for units in [0, 1, 5, 64, 67] {
                for (at, number) in draw(isa, key, step, first_row, units, ROWS).into_iter().enumerate() {
                    let (unit, row) = (at / ROWS, first_row.wrapping_add((at % ROWS) as u32));
                    let words = philox::words(key, Counter { block: unit as u32 / 4, row, step });
                    let (first, second) = (words[unit % 4 / 2 * 2], words[unit % 4 / 2 * 2 + 1]);
                    let angle = std::f64::consts::TAU * uniform(second);
                    let turned = if unit.is_multiple_of(2) { angle.cos() } else { angle.sin() };
                    let exact = (-2.0 * uniform(first).ln()).sqrt() * turned;
                    assert!((f64::from(number) - exact).abs() < 2e-6, "{isa}: {number} is not {exact}");
                }
            }
        }
    }

    /// A million numbers: the standard errors of the first four moments are 1, 1.41, 3.9 and 9.8
    /// thousandths.
    #[test]
    fn the_numbers_are_normal() {
        const ROWS: usize = 400;
        let numbers = draw(Isa::best(), Key { seed: 1, stream: 1 }, 0, 0, 2500, ROWS);
        for (power, expected, error) in
            [(1, 0.0, 0.001), (2, 1.0, 0.001_42), (3, 0.0, 0.003_9), (4, 3.0, 0.009_8)]
        {
            let moment = numbers.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / 1e6;
            assert!((moment - expected).abs() < 4.0 * error, "moment {power}: {moment}");
        }
        // Neighbours are the next row of the same unit, and the same row of the next unit.
        for away in [1, ROWS] {
            let products = numbers.iter().zip(&numbers[away..]).map(|(a, b)| f64::from(a * b));
            let mean = products.sum::<f64>() / 1e6;
            assert!(mean.abs() < 0.004, "{mean}");
        }
    }
}
