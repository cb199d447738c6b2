//! Where a recording's sound is had: from a batch download, or from the store its file lies in.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use platforms::CallError;
use platforms::clock::Clock;

use crate::run_error::RunError;
use crate::source::collect;

/// Pauses before a file that arrives cut is asked for again.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Conversation and recording in the target.
pub(crate) type Address = (String, String);

/// Where a recording's audio is, or why it is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sound {
    /// An address to fetch, the media type the platform declares, and what opens the file, where it
    /// is said to be encrypted.
    At {
        url: String,
        content_type: Option<String>,
        envelope: Option<Envelope>,
    },
    /// The platform says that it is gone; its words.
    Lost(String),
    /// Left out or not allowed; what would be needed.
    Hidden(String),
}

/// What is told of a file that is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// PEM of the envelope.
    pub(crate) pkcs7: String,
    /// Names of the certificates it is encrypted for.
    pub(crate) certificates: Vec<String>,
}

/// Recordings that are located at once: as many as a batch download of Genesys Cloud takes, and a
/// fair number of files anywhere.
pub(crate) const LOCATED_AT_ONCE: usize = 100;

/// Where a target's audio is had.
#[async_trait(?Send)]
pub(crate) trait MediaStore {
    /// Where the audio of these is, at most [`LOCATED_AT_ONCE`] of them and at least one. Every one
    /// has an answer.
    async fn locate(&self, wanted: &[Address]) -> Result<BTreeMap<Address, Sound>, RunError>;

    /// One reading of the bytes at an address.
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, Unfetched>;
}

/// The bytes at an address: asked for again while they arrive cut, and once more when they are not
/// given. Not to be fetched is hidden, never missing.
pub(crate) async fn fetch(
    store: &dyn MediaStore,
    url: &str,
    clock: &Clock,
) -> Result<Vec<u8>, Unfetched> {
    let (mut pauses, mut doubted) = (PAUSES.into_iter(), false);
    loop {
        let read = store.fetch(url).await;
        match &read {
            Err(Unfetched::Cut(_)) => match pauses.next() {
                Some(pause) => clock.sleep(pause).await,
                None => return read,
            },
            Err(Unfetched::Gone(_) | Unfetched::Hidden(_)) if !doubted => doubted = true,
            _ => return read,
        }
    }
}

/// An error without the address: each recording has its own, and a reason is told once.
pub(super) fn short(error: &CallError) -> String {
    match error {
        CallError::Refused { status, code, .. } => format!("{status} {code}").trim_end().to_owned(),
        CallError::Malformed { why, .. }
        | CallError::Unreachable { why, .. }
        | CallError::NotSent { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

/// Why bytes were not had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfetched {
    /// There is no such file; in words.
    Gone(String),
    /// Its bytes break off or fall short; in words.
    Cut(String),
    /// Hidden, not missing; in words.
    Hidden(String),
}

/// All bytes of an answer; `what` it is of, for the words.
pub(super) async fn whole(what: &str, answer: platforms::Media) -> Result<Vec<u8>, Unfetched> {
    match collect(answer).await {
        Ok((bytes, length)) if length.is_none_or(|length| length == bytes.len() as u64) => {
            Ok(bytes)
        }
        Ok((bytes, _)) => Err(Unfetched::Cut(format!(
            "{what} arrives cut after {} bytes",
            bytes.len()
        ))),
        // Too long, or in a coding nobody asked for: another try brings the same.
        Err(error @ CallError::Malformed { .. }) => Err(Unfetched::Hidden(format!(
            "{what} cannot be fetched: {}",
            short(&error)
        ))),
        Err(error) => Err(Unfetched::Cut(format!(
            "{what} cannot be fetched: {}",
            short(&error)
        ))),
    }
}
