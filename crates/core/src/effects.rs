//! What a spec asks for that could change nothing, or cannot be trained: it is refused, so that nobody
//! counts on it.

use crate::data::Task;
use crate::error::{Result, refuse};
use crate::spec::{NEEDS_THE_LENGTH, Spec};
use crate::thin::{Drop, MaskSpec, ThinSpec};
use crate::train::{Loss, Optimizer, Pair, Schedule, TrainSpec};

impl Spec {
    /// Refuses what could change nothing, whatever the data are, and a pair that cannot be trained. A
    /// default, and a 0 that switches something off, are never refused, so that a spec with every default
    /// written out can be run again. It is no part of [`Spec::check`], because a model of an earlier version
    /// may have such a spec, and is still read.
    ///
    /// # Errors
    /// [`crate::Error::Spec`] names the first such field.
    pub fn check_effects(&self) -> Result<()> {
        let (thin, train, default) = (&self.thin, &self.train, ThinSpec::default());
        let has_loss = |loss| train.loss == Some(loss);
        let divergence = matches!(thin.drop, Drop::Variational | Drop::SparseVariational);
        let one_mask = thin.pool == 1 || thin.masks.is_some_and(MaskSpec::is_one);
        train.pair.check_with(thin)?;
        refuse([
            (
                train.schedule == Some(Schedule::Cosine) && !train.length_is_known(),
                "train.schedule",
                NEEDS_THE_LENGTH,
            ),
            (
                !has_loss(Loss::Huber) && train.huber_delta != TrainSpec::default().huber_delta,
                "train.huber_delta",
                "only loss = \"huber\" has it; set that, or leave it out",
            ),
            (
                train.optimizer != Optimizer::Adamw
                    && train.weight_decay != 0.0
                    && train.weight_decay != TrainSpec::default().weight_decay,
                "train.weight_decay",
                "only optimizer = \"adamw\" has it; set that, take train.l2, or leave it out",
            ),
            (
                matches!(train.optimizer, Optimizer::Adam | Optimizer::Adamw)
                    && train.momentum != TrainSpec::default().momentum,
                "train.momentum",
                "only optimizer = \"sgd\" and \"nesterov\" have it; set one, or leave it out",
            ),
            (
                thin.drop != Drop::Standout && thin.standout_slope != default.standout_slope,
                "thin.standout_slope",
                "only drop = \"standout\" has it; set that, or leave it out",
            ),
            (
                !divergence && thin.divergence_warmup != default.divergence_warmup,
                "thin.divergence_warmup",
                "only drop = \"variational\" and \"sparse-variational\" have a divergence; set one, or leave it out",
            ),
            (
                thin.drop != Drop::Concrete && thin.length_scale != default.length_scale,
                "thin.length_scale",
                "only drop = \"concrete\" has it; set that, or leave it out",
            ),
            (
                !divergence && thin.drop != Drop::Concrete && thin.precision != default.precision,
                "thin.precision",
                "only drop = \"concrete\", \"variational\" and \"sparse-variational\" have it; set one, or leave it out",
            ),
            (
                has_loss(Loss::Normal) && thin.precision != default.precision,
                "thin.precision",
                "loss = \"normal\" predicts it for each row; leave it out",
            ),
            (
                thin.masks.is_some() && !self.has_noise()?,
                "thin.masks",
                "only layers with a rate above 0 have masks, and there is none; set thin.hidden",
            ),
            (
                thin.pool > 0 && !self.has_noise()?,
                "thin.pool",
                "only layers with a rate above 0 have masks, and there is none; set thin.hidden",
            ),
            (
                thin.schedule != default.schedule && !self.has_noise()?,
                "thin.schedule",
                "no rate is above 0, so that there is none to change; set thin.hidden, or leave it out",
            ),
            (
                thin.count != default.count && !self.has_noise()?,
                "thin.count",
                "nothing is dropped, so that all are kept; set thin.hidden, or leave it out",
            ),
            (
                train.pair != Pair::None && !self.has_noise()?,
                "train.pair",
                "nothing is dropped, so that both networks are the same; set thin.hidden, or leave it out",
            ),
            (
                matches!(train.pair, Pair::RDrop { .. }) && one_mask,
                "train.pair",
                "all masks are the same, and so are both networks; change thin.pool or thin.masks",
            ),
        ])
    }

    /// Refuses what could change nothing on data of this task, with or without rows that validate.
    ///
    /// # Errors
    /// [`crate::Error::Spec`] names the first such field.
    pub(crate) fn check_effects_on(&self, task: Task, validates: bool) -> Result<()> {
        let train = &self.train;
        refuse([
            (
                train.label_smoothing > 0.0 && task == Task::Regression,
                "train.label_smoothing",
                "a regression has no labels to smooth; leave it out",
            ),
            (
                train.temperature && task == Task::Regression,
                "train.temperature",
                "a regression has no logits to divide; leave it out",
            ),
            (
                train.temperature && !validates,
                "train.temperature",
                "it is fitted on validation rows, and there are none; set rows aside",
            ),
            (
                train.patience_for(validates) > 0 && !validates,
                "train.patience",
                "it waits for the validation rows, and there are none; set rows aside, or leave it out",
            ),
            (
                train.min_improvement > 0.0 && !validates,
                "train.min_improvement",
                "it is one of the validation rows, and there are none; set rows aside, or leave it out",
            ),
            (
                train.min_improvement > 0.0 && train.patience_for(validates) == 0,
                "train.min_improvement",
                "with patience = 0 nothing waits for an improvement; leave one of them out",
            ),
            (
                self.thin.precision != ThinSpec::default().precision && task == Task::Classification,
                "thin.precision",
                "it is that of the values of a regression, and classes have none; leave it out",
            ),
        ])
    }

