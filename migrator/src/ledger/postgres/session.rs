//! One connection: its statements, and what can go wrong with it.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use platforms::clock::Clock;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, NoTls, Row, Statement};

use super::Place;
use super::address::Tls;
use crate::ledger::LedgerError;

/// A statement that takes longer has met something that does not end. The longest decide anew about
/// millions of calls.
const LONGEST: Duration = Duration::from_secs(600);
/// How much longer an answer is waited for.
const SLACK: Duration = Duration::from_secs(15);

/// What ends a transaction before its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection is gone, or the server takes none at present: again over another one.
    Gone(String),
    /// Another transaction stood in the way and nothing was changed: again.
    Again(String),
    /// Nothing will change by doing it again.
    Ledger(LedgerError),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Trouble {
        Trouble::Ledger(error)
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Trouble {
        let Some(told) = error.as_db_error() else {
            // Without a word of the server: the connection, or a value of a column that no
            // statement of ours writes.
            let why = with_cause(&error);
            return if error.is_closed() || is_io(&error) {
                Trouble::Gone(why)
            } else {
                Trouble::Ledger(LedgerError::Broken(why))
            };
        };
        let (code, state) = (told.code().code(), told.code());
        // Data exceptions quote values.
        let message = if code.starts_with("22") {
            "a value cannot be stored"
        } else {
            told.message()
        };
        let why = format!("{message} (SQLSTATE {code})");
        let is_gone = code.starts_with("08")
            || code.starts_with("57P")
            || code == "25P03"
            || *state == SqlState::TOO_MANY_CONNECTIONS;
        let stood_in_the_way = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        if is_gone {
            Trouble::Gone(why)
        } else if stood_in_the_way.contains(state) {
            Trouble::Again(why)
        } else if code.starts_with("28") || code.starts_with("3D") || code == "42501" {
            Trouble::Ledger(LedgerError::Refused(why))
        } else if code.starts_with("XX") {
            Trouble::Ledger(LedgerError::Damaged(why))
        } else {
            Trouble::Ledger(LedgerError::Broken(why))
        }
    }
}

/// The sentence, with what the library keeps behind it.
fn with_cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(found) = cause {
        if let Some(found) = found.downcast_ref::<std::io::Error>() {
            // A certificate that is not trusted stays so.
            return found.kind() != std::io::ErrorKind::InvalidData;
        }
        cause = found.source();
    }
    error.to_string().starts_with("timeout")
}

/// A connection, with the statements it has prepared.
pub(super) struct Session {
    client: Client,
    clock: Clock,
    prepared: Mutex<HashMap<String, Statement>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects, and has the server end what this machine leaves lying: a run that stands still in
    /// the middle of a transaction must not hold up the others.
    pub(super) async fn connect(place: &Place, clock: &Clock) -> Result<Session, Trouble> {
        let limited = clock.timeout(SLACK, connected(place)).await;
        let (client, driver) =
            limited.unwrap_or_else(|| Err(Trouble::Gone("no answer".to_owned())))?;
        let session = Session {
            client,
            clock: clock.clone(),
            prepared: Mutex::default(),
            driver,
        };
        session
            .batch(&format!(
                "SET search_path TO {}; SET statement_timeout = {}; SET \
                 idle_in_transaction_session_timeout = {}; SET tcp_keepalives_idle = 15; SET \
                 tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3",
                place.address.schema,
                LONGEST.as_millis(),
                place.lease_ms
            ))
            .await?;
        Ok(session)
    }

    /// Statements without parameters; answers nothing.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Trouble> {
        self.limited(self.client.batch_execute(sql)).await
    }

    /// A statement, which is prepared once.
    async fn statement(&self, sql: &str) -> Result<Statement, Trouble> {
        let known = self.prepared.lock().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let made = self.limited(self.client.prepare(sql)).await?;
        self.prepared.lock().insert(sql.to_owned(), made.clone());
        Ok(made)
    }

    /// The rows of a statement.
    pub(super) async fn rows(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Trouble> {
        let statement = self.statement(sql).await?;
        self.limited(self.client.query(&statement, parameters))
            .await
    }

    /// How many rows a statement changed.
    pub(super) async fn change(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Trouble> {
        let statement = self.statement(sql).await?;
        self.limited(self.client.execute(&statement, parameters))
            .await
    }

    /// The first column of the one row there is.
    pub(super) async fn one<T: for<'a> FromSql<'a>>(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<T, Trouble> {
        let none = || Trouble::Ledger(LedgerError::Broken("a row is missing".to_owned()));
        self.first(sql, parameters).await?.ok_or_else(none)
    }

    /// The first column of the first row. Absent: there is no row.
    pub(super) async fn first<T: for<'a> FromSql<'a>>(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<T>, Trouble> {
        let rows = self.rows(sql, parameters).await?;
        Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
    }

    async fn limited<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Trouble> {
        match self.clock.timeout(LONGEST + SLACK, work).await {
            Some(done) => Ok(done?),
            None => Err(Trouble::Gone("no answer".to_owned())),
        }
    }
}

async fn connected(place: &Place) -> Result<(Client, tokio::task::JoinHandle<()>), Trouble> {
    Ok(match place.address.tls {
        Tls::Disable => {
            let (client, connection) = place.config.connect(NoTls).await?;
            let driver = tokio::spawn(async move { _ = connection.await });
            (client, driver)
        }
        Tls::Require | Tls::VerifyFull => {
            let (client, connection) = place.config.connect(place.connector.clone()).await?;
            let driver = tokio::spawn(async move { _ = connection.await });
            (client, driver)
        }
    })
}
