//! What a verification hands over: summary, findings, requests, breakdown. Source:
//! docs/reference/reports.md.

mod against;
mod call;
mod recordings;
mod text;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

pub use against::{Against, Change, ChangeKind};
pub(crate) use against::{EarlierReport, RecordingsCompared};
pub use call::{CallEvidence, calls_of, evidence_of};
pub use recordings::RecordingLine;
pub(crate) use recordings::{lines_of_call, write_recordings};
pub(crate) use write::{write_drift, write_manifest_differences};

use crate::causes::Group;
use crate::custody::CustodyRead;
use crate::decoded_twice::DecodedTwice;
use crate::drift::DriftLine;
use crate::expected::{Expectation, Presence};
use crate::finding::Finding;
use crate::holds::Holds;
use crate::in_flight::InFlight;
use crate::manifest::ManifestCompared;
use crate::requests::{Budget, Creation, Side};
use crate::target::Stores;
use crate::totals::TotalsCompared;
use crate::verdict::{BreakdownRow, Counts, SampleBound, Verdict};

/// The outcome of a verification.
#[derive(Debug, Clone)]
pub struct Report {
    /// As written to `summary.json`.
    pub summary: Summary,
    /// As written to `findings.jsonl`, by call and recording.
    pub findings: Vec<Finding>,
    /// As written to `requests.jsonl`.
    pub requests: Vec<RequestLine>,
    /// As written to `breakdown.csv`.
    pub breakdown: Vec<BreakdownRow>,
    /// As written to `drift.jsonl`: answers of the target outside what is documented.
    pub drift: Vec<DriftLine>,
    /// As written to `changes.jsonl`: what has changed since an earlier report. Empty as well where
    /// there is none.
    pub changes: Vec<Change>,
}

/// `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Format of this file: 1.
    pub version: u32,
    /// `match`, `mismatch` or `cannot_tell`.
    pub verdict: Verdict,
    /// The verdict as a sentence.
    pub sentence: String,
    /// What ties this report to a run: when, by what, of what, and the hashes of the files beside
    /// it.
    #[serde(default)]
    pub identity: Identity,
    /// What was looked at.
    pub scope: Scope,
    /// The sum over the source's recordings, and what is outside it.
    pub counts: Counts,
    /// Quarantined and skipped recordings by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Findings by class.
    pub by_defect: BTreeMap<String, u64>,
    /// Findings that share a cause.
    pub groups: Vec<Group>,
    /// Calls that must be there under the plan's stand-in, and for whom.
    #[serde(default)]
    pub stand_in: StandIn,
    /// Calls under legal hold, and how many of them are protected. Absent: there are none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holds: Option<Holds>,
    /// How the control totals of `--totals` came out. Absent: none were given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub totals: Option<TotalsCompared>,
    /// How the signed manifest of `--manifest` came out. Absent: none was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub manifest: Option<ManifestCompared>,
    /// How the chain of custody of `--custody` came out. Absent: none was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub custody: Option<CustodyRead>,
    /// What came of decoding a sample of recordings a second time. Absent: it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub second_decoder: Option<DecodedTwice>,
    /// What has changed since the report of `--against`. Absent: none was named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub against: Option<Against>,
    /// Requests to the target: announced before it started, and made.
    pub budget: Budget,
    /// What a reader should know beside the verdict: what could not be read, a budget overrun,
    /// drift. Mostly empty.
    pub notices: Vec<String>,
    /// What the verifier took for granted.
    pub assumptions: Vec<String>,
}

/// What ties a report to a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// When the verification began. RFC 3339, UTC.
    pub begun: String,
    /// When it was through.
    pub ended: String,
    /// Name and version of the program.
    pub tool: String,
    /// SHA-256 over the plan and every file it names, hex.
    pub plan_sha256: String,
    /// The plan's namespace: what in the target is the migration's.
    pub namespace: String,
    /// Address of the source.
    pub source: String,
    /// Address of the target. Absent: the plan leads to none.
    pub target: Option<String>,
    /// Genesys Cloud: the client the target was read with, which belongs to one organisation.
    /// Interaction Recording: the contact centre.
    pub organisation: String,
    /// SHA-256 of each file that was written beside this one, hex, by name.
    pub files: BTreeMap<String, String>,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// `all`.
    pub metadata: String,
    /// `all`, `sample` or `none`.
    pub audio: String,
    /// `live` or `staged`.
    pub source: String,
    /// Interaction Recording: how each of its stores was read. Absent: the target is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stores: Option<Stores>,
    /// Interactions the verification was restricted to; of no other anything is said. Absent: all
    /// were looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub only: Option<u64>,
    /// What a running migration was still at. Absent: everything was judged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub while_migrating: Option<InFlight>,
    /// Whether jobs and batch downloads were left out. Absent: they were not.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub no_jobs: bool,
    /// What the sample says about the whole. Absent: there was no sample.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<SampleBound>,
}

