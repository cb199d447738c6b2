//! Ids of the source.

/// The key of a lookup, on both sides: what a fixed-width column or a spreadsheet put around an id
/// is no part of it. Zeros are.
pub(crate) fn key(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}
