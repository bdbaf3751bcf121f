//! How far the units of each hidden layer are co-adapted, as a table.

use thinnet::measure::{Coadaptation, Interaction};
use thinnet::report::Cell;

use crate::text;

/// The measures of each hidden layer: headers, and a row for each.
pub fn layers(layers: &[Coadaptation]) -> ([&'static str; 9], Vec<Vec<Cell>>) {
    let number = |value: f64| Cell::number(value, text::number(value));
    let count = |count: usize| Cell::number(count as f64, text::count(count as u64));
    let optional = |value: Option<f64>| value.map_or("-".into(), number);
    let interaction = |of: Option<Interaction>| {
        of.map_or("-".into(), |of| {
            Cell::number(of.mean, text::with_error(of.mean, of.standard_error, text::number))
        })
    };
    let row = |layer: &Coadaptation| {
        let of = &layer.activity;
        vec![
            layer.layer.to_string().into(),
            count(of.units),
            count(of.constant_units),
            optional(of.mean_absolute_correlation),
            optional(of.effective_rank),
            number(of.decov),
            interaction(layer.interaction),
            Cell::number(of.sparsity, text::percent(of.sparsity)),
            number(of.mean_activation),
        ]
    };
    let headers =
        ["layer", "units", "constant", "correlation", "rank", "decov", "interaction", "near 0", "activation"];
    (headers, layers.iter().map(row).collect())
}

/// What the headers of [`layers`] stand for.
pub const MEANINGS: [(&str, &str); 7] = [
    ("constant", "units that give the same on every row; correlation and rank leave them out"),
    ("correlation", "mean |correlation| of two units: 0 independent, 1 the same"),
    ("rank", "how many independent units would vary as much as these"),
    ("decov", "half the sum of squared covariances of units; grows with their number and scale"),
    (
        "interaction",
        "loss without both of a pair, less what each alone costs: below 0 the two\n             co-operate, above 0 one stands in for the other",
    ),
    ("near 0", "activations of at most 1 % of the layer's root mean square"),
    ("activation", "mean activation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_is_that_of_a_header() {
        let (headers, rows) = layers(&[]);
        assert!(rows.is_empty());
        assert!(MEANINGS.iter().all(|(name, _)| headers.contains(name)));
    }
}
