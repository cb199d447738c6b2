//! A transport that makes a faulty migrator of Seatrial's own: it alters what the migrator reads of
//! the source, replaces recordings, and alters what the migrator writes to the target. Where the
//! migrator reads back what it wrote, it gets the unaltered document, so that it does not notice.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::{Method, Request, Response, header};
use parking_lot::Mutex;
use platforms::transport::{Body, Transport, TransportError};
use serde_json::{Value, json};

/// Alters a document.
pub(crate) type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;
/// Alters the source's list.
pub(crate) type ListChange = Arc<dyn Fn(&mut Vec<Value>) + Send + Sync>;

/// A file that goes in the place of a recording's own.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) duration_ms: u64,
    /// As the source declares codecs.
    pub(crate) codec: &'static str,
}

/// What is altered, by legacy id.
#[derive(Default)]
pub(crate) struct Alterations {
    pub(crate) lists: Vec<ListChange>,
    pub(crate) calls: HashMap<String, Vec<Change>>,
    pub(crate) recordings: HashMap<String, Vec<Change>>,
    pub(crate) files: HashMap<String, Arc<File>>,
    /// The guide's interaction, the events of a call by their lists, the document of RWS and the
    /// one of SpeechMiner.
    pub(crate) guide: HashMap<String, Vec<Change>>,
    pub(crate) events: HashMap<String, Vec<Change>>,
    pub(crate) rws: HashMap<String, Vec<Change>>,
    pub(crate) speechminer: HashMap<String, Vec<Change>>,
}

/// Alters requests and answers on their way between the migrator and the platforms.
pub(crate) struct AlteringTransport<T> {
    inner: T,
    alterations: Arc<Alterations>,
    /// Base addresses of the source's API and media.
    source: [String; 2],
    /// Documents before they were altered, by the path they are read back from.
    unaltered: Mutex<HashMap<String, Value>>,
}

impl<T: Transport> AlteringTransport<T> {
    pub(crate) fn new(
        inner: T,
        alterations: Arc<Alterations>,
        source: [String; 2],
    ) -> AlteringTransport<T> {
        AlteringTransport {
            inner,
            alterations,
            source,
            unaltered: Mutex::default(),
        }
    }

    async fn read_source(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let path = request.uri().path().to_owned();
        let answer = self.inner.send(request).await?;
        if !answer.status().is_success() {
            return Ok(answer);
        }
        if path == "/api/v2/analytics/interactions/query" {
            return json_answer(answer, |document| self.change_list(document)).await;
        }
        let id = path
            .strip_suffix("/media")
            .unwrap_or(&path)
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let is_media = path.ends_with("/media") || path.starts_with("/presigned/");
        match self.alterations.files.get(&id) {
            Some(file) if is_media => Ok(bytes_answer(answer, file.bytes.clone())),
            file if path.starts_with("/api/v2/recordings/") && !is_media => {
                json_answer(answer, |document| {
                    if let Some(file) = file {
                        document["sizeBytes"] = json!(file.bytes.len());
                        document["durationMs"] = json!(file.duration_ms);
                        document["codec"] = json!(file.codec);
                    }
                    apply(&self.alterations.recordings, &id, document);
                })
                .await
            }
            _ => Ok(answer),
        }
    }

    fn change_list(&self, document: &mut Value) {
        let Some(calls) = document["entities"].as_array_mut() else {
            return;
        };
        self.alterations
            .lists
            .iter()
            .for_each(|change_list| change_list(calls));
        for call in calls {
            let id = call["id"].to_string();
            apply(&self.alterations.calls, &id, call);
        }
    }

    /// An altered copy of a document for the target; `name` is the field with the call's id. None:
    /// nothing is altered in this call.
    fn altered(
        &self,
        document: &Value,
        changes: &HashMap<String, Vec<Change>>,
        name: &str,
    ) -> Option<Value> {
        let id = document[name].as_str()?.rsplit([':', '-']).next()?;
        let changes = changes.get(id)?;
        let mut sent = document.clone();
        changes.iter().for_each(|change| change(&mut sent));
        Some(sent)
    }

    /// Events of several calls in one request, each call's by itself.
    fn alter_events(&self, batch: &mut Value) {
        let calls: HashMap<String, String> = each_event(batch)
            .filter_map(|event| {
                let id = event["sourceConfiguration"]["interactionId"].as_str()?;
                Some((event["conversationId"].as_str()?.to_owned(), id.to_owned()))
            })
            .collect();
        for (conversation, id) in calls {
            let Some(changes) = self.alterations.events.get(&id) else {
                continue;
            };
            let mut own = json!({});
            for (name, list) in batch.as_object_mut().into_iter().flatten() {
                let Some(events) = list.as_array_mut() else {
                    continue;
                };
                let (of_call, rest): (Vec<Value>, Vec<Value>) = std::mem::take(events)
                    .into_iter()
                    .partition(|event| event["conversationId"] == conversation.as_str());
                *events = rest;
                own[name] = Value::Array(of_call);
            }
            changes.iter().for_each(|change| change(&mut own));
            for (name, list) in own.as_object_mut().into_iter().flatten() {
                let (Some(events), Some(more)) = (batch[name].as_array_mut(), list.as_array_mut())
                else {
                    continue;
                };
                events.append(more);
            }
        }
    }

