//! The vendor's public ingestion: events of an external platform, uploads of recordings, what
//! became of them, and what is written on a conversation afterwards. Source: platform API
//! (api/v2/docs/swagger), events/conversations, uploads/recordings, recording/uploads.
//!
//! Every call here may be repeated: events carry ids the client chose, an upload names its
//! recording, the rest sets what it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::error::CallError;
use crate::genesys_cloud::read::{ReadClient, Settings};
use crate::net::body::{OpenFile, body};
use crate::net::call::{Call, Repeat};
use crate::net::failure::parse;
use crate::net::refusal::redact_phone_numbers;
use crate::net::session::Counts;
use crate::net::transport::Transport;

/// Events that fit into one request.
pub const EVENTS_MOST: usize = 100;

/// Something that happened in a conversation on another platform.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The customer's side began.
    External(Established),
    /// The call came into a queue.
    Routing(Established),
    /// An agent's leg began.
    User(Established),
    /// A wrap-up code was given.
    Disposition(Disposition),
    /// A communication ended.
    Ended(Ended),
}

/// Fields every event has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Chosen by the client, UUID of version 4; the same id is the same event.
    pub event_id: String,
    /// When it happened, ISO 8601.
    pub event_date_time: String,
    /// Chosen by the client, UUID of version 4.
    pub conversation_id: String,
    /// Chosen by the client, UUID of version 4.
    pub communication_id: String,
}

/// A communication begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Established {
    /// Ids and time.
    #[serde(flatten)]
    pub head: Head,
    /// Number that called; of an external communication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ani: Option<String>,
    /// Number that was called; of an external communication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnis: Option<String>,
    /// Queue; of a routing communication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<String>,
    /// Skills asked for; of a routing communication.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skill_ids: Vec<String>,
    /// Agent; of a user communication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// How it began.
    pub initial_configuration: InitialConfiguration,
    /// Where it comes from.
    pub source_configuration: SourceConfiguration,
}

/// How a communication began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitialConfiguration {
    /// Whether it rings first.
    pub alerting: bool,
    /// Whether the call came in.
    pub inbound: bool,
    /// Whether it is recorded.
    pub recording_active: bool,
}

/// Where a conversation comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceConfiguration {
    /// The external platform.
    pub source_id: String,
    /// The conversation's id there.
    pub interaction_id: String,
    /// Becomes the conversation's external tag.
    pub tag_id: String,
}

/// A wrap-up code is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disposition {
    /// Ids and time.
    #[serde(flatten)]
    pub head: Head,
    /// Wrap-up code id.
    pub code: String,
}

/// A communication ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// Ids and time.
    #[serde(flatten)]
    pub head: Head,
    /// Why: `Peer`, `Self`, `Transfer`, `TransferUser` ..
    pub disconnect_type: &'static str,
}

impl Event {
    /// Ids and time.
    #[must_use]
    pub fn head(&self) -> &Head {
        match self {
            Event::External(event) | Event::Routing(event) | Event::User(event) => &event.head,
            Event::Disposition(event) => &event.head,
            Event::Ended(event) => &event.head,
        }
    }
}

/// A request's events, by kind as the API lists them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Batch<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_established_events: Vec<&'a Established>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routing_established_events: Vec<&'a Established>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_established_events: Vec<&'a Established>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    communication_disposition_applied_events: Vec<&'a Disposition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    communication_ended_events: Vec<&'a Ended>,
}

impl<'a> Batch<'a> {
    fn of(events: &'a [Event]) -> Batch<'a> {
        let mut batch = Batch::default();
        for event in events {
            match event {
                Event::External(event) => batch.external_established_events.push(event),
                Event::Routing(event) => batch.routing_established_events.push(event),
                Event::User(event) => batch.user_established_events.push(event),
                Event::Disposition(event) => {
                    batch.communication_disposition_applied_events.push(event)
                }
                Event::Ended(event) => batch.communication_ended_events.push(event),
            }
        }
        batch
    }
}

/// An event that was not taken; the others of its batch were.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventError {
    /// Which.
    pub event_id: Option<String>,
    /// The platform's words, without numbers they may quote.
    #[serde(default)]
    pub message: String,
    /// Whether sending it again may help.
    #[serde(default)]
    pub retryable: bool,
}

/// An upload that is announced.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRequest {
    /// Name without spaces and special characters.
    pub file_name: String,
    /// Base64 of the raw MD5.
    pub content_md5: String,
    /// How long the address may be used, 1..604800.
    pub signed_url_timeout_seconds: u32,
    /// Media type.
    pub content_type: &'static str,
}

/// Where an announced upload goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadTarget {
    /// Pre-signed address; takes no token.
    pub url: String,
    /// The upload's key in the store.
    pub upload_key: String,
    /// Headers the PUT must have, exactly.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// How an upload report stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Report.
    pub id: String,
    /// `InProgress`, `Completed` or `Failed`.
    #[serde(default)]
    pub state: String,
    /// Where it can be read, once completed.
    pub signed_url: Option<String>,
}

