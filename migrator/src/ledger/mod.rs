//! Durable state of the migration. SQLite: one connection, writes grouped into one commit by whoever comes while another commits.

mod rows;
mod schema;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plan::LoadedPlan;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub(crate) use rows::{Change, InteractionRow, NewInteraction, NewRecording, RecordingRow, Tried};

/// What can be wrong with a ledger.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LedgerError {
    /// It is in use, of another plan or of an unknown kind: a person decides.
    #[error("{0}")]
    Refused(String),
    /// The database itself: disk full, damaged, gone.
    #[error("{0}")]
    Broken(String),
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> LedgerError {
        LedgerError::Broken(error.to_string())
    }
}

type Finish = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;
/// Given the open transaction, or why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> (bool, Finish) + Send>;

struct Inner {
    connection: Mutex<Connection>,
    queue: Mutex<Vec<Job>>,
    /// A reader beside a run takes no write lock.
    begin: &'static str,
    _lock: Option<File>,
}

/// A ledger in use by this process alone.
#[derive(Clone)]
pub(crate) struct Ledger {
    inner: Arc<Inner>,
}

/// Whether to take the ledger for oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// To change it: alone, made if absent.
    Exclusive,
    /// To look at it, beside a run: it must exist.
    Shared,
}

/// The file a ledger URL names; a plain path is relative to the plan.
pub(crate) fn path_of(url: &str, plan: &LoadedPlan) -> Result<PathBuf, LedgerError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        return Ok(plan.resolve_path(Path::new(path)));
    }
    match url.split_once("://") {
        None => Ok(plan.resolve_path(Path::new(url))),
        Some((scheme, _)) => {
            Err(LedgerError::Refused(format!("ledger.url: {scheme}:// is not built yet; use sqlite:///path or a plain path")))
        }
    }
}

impl Ledger {
    /// Opens the ledger a URL names.
    pub(crate) async fn open(path: PathBuf, open: Open) -> Result<Ledger, LedgerError> {
        let opened = tokio::task::spawn_blocking(move || Ledger::open_blocking(&path, open)).await;
        opened.map_err(|error| LedgerError::Broken(error.to_string()))?
    }

    fn open_blocking(path: &Path, open: Open) -> Result<Ledger, LedgerError> {
        let broken = |error: std::io::Error| LedgerError::Broken(format!("{}: {error}", path.display()));
        if open == Open::Shared && !path.exists() {
            return Err(LedgerError::Refused(format!("there is no ledger at {}; run migrate first", path.display())));
        }
        if let Some(parent) = path.parent() {
            crate::staging::private_folder(parent).map_err(broken)?;
        }
        let lock = if open == Open::Exclusive { Some(lock(path)?) } else { None };
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        // FULL: a step is durable before the next even when the machine loses power; the cost is shared by grouped commits.
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;")?;
        let begin = match open {
            Open::Exclusive => "BEGIN IMMEDIATE",
            Open::Shared => "BEGIN",
        };
        schema::prepare(&connection)?;
        let inner = Inner { connection: Mutex::new(connection), queue: Mutex::default(), begin, _lock: lock };
        Ok(Ledger { inner: Arc::new(inner) })
    }

    /// Does some work in a transaction that is committed when this returns. Work of others may share the commit, never the outcome.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| work(connection).map_err(LedgerError::from));
            let good = result.is_ok();
            let finish: Finish = Box::new(move |committed| {
                let _ = answer.send(committed.and(result));
            });
            (good, finish)
        });
        lock_of(&self.inner.queue).push(job);
        // spawn_blocking and not a thread of our own: a virtual clock stands still while blocking work runs.
        let inner = self.inner.clone();
        let drained = tokio::task::spawn_blocking(move || inner.drain()).await;
        drained.map_err(|error| LedgerError::Broken(error.to_string()))?;
        wait.await.map_err(|_| LedgerError::Broken("the database went away".to_owned()))?
    }
}

impl Inner {
    /// Runs whatever is queued, in one transaction.
    fn drain(&self) {
        let connection = lock_of(&self.connection);
        let jobs = std::mem::take(&mut *lock_of(&self.queue));
        if jobs.is_empty() {
            return;
        }
        let mut outcome = connection.execute_batch(self.begin).map_err(LedgerError::from);
        let mut finishes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let opened = outcome.clone().and_then(|()| Ok(connection.execute_batch("SAVEPOINT job")?));
            let (good, finish) = job(opened.map(|()| &*connection));
            finishes.push(finish);
            let close = if good { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
            outcome = outcome.and_then(|()| Ok(connection.execute_batch(close)?));
        }
        outcome = outcome.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
        if outcome.is_err() {
            // Nothing of the group is kept; each is told so, and why.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for finish in finishes {
            finish(outcome.clone());
        }
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One process at a time: the lock falls with the process, however it ends.
fn lock(path: &Path) -> Result<File, LedgerError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(&name).map_err(|error| LedgerError::Broken(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(LedgerError::Refused(format!("the ledger {} is in use by another run; wait for it or stop it", path.display())))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(LedgerError::Broken(format!("{}: {error}", path.display()))),
    }
}
