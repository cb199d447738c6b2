//! The stores there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plan::{LoadedPlan, Secret};
use platforms::clock::Clock;

use super::postgres::PostgresLedger;
use super::sqlite::SqliteLedger;
use super::{Ledger, LedgerError, Open};

/// What is known of a ledger beside its URL.
pub(crate) struct Access {
    /// Where relative paths begin.
    pub(crate) dir: PathBuf,
    /// Absent: whatever the store's own tools take.
    pub(crate) password: Option<Secret>,
    pub(crate) lease_s: u32,
}

impl Access {
    /// What a plan says.
    fn of(plan: &LoadedPlan) -> Result<Access, LedgerError> {
        let ledger = &plan.plan.ledger;
        let password = ledger
            .password
            .as_ref()
            .map(|secret| plan.secret(secret, "ledger.password"))
            .transpose()
            .map_err(|error| LedgerError::Refused(error.to_string()))?;
        Ok(Access {
            dir: plan.dir.clone(),
            password,
            lease_s: ledger.lease_s,
        })
    }

    /// Of a ledger that no plan names.
    pub(crate) fn without_plan(dir: PathBuf) -> Access {
        Access {
            dir,
            password: None,
            lease_s: 60,
        }
    }
}

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
    open_with(url, &Access::of(plan)?, open, clock).await
}

/// The same for a ledger that no plan names.
pub(crate) async fn open_with(
    url: &str,
    access: &Access,
    open: Open,
    clock: &Clock,
) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(match store(url, &access.dir)? {
        Store::Sqlite(path) => Arc::new(SqliteLedger::open(path, open, clock).await?),
        Store::Postgres => Arc::new(PostgresLedger::open(url, access, open, clock).await?),
    })
}

/// The folder on this machine that a ledger grows in. Absent: it grows elsewhere.
pub(crate) fn folder_of(url: &str, plan: &LoadedPlan) -> Result<Option<PathBuf>, LedgerError> {
    Ok(match store(url, &plan.dir)? {
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
    match store(url, &plan.dir)? {
        Store::Sqlite(path) => {
            if !path.exists() {
                return Ok(None);
            }
            if let Err(error) = output::private::keep(&path) {
                return Ok(Some(output::private::refusal(&path, &error)));
            }
            open(url, plan, Open::Shared, clock).await.map(|_| None)
        }
        Store::Postgres => PostgresLedger::check(url, &Access::of(plan)?, clock).await,
    }
}

/// The store a ledger URL names; a plain path is relative to `dir`.
fn store(url: &str, dir: &Path) -> Result<Store, LedgerError> {
    let file = |path: &str| Ok(Store::Sqlite(dir.join(path)));
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
