//! A verification from end to end: read both sides, let go of what is right, listen, judge, sum up.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

use crate::audio_compare::AudioComparer;
use crate::causes::Records;
use crate::cross_call::extra_conversation;
use crate::custody::Custody;
use crate::decoded_twice;
use crate::drift::Drifts;
use crate::envelope::Keys;
use crate::examined::{Examined, Others};
use crate::expected::{ExpectedRecording, Presence, Rules};
use crate::habits::at_desks;
use crate::holds;
use crate::in_flight::Rest;
use crate::join_recordings::JudgedRecording;
use crate::manifest::Manifest;
use crate::observed::TargetConversation;
use crate::options::{AudioScope, Jobs, Options, Progress, SourceFrom, Stage};
use crate::outcome::Outcome;
use crate::report::{
    EarlierReport, Report, lines_of_call, write_manifest_differences, write_recordings,
};
use crate::requests::{Allowance, Gates, Sizes};
use crate::run_error::RunError;
use crate::sample::Candidates;
use crate::saved_readings::SavedReadings;
use crate::source;
use crate::summarize::{Traffic, summarize};
use crate::sums::Sums;
use crate::target::{self, Asked, Deriving, Expectations, Platform};
use crate::totals::Totals;
use crate::triage::{ExaminedCalls, Triage, Triaged};
use crate::utc_millis::UtcMillis;

