//! A judge for the engine: networks, losses, gradients and updates written from the papers'
//! formulas, one unit and one row at a time, in f64. Nothing here is shared with the engine but
//! the types of its specs and the random words that its documentation gives for the masks.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod activation;
pub mod case;
pub mod edges;
pub mod loss;
pub mod mask;
pub mod noise;
pub mod real;
pub mod rule;

use thinnet::network::{Activation, Network};

use loss::{Loss, Target};
use mask::Mask;
use real::Real;

/// One fully connected layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// `weights[unit][input]`
    pub weights: Vec<Vec<f64>>,
    pub biases: Vec<f64>,
    pub activation: Activation,
}

/// A network in f64.
#[derive(Clone, Debug)]
pub struct Net {
    pub layers: Vec<Layer>,
}

/// What a pass computes: level 0 is the input, level l the units of layer l - 1.
#[derive(Debug)]
pub struct Pass {
    /// Pre-activations of each layer.
    pub pre: Vec<Vec<Real>>,
    /// What each level gives to the layer above it, masked and scaled.
    pub levels: Vec<Vec<Real>>,
}

impl Pass {
    pub fn outputs(&self) -> &[Real] {
        self.levels.last().unwrap()
    }
}

/// One number for each parameter of a network.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// `weights[layer][unit][input]`
    pub weights: Vec<Vec<Vec<Real>>>,
    /// `biases[layer][unit]`
    pub biases: Vec<Vec<Real>>,
}

impl Parameters {
    pub fn zeros(net: &Net) -> Self {
        let weights = |layer: &Layer| layer.weights.iter().map(|w| vec![Real::ZERO; w.len()]).collect();
        let biases = |layer: &Layer| vec![Real::ZERO; layer.biases.len()];
        Self {
            weights: net.layers.iter().map(weights).collect(),
            biases: net.layers.iter().map(biases).collect(),
        }
    }

    /// All of them, layer after layer: weights unit by unit, then biases.
    pub fn iter(&self) -> impl Iterator<Item = &Real> {
        self.weights
            .iter()
            .zip(&self.biases)
            .flat_map(|(weights, biases)| weights.iter().flatten().chain(biases))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Real> {
        self.weights
            .iter_mut()
            .zip(&mut self.biases)
            .flat_map(|(weights, biases)| weights.iter_mut().flatten().chain(biases))
    }
}

/// The engine's parameters in the order of [`Parameters::iter`].
pub fn parameters_of(network: &Network) -> Vec<f32> {
    let layer = |index: usize| {
        let weights =
            (0..network.layers()[index].units).flat_map(move |unit| network.unit_weights(index, unit));
        weights.chain(network.biases(index)).copied()
    };
    (0..network.layers().len()).flat_map(layer).collect()
}

impl Net {
    /// The same parameters as those of the engine's network.
    pub fn of(network: &Network) -> Self {
        let layer = |(index, layer): (usize, &thinnet::network::Layer)| Layer {
            weights: (0..layer.units)
                .map(|unit| network.unit_weights(index, unit).iter().map(|&w| f64::from(w)).collect())
                .collect(),
            biases: network.biases(index).iter().map(|&b| f64::from(b)).collect(),
            activation: layer.activation,
        };
        Self { layers: network.layers().iter().enumerate().map(layer).collect() }
    }

    /// How many units each level has that can be dropped.
    pub fn levels(&self) -> Vec<usize> {
        self.layers.iter().map(|layer| layer.weights[0].len()).collect()
    }

    /// All parameters in the order of [`Parameters::iter`], to change.
    pub fn parameters_mut(&mut self) -> Vec<&mut f64> {
        let layers = self.layers.iter_mut();
        layers.flat_map(|layer| layer.weights.iter_mut().flatten().chain(&mut layer.biases)).collect()
    }

    /// The thinned network on one row: r = mask, y~ = scale r y, z = W y~ + b, y = f(z)
    /// (Srivastava et al. 2014, section 4).
    pub fn forward(&self, row: &[f32], mask: &Mask, scales: &[Real]) -> Pass {
        let thin = |level: usize, units: Vec<Real>| -> Vec<Real> {
            let kept = units.into_iter().zip(&mask[level]);
            kept.map(|(y, &kept)| if kept { y * scales[level] } else { Real::ZERO }).collect()
        };
        let mut levels = vec![thin(0, row.iter().map(|&x| Real::from(x)).collect())];
        let mut pre = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let below = &levels[index];
            let z: Vec<Real> = layer
                .weights
                .iter()
                .zip(&layer.biases)
                .map(|(w, &b)| dot(w, below) + Real::exact(b))
                .collect();
            let units: Vec<Real> = z.iter().map(|&z| activation::activate(layer.activation, z)).collect();
            pre.push(z);
            levels.push(if index + 1 < self.layers.len() { thin(index + 1, units) } else { units });
        }
        Pass { pre, levels }
    }

    /// Adds the gradients of one row's loss, whose gradient by the outputs is given
    /// (Rumelhart, Hinton and Williams 1986).
    pub fn backward(
        &self,
        pass: &Pass,
        mask: &Mask,
        scales: &[Real],
        by_outputs: Vec<Real>,
        to: &mut Parameters,
    ) {
        // The last layer's activation is the identity: the gradient by z is that by the outputs.
        let mut by_pre = by_outputs;
        for index in (0..self.layers.len()).rev() {
            let (layer, below) = (&self.layers[index], &pass.levels[index]);
            for (unit, &d) in by_pre.iter().enumerate() {
                to.biases[index][unit] += d;
                let gradients = to.weights[index][unit].iter_mut().zip(below);
                gradients.for_each(|(gradient, &y)| *gradient += d * y);
            }
            if index == 0 {
                return;
            }
            let by_unit = |unit: usize| -> Real {
                if !mask[index][unit] {
                    return Real::ZERO;
                }
                let sum: Real = layer.weights.iter().zip(&by_pre).map(|(w, &d)| d * w[unit]).sum();
                let slope =
                    activation::derivative(self.layers[index - 1].activation, pass.pre[index - 1][unit]);
                sum * scales[index] * slope
            };
            by_pre = (0..below.len()).map(by_unit).collect();
        }
    }

    /// The mean loss of a mini-batch, and its gradients.
    pub fn loss_and_gradients(&self, loss: &Loss, batch: &Batch) -> (Real, Parameters) {
        let mut gradients = Parameters::zeros(self);
        let share = Real::exact(1.0) / Real::exact(batch.rows.len() as f64);
        let mut total = Real::ZERO;
        for row in &batch.rows {
            let pass = self.forward(&row.inputs, &row.mask, &batch.scales);
            total += loss.value(pass.outputs(), &row.target) * row.weight;
            let by_outputs = loss.gradient(pass.outputs(), &row.target);
            let by_outputs = by_outputs.into_iter().map(|d| d * share * row.weight).collect();
            self.backward(&pass, &row.mask, &batch.scales, by_outputs, &mut gradients);
        }
        (total * share, gradients)
    }
}

pub fn dot(weights: &[f64], values: &[Real]) -> Real {
    weights.iter().zip(values).map(|(&w, &y)| y * w).sum()
}

/// A mini-batch, with the mask of each row.
#[derive(Clone, Debug)]
pub struct Batch {
    pub rows: Vec<Row>,
    /// What kept units of each level are multiplied by.
    pub scales: Vec<Real>,
}

/// One row of a mini-batch.
#[derive(Clone, Debug)]
pub struct Row {
    pub inputs: Vec<f32>,
    pub target: Target,
    pub weight: f64,
    pub mask: Mask,
}
