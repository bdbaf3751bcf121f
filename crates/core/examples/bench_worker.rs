//! thinnet's contestant in `cargo xtask bench`: answers one line with one line. The protocol
//! stands in bench/README.md.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use serde_json::{Value, json};
use thinnet::Spec;
use thinnet::average::{Link, average};
use thinnet::data::{Data, Examples, Matrix, Targets, digits};
use thinnet::model::fit;
use thinnet::network::{Activation, Initialise, Network, NetworkSpec};
use thinnet::thin::{self, Drop, Rates, Share, ThinSpec, Thinning};
use thinnet::train::{Flow, Objective, Stepper, Threads, TrainSpec};
use thinnet_kernels::matmul::{Submatrix, product};
use thinnet_kernels::philox::{self, Counter, Key};
use thinnet_kernels::{Isa, line, stride};

/// The object that is written back, or what went wrong.
type Answer = Result<Value, String>;

/// A net of the benchmark, as bench/nets.json has it.
#[derive(serde::Deserialize)]
struct Net {
    units: Vec<usize>,
    batch: usize,
    input_rate: f32,
    hidden_rate: f32,
    loss: String,
}

impl Net {
    fn named(name: &str) -> Result<Self, String> {
        let mut nets: BTreeMap<String, Net> = serde_json::from_str(include_str!("../../../bench/nets.json"))
            .map_err(|error| error.to_string())?;
        nets.remove(name).ok_or_else(|| format!("there is no net {name:?}"))
    }

    fn inputs(&self) -> usize {
        self.units[0]
    }

    fn outputs(&self) -> usize {
        self.units[self.units.len() - 1]
    }

    fn network(&self) -> thinnet::Result<Network> {
        let hidden = self.units[1..self.units.len() - 1].to_vec();
        let spec = NetworkSpec { hidden, activation: Activation::Relu, initialise: Initialise::He };
        Network::new(self.inputs(), self.outputs(), &spec, 0)
    }
}

/// Numbers from 0 to 1.
fn numbers(count: usize, stream: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(Isa::best(), Key { seed: 1, stream }, Counter { block: 0, row: 0, step: 0 }, &mut words);
    words.into_iter().map(|word| word as f32 / u32::MAX as f32).collect()
}

fn examples(net: &Net, rows: usize) -> thinnet::Result<Examples> {
    let inputs = Matrix::new(rows, net.inputs(), numbers(rows * net.inputs(), 100))?;
    let drawn = numbers(rows, 101);
    let targets = if net.loss == "cross-entropy" {
        let classes = net.outputs();
        let label = |drawn: &f32| (drawn * classes as f32) as u32 % classes as u32;
        Targets::Classes { labels: drawn.iter().map(label).collect(), classes }
    } else {
        Targets::Values(Matrix::new(rows, 1, drawn)?)
    };
    Examples::new(inputs, targets, None)
}

fn thin_spec(net: &Net, mode: &str) -> Result<ThinSpec, String> {
    let (share, (input, hidden)) = match mode {
        "dense" => (Share::Row, (0.0, 0.0)),
        "row" => (Share::Row, (net.input_rate, net.hidden_rate)),
        "slice" | "full-update" | "edges" => (Share::Slice, (net.input_rate, net.hidden_rate)),
        "gaussian" | "variational" | "concrete" | "edges-row" | "edges-gaussian" | "sparse-variational" => {
            (Share::Row, (net.input_rate, net.hidden_rate))
        }
        "standout" => (Share::Row, (0.0, net.hidden_rate)),
        _ => return Err(format!("there is no mode {mode:?}")),
    };
    let drop = match mode {
        "gaussian" => Drop::Gaussian,
        "variational" => Drop::Variational,
        "concrete" => Drop::Concrete,
        "standout" => Drop::Standout,
        "edges" | "edges-row" => Drop::Edges,
        "edges-gaussian" => Drop::EdgesGaussian,
        "sparse-variational" => Drop::SparseVariational,
        _ => Drop::Units,
    };
    Ok(ThinSpec { drop, input, hidden: Rates::All(hidden), share, ..ThinSpec::default() })
}

/// A measurement lasts at least this long: a step that is shorter is repeated within it.
const MEASUREMENT_MILLISECONDS: f64 = 5.0;

/// Milliseconds of a step, measured `repeats` times.
fn time(threads: &Threads, name: &str, mode: &str, repeats: usize) -> Answer {
    let net = Net::named(name)?;
    let thin = thin_spec(&net, mode)?;
    let run = || -> thinnet::Result<Vec<f64>> {
        let rows = net.batch * 8;
        let examples = examples(&net, rows)?;
        let train = TrainSpec::default();
        let objective = Objective::new(&train, &examples.targets)?;
        let isa = Isa::from_environment().map_err(thinnet::Error::Machine)?;
        let network = thin.with_noise(net.network()?)?;
        let mut stepper = Stepper::new(isa, network, &thin, &train, objective, net.batch, 0)?;
        let order: Vec<usize> = (0..rows).collect();
        let mut batches = order.chunks(net.batch).cycle();
        // With only its own rate known a step brings no unit forward: the update without laziness.
        let known = if mode == "full-update" { 1 } else { 8 };
        let mut steps = |count: usize| {
            let began = Instant::now();
            for batch in batches.by_ref().take(count) {
                stepper.step(&examples, None, batch, &[0.001; 8][..known])?;
            }
            Ok(began.elapsed().as_secs_f64() * 1e3 / count as f64)
        };
        steps(3)?;
        let count = (MEASUREMENT_MILLISECONDS / steps(3)?).ceil() as usize;
        (0..repeats).map(|_| steps(count)).collect()
    };
    let milliseconds = threads.run(run).map_err(|error| error.to_string())?;
    Ok(json!({ "net": name, "mode": mode, "milliseconds": milliseconds }))
}

