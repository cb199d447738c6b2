//! How many ids each operation has made, so that the next one differs.

use std::collections::BTreeMap;

/// Counts by operation and business key.
#[derive(Clone, Default)]
pub(crate) struct Ordinals {
    made: BTreeMap<(&'static str, String), u64>,
}

impl Ordinals {
    /// The next of an operation without a key, from 0.
    pub(crate) fn next(&mut self, operation: &'static str) -> u64 {
        self.next_of(operation, "-")
    }

    /// The next of an operation and key, from 0.
    pub(crate) fn next_of(&mut self, operation: &'static str, key: &str) -> u64 {
        let made = self.made.entry((operation, key.to_owned())).or_default();
        *made += 1;
        *made - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_and_key_is_counted_by_itself_from_zero() {
        let mut ordinals = Ordinals::default();
        let given = [("a", "x"), ("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")]
            .map(|(operation, key)| ordinals.next_of(operation, key));
        assert_eq!(given, [0, 1, 0, 0, 2]);
        assert_eq!((ordinals.next("a"), ordinals.next("a")), (0, 1));
    }
}
