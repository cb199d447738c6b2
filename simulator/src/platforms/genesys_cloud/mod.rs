//! Genesys Cloud as a target: the guide's ingestion surface, and the public API's read surface that
//! everything taken in is read back by.
//!
//! [`GenesysCloud`] is the platform; `state` is what it remembers, in `stores` (no HTTP there),
//! `wire` what the guide's payload looks like, `limits` and `rules` what it imposes and who says
//! so. A request goes through `endpoint`; `truth` tells what is really held, `tamper` plants
//! defects in it.

mod access;
mod aggregates;
mod analytics;
mod annotations;
mod auth;
mod batch;
mod conversation;
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
mod native;
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
mod stores;
mod tamper;
#[cfg(test)]
mod tests;
mod times;
mod truth;
mod users;
mod validate;
mod visibility_delay;
mod wire;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
};
use parking_lot::{Mutex, MutexGuard, RwLock};
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
    settings::{Directory, Entry, MappedAgent},
};
use crate::{
    audio_facts::AudioFacts,
    http::reply::Reply,
    http::request_context,
    operations::{self, Operation},
    pipeline::{Core, Endpoint, Refusal, routes::OperationRoutes as _},
    platforms::registry::PlatformName,
    rules::Rule,
    seed::Seed,
    world::World,
};

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "genesys_cloud";
/// The name of a second organisation, which recordings are moved from. Its operations are the same.
pub(crate) const SOURCE_NAME: &str = "genesys_cloud_source";

/// What a handler takes out of the router.
type Site = State<Arc<GenesysCloud>>;

/// At which end of a migration an organisation stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Source,
    Target,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            End::Source => SOURCE_NAME,
            End::Target => NAME,
        }
    }

    fn listener(self) -> PlatformName {
        match self {
            End::Source => PlatformName::GenesysCloudSource,
            End::Target => PlatformName::GenesysCloud,
        }
    }
}

/// One simulated Genesys Cloud organisation.
pub(crate) struct GenesysCloud {
    end: End,
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
    /// An organisation that recordings are moved from, with the calls of a world. `spool` is a
    /// folder of its own.
    pub(crate) fn source(
        core: Arc<Core>,
        directory: Directory,
        settings: Settings,
        spool: PathBuf,
        world: &World,
    ) -> std::io::Result<Arc<GenesysCloud>> {
        let site = GenesysCloud::at(End::Source, core, directory, settings, spool);
        site.fill(world)?;
        Ok(site)
    }

    /// An empty organisation. `spool` is where uploaded bytes lie, each under its SHA-256; it is
    /// made when the first arrive.
    pub(crate) fn new(
        core: Arc<Core>,
        directory: Directory,
        settings: Settings,
        spool: PathBuf,
    ) -> Arc<GenesysCloud> {
        GenesysCloud::at(End::Target, core, directory, settings, spool)
    }

