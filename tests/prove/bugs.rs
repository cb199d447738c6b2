//! Migrator bugs, planted where a migrator meets the platforms: what it misreads of the source, and
//! what it does wrongly to the target. Ours is correct behind them, so each is the whole
//! difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::{HeaderMap, Method, Request, Response, header};
use parking_lot::{Mutex, MutexGuard};
use platforms::transport::{Body, Transport, TransportError};
use serde_json::{Value, json};

/// A bug, as a developer would confess it.
pub(crate) struct Bug {
    pub(crate) name: &'static str,
    pub(crate) mistake: &'static str,
    plant: Plant,
}

enum Plant {
    /// What the source says of an interaction is misread.
    Interaction(fn(&mut Value)),
    /// A page of interactions is.
    Page(fn(&mut Vec<Value>)),
    /// What the source says of a recording is.
    Recording(fn(&mut Value)),
    /// A token is.
    Token(fn(&mut Value)),
    /// The head of any answer is.
    Head(fn(&mut HeaderMap)),
    /// Bytes of sound are kept wrongly.
    Sound(fn(&mut [u8])),
    /// Something is wrong about an exchange.
    Habit(Habit),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// A body that is cut is filled up with zeros.
    CutIsFilled,
    /// A creation without an answer is sent again under another id.
    BlindRepeat,
    /// Every third creation is counted as done and never sent.
    FalseSuccess,
    /// A creation that failed once is never tried again.
    GivesUp,
    /// What was tried before is taken for created.
    BegunIsDone,
    /// Some calls are created a second time as another call.
    Phantom,
}

const fn bug(name: &'static str, mistake: &'static str, plant: Plant) -> Bug {
    Bug {
        name,
        mistake,
        plant,
    }
}

pub(crate) const BUGS: [Bug; 30] = [
    bug(
        "hour_late",
        "adds the zone's hour to times that are UTC already",
        Plant::Interaction(|call| shift(call, 3_600_000)),
    ),
    bug(
        "milliseconds_cut",
        "keeps times in whole seconds",
        Plant::Interaction(cut_milliseconds),
    ),
    bug(
        "ends_swapped",
        "repairs start and end of every call, not only of reversed ones",
        Plant::Interaction(swap_ends),
    ),
    bug(
        "seconds",
        "takes milliseconds for seconds",
        Plant::Interaction(divide_times),
    ),
    bug(
        "first_agent",
        "attributes every call to the first agent of the table",
        Plant::Interaction(first_agent),
    ),
    bug(
        "last_leg_lost",
        "writes all segments but the last",
        Plant::Interaction(|call| drop_last(call, "segments")),
    ),
    bug(
        "queue_lost",
        "does not write the queue",
        Plant::Interaction(|call| clear(call, "queueId")),
    ),
    bug(
        "wrap_up_lost",
        "does not write the wrap-up code",
        Plant::Interaction(|call| clear(call, "wrapUpCode")),
    ),
    bug(
        "direction_flipped",
        "has inbound and outbound the wrong way round",
        Plant::Interaction(flip),
    ),
    bug(
        "plus_is_00",
        "writes +44 as 0044",
        Plant::Interaction(prefix),
    ),
    bug(
        "node_lost",
        "drops the IVR node",
        Plant::Interaction(|call| clear(call, "ivrNodeId")),
    ),
    bug(
        "drift_ignored",
        "does not apply the recorder's declared drift",
        Plant::Interaction(|call| clear(call, "recorderNode")),
    ),
    bug(
        "wait_in_seconds",
        "writes waiting time in seconds",
        Plant::Interaction(wait_in_seconds),
    ),
    bug(
        "second_recording_lost",
        "moves the first recording of each call only",
        Plant::Interaction(first_recording),
    ),
    bug(
        "row_lost",
        "drops the last row of each page",
        Plant::Page(|page| _ = page.pop()),
    ),
    bug(
        "transfers_filtered",
        "leaves transferred calls out",
        Plant::Page(only_plain),
    ),
    bug(
        "hold_lost",
        "does not read the legal hold",
        Plant::Recording(|one| one["legalHold"] = json!(false)),
    ),
    bug(
        "class_lost",
        "does not read the retention class",
        Plant::Recording(|one| clear(one, "retentionClass")),
    ),
    bug(
        "pauses_lost",
        "does not read the pauses",
        Plant::Recording(|one| one["pauses"] = json!([])),
    ),
    bug(
        "pauses_late",
        "covers pauses 400 ms late",
        Plant::Recording(pauses_late),
    ),
    bug(
        "token_each_time",
        "asks for a token before each request",
        Plant::Token(|token| token["expires_in"] = json!(0)),
    ),
    bug(
        "impatient",
        "does not hear how long it is told to wait",
        Plant::Head(|headers| _ = headers.remove(header::RETRY_AFTER)),
    ),
    bug(
        "tail_silent",
        "writes zeros where its buffer ended",
        Plant::Sound(silence_tail),
    ),
    bug(
        "channels_swapped",
        "has agent and customer the wrong way round",
        Plant::Sound(swap_channels),
    ),
    bug(
        "cut_is_filled",
        "fills a download that was cut with zeros",
        Plant::Habit(Habit::CutIsFilled),
    ),
    bug(
        "blind_repeat",
        "sends a creation without an answer again, under a new id",
        Plant::Habit(Habit::BlindRepeat),
    ),
    bug(
        "false_success",
        "counts every third call as created and does not create it",
        Plant::Habit(Habit::FalseSuccess),
    ),
    bug(
        "gives_up",
        "never tries a failed call again",
        Plant::Habit(Habit::GivesUp),
    ),
    bug(
        "begun_is_done",
        "takes a creation it has to try again for done",
        Plant::Habit(Habit::BegunIsDone),
    ),
    bug(
        "phantom",
        "creates some calls twice, the second as a call of another number",
        Plant::Habit(Habit::Phantom),
    ),
];

