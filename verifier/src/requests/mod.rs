//! Every request the verifier may make: the one table behind the list it prints, the list it is
//! held to, and its budget.

mod budget;
mod gate;
mod matching;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use platforms::transport::Transport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::drift::{Contract, Drifts};
use crate::options::Jobs;

pub(crate) use budget::{Announced, Sizes, pages};
pub use budget::{Budget, BudgetLine};
pub(crate) use gate::{Base, Gate};

/// A platform that is read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where recordings come from.
    Source,
    /// Where they went.
    Target,
}

/// A service that is asked: each has a root, an account and rows of its own, and what is meant for
/// one never reaches another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) side: Side,
    /// Unique among all.
    pub(crate) name: &'static str,
    /// What its ids may be in a path.
    pub(crate) ids: Ids,
}

/// What an id may be in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Letters, digits, `-`, `_`, `.` and `~`.
    Plain,
    /// Any characters, encoded.
    Any,
}

/// A service as a plan has it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) service: Service,
    /// Root of its API. Absent: the plan has none.
    pub(crate) root: Option<Url>,
    /// Where its tokens are issued. Absent: it takes an account with every request.
    pub(crate) token: Option<Url>,
}

/// What a request leaves behind on the platform. Nothing the verifier sends changes a record.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
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
    /// An address that an answer of the platform announced, byte for byte; without a token on the
    /// target.
    Announced,
}

/// What an answer says about where media lies: it may be fetched from there, and from nowhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Announces {
    /// Nothing.
    Nothing,
    /// Media itself, or a redirect to it.
    Redirect,
    /// Addresses in its body.
    Addresses(fn(&Value) -> Vec<&str>),
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
    /// Account it is sent with, where a service knows accounts instead of roles. Absent: a client
    /// with a token.
    pub(crate) account: Option<&'static str>,
    /// OAuth scope, where the organisation enforces scopes. Absent: none.
    pub(crate) scope: Option<&'static str>,
    /// What it leaves behind.
    pub(crate) creates: Option<Creation>,
    /// What must have been created before it makes sense.
    pub(crate) follows: Option<Creation>,
    /// What its answer announces.
    pub(crate) announces: Announces,
    /// What it is documented to answer.
    pub(crate) contract: Contract,
    /// What cannot be told without it.
    pub(crate) tells: &'static str,
}

impl Operation {
    /// Reads something that an answer announced, and leaves nothing behind: what a table's rows
    /// begin with.
    pub(crate) const fn read(service: Service) -> Operation {
        Operation {
            service,
            name: "",
            method: "GET",
            place: Place::Announced,
            parameters: &[],
            permission: None,
            account: None,
            scope: None,
            creates: None,
            follows: None,
            announces: Announces::Nothing,
            contract: Contract::UNKNOWN,
            tells: "",
        }
    }

