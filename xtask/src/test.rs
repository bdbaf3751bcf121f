//! `cargo xtask test`: all tests, Rust and Python.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, root, run, run_quietly, target, text};
use crate::machine::instruction_sets;
use crate::pages::run_pages;
use crate::python::Environment;

/// The whole workspace with the instruction set that the program chooses, documentation examples
/// included; then the kernels once more for each instruction set that can be forced; then the examples; then
/// the pages in a browser; then Python.
pub fn run_tests() -> Result<()> {
    run(cargo().args(["test", "--workspace"]).env_remove("THINNET_ISA"))?;
    for set in instruction_sets() {
        println!("the kernels with THINNET_ISA={set}");
        run(cargo().args(["test", "--package", "thinnet-kernels"]).env("THINNET_ISA", set))?;
    }
    run_examples()?;
    run_pages(None)?;
    python_tests()
}

/// Runs every example of the library.
fn run_examples() -> Result<()> {
    let folder = root().join("crates/core/examples");
    let files = std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = files
        .map(|file| Ok(file?.path()))
        .collect::<std::io::Result<_>>()
        .context("cannot list the examples")?;
    files.sort();
    for name in files.iter().filter_map(|file| file.file_stem()) {
        println!("example {}", name.display());
        run_quietly(cargo().args(["run", "--quiet", "--package", "thinnet", "--example"]).arg(name))?;
    }
    Ok(())
}

/// The tests of the Python package, in an environment of their own, once there is such a package.
fn python_tests() -> Result<()> {
    let package = root().join("crates/python");
    let tests = package.join("tests");
    if !tests.is_dir() {
        return Ok(());
    }
    let environment = Environment::open(&target().join("venv-test"))?;
    environment.install(&["pytest", &format!("{}[test]", text(&package))])?;
    run(Command::new(environment.python()).args(["-m", "pytest"]).arg(tests))
}
