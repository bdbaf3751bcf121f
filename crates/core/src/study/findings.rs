//! Ours beside theirs.

use serde::Serialize;

use super::expected::{FEWEST_RUNS, NORMAL_QUANTILE};
use super::record::{Found, Paired, Point, Record};
use super::{Contrast, Expected, Form, Good, Measure, Measured, Side, Study, Variant, Verdict, Version};
use crate::error::Result;
use crate::measure::{self, McNemar};

/// What a study found. The field names are those of `thinnet study --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Each average, or layer, of each variant.
    pub lines: Vec<Line>,
    /// What was compared with each other.
    pub contrasts: Vec<Compared>,
    /// Averages tested against the first one of the same networks.
    pub paired: Vec<PairedRuns>,
    /// The error of means of sampled networks.
    pub curves: Vec<Resampled>,
}

/// What is known of an average, or of a layer, of a variant.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The variant.
    pub variant: String,
    /// The average, or "layer 1".
    pub of: String,
    /// How many runs are finished.
    pub runs: usize,
    /// Each measure that the study shows.
    pub cells: Vec<Cell>,
    /// Mean seconds of a run, with all that was measured; on the first line of a variant.
    pub seconds: Option<f64>,
}

/// A measure.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Which one.
    pub measure: Measure,
    /// Ours, if there is a run that has it.
    pub ours: Option<Measured>,
    /// Theirs, if there is one.
    pub expected: Option<Judged>,
}

/// A published figure beside ours.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// The figure.
    #[serde(flatten)]
    pub figure: Expected,
    /// Half the width of its 95 % interval; 0 in a quick version.
    pub half_width: f64,
    /// How ours compares, if there is a run; a quick version is not judged.
    pub verdict: Option<Verdict>,
}

/// A contrast over the pairs of runs.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// What it is of.
    pub measure: Measure,
    /// What is compared, in words.
    pub name: String,
    /// The unit of the numbers.
    pub unit: &'static str,
    /// Over the pairs, if there is one.
    pub ours: Option<Measured>,
    /// The p-value of a difference by Student's t test of the pairs, if there are several.
    pub p: Option<f64>,
    /// The published number.
    pub expected: Option<f64>,
    /// Its standard error, where it is published.
    pub expected_standard_error: Option<f64>,
    /// Half the width of its 95 % interval; 0 where no error is published.
    pub expected_half_width: f64,
    /// How ours compares, if there are three pairs or more; a quick version is not judged.
    pub verdict: Option<Verdict>,
    /// What the papers say in words.
    pub says: Option<String>,
    /// The published number has not been compared with its source.
    pub unconfirmed: bool,
}

/// An average tested against the first one, in each run and in all of them.
#[derive(Clone, Debug, Serialize)]
pub struct PairedRuns {
    /// The variant.
    pub variant: String,
    /// The average.
    pub of: String,
    /// The first one.
    pub against: String,
    /// The test in each run.
    pub runs: Vec<McNemar>,
    /// The test of the sums over the runs, which takes a row of each run for a row of its own.
    pub all: McNemar,
}

/// The error of means of sampled networks, beside that of the first average.
#[derive(Clone, Debug, Serialize)]
pub struct Resampled {
    /// The variant.
    pub variant: String,
    /// The average that it is compared with.
    pub against: String,
    /// Its error, the mean over the runs, in percent.
    pub error: f64,
    /// The points, each the mean over the runs.
    pub points: Vec<Point>,
    /// In each run the smallest number of networks whose mean has at most that error; none if no point has.
    pub matching: Vec<Option<u32>>,
    /// The published number of them.
    pub matches: Option<u32>,
}

