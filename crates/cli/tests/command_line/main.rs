//! The program as a person runs it: files in, files and text out, exit statuses.

#![allow(clippy::unwrap_used)]

mod averages;
mod compare;
mod elephant;
mod end_to_end;
mod ensembles;
mod importance;
mod new_rows;
mod pages;
mod parts;
mod rude_inputs;
mod same_bits;
#[cfg(unix)]
mod signals_and_pipes;
mod studies;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own for a test, and the program run in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The folder with two files of both kinds of task: `classes.csv` and `values.csv`.
    fn with_data(name: &str) -> Self {
        let folder = Self::new(name);
        folder.write("classes.csv", &classes(240));
        folder.write("values.csv", &values(240));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with its arguments, which are separated by spaces.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thinnet"));
        command.current_dir(&self.0).args(line.split_whitespace()).env_remove("THINNET_ISA");
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::new(line, self.command(line).output().unwrap())
    }

    /// The standard output of a run that went well.
    #[track_caller]
    fn good(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.status, 0, "{line}: {}", ran.stderr);
        ran.stdout
    }

    /// The only line of standard output, as JSON.
    #[track_caller]
    fn json(&self, line: &str) -> Value {
        let stdout = self.good(line);
        assert_eq!(stdout.lines().count(), 1, "{stdout}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// The one sentence of a run that fails with a status.
    #[track_caller]
    fn fails(&self, status: i32, line: &str) -> String {
        self.run(line).failed(status)
    }
}

/// What a run left.
struct Ran {
    line: String,
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn new(line: &str, output: Output) -> Self {
        Self {
            line: line.into(),
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The error, which must be the last line and the only error.
    #[track_caller]
    fn failed(&self, status: i32) -> String {
        let Self { line, stderr, .. } = self;
        assert_eq!(self.status, status, "{line}: {stderr}");
        assert_eq!(self.stdout, "", "{line}");
        let error = stderr.lines().last().unwrap_or_default();
        assert!(error.starts_with("error: "), "{line}: {stderr}");
        assert_eq!(stderr.matches("error: ").count(), 1, "{line}: {stderr}");
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
        error["error: ".len()..].to_string()
    }
}

/// Numbers that look random, from 0 to below 1.
fn random() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1 << 24) as f64
    }
}

/// A number column with gaps, a text column, a column of noise; two classes that both of the first decide.
fn classes(rows: usize) -> String {
    let mut random = random();
    let mut text = "size,colour,noise,label\n".to_string();
    for row in 0..rows {
        let size = 4.0 * random() - 2.0;
        let colour = ["red", "green", "blue"][(3.0 * random()) as usize];
        let label = if (size > 0.0) == (colour == "red") { "yes" } else { "no" };
        let size = if row % 17 == 3 { String::new() } else { format!("{size:.4}") };
        writeln!(text, "{size},{colour},{:.4},{label}", random()).unwrap();
    }
    text
}

/// y = 30 a - 20 b + 500, and a little noise.
fn values(rows: usize) -> String {
    let mut random = random();
    let mut text = "a,b,y\n".to_string();
    for _ in 0..rows {
        let (a, b) = (random(), random());
        let y = 30.0 * a - 20.0 * b + 500.0 + random() - 0.5;
        writeln!(text, "{a:.4},{b:.4},{y:.4}").unwrap();
    }
    text
}
