//! How each store was read, for the report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the stores of Interaction Recording were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stores {
    /// `live`, `archive` or `none`.
    pub rws: String,
    /// `live`, `listing`, `mount` or `none`.
    pub webdav: String,
    /// `live`, `csv` or `none`.
    pub speechminer: String,
    /// What was handed over instead of read. Mostly empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub handed_over: Vec<HandedOver>,
}

/// An export that stands for a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandedOver {
    /// `rws`, `webdav` or `speechminer`.
    pub store: String,
    /// File or folder, as it was named.
    pub path: String,
    /// When it was last written; of a folder, its newest file. Absent: the file system does not
    /// say.
    pub date: Option<String>,
    /// Who exported it, as told by whoever verified. Absent: nobody said.
    pub origin: Option<String>,
    /// SHA-256, hex. Of a file its own; of an archive that of a line `path bytes sha256` for each
    /// `recording.json`, of a mounted store that of a line `path bytes` for each file of the
    /// migration, by path.
    pub sha256: String,
}

impl Stores {
    /// What a reader of the sentence must know; empty where all three were read.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        for (store, name) in [
            ("rws", "RWS"),
            ("webdav", "the WebDAV store"),
            ("speechminer", "SpeechMiner"),
        ] {
            if let Some(handed) = self.handed_over.iter().find(|handed| handed.store == store) {
                let date = handed
                    .date
                    .as_ref()
                    .map(|date| format!(" of {date}"))
                    .unwrap_or_default();
                let origin = handed
                    .origin
                    .as_ref()
                    .map(|origin| format!(" by {origin}"))
                    .unwrap_or_default();
                words.push_str(&format!(
                    "; {name} was handed over{origin} as {}{date}, not read",
                    handed.path
                ));
            }
        }
        for (from, name) in [
            (&self.rws, "RWS"),
            (&self.webdav, "the WebDAV store"),
            (&self.speechminer, "SpeechMiner"),
        ] {
            if from == "none" {
                words.push_str(&format!("; {name} was not looked at"));
            }
        }
        words
    }
}
