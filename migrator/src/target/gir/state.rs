//! What the ledger keeps of a call for Interaction Recording alone, as JSON in the row's `target_state`.

use serde::{Deserialize, Serialize};

use crate::encrypt::Sealed;
use crate::ledger::{InteractionRow, RecordingRow};

/// Whether a document was posted, where nobody can look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Posted {
    /// Not that anybody knows.
    No,
    /// A post was begun; its outcome is not known.
    Begun,
    /// It was taken.
    Done,
}

#[derive(Serialize, Deserialize)]
struct CallState {
    posted: Posted,
}

/// Whether a call was posted to SpeechMiner. A state that cannot be read counts as begun, which a person looks at.
pub(super) fn posted(row: &InteractionRow) -> Posted {
    let state = row.target_state.as_deref().map(serde_json::from_str::<CallState>);
    state.map_or(Posted::No, |state| state.map_or(Posted::Begun, |state| state.posted))
}

pub(super) fn set_posted(row: &mut InteractionRow, posted: Posted) {
    row.target_state = if posted == Posted::No { None } else { serde_json::to_string(&CallState { posted }).ok() };
}

/// How an encrypted recording is opened.
#[derive(Serialize, Deserialize)]
pub(super) struct Envelope {
    /// PKCS#7 EnvelopedData without the content, PEM.
    pub(super) pkcs7: String,
    /// One a line: certificates it was encrypted for.
    pub(super) cert_alias: String,
}

pub(super) fn envelope_state(sealed: &Sealed) -> Option<String> {
    serde_json::to_string(&Envelope { pkcs7: sealed.pkcs7.clone(), cert_alias: sealed.cert_alias.clone() }).ok()
}

/// Absent: the recording goes clear.
pub(super) fn envelope(row: &RecordingRow) -> Option<Envelope> {
    row.target_state.as_deref().and_then(|state| serde_json::from_str(state).ok())
}
