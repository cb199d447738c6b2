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
use crate::sorted_records::{Kept, Merge, RecordSorter, read};
use crate::sound::TargetSound;
use crate::source::SourceInteraction;
use crate::sums::Sums;
use crate::target::{Expectations, TargetSnapshot};
use crate::verdict::Bucket;

/// Calls that a thread looks at in one piece.
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
    pub(crate) also: BTreeSet<usize>,
    /// Whether a line for each recording is wanted.
    pub(crate) lines: bool,
    /// Sums that begin at nothing.
    pub(crate) sums: Sums,
}

/// Calls that are examined: where each stands in the source, what the source says of it, and the
/// conversations under their ids and under ids of no call.
pub(crate) type ExaminedCalls = (Vec<usize>, Vec<SourceInteraction>, Vec<TargetConversation>);

/// What came of it.
pub(crate) struct Triaged {
    /// Where each examined call stands in the source.
    cases: Vec<usize>,
    /// The examined calls.
    interactions: Vec<SourceInteraction>,
    /// Conversations under their ids, and under ids of no call of the source.
    ours: Vec<TargetConversation>,
    /// Whether a line for each recording is wanted.
    pub(crate) wants_lines: bool,
    /// Every call; those that are examined are not judged yet.
    pub(crate) columns: CallColumns,
    /// What the others come to.
    pub(crate) sums: Sums,
    pub(crate) practice: CommonPractice,
    /// Lines of their recordings.
    pub(crate) lines: RecordSorter<RecordingLine>,
    /// Recordings of all conversations of ours.
    pub(crate) target_recordings: u64,
    /// Seconds in which recordings begin that have no counterpart with their times, in calls that
    /// are let go; with the call's place in the source.
    unpaired: Vec<(i64, usize)>,
    /// Seconds in which recordings of examined conversations begin that have not the times of their
    /// pair.
    strange: BTreeSet<i64>,
    /// Seconds in which examined conversations begin that have not the times of their call.
    displaced: BTreeSet<i64>,
}

/// What the records of one id come to.
enum Looked {
    /// A call of the source, and whether it is examined.
    Call {
        row: CallRow,
        examined: Option<Box<(SourceInteraction, Vec<TargetConversation>)>>,
        lines: Vec<RecordingLine>,
        unpaired: Vec<i64>,
        strange: Vec<i64>,
        displaced: Vec<i64>,
    },
    /// Conversations of no call.
    Surplus(Vec<TargetConversation>),
}

/// Everything under one id, as it is kept.
#[derive(Default)]
struct Under {
    /// The call's place in the source. Absent: it has none.
    case: Option<usize>,
    source: Vec<Vec<u8>>,
    target: Vec<Vec<u8>>,
}

