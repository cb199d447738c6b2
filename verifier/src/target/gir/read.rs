//! Everything the three stores say without sound: calls by their ids, surplus by searches and
//! listings, and what only one store has.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::facts::HIDEABLE;
use super::listing::Listing;
use super::posts::{Entry, Posted};
use super::rws::{Rws, Shown};
use super::{CallFacts, FileSight, MediaFacts, Posts, Site, SpeechMinerCall, Stores, convert};
use crate::defect::Defect;
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::observed::{Field, Recordings, TargetConversation, TargetRecording};
use crate::options::{Progress, Stage};
use crate::platform_facts::PlatformFacts;
use crate::run_error::RunError;
use crate::target::{Asked, Conversations, Named, TargetSnapshot};

/// What is needed to see what is not in an archive.
const ANOTHER_ARCHIVE: &str = "an archive that holds the recording: its files or SpeechMiner's \
    entry are there, and this one does not hold it";
/// What is needed to see what another region's node would show.
const ANOTHER_NODE: &str = "a node of the recording's region: its files or SpeechMiner's entry are \
    there, and this node does not show it";

/// What only these stores have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoreContents {
    /// Files in the migration's folder that no recording which was read references.
    pub(crate) unreferenced: Vec<UnreferencedFile>,
    /// Calls of ours that SpeechMiner has and RWS does not show.
    pub(crate) only_posted: BTreeSet<String>,
    /// How each store was read.
    pub(crate) read: Stores,
}

/// Calls whose region is asked for one by one; where more are hidden, they are hidden for one
/// reason.
const MOST_ASKED: usize = 500;

/// A file that no recording references.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnreferencedFile {
    /// Path below the store's root.
    pub(crate) path: String,
    /// Recording of the source its name begins with. Absent: another name.
    pub(crate) legacy_recording_id: Option<String>,
}

/// Reads a site.
pub(super) struct Reader<'a> {
    pub(super) target: &'a Site,
    pub(super) asked: &'a Asked<'a>,
}

