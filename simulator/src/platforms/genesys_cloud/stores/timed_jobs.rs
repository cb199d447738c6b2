//! What a client asks for and gets some time later.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Jobs of one kind by id. What comes of a job is fixed when it is asked for; only its end is
/// waited for.
#[derive(Clone)]
pub(crate) struct TimedJobs<T> {
    by_id: BTreeMap<Uuid, TimedJob<T>>,
}

/// A job, and when it is done.
#[derive(Clone)]
pub(crate) struct TimedJob<T> {
    /// Unix ms.
    pub(crate) ready_at_ms: i64,
    /// What was asked for, and what comes of it.
    pub(crate) order: T,
}

impl<T> Default for TimedJobs<T> {
    fn default() -> TimedJobs<T> {
        TimedJobs {
            by_id: BTreeMap::new(),
        }
    }
}

impl<T> TimedJobs<T> {
    /// Starts a job that is done at an instant, Unix ms.
    pub(crate) fn start(&mut self, id: Uuid, ready_at_ms: i64, order: T) {
        self.by_id.insert(id, TimedJob { ready_at_ms, order });
    }

    /// A job by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&TimedJob<T>> {
        self.by_id.get(&id)
    }

    /// Forgets a job; absent where there is none.
    pub(crate) fn remove(&mut self, id: Uuid) -> Option<TimedJob<T>> {
        self.by_id.remove(&id)
    }

    /// What was asked for in a job, to be changed by a test.
    #[cfg(test)]
    pub(crate) fn order_mut(&mut self, id: Uuid) -> Option<&mut T> {
        self.by_id.get_mut(&id).map(|job| &mut job.order)
    }
}

impl<T> TimedJob<T> {
    /// Whether it is done at an instant, Unix ms.
    pub(crate) fn is_done(&self, now_ms: i64) -> bool {
        self.ready_at_ms <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_done_from_its_instant_on_and_gone_when_removed() {
        let id = Uuid::from_u128(1);
        let mut jobs = TimedJobs::default();
        jobs.start(id, 1_000, "what");
        let is_done = |now_ms| jobs.get(id).map(|job| job.is_done(now_ms));
        assert_eq!(
            [999, 1_000, 1_001].map(is_done),
            [Some(false), Some(true), Some(true)]
        );
        assert_eq!(jobs.remove(id).map(|job| job.order), Some("what"));
        assert!(jobs.get(id).is_none() && jobs.remove(id).is_none());
    }
}
