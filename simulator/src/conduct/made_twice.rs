//! What was made twice, as the platforms' effects have it, whatever a reader sees of it.

use std::collections::BTreeMap;

use super::operations::{CREATES_A_CALL, DELETES_A_CALL};
use crate::operations::Operation;

/// The first call that was made again while it was there: more often than it was deleted, and once.
/// A probe of the region is deleted each time.
pub(crate) fn made_twice(effects: &str) -> Option<String> {
    let mut there: BTreeMap<String, i64> = BTreeMap::new();
    for effect in effects
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
    {
        let text = |name: &str| effect[name].as_str().unwrap_or_default();
        let is_one = |operations: &[&Operation]| {
            operations
                .iter()
                .any(|operation| operation.name == text("operation"))
        };
        let change = match text("effect") {
            "created" if is_one(&CREATES_A_CALL) => 1,
            "deleted" if is_one(&DELETES_A_CALL) => -1,
            _ => continue,
        };
        *there.entry(text("key").to_owned()).or_default() += change;
    }
    there
        .into_iter()
        .find(|(_, times)| *times > 1)
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_again_while_it_is_there_is_made_twice() {
        let line = |operation: &str, effect: &str| {
            format!(
                "{{\"operation\":\"{operation}\",\"key\":\"a\",\"status\":200,\"effect\":\"{effect}\"}}\n"
            )
        };
        let (inserted, deleted) = (
            line("gir.insert_recording", "created"),
            line("gir.delete_recording", "deleted"),
        );
        let created = line("genesys_cloud.create_interaction", "created");
        for (effects, expected) in [
            (created.clone(), None),
            (created.repeat(2), Some("a".to_owned())),
            (format!("{deleted}{inserted}{inserted}"), None),
            (
                format!("{deleted}{inserted}{inserted}{inserted}"),
                Some("a".to_owned()),
            ),
            (line("gir.insert_recording", "merged").repeat(2), None),
        ] {
            assert_eq!(made_twice(&effects), expected, "{effects}");
        }
    }
}
