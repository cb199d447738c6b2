//! Defects of time. What moves is all that is stated of a call: its media, masks and events.

use super::super::dates::UtcMillis;
use super::super::state::Recording;
use super::super::truth::call;
use super::scene::{Plant, Scene};
use crate::time::{at_clock_change, in_daylight_time};

/// One hour.
const HOUR_MS: i64 = 3_600_000;

/// Changes a copy; the entry tells the start of the call.
fn retimed(
    scene: &Scene<'_>,
    held: &Recording,
    change: impl FnOnce(&mut Recording),
) -> Option<Plant> {
    let mut copy = held.clone();
    change(&mut copy);
    let (before, after) = (started(held).to_string(), started(&copy).to_string());
    (before != after).then(|| Plant::one(scene.entry(held, None, "startTime", before, after), copy))
}

/// When the customer joined first, as it is stated; where nobody did, when its media begin.
fn started(held: &Recording) -> UtcMillis {
    call(held).0
}

/// D35: two hours off, as between two zones.
pub(super) fn other_zone(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    retimed(scene, held, |copy| copy.map_times(|ms| ms + 2 * HOUR_MS))
}

/// D36: one hour off, in daylight time of the site.
pub(super) fn daylight_hour(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (start, end) = call(held);
    let moments = [start.0, end.0, start.0 + HOUR_MS, end.0 + HOUR_MS];
    if !moments
        .into_iter()
        .all(|ms| in_daylight_time(ms, &scene.site.directory().site_zone))
    {
        return None;
    }
    retimed(scene, held, |copy| copy.map_times(|ms| ms + HOUR_MS))
}

/// D37: the other of the two instants that an hour of a clock change has.
pub(super) fn clock_change(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (start, end) = call(held);
    let zone = &scene.site.directory().site_zone;
    let is_at_change = [start.0, end.0]
        .into_iter()
        .all(|ms| at_clock_change(ms, zone));
    is_at_change.then(|| retimed(scene, held, |copy| copy.map_times(|ms| ms - HOUR_MS)))?
}

/// D41: times in order were taken for reversed ones, and the repair was noted.
pub(super) fn needless_repair(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    const REPAIR: &str = "st.repair";
    if super::people::added(held).is_none_or(|texts| texts.contains_key(REPAIR)) {
        return None;
    }
    let mut plant = ends_swapped(scene, held)?;
    let texts = plant
        .puts
        .iter_mut()
        .flat_map(|copy| &mut copy.events)
        .find_map(|event| event.data.as_mut()?.get_mut("added")?.as_object_mut())?;
    texts.insert(REPAIR.to_owned(), "ends_swapped".into());
    Some(plant)
}

/// D38: milliseconds read as seconds; the call lies in January 1970.
pub(super) fn seconds_for_milliseconds(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    retimed(scene, held, |copy| copy.map_times(|ms| ms / 1_000))
}

/// D39: the customer leaves when the call begins and joins when it ends.
pub(super) fn ends_swapped(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (start, end) = call(held);
    retimed(scene, held, |copy| {
        let of_customer = copy.events.iter_mut().filter(|event| {
            event
                .contact
                .as_ref()
                .is_some_and(|contact| contact.kind == "External")
        });
        for event in of_customer {
            event.occurred_at = if event.event == "Joined" { end } else { start };
        }
    })
}

/// D40: milliseconds cut off.
pub(super) fn milliseconds_cut(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    retimed(scene, held, |copy| {
        copy.map_times(|ms| ms - ms.rem_euclid(1_000))
    })
}

/// D42: the moment of the insertion as that of the call.
pub(super) fn upload_date(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let shift = held.inserted_ms - started(held).0;
    retimed(scene, held, |copy| copy.map_times(|ms| ms + shift))
}
