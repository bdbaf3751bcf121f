//! A regression of two outputs, trained without a table: von Neumann's elephant from noisy points of it, and
//! what keeps a wide network from learning their noise. docs/elephant.md tells of the numbers.

use std::f64::consts::TAU;

use thinnet::data::{Elephant, ElephantSamples, Examples, Matrix, Targets, harmonics};
use thinnet::measure::Estimate;
use thinnet::network::NetworkSpec;
use thinnet::prepare::Scale;
use thinnet::report::table;
use thinnet::thin::{Rates, ThinSpec, Thinning, outputs};
use thinnet::train::{Flow, Threads, TrainSpec, Trainer};
use thinnet::{Isa, Result};

fn main() -> Result<()> {
    let dropout = |rate| ThinSpec { hidden: Rates::All(rate), ..ThinSpec::default() };
    let plain =
        TrainSpec { epochs: 600, batch: Some(32), slice: 32, patience: Some(0), ..TrainSpec::default() };
    let remedies = [
        ("nothing", dropout(0.0), plain.clone()),
        ("early stopping", dropout(0.0), TrainSpec { patience: Some(600), ..plain.clone() }),
        ("L2 penalty 0.01", dropout(0.0), TrainSpec { l2: 0.01, ..plain.clone() }),
        ("dropout 0.5", dropout(0.5), plain.clone()),
        ("dropout 0.7", dropout(0.7), plain),
    ];
    let mut rows = Vec::new();
    for (name, thin, train) in &remedies {
        let distances = (0..5).map(|seed| distance(thin, train, seed)).collect::<Result<Vec<f64>>>()?;
        let Some(Estimate { mean, standard_error: Some(error) }) = Estimate::of(&distances) else { continue };
        rows.push(vec![name.to_string(), format!("{mean:.2} ± {error:.2}")]);
    }
    print!("{}", table(&["remedy", "from the elephant"], &rows));
    Ok(())
}

/// How far from the elephant a network draws that was trained on 150 noisy points of it. Where it validates,
/// 150 further noisy points choose its epoch.
fn distance(thin: &ThinSpec, train: &TrainSpec, seed: u32) -> Result<f64> {
    let elephant = Elephant::default();
    let points = elephant.samples(300, 6.0, seed)?;
    // The even ones are learned from, the odd ones lie between them.
    let every_other = |first: usize| ElephantSamples {
        angles: points.angles.iter().skip(first).step_by(2).copied().collect(),
        points: points.points.iter().skip(first).step_by(2).copied().collect(),
    };
    let (learned, further) = (every_other(0), every_other(1));
    let scale = |axis: usize| Scale::fit(learned.points.iter().map(move |point| point[axis]));
    let scales = [0, 1].map(|axis| scale(axis).unwrap_or(Scale { mean: 0.0, deviation: 1.0 }));
    let examples = |samples: &ElephantSamples| {
        let pair = |point: &[f64; 2]| [0, 1].map(|axis| scales[axis].apply(point[axis]) as f32);
        let targets = Matrix::new(samples.points.len(), 2, samples.points.iter().flat_map(pair).collect())?;
        Examples::new(harmonics(&samples.angles, 5), Targets::Values(targets), None)
    };
    let network = NetworkSpec { hidden: vec![2048], ..NetworkSpec::default() };
    let trainer = Trainer { network: &network, thin, train, seed, isa: Isa::best() };
    let threads = Threads::new(1)?;
    let further = examples(&further)?;
    let outcome = trainer.run(&examples(&learned)?, Some(&further), &threads, &mut |_| Flow::Continue)?;

    let angles: Vec<f64> = (0..600).map(|step| TAU * (f64::from(step) + 0.5) / 600.0).collect();
    let thinning = Thinning::new(thin, &outcome.network, seed)?;
    let drawn = outputs(Isa::best(), &outcome.network, &thinning, &harmonics(&angles, 5))?;
    let squares = angles.iter().enumerate().map(|(row, &angle)| {
        let (truth, output) = (elephant.outline(angle), drawn.row(row));
        (0..2).map(|axis| (scales[axis].undo(output[axis].into()) - truth[axis]).powi(2)).sum::<f64>()
    });
    Ok((squares.sum::<f64>() / angles.len() as f64).sqrt())
}
