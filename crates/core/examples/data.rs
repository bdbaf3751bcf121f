//! data: where rows come from. A CSV text, numbers in memory, and the embedded digits.

use thinnet::data::{Data, Table, digits, parse_csv, split};
use thinnet::report;

fn main() -> thinnet::Result<()> {
    let text = b"height,eyes,likes_cheese\n1.71,brown,yes\n1.64,green,no\n,brown,yes\n";
    let from_text = parse_csv("people", text, &Default::default())?;
    let from_memory = Table::from_rows(&[1.71, 0.3, 1.64, 0.9], 2, Some(&[1.0, 0.0]))?;
    let sets = [Data::from(from_text), Data::from(from_memory), Data::from(digits()?)];
    let line = |data: &Data| {
        let holds = match data {
            Data::Table(table) => table.columns().iter().map(|column| column.name.as_str()).collect(),
            Data::Images(_) => vec!["images with a class each"],
        };
        vec![data.name().into(), data.rows().to_string(), holds.join(", ")]
    };
    print!("{}", report::table(&["data", "rows", "holds"], &sets.map(|data| line(&data))));

    // A tenth of the rows set aside, the classes in their proportions. Any source of words will do.
    let digits = digits()?;
    let mut word = 0u32;
    let mut words = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word
    };
    let parts = split(digits.rows(), Some(digits.labels()), 0.1, &mut words)?;
    println!("\n{} rows to learn from, {} set aside", parts.train.len(), parts.valid.len());
    Ok(())
}
