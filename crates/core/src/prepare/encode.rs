//! One-hot encoding of texts.

use serde::{Deserialize, Serialize};

use crate::data::GAP;

/// One input for each text of the training rows: 1 for the row's own text, 0 for the others. A gap, and a
/// text that the training rows do not have, is 0 in all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// The different texts of the training rows, sorted.
    pub categories: Vec<String>,
}

impl OneHot {
    /// The texts that occur among `codes`; each code is an index into `categories` or [`GAP`].
    pub fn fit(codes: impl Iterator<Item = u32>, categories: &[String]) -> Self {
        let mut occurs = vec![false; categories.len()];
        codes.filter(|&code| code != GAP).for_each(|code| occurs[code as usize] = true);
        let present = categories.iter().zip(occurs).filter(|(_, occurs)| *occurs);
        let mut categories: Vec<String> = present.map(|(text, _)| text.clone()).collect();
        categories.sort_unstable();
        Self { categories }
    }

    /// Which input is 1 for each of the given texts, `None` for a text that was never seen.
    pub fn positions(&self, categories: &[String]) -> Vec<Option<usize>> {
        categories.iter().map(|text| self.categories.binary_search(text).ok()).collect()
    }

    /// How many of `codes` stand for texts that were never seen, and these texts, each once; each code is an
    /// index into `categories` or [`GAP`].
    pub fn unseen<'a>(&self, codes: &[u32], categories: &'a [String]) -> (usize, Vec<&'a str>) {
        let mut counts = vec![0_usize; categories.len()];
        codes.iter().filter(|&&code| code != GAP).for_each(|&code| counts[code as usize] += 1);
        // A category need not occur: a table of some rows keeps the texts of all.
        let unseen = categories
            .iter()
            .zip(self.positions(categories))
            .zip(counts)
            .filter(|((_, position), count)| position.is_none() && *count > 0);
        let (texts, counts): (Vec<&str>, Vec<usize>) =
            unseen.map(|((text, _), count)| (text.as_str(), count)).unzip();
        (counts.iter().sum(), texts)
    }

    /// Why a column with these texts in `present` rows that are not gaps is better left out; `None` if it
    /// is not.
    pub fn refusal(&self, present: usize, max_categories: usize) -> Option<String> {
        let different = self.categories.len();
        if different == 0 {
            Some("it is empty in all training rows".into())
        } else if different > max_categories {
            Some(format!(
                "it holds {different} different texts, and at most {max_categories} are encoded; raise \
                 prepare.max_categories of the spec to take it"
            ))
        } else if almost_all_differ(different, present) {
            Some(format!(
                "it holds {different} different texts in {present} rows, as a name or a number would"
            ))
        } else {
            None
        }
    }
}

/// Whether almost every row has a value of its own: more than 95 % in more than 20 rows.
pub(super) fn almost_all_differ(different: usize, rows: usize) -> bool {
    rows > 20 && different as f64 > 0.95 * rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[test]
    fn keeps_what_occurs_sorted() {
        let encode = OneHot::fit([2, GAP, 0, 2].into_iter(), &strings(&["b", "never", "a"]));
        assert_eq!(encode.categories, ["a", "b"]);
        assert_eq!(encode.positions(&strings(&["b", "new", "a"])), [Some(1), None, Some(0)]);
    }

    #[test]
    fn counts_the_cells_of_texts_that_were_never_seen() {
        let encode = OneHot { categories: strings(&["a", "b"]) };
        let categories = strings(&["new", "a", "elsewhere", "A"]);
        assert_eq!(encode.unseen(&[3, 0, GAP, 1, 0], &categories), (3, vec!["new", "A"]));
        assert_eq!(encode.unseen(&[1, GAP], &categories), (0, vec![]));
    }

    #[test]
    fn refuses_names() {
        let with = |count: usize| OneHot { categories: (0..count).map(|text| text.to_string()).collect() };
        assert!(with(64).refusal(1000, 64).is_none());
        let many = with(65).refusal(1000, 64).unwrap();
        assert!(many.contains("65 different") && many.contains("prepare.max_categories"), "{many}");
        assert!(with(20).refusal(20, 64).is_none());
        assert!(with(20).refusal(21, 64).is_some());
        assert!(with(19).refusal(21, 64).is_none());
        assert!(with(0).refusal(0, 64).unwrap().contains("empty"));
    }
}
