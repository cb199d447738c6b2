//! `[identity]`: how a target record is tied to its source.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// `[identity]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name of this migration, in every id and tag it makes: lower-case letters, digits, `-`, `_`,
    /// `.`; at most 40 characters.
    pub namespace: String,
    /// What carries the legacy id in the target. Absent: the external tag.
    #[serde(default)]
    #[schemars(with = "String")]
    pub carrier: Carrier,
}

/// What ties a target conversation to its source interaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Carrier {
    /// `externalTag = "st:<namespace>:<legacy_interaction_id>"`.
    #[default]
    ExternalTag,
    /// A participant attribute of this name holds the legacy interaction id.
    ParticipantAttribute(String),
    /// A crosswalk file, relative to the plan.
    Crosswalk(PathBuf),
}

impl TryFrom<String> for Carrier {
    type Error = String;
    fn try_from(text: String) -> Result<Carrier, String> {
        match text.split_once(':') {
            None if text == "external_tag" => Ok(Carrier::ExternalTag),
            Some(("participant_attribute", name)) if !name.is_empty() => {
                Ok(Carrier::ParticipantAttribute(name.to_owned()))
            }
            Some(("crosswalk", file)) if !file.is_empty() => {
                Ok(Carrier::Crosswalk(PathBuf::from(file)))
            }
            _ => Err(format!(
                "carrier `{text}`: expected external_tag, participant_attribute:NAME or \
                 crosswalk:FILE.csv"
            )),
        }
    }
}
