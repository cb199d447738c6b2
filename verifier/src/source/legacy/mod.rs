//! The source read from the legacy platform.

mod record;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::legacy::{Client, Page, Settings, wire};
use platforms::{CallError, Credentials, Pages};
use url::Url;

use super::{
    AnswerFormat, Extensions, Listed, MediaRead, Only, RecordingDetails, Source, SourceInteraction,
    SourceRecording, collect,
};
use crate::options::{Progress, Stage};
use crate::requests::{Base, Endpoint, Gates};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
#[cfg(test)]
pub(crate) use record::testing;
pub(crate) use record::{interaction, recording};
pub(crate) use requests::{LEGACY, OPERATIONS};

/// The source is no shared resource with a published limit; its own refusals slow us down.
const REQUESTS_PER_MINUTE: u32 = 60_000;
/// The largest page the source gives. Source: scenarios/contracts/legacy/query_interactions.json.
const PAGE_SIZE: u32 = 1000;

/// Each takes half a minute of tries.
const FAILED_MOST: u32 = 8;

/// How the platform writes its answers.
pub(super) struct LegacyFormat;

impl AnswerFormat for LegacyFormat {
    fn interaction(&self, entity: &str, place: &str) -> SourceInteraction {
        interaction(entity, place)
    }

    fn recording(&self, answer: &str) -> Result<RecordingDetails, String> {
        recording(answer).map_err(|error| error.to_string())
    }

    fn asked_for<'a>(&self, request: &'a str) -> Option<&'a str> {
        request.strip_prefix("GET /api/v2/recordings/")
    }
}

/// A live source and the plan's window on it.
pub(super) struct Live {
    client: Client,
    /// Records in a row that the source failed to answer: as many as [`FAILED_MOST`] are a source
    /// that is down.
    failed: AtomicU32,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    /// The plan's bound on a recording. Bytes.
    max_bytes: u64,
}

/// How much longer than stated a recording may be before its stream is taken for one without end:
/// sizes may be stated wrongly, in another unit even.
const TIMES_STATED: u64 = 4;
/// The same of short ones. Bytes.
const BESIDE_STATED: u64 = 16 << 20;
/// Bytes a millisecond of the widest sound there is in a call centre: two channels of 32-bit
/// samples at 48 kHz.
const WIDEST: u64 = 384;

/// The most that is read of a recording: by its stated size, else by its stated length, and never
/// more than the plan's bound.
fn most(recording: &RecordingDetails, max_bytes: u64) -> u64 {
    let by_length = || {
        Some(
            u64::try_from(recording.duration_ms?)
                .ok()?
                .saturating_mul(WIDEST),
        )
    };
    let stated = recording.size_bytes.or_else(by_length);
    stated.map_or(max_bytes, |stated| {
        stated
            .saturating_mul(TIMES_STATED)
            .saturating_add(BESIDE_STATED)
            .min(max_bytes)
    })
}

/// Where its tokens come from; `None` where the address cannot carry a path.
fn token(base: &Url) -> Option<Url> {
    base.join("/oauth/token").ok()
}

/// Its service, at the address a plan gives.
pub(super) fn endpoint(root: Option<&Url>) -> Endpoint {
    Endpoint {
        service: LEGACY,
        root: root.cloned(),
        token: root.and_then(token),
    }
}

