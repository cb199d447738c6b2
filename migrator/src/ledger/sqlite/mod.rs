//! SQLite: one file, one process, one connection; writes are grouped into one commit.

mod copy;
mod custody;
mod listing;
mod queries;
mod save;
mod schema;
mod tally;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use platforms::clock::Clock;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Ledger, LedgerError, Open};
use save::{Saved, Saves};

/// How long a saved row may wait for its commit. Long enough that a commit serves many workers,
/// short enough that a killed run repeats next to nothing.
const LAG: Duration = Duration::from_millis(20);
/// The same in virtual time, where calls come seconds apart and work takes none of it: as many
/// calls share a commit as in a quick run.
const VIRTUAL_LAG: Duration = Duration::from_secs(5);
/// Rows that may wait. A disk that is slower than this holds the workers up.
const WAITING: usize = 1024;

impl LedgerError {
    /// The same with the file it is about, and for a damaged one with the way on.
    fn at(self, path: &Path) -> LedgerError {
        let path = path.display();
        match self {
            LedgerError::Broken(what) if !what.contains(&path.to_string()) => {
                LedgerError::Broken(format!("{path}: {what}"))
            }
            LedgerError::Damaged(what) if !what.contains("is damaged") => {
                LedgerError::Damaged(format!(
                    "the ledger {path} is damaged ({what}), and no run can go on with it; restore \
                     a copy, or put it aside and run the same command again: mv '{path}' \
                     '{path}.damaged'; rm -f '{path}-wal' '{path}-shm'; a new one is built from \
                     source and staging, and what is in the target is found there and not sent \
                     twice. A canary has to be confirmed anew, and custody begins anew: keep the \
                     damaged file"
                ))
            }
            other => other,
        }
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> LedgerError {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly,
        };
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => LedgerError::Damaged(error.to_string()),
            Some(DiskFull) => LedgerError::Broken("the disk is full; make room there".to_owned()),
            Some(ReadOnly | CannotOpen | PermissionDenied) => LedgerError::Broken(format!(
                "{error}; let this user write there, or name another place"
            )),
            // A value of another kind than its column's: no statement of ours writes one.
            _ if matches!(
                error,
                rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
            ) =>
            {
                LedgerError::Damaged(error.to_string())
            }
            _ => LedgerError::Broken(error.to_string()),
        }
    }
}

/// A ledger up to this size is read through when it is opened, so that a damaged page is noticed
/// before anything is done by it. Bytes; some half a second of reading. A larger one is noticed
/// where it is read.
const CHECKED_MOST: u64 = 512 * 1024 * 1024;

/// Whether the pages and records of a database are whole.
fn check(connection: &Connection) -> Result<(), LedgerError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(LedgerError::Damaged(
            found.lines().next().unwrap_or_default().to_owned(),
        ))
    }
}

type Finish = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;
/// Given the open transaction, or why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> (bool, Finish) + Send>;

/// What waits for the next commit, in the order it came.
enum Work {
    Job(Job),
    Save(Box<Saved>),
}

struct Inner {
    connection: Mutex<Connection>,
    queue: Mutex<Vec<Work>>,
    /// A commit of saved rows is on its way.
    scheduled: AtomicBool,
    /// Why saved rows were lost: from then on nothing more is taken.
    lost: Mutex<Option<LedgerError>>,
    /// A reader beside a run takes no write lock.
    begin: &'static str,
    path: PathBuf,
}

/// A ledger in use by this process alone.
#[derive(Clone)]
pub(crate) struct SqliteLedger {
    inner: Arc<Inner>,
    clock: Clock,
    /// Falls with the last handle and not with the last commit on its way: whoever comes next in
    /// this process does not wait for it.
    _lock: Option<Arc<LedgerLock>>,
}

impl SqliteLedger {
    /// Opens the ledger in a file.
    pub(crate) async fn open(
        path: PathBuf,
        open: Open,
        clock: &Clock,
    ) -> Result<SqliteLedger, LedgerError> {
        let own = clock.clone();
        let opened = clock
            .blocking(move || {
                SqliteLedger::open_blocking(&path, open, own).map_err(|error| error.at(&path))
            })
            .await;
        opened.map_err(|error| LedgerError::Broken(error.to_string()))?
    }

