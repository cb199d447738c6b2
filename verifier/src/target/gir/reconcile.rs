//! Interaction Recording's three stores against one another: files without a recording (D10), and
//! calls that only SpeechMiner has (D02). What RWS and SpeechMiner say of one call is compared with
//! it (`checks/stores.rs`), and so is a recording without its file.

use std::collections::BTreeMap;

use super::{StoreContents, UnreferencedFile};
use crate::checks::presence::Judged;
use crate::cross_call::Place;
use crate::defect::Defect;
use crate::expected::{Expectation, Presence};
use crate::finding::Finding;
use crate::target::{Reconciled, Reconciling};
use crate::verdict::Bucket;

/// Adds what concerns a call of the source to its judgement, and returns the rest.
pub(super) fn reconcile(found: &Reconciling<'_>, judged: &mut [Judged]) -> Reconciled {
    let Some(stores) = found.facts.get::<StoreContents>() else {
        return Reconciled::default();
    };
    let mut surplus = Reconciled::default();
    let places = places(found.expectations);
    for unreferenced_file in &stores.unreferenced {
        match unreferenced_file
            .legacy_recording_id
            .as_deref()
            .and_then(|id| places.get(id))
        {
            Some(place) => of_call(found, unreferenced_file, *place, &mut judged[place.0]),
            None if found.restricted => {}
            None => {
                surplus.files += 1;
                surplus.findings.push(file(unreferenced_file));
            }
        }
    }
    only_in_speechminer(found, stores, judged, &mut surplus);
    surplus
}

fn places(expectations: &[Expectation]) -> BTreeMap<&str, Place> {
    let of_call = |(case, expected): (usize, &'_ Expectation)| {
        (0..expected.recordings.len())
            .map(move |recording| (case, recording))
            .collect::<Vec<Place>>()
    };
    let places = expectations.iter().enumerate().flat_map(of_call);
    places
        .map(|place| {
            (
                expectations[place.0].recordings[place.1].legacy_id.as_str(),
                place,
            )
        })
        .collect()
}

/// A file of a recording of the source, that nothing references.
fn of_call(
    found: &Reconciling<'_>,
    unreferenced_file: &UnreferencedFile,
    (case, recording): Place,
    judged: &mut Judged,
) {
    let expected = &found.expectations[case];
    let is_absent = matches!(expected.presence, Presence::Absent(_));
    // A call that is not shown is hidden rather than missing: its file is what says so.
    if found.pairings[case].conversation.is_none() && !is_absent {
        return;
    }
    let id = &expected.recordings[recording].legacy_id;
    let finding = file(unreferenced_file)
        .of(&expected.legacy_id)
        .recording(id);
    if judged.buckets.get(recording) == Some(&Bucket::Missing) {
        judged.findings.retain(|finding| {
            finding.defect != Defect::MissingRecording
                || finding.legacy_recording_id.as_deref() != Some(id.as_str())
        });
        judged.buckets[recording] = Bucket::Different;
    } else {
        judged.extra += 1;
    }
    judged.findings.push(finding);
}

/// Calls that stand in SpeechMiner alone, though they should stand nowhere.
fn only_in_speechminer(
    found: &Reconciling<'_>,
    stores: &StoreContents,
    judged: &mut [Judged],
    surplus: &mut Reconciled,
) {
    let cases: BTreeMap<&str, usize> = found
        .expectations
        .iter()
        .enumerate()
        .map(|(case, expected)| (expected.legacy_id.as_str(), case))
        .collect();
    for call in &stores.only_posted {
        let finding = Finding::new(Defect::RecordWithoutSource, "SpeechMiner")
            .actual("present")
            .because("only SpeechMiner has the call");
        match cases.get(call.as_str()) {
            Some(case) => match found.expectations[*case].presence {
                Presence::Absent(_) | Presence::NotCarried => {
                    judged[*case]
                        .findings
                        .push(finding.of(call).expected("absent, like the call itself"));
                }
                Presence::Expected | Presence::Either | Presence::Unknown(_) => {}
            },
            None if found.restricted => {}
            None => surplus.findings.push(
                finding
                    .target(call)
                    .expected("absent: the source has no such call"),
            ),
        }
    }
}

