//! What happens to the edges of a layer in a pass: masks over them, or normal noise in their place.

use thinnet_kernels::edges::{self, EdgeMask};
use thinnet_kernels::philox::Key;

use super::thinning::odds;
use super::{Drop, Sample, Scaling, Share, Thinning};
use crate::streams;

/// What happens to the edges of a layer in a pass. What is kept is multiplied by `scale`.
#[derive(Clone, Copy, Debug)]
pub(super) enum EdgeNoise {
    /// Every row has a mask of its own; that of the mask is the first.
    Rows { mask: EdgeMask, scale: f32 },
    /// So many rows share a mask. That of the first group is given; the others count from it by rows.
    Groups { mask: EdgeMask, rows: usize, scale: f32 },
    /// Nothing is dropped, all is scaled.
    Scaled { scale: f32 },
    /// Pre-activations with the mean and variance of dropped edges; `alpha` is that of one over its square.
    Gaussian { draw: EdgeDraw, alpha: f32 },
    /// The same with a learned variance for each weight.
    Variational { draw: EdgeDraw },
    /// The whole network without the weights that are mostly noise.
    Pruned,
}

/// From which random words normal noise is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct EdgeDraw {
    pub key: Key,
    pub step: u64,
    pub first_row: u32,
}

impl EdgeNoise {
    /// What is left to multiply the gradient of the inputs by.
    pub fn backward_scale(self) -> f32 {
        match self {
            EdgeNoise::Rows { scale, .. } | EdgeNoise::Scaled { scale } => scale,
            _ => 1.0,
        }
    }
}

impl Thinning {
    /// The noise on the edges of a layer, for the slice with a number and its first row.
    pub(super) fn edges(
        &self,
        layer: usize,
        sample: Sample,
        slice: u32,
        first_row: u32,
    ) -> Option<EdgeNoise> {
        let (stream, step) = match sample {
            Sample::Whole => return self.whole_edges(layer),
            Sample::Training { step } => (streams::training_edges(layer), step),
            Sample::MonteCarlo { number } => (streams::monte_carlo_edges(layer), number),
        };
        let key = Key { seed: self.seed, stream };
        let draw = EdgeDraw { key, step, first_row };
        match self.drop() {
            Drop::Edges => self.edge_masks(layer, sample, slice, draw),
            Drop::EdgesGaussian => {
                let rate = self.rate_at(layer, sample);
                (rate > 0.0).then_some(EdgeNoise::Gaussian { draw, alpha: odds(rate) as f32 })
            }
            Drop::SparseVariational => Some(EdgeNoise::Variational { draw }),
            _ => None,
        }
    }

    fn edge_masks(&self, layer: usize, sample: Sample, slice: u32, draw: EdgeDraw) -> Option<EdgeNoise> {
        let rate = edges::rate(self.rate_at(layer, sample))?;
        let scale = if self.scaling == Scaling::Training { 1.0 / edges::keep(rate) } else { 1.0 };
        let EdgeDraw { key, step, first_row } = draw;
        let of_row = |row: u32| EdgeMask { key, step, row, rate };
        Some(match (self.share(), self.share_rows, sample) {
            (Share::Row, ..) => EdgeNoise::Rows { mask: of_row(first_row), scale },
            (Share::Slice, rows @ 1.., Sample::Training { .. }) => {
                EdgeNoise::Groups { mask: of_row(first_row), rows, scale }
            }
            _ => EdgeNoise::Groups { mask: of_row(slice), rows: usize::MAX, scale },
        })
    }

    /// The edges of the whole network: weights are scaled where they were not in training, and weights
    /// that are mostly noise are left out.
    fn whole_edges(&self, layer: usize) -> Option<EdgeNoise> {
        if self.drop() == Drop::SparseVariational {
            return Some(EdgeNoise::Pruned);
        }
        if self.drop() != Drop::Edges {
            return None;
        }
        let rate = edges::rate(self.rate(layer)).filter(|_| self.scaling == Scaling::AtPrediction)?;
        Some(EdgeNoise::Scaled { scale: edges::keep(rate) })
    }

    /// What the pre-activations of a layer with kept edges divided by keep are multiplied by.
    pub(super) fn edge_scale(&self, layer: usize) -> f32 {
        if self.scaling == Scaling::AtPrediction { 1.0 - self.rate(layer) } else { 1.0 }
    }
}
