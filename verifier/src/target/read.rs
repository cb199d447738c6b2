//! Everything the target says without audio: bulk first, single reads only for what bulk does not show.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, wire};

use super::{Identity, Recordings, TargetConversation, TargetRecording, convert};
use crate::moment::Moment;
use crate::options::{Progress, Stage};
use crate::stop::Stop;

/// All of time: phantoms may lie anywhere, and so may a call whose times are wrong.
const ALL_OF_TIME: &str = "1970-01-01T00:00:00.000Z/2100-01-01T00:00:00.000Z";
/// Results a page; 1,000 and 10,000 are in use by others, 1,000 keeps a page under a few megabytes.
const DETAILS_PAGE: u32 = 1000;
/// Ids a deletion-protection query takes. Source: vendor's API description.
const PROTECTION_BATCH: usize = 100;
/// How often a job or a transcoding is asked about, and how long at most: an hour of one-second polls.
const POLL: Duration = Duration::from_secs(1);
const MOST_POLLS: u32 = 3600;
/// Conversations outside analytics that are read one by one. More means that analytics lags as a whole, and that waiting is the answer.
const MOST_SINGLE_READS: usize = 5000;

/// The target, read.
#[derive(Debug, Default)]
pub(crate) struct TargetSnapshot {
    /// Conversations that are ours.
    pub(crate) ours: Vec<TargetConversation>,
    /// Recordings whose conversation does not exist.
    pub(crate) orphans: Vec<TargetRecording>,
    /// Why a conversation that is not shown may exist all the same. Absent: what is not shown is not there.
    pub(crate) lag: Option<String>,
    /// Names of what could not be read, with what would be needed.
    pub(crate) needs: BTreeSet<String>,
}

/// Reads a target.
pub(crate) struct Reader {
    pub(crate) client: Arc<ReadClient>,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    pub(crate) concurrency: usize,
}

/// What the retention listing says of one recording.
type Dates = HashMap<String, wire::RetentionEntry>;

impl Reader {
    pub(crate) async fn snapshot(&self, progress: &dyn Progress) -> Result<TargetSnapshot, Stop> {
        progress.begin(Stage::Target, None);
        let mut snapshot = TargetSnapshot::default();
        let (mut conversations, others, available) = self.conversations(progress).await?;
        let dates = self.retention(&mut snapshot.needs).await?;
        let unshown = self.unshown(&conversations, &others, &dates, &mut snapshot).await?;
        conversations.extend(unshown);
        let reads = stream::iter(conversations).map(|conversation| self.with_recordings(conversation, &dates, progress));
        snapshot.ours = reads.buffered(self.concurrency.max(1)).try_collect().await?;
        self.protection(&mut snapshot).await?;
        snapshot.ours.sort_by_cached_key(|ours| (ours.legacy_id.as_deref().map(crate::source::order), ours.id.clone()));
        if snapshot.lag.is_none() {
            snapshot.lag = lag(&snapshot.ours, &dates, available, Moment::from_ms(self.clock.now_ms()));
        }
        Ok(snapshot)
    }

    /// Ours in full, the ids of all others, and the instant up to which the job's data is complete.
    async fn conversations(&self, progress: &dyn Progress) -> Result<(Vec<TargetConversation>, HashSet<String>, Option<Moment>), Stop> {
        let refused = |error: CallError| Stop::target("list the conversations", &error);
        let query = serde_json::json!({ "interval": ALL_OF_TIME, "order": "asc", "orderBy": "conversationStart" });
        let job = self.client.create_details_job(&query).await.map_err(refused)?;
        self.finish_job(&job).await?;
        let (mut ours, mut others, mut available, mut cursor) = (Vec::new(), HashSet::new(), None, None::<String>);
        let mut seen = HashSet::new();
        loop {
            let page = self.client.details_results(&job, cursor.as_deref(), DETAILS_PAGE).await.map_err(refused)?;
            progress.advance(page.conversations.len() as u64);
            available = page.data_availability_date.as_deref().and_then(Moment::parse).or(available);
            for wire in page.conversations {
                let tag = wire.external_tag.clone();
                let mut conversation = convert::from_analytics(wire);
                conversation.legacy_id = self.identity.legacy_id(&conversation.id, tag.as_deref(), &conversation.attributes);
                if !seen.insert(conversation.id.clone()) {
                    continue;
                }
                if conversation.legacy_id.is_some() {
                    ours.push(conversation);
                } else {
                    others.insert(conversation.id);
                }
            }
            match page.cursor {
                Some(next) if Some(&next) == cursor.as_ref() => {
                    return Err(Stop::Target(
                        "cannot list the conversations of the target: the job's cursor does not move; try again".to_owned(),
                    ));
                }
                Some(next) => cursor = Some(next),
                None => return Ok((ours, others, available)),
            }
        }
    }

