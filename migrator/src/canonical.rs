//! The canonical record: what the source says, in one shape, with every repair as data. It knows nothing of the target.

use jiff::Timestamp;
use plan::TimeRules;
use platforms::legacy::wire;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::resolve::key;
use crate::time::{Unusable, instant, ordered};

/// An interaction in the guide's canonical schema, widened: times carry milliseconds, `duration_ms`, `segments` and `recordings` are
/// added, and what the guide calls INT is decimal text, because source ids may exceed what a JSON number keeps.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Canonical {
    /// Source's interaction id, decimal text.
    pub legacy_interaction_id: String,
    /// Start as an instant, UTC.
    #[schemars(with = "String")]
    pub legacy_start_time: Timestamp,
    /// End as an instant, UTC.
    #[schemars(with = "String")]
    pub legacy_end_time: Timestamp,
    /// `INBOUND` or `OUTBOUND`, as the source has it.
    pub direction: Option<String>,
    /// First agent. Absent: no agent took the call.
    pub agent_legacy_id: Option<String>,
    /// The customer's number: the caller of an inbound call, the called of an outbound one. As the source has it.
    pub customer_phone: Option<String>,
    /// Number that called.
    pub caller_number: Option<String>,
    /// Number that was called.
    pub dialled_number: Option<String>,
    /// Queue. Absent: none.
    pub queue_legacy_id: Option<String>,
    /// Skill that was asked for. Absent: none.
    pub skill_legacy: Option<String>,
    /// Name of the skill group.
    pub skill_group: Option<String>,
    /// IVR node.
    pub ivr_node: Option<String>,
    /// Outcome.
    pub disposition_code: Option<String>,
    /// Wrap-up code.
    pub wrap_up_code: Option<String>,
    /// Time in queue. Milliseconds.
    pub wait_ms: Option<i64>,
    /// Time in conversation. Milliseconds; never recomputed.
    pub talk_ms: Option<i64>,
    /// Seconds between start and end, as in the guide.
    pub duration_seconds: i64,
    /// Milliseconds between start and end.
    pub duration_ms: i64,
    /// The source's start, as it stood there.
    pub raw_start: String,
    /// What was put right on the way here.
    pub repairs: Vec<Repair>,
    /// A length had a fraction of a millisecond and is rounded: told, and of no consequence to anybody.
    #[serde(skip)]
    #[schemars(skip)]
    pub lengths_rounded: bool,
    /// Legs.
    pub segments: Vec<CanonicalSegment>,
    /// Recordings.
    pub recordings: Vec<CanonicalRecording>,
}

impl Canonical {
    /// JSON Schema of a canonical record.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Canonical)
    }
}

/// Something put right, so that it can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// End stood before start.
    EndsSwapped,
    /// A local time that exists twice: the earlier one was taken.
    AmbiguousHourEarlier,
    /// A local time that does not exist: shifted forward.
    MissingHourForward,
}

impl Repair {
    /// Name as it stands in `st.repair` and in counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Repair::EndsSwapped => "ends_swapped",
            Repair::AmbiguousHourEarlier => "ambiguous_hour_earlier",
            Repair::MissingHourForward => "missing_hour_forward",
        }
    }
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CanonicalSegment {
    /// Source's leg id.
    pub legacy_segment_id: String,
    /// Agent of this leg.
    pub agent_legacy_id: Option<String>,
    /// Start, UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// End, UTC.
    #[schemars(with = "String")]
    pub end: Timestamp,
}

/// One recording.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CanonicalRecording {
    /// Source's recording id.
    pub legacy_recording_id: String,
    /// Leg it was made on. Absent: the source does not say.
    pub legacy_segment_id: Option<String>,
    /// Start, UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// End, UTC.
    #[schemars(with = "String")]
    pub end: Timestamp,
    /// Where the source keeps the bytes.
    pub recording_url_source: Option<String>,
    /// Codec the source declares, upper case; it may be wrong.
    pub recording_format: Option<String>,
    /// Length the source declares. Milliseconds.
    pub declared_duration_ms: Option<i64>,
    /// Original file name.
    pub file_name: Option<String>,
    /// Retention class by name.
    pub retention_class: Option<String>,
    /// Must not be deleted.
    pub legal_hold: bool,
    /// Pauses, from the recording's start: first millisecond, and first after it. As the source has them; they may make no sense.
    pub pauses_ms: Vec<(i64, i64)>,
    /// False: a pause has no start or no end; it is not among `pauses_ms`, and where pauses are protected nothing can be.
    pub pauses_whole: bool,
    /// False: no instants could be made of its own times, and start and end are the call's.
    pub time_usable: bool,
}

