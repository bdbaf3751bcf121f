//! Weights that are mostly noise: which are pruned, and what is left.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod naive;

use std::fs;

use naive::case::{Random, isa};
use thinnet::average::Average;
use thinnet::data::{Data, Matrix, Table};
use thinnet::model::{self, Fitted, Model};
use thinnet::network::{Activation, Network, NetworkSpec};
use thinnet::thin::{self, Drop, ThinSpec, Thinning};
use thinnet::train::{Flow, Threads};
use thinnet::{Error, Spec};

const INPUTS: usize = 20;
const ROWS: usize = 600;

/// y = 2 a - 3 b + noise, beside 18 inputs that have nothing to do with it.
fn rows() -> Data {
    let mut random = Random(3);
    let inputs = random.normals(ROWS * INPUTS);
    let target = |row: &[f32]| 2.0 * row[0] - 3.0 * row[1];
    let targets: Vec<f32> = inputs.chunks(INPUTS).map(|row| target(row) + 0.5 * random.normal()).collect();
    Data::from(Table::from_rows(&inputs, INPUTS, Some(&targets)).unwrap())
}

fn fitted(hidden: Vec<usize>) -> Fitted {
    let mut spec = Spec { seed: 5, ..Spec::default() };
    spec.network.hidden = hidden;
    spec.thin = ThinSpec { drop: Drop::SparseVariational, divergence_warmup: 300, ..ThinSpec::default() };
    (spec.train.learning_rate, spec.train.epochs) = (0.02, 200);
    spec.data.valid = Some(0.0);
    model::fit(&rows(), None, &spec, &Threads::new(1).unwrap(), &mut |_| Flow::Continue).unwrap()
}

#[test]
fn weights_of_inputs_that_say_nothing_are_pruned_and_the_useful_ones_stay() {
    let model = fitted(vec![]).model;
    let weights = model.network().unit_weights(0, 0);
    assert!(weights[0] > 0.4 && weights[1] < -0.6, "{weights:?}");
    assert!(weights[2..].iter().all(|&weight| weight == 0.0), "{weights:?}");
    let pruned = model.run().pruned.as_ref().unwrap();
    assert_eq!((pruned.layers[0].weights, pruned.layers[0].kept_weights), (INPUTS, 2));
    assert!((pruned.sparsity() - 0.9).abs() < 1e-12);
}

#[test]
fn units_that_lost_their_weights_go_and_the_model_predicts_as_well() {
    let Fitted { model, train, .. } = fitted(vec![40]);
    let pruned = model.run().pruned.as_ref().unwrap();
    let left = pruned.hidden()[0];
    assert!(left < 20 && left == model.network().layers()[0].units, "{left} units of 40 are left");
    assert!(pruned.sparsity() > 0.9, "{}", pruned.sparsity());
    let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&train).unwrap()).unwrap();
    let rmse = json["rmse"].as_f64().unwrap();
    assert!(rmse < 0.8, "{rmse}, with noise of 0.5");
}

/// Random weights and variances, so that about half of the weights go.
fn noisy(activation: Activation) -> (NetworkSpec, ThinSpec, Network) {
    let spec = NetworkSpec { hidden: vec![24, 15, 9], activation, ..NetworkSpec::default() };
    let thin = ThinSpec { drop: Drop::SparseVariational, ..ThinSpec::default() };
    let mut network = thin.with_noise(Network::new(11, 3, &spec, 1).unwrap()).unwrap();
    let mut random = Random(6);
    for index in 0..network.layers().len() {
        let layer = network.layers()[index];
        // Units 2, 5, 8, ... lose all their weights, and so do the inputs 4 and 7 of every layer.
        let variance = |unit: usize, input: usize, random: &mut Random| {
            let lost = index < 3 && unit % 3 == 2 || input == 4 || input == 7;
            if lost { 5.0 } else { 2.0 * random.normal() - 1.0 }
        };
        let noise = (0..layer.units).flat_map(|unit| (0..layer.inputs).map(move |input| (unit, input)));
        let noise: Vec<f32> = noise.map(|(unit, input)| variance(unit, input, &mut random)).collect();
        let weights: Vec<f32> = random.normals(layer.units * layer.inputs);
        network.set_layer(index, &weights, &random.normals(layer.units)).unwrap();
        network.set_noise(index, &noise).unwrap();
    }
    (spec, thin, network)
}

#[test]
fn the_pruned_network_is_the_one_with_those_weights_at_0() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Logistic] {
        let (spec, thin, network) = noisy(activation);
        let (left, pruned) = thin::prune(isa(), &network, &spec).unwrap();
        assert!(pruned.hidden()[0] <= 16 && pruned.hidden()[1] <= 9, "{:?}", pruned.hidden());
        // By hand: a plain network whose weights are 0 where the variance is above e^3 of their square.
        let mut plain = Network::zeros(11, 3, &spec).unwrap();
        let mut kept = 0;
        for index in 0..4 {
            let layer = network.layers()[index];
            let weights = (0..layer.units).flat_map(|unit| {
                let noise = &network.noise(index)[unit * layer.stride..][..layer.inputs];
                let weight = |(&w, &l): (&f32, &f32)| if l - (w * w).ln() > 3.0 { 0.0 } else { w };
                network.unit_weights(index, unit).iter().zip(noise).map(weight).collect::<Vec<f32>>()
            });
            let weights: Vec<f32> = weights.collect();
            kept += weights.iter().filter(|&&weight| weight != 0.0).count();
            plain.set_layer(index, &weights, network.biases(index)).unwrap();
        }
        let listed: usize = pruned.layers.iter().map(|layer| layer.kept_weights).sum();
        assert!(listed <= kept && listed > kept / 4, "{listed} of {kept} weights are left");
        let inputs = Matrix::new(70, 11, Random(7).normals(770)).unwrap();
        let none = Thinning::new(&ThinSpec::none(), &plain, 0).unwrap();
        let expected = thin::outputs(isa(), &plain, &none, &inputs).unwrap();
        for network in [&network, &left] {
            let thinning = Thinning::new(&thin, network, 0).unwrap();
            let outputs = thin::outputs(isa(), network, &thinning, &inputs).unwrap();
            for (got, expected) in outputs.values().iter().zip(expected.values()) {
                let off = (got - expected).abs();
                assert!(off < 2e-5 * (1.0 + expected.abs()), "{activation:?}: {got}, not {expected}");
            }
        }
    }
}

