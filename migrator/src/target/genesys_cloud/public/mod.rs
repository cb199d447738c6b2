//! Genesys Cloud by the vendor's public ingestion: events make the conversation, uploads its
//! recordings, and what neither carries is written afterwards. Events and uploads are taken in
//! later than they are answered, so the confirming read waits, uploads again and attaches orphans.
//!
//! Requests a call: its share of a batch of events, two a recording (the announcement counts, the
//! store's PUT does not), a look and an update for attributes, two reads to confirm; a hold costs
//! one more.

mod batches;
mod events;
mod external_ids;
mod outcomes;
mod package;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use plan::{LoadedPlan, Reason};
use platforms::clock::{BrokeOff, Clock};
use platforms::genesys_cloud::public::{Answered, Event, UploadRequest};
use platforms::genesys_cloud::{PublicClient, wire};
use platforms::{CallError, Counts};
use sha2::{Digest, Sha256};

use self::batches::Batches;
use self::events::{ConversationEvents, RecordingUpload, build_events};
use self::outcomes::{Outcome, Outcomes};
use self::package::{Audio, Package, package, plain_name};
use super::names::Names;
use super::survey::{survey, without_permission};
use super::without_years;
use crate::context::{Attempt, RunContext};
use crate::error::{RunError, StepError};
use crate::ledger::{Ledger, RecordingRow};
use crate::staging::StagingError;
use crate::target::losses::loss;
use crate::target::{
    CallContent, CallInFlight, Capabilities, DeclaredLoss, Finding, Target, TargetRules,
};
use crate::upload_source::{codec_of, short_hash, staged};

/// How often events that may be sent again are.
const SENDS: u32 = 6;
/// How often one upload is begun anew: its address may expire, its processing may fail.
const UPLOADS: u32 = 3;
/// How long an address may be used. A gigabyte on a slow line takes hours.
const ADDRESS_SECONDS: u32 = 6 * 3600;
/// Looks at a call until everything sent is there, others being worked on meanwhile: about five
/// minutes, then it is left to the next run.
const MAX_POLLS: u32 = 30;
/// Looks for a conversation whose events were taken: about ten seconds.
const MAX_SHOWN_LOOKUPS: u32 = 6;

/// The target, with what its calls share.
pub(crate) struct Public {
    client: PublicClient,
    batches: Batches,
    outcomes: Outcomes,
}

/// What the public ingestion makes of a call.
pub(super) struct PublicRules;
pub(super) static RULES: PublicRules = PublicRules;

impl TargetRules for PublicRules {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            carries_calls_without_recordings: true,
            cannot_complete_call: None,
            // Assumed: scenarios/contracts/genesys_cloud/upload_recording.json.
            cannot_replace_audio: Some(
                "its sound differs, and the public ingestion takes no other bytes for a recording \
                 that is there; have the recording deleted there, then redo it",
            ),
            preflight_probe: None,
        }
    }

    fn holds_at_most(&self) -> Option<u64> {
        Some(super::MOST_HOLDS)
    }

    fn declared_losses(&self, _: &LoadedPlan) -> Vec<DeclaredLoss> {
        vec![
            without_years(),
            loss(
                "retention class",
                "is carried as the recording's deletion date; its name is not",
            ),
            loss(
                "leg without an agent",
                "is not told; what was recorded on it hangs on the customer's side",
            ),
            loss(
                "leg beyond its call",
                "is told as far as the call goes: a conversation is as long as its events",
            ),
            loss(
                "skill of a call without a queue",
                "is not carried: only a queue asks for skills",
            ),
            loss(
                "wrap-up of a call without an agent",
                "is given to the customer's side, where reads do not show it",
            ),
        ]
    }

    fn client_id<'a>(&self, plan: &'a LoadedPlan) -> &'a str {
        plan.plan
            .target
            .genesys_cloud()
            .map_or("", |cloud| &cloud.client_id)
    }

    fn external_tag(&self, plan: &LoadedPlan, legacy_interaction_id: &str) -> String {
        Names::new(&plan.plan.identity).external_tag(legacy_interaction_id)
    }

    fn document(&self, call: &CallContent<'_>) -> Result<String, StepError> {
        Ok(format!("{:?}", events_of(call)))
    }
}

