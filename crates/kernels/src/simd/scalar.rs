//! Lanes as plain arrays: any machine runs them, and compilers turn them into what it has.

use super::{BELOW_ONE, ONE, Simd};

/// Four lanes in an array.
#[derive(Clone, Copy)]
pub struct Scalar;

const LANES: usize = 4;
type F = [f32; LANES];
type U = [u32; LANES];

#[inline(always)]
fn map(a: F, b: F, f: impl Fn(f32, f32) -> f32) -> F {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl Simd for Scalar {
    const LANES: usize = LANES;
    const TILE_VECTORS: usize = 2;
    type F = F;
    type U = U;
    type M = [bool; LANES];

    #[inline(always)]
    unsafe fn prefetch(_at: *const f32) {}
    #[inline(always)]
    unsafe fn load(from: *const f32) -> F {
        // SAFETY: the caller gives a pointer to LANES values.
        unsafe { from.cast::<F>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: F) {
        // SAFETY: the caller gives a pointer to LANES values.
        unsafe { to.cast::<F>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> F {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn add(a: F, b: F) -> F {
        map(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: F, b: F) -> F {
        map(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: F, b: F) -> F {
        map(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: F, b: F) -> F {
        map(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn fma(a: F, b: F, c: F) -> F {
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }
    #[inline(always)]
    unsafe fn max(a: F, b: F) -> F {
        map(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(a: F, b: F) -> F {
        map(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn sqrt(a: F) -> F {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn round(a: F) -> F {
        // Adding 1.5 * 2^23 leaves no bits for a fraction, so the sum is rounded to even.
        const SHIFT: f32 = 12_582_912.0;
        a.map(|a| (a + SHIFT) - SHIFT)
    }
    #[inline(always)]
    unsafe fn power_of_two(a: F) -> F {
        a.map(|a| f32::from_bits(((a as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    unsafe fn exponent(a: F) -> F {
        a.map(|a| (a.to_bits() >> 23) as f32 - 127.0)
    }
    #[inline(always)]
    unsafe fn mantissa(a: F) -> F {
        a.map(|a| f32::from_bits(a.to_bits() & 0x007f_ffff | ONE))
    }
    #[inline(always)]
    unsafe fn greater(a: F, b: F) -> Self::M {
        std::array::from_fn(|lane| a[lane] > b[lane])
    }
    #[inline(always)]
    unsafe fn select(mask: Self::M, a: F, b: F) -> F {
        std::array::from_fn(|lane| if mask[lane] { a[lane] } else { b[lane] })
    }
    #[inline(always)]
    unsafe fn keep(mask: Self::M, a: F) -> F {
        std::array::from_fn(|lane| if mask[lane] { a[lane] } else { 0.0 })
    }

    #[inline(always)]
    unsafe fn fma_where(mask: Self::M, a: F, b: F, c: F) -> F {
        std::array::from_fn(|lane| if mask[lane] { a[lane] * b[lane] + c[lane] } else { c[lane] })
    }
    #[inline(always)]
    unsafe fn mask_from_bits(bits: u32) -> Self::M {
        std::array::from_fn(|lane| bits >> lane & 1 == 1)
    }

    #[inline(always)]
    unsafe fn splat_u32(value: u32) -> U {
        [value; LANES]
    }
    #[inline(always)]
    unsafe fn count_from(first: u32) -> U {
        std::array::from_fn(|lane| first.wrapping_add(lane as u32))
    }
    #[inline(always)]
    unsafe fn xor(a: U, b: U) -> U {
        std::array::from_fn(|lane| a[lane] ^ b[lane])
    }
    #[inline(always)]
    unsafe fn and(a: U, b: U) -> U {
        std::array::from_fn(|lane| a[lane] & b[lane])
    }
    #[inline(always)]
    unsafe fn or(a: U, b: U) -> U {
        std::array::from_fn(|lane| a[lane] | b[lane])
    }
    #[inline(always)]
    unsafe fn has_any(a: U) -> bool {
        a.iter().any(|&lane| lane != 0)
    }
    #[inline(always)]
    unsafe fn has_bit(a: U, b: U) -> Self::M {
        std::array::from_fn(|lane| a[lane] & b[lane] != 0)
    }
    #[inline(always)]
    unsafe fn multiply_even(a: U, b: U) -> U {
        let [first, second] = [0, 2].map(|lane| u64::from(a[lane]) * u64::from(b[lane]));
        [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
    }
    #[inline(always)]
    unsafe fn odd_to_even([_, b, _, d]: U) -> U {
        [b, b, d, d]
    }
    #[inline(always)]
    unsafe fn join([a, _, c, _]: U, [b, _, d, _]: U) -> U {
        [a, b, c, d]
    }
    #[inline(always)]
    unsafe fn at_least(a: U, b: U) -> Self::M {
        std::array::from_fn(|lane| a[lane] >= b[lane])
    }
    #[inline(always)]
    unsafe fn uniform(word: U) -> F {
        word.map(|word| f32::from_bits(word >> 9 | ONE) - BELOW_ONE)
    }
    #[inline(always)]
    unsafe fn load_u32(from: *const u32) -> U {
        // SAFETY: the caller gives a pointer to LANES values.
        unsafe { from.cast::<U>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_u32(to: *mut u32, value: U) {
        // SAFETY: the caller gives a pointer to LANES values.
        unsafe { to.cast::<U>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn interleave(vectors: [U; 4]) -> [U; 4] {
        std::array::from_fn(|lane| vectors.map(|vector| vector[lane]))
    }

    #[inline(always)]
    unsafe fn transpose_16(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        for line in 0..16 {
            for value in 0..16 {
                // SAFETY: the caller gives 16 lines of 16 values at each pointer.
                unsafe { *to.add(value * to_stride + line) = *from.add(line * stride + value) }
            }
        }
    }

    #[inline(always)]
    unsafe fn expand_16(bits: u16, compact: *const f32, to: *mut f32, add: bool) {
        let (mut left, mut next) = (bits, 0);
        if !add {
            // SAFETY: the caller gives room for 16 values.
            unsafe { to.write_bytes(0, 16) }
        }
        while left != 0 {
            // SAFETY: a bit below 16 is set, and at most 16 are.
            unsafe {
                let (to, value) = (to.add(left.trailing_zeros() as usize), *compact.add(next));
                *to = if add { *to + value } else { value };
            }
            left &= left - 1;
            next += 1;
        }
    }

    #[inline(always)]
    unsafe fn compress_16(bits: u16, from: *const f32, to: *mut f32) {
        let (mut left, mut next) = (bits, 0);
        while left != 0 {
            // SAFETY: a bit below 16 is set, and at most 16 are.
            unsafe { *to.add(next) = *from.add(left.trailing_zeros() as usize) }
            left &= left - 1;
            next += 1;
        }
    }
}
