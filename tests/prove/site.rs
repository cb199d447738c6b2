//! A source and the three stores of Interaction Recording of any size that are nowhere stored: each
//! call is a copy of one that a simulator served, as `organisation` has them for Genesys Cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use jiff::Timestamp;
use platforms::transport::{Body, Transport, TransportError};
use serde_json::{Value, json as object};

use crate::organisation::{
    Answers, CALLS_A_FOLDER, FIRST_ID, PAGE, SPREAD_SECONDS, Template, json, key, text_of,
};
use crate::report::Failure;

/// What a search tells at most. Source: call recording API 8.5.0.
const MOST_FOUND: usize = 100;
/// The number whose product with 7 is one more than a multiple of [`SPREAD_SECONDS`]: it leads from
/// the second in which a copy begins back to its number.
const SEVENTH: u64 = 17_143;
const NAMESPACE: &str = "st-rehearsal";

/// What all sides say of a call.
struct Original {
    listed: Template,
    /// By what stands behind the call's id in theirs.
    recordings: BTreeMap<String, Template>,
    /// In RWS.
    recording: Template,
    /// In SpeechMiner, and as it lists it.
    posted: Template,
    row: Template,
    /// Folder of its files, and each as the store lists it.
    folder: String,
    files: Vec<Template>,
    /// When the source and a search have it begin. Milliseconds.
    start_ms: i64,
}

/// All four.
pub(crate) struct Site {
    calls: u64,
    originals: Vec<Original>,
    /// Everything that does not depend on a call.
    others: Answers,
    /// Path of the store's root.
    root: String,
}

/// Requests that a call's records were told by.
struct Told<'a>(&'a Answers);

impl Told<'_> {
    fn one(&self, what: &str, is_its: impl Fn(&str) -> bool) -> Result<&Bytes, Failure> {
        let found = self.0.iter().find(|((_, path), _)| is_its(path));
        found
            .and_then(|(_, bodies)| Some(&bodies.first()?.1))
            .ok_or_else(|| Failure::new(format!("no answer of {what}")))
    }

    fn of_call(&self, listed: &Value, fresh_ms: i64) -> Result<Original, Failure> {
        let id = text_of(listed, "id");
        let gir_id = format!("{NAMESPACE}-{id}");
        let is_of = |path: &str| path.ends_with(&format!("/recordings/{gir_id}"));
        let told = self.one(&gir_id, |path| is_of(path) && is_rws(path))?;
        let posted = self.one(&gir_id, |path| is_of(path) && !is_rws(path))?;
        let recording = json(told)?;
        let media = recording["recording"]["mediaFiles"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let addresses: Vec<String> = media
            .iter()
            .map(|file| text_of(&file["originalMediaDescriptor"], "path"))
            .collect();
        let folder = addresses
            .first()
            .and_then(|address| address.rsplit('/').nth(1))
            .ok_or_else(|| Failure::new(format!("no file of {id}")))?
            .to_owned();
        let template =
            |text: &str| Template::of(text, &id, &[], fresh_ms).in_folders(&format!("/{folder}"));
        let files = addresses.iter().zip(&media).map(|(address, file)| {
            let path = address.splitn(4, '/').nth(3).unwrap_or_default();
            template(&format!(
                "<D:response><D:href>/{path}</D:href><D:propstat><D:prop><D:getcontentlength>{}\
                 </D:getcontentlength><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK\
                 </D:status></D:propstat></D:response>",
                text_of(file, "size")
            ))
        });
        let names: Vec<&str> = addresses
            .iter()
            .filter_map(|address| address.rsplit('/').next())
            .collect();
        let row = object!({
            "id": gir_id, "posts": 1, "start": recording["recording"]["startTime"],
            "duration_s": 1.0, "filenames": names,
            "folder": addresses[0].rsplit_once('/').map(|(folder, _)| folder),
        });
        let mut recordings = BTreeMap::new();
        for recording in listed["recordings"].as_array().into_iter().flatten() {
            let recording = text_of(recording, "id");
            let path = format!("/api/v2/recordings/{recording}");
            let answer = self.one(&path, |other| other.ends_with(&path))?;
            let behind = recording.strip_prefix(&id).unwrap_or_default().to_owned();
            recordings.insert(behind, template(&String::from_utf8_lossy(answer)));
        }
        let start = text_of(&recording["recording"], "startTime");
        let start: Timestamp = start.parse().map_err(Failure::new)?;
        Ok(Original {
            listed: template(&listed.to_string()),
            recordings,
            recording: template(&String::from_utf8_lossy(told)),
            posted: template(&String::from_utf8_lossy(posted)),
            row: template(&row.to_string()),
            files: files.collect(),
            start_ms: start.as_millisecond(),
            folder,
        })
    }
}