impl Live {
    /// Sends nothing yet.
    pub(super) fn open(
        loaded: &LoadedPlan,
        section: &plan::source::Legacy,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Live, RunError> {
        let credentials = Credentials {
            client_id: section.client_id.clone(),
            client_secret: loaded
                .secret(&section.client_secret, "source.client_secret")?
                .expose_the_secret()
                .to_owned(),
        };
        let settings = Settings {
            base_url: section.base_url.clone(),
            media_hosts: section.media_hosts.clone(),
            credentials,
            requests_per_minute: REQUESTS_PER_MINUTE,
        };
        let no_path = || {
            RunError::Plan(
                "source.base_url cannot carry a path; give an http or https URL".to_owned(),
            )
        };
        // The client takes its tokens and paths from the root of the host.
        let api = settings.base_url.join("/").map_err(|_| no_path())?;
        let token = token(&settings.base_url).ok_or_else(no_path)?;
        let gate = gates.of(
            LEGACY,
            Base {
                api,
                token: Some(token),
            },
        );
        let ms = |at: Option<jiff::Timestamp>| at.map(|at| at.as_millisecond());
        Ok(Live {
            client: Client::new(gate, clock.clone(), settings).ok_or_else(no_path)?,
            failed: AtomicU32::default(),
            from_ms: ms(section.from),
            to_ms: ms(section.to),
            max_bytes: loaded.plan.audio.max_bytes,
        })
    }

    /// Every page, to the last.
    async fn entities(
        &self,
        only: Only<'_>,
        mut entities: RecordSorter<SourceInteraction>,
        progress: &dyn Progress,
    ) -> Result<SortedRecords<SourceInteraction>, RunError> {
        let (mut number, mut pages) = (0_u64, Pages::default());
        let mut page = Page {
            cursor: None,
            size: PAGE_SIZE,
            from_ms: self.from_ms,
            to_ms: self.to_ms,
        };
        loop {
            let answer = self
                .client
                .interactions(&page)
                .await
                .map_err(|error| RunError::source("list the interactions", &error))?;
            progress.advance(answer.entities.len() as u64);
            number += 1;
            for (at, entity) in answer.entities.iter().enumerate() {
                let interaction =
                    interaction(entity.get(), &format!("entity {} of page {number}", at + 1));
                if only.is_none_or(|only| only.contains(interaction.listed.id.as_str())) {
                    entities.append(&interaction)?;
                }
            }
            let listed = answer.entities.iter().map(|entity| entity.get());
            let next = pages.next(
                "GET /api/v2/analytics/interactions/query",
                listed,
                answer.next_cursor,
            );
            page.cursor =
                next.map_err(|error| RunError::source("list the interactions", &error))?;
            if page.cursor.is_none() {
                return entities.sorted();
            }
        }
    }

    /// Extensions that several agents share. Not readable is no obstacle: one class of damage is
    /// then reported as another.
    async fn extensions(&self) -> Result<Extensions, RunError> {
        match self.client.users().await {
            Ok(users) => Ok(shared_extensions(users)),
            Err(CallError::Refused { .. } | CallError::Malformed { .. }) => Ok(BTreeMap::new()),
            Err(error) => Err(RunError::source("list the users", &error)),
        }
    }

    async fn with_recordings(
        &self,
        mut interaction: SourceInteraction,
    ) -> Result<SourceInteraction, RunError> {
        if interaction.unread.is_none() {
            for (id, _) in &interaction.listed.recordings {
                let details = self.details(id).await?;
                interaction.recordings.push(SourceRecording {
                    id: id.clone(),
                    details,
                    staged: None,
                });
            }
        }
        Ok(interaction)
    }

    /// A recording the source lists and then does not show is not verifiable; a source that is away
    /// stops the verification.
    async fn details(&self, id: &str) -> Result<Result<RecordingDetails, String>, RunError> {
        let unread = |why: String| Ok(Err(format!("the source's record of recording {id}: {why}")));
        let answer = match self.client.recording(id).await {
            Ok(answer) => {
                self.failed.store(0, Ordering::Relaxed);
                answer
            }
            Err(error) => match refusal(&error).or_else(|| self.failure(&error)) {
                Some(why) => return unread(why),
                None => return Err(RunError::source("read a recording", &error)),
            },
        };
        match recording(answer.body.get()) {
            Ok(details) if details.id == id => Ok(Ok(details)),
            Ok(details) => unread(format!(
                "it answers for recording {} instead; ask the source's operator",
                details.id
            )),
            Err(error) => unread(format!(
                "it answers in another form ({error}); ask the source's operator"
            )),
        }
    }

    /// One record that a server answers with an error, however often it is asked, is that record's
    /// trouble; several in a row are the source's.
    fn failure(&self, error: &CallError) -> Option<String> {
        let is_answered = matches!(
            error,
            CallError::Unreachable {
                answered: Some(_),
                ..
            }
        );
        let in_a_row = if is_answered {
            self.failed.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            FAILED_MOST
        };
        (in_a_row < FAILED_MOST).then(|| format!("{error}; ask the source's operator"))
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
        let entities = self.entities(only, listed.set_aside(), progress).await?;
        let extensions = self.extensions().await?;
        let details = stream::iter(entities.iter())
            .map(|entity| async move { self.with_recordings(entity?).await });
        let mut details = details.buffered(concurrency.max(1));
        while let Some(interaction) = details.next().await {
            listed.add(&interaction?)?;
        }
        Ok(extensions)
    }

    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError> {
        let (address, most) = match &recording.details {
            Ok(details) => (details.media_url.as_deref(), most(details, self.max_bytes)),
            Err(why) => return Ok(MediaRead::Unreadable(why.clone())),
        };
        let read = async {
            let media = self.client.media(&recording.id, address, most).await?;
            let content_type = media.headers.get("content-type").cloned();
            Ok::<_, CallError>((collect(media).await?.0, content_type))
        };
        match read.await {
            Ok((bytes, content_type)) => Ok(MediaRead::Bytes(bytes, content_type)),
            Err(error) if error.is_everybodys() => Err(RunError::source("read the audio", &error)),
            // After all retries: one recording that cannot be fetched does not end the
            // verification, and is never taken for bad audio.
            Err(error) => {
                let why = refusal(&error).unwrap_or_else(|| error.to_string());
                Ok(MediaRead::Unreadable(format!(
                    "the source's audio of recording {}: {why}",
                    recording.id
                )))
            }
        }
    }
}

/// What a source answered about one record, and what to do about it; `None`: it is no answer about
/// that record alone.
fn refusal(error: &CallError) -> Option<String> {
    match error {
        CallError::Refused {
            status: 401 | 403, ..
        } => Some(format!(
            "{error}; give the source's client a role that may read it"
        )),
        CallError::Refused {
            status: 404 | 410, ..
        } => Some(format!(
            "{error}; it has gone since, or never was: ask the source's operator"
        )),
        // An id that a server could take for another path is not asked for either: that record
        // cannot be judged, the others can.
        CallError::Refused { .. }
        | CallError::Redirected { .. }
        | CallError::NotReady { .. }
        | CallError::Malformed { .. }
        | CallError::NotSent { .. } => Some(format!("{error}; ask the source's operator")),
        CallError::HostNotAllowed { .. } => Some(error.to_string()),
        _ => None,
    }
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