fn events_of(
    CallContent {
        plan,
        resolver,
        phones,
        record,
        resolved,
        recordings,
    }: &CallContent<'_>,
) -> ConversationEvents {
    build_events(
        &Names::new(&plan.plan.identity),
        resolver,
        phones,
        record,
        resolved,
        recordings,
    )
}

#[async_trait]
impl Target for Public {
    fn rules(&self) -> &'static dyn TargetRules {
        &RULES
    }

    fn counts(&self) -> Vec<Arc<Counts>> {
        vec![self.client.read().counts()]
    }

    async fn organisation_id(&self) -> Result<Option<String>, RunError> {
        super::organisation::organisation_id(self.client.read()).await
    }

    async fn lacking_permissions(&self) -> Result<Option<Vec<Finding>>, RunError> {
        let permissions = self.client.permissions().await.map_err(RunError::Target)?;
        Ok(Some(without_permission(&permissions)))
    }

    async fn survey(
        &self,
        plan: &LoadedPlan,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<u32>, RunError> {
        survey(plan, self.client.read(), Some(&self.client), findings).await
    }

    /// Writes the mapping of agents, where the plan asks for it. Not with a canary: what it shows
    /// may still be wrong, and a key that is given stays given.
    async fn begin(
        &self,
        plan: &LoadedPlan,
        ledger: &dyn Ledger,
        _: &Clock,
        is_canary: bool,
    ) -> Result<(), RunError> {
        if is_canary {
            Ok(())
        } else {
            external_ids::write(plan, &self.client, ledger).await
        }
    }

    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        // A recording is taken into a conversation that is there: its events go first.
        let events = events_of(&call.content());
        let CallInFlight {
            row, attempt, run, ..
        } = call;
        // Events that were taken are not taken again with other content.
        if row.redo.is_none() || !self.is_shown(&events).await? {
            self.establish(&run.clock, &events).await?;
        }
        // Until when an upload may have been begun that the ledger does not know of: of a run that
        // was killed, or before staging was lost.
        let begun_before = if attempt.restaged {
            Some(run.clock.now_ms())
        } else {
            run.is_unconfirmed(row).then_some(0)
        };
        for recording in row
            .recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none() && recording.file_id.is_none())
        {
            if let Some(at_ms) = begun_before
                && self.is_under_way(run, recording, at_ms).await?
            {
                continue;
            }
            let Some(upload) = events
                .recordings
                .iter()
                .find(|upload| upload.legacy_id == recording.legacy_id)
            else {
                continue;
            };
            let cached = attempt.cached_bytes.get(&recording.seq).cloned();
            self.upload_recording(run, &events, upload, recording, cached)
                .await?;
        }
        Ok(())
    }

    async fn create(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let events = events_of(&call.content());
        self.describe(&call.run.clock, &events).await?;
        let names = Names::new(&call.run.plan.plan.identity);
        call.name_recordings(|legacy_id| names.random_id("recording", legacy_id));
        call.row.target_id = Some(events.conversation);
        Ok(())
    }

    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<String, StepError> {
        let events = events_of(&call.content());
        call.attempt.polls += 1;
        self.settle(call, &events)
            .await?
            .ok_or(StepError::RetryLater)
    }
}

impl Public {
    pub(crate) fn new(client: PublicClient) -> Public {
        Public {
            client,
            batches: Batches::default(),
            outcomes: Outcomes::default(),
        }
    }

