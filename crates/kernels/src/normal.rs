//! Normal random numbers from random words (Box and Muller 1958).
//!
//! The four words of a [`Counter`] give four numbers: with the uniform numbers u of the first word and v
//! of the second, the first is sqrt(-2 ln u) cos(2 pi v) and the second sqrt(-2 ln u) sin(2 pi v); the
//! third and fourth come from the other two words in the same way. A word w stands for the uniform
//! number (2k + 1) / 2^24, where k is its upper 23 bits. No number is beyond 5.8.

use crate::isa::for_each_isa;
use crate::philox::{self, Counter, Key, MOST_CONSECUTIVE};
use crate::simd::Simd;

for_each_isa! {
    /// Fills `numbers` with the normal numbers of the counters `counter`, `counter` with the next block,
    /// and so on: that of unit u is number u % 4 of block u / 4.
    pub fn fill(key: Key, counter: Counter, numbers: &mut [f32]) = fill_body
}

#[inline(always)]
fn fill_body<S: Simd>(key: Key, counter: Counter, numbers: &mut [f32]) {
    for (group, chunk) in numbers.chunks_mut(4 * S::LANES).enumerate() {
        let block = counter.block.wrapping_add((group * S::LANES) as u32);
        let mut drawn = [[0.0; MOST_CONSECUTIVE / 4]; 4];
        // SAFETY: each line of `drawn` has room for a vector; the lanes are the running machine's.
        unsafe {
            let counters = [
                S::count_from(block),
                S::splat_u32(counter.row),
                S::splat_u32(counter.step as u32),
                S::splat_u32((counter.step >> 32) as u32),
            ];
            let normals = normals::<S>(philox::lanes::<S>(key, counters));
            for four in 0..4 {
                S::store(drawn[four].as_mut_ptr(), normals[four]);
            }
        }
        for (at, number) in chunk.iter_mut().enumerate() {
            *number = drawn[at % 4][at / 4];
        }
    }
}

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

/// ln x of a positive normal number, to about 1 unit in the last place (Cephes): x = m 2^e with m
/// from sqrt(1/2) to sqrt(2), a polynomial in m - 1.
#[inline(always)]
pub(crate) unsafe fn ln<S: Simd>(x: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let (m, e) = (S::mantissa(x), S::exponent(x));
        let large = S::greater(m, S::splat(std::f32::consts::SQRT_2));
        let r = S::sub(S::select(large, S::mul(m, S::splat(0.5)), m), S::splat(1.0));
        let e = S::add(e, S::keep(large, S::splat(1.0)));
        let square = S::mul(r, r);
        let mut p = S::splat(7.037_683_6e-2);
        for coefficient in [
            -0.115_146_1,
            0.116_769_99,
            -0.124_201_41,
            0.142_493_23,
            -0.166_680_58,
            0.200_007_15,
            -0.249_999_94,
            0.333_333_3,
        ] {
            p = S::fma(p, r, S::splat(coefficient));
        }
        let rest = S::fma(e, S::splat(-2.121_944_4e-4), S::mul(S::mul(p, r), square));
        let rest = S::fma(square, S::splat(-0.5), rest);
        S::fma(e, S::splat(0.693_359_4), S::add(r, rest))
    }
}

