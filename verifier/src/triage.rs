//! Which calls have to be looked at together. A call that is right by its own records, and on which
//! no other call depends, is counted and let go; the others are examined as a whole, with all that
//! is in the target under ids of no call. So memory grows with what is wrong, not with what there
//! is.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use crate::checks::presence::{Evidence, Judged, judge};
use crate::columns::{CallColumns, CallRow};
use crate::expected::{Expectation, ExpectedRecording, Presence};
use crate::expired::forgive_expired;
use crate::habits::CommonPractice;
use crate::judged_call::JudgedCall;
use crate::matching::{Pairing, has_times_of, pair_alone, same_times};
use crate::observed::{TargetConversation, TargetRecording, TimeReading};
use crate::options::{Progress, Stage};
use crate::report::{RecordingLine, lines_of_call};
use crate::run_error::RunError;
use crate::sorted_records::{Merge, RecordSorter, StoredRecord, read};
use crate::sound::TargetSound;
use crate::source::SourceInteraction;
use crate::sums::Sums;
use crate::target::{Expectations, TargetSnapshot};
use crate::verdict::Bucket;

/// Ids that a thread looks at in one piece.
const PIECE: usize = 1024;
/// More threads would hold more calls at once.
const MOST_THREADS: usize = 8;

/// Which calls are listened to, and examined therefore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Listening {
    /// None.
    #[default]
    Nobody,
    /// Those at these places in the source.
    To(BTreeSet<usize>),
    /// Each that has a recording to listen to.
    Everybody,
}

/// Both sides, and what decides.
#[derive(Clone)]
pub(crate) struct Triage<'a> {
    pub(crate) expectations: Expectations<'a>,
    pub(crate) target: &'a TargetSnapshot,
    pub(crate) listening: Listening,
    /// Further calls to examine; places in the source.
    pub(crate) further: BTreeSet<usize>,
    /// Whether a line for each recording is wanted.
    pub(crate) wants_lines: bool,
    /// Sums that begin at nothing.
    pub(crate) sums: Sums,
}

/// Calls that are examined.
#[derive(Debug, Default)]
pub(crate) struct ExaminedCalls {
    /// Where each stands in the source, ascending.
    pub(crate) cases: Vec<usize>,
    /// What the source says of each.
    pub(crate) interactions: Vec<SourceInteraction>,
    /// Conversations under their ids, and under ids of no call.
    pub(crate) ours: Vec<TargetConversation>,
}

/// What came of it.
pub(crate) struct Triaged {
    /// Every call; those that are examined are not judged yet.
    pub(crate) columns: CallColumns,
    /// What the calls come to that are let go.
    pub(crate) sums: Sums,
    /// What those do alike.
    pub(crate) practice: CommonPractice,
    /// Lines of their recordings.
    pub(crate) lines: RecordSorter<RecordingLine>,
    /// Recordings of all conversations of ours.
    pub(crate) target_recordings: u64,
    examined: ExaminedCalls,
    /// Of calls that are let go: seconds in which recordings begin that have none in the target,
    /// each with its call's place in the source.
    unpaired: Vec<(i64, usize)>,
    /// Of examined calls: seconds in which recordings in the target begin that have not the times
    /// of their pair.
    mispaired: BTreeSet<i64>,
    /// Of examined calls: seconds in which conversations begin that have not their call's times.
    displaced: BTreeSet<i64>,
}

/// What is decided of an id.
enum Decision {
    LetGo {
        row: CallRow,
        lines: Vec<RecordingLine>,
        /// As in [`Triaged`].
        unpaired: Vec<i64>,
    },
    Examine {
        row: CallRow,
        interaction: Box<SourceInteraction>,
        conversations: Vec<TargetConversation>,
        mispaired: Vec<i64>,
        displaced: Vec<i64>,
    },
    /// No call of the source has it.
    Surplus(Vec<TargetConversation>),
}

/// What a thread has decided.
#[derive(Default)]
struct Decided {
    /// With the call's place in the source, where there is one.
    decisions: Vec<(Option<usize>, Decision)>,
    sums: Sums,
    practice: CommonPractice,
    target_recordings: u64,
}

/// A call with what is in the target under its id.
struct Candidate<'a> {
    case: usize,
    interaction: &'a SourceInteraction,
    expected: &'a Expectation,
    pairing: &'a Pairing,
    conversations: &'a [TargetConversation],
}

