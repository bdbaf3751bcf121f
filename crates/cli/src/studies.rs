//! The studies that come with thinnet: the files in the folder `studies`.

/// Name and text of each study, in the order of docs/studies.md.
pub const STUDIES: [(&str, &str); 2] = [
    ("srivastava-table-9", include_str!("../../../studies/srivastava-table-9.toml")),
    ("srivastava-table-2", include_str!("../../../studies/srivastava-table-2.toml")),
];
