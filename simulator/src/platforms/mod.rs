//! The simulated platforms: a folder each, what every one of them offers the server, and the
//! registry that lists them.

pub(crate) mod genesys_cloud;
pub(crate) mod gir;
pub(crate) mod legacy;
pub(crate) mod registry;
pub(crate) mod target;

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

pub(crate) use self::genesys_cloud::Role;
use self::registry::{Addresses, PlatformName};
use crate::operations::Operation;
use crate::plan_writer::PlanSection;
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

/// A simulated platform, as far as the server needs one. It may have several listeners, and is one
/// platform all the same.
pub(crate) trait Platform: Send + Sync + 'static {
    /// Its name in operations, journal and control API.
    fn name(&self) -> &'static str;

    /// What it listens with.
    fn listeners(self: Arc<Self>) -> Vec<Listener>;

    /// Says where its listeners are reached; addresses that it gives out begin with it. No slash at
    /// the end.
    fn set_base_urls(&self, url: &dyn Fn(PlatformName) -> String);

    /// What it really holds: NDJSON (docs/reference/control-api.md). The error says why it cannot
    /// be told.
    fn truth(&self) -> Result<String, String>;

    /// Plants `count` entries of a defect class, the victims chosen by `seed` and never those of an
    /// earlier call.
    fn tamper(&self, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal>;

    /// Everything it remembers. What lies in files is linked into a folder of its own below
    /// `spool`.
    fn snapshot(&self, spool: &Path) -> std::io::Result<Snapshot>;

    /// Everything as it stood at a snapshot of the same platform. An error leaves its files between
    /// the two: say so, and do not go on.
    fn restore(&self, snapshot: &Snapshot) -> std::io::Result<()>;

    /// What a plan says of it.
    fn plan_section(&self, world: &World, addresses: &Addresses) -> PlanSection;

    /// Changes what its client may do and see; refused by a platform without roles.
    fn change_role(&self, _role: Role) -> Result<(), String> {
        Err(format!(
            "a role is Genesys Cloud's; the target is {}",
            self.name()
        ))
    }

    /// The private keys (PKCS#8, PEM) that open what it encrypts, where it hands them over.
    fn decryption_keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// Routes of the control API that are this platform's alone.
    fn control_routes(self: Arc<Self>) -> Router {
        Router::new()
    }
}

/// One listener of a platform.
pub(crate) struct Listener {
    pub(crate) name: PlatformName,
    /// What its clients' base URL ends in; empty, or with a slash in front.
    pub(crate) path: &'static str,
    pub(crate) router: Router,
}

/// What a platform remembered; only that platform can read it.
pub(crate) type Snapshot = Box<dyn Any + Send + Sync>;

/// A platform's own snapshot; an error for another platform's.
fn own_snapshot<T: 'static>(snapshot: &Snapshot) -> std::io::Result<&T> {
    snapshot
        .downcast_ref()
        .ok_or_else(|| std::io::Error::other("the snapshot is another platform's"))
}

/// How a platform's API is described in its OpenAPI document.
pub(crate) struct ApiDescription {
    /// The platform.
    pub(crate) name: &'static str,
    /// Its contract files: name and text.
    pub(crate) contracts: &'static [(&'static str, &'static str)],
    /// How clients prove who they are, given the base URL: name of the scheme, and the scheme.
    pub(crate) security_scheme: fn(&str) -> (&'static str, Value),
    /// Whether an operation asks for that.
    pub(crate) is_secured: fn(&Operation) -> bool,
    /// Schema of a refusal, given the schema of the contract that shows one.
    pub(crate) error: fn(Option<Value>) -> Value,
    /// What a parameter of the address's query may be; absent where it is never taken.
    pub(crate) parameter: fn(&Operation, &str) -> Option<Value>,
    /// Whether an operation is the store's behind pre-signed addresses: it takes and gives bytes,
    /// and refuses in XML.
    pub(crate) is_of_store: fn(&Operation) -> bool,
    /// What must be said of an operation; absent: nothing.
    pub(crate) summary: fn(&Operation) -> Option<&'static str>,
}

/// The contract files of a platform, by name.
macro_rules! contracts {
    ($platform:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../../scenarios/contracts/", $platform, "/", $name, ".json")))),*]
    };
}
pub(crate) use contracts;

/// OAuth with client credentials. Permissions are the role's, not asked for with a token: they
/// stand beside each operation.
fn oauth(base_url: &str) -> (&'static str, Value) {
    let flows =
        json!({"clientCredentials": {"tokenUrl": format!("{base_url}/oauth/token"), "scopes": {}}});
    ("oauth", json!({"type": "oauth2", "flows": flows}))
}

/// Whether an operation asks for a token.
fn takes_token(operation: &Operation) -> bool {
    operation.path.starts_with("/api/")
}