fn clear(value: &mut Value, key: &str) {
    value[key] = Value::Null;
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64()
}

fn change_times(call: &mut Value, change: impl Fn(i64) -> i64 + Copy) {
    let change_both = |value: &mut Value| {
        for key in ["startTime", "endTime"] {
            if let Some(ms) = number(&value[key]) {
                value[key] = json!(change(ms));
            }
        }
    };
    change_both(call);
    call["segments"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .for_each(change_both);
}

fn shift(call: &mut Value, by: i64) {
    change_times(call, |ms| ms + by);
}

fn cut_milliseconds(call: &mut Value) {
    change_times(call, |ms| ms - ms % 1000);
}

fn divide_times(call: &mut Value) {
    change_times(call, |ms| ms / 1000);
}

fn swap_ends(call: &mut Value) {
    if number(&call["startTime"]) < number(&call["endTime"]) {
        let end = call["endTime"].take();
        let start = std::mem::replace(&mut call["startTime"], end);
        call["endTime"] = start;
    }
}

fn first_agent(call: &mut Value) {
    let set = |value: &mut Value| {
        if value["agentId"].is_string() {
            value["agentId"] = json!("AGT-001");
        }
    };
    set(call);
    call["segments"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .for_each(set);
}

fn drop_last(call: &mut Value, list: &str) {
    if let Some(entries) = call[list]
        .as_array_mut()
        .filter(|entries| entries.len() > 1)
    {
        entries.pop();
    }
}

fn flip(call: &mut Value) {
    call["direction"] = json!(if call["direction"] == "INBOUND" {
        "OUTBOUND"
    } else {
        "INBOUND"
    });
}

fn prefix(call: &mut Value) {
    for key in ["callerNumber", "dialledNumber"] {
        if let Some(rest) = call[key].as_str().and_then(|text| text.strip_prefix('+')) {
            call[key] = json!(format!("00{rest}"));
        }
    }
}

fn wait_in_seconds(call: &mut Value) {
    call["waitTimeMs"] = json!(number(&call["waitTimeMs"]).unwrap_or(0) / 1000);
}

fn first_recording(call: &mut Value) {
    if let Some(recordings) = call["recordings"].as_array_mut() {
        recordings.truncate(1);
    }
}

fn only_plain(page: &mut Vec<Value>) {
    page.retain(|call| {
        call["segments"]
            .as_array()
            .is_none_or(|segments| segments.len() < 2)
    });
}

fn pauses_late(recording: &mut Value) {
    for pause in recording["pauses"].as_array_mut().into_iter().flatten() {
        for key in ["startOffsetMs", "endOffsetMs"] {
            pause[key] = json!(number(&pause[key]).unwrap_or(0) + 400);
        }
    }
}

/// Bytes of a WAV file before its samples, as the source writes them.
const HEADER: usize = 44;

/// The last half of what is no header.
fn silence_tail(bytes: &mut [u8]) {
    let from = HEADER.min(bytes.len()) + bytes.len().saturating_sub(HEADER) / 2;
    bytes[from..].fill(0);
}

/// Of 16-bit stereo PCM; anything else is left.
fn swap_channels(bytes: &mut [u8]) {
    let is_stereo_pcm = bytes.len() > HEADER
        && bytes.starts_with(b"RIFF")
        && bytes[20] == 1
        && bytes[22] == 2
        && bytes[34] == 16;
    if is_stereo_pcm {
        bytes[HEADER..]
            .chunks_exact_mut(4)
            .for_each(|frame| frame.rotate_left(2));
    }
}

/// What a buggy migrator remembers, over its restarts.
#[derive(Default)]
struct Memory {
    /// External tags of calls whose creation failed, and of those it was tried for.
    failed: BTreeSet<String>,
    tried: BTreeSet<String>,
    /// Bodies of calls that were never created, by id.
    pretended: BTreeMap<String, Value>,
    repeats: u32,
}

/// Stands between our migrator and the platforms.
pub(crate) struct Planted {
    inner: Arc<dyn Transport>,
    bug: &'static Bug,
    memory: Arc<Mutex<Memory>>,
}

impl Bug {
    /// The way to the platforms with this bug on it.
    pub(crate) fn between(&'static self) -> rehearsal::Between {
        Arc::new(move |inner| {
            Arc::new(Planted {
                inner,
                bug: self,
                memory: Arc::default(),
            })
        })
    }
}

impl Planted {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }
}

#[async_trait]
impl Transport for Planted {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        match &self.bug.plant {
            Plant::Habit(habit) => self.by_habit(*habit, request).await,
            plant => {
                let path = request.uri().path().to_owned();
                let answer = self.inner.send(request).await?;
                misread(plant, &path, answer).await
            }
        }
    }
}

