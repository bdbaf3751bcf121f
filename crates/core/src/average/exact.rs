//! The mean of all thinned networks, each with the probability of its mask.
//!
//! The masks are the leaves of a tree: at each node one unit is dropped or kept. What the units
//! decided so far give to the layer above is carried down, so that a node costs one unit's weights
//! and not a layer's, and no sum is longer than the units are many. The expectation is put together
//! on the way back, by the law of total variance.

use rayon::prelude::*;
use thinnet_kernels::matmul;

use super::Averaged;
use super::passes::PADDED;
use super::thinned::Thinned;

/// Mean and variance of the predictions below a node, `[width, PADDED]` both.
#[derive(Clone)]
struct Expectation {
    mean: Vec<f32>,
    variance: Vec<f32>,
}

impl Expectation {
    fn zeros(length: usize) -> Self {
        Self { mean: vec![0.0; length], variance: vec![0.0; length] }
    }

    /// What is here belongs to a dropped unit, `kept` to the same unit kept; this becomes both together.
    fn join(&mut self, kept: &Expectation, rate: f32) {
        let keep = 1.0 - rate;
        let own = self.mean.iter_mut().zip(&mut self.variance);
        for ((mean, variance), (kept_mean, kept_variance)) in own.zip(kept.mean.iter().zip(&kept.variance)) {
            let distance = kept_mean - *mean;
            *mean += keep * distance;
            *variance = rate * *variance + keep * kept_variance + rate * keep * distance * distance;
        }
    }
}

/// A node's sums for the layer above, `[units above, PADDED]`, and what came of its kept branch.
struct Node {
    sums: Vec<f32>,
    kept: Expectation,
}

/// The levels from above one thinned level up to the next, or to the outputs.
struct Stage {
    first: usize,
    /// The activations of these levels, `[units, PADDED]` each.
    levels: Vec<Vec<f32>>,
    /// A node for each number of kept units of the last level; none if these are the outputs.
    nodes: Vec<Node>,
}

impl Thinned<'_> {
    /// Mean and standard deviation over all masks.
    pub(super) fn exact(&self) -> Averaged {
        let positions = self.positions();
        let length = self.output.width(self.network.outputs()) * PADDED;
        let chunk = |stages: &mut Vec<Stage>, chunk: usize| {
            let mut all = Expectation::zeros(length);
            if let Some(input) = stages.first_mut().and_then(|stage| stage.levels.first_mut()) {
                self.load(chunk, input);
            }
            self.climb(stages, &positions, &mut all);
            all
        };
        let chunks = (0..self.chunks()).into_par_iter();
        let all: Vec<Expectation> = chunks.map_init(|| self.stages(), chunk).collect();
        let deviation = |all: &Expectation| all.variance.iter().map(|variance| variance.sqrt()).collect();
        let spreads: Vec<Vec<f32>> = all.iter().map(deviation).collect();
        Averaged::new(
            self.row_by_row(all.iter().map(|all| &all.mean[..])),
            Some(self.row_by_row(spreads.iter().map(|spread| &spread[..]))),
        )
    }

    fn stages(&self) -> Vec<Stage> {
        let last = self.network.layers().len();
        let width = self.output.width(self.network.outputs());
        let mut first = 0;
        let stage = |end: usize| {
            let sums = if end < last { self.units(end + 1) * PADDED } else { 0 };
            let nodes = if end < last { self.units(end) + 1 } else { 0 };
            let node = || Node { sums: vec![0.0; sums], kept: Expectation::zeros(width * PADDED) };
            let levels = (first..=end).map(|level| vec![0.0; self.units(level) * PADDED]).collect();
            let stage = Stage { first, levels, nodes: (0..nodes).map(|_| node()).collect() };
            first = end + 1;
            stage
        };
        self.thinned_levels().chain([last]).map(stage).collect()
    }

    /// Runs the layers of the first stage, whose first level holds sums or the input, and then all masks
    /// of what lies above.
    fn climb(&self, stages: &mut [Stage], positions: &[u32], to: &mut Expectation) {
        let Some((Stage { first, levels, nodes }, above)) = stages.split_first_mut() else { return };
        for level in *first..*first + levels.len() {
            let (below, this) = levels.split_at_mut(level - *first);
            if let Some(below) = below.last() {
                self.product(level - 1, positions, below, &mut this[0]);
            }
            if level > 0 {
                self.activate(level - 1, positions, &mut this[0]);
            }
        }
        let Some(activations) = levels.last() else { return };
        if above.is_empty() {
            self.output.apply_lines(self.isa, activations, PADDED, &mut to.mean);
            to.variance.fill(0.0);
        } else if let Some(root) = nodes.first_mut() {
            root.sums.fill(0.0);
            self.branch(activations, nodes, above, positions, to);
        }
    }

    /// All masks of the units whose activations these are; the first node has the sums of the units
    /// decided before.
    fn branch(
        &self,
        activations: &[f32],
        nodes: &mut [Node],
        above: &mut [Stage],
        positions: &[u32],
        to: &mut Expectation,
    ) {
        let Some(level) = above.first().map(|stage| stage.first - 1) else { return };
        if activations.is_empty() {
            above[0].levels[0].copy_from_slice(&nodes[0].sums);
            return self.climb(above, positions, to);
        }
        let unit = self.units(level) - activations.len() / PADDED;
        let (own, rest) = activations.split_at(PADDED);
        self.branch(rest, nodes, above, positions, to);
        let Some((node, deeper)) = nodes.split_first_mut() else { return };
        let mut weights = self.weights(level, self.network.weights(level), positions);
        weights.steps = &positions[unit..=unit];
        deeper[0].sums.copy_from_slice(&node.sums);
        matmul::product(self.isa, weights, own, PADDED, PADDED, &mut deeper[0].sums, PADDED, true);
        self.branch(rest, deeper, above, positions, &mut node.kept);
        to.join(&node.kept, self.thinning.rate(level));
    }
}
