//! The platform's JSON to the verifier's own record.

use platforms::legacy::wire;

use crate::source::{
    RecordingDetails, SourceCall, SourceInteraction, SourcePause, SourceRecording, SourceSegment,
    SourceTime,
};
use crate::text::Text;

/// An entity of the listing. One that cannot be read is that call's trouble alone. `place` says
/// where it stands.
pub(crate) fn interaction(json: &str, place: &str) -> SourceInteraction {
    match wire::Interaction::read(json) {
        Ok(entity) => SourceInteraction::of(call(entity)),
        Err(error) => unread(json, place, &error),
    }
}

/// A recording's own answer. The error says what cannot be read.
pub(crate) fn recording(json: &str) -> Result<RecordingDetails, wire::Unreadable> {
    wire::Recording::read(json).map(details)
}

/// One whose entity cannot be read. `place` says where it stands, and is what it is called by where
/// it has no id.
fn unread(json: &str, place: &str, error: &wire::Unreadable) -> SourceInteraction {
    let listed = wire::Listed::read(json);
    let (id, name) = match listed.id {
        Ok(id) => (id.clone(), format!("call {id}")),
        Err(_) => (
            format!("(no id: {place})"),
            "a call without an id".to_owned(),
        ),
    };
    let why = format!(
        "the source's entity of {name} in another form ({place}, {error}); ask the source's \
         operator"
    );
    let blank = |id: String| SourceRecording {
        id: id.into(),
        details: Err(why.clone()),
        staged: None,
    };
    let recordings = listed.recordings.into_iter().map(blank).collect();
    SourceInteraction {
        recordings,
        ..SourceInteraction::unread(id, why.clone())
    }
}

fn text(value: Option<String>) -> Option<Text> {
    value.map(Text::from)
}

fn call(entity: wire::Interaction) -> SourceCall {
    let segment = |segment: wire::Segment| SourceSegment {
        id: segment.id.into(),
        agent_id: text(segment.agent_id),
        start_time: time(segment.start_time),
        end_time: time(segment.end_time),
    };
    SourceCall {
        id: entity.id.into(),
        start_time: time(entity.start_time),
        end_time: time(entity.end_time),
        wait_time_ms: entity.wait_time_ms,
        talk_time_ms: entity.talk_time_ms,
        direction: text(entity.direction),
        agent_id: text(entity.agent_id),
        agent_extension: text(entity.agent_extension),
        queue_id: text(entity.queue_id),
        skill: text(entity.skill),
        skill_group: text(entity.skill_group),
        ivr_node_id: text(entity.ivr_node_id),
        disposition_code: text(entity.disposition_code),
        wrap_up_code: text(entity.wrap_up_code),
        caller_number: text(entity.caller_number),
        dialled_number: text(entity.dialled_number),
        numbers_masked: entity.numbers_masked,
        recorder_node: text(entity.recorder_node),
        segments: entity.segments.into_iter().map(segment).collect(),
        recordings: entity
            .recordings
            .into_iter()
            .map(|recording| (recording.id.into(), text(recording.segment_id)))
            .collect(),
        rounded: entity.rounded,
        ..SourceCall::default()
    }
}

fn details(answer: wire::Recording) -> RecordingDetails {
    let pause = |pause: wire::Pause| SourcePause {
        start_offset_ms: pause.start_offset_ms,
        end_offset_ms: pause.end_offset_ms,
    };
    RecordingDetails {
        id: answer.id.into(),
        interaction_id: answer.interaction_id.into(),
        segment_id: text(answer.segment_id),
        start_time: time(answer.start_time),
        end_time: time(answer.end_time),
        duration_ms: answer.duration_ms,
        codec: text(answer.codec),
        content_type: text(answer.content_type),
        channels: answer.channels,
        size_bytes: answer.size_bytes,
        file_name: text(answer.file_name),
        recorder_node: text(answer.recorder_node),
        pauses: answer.pauses.into_iter().map(pause).collect(),
        retention_class: text(answer.retention_class),
        legal_hold: answer.legal_hold,
        media_url: text(answer.media_url),
        rounded: answer.rounded,
        ..RecordingDetails::default()
    }
}

fn time(value: wire::SourceTime) -> SourceTime {
    let whole = value.whole();
    match value {
        wire::SourceTime::Absent => SourceTime::Absent,
        wire::SourceTime::Number(number) => SourceTime::Number(number),
        wire::SourceTime::Text(text) => SourceTime::Text {
            text: text.into(),
            whole,
        },
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A time as the platform writes it.
    pub(crate) fn text(text: &str) -> SourceTime {
        time(wire::SourceTime::Text(text.to_owned()))
    }
}
