//! Genesys Cloud's JSON, exactly as sent. Source: scenarios/contracts/genesys_cloud, after the
//! vendor's OpenAPI document.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// `null` for a list or map is an empty one.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// One limit of a namespace.
#[derive(Debug, Clone, Deserialize)]
pub struct LimitValue {
    /// Such as `client.credentials.token.rate.per.minute`.
    pub key: Option<String>,
    /// In the unit the key names.
    pub value: Option<u64>,
}

/// A user, queue, wrap-up code or skill.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    /// Id.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Users: active, inactive, deleted.
    pub state: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub struct Page<T> {
    /// This page's.
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    pub entities: Vec<T>,
    /// Pages in all.
    pub page_count: Option<u64>,
}

/// A conversation as the conversations API tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Conversation.
    pub id: String,
    /// What ties it to a source.
    pub external_tag: Option<String>,
    /// Start, ISO 8601.
    pub start_time: Option<String>,
    /// End, ISO 8601.
    pub end_time: Option<String>,
    /// Participants.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub participants: Vec<Participant>,
}

/// A participant of a conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Participant.
    #[serde(default)]
    pub id: String,
    /// `customer`, `agent`, `external`, ...
    pub purpose: Option<String>,
    /// User of an agent.
    pub user_id: Option<String>,
    /// Queue the agent took the call from.
    pub queue_id: Option<String>,
    /// Start, ISO 8601.
    pub start_time: Option<String>,
    /// End, ISO 8601.
    pub end_time: Option<String>,
    /// Calling number.
    pub ani: Option<String>,
    /// Called number.
    pub dnis: Option<String>,
    /// Wrap-up.
    pub wrapup: Option<Wrapup>,
    /// Attributes.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Calls.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub calls: Vec<Call>,
}

/// A participant's wrap-up.
#[derive(Debug, Clone, Deserialize)]
pub struct Wrapup {
    /// Wrap-up code id.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A participant's call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// The communication, by which a recording names its leg (`sessionId`).
    pub id: Option<String>,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// Legs.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub segments: Vec<CallSegment>,
}

/// A leg of a call.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallSegment {
    /// Start, ISO 8601.
    pub start_time: Option<String>,
    /// End, ISO 8601.
    pub end_time: Option<String>,
}

/// A recording.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Recording.
    pub id: String,
    /// Conversation.
    pub conversation_id: Option<String>,
    /// Start, ISO 8601. Absent without playable media.
    pub start_time: Option<String>,
    /// End, ISO 8601. Absent without playable media.
    pub end_time: Option<String>,
    /// `audio`, `chat`, ...
    pub media: Option<String>,
    /// `AVAILABLE`, `ARCHIVED`, `DELETED`, `ERROR`, ...
    pub file_state: Option<String>,
    /// When it will be deleted, ISO 8601. Absent: never.
    pub delete_date: Option<String>,
    /// When it was or will be archived, ISO 8601.
    pub archive_date: Option<String>,
    /// `CLOUDARCHIVE` once it is archived.
    pub archive_medium: Option<String>,
    /// When it was made in the target, ISO 8601.
    pub creation_time: Option<String>,
    /// Session it belongs to. Absent in the stub of an archived one.
    pub session_id: Option<String>,
    /// Holds and pauses.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: Vec<Annotation>,
    /// Users heard.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub users: Vec<UserRef>,
}

/// A recording whose conversation is not known. Source: the vendor's API description,
/// OrphanRecording.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanRecording {
    /// Orphan.
    pub id: String,
    /// What the uploader called the recording.
    pub source_orphaning_id: Option<String>,
    /// `CALL`, `CHAT`, ...
    pub media_type: Option<String>,
    /// When it surfaced or was made, ISO 8601.
    pub created_time: Option<String>,
    /// The recording it would be.
    pub recording: Option<Recording>,
}

/// A media retention policy, with its conditions and actions as they stand. Source: the vendor's
/// API description, Policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPolicy {
    /// Policy.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Whether it is in force. Absent: it is not.
    pub enabled: Option<bool>,
    /// PolicyConditions; null: none.
    #[serde(default)]
    pub conditions: serde_json::Value,
    /// PolicyActions; null: none.
    #[serde(default)]
    pub actions: serde_json::Value,
    /// MediaPolicies, where conditions and actions are given per kind of media; null: they are not.
    #[serde(default)]
    pub media_policies: serde_json::Value,
}

/// How an upload report stands. Source: the vendor's API description, RecordingUploadReport.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadReport {
    /// Report.
    pub id: String,
    /// `InProgress`, `Completed` or `Failed`.
    #[serde(default)]
    pub state: String,
    /// Where it can be read, once completed.
    pub signed_url: Option<String>,
}

/// A reference to a user.
#[derive(Debug, Clone, Deserialize)]
pub struct UserRef {
    /// User.
    pub id: String,
}

/// A mark on a recording.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// `pause`, ...
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `Hold`, `SecurePause`, `FlowOrQueue`, `Pause`.
    pub reason: Option<String>,
    /// From the recording's start. Milliseconds.
    pub location: Option<i64>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
}

/// One page of the retention query.
#[derive(Debug, Clone)]
pub struct RetentionPage {
    /// Recordings with their dates.
    pub entities: Vec<RetentionEntry>,
    /// Where to go on. Absent: this was the last page.
    pub next_cursor: Option<String>,
}

/// A recording's dates.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionEntry {
    /// Conversation.
    pub conversation_id: String,
    /// Recording.
    pub recording_id: String,
    /// When it will be deleted, ISO 8601. Absent: never.
    pub delete_date: Option<String>,
    /// When it was made in the target, ISO 8601.
    pub creation_time: Option<String>,
}

