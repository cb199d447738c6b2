//! What a scenario may set about this platform, and the organisation it plays.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{access::AccessSettings, limits, public::PublicSettings};
use crate::operations;

/// `[genesys_cloud.limits]` of a scenario. Every number has its unit in its name; what is left out
/// is the platform's own value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// API requests a token may make in a minute. Default 300; 0 means no limit, and no rate
    /// headers.
    pub requests_per_minute: u32,
    /// API requests that all tokens of the organisation together may make in a minute, besides each
    /// token's own. Default 0: no limit.
    pub org_requests_per_minute: u32,
    /// Requests a minute of single operations, which all tokens share:
    /// `{ "genesys_cloud.create_batchrequest" = 100 }`. Default none; 0 means no limit.
    pub route_requests_per_minute: BTreeMap<String, u32>,
    /// Uploads a token may make in a second, counted apart from the minute. Default 100; 0 means no
    /// limit.
    pub uploads_per_second: u32,
    /// Life of an access token in seconds. Default 86400.
    pub token_seconds: u64,
    /// Largest JSON request body in bytes. Default 512000.
    pub max_request_bytes: u64,
    /// Largest uploaded file in bytes. Default 5 GiB.
    pub max_upload_bytes: u64,
    /// How long a recording is transcoded after it is first asked for in a playable format, in
    /// milliseconds; 202 meanwhile. Default 0.
    pub transcode_ms: u64,
    /// How long a new conversation stays out of the analytics jobs, in milliseconds. Default 0.
    pub analytics_lag_ms: u64,
    /// How long an analytics details job runs, in milliseconds. Default 0.
    pub analytics_job_ms: u64,
    /// How long a batch download request runs, in milliseconds. Default 0.
    pub batch_ms: u64,
    /// Life of a pre-signed download address in minutes. Default 60.
    pub download_url_minutes: u64,
    /// The organisation's maximum retention in days, counted from the start of the conversation.
    /// Absent: no maximum.
    pub max_retention_days: Option<u32>,
    /// Conversations that the organisation protects against deletion at most. Default 1000.
    pub max_protected: u64,
    /// Scopes and permissions that the client lacks, such as `recording:upload` or
    /// `recording:recording:view`. Default none.
    pub missing_scopes: Vec<String>,
    /// `ingest` of a scenario.
    #[serde(skip)]
    pub ingest: Ingest,
    /// `[genesys_cloud.access]` of a scenario.
    #[serde(skip)]
    pub access: AccessSettings,
    /// `[genesys_cloud.public]` of a scenario.
    #[serde(skip)]
    pub public: PublicSettings,
}

/// The surface of Genesys Cloud that takes recordings in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ingest {
    /// As the recording-migration guide describes it.
    #[default]
    Guide,
    /// The vendor's public API: events, uploads, what became of them.
    Public,
}

impl Ingest {
    /// As a plan names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Ingest::Guide => "guide",
            Ingest::Public => "public",
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            requests_per_minute: limits::TOKEN_REQUESTS.value as u32,
            org_requests_per_minute: 0,
            route_requests_per_minute: BTreeMap::new(),
            uploads_per_second: limits::UPLOADS.value as u32,
            token_seconds: limits::TOKEN_LIFE.value,
            max_request_bytes: limits::REQUEST_BYTES.value,
            max_upload_bytes: limits::UPLOAD_BYTES.value,
            transcode_ms: 0,
            analytics_lag_ms: 0,
            analytics_job_ms: 0,
            batch_ms: 0,
            download_url_minutes: limits::DOWNLOAD_URL_MINUTES.value,
            max_retention_days: None,
            max_protected: limits::PROTECTED_CONVERSATIONS.value,
            missing_scopes: Vec::new(),
            ingest: Ingest::default(),
            access: AccessSettings::default(),
            public: PublicSettings::default(),
        }
    }
}

