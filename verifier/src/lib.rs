//! Judges a source against a target, independently of how the work was done: read both, derive what
//! must be there, compare, and say so.
//!
//! The verifier shares transport with the migrator and nothing of meaning: times, identities,
//! people, retention and audio are derived here a second time, from source, mapping and plan alone,
//! so that a wrong rule on either side is seen. It never reads a ledger (a chain of custody only adds findings), and it changes no record
//! of either platform: what its table of requests does not name is refused before it is sent.
//!
//! | module | for |
//! | --- | --- |
//! | `run` | the verification from end to end |
//! | `source` | the source behind a trait: the legacy platform, or what was staged of it |
//! | `target` | the target behind two traits: a folder a platform, and the registry that names them |
//! | `capabilities`, `platform_facts` | what a platform can show; what only it knows, carried by everybody else |
//! | `observed` | calls and recordings as any target shows them |
//! | `expected` | what must be in the target: pure |
//! | `requests`, `drift` | every request that may be sent: listed, enforced, reckoned; answers outside the documented shapes |
//! | `saved_readings` | readings of an unfinished verification |
//! | `sorted_records`, `in_order`, `refill` | records in the order of their keys, more than memory holds; looked up in that order; read back without new memory |
//! | `triage`, `columns`, `sums` | calls that are right are counted and let go; what stays of them |
//! | `examined`, `sample` | the others, looked at together; which recordings are listened to |
//! | `holds` | how many legal holds stand |
//! | `totals`, `in_flight` | whether the source was read whole; what a running migration is still at |
//! | `manifest` | a signed list of what the source has, held against what was read |
//! | `custody` | what a migrator's log says of each recording, held against what was found |
//! | `join_recordings`, `bounded_lines` | what is handed over beside what was judged; lines from outside |
//! | `matching`, `cross_call` | which record is which; what only shows across calls |
//! | `sound`, `audio_compare`, `envelope` | audio of both sides, a pair at a time; encrypted files |
//! | `decoded_twice` | recordings that another program decodes too |
//! | `compare_files` | two files by themselves |
//! | `checks` | pure comparisons, a file a subject |
//! | `causes` | findings by what their records have in common: root causes in words |
//! | `verdict`, `outcome`, `summarize`, `report` | buckets, what was found, sums, the files |
//! | `defect`, `finding` | classes of damage with their titles; one difference |
//! | `advice`, `basis`, `show` | what to do about a finding, what it costs and rests on, how to see it again |

mod advice;
mod audio_compare;
mod basis;
mod bounded_lines;
mod capabilities;
mod causes;
mod checks;
mod columns;
mod compare_files;
mod cross_call;
mod custody;
mod decoded_twice;
mod defect;
mod drift;
mod envelope;
mod examined;
mod expected;
mod expired;
mod finding;
mod habits;
mod holds;
mod in_flight;
mod in_order;
mod join_recordings;
mod judged_call;
mod manifest;
mod matching;
mod observed;
mod options;
mod outcome;
mod patterns;
mod platform_facts;
mod refill;
mod report;
mod requests;
mod run;
mod run_error;
mod sample;
mod saved_readings;
mod show;
mod sorted_map;
mod sorted_records;
mod sound;
mod source;
mod summarize;
mod sums;
mod target;
mod text;
mod totals;
mod triage;
mod utc_millis;
mod verdict;

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

