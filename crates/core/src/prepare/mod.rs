//! Columns become a matrix: gaps are filled, numbers standardised, texts encoded. All of it is fitted on
//! the training rows only and saved with the model.
//!
//! The files in the order in which a column goes through them:
//!
//! | file | says |
//! |---|---|
//! | `spec` | the `[prepare]` part of a spec |
//! | `parts` | which rows train, which validate and which test |
//! | `numbers` | cells that should be numbers, and what is said where they are not |
//! | `impute`, `scale` | what fills a gap, and how numbers are standardised |
//! | `encode` | one input for each text |
//! | `column` | an input column, fitted: its numbers or its texts as inputs |
//! | `target` | classes or values, as numbers for the network and back |
//! | `pipeline` | all columns together: from a data set to the matrix that a network sees |
//! | `warnings` | what the user should know about columns that are taken all the same |
//!
//! ```
//! use thinnet::data::{Data, DataSpec, parse_csv};
//! use thinnet::prepare::{Pipeline, PrepareSpec};
//!
//! let rows = b"age,town,owns\n20,Bonn,no\n40,Aix,yes\n,Aix,yes\n60,Bonn,no\n";
//! let data = Data::from(parse_csv("rows", rows, &Default::default())?);
//! let (pipeline, warnings) =
//!     Pipeline::fit(&data, &[0, 1, 2], &DataSpec::default(), &PrepareSpec::default())?;
//! assert!(warnings.is_empty());
//! assert_eq!(pipeline.input_names(), ["age", "age is missing", "town = Aix", "town = Bonn"]);
//! assert_eq!(pipeline.classes(), ["no", "yes"]);
//! assert_eq!(pipeline.inputs(&data, Some(&[3, 2]))?.values(), [3.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
//! # Ok::<(), thinnet::Error>(())
//! ```

mod column;
mod encode;
mod impute;
mod numbers;
mod parts;
mod pipeline;
mod scale;
mod spec;
mod target;
mod warnings;

pub use column::{InputColumn, Preparation};
pub use encode::OneHot;
pub use impute::Impute;
pub use parts::Parts;
pub use pipeline::{Inputs, Pipeline};
pub use scale::Scale;
pub use spec::PrepareSpec;
pub use target::{Target, strata};
