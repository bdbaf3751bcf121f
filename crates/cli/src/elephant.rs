//! `thinnet elephant`: von Neumann's elephant, and what a network learns of noisy points of it with and
//! without dropout.

use std::f64::consts::TAU;
use std::io::Write;
use std::panic;
use std::thread;
use std::time::Instant;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use thinnet::average::{Average, Link, average};
use thinnet::data::{Elephant, ElephantSamples, Examples, Matrix, Targets, harmonics};
use thinnet::model::atomic_write;
use thinnet::network::NetworkSpec;
use thinnet::prepare::Scale;
use thinnet::report::{Dots, ElephantFit, ElephantPicture, Sheet, Sketch, table};
use thinnet::thin::{Rates, ThinSpec, Thinning};
use thinnet::train::{Ended, Flow, Threads, TrainSpec, Trainer};
use thinnet::{Error, Isa};

use crate::arguments::Elephant as Arguments;
use crate::{fit, progress, text};

/// Noisy points to learn from.
const POINTS: u32 = 150;
/// Points at which an outline is drawn and measured, none of them at the angle of a noisy one.
const DRAWN: u32 = 4 * POINTS;
/// The inputs are cosine and sine of the angle, of twice the angle, and so on to the elephant's own fifth.
const HARMONICS: u32 = 5;
/// The hidden units.
const UNITS: usize = 2048;
/// The rate at which they are dropped.
const RATE: f32 = 0.5;

/// Draws the elephant, trains both networks, and reports.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    arguments.output.as_deref().map_or(Ok(()), fit::check_output)?;
    let task = Task::new(arguments)?;
    let networks = both(&task, arguments)?;
    if let Some(path) = &arguments.output {
        atomic_write(path, |file| file.write_all(svg(&task, &networks).as_bytes()))?;
    }
    if arguments.json {
        text::print_json(&as_json(&task, &networks, arguments))?;
    } else if !arguments.quiet {
        text::print(&report(&task, &networks, arguments, began.elapsed().as_secs_f64()))?;
    }
    Ok(())
}

/// What is to be learned: an outline, from noisy points of it.
struct Task {
    elephant: Elephant,
    /// The noisy points, and what a network sees of them.
    points: Vec<[f64; 2]>,
    examples: Examples,
    /// How far the points lie from the elephant.
    noise: f64,
    /// Mean and standard deviation of both coordinates of the points.
    scales: [Scale; 2],
    /// Where outlines are drawn: what a network sees, and the points of the true one.
    inputs: Matrix,
    truth: Vec<[f64; 2]>,
}

impl Task {
    fn new(arguments: &Arguments) -> thinnet::Result<Self> {
        let elephant = Elephant::default();
        let ElephantSamples { angles, points } = elephant.samples(POINTS, arguments.noise, arguments.seed)?;
        let scale = |axis: usize| Scale::fit(points.iter().map(move |point| point[axis]));
        let (Some(right), Some(up)) = (scale(0), scale(1)) else {
            return Err(Error::argument(
                "noise",
                format!("{} is too large to compute with", arguments.noise),
            ));
        };
        let standardised = |point: &[f64; 2]| [right.apply(point[0]) as f32, up.apply(point[1]) as f32];
        let targets = Matrix::new(points.len(), 2, points.iter().flat_map(standardised).collect())?;
        let examples = Examples::new(harmonics(&angles, HARMONICS), Targets::Values(targets), None)?;
        let between: Vec<f64> = (0..DRAWN).map(|at| TAU * (f64::from(at) + 0.5) / f64::from(DRAWN)).collect();
        let outline =
            |angles: &[f64]| angles.iter().map(|&angle| elephant.outline(angle)).collect::<Vec<_>>();
        let noise = distance(&points, &outline(&angles));
        let (truth, inputs) = (outline(&between), harmonics(&between, HARMONICS));
        Ok(Self { elephant, points, examples, noise, scales: [right, up], inputs, truth })
    }

