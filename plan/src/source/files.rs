//! A folder or bucket of audio: named in the format of plans, not built yet.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[source]` with `kind = "files"`. What it needs is not decided, so any key is read: the plan is
/// refused with a sentence of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Files {}