impl Study {
    /// Puts finished runs beside what is published.
    ///
    /// # Errors
    /// None that records of this study can cause.
    pub fn findings(&self, records: &[Record]) -> Result<Findings> {
        let of = |variant: &Variant| -> Vec<&Found> {
            records
                .iter()
                .filter(|record| record.variant == variant.name)
                .map(|record| &record.found)
                .collect()
        };
        let (mut lines, mut paired, mut curves) = (Vec::new(), Vec::new(), Vec::new());
        for variant in &self.variants {
            let found = of(variant);
            lines.extend(self.lines(variant, &found)?);
            paired.extend(tests(variant, &found));
            let curve = resampled(variant, &found);
            curves.extend(curve.map(|curve| Resampled { matches: self.head.matches, ..curve }));
        }
        let contrasts = self.head.contrast.iter().map(|contrast| self.compared(contrast, records));
        Ok(Findings { lines, contrasts: contrasts.collect::<Result<_>>()?, paired, curves })
    }

    /// A line for each average or layer that has a measure to show, or something published.
    fn lines(&self, variant: &Variant, found: &[&Found]) -> Result<Vec<Line>> {
        let mut places: Vec<String> = match found.first() {
            Some(found) => found.measures.iter().map(|found| found.of.clone()).collect(),
            None => variant.trial.averages.iter().map(ToString::to_string).collect(),
        };
        for place in variant.expected.iter().filter_map(|expected| expected.of.clone()) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut lines = Vec::new();
        for (at, of) in places.into_iter().enumerate() {
            let is_here = |expected: &&Expected| expected.of.as_ref().map_or(at == 0, |place| *place == of);
            let cell = |&measure: &Measure| -> Result<Cell> {
                // A mean of only those runs that have it would not be one of the runs.
                let values: Option<_> = found.iter().map(|found| found.value(Some(&of), measure)).collect();
                let ours = Measured::of(values.unwrap_or_default())?;
                let figure = variant.expected.iter().filter(is_here).find(|figure| figure.measure == measure);
                let rows = found.first().map_or(0, |found| found.test_rows);
                let expected = figure.map(|figure| self.judged(figure, ours.as_ref(), rows)).transpose()?;
                Ok(Cell { measure, ours, expected })
            };
            let cells = self.head.show.iter().map(cell).collect::<Result<Vec<Cell>>>()?;
            if at > 0 && cells.iter().all(|cell| cell.ours.is_none() && cell.expected.is_none()) {
                continue;
            }
            let seconds = found.iter().map(|found| found.seconds).sum::<f64>() / found.len() as f64;
            let seconds = (at == 0 && !found.is_empty()).then_some(seconds);
            lines.push(Line { variant: variant.name.clone(), of, runs: found.len(), cells, seconds });
        }
        Ok(lines)
    }

    fn judged(&self, figure: &Expected, ours: Option<&Measured>, test_rows: usize) -> Result<Judged> {
        let figure = figure.clone();
        if self.version == Version::Quick {
            // Its test rows are not those of the paper.
            return Ok(Judged { figure, half_width: 0.0, verdict: None });
        }
        let verdict = ours.map(|ours| figure.judge(self.head.judge, ours, test_rows)).transpose()?.flatten();
        Ok(Judged { half_width: figure.half_width(test_rows)?, figure, verdict })
    }

    /// A contrast beside what is published of it.
    fn compared(&self, contrast: &Contrast, records: &[Record]) -> Result<Compared> {
        let mut compared = paired_runs(contrast, records)?;
        let good = match (contrast.form, contrast.measure.good()) {
            (Form::Saving, Good::Low) => Good::High,
            (Form::Saving, Good::High) => Good::Low,
            (_, good) => good,
        };
        if let (Version::Full, Some(ours), Some(value)) = (self.version, &compared.ours, compared.expected)
            && ours.values.len() >= FEWEST_RUNS
        {
            let half_widths = ours.half_width.unwrap_or(0.0) + compared.expected_half_width;
            let room = self.head.judge.room(compared.expected_standard_error, half_widths);
            compared.verdict = Some(Verdict::of(good, ours.mean - value, room));
        }
        Ok(compared)
    }
}

