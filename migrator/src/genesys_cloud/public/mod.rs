//! Genesys Cloud by the vendor's public ingestion: events make the conversation, uploads its recordings, and what neither carries is written
//! afterwards. Events and uploads are taken in later than they are answered, so the confirming read waits, uploads again and attaches orphans.
//!
//! Requests a call: its share of a batch of events, two a recording (the announcement counts, the store's PUT does not), a look and an
//! update for attributes, two reads to confirm; a hold costs one more.

mod batches;
mod external_ids;
mod outcomes;
mod package;
mod story;

use std::collections::HashSet;
use std::time::Duration;

use plan::Reason;
use platforms::CallError;
use platforms::clock::{BrokeOff, Clock};
use platforms::genesys_cloud::public::{Answered, Event, UploadRequest};
use platforms::genesys_cloud::{PublicClient, wire};
use sha2::{Digest, Sha256};

use self::batches::Batches;
pub(crate) use self::external_ids::write as write_external_ids;
use self::outcomes::{Outcome, Outcomes};
use self::package::{Audio, Package, package, plain_name};
pub(crate) use self::story::{Story, Told, story};
use crate::custody::hex;
use crate::ledger::{InteractionRow, RecordingRow};
use crate::outcome::{Stop, Trouble};
use crate::outgoing::{codec_of, short_hash, staged};
use crate::staging::{Staging, StagingError};

/// How often events that may be sent again are.
const SENDS: u32 = 6;
/// How often one upload is begun anew: its address may expire, its processing may fail.
const UPLOADS: u32 = 3;
/// How long an address may be used. A gigabyte on a slow line takes hours.
const ADDRESS_SECONDS: u32 = 6 * 3600;
/// Looks at a call until everything sent is there, others being worked on meanwhile: about five minutes, then it is left to the next run.
const LOOKS: u32 = 30;
/// Looks for a conversation whose events were taken: about ten seconds.
const SHOWN_LOOKS: u32 = 6;

/// The target, with what its calls share.
pub(crate) struct Public {
    client: PublicClient,
    batches: Batches,
    outcomes: Outcomes,
}

impl Public {
    pub(crate) fn new(client: PublicClient) -> Public {
        Public { client, batches: Batches::default(), outcomes: Outcomes::default() }
    }

    pub(crate) fn client(&self) -> &PublicClient {
        &self.client
    }

    /// Sends a call's events, those again that may be sent again.
    pub(crate) async fn establish(&self, clock: &Clock, story: &Story) -> Result<(), Trouble> {
        let mut pending: Vec<Event> = story.events.clone();
        for round in 0..SENDS {
            let errors = self.batches.send(&self.client, &pending).await.map_err(Trouble::target)?;
            if let Some(error) = errors.iter().find(|error| !error.retryable) {
                let why = format!("{} of {} events were not taken, the first: {}", errors.len(), pending.len(), error.message);
                return Err(malformed("POST /api/v2/events/conversations", why));
            }
            if errors.is_empty() {
                return Ok(());
            }
            let again: HashSet<&str> = errors.iter().filter_map(|error| error.event_id.as_deref()).collect();
            if errors.iter().all(|error| error.event_id.is_some()) {
                pending.retain(|event| again.contains(event.head().event_id.as_str()));
            }
            clock.sleep(Duration::from_millis(250 << round)).await;
        }
        Err(malformed("POST /api/v2/events/conversations", format!("{} events are still not taken after {SENDS} tries", pending.len())))
    }

    /// Whether an earlier upload of a recording, begun before `at_ms`, Unix ms, is not finished. It then counts as uploaded: a second one would
    /// leave the first behind as an orphan where it takes longer than uploads are parked. A report that cannot be read says nothing.
    pub(crate) async fn is_under_way(&self, clock: &Clock, namespace: &str, row: &mut RecordingRow, at_ms: i64) -> Result<bool, Trouble> {
        let zip = zip_name(namespace, row);
        let known = match self.outcomes.is_unfinished(&self.client, clock, &zip, at_ms).await {
            Err(CallError::Refused { status: 403, .. }) => false,
            known => known.map_err(Trouble::target)?,
        };
        if known {
            (row.file_name, row.file_id) = (Some(zip.clone()), Some(zip));
        }
        Ok(known)
    }