impl Settings {
    /// What is wrong with it, in a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        for name in self.route_requests_per_minute.keys() {
            match operations::find(name) {
                Ok(operation) if name.starts_with("genesys_cloud.") && !operation.is_inside() => {}
                Ok(_) => {
                    return Err(format!(
                        "route_requests_per_minute names `{name}`, which is no request to Genesys \
                         Cloud"
                    ));
                }
                Err(nearest) => {
                    return Err(format!(
                        "route_requests_per_minute names `{name}`, which is no operation; the \
                         nearest is `{nearest}`"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The organisation: who and what exists before the first migrated call, and the one client that
/// may enter.
#[derive(Clone)]
pub(crate) struct Directory {
    /// Who the source's agents are here.
    pub(crate) agents: Vec<MappedAgent>,
    /// Users; only these ids are valid agents.
    pub(crate) users: Vec<Entry>,
    /// Queues.
    pub(crate) queues: Vec<Entry>,
    /// Wrap-up codes.
    pub(crate) wrapups: Vec<Entry>,
    /// ACD skills.
    pub(crate) skills: Vec<Entry>,
    /// Divisions made by clients, behind those of the settings.
    pub(crate) divisions: Vec<Entry>,
    /// The division of what clients made, by its id; everything else has one by the seed.
    pub(crate) placed: BTreeMap<Uuid, Uuid>,
    /// Retention tags the organisation knows, each with the years it keeps.
    pub(crate) retention_tags: Vec<(String, i64)>,
    /// IANA name of the zone the recorders stand in; needed by the daylight-saving defects.
    pub(crate) site_zone: String,
    /// Client id of the one OAuth client.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("users", &self.users.len())
            .field("queues", &self.queues.len())
            .field("wrapups", &self.wrapups.len())
            .field("skills", &self.skills.len())
            .field("site_zone", &self.site_zone)
            .field("client_secret", &"...")
            .finish_non_exhaustive()
    }
}

/// An agent of the source, as the mapping has it.
#[derive(Clone, Debug)]
pub(crate) struct MappedAgent {
    /// Of the desk, which others may share.
    pub(crate) extension: String,
    /// Users the id meant, in order of time.
    pub(crate) users: Vec<Uuid>,
}

/// One user, queue, wrap-up code, skill or division.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// `active`, `inactive` or `deleted`; `active` for everything that is not a user.
    pub(crate) state: &'static str,
    /// What clients said of it; absent where none made or changed it.
    pub(crate) said: Option<Box<Said>>,
}

/// What clients said of an entry beside its name, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Fields of the vendor's model, as reads show them.
    pub(crate) fields: Map<String, Value>,
    /// 1 where it was made, one more with each change.
    pub(crate) version: u32,
}

impl Entry {
    /// An entry as the world begins with it.
    pub(crate) fn new(id: Uuid, name: impl Into<String>, state: &'static str) -> Entry {
        Entry {
            id,
            name: name.into(),
            state,
            said: None,
        }
    }

    /// A text that a client said of it.
    pub(super) fn said(&self, field: &str) -> Option<&str> {
        self.said.as_ref()?.fields.get(field)?.as_str()
    }

    /// How often it was written; 1 for what the world began with.
    pub(super) fn version(&self) -> u32 {
        self.said.as_ref().map_or(1, |said| said.version)
    }
}

impl Directory {
    /// The user every call of an unmapped agent is given to; absent when the organisation has none.
    pub(super) fn fallback_user(&self) -> Option<Uuid> {
        self.users
            .iter()
            .find(|user| user.name == FALLBACK_USER)
            .map(|user| user.id)
    }
}

/// Name of the fallback user. Source: recording-migration guide, edge case 2.
pub(super) const FALLBACK_USER: &str = "Historical Migration - Unknown Agent";

/// Whether a list holds an id.
pub(super) fn holds(entries: &[Entry], id: Uuid) -> bool {
    entries.iter().any(|entry| entry.id == id)
}

/// The name of an id; absent when the list lacks it.
pub(super) fn name_of(entries: &[Entry], id: Uuid) -> Option<&str> {
    entries
        .iter()
        .find(|entry| entry.id == id)
        .map(|entry| entry.name.as_str())
}
