//! Genesys Cloud as a target: the guide's ingestion surface, and the public API's read surface that everything taken in is read back by.
//!
//! [`GenesysCloud`] is the platform; `state` is what it remembers (no HTTP there), `wire` what the guide's payload looks like, `limits` and `rules`
//! what it imposes and who says so. A request goes through `endpoint`; `truth` tells what is really held, `tamper` plants defects in it.

mod access;
mod aggregates;
mod analytics;
mod annotations;
mod auth;
mod batch;
mod cursor;
mod deletion;
mod details;
mod directory;
mod endpoint;
mod errors;
mod files;
mod filters;
mod guide;
mod identity;
mod limits;
mod lists;
mod media;
mod organisation;
mod parameters;
mod participant_view;
mod parts;
mod platform;
mod public;
mod read;
mod regions;
mod retention;
mod rules;
mod settings;
mod snapshot;
mod spool;
mod state;
mod tamper;
#[cfg(test)]
mod tests;
mod times;
mod truth;
mod users;
mod validate;
mod visibility_delay;
mod wire;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use uuid::Uuid;

pub use self::{
    access::{AccessSettings, Role},
    public::{AttributeSearch, PolicyDaysFrom, PublicSettings, ReportColumn, ReusedEventId},
    regions::REGIONS,
    settings::{Ingest, Settings},
};
use self::{auth::Tokens, errors::ApiError, spool::Spool};
pub(crate) use self::{
    platform::API,
    settings::{Directory, Entry},
};
use crate::{
    audio_facts::AudioFacts,
    http::reply::Reply,
    http::request_context,
    operations::Operation,
    pipeline::{Core, Endpoint, Refusal},
    rules::Rule,
    seed::Seed,
};

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "genesys_cloud";

/// What a handler takes out of the router.
type Site = State<Arc<GenesysCloud>>;

/// One simulated Genesys Cloud organisation.
pub(crate) struct GenesysCloud {
    core: Arc<Core>,
    directory: RwLock<Arc<Directory>>,
    settings: Settings,
    spool: Spool,
    base_url: Mutex<String>,
    tokens: Mutex<Tokens>,
    attempts: Mutex<HashMap<u64, u64>>,
    state: Mutex<state::State>,
    facts: Mutex<HashMap<String, AudioFacts>>,
    outputs: Mutex<HashMap<(String, &'static str), media::Output>>,
    role: Mutex<access::RoleHeld>,
}

impl GenesysCloud {
    /// An empty organisation. `spool` is where uploaded bytes lie, each under its SHA-256; it is made when the first arrive.
    pub(crate) fn new(core: Arc<Core>, directory: Directory, settings: Settings, spool: PathBuf) -> Arc<GenesysCloud> {
        let role = access::RoleHeld::new(settings.missing_scopes.clone(), settings.access.client_divisions.clone());
        Arc::new(GenesysCloud {
            role: Mutex::new(role),
            core,
            directory: RwLock::new(Arc::new(directory)),
            settings,
            spool: Spool::new(spool),
            base_url: Mutex::default(),
            tokens: Mutex::default(),
            attempts: Mutex::default(),
            state: Mutex::default(),
            facts: Mutex::default(),
            outputs: Mutex::default(),
        })
    }

    /// Says where the router listens, without a slash at the end; pre-signed addresses begin with it.
    pub(crate) fn set_base_url(&self, url: String) {
        *locked(&self.base_url) = url.trim_end_matches('/').to_owned();
    }

