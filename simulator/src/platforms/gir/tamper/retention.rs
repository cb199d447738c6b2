//! Defects of retention, non-deletion and pauses.

use serde_json::Value;

use super::super::purge::label;
use super::super::state::Recording;
use super::scene::{Plant, Scene};

/// How far a pause is shifted, in milliseconds: more than any rounding.
const SHIFT_MS: i64 = 5_000;

/// Gives a recording that is not held the label of another class, so that it is deleted at another
/// time.
fn with_class(
    scene: &Scene<'_>,
    held: &Recording,
    fits: impl Fn(i64, i64) -> bool,
) -> Option<Plant> {
    if held.non_delete {
        return None;
    }
    let labels: Vec<String> = scene
        .site
        .retention_classes
        .iter()
        .map(|(class, _)| label(class))
        .collect();
    let before = labels.iter().find(|label| held.labels.contains(*label))?;
    let date = scene.site.deleted_at_ms(held)?;
    let other = |after: &String| {
        let mut copy = held.clone();
        copy.labels.remove(before);
        copy.labels.insert(after.clone());
        let is_other = scene
            .site
            .deleted_at_ms(&copy)
            .is_some_and(|other| fits(other, date));
        is_other.then_some((after.clone(), copy))
    };
    let (after, copy) = labels.iter().find_map(other)?;
    Some(Plant::one(
        scene.entry(held, None, "labels", before.clone(), after),
        copy,
    ))
}

/// D55: the label of a shorter class.
pub(super) fn kept_too_short(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_class(scene, held, |after, before| after < before)
}

/// D56: the label of a longer class.
pub(super) fn kept_too_long(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_class(scene, held, |after, before| after > before)
}

/// D57: non-deletion is lost.
pub(super) fn hold_lost(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let mut copy = held.clone();
    copy.non_delete = false;
    let entry = scene.entry(
        held,
        None,
        "nonDelete",
        Value::Bool(true),
        Value::Bool(false),
    );
    held.non_delete.then(|| Plant::one(entry, copy))
}

/// D60: a pause stands five seconds too late, or goes on before it begins.
pub(super) fn pause_wrong(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let mut copy = held.clone();
    let [paused, resumed, ..] = copy.media[at].masks.as_mut_slice() else {
        return None;
    };
    let before = paused.time.to_string();
    if scene.seed_of(&held.id).child("inverted").chance(0.5) {
        std::mem::swap(&mut paused.time, &mut resumed.time);
    } else {
        paused.time.0 += SHIFT_MS;
        resumed.time.0 += SHIFT_MS;
    }
    let after = paused.time.to_string();
    Some(Plant::one(
        scene.entry(held, Some(at), "masks", before, after),
        copy,
    ))
}
