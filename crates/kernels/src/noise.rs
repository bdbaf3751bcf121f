//! Units multiplied by random factors, drawn in registers and drawn again for the derivative.
//!
//! Buffers are `[units, rows]` with the rows of a slice padded to a multiple of [`LINE`],
//! and hold every unit of a level. The four words of a counter are for four units of one row, or of all
//! rows of a slice.

use crate::functions::logistic;
use crate::isa::for_each_isa;
use crate::normal;
use crate::philox::{self, Key};
use crate::simd::Simd;
use crate::{LINE, fits};

/// What a unit is multiplied by.
#[derive(Clone, Copy, Debug)]
pub enum Noise<'a> {
    /// 1 + deviation x n with n normal (Box and Muller 1958). What may be learned is ln(deviation²).
    Gaussian {
        /// One for each unit.
        deviations: &'a [f32],
    },
    /// z (1 + odds), where z = 1 / (1 + (odds u / (1 - u))^10) with u uniform: a relaxed mask at the
    /// temperature 1/10 (Gal, Hron and Kendall 2017, section 3). What may be learned is ln(odds).
    Concrete {
        /// The rate divided by 1 - rate.
        odds: f32,
    },
    /// 1 where u is below logistic(slope x z + shift), z being the pre-activation, else 0 (Ba and Frey
    /// 2013).
    Standout {
        /// The factor of the pre-activation.
        slope: f32,
        /// What is added to it.
        shift: f32,
        /// The pre-activations, `[units, rows]`.
        pre: &'a [f32],
    },
    /// `scale` where the word is at least the row's threshold, else 0.
    Count {
        /// One for each row.
        thresholds: &'a [u32],
        /// What kept units are multiplied by.
        scale: f32,
    },
}

/// From which random words the factors are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// Seed and stream of the level.
    pub key: Key,
    /// The step, or the number of the sampled network.
    pub step: u64,
    /// The number of the buffer's first row, the others follow; or that of the slice.
    pub first_row: u32,
    /// Whether all rows have the factors of `first_row`.
    pub shared: bool,
}

/// One level's units, and their noise.
#[derive(Clone, Copy, Debug)]
pub struct Noisy<'a> {
    /// How many units the level has.
    pub units: usize,
    /// The length of a line: the padded number of rows.
    pub rows: usize,
    /// From which words.
    pub draw: Draw,
    /// What the factors are.
    pub noise: Noise<'a>,
}

impl Noisy<'_> {
    fn check(&self, buffer: usize) {
        assert!(self.rows.is_multiple_of(LINE), "{} rows are not a multiple of {LINE}", self.rows);
        let enough = match self.noise {
            Noise::Gaussian { deviations } => deviations.len() >= self.units,
            Noise::Concrete { .. } => true,
            Noise::Standout { pre, .. } => fits(self.units, self.rows, self.rows, pre.len()),
            Noise::Count { thresholds, .. } => thresholds.len() >= self.rows,
        };
        assert!(
            enough && fits(self.units, self.rows, self.rows, buffer),
            "a buffer is shorter than its units"
        );
    }
}

for_each_isa! {
    /// `values` are multiplied by their factors; with `clean` not empty, what they were is written there.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn multiply(at: Noisy<'_>, values: &mut [f32], clean: &mut [f32]) = multiply_body
}

#[inline(always)]
fn multiply_body<S: Simd>(at: Noisy<'_>, values: &mut [f32], clean: &mut [f32]) {
    at.check(if clean.is_empty() { values.len() } else { values.len().min(clean.len()) });
    let clean = if clean.is_empty() { std::ptr::null_mut() } else { clean.as_mut_ptr() };
    let values = values.as_mut_ptr();
    // SAFETY: the buffers are long enough, as checked; the lanes are the running machine's.
    unsafe {
        match at.noise {
            Noise::Gaussian { deviations } => multiply_by::<S, _>(at, Gaussian(deviations), values, clean),
            Noise::Concrete { odds } => multiply_by::<S, _>(at, Concrete(odds), values, clean),
            Noise::Standout { slope, shift, pre } => {
                multiply_by::<S, _>(at, Standout { slope, shift, pre }, values, clean)
            }
            Noise::Count { thresholds, scale } => {
                multiply_by::<S, _>(at, Count { thresholds, scale }, values, clean)
            }
        }
    }
}

