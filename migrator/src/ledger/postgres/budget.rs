//! Turns that all runs share: for each limit the time of the next one, by the database's clock. A
//! crash forgets it, and with it what was taken and not used.

use std::time::Duration;

use async_trait::async_trait;
use platforms::Budget;
use tokio_postgres::types::ToSql;

use super::PostgresLedger;
use super::session::{Session, Trouble};

const TAKE: &str = "INSERT INTO budget AS b (name, next_us) VALUES ($1, clock_ms() * 1000 + $2) ON \
    CONFLICT (name) DO UPDATE SET next_us = greatest(b.next_us, clock_ms() * 1000) + $2 RETURNING \
    greatest(next_us - $2 - clock_ms() * 1000, 0)";
const HOLD: &str = "INSERT INTO budget AS b (name, next_us) VALUES ($1, clock_ms() * 1000 + $2) ON \
    CONFLICT (name) DO UPDATE SET next_us = greatest(b.next_us, clock_ms() * 1000 + $2) RETURNING \
    next_us";

#[async_trait]
impl Budget for PostgresLedger {
    async fn take(&self, name: &str, count: u32, spacing: Duration) -> Option<Duration> {
        let takes_us = microseconds(spacing.saturating_mul(count));
        let wait_us = self.of_budget(TAKE, &[&name, &takes_us]).await?;
        Some(Duration::from_micros(u64::try_from(wait_us).unwrap_or(0)))
    }

    async fn hold(&self, name: &str, wait: Duration) {
        self.of_budget(HOLD, &[&name, &microseconds(wait)]).await;
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

impl PostgresLedger {
    /// One statement over a connection of its own, so that no turn waits for a long question. A
    /// database that is gone is waited for as everywhere.
    async fn of_budget(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Option<i64> {
        let mut kept = self.budget.lock().await;
        let mut tries = self.tries();
        loop {
            let asked: Result<i64, Trouble> = async {
                if kept.is_none() {
                    let session = Session::connect(&self.place, &self.clock).await?;
                    session.batch("SET synchronous_commit = off").await?;
                    *kept = Some(session);
                }
                let gone = || Trouble::Gone("the connection was closed".to_owned());
                kept.as_ref().ok_or_else(gone)?.one(sql, parameters).await
            }
            .await;
            match asked {
                Ok(found) => return Some(found),
                Err(trouble) => {
                    kept.take();
                    if let Err(error) = self.pause(&mut tries, trouble).await {
                        tracing::warn!("turns are not shared with other runs: {error}");
                        return None;
                    }
                }
            }
        }
    }
}