/// A contrast over the runs with the same seed.
fn paired_runs(contrast: &Contrast, records: &[Record]) -> Result<Compared> {
    let Contrast { measure, of, against, form, value, standard_error, says, unconfirmed } = contrast;
    let value_of = |side: &Side, seed: u32| {
        let record = records.iter().find(|record| record.variant == side.variant && record.seed == seed);
        let found = &record?.found;
        let value = found.value(side.of.as_deref(), *measure)?;
        match &side.less {
            Some(less) => Some(value - found.value(Some(less), *measure)?),
            None => Some(value),
        }
    };
    let mut seeds: Vec<u32> = records.iter().map(|record| record.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let pairs = seeds.iter().filter_map(|&seed| Some((value_of(of, seed)?, value_of(against, seed)?)));
    let (these, those): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let computed = these.iter().zip(&those).map(|(this, that)| match form {
        Form::Difference => this - that,
        Form::Saving => 100.0 * (1.0 - this / that),
        Form::Ratio => this / that,
    });
    let ours = Measured::of(computed.collect())?;
    // Differences that are all the same by chance, as those of whole rows can be, have no p.
    let varies = ours.as_ref().and_then(|ours| ours.half_width).is_some_and(|half_width| half_width > 0.0);
    let p = match form {
        Form::Difference if varies => Some(measure::Paired::new(&these, &those)?.p),
        _ => None,
    };
    let name = |Side { variant, of, less }: &Side| match (of, less) {
        (Some(of), Some(less)) => format!("({variant} by {of} less {less})"),
        (None, Some(less)) => format!("({variant} less {less})"),
        (Some(of), None) => format!("{variant} by {of}"),
        (None, None) => variant.clone(),
    };
    let (verb, unit) = match form {
        Form::Difference => ("less", ""),
        Form::Saving => ("saves, of", " %"),
        Form::Ratio => ("over", " x"),
    };
    Ok(Compared {
        measure: *measure,
        name: format!("{} {verb} {}", name(of), name(against)),
        unit,
        ours,
        p,
        expected: *value,
        expected_standard_error: *standard_error,
        expected_half_width: NORMAL_QUANTILE * standard_error.unwrap_or(0.0),
        verdict: None,
        says: says.clone(),
        unconfirmed: *unconfirmed,
    })
}

/// The tests of the averages of a variant.
fn tests(variant: &Variant, found: &[&Found]) -> Vec<PairedRuns> {
    let first = found.first().map_or(&[][..], |found| &found.paired);
    let of = |Paired { of, against, .. }: &Paired| {
        let same =
            |found: &&Found| found.paired.iter().find(|paired| paired.of == *of).map(|paired| paired.test);
        let runs: Vec<McNemar> = found.iter().filter_map(same).collect();
        let sum = |count: fn(&McNemar) -> usize| runs.iter().map(count).sum();
        let all = McNemar::of_counts(sum(|test| test.only_first), sum(|test| test.only_second));
        PairedRuns { variant: variant.name.clone(), of: of.clone(), against: against.clone(), runs, all }
    };
    first.iter().map(of).collect()
}

/// The curve of a variant, the mean over its runs.
fn resampled(variant: &Variant, found: &[&Found]) -> Option<Resampled> {
    let runs = found.len() as f64;
    let length = found.iter().map(|found| found.curve.len()).min().filter(|&length| length > 0)?;
    let point = |at: usize| {
        let mean =
            |value: fn(&Point) -> f64| found.iter().map(|found| value(&found.curve[at])).sum::<f64>() / runs;
        Point {
            networks: found[0].curve[at].networks,
            error: mean(|point| point.error),
            deviation: mean(|point| point.deviation),
            low: mean(|point| point.low),
            high: mean(|point| point.high),
        }
    };
    let error_of = |found: &Found| found.value(None, Measure::Error).unwrap_or(f64::NAN);
    let matching = |found: &&Found| {
        let error = error_of(found);
        found.curve.iter().find(|point| point.error <= error).map(|point| point.networks)
    };
    Some(Resampled {
        variant: variant.name.clone(),
        against: found[0].measures[0].of.clone(),
        error: found.iter().map(|found| error_of(found)).sum::<f64>() / runs,
        points: (0..length).map(point).collect(),
        matching: found.iter().map(matching).collect(),
        matches: None,
    })
}
