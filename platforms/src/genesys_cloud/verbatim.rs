//! What an organisation says of its calls, word for word: for whoever keeps the answers, and reads
//! each call by itself. Source: the vendor's OpenAPI document.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::read::ReadClient;
use crate::error::CallError;
use crate::net::answer::{Answer, Media};
use crate::net::call::Call;
use crate::net::failure::parse;
use crate::net::resume::{self, Open};

/// A page of an analytics job's results.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailsPage {
    /// Conversations, byte for byte.
    #[serde(default)]
    pub conversations: Option<Vec<Box<RawValue>>>,
    /// Where to go on. Absent: this was the last page.
    pub cursor: Option<String>,
    /// Up to when analytics is complete, ISO 8601. Absent: it does not say.
    pub data_availability_date: Option<String>,
}

/// A recording's answer.
#[derive(Debug)]
pub struct RecordingAnswer {
    /// Its body, byte for byte.
    pub body: Box<RawValue>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
}

/// What the bytes of a recording are answered with.
const OPENED: &[u16] = &[200];
/// The same where the rest of them is asked for.
const RESUMED: &[u16] = &[206, 200];

impl ReadClient {
    /// The organisation that the client belongs to, by its id. Source: platform API,
    /// `GET /api/v2/organizations/me`.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn organisation_id(&self) -> Result<String, CallError> {
        #[derive(Deserialize)]
        struct Body {
            id: String,
        }
        let url = self.url(&["api", "v2", "organizations", "me"])?;
        let body: Body = self.session.json(&Call::get(url)).await?;
        Ok(body.id)
    }

    /// A page of an analytics job's results; `None` for the first.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn details_verbatim(
        &self,
        job: &str,
        cursor: Option<&str>,
        page_size: u32,
    ) -> Result<DetailsPage, CallError> {
        let call = self.details_call(job, cursor, page_size)?;
        self.session.json(&call).await
    }

    /// A conversation's recordings, none of them transcoded for it. Answered with 202 it is asked
    /// again.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, is not ready after all tries, or answers what is not
    /// the JSON expected ([`CallError`]).
    pub async fn recordings_verbatim(
        &self,
        conversation_id: &str,
    ) -> Result<Vec<Box<RawValue>>, CallError> {
        let url = self.url(&["api", "v2", "conversations", conversation_id, "recordings"])?;
        self.session.json(&untranscoded(url)).await
    }

    /// One recording, not transcoded for it. Answered with 202 it is asked again.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, is not ready after all tries, or answers what is not
    /// the JSON expected ([`CallError`]).
    pub async fn recording_verbatim(
        &self,
        conversation_id: &str,
        recording_id: &str,
    ) -> Result<RecordingAnswer, CallError> {
        let call = untranscoded(self.url(&[
            "api",
            "v2",
            "conversations",
            conversation_id,
            "recordings",
            recording_id,
        ])?);
        let (bytes, answer) = self.session.bytes(&call).await?;
        Ok(RecordingAnswer {
            body: parse(call.url.path(), &bytes)?,
            headers: answer.headers_to_keep(),
        })
    }

    /// Bytes behind a pre-signed address of a batch result, no more than `most`. No token is sent.
    /// A stream that is cut goes on where it stopped, while the file stays the same.
    ///
    /// # Errors
    ///
    /// The address is no URL, or the store refuses, does not answer or announces more than `most`
    /// ([`CallError`]). What fails later is an error of the stream.
    pub async fn download(&self, address: &str, most: u64) -> Result<Media, CallError> {
        let malformed = |_| CallError::Malformed {
            what: "resultUrl".to_owned(),
            why: "not a URL".to_owned(),
        };
        let url = self.api_url().join(address).map_err(malformed)?;
        let open = Download {
            client: self.clone(),
            url,
        };
        let answer = open.open(0, None).await?;
        let clock = self.session.clock.clone();
        resume::media(open, answer, most, clock)
    }
}

/// A read that begins no transcoding.
fn untranscoded(mut url: Url) -> Call {
    url.query_pairs_mut().append_pair("formatId", "NONE");
    let mut call = Call::get(url);
    call.not_yet = &[202];
    call
}

/// A file in the store.
struct Download {
    client: ReadClient,
    url: Url,
}

#[async_trait]
impl Open for Download {
    async fn open(&self, at: u64, etag: Option<&HeaderValue>) -> Result<Answer, CallError> {
        let mut call = Call::get(self.url.clone());
        call.done = if at > 0 { RESUMED } else { OPENED };
        call.token = false;
        call.limit = Some(self.client.store.clone());
        resume::from(&mut call, at, etag);
        self.client.session.call(&call).await
    }

    fn url(&self) -> &Url {
        &self.url
    }
}
