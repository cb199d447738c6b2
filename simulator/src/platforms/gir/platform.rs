//! The deployment as the server sees it: its three listeners, what it hands over, and the
//! description of its API.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::snapshot::Snapshot as OwnSnapshot;
use super::webdav::MOUNT;
use super::{ExportError, Gir, Listening, NAME, plan, speechminer, tamper, truth};
use crate::http::reply::Reply;
use crate::plan_writer::PlanSection;
use crate::platforms::registry::{Addresses, PlatformName};
use crate::platforms::{ApiDescription, Listener, Platform, Snapshot, contracts, own_snapshot};
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

impl Platform for Gir {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listeners(self: Arc<Self>) -> Vec<Listener> {
        let routers = self.routers();
        vec![
            Listener {
                name: PlatformName::Gir,
                path: "",
                router: routers.rws,
            },
            Listener {
                name: PlatformName::Webdav,
                path: MOUNT,
                router: routers.webdav,
            },
            Listener {
                name: PlatformName::SpeechMiner,
                path: speechminer::PATH,
                router: routers.speechminer,
            },
        ]
    }

    fn set_base_urls(&self, url: &dyn Fn(PlatformName) -> String) {
        let [rws, webdav, speechminer] = [
            PlatformName::Gir,
            PlatformName::Webdav,
            PlatformName::SpeechMiner,
        ]
        .map(url);
        Gir::set_base_urls(
            self,
            &Listening {
                rws,
                webdav,
                speechminer,
            },
        );
    }

    fn truth(&self) -> Result<String, String> {
        truth::export(self).map_err(|error| error.to_string())
    }

    fn tamper(&self, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal> {
        tamper::plant(self, defect, count, seed)
    }

    fn snapshot(&self, spool: &Path) -> std::io::Result<Snapshot> {
        Ok(Box::new(self.take_snapshot(spool)?))
    }

    fn restore(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        self.restore_snapshot(own_snapshot::<OwnSnapshot>(snapshot)?)
    }

    fn plan_section(&self, world: &World, _addresses: &Addresses) -> PlanSection {
        plan::section(self, world)
    }

    fn decryption_keys(&self) -> Vec<String> {
        let handed = self
            .recipients()
            .iter()
            .filter(|_| self.settings().encryption.hand_over_key);
        handed.map(|one| one.key_pem.clone()).collect()
    }

    fn control_routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/_sim/exports/gir", get(exports))
            .with_state(self)
    }
}

/// `?dir=`: a folder on this machine; `&media=true`: media beside each recording of the archive
/// too.
async fn exports(
    State(site): State<Arc<Gir>>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    let refusal =
        |status, message: &str| Reply::json(status, &json!({"error": message})).into_response();
    let Some(dir) = params
        .get("dir")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
    else {
        return refusal(
            400,
            "dir must name an empty folder of the simulator's machine",
        );
    };
    let with_media = params.get("media").is_some_and(|text| text == "true");
    let asked = dir.clone();
    // Files are copied on a thread that may wait for the disk.
    let written = tokio::task::spawn_blocking(move || site.write_exports(&dir, with_media)).await;
    match written.unwrap_or_else(|error| {
        Err(ExportError::Io {
            path: asked,
            source: std::io::Error::other(error),
        })
    }) {
        Ok(exported) => Reply::json(200, &exported).into_response(),
        Err(error @ ExportError::Exists(_)) => refusal(409, &error.to_string()),
        Err(error @ ExportError::Io { .. }) => refusal(400, &error.to_string()),
    }
}

/// How the API of its web services is described.
pub(crate) static API: ApiDescription = ApiDescription {
    name: NAME,
    contracts: contracts!("gir": "add_labels" "change_recording" "create_label" "delete_recording" "get_recording" "get_version" "insert_recording"
        "list_contact_centers" "query_recordings" "update_store"),
    security_scheme: |_| ("basic", json!({"type": "http", "scheme": "basic"})),
    is_secured: |operation| !operation.needs.is_empty(),
    error: |_| json!({"type": "object", "properties": {"statusCode": {"type": "integer"}, "statusMessage": {"type": "string"}}}),
    parameter: |_, _| Some(json!({"type": "string"})),
    is_of_store: |_| false,
    summary: |_| None,
};
