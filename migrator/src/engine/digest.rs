//! What was sent of a call, in a few bytes: whether another plan would send it otherwise is told without asking the target.

use plan::{Ingest, LoadedPlan, Pauses, TargetKind};
use sha2::{Digest, Sha256};

use super::work::prepare;
use crate::custody::hex;
use crate::genesys_cloud;
use crate::gir::{self, Names, Place};
use crate::ledger::{InteractionRow, RecordingRow, Redo};
use crate::outcome::Trouble;
use crate::phone::PhoneRule;
use crate::resolve::Resolver;

/// Digest of the document that a plan makes of a call: a function of the row and the plan.
pub(crate) fn document(plan: &LoadedPlan, resolver: &Resolver, phones: &PhoneRule, row: &InteractionRow) -> Result<String, Trouble> {
    let (record, resolved) = prepare(plan, resolver, phones, row)?;
    let text = match (plan.plan.target.kind(), plan.plan.target.genesys_cloud().map(|cloud| cloud.ingest).unwrap_or_default()) {
        (TargetKind::GenesysCloud, Ingest::Guide) => {
            let names = genesys_cloud::Names::new(&plan.plan.identity);
            let document = genesys_cloud::interaction(&names, resolver, phones, &record, &resolved, &row.recordings);
            serde_json::to_string(&document).unwrap_or_default()
        }
        (TargetKind::GenesysCloud, Ingest::Public) => {
            let names = genesys_cloud::Names::new(&plan.plan.identity);
            format!("{:?}", genesys_cloud::story(&names, resolver, phones, &record, &resolved, &row.recordings))
        }
        (TargetKind::Gir, _) => {
            let names = Names::new(&plan.plan.identity.namespace);
            let place = Place { names, region: plan.plan.target.gir().map_or("", |gir| &gir.region), resolver, phones };
            let document = gir::recording(&place, &record, &resolved, &row.recordings)?;
            let going = genesys_cloud::going(&record, &row.recordings);
            let labels = gir::labels(plan, names, going.iter().map(|(recording, _)| *recording));
            let held = record.recordings.iter().any(|recording| recording.legal_hold);
            format!("{} {labels:?} {held}", serde_json::to_string(&document).unwrap_or_default())
        }
    };
    Ok(hex(Sha256::digest(text)))
}

/// Digest of the rules that a call's audio is made by and chosen by.
pub(crate) fn audio_rules(plan: &LoadedPlan, row: &InteractionRow) -> String {
    let excluded: Vec<Option<&str>> = row
        .recordings
        .iter()
        .map(|recording| plan.exclusion(crate::resolve::key(&recording.legacy_id)).map(|agreed| agreed.reason.as_str()))
        .collect();
    let has_pauses = |recording: &RecordingRow| recording.answer.as_ref().is_some_and(|answer| answer.contains("startOffsetMs"));
    let pauses: Option<&Pauses> = row.recordings.iter().any(has_pauses).then_some(&plan.plan.pii.pauses);
    let audio = &plan.plan.audio;
    let certificates = plan.plan.target.gir().map_or(&[][..], |gir| &gir.certificates);
    hex(Sha256::digest(format!("{audio:?} {pauses:?} {certificates:?} {excluded:?} {:?}", plan.plan.rules.partial)))
}

/// From where a call that is in the target has to be done again under a plan. Absent: it would be sent as it was.
pub(crate) fn change(plan: &LoadedPlan, resolver: &Resolver, phones: &PhoneRule, row: &InteractionRow) -> Option<Redo> {
    if row.audio_rules.as_ref().is_some_and(|known| *known != audio_rules(plan, row)) {
        return Some(Redo::Audio);
    }
    // A ledger of an earlier version does not say what was sent; sending the same again changes nothing.
    let same = row.document.is_some() && document(plan, resolver, phones, row).ok() == row.document;
    (!same).then_some(Redo::Document)
}
