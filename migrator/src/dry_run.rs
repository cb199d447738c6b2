//! What the target surface cannot carry: said before a run, not found after it.

use plan::{Ingest, LoadedPlan, Pauses, Phones, TargetKind};

/// A field that does not arrive as it was, by decision or for want of a place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeclaredLoss {
    /// The canonical field.
    pub field: &'static str,
    /// What becomes of it.
    pub becomes: &'static str,
}

/// Everything this plan loses or widens on its ingestion surface. Source: contracts section 8.
#[must_use]
pub fn declared_losses(plan: &LoadedPlan) -> Vec<DeclaredLoss> {
    let mut losses = vec![
        loss("agent extension", "is not carried: it identifies nobody"),
        loss("recorder node, declared codec, channel roles", "stay in staging only"),
        loss("hold on one recording", "protects the whole conversation, because the target protects conversations"),
        loss("sampling rates and channel counts that MP3 cannot hold", "go as WAV, whatever audio.format says"),
        loss("wrap-up code without a mapping", "is carried as the attribute st.wrap_up_code, not as a wrap-up"),
    ];
    match (plan.plan.target.kind(), plan.plan.target.genesys_cloud().map(|cloud| cloud.ingest).unwrap_or_default()) {
        (TargetKind::GenesysCloud, Ingest::Guide) => losses.push(without_years()),
        (TargetKind::GenesysCloud, Ingest::Public) => losses.extend([
            without_years(),
            loss("retention class", "is carried as the recording's deletion date; its name is not"),
            loss("leg without an agent", "is not told; what was recorded on it hangs on the customer's side"),
            loss("leg beyond its call", "is told as far as the call goes: a conversation is as long as its events"),
            loss("skill of a call without a queue", "is not carried: only a queue asks for skills"),
            loss("wrap-up of a call without an agent", "is given to the customer's side, where reads do not show it"),
        ]),
        (TargetKind::Gir, _) => losses.extend(of_gir(plan)),
    }
    if plan.plan.mapping.skills.is_none() {
        losses.push(loss("skill", "is not carried: the plan names no skills table"));
    } else {
        losses.push(loss("skill without a mapping", "is not carried"));
    }
    if plan.plan.mapping.wrapups.is_none() {
        losses.push(loss("wrap-up", "is carried as an attribute only: the plan names no wrap-up table"));
    }
    match plan.plan.pii.phones {
        Phones::Keep => {}
        Phones::Mask => losses.push(loss("phone numbers", "are masked but for the last four digits")),
        Phones::Hash(_) => losses.push(loss("phone numbers", "are replaced by a keyed hash")),
    }
    match plan.plan.pii.pauses {
        Pauses::Keep => {}
        Pauses::Silence | Pauses::Seal(_) => losses.push(loss("sound inside pauses", "is replaced by silence")),
        Pauses::Tone => losses.push(loss("sound inside pauses", "is replaced by a tone")),
    }
    losses
}

fn loss(field: &'static str, becomes: &'static str) -> DeclaredLoss {
    DeclaredLoss { field, becomes }
}

fn without_years() -> DeclaredLoss {
    loss("retention class without years in the plan", "is not carried: the recording has no deletion date")
}

/// What Interaction Recording has no place for. Source: docs/gir.md.
fn of_gir(plan: &LoadedPlan) -> Vec<DeclaredLoss> {
    let mut losses = vec![
        loss("call without recordings", "is not carried: a recording there has a media file at least"),
        loss(
            "retention date",
            "is carried as a label that the site's purge rules read; a call has one, that of the class that keeps longest",
        ),
        loss("queue, skill, wrap-up", "are carried as attached data, not as fields of their own"),
        loss("leg without an agent", "is not told: only agents and the customer join and leave"),
    ];
    if plan.plan.target.gir().is_some_and(|gir| gir.speechminer_url.is_none()) {
        losses.push(loss("the recording in SpeechMiner", "is not made: the plan names no speechminer_url"));
    }
    losses
}
