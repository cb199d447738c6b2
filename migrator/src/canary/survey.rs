//! What there is to choose from. The listing tells shape, age and direction of every call; codec,
//! retention class, pauses and hold stand in each recording's own answer, and those are read for
//! some.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use plan::Partial;
use platforms::CallError;

use super::choose::{Age, Candidate, Feature};
use crate::canonical::{Canonical, CanonicalRecording};
use crate::engine::Run;
use crate::error::{RunError, StepError};
use crate::ledger::InteractionRow;
use crate::options::Options;
use crate::source::registry::format_of;
use crate::stage;

/// Candidates read for each recording wanted: enough that what one call in fifty has is met, as a
/// rule.
const PER_RECORDING: usize = 50;
/// And never fewer: at a request each, a minute or two of the source's time.
const LEAST: usize = 500;
/// Of each kind the listing tells, so many are looked at in any case; the first of a kind may be
/// one that stays behind.
const OF_A_KIND: usize = 3;
/// Rows read from the ledger at once.
const ROWS: u32 = 500;

/// What was looked at.
pub(super) struct Looked {
    pub(super) candidates: Vec<Candidate>,
    /// Interactions whose recordings' own answers were read.
    pub(super) looked_at: u64,
    /// Interactions with recordings that may still go, by the listing alone.
    pub(super) of: u64,
}

/// Ends with what a person asked for.
pub(super) fn go_on(options: &Options) -> Result<(), RunError> {
    if options
        .interrupt
        .as_ref()
        .is_some_and(|interrupt| *interrupt.borrow())
    {
        Err(RunError::Interrupted)
    } else {
        Ok(())
    }
}

pub(super) async fn survey(
    run: &Run,
    options: &Options,
    keep: &BTreeSet<i64>,
    wanted: usize,
) -> Result<Looked, RunError> {
    let (seqs, kinds) = listed(run, options).await?;
    let most = LEAST.max(wanted.saturating_mul(PER_RECORDING));
    let mut picked: BTreeSet<i64> = spread(&seqs, most).collect();
    picked.extend(kinds.into_values().flatten());
    picked.extend(keep.iter().filter(|seq| seqs.binary_search(seq).is_ok()));
    let picked: Vec<i64> = picked.into_iter().collect();
    let (mut candidates, mut looked_at) = (Vec::new(), 0);
    for some in picked.chunks(ROWS as usize) {
        let rows = answered(run, options, run.context.ledger.these(some.to_vec()).await?).await?;
        looked_at += rows.len() as u64;
        candidates.extend(rows.iter().filter_map(|row| candidate(run, row)));
    }
    Ok(Looked {
        candidates,
        looked_at,
        of: seqs.len() as u64,
    })
}

/// At most so many of them, evenly over all.
fn spread(seqs: &[i64], most: usize) -> impl Iterator<Item = i64> {
    let count = most.min(seqs.len());
    (0..count).map(move |at| seqs[at * seqs.len() / count])
}

/// Every interaction that may go by what the listing says, in extraction order, and the first few
/// of each kind.
async fn listed(
    run: &Run,
    options: &Options,
) -> Result<(Vec<i64>, BTreeMap<Feature, Vec<i64>>), RunError> {
    let (mut seqs, mut kinds, mut after) = (Vec::new(), BTreeMap::<Feature, Vec<i64>>::new(), 0);
    loop {
        go_on(options)?;
        let rows = run
            .context
            .ledger
            .sendable_after(after, ROWS, run.context.plan.hash.clone())
            .await?;
        let Some(last) = rows.last() else {
            return Ok((seqs, kinds));
        };
        after = last.seq;
        for row in rows.iter().filter(|row| !row.recordings.is_empty()) {
            let record = format_of(&run.context.plan)
                .listed(&row.entity, &run.context.plan.plan.time)
                .ok();
            let Some(record) = record.filter(|record| run.context.resolver.resolve(record).is_ok())
            else {
                continue;
            };
            seqs.push(row.seq);
            for feature in of_call(&record, row.recordings.len(), run.context.clock.now()) {
                let first = kinds.entry(feature).or_default();
                if first.len() < OF_A_KIND {
                    first.push(row.seq);
                }
            }
        }
    }
}

/// The rows with every recording's answer; what cannot be read is left out. Answers are kept, so
/// that none is read for this twice.
async fn answered(
    run: &Run,
    options: &Options,
    rows: Vec<InteractionRow>,
) -> Result<Vec<InteractionRow>, RunError> {
    go_on(options)?;
    let reads = stream::iter(rows).map(|row| async move { (peek(run, &row).await, row) });
    let read: Vec<_> = reads.buffered(run.workers(options)).collect().await;
    let (mut whole, mut answers) = (Vec::new(), Vec::new());
    for (peeked, mut row) in read {
        match peeked {
            Ok(peeked) => {
                for (at, answer) in peeked {
                    answers.push((row.recordings[at].seq, answer.clone()));
                    row.recordings[at].answer = Some(answer);
                }
                whole.push(row);
            }
            Err(
                StepError::Run(stop)
                | StepError::InteractionFailed(
                    stop @ RunError::Source(CallError::Unreachable { answered: None, .. }),
                ),
            ) => {
                return Err(stop);
            }
            Err(StepError::InteractionFailed(why)) => {
                tracing::warn!("interaction {} is no candidate: {why}", row.legacy_id)
            }
            Err(
                StepError::SetAside(_)
                | StepError::Unrepairable(_)
                | StepError::StagedObjectMissing
                | StepError::Superseded
                | StepError::RetryLater,
            ) => {}
        }
    }
    run.context.ledger.keep_answers(answers).await?;
    Ok(whole)
}

