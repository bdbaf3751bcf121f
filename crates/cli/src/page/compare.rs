//! The page of a comparison: what came of each method, how it learned, and a closer look at the network that
//! does nothing, at the best one, and at one with dropout.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use thinnet::Error;
use thinnet::average::Average;
use thinnet::compare::{Against, Compared, Measured, Method, Run, Summary};
use thinnet::data::Examples;
use thinnet::measure::{Classification, Effort, Estimate};
use thinnet::model::{Evaluation, Measures, Model, atomic_write};
use thinnet::report::{Axis, Bar, Bars, Cell, Item, Page, Section, Table};
use thinnet::train::Threads;

use super::{Shown, learning, trust, units};
use crate::{compare, text};

/// A comparison as a page shows it.
pub struct Comparison<'a> {
    /// What the page is about.
    pub title: String,
    /// How it was made: names, and what they are.
    pub facts: Vec<(&'static str, String)>,
    /// What came of it.
    pub compared: &'a Compared,
    /// The test part, as the first models see it.
    pub examples: &'a Examples,
    /// The seed of the first runs.
    pub seed: u32,
    /// How many networks an ensemble has.
    pub members: usize,
    /// The answer of `--json`.
    pub answer: Value,
}

/// The first model of a method, and what was measured of it.
struct Closer {
    method: Method,
    model: Model,
    measures: Measures,
    test: Evaluation,
}

