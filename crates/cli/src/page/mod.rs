//! The page of a model: what was run, how it learned, how far it can be trusted, what its columns are worth, and
//! what its units do.

mod columns;
pub mod compare;
mod learning;
mod trust;
mod units;

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use thinnet::average::Average;
use thinnet::data::Examples;
use thinnet::measure::Effort;
use thinnet::model::{Evaluation, Measures, Member, Model, atomic_write};
use thinnet::report::{Cell, Item, Page, Section, Table};
use thinnet::train::Threads;

use crate::{describe, judged, text};

/// What the rows of a page are called where nothing was held out.
pub const TRAINING_ROWS: &str = "training rows";

/// A model, and rows whose targets are known, as a page shows them.
pub struct Shown<'a> {
    /// What the page is about.
    pub title: String,
    /// What sets the model apart from others on the page: ", dropout"; else nothing.
    pub apart: String,
    /// How the model was made: names, and what they are.
    pub facts: Vec<(&'static str, String)>,
    /// The model.
    pub model: &'a Model,
    /// The index of the member whose curves and units are shown.
    pub member: usize,
    /// The measures of that member on the rows.
    pub measures: &'a Measures,
    /// How good the model is: names and evaluations; the page looks closer at the last one.
    pub parts: Vec<(&'static str, &'a Evaluation)>,
    /// The rows of the last evaluation.
    pub examples: &'a Examples,
    /// What these rows are called.
    pub rows: String,
    /// How much was done for the measures.
    pub effort: Effort,
    /// The command that runs the spec again.
    pub command: String,
    /// The answer of `--json`.
    pub answer: Value,
}

/// What a page is about: the target, and the data.
pub fn title(model: &Model, how: &str, data: &str) -> String {
    model.pipeline.target_name().map_or(data.to_string(), |target| format!("{target}, {how} {data}"))
}

/// How a model was made.
pub fn facts(model: &Model) -> Vec<(&'static str, String)> {
    let (spec, pipeline, run) = (&model.spec, &model.pipeline, model.run());
    let (train, valid) = (text::count(run.training_rows as u64), text::count(run.validation_rows as u64));
    let target = match pipeline.classes() {
        [] => "a number".into(),
        names => format!("{} classes: {}", names.len(), text::some_of(names, 12)),
    };
    let target = pipeline.target_name().map_or(target.clone(), |name| format!("{name}, {target}"));
    let network = describe::networks(spec, pipeline.input_units(), model.network().outputs());
    let parameters = text::counted(model.parameters(), "parameter", "parameters");
    let test = match spec.data.test {
        0.0 => String::new(),
        test => format!(", and a share of {test} of all set aside as the test part"),
    };
    vec![
        ("Rows", format!("{train} to train on, {valid} to validate{test}")),
        ("Target", target),
        ("Network", format!("{network}, {parameters}")),
        ("Dropout", describe::thinning(spec).unwrap_or("none".into())),
        ("Training", describe::training(spec, run.training_rows)),
        ("Also against overfitting", describe::penalties(spec).unwrap_or("nothing".into())),
        ("Seed", spec.seed.to_string()),
    ]
}