    async fn finish_job(&self, job: &str) -> Result<(), Stop> {
        for _ in 0..MOST_POLLS {
            let state = self.client.details_job_state(job).await.map_err(|error| Stop::target("follow the analytics job", &error))?;
            match state.state.as_str() {
                "FULFILLED" => return Ok(()),
                "FAILED" | "CANCELLED" | "EXPIRED" => {
                    let why = state.error_message.unwrap_or_default();
                    return Err(Stop::Target(format!("the analytics job of the target ended as {}: {why}; verify again", state.state)));
                }
                _ => self.clock.sleep(POLL).await,
            }
        }
        Err(Stop::Target("the analytics job of the target does not end; verify again later".to_owned()))
    }

    /// Dates of every recording, in bulk. Not allowed: the recordings carry their own dates.
    async fn retention(&self, needs: &mut BTreeSet<String>) -> Result<Option<Dates>, Stop> {
        let (mut dates, mut cursor) = (Dates::new(), None::<String>);
        loop {
            let page = match self.client.retention_page(cursor.as_deref()).await {
                Ok(page) => page,
                Err(CallError::Refused { status: 403, .. }) => {
                    needs.insert("permission recording:recording:view for the retention listing".to_owned());
                    return Ok(None);
                }
                Err(error) => return Err(Stop::target("list the retention dates", &error)),
            };
            for entry in page.entities {
                dates.insert(entry.recording_id.clone(), entry);
            }
            match page.next_cursor {
                Some(next) if Some(&next) != cursor.as_ref() => cursor = Some(next),
                _ => return Ok(Some(dates)),
            }
        }
    }

