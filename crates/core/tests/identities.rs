//! What must hold exactly: dropout at rate 0, the two scalings, and weight scaling as the
//! average of all thinned networks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use naive::case::{Case, Random, Shape, isa};
use naive::loss::{pair, softmax};
use naive::mask::{self, Mask};
use naive::real::Real;
use naive::{Net, parameters_of};
use thinnet::average::{Average, Link, average};
use thinnet::data::Matrix;
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{self, Rates, Scaling, Share, ThinSpec, Thinning};
use thinnet::train::{Loss, Stepper};

/// A rate above 0 at which a unit is dropped with a probability below 2^-33, which is never.
const NEVER: f32 = 1e-12;

fn shape(share: Share, rates: Vec<f32>) -> Shape {
    Shape {
        inputs: 21,
        hidden: vec![37; rates.len() - 1],
        activation: Activation::Relu,
        loss: Loss::CrossEntropy,
        share,
        scaling: Scaling::Training,
        rates,
        batch: 30,
        slice: 8,
    }
}

fn bits(network: &Network) -> Vec<u32> {
    parameters_of(network).into_iter().map(f32::to_bits).collect()
}

/// A relu net, or of another activation, after some steps with the given rates.
fn trained(activation: Activation, thin: ThinSpec) -> (Case, Stepper) {
    let mut random = Random(8);
    let shape = Shape { activation, ..shape(Share::Row, vec![0.0; 4]) };
    let mut case = Case::new(shape, &mut random);
    case.thin = thin;
    let mut stepper = case.stepper();
    for _ in 0..5 {
        let rows = case.rows(30, &mut random);
        stepper.step(&case.examples, None, &rows, &[0.01]).unwrap();
    }
    (case, stepper)
}

#[test]
fn rate_0_is_no_dropout_to_the_bit() {
    for activation in naive::activation::ACTIVATIONS {
        let none = bits(trained(activation, ThinSpec::none()).1.network());
        for share in [Share::Row, Share::Slice] {
            for scaling in [Scaling::Training, Scaling::AtPrediction] {
                // `NEVER` goes through the code that thins, and keeps everything.
                for rate in [0.0, NEVER] {
                    let thin = ThinSpec {
                        input: rate,
                        hidden: Rates::All(rate),
                        share,
                        scaling,
                        ..ThinSpec::default()
                    };
                    let (case, stepper) = trained(activation, thin.clone());
                    assert!(bits(stepper.network()) == none, "{activation:?}, {thin:?}");
                    let predicted = |by| {
                        let (network, inputs) = (stepper.network(), &case.examples.inputs);
                        average(isa(), network, stepper.thinning(), Link::Softmax, inputs, by).unwrap()
                    };
                    let sampled = predicted(Average::monte_carlo(3));
                    assert_eq!(
                        sampled.mean,
                        predicted(Average::WeightScaling).mean,
                        "{activation:?}, {thin:?}"
                    );
                    assert!(sampled.spread.unwrap().values().iter().all(|&spread| spread == 0.0));
                }
            }
        }
        let half = ThinSpec { hidden: Rates::All(0.5), ..ThinSpec::none() };
        assert!(bits(trained(activation, half).1.network()) != none, "dropout changes what is learned");
    }
}

/// The network that under `Scaling::Training` is what `network` is under `Scaling::AtPrediction`:
/// each weight times keep of the level it reads.
fn rescaled(network: &Network, spec: &NetworkSpec, rates: &[f32]) -> Network {
    let mut scaled = Network::zeros(network.inputs(), network.outputs(), spec).unwrap();
    for (index, layer) in network.layers().iter().enumerate() {
        let keep = 1.0 - rates[index];
        let weights = (0..layer.units).flat_map(|unit| network.unit_weights(index, unit)).map(|w| keep * w);
        scaled.set_layer(index, &weights.collect::<Vec<f32>>(), network.biases(index)).unwrap();
    }
    scaled
}

/// Outputs of the whole network and of one sampled network under both scalings, and the case.
fn under_both_scalings(activation: Activation, share: Share, rates: Vec<f32>) -> (Case, [[Matrix; 2]; 2]) {
    let mut random = Random(9);
    let shape = Shape { activation, scaling: Scaling::AtPrediction, ..shape(share, rates) };
    let spec = NetworkSpec { hidden: shape.hidden.clone(), activation, ..NetworkSpec::default() };
    let mut case = Case::new(shape, &mut random);
    // Trained as the paper has it.
    let mut stepper = case.stepper();
    for _ in 0..10 {
        let rows = case.rows(30, &mut random);
        stepper.step(&case.examples, None, &rows, &[0.01]).unwrap();
    }
    case.network = stepper.into_network();
    let scaled = rescaled(&case.network, &spec, &case.rates);
    let training = ThinSpec { scaling: Scaling::Training, ..case.thin.clone() };
    let outputs = [(&case.network, &case.thin), (&scaled, &training)].map(|(network, thin)| {
        let thinning = Thinning::new(thin, network, case.seed).unwrap();
        [Average::WeightScaling, Average::monte_carlo(1)].map(|by| {
            average(isa(), network, &thinning, Link::Identity, &case.examples.inputs, by).unwrap().mean
        })
    });
    (case, outputs)
}

