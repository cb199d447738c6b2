//! A verification from end to end: read both sides, listen, derive, compare, sum up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

use crate::audio_compare::{AudioComparer, Job};
use crate::causes::Records;
use crate::checks::presence::{Evidence, Judged, judge};
use crate::cross_call::{CrossCallChecks, Place, UnmatchedRecording, extra_conversation};
use crate::decoded_twice;
use crate::drift::Drifts;
use crate::envelope::Keys;
use crate::expected::{Expectation, Presence, Rules, SourceSound, expected};
use crate::finding::Finding;
use crate::habits::Habits;
use crate::holds;
use crate::in_flight::Rest;
use crate::matching::{Pairing, pair};
use crate::observed::{TargetConversation, TargetRecording};
use crate::options::{AudioScope, DecodeTwice, Jobs, Options, Progress, SourceFrom, Stage};
use crate::outcome::Outcome;
use crate::patterns;
use crate::report::{EarlierReport, Report, recording_lines, write_recordings};
use crate::requests::{Allowance, Gates, Sizes};
use crate::run_error::RunError;
use crate::saved_readings::SavedReadings;
use crate::sound::{AudioFingerprint, PairSound, Stored, TargetSound};
use crate::source::{self, SourceInteraction, SourceSnapshot};
use crate::summarize::{Traffic, summarize};
use crate::target::{self, Address, Asked, Platform, Reconciling, TargetSnapshot};
use crate::totals::{Population, Totals};
use crate::utc_millis::UtcMillis;

/// Recordings without a pair whose audio is fetched to find out whose they are; beyond that
/// something else is wrong.
const MOST_UNMATCHED: usize = 500;

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
    let (totals, earlier) = handed_over(loaded, options)?;
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

    let SourceSnapshot {
        interactions,
        extensions,
    } = source::snapshot(
        &*source,
        options.only.as_ref(),
        options.concurrency,
        progress,
    )
    .await?;
    rules.extensions = extensions;
    platform.check_agents(&interactions, &rules)?;
    let most_holds = holds::most(loaded, platform.holds_at_most());
    rules.holds_beyond = holds::behind(
        loaded,
        most_holds,
        &interactions,
        &rules,
        options.only.is_none(),
    );
    let mut needs = BTreeSet::new();
    rules.maximum = target.maximum_retention(&mut needs).await?;
    let expecting = Expecting {
        interactions: &interactions,
        rules: &rules,
        platform: &*platform,
    };
    let expectations = expecting.expectations(&BTreeMap::new(), UtcMillis::from_ms(clock.now_ms()));
    let sizes = Sizes {
        kept: kept.count(),
        ..sizes(&expectations, options)
    };
    let announced = target
        .announce(sizes, loaded.plan.pace.requests_per_minute, &mut needs)
        .await?;
    if let Some(notice) = kept.notice() {
        progress.say(&notice);
    }
    progress.say(&announced.line());
    let asked = Asked {
        expectations: &expectations,
        options,
        clock: &clock,
        kept,
    };
    let mut snapshot = target.snapshot(&asked, progress).await?;
    snapshot.needs.extend(needs);
    let as_of = UtcMillis::from_ms(clock.now_ms());

    let media = target.media(&snapshot, options, &clock, loaded.plan.audio.max_bytes);
    let comparer = AudioComparer {
        clock: clock.clone(),
        source,
        media,
        rules: Arc::new(rules.clone()),
        keys,
        concurrency: options.concurrency,
        second_decoders: second_decoders.into(),
    };
    if let Some(rest) = &rest {
        snapshot.orphans.retain(|orphan| rest.has(orphan));
    }
    let mut world = World::new(expecting, &snapshot, as_of, options.only.is_some(), rest);
    let mut heard = world.listen(&comparer, options, progress).await?;
    let mut unmatched = world.unmatched_fingerprints(&comparer).await?;
    world
        .pair_by_sound(&comparer, &mut heard, &mut unmatched, progress)
        .await?;

    progress.begin(Stage::Checks, Some(interactions.len() as u64));
    let mut outcome = world.judge(&heard, &unmatched);
    outcome.audio = options.audio;
    outcome.only = options.only.as_ref().map(|only| only.len() as u64);
    outcome.staged = options.source == SourceFrom::Staged;
    outcome.holds = holds::count(
        &outcome.expectations,
        &outcome.pairings,
        &snapshot.ours,
        most_holds,
    );
    outcome.totals = totals.map(|totals| {
        let population = Population {
            interactions: &interactions,
            expectations: &outcome.expectations,
            pairings: &outcome.pairings,
            buckets: outcome
                .judged
                .iter()
                .map(|judged| judged.buckets.as_slice())
                .collect(),
        };
        totals.compare(loaded, rules.site_zone.as_ref(), &population)
    });
    if let Some(dir) = &options.report_dir {
        write_recordings(dir, &outcome, &heard, &snapshot.ours)?;
    }
    let traffic = Traffic {
        sent: gates.log.sent(),
        announced,
        drift: drifts.lines(),
        jobs: options.jobs,
        kept: kept.notice(),
    };
    let twice = options
        .decode_twice
        .map(|wanted| decoded_twice::count(wanted, &outcome.expectations, &heard));
    let compared = earlier
        .map(|earlier| earlier.recordings(recording_lines(&outcome, &heard, &snapshot.ours)));
    let mut report = summarize(outcome, &*platform, &traffic)?;
    if let Some(twice) = twice {
        report.tell_decoded_twice(twice);
    }
    if let Some(compared) = compared {
        report.hold_against(compared);
    }
    Ok(report)
}