    fn open_blocking(path: &Path, open: Open, clock: Clock) -> Result<SqliteLedger, LedgerError> {
        let broken =
            |error: std::io::Error| LedgerError::Broken(output::private::refusal(path, &error));
        if open == Open::Shared && !path.exists() {
            return Err(LedgerError::Refused(format!(
                "there is no ledger at {}; run migrate first",
                path.display()
            )));
        }
        if let Some(parent) = path.parent() {
            output::private::folder(parent).map_err(broken)?;
        }
        let lock = if open == Open::Exclusive {
            Some(LedgerLock::take(path)?)
        } else {
            None
        };
        // Made here, and not by the database, so that its side files take the mode too.
        let size = if open == Open::Exclusive {
            output::private::keep(path)
        } else {
            File::open(path)
        };
        let size = size.and_then(|file| file.metadata()).map_err(broken)?.len();
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        // FULL: what is committed stays even when the machine loses power; the cost is shared by
        // grouped commits. In virtual time a machine that loses power takes the platforms with it.
        let synchronous = if clock.is_virtual() { "OFF" } else { "FULL" };
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = \
             ON; PRAGMA cache_size = -8192;"
        ))?;
        let begin = match open {
            Open::Exclusive => "BEGIN IMMEDIATE",
            Open::Shared => "BEGIN",
        };
        // More than the statements there are: none is planned twice.
        connection.set_prepared_statement_cache_capacity(64);
        if (1..=CHECKED_MOST).contains(&size) {
            check(&connection)?;
        }
        schema::prepare(&connection)?;
        if open == Open::Exclusive {
            // Whoever has the ledger alone finds only claims of runs that were killed.
            connection.execute(
                "UPDATE interaction SET claimed_by = NULL, claimed_until = NULL \
                WHERE claimed_by IS NOT NULL",
                [],
            )?;
        }
        let (connection, scheduled) = (Mutex::new(connection), AtomicBool::new(false));
        let inner = Inner {
            connection,
            queue: Mutex::default(),
            scheduled,
            lost: Mutex::default(),
            begin,
            path: path.to_owned(),
        };
        Ok(SqliteLedger {
            inner: Arc::new(inner),
            clock,
            _lock: lock.map(Arc::new),
        })
    }

    /// Does some work in a transaction that is committed when this returns. Work of others may
    /// share the commit, never the outcome.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result =
                connection.and_then(|connection| work(connection).map_err(LedgerError::from));
            let good = result.is_ok();
            let finish: Finish = Box::new(move |committed| {
                let _ = answer.send(committed.and(result));
            });
            (good, finish)
        });
        self.inner.queue.lock().push(Work::Job(job));
        let inner = self.inner.clone();
        let drained = self.clock.blocking(move || inner.drain()).await;
        drained.map_err(|error| LedgerError::Broken(error.to_string()))?;
        let result = wait
            .await
            .map_err(|_| LedgerError::Broken("the database went away".to_owned()))?;
        result.map_err(|error| error.at(&self.inner.path))
    }

    /// Has a row written within [`LAG`], behind everything that was asked or saved before. Fails
    /// when an earlier one could not be written.
    async fn save_soon(&self, saved: Saved) -> Result<(), LedgerError> {
        if let Some(error) = self.inner.lost.lock().clone() {
            return Err(error.at(&self.inner.path));
        }
        let waiting = {
            let mut queue = self.inner.queue.lock();
            queue.push(Work::Save(Box::new(saved)));
            queue.len()
        };
        if waiting >= WAITING {
            return self.flush().await;
        }
        if !self.inner.scheduled.swap(true, Ordering::AcqRel) {
            let (inner, clock) = (self.inner.clone(), self.clock.clone());
            tokio::spawn(async move {
                clock
                    .sleep(if clock.is_virtual() { VIRTUAL_LAG } else { LAG })
                    .await;
                inner.scheduled.store(false, Ordering::Release);
                // Its trouble is kept in `lost`, where the next save finds it.
                let _ = clock.blocking(move || inner.drain()).await;
            });
        }
        Ok(())
    }
}

impl Inner {
    /// Runs whatever is queued, in one transaction.
    fn drain(&self) {
        let connection = self.connection.lock();
        let work = std::mem::take(&mut *self.queue.lock());
        if work.is_empty() {
            return;
        }
        let mut outcome = self.lost.lock().clone().map_or(Ok(()), Err);
        outcome = outcome.and_then(|()| Ok(connection.execute_batch(self.begin)?));
        let mut finishes = Vec::new();
        let (mut saves, mut saved) = (Saves::default(), false);
        for work in work {
            let job = match work {
                Work::Save(save) => {
                    saved = true;
                    saves.add(*save);
                    continue;
                }
                Work::Job(job) => job,
            };
            // What is asked sees what was saved before it.
            outcome = outcome.and_then(|()| Ok(saves.write(&connection)?));
            let opened = outcome
                .clone()
                .and_then(|()| Ok(connection.execute_batch("SAVEPOINT job")?));
            let (good, finish) = job(opened.map(|()| &*connection));
            finishes.push(finish);
            let close = if good {
                "RELEASE job"
            } else {
                "ROLLBACK TO job; RELEASE job"
            };
            outcome = outcome.and_then(|()| Ok(connection.execute_batch(close)?));
        }
        outcome = outcome.and_then(|()| Ok(saves.write(&connection)?));
        outcome = outcome.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
        if let Err(error) = &outcome {
            // Nothing of the group is kept; each is told so, and why.
            let _ = connection.execute_batch("ROLLBACK");
            if saved {
                self.lost.lock().get_or_insert(error.clone());
            }
        }
        for finish in finishes {
            finish(outcome.clone());
        }
    }
}

