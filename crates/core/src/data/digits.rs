//! The UCI optical digits, embedded in the program. Origin and licence: `digits/README.md`.

use super::Images;
use super::idx::read_idx;
use crate::error::Result;

const IMAGES: &[u8] = include_bytes!("digits/images-idx3-ubyte.gz");
const LABELS: &[u8] = include_bytes!("digits/labels-idx1-ubyte.gz");

/// 1797 handwritten digits of 8 x 8 pixels from 0 to 16, in 10 classes.
///
/// The test part of *Optical Recognition of Handwritten Digits*, E. Alpaydin and C. Kaynak (1998), UCI
/// Machine Learning Repository, licensed under CC BY 4.0.
///
/// # Errors
/// Only if the program itself is damaged.
///
/// ```
/// let digits = thinnet::data::digits()?;
/// assert_eq!((digits.rows(), digits.classes()), (1797, 10));
/// # Ok::<(), thinnet::Error>(())
/// ```
pub fn digits() -> Result<Images> {
    let ([_, height, width], pixels) = read_idx("digits", IMAGES, IMAGES.len() as u64)?;
    let ([_], labels) = read_idx("digits", LABELS, LABELS.len() as u64)?;
    Images::new("digits", (height, width), 16.0, pixels, labels.into_iter().map(u32::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against numbers printed by scikit-learn 1.9.1, `d = load_digits()`.
    #[test]
    fn are_those_of_scikit_learn() {
        let digits = digits().unwrap();
        assert_eq!((digits.rows(), digits.height(), digits.width(), digits.classes()), (1797, 8, 8, 10));
        // d.data[0, :16]
        assert_eq!(digits.image(0)[..16], [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]);
        // d.target[-5:] and numpy.bincount(d.target)
        assert_eq!(digits.labels()[1792..], [9, 0, 8, 9, 8]);
        let mut counts = [0; 10];
        digits.labels().iter().for_each(|&label| counts[label as usize] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        // d.data.sum() and (d.data.sum(1) * numpy.arange(1797) % 1009).sum()
        let sum = |row| digits.image(row).iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
        assert_eq!((0..1797).map(sum).sum::<u64>(), 561_718);
        assert_eq!((0..1797).map(|row| sum(row) * row as u64 % 1009).sum::<u64>(), 882_745);
        assert_eq!(digits.pixels().iter().max(), Some(&16));
    }
}