    /// Sends a call's events, those again that may be sent again.
    pub(crate) async fn establish(
        &self,
        clock: &Clock,
        wanted: &ConversationEvents,
    ) -> Result<(), StepError> {
        let mut pending: Vec<Event> = wanted.events.clone();
        for round in 0..SENDS {
            let errors = self
                .batches
                .send(&self.client, &pending)
                .await
                .map_err(StepError::target)?;
            if let Some(error) = errors.iter().find(|error| !error.retryable) {
                let why = format!(
                    "{} of {} events were not taken, the first: {}",
                    errors.len(),
                    pending.len(),
                    error.message
                );
                return Err(malformed("POST /api/v2/events/conversations", why));
            }
            if errors.is_empty() {
                return Ok(());
            }
            let again: HashSet<&str> = errors
                .iter()
                .filter_map(|error| error.event_id.as_deref())
                .collect();
            if errors.iter().all(|error| error.event_id.is_some()) {
                pending.retain(|event| again.contains(event.head().event_id.as_str()));
            }
            clock.sleep(Duration::from_millis(250 << round)).await;
        }
        Err(malformed(
            "POST /api/v2/events/conversations",
            format!(
                "{} events are still not taken after {SENDS} tries",
                pending.len()
            ),
        ))
    }

    /// Whether an earlier upload of a recording, begun before `at_ms`, Unix ms, is not finished. It
    /// then counts as uploaded: a second one would leave the first behind as an orphan where it
    /// takes longer than uploads are parked. A report that cannot be read says nothing.
    async fn is_under_way(
        &self,
        run: &RunContext,
        row: &mut RecordingRow,
        at_ms: i64,
    ) -> Result<bool, StepError> {
        let zip = zip_name(run, row);
        let known = self
            .outcomes
            .unfinished(&self.client, &run.clock, &zip, at_ms)
            .await
            .map_err(StepError::target)?;
        let Some(key) = known else { return Ok(false) };
        (row.file_name, row.file_id) = (Some(zip), Some(key));
        Ok(true)
    }

    /// Packs and uploads one recording under ids that make a repeat the same recording.
    async fn upload_recording(
        &self,
        run: &RunContext,
        wanted: &ConversationEvents,
        upload: &RecordingUpload,
        row: &mut RecordingRow,
        cached: Option<Bytes>,
    ) -> Result<(), StepError> {
        let zip = zip_name(run, row);
        let package = self
            .pack(
                run,
                zip.trim_end_matches(".zip"),
                wanted,
                upload,
                row,
                cached,
            )
            .await?;
        let request = UploadRequest {
            file_name: zip.clone(),
            content_md5: package.md5.clone(),
            signed_url_timeout_seconds: ADDRESS_SECONDS,
            content_type: "application/zip",
        };
        for _ in 0..UPLOADS {
            let target = self
                .client
                .create_upload(&request)
                .await
                .map_err(StepError::target)?;
            match self
                .client
                .put_upload(&target, package.length, package.open.clone())
                .await
            {
                // An address that has expired is asked for anew.
                Err(CallError::Refused { status: 403, .. }) => {}
                Err(error) => return Err(StepError::target(error)),
                Ok(()) => {
                    (row.file_name, row.file_id) = (Some(zip), Some(target.upload_key));
                    return Ok(());
                }
            }
        }
        Err(malformed(
            "PUT to the announced address",
            format!("{zip} is refused with 403 again and again"),
        ))
    }

    async fn pack(
        &self,
        run: &RunContext,
        name: &str,
        wanted: &ConversationEvents,
        upload: &RecordingUpload,
        row: &RecordingRow,
        cached: Option<Bytes>,
    ) -> Result<Package, StepError> {
        let (path, length) = staged(row)?;
        let container = codec_of(row)?.container();
        let file_name = format!("{name}.{}", container.extension());
        let (staging, cached, conversation, upload) = (
            run.staging.clone(),
            cached,
            wanted.conversation.clone(),
            upload.clone(),
        );
        let mut source = staging.source(&path, cached).await?;
        let packed = run.clock.blocking(move || {
            let audio = Audio {
                file_name: &file_name,
                media_type: container.mime(),
                length,
            };
            let packed = package(
                &audio,
                &mut source,
                &conversation,
                &upload,
                staging.scratch(),
            );
            packed.map_err(|error| StagingError::Storage(error.to_string()))
        });
        let broken = |error: BrokeOff| {
            StepError::InteractionFailed(RunError::Storage(format!(
                "recording {}: packing broke off: {error}",
                row.legacy_id
            )))
        };
        Ok(packed.await.map_err(broken)??)
    }

