//! The reliability curve: how often a prediction is right that is made with so much confidence.

use serde::{Deserialize, Serialize};

use super::weights::{Weights, check_probabilities};
use crate::data::{Matrix, largest};
use crate::error::Result;

/// How many bins a reliability curve has.
const BINS: usize = 15;

/// One bin of a reliability curve. The field names are those of `thinnet evaluate --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The bin holds probabilities above this,
    pub above: f64,
    /// and up to this.
    pub up_to: f64,
    /// The share of all rows, by weight, that it holds.
    pub share: f64,
    /// The mean probability of the most probable class in these rows; none if there are none.
    pub confidence: Option<f64>,
    /// The share of these rows whose most probable class is right; none if there are none.
    pub accuracy: Option<f64>,
}

/// The reliability curve (Guo et al. 2017), from probabilities `[rows, classes]`: rows are put into 15
/// bins of equal width by the probability of their most probable class, and in each bin its mean is set
/// against how often the class is right. Bin k holds probabilities above k/15 up to (k+1)/15.
///
/// # Errors
/// See [the module](crate::measure).
pub fn reliability(
    probabilities: &Matrix,
    labels: &[u32],
    weights: Option<&[f32]>,
) -> Result<Vec<ReliabilityBin>> {
    check_probabilities(probabilities, labels)?;
    let weights = Weights::new(weights, labels.len())?;
    // Sums of weight, of weight times confidence, of the weight of right rows.
    let mut sums = [[0.0; 3]; BINS];
    for (row, &label) in labels.iter().enumerate() {
        let class = largest(probabilities.row(row));
        let confidence = f64::from(probabilities.row(row)[class]);
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let (weight, right) = (weights.of(row), f64::from(class == label as usize));
        let added = [weight, weight * confidence, weight * right];
        sums[bin].iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
    }
    let bin = |(index, [weight, confidence, right]): (usize, [f64; 3])| {
        let edge = |number: usize| number as f64 / BINS as f64;
        let mean = |sum: f64| (weight > 0.0).then(|| sum / weight);
        ReliabilityBin {
            above: edge(index),
            up_to: edge(index + 1),
            share: weight / weights.total,
            confidence: mean(confidence),
            accuracy: mean(right),
        }
    };
    Ok(sums.into_iter().enumerate().map(bin).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{expected_calibration_error, test_values::*};

    /// 100 rows at each of the confidences .55, .65, ..., .95, right in just so many of them.
    #[test]
    fn labels_drawn_as_often_as_said_are_perfectly_calibrated() {
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for percent in [55_u32, 65, 75, 85, 95] {
            for row in 0..100 {
                values.extend([percent as f32 / 100.0, 1.0 - percent as f32 / 100.0]);
                labels.push(u32::from(row >= percent));
            }
        }
        let probabilities = Matrix::new(500, 2, values).unwrap();
        let bins = reliability(&probabilities, &labels, None).unwrap();
        // Their bins: .55 in (8/15, 9/15], .65 in (9/15, 10/15], .75 in (11/15, 12/15], and so on.
        for (bin, percent) in [(8, 55), (9, 65), (11, 75), (12, 85), (14, 95)] {
            let (share, expected) = (bins[bin].share, f64::from(percent) / 100.0);
            assert!(bins[bin].above < expected && expected <= bins[bin].up_to && share == 0.2);
            assert!((bins[bin].confidence.unwrap() - expected).abs() < 1e-6);
            assert!((bins[bin].accuracy.unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!((bins[0].share, bins[0].confidence, bins[13].accuracy), (0.0, None, None));
        assert!(expected_calibration_error(&probabilities, &labels, None).unwrap() < 1e-6);
    }

    #[test]
    fn a_row_of_weight_two_counts_twice() {
        let bins = reliability(&probabilities(), &LABELS, Some(&WEIGHTS)).unwrap();
        assert!((bins.iter().map(|bin| bin.share).sum::<f64>() - 1.0).abs() < 1e-12);
        // As f32 .6 and .8 are a little above the edges 9/15 and 12/15. The last row has .6 of class 0
        // where 2 is right, and 1.5 of 9 of the weight.
        close(bins[9].share, 1.5 / 9.0);
        assert_eq!(bins[9].accuracy, Some(0.0));
        // Two rows have .8, weights 2 and 3, and both are right.
        close(bins[12].share, 5.0 / 9.0);
        assert_eq!(bins[12].accuracy, Some(1.0));
    }
}