impl Scope {
    /// Whether another verification looked at the same.
    fn is_like(&self, other: &Scope) -> bool {
        (&self.metadata, &self.audio, &self.source)
            == (&other.metadata, &other.audio, &other.source)
            && self.while_migrating.is_some() == other.while_migrating.is_some()
    }
}

/// Calls for which the plan's stand-in goes: the fallback user for an agent, the default queue for
/// a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandIn {
    /// Calls with either.
    pub calls: u64,
    /// Agents of the source without a row valid at the call's date, each with its calls.
    pub agents: BTreeMap<String, u64>,
    /// Queues of the source without a row, each with its calls.
    pub queues: BTreeMap<String, u64>,
}

impl StandIn {
    /// Counts a call that must be there under the plan's stand-in.
    pub(crate) fn add(&mut self, expected: &Expectation) {
        if matches!(
            expected.presence,
            Presence::Absent(_) | Presence::NotCarried
        ) {
            return;
        }
        let agents: BTreeSet<&str> = expected
            .legs
            .iter()
            .filter(|leg| leg.fallback)
            .map(|leg| &*leg.legacy_agent)
            .collect();
        if agents.is_empty() && expected.stand_in_queue.is_none() {
            return;
        }
        self.calls += 1;
        for agent in agents {
            *self.agents.entry(agent.to_owned()).or_default() += 1;
        }
        if let Some(queue) = &expected.stand_in_queue {
            *self.queues.entry(queue.into()).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: StandIn) {
        self.calls += other.calls;
        for (own, others) in [
            (&mut self.agents, other.agents),
            (&mut self.queues, other.queues),
        ] {
            for (name, calls) in others {
                *own.entry(name).or_default() += calls;
            }
        }
    }

    /// What a reader should know. Absent: nobody is replaced.
    pub(crate) fn notice(&self, of: u64) -> Option<String> {
        const NAMED: usize = 10;
        let named = |what: &str, counts: &BTreeMap<String, u64>| {
            let mut ranked: Vec<(&u64, &String)> =
                counts.iter().map(|(name, calls)| (calls, name)).collect();
            ranked.sort_by(|a, b| b.0.cmp(a.0).then_with(|| a.1.cmp(b.1)));
            let more = ranked.len().saturating_sub(NAMED);
            let names: Vec<String> = ranked
                .into_iter()
                .take(NAMED)
                .map(|(calls, name)| format!("{name} ({calls})"))
                .collect();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            (!names.is_empty()).then(|| format!("{what} {}{more}", names.join(", ")))
        };
        let names: Vec<String> = [named("agents", &self.agents), named("queues", &self.queues)]
            .into_iter()
            .flatten()
            .collect();
        (self.calls > 0).then(|| {
            format!(
                "{} of {of} calls carry the plan's stand-in, because no row valid at their date \
                 names their agent or queue: {}",
                self.calls,
                names.join("; ")
            )
        })
    }
}

/// A line of `requests.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestLine {
    /// `source` or `target`.
    pub side: Side,
    /// Name in the table that `--print-requests` lists.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path with `{}` for ids.
    pub path: String,
    /// How often, tokens and retries included.
    pub count: u64,
    /// What it left on the platform. Absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub creates: Option<Creation>,
    /// Always true: no record was changed, and anything else is refused before it is sent.
    pub read_only: bool,
}

impl Report {
    /// The process exit code. Source: docs/reference/exit-codes.md.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.summary.verdict.exit_code()
    }

    /// Adds what came of decoding a second time.
    pub(crate) fn tell_decoded_twice(&mut self, twice: DecodedTwice) {
        self.summary.sentence.push_str("; ");
        self.summary.sentence.push_str(&twice.words());
        self.summary.second_decoder = Some(twice);
    }

    /// Adds what has changed since an earlier report.
    pub(crate) fn hold_against(&mut self, earlier: RecordingsCompared) {
        let (against, changes) = earlier.findings(&self.findings, &self.summary.scope);
        self.summary.sentence.push_str("; ");
        self.summary.sentence.push_str(&against.words());
        self.summary.notices.extend(against.notice());
        self.summary.against = Some(against);
        self.changes = changes;
    }
}

