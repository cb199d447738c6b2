//! The legacy CCaaS platform: its listing, its records and its media. Nothing of its wire types
//! goes beyond this folder.

mod normalise;
mod time;

use std::sync::Arc;

use async_trait::async_trait;
use plan::{LoadedPlan, Reason, TimeRules};
use platforms::clock::Clock;
use platforms::legacy::{Client, InteractionPage, Page, Settings, wire};
use platforms::transport::Transport;
use platforms::{CallError, Counts, Credentials, Media};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub(crate) use normalise::normalise;

use super::{
    Directory, NoRecord, RawRecording, RecordingAnswer, Source, SourceFormat, SourcePage, Stated,
    Window,
};
use crate::canonical::Canonical;
use crate::error::{Aside, RunError, StepError};
use crate::ledger::{InteractionRow, NewInteraction, NewRecording, RecordingRow};

/// Interactions a page. The source's maximum, so that a million interactions are a thousand
/// requests.
const PAGE: u32 = 1000;
const QUERY: &str = "GET /api/v2/analytics/interactions/query";

/// How the legacy API writes its answers.
pub(crate) struct LegacyFormat;
pub(crate) static FORMAT: LegacyFormat = LegacyFormat;

impl SourceFormat for LegacyFormat {
    fn listing_request(&self) -> &'static str {
        QUERY
    }

    fn unreadable(&self, entity: &str) -> Option<String> {
        wire::Interaction::read(entity)
            .err()
            .map(|why| why.to_string())
    }

    fn listed(&self, entity: &str, rules: &TimeRules) -> Result<Canonical, NoRecord> {
        let interaction = wire::Interaction::read(entity).map_err(|_| NoRecord::Unreadable)?;
        normalise(&interaction, &[], rules).map_err(|_| NoRecord::TimeUnusable)
    }

    fn normalise(&self, row: &InteractionRow, rules: &TimeRules) -> Result<Canonical, StepError> {
        let interaction = wire::Interaction::read(&row.entity).map_err(|why| {
            StepError::aside(
                Reason::SourceUnreadable,
                format!("the source's entity cannot be read: {why}"),
            )
        })?;
        // Of one whose record cannot be read nothing is known; it has been put aside when it was
        // staged.
        let readable = row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none() || recording.staged_sha256.is_some());
        let recordings = readable.map(recording_of).collect::<Result<Vec<_>, _>>()?;
        normalise(&interaction, &recordings, rules).map_err(|_| {
            let text =
                |time: &wire::SourceTime| time.to_string().chars().take(40).collect::<String>();
            let (start, end) = (text(&interaction.start_time), text(&interaction.end_time));
            StepError::aside(
                Reason::TimeUnusable,
                format!("no instant can be made of start `{start}` and end `{end}`"),
            )
        })
    }

    fn file_name(&self, recording: &RecordingRow) -> Option<String> {
        recording_of(recording).ok()?.file_name
    }

    fn declared_bytes(&self, recording: &RecordingRow) -> Option<u64> {
        serde_json::from_str::<Declared>(recording.answer.as_deref()?)
            .ok()?
            .body
            .size_bytes
    }

    fn may_have_pauses(&self, recording: &RecordingRow) -> bool {
        recording
            .answer
            .as_ref()
            .is_some_and(|answer| answer.contains("startOffsetMs"))
    }
}

/// What a manifest takes from a recording's answer.
#[derive(Deserialize)]
struct Declared {
    body: DeclaredBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeclaredBody {
    size_bytes: Option<u64>,
}

/// What the source answered about a recording.
fn recording_of(row: &RecordingRow) -> Result<wire::Recording, StepError> {
    let text = row.answer.as_deref().unwrap_or_default();
    let raw: RawRecording = serde_json::from_str(text)
        .map_err(|error| StepError::malformed_answer(&row.legacy_id, &error))?;
    wire::Recording::read(raw.body.get()).map_err(|error| {
        StepError::aside(
            Reason::SourceUnreadable,
            in_another_form(&row.legacy_id, &error),
        )
    })
}

/// A record that is JSON and not what a recording's record is.
fn in_another_form(legacy_id: &str, error: &wire::Unreadable) -> String {
    format!("the source's record of recording {legacy_id} cannot be read: {error}")
}

/// One platform.
pub(crate) struct Legacy {
    client: Client,
}

impl Legacy {
    pub(crate) fn new(
        plan: &LoadedPlan,
        section: &plan::source::Legacy,
        transport: Arc<dyn Transport>,
        clock: &Clock,
    ) -> Result<Legacy, RunError> {
        let secret = plan.secret(&section.client_secret, "source.client_secret")?;
        let settings = Settings {
            base_url: section.base_url.clone(),
            media_hosts: section.media_hosts.clone(),
            credentials: Credentials {
                client_id: section.client_id.clone(),
                client_secret: secret.expose_the_secret().to_owned(),
            },
            // The source publishes no limit: none is assumed, and its 429s hold us back.
            requests_per_minute: u32::MAX,
        };
        let client = Client::new(transport, clock.clone(), settings);
        let client = client.ok_or_else(|| {
            RunError::Plan("source.base_url is not a URL to work with".to_owned())
        })?;
        Ok(Legacy { client })
    }
}

#[async_trait]
impl Source for Legacy {
    fn counts(&self) -> Arc<Counts> {
        self.client.counts()
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
        number: u64,
    ) -> Result<SourcePage, RunError> {
        let ask = Page {
            cursor: cursor.map(str::to_owned),
            size: PAGE,
            from_ms: window.from_ms,
            to_ms: window.to_ms,
        };
        let page = self
            .client
            .interactions(&ask)
            .await
            .map_err(RunError::Source)?;
        let next_cursor = page.next_cursor.clone();
        Ok(SourcePage {
            rows: rows_of(page, number)?,
            next_cursor,
        })
    }

