//! Every request the verifier may make: the one table behind the list it prints, the list it is held to, and its budget.

mod budget;
mod gate;
mod matching;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use plan::{Ingest, LoadedPlan};
use platforms::transport::Transport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::drift::Drifts;
use crate::options::{Jobs, Options, SourceFrom};

pub(crate) use budget::{Announced, Sizes, planned_genesys_cloud, planned_gir};
pub use budget::{Budget, BudgetLine};
pub(crate) use gate::{Base, Gate};
pub(crate) use table::{OPERATIONS, operation};

/// A platform that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where recordings come from.
    Source,
    /// Where they went.
    Target,
}

/// A service that is asked: each has a root, an account and rows of its own, and what is meant for one never reaches another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Service {
    /// The legacy platform.
    Legacy,
    /// Genesys Cloud.
    GenesysCloud,
    /// Interaction Recording's web services.
    Rws,
    /// Its WebDAV store.
    WebDav,
    /// SpeechMiner's Interaction Receiver.
    SpeechMiner,
}

impl Service {
    pub(crate) fn side(self) -> Side {
        match self {
            Service::Legacy => Side::Source,
            Service::GenesysCloud | Service::Rws | Service::WebDav | Service::SpeechMiner => Side::Target,
        }
    }
}

/// What a request leaves behind on the platform. Nothing the verifier sends changes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Creation {
    /// An access token, gone by itself.
    Token,
    /// An analytics job, gone by itself.
    Job,
    /// A batch download request, with the files it makes ready.
    Batch,
    /// A report of uploads, gone by itself.
    Report,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path below the API's root; `{}` stands for one segment.
    Path(&'static str),
    /// Any path below the service's root, without a query: a store's tree is its users' to lay out.
    Below,
    /// Where tokens are issued.
    Token,
    /// An address that an answer of the platform announced, byte for byte; without a token on the target.
    Announced,
}

/// A query parameter that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// With any value.
    Any(&'static str),
    /// Always sent, and with this value only: another would start something.
    Fixed(&'static str, &'static str),
}

/// One request the verifier may make.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) service: Service,
    /// `verb_noun`, unique on its side.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) place: Place,
    pub(crate) parameters: &'static [Parameter],
    /// Permission of the client's role. Absent: none is documented.
    pub(crate) permission: Option<&'static str>,
    /// Account it is sent with, where a service knows accounts instead of roles. Absent: a client with a token.
    pub(crate) account: Option<&'static str>,
    /// OAuth scope, where the organisation enforces scopes. Absent: none.
    pub(crate) scope: Option<&'static str>,
    /// What it leaves behind.
    pub(crate) creates: Option<Creation>,
    /// What must have been created before it makes sense.
    pub(crate) follows: Option<Creation>,
    /// What cannot be told without it.
    pub(crate) tells: &'static str,
}

impl Operation {
    pub(crate) fn side(&self) -> Side {
        self.service.side()
    }

    /// The path as people read it.
    pub(crate) fn path(&self) -> &'static str {
        match self.place {
            Place::Path(path) => path,
            Place::Below => "/(any path)",
            Place::Token => "/oauth/token",
            Place::Announced => "(address announced by an answer)",
        }
    }

    /// Whether it counts against the requests a minute of its service: bytes of recordings, and tokens, do not.
    pub(crate) fn is_counted(&self) -> bool {
        match self.place {
            Place::Path(_) => true,
            Place::Below => self.method != "GET",
            Place::Token | Place::Announced => false,
        }
    }

    /// Whether its answer is a recording's bytes in the target.
    pub(crate) fn is_download(&self) -> bool {
        self.side() == Side::Target && self.method == "GET" && matches!(self.place, Place::Below | Place::Announced)
    }

    /// Whether it belongs to something created: a job or a batch, not a token.
    fn is_of_a_job(&self) -> bool {
        [self.creates, self.follows].into_iter().flatten().any(|creation| creation != Creation::Token)
    }
}

/// What a plan and a caller let the verifier send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whether jobs and batches may be created.
    jobs: bool,
    /// Services that are read. What is staged or handed over is not asked for.
    services: BTreeSet<Service>,
    /// Whether recordings went by uploads of their own, of which the platform has reports.
    uploads: bool,
}

impl Allowance {
    pub(crate) fn new(loaded: &LoadedPlan, options: &Options) -> Allowance {
        let mut services = BTreeSet::new();
        if options.source == SourceFrom::Live {
            services.insert(Service::Legacy);
        }
        let target = &loaded.plan.target;
        match target {
            plan::Target::GenesysCloud(_) => _ = services.insert(Service::GenesysCloud),
            plan::Target::Gir(target) => {
                let exports = &options.gir;
                services.extend(exports.archive.is_none().then_some(Service::Rws));
                services.extend(exports.files.is_none().then_some(Service::WebDav));
                let is_read = exports.speechminer.is_none() && target.speechminer_url.is_some();
                services.extend(is_read.then_some(Service::SpeechMiner));
            }
        }
        Allowance {
            jobs: options.jobs == Jobs::Create,
            services,
            uploads: target.genesys_cloud().is_some_and(|cloud| cloud.ingest == Ingest::Public),
        }
    }

    #[cfg(test)]
    pub(crate) fn of(jobs: bool, services: impl IntoIterator<Item = Service>) -> Allowance {
        Allowance { jobs, services: services.into_iter().collect(), uploads: true }
    }

