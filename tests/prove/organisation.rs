//! Two platforms of any size that are nowhere stored: each call is a copy of one that a simulator
//! served, under an id of its own and some seconds later.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use platforms::transport::{Body, Transport, TransportError};
use serde_json::Value;

use crate::report::Failure;

/// The first id; as long as the last one.
pub(crate) const FIRST_ID: u64 = 1_000_000_000;
/// Calls begin within so many seconds of their original, so that both are of the same day.
pub(crate) const SPREAD_SECONDS: u64 = 40_000;
/// Copies whose files lie in the folders of one number; their originals are of many days.
pub(crate) const CALLS_A_FOLDER: u64 = 20_000;
/// What is this close to the clock when it was answered is no time of a call. Milliseconds.
const FRESH_MS: i64 = 3_600_000;
pub(crate) const PAGE: u64 = 1000;

/// What was answered, by method and path.
pub(crate) type Answers = BTreeMap<(String, String), Vec<(u16, Bytes)>>;

/// Keeps what a platform answers.
pub(crate) struct Listener {
    inner: Arc<dyn Transport>,
    answers: Mutex<Answers>,
}

impl Listener {
    pub(crate) fn new(inner: Arc<dyn Transport>) -> Arc<Listener> {
        Arc::new(Listener {
            inner,
            answers: Mutex::default(),
        })
    }

    pub(crate) fn answers(&self) -> Answers {
        self.answers.lock().clone()
    }
}

pub(crate) fn key(request: &http::Request<Body>) -> (String, String) {
    // The port tells the platforms apart: both have an /oauth/token.
    let host = request.uri().authority().map_or("", |host| host.as_str());
    (
        request.method().to_string(),
        format!("{host}{}", request.uri().path()),
    )
}

#[async_trait]
impl Transport for Listener {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let key = key(&request);
        let (parts, body) = self.inner.send(request).await?.into_parts();
        let mut bytes = Vec::new();
        let mut stream = body.into_stream();
        while let Some(piece) = futures_util::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&piece?);
        }
        let bytes = Bytes::from(bytes);
        self.answers
            .lock()
            .entry(key)
            .or_default()
            .push((parts.status.as_u16(), bytes.clone()));
        Ok(http::Response::from_parts(parts, Body::Full(bytes)))
    }
}

/// A text with places that differ from copy to copy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// The call's id in the source.
    Id,
    /// A time, in milliseconds since 1970, as a number or as a date.
    Number(i64),
    Date(i64),
    /// The same with `+0000` for `Z`.
    DateWithOffset(i64),
    /// Number of the folder that a copy's file lies in.
    Folder,
    /// An id of the target: its beginning, and the copy's number behind it.
    Uuid(String),
}

impl Template {
    /// `uuids`: ids of the target that each copy has for itself.
    pub(crate) fn of(text: &str, id: &str, uuids: &[String], fresh_ms: i64) -> Template {
        let is_old = |ms: &i64| (ms - fresh_ms).abs() > FRESH_MS && *ms > 0;
        let mut parts = Vec::new();
        let (mut plain, mut rest) = (String::new(), text);
        while let Some(first) = rest.chars().next() {
            let digits = rest
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(rest.len());
            let uuid = uuids.iter().find(|uuid| rest.starts_with(uuid.as_str()));
            let date = rest
                .get(..24)
                .filter(|date| date.ends_with('Z') && date.as_bytes()[10] == b'T');
            let date = date.and_then(|date| date.parse::<Timestamp>().ok());
            let date = date.map(Timestamp::as_millisecond).filter(is_old);
            let with_offset = rest
                .get(..28)
                .filter(|date| date.ends_with("+0000") && date.as_bytes()[10] == b'T');
            let with_offset = with_offset.and_then(|date| date.parse::<Timestamp>().ok());
            let with_offset = with_offset.map(Timestamp::as_millisecond).filter(is_old);
            let number = (digits == 13).then(|| rest[..13].parse().ok()).flatten();
            let (part, length) = if let Some(uuid) = uuid {
                (Some(Part::Uuid(uuid[..24].to_owned())), uuid.len())
            } else if let Some(ms) = date {
                (Some(Part::Date(ms)), 24)
            } else if let Some(ms) = with_offset {
                (Some(Part::DateWithOffset(ms)), 28)
            } else if let Some(ms) = number.filter(is_old) {
                (Some(Part::Number(ms)), 13)
            } else if digits > 0 && rest[..digits] == *id {
                (Some(Part::Id), digits)
            } else {
                (None, digits.max(first.len_utf8()))
            };
            match part {
                Some(part) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(part);
                }
                None => plain.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        parts.push(Part::Text(plain));
        Template(parts)
    }

    /// The same with a number behind each name of a folder: so many files do not lie in one.
    pub(crate) fn in_folders(self, folder: &str) -> Template {
        let mut parts = Vec::new();
        for part in self.0 {
            let Part::Text(text) = part else {
                parts.push(part);
                continue;
            };
            for (at, piece) in text.split(folder).enumerate() {
                if at > 0 {
                    parts.push(Part::Text(folder.to_owned()));
                    parts.push(Part::Folder);
                }
                parts.push(Part::Text(piece.to_owned()));
            }
        }
        Template(parts)
    }

    pub(crate) fn write(&self, n: u64, out: &mut String) {
        let later_ms = (n * 7 % SPREAD_SECONDS) as i64 * 1000;
        for part in &self.0 {
            let written = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    Ok(())
                }
                Part::Id => write!(out, "{}", FIRST_ID + n),
                Part::Number(ms) => write!(out, "{}", ms + later_ms),
                Part::Date(ms) => {
                    let at = Timestamp::from_millisecond(ms + later_ms).unwrap_or_default();
                    write!(out, "{at:.3}")
                }
                Part::DateWithOffset(ms) => {
                    let at = Timestamp::from_millisecond(ms + later_ms).unwrap_or_default();
                    let text = format!("{at:.3}");
                    write!(out, "{}+0000", text.trim_end_matches('Z'))
                }
                Part::Folder => write!(out, "-{}", n / CALLS_A_FOLDER),
                Part::Uuid(beginning) => write!(out, "{beginning}{n:012x}"),
            };
            written.expect("a text takes what is written");
        }
    }
}

