//! A Genesys Cloud organisation: its calls by analytics jobs, its recordings by their records, and
//! their audio by batch downloads. Source: docs/reference/organisation.md.

mod entity;
mod format;
mod listing;
mod normalise;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use plan::source::GenesysCloud as Section;
use plan::{LoadedPlan, Reason};
use platforms::clock::Clock;
use platforms::genesys_cloud::{Batches, ReadClient, Settings};
use platforms::transport::Transport;
use platforms::{CallError, Counts, Credentials, Media};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use entity::{Entity, IdOnly, ListedRecording, at};
pub(crate) use format::FORMAT;
use format::available;
use listing::{Lister, Place};

use super::{Directory, RawRecording, RecordingAnswer, Source, SourcePage, Stated, Window};
use crate::error::{RunError, StepError};
use crate::ledger::{NewInteraction, NewRecording};

/// Calls whose recordings are listed at the same time.
const AT_ONCE: usize = 8;
/// How long a batch download may take.
const BATCH_PATIENCE: Duration = Duration::from_secs(3600);
/// Pages of calls that are looked at before a run: each takes a request a call.
const PAGES_SURVEYED: u64 = 10;

/// One organisation.
pub(crate) struct GenesysCloud {
    client: ReadClient,
    batches: Batches,
    clock: Clock,
    section: Section,
}

impl GenesysCloud {
    pub(crate) fn new(
        plan: &LoadedPlan,
        section: &Section,
        transport: Arc<dyn Transport>,
        clock: &Clock,
    ) -> Result<GenesysCloud, RunError> {
        let secret = plan.secret(&section.client_secret, "source.client_secret")?;
        let unusable = || RunError::Plan("source.base_url is not a URL to work with".to_owned());
        let settings = Settings {
            api_url: section.api_url().ok_or_else(unusable)?,
            token_url: section.token_url().ok_or_else(unusable)?,
            credentials: Credentials {
                client_id: section.client_id.clone(),
                client_secret: secret.expose_the_secret().to_owned(),
            },
            requests_per_minute: section.requests_per_minute,
        };
        let client = ReadClient::new(transport, clock.clone(), settings);
        Ok(GenesysCloud {
            batches: Batches::new(client.clone(), clock.clone(), BATCH_PATIENCE),
            client,
            clock: clock.clone(),
            section: section.clone(),
        })
    }

    /// A listed conversation with its recordings' ids. What the platform refuses to list is one
    /// call's trouble.
    async fn with_recordings(&self, raw: String) -> Result<Entity, RunError> {
        let conversation = RawValue::from_string(raw).map_err(|error| malformed(&at(&error)))?;
        let (recordings, unlisted) = match id_in(&conversation) {
            Some(id) => match self.client.recordings_verbatim(&id).await {
                Ok(recordings) => match audio_of(&recordings) {
                    Ok(ids) => (Some(ids), None),
                    Err(why) => (None, Some(why)),
                },
                Err(error @ CallError::Refused { .. }) if !is_everybodys(&error) => {
                    (None, Some(error.to_string()))
                }
                Err(error) => return Err(RunError::Source(error)),
            },
            None => (None, Some("the conversation has no id".to_owned())),
        };
        Ok(Entity {
            conversation,
            recordings,
            deletion_protected: false,
            unlisted,
        })
    }

    /// Where a recording's audio lies.
    async fn address_of(&self, conversation: &str, recording: &str) -> Result<String, StepError> {
        let results = self
            .batches
            .locate(conversation, recording)
            .await
            .map_err(of_source)?;
        let mut urls: Vec<String> = results
            .iter()
            .filter_map(|result| result.result_url.clone())
            .collect();
        if urls.len() > 1 {
            // One file is one recording here: which of several is all of it, nobody says.
            let why = format!("its audio came in {} files", urls.len());
            return Err(StepError::aside(Reason::SourceUnreadable, why));
        }
        let said = results.into_iter().find_map(|result| result.error_msg);
        urls.pop().ok_or_else(|| {
            StepError::source(CallError::Refused {
                what: format!("the download of recording {recording}"),
                status: 200,
                code: String::new(),
                message: said.unwrap_or_else(|| {
                    "the batch left it out without a word; recordings with sensitive data need the \
                     permission recording:recording:viewSensitiveData"
                        .to_owned()
                }),
                entity_id: None,
                field: None,
            })
        })
    }
}

