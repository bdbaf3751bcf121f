//! What the thinned networks of a model say together.

use thinnet_kernels::Isa;

use super::Model;
use super::members::Member;
use crate::average::{
    Average, Averaged, Output, average, average_with_targets, ensemble, member_seed, samples,
};
use crate::data::{Examples, Matrix, Targets};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::thin::Thinning;
use crate::train::Threads;

impl Model {
    /// Averages the thinned networks on prepared inputs, `[rows, the pipeline's input units]`: the
    /// probabilities of the classes, or standardised values. `seed` draws the sampled networks. The
    /// predictions of several members are averaged in their turn ([`ensemble`]).
    ///
    /// # Errors
    /// [`Error::Argument`] if the inputs have another width, or as [`average()`];
    /// [`Error::Machine`] if the instruction set is forced to one that this machine lacks.
    pub fn average(&self, inputs: &Matrix, by: Average, seed: u32, threads: &Threads) -> Result<Averaged> {
        ensemble(self.average_members(inputs, by, seed, threads)?)
    }

    /// The same for each member alone. Each draws its sampled networks with a seed of its own; the first
    /// one with the given seed.
    ///
    /// # Errors
    /// As [`Model::average`].
    pub fn average_members(
        &self,
        inputs: &Matrix,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<Vec<Averaged>> {
        self.each_member(inputs, seed, threads, |isa, member, thinning, seen| {
            let output = Output { link: self.link(), temperature: member.run.temperature };
            average(isa, &member.network, thinning, output, seen, by)
        })
    }

    /// The predictions of each network that [`Average::MonteCarlo`] samples of the first member, on prepared
    /// inputs.
    ///
    /// # Errors
    /// As [`Model::average`], and as [`samples`].
    pub fn samples(
        &self,
        inputs: &Matrix,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<Vec<Averaged>> {
        let ask = |isa, member: &Member, thinning: &Thinning, seen: &Matrix| {
            let output = Output { link: self.link(), temperature: member.run.temperature };
            samples(isa, &member.network, thinning, output, seen, by)
        };
        Ok(self.each_member(inputs, seed, threads, ask)?.swap_remove(0))
    }

    /// As [`Model::average_members`] for prepared examples; with the log-densities of the targets where
    /// these are values and networks are sampled.
    pub(super) fn average_members_on(
        &self,
        examples: &Examples,
        by: Average,
        seed: u32,
        threads: &Threads,
    ) -> Result<Vec<(Averaged, Option<Vec<f64>>)>> {
        self.each_member(&examples.inputs, seed, threads, |isa, member, thinning, seen| {
            let Member { network, run, .. } = member;
            if let (Targets::Values(targets), Average::MonteCarlo { .. }, Some(noise)) =
                (&examples.targets, by, run.noise)
                && noise > 0.0
            {
                let tau = 1.0 / f64::from(noise).powi(2);
                let (averaged, densities) =
                    average_with_targets(isa, network, thinning, seen, by, targets, tau)?;
                return Ok((averaged, Some(densities)));
            }
            let output = Output { link: self.link(), temperature: run.temperature };
            Ok((average(isa, network, thinning, output, seen, by)?, None))
        })
    }

    /// Asks each member, with its masks and with what it sees of the inputs.
    fn each_member<T: Send>(
        &self,
        inputs: &Matrix,
        seed: u32,
        threads: &Threads,
        ask: impl Fn(Isa, &Member, &Thinning, &Matrix) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let units = self.pipeline.input_units();
        if inputs.columns() != units {
            let problem = format!("{} columns for a network of {units} inputs", inputs.columns());
            return Err(Error::argument("inputs", problem));
        }
        let isa = Isa::from_environment().map_err(Error::Machine)?;
        let alone = |member: &Member| {
            let thinning = self.thinning(member, &member.network, seed)?;
            let seen = member.seen(inputs);
            threads.run(|| ask(isa, member, &thinning, &seen))
        };
        self.members.iter().map(alone).collect()
    }

    /// How a member's network is thinned, as it is or as it was: with masks from a seed, or with those of the
    /// run where they come back.
    pub(super) fn thinning(&self, member: &Member, network: &Network, seed: u32) -> Result<Thinning> {
        let seed = if self.spec.thin.repeats_masks() { self.spec.seed } else { seed };
        Thinning::new(&self.spec.thin, network, member_seed(seed, member.number))
    }
}

#[cfg(test)]
mod tests {
    use super::super::stored::tests::{KINDS, trained};
    use super::*;

    #[test]
    fn inputs_of_another_width_are_refused() {
        let (_, model) = trained(KINDS, |_| {});
        let inputs = Matrix::zeros(2, model.network().inputs() + 1);
        let error = model.average(&inputs, Average::WeightScaling, 0, &Threads::new(1).unwrap()).unwrap_err();
        assert!(error.to_string().contains("columns for a network of"), "{error}");
    }
}
