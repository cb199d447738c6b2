//! The runs at work: a row for each, with its lease by the database's clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use platforms::Budget;
use platforms::clock::Clock;
use tokio::sync::watch;
use tokio_postgres::Row;

use super::session::{Session, Trouble};
use super::{For, PATIENCE, Place, PostgresLedger, transaction};
use crate::ledger::LedgerError;
use crate::ledger::runs::{NewRun, Runs};

/// Whose turn it is to enter or to leave.
const ENTRY: &str = "entry";
/// Whose turn it is to list the source.
const LISTING: &str = "listing";
/// How long a run that ends tries to say so.
const FAREWELL: Duration = Duration::from_secs(10);

/// Whether this run may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Until then, by this machine's clock, Unix ms. Counted from before the database was asked: by
    /// its clock it is later.
    Until(i64),
    Lost,
}

/// The lease of this run, and the task that keeps it.
pub(super) struct Lease {
    name: String,
    standing: Arc<watch::Sender<Standing>>,
    keeper: tokio::task::JoinHandle<()>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl PostgresLedger {
    pub(super) fn run_name(&self) -> Option<String> {
        self.lease.lock().as_ref().map(|lease| lease.name.clone())
    }

    fn standing(&self) -> Option<watch::Receiver<Standing>> {
        self.lease
            .lock()
            .as_ref()
            .map(|lease| lease.standing.subscribe())
    }

    /// The lease is lost: others may have this run's calls.
    pub(super) fn over(&self) -> Trouble {
        if let Some(lease) = self.lease.lock().as_ref() {
            lease.standing.send_replace(Standing::Lost);
        }
        Trouble::Ledger(LedgerError::RunTakenOver(self.away()))
    }

    fn away(&self) -> String {
        format!(
            "this run was away for longer than its lease of {} s (ledger.lease_s), and others may \
             have taken its calls over",
            self.place.lease_ms / 1000
        )
    }

    /// The first statement of whatever this run writes.
    pub(super) async fn keep_lease(
        &self,
        session: &Session,
        run: &str,
        number: i64,
    ) -> Result<(), Trouble> {
        let kept = session
            .change(
                "UPDATE run SET until_ms = clock_ms() + $2, written = $3 WHERE name = $1",
                &[&run, &self.place.lease_ms, &number],
            )
            .await?;
        if kept == 0 { Err(self.over()) } else { Ok(()) }
    }

    /// Makes this run known, and keeps its lease from now on.
    async fn register(&self) -> Result<String, LedgerError> {
        if let Some(name) = self.run_name() {
            return Ok(name);
        }
        let (here, lease_ms) = (here(), self.place.lease_ms);
        let asked_ms = self.clock.now_ms();
        let name = transaction!(self, For::Writing, session => {
            session.one::<String>(
                "INSERT INTO run (name, until_ms, since_ms) SELECT $1 || '-' || \
                 nextval('run_number'), clock_ms() + $2, clock_ms() RETURNING name",
                &[&here, &lease_ms],
            )
            .await
        })?;
        let (standing, _) = watch::channel(Standing::Until(asked_ms + lease_ms));
        let standing = Arc::new(standing);
        let keeper = tokio::spawn(keep(
            self.place.clone(),
            self.clock.clone(),
            name.clone(),
            standing.clone(),
        ));
        *self.lease.lock() = Some(Lease {
            name: name.clone(),
            standing,
            keeper,
        });
        Ok(name)
    }

    /// Takes a turn, or says who has it.
    async fn take_turn(
        &self,
        run: &str,
        turn: &'static str,
    ) -> Result<Option<String>, LedgerError> {
        transaction!(self, For::Writing, session => {
            end_leases(session).await?;
            session
                .change(
                    "INSERT INTO turn (name, run) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    &[&turn, &run],
                )
                .await?;
            let has: Option<String> = session
                .first("SELECT run FROM turn WHERE name = $1", &[&turn])
                .await?;
            // Whoever had it has just given it back.
            let has = has.unwrap_or_else(|| "another run".to_owned());
            Ok((has != run).then_some(has))
        })
    }

    async fn give_turn(&self, turn: &'static str) -> Result<(), LedgerError> {
        let run = self.run_name().unwrap_or_default();
        transaction!(self, For::Writing, session => {
            session
                .change("DELETE FROM turn WHERE name = $1 AND run = $2", &[&turn, &run])
                .await
                .map(drop)
        })
    }
}

#[async_trait]
impl Runs for PostgresLedger {
    fn name(&self) -> Option<String> {
        self.run_name()
    }