/// How a batch download stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchStatus {
    /// `InProgress` or `Completed`.
    pub status: String,
    /// Results expected; may grow.
    pub expected_result_count: Option<u32>,
    /// Results there.
    pub result_count: Option<u32>,
    /// Results that are errors.
    pub error_count: Option<u32>,
    /// The results.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub results: Vec<BatchResult>,
}

/// One result of a batch download.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResult {
    /// Conversation.
    pub conversation_id: Option<String>,
    /// Recording.
    pub recording_id: Option<String>,
    /// Where the bytes are, without a token. Absent: see the message.
    pub result_url: Option<String>,
    /// Media type.
    pub content_type: Option<String>,
    /// Why there are no bytes.
    pub error_msg: Option<String>,
}

/// How an analytics job stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobState {
    /// `QUEUED`, `PENDING`, `FAILED`, `CANCELLED`, `FULFILLED`, `EXPIRED`.
    pub state: String,
    /// Why it failed.
    pub error_message: Option<String>,
}

/// A page of an analytics job's results.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailsPage {
    /// Conversations of this page.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub conversations: Vec<AnalyticsConversation>,
    /// Where to go on. Absent: this was the last page.
    pub cursor: Option<String>,
    /// Up to when analytics is complete, ISO 8601.
    pub data_availability_date: Option<String>,
}

/// A conversation as analytics tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsConversation {
    /// Conversation.
    pub conversation_id: String,
    /// Start, ISO 8601.
    pub conversation_start: Option<String>,
    /// End, ISO 8601.
    pub conversation_end: Option<String>,
    /// `inbound` or `outbound`.
    pub originating_direction: Option<String>,
    /// Divisions.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub division_ids: Vec<String>,
    /// What ties it to a source.
    pub external_tag: Option<String>,
    /// Participants.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub participants: Vec<AnalyticsParticipant>,
}

/// A participant as analytics tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsParticipant {
    /// Participant.
    #[serde(default)]
    pub participant_id: String,
    /// `customer`, `agent`, ...
    pub purpose: Option<String>,
    /// User of an agent.
    pub user_id: Option<String>,
    /// Attributes; only jobs carry them.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Sessions.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub sessions: Vec<AnalyticsSession>,
}

/// A session as analytics tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsSession {
    /// Session.
    pub session_id: Option<String>,
    /// `voice`, ...
    pub media_type: Option<String>,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// Calling number, `tel:` before E.164.
    pub ani: Option<String>,
    /// Called number, `tel:` before E.164.
    pub dnis: Option<String>,
    /// Whether it was recorded.
    pub recording: Option<bool>,
    /// Segments.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub segments: Vec<AnalyticsSegment>,
}

/// A segment as analytics tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsSegment {
    /// Start, ISO 8601.
    pub segment_start: Option<String>,
    /// End, ISO 8601.
    pub segment_end: Option<String>,
    /// `interact`, ...
    pub segment_type: Option<String>,
    /// Queue.
    pub queue_id: Option<String>,
    /// Wrap-up code id.
    pub wrap_up_code: Option<String>,
    /// Skills asked for.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub requested_routing_skill_ids: Vec<String>,
}

/// What an upload answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadedFile {
    /// File id to link by.
    pub id: String,
    /// Bytes the platform counted. Absent: it did not say.
    pub size_bytes: Option<u64>,
}

/// The guide's interaction payload. Source: recording-migration guide step 2.3; what goes beyond it
/// is an assumption of the contract file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interaction {
    /// Chosen by us.
    pub id: String,
    /// `call`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// Start of the conversation.
    pub created_time: String,
    /// End of the conversation.
    pub updated_time: String,
    /// What ties it to a source.
    pub external_tag: String,
    /// Agents and the customer.
    #[serde(default)]
    pub participants: Vec<InteractionParticipant>,
    /// Queue and skills.
    #[serde(default)]
    pub routing: Routing,
    /// Carried attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Legal hold.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Legs with their recordings.
    #[serde(default)]
    pub segments: Vec<InteractionSegment>,
}

/// A participant of the guide's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InteractionParticipant {
    /// User id of an agent; for the customer an id of ours.
    pub id: String,
    /// `agent` or `customer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Wrap-up code id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_up_code: Option<String>,
    /// The customer's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Calling number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ani: Option<String>,
    /// Called number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnis: Option<String>,
}

/// Routing of the guide's payload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// Queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueRef>,
    /// Skills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<SkillRef>,
}

/// A queue by id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueRef {
    /// Queue.
    pub id: String,
    /// Its name, for a reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A skill by id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkillRef {
    /// Skill.
    pub id: String,
}

/// A leg of the guide's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InteractionSegment {
    /// Chosen by us.
    pub id: String,
    /// `call`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Agent participant of this leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// Start.
    pub start: String,
    /// End.
    pub end: String,
    /// Recording of this leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<InteractionRecording>,
}

/// A recording of the guide's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InteractionRecording {
    /// Chosen by us.
    pub id: String,
    /// `call`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `complete`.
    pub status: String,
    /// Uploaded file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// Milliseconds.
    pub duration: u64,
    /// Tag and deletion date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionTag>,
    /// Pauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<PauseAnnotation>,
}

/// Retention of the guide's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionTag {
    /// The class by name. Absent: the source states a date alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// When it may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_date: Option<String>,
}

/// A pause of the guide's payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseAnnotation {
    /// `pause`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `SecurePause`.
    pub reason: String,
    /// From the recording's start. Milliseconds.
    pub location: i64,
    /// Milliseconds.
    pub duration_ms: i64,
}
