//! Losses over pairs: two thinned networks see the same rows, and their disagreement is a loss.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thinnet_kernels::Isa;

use super::loss::{Labelled, Loss, Objective};
use crate::as_text::as_text;
use crate::error::{Error, Result};
use crate::thin::{Drop, Sample, Scaling, Slice, ThinSpec};

/// What two networks on the same rows add to the loss.
///
/// With z the outputs and m(z) what they stand for (softmax, logistic, or the values themselves), the
/// disagreement is taken between m(z1) and m(z2). It is written `none`, `r-drop:ALPHA` or
/// `expectation-linear:LAMBDA`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Pair {
    /// One thinned network, no pair.
    #[default]
    None,
    /// R-Drop (Liang et al. 2021): the mean loss of two thinned networks, and `alpha` times the mean
    /// of the two Kullback-Leibler divergences between them, which is (m1 - m2)·(z1 - z2) / 2. For
    /// values, where the paper defines nothing, m(z) = z: the divergence of normal
    /// distributions of variance 1.
    RDrop {
        /// The factor of the divergence.
        alpha: f32,
    },
    /// Expectation-linear dropout (Ma et al. 2017): the loss of a thinned network, and `lambda`
    /// times |m1 - m2|² between it and the whole network.
    ExpectationLinear {
        /// The factor of the squared distance.
        lambda: f32,
    },
}

impl Pair {
    /// Which network the second one of a pair is; none where there is no pair.
    pub(super) fn sample(self, first: Sample) -> Option<Sample> {
        match self {
            Pair::None => None,
            Pair::RDrop { .. } => Some(first),
            Pair::ExpectationLinear { .. } => Some(Sample::Whole),
        }
    }

    /// How many masks a step on so many slices draws for a level; none where one of the networks is the
    /// whole network, which gives every unit a gradient.
    pub(super) fn masks(self, slices: usize) -> Option<usize> {
        match self {
            Pair::None => Some(slices),
            Pair::RDrop { .. } => Some(2 * slices),
            Pair::ExpectationLinear { .. } => None,
        }
    }

