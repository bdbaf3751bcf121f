//! Reads the file of a study, and checks what it says.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::expected::check_numbers;
use super::overlay::{lay_over, take};
use super::{Contrast, Expected, Head, Side, Study, Trial, Variant, Version};
use crate::error::{Error, Result};
use crate::spec::placed;

/// The fields of a file that are no part of a run.
const HEAD: [&str; 11] = [
    "title",
    "source",
    "minutes",
    "quick_minutes",
    "seeds",
    "only",
    "show",
    "judge",
    "side_by_side",
    "matches",
    "contrast",
];
/// The fields of a variant that are no part of its run.
const VARIANT: [&str; 3] = ["name", "seeds", "expected"];

/// The part of a variant that is no part of its run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantHead {
    name: String,
    #[serde(default)]
    seeds: Option<u32>,
    #[serde(default)]
    expected: Vec<Expected>,
}

impl Study {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, else as [`Study::parse`].
    pub fn read(path: &Path, version: Version) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self::parse_as(&stem.unwrap_or_default(), &path.display().to_string(), &text, version)
    }

    /// Reads the text of a file; `name` is that of the study.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column if it is not a study, and with the name of the variant if its
    /// spec cannot be used.
    pub fn parse(name: &str, text: &str, version: Version) -> Result<Self> {
        Self::parse_as(name, &format!("study {name}"), text, version)
    }

    fn parse_as(name: &str, place: &str, text: &str, version: Version) -> Result<Self> {
        let failed = |error: toml::de::Error| placed(place, text, &error);
        let root = DeTable::parse(text).map_err(failed)?;
        let span = root.span();
        let mut base = root.into_inner();
        let mut for_all = quick(place, &mut base, version)?;
        lay_over(&mut base, &take(&mut for_all, &HEAD));
        let variants = base.remove("variant").map(Spanned::into_inner);
        let head = deserializer(span, take(&mut base, &HEAD));
        let head = Head::deserialize(head).map_err(failed)?;
        let Some(DeValue::Array(array)) = variants else {
            return Err(Error::data(place, "it has no [[variant]], so there is nothing to run"));
        };
        let mut variants = Vec::new();
        for variant in array.iter() {
            let (span, DeValue::Table(fields)) = (variant.span(), variant.get_ref()) else {
                return Err(Error::data(place, "a variant is a table, [[variant]]"));
            };
            let mut fields = fields.clone();
            let own_quick = quick(place, &mut fields, version)?;
            let own = deserializer(span.clone(), take(&mut fields, &VARIANT));
            let VariantHead { name, seeds, expected } = VariantHead::deserialize(own).map_err(failed)?;
            let mut trial = base.clone();
            [&fields, &for_all, &own_quick].into_iter().for_each(|over| lay_over(&mut trial, over));
            let mut trial = Trial::deserialize(deserializer(span, trial)).map_err(failed)?;
            // The record of a run names its schedule, whether the study does or not.
            trial.spec.train.schedule = Some(trial.spec.train.schedule_for());
            variants.push(Variant { name, seeds, trial, expected });
        }
        let mut study = Self { name: name.into(), version, head, variants };
        study.check(place)?;
        if let Some(only) = &study.head.only {
            study.variants.retain(|variant| only.contains(&variant.name));
            let named = |side: &Side| only.contains(&side.variant);
            study.head.contrast.retain(|contrast| named(&contrast.of) && named(&contrast.against));
        }
        Ok(study)
    }

    fn check(&self, place: &str) -> Result<()> {
        let is_full = self.version == Version::Full;
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        let named = |name: &str| match self.variants.iter().find(|variant| variant.name == name) {
            Some(variant) => Ok(variant),
            None => Err(Error::data(
                place,
                format!("there is no variant {name:?}; there are {}", names.join(", ")),
            )),
        };
        for (at, variant) in self.variants.iter().enumerate() {
            let same = |other: &&Variant| other.file_stem() == variant.file_stem();
            match self.variants[..at].iter().find(same) {
                Some(other) if other.name == variant.name => {
                    return Err(Error::data(place, format!("two variants have the name {:?}", other.name)));
                }
                Some(Variant { name, .. }) => {
                    let problem =
                        format!("the files of {name:?} and {:?} would have the same name", variant.name);
                    return Err(Error::data(place, problem));
                }
                None => {}
            }
        }
        self.head.only.iter().flatten().try_for_each(|name| named(name).map(|_| ()))?;
        for Contrast { of, against, value, standard_error, .. } in &self.head.contrast {
            for Side { variant, of, less } in [of, against] {
                let variant = named(variant)?;
                let sides = of.iter().chain(less).filter(|_| is_full);
                sides.into_iter().try_for_each(|of| variant.check_measured(place, of))?;
            }
            check_numbers("contrast", *value, &[*standard_error]).map_err(|error| {
                let place = format!("{place}, {:?} against {:?}", of.variant, against.variant);
                Error::data(place, error.to_string())
            })?;
        }
        if self.head.seeds == 0 {
            return Err(Error::data(place, "seeds must be at least 1"));
        }
        for variant in &self.variants {
            let Variant { name, trial, expected, .. } = variant;
            let checked = trial.check().and_then(|()| expected.iter().try_for_each(Expected::check));
            checked.map_err(|error| Error::data(format!("{place}, variant {name:?}"), error.to_string()))?;
            // A quick version may measure less, and is judged by nothing.
            for Expected { measure, of, .. } in expected.iter().filter(|_| is_full) {
                of.iter().try_for_each(|of| variant.check_measured(place, of))?;
                if !self.head.show.contains(measure) {
                    let measure = json!(measure);
                    let problem = format!("variant {name:?} has a published {measure}; name it in show too");
                    return Err(Error::data(place, problem));
                }
            }
        }
        Ok(())
    }
}

