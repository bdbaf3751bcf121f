//! The files that a run writes: what they are called, and whether they can be written, which is found out
//! before the work.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use thinnet::Error;
use thinnet::data::Data;

use crate::arguments::Arguments;

/// What a file or folder is called, without the folders that it is in.
pub fn name_of(data: &Path) -> String {
    data.file_name().map_or_else(|| data.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The data's name without its extension.
pub fn stem(data: &Path) -> String {
    let whole = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let name = data.file_name().or(whole.file_name()).map(|name| name.to_string_lossy().into_owned());
    // Standard input has no name either.
    let mut stem = name.as_deref().filter(|name| *name != "-").unwrap_or("model");
    for extension in [".gz", ".csv", ".tsv", ".txt"] {
        stem = stem.strip_suffix(extension).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    }
    stem.into()
}

/// Finds out whether a file can be written after the work, and that it replaces none of the others, which
/// are read or written too. `option` is what names it.
pub fn check(option: &str, output: &Path, others: &[Option<&Path>]) -> anyhow::Result<()> {
    check_apart(option, output, others)?;
    Ok(check_writable(output)?)
}

/// The second half of that.
pub fn check_apart(option: &str, output: &Path, others: &[Option<&Path>]) -> anyhow::Result<()> {
    let mut files = others.iter().flatten().flat_map(|other| Data::files(other));
    if files.any(|other| is_same(output, &other)) {
        let problem = format!("{option} would write over {}; give it another name", output.display());
        return Err(Arguments::command().error(ErrorKind::ArgumentConflict, problem).into());
    }
    Ok(())
}

/// Whether two paths lead to the same file, also where it is not there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || whole(one).is_some_and(|one| whole(other) == Some(one))
}

/// The path without links and dots.
fn whole(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
}

/// Finds out before the work whether a file can be written after it.
fn check_writable(output: &Path) -> thinnet::Result<()> {
    if fs::metadata(output).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Ok(());
    }
    let attempt = || {
        if output.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        let probe = output.with_file_name(format!(".thinnet-{}-probe.tmp", std::process::id()));
        File::create(&probe)?;
        fs::remove_file(&probe)
    };
    attempt().map_err(Error::file("write", output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_folders_nor_the_endings_of_tables() {
        let stem = |data: &str| super::stem(Path::new(data));
        assert_eq!(["data/rows.csv.gz", "rows.tsv", "mnist/"].map(stem), ["rows", "rows", "mnist"]);
        assert_eq!(["digits", ".csv", "rows.parquet"].map(stem), ["digits", ".csv", "rows.parquet"]);
        assert_eq!(stem("-"), "model");
    }

    #[test]
    fn a_name_keeps_its_ending() {
        let name = |data: &str| name_of(Path::new(data));
        assert_eq!(["data/rows.csv.gz", "mnist/", ".."].map(name), ["rows.csv.gz", "mnist", ".."]);
    }
}