    /// Trains a network and measures it.
    fn learn(&self, name: &'static str, thin: &ThinSpec, arguments: &Arguments) -> thinnet::Result<Network> {
        let (seed, isa) = (arguments.seed, Isa::from_environment().map_err(Error::Machine)?);
        let (network, train) = setting(arguments.epochs);
        let trainer = Trainer { network: &network, thin, train: &train, seed, isa };
        // A step of so small a network is too little for several threads.
        let threads = Threads::new(1)?;
        let outcome = trainer.run(&self.examples, None, &threads, &mut |_| Flow::Continue)?;
        if let Ended::NotFinite { step, learning_rate } = outcome.ended {
            return Err(Error::NotFinite { step, learning_rate });
        }
        let thinning = Thinning::new(thin, &outcome.network, seed)?;
        let drawn = |inputs: &Matrix| {
            let by = Average::WeightScaling;
            let whole =
                threads.run(|| average(isa, &outcome.network, &thinning, Link::Identity, inputs, by))?;
            let row =
                |row: usize| [0, 1].map(|axis| self.scales[axis].undo(whole.mean.row(row)[axis].into()));
            Ok::<Vec<[f64; 2]>, Error>((0..inputs.rows()).map(row).collect())
        };
        let outline = drawn(&self.inputs)?;
        Ok(Network {
            name,
            parameters: outcome.network.parameters(),
            from_points: distance(&drawn(&self.examples.inputs)?, &self.points),
            from_elephant: distance(&outline, &self.truth),
            seconds: outcome.seconds,
            outline,
        })
    }
}

/// The setting of both networks; the standard one is the same without dropout.
fn setting(epochs: u64) -> (NetworkSpec, TrainSpec) {
    let network = NetworkSpec { hidden: vec![UNITS], ..NetworkSpec::default() };
    let train = TrainSpec { epochs, batch: Some(32), slice: 32, ..TrainSpec::default() };
    (network, train)
}

/// The root of the mean squared distance between points of the same angle.
fn distance(these: &[[f64; 2]], those: &[[f64; 2]]) -> f64 {
    let squares = these.iter().zip(those).map(|(a, b)| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    (squares.sum::<f64>() / these.len() as f64).sqrt()
}

/// A network that has learned.
struct Network {
    name: &'static str,
    parameters: usize,
    /// Its distance from the noisy points it has learned from.
    from_points: f64,
    /// Its distance from the true outline, between the noisy points.
    from_elephant: f64,
    seconds: f64,
    outline: Vec<[f64; 2]>,
}

/// The standard network and the dropout network, side by side where there are two threads.
fn both(task: &Task, arguments: &Arguments) -> thinnet::Result<[Network; 2]> {
    let bar = if arguments.quiet { ProgressBar::hidden() } else { progress::runs(2) };
    let (none, some) = (ThinSpec::none(), ThinSpec { hidden: Rates::All(RATE), ..ThinSpec::default() });
    let learn = |name, thin| {
        let learned = task.learn(name, thin, arguments);
        bar.inc(1);
        learned
    };
    let alone = Threads::new(arguments.threads)?.count() == 1;
    let [standard, dropout] = thread::scope(|scope| {
        if alone {
            return [learn("standard", &none), learn("dropout", &some)];
        }
        let standard = scope.spawn(|| learn("standard", &none));
        let dropout = learn("dropout", &some);
        [standard.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)), dropout]
    });
    bar.finish_and_clear();
    Ok([standard?, dropout?])
}

/// What is printed.
fn report(task: &Task, networks: &[Network; 2], arguments: &Arguments, seconds: f64) -> String {
    let [one, two, three, four, five] = task.elephant.parameters.map(complex);
    format!(
        "Von Neumann's elephant: {one}, {two}, {three} and {four} draw it, 8 numbers in all;\n\
         {five} places its eye and moves its trunk.\n\n{}\n\
         {}-{UNITS}-2 relu learns the outline from cosine and sine of t to {HARMONICS}t; {}, seed {}\n\
         standard: every unit in every step\ndropout:  drops {RATE} of hidden units, one mask for each slice\n\n\
         {}distances: root mean squares between points of the same t; the elephant is {:.0} wide\n\n\
         {}\n\n{} in all. Next: thinnet elephant -o elephant.svg\n",
        drawings(task, networks, arguments),
        2 * HARMONICS,
        text::counted(arguments.epochs as usize, "epoch", "epochs"),
        arguments.seed,
        rows(networks),
        width(&task.truth),
        meaning(task.noise, networks),
        text::seconds(seconds),
    )
}

