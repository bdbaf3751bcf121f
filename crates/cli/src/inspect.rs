//! `thinnet inspect`: what a model consists of and how it was trained.

use serde::Serialize;
use serde_json::json;
use thinnet::average::Average;
use thinnet::model::{Member, Model};
use thinnet::network::Layer;
use thinnet::prepare::{InputColumn, Inputs, Preparation, Target};
use thinnet::report::{Curve, Series, table};
use thinnet::thin::{Drop, LearnedNoise, ThinSpec};

use crate::arguments::Inspect;
use crate::{describe, text};

/// Reads and prints.
pub fn run(arguments: &Inspect) -> anyhow::Result<()> {
    let model = Model::load(&arguments.model)?;
    if arguments.json {
        let mut object = json!({
            "model": arguments.model.display().to_string(),
            "task": model.pipeline.task(),
            "classes": model.pipeline.classes(),
            "inputs": model.pipeline.input_units(),
            "parameters": model.parameters(),
            "spec": model.spec,
            "pipeline": model.pipeline,
        });
        if describe::several(&model) {
            object["noise"] = json!(model.noise);
            object["members"] = model.members().iter().map(|member| as_json(&model, member)).collect();
        } else {
            object["layers"] = json!(layers(&model, &model.members()[0]));
            object["run"] = json!(model.run());
        }
        text::print_json(&object)?;
        return Ok(());
    }
    let networks = if describe::several(&model) { members(&model) } else { network(&model) };
    let parts = [task(&model), inputs(&model), networks, training(&model)];
    text::print(&format!("{}\n\n{}", arguments.model.display(), parts.join("\n")))?;
    Ok(())
}

fn task(model: &Model) -> String {
    let of = model.pipeline.target_name().map_or(String::new(), |name| format!(" of {name}"));
    let what = match model.pipeline.target() {
        Target::Classes { names, .. } => format!("{} classes: {}", names.len(), text::some_of(names, 12)),
        Target::Values { scale, .. } => {
            format!("mean {}, deviation {}", text::number(scale.mean), text::number(scale.deviation))
        }
    };
    let weight =
        model.pipeline.weight_name().map_or(String::new(), |name| format!("\nRow weights: {name}\n"));
    format!("Task: {}{of}; {what}\n{weight}", model.pipeline.task())
}

fn inputs(model: &Model) -> String {
    match model.pipeline.fitted_inputs() {
        Inputs::Images { height, width } => {
            format!("Inputs: images of {height} x {width} pixels, divided by white\n")
        }
        Inputs::Table(columns) => {
            let rows: Vec<Vec<String>> = columns.iter().map(column).collect();
            format!("Inputs\n{}", table(&["column", "type", "preparation", "inputs"], &rows))
        }
    }
}

fn column(column: &InputColumn) -> Vec<String> {
    let (kind, preparation) = match &column.preparation {
        Preparation::Number { impute, scale } => {
            let gaps = match impute.indicator {
                true => format!("; a gap takes {} and is indicated", text::number(impute.median)),
                false => String::new(),
            };
            let (mean, deviation) = (text::number(scale.mean), text::number(scale.deviation));
            ("number", format!("mean {mean}, deviation {deviation}{gaps}"))
        }
        Preparation::Text(encode) => (
            "text",
            format!("one-hot of {}: {}", encode.categories.len(), text::some_of(&encode.categories, 4)),
        ),
    };
    vec![column.name.clone(), kind.into(), preparation, column.units().to_string()]
}

fn as_json(model: &Model, member: &Member) -> serde_json::Value {
    json!({
        "number": member.number,
        "seed": model.spec.member(member.number).seed,
        "inputs": member.inputs,
        "parameters": member.network.parameters(),
        "layers": layers(model, member),
        "run": member.run,
    })
}