impl Summary {
    /// JSON Schema of `summary.json`.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Summary)
    }
}

impl Finding {
    /// JSON Schema of a line of `findings.jsonl`.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Finding)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::causes::{Records, groups};
    use crate::defect::Defect;

    pub(crate) fn report() -> Report {
        let finding = Finding::new(Defect::AudioSilent, "audio")
            .of("100001")
            .recording("100001-1")
            .target("t-1")
            .expected("sound")
            .actual("silence in channel 1");
        let counts = Counts {
            source_interactions: 2,
            target_interactions: 2,
            source_recordings: 3,
            target_recordings: 3,
            matched: 2,
            different: 1,
            ..Counts::default()
        };
        let findings = vec![finding];
        Report {
            summary: Summary {
                version: 1,
                verdict: Verdict::Mismatch,
                sentence: "mismatch: 1 of 3 recordings is wrong: 1 different (audio is silent)"
                    .into(),
                identity: Identity::default(),
                scope: Scope {
                    metadata: "all".into(),
                    audio: "all".into(),
                    source: "live".into(),
                    stores: None,
                    only: None,
                    while_migrating: None,
                    no_jobs: false,
                    sample: None,
                },
                counts,
                by_reason: BTreeMap::new(),
                by_defect: BTreeMap::from([("D19".into(), 1)]),
                groups: groups(&findings, &Records::default()),
                stand_in: StandIn::default(),
                holds: None,
                totals: None,
                manifest: None,
                custody: None,
                second_decoder: None,
                against: None,
                budget: Budget {
                    requests_per_minute: 300,
                    limit_of: "plan".into(),
                    announced: 7,
                    made: 7,
                    seconds: 2,
                    operations: Vec::new(),
                },
                notices: Vec::new(),
                assumptions: vec!["genesys_cloud.recordings.format_none: times stand".into()],
            },
            findings,
            requests: vec![RequestLine {
                side: Side::Target,
                operation: "list_users".into(),
                method: "GET".into(),
                path: "/api/v2/users".into(),
                count: 2,
                creates: None,
                read_only: true,
            }],
            breakdown: Vec::new(),
            drift: Vec::new(),
            changes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::report;

    #[test]
    fn the_summary_has_exactly_the_keys_of_the_contract() {
        let summary = serde_json::to_value(report().summary).expect("json");
        let keys: Vec<&String> = summary.as_object().expect("an object").keys().collect();
        let mut wanted = vec![
            "version",
            "verdict",
            "sentence",
            "identity",
            "scope",
            "counts",
            "by_reason",
            "by_defect",
            "groups",
            "stand_in",
            "budget",
            "notices",
            "assumptions",
        ];
        wanted.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, wanted);
        assert_eq!(summary["verdict"], "mismatch");
        let counts: Vec<&str> = summary["counts"]
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(counts.len(), 11);
    }

    #[test]
    fn a_finding_has_exactly_the_keys_of_the_contract_and_ids_are_text() {
        let finding = serde_json::to_value(&report().findings[0]).expect("json");
        let mut keys: Vec<&str> = finding
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        let mut wanted = vec![
            "defect",
            "title",
            "severity",
            "legacy_interaction_id",
            "legacy_recording_id",
            "target_id",
            "field",
            "expected",
            "actual",
            "consequences",
            "impact",
            "advice",
            "source",
            "grade",
            "show",
        ];
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
        assert_eq!(
            (
                finding["defect"].as_str(),
                finding["legacy_interaction_id"].as_str()
            ),
            (Some("D19"), Some("100001"))
        );
    }

    #[test]
    fn the_schemas_name_every_key() {
        let schema = serde_json::to_value(crate::Summary::schema()).expect("json");
        assert!(
            schema["properties"]["counts"].is_object()
                && schema["properties"]["groups"].is_object()
        );
        let schema = serde_json::to_value(crate::Finding::schema()).expect("json");
        assert!(
            schema["properties"]["consequences"].is_object()
                && schema["properties"]["cause"].is_null()
        );
    }
}
