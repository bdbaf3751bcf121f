//! Rows set aside for validation.

use crate::error::{Error, Result};
use crate::random::shuffle;

/// The two parts of a data set, as row numbers in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The rows to learn from.
    pub train: Vec<usize>,
    /// The rows set aside.
    pub valid: Vec<usize>,
}

/// Sets a fraction of the rows aside, drawn with random numbers from `words`, each a u32 that takes every
/// value equally often. The same words give the same split on every machine.
///
/// With `labels`, one for each row, every class gives its fraction, as nearly as whole rows allow, and
/// keeps at least one row to learn from.
///
/// # Errors
/// The fraction must be above 0 and below 1, and leave at least one row in each part.
pub fn split(
    rows: usize,
    labels: Option<&[u32]>,
    fraction: f64,
    words: &mut dyn FnMut() -> u32,
) -> Result<Split> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::argument("fraction", format!("{fraction} is not between 0 and 1")));
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::argument("rows", format!("{rows} rows are too many to split")));
    }
    let mut classes = match labels {
        None => vec![(0..rows).collect()],
        Some(labels) if labels.len() == rows => rows_of_classes(labels),
        Some(labels) => {
            return Err(Error::argument("labels", format!("{} labels for {rows} rows", labels.len())));
        }
    };
    let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
    let mut split = Split { train: Vec::new(), valid: Vec::new() };
    for (class, count) in classes.iter_mut().zip(shares(&sizes, fraction)) {
        shuffle(class, words);
        split.valid.extend_from_slice(&class[..count]);
        split.train.extend_from_slice(&class[count..]);
    }
    if split.train.is_empty() || split.valid.is_empty() {
        let problem = format!("{fraction} of {rows} rows leaves one part empty; choose another, or add rows");
        return Err(Error::argument("fraction", problem));
    }
    split.train.sort_unstable();
    split.valid.sort_unstable();
    Ok(split)
}

fn rows_of_classes(labels: &[u32]) -> Vec<Vec<usize>> {
    let mut rows = std::collections::BTreeMap::<u32, Vec<usize>>::new();
    for (row, &label) in labels.iter().enumerate() {
        rows.entry(label).or_default().push(row);
    }
    rows.into_values().collect()
}

/// How many rows each class gives: its fraction rounded down, then one more for those with the largest
/// remainders until the whole fraction is reached. Every class keeps a row.
fn shares(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let exact: Vec<f64> = sizes.iter().map(|&size| size as f64 * fraction).collect();
    let mut shares: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let wanted = (sizes.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|&one, &other| exact[other].fract().total_cmp(&exact[one].fract()));
    let mut left = wanted.saturating_sub(shares.iter().sum());
    for class in by_remainder {
        if left > 0 && shares[class] + 1 < sizes[class] {
            shares[class] += 1;
            left -= 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64, the upper half.
    fn words(mut state: u64) -> impl FnMut() -> u32 {
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((word ^ (word >> 31)) >> 32) as u32
        }
    }

    proptest::proptest! {
        #[test]
        fn every_row_is_in_one_part(
            labels in proptest::collection::vec(0_u32..5, 2..200), fraction in 0.05_f64..0.95, seed: u64
        ) {
            if let Ok(split) = split(labels.len(), Some(&labels), fraction, &mut words(seed)) {
                let mut all = [split.train.clone(), split.valid.clone()].concat();
                all.sort_unstable();
                proptest::prop_assert!(all.into_iter().eq(0..labels.len()));
                for class in 0..5 {
                    let count = |rows: &[usize]| rows.iter().filter(|&&row| labels[row] == class).count();
                    let (train, valid) = (count(&split.train), count(&split.valid));
                    let exact = (train + valid) as f64 * fraction;
                    proptest::prop_assert!((valid as f64 - exact).abs() <= 1.0, "{} of {}", valid, exact);
                    proptest::prop_assert!(train + valid == 0 || train > 0);
                }
            }
        }
    }

    #[test]
    fn sizes_are_exact_and_seeds_differ() {
        let parts = |seed| split(1000, None, 0.15, &mut words(seed)).unwrap();
        assert_eq!((parts(1).valid.len(), parts(1).train.len()), (150, 850));
        assert_eq!(parts(1), parts(1));
        assert_ne!(parts(1), parts(2));
        let labels: Vec<u32> = (0..1000).map(|row| u32::from(row < 333)).collect();
        let stratified = split(1000, Some(&labels), 0.1, &mut words(1)).unwrap();
        assert_eq!(stratified.valid.len(), 100);
        assert_eq!(stratified.valid.iter().filter(|&&row| row < 333).count(), 33);
    }

    #[test]
    fn every_row_is_set_aside_equally_often() {
        let mut counts = [0_u32; 10];
        let mut words = words(7);
        for _ in 0..20_000 {
            split(10, None, 0.3, &mut words).unwrap().valid.iter().for_each(|&row| counts[row] += 1);
        }
        // Binomial: mean 6000, standard deviation 64.8; five of them.
        assert!(counts.iter().all(|&count| count.abs_diff(6000) < 325), "{counts:?}");
    }

    #[test]
    fn refuses_empty_parts() {
        assert!(split(10, None, 0.0, &mut words(1)).is_err());
        assert!(split(10, None, 1.0, &mut words(1)).is_err());
        assert!(split(2, None, 0.1, &mut words(1)).is_err());
        assert!(split(3, Some(&[0, 1]), 0.5, &mut words(1)).is_err());
        // Two classes of one row: neither can be spared.
        assert!(split(2, Some(&[0, 1]), 0.5, &mut words(1)).is_err());
    }
}