impl Site {
    /// So many copies of what was answered of a few calls.
    pub(crate) fn of(answers: &Answers, calls: u64, fresh_ms: i64) -> Result<Arc<Site>, Failure> {
        let mut originals = Vec::new();
        let listings = answers
            .iter()
            .filter(|((_, path), _)| path.ends_with("/interactions/query"));
        for (_, body) in listings.flat_map(|(_, bodies)| bodies) {
            for listed in json(body)?["entities"].as_array().into_iter().flatten() {
                originals.push(Told(answers).of_call(listed, fresh_ms)?);
            }
        }
        if originals.is_empty() {
            return Err(Failure::new("no call was listed"));
        }
        let listed = answers.keys().find(|(method, path)| {
            method == "PROPFIND" && path.trim_end_matches('/').ends_with(NAMESPACE)
        });
        let (_, path) = listed.ok_or_else(|| Failure::new("the store was not listed"))?;
        let path = path.trim_end_matches('/');
        let path = path.split_once('/').map_or("", |(_, path)| path);
        Ok(Arc::new(Site {
            calls,
            originals,
            others: answers.clone(),
            root: format!("/{path}"),
        }))
    }

    fn original(&self, n: u64) -> &Original {
        &self.originals[(n % self.originals.len() as u64) as usize]
    }

