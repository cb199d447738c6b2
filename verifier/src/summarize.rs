//! From judged interactions to a report.

use std::collections::BTreeMap;

use crate::advice;
use crate::basis;
use crate::causes::groups;
use crate::custody::CustodyRead;
use crate::defect::Defect;
use crate::drift::{DriftLine, notice};
use crate::finding::Finding;
use crate::holds::Holds;
use crate::in_flight::InFlight;
use crate::manifest::ManifestCompared;
use crate::options::{AudioScope, Jobs};
use crate::outcome::Outcome;
use crate::report::{Identity, Report, RequestLine, Scope, Summary};
use crate::requests::{Announced, Operation};
use crate::run_error::RunError;
use crate::show;
use crate::source::order;
use crate::target::{Platform, Stores};
use crate::totals::TotalsCompared;
use crate::verdict::{
    AudioRead, Counts, Interactions, SampleBound, SentenceInputs, sentence, upper_bound_95, verdict,
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
    outcome: Outcome,
    platform: &dyn Platform,
    traffic: &Traffic,
) -> Result<Report, RunError> {
    let counts = count(&outcome)?;
    let interactions = interactions(&outcome);
    let mut needs = outcome.needs.clone();
    if interactions.is_population_unknown {
        needs.insert(
            "control totals (--totals), a signed manifest (--manifest) or the live source, for \
             whether all of it was staged"
                .to_owned(),
        );
    }
    needs.extend(outcome.sums.needs.iter().cloned());
    let sample = sample(&outcome);
    let agreed = outcome.sums.agreed;
    let (audio, only, staged, site_zone_known) = (
        outcome.audio,
        outcome.only,
        outcome.staged,
        outcome.site_zone_known,
    );
    let unread = outcome.needs.clone();
    let rounded = (outcome.sums.rounded > 0).then(|| {
        format!(
            "lengths of {} calls have a fraction of a millisecond in the source, and \
            are compared rounded",
            outcome.sums.rounded
        )
    });
    let stores = outcome.stores.clone();
    let (totals, in_flight, holds) = (outcome.totals.clone(), outcome.in_flight, outcome.holds);
    let manifest = outcome.manifest.clone();
    let (custody, by_custody) = outcome.custody.unzip();
    let told_stores = stores.as_ref().map(Stores::words).unwrap_or_default();
    let calls = outcome.sums.counts.source_interactions;
    let whole = whole_in_part(outcome.sums.in_part);
    let mut findings = findings(
        outcome.findings,
        by_custody.unwrap_or_default(),
        outcome.extra_conversations,
        outcome.policies,
    );
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
    let manifest_off = manifest
        .as_ref()
        .and_then(|manifest| manifest.examples.first())
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
        manifest_off: manifest_off.as_deref(),
        manifest: manifest.as_ref().map(ManifestCompared::words).as_deref(),
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
    notices.extend(manifest.as_ref().and_then(ManifestCompared::notice));
    notices.extend(custody.as_ref().and_then(CustodyRead::notice));
    notices.extend(in_flight.as_ref().and_then(InFlight::notice));
    notices.extend(outcome.sums.stand_in.notice(calls));
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
        by_reason: outcome.sums.reasons,
        by_defect: by_defect
            .into_iter()
            .map(|(defect, count)| (defect.code().to_owned(), count))
            .collect(),
        groups: groups(&findings, &outcome.records),
        stand_in: outcome.sums.stand_in,
        holds,
        totals,
        manifest,
        custody,
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
        breakdown: outcome.sums.breakdown.rows(),
        drift: traffic.drift.clone(),
        changes: Vec::new(),
    })
}

/// The sum, checked: a recording in no bucket or in two would be our bug, and no verdict is given
/// then.
fn count(outcome: &Outcome) -> Result<Counts, RunError> {
    if let Some(broken) = &outcome.sums.broken {
        return Err(RunError::Internal(broken.clone()));
    }
    let counts = Counts {
        target_interactions: outcome.target_interactions,
        target_recordings: outcome.target_recordings,
        extra: outcome.sums.counts.extra + outcome.extra_recordings,
        ..outcome.sums.counts
    };
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
    let bare_extra_conversations = if outcome.extra_recordings == 0 {
        outcome.extra_conversations.len()
    } else {
        0
    };
    Interactions {
        wrong: outcome.sums.wrong + bare_extra_conversations as u64,
        policies: outcome.policies.len() as u64,
        not_verifiable: outcome.sums.not_verifiable,
        totals_off: outcome
            .totals
            .as_ref()
            .map_or(0, |totals| totals.differences.len() as u64),
        manifest_off: outcome
            .manifest
            .as_ref()
            .map_or(0, ManifestCompared::differences),
        custody_off: outcome
            .custody
            .as_ref()
            .map_or(0, |(custody, _)| custody.off()),
        // Chosen calls are not said to be all.
        is_population_unknown: outcome.staged
            && outcome.only.is_none()
            && !outcome
                .totals
                .as_ref()
                .is_some_and(TotalsCompared::is_whole)
            && !outcome
                .manifest
                .as_ref()
                .is_some_and(ManifestCompared::is_whole),
    }
}

/// The bound of a sample: wrong audio among what was compared, against all recordings that must be
/// there.
fn sample(outcome: &Outcome) -> Option<SampleBound> {
    let AudioScope::Sample { seed, .. } = outcome.audio else {
        return None;
    };
    let ((size, wrong), of) = (outcome.sums.compared, outcome.sums.audible);
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

/// What was read of what could not be judged whole: how much of it agrees.
fn whole_in_part((there, sound): (u64, u64)) -> Option<String> {
    (there > 0).then(|| {
        format!(
            "{there} of those that could not be judged whole were found in the target, and agree \
             in everything of them that could be read, {sound} of them in their sound too: \
             recordings.csv says of each what was compared"
        )
    })
}

/// By call and recording, the extra conversations last.
fn findings(
    of_calls: Vec<Finding>,
    by_custody: Vec<Finding>,
    extra_conversations: Vec<Finding>,
    policies: Vec<Finding>,
) -> Vec<Finding> {
    let mut findings = of_calls;
    findings.extend(by_custody);
    findings.extend(extra_conversations);
    findings.extend(policies);
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
