//! thinnet's contestant in `cargo xtask bench`: answers one line with one line. The protocol
//! stands in bench/README.md.

use std::io::{self, BufRead, Write};
use std::time::Instant;

use serde_json::{Value, json};
use thinnet::data::{Examples, Matrix, Targets};
use thinnet::network::{Activation, Initialise, Network, NetworkSpec};
use thinnet::thin::{self, Rates, Scaling, Share, ThinSpec, Thinning};
use thinnet::train::{Objective, Stepper, Threads, TrainSpec};
use thinnet_kernels::matmul::{Submatrix, product};
use thinnet_kernels::philox::{self, Counter, Key};
use thinnet_kernels::{Isa, line, stride};

/// A net of the benchmark.
struct Net {
    inputs: usize,
    hidden: Vec<usize>,
    outputs: usize,
    batch: usize,
    rates: (f32, f32),
}

fn net(name: &str) -> Result<Net, String> {
    let (inputs, hidden, outputs, batch, rates) = match name {
        "W1" => (784, vec![1024; 3], 10, 128, (0.2, 0.5)),
        "W2" => (784, vec![4096; 2], 10, 128, (0.2, 0.5)),
        "W3" => (64, vec![256; 3], 1, 256, (0.0, 0.5)),
        "W4" => (13, vec![50], 1, 32, (0.05, 0.05)),
        _ => return Err(format!("there is no net {name:?}")),
    };
    Ok(Net { inputs, hidden, outputs, batch, rates })
}

/// Numbers from 0 to 1.
fn numbers(count: usize, stream: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(Isa::best(), Key { seed: 1, stream }, Counter { block: 0, row: 0, step: 0 }, &mut words);
    words.into_iter().map(|word| word as f32 / u32::MAX as f32).collect()
}

fn examples(net: &Net, rows: usize) -> thinnet::Result<Examples> {
    let inputs = Matrix::new(rows, net.inputs, numbers(rows * net.inputs, 100))?;
    let drawn = numbers(rows, 101);
    let targets = if net.outputs == 1 {
        Targets::Values(Matrix::new(rows, 1, drawn)?)
    } else {
        let classes = net.outputs;
        Targets::Classes {
            labels: drawn.iter().map(|d| (d * classes as f32) as u32 % classes as u32).collect(),
            classes,
        }
    };
    Examples::new(inputs, targets, None)
}

fn spec(net: &Net) -> NetworkSpec {
    NetworkSpec { hidden: net.hidden.clone(), activation: Activation::Relu, initialise: Initialise::He }
}

fn thin_spec(net: &Net, mode: &str) -> Result<ThinSpec, String> {
    let (share, rates) = match mode {
        "dense" => (Share::Row, (0.0, 0.0)),
        "row" => (Share::Row, net.rates),
        "slice" => (Share::Slice, net.rates),
        _ => return Err(format!("there is no mode {mode:?}; there are dense, row and slice")),
    };
    Ok(ThinSpec { input: rates.0, hidden: Rates::All(rates.1), share, scaling: Scaling::Training })
}

/// Milliseconds of each of `repeats` steps, after a few that do not count.
fn time(threads: &Threads, name: &str, mode: &str, repeats: usize) -> Result<Value, String> {
    let net = net(name)?;
    let thin = thin_spec(&net, mode)?;
    let run = || -> thinnet::Result<Vec<f64>> {
        let rows = net.batch * 8;
        let examples = examples(&net, rows)?;
        let train = TrainSpec::default();
        let objective = Objective::new(&train, &examples.targets)?;
        let network = Network::new(net.inputs, net.outputs, &spec(&net), 0)?;
        let isa = Isa::from_environment().map_err(thinnet::Error::Machine)?;
        let mut stepper = Stepper::new(isa, network, &thin, &train, objective, net.batch, 0)?;
        let order: Vec<usize> = (0..rows).collect();
        let mut batches = order.chunks(net.batch).cycle();
        let mut step = || {
            let began = Instant::now();
            stepper.step(&examples, None, batches.next().unwrap_or(&[]), 0.001);
            began.elapsed().as_secs_f64() * 1e3
        };
        (0..5).for_each(|_| {
            step();
        });
        Ok((0..repeats).map(|_| step()).collect())
    };
    let milliseconds = threads.run(run).map_err(|error| error.to_string())?;
    Ok(json!({ "net": name, "mode": mode, "milliseconds": milliseconds }))
}

