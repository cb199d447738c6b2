//! Everything the three stores say without sound: calls by their ids, surplus by searches and
//! listings, and what only one store has. Each store lies in sorted runs, and what belongs together
//! is found by reading runs beside one another, so that memory does not grow with the calls.

use std::collections::BTreeSet;

use super::calls::{Ask, Gathered, PostedFile, address_key, recordings_of};
use super::facts::HIDEABLE;
use super::files::Sight;
use super::handed::id_key;
use super::listing::Listing;
use super::posts::Posted;
use super::reader::Reader;
use super::{CallFacts, FileSight, MediaFacts, StoreContents};
use crate::in_order::InOrder;
use crate::observed::{Field, TargetConversation};
use crate::options::{Progress, Stage};
use crate::platform_facts::PlatformFacts;
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
use crate::source::order_key;
use crate::target::{Conversations, Named, TargetSnapshot};
use crate::utc_millis::UtcMillis;

/// What the source leads to.
struct FromSource {
    /// Recordings that may be there, by their ids.
    asks: SortedRecords<Ask>,
    /// When calls begin, in their order.
    starts: SortedRecords<i64>,
    /// Recordings of the source of which files are told. Absent: all are.
    mine: Option<BTreeSet<String>>,
}

impl Reader<'_> {
    pub(super) async fn snapshot(
        &self,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        progress.begin(Stage::Target, Some(self.asked.expectations.listed()));
        let mut snapshot = TargetSnapshot::default();
        let (spill, folder) = (self.asked.folder, self.target.ids.folder());
        let listing = self
            .target
            .store
            .list(folder, spill, self.concurrency())
            .await?;
        let posted = self.target.receiver.posted(spill).await?;
        let source = self.source()?;
        let mut gathered = Gathered::new(spill, matches!(posted, Posted::Read(_)));
        self.calls(&source, &posted, &mut gathered, &mut snapshot, progress)
            .await?;
        // With some calls only, those of others are nobody's surplus.
        if self.asked.options.only.is_none() {
            self.surplus(&source, &posted, &mut gathered, &mut snapshot)
                .await?;
        }
        let (withheld, is_region_shown) = (withheld(&gathered.told), gathered.is_region_shown);
        let calls = gathered.calls.sorted()?;
        let files = gathered.files.sorted()?;
        let (sights, unreferenced) = self
            .look_at_files(&listing, &files, gathered.sights, source.mine.as_ref())
            .await?;
        drop(files);
        let of_others = of_others(
            &gathered.owners.sorted()?,
            &gathered.posted_files.sorted()?,
            spill,
        )?;
        snapshot.ours = self.joined(&calls, &sights, &of_others, &withheld)?;
        drop((calls, sights, of_others));
        let calls_posted = self.calls_posted(&posted)?;
        let stores = StoreContents {
            only_posted: self.only_posted(&calls_posted, &snapshot.ours)?,
            unreferenced: unreferenced.files,
            read: self.target.read(),
        };
        let is_anything_there = unreferenced.is_any || calls_posted.len() > 0;
        self.hide(&stores, is_anything_there, is_region_shown, &mut snapshot)
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
        Ok(snapshot)
    }

    /// Every call of the source, by its ids: those too that must not be there.
    fn source(&self) -> Result<FromSource, RunError> {
        let spill = self.asked.folder;
        let (mut asks, mut starts) = (RecordSorter::of_small(spill), RecordSorter::of_small(spill));
        let mut mine = self.asked.options.only.is_some().then(BTreeSet::new);
        for expected in self.asked.expectations.iter() {
            let expected = expected?;
            for id in self.target.ids.of_call(&expected.legacy_id) {
                let call = String::from(&expected.legacy_id);
                asks.push(&id_key(&id), &Ask { id, call })?;
            }
            if let Some(span) = &expected.span {
                starts.push(&time_key(span.start), &span.start.ms())?;
            }
            if let Some(mine) = &mut mine {
                let recordings = expected.recordings.into_iter();
                mine.extend(recordings.map(|recording| String::from(recording.legacy_id)));
            }
        }
        Ok(FromSource {
            asks: asks.sorted()?,
            starts: starts.sorted()?,
            mine,
        })
    }

    async fn calls(
        &self,
        source: &FromSource,
        posted: &Posted,
        gathered: &mut Gathered,
        snapshot: &mut TargetSnapshot,
        progress: &dyn Progress,
    ) -> Result<(), RunError> {
        let hidden = |ask: Ask, need| _ = snapshot.hidden.insert(ask.call, need);
        let read = || progress.advance(1);
        self.read_calls(source.asks.iter(), posted, gathered, hidden, read)
            .await
    }

    /// Recordings of ours that no call of the source accounts for: found by searches and in
    /// SpeechMiner, read by id. A search that lags behind shows what is gone, and misses what is
    /// new: it adds to what is known and takes nothing away.
    async fn surplus(
        &self,
        source: &FromSource,
        posted: &Posted,
        gathered: &mut Gathered,
        snapshot: &mut TargetSnapshot,
    ) -> Result<(), RunError> {
        let mut found = RecordSorter::of_small(self.asked.folder);
        let mut find = |id: &str| match self.target.ids.legacy_id(id) {
            Some(call) => {
                let id = id.to_owned();
                found.push(&id_key(&id), &Ask { id, call })
            }
            None => Ok(()),
        };
        let starts = source
            .starts
            .iter()
            .map(|start| Ok(UtcMillis::from_ms(start?)));
        let needs = self
            .target
            .rws
            .near(starts, self.concurrency(), &mut find)
            .await?;
        snapshot.needs.extend(needs);
        if let Posted::Read(posted) = posted {
            for entry in posted.entries().iter() {
                find(&entry?.id)?;
            }
        }
        let found = found.sorted()?;
        let surplus = surplus(&found, &source.asks);
        let hidden = |_, need| _ = snapshot.needs.insert(need);
        self.read_calls(surplus, posted, gathered, hidden, || ())
            .await
    }

    /// Each call with what was found of it elsewhere.
    fn joined(
        &self,
        calls: &SortedRecords<TargetConversation>,
        sights: &SortedRecords<Sight>,
        of_others: &SortedRecords<String>,
        withheld: &BTreeSet<Field>,
    ) -> Result<Conversations, RunError> {
        let mut sorter = Conversations::sorter(self.asked.folder);
        let (mut sights, mut of_others) = (InOrder::new(sights), InOrder::new(of_others));
        let mut stored = InOrder::new(calls);
        while let Some(record) = stored.next_record()? {
            let mut call: TargetConversation = crate::sorted_records::read(&record.record)?;
            for (index, sight) in sights.all_of(&record.key)?.into_iter().enumerate() {
                see(&mut call, index, sight);
            }
            let of_others = of_others.all_of(&record.key)?;
            if let Some(facts) = call.platform.get_mut::<CallFacts>()
                && let Some(posted) = &mut facts.posted
            {
                posted.of_others.extend(of_others);
            }
            call.withheld.clone_from(withheld);
            sorter.add(&call)?;
        }
        sorter.sorted()
    }

    /// Calls of ours that SpeechMiner has, in the source's order.
    fn calls_posted(&self, posted: &Posted) -> Result<SortedRecords<String>, RunError> {
        let mut calls = RecordSorter::of_small(self.asked.folder);
        if let Posted::Read(posted) = posted {
            for entry in posted.entries().iter() {
                if let Some(call) = self.target.ids.legacy_id(&entry?.id) {
                    calls.push(&order_key(&call), &call)?;
                }
            }
        }
        calls.sorted()
    }

    fn only_posted(
        &self,
        calls_posted: &SortedRecords<String>,
        ours: &Conversations,
    ) -> Result<BTreeSet<String>, RunError> {
        let only = self.asked.options.only.as_ref();
        let mut shown = ours.in_order();
        let mut only_posted = BTreeSet::new();
        for call in calls_posted.iter() {
            let call = call?;
            let is_asked_about = only.is_none_or(|only| only.contains(&call));
            if is_asked_about && !shown.has(&order_key(&call))? {
                only_posted.insert(call);
            }
        }
        Ok(only_posted)
    }
}

