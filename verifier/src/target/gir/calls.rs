//! Recordings of RWS by their ids, in the order of these: each beside what SpeechMiner, an archive
//! and an unfinished verification have under the same id.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::{StreamExt, stream};
use platforms::gir::wire::Recording;
use serde::{Deserialize, Serialize};

use super::files::{FileOfCall, Sight, sight_key};
use super::handed::{Archived, id_key};
use super::listing::place_key;
use super::posts::{Entry, Posted};
use super::reader::Reader;
use super::rws::{Rws, Shown};
use super::{CallFacts, FileSight, MediaFacts, Posts, Site, SpeechMinerCall, convert};
use crate::in_order::InOrder;
use crate::observed::{Field, Recordings, TargetConversation, TargetRecording};
use crate::run_error::RunError;
use crate::saved_readings::{Saved, SavedReadings};
use crate::sorted_records::{RecordSorter, text_key};

/// The operations that take a request a call.
const GET_RECORDING: &str = "gir.get_recording";
const GET_POSTED: &str = "speechminer.get_recording";

/// A recording that is asked for, and its call in the source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ask {
    pub(super) id: String,
    pub(super) call: String,
}

/// What the recordings that were read come to, in parts that are joined when all are read.
pub(super) struct Gathered {
    /// By their ids.
    pub(super) calls: RecordSorter<TargetConversation>,
    /// Their files, by their places in the store.
    pub(super) files: RecordSorter<FileOfCall>,
    /// What is known of files without a look.
    pub(super) sights: RecordSorter<Sight>,
    /// Ids of recordings by the addresses of their files.
    pub(super) owners: RecordSorter<String>,
    /// Files that SpeechMiner has of them, by their addresses.
    pub(super) posted_files: RecordSorter<PostedFile>,
    /// Fields that any of them tells.
    pub(super) told: BTreeSet<Field>,
    /// Whether one of the plan's region is shown.
    pub(super) is_region_shown: bool,
    /// Whether SpeechMiner's files are held against these.
    is_posted: bool,
}

/// A file as SpeechMiner lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PostedFile {
    pub(super) address: String,
    /// Recording it is listed of.
    pub(super) id: String,
}

/// What is known of a recording before it is asked for.
struct Known {
    ask: Ask,
    /// What an archive or an unfinished verification has. Absent: it is asked for.
    shown: Option<Shown>,
    archived_in: Option<Vec<u8>>,
    entry: Option<Entry>,
    document: Option<Recording>,
}

/// Everything that is looked up in the order of recording ids.
struct Lookups<'a> {
    archive: Option<InOrder<'a, Archived>>,
    entries: Option<InOrder<'a, Entry>>,
    recordings: Saved<'a>,
    documents: Option<Saved<'a>>,
}

impl<'a> Lookups<'a> {
    fn new(site: &'a Site, posted: &'a Posted, kept: &'a SavedReadings) -> Lookups<'a> {
        Lookups {
            archive: match &site.rws {
                Rws::Archive(archive) => Some(InOrder::new(&archive.recordings)),
                Rws::Live(..) => None,
            },
            entries: match posted {
                Posted::Read(posted) => Some(InOrder::new(posted.entries())),
                Posted::Unread(_) | Posted::Unused => None,
            },
            recordings: kept.of(GET_RECORDING),
            documents: site.receiver.tells_documents().then(|| kept.of(GET_POSTED)),
        }
    }

    fn of(&mut self, ask: Ask) -> Result<Known, RunError> {
        let key = id_key(&ask.id);
        let (shown, archived_in) = match &mut self.archive {
            Some(archive) => match archive.last(&key)? {
                Some(archived) => {
                    let recording = Box::new(archived.recording()?);
                    (Some(Shown::There(recording)), Some(archived.folder))
                }
                None => (Some(Shown::Absent), None),
            },
            None => {
                let saved = self.recordings.take::<Recording>(&ask.id)?;
                (saved.map(Box::new).map(Shown::There), None)
            }
        };
        let entry = match &mut self.entries {
            Some(entries) => entries.last(&key)?,
            None => None,
        };
        let document = match &mut self.documents {
            Some(documents) => documents.take(&ask.id)?,
            None => None,
        };
        Ok(Known {
            ask,
            shown,
            archived_in,
            entry,
            document,
        })
    }
}

impl Reader<'_> {
    /// Reads recordings, which are in the order of their ids. `hidden` takes one that could not be
    /// read, with what would be needed; `read` hears of each.
    pub(super) async fn read_calls(
        &self,
        asks: impl Iterator<Item = Result<Ask, RunError>>,
        posted: &Posted,
        gathered: &mut Gathered,
        mut hidden: impl FnMut(Ask, String),
        read: impl Fn(),
    ) -> Result<(), RunError> {
        let mut lookups = Lookups::new(self.target, posted, self.asked.kept);
        let reads = stream::iter(asks).map(|ask| {
            let known = ask.and_then(|ask| lookups.of(ask));
            async { self.read_call(known?).await }
        });
        let mut reads = reads.buffered(self.concurrency());
        while let Some(known) = reads.next().await {
            let mut known = known?;
            read();
            match known.shown.take() {
                Some(Shown::There(recording)) => {
                    let call = convert::call(*recording, Some(known.ask.call.as_str().into()));
                    gathered.add(self.target, call, posted, known)?;
                }
                Some(Shown::Hidden(need)) => hidden(known.ask, need),
                Some(Shown::Absent) | None => {}
            }
        }
        Ok(())
    }

