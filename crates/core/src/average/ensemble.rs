//! Several networks instead of one: in what they differ, and how their predictions become one.

use serde::{Deserialize, Serialize};
use thinnet_kernels::philox::{self, Counter, Key};

use super::Averaged;
use crate::data::Matrix;
use crate::error::{Error, Result};
use crate::network::{Activation, NetworkSpec};
use crate::streams;

/// The most members that a spec may ask for.
const MOST_MEMBERS: usize = 10_000;

/// The `[ensemble]` part of a spec: how many networks are trained, and in what they differ. Each has a
/// seed of its own for weights, order and masks; the rows that validate are the same for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnsembleSpec {
    /// How many networks there are.
    pub members: usize,
    /// Whether each member draws as many training rows as there are, with replacement (Breiman 1996).
    pub bootstrap: bool,
    /// The share of the data's columns, or of the pixels, that each member sees (Ho 1998).
    pub columns: f64,
    /// The units of the hidden layers by turns; none: all members have those of `[network]`.
    pub networks: Vec<Vec<usize>>,
    /// The activations by turns; none: all members have that of `[network]`.
    pub activations: Vec<Activation>,
}

impl Default for EnsembleSpec {
    fn default() -> Self {
        Self { members: 1, bootstrap: false, columns: 1.0, networks: Vec::new(), activations: Vec::new() }
    }
}

