//! PostgreSQL: any number of runs on any number of machines. Each has one connection for its
//! questions, one after the other, and one that keeps its lease.
//!
//! A transaction is done again when its connection breaks, over another one. Whether one was
//! committed whose answer was lost is read from the run's row, which each transaction numbers. The
//! same row is what others end when a lease is over: whoever finds it gone writes nothing more.

mod address;
mod budget;
mod copy;
mod custody;
mod listing;
mod queries;
mod rows;
mod runs;
mod save;
mod schema;
mod session;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use plan::Secret;
use platforms::clock::Clock;
use tokio::sync::MutexGuard;
use tokio_postgres::Config;

use super::registry::Access;
use super::{LedgerError, Open};
use address::Address;
use runs::Lease;
use save::Waiting;
use session::{Session, Trouble};
use tls::Connector;

/// Lines under this target are told whatever the level.
const WAITING: &str = "platforms::waiting";
/// How long a database that is gone is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// The same when a command begins: a wrong address is told soon.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So often a transaction is begun anew that others stand in the way of.
const ATTEMPTS: u32 = 50;

/// Which database, and how to come to it.
pub(super) struct Place {
    address: Address,
    config: Config,
    connector: Connector,
    /// How long a run may be away before others take its calls over. Milliseconds.
    lease_ms: i64,
}

impl Place {
    fn of(url: &str, access: &Access) -> Result<Place, LedgerError> {
        let address = Address::parse(url)?;
        let password = access.password.as_ref().map(Secret::expose_the_secret);
        let authorities = address
            .authorities
            .as_ref()
            .map(|file| access.dir.join(file));
        Ok(Place {
            config: address.config(password),
            connector: Connector::new(address.tls, authorities.as_deref())?,
            address,
            lease_ms: i64::from(access.lease_s) * 1000,
        })
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// A look at one moment of the ledger.
    Reading,
    /// A change, which this run may do only while it has its lease.
    Writing,
}

/// A ledger in a database.
pub(crate) struct PostgresLedger {
    place: Arc<Place>,
    clock: Clock,
    session: tokio::sync::Mutex<Option<Session>>,
    /// Number of the transaction begun last.
    begun: AtomicI64,
    /// Rows that wait for the next commit.
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever has it writes them.
    writing: tokio::sync::Mutex<()>,
    /// Asks for turns.
    budget: tokio::sync::Mutex<Option<Session>>,
    /// This run as others see it. Absent: it only looks, or has not entered.
    lease: Mutex<Option<Lease>>,
}

/// A transaction that is open. Where it is dropped before it was ended, its connection goes too.
struct Turn<'a> {
    session: MutexGuard<'a, Option<Session>>,
    purpose: For,
    number: i64,
    is_over: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.session.take();
        }
    }
}

impl Turn<'_> {
    fn session(&self) -> Result<&Session, Trouble> {
        self.session
            .as_ref()
            .ok_or_else(|| Trouble::Gone("the connection was closed".to_owned()))
    }
}

/// How often, and since when, something is tried.
struct Tries {
    since_ms: i64,
    pause: Duration,
    count: u32,
}

