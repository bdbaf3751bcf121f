//! average: many become one. Weight scaling and moment propagation beside Monte Carlo with more and
//! more networks, and what the spread says about an input that looks like nothing the network has seen.

use thinnet::average::Average;
use thinnet::data::{Data, Table};
use thinnet::train::{Flow, Threads};
use thinnet::{Spec, model};

fn main() -> thinnet::Result<()> {
    // A noiseless sine from -3 to 3.
    let inputs: Vec<f32> = (0..300).map(|row| row as f32 / 50.0 - 3.0).collect();
    let targets: Vec<f32> = inputs.iter().map(|x| x.sin()).collect();
    let data = Data::from(Table::from_rows(&inputs, 1, Some(&targets))?);
    let mut spec = Spec::default();
    spec.network.hidden = vec![128, 128];
    spec.thin.hidden = thinnet::thin::Rates::All(0.1);
    spec.train.epochs = 200;
    let threads = Threads::new(0)?;
    let model = model::fit(&data, None, &spec, &threads, &mut |_| Flow::Continue)?.model;

    let new = Data::from(Table::from_rows(&[0.0, 1.5, 3.0, 6.0, 12.0], 1, None)?);
    println!("at x =           0.0            1.5            3.0            6.0           12.0");
    for by in [
        Average::WeightScaling,
        Average::Moments,
        Average::monte_carlo(10),
        Average::monte_carlo(100),
        Average::monte_carlo(1000),
    ] {
        let averaged = model.predict(&new, by, 1, &threads)?;
        let spread = |row: usize| match &averaged.spread {
            Some(spread) => format!("{:6.2} ± {:.2}", averaged.mean.row(row)[0], spread.row(row)[0]),
            None => format!("{:6.2}       ", averaged.mean.row(row)[0]),
        };
        println!(
            "{:9}{}",
            by.to_string(),
            (0..5).map(|row| format!("  {}", spread(row))).collect::<String>()
        );
    }
    println!("sin x      0.00           1.00           0.14          -0.28          -0.54");
    Ok(())
}