impl Triage<'_> {
    /// One pass over both sides.
    ///
    /// # Errors
    ///
    /// What was stored cannot be read, or there is no room for lines.
    pub(crate) async fn run(
        &self,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Triaged, RunError> {
        let interactions = self.expectations.interactions;
        progress.begin(Stage::Checks, Some(interactions.listed()));
        let mut triaged = Triaged {
            columns: CallColumns::default(),
            sums: self.sums.clone(),
            practice: CommonPractice::default(),
            lines: RecordSorter::new(folder),
            target_recordings: 0,
            examined: ExaminedCalls::default(),
            unpaired: Vec::new(),
            mispaired: BTreeSet::new(),
            displaced: BTreeSet::new(),
        };
        let mut ids = JoinedById::new(interactions.stored(), self.target.ours.stored());
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS);
        loop {
            let batch = (&mut ids)
                .take(threads * PIECE)
                .collect::<Result<Vec<RecordsOfId>, RunError>>()?;
            if batch.is_empty() {
                return Ok(triaged);
            }
            let decided: Vec<Decided> = std::thread::scope(|scope| {
                let work: Vec<_> = batch
                    .chunks(PIECE)
                    .map(|piece| scope.spawn(|| self.decide_all(piece)))
                    .collect();
                work.into_iter()
                    .map(|thread| {
                        thread
                            .join()
                            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                    })
                    .collect::<Result<_, RunError>>()
            })?;
            progress.advance(batch.iter().filter(|id| id.case.is_some()).count() as u64);
            for decided in decided {
                triaged.add(decided)?;
            }
            // Somebody may want to stop.
            tokio::task::yield_now().await;
        }
    }

    fn decide_all(&self, ids: &[RecordsOfId]) -> Result<Decided, RunError> {
        let mut decided = Decided {
            sums: self.sums.clone(),
            ..Decided::default()
        };
        for id in ids {
            let decision = self.decide(id, &mut decided)?;
            decided.decisions.push((id.case, decision));
        }
        Ok(decided)
    }

    fn decide(&self, id: &RecordsOfId, decided: &mut Decided) -> Result<Decision, RunError> {
        let conversations = id
            .target
            .iter()
            .map(|record| read(record))
            .collect::<Result<Vec<TargetConversation>, RunError>>()?;
        decided.target_recordings += conversations
            .iter()
            .map(|conversation| conversation.read_recordings().len() as u64)
            .sum::<u64>();
        let Some(case) = id.case else {
            return Ok(Decision::Surplus(conversations));
        };
        let interaction = SourceInteraction::read(&id.source)?;
        let rules = self.expectations.deriving.rules;
        let mut expected = self.expectations.unheard(&interaction);
        let pairing = pair_alone(&expected, &conversations);
        forgive_expired(
            std::slice::from_mut(&mut expected),
            std::slice::from_ref(&pairing),
            &conversations,
            rules,
        );
        let call = Candidate {
            case,
            interaction: &interaction,
            expected: &expected,
            pairing: &pairing,
            conversations: &conversations,
        };
        if let Some(let_go) = self.let_go(&call, decided) {
            return Ok(let_go);
        }
        if let [only] = conversations.as_slice() {
            decided.practice.add_examined(&expected, only, rules);
        }
        Ok(Decision::Examine {
            row: CallRow::unjudged(&expected),
            mispaired: call.mispaired(),
            displaced: call.displaced(),
            interaction: Box::new(interaction),
            conversations,
        })
    }

    /// Counts a call that is right by its own records, and on which no other depends. Absent: it is
    /// to be examined.
    fn let_go(&self, call: &Candidate<'_>, decided: &mut Decided) -> Option<Decision> {
        let is_one = call.conversations.len() <= 1;
        if !is_one || self.is_chosen(call) || call.has_absence_to_hear() {
            return None;
        }
        let judged = self.judge(call);
        let conversation = call.conversations.first();
        if !call.is_right(&judged) {
            return None;
        }
        if let Some(conversation) = conversation
            && !decided.practice.add(
                call.case,
                call.expected,
                conversation,
                self.expectations.deriving.rules,
            )
        {
            return None;
        }
        let judged = JudgedCall {
            interaction: call.interaction,
            expected: call.expected,
            pairing: call.pairing,
            conversation,
            judged: &judged,
            compared: &[],
        };
        decided.sums.add(&judged);
        Some(Decision::LetGo {
            row: CallRow::of(call.expected, judged.judged, |_| false),
            lines: match self.wants_lines {
                true => lines_of_call(&judged, |_| None),
                false => Vec::new(),
            },
            unpaired: call.unpaired(),
        })
    }

    /// Whether a call is examined whatever it looks like.
    fn is_chosen(&self, call: &Candidate<'_>) -> bool {
        let named = &self.target.named;
        let is_heard = match &self.listening {
            Listening::Nobody => false,
            Listening::To(cases) => cases.contains(&call.case),
            Listening::Everybody => audible(call.interaction, call.expected).next().is_some(),
        };
        let is_named = |recording: &ExpectedRecording| {
            !named.recordings.is_empty() && named.recordings.contains(&recording.legacy_id)
        };
        is_heard
            || self.further.contains(&call.case)
            || named.calls.contains(&call.expected.legacy_id)
            || call.expected.recordings.iter().any(is_named)
    }

    fn judge(&self, call: &Candidate<'_>) -> Judged {
        let recordings = call.expected.recordings.len();
        judge(&Evidence {
            expected: call.expected,
            pairing: call.pairing,
            ours: call.conversations,
            sounds: &vec![TargetSound::NotRead; recordings],
            stored: &vec![None; recordings],
            hidden: self.target.why_hidden(&call.expected.legacy_id),
            misplaced: self.target.misplaced.get(&call.expected.legacy_id),
            rules: self.expectations.deriving.rules,
            platform: self.expectations.deriving.platform,
            as_of: self.expectations.deriving.as_of,
        })
    }
}

