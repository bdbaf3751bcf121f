//! Whether there is room in memory for a training: the system ends a program that takes more than there is,
//! without a word.

use std::fs;

use crate::error::{Error, Result};
use crate::spec::Spec;
use crate::train::Optimizer;

/// Refuses a spec whose largest member, with its gradient and the state of its optimizer, takes more than the
/// memory that is free.
///
/// # Errors
/// [`Error::Spec`] says how much is needed and how much there is.
pub(super) fn check(spec: &Spec, inputs: usize, outputs: usize) -> Result<()> {
    let turns = spec.ensemble.turns(&spec.network);
    let largest = turns.map(|network| parameters(&network.widths(inputs, outputs))).fold(0.0, f64::max);
    free_bytes().map_or(Ok(()), |free| enough(largest * bytes_of_each(spec.train.optimizer), free))
}

/// Weights and biases; as a float, which no width is too large for.
fn parameters(widths: &[usize]) -> f64 {
    widths.windows(2).map(|pair| (pair[0] as f64 + 1.0) * pair[1] as f64).sum()
}

/// Of each parameter there are its value, its gradient, and one or two means of the gradient.
fn bytes_of_each(optimizer: Optimizer) -> f64 {
    match optimizer {
        Optimizer::Sgd | Optimizer::Nesterov => 12.0,
        Optimizer::Adam | Optimizer::Adamw => 16.0,
    }
}

fn enough(needed: f64, free: f64) -> Result<()> {
    if needed <= free {
        return Ok(());
    }
    let problem = format!(
        "such a network takes {:.1} GB to train, and {:.1} GB of memory are free; take fewer units",
        needed / 1e9,
        free / 1e9
    );
    Err(Error::spec("network.hidden", problem))
}

/// The memory that a program can have, where the system tells.
fn free_bytes() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(1024.0 * line.trim().strip_suffix(" kB")?.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_told_before_it_is_tried() {
        let mut spec = Spec::default();
        spec.network.hidden = vec![1_000_000, 1_000_000];
        let numbers = parameters(&spec.network.widths(9, 2));
        assert_eq!(numbers, 1e7 + 1e12 + 1e6 + 2e6 + 2.0);
        let needed = numbers * bytes_of_each(spec.train.optimizer);
        let error = enough(needed, 8e9).unwrap_err().to_string();
        assert!(
            error.contains("network.hidden: such a network takes 16000.2 GB to train, and 8.0 GB"),
            "{error}"
        );
        if free_bytes().is_some() {
            assert!(check(&spec, 9, 2).is_err());
        }
        assert!(check(&Spec::default(), 100, 10).is_ok());
        // The largest member counts.
        spec.network.hidden = vec![8];
        spec.ensemble.members = 2;
        spec.ensemble.networks = vec![vec![8], vec![1_000_000, 1_000_000]];
        assert_eq!(check(&spec, 9, 2).is_err(), free_bytes().is_some());
    }
}
