//! prepare: columns become a matrix. Gaps are filled, numbers standardised, texts one-hot
//! encoded, and all of it is fitted on the training rows only.

use thinnet::data::{Data, DataSpec, parse_csv};
use thinnet::prepare::{Pipeline, PrepareSpec};
use thinnet::report;

fn main() -> thinnet::Result<()> {
    let text = b"age,town,owns\n20,Bonn,no\n40,Aix,yes\n,Aix,yes\n60,Bonn,no\n";
    let data = Data::from(parse_csv("people", text, &Default::default())?);
    let training_rows = [0, 1, 2];
    let (pipeline, warnings) =
        Pipeline::fit(&data, &training_rows, &DataSpec::default(), &PrepareSpec::default())?;
    warnings.iter().for_each(|warning| println!("{warning}"));

    let examples = pipeline.examples(&data, None)?;
    let names = pipeline.input_names();
    let headers: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = (0..examples.rows())
        .map(|row| examples.inputs.row(row).iter().map(|value| format!("{value:.3}")).collect())
        .collect();
    print!("{}", report::table(&headers, &rows));
    println!("\nto predict: {}, classes {:?}", pipeline.task(), pipeline.classes());
    println!("{:?}", examples.targets);
    Ok(())
}