    /// Every path of this platform.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let details = "/api/v2/analytics/conversations/details";
        Router::new()
            .route("/oauth/token", post(auth::issue_token))
            .route("/api/v2/tokens/me", get(auth::token_info).delete(auth::end_token))
            .route("/api/v2/files", post(files::upload))
            .route("/api/v2/interactions", post(guide::create))
            .route("/api/v2/interactions/{id}", get(guide::show).put(guide::update))
            .route("/api/v2/users", get(lists::users))
            .route("/api/v2/users/{id}", get(lists::user_by_id))
            .route("/api/v2/routing/queues/{id}", get(lists::queue_by_id))
            .route("/api/v2/routing/wrapupcodes/{id}", get(lists::wrapupcode_by_id))
            .route("/api/v2/routing/skills/{id}", get(lists::skill_by_id))
            .route("/api/v2/authorization/divisions/home", get(access::home_division))
            .route("/api/v2/authorization/divisions/{id}", get(access::division_by_id))
            .route("/api/v2/organizations/me", get(organisation::itself))
            .route("/api/v2/users/query", get(users::query))
            .route("/api/v2/users/search", post(users::search))
            .route("/api/v2/routing/queues", get(lists::queues))
            .route("/api/v2/routing/queues/{id}/wrapupcodes", get(lists::wrapupcodes_of_queue))
            .route("/api/v2/routing/wrapupcodes", get(lists::wrapupcodes))
            .route("/api/v2/routing/skills", get(lists::skills))
            .route("/api/v2/authorization/divisions", get(access::list_divisions))
            .route("/api/v2/organizations/limits/namespaces", get(lists::limit_namespaces))
            .route("/api/v2/organizations/limits/namespaces/{namespace}", get(lists::limits_of))
            .route("/api/v2/organizations/limits/namespaces/{namespace}/defaults", get(organisation::limit_defaults))
            .route("/api/v2/recording/settings", get(organisation::recording_settings))
            .route("/api/v2/conversations/{id}", get(read::conversation))
            .route("/api/v2/conversations/{id}/participants/{participant}/wrapup", get(parts::wrapup))
            .route("/api/v2/conversations/{id}/recordings/{recording}/annotations", get(annotations::list).post(annotations::create))
            .route(
                "/api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}",
                get(annotations::show).put(annotations::update).delete(annotations::delete),
            )
            .route("/api/v2/conversations/{id}/recordings", get(read::recordings))
            .route("/api/v2/conversations/{id}/recordings/{recording}", get(read::recording).put(public::update_recording))
            .route("/api/v2/conversations/{id}/recordingmetadata", get(read::metadata))
            .route("/api/v2/conversations/{id}/recordingmetadata/{recording}", get(read::metadata_of))
            .route("/api/v2/recordings/retention/query", get(retention::query))
            .route("/api/v2/recordings/deletionprotection", post(retention::protection).put(public::update_protection))
            .route("/api/v2/recording/batchrequests", post(batch::create))
            .route("/api/v2/recording/batchrequests/{id}", get(batch::show))
            .route("/presigned/{kind}/{conversation}/{recording}", get(media::download))
            .route("/api/v2/analytics/dataretention/settings", get(retention::maximum))
            .route("/api/v2/analytics/conversations/{id}/details", get(details::of_one))
            .route(details, get(details::of_many))
            .route(&format!("{details}/query"), post(analytics::query))
            .route(&format!("{details}/jobs"), post(analytics::create_job))
            .route(&format!("{details}/jobs/availability"), get(analytics::availability))
            .route(&format!("{details}/jobs/{{id}}"), get(analytics::job).delete(details::delete_job))
            .route(&format!("{details}/jobs/{{id}}/results"), get(analytics::results))
            .route("/api/v2/analytics/conversations/aggregates/query", post(aggregates::query))
            .merge(directory::routes())
            .merge(public::routes())
            .fallback(unknown_path)
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::clone(self))
    }

    /// Who and what there is, as it stands now.
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes who and what there is; nothing where the change is refused.
    fn change_directory<T>(&self, change: impl FnOnce(&mut Directory) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut held = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Directory::clone(&held);
        let answer = change(&mut changed)?;
        *held = Arc::new(changed);
        Ok(answer)
    }

    fn seed(&self) -> Seed {
        self.core.seed.child(NAME)
    }

    /// An id made by the server: a function of seed, operation, key and ordinal.
    fn made_id(&self, operation: &'static Operation, key: &str, ordinal: u64) -> Uuid {
        self.seed().child(operation.name).child(key).index(ordinal).uuid()
    }

    fn mark(&self, rule: &'static Rule) {
        self.core.exercised.mark(rule);
    }

    fn now_ms(&self) -> i64 {
        self.core.clock.now_ms()
    }

    /// As the client reached it: under one port for all it may have come by any of the vendor's names.
    fn base_url(&self) -> String {
        request_context::origin().map_or_else(|| locked(&self.base_url).clone(), |origin| origin.itself())
    }

    /// What the organisation remembers, as it stands now: whatever became due since the last look is done first.
    fn state(&self) -> MutexGuard<'_, state::State> {
        let mut state = locked(&self.state);
        self.settle(&mut state);
        state
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        locked(&self.tokens)
    }

    /// The how-manieth request of an operation and key this is, refused ones included; it feeds the correlation id and nothing else.
    fn attempt(&self, operation: &str, key: &str) -> u64 {
        let slot = Seed::new(0).child(operation).child(key).value();
        let mut attempts = locked(&self.attempts);
        let attempt = attempts.entry(slot).or_default();
        *attempt += 1;
        *attempt
    }
}

impl Endpoint for GenesysCloud {
    fn name(&self) -> &'static str {
        NAME
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        errors::refusal(refusal).reply()
    }
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation =
    Operation { name: "genesys_cloud.unknown_path", method: "-", path: "-", key: "-", mutates: false, needs: &[], query: &[] };

async fn unknown_path(State(site): Site, request: Request) -> Response {
    endpoint::drain(request.into_body()).await;
    endpoint::reject(&*site, &UNKNOWN_PATH, "-", None, ApiError::not_found()).await
}

async fn wrong_method(State(site): Site, request: Request) -> Response {
    let message = format!("the method {} is not allowed here", request.method());
    endpoint::drain(request.into_body()).await;
    let error = ApiError::new(405, "method.not.allowed", message);
    endpoint::reject(&*site, &UNKNOWN_PATH, "-", None, error).await
}

/// What this platform claims: its rules and the numbers it imposes.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    let limits = limits::ALL.into_iter().map(|limit| &limit.rule);
    rules::ALL
        .iter()
        .copied()
        .chain(access::RULES.iter().copied())
        .chain(directory::RULES.iter().copied())
        .chain(public::RULES.iter().copied())
        .chain(limits)
}

/// A lock that outlives a panic of another holder: what it guards is consistent between statements.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