/// Milliseconds of the prediction of 10,000 rows.
fn predict(threads: &Threads, name: &str, repeats: usize) -> Result<Value, String> {
    let net = net(name)?;
    let run = || -> thinnet::Result<Vec<f64>> {
        let examples = examples(&net, 10_000)?;
        let network = Network::new(net.inputs, net.outputs, &spec(&net), 0)?;
        let thinning = Thinning::new(&ThinSpec::none(), &network, 0)?;
        let isa = Isa::from_environment().map_err(thinnet::Error::Machine)?;
        let once = || {
            let began = Instant::now();
            std::hint::black_box(thin::outputs(isa, &network, &thinning, &examples.inputs));
            began.elapsed().as_secs_f64() * 1e3
        };
        once();
        Ok((0..repeats).map(|_| once()).collect())
    };
    let milliseconds = threads.run(run).map_err(|error| error.to_string())?;
    Ok(json!({ "net": name, "mode": "predict", "milliseconds": milliseconds }))
}

/// Milliseconds of all products of one dense step, each half of the batch on its own thread.
fn gemm(threads: &Threads, name: &str, repeats: usize) -> Result<Value, String> {
    let net = net(name)?;
    let isa = Isa::from_environment()?;
    let rows = line(net.batch / 2);
    let widths = [vec![net.inputs], net.hidden.clone(), vec![net.outputs]].concat();
    let positions: Vec<u32> = (0..*widths.iter().max().unwrap_or(&0) as u32).collect();
    let weights: Vec<Vec<f32>> = widths.windows(2).map(|w| numbers(w[1] * stride(w[0]), 7)).collect();
    let half = || {
        let mut to = vec![0.0; weights.iter().map(Vec::len).max().unwrap_or(0)];
        let (units, lines) = (numbers(4096 * rows, 8), numbers(rows * stride(4096), 9));
        move |weights: &[Vec<f32>]| {
            for (layer, (weights, widths)) in weights.iter().zip(widths.windows(2)).enumerate() {
                let (inputs, outputs) = (widths[0], widths[1]);
                let list = |count: usize| &positions[..count];
                let s = Submatrix {
                    values: weights,
                    lines: list(outputs),
                    line_stride: stride(inputs),
                    steps: list(inputs),
                    step_stride: 1,
                };
                product(isa, s, &units, rows, rows, &mut to, rows, false);
                if layer > 0 {
                    product(isa, s.transposed(), &units, rows, rows, &mut to, rows, false);
                }
                let g = Submatrix {
                    values: &units,
                    lines: list(outputs),
                    line_stride: rows,
                    steps: list(rows),
                    step_stride: 1,
                };
                product(isa, g, &lines, stride(inputs), line(inputs), &mut to, stride(inputs), false);
            }
        }
    };
    let milliseconds = threads.run(|| {
        let (mut left, mut right) = (half.clone()(), half());
        let mut once = || {
            let began = Instant::now();
            rayon::join(|| left(&weights), || right(&weights));
            began.elapsed().as_secs_f64() * 1e3
        };
        once();
        (0..repeats).map(|_| once()).collect::<Vec<f64>>()
    });
    Ok(json!({ "net": name, "mode": "gemm", "milliseconds": milliseconds }))
}

/// The most memory this process has held, after some steps of a dense net.
fn memory(threads: &Threads, name: &str) -> Result<Value, String> {
    time(threads, name, "dense", 3)?;
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(json!({ "net": name, "peak_mib": peak.map(|kib| kib / 1024.0) }))
}

fn answer(threads: &Threads, words: &[&str]) -> Result<Value, String> {
    let repeats = |word: Option<&&str>| {
        word.map_or(Ok(20), |word| word.parse().map_err(|_| format!("{word:?} is no count")))
    };
    match words {
        ["time", net, mode, rest @ ..] => time(threads, net, mode, repeats(rest.first())?),
        ["predict", net, rest @ ..] => predict(threads, net, repeats(rest.first())?),
        ["gemm", net, rest @ ..] => gemm(threads, net, repeats(rest.first())?),
        ["memory", net] => memory(threads, net),
        _ => Err(format!("cannot answer {:?}", words.join(" "))),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::var("THINNET_THREADS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
    let threads = Threads::new(count)?;
    let isa = Isa::from_environment()?;
    println!(
        "{}",
        json!({ "ready": "thinnet", "version": env!("CARGO_PKG_VERSION"), "isa": isa.to_string(), "threads": count })
    );
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        if words == ["quit"] {
            break;
        }
        let answer = answer(&threads, &words).unwrap_or_else(|error| json!({ "error": error }));
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}
