//! The canonical record of what the legacy API answered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::TimeRules;
use platforms::legacy::wire;

use super::time::instant;
use crate::canonical::{Canonical, CanonicalRecording, CanonicalSegment, Repair};
use crate::legacy_id::key;
use crate::source::instant::{Unusable, ordered};

/// Makes the canonical record of what the source answered.
pub(crate) fn normalise(
    interaction: &wire::Interaction,
    recordings: &[wire::Recording],
    rules: &TimeRules,
) -> Result<Canonical, Unusable> {
    let mut repairs = Vec::new();
    let mut span = |start: &wire::SourceTime, end: &wire::SourceTime, node: Option<&str>| {
        let (start, first) = instant(start, node, rules)?;
        let (end, second) = instant(end, node, rules)?;
        let (start, end, swapped) = ordered(start, end);
        repairs.extend(
            first
                .into_iter()
                .chain(second)
                .chain(swapped.then_some(Repair::EndsSwapped)),
        );
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
    // A leg without usable times is as long as the call; a recording without any is quarantined on
    // its own.
    let whole = (start, end);
    let legs = interaction.segments.iter().map(|leg| {
        segment(
            leg,
            span(&leg.start_time, &leg.end_time, node).unwrap_or(whole),
        )
    });
    // A source may list them in any order; the first agent is who took the call first.
    let mut segments: Vec<CanonicalSegment> = legs.collect();
    segments.sort_by_key(|segment| segment.start);
    let lengths_rounded = !interaction.rounded.is_empty()
        || recordings
            .iter()
            .any(|recording| !recording.rounded.is_empty());
    let recordings = recordings.iter().map(|recording| {
        let own = span(
            &recording.start_time,
            &recording.end_time,
            recording.recorder_node.as_deref().or(node),
        );
        canonical_recording(recording, own.unwrap_or(whole), own.is_ok())
    });
    let recordings = recordings.collect();
    repairs.sort_unstable();
    repairs.dedup();
    let duration_ms = end.as_millisecond() - start.as_millisecond();
    let inbound = interaction
        .direction
        .as_deref()
        .is_none_or(|direction| direction.eq_ignore_ascii_case("inbound"));
    Ok(Canonical {
        legacy_interaction_id: interaction.id.clone(),
        legacy_start_time: start,
        legacy_end_time: end,
        direction: interaction.direction.clone(),
        agent_legacy_id: interaction.agent_id.clone(),
        customer_phone: if inbound {
            interaction.caller_number.clone()
        } else {
            interaction.dialled_number.clone()
        },
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
        attributes: BTreeMap::new(),
        segments,
        recordings,
    })
}

fn canonical_recording(
    recording: &wire::Recording,
    (start, end): (Timestamp, Timestamp),
    time_usable: bool,
) -> CanonicalRecording {
    CanonicalRecording {
        legacy_recording_id: recording.id.clone(),
        legacy_segment_id: recording.segment_id.clone(),
        start,
        end,
        recording_url_source: recording.media_url.clone(),
        recording_format: recording.codec.as_ref().map(|codec| codec.to_uppercase()),
        declared_duration_ms: recording.duration_ms,
        file_name: recording.file_name.clone(),
        retention_class: recording
            .retention_class
            .as_deref()
            .map(|class| key(class).to_owned()),
        delete_at: None,
        legal_hold: recording.legal_hold,
        pauses_ms: recording
            .pauses
            .iter()
            .filter_map(|pause| pause.start_offset_ms.zip(pause.end_offset_ms))
            .collect(),
        pauses_whole: recording
            .pauses
            .iter()
            .all(|pause| pause.start_offset_ms.is_some() && pause.end_offset_ms.is_some()),
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
            let ids: Vec<&str> = record
                .segments
                .iter()
                .map(|leg| leg.legacy_segment_id.as_str())
                .collect();
            assert_eq!(ids, in_time, "legs of one moment stay as they are listed");
        }
    }
}
