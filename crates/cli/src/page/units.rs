//! What the units do: without some of them, together with each other, and what the first ones look for.

use serde_json::{Value, json};
use thinnet::measure::{Coadaptation, Silenced, UnitCorrelations};
use thinnet::prepare::Inputs;
use thinnet::report::{Axis, Cell, HeatMap, Image, ImageGrid, Item, Line, Lines, Panel, Section, Table};
use thinnet::train::Threads;

use super::Shown;
use crate::{coadaptation, text};

/// The most units of a layer that a map shows; fewer in a network of more than three hidden layers.
const UNITS: usize = 64;
/// The most pixels of all images of weights together.
const PIXELS: usize = 25_600;

/// What is seen of the units, and its numbers.
pub fn section(shown: &Shown, threads: &Threads) -> anyhow::Result<(Section, Value)> {
    let layers = &shown.measures.coadaptation;
    let heading = format!("What its units do{}", shown.of_member());
    if layers.is_empty() {
        let paragraphs = vec!["There are no hidden layers whose units could co-adapt.".into()];
        return Ok((Section { heading, paragraphs, items: Vec::new() }, json!({})));
    }
    let lines: Vec<_> = layers.iter().map(|layer| (format!("layer {}", layer.layer), layer)).collect();
    let mut items = vec![silenced("one layer", &lines, shown).draw().into()];
    let (inside, numbers) = inside(shown, threads)?;
    items.extend(inside);
    Ok((Section { heading, items, ..Section::default() }, numbers))
}

/// What each layer's units do together, and what the first ones look for; and the numbers.
pub fn inside(shown: &Shown, threads: &Threads) -> anyhow::Result<(Vec<Item>, Value)> {
    let (layers, title) = (&shown.measures.coadaptation, shown.of_member());
    let most = (UNITS as f64 * (3.0 / layers.len() as f64).sqrt().min(1.0)) as usize;
    let Shown { model, member, examples, effort, .. } = *shown;
    let correlations: Vec<UnitCorrelations> =
        model.unit_correlations(member, examples, most, &effort, threads)?.into_iter().map(rounded).collect();
    let images = images(shown, &correlations);
    let mut items = vec![coadaptation(layers, &title).into()];
    items.extend(maps(&correlations, layers, &title).map(|map| map.draw().into()));
    items.extend(images.as_ref().map(|(_, grid)| grid.draw().into()));
    let weights = images.map(|(weights, _)| weights);
    Ok((items, json!({ "correlations": correlations, "first_weights": weights })))
}

/// A line for each measure, a column for each layer.
fn coadaptation(layers: &[Coadaptation], of: &str) -> Table {
    let (names, of_layers) = coadaptation::layers(layers);
    let row = |(index, name): (usize, &&str)| {
        let meaning =
            coadaptation::MEANINGS.iter().find(|(other, _)| other == name).map_or("", |(_, meaning)| meaning);
        let values = of_layers.iter().filter_map(|layer| layer.get(index).cloned());
        std::iter::once(Cell::from(*name).noted(meaning)).chain(values).collect()
    };
    let headers = layers.iter().map(|layer| format!("layer {}", layer.layer));
    Table {
        caption: format!("Co-adaptation of each hidden layer{of}"),
        headers: std::iter::once("measure".to_string()).chain(headers).collect(),
        // The first one is the layer's number.
        rows: names.iter().enumerate().skip(1).map(row).collect(),
        half: false,
    }
}

/// The error, or for a regression the loss, without a share of the units of some layers, each with its name.
pub fn silenced(whose: &str, layers: &[(String, &Coadaptation)], shown: &Shown) -> Lines {
    let of_error = layers.iter().flat_map(|(_, layer)| &layer.silenced).any(|of| of.error.is_some());
    let estimate = |of: &Silenced| if of_error { of.error.unwrap_or(of.loss) } else { of.loss };
    let line = |(name, layer): &(String, &Coadaptation)| Line {
        name: name.clone(),
        points: layer.silenced.iter().map(|of| (of.share, estimate(of).mean)).collect(),
        errors: layer.silenced.iter().map(|of| estimate(of).standard_error.unwrap_or(0.0)).collect(),
    };
    let (what, vertical) = match of_error {
        true => ("Error", Axis::percent("error")),
        false => ("Loss", Axis::new("loss")),
    };
    Lines {
        title: format!("{what} without a share of the units of {whose}"),
        description: format!(
            "On {} of the {}; mean and standard error of {}. Nothing makes up for what is silenced. The flatter a \
             line, the less depends on single units.",
            text::count(shown.measures.ablated_rows as u64),
            shown.rows,
            text::counted(shown.effort.draws as usize, "draw of the units", "draws of the units"),
        ),
        horizontal: Axis::percent("silenced units"),
        vertical: Axis { reach: vec![0.0], ..vertical },
        lines: layers.iter().map(line).collect(),
        ..Lines::default()
    }
}