/// The lock beside a ledger: one process at a time has it, and it falls with the process, however
/// that ends.
struct LedgerLock(File);

impl LedgerLock {
    fn take(ledger: &Path) -> Result<LedgerLock, LedgerError> {
        let mut name = ledger.as_os_str().to_owned();
        name.push(".lock");
        let file = output::private::create(Path::new(&name)).map_err(|error| {
            LedgerError::Broken(output::private::refusal(Path::new(&name), &error))
        })?;
        match file.try_lock() {
            Ok(()) => Ok(LedgerLock(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(LedgerError::Refused(format!(
                "the ledger {} is in use by another run; wait for it or stop it",
                ledger.display()
            ))),
            Err(std::fs::TryLockError::Error(error)) => Err(LedgerError::Broken(format!(
                "{}: {error}",
                ledger.display()
            ))),
        }
    }
}

impl Drop for LedgerLock {
    /// Closing the file would not do: a child that this process starts meanwhile has it too, from
    /// fork to exec.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Claim, NewInteraction, Pass, conformance};

    #[test]
    fn a_lock_falls_with_its_holder_though_a_child_still_has_the_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = dir.path().join("ledger.db");
        let lock = LedgerLock::take(&ledger).expect("a lock");
        // What a child has between fork and exec.
        let in_a_child = lock.0.try_clone().expect("a duplicate");
        assert!(LedgerLock::take(&ledger).is_err(), "it is held");
        drop(lock);
        assert!(LedgerLock::take(&ledger).is_ok(), "it has fallen");
        drop(in_a_child);
    }

    #[tokio::test]
    async fn a_file_holds_what_every_store_has_to() {
        conformance::holds(
            async || {
                let dir = tempfile::tempdir().expect("a folder");
                let opened = SqliteLedger::open(
                    dir.path().join("ledger.db"),
                    Open::Exclusive,
                    &Clock::real(),
                )
                .await;
                let ledger: Arc<dyn Ledger> = Arc::new(opened.expect("a ledger"));
                // One process alone has the file: its workers share the connection.
                async move || {
                    let _ = &dir;
                    ledger.clone()
                }
            },
            async |_, _| {},
        )
        .await;
    }

    #[tokio::test]
    async fn claims_of_a_run_that_was_killed_fall_when_the_next_one_opens() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::real();
        let open = || SqliteLedger::open(dir.path().join("ledger.db"), Open::Exclusive, &clock);
        let claim = |holder: &str| Claim {
            holder: holder.to_owned(),
            pass: Pass::First,
            after: 0,
            most: 9,
            now_ms: 0,
            until_ms: i64::MAX,
        };
        let row = NewInteraction {
            legacy_id: "1".to_owned(),
            entity: "{}".to_owned(),
            headers: "{}".to_owned(),
            unreadable: None,
            recordings: Vec::new(),
        };
        let killed = open().await.expect("a ledger");
        killed.add_page(0, vec![row], None).await.expect("a page");
        assert_eq!(killed.claim(claim("killed")).await.expect("rows").len(), 1);
        drop(killed);
        assert_eq!(
            open()
                .await
                .expect("a ledger")
                .claim(claim("next"))
                .await
                .expect("rows")
                .len(),
            1
        );
    }

    #[tokio::test]
    async fn a_ledger_of_an_older_format_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.db");
        let old = Connection::open(&path).expect("a database");
        old.execute_batch(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT); INSERT INTO meta \
            VALUES ('version', '1');",
        )
        .expect("tables");
        drop(old);
        let refused = SqliteLedger::open(path.clone(), Open::Exclusive, &Clock::real())
            .await
            .err()
            .expect("a refusal")
            .to_string();
        for part in [
            "format 1",
            "reads format 2",
            "the version that began it",
            "ledger.url",
        ] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }
}