    /// Writes what events and uploads do not carry: attributes on the customer, and the hold.
    pub(crate) async fn describe(
        &self,
        clock: &Clock,
        wanted: &ConversationEvents,
    ) -> Result<(), StepError> {
        let there = self.shown(clock, wanted).await?;
        self.set_attributes(wanted, &there.value).await?;
        if wanted.protect {
            self.client
                .protect(std::slice::from_ref(&wanted.conversation))
                .await
                .map_err(of_one)?;
        }
        Ok(())
    }

    /// Whether the conversation is there.
    pub(crate) async fn is_shown(&self, wanted: &ConversationEvents) -> Result<bool, StepError> {
        self.client
            .conversation(&wanted.conversation)
            .await
            .map(|there| there.is_some())
            .map_err(StepError::target)
    }

    /// The conversation, once it is shown.
    async fn shown(
        &self,
        clock: &Clock,
        wanted: &ConversationEvents,
    ) -> Result<Answered<wire::Conversation>, StepError> {
        for round in 0..MAX_SHOWN_LOOKUPS {
            match self
                .client
                .conversation(&wanted.conversation)
                .await
                .map_err(StepError::target)?
            {
                Some(there)
                    if there
                        .value
                        .external_tag
                        .as_ref()
                        .is_some_and(|tag| *tag != wanted.tag) =>
                {
                    let why = format!(
                        "the target holds another conversation under the id {}",
                        wanted.conversation
                    );
                    return Err(StepError::aside(Reason::IdCollision, why));
                }
                Some(there) => return Ok(there),
                None => clock.sleep(backoff(round)).await,
            }
        }
        Err(malformed(
            "GET /api/v2/conversations/{id}",
            format!(
                "{}: its events were taken, and it is not shown",
                wanted.conversation
            ),
        ))
    }

    async fn set_attributes(
        &self,
        wanted: &ConversationEvents,
        there: &wire::Conversation,
    ) -> Result<(), StepError> {
        let customer = there
            .participants
            .iter()
            .find(|one| one.purpose.as_deref().is_some_and(is_customer));
        let Some(customer) = customer.filter(|_| !wanted.attributes.is_empty()) else {
            return Ok(());
        };
        let sent = self
            .client
            .update_attributes(&wanted.conversation, &customer.id, &wanted.attributes)
            .await;
        sent.map_err(StepError::target)
    }