#[test]
fn a_network_that_has_not_learned_of_its_weights_is_not_pruned() {
    let spec = NetworkSpec::default();
    let network = Network::zeros(3, 1, &spec).unwrap();
    let variational = ThinSpec { drop: Drop::Variational, ..ThinSpec::default() };
    for network in [network.clone(), variational.with_noise(network).unwrap()] {
        let error = thin::prune(isa(), &network, &spec).unwrap_err().to_string();
        assert!(error.starts_with("network: it has not learned of each weight's noise"), "{error}");
    }
}

#[test]
fn at_least_one_unit_stays() {
    let (spec, _, mut network) = noisy(Activation::Relu);
    for index in 0..4 {
        let layer = network.layers()[index];
        network.set_noise(index, &vec![9.0; layer.units * layer.inputs]).unwrap();
    }
    let (left, pruned) = thin::prune(isa(), &network, &spec).unwrap();
    assert_eq!((pruned.hidden(), pruned.sparsity()), (vec![1, 1, 1], 1.0));
    assert_eq!(left.layers().len(), 4);
}

struct Folder(std::path::PathBuf);

impl std::ops::Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn folder(name: &str) -> Folder {
    let folder = std::env::temp_dir().join(format!("thinnet-sparse-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    Folder(folder)
}

#[test]
fn lists_come_back_as_they_went_and_are_smaller() {
    let folder = folder("round");
    let (path, again) = (folder.0.join("a.thinnet"), folder.0.join("b.thinnet"));
    let model = fitted(vec![40]).model;
    model.save(&path).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert!(loaded == model);
    loaded.save(&again).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(bytes == fs::read(&again).unwrap());
    let (_, tensors) = model::read::<serde_json::Value>(&path).unwrap();
    let numbers: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    // 40 x 20 weights with as many variances, 40 of the outputs, and 41 biases, were learned.
    assert!(numbers < 2 * 840 / 5, "{numbers} numbers");
    // Sampled networks have the noise of the weights that are left.
    let data = rows();
    let [of_model, of_loaded] = [&model, &loaded]
        .map(|model| model.predict(&data, Average::monte_carlo(3), 1, &Threads::new(1).unwrap()).unwrap());
    assert!(of_model == of_loaded && of_model.spread.unwrap().values().iter().any(|&spread| spread > 0.0));
}

#[test]
fn lists_that_do_not_fit_are_refused() {
    let folder = folder("hostile");
    let path = folder.0.join("a.thinnet");
    fitted(vec![40]).model.save(&path).unwrap();
    let (header, tensors) = model::read::<serde_json::Value>(&path).unwrap();
    let refused = |name: &str, change: &dyn Fn(&mut Vec<f32>)| {
        let mut tensors = tensors.clone();
        let tensor = tensors.get_mut(name).unwrap();
        change(&mut tensor.values);
        tensor.shape = vec![tensor.values.len()];
        let arrays: Vec<(&str, &[usize], &[f32])> =
            tensors.iter().map(|(name, tensor)| (&name[..], &tensor.shape[..], &tensor.values[..])).collect();
        model::write(&path, &header, &arrays).unwrap();
        match Model::load(&path) {
            Err(Error::Model { problem, .. }) => problem,
            other => panic!("{name}: {other:?}"),
        }
    };
    let damaged = "do not fit together";
    for (name, change) in [
        ("layer.0.kept", &(|list: &mut Vec<f32>| list[0] += 1.0) as &dyn Fn(&mut Vec<f32>)),
        ("layer.0.kept", &|list| list[0] = -1.0),
        ("layer.0.kept", &|list| list[0] = 0.5),
        ("layer.0.kept", &|list| list[0] = 1e30),
        ("layer.0.kept", &|list| list.truncate(1)),
        ("layer.0.inputs", &|list| list[0] = 20.0),
        ("layer.0.inputs", &|list| list[0] = -1.0),
        ("layer.0.inputs", &|list| list.push(0.0)),
        ("layer.0.noise", &|list| list.truncate(1)),
    ] {
        let problem = refused(name, change);
        assert!(problem.contains(damaged), "{name}: {problem}");
    }
    let problem = refused("layer.1.biases", &|list| list.push(0.0));
    assert!(problem.contains("biases"), "{problem}");
    // A header may not ask for more memory than the file is worth.
    let mut large = header.clone();
    large["members"][0]["run"]["pruned"]["layers"][0]["kept_units"] = 10_000_000_000_u64.into();
    let arrays: Vec<(&str, &[usize], &[f32])> =
        tensors.iter().map(|(name, tensor)| (&name[..], &tensor.shape[..], &tensor.values[..])).collect();
    model::write(&path, &large, &arrays).unwrap();
    let problem = Model::load(&path).unwrap_err().to_string();
    assert!(problem.contains("are not those of its network"), "{problem}");
}
