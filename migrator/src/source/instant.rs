//! From what a source states to an instant: what every kind of source has in common. Source:
//! docs/reference/time.md. Nothing is guessed: what the plan does not declare is not corrected.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use plan::TimeRules;

use crate::canonical::Repair;

/// A source time no instant can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unusable;

/// 1990 to 2100: a call outside has its unit or its clock wrong, and which of both is not guessed.
/// It is quarantined.
const EARLIEST_MS: i64 = 631_152_000_000;
const LATEST_MS: i64 = 4_102_444_800_000;

/// An instant as the recorder stated it, with the recorder's declared offset, where it lies in the
/// range of usable times.
pub(super) fn corrected(
    stated: Timestamp,
    node: Option<&str>,
    rules: &TimeRules,
) -> Result<Timestamp, Unusable> {
    let offset_ms = node
        .and_then(|node| rules.node.get(crate::legacy_id::key(node)))
        .map_or(0, |node| node.offset_ms);
    let moved = stated
        .as_millisecond()
        .checked_add(offset_ms)
        .ok_or(Unusable)?;
    if !(EARLIEST_MS..LATEST_MS).contains(&moved) {
        return Err(Unusable);
    }
    Timestamp::from_millisecond(moved).map_err(|_| Unusable)
}

/// A local time in a zone; the note says how an hour that exists twice or not at all was read.
pub(super) fn of_zone(
    local: DateTime,
    zone: &TimeZone,
) -> Result<(Timestamp, Option<Repair>), Unusable> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let note = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Fold { .. } => Some(Repair::AmbiguousHourEarlier),
        AmbiguousOffset::Gap { .. } => Some(Repair::MissingHourForward),
    };
    // "Compatible" is the earlier instant in a fold and the shift forward in a gap, which is what
    // the contract says.
    Ok((ambiguous.compatible().map_err(|_| Unusable)?, note))
}

/// Start and end in order; whether they had to be swapped.
pub(super) fn ordered(start: Timestamp, end: Timestamp) -> (Timestamp, Timestamp, bool) {
    if end < start {
        (end, start, true)
    } else {
        (start, end, false)
    }
}
