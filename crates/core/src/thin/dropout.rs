//! The layer alone, for networks of your own: dropout on a plain matrix of f32.

use rayon::prelude::*;
use thinnet_kernels::elementwise::RowMask;
use thinnet_kernels::{Isa, mask};

use super::mask::Mask;
use super::{Sample, Share};
use crate::error::{Error, Result};

/// Dropout (Srivastava et al. 2014) on a row-major matrix `[rows, units]`, in place.
///
/// A kept value is divided by keep = 1 - rate, so that prediction needs nothing. No mask is
/// stored: it follows from seed, level, step, row and unit, and [`Dropout::backward`] draws it
/// again. docs/determinism.md says how.
///
/// ```
/// use thinnet::thin::{Dropout, Sample};
///
/// let dropout = Dropout::new(0.5, 7)?;
/// let mut units = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // two rows of three units
/// dropout.forward(Sample::Training { step: 0 }, 3, &mut units)?;
/// assert_eq!(units, [2.0, 0.0, 0.0, 0.0, 10.0, 0.0]);
///
/// let mut gradients = [1.0; 6];
/// dropout.backward(Sample::Training { step: 0 }, 3, &mut gradients)?;
/// assert_eq!(gradients, [2.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
/// # Ok::<(), thinnet::Error>(())
/// ```
///
/// The [`Sample`] says what the pass is for: [`Sample::Training`] has new masks in every step,
/// [`Sample::Whole`] is prediction and changes nothing, and [`Sample::MonteCarlo`] samples
/// thinned networks with masks that training never meets; the mean of their predictions is the
/// prediction, and their spread tells how sure it is.
///
/// Called from a rayon pool, large matrices are shared among its threads. The result does not
/// depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    isa: Isa,
    rate: f32,
    seed: u32,
    level: u16,
    share: Share,
    first_row: u32,
}

/// Values that are worth a thread of their own: some ten microseconds of work.
const WORTH_SHARING: usize = 1 << 15;