    /// Looks whether everything of a call is there and as it was sent, and puts right what is not;
    /// answers the hash of what was read, `None` while something is still to come.
    pub(crate) async fn settle(
        &self,
        call: &mut CallInFlight<'_>,
        wanted: &ConversationEvents,
    ) -> Result<Option<String>, StepError> {
        let CallInFlight {
            row, attempt, run, ..
        } = call;
        let clock = &run.clock;
        // From the second look on the report is asked first: it costs three requests for all calls,
        // a look two for one.
        if attempt.polls > 1
            && attempt.polls < MAX_POLLS
            && self.is_pending(clock, &row.recordings).await?
        {
            return Ok(None);
        }
        let there = self.shown(clock, wanted).await?;
        let read = self
            .client
            .recordings(&wanted.conversation)
            .await
            .map_err(StepError::target)?;
        let recordings = read
            .as_ref()
            .map(|read| read.value.as_slice())
            .unwrap_or_default();
        let of = |upload: &RecordingUpload| {
            recordings
                .iter()
                .find(|recording| recording.id.eq_ignore_ascii_case(&upload.id))
        };
        let (shown, missing): (Vec<&RecordingUpload>, Vec<&RecordingUpload>) = wanted
            .recordings
            .iter()
            .partition(|upload| of(upload).is_some());
        let wrong: Vec<&RecordingUpload> = shown
            .into_iter()
            .filter(|upload| !is_due(of(upload), upload))
            .collect();
        let carries = carries(&there.value, wanted);
        if missing.is_empty() && wrong.is_empty() && carries {
            if let Some(differs) = unlike(&there.value, wanted).filter(|_| row.redo.is_some()) {
                let why = format!(
                    "{differs}; the public ingestion keeps the first events of a conversation and \
                     nothing deletes one: ask the vendor to remove conversation {}, then redo the \
                     call",
                    wanted.conversation
                );
                return Err(StepError::Unrepairable(why));
            }
            let bytes = [
                &there.bytes[..],
                read.as_ref()
                    .map(|read| &read.bytes[..])
                    .unwrap_or_default(),
            ]
            .concat();
            return Ok(Some(hex::encode(Sha256::digest(bytes))));
        }
        if attempt.polls >= MAX_POLLS {
            let why = format!(
                "{}: what was sent is not all there, or not as it was sent",
                wanted.conversation
            );
            return Err(malformed(
                "GET /api/v2/conversations/{id}/recordingmetadata",
                why,
            ));
        }
        for upload in wrong {
            let set = self
                .client
                .set_delete_date(
                    &wanted.conversation,
                    &upload.id,
                    upload.delete_date.as_deref(),
                )
                .await;
            set.map_err(of_one)?;
        }
        if !carries {
            self.set_attributes(wanted, &there.value).await?;
        }
        for upload in missing {
            let Some(recording) = row
                .recordings
                .iter_mut()
                .find(|row| row.legacy_id == upload.legacy_id)
            else {
                continue;
            };
            self.help(run, attempt, wanted, upload, recording).await?;
        }
        Ok(None)
    }

