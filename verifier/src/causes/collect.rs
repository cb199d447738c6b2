//! Records of a verification: what the source says of each, and how far each was judged.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::records::{Judgement, Records, facts_of_call, facts_of_recording};
use crate::checks::presence::Judged;
use crate::cross_call::Place;
use crate::expected::{Expectation, Presence};
use crate::source::SourceInteraction;
use crate::verdict::Bucket;

impl Records {
    /// All calls of the source, in its order. `compared`: recordings whose sound was.
    pub(crate) fn of(
        interactions: &[SourceInteraction],
        expectations: &[Expectation],
        judged: &[Judged],
        compared: &[Place],
        site: Option<&TimeZone>,
    ) -> Records {
        let compared: BTreeSet<Place> = compared.iter().copied().collect();
        let mut records = Records::default();
        let calls = interactions
            .iter()
            .zip(expectations)
            .zip(judged)
            .enumerate();
        for (case, ((source, expected), judged)) in calls {
            let of = expected.recordings.len();
            let rows: Vec<_> = expected
                .recordings
                .iter()
                .enumerate()
                .map(|(at, recording)| {
                    let own = source
                        .recordings
                        .iter()
                        .find(|own| own.id == recording.legacy_id);
                    let details = own.and_then(|own| own.details.as_ref().ok());
                    let was_heard = compared.contains(&(case, at));
                    (
                        recording.legacy_id.clone(),
                        facts_of_recording(details, recording, (at, of)),
                        judgement(&judged.buckets[at], was_heard),
                    )
                })
                .collect();
            let each: Vec<Judgement> = rows.iter().map(|(_, _, judgement)| *judgement).collect();
            let call = (
                facts_of_call(source, expected, site),
                judgement_of_call(expected, judged, &each),
            );
            records.add(&expected.legacy_id, call, rows);
        }
        records.ready()
    }
}

fn judgement(bucket: &Bucket, was_heard: bool) -> Judgement {
    match bucket {
        Bucket::Matched | Bucket::Different if was_heard => Judgement::Sound,
        Bucket::Matched | Bucket::Different => Judgement::Metadata,
        Bucket::Missing => Judgement::Missing,
        Bucket::Quarantined { .. } | Bucket::Skipped { .. } => Judgement::Absent,
        Bucket::NotVerifiable(_) => Judgement::None,
    }
}

/// A call is judged as far as its recordings are; one without recordings by itself.
fn judgement_of_call(expected: &Expectation, judged: &Judged, each: &[Judgement]) -> Judgement {
    let has = |judgement| each.contains(&judgement);
    match expected.presence {
        Presence::Absent(_) | Presence::NotCarried => Judgement::Absent,
        _ if judged.unverifiable.is_some() => Judgement::None,
        _ if each.is_empty()
            && judged
                .findings
                .iter()
                .any(|finding| finding.target_id.is_none()) =>
        {
            Judgement::Missing
        }
        _ if each.is_empty() || has(Judgement::Metadata) => Judgement::Metadata,
        _ if has(Judgement::Sound) => Judgement::Sound,
        _ if has(Judgement::Missing) => Judgement::Missing,
        _ if has(Judgement::Absent) => Judgement::Absent,
        _ => Judgement::None,
    }
}
