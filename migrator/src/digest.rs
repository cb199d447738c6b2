//! What was sent of a call, in a few bytes: whether another plan would send it otherwise is told
//! without asking the target.

use plan::{LoadedPlan, Pauses};
use sha2::{Digest, Sha256};

use crate::error::StepError;
use crate::ledger::{InteractionRow, Redo};
use crate::phone::PhoneRule;
use crate::prepare::{Prepared, prepare};
use crate::resolve::Resolver;
use crate::source::registry::format_of;
use crate::target::registry::rules_of;
use crate::target::{CallContent, TargetRules};

/// Digest of the document that a plan makes of a call: a function of the row and the plan.
pub(crate) fn document(
    rules: &dyn TargetRules,
    call: &CallContent<'_>,
) -> Result<String, StepError> {
    Ok(hex::encode(Sha256::digest(rules.document(call)?)))
}

/// Digest of the rules that a call's audio is made by and chosen by.
pub(crate) fn audio_rules(plan: &LoadedPlan, row: &InteractionRow) -> String {
    let excluded: Vec<Option<&str>> = row
        .recordings
        .iter()
        .map(|recording| {
            plan.exclusion(crate::legacy_id::key(&recording.legacy_id))
                .map(|agreed| agreed.reason.as_str())
        })
        .collect();
    let format = format_of(plan);
    let has_pauses = row
        .recordings
        .iter()
        .any(|recording| format.may_have_pauses(recording));
    let pauses: Option<&Pauses> = has_pauses.then_some(&plan.plan.pii.pauses);
    let audio = &plan.plan.audio;
    let certificates = plan.plan.target.certificates();
    hex::encode(Sha256::digest(format!(
        "{audio:?} {pauses:?} {certificates:?} {excluded:?} {:?}",
        plan.plan.rules.partial
    )))
}

/// From where a call that is in the target has to be done again under a plan. Absent: it would be
/// sent as it was.
pub(crate) fn change(
    plan: &LoadedPlan,
    resolver: &Resolver,
    phones: &PhoneRule,
    row: &InteractionRow,
) -> Option<Redo> {
    if row
        .audio_rules
        .as_ref()
        .is_some_and(|known| *known != audio_rules(plan, row))
    {
        return Some(Redo::Audio);
    }
    let anew = || {
        let Prepared { record, resolved } = &prepare(plan, resolver, phones, row)?;
        document(
            rules_of(plan),
            &CallContent {
                plan,
                resolver,
                phones,
                record,
                resolved,
                recordings: &row.recordings,
            },
        )
    };
    let same = anew().ok() == row.document;
    (!same).then_some(Redo::Document)
}
