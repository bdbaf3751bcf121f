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
    /// From tick to tick, where the ends are ticks.
    step: Option<f64>,
}

/// How far the values of an axis go; 0 to 1 if there is none that has a place.
fn range(axis: &Axis, values: impl Iterator<Item = f64>) -> (f64, f64) {
    let has_place = |value: &f64| value.is_finite() && (!axis.logarithmic || *value >= f64::MIN_POSITIVE);
    let all = values.chain(axis.reach.iter().copied()).filter(has_place);
    let (low, high) =
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    // What f64 can hardly tell apart is one value.
    let same = high - low <= 1e-12 * low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
    match (low <= high && (high - low).is_finite(), axis.logarithmic) {
        (false, true) => (0.1, 1.0),
        (false, false) => (0.0, 1.0),
        (true, true) if same => (0.5 * low, 2.0 * high),
        (true, false) if same => (low - 0.1 * low.abs().max(1.0), high + 0.1 * high.abs().max(1.0)),
        (true, _) => (low, high),
    }
}

impl Scale {
    /// An axis whose ends are the lowest and the highest value.
    pub fn tight(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(axis, values);
        let Axis { logarithmic, percent, .. } = *axis;
        Self { low, high, from: 0.0, to: 1.0, logarithmic, percent, step: None }
    }

    /// An axis that goes on to the next of about so many round values at both ends.
    pub fn rounded(axis: &Axis, values: impl Iterator<Item = f64>, about: usize) -> Self {
        let mut scale = Self::tight(axis, values);
        if scale.logarithmic {
            let room = libm::exp(0.04 * scale.length());
            (scale.low, scale.high) =
                ((scale.low / room).max(f64::MIN_POSITIVE), (scale.high * room).min(f64::MAX));
        } else {
            let step = step(scale.low, scale.high, about);
            scale.low = (scale.low / step).floor() * step;
            scale.high = (scale.high / step).ceil() * step;
            scale.step = Some(step);
        }
        scale
    }

    /// The same axis between two places.
    pub fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// From end to end: a difference of values, or of their logarithms.
    fn length(&self) -> f64 {
        if self.logarithmic { libm::log(self.high) - libm::log(self.low) } else { self.high - self.low }
    }

    /// The place of a value, if it has one.
    pub fn place(&self, value: f64) -> Option<f64> {
        let share = match self.logarithmic {
            true => (libm::log(value) - libm::log(self.low)) / self.length(),
            false => (value - self.low) / self.length(),
        };
        share.is_finite().then_some(self.from + share * (self.to - self.from))
    }

