//! Holds this machine's clock against the `Date` of the platforms' answers.
//!
//! Retention is judged by our clock (what has expired stays behind) and tokens live by it: a
//! machine whose clock is years off leaves recordings behind, and a verifier on it agrees. Used by
//! the commands that meet real platforms; a rehearsal's clock is its simulator's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{AGE, AUTHORIZATION, DATE};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::net::network::is_this_machine;
use crate::net::rate_limit::Budget;
use crate::net::retry::http_date_ms;
use crate::net::transport::{Body, Failure, Retry, Transport, TransportError};

/// A header by which a simulator on this machine says that its clock was moved, or goes faster: its
/// `Date` is no news of ours.
pub const SIMULATED_CLOCK: &str = "x-seatrial-clock";

/// A transport that looks at the `Date` of each host's first answer.
pub struct ClockCheck {
    inner: Arc<dyn Transport>,
    clock: Clock,
    tolerance: Duration,
    /// Hosts whose clock is near enough.
    checked: Mutex<HashSet<String>>,
}

impl ClockCheck {
    /// `tolerance`: how far apart the clocks may be.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, clock: Clock, tolerance: Duration) -> ClockCheck {
        ClockCheck {
            inner,
            clock,
            tolerance,
            checked: Mutex::default(),
        }
    }

    /// Why the exchange cannot be used. `None`: the clocks agree, or the answer does not tell.
    fn difference(
        &self,
        host: &str,
        sent_ms: i64,
        response: &http::Response<Body>,
    ) -> Option<String> {
        let headers = response.headers();
        if headers.contains_key(SIMULATED_CLOCK) && is_this_machine(host) {
            return None;
        }
        let theirs_ms = http_date_ms(headers.get(DATE)?.to_str().ok()?)?;
        let now_ms = self.clock.now_ms();
        // It was written at some moment between the two, and to the second.
        let apart_ms = if theirs_ms > now_ms {
            theirs_ms - now_ms
        } else {
            (sent_ms - theirs_ms - 1000).max(0)
        };
        if apart_ms.unsigned_abs() <= u64::try_from(self.tolerance.as_millis()).unwrap_or(u64::MAX)
        {
            return None;
        }
        let at = |ms: i64| {
            Timestamp::from_millisecond(ms)
                .map_or_else(|_| "no date".to_owned(), |at| format!("{at:.0}"))
        };
        Some(format!(
            "this machine's clock says {}, {host} says {}; retention is judged by it: set the \
             clock right, or let it differ with time.clock_tolerance_s in the plan",
            at(now_ms),
            at(theirs_ms)
        ))
    }
}

#[async_trait]
impl Transport for ClockCheck {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let authority = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let host = request.uri().host().unwrap_or_default().to_owned();
        // Media come from stores and caches, whose dates may be old; what carries credentials is
        // answered now.
        let is_asked = request.headers().contains_key(AUTHORIZATION)
            && !self.checked.lock().contains(&authority);
        let sent_ms = self.clock.now_ms();
        let response = self.inner.send(request).await?;
        if is_asked && !response.headers().contains_key(AGE) {
            if let Some(why) = self.difference(&host, sent_ms, &response) {
                return Err(TransportError::new(Failure::ClockDiffers, why));
            }
            self.checked.lock().insert(authority);
        }
        Ok(response)
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.inner.retrying(retry);
    }

    fn budget(&self) -> Option<&dyn Budget> {
        self.inner.budget()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers at 2024-01-01 12:00:00 by its own clock.
    struct Platform {
        headers: Vec<(&'static str, &'static str)>,
    }

    #[async_trait]
    impl Transport for Platform {
        async fn send(
            &self,
            _: http::Request<Body>,
        ) -> Result<http::Response<Body>, TransportError> {
            let response = self
                .headers
                .iter()
                .fold(http::Response::builder(), |response, (name, value)| {
                    response.header(*name, *value)
                });
            Ok(response.body(Body::empty()).expect("an answer"))
        }
    }

    #[tokio::test]
    async fn a_clock_beyond_the_tolerance_is_refused_in_words() {
        const NOON: i64 = 1_704_110_400_000;
        let date = ("date", "Mon, 01 Jan 2024 12:00:00 GMT");
        let years = 20 * 366 * 86_400_000;
        for (name, ours_ms, headers, address, refused) in [
            ("the same", NOON, vec![date], "https://api.test/a", false),
            (
                "four minutes ahead",
                NOON + 240_000,
                vec![date],
                "https://api.test/a",
                false,
            ),
            (
                "six minutes ahead",
                NOON + 360_000,
                vec![date],
                "https://api.test/a",
                true,
            ),
            (
                "six minutes behind",
                NOON - 360_000,
                vec![date],
                "https://api.test/a",
                true,
            ),
            (
                "twenty years ahead",
                NOON + years,
                vec![date],
                "https://api.test/a",
                true,
            ),
            (
                "before 1970",
                -years,
                vec![date],
                "https://api.test/a",
                true,
            ),
            ("no date", NOON + years, vec![], "https://api.test/a", false),
            (
                "a date that is none",
                NOON + years,
                vec![("date", "yesterday")],
                "https://api.test/a",
                false,
            ),
            (
                "from a cache",
                NOON + years,
                vec![date, ("age", "3600")],
                "https://api.test/a",
                false,
            ),
            (
                "a simulator here",
                NOON + years,
                vec![date, (SIMULATED_CLOCK, "moved")],
                "http://127.0.0.1:1/a",
                false,
            ),
            (
                "a host that poses as one",
                NOON + years,
                vec![date, (SIMULATED_CLOCK, "moved")],
                "https://api.test/a",
                true,
            ),
        ] {
            let check = ClockCheck::new(
                Arc::new(Platform { headers }),
                Clock::following_tokio(ours_ms),
                Duration::from_secs(300),
            );
            let request = |signed: bool| {
                let request = http::Request::builder().uri(address);
                let request = if signed {
                    request.header(AUTHORIZATION, "Bearer t")
                } else {
                    request
                };
                request.body(Body::empty()).expect("a request")
            };
            assert!(
                check.send(request(false)).await.is_ok(),
                "{name}: media tell nothing of our clock"
            );
            match check.send(request(true)).await {
                Ok(_) => assert!(!refused, "{name}"),
                Err(error) => {
                    assert!(
                        refused && error.kind == Failure::ClockDiffers,
                        "{name}: {error}"
                    );
                    assert!(
                        error.why.contains("2024-01-01T12:00:00Z")
                            && error.why.contains("clock_tolerance_s"),
                        "{name}: {error}"
                    );
                }
            }
        }
    }
}
