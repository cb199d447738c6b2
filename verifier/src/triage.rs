//! Which calls have to be looked at together. A call that is right by its own records, and on which
//! no other call depends, is counted and let go; the others are examined as a whole, with all that
//! is in the target under ids of no call. So memory grows with what is wrong, not with what there
//! is.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::path::Path;

use parking_lot::Mutex;

use crate::checks::presence::{Evidence, Judged, judge};
use crate::columns::{CallColumns, CallRow};
use crate::expected::{Expectation, ExpectedRecording, Presence};
use crate::expired::forgive_expired;
use crate::habits::{AtDesks, CommonPractice};
use crate::judged_call::JudgedCall;
use crate::matching::{Pairing, has_times_of, pair_alone, same_times};
use crate::observed::{TargetConversation, TargetRecording, TimeReading};
use crate::options::{Progress, Stage};
use crate::refill::refill;
use crate::report::{RecordingLine, lines_of_call};
use crate::run_error::RunError;
use crate::sorted_records::{Merge, RecordSorter, StoredRecord};
use crate::source::SourceInteraction;
use crate::sums::Sums;
use crate::target::{Expectations, TargetSnapshot};
use crate::verdict::Bucket;

/// Ids that a thread looks at in one piece; fewer where their records are long. Bytes.
const PIECE: usize = 1024;
const PIECE_BYTES: usize = 4 << 20;
/// Pieces of a thread before it is seen whether somebody wants to stop: a tenth of a second.
const PIECES: usize = 32;
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
    pub(crate) at_desks: AtDesks<'a>,
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

