//! Calls that RWS does not show though another store has something of them.

use std::collections::{BTreeSet, HashSet};

use super::reader::Reader;
use super::rws::Rws;
use super::{MediaFacts, Site, StoreContents};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::observed::TargetConversation;
use crate::run_error::RunError;
use crate::source::order_key;
use crate::target::{Conversations, TargetSnapshot};

/// What is needed to see what is not in an archive.
const ANOTHER_ARCHIVE: &str = "an archive that holds the recording: its files or SpeechMiner's \
    entry are there, and this one does not hold it";
/// What is needed to see what another region's node would show.
const ANOTHER_NODE: &str = "a node of the recording's region: its files or SpeechMiner's entry are \
    there, and this node does not show it";

/// Calls whose region is asked for one by one; where more are hidden, they are hidden for one
/// reason.
const MOST_ASKED: usize = 500;

/// A call of the source of which only a trace is there.
struct Traced {
    call: String,
    /// Its recordings in the source.
    recordings: Vec<String>,
}

impl Reader<'_> {
    /// A call that is not shown though another store has something of it is hidden; so is every
    /// other, where none is shown at all. Where this node shows others of the plan's region and
    /// SpeechMiner tells this one's, it is known to be wrong rather than hidden.
    pub(super) async fn hide(
        &self,
        stores: &StoreContents,
        is_anything_there: bool,
        is_region_shown: bool,
        snapshot: &mut TargetSnapshot,
    ) -> Result<(), RunError> {
        let need = match self.target.rws {
            Rws::Live(..) => ANOTHER_NODE,
            Rws::Archive(_) => ANOTHER_ARCHIVE,
        };
        if snapshot.ours.len() == 0 && is_anything_there {
            snapshot.lag = Some(need.to_owned());
        }
        let mut traced = self.traced(stores, &snapshot.ours)?;
        // A recording whose file hangs on a call that is shown is not hidden but merged.
        let claimed = claimed(&traced, &snapshot.ours, self.target)?;
        traced.retain(|traced| !traced.recordings.iter().any(|id| claimed.contains(id)));
        let mut asked = 0;
        for Traced { call, .. } in traced {
            let mut region = None;
            if is_region_shown && asked < MOST_ASKED && stores.only_posted.contains(&call) {
                asked += 1;
                region = self.region(&call).await?;
            }
            match region {
                Some(region) => {
                    let finding = misplaced(&region, &self.target.region);
                    snapshot.misplaced.insert(call, finding);
                }
                None => {
                    let hidden = snapshot.hidden.entry(call);
                    hidden.or_insert_with(|| need.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Calls that are not shown, and of which SpeechMiner or the store has something.
    fn traced(
        &self,
        stores: &StoreContents,
        ours: &Conversations,
    ) -> Result<Vec<Traced>, RunError> {
        let unreferenced = stores.unreferenced.iter();
        let files: HashSet<&str> = unreferenced
            .filter_map(|file| file.legacy_recording_id.as_deref())
            .collect();
        let mut traced = Vec::new();
        if files.is_empty() && stores.only_posted.is_empty() {
            return Ok(traced);
        }
        let mut shown = ours.in_order();
        for expected in self.asked.expectations.iter() {
            let expected = expected?;
            let recordings = expected.recordings.into_iter();
            let recordings: Vec<String> = recordings
                .map(|recording| recording.legacy_id.into())
                .collect();
            let is_traced = stores.only_posted.contains(expected.legacy_id.as_str())
                || recordings.iter().any(|id| files.contains(id.as_str()));
            if is_traced && !shown.has(&order_key(&expected.legacy_id))? {
                traced.push(Traced {
                    call: expected.legacy_id.into(),
                    recordings,
                });
            }
        }
        Ok(traced)
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

/// Of the recordings of these calls, those whose files hang on a call that is shown.
fn claimed(
    traced: &[Traced],
    ours: &Conversations,
    target: &Site,
) -> Result<BTreeSet<String>, RunError> {
    let wanted: HashSet<&str> = traced
        .iter()
        .flat_map(|traced| traced.recordings.iter().map(String::as_str))
        .collect();
    let mut claimed = BTreeSet::new();
    if wanted.is_empty() {
        return Ok(claimed);
    }
    for call in ours.iter() {
        let call: TargetConversation = call?;
        let files = call.read_recordings().iter();
        let paths = files.filter_map(|file| file.platform.get::<MediaFacts>()?.path.as_deref());
        let names = paths.map(|path| path.rsplit('/').next().unwrap_or_default());
        let recordings = names.filter_map(|name| target.ids.legacy_recording(name));
        claimed.extend(recordings.filter(|id| wanted.contains(id.as_str())));
    }
    Ok(claimed)
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