    /// Recordings that exist while analytics does not show their conversation: read by id, they are ours, another's, or orphans.
    async fn unshown(
        &self,
        ours: &[TargetConversation],
        others: &HashSet<String>,
        dates: &Option<Dates>,
        snapshot: &mut TargetSnapshot,
    ) -> Result<Vec<TargetConversation>, Stop> {
        let Some(dates) = dates else { return Ok(Vec::new()) };
        let shown: HashSet<&str> =
            ours.iter().map(|conversation| conversation.id.as_str()).chain(others.iter().map(String::as_str)).collect();
        let mut unshown: BTreeMap<&str, Vec<&wire::RetentionEntry>> = BTreeMap::new();
        for entry in dates.values().filter(|entry| !shown.contains(entry.conversation_id.as_str())) {
            unshown.entry(&entry.conversation_id).or_default().push(entry);
        }
        if unshown.len() > MOST_SINGLE_READS {
            snapshot.lag = Some(format!(
                "{} conversations with recordings are not in analytics yet; verify again when its data is complete",
                unshown.len()
            ));
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (id, entries) in unshown {
            match self.client.conversation(id).await {
                Ok(wire) => {
                    let (mut conversation, tag) = convert::from_conversation(wire);
                    conversation.legacy_id = self.identity.legacy_id(&conversation.id, tag.as_deref(), &conversation.attributes);
                    found.extend(conversation.legacy_id.is_some().then_some(conversation));
                }
                Err(CallError::Refused { status: 404, .. }) => snapshot.orphans.extend(entries.into_iter().map(orphan)),
                Err(CallError::Refused { status: 403, .. }) => {
                    snapshot
                        .needs
                        .insert("permission conversation:communication:view for conversations that analytics does not show".to_owned());
                    snapshot.lag = Some("a conversation that analytics does not show may not be read".to_owned());
                }
                Err(error) => return Err(Stop::target("read a conversation", &error)),
            }
        }
        Ok(found)
    }

    async fn with_recordings(
        &self,
        mut conversation: TargetConversation,
        dates: &Option<Dates>,
        progress: &dyn Progress,
    ) -> Result<TargetConversation, Stop> {
        conversation.recordings = self.recordings(&conversation.id).await?;
        if let (Recordings::Read(recordings), Some(dates)) = (&mut conversation.recordings, dates) {
            for recording in recordings {
                let listed = dates.get(&recording.id).and_then(|entry| entry.delete_date.as_deref()).and_then(Moment::parse);
                recording.delete_at = recording.delete_at.or(listed);
            }
        }
        progress.advance(1);
        Ok(conversation)
    }

    /// `formatId=NONE` answers at once; a 202 all the same is waited for.
    async fn recordings(&self, conversation_id: &str) -> Result<Recordings, Stop> {
        for _ in 0..MOST_POLLS {
            match self.client.recordings(conversation_id, "NONE").await {
                Ok(Some(recordings)) => return Ok(convert::recordings(conversation_id, recordings)),
                Ok(None) => self.clock.sleep(POLL).await,
                Err(CallError::Refused { status: 403, .. }) => {
                    return Ok(Recordings::Hidden("permission recording:recording:view in the conversation's division".to_owned()));
                }
                Err(CallError::Refused { status: 404, .. }) => return Ok(Recordings::default()),
                Err(error @ CallError::Malformed { .. }) => return Ok(Recordings::Hidden(error.to_string())),
                Err(error) => return Err(Stop::target("read the recordings of a conversation", &error)),
            }
        }
        Ok(Recordings::Hidden("the platform's transcoding to end".to_owned()))
    }

    async fn protection(&self, snapshot: &mut TargetSnapshot) -> Result<(), Stop> {
        for batch in snapshot.ours.chunks_mut(PROTECTION_BATCH) {
            let ids: Vec<String> = batch.iter().map(|conversation| conversation.id.clone()).collect();
            match self.client.deletion_protected(&ids).await {
                Ok(protected) => {
                    let protected: HashSet<String> = protected.into_iter().collect();
                    batch.iter_mut().for_each(|conversation| conversation.protected = Some(protected.contains(&conversation.id)));
                }
                Err(CallError::Refused { status: 403, .. }) => {
                    snapshot.needs.insert("permission to read deletion protection".to_owned());
                    return Ok(());
                }
                Err(error) => return Err(Stop::target("read the deletion protection", &error)),
            }
        }
        Ok(())
    }
}

fn orphan(entry: &wire::RetentionEntry) -> TargetRecording {
    TargetRecording {
        id: entry.recording_id.clone(),
        conversation_id: entry.conversation_id.clone(),
        delete_at: entry.delete_date.as_deref().and_then(Moment::parse),
        created: entry.creation_time.as_deref().and_then(Moment::parse),
        ..TargetRecording::default()
    }
}

/// Analytics may still hide a conversation if its data ends before the newest recording we know of; without any, if it ends well before now.
fn lag(ours: &[TargetConversation], dates: &Option<Dates>, available: Option<Moment>, now: Moment) -> Option<String> {
    // Time between a job's submission and its snapshot, and clocks that differ: neither is lag.
    const SLACK_MS: i64 = 60_000;
    let available = available?;
    let of_ours: HashSet<&str> = ours.iter().map(|conversation| conversation.id.as_str()).collect();
    let listed = dates.iter().flat_map(HashMap::values).filter(|entry| of_ours.contains(entry.conversation_id.as_str()));
    let listed = listed.filter_map(|entry| entry.creation_time.as_deref().and_then(Moment::parse));
    let read = ours.iter().flat_map(TargetConversation::read_recordings).filter_map(|recording| recording.created);
    let newest = listed.chain(read).max().unwrap_or(now);
    (newest.since(available) > SLACK_MS)
        .then(|| format!("analytics is complete only up to {available}; verify again when it has passed {newest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_suspected_only_where_it_could_hide_something() {
        let at = |text: &str| Moment::parse(text).expect("an instant");
        let now = at("2026-11-20T12:00:00Z");
        let recording = TargetRecording { created: Some(at("2026-11-18T00:00:00Z")), ..TargetRecording::default() };
        let ours = [TargetConversation { recordings: Recordings::Read(vec![recording]), ..TargetConversation::default() }];
        assert!(lag(&ours, &None, Some(at("2026-11-17T00:00:00Z")), now).is_some());
        assert!(lag(&ours, &None, Some(at("2026-11-19T00:00:00Z")), now).is_none(), "complete past the newest recording");
        assert!(lag(&[], &None, Some(now), now).is_none());
        assert!(lag(&[], &None, Some(at("2026-11-19T00:00:00Z")), now).is_some());
        assert!(lag(&[], &None, None, now).is_none());
    }
}
