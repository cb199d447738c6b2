//! What the organisation remembers of its public ingestion: stores like those beside it, of what
//! only this surface has.

mod audit_log;
mod event_log;
mod events;
mod external_ids;
mod policies;
mod recording_jobs;
mod uploads;

pub(super) use self::{
    audit_log::{Action, AuditEntry, AuditLog, IsProtected, Noted, Subject, Told},
    events::{InjectedEvents, Repeats},
    external_ids::{ExternalIds, NotAdded},
    policies::{
        Actions, Conditions, Family, NameTaken, Named, Policies, Policy, PolicyDates, Said,
    },
    recording_jobs::{
        About, Found, Job, JobAction, JobOrder, JobOutcome, Progress, RecordingJobs, When,
    },
    uploads::{Orphan, RecordingUploads, Status, Undecided, Upload},
};
