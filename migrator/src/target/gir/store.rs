//! A recording's file into the WebDAV store: written aside, measured, then moved to its name, so
//! that nothing incomplete ever has it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use platforms::clock::Clock;
use platforms::gir::Moved;
use platforms::{CallError, Upload};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Gir, Names, state};
use crate::error::{RunError, StepError};
use crate::ledger::RecordingRow;
use crate::staging::Staging;
use crate::upload_source::{codec_of, open, staged};

/// How often a file is written anew that does not arrive whole, or whose collection is gone; and
/// moved anew where a move is not answered.
const TRIES: u32 = 4;

impl Gir {
    /// Stores what goes of a recording; its row then knows the address.
    pub(crate) async fn store(
        &self,
        clock: &Clock,
        staging: &Staging,
        call_start: Timestamp,
        row: &mut RecordingRow,
        cached: Option<Bytes>,
    ) -> Result<(), StepError> {
        let (folders, name) = self.place(call_start, row)?;
        let url = self.file(&folders, &name)?;
        let part = self.part(&folders, &name)?;
        let (path, length) = staged(row)?;
        let content_type = if state::envelope(row)?.is_some() {
            "application/octet-stream"
        } else {
            codec_of(row)?.container().mime()
        };
        let upload = Upload {
            name: name.clone(),
            content_type,
            length,
            open: open(staging, cached, path, length).await?,
        };
        self.put(clock, &folders, &part, &url, &upload).await?;
        stored_at(row, &url);
        Ok(())
    }

    /// Whether what goes of a recording is stored already, though no row tells; its row then knows
    /// the address.
    pub(crate) async fn find(
        &self,
        call_start: Timestamp,
        row: &mut RecordingRow,
    ) -> Result<bool, StepError> {
        let (folders, name) = self.place(call_start, row)?;
        let url = self.file(&folders, &name)?;
        // The bytes' hash is in the name, and nothing incomplete ever has it.
        if !self.has(&url, staged(row)?.1).await? {
            return Ok(false);
        }
        // Whoever stored it may have died over a second copy, of which no retention knows.
        self.webdav
            .delete(&self.part(&folders, &name)?)
            .await
            .map_err(StepError::target)?;
        stored_at(row, &url);
        Ok(true)
    }

    /// Where a recording's file lies or will lie.
    pub(crate) fn address(
        &self,
        call_start: Timestamp,
        row: &RecordingRow,
    ) -> Result<String, StepError> {
        let (folders, name) = self.place(call_start, row)?;
        Ok(self.file(&folders, &name)?.to_string())
    }

    /// Whether a stored file has the bytes that were sent.
    pub(crate) async fn has_its_bytes(&self, row: &RecordingRow) -> Result<bool, StepError> {
        let Some(address) = row.file_id.as_deref() else {
            return Ok(false);
        };
        let url = self.webdav.own(address).map_err(StepError::target)?;
        // Of another length it has other bytes, and need not be read.
        let (_, length) = staged(row)?;
        if !self.has(&url, length).await? {
            return Ok(false);
        }
        let mut stream = self
            .webdav
            .get(&url, length)
            .await
            .map_err(StepError::target)?
            .stream;
        let mut hash = Sha256::new();
        while let Some(piece) = stream.next().await {
            hash.update(piece.map_err(StepError::target)?);
        }
        Ok(row.out_sha256.as_ref() == Some(&hex::encode(hash.finalize())))
    }

    /// Takes a stored file away that has other bytes than were sent.
    pub(crate) async fn take_away(&self, row: &mut RecordingRow) -> Result<(), StepError> {
        if let Some(address) = row.file_id.take() {
            let url = self.webdav.own(&address).map_err(StepError::target)?;
            self.webdav.delete(&url).await.map_err(StepError::target)?;
        }
        Ok(())
    }

    /// Collections and name of a recording's file.
    fn place(
        &self,
        call_start: Timestamp,
        row: &RecordingRow,
    ) -> Result<([String; 2], String), StepError> {
        let names = Names::new(&self.namespace);
        Ok((names.folders(call_start), names.file(row)?))
    }

