//! Files of the recordings that were read beside what lies in the store, in the order of their
//! places there: what lies at each address, and which files no recording references.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::handed::id_key;
use super::listing::{Listed, Listing, Lying};
use super::reader::Reader;
use super::{FileSight, UnreferencedFile};
use crate::in_order::InOrder;
use crate::run_error::RunError;
use crate::sorted_records::{OwnedRecord, RecordSorter, SortedRecords, read};
use crate::utc_millis::UtcMillis;

/// A media file of a recording that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FileOfCall {
    /// The recording.
    pub(super) id: String,
    /// Its place among the recording's files.
    pub(super) index: u32,
    /// As stored.
    pub(super) address: String,
}

/// What lies at a media file's address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sight {
    pub(super) file: FileSight,
    /// When it was written. Absent: not told.
    pub(super) written: Option<UtcMillis>,
}

impl Sight {
    pub(super) fn without_a_look(file: FileSight) -> Sight {
        Sight {
            file,
            written: None,
        }
    }
}

/// By the recording's id and the file's place in it.
pub(super) fn sight_key(id: &str, index: u32) -> Vec<u8> {
    let mut key = id_key(id);
    key.extend(index.to_be_bytes());
    key
}

/// Files in the migration's folder that no recording which was read references.
#[derive(Debug, Default)]
pub(super) struct Unreferenced {
    /// Those that matter to what is judged.
    pub(super) files: Vec<UnreferencedFile>,
    /// Whether there is any, whosever it is.
    pub(super) is_any: bool,
    /// The path that was looked at last.
    last: String,
}

impl Reader<'_> {
    /// What lies at each file's address. `sights`: what is known of others already. `mine`:
    /// recordings of the source of which files are told. Absent: all are.
    pub(super) async fn look_at_files(
        &self,
        listing: &Listing,
        files: &SortedRecords<FileOfCall>,
        mut sights: RecordSorter<Sight>,
        mine: Option<&BTreeSet<String>>,
    ) -> Result<(SortedRecords<Sight>, Unreferenced), RunError> {
        let mut unreferenced = Unreferenced::default();
        let mut listed = match listing {
            Listing::Read(files) => Some(InOrder::new(&**files)),
            Listing::Unread(_) => None,
        };
        {
            let mut files = InOrder::new(files);
            let files = std::iter::from_fn(move || files.next_record().transpose());
            let looks = stream::iter(files).map(|file| {
                let found = file.and_then(|file| {
                    let lying = match &mut listed {
                        Some(listed) => self.lying(listed, &file, mine, &mut unreferenced)?,
                        None => None,
                    };
                    Ok((read::<FileOfCall>(&file.record)?, lying))
                });
                async {
                    let (file, lying) = found?;
                    let sight = match lying {
                        Some(lying) => Sight {
                            file: FileSight::There { bytes: lying.bytes },
                            written: lying.written,
                        },
                        None => self.look(&file.address).await?,
                    };
                    Ok::<_, RunError>((file, sight))
                }
            });
            let mut looks = looks.buffered(self.concurrency());
            while let Some(look) = looks.next().await {
                let (file, sight) = look?;
                sights.push(&sight_key(&file.id, file.index), &sight)?;
            }
        }
        if let Some(listed) = &mut listed {
            while let Some(stored) = listed.next_record()? {
                self.leave_over(&stored, mine, &mut unreferenced)?;
            }
        }
        Ok((sights.sorted()?, unreferenced))
    }

    /// What is listed at a file's place. Absent: nothing is.
    fn lying(
        &self,
        listed: &mut InOrder<'_, Listed>,
        file: &OwnedRecord,
        mine: Option<&BTreeSet<String>>,
        unreferenced: &mut Unreferenced,
    ) -> Result<Option<Lying>, RunError> {
        while let Some(passed_over) = listed.passed_over(&file.key)? {
            self.leave_over(&passed_over, mine, unreferenced)?;
        }
        Ok(listed.last(&file.key)?.map(|listed| listed.lying))
    }

    async fn look(&self, address: &str) -> Result<Sight, RunError> {
        let (file, lying) = self.target.store.look(address).await?;
        Ok(Sight {
            file,
            written: lying.written,
        })
    }

    /// What a broken upload left is nobody's. Source: docs/reference/gir.md, "Files".
    fn leave_over(
        &self,
        stored: &OwnedRecord,
        mine: Option<&BTreeSet<String>>,
        unreferenced: &mut Unreferenced,
    ) -> Result<(), RunError> {
        let Listed { path, .. } = read(&stored.record)?;
        let ids = &self.target.ids;
        // A list that was handed over has files of others too.
        let is_ours = path
            .strip_prefix(ids.folder())
            .is_some_and(|rest| rest.starts_with('/'));
        if !is_ours || path.ends_with(".part") || path == unreferenced.last {
            return Ok(());
        }
        unreferenced.is_any = true;
        unreferenced.last.clone_from(&path);
        let legacy_recording_id = ids.legacy_recording(path.rsplit('/').next().unwrap_or(&path));
        let is_mine = mine.is_none_or(|mine| {
            let id = legacy_recording_id.as_ref();
            id.is_some_and(|id| mine.contains(id))
        });
        if is_mine {
            unreferenced.files.push(UnreferencedFile {
                path,
                legacy_recording_id,
            });
        }
        Ok(())
    }
}
