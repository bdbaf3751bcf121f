//! The studies that come with thinnet: the files in the folder `studies`.

/// Name and text of each file.
macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../studies/", $name, ".toml")))),*]
    };
}

/// Name and text of each study, in the order of docs/studies.md.
pub const STUDIES: [(&str, &str); 16] = files! {
    "srivastava-table-9"
    "srivastava-table-2"
    "srivastava-table-2-wide"
    "srivastava-table-2-ensemble"
    "srivastava-figure-11"
    "srivastava-table-10"
    "srivastava-figure-9a"
    "srivastava-figure-9b"
    "srivastava-figure-10"
    "srivastava-figure-8"
    "wan-dropconnect"
    "shared-masks"
    "graham-batchwise"
    "gal-uci"
    "deep-ensembles-uci"
    "ensembles-by-cost"
};
