//! Every request the verifier may make: the one table behind the list it prints, the list it is held to, and its budget.

mod budget;
mod gate;
mod matching;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plan::LoadedPlan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use budget::{Announced, Sizes};
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
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A path below the API's root; `{}` stands for one segment.
    Path(&'static str),
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
    pub(crate) side: Side,
    /// `verb_noun`, unique on its side.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) place: Place,
    pub(crate) parameters: &'static [Parameter],
    /// Permission of the client's role. Absent: none is documented.
    pub(crate) permission: Option<&'static str>,
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
    /// The path as people read it.
    pub(crate) fn path(&self) -> &'static str {
        match self.place {
            Place::Path(path) => path,
            Place::Token => "/oauth/token",
            Place::Announced => "(address announced by an answer)",
        }
    }

    /// Whether it counts against the token's requests a minute.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self.place, Place::Path(_))
    }

    /// Whether it belongs to something created: a job or a batch, not a token.
    fn is_of_a_job(&self) -> bool {
        [self.creates, self.follows].into_iter().flatten().any(|creation| creation != Creation::Token)
    }
}

/// What a caller lets the verifier send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whether jobs and batches may be created.
    pub(crate) jobs: bool,
    /// Whether the source itself is read.
    pub(crate) source: bool,
}

impl Allowance {
    pub(crate) fn allows(self, operation: &Operation) -> bool {
        (self.jobs || !operation.is_of_a_job()) && (self.source || operation.side != Side::Source)
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
    /// OAuth scope. Absent: none.
    pub scope: Option<String>,
    /// What it leaves on the platform. Absent: nothing.
    pub creates: Option<Creation>,
    /// What cannot be told without it.
    pub tells: String,
}

/// Every request a verification of this plan may send under these options. Sends none, and needs no secret.
#[must_use]
pub fn requests_of(loaded: &LoadedPlan, options: &crate::Options) -> Vec<Listed> {
    let plan = &loaded.plan;
    let root = |url: Option<url::Url>| url.map_or_else(String::new, |url| url.as_str().trim_end_matches('/').to_owned());
    let token = |side| match side {
        Side::Source => root(plan.source.base_url.join("/oauth/token").ok()),
        Side::Target => root(plan.target.token_url()),
    };
    let api = |side| match side {
        Side::Source => root(Some(plan.source.base_url.clone())),
        Side::Target => root(plan.target.api_url()),
    };
    let listed = |operation: &Operation| Listed {
        side: operation.side,
        operation: operation.name.to_owned(),
        method: operation.method.to_owned(),
        address: match operation.place {
            Place::Token => token(operation.side),
            Place::Path(path) => format!("{}{path}", api(operation.side)),
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
        scope: operation.scope.map(str::to_owned),
        creates: operation.creates,
        tells: operation.tells.to_owned(),
    };
    OPERATIONS.iter().filter(|operation| options.allowance().allows(operation)).map(listed).collect()
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
            let reads = operation.method == "GET" || operation.creates.is_some() || operation.name == "query_deletionprotection";
            assert!(reads, "{} {}", operation.method, operation.path());
            assert!(!operation.tells.is_empty() && operation.tells.len() < 100, "{}", operation.name);
        }
        let mut names: Vec<(Side, &str)> = OPERATIONS.iter().map(|operation| (operation.side, operation.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPERATIONS.len(), "each has a name of its own");
    }

    #[test]
    fn without_jobs_nothing_is_created_but_a_token() {
        let allowance = Allowance { jobs: false, source: true };
        let left: Vec<&Operation> = OPERATIONS.iter().filter(|operation| allowance.allows(operation)).collect();
        assert!(left.iter().all(|operation| operation.creates.is_none_or(|creation| creation == Creation::Token)));
        assert!(left.iter().any(|operation| operation.name == "list_recordings") && left.len() + 6 == OPERATIONS.len());
        let staged = Allowance { jobs: true, source: false };
        assert!(OPERATIONS.iter().filter(|operation| staged.allows(operation)).all(|operation| operation.side == Side::Target));
    }
}
