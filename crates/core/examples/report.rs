//! report: what people look at. The standard network and the dropout network on 1000 digits, as a
//! learning curve and a table.

use thinnet::data::{Data, Images, digits};
use thinnet::report::{Curve, Series, table};
use thinnet::thin::{Rates, ThinSpec};
use thinnet::train::{Flow, Threads};
use thinnet::{Spec, model};

fn main() -> thinnet::Result<()> {
    let digits = digits()?;
    let some = |rows: std::ops::Range<usize>| {
        let pixels = digits.pixels()[64 * rows.start..64 * rows.end].to_vec();
        Images::new("digits", (8, 8), digits.white(), pixels, digits.labels()[rows].to_vec()).map(Data::from)
    };
    let (train, test) = (some(0..1000)?, some(1000..1797)?);
    let (mut curves, mut rows) = (Vec::new(), Vec::new());
    for (name, rate) in [("standard", 0.0), ("dropout", 0.5)] {
        let mut spec =
            Spec { thin: ThinSpec { hidden: Rates::All(rate), ..Default::default() }, ..Default::default() };
        spec.network.hidden = vec![256, 256];
        spec.train.epochs = 100;
        // No parameters are chosen by what is watched here.
        let fitted = model::fit(&train, Some(&test), &spec, &Threads::new(0)?, &mut |_| Flow::Continue)?;
        let history = &fitted.model.run().history;
        let errors: Vec<f64> =
            history.iter().map(|epoch| 100.0 * epoch.valid_error.unwrap_or(f64::NAN)).collect();
        let last = errors.last().copied().unwrap_or(f64::NAN);
        rows.push(vec![name.to_string(), format!("{last:.2} %"), format!("{:.1}", fitted.seconds)]);
        curves.push((name, errors));
    }
    let series: Vec<Series> = curves.iter().map(|(name, values)| Series { name, values }).collect();
    println!("{}", Curve { title: "test error in %", logarithmic: true, ..Curve::default() }.draw(&series));
    print!("{}", table(&["network", "test error", "seconds"], &rows));
    Ok(())
}