/// Recordings of a call that can be listened to, by their places in it.
pub(crate) fn audible(
    interaction: &SourceInteraction,
    expected: &Expectation,
) -> impl Iterator<Item = usize> {
    let pairs = interaction.recordings.iter().zip(&expected.recordings);
    pairs
        .enumerate()
        .filter(|(_, (source, wanted))| {
            source.details.is_ok()
                && matches!(wanted.presence, Presence::Expected | Presence::Either)
        })
        .map(|(at, _)| at)
}

impl Candidate<'_> {
    /// Whether it is right by its own records, and no other call's can be its own.
    fn is_right(&self, judged: &Judged) -> bool {
        let is_wrong = |bucket: &Bucket| matches!(bucket, Bucket::Different | Bucket::Missing);
        let is_found = match self.conversations.first() {
            // Its conversation may carry another id.
            None => self.expected.presence != Presence::Expected,
            // It may be another call's under this one's id.
            Some(conversation) => {
                self.expected.span.is_none() || has_times_of(self.expected, conversation)
            }
        };
        is_found
            && judged.findings.is_empty()
            && judged.extra == 0
            && !judged.buckets.iter().any(is_wrong)
            && self.pairing.unpaired.is_empty()
            && self.pairs().all(|(recording, actual)| {
                actual.is_none_or(|actual| same_times(recording, actual))
            })
    }

    /// Whether the sound of something absent is listened to, because only it tells whether it may
    /// be.
    fn has_absence_to_hear(&self) -> bool {
        audible(self.interaction, self.expected).any(|at| self.pairing.recordings[at].is_none())
    }

    /// Each recording with its pair in the call's conversation.
    fn pairs(&self) -> impl Iterator<Item = (&ExpectedRecording, Option<&TargetRecording>)> {
        let conversation = self.pairing.conversation.map(|at| &self.conversations[at]);
        let there = conversation
            .map(TargetConversation::read_recordings)
            .unwrap_or_default();
        let recordings = self.expected.recordings.iter();
        recordings
            .zip(&self.pairing.recordings)
            .map(move |(recording, at)| (recording, at.and_then(|at| there.get(at))))
    }

    /// As in [`Triaged`].
    fn unpaired(&self) -> Vec<i64> {
        self.pairs()
            .filter(|(_, actual)| actual.is_none())
            .filter_map(|(recording, _)| Some(recording.span?.start.seconds()))
            .collect()
    }

    /// As in [`Triaged`].
    fn mispaired(&self) -> Vec<i64> {
        let is_as_its_pair = |actual: &TargetRecording| {
            self.pairs().any(|(recording, pair)| {
                pair.is_some_and(|pair| std::ptr::eq(pair, actual)) && same_times(recording, actual)
            })
        };
        self.conversations
            .iter()
            .flat_map(TargetConversation::read_recordings)
            .filter(|actual| !is_as_its_pair(actual))
            .filter_map(|actual| second(&actual.start))
            .collect()
    }

    /// As in [`Triaged`].
    fn displaced(&self) -> Vec<i64> {
        self.conversations
            .iter()
            .filter(|conversation| !has_times_of(self.expected, conversation))
            .filter_map(|conversation| second(&conversation.start))
            .collect()
    }
}

fn second(of: &TimeReading) -> Option<i64> {
    Some(of.instant()?.seconds())
}

