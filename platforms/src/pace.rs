//! Pacing: a request waits for its turn instead of being refused.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// One limit of a platform, spread evenly over its window.
///
/// Even spacing rather than bursts: whatever the platform's window is (fixed, sliding, bucket), `n` evenly spaced requests in it
/// are never `n + 1`.
#[derive(Debug)]
pub struct Limit {
    state: Mutex<State>,
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
}

impl Limit {
    /// `count` requests in `per`.
    #[must_use]
    pub fn new(count: u32, per: Duration) -> Limit {
        let announced_us = interval_us(count, per);
        Limit { state: Mutex::new(State { announced_us, interval_us: announced_us, next_us: 0, hold_us: 0 }) }
    }

    /// Waits for the next turn. Who wakes inside a hold that came meanwhile takes a new turn behind it.
    pub async fn turn(&self, clock: &Clock) {
        loop {
            let now_us = clock.now_ms() * 1000;
            let at_us = self.take(now_us);
            if at_us > now_us {
                clock.sleep(Duration::from_micros(at_us.abs_diff(now_us))).await;
            }
            if self.lock().hold_us <= at_us {
                return;
            }
        }
    }

    fn take(&self, now_us: i64) -> i64 {
        let mut state = self.lock();
        let at = state.next_us.max(now_us).max(state.hold_us);
        state.next_us = at + state.interval_us;
        state.interval_us = state.announced_us.max(state.interval_us - state.interval_us / 64);
        at
    }

    /// Nobody goes before `wait` has passed: the platform said so. Behind it they go one by one, not all in the same instant: a
    /// refusal is a limit that nobody announced, so the rate falls with each, and recovers as requests pass.
    pub fn hold(&self, clock: &Clock, wait: Duration) {
        let until_us = clock.now_ms() * 1000 + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2);
        let mut state = self.lock();
        if until_us > state.hold_us + state.interval_us {
            let slower = (state.interval_us + state.interval_us / 8).clamp(LEAST_SPACING_US, SLOWEST_US);
            state.interval_us = state.interval_us.max(slower);
        }
        state.hold_us = state.hold_us.max(until_us);
        state.next_us = state.next_us.max(until_us);
    }

    /// Takes over what the platform announces, where it allows less than assumed so far.
    pub fn lower_to(&self, count: u32, per: Duration) {
        let mut state = self.lock();
        state.announced_us = state.announced_us.max(interval_us(count, per));
        state.interval_us = state.interval_us.max(state.announced_us);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a limit without a known rate is spaced by once it has refused: a thousand a second.
const LEAST_SPACING_US: i64 = 1000;
/// Refusals alone never slow a limit below one request a second; Retry-After says the rest.
const SLOWEST_US: i64 = 1_000_000;

fn interval_us(count: u32, per: Duration) -> i64 {
    i64::try_from(per.as_micros() / u128::from(count.max(1))).unwrap_or(i64::MAX)
}
