//! The organisation as the server sees it: its listener, its part of the plan and the description
//! of its API.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::post};
use bytes::Bytes;
use serde_json::json;
use toml::Value;

use super::parameters::schema_of_parameter;
use super::snapshot::Snapshot as OwnSnapshot;
use super::{End, GenesysCloud, NAME, Role, Site, tamper, truth};
use crate::config_error::in_words;
use crate::http::reply::Reply;
use crate::plan_writer::{PlanSection, csv, secret_file, table_of, validity};
use crate::platforms::registry::{Addresses, PlatformName};
use crate::platforms::{ApiDescription, Listener, Platform, Snapshot, contracts, own_snapshot};
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

/// A platform without a limit still gets a finite pace.
const UNLIMITED: i64 = 1_000_000;

impl Platform for GenesysCloud {
    fn name(&self) -> &'static str {
        self.end.name()
    }

    fn listeners(self: Arc<Self>) -> Vec<Listener> {
        vec![Listener {
            name: self.end.listener(),
            path: "",
            router: self.router(),
        }]
    }

    fn set_base_urls(&self, url: &dyn Fn(PlatformName) -> String) {
        self.set_base_url(url(self.end.listener()));
    }

    fn truth(&self) -> Result<String, String> {
        truth::export(self).map_err(|error| error.to_string())
    }

    fn tamper(&self, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal> {
        tamper::plant(self, defect, count, seed)
    }

    fn snapshot(&self, _spool: &Path) -> std::io::Result<Snapshot> {
        Ok(Box::new(self.take_snapshot()))
    }

    fn restore(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        self.restore_snapshot(own_snapshot::<OwnSnapshot>(snapshot)?);
        Ok(())
    }

    fn plan_section(&self, world: &World, addresses: &Addresses) -> PlanSection {
        if self.end == End::Source {
            return self.source_section(addresses);
        }
        let (directory, url) = (self.directory(), addresses.genesys_cloud.as_str());
        let section = table_of([
            ("kind", Value::from(NAME)),
            ("ingest", Value::from(self.settings.ingest.as_str())),
            ("base_url", Value::from(url)),
            ("login_url", Value::from(url)),
            ("client_id", Value::from(directory.client_id.as_str())),
            ("client_secret", secret_file("target")),
        ]);
        let rate = |limit: u32| {
            if limit == 0 {
                UNLIMITED
            } else {
                i64::from(limit)
            }
        };
        let agents = csv(
            "legacy_agent_id,genesys_user_id,genesys_user_name,valid_from,valid_to",
            world.mapping().map(|(id, row)| {
                [
                    vec![
                        id.to_owned(),
                        row.user_id.to_string(),
                        row.user_name.clone(),
                    ],
                    validity(row),
                ]
                .concat()
            }),
        );
        let queues = csv(
            "legacy_queue_id,genesys_queue_id",
            world
                .mapped_queues()
                .map(|(row, target)| vec![row.id.clone(), target]),
        );
        PlanSection {
            section,
            pace: (
                rate(self.settings.requests_per_minute),
                rate(self.settings.uploads_per_second),
            ),
            files: vec![
                ("secrets/target".to_owned(), directory.client_secret.clone()),
                ("mapping/agents.csv".to_owned(), agents),
                ("mapping/queues.csv".to_owned(), queues),
            ],
            ..PlanSection::default()
        }
    }

    fn change_role(&self, role: Role) -> Result<(), String> {
        GenesysCloud::change_role(self, role)
    }

    fn control_routes(self: Arc<Self>) -> Router {
        if self.end == End::Source {
            return Router::new();
        }
        Router::new()
            .route("/_sim/role", post(change_role))
            .with_state(self)
    }
}

impl GenesysCloud {
    /// What a plan says of an organisation that recordings are moved from.
    fn source_section(&self, addresses: &Addresses) -> PlanSection {
        let directory = self.directory();
        let url = addresses
            .genesys_cloud_source
            .as_deref()
            .unwrap_or_default();
        let per_minute = match self.settings.requests_per_minute {
            0 => UNLIMITED,
            limit => i64::from(limit),
        };
        PlanSection {
            section: table_of([
                ("kind", Value::from(NAME)),
                ("base_url", Value::from(url)),
                ("login_url", Value::from(url)),
                ("client_id", Value::from(directory.client_id.as_str())),
                ("client_secret", secret_file("source")),
                ("requests_per_minute", Value::from(per_minute)),
            ]),
            files: vec![("secrets/source".to_owned(), directory.client_secret.clone())],
            ..PlanSection::default()
        }
    }
}

/// What the client may do and see from now on.
async fn change_role(State(site): Site, body: Bytes) -> Response {
    let role = serde_json::from_slice::<Role>(&body).map_err(|error| in_words(&error.to_string()));
    match role.and_then(|role| site.change_role(role)) {
        Ok(()) => Reply::empty(204).into_response(),
        Err(reason) => Reply::json(400, &json!({"error": reason})).into_response(),
    }
}

/// How its API is described.
pub(crate) static API: ApiDescription = ApiDescription {
    name: NAME,
    contracts: contracts!("genesys_cloud": "add_external_id" "create_annotation" "create_batchrequest" "create_crossplatform_policy" "create_details_job" "create_division" "create_interaction" "create_queue"
        "create_recording_job" "create_skill" "create_upload_report" "create_user" "create_wrapupcode" "error" "events_batch" "get_batchrequest" "get_conversation" "get_data_retention" "get_home_division" "get_interaction"
        "get_organization" "get_queue" "get_skill" "get_user" "get_wrapupcode"
        "list_divisions" "list_queues" "list_recordingmetadata" "list_recordings" "list_skills" "list_users" "list_wrapupcodes"
        "query_aggregates" "query_deletionprotection" "query_details" "query_retention" "token" "update_attributes" "update_deletionprotection"
        "update_interaction" "update_orphan" "update_recording" "update_tags" "upload_file" "upload_recording"),
    security_scheme: crate::platforms::oauth,
    is_secured: crate::platforms::takes_token,
    error: |shown| {
        let mut schema = shown.unwrap_or_else(|| json!({}));
        schema["required"] = json!(["message", "code", "status", "contextId"]);
        schema
    },
    parameter: schema_of_parameter,
    is_of_store: |operation| operation.path.starts_with("/presigned/"),
    summary: |operation| {
        (!operation.path.starts_with("/api/v2/"))
            .then_some("the store behind pre-signed addresses, or the login host")
    },
};
