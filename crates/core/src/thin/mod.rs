//! Who is dropped: masks, and the thinned networks they leave.

mod backward;
mod count;
mod dropout;
mod edge_noise;
mod edges;
mod forward;
mod kept;
mod learned;
mod noise;
mod pool;
mod prune;
mod schedule;
mod silence;
mod slice;
mod spec;
mod thinning;
mod whole;

pub use count::Count;
pub use dropout::Dropout;
pub use kept::Kept;
pub use learned::LearnedNoise;
pub use pool::MaskSpec;
pub(crate) use prune::NO_NOISE;
pub use prune::{Pruned, PrunedLayer, prune};
pub use schedule::RateSchedule;
pub(crate) use silence::Silencing;
pub use slice::{Buffers, Slice};
pub use spec::{Drop, Rates, Scaling, Share, ThinSpec};
pub use thinning::{Sample, Thinning};
pub use whole::outputs;
pub(crate) use whole::{PREDICTED_ROWS, activations};
