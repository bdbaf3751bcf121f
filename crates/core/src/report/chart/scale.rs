//! From values to places along an axis, and the round numbers that stand there.

use crate::report::number::count;

/// What an axis shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What the values are.
    pub name: String,
    /// Whether equal ratios are equally long. Values of 0 and below have no place then.
    pub logarithmic: bool,
    /// Whether values are shares, to be written as percent.
    pub percent: bool,
    /// Values that the axis must reach, whether there are marks or not.
    pub reach: Vec<f64>,
}

impl Axis {
    /// A linear axis.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A linear axis of shares, written as percent.
    pub fn percent(name: impl Into<String>) -> Self {
        Self { percent: true, ..Self::new(name) }
    }
}

/// A round value on an axis, and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub label: String,
}

/// From values to places.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
    percent: bool,
}

/// How far the values of an axis go; 0 to 1 if there is none that has a place.
fn range(axis: &Axis, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let has_place = |value: &f64| value.is_finite() && (!axis.logarithmic || *value > 0.0);
    let all = values.chain(axis.reach.iter().copied()).filter(has_place);
    let (low, high) =
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match (low <= high && (high - low).is_finite(), axis.logarithmic) {
        (false, true) => (0.1, 1.0),
        (false, false) => (0.0, 1.0),
        (true, true) if low == high => (0.5 * low, 2.0 * high),
        (true, false) if low == high => (low - 0.1 * low.abs().max(1.0), high + 0.1 * high.abs().max(1.0)),
        (true, _) => (low, high),
    }
}

impl Scale {
    /// An axis whose ends are the lowest and the highest value.
    pub fn tight(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(axis, values);
        let Axis { logarithmic, percent, .. } = *axis;
        Self { low, high, from: 0.0, to: 1.0, logarithmic, percent }
    }

    /// An axis that goes on to the next of about so many round values at both ends.
    pub fn rounded(axis: &Axis, values: impl Iterator<Item = f64>, about: usize) -> Self {
        let mut scale = Self::tight(axis, values);
        if scale.logarithmic {
            let room = libm::pow(scale.high / scale.low, 0.04);
            (scale.low, scale.high) = (scale.low / room, scale.high * room);
        } else {
            let step = step(scale.low, scale.high, about);
            scale.low = (scale.low / step).floor() * step;
            scale.high = (scale.high / step).ceil() * step;
        }
        scale
    }

    /// The same axis between two places.
    pub fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// The place of a value, if it has one.
    pub fn place(&self, value: f64) -> Option<f64> {
        let share = match self.logarithmic {
            true => libm::log(value / self.low) / libm::log(self.high / self.low),
            false => (value - self.low) / (self.high - self.low),
        };
        share.is_finite().then_some(self.from + share * (self.to - self.from))
    }

    /// About so many round values.
    pub fn ticks(&self, about: usize) -> Vec<Tick> {
        let decades = libm::log10(self.high / self.low);
        if self.logarithmic && decades > 1.0 {
            return self.decades(if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] }, about);
        }
        let step = step(self.low, self.high, about);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let tick = |number: i64| Tick {
            value: number as f64 * step,
            label: label(number as f64 * step, step, self.percent),
        };
        (first..=last).map(tick).collect()
    }

    /// Powers of ten and given multiples of them, every few of them if there are far too many.
    fn decades(&self, multiples: &[f64], about: usize) -> Vec<Tick> {
        let exponent = |value: f64| libm::log10(value).floor() as i32;
        let tick = |exponent: i32, multiple: f64| {
            let power = power_of_ten(exponent);
            Tick { value: multiple * power, label: label(multiple * power, power, self.percent) }
        };
        let (first, last) = (exponent(self.low), exponent(self.high));
        let every = ((last - first) as usize / about.max(1)).max(1);
        let all = (first..=last).step_by(every);
        let all = all.flat_map(|exponent| multiples.iter().map(move |&multiple| tick(exponent, multiple)));
        all.filter(|tick| (self.low..=self.high).contains(&tick.value)).collect()
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// 1, 2 or 5 times a power of ten, so that about so many steps go from low to high.
fn step(low: f64, high: f64, about: usize) -> f64 {
    let rough = (high - low) / about.max(1) as f64;
    let power = power_of_ten(libm::log10(rough).floor() as i32);
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|multiple| rough <= multiple * power * 1.0001);
    multiple.unwrap_or(10.0) * power
}

/// A round value with as many decimals as its step needs.
fn label(value: f64, step: f64, percent: bool) -> String {
    let (value, step, unit) = if percent { (100.0 * value, 100.0 * step, " %") } else { (value, step, "") };
    let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
    let text = if value != 0.0 && !(1e-4..1e7).contains(&value.abs()) {
        format!("{value:e}").parse::<f64>().map_or(String::new(), short_exponential)
    } else {
        let decimals = (-libm::log10(step * 1.0001).floor()).max(0.0) as usize;
        let text = format!("{value:.decimals$}");
        match text.parse::<i64>() {
            Ok(whole) if whole.abs() >= 10_000 => {
                let sign = if whole < 0 { "-" } else { "" };
                format!("{sign}{}", count(whole.unsigned_abs()))
            }
            _ => text,
        }
    };
    // A true minus sign is as wide as a digit.
    text.replacen('-', "\u{2212}", usize::from(text.starts_with('-'))) + unit
}

/// 2e-5, 1.5e8
fn short_exponential(value: f64) -> String {
    let text = format!("{value:.1e}");
    text.replace(".0e", "e")
}
