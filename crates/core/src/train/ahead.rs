//! The lazy update: a unit's weights are touched only in steps that keep the unit.
//!
//! Where a slice shares a mask, some units are kept by no slice of a step. Their gradient is 0, but
//! momentum still moves their weights, and moving them costs as much memory traffic as a gradient
//! does. Masks are functions of the step, so the masks of coming steps can be drawn now: when a
//! unit is updated, the steps that will not keep it are done at once, while its line of weights is
//! in a register. The next step that keeps the unit finds it as the full update would have left
//! it, to the last bit, for every optimizer, penalty and constraint.

use thinnet_kernels::Isa;

use crate::network::Network;
use crate::thin::{Drop, Kept, Sample, Share, Thinning};

/// Steps that a unit can be brought forward at once, its own included.
pub(super) const WINDOW: usize = 8;

/// The share of units that no slice keeps from which on the lazy update is worth its bookkeeping.
const WORTH_SKIPPING: f64 = 0.1;

/// Which units the coming steps keep, and up to which step each unit has been brought.
#[derive(Debug)]
pub(super) struct Ahead {
    layers: Vec<Option<Lazy>>,
    /// The masks of a level for a whole mini-batch, one for each slice and each second network of a pair. A
    /// shorter one keeps no unit that they do not keep.
    masks: u32,
    /// The first step whose masks have not been drawn.
    undrawn: u64,
}

/// The units of one layer.
#[derive(Debug)]
struct Lazy {
    /// The first step that has not been applied to a unit.
    next: Vec<u64>,
    /// Whether any slice of step s keeps a unit, at `[s % WINDOW][unit]`.
    kept: [Vec<bool>; WINDOW],
    mask: Kept,
}

impl Ahead {
    /// What the layers of a network need, of whose levels a step draws so many masks; none where no unit
    /// is to be updated lazily, as in networks that stay in the caches.
    pub fn new(network: &Network, thinning: &Thinning, masks: Option<usize>) -> Self {
        let skipped = |level: usize, masks: usize| libm::pow(f64::from(thinning.rate(level)), masks as f64);
        let lazy = |(index, layer): (usize, &crate::network::Layer)| {
            let worth = thinning.drop() == Drop::Units
                && thinning.share() == Share::Slice
                && masks.is_some_and(|masks| skipped(index + 1, masks) >= WORTH_SKIPPING);
            worth.then(|| Lazy {
                next: vec![0; layer.units],
                kept: std::array::from_fn(|_| vec![true; layer.units]),
                mask: Kept::whole(layer.units),
            })
        };
        let layers = network.layers().iter().enumerate().map(lazy).collect();
        Self { layers, masks: masks.unwrap_or(0) as u32, undrawn: 0 }
    }

    /// Draws the masks of the steps before `end`, as far as they are not drawn yet.
    pub fn draw(&mut self, isa: Isa, thinning: &Thinning, step: u64, end: u64) {
        for drawn in self.undrawn.max(step)..end {
            for (index, lazy) in self.layers.iter_mut().enumerate() {
                let Some(Lazy { kept, mask, .. }) = lazy else { continue };
                let kept = &mut kept[drawn as usize % WINDOW];
                kept.fill(false);
                for slice in 0..self.masks {
                    thinning.draw(isa, index + 1, Sample::Training { step: drawn }, slice, mask);
                    mask.units().iter().for_each(|&unit| kept[unit as usize] = true);
                }
            }
            self.undrawn = drawn + 1;
        }
    }

    /// The step up to which the unit that is furthest ahead has been brought; 0 where none is updated lazily.
    pub fn furthest(&self) -> u64 {
        self.layers.iter().flatten().flat_map(|lazy| &lazy.next).copied().max().unwrap_or(0)
    }

    /// How many steps to apply to each unit of a layer at step `step`, the steps before `end` being
    /// sure to follow: 0 where an earlier step has done this one already.
    pub fn plan(&mut self, layer: usize, step: u64, end: u64, counts: &mut [u8]) {
        let Some(Lazy { next, kept, .. }) = &mut self.layers[layer] else {
            counts.fill(1);
            return;
        };
        for (unit, (next, count)) in next.iter_mut().zip(counts).enumerate() {
            let first = *next;
            if first <= step {
                *next = step + 1;
                while *next < end && !kept[*next as usize % WINDOW][unit] {
                    *next += 1;
                }
            }
            *count = if first <= step { (*next - step) as u8 } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkSpec;
    use crate::thin::{Rates, ThinSpec};

    /// Each unit is given every step once and in order, and none that keeps it before its time.
    #[test]
    fn every_step_reaches_every_unit_once() {
        let spec = NetworkSpec { hidden: vec![50, 30], ..Default::default() };
        let network = Network::new(4, 2, &spec, 1).unwrap();
        let thin = ThinSpec { hidden: Rates::Each(vec![0.5, 0.6]), ..ThinSpec::default() };
        let thinning = Thinning::new(&thin, &network, 7).unwrap();
        let isa = Isa::from_environment().unwrap();
        let mut ahead = Ahead::new(&network, &thinning, Some(2));
        let mut reached = [vec![0u64; 50], vec![0; 30], vec![0; 2]];
        let (mut skipped, total) = (0, 200);
        for step in 0..total {
            // Windows of other lengths, as at the ends of epochs.
            let end = (step + 1 + step % 11).min(step + WINDOW as u64).min(total);
            ahead.draw(isa, &thinning, step, end);
            for (layer, reached) in reached.iter_mut().enumerate() {
                let mut counts = vec![9; reached.len()];
                ahead.plan(layer, step, end, &mut counts);
                for (unit, (reached, &count)) in reached.iter_mut().zip(&counts).enumerate() {
                    assert!(if count == 0 { *reached > step } else { *reached == step });
                    *reached += u64::from(count);
                    for skipped in step + 1..*reached.max(&mut (step + 1)) {
                        let mut mask = Kept::whole(counts.len());
                        for slice in 0..2 {
                            thinning.draw(
                                isa,
                                layer + 1,
                                Sample::Training { step: skipped },
                                slice,
                                &mut mask,
                            );
                            assert!(!mask.units().contains(&(unit as u32)), "{layer}, {unit}, {skipped}");
                        }
                    }
                    skipped += usize::from(count == 0);
                }
            }
        }
        assert!(reached.iter().flatten().all(|&reached| reached == total));
        assert!(skipped > 200 * 80 / 10, "{skipped}");
    }
}
