//! By what something was made.

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use crate::error::{Error, Result};

/// By what a run or a comparison was made. Bits depend on the version and the instruction set, seconds also
/// on the threads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The version of thinnet.
    pub version: String,
    /// The instruction set: "avx2".
    pub instructions: String,
    /// The threads.
    pub threads: usize,
}

impl Made {
    /// By this version, on so many threads of this machine.
    ///
    /// # Errors
    /// [`Error::Machine`] if the environment asks for an instruction set that is not there.
    pub(crate) fn now(threads: usize) -> Result<Self> {
        let instructions = Isa::from_environment().map_err(Error::Machine)?.to_string();
        Ok(Self { version: env!("CARGO_PKG_VERSION").into(), instructions, threads })
    }

    /// Whether the bits are those of the other.
    pub(crate) fn has_the_bits_of(&self, other: &Self) -> bool {
        (&self.version, &self.instructions) == (&other.version, &other.instructions)
    }
}
