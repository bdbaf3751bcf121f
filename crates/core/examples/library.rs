//! What the command line does, in Rust: fit, evaluate, predict, save; from a file or from memory.
//!
//!     cargo run --release -p thinnet --example library             # numbers in memory
//!     cargo run --release -p thinnet --example library rows.csv    # a file; its last column is the target

use std::path::Path;

use thinnet::average::Average;
use thinnet::data::{Data, Table};
use thinnet::model::{Evaluation, Model, fit};
use thinnet::thin::Rates;
use thinnet::train::{Event, Flow, Threads};
use thinnet::{Error, Spec};

fn main() -> thinnet::Result<()> {
    let data = match std::env::args().nth(1) {
        Some(path) => Data::open(Path::new(&path), None, &Default::default())?,
        None => rings()?,
    };
    // Every field has a default; `Spec::read` takes them from a TOML file.
    let mut spec = Spec::default();
    spec.network.hidden = vec![128, 128];
    spec.data.valid = Some(0.2);
    spec.thin.hidden = Rates::All(0.2);
    spec.train.learning_rate = 0.005;
    let threads = Threads::new(0)?;

    let mut watch = |event: &Event| {
        if let Event::Epoch(epoch) = event
            && epoch.epoch % 20 == 0
        {
            println!("epoch {}: loss {:.4}", epoch.epoch, epoch.train_loss);
        }
        Flow::Continue
    };
    let fitted = fit(&data, None, &spec, &threads, &mut watch)?;
    fitted.warnings.iter().for_each(|warning| println!("{warning}"));
    println!("training rows:   {}", sentence(&fitted.train));
    fitted.valid.iter().for_each(|valid| println!("validation rows: {}", sentence(valid)));

    let path = std::env::temp_dir().join(format!("library-{}.thinnet", std::process::id()));
    fitted.model.save(&path)?;
    let model = Model::load(&path)?;
    std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;

    let by = Average::monte_carlo(50);
    let predicted = model.predict(&data, by, 0, &threads)?;
    println!("classes {:?}", model.pipeline.classes());
    for row in 0..3 {
        println!(
            "row {row}: {:.3?}, spread {:.3?}",
            predicted.mean.row(row),
            predicted.spread.as_ref().map(|spread| spread.row(row))
        );
    }
    println!("all rows, {by}: {}", sentence(&model.evaluate(&data, by, 0, &threads)?));
    Ok(())
}

fn sentence(measured: &Evaluation) -> String {
    match measured {
        Evaluation::Classification(c) => {
            format!("error {:.2} %, log-likelihood {:.3}", 100.0 * c.error, -c.nll)
        }
        Evaluation::Regression(r) => format!("rmse {:.4}, r2 {:.3}", r.rmse, r.r2),
    }
}

/// Points on two rings around one centre, and which ring each is on.
fn rings() -> thinnet::Result<Data> {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for row in 0..600 {
        let (ring, angle) = (row % 2, row as f32 * 0.618_034 * std::f32::consts::TAU);
        let radius = 1.0 + ring as f32 + 0.4 * (row as f32 * 0.414_214).fract();
        inputs.extend([radius * angle.cos(), radius * angle.sin()]);
        targets.push(ring as f32);
    }
    Table::from_rows(&inputs, 2, Some(&targets)).map(Data::from)
}
