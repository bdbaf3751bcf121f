//! Memory in large pages, where the system has them.
//!
//! A step walks all parameters, and products walk down columns, of weights and of rows; with pages of 4 KiB
//! these have more pages than the processor remembers addresses of.

use std::collections::TryReserveError;
use std::ops::{Deref, DerefMut};

const LARGE_PAGE: usize = 2 << 20;

/// Numbers from which large pages are asked for: two pages of 2 MiB.
const WORTH_LARGE_PAGES: usize = 1 << 20;

/// So many zeros.
///
/// # Errors
/// If the memory is not to be had.
pub fn zeros(count: usize) -> Result<Vec<f32>, TryReserveError> {
    let mut numbers: Vec<f32> = Vec::new();
    numbers.try_reserve_exact(count)?;
    if count >= WORTH_LARGE_PAGES {
        advise_large_pages(numbers.as_ptr().addr(), numbers.capacity() * size_of::<f32>());
    }
    numbers.resize(count, 0.0);
    Ok(numbers)
}

/// Numbers whose lines lie one below the other. From as many on as the lines of a product have pages of their
/// own, they begin on a large page.
#[derive(Debug, Default)]
pub struct Lines {
    memory: Vec<f32>,
    first: usize,
    length: usize,
}

/// Numbers from which lines begin on a large page: 32 pages of 4 KiB.
const WORTH_A_LARGE_PAGE: usize = 1 << 15;

impl Lines {
    /// So many zeros.
    pub fn zeros(length: usize) -> Self {
        if length < WORTH_A_LARGE_PAGE {
            return Self { memory: vec![0.0; length], first: 0, length };
        }
        let whole_pages = (length * size_of::<f32>()).next_multiple_of(LARGE_PAGE);
        // Zeroed by the system, so that what is not used is never touched.
        let memory = vec![0.0; (whole_pages + LARGE_PAGE) / size_of::<f32>()];
        let address = memory.as_ptr().addr();
        let first = (address.next_multiple_of(LARGE_PAGE) - address) / size_of::<f32>();
        advise_large_pages(address, memory.len() * size_of::<f32>());
        Self { memory, first, length }
    }
}

impl Deref for Lines {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.memory[self.first..][..self.length]
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.first..][..self.length]
    }
}

impl Clone for Lines {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.length);
        copy.copy_from_slice(self);
        copy
    }
}

/// Asks for large pages from an address on, before the memory is first touched. A wish: a system
/// that does not grant it loses nothing.
#[cfg(target_os = "linux")]
fn advise_large_pages(address: usize, bytes: usize) {
    // MADV_HUGEPAGE, linux/mman.h.
    const HUGEPAGE: i32 = 14;
    unsafe extern "C" {
        fn madvise(address: usize, length: usize, advice: i32) -> i32;
    }
    let first = address.next_multiple_of(LARGE_PAGE);
    let length = (address + bytes).saturating_sub(first) / LARGE_PAGE * LARGE_PAGE;
    if length > 0 {
        // SAFETY: the range lies inside one allocation, and this advice changes no content.
        unsafe { madvise(first, length, HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_large_pages(_address: usize, _bytes: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_memory_is_zero_and_can_be_written() {
        for count in [0, 1, 1000, 3 * WORTH_LARGE_PAGES + 7] {
            let mut numbers = zeros(count).unwrap();
            assert_eq!(numbers.len(), count);
            assert!(numbers.iter().all(|&number| number == 0.0));
            numbers.iter_mut().for_each(|number| *number = 1.0);
            assert!(numbers.iter().all(|&number| number == 1.0));
        }
    }

    #[test]
    fn lines_are_zero_and_their_copies_are_their_own() {
        for length in [0, 1, WORTH_A_LARGE_PAGE - 1, WORTH_A_LARGE_PAGE, 3 * WORTH_A_LARGE_PAGE + 7, 1 << 20]
        {
            let mut lines = Lines::zeros(length);
            assert_eq!(lines.len(), length);
            assert!(lines.iter().all(|&number| number == 0.0));
            lines.iter_mut().for_each(|number| *number = 1.0);
            let copy = lines.clone();
            lines.fill(2.0);
            assert!(copy.len() == length && copy.iter().all(|&number| number == 1.0));
            assert!(length < WORTH_A_LARGE_PAGE || copy.as_ptr().addr().is_multiple_of(LARGE_PAGE));
        }
    }

    #[test]
    fn more_memory_than_there_is_is_an_error() {
        assert!(zeros(usize::MAX / 8).is_err());
    }
}
