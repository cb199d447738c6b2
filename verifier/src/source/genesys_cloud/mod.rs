//! The source read from a Genesys Cloud organisation: calls by one analytics job, each call's
//! recordings, deletion protection, and audio by batch downloads. Source:
//! docs/reference/organisation.md.

mod record;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use plan::LoadedPlan;
use plan::source::GenesysCloud as Section;
use platforms::clock::Clock;
use platforms::genesys_cloud::{Batches, ReadClient, Settings, wire};
use platforms::{CallError, Credentials, Pages};
use uuid::Uuid;

use super::{
    Extensions, Listed, MediaRead, Only, Source, SourceInteraction, SourceRecording, collect,
};
use crate::options::{Progress, Stage};
use crate::requests::{Base, Endpoint, Gates};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
use crate::utc_millis::UtcMillis;
pub(in crate::source) use record::GenesysCloudFormat;
use record::{conversation, details, is_by_voice, is_sound, places};
pub(super) use requests::{OPERATIONS, SOURCE};

/// Results a page of the job; what others use too.
const PAGE: u32 = 1000;
/// Conversations whose protection is asked for at once. Source: platform API, deletionprotection.
const PROTECTED_AT_ONCE: usize = 100;
/// How long a job or a batch download may take.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Between two questions how the job stands.
const PAUSE: Duration = Duration::from_secs(3);
/// Unix milliseconds: 1970, and 2100; no call lies beyond.
const ALL_OF_TIME: (i64, i64) = (0, 4_102_444_800_000);

/// A live organisation and the plan's window on it.
pub(super) struct Live {
    client: ReadClient,
    batches: Batches,
    clock: Clock,
    from_ms: i64,
    /// End of the window, and whether the plan names it.
    to_ms: i64,
    is_bounded: bool,
    divisions: HashSet<Uuid>,
    queues: HashSet<Uuid>,
    /// The plan's bound on a recording. Bytes.
    max_bytes: u64,
}

/// Its service, as a plan has it.
pub(super) fn endpoint(section: &Section) -> Endpoint {
    Endpoint {
        service: SOURCE,
        root: section.api_url(),
        token: section.token_url(),
    }
}

impl Live {
    /// Sends nothing yet.
    pub(super) fn open(
        loaded: &LoadedPlan,
        section: &Section,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Live, RunError> {
        let nowhere = || RunError::Plan("source.base_url leads nowhere; correct it".to_owned());
        let (api_url, token_url) = section
            .api_url()
            .zip(section.token_url())
            .ok_or_else(nowhere)?;
        let secret = loaded.secret(&section.client_secret, "source.client_secret")?;
        let gate = gates.of(
            SOURCE,
            Base {
                api: api_url.clone(),
                token: Some(token_url.clone()),
            },
        );
        let settings = Settings {
            api_url,
            token_url,
            credentials: Credentials {
                client_id: section.client_id.clone(),
                client_secret: secret.expose_the_secret().to_owned(),
            },
            requests_per_minute: section.requests_per_minute,
        };
        let client = ReadClient::new(gate, clock.clone(), settings);
        let bound = |at: Option<jiff::Timestamp>, otherwise| {
            at.map_or(otherwise, jiff::Timestamp::as_millisecond)
        };
        Ok(Live {
            batches: Batches::new(client.clone(), clock.clone(), PATIENCE),
            client,
            clock: clock.clone(),
            from_ms: bound(section.from, ALL_OF_TIME.0),
            to_ms: bound(section.to, ALL_OF_TIME.1),
            is_bounded: section.to.is_some(),
            divisions: section.divisions.iter().copied().collect(),
            queues: section.queues.iter().copied().collect(),
            max_bytes: loaded.plan.audio.max_bytes,
        })
    }

    /// One job over the whole window.
    async fn job(&self) -> Result<String, RunError> {
        let failed = |error: CallError| RunError::source("list the conversations", &error);
        let [from, to] = [self.from_ms, self.to_ms].map(|ms| UtcMillis::from_ms(ms).to_string());
        let query = serde_json::json!({
            "interval": format!("{from}/{to}"),
            "orderBy": "conversationStart",
            "order": "asc",
        });
        let job = self
            .client
            .create_details_job(&query)
            .await
            .map_err(failed)?;
        let patience_ms = i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX);
        let until_ms = self.clock.now_ms().saturating_add(patience_ms);
        loop {
            let state = self.client.details_job_state(&job).await.map_err(failed)?;
            if state.state == "FULFILLED" {
                return Ok(job);
            }
            let has_ended = ["FAILED", "CANCELLED", "EXPIRED"].contains(&state.state.as_str());
            if has_ended || self.clock.now_ms() >= until_ms {
                return Err(RunError::Source(format!(
                    "the analytics job of the source stands at {}: {}; verify again later",
                    state.state,
                    state.error_message.unwrap_or_default()
                )));
            }
            self.clock.sleep(PAUSE).await;
        }
    }