    fn lease_ms(&self) -> Option<i64> {
        Some(self.place.lease_ms)
    }

    async fn try_enter(&self, new_run: &NewRun) -> Result<Option<String>, LedgerError> {
        let run = self.register().await?;
        if let Some(other) = self.take_turn(&run, ENTRY).await? {
            return Ok(Some(other));
        }
        transaction!(self, For::Writing, session => {
            let others = session
                .rows(
                    "SELECT name, plan_hash, alone FROM run WHERE is_in AND name <> $1 ORDER BY \
                     since_ms",
                    &[&run],
                )
                .await?;
            let others = others.iter().map(Other::of).collect::<Result<Vec<_>, _>>()?;
            may_join(new_run, &others)?;
            session
                .change(
                    "UPDATE run SET is_in = true, plan_hash = $2, alone = $3 WHERE name = $1",
                    &[&run, &new_run.plan_hash, &new_run.alone],
                )
                .await?;
            Ok(None)
        })
    }

    async fn entered(&self) -> Result<(), LedgerError> {
        self.give_turn(ENTRY).await
    }

    async fn may_list(&self) -> Result<bool, LedgerError> {
        match self.run_name() {
            Some(run) => Ok(self.take_turn(&run, LISTING).await?.is_none()),
            None => Ok(true),
        }
    }

    async fn listed(&self) -> Result<(), LedgerError> {
        self.give_turn(LISTING).await
    }

    async fn others_have_work(&self) -> Result<bool, LedgerError> {
        let run = self.run_name().unwrap_or_default();
        transaction!(self, For::Writing, session => {
            end_leases(session).await?;
            // Also what nobody has: it was somebody's until just now.
            session
                .one(
                    "SELECT EXISTS (SELECT 1 FROM interaction WHERE claimed_by <> $1 AND phase NOT \
                     IN ('done', 'set_aside') AND error IS NULL) OR EXISTS (SELECT 1 FROM \
                     interaction WHERE claimed_by IS NULL AND in_doubt AND phase NOT IN ('done', \
                     'set_aside') AND error IS NULL)",
                    &[&run],
                )
                .await
        })
    }

    async fn try_leave(&self) -> Result<Option<bool>, LedgerError> {
        let Some(run) = self.run_name() else {
            return Ok(Some(true));
        };
        if self.take_turn(&run, ENTRY).await?.is_some() {
            return Ok(None);
        }
        transaction!(self, For::Writing, session => {
            session
                .change("UPDATE run SET is_in = false WHERE name = $1", &[&run])
                .await?;
            let others: bool = session
                .one("SELECT EXISTS (SELECT 1 FROM run WHERE is_in)", &[])
                .await?;
            Ok(Some(!others))
        })
    }

    async fn gone(&self) {
        let Some(run) = self.run_name() else {
            return;
        };
        let ending = async {
            transaction!(self, For::Writing, session => {
                end_claims(session, std::slice::from_ref(&run)).await?;
                session
                    .change("DELETE FROM run WHERE name = $1", &[&run])
                    .await
                    .map(drop)
            })
        };
        // What cannot be said now is said by the lease when it ends.
        match self.clock.timeout(FAREWELL, ending).await {
            Some(Ok(()) | Err(LedgerError::RunTakenOver(_))) => {}
            Some(Err(error)) => {
                tracing::warn!("the ledger was not told that this run has ended: {error}");
            }
            None => tracing::warn!("the ledger was not told that this run has ended: no answer"),
        }
        self.lease.lock().take();
    }

    async fn at_work(&self) {
        let Some(mut standing) = self.standing() else {
            return;
        };
        loop {
            let now = *standing.borrow_and_update();
            match now {
                Standing::Until(until_ms) if self.clock.now_ms() < until_ms => return,
                Standing::Until(_) if standing.changed().await.is_ok() => {}
                Standing::Until(_) | Standing::Lost => std::future::pending().await,
            }
        }
    }

    fn budget(&self) -> Option<&dyn Budget> {
        Some(self)
    }

