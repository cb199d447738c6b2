//! Proof of the region: RWS takes a recording of a wrong region and never shows it again, and no
//! read tells which region is right. So one recording of our own goes in, is read back and deleted.
//! Source: Recording Access, region.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;
use platforms::CallError;
use platforms::clock::Clock;
use platforms::gir::wire::{Descriptor, MediaFile, Parameters, Recording};
use platforms::{OpenFile, Upload};

use super::names::time;
use super::{Gir, MAX_LOOKUPS, Names};
use crate::error::RunError;
use crate::ledger::Ledger;

/// Where the ledger remembers for which address, contact centre and region the proof was given.
const PROVED: &str = "region_proved";

impl Gir {
    /// Before a run writes: the proof, once for each target. What is wrong with the region is the
    /// plan's.
    pub(super) async fn prove_region(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
    ) -> Result<(), RunError> {
        if ledger
            .meta(PROVED)
            .await?
            .is_some_and(|proved| proved == self.address)
        {
            return Ok(());
        }
        match self.probe_region(clock).await? {
            Some(why) => Err(RunError::Plan(why)),
            None => Ok(ledger
                .set_meta(vec![(PROVED, self.address.clone())])
                .await?),
        }
    }

    /// Puts a small file into the store and a recording into RWS, reads the recording and deletes
    /// both. What is wrong, in a sentence.
    pub(super) async fn probe_region(&self, clock: &Clock) -> Result<Option<String>, RunError> {
        let id = Names::new(&self.namespace).recording("probe");
        let folder = format!("st-{}", self.namespace);
        let collection = self.webdav.url(&[&folder]).map_err(RunError::Target)?;
        let file = self
            .webdav
            .url(&[&folder, &format!("{id}.wav")])
            .map_err(RunError::Target)?;
        // One that a run left behind which was killed has given the proof of the region.
        let left = self.rws.recording(&id).await.map_err(RunError::Target)?;
        self.webdav
            .make_collection(&collection)
            .await
            .map_err(RunError::Target)?;
        self.webdav
            .put(&file, &silence())
            .await
            .map_err(RunError::Target)?;
        let shown = if left.is_some_and(|left| left.region.as_ref() == Some(&self.region)) {
            Ok(true)
        } else {
            // One of another region would be merged with this one.
            self.rws.delete(&id).await.map_err(RunError::Target)?;
            self.shows(
                clock,
                &document(&id, &self.region, file.as_str(), clock.now()),
            )
            .await
        };
        let deleted = self.rws.delete(&id).await;
        self.webdav.delete(&file).await.map_err(RunError::Target)?;
        match shown {
            Ok(true) => deleted.map(|_| None).map_err(RunError::Target),
            Ok(false) => Ok(Some(format!(
                "a recording that is inserted with region {} is not shown by this node: everything \
                 would vanish; set target.region to the node's crRegion, which a native recording \
                 tells (the probe {id} is in the wrong region now)",
                self.region
            ))),
            Err(CallError::Refused {
                status: 400,
                message,
                ..
            }) => Ok(Some(format!("a probe is refused: {message}"))),
            Err(error) => Err(RunError::Target(error)),
        }
    }

    /// Inserts the probe and asks whether the node shows it. `false` only of one that was taken in:
    /// what became of a request nobody answered is looked up, and where nothing came of it, it is
    /// sent again.
    async fn shows(&self, clock: &Clock, probe: &Recording) -> Result<bool, CallError> {
        for round in 0..MAX_LOOKUPS {
            match self.rws.insert(probe).await {
                Ok(()) => return Ok(self.rws.recording(&probe.id).await?.is_some()),
                Err(CallError::OutcomeUnknown { .. }) => {
                    if self.rws.recording(&probe.id).await?.is_some() {
                        return Ok(true);
                    }
                    clock.sleep(Duration::from_millis(250 << round)).await;
                }
                Err(error) => return Err(error),
            }
        }
        let what = format!("the insertion of the probe {}", probe.id);
        Err(CallError::OutcomeUnknown {
            what,
            why: format!("still absent after {MAX_LOOKUPS} tries"),
        })
    }
}

fn document(id: &str, region: &str, path: &str, now: Timestamp) -> Recording {
    let number = Some("Unknown".to_owned());
    let at = Some(time(now));
    let file = MediaFile {
        call_uuid: Some(id.to_uppercase()),
        start_time: at.clone(),
        stop_time: at,
        media_id: Some(id.to_owned()),
        mime: Some("audio/wav".to_owned()),
        duration: Some("0".to_owned()),
        parameters: Parameters {
            call_uuid: Some(id.to_uppercase()),
            id: Some(id.to_owned()),
            ..Parameters::default()
        },
        media_descriptor: Some(Descriptor {
            storage: "webDAV".to_owned(),
            path: path.to_owned(),
        }),
        ..MediaFile::default()
    };
    Recording {
        id: id.to_owned(),
        caller_phone_number: number.clone(),
        dialed_phone_number: number,
        region: Some(region.to_owned()),
        call_type: Some("Unknown".to_owned()),
        media_files: vec![file],
        ..Recording::default()
    }
}

/// A WAV file with a head and no sound.
fn silence() -> Upload {
    const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt \
        \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0";
    let open: OpenFile = Arc::new(|| {
        async { Ok(stream::once(async { Ok(Bytes::from_static(WAV)) }).boxed()) }.boxed()
    });
    Upload {
        name: "probe.wav".to_owned(),
        content_type: "audio/wav",
        length: WAV.len() as u64,
        open,
    }
}
