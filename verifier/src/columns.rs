//! A few bytes of every call, in the source's order: for what only shows across all of them.

use crate::checks::presence::Judged;
use crate::defect::Defect;
use crate::expected::{Expectation, Presence};
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// How far a record was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It could not be: it is neither right nor wrong.
    None,
    /// It must not be there.
    Absent,
    /// It should be there and is not.
    Missing,
    /// Everything but its sound.
    Metadata,
    /// Its sound too.
    Sound,
}

const JUDGEMENTS: [Judgement; 5] = [
    Judgement::None,
    Judgement::Absent,
    Judgement::Missing,
    Judgement::Metadata,
    Judgement::Sound,
];
/// Bits of a judgement.
const JUDGEMENT: u8 = 0b111;
/// Of a call without recordings: it should be there.
const DUE: u8 = 1 << 3;
/// Of such a call: it is not there.
const LOST: u8 = 1 << 4;
const HAS_PAUSE: u8 = 1 << 5;
const HAS_NO_DATE: u8 = 1 << 6;
const NO_START: i64 = i64::MIN;

/// A call, as far as its columns go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallRow {
    start_ms: i64,
    call: u8,
    recordings: Vec<u8>,
}

/// All calls of the source.
#[derive(Debug, Default)]
pub(crate) struct CallColumns {
    starts: Vec<i64>,
    calls: Vec<u8>,
    /// Where each call's recordings end.
    ends: Vec<u32>,
    recordings: Vec<u8>,
}

impl CallRow {
    /// `was_heard`: whether the sound of a recording was compared, by its place in the call.
    pub(crate) fn of(
        expected: &Expectation,
        judged: &Judged,
        was_heard: impl Fn(usize) -> bool,
    ) -> CallRow {
        let each = judged.buckets.iter().enumerate();
        let each = each.map(|(at, bucket)| judgement(bucket, was_heard(at)));
        let flag = |is_so: bool, flag: u8| if is_so { flag } else { 0 };
        let recordings = expected
            .recordings
            .iter()
            .zip(each.clone())
            .map(|(recording, judgement)| {
                judgement as u8
                    | flag(!recording.pauses.is_empty(), HAS_PAUSE)
                    | flag(recording.delete_at.is_none(), HAS_NO_DATE)
            })
            .collect();
        let is_lost = judged.findings.iter().any(|finding| {
            finding.defect == Defect::MissingRecording && finding.legacy_recording_id.is_none()
        });
        let is_due = expected.recordings.is_empty()
            && (is_lost
                || expected.presence == Presence::Expected && judged.unverifiable.is_none());
        CallRow {
            start_ms: expected.span.map_or(NO_START, |span| span.start.ms()),
            call: judgement_of_call(expected, judged, each) as u8
                | flag(is_due, DUE)
                | flag(is_lost, LOST),
            recordings,
        }
    }