for_each_isa! {
    /// The derivative of [`multiply`]: `gradients`, by what it made, become those by what it was given.
    /// With `learned` not empty, `clean` holds what it was given, and `learned`, one number for each unit,
    /// becomes the gradient by the number that is learned of the unit's noise, summed over the rows.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn differentiate(at: Noisy<'_>, clean: &[f32], gradients: &mut [f32], learned: &mut [f32]) =
        differentiate_body
}

#[inline(always)]
fn differentiate_body<S: Simd>(at: Noisy<'_>, clean: &[f32], gradients: &mut [f32], learned: &mut [f32]) {
    at.check(if learned.is_empty() { gradients.len() } else { gradients.len().min(clean.len()) });
    assert!(learned.is_empty() || learned.len() >= at.units, "a buffer is shorter than its units");
    let learned = if learned.is_empty() { std::ptr::null_mut() } else { learned.as_mut_ptr() };
    let gradients = gradients.as_mut_ptr();
    // SAFETY: the buffers are long enough, as checked; the lanes are the running machine's.
    unsafe {
        match at.noise {
            Noise::Gaussian { deviations } if learned.is_null() => {
                multiply_by::<S, _>(at, Gaussian(deviations), gradients, std::ptr::null_mut())
            }
            Noise::Concrete { odds } if learned.is_null() => {
                multiply_by::<S, _>(at, Concrete(odds), gradients, std::ptr::null_mut())
            }
            Noise::Gaussian { deviations } => {
                differentiate_by::<S, _>(at, Gaussian(deviations), clean.as_ptr(), gradients, learned)
            }
            Noise::Concrete { odds } => {
                differentiate_by::<S, _>(at, Concrete(odds), clean.as_ptr(), gradients, learned)
            }
            Noise::Standout { slope, shift, pre } => {
                multiply_by::<S, _>(at, Standout { slope, shift, pre }, gradients, std::ptr::null_mut())
            }
            Noise::Count { thresholds, scale } => {
                multiply_by::<S, _>(at, Count { thresholds, scale }, gradients, std::ptr::null_mut())
            }
        }
    }
}

/// One kind of noise over lanes.
trait Form<S: Simd>: Copy {
    /// What is drawn for a unit before its own numbers come in.
    type Drawn: Copy;

    /// What the four words of four units give.
    unsafe fn draw(self, words: [S::U; 4]) -> [Self::Drawn; 4];

    /// The factors of a unit at a vector of rows; `at` is where they stand in the buffers.
    unsafe fn factor(self, drawn: Self::Drawn, unit: usize, row: usize, at: usize) -> S::F;

    /// The derivative of the factors by the number that is learned, where one is.
    #[inline(always)]
    unsafe fn slope(self, _drawn: Self::Drawn, _unit: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe { S::splat(0.0) }
    }
}

#[derive(Clone, Copy)]
struct Gaussian<'a>(&'a [f32]);

impl<S: Simd> Form<S> for Gaussian<'_> {
    type Drawn = S::F;

    #[inline(always)]
    unsafe fn draw(self, words: [S::U; 4]) -> [S::F; 4] {
        // SAFETY: as the caller's.
        unsafe { normal::normals::<S>(words) }
    }

    #[inline(always)]
    unsafe fn factor(self, drawn: S::F, unit: usize, _row: usize, _at: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe { S::fma(S::splat(self.0[unit]), drawn, S::splat(1.0)) }
    }

    /// 1 + exp(l / 2) n, by l.
    #[inline(always)]
    unsafe fn slope(self, drawn: S::F, unit: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe { S::mul(S::splat(0.5 * self.0[unit]), drawn) }
    }
}

