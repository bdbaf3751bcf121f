//! `cargo xtask bench`: thinnet beside other libraries, turn by turn, on the same machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::checks::{DENSE, ROW, Results, SLICE, checks};
use crate::command::{cargo, root, run_quietly, target, text};
use crate::contest::{Contest, Entry, Workers};
use crate::machine::pin;
use crate::own::RACES;
use crate::python::Environment;
use crate::report::{self, Setting};
use crate::worker::Worker;

/// The Python peers: name, packages, modules that show that they are there.
const PYTHON_PEERS: [(&str, &[&str], &[&str]); 4] = [
    ("jax", &["jax"], &["jax"]),
    ("torch", &["torch"], &["torch"]),
    ("sklearn", &["scikit-learn"], &["sklearn"]),
    ("onnx", &["onnxruntime", "onnx"], &["onnxruntime", "onnx"]),
];
const THINNET: &str = "thinnet";
const GEMM: &str = "gemm";

/// Label, worker, mode, and whether it is a peer that trains with dropout.
const CONTESTANTS: [(&str, &str, &str, bool); 9] = [
    (DENSE, THINNET, "dense", false),
    (ROW, THINNET, "row", false),
    (SLICE, THINNET, "slice", false),
    ("JAX, no dropout", "jax", "dense", false),
    ("JAX, dropout", "jax", "dropout", true),
    ("PyTorch, no dropout", "torch", "dense", false),
    ("PyTorch, dropout", "torch", "dropout", true),
    ("torch.compile, dropout", "torch", COMPILED, true),
    ("scikit-learn, no dropout", "sklearn", "dense", false),
];
const COMPILED: &str = "compiled";
const PREDICTORS: [(&str, &str); 4] =
    [("thinnet", THINNET), ("JAX", "jax"), ("ONNX Runtime", "onnx"), ("PyTorch", "torch")];

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    rounds: usize,
    threads: usize,
    peers: Vec<String>,
    json: Option<PathBuf>,
    quick: bool,
}

impl Options {
    /// Reads the words after `bench`.
    pub fn parse(words: &[String]) -> Result<Options> {
        let names = || PYTHON_PEERS.iter().map(|peer| peer.0).chain([GEMM]);
        let quick = words.iter().any(|word| word == "--quick");
        let peers = names().map(str::to_owned).collect();
        let mut options = Options { rounds: if quick { 1 } else { 5 }, threads: 2, peers, json: None, quick };
        let mut words = words.iter().filter(|word| *word != "--quick");
        while let Some(option) = words.next() {
            let value = words.next().with_context(|| format!("{option} wants a value"))?;
            let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
            match option.as_str() {
                "--rounds" => options.rounds = number().context("--rounds wants a number above 0")?,
                "--threads" => options.threads = number().context("--threads wants a number above 0")?,
                "--peers" => options.peers = value.split_terminator(',').map(str::to_owned).collect(),
                "--json" => options.json = Some(value.into()),
                _ => bail!("no option {option}; `cargo xtask` alone lists them"),
            }
        }
        for peer in &options.peers {
            let known = names().collect::<Vec<_>>().join(", ");
            ensure!(names().any(|name| name == peer), "no peer {peer}; there are {known}");
        }
        Ok(options)
    }

    fn wants(&self, peer: &str) -> bool {
        self.peers.iter().any(|name| name == peer)
    }
}