/// Reads an answer as the bug does.
async fn misread(
    plant: &Plant,
    path: &str,
    answer: Response<Body>,
) -> Result<Response<Body>, TransportError> {
    let is_media = path.ends_with("/media") || path.starts_with("/presigned/");
    let concerned = match plant {
        Plant::Interaction(_) | Plant::Page(_) => path == "/api/v2/analytics/interactions/query",
        Plant::Recording(_) => path.starts_with("/api/v2/recordings/") && !is_media,
        Plant::Token(_) => path == "/oauth/token",
        Plant::Sound(_) => is_media,
        Plant::Head(_) | Plant::Habit(_) => false,
    };
    let (mut parts, body) = answer.into_parts();
    if let Plant::Head(spoil) = plant {
        spoil(&mut parts.headers);
    }
    if !concerned || !parts.status.is_success() {
        return Ok(Response::from_parts(parts, body));
    }
    let mut bytes = whole(body).await?;
    match plant {
        Plant::Sound(spoil) => spoil(&mut bytes),
        Plant::Interaction(_) | Plant::Page(_) | Plant::Recording(_) | Plant::Token(_) => {
            bytes = misread_json(plant, &bytes)
        }
        Plant::Head(_) | Plant::Habit(_) => {}
    }
    parts
        .headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    Ok(Response::from_parts(parts, Body::Full(bytes.into())))
}

fn misread_json(plant: &Plant, bytes: &[u8]) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else {
        return bytes.to_vec();
    };
    match plant {
        Plant::Interaction(spoil) => document["entities"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .for_each(spoil),
        Plant::Page(spoil) => document["entities"]
            .as_array_mut()
            .into_iter()
            .for_each(spoil),
        Plant::Recording(spoil) | Plant::Token(spoil) => spoil(&mut document),
        Plant::Sound(_) | Plant::Head(_) | Plant::Habit(_) => {}
    }
    document.to_string().into_bytes()
}

