//! What only Genesys Cloud has, held against the judged calls: uploads that wait, and policies that
//! delete what was migrated.

use super::{DeletingPolicy, OrganisationFacts, Parked};
use crate::checks::presence::Judged;
use crate::defect::Defect;
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::target::{Reconciled, Reconciling};
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

pub(super) fn reconcile(found: &Reconciling<'_>, judged: &mut [Judged]) -> Reconciled {
    let Some(facts) = found.facts.get::<OrganisationFacts>() else {
        return Reconciled::default();
    };
    parked_uploads(found.expectations, &facts.parked, found.as_of, judged);
    let (policies, needs) = policies(&facts.policies, facts.calls);
    Reconciled {
        policies,
        needs,
        ..Reconciled::default()
    }
}

/// Missing recordings whose upload waits: for ever for a conversation that does not come, or still
/// for the platform.
fn parked_uploads(
    expectations: &[Expectation],
    parked: &[Parked],
    as_of: UtcMillis,
    judged: &mut [Judged],
) {
    const ENDS_WITHIN_MS: i64 = 24 * 3_600_000;
    for (case, expected) in expectations
        .iter()
        .enumerate()
        .filter(|_| !parked.is_empty())
    {
        for (at, recording) in expected.recordings.iter().enumerate() {
            let id = &recording.legacy_id;
            let is_missing = judged[case].buckets.get(at) == Some(&Bucket::Missing);
            let Some(waiting) = parked.iter().find(|parked| is_missing && parked.is_of(id)) else {
                continue;
            };
            let may_end = waiting.status == "Pending"
                && waiting
                    .since
                    .is_none_or(|since| as_of.since(since) < ENDS_WITHIN_MS);
            judged[case].findings.retain(|finding| {
                finding.defect != Defect::MissingRecording
                    || finding.legacy_recording_id.as_deref() != Some(id.as_str())
            });
            if may_end {
                judged[case].buckets[at] = Bucket::NotVerifiable("the upload to end".to_owned());
                continue;
            }
            judged[case].buckets[at] = Bucket::Different;
            let finding = Finding::new(Defect::UploadNeverEnded, "upload")
                .of(&expected.legacy_id)
                .recording(id)
                .target(&waiting.file);
            let since = waiting
                .since
                .map_or_else(String::new, |since| format!(" since {since}"));
            judged[case].findings.push(
                finding
                    .expected("a recording")
                    .actual(format!("{}{since}", waiting.status))
                    .because("upload is parked"),
            );
        }
    }
}

/// Policies that delete at once calls which were migrated: one finding each. The second list is
/// what would be needed to tell of others.
fn policies(policies: &[(DeletingPolicy, u64)], calls: u64) -> (Vec<Finding>, Vec<String>) {
    let (mut findings, mut needs) = (Vec::new(), Vec::new());
    for (policy, about) in policies {
        let kind = if policy.cross_platform {
            "cross-platform policy"
        } else {
            "policy"
        };
        let name = policy.name.as_deref().unwrap_or("without a name");
        if *about == 0 {
            continue;
        }
        if !policy.unread_conditions().is_empty() {
            let conditions = policy.unread_conditions().join(", ");
            needs.push(format!(
                "a person's look at the {kind} {name} ({}), which deletes at once: its \
                 {conditions} cannot be held against a call here",
                policy.id
            ));
            continue;
        }
        let finding = Finding::new(Defect::DeletedByPolicy, "retention policy")
            .target(&policy.id)
            .expected("none that deletes migrated calls at once");
        let finding = finding
            .actual(format!("{kind} `{name}` deletes at once"))
            .because(format!("{kind} deletes at once"));
        findings.push(finding.consequence(format!("it is about {about} of {calls} calls")));
    }
    (findings, needs)
}