/// Prepares everyone, times everything, prints the report and writes it as JSON.
pub fn run_bench(options: &Options) -> Result<()> {
    let words = pin(options.threads);
    let pinned = !words.is_empty();
    let mut stage = Stage { options, pin: words, workers: Workers::new(), left_out: Vec::new() };
    stage.prepare()?;
    let results = stage.measure()?;
    let Stage { workers, left_out, .. } = stage;

    let checks = checks(&results);
    let setting = Setting { threads: options.threads, rounds: options.rounds, pinned, left_out };
    println!("{}", report::text(&setting, &workers, &results, &checks));
    let path = options.json.clone().unwrap_or_else(|| target().join("bench.json"));
    let json = serde_json::to_string_pretty(&report::json(&setting, &workers, &results, &checks))?;
    std::fs::write(&path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Everyone who takes part.
struct Stage<'a> {
    options: &'a Options,
    pin: Vec<String>,
    workers: Workers,
    left_out: Vec<String>,
}

impl Stage<'_> {
    /// Builds and installs what is needed and starts the workers; who cannot come is left out.
    fn prepare(&mut self) -> Result<()> {
        std::fs::create_dir_all(logs())?;
        let built = build_thinnet().and_then(|program| self.start(THINNET, &[program]));
        self.admit(THINNET, built);
        if self.options.wants(GEMM) {
            let built = build_gemm().and_then(|program| self.start(GEMM, &[program]));
            self.admit(GEMM, built);
        }
        for (name, packages, modules) in PYTHON_PEERS {
            if self.options.wants(name) {
                let started = Environment::open(&target().join("venv-bench")).and_then(|environment| {
                    environment.provide(packages, modules)?;
                    let script = root().join("bench").join(format!("{name}_worker.py"));
                    self.start(name, &[text(environment.python()), text(&script)])
                });
                self.admit(name, started);
            }
        }
        Ok(())
    }

    /// Starts a worker on the first cores.
    fn start(&self, name: &str, command: &[String]) -> Result<Worker> {
        let threads = ["--threads".to_owned(), self.options.threads.to_string()];
        let words = [&self.pin, command, &threads].concat();
        Worker::start(&words, logs().join(format!("{name}.log")))
    }

    fn admit(&mut self, name: &'static str, worker: Result<Worker>) {
        match worker {
            Ok(worker) => {
                println!("{}", worker.library);
                self.workers.insert(name, worker);
            }
            Err(error) => {
                let line = format!("{name}: {error:#}");
                println!("left out: {line}");
                self.left_out.push(line);
            }
        }
    }

    fn measure(&mut self) -> Result<Results> {
        let nets: Value = serde_json::from_str(include_str!("../../bench/nets.json"))?;
        let nets = nets.as_object().context("nets.json is no object")?;
        let repeats = if self.options.quick { 3 } else { 10 };
        let steps = nets.iter().map(|(name, net)| self.steps(name, net, repeats)).collect();
        let predict = PREDICTORS.map(|(label, worker)| Entry {
            label,
            worker,
            command: "predict W1 3".into(),
            peer_with_dropout: false,
        });
        // The whole step once more beside its products: what is compared must be timed in turns.
        let products = [("", THINNET, "gemm W1"), ("", GEMM, "gemm W1"), (DENSE, THINNET, "time W1 dense")];
        let gemm = products.map(|(label, worker, command)| {
            let command = format!("{command} {repeats}");
            Entry { label, worker, command, peer_with_dropout: false }
        });
        Ok(Results {
            steps,
            predict: self.contest("W1, prediction of 10,000 rows".into(), &predict),
            own: RACES
                .iter()
                .map(|race| self.contest(race.title.into(), &race.contestants(THINNET)))
                .collect(),
            gemm: self.contest("W1, the bare products of a step without dropout, and the step".into(), &gemm),
            peak_megabytes: self.peak_memory(),
        })
    }

    /// The training step of one net.
    fn steps(&mut self, name: &str, net: &Value, repeats: usize) -> Contest {
        let chosen = CONTESTANTS.iter().filter(|contestant| !self.options.quick || contestant.2 != COMPILED);
        let entries: Vec<Entry> = chosen
            .map(|&(label, worker, mode, peer_with_dropout)| Entry {
                label,
                worker,
                command: format!("time {name} {mode} {repeats}"),
                peer_with_dropout,
            })
            .collect();
        let units = net["units"].as_array().into_iter().flatten().map(Value::to_string).collect::<Vec<_>>();
        let title = format!(
            "{name}, {}, batch {}, rates {} and {}, {}",
            units.join("-"),
            net["batch"],
            net["input_rate"],
            net["hidden_rate"],
            net["loss"].as_str().unwrap_or_default(),
        );
        self.contest(title, &entries)
    }

    fn contest(&mut self, title: String, entries: &[Entry]) -> Contest {
        Contest::run(title, entries, self.options.rounds, &mut self.workers)
    }

    /// Megabytes (10^6 bytes) that a fresh process held at most while it trained W2.
    fn peak_memory(&mut self) -> Option<f64> {
        if !self.workers.contains_key(THINNET) {
            return None;
        }
        let answer = self.start(THINNET, &[thinnet_program()]).and_then(|mut worker| worker.ask("memory W2"));
        match answer {
            Ok(answer) => answer["peak_mib"].as_f64().map(|mebibytes| mebibytes * 1.048576),
            Err(error) => {
                self.left_out.push(format!("peak memory: {error:#}"));
                None
            }
        }
    }
}

/// Where the workers' standard error goes.
fn logs() -> PathBuf {
    target().join("bench-logs")
}

fn thinnet_program() -> String {
    text(&target().join("release/examples/bench_worker"))
}

fn build_thinnet() -> Result<String> {
    run_quietly(cargo().args(["build", "--release", "--package", "thinnet", "--example", "bench_worker"]))?;
    Ok(thinnet_program())
}

fn build_gemm() -> Result<String> {
    let folder = target().join("bench-gemm");
    let manifest = root().join("bench/gemm/Cargo.toml");
    let arguments = ["build", "--release", "--locked", "--manifest-path", &text(&manifest)];
    run_quietly(cargo().args(arguments).env("CARGO_TARGET_DIR", &folder))?;
    Ok(text(&Path::new(&folder).join("release/bench-gemm")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(
            &line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn options_are_read_in_any_order() {
        let options = parse("--threads 4 --quick --peers jax,onnx --json x.json").unwrap();
        assert_eq!((options.rounds, options.threads, options.quick), (1, 4, true));
        assert_eq!(options.peers, ["jax", "onnx"]);
        assert_eq!(options.json, Some("x.json".into()));
        let defaults = parse("").unwrap();
        assert_eq!((defaults.rounds, defaults.threads, defaults.peers.len()), (5, 2, 5));
        let alone = Options::parse(&["--peers".into(), "".into()]).unwrap();
        assert!(alone.peers.is_empty());
    }

    #[test]
    fn wrong_options_are_refused() {
        assert!(parse("--rounds 0").is_err());
        assert!(parse("--rounds").is_err());
        assert!(parse("--peers jaxx").is_err());
        assert!(parse("--fast 1").is_err());
    }
}