    fn file(&self, [folder, day]: &[String; 2], name: &str) -> Result<Url, StepError> {
        self.webdav
            .url(&[folder, day, name])
            .map_err(StepError::target)
    }

    /// Where a file is written until it has arrived whole.
    fn part(&self, folders: &[String; 2], name: &str) -> Result<Url, StepError> {
        self.file(folders, &format!("{name}.part"))
    }

    /// Takes away what was stored of a recording under an earlier plan, or before staging was lost:
    /// other bytes have taken its place.
    pub(crate) async fn clear_stale(&self, row: &mut RecordingRow) -> Result<(), StepError> {
        if let Some(stale) = row
            .file_name
            .as_deref()
            .filter(|stale| row.file_id.as_deref() != Some(stale))
        {
            let url = self.webdav.own(stale).map_err(StepError::target)?;
            self.webdav.delete(&url).await.map_err(StepError::target)?;
        }
        row.file_name.clone_from(&row.file_id);
        Ok(())
    }

    async fn put(
        &self,
        clock: &Clock,
        folders: &[String; 2],
        part: &Url,
        url: &Url,
        upload: &Upload,
    ) -> Result<(), StepError> {
        let mut arrived = false;
        for tried in 0..TRIES {
            // What this run has seen arrive need not be sent again because its move was lost.
            if !arrived {
                self.make(folders).await?;
                match self.webdav.put(part, upload).await {
                    // Somebody has taken the collection away. Source: RFC 4918 section 9.7.1.
                    Err(CallError::Refused { status: 409, .. }) => {
                        self.unmake(folders);
                        continue;
                    }
                    other => other.map_err(StepError::target)?,
                }
                if !self.has(part, upload.length).await? {
                    continue;
                }
            }
            match self.webdav.rename(part, url).await {
                Ok(Moved::Done) => return Ok(()),
                // The bytes of an earlier run: their hash is in the name.
                Ok(Moved::Taken) if self.has(url, upload.length).await? => {
                    self.webdav.delete(part).await.map_err(StepError::target)?;
                    return Ok(());
                }
                Ok(Moved::Taken) => {
                    return Err(wrong(
                        url,
                        "something else lies there under this name; remove it",
                    ));
                }
                Ok(Moved::Absent) | Err(CallError::OutcomeUnknown { .. }) => {
                    if self.has(url, upload.length).await? {
                        return Ok(());
                    }
                    arrived = self.has(part, upload.length).await?;
                    clock.sleep(Duration::from_millis(250 << tried)).await;
                }
                Err(error) => return Err(StepError::target(error)),
            }
        }
        // The last move may have come through after all.
        if self.has(url, upload.length).await? {
            return Ok(());
        }
        Err(wrong(url, "it does not arrive whole, or does not stay"))
    }

    /// Makes the collections of a day, from the root down.
    async fn make(&self, folders: &[String; 2]) -> Result<(), StepError> {
        for depth in 1..=folders.len() {
            let key = folders[..depth].join("/");
            if self.is_known(&key) {
                continue;
            }
            let steps: Vec<&str> = folders[..depth].iter().map(String::as_str).collect();
            let url = self.webdav.url(&steps).map_err(StepError::target)?;
            self.webdav
                .make_collection(&url)
                .await
                .map_err(StepError::target)?;
            self.note(key);
        }
        Ok(())
    }

    fn unmake(&self, folders: &[String; 2]) {
        (1..=folders.len()).for_each(|depth| self.forget(&folders[..depth].join("/")));
    }

    /// Whether a file of this length lies there.
    async fn has(&self, url: &Url, length: u64) -> Result<bool, StepError> {
        let head = self.webdav.head(url).await.map_err(StepError::target)?;
        Ok(head.is_some_and(|head| head.length == Some(length)))
    }
}

fn stored_at(row: &mut RecordingRow, url: &Url) {
    row.file_id = Some(url.to_string());
    row.file_name.get_or_insert_with(|| url.to_string());
}

fn wrong(url: &Url, why: &str) -> StepError {
    StepError::InteractionFailed(RunError::Target(CallError::Malformed {
        what: format!("the file {}", url.path()),
        why: why.to_owned(),
    }))
}
