//! Times the bare products of one dense step with several GEMM libraries; bench/README.md has the protocol.

mod library;

use std::io::{BufRead, Write};
use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use library::{LIBRARIES, Library, View};
use serde_json::{Value, json};

/// Rows of a slice, which one thread works on.
const SLICE: usize = 64;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => 2,
        ["--threads", count] => count.parse().context("--threads wants a number")?,
        _ => bail!("usage: bench-gemm [--threads N]"),
    };
    let nets: Value = serde_json::from_str(include_str!("../../nets.json"))?;
    println!("ready {}", versions());
    for line in std::io::stdin().lock().lines() {
        let answer = match line?.split_whitespace().collect::<Vec<_>>()[..] {
            ["quit"] => break,
            ["gemm", net, repeats] => gemm(&nets, net, repeats, threads),
            _ => Err(anyhow::anyhow!("the only command here is gemm NET REPEATS")),
        };
        println!("{}", answer.unwrap_or_else(|error| json!({ "error": error.to_string() })));
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// The libraries with the versions that the lock file pins.
fn versions() -> String {
    let lock = include_str!("../Cargo.lock");
    let version = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        lock.split_once(&entry).and_then(|(_, rest)| rest.split('"').next()).unwrap_or("?")
    };
    LIBRARIES.map(|library| format!("{} {}", library.name, version(library.name))).join(", ")
}

/// Answers `gemm NET REPEATS`.
fn gemm(nets: &Value, name: &str, repeats: &str, threads: usize) -> Result<Value> {
    let net = nets.get(name).context("no such net in nets.json")?;
    let units: Vec<usize> = serde_json::from_value(net["units"].clone())?;
    let batch: usize = serde_json::from_value(net["batch"].clone())?;
    let repeats = repeats.parse().context("REPEATS wants a number")?;
    let milliseconds: serde_json::Map<String, Value> = LIBRARIES
        .iter()
        .map(|library| (library.name.into(), json!(time(library, &units, batch, repeats, threads))))
        .collect();
    Ok(json!({ "net": name, "milliseconds": milliseconds }))
}

/// Milliseconds of all products of one dense step, `repeats` times, after one that is not counted.
/// Slices of 64 rows are dealt out to the threads; each product is single-threaded.
fn time(library: &Library, units: &[usize], batch: usize, repeats: usize, threads: usize) -> Vec<f64> {
    let weights: Vec<Vec<f32>> = units.windows(2).map(|pair| filled(pair[0] * pair[1])).collect();
    let slices = batch.div_ceil(SLICE);
    let threads = threads.clamp(1, slices);
    let barrier = Barrier::new(threads);
    let run = |thread: usize| {
        let mut mine: Vec<Slice> = (thread..slices)
            .step_by(threads)
            .map(|slice| Slice::new(units, SLICE.min(batch - slice * SLICE)))
            .collect();
        let mut milliseconds = Vec::with_capacity(repeats);
        for repeat in 0..=repeats {
            barrier.wait();
            let start = Instant::now();
            mine.iter_mut().for_each(|slice| slice.step(library, units, &weights));
            barrier.wait();
            if repeat > 0 {
                milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        milliseconds
    };
    std::thread::scope(|scope| {
        for thread in 1..threads {
            let run = &run;
            scope.spawn(move || run(thread));
        }
        run(0)
    })
}

/// What one slice of rows reads and writes in a step.
struct Slice {
    rows: usize,
    /// `[rows, units]` of the input and of each layer's output.
    activations: Vec<Vec<f32>>,
    /// `[rows, units]`: the loss's gradient there.
    deltas: Vec<Vec<f32>>,
    /// `[out, in]` of each layer.
    gradients: Vec<Vec<f32>>,
}

impl Slice {
    fn new(units: &[usize], rows: usize) -> Slice {
        let matrices = || units.iter().map(|&count| filled(rows * count)).collect();
        let gradients = units.windows(2).map(|pair| filled(pair[0] * pair[1])).collect();
        Slice { rows, activations: matrices(), deltas: matrices(), gradients }
    }

    /// Forward for each layer, then each layer's gradient and, but for the first, its input's gradient.
    fn step(&mut self, library: &Library, units: &[usize], weights: &[Vec<f32>]) {
        let rows = self.rows;
        let layers = weights.len();
        for layer in 0..layers {
            let (inputs, outputs) = (units[layer], units[layer + 1]);
            let (below, above) = self.activations.split_at_mut(layer + 1);
            let weight = View::transposed(&weights[layer], outputs, inputs);
            (library.product)(&mut above[0], View::plain(&below[layer], rows, inputs), weight);
        }
        for layer in (0..layers).rev() {
            let (inputs, outputs) = (units[layer], units[layer + 1]);
            let (below, above) = self.deltas.split_at_mut(layer + 1);
            let rows_in = View::plain(&self.activations[layer], rows, inputs);
            (library.product)(
                &mut self.gradients[layer],
                View::transposed(&above[0], rows, outputs),
                rows_in,
            );
            if layer > 0 {
                let weight = View::plain(&weights[layer], outputs, inputs);
                (library.product)(&mut below[layer], View::plain(&above[0], rows, outputs), weight);
            }
        }
    }
}

/// Numbers between -0.5 and 0.5: of the size of activations, and never so small that they slow the products.
fn filled(count: usize) -> Vec<f32> {
    (0..count).map(|index| ((index * 7919) % 1009) as f32 / 1009.0 - 0.5).collect()
}