    /// A row by its name.
    pub(crate) fn named(rows: &'static [Operation], name: &str) -> &'static Operation {
        // A name that is not in the table is a slip in this crate, seen by the first test that
        // takes the way.
        rows.iter()
            .find(|operation| operation.name == name)
            .unwrap_or(&rows[0])
    }

    pub(crate) fn side(&self) -> Side {
        self.service.side
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

    /// Whether it counts against the requests a minute of its service: bytes of recordings, and
    /// tokens, do not.
    pub(crate) fn is_counted(&self) -> bool {
        match self.place {
            Place::Path(_) => true,
            Place::Below => self.method != "GET",
            Place::Token | Place::Announced => false,
        }
    }

    /// Whether its answer is a recording's bytes in the target.
    pub(crate) fn is_download(&self) -> bool {
        self.side() == Side::Target
            && self.method == "GET"
            && matches!(self.place, Place::Below | Place::Announced)
    }

    /// Whether it belongs to something created: a job or a batch, not a token.
    fn is_of_a_job(&self) -> bool {
        [self.creates, self.follows]
            .into_iter()
            .flatten()
            .any(|creation| creation != Creation::Token)
    }
}

/// The requests that a plan and a caller let the verifier send, in the order of their tables.
#[derive(Debug, Clone)]
pub(crate) struct Allowance(Arc<[&'static Operation]>);

impl Allowance {
    /// `rows`: of the services that are read. `jobs`: whether jobs and batches may be created.
    pub(crate) fn new(rows: impl IntoIterator<Item = &'static Operation>, jobs: Jobs) -> Allowance {
        Allowance(
            rows.into_iter()
                .filter(|operation| jobs == Jobs::Create || !operation.is_of_a_job())
                .collect(),
        )
    }

    /// Whether a service is asked at all.
    pub(crate) fn reads(&self, service: Service) -> bool {
        self.0.iter().any(|operation| operation.service == service)
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

impl Listed {
    /// Every request of an allowance. `endpoints`: of the services it reads.
    pub(crate) fn all(allowance: &Allowance, endpoints: &[Endpoint]) -> Vec<Listed> {
        let endpoint = |service: Service| {
            endpoints
                .iter()
                .find(|endpoint| endpoint.service == service)
        };
        allowance
            .0
            .iter()
            .map(|operation| Listed::of(operation, endpoint(operation.service)))
            .collect()
    }

    fn of(operation: &Operation, endpoint: Option<&Endpoint>) -> Listed {
        let text = |url: Option<&Url>| url.map_or_else(String::new, |url| url.as_str().to_owned());
        let (root, token) = (
            endpoint.and_then(|endpoint| endpoint.root.as_ref()),
            endpoint.and_then(|endpoint| endpoint.token.as_ref()),
        );
        let parameter = |parameter: &Parameter| match parameter {
            Parameter::Any(name) => (*name).to_owned(),
            Parameter::Fixed(name, value) => format!("{name}={value}"),
        };
        Listed {
            side: operation.side(),
            operation: operation.name.to_owned(),
            method: operation.method.to_owned(),
            address: match operation.place {
                Place::Token => text(token),
                Place::Path(_) | Place::Below => {
                    format!("{}{}", text(root).trim_end_matches('/'), operation.path())
                }
                Place::Announced => operation.path().to_owned(),
            },
            query: operation.parameters.iter().map(parameter).collect(),
            permission: operation.permission.map(str::to_owned),
            account: operation.account.map(str::to_owned),
            scope: operation.scope.map(str::to_owned),
            creates: operation.creates,
            tells: operation.tells.to_owned(),
        }
    }
}

/// What the gates of all services share.
pub(crate) struct Gates {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) allowance: Allowance,
    pub(crate) log: RequestLog,
    pub(crate) drifts: Drifts,
}

impl Gates {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        allowance: Allowance,
        drifts: Drifts,
    ) -> Gates {
        Gates {
            transport,
            log: RequestLog::new(&allowance),
            allowance,
            drifts,
        }
    }

    pub(crate) fn of(&self, service: Service, base: Base) -> Arc<Gate> {
        Gate::new(self, service, base)
    }
}

/// Requests so far, by their place among those that are allowed.
#[derive(Debug, Clone)]
pub(crate) struct RequestLog {
    operations: Arc<[&'static Operation]>,
    counts: Arc<Mutex<BTreeMap<usize, u64>>>,
}

impl RequestLog {
    fn new(allowance: &Allowance) -> RequestLog {
        RequestLog {
            operations: allowance.0.clone(),
            counts: Arc::default(),
        }
    }

    fn add(&self, at: usize) {
        *self.counts.lock().entry(at).or_default() += 1;
    }

    /// Operations that were sent, with how often.
    pub(crate) fn sent(&self) -> Vec<(&'static Operation, u64)> {
        let counts = self.counts.lock();
        counts
            .iter()
            .map(|(at, count)| (self.operations[*at], *count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::legacy;
    use crate::target::{genesys_cloud, gir};

    fn all() -> impl Iterator<Item = &'static Operation> {
        legacy::OPERATIONS
            .iter()
            .chain(genesys_cloud::OPERATIONS)
            .chain(gir::OPERATIONS)
    }

    #[test]
    fn nothing_in_the_table_changes_a_record() {
        for operation in all() {
            let reads = matches!(operation.method, "GET" | "HEAD" | "PROPFIND")
                || operation.creates.is_some()
                || operation.name == "query_deletionprotection";
            assert!(reads, "{} {}", operation.method, operation.path());
            assert!(
                !operation.tells.is_empty() && operation.tells.len() < 100,
                "{}",
                operation.name
            );
        }
        let mut names: Vec<(Side, &str)> = all()
            .map(|operation| (operation.side(), operation.name))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count(), "each has a name of its own");
    }

    #[test]
    fn without_jobs_nothing_is_created_but_a_token() {
        let both = || legacy::OPERATIONS.iter().chain(genesys_cloud::OPERATIONS);
        let (all, left) = (
            Allowance::new(both(), Jobs::Create).0.len(),
            Allowance::new(both(), Jobs::LeaveOut).0,
        );
        assert!(left.iter().all(|operation| {
            operation
                .creates
                .is_none_or(|creation| creation == Creation::Token)
        }));
        assert!(
            left.iter()
                .any(|operation| operation.name == "list_recordings")
                && left.len() + 8 == all
        );
        let gir = Allowance::new(gir::OPERATIONS, Jobs::Create).0;
        assert!(
            gir.iter()
                .all(|operation| operation.creates.is_none() && operation.account.is_some()),
            "nothing is created there at all"
        );
    }
}