    /// Whether an upload of these is still being processed, as far as the report says.
    async fn is_pending(&self, clock: &Clock, rows: &[RecordingRow]) -> Result<bool, StepError> {
        for name in rows.iter().filter_map(|row| row.file_name.as_deref()) {
            if self.outcome(clock, name).await? == Some(Outcome::Pending) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn outcome(&self, clock: &Clock, file_name: &str) -> Result<Option<Outcome>, StepError> {
        match self.outcomes.of(&self.client, clock, file_name).await {
            // Without the permission nothing is known; the recording may come all the same.
            Err(CallError::Refused { status: 403, .. }) => Ok(None),
            outcome => outcome.map_err(StepError::target),
        }
    }

    /// A recording that is not there: uploaded again if it failed, attached if it is an orphan,
    /// waited for otherwise.
    async fn help(
        &self,
        run: &RunContext,
        attempt: &mut Attempt,
        wanted: &ConversationEvents,
        upload: &RecordingUpload,
        row: &mut RecordingRow,
    ) -> Result<(), StepError> {
        let uploads = attempt.uploads.entry(row.seq).or_default();
        let name = row.file_name.clone().unwrap_or_default();
        match self.outcome(&run.clock, &name).await? {
            Some(Outcome::Failure) if *uploads < UPLOADS => {
                *uploads += 1;
                self.upload_recording(run, wanted, upload, row, None).await
            }
            Some(Outcome::Failure) => Err(malformed(
                "POST /api/v2/uploads/recordings",
                format!("{name}: its processing failed {UPLOADS} times"),
            )),
            Some(Outcome::WaitForConversation) => self.attach(upload, wanted).await,
            Some(Outcome::Pending | Outcome::Success) | None => Ok(()),
        }
    }

    async fn attach(
        &self,
        upload: &RecordingUpload,
        wanted: &ConversationEvents,
    ) -> Result<(), StepError> {
        let orphans = self.client.orphans().await.map_err(of_one)?;
        let ours = orphans.iter().find(|orphan| {
            orphan.source_orphaning_id.as_deref() == Some(upload.legacy_id.as_str())
        });
        if let Some(orphan) = ours {
            let attached = self
                .client
                .attach_orphan(
                    &orphan.id,
                    &wanted.conversation,
                    upload.delete_date.as_deref(),
                )
                .await;
            attached.map_err(of_one)?;
        }
        Ok(())
    }
}

/// What an upload of a recording is called: the same for the same bytes.
fn zip_name(run: &RunContext, row: &RecordingRow) -> String {
    let namespace = &run.plan.plan.identity.namespace;
    format!(
        "{}.zip",
        plain_name(&format!(
            "st-{namespace}-{}.{}",
            row.legacy_id,
            short_hash(row)
        ))
    )
}

/// A refusal of what only some calls need: that one is left, the run goes on.
fn of_one(error: CallError) -> StepError {
    match error {
        CallError::Refused { status: 403, .. } => {
            StepError::InteractionFailed(RunError::Target(error))
        }
        error => StepError::target(error),
    }
}

fn malformed(what: &str, why: String) -> StepError {
    StepError::InteractionFailed(RunError::Target(CallError::Malformed {
        what: what.to_owned(),
        why,
    }))
}

fn backoff(round: u32) -> Duration {
    Duration::from_millis(250 << round)
}

/// Source: platform API, Participant.purpose; an external platform's customer may be shown as
/// either.
fn is_customer(purpose: &str) -> bool {
    ["customer", "external"].contains(&purpose)
}

/// Whether a recording will be deleted when it was said. A target may write the same instant with
/// fewer zeros.
fn is_due(there: Option<&wire::Recording>, upload: &RecordingUpload) -> bool {
    let instant = |text: &String| text.parse::<jiff::Timestamp>().ok();
    let date = there
        .and_then(|recording| recording.delete_date.as_ref())
        .and_then(instant);
    date == upload.delete_date.as_ref().and_then(instant)
}

/// What of a conversation's events is not as it would be told now, in words; what no event can
/// change any more.
fn unlike(there: &wire::Conversation, wanted: &ConversationEvents) -> Option<String> {
    let shown = |of: fn(&wire::Participant) -> Option<&String>| {
        let mut ids: Vec<String> = there
            .participants
            .iter()
            .filter_map(of)
            .map(|id| id.to_ascii_lowercase())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let sent = |of: fn(&Event) -> Option<&String>| {
        let mut ids: Vec<String> = wanted
            .events
            .iter()
            .filter_map(of)
            .map(|id| id.to_ascii_lowercase())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let users = sent(|event| match event {
        Event::User(leg) => leg.user_id.as_ref(),
        _ => None,
    });
    let queues = sent(|event| match event {
        Event::Routing(queue) => queue.queue_id.as_ref(),
        _ => None,
    });
    let is_acd = |one: &wire::Participant| one.purpose.as_deref() == Some("acd");
    let shown_queues = shown(|one| one.queue_id.as_ref());
    let names = |ids: &[String]| {
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    let shown_users = shown(|one| one.user_id.as_ref());
    if shown_users != users {
        return Some(format!(
            "agents are {} and should be {}",
            names(&shown_users),
            names(&users)
        ));
    }
    let has_acd = there.participants.iter().any(is_acd);
    (has_acd && !queues.is_empty() && shown_queues != queues).then(|| {
        format!(
            "the queue is {} and should be {}",
            names(&shown_queues),
            names(&queues)
        )
    })
}

/// Whether a conversation has every attribute that was sent.
fn carries(there: &wire::Conversation, wanted: &ConversationEvents) -> bool {
    let has = |name: &String, value: &String| {
        there
            .participants
            .iter()
            .any(|one| one.attributes.get(name) == Some(value))
    };
    wanted
        .attributes
        .iter()
        .all(|(name, value)| has(name, value))
}
