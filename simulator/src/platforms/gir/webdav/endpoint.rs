//! Who may ask the store for what, and how its requests reach dav-server.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::{BodyExt, Collected, Full};
use tempfile::TempPath;

use super::file_system::Arrived;
use super::places::{Nowhere, Place};
use super::{Webdav, not_authenticated, page};
use sha2::{Digest as _, Sha256};

use crate::http::body::{WRITE_BYTES, drain, read_whole, temporary, write_elsewhere};
use crate::http::reply::Reply;
use crate::http::request_context;
use crate::operations::{self, Operation};
use crate::pipeline::Core;
use crate::pipeline::request::{Admission, reject, serve};
use crate::platforms::gir::{Gir, rules};
use crate::rules::Rule;

/// Most bytes of a request that is no upload: an XML document of properties or of a lock.
const DOCUMENT_BYTES: u64 = 64 * 1024;

/// Every method that is served.
const ALLOWED: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";

/// What is asked of the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DavMethod {
    Put,
    Get,
    Head,
    MakeCollection,
    Move,
    Copy,
    Delete,
    List,
    Other,
}

impl DavMethod {
    fn of(method: &Method) -> Option<DavMethod> {
        Some(match method.as_str() {
            "PUT" => DavMethod::Put,
            "GET" => DavMethod::Get,
            "HEAD" => DavMethod::Head,
            "MKCOL" => DavMethod::MakeCollection,
            "MOVE" => DavMethod::Move,
            "COPY" => DavMethod::Copy,
            "DELETE" => DavMethod::Delete,
            "PROPFIND" => DavMethod::List,
            "OPTIONS" | "PROPPATCH" | "LOCK" | "UNLOCK" => DavMethod::Other,
            _ => return None,
        })
    }

    fn operation(self) -> &'static Operation {
        match self {
            DavMethod::Put => &operations::WEBDAV_PUT_FILE,
            DavMethod::Get => &operations::WEBDAV_GET_FILE,
            DavMethod::Head => &operations::WEBDAV_HEAD_FILE,
            DavMethod::MakeCollection => &operations::WEBDAV_MAKE_COLLECTION,
            DavMethod::Move => &operations::WEBDAV_MOVE_FILE,
            DavMethod::Copy => &operations::WEBDAV_COPY_FILE,
            DavMethod::Delete => &operations::WEBDAV_DELETE_FILE,
            DavMethod::List => &operations::WEBDAV_LIST,
            DavMethod::Other => &operations::WEBDAV_OTHER,
        }
    }

    /// What a status says was changed.
    fn effect(self, method: &Method, status: u16) -> Option<&'static str> {
        match (self, status) {
            (DavMethod::Put | DavMethod::MakeCollection, 201) => Some("created"),
            (DavMethod::Put | DavMethod::Move | DavMethod::Copy, 204) => Some("replaced"),
            (DavMethod::Move, 201) => Some("moved"),
            (DavMethod::Copy, 201) => Some("copied"),
            (DavMethod::Delete, 200 | 204) => Some("deleted"),
            (DavMethod::Other, 201) => Some("created"),
            (DavMethod::Other, 207) if method.as_str() == "PROPPATCH" => Some("updated"),
            _ => None,
        }
    }
}

/// A request that may have its turn.
pub(crate) struct Admitted {
    method: DavMethod,
    /// Name of the file or collection; of its new place where it is moved or copied.
    key: String,
}

/// Why a request has no turn: what is told.
pub(crate) struct Refused(Reply);

/// Serves one request.
pub(super) async fn answer(State(site): State<Arc<Gir>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let store = site.webdav();
    let operation = DavMethod::of(&head.method)
        .unwrap_or(DavMethod::Other)
        .operation();
    let admitted = match store.authorize(operation, &head) {
        ((), Ok(admitted)) => admitted,
        ((), Err(refused)) => {
            drain(body).await;
            return reject(store, operation, "-", (), refused).await;
        }
    };
    let received = match admitted.method {
        DavMethod::Put => store
            .receive(body)
            .await
            .map(|(file, bytes)| (Bytes::new(), Arrived::of(file), bytes)),
        _ => document(body)
            .await
            .map(|document| (document.clone(), Arrived::default(), document.len() as u64)),
    };
    let (document, arrived, bytes_in) = match received {
        Ok(received) => received,
        Err(refused) => return reject(store, operation, &admitted.key, (), refused).await,
    };
    let handle = async {
        site.look();
        Ok(store.handle(head, document, arrived, admitted.method).await)
    };
    serve(store, operation, &admitted.key, bytes_in, (), handle).await
}

