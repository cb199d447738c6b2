//! A call that was judged.

use crate::checks::presence::Judged;
use crate::expected::Expectation;
use crate::matching::Pairing;
use crate::observed::TargetConversation;
use crate::source::SourceInteraction;

/// A call that was judged, with everything that led to it.
pub(crate) struct JudgedCall<'a> {
    pub(crate) interaction: &'a SourceInteraction,
    pub(crate) expected: &'a Expectation,
    pub(crate) pairing: &'a Pairing,
    /// Its own conversation. Absent: there is none.
    pub(crate) conversation: Option<&'a TargetConversation>,
    pub(crate) judged: &'a Judged,
    /// Whether the sound of each recording was compared.
    pub(crate) compared: &'a [bool],
}
