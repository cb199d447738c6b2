//! The recording-migration guide's ingestion surface. Not in the vendor's public API; only towards
//! a simulator or a partner's gateway that speaks it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderValue, Method, StatusCode, header};

use crate::clock::Clock;
use crate::error::CallError;
use crate::genesys_cloud::read::{ReadClient, Settings};
use crate::genesys_cloud::wire;
use crate::net::body::{Upload, pieces};
use crate::net::call::{Call, MakeBody, Repeat};
use crate::net::rate_limit::Limit;
use crate::net::session::Counts;
use crate::net::transport::{Body, Transport};

/// What a write is answered with when it is done. The guide gives 200 for files and updates and 201
/// for a new interaction; a gateway that speaks it may answer any of the three (assumed).
const DONE: &[u16] = &[200, 201, 204];

/// A client of the guide's surface, with the read surface under the same token.
pub struct GuideClient {
    read: ReadClient,
    uploads: Arc<Limit>,
}

impl GuideClient {
    /// Sends nothing yet. Uploads have their own limit. Source: the guide, 100 a second.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        settings: Settings,
        uploads_per_second: u32,
    ) -> GuideClient {
        let uploads =
            Arc::new(Limit::new(uploads_per_second, Duration::from_secs(1)).named("uploads"));
        GuideClient {
            read: ReadClient::new(transport, clock, settings),
            uploads,
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

    /// Uploads a file; repeating is safe, because the same name replaces (overwrite=true).
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn upload_file(&self, upload: &Upload) -> Result<wire::UploadedFile, CallError> {
        let url = self.read.url(&["api", "v2", "files"])?;
        // A function of the name, so that a try repeats byte for byte; never longer than RFC 2046
        // allows.
        let boundary = format!(
            "seatrial-{}",
            uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, upload.name.as_bytes()).simple()
        );
        let mut call = Call::new(
            Method::POST,
            url,
            Repeat::Safe,
            DONE,
            multipart(upload, &boundary),
        );
        let length = frame(upload, &boundary)
            .iter()
            .map(|part| part.len() as u64)
            .sum::<u64>()
            + upload.length;
        let content_type =
            HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
        call.headers.insert(
            header::CONTENT_TYPE,
            content_type.unwrap_or(HeaderValue::from_static("multipart/form-data")),
        );
        call.headers.insert(header::CONTENT_LENGTH, length.into());
        call.limit = Some(self.uploads.clone());
        call.key.clone_from(&upload.name);
        self.read.session.json(&call).await
    }

    /// Creates an interaction.
    ///
    /// # Errors
    ///
    /// The platform refuses, an existing id with 409, or does not answer ([`CallError`]). An
    /// unknown outcome comes back as [`CallError::OutcomeUnknown`].
    pub async fn create_interaction(
        &self,
        interaction: &wire::Interaction,
    ) -> Result<(), CallError> {
        let url = self.read.url(&["api", "v2", "interactions"])?;
        let mut call = Call::json(Method::POST, url, Repeat::LookFirst, DONE, interaction)?;
        call.key.clone_from(&interaction.external_tag);
        self.read.session.bytes(&call).await.map(|_| ())
    }

    /// One interaction; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn get_interaction(&self, id: &str) -> Result<Option<wire::Interaction>, CallError> {
        let url = self.read.url(&["api", "v2", "interactions", id])?;
        match self.read.session.json(&Call::get(url)).await {
            Ok(interaction) => Ok(Some(interaction)),
            Err(CallError::Refused { status, .. }) if status == StatusCode::NOT_FOUND.as_u16() => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces an interaction; the same body twice is the same as once.
    ///
    /// # Errors
    ///
    /// The platform refuses or does not answer ([`CallError`]).
    pub async fn update_interaction(
        &self,
        interaction: &wire::Interaction,
    ) -> Result<(), CallError> {
        let url = self
            .read
            .url(&["api", "v2", "interactions", &interaction.id])?;
        self.read
            .session
            .bytes(&Call::json(
                Method::PUT,
                url,
                Repeat::Safe,
                DONE,
                interaction,
            )?)
            .await
            .map(|_| ())
    }
}

/// What stands before and after the file's bytes. Fields first, so that a server knows the name
/// before the bytes come.
fn frame(upload: &Upload, boundary: &str) -> [Bytes; 2] {
    let name = &upload.name;
    // The id in a name comes from the source: what would end a header is escaped as browsers do
    // (WHATWG form data).
    let escaped = name
        .replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    let name = escaped.as_str();
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; \
         name=\"name\"\r\n\r\n{name}\r\n--{boundary}\r\ncontent-disposition: form-data; \
         name=\"overwrite\"\r\n\r\ntrue\r\n--{boundary}\r\ncontent-disposition: form-data; \
         name=\"file\"; filename=\"{name}\"\r\ncontent-type: {}\r\n\r\n",
        upload.content_type
    );
    [
        Bytes::from(head),
        Bytes::from(format!("\r\n--{boundary}--\r\n")),
    ]
}

fn multipart(upload: &Upload, boundary: &str) -> MakeBody {
    let [head, tail] = frame(upload, boundary);
    let open = upload.open.clone();
    let length = head.len() as u64 + upload.length + tail.len() as u64;
    Arc::new(move || {
        let (head, tail, open) = (head.clone(), tail.clone(), open.clone());
        Box::pin(async move {
            let file = pieces(&open).await?;
            let ends = |bytes: Bytes| stream::once(async move { Ok(bytes) });
            Ok(Body::Stream {
                length: Some(length),
                stream: ends(head).chain(file).chain(ends(tail)).boxed(),
            })
        })
    })
}
