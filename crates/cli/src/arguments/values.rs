//! The values of options.

use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::{Error as NotNamed, StrDeserializer};
use thinnet::data::ColumnType;
use thinnet::thin::MaskSpec;
use thinnet::train::{Balanced, ClassWeights};

/// Rows that are held out.
#[derive(Clone, Debug)]
pub enum Rows {
    /// A fraction of the rows.
    Fraction(f64),
    /// The rows of another file.
    File(PathBuf),
}

impl FromStr for Rows {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Rows::File(text.into()), Rows::Fraction))
    }
}

/// The widths of the hidden layers.
#[derive(Clone, Debug)]
pub struct Units(pub Vec<usize>);

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        list(text).ok_or("write numbers of units, for example 512,512, or none".into()).map(Self)
    }
}

/// One number, or several.
#[derive(Clone, Debug)]
pub struct Numbers(pub Vec<f32>);

impl FromStr for Numbers {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        list(text).ok_or("write one rate, or one for each hidden layer: 0.5,0.2").map(Self)
    }
}

/// Numbers between commas.
fn list<T: FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',').map(|part| part.trim().parse().ok()).collect()
}

/// A number of things.
pub fn whole<T: FromStr>(text: &str) -> std::result::Result<T, &'static str> {
    text.parse().map_err(|_| "write a whole number from 0 on")
}

/// One of the names that a spec has for it.
pub fn named<T: for<'de> Deserialize<'de>>(text: &str) -> std::result::Result<T, String> {
    T::deserialize(StrDeserializer::<NotNamed>::new(text)).map_err(|error| {
        let sentence = error.to_string();
        sentence.split_once(", ").map_or(sentence.clone(), |(_, expected)| expected.replace('`', ""))
    })
}

/// A column, and how it is read.
pub fn column_type(text: &str) -> std::result::Result<(String, ColumnType), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write COLUMN=number or COLUMN=text")?;
    Ok((column.into(), named(kind)?))
}

/// How many masks, and how far they lie apart.
pub fn masks(text: &str) -> std::result::Result<MaskSpec, String> {
    let numbers = text.split_once(':').and_then(|(members, scale)| {
        Some(MaskSpec { members: members.parse().ok()?, scale: scale.parse().ok()? })
    });
    numbers.ok_or("write MEMBERS:SCALE, for example 4:2".into())
}

/// What the rows of each class count.
pub fn class_weights(text: &str) -> std::result::Result<ClassWeights, String> {
    match text {
        "equal" => return Ok(ClassWeights::Equal),
        "balanced" => return Ok(ClassWeights::Named(Balanced::Balanced)),
        _ => {}
    }
    let weight = |part: &str| {
        let (class, weight) = part.rsplit_once('=')?;
        Some((class.to_string(), weight.parse().ok()?))
    };
    let weights = text.split(',').map(weight).collect::<Option<_>>();
    weights.map(ClassWeights::Each).ok_or("write equal, balanced, or CLASS=NUMBER,CLASS=NUMBER".into())
}

/// The standard deviation of noise.
pub fn deviation(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(deviation) if (0.0..=1000.0).contains(&deviation) => Ok(deviation),
        _ => Err("write a number from 0 to 1000".into()),
    }
}

/// So many can be started on any machine.
pub fn threads(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(threads) if threads <= 1024 => Ok(threads),
        _ => Err("write a number from 0 to 1024".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinnet::network::Activation;

    #[test]
    fn values_are_read_as_a_spec_has_them() {
        assert_eq!(named::<Activation>("leaky-relu"), Ok(Activation::LeakyRelu));
        assert!(named::<Activation>("reluu").unwrap_err().starts_with("expected one of relu, leaky-relu"));
        assert_eq!(column_type("a=b=text").unwrap(), ("a=b".to_string(), ColumnType::Text));
        let ClassWeights::Each(weights) = class_weights("yes=5,no=0.5").unwrap() else { panic!() };
        assert_eq!((weights["yes"], weights["no"]), (5.0, 0.5));
        assert!(class_weights("yes").is_err());
        assert_eq!(masks("4:2.5"), Ok(MaskSpec { members: 4, scale: 2.5 }));
        assert!(masks("4").is_err());
        assert!("none".parse::<Units>().unwrap().0.is_empty());
        assert!("512,".parse::<Units>().is_err());
        assert!(matches!("0.1".parse(), Ok(Rows::Fraction(0.1))));
        assert!(matches!("rows.csv".parse(), Ok(Rows::File(_))));
    }
}
