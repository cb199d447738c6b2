//! A ledger copied into another store: from a file into a database, or back.

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use platforms::clock::Clock;
use serde::Serialize;
use serde_json::Value;

use crate::engine::RUN_IN_PROGRESS;
use crate::error::RunError;
use crate::ledger::registry::{self, Access};
use crate::ledger::tables::{TABLES, Table, Values};
use crate::ledger::{Ledger, Open};
use crate::several_runs::enter_alone;

/// Under this key a ledger says that a copy into it has not come to its end.
const COPYING: &str = "copying";
/// Rows at once.
const ROWS: u32 = 500;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Calls.
    pub interactions: u64,
    /// Recordings of them.
    pub recordings: u64,
    /// Lines of the chain of custody.
    pub custody_lines: u64,
}

/// Copies a whole ledger into an empty one, while nobody works on either. Paths are relative to
/// `dir`; the password of a database is taken from where `psql` takes it.
///
/// # Errors
///
/// A ledger cannot be opened, is in use, or is not empty where it must be; a row cannot be read or
/// written ([`RunError`]).
pub fn copy_ledger(
    from: String,
    to: String,
    dir: PathBuf,
    clock: Clock,
) -> BoxFuture<'static, Result<Copied, RunError>> {
    Box::pin(async move {
        let access = Access::without_plan(dir);
        // The one that must be there first: else a name that is wrong would make an empty one.
        registry::open_with(&from, &access, Open::Shared, &clock).await?;
        let from = registry::open_with(&from, &access, Open::Exclusive, &clock).await?;
        enter_alone(&*from, "ledger copy", &clock).await?;
        let copied = async {
            let to = registry::open_with(&to, &access, Open::Exclusive, &clock).await?;
            enter_alone(&*to, "ledger copy", &clock).await?;
            let copied = copy(&*from, &*to).await;
            to.runs().gone().await;
            copied
        };
        let copied = copied.await;
        from.runs().gone().await;
        copied
    })
}

/// Refuses a ledger into which only a part was copied.
pub(crate) async fn require_whole(ledger: &dyn Ledger) -> Result<(), RunError> {
    let is_whole = ledger
        .meta(COPYING)
        .await?
        .is_none_or(|state| state.is_empty());
    if is_whole {
        return Ok(());
    }
    Err(RunError::Plan(
        "a copy into this ledger did not come to its end: remove what is there, and run `seatrial \
         ledger copy` again"
            .to_owned(),
    ))
}

async fn copy(from: &dyn Ledger, to: &dyn Ledger) -> Result<Copied, RunError> {
    require_whole(from).await?;
    require_whole(to).await?;
    for table in &TABLES {
        let rows = to.rows_behind(table, None, ROWS).await?;
        if rows.iter().any(|row| !is_of_store(table, row)) {
            return Err(RunError::Plan(
                "the ledger to copy into is not empty; name one that is not there yet".to_owned(),
            ));
        }
    }
    to.set_meta(vec![(COPYING, "yes".to_owned())]).await?;
    for table in &TABLES {
        copy_table(from, to, table).await?;
    }
    carry_doubt(from, to).await?;
    let copied = counts(to).await?;
    if copied != counts(from).await? || from.tally().await? != to.tally().await? {
        return Err(RunError::Storage(
            "the copy does not hold what the ledger holds".to_owned(),
        ));
    }
    to.set_meta(vec![(COPYING, String::new())]).await?;
    Ok(copied)
}

async fn counts(ledger: &dyn Ledger) -> Result<Copied, RunError> {
    let tally = ledger.tally().await?;
    Ok(Copied {
        interactions: tally.interactions,
        recordings: tally.recordings,
        custody_lines: ledger.custody_lines().await?,
    })
}

async fn copy_table(
    from: &dyn Ledger,
    to: &dyn Ledger,
    table: &'static Table,
) -> Result<(), RunError> {
    let mut after: Option<Values> = None;
    loop {
        let rows = from.rows_behind(table, after.clone(), ROWS).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = Some(last[..table.keys].to_vec());
        let rows = rows
            .into_iter()
            .filter(|row| !is_of_store(table, row))
            .collect();
        to.put_rows(table, rows).await?;
    }
}

/// Whether a row tells of the store and not of the migration.
fn is_of_store(table: &Table, row: &Values) -> bool {
    let key = row.first().and_then(Value::as_str);
    table.name == "meta" && key.is_some_and(|key| key == "version" || key == COPYING)
}

/// Where it is in doubt what the target holds, a file says so once, and a database of each call.
async fn carry_doubt(from: &dyn Ledger, to: &dyn Ledger) -> Result<(), RunError> {
    let of_all = from
        .meta(RUN_IN_PROGRESS)
        .await?
        .is_some_and(|state| !state.is_empty());
    if of_all || from.has_doubt().await? {
        to.doubt_all().await?;
        to.set_meta(vec![(RUN_IN_PROGRESS, "yes".to_owned())])
            .await?;
    }
    Ok(())
}