impl Reader<'_> {
    pub(super) async fn snapshot(
        &self,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        progress.begin(Stage::Target, Some(self.asked.expectations.listed()));
        let (mut snapshot, mut ours) = (TargetSnapshot::default(), Vec::new());
        let listing = self
            .target
            .store
            .list(self.target.ids.folder(), self.concurrency())
            .await?;
        let posted = self.target.receiver.posted().await?;
        self.calls(&mut ours, &mut snapshot, progress).await?;
        // With some calls only, those of others are nobody's surplus.
        if self.asked.options.only.is_none() {
            self.surplus(&posted, &mut ours, &mut snapshot).await?;
        }
        self.files(&listing, &mut ours).await?;
        self.posts(&posted, &mut ours).await?;
        withhold(&mut ours);
        let calls_posted = self.calls_posted(&posted);
        let stores = self.stores(&listing, &calls_posted, &ours);
        self.hide(&stores, &calls_posted, &ours, &mut snapshot)
            .await?;
        snapshot.needs.extend(unread(&listing, &posted));
        snapshot.named = Named {
            calls: stores.only_posted.clone(),
            recordings: stores
                .unreferenced
                .iter()
                .filter_map(|file| file.legacy_recording_id.clone())
                .collect(),
        };
        snapshot.platform = PlatformFacts::of(stores);
        let mut sorter = Conversations::sorter(self.asked.folder);
        for conversation in ours {
            sorter.add(&conversation)?;
        }
        snapshot.ours = sorter.sorted()?;
        Ok(snapshot)
    }

    fn concurrency(&self) -> usize {
        self.asked.options.concurrency.max(1)
    }

    /// Every call of the source, by its ids: those too that must not be there.
    async fn calls(
        &self,
        ours: &mut Vec<TargetConversation>,
        snapshot: &mut TargetSnapshot,
        progress: &dyn Progress,
    ) -> Result<(), RunError> {
        let calls = self
            .asked
            .expectations
            .iter()
            .flat_map(|expected| match expected {
                Ok(expected) => {
                    let ids = self.target.ids.of_call(&expected.legacy_id).into_iter();
                    ids.map(|id| Ok((expected.legacy_id.clone(), id))).collect()
                }
                Err(error) => vec![Err(error)],
            });
        let reads = stream::iter(calls).map(|call| async move {
            let (call, id) = call?;
            let shown = self.target.rws.recording(&id).await?;
            progress.advance(1);
            Ok::<_, RunError>((call, shown))
        });
        let mut reads = reads.buffered(self.concurrency());
        while let Some(read) = reads.next().await {
            let (call, shown) = read?;
            match shown {
                Shown::There(recording) => ours.push(convert::call(*recording, Some(call))),
                Shown::Absent => {}
                Shown::Hidden(need) => _ = snapshot.hidden.insert(call.into(), need),
            }
        }
        Ok(())
    }

    /// Recordings of ours that no call of the source accounts for: found by searches and in
    /// SpeechMiner, read by id. A search that lags behind shows what is gone, and misses what is
    /// new: it adds to what is known and takes nothing away.
    async fn surplus(
        &self,
        posted: &Posted,
        ours: &mut Vec<TargetConversation>,
        snapshot: &mut TargetSnapshot,
    ) -> Result<(), RunError> {
        let (mut starts, mut expected) = (Vec::new(), HashSet::new());
        for call in self.asked.expectations.iter() {
            let call = call?;
            starts.extend(call.span.map(|span| span.start));
            expected.insert(call.legacy_id);
        }
        let (mut ids, needs) = self.target.rws.near(starts, self.concurrency()).await?;
        snapshot.needs.extend(needs);
        if let Posted::Read(posts) = posted {
            ids.extend(posts.keys().cloned());
        }
        let surplus = ids
            .into_iter()
            .filter_map(|id| Some((self.target.ids.legacy_id(&id)?, id)));
        let reads = stream::iter(surplus.filter(|(call, _)| !expected.contains(call.as_str())))
            .map(|(call, id)| async move {
                Ok::<_, RunError>((call, self.target.rws.recording(&id).await?))
            });
        let read: Vec<(String, Shown)> = reads.buffered(self.concurrency()).try_collect().await?;
        for (call, shown) in read {
            match shown {
                Shown::There(recording) => ours.push(convert::call(*recording, Some(call.into()))),
                Shown::Absent => {}
                Shown::Hidden(need) => _ = snapshot.needs.insert(need),
            }
        }
        Ok(())
    }

    /// What lies at each media file's address.
    async fn files(
        &self,
        listing: &Listing,
        ours: &mut [TargetConversation],
    ) -> Result<(), RunError> {
        let recordings = ours.iter_mut().flat_map(recordings_of);
        let looks = stream::iter(recordings).map(|recording| self.file(listing, recording));
        looks
            .buffer_unordered(self.concurrency())
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn file(
        &self,
        listing: &Listing,
        recording: &mut TargetRecording,
    ) -> Result<(), RunError> {
        let Some(facts) = recording.platform.get_mut::<MediaFacts>() else {
            return Ok(());
        };
        let place = facts
            .path
            .as_deref()
            .map(|path| (path, self.target.store.below(path)));
        let (sight, lying) = match (place, listing) {
            (None, _) => (FileSight::Absent("no address is told".to_owned()), None),
            (Some((_, None)), _) => (
                FileSight::Absent("its address is not below target.webdav_url".to_owned()),
                None,
            ),
            (Some((path, Some(place))), Listing::Read(files)) => match files.get(&place) {
                Some(lying) => (FileSight::There { bytes: lying.bytes }, Some(lying.clone())),
                None => self.look(path).await?,
            },
            (Some((path, Some(_))), Listing::Unread(_)) => self.look(path).await?,
        };
        match &sight {
            FileSight::There { .. } => {}
            FileSight::Absent(_) => recording.file_state = Some("DELETED".into()),
            FileSight::Unread(need) => recording.media_unseen = Some(need.clone()),
        }
        facts.file = sight;
        recording.created = lying.and_then(|lying| lying.written);
        Ok(())
    }

    async fn look(
        &self,
        path: &str,
    ) -> Result<(FileSight, Option<super::listing::Lying>), RunError> {
        let (sight, lying) = self.target.store.look(path).await?;
        Ok((sight, Some(lying)))
    }

    /// How often SpeechMiner has each of these, and what it says of it.
    async fn posts(
        &self,
        posted: &Posted,
        ours: &mut [TargetConversation],
    ) -> Result<(), RunError> {
        let paths = |ours: &TargetConversation| -> Vec<String> {
            ours.read_recordings()
                .iter()
                .filter_map(|recording| recording.platform.get::<MediaFacts>()?.path.clone())
                .collect()
        };
        let owners: HashMap<String, String> = ours
            .iter()
            .flat_map(|ours| {
                paths(ours)
                    .into_iter()
                    .map(|path| (path, String::from(&ours.id)))
                    .collect::<Vec<_>>()
            })
            .collect();
        let reads = stream::iter(ours.iter_mut()).map(|ours| self.post(posted, ours, &owners));
        reads
            .buffer_unordered(self.concurrency())
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    /// `owners`: recordings of RWS by the addresses of their files.
    async fn post(
        &self,
        posted: &Posted,
        ours: &mut TargetConversation,
        owners: &HashMap<String, String>,
    ) -> Result<(), RunError> {
        let id = ours.id.clone();
        let Some(facts) = ours.platform.get_mut::<CallFacts>() else {
            return Ok(());
        };
        facts.posts = match posted {
            Posted::Read(entries) => {
                Posts::Count(entries.get(id.as_str()).map_or(0, |entry| entry.posts))
            }
            Posted::Unread(need) => Posts::Unread(need.clone()),
            Posted::Unused => Posts::Unused,
        };
        let Posted::Read(entries) = posted else {
            return Ok(());
        };
        let Some(Entry { start, files, .. }) = entries.get(id.as_str()).cloned() else {
            return Ok(());
        };
        let read = if self.target.receiver.tells_documents() {
            self.target.receiver.document(&id).await?
        } else {
            None
        };
        let document = read.map(|document| convert::call(document, ours.legacy_id.clone()));
        let of_others = files
            .iter()
            .filter(|file| owners.get(*file).is_some_and(|owner| *owner != id))
            .cloned()
            .collect();
        facts.posted = Some(Box::new(SpeechMinerCall {
            start,
            files,
            of_others,
            document,
        }));
        Ok(())
    }

    /// Calls of ours that SpeechMiner has.
    fn calls_posted(&self, posted: &Posted) -> BTreeSet<String> {
        match posted {
            Posted::Read(posts) => posts
                .keys()
                .filter_map(|id| self.target.ids.legacy_id(id))
                .collect(),
            Posted::Unread(_) | Posted::Unused => BTreeSet::new(),
        }
    }

    fn stores(
        &self,
        listing: &Listing,
        calls_posted: &BTreeSet<String>,
        ours: &[TargetConversation],
    ) -> StoreContents {
        let facts = ours
            .iter()
            .flat_map(TargetConversation::read_recordings)
            .filter_map(|recording| recording.platform.get::<MediaFacts>());
        let referenced: HashSet<String> = facts
            .filter_map(|facts| self.target.store.below(facts.path.as_deref()?))
            .collect();
        // What a broken upload left is nobody's. Source: docs/reference/gir.md, "Files".
        let unreferenced = listing
            .files()
            .map(|(path, _)| path)
            .filter(|path| !referenced.contains(*path) && !path.ends_with(".part"));
        let unreferenced = unreferenced.map(|path| UnreferencedFile {
            legacy_recording_id: self
                .target
                .ids
                .legacy_recording(path.rsplit('/').next().unwrap_or(path)),
            path: path.clone(),
        });
        let shown = shown(ours);
        let only_posted = calls_posted
            .iter()
            .filter(|call| !shown.contains(call.as_str()));
        StoreContents {
            unreferenced: unreferenced.collect(),
            only_posted: only_posted.cloned().collect(),
            read: self.target.read(),
        }
    }

    /// A call that is not shown though another store has something of it is hidden; so is every
    /// other, where none is shown at all. Where this node shows others of the plan's region and
    /// SpeechMiner tells this one's, it is known to be wrong rather than hidden.
    async fn hide(
        &self,
        stores: &StoreContents,
        calls_posted: &BTreeSet<String>,
        ours: &[TargetConversation],
        snapshot: &mut TargetSnapshot,
    ) -> Result<(), RunError> {
        let need = match self.target.rws {
            Rws::Live(..) => ANOTHER_NODE,
            Rws::Archive(_) => ANOTHER_ARCHIVE,
        };
        let shown = shown(ours);
        if shown.is_empty() && !(stores.unreferenced.is_empty() && calls_posted.is_empty()) {
            snapshot.lag = Some(need.to_owned());
        }
        let is_right = |ours: &TargetConversation| {
            ours.platform
                .get::<CallFacts>()
                .is_some_and(|facts| facts.region.as_ref() == Some(&self.target.region))
        };
        let witnessed = ours.iter().any(is_right);
        let traces = Traces::of(stores, calls_posted, ours, self.target);
        let mut asked = 0;
        for expected in self.asked.expectations.iter() {
            let expected = expected?;
            if shown.contains(expected.legacy_id.as_str()) || !traces.has(&expected) {
                continue;
            }
            let call = &expected.legacy_id;
            let mut region = None;
            if witnessed && asked < MOST_ASKED && calls_posted.contains(call.as_str()) {
                asked += 1;
                region = self.region(call).await?;
            }
            match region {
                Some(region) => {
                    _ = snapshot
                        .misplaced
                        .insert(call.into(), misplaced(&region, &self.target.region))
                }
                None => {
                    _ = snapshot
                        .hidden
                        .entry(call.into())
                        .or_insert_with(|| need.to_owned())
                }
            }
        }
        Ok(())
    }

    /// Region a call was posted to SpeechMiner with.
    async fn region(&self, call: &str) -> Result<Option<String>, RunError> {
        for id in self.target.ids.of_call(call) {
            if let Some(region) = self.target.receiver.region(&id).await? {
                return Ok(Some(region));
            }
        }
        Ok(None)
    }
}

/// What is wrong with a call that this node would show if it were as it should be. `actual`: the
/// region it was posted to SpeechMiner with. Of the right one this node shows others: RWS has lost
/// it.
fn misplaced(actual: &str, right: &str) -> Finding {
    if actual == right {
        return Finding::new(Defect::MissingInOneStore, "RWS")
            .expected("present")
            .actual("absent")
            .because("only SpeechMiner has the call");
    }
    let finding = Finding::new(Defect::RegionWrong, "region")
        .expected(right)
        .actual(actual)
        .because(format!("region is {actual}"));
    finding.consequence("nodes of the right region do not show the call")
}

/// What shows that a call is somewhere though RWS does not show it.
struct Traces<'a> {
    posted: &'a BTreeSet<String>,
    /// Recordings of the source whose files nothing references.
    files: HashSet<&'a str>,
    /// Recordings of the source whose files hang on a call that is shown: they are not hidden but
    /// merged.
    claimed: HashSet<String>,
}