    /// Packs and uploads one recording under ids that make a repeat the same recording.
    pub(crate) async fn upload(
        &self,
        clock: &Clock,
        staging: &Staging,
        namespace: &str,
        story: &Story,
        told: &Told,
        row: &mut RecordingRow,
    ) -> Result<(), Trouble> {
        let zip = zip_name(namespace, row);
        let package = self.pack(clock, staging, zip.trim_end_matches(".zip"), story, told, row).await?;
        let request = UploadRequest {
            file_name: zip.clone(),
            content_md5: package.md5.clone(),
            signed_url_timeout_seconds: ADDRESS_SECONDS,
            content_type: "application/zip",
        };
        for _ in 0..UPLOADS {
            let target = self.client.create_upload(&request).await.map_err(Trouble::target)?;
            match self.client.put_upload(&target, package.length, package.open.clone()).await {
                // An address that has expired is asked for anew.
                Err(CallError::Refused { status: 403, .. }) => {}
                Err(error) => return Err(Trouble::target(error)),
                Ok(()) => {
                    (row.file_name, row.file_id) = (Some(zip), Some(target.upload_key));
                    return Ok(());
                }
            }
        }
        Err(malformed("PUT to the announced address", format!("{zip} is refused with 403 again and again")))
    }

    async fn pack(
        &self,
        clock: &Clock,
        staging: &Staging,
        name: &str,
        story: &Story,
        told: &Told,
        row: &RecordingRow,
    ) -> Result<Package, Trouble> {
        let (path, length) = staged(row)?;
        let container = codec_of(row)?.container();
        let file_name = format!("{name}.{}", container.extension());
        let (staging, held, conversation, told) = (staging.clone(), row.held.clone(), story.conversation.clone(), told.clone());
        let packed = clock.blocking(move || {
            let mut source = staging.source(&path, held)?;
            let audio = Audio { file_name: &file_name, media_type: container.mime(), length };
            let packed = package(&audio, &mut source, &conversation, &told, staging.scratch());
            packed.map_err(|error| StagingError::Storage(error.to_string()))
        });
        let broken = |error: BrokeOff| Trouble::Left(Stop::Storage(format!("recording {}: packing broke off: {error}", row.legacy_id)));
        Ok(packed.await.map_err(broken)??)
    }

    /// Writes what events and uploads do not carry: attributes on the customer, and the hold.
    pub(crate) async fn describe(&self, clock: &Clock, story: &Story) -> Result<(), Trouble> {
        let there = self.shown(clock, story).await?;
        self.set_attributes(story, &there.value).await?;
        if story.protect {
            self.client.protect(std::slice::from_ref(&story.conversation)).await.map_err(of_one)?;
        }
        Ok(())
    }

    /// Whether the conversation is there.
    pub(crate) async fn is_shown(&self, story: &Story) -> Result<bool, Trouble> {
        self.client.conversation(&story.conversation).await.map(|there| there.is_some()).map_err(Trouble::target)
    }

    /// The conversation, once it is shown.
    async fn shown(&self, clock: &Clock, story: &Story) -> Result<Answered<wire::Conversation>, Trouble> {
        for look in 0..SHOWN_LOOKS {
            match self.client.conversation(&story.conversation).await.map_err(Trouble::target)? {
                Some(there) if there.value.external_tag.as_ref().is_some_and(|tag| *tag != story.tag) => {
                    let why = format!("the target holds another conversation under the id {}", story.conversation);
                    return Err(Trouble::aside(Reason::IdCollision, why));
                }
                Some(there) => return Ok(there),
                None => clock.sleep(pause(look)).await,
            }
        }
        Err(malformed("GET /api/v2/conversations/{id}", format!("{}: its events were taken, and it is not shown", story.conversation)))
    }