    /// Asks for what is not known yet. What is absent is not kept: nothing is called missing by an
    /// old answer.
    async fn read_call(&self, mut known: Known) -> Result<Known, RunError> {
        let (id, kept) = (&known.ask.id, self.asked.kept);
        if known.shown.is_none() {
            let shown = self.target.rws.recording(id).await?;
            if let Shown::There(recording) = &shown {
                kept.keep(GET_RECORDING, id, &without_names(recording));
            }
            known.shown = Some(shown);
        }
        let is_shown = matches!(known.shown, Some(Shown::There(_)));
        if is_shown && known.entry.is_some() && known.document.is_none() {
            known.document = self.target.receiver.document(id).await?;
            if let Some(document) = &known.document {
                kept.keep(GET_POSTED, id, &without_names(document));
            }
        }
        Ok(known)
    }
}

/// Nothing is compared with people's first and last names, so they are not kept.
fn without_names(recording: &Recording) -> Recording {
    let mut recording = recording.clone();
    let events = recording.event_history.iter_mut();
    for contact in events.filter_map(|event| event.contact.as_mut()) {
        (contact.first_name, contact.last_name) = (None, None);
    }
    recording
}

impl Gathered {
    /// `spill`: where room is for what does not fit in memory. `is_posted`: whether it is known what
    /// SpeechMiner has.
    pub(super) fn new(spill: &Path, is_posted: bool) -> Gathered {
        Gathered {
            calls: RecordSorter::new(spill),
            files: RecordSorter::of_small(spill),
            sights: RecordSorter::of_small(spill),
            owners: RecordSorter::of_small(spill),
            posted_files: RecordSorter::of_small(spill),
            told: BTreeSet::new(),
            is_region_shown: false,
            is_posted,
        }
    }

    fn add(
        &mut self,
        site: &Site,
        mut call: TargetConversation,
        posted: &Posted,
        known: Known,
    ) -> Result<(), RunError> {
        let Known {
            ask,
            archived_in,
            entry,
            document,
            ..
        } = known;
        let id = ask.id.as_str();
        for (index, recording) in recordings_of(&mut call).iter_mut().enumerate() {
            let Some(facts) = recording.platform.get_mut::<MediaFacts>() else {
                continue;
            };
            facts.archived_in.clone_from(&archived_in);
            self.add_file(site, id, index as u32, facts.path.as_deref())?;
        }
        let posts = match posted {
            Posted::Read(_) => Posts::Count(entry.as_ref().map_or(0, |entry| entry.posts)),
            Posted::Unread(need) => Posts::Unread(need.clone()),
            Posted::Unused => Posts::Unused,
        };
        if let Some(facts) = call.platform.get_mut::<CallFacts>() {
            self.told.extend(facts.told.iter().copied());
            self.is_region_shown |= facts.region.as_ref() == Some(&site.region);
            facts.posts = posts;
            if let Some(entry) = entry {
                self.add_posted_files(id, &entry)?;
                facts.posted = Some(Box::new(SpeechMinerCall {
                    start: entry.start,
                    files: entry.files,
                    of_others: BTreeSet::new(),
                    document: document
                        .map(|document| convert::call(document, Some(ask.call.into()))),
                }));
            }
        }
        self.calls.push(&id_key(id), &call)
    }

    fn add_file(
        &mut self,
        site: &Site,
        id: &str,
        index: u32,
        address: Option<&str>,
    ) -> Result<(), RunError> {
        let mut absent = |words: &str| {
            let sight = Sight::without_a_look(FileSight::Absent(words.to_owned()));
            self.sights.push(&sight_key(id, index), &sight)
        };
        let Some(address) = address else {
            return absent("no address is told");
        };
        match site.store.below(address) {
            None => absent("its address is not below target.webdav_url")?,
            Some(place) => {
                let file = FileOfCall {
                    id: id.to_owned(),
                    index,
                    address: address.to_owned(),
                };
                self.files.push(&place_key(&place), &file)?;
            }
        }
        if self.is_posted {
            self.owners.push(&address_key(address), &id.to_owned())?;
        }
        Ok(())
    }

    fn add_posted_files(&mut self, id: &str, entry: &Entry) -> Result<(), RunError> {
        for address in &entry.files {
            let file = PostedFile {
                address: address.clone(),
                id: id.to_owned(),
            };
            self.posted_files.push(&address_key(address), &file)?;
        }
        Ok(())
    }
}

/// Files by their addresses.
pub(super) fn address_key(address: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text_key(address, &mut key);
    key
}

pub(super) fn recordings_of(ours: &mut TargetConversation) -> &mut [TargetRecording] {
    match &mut ours.recordings {
        Recordings::Read(recordings) => recordings,
        Recordings::Hidden(_) => &mut [],
    }
}
