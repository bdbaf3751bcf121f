//! How far the whole network is from the average that it stands for.

use serde::Serialize;

use super::weights::{Weights, check_values};
use crate::average::Averaged;
use crate::data::Matrix;
use crate::error::{Error, Result};

/// The inference gap (Ma et al. 2017, eq. 12). The field names are those of `thinnet measure --json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct InferenceGap {
    /// The mean over rows of the Euclidean norm of the mean prediction of the thinned networks minus
    /// the prediction of the whole one, in the unit of the predictions.
    pub gap: f64,
    /// What sampling alone would make of a gap of 0, with so many thinned networks, in the same unit: a
    /// gap that is not well above it may be none.
    pub noise: f64,
    /// How many thinned networks were sampled.
    pub samples: u32,
}

impl InferenceGap {
    /// From the predictions of the whole network, `[rows, width]`, and mean and spread of those of
    /// `samples` thinned networks, by Monte Carlo.
    ///
    /// The noise is the mean over rows of the root of the sum over outputs of spread^2 /
    /// (samples - 1), the standard error of each mean squared.
    ///
    /// # Errors
    /// See [the module](crate::measure); besides, there must be a spread, and two samples.
    pub fn new(whole: &Matrix, sampled: &Averaged, samples: u32, weights: Option<&[f32]>) -> Result<Self> {
        let (rows, outputs) = (whole.rows(), whole.columns());
        let Some(spread) = sampled.spread.as_ref().filter(|_| samples > 1) else {
            return Err(Error::argument("samples", "at least two thinned networks must predict"));
        };
        for (what, values) in [("whole", whole), ("mean", &sampled.mean), ("spread", spread)] {
            check_values(what, values, rows, outputs)?;
        }
        let weights = Weights::new(weights, rows)?;
        let norm = |squares: f64| squares.sqrt();
        let gap = |row: usize| {
            let pairs = sampled.mean.row(row).iter().zip(whole.row(row));
            norm(pairs.map(|(&mean, &whole)| (f64::from(mean) - f64::from(whole)).powi(2)).sum())
        };
        let noise = |row: usize| {
            let squares: f64 = spread.row(row).iter().map(|&spread| f64::from(spread).powi(2)).sum();
            norm(squares / f64::from(samples - 1))
        };
        Ok(Self { gap: weights.mean(rows, gap), noise: weights.mean(rows, noise), samples })
    }
}

#[cfg(test)]
mod tests {
    use thinnet_kernels::Isa;

    use super::*;
    use crate::average::{Average, Link, average};
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{Share, ThinSpec, Thinning};

    fn gap(activation: Activation, samples: u32) -> InferenceGap {
        let spec = NetworkSpec { hidden: vec![30, 20], activation, ..NetworkSpec::default() };
        let network = Network::new(4, 3, &spec, 1).unwrap();
        let thin = ThinSpec { input: 0.2, share: Share::Row, ..ThinSpec::default() };
        let thinning = Thinning::new(&thin, &network, 5).unwrap();
        let inputs = Matrix::new(200, 4, (0..800).map(|at| (at % 23) as f32 / 8.0 - 1.0).collect()).unwrap();
        let by = |by| average(Isa::best(), &network, &thinning, Link::Identity, &inputs, by).unwrap();
        let whole = by(Average::WeightScaling);
        InferenceGap::new(&whole.mean, &by(Average::monte_carlo(samples)), samples, None).unwrap()
    }

    /// The average of a linear network over its masks is the network itself.
    #[test]
    fn a_linear_network_has_no_gap() {
        for samples in [50, 800] {
            let InferenceGap { gap, noise, .. } = gap(Activation::Identity, samples);
            // A norm of normal noise has a mean of .8 to 1 times the root of its mean square.
            assert!(gap > 0.7 * noise && gap < 1.1 * noise, "{gap}, {noise}");
        }
    }

    #[test]
    fn a_network_that_is_not_linear_has_one() {
        let InferenceGap { gap, noise, .. } = gap(Activation::Relu, 800);
        assert!(gap > 3.0 * noise, "{gap}, {noise}");
    }

    #[test]
    fn by_hand() {
        let whole = Matrix::new(2, 2, vec![0.5, 0.5, 1.0, 0.0]).unwrap();
        let mean = Matrix::new(2, 2, vec![3.5, 4.5, 1.0, 0.0]).unwrap();
        let spread = Matrix::new(2, 2, vec![6.0, 8.0, 0.0, 0.0]).unwrap();
        let sampled = Averaged::new(mean, Some(spread));
        let of = |weights| InferenceGap::new(&whole, &sampled, 5, weights).unwrap();
        assert_eq!((of(None).gap, of(None).noise), (2.5, 2.5));
        assert_eq!(of(Some(&[3.0, 1.0])).gap, 3.75);
        assert!(InferenceGap::new(&whole, &sampled, 1, None).is_err());
    }
}
