//! What only shows across interactions: audio of another call, recordings on another's
//! conversation, merged calls, orphans, extra conversations.

use std::collections::HashMap;

use crate::checks::presence::Judged;
use crate::defect::Defect;
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::matching::{Pairing, same_times};
use crate::observed::{TargetConversation, TargetRecording};
use crate::sound::AudioFingerprint;
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// A recording of the source by its place: interaction and recording.
pub(crate) type Place = (usize, usize);

/// A recording in the target that fits no recording of its own conversation's source.
pub(crate) struct UnmatchedRecording<'a> {
    pub(crate) recording: &'a TargetRecording,
    /// The interaction on whose conversation it hangs. Absent: it has no conversation.
    pub(crate) on: Option<usize>,
    pub(crate) fingerprint: Option<AudioFingerprint>,
}

/// Everything that is looked at across interactions.
pub(crate) struct CrossCallChecks<'a> {
    pub(crate) expectations: &'a [Expectation],
    pub(crate) pairings: &'a [Pairing],
    pub(crate) ours: &'a [TargetConversation],
    /// Fingerprints of the source's audio, as far as it was read.
    pub(crate) sources: Vec<(Place, &'a AudioFingerprint)>,
    /// Fingerprints of target audio that has nothing of its source.
    pub(crate) foreign: Vec<(Place, &'a AudioFingerprint)>,
}

impl CrossCallChecks<'_> {
    /// Names the owner of foreign audio.
    pub(crate) fn foreign_audio(&self, judged: &mut [Judged]) {
        for (place, fingerprint) in &self.foreign {
            let Some(owner) = self.owner(fingerprint, |owner| owner != *place) else {
                continue;
            };
            let (case, recording) = *place;
            let id = &self.expectations[case].recordings[recording].legacy_id;
            let finding = judged[case].findings.iter_mut().find(|finding| {
                finding.defect == Defect::AudioDamaged
                    && finding.legacy_recording_id.as_deref() == Some(id.as_str())
            });
            let Some(finding) = finding else { continue };
            if owner.0 == case && self.interchangeable(case, recording, owner.1) {
                let (id, defect) = (id.clone(), finding.defect);
                judged[case].findings.retain(|finding| {
                    finding.defect != defect
                        || finding.legacy_recording_id.as_deref() != Some(id.as_str())
                });
                self.settle_again(case, recording, &mut judged[case]);
                continue;
            }
            if owner.0 == case {
                self.out_of_order(case, recording, owner.1, &mut judged[case]);
                continue;
            }
            let call = &self.expectations[owner.0].legacy_id;
            let owner = &self.expectations[owner.0].recordings[owner.1].legacy_id;
            *finding = finding
                .clone()
                .reclassed(Defect::AudioOfAnotherCall)
                .expected(format!("audio of {id}"))
                .actual(format!("audio of {owner}"))
                .because("audio of another call")
                .with_call(call);
        }
    }

    /// Two recordings of one call with the same times: which is which only the audio tells, and it
    /// says that they were paired wrongly here.
    fn interchangeable(&self, case: usize, a: usize, b: usize) -> bool {
        let recordings = &self.expectations[case].recordings;
        let close = |at: usize, other: usize| {
            let actual = self.pairings[case]
                .conversation
                .zip(self.pairings[case].recordings[other]);
            actual
                .and_then(|(conversation, other)| {
                    self.ours[conversation].read_recordings().get(other)
                })
                .is_some_and(|actual| same_times(&recordings[at], actual))
        };
        close(a, b) && close(b, a)
    }

    /// Two parts of one call stand in each other's place: one finding, and everything else about
    /// these two follows from it.
    fn out_of_order(&self, case: usize, a: usize, b: usize, judged: &mut Judged) {
        let expected = &self.expectations[case];
        let (id, other) = (
            &expected.recordings[a].legacy_id,
            &expected.recordings[b].legacy_id,
        );
        let (follows, rest): (Vec<Finding>, Vec<Finding>) = std::mem::take(&mut judged.findings)
            .into_iter()
            .partition(|finding| {
                finding
                    .legacy_recording_id
                    .as_ref()
                    .is_some_and(|named| id == named || other == named)
                    && !matches!(
                        finding.defect,
                        Defect::RecordWithoutSource | Defect::UploadedTwice
                    )
            });
        judged.findings = rest;
        let target = follows
            .iter()
            .find_map(|finding| finding.target_id.clone())
            .unwrap_or_default();
        let mut finding = Finding::new(Defect::PartsOutOfOrder, "order of recordings")
            .of(&expected.legacy_id)
            .recording(id)
            .target(&target);
        finding.consequences = follows
            .iter()
            .map(|finding| format!("{}: {}", finding.title, finding.field))
            .collect();
        judged.findings.push(
            finding
                .expected(format!("{id} in its own place"))
                .actual(format!("{other} in the place of {id}"))
                .because(Defect::PartsOutOfOrder.title()),
        );
        judged.buckets[b] = Bucket::Different;
    }

    fn settle_again(&self, case: usize, recording: usize, judged: &mut Judged) {
        let id = &self.expectations[case].recordings[recording].legacy_id;
        let blamed = judged.findings.iter().any(|finding| {
            finding
                .legacy_recording_id
                .as_ref()
                .is_none_or(|named| named == id.as_str())
        });
        if !blamed {
            judged.buckets[recording] = Bucket::Matched;
        }
    }

    /// Whose sound it is: of short prompts several may be alike, and the most alike is meant.
    fn owner(&self, fingerprint: &AudioFingerprint, may: impl Fn(Place) -> bool) -> Option<Place> {
        let places = self.sources.iter().filter(|(place, _)| may(*place));
        let alike =
            places.filter_map(|(place, source)| Some((source.likeness(fingerprint)?, *place)));
        alike
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, place)| place)
    }

    /// Finds out where surplus recordings come from.
    pub(crate) fn unmatched_recordings(
        &self,
        unmatched_recordings: &[UnmatchedRecording<'_>],
        judged: &mut [Judged],
    ) {
        for unmatched in unmatched_recordings {
            if let Some((case, recording)) = unmatched
                .on
                .and_then(|on| Some((on, self.second_half(on, unmatched.recording)?)))
            {
                self.split(case, recording, unmatched, &mut judged[case]);
                continue;
            }
            match (self.lost(unmatched, judged), unmatched.on) {
                (Some(place), None) => self.found(
                    place,
                    judged,
                    Defect::RecordingWithoutConversation,
                    unmatched,
                    "no conversation",
                ),
                (Some(place), Some(on)) if self.pairings[place.0].conversation.is_some() => {
                    self.found(
                        place,
                        judged,
                        Defect::RecordingOnAnotherCall,
                        unmatched,
                        &format!(
                            "the conversation of call {}",
                            self.expectations[on].legacy_id
                        ),
                    );
                }
                (Some(place), Some(on)) => self.merged(place, on, judged, unmatched),
                (None, Some(on)) => {
                    judged[on].extra += 1;
                    let finding = self.surplus(on, unmatched);
                    judged[on].findings.push(finding);
                }
                // A recording without conversation and without a source of ours may be anybody's.
                (None, None) => {
                    if let Some((case, recording)) = self.named(unmatched.recording) {
                        judged[case].extra += 1;
                        let finding = self.left_over(case, recording, unmatched.recording);
                        judged[case].findings.push(finding);
                    }
                }
            }
        }
    }

    /// The recording whose rest a surplus one is: it begins where the paired one ends too early,
    /// and ends where that should.
    fn second_half(&self, case: usize, unmatched: &TargetRecording) -> Option<usize> {
        const CLOSE_MS: u64 = 1000;
        let (start, end) = (unmatched.start.instant()?, unmatched.end.instant()?);
        let close = |a: UtcMillis, b: UtcMillis| a.since(b).unsigned_abs() <= CLOSE_MS;
        let conversation = &self.ours[self.pairings[case].conversation?];
        self.expectations[case]
            .recordings
            .iter()
            .zip(&self.pairings[case].recordings)
            .position(|(expected, paired)| {
                let first = paired.and_then(|at| conversation.read_recordings().get(at));
                let ends = expected
                    .span
                    .zip(first.and_then(|first| first.end.instant()));
                ends.is_some_and(|(span, first_end)| {
                    close(first_end, start) && close(end, span.end) && !close(first_end, span.end)
                })
            })
    }

    /// What is wrong with the first half follows from there being a second.
    fn split(
        &self,
        case: usize,
        recording: usize,
        unmatched: &UnmatchedRecording<'_>,
        judged: &mut Judged,
    ) {
        let expected = &self.expectations[case];
        let id = &expected.recordings[recording].legacy_id;
        let (follows, rest): (Vec<Finding>, Vec<Finding>) = std::mem::take(&mut judged.findings)
            .into_iter()
            .partition(|finding| finding.legacy_recording_id.as_deref() == Some(id.as_str()));
        judged.findings = rest;
        let mut finding = Finding::new(Defect::CallSplit, "recordings")
            .of(&expected.legacy_id)
            .recording(id)
            .target(&unmatched.recording.id);
        finding.consequences = follows
            .iter()
            .map(|finding| format!("{}: {}", finding.title, finding.field))
            .collect();
        judged.findings.push(
            finding
                .expected("one recording")
                .actual("two parts")
                .because(Defect::CallSplit.title()),
        );
        judged.buckets[recording] = Bucket::Different;
    }

    /// Where a call is kept as long as the class that keeps it longest, another's recording brings
    /// its class along.
    pub(crate) fn classes_of_guests(&self, judged: &mut [Judged]) {
        for judged in judged.iter_mut() {
            let is_longer = |finding: &Finding| {
                finding.defect == Defect::KeptTooLong && finding.legacy_recording_id.is_none()
            };
            let is_host = |finding: &Finding| {
                finding.defect == Defect::CallsMerged && finding.legacy_recording_id.is_none()
            };
            let (Some(longer), true) = (
                judged.findings.iter().position(is_longer),
                judged.findings.iter().any(is_host),
            ) else {
                continue;
            };
            let follows = judged.findings.remove(longer);
            judged
                .findings
                .iter_mut()
                .find(|finding| is_host(finding))
                .into_iter()
                .for_each(|merged| merged.follows(follows.clone()));
        }
    }

    /// Where a leg carries the times of its recording, another's recording brings its own: they
    /// follow from where it hangs.
    pub(crate) fn times_of_guests(&self, judged: &mut [Judged]) {
        for judged in judged.iter_mut() {
            let is_leg = |finding: &Finding| {
                finding.legacy_recording_id.is_none() && finding.field.starts_with("leg ")
            };
            if !judged
                .findings
                .iter()
                .any(|finding| finding.defect == Defect::RecordingOnAnotherCall)
                || !judged.findings.iter().any(is_leg)
            {
                continue;
            }
            let (follows, rest): (Vec<Finding>, Vec<Finding>) =
                std::mem::take(&mut judged.findings)
                    .into_iter()
                    .partition(is_leg);
            judged.findings = rest;
            if let Some(moved) = judged
                .findings
                .iter_mut()
                .find(|finding| finding.defect == Defect::RecordingOnAnotherCall)
            {
                follows
                    .into_iter()
                    .for_each(|finding| moved.follows(finding));
            }
        }
    }

    /// A call that names the files of recordings which hang on it by mistake: it follows from where
    /// they hang.
    pub(crate) fn names_of_guests(&self, judged: &mut [Judged]) {
        const NAMES: &str = "st.file_name";
        let concerned: Vec<usize> = (0..judged.len())
            .filter(|case| {
                judged[*case]
                    .findings
                    .iter()
                    .any(|finding| finding.field == NAMES)
            })
            .collect();
        if concerned.is_empty() {
            return;
        }
        let mut owners: HashMap<&str, usize> = HashMap::new();
        for (case, expected) in self.expectations.iter().enumerate() {
            let names = expected
                .attributes
                .get(NAMES)
                .into_iter()
                .flat_map(|wanted| &wanted.any_of)
                .flat_map(|names| names.split(';'));
            owners.extend(names.map(|name| (name, case)));
        }
        for case in concerned {
            let Some(at) = judged[case]
                .findings
                .iter()
                .position(|finding| finding.field == NAMES)
            else {
                continue;
            };
            let actual = judged[case].findings[at].actual.clone().unwrap_or_default();
            let guests: Vec<usize> = actual
                .split(';')
                .filter_map(|name| owners.get(name).copied())
                .filter(|owner| *owner != case)
                .collect();
            let is_elsewhere = |finding: &Finding| {
                matches!(
                    finding.defect,
                    Defect::CallsMerged | Defect::RecordingOnAnotherCall
                )
            };
            let told = guests.into_iter().find_map(|owner| {
                Some((owner, judged[owner].findings.iter().position(is_elsewhere)?))
            });
            if let Some((owner, place)) = told {
                let follows = judged[case].findings.remove(at);
                judged[owner].findings[place].follows(follows);
            }
        }
    }

    /// The recording of the source that an uploader named a recording without a conversation after.
    fn named(&self, unmatched: &TargetRecording) -> Option<Place> {
        let id = unmatched.originating_id.as_ref()?;
        let places = self.expectations.iter().enumerate();
        places.into_iter().find_map(|(case, expected)| {
            Some((
                case,
                expected
                    .recordings
                    .iter()
                    .position(|recording| recording.legacy_id == *id)?,
            ))
        })
    }

    fn left_over(&self, case: usize, recording: usize, unmatched: &TargetRecording) -> Finding {
        let expected = &self.expectations[case];
        let id = &expected.recordings[recording].legacy_id;
        let finding = Finding::new(Defect::RecordingWithoutConversation, "orphan recording")
            .of(&expected.legacy_id)
            .recording(id)
            .target(&unmatched.id);
        finding
            .expected("none beside the one that has its conversation")
            .actual("an upload without a conversation")
            .because(Defect::RecordingWithoutConversation.title())
    }

    /// The missing recording that an unmatched one is: by what its uploader called it, by its
    /// audio, else by its times.
    fn lost(&self, unmatched: &UnmatchedRecording<'_>, judged: &[Judged]) -> Option<Place> {
        let is_missing = |(case, recording): Place| {
            judged[case].buckets.get(recording) == Some(&Bucket::Missing)
        };
        let named = self.named(unmatched.recording);
        if named.is_some() {
            return named.filter(|place| is_missing(*place));
        }
        if let Some(place) = unmatched
            .fingerprint
            .as_ref()
            .and_then(|fingerprint| self.owner(fingerprint, is_missing))
        {
            return Some(place);
        }
        let places = self
            .expectations
            .iter()
            .enumerate()
            .flat_map(|(case, expected)| {
                (0..expected.recordings.len()).map(move |recording| (case, recording))
            });
        places
            .filter(|place| is_missing(*place))
            .find(|(case, recording)| {
                same_times(
                    &self.expectations[*case].recordings[*recording],
                    unmatched.recording,
                )
            })
    }

    /// Not missing but in the wrong place.
    fn found(
        &self,
        place: Place,
        judged: &mut [Judged],
        defect: Defect,
        unmatched: &UnmatchedRecording<'_>,
        hangs_on: &str,
    ) {
        let (case, recording) = place;
        let expected = &self.expectations[case];
        let id = expected.recordings[recording].legacy_id.clone();
        let judged = &mut judged[case];
        judged.buckets[recording] = Bucket::Different;
        judged.findings.retain(|finding| {
            finding.defect != Defect::MissingRecording
                || finding.legacy_recording_id.as_deref() != Some(id.as_str())
        });
        let mut finding = Finding::new(defect, "conversation of the recording")
            .of(&expected.legacy_id)
            .recording(&id)
            .target(&unmatched.recording.id);
        if let Some(on) = unmatched.on {
            finding = finding.with_call(&self.expectations[on].legacy_id);
        }
        judged.findings.push(
            finding
                .expected("its own conversation")
                .actual(hangs_on)
                .because(defect.title()),
        );
    }

    /// The call is gone and its recording hangs on another one: both calls are damaged.
    fn merged(
        &self,
        place: Place,
        on: usize,
        judged: &mut [Judged],
        unmatched: &UnmatchedRecording<'_>,
    ) {
        let other = self.expectations[on].legacy_id.clone();
        self.found(
            place,
            judged,
            Defect::CallsMerged,
            unmatched,
            &format!("the conversation of call {other}"),
        );
        let told = judged[on]
            .findings
            .iter()
            .any(|finding| finding.defect == Defect::CallsMerged);
        if !told {
            let conversation = self.pairings[on]
                .conversation
                .map(|at| self.ours[at].id.clone())
                .unwrap_or_default();
            let finding = Finding::new(Defect::CallsMerged, "recordings of the conversation")
                .of(&other)
                .target(&conversation);
            judged[on].findings.push(
                finding
                    .expected("only its own")
                    .actual(format!(
                        "also those of call {}",
                        self.expectations[place.0].legacy_id
                    ))
                    .because(Defect::CallsMerged.title())
                    .with_call(&self.expectations[place.0].legacy_id),
            );
        }
        judged[on]
            .buckets
            .iter_mut()
            .filter(|bucket| **bucket == Bucket::Matched)
            .for_each(|bucket| *bucket = Bucket::Different);
    }

    /// A surplus recording on one of our conversations: a copy of one that is there, or from
    /// nowhere.
    fn surplus(&self, on: usize, unmatched: &UnmatchedRecording<'_>) -> Finding {
        let expected = &self.expectations[on];
        let own = |fingerprint: &AudioFingerprint| {
            self.owner(fingerprint, |(case, _)| case == on)
                .map(|(_, recording)| recording)
        };
        let by_times = || {
            expected
                .recordings
                .iter()
                .position(|recording| same_times(recording, unmatched.recording))
        };
        // Only what was not heard is judged by its times: what has a recording's times and another
        // sound is no copy of it.
        let was_heard = |recording: &usize| {
            unmatched.fingerprint.is_some()
                && self
                    .sources
                    .iter()
                    .any(|(place, _)| *place == (on, *recording))
        };
        let copy_of = unmatched
            .fingerprint
            .as_ref()
            .and_then(own)
            .or_else(|| by_times().filter(|recording| !was_heard(recording)));
        match copy_of {
            Some(recording) => {
                let id = &expected.recordings[recording].legacy_id;
                Finding::new(Defect::UploadedTwice, "recording")
                    .of(&expected.legacy_id)
                    .recording(id)
                    .target(&unmatched.recording.id)
                    .expected("once")
                    .actual("twice")
                    .because("recording exists twice")
            }
            None => Finding::new(Defect::RecordWithoutSource, "recording")
                .of(&expected.legacy_id)
                .target(&unmatched.recording.id)
                .expected("absent: no recording of the source fits")
                .actual("present"),
        }
    }
}

