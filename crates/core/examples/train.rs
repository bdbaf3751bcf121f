//! train: how a network learns. The digits by Nesterov's momentum with max-norm, watched as it goes
//! and ended when the validation error is low enough.

use thinnet::Isa;
use thinnet::data::{Data, DataSpec, digits};
use thinnet::network::NetworkSpec;
use thinnet::prepare::{Pipeline, PrepareSpec};
use thinnet::thin::ThinSpec;
use thinnet::train::{Event, Flow, Optimizer, Threads, TrainSpec, Trainer};

fn main() -> thinnet::Result<()> {
    let data = Data::from(digits()?);
    let (training, validation): (Vec<usize>, Vec<usize>) = (0..data.rows()).partition(|row| row % 5 > 0);
    let (pipeline, _) = Pipeline::fit(&data, &training, &DataSpec::default(), &PrepareSpec::default())?;
    let examples = pipeline.examples(&data, Some(&training))?;
    let valid = pipeline.examples(&data, Some(&validation))?;

    let network = NetworkSpec { hidden: vec![128], ..NetworkSpec::default() };
    let train = TrainSpec {
        optimizer: Optimizer::Nesterov,
        learning_rate: 0.05,
        max_norm: 3.0,
        epochs: 60,
        ..TrainSpec::default()
    };
    let trainer =
        Trainer { network: &network, thin: &ThinSpec::default(), train: &train, seed: 1, isa: Isa::best() };
    let mut watch = |event: &Event| {
        let Event::Epoch(epoch) = event else { return Flow::Continue };
        let error = 100.0 * epoch.valid_error.unwrap_or(f64::NAN);
        println!("epoch {:2}: loss {:.4}, validation error {error:.2} %", epoch.epoch, epoch.train_loss);
        if error < 3.0 { Flow::Stop } else { Flow::Continue }
    };
    let outcome = trainer.run(&examples, Some(&valid), &Threads::new(0)?, &mut watch)?;
    println!("ended: {:?}; kept the parameters of epoch {}", outcome.ended, outcome.chosen_epoch);
    println!("{:.0} rows a second", outcome.rows as f64 / outcome.seconds);
    Ok(())
}
