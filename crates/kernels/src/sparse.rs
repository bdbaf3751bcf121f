//! Products with a matrix most of whose numbers are 0: those that are not, line by line.

use crate::isa::for_each_isa;
use crate::simd::Simd;
use crate::{LINE, fits};

/// The numbers of a matrix that are not 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse {
    /// Where each line begins in the lists below, and behind the last where it ends.
    pub starts: Vec<u32>,
    /// The step of each number; within a line they ascend.
    pub steps: Vec<u32>,
    /// The numbers.
    pub values: Vec<f32>,
}

impl Sparse {
    /// The numbers of `[lines, stride]` that are not 0, of the first `width` of each line.
    pub fn of(matrix: &[f32], stride: usize, width: usize) -> Self {
        let mut sparse = Self { starts: vec![0], ..Self::default() };
        for line in matrix.chunks_exact(stride) {
            for (step, &value) in line[..width].iter().enumerate().filter(|(_, value)| **value != 0.0) {
                sparse.steps.push(step as u32);
                sparse.values.push(value);
            }
            sparse.starts.push(sparse.steps.len() as u32);
        }
        sparse
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
}

for_each_isa! {
    /// C\[j, ..width\] = sum over k of S\[j, k\] V\[k, ..width\], in the order of k. V and C have lines of
    /// `width`, a multiple of [`LINE`].
    ///
    /// # Panics
    /// If a step leads outside `v`, or `c` has too few lines.
    pub fn product(s: &Sparse, v: &[f32], width: usize, c: &mut [f32]) = product_body
}

#[inline(always)]
fn product_body<S: Simd>(s: &Sparse, v: &[f32], width: usize, c: &mut [f32]) {
    assert!(width.is_multiple_of(LINE), "width {width} is not a multiple of {LINE}");
    assert!(fits(s.lines(), width, width, c.len()), "the result does not fit");
    let last = s.steps.iter().max().map_or(0, |&last| last as usize + 1);
    assert!(fits(last, width, width, v.len()), "too few vectors");
    assert!(s.steps.len() == s.values.len(), "numbers and their steps differ in length");
    for line in 0..s.lines() {
        let numbers = s.starts[line] as usize..s.starts[line + 1] as usize;
        let (steps, values) = (&s.steps[numbers.clone()], &s.values[numbers]);
        let mut column = 0;
        while column < width {
            let vectors = ((width - column) / S::LANES).min(4);
            // SAFETY: the asserts above bound every step and line; the lanes are the running machine's.
            unsafe {
                let (v, c) = (v.as_ptr().add(column), c.as_mut_ptr().add(line * width + column));
                match vectors {
                    1 => run::<S, 1>(steps, values, v, width, c),
                    2 => run::<S, 2>(steps, values, v, width, c),
                    3 => run::<S, 3>(steps, values, v, width, c),
                    _ => run::<S, 4>(steps, values, v, width, c),
                }
            }
            column += vectors * S::LANES;
        }
    }
}

/// # Safety
/// `v` must be valid for a vector of every step, `c` for one.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "index loops keep the instruction set; see matmul::Tiles")]
unsafe fn run<S: Simd, const VECTORS: usize>(
    steps: &[u32],
    values: &[f32],
    v: *const f32,
    width: usize,
    c: *mut f32,
) {
    // SAFETY: as the caller's.
    unsafe {
        let mut sums = [S::splat(0.0); VECTORS];
        for (&step, &value) in steps.iter().zip(values) {
            let (from, value) = (v.add(step as usize * width), S::splat(value));
            for i in 0..VECTORS {
                sums[i] = S::fma(value, S::load(from.add(i * S::LANES)), sums[i]);
            }
        }
        for i in 0..VECTORS {
            S::store(c.add(i * S::LANES), sums[i]);
        }
    }
}
