//! The source as the server sees it: its listeners, what it remembers, its part of the plan and the
//! description of its API.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use toml::Value;

use super::NAME;
use super::auth::Tokens;
use super::state::{Legacy, MAX_PAGE};
use crate::plan_writer::{PlanSection, secret_file, table_of};
use crate::platforms::registry::{Addresses, PlatformName};
use crate::platforms::{ApiDescription, Listener, Platform, Snapshot, contracts, own_snapshot};
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

impl Platform for Legacy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listeners(self: Arc<Self>) -> Vec<Listener> {
        vec![
            Listener {
                name: PlatformName::Legacy,
                path: "",
                router: self.router(),
            },
            Listener {
                name: PlatformName::LegacyMedia,
                path: "",
                router: self.media_router(),
            },
        ]
    }

    fn set_base_urls(&self, url: &dyn Fn(PlatformName) -> String) {
        *self.media_url.write() = url(PlatformName::LegacyMedia);
    }

    fn truth(&self) -> Result<String, String> {
        self.world.truth().map_err(|error| error.to_string())
    }

    /// Nothing can be planted in a source: what is wrong with its data, its world says.
    fn tamper(
        &self,
        defect: &str,
        _count: usize,
        _seed: u64,
    ) -> Result<TamperAnswer, TamperRefusal> {
        Err(TamperRefusal::Unknown {
            defect: defect.to_owned(),
            platform: NAME,
            known: "none".to_owned(),
        })
    }

    /// The tokens it gave out. Its interactions are its world's.
    fn snapshot(&self, _spool: &Path) -> std::io::Result<Snapshot> {
        Ok(Box::new(self.auth.snapshot()))
    }

    fn restore(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        self.auth.restore(own_snapshot::<Tokens>(snapshot)?);
        Ok(())
    }

    fn plan_section(&self, _world: &World, addresses: &Addresses) -> PlanSection {
        let (client_id, client_secret) = self.credentials();
        let media_host = addresses
            .legacy_media
            .split_once("://")
            .map_or("", |(_, host)| host);
        let section = table_of([
            ("kind", Value::from(NAME)),
            ("base_url", Value::from(addresses.legacy.as_str())),
            ("client_id", Value::from(client_id)),
            ("client_secret", secret_file("source")),
            ("media_hosts", Value::from(vec![media_host])),
        ]);
        PlanSection {
            section,
            files: vec![("secrets/source".to_owned(), client_secret.to_owned())],
            ..PlanSection::default()
        }
    }
}

/// How its API is described.
pub(crate) static API: ApiDescription = ApiDescription {
    name: NAME,
    contracts: contracts!("legacy": "get_media" "get_recording" "list_queues" "list_users" "query_interactions" "token"),
    security_scheme: crate::platforms::oauth,
    is_secured: crate::platforms::takes_token,
    error: |_| {
        json!({
            "type": "object",
            "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
            "required": ["error", "message"],
        })
    },
    parameter: |_, name| {
        Some(match name {
            "size" => json!({"type": "integer", "minimum": 1, "maximum": MAX_PAGE}),
            "from" | "to" => json!({"type": "integer", "format": "int64"}),
            _ => json!({"type": "string"}),
        })
    },
    is_of_store: |_| false,
    summary: |_| None,
};
