//! The stores there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;

use super::sqlite::SqliteLedger;
use super::{Ledger, LedgerError, Open};

/// Opens the ledger a URL names.
pub(crate) async fn open(
    url: &str,
    plan: &LoadedPlan,
    open: Open,
    clock: &Clock,
) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(Arc::new(
        SqliteLedger::open(path_of(url, plan)?, open, clock).await?,
    ))
}

/// The folder on this machine that a ledger grows in.
pub(crate) fn folder_of(url: &str, plan: &LoadedPlan) -> Result<PathBuf, LedgerError> {
    Ok(path_of(url, plan)?
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned())
}

/// Opens a ledger that is there and makes none. Answers why it cannot be written, if it cannot.
pub(crate) async fn check(
    url: &str,
    plan: &LoadedPlan,
    clock: &Clock,
) -> Result<Option<String>, LedgerError> {
    let path = path_of(url, plan)?;
    if !path.exists() {
        return Ok(None);
    }
    if let Err(error) = output::private::keep(&path) {
        return Ok(Some(output::private::refusal(&path, &error)));
    }
    open(url, plan, Open::Shared, clock).await.map(|_| None)
}

/// The file a ledger URL names; a plain path is relative to the plan.
fn path_of(url: &str, plan: &LoadedPlan) -> Result<PathBuf, LedgerError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return Ok(plan.resolve_path(Path::new(path)));
    }
    match url.split_once("://") {
        None => Ok(plan.resolve_path(Path::new(url))),
        Some((scheme, _)) => Err(LedgerError::Refused(format!(
            "ledger.url: {scheme}:// is not built yet; use sqlite:///path or a plain path"
        ))),
    }
}