impl Triaged {
    fn add(&mut self, decided: Decided) -> Result<(), RunError> {
        self.sums.merge(decided.sums);
        self.practice.merge(decided.practice);
        self.target_recordings += decided.target_recordings;
        for (case, decision) in decided.decisions {
            match (case, decision) {
                (
                    Some(case),
                    Decision::LetGo {
                        row,
                        lines,
                        unpaired,
                    },
                ) => {
                    self.columns.push(&row);
                    self.add_lines(case, &lines)?;
                    let unpaired = unpaired.into_iter().map(|second| (second, case));
                    self.unpaired.extend(unpaired);
                }
                (
                    Some(case),
                    Decision::Examine {
                        row,
                        interaction,
                        conversations,
                        mispaired,
                        displaced,
                    },
                ) => {
                    self.columns.push(&row);
                    self.mispaired.extend(mispaired);
                    self.displaced.extend(displaced);
                    self.examined.cases.push(case);
                    self.examined.interactions.push(*interaction);
                    self.examined.ours.extend(conversations);
                }
                (_, Decision::Surplus(conversations)) => self.examined.ours.extend(conversations),
                (None, Decision::LetGo { .. } | Decision::Examine { .. }) => {
                    return Err(RunError::Internal("a call without a place".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// The examined calls; none are left behind.
    pub(crate) fn take_examined(&mut self) -> ExaminedCalls {
        std::mem::take(&mut self.examined)
    }

    /// Lines of the recordings of a call, in the order of the source.
    pub(crate) fn add_lines(
        &mut self,
        case: usize,
        lines: &[RecordingLine],
    ) -> Result<(), RunError> {
        for line in lines {
            self.lines.push(&(case as u64).to_be_bytes(), line)?;
        }
        Ok(())
    }

    /// Calls that were let go, and have to be examined because an examined call may have to do with
    /// them: its recordings may be theirs, its conversation may be theirs, or most calls give their
    /// wrap-up code to another agent than they do.
    pub(crate) fn asked_for_by_examined(&self) -> BTreeSet<usize> {
        let near = |seconds: &BTreeSet<i64>| -> HashSet<i64> {
            let around = seconds.iter().flat_map(|second| second - 1..=second + 1);
            around.collect()
        };
        let (mispaired, displaced) = (near(&self.mispaired), near(&self.displaced));
        let unpaired = self
            .unpaired
            .iter()
            .filter(|(second, _)| mispaired.contains(second))
            .map(|(_, case)| *case);
        let begins_there = |case: &usize| {
            let start = self.columns.start(*case);
            start.is_some_and(|start| displaced.contains(&start.seconds()))
        };
        let is_let_go = |case: &usize| self.examined.cases.binary_search(case).is_err();
        let all = if displaced.is_empty() {
            0..0
        } else {
            0..self.columns.len()
        };
        unpaired
            .chain(all.filter(begins_there).filter(is_let_go))
            .chain(self.practice.exceptions().iter().copied())
            .collect()
    }
}

/// Everything under one id, as it is stored.
#[derive(Default)]
struct RecordsOfId {
    /// The call's place in the source. Absent: no call has the id.
    case: Option<usize>,
    source: Vec<Vec<u8>>,
    target: Vec<Vec<u8>>,
}

/// Joins both sides by their keys.
struct JoinedById<'a> {
    source: std::iter::Peekable<Merge<'a>>,
    target: std::iter::Peekable<Merge<'a>>,
    next_case: usize,
}

impl<'a> JoinedById<'a> {
    fn new(source: Merge<'a>, target: Merge<'a>) -> JoinedById<'a> {
        JoinedById {
            source: source.peekable(),
            target: target.peekable(),
            next_case: 0,
        }
    }

    /// `key`: of the next call of the source. Absent: there is none left.
    fn next_id(&mut self, key: Option<Vec<u8>>) -> Result<Option<RecordsOfId>, RunError> {
        let mut id = RecordsOfId::default();
        let is_before = |target: &[u8]| key.as_ref().is_none_or(|key| target < key.as_slice());
        if let Some(record) = next_if(&mut self.target, is_before)? {
            id.target.push(record.record);
            return Ok(Some(id));
        }
        let Some(key) = key else {
            return Ok(None);
        };
        while let Some(record) = next_if(&mut self.source, |other| other == key)? {
            id.source.push(record.record);
        }
        while let Some(record) = next_if(&mut self.target, |other| other.starts_with(&key))? {
            id.target.push(record.record);
        }
        id.case = Some(self.next_case);
        self.next_case += 1;
        Ok(Some(id))
    }
}

impl Iterator for JoinedById<'_> {
    type Item = Result<RecordsOfId, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = match self.source.peek() {
            Some(Ok(record)) => Some(record.key.clone()),
            Some(Err(_)) => return self.source.next()?.err().map(Err),
            None => None,
        };
        self.next_id(key).transpose()
    }
}

/// Takes the next record, where it is wanted; an error always is.
fn next_if(
    records: &mut std::iter::Peekable<Merge<'_>>,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Option<StoredRecord>, RunError> {
    let is_next = |record: &Result<StoredRecord, RunError>| {
        record
            .as_ref()
            .map_or(true, |record| is_wanted(&record.key))
    };
    records.next_if(is_next).transpose()
}
