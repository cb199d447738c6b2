//! The one clock of the client side. The only file of this crate that asks the time or sleeps.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time and waits.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

#[derive(Debug, Clone)]
enum Kind {
    Real,
    Tokio {
        start_ms: i64,
        start: tokio::time::Instant,
        /// Seconds of this clock in one of tokio's.
        factor: f64,
    },
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
        Clock::scaled(start_ms, 1.0)
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) now and goes `factor` times as fast as tokio's: waits and time limits are as much
    /// shorter, for a peer whose clock goes as fast.
    #[must_use]
    pub fn scaled(start_ms: i64, factor: f64) -> Clock {
        Clock(Kind::Tokio { start_ms, start: tokio::time::Instant::now(), factor })
    }

    /// How long `duration` of this clock is on tokio's.
    fn of_tokio(&self, duration: Duration) -> Duration {
        match self.0 {
            Kind::Real => duration,
            Kind::Tokio { factor, .. } if (factor - 1.0).abs() < f64::EPSILON => duration,
            // A duration beyond what tokio can wait for is a wait for ever: a century will do.
            Kind::Tokio { factor, .. } => Duration::try_from_secs_f64(duration.as_secs_f64() / factor).unwrap_or(CENTURY).min(CENTURY),
        }
    }

    /// Unix milliseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the client side asks the machine's clock")]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Real => Timestamp::now().as_millisecond(),
            Kind::Tokio { start_ms, start, factor } => start_ms + (start.elapsed().as_secs_f64() * 1000.0 * factor).round() as i64,
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
        tokio::time::sleep(self.of_tokio(duration)).await;
    }

    /// Waits for `work`, but no longer than `limit`; `None` when the time ran out.
    #[expect(clippy::disallowed_methods, reason = "the one place where the client side bounds a wait")]
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.of_tokio(limit), work).await.ok()
    }
}
