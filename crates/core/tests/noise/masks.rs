//! Masks with an exact count, from a pool, and fixed.

use super::*;

#[test]
fn an_exact_count_is_exact_for_every_row_and_slice() {
    for share in [Share::Row, Share::Slice] {
        for (units, rate, kept) in [(10, 0.5, 5), (37, 0.2, 30), (4, 0.9, 1)] {
            let thin = ThinSpec { count: Count::Exact, share, input: rate, ..ThinSpec::none() };
            let spec = NetworkSpec { hidden: vec![], ..NetworkSpec::default() };
            let mut network = Network::zeros(units, units, &spec).unwrap();
            let copy: Vec<f32> =
                (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
            network.set_layer(0, &copy, &vec![0.0; units]).unwrap();
            let thinning = Thinning::new(&thin, &network, 4).unwrap();
            let row = vec![1.0; units];
            let mut slice = Slice::new(isa(), &network, 30, 0, Buffers::Predict);
            let mut seen = vec![0; units];
            for step in 0..20 {
                slice.thin(&thinning, Sample::Training { step }, 0);
                slice.load(&thinning, (0..30).map(|_| &row[..]));
                slice.forward(&network, &thinning, 0..1);
                let mut outputs = vec![0.0; 30 * units];
                slice.write_outputs(&mut outputs);
                for row in outputs.chunks(units) {
                    let sum: f32 = row.iter().sum();
                    assert_eq!(row.iter().filter(|&&y| y > 0.0).count(), kept, "{share:?}");
                    assert!((sum - units as f32).abs() < 1e-3, "{share:?}: {sum}");
                    row.iter().zip(&mut seen).for_each(|(&y, seen)| *seen += usize::from(y > 0.0));
                }
            }
            assert!(seen.iter().all(|&seen| seen > 0), "{share:?}: {seen:?}");
        }
    }
}

#[test]
fn a_pool_of_one_mask_has_one_mask_and_a_pool_of_n_has_n() {
    for pool in [1, 5] {
        let thin = ThinSpec { pool, hidden: Rates::All(0.5), ..ThinSpec::default() };
        let mut masks = std::collections::BTreeSet::new();
        for step in 0..30 {
            (0..4).for_each(|slice| {
                masks.insert(kept(&thin, Sample::Training { step }, slice));
            });
        }
        assert_eq!(masks.len(), pool as usize);
        // A prediction with as many samples as masks is their ensemble.
        let sampled: std::collections::BTreeSet<_> =
            (0..pool.into()).map(|number| kept(&thin, Sample::MonteCarlo { number }, 0)).collect();
        assert_eq!(sampled, masks);
    }
    let own = ThinSpec { hidden: Rates::All(0.5), ..ThinSpec::default() };
    assert_ne!(kept(&own, Sample::Training { step: 0 }, 0), kept(&own, Sample::Training { step: 1 }, 0));
}

#[test]
fn fixed_masks_are_the_same_in_training_and_prediction() {
    let masks = Some(thin::MaskSpec { members: 4, scale: 2.0 });
    let thin = ThinSpec { masks, hidden: Rates::All(0.5), ..ThinSpec::default() };
    for number in 0..8 {
        let member = kept(&thin, Sample::MonteCarlo { number }, 0);
        assert_eq!(member, kept(&thin, Sample::Training { step: number + 4 }, 0));
        assert_eq!(member, kept(&thin, Sample::Training { step: number }, 4));
        assert_eq!(member.len(), (40.0 / (2.0 * (1.0 - 0.5f64.powi(4)))) as usize);
    }
    let small = ThinSpec { input: 0.2, masks, ..ThinSpec::default() };
    let network = Network::zeros(9, 1, &NetworkSpec { hidden: vec![20], ..NetworkSpec::default() }).unwrap();
    let error = Thinning::new(&small, &network, 0).unwrap_err().to_string();
    assert!(error.contains("thin.masks") && error.contains("needs 10"), "{error}");
}

#[test]
fn the_whole_of_fixed_masks_is_the_mean_of_its_members() {
    let masks = Some(thin::MaskSpec { members: 3, scale: 2.0 });
    let thin = ThinSpec { masks, hidden: Rates::All(0.5), ..ThinSpec::default() };
    let mut random = Random(2);
    let spec = NetworkSpec { hidden: vec![20, 16], ..NetworkSpec::default() };
    let network = Network::new(5, 2, &spec, 1).unwrap();
    let inputs = Matrix::new(70, 5, random.normals(350)).unwrap();
    let thinning = Thinning::new(&thin, &network, 6).unwrap();
    let whole = thin::outputs(isa(), &network, &thinning, &inputs).unwrap();
    let by = thinnet::average::Average::monte_carlo(3);
    let link = thinnet::average::Link::Identity;
    let members = thinnet::average::average(isa(), &network, &thinning, link, &inputs, by).unwrap();
    assert!(members.spread.unwrap().values().iter().any(|&spread| spread > 0.1));
    for (whole, mean) in whole.values().iter().zip(members.mean.values()) {
        assert!((whole - mean).abs() < 1e-5 * (1.0 + mean.abs()), "{whole}, not {mean}");
    }
}
