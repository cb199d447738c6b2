//! Ids of the legacy source, by which truths and planted defects are sorted.

use std::cmp::Ordering;

/// The order of legacy ids: numbers by value, then other texts, then none.
pub(crate) fn order(one: Option<&str>, other: Option<&str>) -> Ordering {
    fn rank(id: Option<&str>) -> (u8, usize, &str, &str) {
        match id {
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let digits = text.trim_start_matches('0');
                (0, digits.len(), digits, text)
            }
            Some(text) => (1, 0, text, text),
            None => (2, 0, "", ""),
        }
    }
    rank(one).cmp(&rank(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_by_value_then_texts_then_none() {
        let mut ids = [
            None,
            Some("x"),
            Some("100"),
            Some("20"),
            Some("9007199254740993"),
        ];
        ids.sort_by(|one, other| order(*one, *other));
        assert_eq!(
            ids,
            [
                Some("20"),
                Some("100"),
                Some("9007199254740993"),
                Some("x"),
                None
            ]
        );
    }
}
