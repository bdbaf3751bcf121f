//! Ensembles: what their members draw, and that nothing else decides what they become.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use thinnet::average::{Average, Averaged};
use thinnet::data::{Data, Matrix, Targets, parse_csv};
use thinnet::measure::gaussian_log_likelihood;
use thinnet::model::{Evaluation, Fitted, Model, fit, prepare};
use thinnet::network::Activation;
use thinnet::train::{Ended, Event, Flow, Threads};
use thinnet::{Error, Spec};
use thinnet_kernels::philox::{Counter, Key, words};

const MONTE_CARLO: Average = Average::monte_carlo(7);

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("thinnet-ensembles-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Six columns of numbers, the third with gaps, and a text; the target is a class or a number.
/// `change` has a say in every cell: its row and column, and what it would be.
fn table(classes: bool, change: impl Fn(usize, usize, f64) -> f64) -> Data {
    let mut state = 7_u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1 << 24) as f64
    };
    let mut text = "a,b,c,d,e,f,colour,y\n".to_string();
    for row in 0..120 {
        let own: Vec<f64> = (0..6).map(|_| 2.0 * random() - 1.0).collect();
        let colour = (3.0 * random()) as usize;
        let y = own[0] * own[1] + own[2] - own[4] + colour as f64 / 2.0;
        for (column, &value) in own.iter().enumerate() {
            match (column, row % 11) {
                (2, 5) => write!(text, ",").unwrap(),
                _ => write!(text, "{:.4},", change(row, column, value)).unwrap(),
            }
        }
        let colour = ["red", "green", "blue"][change(row, 6, colour as f64) as usize % 3];
        let y = if classes { (if y > 0.4 { "yes" } else { "no" }).to_string() } else { format!("{y:.4}") };
        writeln!(text, "{colour},{y}").unwrap();
    }
    Data::from(parse_csv("rows", text.as_bytes(), &Default::default()).unwrap())
}

fn data(classes: bool) -> Data {
    table(classes, |_, _, value| value)
}

fn spec(members: usize) -> Spec {
    let mut spec = Spec { seed: 3, ..Spec::default() };
    spec.network.hidden = vec![12, 9];
    spec.train.epochs = 4;
    spec.train.learning_rate = 0.01;
    spec.ensemble.members = members;
    spec
}

/// Members that differ in everything.
fn diverse(members: usize) -> Spec {
    let mut spec = spec(members);
    spec.ensemble.bootstrap = true;
    spec.ensemble.columns = 0.5;
    spec.ensemble.networks = vec![vec![12], vec![8, 6], vec![]];
    spec.ensemble.activations = vec![Activation::Tanh, Activation::Relu];
    spec
}

fn threads(count: usize) -> Threads {
    Threads::new(count).unwrap()
}

fn fitted(data: &Data, spec: &Spec) -> Fitted {
    fit(data, None, spec, &threads(2), &mut |_| Flow::Continue).unwrap()
}

fn close(value: f32, expected: f64) {
    assert!((f64::from(value) - expected).abs() < 1e-6 * expected.abs().max(1.0), "{value}, not {expected}");
}

#[test]
fn a_member_is_the_plain_run_of_its_spec() {
    let data = data(true);
    let mut spec = spec(3);
    spec.ensemble.networks = vec![vec![12, 9], vec![10]];
    let ensemble = fitted(&data, &spec).model;
    for member in ensemble.members() {
        // On the same prepared rows, because the seed also decides which rows validate.
        let mut plain = prepare(&data, None, &spec).unwrap();
        plain.spec = plain.spec.member(member.number);
        assert_eq!(plain.spec.ensemble.members, 1);
        let plain = plain.fit(&threads(1), &mut |_| Flow::Continue).unwrap().model;
        assert!(plain.network() == &member.network && plain.run() == &member.run, "{}", member.number);
    }
    // The first one is what the same command without an ensemble gives, seed and split and all.
    let mut alone = spec.clone();
    alone.ensemble = Default::default();
    assert!(fitted(&data, &alone).model.network() == ensemble.network());
}

