//! A thinned network at work on one slice of rows.
//!
//! Within a slice, activations stand unit by unit: `[units, rows]`, the rows padded to whole
//! vectors. A level holds only the units that its mask keeps, one after the other; the lists
//! of [`Kept`] say which they are. The whole network is the case in which all are kept.

use thinnet_kernels::elementwise::{self, RowMask, Units};
use thinnet_kernels::memory::Lines;
use thinnet_kernels::{Isa, LINE, gather, line, stride};

use super::dropconnect::Copies;
use super::edge_mask::EdgeNoise;
use super::noise::NoiseBuffers;
use super::{Kept, Sample, Share, Thinning};
use crate::network::{Activation, Network};

/// Which buffers a slice needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffers {
    /// Those of a forward pass.
    Predict,
    /// Those of a forward and a backward pass.
    Train,
}

/// One level of units: the input, or the units of a layer.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub kept: Kept,
    /// The activations, `[kept units, rows]`.
    pub units: Vec<f32>,
    /// The same, `[rows, stride(kept units)]`: what the gradient of the weights above needs.
    pub rows: Lines,
    /// The pre-activations, `[kept units, rows]`, where the derivative needs them.
    pub pre: Vec<f32>,
    /// The gradient of the loss by the pre-activations, `[kept units, rows]`.
    pub gradients: Vec<f32>,
    /// With normal noise on the edges below: the variances of the pre-activations, then the slopes of the
    /// loss by them, `[units, rows]`.
    pub slopes: Vec<f32>,
    /// With normal noise on the edges above: the squares of `rows`.
    pub square_rows: Lines,
    /// What its noise needs, where it has any.
    pub noise: NoiseBuffers,
}

impl Level {
    fn new(units: usize, padded_rows: usize, activation: Activation, place: Place, buffers: Buffers) -> Self {
        let train = buffers == Buffers::Train;
        let zeros = |needed: bool, size: usize| vec![0.0; if needed { size } else { 0 }];
        let size = line(units) * padded_rows;
        let from_output = matches!(activation, Activation::Relu | Activation::Identity);
        Self {
            kept: Kept::whole(units),
            units: zeros(true, size),
            rows: Lines::zeros(if place == Place::Input || train && place == Place::Hidden {
                padded_rows * stride(units) + LINE
            } else {
                0
            }),
            pre: zeros(train && place == Place::Hidden && !from_output, size),
            gradients: zeros(train && place != Place::Input, size),
            slopes: Vec::new(),
            square_rows: Lines::default(),
            noise: NoiseBuffers::default(),
        }
    }
}

