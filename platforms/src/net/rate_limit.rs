//! Pacing: a request waits for its turn instead of being refused.

use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::clock::Clock;

/// Turns of a limit that several processes share.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Takes the next `count` turns, `spacing` apart, behind all that anybody has taken of this
    /// name. Answers how long from now the first one is; `None` where the budget cannot be asked,
    /// so that each goes by itself.
    async fn take(&self, name: &str, count: u32, spacing: Duration) -> Option<Duration>;

    /// Nobody takes a turn of this name before `wait` has passed.
    async fn hold(&self, name: &str, wait: Duration);
}

/// One limit of a platform, spread evenly over its window.
///
/// Even spacing rather than bursts: whatever the platform's window is (fixed, sliding, bucket), `n`
/// evenly spaced requests in it are never `n + 1`.
#[derive(Debug)]
pub struct Limit {
    state: Mutex<State>,
    /// What it is a limit of, where it is one of several of a platform.
    name: &'static str,
    /// Whoever has it asks the shared budget; the others wait for what comes of it.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// What plan and platform announced.
    announced_us: i64,
    /// What is kept at present: wider after refusals, and narrowing again as requests pass.
    interval_us: i64,
    next_us: i64,
    /// Nobody goes before this, not even who has a turn already.
    hold_us: i64,
    /// The quickest answer of late, where the rate is found by listening. Milliseconds; absent: the
    /// rate is known.
    quickest_ms: Option<i64>,
    /// Turns of a shared budget that were taken and not used: when the next one is, and how many.
    taken_us: i64,
    taken: u32,
}

impl Limit {
    /// `count` requests in `per`.
    #[must_use]
    pub fn new(count: u32, per: Duration) -> Limit {
        let announced_us = interval_us(count, per);
        Limit {
            state: Mutex::new(State {
                announced_us,
                interval_us: announced_us,
                next_us: LONG_AGO_US,
                hold_us: LONG_AGO_US,
                quickest_ms: None,
                taken_us: LONG_AGO_US,
                taken: 0,
            }),
            name: "requests",
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// The same limit under another name than that of all requests of a platform.
    #[must_use]
    pub fn named(self, name: &'static str) -> Limit {
        Limit { name, ..self }
    }

    /// For a platform that publishes no limit: begins slowly, goes faster while answers stay quick,
    /// up to `count` in `per`, and slower when they take long or fail.
    #[must_use]
    pub fn rising(count: u32, per: Duration) -> Limit {
        let limit = Limit::new(count, per);
        {
            let mut state = limit.state.lock();
            state.interval_us = state.announced_us.max(FIRST_SPACING_US);
            state.quickest_ms = Some(i64::MAX);
        }
        limit
    }

    /// Waits for the next turn. Who wakes inside a hold that came meanwhile takes a new turn behind
    /// it.
    pub async fn turn(&self, clock: &Clock) {
        loop {
            let now_us = clock.now_ms().saturating_mul(1000);
            let at_us = self.take(now_us);
            if at_us > now_us {
                clock
                    .sleep(Duration::from_micros(at_us.abs_diff(now_us)))
                    .await;
            }
            if self.state.lock().hold_us <= at_us {
                return;
            }
        }
    }

    /// Waits for the next turn of all processes that share a budget. A rate that is found by
    /// listening is each one's own.
    pub(crate) async fn shared_turn(&self, clock: &Clock, budget: &dyn Budget, host: &str) {
        let spacing_us = {
            let state = self.state.lock();
            match state.quickest_ms {
                None if state.interval_us >= LEAST_SHARED_US => state.interval_us,
                _ => 0,
            }
        };
        if spacing_us == 0 {
            return self.turn(clock).await;
        }
        loop {
            let now_us = clock.now_ms().saturating_mul(1000);
            let taken = self.take_shared(now_us);
            let Some(at_us) = taken else {
                let _asking = self.asking.lock().await;
                if self.state.lock().taken == 0 && !self.ask(clock, budget, host, spacing_us).await
                {
                    return self.turn(clock).await;
                }
                continue;
            };
            if at_us > now_us {
                clock
                    .sleep(Duration::from_micros(at_us.abs_diff(now_us)))
                    .await;
            }
            if self.state.lock().hold_us <= at_us.max(now_us) {
                return;
            }
        }
    }

    /// Takes turns of the shared budget: as many as pass in a tenth of a second, so that few are
    /// lost where nobody has a use for them.
    async fn ask(&self, clock: &Clock, budget: &dyn Budget, host: &str, spacing_us: i64) -> bool {
        let count = u32::try_from(SLICE_US / spacing_us).unwrap_or(1).max(1);
        let spacing = Duration::from_micros(spacing_us.unsigned_abs());
        let Some(wait) = budget.take(&self.shared_name(host), count, spacing).await else {
            return false;
        };
        let mut state = self.state.lock();
        state.taken_us = clock
            .now_ms()
            .saturating_mul(1000)
            .saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2));
        state.taken = count;
        state.interval_us = state
            .announced_us
            .max(state.interval_us - state.interval_us / 64);
        true
    }

