//! Sixteen lanes: AVX-512 F, BW, DQ and VL.

use std::arch::x86_64::*;

use super::{BELOW_ONE, ONE, Simd};

/// Sixteen lanes of a zmm register.
#[derive(Clone, Copy)]
pub struct Avx512;

// SAFETY, for every `unsafe` block of this file: the trait's callers run on a machine with
// these instructions, and give pointers that are valid for the lanes they name.
impl Simd for Avx512 {
    const LANES: usize = 16;
    const TILE_VECTORS: usize = 4;
    type F = __m512;
    type U = __m512i;
    type M = __mmask16;

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sqrt(a: __m512) -> __m512 {
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    unsafe fn round(a: __m512) -> __m512 {
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    unsafe fn power_of_two(a: __m512) -> __m512 {
        unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
    }
    #[inline(always)]
    unsafe fn exponent(a: __m512) -> __m512 {
        unsafe { _mm512_getexp_ps(a) }
    }
    #[inline(always)]
    unsafe fn mantissa(a: __m512) -> __m512 {
        unsafe { _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a) }
    }
    #[inline(always)]
    unsafe fn greater(a: __m512, b: __m512) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) }
    }
    #[inline(always)]
    unsafe fn select(mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }
    #[inline(always)]
    unsafe fn keep(mask: __mmask16, a: __m512) -> __m512 {
        unsafe { _mm512_maskz_mov_ps(mask, a) }
    }

    #[inline(always)]
    unsafe fn fma_where(mask: __mmask16, a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_mask3_fmadd_ps(a, b, c, mask) }
    }
    #[inline(always)]
    unsafe fn mask_from_bits(bits: u32) -> __mmask16 {
        bits as u16
    }

    #[inline(always)]
    unsafe fn splat_u32(value: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(value as i32) }
    }
    #[inline(always)]
    unsafe fn count_from(first: u32) -> __m512i {
        unsafe {
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes)
        }
    }
    #[inline(always)]
    unsafe fn xor(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    unsafe fn and(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    unsafe fn or(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_or_si512(a, b) }
    }
    #[inline(always)]
    unsafe fn has_any(a: __m512i) -> bool {
        unsafe { _mm512_test_epi32_mask(a, a) != 0 }
    }
    #[inline(always)]
    unsafe fn has_bit(a: __m512i, b: __m512i) -> __mmask16 {
        unsafe { _mm512_test_epi32_mask(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_even(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_mul_epu32(a, b) }
    }
    #[inline(always)]
    unsafe fn odd_to_even(a: __m512i) -> __m512i {
        unsafe { _mm512_srli_epi64::<32>(a) }
    }
    #[inline(always)]
    unsafe fn join(even: __m512i, odd: __m512i) -> __m512i {
        unsafe { _mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64::<32>(odd)) }
    }
    #[inline(always)]
    unsafe fn at_least(a: __m512i, b: __m512i) -> __mmask16 {
        unsafe { _mm512_cmpge_epu32_mask(a, b) }
    }
    #[inline(always)]
    unsafe fn uniform(word: __m512i) -> __m512 {
        unsafe {
            let bits = _mm512_or_si512(_mm512_srli_epi32::<9>(word), _mm512_set1_epi32(ONE as i32));
            _mm512_sub_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(BELOW_ONE))
        }
    }
    #[inline(always)]
    unsafe fn load_u32(from: *const u32) -> __m512i {
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_u32(to: *mut u32, value: __m512i) {
        unsafe { _mm512_storeu_si512(to.cast(), value) }
    }
    #[inline(always)]
    unsafe fn interleave([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
        unsafe {
            // Pairs, then quads within each 128-bit part, then the parts themselves.
            let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
            let (first, second) = (_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
            let (ab, cd) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
            let (third, fourth) = (_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
            let low = _mm512_shuffle_i32x4::<0x44>(first, second);
            let high = _mm512_shuffle_i32x4::<0xEE>(first, second);
            let low_after = _mm512_shuffle_i32x4::<0x44>(third, fourth);
            let high_after = _mm512_shuffle_i32x4::<0xEE>(third, fourth);
            [
                _mm512_shuffle_i32x4::<0x88>(low, low_after),
                _mm512_shuffle_i32x4::<0xDD>(low, low_after),
                _mm512_shuffle_i32x4::<0x88>(high, high_after),
                _mm512_shuffle_i32x4::<0xDD>(high, high_after),
            ]
        }
    }

    #[inline(always)]
    unsafe fn transpose_16(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        unsafe {
            // A loop, not `from_fn`: a closure that is not inlined loses the instruction set.
            let mut r = [_mm512_setzero_ps(); 16];
            for (line, value) in r.iter_mut().enumerate() {
                *value = _mm512_loadu_ps(from.add(line * stride));
            }
            // Pairs, then quads within each 128-bit part, then the parts themselves.
            for i in (0..16).step_by(2) {
                (r[i], r[i + 1]) = (_mm512_unpacklo_ps(r[i], r[i + 1]), _mm512_unpackhi_ps(r[i], r[i + 1]));
            }
            for i in (0..16).step_by(4) {
                let [a, b, c, d] = [r[i], r[i + 1], r[i + 2], r[i + 3]];
                r[i] = _mm512_shuffle_ps::<0b01_00_01_00>(a, c);
                r[i + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(a, c);
                r[i + 2] = _mm512_shuffle_ps::<0b01_00_01_00>(b, d);
                r[i + 3] = _mm512_shuffle_ps::<0b11_10_11_10>(b, d);
            }
            for i in 0..4 {
                let [a, b, c, d] = [r[i], r[i + 4], r[i + 8], r[i + 12]];
                let ab_even = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
                let ab_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
                let cd_even = _mm512_shuffle_f32x4::<0b10_00_10_00>(c, d);
                let cd_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(c, d);
                let parts = [
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(ab_even, cd_even),
                    _mm512_shuffle_f32x4::<0b10_00_10_00>(ab_odd, cd_odd),
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(ab_even, cd_even),
                    _mm512_shuffle_f32x4::<0b11_01_11_01>(ab_odd, cd_odd),
                ];
                for (part, value) in parts.into_iter().enumerate() {
                    _mm512_storeu_ps(to.add((part * 4 + i) * to_stride), value);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn expand_16(bits: u16, compact: *const f32, to: *mut f32, add: bool) {
        unsafe {
            let values = _mm512_maskz_expand_ps(bits, _mm512_loadu_ps(compact));
            if !add {
                return _mm512_storeu_ps(to, values);
            }
            // Under the mask: a sum with 0 would turn a -0 beside it into 0.
            let whole = _mm512_loadu_ps(to);
            _mm512_storeu_ps(to, _mm512_mask_add_ps(whole, bits, whole, values));
        }
    }

    #[inline(always)]
    unsafe fn compress_16(bits: u16, from: *const f32, to: *mut f32) {
        // The register form and a whole store: the form that stores to memory is slow on Zen 4.
        unsafe { _mm512_storeu_ps(to, _mm512_maskz_compress_ps(bits, _mm512_loadu_ps(from))) }
    }
}