#[derive(Clone, Copy)]
struct Concrete(f32);

impl<S: Simd> Form<S> for Concrete {
    type Drawn = S::F;

    /// The relaxed masks z. The tenth power of a large number may be infinite; z is then 0.
    #[inline(always)]
    unsafe fn draw(self, words: [S::U; 4]) -> [S::F; 4] {
        // SAFETY: as the caller's.
        unsafe {
            let one = S::splat(1.0);
            let mut masks = [one; 4];
            for four in 0..4 {
                let u = S::uniform(words[four]);
                let odds = S::div(S::mul(S::splat(self.0), u), S::sub(one, u));
                let square = S::mul(odds, odds);
                let fifth = S::mul(S::mul(square, square), odds);
                masks[four] = S::div(one, S::fma(fifth, fifth, one));
            }
            masks
        }
    }

    #[inline(always)]
    unsafe fn factor(self, drawn: S::F, _unit: usize, _row: usize, _at: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe { S::mul(drawn, S::splat(1.0 + self.0)) }
    }

    /// z (1 + odds) by ln(odds): the factor times rate - 10 (1 - z).
    #[inline(always)]
    unsafe fn slope(self, drawn: S::F, _unit: usize) -> S::F {
        // SAFETY: as the caller's.
        unsafe {
            let factor = S::mul(drawn, S::splat(1.0 + self.0));
            let dropped = S::sub(S::splat(1.0), drawn);
            S::mul(factor, S::fma(dropped, S::splat(-10.0), S::splat(self.0 / (1.0 + self.0))))
        }
    }
}

#[derive(Clone, Copy)]
struct Standout<'a> {
    slope: f32,
    shift: f32,
    pre: &'a [f32],
}

impl<S: Simd> Form<S> for Standout<'_> {
    type Drawn = S::F;

    #[inline(always)]
    unsafe fn draw(self, words: [S::U; 4]) -> [S::F; 4] {
        // SAFETY: as the caller's.
        unsafe {
            let mut uniforms = [S::splat(0.0); 4];
            for four in 0..4 {
                uniforms[four] = S::uniform(words[four]);
            }
            uniforms
        }
    }

    #[inline(always)]
    unsafe fn factor(self, drawn: S::F, _unit: usize, _row: usize, at: usize) -> S::F {
        // SAFETY: as the caller's; `at` is inside the buffers.
        unsafe {
            let z = S::load(self.pre.as_ptr().add(at));
            let keep = logistic::<S>(S::fma(S::splat(self.slope), z, S::splat(self.shift)));
            S::keep(S::greater(keep, drawn), S::splat(1.0))
        }
    }
}

#[derive(Clone, Copy)]
struct Count<'a> {
    thresholds: &'a [u32],
    scale: f32,
}

impl<S: Simd> Form<S> for Count<'_> {
    type Drawn = S::U;

    #[inline(always)]
    unsafe fn draw(self, words: [S::U; 4]) -> [S::U; 4] {
        words
    }

    #[inline(always)]
    unsafe fn factor(self, drawn: S::U, _unit: usize, row: usize, _at: usize) -> S::F {
        // SAFETY: as the caller's; there is a threshold for each row.
        unsafe {
            let thresholds = S::load_u32(self.thresholds.as_ptr().add(row));
            S::keep(S::at_least(drawn, thresholds), S::splat(self.scale))
        }
    }
}

/// The words of four units from `first` on, at the rows from `row` on.
#[inline(always)]
unsafe fn words<S: Simd>(draw: Draw, first: usize, row: usize) -> [S::U; 4] {
    // SAFETY: as the caller's.
    unsafe {
        let rows = if draw.shared {
            S::splat_u32(draw.first_row)
        } else {
            S::count_from(draw.first_row.wrapping_add(row as u32))
        };
        philox::lanes::<S>(draw.key, S::splat_u32((first / 4) as u32), rows, draw.step)
    }
}