fn file(unreferenced_file: &UnreferencedFile) -> Finding {
    let finding = Finding::new(Defect::RecordingWithoutConversation, "file")
        .target(&unreferenced_file.path)
        .expected("a recording that references it");
    finding.actual("none").because("file without a recording")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use plan::Reason;

    use super::super::testing::{gir_wanted, right};
    use super::*;
    use crate::expected::Absence;
    use crate::matching::pair;
    use crate::observed::TargetConversation;
    use crate::platform_facts::PlatformFacts;
    use crate::utc_millis::UtcMillis;

    fn codes(
        expected: &Expectation,
        ours: &[TargetConversation],
        stores: &StoreContents,
        bucket: &Bucket,
    ) -> (Vec<&'static str>, Vec<&'static str>, usize, Bucket) {
        let expectations = std::slice::from_ref(expected);
        let (pairings, _) = pair(expectations, ours);
        let buckets = vec![bucket.clone(); expected.recordings.len()];
        let missing = Finding::new(Defect::MissingRecording, "recording")
            .of(&expected.legacy_id)
            .recording("100001-1");
        let findings = if *bucket == Bucket::Missing {
            vec![missing]
        } else {
            Vec::new()
        };
        let mut judged = vec![Judged {
            findings,
            buckets,
            ..Judged::default()
        }];
        let facts = PlatformFacts::of(stores.clone());
        let as_of = UtcMillis::from_ms(0);
        let surplus = reconcile(
            &Reconciling {
                expectations,
                pairings: &pairings,
                facts: &facts,
                restricted: false,
                as_of,
            },
            &mut judged,
        );
        let told = |findings: &[Finding]| {
            findings
                .iter()
                .map(|finding| finding.defect.code())
                .collect()
        };
        let judged = judged.remove(0);
        (
            told(&judged.findings),
            told(&surplus.findings),
            judged.extra,
            judged.buckets.first().cloned().unwrap_or(Bucket::Matched),
        )
    }

    fn file_of(recording: Option<&str>) -> StoreContents {
        let unreferenced_file = UnreferencedFile {
            path: "st-acme/x".into(),
            legacy_recording_id: recording.map(str::to_owned),
        };
        StoreContents {
            unreferenced: vec![unreferenced_file],
            ..StoreContents::default()
        }
    }

    #[test]
    fn a_file_without_a_recording_is_an_orphan_unless_its_call_is_hidden() {
        let expected = gir_wanted();
        let shown = [right(&expected)];
        let mut absent = expected.clone();
        absent.presence = Presence::Absent(Absence::Rule(Reason::AudioEmpty));
        let (own, other) = (file_of(Some("100001-1")), file_of(None));
        assert_eq!(
            codes(&expected, &shown, &own, &Bucket::Matched),
            (vec!["D10"], vec![], 1, Bucket::Matched),
            "left over"
        );
        assert_eq!(
            codes(&expected, &shown, &own, &Bucket::Missing),
            (vec!["D10"], vec![], 0, Bucket::Different),
            "not missing: not linked"
        );
        assert_eq!(
            codes(&expected, &[], &own, &Bucket::Matched),
            (vec![], vec![], 0, Bucket::Matched),
            "its call is hidden"
        );
        assert_eq!(
            codes(&absent, &[], &own, &Bucket::Matched).0,
            ["D10"],
            "a file of what should not be there"
        );
        assert_eq!(
            codes(&expected, &shown, &other, &Bucket::Matched),
            (vec![], vec!["D10"], 0, Bucket::Matched)
        );
    }

    #[test]
    fn what_only_speechminer_has_is_surplus_where_nothing_should_be() {
        let expected = gir_wanted();
        let mut none = expected.clone();
        none.presence = Presence::NotCarried;
        let posted = |call: &str| StoreContents {
            only_posted: BTreeSet::from([call.to_owned()]),
            ..StoreContents::default()
        };
        assert_eq!(
            codes(&expected, &[], &posted("100001"), &Bucket::Matched).0,
            Vec::<&str>::new(),
            "hidden, not surplus"
        );
        assert_eq!(
            codes(&none, &[], &posted("100001"), &Bucket::Matched).0,
            ["D02"]
        );
        assert_eq!(
            codes(
                &expected,
                &[right(&expected)],
                &posted("9"),
                &Bucket::Matched
            )
            .1,
            ["D02"]
        );
    }
}
