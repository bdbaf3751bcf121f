//! What a run answers in JSON.

use std::path::Path;

use serde_json::{Value, json};
use thinnet::model::{Fitted, FittedMember, Member, Run};
use thinnet::thin::Pruned;

use crate::describe::several;
use crate::text::merge;

/// All that a run tells of its model.
pub fn as_json(fitted: &Fitted, output: &Path) -> Value {
    let Fitted { model, train, valid, members, disagreement, rows, seconds, warnings } = fitted;
    let run = model.run();
    let mut object = json!({
        "model": output.display().to_string(),
        "task": model.spec.data.task,
        "target": model.pipeline.target_name(),
        "classes": model.pipeline.classes(),
        "inputs": model.pipeline.input_units(),
        "parameters": model.parameters(),
        "seed": model.spec.seed,
        "rows": run.training_rows + run.validation_rows,
        "seconds": seconds,
        "rows_per_second": *rows as f64 / seconds,
        "train": train,
        "valid": valid,
        "learned_noise": model.spec.thin.learned_noise(model.network()),
        "warnings": warnings,
    });
    if !several(model) {
        merge(&mut object, history_json(run));
        return object;
    }
    let member = |(member, fitted): (&Member, &FittedMember)| {
        let spec = model.spec.member(member.number);
        let mut object = json!({
            "number": member.number,
            "seed": spec.seed,
            "hidden": spec.network.hidden,
            "activation": spec.network.activation,
            "inputs": member.network.inputs(),
            "parameters": member.network.parameters(),
            "seconds": fitted.seconds,
            "train": fitted.train,
            "valid": fitted.valid,
        });
        merge(&mut object, history_json(&member.run));
        object
    };
    object["epochs"] = json!(model.members().iter().map(|member| member.run.epochs()).max());
    object["steps"] = json!(model.members().iter().map(|member| member.run.steps).sum::<u64>());
    object["members"] = model.members().iter().zip(members).map(member).collect();
    object["disagreement"] = json!(disagreement);
    object
}

fn history_json(run: &Run) -> Value {
    json!({
        "epochs": run.epochs(),
        "chosen_epoch": run.chosen_epoch,
        "steps": run.steps,
        "ended": run.ended,
        "pruned": run.pruned,
        "sparsity": run.pruned.as_ref().map(Pruned::sparsity),
    })
}