#[test]
fn both_scalings_predict_the_same() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
        for share in [Share::Row, Share::Slice] {
            for rates in [vec![0.2], vec![0.2, 0.3], vec![0.1, 0.4, 0.0, 0.3, 0.6, 0.2]] {
                let (case, [at_prediction, training]) = under_both_scalings(activation, share, rates);
                let scales = mask::thinned_scales(&case.rates, Scaling::AtPrediction);
                let net = Net::of(&case.network);
                for row in 0..case.examples.rows() {
                    let number = if share == Share::Row { row } else { 0 };
                    let mask =
                        mask::draw(&case.rates, &net.levels(), case.seed, mask::MONTE_CARLO, number, 0);
                    let sampled = net.forward(case.examples.inputs.row(row), &mask, &scales);
                    let judged = [&case.whole_outputs(row)[..], sampled.outputs()];
                    for (which, judged) in judged.into_iter().enumerate() {
                        for outputs in [&at_prediction, &training].map(|outputs| outputs[which].row(row)) {
                            for (&output, judged) in outputs.iter().zip(judged) {
                                // The weights of `rescaled` are rounded: a second error for each product.
                                let judged = Real { error: 2.0 * judged.error, ..*judged };
                                assert!(judged.distance(output) <= 1.0, "{case:?}: {output}, not {judged:?}");
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where keep is a power of two, scaling rounds nothing.
#[test]
fn both_scalings_predict_the_same_bits_at_rate_one_half() {
    for activation in naive::activation::ACTIVATIONS {
        for share in [Share::Row, Share::Slice] {
            let rates = vec![0.5, 0.75, 0.0, 0.5, 0.5];
            let (_, [at_prediction, training]) = under_both_scalings(activation, share, rates);
            assert_eq!(at_prediction, training, "{activation:?}, {share:?}");
        }
    }
}

/// Mean over all masks of what one row gives, weighted with the masks' probabilities.
fn mean_over_masks(masks: &[(Mask, f64)], of: impl Fn(&Mask) -> Vec<f64>) -> Vec<f64> {
    let mut mean = Vec::new();
    for (mask, probability) in masks {
        let values = of(mask);
        mean.resize(values.len(), 0.0);
        mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += probability * value);
    }
    mean
}

fn values(numbers: &[Real]) -> Vec<f64> {
    numbers.iter().map(|number| number.value).collect()
}

/// A layer of 12 inputs and nothing below it, for a loss.
fn one_layer(loss: Loss, scaling: Scaling, rate: f32, random: &mut Random) -> Case {
    let shape = Shape {
        inputs: 12,
        hidden: vec![],
        scaling,
        rates: vec![rate],
        loss,
        ..shape(Share::Row, vec![0.0])
    };
    Case::new(shape, random)
}

#[test]
fn the_mean_of_all_thinned_linear_layers_is_weight_scaling() {
    let mut random = Random(10);
    for (scaling, rate) in [
        (Scaling::Training, 0.5),
        (Scaling::AtPrediction, 0.5),
        (Scaling::Training, 0.3),
        (Scaling::AtPrediction, 0.8),
    ] {
        let case = one_layer(Loss::Squared, scaling, rate, &mut random);
        let (net, scales) = (Net::of(&case.network), mask::thinned_scales(&case.rates, scaling));
        let thinning = Thinning::new(&case.thin, &case.network, 0).unwrap();
        let whole = thin::outputs(isa(), &case.network, &thinning, &case.examples.inputs).unwrap();
        let masks = mask::all(&case.rates, &net.levels());
        assert_eq!(masks.len(), 1 << 12);
        for row in 0..4 {
            let inputs = case.examples.inputs.row(row);
            let mean = mean_over_masks(&masks, |mask| values(net.forward(inputs, mask, &scales).outputs()));
            for ((&output, mean), judged) in whole.row(row).iter().zip(mean).zip(case.whole_outputs(row)) {
                let judged = Real { value: mean, ..judged };
                assert!(judged.distance(output) <= 1.0, "{output}, not {judged:?}");
            }
        }
    }
}

/// Baldi and Sadowski 2013: prod p^P / sum over classes of it, over all masks with probabilities P,
/// is the softmax of the mean logits.
#[test]
fn the_normalised_geometric_mean_of_all_thinned_softmax_layers_is_weight_scaling() {
    let mut random = Random(11);
    for loss in [Loss::CrossEntropy, Loss::BinaryCrossEntropy] {
        for (scaling, rate) in
            [(Scaling::Training, 0.5), (Scaling::AtPrediction, 0.5), (Scaling::Training, 0.3)]
        {
            let case = one_layer(loss, scaling, rate, &mut random);
            let (net, scales) = (Net::of(&case.network), mask::thinned_scales(&case.rates, scaling));
            let thinning = Thinning::new(&case.thin, &case.network, 0).unwrap();
            let (inputs, by) = (&case.examples.inputs, Average::WeightScaling);
            let whole = average(isa(), &case.network, &thinning, Link::of(loss), inputs, by).unwrap().mean;
            let masks = mask::all(&case.rates, &net.levels());
            let probabilities = |outputs: &[Real]| match outputs {
                [logit] => pair(*logit).to_vec(),
                logits => softmax(logits),
            };
            for row in 0..4 {
                let logs = mean_over_masks(&masks, |mask| {
                    let pass = net.forward(inputs.row(row), mask, &scales);
                    probabilities(pass.outputs()).iter().map(|p| p.value.ln()).collect()
                });
                let sum: f64 = logs.iter().map(|log| log.exp()).sum();
                let judged = probabilities(&case.whole_outputs(row));
                for ((&p, log), judged) in whole.row(row).iter().zip(logs).zip(judged) {
                    let judged = Real { value: log.exp() / sum, ..judged };
                    assert!(judged.distance(p) <= 1.0, "{p}, not {judged:?}");
                }
            }
        }
    }
}

/// Mean, deviation and fourth moment over all masks.
struct Exact {
    mean: f64,
    deviation: f64,
    fourth: f64,
}

fn exact(values: &[(f64, f64)]) -> Exact {
    let moment = |about: f64, power| values.iter().map(|(p, v)| p * (v - about).powi(power)).sum::<f64>();
    let mean = moment(0.0, 1);
    Exact { mean, deviation: moment(mean, 2).sqrt(), fourth: moment(mean, 4) }
}

#[test]
fn sampled_networks_have_the_mean_and_the_spread_of_all() {
    const SAMPLES: u32 = 20_000;
    let mut random = Random(12);
    for activation in [Activation::Relu, Activation::Identity, Activation::Tanh] {
        let shape = Shape {
            inputs: 4,
            hidden: vec![5, 3],
            activation,
            rates: vec![0.2, 0.5, 0.4],
            ..shape(Share::Row, vec![0.0])
        };
        let mut case = Case::new(shape, &mut random);
        for share in [Share::Row, Share::Slice] {
            for scaling in [Scaling::Training, Scaling::AtPrediction] {
                (case.thin.share, case.thin.scaling) = (share, scaling);
                let (net, scales) = (Net::of(&case.network), mask::thinned_scales(&case.rates, scaling));
                let masks = mask::all(&case.rates, &net.levels());
                let inputs = case.examples.inputs.select(&[0, 1, 2]);
                let thinning = Thinning::new(&case.thin, &case.network, case.seed).unwrap();
                let by = Average::monte_carlo(SAMPLES);
                let sampled = average(isa(), &case.network, &thinning, Link::Softmax, &inputs, by).unwrap();
                let spread = sampled.spread.unwrap();
                for row in 0..inputs.rows() {
                    let probabilities: Vec<(f64, Vec<f64>)> = masks
                        .iter()
                        .map(|(mask, p)| {
                            (*p, values(&softmax(net.forward(inputs.row(row), mask, &scales).outputs())))
                        })
                        .collect();
                    for class in 0..sampled.mean.columns() {
                        let of_class: Vec<(f64, f64)> =
                            probabilities.iter().map(|(p, all)| (*p, all[class])).collect();
                        let exact = exact(&of_class);
                        let count = f64::from(SAMPLES);
                        let (mean, deviation) =
                            (f64::from(sampled.mean.row(row)[class]), f64::from(spread.row(row)[class]));
                        // Standard errors of a mean, and of a standard deviation (delta method).
                        let of_mean = exact.deviation / count.sqrt();
                        let of_deviation = ((exact.fourth - exact.deviation.powi(4)) / count).sqrt()
                            / (2.0 * exact.deviation);
                        let place =
                            format!("{activation:?}, {share:?}, {scaling:?}, row {row}, class {class}");
                        assert!(
                            (mean - exact.mean).abs() < 5.0 * of_mean,
                            "{place}: mean {mean}, not {}",
                            exact.mean
                        );
                        assert!(
                            (deviation - exact.deviation).abs() < 5.0 * of_deviation,
                            "{place}: spread {deviation}, not {}",
                            exact.deviation
                        );
                        assert!(of_mean < 0.004, "{place}: {of_mean} is too loose");
                    }
                }
            }
        }
    }
}
