//! Which calls SpeechMiner has. Its reads are the simulator's own: a real receiver takes posts and
//! tells nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use platforms::gir::SpeechMinerClient;
use platforms::gir::wire::{PostedRow, Recording};
use platforms::{CallError, Pages};
use serde::{Deserialize, Serialize};

use super::Opening;
use super::handed::{Rows, id_key};
use super::reach::Reach;
use super::requests::SPEECHMINER;
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
use crate::utc_millis::UtcMillis;

/// Recordings a page; a page of 500 is some tens of kilobytes.
pub(crate) const POSTS_PAGE: u32 = 500;

/// Where SpeechMiner's side is read.
pub(super) enum Receiver {
    /// The receiver itself.
    Live(Box<SpeechMinerClient>, Reach),
    /// Rows that were handed over.
    Csv(Arc<Rows>),
    /// The plan has none: a declared loss.
    Unused,
}

/// What SpeechMiner has.
pub(super) enum Posted {
    /// By recording id; of one that is listed twice the last counts.
    Read(PostedEntries),
    /// Could not be read; what would be needed.
    Unread(String),
    /// The plan has none.
    Unused,
}

/// Where what SpeechMiner has stands.
#[derive(Clone)]
pub(super) enum PostedEntries {
    /// As they were listed.
    Listed(Arc<SortedRecords<Entry>>),
    /// As they were handed over.
    Handed(Arc<Rows>),
}

impl PostedEntries {
    pub(super) fn entries(&self) -> &SortedRecords<Entry> {
        match self {
            PostedEntries::Listed(entries) => entries,
            PostedEntries::Handed(rows) => &rows.entries,
        }
    }
}

/// What SpeechMiner lists of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Recording id.
    pub(super) id: String,
    /// How often it stands there.
    pub(super) posts: u64,
    /// When its first file begins. Absent: not told.
    pub(super) start: Option<UtcMillis>,
    /// Addresses of its files.
    pub(super) files: BTreeSet<String>,
}

impl Entry {
    pub(super) fn new(id: &str) -> Entry {
        Entry {
            id: id.to_owned(),
            ..Entry::default()
        }
    }

    fn of(row: PostedRow) -> Entry {
        let folder = row.folder.unwrap_or_default();
        Entry {
            id: row.id,
            posts: row.posts,
            start: row.start.as_deref().and_then(UtcMillis::parse),
            files: row
                .filenames
                .iter()
                .map(|name| format!("{folder}/{name}"))
                .collect(),
        }
    }
}

impl Receiver {
    /// As a report names it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Receiver::Live(_, reach) => reach.word(),
            Receiver::Csv(_) => "csv",
            Receiver::Unused => "none",
        }
    }

    pub(super) fn live(opening: &Opening<'_>) -> Result<Receiver, RunError> {
        let target = opening.section;
        let Some(url) = &target.speechminer_url else {
            return Ok(Receiver::Unused);
        };
        let gate = opening.gate(SPEECHMINER, url);
        let (Some(username), Some(password)) =
            (&target.speechminer_username, &target.speechminer_password)
        else {
            let missing = "target.speechminer_username and target.speechminer_password are \
                missing; a verification reads this store";
            return Err(RunError::Plan(missing.to_owned()));
        };
        let account = opening.account(username, "speechminer_password", password)?;
        let pace = opening.loaded.plan.pace.requests_per_minute;
        let client =
            SpeechMinerClient::new(gate, opening.clock.clone(), url.clone(), &account, pace);
        let reach = opening
            .reach("access to SpeechMiner's receiver, or an export of it (--gir-speechminer)");
        Ok(Receiver::Live(Box::new(client), reach))
    }

    /// `spill`: where room is for what does not fit in memory.
    pub(super) async fn posted(&self, spill: &Path) -> Result<Posted, RunError> {
        match self {
            Receiver::Live(client, reach) => live(client, reach, spill).await,
            Receiver::Csv(rows) => Ok(Posted::Read(PostedEntries::Handed(rows.clone()))),
            Receiver::Unused => Ok(Posted::Unused),
        }
    }
}

impl Receiver {
    /// Whether documents can be read one by one.
    pub(super) fn tells_documents(&self) -> bool {
        matches!(self, Receiver::Live(..))
    }

    /// Region a call was posted with; `None`: it is not told.
    pub(super) async fn region(&self, id: &str) -> Result<Option<String>, RunError> {
        Ok(self
            .document(id)
            .await?
            .and_then(|document| document.region))
    }

    /// What a call was posted with; `None`: it is not told.
    pub(super) async fn document(&self, id: &str) -> Result<Option<Recording>, RunError> {
        let Receiver::Live(client, reach) = self else {
            return Ok(None);
        };
        match client.recording(id).await {
            Ok(posted) => Ok(posted.map(|posted| posted.recording)),
            Err(CallError::Malformed { .. }) => Ok(None),
            // What it would need is known already: the list was read from the same receiver.
            Err(error) => reach
                .need_of(
                    "speechminer.get_recording",
                    "read SpeechMiner's recording",
                    &error,
                )
                .map(|_| None),
        }
    }
}

async fn live(client: &SpeechMinerClient, reach: &Reach, spill: &Path) -> Result<Posted, RunError> {
    let (mut after, mut pages) = (None::<String>, Pages::default());
    let mut posts = RecordSorter::of_small(spill);
    loop {
        let page = match client.recordings(after.as_deref(), POSTS_PAGE).await {
            Ok(page) => page,
            // A receiver of the field: no such path, or a page for people.
            Err(
                CallError::Refused {
                    status: 404 | 405, ..
                }
                | CallError::Malformed { .. },
            ) => {
                return Ok(Posted::Unread(
                    "an export of SpeechMiner (--gir-speechminer), whose receiver tells nothing"
                        .to_owned(),
                ));
            }
            Err(error) => {
                return reach
                    .need_of(
                        "speechminer.list_recordings",
                        "list SpeechMiner's recordings",
                        &error,
                    )
                    .map(Posted::Unread);
            }
        };
        let next = pages.next(
            "SpeechMiner's recordings",
            page.recordings.iter().map(|row| row.id.as_str()),
            page.next,
        );
        for row in page.recordings {
            posts.push(&id_key(&row.id), &Entry::of(row))?;
        }
        after = next.map_err(|error| RunError::target("list SpeechMiner's recordings", &error))?;
        if after.is_none() {
            let posts = Arc::new(posts.sorted()?);
            return Ok(Posted::Read(PostedEntries::Listed(posts)));
        }
    }
}
