//! What each column of a table is to a model, in a table.

use thinnet::measure::Estimate;
use thinnet::model::Importance;
use thinnet::report::table;

use crate::text;

/// A line for each column, with the rises of its measures; nothing if none were measured.
pub fn importances(of: &[Importance], draws: u32) -> String {
    let Some(first) = of.first() else {
        return String::new();
    };
    let headers: Vec<&str> = std::iter::once("column").chain(rises(first).map(|(name, _)| name)).collect();
    let line =
        |of: &Importance| std::iter::once(of.column.clone()).chain(rises(of).map(|(_, rise)| rise)).collect();
    let draws = match draws {
        1 => "one shuffle".into(),
        draws => format!("mean ± standard error of {draws} shuffles"),
    };
    format!(
        "\nBy how much the measures rise where a column's cells are shuffled among the rows; {draws}.\n\n{}",
        table(&headers, &of.iter().map(line).collect::<Vec<_>>())
    )
}

/// The measures of a column that there are: name, and how much it rises.
fn rises(of: &Importance) -> impl Iterator<Item = (&'static str, String)> {
    let show =
        |rise: Option<Estimate>, show| rise.map(|of| text::with_error(of.mean, of.standard_error, show));
    let measures = [
        ("nll", show(of.nll, text::number)),
        ("error", show(of.error, text::percent)),
        ("rmse", show(of.rmse, text::number)),
    ];
    measures.into_iter().filter_map(|(name, rise)| Some((name, rise?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(mean: f64) -> Option<Estimate> {
        Some(Estimate { mean, standard_error: Some(0.01) })
    }

    #[test]
    fn a_column_has_a_line_with_the_measures_of_its_task() {
        let cells = |of: Importance| -> Vec<String> {
            let text = importances(&[of], 5);
            assert!(text.contains("of 5 shuffles."), "{text}");
            let cells =
                text.lines().skip(3).flat_map(|line| line.split("  ")).map(|cell| cell.trim().to_string());
            cells.filter(|cell| !cell.is_empty()).collect()
        };
        let column = "age".to_string();
        let class =
            cells(Importance { column: column.clone(), nll: rise(0.5), error: rise(0.25), rmse: None });
        assert!(class.starts_with(&["column".into(), "nll".into()]), "{class:?}");
        assert!(
            class.ends_with(&["age".into(), "0.5000 ± 0.01000".into(), "25.00 % ± 1.00 %".into()]),
            "{class:?}"
        );
        let value = cells(Importance { column, nll: None, error: None, rmse: rise(2.0) });
        assert!(value.ends_with(&["age".into(), "2.000 ± 0.01000".into()]), "{value:?}");
        assert_eq!(importances(&[], 5), "");
    }
}
