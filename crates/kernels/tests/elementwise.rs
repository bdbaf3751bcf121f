//! Activations and their derivatives against their definitions in f64.

mod common;

use common::{ROUNDING, Random, UNTOUCHED, assert_close, assert_same_bits, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::elementwise::{Activation, RowMask, Units, activate, differentiate, exponential};
use thinnet_kernels::philox::{Counter, Key, threshold, words};
use thinnet_kernels::{Isa, LINE};

use Activation::*;

const ALL: [Activation; 9] = [Relu, LeakyRelu, Logistic, Tanh, Selu, Gelu, Silu, Mish, Identity];

/// Where each branch and each bound of the kernels lies, and far beyond.
const EDGES: [f32; 24] = [
    0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 0.624, 0.626, -0.624, -0.626, 14.9, 15.1, 20.0, -20.0, 43.0,
    -43.0, 86.9, -86.9, 88.1, -88.1, 90.0, -90.0, 1e4, -1e4,
];

/// The definitions, from the papers that [`Activation`] names.
fn value(activation: Activation, z: f64) -> f64 {
    match activation {
        Relu => z.max(0.0),
        LeakyRelu => {
            if z > 0.0 {
                z
            } else {
                0.01 * z
            }
        }
        Logistic => 1.0 / (1.0 + (-z).exp()),
        Tanh => z.tanh(),
        Selu => 1.050_700_987_355_480_5 * if z > 0.0 { z } else { 1.673_263_242_354_377_2 * z.exp_m1() },
        Gelu => z * normal(z),
        Silu => z / (1.0 + (-z).exp()),
        Mish => z * z.exp().ln_1p().tanh(),
        Identity => z,
    }
}

/// Φ by Marsaglia's series (2004): 1/2 + φ(z) (z + z³/3 + z⁵/15 + z⁷/105 + …).
fn normal(z: f64) -> f64 {
    if z.abs() > 9.0 {
        return if z > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    0.5 + sum * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// Central differences, and from the left at 0, where some of them have a corner.
fn slope(activation: Activation, z: f64) -> f64 {
    const H: f64 = 1e-4;
    let f = |z| value(activation, z);
    if z.abs() < H {
        return (3.0 * f(z) - 4.0 * f(z - H) + f(z - 2.0 * H)) / (2.0 * H);
    }
    (f(z + H) - f(z - H)) / (2.0 * H)
}

/// How far a value may be off: a few roundings of itself and of what it is the difference of.
fn value_tolerance(activation: Activation, z: f64) -> f64 {
    let inner = match activation {
        Tanh => z.abs().min(1.0),
        Selu => 1.76,
        // The error function's own error is 1.5e-7.
        Gelu => z.abs(),
        _ => 0.0,
    };
    16.0 * ROUNDING * (value(activation, z).abs() + inner) + 1e-33
}

/// The same for a slope. 1 - f(z) is off by a rounding of 1, and z multiplies it until it is 0.
fn slope_tolerance(activation: Activation, z: f64) -> f64 {
    let inner = match activation {
        Relu | LeakyRelu | Identity => 0.0,
        Logistic | Tanh | Selu => 1.76,
        Gelu | Silu | Mish => 1.0 + z.abs().min(20.0),
    };
    // The differences themselves are off by up to 2e-8.
    16.0 * ROUNDING * (1.0 + inner) + 2e-8
}

#[derive(Clone, Debug)]
struct Shape {
    units: usize,
    rows: usize,
    activation: Activation,
    rate: Option<f32>,
    scale: f32,
    tail: usize,
    seed: u64,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let rate = prop::option::of(prop_oneof![Just(0.0f32), 0.0f32..1.0]);
    let tail = prop_oneof![Just(0usize), 1..40usize];
    (0..10usize, 0..5usize, prop::sample::select(&ALL[..]), rate, 0.5f32..4.0, tail, any::<u64>()).prop_map(
        |(units, blocks, activation, rate, scale, tail, seed)| Shape {
            units,
            rows: blocks * LINE,
            activation,
            rate,
            scale,
            tail,
            seed,
        },
    )
}

struct Case {
    units: Vec<u32>,
    biases: Vec<f32>,
    /// The units' part of a buffer; behind it is what must not be touched.
    length: usize,
    numbers: Vec<f32>,
    gradients: Vec<f32>,
    mask: Option<RowMask>,
}

impl Case {
    fn new(shape: &Shape) -> Self {
        let mut random = Random(shape.seed);
        let mask = shape.rate.map(|rate| RowMask {
            key: Key { seed: random.word() as u32, stream: random.word() as u32 },
            step: random.word(),
            first_row: random.word() as u32,
            threshold: threshold(rate),
        });
        let all_units = shape.units + 5;
        let units = match mask {
            Some(_) => (0..shape.units as u32).collect(),
            None => random.list(shape.units, all_units),
        };
        let biases = random.values(all_units);
        let length = shape.units * shape.rows;
        let mut numbers: Vec<f32> =
            (0..length)
                .map(|_| {
                    if random.below(4) == 0 { EDGES[random.below(EDGES.len())] } else { 5.0 * random.value() }
                })
                .collect();
        numbers.extend(vec![UNTOUCHED; shape.tail]);
        let mut gradients = random.values(length);
        gradients.extend(vec![UNTOUCHED; shape.tail]);
        Self { units, biases, length, numbers, gradients, mask }
    }

    fn layer(&self, shape: &Shape) -> Units<'_> {
        let Shape { rows, scale, activation, .. } = *shape;
        Units { units: &self.units, rows, mask: self.mask, scale, activation }
    }

    /// What kept units are multiplied by; 0 where the unit is dropped in the row.
    fn factor(&self, shape: &Shape, at: usize) -> f64 {
        let (unit, row) = (at / shape.rows, (at % shape.rows) as u32);
        let kept = self.mask.is_none_or(|mask| {
            let row = mask.first_row.wrapping_add(row);
            words(mask.key, Counter { block: unit as u32 / 4, row, step: mask.step })[unit % 4]
                >= mask.threshold
        });
        if kept { f64::from(shape.scale) } else { 0.0 }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn activate_is_the_scaled_and_masked_activation(shape in shapes(), keeps_pre in any::<bool>()) {
        let case = Case::new(&shape);
        let mut z = case.numbers.clone();
        for (at, z) in z[..case.length].iter_mut().enumerate() {
            *z += case.biases[case.units[at / shape.rows] as usize];
        }
        let run = |isa: Isa| {
            let mut values = case.numbers.clone();
            let mut pre = if keeps_pre { vec![UNTOUCHED; values.len()] } else { vec![] };
            activate(isa, case.layer(&shape), &case.biases, &mut values, &mut pre);
            (values, pre)
        };
        let (twin, _) = run(Isa::SCALAR);
        let expected: Vec<_> = (0..case.length)
            .map(|at| {
                let (factor, z) = (case.factor(&shape, at), f64::from(z[at]));
                (factor * value(shape.activation, z), factor * value_tolerance(shape.activation, z))
            })
            .collect();
        for isa in every_isa() {
            let (values, pre) = run(isa);
            assert_same_bits(&pre, if keeps_pre { &z } else { &[] }, format!("{isa}, pre-activations"));
            assert_same_bits(&values[case.length..], &vec![UNTOUCHED; shape.tail], isa);
            for (at, &(expected, tolerance)) in expected.iter().enumerate() {
                let what = || format!("{isa}, {:?} of {}", shape.activation, z[at]);
                assert_close(values[at], expected, tolerance, what());
                assert_close(values[at], f64::from(twin[at]), tolerance, what());
            }
        }
    }

    #[test]
    fn differentiate_is_the_slope(shape in shapes()) {
        let mut case = Case::new(&shape);
        // Nearer to a corner than this the differences are no judge, but at it they are.
        for z in case.numbers.iter_mut().filter(|z| z.abs() < 1e-3) {
            *z = 0.0f32.copysign(*z);
        }
        let run = |isa: Isa| {
            let mut gradients = case.gradients.clone();
            differentiate(isa, case.layer(&shape), &case.numbers, &mut gradients);
            gradients
        };
        let twin = run(Isa::SCALAR);
        let expected: Vec<_> = (0..case.length)
            .map(|at| {
                let factor = case.factor(&shape, at) * f64::from(case.gradients[at]);
                let z = f64::from(case.numbers[at]);
                (factor * slope(shape.activation, z), factor.abs() * slope_tolerance(shape.activation, z))
            })
            .collect();
        for isa in every_isa() {
            let gradients = run(isa);
            assert_same_bits(&gradients[case.length..], &vec![UNTOUCHED; shape.tail], isa);
            for (at, &(expected, tolerance)) in expected.iter().enumerate() {
                let what = || format!("{isa}, slope of {:?} at {}", shape.activation, case.numbers[at]);
                assert_close(gradients[at], expected, tolerance, what());
                assert_close(gradients[at], f64::from(twin[at]), tolerance, what());
            }
        }
    }

    #[test]
    fn exponential_is_within_2_units_in_the_last_place(count in 0..100usize, seed in any::<u64>()) {
        let mut random = Random(seed);
        let numbers: Vec<f32> = (0..count).map(|_| 43.0 * random.value()).collect();
        for isa in every_isa() {
            let mut values = numbers.clone();
            exponential(isa, &mut values);
            for (&z, &value) in numbers.iter().zip(&values) {
                let expected = f64::from(z).exp();
                assert_close(value, expected, 4.0 * ROUNDING * expected, format!("{isa}, exp {z}"));
            }
        }
    }
}

/// f(z) and f'(z) of one z, by every lane.
fn at(isa: Isa, activation: Activation, z: f32, gradient: f32) -> [f32; 2] {
    let layer = Units { units: &[0], rows: LINE, mask: None, scale: 1.0, activation };
    let (mut values, mut gradients) = ([z; LINE], [gradient; LINE]);
    activate(isa, layer, &[0.0], &mut values, &mut []);
    differentiate(isa, layer, &[z; LINE], &mut gradients);
    for lines in [values, gradients] {
        assert_same_bits(&lines, &[lines[0]; LINE], format!("{isa}, {activation:?} of {z}"));
    }
    [values[0], gradients[0]]
}

#[test]
fn every_activation_holds_at_every_edge() {
    for (isa, activation) in every_isa().into_iter().flat_map(|isa| ALL.map(|activation| (isa, activation))) {
        for z in EDGES {
            let ([value_, slope_], z_) = (at(isa, activation, z, 1.0), f64::from(z));
            let what = format!("{isa}, {activation:?} at {z}");
            assert_close(value_, value(activation, z_), value_tolerance(activation, z_), &what);
            // The difference formula straddles the corner here.
            if z.abs() >= 1e-3 || z == 0.0 {
                assert_close(slope_, slope(activation, z_), slope_tolerance(activation, z_), &what);
            }
        }
    }
}

#[test]
fn nan_comes_through_every_activation() {
    for (isa, activation) in every_isa().into_iter().flat_map(|isa| ALL.map(|activation| (isa, activation))) {
        for nan in [f32::NAN, -f32::NAN] {
            let [value, slope] = at(isa, activation, nan, 1.0);
            assert!(value.is_nan(), "{isa}, {activation:?} of NaN is {value}");
            // Those with straight sides choose one by comparing; a NaN has been seen in the value.
            let straight = matches!(activation, Relu | LeakyRelu | Identity);
            assert!(straight || slope.is_nan(), "{isa}, slope of {activation:?} at NaN is {slope}");
            let [_, slope] = at(isa, activation, 1.0, nan);
            assert!(slope.is_nan(), "{isa}, a gradient of NaN through {activation:?} is {slope}");
        }
    }
}

#[test]
fn exponential_is_bounded_and_nan_comes_through() {
    for isa in every_isa() {
        // A length that is no multiple of the lanes: the rest has a path of its own.
        for (z, expected) in
            [(-1e4f32, (-87f64).exp()), (-87.0, (-87f64).exp()), (1e4, 88f64.exp()), (-0.0, 1.0)]
        {
            let mut values = [z; 2 * LINE + 3];
            exponential(isa, &mut values);
            for value in values {
                assert_close(value, expected, 4.0 * ROUNDING * expected, format!("{isa}, exp {z}"));
            }
        }
        let mut values = [f32::NAN; 2 * LINE + 3];
        exponential(isa, &mut values);
        assert!(values.iter().all(|value| value.is_nan()), "{isa}: {values:?}");
    }
}

/// For ReLU the activations may stand in for the pre-activations, and then no mask is needed.
#[test]
fn relu_is_differentiated_from_its_masked_output() {
    let units: Vec<u32> = (0..11).collect();
    let mask = RowMask { key: Key { seed: 1, stream: 2 }, step: 3, first_row: 4, threshold: threshold(0.5) };
    let masked = Units { units: &units, rows: 3 * LINE, mask: Some(mask), scale: 2.0, activation: Relu };
    let mut random = Random(5);
    let (biases, numbers, gradients) =
        (random.values(11), random.values(33 * LINE), random.values(33 * LINE));
    for isa in every_isa() {
        let [mut values, mut pre] = [numbers.clone(), numbers.clone()];
        let [mut from_pre, mut from_output] = [gradients.clone(), gradients.clone()];
        activate(isa, masked, &biases, &mut values, &mut pre);
        differentiate(isa, masked, &pre, &mut from_pre);
        differentiate(isa, Units { mask: None, ..masked }, &values, &mut from_output);
        assert_same_bits(&from_output, &from_pre, isa);
    }
}
