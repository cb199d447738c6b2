//! What all calls come to: added up call by call, so that none has to be remembered for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::holds::Holds;
use crate::judged_call::JudgedCall;
use crate::report::StandIn;
use crate::source::SourceInteraction;
use crate::totals::Counter;
use crate::verdict::{Breakdown, Bucket, Counts};

/// Sums of calls. What the target has in all is not among the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    pub(crate) counts: Counts,
    /// Calls with findings that no recording carries.
    pub(crate) wrong: u64,
    /// Calls that could not be judged.
    pub(crate) not_verifiable: u64,
    /// What would be needed to judge what could not be.
    pub(crate) needs: BTreeSet<String>,
    pub(crate) breakdown: Breakdown,
    /// Quarantined and skipped recordings by reason.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// Recordings that were skipped by agreement.
    pub(crate) agreed: u64,
    /// Calls of the source in which a length had a fraction of a millisecond.
    pub(crate) rounded: u64,
    pub(crate) stand_in: StandIn,
    pub(crate) holds: Holds,
    /// For the control totals. Absent: none were given.
    pub(crate) counter: Option<Counter>,
    /// Recordings that could not be judged whole and are there; and of these, those whose sound was
    /// compared.
    pub(crate) in_part: (u64, u64),
    /// Recordings that a sample of sound is drawn from.
    pub(crate) audible: u64,
    /// Recordings whose sound was compared; and of these, those whose sound is wrong.
    pub(crate) compared: (u64, u64),
    /// A call whose buckets are not one for each recording: our bug. Absent: there is none.
    pub(crate) broken: Option<String>,
}

impl Sums {
    pub(crate) fn new(counter: Option<Counter>) -> Sums {
        Sums {
            counter,
            ..Sums::default()
        }
    }

    pub(crate) fn add(&mut self, call: &JudgedCall<'_>) {
        let (expected, judged) = (call.expected, call.judged);
        if judged.buckets.len() != expected.recordings.len() {
            self.broken = Some(format!(
                "interaction {}: {} buckets for {} recordings",
                expected.legacy_id,
                judged.buckets.len(),
                expected.recordings.len()
            ));
        }
        let mut counts = Counts {
            source_interactions: 1,
            extra: judged.extra as u64,
            ..Counts::default()
        };
        for (at, bucket) in judged.buckets.iter().enumerate() {
            counts.add(bucket);
            self.add_bucket(call, at, bucket);
        }
        self.counts.add_all(&counts);
        self.breakdown.add(expected, &counts);
        let is_carried = counts.extra + counts.different + counts.missing > 0;
        self.wrong += u64::from(!judged.findings.is_empty() && !is_carried);
        if let Some(need) = &judged.unverifiable {
            self.not_verifiable += 1;
            self.need(need);
        }
        self.rounded += u64::from(is_rounded(call.interaction));
        self.stand_in.add(expected);
        self.holds.add(expected, call.conversation);
        if let Some(counter) = &mut self.counter {
            counter.add(call.interaction, expected, call.pairing, &judged.buckets);
        }
    }

    fn add_bucket(&mut self, call: &JudgedCall<'_>, at: usize, bucket: &Bucket) {
        let was_compared = call.compared.get(at).copied().unwrap_or(false);
        let is_there = call.pairing.recordings.get(at).is_some_and(Option::is_some);
        match bucket {
            Bucket::Matched | Bucket::Different => self.audible += 1,
            Bucket::NotVerifiable(need) => {
                self.audible += 1;
                self.need(need);
                if is_there {
                    self.in_part.0 += 1;
                    self.in_part.1 += u64::from(was_compared);
                }
            }
            Bucket::Skipped { agreed: true, .. } => self.agreed += 1,
            Bucket::Missing | Bucket::Quarantined { .. } | Bucket::Skipped { .. } => {}
        }
        if let Some(reason) = bucket.reason() {
            match self.reasons.get_mut(reason) {
                Some(count) => *count += 1,
                None => _ = self.reasons.insert(reason.to_owned(), 1),
            }
        }
        if was_compared {
            let id = call.expected.recordings.get(at).map(|it| &*it.legacy_id);
            let is_wrong = call.judged.findings.iter().any(|finding| {
                finding.field == "audio" && finding.legacy_recording_id.as_deref() == id
            });
            self.compared.0 += 1;
            self.compared.1 += u64::from(is_wrong);
        }
    }

    fn need(&mut self, need: &str) {
        if !self.needs.contains(need) {
            self.needs.insert(need.to_owned());
        }
    }

    /// What others come to.
    pub(crate) fn merge(&mut self, other: Sums) {
        self.counts.add_all(&other.counts);
        self.wrong += other.wrong;
        self.not_verifiable += other.not_verifiable;
        self.needs.extend(other.needs);
        self.breakdown.merge(other.breakdown);
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.agreed += other.agreed;
        self.rounded += other.rounded;
        self.stand_in.merge(other.stand_in);
        self.holds.merge(other.holds);
        if let (Some(own), Some(others)) = (&mut self.counter, other.counter) {
            own.merge(others);
        }
        self.in_part.0 += other.in_part.0;
        self.in_part.1 += other.in_part.1;
        self.audible += other.audible;
        self.compared.0 += other.compared.0;
        self.compared.1 += other.compared.1;
        self.broken = self.broken.take().or(other.broken);
    }
}

/// Whether a length of a call or its recordings had a fraction of a millisecond.
fn is_rounded(interaction: &SourceInteraction) -> bool {
    let of_recording = |recording: &crate::source::SourceRecording| {
        recording
            .details
            .as_ref()
            .is_ok_and(|details| !details.rounded.is_empty())
    };
    !interaction.listed.rounded.is_empty() || interaction.recordings.iter().any(of_recording)
}
