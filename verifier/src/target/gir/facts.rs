//! What only Interaction Recording tells of a call, of its media and of its stores.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Stores;
use crate::observed::{Field, TargetConversation};
use crate::utc_millis::UtcMillis;

/// Fields that privacy settings can hide from an account. Source: settings
/// `metadata.privacy.agent_fields` and `.customer_fields`.
pub(super) const HIDEABLE: [Field; 8] = [
    // `callerPhoneNumber`, `dialedPhoneNumber`.
    Field::Caller,
    Field::Dialled,
    // `parameters.ani`, `.dnis`, `.username`, `.agentId`.
    Field::RecordingCaller,
    Field::RecordingDialled,
    Field::RecordingUser,
    Field::RecordingLogin,
    // `contact.userName`, and `contact.phoneNumber` of a user.
    Field::User,
    Field::UserNumber,
];

/// A call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CallFacts {
    /// Region it was inserted for. Absent: not told.
    pub(crate) region: Option<String>,
    /// Names of its labels.
    pub(crate) labels: Vec<String>,
    /// Numbers of the customer's contact; none where it has none, or is not told.
    pub(crate) customer_numbers: Vec<String>,
    /// Fields it tells.
    pub(crate) told: BTreeSet<Field>,
    /// What SpeechMiner has of it.
    pub(crate) posts: Posts,
    /// What SpeechMiner says of it. Absent: it has nothing, or could not be read.
    pub(crate) posted: Option<Box<SpeechMinerCall>>,
}

/// A call as SpeechMiner has it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SpeechMinerCall {
    /// When its first file begins, in whole seconds where it comes from an export. Absent: not
    /// told.
    pub(crate) start: Option<UtcMillis>,
    /// Addresses of its files.
    pub(crate) files: BTreeSet<String>,
    /// Those of them that RWS has on another call.
    pub(crate) of_others: BTreeSet<String>,
    /// The document that was posted. Absent: the receiver tells none, as an export.
    pub(crate) document: Option<TargetConversation>,
}

/// How often a call stands in SpeechMiner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Posts {
    /// The plan has no SpeechMiner: a declared loss.
    #[default]
    Unused,
    /// So often.
    Count(u64),
    /// Could not be read; what would be needed.
    Unread(String),
}

/// A media file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MediaFacts {
    /// `parameters.username`. Absent: none is told.
    pub(crate) username: Option<String>,
    /// `parameters.agentId`. Absent: none is told.
    pub(crate) login: Option<String>,
    /// `parameters.ani`, without `tel:`. Absent: none is told.
    pub(crate) ani: Option<String>,
    /// `parameters.dnis`. Absent: none is told.
    pub(crate) dnis: Option<String>,
    /// Access groups.
    pub(crate) access_groups: Vec<String>,
    /// Partitions.
    pub(crate) partitions: Vec<String>,
    /// Media type as declared. Absent: none is.
    pub(crate) mime: Option<String>,
    /// Length as declared: a text that should be milliseconds. Absent: none is.
    pub(crate) declared_ms: Option<String>,
    /// Size as declared: a text that should be bytes. Absent: none is.
    pub(crate) declared_bytes: Option<String>,
    /// Address of its file, as stored. Absent: none is told.
    pub(crate) path: Option<String>,
    /// What lies there.
    pub(crate) file: FileSight,
    /// The envelope's PEM. Absent: the file is said to be clear.
    pub(crate) pkcs7: Option<String>,
    /// Certificates it is said to be encrypted for.
    pub(crate) certificates: Vec<String>,
    /// Folder of an archive in which its recording lies; bytes of the path. Absent: it was not
    /// read from an archive.
    pub(crate) archived_in: Option<Vec<u8>>,
}

/// What lies at a media file's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FileSight {
    /// A file. Bytes; absent: not told.
    There { bytes: Option<u64> },
    /// Nothing; in words.
    Absent(String),
    /// Could not be looked at; what would be needed.
    Unread(String),
}

impl Default for FileSight {
    fn default() -> FileSight {
        FileSight::There { bytes: None }
    }
}

/// What only these stores have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoreContents {
    /// Files in the migration's folder that no recording which was read references; where only
    /// some calls are verified, those of theirs.
    pub(crate) unreferenced: Vec<UnreferencedFile>,
    /// Calls of ours that SpeechMiner has and RWS does not show; where only some calls are
    /// verified, those among them.
    pub(crate) only_posted: BTreeSet<String>,
    /// How each store was read.
    pub(crate) read: Stores,
}

/// A file that no recording references.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnreferencedFile {
    /// Path below the store's root.
    pub(crate) path: String,
    /// Recording of the source its name begins with. Absent: another name.
    pub(crate) legacy_recording_id: Option<String>,
}