impl EnsembleSpec {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Spec`] names the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        let members = self.members;
        if !(1..=MOST_MEMBERS).contains(&members) {
            let problem = format!("must be from 1 to {MOST_MEMBERS}, not {members}");
            return Err(Error::spec("ensemble.members", problem));
        }
        if !(self.columns > 0.0 && self.columns <= 1.0) {
            let problem = format!("must be above 0 and at most 1, not {}", self.columns);
            return Err(Error::spec("ensemble.columns", problem));
        }
        let turns =
            [("ensemble.networks", self.networks.len()), ("ensemble.activations", self.activations.len())];
        for (field, count) in turns {
            if count > members {
                let problem = format!("{count} by turns for {members} members; ask for at least {count}");
                return Err(Error::spec(field, problem));
            }
        }
        match self.networks.iter().position(|hidden| hidden.contains(&0)) {
            Some(at) => {
                Err(Error::spec("ensemble.networks", format!("network {} has a layer without units", at + 1)))
            }
            None => Ok(()),
        }
    }

    /// The network of a member, counted from 0, where `network` is that of members that have no turn.
    pub fn network(&self, network: &NetworkSpec, member: usize) -> NetworkSpec {
        let mut own = network.clone();
        if !self.networks.is_empty() {
            own.hidden.clone_from(&self.networks[member % self.networks.len()]);
        }
        if !self.activations.is_empty() {
            own.activation = self.activations[member % self.activations.len()];
        }
        own
    }

    /// The networks whose layers members have: those that take turns, or `network` where there is none.
    pub(crate) fn turns(&self, network: &NetworkSpec) -> impl Iterator<Item = NetworkSpec> {
        // Where every member has a turn, nobody has the layers of `network`.
        let turns = self.networks.len().max(1);
        (0..turns).map(move |member| self.network(network, member))
    }
}

/// The seed of a member, counted from 0: the first one has the given seed itself.
pub(crate) fn member_seed(seed: u32, member: usize) -> u32 {
    match member {
        0 => seed,
        _ => {
            let counter = Counter { block: 0, row: member as u32, step: 0 };
            philox::words(Key { seed, stream: streams::MEMBERS }, counter)[0]
        }
    }
}

/// The prediction of an ensemble from those of its members, which all count the same: the arithmetic
/// mean of what they predict, of the same shape and in the same unit. The spread squared is the variance
/// of the mixture: the mean of the members' own variances and the variance of their means. Where the
/// members predict the variance of the observations, that of the ensemble is the mean of theirs, so that
/// spread and noise together are the variance of their mixture (Lakshminarayanan et al. 2017, section
/// 2.4). A single member stays as it is.
///
/// # Errors
/// [`Error::Argument`] if there is no member, or they predict other rows or classes.
pub fn ensemble(mut members: Vec<Averaged>) -> Result<Averaged> {
    check(&members)?;
    if members.len() == 1 {
        return Ok(members.remove(0));
    }
    let count = members.len() as f64;
    let (mean, between) = means_and_variances(&members);
    let own = |member: &Averaged, at: usize| {
        member.spread.as_ref().map_or(0.0, |spread| f64::from(spread.values()[at]).powi(2))
    };
    let within = |at: usize| members.iter().map(|member| own(member, at)).sum::<f64>() / count;
    let spread = between.iter().enumerate().map(|(at, between)| (within(at) + between).sqrt() as f32);
    let (rows, columns) = (members[0].mean.rows(), members[0].mean.columns());
    let spread = Matrix::new(rows, columns, spread.collect())?;
    let mean = Matrix::new(rows, columns, mean.into_iter().map(|mean| mean as f32).collect())?;
    let noises: Option<Vec<&Matrix>> = members.iter().map(|member| member.noise.as_ref()).collect();
    let noise = noises.map(|noises| {
        let square =
            |at: usize| noises.iter().map(|noise| f64::from(noise.values()[at]).powi(2)).sum::<f64>();
        Matrix::new(rows, columns, (0..rows * columns).map(|at| (square(at) / count).sqrt() as f32).collect())
    });
    Ok(Averaged { mean, spread: Some(spread), noise: noise.transpose()? })
}

/// How far the members lie apart: the standard deviation of what they predict, of the same shape and in the
/// same unit.
///
/// # Errors
/// As [`ensemble`].
pub fn deviation(members: &[Averaged]) -> Result<Matrix> {
    check(members)?;
    let deviations =
        means_and_variances(members).1.into_iter().map(|variance| variance.sqrt() as f32).collect();
    Matrix::new(members[0].mean.rows(), members[0].mean.columns(), deviations)
}

/// The mean and the variance over the members of each number that they predict, in the order of their
/// values.
fn means_and_variances(members: &[Averaged]) -> (Vec<f64>, Vec<f64>) {
    let count = members.len() as f64;
    let each = |at: usize| members.iter().map(move |member| f64::from(member.mean.values()[at]));
    let of_number = |at: usize| {
        let mean = each(at).sum::<f64>() / count;
        (mean, each(at).map(|value| (value - mean).powi(2)).sum::<f64>() / count)
    };
    (0..members[0].mean.values().len()).map(of_number).unzip()
}

fn check(members: &[Averaged]) -> Result<()> {
    let Some(first) = members.first() else {
        return Err(Error::argument("members", "an ensemble has at least one"));
    };
    let shape = |matrix: &Matrix| (matrix.rows(), matrix.columns());
    let wanted = shape(&first.mean);
    let fits = |member: &Averaged| {
        [Some(&member.mean), member.spread.as_ref(), member.noise.as_ref()]
            .into_iter()
            .flatten()
            .all(|matrix| shape(matrix) == wanted)
    };
    match members.iter().position(|member| !fits(member)) {
        None => Ok(()),
        Some(at) => {
            let (rows, columns) = wanted;
            let problem =
                format!("member {at} does not predict {rows} rows of {columns} numbers as the first does");
            Err(Error::argument("members", problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn averaged(mean: [f32; 4], spread: Option<[f32; 4]>) -> Averaged {
        let matrix = |values: [f32; 4]| Matrix::new(2, 2, values.to_vec()).unwrap();
        Averaged::new(matrix(mean), spread.map(matrix))
    }

    #[test]
    fn the_spread_is_that_of_a_mixture() {
        // Each member draws one of two numbers: the mixture draws one of four.
        let (first, second) = ([0.1, 0.5], [0.2, 0.8]);
        let member = |[low, high]: [f32; 2]| {
            let (mean, spread) = ((low + high) / 2.0, (high - low) / 2.0);
            averaged([mean; 4], Some([spread; 4]))
        };
        let all = ensemble(vec![member(first), member(second)]).unwrap();
        let draws: Vec<f64> = [first, second].concat().into_iter().map(f64::from).collect();
        let mean = draws.iter().sum::<f64>() / 4.0;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 4.0;
        for at in 0..4 {
            assert!((f64::from(all.mean.values()[at]) - mean).abs() < 1e-7);
            assert!((f64::from(all.spread.as_ref().unwrap().values()[at]) - variance.sqrt()).abs() < 1e-7);
        }
    }

    #[test]
    fn members_without_a_spread_have_that_of_their_means() {
        let members = [averaged([0.0, 1.0, 0.5, 0.5], None), averaged([1.0, 0.0, 0.5, 0.25], None)].to_vec();
        let all = ensemble(members.clone()).unwrap();
        assert_eq!(all.mean.values(), [0.5, 0.5, 0.5, 0.375]);
        assert_eq!(all.spread.as_ref().unwrap().values(), [0.5, 0.5, 0.0, 0.125]);
        assert_eq!(deviation(&members).unwrap(), all.spread.unwrap());
    }

    /// The variance of a mixture is the mean of its parts' variances and the variance of their means.
    #[test]
    fn the_noise_of_members_that_predict_it_is_the_mean_of_their_variances() {
        let noise = |noise: [f32; 4]| Some(Matrix::new(2, 2, noise.to_vec()).unwrap());
        let first = Averaged { noise: noise([3.0, 1.0, 0.0, 0.5]), ..averaged([0.0; 4], None) };
        let second = Averaged { noise: noise([4.0, 7.0, 2.0, 0.5]), ..averaged([2.0; 4], None) };
        let all = ensemble(vec![first.clone(), second]).unwrap();
        assert_eq!(all.spread.unwrap().values(), [1.0; 4]);
        let squares: Vec<f32> = all.noise.unwrap().values().iter().map(|noise| noise * noise).collect();
        for (found, expected) in squares.iter().zip([12.5, 25.0, 2.0, 0.25]) {
            assert!((found - expected).abs() < 1e-5, "{squares:?}");
        }
        let other = Averaged { noise: Some(Matrix::zeros(2, 1)), ..averaged([0.0; 4], None) };
        assert!(ensemble(vec![first, other]).is_err());
    }

    #[test]
    fn one_member_stays_as_it_is() {
        for spread in [None, Some([0.5, 0.25, 0.0, 1.0])] {
            let member = averaged([0.1, 0.9, 0.3, 0.7], spread);
            assert_eq!(ensemble(vec![member.clone()]).unwrap(), member);
        }
    }

    #[test]
    fn members_that_do_not_belong_together_are_refused() {
        assert!(ensemble(Vec::new()).unwrap_err().to_string().contains("at least one"));
        let other = Averaged::new(Matrix::zeros(2, 3), None);
        let error = ensemble(vec![averaged([0.0; 4], None), other.clone()]).unwrap_err().to_string();
        assert_eq!(error, "members: member 1 does not predict 2 rows of 2 numbers as the first does");
        assert!(deviation(&[averaged([0.0; 4], None), other]).is_err());
    }

    #[test]
    fn networks_and_activations_take_turns() {
        let spec = EnsembleSpec {
            members: 5,
            networks: vec![vec![8], vec![4, 4], vec![]],
            activations: vec![Activation::Relu, Activation::Tanh],
            ..EnsembleSpec::default()
        };
        spec.check().unwrap();
        let plain = NetworkSpec::default();
        let network = |member| spec.network(&plain, member);
        assert_eq!((network(3).hidden, network(3).activation), (vec![8], Activation::Tanh));
        assert_eq!((network(4).hidden, network(4).activation), (vec![4, 4], Activation::Relu));
        assert_eq!(EnsembleSpec::default().network(&plain, 7), plain);
    }

    #[test]
    fn a_spec_that_cannot_be_used_is_refused() {
        let sentence = |spec: EnsembleSpec| spec.check().unwrap_err().to_string();
        let usual = EnsembleSpec::default;
        for members in [0, MOST_MEMBERS + 1, usize::MAX] {
            assert!(sentence(EnsembleSpec { members, ..usual() }).starts_with("spec, ensemble.members"));
        }
        for columns in [0.0, -0.5, 1.5, f64::NAN] {
            assert!(sentence(EnsembleSpec { columns, ..usual() }).starts_with("spec, ensemble.columns"));
        }
        let two = vec![vec![4], vec![8, 0]];
        let error = sentence(EnsembleSpec { networks: two.clone(), ..usual() });
        assert_eq!(error, "spec, ensemble.networks: 2 by turns for 1 members; ask for at least 2");
        let error = sentence(EnsembleSpec { members: 2, networks: two, ..usual() });
        assert_eq!(error, "spec, ensemble.networks: network 2 has a layer without units");
    }

    #[test]
    fn seeds_of_members_are_unlike() {
        assert_eq!(member_seed(7, 0), 7);
        let mut seeds: Vec<u32> =
            (0..4).flat_map(|seed| (0..100).map(move |m| member_seed(seed, m))).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 400);
    }
}
