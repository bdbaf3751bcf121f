//! Which rows a model learned from: told by what its pipeline takes of them.

use super::Model;
use crate::data::Data;
use crate::error::Result;
use crate::prepare::{Parts, Pipeline};

/// The fingerprint of what a pipeline takes from rows, as the header of a model has it: not everyone reads
/// JSON with whole numbers of 64 bits.
pub(super) fn fingerprint(pipeline: &Pipeline, data: &Data, rows: Option<&[usize]>) -> Result<String> {
    Ok(format!("{:016x}", data.fingerprint_of(Some(&pipeline.columns()), rows)?))
}

/// What a model did with rows that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It learned from them, or from all but its test part.
    Learned,
    /// It chose its epoch by them.
    Chose,
}

impl Model {
    /// What the model did with these data, if it knows them: those that it was trained on, with or without its
    /// test part, and those to validate on that came by themselves. Models of earlier versions know none.
    ///
    /// # Errors
    /// Data without a column that the model needs.
    pub fn known(&self, data: &Data) -> Result<Option<Known>> {
        let all = Some(fingerprint(&self.pipeline, data, None)?);
        if all == self.fingerprint {
            return Ok(Some(Known::Learned));
        }
        if all == self.valid_fingerprint {
            return Ok(Some(Known::Chose));
        }
        // Of rows that are too few for a test part, or lack a target, there is no other part.
        let parts = Parts::new(data, &self.spec.data, self.spec.seed).ok();
        match parts.filter(|_| self.spec.data.test > 0.0) {
            Some(parts) => Ok(self.has_learned(data, &parts)?.then_some(Known::Learned)),
            None => Ok(None),
        }
    }

    /// Whether the rows of these parts are those that the model learned from.
    pub(super) fn has_learned(&self, data: &Data, parts: &Parts) -> Result<bool> {
        let found = fingerprint(&self.pipeline, data, Some(&parts.learned()))?;
        Ok(self.fingerprint.as_ref() == Some(&found))
    }
}