/// Milliseconds of the prediction of 10,000 rows.
fn predict(threads: &Threads, name: &str, repeats: usize) -> Answer {
    let net = Net::named(name)?;
    let run = || -> thinnet::Result<Vec<f64>> {
        let rows = examples(&net, PREDICTED_ROWS)?;
        let network = net.network()?;
        let thinning = Thinning::new(&ThinSpec::none(), &network, 0)?;
        let isa = Isa::from_environment().map_err(thinnet::Error::Machine)?;
        let once = || {
            let began = Instant::now();
            std::hint::black_box(thin::outputs(isa, &network, &thinning, &rows.inputs)?);
            Ok(began.elapsed().as_secs_f64() * 1e3)
        };
        once()?;
        (0..repeats).map(|_| once()).collect()
    };
    let milliseconds = threads.run(run).map_err(|error| error.to_string())?;
    Ok(json!({ "net": name, "rows": PREDICTED_ROWS, "milliseconds": milliseconds }))
}

const PREDICTED_ROWS: usize = 10_000;

/// Milliseconds of some work, which runs once before.
fn timed(repeats: usize, mut once: impl FnMut() -> thinnet::Result<()>) -> thinnet::Result<Vec<f64>> {
    once()?;
    let timed = |_| {
        let began = Instant::now();
        once()?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    (0..repeats).map(timed).collect()
}

/// Milliseconds of an average of the thinned networks for 1,000 rows.
fn averages(threads: &Threads, network: Network, thin: &ThinSpec, by: &str, repeats: usize) -> Answer {
    let run = || -> thinnet::Result<Vec<f64>> {
        let inputs = Matrix::new(1000, network.inputs(), numbers(1000 * network.inputs(), 102))?;
        let thinning = Thinning::new(thin, &network, 0)?;
        let isa = Isa::from_environment().map_err(thinnet::Error::Machine)?;
        let by = by.parse().map_err(thinnet::Error::Machine)?;
        timed(repeats, || {
            average(isa, &network, &thinning, Link::Softmax, &inputs, by).map(|mean| {
                std::hint::black_box(mean);
            })
        })
    };
    let milliseconds = threads.run(run).map_err(|error| error.to_string())?;
    Ok(json!({ "average": by, "milliseconds": milliseconds }))
}

/// Milliseconds of an average by a net of the benchmark.
fn average_of(threads: &Threads, name: &str, by: &str, repeats: usize) -> Answer {
    let net = Net::named(name)?;
    let network = net.network().map_err(|error| error.to_string())?;
    averages(threads, network, &thin_spec(&net, "slice")?, by, repeats)
}

/// Milliseconds of all thinned networks of one layer of 16 units.
fn exact(threads: &Threads, repeats: usize) -> Answer {
    let spec = NetworkSpec { hidden: vec![16], ..NetworkSpec::default() };
    let network = Network::new(64, 10, &spec, 0).map_err(|error| error.to_string())?;
    averages(threads, network, &ThinSpec { hidden: Rates::All(0.5), ..ThinSpec::default() }, "exact", repeats)
}

/// Milliseconds of the training of so many members on so many threads.
fn ensemble(members: &str, threads: &str, repeats: usize) -> Answer {
    let number = |word: &str| word.parse().map_err(|_| format!("{word:?} is no number"));
    let mut spec = Spec::default();
    spec.ensemble.members = number(members)?;
    spec.train.epochs = 20;
    let run = || -> thinnet::Result<Vec<f64>> {
        let data = Data::Images(digits()?);
        let threads = Threads::new(number(threads).map_err(thinnet::Error::Machine)?)?;
        timed(repeats, || fit(&data, None, &spec, &threads, &mut |_| Flow::Continue).map(|_| ()))
    };
    Ok(json!({ "milliseconds": run().map_err(|error| error.to_string())? }))
}

/// Milliseconds of all products of one dense step, each half of the batch on its own thread.
fn gemm(threads: &Threads, name: &str, repeats: usize) -> Answer {
    let net = Net::named(name)?;
    let isa = Isa::from_environment()?;
    let rows = line(net.batch / 2);
    let widths = &net.units;
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
    Ok(json!({ "net": name, "milliseconds": { "thinnet": milliseconds } }))
}

/// The most memory this process has held, after some steps of a dense net.
fn memory(threads: &Threads, name: &str) -> Answer {
    time(threads, name, "dense", 3)?;
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(json!({ "net": name, "peak_mib": peak.map(|kib| kib / 1024.0) }))
}

fn answer(threads: &Threads, words: &[&str]) -> Answer {
    let repeats = |word: Option<&&str>| {
        word.map_or(Ok(20), |word| word.parse().map_err(|_| format!("{word:?} is no count")))
    };
    match words {
        ["time", net, mode, rest @ ..] => time(threads, net, mode, repeats(rest.first())?),
        ["predict", net, rest @ ..] => predict(threads, net, repeats(rest.first())?),
        ["gemm", net, rest @ ..] => gemm(threads, net, repeats(rest.first())?),
        ["average", net, by, rest @ ..] => average_of(threads, net, by, repeats(rest.first())?),
        ["exact", rest @ ..] => exact(threads, repeats(rest.first())?),
        ["ensemble", members, count, rest @ ..] => ensemble(members, count, repeats(rest.first())?),
        ["memory", net] => memory(threads, net),
        _ => Err(format!("cannot answer {:?}", words.join(" "))),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let count = match &arguments[..] {
        [_, option, count] if option == "--threads" => count.parse()?,
        _ => 2,
    };
    let threads = Threads::new(count)?;
    println!("ready thinnet {} {}", env!("CARGO_PKG_VERSION"), Isa::from_environment()?);
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