    pub(crate) fn allows(&self, operation: &Operation) -> bool {
        let is_of_uploads = [operation.creates, operation.follows].contains(&Some(Creation::Report));
        self.reads(operation.service) && (self.jobs || !operation.is_of_a_job()) && (self.uploads || !is_of_uploads)
    }

    /// Whether a service is asked at all.
    pub(crate) fn reads(&self, service: Service) -> bool {
        self.services.contains(&service)
    }
}

/// A request as `--print-requests` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// `source` or `target`.
    pub side: Side,
    /// Its name in `requests.jsonl`.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Host and path, `{}` for an id.
    pub address: String,
    /// Query parameters it may carry; with a value where no other is allowed.
    pub query: Vec<String>,
    /// Permission of the client's role. Absent: none is documented.
    pub permission: Option<String>,
    /// Account it is sent with. Absent: a client with a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// OAuth scope. Absent: none.
    pub scope: Option<String>,
    /// What it leaves on the platform. Absent: nothing.
    pub creates: Option<Creation>,
    /// What cannot be told without it.
    pub tells: String,
}

/// Every request a verification of this plan may send under these options. Sends none, and needs no secret.
#[must_use]
pub fn requests_of(loaded: &LoadedPlan, options: &Options) -> Vec<Listed> {
    let root = |service| address(loaded, service).map_or_else(String::new, |url| url.as_str().trim_end_matches('/').to_owned());
    let listed = |operation: &Operation| Listed {
        side: operation.side(),
        operation: operation.name.to_owned(),
        method: operation.method.to_owned(),
        address: match operation.place {
            Place::Token => token(loaded, operation.side()),
            Place::Path(_) | Place::Below => format!("{}{}", root(operation.service), operation.path()),
            Place::Announced => operation.path().to_owned(),
        },
        query: operation
            .parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Any(name) => (*name).to_owned(),
                Parameter::Fixed(name, value) => format!("{name}={value}"),
            })
            .collect(),
        permission: operation.permission.map(str::to_owned),
        account: operation.account.map(str::to_owned),
        scope: operation.scope.map(str::to_owned),
        creates: operation.creates,
        tells: operation.tells.to_owned(),
    };
    let allowance = Allowance::new(loaded, options);
    OPERATIONS.iter().filter(|operation| allowance.allows(operation)).map(listed).collect()
}

/// Root of a service. Absent: the plan has none.
fn address(loaded: &LoadedPlan, service: Service) -> Option<Url> {
    let target = &loaded.plan.target;
    match service {
        Service::Legacy => loaded.plan.source.main_url().cloned(),
        Service::GenesysCloud => target.genesys_cloud()?.api_url(),
        Service::Rws => Some(target.gir()?.rws_url.clone()),
        Service::WebDav => Some(target.gir()?.webdav_url.clone()),
        Service::SpeechMiner => target.gir()?.speechminer_url.clone(),
    }
}

fn token(loaded: &LoadedPlan, side: Side) -> String {
    let url = match side {
        Side::Source => loaded.plan.source.main_url().and_then(|url| url.join("/oauth/token").ok()),
        Side::Target => loaded.plan.target.genesys_cloud().and_then(|cloud| cloud.token_url()),
    };
    url.map_or_else(String::new, |url| url.as_str().to_owned())
}

/// What the gates of all services share.
pub(crate) struct Gates {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) allowance: Allowance,
    pub(crate) log: RequestLog,
    pub(crate) drifts: Drifts,
}

impl Gates {
    pub(crate) fn of(&self, service: Service, base: Base) -> Arc<Gate> {
        Gate::new(self.transport.clone(), service, base, &self.allowance, self.log.clone(), self.drifts.clone())
    }
}

/// Requests so far, by their place in the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestLog(Arc<Mutex<BTreeMap<usize, u64>>>);

impl RequestLog {
    fn add(&self, at: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(at).or_default() += 1;
    }

    /// Operations that were sent, with how often.
    pub(crate) fn sent(&self) -> Vec<(&'static Operation, u64)> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().map(|(at, count)| (&OPERATIONS[*at], *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_table_changes_a_record() {
        for operation in OPERATIONS {
            let reads = matches!(operation.method, "GET" | "HEAD" | "PROPFIND")
                || operation.creates.is_some()
                || operation.name == "query_deletionprotection";
            assert!(reads, "{} {}", operation.method, operation.path());
            assert!(!operation.tells.is_empty() && operation.tells.len() < 100, "{}", operation.name);
        }
        let mut names: Vec<(Side, &str)> = OPERATIONS.iter().map(|operation| (operation.side(), operation.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPERATIONS.len(), "each has a name of its own");
    }

    #[test]
    fn without_jobs_nothing_is_created_but_a_token() {
        use Service::{GenesysCloud, Legacy, Rws, WebDav};
        let allowed = |allowance: &Allowance| OPERATIONS.iter().filter(|operation| allowance.allows(operation)).collect::<Vec<_>>();
        let all = allowed(&Allowance::of(true, [Legacy, GenesysCloud])).len();
        let left = allowed(&Allowance::of(false, [Legacy, GenesysCloud]));
        assert!(left.iter().all(|operation| operation.creates.is_none_or(|creation| creation == Creation::Token)));
        assert!(left.iter().any(|operation| operation.name == "list_recordings") && left.len() + 8 == all);
        assert!(allowed(&Allowance::of(true, [GenesysCloud])).iter().all(|operation| operation.side() == Side::Target));
        let gir = allowed(&Allowance::of(false, [Rws, WebDav]));
        assert!(gir.iter().all(|operation| operation.creates.is_none() && operation.account.is_some()), "nothing is created there at all");
    }
}