pub(crate) async fn run(
    loaded: &LoadedPlan,
    options: &Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    drifts: &Drifts,
    kept: &SavedReadings,
    progress: &dyn Progress,
) -> Result<Report, RunError> {
    let platform = target::platform(loaded);
    let folder = options
        .report_dir
        .clone()
        .unwrap_or_else(std::env::temp_dir);
    let HandedOver {
        totals,
        earlier,
        manifest,
        custody,
    } = HandedOver::read(loaded, options, &folder)?;
    let asked = options.clone();
    let second_decoders = clock
        .blocking(move || decoded_twice::decoders(&asked))
        .await
        .map_err(|error| RunError::Internal(format!("looking for a second decoder: {error}")))??;
    let rest = options.while_migrating.map(|rest| Rest {
        before: UtcMillis::from_ms(clock.now_ms())
            .plus_ms(-i64::try_from(rest.as_millis()).unwrap_or(i64::MAX)),
        seconds: rest.as_secs(),
    });
    let mut rules = Rules::new(
        loaded,
        platform.agent_table(loaded),
        platform.capabilities(),
    )?;
    let gates = Gates::new(
        transport,
        allowance(loaded, &*platform, options),
        drifts.clone(),
    );
    let source = source::open(loaded, options, &gates, &clock)?;
    target::check_options(loaded, options)?;
    let target = platform.open(loaded, options, &gates, &clock)?;
    let keys = Arc::new(Keys::read(loaded, &options.decryption_keys)?);

    let folder = options.spill_folder();
    let (interactions, extensions) = source::snapshot(
        &*source,
        options.only.as_ref(),
        options.concurrency,
        &folder,
        progress,
    )
    .await?;
    rules.extensions = extensions;
    let most_holds = holds::most(loaded, platform.holds_at_most());
    rules.holds_beyond = holds::behind(
        loaded,
        most_holds,
        &interactions,
        &rules,
        options.only.is_none(),
    )?;
    let mut needs = BTreeSet::new();
    rules.maximum = target.maximum_retention(&mut needs).await?;
    let expecting = |as_of: UtcMillis| Expectations {
        interactions: &interactions,
        deriving: Deriving {
            rules: &rules,
            platform: &*platform,
            as_of,
        },
    };
    let expectations = expecting(UtcMillis::from_ms(clock.now_ms()));
    let (sizes, candidates) = survey(&expectations, options)?;
    let announced = target
        .announce(sizes, loaded.plan.pace.requests_per_minute, &mut needs)
        .await?
        .without(kept.counts());
    if let Some(notice) = kept.notice() {
        progress.say(&notice);
    }
    progress.say(&announced.line());
    let asked = Asked {
        expectations: &expectations,
        folder: &folder,
        options,
        clock: &clock,
        kept,
    };
    let mut snapshot = target.snapshot(&asked, progress).await?;
    snapshot.needs.extend(needs);
    if let Some(rest) = &rest {
        snapshot.orphans.retain(|orphan| rest.has(orphan));
    }
    let named = snapshot.orphans.iter();
    let named = named.filter_map(|orphan| orphan.originating_id.as_ref().map(String::from));
    snapshot.named.recordings.extend(named);

    let expectations = expecting(UtcMillis::from_ms(clock.now_ms()));
    let zone = rules.site_zone.as_ref();
    let counter = totals.as_ref().map(|totals| totals.counter(zone));
    let wants_lines = options.report_dir.is_some()
        || earlier.is_some()
        || manifest.is_some()
        || custody.is_some();
    let (mut triaged, calls) = triage(
        &Triage {
            expectations,
            target: &snapshot,
            listening: candidates.listening(),
            further: BTreeSet::new(),
            wants_lines,
            sums: Sums::new(counter),
            at_desks: at_desks(&rules),
        },
        candidates,
        &folder,
        progress,
    )
    .await?;
    let comparer = AudioComparer {
        clock: clock.clone(),
        source,
        media: target.media(&calls.ours, options, &clock, loaded.plan.audio.max_bytes),
        rules: Arc::new(rules.clone()),
        keys,
        concurrency: options.concurrency,
        second_decoders: second_decoders.into(),
    };
    let mut examined = Examined::new(
        expectations,
        &calls,
        &snapshot,
        options.only.is_some(),
        rest,
    );
    let mut heard = examined.listen(&comparer, options, progress).await?;
    let mut unmatched = examined.unmatched_fingerprints(&comparer).await?;
    examined
        .pair_by_sound(&comparer, &mut heard, &mut unmatched, progress)
        .await?;
    progress.begin(Stage::Checks, None);
    let others = Others {
        columns: &mut triaged.columns,
        practice: &triaged.practice,
    };
    let found = examined.judge(&heard, &unmatched, others)?;
    found.each(&examined, &heard, |at, call| {
        triaged.sums.add(call);
        if wants_lines {
            let lines = lines_of_call(call, |recording| heard.get(&(at, recording)));
            triaged.add_lines(calls.cases[at], &lines)?;
        }
        Ok(())
    })?;
    let twice = options
        .decode_twice
        .map(|wanted| decoded_twice::count(wanted, &found.expectations, &heard));
    if let Some(broken) = triaged.sums.broken.take() {
        return Err(RunError::Internal(broken));
    }
    let lines = triaged.lines.sorted()?;
    let judged = || lines.iter().map(|line| line.map(JudgedRecording::from));
    let manifest = manifest
        .map(|manifest| manifest.compare(loaded, judged(), &folder))
        .transpose()?;
    let custody = custody
        .map(|custody| custody.compare(judged()))
        .transpose()?;
    let is_right = found.judged.iter().all(|judged| judged.findings.is_empty())
        && custody.iter().all(|(_, findings)| findings.is_empty());
    let records = match is_right {
        true => Records::default(),
        false => Records::of(&expectations, &triaged.columns)?,
    };
    let extra: Vec<&TargetConversation> = found.extra.iter().map(|at| &calls.ours[*at]).collect();
    let on_extra = extra
        .iter()
        .map(|extra| extra.read_recordings().len() as u64);
    let sums = triaged.sums;
    let outcome = Outcome {
        extra_recordings: on_extra.sum::<u64>() + found.reconciled.files,
        extra_conversations: extra
            .into_iter()
            .map(extra_conversation)
            .chain(found.reconciled.findings)
            .collect(),
        findings: found
            .judged
            .into_iter()
            .flat_map(|judged| judged.findings)
            .collect(),
        records,
        policies: found.reconciled.policies,
        target_interactions: snapshot.ours.len(),
        target_recordings: triaged.target_recordings,
        needs: snapshot
            .needs
            .iter()
            .cloned()
            .chain(found.reconciled.needs)
            .collect(),
        site_zone_known: rules.site_zone.is_some(),
        audio: options.audio,
        only: options.only.as_ref().map(|only| only.len() as u64),
        staged: options.source == SourceFrom::Staged,
        holds: sums.holds.told(most_holds),
        totals: totals
            .zip(sums.counter.as_ref())
            .map(|(totals, counter)| totals.compare(loaded, counter)),
        manifest: manifest.as_ref().map(|manifest| manifest.compared.clone()),
        custody,
        in_flight: found.in_flight,
        stores: platform.stores(&snapshot),
        sums,
    };
    if let Some(dir) = &options.report_dir {
        write_recordings(dir, lines.iter())?;
        let differences = manifest.as_ref().map(|manifest| &manifest.differences);
        write_manifest_differences(dir, differences)?;
    }
    let traffic = Traffic {
        sent: gates.log.sent(),
        announced,
        drift: drifts.lines(),
        jobs: options.jobs,
        kept: kept.notice(),
    };
    let compared = earlier
        .map(|earlier| earlier.recordings(lines.iter()))
        .transpose()?;
    let mut report = summarize(outcome, &*platform, &traffic)?;
    if let Some(twice) = twice {
        report.tell_decoded_twice(twice);
    }
    if let Some(compared) = compared {
        report.hold_against(compared);
    }
    Ok(report)
}

