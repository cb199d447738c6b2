//! Everything the target says without audio: bulk first, single reads only for what bulk does not
//! show.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, wire};
use platforms::{CallError, Pages};
use sha2::{Digest, Sha256};

use super::divisions::{self, Coverage};
use super::lag::lag;
use super::requests::need;
use super::{DeletingPolicy, Identity, OrganisationFacts, convert};
use crate::expected::{ExpectedRecording, Presence};
use crate::observed::{Recordings, TargetConversation, TargetRecording};
use crate::options::{Progress, Stage};
use crate::platform_facts::PlatformFacts;
use crate::run_error::RunError;
use crate::saved_readings::{SavedReadings, SavedRecording};
use crate::sorted_records::{RecordSorter, SortedRecords, text_key};
use crate::source::Only;
use crate::target::{Conversations, Expectations, TargetSnapshot, Wait};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// All of time: extra conversations may lie anywhere, and so may a call whose times are wrong.
const ALL_OF_TIME: &str = "1970-01-01T00:00:00.000Z/2100-01-01T00:00:00.000Z";
/// Results a page; 1,000 and 10,000 are in use by others, 1,000 keeps a page under a few megabytes.
pub(crate) const DETAILS_PAGE: u32 = 1000;
/// Entries a page of the retention listing. Source: vendor's API description; the client asks for
/// as many.
pub(crate) const RETENTION_PAGE: usize = 500;
/// Ids a deletion-protection query takes. Source: vendor's API description.
pub(crate) const PROTECTION_BATCH: usize = 100;
/// The operation that takes a request a call.
const LIST_RECORDINGS: &str = "list_recordings";
/// How long one call's recordings are waited for, at most: `formatId=NONE` has nothing to prepare,
/// so a platform that prepares all the same is given minutes, not the hour of a job.
const RECORDINGS_PATIENCE: Duration = Duration::from_secs(300);
/// Conversations outside analytics that are read one by one. More means that analytics lags as a
/// whole, and that waiting is the answer.
const MOST_SINGLE_READS: usize = 5000;

/// Reads a target.
pub(crate) struct Reader<'a> {
    pub(crate) client: Arc<ReadClient>,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    pub(crate) concurrency: usize,
    /// How long a job may take.
    pub(crate) patience: Duration,
    /// Whether jobs may be created.
    pub(crate) jobs: bool,
    /// Interactions whose conversations are read in full; those of others are known by their ids
    /// and left alone. Absent: all.
    pub(crate) only: Only<'a>,
    /// What must be there: without a job, so many calls are read one by one.
    pub(crate) expectations: &'a Expectations<'a>,
    /// Where room is for what does not fit in memory.
    pub(crate) folder: &'a Path,
    /// Whether calls were told by events and recordings uploaded beside them.
    pub(crate) by_events: bool,
    /// Readings of an unfinished verification, and where these go.
    pub(crate) kept: &'a SavedReadings,
}

/// An id, shortened: so many of them are held against one another that their texts would take a
/// gigabyte.
type ShortId = [u8; 16];

fn short(id: &str) -> ShortId {
    let mut short = ShortId::default();
    short.copy_from_slice(&Sha256::digest(id)[..16]);
    short
}

/// What the retention listing says.
#[derive(Default)]
struct Dates {
    /// When a recording will be deleted, where it says so.
    deletion: HashMap<ShortId, UtcMillis>,
    /// When the newest recording of a conversation of ours was made.
    newest: Option<UtcMillis>,
    /// Recordings of conversations that analytics does not show, by conversation.
    unshown: BTreeMap<String, Vec<wire::RetentionEntry>>,
}

impl Dates {
    fn add(&mut self, entry: wire::RetentionEntry, shown: &Shown) {
        let instant = |text: &Option<String>| text.as_deref().and_then(UtcMillis::parse);
        if let Some(at) = instant(&entry.delete_date) {
            self.deletion.insert(short(&entry.recording_id), at);
        }
        let conversation = short(&entry.conversation_id);
        if shown.of_ours.contains(&conversation) {
            self.newest = self.newest.max(instant(&entry.creation_time));
        } else if !shown.others.contains(&conversation) {
            let of_call = self.unshown.entry(entry.conversation_id.clone());
            of_call.or_default().push(entry);
        }
    }
}

