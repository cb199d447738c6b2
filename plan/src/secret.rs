//! Secrets are named in a plan, never written in it.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PlanError;

/// Where a secret is: `{ env = "NAME" }` or `{ file = "path" }`. A literal is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a secret is named, never written: expected { env = \"NAME\" } or \
        { file = \"PATH\" }"
)]
pub enum SecretRef {
    /// An environment variable.
    Env(EnvSecret),
    /// A file; one trailing line end is dropped.
    File(FileSecret),
}

/// `{ env = "NAME" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvSecret {
    env: String,
}

/// `{ file = "path" }`, relative to the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSecret {
    file: PathBuf,
}

impl SecretRef {
    pub(crate) fn read(&self, dir: &Path, what: &str) -> Result<Secret, PlanError> {
        let missing = |why: String| PlanError::Secret {
            what: what.to_owned(),
            why,
        };
        let value = match self {
            SecretRef::Env(EnvSecret { env }) => std::env::var(env)
                .map_err(|_| missing(format!("set the environment variable {env}")))?,
            SecretRef::File(FileSecret { file }) => {
                let path = dir.join(file);
                std::fs::read_to_string(&path)
                    .map_err(|error| missing(format!("{}: {error}", path.display())))?
            }
        };
        let value = value.trim_end_matches(['\r', '\n']);
        if value.is_empty() {
            return Err(missing("it is empty".to_owned()));
        }
        Ok(Secret(value.to_owned()))
    }
}

/// A secret value. `Debug` prints dots; the value has a long method name so that its use is seen in
/// a review.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that came from somewhere else than a plan.
    #[must_use]
    pub fn new(value: String) -> Secret {
        Secret(value)
    }

    /// The value itself, for the request that needs it and nothing else.
    #[must_use]
    pub fn expose_the_secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(••••)")
    }
}