/// With three decimals, which are more than can be seen.
fn rounded(of: UnitCorrelations) -> UnitCorrelations {
    let round = |map: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        map.iter().map(|row| row.iter().map(|value| (1000.0 * value).round() / 1000.0).collect()).collect()
    };
    UnitCorrelations { after: round(of.after), before: of.before.map(round), ..of }
}

/// A map for each layer with units that vary.
fn maps(
    correlations: &[UnitCorrelations],
    layers: &[Coadaptation],
    title: &str,
) -> impl Iterator<Item = HeatMap> {
    let shown = correlations.iter().zip(layers).filter(|(of, _)| !of.units.is_empty());
    shown.map(move |(of, layer)| map(of, layer, title))
}

fn map(of: &UnitCorrelations, layer: &Coadaptation, title: &str) -> HeatMap {
    let panel = |name: &str, rows: &Vec<Vec<f64>>| Panel { name: name.into(), rows: rows.clone() };
    let before = of.before.as_ref();
    let moved = before.and_then(|map| mean_absolute(map)).zip(mean_absolute(&of.after)).map_or(
        String::new(),
        |(was, is)| {
            format!(
                " The mean |correlation| of two of them was {} before training and is {} now.",
                text::number(was),
                text::number(is)
            )
        },
    );
    HeatMap {
        title: format!("Correlation of the units of layer {}{title}", layer.layer),
        description: format!(
            "{} of the {} units, {} of which vary. A cell is the correlation of two; those that do the same stand \
             beside each other, in the same order in both maps. Blocks are units that do each other's work.{moved}",
            text::count(of.units.len() as u64),
            text::count(layer.activity.units as u64),
            text::count(of.varying as u64)
        ),
        panels: before
            .map(|rows| panel("before training", rows))
            .into_iter()
            .chain([panel("after", &of.after)])
            .collect(),
    }
}

/// The mean of |correlation| over pairs of different units; none of a single unit.
fn mean_absolute(map: &[Vec<f64>]) -> Option<f64> {
    let pairs = (0..map.len()).flat_map(|one| (one + 1..map.len()).map(move |other| map[one][other].abs()));
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The weights of units of the first layer as images, and as numbers; none if the inputs are no image.
fn images(shown: &Shown, correlations: &[UnitCorrelations]) -> Option<(Value, ImageGrid)> {
    let member = shown.member();
    let (Inputs::Images { height, width }, None) = (shown.model.pipeline.fitted_inputs(), &member.inputs)
    else {
        return None;
    };
    let units = &correlations.first()?.units;
    let count = units.len().min((PIXELS / (height * width)).max(1));
    let chosen = (0..count).map(|index| units[index * units.len() / count]);
    let image = |unit: usize| Image {
        name: format!("unit {unit}"),
        values: member.network.unit_weights(0, unit).iter().map(|&w| text::rounded(w.into(), 3)).collect(),
    };
    let images: Vec<Image> = chosen.map(image).collect();
    let weights = images.iter().map(|image| json!({ "unit": image.name, "weights": image.values })).collect();
    let grid = ImageGrid {
        title: format!("What units of the first layer look for{}", shown.of_member()),
        description: format!(
            "The weights of {} units from each pixel, units that do the same beside each other. A unit answers to \
             white where a pixel is blue, and to black where it is orange; each is drawn in parts of its largest weight.",
            text::count(count as u64)
        ),
        width: *width,
        images,
    };
    (count > 0).then_some((weights, grid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinnet::measure::Activity;

    /// As after a training that left nothing but dead units in a layer.
    #[test]
    fn a_layer_without_units_that_vary_has_no_map() {
        let layer = |layer: usize, varying: usize| {
            let activity = Activity {
                units: 3,
                constant_units: 3 - varying,
                mean_activation: 0.0,
                sparsity: 1.0,
                mean_absolute_correlation: None,
                decov: 0.0,
                effective_rank: None,
            };
            Coadaptation { layer, activity, interaction: None, silenced: Vec::new() }
        };
        let correlated = |layer: usize, varying: usize| {
            let after = vec![vec![1.0; varying]; varying];
            UnitCorrelations { layer, varying, units: (0..varying).collect(), after, before: None }
        };
        let counts = [(1, 2), (2, 0), (3, 1)];
        let layers = counts.map(|(number, varying)| layer(number, varying));
        let correlations = counts.map(|(number, varying)| correlated(number, varying));
        let titles: Vec<String> = maps(&correlations, &layers, "").map(|map| map.title).collect();
        assert_eq!(titles, ["Correlation of the units of layer 1", "Correlation of the units of layer 3"]);
    }
}
