//! How a run overfitted, in sentences.

use thinnet::measure::Overfitting;

use crate::text;

/// What is said in place of a gap.
pub const NOTHING_HELD_OUT: &str = "The run held no rows out, so it cannot be told.";

/// How wide the gap was, and when it opened.
pub fn gap(of: &Overfitting) -> String {
    let opened = match (of.opened_epoch, of.noise.map(text::number)) {
        (Some(epoch), Some(noise)) => {
            format!("It opened in epoch {epoch}: from there on it is more than 3 times its noise, {noise}.")
        }
        (None, Some(noise)) => {
            format!("It is not open: at the end it is no more than 3 times its noise, {noise}.")
        }
        _ => "There are too few epochs to tell when it opened.".into(),
    };
    let (best, last) = (text::number(of.best_gap), text::number(of.last_gap));
    format!("The gap was {best} in the best epoch and {last} in the last.\n{opened}")
}

/// What was lost after the best epoch, in a sentence or two.
pub fn lost(of: &Overfitting) -> String {
    let number = text::number;
    let (best, lowest) = (of.best_epoch, number(of.best_loss));
    if best == of.last_epoch {
        format!("The held-out loss was lowest, {lowest}, in the last epoch: nothing was lost after it.")
    } else {
        let learned = match of.memorised {
            fell if fell > 0.0 => format!("fell by {}", number(fell)),
            rose => format!("rose by {}", number(rose.abs())),
        };
        format!(
            "The held-out loss was lowest, {lowest}, in epoch {best}. In epoch {}, the last, it was {}:\n{} was \
             lost after the best epoch, while the training loss {learned}.",
            of.last_epoch,
            number(of.last_loss),
            number(of.lost)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 20 epochs the fifth was the best; the gap opened in the seventh.
    fn overfitted() -> Overfitting {
        Overfitting {
            last_epoch: 20,
            best_epoch: 5,
            best_loss: 0.5,
            last_loss: 0.75,
            lost: 0.25,
            memorised: 0.125,
            best_gap: 0.0,
            last_gap: 0.25,
            noise: Some(0.0625),
            opened_epoch: Some(7),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn the_gap_opens_in_an_epoch_or_not_at_all() {
        let sentence = |opened_epoch, noise| gap(&Overfitting { opened_epoch, noise, ..overfitted() });
        let opened = sentence(Some(7), Some(0.0625));
        assert!(opened.starts_with("The gap was 0 in the best epoch and 0.2500 in the last.\n"), "{opened}");
        assert!(opened.contains("It opened in epoch 7:"), "{opened}");
        assert!(sentence(None, Some(0.0625)).contains("It is not open:"));
        assert!(sentence(None, None).contains("There are too few epochs"));
    }

    #[test]
    fn what_was_lost_is_lost_after_the_best_epoch() {
        let sentence = |best_epoch, memorised| lost(&Overfitting { best_epoch, memorised, ..overfitted() });
        let fell = sentence(5, 0.125);
        assert!(fell.contains("lowest, 0.5000, in epoch 5. In epoch 20, the last, it was 0.7500:"), "{fell}");
        assert!(fell.contains("\n0.2500 was lost") && fell.ends_with("loss fell by 0.1250."), "{fell}");
        assert!(sentence(5, -0.125).ends_with("loss rose by 0.1250."));
        assert!(sentence(20, 0.0).ends_with("nothing was lost after it."));
    }
}