impl Variant {
    /// Refuses the name of an average or layer that its runs do not measure.
    fn check_measured(&self, place: &str, of: &str) -> Result<()> {
        let measured = self.trial.measured();
        if measured.iter().any(|name| name == of) {
            return Ok(());
        }
        let problem = format!("variant {:?} has no {of:?}; it has {}", self.name, measured.join(", "));
        Err(Error::data(place, problem))
    }
}

fn deserializer(span: std::ops::Range<usize>, table: DeTable<'_>) -> Deserializer<'_> {
    Deserializer::from(Spanned::new(span, table))
}

/// Takes the field `quick` out: what it lays over the rest in the quick version, and nothing in the full one.
fn quick<'a>(place: &str, table: &mut DeTable<'a>, version: Version) -> Result<DeTable<'a>> {
    match (table.remove("quick").map(Spanned::into_inner), version) {
        (Some(DeValue::Table(quick)), Version::Quick) => Ok(quick),
        (None | Some(DeValue::Table(_)), _) => Ok(DeTable::new()),
        _ => Err(Error::data(place, "quick is a table, [quick]")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thin::Rates;

    const TEXT: &str = r#"title = "t"
source = "s"
minutes = 1
quick_minutes = 0.1
seeds = 3
show = ["error"]
data.path = "mnist"

[spec]
network.hidden = [100]
train = { epochs = 9, l2 = 0.5 }

[[variant]]
name = "one"
spec.thin.hidden = 0.1
expected = [{ measure = "error", value = 1.5, source = "table 1" }]

[[variant]]
name = "two, wide"
seeds = 2
data.rows = 50
spec.network.hidden = [200, 200]
spec.train.epochs = 4
quick.spec.network.hidden = [7]

[[contrast]]
measure = "error"
of.variant = "one"
against = { variant = "two, wide", of = "scale" }

[quick]
seeds = 1
data = { path = "digits", test_share = 0.5 }
spec.train.epochs = 2
"#;

    fn parse(text: &str, version: Version) -> Result<Study> {
        Study::parse("mine", text, version)
    }

    #[test]
    fn a_variant_says_only_what_is_its_own() {
        let study = parse(TEXT, Version::Full).unwrap();
        assert_eq!((study.head.seeds, study.head.show.len(), study.runs()), (3, 1, 5));
        let [one, two] = &study.variants[..] else { panic!("{study:?}") };
        assert_eq!(one.trial.spec.thin.hidden, Rates::All(0.1));
        assert_eq!((&one.trial.spec.network.hidden[..], one.trial.spec.train.epochs), (&[100][..], 9));
        assert_eq!((&two.trial.spec.network.hidden[..], two.trial.spec.train.epochs), (&[200, 200][..], 4));
        assert_eq!((one.trial.spec.train.l2, two.trial.spec.train.l2), (0.5, 0.5));
        assert_eq!((two.trial.data.rows, two.trial.data.path.as_str()), (50, "mnist"));
        assert_eq!(one.expected[0].value, 1.5);
        assert_eq!(study.head.contrast[0].against.of.as_deref(), Some("scale"));
    }

    #[test]
    fn the_quick_version_lies_over_all_variants() {
        let study = parse(TEXT, Version::Quick).unwrap();
        assert_eq!((study.head.seeds, study.runs()), (1, 2));
        let [one, two] = &study.variants[..] else { panic!("{study:?}") };
        assert_eq!((one.trial.spec.train.epochs, two.trial.spec.train.epochs), (2, 2));
        assert_eq!((two.trial.data.path.as_str(), two.trial.data.rows), ("digits", 50));
        assert_eq!(
            (&one.trial.spec.network.hidden[..], &two.trial.spec.network.hidden[..]),
            (&[100][..], &[7][..])
        );
        let only = TEXT.replace("seeds = 1\n", "seeds = 1\nonly = [\"one\"]\n");
        let study = parse(&only, Version::Quick).unwrap();
        assert_eq!((study.variants.len(), study.head.contrast.len()), (1, 0));
        assert_eq!(parse(&only, Version::Full).unwrap().variants.len(), 2);
    }

    #[track_caller]
    fn refused(from: &str, to: &str, sentence: &str) {
        assert!(TEXT.contains(from), "{from}");
        let text = TEXT.replace(from, to);
        let parsed = parse(&text, Version::Quick).and_then(|_| parse(&text, Version::Full));
        let error = parsed.unwrap_err().to_string();
        assert_eq!(error.split("expected one of").next().unwrap().trim_end_matches(", "), sentence);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        refused("epochs = 9", "epoch = 9", "study mine, line 11, column 11: unknown field `epoch`");
        refused(
            "spec.thin.hidden",
            "spec.thin.hiden",
            "study mine, line 15, column 11: unknown field `hiden`",
        );
        refused("source = \"table 1\"", "sauce = 1", "study mine, line 16, column 47: unknown field `sauce`");
        refused("seeds = 3", "seed = 3", "study mine, line 5, column 1: unknown field `seed`");
        refused(
            "spec.train.epochs = 2",
            "spec.train.epochs = \"two\"",
            "study mine, line 34, column 21: invalid type: string \"two\", expected a whole number from 0 on",
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        refused(
            "l2 = 0.5",
            "l2 = -1",
            "study mine, variant \"one\": spec, train.l2: must be 0 or more, not -1",
        );
        refused("\"two, wide\"\nseeds", "\"one\"\nseeds", "study mine: two variants have the name \"one\"");
        refused(
            "\"two, wide\"\nseeds",
            "\"One\"\nseeds",
            "study mine: the files of \"one\" and \"One\" would have the same name",
        );
        refused(
            "of.variant = \"one\"",
            "of.variant = \"three\"",
            "study mine: there is no variant \"three\"; there are one, two, wide",
        );
        refused("seeds = 1", "seeds = 0", "study mine: seeds must be at least 1");
        refused(
            "of = \"scale\" }",
            "of = \"scael\" }",
            "study mine: variant \"two, wide\" has no \"scael\"; it has scale",
        );
        refused(
            "of = \"scale\" }",
            "less = \"mc:7\" }",
            "study mine: variant \"two, wide\" has no \"mc:7\"; it has scale",
        );
        refused(
            "value = 1.5",
            "value = 1.5, of = \"layer 1\"",
            "study mine: variant \"one\" has no \"layer 1\"; it has scale",
        );
        refused(
            "\"error\", value",
            "\"nll\", value",
            "study mine: variant \"one\" has a published \"nll\"; name it in show too",
        );
        for (number, problem) in [
            ("value = nan", "spec, contrast.value: must be a finite number"),
            ("standard_error = -1", "spec, contrast: its standard error or deviation must be 0 or more"),
        ] {
            let sentence = format!("study mine, \"one\" against \"two, wide\": {problem}");
            refused("of.variant = \"one\"", &format!("of.variant = \"one\"\n{number}"), &sentence);
        }
        // What a quick version does not measure is left out of it.
        let text = TEXT.replacen("value = 1.5", "value = 1.5, of = \"layer 1\"", 1);
        assert!(parse(&text, Version::Full).is_err() && parse(&text, Version::Quick).is_ok());
        let words = TEXT.split("[quick]").next().unwrap().replace("seeds = 3", "seeds = 3\nquick = 1");
        let error = parse(&words, Version::Full).unwrap_err().to_string();
        assert_eq!(error, "study mine: quick is a table, [quick]");
    }
}
