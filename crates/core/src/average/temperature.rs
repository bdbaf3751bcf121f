//! Temperature scaling: one number that makes probabilities as sure as they should be.

use super::Link;
use crate::data::Matrix;

/// The range of temperatures. Where validation rows are all right, the likelihood asks for 0.
const RANGE: (f64, f64) = (0.01, 100.0);

/// The temperature that gives the labels the least negative log-likelihood (Guo et al. 2017), from
/// outputs `[rows, outputs]` of rows that were not trained on. `weights` says what each row counts, 1 each
/// if nothing is said. It lies between 0.01 and 100; 1 for values, and where an output is not finite.
///
/// Labels and weights must be those of [`Examples`](crate::data::Examples) with these rows and classes.
///
/// The loss is convex in 1 / temperature, so Newton's method within a shrinking bracket finds it.
pub(crate) fn temperature(link: Link, outputs: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> f32 {
    if link.predicts_values() || outputs.values().iter().any(|output| !output.is_finite()) {
        return 1.0;
    }
    let (mut low, mut high) = (1.0 / RANGE.1, 1.0 / RANGE.0);
    let mut inverse = 1.0;
    for _ in 0..60 {
        let (slope, curvature) = derivatives(inverse, outputs, labels, weights);
        if slope > 0.0 {
            high = inverse
        } else {
            low = inverse
        }
        let newton = inverse - slope / curvature;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - inverse).abs() <= 1e-9 * inverse {
            break;
        }
        inverse = next;
    }
    (1.0 / inverse) as f32
}

/// The first and second derivative of the sum of the losses by the inverse temperature: under a row's
/// probabilities, the mean of the logits less the label's, and the variance of the logits.
fn derivatives(inverse: f64, outputs: &Matrix, labels: &[u32], weights: Option<&[f32]>) -> (f64, f64) {
    let (mut slope, mut curvature) = (0.0, 0.0);
    let mut logits = Vec::new();
    for (row, &label) in labels.iter().enumerate() {
        logits.clear();
        // One logit is that of class 1 against 0.
        logits.extend((outputs.columns() == 1).then_some(0.0));
        logits.extend(outputs.row(row).iter().map(|&logit| f64::from(logit)));
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for &logit in &logits {
            let power = libm::exp(inverse * (logit - largest));
            sum += power;
            first += power * (logit - largest);
            second += power * (logit - largest) * (logit - largest);
        }
        let (mean, weight) = (first / sum, weights.map_or(1.0, |weights| f64::from(weights[row])));
        slope += weight * (mean + largest - logits[label as usize]);
        curvature += weight * (second / sum - mean * mean);
    }
    (slope, curvature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::average::Output;
    use crate::measure::negative_log_likelihood;

    /// Logits whose labels are drawn with the probabilities of the logits divided by 3.
    fn drawn(classes: usize) -> (Link, Matrix, Vec<u32>) {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let link = if classes == 2 { Link::Logistic } else { Link::Softmax };
        let columns = if classes == 2 { 1 } else { classes };
        let logits = Matrix::new(4000, columns, (0..4000 * columns).map(|_| 12.0 * random() - 6.0).collect());
        let logits = logits.unwrap();
        let probabilities = Output { link, temperature: 3.0 }.apply(logits.clone()).unwrap();
        let label = |row: usize| {
            let mut left = random();
            let beyond = |p: &&f32| {
                left -= **p;
                left > 0.0
            };
            probabilities.row(row).iter().take_while(beyond).count().min(classes - 1) as u32
        };
        (link, logits, (0..4000).map(label).collect())
    }

    #[test]
    fn the_temperature_that_made_the_labels_is_found() {
        for classes in [2, 3, 10] {
            let (link, logits, labels) = drawn(classes);
            let found = temperature(link, &logits, &labels, None);
            assert!((found - 3.0).abs() < 0.25, "{classes} classes: {found}");
            let loss = |temperature: f32| {
                let probabilities = Output { link, temperature }.apply(logits.clone()).unwrap();
                negative_log_likelihood(&probabilities, &labels, None).unwrap()
            };
            // A minimum, as the measure sees it.
            assert!(loss(found) <= loss(found * 1.01) && loss(found) <= loss(found / 1.01), "{classes}");
            assert!(loss(found) < loss(1.0) - 0.1);
        }
    }

    #[test]
    fn a_row_of_weight_2_is_there_twice() {
        let (link, logits, labels) = drawn(3);
        let twice: Vec<f32> = (0..4000).map(|row| if row < 100 { 2.0 } else { 0.0 }).collect();
        let rows: Vec<usize> = (0..100).chain(0..100).collect();
        let doubled: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
        let (weighted, repeated) = (
            temperature(link, &logits, &labels, Some(&twice)),
            temperature(link, &logits.select(&rows), &doubled, None),
        );
        assert!((weighted - repeated).abs() < 1e-5, "{weighted}, {repeated}");
    }

    #[test]
    fn it_stays_within_its_range() {
        let right = Matrix::new(2, 2, vec![1.0, -1.0, -1.0, 1.0]).unwrap();
        assert!((temperature(Link::Softmax, &right, &[0, 1], None) - 0.01).abs() < 1e-4);
        assert!((temperature(Link::Softmax, &right, &[1, 0], None) - 100.0).abs() < 1.0);
        let level = Matrix::zeros(2, 2);
        assert!(temperature(Link::Softmax, &level, &[0, 1], None).is_finite());
        let broken = Matrix::new(1, 2, vec![f32::NAN, 0.0]).unwrap();
        assert_eq!(temperature(Link::Softmax, &broken, &[0], None), 1.0);
        assert_eq!(temperature(Link::Identity, &right, &[], None), 1.0);
    }
}