    /// The next turn that was taken of the shared budget. One that has passed is nobody's: two at
    /// once would be a burst.
    fn take_shared(&self, now_us: i64) -> Option<i64> {
        let mut state = self.state.lock();
        while state.taken > 0 {
            let at_us = state.taken_us;
            state.taken -= 1;
            state.taken_us = at_us.saturating_add(state.interval_us);
            if at_us.saturating_add(state.interval_us) > now_us {
                return Some(at_us);
            }
        }
        None
    }

    /// Under which name a shared budget knows it.
    pub(crate) fn shared_name(&self, host: &str) -> String {
        format!("{host} {}", self.name)
    }

    /// Whether nobody is to go at present, whoever has a turn.
    pub(crate) fn is_held(&self, clock: &Clock) -> bool {
        self.state.lock().hold_us > clock.now_ms().saturating_mul(1000)
    }

    fn take(&self, now_us: i64) -> i64 {
        let mut state = self.state.lock();
        let at = state.next_us.max(now_us).max(state.hold_us);
        state.next_us = at.saturating_add(state.interval_us);
        if state.quickest_ms.is_none() {
            state.interval_us = state
                .announced_us
                .max(state.interval_us - state.interval_us / 64);
        }
        at
    }

    /// Learns from how long an answer took. Milliseconds.
    pub(crate) fn answered(&self, took_ms: i64) {
        let mut state = self.state.lock();
        let Some(quickest_ms) = state.quickest_ms else {
            return;
        };
        // It creeps up, so that a platform that has become slower for good is not fled for ever.
        let quickest_ms = took_ms
            .max(1)
            .min(quickest_ms.saturating_add(1 + quickest_ms / 256));
        state.quickest_ms = Some(quickest_ms);
        state.interval_us = if took_ms > 3 * quickest_ms + SLACK_MS {
            (state.interval_us + state.interval_us / 8).clamp(LEAST_SPACING_US, SLOWEST_US)
        } else {
            state
                .announced_us
                .max(state.interval_us - state.interval_us / 16)
        };
    }

    /// The platform failed: where the rate is found by listening, it falls by a third.
    pub(crate) fn strained(&self) {
        let mut state = self.state.lock();
        if state.quickest_ms.is_some() {
            state.interval_us =
                (state.interval_us + state.interval_us / 2).clamp(LEAST_SPACING_US, SLOWEST_US);
        }
    }

    /// Nobody goes before `wait` has passed: the platform said so. Behind it they go one by one,
    /// not all in the same instant: a refusal is a limit that nobody announced, so the rate falls
    /// with each, and recovers as requests pass.
    pub fn hold(&self, clock: &Clock, wait: Duration) {
        let until_us = clock
            .now_ms()
            .saturating_mul(1000)
            .saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2));
        let mut state = self.state.lock();
        if until_us > state.hold_us.saturating_add(state.interval_us) {
            let slower =
                (state.interval_us + state.interval_us / 8).clamp(LEAST_SPACING_US, SLOWEST_US);
            state.interval_us = state.interval_us.max(slower);
        }
        state.hold_us = state.hold_us.max(until_us);
        state.next_us = state.next_us.max(until_us);
    }

    /// Takes over what the platform announces, where it allows less than assumed so far.
    pub fn lower_to(&self, count: u32, per: Duration) {
        let mut state = self.state.lock();
        state.announced_us = state.announced_us.max(interval_us(count, per));
        state.interval_us = state.interval_us.max(state.announced_us);
    }
}

