//! A network of your own, written by hand: 64 pixels, 256 hidden units with relu, 10 classes,
//! plain loops and plain SGD. From thinnet come the digits and the layer `Dropout`, nothing else.
//!
//!     cargo run --release -p thinnet --example own_network

use thinnet::thin::{Dropout, Sample};

const INPUTS: usize = 64;
const HIDDEN: usize = 256;
const CLASSES: usize = 10;
const BATCH: usize = 50;
const TRAINING_ROWS: usize = 1000;
const EPOCHS: usize = 60;
const SEEDS: u32 = 3;
const LEARNING_RATE: f32 = 0.1;

fn main() -> thinnet::Result<()> {
    let digits = thinnet::data::digits()?;
    let pixels: Vec<f32> = digits.pixels().iter().map(|&pixel| f32::from(pixel) / digits.white()).collect();
    let (pixels, test_pixels) = pixels.split_at(TRAINING_ROWS * INPUTS);
    let (labels, test_labels) = digits.labels().split_at(TRAINING_ROWS);
    println!("rate  training error  test error   (means of {SEEDS} seeds)");
    for rate in [0.0, 0.5] {
        let (mut training, mut test) = (0.0, 0.0);
        for seed in 0..SEEDS {
            let mut network = Network::new(seed, Dropout::new(rate, seed)?.with_level(1));
            let mut step = 0;
            for _ in 0..EPOCHS {
                for (pixels, labels) in pixels.chunks(BATCH * INPUTS).zip(labels.chunks(BATCH)) {
                    network.train(Sample::Training { step }, pixels, labels)?;
                    step += 1;
                }
            }
            training += network.error(pixels, labels)? / f64::from(SEEDS);
            test += network.error(test_pixels, test_labels)? / f64::from(SEEDS);
        }
        println!("{rate:4.1}  {:12.2} %  {:8.2} %", 100.0 * training, 100.0 * test);
    }
    Ok(())
}

/// Weights `[out, in]` and biases of two layers, with dropout between them.
struct Network {
    hidden: Layer,
    output: Layer,
    dropout: Dropout,
}

impl Network {
    fn new(seed: u32, dropout: Dropout) -> Self {
        let (hidden, output) = (Layer::new(INPUTS, HIDDEN, seed), Layer::new(HIDDEN, CLASSES, !seed));
        Self { hidden, output, dropout }
    }

    /// The hidden units after dropout, `[rows, HIDDEN]`, and the logits, `[rows, CLASSES]`.
    fn forward(&self, sample: Sample, pixels: &[f32]) -> thinnet::Result<(Vec<f32>, Vec<f32>)> {
        let mut units = self.hidden.forward(pixels);
        units.iter_mut().for_each(|unit| *unit = unit.max(0.0));
        self.dropout.forward(sample, HIDDEN, &mut units)?;
        let logits = self.output.forward(&units);
        Ok((units, logits))
    }

    /// One step of SGD on softmax and cross-entropy.
    fn train(&mut self, sample: Sample, pixels: &[f32], labels: &[u32]) -> thinnet::Result<()> {
        let (units, mut gradients) = self.forward(sample, pixels)?;
        for (logits, &label) in gradients.chunks_mut(CLASSES).zip(labels) {
            let most = logits.iter().copied().fold(f32::MIN, f32::max);
            logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
            let sum: f32 = logits.iter().sum();
            logits.iter_mut().for_each(|probability| *probability /= sum * labels.len() as f32);
            logits[label as usize] -= 1.0 / labels.len() as f32;
        }
        let mut below = self.output.backward(&units, &gradients);
        // The same sample draws the same mask again.
        self.dropout.backward(sample, HIDDEN, &mut below)?;
        for (gradient, unit) in below.iter_mut().zip(&units) {
            *gradient = if *unit > 0.0 { *gradient } else { 0.0 };
        }
        self.hidden.backward(pixels, &below);
        Ok(())
    }

    /// The share of rows whose largest logit is not that of their class, by the whole network.
    fn error(&self, pixels: &[f32], labels: &[u32]) -> thinnet::Result<f64> {
        let (_, logits) = self.forward(Sample::Whole, pixels)?;
        let is_wrong = |(logits, label): (&[f32], &u32)| {
            let largest = (0..CLASSES).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
            largest != Some(*label as usize)
        };
        let wrong = logits.chunks(CLASSES).zip(labels).filter(|&row| is_wrong(row)).count();
        Ok(wrong as f64 / labels.len() as f64)
    }
}

struct Layer {
    inputs: usize,
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Layer {
    /// Uniform weights within sqrt(6 / inputs), as He et al. 2015 have it for relu.
    fn new(inputs: usize, units: usize, mut state: u32) -> Self {
        let bound = (6.0 / inputs as f32).sqrt();
        let mut weight = || {
            // A congruential generator (Numerical Recipes) will do for weights.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 * bound - bound
        };
        let weights = (0..inputs * units).map(|_| weight()).collect();
        Self { inputs, weights, biases: vec![0.0; units] }
    }

    fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let unit = |(weights, bias): (&[f32], &f32), row: &[f32]| {
            bias + weights.iter().zip(row).map(|(weight, input)| weight * input).sum::<f32>()
        };
        let units = |row| self.weights.chunks(self.inputs).zip(&self.biases).map(move |at| unit(at, row));
        rows.chunks(self.inputs).flat_map(units).collect()
    }

    /// Moves the parameters, and returns the gradient by the inputs `rows`.
    fn backward(&mut self, rows: &[f32], gradients: &[f32]) -> Vec<f32> {
        let (inputs, units) = (self.inputs, self.biases.len());
        let mut below = vec![0.0; rows.len()];
        for (below, gradients) in below.chunks_mut(inputs).zip(gradients.chunks(units)) {
            for (weights, gradient) in self.weights.chunks(inputs).zip(gradients) {
                below.iter_mut().zip(weights).for_each(|(below, weight)| *below += gradient * weight);
            }
        }
        for (row, gradients) in rows.chunks(inputs).zip(gradients.chunks(units)) {
            for ((weights, bias), gradient) in
                self.weights.chunks_mut(inputs).zip(&mut self.biases).zip(gradients)
            {
                let step = LEARNING_RATE * gradient;
                weights.iter_mut().zip(row).for_each(|(weight, input)| *weight -= step * input);
                *bias -= step;
            }
        }
        below
    }
}
