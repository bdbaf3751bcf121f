//! Overfitting: how far the held-out loss lies above the training loss over the epochs, when the
//! gap opened, and what was lost after the best epoch.

use serde::Serialize;

use crate::train::Epoch;

/// A gap counts as open when it is this many times its noise.
const OPEN: f64 = 3.0;

/// How a run overfitted. Losses and gaps are in the unit of the loss of the run's [`Epoch`]s. The field names
/// are those of `thinnet measure --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overfitting {
    /// The last epoch.
    pub last_epoch: u64,
    /// The epoch of the lowest held-out loss, the first of equals.
    pub best_epoch: u64,
    /// The held-out loss of the best epoch.
    pub best_loss: f64,
    /// The held-out loss of the last epoch.
    pub last_loss: f64,
    /// What was lost after the best epoch: `last_loss` - `best_loss`, 0 or more.
    pub lost: f64,
    /// What the training loss fell by after the best epoch: what was learned that did not hold.
    pub memorised: f64,
    /// The gap of the best epoch.
    pub best_gap: f64,
    /// The gap of the last epoch.
    pub last_gap: f64,
    /// By how much the gap scatters from epoch to epoch, a standard deviation; none with fewer
    /// than four epochs.
    pub noise: Option<f64>,
    /// The epoch at which the gap opened: the first one from which on it is more than three times
    /// its noise until the end. None where it is not so at the end.
    pub opened_epoch: Option<u64>,
    /// The gap of every epoch.
    pub gaps: Vec<Gap>,
}

/// The gap of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The held-out loss of the whole network minus the training loss of the thinned ones.
    pub gap: f64,
}

impl Overfitting {
    /// From the epochs of a run; none if nothing was held out. Epochs whose losses are not both
    /// finite are left out.
    ///
    /// The noise of the gap is the scatter of its steps from epoch to epoch, by their median
    /// absolute deviation, which neither a trend nor a few wild epochs disturb:
    /// 1.4826 median |d - median d| / sqrt 2 with d the differences of neighbours (1.4826 makes
    /// it the standard deviation of normal noise, and a difference has twice its variance).
    pub fn new(history: &[Epoch]) -> Option<Self> {
        let losses = |epoch: &Epoch| {
            let (train, held_out) = (epoch.train_loss, epoch.valid_loss?);
            (train.is_finite() && held_out.is_finite()).then_some((epoch.epoch, train, held_out))
        };
        let epochs: Vec<(u64, f64, f64)> = history.iter().filter_map(losses).collect();
        let best = epochs.iter().copied().reduce(|best, next| if next.2 < best.2 { next } else { best })?;
        let last = epochs.last().copied()?;
        let gap = |&(epoch, train, held_out): &(u64, f64, f64)| Gap { epoch, gap: held_out - train };
        let gaps: Vec<Gap> = epochs.iter().map(gap).collect();
        let noise = noise(&gaps);
        Some(Self {
            last_epoch: last.0,
            best_epoch: best.0,
            best_loss: best.2,
            last_loss: last.2,
            lost: last.2 - best.2,
            memorised: best.1 - last.1,
            best_gap: gap(&best).gap,
            last_gap: gap(&last).gap,
            noise,
            opened_epoch: noise.and_then(|noise| opened(&gaps, OPEN * noise)),
            gaps,
        })
    }
}

/// The standard deviation of a gap around its trend.
fn noise(gaps: &[Gap]) -> Option<f64> {
    let mut steps: Vec<f64> = gaps.windows(2).map(|pair| pair[1].gap - pair[0].gap).collect();
    if steps.len() < 3 {
        return None;
    }
    let middle = median(&mut steps);
    steps.iter_mut().for_each(|step| *step = (*step - middle).abs());
    Some(1.4826 * median(&mut steps) / std::f64::consts::SQRT_2)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { 0.5 * (values[half - 1] + values[half]) } else { values[half] }
}

/// The first epoch from which on every gap lies above a bar.
fn opened(gaps: &[Gap], bar: f64) -> Option<u64> {
    let open = gaps.iter().rev().take_while(|gap| gap.gap > bar);
    open.last().map(|gap| gap.epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(losses: &[(f64, f64)]) -> Vec<Epoch> {
        let epoch = |(index, &(train_loss, valid_loss)): (usize, &(f64, f64))| Epoch {
            epoch: index as u64 + 1,
            steps: 0,
            learning_rate: 0.1,
            train_loss,
            valid_loss: Some(valid_loss),
            valid_error: None,
        };
        losses.iter().enumerate().map(epoch).collect()
    }

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-12, "{value}, not {expected}");
    }

    #[test]
    fn a_history_written_by_hand() {
        let losses = [(1.0, 0.9), (0.8, 0.8), (0.6, 0.7), (0.4, 0.6), (0.3, 0.75), (0.2, 0.75), (0.1, 0.9)];
        let of = Overfitting::new(&history(&losses)).unwrap();
        assert_eq!((of.best_epoch, of.last_epoch), (4, 7));
        close(of.best_loss, 0.6);
        close(of.last_loss, 0.9);
        close(of.lost, 0.3);
        close(of.memorised, 0.3);
        close(of.best_gap, 0.2);
        close(of.last_gap, 0.8);
        // Gaps -.1 0 .1 .2 .45 .55 .8; steps .1 .1 .1 .25 .1 .25, median .1; deviations 0 0 0 0 .15 .15.
        close(of.noise.unwrap(), 0.0);
        assert_eq!(of.opened_epoch, Some(3));
        close(of.gaps[4].gap, 0.45);
    }

    #[test]
    fn a_gap_opens_where_it_leaves_its_noise_for_good() {
        let gaps = [0.0, 0.3, 0.1, 0.2, 0.0, 0.1, 0.3, 0.2, 0.0, 2.0, 0.1, 1.8, 1.9, 1.7, 1.8, 2.0, 1.9];
        let losses: Vec<(f64, f64)> = gaps.iter().map(|gap| (1.0, 1.0 + gap)).collect();
        let of = Overfitting::new(&history(&losses)).unwrap();
        // The median of the 16 steps is .1, the median of their distances from it .2.
        close(of.noise.unwrap(), 1.4826 * 0.2 / 2.0_f64.sqrt());
        assert_eq!(of.opened_epoch, Some(12), "not the tenth, which fell back");
        let shut = Overfitting::new(&history(&losses[..11])).unwrap();
        assert_eq!(shut.opened_epoch, None);
    }

    /// The noise is the standard deviation of normal noise around any line.
    #[test]
    fn the_noise_of_a_trend_is_that_around_it() {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let losses: Vec<(f64, f64)> =
            (0..4000).map(|epoch| (1.0, 0.01 * f64::from(epoch) + 0.05 * normal())).collect();
        let noise = Overfitting::new(&history(&losses)).unwrap().noise.unwrap();
        assert!((noise - 0.05).abs() < 0.003, "{noise}");
    }

    #[test]
    fn without_held_out_rows_there_is_nothing_to_say() {
        assert_eq!(Overfitting::new(&[]), None);
        let mut epochs = history(&[(1.0, 1.0), (0.5, 0.75), (0.1, f64::INFINITY)]);
        let of = Overfitting::new(&epochs).unwrap();
        assert_eq!((of.last_epoch, of.noise, of.opened_epoch), (2, None, None));
        epochs.iter_mut().for_each(|epoch| epoch.valid_loss = None);
        assert_eq!(Overfitting::new(&epochs), None);
    }
}
