//! The chain of custody: one line a hop of a recording, each line holding the hash of the one
//! before. Source: docs/reference/reports.md.

use serde::Serialize;

/// One hop of one recording.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) legacy_interaction_id: String,
    pub(crate) legacy_recording_id: String,
    /// `stage`, `convert`, `upload`, `confirm`; `quarantine`, `skip` and `left` of what stays
    /// behind; `canary`: a person has seen and heard it, and `confirm_sha256` is the checklist's.
    pub(crate) hop: &'static str,
    /// RFC 3339, UTC.
    pub(crate) at: String,
    pub(crate) sha256_before: Option<String>,
    pub(crate) sha256_after: Option<String>,
    pub(crate) bytes: Option<u64>,
    pub(crate) tool: &'static str,
    /// Encoder and its version. Absent: the bytes were not encoded.
    pub(crate) encoder: Option<String>,
    pub(crate) plan_hash: String,
    pub(crate) target_id: Option<String>,
    /// SHA-256 of what the confirming read answered.
    pub(crate) confirm_sha256: Option<String>,
    /// Why it stays behind. Absent: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What was seen, for a person. Absent: it goes, or nothing more is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// An instant as it stands in custody and exports: RFC 3339 with milliseconds, UTC.
pub(crate) fn at(instant: jiff::Timestamp) -> String {
    format!("{instant:.3}")
}

/// Name and version of this tool.
pub(crate) const TOOL: &str = concat!("seatrial ", env!("CARGO_PKG_VERSION"));
