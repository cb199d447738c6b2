//! A recording's bytes as a stream that goes on where it was cut.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::clock::Clock;
use crate::error::CallError;
use crate::net::answer::{Answer, Media};
use crate::net::arrival::Arrival;
use crate::net::call::Call;
use crate::net::failure::body_failure;
use crate::net::transport::{Failure, TransportError};

/// How often one recording's stream may be taken up again. A connection that breaks more often than
/// this is not a bad minute.
const RESUMES: u32 = 6;

/// Asks for a recording's bytes.
#[async_trait]
pub(crate) trait Open: Send + Sync + 'static {
    /// Those from `at` on, of the entity with this tag where one is known.
    async fn open(&self, at: u64, etag: Option<&HeaderValue>) -> Result<Answer, CallError>;
    /// Where they are asked for.
    fn url(&self) -> &Url;
}

/// Asks for bytes from `at` on, of the entity with this tag where one is known.
pub(crate) fn from(call: &mut Call, at: u64, etag: Option<&HeaderValue>) {
    call.headers
        .insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    if at > 0 {
        let range = HeaderValue::from_str(&format!("bytes={at}-"));
        call.headers.insert(
            header::RANGE,
            range.unwrap_or(HeaderValue::from_static("bytes=0-")),
        );
        if let Some(etag) = etag {
            call.headers.insert(header::IF_RANGE, etag.clone());
        }
    }
}

/// The bytes of an answer, no more than `most`. A stream that is cut goes on where it stopped,
/// while the entity stays the same.
pub(crate) fn media(
    open: impl Open,
    answer: Answer,
    most: u64,
    clock: Clock,
) -> Result<Media, CallError> {
    let headers = answer.headers_to_keep();
    let length = answer.content_length();
    // Offsets of coded bytes are not offsets of the recording.
    let etag = answer
        .headers
        .get(header::ETAG)
        .filter(|_| !answer.coded)
        .cloned();
    let arrival = Arrival::media(clock, most);
    arrival
        .announced(length)
        .map_err(|error| body_failure(open.url().path(), open.url(), error))?;
    let reader = Reader {
        open,
        etag,
        arrival,
        resumes: 0,
        stream: answer.body.into_stream(),
    };
    Ok(Media {
        headers,
        length,
        stream: reader.into_stream(),
    })
}

struct Reader<O> {
    open: O,
    etag: Option<HeaderValue>,
    /// What has come: the next byte is at that offset.
    arrival: Arrival,
    resumes: u32,
    stream: BoxStream<'static, Result<Bytes, TransportError>>,
}

impl<O: Open> Reader<O> {
    fn into_stream(self) -> BoxStream<'static, Result<Bytes, CallError>> {
        stream::try_unfold(self, |mut reader| async move {
            Ok(reader.next().await?.map(|piece| (piece, reader)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            match self.arrival.piece(&mut self.stream).await {
                Ok(piece) => return Ok(piece),
                Err(error) if error.kind == Failure::Broken => self.resume(error.why).await?,
                Err(error) => {
                    let url = self.open.url();
                    return Err(body_failure(url.path(), url, error));
                }
            }
        }
    }

    async fn resume(&mut self, why: String) -> Result<(), CallError> {
        self.resumes += 1;
        let at = self.arrival.bytes;
        // Without a strong ETag nobody can say whether the rest belongs to what was read.
        let strong = self
            .etag
            .as_ref()
            .is_some_and(|etag| !etag.as_bytes().starts_with(b"W/"));
        let what = self.open.url().path().to_owned();
        if self.resumes > RESUMES || (at > 0 && !strong) {
            return Err(CallError::Unreachable {
                what,
                why,
                tries: self.resumes,
                answered: Some(200),
            });
        }
        let answer = self.open.open(at, self.etag.as_ref()).await?;
        let from = format!("bytes {at}-");
        let range = answer
            .headers
            .get(header::CONTENT_RANGE)
            .and_then(|range| range.to_str().ok());
        let goes_on = answer.status == StatusCode::PARTIAL_CONTENT
            && range.is_some_and(|range| range.starts_with(&from))
            && !answer.coded;
        if at > 0 && !goes_on {
            let why =
                "the recording changed while it was read, or its server cannot resume".to_owned();
            return Err(CallError::Malformed { what, why });
        }
        self.stream = answer.body.into_stream();
        Ok(())
    }
}
