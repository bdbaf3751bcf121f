//! Memory for parameters, in large pages where the system has them.
//!
//! A step walks all parameters, and products walk down their columns; with pages of 4 KiB a
//! network of some million weights has more pages than the processor remembers addresses of.

use std::collections::TryReserveError;

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

/// Asks for large pages from an address on, before the memory is first touched. A wish: a system
/// that does not grant it loses nothing.
#[cfg(target_os = "linux")]
fn advise_large_pages(address: usize, bytes: usize) {
    const LARGE_PAGE: usize = 2 << 20;
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
    fn more_memory_than_there_is_is_an_error() {
        assert!(zeros(usize::MAX / 8).is_err());
    }
}
