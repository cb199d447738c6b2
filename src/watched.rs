//! A transport that is watched: who is waited for, and since when, so that a person hears of it
//! before the last try has failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use plan::LoadedPlan;
use platforms::transport::{Body, Retry, Transport, TransportError};

/// Without an answer for so long, a platform is said to be waited for.
const SILENT: Duration = Duration::from_secs(3);

/// What is known of the way to both platforms.
pub(crate) struct Watch {
    /// Hosts of the source; any other is the target's.
    source: Vec<String>,
    sides: Mutex<[Side; 2]>,
    throttled: AtomicU64,
}

/// The names of [`Watch::sides`].
const NAMES: [&str; 2] = ["the source", "the target"];

#[derive(Default)]
struct Side {
    /// Requests without an answer yet.
    under_way: u64,
    /// Since when nothing came of it: the first request or failure after the last good answer.
    /// Absent: nothing is wanted.
    since: Option<Instant>,
    /// The latest request that is to be sent again. Absent: none since the last good answer.
    again: Option<String>,
}

impl Watch {
    pub(crate) fn of(plan: &LoadedPlan) -> Arc<Watch> {
        let own = plan.plan.source.main_url().map(|base| {
            let port = base.port().map_or(String::new(), |port| format!(":{port}"));
            format!("{}{port}", base.host_str().unwrap_or_default())
        });
        let source = plan
            .plan
            .source
            .media_hosts()
            .iter()
            .cloned()
            .chain(own)
            .collect();
        Arc::new(Watch {
            source,
            sides: Mutex::default(),
            throttled: AtomicU64::new(0),
        })
    }

    fn side(&self, host: &str) -> usize {
        usize::from(!self.source.iter().any(|known| known == host))
    }

    fn sides(&self) -> MutexGuard<'_, [Side; 2]> {
        self.sides.lock()
    }

    /// Answers that asked us to slow down.
    pub(crate) fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Who is waited for, in words, and for how long already. Absent: both answer.
    pub(crate) fn waiting(&self) -> Option<(String, Duration)> {
        let sides = self.sides();
        let told = |(side, name): (&Side, &str)| {
            let waited = side.since?.elapsed();
            match &side.again {
                Some(again) => Some((format!("waiting for {name}, {again}"), waited)),
                None if side.under_way > 0 && waited >= SILENT => Some((
                    format!(
                        "waiting for {name}, {} s without an answer",
                        waited.as_secs()
                    ),
                    waited,
                )),
                None => None,
            }
        };
        sides
            .iter()
            .zip(NAMES)
            .filter_map(told)
            .max_by_key(|(_, waited)| *waited)
    }
}

/// The transport that tells the watch.
pub(crate) struct Watched {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) watch: Arc<Watch>,
}

/// A request that was let go of (timed out, interrupted) is under way no more.
struct UnderWay<'a>(&'a Watch, usize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let side = &mut self.0.sides()[self.1];
        side.under_way -= 1;
        if side.under_way == 0 && side.again.is_none() {
            side.since = None;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a terminal is paced by the wall clock, not by a simulated one"
)]
fn now() -> Instant {
    Instant::now()
}

#[async_trait]
impl Transport for Watched {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let host = request
            .uri()
            .authority()
            .map(|authority| authority.as_str())
            .unwrap_or_default();
        let at = self.watch.side(host);
        {
            let side = &mut self.watch.sides()[at];
            side.under_way += 1;
            side.since.get_or_insert_with(now);
        }
        let under_way = UnderWay(&self.watch, at);
        let answer = self.inner.send(request).await;
        match answer.as_ref().map(|answer| answer.status().as_u16()) {
            Ok(429) => drop(self.watch.throttled.fetch_add(1, Ordering::Relaxed)),
            Ok(status) if status < 500 => {
                let side = &mut self.watch.sides()[at];
                (side.since, side.again) = (Some(now()), None);
            }
            Ok(_) | Err(_) => {}
        }
        drop(under_way);
        answer
    }

    fn retrying(&self, retry: &Retry<'_>) {
        let side = &mut self.watch.sides()[self.watch.side(retry.host)];
        side.since.get_or_insert_with(now);
        side.again = Some(format!(
            "try {} of {}: {}",
            retry.tries + 1,
            retry.of,
            retry.why
        ));
        self.inner.retrying(retry);
    }

    fn budget(&self) -> Option<&dyn platforms::Budget> {
        self.inner.budget()
    }
}
