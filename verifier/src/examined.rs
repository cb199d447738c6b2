//! Calls that are examined together: listened to, paired, judged each by itself and beside one
//! another.

use std::collections::{BTreeMap, BTreeSet};

use crate::audio_compare::{AudioComparer, Job};
use crate::checks::presence::{Evidence, Judged, judge};
use crate::columns::{CallColumns, CallRow};
use crate::cross_call::{CrossCallChecks, Place, UnmatchedRecording};
use crate::expected::{Expectation, Presence, SourceSound, kinds};
use crate::expired::forgive_expired;
use crate::habits::{CommonPractice, Habits};
use crate::in_flight::{InFlight, Rest};
use crate::judged_call::JudgedCall;
use crate::matching::{Pairing, pair};
use crate::observed::TargetRecording;
use crate::options::{Options, Progress, Stage};
use crate::patterns::Patterns;
use crate::run_error::RunError;
use crate::sample::{draw, draw_twice};
use crate::sound::{AudioFingerprint, PairSound, Stored, TargetSound};
use crate::source::SourceInteraction;
use crate::target::{Address, Deriving, Expectations, Reconciled, Reconciling, TargetSnapshot};
use crate::triage::{ExaminedCalls, audible};

/// Recordings without a pair whose audio is fetched to find out whose they are; beyond that
/// something else is wrong.
const MOST_UNMATCHED: usize = 500;

/// Both sides of the calls that are examined.
pub(crate) struct Examined<'a> {
    /// Of the whole source.
    expectations: Expectations<'a>,
    calls: &'a ExaminedCalls,
    /// What else the target has.
    target: &'a TargetSnapshot,
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

/// What was found of them; one of each for each call.
pub(crate) struct Found {
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) pairings: Vec<Pairing>,
    pub(crate) judged: Vec<Judged>,
    /// Conversations of no call; places among ours.
    pub(crate) extra: Vec<usize>,
    pub(crate) reconciled: Reconciled,
    /// What a running migration is still at. Absent: it has ended.
    pub(crate) in_flight: Option<InFlight>,
}

/// What is known of all other calls.
pub(crate) struct Others<'a> {
    pub(crate) columns: &'a mut CallColumns,
    pub(crate) practice: &'a CommonPractice,
}