/// What a thread has decided of a piece: all that is said of [`Triaged`] says it of these calls.
#[derive(Default)]
struct Decided {
    /// Place among the pieces.
    piece: usize,
    columns: CallColumns,
    sums: Sums,
    practice: CommonPractice,
    /// Each with its call's place in the source.
    lines: Vec<(usize, Vec<RecordingLine>)>,
    target_recordings: u64,
    examined: ExaminedCalls,
    unpaired: Vec<(i64, usize)>,
    mispaired: Vec<i64>,
    displaced: Vec<i64>,
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
        let ids = Mutex::new(JoinedById::new(
            interactions.stored()?,
            self.target.ours.stored()?,
        ));
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS);
        loop {
            let mut decided: Vec<Decided> = std::thread::scope(|scope| {
                let work: Vec<_> = (0..threads)
                    .map(|_| scope.spawn(|| self.decide_pieces(&ids)))
                    .collect();
                let pieces = work.into_iter().map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                });
                pieces.collect::<Result<Vec<Vec<Decided>>, RunError>>()
            })?
            .into_iter()
            .flatten()
            .collect();
            if decided.is_empty() {
                return Ok(triaged);
            }
            decided.sort_unstable_by_key(|decided| decided.piece);
            for decided in decided {
                progress.advance(decided.columns.len() as u64);
                triaged.add(decided)?;
            }
            // Somebody may want to stop.
            tokio::task::yield_now().await;
        }
    }

    /// What one thread of several does: some pieces, each whenever it is free.
    fn decide_pieces(&self, ids: &Mutex<JoinedById<'_>>) -> Result<Vec<Decided>, RunError> {
        let (mut all, mut piece, mut held) = (Vec::new(), Piece::default(), Held::default());
        while all.len() < PIECES {
            ids.lock().fill(&mut piece)?;
            if piece.ids.is_empty() {
                break;
            }
            all.push(self.decide_all(&piece, &mut held)?);
        }
        Ok(all)
    }

    fn decide_all(&self, piece: &Piece, held: &mut Held) -> Result<Decided, RunError> {
        let mut decided = Decided {
            piece: piece.nth,
            sums: self.sums.clone(),
            ..Decided::default()
        };
        for id in &piece.ids {
            self.decide(piece, id, held, &mut decided)?;
        }
        Ok(decided)
    }

    fn decide(
        &self,
        piece: &Piece,
        id: &RecordsOfId,
        held: &mut Held,
        decided: &mut Decided,
    ) -> Result<(), RunError> {
        held.read(piece, id)?;
        let Held {
            interaction,
            conversations,
        } = held;
        decided.target_recordings += conversations
            .iter()
            .map(|conversation| conversation.read_recordings().len() as u64)
            .sum::<u64>();
        let Some(case) = id.case else {
            decided.examined.ours.append(conversations);
            return Ok(());
        };
        let rules = self.expectations.deriving.rules;
        let mut expected = self.expectations.unheard(interaction);
        let pairing = pair_alone(&expected, conversations);
        forgive_expired(
            std::slice::from_mut(&mut expected),
            std::slice::from_ref(&pairing),
            conversations,
            rules,
        );
        let call = Candidate {
            case,
            interaction,
            expected: &expected,
            pairing: &pairing,
            conversations,
        };
        if self.let_go(&call, decided) {
            return Ok(());
        }
        if let [only] = conversations.as_slice() {
            decided.practice.add_examined(&expected, only, rules);
        }
        decided.columns.push(&CallRow::unjudged(&expected));
        decided.mispaired.extend(call.mispaired());
        decided.displaced.extend(call.displaced());
        decided.examined.cases.push(case);
        let interaction = std::mem::take(interaction);
        decided.examined.interactions.push(interaction);
        decided.examined.ours.append(conversations);
        Ok(())
    }

    /// Counts a call that is right by its own records, and on which no other depends. `false`: it is
    /// to be examined, and nothing was counted.
    fn let_go(&self, call: &Candidate<'_>, decided: &mut Decided) -> bool {
        let is_one = call.conversations.len() <= 1;
        if !is_one || self.is_chosen(call) || call.has_absence_to_hear() {
            return false;
        }
        let judged = self.judge(call);
        let conversation = call.conversations.first();
        if !call.is_right(&judged) {
            return false;
        }
        if let Some(conversation) = conversation
            && !decided.practice.add(
                call.case,
                call.expected,
                conversation,
                self.expectations.deriving.rules,
                &self.at_desks,
            )
        {
            return false;
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
        let row = CallRow::of(call.expected, judged.judged, |_| false);
        decided.columns.push(&row);
        if self.wants_lines {
            let lines = lines_of_call(&judged, |_| None);
            decided.lines.push((call.case, lines));
        }
        let unpaired = call.unpaired().map(|second| (second, call.case));
        decided.unpaired.extend(unpaired);
        true
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
            !named.recordings.is_empty() && named.recordings.contains(recording.legacy_id.as_str())
        };
        is_heard
            || self.further.contains(&call.case)
            || named.calls.contains(call.expected.legacy_id.as_str())
            || call.expected.recordings.iter().any(is_named)
    }

    fn judge(&self, call: &Candidate<'_>) -> Judged {
        judge(&Evidence {
            expected: call.expected,
            pairing: call.pairing,
            ours: call.conversations,
            sounds: &[],
            stored: &[],
            hidden: self.target.why_hidden(&call.expected.legacy_id),
            misplaced: self.target.misplaced.get(call.expected.legacy_id.as_str()),
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
    fn unpaired(&self) -> impl Iterator<Item = i64> {
        self.pairs()
            .filter(|(_, actual)| actual.is_none())
            .filter_map(|(recording, _)| Some(recording.span?.start.seconds()))
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
        self.columns.append(&decided.columns);
        self.sums.merge(decided.sums);
        self.practice.merge(decided.practice);
        for (case, lines) in decided.lines {
            self.add_lines(case, &lines)?;
        }
        self.target_recordings += decided.target_recordings;
        self.examined.cases.extend(decided.examined.cases);
        let interactions = decided.examined.interactions;
        self.examined.interactions.extend(interactions);
        self.examined.ours.extend(decided.examined.ours);
        self.unpaired.extend(decided.unpaired);
        self.mispaired.extend(decided.mispaired);
        self.displaced.extend(decided.displaced);
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

/// What a thread has read last: the next one is read into its memory.
#[derive(Default)]
struct Held {
    interaction: SourceInteraction,
    conversations: Vec<TargetConversation>,
}

impl Held {
    /// What is under an id. Where no call has it, the interaction stays as it is.
    fn read(&mut self, piece: &Piece, id: &RecordsOfId) -> Result<(), RunError> {
        self.conversations
            .resize_with(id.target.len(), TargetConversation::default);
        let stored = piece.records(&id.target);
        for (conversation, record) in self.conversations.iter_mut().zip(stored) {
            refill(conversation, record)?;
        }
        match id.case {
            Some(_) => self.interaction.read_in_place(piece.records(&id.source)),
            None => Ok(()),
        }
    }
}

/// Everything under some ids, as it is stored: one record behind the other.
#[derive(Default)]
struct Piece {
    /// Its place among all pieces.
    nth: usize,
    ids: Vec<RecordsOfId>,
    bytes: Vec<u8>,
    /// Where each record ends.
    ends: Vec<usize>,
}

/// Everything under one id, by places in a piece.
struct RecordsOfId {
    /// The call's place in the source. Absent: no call has the id.
    case: Option<usize>,
    source: Range<usize>,
    target: Range<usize>,
}

impl Piece {
    fn clear(&mut self) {
        self.ids.clear();
        self.bytes.clear();
        self.ends.clear();
    }

    fn add(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    fn records(&self, places: &Range<usize>) -> impl Iterator<Item = &[u8]> {
        places.clone().map(|at| {
            let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[begin..self.ends[at]]
        })
    }
}

/// Joins both sides by their keys.
struct JoinedById<'a> {
    source: Merge<'a>,
    target: Merge<'a>,
    next_case: usize,
    next_piece: usize,
    /// Of the call that is joined.
    key: Vec<u8>,
}

impl<'a> JoinedById<'a> {
    fn new(source: Merge<'a>, target: Merge<'a>) -> JoinedById<'a> {
        JoinedById {
            source,
            target,
            next_case: 0,
            next_piece: 0,
            key: Vec::new(),
        }
    }

    /// The next piece, in the place of another. Without ids: there is none left.
    fn fill(&mut self, piece: &mut Piece) -> Result<(), RunError> {
        piece.clear();
        piece.nth = self.next_piece;
        self.next_piece += 1;
        while piece.ids.len() < PIECE && piece.bytes.len() < PIECE_BYTES {
            let Some(id) = self.next_id(piece)? else {
                break;
            };
            piece.ids.push(id);
        }
        Ok(())
    }

    /// Takes what is under the next id.
    fn next_id(&mut self, piece: &mut Piece) -> Result<Option<RecordsOfId>, RunError> {
        let first = piece.ends.len();
        let source = self.source.peek();
        let is_surplus =
            |target: &StoredRecord<'_>| source.is_none_or(|source| target.key < source.key);
        if let Some(target) = self.target.peek().filter(is_surplus) {
            piece.add(target.record);
            self.target.advance()?;
            return Ok(Some(RecordsOfId {
                case: None,
                source: first..first,
                target: first..first + 1,
            }));
        }
        let Some(source) = source else {
            return Ok(None);
        };
        source.key.clone_into(&mut self.key);
        while let Some(record) = self.source.peek().filter(|other| other.key == self.key) {
            piece.add(record.record);
            self.source.advance()?;
        }
        let target = piece.ends.len();
        while let Some(record) = self
            .target
            .peek()
            .filter(|other| other.key.starts_with(&self.key))
        {
            piece.add(record.record);
            self.target.advance()?;
        }
        let case = self.next_case;
        self.next_case += 1;
        Ok(Some(RecordsOfId {
            case: Some(case),
            source: first..target,
            target: target..piece.ends.len(),
        }))
    }
}