/// A line for each member of an ensemble.
fn members(model: &Model) -> String {
    let columns = model.pipeline.column_inputs();
    let line = |member: &Member| {
        let Member { number, inputs, network, run } = member;
        let spec = model.spec.member(*number);
        let sees =
            |inputs: &Vec<usize>| columns.iter().filter(|column| inputs.contains(&column.start)).count();
        let chosen = run.history.iter().find(|epoch| epoch.epoch == run.chosen_epoch);
        let valid = chosen.and_then(|epoch| epoch.valid_loss).map_or("".into(), text::number);
        vec![
            (number + 1).to_string(),
            describe::shape(&spec, network.inputs(), network.outputs()),
            spec.seed.to_string(),
            inputs.as_ref().map_or(columns.len(), sees).to_string(),
            text::count(network.parameters() as u64),
            run.epochs().to_string(),
            run.chosen_epoch.to_string(),
            valid,
        ]
    };
    let lines: Vec<Vec<String>> = model.members().iter().map(line).collect();
    let headers = ["member", "network", "seed", "columns", "parameters", "epochs", "kept", "validation loss"];
    let dropped =
        describe::thinning(&model.spec).map_or("no dropout".into(), |who| format!("dropout of {who}"));
    let rows = if model.spec.ensemble.bootstrap { "; rows drawn with replacement" } else { "" };
    format!(
        "Members: {} parameters in all; {dropped}{rows}\n{}",
        text::count(model.parameters() as u64),
        table(&headers, &lines)
    )
}

/// What there is to say of a layer; the names are those of `--json`.
#[derive(Serialize)]
struct LayerLine {
    inputs: usize,
    /// The rate of the dropout before it.
    input_rate: Option<f32>,
    /// What was learned of that.
    learned_noise: Option<LearnedNoise>,
    units: usize,
    activation: String,
    parameters: usize,
}

/// A line for each layer, from the input on.
fn layers(model: &Model, member: &Member) -> Vec<LayerLine> {
    let (spec, network) = (model.spec.member(member.number), &member.network);
    let rates = spec.thin.rates(spec.network.hidden.len()).unwrap_or_default();
    let learned = spec.thin.learned_noise(network);
    let last = network.layers().len() - 1;
    let line = |(index, layer): (usize, &Layer)| LayerLine {
        inputs: layer.inputs,
        input_rate: rates.get(index).copied(),
        learned_noise: learned.get(index).copied().flatten(),
        units: layer.units,
        activation: if index == last { "none".into() } else { describe::named(&spec.network.activation) },
        parameters: (layer.inputs + 1) * layer.units,
    };
    network.layers().iter().enumerate().map(line).collect()
}

fn network(model: &Model) -> String {
    let row = |(index, layer): (usize, LayerLine)| {
        vec![
            (index + 1).to_string(),
            text::count(layer.inputs as u64),
            layer.input_rate.unwrap_or_default().to_string(),
            text::count(layer.units as u64),
            layer.activation,
            text::count(layer.parameters as u64),
        ]
    };
    let rows: Vec<Vec<String>> =
        layers(model, &model.members()[0]).into_iter().enumerate().map(row).collect();
    let headers = ["layer", "inputs", "rate", "units", "activation", "parameters"];
    format!(
        "Network: {} parameters; rate {}\n{}\nDropout: {}\n{}{}",
        text::count(model.parameters() as u64),
        rate(&model.spec.thin),
        table(&headers, &rows),
        describe::thinning(&model.spec).unwrap_or("none".into()),
        learned_noise(model),
        model.run().pruned.as_ref().map_or(String::new(), |pruned| format!("{}\n", describe::left(pruned)))
    )
}