    async fn set_attributes(&self, story: &Story, there: &wire::Conversation) -> Result<(), Trouble> {
        let customer = there.participants.iter().find(|one| one.purpose.as_deref().is_some_and(is_customer));
        let Some(customer) = customer.filter(|_| !story.attributes.is_empty()) else { return Ok(()) };
        let sent = self.client.update_attributes(&story.conversation, &customer.id, &story.attributes).await;
        sent.map_err(Trouble::target)
    }

    /// Looks whether everything of a call is there and as it was sent, and puts right what is not; answers the hash of what was read, `None`
    /// while something is still to come.
    pub(crate) async fn settle(
        &self,
        clock: &Clock,
        staging: &Staging,
        namespace: &str,
        story: &Story,
        row: &mut InteractionRow,
    ) -> Result<Option<String>, Trouble> {
        // From the second look on the report is asked first: it costs three requests for all calls, a look two for one.
        if row.looks > 1 && row.looks < LOOKS && self.is_pending(clock, &row.recordings).await? {
            return Ok(None);
        }
        let there = self.shown(clock, story).await?;
        let read = self.client.recordings(&story.conversation).await.map_err(Trouble::target)?;
        let recordings = read.as_ref().map(|read| read.value.as_slice()).unwrap_or_default();
        let of = |told: &Told| recordings.iter().find(|recording| recording.id.eq_ignore_ascii_case(&told.id));
        let (shown, missing): (Vec<&Told>, Vec<&Told>) = story.recordings.iter().partition(|told| of(told).is_some());
        let wrong: Vec<&Told> = shown.into_iter().filter(|told| !is_due(of(told), told)).collect();
        let carries = carries(&there.value, story);
        if missing.is_empty() && wrong.is_empty() && carries {
            if let Some(differs) = unlike(&there.value, story).filter(|_| row.redo.is_some()) {
                let why = format!(
                    "{differs}; the public ingestion keeps the first events of a conversation and nothing deletes one: ask the vendor to remove \
                     conversation {}, then redo the call",
                    story.conversation
                );
                return Err(Trouble::Unrepairable(why));
            }
            let bytes = [&there.bytes[..], read.as_ref().map(|read| &read.bytes[..]).unwrap_or_default()].concat();
            return Ok(Some(hex(Sha256::digest(bytes))));
        }
        if row.looks >= LOOKS {
            let why = format!("{}: what was sent is not all there, or not as it was sent", story.conversation);
            return Err(malformed("GET /api/v2/conversations/{id}/recordingmetadata", why));
        }
        for told in wrong {
            let set = self.client.set_delete_date(&story.conversation, &told.id, told.delete_date.as_deref()).await;
            set.map_err(of_one)?;
        }
        if !carries {
            self.set_attributes(story, &there.value).await?;
        }
        for told in missing {
            let Some(recording) = row.recordings.iter_mut().find(|row| row.legacy_id == told.legacy_id) else { continue };
            self.help(clock, staging, namespace, story, told, recording).await?;
        }
        Ok(None)
    }

