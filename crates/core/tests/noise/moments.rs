//! The mean and the variance of the noise.

use super::*;

/// The mean and the variance of the factors that inputs of 1 are multiplied by.
fn moments(thin: &ThinSpec, units: usize, samples: u64) -> (f64, f64) {
    let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
    let mut network = thin.with_noise(Network::zeros(units, units, &spec).unwrap()).unwrap();
    let copy: Vec<f32> =
        (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
    network.set_layer(0, &copy, &vec![0.0; units]).unwrap();
    let thinning = Thinning::new(thin, &network, 4).unwrap();
    let (row, rows) = (vec![1.0; units], 64);
    let mut slice = Slice::new(isa(), &network, rows, 0, Buffers::Predict);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for number in 0..samples {
        slice.thin(&thinning, Sample::MonteCarlo { number }, 0);
        slice.load(&thinning, (0..rows).map(|_| &row[..]));
        slice.forward(&network, &thinning, 0..1);
        let mut outputs = vec![0.0; rows * units];
        slice.write_outputs(&mut outputs);
        for &factor in &outputs {
            sum += f64::from(factor);
            squares += f64::from(factor).powi(2);
            count += 1.0;
        }
    }
    (sum / count, squares / count - (sum / count).powi(2))
}

/// 64 x 40 x 100 factors: the standard error of their mean is a five-hundredth of their deviation.
#[test]
fn the_noise_has_its_mean_and_variance() {
    for rate in [0.1f32, 0.25, 0.5] {
        let variance = f64::from(rate / (1.0 - rate));
        for (drop, count) in [
            (Drop::Units, Count::Random),
            (Drop::Units, Count::Exact),
            (Drop::Gaussian, Count::Random),
            (Drop::Variational, Count::Random),
        ] {
            let thin = ThinSpec { drop, count, share: Share::Row, input: rate, ..ThinSpec::none() };
            let (mean, measured) = moments(&thin, 40, 100);
            assert!((mean - 1.0).abs() < 4.0 * variance.sqrt() / 506.0, "{drop:?}, {rate}: mean {mean}");
            assert!((measured / variance - 1.0).abs() < 0.02, "{drop:?}, {rate}: {measured}, not {variance}");
        }
        // The moments of the relaxed mask by the midpoint rule over its uniform number.
        let factor = |u: f64| (1.0 + variance) / (1.0 + (variance * u / (1.0 - u)).powi(10));
        let expected = |power: i32| {
            (0..100_000).map(|at| factor((f64::from(at) + 0.5) / 1e5).powi(power)).sum::<f64>() / 1e5
        };
        let thin = ThinSpec { drop: Drop::Concrete, share: Share::Row, input: rate, ..ThinSpec::none() };
        let ((mean, measured), first) = (moments(&thin, 40, 100), expected(1));
        let deviation = (expected(2) - first * first).sqrt();
        assert!((mean - first).abs() < 4.0 * deviation / 506.0, "concrete, {rate}: mean {mean}, not {first}");
        assert!((measured.sqrt() / deviation - 1.0).abs() < 0.01, "concrete, {rate}");
    }
}
