//! Recording jobs: what each is to do, and how far it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use crate::platforms::genesys_cloud::analytics::DetailsQuery;

/// The jobs by id. A job goes from pending to ready, and when it is executed over processing to
/// fulfilled.
#[derive(Clone, Default)]
pub(crate) struct RecordingJobs {
    by_id: BTreeMap<Uuid, Job>,
    /// When a job has to be looked at next, Unix ms.
    agenda: BTreeSet<(i64, Uuid)>,
}

/// A job.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) order: JobOrder,
    pub(crate) progress: Progress,
    pub(crate) found: Found,
    pub(crate) outcome: JobOutcome,
}

/// What a job is to do.
#[derive(Clone)]
pub(crate) struct JobOrder {
    pub(crate) client_id: String,
    pub(crate) created_ms: i64,
    /// The query as sent, its date in UTC and without fields that were null.
    pub(crate) sent: Value,
    pub(crate) action: JobAction,
    pub(crate) when: When,
    pub(crate) about: About,
    pub(crate) includes_sensitive: bool,
    pub(crate) clears_export: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobAction {
    Archive,
    Delete,
    Export,
}

/// Which date the recordings get.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// Unix ms.
    Date(i64),
    /// Days after each recording's creation.
    AgeDays(u32),
}

/// Which conversations' recordings.
#[derive(Clone)]
pub(crate) enum About {
    Query(Box<DetailsQuery>),
    /// Conversations that began in a stretch of long ago.
    Aged(i64, i64),
}

/// How far a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    Pending,
    Ready,
    Processing,
    Fulfilled,
    Cancelled,
}

/// What a job is about.
#[derive(Clone, Default)]
pub(crate) struct Found {
    /// How many conversations.
    pub(crate) conversations: usize,
    /// Conversation and recording.
    pub(crate) recordings: Vec<(Uuid, Uuid)>,
}

/// What came of a job's recordings.
#[derive(Clone, Default)]
pub(crate) struct JobOutcome {
    pub(crate) processed: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: Vec<(Uuid, Uuid)>,
}

impl RecordingJobs {
    /// Adds a job that looks for its recordings at an instant, Unix ms.
    pub(crate) fn add(&mut self, id: Uuid, order: JobOrder, looks_at_ms: i64) -> &Job {
        self.agenda.insert((looks_at_ms, id));
        let job = Job {
            order,
            progress: Progress::Pending,
            found: Found::default(),
            outcome: JobOutcome::default(),
        };
        self.by_id.entry(id).insert_entry(job).into_mut()
    }

    /// A job by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Job> {
        self.by_id.get(&id)
    }

    /// Every job by its id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Uuid, &Job)> {
        self.by_id.iter().map(|(id, job)| (*id, job))
    }

    /// How many are pending or processing.
    pub(crate) fn running(&self) -> u64 {
        self.by_id
            .values()
            .filter(|job| matches!(job.progress, Progress::Pending | Progress::Processing))
            .count() as u64
    }

    /// Executes a job, which is done at an instant, Unix ms; absent unless it is ready.
    pub(crate) fn execute(&mut self, id: Uuid, done_ms: i64) -> Option<&Job> {
        let job = self
            .by_id
            .get_mut(&id)
            .filter(|job| job.progress == Progress::Ready)?;
        job.progress = Progress::Processing;
        self.agenda.insert((done_ms, id));
        Some(job)
    }

    /// Cancels a job that has not ended, and forgets one that has; absent where there is none.
    pub(crate) fn cancel_or_forget(&mut self, id: Uuid) -> Option<()> {
        let job = self.by_id.get_mut(&id)?;
        match job.progress {
            Progress::Pending | Progress::Ready | Progress::Processing => {
                job.progress = Progress::Cancelled
            }
            Progress::Fulfilled | Progress::Cancelled => drop(self.by_id.remove(&id)),
        }
        Some(())
    }

    /// The next job that has to be looked at by now, in the order of time and id; each instant
    /// comes once.
    pub(crate) fn next_due(&mut self, now_ms: i64) -> Option<(Uuid, &Job)> {
        while let Some((at_ms, id)) = self
            .agenda
            .first()
            .copied()
            .filter(|(at_ms, _)| *at_ms <= now_ms)
        {
            self.agenda.remove(&(at_ms, id));
            if self.by_id.contains_key(&id) {
                return self.by_id.get(&id).map(|job| (id, job));
            }
        }
        None
    }

    /// Says what a pending job is about: it is ready.
    pub(crate) fn ready(&mut self, id: Uuid, found: Found) {
        if let Some(job) = self
            .by_id
            .get_mut(&id)
            .filter(|job| job.progress == Progress::Pending)
        {
            (job.found, job.progress) = (found, Progress::Ready);
        }
    }

    /// Says what came of a job that was processing: it is fulfilled.
    pub(crate) fn fulfil(&mut self, id: Uuid, outcome: JobOutcome) {
        if let Some(job) = self
            .by_id
            .get_mut(&id)
            .filter(|job| job.progress == Progress::Processing)
        {
            (job.outcome, job.progress) = (outcome, Progress::Fulfilled);
        }
    }

    /// Makes every job another client's.
    #[cfg(test)]
    pub(crate) fn give_to(&mut self, client_id: &str) {
        self.by_id
            .values_mut()
            .for_each(|job| client_id.clone_into(&mut job.order.client_id));
    }
}

