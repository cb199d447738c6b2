//! A call as an organisation lists it: what analytics says of the conversation, word for word, and
//! what is asked for beside it. Source: docs/reference/organisation.md.

use platforms::genesys_cloud::wire;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// As the ledger and staging keep it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entity {
    /// A conversation of a details job.
    pub(super) conversation: Box<RawValue>,
    /// Its audio recordings, in the order they are listed. Absent: they could not be listed.
    pub(super) recordings: Option<Vec<String>>,
    /// Whether it is protected against deletion.
    pub(super) deletion_protected: bool,
    /// Why its recordings could not be listed. Absent: they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unlisted: Option<String>,
}

/// An entity that can be read.
pub(super) struct Listed {
    pub(super) conversation: wire::AnalyticsConversation,
    pub(super) deletion_protected: bool,
}

impl Listed {
    /// Reads an entity; the error says in words why it cannot be.
    pub(super) fn read(entity: &str) -> Result<Listed, String> {
        let entity: Entity = serde_json::from_str(entity).map_err(|error| at(&error))?;
        let conversation =
            serde_json::from_str(entity.conversation.get()).map_err(|error| at(&error))?;
        match (entity.recordings, entity.unlisted) {
            (Some(_), None) => Ok(Listed {
                conversation,
                deletion_protected: entity.deletion_protected,
            }),
            (_, why) => Err(format!(
                "its recordings could not be listed: {}",
                why.unwrap_or_default()
            )),
        }
    }
}

/// Where JSON is not what is expected, without the values that serde's words would quote.
pub(super) fn at(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            format!("a field is not what it should be, at {place}")
        }
        _ => format!("it is not JSON, at {place}"),
    }
}

/// The id of a conversation of which nothing else may be readable.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdOnly {
    pub(super) conversation_id: String,
}

/// What a listing needs of a recording.
#[derive(Deserialize)]
pub(super) struct ListedRecording {
    pub(super) id: String,
    pub(super) media: Option<String>,
}

impl ListedRecording {
    /// Screens, chats and e-mails are no calls.
    pub(super) fn is_audio(&self) -> bool {
        self.media
            .as_deref()
            .is_none_or(|media| media.eq_ignore_ascii_case("audio"))
    }
}

/// Whether a conversation is a call: one of its sessions is, or none says what it is.
pub(super) fn is_call(conversation: &wire::AnalyticsConversation) -> bool {
    let mut kinds = conversation
        .participants
        .iter()
        .flat_map(|participant| &participant.sessions)
        .filter_map(|session| session.media_type.as_deref())
        .peekable();
    kinds.peek().is_none() || kinds.any(|kind| kind.eq_ignore_ascii_case("voice"))
}
