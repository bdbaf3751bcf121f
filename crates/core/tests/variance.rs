//! Networks that predict the variance of the observations: what they learn, and what becomes of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use thinnet::Spec;
use thinnet::average::{Average, ensemble};
use thinnet::data::{Cells, Data, Table, Targets};
use thinnet::measure::Regression;
use thinnet::model::{Evaluation, Model, fit};
use thinnet::thin::Rates;
use thinnet::train::{Flow, Loss, Threads};

const ROWS: usize = 4000;

/// 40 + 30 x with a normal error of deviation 1 for x below 0 and of 5 above.
fn rows(seed: u32) -> Data {
    let mut state = u64::from(seed) + 1;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    };
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..ROWS {
        let x = 2.0 * uniform() - 1.0;
        let normal = (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        inputs.push(x as f32);
        targets.push((40.0 + 30.0 * x + normal * if x < 0.0 { 1.0 } else { 5.0 }) as f32);
    }
    Data::from(Table::from_rows(&inputs, 1, Some(&targets)).unwrap())
}

fn threads() -> Threads {
    Threads::new(1).unwrap()
}

fn trained(change: impl Fn(&mut Spec)) -> Model {
    let mut spec = Spec::default();
    spec.network.hidden = vec![32, 32];
    (spec.thin.hidden, spec.train.loss) = (Rates::All(0.0), Some(Loss::Normal));
    (spec.train.learning_rate, spec.train.epochs, spec.train.patience) = (0.01, 30, Some(0));
    change(&mut spec);
    fit(&rows(1), None, &spec, &threads(), &mut |_| Flow::Continue).unwrap().model
}

fn measured(model: &Model, by: Average) -> Regression {
    match model.evaluate(&rows(2), by, 0, &threads()).unwrap() {
        Evaluation::Regression(measured) => measured,
        Evaluation::Classification(_) => panic!("no regression"),
    }
}

/// With one deviation for all rows, sqrt(13), the log-likelihood is at most 0.3 lower.
#[test]
fn the_noise_of_the_rows_is_learned() {
    let model = trained(|_| {});
    assert_eq!((model.network().outputs(), model.noise, model.tau()), (2, None, None));
    let predicted = model.predict(&rows(2), Average::WeightScaling, 0, &threads()).unwrap();
    let Data::Table(table) = rows(2) else { panic!("no table") };
    let Cells::Numbers(inputs) = &table.columns()[0].cells else { panic!("no numbers") };
    let spread = predicted.spread.unwrap();
    let mean_spread = |is_low: bool| {
        let of: Vec<f32> = (0..ROWS)
            .filter(|&row| inputs[row].abs() > 0.2 && (inputs[row] < 0.0) == is_low)
            .map(|row| spread.values()[row])
            .collect();
        of.iter().sum::<f32>() / of.len() as f32
    };
    let (low, high) = (mean_spread(true), mean_spread(false));
    assert!((low - 1.0).abs() < 0.15 && (high / 5.0 - 1.0).abs() < 0.15, "{low}, {high}");
    // The mean of -log(sqrt(2 pi e) deviation) over both halves.
    let best = -(0.5 * (std::f64::consts::TAU * std::f64::consts::E).ln() + 0.5 * 5.0_f64.ln());
    let likelihood = measured(&model, Average::WeightScaling).log_likelihood.unwrap();
    assert!((best - 0.1..best + 0.05).contains(&likelihood), "{likelihood}, at best {best}");
    let squared = trained(|spec| spec.train.loss = Some(Loss::Squared));
    let of_squared = measured(&squared, Average::monte_carlo(1)).log_likelihood.unwrap();
    assert!(of_squared < likelihood - 0.2, "{of_squared}, {likelihood}");
}

/// Lakshminarayanan et al. 2017, section 2.4: a normal distribution with the mean and the variance of the
/// mixture of the members' distributions.
#[test]
fn an_ensemble_has_the_variance_of_its_mixture() {
    let model = trained(|spec| {
        (spec.ensemble.members, spec.ensemble.bootstrap, spec.train.epochs) = (3, true, 3);
        spec.train.learning_rate = 0.003;
    });
    let data = rows(2);
    let examples = model.pipeline.examples(&data, None).unwrap();
    let by = Average::WeightScaling;
    let members = model.average_members(&examples.inputs, by, 0, &threads()).unwrap();
    let predicted = model.predict(&data, by, 0, &threads()).unwrap();
    let Targets::Values(targets) = &examples.targets else { panic!("no values") };
    let unit = model.pipeline.denormalise_spread(1.0);
    let mut total = 0.0;
    for row in 0..ROWS {
        let of = |at: usize| {
            let noise = members[at].noise.as_ref().unwrap();
            (f64::from(members[at].mean.values()[row]), f64::from(noise.values()[row]))
        };
        let each: Vec<(f64, f64)> = (0..3).map(of).collect();
        let mean = each.iter().map(|(mean, _)| mean).sum::<f64>() / 3.0;
        // E[y²] - E[y]²
        let square = each.iter().map(|(mean, noise)| mean * mean + noise * noise).sum::<f64>() / 3.0;
        let variance = square - mean * mean;
        let spread = f64::from(predicted.spread.as_ref().unwrap().values()[row]);
        assert!((spread / (unit * variance.sqrt()) - 1.0).abs() < 1e-4, "row {row}: {spread}");
        let error = f64::from(targets.values()[row]) - mean;
        total += -0.5 * (std::f64::consts::TAU * variance).ln() - 0.5 * error * error / variance;
    }
    let expected = total / ROWS as f64 - unit.ln();
    let found = measured(&model, by).log_likelihood.unwrap();
    assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    assert_eq!(ensemble(members.clone()).unwrap().mean.columns(), 1);
    let by = Average::monte_carlo(2);
    assert!(measured(&model, by).log_likelihood.is_some_and(f64::is_finite));
}

#[test]
fn what_has_no_meaning_beside_a_predicted_variance_is_refused() {
    let mut model = trained(|spec| spec.train.epochs = 1);
    let error = model.set_tau(1.0).unwrap_err().to_string();
    assert!(error.contains("predicts the variance"), "{error}");
    assert!(model.tau_of_length_scale(1.0).is_err());
    let mut spec = Spec::default();
    (spec.train.loss, spec.train.pair) = (Some(Loss::Normal), "r-drop:1".parse().unwrap());
    let error = spec.check().unwrap_err().to_string();
    assert!(error.starts_with("spec, train.pair: is not defined"), "{error}");
}