    fn remember(&self, path: String, document: Value) {
        self.unaltered.lock().insert(path, document);
    }

    fn unaltered(&self, path: &str) -> Option<Value> {
        self.unaltered.lock().get(path).cloned()
    }

    async fn write_target(
        &self,
        request: Request<Body>,
        path: &str,
    ) -> Result<Response<Body>, TransportError> {
        let (mut parts, body) = request.into_parts();
        let document: Value = serde_json::from_slice(&whole(body).await?).unwrap_or_default();
        let mut sent = document.clone();
        if path.starts_with("/api/v2/interactions") {
            if let Some(altered) = self.altered(&document, &self.alterations.guide, "externalTag") {
                self.remember(
                    format!(
                        "/api/v2/interactions/{}",
                        document["id"].as_str().unwrap_or_default()
                    ),
                    document,
                );
                sent = altered;
            }
        } else if path == "/api/v2/events/conversations" {
            self.alter_events(&mut sent);
        } else if path.starts_with("/interactionreceiver") {
            sent = self
                .altered(&document, &self.alterations.speechminer, "id")
                .unwrap_or(sent);
        } else if let Some(altered) = self.altered(&document, &self.alterations.rws, "id") {
            let centre = path.trim_start_matches("/internal-api");
            self.remember(
                format!(
                    "/api/v2/ops{centre}/{}",
                    document["id"].as_str().unwrap_or_default()
                ),
                document,
            );
            sent = altered;
        }
        let bytes = sent.to_string();
        parts
            .headers
            .insert(header::CONTENT_LENGTH, bytes.len().into());
        self.inner
            .send(Request::from_parts(parts, Body::Full(bytes.into())))
            .await
    }

    /// The unaltered document, with what the platform has added.
    async fn read_back(
        &self,
        request: Request<Body>,
        unaltered: Value,
    ) -> Result<Response<Body>, TransportError> {
        let answer = self.inner.send(request).await?;
        if !answer.status().is_success() {
            return Ok(answer);
        }
        json_answer(answer, |document| {
            let is_wrapped = document["recording"].is_object();
            let document = if is_wrapped {
                &mut document["recording"]
            } else {
                document
            };
            for (name, value) in unaltered.as_object().into_iter().flatten() {
                document[name] = value.clone();
            }
        })
        .await
    }
}

fn apply(changes: &HashMap<String, Vec<Change>>, id: &str, document: &mut Value) {
    changes
        .get(id)
        .into_iter()
        .flatten()
        .for_each(|change| change(document));
}

fn each_event(batch: &Value) -> impl Iterator<Item = &Value> {
    batch
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, list)| list.as_array())
        .flatten()
}

#[async_trait]
impl<T: Transport> Transport for AlteringTransport<T> {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let authority = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        if self
            .source
            .iter()
            .any(|base| base.ends_with(&format!("//{authority}")))
        {
            return self.read_source(request).await;
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let is_insertion = path.starts_with("/internal-api/") && path.ends_with("/recordings");
        let is_document = path.starts_with("/api/v2/interactions")
            || path == "/api/v2/events/conversations"
            || path == "/interactionreceiver";
        if [Method::POST, Method::PUT].contains(&method) && (is_document || is_insertion) {
            return self.write_target(request, &path).await;
        }
        match self.unaltered(&path).filter(|_| method == Method::GET) {
            Some(unaltered) => self.read_back(request, unaltered).await,
            None => self.inner.send(request).await,
        }
    }
}

async fn json_answer(
    answer: Response<Body>,
    change: impl FnOnce(&mut Value),
) -> Result<Response<Body>, TransportError> {
    let (mut parts, body) = answer.into_parts();
    let bytes = whole(body).await?;
    let bytes = match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut document) => {
            change(&mut document);
            document.to_string().into_bytes()
        }
        Err(_) => bytes,
    };
    parts
        .headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    Ok(Response::from_parts(parts, Body::Full(bytes.into())))
}

fn bytes_answer(answer: Response<Body>, bytes: Vec<u8>) -> Response<Body> {
    let (mut parts, _) = answer.into_parts();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    Response::from_parts(parts, Body::Full(bytes.into()))
}

/// A body's bytes.
pub(crate) async fn whole(body: Body) -> Result<Vec<u8>, TransportError> {
    let mut stream = body.into_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}