    pub(super) fn check(self, loss: Option<Loss>) -> Result<()> {
        match self {
            Pair::RDrop { .. } | Pair::ExpectationLinear { .. } if loss == Some(Loss::Normal) => {
                Err(Error::spec("train.pair", "is not defined for loss = \"normal\"; leave one of them out"))
            }
            Pair::RDrop { alpha: factor } | Pair::ExpectationLinear { lambda: factor }
                if !(factor >= 0.0 && factor.is_finite()) =>
            {
                Err(Error::spec("train.pair", format!("its factor must be at least 0, not {factor}")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to train a whole network that has no backward pass, or that stands for nothing. It is no part
    /// of the check of either spec, because a model of an earlier version may have both, and is still read.
    pub(crate) fn check_with(self, thin: &ThinSpec) -> Result<()> {
        let problem = match (self, thin.drop, thin.scaling) {
            (Pair::None | Pair::RDrop { .. }, ..) => return Ok(()),
            _ if thin.masks.is_some() => {
                "expectation-linear pulls towards the whole network, which is no average of the members of \
                 thin.masks; take r-drop:ALPHA, or leave one of them out"
            }
            (_, Drop::Standout | Drop::SparseVariational, _) => {
                "expectation-linear trains the whole network, which with drop = \"standout\" or \
                 \"sparse-variational\" is for prediction alone; take r-drop:ALPHA, or another drop"
            }
            (_, Drop::Edges, Scaling::AtPrediction) => {
                "expectation-linear trains the whole network, which with drop = \"edges\" needs \
                 scaling = \"training\"; set that, or take r-drop:ALPHA"
            }
            _ => return Ok(()),
        };
        Err(Error::spec("train.pair", problem))
    }

    /// The loss of a pair on a slice's rows, given that of the first network whose gradient stands
    /// there already; writes the gradient of the second and adds that of the disagreement to both.
    pub(super) fn differentiate(
        self,
        objective: &Objective,
        isa: Isa,
        labelled: &Labelled,
        loss: f64,
        [first, second]: [&mut Slice; 2],
    ) -> f64 {
        let padded = first.padded();
        let ((z1, by_z1), (z2, by_z2)) = (first.outputs_and_gradients(), second.outputs_and_gradients());
        let (mut total, factor) = match self {
            Pair::None => return loss,
            Pair::RDrop { alpha } => {
                let other = objective.differentiate(isa, labelled, z2, padded, by_z2);
                by_z1.iter_mut().chain(by_z2.iter_mut()).for_each(|gradient| *gradient *= 0.5);
                (0.5 * (loss + other), alpha)
            }
            Pair::ExpectationLinear { lambda } => {
                by_z2.fill(0.0);
                (loss, lambda)
            }
        };
        for (position, &row) in labelled.rows.iter().enumerate() {
            let weight = f64::from(labelled.weights.map_or(1.0, |weights| weights[row]) * factor);
            let rows = [z1, z2].map(|z| Means::new(objective.loss(), &z[position..], padded));
            let disagreement = match self {
                Pair::RDrop { .. } => Disagreement::Divergence,
                _ => Disagreement::Distance,
            };
            total += weight * disagreement.value(&rows);
            let scale = weight * f64::from(labelled.factor);
            disagreement.add_gradient(&rows, scale, &mut by_z1[position..]);
            let [first, second] = rows;
            disagreement.add_gradient(&[second, first], scale, &mut by_z2[position..]);
        }
        total
    }
}

/// The outputs z of one row and what they stand for, m(z).
#[derive(Clone, Copy)]
struct Means<'a> {
    loss: Loss,
    /// One output every `stride`.
    z: &'a [f32],
    stride: usize,
    largest: f64,
    sum: f64,
}

impl<'a> Means<'a> {
    fn new(loss: Loss, z: &'a [f32], stride: usize) -> Self {
        let mut means = Self { loss, z, stride, largest: 0.0, sum: 1.0 };
        if loss == Loss::CrossEntropy {
            means.largest = (0..means.width()).map(|at| means.z(at)).fold(f64::NEG_INFINITY, f64::max);
            means.sum = (0..means.width()).map(|at| libm::exp(means.z(at) - means.largest)).sum();
        }
        means
    }

    fn width(&self) -> usize {
        self.z.len().div_ceil(self.stride)
    }

    fn z(&self, at: usize) -> f64 {
        f64::from(self.z[at * self.stride])
    }

    /// m(z)
    fn mean(&self, at: usize) -> f64 {
        match self.loss {
            Loss::CrossEntropy => libm::exp(self.z(at) - self.largest) / self.sum,
            Loss::BinaryCrossEntropy => 1.0 / (1.0 + libm::exp(-self.z(at))),
            _ => self.z(at),
        }
    }

    /// The sum over the outputs of a number for each; for values their mean, as in their losses.
    fn total(&self, of: impl Fn(usize) -> f64) -> f64 {
        (0..self.width()).map(of).sum::<f64>() * self.share()
    }

    fn share(&self) -> f64 {
        match self.loss {
            Loss::CrossEntropy | Loss::BinaryCrossEntropy => 1.0,
            _ => 1.0 / self.width() as f64,
        }
    }
}

/// How the disagreement of two rows of outputs is measured.
#[derive(Clone, Copy)]
enum Disagreement {
    /// (m1 - m2)·(z1 - z2) / 2
    Divergence,
    /// |m1 - m2|²
    Distance,
}

impl Disagreement {
    fn value(self, [first, second]: &[Means; 2]) -> f64 {
        first.total(|at| {
            let apart = first.mean(at) - second.mean(at);
            match self {
                Disagreement::Divergence => 0.5 * apart * (first.z(at) - second.z(at)),
                Disagreement::Distance => apart * apart,
            }
        })
    }

    /// Adds the gradient by the first outputs, times `scale`. The derivative of m is symmetric: that of
    /// softmax takes v to m (v - m·v), that of the logistic to m (1 - m) v.
    fn add_gradient(self, [first, second]: &[Means; 2], scale: f64, to: &mut [f32]) {
        let apart = |at| first.mean(at) - second.mean(at);
        let v = |at| match self {
            Disagreement::Divergence => 0.5 * (first.z(at) - second.z(at)),
            Disagreement::Distance => 2.0 * apart(at),
        };
        let mean_v = match first.loss {
            Loss::CrossEntropy => (0..first.width()).map(|at| first.mean(at) * v(at)).sum(),
            _ => 0.0,
        };
        for at in 0..first.width() {
            let through = match first.loss {
                Loss::CrossEntropy => first.mean(at) * (v(at) - mean_v),
                Loss::BinaryCrossEntropy => first.mean(at) * (1.0 - first.mean(at)) * v(at),
                _ => v(at),
            };
            let direct = match self {
                Disagreement::Divergence => 0.5 * apart(at),
                Disagreement::Distance => 0.0,
            };
            to[at * first.stride] += (scale * first.share() * (through + direct)) as f32;
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pair::None => write!(to, "none"),
            Pair::RDrop { alpha } => write!(to, "r-drop:{alpha}"),
            Pair::ExpectationLinear { lambda } => write!(to, "expectation-linear:{lambda}"),
        }
    }
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let factor = |factor: &str| factor.parse().map_err(|_| format!("{factor:?} is not a number"));
        match text.split_once(':') {
            None if text == "none" => Ok(Pair::None),
            Some(("r-drop", alpha)) => Ok(Pair::RDrop { alpha: factor(alpha)? }),
            Some(("expectation-linear", lambda)) => Ok(Pair::ExpectationLinear { lambda: factor(lambda)? }),
            _ => {
                Err(format!("{text:?} is not a pair; write none, r-drop:ALPHA or expectation-linear:LAMBDA"))
            }
        }
    }
}

as_text!(Pair);

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of three outputs, and the sum of p log (p / q) both ways, written out.
    #[test]
    fn the_divergence_is_that_of_the_two_distributions() {
        let (a, b) = ([0.3_f32, -1.2, 2.0], [1.5_f32, 0.1, -0.4]);
        let softmax = |z: [f32; 3]| {
            let e = z.map(|z| f64::from(z).exp());
            e.map(|one| one / e.iter().sum::<f64>())
        };
        let (p, q) = (softmax(a), softmax(b));
        let divergence =
            |p: [f64; 3], q: [f64; 3]| (0..3).map(|at| p[at] * (p[at] / q[at]).ln()).sum::<f64>();
        let expected = 0.5 * (divergence(p, q) + divergence(q, p));
        let rows = [&a, &b].map(|z| Means::new(Loss::CrossEntropy, z, 1));
        assert!((Disagreement::Divergence.value(&rows) - expected).abs() < 1e-12);
        let squares: f64 = (0..3).map(|at| (p[at] - q[at]).powi(2)).sum();
        assert!((Disagreement::Distance.value(&rows) - squares).abs() < 1e-12);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_disagreement() {
        for loss in [Loss::CrossEntropy, Loss::BinaryCrossEntropy, Loss::Squared] {
            for kind in [Disagreement::Divergence, Disagreement::Distance] {
                let width = if loss == Loss::BinaryCrossEntropy { 1 } else { 3 };
                // Every second number is another row's.
                let (a, b) = ([0.3_f32, 9.0, -1.2, 9.0, 0.7, 9.0], [1.5_f32, 9.0, 0.1, 9.0, -0.4, 9.0]);
                let (a, b) = (&a[..2 * width], &b[..2 * width]);
                let value = |z: &[f32]| kind.value(&[z, b].map(|z| Means::new(loss, z, 2)));
                let mut gradient = vec![0.0; a.len()];
                kind.add_gradient(&[a, b].map(|z| Means::new(loss, z, 2)), 1.0, &mut gradient);
                for at in (0..a.len()).step_by(2) {
                    let moved = |by: f32| {
                        let mut z = a.to_vec();
                        z[at] += by;
                        (value(&z), f64::from(z[at]))
                    };
                    let (above, below) = (moved(1e-3), moved(-1e-3));
                    let slope = (above.0 - below.0) / (above.1 - below.1);
                    assert!(
                        (f64::from(gradient[at]) - slope).abs() < 1e-6,
                        "{loss:?}: {gradient:?}, {slope}"
                    );
                    assert!(gradient[at + 1] == 0.0);
                }
            }
        }
    }

    #[test]
    fn pairs_are_read_as_they_are_written() {
        for text in ["none", "r-drop:1", "r-drop:0.5", "expectation-linear:3"] {
            assert_eq!(text.parse::<Pair>().unwrap().to_string(), text);
        }
        for text in ["r-drop", "r-drop:x", "twins:1", "none:1"] {
            assert!(text.parse::<Pair>().is_err(), "{text}");
        }
        let refused = |text: &str, loss| text.parse::<Pair>().unwrap().check(loss).is_err();
        assert!(refused("r-drop:-1", None) && refused("r-drop:1", Some(Loss::Normal)));
        assert!(!refused("r-drop:1", Some(Loss::Squared)) && !refused("none", Some(Loss::Normal)));
    }

    #[test]
    fn a_whole_network_without_a_backward_pass_is_refused() {
        let linear = Pair::ExpectationLinear { lambda: 1.0 };
        for (thin, named) in [
            ("drop = \"standout\"", "\"standout\""),
            ("drop = \"sparse-variational\"", "\"sparse-variational\""),
            ("drop = \"edges\"\nscaling = \"at-prediction\"", "scaling = \"training\""),
            ("masks = { members = 4, scale = 2.0 }", "thin.masks"),
        ] {
            let thin: ThinSpec = toml::from_str(thin).unwrap();
            let error = linear.check_with(&thin).unwrap_err().to_string();
            assert!(error.starts_with("spec, train.pair: expectation-linear"), "{error}");
            assert!(error.contains(named), "{error}");
            Pair::None.check_with(&thin).and(Pair::RDrop { alpha: 1.0 }.check_with(&thin)).unwrap();
        }
        for thin in [
            "",
            "scaling = \"at-prediction\"\ncount = \"exact\"",
            "pool = 5",
            "drop = \"edges\"",
            "drop = \"edges-gaussian\"",
            "drop = \"gaussian\"",
            "drop = \"variational\"",
            "drop = \"concrete\"",
        ] {
            linear.check_with(&toml::from_str(thin).unwrap()).unwrap();
        }
    }
}