/// # Safety
/// As for [`Simd`]; the buffers must hold all units and rows, `clean` may be null.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "index loops keep the instruction set; see matmul::Tiles")]
unsafe fn multiply_by<S: Simd, N: Form<S>>(at: Noisy<'_>, noise: N, values: *mut f32, clean: *mut f32) {
    for first in (0..at.units).step_by(4) {
        // SAFETY: as the caller's.
        unsafe {
            let mut drawn = noise.draw(words::<S>(at.draw, first, 0));
            for row in (0..at.rows).step_by(S::LANES) {
                if row > 0 && !at.draw.shared {
                    drawn = noise.draw(words::<S>(at.draw, first, row));
                }
                for four in 0..4 {
                    let unit = first + four;
                    if unit == at.units {
                        break;
                    }
                    let place = unit * at.rows + row;
                    let value = S::load(values.add(place));
                    if !clean.is_null() {
                        S::store(clean.add(place), value);
                    }
                    let factor = noise.factor(drawn[four], unit, row, place);
                    S::store(values.add(place), S::mul(value, factor));
                }
            }
        }
    }
}

/// # Safety
/// As for [`Simd`]; the buffers must hold all units and rows, `learned` all units.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "index loops keep the instruction set; see matmul::Tiles")]
unsafe fn differentiate_by<S: Simd, N: Form<S>>(
    at: Noisy<'_>,
    noise: N,
    clean: *const f32,
    gradients: *mut f32,
    learned: *mut f32,
) {
    for first in (0..at.units).step_by(4) {
        // SAFETY: as the caller's; `lanes` holds at least a vector.
        unsafe {
            let mut totals = [S::splat(0.0); 4];
            let mut drawn = noise.draw(words::<S>(at.draw, first, 0));
            for row in (0..at.rows).step_by(S::LANES) {
                if row > 0 && !at.draw.shared {
                    drawn = noise.draw(words::<S>(at.draw, first, row));
                }
                for four in 0..4 {
                    let unit = first + four;
                    if unit == at.units {
                        break;
                    }
                    let place = unit * at.rows + row;
                    let gradient = S::load(gradients.add(place));
                    let by_factor = S::mul(gradient, S::load(clean.add(place)));
                    totals[four] = S::fma(by_factor, noise.slope(drawn[four], unit), totals[four]);
                    let factor = noise.factor(drawn[four], unit, row, place);
                    S::store(gradients.add(place), S::mul(gradient, factor));
                }
            }
            for four in 0..4 {
                if first + four < at.units {
                    let mut lanes = [0.0; LINE];
                    S::store(lanes.as_mut_ptr(), totals[four]);
                    *learned.add(first + four) = lanes[..S::LANES].iter().sum();
                }
            }
        }
    }
}

for_each_isa! {
    /// `values` are multiplied by logistic(slope x pre + shift): what the noise of standout is on average.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`LINE`].
    pub fn multiply_by_keep(slope: f32, shift: f32, pre: &[f32], values: &mut [f32]) = multiply_by_keep_body
}

#[inline(always)]
fn multiply_by_keep_body<S: Simd>(slope: f32, shift: f32, pre: &[f32], values: &mut [f32]) {
    assert!(pre.len() == values.len() && values.len().is_multiple_of(LINE), "the lines do not fit");
    for at in (0..values.len()).step_by(S::LANES) {
        // SAFETY: `at` is a vector below the common length; the lanes are the running machine's.
        unsafe {
            let z = S::load(pre.as_ptr().add(at));
            let keep = logistic::<S>(S::fma(S::splat(slope), z, S::splat(shift)));
            S::store(values.as_mut_ptr().add(at), S::mul(S::load(values.as_ptr().add(at)), keep));
        }
    }
}
