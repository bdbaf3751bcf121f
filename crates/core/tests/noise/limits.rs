//! No noise, hardly any, and no room for any.

use super::case::case;
use super::*;

#[test]
fn rate_0_is_no_noise_to_the_bit() {
    for loss in [Loss::CrossEntropy, Loss::Squared] {
        for share in [Share::Row, Share::Slice] {
            let (examples, network, thin, train) = setting(Drop::Units, loss);
            let none = ThinSpec { drop: Drop::Units, share, ..ThinSpec::none() };
            let expected = trained(&none, network.clone(), &examples, &train);
            for drop in FAMILY {
                let none = ThinSpec { drop, input: 0.0, hidden: Rates::All(0.0), share, ..thin.clone() };
                let network = none.with_noise(network.clone()).unwrap();
                assert!(trained(&none, network, &examples, &train) == expected, "{drop:?}");
            }
        }
    }
}

/// With a variance of e^-20 the noise is below f32's own; with odds of e^-10 no relaxed mask is far from 1.
#[test]
fn little_noise_is_nearly_none() {
    let mut random = Random(8);
    for number in 0..60 {
        let mut case = case(number, 30, &mut random);
        let lowest = match case.thin.drop {
            Drop::Variational => -20.0,
            Drop::Concrete => -10.0,
            Drop::Gaussian => {
                case.thin.input = 1e-9;
                case.thin.hidden = Rates::All(1e-9);
                0.0
            }
            _ => continue,
        };
        for layer in 0..case.network.layers().len() {
            let count = match case.thin.drop {
                Drop::Variational => case.network.layers()[layer].inputs,
                Drop::Concrete => 1,
                _ => 0,
            };
            case.network.set_noise(layer, &vec![lowest; count]).unwrap();
        }
        let noisy = case.outputs_of(&case.forward(Sample::Training { step: 3 }, Buffers::Predict).0);
        let whole = case.outputs_of(&case.forward(Sample::Whole, Buffers::Predict).0);
        for (noisy, whole) in noisy.iter().zip(&whole) {
            assert!((noisy - whole).abs() < 3e-3 * (1.0 + whole.abs()), "{:?}: {noisy}, {whole}", case.thin);
        }
    }
}

#[test]
fn a_network_without_room_for_learned_noise_is_refused() {
    let network = Network::zeros(4, 1, &NetworkSpec { hidden: vec![3], ..NetworkSpec::default() }).unwrap();
    for drop in [Drop::Variational, Drop::Concrete] {
        let error = Thinning::new(&ThinSpec { drop, ..ThinSpec::default() }, &network, 0).unwrap_err();
        assert!(error.to_string().contains("with_noise"), "{error}");
    }
}
