//! The ZIP an upload takes: the audio and `metadata.json`, both at top level. Source: the vendor's
//! sample for uploading recordings; the schema of `metadata.json` is not published, and stands in
//! `scenarios/contracts/genesys_cloud/upload_recording.json` as an assumption.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use md5::{Digest, Md5};
use platforms::OpenFile;
use serde::Serialize;
use tempfile::{SpooledData, SpooledTempFile};
use tokio_util::io::ReaderStream;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::events::RecordingUpload;
use crate::file_name::name_of;

/// `metadata.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    version: u32,
    conversation_id: &'a str,
    communication_id: &'a str,
    recording_id: &'a str,
    originating_recording_id: &'a str,
    start_time: &'a str,
    end_time: &'a str,
    file_name: &'a str,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_date: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    #[serde(rename = "type")]
    kind: &'static str,
    reason: &'static str,
    location: i64,
    duration_ms: i64,
}

/// What stands in the ZIP as audio.
pub(super) struct Audio<'a> {
    /// Name inside the ZIP.
    pub(super) file_name: &'a str,
    pub(super) media_type: &'a str,
    pub(super) length: u64,
}

/// A ZIP that is ready to go.
pub(super) struct Package {
    pub(super) length: u64,
    /// Base64 of the raw MD5.
    pub(super) md5: String,
    /// Opens it anew for each try.
    pub(super) open: OpenFile,
}

/// Packs audio in bounded memory: stored, not deflated, so that the same recording is the same
/// bytes. Blocking.
pub(super) fn package(
    audio: &Audio<'_>,
    source: &mut impl Read,
    conversation: &str,
    upload: &RecordingUpload,
    scratch: SpooledTempFile,
) -> std::io::Result<Package> {
    let pause = |(location, duration_ms): &(i64, i64)| Annotation {
        kind: "pause",
        reason: "SecurePause",
        location: *location,
        duration_ms: *duration_ms,
    };
    let metadata = Metadata {
        version: 1,
        conversation_id: conversation,
        communication_id: &upload.communication,
        recording_id: &upload.id,
        originating_recording_id: &upload.legacy_id,
        start_time: &upload.start,
        end_time: &upload.end,
        file_name: audio.file_name,
        media_type: audio.media_type,
        delete_date: upload.delete_date.as_deref(),
        annotations: upload.pauses_ms.iter().map(pause).collect(),
    };
    let mut zip = zip::ZipWriter::new(scratch);
    // The default date, not today's: a function of the recording alone.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(audio.length >= u64::from(u32::MAX));
    zip.start_file("metadata.json", options)?;
    zip.write_all(&serde_json::to_vec(&metadata)?)?;
    zip.start_file(audio.file_name, options)?;
    std::io::copy(source, &mut zip)?;
    let mut packed = zip.finish()?;
    let (length, md5) = measure(&mut packed)?;
    let open = match packed.into_inner() {
        SpooledData::InMemory(bytes) => from_memory(Bytes::from(bytes.into_inner())),
        SpooledData::OnDisk(file) => from_file(Arc::new(file)),
    };
    Ok(Package { length, md5, open })
}

fn measure(packed: &mut SpooledTempFile) -> std::io::Result<(u64, String)> {
    packed.seek(SeekFrom::Start(0))?;
    let (mut hash, mut length, mut buffer) = (Md5::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = packed.read(&mut buffer)?;
        if read == 0 {
            return Ok((
                length,
                base64::engine::general_purpose::STANDARD.encode(hash.finalize()),
            ));
        }
        hash.update(&buffer[..read]);
        length += read as u64;
    }
}

fn from_memory(bytes: Bytes) -> OpenFile {
    Arc::new(move || {
        let bytes = bytes.clone();
        async move { Ok(stream::once(async { Ok(bytes) }).boxed()) }.boxed()
    })
}

/// One try at a time: they share the file's place.
fn from_file(file: Arc<File>) -> OpenFile {
    Arc::new(move || {
        let file = file.clone();
        async move {
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(ReaderStream::with_capacity(tokio::fs::File::from_std(file), 256 * 1024).boxed())
        }
        .boxed()
    })
}

/// A name the upload takes: without white space and special characters. Source: UploadUrlRequest of
/// the platform API.
pub(super) fn plain_name(text: &str) -> String {
    name_of(text, |c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Cursor;

    use super::*;

    fn upload() -> RecordingUpload {
        RecordingUpload {
            legacy_id: "100001-1".to_owned(),
            id: "4ec00000-0000-4000-8000-000000000001".to_owned(),
            communication: "5e900000-0000-4000-8000-000000000003".to_owned(),
            start: "2023-10-27T10:00:12.000Z".to_owned(),
            end: "2023-10-27T10:02:40.000Z".to_owned(),
            delete_date: Some("2030-10-27T10:05:00.000Z".to_owned()),
            pauses_ms: vec![(61_000, 13_500)],
        }
    }

    /// In memory and, with no room there, on disk.
    async fn packed(room: usize) -> (Vec<u8>, String) {
        let audio = Audio {
            file_name: "a.mp3",
            media_type: "audio/mpeg",
            length: 5,
        };
        let scratch = SpooledTempFile::new(room);
        let package = package(
            &audio,
            &mut Cursor::new(b"sound"),
            "a2c1d6a0-0f0e-4b52-8a53-000000100001",
            &upload(),
            scratch,
        )
        .expect("a package");
        let mut bytes = Vec::new();
        for _try in 0..2 {
            bytes.clear();
            let mut pieces = (package.open)().await.expect("opens");
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece.expect("a piece"));
            }
            assert_eq!(bytes.len() as u64, package.length);
        }
        (bytes, package.md5)
    }

    #[tokio::test]
    async fn a_package_is_what_the_contract_says_and_the_same_each_time() {
        let (bytes, md5) = packed(1 << 20).await;
        assert_eq!((bytes.clone(), md5.clone()), packed(0).await);
        assert_eq!(
            md5,
            base64::engine::general_purpose::STANDARD.encode(Md5::digest(&bytes))
        );
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP");
        let names: Vec<String> = zip
            .file_names()
            .map(|name| name.expect("a name").into_owned())
            .collect();
        assert_eq!(names, ["metadata.json", "a.mp3"]);
        let mut text = String::new();
        zip.by_name("metadata.json")
            .expect("metadata")
            .read_to_string(&mut text)
            .expect("text");
        let contract: serde_json::Value = serde_json::from_str(include_str!(
            "../../../../../scenarios/contracts/genesys_cloud/upload_recording.json"
        ))
        .expect("the contract");
        let keys = |value: &serde_json::Value| {
            value
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        let written: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(keys(&written), keys(&contract["metadata"]));
        assert_eq!(written["annotations"], contract["metadata"]["annotations"]);
    }

    #[test]
    fn a_name_has_nothing_an_upload_refuses() {
        assert_eq!(plain_name("st-a b/..\\c{d}.é.zip"), "st-a_b_.._c_d_._.zip");
    }
}