/// Makes a buffer that is needed at least so long.
pub(super) fn reach<T: Clone + Default>(buffer: &mut Vec<T>, needed: bool, length: usize) {
    if needed && buffer.len() < length {
        buffer.resize(length, T::default());
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Input,
    Hidden,
    Output,
}

/// The buffers of one slice, and the thinned network that it has sampled.
#[derive(Clone, Debug)]
pub struct Slice {
    pub(super) isa: Isa,
    pub(super) levels: Vec<Level>,
    pub(super) sample: Sample,
    /// Tells the slices of a mini-batch apart.
    pub(super) number: u32,
    pub(super) first_row: u32,
    rows: usize,
    pub(super) buffers: Buffers,
    /// The most rows, padded.
    pub(super) padded_most: usize,
    whole_line: Vec<f32>,
    /// What happens to the edges of each layer.
    pub(super) edges: Vec<Option<EdgeNoise>>,
    pub(super) copies: Copies,
}

impl Slice {
    /// Buffers for up to `rows` rows. `number` tells the slices of a mini-batch apart.
    pub fn new(isa: Isa, network: &Network, rows: usize, number: u32, buffers: Buffers) -> Self {
        let padded = line(rows);
        let layers = network.layers();
        let input = Level::new(network.inputs(), padded, Activation::Identity, Place::Input, buffers);
        let above = layers.iter().enumerate().map(|(index, layer)| {
            let place = if index + 1 == layers.len() { Place::Output } else { Place::Hidden };
            Level::new(layer.units, padded, layer.activation, place, buffers)
        });
        let levels = std::iter::once(input).chain(above).collect();
        let whole_line = vec![0.0; line(network.inputs())];
        Self {
            isa,
            levels,
            sample: Sample::Whole,
            number,
            first_row: 0,
            rows: 0,
            buffers,
            padded_most: padded,
            whole_line,
            edges: vec![None; layers.len()],
            copies: Copies::default(),
        }
    }

    /// How many rows are loaded.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The length of a line of units: the rows, padded.
    pub fn padded(&self) -> usize {
        line(self.rows)
    }

    /// The network's outputs, `[outputs, padded rows]`.
    pub fn outputs(&self) -> &[f32] {
        self.units(self.levels.len() - 1)
    }

    /// The activations of the kept units of a level, `[kept units, padded rows]`.
    fn units(&self, level: usize) -> &[f32] {
        let Level { kept, units, .. } = &self.levels[level];
        &units[..kept.count() * self.padded()]
    }

    /// Writes the network's outputs row by row, `[rows, outputs]`.
    pub fn write_outputs(&self, to: &mut [f32]) {
        self.write_level(self.levels.len() - 1, to);
    }

    /// Writes the activations of a level row by row, `[rows, units]`: 0 for units that are not kept.
    pub(super) fn write_level(&self, level: usize, to: &mut [f32]) {
        let (padded, kept) = (self.padded(), &self.levels[level].kept);
        if !kept.is_whole() {
            to.fill(0.0);
        }
        for (&unit, line) in kept.units().iter().zip(self.units(level).chunks_exact(padded)) {
            let column = to[unit as usize..].iter_mut().step_by(kept.level());
            column.zip(line).for_each(|(to, from)| *to = *from);
        }
    }

    /// The outputs, and the gradient of the loss by them, to be written: `[outputs, padded rows]`
    /// both. The gradient of padding rows must be 0.
    pub fn outputs_and_gradients(&mut self) -> (&[f32], &mut [f32]) {
        let padded = self.padded();
        let Some(Level { kept, units, gradients, .. }) = self.levels.last_mut() else {
            return (&[], &mut []);
        };
        let length = kept.count() * padded;
        (&units[..length], &mut gradients[..length])
    }

    /// The units that the sampled network keeps of a level: 0 is the input, l the units of layer l - 1.
    pub fn kept(&self, level: usize) -> &Kept {
        &self.levels[level].kept
    }

    /// Samples a thinned network for the rows that follow. `first_row` is the number of the
    /// slice's first row, by which masks of rows are drawn.
    pub fn thin(&mut self, thinning: &Thinning, sample: Sample, first_row: u32) {
        self.make_room(thinning);
        (self.sample, self.first_row) = (sample, first_row);
        for (level, Level { kept, .. }) in self.levels.iter_mut().enumerate() {
            thinning.draw(self.isa, level, sample, self.number, kept);
        }
        for (layer, edges) in self.edges.iter_mut().enumerate() {
            *edges = thinning.edges(layer, sample, self.number, first_row);
        }
    }

    /// Loads rows, one line of inputs each, and thins them. Noise that is no mask comes in the forward pass.
    pub fn load<'a>(&mut self, thinning: &Thinning, rows: impl ExactSizeIterator<Item = &'a [f32]>) {
        self.rows = rows.len();
        let (isa, padded) = (self.isa, line(self.rows));
        let Level { kept, units, rows: lines, .. } = &mut self.levels[0];
        let (count, width) = (kept.count(), stride(kept.count()));
        for (row, from) in rows.enumerate() {
            let to = &mut lines[row * width..];
            if kept.is_whole() {
                to[..count].copy_from_slice(from);
            } else {
                // What compressing writes behind the line is overwritten by the next row.
                self.whole_line[..from.len()].copy_from_slice(from);
                gather::compress(isa, kept.bits(), &self.whole_line, to);
            }
            to[count..width].fill(0.0);
        }
        lines[self.rows * width..padded * width].fill(0.0);
        gather::transpose(isa, lines, padded, line(count), width, units, padded);
        self.thin_input(thinning);
    }

    /// Masks and scales the input, where it is thinned.
    fn thin_input(&mut self, thinning: &Thinning) {
        let (isa, padded) = (self.isa, self.padded());
        let (mask, scale) = self.mask_and_scale(thinning, 0);
        if mask.is_none() && scale == 1.0 {
            return;
        }
        let Level { kept, units, rows, .. } = &mut self.levels[0];
        let (count, width) = (kept.count(), stride(kept.count()));
        let activation = Activation::Identity.kernel();
        let layer = Units { units: kept.units(), rows: padded, mask, scale, activation };
        elementwise::activate(isa, layer, &[], units, &mut []);
        gather::transpose(isa, units, line(count), padded, padded, rows, width);
    }

    /// What the activations of a level are masked and multiplied with in the same pass.
    pub(super) fn mask_and_scale(&self, thinning: &Thinning, level: usize) -> (Option<RowMask>, f32) {
        // Where rows are counted, the noise has the scale.
        let scale = if thinning.counts_rows() && self.sample != Sample::Whole {
            1.0
        } else {
            thinning.scale(level, self.sample)
        };
        (self.row_mask(thinning, level), scale)
    }

    /// The mask of a level where every row has its own.
    pub(super) fn row_mask(&self, thinning: &Thinning, level: usize) -> Option<RowMask> {
        let mask = thinning.mask(level, self.sample).filter(|_| thinning.share() == Share::Row)?;
        Some(RowMask { key: mask.key, step: mask.step, first_row: self.first_row, threshold: mask.threshold })
    }
}
