//! Defects of retention, holds and pauses.

use serde_json::Value;

use super::{
    super::{conversation::Conversation, times},
    scene::{Plant, Scene, same},
};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Dates nearer than this may come before anybody has looked.
const A_MARGIN_MS: i64 = 3_600_000;
/// How far a pause is shifted, in milliseconds: more than any rounding, less than most pauses.
const SHIFT_MS: u64 = 5_000;

/// Gives a recording another deletion date, which has not come yet: else its media would be lost as
/// well. Only where it is the conversation's only one, so that nothing else says what was lost.
fn with_date(
    scene: &Scene<'_>,
    held: &Conversation,
    after: impl FnOnce(i64) -> Option<Option<i64>>,
) -> Option<Plant> {
    let one = scene.only(held)?;
    let before = one.delete_at_ms?;
    let after = after(before)?;
    if after.is_some_and(|after| after <= scene.site.now_ms() + A_MARGIN_MS) {
        return None;
    }
    let entry = scene.entry(
        held,
        Some(one),
        "recording.deleteDate",
        times::text(before),
        after.map(times::text),
    );
    let mut copy = held.clone();
    same(&mut copy, one)?.delete_at_ms = after;
    Some(Plant::one(entry, copy))
}

/// D55: deleted a year too early, or no date at all.
pub(super) fn kept_too_short(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let is_missing = scene.seed_of(held.id).child("missing").chance(0.5);
    with_date(scene, held, |before| {
        if is_missing {
            Some(None)
        } else {
            times::add_years(before, -1).map(Some)
        }
    })
}

/// D56: kept a year longer than allowed.
pub(super) fn kept_too_long(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_date(scene, held, |before| times::add_years(before, 1).map(Some))
}

/// D58: a policy of the organisation deletes it tomorrow.
pub(super) fn purged_soon(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let tomorrow = scene.site.now_ms() + DAY_MS;
    with_date(scene, held, |before| {
        (before > tomorrow).then_some(Some(tomorrow))
    })
}

/// D57: the legal hold is gone.
pub(super) fn hold_lost(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let mut copy = held.clone();
    copy.protected = false;
    let entry = scene.entry(
        held,
        None,
        "deletionProtection",
        Value::Bool(true),
        Value::Bool(false),
    );
    held.protected.then(|| Plant::one(entry, copy))
}

/// D60: a pause stands five seconds too late.
pub(super) fn pause_shifted(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let before = one.annotations.first()?.location_ms;
    let after = before + SHIFT_MS;
    let entry = scene.entry(
        held,
        Some(one),
        "recording.annotations.location",
        before,
        after,
    );
    let mut copy = held.clone();
    same(&mut copy, one)?.annotations.first_mut()?.location_ms = after;
    Some(Plant::one(entry, copy))
}
