//! What is found out about a target before a run.

/// Name of the user who stands in for agents without a mapping. Source: recording-migration guide,
/// edge case 2.
pub(crate) const FALLBACK_USER: &str = "Historical Migration - Unknown Agent";

/// One thing to know before a run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// Forbids a run.
    pub is_error: bool,
    /// One sentence with what to do.
    pub text: String,
}

pub(crate) fn error(text: String) -> Finding {
    Finding {
        is_error: true,
        text,
    }
}

pub(crate) fn note(text: String) -> Finding {
    Finding {
        is_error: false,
        text,
    }
}
