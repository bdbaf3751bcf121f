//! Successive halving (Jamieson and Talwalkar 2016): many candidates for few epochs, the best for more.

/// From rung to rung one in so many candidates is kept, for so many times the epochs.
const FACTOR: usize = 4;

/// A rung of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rung {
    /// How many candidates are run.
    pub candidates: usize,
    /// For which part of the epochs of a whole run.
    pub part: f64,
}

impl Rung {
    /// The epochs of its runs, at least one, where a whole run has so many.
    pub fn epochs(self, whole: u64) -> u64 {
        ((self.part * whole as f64).round() as u64).max(1)
    }
}

/// The rungs for so many candidates, at least two of which come to the last one and its whole runs.
pub(super) fn rungs(candidates: usize) -> Vec<Rung> {
    let sizes: Vec<usize> = std::iter::successors(Some(candidates), |&size| Some(size / FACTOR))
        .take_while(|&size| size >= 2.min(candidates))
        .collect();
    let part = |rung: usize| (FACTOR as f64).powi(rung as i32 + 1 - sizes.len() as i32);
    sizes.iter().enumerate().map(|(rung, &candidates)| Rung { candidates, part: part(rung) }).collect()
}

/// The places of the lowest losses, the lowest first, and of equals the first. A loss that is no number is
/// higher than any.
pub(super) fn lowest(losses: &[f64], count: usize) -> Vec<usize> {
    let loss = |&place: &usize| if losses[place].is_nan() { f64::INFINITY } else { losses[place] };
    let mut places: Vec<usize> = (0..losses.len()).collect();
    places.sort_by(|one, other| loss(one).total_cmp(&loss(other)));
    places.truncate(count);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_keeps_a_quarter_for_four_times_the_epochs() {
        let sizes = |candidates| {
            let rungs = rungs(candidates);
            rungs.iter().map(|rung| (rung.candidates, rung.epochs(160))).collect::<Vec<_>>()
        };
        assert_eq!(sizes(8), [(8, 40), (2, 160)]);
        assert_eq!(sizes(32), [(32, 10), (8, 40), (2, 160)]);
        assert_eq!(sizes(7), [(7, 160)], "a quarter would be a single one");
        assert_eq!(sizes(1), [(1, 160)]);
        assert_eq!(Rung { candidates: 8, part: 0.25 }.epochs(1), 1);
    }

    #[test]
    fn the_lowest_come_first_and_of_equals_the_first() {
        let losses = [0.5, f64::NAN, 0.25, f64::INFINITY, 0.25];
        assert_eq!(lowest(&losses, 3), [2, 4, 0]);
        assert_eq!(lowest(&losses, 9), [2, 4, 0, 1, 3]);
    }
}
