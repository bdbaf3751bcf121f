//! The lanes that every kernel is written over.

mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use scalar::Scalar;

/// The bits of 1, which are its exponent alone.
const ONE: u32 = 0x3f80_0000;
/// 1 - 2^-24, the largest f32 below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// A vector of f32 lanes, the u32 lanes beside it, and masks over both.
///
/// The kernels use nothing else of a machine, so a new instruction set is one file here.
/// All functions are `unsafe`: the caller must run on a machine that has the instructions,
/// and pointers must be valid for [`Simd::LANES`] values.
pub trait Simd: Copy {
    /// f32 values in a vector. Divides [`crate::LINE`].
    const LANES: usize;
    /// How many vectors wide a tile of a product is: as many as the registers hold.
    const TILE_VECTORS: usize;
    /// f32 lanes.
    type F: Copy;
    /// u32 lanes.
    type U: Copy;
    /// One bit for each lane.
    type M: Copy;

    /// Has a cache line fetched that will be needed soon.
    unsafe fn prefetch(at: *const f32);
    unsafe fn load(from: *const f32) -> Self::F;
    unsafe fn store(to: *mut f32, value: Self::F);
    unsafe fn splat(value: f32) -> Self::F;
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn div(a: Self::F, b: Self::F) -> Self::F;
    /// a * b + c, in one rounding where the machine has it.
    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger; `b` where either is NaN.
    unsafe fn max(a: Self::F, b: Self::F) -> Self::F;
    /// The smaller; `b` where either is NaN.
    unsafe fn min(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn sqrt(a: Self::F) -> Self::F;
    /// To the nearest whole number, ties to even. |a| must be below 2^22.
    unsafe fn round(a: Self::F) -> Self::F;
    /// 2^a for a whole number a from -126 to 127.
    unsafe fn power_of_two(a: Self::F) -> Self::F;
    /// The exponent e of a = m 2^e with m from 1 to below 2. `a` must be positive and normal.
    unsafe fn exponent(a: Self::F) -> Self::F;
    /// The m of a = m 2^e with m from 1 to below 2. `a` must be positive and normal.
    unsafe fn mantissa(a: Self::F) -> Self::F;
    /// Where a > b. False where either is NaN.
    unsafe fn greater(a: Self::F, b: Self::F) -> Self::M;
    /// `a` where the mask is set, else `b`.
    unsafe fn select(mask: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// `a` where the mask is set, else 0.
    unsafe fn keep(mask: Self::M, a: Self::F) -> Self::F;
    /// a * b + c where the mask is set, else `c` as it is.
    unsafe fn fma_where(mask: Self::M, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Lane i where bit i is set.
    unsafe fn mask_from_bits(bits: u32) -> Self::M;

    /// Adds to a tile the numbers along each line times the vectors beside them, step after step.
    #[inline(always)]
    unsafe fn walk<const LINES: usize, const VECTORS: usize>(
        walk: &Walk<'_>,
        lines: [*const f32; LINES],
        next: [*const f32; LINES],
    ) {
        // SAFETY: as the caller's.
        unsafe { walk_lines::<Self, LINES, VECTORS>(walk, lines, next) }
    }

    unsafe fn splat_u32(value: u32) -> Self::U;
    /// first, first + 1, first + 2, … (wrapping)
    unsafe fn count_from(first: u32) -> Self::U;
    unsafe fn xor(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn and(a: Self::U, b: Self::U) -> Self::U;
    unsafe fn or(a: Self::U, b: Self::U) -> Self::U;
    /// Whether any bit of any lane is set.
    unsafe fn has_any(a: Self::U) -> bool;
    /// Where a and b have a bit in common. `b` has one bit in every lane.
    unsafe fn has_bit(a: Self::U, b: Self::U) -> Self::M;
    /// The 64-bit products of the even lanes: their low 32 bits in the even lanes, the high ones in the odd.
    unsafe fn multiply_even(a: Self::U, b: Self::U) -> Self::U;
    /// The odd lanes, in the even lanes; what the odd lanes hold then is not said.
    unsafe fn odd_to_even(a: Self::U) -> Self::U;
    /// The even lanes of `even`, and those of `odd` in the odd lanes.
    unsafe fn join(even: Self::U, odd: Self::U) -> Self::U;
    /// Where a >= b, unsigned.
    unsafe fn at_least(a: Self::U, b: Self::U) -> Self::M;
    /// (2k + 1) / 2^24, where k is the upper 23 bits of a word: strictly between 0 and 1, and exact.
    unsafe fn uniform(word: Self::U) -> Self::F;
    unsafe fn load_u32(from: *const u32) -> Self::U;
    unsafe fn store_u32(to: *mut u32, value: Self::U);
    /// The lanes of four vectors in turn: the first lane of each, then the second of each, …
    unsafe fn interleave(vectors: [Self::U; 4]) -> [Self::U; 4];

    /// At `from` are 16 lines of 16 values, `stride` apart; they are written, transposed, to the 16 lines at
    /// `to`, `to_stride` apart.
    unsafe fn transpose_16(from: *const f32, stride: usize, to: *mut f32, to_stride: usize);

    /// Writes the values at `compact` to those lanes of the 16 at `to` whose bit is set, in order, and 0 to
    /// the others; or with `add` adds them. `compact` must be readable for 16 values.
    unsafe fn expand_16(bits: u16, compact: *const f32, to: *mut f32, add: bool);

    /// Writes those of the 16 values at `from` whose bit is set to `to`, in order, without
    /// gaps. `to` must be writable for 16 values.
    unsafe fn compress_16(bits: u16, from: *const f32, to: *mut f32);
}

/// What the lines of a tile have in common.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    /// How far into its line each number is.
    pub steps: &'a [usize],
    /// The vectors of the first step, and how far those of the next lie behind them.
    pub v: *const f32,
    pub v_stride: usize,
    /// The tile, and how far its lines lie apart.
    pub c: *mut f32,
    pub c_stride: usize,
    /// Whether the tile holds sums already; if not, they begin with 0.
    pub add: bool,
    /// Behind which of the vectors those lie that are needed next; 0: next are other lines.
    pub ahead: usize,
    /// How many tiles of the same lines were walked before this one.
    pub turn: usize,
}

/// [`Simd::walk`] as a compiler orders it.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "see matmul::Tiles::run_lines")]
unsafe fn walk_lines<S: Simd, const LINES: usize, const VECTORS: usize>(
    walk: &Walk<'_>,
    lines: [*const f32; LINES],
    next: [*const f32; LINES],
) {
    // SAFETY: as the caller's.
    unsafe {
        let mut sums = [[S::splat(0.0); VECTORS]; LINES];
        if walk.add {
            for line in 0..LINES {
                for i in 0..VECTORS {
                    sums[line][i] = S::load(walk.c.add(line * walk.c_stride + i * S::LANES));
                }
            }
        }
        let (mut turn, mut v) = (0, walk.v);
        for &at in walk.steps {
            if walk.ahead == 0 {
                // In turn: the steps between two turns of a line are closer together than a cache line is long.
                S::prefetch(next[turn].wrapping_add(at));
                turn = if turn + 1 == LINES { 0 } else { turn + 1 };
            } else {
                S::prefetch(v.wrapping_add(walk.ahead));
            }
            let mut vectors = [S::splat(0.0); VECTORS];
            for i in 0..VECTORS {
                vectors[i] = S::load(v.add(i * S::LANES));
            }
            for line in 0..LINES {
                let scalar = S::splat(*lines[line].add(at));
                for i in 0..VECTORS {
                    sums[line][i] = S::fma(scalar, vectors[i], sums[line][i]);
                }
            }
            v = v.wrapping_add(walk.v_stride);
        }
        for line in 0..LINES {
            for i in 0..VECTORS {
                S::store(walk.c.add(line * walk.c_stride + i * S::LANES), sums[line][i]);
            }
        }
    }
}
