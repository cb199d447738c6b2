//! What a kind of target can do, for code that is the same for all of them.

/// Absent reasons: it can.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capabilities {
    /// A call of which no recording goes can be created.
    pub(crate) carries_calls_without_recordings: bool,
    /// Why a call that went without one of its recordings cannot be completed.
    pub(crate) cannot_complete_call: Option<&'static str>,
    /// Why a recording that is there cannot be given other bytes.
    pub(crate) cannot_replace_audio: Option<&'static str>,
    /// What preflight writes there and takes away again. Absent: nothing.
    pub(crate) preflight_probe: Option<&'static str>,
}
