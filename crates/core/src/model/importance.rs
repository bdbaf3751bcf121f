//! What each column is to a model: how much worse it predicts where the column's cells are shuffled.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use super::Model;
use super::measures::{drawn_rows, shuffled_rows};
use crate::average::{Average, Averaged};
use crate::data::{Data, Examples, Matrix, Targets};
use crate::error::{Error, Result};
use crate::measure::{Effort, Estimate, error_rate, negative_log_likelihood, root_mean_squared_error};
use crate::prepare::Inputs;
use crate::train::Threads;

/// What a column is to a model: by how much its measures rise where the column's cells change places among the
/// rows, so that they say no more of their rows (Breiman 2001; Fisher et al. 2019). Means over several
/// shuffles, with their standard errors. The field names are those of `thinnet evaluate --importance --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The column's name.
    pub column: String,
    /// The rise of the negative log-likelihood, in nats a row; of classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<Estimate>,
    /// The rise of the share of rows whose class is wrong; of classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Estimate>,
    /// The rise of the root mean squared error, in the target's unit; of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<Estimate>,
}

impl Importance {
    /// What columns are ranked by: the rise of the nll, or of the rmse.
    pub fn rise(&self) -> Option<Estimate> {
        self.nll.or(self.rmse)
    }
}

impl Model {
    /// What each column is to the model on rows whose targets are known, the greatest rise first. Each of
    /// `effort.draws` shuffles moves the cells of every column in its turn, among the rows of weight above 0,
    /// and all columns have the same shuffles. Of more than `effort.rows` rows so many are drawn.
    ///
    /// # Errors
    /// Images, which have no columns; no draw, or fewer than two rows that count; or as [`Model::evaluate`].
    pub fn importance(
        &self,
        data: &Data,
        by: Average,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Vec<Importance>> {
        self.importance_on(&self.pipeline.examples(data, None)?, by, effort, threads)
    }

    /// The same for prepared examples.
    ///
    /// # Errors
    /// As [`Model::importance`].
    pub fn importance_on(
        &self,
        examples: &Examples,
        by: Average,
        effort: &Effort,
        threads: &Threads,
    ) -> Result<Vec<Importance>> {
        let Inputs::Table(columns) = self.pipeline.fitted_inputs() else {
            return Err(Error::argument("importance", "images have no columns that could be shuffled"));
        };
        // What a row that counts nothing says must not change what others are worth.
        let mut rows: Vec<usize> = (0..examples.rows()).filter(|&row| examples.weight(row) > 0.0).collect();
        if rows.len() > effort.rows {
            rows = drawn_rows(rows.len(), effort).into_iter().map(|row| rows[row]).collect();
        }
        if effort.draws == 0 {
            return Err(Error::argument("importance", "it takes at least one shuffle"));
        }
        if rows.len() < 2 {
            let problem = format!("a shuffle takes at least 2 rows that count, not {}", rows.len());
            return Err(Error::argument("importance", problem));
        }
        let examples = match rows.len() == examples.rows() {
            true => Cow::Borrowed(examples),
            false => Cow::Owned(examples.select(&rows)),
        };
        let in_place: Vec<usize> = (0..examples.rows()).collect();
        let losses =
            |inputs: &Matrix| self.losses(&self.average(inputs, by, effort.seed, threads)?, &examples);
        let whole = losses(&examples.inputs)?;
        let mut inputs = examples.inputs.clone();
        let mut importances = Vec::new();
        for (column, range) in columns.iter().zip(self.pipeline.column_inputs()) {
            let mut shuffled = Vec::new();
            for draw in 1..=effort.draws {
                let order = shuffled_rows(examples.rows(), effort, draw);
                move_rows(&mut inputs, &examples.inputs, range.clone(), &order);
                shuffled.push(losses(&inputs)?);
            }
            move_rows(&mut inputs, &examples.inputs, range, &in_place);
            let rise = |of: fn(&Losses) -> Option<f64>| {
                let whole = of(&whole)?;
                Estimate::of(&shuffled.iter().filter_map(of).map(|loss| loss - whole).collect::<Vec<_>>())
            };
            importances.push(Importance {
                column: column.name.clone(),
                nll: rise(|of| of.nll),
                error: rise(|of| of.error),
                rmse: rise(|of| of.rmse),
            });
        }
        let mean = |of: &Importance| of.rise().map_or(0.0, |rise| rise.mean);
        importances.sort_by(|one, other| mean(other).total_cmp(&mean(one)));
        Ok(importances)
    }

    /// The measures of predictions that shuffled columns make worse.
    fn losses(&self, averaged: &Averaged, examples: &Examples) -> Result<Losses> {
        let (mean, weights) = (&averaged.mean, examples.weights.as_deref());
        Ok(match &examples.targets {
            Targets::Classes { labels, .. } => Losses {
                nll: Some(negative_log_likelihood(mean, labels, weights)?),
                error: Some(error_rate(mean, labels, weights)?),
                rmse: None,
            },
            Targets::Values(values) => {
                let standardised = root_mean_squared_error(mean, values, weights)?;
                let rmse = Some(standardised * self.pipeline.denormalise_spread(1.0));
                Losses { nll: None, error: None, rmse }
            }
        })
    }
}

/// The measures of some predictions, as [`Importance`] names them.
struct Losses {
    nll: Option<f64>,
    error: Option<f64>,
    rmse: Option<f64>,
}

/// Gives each row, in some of its columns, the values of another one.
fn move_rows(to: &mut Matrix, from: &Matrix, columns: Range<usize>, order: &[usize]) {
    let width = to.columns();
    for (row, &other) in to.values_mut().chunks_exact_mut(width).zip(order) {
        row[columns.clone()].copy_from_slice(&from.row(other)[columns.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;
    use crate::data::{Column, Table};
    use crate::model::{Evaluation, fit};
    use crate::train::Flow;

    const ROWS: usize = 200;

    fn effort(draws: u32, seed: u32) -> Effort {
        Effort { draws, seed, ..Effort::default() }
    }

    /// Numbers with gaps, texts, and a column that is the same in all rows; a class or a value of the first
    /// two, and weights. The cells of the column `shuffled` stand in this order.
    fn table(task: &str, shuffled: &str, order: &[usize]) -> Data {
        let number =
            |row: usize| if row.is_multiple_of(11) { f64::NAN } else { (row * 37 % 101) as f64 / 50.0 };
        let town = |row: usize| ["Aix", "Bonn", "Caen"][row * 17 % 3];
        let value = |row: usize| row as f64 * 1e-3 + number(row).max(0.0) - f64::from(town(row) == "Bonn");
        let class = |row: usize| if value(row) > 0.7 { "yes" } else { "no" };
        let from = |name: &str, row: usize| if name == shuffled { order[row] } else { row };
        let rows = || 0..ROWS;
        let columns = vec![
            Column::numbers("size", rows().map(|row| number(from("size", row))).collect()),
            Column::texts("town", rows().map(|row| Some(town(from("town", row))))),
            Column::numbers("same", vec![4.0; ROWS]),
            Column::numbers("weight", rows().map(|row| 1.0 + (row % 2) as f64).collect()),
            match task {
                "class" => Column::texts("target", rows().map(|row| Some(class(row)))),
                _ => Column::numbers("target", rows().map(value).collect()),
            },
        ];
        Data::from(Table::new("rows", columns).unwrap())
    }

    fn model(data: &Data, members: usize) -> Model {
        let mut spec = Spec::default();
        spec.network.hidden = vec![16];
        (spec.train.epochs, spec.train.learning_rate) = (60, 0.01);
        spec.data.weight = Some("weight".into());
        spec.ensemble.members = members;
        spec.ensemble.columns = if members > 1 { 0.7 } else { 1.0 };
        fit(data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap().model
    }

    /// The rise of the named measures, by evaluating a table whose cells have changed places.
    #[test]
    fn it_is_what_a_table_with_a_shuffled_column_measures() {
        let threads = Threads::new(1).unwrap();
        for (task, members, by) in [
            ("class", 1, Average::WeightScaling),
            ("value", 1, Average::monte_carlo(5)),
            ("class", 3, Average::WeightScaling),
        ] {
            let data = table(task, "", &[]);
            let model = model(&data, members);
            let measured = |data: &Data| match model.evaluate(data, by, 7, &threads).unwrap() {
                Evaluation::Classification(of) => [of.nll, of.error],
                Evaluation::Regression(of) => [of.rmse, 0.0],
            };
            let whole = measured(&data);
            let importances = model.importance(&data, by, &effort(3, 7), &threads).unwrap();
            assert_eq!(importances.len(), 3);
            for of in &importances {
                let rises = (1..=3).map(|draw| {
                    let shuffled =
                        measured(&table(task, &of.column, &shuffled_rows(ROWS, &effort(3, 7), draw)));
                    [shuffled[0] - whole[0], shuffled[1] - whole[1]]
                });
                let rises: Vec<[f64; 2]> = rises.collect();
                let expected = |index: usize| {
                    Estimate::of(&rises.iter().map(|rise| rise[index]).collect::<Vec<f64>>()).unwrap()
                };
                assert_eq!(of.rise(), Some(expected(0)), "{task}, {members}, {}", of.column);
                assert!(of.error.is_none_or(|error| error == expected(1)), "{task}, {}", of.column);
                assert_eq!(of.error.is_some(), task == "class");
            }
        }
    }

    #[test]
    fn what_says_nothing_is_worth_nothing_and_comes_last() {
        let data = table("value", "", &[]);
        let model = model(&data, 1);
        let of = |threads| {
            let (by, threads) = (Average::WeightScaling, Threads::new(threads).unwrap());
            model.importance(&data, by, &effort(4, 0), &threads).unwrap()
        };
        let importances = of(1);
        assert_eq!(importances, of(3));
        let means: Vec<f64> = importances.iter().map(|of| of.rise().unwrap().mean).collect();
        assert!(means[0] > 0.1 && means[1] > 0.1 && means[2] == 0.0, "{importances:?}");
        assert_eq!(importances[2].column, "same");
        let some = Effort { rows: ROWS - 1, ..effort(4, 0) };
        let of_some =
            model.importance(&data, Average::WeightScaling, &some, &Threads::new(1).unwrap()).unwrap();
        assert_ne!(of_some, importances);
    }

    /// As if they were not there: what counts are the others.
    #[test]
    fn rows_that_do_not_count_change_nothing() {
        let (data, threads) = (table("value", "", &[]), Threads::new(1).unwrap());
        let model = model(&data, 1);
        let examples = model.pipeline.examples(&data, None).unwrap();
        let first: Vec<usize> = (0..80).collect();
        let of = |examples: &Examples| {
            model.importance_on(examples, Average::WeightScaling, &effort(5, 1), &threads).unwrap()
        };
        let mut rest_is_nothing = examples.clone();
        rest_is_nothing.weights.as_mut().unwrap()[80..].fill(0.0);
        rest_is_nothing.inputs.values_mut()[80 * examples.inputs.columns()..].fill(50.0);
        assert_eq!(of(&rest_is_nothing), of(&examples.select(&first)));
    }

    #[test]
    fn images_and_a_single_row_are_refused() {
        let (data, threads) = (table("class", "", &[]), Threads::new(1).unwrap());
        let model = model(&data, 1);
        let refused = |effort: Effort, sentence: &str| {
            let error = model.importance(&data, Average::WeightScaling, &effort, &threads).unwrap_err();
            assert!(error.to_string().contains(sentence), "{error}");
        };
        refused(effort(0, 0), "at least one shuffle");
        refused(Effort { rows: 1, ..effort(3, 0) }, "a shuffle takes at least 2 rows that count, not 1");
        let digits = Data::from(crate::data::digits().unwrap());
        let mut spec = Spec::default();
        spec.train.epochs = 1;
        let of_digits = fit(&digits, None, &spec, &threads, &mut |_| Flow::Continue).unwrap().model;
        let error =
            of_digits.importance(&digits, Average::WeightScaling, &effort(1, 0), &threads).unwrap_err();
        assert!(error.to_string().contains("images have no columns"), "{error}");
    }
}
