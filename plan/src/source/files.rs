//! Files that another system exported: a folder of audio with metadata as CSV, NDJSON or JSON.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::layout;

/// `[source]` with `kind = "files"`. Source: docs/reference/plan.md, docs/reference/layout.md.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Folder of the recordings, relative to the plan.
    pub audio: String,
    /// Folder of the metadata files, relative to the plan. Absent: `audio`.
    pub metadata: Option<String>,
    /// File that says how the metadata is laid out, relative to the plan. This or `preset`.
    pub layout: Option<PathBuf>,
    /// Name of a layout that comes with the program. This or `layout`.
    pub preset: Option<String>,
    /// Start of the window, inclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// End of the window, exclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub to: Option<Timestamp>,
}

impl Files {
    /// Folder of the metadata files, as the plan writes it.
    #[must_use]
    pub fn metadata(&self) -> &str {
        self.metadata.as_deref().unwrap_or(&self.audio)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        for (key, folder) in [
            ("audio", Some(&self.audio)),
            ("metadata", self.metadata.as_ref()),
        ] {
            match folder.map(String::as_str) {
                Some("") => return Err(format!("source.{key} is empty; name a folder")),
                Some(url) if url.contains("://") => {
                    return Err(format!(
                        "source.{key} takes a folder of this machine; object stores are not read \
                         yet, so mount or copy them"
                    ));
                }
                _ => {}
            }
        }
        match (&self.layout, &self.preset) {
            (Some(_), Some(_)) => {
                return Err("source.layout and source.preset exclude each other".to_owned());
            }
            (None, None) => {
                return Err(format!(
                    "source.layout or source.preset is required for kind = \"files\"; presets: {}",
                    layout::preset_names().join(", ")
                ));
            }
            _ => {}
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                Err("source.from is not before source.to".to_owned())
            }
            _ => Ok(()),
        }
    }
}
