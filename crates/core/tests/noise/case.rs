//! A network with noise, and a slice of rows through it.

use super::*;

/// A network with noise, and a slice of rows.
pub(super) struct Case {
    pub(super) network: Network,
    pub(super) thin: ThinSpec,
    pub(super) inputs: Matrix,
    /// What the outputs of each row count in the loss, `[rows, outputs]`: the loss is their sum.
    pub(super) by_outputs: Vec<f32>,
    pub(super) seed: u32,
    pub(super) slice: u32,
    pub(super) step: u64,
}

/// The case with this number: the members of the family, the activations and the shares take turns.
pub(super) fn case(number: usize, widest: usize, random: &mut Random) -> Case {
    let drop = FAMILY[number % 5];
    let width = |random: &mut Random| 1 + random.below(widest);
    let depth = 1 + random.below(3);
    let spec = NetworkSpec {
        hidden: (0..depth).map(|_| width(random)).collect(),
        activation: naive::activation::ACTIVATIONS[number / 5 % 9],
        ..NetworkSpec::default()
    };
    // An exact count for rows is the only member of `units` that is noise to the engine.
    let share = if drop == Drop::Units { Share::Row } else { [Share::Row, Share::Slice][number / 45 % 2] };
    let count = if drop == Drop::Units { Count::Exact } else { Count::Random };
    let rate = |random: &mut Random| random.pick(&[0.0, 0.1, 0.25, 0.5]);
    let thin = ThinSpec {
        drop,
        share,
        count,
        input: if drop == Drop::Standout { 0.0 } else { rate(random) },
        hidden: Rates::Each((0..depth).map(|_| rate(random)).collect()),
        standout_slope: random.pick(&[1.0, -0.5, 2.0]),
        ..ThinSpec::default()
    };
    let (inputs, outputs) = (width(random), 1 + random.below(4));
    let mut network =
        thin.with_noise(Network::new(inputs, outputs, &spec, random.word() as u32).unwrap()).unwrap();
    for layer in 0..network.layers().len() {
        let count = match drop {
            Drop::Variational => network.layers()[layer].inputs,
            Drop::Concrete => 1,
            _ => 0,
        };
        let learned: Vec<f32> = (0..count).map(|_| -3.0 * random.uniform()).collect();
        network.set_noise(layer, &learned).unwrap();
        let shape = network.layers()[layer];
        let weights: Vec<f32> =
            (0..shape.units).flat_map(|unit| network.unit_weights(layer, unit).to_vec()).collect();
        let biases: Vec<f32> = random.normals(shape.units).iter().map(|bias| 0.3 * bias).collect();
        network.set_layer(layer, &weights, &biases).unwrap();
    }
    let rows = 1 + random.below(40);
    Case {
        inputs: Matrix::new(rows, inputs, random.normals(rows * inputs)).unwrap(),
        by_outputs: random.normals(rows * outputs),
        seed: random.word() as u32,
        slice: random.below(5) as u32,
        step: random.word() >> 20,
        network,
        thin,
    }
}

impl Case {
    pub(super) fn rows(&self) -> usize {
        self.inputs.rows()
    }

    /// The judge's view of the noise.
    pub(super) fn noises(&self) -> Vec<Noise> {
        let rates = self.thin.rates(self.network.layers().len() - 1).unwrap();
        let noise = |(level, &rate): (usize, &f32)| {
            let (units, learned) = (self.network.layers()[level].inputs, self.network.noise(level));
            let rate = f64::from(rate);
            let odds = rate / (1.0 - rate);
            match self.thin.drop {
                _ if rate == 0.0 => Noise::None,
                Drop::Gaussian => Noise::Gaussian(vec![odds.ln(); units]),
                Drop::Variational => {
                    Noise::Gaussian(learned[..units].iter().map(|&l| f64::from(l)).collect())
                }
                Drop::Concrete => Noise::Concrete(f64::from(learned[0])),
                Drop::Standout => Noise::Standout(f64::from(self.thin.standout_slope), -odds.ln()),
                Drop::Units => {
                    let kept = (((1.0 - rate) * units as f64).round() as usize).max(1);
                    Noise::Count(kept, units as f64 / kept as f64)
                }
                drop => unreachable!("{drop:?} acts on edges; tests/edges.rs judges it"),
            }
        };
        rates.iter().enumerate().map(noise).collect()
    }

    pub(super) fn words(&self, row: usize, purpose: u32) -> Words {
        let shared = self.thin.share == Share::Slice;
        // The first row of slice s is 40 s in these cases.
        let row = if shared { self.slice } else { 40 * self.slice + row as u32 };
        Words { seed: self.seed, purpose, row, step: self.step }
    }

    /// A slice that has run forward.
    pub(super) fn forward(&self, sample: Sample, buffers: Buffers) -> (Slice, Thinning) {
        let thinning = Thinning::new(&self.thin, &self.network, self.seed).unwrap();
        let mut slice = Slice::new(isa(), &self.network, self.rows(), self.slice, buffers);
        slice.thin(&thinning, sample, 40 * self.slice);
        slice.load(&thinning, (0..self.rows()).map(|row| self.inputs.row(row)));
        slice.forward(&self.network, &thinning, 0..self.network.layers().len());
        (slice, thinning)
    }

    pub(super) fn outputs_of(&self, slice: &Slice) -> Vec<f32> {
        let mut outputs = vec![0.0; self.by_outputs.len()];
        slice.write_outputs(&mut outputs);
        outputs
    }

    /// The loss and its gradients by the judge.
    pub(super) fn judged(&self, net: &Net, noises: &[Noise]) -> (f64, NoisyGradients) {
        let (mut loss, mut gradients) = (0.0, NoisyGradients::zeros(net, noises));
        let width = self.network.outputs();
        for row in 0..self.rows() {
            let pass = net.forward_noisy(self.inputs.row(row), noises, Some(self.words(row, TRAINING)));
            let by_outputs = &self.by_outputs[row * width..][..width];
            loss += pass.outputs().iter().zip(by_outputs).map(|(y, &c)| y.value * f64::from(c)).sum::<f64>();
            net.backward_noisy(&pass, by_outputs.iter().map(|&c| Real::from(c)).collect(), &mut gradients);
        }
        (loss, gradients)
    }

    /// A slice that has run forward and backward.
    pub(super) fn backward(&self) -> Slice {
        let (mut slice, thinning) = self.forward(Sample::Training { step: self.step }, Buffers::Train);
        let (width, padded) = (self.network.outputs(), slice.padded());
        let (_, to) = slice.outputs_and_gradients();
        to.fill(0.0);
        for (at, &by_output) in self.by_outputs.iter().enumerate() {
            to[at % width * padded + at / width] = by_output;
        }
        slice.backward(&self.network, &thinning);
        slice
    }
}
