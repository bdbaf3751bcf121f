//! Who is dropped: masks, and the thinned networks they leave.

mod backward;
mod dropout;
mod forward;
mod kept;
mod silence;
mod slice;
mod spec;
mod thinning;
mod whole;

pub use dropout::Dropout;
pub use kept::Kept;
pub(crate) use silence::Silencing;
pub use slice::{Buffers, Slice};
pub use spec::{Drop, Rates, Scaling, Share, ThinSpec};
pub use thinning::{Sample, Thinning};
pub use whole::outputs;
pub(crate) use whole::{PREDICTED_ROWS, activations};
