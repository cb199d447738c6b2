//! The ZIP of an uploaded recording: taken apart within bounds, its audio put into the spool under
//! its hash. No name inside becomes a path.

use std::io::{Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::{
    super::{
        spool::{Gathered, Spool},
        stores::StoredFile,
    },
    metadata::Metadata,
};

/// Name of the description inside.
const METADATA: &str = "metadata.json";
/// Longest description, in bytes: a call with hundreds of pauses fits ten times over.
const METADATA_BYTES: u64 = 1024 * 1024;
/// Entries inside: the description and the audio.
const ENTRIES: usize = 2;
/// Bytes unpacked at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Length of a ZIP's end record without its comment, and the longest comment, in bytes. Source:
/// APPNOTE.TXT, section 4.3.16.
const END_RECORD_BYTES: u64 = 22;
const COMMENT_BYTES: u64 = u16::MAX as u64;

/// A recording taken out of its ZIP.
#[derive(Clone)]
pub(super) struct Unpacked {
    pub(super) metadata: Metadata,
    /// The audio, already in the spool.
    pub(super) audio: StoredFile,
}

/// Takes a ZIP apart. The error is a sentence for the upload report; nothing stays in the spool
/// then.
pub(super) fn unpack(zip: Gathered, spool: &Spool, most_bytes: u64) -> Result<Unpacked, String> {
    let broken =
        |error: &dyn std::fmt::Display| format!("the file is not a ZIP that can be read: {error}");
    let (mut file, _kept_so_long) = zip.into_source().map_err(|error| broken(&error))?;
    // The list of entries is held in memory by whoever opens a ZIP, so a hostile one is refused
    // before.
    let listed = listed_entries(&mut file).map_err(|error| broken(&error))?;
    if listed.is_none_or(|entries| usize::from(entries) != ENTRIES) {
        return Err(wrong_entries());
    }
    let mut archive = ZipArchive::new(file).map_err(|error| broken(&error))?;
    if archive.len() != ENTRIES {
        return Err(wrong_entries());
    }
    for at in 0..archive.len() {
        check_entry(&archive.by_index_raw(at).map_err(|error| broken(&error))?)?;
    }
    let metadata = read_metadata(&mut archive)?;
    let audio = archive
        .by_name(&metadata.file_name)
        .map_err(|_| format!("the ZIP has no audio [{}]", metadata.file_name))?;
    let (sha256, bytes) = spool_entry(audio, spool, most_bytes)?;
    let audio = StoredFile {
        name: metadata.file_name.clone(),
        content_type: metadata.media_type.clone(),
        bytes,
        sha256,
    };
    Ok(Unpacked { metadata, audio })
}

/// The number of entries that the end record states; none where there is no end record.
fn listed_entries(file: &mut (impl Read + Seek)) -> std::io::Result<Option<u16>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_bytes = length.min(END_RECORD_BYTES + COMMENT_BYTES);
    file.seek(SeekFrom::Start(length - tail_bytes))?;
    let mut tail = Vec::with_capacity(tail_bytes as usize);
    file.take(tail_bytes).read_to_end(&mut tail)?;
    file.rewind()?;
    let number = |at: usize| Some(u16::from_le_bytes(tail.get(at..at + 2)?.try_into().ok()?));
    // The signature may stand in the audio or in a comment too; the record ends with the file.
    let is_end = |at: &usize| {
        let comment = number(at + 20).map(usize::from);
        tail[*at..].starts_with(b"PK\x05\x06")
            && comment.is_some_and(|comment| at + 22 + comment == tail.len())
    };
    Ok((0..tail.len())
        .rev()
        .find(is_end)
        .and_then(|at| number(at + 10)))
}

fn wrong_entries() -> String {
    format!("the ZIP must have {METADATA} and one audio file at top level, and nothing else")
}

fn check_entry<R: Read>(entry: &zip::read::ZipFile<'_, R>) -> Result<(), String> {
    let name = entry
        .name()
        .map_err(|_| "an entry of the ZIP has a name that cannot be read".to_owned())?;
    let is_plain =
        !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != "..";
    if entry.is_dir() || entry.is_symlink() || !is_plain {
        return Err(format!(
            "[{}] is not a file at the top level of the ZIP",
            name.escape_default()
        ));
    }
    if entry.encrypted() {
        return Err(format!("[{name}] is encrypted"));
    }
    match entry.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        other => Err(format!(
            "[{name}] is compressed by {other}; use deflate or none"
        )),
    }
}

