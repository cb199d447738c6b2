//! Ids and tags in Genesys Cloud: functions of namespace and legacy id, so that repeating is safe.
//! Source: docs/reference/identity.md.

use plan::{Carrier, Identity};
use uuid::Uuid;

/// Ids the target lets us choose: functions of namespace and legacy id, so that repeating is safe.
pub(crate) struct Names<'a> {
    namespace: &'a str,
    pub(super) carrier: &'a Carrier,
    root: Uuid,
}

impl<'a> Names<'a> {
    pub(crate) fn new(identity: &'a Identity) -> Names<'a> {
        let (namespace, carrier) = (identity.namespace.as_str(), &identity.carrier);
        Names {
            namespace,
            carrier,
            root: Uuid::new_v5(
                &Uuid::NAMESPACE_URL,
                format!("seatrial:{namespace}").as_bytes(),
            ),
        }
    }

    pub(crate) fn id(&self, kind: &str, legacy_id: &str) -> String {
        Uuid::new_v5(&self.root, format!("{kind}:{legacy_id}").as_bytes()).to_string()
    }

    /// The same shaped like a random (version 4) UUID, which the public ingestion asks for.
    pub(crate) fn random_id(&self, kind: &str, legacy_id: &str) -> String {
        let derived = Uuid::new_v5(&self.root, format!("{kind}:{legacy_id}").as_bytes());
        uuid::Builder::from_random_bytes(*derived.as_bytes())
            .into_uuid()
            .to_string()
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace
    }

    pub(crate) fn external_tag(&self, legacy_interaction_id: &str) -> String {
        format!("st:{}:{legacy_interaction_id}", self.namespace)
    }
}