    /// One that is to be judged later.
    pub(crate) fn unjudged(expected: &Expectation) -> CallRow {
        let judged = Judged {
            buckets: vec![Bucket::NotVerifiable(String::new()); expected.recordings.len()],
            ..Judged::default()
        };
        CallRow::of(expected, &judged, |_| false)
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
fn judgement_of_call(
    expected: &Expectation,
    judged: &Judged,
    each: impl Iterator<Item = Judgement> + Clone,
) -> Judgement {
    let has = |judgement| each.clone().any(|one| one == judgement);
    let is_empty = judged.buckets.is_empty();
    match expected.presence {
        Presence::Absent(_) | Presence::NotCarried => Judgement::Absent,
        _ if judged.unverifiable.is_some() => Judgement::None,
        _ if is_empty
            && judged
                .findings
                .iter()
                .any(|finding| finding.target_id.is_none()) =>
        {
            Judgement::Missing
        }
        _ if is_empty || has(Judgement::Metadata) => Judgement::Metadata,
        _ if has(Judgement::Sound) => Judgement::Sound,
        _ if has(Judgement::Missing) => Judgement::Missing,
        _ if has(Judgement::Absent) => Judgement::Absent,
        _ => Judgement::None,
    }
}

impl CallColumns {
    /// Further calls, behind these.
    pub(crate) fn append(&mut self, others: &CallColumns) {
        let before = self.recordings.len() as u32;
        self.starts.extend(&others.starts);
        self.calls.extend(&others.calls);
        self.ends.extend(others.ends.iter().map(|end| before + end));
        self.recordings.extend(&others.recordings);
    }

    pub(crate) fn push(&mut self, row: &CallRow) {
        self.starts.push(row.start_ms);
        self.calls.push(row.call);
        self.recordings.extend(&row.recordings);
        self.ends.push(self.recordings.len() as u32);
    }

    /// A call that was judged again. It has the recordings that it had.
    pub(crate) fn set(&mut self, case: usize, row: &CallRow) {
        self.calls[case] = row.call;
        let begin = self.begin(case);
        self.recordings[begin..begin + row.recordings.len()].copy_from_slice(&row.recordings);
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Absent: the source's times are unusable.
    pub(crate) fn start(&self, case: usize) -> Option<UtcMillis> {
        Some(self.starts[case])
            .filter(|start| *start != NO_START)
            .map(UtcMillis::from_ms)
    }

    pub(crate) fn judgement(&self, case: usize) -> Judgement {
        JUDGEMENTS[usize::from(self.calls[case] & JUDGEMENT)]
    }

    fn begin(&self, case: usize) -> usize {
        case.checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize)
    }

    fn recordings(&self, case: usize) -> &[u8] {
        &self.recordings[self.begin(case)..self.ends[case] as usize]
    }

    pub(crate) fn count_of_recordings(&self, case: usize) -> usize {
        self.recordings(case).len()
    }

    pub(crate) fn judgement_of(&self, case: usize, recording: usize) -> Judgement {
        JUDGEMENTS[usize::from(self.recordings(case)[recording] & JUDGEMENT)]
    }

    /// Whether a call should be there, and is missing: all of it that should be. Absent: nothing of
    /// it should be.
    pub(crate) fn is_missing(&self, case: usize) -> Option<bool> {
        let recordings = self.count_of_recordings(case);
        if recordings == 0 {
            return (self.calls[case] & DUE != 0).then_some(self.calls[case] & LOST != 0);
        }
        let mut due = (0..recordings)
            .filter_map(|recording| self.is_missing_of(case, recording))
            .peekable();
        due.peek()?;
        Some(due.all(|is_missing| is_missing))
    }

    /// Whether a recording should be there, and is missing. Absent: it should not be.
    pub(crate) fn is_missing_of(&self, case: usize, recording: usize) -> Option<bool> {
        match self.judgement_of(case, recording) {
            Judgement::Missing => Some(true),
            Judgement::Metadata | Judgement::Sound => Some(false),
            Judgement::None | Judgement::Absent => None,
        }
    }

    /// Kinds of recording that a migration may leave out as a whole.
    pub(crate) fn kinds_of(
        &self,
        case: usize,
        recording: usize,
    ) -> impl Iterator<Item = &'static str> {
        let (bits, count) = (
            self.recordings(case)[recording],
            self.count_of_recordings(case),
        );
        [
            (recording > 0, "recordings after the first of their call"),
            (recording == 0 && count > 1, "first recordings of several"),
            (bits & HAS_PAUSE != 0, "recordings with a pause"),
            (
                bits & HAS_NO_DATE != 0,
                "recordings without a deletion date",
            ),
        ]
        .into_iter()
        .filter_map(|(is_so, kind)| is_so.then_some(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::wanted;
    use crate::finding::Finding;

    #[test]
    fn a_row_keeps_what_is_due_and_what_is_missing_of_it() {
        let expected = wanted();
        let judged = |first: Bucket, second: Bucket| Judged {
            buckets: vec![first, second],
            ..Judged::default()
        };
        let skipped = Bucket::Skipped {
            reason: "expired".to_owned(),
            agreed: false,
        };
        let mut columns = CallColumns::default();
        for (first, second, call, recordings) in [
            (
                Bucket::Matched,
                Bucket::Missing,
                Some(false),
                [Some(false), Some(true)],
            ),
            (
                Bucket::Missing,
                skipped.clone(),
                Some(true),
                [Some(true), None],
            ),
            (skipped.clone(), skipped.clone(), None, [None, None]),
        ] {
            let judged = judged(first, second);
            let case = columns.len();
            columns.push(&CallRow::unjudged(&expected));
            assert_eq!(columns.judgement_of(case, 0), Judgement::None);
            columns.set(case, &CallRow::of(&expected, &judged, |at| at == 0));
            assert_eq!(columns.is_missing(case), call, "{judged:?}");
            assert_eq!([0, 1].map(|at| columns.is_missing_of(case, at)), recordings);
            assert_eq!(columns.start(case), expected.span.map(|span| span.start));
        }
        assert_eq!(columns.judgement_of(0, 0), Judgement::Sound);
        assert_eq!(columns.judgement_of(0, 1), Judgement::Missing);
        assert_eq!(columns.judgement(0), Judgement::Sound);
        assert_eq!(columns.judgement(1), Judgement::Missing);
        assert!(
            columns
                .kinds_of(2, 1)
                .any(|kind| kind.contains("after the first"))
        );
    }

    #[test]
    fn a_call_without_recordings_is_missing_by_itself() {
        let mut expected = wanted();
        expected.recordings.clear();
        let lost = Judged {
            findings: vec![Finding::new(Defect::MissingRecording, "conversation")],
            ..Judged::default()
        };
        let unknown = Judged {
            unverifiable: Some("a reason".to_owned()),
            ..Judged::default()
        };
        let mut columns = CallColumns::default();
        for judged in [Judged::default(), lost, unknown] {
            columns.push(&CallRow::of(&expected, &judged, |_| false));
        }
        let told = [0, 1, 2].map(|case| (columns.is_missing(case), columns.judgement(case)));
        assert_eq!(
            told,
            [
                (Some(false), Judgement::Metadata),
                (Some(true), Judgement::Missing),
                (None, Judgement::None)
            ]
        );
    }
}