/// Does work in a transaction, again over another connection where one breaks.
macro_rules! transaction {
    ($ledger:expr, $purpose:expr, $session:ident => $work:expr) => {{
        let ledger: &$crate::ledger::postgres::PostgresLedger = $ledger;
        let mut tries = ledger.tries();
        loop {
            let turn = match ledger.begin($purpose).await {
                Ok(turn) => turn,
                Err(trouble) => match ledger.pause(&mut tries, trouble).await {
                    Ok(()) => continue,
                    Err(error) => break Err(error),
                },
            };
            let done: Result<_, $crate::ledger::postgres::session::Trouble> = match turn.session() {
                Ok($session) => async { $work }.await,
                Err(trouble) => Err(trouble),
            };
            match ledger.end(turn, done, &mut tries).await {
                Ok(Some(value)) => break Ok(value),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        }
    }};
}
pub(super) use transaction;

impl PostgresLedger {
    /// Connects, and makes or completes the tables where this run may write.
    pub(crate) async fn open(
        url: &str,
        access: &Access,
        open: Open,
        clock: &Clock,
    ) -> Result<PostgresLedger, LedgerError> {
        if clock.is_virtual() {
            return Err(LedgerError::Refused(
                "ledger.url: a database does not wait for virtual time; use a file".to_owned(),
            ));
        }
        PostgresLedger::at(Place::of(url, access)?, open, clock).await
    }

    /// Opens a ledger that may be there and makes none. Answers why it cannot be written, if it
    /// cannot.
    pub(crate) async fn check(
        url: &str,
        access: &Access,
        clock: &Clock,
    ) -> Result<Option<String>, LedgerError> {
        let ledger = PostgresLedger::connected(Place::of(url, access)?, clock).await?;
        let schema = &ledger.place.address.schema;
        let may = transaction!(&ledger, For::Reading, session => {
            schema::newer(schema::version(session).await?)?;
            let sql = "SELECT CASE WHEN to_regnamespace($1) IS NULL THEN \
                has_database_privilege(current_database(), 'CREATE') ELSE \
                has_schema_privilege($1, 'CREATE, USAGE') END";
            session.one::<bool>(sql, &[schema]).await
        })?;
        Ok((!may).then(|| {
            format!(
                "{}: the user may not make tables there; grant it CREATE",
                ledger.place.address.told()
            )
        }))
    }

    async fn at(place: Place, open: Open, clock: &Clock) -> Result<PostgresLedger, LedgerError> {
        let ledger = PostgresLedger::connected(place, clock).await?;
        ledger.prepare(open).await?;
        Ok(ledger)
    }

    async fn connected(place: Place, clock: &Clock) -> Result<PostgresLedger, LedgerError> {
        let ledger = PostgresLedger {
            place: Arc::new(place),
            clock: clock.clone(),
            session: tokio::sync::Mutex::default(),
            begun: AtomicI64::new(0),
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            budget: tokio::sync::Mutex::default(),
            lease: Mutex::default(),
        };
        let mut tries = ledger.tries();
        while let Err(trouble) = ledger.connect().await {
            if ledger.has_waited(&tries) > PATIENCE_AT_FIRST {
                return Err(ledger.told(trouble));
            }
            ledger.pause(&mut tries, trouble).await?;
        }
        Ok(ledger)
    }

    async fn connect(&self) -> Result<(), Trouble> {
        let connected = Session::connect(&self.place, &self.clock).await?;
        *self.session.lock().await = Some(connected);
        Ok(())
    }

    async fn prepare(&self, open: Open) -> Result<(), LedgerError> {
        let schema = &self.place.address.schema;
        match open {
            Open::Exclusive => transaction!(self, For::Writing, session => {
                schema::prepare(session, schema).await
            }),
            Open::Shared => {
                let found = transaction!(self, For::Reading, session => {
                    let found = schema::version(session).await?;
                    schema::newer(found)?;
                    Ok(found)
                })?;
                if found > 0 {
                    return Ok(());
                }
                Err(LedgerError::Refused(format!(
                    "there is no ledger in {}; run migrate first",
                    self.place.address.told()
                )))
            }
        }
    }

    fn tries(&self) -> Tries {
        Tries {
            since_ms: self.clock.now_ms(),
            pause: FIRST_PAUSE,
            count: 0,
        }
    }

    fn has_waited(&self, tries: &Tries) -> Duration {
        let ms = self.clock.now_ms().saturating_sub(tries.since_ms);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// Waits before another try, or says that there is none.
    async fn pause(&self, tries: &mut Tries, trouble: Trouble) -> Result<(), LedgerError> {
        tries.count += 1;
        match trouble {
            Trouble::Ledger(_) => return Err(self.told(trouble)),
            Trouble::Again(_) if tries.count > ATTEMPTS => return Err(self.told(trouble)),
            Trouble::Again(_) => {}
            Trouble::Gone(_) if self.has_waited(tries) > PATIENCE => {
                return Err(self.told(trouble));
            }
            Trouble::Gone(ref why) => {
                if tries.count == 2 {
                    tracing::warn!(
                        target: WAITING,
                        "the ledger {}: {why}; trying again for {} s",
                        self.place.address.told(),
                        PATIENCE.as_secs()
                    );
                }
            }
        }
        self.clock.sleep(tries.pause).await;
        tries.pause = (tries.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// For a person, with the database it is about.
    fn told(&self, trouble: Trouble) -> LedgerError {
        let place = self.place.address.told();
        match trouble {
            Trouble::Gone(why) | Trouble::Again(why) => {
                LedgerError::Broken(format!("{place}: {why}"))
            }
            Trouble::Ledger(LedgerError::Broken(why)) => {
                LedgerError::Broken(format!("{place}: {why}"))
            }
            Trouble::Ledger(LedgerError::Damaged(why)) => LedgerError::Damaged(format!(
                "the ledger {place} is damaged ({why}), and no run can go on with it; restore a \
                 backup, or name another schema in ledger.url: a new one is built from source and \
                 staging, and what is in the target is found there and not sent twice"
            )),
            Trouble::Ledger(LedgerError::Refused(why)) if !why.contains("ledger") => {
                LedgerError::Refused(format!("the ledger {place}: {why}"))
            }
            Trouble::Ledger(error) => error,
        }
    }

    /// Opens a transaction. One that writes begins by renewing the run's lease: its row is locked
    /// from there on, so that nobody ends the lease meanwhile, and whoever has lost it writes
    /// nothing.
    async fn begin(&self, purpose: For) -> Result<Turn<'_>, Trouble> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let mut turn = Turn {
            session: self.session.lock().await,
            purpose,
            number,
            is_over: false,
        };
        if turn.session.is_none() {
            *turn.session = Some(Session::connect(&self.place, &self.clock).await?);
        }
        let begin = match purpose {
            For::Reading => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            For::Writing => "BEGIN",
        };
        let session = turn.session()?;
        session.batch(begin).await?;
        if let (For::Writing, Some(run)) = (purpose, self.run_name()) {
            self.keep_lease(session, &run, number).await?;
        }
        Ok(turn)
    }

    /// Commits, or does what follows from trouble: `None` where the work is to be done again.
    async fn end<T>(
        &self,
        mut turn: Turn<'_>,
        done: Result<T, Trouble>,
        tries: &mut Tries,
    ) -> Result<Option<T>, LedgerError> {
        let value = match done {
            Ok(value) => value,
            Err(trouble) => {
                let ended = match (&trouble, turn.session()) {
                    (Trouble::Gone(_), _) | (_, Err(_)) => false,
                    (_, Ok(session)) => session.batch("ROLLBACK").await.is_ok(),
                };
                turn.is_over = ended;
                drop(turn);
                self.pause(tries, trouble).await?;
                return Ok(None);
            }
        };
        let committed = match turn.session() {
            Ok(session) => session.batch("COMMIT").await,
            Err(trouble) => Err(trouble),
        };
        let Err(trouble) = committed else {
            turn.is_over = true;
            return Ok(Some(value));
        };
        turn.session.take();
        if turn.purpose == For::Reading {
            return Ok(Some(value));
        }
        self.pause(tries, trouble).await?;
        // Nobody else has the connection meanwhile: the number of another transaction would hide
        // this one's.
        let committed = self.was_committed(&mut turn, tries).await?;
        turn.is_over = true;
        Ok(committed.then_some(value))
    }

    /// Whether a transaction was committed whose answer was lost. The run's row was locked by it:
    /// where it is not over yet, the answer waits for its end.
    async fn was_committed(
        &self,
        turn: &mut Turn<'_>,
        tries: &mut Tries,
    ) -> Result<bool, LedgerError> {
        let Some(run) = self.run_name() else {
            // Nothing numbers it: what is written without a lease may be written twice.
            return Ok(false);
        };
        loop {
            let asked = async {
                if turn.session.is_none() {
                    *turn.session = Some(Session::connect(&self.place, &self.clock).await?);
                }
                let written: Option<i64> = turn
                    .session()?
                    .first(
                        "SELECT written FROM run WHERE name = $1 FOR UPDATE",
                        &[&run],
                    )
                    .await?;
                written.ok_or_else(|| self.over())
            };
            match asked.await {
                Ok(written) => return Ok(written == turn.number),
                Err(trouble) => {
                    turn.session.take();
                    self.pause(tries, trouble).await?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
