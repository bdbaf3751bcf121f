//! How precise the observations of a regression are: tau of Gal and Ghahramani (2016).

use super::Model;
use crate::average::Link;
use crate::error::{Error, Result};
use crate::train::Loss;

impl Model {
    /// The precision tau of the observations, 1 / variance, in 1 / (the target's unit)²; none for a
    /// classification or where it is predicted, and infinite where no prediction was wrong. A fitted model
    /// has that of its errors on the validation rows, or without them on the training rows.
    pub fn tau(&self) -> Option<f64> {
        let noise = self.pipeline.denormalise_spread(self.noise?);
        Some(1.0 / (noise * noise))
    }

    /// Gives the observations another precision, in 1 / (the target's unit)²: spreads, intervals and
    /// likelihoods are then those of this one.
    ///
    /// # Errors
    /// [`Error::Argument`] if it is not above 0, or the model is a classification or predicts the variance.
    pub fn set_tau(&mut self, tau: f64) -> Result<()> {
        if self.noise.is_none() {
            let problem = match self.link() {
                Link::Normal => {
                    "the model predicts the variance of its observations, which has no one precision"
                }
                _ => "a classification has no precision of its observations",
            };
            return Err(Error::argument("tau", problem));
        }
        let noise = (1.0 / tau.sqrt() / self.pipeline.denormalise_spread(1.0)) as f32;
        if !(tau > 0.0 && noise > 0.0 && noise.is_finite()) {
            return Err(Error::argument("tau", format!("must be above 0 and not beyond f32, not {tau}")));
        }
        self.noise = Some(noise);
        self.members.iter_mut().for_each(|member| member.run.noise = Some(noise));
        Ok(())
    }

    /// The precision that a prior of this length scale on the weights implies: tau = keep l² / (2 N lambda)
    /// (Gal and Ghahramani 2016), in 1 / (the target's unit)². N is the number of training rows, and lambda
    /// what their objective, half the squared error plus lambda times the sum of w², has for the
    /// penalty: a quarter of `train.l2`, because the squared loss here is not halved while the penalty is.
    ///
    /// # Errors
    /// [`Error::Argument`] if the length is not above 0, or the run was none for which it holds: the squared
    /// loss, `train.l2` above 0, and one rate wherever units are dropped.
    pub fn tau_of_length_scale(&self, length: f64) -> Result<f64> {
        let refused = |problem: String| Err(Error::argument("length scale", problem));
        let train = &self.spec.train;
        if !(length > 0.0 && length.is_finite()) {
            return refused(format!("must be above 0, not {length}"));
        }
        if train.loss_for(self.pipeline.task()) != Loss::Squared || self.noise.is_none() {
            return refused("it gives a precision to runs with the squared loss only".into());
        }
        if train.l2 == 0.0 {
            return refused("the model was trained without L2, which stands for the prior; give tau".into());
        }
        let mut rates = self.spec.thin.rates(self.network().layers().len() - 1)?;
        rates.retain(|&rate| rate > 0.0);
        rates.dedup();
        let rate = match rates[..] {
            [] => 0.0,
            [rate] => rate,
            _ => return refused("the layers have different rates, and it is for one; give tau".into()),
        };
        let lambda = f64::from(train.l2) / 4.0;
        let deviation = self.pipeline.denormalise_spread(1.0);
        let standardised =
            (1.0 - f64::from(rate)) * length * length / (2.0 * self.run().training_rows as f64 * lambda);
        Ok(standardised / (deviation * deviation))
    }
}

#[cfg(test)]
mod tests {
    use crate::Spec;
    use crate::average::Average;
    use crate::data::{Data, Table};
    use crate::model::{Evaluation, Model, fit};
    use crate::thin::Rates;
    use crate::train::{Flow, Threads};

    /// A line with a little noise, in units of thousands.
    fn trained(change: impl Fn(&mut Spec)) -> (Data, Model) {
        let inputs: Vec<f32> = (0..80).map(|row| row as f32 / 80.0).collect();
        let targets: Vec<f32> =
            inputs.iter().enumerate().map(|(i, x)| 5000.0 * x + (i * 7 % 11) as f32 * 40.0).collect();
        let data = Data::from(Table::from_rows(&inputs, 1, Some(&targets)).unwrap());
        let mut spec = Spec::default();
        (spec.network.hidden, spec.train.epochs, spec.train.l2) = (vec![12], 20, 0.02);
        (spec.thin.hidden, spec.data.valid) = (Rates::All(0.2), Some(0.25));
        change(&mut spec);
        let fitted = fit(&data, None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap();
        (data, fitted.model)
    }

    #[test]
    fn the_precision_of_a_length_scale_by_hand() {
        let (_, model) = trained(|_| {});
        let deviation = model.pipeline.denormalise_spread(1.0);
        // keep 0.8, 60 rows, lambda 0.02 / 4.
        let expected = 0.8 * 9.0 / (2.0 * 60.0 * 0.005) / (deviation * deviation);
        let tau = model.tau_of_length_scale(3.0).unwrap();
        assert!((tau / expected - 1.0).abs() < 1e-6, "{tau}, not {expected}");
    }

    #[test]
    fn a_length_scale_without_a_meaning_is_refused() {
        let sentence =
            |change: fn(&mut Spec)| trained(change).1.tau_of_length_scale(1.0).unwrap_err().to_string();
        assert!(sentence(|spec| spec.train.l2 = 0.0).contains("without L2"));
        assert!(sentence(|spec| spec.thin.input = 0.1).contains("different rates"));
        assert!(
            sentence(|spec| spec.train.loss = Some(crate::train::Loss::Huber)).contains("squared loss only")
        );
        assert!(
            trained(|_| {}).1.tau_of_length_scale(0.0).unwrap_err().to_string().contains("above 0, not 0")
        );
    }

    /// A standard deviation of 1 / sqrt(tau), in the target's unit, is in every spread and likelihood.
    #[test]
    fn a_precision_is_in_spreads_and_likelihoods() {
        let (data, mut model) = trained(|_| {});
        let threads = Threads::new(1).unwrap();
        let tau = model.tau().unwrap();
        model.set_tau(tau).unwrap();
        assert!((model.tau().unwrap() / tau - 1.0).abs() < 1e-6);
        model.set_tau(1.0 / (300.0 * 300.0)).unwrap();
        let predicted = model.predict(&data, Average::monte_carlo(1), 0, &threads).unwrap();
        // One sample has no spread of its own.
        assert!(predicted.spread.unwrap().values().iter().all(|spread| (spread - 300.0).abs() < 0.01));
        let Evaluation::Regression(measured) =
            model.evaluate(&data, Average::monte_carlo(1), 0, &threads).unwrap()
        else {
            panic!("no regression");
        };
        // ln N of errors with this standard deviation.
        let expected = -0.5 * (measured.rmse / 300.0).powi(2) - (300.0 * std::f64::consts::TAU.sqrt()).ln();
        let found = measured.log_likelihood.unwrap();
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(model.set_tau(tau).is_err(), "{tau}");
        }
    }
}
