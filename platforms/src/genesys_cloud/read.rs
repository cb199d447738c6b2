//! The public read surface: reads, and the few POSTs that only ask. Source: the vendor's OpenAPI
//! document.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::clock::Clock;
use crate::error::CallError;
use crate::genesys_cloud::wire;
use crate::net::answer::Media;
use crate::net::auth::Credentials;
use crate::net::call::{Call, READ, Repeat};
use crate::net::failure::parse;
use crate::net::pages::Pages;
use crate::net::rate_limit::Limit;
use crate::net::session::{Counts, Session};
use crate::net::transport::Transport;

/// How to reach an organisation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Root of the API.
    pub api_url: Url,
    /// Where tokens are issued.
    pub token_url: Url,
    /// OAuth client.
    pub credentials: Credentials,
    /// Requests a minute for this token; what the platform announces lowers it.
    pub requests_per_minute: u32,
}

/// The longest page of analytics that is read: 1000 conversations, some of them with a hundred
/// legs. Bytes.
pub(super) const DETAILS_MOST: u64 = 64 * 1024 * 1024;
/// Users, queues or the like of one organisation at most: ten times what the vendor allows of any.
const MOST_ENTITIES: usize = 1_000_000;

/// Requests that are allowed per token and minute. Source: the vendor's blog and SDK pages
/// (observed).
const LIMIT_HEADER: &str = "inin-ratelimit-allowed";

/// A client of the read surface.
#[derive(Clone)]
pub struct ReadClient {
    pub(crate) session: Arc<Session>,
    api: Url,
    /// The store behind pre-signed addresses publishes no limit; a wait that it asks for is
    /// everybody's.
    pub(super) store: Arc<Limit>,
}

