//! Which conversations are ours, and of which source interaction. Source:
//! docs/reference/identity.md. An id is never derived.

use std::collections::HashMap;

use plan::{Carrier, LoadedPlan};

use crate::run_error::RunError;
use crate::sorted_map::SortedMap;
use crate::target::crosswalk::crosswalk;
use crate::text::Text;

/// What ties a conversation to its source.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// `st:<namespace>:<legacy id>` in the external tag. Holds the prefix.
    Tag(String),
    /// A participant attribute. Holds its name, and the prefix it may carry.
    Attribute { name: String, prefix: String },
    /// A crosswalk: conversation id to legacy id.
    Crosswalk(HashMap<String, String>),
}

impl Identity {
    pub(crate) fn new(loaded: &LoadedPlan) -> Result<Identity, RunError> {
        let prefix = format!("st:{}:", loaded.plan.identity.namespace);
        match &loaded.plan.identity.carrier {
            Carrier::ExternalTag => Ok(Identity::Tag(prefix)),
            Carrier::ParticipantAttribute(name) => Ok(Identity::Attribute {
                name: name.clone(),
                prefix,
            }),
            Carrier::Crosswalk(file) => crosswalk(loaded, file).map(Identity::Crosswalk),
        }
    }

    /// Conversations that are ours by their ids alone, before any is read.
    pub(crate) fn conversations(&self) -> impl Iterator<Item = &str> {
        let rows = match self {
            Identity::Crosswalk(rows) => Some(rows),
            Identity::Tag(_) | Identity::Attribute { .. } => None,
        };
        rows.into_iter().flat_map(HashMap::keys).map(String::as_str)
    }

    /// The source's interaction id; `None`: not ours.
    pub(crate) fn legacy_id(
        &self,
        conversation_id: &str,
        tag: Option<&str>,
        attributes: &SortedMap<Text, Text>,
    ) -> Option<Text> {
        let id = match self {
            Identity::Tag(prefix) => tag?.strip_prefix(prefix.as_str()),
            Identity::Attribute { name, prefix } => attributes.get(name.as_str()).map(|value| {
                value
                    .strip_prefix(prefix.as_str())
                    .unwrap_or(value.as_str())
            }),
            Identity::Crosswalk(rows) => rows.get(conversation_id).map(String::as_str),
        };
        id.filter(|id| !id.is_empty()).map(Text::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::crosswalk::rows;

    #[test]
    fn only_the_namespace_makes_a_conversation_ours() {
        let tag = Identity::Tag("st:acme:".into());
        let none = SortedMap::default();
        for (text, wanted) in [
            (Some("st:acme:7"), Some("7")),
            (Some("st:acme-2:7"), None),
            (Some("st:acme:"), None),
            (Some("7"), None),
            (None, None),
        ] {
            assert_eq!(
                tag.legacy_id("c", text, &none).as_deref(),
                wanted,
                "{text:?}"
            );
        }
        let attribute = Identity::Attribute {
            name: "legacy".into(),
            prefix: "st:acme:".into(),
        };
        for value in ["7", "st:acme:7"] {
            assert_eq!(
                attribute
                    .legacy_id(
                        "c",
                        None,
                        &SortedMap::from_iter([("legacy".into(), value.into())])
                    )
                    .as_deref(),
                Some("7")
            );
        }
        let rows = rows("legacy_interaction_id,legacy_recording_id,target,target_interaction_id,target_recording_id,file_id,sha256\n7,7-1,genesys_cloud,c,r,f,h\n").expect("rows");
        assert_eq!(
            Identity::Crosswalk(rows)
                .legacy_id("c", None, &none)
                .as_deref(),
            Some("7")
        );
    }
}
