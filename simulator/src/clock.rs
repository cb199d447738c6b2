//! The one clock of a simulator: the only file that asks the time or sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;

/// Time as every simulated platform sees it: limiter windows, token life, jobs, retention and the `Date` header all come from here.
///
/// It stands on tokio's clock, so a paused runtime drives it too. Clones share one clock.
#[derive(Clone)]
pub(crate) struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    start_ms: i64,
    started: Instant,
    factor: f64,
    advanced_ms: AtomicU64,
    jumps: watch::Sender<()>,
}

impl Clock {
    /// The time of this machine.
    pub(crate) fn real() -> Clock {
        Clock::scaled(1.0)
    }

    /// A clock that runs `factor` times as fast as this machine's (`scaled:60`: a minute a second).
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn scaled(factor: f64) -> Clock {
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock::starting(i64::try_from(start.as_millis()).unwrap_or(i64::MAX), factor)
    }

    /// A clock that stands at `start_ms` now and goes as tokio's does: under a paused runtime it jumps whenever everybody waits, and stands still
    /// while blocking work runs.
    pub(crate) fn virtual_from(start_ms: i64) -> Clock {
        Clock::starting(start_ms, 1.0)
    }

    fn starting(start_ms: i64, factor: f64) -> Clock {
        let (jumps, _) = watch::channel(());
        Clock { inner: Arc::new(Inner { start_ms, started: Instant::now(), factor, advanced_ms: AtomicU64::new(0), jumps }) }
    }

    /// Now. Unix ms.
    pub(crate) fn now_ms(&self) -> i64 {
        let elapsed = self.inner.started.elapsed().as_secs_f64() * 1000.0 * self.inner.factor;
        let advanced = self.inner.advanced_ms.load(Ordering::Acquire);
        self.inner.start_ms + elapsed.round() as i64 + i64::try_from(advanced).unwrap_or(i64::MAX / 2)
    }

    /// Returns once `ms` have passed on this clock; an advance counts as passed time.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) async fn sleep_ms(&self, ms: u64) {
        let until = self.now_ms().saturating_add(i64::try_from(ms).unwrap_or(i64::MAX / 4));
        let mut jumps = self.inner.jumps.subscribe();
        loop {
            let left = until - self.now_ms();
            if left <= 0 {
                return;
            }
            let nap = Duration::from_secs_f64((left as f64 / 1000.0 / self.inner.factor).clamp(0.001, 31_536_000.0));
            tokio::select! {
                biased;
                _ = jumps.changed() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Jumps forward by `ms` and wakes whoever sleeps past it.
    pub(crate) fn advance_ms(&self, ms: u64) {
        self.inner.advanced_ms.fetch_add(ms, Ordering::AcqRel);
        self.inner.jumps.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_advance_wakes_a_sleeper() {
        let clock = Clock::real();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_ms(3_600_000).await }
        });
        tokio::task::yield_now().await;
        clock.advance_ms(3_600_000);
        assert!(sleeper.await.is_ok());
    }

    #[test]
    fn an_advance_is_seen_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let clock = Clock::real();
            let before = clock.now_ms();
            clock.advance_ms(86_400_000);
            assert!(clock.now_ms() - before >= 86_400_000);
        });
    }
}
