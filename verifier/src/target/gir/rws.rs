//! Recordings by id, from Recording Web Services.

use std::collections::BTreeSet;
use std::sync::Arc;

use platforms::gir::wire::Recording;
use platforms::gir::{RwsClient, Settings};

use super::handed::Archive;
use super::reach::Reach;
use super::requests::RWS;
use super::{Opening, search};
use crate::run_error::RunError;
use crate::utc_millis::UtcMillis;

/// Where recordings are read.
pub(super) enum Rws {
    /// The service itself, by the ops account.
    Live(Box<RwsClient>, Reach),
    /// Archives that were handed over.
    Archive(Arc<Archive>),
}

/// What came of asking for an id.
pub(super) enum Shown {
    /// It is there.
    There(Box<Recording>),
    /// This node shows none: it is not there, or of another region.
    Absent,
    /// Could not be read; what would be needed.
    Hidden(String),
}

impl Rws {
    /// As a report names it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Rws::Live(_, reach) => reach.word(),
            Rws::Archive(_) => "archive",
        }
    }

    pub(super) fn live(opening: &Opening<'_>) -> Result<Rws, RunError> {
        let target = opening.section;
        let rws_url = target.rws_url.clone();
        let gate = opening.gate(RWS, &rws_url);
        let settings = Settings {
            rws_url,
            contact_center_id: target.contact_center_id.clone(),
            account: opening.account(&target.username, "password", &target.password)?,
            requests_per_minute: opening.loaded.plan.pace.requests_per_minute,
        };
        let reach = opening.reach("access to RWS, or an export of it (--gir-archive)");
        Ok(Rws::Live(
            Box::new(RwsClient::new(gate, opening.clock.clone(), settings)),
            reach,
        ))
    }

    /// What the service shows under an id; what an archive holds is looked up in its order.
    pub(super) async fn recording(&self, id: &str) -> Result<Shown, RunError> {
        match self {
            Rws::Archive(_) => Ok(Shown::Absent),
            Rws::Live(_, reach) if reach.is_lost() => Ok(Shown::Hidden(reach.need().to_owned())),
            Rws::Live(client, reach) => match client.recording(id).await {
                Ok(Some(recording)) => Ok(Shown::There(Box::new(recording))),
                Ok(None) => Ok(Shown::Absent),
                Err(error) => reach
                    .need_of("gir.get_recording", "read a recording", &error)
                    .map(Shown::Hidden),
            },
        }
    }

    /// Finds ids of further recordings, ours and others', that begin near these instants, which are
    /// in their order. Returns what would be needed to see all of them.
    pub(super) async fn near(
        &self,
        starts: impl Iterator<Item = Result<UtcMillis, RunError>>,
        concurrency: usize,
        found: &mut dyn FnMut(&str) -> Result<(), RunError>,
    ) -> Result<BTreeSet<String>, RunError> {
        match self {
            Rws::Archive(archive) => {
                for archived in archive.recordings.iter() {
                    found(archived?.id())?;
                }
                Ok(BTreeSet::new())
            }
            Rws::Live(_, reach) if reach.is_lost() => Ok(BTreeSet::new()),
            Rws::Live(client, reach) => {
                let windows = search::windows(starts)?;
                search::near(client, reach, windows, concurrency, found).await
            }
        }
    }
}
