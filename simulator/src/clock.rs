//! The one clock of a simulator: the only file that asks the time or sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;

/// The latest time a clock is advanced to: the end of 8999. Dates and the `Date` header have years
/// of four digits, and retention is counted from now: a thousand years are left for it.
const LATEST_MS: i64 = 221_845_391_999_999;

/// An advance beyond every calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "advancing the clock by {ms} ms leads beyond the year 8999, where dates end; advance it by less"
)]
pub struct BeyondCalendar {
    /// What was asked for.
    pub ms: u64,
}

/// Time as every simulated platform sees it: limiter windows, token life, jobs, retention and the
/// `Date` header all come from here.
///
/// It stands on tokio's clock, so a paused runtime drives it too. Clones share one clock.
#[derive(Clone)]
pub(crate) struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    start_ms: i64,
    /// Whether tokio's clock jumps.
    is_virtual: bool,
    started: Instant,
    factor: f64,
    /// Negative where a snapshot was brought back.
    advanced_ms: AtomicI64,
    jumps: watch::Sender<()>,
}

impl Clock {
    /// A clock that stands at `start_ms` now and runs `factor` times as fast as this machine's (60:
    /// a minute a second).
    pub(crate) fn scaled_from(start_ms: i64, factor: f64) -> Clock {
        Clock::starting(start_ms, factor, false)
    }

    /// A clock that stands at `start_ms` now and goes as tokio's does: under a paused runtime it
    /// jumps whenever everybody waits, and stands still while blocking work runs.
    pub(crate) fn virtual_from(start_ms: i64) -> Clock {
        Clock::starting(start_ms, 1.0, true)
    }

    fn starting(start_ms: i64, factor: f64, is_virtual: bool) -> Clock {
        let (jumps, _) = watch::channel(());
        Clock {
            inner: Arc::new(Inner {
                start_ms,
                is_virtual,
                started: Instant::now(),
                factor,
                advanced_ms: AtomicI64::new(0),
                jumps,
            }),
        }
    }

    /// Now. Unix ms.
    pub(crate) fn now_ms(&self) -> i64 {
        let elapsed = self.inner.started.elapsed().as_secs_f64() * 1000.0 * self.inner.factor;
        let advanced = self.inner.advanced_ms.load(Ordering::Acquire);
        self.inner
            .start_ms
            .saturating_add(elapsed.round() as i64)
            .saturating_add(advanced)
    }

    /// Whether it shows another time than this machine's: it was moved, or goes at a speed of its
    /// own.
    pub(crate) fn is_moved(&self) -> bool {
        let inner = &self.inner;
        inner.is_virtual
            || (inner.factor - 1.0).abs() > f64::EPSILON
            || inner.advanced_ms.load(Ordering::Acquire) != 0
    }

    /// Simulated seconds in a real one.
    pub(crate) fn pace(&self) -> f64 {
        self.inner.factor
    }

    /// Returns once `ms` have passed on this clock; an advance counts as passed time.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) async fn sleep_ms(&self, ms: u64) {
        let until = self
            .now_ms()
            .saturating_add(i64::try_from(ms).unwrap_or(i64::MAX / 4));
        let mut jumps = self.inner.jumps.subscribe();
        loop {
            let left = until - self.now_ms();
            if left <= 0 {
                return;
            }
            let nap = Duration::from_secs_f64(
                (left as f64 / 1000.0 / self.inner.factor).clamp(0.001, 31_536_000.0),
            );
            tokio::select! {
                biased;
                _ = jumps.changed() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Does work that blocks: on a thread of its own, or right here in virtual time, which stands
    /// still meanwhile. `None` after a panic in it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.inner.is_virtual {
            return std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok();
        }
        tokio::task::spawn_blocking(work).await.ok()
    }

    /// Awaits work whose end other threads tell. In virtual time this thread does nothing else
    /// meanwhile: whether it had ended when it was first asked, or a little later, must make no
    /// difference. Only for work that needs no other task.
    pub(crate) async fn elsewhere<T>(&self, work: impl Future<Output = T>) -> T {
        if self.inner.is_virtual {
            stand_still(work)
        } else {
            work.await
        }
    }

    /// Shows `now_ms` from now on, earlier or later. Who sleeps wakes when its moment comes on the
    /// new time.
    pub(crate) fn set_ms(&self, now_ms: i64) {
        self.inner
            .advanced_ms
            .fetch_add(now_ms - self.now_ms(), Ordering::AcqRel);
        self.inner.jumps.send_replace(());
    }

    /// Jumps forward by `ms` and wakes whoever sleeps past it. Refused, with nothing changed, where
    /// no calendar holds the time it would show.
    pub(crate) fn advance_ms(&self, ms: u64) -> Result<(), BeyondCalendar> {
        let then_ms = i64::try_from(ms)
            .ok()
            .and_then(|ms| self.now_ms().checked_add(ms));
        let ms = then_ms
            .filter(|then_ms| *then_ms <= LATEST_MS)
            .and(i64::try_from(ms).ok())
            .ok_or(BeyondCalendar { ms })?;
        self.inner.advanced_ms.fetch_add(ms, Ordering::AcqRel);
        self.inner.jumps.send_replace(());
        Ok(())
    }
}

/// The time of this machine. Unix ms.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn machine_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The day it is on this machine, UTC: what a served world stands relative to.
#[must_use]
pub fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_millisecond(machine_ms()).unwrap_or(jiff::Timestamp::MAX);
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
impl Clock {
    /// Of tests that do not care which day it is: at a fixed instant, as fast as this machine's.
    pub(crate) fn of_a_test() -> Clock {
        Clock::scaled_from(1_782_777_600_000, 1.0) // 2026-06-30T00:00:00Z
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_advance_wakes_a_sleeper() {
        let clock = Clock::of_a_test();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_ms(3_600_000).await }
        });
        tokio::task::yield_now().await;
        clock
            .advance_ms(3_600_000)
            .expect("an hour is on every calendar");
        assert!(sleeper.await.is_ok());
    }

    #[test]
    fn an_advance_is_seen_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let clock = Clock::of_a_test();
            let before = clock.now_ms();
            clock
                .advance_ms(86_400_000)
                .expect("a day is on every calendar");
            assert!(clock.now_ms() - before >= 86_400_000);
        });
    }

    #[test]
    fn an_advance_that_no_calendar_holds_changes_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let clock = Clock::virtual_from(LATEST_MS - 1_000);
            for ms in [1_001, 1_000_000_000_000_000_000, u64::MAX] {
                assert_eq!(clock.advance_ms(ms), Err(BeyondCalendar { ms }));
            }
            assert!(clock.now_ms() < LATEST_MS);
            assert_eq!(
                jiff::Timestamp::from_millisecond(LATEST_MS)
                    .expect("a time")
                    .to_string(),
                "8999-12-31T23:59:59.999Z"
            );
        });
    }
}
