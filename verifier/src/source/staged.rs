//! The source as a migrator staged it: `raw/<legacy_interaction_id>.json` and `blob/<sha256>`.
//! Source: docs/reference/staging.md.

use std::collections::BTreeMap;
use std::path::Path as FsPath;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use plan::{LoadedPlan, StagingPlace};
use platforms::object_storage::{self, StoreOptions};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    AnswerFormat, Extensions, Listed, MediaRead, Only, Source, SourceFormat, SourceInteraction,
    SourceRecording, StagedAnswer, StagedMedia,
};
use crate::options::{Progress, Stage};
use crate::run_error::RunError;
use crate::text::Text;

/// Staging, opened.
pub(super) struct Staged {
    store: Arc<dyn ObjectStore>,
    root: Path,
    trusted: bool,
    format: Arc<dyn SourceFormat>,
}

#[derive(Deserialize)]
struct RawFile<'a> {
    staging_version: u32,
    #[serde(borrow)]
    interaction: RawInteraction<'a>,
    #[serde(borrow, default)]
    recordings: Vec<RawRecording<'a>>,
}

#[derive(Deserialize)]
struct RawInteraction<'a> {
    #[serde(borrow)]
    entity: &'a RawValue,
}

#[derive(Deserialize)]
struct RawRecording<'a> {
    #[serde(default)]
    request: String,
    #[serde(borrow)]
    body: &'a RawValue,
    media: Option<RawMedia>,
}

#[derive(Deserialize)]
struct RawMedia {
    sha256: String,
    bytes: u64,
    #[serde(default)]
    headers: BTreeMap<String, serde_json::Value>,
}

impl Staged {
    /// The plan's staging, or another one. `format`: of the source it was staged from.
    pub(super) fn of(
        loaded: &LoadedPlan,
        format: Arc<dyn SourceFormat>,
        url: Option<&str>,
    ) -> Result<Staged, RunError> {
        let trusted = loaded.plan.rules.trust_staging;
        match loaded.staging_place(url).map_err(RunError::Plan)? {
            StagingPlace::Folder(folder) => Staged::in_folder(&folder, trusted, format),
            StagingPlace::ObjectStore(url) => Ok(Staged {
                store: opened(&url, loaded)?,
                root: Path::default(),
                trusted,
                format,
            }),
        }
    }

    /// `trusted`: take bytes for the source's where the source gave no size to hold them against.
    fn in_folder(
        folder: &FsPath,
        trusted: bool,
        format: Arc<dyn SourceFormat>,
    ) -> Result<Staged, RunError> {
        let unusable = |error: &dyn std::fmt::Display| {
            RunError::Plan(format!("staging.url `{}`: {error}", folder.display()))
        };
        let absolute = std::path::absolute(folder).map_err(|error| unusable(&error))?;
        Ok(Staged {
            store: Arc::new(LocalFileSystem::new()),
            root: Path::from_absolute_path(absolute).map_err(|error| unusable(&error))?,
            trusted,
            format,
        })
    }

    /// Staged bytes are believed only under their own hash, and at the size the source gave.
    async fn blob(&self, recording: &SourceRecording) -> MediaRead {
        let Some(staged) = &recording.staged else {
            return MediaRead::Unreadable(
                "no audio was staged for it; verify with the live source".to_owned(),
            );
        };
        let declared = recording
            .details
            .as_ref()
            .ok()
            .and_then(|details| details.size_bytes)
            .or(staged.announced);
        if declared.is_none() && !self.trusted {
            return MediaRead::Unreadable(
                "the source gave no size to hold the staged audio against; set rules.trust_staging \
                 or verify with the live source"
                    .to_owned(),
            );
        }
        let bytes = match self
            .read(&self.root.clone().join("blob").join(staged.sha256.as_str()))
            .await
        {
            Ok(bytes) => bytes,
            // The same words for every file: what is needed is said once for all of them, and
            // recordings.csv names each.
            Err(object_store::Error::NotFound { .. }) => {
                return MediaRead::Unreadable(
                    "its audio, which is no longer in the staging; verify with the live source"
                        .to_owned(),
                );
            }
            Err(error) => {
                return MediaRead::Unreadable(format!("its staged audio cannot be read: {error}"));
            }
        };
        match mismatch(&bytes, staged, declared) {
            Some(why) => MediaRead::Unreadable(why),
            None => MediaRead::Bytes(bytes, None),
        }
    }

    async fn read(&self, path: &Path) -> object_store::Result<Vec<u8>> {
        Ok(self.store.get(path).await?.bytes().await?.to_vec())
    }
}