impl Dropout {
    /// Dropout with a mask for each row, at level 0.
    ///
    /// # Errors
    /// [`Error::Argument`] if the rate is not at least 0 and below 1; [`Error::Machine`] if the
    /// instruction set is forced to one that this machine lacks.
    pub fn new(rate: f32, seed: u32) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::argument("rate", format!("it is at least 0 and below 1, not {rate}")));
        }
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        Ok(Self { isa, rate, seed, level: 0, share: Share::Row, first_row: 0 })
    }

    /// The same for another level of units: 0 is the input, 1 the first hidden layer, and so on.
    /// The masks of different levels are independent, so every layer of a network needs its own.
    #[must_use]
    pub fn with_level(self, level: u16) -> Self {
        Self { level, ..self }
    }

    /// The same with another [`Share`]: a mask for each row, or with [`Share::Slice`] one mask
    /// for all rows of a call.
    #[must_use]
    pub fn with_share(self, share: Share) -> Self {
        Self { share, ..self }
    }

    /// The same for part of a mini-batch, whose first row has this number; 0 if nothing is said.
    /// With [`Share::Slice`] it is the number of the slice.
    #[must_use]
    pub fn with_first_row(self, first_row: u32) -> Self {
        Self { first_row, ..self }
    }

    /// The probability that a unit is dropped.
    pub fn rate(&self) -> f32 {
        self.rate
    }

    /// Drops units: `values`, `[rows, units]`, are set to 0 or divided by keep.
    ///
    /// # Errors
    /// [`Error::Argument`] if the values are not whole rows, or too many.
    pub fn forward(&self, sample: Sample, units: usize, values: &mut [f32]) -> Result<()> {
        self.apply(sample, units, values)
    }

    /// The gradient of the loss by what [`Dropout::forward`] was given, from that by what it
    /// made of it; both are `gradients`, `[rows, units]`. `sample` and the numbers of the rows
    /// must be those of the forward pass.
    ///
    /// # Errors
    /// As [`Dropout::forward`].
    pub fn backward(&self, sample: Sample, units: usize, gradients: &mut [f32]) -> Result<()> {
        // The output is the input times mask / keep, so its derivative is the same factor.
        self.apply(sample, units, gradients)
    }

    fn apply(&self, sample: Sample, units: usize, values: &mut [f32]) -> Result<()> {
        self.check(units, values.len())?;
        let Some(drawn) = Mask::new(self.rate, self.seed, self.level.into(), sample) else {
            return Ok(());
        };
        let keep = 1.0 - self.rate;
        let on = |row: usize, values: &mut [f32]| {
            let own_row = if self.share == Share::Row { row as u32 } else { 0 };
            let first_row = self.first_row + own_row;
            let mask = RowMask { key: drawn.key, step: drawn.step, first_row, threshold: drawn.threshold };
            match self.share {
                Share::Row => mask::each_row(self.isa, mask, units, 1.0 / keep, values),
                Share::Slice => mask::all_rows(self.isa, mask, units, 1.0 / keep, values),
            }
        };
        let rows = WORTH_SHARING.div_ceil(units.max(1));
        if values.len() >= 2 * WORTH_SHARING && rayon::current_thread_index().is_some() {
            let parts = values.par_chunks_mut(rows * units).enumerate();
            parts.for_each(|(part, values)| on(part * rows, values));
        } else {
            on(0, values);
        }
        Ok(())
    }

    /// Checks a shape against what can be counted in 32 bits.
    fn check(&self, units: usize, values: usize) -> Result<()> {
        if values == 0 {
            return Ok(());
        }
        if units == 0 || !values.is_multiple_of(units) {
            let problem = format!("{values} values are not whole rows of {units} units");
            return Err(Error::argument("values", problem));
        }
        let last_row = (values / units - 1).checked_add(self.first_row as usize);
        if last_row.is_none_or(|row| u32::try_from(row).is_err()) || u32::try_from(units / 4).is_err() {
            let problem = "the rows, and the blocks of four units, are counted in 32 bits; use fewer";
            return Err(Error::argument("values", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use thinnet_kernels::philox::{Counter, Key, threshold, words};

    use super::*;
    use crate::network::{Activation, Network, NetworkSpec};
    use crate::thin::{Buffers, Rates, Slice, ThinSpec, Thinning};
    use crate::train::Threads;

    const STEP: Sample = Sample::Training { step: 12 };
    const CARLO: Sample = Sample::MonteCarlo { number: 12 };

    fn dropout(rate: f32) -> Dropout {
        Dropout::new(rate, 42).unwrap().with_level(1)
    }

    fn factors(dropout: Dropout, sample: Sample, rows: usize, units: usize) -> Vec<f32> {
        let mut values = vec![1.0; rows * units];
        dropout.forward(sample, units, &mut values).unwrap();
        values
    }

    fn both() -> [Dropout; 2] {
        [Share::Row, Share::Slice].map(|share| dropout(0.25).with_share(share))
    }

    /// The key and counter of docs/determinism.md, word by word.
    #[test]
    fn the_masks_are_those_of_the_documented_words() {
        for (sample, stream) in [(STEP, 0x1000_0001), (CARLO, 0x2000_0001)] {
            let drawn = factors(dropout(0.25).with_first_row(64), sample, 5, 37);
            for (at, &factor) in drawn.iter().enumerate() {
                let (row, unit) = (64 + at as u32 / 37, at as u32 % 37);
                let counter = Counter { block: unit / 4, row, step: 12 };
                let word = words(Key { seed: 42, stream }, counter)[unit as usize % 4];
                let expected = if word >= threshold(0.25) { 1.0 / 0.75 } else { 0.0 };
                assert_eq!(factor, expected, "{sample:?}, row {row}, unit {unit}");
            }
        }
    }

    /// The words and masks that docs/determinism.md works through are real.
    #[test]
    fn the_worked_example_of_the_documentation_is_right() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/determinism.md");
        let text = std::fs::read_to_string(path).unwrap();
        let layer = Dropout::new(0.5, 1).unwrap().with_level(1);
        let drawn = factors(layer, Sample::Training { step: 0 }, 2, 8);
        for (row, factors) in drawn.chunks(8).enumerate() {
            let counter = |block| Counter { block, row: row as u32, step: 0 };
            let key = Key { seed: 1, stream: 0x1000_0001 };
            let words = [words(key, counter(0)), words(key, counter(1))].concat();
            let words: Vec<String> = words.iter().map(|word| format!("{word:08x}")).collect();
            let factors: Vec<String> = factors.iter().map(f32::to_string).collect();
            for line in [words.join(" "), factors.join(" ")] {
                assert!(text.contains(&line), "row {row}: {line} is not in the documentation");
            }
        }
    }

    /// A network that copies its inputs twice shows the masks of the engine.
    fn engine(share: Share, sample: Sample, number: u32, values: &[f32]) -> Vec<f32> {
        let units = 20;
        let spec =
            NetworkSpec { hidden: vec![units], activation: Activation::Identity, ..Default::default() };
        let mut network = Network::zeros(units, units, &spec).unwrap();
        let copy: Vec<f32> =
            (0..units * units).map(|at| if at / units == at % units { 1.0 } else { 0.0 }).collect();
        (0..2).for_each(|layer| network.set_layer(layer, &copy, &vec![0.0; units]).unwrap());
        let spec = ThinSpec { hidden: Rates::All(0.25), share, ..ThinSpec::default() };
        let thinning = Thinning::new(&spec, &network, 42).unwrap();
        let rows = values.len() / units;
        let mut slice = Slice::new(Isa::best(), &network, rows, number, Buffers::Predict);
        slice.thin(&thinning, sample, number * rows as u32);
        slice.load(&thinning, values.chunks_exact(units));
        slice.forward(&network, &thinning, 0..2);
        let mut outputs = vec![0.0; values.len()];
        slice.write_outputs(&mut outputs);
        outputs
    }

    #[test]
    fn the_masks_are_those_of_the_engine() {
        let values: Vec<f32> = (1..=20 * 7).map(|at| at as f32).collect();
        for (share, first_row) in [(Share::Row, 3 * 7), (Share::Slice, 3)] {
            for sample in [STEP, CARLO, Sample::Whole] {
                let mut own = values.clone();
                let dropout = dropout(0.25).with_share(share).with_first_row(first_row);
                dropout.forward(sample, 20, &mut own).unwrap();
                assert_eq!(own, engine(share, sample, 3, &values), "{share:?}, {sample:?}");
            }
        }
    }

    #[test]
    fn a_unit_is_dropped_at_its_rate() {
        for rate in [0.05, 0.2, 0.5, 0.9] {
            let count = 1000 * 1000;
            let drawn = factors(dropout(rate), STEP, 1000, 1000);
            let dropped = drawn.iter().filter(|&&factor| factor == 0.0).count() as f64;
            let rate = f64::from(rate);
            let standard_error = (rate * (1.0 - rate) / count as f64).sqrt();
            assert!((dropped / count as f64 - rate).abs() < 4.0 * standard_error, "{rate}: {dropped}");
        }
    }

    #[test]
    fn backward_is_the_derivative_of_forward() {
        for dropout in both() {
            for sample in [STEP, CARLO, Sample::Whole] {
                let loss = |values: &[f32]| -> f64 {
                    let mut values = values.to_vec();
                    dropout.forward(sample, 9, &mut values).unwrap();
                    values.iter().map(|&value| f64::from(value).powi(3)).sum()
                };
                let mut values: Vec<f32> = (0..45).map(|at| (at as f32 * 0.7).sin() + 1.5).collect();
                let mut gradients = values.clone();
                dropout.forward(sample, 9, &mut gradients).unwrap();
                gradients.iter_mut().for_each(|value| *value = 3.0 * *value * *value);
                dropout.backward(sample, 9, &mut gradients).unwrap();
                for at in 0..45 {
                    let value = values[at];
                    let [above, below] = [value + 1.0 / 256.0, value - 1.0 / 256.0].map(|moved| {
                        values[at] = moved;
                        loss(&values)
                    });
                    values[at] = value;
                    let numeric = (above - below) * 128.0;
                    let exact = f64::from(gradients[at]);
                    assert!((numeric - exact).abs() < 1e-3 * (1.0 + exact), "{numeric}, not {exact}");
                }
            }
        }
    }

    #[test]
    fn samples_levels_steps_and_rows_have_masks_of_their_own() {
        let base = factors(dropout(0.5), STEP, 8, 64);
        let others = [
            factors(dropout(0.5), CARLO, 8, 64),
            factors(dropout(0.5), Sample::Training { step: 13 }, 8, 64),
            factors(dropout(0.5).with_level(2), STEP, 8, 64),
            factors(dropout(0.5).with_first_row(8), STEP, 8, 64),
            factors(Dropout::new(0.5, 43).unwrap().with_level(1), STEP, 8, 64),
        ];
        for (index, other) in others.iter().enumerate() {
            let same = base.iter().zip(other).filter(|(one, other)| one == other).count();
            // 256 of 512 on average, with a standard deviation of 11.3.
            assert!(same.abs_diff(256) < 4 * 12, "{index}: {same} of 512 are the same");
        }
        assert!(base.chunks(64).skip(1).all(|row| row != &base[..64]));
        let shared = factors(dropout(0.5).with_share(Share::Slice), STEP, 8, 64);
        assert!(shared.chunks(64).all(|row| row == &base[..64]));
    }

    #[test]
    fn rate_0_and_prediction_change_no_bit() {
        let values = [1.5, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY, 3.0e38, -7.0];
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for (rate, sample) in [(0.0, STEP), (0.0, CARLO), (0.7, Sample::Whole)] {
            let mut changed = values;
            dropout(rate).forward(sample, 3, &mut changed).unwrap();
            assert_eq!(bits(&changed), bits(&values));
        }
    }

    #[test]
    fn threads_change_nothing() {
        for dropout in both() {
            for (rows, units) in [(3000, 50), (2, 100_000), (100_000, 1)] {
                let alone = factors(dropout, STEP, rows, units);
                let together = Threads::new(3).unwrap().run(|| factors(dropout, STEP, rows, units));
                assert!(alone == together, "{dropout:?}, {rows} x {units}");
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let sentence = |result: Result<()>| result.unwrap_err().to_string();
        for rate in [-0.1, 1.0, f32::NAN] {
            assert!(sentence(Dropout::new(rate, 0).map(drop)).starts_with("rate: it is at least 0"));
        }
        let problem = sentence(dropout(0.5).forward(STEP, 4, &mut [0.0; 6]));
        assert_eq!(problem, "values: 6 values are not whole rows of 4 units");
        assert!(dropout(0.5).backward(STEP, 0, &mut [0.0; 6]).is_err());
        assert!(dropout(0.5).forward(STEP, 0, &mut []).is_ok());
        let last = dropout(0.5).with_first_row(u32::MAX);
        assert!(last.forward(STEP, 4, &mut [0.0; 4]).is_ok());
        assert!(sentence(last.forward(STEP, 4, &mut [0.0; 8])).contains("32 bits"));
    }
}
