//! From judged interactions to a report.

use std::collections::{BTreeMap, BTreeSet};

use crate::advice;
use crate::basis;
use crate::causes::groups;
use crate::checks::presence::Judged;
use crate::cross_call::Place;
use crate::defect::Defect;
use crate::drift::{DriftLine, notice};
use crate::expected::{Expectation, Presence};
use crate::finding::Finding;
use crate::holds::Holds;
use crate::in_flight::InFlight;
use crate::options::{AudioScope, Jobs};
use crate::outcome::Outcome;
use crate::report::{Identity, Report, RequestLine, Scope, StandIn, Summary};
use crate::requests::{Announced, Operation};
use crate::run_error::RunError;
use crate::show;
use crate::source::order;
use crate::target::{Platform, Stores};
use crate::totals::TotalsCompared;
use crate::verdict::{
    AudioRead, Bucket, Counts, Interactions, SampleBound, SentenceInputs, breakdown, by_reason,
    sentence, upper_bound_95, verdict,
};

/// What went over the wire.
pub(crate) struct Traffic {
    /// Requests made.
    pub(crate) sent: Vec<(&'static Operation, u64)>,
    /// What was said about them beforehand.
    pub(crate) announced: Announced,
    pub(crate) drift: Vec<DriftLine>,
    pub(crate) jobs: Jobs,
    /// What was taken over from an unfinished verification.
    pub(crate) kept: Option<String>,
}

pub(crate) fn summarize(
    mut outcome: Outcome,
    platform: &dyn Platform,
    traffic: &Traffic,
) -> Result<Report, RunError> {
    let counts = count(&outcome)?;
    let interactions = interactions(&outcome);
    let mut needs = outcome.needs.clone();
    if interactions.is_population_unknown {
        needs.insert(
            "control totals (--totals) or the live source, for whether all of it was staged"
                .to_owned(),
        );
    }
    needs.extend(
        outcome
            .judged
            .iter()
            .flat_map(|judged| &judged.buckets)
            .filter_map(need)
            .chain(
                outcome
                    .judged
                    .iter()
                    .filter_map(|judged| judged.unverifiable.clone()),
            ),
    );
    let sample = sample(&outcome);
    let breakdown = breakdown(
        outcome
            .expectations
            .iter()
            .zip(&outcome.judged)
            .map(|(expected, judged)| (expected, judged.buckets.as_slice())),
    );
    let reasons = by_reason(outcome.judged.iter().flat_map(|judged| &judged.buckets));
    let agreed = outcome
        .judged
        .iter()
        .flat_map(|judged| &judged.buckets)
        .filter(|bucket| matches!(bucket, Bucket::Skipped { agreed: true, .. }))
        .count() as u64;
    let (audio, only, staged, site_zone_known) = (
        outcome.audio,
        outcome.only,
        outcome.staged,
        outcome.site_zone_known,
    );
    let unread = outcome.needs.clone();
    let rounded = (outcome.rounded > 0).then(|| {
        format!(
            "lengths of {} calls have a fraction of a millisecond in the source, and \
            are compared rounded",
            outcome.rounded
        )
    });
    let stores = outcome.stores.clone();
    let (totals, in_flight, holds) = (outcome.totals.clone(), outcome.in_flight, outcome.holds);
    let told_stores = stores.as_ref().map(Stores::words).unwrap_or_default();
    let stand_in = stand_in(&outcome.expectations);
    let calls = outcome.expectations.len() as u64;
    let whole = whole_in_part(&outcome);
    let records = std::mem::take(&mut outcome.records);
    let mut findings = findings(outcome);
    findings.iter_mut().for_each(|finding| {
        let assumption = platform.assumption_behind(finding);
        basis::explain(finding, assumption);
        finding.advice = advice::for_finding(finding, platform.how_to_send_again());
        finding.show = show::again(finding, platform.request_that_shows(finding));
    });
    let mut by_defect: BTreeMap<Defect, u64> = BTreeMap::new();
    for finding in &findings {
        *by_defect.entry(finding.defect).or_default() += 1;
    }
    let verdict = verdict(&counts, interactions);
    let read = match (&sample, audio) {
        (Some(bound), _) => AudioRead::Sample(bound),
        (None, AudioScope::None) => AudioRead::None,
        (None, _) => AudioRead::All,
    };
    let as_read = if staged { "staged" } else { "in the source" };
    let total_off = totals
        .as_ref()
        .and_then(|totals| totals.differences.first())
        .map(|first| first.words(as_read));
    let sentence = sentence(&SentenceInputs {
        verdict,
        counts: &counts,
        interactions,
        agreed,
        by_defect: &by_defect,
        needs: &needs,
        audio: read,
        only,
        staged,
        total_off: total_off.as_deref(),
        in_flight: in_flight.map_or(0, |in_flight| in_flight.recordings),
        target: platform.name(),
        stores: &told_stores,
    });
    let scope = Scope {
        metadata: "all".to_owned(),
        audio: match audio {
            AudioScope::All => "all",
            AudioScope::Sample { .. } => "sample",
            AudioScope::None => "none",
        }
        .to_owned(),
        source: if staged { "staged" } else { "live" }.to_owned(),
        stores: stores.clone(),
        only,
        while_migrating: in_flight,
        no_jobs: traffic.jobs == Jobs::LeaveOut,
        sample,
    };
    let budget = traffic.announced.settle(&traffic.sent);
    let mut notices: Vec<String> = unread
        .iter()
        .map(|need| format!("could not be read; needed: {need}"))
        .collect();
    notices.extend(rounded);
    notices.extend(holds.as_ref().and_then(Holds::words));
    notices.extend(totals.as_ref().and_then(TotalsCompared::notice));
    notices.extend(in_flight.as_ref().and_then(InFlight::notice));
    notices.extend(stand_in.notice(calls));
    notices.extend(whole);
    notices.extend(traffic.kept.clone());
    notices.extend(budget.notice());
    notices.extend(notice(&traffic.drift));
    let summary = Summary {
        version: 1,
        verdict,
        sentence,
        identity: Identity::default(),
        scope,
        counts,
        by_reason: reasons,
        by_defect: by_defect
            .into_iter()
            .map(|(defect, count)| (defect.code().to_owned(), count))
            .collect(),
        groups: groups(&findings, &records),
        stand_in,
        holds,
        totals,
        second_decoder: None,
        against: None,
        budget,
        notices,
        assumptions: assumptions(
            platform,
            interactions.is_population_unknown,
            site_zone_known,
        ),
    };
    let line = |(operation, count): &(&'static Operation, u64)| RequestLine {
        side: operation.side(),
        operation: operation.name.to_owned(),
        method: operation.method.to_owned(),
        path: operation.path().to_owned(),
        count: *count,
        creates: operation.creates,
        read_only: true,
    };
    let requests = traffic.sent.iter().map(line).collect();
    Ok(Report {
        summary,
        findings,
        requests,
        breakdown,
        drift: traffic.drift.clone(),
        changes: Vec::new(),
    })
}

/// The sum, checked: a recording in no bucket or in two would be our bug, and no verdict is given
/// then.
fn count(outcome: &Outcome) -> Result<Counts, RunError> {
    let mut counts = Counts {
        source_interactions: outcome.expectations.len() as u64,
        target_interactions: outcome.target_interactions,
        target_recordings: outcome.target_recordings,
        extra: outcome.extra_recordings,
        ..Counts::default()
    };
    for (expected, judged) in outcome.expectations.iter().zip(&outcome.judged) {
        if judged.buckets.len() != expected.recordings.len() {
            return Err(RunError::Internal(format!(
                "interaction {}: {} buckets for {} recordings",
                expected.legacy_id,
                judged.buckets.len(),
                expected.recordings.len()
            )));
        }
        judged.buckets.iter().for_each(|bucket| counts.add(bucket));
        counts.extra += judged.extra as u64;
    }
    match counts.adds_up() {
        true => Ok(counts),
        false => Err(RunError::Internal(format!(
            "the counts do not add up: {counts:?}"
        ))),
    }
}

/// Interactions whose damage no recording carries: extra conversations and surplus without
/// recordings, and calls that have none.
fn interactions(outcome: &Outcome) -> Interactions {
    let carried = |judged: &&Judged| {
        judged.extra > 0
            || judged
                .buckets
                .iter()
                .any(|bucket| matches!(bucket, Bucket::Different | Bucket::Missing))
    };
    let wrong = outcome
        .judged
        .iter()
        .filter(|judged| !judged.findings.is_empty())
        .filter(|judged| !carried(judged))
        .count();
    let bare_extra_conversations = if outcome.extra_recordings == 0 {
        outcome.extra_conversations.len()
    } else {
        0
    };
    Interactions {
        wrong: (wrong + bare_extra_conversations) as u64,
        policies: outcome.policies.len() as u64,
        not_verifiable: outcome
            .judged
            .iter()
            .filter(|judged| judged.unverifiable.is_some())
            .count() as u64,
        totals_off: outcome
            .totals
            .as_ref()
            .map_or(0, |totals| totals.differences.len() as u64),
        // Chosen calls are not said to be all.
        is_population_unknown: outcome.staged
            && outcome.only.is_none()
            && !outcome
                .totals
                .as_ref()
                .is_some_and(TotalsCompared::is_whole),
    }
}

fn need(bucket: &Bucket) -> Option<String> {
    match bucket {
        Bucket::NotVerifiable(need) => Some(need.clone()),
        _ => None,
    }
}

/// The bound of a sample: wrong audio among what was compared, against all recordings that must be
/// there.
fn sample(outcome: &Outcome) -> Option<SampleBound> {
    let AudioScope::Sample { seed, .. } = outcome.audio else {
        return None;
    };
    let sounds = |place: &&Place| {
        let id = &outcome.expectations[place.0].recordings[place.1].legacy_id;
        outcome.judged[place.0].findings.iter().any(|finding| {
            finding.field == "audio" && finding.legacy_recording_id.as_ref() == Some(id)
        })
    };
    let wrong = outcome.compared.iter().filter(sounds).count() as u64;
    let there = |bucket: &&Bucket| {
        matches!(
            bucket,
            Bucket::Matched | Bucket::Different | Bucket::NotVerifiable(_)
        )
    };
    let of = outcome
        .judged
        .iter()
        .flat_map(|judged| &judged.buckets)
        .filter(there)
        .count() as u64;
    let size = outcome.compared.len() as u64;
    // Everything was compared: nothing is left to estimate.
    let upper_95 = if size >= of && size > 0 {
        wrong as f64 / size as f64
    } else {
        upper_bound_95(wrong, size)
    };
    Some(SampleBound {
        size,
        of,
        seed,
        wrong,
        upper_95,
    })
}

/// Calls that must be there under the plan's stand-in.
fn stand_in(expectations: &[Expectation]) -> StandIn {
    let mut stand_in = StandIn::default();
    for expected in expectations.iter().filter(|expected| {
        !matches!(
            expected.presence,
            Presence::Absent(_) | Presence::NotCarried
        )
    }) {
        let agents: BTreeSet<&String> = expected
            .legs
            .iter()
            .filter(|leg| leg.fallback)
            .map(|leg| &leg.legacy_agent)
            .collect();
        if agents.is_empty() && expected.stand_in_queue.is_none() {
            continue;
        }
        stand_in.calls += 1;
        for agent in agents {
            *stand_in.agents.entry(agent.clone()).or_default() += 1;
        }
        if let Some(queue) = &expected.stand_in_queue {
            *stand_in.queues.entry(queue.clone()).or_default() += 1;
        }
    }
    stand_in
}

/// What was read of what could not be judged whole: how much of it agrees.
fn whole_in_part(outcome: &Outcome) -> Option<String> {
    let compared: BTreeSet<Place> = outcome.compared.iter().copied().collect();
    let (mut there, mut sound) = (0_u64, 0_u64);
    for (case, (judged, pairing)) in outcome.judged.iter().zip(&outcome.pairings).enumerate() {
        for (at, bucket) in judged.buckets.iter().enumerate() {
            let is_there = pairing.recordings.get(at).is_some_and(Option::is_some);
            if matches!(bucket, Bucket::NotVerifiable(_)) && is_there {
                there += 1;
                sound += u64::from(compared.contains(&(case, at)));
            }
        }
    }
    (there > 0).then(|| {
        format!(
            "{there} of those that could not be judged whole were found in the target, and agree \
             in everything of them that could be read, {sound} of them in their sound too: \
             recordings.csv says of each what was compared"
        )
    })
}

/// By call and recording, the extra conversations last.
fn findings(outcome: Outcome) -> Vec<Finding> {
    let mut findings: Vec<Finding> = outcome
        .judged
        .into_iter()
        .flat_map(|judged| judged.findings)
        .chain(outcome.extra_conversations)
        .chain(outcome.policies)
        .collect();
    findings.sort_by_cached_key(|finding| {
        let id = finding.legacy_interaction_id.as_deref();
        (
            id.is_none(),
            id.map(order),
            finding.legacy_recording_id.clone(),
            finding.defect,
            finding.target_id.clone(),
        )
    });
    findings
}

/// What the verifier takes for granted without a vendor's word; each by name.
fn assumptions(
    platform: &dyn Platform,
    is_population_unknown: bool,
    site_zone_known: bool,
) -> Vec<String> {
    let mut assumptions: Vec<String> = platform
        .assumptions()
        .iter()
        .map(|assumption| (*assumption).to_owned())
        .collect();
    assumptions.push(
        "source.time_window: an instant before 1990 or after 2100 is unusable, not a call"
            .to_owned(),
    );
    if is_population_unknown {
        assumptions.push(
            "source.staged: the staging holds everything the source had; whether it \
            does is not judged"
                .to_owned(),
        );
    }
    if !site_zone_known {
        assumptions.push(
            "time.site_zone: not given, so a daylight-saving error is reported as a plain shift"
                .to_owned(),
        );
    }
    assumptions
}