    /// What is missing before the window's end cannot be told from what never was.
    fn check_available(&self, until: Option<&str>) -> Result<(), RunError> {
        let Some(until) = until.and_then(UtcMillis::parse).filter(|_| self.is_bounded) else {
            return Ok(());
        };
        if until >= UtcMillis::from_ms(self.to_ms) {
            return Ok(());
        }
        Err(RunError::Source(format!(
            "the source's analytics is complete up to {until} only, and source.to is later; verify \
             again later, or set source.to to that time"
        )))
    }

    /// Every call of the window, as analytics has it.
    async fn conversations(
        &self,
        only: Only<'_>,
        mut found: RecordSorter<SourceInteraction>,
        progress: &dyn Progress,
    ) -> Result<SortedRecords<SourceInteraction>, RunError> {
        let failed = |error: CallError| RunError::source("list the conversations", &error);
        let job = self.job().await?;
        let (mut cursor, mut pages) = (None::<String>, Pages::default());
        let mut number = 0_u64;
        loop {
            let page = self.client.details_verbatim(&job, cursor.as_deref(), PAGE);
            let page = page.await.map_err(failed)?;
            self.check_available(page.data_availability_date.as_deref())?;
            let listed = page.conversations.unwrap_or_default();
            progress.advance(listed.len() as u64);
            number += 1;
            for (at, json) in listed.iter().enumerate() {
                let place = format!("conversation {} of page {number}", at + 1);
                let call = conversation(json.get(), &place);
                let is_asked = only.is_none_or(|only| only.contains(call.listed.id.as_str()));
                if is_asked && self.is_within(json.get(), &call) {
                    found.append(&call)?;
                }
            }
            let texts = listed.iter().map(|json| json.get());
            cursor = pages
                .next("the conversations", texts, page.cursor)
                .map_err(failed)?;
            if cursor.is_none() {
                return found.sorted();
            }
        }
    }

    /// Whether a call is one that the plan means: by voice, begun within the window, of its
    /// divisions and queues. One of which nobody can say when it began is one.
    fn is_within(&self, json: &str, call: &SourceInteraction) -> bool {
        let start = match &call.listed.start_time {
            super::SourceTime::Instant { text, .. } => UtcMillis::parse(text),
            _ => None,
        };
        let window = UtcMillis::from_ms(self.from_ms)..UtcMillis::from_ms(self.to_ms);
        let is_in_time = start.is_none_or(|start| window.contains(&start));
        let among = |ids: &[String], wanted: &HashSet<Uuid>| {
            wanted.is_empty()
                || ids
                    .iter()
                    .filter_map(|id| Uuid::parse_str(id).ok())
                    .any(|id| wanted.contains(&id))
        };
        if call.unread.is_some() {
            return true;
        }
        let (divisions, queues) = places(json);
        is_in_time
            && is_by_voice(json)
            && among(&divisions, &self.divisions)
            && among(&queues, &self.queues)
    }

    async fn with_recordings(&self, call: SourceInteraction) -> Result<Read, RunError> {
        if call.unread.is_some() {
            return Ok(Read {
                call,
                recordings: Vec::new(),
            });
        }
        let id = call.listed.id.clone();
        let unread = |why: String| {
            let why = format!("the recordings of conversation {id}: {why}");
            Ok(Read {
                call: SourceInteraction::unread(id.clone(), why),
                recordings: Vec::new(),
            })
        };
        let listed = match self.client.recordings_verbatim(&id).await {
            Ok(listed) => listed,
            // Without the permission nothing can be told of any call.
            Err(error) if lacks_permission(&error) => {
                return Err(RunError::source("list the recordings", &error));
            }
            Err(error @ CallError::Refused { .. }) => return unread(error.to_string()),
            Err(error) => return Err(RunError::source("list the recordings", &error)),
        };
        let mut recordings: Vec<wire::Recording> = Vec::new();
        for (at, json) in listed.iter().enumerate() {
            match serde_json::from_str::<wire::Recording>(json.get()) {
                Ok(recording) if !is_sound(&recording) => {}
                Ok(recording) if recordings.iter().any(|known| known.id == recording.id) => {}
                Ok(recording) => recordings.push(recording),
                Err(_) => return unread(format!("number {} is in another form", at + 1)),
            }
        }
        Ok(Read { call, recordings })
    }

