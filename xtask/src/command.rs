//! Runs other programs, and says in one sentence what went wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The folder for everything that is built.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Cargo, the one that runs this program, in the root of the repository.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target());
    cargo
}

/// Runs a command that may write to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

/// Runs a command silently; when it fails, the error carries the first line in which it names one.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let text = [output.stderr, output.stdout].concat();
        bail!("{}", complaint(&String::from_utf8_lossy(&text)));
    }
    Ok(())
}

/// The line of a program's output that says best what went wrong.
pub fn complaint(output: &str) -> String {
    let lines = || output.lines().map(str::trim).filter(|line| !line.is_empty());
    let names_error = |line: &&str| line.to_lowercase().contains("error");
    lines().find(names_error).or_else(|| lines().next_back()).unwrap_or("no message").to_owned()
}

/// A path that a command line can take.
pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_the_first_line_with_an_error_or_the_last_line() {
        assert_eq!(complaint("collecting\nERROR: no wheel\nhint\n"), "ERROR: no wheel");
        assert_eq!(complaint("one\ntwo\n\n"), "two");
        assert_eq!(complaint(""), "no message");
    }
}
