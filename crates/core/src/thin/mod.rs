//! Who is dropped: masks, and the thinned networks they leave.

mod backward;
mod dropout;
mod edges;
mod forward;
mod kept;
mod slice;
mod spec;
mod thinning;
mod whole;

pub use dropout::Dropout;
pub use kept::Kept;
pub use slice::{Buffers, Slice};
pub use spec::{Drop, Rates, Scaling, Share, ThinSpec};
pub use thinning::{Sample, Thinning};
pub(crate) use whole::PREDICTED_ROWS;
pub use whole::outputs;