/// Limits of more requests a second than a thousand are none that several processes could share
/// turn by turn.
const LEAST_SHARED_US: i64 = 1000;
/// Turns taken of a shared budget at once: those of so long.
const SLICE_US: i64 = 100_000;
/// Before any clock: nobody waits for it, whatever year a machine believes in.
const LONG_AGO_US: i64 = i64::MIN / 4;
/// What a rate that is found by listening begins with: ten requests a second, which no web service
/// minds.
const FIRST_SPACING_US: i64 = 100_000;
/// Answers are slow only beyond three times the quickest and this: below, jitter of network and
/// scheduler would slow a migration down. Milliseconds.
const SLACK_MS: i64 = 100;
/// What a limit without a known rate is spaced by once it has refused: a thousand a second.
const LEAST_SPACING_US: i64 = 1000;
/// Refusals alone never slow a limit below one request a second; Retry-After says the rest.
const SLOWEST_US: i64 = 1_000_000;

fn interval_us(count: u32, per: Duration) -> i64 {
    i64::try_from(per.as_micros() / u128::from(count.max(1))).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_nobody_published_rises_while_answers_are_quick_and_falls_when_they_are_not() {
        let limit = Limit::rising(60_000, Duration::from_secs(60));
        let spacing = || limit.state.lock().interval_us;
        assert_eq!(spacing(), FIRST_SPACING_US);
        (0..200).for_each(|_| limit.answered(20));
        assert_eq!(spacing(), 1000, "the plan's bound is reached");
        (0..20).for_each(|_| limit.answered(400));
        let slow = spacing();
        assert!(
            slow > 5000,
            "{slow} us between requests while answers take twenty times as long"
        );
        (0..200).for_each(|_| limit.answered(25));
        assert_eq!(spacing(), 1000, "and again");
        limit.strained();
        assert_eq!(spacing(), 1500, "a failure slows down at once");
    }

    #[tokio::test]
    async fn a_clock_before_1970_waits_no_longer_than_any_other() {
        for year in [-60_i64, 0, 300] {
            let clock = Clock::following_tokio(year * 366 * 86_400_000);
            let limit = Limit::new(600_000, Duration::from_secs(60));
            let turns = async {
                for _ in 0..3 {
                    limit.turn(&clock).await;
                }
            };
            assert!(
                clock
                    .timeout(Duration::from_secs(10), turns)
                    .await
                    .is_some(),
                "year {}",
                1970 + year
            );
            assert!(!limit.is_held(&clock), "nobody asked for a hold");
        }
    }

    /// A budget as several processes see it.
    #[derive(Default)]
    struct Together {
        next_us: Mutex<i64>,
    }

    #[async_trait]
    impl Budget for (Clock, Together) {
        async fn take(&self, _: &str, count: u32, spacing: Duration) -> Option<Duration> {
            let now_us = self.0.now_ms() * 1000;
            let mut next_us = self.1.next_us.lock();
            let at_us = now_us.max(*next_us);
            *next_us = at_us + i64::from(count) * i64::try_from(spacing.as_micros()).ok()?;
            Some(Duration::from_micros(at_us.abs_diff(now_us)))
        }

        async fn hold(&self, _: &str, wait: Duration) {
            let until_us = self.0.now_ms() * 1000 + i64::try_from(wait.as_micros()).unwrap_or(0);
            let mut next_us = self.1.next_us.lock();
            *next_us = until_us.max(*next_us);
        }
    }

    #[tokio::test]
    async fn processes_that_share_a_budget_go_no_faster_than_one() {
        let clock = Clock::scaled(0, 50.0);
        let budget = (clock.clone(), Together::default());
        let limits = [(); 4].map(|()| Limit::new(6000, Duration::from_secs(60)));
        let turns = limits.iter().map(|limit| async {
            for _ in 0..250 {
                limit.shared_turn(&clock, &budget, "host").await;
            }
        });
        let began_ms = clock.now_ms();
        futures_util::future::join_all(turns).await;
        let took_ms = clock.now_ms() - began_ms;
        // A thousand turns at a hundred a second; nothing is told of how busy the machine is.
        assert!(took_ms >= 9_900, "{took_ms} ms");
    }

    #[test]
    fn a_known_rate_is_not_changed_by_how_long_answers_take() {
        let limit = Limit::new(600, Duration::from_secs(60));
        (0..50).for_each(|_| limit.answered(5000));
        limit.strained();
        assert_eq!(limit.state.lock().interval_us, 100_000);
    }
}
