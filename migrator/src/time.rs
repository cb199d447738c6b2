//! Instants as text.

use jiff::Timestamp;

/// As Genesys Cloud takes times: ISO 8601 with milliseconds and `Z`. Source: recording-migration
/// guide, edge case 1.
pub(crate) fn iso(instant: Timestamp) -> String {
    let whole = Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant);
    format!("{whole:.3}")
}
