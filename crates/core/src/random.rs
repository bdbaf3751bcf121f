//! Numbers from random words. streams.rs says which words; what comes of them is promised to the bit
//! (docs/determinism.md), so where two functions here do nearly the same, both stay.

use thinnet_kernels::philox::{self, Counter, Key};

/// One random word after another: the first of block 0 of a row, of the steps 1, 2, ...
pub(crate) fn words(key: Key, row: u32) -> impl FnMut() -> u32 {
    let mut step = 0;
    move || {
        step += 1;
        philox::words(key, Counter { block: 0, row, step })[0]
    }
}

/// Two numbers strictly between 0 and 1, of 52 bits each.
pub(crate) fn uniform_pair(words: [u32; 4]) -> [f64; 2] {
    let number = |high: u32, low: u32| {
        let bits = (u64::from(high) << 20) | u64::from(low >> 12);
        (bits as f64 + 0.5) / (1u64 << 52) as f64
    };
    [number(words[0], words[1]), number(words[2], words[3])]
}

/// Two independent normal numbers with mean 0, from a [`uniform_pair`] (Box and Muller 1958). They are in
/// f64; the noise of thinned networks is the kernels', in f32 from 23 bits each, and gives other numbers.
pub(crate) fn normal_pair(a: f64, b: f64, deviation: f64) -> [f64; 2] {
    let radius = deviation * (-2.0 * libm::log(a)).sqrt();
    let angle = std::f64::consts::TAU * b;
    [radius * libm::cos(angle), radius * libm::sin(angle)]
}

/// A random number below `limit`, each equally often: Lemire, Fast random integer generation in an
/// interval (2019). It draws a word again that would favour small numbers, so nobody can tell beforehand how
/// many words are taken. Which rows a seed sets aside hangs on these bits: [`below_counter`] cannot take its
/// place.
pub(crate) fn below(limit: u32, words: &mut dyn FnMut() -> u32) -> u32 {
    let refused_below = limit.wrapping_neg() % limit;
    loop {
        let product = u64::from(words()) * u64::from(limit);
        if product as u32 >= refused_below {
            return (product >> 32) as u32;
        }
    }
}

/// A number below `limit` from the first 64 bits of a counter: uniform to within `limit` / 2^64, which is not
/// quite what [`below`] gives. But it takes this counter's words and no others, so it can be drawn again
/// without those before it. The order of a seed's training rows hangs on these bits: [`below`] cannot take
/// its place.
pub(crate) fn below_counter(key: Key, counter: Counter, limit: usize) -> usize {
    let [high, low, ..] = philox::words(key, counter);
    let word = u64::from(high) << 32 | u64::from(low);
    ((u128::from(word) * limit as u128) >> 64) as usize
}

/// Fisher and Yates's shuffle, from the last place down, each place filled by [`below`]. The order of the
/// training rows is not drawn by this one: there each place has a counter of its own, for [`below_counter`].
pub(crate) fn shuffle<T>(items: &mut [T], words: &mut dyn FnMut() -> u32) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last as u32 + 1, words) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_words_give_finite_numbers() {
        for words in [[0; 4], [u32::MAX; 4]] {
            let [a, b] = uniform_pair(words);
            assert!(0.0 < a && a < 1.0 && 0.0 < b && b < 1.0);
            assert!(normal_pair(a, b, 1.0).iter().all(|normal| normal.abs() < 9.0));
        }
    }

    #[test]
    fn draws_words_that_would_favour_small_numbers_again() {
        // 2^32 = 3 * 1431655765 + 1: of all words only 0 is refused.
        let mut sequence = [0, 1431655765, 1431655766, u32::MAX].into_iter();
        let mut words = || sequence.next().unwrap();
        let drawn = [below(3, &mut words), below(3, &mut words), below(3, &mut words)];
        assert_eq!(drawn, [0, 1, 2]);
    }
}
