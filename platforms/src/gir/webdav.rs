//! The WebDAV store. Source: RFC 4918; it is an Apache httpd in the field.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use url::Url;

use super::listing;
use crate::clock::Clock;
use crate::error::CallError;
use crate::net::answer::Media;
use crate::net::auth::Account;
use crate::net::body::{Upload, body};
use crate::net::call::{Call, READ, Repeat};
use crate::net::rate_limit::Limit;
use crate::net::session::{Counts, Session};
use crate::net::transport::Transport;

/// A client of one store.
pub struct WebDavClient {
    session: Session,
    root: Url,
}

/// What is known of a file without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes. Absent: not told.
    pub length: Option<u64>,
    /// Entity tag, which is no content hash.
    pub etag: Option<String>,
}

/// How a move ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It lies under its new name.
    Done,
    /// Something lies there already; nothing was changed.
    Taken,
    /// Nothing lies under its old name.
    Absent,
}

/// A member of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path of its URL, decoded, without a slash at its end.
    pub path: String,
    /// A collection, not a file.
    pub is_collection: bool,
    /// Bytes. Absent: not told.
    pub length: Option<u64>,
    /// When it was last written, as the server spells it (RFC 9110 date). Absent: not told.
    pub modified: Option<String>,
}

impl WebDavClient {
    /// Sends nothing yet.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        root: Url,
        account: &Account,
        requests_per_second: u32,
    ) -> WebDavClient {
        let limit = Limit::new(requests_per_second, Duration::from_secs(1));
        WebDavClient {
            session: Session::basic(transport, clock, account, limit),
            root,
        }
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.session.counts.clone()
    }

    /// Address of a file or collection, by its steps below the root.
    ///
    /// # Errors
    ///
    /// A step of dots alone has no address ([`CallError::NotSent`]), nor has any where the root
    /// cannot carry a path.
    pub fn url(&self, steps: &[&str]) -> Result<Url, CallError> {
        crate::net::path::below(&self.root, steps)
    }

    /// An address as it was stored, if it lies in this store: nobody else's host gets the account.
    ///
    /// # Errors
    ///
    /// It is no URL ([`CallError::Malformed`]), or it lies outside this store
    /// ([`CallError::HostNotAllowed`]).
    pub fn own(&self, address: &str) -> Result<Url, CallError> {
        let what = "a media file's path".to_owned();
        let url = Url::parse(address).map_err(|_| CallError::Malformed {
            what: what.clone(),
            why: "not a URL".to_owned(),
        })?;
        let same_host = url.scheme() == self.root.scheme() && url.host() == self.root.host();
        let same_port = url.port_or_known_default() == self.root.port_or_known_default();
        let root = format!("{}/", self.root.path().trim_end_matches('/'));
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if same_host && same_port && plain && url.path().starts_with(&root) && !dotted(url.path()) {
            return Ok(url);
        }
        Err(CallError::HostNotAllowed {
            what,
            host: crate::net::failure::host(&url),
        })
    }

    /// Makes a collection; one that is there already is as good. Its parent has to be there.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 405, be it inside a 207, or does not answer as expected
    /// ([`CallError`]).
    pub async fn make_collection(&self, url: &Url) -> Result<(), CallError> {
        match self
            .change(&Call::bodiless(
                method(b"MKCOL"),
                collection(url),
                &[201, 207],
            ))
            .await
        {
            // 405: there is something already. Source: RFC 4918 section 9.3.1.
            Ok(_) | Err(CallError::Refused { status: 405, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Puts a file; the same twice is the same as once.
    ///
    /// # Errors
    ///
    /// The server refuses, be it inside a 207, or does not answer as expected ([`CallError`]). 409:
    /// the collection is missing.
    pub async fn put(&self, url: &Url, upload: &Upload) -> Result<(), CallError> {
        let mut call = Call::new(
            Method::PUT,
            url.clone(),
            Repeat::Safe,
            &[200, 201, 204, 207],
            body(upload.open.clone(), upload.length),
        );
        call.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(upload.content_type),
        );
        call.headers
            .insert(header::CONTENT_LENGTH, upload.length.into());
        self.change(&call).await
    }

    /// Looks at a file; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 404, or does not answer ([`CallError`]).
    pub async fn head(&self, url: &Url) -> Result<Option<Head>, CallError> {
        let call = Call::bodiless(Method::HEAD, url.clone(), READ);
        match self.session.call(&call).await {
            Ok(answer) => {
                let text = |name| {
                    answer
                        .headers
                        .get(name)
                        .and_then(|value| value.to_str().ok())
                };
                let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
                Ok(Some(Head {
                    length,
                    etag: text(header::ETAG).map(str::to_owned),
                }))
            }
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves a file to a name that is free.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 404 and 412, be it inside a 207, or does not answer as
    /// expected ([`CallError`]). An unknown outcome comes back as [`CallError::OutcomeUnknown`]:
    /// look before repeating.
    pub async fn rename(&self, from: &Url, to: &Url) -> Result<Moved, CallError> {
        let mut call = Call::bodiless(method(b"MOVE"), from.clone(), &[201, 204, 207]);
        call.repeat = Repeat::LookFirst;
        let destination = HeaderValue::from_str(to.as_str());
        let destination = destination.map_err(|_| CallError::Malformed {
            what: to.path().to_owned(),
            why: "not a header's value".to_owned(),
        })?;
        call.headers
            .insert(HeaderName::from_static("destination"), destination);
        call.headers.insert(
            HeaderName::from_static("overwrite"),
            HeaderValue::from_static("F"),
        );
        match self.change(&call).await {
            Ok(()) => Ok(Moved::Done),
            Err(CallError::Refused { status: 412, .. }) => Ok(Moved::Taken),
            Err(CallError::Refused { status: 404, .. }) => Ok(Moved::Absent),
            Err(error) => Err(error),
        }
    }

    /// Deletes a file or collection; whether there was one.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 404, be it inside a 207, or does not answer as expected
    /// ([`CallError`]).
    pub async fn delete(&self, url: &Url) -> Result<bool, CallError> {
        match self
            .change(&Call::bodiless(
                Method::DELETE,
                url.clone(),
                &[200, 204, 207],
            ))
            .await
        {
            Ok(()) => Ok(true),
            Err(CallError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A file's bytes, as they come; no more than `most`.
    ///
    /// # Errors
    ///
    /// The server refuses, does not answer or announces more than `most` ([`CallError`]). What
    /// fails later is an error of the stream.
    pub async fn get(&self, url: &Url, most: u64) -> Result<Media, CallError> {
        let mut call = Call::get(url.clone());
        call.headers
            .insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        self.session.media(&call, most).await
    }

    /// Sends what changes something. A 207 tells in its body how each part of it went, and one that
    /// failed has failed the call. Source: RFC 4918 sections 9.6.1 and 13.
    async fn change(&self, call: &Call) -> Result<(), CallError> {
        let (bytes, answer) = self.session.bytes(call).await?;
        if answer.status != StatusCode::MULTI_STATUS {
            return Ok(());
        }
        let what = format!("{} {}", call.method, call.url.path());
        match listing::failed_status(&bytes) {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                let message = "inside a 207".to_owned();
                Err(CallError::Refused {
                    what,
                    status,
                    code: String::new(),
                    message,
                    entity_id: None,
                    field: None,
                })
            }
            Err(why) => Err(CallError::Malformed { what, why }),
        }
    }

    /// What a collection holds, one level deep, itself left out; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 404, does not answer, or answers what is no listing
    /// ([`CallError`]).
    pub async fn list(&self, url: &Url) -> Result<Option<Vec<Entry>>, CallError> {
        let mut call = Call::bodiless(method(b"PROPFIND"), collection(url), &[207]);
        call.headers.insert(
            HeaderName::from_static("depth"),
            HeaderValue::from_static("1"),
        );
        call.headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/xml, text/xml"),
        );
        match self.session.bytes(&call).await {
            Ok((bytes, _)) => {
                let what = format!("PROPFIND {}", url.path());
                listing::entries(&bytes, call.url.path())
                    .map(Some)
                    .map_err(|why| CallError::Malformed { what, why })
            }
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The address of a collection ends in a slash; without it a server may answer with a redirect to
/// itself. Source: RFC 4918 section 5.2.
fn collection(url: &Url) -> Url {
    let mut url = url.clone();
    if let Ok(mut steps) = url.path_segments_mut() {
        steps.pop_if_empty().push("");
    }
    url
}

/// Whether a path has steps that lead elsewhere once they are decoded.
fn dotted(path: &str) -> bool {
    path.split('/').any(|step| {
        let step = percent_encoding::percent_decode_str(step).decode_utf8_lossy();
        step == "." || step == ".." || step.contains(['/', '\\', '\0'])
    })
}

fn method(name: &[u8]) -> Method {
    // The three names used here are tokens; a name that is none could not be sent.
    Method::from_bytes(name).unwrap_or(Method::OPTIONS)
}