/// A conversation that carries our namespace and has no source.
pub(crate) fn extra_conversation(conversation: &TargetConversation) -> Finding {
    let recordings = conversation.read_recordings().len();
    let claimed = conversation.legacy_id.as_deref().unwrap_or_default();
    let finding = Finding::new(Defect::RecordWithoutSource, "conversation")
        .target(&conversation.id)
        .expected("absent: the source has no such call");
    finding
        .actual(format!(
            "present, as call {claimed}, with {recordings} recordings"
        ))
        .because("conversation has no source")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::presence::{Evidence, judge};
    use crate::checks::testing::{PLATFORM, conversation, wanted};
    use crate::expected::testing::{AS_OF, rules};
    use crate::matching::pair;
    use crate::observed::Recordings;
    use crate::sound::TargetSound;

    /// Two calls, an hour apart, and what a right migration leaves of them.
    fn world() -> (Vec<Expectation>, Vec<TargetConversation>) {
        let first = wanted();
        let mut second = wanted();
        let later = |span: &mut Option<crate::expected::Span>| {
            if let Some(span) = span {
                (span.start, span.end) =
                    (span.start.plus_ms(3_600_000), span.end.plus_ms(3_600_000));
            }
        };
        second.legacy_id = "100002".into();
        later(&mut second.span);
        second.legs.iter_mut().for_each(|leg| later(&mut leg.span));
        for (at, recording) in second.recordings.iter_mut().enumerate() {
            recording.legacy_id = format!("100002-{}", at + 1).into();
            later(&mut recording.span);
        }
        let ours = [&first, &second].map(|expected| {
            let mut ours = conversation(expected);
            ours.id = format!("conversation-{}", expected.legacy_id).into();
            ours
        });
        (vec![first, second], ours.to_vec())
    }

    fn run(expectations: &[Expectation], ours: &[TargetConversation]) -> Vec<Judged> {
        let (pairings, _) = pair(expectations, ours);
        let mut judged: Vec<Judged> = expectations
            .iter()
            .zip(&pairings)
            .map(|(expected, pairing)| {
                let sounds = vec![TargetSound::NotRead; expected.recordings.len()];
                judge(&Evidence {
                    expected,
                    pairing,
                    ours,
                    sounds: &sounds,
                    stored: &[],
                    hidden: None,
                    misplaced: None,
                    rules: &rules(),
                    platform: PLATFORM,
                    as_of: AS_OF,
                })
            })
            .collect();
        let cross_call = CrossCallChecks {
            expectations,
            pairings: &pairings,
            ours,
            sources: Vec::new(),
            foreign: Vec::new(),
        };
        let unmatched_recordings: Vec<UnmatchedRecording<'_>> = pairings
            .iter()
            .enumerate()
            .flat_map(|(case, pairing)| {
                pairing
                    .unpaired
                    .iter()
                    .map(move |unpaired| (case, pairing.conversation, *unpaired))
            })
            .filter_map(|(case, conversation, unpaired)| {
                Some(UnmatchedRecording {
                    recording: &ours[conversation?].read_recordings()[unpaired],
                    on: Some(case),
                    fingerprint: None,
                })
            })
            .collect();
        cross_call.unmatched_recordings(&unmatched_recordings, &mut judged);
        judged
    }

    fn codes(judged: &Judged) -> Vec<&str> {
        judged
            .findings
            .iter()
            .map(|finding| finding.defect.code())
            .collect()
    }

    fn take(conversation: &mut TargetConversation) -> Vec<crate::observed::TargetRecording> {
        match std::mem::take(&mut conversation.recordings) {
            Recordings::Read(recordings) => recordings,
            Recordings::Hidden(_) => Vec::new(),
        }
    }

    fn give(
        conversation: &mut TargetConversation,
        recordings: Vec<crate::observed::TargetRecording>,
    ) {
        if let Recordings::Read(own) = &mut conversation.recordings {
            own.extend(recordings);
        }
    }

    #[test]
    fn a_recording_on_anothers_conversation_is_found_there() {
        let (expectations, mut ours) = world();
        let mut moved = take(&mut ours[0]);
        let stays = moved.split_off(1);
        give(&mut ours[0], stays);
        give(&mut ours[1], moved);
        let judged = run(&expectations, &ours);
        assert_eq!(codes(&judged[0]), ["D13"]);
        assert_eq!(judged[0].buckets, [Bucket::Different, Bucket::Matched]);
        assert!(
            judged[1].findings.is_empty() && judged[1].extra == 0,
            "the other call is right"
        );
    }

    #[test]
    fn two_calls_merged_into_one_are_two_findings() {
        let (expectations, mut ours) = world();
        let moved = take(&mut ours[0]);
        give(&mut ours[1], moved);
        ours.remove(0);
        let judged = run(&expectations, &ours);
        assert_eq!(codes(&judged[0]), ["D04", "D04"]);
        assert_eq!(codes(&judged[1]), ["D04"]);
    }

    #[test]
    fn a_recording_uploaded_twice_is_a_copy_and_one_from_nowhere_has_no_source() {
        let (expectations, mut ours) = world();
        let mut copy = ours[0].read_recordings()[0].clone();
        copy.id = "copy".into();
        give(&mut ours[0], vec![copy.clone()]);
        let judged = run(&expectations, &ours);
        assert_eq!((codes(&judged[0]), judged[0].extra), (vec!["D03"], 1));
        let (expectations, mut ours) = world();
        copy.start = crate::observed::TimeReading::Absent;
        give(&mut ours[0], vec![copy]);
        assert_eq!(codes(&run(&expectations, &ours)[0]), ["D02"]);
    }

    /// Two recordings of one call, each with the audio of the other.
    fn exchanged(same_times: bool) -> (Vec<Expectation>, Judged) {
        let (mut expectations, mut ours) = world();
        expectations.truncate(1);
        ours.truncate(1);
        if same_times {
            expectations[0].recordings[1].span = expectations[0].recordings[0].span;
            if let Recordings::Read(recordings) = &mut ours[0].recordings {
                (recordings[1].start, recordings[1].end) =
                    (recordings[0].start.clone(), recordings[0].end.clone());
            }
        }
        let (pairings, _) = pair(&expectations, &ours);
        let mut difference = crate::sound::Difference::new(
            Defect::AudioDamaged,
            "the source's sound",
            "another sound",
        );
        difference.foreign = true;
        let sounds = vec![TargetSound::Compared(vec![difference]); 2];
        let evidence = Evidence {
            expected: &expectations[0],
            pairing: &pairings[0],
            ours: &ours,
            sounds: &sounds,
            stored: &[],
            hidden: None,
            misplaced: None,
            rules: &rules(),
            platform: PLATFORM,
            as_of: AS_OF,
        };
        let mut judged = vec![judge(&evidence)];
        let fingerprints: Vec<AudioFingerprint> = (1..=2)
            .map(|seed| AudioFingerprint::of(&crate::sound::testing::speech(seed, 5.0, 1)))
            .collect();
        let sources = vec![((0, 0), &fingerprints[0]), ((0, 1), &fingerprints[1])];
        let foreign = vec![((0, 0), &fingerprints[1]), ((0, 1), &fingerprints[0])];
        CrossCallChecks {
            expectations: &expectations,
            pairings: &pairings,
            ours: &ours,
            sources,
            foreign,
        }
        .foreign_audio(&mut judged);
        (expectations.clone(), judged.remove(0))
    }

    #[test]
    fn parts_of_a_call_in_the_wrong_order_are_one_finding() {
        let (_, judged) = exchanged(false);
        assert_eq!(codes(&judged), ["D33"]);
        assert_eq!(judged.buckets, [Bucket::Different, Bucket::Different]);
    }

    #[test]
    fn parts_that_only_their_audio_tells_apart_are_in_no_order() {
        let (_, judged) = exchanged(true);
        assert!(judged.findings.is_empty(), "{:?}", judged.findings);
        assert_eq!(judged.buckets, [Bucket::Matched, Bucket::Matched]);
    }
}
