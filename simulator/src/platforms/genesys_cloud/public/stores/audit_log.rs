//! Who changed what, as it happened.

use std::ops::Range;

use uuid::Uuid;

/// What was changed, in the order of time. An entry keeps its place.
#[derive(Clone, Default)]
pub(crate) struct AuditLog {
    entries: Vec<AuditEntry>,
}

/// A change, and when it was made.
#[derive(Clone)]
pub(crate) struct AuditEntry {
    /// Unix ms.
    pub(crate) at_ms: i64,
    pub(crate) noted: Noted,
}

/// A change to be told.
#[derive(Clone)]
pub(crate) struct Noted {
    pub(crate) subject: Subject,
    pub(crate) action: Action,
    pub(crate) id: Uuid,
    /// The entity's name; absent where it has none.
    pub(crate) name: Option<Box<str>>,
    pub(crate) told: Told,
}

/// What was changed.
#[derive(Clone, Copy)]
pub(crate) enum Subject {
    Conversation,
    Orphan,
    Policy,
    Recording,
    RecordingJob,
    User,
}

/// What was done to it.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Create,
    Update,
    Delete,
}

/// How it was changed, property by property.
#[derive(Clone)]
pub(crate) enum Told {
    Nothing,
    /// A recording's archiveDate and deleteDate.
    Dates {
        from: [Option<i64>; 2],
        to: [Option<i64>; 2],
    },
    /// A conversation's deletion protection, as it is now.
    Protection(IsProtected),
}

/// Whether a conversation is protected.
#[derive(Clone)]
pub(crate) struct IsProtected(pub(crate) bool);

impl AuditLog {
    /// Notes a change that is made now.
    pub(crate) fn add(&mut self, now_ms: i64, noted: Noted) {
        self.entries.push(AuditEntry {
            at_ms: now_ms,
            noted,
        });
    }

    /// The places of the entries of a stretch of time that are wanted, in the order of time.
    pub(crate) fn places(
        &self,
        span_ms: &Range<i64>,
        is_wanted: impl Fn(&Noted) -> bool,
    ) -> Vec<usize> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter(|(_, entry)| span_ms.contains(&entry.at_ms) && is_wanted(&entry.noted))
            .map(|(at, _)| at)
            .collect()
    }

    /// The entry in a place.
    pub(crate) fn get(&self, place: usize) -> Option<&AuditEntry> {
        self.entries.get(place)
    }
}

impl Noted {
    pub(crate) fn new(subject: Subject, action: Action, id: Uuid) -> Noted {
        Noted {
            subject,
            action,
            id,
            name: None,
            told: Told::Nothing,
        }
    }

    /// The same, with the entity's name.
    pub(crate) fn called(mut self, name: &str) -> Noted {
        self.name = Some(name.into());
        self
    }

    /// The same, saying how it was changed.
    pub(crate) fn telling(mut self, told: Told) -> Noted {
        self.told = told;
        self
    }
}

impl Subject {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Subject::Conversation => "Conversation",
            Subject::Orphan => "OrphanRecording",
            Subject::Policy => "Policy",
            Subject::Recording => "Recording",
            Subject::RecordingJob => "RecordingJob",
            Subject::User => "User",
        }
    }
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Action::Create => "Create",
            Action::Update => "Update",
            Action::Delete => "Delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_has_its_begin_and_not_its_end_and_places_stay() {
        let mut log = AuditLog::default();
        for (at_ms, action) in [
            (10, Action::Create),
            (20, Action::Update),
            (30, Action::Update),
            (40, Action::Delete),
        ] {
            log.add(at_ms, Noted::new(Subject::Policy, action, Uuid::nil()));
        }
        assert_eq!(log.places(&(20..40), |_| true), [1, 2]);
        assert_eq!(
            log.places(&(0..100), |noted| noted.action.as_str() != "Update"),
            [0, 3]
        );
        log.add(50, Noted::new(Subject::Policy, Action::Create, Uuid::nil()));
        assert_eq!(log.get(2).map(|entry| entry.at_ms), Some(30));
    }
}
