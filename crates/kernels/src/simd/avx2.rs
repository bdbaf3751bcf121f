//! Eight lanes: AVX2 with FMA.

use std::arch::x86_64::*;

use super::{BELOW_ONE, ONE, Simd, Walk};

/// Eight lanes of a ymm register.
#[derive(Clone, Copy)]
pub struct Avx2;

// SAFETY, for every `unsafe` block of this file: the trait's callers run on a machine with
// AVX2 and FMA, and give pointers that are valid for the lanes they name.
impl Simd for Avx2 {
    const LANES: usize = 8;
    const TILE_VECTORS: usize = 2;
    type F = __m256;
    type U = __m256i;
    type M = __m256;

    #[inline(always)]
    unsafe fn prefetch(at: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m256) {
        unsafe { _mm256_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn max(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn min(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sqrt(a: __m256) -> __m256 {
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    unsafe fn round(a: __m256) -> __m256 {
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }
    #[inline(always)]
    unsafe fn power_of_two(a: __m256) -> __m256 {
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(a), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }
    #[inline(always)]
    unsafe fn exponent(a: __m256) -> __m256 {
        unsafe {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(a));
            _mm256_sub_ps(_mm256_cvtepi32_ps(biased), _mm256_set1_ps(127.0))
        }
    }
    #[inline(always)]
    unsafe fn mantissa(a: __m256) -> __m256 {
        unsafe {
            let bits = _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(0x007f_ffff));
            _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(ONE as i32)))
        }
    }
    #[inline(always)]
    unsafe fn greater(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(a, b) }
    }
    #[inline(always)]
    unsafe fn select(mask: __m256, a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(b, a, mask) }
    }
    #[inline(always)]
    unsafe fn keep(mask: __m256, a: __m256) -> __m256 {
        unsafe { _mm256_and_ps(mask, a) }
    }

    #[inline(always)]
    unsafe fn fma_where(mask: __m256, a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_blendv_ps(c, _mm256_fmadd_ps(a, b, c), mask) }
    }
    #[inline(always)]
    unsafe fn mask_from_bits(bits: u32) -> __m256 {
        unsafe {
            Self::has_bit(_mm256_set1_epi32(bits as i32), _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128))
        }
    }

    #[inline(always)]
    unsafe fn walk<const LINES: usize, const VECTORS: usize>(
        walk: &Walk<'_>,
        lines: [*const f32; LINES],
        next: [*const f32; LINES],
    ) {
        // All lines are fetched while tiles of the same lines are walked, two at a time.
        let one = walk.turn * 2 % LINES;
        let next = [next[one], next[(one + 1) % LINES]];
        // Buffers have whole lines of 16, so there is no tile of one vector.
        unsafe {
            match lines[..] {
                [a, b, c, d, e, f] => walk_6(walk, [a, b, c, d, e, f], next),
                [a, b, c, d, e] => walk_5(walk, [a, b, c, d, e], next),
                [a, b, c, d] => walk_4(walk, [a, b, c, d], next),
                [a, b, c] => walk_3(walk, [a, b, c], next),
                [a, b] => walk_2(walk, [a, b], next),
                [a] => walk_1(walk, [a], next),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn splat_u32(value: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(value as i32) }
    }
    #[inline(always)]
    unsafe fn count_from(first: u32) -> __m256i {
        unsafe {
            _mm256_add_epi32(_mm256_set1_epi32(first as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }
    #[inline(always)]
    unsafe fn xor(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_xor_si256(a, b) }
    }
    #[inline(always)]
    unsafe fn and(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    unsafe fn or(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_or_si256(a, b) }
    }
    #[inline(always)]
    unsafe fn has_any(a: __m256i) -> bool {
        unsafe { _mm256_testz_si256(a, a) == 0 }
    }
    #[inline(always)]
    unsafe fn has_bit(a: __m256i, b: __m256i) -> __m256 {
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(a, b), b)) }
    }
    #[inline(always)]
    unsafe fn multiply_even(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_mul_epu32(a, b) }
    }
    #[inline(always)]
    unsafe fn odd_to_even(a: __m256i) -> __m256i {
        unsafe { _mm256_srli_epi64::<32>(a) }
    }
    #[inline(always)]
    unsafe fn join(even: __m256i, odd: __m256i) -> __m256i {
        unsafe { _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd)) }
    }
    #[inline(always)]
    unsafe fn at_least(a: __m256i, b: __m256i) -> __m256 {
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a)) }
    }
    #[inline(always)]
    unsafe fn uniform(word: __m256i) -> __m256 {
        unsafe {
            let bits = _mm256_or_si256(_mm256_srli_epi32::<9>(word), _mm256_set1_epi32(ONE as i32));
            _mm256_sub_ps(_mm256_castsi256_ps(bits), _mm256_set1_ps(BELOW_ONE))
        }
    }
    #[inline(always)]
    unsafe fn load_u32(from: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store_u32(to: *mut u32, value: __m256i) {
        unsafe { _mm256_storeu_si256(to.cast(), value) }
    }
    #[inline(always)]
    unsafe fn interleave([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
        unsafe {
            // Pairs, then quads within each 128-bit part, then the parts themselves.
            let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
            let (first, second) = (_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
            let (ab, cd) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
            let (third, fourth) = (_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
            [
                _mm256_permute2x128_si256::<0x20>(first, second),
                _mm256_permute2x128_si256::<0x20>(third, fourth),
                _mm256_permute2x128_si256::<0x31>(first, second),
                _mm256_permute2x128_si256::<0x31>(third, fourth),
            ]
        }
    }

    #[inline(always)]
    unsafe fn transpose_16(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        for (line, value) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
            unsafe {
                transpose_8(
                    from.add(line * stride + value),
                    stride,
                    to.add(value * to_stride + line),
                    to_stride,
                )
            }
        }
    }

    #[inline(always)]
    unsafe fn expand_16(bits: u16, compact: *const f32, to: *mut f32, add: bool) {
        let [low, high] = bits.to_le_bytes();
        unsafe {
            expand_8(low, compact, to, add);
            expand_8(high, compact.add(low.count_ones() as usize), to.add(8), add);
        }
    }

    #[inline(always)]
    unsafe fn compress_16(bits: u16, from: *const f32, to: *mut f32) {
        let [low, high] = bits.to_le_bytes();
        unsafe {
            compress_8(low, from, to);
            compress_8(high, from.add(8), to.add(low.count_ones() as usize));
        }
    }
}

/// For each of the 256 sets of bits a place for each of eight lanes.
type Places = [[u8; 8]; 256];

/// Where a compact line has the value of a lane: as many lanes before it have their bit set.
const EXPANDED: Places = {
    let mut places = [[0; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut lane, mut next) = (0, 0);
        while lane < 8 {
            places[bits][lane] = next & 7;
            next += (bits >> lane & 1) as u8;
            lane += 1;
        }
        bits += 1;
    }
    places
};

/// The lanes whose bit is set, in order; the rest is of no account.
const COMPRESSED: Places = {
    let mut places = [[0; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut lane, mut next) = (0, 0);
        while lane < 8 {
            if bits >> lane & 1 == 1 {
                places[bits][next] = lane as u8;
                next += 1;
            }
            lane += 1;
        }
        bits += 1;
    }
    places
};

/// The values of eight lanes, each from its place.
#[inline(always)]
unsafe fn from_places(values: __m256, places: &[u8; 8]) -> __m256 {
    unsafe { _mm256_permutevar8x32_ps(values, _mm256_cvtepu8_epi32(_mm_loadl_epi64(places.as_ptr().cast()))) }
}

/// Half of [`Simd::expand_16`].
#[inline(always)]
unsafe fn expand_8(bits: u8, compact: *const f32, to: *mut f32, add: bool) {
    unsafe {
        let values = from_places(_mm256_loadu_ps(compact), &EXPANDED[bits as usize]);
        let mask = Avx2::mask_from_bits(bits.into());
        if !add {
            return _mm256_storeu_ps(to, _mm256_and_ps(mask, values));
        }
        let whole = _mm256_loadu_ps(to);
        // Under the mask: a sum with 0 would turn a -0 beside it into 0.
        _mm256_storeu_ps(to, _mm256_blendv_ps(whole, _mm256_add_ps(whole, values), mask));
    }
}

/// Half of [`Simd::compress_16`].
#[inline(always)]
unsafe fn compress_8(bits: u8, from: *const f32, to: *mut f32) {
    unsafe { _mm256_storeu_ps(to, from_places(_mm256_loadu_ps(from), &COMPRESSED[bits as usize])) }
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "index loops keep the instruction set; see matmul::Tiles")]
unsafe fn transpose_8(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
    unsafe {
        let mut r = [_mm256_setzero_ps(); 8];
        for line in 0..8 {
            r[line] = _mm256_loadu_ps(from.add(line * stride));
        }
        for i in (0..8).step_by(2) {
            (r[i], r[i + 1]) = (_mm256_unpacklo_ps(r[i], r[i + 1]), _mm256_unpackhi_ps(r[i], r[i + 1]));
        }
        for i in (0..8).step_by(4) {
            let [a, b, c, d] = [r[i], r[i + 1], r[i + 2], r[i + 3]];
            r[i] = _mm256_shuffle_ps::<0b01_00_01_00>(a, c);
            r[i + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(a, c);
            r[i + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(b, d);
            r[i + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(b, d);
        }
        for line in 0..4 {
            let (low, high) = (r[line], r[line + 4]);
            _mm256_storeu_ps(to.add(line * to_stride), _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(to.add((line + 4) * to_stride), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }
}

/// [`Simd::walk`] for two vectors. With what a step of six lines loads they take 15 of the 16 registers; a
/// compiler, which likes to load early, runs out of them, so the order of a step is written down here.
macro_rules! walk_tile {
    ($name:ident, $count:literal: $($at:literal $line:ident $left:ident $right:ident),*) => {
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $name(walk: &Walk<'_>, lines: [*const f32; $count], next: [*const f32; 2]) {
            macro_rules! step {
                ($fetched:literal) => {
                    concat!(
                        "mov {at}, [{step}]\n",
                        "vmovups {left}, [{v}]\n",
                        "vmovups {right}, [{v} + 32]\n",
                        "prefetcht0 [{", $fetched, "}]\n",
                        $(
                            "vbroadcastss {scalar}, [{", stringify!($line), "} + 4 * {at}]\n",
                            "vfmadd231ps {", stringify!($left), "}, {left}, {scalar}\n",
                            "vfmadd231ps {", stringify!($right), "}, {right}, {scalar}\n",
                        )*
                        "add {v}, {v_stride}\n",
                        "add {step}, 8\n",
                    )
                };
            }
            let zero = _mm256_setzero_ps();
            $(let (mut $left, mut $right) = (zero, zero);)*
            // Two steps in a turn; an odd number of them begins with one alone.
            macro_rules! steps {
                ($even:literal, $odd:literal, $one:expr, $other:expr) => {{
                    let steps = walk.steps.as_ptr_range();
                    std::arch::asm!(
                        "test {at:l}, 1",
                        "jz 3f",
                        step!($even),
                        "3:",
                        "cmp {step}, {end}",
                        "je 4f",
                        "2:",
                        step!($even),
                        step!($odd),
                        "cmp {step}, {end}",
                        "jne 2b",
                        "4:",
                        step = inout(reg) steps.start => _,
                        end = in(reg) steps.end,
                        v = inout(reg) walk.v => _,
                        v_stride = in(reg) walk.v_stride * size_of::<f32>(),
                        at = inout(reg) walk.steps.len() => _,
                        one = in(reg) $one,
                        other = in(reg) $other,
                        $(
                            $line = in(reg) lines[$at],
                            $left = inout(ymm_reg) $left,
                            $right = inout(ymm_reg) $right,
                        )*
                        left = out(ymm_reg) _, right = out(ymm_reg) _, scalar = out(ymm_reg) _,
                        options(nostack, readonly),
                    )
                }};
            }
            unsafe {
                if walk.add {
                    $(
                        let from = walk.c.add($at * walk.c_stride);
                        ($left, $right) = (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8)));
                    )*
                }
                if walk.ahead == 0 {
                    steps!("one} + 4 * {at", "other} + 4 * {at", next[0], next[1]);
                } else {
                    steps!("v} + 4 * {one", "v} + 4 * {other", walk.ahead, walk.ahead);
                }
                $(
                    let to = walk.c.add($at * walk.c_stride);
                    _mm256_storeu_ps(to, $left);
                    _mm256_storeu_ps(to.add(8), $right);
                )*
            }
        }
    };
}

walk_tile!(walk_6, 6: 0 l0 a0 b0, 1 l1 a1 b1, 2 l2 a2 b2, 3 l3 a3 b3, 4 l4 a4 b4, 5 l5 a5 b5);
walk_tile!(walk_5, 5: 0 l0 a0 b0, 1 l1 a1 b1, 2 l2 a2 b2, 3 l3 a3 b3, 4 l4 a4 b4);
walk_tile!(walk_4, 4: 0 l0 a0 b0, 1 l1 a1 b1, 2 l2 a2 b2, 3 l3 a3 b3);
walk_tile!(walk_3, 3: 0 l0 a0 b0, 1 l1 a1 b1, 2 l2 a2 b2);
walk_tile!(walk_2, 2: 0 l0 a0 b0, 1 l1 a1 b1);
walk_tile!(walk_1, 1: 0 l0 a0 b0);