impl<'a> Traces<'a> {
    fn of(
        stores: &'a StoreContents,
        posted: &'a BTreeSet<String>,
        ours: &[TargetConversation],
        target: &Site,
    ) -> Traces<'a> {
        let paths = ours
            .iter()
            .flat_map(TargetConversation::read_recordings)
            .filter_map(|recording| recording.platform.get::<MediaFacts>()?.path.clone());
        let name = |path: String| {
            target
                .ids
                .legacy_recording(path.rsplit('/').next().unwrap_or_default())
        };
        Traces {
            posted,
            files: stores
                .unreferenced
                .iter()
                .filter_map(|unreferenced_file| unreferenced_file.legacy_recording_id.as_deref())
                .collect(),
            claimed: paths.filter_map(name).collect(),
        }
    }

    fn has(&self, expected: &Expectation) -> bool {
        let of = |is: &dyn Fn(&str) -> bool| {
            expected
                .recordings
                .iter()
                .any(|recording| is(&recording.legacy_id))
        };
        let has =
            self.posted.contains(expected.legacy_id.as_str()) || of(&|id| self.files.contains(id));
        has && !of(&|id| self.claimed.contains(id))
    }
}

/// Ids of the calls that RWS shows.
fn shown(ours: &[TargetConversation]) -> HashSet<&str> {
    ours.iter()
        .filter_map(|ours| ours.legacy_id.as_deref())
        .collect()
}

fn recordings_of(ours: &mut TargetConversation) -> &mut [TargetRecording] {
    match &mut ours.recordings {
        Recordings::Read(recordings) => recordings,
        Recordings::Hidden(_) => &mut [],
    }
}

/// Fields that none of our calls tells are hidden from this account.
fn withhold(ours: &mut [TargetConversation]) {
    let facts = ours
        .iter()
        .filter_map(|ours| ours.platform.get::<CallFacts>());
    let told: BTreeSet<Field> = facts.flat_map(|facts| facts.told.iter().copied()).collect();
    let withheld: BTreeSet<Field> = HIDEABLE
        .into_iter()
        .filter(|field| !told.contains(field))
        .collect();
    ours.iter_mut()
        .for_each(|ours| ours.withheld.clone_from(&withheld));
}

fn unread(listing: &Listing, posted: &Posted) -> Vec<String> {
    let listing = match listing {
        Listing::Read(_) => None,
        Listing::Unread(need) => Some(need.clone()),
    };
    let posted = match posted {
        Posted::Unread(need) => Some(need.clone()),
        Posted::Read(_) | Posted::Unused => None,
    };
    listing.into_iter().chain(posted).collect()
}