    async fn recording(
        &self,
        legacy_interaction_id: &str,
        legacy_recording_id: &str,
    ) -> Result<RecordingAnswer, StepError> {
        let answer = self
            .client
            .recording(legacy_recording_id)
            .await
            .map_err(StepError::source)?;
        let request = format!("GET /api/v2/recordings/{legacy_recording_id}");
        let body = wire::Recording::read(answer.body.get());
        let raw = RawRecording {
            request,
            headers: answer.headers,
            body: answer.body,
            media: None,
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                return Ok(RecordingAnswer {
                    raw,
                    stated: Err(Aside::new(
                        Reason::SourceUnreadable,
                        in_another_form(legacy_recording_id, &error),
                    )),
                });
            }
        };
        if body.id != legacy_recording_id {
            let why = format!("it answers for recording {}", body.id);
            return Err(StepError::InteractionFailed(RunError::Source(
                CallError::Malformed {
                    what: raw.request,
                    why,
                },
            )));
        }
        // Listed by one call and of another by its own word: whose it is nobody can tell, and
        // asking again changes nothing.
        if body.interaction_id != legacy_interaction_id {
            let why = format!(
                "listed with interaction {legacy_interaction_id}, and of interaction {} by its own \
                 answer",
                body.interaction_id
            );
            return Err(StepError::aside(Reason::IdCollision, why));
        }
        let stated = Stated {
            address: body.media_url,
            size_bytes: body.size_bytes,
            duration_ms: body.duration_ms,
        };
        Ok(RecordingAnswer {
            raw,
            stated: Ok(stated),
        })
    }

    async fn media(
        &self,
        legacy_recording_id: &str,
        stated: &Stated,
        most_bytes: u64,
    ) -> Result<Media, StepError> {
        self.client
            .media(legacy_recording_id, stated.address.as_deref(), most_bytes)
            .await
            .map_err(StepError::source)
    }
}

fn rows_of(page: InteractionPage, number: u64) -> Result<Vec<NewInteraction>, RunError> {
    let headers =
        serde_json::to_string(&page.headers).map_err(|error| malformed(error.to_string()))?;
    let row = |(at, entity): (usize, Box<RawValue>)| {
        row_of(
            entity.get(),
            &headers,
            &format!("entity {} of page {}", at + 1, number + 1),
        )
    };
    Ok(page.entities.into_iter().enumerate().map(row).collect())
}

/// An entity of the page. One that cannot be read is one interaction's trouble, not the page's: its
/// row says why, and it is quarantined with that. `place` says where it stands.
fn row_of(entity: &str, headers: &str, place: &str) -> NewInteraction {
    let listed = wire::Listed::read(entity);
    let unreadable = wire::Interaction::read(entity)
        .err()
        .map(|error| format!("{place} of the source's listing cannot be read: {error}"));
    NewInteraction {
        // Named by what it holds: listed again elsewhere it is the same row.
        legacy_id: listed
            .id
            .unwrap_or_else(|_| format!("(no id) {}", &hex::encode(Sha256::digest(entity))[..12])),
        entity: entity.to_owned(),
        headers: headers.to_owned(),
        unreadable,
        recordings: listed
            .recordings
            .into_iter()
            .map(|legacy_id| NewRecording { legacy_id })
            .collect(),
    }
}

fn malformed(why: String) -> RunError {
    RunError::Source(CallError::Malformed {
        what: QUERY.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::row_of;

    #[test]
    fn an_entity_that_cannot_be_read_is_a_row_that_says_where_it_stands_and_why() {
        let rows = [
            (
                r#"{"id":5,"startTime":1,"endTime":2,"recordings":[{"id":"5-1"}]}"#,
                "5",
                1,
                None,
            ),
            (
                r#"{"id":5.0,"startTime":1,"endTime":2,"segments":null,"recordings":null}"#,
                "5",
                0,
                None,
            ),
            (
                r#"{"id":5,"startTime":1,"endTime":2,"waitTimeMs":"soon","recordings":[{"id":"5-1"}]}"#,
                "5",
                1,
                Some("field `waitTimeMs`"),
            ),
            (
                r#"{"id":5,"startTime":1,"endTime":2,"recordings":[{"id":"5-1"},{}]}"#,
                "5",
                1,
                Some("field `recordings[1].id`"),
            ),
            (
                r#"{"startTime":1,"endTime":2,"recordings":[{"id":"5-1"}]}"#,
                "(no id) ",
                1,
                Some("field `id`: there is no id"),
            ),
            ("null", "(no id) ", 0, Some("an object is expected")),
        ];
        for (entity, id, recordings, why) in rows {
            let row = row_of(entity, "{}", "entity 2 of page 1");
            assert!(row.legacy_id.starts_with(id), "{entity}: {}", row.legacy_id);
            assert_eq!(row.recordings.len(), recordings, "{entity}");
            let told = row.unreadable.unwrap_or_default();
            assert_eq!(told.is_empty(), why.is_none(), "{entity}: {told}");
            assert!(
                why.is_none_or(|why| told.starts_with("entity 2 of page 1") && told.contains(why)),
                "{entity}: {told}"
            );
        }
        let id = |entity: &str| row_of(entity, "{}", "x").legacy_id;
        assert!(id("null") != id("7") && id("null") == id("null"));
    }
}