pub use causes::{Example, Explained, Group};
pub use compare_files::{FileDifference, Fit, compare_files, decode_again, fit_files};
pub use custody::{CustodyRead, CustodyVersion};
pub use decoded_twice::{DecodedTwice, OtherSound};
pub use defect::{Defect, Severity};
pub use drift::DriftLine;
pub use finding::{Finding, Grade};
pub use holds::Holds;
pub use in_flight::InFlight;
pub use manifest::{ManifestCompared, ManifestDifference, ManifestDifferenceKind, ManifestValues};
pub use options::{
    AudioScope, DecodeTwice, Exports, Jobs, Options, Progress, SignedManifest, Silent, SourceFrom,
    Stage,
};
pub use report::{
    Against, CallEvidence, Change, ChangeKind, RecordingLine, Report, RequestLine, Scope, StandIn,
    Summary, calls_of, evidence_of,
};
pub use requests::{Budget, BudgetLine, Creation, Listed, Side};
pub use run_error::RunError;
pub use sound::{
    DECODERS_LEAST_FIT, DECODERS_LEAST_IN_PLACE, DECODERS_LENGTH_APART_MS,
    DECODERS_LOUDNESS_APART_DB,
};
pub use target::{HandedOver, Stores};
pub use totals::{CountOf, TotalsCompared, TotalsDifference};
pub use utc_millis::UtcMillis;
pub use verdict::{BreakdownRow, Counts, Dimension, SampleBound, Verdict, upper_bound_95};

/// Verifies what a plan describes, and writes the report where [`Options::report_dir`] says.
///
/// A report is an answer, whatever its verdict; an error means that there is none.
///
/// Boxed: an `async fn` of this size would be compiled again in each crate that awaits it.
pub fn verify<'a>(
    plan: &'a LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &'a dyn Progress,
) -> LocalBoxFuture<'a, Result<Report, RunError>> {
    Box::pin(judge(plan, options, transport, clock, progress))
}

async fn judge(
    plan: &LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> Result<Report, RunError> {
    let drifts = drift::Drifts::default();
    let kept = saved_readings::SavedReadings::open(
        options.report_dir.as_deref(),
        &plan.hash,
        UtcMillis::from_ms(clock.now_ms()),
    )?;
    let (begun, watch) = (UtcMillis::from_ms(clock.now_ms()), clock.clone());
    let work = run::run(plan, &options, transport, clock, &drifts, &kept, progress);
    let mut report = tokio::select! {
        biased;
        () = options.interrupt.cancelled() => Err(RunError::Interrupted),
        report = work => report,
    };
    if let Ok(report) = &mut report {
        for row in report
            .breakdown
            .iter_mut()
            .filter(|row| row.dimension == Dimension::Agent)
        {
            // The latest name of an agent with several rows: it is for a person to read, and
            // decides nothing.
            let named = plan
                .mapping
                .agents
                .iter()
                .rfind(|agent| agent.legacy_agent_id == row.key);
            row.name = named
                .map(|agent| agent.genesys_user_name.clone())
                .unwrap_or_default();
        }
        report.summary.identity = identity(plan, begun, UtcMillis::from_ms(watch.now_ms()));
    }
    let Some(dir) = &options.report_dir else {
        return report;
    };
    match &mut report {
        Ok(report) => {
            report.summary.identity.files = report.write(dir)?;
            kept.forget();
        }
        // What a platform answered otherwise than expected is most wanted where it ended the
        // verification.
        Err(RunError::Target(_)) => report::write_drift(dir, &drifts.lines())?,
        Err(_) => {}
    }
    report
}

/// Every request a verification of this plan may send under these options. Sends none, and needs no
/// secret.
#[must_use]
pub fn requests_of(loaded: &LoadedPlan, options: &Options) -> Vec<Listed> {
    let platform = target::platform(loaded);
    let endpoints: Vec<_> = source::endpoint(loaded)
        .into_iter()
        .chain(platform.endpoints(loaded))
        .collect();
    Listed::all(&run::allowance(loaded, &*platform, options), &endpoints)
}

/// What ties a report to this run.
fn identity(plan: &LoadedPlan, begun: UtcMillis, ended: UtcMillis) -> report::Identity {
    report::Identity {
        begun: begun.to_string(),
        ended: ended.to_string(),
        tool: concat!("seatrial ", env!("CARGO_PKG_VERSION")).to_owned(),
        plan_sha256: plan.hash.clone(),
        namespace: plan.plan.identity.namespace.clone(),
        source: source::name(plan),
        target: plan.plan.target.main_url().map(|url| url.to_string()),
        organisation: target::platform(plan).organisation(&plan.plan),
        files: std::collections::BTreeMap::new(),
    }
}