impl Comparison<'_> {
    /// Measures what the page needs, and writes it.
    pub fn write(&self, path: &Path, threads: &Threads) -> anyhow::Result<()> {
        let html = self.page(threads)?.to_html();
        Ok(atomic_write(path, |file| file.write_all(html.as_bytes()))?)
    }

    fn page(&self, threads: &Threads) -> anyhow::Result<Page> {
        let methods = self.closer();
        let closer: Vec<Closer> =
            methods.into_iter().map(|method| self.look(method, threads)).collect::<anyhow::Result<_>>()?;
        let shown: Vec<Shown> = closer.iter().map(|closer| self.shown(closer)).collect();
        let mut data = json!({ "run": self.answer, "closer": {} });
        let mut sections = vec![self.made(), self.learned(), self.side_by_side()];
        sections.push(self.trust(&shown, threads, &mut data)?);
        if closer.iter().any(|of| !of.measures.coadaptation.is_empty()) {
            sections.push(without_units(&shown));
            for (closer, shown) in closer.iter().zip(&shown) {
                let (items, mut numbers) = units::inside(shown, threads)?;
                numbers["measures"] = json!(closer.measures);
                data["closer"][closer.method.name()] = numbers;
                let heading = format!("What the units do: {}", named(shown));
                sections.push(Section { heading, items, ..Section::default() });
            }
        }
        sections.push(self.again()?);
        let (title, lead) = (self.title.clone(), self.compared.sentence.clone());
        Ok(Page { title, lead, sections, data })
    }

    /// Nothing, the best, and dropout if neither has it.
    fn closer(&self) -> Vec<Method> {
        let wanted = [Method::Nothing, self.compared.best, Method::Dropout, Method::DropoutMaxNorm];
        let mut closer: Vec<Method> = Vec::new();
        for method in wanted {
            let thin = || closer.iter().any(|other| other.thins());
            let is_more = method.thins() && method != self.compared.best && thin();
            if self.compared.of(method).is_some() && !closer.contains(&method) && !is_more {
                closer.push(method);
            }
        }
        closer
    }

    fn look(&self, method: Method, threads: &Threads) -> anyhow::Result<Closer> {
        let model = self.compared.first_model(method)?;
        let measures = model.measures_on(0, self.examples, &Effort::default(), threads)?;
        let test = model.measure(self.examples, Average::WeightScaling, 0, threads)?;
        Ok(Closer { method, model, measures, test })
    }

    fn shown<'a>(&'a self, closer: &'a Closer) -> Shown<'a> {
        Shown {
            title: self.title.clone(),
            apart: format!(", {}", closer.method),
            facts: Vec::new(),
            model: &closer.model,
            member: 0,
            measures: &closer.measures,
            parts: vec![("test", &closer.test)],
            examples: self.examples,
            rows: "test rows".into(),
            effort: Effort::default(),
            command: String::new(),
            answer: Value::Null,
        }
    }

    /// What was run, what came of it, and which differences count.
    fn made(&self) -> Section {
        let facts = self.facts.iter().map(|(name, fact)| (name.to_string(), fact.clone())).collect();
        let on_test = self.measures("On the test rows", &compare::ON_THE_TEST_PART, false);
        let takes = match compare::has_ensemble(self.compared) {
            true => {
                "What it takes, and the settings found; the correlation of the ensemble is that of its first member"
            }
            false => "What it takes, and the settings found",
        };
        let takes = self.measures(takes, &compare::WHAT_IT_TAKES, true);
        let mut items = vec![Item::Facts(facts), on_test.into(), takes.into()];
        items.extend(self.tests().map(Item::from));
        let paragraphs = vec![compare::sampling(self.compared)];
        Section { heading: "What was run".into(), paragraphs, items }
    }

    /// A line for each method, a column for each of the measures that there are.
    fn measures(&self, caption: &str, names: &[&str], settings: bool) -> Table {
        let methods = &self.compared.methods;
        let there =
            |name: &&&str| methods.iter().any(|of| of.measures.iter().any(|(other, _)| other == *name));
        let names: Vec<&str> = names.iter().filter(there).copied().collect();
        let row = |summary: &Summary| {
            let cell = |&name: &&str| match summary.estimate(name) {
                Some(of) => Cell::number(of.mean, compare::shown(name, Some(of))),
                None => "-".into(),
            };
            let method = Cell::from(summary.method.name());
            let method = if settings { method.noted(summary.settings.clone()) } else { method };
            std::iter::once(method).chain(names.iter().map(cell)).collect()
        };
        let headers = std::iter::once("method").chain(names.iter().copied());
        Table {
            caption: caption.into(),
            headers: headers.map(str::to_string).collect(),
            rows: methods.iter().map(row).collect(),
            half: false,
        }
    }

    /// The paired tests, if there are any.
    fn tests(&self) -> Option<Table> {
        let columns = compare::tests(self.compared);
        let loss = self.compared.methods.first()?.loss_name();
        let cells = |against: Option<Against>| match against {
            Some(Against { difference, p_holm }) => {
                let estimate = text::estimate(difference.estimate(), false);
                [Cell::number(difference.mean, estimate), Cell::number(p_holm, format!("{p_holm:.4}"))]
            }
            None => ["-".into(), "-".into()],
        };
        let row = |summary: &Summary| {
            let tests = columns.iter().flat_map(|(_, of)| cells(of(summary)));
            std::iter::once(Cell::from(summary.method.name())).chain(tests).collect()
        };
        let headers = columns.iter().flat_map(|(name, _)| [format!("less {name}"), "p".into()]);
        (!columns.is_empty()).then(|| Table {
            caption: format!("Difference of the test {loss} over pairs of seeds; p by Student's t and Holm"),
            headers: std::iter::once("method".to_string()).chain(headers).collect(),
            rows: self.compared.methods.iter().map(row).collect(),
            half: false,
        })
    }

    /// The losses of the first run of each method.
    fn learned(&self) -> Section {
        let chart = |summary: &Summary| {
            let (_, of) = first(summary)?;
            let method = summary.method;
            // The members of an ensemble learn apart, and its history is that of the first.
            let member = match method {
                Method::Ensemble => format!(", member 1 of {}", self.members),
                _ => String::new(),
            };
            let title = format!(", {method}{member}, seed {}", self.seed);
            Some(learning::losses(&of.history, of.chosen_epoch, method.thins(), &title).draw().into())
        };
        Section {
            heading: "How each method learned".into(),
            paragraphs: vec![
                "The same rows, first weights and order of the rows for all. A gap that widens while the held-out loss \
                 rises is overfitting."
                    .into(),
            ],
            items: self.compared.methods.iter().filter_map(chart).collect(),
        }
    }

    /// Each measure of all methods as bars.
    fn side_by_side(&self) -> Section {
        let names = self.compared.methods.first().map_or(&[][..], |first| &first.measures[..]);
        let chart = |&(name, _): &(&'static str, Option<Estimate>)| {
            let bar = |summary: &Summary| {
                let value = summary.estimate(name)?;
                let text = compare::shown(name, Some(value));
                let chosen = summary.method == self.compared.best;
                Some(Bar { name: summary.method.to_string(), value, text, chosen })
            };
            let bars: Vec<Bar> = self.compared.methods.iter().filter_map(bar).collect();
            let axis = if compare::is_share(name) { Axis::percent(name) } else { Axis::new(name) };
            let description = format!(
                "{} Mean and standard error over the seeds; the validation rows favour {}.",
                compare::meaning(name, self.compared),
                self.compared.best
            );
            let title = format!("Methods by {name}");
            (!bars.is_empty()).then(|| Bars { title, description, axis, bars }.draw().into())
        };
        let items = names.iter().filter_map(chart).collect();
        Section { heading: "Side by side".into(), items, ..Section::default() }
    }

    /// Reliability curves of the networks that are looked at, and the predictions of the best.
    fn trust(&self, shown: &[Shown], threads: &Threads, data: &mut Value) -> anyhow::Result<Section> {
        let mut items = Vec::new();
        let curve = |method: Method| match &first(self.compared.of(method)?)?.1.test {
            Evaluation::Classification(of) => Some((method.name(), of)),
            Evaluation::Regression(_) => None,
        };
        let mut methods = self.closer();
        if !methods.contains(&Method::Ensemble) {
            methods.push(Method::Ensemble);
        }
        let curves: Vec<(&str, &Classification)> = methods.into_iter().filter_map(curve).collect();
        if !curves.is_empty() {
            items.push(trust::reliability(&curves, "test rows"));
        }
        let best = format!(", {}", self.compared.best);
        for shown in shown.iter().filter(|shown| shown.apart == best) {
            let predicted = shown.model.average(&self.examples.inputs, Average::WeightScaling, 0, threads)?;
            let (of_best, numbers) = trust::predictions(shown, &predicted)?;
            items.extend(of_best);
            text::merge(data, numbers);
        }
        let heading = "How far to trust the predictions".into();
        Ok(Section { heading, items, ..Section::default() })
    }

    /// The spec of the first run of each method.
    fn again(&self) -> anyhow::Result<Section> {
        let code = |summary: &Summary| {
            let path = self.compared.spec_path(summary.method, self.seed);
            let spec = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
            Ok(Item::Code(format!("{}, seed {}", summary.method, self.seed), spec))
        };
        Ok(Section {
            heading: "Run it again".into(),
            paragraphs: vec![
                "The same spec, data, version and instruction set give the same model, to the last bit. Save it as \
                 THIS-FILE."
                    .into(),
            ],
            items: self.compared.methods.iter().map(code).collect::<anyhow::Result<_>>()?,
        })
    }
}

/// The first run of a method, and what was measured of it.
fn first(summary: &Summary) -> Option<(&Run, &Measured)> {
    let run = summary.runs.first()?;
    Some((run, run.measured.as_ref()?))
}

/// The network whose units are looked at: "dropout", "ensemble, member 1 of 5".
fn named(shown: &Shown) -> String {
    shown.of_member().trim_start_matches(", ").to_string()
}

/// The error without a share of the units of a layer, the networks beside each other.
fn without_units(shown: &[Shown]) -> Section {
    let layers = shown.iter().map(|of| of.measures.coadaptation.len()).max().unwrap_or(0);
    let chart = |layer: usize| {
        let lines: Vec<_> =
            shown.iter().filter_map(|of| Some((named(of), of.measures.coadaptation.get(layer)?))).collect();
        Some(units::silenced(&format!("layer {}", layer + 1), &lines, shown.first()?).draw().into())
    };
    let items = (0..layers).filter_map(chart).collect();
    Section { heading: "Without some units".into(), items, ..Section::default() }
}