impl Triage<'_> {
    pub(crate) async fn run(
        &self,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Triaged, RunError> {
        progress.begin(Stage::Checks, Some(self.expectations.interactions.listed()));
        let mut triaged = Triaged {
            cases: Vec::new(),
            interactions: Vec::new(),
            ours: Vec::new(),
            wants_lines: self.lines,
            columns: CallColumns::default(),
            sums: self.sums.clone(),
            practice: CommonPractice::default(),
            lines: RecordSorter::new(folder),
            target_recordings: 0,
            unpaired: Vec::new(),
            strange: BTreeSet::new(),
            displaced: BTreeSet::new(),
        };
        let mut ids = Ids::new(
            self.expectations.interactions.kept(),
            self.target.ours.kept(),
        );
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS);
        loop {
            let under = (&mut ids)
                .take(threads * PIECE)
                .collect::<Result<Vec<Under>, RunError>>()?;
            if under.is_empty() {
                return Ok(triaged);
            }
            let pieces: Vec<Piece> = std::thread::scope(|scope| {
                let work: Vec<_> = under
                    .chunks(PIECE)
                    .map(|piece| scope.spawn(|| self.piece(piece)))
                    .collect();
                work.into_iter()
                    .map(|thread| {
                        thread.join().unwrap_or_else(|panic| {
                            std::panic::resume_unwind(panic);
                        })
                    })
                    .collect::<Result<_, RunError>>()
            })?;
            progress.advance(under.iter().filter(|under| under.case.is_some()).count() as u64);
            for piece in pieces {
                triaged.add(piece)?;
            }
            // Somebody may want to stop.
            tokio::task::yield_now().await;
        }
    }

    fn piece(&self, under: &[Under]) -> Result<Piece, RunError> {
        let mut piece = Piece {
            sums: self.sums.clone(),
            ..Piece::default()
        };
        for under in under {
            let looked = self.look(under, &mut piece)?;
            piece.looked.push((under.case, looked));
        }
        Ok(piece)
    }

    fn look(&self, under: &Under, piece: &mut Piece) -> Result<Looked, RunError> {
        let conversations = under
            .target
            .iter()
            .map(|record| read(record))
            .collect::<Result<Vec<TargetConversation>, RunError>>()?;
        piece.target_recordings += conversations
            .iter()
            .map(|conversation| conversation.read_recordings().len() as u64)
            .sum::<u64>();
        let Some(case) = under.case else {
            return Ok(Looked::Surplus(conversations));
        };
        let interaction = SourceInteraction::read(&under.source)?;
        let deriving = &self.expectations.deriving;
        let mut expected = self.expectations.unheard(&interaction);
        let pairing = pair_alone(&expected, &conversations);
        let examined =
            |expected: &Expectation, conversations: Vec<TargetConversation>, piece: &mut Piece| {
                if let [only] = conversations.as_slice() {
                    piece.practice.add_examined(expected, only, deriving.rules);
                }
                Looked::Call {
                    row: CallRow::unjudged(expected),
                    strange: strange(expected, &pairing, &conversations),
                    displaced: displaced(expected, &conversations),
                    examined: Some(Box::new((interaction.clone(), conversations))),
                    lines: Vec::new(),
                    unpaired: Vec::new(),
                }
            };
        if conversations.len() > 1 || self.is_chosen(case, &interaction, &expected) {
            return Ok(examined(&expected, conversations, piece));
        }
        forgive_expired(
            std::slice::from_mut(&mut expected),
            std::slice::from_ref(&pairing),
            &conversations,
            deriving.rules,
        );
        let judged = self.judge(&expected, &pairing, &conversations);
        let conversation = conversations.first();
        if !is_right(&expected, &pairing, conversation, &judged)
            || is_absence_heard(&interaction, &expected, &pairing)
        {
            return Ok(examined(&expected, conversations, piece));
        }
        if let Some(conversation) = conversation
            && piece
                .practice
                .add(case, &expected, conversation, deriving.rules)
        {
            return Ok(examined(&expected, conversations, piece));
        }
        let call = JudgedCall {
            interaction: &interaction,
            expected: &expected,
            pairing: &pairing,
            conversation,
            judged: &judged,
            compared: &[],
        };
        piece.sums.add(&call);
        Ok(Looked::Call {
            row: CallRow::of(&expected, &judged, |_| false),
            examined: None,
            lines: if self.lines {
                lines_of_call(&call, |_| None)
            } else {
                Vec::new()
            },
            unpaired: unpaired(&expected, &pairing, conversation),
            strange: Vec::new(),
            displaced: Vec::new(),
        })
    }

    /// Whether a call is examined whatever it looks like.
    fn is_chosen(
        &self,
        case: usize,
        interaction: &SourceInteraction,
        expected: &Expectation,
    ) -> bool {
        let named = &self.target.named;
        let is_heard = match &self.listening {
            Listening::Nobody => false,
            Listening::To(cases) => cases.contains(&case),
            Listening::Everybody => audible(interaction, expected).next().is_some(),
        };
        is_heard
            || self.also.contains(&case)
            || named.calls.contains(&expected.legacy_id)
            || !named.recordings.is_empty()
                && expected
                    .recordings
                    .iter()
                    .any(|recording| named.recordings.contains(&recording.legacy_id))
    }

    fn judge(
        &self,
        expected: &Expectation,
        pairing: &Pairing,
        conversations: &[TargetConversation],
    ) -> Judged {
        let target = self.target;
        let (sounds, stored) = (
            vec![TargetSound::NotRead; expected.recordings.len()],
            vec![None; expected.recordings.len()],
        );
        judge(&Evidence {
            expected,
            pairing,
            ours: conversations,
            sounds: &sounds,
            stored: &stored,
            hidden: target.why_hidden(&expected.legacy_id),
            misplaced: target.misplaced.get(&expected.legacy_id),
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

/// Whether a call is right by its own records, and no other call's can be its own.
fn is_right(
    expected: &Expectation,
    pairing: &Pairing,
    conversation: Option<&TargetConversation>,
    judged: &Judged,
) -> bool {
    let is_wrong = |bucket: &Bucket| matches!(bucket, Bucket::Different | Bucket::Missing);
    let is_found = match conversation {
        // Its conversation may carry another id.
        None => expected.presence != Presence::Expected,
        // It may be another call's under this one's id.
        Some(conversation) => expected.span.is_none() || has_times_of(expected, conversation),
    };
    is_found
        && judged.findings.is_empty()
        && judged.extra == 0
        && !judged.buckets.iter().any(is_wrong)
        && pairing.unpaired.is_empty()
        && pairs(expected, pairing, conversation)
            .all(|(recording, actual)| actual.is_none_or(|actual| same_times(recording, actual)))
}

/// Whether the sound of something absent is listened to, because only it tells whether it may be.
fn is_absence_heard(
    interaction: &SourceInteraction,
    expected: &Expectation,
    pairing: &Pairing,
) -> bool {
    audible(interaction, expected).any(|at| pairing.recordings[at].is_none())
}

fn pairs<'a>(
    expected: &'a Expectation,
    pairing: &'a Pairing,
    conversation: Option<&'a TargetConversation>,
) -> impl Iterator<Item = (&'a ExpectedRecording, Option<&'a TargetRecording>)> {
    let there = conversation
        .map(TargetConversation::read_recordings)
        .unwrap_or_default();
    let recordings = expected.recordings.iter().zip(&pairing.recordings);
    recordings.map(move |(recording, at)| (recording, at.and_then(|at| there.get(at))))
}

/// Seconds in which recordings of a call begin that have no counterpart in the target.
fn unpaired(
    expected: &Expectation,
    pairing: &Pairing,
    conversation: Option<&TargetConversation>,
) -> Vec<i64> {
    pairs(expected, pairing, conversation)
        .filter(|(_, actual)| actual.is_none())
        .filter_map(|(recording, _)| Some(recording.span?.start.ms().div_euclid(1000)))
        .collect()
}

fn second(of: &TimeReading) -> Option<i64> {
    Some(of.instant()?.ms().div_euclid(1000))
}

/// Seconds in which recordings of a call's conversations begin that have not the times of their
/// pair.
fn strange(
    expected: &Expectation,
    pairing: &Pairing,
    conversations: &[TargetConversation],
) -> Vec<i64> {
    let is_as_its_pair = |conversation: usize, at: usize, actual: &TargetRecording| {
        let mut pairs = expected.recordings.iter().zip(&pairing.recordings);
        pairing.conversation == Some(conversation)
            && pairs.any(|(recording, pair)| *pair == Some(at) && same_times(recording, actual))
    };
    let mut seconds = Vec::new();
    for (place, conversation) in conversations.iter().enumerate() {
        for (at, actual) in conversation.read_recordings().iter().enumerate() {
            if !is_as_its_pair(place, at, actual) {
                seconds.extend(second(&actual.start));
            }
        }
    }
    seconds
}

/// Seconds in which a call's conversations begin that have not its times.
fn displaced(expected: &Expectation, conversations: &[TargetConversation]) -> Vec<i64> {
    let others = conversations
        .iter()
        .filter(|conversation| !has_times_of(expected, conversation));
    others
        .filter_map(|conversation| second(&conversation.start))
        .collect()
}

/// What one thread has looked at.
#[derive(Default)]
struct Piece {
    looked: Vec<(Option<usize>, Looked)>,
    sums: Sums,
    practice: CommonPractice,
    target_recordings: u64,
}

impl Triaged {
    fn add(&mut self, piece: Piece) -> Result<(), RunError> {
        self.sums.merge(piece.sums);
        self.practice.merge(piece.practice);
        self.target_recordings += piece.target_recordings;
        for (case, looked) in piece.looked {
            match (case, looked) {
                (
                    Some(case),
                    Looked::Call {
                        row,
                        examined,
                        lines,
                        unpaired,
                        strange,
                        displaced,
                    },
                ) => {
                    self.columns.push(&row);
                    self.add_lines(case, &lines)?;
                    self.unpaired
                        .extend(unpaired.into_iter().map(|second| (second, case)));
                    self.strange.extend(strange);
                    self.displaced.extend(displaced);
                    if let Some(examined) = examined {
                        let (interaction, conversations) = *examined;
                        self.cases.push(case);
                        self.interactions.push(interaction);
                        self.ours.extend(conversations);
                    }
                }
                (_, Looked::Surplus(conversations)) => self.ours.extend(conversations),
                (None, Looked::Call { .. }) => {}
            }
        }
        Ok(())
    }

    /// They are left out from then on.
    pub(crate) fn take_examined(&mut self) -> ExaminedCalls {
        (
            std::mem::take(&mut self.cases),
            std::mem::take(&mut self.interactions),
            std::mem::take(&mut self.ours),
        )
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

    /// Calls that were let go, and have to be examined after all by what else there is.
    pub(crate) fn after_all(&self) -> BTreeSet<usize> {
        let near = |seconds: &BTreeSet<i64>| -> HashSet<i64> {
            seconds
                .iter()
                .flat_map(|second| second - 1..=second + 1)
                .collect()
        };
        let strange = near(&self.strange);
        let unpaired = self
            .unpaired
            .iter()
            .filter(|(second, _)| strange.contains(second))
            .map(|(_, case)| *case);
        let displaced = near(&self.displaced);
        let begins_there = |case: &usize| {
            let start = self.columns.start_ms(*case);
            start.is_some_and(|start| displaced.contains(&start.div_euclid(1000)))
        };
        let all = if displaced.is_empty() {
            0..0
        } else {
            0..self.columns.len()
        };
        let beside = all
            .filter(begins_there)
            .filter(|case| self.cases.binary_search(case).is_err());
        unpaired
            .chain(beside)
            .chain(self.practice.exceptions().iter().copied())
            .collect()
    }
}

/// Joins both sides by their keys.
struct Ids<'a> {
    source: std::iter::Peekable<Merge<'a>>,
    target: std::iter::Peekable<Merge<'a>>,
    next_case: usize,
}

impl<'a> Ids<'a> {
    fn new(source: Merge<'a>, target: Merge<'a>) -> Ids<'a> {
        Ids {
            source: source.peekable(),
            target: target.peekable(),
            next_case: 0,
        }
    }
}

/// Takes the next record, where it is wanted; an error always is.
fn next_if(
    records: &mut std::iter::Peekable<Merge<'_>>,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Option<Kept>, RunError> {
    records
        .next_if(|record| {
            record
                .as_ref()
                .map_or(true, |record| is_wanted(&record.key))
        })
        .transpose()
}

impl Iterator for Ids<'_> {
    type Item = Result<Under, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = match self.source.peek() {
            Some(Ok(kept)) => Some(kept.key.clone()),
            Some(Err(_)) => return self.source.next()?.err().map(Err),
            None => None,
        };
        self.under(source).transpose()
    }
}

impl Ids<'_> {
    /// `key`: of the next call of the source. Absent: there is none left.
    fn under(&mut self, key: Option<Vec<u8>>) -> Result<Option<Under>, RunError> {
        let is_before = |target: &[u8]| match &key {
            Some(key) => target < key.as_slice(),
            None => true,
        };
        let mut under = Under::default();
        if let Some(record) = next_if(&mut self.target, is_before)? {
            under.target.push(record.record);
            return Ok(Some(under));
        }
        let Some(key) = key else {
            return Ok(None);
        };
        while let Some(record) = next_if(&mut self.source, |other| other == key)? {
            under.source.push(record.record);
        }
        while let Some(record) = next_if(&mut self.target, |other| other.starts_with(&key))? {
            under.target.push(record.record);
        }
        under.case = Some(self.next_case);
        self.next_case += 1;
        Ok(Some(under))
    }
}