async fn whole(body: Body) -> Result<Vec<u8>, TransportError> {
    let mut stream = body.into_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

impl Planted {
    async fn by_habit(
        &self,
        habit: Habit,
        request: Request<Body>,
    ) -> Result<Response<Body>, TransportError> {
        let path = request.uri().path().to_owned();
        if habit == Habit::CutIsFilled {
            return fill(self.inner.send(request).await?).await;
        }
        if request.method() == Method::POST && path == "/api/v2/interactions" {
            let (parts, body) = request.into_parts();
            let document: Value = serde_json::from_slice(&whole(body).await?).unwrap_or_default();
            return self.create(habit, Creation { parts, document }).await;
        }
        let pretended = path
            .strip_prefix("/api/v2/interactions/")
            .and_then(|id| self.memory().pretended.get(id).cloned());
        if let Some(document) = pretended {
            return Ok(answer(200, &document));
        }
        self.inner.send(request).await
    }

    async fn create(
        &self,
        habit: Habit,
        creation: Creation,
    ) -> Result<Response<Body>, TransportError> {
        let tag = creation.tag();
        match habit {
            Habit::FalseSuccess if tag.bytes().map(u32::from).sum::<u32>() % 3 == 0 => {
                Ok(self.pretend(&creation))
            }
            Habit::BegunIsDone => {
                let again = !self.memory().tried.insert(tag);
                if again {
                    Ok(self.pretend(&creation))
                } else {
                    self.inner.send(creation.request()).await
                }
            }
            Habit::GivesUp => {
                if self.memory().failed.contains(&tag) {
                    return Ok(answer(400, &json!({"message": "given up"})));
                }
                let answered = self.inner.send(creation.request()).await;
                if failed(&answered) || answered.as_ref().is_ok_and(|answer| answer.status() == 429)
                {
                    self.memory().failed.insert(tag);
                }
                answered
            }
            Habit::BlindRepeat => {
                let answered = self.inner.send(creation.request()).await;
                if !failed(&answered) {
                    return answered;
                }
                let repeats = {
                    let mut memory = self.memory();
                    memory.repeats += 1;
                    memory.repeats
                };
                self.inner
                    .send(
                        creation
                            .under(&format!("00000000-0000-4000-8000-{repeats:012}"), None)
                            .request(),
                    )
                    .await
            }
            Habit::Phantom => {
                let answered = self.inner.send(creation.request()).await;
                if !failed(&answered) && tag.ends_with(['3', '7']) {
                    let other = creation.under(
                        "00000000-0000-4000-9000-000000000001",
                        Some(format!("{tag}9")),
                    );
                    self.inner.send(other.request()).await?;
                }
                answered
            }
            Habit::FalseSuccess | Habit::CutIsFilled => self.inner.send(creation.request()).await,
        }
    }

    fn pretend(&self, creation: &Creation) -> Response<Body> {
        let id = creation.document["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.memory()
            .pretended
            .insert(id, creation.document.clone());
        answer(200, &creation.document)
    }
}

/// A call about to be created.
struct Creation {
    parts: http::request::Parts,
    document: Value,
}

impl Creation {
    fn tag(&self) -> String {
        self.document["externalTag"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn under(&self, id: &str, tag: Option<String>) -> Creation {
        let mut document = self.document.clone();
        document["id"] = json!(id);
        if let Some(tag) = tag {
            document["externalTag"] = json!(tag);
        }
        Creation {
            parts: self.parts.clone(),
            document,
        }
    }

    fn request(&self) -> Request<Body> {
        let bytes = self.document.to_string();
        let mut parts = self.parts.clone();
        parts
            .headers
            .insert(header::CONTENT_LENGTH, bytes.len().into());
        Request::from_parts(parts, Body::Full(bytes.into()))
    }
}

/// Whether nobody can say from this answer that it was done.
fn failed(answered: &Result<Response<Body>, TransportError>) -> bool {
    answered.as_ref().is_err()
        || answered
            .as_ref()
            .is_ok_and(|answer| answer.status().is_server_error())
}

fn answer(status: u16, document: &Value) -> Response<Body> {
    let bytes = document.to_string();
    let built = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json");
    built
        .header(header::CONTENT_LENGTH, bytes.len())
        .body(Body::Full(bytes.into()))
        .expect("plain headers")
}

/// Makes a cut body as long as it was to be.
async fn fill(answer: Response<Body>) -> Result<Response<Body>, TransportError> {
    let (parts, body) = answer.into_parts();
    let Body::Stream {
        length: Some(length),
        mut stream,
    } = body
    else {
        return Ok(Response::from_parts(parts, body));
    };
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = stream.next().await {
        bytes.extend_from_slice(&piece);
    }
    bytes.resize(
        usize::try_from(length)
            .unwrap_or(usize::MAX)
            .max(bytes.len()),
        0,
    );
    Ok(Response::from_parts(parts, Body::Full(bytes.into())))
}