    fn entities(
        &self,
        begin: u64,
        per_page: u64,
        write: impl Fn(&Original, u64, &mut String),
    ) -> (String, Option<u64>) {
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
    fn answer(&self, method: &str, path: &str, query: &BTreeMap<String, String>) -> Option<String> {
        if method == "PROPFIND" {
            return self.listing(path.trim_end_matches('/'));
        }
        if path.ends_with("/interactions/query") {
            let begin = query.get("cursor").and_then(|at| at.parse().ok());
            let (page, next) = self.entities(begin.unwrap_or(0), PAGE, |original, n, out| {
                original.listed.write(n, out)
            });
            let next = next.map(|next| format!("\"{next}\""));
            return Some(format!(
                r#"{{"entities":{page},"metadata":{{"pagination":{{"nextPageCursor":{}}}}}}}"#,
                next.as_deref().unwrap_or("null")
            ));
        }
        if let Some(recording) = path.strip_prefix("/api/v2/recordings/") {
            let n = number(recording.get(..10)?)?;
            let template = self.original(n).recordings.get(recording.get(10..)?)?;
            return Some(written(template, n));
        }
        let (before, of) = path.split_once("/recordings")?;
        let is_rws = is_rws(before);
        let id = of.trim_start_matches('/');
        if id.is_empty() {
            return match is_rws {
                true => self.found(before, query),
                false => Some(self.rows(query)),
            };
        }
        let n = number(id.strip_prefix(NAMESPACE)?.strip_prefix('-')?)?;
        if n >= self.calls {
            return None;
        }
        let original = self.original(n);
        Some(match is_rws {
            true => written(&original.recording, n),
            false => written(&original.posted, n),
        })
    }

    /// What SpeechMiner lists behind an id.
    fn rows(&self, query: &BTreeMap<String, String>) -> String {
        let after = query
            .get("after")
            .and_then(|id| number(id.rsplit('-').next()?));
        let limit = query.get("limit").and_then(|limit| limit.parse().ok());
        let begin = after.map_or(0, |after| after + 1);
        let (rows, next) = self.entities(begin, limit.unwrap_or(PAGE), |original, n, out| {
            original.row.write(n, out)
        });
        let next = next.map(|next| format!("\"{NAMESPACE}-{}\"", FIRST_ID + next - 1));
        let next = next.as_deref().unwrap_or("null");
        format!(r#"{{"recordings":{rows},"next":{next}}}"#)
    }

    /// Recordings that begin in a window.
    fn found(&self, before: &str, query: &BTreeMap<String, String>) -> Option<String> {
        let at = |name: &str| query.get(name)?.parse::<Timestamp>().ok();
        let (from, until) = (at("startTime")?, at("stopTime")?);
        let (from, until) = (from.as_millisecond(), until.as_millisecond());
        let mut uris = Vec::new();
        for (at, original) in self.originals.iter().enumerate() {
            let second = |ms: i64| {
                let seconds = (ms - original.start_ms).max(0) as u64;
                seconds.div_ceil(1000).min(SPREAD_SECONDS)
            };
            for second in second(from)..second(until) {
                let first = second * SEVENTH % SPREAD_SECONDS;
                let copies = (first..self.calls).step_by(SPREAD_SECONDS as usize);
                let its = copies.filter(|n| n % self.originals.len() as u64 == at as u64);
                let left = MOST_FOUND - uris.len();
                uris.extend(its.take(left).map(|n| {
                    format!("http://rws{before}/recordings/{NAMESPACE}-{}", FIRST_ID + n)
                }));
            }
        }
        Some(object!({"statusCode": 0, "uris": uris}).to_string())
    }

    /// What the store lists in a folder.
    fn listing(&self, path: &str) -> Option<String> {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:multistatus xmlns:D=\"DAV:\">",
        );
        if path == self.root {
            let days: BTreeSet<&str> = self
                .originals
                .iter()
                .map(|original| original.folder.as_str())
                .collect();
            for number in 0..self.calls.div_ceil(CALLS_A_FOLDER) {
                for day in &days {
                    write!(
                        xml,
                        "<D:response><D:href>{path}/{day}-{number}/</D:href><D:propstat><D:prop>\
                         <D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>\
                         HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
                    )
                    .ok()?;
                }
            }
        } else {
            let (day, number) = path.rsplit('/').next()?.rsplit_once('-')?;
            let begin = number.parse::<u64>().ok()? * CALLS_A_FOLDER;
            for n in begin..(begin + CALLS_A_FOLDER).min(self.calls) {
                let original = self.original(n);
                if original.folder == day {
                    original
                        .files
                        .iter()
                        .for_each(|file| file.write(n, &mut xml));
                }
            }
        }
        xml.push_str("</D:multistatus>");
        Some(xml)
    }
}

/// Whether a path is one of RWS; SpeechMiner's receiver has recordings too.
fn is_rws(path: &str) -> bool {
    path.contains("/contact-centers/")
}

/// A copy by its id.
fn number(id: &str) -> Option<u64> {
    id.parse::<u64>().ok()?.checked_sub(FIRST_ID)
}

fn written(template: &Template, n: u64) -> String {
    let mut text = String::new();
    template.write(n, &mut text);
    text
}

#[async_trait]
impl Transport for Site {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let key = key(&request);
        let query = request.uri().query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let method = request.method().as_str();
        let (status, answer) = match self.answer(method, request.uri().path(), &query) {
            Some(answer) if method == "PROPFIND" => (207, Bytes::from(answer)),
            Some(answer) => (200, Bytes::from(answer)),
            None => {
                let as_before = self.others.get(&key).and_then(|bodies| bodies.last());
                as_before.cloned().unwrap_or((404, Bytes::new()))
            }
        };
        let kind = match method {
            "PROPFIND" => "application/xml",
            _ => "application/json",
        };
        let mut response = http::Response::new(Body::Full(answer));
        *response.status_mut() =
            http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::NOT_FOUND);
        let kind = http::HeaderValue::from_static(kind);
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, kind);
        Ok(response)
    }
}