    /// Whether an upload of these is still being processed, as far as the report says.
    async fn is_pending(&self, clock: &Clock, rows: &[RecordingRow]) -> Result<bool, Trouble> {
        for name in rows.iter().filter_map(|row| row.file_name.as_deref()) {
            if self.outcome(clock, name).await? == Some(Outcome::Pending) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn outcome(&self, clock: &Clock, file_name: &str) -> Result<Option<Outcome>, Trouble> {
        match self.outcomes.of(&self.client, clock, file_name).await {
            // Without the permission nothing is known; the recording may come all the same.
            Err(CallError::Refused { status: 403, .. }) => Ok(None),
            outcome => outcome.map_err(Trouble::target),
        }
    }

    /// A recording that is not there: uploaded again if it failed, attached if it is an orphan, waited for otherwise.
    async fn help(
        &self,
        clock: &Clock,
        staging: &Staging,
        namespace: &str,
        story: &Story,
        told: &Told,
        row: &mut RecordingRow,
    ) -> Result<(), Trouble> {
        let name = row.file_name.clone().unwrap_or_default();
        match self.outcome(clock, &name).await? {
            Some(Outcome::Failure) if row.uploads < UPLOADS => {
                row.uploads += 1;
                self.upload(clock, staging, namespace, story, told, row).await
            }
            Some(Outcome::Failure) => {
                Err(malformed("POST /api/v2/uploads/recordings", format!("{name}: its processing failed {UPLOADS} times")))
            }
            Some(Outcome::WaitForConversation) => self.attach(told, story).await,
            Some(Outcome::Pending | Outcome::Success) | None => Ok(()),
        }
    }

    async fn attach(&self, told: &Told, story: &Story) -> Result<(), Trouble> {
        let orphans = self.client.orphans().await.map_err(of_one)?;
        let ours = orphans.iter().find(|orphan| orphan.source_orphaning_id.as_deref() == Some(told.legacy_id.as_str()));
        if let Some(orphan) = ours {
            let attached = self.client.attach_orphan(&orphan.id, &story.conversation, told.delete_date.as_deref()).await;
            attached.map_err(of_one)?;
        }
        Ok(())
    }
}

/// What an upload of a recording is called: the same for the same bytes.
fn zip_name(namespace: &str, row: &RecordingRow) -> String {
    format!("{}.zip", plain_name(&format!("st-{namespace}-{}.{}", row.legacy_id, short_hash(row))))
}

/// A refusal of what only some calls need: that one is left, the run goes on.
fn of_one(error: CallError) -> Trouble {
    match error {
        CallError::Refused { status: 403, .. } => Trouble::Left(Stop::Target(error)),
        error => Trouble::target(error),
    }
}

fn malformed(what: &str, why: String) -> Trouble {
    Trouble::Left(Stop::Target(CallError::Malformed { what: what.to_owned(), why }))
}

fn pause(look: u32) -> Duration {
    Duration::from_millis(250 << look)
}

/// Source: platform API, Participant.purpose; an external platform's customer may be shown as either.
fn is_customer(purpose: &str) -> bool {
    ["customer", "external"].contains(&purpose)
}

/// Whether a recording will be deleted when it was said. A target may write the same instant with fewer zeros.
fn is_due(there: Option<&wire::Recording>, told: &Told) -> bool {
    let instant = |text: &String| text.parse::<jiff::Timestamp>().ok();
    let date = there.and_then(|recording| recording.delete_date.as_ref()).and_then(instant);
    date == told.delete_date.as_ref().and_then(instant)
}

/// What of a conversation's events is not as it would be told now, in words; what no event can change any more.
fn unlike(there: &wire::Conversation, story: &Story) -> Option<String> {
    let shown = |of: fn(&wire::Participant) -> Option<&String>| {
        let mut ids: Vec<String> = there.participants.iter().filter_map(of).map(|id| id.to_ascii_lowercase()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let told = |of: fn(&Event) -> Option<&String>| {
        let mut ids: Vec<String> = story.events.iter().filter_map(of).map(|id| id.to_ascii_lowercase()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let users = told(|event| match event {
        Event::User(leg) => leg.user_id.as_ref(),
        _ => None,
    });
    let queues = told(|event| match event {
        Event::Routing(queue) => queue.queue_id.as_ref(),
        _ => None,
    });
    let is_acd = |one: &wire::Participant| one.purpose.as_deref() == Some("acd");
    let shown_queues = shown(|one| one.queue_id.as_ref());
    let names = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let shown_users = shown(|one| one.user_id.as_ref());
    if shown_users != users {
        return Some(format!("agents are {} and should be {}", names(&shown_users), names(&users)));
    }
    let has_acd = there.participants.iter().any(is_acd);
    (has_acd && !queues.is_empty() && shown_queues != queues)
        .then(|| format!("the queue is {} and should be {}", names(&shown_queues), names(&queues)))
}

/// Whether a conversation has every attribute that was sent.
fn carries(there: &wire::Conversation, story: &Story) -> bool {
    let has = |name: &String, value: &String| there.participants.iter().any(|one| one.attributes.get(name) == Some(value));
    story.attributes.iter().all(|(name, value)| has(name, value))
}
