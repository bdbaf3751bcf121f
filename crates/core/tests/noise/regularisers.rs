//! What learned noise costs beside the loss.

use super::*;

/// The regulariser of a network in f64, as the papers have it.
fn regulariser(
    network: &Network,
    noise: &[Vec<f64>],
    thin: &ThinSpec,
    loss: Loss,
    rows: f64,
    warm: f64,
) -> f64 {
    // The loss of a row is the mean over its values, and half of the precision times the squared error of each
    // is a negative log-likelihood.
    let values = VALUES as f64;
    let precision = f64::from(thin.precision) * values;
    let (of_weights, of_noise) = match loss {
        Loss::Squared => (1.0 / precision, 2.0 / precision),
        Loss::Absolute | Loss::Huber => (1.0 / precision, 1.0 / precision),
        Loss::Normal => (0.5 / values, 1.0 / values),
        _ => (1.0, 1.0),
    };
    let of_noise = of_noise / rows;
    let of_weights = of_weights * f64::from(thin.length_scale).powi(2) / rows;
    let layer = |(layer, numbers): (usize, &Vec<f64>)| -> f64 {
        if thin.drop == Drop::Variational {
            let divergence = |&l: &f64| {
                let logistic = 1.0 / (1.0 + (-(1.87320 + 1.48695 * l)).exp());
                0.63576 + 0.5 * (-l).exp().ln_1p() - 0.63576 * logistic
            };
            return warm * of_noise * numbers.iter().map(divergence).sum::<f64>();
        }
        let (rate, shape) = (1.0 / (1.0 + (-numbers[0]).exp()), network.layers()[layer]);
        let weights = (0..shape.units).flat_map(|unit| network.unit_weights(layer, unit));
        let squares: f64 = weights.map(|&w| f64::from(w).powi(2)).sum();
        let entropy = rate * rate.ln() + (1.0 - rate) * (1.0 - rate).ln();
        of_weights * squares / (1.0 - rate) + of_noise * shape.inputs as f64 * entropy
    };
    noise.iter().enumerate().map(layer).sum()
}

/// Rows that count nothing leave only the regulariser to move anything.
#[test]
fn regularisers_enter_once_with_their_slopes() {
    for (drop, loss) in [
        (Drop::Concrete, Loss::CrossEntropy),
        (Drop::Concrete, Loss::Squared),
        (Drop::Concrete, Loss::Normal),
        (Drop::Concrete, Loss::Absolute),
        (Drop::Concrete, Loss::Huber),
        (Drop::Variational, Loss::CrossEntropy),
        (Drop::Variational, Loss::Squared),
        (Drop::Variational, Loss::Normal),
        (Drop::Variational, Loss::Huber),
    ] {
        let (examples, network, thin, train) = setting(drop, loss);
        let count = |layer: usize| if drop == Drop::Concrete { 1 } else { network.layers()[layer].inputs };
        let noise_of = |network: &Network| -> Vec<Vec<f64>> {
            (0..2)
                .map(|layer| network.noise(layer)[..count(layer)].iter().map(|&l| f64::from(l)).collect())
                .collect()
        };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let mut stepper =
            Stepper::new(isa(), network.clone(), &thin, &train, objective, 24, 1).unwrap().for_run(500, 100);
        let rows: Vec<usize> = (0..24).collect();
        let rate = 3.0;
        for step in 0..6 {
            let before = stepper.network().clone();
            stepper.step(&examples, Some(&[0.0; 24]), &rows, &[rate]).unwrap();
            let (noise, warm) = (noise_of(&before), ((step + 1) as f64 / 4.0).min(1.0));
            let value =
                |noise: &[Vec<f64>], network: &Network| regulariser(network, noise, &thin, loss, 500.0, warm);
            for layer in 0..2 {
                for at in 0..count(layer) {
                    let moved = |by: f64| {
                        let mut noise = noise.clone();
                        noise[layer][at] += by;
                        value(&noise, &before)
                    };
                    let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
                    let expected = (noise[layer][at] - rate * slope).min(if drop == Drop::Variational {
                        0.0
                    } else {
                        10.0
                    });
                    let got = noise_of(stepper.network())[layer][at];
                    let off = (got - expected).abs();
                    assert!(off < 2e-6, "{drop:?}, {loss:?}, layer {layer}: {got}, not {expected}");
                    assert!(got != noise[layer][at] || expected == 0.0);
                }
                let w = f64::from(before.unit_weights(layer, 0)[2]);
                let expected = if drop == Drop::Concrete {
                    let slope = |by: f64| {
                        let shape = before.layers()[layer];
                        let mut weights: Vec<f32> = (0..shape.units)
                            .flat_map(|unit| before.unit_weights(layer, unit).to_vec())
                            .collect();
                        weights[2] += by as f32;
                        let mut network = before.clone();
                        network.set_layer(layer, &weights, before.biases(layer)).unwrap();
                        value(&noise, &network)
                    };
                    w - rate * (slope(1.0 / 128.0) - slope(-1.0 / 128.0)) * 64.0
                } else {
                    w
                };
                let got = f64::from(stepper.network().unit_weights(layer, 0)[2]);
                assert!(
                    (got - expected).abs() < 2e-6,
                    "{drop:?}, {loss:?}, layer {layer}: {got}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn what_is_learned_stays_within_its_bounds() {
    for drop in [Drop::Variational, Drop::Concrete] {
        let (examples, network, thin, train) = setting(drop, Loss::CrossEntropy);
        let thin = ThinSpec { length_scale: 0.0, ..thin };
        let objective = Objective::new(&train, &examples.targets).unwrap();
        let mut stepper = Stepper::new(isa(), network, &thin, &train, objective, 24, 1).unwrap();
        let rows: Vec<usize> = (0..24).collect();
        for _ in 0..20 {
            stepper.step(&examples, Some(&[0.0; 24]), &rows, &[1e4]).unwrap();
        }
        let noise: Vec<f32> = (0..2).flat_map(|layer| stepper.network().noise(layer).to_vec()).collect();
        assert!(noise.iter().all(|l| (-20.0..=10.0).contains(l)), "{noise:?}");
        if drop == Drop::Variational {
            assert!(
                noise.iter().all(|&l| l == 0.0),
                "the divergence alone drives the variance to 1: {noise:?}"
            );
        }
    }
}