    /// Whether anything is dropped in any network.
    fn has_noise(&self) -> Result<bool> {
        let mut has = self.thin.drop == Drop::SparseVariational;
        for network in self.ensemble.turns(&self.network) {
            has |= self.thin.rates(network.hidden.len())?.iter().any(|&rate| rate > 0.0);
        }
        Ok(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, field: &str) {
        let spec = Spec::parse("t", text).unwrap();
        spec.check().unwrap();
        let error = spec.check_effects().unwrap_err().to_string();
        assert!(error.starts_with(&format!("spec, {field}: ")), "{text}: {error}");
    }

    #[test]
    fn what_could_change_nothing_is_refused() {
        for (text, field) in [
            ("train = { epochs = 0, minutes = 1.0, schedule = \"cosine\" }", "train.schedule"),
            ("train.huber_delta = 2.0", "train.huber_delta"),
            ("train = { loss = \"squared\", huber_delta = 2.0 }", "train.huber_delta"),
            ("train.weight_decay = 0.1", "train.weight_decay"),
            ("train.momentum = \"0.5\"", "train.momentum"),
            ("train = { optimizer = \"adamw\", momentum = \"linear:0.5:0.9:100\" }", "train.momentum"),
            ("thin = { hidden = 0.0, schedule = \"linear:0:1\" }", "thin.schedule"),
            ("thin = { hidden = 0.0, count = \"exact\" }", "thin.count"),
            ("thin.standout_slope = 2.0", "thin.standout_slope"),
            ("thin = { drop = \"gaussian\", divergence_warmup = 9 }", "thin.divergence_warmup"),
            ("thin = { drop = \"variational\", length_scale = 1.0 }", "thin.length_scale"),
            ("thin.precision = 2.0", "thin.precision"),
            ("thin = { drop = \"concrete\", precision = 2.0 }\ntrain.loss = \"normal\"", "thin.precision"),
            ("thin = { hidden = 0.0, pool = 5 }", "thin.pool"),
            ("network.hidden = []\nthin.pool = 5", "thin.pool"),
            ("thin = { hidden = [0.0, 0.0], masks = { members = 4, scale = 2.0 } }", "thin.masks"),
            ("thin.hidden = 0.0\ntrain.pair = \"r-drop:1\"", "train.pair"),
            ("thin.pool = 1\ntrain.pair = \"r-drop:1\"", "train.pair"),
            ("thin.masks = { members = 1, scale = 2.0 }\ntrain.pair = \"r-drop:1\"", "train.pair"),
            ("thin.masks = { members = 4, scale = 1.0 }\ntrain.pair = \"r-drop:1\"", "train.pair"),
            ("thin.drop = \"standout\"\ntrain.pair = \"expectation-linear:1\"", "train.pair"),
            (
                "thin.masks = { members = 4, scale = 2.0 }\ntrain.pair = \"expectation-linear:1\"",
                "train.pair",
            ),
        ] {
            refused(text, field);
        }
    }

    #[test]
    fn what_has_an_effect_or_is_switched_off_is_not_refused() {
        for text in [
            "",
            "train = { epochs = 0, minutes = 1.0 }",
            "train = { epochs = 0, minutes = 1.0, schedule = \"step:5:0.5\" }",
            "train = { loss = \"huber\", huber_delta = 2.0 }",
            "train.weight_decay = 0.0",
            "train = { optimizer = \"adamw\", weight_decay = 0.1 }",
            "train = { optimizer = \"nesterov\", momentum = \"0.5\" }",
            "thin = { hidden = 0.0, input = 0.2, schedule = \"linear:0:1\", count = \"exact\" }",
            "thin = { drop = \"standout\", standout_slope = 2.0 }",
            "thin = { drop = \"sparse-variational\", hidden = 0.0, divergence_warmup = 9 }\ntrain.pair = \"r-drop:1\"",
            "thin = { drop = \"concrete\", length_scale = 1.0, precision = 2.0 }",
            "thin = { hidden = [0.0, 0.5], pool = 5 }",
            "thin = { hidden = 0.0, input = 0.2 }\ntrain.pair = \"r-drop:1\"",
            "thin.pool = 2\ntrain.pair = \"r-drop:1\"",
            "thin.masks = { members = 2, scale = 1.5 }\ntrain.pair = \"r-drop:1\"",
            "thin.drop = \"gaussian\"\ntrain.pair = \"expectation-linear:1\"",
        ] {
            let spec = Spec::parse("t", text).unwrap();
            spec.check()
                .and_then(|()| spec.check_effects())
                .unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn what_the_data_make_idle_is_refused() {
        let check = |text: &str, task, validates| {
            let checked = Spec::parse("t", text).unwrap().check_effects_on(task, validates);
            checked.map_err(|error| error.to_string())
        };
        let (classes, values) = (Task::Classification, Task::Regression);
        for (text, task, validates) in [
            ("train.label_smoothing = 0.1", values, true),
            ("train.temperature = true", values, true),
            ("train.temperature = true", classes, false),
            ("train.patience = 5", classes, false),
            ("train.min_improvement = 0.1", values, false),
        ] {
            let (field, _) = text.split_once(' ').unwrap();
            let error = check(text, task, validates).unwrap_err();
            assert!(error.starts_with(&format!("spec, {field}: ")), "{error}");
            check(text, classes, true).unwrap();
        }
        check("", values, false).unwrap();
        check("train.patience = 0", values, false).unwrap();
    }
}