    /// Which of some calls are protected against deletion.
    async fn protected(&self, calls: &[Read]) -> Result<HashSet<String>, RunError> {
        let ids: Vec<String> = calls
            .iter()
            .filter(|read| read.call.unread.is_none())
            .map(|read| String::from(&read.call.listed.id))
            .collect();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let protected = self.client.deletion_protected(&ids).await;
        protected
            .map(|ids| ids.into_iter().collect())
            .map_err(|error| RunError::source("read the deletion protection", &error))
    }

    /// Bytes of a recording; the error says in words why there are none.
    async fn read(
        &self,
        conversation: &str,
        recording: &str,
    ) -> Result<Result<(Vec<u8>, Option<String>), String>, CallError> {
        let found = self.batches.locate(conversation, recording).await?;
        let files: Vec<&wire::BatchResult> = found
            .iter()
            .filter(|result| result.result_url.is_some())
            .collect();
        let file = match files.as_slice() {
            [file] => file,
            [] => {
                let said = found.iter().find_map(|result| result.error_msg.clone());
                return Ok(Err(said.unwrap_or_else(|| {
                    "permission recording:recording:viewSensitiveData: the batch left it out \
                     without a word"
                        .to_owned()
                })));
            }
            several => {
                return Ok(Err(format!(
                    "it comes in {} files; ask the source's administrator which is whole",
                    several.len()
                )));
            }
        };
        let url = file.result_url.as_deref().unwrap_or_default();
        let media = self.client.download(url, self.max_bytes).await?;
        let content_type = file.content_type.clone();
        Ok(Ok((collect(media).await?.0, content_type)))
    }
}

/// A call with its recordings as they are listed.
struct Read {
    call: SourceInteraction,
    recordings: Vec<wire::Recording>,
}

impl Read {
    fn whole(self, protected: &HashSet<String>) -> SourceInteraction {
        let Read {
            mut call,
            recordings,
        } = self;
        let is_protected = protected.contains(call.listed.id.as_str());
        for recording in recordings {
            let details = details(recording, &call, is_protected);
            let id = details.id.clone();
            call.listed
                .recordings
                .push((id.clone(), details.segment_id.clone()));
            call.recordings.push(SourceRecording {
                id,
                details: Ok(details),
                staged: None,
            });
        }
        call
    }
}

fn lacks_permission(error: &CallError) -> bool {
    match error {
        CallError::Refused {
            status: 403, code, ..
        } => code != "missing.division.permission" && code != "missing.any.division.permissions",
        _ => false,
    }
}

#[async_trait(?Send)]
impl Source for Live {
    async fn list(
        &self,
        only: Only<'_>,
        concurrency: usize,
        listed: &mut Listed,
        progress: &dyn Progress,
    ) -> Result<Extensions, RunError> {
        progress.begin(Stage::Source, None);
        let calls = self
            .conversations(only, listed.set_aside(), progress)
            .await?;
        let reads =
            stream::iter(calls.iter()).map(|call| async move { self.with_recordings(call?).await });
        let mut reads = reads.buffered(concurrency.max(1)).chunks(PROTECTED_AT_ONCE);
        while let Some(chunk) = reads.next().await {
            let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
            let protected = self.protected(&chunk).await?;
            for read in chunk {
                listed.add(&read.whole(&protected))?;
            }
        }
        // Extensions are the desk's here as well, and no agent is known by one.
        Ok(Extensions::new())
    }

    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError> {
        let details = match &recording.details {
            Ok(details) => details,
            Err(why) => return Ok(MediaRead::Unreadable(why.clone())),
        };
        let unreadable = |why: String| {
            Ok(MediaRead::Unreadable(format!(
                "the source's audio of recording {}: {why}",
                recording.id
            )))
        };
        if let Some(reason) = details.kept_back.0 {
            return unreadable(format!("{reason}, by its own record"));
        }
        match self.read(&details.interaction_id, &recording.id).await {
            Ok(Ok((bytes, content_type))) => Ok(MediaRead::Bytes(bytes, content_type)),
            Ok(Err(why)) => unreadable(why),
            Err(error) if error.is_everybodys() || lacks_permission(&error) => {
                Err(RunError::source("read the audio", &error))
            }
            Err(error) => unreadable(error.to_string()),
        }
    }
}