impl Shown<'_> {
    /// Measures what the page needs, and writes it.
    pub fn write(&self, path: &Path, threads: &Threads) -> anyhow::Result<()> {
        let html = self.page(threads)?.to_html();
        Ok(atomic_write(path, |file| file.write_all(html.as_bytes()))?)
    }

    fn page(&self, threads: &Threads) -> anyhow::Result<Page> {
        let Self { model, measures, examples, .. } = *self;
        let predicted = model.average(&examples.inputs, Average::WeightScaling, 0, threads)?;
        let (trust, trusted) = trust::section(self, &predicted)?;
        let (units, shown_units) = units::section(self, threads)?;
        let mut data = json!({
            "run": self.answer,
            "rows": self.rows,
            "history": self.member().run.history,
            "measures": measures,
            "spec": model.spec,
        });
        text::merge(&mut data, trusted);
        text::merge(&mut data, shown_units);
        let learning = learning::section(self, measures.overfitting.as_ref());
        let mut sections = vec![self.made(), learning, trust];
        if let Some((columns, importance)) = columns::section(self, threads)? {
            text::merge(&mut data, importance);
            sections.push(columns);
        }
        sections.extend([units, self.again()?]);
        Ok(Page { title: self.title.clone(), lead: self.lead(), sections, data })
    }

    /// The member whose curves and units are shown.
    fn member(&self) -> &Member {
        &self.model.members()[self.member]
    }

    /// What stands behind a title: ", member 1 of 8", where there are several.
    fn of_member(&self) -> String {
        match self.model.members().len() {
            1 => self.apart.clone(),
            members => format!("{}, member {} of {members}", self.apart, self.member + 1),
        }
    }

    /// How good the model is on the rows that the page looks closer at.
    fn closer(&self) -> Option<&Evaluation> {
        self.parts.last().map(|(_, evaluation)| *evaluation)
    }

    /// How good it is, in a sentence or two.
    fn lead(&self) -> String {
        let rows = &self.rows;
        let sentence = match self.closer() {
            Some(Evaluation::Classification(of)) => format!(
                "Of {} {rows}, {} are given the wrong class; the probabilities have a negative log-likelihood of \
                 {} nats a row.",
                text::count(of.rows as u64),
                text::percent(of.error),
                text::number(of.nll)
            ),
            Some(Evaluation::Regression(of)) => format!(
                "On {} {rows} the root mean squared error is {}, and {} of the target's variance is explained.",
                text::count(of.rows as u64),
                text::number(of.rmse),
                text::percent(of.r2)
            ),
            None => String::new(),
        };
        match rows.as_str() {
            TRAINING_ROWS => format!(
                "{sentence} No rows were held out: the network has learned from these, and will do worse on new ones."
            ),
            _ => sentence,
        }
    }

    /// How the model was made, and how good it is.
    fn made(&self) -> Section {
        let facts = self.facts.iter().map(|(name, fact)| (name.to_string(), fact.clone())).collect();
        Section {
            heading: "What was run".into(),
            items: vec![Item::Facts(facts), self.measures().into()],
            ..Section::default()
        }
    }

    /// A line for each measure, a column for each part of the data.
    fn measures(&self) -> Table {
        let parts: Vec<(Vec<_>, Value)> =
            self.parts.iter().map(|(_, of)| (judged::measures(of), json!(of))).collect();
        // With sampled networks there are more measures of a regression.
        let names = parts.iter().map(|(measures, _)| measures).max_by_key(|measures| measures.len());
        let row = |&(name, _, meaning): &(&'static str, String, &'static str)| {
            let cell = |(measures, values): &(Vec<(&str, String, &str)>, Value)| {
                let text = measures.iter().find(|(other, ..)| *other == name).map(|(_, text, _)| text);
                match (values[name].as_f64(), text) {
                    (Some(value), Some(text)) => Cell::number(value, text),
                    _ => "-".into(),
                }
            };
            std::iter::once(Cell::from(name).noted(meaning)).chain(parts.iter().map(cell)).collect()
        };
        let headers = std::iter::once("measure").chain(self.parts.iter().map(|(name, _)| *name));
        Table {
            caption: "How good it is".into(),
            headers: headers.map(str::to_string).collect(),
            rows: names.into_iter().flatten().map(row).collect(),
            ..Table::default()
        }
    }

    /// The spec, to be run again.
    fn again(&self) -> anyhow::Result<Section> {
        let spec = format!("# {}\n{}", self.command, self.model.spec.to_toml()?);
        Ok(Section {
            heading: "Run it again".into(),
            paragraphs: vec![
                "The same spec, data, version and instruction set give the same model, to the last bit. Save this as \
                 run.toml."
                    .into(),
            ],
            items: vec![Item::Code("The whole spec".into(), spec)],
        })
    }
}
