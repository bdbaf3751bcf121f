//! Early stopping: the best parameters on the validation rows, and when to wait no longer.

/// Watches the validation loss.
#[derive(Debug)]
pub(super) struct Stopping {
    patience: u64,
    min_improvement: f64,
    lowest: f64,
    /// The loss that must be undercut by `min_improvement` to count as improved.
    bar: f64,
    improved: u64,
}

impl Stopping {
    pub fn new(patience: u64, min_improvement: f64) -> Self {
        Self { patience, min_improvement, lowest: f64::INFINITY, bar: f64::INFINITY, improved: 0 }
    }

    /// Notes the loss of an epoch; true if it is the lowest so far.
    pub fn note(&mut self, epoch: u64, loss: f64) -> bool {
        if loss < self.bar - self.min_improvement || self.bar == f64::INFINITY {
            (self.bar, self.improved) = (loss, epoch);
        }
        let is_lowest = loss < self.lowest;
        self.lowest = self.lowest.min(loss);
        is_lowest
    }

    /// Whether the loss has not improved for too long.
    pub fn is_over(&self, epoch: u64) -> bool {
        self.patience > 0 && epoch - self.improved >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_after_its_patience_and_remembers_the_best() {
        let mut stopping = Stopping::new(2, 0.0);
        assert!(stopping.note(1, 3.0) && !stopping.is_over(1));
        assert!(stopping.note(2, 2.0) && !stopping.is_over(2));
        assert!(!stopping.note(3, 2.5) && !stopping.is_over(3));
        assert!(!stopping.note(4, 2.1) && stopping.is_over(4));
    }

    #[test]
    fn small_improvements_are_kept_but_do_not_prolong() {
        let mut stopping = Stopping::new(2, 0.5);
        stopping.note(1, 2.0);
        assert!(stopping.note(2, 1.8) && stopping.note(3, 1.6));
        assert!(stopping.is_over(3));
    }

    #[test]
    fn without_patience_it_never_stops() {
        let mut stopping = Stopping::new(0, 0.0);
        stopping.note(1, 1.0);
        assert!(!stopping.is_over(1000));
    }
}
