//! Waiting for what the platform is still preparing.

use std::time::Duration;

use platforms::clock::Clock;

/// The first pause. A small job is done within it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest. The vendor's own sample asks every 5 s; three times that costs little time and few
/// requests.
const LONGEST: Duration = Duration::from_secs(15);

/// Pauses between questions, each half as long again as the last, up to a deadline.
pub(crate) struct Wait<'a> {
    clock: &'a Clock,
    until_ms: i64,
    pause: Duration,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(clock: &'a Clock, patience: Duration) -> Wait<'a> {
        let patience_ms = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX / 4);
        Wait {
            clock,
            until_ms: clock.now_ms().saturating_add(patience_ms),
            pause: FIRST,
        }
    }

    /// Pauses; `false` once the deadline has passed, without a pause.
    pub(crate) async fn again(&mut self) -> bool {
        if self.clock.now_ms() >= self.until_ms {
            return false;
        }
        self.clock.sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST);
        true
    }
}
