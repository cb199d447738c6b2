//! The source read from the legacy platform.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use platforms::CallError;
use platforms::legacy::{Client, Page, wire};

use super::{MediaRead, Only, SourceInteraction, SourceRecording, SourceSnapshot, collect};
use crate::options::{Progress, Stage};
use crate::stop::Stop;

/// The largest page the source gives. Source: scenarios/contracts/legacy/query_interactions.json.
const PAGE_SIZE: u32 = 1000;

/// A live source and the plan's window on it.
pub(crate) struct Live {
    pub(crate) client: Client,
    pub(crate) from_ms: Option<i64>,
    pub(crate) to_ms: Option<i64>,
}

impl Live {
    pub(crate) async fn snapshot(&self, only: Only<'_>, concurrency: usize, progress: &dyn Progress) -> Result<SourceSnapshot, Stop> {
        progress.begin(Stage::Source, None);
        let entities = self.entities(only, progress).await?;
        let extensions = self.extensions().await?;
        let details = stream::iter(entities).map(|entity| self.with_recordings(entity));
        let interactions = details.buffered(concurrency.max(1)).try_collect().await?;
        Ok(SourceSnapshot { interactions, extensions })
    }

    /// Every page, to the last.
    async fn entities(&self, only: Only<'_>, progress: &dyn Progress) -> Result<Vec<wire::Interaction>, Stop> {
        let mut entities = Vec::new();
        let mut page = Page { cursor: None, size: PAGE_SIZE, from_ms: self.from_ms, to_ms: self.to_ms };
        loop {
            let answer = self.client.interactions(&page).await.map_err(|error| Stop::source("list the interactions", &error))?;
            progress.advance(answer.entities.len() as u64);
            for entity in &answer.entities {
                let entity = parse_interaction(entity.get())?;
                if only.is_none_or(|only| only.contains(&entity.id)) {
                    entities.push(entity);
                }
            }
            match answer.next_cursor {
                Some(next) if page.cursor.as_ref() == Some(&next) => {
                    return Err(Stop::Source(
                        "cannot list the interactions of the source: its cursor does not move; ask its operator".to_owned(),
                    ));
                }
                Some(next) => page.cursor = Some(next),
                None => return Ok(entities),
            }
        }
    }

    /// Extensions that several agents share. Not readable is no obstacle: one class of damage is then reported as another.
    async fn extensions(&self) -> Result<BTreeMap<String, BTreeSet<String>>, Stop> {
        match self.client.users().await {
            Ok(users) => Ok(shared_extensions(users)),
            Err(CallError::Refused { .. }) => Ok(BTreeMap::new()),
            Err(error) => Err(Stop::source("list the users", &error)),
        }
    }

    async fn with_recordings(&self, entity: wire::Interaction) -> Result<SourceInteraction, Stop> {
        let mut recordings = Vec::with_capacity(entity.recordings.len());
        for reference in &entity.recordings {
            recordings.push(SourceRecording { id: reference.id.clone(), details: self.details(&reference.id).await?, staged: None });
        }
        Ok(SourceInteraction { entity, recordings, collided: false })
    }

    /// A recording the source lists and then does not show is not verifiable; a source that is away stops the verification.
    async fn details(&self, id: &str) -> Result<Result<wire::Recording, String>, Stop> {
        match self.client.recording(id).await {
            Ok(answer) => {
                Ok(serde_json::from_str(answer.body.get()).map_err(|error| format!("the source's answer cannot be read: {error}")))
            }
            // An id that a server could take for another path is not asked for: that record cannot be judged, the others can.
            Err(error @ (CallError::Refused { .. } | CallError::Malformed { .. } | CallError::NotSent { .. })) => {
                Ok(Err(error.to_string()))
            }
            Err(error) => Err(Stop::source("read a recording", &error)),
        }
    }

    pub(crate) async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, Stop> {
        let address = match &recording.details {
            Ok(wire::Recording { media_url, .. }) => media_url.as_deref(),
            Err(why) => return Ok(MediaRead::Unreadable(why.clone())),
        };
        let read = async { collect(self.client.media(&recording.id, address).await?).await };
        match read.await {
            Ok((bytes, _)) => Ok(MediaRead::Bytes(bytes)),
            Err(error @ CallError::Unauthorized { .. }) => Err(Stop::source("read the audio", &error)),
            // After all retries: one recording that cannot be fetched does not end the verification, and is never taken for bad audio.
            Err(error) => Ok(MediaRead::Unreadable(error.to_string())),
        }
    }
}

pub(super) fn parse_interaction(json: &str) -> Result<wire::Interaction, Stop> {
    serde_json::from_str(json).map_err(|error| Stop::Source(format!("cannot read an interaction of the source: {error}; ask its operator")))
}

fn shared_extensions(users: Vec<wire::User>) -> BTreeMap<String, BTreeSet<String>> {
    let mut extensions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for user in users {
        if let Some(extension) = user.extension {
            extensions.entry(extension).or_default().insert(user.id);
        }
    }
    extensions.retain(|_, agents| agents.len() > 1);
    extensions
}
