//! SpeechMiner's Interaction Receiver: takes the metadata of recordings, on a listener and with an
//! account of its own. No page states how it behaves, so nearly all of this is assumed; what it was
//! given is read back by paths no real one has.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value, json};

use super::account::Account;
use super::answer::{self, Code, Refused};
use super::dates::{self, Read, UtcMillis};
use super::settings::Repost;
use super::{Gir, rules};
use crate::http::body::drain;
use crate::http::reply::Reply;
use crate::operations::{self, Operation};
use crate::pipeline::request::{JsonProblem, read_json};
use crate::pipeline::routes::OperationRoutes as _;
use crate::pipeline::{self, Core, Endpoint, Refusal};

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "speechminer";

/// Where it listens, as in native recordings' `rp.speechminer_uri`.
pub(super) const PATH: &str = "/interactionreceiver";

/// Recordings in a listing where the request names no number, and the most.
const LISTED: (usize, usize) = (100, 1000);

/// The receiver.
pub(crate) struct SpeechMiner {
    pub(super) account: Account,
    base_url: Mutex<String>,
    held: Mutex<BTreeMap<String, Posted>>,
}

/// What it holds under an id.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    /// How often it stands there: more than once where a second post is kept beside the first.
    pub(super) posts: u64,
    /// As it was posted last.
    pub(super) document: Value,
}

impl SpeechMiner {
    pub(super) fn new(core: &Core) -> SpeechMiner {
        let account = Account::new(core.seed.child(super::NAME), NAME, "receiver");
        SpeechMiner {
            account,
            base_url: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// Says where the listener is.
    pub(super) fn set_base_url(&self, url: &str) {
        *self.base_url.lock() = format!("{}{PATH}", url.trim_end_matches('/'));
    }

    /// Where recordings are posted to.
    pub(super) fn base_url(&self) -> String {
        self.base_url.lock().clone()
    }

    /// What it holds, by id.
    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<String, Posted>> {
        self.held.lock()
    }
}

impl Endpoint for SpeechMiner {
    fn name(&self) -> &'static str {
        NAME
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        match refusal {
            Refusal::TokenExpired => Refused::not_authenticated().reply(),
            other => answer::refusal(other),
        }
    }
}

impl Posted {
    /// When its first media file begins; absent where no time of it can be read.
    pub(super) fn start(&self) -> Option<UtcMillis> {
        self.times("startTime").min()
    }

    /// From its first file's begin to its last one's end, in whole seconds.
    pub(super) fn duration_s(&self) -> i64 {
        let (start, stop) = (self.start(), self.times("stopTime").max());
        start
            .zip(stop)
            .map_or(0, |(start, stop)| (stop.0 - start.0).div_euclid(1000))
    }

    fn times(&self, name: &str) -> impl Iterator<Item = UtcMillis> {
        self.files()
            .filter_map(move |file| match dates::read(file[name].as_str()?)? {
                Read::At(moment) | Read::Zoneless(moment) => Some(moment),
            })
    }

    fn files(&self) -> impl Iterator<Item = &Value> {
        self.document["mediaFiles"].as_array().into_iter().flatten()
    }

    /// Folder and name of each of its files: an address cut at its last slash.
    pub(super) fn places(&self) -> Vec<(&str, &str)> {
        self.files()
            .filter_map(|file| file["mediaDescriptor"]["path"].as_str()?.rsplit_once('/'))
            .collect()
    }

    fn listed(&self, id: &str) -> Value {
        let places = self.places();
        let names: Vec<&str> = places.iter().map(|(_, name)| *name).collect();
        json!({"id": id, "posts": self.posts, "start": self.start(), "duration_s": self.duration_s(),
            "folder": places.first().map(|(folder, _)| folder), "filenames": names})
    }
}

/// Every path of the receiver.
pub(super) fn router(site: &Arc<Gir>) -> Router {
    Router::new()
        .operation(&operations::SPEECHMINER_POST_RECORDING, take)
        .operation(&operations::SPEECHMINER_LIST_RECORDINGS, list)
        .operation(&operations::SPEECHMINER_GET_RECORDING, show)
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_path)
        .with_state(Arc::clone(site))
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation = Operation {
    name: "speechminer.unknown_path",
    method: "-",
    path: "-",
    key: "-",
    mutates: false,
    needs: &[],
    query: &[],
};

type Site = State<Arc<Gir>>;

async fn take(State(site): Site, request: Request) -> Response {
    let operation = &operations::SPEECHMINER_POST_RECORDING;
    let sent = match site.receive(request).await {
        Ok(sent) => sent,
        Err(refused) => {
            return pipeline::refused(&site.core, NAME, operation, "-", refused.reply());
        }
    };
    let document: Option<Value> = serde_json::from_slice(&sent).ok();
    let key = document
        .as_ref()
        .and_then(|sent| sent["id"].as_str())
        .unwrap_or("-")
        .to_owned();
    site.answer(operation, &key, sent.len() as u64, || {
        site.post_to_speechminer(document)
    })
    .await
}

async fn show(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let authorized = site.is_let_in(&request);
    drain(request.into_body()).await;
    let operation = &operations::SPEECHMINER_GET_RECORDING;
    site.answer(operation, &id, 0, || {
        authorized.and_then(|()| site.told_by_speechminer(&id))
    })
    .await
}

async fn list(State(site): Site, RawQuery(query): RawQuery, request: Request) -> Response {
    let authorized = site.is_let_in(&request);
    drain(request.into_body()).await;
    let operation = &operations::SPEECHMINER_LIST_RECORDINGS;
    let query = query.unwrap_or_default();
    site.answer(operation, "-", 0, || {
        authorized.and_then(|()| site.listed_by_speechminer(&query))
    })
    .await
}

async fn unknown_path(State(site): Site, request: Request) -> Response {
    drain(request.into_body()).await;
    pipeline::refused(
        &site.core,
        NAME,
        &UNKNOWN_PATH,
        "-",
        Refused::no_path().reply(),
    )
}

impl Gir {
    fn is_let_in(&self, request: &Request) -> Result<(), Refused> {
        self.mark(&rules::SPEECHMINER_BASIC);
        if self.speechminer().account.is_shown(request.headers()) {
            Ok(())
        } else {
            Err(Refused::not_authenticated())
        }
    }

