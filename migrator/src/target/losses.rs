//! What the target surface cannot carry: said before a run, not found after it.

use plan::{LoadedPlan, Pauses, Phones};

use super::registry::rules_of;

/// A field that does not arrive as it was, by decision or for want of a place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeclaredLoss {
    /// The canonical field.
    pub field: &'static str,
    /// What becomes of it.
    pub becomes: &'static str,
}

/// What preflight writes to this plan's target and takes away again. `None`: nothing.
#[must_use]
pub fn preflight_probe(plan: &LoadedPlan) -> Option<&'static str> {
    rules_of(plan).capabilities().preflight_probe
}

/// Everything this plan loses or widens on its ingestion surface. Source: docs/reference/fields.md.
#[must_use]
pub fn declared_losses(plan: &LoadedPlan) -> Vec<DeclaredLoss> {
    let mut losses = vec![
        loss("agent extension", "is not carried: it identifies nobody"),
        loss(
            "recorder node, declared codec, channel roles",
            "stay in staging only",
        ),
        loss(
            "hold on one recording",
            "protects the whole conversation, because the target protects conversations",
        ),
        loss(
            "sampling rates and channel counts that MP3 cannot hold",
            "go as WAV, whatever audio.format says",
        ),
        loss(
            "wrap-up code without a mapping",
            "is carried as the attribute st.wrap_up_code, not as a wrap-up",
        ),
    ];
    losses.extend(rules_of(plan).declared_losses(plan));
    if plan.plan.mapping.skills.is_none() {
        losses.push(loss(
            "skill",
            "is not carried: the plan names no skills table",
        ));
    } else {
        losses.push(loss("skill without a mapping", "is not carried"));
    }
    if plan.plan.mapping.wrapups.is_none() {
        losses.push(loss(
            "wrap-up",
            "is carried as an attribute only: the plan names no wrap-up table",
        ));
    }
    match plan.plan.pii.phones {
        Phones::Keep => {}
        Phones::Mask => losses.push(loss(
            "phone numbers",
            "are masked but for the last four digits",
        )),
        Phones::Hash(_) => losses.push(loss("phone numbers", "are replaced by a keyed hash")),
    }
    match plan.plan.pii.pauses {
        Pauses::Keep => {}
        Pauses::Silence | Pauses::Seal(_) => {
            losses.push(loss("sound inside pauses", "is replaced by silence"))
        }
        Pauses::Tone => losses.push(loss("sound inside pauses", "is replaced by a tone")),
    }
    losses
}

pub(super) fn loss(field: &'static str, becomes: &'static str) -> DeclaredLoss {
    DeclaredLoss { field, becomes }
}
