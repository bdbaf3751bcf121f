//! How the network learned: the losses and errors of its epochs.

use thinnet::measure::Overfitting;
use thinnet::report::{Area, Axis, Line, Lines, Place, Section};
use thinnet::train::Epoch;

use super::Shown;
use crate::describe;
use crate::overfitting::{NOTHING_HELD_OUT, gap, lost};

/// From this ratio of the largest to the smallest loss on, a linear axis shows a corner and no curve.
const LOGARITHMIC: f64 = 20.0;

/// Losses with the gap between them, errors, and how the run overfitted.
pub fn section(shown: &Shown, overfitting: Option<&Overfitting>) -> Section {
    let member = shown.member();
    let spec = shown.model.spec.member(member.number);
    let mut paragraphs = vec![describe::ending(&member.run, &spec)];
    match overfitting {
        Some(of) => paragraphs.extend([gap(of), lost(of)]),
        None => paragraphs.push(NOTHING_HELD_OUT.into()),
    }
    let history = &member.run.history;
    let (chosen, of) = (member.run.chosen_epoch, shown.of_member());
    let thins = describe::thinning(&spec).is_some();
    let mut items = vec![losses(history, chosen, thins, &of).draw().into()];
    items.extend(errors(history, chosen, &of).map(|chart| chart.draw().into()));
    Section { heading: "How it learned".into(), paragraphs, items }
}

fn line(name: &str, history: &[Epoch], value: fn(&Epoch) -> Option<f64>) -> Line {
    let point = |epoch: &Epoch| (epoch.epoch as f64, value(epoch).unwrap_or(f64::NAN));
    Line { name: name.into(), points: history.iter().map(point).collect(), errors: Vec::new() }
}

/// The epoch that counts.
fn kept(chosen: u64) -> Option<Place> {
    Some(Place { name: format!("epoch {chosen} is kept"), at: chosen as f64 })
}

/// Training and held-out loss, where the held-out loss is above the other, and the epoch that counts. `of`
/// stands behind the title: ", member 1 of 8". Where the run thins, other networks are trained than the one
/// that the held-out rows meet.
pub fn losses(history: &[Epoch], chosen: u64, thins: bool, of: &str) -> Lines {
    let (trained, whole) = match thins {
        true => ("training, thinned networks", "held out, whole network"),
        false => ("training", "held out"),
    };
    let (mut description, why_below) = match thins {
        true => (
            "The mean loss of the thinned networks, as trained.".to_string(),
            "Thinned networks have the harder task: with dropout the gap can lie below 0",
        ),
        false => (
            "The mean loss of the training rows, each at the step that learned from it.".to_string(),
            "The network gets better within an epoch: the gap can begin below 0",
        ),
    };
    let mut lines = vec![line(trained, history, |epoch| Some(epoch.train_loss))];
    let mut area = None;
    if history.iter().any(|epoch| epoch.valid_loss.is_some()) {
        lines.push(line(whole, history, |epoch| epoch.valid_loss));
        area = Some(Area { name: "overfitting gap".into(), upper: 1, lower: 0 });
        description += &format!(
            " The gap is what the loss on held-out rows lies above it. {why_below}, and is not shaded there."
        );
    }
    let values = || lines.iter().flat_map(|line| &line.points).map(|point| point.1).filter(|v| v.is_finite());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let logarithmic = low > 0.0 && high > LOGARITHMIC * low;
    let scale = if logarithmic { "loss, log scale" } else { "loss" };
    Lines {
        title: format!("Loss of each epoch{of}"),
        description,
        horizontal: Axis::new("epoch"),
        vertical: Axis { logarithmic, ..Axis::new(scale) },
        lines,
        area,
        place: kept(chosen),
    }
}

/// The share of held-out rows whose class is wrong; none for a regression, or if nothing was held out.
fn errors(history: &[Epoch], chosen: u64, of: &str) -> Option<Lines> {
    history.iter().find_map(|epoch| epoch.valid_error)?;
    Some(Lines {
        title: format!("Error of each epoch{of}"),
        description: "The share of held-out rows to which the whole network gives the wrong class.".into(),
        horizontal: Axis::new("epoch"),
        vertical: Axis { reach: vec![0.0], ..Axis::percent("error") },
        lines: vec![line("held out, whole network", history, |epoch| epoch.valid_error)],
        place: kept(chosen),
        ..Lines::default()
    })
}