/// sin(2 pi t) and cos(2 pi t) for t from 0 to 1, each off by at most 3e-7: t = q / 2 + r with a whole
/// q, and the series of Taylor for 2 pi r, which is at most a quarter turn.
#[inline(always)]
unsafe fn sine_and_cosine<S: Simd>(t: S::F) -> (S::F, S::F) {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let q = S::round(S::add(t, t));
        let x = S::mul(S::fma(q, S::splat(-0.5), t), S::splat(std::f32::consts::TAU));
        let from_one = S::sub(q, S::splat(1.0));
        // 1 for q = 0 and 2, -1 for q = 1.
        let sign = S::fma(S::mul(from_one, from_one), S::splat(2.0), S::splat(-1.0));
        let square = S::mul(x, x);
        let mut sine = S::splat(-1.0 / 39_916_800.0);
        for divisor in [362_880.0, -5_040.0, 120.0, -6.0] {
            sine = S::fma(sine, square, S::splat(1.0 / divisor));
        }
        let mut cosine = S::splat(1.0 / 479_001_600.0);
        for divisor in [-3_628_800.0, 40_320.0, -720.0, 24.0, -2.0, 1.0] {
            cosine = S::fma(cosine, square, S::splat(1.0 / divisor));
        }
        let sine = S::fma(S::mul(sine, square), x, x);
        (S::mul(sign, sine), S::mul(sign, cosine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    for_each_isa! {
        fn logarithms(values: &mut [f32]) = logarithms_body
    }

    fn logarithms_body<S: Simd>(values: &mut [f32]) {
        for vector in values.chunks_exact_mut(S::LANES) {
            // SAFETY: the chunk holds the lanes of a vector, which are the running machine's.
            unsafe { S::store(vector.as_mut_ptr(), ln::<S>(S::load(vector.as_ptr()))) }
        }
    }

    for_each_isa! {
        fn turns(values: &mut [f32], cosines: &mut [f32]) = turns_body
    }

    fn turns_body<S: Simd>(values: &mut [f32], cosines: &mut [f32]) {
        for (vector, to) in values.chunks_exact_mut(S::LANES).zip(cosines.chunks_exact_mut(S::LANES)) {
            // SAFETY: the chunks hold the lanes of a vector, which are the running machine's.
            unsafe {
                let (sine, cosine) = sine_and_cosine::<S>(S::load(vector.as_ptr()));
                S::store(vector.as_mut_ptr(), sine);
                S::store(to.as_mut_ptr(), cosine);
            }
        }
    }

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

    #[test]
    fn logarithms_are_those_in_f64() {
        let near_one = (1..500u32).flat_map(|at| [1.0 - at as f32 * 6e-8, 1.0 + at as f32 * 1.2e-7]);
        let far = (0..3000).map(|at| 2f64.powf(f64::from(at) * 0.084 - 126.0) as f32);
        let mut values: Vec<f32> = near_one.chain(far).chain([1.0, f32::MAX]).collect();
        values.resize(values.len().next_multiple_of(16), 0.5);
        for isa in Isa::available() {
            let mut logarithms_of = values.clone();
            logarithms(isa, &mut logarithms_of);
            for (&value, &got) in values.iter().zip(&logarithms_of) {
                let exact = f64::from(value).ln();
                let off = (f64::from(got) - exact).abs();
                assert!(off <= 1.5 * f64::from(f32::EPSILON) * exact.abs(), "{isa}: ln {value:e} is {got:e}");
            }
        }
    }

    #[test]
    fn sines_and_cosines_are_those_in_f64() {
        let values: Vec<f32> = words().into_iter().map(|word| uniform(word) as f32).collect();
        for isa in Isa::available() {
            let (mut sines, mut cosines) = (values.clone(), vec![0.0; values.len()]);
            turns(isa, &mut sines, &mut cosines);
            for ((&value, &sine), &cosine) in values.iter().zip(&sines).zip(&cosines) {
                let angle = std::f64::consts::TAU * f64::from(value);
                assert!((f64::from(sine) - angle.sin()).abs() <= 3e-7, "{isa}: sine of {value}: {sine}");
                assert!(
                    (f64::from(cosine) - angle.cos()).abs() <= 3e-7,
                    "{isa}: cosine of {value}: {cosine}"
                );
            }
        }
    }

    #[test]
    fn every_isa_draws_the_documented_numbers() {
        let key = Key { seed: 3, stream: 9 };
        for isa in Isa::available() {
            for count in [0, 1, 5, 64, 67, 300] {
                let counter = Counter { block: u32::MAX - 3, row: 7, step: 1 << 40 };
                let mut numbers = vec![0.0; count];
                fill(isa, key, counter, &mut numbers);
                for (unit, &number) in numbers.iter().enumerate() {
                    let block = counter.block.wrapping_add(unit as u32 / 4);
                    let words = philox::words(key, Counter { block, ..counter });
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
        let mut numbers = vec![0.0; 1_000_000];
        fill(Isa::best(), Key { seed: 1, stream: 1 }, Counter { block: 0, row: 0, step: 0 }, &mut numbers);
        for (power, expected, error) in
            [(1, 0.0, 0.001), (2, 1.0, 0.001_42), (3, 0.0, 0.003_9), (4, 3.0, 0.009_8)]
        {
            let moment = numbers.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / 1e6;
            assert!((moment - expected).abs() < 4.0 * error, "moment {power}: {moment}");
        }
        let neighbours = numbers.windows(2).map(|pair| f64::from(pair[0] * pair[1])).sum::<f64>() / 1e6;
        assert!(neighbours.abs() < 0.004, "{neighbours}");
    }
}