/// A recording whose conversation is not known.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Orphan {
    /// Orphan.
    pub id: String,
    /// What the uploader called the recording.
    pub source_orphaning_id: Option<String>,
}

/// A media retention policy, as far as it says when recordings go.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Whether it is at work.
    #[serde(default)]
    pub enabled: bool,
    /// Which recordings, where no medium has conditions of its own.
    pub conditions: Option<serde_json::Map<String, serde_json::Value>>,
    /// What happens to them, where no medium has actions of its own.
    pub actions: Option<PolicyActions>,
    /// Conditions and actions by medium.
    pub media_policies: Option<MediaPolicies>,
}

/// A policy's parts by medium.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaPolicies {
    /// For calls.
    pub call_policy: Option<CallPolicy>,
}

/// A policy's part for calls.
#[derive(Debug, Clone, Deserialize)]
pub struct CallPolicy {
    /// Which of them.
    pub conditions: Option<serde_json::Map<String, serde_json::Value>>,
    /// What happens to them.
    pub actions: Option<PolicyActions>,
}

/// What a policy does with a recording.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyActions {
    /// Deletes it, whatever another policy says.
    #[serde(default)]
    pub always_delete: bool,
    /// Deletes it where no policy retains it.
    #[serde(default)]
    pub delete_recording: bool,
    /// Retains it. Absent: retained, as far as anybody says.
    pub retain_recording: Option<bool>,
    /// For how long.
    pub retention_duration: Option<RetentionDuration>,
}

/// How long a policy retains.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionDuration {
    /// Until it is deleted.
    pub delete_retention: Option<DeleteRetention>,
}

/// Days until deletion.
#[derive(Debug, Clone, Deserialize)]
pub struct DeleteRetention {
    /// Absent: none.
    pub days: Option<u32>,
}

/// What was read, and the bytes it was read from: custody holds their hash.
#[derive(Debug, Clone)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// As it came.
    pub bytes: Bytes,
}

/// A permission that ingestion needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// As roles name it.
    pub name: &'static str,
    /// Whether this client has it.
    pub granted: bool,
}

/// What a store answers to a PUT. Source: Amazon S3, PutObject: 200; 201 and 204 are those of other
/// stores (assumed).
const STORED: &[u16] = &[200, 201, 204];
/// What a request that should be refused might be answered with, if it is not.
const ASKED: &[u16] = &[200, 201, 202, 204];

/// A client of the public ingestion, with the read surface under the same token.
pub struct PublicClient {
    read: ReadClient,
}

