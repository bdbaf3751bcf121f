//! What can go wrong, as sentences a user can act on.

use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of the library. Each variant prints as one sentence that names the
/// file, the line and column, the row, or the field, and says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "open", "read", "write", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The content of a data file, or of a table in memory, cannot be used.
    #[error("{place}: {problem}")]
    Data {
        /// Where: "rows.csv", "rows.csv, line 7" or "rows.csv, line 7, column age".
        place: String,
        /// What is wrong there, and what to do.
        problem: String,
    },
    /// A field of the spec has a value that cannot be used.
    #[error("spec, {field}: {problem}")]
    Spec {
        /// The field's full name, for example `train.learning_rate`.
        field: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A model file cannot be used.
    #[error("model {}: {problem}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A caller of the library passed arrays whose shapes do not fit, or values out of range.
    #[error("{what}: {problem}")]
    Argument {
        /// The argument.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The loss stopped being a finite number.
    #[error(
        "the loss is no longer finite at step {step} (learning rate {learning_rate}): \
         try a learning rate ten times smaller, --clip 1, or --max-norm 3"
    )]
    NotFinite {
        /// The step at which it happened, counted from 0.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f32,
    },
    /// The machine cannot do what was asked of it.
    #[error("{0}")]
    Machine(String),
}

impl Error {
    /// A [`Error::File`]; for use with `map_err`.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    }

    /// A [`Error::Data`].
    pub fn data(place: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Data { place: place.into(), problem: problem.into() }
    }

    /// A [`Error::Spec`].
    pub fn spec(field: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Spec { field: field.into(), problem: problem.into() }
    }

    /// A [`Error::Argument`].
    pub fn argument(what: &'static str, problem: impl Into<String>) -> Error {
        Error::Argument { what, problem: problem.into() }
    }
}

/// Refuses the first of some fields of a spec that is to be refused. Each stands with whether it is, its full
/// name, and why.
///
/// # Errors
/// [`Error::Spec`] names the field.
pub(crate) fn refuse<P: Into<String>>(
    fields: impl IntoIterator<Item = (bool, &'static str, P)>,
) -> Result<()> {
    match fields.into_iter().find(|(is_refused, ..)| *is_refused) {
        Some((_, field, problem)) => Err(Error::spec(field, problem)),
        None => Ok(()),
    }
}