fn read_metadata(archive: &mut ZipArchive<impl Read + Seek>) -> Result<Metadata, String> {
    let entry = archive
        .by_name(METADATA)
        .map_err(|_| format!("the ZIP has no {METADATA} at top level"))?;
    let mut text = Vec::new();
    entry
        .take(METADATA_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("{METADATA} cannot be unpacked: {error}"))?;
    if text.len() as u64 > METADATA_BYTES {
        return Err(format!("{METADATA} is over {METADATA_BYTES} bytes"));
    }
    let metadata = Metadata::read(&text)?;
    if metadata.file_name == METADATA {
        return Err(format!("fileName names {METADATA} itself"));
    }
    Ok(metadata)
}

/// Unpacks the audio into the spool, never more than `most_bytes` whatever the entry claims; its
/// hash and length.
fn spool_entry(
    mut audio: impl Read,
    spool: &Spool,
    most_bytes: u64,
) -> Result<(String, u64), String> {
    let stored = |error: std::io::Error| {
        tracing::error!(%error, "failed to write a recording to the spool; free some space");
        "the audio could not be stored".to_owned()
    };
    let (mut gathering, mut chunk) = (spool.gather(), vec![0; CHUNK_BYTES]);
    loop {
        let read = audio
            .read(&mut chunk)
            .map_err(|error| format!("the audio cannot be unpacked: {error}"))?;
        if read == 0 {
            break;
        }
        gathering.take(&chunk[..read]).map_err(stored)?;
        if gathering.bytes() > most_bytes {
            return Err(format!("the audio is over {most_bytes} bytes unpacked"));
        }
    }
    if gathering.bytes() == 0 {
        return Err("the audio is empty".to_owned());
    }
    let whole = gathering.finish().map_err(stored)?;
    let (sha256, bytes) = (whole.sha256(), whole.bytes);
    spool.keep(whole).map_err(stored)?;
    Ok((sha256, bytes))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::json;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    const METADATA_ID: &str = "a2c1d6a0-0f0e-4b52-8a53-000000000001";

    fn package(audio: &[u8]) -> Vec<u8> {
        let metadata = json!({
            "version": 1, "conversationId": METADATA_ID, "communicationId": METADATA_ID,
            "recordingId": METADATA_ID, "startTime": "2023-07-27T10:00:12.123Z",
            "endTime": "2023-07-27T10:02:40.456Z", "fileName": "audio.mp3",
            "mediaType": "audio/mpeg",
        });
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in [
            (METADATA, metadata.to_string().as_bytes()),
            ("audio.mp3", audio),
        ] {
            writer
                .start_file(name, SimpleFileOptions::default())
                .expect("an entry");
            writer.write_all(bytes).expect("room");
        }
        writer.finish().expect("a ZIP").into_inner()
    }

    /// What a spool keeps of an upload, or why it is refused.
    fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::new(folder.path().join("spool"));
        let mut gathering = spool.gather();
        gathering.take(bytes).expect("room");
        let zip = gathering.finish().expect("a whole upload");
        match unpack(zip, &spool, 1024 * 1024) {
            Ok(whole) => Ok(spool.read(&whole.audio.sha256).expect("the audio")),
            Err(refusal) => {
                assert_eq!(spool.count(), (0, 0), "left behind by: {refusal}");
                Err(refusal)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn any_audio_is_unpacked_as_it_was_packed(audio in proptest::collection::vec(any::<u8>(), 1..4000)) {
            prop_assert_eq!(unpacked(&package(&audio)), Ok(audio));
        }

        /// Bytes changed, inserted or cut off at any place. A checksum covers the audio, so it is
        /// refused or whole.
        #[test]
        fn a_damaged_zip_is_refused_or_unpacked_whole(
            audio in proptest::collection::vec(any::<u8>(), 1..300),
            changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
            inserted in proptest::collection::vec(any::<u8>(), 0..30),
            at: Index,
            kept: Index,
            is_cut: bool,
        ) {
            let mut zip = package(&audio);
            for (at, byte) in changes {
                let at = at.index(zip.len());
                zip[at] = byte;
            }
            let at = at.index(zip.len());
            zip.splice(at..at, inserted);
            if is_cut {
                zip.truncate(kept.index(zip.len()));
            }
            match unpacked(&zip) {
                Ok(read) => prop_assert_eq!(read, audio),
                Err(refusal) => prop_assert!(!refusal.is_empty()),
            }
        }

        #[test]
        fn bytes_that_are_no_zip_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(unpacked(&bytes).is_err());
        }
    }
}