/// A conversation, and what was read of its recordings before. Absent: nothing was.
type WithSaved = (TargetConversation, Option<Vec<SavedRecording>>);

/// What analytics shows.
#[derive(Default)]
struct Shown {
    /// Ours in full, by their ids.
    ours: SortedRecords<TargetConversation>,
    of_ours: HashSet<ShortId>,
    /// Ids of all others.
    others: HashSet<ShortId>,
    /// Up to when its data is complete. Absent: it did not say.
    available: Option<UtcMillis>,
    /// Why it shows nothing at all; in words, with what would be needed.
    hidden: Option<String>,
}

/// What all conversations that were read come to.
#[derive(Default)]
struct Tally {
    recordings: usize,
    /// When the newest recording was made.
    newest: Option<UtcMillis>,
    /// Queues of which a call is shown.
    queues: divisions::Shown,
}

impl Tally {
    fn add(&mut self, conversation: &TargetConversation) {
        let recordings = conversation.read_recordings();
        let created = recordings.iter().filter_map(|recording| recording.created);
        self.recordings += recordings.len();
        self.newest = self.newest.max(created.max());
        self.queues.extend(divisions::shown(conversation));
    }
}

impl Shown {
    fn hidden(why: String) -> Shown {
        Shown {
            hidden: Some(why),
            ..Shown::default()
        }
    }

    fn knows(&self, id: &ShortId) -> bool {
        self.of_ours.contains(id) || self.others.contains(id)
    }
}

