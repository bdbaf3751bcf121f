//! Tables of TOML laid over one another. Every value keeps its place in the file, so that an error names it.

use toml::de::{DeTable, DeValue};

/// Puts what `over` has in the place of what `table` has; tables within are laid over each other in their
/// turn.
pub(super) fn lay_over<'a>(table: &mut DeTable<'a>, over: &DeTable<'a>) {
    for (name, value) in over {
        let below = table.get_mut(name.get_ref().as_ref()).map(|below| below.get_mut());
        match (below, value.get_ref()) {
            (Some(DeValue::Table(below)), DeValue::Table(over)) => lay_over(below, over),
            _ => {
                table.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Takes the fields with these names out of a table, as a table of their own.
pub(super) fn take<'a>(table: &mut DeTable<'a>, names: &[&str]) -> DeTable<'a> {
    let mut taken = DeTable::new();
    for name in names {
        if let Some((name, value)) = table.remove_entry(*name) {
            taken.insert(name, value);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Value;

    fn laid(table: &str, over: &str) -> Value {
        let (table, over) = (DeTable::parse(table).unwrap(), DeTable::parse(over).unwrap());
        let mut table = table.into_inner();
        lay_over(&mut table, over.get_ref());
        let text = toml::Spanned::new(0..0, table);
        serde::Deserialize::deserialize(toml::Deserializer::from(text)).unwrap()
    }

    #[test]
    fn tables_are_merged_and_all_else_is_replaced() {
        let table = "seed = 1\n[train]\nepochs = 9\nl2 = 0.5\n[network]\nhidden = [8, 8]\n";
        let over = "network.hidden = [4]\ntrain.epochs = 2\nthin.input = 0.2\n";
        let expected = "seed = 1\nnetwork.hidden = [4]\nthin.input = 0.2\ntrain = { epochs = 2, l2 = 0.5 }\n";
        assert_eq!(laid(table, over), toml::from_str::<Value>(expected).unwrap());
        assert_eq!(laid("a = { b = 1 }", "a = 2"), toml::from_str::<Value>("a = 2").unwrap());
        assert_eq!(laid("a = 2", "a.b = 1"), toml::from_str::<Value>("a.b = 1").unwrap());
    }

    #[test]
    fn fields_are_taken_out() {
        let mut table = DeTable::parse("a = 1\nb = 2\nc = 3").unwrap().into_inner();
        let taken = take(&mut table, &["a", "c", "d"]);
        assert_eq!((taken.len(), table.len()), (2, 1));
        assert!(taken.contains_key("a") && taken.contains_key("c") && table.contains_key("b"));
    }
}