/// Sorts as instants do.
fn time_key(at: UtcMillis) -> [u8; 8] {
    (at.ms() ^ i64::MIN).to_be_bytes()
}

/// What was found and not asked for.
fn surplus<'a>(
    found: &'a SortedRecords<Ask>,
    asked: &'a SortedRecords<Ask>,
) -> impl Iterator<Item = Result<Ask, RunError>> + 'a {
    let (mut found, mut asked) = (InOrder::new(found), InOrder::new(asked));
    let mut last = Vec::new();
    let mut next = move || loop {
        let Some(record) = found.next_record()? else {
            return Ok(None);
        };
        if record.key != last && asked.last(&record.key)?.is_none() {
            last.clone_from(&record.key);
            return crate::sorted_records::read(&record.record).map(Some);
        }
    };
    std::iter::from_fn(move || next().transpose())
}

/// Files that SpeechMiner has of a recording and RWS has on another, by the recording's id.
fn of_others(
    owners: &SortedRecords<String>,
    posted: &SortedRecords<PostedFile>,
    spill: &std::path::Path,
) -> Result<SortedRecords<String>, RunError> {
    let (mut owners, mut of_others) = (InOrder::new(owners), RecordSorter::of_small(spill));
    for file in posted.iter() {
        let PostedFile { address, id } = file?;
        let owner = owners.last(&address_key(&address))?;
        if owner.is_some_and(|owner| owner != id) {
            of_others.push(&id_key(&id), &address)?;
        }
    }
    of_others.sorted()
}

/// Puts down what lies at the address of a call's file.
fn see(call: &mut TargetConversation, index: usize, sight: Sight) {
    let Some(recording) = recordings_of(call).get_mut(index) else {
        return;
    };
    match &sight.file {
        FileSight::There { .. } => {}
        FileSight::Absent(_) => recording.file_state = Some("DELETED".into()),
        FileSight::Unread(need) => recording.media_unseen = Some(need.clone()),
    }
    recording.created = sight.written;
    if let Some(facts) = recording.platform.get_mut::<MediaFacts>() {
        facts.file = sight.file;
    }
}

/// Fields that none of our calls tells are hidden from this account.
fn withheld(told: &BTreeSet<Field>) -> BTreeSet<Field> {
    let hidden = HIDEABLE.into_iter().filter(|field| !told.contains(field));
    hidden.collect()
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
