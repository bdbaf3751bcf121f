//! Functions over lanes, each with its formula, its error and its source.

use crate::simd::Simd;

/// log 2 in two parts (Cephes): the first has so few digits that its product with an exponent is exact.
const LOG_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// 1 / sqrt(2 pi), the normal density at 0.
pub(crate) const INVERSE_ROOT_TWO_PI: f32 = 0.398_942_3;

/// exp z to about 2 units in the last place: z = n log 2 + r, a polynomial in r (Cephes), times 2^n.
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(z: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        // In this order a NaN comes through, here and in every other bound on z.
        let z = S::min(S::splat(88.0), S::max(S::splat(-87.0), z));
        let n = S::round(S::mul(z, S::splat(std::f32::consts::LOG2_E)));
        let r = S::fma(n, S::splat(-LOG_2[0]), z);
        let r = S::fma(n, S::splat(-LOG_2[1]), r);
        let mut p = S::splat(1.987_569_1e-4);
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
            p = S::fma(p, r, S::splat(coefficient));
        }
        let p = S::add(S::fma(p, S::mul(r, r), r), S::splat(1.0));
        S::mul(p, S::power_of_two(n))
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
        let rest = S::fma(e, S::splat(LOG_2[1]), S::mul(S::mul(p, r), square));
        let rest = S::fma(square, S::splat(-0.5), rest);
        S::fma(e, S::splat(LOG_2[0]), S::add(r, rest))
    }
}

/// tanh z to about 3 units in the last place: 1 - 2 / (exp 2z + 1), and near 0, where that would cancel, a
/// polynomial (Cephes).
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd>(z: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let square = S::mul(z, z);
        let mut p = S::splat(-5.704_988_7e-3);
        for coefficient in [2.063_909e-2, -5.373_971_6e-2, 0.133_314_42, -0.333_332_8] {
            p = S::fma(p, square, S::splat(coefficient));
        }
        let near = S::fma(S::mul(p, square), z, z);
        let doubled = S::min(S::splat(40.0), S::add(z, z));
        let far = S::sub(S::splat(1.0), S::div(S::splat(2.0), S::add(exp::<S>(doubled), S::splat(1.0))));
        S::select(S::greater(S::splat(0.390_625), square), near, far)
    }
}

/// The logistic function to about 2 units in the last place: 1 / (1 + exp(-z)).
#[inline(always)]
pub(crate) unsafe fn logistic<S: Simd>(z: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::sub(S::splat(0.0), z))))
    }
}

/// tanh(log(1 + e^z)) to about 3 units in the last place: w / (w + 2) with w = e^z (e^z + 2); beyond 15 it is
/// 1 in f32.
#[inline(always)]
pub(crate) unsafe fn tanh_softplus<S: Simd>(z: S::F) -> S::F {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let two = S::splat(2.0);
        let e = exp::<S>(S::min(S::splat(15.0), z));
        let w = S::mul(e, S::add(e, two));
        S::div(w, S::add(w, two))
    }
}

/// The normal distribution function Φ(z), to about 4e-7, and exp(-z²/2); with the error function of
/// Abramowitz and Stegun 7.1.26, which is off by at most 1.5e-7.
#[inline(always)]
pub(crate) unsafe fn normal_distribution<S: Simd>(z: S::F) -> (S::F, S::F) {
    // SAFETY: the caller's machine has the lanes.
    unsafe {
        let one = S::splat(1.0);
        let magnitude =
            S::mul(S::max(z, S::sub(S::splat(0.0), z)), S::splat(std::f32::consts::FRAC_1_SQRT_2));
        let bell = exp::<S>(S::sub(S::splat(0.0), S::mul(magnitude, magnitude)));
        let t = S::div(one, S::fma(S::splat(0.327_591_1), magnitude, one));
        let mut p = S::splat(1.061_405_4);
        for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
            p = S::fma(p, t, S::splat(coefficient));
        }
        let tail = S::mul(S::mul(S::mul(p, t), bell), S::splat(0.5));
        (S::select(S::greater(z, S::splat(0.0)), S::sub(one, tail), tail), bell)
    }
}

/// sin(2 pi t) and cos(2 pi t) for t from 0 to 1, each off by at most 3e-7: t = q / 2 + r with a whole
/// q, and the series of Taylor for 2 pi r, which is at most a quarter turn.
#[inline(always)]
pub(crate) unsafe fn sine_and_cosine<S: Simd>(t: S::F) -> (S::F, S::F) {
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
    use crate::isa::for_each_isa;

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
        // As uniform numbers are: (2k + 1) / 2^24.
        const END: u32 = 1 << 23;
        let edges = [0, 1, END / 2 - 1, END / 2, END - 2, END - 1];
        let spread = (0..4090u32).map(|at| at.wrapping_mul(0x9E37_79B9).rotate_left(at % 32) >> 9);
        let part = |k: u32| (2 * k + 1) as f32 / (1 << 24) as f32;
        let values: Vec<f32> = edges.into_iter().chain(spread).map(part).collect();
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
}
