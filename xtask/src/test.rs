//! `cargo xtask test`: all tests, Rust and Python.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, root, run, target, text};
use crate::machine::instruction_sets;
use crate::pages::run_pages;
use crate::python::Environment;

/// The whole workspace with the instruction set that the program chooses, documentation examples
/// included; then the kernels once more for each instruction set that can be forced; then the pages in a
/// browser; then Python.
pub fn run_tests() -> Result<()> {
    run(cargo().args(["test", "--workspace"]).env_remove("THINNET_ISA"))?;
    for set in instruction_sets() {
        println!("the kernels with THINNET_ISA={set}");
        run(cargo().args(["test", "--package", "thinnet-kernels"]).env("THINNET_ISA", set))?;
    }
    run_pages(None)?;
    python_tests()
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