    /// About so many round values.
    pub fn ticks(&self, about: usize) -> Vec<Tick> {
        let decades = self.length() / std::f64::consts::LN_10;
        if self.logarithmic && decades > 1.0 {
            let few = 2.0 * decades < about as f64;
            return self.decades(if few { &[1.0, 2.0, 5.0] } else { &[1.0] }, about);
        }
        let step = self.step.unwrap_or_else(|| step(self.low, self.high, about));
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

/// 1, 2 or 5 times a power of ten, so that about so many steps go from low to high; rather a few more
/// than far fewer.
fn step(low: f64, high: f64, about: usize) -> f64 {
    let rough = (high - low) / about.max(1) as f64;
    let power = power_of_ten(libm::log10(rough).floor() as i32);
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|multiple| rough <= 1.15 * multiple * power);
    multiple.unwrap_or(10.0) * power
}

/// A round value with as many decimals as its step needs.
fn label(value: f64, step: f64, percent: bool) -> String {
    let (value, step, unit) = if percent { (100.0 * value, 100.0 * step, " %") } else { (value, step, "") };
    let value = if value.abs() < 1e-9 * step { 0.0 } else { value };
    let exponent = |value: f64| libm::log10(value * 1.0001).floor();
    let text = if value == 0.0 && step < 1e-4 {
        "0".into()
    } else if value != 0.0 && !(1e-4..1e7).contains(&value.abs()) {
        let decimals = (exponent(value.abs()) - exponent(step)).max(0.0) as usize;
        format!("{value:.decimals$e}")
    } else {
        let decimals = (-exponent(step)).max(0.0) as usize;
        match (decimals, value.abs() >= 10_000.0) {
            (0, true) => {
                format!("{}{}", if value < 0.0 { "-" } else { "" }, count(value.abs().round() as u64))
            }
            _ => format!("{value:.decimals$}"),
        }
    };
    // A true minus sign is as wide as a digit.
    text.replacen('-', "\u{2212}", usize::from(text.starts_with('-'))) + unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64], about: usize) -> Vec<String> {
        let scale = Scale::rounded(axis, values.iter().copied(), about);
        scale.ticks(about).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_written_short() {
        let linear = Axis::new("");
        assert_eq!(labels(&linear, &[0.03, 0.97], 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            labels(&linear, &[-130.0, 240.0], 4),
            ["\u{2212}200", "\u{2212}100", "0", "100", "200", "300"]
        );
        assert_eq!(
            labels(&linear, &[0.0, 42_000.0], 5),
            ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]
        );
        assert_eq!(labels(&linear, &[0.0, 3e-6], 3), ["0", "1e-6", "2e-6", "3e-6"]);
        assert_eq!(labels(&linear, &[1.21e9, 1.24e9], 3), ["1.21e9", "1.22e9", "1.23e9", "1.24e9"]);
        assert_eq!(
            labels(&Axis::percent(""), &[0.001, 0.021], 4),
            ["0.0 %", "0.5 %", "1.0 %", "1.5 %", "2.0 %", "2.5 %"]
        );
        let logarithmic = Axis { logarithmic: true, ..Axis::new("") };
        assert_eq!(labels(&logarithmic, &[0.02, 0.9], 5), ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(labels(&logarithmic, &[0.001, 90.0], 5), ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(&logarithmic, &[0.2, 0.35], 3), ["0.20", "0.25", "0.30", "0.35"]);
    }

    /// Whatever the values: some ticks, inside, ascending, and no two written alike.
    #[test]
    fn every_range_has_ticks_that_can_be_told_apart() {
        let ends = [
            -1e300,
            -5e9,
            -123.456,
            -1.0,
            -1e-9,
            0.0,
            1e-300,
            3e-5,
            0.1,
            0.7,
            1.0,
            99.5,
            1e7 + 1.0,
            1e12,
            1e300,
        ];
        for (low, high) in ends.iter().flat_map(|&low| ends.map(|high| (low, high))).filter(|(a, b)| a <= b) {
            for (logarithmic, percent) in [(false, false), (false, true), (true, false)] {
                let axis = Axis { logarithmic, percent, ..Axis::new("") };
                for about in 2..8 {
                    for scale in [
                        Scale::tight(&axis, [low, high].into_iter()),
                        Scale::rounded(&axis, [low, high].into_iter(), about),
                    ] {
                        let ticks = scale.ticks(about);
                        let told = format!("{low} to {high}, {axis:?}, {about}: {ticks:?}");
                        assert!(!ticks.is_empty() && ticks.len() <= 3 * about + 2, "{told}");
                        assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value), "{told}");
                        assert!(ticks.windows(2).all(|pair| pair[0].label != pair[1].label), "{told}");
                        let inside = |tick: &Tick| {
                            scale.place(tick.value).is_some_and(|at| (-1e-6..1.0 + 1e-6).contains(&at))
                        };
                        assert!(ticks.iter().all(inside), "{told}");
                    }
                }
            }
        }
    }

    #[test]
    fn values_go_to_their_places() {
        let place = |axis: &Axis, value: f64| {
            Scale::tight(axis, [1.0, 100.0, f64::NAN, f64::INFINITY].into_iter())
                .between(300.0, 0.0)
                .place(value)
        };
        let (linear, logarithmic) = (Axis::new(""), Axis { logarithmic: true, ..Axis::new("") });
        assert_eq!(place(&linear, 1.0), Some(300.0));
        assert_eq!(place(&linear, 100.0), Some(0.0));
        assert!((place(&logarithmic, 10.0).unwrap() - 150.0).abs() < 1e-9);
        assert_eq!(
            (place(&logarithmic, 0.0), place(&logarithmic, -1.0), place(&linear, f64::NAN)),
            (None, None, None)
        );
        let reaching = Axis { reach: vec![0.0], ..linear };
        assert_eq!(Scale::tight(&reaching, [1.0, 2.0].into_iter()).place(0.0), Some(0.0));
        let nothing = Scale::tight(&reaching, std::iter::empty());
        assert!(nothing.place(0.0).is_some() && !nothing.ticks(3).is_empty());
    }
}