/// What the caller names beside the plan: read before anything is asked, so that a file that is
/// wrong costs no request.
fn handed_over(
    loaded: &LoadedPlan,
    options: &Options,
) -> Result<(Option<Totals>, Option<EarlierReport>), RunError> {
    if options.totals.is_some() && options.only.is_some() {
        return Err(RunError::Plan(
            "control totals count every call, and --only leaves calls out; give one of the two"
                .to_owned(),
        ));
    }
    if options.against.is_some() && options.only.is_some() {
        return Err(RunError::Plan(
            "--against compares all calls, and --only leaves calls out; give one of the two"
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
    let totals = options.totals.as_deref().map(Totals::read).transpose()?;
    let namespace = &loaded.plan.identity.namespace;
    let earlier = options
        .against
        .as_deref()
        .map(|dir| EarlierReport::read(dir, namespace, &loaded.hash))
        .transpose()?;
    Ok((totals, earlier))
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

/// How much there is to read, as far as the source tells.
fn sizes(expectations: &[Expectation], options: &Options) -> Sizes {
    let wanted: Vec<&Expectation> = expectations
        .iter()
        .filter(|expected| {
            !matches!(
                expected.presence,
                Presence::Absent(_) | Presence::NotCarried
            )
        })
        .collect();
    let recordings = |expected: &Expectation| {
        expected
            .recordings
            .iter()
            .filter(|recording| !matches!(recording.presence, Presence::Absent(_)))
            .count() as u64
    };
    let all = wanted.iter().map(|expected| recordings(expected)).sum();
    Sizes {
        calls: wanted.len() as u64,
        recorded_calls: wanted
            .iter()
            .filter(|expected| recordings(expected) > 0)
            .count() as u64,
        recordings: all,
        audio: match options.audio {
            AudioScope::All => all,
            AudioScope::Sample { size, .. } => all.min(size as u64),
            AudioScope::None => 0,
        },
        jobs: options.jobs == Jobs::Create,
        kept: 0,
        all_calls: expectations.len() as u64,
        days: wanted
            .iter()
            .filter(|expected| recordings(expected) > 0)
            .filter_map(|expected| Some(expected.span?.start.day()))
            .collect::<BTreeSet<_>>()
            .len() as u64,
    }
}

/// The source as read, and what makes expectations of it.
#[derive(Clone, Copy)]
struct Expecting<'a> {
    interactions: &'a [SourceInteraction],
    rules: &'a Rules,
    platform: &'a dyn Platform,
}

impl Expecting<'_> {
    /// What must be there, by what has been heard so far.
    fn expectations(
        &self,
        heard: &BTreeMap<Place, PairSound>,
        as_of: UtcMillis,
    ) -> Vec<Expectation> {
        let derive = |(case, interaction): (usize, &SourceInteraction)| {
            let sounds: BTreeMap<String, SourceSound> = interaction
                .recordings
                .iter()
                .enumerate()
                .filter_map(|(at, recording)| {
                    Some((recording.id.clone(), heard.get(&(case, at))?.source.clone()))
                })
                .collect();
            let mut wanted = expected(interaction, self.rules, &sounds, as_of);
            self.platform.expect(interaction, self.rules, &mut wanted);
            wanted
        };
        self.interactions.iter().enumerate().map(derive).collect()
    }
}

/// Both sides as read.
struct World<'a> {
    expecting: Expecting<'a>,
    target: &'a TargetSnapshot,
    as_of: UtcMillis,
    /// Whether only some calls are judged.
    restricted: bool,
    /// Tells what a running migration is still at. Absent: it has ended.
    rest: Option<Rest>,
    /// What must be there before anything was heard, and what it is paired with by then.
    unheard: Vec<Expectation>,
    pairings: Vec<Pairing>,
    /// Recordings whose pair by times is a stranger, with their place in the conversation's
    /// surplus: that one has their sound.
    exchanged: BTreeMap<Place, usize>,
}

impl<'a> World<'a> {
    fn new(
        expecting: Expecting<'a>,
        target: &'a TargetSnapshot,
        as_of: UtcMillis,
        restricted: bool,
        rest: Option<Rest>,
    ) -> World<'a> {
        let unheard = expecting.expectations(&BTreeMap::new(), as_of);
        let (pairings, _) = pair(&unheard, &target.ours);
        World {
            expecting,
            target,
            as_of,
            restricted,
            rest,
            unheard,
            pairings,
            exchanged: BTreeMap::new(),
        }
    }

    /// Listens to what the scope asks for, and to the source of whatever is absent.
    async fn listen(
        &self,
        comparer: &AudioComparer,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<Place, PairSound>, RunError> {
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for (case, ((interaction, expected), pairing)) in self
            .expecting
            .interactions
            .iter()
            .zip(&self.unheard)
            .zip(&self.pairings)
            .enumerate()
        {
            for (at, (source, wanted)) in interaction
                .recordings
                .iter()
                .zip(&expected.recordings)
                .enumerate()
            {
                let open = source.details.is_ok()
                    && matches!(wanted.presence, Presence::Expected | Presence::Either);
                if open {
                    jobs.push(Job {
                        place: (case, at),
                        source,
                        pauses: &wanted.pauses,
                        target: self.address(pairing, at),
                        twice: false,
                    });
                }
            }
        }
        let mut jobs = draw(jobs, options.audio);
        if let Some(wanted) = options.decode_twice {
            draw_twice(&mut jobs, wanted);
        }
        progress.begin(Stage::Audio, Some(jobs.len() as u64));
        comparer.listen(&jobs, progress).await
    }

    /// Gives recordings the pair that has their sound.
    fn exchange(&self, pairings: &mut [Pairing]) {
        for ((case, at), unpaired) in &self.exchanged {
            let pairing = &mut pairings[*case];
            if let (Some(unpaired), Some(paired)) = (
                pairing.unpaired.get_mut(*unpaired),
                pairing.recordings[*at].as_mut(),
            ) {
                std::mem::swap(unpaired, paired);
            }
        }
    }

    /// Finds recordings that were paired with a stranger while their own is surplus beside it, and
    /// listens to their own.
    async fn pair_by_sound(
        &mut self,
        comparer: &AudioComparer,
        heard: &mut BTreeMap<Place, PairSound>,
        fingerprints: &mut BTreeMap<Address, AudioFingerprint>,
        progress: &dyn Progress,
    ) -> Result<(), RunError> {
        let mut exchanged: BTreeMap<Place, usize> = BTreeMap::new();
        for (place, sound) in heard.iter() {
            let (Some(source), Some(stranger)) =
                (&sound.source_fingerprint, &sound.target_fingerprint)
            else {
                continue;
            };
            let pairing = &self.pairings[place.0];
            let recordings = pairing
                .conversation
                .map(|at| self.target.ours[at].read_recordings())
                .unwrap_or_default();
            let is_own = |unpaired: &usize| {
                fingerprints
                    .get(&address_of(&recordings[*unpaired]))
                    .is_some_and(|fingerprint| source.likeness(fingerprint).is_some())
            };
            let is_free = |nth: &usize| {
                !exchanged
                    .iter()
                    .any(|((case, _), taken)| *case == place.0 && taken == nth)
            };
            let own = (0..pairing.unpaired.len())
                .filter(is_free)
                .find(|nth| is_own(&pairing.unpaired[*nth]));
            let (Some(own), Some(address)) = (own, self.address(pairing, place.1)) else {
                continue;
            };
            fingerprints.insert(address, stranger.clone());
            exchanged.insert(*place, own);
        }
        if exchanged.is_empty() {
            return Ok(());
        }
        self.exchanged = exchanged;
        let mut pairings = self.pairings.clone();
        self.exchange(&mut pairings);
        let job = |place: &Place| Job {
            place: *place,
            source: &self.expecting.interactions[place.0].recordings[place.1],
            pauses: &self.unheard[place.0].recordings[place.1].pauses,
            target: self.address(&pairings[place.0], place.1),
            twice: heard[place].again.is_some(),
        };
        let jobs: Vec<Job<'_>> = self.exchanged.keys().map(job).collect();
        heard.extend(comparer.listen(&jobs, progress).await?);
        Ok(())
    }

    /// Conversation and recording in the target.
    fn address(&self, pairing: &Pairing, recording: usize) -> Option<Address> {
        let conversation = &self.target.ours[pairing.conversation?];
        let recording = &conversation.read_recordings()[pairing.recordings[recording]?];
        Some((conversation.id.clone(), recording.id.clone()))
    }

    /// Fingerprints of what has no pair, to find out whose it is.
    async fn unmatched_fingerprints(
        &self,
        comparer: &AudioComparer,
    ) -> Result<BTreeMap<Address, AudioFingerprint>, RunError> {
        let something_is_missing = self
            .pairings
            .iter()
            .any(|pairing| pairing.recordings.contains(&None));
        let unpaired = self.pairings.iter().flat_map(|pairing| {
            let recordings = pairing
                .conversation
                .map(|at| self.target.ours[at].read_recordings())
                .unwrap_or_default();
            pairing
                .unpaired
                .iter()
                .map(|at| address_of(&recordings[*at]))
        });
        // Orphans may be anybody's: they are listened to only when something of ours is missing.
        let orphans = self
            .target
            .orphans
            .iter()
            .filter(|orphan| something_is_missing && orphan.file_state.is_none())
            .map(address_of);
        let unmatched: Vec<Address> = unpaired.chain(orphans).take(MOST_UNMATCHED).collect();
        if unmatched.is_empty() {
            Ok(BTreeMap::new())
        } else {
            comparer.fingerprints(&unmatched).await
        }
    }

    fn judge(
        &self,
        heard: &BTreeMap<Place, PairSound>,
        fingerprints: &BTreeMap<Address, AudioFingerprint>,
    ) -> Outcome {
        let rules = self.expecting.rules;
        let mut expectations = self.expecting.expectations(heard, self.as_of);
        let (mut pairings, unclaimed) = pair(&expectations, &self.target.ours);
        self.exchange(&mut pairings);
        forgive_expired(&mut expectations, &pairings, &self.target.ours, rules);
        let mut judged = self.judge_each(&expectations, &pairings, heard);
        let cross_call = CrossCallChecks {
            expectations: &expectations,
            pairings: &pairings,
            ours: &self.target.ours,
            sources: heard
                .iter()
                .filter_map(|(place, pair)| Some((*place, pair.source_fingerprint.as_ref()?)))
                .collect(),
            foreign: heard
                .iter()
                .filter_map(|(place, pair)| Some((*place, pair.target_fingerprint.as_ref()?)))
                .collect(),
        };
        cross_call.foreign_audio(&mut judged);
        cross_call.unmatched_recordings(
            &self.unmatched_recordings(&expectations, &pairings, fingerprints),
            &mut judged,
        );
        cross_call.names_of_guests(&mut judged);
        cross_call.times_of_guests(&mut judged);
        if rules.capabilities.longest_class_keeps_the_call {
            cross_call.classes_of_guests(&mut judged);
        }
        let (target, restricted, as_of) = (self.target, self.restricted, self.as_of);
        let found = Reconciling {
            expectations: &expectations,
            pairings: &pairings,
            target,
            restricted,
            as_of,
        };
        let mut reconciled = self.expecting.platform.reconcile(&found, &mut judged);
        Habits {
            expectations: &expectations,
            pairings: &pairings,
            ours: &self.target.ours,
            rules,
        }
        .judge(&mut judged);
        let (mut unclaimed, mut in_flight) = (unclaimed, None);
        if let Some(rest) = &self.rest {
            in_flight = Some(rest.spare(&pairings, &self.target.ours, &mut judged));
            unclaimed.retain(|at| rest.has_all(&self.target.ours[*at]));
            // Nobody says when a file or a post came that belongs to no call.
            (reconciled.findings, reconciled.files) = (Vec::new(), 0);
        }
        // Of chosen calls, and of those that are through, nothing can be said about the whole.
        if !self.restricted && self.rest.is_none() {
            patterns::name(&expectations, &mut judged);
        }
        let extra_conversations: Vec<&TargetConversation> =
            unclaimed.iter().map(|at| &self.target.ours[*at]).collect();
        let on_extra_conversations: u64 = extra_conversations
            .iter()
            .map(|extra_conversation| extra_conversation.read_recordings().len() as u64)
            .sum();
        let extra_conversations: Vec<Finding> = extra_conversations
            .into_iter()
            .map(extra_conversation)
            .chain(reconciled.findings)
            .collect();
        let compared: Vec<Place> = heard
            .iter()
            .filter(|(_, pair)| matches!(pair.target, TargetSound::Compared(_)))
            .map(|(place, _)| *place)
            .collect();
        let records = if judged.iter().all(|judged| judged.findings.is_empty()) {
            Records::default()
        } else {
            Records::of(
                self.expecting.interactions,
                &expectations,
                &judged,
                &compared,
                rules.site_zone.as_ref(),
            )
        };
        Outcome {
            pairings,
            expectations,
            judged,
            records,
            extra_conversations,
            extra_recordings: on_extra_conversations + reconciled.files,
            target_interactions: self.target.ours.len() as u64,
            target_recordings: self
                .target
                .ours
                .iter()
                .map(|ours| ours.read_recordings().len() as u64)
                .sum(),
            needs: self
                .target
                .needs
                .iter()
                .cloned()
                .chain(reconciled.needs)
                .collect(),
            policies: reconciled.policies,
            rounded: self
                .expecting
                .interactions
                .iter()
                .filter(|interaction| is_rounded(interaction))
                .count() as u64,
            compared,
            site_zone_known: rules.site_zone.is_some(),
            audio: AudioScope::All,
            only: None,
            staged: false,
            holds: None,
            totals: None,
            in_flight,
            stores: self.expecting.platform.stores(self.target),
        }
    }

    fn judge_each(
        &self,
        expectations: &[Expectation],
        pairings: &[Pairing],
        heard: &BTreeMap<Place, PairSound>,
    ) -> Vec<Judged> {
        let one = |(case, (expected, pairing)): (usize, (&Expectation, &Pairing))| {
            let sound = |at| {
                heard
                    .get(&(case, at))
                    .map_or(TargetSound::NotRead, |pair| pair.target.clone())
            };
            let sounds: Vec<TargetSound> = (0..expected.recordings.len()).map(sound).collect();
            let stored: Vec<Option<Stored>> = (0..sounds.len())
                .map(|at| heard.get(&(case, at)).and_then(|pair| pair.stored))
                .collect();
            let hidden = self
                .target
                .hidden
                .get(&expected.legacy_id)
                .or(self.target.lag.as_ref());
            judge(&Evidence {
                expected,
                pairing,
                ours: &self.target.ours,
                sounds: &sounds,
                stored: &stored,
                hidden: hidden.map(String::as_str),
                misplaced: self.target.misplaced.get(&expected.legacy_id),
                rules: self.expecting.rules,
                platform: self.expecting.platform,
                as_of: self.as_of,
            })
        };
        expectations
            .iter()
            .zip(pairings)
            .enumerate()
            .map(one)
            .collect()
    }

    fn unmatched_recordings(
        &self,
        expectations: &[Expectation],
        pairings: &[Pairing],
        fingerprints: &BTreeMap<Address, AudioFingerprint>,
    ) -> Vec<UnmatchedRecording<'_>> {
        let lists_deleted = self
            .expecting
            .platform
            .capabilities()
            .lists_deleted_recordings;
        let unpaired = pairings.iter().enumerate().flat_map(|(case, pairing)| {
            let recordings = pairing
                .conversation
                .map(|at| self.target.ours[at].read_recordings())
                .unwrap_or_default();
            // On a conversation that must not be there everything is surplus already.
            // Of one that could not be read nobody knows what belongs there.
            let judged = matches!(expectations[case].presence, Presence::Absent(_))
                || expectations[case].unread.is_some();
            let is_there = |at: &&usize| {
                !lists_deleted || recordings[**at].file_state.as_deref() != Some("DELETED")
            };
            pairing
                .unpaired
                .iter()
                .filter(is_there)
                .filter(move |_| !judged)
                .map(move |at| (Some(case), &recordings[*at]))
        });
        let orphans = self.target.orphans.iter().map(|orphan| (None, orphan));
        unpaired
            .chain(orphans)
            .map(|(on, recording)| UnmatchedRecording {
                recording,
                on,
                fingerprint: fingerprints.get(&address_of(recording)).cloned(),
            })
            .collect()
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

fn address_of(recording: &TargetRecording) -> Address {
    (recording.conversation_id.clone(), recording.id.clone())
}

/// A recording whose retention has ended since it was put there was rightly sent, and is still
/// rightly there.
fn forgive_expired(
    expectations: &mut [Expectation],
    pairings: &[Pairing],
    ours: &[TargetConversation],
    rules: &Rules,
) {
    let clamp = rules.clamp;
    let is_for = |presence: &Presence, reason| {
        *presence == Presence::Absent(crate::expected::Absence::Rule(reason))
    };
    for (expected, pairing) in expectations.iter_mut().zip(pairings) {
        let Some(conversation) = pairing.conversation.map(|at| &ours[at]) else {
            continue;
        };
        // A date brought forward has passed since: the call went while it had not.
        if clamp && is_for(&expected.presence, plan::Reason::RetentionOverMax) {
            expected.presence = Presence::Either;
        }
        for (recording, paired) in expected.recordings.iter_mut().zip(&pairing.recordings) {
            let actual = paired.map(|at| &conversation.read_recordings()[at]);
            let created = actual.and_then(|actual| actual.created);
            // A store that does not say when a file was put there cannot tell whether it was too
            // late then.
            let is_untold =
                !rules.capabilities.tells_when_stored && actual.is_some() && created.is_none();
            if is_untold && is_for(&recording.presence, plan::Reason::Expired) {
                recording.presence = Presence::Unknown(
                    "when a file was stored, for a recording whose retention has ended since"
                        .to_owned(),
                );
                continue;
            }
            let over = clamp && is_for(&recording.presence, plan::Reason::RetentionOverMax);
            let may = |created: UtcMillis| match recording.delete_at {
                Some(delete_at) => created < delete_at,
                // A sibling without a date was held by one whose date has passed.
                None => over,
            };
            if (over || is_for(&recording.presence, plan::Reason::Expired))
                && created.is_some_and(may)
            {
                recording.presence = Presence::Expected;
                if expected.presence == Presence::Either {
                    expected.presence = Presence::Expected;
                }
            }
        }
    }
}

/// What is listened to under a scope. What has no recording in the target is always read: only the
/// source's bytes can justify the absence.
fn draw(jobs: Vec<Job<'_>>, scope: AudioScope) -> Vec<Job<'_>> {
    let chosen: BTreeSet<Place> = match scope {
        AudioScope::All => return jobs,
        AudioScope::None => BTreeSet::new(),
        AudioScope::Sample { size, seed } => first(&jobs, size, seed),
    };
    jobs.into_iter()
        .filter(|job| job.target.is_none() || chosen.contains(&job.place))
        .collect()
}

/// Says which recordings another program decodes too.
fn draw_twice(jobs: &mut [Job<'_>], wanted: DecodeTwice) {
    let chosen = first(jobs, wanted.recordings, wanted.seed);
    for job in jobs {
        job.twice = chosen.contains(&job.place);
    }
}

/// Of the recordings that have a pair, so many, drawn with a seed.
fn first(jobs: &[Job<'_>], size: usize, seed: u64) -> BTreeSet<Place> {
    let mut ranked: Vec<(u64, Place)> = jobs
        .iter()
        .filter(|job| job.target.is_some())
        .map(|job| (stable_hash(seed, &job.source.id), job.place))
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(size)
        .map(|(_, place)| place)
        .collect()
}

/// Decides which recordings a sample takes: FNV-1a over seed and id, then the finaliser of
/// splitmix64. The same for ever.
fn stable_hash(seed: u64, id: &str) -> u64 {
    let hash = seed
        .to_le_bytes()
        .iter()
        .chain(id.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};
    use crate::expected::Absence;
    use crate::expected::testing::rules;

    #[test]
    fn a_call_that_went_while_its_date_had_not_passed_is_no_surplus_afterwards() {
        let absent = Presence::Absent(Absence::Rule(plan::Reason::RetentionOverMax));
        let mut late = wanted();
        let there = conversation(&late);
        late.presence = absent.clone();
        late.recordings
            .iter_mut()
            .for_each(|recording| recording.presence = absent.clone());
        let (pairings, _) = pair(std::slice::from_ref(&late), std::slice::from_ref(&there));
        let created = there.read_recordings()[0].created.expect("a creation");
        // Brought forward: sent before that date, sent after it, or no plan that brings anything
        // forward.
        for (delete_at, clamp, presence) in [
            (created.plus_ms(1), true, Presence::Expected),
            (created, true, absent.clone()),
            (created.plus_ms(1), false, absent.clone()),
        ] {
            let mut late = late.clone();
            late.recordings[0].delete_at = Some(delete_at);
            forgive_expired(
                std::slice::from_mut(&mut late),
                &pairings,
                std::slice::from_ref(&there),
                &Rules { clamp, ..rules() },
            );
            assert_eq!(late.recordings[0].presence, presence, "{delete_at} {clamp}");
        }
    }
}
