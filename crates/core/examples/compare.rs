//! compare: remedies side by side. Nothing, L2 and dropout on the digits, half a minute in all.

use thinnet::compare::{Event, Method, Sets, Setup, compare};
use thinnet::data::{Data, digits};
use thinnet::report::table;
use thinnet::train::Flow;

fn main() -> thinnet::Result<()> {
    let data = Data::from(digits()?);
    let methods = vec![Method::Nothing, Method::L2, Method::Dropout];
    let mut setup = Setup { methods, seeds: 3, minutes: 0.5, ..Setup::default() };
    setup.spec.data.test = 0.5;
    let folder = std::env::temp_dir().join(format!("thinnet-compare-{}", std::process::id()));

    let watch = |event: &Event| {
        if let Event::Chosen { method, spec, loss } = event {
            println!("{method}: {}, validation loss {loss:.4}", method.settings(spec));
        }
        Flow::Continue
    };
    let sets = Sets { data: &data, valid: None, test: None };
    let Some(compared) = compare(&sets, &setup, &folder, false, 0, &watch)? else { return Ok(()) };
    let mut rows = Vec::new();
    for summary in &compared.methods {
        let numbers =
            ["error", "nll", "gap"].map(|name| summary.estimate(name).map_or(f64::NAN, |of| of.mean));
        let p = summary.against_nothing.map_or("-".into(), |against| format!("{:.3}", against.p_holm));
        let numbers = numbers.map(|number| format!("{number:.4}")).into_iter().chain([p]);
        rows.push(std::iter::once(summary.method.to_string()).chain(numbers).collect());
    }
    println!("\n{}\n{}", table(&["method", "error", "nll", "gap", "p"], &rows), compared.sentence);
    std::fs::remove_dir_all(&folder).map_err(thinnet::Error::file("remove", &folder))
}