/// What both sides say of a call.
#[derive(Debug, Clone, Default)]
struct Original {
    listed: Template,
    /// By what stands behind the call's id in theirs.
    recordings: BTreeMap<String, Template>,
    conversation: Template,
    of_conversation: Template,
    retention: Vec<Template>,
}

/// Both platforms.
pub(crate) struct Organisation {
    calls: u64,
    originals: Vec<Original>,
    /// Everything that does not depend on a call.
    others: Answers,
    /// Where an id's original stands, by the beginnings of conversation ids.
    by_beginning: HashMap<String, usize>,
    available: String,
}

pub(crate) fn json(bytes: &Bytes) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(Failure::new)
}

pub(crate) fn text_of(value: &Value, key: &str) -> String {
    match &value[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn written(template: &Template, n: u64) -> Result<Value, Failure> {
    let mut text = String::new();
    template.write(n, &mut text);
    serde_json::from_str(&text).map_err(Failure::new)
}

impl Organisation {
    /// So many copies of what was answered of a few calls.
    pub(crate) fn of(
        answers: &Answers,
        calls: u64,
        fresh_ms: i64,
    ) -> Result<Arc<Organisation>, Failure> {
        let all = |path: &str, list: &str| -> Result<Vec<Value>, Failure> {
            let mut all = Vec::new();
            let bodies = answers
                .iter()
                .filter(|((_, key), _)| key.ends_with(path))
                .flat_map(|(_, bodies)| bodies);
            for (_, body) in bodies {
                all.extend(json(body)?[list].as_array().cloned().unwrap_or_default());
            }
            Ok(all)
        };
        let one = |path: &str| {
            let found = answers.iter().find(|((_, key), _)| key.ends_with(path));
            found
                .and_then(|(_, bodies)| Some(&bodies.first()?.1))
                .ok_or_else(|| Failure::new(format!("no answer of {path}")))
        };
        let conversations = all("/results", "conversations")?;
        let retention = all("/retention/query", "entities")?;
        let (mut originals, mut by_beginning) = (Vec::new(), HashMap::new());
        for listed in all("/interactions/query", "entities")? {
            let id = text_of(&listed, "id");
            let conversation = conversations
                .iter()
                .find(|conversation| {
                    text_of(conversation, "externalTag").ends_with(&format!(":{id}"))
                })
                .ok_or_else(|| Failure::new(format!("no conversation of {id}")))?;
            let conversation_id = text_of(conversation, "conversationId");
            let of_conversation = one(&format!("/{conversation_id}/recordings"))?;
            let mut uuids = vec![conversation_id.clone()];
            let recordings = json(of_conversation)?;
            let recordings = recordings.as_array().cloned().unwrap_or_default();
            uuids.extend(recordings.iter().map(|recording| text_of(recording, "id")));
            if let Some(other) = uuids.iter().find(|uuid| uuid.len() != 36) {
                return Err(Failure::new(format!("{other} is no UUID")));
            }
            let template = |text: &str| Template::of(text, &id, &uuids, fresh_ms);
            let mut original = Original {
                listed: template(&listed.to_string()),
                conversation: template(&conversation.to_string()),
                of_conversation: template(&String::from_utf8_lossy(of_conversation)),
                ..Original::default()
            };
            for recording in listed["recordings"].as_array().into_iter().flatten() {
                let recording = text_of(recording, "id");
                let answer = one(&format!("/api/v2/recordings/{recording}"))?;
                let behind = recording.strip_prefix(&id).unwrap_or_default().to_owned();
                let answer = template(&String::from_utf8_lossy(answer));
                original.recordings.insert(behind, answer);
            }
            let its = retention
                .iter()
                .filter(|entry| text_of(entry, "conversationId") == conversation_id);
            original.retention = its.map(|entry| template(&entry.to_string())).collect();
            by_beginning.insert(conversation_id[..24].to_owned(), originals.len());
            originals.push(original);
        }
        if originals.is_empty() {
            return Err(Failure::new("no call was listed"));
        }
        let results = answers
            .iter()
            .find(|((_, key), _)| key.ends_with("/results"));
        let available = results.and_then(|(_, bodies)| Some(&bodies.first()?.1));
        let available = available.map(json).transpose()?.unwrap_or_default();
        Ok(Arc::new(Organisation {
            calls,
            available: text_of(&available, "dataAvailabilityDate"),
            originals,
            others: answers.clone(),
            by_beginning,
        }))
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// What both sides have of a call, by the names of `tests/scale/join.py`.
    pub(crate) const COLUMNS: [&str; 19] = [
        "id",
        "start",
        "end",
        "direction",
        "caller",
        "dialled",
        "wait",
        "talk",
        "skill_group",
        "ivr",
        "disposition",
        "file",
        "recording_start",
        "recording_end",
        "agent",
        "queue",
        "skill",
        "wrap_up",
        "recording",
    ];

    /// A call as the source has it, with its first recording.
    pub(crate) fn source_row(&self, n: u64) -> Result<String, Failure> {
        let original = self.original(n);
        let call = written(&original.listed, n)?;
        let first = original.recordings.values().next();
        let recording = first.map(|first| written(first, n)).transpose()?;
        let recording = recording.unwrap_or_default();
        let files = original.recordings.values();
        let files = files.map(|file| Ok(text_of(&written(file, n)?, "fileName")));
        let files: Vec<String> = files.collect::<Result<_, Failure>>()?;
        let cells = [
            text_of(&call, "id"),
            text_of(&call, "startTime"),
            text_of(&call, "endTime"),
            text_of(&call, "direction").to_lowercase(),
            text_of(&call, "callerNumber"),
            text_of(&call, "dialledNumber"),
            text_of(&call, "waitTimeMs"),
            text_of(&call, "talkTimeMs"),
            text_of(&call, "skillGroup"),
            text_of(&call, "ivrNodeId"),
            text_of(&call, "dispositionCode"),
            files.join(";"),
            text_of(&recording, "startTime"),
            text_of(&recording, "endTime"),
            text_of(&call, "agentId"),
            text_of(&call, "queueId"),
            text_of(&call, "skill"),
            text_of(&call, "wrapUpCode"),
            text_of(&recording, "id"),
        ];
        Ok(cells.join(","))
    }

    /// The same call as the target has it.
    pub(crate) fn target_row(&self, n: u64) -> Result<String, Failure> {
        let original = self.original(n);
        let call = written(&original.conversation, n)?;
        let recordings = written(&original.of_conversation, n)?;
        let of = |purpose: &str| {
            let participants = call["participants"].as_array().into_iter().flatten();
            let mut found = participants.filter(|one| one["purpose"] == purpose);
            found.next().cloned().unwrap_or_default()
        };
        let (customer, agent) = (of("customer"), of("agent"));
        let (session, leg) = (
            &customer["sessions"][0],
            &agent["sessions"][0]["segments"][0],
        );
        let number = |text: String| text.trim_start_matches("tel:").to_owned();
        let ms = |value: &Value, key: &str| {
            let at = text_of(value, key).parse::<Timestamp>().ok();
            at.map(|at| at.as_millisecond().to_string())
                .unwrap_or_default()
        };
        let attribute = |name: &str| text_of(&customer["attributes"], name);
        let mut by_start: Vec<&Value> = recordings.as_array().into_iter().flatten().collect();
        by_start.sort_by_key(|recording| text_of(recording, "startTime"));
        let recording = by_start.first().copied().cloned().unwrap_or_default();
        let id = text_of(&call, "externalTag");
        let cells = [
            id.rsplit(':').next().unwrap_or_default().to_owned(),
            ms(&call, "conversationStart"),
            ms(&call, "conversationEnd"),
            text_of(&call, "originatingDirection"),
            number(text_of(session, "ani")),
            number(text_of(session, "dnis")),
            attribute("st.wait_ms"),
            attribute("st.talk_ms"),
            attribute("st.skill_group"),
            attribute("st.ivr_node"),
            attribute("st.disposition"),
            attribute("st.file_name"),
            ms(&recording, "startTime"),
            ms(&recording, "endTime"),
            text_of(&agent, "userId"),
            text_of(leg, "queueId"),
            leg["requestedRoutingSkillIds"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            text_of(leg, "wrapUpCode"),
            text_of(&recording, "id"),
        ];
        Ok(cells.join(","))
    }

    fn original(&self, n: u64) -> &Original {
        &self.originals[(n % self.originals.len() as u64) as usize]
    }

    /// A page of something of each call, and where the next one begins.
    fn page(
        &self,
        query: &str,
        per_page: u64,
        write: impl Fn(&Original, u64, &mut String),
    ) -> (String, Option<u64>) {
        let cursor = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("cursor="));
        let begin: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let end = (begin + per_page).min(self.calls);
        let mut page = String::from("[");
        for n in begin..end {
            if page.len() > 1 {
                page.push(',');
            }
            write(self.original(n), n, &mut page);
        }
        page.push(']');
        (page, (end < self.calls).then_some(end))
    }

    /// Absent: the answer is the same however many calls there are.
    fn answer(&self, path: &str, query: &str) -> Option<String> {
        if path.ends_with("/interactions/query") {
            let (page, next) = self.page(query, PAGE, |original, n, out| {
                original.listed.write(n, out)
            });
            let next = next.map(|next| format!("\"{next}\""));
            return Some(format!(
                r#"{{"entities":{page},"metadata":{{"pagination":{{"nextPageCursor":{}}}}}}}"#,
                next.as_deref().unwrap_or("null")
            ));
        }
        if path.ends_with("/results") {
            let (page, next) = self.page(query, PAGE, |original, n, out| {
                original.conversation.write(n, out)
            });
            let next = next.map(|next| format!(r#","cursor":"{next}""#));
            return Some(format!(
                r#"{{"conversations":{page},"dataAvailabilityDate":"{}"{}}}"#,
                self.available,
                next.unwrap_or_default()
            ));
        }
        if path.ends_with("/retention/query") {
            // One of each call; a page has as many entries as its calls have.
            let (page, next) = self.page(query, PAGE / 2, |original, n, out| {
                for (at, entry) in original.retention.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    entry.write(n, out);
                }
            });
            let next = next.map(|next| format!(r#","nextUri":"{path}?cursor={next}""#));
            return Some(format!(
                r#"{{"entities":{page}{}}}"#,
                next.unwrap_or_default()
            ));
        }
        if let Some(conversation) = path
            .strip_prefix("/api/v2/conversations/")
            .and_then(|rest| rest.strip_suffix("/recordings"))
        {
            let n = u64::from_str_radix(conversation.get(24..)?, 16).ok()?;
            let original = &self.originals[*self.by_beginning.get(conversation.get(..24)?)?];
            let mut answer = String::new();
            original.of_conversation.write(n, &mut answer);
            return Some(answer);
        }
        let recording = path.strip_prefix("/api/v2/recordings/")?;
        let n = recording
            .get(..10)?
            .parse::<u64>()
            .ok()?
            .checked_sub(FIRST_ID)?;
        let mut answer = String::new();
        let template = self.original(n).recordings.get(recording.get(10..)?)?;
        template.write(n, &mut answer);
        Some(answer)
    }
}

#[async_trait]
impl Transport for Organisation {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let key = key(&request);
        let query = request.uri().query().unwrap_or_default();
        let (status, answer) = match self.answer(request.uri().path(), query) {
            Some(answer) => (200, Bytes::from(answer)),
            None => {
                let as_before = self.others.get(&key).and_then(|bodies| bodies.last());
                as_before.cloned().unwrap_or((404, Bytes::new()))
            }
        };
        let mut response = http::Response::new(Body::Full(answer));
        *response.status_mut() =
            http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::NOT_FOUND);
        let json = http::HeaderValue::from_static("application/json");
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, json);
        Ok(response)
    }
}
