//! What the ledger keeps of a call for Interaction Recording alone, as JSON in the row's
//! `target_state`.

use serde::{Deserialize, Serialize};

use crate::encrypt::Sealed;
use crate::error::{RunError, StepError};
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

/// Whether a call was posted to SpeechMiner. A state that cannot be read counts as begun, which a
/// person looks at.
pub(super) fn posted(row: &InteractionRow) -> Posted {
    let state = row
        .target_state
        .as_deref()
        .map(serde_json::from_str::<CallState>);
    state.map_or(Posted::No, |state| {
        state.map_or(Posted::Begun, |state| state.posted)
    })
}

pub(super) fn set_posted(row: &mut InteractionRow, posted: Posted) {
    row.target_state = if posted == Posted::No {
        None
    } else {
        serde_json::to_string(&CallState { posted }).ok()
    };
}

/// How an encrypted recording is opened.
#[derive(Deserialize)]
pub(super) struct Envelope {
    /// PKCS#7 EnvelopedData without the content, PEM.
    pub(super) pkcs7: String,
    /// One a line: certificates it was encrypted for.
    pub(super) cert_alias: String,
}

pub(super) fn envelope_state(sealed: &Sealed) -> String {
    serde_json::json!({ "pkcs7": sealed.pkcs7, "cert_alias": sealed.cert_alias }).to_string()
}

/// `None`: the recording goes clear. A state that cannot be read is an error: the file is
/// encrypted, and nobody could open it without.
pub(super) fn envelope(row: &RecordingRow) -> Result<Option<Envelope>, StepError> {
    let read = row
        .target_state
        .as_deref()
        .map(serde_json::from_str)
        .transpose();
    let unreadable = |_| {
        format!(
            "recording {}: the ledger's state of its envelope cannot be read",
            row.legacy_id
        )
    };
    read.map_err(|error| StepError::InteractionFailed(RunError::Storage(unreadable(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_that_cannot_be_read_is_an_error_and_never_a_clear_recording() {
        let row = |state: Option<&str>| RecordingRow {
            target_state: state.map(str::to_owned),
            ..RecordingRow::default()
        };
        assert!(envelope(&row(None)).is_ok_and(|envelope| envelope.is_none()));
        let sealed = envelope(&row(Some(r#"{"pkcs7":"p","cert_alias":"a"}"#)))
            .expect("a state")
            .expect("an envelope");
        assert_eq!(
            (sealed.pkcs7.as_str(), sealed.cert_alias.as_str()),
            ("p", "a")
        );
        for damaged in ["", "{}", r#"{"pkcs7":"p"}"#, "no JSON"] {
            assert!(
                matches!(
                    envelope(&row(Some(damaged))),
                    Err(StepError::InteractionFailed(RunError::Storage(_)))
                ),
                "{damaged}"
            );
        }
    }
}