#[async_trait(?Send)]
impl Source for Staged {
    async fn list(
        &self,
        only: Only<'_>,
        concurrency: usize,
        listed: &mut Listed,
        progress: &dyn Progress,
    ) -> Result<Extensions, RunError> {
        progress.begin(Stage::Source, None);
        let unreadable = |error: &object_store::Error| {
            RunError::Source(format!(
                "cannot read the staging: {error}; check staging.url"
            ))
        };
        let folder = self.root.clone().join("raw");
        let mut files: Vec<Path> = self
            .store
            .list(Some(&folder))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|error| unreadable(&error))?;
        files.retain(|file| file.extension() == Some("json"));
        files.sort();
        // In the order of the files, however many are read at once.
        let reads = files.iter().map(async |file| (file, self.read(file).await));
        let mut reads = stream::iter(reads).buffered(concurrency.max(1));
        while let Some((file, bytes)) = reads.next().await {
            let bytes = bytes.map_err(|error| unreadable(&error))?;
            let interaction =
                parse(&*self.format, file, &bytes).unwrap_or_else(|why| unread(file, &why));
            if only.is_none_or(|only| only.contains(interaction.listed.id.as_str())) {
                listed.add(&interaction)?;
            }
            progress.advance(1);
        }
        Ok(Extensions::new())
    }

    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError> {
        Ok(self.blob(recording).await)
    }
}

/// The plan's object store.
fn opened(url: &Url, loaded: &LoadedPlan) -> Result<Arc<dyn ObjectStore>, RunError> {
    let staging = &loaded.plan.staging;
    let unusable = |why: String| {
        RunError::Plan(format!(
            "cannot open the staging {url}: {why}; check [staging]"
        ))
    };
    let settings = loaded.store_settings();
    let options = StoreOptions {
        settings: settings.map_err(|error| unusable(error.to_string()))?,
        ca: staging.ca.as_ref().map(|file| loaded.resolve_path(file)),
        plain_http: staging.plain_http,
    };
    object_storage::open(url, &options).map_err(unusable)
}

/// Why staged bytes are not the source's.
fn mismatch(bytes: &[u8], staged: &StagedMedia, declared: Option<u64>) -> Option<String> {
    let size = bytes.len() as u64;
    if hex::encode(Sha256::digest(bytes)) != staged.sha256 || size != staged.bytes {
        return Some("its staged audio was altered after it was hashed; stage it again".to_owned());
    }
    match declared {
        Some(declared) if declared != size => Some(format!(
            "its staged audio has {size} bytes where the source declares {declared}; verify with \
             the live source"
        )),
        _ => None,
    }
}

/// A staged file that is no staged file any more: its call is known by the file's name alone.
fn unread(file: &Path, why: &str) -> SourceInteraction {
    let stem = file
        .filename()
        .unwrap_or_default()
        .trim_end_matches(".json");
    let id = percent_encoding::percent_decode_str(stem)
        .decode_utf8_lossy()
        .into_owned();
    let why = format!("the staged file {file}: {why}; stage the call again");
    SourceInteraction::unread(id, why)
}

fn parse(
    format: &dyn SourceFormat,
    file: &Path,
    bytes: &[u8],
) -> Result<SourceInteraction, String> {
    let raw: RawFile<'_> = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is no staged call, at line {}", error.line()))?;
    if raw.staging_version != 1 {
        return Err(format!(
            "staging_version {} is not known",
            raw.staging_version
        ));
    }
    let answers = raw.recordings.iter().map(|recording| StagedAnswer {
        request: &recording.request,
        body: recording.body.get(),
        media: recording.media.as_ref().map(|media| StagedMedia {
            announced: announced(media),
            sha256: media.sha256.as_str().into(),
            bytes: media.bytes,
        }),
    });
    Ok(format.call(
        raw.interaction.entity.get(),
        answers.collect(),
        &format!("staged file {file}"),
    ))
}

impl<T: AnswerFormat> SourceFormat for T {
    fn call(&self, entity: &str, answers: Vec<StagedAnswer<'_>>, place: &str) -> SourceInteraction {
        let call = self.interaction(entity, place);
        if call.unread.is_some() {
            return call;
        }
        let mut staged: BTreeMap<Text, SourceRecording> = BTreeMap::new();
        for answer in answers {
            let asked = self.asked_for(answer.request).map(Text::from);
            let details = self.recording(answer.body);
            let Some(id) =
                asked.or_else(|| details.as_ref().ok().map(|details| details.id.clone()))
            else {
                continue;
            };
            let details = details.map_err(|error| {
                format!(
                    "the staged record of recording {id} in another form ({error}); stage it again"
                )
            });
            staged.insert(
                id.clone(),
                SourceRecording {
                    id,
                    details,
                    staged: answer.media,
                },
            );
        }
        let recordings = call
            .listed
            .recordings
            .iter()
            .map(|(id, _)| staged.remove(id).unwrap_or_else(|| never_staged(id)))
            .collect();
        SourceInteraction { recordings, ..call }
    }
}

