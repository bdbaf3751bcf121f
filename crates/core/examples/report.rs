//! report: what people look at. The standard network and the dropout network on 1000 digits, as a
//! learning curve and a table, in the terminal and on a page.

use std::io::Write;

use thinnet::Spec;
use thinnet::data::{Data, Images, digits};
use thinnet::model::{atomic_write, fit};
use thinnet::report::{Axis, Cell, Curve, Line, Lines, Page, Section, Series, Table, table};
use thinnet::thin::{Rates, ThinSpec};
use thinnet::train::{Flow, Threads};

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
        let fitted = fit(&train, Some(&test), &spec, &Threads::new(0)?, &mut |_| Flow::Continue)?;
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

    let path = std::env::temp_dir().join("thinnet-report.html");
    let html = page(&curves).to_html();
    atomic_write(&path, |file| file.write_all(html.as_bytes()))?;
    println!("\n{} shows the same", path.display());
    Ok(())
}

/// The curves in percent as a page.
fn page(curves: &[(&str, Vec<f64>)]) -> Page {
    let line = |(name, values): &(&str, Vec<f64>)| {
        let points = values.iter().enumerate().map(|(index, value)| (index as f64 + 1.0, value / 100.0));
        Line { name: name.to_string(), points: points.collect(), errors: Vec::new() }
    };
    let chart = Lines {
        title: "Test error of each epoch".into(),
        description: "The share of 797 digits that the whole network gives the wrong class.".into(),
        horizontal: Axis::new("epoch"),
        vertical: Axis { logarithmic: true, ..Axis::percent("error, log scale") },
        lines: curves.iter().map(line).collect(),
        ..Lines::default()
    };
    let row = |(name, values): &(&str, Vec<f64>)| {
        let last = values.last().copied().unwrap_or(f64::NAN);
        vec![Cell::from(*name), Cell::number(last / 100.0, format!("{last:.2} %"))]
    };
    let table = Table {
        caption: "After the last epoch".into(),
        headers: vec!["network".into(), "test error".into()],
        rows: curves.iter().map(row).collect(),
        ..Table::default()
    };
    let items = vec![chart.draw().into(), table.into()];
    let section = Section { heading: "Learning 1,000 digits".into(), items, ..Section::default() };
    Page { title: "With and without dropout".into(), sections: vec![section], ..Page::default() }
}
