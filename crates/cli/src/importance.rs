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
    let measures: [(&str, fn(&Importance) -> Option<Estimate>, fn(f64) -> String); 3] = [
        ("nll", |of| of.nll, text::number),
        ("error", |of| of.error, text::percent),
        ("rmse", |of| of.rmse, text::number),
    ];
    let measures = measures.iter().filter(|(_, rise, _)| rise(first).is_some()).collect::<Vec<_>>();
    let line = |of: &Importance| {
        let rises = measures.iter().map(|(_, rise, show)| {
            rise(of).map_or("-".into(), |rise| text::with_error(rise.mean, rise.standard_error, *show))
        });
        std::iter::once(of.column.clone()).chain(rises).collect()
    };
    let headers: Vec<&str> =
        std::iter::once("column").chain(measures.iter().map(|(name, ..)| *name)).collect();
    format!(
        "\nBy how much the measures rise where a column's cells are shuffled among the rows; mean ± standard error of \
         {}.\n\n{}",
        text::counted(draws as usize, "shuffle", "shuffles"),
        table(&headers, &of.iter().map(line).collect::<Vec<_>>())
    )
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
            text.lines()
                .skip(3)
                .flat_map(|line| line.split("  "))
                .map(|cell| cell.trim().to_string())
                .collect()
        };
        let column = "age".to_string();
        let class =
            cells(Importance { column: column.clone(), nll: rise(0.5), error: rise(0.25), rmse: None });
        assert!(class.starts_with(&["column".into(), "nll".into()]), "{class:?}");
        assert!(
            class.ends_with(&["age".into(), "0.5000 ± 0.0100".into(), "25.00 % ± 1.00 %".into()]),
            "{class:?}"
        );
        let value = cells(Importance { column, nll: None, error: None, rmse: rise(2.0) });
        assert!(value.ends_with(&["age".into(), "2.000 ± 0.0100".into()]), "{value:?}");
        assert_eq!(importances(&[], 5), "");
    }
}