#[test]
fn members_are_unlike() {
    let model = fitted(&data(true), &spec(4)).model;
    let networks: Vec<_> = model.members().iter().map(|member| &member.network).collect();
    for (index, network) in networks.iter().enumerate() {
        assert!(!networks[..index].contains(network), "member {index} is another one again");
    }
}

#[test]
fn a_bootstrap_trains_on_the_rows_that_its_stream_draws() {
    let data = data(true);
    let mut spec = spec(2);
    spec.ensemble.bootstrap = true;
    let ensemble = fitted(&data, &spec).model;
    for member in ensemble.members() {
        let mut plain = prepare(&data, None, &spec).unwrap();
        plain.spec = plain.spec.member(member.number);
        // As docs/determinism.md has it: stream 0x11, block = place, 64 bits times the number of rows.
        let rows = plain.train.rows();
        let key = Key { seed: plain.spec.seed, stream: 0x11 };
        let drawn = |place: usize| {
            let [high, low, ..] = words(key, Counter { block: place as u32, row: 0, step: 0 });
            ((u128::from((u64::from(high) << 32) | u64::from(low)) * rows as u128) >> 64) as usize
        };
        plain.train = plain.train.select(&(0..rows).map(drawn).collect::<Vec<_>>());
        let plain = plain.fit(&threads(1), &mut |_| Flow::Continue).unwrap().model;
        assert!(plain.network() == &member.network, "{}", member.number);
    }
}

#[test]
fn a_member_never_reads_a_column_that_it_does_not_see() {
    for classes in [true, false] {
        let (plain, mut spec) = (data(classes), spec(3));
        spec.ensemble.columns = 0.4;
        let model = fitted(&plain, &spec).model;
        let columns = model.pipeline.column_inputs();
        assert_eq!(columns.iter().map(|inputs| inputs.len()).collect::<Vec<_>>(), [1, 1, 2, 1, 1, 1, 3]);
        for (index, member) in model.members().iter().enumerate() {
            let inputs = member.inputs.as_ref().unwrap();
            let sees = |column: usize| inputs.contains(&columns[column].start);
            assert_eq!((0..7).filter(|&column| sees(column)).count(), 3);
            // One value more for each cell of the columns that it does not see, and another colour.
            let other = table(classes, |row, column, value| match sees(column) {
                true => value,
                false => value + 1.0 + row as f64 / 100.0,
            });
            let predicted = |data: &Data| {
                let inputs = model.pipeline.inputs(data, None).unwrap();
                model.average_members(&inputs, MONTE_CARLO, 5, &threads(2)).unwrap()
            };
            let (before, after) = (predicted(&plain), predicted(&other));
            assert!(before[index] == after[index], "member {index} predicts otherwise");
            assert!(before != after, "the other members see them");
            assert!(fitted(&other, &spec).model.members()[index].network == member.network);
        }
    }
}

/// Mean, and square root of mean variance and variance of means, member by member in f64.
fn naive(members: &[Averaged], at: usize, noise: f64) -> (f64, f64) {
    let count = members.len() as f64;
    let mean = members.iter().map(|m| f64::from(m.mean.values()[at])).sum::<f64>() / count;
    let variance = |m: &Averaged| {
        let own = m.spread.as_ref().map_or(0.0, |spread| f64::from(spread.values()[at]));
        own * own + f64::from(m.mean.values()[at]).powi(2)
    };
    let second = members.iter().map(variance).sum::<f64>() / count;
    (mean, (second - mean * mean + noise * noise).max(0.0).sqrt())
}

#[test]
fn the_ensemble_is_the_mixture_of_its_members() {
    for (classes, by) in [
        (true, Average::WeightScaling),
        (true, MONTE_CARLO),
        (false, Average::WeightScaling),
        (false, MONTE_CARLO),
    ] {
        let data = data(classes);
        let model = fitted(&data, &diverse(5)).model;
        let inputs = model.pipeline.inputs(&data, None).unwrap();
        let members = model.average_members(&inputs, by, 9, &threads(2)).unwrap();
        let all = model.predict(&data, by, 9, &threads(2)).unwrap();
        let spread = all.spread.as_ref().unwrap();
        let (own, own_spread) =
            (|v: f64| model.pipeline.denormalise(v as f32), model.pipeline.denormalise_spread(1.0));
        for at in 0..all.mean.values().len() {
            let (mean, deviation) = naive(&members, at, f64::from(model.noise.unwrap_or(0.0)));
            close(all.mean.values()[at], own(mean));
            assert!((f64::from(spread.values()[at]) - deviation * own_spread).abs() < 1e-4);
        }
        // Each member samples networks of its own.
        assert!((1..5).all(|member| members[member] != members[0]));
    }
}

