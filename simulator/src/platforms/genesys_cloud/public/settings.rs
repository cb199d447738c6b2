//! What a scenario may set about the public ingestion. Almost each is something no page of the
//! vendor states.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[genesys_cloud.public]` of a scenario. Every number has its unit in its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublicSettings {
    /// Oldest event that is taken, in days before now. Absent: any age.
    pub max_event_age_days: Option<u32>,
    /// What becomes of an event whose eventId was taken before with other content. Default
    /// `ignore`.
    pub reused_event_id: ReusedEventId,
    /// Status of a pre-signed PUT whose bytes do not have the announced MD5. Default 400.
    pub wrong_md5_status: u16,
    /// How long an uploaded recording is processed, in milliseconds; `Pending` meanwhile. Default
    /// 0.
    pub upload_processing_ms: u64,
    /// How long an upload is parked until its conversation comes, in milliseconds; then it surfaces
    /// as an orphan recording. Default 86400000.
    pub wait_for_conversation_ms: u64,
    /// How long an upload report is prepared, in milliseconds. Default 0.
    pub report_ms: u64,
    /// Columns of an upload report, in order.
    pub report_columns: Vec<ReportColumn>,
    /// What a retention policy counts its days from. Default `creation`.
    pub policy_days_from: PolicyDaysFrom,
    /// How long a recording job is prepared, and then executed, in milliseconds each. Default 0.
    pub recording_job_ms: u64,
    /// How long a new recording stays out of a recording job's conversation query, in milliseconds.
    /// Default 0; the vendor says up to 48 hours.
    pub recording_job_lag_ms: u64,
    /// What the search of participants' attributes searches by. Default `windows`.
    pub attribute_search: AttributeSearch,
    /// How many days the search of participants' attributes finds a conversation after it came into
    /// the organisation. Default 30.
    pub attributes_found_days: u32,
    /// Id of the organisation's export integration, which recording jobs may export to. Absent:
    /// none.
    pub export_integration: Option<String>,
    /// How long an audit query runs, in milliseconds. Default 0.
    pub audit_query_ms: u64,
    /// What an id in a path that is no UUID comes to: 404, as an unknown one, or 400. Default 404.
    pub malformed_id_status: u16,
    /// Whether a parameter that an operation does not have is 400 instead of passed over. Default
    /// false.
    pub refuse_unknown_parameters: bool,
}

/// What becomes of a reused eventId.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReusedEventId {
    /// Nothing, without an error: the first event stays.
    #[default]
    Ignore,
    /// An error of that event, not retryable.
    Refuse,
}

/// What the search of participants' attributes searches by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeSearch {
    /// Conversation, division and time; attributes are answered and not searched by.
    #[default]
    Windows,
    /// Attributes too, each by its name.
    Attributes,
}

/// What a retention policy counts its days from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyDaysFrom {
    /// When the recording came into the organisation.
    #[default]
    Creation,
    /// The end of the conversation.
    ConversationEnd,
}

/// A column of an upload report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReportColumn {
    /// Key of the upload, with the file name.
    UploadKey,
    /// File name of the upload.
    FileName,
    /// Conversation that metadata.json names.
    ConversationId,
    /// Recording that metadata.json names.
    RecordingId,
    /// Pending, Success, Failure or WaitForConversation.
    Status,
    /// When the bytes arrived.
    DateUploaded,
    /// When the status changed last.
    DateUpdated,
    /// Why it failed or waits.
    Message,
}

impl ReportColumn {
    /// Every column, in the default order.
    pub(super) const ALL: [ReportColumn; 8] = [
        ReportColumn::UploadKey,
        ReportColumn::FileName,
        ReportColumn::ConversationId,
        ReportColumn::RecordingId,
        ReportColumn::Status,
        ReportColumn::DateUploaded,
        ReportColumn::DateUpdated,
        ReportColumn::Message,
    ];

    /// Its heading.
    pub(in crate::platforms::genesys_cloud) fn heading(self) -> &'static str {
        match self {
            ReportColumn::UploadKey => "uploadKey",
            ReportColumn::FileName => "fileName",
            ReportColumn::ConversationId => "conversationId",
            ReportColumn::RecordingId => "recordingId",
            ReportColumn::Status => "status",
            ReportColumn::DateUploaded => "dateUploaded",
            ReportColumn::DateUpdated => "dateUpdated",
            ReportColumn::Message => "message",
        }
    }
}

impl Default for PublicSettings {
    fn default() -> PublicSettings {
        PublicSettings {
            max_event_age_days: None,
            reused_event_id: ReusedEventId::default(),
            wrong_md5_status: 400,
            upload_processing_ms: 0,
            wait_for_conversation_ms: 24 * 3_600_000,
            report_ms: 0,
            report_columns: ReportColumn::ALL.to_vec(),
            policy_days_from: PolicyDaysFrom::default(),
            recording_job_ms: 0,
            recording_job_lag_ms: 0,
            attribute_search: AttributeSearch::default(),
            attributes_found_days: 30,
            export_integration: None,
            audit_query_ms: 0,
            malformed_id_status: 404,
            refuse_unknown_parameters: false,
        }
    }
}
