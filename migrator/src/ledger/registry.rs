//! The stores there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;

use super::postgres::PostgresLedger;
use super::sqlite::SqliteLedger;
use super::{Ledger, LedgerError, Open};

/// A store, as a ledger URL names it.
enum Store {
    /// A file.
    Sqlite(PathBuf),
    /// A database.
    Postgres,
}

/// Opens the ledger a URL names.
pub(crate) async fn open(
    url: &str,
    plan: &LoadedPlan,
    open: Open,
    clock: &Clock,
) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(match store(url, plan)? {
        Store::Sqlite(path) => Arc::new(SqliteLedger::open(path, open, clock).await?),
        Store::Postgres => Arc::new(PostgresLedger::open(url, plan, open, clock).await?),
    })
}

/// The folder on this machine that a ledger grows in. Absent: it grows elsewhere.
pub(crate) fn folder_of(url: &str, plan: &LoadedPlan) -> Result<Option<PathBuf>, LedgerError> {
    Ok(match store(url, plan)? {
        Store::Sqlite(path) => Some(path.parent().unwrap_or(Path::new(".")).to_owned()),
        Store::Postgres => None,
    })
}

/// Opens a ledger that is there and makes none. Answers why it cannot be written, if it cannot.
pub(crate) async fn check(
    url: &str,
    plan: &LoadedPlan,
    clock: &Clock,
) -> Result<Option<String>, LedgerError> {
    match store(url, plan)? {
        Store::Sqlite(path) => {
            if !path.exists() {
                return Ok(None);
            }
            if let Err(error) = output::private::keep(&path) {
                return Ok(Some(output::private::refusal(&path, &error)));
            }
            open(url, plan, Open::Shared, clock).await.map(|_| None)
        }
        Store::Postgres => PostgresLedger::check(url, plan, clock).await,
    }
}

/// The store a ledger URL names; a plain path is relative to the plan.
fn store(url: &str, plan: &LoadedPlan) -> Result<Store, LedgerError> {
    let file = |path: &str| Ok(Store::Sqlite(plan.resolve_path(Path::new(path))));
    match url.split_once("://") {
        None => file(url),
        Some(("sqlite", path)) => file(path),
        Some(("postgresql" | "postgres", _)) => Ok(Store::Postgres),
        Some((scheme, _)) => Err(LedgerError::Refused(format!(
            "ledger.url: {scheme}:// is not known; use sqlite:///path, a plain path, or \
             postgresql://USER@HOST/DATABASE"
        ))),
    }
}
