//! Predictions for new rows.

use super::Model;
use crate::average::{Average, Averaged};
use crate::data::{Data, Part};
use crate::error::{Error, Result};
use crate::prepare::Parts;
use crate::train::Threads;

impl Model {
    /// Predicts rows, whose targets need not be known: the probabilities of the classes, `[rows,
    /// classes]`, or values in the target's own units, `[rows, 1]`. With
    /// [`Average::MonteCarlo`], `seed` draws the thinned networks, and the spread is the standard
    /// deviation over them, for values together with the noise of the observations. An ensemble has a
    /// spread with every average, which its members' disagreement is part of ([`ensemble`]), and so has a
    /// network that predicts that noise. Values have the seven digits of f32.
    ///
    /// # Errors
    /// Data that do not fit the model: [`Pipeline::inputs`](crate::prepare::Pipeline::inputs).
    ///
    /// [`ensemble`]: crate::average::ensemble
    pub fn predict(&self, data: &Data, by: Average, seed: u32, threads: &Threads) -> Result<Averaged> {
        let averaged = self.average(&self.pipeline.inputs(data, None)?, by, seed, threads)?;
        if !self.link().predicts_values() {
            return Ok(averaged);
        }
        self.in_own_units(&averaged)
    }

    /// A part of the data set that the model was trained on, where its spec set a test part aside
    /// (`data.test`): that, or the rows that it learned from and chose by.
    ///
    /// # Errors
    /// If the spec has no test part, or the data are not those of the model.
    pub fn part(&self, data: &Data, part: Part) -> Result<Data> {
        if self.spec.data.test == 0.0 {
            let problem = "the model was trained without setting a test part aside; leave the part out";
            return Err(Error::data(data.name(), problem));
        }
        let parts = Parts::new(data, &self.spec.data, self.spec.seed)?;
        if self.fingerprint.is_some() && !self.has_learned(data, &parts)? {
            let problem = "its rows are not those that the model's parts were drawn from, in their order; take the \
                           file that it was trained on, or leave the part out";
            return Err(Error::data(data.name(), problem));
        }
        data.select(&match part {
            Part::Train => parts.learned(),
            Part::Test => parts.test,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::average::Average;
    use crate::data::{Data, Table};
    use crate::model::{Evaluation, fit};
    use crate::train::{Flow, Threads};
    use crate::{Spec, data::Task};

    #[test]
    fn values_come_in_the_units_of_the_target() {
        let inputs: Vec<f32> = (0..60).map(|row| row as f32 / 60.0).collect();
        let targets: Vec<f32> = inputs.iter().map(|x| 5000.0 + 100.0 * x).collect();
        let data = Data::from(Table::from_rows(&inputs, 1, Some(&targets)).unwrap());
        let mut spec = Spec::default();
        spec.network.hidden = vec![16];
        spec.train.learning_rate = 0.01;
        let threads = Threads::new(1).unwrap();
        let model = fit(&data, None, &spec, &threads, &mut |_| Flow::Continue).unwrap().model;
        assert_eq!(model.spec.data.task, Some(Task::Regression));
        let by = Average::monte_carlo(20);
        let predicted = model.predict(&data, by, 3, &threads).unwrap();
        let Evaluation::Regression(measured) = model.evaluate(&data, by, 3, &threads).unwrap() else {
            panic!("no regression");
        };
        let squares = predicted.mean.values().iter().zip(&targets).map(|(p, t)| f64::from(p - t).powi(2));
        let rmse = (squares.sum::<f64>() / 60.0).sqrt();
        assert!((rmse - measured.rmse).abs() < 1e-3 && rmse < 29.0, "{rmse}, {}", measured.rmse);
        assert!(predicted.spread.unwrap().values().iter().all(|&spread| spread > 0.0 && spread < 100.0));
        let new = Data::from(Table::from_rows(&[0.5], 1, None).unwrap());
        let mean = model.predict(&new, Average::WeightScaling, 0, &threads).unwrap().mean;
        assert!((mean.values()[0] - 5050.0).abs() < 20.0, "{mean:?}");
    }
}