impl Admission for Webdav {
    type Authorized = Admitted;
    type Error = Refused;
    type Headers = ();

    fn core(&self) -> &Core {
        &self.core
    }

    fn authorize(&self, _: &'static Operation, head: &Parts) -> ((), Result<Admitted, Refused>) {
        ((), self.admit(head))
    }

    fn reply(Refused(reply): Refused) -> Reply {
        reply
    }
}

impl Webdav {
    fn mark(&self, rule: &'static Rule) {
        self.core.exercised.mark(rule);
    }

    /// Holds a request against account, method and path.
    fn admit(&self, parts: &Parts) -> Result<Admitted, Refused> {
        self.mark(&rules::WEBDAV_BASIC);
        if !self.account.is_shown(&parts.headers) {
            return Err(Refused(not_authenticated()));
        }
        self.mark(&rules::WEBDAV_METHODS);
        let method = DavMethod::of(&parts.method)
            .ok_or_else(|| Refused(page(405).with_header(header::ALLOW, ALLOWED)))?;
        self.mark(&rules::WEBDAV_PLACES);
        let place = Place::of(parts.uri.path()).map_err(|nowhere| nowhere_reply(nowhere, 404))?;
        let is_root = place.name().is_none();
        if is_root && matches!(method, DavMethod::Delete | DavMethod::Move) {
            self.mark(&rules::WEBDAV_ROOT);
            return Err(Refused(page(403)));
        }
        let place = if matches!(method, DavMethod::Move | DavMethod::Copy) {
            self.destination(&parts.headers)?
        } else {
            place
        };
        match method {
            DavMethod::Put => self.is_whole_upload(parts, &place)?,
            DavMethod::Get | DavMethod::Head => self.mark(&rules::WEBDAV_ETAG),
            DavMethod::List => self.is_finite_listing(&parts.headers)?,
            DavMethod::MakeCollection
            | DavMethod::Move
            | DavMethod::Copy
            | DavMethod::Delete
            | DavMethod::Other => {}
        }
        Ok(Admitted {
            method,
            key: place.name().unwrap_or("-").to_owned(),
        })
    }

    /// Where something is moved or copied to. RFC 4918, section 9.8.5: another server is 502.
    fn destination(&self, headers: &HeaderMap) -> Result<Place, Refused> {
        self.mark(&rules::WEBDAV_DESTINATION);
        let text = headers
            .get("destination")
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| Refused(page(400)))?;
        let place = if text.starts_with('/') {
            Place::of(text)
        } else {
            // A client that is let in by another name of this server names that one.
            let host = headers
                .get(header::HOST)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            Place::of_address(text, &self.base_url())
                .or_else(|_| Place::of_address(text, &format!("http://{host}")))
        };
        place.map_err(|nowhere| nowhere_reply(nowhere, 502))
    }

    /// A depth of 0 or 1: a listing of everything is refused. RFC 4918, section 9.1: without the
    /// header it is everything.
    fn is_finite_listing(&self, headers: &HeaderMap) -> Result<(), Refused> {
        self.mark(&rules::WEBDAV_LISTING);
        match headers.get("depth").map(HeaderValue::as_bytes) {
            Some(b"0" | b"1") => Ok(()),
            _ => Err(Refused(infinite_depth())),
        }
    }

    /// An upload of a part is refused (RFC 9110, section 14.5), so is one over a collection (RFC
    /// 4918, section 9.7.2) or into one that is not there.
    fn is_whole_upload(&self, parts: &Parts, place: &Place) -> Result<(), Refused> {
        self.mark(&rules::WEBDAV_WHOLE);
        if parts.headers.contains_key(header::CONTENT_RANGE) {
            return Err(Refused(page(400)));
        }
        let at = place.below(&self.root());
        if at.is_dir() {
            return Err(Refused(page(405)));
        }
        self.mark(&rules::WEBDAV_COLLECTION);
        if at.parent().is_some_and(std::path::Path::is_dir) {
            Ok(())
        } else {
            Err(Refused(page(409)))
        }
    }
}