    async fn receive(&self, request: Request) -> Result<bytes::Bytes, Refused> {
        let authorized = self.is_let_in(&request);
        self.mark(&rules::SPEECHMINER_BODY);
        let (head, body) = request.into_parts();
        if let Err(refused) = authorized {
            drain(body).await;
            return Err(refused);
        }
        let sent = read_json(&head.headers, body, self.settings.limits.max_request_bytes).await;
        sent.map_err(|problem| match problem {
            JsonProblem::ContentType => Refused::content_type(),
            JsonProblem::TooLarge(limit) => Refused::too_large(limit),
            JsonProblem::Cut | JsonProblem::Malformed(_) => {
                Refused::new(400, Code::Invalid, "The request body ended before its end.")
            }
        })
    }

    async fn answer<W>(
        &self,
        operation: &'static Operation,
        key: &str,
        bytes_in: u64,
        work: W,
    ) -> Response
    where
        W: FnOnce() -> Result<Reply, Refused> + Send,
    {
        let work = async {
            self.look();
            work().unwrap_or_else(|refused| refused.reply())
        };
        pipeline::serve(
            &self.core,
            self.speechminer(),
            operation,
            key,
            bytes_in,
            work,
        )
        .await
    }

    fn post_to_speechminer(&self, document: Option<Value>) -> Result<Reply, Refused> {
        self.mark(&rules::SPEECHMINER_POST);
        let document = document
            .ok_or_else(|| Refused::new(400, Code::Invalid, "The request body is not JSON."))?;
        let id = document["id"]
            .as_str()
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Refused::missing("id"))?
            .to_owned();
        self.mark(&rules::SPEECHMINER_ANSWER);
        let mut held = self.speechminer().held();
        let effect = match held.get_mut(&id) {
            None => {
                held.insert(id, Posted { posts: 1, document });
                "created"
            }
            Some(known) => {
                self.mark(&rules::SPEECHMINER_REPOST);
                known.document = document;
                match self.settings.speechminer.repost {
                    Repost::Replace => "replaced",
                    Repost::Duplicate => {
                        known.posts += 1;
                        "duplicated"
                    }
                }
            }
        };
        Ok(answer::done(200).effect(effect))
    }

    fn told_by_speechminer(&self, id: &str) -> Result<Reply, Refused> {
        self.mark(&rules::SPEECHMINER_READS);
        let held = self.speechminer().held();
        let known = held.get(id).ok_or_else(|| Refused::no_recording(id))?;
        Ok(Reply::json(
            200,
            &json!({"id": id, "posts": known.posts, "recording": known.document}),
        ))
    }

    fn listed_by_speechminer(&self, query: &str) -> Result<Reply, Refused> {
        self.mark(&rules::SPEECHMINER_READS);
        let (mut after, mut limit) = (None, LISTED.0);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, value.parse()) {
                ("after", _) => after = Some(value.into_owned()),
                ("limit", Ok(number)) if (1..=LISTED.1).contains(&number) => limit = number,
                ("limit", _) => {
                    return Err(Refused::invalid(
                        "limit",
                        &format!("it must be 1 to {}", LISTED.1),
                    ));
                }
                _ => return Err(Refused::invalid(&name, "it is not known")),
            }
        }
        let held = self.speechminer().held();
        let mut behind = held
            .iter()
            .filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
        let page: Vec<(&String, &Posted)> = behind.by_ref().take(limit).collect();
        let next = behind.next().and(page.last()).map(|(id, _)| *id);
        let recordings: Vec<Value> = page.iter().map(|(id, posted)| posted.listed(id)).collect();
        Ok(Reply::json(
            200,
            &Map::from_iter([
                ("recordings".to_owned(), Value::from(recordings)),
                ("next".to_owned(), json!(next)),
            ]),
        ))
    }
}
