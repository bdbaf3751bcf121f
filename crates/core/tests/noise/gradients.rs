//! Outputs and gradients: the engine's are the naive ones, and those are the slopes of the naive loss.

use super::case::{Case, case};
use super::*;

#[test]
fn outputs_and_every_gradient_are_the_naive_ones() {
    let (mut random, mut learned_count) = (Random(11), 0);
    for number in 0..180 {
        let case = case(number, 40, &mut random);
        let what = || format!("case {number}: {:?} {:?}", case.thin, case.network.layers()[0].activation);
        let (net, noises) = (Net::of(&case.network), case.noises());
        for (sample, purpose) in [
            (Sample::Training { step: case.step }, Some(TRAINING)),
            (Sample::MonteCarlo { number: case.step }, Some(MONTE_CARLO)),
            (Sample::Whole, None),
        ] {
            let outputs = case.outputs_of(&case.forward(sample, Buffers::Predict).0);
            for (row, outputs) in outputs.chunks(case.network.outputs()).enumerate() {
                let words = purpose.map(|purpose| case.words(row, purpose));
                let pass = net.forward_noisy(case.inputs.row(row), &noises, words);
                for (&output, judged) in outputs.iter().zip(pass.outputs()) {
                    let distance = judged.distance(output);
                    assert!(distance <= 1.0, "{sample:?}, row {row}: {output}, not {judged:?}, {}", what());
                }
            }
        }
        let (_, judged) = case.judged(&net, &noises);
        let slice = case.backward();
        for (layer, shape) in case.network.layers().iter().enumerate() {
            let [weights, biases, learned] = gradients_of_engine(&slice, layer, shape);
            let ours = weights.iter().chain(&biases).chain(&learned);
            let theirs = judged.weights[layer].iter().flatten().chain(&judged.biases[layer]);
            let given = matches!(case.thin.drop, Drop::Units | Drop::Gaussian | Drop::Standout);
            let judged_learned = if given { &[][..] } else { &judged.learned[layer][..] };
            learned_count += judged_learned.len();
            for (at, (&gradient, judged)) in ours.zip(theirs.chain(judged_learned)).enumerate() {
                let distance = judged.distance(gradient);
                assert!(distance <= 1.0, "layer {layer}, {at}: {gradient}, not {judged:?}, {}", what());
            }
            assert!(learned[judged_learned.len()..].iter().all(|&gradient| gradient == 0.0), "{}", what());
        }
    }
    assert!(learned_count > 500, "only {learned_count} learned numbers were judged");
}

#[test]
fn naive_gradients_are_the_slopes_of_the_naive_loss() {
    let (mut random, mut slopes, mut kinks) = (Random(12), 0, 0);
    for number in 0..90 {
        let case = case(number, 6, &mut random);
        let (net, noises) = (Net::of(&case.network), case.noises());
        let (_, gradients) = case.judged(&net, &noises);
        let parameters = gradients.weights.iter().zip(&gradients.biases);
        let parameters: Vec<Real> =
            parameters.flat_map(|(w, b)| w.iter().flatten().chain(b)).copied().collect();
        let learned: Vec<Real> = gradients.learned.iter().flatten().copied().collect();
        let of_noise = learned.len();
        for (at, gradient) in learned.iter().chain(&parameters).enumerate().filter(|_| random.below(3) == 0) {
            let moved = |by: f64| {
                let (mut net, mut noises) = (net.clone(), noises.clone());
                if at < of_noise {
                    *noises.iter_mut().flat_map(Noise::learned_mut).nth(at).unwrap() += by;
                } else {
                    *net.parameters_mut()[at - of_noise] += by;
                }
                (case.judged(&net, &noises).0, sides(&case, &net, &noises))
            };
            let h = 1e-4;
            let [(below, sides_below), (above, sides_above), (near_below, _), (near_above, _)] =
                [-h, h, -h / 2.0, h / 2.0].map(moved);
            if sides_below != sides_above {
                kinks += 1;
                continue;
            }
            let (coarse, fine) = ((above - below) / (2.0 * h), (near_above - near_below) / h);
            let slope = (4.0 * fine - coarse) / 3.0;
            let off = (slope - gradient.value).abs();
            assert!(
                off < 1e-7 * (1.0 + slope.abs()),
                "case {number}, {at}: {gradient:?}, not {slope}, {:?}",
                case.thin
            );
            slopes += 1;
        }
    }
    assert!(slopes > 700 && kinks < slopes / 10, "{slopes} slopes, {kinks} kinks");
}

/// On which side of its kinks every unit is, and whether standout keeps it.
fn sides(case: &Case, net: &Net, noises: &[Noise]) -> Vec<bool> {
    let mut sides = Vec::new();
    for row in 0..case.rows() {
        let words = case.words(row, TRAINING);
        let pass = net.forward_noisy(case.inputs.row(row), noises, Some(words));
        for (level, pre) in pass.pre.iter().enumerate() {
            sides.extend(pre.iter().map(|z| z.value > 0.0));
            if let Some(noise @ Noise::Standout(..)) = noises.get(level + 1) {
                let factors = noise.factors(level + 1, pre.len(), words, pre);
                sides.extend(factors.iter().map(|factor| factor.value.value > 0.0));
            }
        }
    }
    sides
}
