//! Where rows come from.

mod csv;
mod digits;
mod elephant;
mod examples;
mod fingerprint;
mod gzip;
mod idx;
mod images;
mod quotes;
mod rows;
mod source;
mod spec;
mod split;
mod table;
mod typed;

pub use csv::{parse_csv, read_csv};
pub use digits::digits;
pub use elephant::{Elephant, ElephantSamples, harmonics};
pub use examples::{Examples, Matrix, Targets, largest};
pub use idx::read_idx_folder;
pub use images::Images;
pub use source::{DIGITS, Data, Part};
pub use spec::{ColumnType, ColumnTypes, DataSpec, Task};
pub use split::{Split, split};
pub(crate) use table::parse_number;
pub use table::{Cells, Column, GAP, Table, number_text};
pub use typed::typed;