#[test]
fn members_are_measured_alone() {
    let data = data(false);
    let Fitted { model, members, valid, .. } = fitted(&data, &diverse(3));
    assert_eq!(members.len(), 3);
    let measured = model.evaluate_members(&data, Average::WeightScaling, 0, &threads(2)).unwrap();
    let examples = model.pipeline.examples(&data, None).unwrap();
    let alone = model.average_members(&examples.inputs, Average::WeightScaling, 0, &threads(2)).unwrap();
    let Targets::Values(targets) = &examples.targets else { panic!("no regression") };
    let unit = model.pipeline.denormalise_spread(1.0);
    let rmse = |mean: &Matrix| {
        let errors = mean.values().iter().zip(targets.values()).map(|(p, t)| f64::from(p - t).powi(2));
        unit * (errors.sum::<f64>() / targets.rows() as f64).sqrt()
    };
    for (evaluation, alone) in measured.members.iter().zip(&alone) {
        let Evaluation::Regression(evaluation) = evaluation else { panic!("no regression") };
        assert!((evaluation.rmse - rmse(&alone.mean)).abs() < 1e-6);
    }
    // The squared error of the mean is the mean squared error less the variance over the members
    // (Krogh and Vedelsby 1995).
    let (Evaluation::Regression(ensemble), Some(Evaluation::Regression(_))) = (&measured.ensemble, valid)
    else {
        panic!("no regression")
    };
    let squares = alone.iter().map(|member| rmse(&member.mean).powi(2)).sum::<f64>() / 3.0;
    let apart = model.disagreement(&alone).unwrap();
    let ambiguity = apart.values().iter().map(|&d| f64::from(d).powi(2)).sum::<f64>() / apart.rows() as f64;
    assert!((ensemble.rmse.powi(2) - (squares - ambiguity)).abs() < 1e-6 * squares);
    let deviation = apart.values().iter().map(|&d| f64::from(d)).sum::<f64>() / apart.rows() as f64;
    assert!((measured.disagreement.deviation - deviation).abs() < 1e-6 * deviation);
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let folder = Folder::new("threads");
    for classes in [true, false] {
        let (data, spec) = (data(classes), diverse(5));
        let file = |count: usize| {
            let fitted = fit(&data, None, &spec, &threads(count), &mut |_| Flow::Continue).unwrap();
            let path = folder.0.join(format!("{count}.thinnet"));
            fitted.model.save(&path).unwrap();
            let loaded = Model::load(&path).unwrap();
            assert!(loaded == fitted.model, "a model comes back as it went");
            fs::read(path).unwrap()
        };
        let one = file(1);
        for count in [2, 3, 4, 7] {
            assert!(file(count) == one, "{count} threads give another file than 1");
        }
    }
}

#[test]
fn who_stops_a_member_stops_them_all_and_keeps_what_is_there() {
    let (data, folder) = (data(true), Folder::new("stopped"));
    let mut spec = spec(6);
    spec.train.patience = Some(0);
    let mut ended = 0;
    // One thread: members follow each other, and the third is stopped in its second epoch.
    let stopped = fit(&data, None, &spec, &threads(1), &mut |event| match event {
        Event::Member { member: 2, event: Event::Epoch(epoch) } if epoch.epoch == 2 => Flow::Stop,
        Event::MemberEnded { ended: why, .. } => {
            ended += 1;
            assert_eq!(*why == Ended::Interrupted, ended == 3);
            Flow::Continue
        }
        _ => Flow::Continue,
    });
    let model = stopped.unwrap().model;
    assert_eq!((model.members().len(), ended), (3, 3));
    assert_eq!(model.members()[2].run.history.len(), 2);
    let path = folder.0.join("a.thinnet");
    model.save(&path).unwrap();
    assert!(Model::load(&path).unwrap() == model);
    assert!(model.network() == fitted(&data, &spec).model.network());
}