/// A recording that a call lists, and of which nothing was staged.
fn never_staged(id: &str) -> SourceRecording {
    SourceRecording {
        id: id.into(),
        details: Err(format!(
            "recording {id} staged: it never was; verify with the live source"
        )),
        staged: None,
    }
}

/// The full size the media answer announced; the last number of a `content-range` where it was a
/// part.
fn announced(media: &RawMedia) -> Option<u64> {
    let header = |name: &str| {
        media
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str())
    };
    match header("content-range") {
        Some(range) => range.rsplit('/').next()?.parse().ok(),
        None => header("content-length")?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Silent;

    const RAW: &str = r#"{"staging_version":1,
        "interaction":{"request":"GET /api/v2/analytics/interactions/query","headers":{},"entity":{"id":100001,"startTime":1,"endTime":2,"recordings":[{"id":"100001-1"},{"id":"100001-2"}]}},
        "recordings":[{"request":"GET /api/v2/recordings/100001-1","headers":{},"body":{"id":"100001-1","interactionId":100001,"startTime":1,"endTime":2,"sizeBytes":SIZE},
                       "media":{"sha256":"HASH","bytes":4,"headers":{"content-length":"4"}}}]}"#;

    async fn staging(size: &str, blob: &[u8]) -> (tempfile::TempDir, Staged) {
        let dir = tempfile::tempdir().expect("a folder");
        let hash = hex::encode(Sha256::digest(b"abcd"));
        std::fs::create_dir_all(dir.path().join("raw")).expect("raw");
        std::fs::create_dir_all(dir.path().join("blob")).expect("blob");
        std::fs::write(
            dir.path().join("raw/100001.json"),
            RAW.replace("SIZE", size).replace("HASH", &hash),
        )
        .expect("raw file");
        std::fs::write(dir.path().join("blob").join(&hash), blob).expect("blob");
        let format = Arc::new(super::super::legacy::LegacyFormat);
        let staged = Staged::in_folder(dir.path(), false, format).expect("open");
        (dir, staged)
    }

    async fn first(staged: &Staged) -> SourceInteraction {
        let dir = tempfile::tempdir().expect("a folder");
        let listing = super::super::snapshot(staged, None, 1, dir.path(), &Silent);
        let (interactions, _) = listing.await.expect("a snapshot");
        let first = interactions.iter().next().expect("a call");
        first.expect("read")
    }

    #[tokio::test]
    async fn staged_answers_are_read_verbatim_and_blobs_by_their_hash() {
        let (_dir, staged) = staging("4", b"abcd").await;
        let recordings = first(&staged).await.recordings;
        assert!(
            matches!(staged.blob(&recordings[0]).await, MediaRead::Bytes(bytes, _) if bytes == b"abcd")
        );
        assert!(
            recordings[1].details.is_err(),
            "a recording that was never staged is not verifiable"
        );
    }

    #[tokio::test]
    async fn an_altered_blob_is_never_taken_for_the_source() {
        let (_dir, staged) = staging("4", b"abce").await;
        let call = first(&staged).await;
        assert!(
            matches!(staged.blob(&call.recordings[0]).await, MediaRead::Unreadable(why) if why.contains("altered"))
        );
    }

    #[tokio::test]
    async fn audio_that_is_gone_from_the_staging_is_needed_in_words_that_name_no_path() {
        let (dir, staged) = staging("4", b"abcd").await;
        let call = first(&staged).await;
        std::fs::remove_dir_all(dir.path().join("blob")).expect("removed");
        let MediaRead::Unreadable(why) = staged.blob(&call.recordings[0]).await else {
            panic!("it is gone")
        };
        assert_eq!(
            why,
            "its audio, which is no longer in the staging; verify with the live source"
        );
    }

    #[tokio::test]
    async fn a_blob_of_another_size_than_the_source_declares_is_not_verifiable() {
        let (_dir, staged) = staging("5", b"abcd").await;
        let call = first(&staged).await;
        assert!(
            matches!(staged.blob(&call.recordings[0]).await, MediaRead::Unreadable(why) if why.contains("declares 5"))
        );
    }
}
