//! A gateway before a platform that answers what a test wants, and passes everything else on. Where
//! the platform closes the connection without an answer, the client gets 502 instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use futures_util::stream;

use crate::support::reqwest_client;

/// A request as it came.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }
}

/// Gives a request an answer; `false`: it is passed on.
type Answer = dyn Fn(&Asked, &mut Wire) -> bool + Send + Sync;

/// Takes an answer. Counts what the server takes of it, which may be a little ahead of the client.
pub(crate) struct Wire {
    answer: Option<Response<Body>>,
    taken: Arc<AtomicU64>,
}

impl Wire {
    /// An answer of a status line, header lines that each end in a line break, and a body.
    pub(crate) fn say(&mut self, status: &str, headers: &str, body: &[u8]) -> bool {
        self.taken.fetch_add(body.len() as u64, Ordering::Relaxed);
        self.take(status, headers, Body::from(body.to_vec()))
    }

    pub(crate) fn json(&mut self, body: &str) -> bool {
        self.say(
            "200 OK",
            "content-type: application/json\r\n",
            body.as_bytes(),
        )
    }

    /// A body that goes on until the other side has had enough, or, after so many bytes, this one.
    pub(crate) fn flood(&mut self, headers: &str, piece: &[u8], most: u64) -> bool {
        let (piece, taken) = (Bytes::copy_from_slice(piece), self.taken.clone());
        let pieces = stream::unfold(0, move |sent: u64| {
            let (piece, taken) = (piece.clone(), taken.clone());
            async move {
                if sent >= most {
                    return None;
                }
                let length = piece.len() as u64;
                taken.fetch_add(length, Ordering::Relaxed);
                Some((Ok::<_, std::io::Error>(piece), sent + length))
            }
        });
        self.take("200 OK", headers, Body::from_stream(pieces))
    }

    fn take(&mut self, status: &str, headers: &str, body: Body) -> bool {
        let mut response = Response::new(body);
        *response.status_mut() = status
            .split(' ')
            .next()
            .and_then(|code| code.parse().ok())
            .expect("a status");
        for (name, value) in headers
            .lines()
            .map(|line| line.split_once(": ").expect("a header"))
        {
            response.headers_mut().insert(
                name.parse::<HeaderName>().expect("a name"),
                value.parse().expect("a value"),
            );
        }
        self.answer = Some(response);
        true
    }
}

/// The gateway. Ends when it is dropped.
pub(crate) struct Gateway {
    pub(crate) address: String,
    pub(crate) port: u16,
    state: Arc<Before>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// What stands before what.
struct Before {
    /// `http://host:port`.
    upstream: String,
    /// The host and port that stand in answers for the upstream's.
    own: Option<String>,
    answer: Box<Answer>,
    client: reqwest::Client,
    taken: Arc<AtomicU64>,
    asked: AtomicU64,
}

impl Gateway {
    /// Stands before the platform at `upstream` (`http://host:port`). Addresses in the platform's
    /// answers lead past it.
    pub(crate) fn before(
        upstream: &str,
        answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static,
    ) -> Gateway {
        Gateway::standing(upstream, false, answer)
    }

    /// The same, and addresses in the platform's answers lead to the gateway.
    pub(crate) fn instead_of(
        upstream: &str,
        answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static,
    ) -> Gateway {
        Gateway::standing(upstream, true, answer)
    }

    fn standing(
        upstream: &str,
        renames: bool,
        answer: impl Fn(&Asked, &mut Wire) -> bool + Send + Sync + 'static,
    ) -> Gateway {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Before {
            upstream: upstream.trim_end_matches('/').to_owned(),
            own: renames.then(|| format!("127.0.0.1:{port}")),
            answer: Box::new(answer),
            client: reqwest_client(),
            taken: Arc::default(),
            asked: AtomicU64::default(),
        });
        let router = axum::Router::new()
            .fallback(serve)
            .with_state(state.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Gateway {
            address: format!("http://127.0.0.1:{port}"),
            port,
            state,
            runtime: Some(runtime),
        }
    }

    /// Bytes of its own answers that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.state.taken.load(Ordering::Relaxed)
    }

    /// Requests that came.
    pub(crate) fn asked(&self) -> u64 {
        self.state.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.runtime
            .take()
            .into_iter()
            .for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

/// Every connection serves one request.
async fn serve(State(before): State<Arc<Before>>, request: Request) -> Response<Body> {
    before.asked.fetch_add(1, Ordering::Relaxed);
    let asked = Asked {
        method: request.method().to_string(),
        path: request.uri().to_string(),
    };
    let mut wire = Wire {
        answer: None,
        taken: before.taken.clone(),
    };
    let mut response = if (before.answer)(&asked, &mut wire) {
        wire.answer.expect("an answer")
    } else {
        before.onward(request).await.unwrap_or_else(|error| {
            let mut response = Response::new(error.to_string().into());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        })
    };
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Before {
    async fn onward(&self, request: Request) -> Result<Response<Body>, reqwest::Error> {
        let (head, body) = request.into_parts();
        let url = format!("{}{}", self.upstream, head.uri);
        let mut onward = self
            .client
            .request(head.method, url)
            .headers(without_hops(&head.headers));
        if !body.is_end_stream() {
            onward = onward.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let answer = onward.send().await?;
        let (status, headers) = (answer.status(), without_hops(answer.headers()));
        let body = match &self.own {
            None => Body::from_stream(answer.bytes_stream()),
            Some(own) => renamed(
                answer.bytes().await?.to_vec(),
                self.upstream.trim_start_matches("http://"),
                own,
            )
            .into(),
        };
        let mut response = Response::new(body);
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

/// Headers without those of one connection. The length stays: a body that breaks off must not look
/// whole.
fn without_hops(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    [CONNECTION, TRANSFER_ENCODING]
        .iter()
        .for_each(|name| _ = kept.remove(name));
    kept
}

/// Another host and port in the place of the upstream's, of equal length, or the answer's own
/// length would be wrong.
fn renamed(mut body: Vec<u8>, upstream: &str, own: &str) -> Vec<u8> {
    assert_eq!(upstream.len(), own.len(), "ports of five digits");
    while let Some(at) = body
        .windows(own.len())
        .position(|piece| piece == upstream.as_bytes())
    {
        body[at..at + own.len()].copy_from_slice(own.as_bytes());
    }
    body
}
