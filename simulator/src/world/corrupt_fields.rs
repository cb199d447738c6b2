//! What the rows of `defects` do to the values that the source states. How a call is written is in
//! `platforms/legacy/corrupt_json.rs`.

use super::{Interaction, Pause, PhoneNumber, Recording};
use crate::seed::Seed;

/// Above every integer that a double holds exactly, and odd, so that one that passes through a
/// double is another.
pub(super) const BEYOND_DOUBLE: u64 = 9_007_199_254_740_993;
/// The hour that exists twice in London, second half: 27 October 2024, 00:30 UTC.
pub(super) const REPEATED_HOUR_MS: i64 = 1_729_989_000_000;
/// The hour that does not exist there: 31 March 2024, 01:10 UTC.
pub(super) const MISSING_HOUR_MS: i64 = 1_711_847_400_000;
/// The clocks go back: 27 October 2024, 01:00 UTC.
pub(super) const CLOCKS_BACK_MS: i64 = 1_729_990_800_000;
/// 29 February 2024, 12:00 UTC.
pub(super) const LEAP_DAY_MS: i64 = 1_709_208_000_000;
/// Some day of 2150.
pub(super) const FAR_FUTURE_MS: i64 = 5_690_000_000_000;

/// Stands in a text where `legacy/corrupt_json` writes half a character; of the private use area,
/// so that it is nobody's.
pub(crate) const LONE_SURROGATE: &str = "\u{f8ff}";

/// Somewhere in so many milliseconds, by the call's own seed.
pub(super) fn within(seed: Seed, ms: u64) -> i64 {
    seed.child("start").below(ms) as i64
}

/// The node whose clock is slow by this, and which the plan declares.
pub(super) fn slow_node(ms: i64) -> String {
    format!("SLOW-{ms}")
}

/// Start and end in reverse order.
pub(super) fn reverse(call: &mut Interaction) {
    std::mem::swap(&mut call.start_ms, &mut call.end_ms);
}

pub(super) fn times(call: &mut Interaction, change: impl Fn(i64) -> i64) {
    (call.start_ms, call.end_ms) = (change(call.start_ms), change(call.end_ms));
}

/// Stamped by another clock, `slow_ms` slower than the one before.
pub(super) fn by_clock(call: &mut Interaction, node: Option<String>, slow_ms: i64) {
    times(call, |ms| ms - slow_ms);
    for segment in &mut call.segments {
        (segment.start_ms, segment.end_ms) = (segment.start_ms - slow_ms, segment.end_ms - slow_ms);
    }
    for recording in &mut call.recordings {
        (recording.start_ms, recording.end_ms) =
            (recording.start_ms - slow_ms, recording.end_ms - slow_ms);
        recording.drift_ms += slow_ms;
        recording.recorder_node.clone_from(&node);
    }
    call.recorder_node = node;
}

pub(super) fn texts(call: &mut Interaction, disposition: &str, skill_group: &str) {
    call.disposition_code = Some(disposition.to_owned());
    call.skill_group = Some(skill_group.to_owned());
}

pub(super) fn customer(call: &mut Interaction, number: &str, masked: bool) {
    let slot = if call.inbound {
        &mut call.caller_number
    } else {
        &mut call.dialled_number
    };
    *slot = Some(PhoneNumber::new(number.to_owned()));
    call.numbers_masked = masked;
}

pub(super) fn agents(call: &mut Interaction, change: impl Fn(&str) -> Option<String>) {
    let slots = call
        .segments
        .iter_mut()
        .map(|segment| &mut segment.agent_id)
        .chain([&mut call.agent_id]);
    slots.for_each(|slot| *slot = slot.as_deref().and_then(&change));
}

/// No field that may be left out says anything.
pub(super) fn no_texts(call: &mut Interaction) {
    (
        call.skill,
        call.skill_group,
        call.ivr_node_id,
        call.disposition_code,
    ) = (None, None, None, None);
    (call.wrap_up_code, call.agent_extension) = (None, None);
}

/// Nobody has the call for a while: its second leg, with what was recorded of it, and its end come
/// later.
pub(super) fn second_leg_later(call: &mut Interaction, by_ms: i64) {
    let leg = &mut call.segments[1];
    (leg.start_ms, leg.end_ms) = (leg.start_ms + by_ms, leg.end_ms + by_ms);
    (call.end_ms, call.true_end_ms) = (call.end_ms + by_ms, call.true_end_ms + by_ms);
    let second = &mut call.recordings[1];
    (second.start_ms, second.end_ms) = (second.start_ms + by_ms, second.end_ms + by_ms);
}

/// Changes each recording of the call.
pub(super) fn recordings(call: &mut Interaction, change: impl Fn(&mut Recording)) {
    call.recordings.iter_mut().for_each(change);
}

/// A pause in which a card number is read.
pub(super) fn pause(start_offset_ms: u64, end_offset_ms: u64) -> Pause {
    Pause {
        start_offset_ms,
        end_offset_ms,
        reason: "card_number".to_owned(),
    }
}
