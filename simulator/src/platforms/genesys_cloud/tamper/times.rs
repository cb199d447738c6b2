//! Defects of time.

use super::{
    super::{conversation::Conversation, times},
    scene::{Plant, Scene},
};

/// One hour.
const HOUR_MS: i64 = 3_600_000;

/// Changes a copy; the entry tells the start, or the end where only that moved.
fn retimed(
    scene: &Scene<'_>,
    held: &Conversation,
    change: impl FnOnce(&mut Conversation),
) -> Option<Plant> {
    let mut copy = held.clone();
    change(&mut copy);
    let (field, before, after) = if copy.start_ms == held.start_ms {
        ("endTime", held.end_ms, copy.end_ms)
    } else {
        ("startTime", held.start_ms, copy.start_ms)
    };
    let entry = scene.entry(held, None, field, times::text(before), times::text(after));
    (before != after).then(|| Plant::one(entry, copy))
}

/// D35: two hours off, as between two zones.
pub(super) fn other_zone(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    retimed(scene, held, |copy| copy.map_times(|ms| ms + 2 * HOUR_MS))
}

/// D36: one hour off, in daylight time of the site.
pub(super) fn daylight_hour(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let directory = scene.site.directory();
    let moments = [
        held.start_ms,
        held.end_ms,
        held.start_ms + HOUR_MS,
        held.end_ms + HOUR_MS,
    ];
    if !moments
        .into_iter()
        .all(|ms| crate::time::in_daylight_time(ms, &directory.site_zone))
    {
        return None;
    }
    retimed(scene, held, |copy| copy.map_times(|ms| ms + HOUR_MS))
}

/// D37: the other of the two instants that an hour of a clock change has.
pub(super) fn clock_change(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let directory = scene.site.directory();
    let is_at_change = [held.start_ms, held.end_ms]
        .into_iter()
        .all(|ms| crate::time::at_clock_change(ms, &directory.site_zone));
    is_at_change.then(|| retimed(scene, held, |copy| copy.map_times(|ms| ms - HOUR_MS)))?
}

/// D41: times in order were taken for reversed ones, and the repair was noted.
pub(super) fn needless_repair(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    const REPAIR: &str = "st.repair";
    if held.attributes.contains_key(REPAIR) {
        return None;
    }
    retimed(scene, held, |copy| {
        std::mem::swap(&mut copy.start_ms, &mut copy.end_ms);
        copy.attributes
            .insert(REPAIR.to_owned(), "ends_swapped".to_owned());
    })
}

/// D38: milliseconds read as seconds; the call lies in January 1970.
pub(super) fn seconds_for_milliseconds(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    retimed(scene, held, |copy| copy.map_times(|ms| ms / 1_000))
}

/// D39: start and end of the conversation in each other's place.
pub(super) fn ends_swapped(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    retimed(scene, held, |copy| {
        std::mem::swap(&mut copy.start_ms, &mut copy.end_ms)
    })
}

/// D40: milliseconds cut off.
pub(super) fn milliseconds_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    retimed(scene, held, |copy| {
        copy.map_times(|ms| ms - ms.rem_euclid(1_000))
    })
}

/// D42: the day of the upload as the day of the call.
pub(super) fn upload_date(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let shift = held.created_at_ms - held.start_ms;
    retimed(scene, held, |copy| copy.map_times(|ms| ms + shift))
}

/// D43: the end counted from the media instead of the call.
pub(super) fn end_from_media(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let (_, pcm) = scene.decoded(scene.only(held)?)?;
    let end_ms = held.start_ms + pcm.duration_ms() as i64;
    if (end_ms - held.end_ms).abs() < 1_000 {
        return None;
    }
    retimed(scene, held, |copy| copy.end_ms = end_ms)
}
