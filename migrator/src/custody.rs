//! The chain of custody: one line a hop of a recording, each line holding the hash of the one
//! before. Source: docs/reference/reports.md.

use serde::Serialize;

/// One hop of one recording.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) legacy_interaction_id: String,
    pub(crate) legacy_recording_id: String,
    /// `stage`, `convert`, `upload`, `confirm`; `quarantine`, `skip` and `left` of what stays
    /// behind; `canary`: a person has seen and heard it, and `confirm_sha256` is the checklist's;
    /// `plan`, of no recording: a changed plan was accepted.
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
    /// The plan that the accepted one takes the place of. Absent: no plan was accepted here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan_hash_before: Option<String>,
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

impl Entry {
    /// A changed plan was accepted. What is in the target and would be sent otherwise by it is sent
    /// again, so both plans say the same of all that is not.
    pub(crate) fn plan_accepted(at: String, before: String, after: String) -> Entry {
        Entry {
            legacy_interaction_id: String::new(),
            legacy_recording_id: String::new(),
            hop: "plan",
            at,
            sha256_before: None,
            sha256_after: None,
            bytes: None,
            tool: TOOL,
            encoder: None,
            plan_hash: after,
            plan_hash_before: Some(before),
            target_id: None,
            confirm_sha256: None,
            reason: None,
            detail: None,
        }
    }
}

/// An instant as it stands in custody and exports: RFC 3339 with milliseconds, UTC.
pub(crate) fn at(instant: jiff::Timestamp) -> String {
    format!("{instant:.3}")
}

/// Name and version of this tool.
pub(crate) const TOOL: &str = concat!("seatrial ", env!("CARGO_PKG_VERSION"));