/// What the rate of a layer is.
fn rate(thin: &ThinSpec) -> String {
    let share = match thin.drop {
        Drop::EdgesGaussian | Drop::SparseVariational => "row".into(),
        Drop::Edges if thin.share_rows > 0 => format!("group of {} rows", thin.share_rows),
        _ => describe::named(&thin.share),
    };
    match thin.drop {
        Drop::Units if thin.masks.is_some() => {
            format!("above 0: the inputs of the layer have {}", describe::masks(thin))
        }
        Drop::Units => {
            format!(
                "is the probability that an input of the layer is dropped, with {}",
                describe::masks(thin)
            )
        }
        Drop::Edges => {
            format!("is the probability that an edge of the layer is dropped, with one mask for each {share}")
        }
        Drop::EdgesGaussian => {
            format!("is that of the edges of the layer, in the Gaussian form, with one draw for each {share}")
        }
        Drop::SparseVariational => {
            format!("does not matter: noise is learned for each weight, with one draw for each {share}")
        }
        drop => {
            let name = describe::named(&drop);
            format!("is that of the {name} noise on the inputs of the layer, with one draw for each {share}")
        }
    }
}

/// What was learned of the noise, a line for each layer whose inputs have noise.
fn learned_noise(model: &Model) -> String {
    let line = |(layer, learned): (usize, LearnedNoise)| match learned {
        LearnedNoise::Rate(rate) => {
            format!("The rate of layer {} was learned: {}.\n", layer + 1, text::number(rate.into()))
        }
        LearnedNoise::Alpha { smallest, median, largest } => {
            let [smallest, median, largest] =
                [smallest, median, largest].map(|alpha| text::number(alpha.into()));
            format!(
                "The variances of the noise of layer {} were learned: {smallest} to {largest}, median {median}.\n",
                layer + 1
            )
        }
    };
    let learned = model.spec.thin.learned_noise(model.network()).into_iter().enumerate();
    learned.filter_map(|(layer, learned)| Some(line((layer, learned?)))).collect()
}

fn training(model: &Model) -> String {
    let run = model.run();
    let of = |pick: fn(&thinnet::train::Epoch) -> Option<f64>| -> Vec<f64> {
        run.history.iter().map(|epoch| pick(epoch).unwrap_or(f64::NAN)).collect()
    };
    let (train, valid) = (of(|epoch| Some(epoch.train_loss)), of(|epoch| epoch.valid_loss));
    let mut series = vec![Series { name: "training, thinned", values: &train }];
    if run.validation_rows > 0 {
        series.push(Series { name: "validation, whole", values: &valid });
    }
    let noise = model.noise.map_or(String::new(), |noise| {
        let noise = text::number(model.pipeline.denormalise_spread(noise));
        format!("The errors of its predictions have a standard deviation of {noise}.\n")
    });
    let (ending, title) = match describe::several(model) {
        true => (String::new(), "loss of member 1"),
        false => (describe::ending(run, &model.spec) + "\n", "loss"),
    };
    format!(
        "Training: {}, seed {}\nAlso against overfitting: {}\n\
         {} to train on, {} to validate, {} steps.\n{ending}{noise}{}{}\n{}",
        describe::training(&model.spec, run.training_rows),
        model.spec.seed,
        describe::penalties(&model.spec).unwrap_or("nothing".into()),
        text::counted(run.training_rows, "row", "rows"),
        text::count(run.validation_rows as u64),
        text::count(model.members().iter().map(|member| member.run.steps).sum()),
        temperature(model),
        average(model),
        Curve { title, ..Curve::default() }.draw(&series)
    )
}

/// Which average the model is for, where it is not the usual one.
fn average(model: &Model) -> String {
    match model.spec.average {
        Average::WeightScaling => String::new(),
        by => format!("Predictions are by average {by}, unless another is asked for.\n"),
    }
}

/// What the logits are divided by, where it was fitted.
fn temperature(model: &Model) -> String {
    if !model.spec.train.temperature {
        return String::new();
    }
    let of = |member: &Member| text::number(member.run.temperature.into());
    let fitted: Vec<String> = model.members().iter().map(of).collect();
    let each = if describe::several(model) { ", by member" } else { "" };
    format!(
        "Logits are divided by the temperature fitted on the validation rows{each}: {}.\n",
        fitted.join(", ")
    )
}