/// What the calls come to that are let go, and those that are examined. The pass is made again where
/// an examined call asks for one that was let go, or where the sample has too few recordings in the
/// target.
async fn triage(
    triage: &Triage<'_>,
    mut candidates: Candidates,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(Triaged, ExaminedCalls), RunError> {
    let mut triage = triage.clone();
    loop {
        let mut triaged = triage.run(folder, progress).await?;
        let asked_for = triaged.asked_for_by_examined();
        if !asked_for.is_empty() {
            triage.further.extend(asked_for);
            continue;
        }
        let calls = triaged.take_examined();
        let (expectations, target) = (triage.expectations, triage.target);
        let there = || Examined::new(expectations, &calls, target, false, None).audible();
        let Some(wider) = candidates.widened(there, &expectations)? else {
            return Ok((triaged, calls));
        };
        candidates = wider;
        triage.listening = candidates.listening();
    }
}

/// What the caller names beside the plan. Absent: it was not named.
struct HandedOver {
    totals: Option<Totals>,
    earlier: Option<EarlierReport>,
    manifest: Option<Manifest>,
    custody: Option<Custody>,
}

impl HandedOver {
    /// Read before anything is asked, so that a file that is wrong costs no request. `folder`: where
    /// room is for what does not fit in memory.
    fn read(loaded: &LoadedPlan, options: &Options, folder: &Path) -> Result<HandedOver, RunError> {
        refuse_contradictions(options)?;
        let namespace = &loaded.plan.identity.namespace;
        Ok(HandedOver {
            totals: options.totals.as_deref().map(Totals::read).transpose()?,
            earlier: options
                .against
                .as_deref()
                .map(|dir| EarlierReport::read(dir, namespace, &loaded.hash))
                .transpose()?,
            manifest: options
                .manifest
                .as_ref()
                .map(|manifest| Manifest::read(manifest, folder))
                .transpose()?,
            custody: options
                .custody
                .as_deref()
                .map(|path| Custody::read(path, folder))
                .transpose()?,
        })
    }
}

/// Choices that say two things at once.
fn refuse_contradictions(options: &Options) -> Result<(), RunError> {
    let whole = [
        (options.totals.is_some(), "control totals count every call"),
        (options.against.is_some(), "--against compares all calls"),
        (
            options.manifest.is_some(),
            "a manifest names every recording",
        ),
    ];
    if options.only.is_some()
        && let Some((_, what)) = whole.into_iter().find(|(is_given, _)| *is_given)
    {
        return Err(RunError::Plan(format!(
            "{what}, and --only leaves calls out; give one of the two"
        )));
    }
    let is_staged = options.source == SourceFrom::Staged;
    if options.manifest.is_some() && options.while_migrating.is_some() && is_staged {
        return Err(RunError::Plan(
            "a manifest names every recording, and a running migration has not staged all of them; \
             verify against the live source, or when it has ended"
                .to_owned(),
        ));
    }
    if let (Some(against), Some(report)) = (&options.against, &options.report_dir)
        && std::fs::canonicalize(against)
            .is_ok_and(|folder| std::fs::canonicalize(report).is_ok_and(|other| other == folder))
    {
        return Err(RunError::Plan(format!(
            "the earlier report in {} would be written over; choose another --report",
            against.display()
        )));
    }
    Ok(())
}

/// Every request that a plan and a caller let the verifier send: those to the source, then those to
/// the target.
pub(crate) fn allowance(
    loaded: &LoadedPlan,
    platform: &dyn Platform,
    options: &Options,
) -> Allowance {
    Allowance::new(
        source::operations(loaded, options)
            .iter()
            .chain(platform.operations(loaded, options)),
        options.jobs,
    )
}

/// How much there is to read, as far as the source tells; and which recordings may be listened to.
/// Refuses a mapping that does not say who the agents are.
fn survey(
    expectations: &Expectations<'_>,
    options: &Options,
) -> Result<(Sizes, Candidates), RunError> {
    let (mut sizes, mut days) = (Sizes::default(), BTreeSet::new());
    let mut candidates = Candidates::new(options.audio);
    for (case, interaction) in expectations.interactions.iter().enumerate() {
        let interaction = interaction?;
        let deriving = &expectations.deriving;
        deriving
            .platform
            .check_agents(&interaction, deriving.rules)?;
        let expected = expectations.unheard(&interaction);
        candidates.add(case, &interaction, &expected);
        sizes.all_calls += 1;
        if matches!(
            expected.presence,
            Presence::Absent(_) | Presence::NotCarried
        ) {
            continue;
        }
        let recordings = expected.recordings.iter();
        let due =
            |recording: &&ExpectedRecording| !matches!(recording.presence, Presence::Absent(_));
        let recordings = recordings.filter(due).count() as u64;
        sizes.calls += 1;
        sizes.recordings += recordings;
        if recordings > 0 {
            sizes.recorded_calls += 1;
            days.extend(expected.span.map(|span| span.start.days()));
        }
    }
    sizes.days = days.len() as u64;
    sizes.jobs = options.jobs == Jobs::Create;
    sizes.audio = match options.audio {
        AudioScope::All => sizes.recordings,
        AudioScope::Sample { size, .. } => sizes.recordings.min(size as u64),
        AudioScope::None => 0,
    };
    Ok((sizes, candidates))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::checks::testing::{PLATFORM, conversation};
    use crate::expected::testing::{AS_OF, interaction, rules};
    use crate::observed::{Recordings, TimeReading};
    use crate::options::Silent;
    use crate::source::{Listed, SourceInteraction, SourceTime};
    use crate::target::{Conversations, TargetSnapshot};
    use crate::text::Text;

    const HOUR_MS: i64 = 3_600_000;

    /// The call of the tests, so many hours later and under an id of its own.
    fn call(n: i64, hours: i64) -> SourceInteraction {
        let mut call = interaction();
        let later = |time: &mut SourceTime| {
            if let SourceTime::Number(at) = time {
                *at += hours * HOUR_MS;
            }
        };
        let id = format!("{}", 100_001 + n);
        let own = |text: &mut Text| *text = text.replacen("100001", &id, 1).into();
        own(&mut call.listed.id);
        later(&mut call.listed.start_time);
        later(&mut call.listed.end_time);
        for leg in &mut call.listed.segments {
            own(&mut leg.id);
            later(&mut leg.start_time);
            later(&mut leg.end_time);
        }
        call.listed
            .recordings
            .iter_mut()
            .for_each(|(id, leg)| [Some(id), leg.as_mut()].into_iter().flatten().for_each(own));
        for recording in &mut call.recordings {
            own(&mut recording.id);
            if let Ok(details) = &mut recording.details {
                own(&mut details.id);
                own(&mut details.interaction_id);
                details.segment_id.iter_mut().for_each(own);
                later(&mut details.start_time);
                later(&mut details.end_time);
                details.file_name = Some(format!("{}.wav", details.id).into());
            }
        }
        call
    }

    fn recordings(of: &mut TargetConversation) -> &mut Vec<crate::observed::TargetRecording> {
        match &mut of.recordings {
            Recordings::Read(recordings) => recordings,
            Recordings::Hidden(_) => panic!("they can be read"),
        }
    }

    /// What a migration leaves that damages its calls like this.
    fn damaged(mut ours: Vec<TargetConversation>, damages: &[u8]) -> Vec<TargetConversation> {
        let count = ours.len();
        for (n, damage) in damages.iter().enumerate() {
            let next = (n + 1) % count;
            match damage {
                1 => ours[n].legacy_id = None,
                2 => {
                    let id = ours[n].legacy_id.take();
                    ours[n].legacy_id = std::mem::replace(&mut ours[next].legacy_id, id);
                }
                3 => {
                    let late = |time: &TimeReading| {
                        time.instant().map_or(TimeReading::Absent, |at| {
                            TimeReading::At(at.plus_ms(HOUR_MS))
                        })
                    };
                    ours[n].start = late(&ours[n].start);
                    ours[n].end = late(&ours[n].end);
                }
                4 => _ = recordings(&mut ours[n]).pop(),
                5 => {
                    let mut copy = recordings(&mut ours[n])[0].clone();
                    copy.id = format!("{}-copy", copy.id).into();
                    recordings(&mut ours[n]).push(copy);
                }
                6 => {
                    let mut copy = ours[n].clone();
                    copy.id = format!("{}-copy", copy.id).into();
                    ours.push(copy);
                }
                7 => {
                    let legs = &mut ours[n].legs;
                    let codes = std::mem::take(&mut legs[0].wrap_ups);
                    legs[1].wrap_ups = codes;
                }
                8 => {
                    let id = ours[n].legacy_id.take().unwrap_or_default();
                    ours[n].legacy_id = Some(format!("0{id}").into());
                }
                9 => {
                    if let Some(moved) = recordings(&mut ours[n]).pop() {
                        recordings(&mut ours[next]).push(moved);
                    }
                }
                10 => _ = ours[n].attributes.remove("st.raw_start"),
                11 => ours[n].protected = None,
                12 => {
                    let mut other = ours[n].clone();
                    (other.id, other.legacy_id) = ("another".into(), Some("7".into()));
                    ours.push(other);
                }
                _ => {}
            }
        }
        ours.retain(|ours| ours.legacy_id.is_some());
        ours
    }

    /// What is found, as texts in an order. `further`: calls that are examined whatever they are.
    fn found(
        expectations: Expectations<'_>,
        snapshot: &TargetSnapshot,
        further: BTreeSet<usize>,
    ) -> (Vec<String>, usize) {
        let dir = tempfile::tempdir().expect("a folder");
        let begin = Triage {
            expectations,
            target: snapshot,
            listening: crate::triage::Listening::Nobody,
            further,
            wants_lines: true,
            sums: Sums::default(),
            at_desks: at_desks(expectations.deriving.rules),
        };
        let candidates = Candidates::new(AudioScope::None);
        let triage = triage(&begin, candidates, dir.path(), &Silent);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let triaged = runtime.expect("a runtime").block_on(triage);
        let (mut triaged, calls) = triaged.expect("triaged");
        let examined = Examined::new(expectations, &calls, snapshot, false, None);
        let others = Others {
            columns: &mut triaged.columns,
            practice: &triaged.practice,
        };
        let heard = BTreeMap::new();
        let found = examined
            .judge(&heard, &BTreeMap::new(), others)
            .expect("judged");
        let each = found.each(&examined, &heard, |at, call| {
            triaged.sums.add(call);
            triaged.add_lines(calls.cases[at], &lines_of_call(call, |_| None))
        });
        each.expect("added up");
        let sums = &triaged.sums;
        let mut told = vec![
            format!("{:?}", sums.counts),
            format!("{:?} {:?}", sums.wrong, sums.in_part),
            format!("{:?}", sums.needs),
            format!("{:?}", sums.holds),
            format!("{:?}", sums.stand_in),
            format!("{:?}", sums.breakdown.rows()),
        ];
        let findings = found.judged.iter().flat_map(|judged| &judged.findings);
        told.extend(findings.map(|finding| format!("{finding:?}")));
        told.extend(found.extra.iter().map(|at| calls.ours[*at].id.to_string()));
        let lines = triaged.lines.sorted().expect("sorted");
        told.extend(lines.iter().map(|line| format!("{line:?}")));
        (told, calls.cases.len())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn nothing_changes_by_letting_go_of_calls_that_are_right(
            damages in proptest::collection::vec(0_u8..40, 2..24),
            excluded in proptest::collection::vec(proptest::bool::weighted(0.1), 24),
            further in proptest::collection::btree_set(0_usize..24, 0..6),
            hours in proptest::collection::vec(0_i64..12, 24),
        ) {
            let dir = tempfile::tempdir().expect("a folder");
            let mut rules = rules();
            let agent = crate::expected::testing::agent_row(uuid::Uuid::from_u128(14), None);
            rules.agents.insert("AGT-014".into(), vec![agent]);
            let calls: Vec<SourceInteraction> = (0..damages.len()).map(|n| call(n as i64, hours[n])).collect();
            for (call, _) in calls.iter().zip(&excluded).filter(|(_, excluded)| **excluded) {
                let recording = call.recordings[1].id.clone();
                rules.exclusions.insert(recording.into(), "agreed".to_owned());
            }
            let mut listed = Listed::new(dir.path());
            let deriving = Deriving { rules: &rules, platform: PLATFORM, as_of: AS_OF };
            let mut ours = Vec::new();
            for call in &calls {
                listed.add(call).expect("listed");
                let expected = deriving.expectation(call, &BTreeMap::new());
                let mut there = conversation(&expected);
                there.id = format!("conversation {}", expected.legacy_id).into();
                there.legs[0].wrap_ups = there.wrap_ups.clone();
                let mut index = 0;
                recordings(&mut there).retain(|_| {
                    index += 1;
                    !matches!(expected.recordings[index - 1].presence, Presence::Absent(_))
                });
                let id = there.id.clone();
                recordings(&mut there).iter_mut().for_each(|one| one.conversation_id = id.clone());
                ours.push(there);
            }
            let mut sorter = Conversations::sorter(dir.path());
            for conversation in damaged(ours, &damages) {
                sorter.add(&conversation).expect("added");
            }
            let snapshot = TargetSnapshot {
                ours: sorter.sorted().expect("sorted"),
                ..TargetSnapshot::default()
            };
            let interactions = listed.interactions().expect("interactions");
            let expectations = Expectations { interactions: &interactions, deriving };
            let (some, examined) = found(expectations, &snapshot, BTreeSet::new());
            let (all, _) = found(expectations, &snapshot, (0..calls.len()).collect());
            prop_assert_eq!(&some, &all);
            let further = further.into_iter().filter(|case| *case < calls.len()).collect();
            prop_assert_eq!(&found(expectations, &snapshot, further).0, &all, "some more examined");
            if damages.iter().all(|damage| *damage > 12 || *damage == 0) {
                prop_assert_eq!(examined, 0, "all of them are right");
            }
        }
    }
}