/// Answers that the ledger does not have yet, each with its recording's place.
async fn peek(run: &Run, row: &InteractionRow) -> Result<Vec<(usize, String)>, StepError> {
    let mut answers = Vec::new();
    for (at, recording) in row
        .recordings
        .iter()
        .enumerate()
        .filter(|(_, recording)| recording.answer.is_none())
    {
        answers.push((
            at,
            stage::peek_recording(&*run.source, &row.legacy_id, &recording.legacy_id).await?,
        ));
    }
    Ok(answers)
}

/// What a row is to a canary; `None` where it would stay behind, as far as can be known without its
/// audio.
fn candidate(run: &Run, row: &InteractionRow) -> Option<Candidate> {
    let record = run.context.prepare(row).ok()?.record;
    let now = run.context.clock.now();
    let excluded = |recording: &CanonicalRecording| {
        run.context
            .plan
            .exclusion(crate::legacy_id::key(&recording.legacy_recording_id))
            .is_some()
    };
    let bad = record
        .recordings
        .iter()
        .any(|recording| !recording.time_usable && !excluded(recording));
    if bad && run.context.plan.plan.rules.partial == Partial::Hold {
        return None;
    }
    let stays = |id: &str| {
        row.recordings
            .iter()
            .any(|recording| recording.legacy_id == id && recording.outcome.is_some())
    };
    let goes = |recording: &&CanonicalRecording| {
        recording.time_usable
            && !excluded(recording)
            && !stays(&recording.legacy_recording_id)
            && run
                .context
                .resolver
                .retention_exclusion(&record, recording, now)
                .is_none()
    };
    let going: Vec<&CanonicalRecording> = record.recordings.iter().filter(goes).collect();
    if going.is_empty() {
        return None;
    }
    let mut features: BTreeSet<Feature> = of_call(&record, record.recordings.len(), now).into();
    features.extend(going.iter().flat_map(|recording| of_recording(recording)));
    let legs = record
        .segments
        .iter()
        .filter_map(|segment| segment.agent_legacy_id.clone());
    let agents = legs.chain(record.agent_legacy_id.clone()).collect();
    Some(Candidate {
        seq: row.seq,
        recordings: going.len(),
        features,
        agents,
        start_ms: record.legacy_start_time.as_millisecond(),
    })
}

/// What the listing says of a call.
pub(super) fn of_call(record: &Canonical, recordings: usize, now: Timestamp) -> [Feature; 3] {
    [
        Feature::Shape {
            legs: record.segments.len(),
            recordings,
        },
        Feature::Age(age(record.legacy_start_time, now)),
        Feature::Direction(
            record
                .direction
                .as_ref()
                .map(|direction| direction.to_uppercase()),
        ),
    ]
}

/// What a recording's own answer says.
pub(super) fn of_recording(recording: &CanonicalRecording) -> [Feature; 4] {
    [
        Feature::Codec(recording.recording_format.clone()),
        Feature::Class(recording.retention_class.clone()),
        if recording.pauses_ms.is_empty() {
            Feature::Unpaused
        } else {
            Feature::Paused
        },
        if recording.legal_hold {
            Feature::Held
        } else {
            Feature::NotHeld
        },
    ]
}

fn age(start: Timestamp, now: Timestamp) -> Age {
    let ago = |months: i64| {
        now.to_zoned(TimeZone::UTC)
            .checked_sub(months.months())
            .map_or(Timestamp::MIN, |at| at.timestamp())
    };
    if start > ago(18) {
        Age::Young
    } else if start >= ago(60) {
        Age::Middle
    } else {
        Age::Old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_cut_at_one_and_a_half_and_at_five_years() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-21T00:00:00Z");
        for (start, expected) in [
            ("2026-11-20T00:00:00Z", Age::Young),
            ("2025-05-21T00:00:01Z", Age::Young),
            ("2025-05-21T00:00:00Z", Age::Middle),
            ("2021-11-21T00:00:00Z", Age::Middle),
            ("2021-11-20T23:59:59Z", Age::Old),
            ("1999-01-01T00:00:00Z", Age::Old),
        ] {
            assert_eq!(age(at(start), now), expected, "{start}");
        }
    }

    #[test]
    fn candidates_are_taken_evenly_over_the_whole_window() {
        let seqs: Vec<i64> = (1..=10).collect();
        for (most, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (3, vec![1, 4, 7]),
            (5, vec![1, 3, 5, 7, 9]),
            (99, seqs.clone()),
        ] {
            assert_eq!(spread(&seqs, most).collect::<Vec<_>>(), expected, "{most}");
        }
        assert_eq!(spread(&[], 5).count(), 0);
    }
}