impl PublicClient {
    /// Sends nothing yet.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock, settings: Settings) -> PublicClient {
        PublicClient {
            read: ReadClient::new(transport, clock, settings),
        }
    }

    /// The reads of the same organisation, under the same token and limit.
    #[must_use]
    pub fn read(&self) -> &ReadClient {
        &self.read
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.read.counts()
    }

    /// Sends 1..100 events; answers those that were not taken. The same events again change
    /// nothing.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn inject_events(&self, events: &[Event]) -> Result<Vec<EventError>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            errors: Vec<EventError>,
        }
        let url = self.read.url(&["api", "v2", "events", "conversations"])?;
        let mut call = Call::json(Method::POST, url, Repeat::Safe, &[200], &Batch::of(events))?;
        if let Some(first) = events.first() {
            call.key.clone_from(&first.head().event_id);
        }
        let answer: Answer = self.read.session.json(&call).await?;
        let scrubbed = |error: EventError| EventError {
            message: redact_phone_numbers(&error.message),
            ..error
        };
        Ok(answer.errors.into_iter().map(scrubbed).collect())
    }

    /// Announces an upload. Announced twice is uploaded once: an address that is not used expires.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn create_upload(&self, upload: &UploadRequest) -> Result<UploadTarget, CallError> {
        let url = self.read.url(&["api", "v2", "uploads", "recordings"])?;
        let mut call = Call::json(Method::POST, url, Repeat::Safe, &[200], upload)?;
        call.key.clone_from(&upload.file_name);
        self.read.session.json(&call).await
    }

    /// Sends the bytes of an announced upload, streamed.
    ///
    /// # Errors
    ///
    /// The target is not one HTTP can carry ([`CallError::Malformed`]), or the store refuses or
    /// does not answer ([`CallError`]). [`CallError::Refused`] with 403: the address has expired,
    /// or a header differs.
    pub async fn put_upload(
        &self,
        target: &UploadTarget,
        length: u64,
        open: OpenFile,
    ) -> Result<(), CallError> {
        let malformed = |what: &str| CallError::Malformed {
            what: "POST /api/v2/uploads/recordings".to_owned(),
            why: what.to_owned(),
        };
        let url = target.url.parse().map_err(|_| malformed("url is no URL"))?;
        let mut call = Call::new(Method::PUT, url, Repeat::Safe, STORED, body(open, length));
        for (name, value) in &target.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| malformed("a header has no name HTTP can carry"))?;
            let value = HeaderValue::from_str(value)
                .map_err(|_| malformed("a header has no value HTTP can carry"))?;
            call.headers.insert(name, value);
        }
        call.headers.insert(header::CONTENT_LENGTH, length.into());
        call.token = false;
        call.limit = Some(self.read.store.clone());
        self.read.session.bytes(&call).await.map(drop)
    }

    /// Asks for a report of the uploads since a time, ISO 8601: those of one status (`Pending`,
    /// `Success`, `Failure`, `WaitForConversation`), or all. Creates a report, changes nothing
    /// else.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn create_report(
        &self,
        date_since: &str,
        status: Option<&str>,
    ) -> Result<Report, CallError> {
        let url = self
            .read
            .url(&["api", "v2", "recording", "uploads", "reports"])?;
        let mut asked = serde_json::json!({ "dateSince": date_since });
        if let Some(status) = status {
            asked["uploadStatus"] = status.into();
        }
        self.read
            .session
            .json(&Call::json(
                Method::POST,
                url,
                Repeat::Safe,
                &[202],
                &asked,
            )?)
            .await
    }

    /// How that report stands.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn report(&self, id: &str) -> Result<Report, CallError> {
        self.read
            .session
            .json(&Call::get(self.read.url(&[
                "api",
                "v2",
                "recording",
                "uploads",
                "reports",
                id,
            ])?))
            .await
    }

    /// All orphan recordings.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn orphans(&self) -> Result<Vec<Orphan>, CallError> {
        self.read.all(&["api", "v2", "orphanrecordings"], &[]).await
    }

    /// All media retention policies for recordings of other platforms.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn crossplatform_policies(&self) -> Result<Vec<Policy>, CallError> {
        self.read
            .all(
                &[
                    "api",
                    "v2",
                    "recording",
                    "crossplatform",
                    "mediaretentionpolicies",
                ],
                &[],
            )
            .await
    }

    /// Ties a key of another system to a user. Answers whose it is already when it is somebody's,
    /// this user's own included.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 409, does not answer, or does not say whose the key
    /// is ([`CallError`]).
    pub async fn add_external_id(
        &self,
        user_id: &str,
        authority: &str,
        key: &str,
    ) -> Result<Option<String>, CallError> {
        let url = self
            .read
            .url(&["api", "v2", "users", user_id, "externalid"])?;
        let body = serde_json::json!({ "authorityName": authority, "externalKey": key });
        match self
            .read
            .session
            .bytes(&Call::json(
                Method::POST,
                url,
                Repeat::Safe,
                &[200, 201],
                &body,
            )?)
            .await
        {
            Ok(_) => Ok(None),
            Err(error) if error.status() == Some(StatusCode::CONFLICT.as_u16()) => {
                let url = self
                    .read
                    .url(&["api", "v2", "users", "externalid", authority, key])?;
                let user: super::wire::Named = self.read.session.json(&Call::get(url)).await?;
                Ok(Some(user.id))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes an orphan a recording of a conversation. `false`: there is no such orphan any more.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, or does not answer ([`CallError`]).
    pub async fn attach_orphan(
        &self,
        id: &str,
        conversation_id: &str,
        delete_date: Option<&str>,
    ) -> Result<bool, CallError> {
        let url = self.read.url(&["api", "v2", "orphanrecordings", id])?;
        let mut body = serde_json::json!({ "conversationId": conversation_id });
        if let Some(date) = delete_date {
            body["deleteDate"] = date.into();
        }
        match self
            .read
            .session
            .bytes(&Call::json(Method::PUT, url, Repeat::Safe, &[200], &body)?)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND.as_u16()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets attributes of a participant; others stay.
    ///
    /// # Errors
    ///
    /// The platform refuses or does not answer ([`CallError`]).
    pub async fn update_attributes(
        &self,
        conversation_id: &str,
        participant_id: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), CallError> {
        let url = self.read.url(&[
            "api",
            "v2",
            "conversations",
            conversation_id,
            "participants",
            participant_id,
            "attributes",
        ])?;
        let body = serde_json::json!({ "attributes": attributes });
        self.read
            .session
            .bytes(&Call::json(
                Method::PATCH,
                url,
                Repeat::Safe,
                &[202],
                &body,
            )?)
            .await
            .map(drop)
    }

    /// Protects up to 100 conversations from deletion.
    ///
    /// # Errors
    ///
    /// The platform refuses or does not answer ([`CallError`]).
    pub async fn protect(&self, conversation_ids: &[String]) -> Result<(), CallError> {
        let mut url = self
            .read
            .url(&["api", "v2", "recordings", "deletionprotection"])?;
        url.query_pairs_mut().append_pair("protect", "true");
        let body = serde_json::json!({ "conversationIds": conversation_ids });
        self.read
            .session
            .bytes(&Call::json(Method::PUT, url, Repeat::Safe, &[204], &body)?)
            .await
            .map(drop)
    }

    /// Sets when a recording is deleted; `None`: never.
    ///
    /// # Errors
    ///
    /// The platform refuses or does not answer ([`CallError`]).
    pub async fn set_delete_date(
        &self,
        conversation_id: &str,
        recording_id: &str,
        date: Option<&str>,
    ) -> Result<(), CallError> {
        let url = self.read.url(&[
            "api",
            "v2",
            "conversations",
            conversation_id,
            "recordings",
            recording_id,
        ])?;
        let body = serde_json::json!({ "deleteDate": date });
        self.read
            .session
            .bytes(&Call::json(Method::PUT, url, Repeat::Safe, &[200], &body)?)
            .await
            .map(drop)
    }

    /// Which of the permissions that ingestion needs this client has. No read tells, so each is
    /// asked for by a request that is refused anyway: an empty batch, a name no file may have, an
    /// id nobody has. Nothing is changed. Source: the permission is checked first (platform API
    /// lists 403 on each of these operations); that order is assumed.
    ///
    /// # Errors
    ///
    /// The platform refuses the credentials, or does not answer one of the requests
    /// ([`CallError`]).
    pub async fn permissions(&self) -> Result<Vec<Permission>, CallError> {
        let nobody = "00000000-0000-4000-8000-000000000000";
        let api = |parts: &[&str]| self.read.url(&[&["api", "v2"], parts].concat());
        let json = |method: Method, url, body: serde_json::Value| {
            Call::json(method, url, Repeat::Safe, ASKED, &body)
        };
        let upload = serde_json::json!({ "fileName": ".", "contentMd5": "", "signedUrlTimeoutSeconds": 1, "contentType": "application/zip" });
        let none = serde_json::json!({});
        let asks = [
            (
                "conversation:conversation:inject",
                json(
                    Method::POST,
                    api(&["events", "conversations"])?,
                    none.clone(),
                )?,
            ),
            (
                "recording:recording:upload",
                json(Method::POST, api(&["uploads", "recordings"])?, upload)?,
            ),
            (
                "recording:uploadReport:add",
                json(
                    Method::POST,
                    api(&["recording", "uploads", "reports"])?,
                    none.clone(),
                )?,
            ),
            (
                "recording:uploadReport:view",
                Call::get(api(&["recording", "uploads", "reports", nobody])?),
            ),
            (
                "recording:orphan:view",
                Call::get(api(&["orphanrecordings", nobody])?),
            ),
            (
                "recording:orphan:edit",
                json(Method::PUT, api(&["orphanrecordings", nobody])?, none)?,
            ),
            (
                "recording:deletionProtection:apply",
                json(
                    Method::PUT,
                    api(&["recordings", "deletionprotection"])?,
                    serde_json::json!({ "conversationIds": [] }),
                )?,
            ),
            (
                "recording:recording:editRetention",
                json(
                    Method::PUT,
                    api(&["conversations", nobody, "recordings", nobody])?,
                    serde_json::json!({ "deleteDate": null }),
                )?,
            ),
        ];
        let mut permissions = Vec::with_capacity(asks.len());
        for (name, call) in asks {
            let granted = match self.read.session.bytes(&call).await {
                Ok(_) => true,
                Err(CallError::Refused { status, .. }) => status != StatusCode::FORBIDDEN.as_u16(),
                Err(error) => return Err(error),
            };
            permissions.push(Permission { name, granted });
        }
        Ok(permissions)
    }

    /// One conversation; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn conversation(
        &self,
        id: &str,
    ) -> Result<Option<Answered<super::wire::Conversation>>, CallError> {
        self.there(&["api", "v2", "conversations", id]).await
    }

    /// A conversation's recordings without media; `None` where there is no such conversation.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn recordings(
        &self,
        conversation_id: &str,
    ) -> Result<Option<Answered<Vec<super::wire::Recording>>>, CallError> {
        self.there(&[
            "api",
            "v2",
            "conversations",
            conversation_id,
            "recordingmetadata",
        ])
        .await
    }

    async fn there<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
    ) -> Result<Option<Answered<T>>, CallError> {
        let call = Call::get(self.read.url(path)?);
        match self.read.session.bytes(&call).await {
            Ok((bytes, _)) => Ok(Some(Answered {
                value: parse(call.url.path(), &bytes)?,
                bytes,
            })),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND.as_u16()) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
