//! An exact count of kept units: m of n, chosen without replacement (Graham et al. 2015).

use serde::{Deserialize, Serialize};

/// How many units of a level are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// A random number: each unit is kept or dropped by itself (Srivastava et al. 2014).
    #[default]
    Random,
    /// Always the same number: keep times the units, rounded, at least one.
    Exact,
}

/// How many of `units` are kept at a rate.
pub(super) fn exact(units: usize, rate: f32) -> usize {
    let kept = (f64::from(1.0 - rate) * units as f64).round() as usize;
    kept.clamp(1.min(units), units)
}

/// The `kept`-th largest word: those that are at least as large are kept. `scratch` is overwritten and
/// as long as the words.
pub(super) fn threshold(words: &[u32], kept: usize, scratch: &mut [u32]) -> u32 {
    scratch.copy_from_slice(words);
    match words.len().checked_sub(kept) {
        Some(dropped) if kept > 0 => *scratch.select_nth_unstable(dropped).1,
        _ => 0,
    }
}

/// Shows the units with the `kept` largest words in ascending order; of equal words at the threshold,
/// those of the lower numbers.
pub(super) fn keep_largest(words: &[u32], kept: usize, scratch: &mut [u32], mut show: impl FnMut(usize)) {
    if kept == 0 {
        return;
    }
    let threshold = threshold(words, kept, scratch);
    let above = words.iter().filter(|&&word| word > threshold).count();
    let mut equal = kept.saturating_sub(above);
    for (unit, &word) in words.iter().enumerate() {
        if word > threshold {
            show(unit);
        } else if word == threshold && equal > 0 {
            show(unit);
            equal -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &[u32], count: usize) -> Vec<usize> {
        let mut kept = Vec::new();
        keep_largest(words, count, &mut vec![0; words.len()], |unit| kept.push(unit));
        kept
    }

    #[test]
    fn the_largest_words_are_kept() {
        assert_eq!(kept(&[5, 9, 1, 7, 3], 3), [0, 1, 3]);
        assert_eq!(kept(&[5, 9, 1, 7, 3], 5), [0, 1, 2, 3, 4]);
        assert!(kept(&[5, 9, 1, 7, 3], 0).is_empty());
        assert_eq!(kept(&[4, 4, 9, 4, 1], 3), [0, 1, 2], "of equal words, the lower numbers");
        assert_eq!(kept(&[0, 0, 0], 2), [0, 1]);
        assert!(kept(&[], 0).is_empty());
    }

    #[test]
    fn the_count_is_keep_times_the_units() {
        assert_eq!([exact(10, 0.5), exact(11, 0.5), exact(1000, 0.2)], [5, 6, 800]);
        assert_eq!([exact(3, 0.9), exact(5, 0.0), exact(1, 0.7)], [1, 5, 1]);
    }
}
