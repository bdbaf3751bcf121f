//! Who is dropped: masks, and the thinned networks they leave.
//!
//! | file | says |
//! |---|---|
//! | `spec`, `schedule` | which noise thins, at which rates, who shares a mask: the `[thin]` part of a spec |
//! | `thinning` | the rates of a run, ready for use |
//! | `mask` | which thinned network a pass samples, and from which random words |
//! | `count`, `pool` | masks that keep an exact number of units, and masks that come back |
//! | `kept` | the units of a level that a mask keeps |
//! | `slice` | the buffers of a thinned network at work on a slice of rows |
//! | `forward`, `backward` | its two passes, and the gradients of its weights |
//! | `edge_mask` | what happens to the edges of a layer in a pass |
//! | `dropconnect` | the passes of layers whose edges are dropped |
//! | `edge_noise` | the passes of layers whose edges have normal noise, given or learned |
//! | `noise` | units that are multiplied by noise: Gaussian, variational, concrete, standout |
//! | `learned`, `prune` | what a run learns of its noise, and the network without what is mostly noise |
//! | `whole`, `silence` | the whole network on many rows, and without units that are named |
//! | `dropout` | the layer alone, on a plain matrix |

mod backward;
mod count;
mod dropconnect;
mod dropout;
mod edge_mask;
mod edge_noise;
mod forward;
mod kept;
mod learned;
mod mask;
mod noise;
mod pool;
mod prune;
mod schedule;
mod silence;
mod slice;
mod spec;
mod thinning;
mod whole;

pub use backward::Gradient;
pub use count::Count;
pub use dropout::Dropout;
pub use kept::Kept;
pub use learned::LearnedNoise;
pub use mask::Sample;
pub use pool::MaskSpec;
pub(crate) use prune::NO_NOISE;
pub use prune::{Pruned, PrunedLayer, prune};
pub use schedule::RateSchedule;
pub(crate) use silence::Silencing;
pub use slice::{Buffers, Slice};
pub use spec::{Drop, Rates, Scaling, Share, ThinSpec};
pub use thinning::Thinning;
pub use whole::outputs;
pub(crate) use whole::{PREDICTED_ROWS, activations};
