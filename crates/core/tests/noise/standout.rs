//! Units that are kept with probabilities of their own.

use super::*;

/// The outputs of each row of each sample: the units of a hidden layer whose pre-activations are `pre`.
fn hidden_units(
    thin: &ThinSpec,
    activation: Activation,
    pre: &[f32],
    rows: usize,
    samples: impl Iterator<Item = Sample>,
) -> Vec<Vec<f32>> {
    let units = pre.len();
    let spec = NetworkSpec { hidden: vec![units], activation, ..NetworkSpec::default() };
    let mut network = Network::zeros(units, units, &spec).unwrap();
    let copy: Vec<f32> =
        (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
    (0..2).for_each(|layer| network.set_layer(layer, &copy, &vec![0.0; units]).unwrap());
    let thinning = Thinning::new(thin, &network, 4).unwrap();
    let mut slice = Slice::new(isa(), &network, rows, 0, Buffers::Predict);
    let mut all = Vec::new();
    for sample in samples {
        slice.thin(&thinning, sample, 0);
        slice.load(&thinning, (0..rows).map(|_| pre));
        slice.forward(&network, &thinning, 0..2);
        let mut outputs = vec![0.0; rows * units];
        slice.write_outputs(&mut outputs);
        all.extend(outputs.chunks(units).map(<[f32]>::to_vec));
    }
    all
}

/// Pre-activations from -1.95 to 1.95, none of them 0.
fn spread_out() -> Vec<f32> {
    (0..40).map(|unit| 0.1 * unit as f32 - 1.95).collect()
}

fn standout(slope: f32, rate: f32, share: Share) -> ThinSpec {
    let hidden = Rates::All(rate);
    ThinSpec { drop: Drop::Standout, hidden, standout_slope: slope, share, ..ThinSpec::default() }
}

/// A unit is kept as it is or 0, each with its own probability, and no two depend on each other: 6,400 rows,
/// or as many slices, within 4.5 standard errors.
#[test]
fn standout_has_the_moments_of_its_keep_probabilities() {
    let (pre, count) = (spread_out(), 6400.0_f64);
    for (slope, rate) in [(1.0, 0.5), (2.0, 0.25), (-0.5, 0.7), (0.0, 0.3)] {
        for (share, rows, samples) in [(Share::Row, 64, 100), (Share::Slice, 1, 6400)] {
            let thin = standout(slope, rate, share);
            let numbers = (0..samples).map(|number| Sample::MonteCarlo { number });
            let sampled = hidden_units(&thin, Activation::Tanh, &pre, rows, numbers);
            assert_eq!(sampled.len() as f64, count);
            let what = format!("slope {slope}, rate {rate}, {share:?}");
            let (mut of_sum, mut variance_of_sum) = (0.0, 0.0);
            for (unit, &z) in pre.iter().enumerate() {
                let (z, f) = (f64::from(z), f64::from(z).tanh());
                let odds = f64::from(rate) / (1.0 - f64::from(rate));
                let keep = 1.0 / (1.0 + odds * (-f64::from(slope) * z).exp());
                let values = sampled.iter().map(|units| f64::from(units[unit]));
                assert!(values.clone().all(|value| value == 0.0 || (value - f).abs() < 1e-6), "{what}");
                let [mean, square] =
                    [1, 2].map(|power| values.clone().map(|value| value.powi(power)).sum::<f64>() / count);
                let error = 4.5 * (keep * (1.0 - keep) / count).sqrt();
                assert!((mean - keep * f).abs() < error * f.abs(), "{what}: mean {mean}, not {}", keep * f);
                assert!((square - keep * f * f).abs() < error * f * f, "{what}: E f² is {square}");
                of_sum += keep * f;
                variance_of_sum += keep * (1.0 - keep) * f * f;
            }
            let sums = sampled.iter().map(|units| units.iter().map(|&f| f64::from(f)).sum::<f64>());
            let variance = sums.map(|sum| (sum - of_sum).powi(2)).sum::<f64>() / count;
            let error = 4.5 * (2.0 / count).sqrt() * variance_of_sum;
            assert!(
                (variance - variance_of_sum).abs() < error,
                "{what}: the sum varies by {variance}, not {variance_of_sum}"
            );
        }
    }
}

/// At a slope of 0 all units are kept with the same probability. Standout keeps those with small words and
/// dropout those with large ones, so it keeps what dropout at a rate of 1 - rate drops; the whole network is
/// that of dropout at its rate.
#[test]
fn standout_of_slope_0_is_dropout() {
    let pre = spread_out();
    for share in [Share::Row, Share::Slice] {
        for rate in [0.5, 0.25, 0.8] {
            let dropout = |rate: f32| ThinSpec {
                hidden: Rates::All(rate),
                share,
                scaling: Scaling::AtPrediction,
                ..ThinSpec::default()
            };
            let units = |thin: &ThinSpec, sample: fn(u64) -> Sample, samples: u64| {
                hidden_units(thin, Activation::Identity, &pre, 64, (0..samples).map(sample)).concat()
            };
            let standout = standout(0.0, rate, share);
            for sample in [|step| Sample::Training { step }, |number| Sample::MonteCarlo { number }] {
                let (kept, dropped) = (units(&standout, sample, 20), units(&dropout(1.0 - rate), sample, 20));
                for ((&kept, &dropped), &z) in kept.iter().zip(&dropped).zip(pre.iter().cycle()) {
                    assert!(kept == z && dropped == 0.0 || kept == 0.0 && dropped == z, "{share:?}, {rate}");
                }
            }
            let whole = |thin: &ThinSpec| units(thin, |_| Sample::Whole, 1);
            for (&standout, dropout) in whole(&standout).iter().zip(whole(&dropout(rate))) {
                assert!((standout - dropout).abs() < 1e-6, "{share:?}, {rate}: {standout}, not {dropout}");
            }
        }
    }
}

/// A very steep standout keeps the units above 0, which are those that a relu leaves: nothing is noise.
#[test]
fn standout_of_a_steep_slope_keeps_what_a_relu_keeps() {
    for share in [Share::Row, Share::Slice] {
        let (examples, network, _, train) = setting(Drop::Standout, Loss::CrossEntropy);
        let none = ThinSpec { share, ..ThinSpec::none() };
        let expected = trained(&none, network.clone(), &examples, &train);
        assert!(trained(&standout(1e6, 0.3, share), network.clone(), &examples, &train) == expected);
        assert!(trained(&standout(1.0, 0.3, share), network, &examples, &train) != expected);
    }
}
