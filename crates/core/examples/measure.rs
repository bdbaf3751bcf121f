//! measure: how good, and how sure. The same classes, predicted well, too surely, and too timidly.

use thinnet::data::Matrix;
use thinnet::measure::{Classification, confusion};
use thinnet::report;

fn main() -> thinnet::Result<()> {
    let labels: Vec<u32> = (0..200).map(|row| row % 2).collect();
    // Every fifth row looks like the other class, so a right answer is sure to 80 %.
    let predict = |sure: f32| {
        let row = |row: u32| {
            let class = (row % 2) ^ u32::from(row.is_multiple_of(5));
            if class == 0 { [sure, 1.0 - sure] } else { [1.0 - sure, sure] }
        };
        Matrix::new(200, 2, (0..200).flat_map(row).collect())
    };
    let mut rows = Vec::new();
    for (name, sure) in [("honest", 0.8), ("too sure", 0.999), ("too timid", 0.55)] {
        let measured = Classification::new(&predict(sure)?, &labels, None)?;
        let numbers = [measured.error, measured.nll, measured.brier, measured.ece];
        let numbers = numbers.into_iter().chain(measured.auc).map(|number| format!("{number:.3}"));
        rows.push(std::iter::once(name.to_string()).chain(numbers).collect());
    }
    print!("{}", report::table(&["prediction", "error", "nll", "brier", "ece", "auc"], &rows));
    println!("\nconfusion: {:?}", confusion(&predict(0.8)?, &labels, None)?);
    Ok(())
}