    fn at(
        end: End,
        core: Arc<Core>,
        directory: Directory,
        settings: Settings,
        spool: PathBuf,
    ) -> Arc<GenesysCloud> {
        let role = access::RoleHeld::new(
            settings.missing_scopes.clone(),
            settings.access.client_divisions.clone(),
        );
        Arc::new(GenesysCloud {
            end,
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

    /// Says where the router listens, without a slash at the end; pre-signed addresses begin with
    /// it.
    pub(crate) fn set_base_url(&self, url: String) {
        *self.base_url.lock() = url.trim_end_matches('/').to_owned();
    }

    /// Every path of this platform.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .operation(&operations::GENESYS_CLOUD_ISSUE_TOKEN, auth::issue_token)
            .operation(&operations::GENESYS_CLOUD_GET_TOKEN_INFO, auth::token_info)
            .operation(&operations::GENESYS_CLOUD_DELETE_TOKEN, auth::end_token)
            .operation(&operations::GENESYS_CLOUD_UPLOAD_FILE, files::upload)
            .operation(&operations::GENESYS_CLOUD_CREATE_INTERACTION, guide::create)
            .operation(&operations::GENESYS_CLOUD_GET_INTERACTION, guide::show)
            .operation(&operations::GENESYS_CLOUD_UPDATE_INTERACTION, guide::update)
            .operation(&operations::GENESYS_CLOUD_LIST_USERS, lists::users)
            .operation(&operations::GENESYS_CLOUD_GET_USER, lists::user_by_id)
            .operation(&operations::GENESYS_CLOUD_GET_QUEUE, lists::queue_by_id)
            .operation(
                &operations::GENESYS_CLOUD_GET_WRAPUPCODE,
                lists::wrapupcode_by_id,
            )
            .operation(&operations::GENESYS_CLOUD_GET_SKILL, lists::skill_by_id)
            .operation(
                &operations::GENESYS_CLOUD_GET_HOME_DIVISION,
                access::home_division,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_DIVISION,
                access::division_by_id,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_ORGANIZATION,
                organisation::itself,
            )
            .operation(&operations::GENESYS_CLOUD_QUERY_USERS, users::query)
            .operation(&operations::GENESYS_CLOUD_SEARCH_USERS, users::search)
            .operation(&operations::GENESYS_CLOUD_LIST_QUEUES, lists::queues)
            .operation(
                &operations::GENESYS_CLOUD_LIST_QUEUE_WRAPUPCODES,
                lists::wrapupcodes_of_queue,
            )
            .operation(
                &operations::GENESYS_CLOUD_LIST_WRAPUPCODES,
                lists::wrapupcodes,
            )
            .operation(&operations::GENESYS_CLOUD_LIST_SKILLS, lists::skills)
            .operation(
                &operations::GENESYS_CLOUD_LIST_DIVISIONS,
                access::list_divisions,
            )
            .operation(
                &operations::GENESYS_CLOUD_LIST_LIMITS,
                lists::limit_namespaces,
            )
            .operation(&operations::GENESYS_CLOUD_GET_LIMITS, lists::limits_of)
            .operation(
                &operations::GENESYS_CLOUD_GET_LIMIT_DEFAULTS,
                organisation::limit_defaults,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_RECORDING_SETTINGS,
                organisation::recording_settings,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_CONVERSATION,
                read::conversation,
            )
            .operation(&operations::GENESYS_CLOUD_GET_WRAPUP, parts::wrapup)
            .operation(
                &operations::GENESYS_CLOUD_LIST_ANNOTATIONS,
                annotations::list,
            )
            .operation(
                &operations::GENESYS_CLOUD_CREATE_ANNOTATION,
                annotations::create,
            )
            .operation(&operations::GENESYS_CLOUD_GET_ANNOTATION, annotations::show)
            .operation(
                &operations::GENESYS_CLOUD_UPDATE_ANNOTATION,
                annotations::update,
            )
            .operation(
                &operations::GENESYS_CLOUD_DELETE_ANNOTATION,
                annotations::delete,
            )
            .operation(&operations::GENESYS_CLOUD_LIST_RECORDINGS, read::recordings)
            .operation(&operations::GENESYS_CLOUD_GET_RECORDING, read::recording)
            .operation(
                &operations::GENESYS_CLOUD_UPDATE_RECORDING,
                public::update_recording,
            )
            .operation(
                &operations::GENESYS_CLOUD_LIST_RECORDINGMETADATA,
                read::metadata,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_RECORDINGMETADATA,
                read::metadata_of,
            )
            .operation(&operations::GENESYS_CLOUD_QUERY_RETENTION, retention::query)
            .operation(
                &operations::GENESYS_CLOUD_QUERY_DELETIONPROTECTION,
                retention::protection,
            )
            .operation(
                &operations::GENESYS_CLOUD_UPDATE_DELETIONPROTECTION,
                public::update_protection,
            )
            .operation(
                &operations::GENESYS_CLOUD_CREATE_BATCHREQUEST,
                batch::create,
            )
            .operation(&operations::GENESYS_CLOUD_GET_BATCHREQUEST, batch::show)
            .operation(&operations::GENESYS_CLOUD_GET_BATCH_MEDIA, media::download)
            .operation(
                &operations::GENESYS_CLOUD_GET_DATA_RETENTION,
                retention::maximum,
            )
            .operation(&operations::GENESYS_CLOUD_GET_DETAILS, details::of_one)
            .operation(&operations::GENESYS_CLOUD_LIST_DETAILS, details::of_many)
            .operation(&operations::GENESYS_CLOUD_QUERY_DETAILS, analytics::query)
            .operation(
                &operations::GENESYS_CLOUD_CREATE_DETAILS_JOB,
                analytics::create_job,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_DETAILS_AVAILABILITY,
                analytics::availability,
            )
            .operation(&operations::GENESYS_CLOUD_GET_DETAILS_JOB, analytics::job)
            .operation(
                &operations::GENESYS_CLOUD_DELETE_DETAILS_JOB,
                details::delete_job,
            )
            .operation(
                &operations::GENESYS_CLOUD_GET_DETAILS_RESULTS,
                analytics::results,
            )
            .operation(
                &operations::GENESYS_CLOUD_QUERY_AGGREGATES,
                aggregates::query,
            )
            .merge(directory::routes())
            .merge(public::routes())
            .fallback(unknown_path)
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::clone(self))
    }

    /// Who and what there is, as it stands now.
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read())
    }

    /// Changes who and what there is; nothing where the change is refused.
    fn change_directory<T>(
        &self,
        change: impl FnOnce(&mut Directory) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut held = self.directory.write();
        let mut changed = Directory::clone(&held);
        let answer = change(&mut changed)?;
        *held = Arc::new(changed);
        Ok(answer)
    }

    fn seed(&self) -> Seed {
        self.core.seed.child(self.end.name())
    }

    /// An id made by the server: a function of seed, operation, key and ordinal.
    fn made_id(&self, operation: &'static Operation, key: &str, ordinal: u64) -> Uuid {
        self.seed()
            .child(operation.name)
            .child(key)
            .index(ordinal)
            .uuid()
    }

    fn mark(&self, rule: &'static Rule) {
        self.core.exercised.mark(rule);
    }

    fn now_ms(&self) -> i64 {
        self.core.clock.now_ms()
    }

    /// As the client reached it: under one port for all it may have come by any of the vendor's
    /// names.
    fn base_url(&self) -> String {
        request_context::origin()
            .map_or_else(|| self.base_url.lock().clone(), |origin| origin.itself())
    }

    /// What the organisation remembers, as it stands now: whatever became due since the last look
    /// is done first.
    fn state(&self) -> MutexGuard<'_, state::State> {
        let mut state = self.state.lock();
        self.settle(&mut state);
        state
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock()
    }

    /// The how-manieth request of an operation and key this is, refused ones included; it feeds the
    /// correlation id and nothing else.
    fn attempt(&self, operation: &str, key: &str) -> u64 {
        let slot = Seed::new(0).child(operation).child(key).value();
        let mut attempts = self.attempts.lock();
        let attempt = attempts.entry(slot).or_default();
        *attempt += 1;
        *attempt
    }
}

impl Endpoint for GenesysCloud {
    fn name(&self) -> &'static str {
        self.end.name()
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        errors::refusal(refusal).reply()
    }
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation = Operation {
    name: "genesys_cloud.unknown_path",
    method: "-",
    path: "-",
    key: "-",
    mutates: false,
    needs: &[],
    query: &[],
};

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