#[async_trait]
impl Source for GenesysCloud {
    fn counts(&self) -> Arc<Counts> {
        self.client.counts()
    }

    fn pages_surveyed(&self) -> u64 {
        PAGES_SURVEYED
    }

    async fn organisation_id(&self) -> Result<Option<String>, RunError> {
        match self.client.organisation_id().await {
            Ok(id) => Ok(Some(id)),
            // It need not be told to this client.
            Err(CallError::Refused { .. }) => Ok(None),
            Err(error) => Err(RunError::Source(error)),
        }
    }

    async fn directory(&self) -> Result<Directory, RunError> {
        let agents = self.client.users().await.map_err(RunError::Source)?;
        let queues = self.client.queues().await.map_err(RunError::Source)?;
        Ok(Directory {
            agents: agents.into_iter().map(|agent| agent.id).collect(),
            queues: queues.into_iter().map(|queue| queue.id).collect(),
        })
    }

    async fn page(
        &self,
        window: Window,
        cursor: Option<&str>,
        _: u64,
    ) -> Result<SourcePage, RunError> {
        let lister = Lister {
            client: &self.client,
            clock: &self.clock,
            section: &self.section,
        };
        let page = lister.page(Place::of(window, cursor, &self.clock)?).await?;
        let reads = stream::iter(page.conversations).map(|raw| self.with_recordings(raw));
        let mut reads = reads.buffered(AT_ONCE);
        let mut entities = Vec::new();
        while let Some(entity) = reads.next().await {
            entities.push(entity?);
        }
        let ids: Vec<String> = entities.iter().filter_map(id_of).collect();
        let protected: HashSet<String> = if ids.is_empty() {
            HashSet::new()
        } else {
            let protected = self.client.deletion_protected(&ids).await;
            protected.map_err(RunError::Source)?.into_iter().collect()
        };
        let rows = entities.into_iter().map(|mut entity| {
            let id = id_of(&entity);
            entity.deletion_protected = id.as_ref().is_some_and(|id| protected.contains(id));
            row_of(entity, id)
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let next_cursor = page.next.map(|next| next.text()).transpose()?;
        Ok(SourcePage { rows, next_cursor })
    }

    async fn recording(
        &self,
        legacy_interaction_id: &str,
        legacy_recording_id: &str,
    ) -> Result<RecordingAnswer, StepError> {
        let answer = self
            .client
            .recording_verbatim(legacy_interaction_id, legacy_recording_id)
            .await
            .map_err(of_source)?;
        let raw = RawRecording {
            request: format!(
                "GET /api/v2/conversations/{legacy_interaction_id}/recordings/{legacy_recording_id}"
            ),
            headers: answer.headers,
            body: answer.body,
            media: None,
        };
        let recording = match available(raw.body.get(), legacy_recording_id) {
            Ok(recording) => recording,
            Err(aside) => {
                return Ok(RecordingAnswer {
                    raw,
                    stated: Err(aside),
                });
            }
        };
        if recording.id != legacy_recording_id {
            return Err(StepError::InteractionFailed(RunError::Source(
                CallError::Malformed {
                    what: raw.request,
                    why: format!("it answers for recording {}", recording.id),
                },
            )));
        }
        // Whose it is nobody can tell, and asking again changes nothing.
        if let Some(other) = recording
            .conversation_id
            .filter(|id| id != legacy_interaction_id)
        {
            let why = format!(
                "listed with conversation {legacy_interaction_id}, and of conversation {other} by \
                 its own answer"
            );
            return Err(StepError::aside(Reason::IdCollision, why));
        }
        Ok(RecordingAnswer {
            raw,
            stated: Ok(Stated {
                address: Some(legacy_interaction_id.to_owned()),
                size_bytes: None,
                duration_ms: None,
            }),
        })
    }

    /// `stated.address` is the conversation; where its audio lies is asked for here, because such
    /// an address runs out.
    async fn media(
        &self,
        legacy_recording_id: &str,
        stated: &Stated,
        most_bytes: u64,
    ) -> Result<Media, StepError> {
        let conversation = stated.address.as_deref().unwrap_or_default();
        let url = self.address_of(conversation, legacy_recording_id).await?;
        match self.client.download(&url, most_bytes).await {
            // It ran out between the two: once more.
            Err(CallError::Refused { status: 403, .. }) => {}
            other => return other.map_err(StepError::source),
        }
        let url = self.address_of(conversation, legacy_recording_id).await?;
        let read = self.client.download(&url, most_bytes).await;
        read.map_err(StepError::source)
    }
}

/// A permission that is lacking is everybody's trouble. Source: platform API, error codes.
fn is_everybodys(error: &CallError) -> bool {
    match error {
        CallError::Refused {
            status: 403, code, ..
        } => {
            code.starts_with("missing.")
                || code.ends_with("permission.check.failed")
                || matches!(
                    code.as_str(),
                    "not.authorized" | "app.not.authorized.for.scope"
                )
        }
        _ => error.is_everybodys(),
    }
}

/// A call to the source that failed.
fn of_source(error: CallError) -> StepError {
    if is_everybodys(&error) {
        StepError::Run(RunError::Source(error))
    } else {
        StepError::source(error)
    }
}

fn malformed(why: &str) -> RunError {
    RunError::Source(CallError::Malformed {
        what: "GET /api/v2/analytics/conversations/details/jobs".to_owned(),
        why: why.to_owned(),
    })
}

/// Ids of the recordings that are audio; the error says what cannot be read.
fn audio_of(recordings: &[Box<RawValue>]) -> Result<Vec<String>, String> {
    let mut ids: Vec<String> = Vec::new();
    for (number, recording) in recordings.iter().enumerate() {
        let recording: ListedRecording = serde_json::from_str(recording.get())
            .map_err(|error| format!("recording {} of its list: {}", number + 1, at(&error)))?;
        if recording.is_audio() && !ids.contains(&recording.id) {
            ids.push(recording.id);
        }
    }
    Ok(ids)
}

fn id_of(entity: &Entity) -> Option<String> {
    id_in(&entity.conversation)
}

fn id_in(conversation: &RawValue) -> Option<String> {
    serde_json::from_str::<IdOnly>(conversation.get())
        .ok()
        .map(|id| id.conversation_id)
}

fn row_of(entity: Entity, id: Option<String>) -> Result<NewInteraction, RunError> {
    let text = serde_json::to_string(&entity).map_err(|error| malformed(&at(&error)))?;
    let unreadable = entity::Listed::read(&text)
        .err()
        .map(|why| format!("a conversation of the source's listing cannot be read: {why}"));
    // Named by what it holds: listed again elsewhere it is the same row.
    let nameless = || {
        let digest = hex::encode(Sha256::digest(entity.conversation.get()));
        format!("(no id) {}", &digest[..12])
    };
    Ok(NewInteraction {
        legacy_id: id.unwrap_or_else(nameless),
        headers: serde_json::to_string(&BTreeMap::<String, String>::new())
            .map_err(|error| malformed(&at(&error)))?,
        recordings: entity
            .recordings
            .into_iter()
            .flatten()
            .map(|legacy_id| NewRecording { legacy_id })
            .collect(),
        entity: text,
        unreadable,
    })
}