impl Reader<'_> {
    /// Recordings that should be there, as far as it is known before their sound is heard.
    fn due(&self) -> Result<usize, RunError> {
        let mut due = 0;
        for expected in self.expectations.iter() {
            let recordings = &expected?.recordings;
            let is_due = |recording: &&ExpectedRecording| recording.presence == Presence::Expected;
            due += recordings.iter().filter(is_due).count();
        }
        Ok(due)
    }

    pub(crate) async fn snapshot(
        &self,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        progress.begin(Stage::Target, None);
        let mut snapshot = TargetSnapshot::default();
        let shown = if self.jobs {
            self.conversations(progress).await?
        } else {
            Shown::hidden(
                "an analytics job, which --no-jobs leaves out, to tell whether a call is there"
                    .to_owned(),
            )
        };
        if let Some(why) = &shown.hidden {
            snapshot.lag = Some(why.clone());
            snapshot.needs.insert(why.clone());
        }
        let mut dates = self.retention(&shown, &mut snapshot.needs).await?;
        let unshown = self.unshown(&shown, &mut dates, &mut snapshot).await?;
        let read = self
            .with_recordings(&shown, unshown, dates.as_ref(), &mut snapshot, progress)
            .await?;
        self.orphans(&mut snapshot).await?;
        let mut facts = OrganisationFacts {
            policies: self
                .policies(&mut snapshot.needs)
                .await?
                .into_iter()
                .map(|policy| (policy, 0))
                .collect(),
            ..OrganisationFacts::default()
        };
        facts.count(&snapshot.ours)?;
        // Where there are fewer than there should be, it is asked which uploads wait.
        if self.by_events && self.jobs && read.recordings < self.due()? {
            facts.parked = self.parked(&mut snapshot.needs).await?;
        }
        snapshot.platform = PlatformFacts::of(facts);
        let coverage = self.coverage(&mut snapshot.needs).await?;
        snapshot.needs.extend(coverage.notice());
        if snapshot.lag.is_none() {
            let listed = dates.as_ref().and_then(|dates| dates.newest);
            snapshot.lag = lag(
                listed.max(read.newest),
                shown.available,
                UtcMillis::from_ms(self.clock.now_ms()),
            );
        }
        // What analytics does not show yet may be anywhere.
        if snapshot.lag.is_none() && !matches!(coverage, Coverage::All) {
            for expected in self.expectations.iter() {
                let expected = expected?;
                if let Some(need) = coverage.hides(&expected, &read.queues) {
                    snapshot.hidden.insert(expected.legacy_id.into(), need);
                }
            }
        }
        Ok(snapshot)
    }

    /// How many divisions the organisation has.
    async fn coverage(&self, needs: &mut BTreeSet<String>) -> Result<Coverage, RunError> {
        match self.client.divisions().await {
            // One division, or an organisation that knows none: everything is shown.
            Ok(divisions) if divisions.len() <= 1 => Ok(Coverage::All),
            Ok(divisions) => Ok(Coverage::Several(divisions.len())),
            Err(error) if error.status() == Some(404) => Ok(Coverage::All),
            Err(error) => {
                let need = need("list_divisions", &error)
                    .ok_or_else(|| RunError::target("list the divisions", &error))?;
                needs.insert(need.clone());
                Ok(Coverage::Unknown(need))
            }
        }
    }

    /// The bulk reading: one job over all of time. Not allowed: nothing is shown, and why.
    async fn conversations(&self, progress: &dyn Progress) -> Result<Shown, RunError> {
        let query = serde_json::json!({ "interval": ALL_OF_TIME, "order": "asc", "orderBy": "conversationStart" });
        let job = match self.client.create_details_job(&query).await {
            Ok(job) => job,
            Err(error) => return hidden_or("create_details_job", "list the conversations", &error),
        };
        if let Err(error) = self.finish_job(&job).await? {
            return hidden_or("get_details_job", "follow the analytics job", &error);
        }
        let (mut shown, mut cursor, mut pages) =
            (Shown::default(), None::<String>, Pages::default());
        let mut ours = RecordSorter::new(self.folder);
        loop {
            let page = match self
                .client
                .details_results(&job, cursor.as_deref(), DETAILS_PAGE)
                .await
            {
                Ok(page) => page,
                Err(error) => {
                    return hidden_or("get_details_results", "list the conversations", &error);
                }
            };
            progress.advance(page.conversations.len() as u64);
            shown.available = page
                .data_availability_date
                .as_deref()
                .and_then(UtcMillis::parse)
                .or(shown.available);
            let listed = page
                .conversations
                .iter()
                .map(|wire| wire.conversation_id.as_str());
            let next = pages.next("the conversations", listed, page.cursor);
            for wire in page.conversations {
                let tag = wire.external_tag.clone();
                let mut conversation = convert::from_analytics(wire);
                conversation.legacy_id = self.identity.legacy_id(
                    &conversation.id,
                    tag.as_deref(),
                    &conversation.attributes,
                );
                let id = short(&conversation.id);
                if shown.knows(&id) {
                    continue;
                }
                if self.is_in_scope(&conversation) {
                    let mut key = Vec::new();
                    text_key(&conversation.id, &mut key);
                    ours.push(&key, &conversation)?;
                    shown.of_ours.insert(id);
                } else {
                    shown.others.insert(id);
                }
            }
            cursor = next.map_err(|error| RunError::target("list the conversations", &error))?;
            if cursor.is_none() {
                shown.ours = ours.sorted()?;
                return Ok(shown);
            }
        }
    }

    /// Ours, and of an interaction that is asked about.
    fn is_in_scope(&self, conversation: &TargetConversation) -> bool {
        conversation
            .legacy_id
            .as_ref()
            .is_some_and(|id| self.only.is_none_or(|only| only.contains(id.as_str())))
    }

    async fn finish_job(&self, job: &str) -> Result<Result<(), CallError>, RunError> {
        let mut wait = Wait::new(&self.clock, self.patience);
        loop {
            let state = match self.client.details_job_state(job).await {
                Ok(state) => state,
                Err(error) => return Ok(Err(error)),
            };
            match state.state.as_str() {
                "FULFILLED" => return Ok(Ok(())),
                "FAILED" | "CANCELLED" | "EXPIRED" => {
                    let why = state.error_message.unwrap_or_default();
                    return Err(RunError::Target(format!(
                        "the analytics job of the target ended as {}: {why}; verify again",
                        state.state
                    )));
                }
                _ if wait.again().await => {}
                _ => {
                    return Err(RunError::Target(
                        "the analytics job of the target does not end; verify again later"
                            .to_owned(),
                    ));
                }
            }
        }
    }

    /// Dates of every recording, in bulk. Not allowed: the recordings carry their own dates.
    async fn retention(
        &self,
        shown: &Shown,
        needs: &mut BTreeSet<String>,
    ) -> Result<Option<Dates>, RunError> {
        let (mut dates, mut cursor, mut pages) =
            (Dates::default(), None::<String>, Pages::default());
        loop {
            let read = self
                .client
                .retention_page(cursor.as_deref())
                .await
                .and_then(|page| {
                    let listed = page
                        .entities
                        .iter()
                        .map(|entry| entry.recording_id.as_str());
                    let next = pages.next("the retention dates", listed, page.next_cursor)?;
                    Ok((page.entities, next))
                });
            let (entries, next) = match read {
                Ok(read) => read,
                Err(error) => {
                    needs.insert(
                        need("query_retention", &error)
                            .ok_or_else(|| RunError::target("list the retention dates", &error))?,
                    );
                    return Ok(None);
                }
            };
            entries
                .into_iter()
                .for_each(|entry| dates.add(entry, shown));
            cursor = next;
            if cursor.is_none() {
                return Ok(Some(dates));
            }
        }
    }

    /// What exists while analytics does not show it, read by id: conversations of recordings in the
    /// retention listing, which are ours, another's, or orphans; and those a crosswalk names.
    async fn unshown(
        &self,
        shown: &Shown,
        dates: &mut Option<Dates>,
        snapshot: &mut TargetSnapshot,
    ) -> Result<Vec<TargetConversation>, RunError> {
        let mut unshown = dates
            .as_mut()
            .map(|dates| std::mem::take(&mut dates.unshown))
            .unwrap_or_default();
        for id in self.identity.conversations() {
            if !shown.knows(&short(id)) {
                unshown.entry(id.to_owned()).or_default();
            }
        }
        let most = if self.jobs {
            MOST_SINGLE_READS
        } else {
            let calls = usize::try_from(self.expectations.listed()).unwrap_or(usize::MAX);
            MOST_SINGLE_READS.max(calls.saturating_mul(2))
        };
        if unshown.len() > most {
            let why = format!(
                "{} conversations with recordings are not in analytics; verify again when its data \
                 is complete",
                unshown.len()
            );
            snapshot.lag.get_or_insert(why);
            return Ok(Vec::new());
        }
        let reads = stream::iter(unshown)
            .map(|(id, entries)| async move { (self.client.conversation(&id).await, entries) });
        let mut reads = reads.buffered(self.concurrency.max(1));
        let (mut found, mut newest) = (Vec::new(), None);
        while let Some((read, entries)) = reads.next().await {
            match read {
                Ok(wire) => {
                    let (mut conversation, tag) = convert::from_conversation(wire);
                    conversation.legacy_id = self.identity.legacy_id(
                        &conversation.id,
                        tag.as_deref(),
                        &conversation.attributes,
                    );
                    if self.is_in_scope(&conversation) {
                        let created = entries.iter().filter_map(|entry| orphan(entry).created);
                        newest = newest.max(created.max());
                        found.push(conversation);
                    }
                }
                Err(CallError::Refused { status: 404, .. }) => {
                    snapshot.orphans.extend(entries.iter().map(orphan))
                }
                Err(error) => {
                    let need = need("get_conversation", &error)
                        .ok_or_else(|| RunError::target("read a conversation", &error))?;
                    snapshot.lag.get_or_insert_with(|| need.clone());
                    snapshot.needs.insert(need);
                }
            }
        }
        if let Some(dates) = dates {
            dates.newest = dates.newest.max(newest);
        }
        Ok(found)
    }

    /// Reads the recordings and the protection of every conversation of ours.
    async fn with_recordings(
        &self,
        shown: &Shown,
        unshown: Vec<TargetConversation>,
        dates: Option<&Dates>,
        snapshot: &mut TargetSnapshot,
        progress: &dyn Progress,
    ) -> Result<Tally, RunError> {
        // Each list is in the order of ids, and so are the readings from before.
        let ours = self
            .with_saved(shown.ours.iter())
            .chain(self.with_saved(unshown.into_iter().map(Ok)));
        let reads = stream::iter(ours).map(|conversation| async move {
            let (conversation, saved) = conversation?;
            let read = self.recordings_of(conversation, saved, dates).await?;
            progress.advance(1);
            Ok::<_, RunError>(read)
        });
        let mut reads = reads
            .buffered(self.concurrency.max(1))
            .chunks(PROTECTION_BATCH);
        let (mut tally, mut sorter) = (Tally::default(), Conversations::sorter(self.folder));
        let mut may_ask = true;
        while let Some(batch) = reads.next().await {
            let mut batch = batch.into_iter().collect::<Result<Vec<_>, RunError>>()?;
            if may_ask {
                may_ask = self.protection(&mut batch, &mut snapshot.needs).await?;
            }
            for conversation in &batch {
                tally.add(conversation);
                sorter.add(conversation)?;
            }
        }
        snapshot.ours = sorter.sorted()?;
        Ok(tally)
    }

    /// Conversations, each with what was read of its recordings before. They are in the order of
    /// their ids; one that is not is read again.
    fn with_saved<'a>(
        &'a self,
        ours: impl Iterator<Item = Result<TargetConversation, RunError>> + 'a,
    ) -> impl Iterator<Item = Result<WithSaved, RunError>> + 'a {
        let mut saved = self.kept.of(LIST_RECORDINGS);
        ours.map(move |conversation| {
            let conversation = conversation?;
            let before = saved.take(&conversation.id)?;
            Ok((conversation, before))
        })
    }

    /// `saved`: what was read of its recordings before.
    async fn recordings_of(
        &self,
        mut conversation: TargetConversation,
        saved: Option<Vec<SavedRecording>>,
        dates: Option<&Dates>,
    ) -> Result<TargetConversation, RunError> {
        conversation.recordings = match saved {
            Some(saved) => Recordings::Read(saved.into_iter().map(TargetRecording::from).collect()),
            None => {
                let read = self.recordings(&conversation.id).await?;
                // What is hidden is read again next time.
                if let Recordings::Read(recordings) = &read {
                    let saved = SavedRecording::all_of(recordings);
                    self.kept.keep(LIST_RECORDINGS, &conversation.id, &saved);
                }
                read
            }
        };
        if let (Recordings::Read(recordings), Some(dates)) = (&mut conversation.recordings, dates) {
            for recording in recordings {
                let listed = || dates.deletion.get(&short(&recording.id)).copied();
                recording.delete_at = recording.delete_at.or_else(listed);
            }
        }
        Ok(conversation)
    }

    /// `formatId=NONE` answers at once; a 202 all the same is waited for, and then hidden, never
    /// missing.
    async fn recordings(&self, conversation_id: &str) -> Result<Recordings, RunError> {
        let mut wait = Wait::new(&self.clock, self.patience.min(RECORDINGS_PATIENCE));
        loop {
            match self.client.recordings(conversation_id, "NONE").await {
                Ok(Some(recordings)) => {
                    return Ok(convert::recordings(conversation_id, recordings));
                }
                Ok(None) if wait.again().await => {}
                Ok(None) => {
                    return Ok(Recordings::Hidden(
                        "the platform to have a call's recordings ready: it answers 202".to_owned(),
                    ));
                }
                // The conversation is there, or was a moment ago: that its recordings are not is
                // nothing this answer says.
                Err(CallError::Refused {
                    status: 404, code, ..
                }) if code != "conversation.not.found" && code != "not.found" => {
                    return Ok(Recordings::Hidden(format!(
                        "an answer to a call's recordings other than 404 {code}"
                    )));
                }
                Err(CallError::Refused { status: 404, .. }) => return Ok(Recordings::default()),
                Err(error) => {
                    return match need(LIST_RECORDINGS, &error) {
                        Some(need) => Ok(Recordings::Hidden(need)),
                        None => Err(RunError::target(
                            "read the recordings of a conversation",
                            &error,
                        )),
                    };
                }
            }
        }
    }

    /// Recordings of ours that were uploaded and have no conversation.
    async fn orphans(&self, snapshot: &mut TargetSnapshot) -> Result<(), RunError> {
        let orphans = match self.client.orphan_recordings().await {
            Ok(orphans) => orphans,
            // An organisation without hybrid media has no such list.
            Err(error) if error.status() == Some(404) => return Ok(()),
            Err(error) => {
                snapshot.needs.insert(
                    need("list_orphans", &error)
                        .ok_or_else(|| RunError::target("list the orphan recordings", &error))?,
                );
                return Ok(());
            }
        };
        let is_call = |orphan: &wire::OrphanRecording| {
            orphan
                .media_type
                .as_deref()
                .is_none_or(|kind| kind.eq_ignore_ascii_case("CALL"))
        };
        for orphan in orphans.into_iter().filter(is_call) {
            let Some(recording) = orphan.recording else {
                continue;
            };
            let conversation = recording.conversation_id.clone().unwrap_or_default();
            let created = orphan.created_time.as_deref().and_then(UtcMillis::parse);
            let recording = convert::recording(&conversation, recording);
            let originating_id = orphan.source_orphaning_id.map(Text::from);
            snapshot.orphans.push(TargetRecording {
                id: orphan.id.into(),
                created,
                originating_id,
                file_state: Some("ORPHAN".into()),
                ..recording
            });
        }
        Ok(())
    }

    /// Policies in force that delete at once, of both families.
    async fn policies(
        &self,
        needs: &mut BTreeSet<String>,
    ) -> Result<Vec<DeletingPolicy>, RunError> {
        let mut found = Vec::new();
        for (cross_platform, name) in [
            (false, "list_policies"),
            (true, "list_crossplatform_policies"),
        ] {
            match self.client.retention_policies(cross_platform).await {
                Ok(policies) => {
                    let harmful = policies
                        .into_iter()
                        .filter_map(|policy| DeletingPolicy::of(policy, cross_platform));
                    found.extend(harmful);
                }
                Err(error) if error.status() == Some(404) => {}
                Err(error) => {
                    _ =
                        needs.insert(need(name, &error).ok_or_else(|| {
                            RunError::target("list the retention policies", &error)
                        })?)
                }
            }
        }
        Ok(found)
    }

    /// Whether each of some conversations is protected. Returns whether it may be asked of others.
    async fn protection(
        &self,
        batch: &mut [TargetConversation],
        needs: &mut BTreeSet<String>,
    ) -> Result<bool, RunError> {
        let ids: Vec<String> = batch
            .iter()
            .map(|conversation| String::from(&conversation.id))
            .collect();
        match self.client.deletion_protected(&ids).await {
            Ok(protected) => {
                let protected: HashSet<String> = protected.into_iter().collect();
                batch.iter_mut().for_each(|conversation| {
                    conversation.protected = Some(protected.contains(conversation.id.as_str()))
                });
                Ok(true)
            }
            Err(error) => {
                let need = need("query_deletionprotection", &error);
                needs.insert(
                    need.ok_or_else(|| RunError::target("read the deletion protection", &error))?,
                );
                Ok(false)
            }
        }
    }
}

/// What an error of the bulk reading comes to: nothing shown, or no verification at all.
fn hidden_or(name: &str, step: &str, error: &CallError) -> Result<Shown, RunError> {
    match need(name, error) {
        Some(need) => Ok(Shown::hidden(need)),
        None => Err(RunError::target(step, error)),
    }
}

fn orphan(entry: &wire::RetentionEntry) -> TargetRecording {
    TargetRecording {
        id: Text::from(&entry.recording_id),
        conversation_id: Text::from(&entry.conversation_id),
        delete_at: entry.delete_date.as_deref().and_then(UtcMillis::parse),
        created: entry.creation_time.as_deref().and_then(UtcMillis::parse),
        ..TargetRecording::default()
    }
}