/// -14 - 60i
fn complex([real, imaginary]: [f64; 2]) -> String {
    format!("{real} {} {}i", if imaginary < 0.0 { '-' } else { '+' }, imaginary.abs())
}

/// The elephant, its noisy points, and below them what both networks made of those.
fn drawings(task: &Task, networks: &[Network; 2], arguments: &Arguments) -> String {
    let eye = &[task.elephant.eye()];
    let titles = networks.each_ref().map(|network| format!("{} network", network.name));
    let noisy = format!("{POINTS} points of it, with noise {}", arguments.noise);
    let sketches = [
        Sketch { title: "the elephant", outline: &task.truth, points: eye },
        Sketch { title: &noisy, outline: &[], points: &task.points },
        Sketch { title: &titles[0], outline: &networks[0].outline, points: eye },
        Sketch { title: &titles[1], outline: &networks[1].outline, points: eye },
    ];
    let dots = if arguments.ascii || !is_unicode() { Dots::Ascii } else { Dots::Braille };
    Sheet { dots, ..Sheet::default() }.draw(&sketches)
}

/// Whether the terminal can show Unicode, as far as the locale says (POSIX: the first of these that is
/// set and not empty). Where it says nothing, most can.
fn is_unicode() -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    locale.is_none_or(|locale| locale.to_lowercase().replace('-', "").contains("utf8"))
}

fn width(outline: &[[f64; 2]]) -> f64 {
    let (left, right) = (f64::INFINITY, f64::NEG_INFINITY);
    let (left, right) =
        outline.iter().fold((left, right), |(left, right), point| (left.min(point[0]), right.max(point[0])));
    right - left
}

fn rows(networks: &[Network]) -> String {
    let row = |network: &Network| {
        vec![
            network.name.to_string(),
            text::count(network.parameters as u64),
            format!("{:.2}", network.from_points),
            format!("{:.2}", network.from_elephant),
            format!("{:.2}", network.seconds),
        ]
    };
    let headers = ["network", "parameters", "from the points", "from the elephant", "seconds"];
    table(&headers, &networks.iter().map(row).collect::<Vec<_>>())
}

/// One sentence on what the numbers say. A difference of less than a tenth is one that another seed may turn.
fn meaning(noise: f64, [standard, dropout]: &[Network; 2]) -> String {
    let (from, to) = (standard.from_elephant, dropout.from_elephant);
    let so = if to < 0.9 * from {
        "without dropout the network learned the noise too"
    } else if to > 1.1 * from {
        "here dropout costs more than it gives; more noise or more epochs may turn that"
    } else {
        "other seeds would tell the two apart"
    };
    format!(
        "The points lie {noise:.1} from the elephant, what the standard network made of them {from:.1}, and what \
         the dropout network made of them {to:.1}: {so}."
    )
}

fn svg(task: &Task, networks: &[Network; 2]) -> String {
    let parameters = format!("{} parameters", text::count(networks[0].parameters as u64));
    let dropping = format!("the same, {RATE} of its units dropped");
    let distances =
        networks.each_ref().map(|network| format!("{:.1} from the elephant", network.from_elephant));
    let fits = [
        ElephantFit {
            name: "Standard network",
            notes: [&parameters, &distances[0]],
            outline: &networks[0].outline,
        },
        ElephantFit {
            name: "Dropout network",
            notes: [&dropping, &distances[1]],
            outline: &networks[1].outline,
        },
    ];
    ElephantPicture { elephant: task.elephant, points: &task.points, fits: &fits }.svg()
}

fn as_json(task: &Task, networks: &[Network; 2], arguments: &Arguments) -> Value {
    let network = |network: &Network| {
        json!({
            "name": network.name,
            "parameters": network.parameters,
            "from_points": network.from_points,
            "from_elephant": network.from_elephant,
            "seconds": network.seconds,
            "outline": network.outline,
        })
    };
    json!({
        "elephant": task.elephant.parameters,
        "eye": task.elephant.eye(),
        "outline": task.truth,
        "seed": arguments.seed,
        "noise": arguments.noise,
        "points": task.points,
        "points_from_elephant": task.noise,
        "epochs": arguments.epochs,
        "networks": networks.each_ref().map(network),
        "meaning": meaning(task.noise, networks),
    })
}
