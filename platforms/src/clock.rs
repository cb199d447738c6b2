//! The one clock of the client side. The only file of this crate that asks the time or sleeps.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Blocking work that ended in a panic, or that was not begun because the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it broke off, which is a defect of this program")]
pub struct BrokeOff;

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
        /// Whether tokio's clock jumps.
        jumps: bool,
    },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Clock {
        Clock(Kind::Real)
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) now and goes as tokio's does, so that
    /// a paused runtime moves it.
    #[must_use]
    pub fn following_tokio(start_ms: i64) -> Clock {
        Clock(Kind::Tokio {
            start_ms,
            start: tokio::time::Instant::now(),
            factor: 1.0,
            jumps: true,
        })
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) now and goes as fast as the machine's.
    #[must_use]
    pub fn starting_at(start_ms: i64) -> Clock {
        Clock::scaled(start_ms, 1.0)
    }

    /// A clock that stands at `start_ms` (Unix milliseconds) now and goes `factor` times as fast as
    /// tokio's: waits and time limits are as much shorter, for a peer whose clock goes as fast.
    #[must_use]
    pub fn scaled(start_ms: i64, factor: f64) -> Clock {
        Clock(Kind::Tokio {
            start_ms,
            start: tokio::time::Instant::now(),
            factor,
            jumps: false,
        })
    }

    /// A clock that shows so many milliseconds more, or less, and otherwise goes as this one does.
    #[must_use]
    pub fn shifted(&self, by_ms: i64) -> Clock {
        match self.0 {
            Kind::Real => Clock::scaled(self.now_ms().saturating_add(by_ms), 1.0),
            Kind::Tokio {
                start_ms,
                start,
                factor,
                jumps,
            } => Clock(Kind::Tokio {
                start_ms: start_ms.saturating_add(by_ms),
                start,
                factor,
                jumps,
            }),
        }
    }

    /// How long `duration` of this clock is on tokio's.
    fn of_tokio(&self, duration: Duration) -> Duration {
        match self.0 {
            Kind::Real => duration,
            Kind::Tokio { factor, .. } if (factor - 1.0).abs() < f64::EPSILON => duration,
            // A duration beyond what tokio can wait for is a wait for ever: a century will do.
            Kind::Tokio { factor, .. } => {
                Duration::try_from_secs_f64(duration.as_secs_f64() / factor)
                    .unwrap_or(CENTURY)
                    .min(CENTURY)
            }
        }
    }

    /// Unix milliseconds.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the client side asks the machine's clock"
    )]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Real => Timestamp::now().as_millisecond(),
            Kind::Tokio {
                start_ms,
                start,
                factor,
                ..
            } => start_ms + (start.elapsed().as_secs_f64() * 1000.0 * factor).round() as i64,
        }
    }

    /// The same as an instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether nobody waits under this clock: it jumps to the next deadline whenever there is
    /// nothing else to do.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self.0, Kind::Tokio { jumps: true, .. })
    }

    /// Whether it is the machine's clock, and somebody may be waiting by it.
    #[must_use]
    pub fn is_real(&self) -> bool {
        matches!(self.0, Kind::Real)
    }

    /// Does work that blocks: on a thread of its own, or right here under a virtual clock. Time
    /// stands still there meanwhile, and nothing that comes of it depends on how long it took.
    ///
    /// # Errors
    ///
    /// The work panicked, which is caught here, or the runtime ended before it began
    /// ([`BrokeOff`]).
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BrokeOff> {
        if self.is_virtual() {
            return std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
                .map_err(|_| BrokeOff);
        }
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| BrokeOff)
    }

    /// Awaits work whose end other threads tell, as that on files is. Under a virtual clock this
    /// thread does nothing else meanwhile: whether it had ended when it was first asked, or a
    /// little later, must make no difference to what comes next. Only for work that needs no other
    /// task.
    pub async fn elsewhere<T>(&self, work: impl Future<Output = T>) -> T {
        if self.is_virtual() {
            stand_still(work)
        } else {
            work.await
        }
    }

    /// Waits.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the client side sleeps"
    )]
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.of_tokio(duration)).await;
    }

    /// Waits for `work`, but no longer than `limit`; `None` when the time ran out.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the client side bounds a wait"
    )]
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.of_tokio(limit), work).await.ok()
    }
}

/// Polls work on this thread until it is done, and does nothing else meanwhile.
fn stand_still<T>(work: impl Future<Output = T>) -> T {
    struct Thread(std::thread::Thread);
    impl std::task::Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Thread(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut context) {
            std::task::Poll::Ready(done) => return done,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
