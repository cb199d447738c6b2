//! Verification while a migration runs: what is at rest is judged, what is in flight is not.
//!
//! The verifier knows nothing of the migrator. A call is at rest when everything of it in the
//! target was put there some time before the reading began. A call with no trace in the target, or
//! with a fresh one, or of which the target does not say when it came, is in flight unless it is
//! already as it should be. Source: docs/reference/match.md, "While a migration runs".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::presence::Judged;
use crate::matching::Pairing;
use crate::observed::{Recordings, TargetConversation, TargetRecording};
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// What would be needed to judge it.
const NEED: &str = "the end of the migration, for what is in flight";

/// What was not judged because the migration was still at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InFlight {
    /// A call was judged when nothing of it was put into the target in the last so many seconds
    /// before the verification began.
    pub rest_seconds: u64,
    /// Calls that were not judged.
    pub calls: u64,
    /// Their recordings; all of them are counted as not verifiable.
    pub recordings: u64,
}

impl InFlight {
    /// What a reader should know. Absent: nothing is in flight.
    pub(crate) fn notice(&self) -> Option<String> {
        (self.calls > 0).then(|| {
            format!(
                "{} recordings of {} calls are in flight and were not judged: nothing of them is \
                 in the target yet, or something was put there less than {} s before this \
                 verification began",
                self.recordings, self.calls, self.rest_seconds
            )
        })
    }
}

/// Tells rest from flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    /// What was put there later is in flight.
    pub(crate) before: UtcMillis,
    pub(crate) seconds: u64,
}

impl Rest {
    /// Whether a recording has been there for long enough. One of which nobody says when it came
    /// has not.
    pub(crate) fn has(&self, recording: &TargetRecording) -> bool {
        recording
            .created
            .is_some_and(|created| created <= self.before)
    }

    /// Whether all of a conversation has been there for long enough. One without recordings has no
    /// time of its own.
    pub(crate) fn has_all(&self, conversation: &TargetConversation) -> bool {
        match &conversation.recordings {
            Recordings::Read(recordings) => {
                !recordings.is_empty() && recordings.iter().all(|recording| self.has(recording))
            }
            Recordings::Hidden(_) => false,
        }
    }

    /// Takes back what was judged of calls in flight.
    pub(crate) fn spare(
        &self,
        pairings: &[Pairing],
        ours: &[TargetConversation],
        judged: &mut [Judged],
    ) -> InFlight {
        let mut in_flight = InFlight {
            rest_seconds: self.seconds,
            ..InFlight::default()
        };
        for (pairing, judged) in pairings.iter().zip(judged) {
            let conversations = || {
                pairing
                    .conversation
                    .iter()
                    .chain(&pairing.copies)
                    .chain(&pairing.parts)
            };
            let is_at_rest = pairing.conversation.is_some()
                && conversations().all(|at| self.has_all(&ours[*at]));
            let is_wrong = |bucket: &Bucket| matches!(bucket, Bucket::Missing | Bucket::Different);
            let is_spotless = judged.findings.is_empty()
                && judged.extra == 0
                && !judged.buckets.iter().any(is_wrong);
            if is_at_rest || is_spotless {
                continue;
            }
            in_flight.calls += 1;
            judged.findings.clear();
            judged.extra = 0;
            let mut recordings = 0;
            for bucket in judged.buckets.iter_mut().filter(|bucket| is_wrong(bucket)) {
                *bucket = Bucket::NotVerifiable(NEED.to_owned());
                recordings += 1;
            }
            in_flight.recordings += recordings;
            if recordings == 0 {
                judged.unverifiable = Some(NEED.to_owned());
            }
        }
        in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};
    use crate::defect::Defect;
    use crate::finding::Finding;

    #[test]
    fn only_what_is_wrong_and_not_at_rest_is_spared() {
        let there = conversation(&wanted());
        let created = there.read_recordings()[0].created.expect("a creation");
        let paired = Pairing {
            conversation: Some(0),
            recordings: vec![Some(0)],
            ..Pairing::default()
        };
        let absent = Pairing {
            recordings: vec![None],
            ..Pairing::default()
        };
        let untimed = |conversation: &TargetConversation| {
            let mut other = conversation.clone();
            if let Recordings::Read(recordings) = &mut other.recordings {
                recordings.iter_mut().for_each(|one| one.created = None);
            }
            other
        };
        let bare = TargetConversation {
            recordings: Recordings::default(),
            ..there.clone()
        };
        for (name, pairing, ours, before, spared) in [
            ("at rest", &paired, there.clone(), created, false),
            ("fresh", &paired, there.clone(), created.plus_ms(-1), true),
            ("no time", &paired, untimed(&there), created, true),
            ("no recording yet", &paired, bare, created, true),
            ("no trace", &absent, there.clone(), created, true),
        ] {
            let rest = Rest { before, seconds: 1 };
            for (bucket, is_wrong) in [(Bucket::Matched, false), (Bucket::Different, true)] {
                let finding = Finding::new(Defect::AudioSilent, "audio");
                let mut judged = [Judged {
                    findings: vec![finding; usize::from(is_wrong)],
                    buckets: vec![bucket.clone()],
                    ..Judged::default()
                }];
                let pairings = std::slice::from_ref(pairing);
                let told = rest.spare(pairings, std::slice::from_ref(&ours), &mut judged);
                let is_spared = u64::from(spared && is_wrong);
                assert_eq!(
                    (told.calls, told.recordings),
                    (is_spared, is_spared),
                    "{name}"
                );
                let (wanted, findings) = match is_spared {
                    1 => (Bucket::NotVerifiable(NEED.to_owned()), 0),
                    _ => (bucket, usize::from(is_wrong)),
                };
                assert_eq!(judged[0].buckets, [wanted], "{name}");
                assert_eq!(judged[0].findings.len(), findings, "{name}");
            }
        }
    }

    #[test]
    fn a_call_without_recordings_is_not_verifiable_itself() {
        let mut judged = [Judged {
            findings: vec![Finding::new(Defect::MissingRecording, "conversation")],
            ..Judged::default()
        }];
        let rest = Rest {
            before: UtcMillis::from_ms(0),
            seconds: 1,
        };
        let told = rest.spare(&[Pairing::default()], &[], &mut judged);
        assert_eq!((told.calls, told.recordings), (1, 0));
        assert_eq!(judged[0].unverifiable.as_deref(), Some(NEED));
    }
}