impl<'a> Examined<'a> {
    pub(crate) fn new(
        expectations: Expectations<'a>,
        calls: &'a ExaminedCalls,
        target: &'a TargetSnapshot,
        restricted: bool,
        rest: Option<Rest>,
    ) -> Examined<'a> {
        let unheard: Vec<Expectation> = calls
            .interactions
            .iter()
            .map(|interaction| expectations.unheard(interaction))
            .collect();
        let (pairings, _) = pair(&unheard, &calls.ours);
        Examined {
            expectations,
            calls,
            target,
            restricted,
            rest,
            unheard,
            pairings,
            exchanged: BTreeMap::new(),
        }
    }

    /// Recordings that can be listened to in the target, by where their calls stand in the source.
    pub(crate) fn audible(&self) -> BTreeSet<Place> {
        let calls = self.calls.interactions.iter().zip(&self.unheard);
        let mut there = BTreeSet::new();
        for (case, (interaction, expected)) in calls.enumerate() {
            let is_there = |at: &usize| self.pairings[case].recordings[*at].is_some();
            let recordings = audible(interaction, expected).filter(is_there);
            there.extend(recordings.map(|at| (self.calls.cases[case], at)));
        }
        there
    }

    fn deriving(&self) -> &Deriving<'a> {
        &self.expectations.deriving
    }

    /// Listens to what the scope asks for, and to the source of whatever is absent.
    pub(crate) async fn listen(
        &self,
        comparer: &AudioComparer,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<Place, PairSound>, RunError> {
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for (case, ((interaction, expected), pairing)) in self
            .calls
            .interactions
            .iter()
            .zip(&self.unheard)
            .zip(&self.pairings)
            .enumerate()
        {
            for at in audible(interaction, expected) {
                jobs.push(Job {
                    place: (case, at),
                    source: &interaction.recordings[at],
                    pauses: &expected.recordings[at].pauses,
                    target: self.address(pairing, at),
                    use_second_decoder: false,
                });
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
    pub(crate) async fn pair_by_sound(
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
                .map(|at| self.calls.ours[at].read_recordings())
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
            source: &self.calls.interactions[place.0].recordings[place.1],
            pauses: &self.unheard[place.0].recordings[place.1].pauses,
            target: self.address(&pairings[place.0], place.1),
            use_second_decoder: heard[place].is_second_decoder_drawn,
        };
        let jobs: Vec<Job<'_>> = self.exchanged.keys().map(job).collect();
        heard.extend(comparer.listen(&jobs, progress).await?);
        Ok(())
    }

    /// Conversation and recording in the target.
    fn address(&self, pairing: &Pairing, recording: usize) -> Option<Address> {
        let conversation = &self.calls.ours[pairing.conversation?];
        let recording = &conversation.read_recordings()[pairing.recordings[recording]?];
        Some(((&conversation.id).into(), (&recording.id).into()))
    }

    /// Fingerprints of what has no pair, to find out whose it is.
    pub(crate) async fn unmatched_fingerprints(
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
                .map(|at| self.calls.ours[at].read_recordings())
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

    /// What must be there by what has been heard.
    fn heard(&self, heard: &BTreeMap<Place, PairSound>) -> Vec<Expectation> {
        let derive = |(case, interaction): (usize, &SourceInteraction)| {
            let sounds: BTreeMap<String, SourceSound> = interaction
                .recordings
                .iter()
                .enumerate()
                .filter_map(|(at, recording)| {
                    Some((
                        (&recording.id).into(),
                        heard.get(&(case, at))?.source.clone(),
                    ))
                })
                .collect();
            self.deriving().expectation(interaction, &sounds)
        };
        self.calls
            .interactions
            .iter()
            .enumerate()
            .map(derive)
            .collect()
    }

    /// Judges each by itself, then beside one another.
    ///
    /// # Errors
    ///
    /// The source cannot be read again.
    pub(crate) fn judge(
        &self,
        heard: &BTreeMap<Place, PairSound>,
        fingerprints: &BTreeMap<Address, AudioFingerprint>,
        others: Others<'_>,
    ) -> Result<Found, RunError> {
        let (rules, ours) = (self.deriving().rules, self.calls.ours.as_slice());
        let mut expectations = self.heard(heard);
        let (mut pairings, unclaimed) = pair(&expectations, ours);
        self.exchange(&mut pairings);
        forgive_expired(&mut expectations, &pairings, ours, rules);
        let mut judged = self.judge_each(&expectations, &pairings, heard);
        let cross_call = CrossCallChecks {
            expectations: &expectations,
            pairings: &pairings,
            ours,
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
        let reconciling = Reconciling {
            expectations: &expectations,
            pairings: &pairings,
            facts: &self.target.platform,
            restricted: self.restricted,
            as_of: self.deriving().as_of,
        };
        let mut reconciled = self
            .deriving()
            .platform
            .reconcile(&reconciling, &mut judged);
        Habits {
            expectations: &expectations,
            pairings: &pairings,
            ours,
            rules,
            others: others.practice,
        }
        .judge(&mut judged);
        let (mut extra, mut in_flight) = (unclaimed, None);
        if let Some(rest) = &self.rest {
            in_flight = Some(rest.spare(&pairings, ours, &mut judged));
            extra.retain(|at| rest.has_all(&ours[*at]));
            // Nobody says when a file or a post came that belongs to no call.
            (reconciled.findings, reconciled.files) = (Vec::new(), 0);
        }
        for (at, (expected, judged)) in expectations.iter().zip(&judged).enumerate() {
            let row = CallRow::of(expected, judged, |recording| {
                is_compared(heard.get(&(at, recording)))
            });
            others.columns.set(self.calls.cases[at], &row);
        }
        // Of chosen calls, and of those that are through, nothing can be said about the whole.
        if !self.restricted && self.rest.is_none() {
            self.patterns(&expectations, others.columns, &mut judged)?;
        }
        Ok(Found {
            expectations,
            pairings,
            judged,
            extra,
            reconciled,
            in_flight,
        })
    }

    fn patterns(
        &self,
        expectations: &[Expectation],
        columns: &CallColumns,
        judged: &mut [Judged],
    ) -> Result<(), RunError> {
        let all = &self.expectations;
        let kinds = |interaction: Result<SourceInteraction, RunError>| {
            let interaction = interaction?;
            let hold = all.unheard(&interaction).hold;
            Ok(kinds(&interaction, hold))
        };
        Patterns {
            columns,
            kinds: &|| Box::new(all.interactions.iter().map(kinds)),
            cases: &self.calls.cases,
            expectations,
        }
        .name(judged)
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
            judge(&Evidence {
                expected,
                pairing,
                ours: &self.calls.ours,
                sounds: &sounds,
                stored: &stored,
                hidden: self.target.why_hidden(&expected.legacy_id),
                misplaced: self.target.misplaced.get(expected.legacy_id.as_str()),
                rules: self.deriving().rules,
                platform: self.deriving().platform,
                as_of: self.deriving().as_of,
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
            .deriving()
            .platform
            .capabilities()
            .lists_deleted_recordings;
        let unpaired = pairings.iter().enumerate().flat_map(|(case, pairing)| {
            let recordings = pairing
                .conversation
                .map(|at| self.calls.ours[at].read_recordings())
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

/// Whether the sound of both sides was compared.
fn is_compared(sound: Option<&PairSound>) -> bool {
    sound.is_some_and(|sound| matches!(sound.target, TargetSound::Compared(_)))
}

impl Found {
    /// Each call with everything that led to its judgement, and what was heard of it.
    pub(crate) fn each(
        &self,
        examined: &Examined<'_>,
        heard: &BTreeMap<Place, PairSound>,
        mut then: impl FnMut(usize, &JudgedCall<'_>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        for (at, judged) in self.judged.iter().enumerate() {
            let (expected, pairing) = (&self.expectations[at], &self.pairings[at]);
            let compared: Vec<bool> = (0..expected.recordings.len())
                .map(|recording| is_compared(heard.get(&(at, recording))))
                .collect();
            let call = JudgedCall {
                interaction: &examined.calls.interactions[at],
                expected,
                pairing,
                conversation: pairing.conversation.map(|at| &examined.calls.ours[at]),
                judged,
                compared: &compared,
            };
            then(at, &call)?;
        }
        Ok(())
    }
}

fn address_of(recording: &TargetRecording) -> Address {
    ((&recording.conversation_id).into(), (&recording.id).into())
}