impl ReadClient {
    /// Sends nothing yet.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock, settings: Settings) -> ReadClient {
        let limit = Limit::new(settings.requests_per_minute, Duration::from_secs(60));
        let session = Session::new(
            transport,
            clock,
            settings.token_url,
            settings.credentials,
            limit,
        )
        .with_limit_header(LIMIT_HEADER);
        let store = Arc::new(Limit::new(u32::MAX, Duration::from_secs(1)).named("store"));
        ReadClient {
            session: Arc::new(session),
            api: settings.api_url,
            store,
        }
    }

    /// Root of the API.
    #[must_use]
    pub fn api_url(&self) -> &Url {
        &self.api
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.session.counts.clone()
    }

    /// All users, those who left included.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn users(&self) -> Result<Vec<wire::Named>, CallError> {
        self.all(&["api", "v2", "users"], &[("state", "any")]).await
    }

    /// All queues.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn queues(&self) -> Result<Vec<wire::Named>, CallError> {
        self.all(&["api", "v2", "routing", "queues"], &[]).await
    }

    /// All wrap-up codes.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn wrapupcodes(&self) -> Result<Vec<wire::Named>, CallError> {
        self.all(&["api", "v2", "routing", "wrapupcodes"], &[])
            .await
    }

    /// All skills.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn skills(&self) -> Result<Vec<wire::Named>, CallError> {
        self.all(&["api", "v2", "routing", "skills"], &[]).await
    }

    /// One conversation.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn conversation(&self, id: &str) -> Result<wire::Conversation, CallError> {
        self.session
            .json(&Call::get(self.url(&["api", "v2", "conversations", id])?))
            .await
    }

    /// A conversation's recordings; `None` while the platform transcodes (202).
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn recordings(
        &self,
        conversation_id: &str,
        format_id: &str,
    ) -> Result<Option<Vec<wire::Recording>>, CallError> {
        let mut url = self.url(&["api", "v2", "conversations", conversation_id, "recordings"])?;
        url.query_pairs_mut()
            .append_pair("formatId", format_id)
            .append_pair("maxWaitMs", "5000");
        let mut call = Call::get(url);
        call.done = &[200, 202];
        let (bytes, answer) = self.session.bytes(&call).await?;
        if answer.status == StatusCode::ACCEPTED {
            return Ok(None);
        }
        parse(call.url.path(), &bytes).map(Some)
    }

    /// A conversation's recordings without media.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn recordingmetadata(
        &self,
        conversation_id: &str,
    ) -> Result<Vec<wire::Recording>, CallError> {
        self.session
            .json(&Call::get(self.url(&[
                "api",
                "v2",
                "conversations",
                conversation_id,
                "recordingmetadata",
            ])?))
            .await
    }

    /// One page of all recordings' dates; `None` for the first.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn retention_page(
        &self,
        cursor: Option<&str>,
    ) -> Result<wire::RetentionPage, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            entities: Vec<wire::RetentionEntry>,
            next_uri: Option<String>,
        }
        let mut url = self.url(&["api", "v2", "recordings", "retention", "query"])?;
        url.query_pairs_mut()
            .append_pair("retentionThresholdDays", "0")
            .append_pair("pageSize", "500");
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let body: Body = self.session.json(&Call::get(url)).await?;
        let next_cursor = body.next_uri.and_then(|uri| {
            let next = self.api.join(&uri).ok()?;
            next.query_pairs()
                .find(|(name, _)| name == "cursor")
                .map(|(_, value)| value.into_owned())
        });
        Ok(wire::RetentionPage {
            entities: body.entities,
            next_cursor,
        })
    }

    /// Which of up to 100 conversations are protected from deletion. A POST that reads.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn deletion_protected(&self, ids: &[String]) -> Result<Vec<String>, CallError> {
        #[derive(Deserialize)]
        struct Entry {
            /// The conversation. Source: platform API, AddressableEntityRef.
            id: String,
        }
        let url = self.url(&["api", "v2", "recordings", "deletionprotection"])?;
        let body = serde_json::json!({ "conversationIds": ids });
        let entries: Vec<Entry> = self
            .session
            .json(&Call::json(Method::POST, url, Repeat::Safe, READ, &body)?)
            .await?;
        Ok(entries.into_iter().map(|entry| entry.id).collect())
    }

    /// Asks for up to 100 recordings in their original codec. Creates a job, changes nothing else.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn create_batchrequest(
        &self,
        recordings: &[(String, String)],
    ) -> Result<String, CallError> {
        #[derive(Deserialize)]
        struct Body {
            id: String,
        }
        let url = self.url(&["api", "v2", "recording", "batchrequests"])?;
        let list: Vec<_> = recordings
            .iter()
            .map(|(conversation, recording)| serde_json::json!({ "conversationId": conversation, "recordingId": recording }))
            .collect();
        let body = serde_json::json!({ "batchDownloadRequestList": list });
        let body: Body = self
            .session
            .json(&Call::json(Method::POST, url, Repeat::Safe, READ, &body)?)
            .await?;
        Ok(body.id)
    }

    /// How that job stands.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn batchrequest(&self, id: &str) -> Result<wire::BatchStatus, CallError> {
        self.session
            .json(&Call::get(self.url(&[
                "api",
                "v2",
                "recording",
                "batchrequests",
                id,
            ])?))
            .await
    }

    /// Bytes behind a pre-signed address of a batch result, no more than `most`. No token is sent;
    /// nothing is resumed.
    ///
    /// # Errors
    ///
    /// The address is no URL, or the store refuses, does not answer or announces more than `most`
    /// ([`CallError`]). A cut is an error of the stream.
    pub async fn presigned(&self, address: &str, most: u64) -> Result<Media, CallError> {
        let malformed = |_| CallError::Malformed {
            what: "resultUrl".to_owned(),
            why: "not a URL".to_owned(),
        };
        let url = self.api.join(address).map_err(malformed)?;
        let mut call = Call::get(url);
        call.token = false;
        call.limit = Some(self.store.clone());
        call.headers
            .insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        self.session.media(&call, most).await
    }

    /// Starts an analytics job; answers its id.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn create_details_job(&self, query: &serde_json::Value) -> Result<String, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            job_id: String,
        }
        let url = self.url(&["api", "v2", "analytics", "conversations", "details", "jobs"])?;
        let body: Body = self
            .session
            .json(&Call::json(Method::POST, url, Repeat::Safe, &[202], query)?)
            .await?;
        Ok(body.job_id)
    }

    /// How that job stands.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn details_job_state(&self, id: &str) -> Result<wire::JobState, CallError> {
        self.session
            .json(&Call::get(self.url(&[
                "api",
                "v2",
                "analytics",
                "conversations",
                "details",
                "jobs",
                id,
            ])?))
            .await
    }

    /// Asks for a page of a job's results; `None` for the first.
    pub(super) fn details_call(
        &self,
        job: &str,
        cursor: Option<&str>,
        page_size: u32,
    ) -> Result<Call, CallError> {
        let mut url = self.url(&[
            "api",
            "v2",
            "analytics",
            "conversations",
            "details",
            "jobs",
            job,
            "results",
        ])?;
        url.query_pairs_mut()
            .append_pair("pageSize", &page_size.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let mut call = Call::get(url);
        call.most = DETAILS_MOST;
        Ok(call)
    }

    /// A page of its results; `None` for the first.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn details_results(
        &self,
        id: &str,
        cursor: Option<&str>,
        page_size: u32,
    ) -> Result<wire::DetailsPage, CallError> {
        let call = self.details_call(id, cursor, page_size)?;
        self.session.json(&call).await
    }

    /// The organisation's effective limits in one namespace, such as `platform.api`.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn limits(&self, namespace: &str) -> Result<Vec<wire::LimitValue>, CallError> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            entities: Vec<wire::LimitValue>,
        }
        let url = self.url(&[
            "api",
            "v2",
            "organizations",
            "limits",
            "namespaces",
            namespace,
        ])?;
        let body: Body = self.session.json(&Call::get(url)).await?;
        Ok(body.entities)
    }

    /// The organisation's maximum retention in days; `None`: it has none. Source: the vendor's
    /// SDKs, AnalyticsDataRetentionResponse.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn maximum_retention_days(&self) -> Result<Option<u32>, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            retention_days: Option<u32>,
        }
        let url = self.url(&["api", "v2", "analytics", "dataretention", "settings"])?;
        let body: Body = self.session.json(&Call::get(url)).await?;
        Ok(body.retention_days.filter(|days| *days > 0))
    }

    /// The organisation's divisions.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn divisions(&self) -> Result<Vec<wire::Named>, CallError> {
        self.all(&["api", "v2", "authorization", "divisions"], &[])
            .await
    }

    /// All orphan recordings.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn orphan_recordings(&self) -> Result<Vec<wire::OrphanRecording>, CallError> {
        self.all(&["api", "v2", "orphanrecordings"], &[]).await
    }

    /// All media retention policies in force: the ordinary ones, or those that hold across
    /// platforms.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn retention_policies(
        &self,
        cross_platform: bool,
    ) -> Result<Vec<wire::RetentionPolicy>, CallError> {
        let path: &[&str] = match cross_platform {
            true => &[
                "api",
                "v2",
                "recording",
                "crossplatform",
                "mediaretentionpolicies",
            ],
            false => &["api", "v2", "recording", "mediaretentionpolicies"],
        };
        self.all(path, &[("enabled", "true")]).await
    }

    /// Asks for a report of the uploads since a time, ISO 8601. Creates a report, changes nothing
    /// else.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn create_upload_report(
        &self,
        date_since: &str,
    ) -> Result<wire::UploadReport, CallError> {
        let url = self.url(&["api", "v2", "recording", "uploads", "reports"])?;
        self.session
            .json(&Call::json(
                Method::POST,
                url,
                Repeat::Safe,
                &[202],
                &serde_json::json!({ "dateSince": date_since }),
            )?)
            .await
    }

    /// How that report stands.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn upload_report(&self, id: &str) -> Result<wire::UploadReport, CallError> {
        self.session
            .json(&Call::get(self.url(&[
                "api",
                "v2",
                "recording",
                "uploads",
                "reports",
                id,
            ])?))
            .await
    }

    pub(crate) async fn all<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        let mut pages = Pages::default();
        for page_number in 1_u64.. {
            let mut url = self.url(path)?;
            url.query_pairs_mut()
                .append_pair("pageSize", "100")
                .append_pair("pageNumber", &page_number.to_string())
                .extend_pairs(query);
            let call = Call::get(url);
            let page: wire::Page<Box<RawValue>> = self.session.json(&call).await?;
            for entity in &page.entities {
                all.push(parse(call.url.path(), entity.get().as_bytes())?);
            }
            if all.len() > MOST_ENTITIES {
                let why = format!(
                    "it lists more than {MOST_ENTITIES}, and no organisation has that many"
                );
                return Err(CallError::Malformed {
                    what: call.url.path().to_owned(),
                    why,
                });
            }
            let last = page.entities.is_empty()
                || page.page_count.is_none_or(|count| page_number >= count);
            let next = (!last).then(|| page_number.to_string());
            if pages
                .next(
                    call.url.path(),
                    page.entities.iter().map(|entity| entity.get()),
                    next,
                )?
                .is_none()
            {
                break;
            }
        }
        Ok(all)
    }

    /// A path whose parts may come from outside: each is escaped.
    pub(crate) fn url(&self, parts: &[&str]) -> Result<Url, CallError> {
        crate::net::path::below(&self.api, parts)
    }
}