/// The precondition's name, as RFC 4918, section 9.1, has it.
fn infinite_depth() -> Reply {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error \
        xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>\n";
    Reply::empty(403)
        .with_header(header::CONTENT_TYPE, "application/xml; charset=utf-8")
        .holding(text)
}

fn nowhere_reply(nowhere: Nowhere, elsewhere: u16) -> Refused {
    Refused(page(match nowhere {
        Nowhere::Elsewhere => elsewhere,
        Nowhere::Unsafe => 400,
    }))
}

async fn document(body: Body) -> Result<Bytes, Refused> {
    match read_whole(body, DOCUMENT_BYTES).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Refused(page(413))),
        Err(()) => Err(Refused(page(400))),
    }
}

impl Webdav {
    /// Streams an upload into a file beside the store; the file and its length. Nothing is kept of
    /// one that ends early.
    async fn receive(&self, body: Body) -> Result<(TempPath, u64), Refused> {
        let failed = |error: std::io::Error| {
            tracing::error!(%error, "failed to write an upload beside the store; free some space");
            Refused(page(507))
        };
        let (mut file, path) = temporary(self.waiting_room()).map_err(failed)?;
        let (mut hasher, mut pending, mut bytes) = (Sha256::new(), Vec::new(), 0_u64);
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Refused(page(400)))?;
            bytes += chunk.len() as u64;
            hasher.update(&chunk);
            pending.extend_from_slice(&chunk);
            if pending.len() >= WRITE_BYTES {
                (file, pending) = write_elsewhere(&self.core.clock, file, pending)
                    .await
                    .map_err(failed)?;
            }
        }
        std::io::Write::write_all(&mut file, &pending).map_err(failed)?;
        // The store's dates are those of its own clock, not of the machine's.
        let now = std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(
                u64::try_from(self.core.clock.now_ms()).unwrap_or(0),
            );
        file.set_modified(now).map_err(failed)?;
        request_context::record_file_digest(hasher.finalize().into());
        Ok((path, bytes))
    }

    async fn handle(
        &self,
        mut parts: Parts,
        document: Bytes,
        arrived: Arrived,
        method: DavMethod,
    ) -> Reply {
        let verb = parts.method.clone();
        // dav-server is milder to a client that calls itself litmus; here it is judged as any other
        // is served.
        parts.headers.remove("x-litmus");
        if method == DavMethod::Put {
            // The bytes are there already: dav-server is told of an upload without any.
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.remove("x-expected-entity-length");
        }
        let turn = if method.operation().mutates {
            Some(self.changing.lock().await)
        } else {
            None
        };
        let request = http::Request::from_parts(parts, Full::new(document));
        let clock = &self.core.clock;
        let response = clock
            .elsewhere(
                self.dav
                    .handle_guarded(request, self.account.username.to_owned(), arrived),
            )
            .await;
        let (mut told, body) = response.into_parts();
        told.headers.remove(header::CONNECTION);
        if verb == Method::OPTIONS {
            told.headers.insert("dav", HeaderValue::from_static("1,2"));
            told.headers
                .insert(header::ALLOW, HeaderValue::from_static(ALLOWED));
        }
        let status = told.status.as_u16();
        let body = match turn {
            // Some of what is done is done while its answer is read.
            Some(_turn) => Body::from(
                clock
                    .elsewhere(BodyExt::collect(body))
                    .await
                    .map(Collected::to_bytes)
                    .unwrap_or_default(),
            ),
            None => Body::new(body),
        };
        let length = told
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes_out = if verb == Method::HEAD {
            Some(0)
        } else {
            length.or_else(|| http_body::Body::size_hint(&body).exact())
        };
        Reply {
            status: told.status,
            headers: told.headers,
            body,
            bytes_out,
            effect: method.effect(&verb, status),
            digest: None,
        }
    }
}