impl Progress {
    /// In the words of the public API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Progress::Pending => "PENDING",
            Progress::Ready => "READY",
            Progress::Processing => "PROCESSING",
            Progress::Fulfilled => "FULFILLED",
            Progress::Cancelled => "CANCELLED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: Uuid = Uuid::from_u128(1);

    fn pending() -> RecordingJobs {
        let order = JobOrder {
            client_id: "client".to_owned(),
            created_ms: 0,
            sent: Value::Null,
            action: JobAction::Delete,
            when: When::Date(1),
            about: About::Aged(0, 1),
            includes_sensitive: false,
            clears_export: false,
        };
        let mut jobs = RecordingJobs::default();
        jobs.add(JOB, order, 10);
        jobs
    }

    fn progress(jobs: &RecordingJobs) -> Option<Progress> {
        jobs.get(JOB).map(|job| job.progress)
    }

    #[test]
    fn a_job_goes_its_way_step_by_step() {
        let mut jobs = pending();
        assert!(jobs.execute(JOB, 20).is_none(), "it is not ready");
        jobs.fulfil(JOB, JobOutcome::default());
        assert_eq!(
            (progress(&jobs), jobs.running()),
            (Some(Progress::Pending), 1)
        );
        assert!(jobs.next_due(9).is_none());
        assert!(jobs.next_due(10).is_some_and(|(id, _)| id == JOB));
        assert!(jobs.next_due(10).is_none(), "an instant comes once");
        jobs.ready(JOB, Found::default());
        assert_eq!(
            (progress(&jobs), jobs.running()),
            (Some(Progress::Ready), 0)
        );
        assert!(jobs.execute(JOB, 20).is_some());
        assert_eq!(
            (progress(&jobs), jobs.running()),
            (Some(Progress::Processing), 1)
        );
        assert!(jobs.next_due(20).is_some());
        jobs.fulfil(
            JOB,
            JobOutcome {
                processed: 3,
                ..JobOutcome::default()
            },
        );
        assert_eq!(progress(&jobs), Some(Progress::Fulfilled));
    }

    #[test]
    fn a_cancelled_job_does_nothing_more_and_is_forgotten_the_second_time() {
        let mut jobs = pending();
        assert!(jobs.cancel_or_forget(JOB).is_some());
        jobs.ready(JOB, Found::default());
        assert_eq!(progress(&jobs), Some(Progress::Cancelled));
        assert!(jobs.cancel_or_forget(JOB).is_some());
        assert_eq!(progress(&jobs), None);
        assert!(jobs.cancel_or_forget(JOB).is_none() && jobs.next_due(10).is_none());
    }
}