    async fn lost(&self) -> LedgerError {
        if let Some(mut standing) = self.standing()
            && standing
                .wait_for(|standing| *standing == Standing::Lost)
                .await
                .is_ok()
        {
            return LedgerError::RunTakenOver(self.away());
        }
        std::future::pending().await
    }
}

/// Another run that is at work.
struct Other {
    name: String,
    plan_hash: String,
    alone: Option<String>,
}

impl Other {
    fn of(row: &Row) -> Result<Other, Trouble> {
        Ok(Other {
            name: row.try_get(0)?,
            plan_hash: row.try_get(1)?,
            alone: row.try_get(2)?,
        })
    }
}

/// Whether a run may work beside the others.
fn may_join(new_run: &NewRun, others: &[Other]) -> Result<(), LedgerError> {
    let names: Vec<&str> = others.iter().map(|other| &*other.name).collect();
    let names = names.join(", ");
    let refused = |why: String| {
        Err(LedgerError::Refused(format!(
            "{why}; wait until it has ended, or end it, and run the same command again"
        )))
    };
    if let Some((name, why)) = others
        .iter()
        .find_map(|other| Some((&other.name, other.alone.as_ref()?)))
    {
        return refused(format!("{name} works on this ledger alone ({why})"));
    }
    if let (Some(why), false) = (new_run.alone, others.is_empty()) {
        return refused(format!(
            "{why} is done while no other run works on this ledger, and {names} does"
        ));
    }
    if others
        .iter()
        .any(|other| other.plan_hash != new_run.plan_hash)
    {
        return refused(format!(
            "{names} works on this ledger under another plan, and all that work at once have the \
             same"
        ));
    }
    Ok(())
}

/// Ends the leases that are over, and gives back what those runs had. What they wrote to the target
/// last is in doubt. A run that is in the middle of a transaction is not away.
pub(super) async fn end_leases(session: &Session) -> Result<(), Trouble> {
    let over = session
        .rows(
            "DELETE FROM run WHERE name IN (SELECT name FROM run WHERE until_ms <= clock_ms() FOR \
             UPDATE SKIP LOCKED) RETURNING name",
            &[],
        )
        .await?;
    if over.is_empty() {
        return Ok(());
    }
    let names = over
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<Vec<String>, _>>()?;
    end_claims(session, &names).await
}

/// Gives back what runs had in hand. Whoever still works on it holds an older number, and writes
/// nothing.
pub(super) async fn end_claims(session: &Session, runs: &[String]) -> Result<(), Trouble> {
    session
        .change(
            "UPDATE interaction SET claimed_by = NULL, claim = claim + 1, in_doubt = true WHERE \
             claimed_by = ANY($1)",
            &[&runs],
        )
        .await
        .map(drop)
}

/// Where this run is, for a person who reads who is at work.
fn here() -> String {
    let name = rustix::system::uname();
    let host = name.nodename().to_string_lossy().into_owned();
    format!("{host}-{}", std::process::id())
}

/// Renews a lease four times in its length, over a connection of its own: a long statement on the
/// other one must not end it.
async fn keep(
    place: Arc<Place>,
    clock: Clock,
    name: String,
    standing: Arc<watch::Sender<Standing>>,
) {
    let pause = Duration::from_millis(u64::try_from(place.lease_ms / 4).unwrap_or(1000));
    let mut session: Option<Session> = None;
    let mut has_waited = false;
    let mut renewed_ms = clock.now_ms();
    loop {
        // Work stands still meanwhile, and cannot give up by itself.
        let patience_ms = i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX);
        if clock.now_ms().saturating_sub(renewed_ms) > patience_ms + place.lease_ms {
            standing.send_replace(Standing::Lost);
            return;
        }
        if has_waited {
            // Sooner after a failure: the database may be back.
            clock.sleep(pause.min(Duration::from_millis(500))).await;
        } else {
            clock.sleep(pause).await;
        }
        let asked_ms = clock.now_ms();
        let renewed = clock.timeout(pause * 2, async {
            if session.is_none() {
                session = Some(Session::connect(&place, &clock).await?);
            }
            match &session {
                Some(session) => {
                    session
                        .change(
                            "UPDATE run SET until_ms = clock_ms() + $2 WHERE name = $1",
                            &[&name, &place.lease_ms],
                        )
                        .await
                }
                None => Ok(0),
            }
        });
        match renewed.await {
            Some(Ok(0)) => {
                standing.send_replace(Standing::Lost);
                return;
            }
            Some(Ok(_)) => {
                has_waited = false;
                renewed_ms = asked_ms;
                standing.send_replace(Standing::Until(asked_ms + place.lease_ms));
            }
            Some(Err(_)) | None => {
                has_waited = true;
                session = None;
            }
        }
    }
}