#[test]
fn a_member_that_has_hardly_begun_is_left_out_unless_it_is_alone() {
    let (data, spec) = (data(true), spec(6));
    let stop_at = |wanted: usize| {
        let mut watch = |event: &Event| match event {
            Event::Member { member, event: Event::Step { .. } } if *member == wanted => Flow::Stop,
            _ => Flow::Continue,
        };
        let model = fit(&data, None, &spec, &threads(1), &mut watch).unwrap().model;
        model.members().iter().map(|member| member.number).collect::<Vec<_>>()
    };
    assert_eq!(stop_at(2), [0, 1]);
    assert_eq!(stop_at(0), [0]);
}

#[test]
fn a_loss_that_goes_astray_is_an_error() {
    let mut spec = spec(3);
    spec.train.learning_rate = 1e30;
    let error = fit(&data(true), None, &spec, &threads(2), &mut |_| Flow::Continue).unwrap_err();
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
}

#[test]
fn rates_must_suit_every_network() {
    let text = "[ensemble]\nmembers = 2\nnetworks = [[8], [8, 8]]\n[thin]\nhidden = [0.5, 0.5]\n";
    let error = Spec::parse("run.toml", text).unwrap().check().unwrap_err().to_string();
    assert_eq!(error, "spec, thin.hidden: 2 rates for 1 hidden layers; give one for each");
    Spec::parse("run.toml", &text.replace("[0.5, 0.5]", "0.5")).unwrap().check().unwrap();
}

/// Two small models that were written before there were ensembles, and what they predicted then.
#[test]
fn files_of_format_1_predict_what_they_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let open = |name: &str| {
        let model = Model::load(&folder.join(format!("format-1-{name}.safetensors"))).unwrap();
        let types = model.pipeline.column_types();
        let data = Data::open(&folder.join(format!("format-1-{name}.csv")), None, &types).unwrap();
        assert_eq!((model.members().len(), model.spec.ensemble.members), (1, 1));
        (model, data)
    };
    let rows = |averaged: &Averaged| {
        let spread = averaged.spread.as_ref().map_or(&[][..], |spread| spread.row(0));
        [averaged.mean.row(0), averaged.mean.row(8), spread].concat()
    };
    let predicted = |name: &str, by| {
        let (model, data) = open(name);
        rows(&model.predict(&data, by, 0, &threads(1)).unwrap())
    };
    let expect = |found: Vec<f32>, expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        found.into_iter().zip(expected).for_each(|(found, &expected)| close(found, expected));
    };
    let scaled = [0.3495477, 0.65045226, 0.35032886, 0.64967114];
    expect(predicted("classes", Average::WeightScaling), &scaled);
    let sampled = [0.35337692, 0.6466231, 0.35405788, 0.64594215, 0.032118548, 0.03211854];
    expect(predicted("classes", MONTE_CARLO), &sampled);
    expect(predicted("values", Average::WeightScaling), &[505.29904, 503.96838]);
    expect(predicted("values", MONTE_CARLO), &[509.16425, 508.4109, 12.764241]);
    let (model, data) = open("values");
    let measured = model.evaluate(&data, MONTE_CARLO, 0, &threads(1)).unwrap();
    let Evaluation::Regression(measured) = measured else { panic!("no regression") };
    assert!((measured.rmse - 7.106228028476234).abs() < 1e-5, "{}", measured.rmse);
    // The likelihood then was that of a normal distribution of mean and spread.
    let Targets::Values(targets) = model.pipeline.examples(&data, None).unwrap().targets else { panic!() };
    let own = targets.values().iter().map(|&target| model.pipeline.denormalise(target) as f32).collect();
    let targets = Matrix::new(targets.rows(), 1, own).unwrap();
    let Averaged { mean, spread, .. } = model.predict(&data, MONTE_CARLO, 0, &threads(1)).unwrap();
    let likelihood = gaussian_log_likelihood(&mean, &spread.unwrap(), &targets, None).unwrap();
    assert!((likelihood + 3.5353767967008554).abs() < 1e-6, "{likelihood}");
}
