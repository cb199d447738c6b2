//! The one clock of the client side. The only file of this crate that asks the time or sleeps.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time and waits.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Real,
    Tokio { start_ms: i64, start: tokio::time::Instant },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Clock {
        Clock(Kind::Real)
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) now and goes as tokio's does, so that a paused runtime moves it.
    #[must_use]
    pub fn following_tokio(start_ms: i64) -> Clock {
        Clock(Kind::Tokio { start_ms, start: tokio::time::Instant::now() })
    }

    /// Unix milliseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the client side asks the machine's clock")]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Real => Timestamp::now().as_millisecond(),
            Kind::Tokio { start_ms, start } => start_ms + i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX - start_ms),
        }
    }

    /// The same as an instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Waits.
    #[expect(clippy::disallowed_methods, reason = "the one place where the client side sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Waits for `work`, but no longer than `limit`; `None` when the time ran out.
    #[expect(clippy::disallowed_methods, reason = "the one place where the client side bounds a wait")]
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, work).await.ok()
    }
}