/// Makes the canonical record of what the source answered.
pub(crate) fn normalise(interaction: &wire::Interaction, recordings: &[wire::Recording], rules: &TimeRules) -> Result<Canonical, Unusable> {
    let mut repairs = Vec::new();
    let mut span = |start: &wire::SourceTime, end: &wire::SourceTime, node: Option<&str>| {
        let (start, first) = instant(start, node, rules)?;
        let (end, second) = instant(end, node, rules)?;
        let (start, end, swapped) = ordered(start, end);
        repairs.extend(first.into_iter().chain(second).chain(swapped.then_some(Repair::EndsSwapped)));
        Ok((start, end))
    };
    let node = interaction.recorder_node.as_deref();
    let (start, end) = span(&interaction.start_time, &interaction.end_time, node)?;
    let segment = |segment: &wire::Segment, (start, end)| CanonicalSegment {
        legacy_segment_id: segment.id.clone(),
        agent_legacy_id: segment.agent_id.clone(),
        start,
        end,
    };
    // A leg without usable times is as long as the call; a recording without any is set aside on its own.
    let whole = (start, end);
    let legs = interaction.segments.iter().map(|leg| segment(leg, span(&leg.start_time, &leg.end_time, node).unwrap_or(whole)));
    // A source may list them in any order; the first agent is who took the call first.
    let mut segments: Vec<CanonicalSegment> = legs.collect();
    segments.sort_by_key(|segment| segment.start);
    let lengths_rounded = !interaction.rounded.is_empty() || recordings.iter().any(|recording| !recording.rounded.is_empty());
    let recordings = recordings.iter().map(|recording| {
        let own = span(&recording.start_time, &recording.end_time, recording.recorder_node.as_deref().or(node));
        canonical_recording(recording, own.unwrap_or(whole), own.is_ok())
    });
    let recordings = recordings.collect();
    repairs.sort_unstable();
    repairs.dedup();
    let duration_ms = end.as_millisecond() - start.as_millisecond();
    let inbound = interaction.direction.as_deref().is_none_or(|direction| direction.eq_ignore_ascii_case("inbound"));
    Ok(Canonical {
        legacy_interaction_id: interaction.id.clone(),
        legacy_start_time: start,
        legacy_end_time: end,
        direction: interaction.direction.clone(),
        agent_legacy_id: interaction.agent_id.clone(),
        customer_phone: if inbound { interaction.caller_number.clone() } else { interaction.dialled_number.clone() },
        caller_number: interaction.caller_number.clone(),
        dialled_number: interaction.dialled_number.clone(),
        queue_legacy_id: interaction.queue_id.clone(),
        skill_legacy: interaction.skill.clone(),
        skill_group: interaction.skill_group.clone(),
        ivr_node: interaction.ivr_node_id.clone(),
        disposition_code: interaction.disposition_code.clone(),
        wrap_up_code: interaction.wrap_up_code.clone(),
        wait_ms: interaction.wait_time_ms,
        talk_ms: interaction.talk_time_ms,
        duration_seconds: duration_ms / 1000,
        duration_ms,
        raw_start: interaction.start_time.to_string(),
        repairs,
        lengths_rounded,
        segments,
        recordings,
    })
}

fn canonical_recording(recording: &wire::Recording, (start, end): (Timestamp, Timestamp), time_usable: bool) -> CanonicalRecording {
    CanonicalRecording {
        legacy_recording_id: recording.id.clone(),
        legacy_segment_id: recording.segment_id.clone(),
        start,
        end,
        recording_url_source: recording.media_url.clone(),
        recording_format: recording.codec.as_ref().map(|codec| codec.to_uppercase()),
        declared_duration_ms: recording.duration_ms,
        file_name: recording.file_name.clone(),
        retention_class: recording.retention_class.as_deref().map(|class| key(class).to_owned()),
        legal_hold: recording.legal_hold,
        pauses_ms: recording.pauses.iter().filter_map(|pause| pause.start_offset_ms.zip(pause.end_offset_ms)).collect(),
        pauses_whole: recording.pauses.iter().all(|pause| pause.start_offset_ms.is_some() && pause.end_offset_ms.is_some()),
        time_usable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_are_in_the_order_of_their_time_however_the_source_lists_them() {
        let leg = |id: &str, from: i64, to: i64| serde_json::json!({"id": id, "startTime": from, "endTime": to, "agentId": id});
        let (first, second, same) = (
            leg("a", 1_698_400_800_000, 1_698_400_900_000),
            leg("b", 1_698_400_900_000, 1_698_401_000_000),
            leg("c", 1_698_400_900_000, 1_698_401_100_000),
        );
        for (listed, in_time) in [
            ([&first, &second, &same], ["a", "b", "c"]),
            ([&same, &second, &first], ["a", "c", "b"]),
            ([&second, &first, &same], ["a", "b", "c"]),
        ] {
            let interaction: wire::Interaction = serde_json::from_value(serde_json::json!({
                "id": 1, "startTime": 1_698_400_800_000_i64, "endTime": 1_698_401_100_000_i64, "segments": listed, "recordings": [],
            }))
            .expect("an interaction");
            let record = normalise(&interaction, &[], &TimeRules::default()).expect("a record");
            let ids: Vec<&str> = record.segments.iter().map(|leg| leg.legacy_segment_id.as_str()).collect();
            assert_eq!(ids, in_time, "legs of one moment stay as they are listed");
        }
    }
}
