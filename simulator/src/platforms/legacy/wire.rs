//! JSON exactly as the source sends it (`scenarios/contracts/legacy`).

use serde::Serialize;

use crate::world;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interaction {
    id: u64,
    start_time: i64,
    end_time: i64,
    wait_time_ms: i64,
    talk_time_ms: i64,
    direction: &'static str,
    agent_id: Option<String>,
    agent_extension: Option<String>,
    queue_id: Option<String>,
    skill: Option<String>,
    skill_group: Option<String>,
    ivr_node_id: Option<String>,
    disposition_code: Option<String>,
    wrap_up_code: Option<String>,
    caller_number: Option<String>,
    dialled_number: Option<String>,
    numbers_masked: bool,
    recorder_node: Option<String>,
    segments: Vec<Segment>,
    recordings: Vec<RecordingRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    id: String,
    agent_id: Option<String>,
    start_time: i64,
    end_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordingRef {
    id: String,
    segment_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recording {
    id: String,
    interaction_id: u64,
    segment_id: Option<String>,
    start_time: i64,
    end_time: i64,
    duration_ms: Option<i64>,
    codec: String,
    content_type: String,
    channels: u16,
    channel_roles: Vec<String>,
    sample_rate: u32,
    size_bytes: Option<u64>,
    file_name: String,
    recorder_node: Option<String>,
    pauses: Vec<Pause>,
    retention_class: Option<String>,
    legal_hold: bool,
    media_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pause {
    start_offset_ms: u64,
    end_offset_ms: u64,
    reason: String,
}

#[derive(Serialize)]
pub(super) struct User<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) extension: &'a str,
    pub(super) active: bool,
}

#[derive(Serialize)]
pub(super) struct Queue<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}

#[derive(Serialize)]
pub(super) struct Page<T> {
    entities: Vec<T>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct Metadata {
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    next_page_cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Token<'a> {
    pub(super) access_token: &'a str,
    pub(super) token_type: &'static str,
    pub(super) expires_in: u64,
    pub(super) scope: &'a str,
}

/// A refusal of the token endpoint (RFC 6749, section 5.2).
#[derive(Serialize)]
pub(super) struct TokenError<'a> {
    pub(super) error: &'a str,
    pub(super) error_description: &'a str,
}

#[derive(Serialize)]
pub(super) struct ApiError<'a> {
    pub(super) error: &'a str,
    pub(super) message: &'a str,
}

impl<T> Page<T> {
    pub(super) fn new(entities: Vec<T>, next_page_cursor: Option<String>) -> Page<T> {
        Page {
            entities,
            metadata: Metadata {
                pagination: Pagination { next_page_cursor },
            },
        }
    }
}

impl From<world::Interaction> for Interaction {
    fn from(from: world::Interaction) -> Interaction {
        let segment = |segment: world::Segment| Segment {
            id: segment.id,
            agent_id: segment.agent_id,
            start_time: segment.start_ms,
            end_time: segment.end_ms,
        };
        Interaction {
            id: from.id,
            start_time: from.start_ms,
            end_time: from.end_ms,
            wait_time_ms: from.wait_ms,
            talk_time_ms: from.talk_ms,
            direction: if from.inbound { "INBOUND" } else { "OUTBOUND" },
            agent_id: from.agent_id,
            agent_extension: from.agent_extension,
            queue_id: from.queue_id,
            skill: from.skill,
            skill_group: from.skill_group,
            ivr_node_id: from.ivr_node_id,
            disposition_code: from.disposition_code,
            wrap_up_code: from.wrap_up_code,
            caller_number: from.caller_number.map(|number| number.in_full().to_owned()),
            dialled_number: from
                .dialled_number
                .map(|number| number.in_full().to_owned()),
            numbers_masked: from.numbers_masked,
            recorder_node: from.recorder_node,
            segments: from.segments.into_iter().map(segment).collect(),
            recordings: from
                .recordings
                .into_iter()
                .map(|one| RecordingRef {
                    id: one.id,
                    segment_id: one.segment_id,
                })
                .collect(),
        }
    }
}

impl Recording {
    pub(super) fn of(from: world::Recording, size_bytes: Option<u64>) -> Recording {
        let pause = |pause: world::Pause| Pause {
            start_offset_ms: pause.start_offset_ms,
            end_offset_ms: pause.end_offset_ms,
            reason: pause.reason,
        };
        Recording {
            media_url: format!(
                "/api/v2/recordings/{}/media",
                super::state::in_path(&from.id)
            ),
            id: from.id,
            interaction_id: from.interaction_id,
            segment_id: from.segment_id,
            start_time: from.start_ms,
            end_time: from.end_ms,
            duration_ms: from.duration_ms,
            codec: from.codec,
            content_type: from.content_type,
            channels: from.channels,
            channel_roles: from.channel_roles,
            sample_rate: from.sample_rate,
            size_bytes,
            file_name: from.file_name,
            recorder_node: from.recorder_node,
            pauses: from.pauses.into_iter().map(pause).collect(),
            retention_class: from.retention_class,
            legal_hold: from.legal_hold,
        }
    }
}
