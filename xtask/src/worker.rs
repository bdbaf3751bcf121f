//! A long-lived process that times one library; bench/README.md has the protocol.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::command::complaint;

/// The longest wait for an answer; torch.compile needs about half a minute.
const PATIENCE: Duration = Duration::from_secs(600);

/// The longest wait for a worker that was asked to end.
const GOODBYE: Duration = Duration::from_secs(5);

/// A worker that said `ready`. Dropping it ends its process.
pub struct Worker {
    /// The library and its version, as the worker says them.
    pub library: String,
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Worker {
    /// Starts a worker and waits until it is ready. Its standard error goes to `log`.
    pub fn start(command: &[String], log: PathBuf) -> Result<Worker> {
        let (program, arguments) = command.split_first().context("a worker without a command")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).with_context(|| format!("cannot create {}", log.display()))?)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let input = process.stdin.take().context("no standard input")?;
        let output = process.stdout.take().context("no standard output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut worker = Worker { library: String::new(), process, input, lines, log };
        let line = worker.read()?;
        let library = line.strip_prefix("ready ").with_context(|| format!("expected ready, got {line}"))?;
        worker.library = library.to_owned();
        Ok(worker)
    }

    /// The answer to one command; an answer that is an error becomes one.
    pub fn ask(&mut self, command: &str) -> Result<Value> {
        let sent = writeln!(self.input, "{command}").and_then(|()| self.input.flush());
        sent.map_err(|_| self.ended())?;
        let line = self.read()?;
        let answer: Value =
            serde_json::from_str(&line).with_context(|| format!("{command}: not JSON: {line}"))?;
        if let Some(error) = answer.get("error") {
            bail!("{command}: {}", error.as_str().unwrap_or("an error without words"));
        }
        Ok(answer)
    }

    fn read(&self) -> Result<String> {
        self.lines.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => anyhow!("no answer within {} s", PATIENCE.as_secs()),
            RecvTimeoutError::Disconnected => self.ended(),
        })
    }

    /// Why a process that is gone went.
    fn ended(&self) -> anyhow::Error {
        anyhow!("the worker ended: {}", complaint(&std::fs::read_to_string(&self.log).unwrap_or_default()))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Asked first, so that it ends its own children; a worker that is already gone, or that does
        // not listen, needs no more than the kill.
        let _ = writeln!(self.input, "quit");
        let _ = self.lines.recv_timeout(GOODBYE);
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, name: &str) -> Result<Worker> {
        let log = std::env::temp_dir().join(format!("thinnet-xtask-{name}-{}.log", std::process::id()));
        Worker::start(&["sh".into(), "-c".into(), script.into()], log)
    }

    #[test]
    fn a_worker_answers_and_its_errors_are_errors() {
        let script = r#"echo ready sh 1; read line; echo "{\"milliseconds\": [1]}"
                        read line; echo "{\"error\": \"no mode x\"}"; read line"#;
        let mut worker = shell(script, "answers").unwrap();
        assert_eq!(worker.library, "sh 1");
        assert_eq!(worker.ask("time W1 dense 1").unwrap()["milliseconds"][0], 1);
        assert_eq!(worker.ask("time W1 x 1").unwrap_err().to_string(), "time W1 x 1: no mode x");
    }

    #[test]
    fn a_worker_that_ends_says_why() {
        let error = shell("echo 'ImportError: no jax' >&2", "ends").err().unwrap();
        assert_eq!(error.to_string(), "the worker ended: ImportError: no jax");
    }
}
