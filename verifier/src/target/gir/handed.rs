//! Exports that stand for a store: files and folders that somebody hands over where there is no ops
//! account. Source: docs/reference/gir.md, "Exports".

use std::path::{Path, PathBuf};
use std::sync::Arc;

use platforms::gir::wire::Recording;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::export_table::Table;
use super::folder_walk::walk;
use super::listing::{Listed, below, below_path, place_key};
use super::posts::Entry;
use super::stores_read::HandedOver;
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords, text_key};
use crate::utc_millis::UtcMillis;

/// RCS archives: recordings by id.
pub(super) struct Archive {
    pub(super) recordings: SortedRecords<Archived>,
    pub(super) told: HandedOver,
}

/// A recording of an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Archived {
    id: String,
    /// As JSON.
    recording: String,
    /// Folder it lies in; bytes of its path.
    pub(super) folder: Vec<u8>,
}

/// Files of the store, as a list or as the folder it is mounted on.
pub(super) struct Files {
    /// By their paths below the store's root; of one that is listed twice the last counts.
    pub(super) files: Arc<SortedRecords<Listed>>,
    /// Where their bytes lie. Absent: it is a list.
    pub(super) mount: Option<PathBuf>,
    pub(super) told: HandedOver,
}

/// What SpeechMiner has, by recording id.
pub(super) struct Rows {
    pub(super) entries: SortedRecords<Entry>,
    pub(super) told: HandedOver,
}

/// What is handed over, and where room is for what does not fit in memory.
#[derive(Clone, Copy)]
pub(super) struct Export<'a> {
    pub(super) path: &'a Path,
    /// Who exported it. Absent: nobody said.
    pub(super) origin: Option<&'a str>,
    pub(super) spill: &'a Path,
}

/// `{"recording": {...}}` as read from the service, or the recording alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Enveloped { recording: Recording },
    Plain(Recording),
}

impl Archived {
    fn new(recording: &Recording, folder: &Path) -> Result<Archived, RunError> {
        Ok(Archived {
            id: recording.id.clone(),
            recording: serde_json::to_string(recording).map_err(|error| set_aside(&error))?,
            folder: path_bytes(folder),
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn recording(&self) -> Result<Recording, RunError> {
        serde_json::from_str(&self.recording).map_err(|error| set_aside(&error))
    }
}

fn set_aside(error: &serde_json::Error) -> RunError {
    RunError::Internal(format!("a recording of an archive: {error}"))
}

fn path_bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_owned()
}

/// Reads `DIR/**/recording.json`.
pub(super) fn archive(export: Export<'_>) -> Result<Archive, RunError> {
    let dir = export.path;
    let (mut found, mut seen) = (RecordSorter::<Archived>::new(export.spill), Seen::default());
    for file in walk(dir, export.spill)?.iter() {
        let file = dir.join(file?.path());
        if file.file_name().is_none_or(|name| name != "recording.json") {
            continue;
        }
        let bytes = std::fs::read(&file).map_err(|error| broken(&file, &error.to_string()))?;
        let line = format!("{} {} {}", inside(dir, &file), bytes.len(), hash(&bytes));
        seen.add(&file, &line);
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| {
            not_a_recording(&file, serde_json::from_slice::<Recording>(&bytes).err())
        })?;
        let recording = match document {
            Document::Enveloped { recording } | Document::Plain(recording) => recording,
        };
        let folder = file.parent().unwrap_or(dir);
        let archived = Archived::new(&recording, folder)?;
        found.push(&id_key(&recording.id), &archived)?;
    }
    let recordings = each_once(&found.sorted()?, export.spill)?;
    if recordings.len() == 0 {
        return Err(broken(
            dir,
            "no recording.json is in it; give the folder of an RCS archive",
        ));
    }
    Ok(Archive {
        recordings,
        told: seen.told("rws", export),
    })
}

/// A recording may stand in several folders, if it is the same in each.
fn each_once(
    found: &SortedRecords<Archived>,
    spill: &Path,
) -> Result<SortedRecords<Archived>, RunError> {
    let (mut recordings, mut first) = (RecordSorter::new(spill), None::<Archived>);
    for archived in found.iter() {
        let archived = archived?;
        let known = first.as_ref().filter(|first| first.id == archived.id);
        let Some(known) = known else {
            recordings.push(&id_key(&archived.id), &archived)?;
            first = Some(archived);
            continue;
        };
        if known.recording()? != archived.recording()? {
            return Err(broken(
                &path_of(&archived.folder).join("recording.json"),
                &format!(
                    "recording {} stands in {} too, with other content",
                    archived.id,
                    path_of(&known.folder).display()
                ),
            ));
        }
    }
    recordings.sorted()
}

/// A path by its bytes.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

/// Recordings by their ids.
pub(super) fn id_key(id: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text_key(id, &mut key);
    key
}

fn not_a_recording(file: &Path, error: Option<serde_json::Error>) -> RunError {
    match error {
        Some(error) => broken(
            file,
            &format!("line {}: not a recording: {error}", error.line().max(1)),
        ),
        None => broken(file, "not a recording"),
    }
}

/// Reads a list of files, or a folder that is the store's root. `folder` is the migration's, in the
/// store.
pub(super) fn files(export: Export<'_>, root: &Url, folder: &str) -> Result<Files, RunError> {
    let path = export.path;
    if !path.is_dir() {
        return listing(export, root);
    }
    let (mut files, mut seen) = (RecordSorter::of_small(export.spill), Seen::default());
    let here = path.join(folder);
    if here.is_dir() {
        for file in walk(&here, export.spill)?.iter() {
            let file = here.join(file?.path());
            let meta =
                std::fs::metadata(&file).map_err(|error| broken(&file, &error.to_string()))?;
            let name = inside(path, &file);
            seen.add(&file, &format!("{name} {}", meta.len()));
            files.push(&place_key(&name), &Listed::of_size(name, meta.len()))?;
        }
    }
    Ok(Files {
        files: Arc::new(files.sorted()?),
        mount: Some(path.to_owned()),
        told: seen.told("webdav", export),
    })
}

/// `href,size[,sha256]`.
fn listing(export: Export<'_>, root: &Url) -> Result<Files, RunError> {
    let mut table = Table::open(export.path, &["href", "size"], &["sha256"])?;
    let mut files = RecordSorter::of_small(export.spill);
    let mut is_empty = true;
    while let Some(row) = table.next_row()? {
        is_empty = false;
        let href = row.text("href")?;
        let place = below(root, href).or_else(|| below_path(root, &super::listing::decoded(href)));
        let bytes = row.number("size")?;
        // A store has other folders than ours, and other hosts' files are nobody's here.
        if let Some(place) = place {
            files.push(&place_key(&place), &Listed::of_size(place, bytes))?;
        }
    }
    let files = files.sorted()?;
    if files.len() == 0 && !is_empty {
        return Err(broken(
            export.path,
            &format!("none of its addresses is below {root}; check target.webdav_url"),
        ));
    }
    Ok(Files {
        files: Arc::new(files),
        mount: None,
        told: told("webdav", export, written(export.path), table.sha256()?),
    })
}

/// A row of SpeechMiner's export.
#[derive(Serialize, Deserialize)]
struct PostedFile {
    id: String,
    /// Address of the file.
    file: String,
    start_s: i64,
}

/// `externalId,callTime,callDuration,folder,filename`: one row a file, so a call that was posted
/// twice has each of its files twice.
pub(super) fn rows(export: Export<'_>) -> Result<Rows, RunError> {
    let columns = [
        "externalId",
        "callTime",
        "callDuration",
        "folder",
        "filename",
    ];
    let mut table = Table::open(export.path, &columns, &[])?;
    let mut found = RecordSorter::of_small(export.spill);
    while let Some(row) = table.next_row()? {
        let start_s = i64::try_from(row.number("callTime")?).unwrap_or(i64::MAX);
        let id = row.text("externalId")?.to_owned();
        row.seconds("callDuration")?;
        let file = format!("{}/{}", row.cell("folder"), row.cell("filename"));
        found.push(&id_key(&id), &PostedFile { id, file, start_s })?;
    }
    Ok(Rows {
        entries: entries(&found.sorted()?, export.spill)?,
        told: told("speechminer", export, written(export.path), table.sha256()?),
    })
}

/// One for each recording; its rows follow one another.
fn entries(
    rows: &SortedRecords<PostedFile>,
    spill: &Path,
) -> Result<SortedRecords<Entry>, RunError> {
    let mut entries = RecordSorter::of_small(spill);
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let row = row?;
        let (mut entry, mut times) = (Entry::new(&row.id), std::collections::BTreeMap::new());
        let mut next = Some(row);
        while let Some(row) = next.take() {
            entry.start = Some(UtcMillis::from_ms(row.start_s.saturating_mul(1000)));
            *times.entry(row.file).or_insert(0_u64) += 1;
            let is_its = |other: &Result<PostedFile, RunError>| {
                other.as_ref().map_or(true, |other| other.id == entry.id)
            };
            next = rows.next_if(is_its).transpose()?;
        }
        entry.posts = times.values().copied().max().unwrap_or(0);
        entry.files = times.into_keys().collect();
        entries.push(&id_key(&entry.id), &entry)?;
    }
    entries.sorted()
}

/// Bytes of a media file that lies beside its `recording.json`. `None`: it does not.
pub(super) fn beside(folder: &Path, address: &str) -> Option<PathBuf> {
    let name = super::listing::decoded(Url::parse(address).ok()?.path().rsplit('/').next()?);
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let file = folder.join(name);
    (is_name && is_plain(&file)).then_some(file)
}

/// A file of its own, not a link that leads elsewhere.
fn is_plain(file: &Path) -> bool {
    std::fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file())
}

fn inside(dir: &Path, file: &Path) -> String {
    let steps = file
        .strip_prefix(dir)
        .unwrap_or(file)
        .components()
        .map(|step| step.as_os_str().to_string_lossy().into_owned());
    steps.collect::<Vec<String>>().join("/")
}

/// What was read of a folder, for the report.
#[derive(Default)]
struct Seen {
    lines: Sha256,
    newest: Option<UtcMillis>,
}

impl Seen {
    fn add(&mut self, file: &Path, line: &str) {
        self.newest = self.newest.max(written(file));
        self.lines.update(line);
        self.lines.update("\n");
    }

    fn told(self, store: &str, export: Export<'_>) -> HandedOver {
        let sha256 = hex::encode(self.lines.finalize());
        told(store, export, self.newest, sha256)
    }
}

fn told(store: &str, export: Export<'_>, date: Option<UtcMillis>, sha256: String) -> HandedOver {
    HandedOver {
        store: store.to_owned(),
        path: export.path.display().to_string(),
        date: date.map(|date| date.to_string()),
        origin: export.origin.map(str::to_owned),
        sha256,
    }
}

/// When a file was last written. `None`: the file system does not say.
fn written(file: &Path) -> Option<UtcMillis> {
    let modified = std::fs::metadata(file).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis())
        .ok()
        .map(UtcMillis::from_ms)
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(super) fn broken(path: &Path, why: &str) -> RunError {
    RunError::Plan(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Url {
        Url::parse("https://store.test/recordings").expect("a URL")
    }

    fn export<'a>(path: &'a Path, spill: &'a Path) -> Export<'a> {
        Export {
            path,
            origin: None,
            spill,
        }
    }

    fn all<T: Serialize + serde::de::DeserializeOwned>(records: &SortedRecords<T>) -> Vec<T> {
        records.iter().map(|record| record.expect("read")).collect()
    }

    fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    #[test]
    fn an_archive_holds_a_recording_a_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        write(
            dir.path(),
            "cc/tenant/2023-10-27/st-acme-1/recording.json",
            r#"{"id":"st-acme-1","mediaFiles":[]}"#,
        );
        write(
            dir.path(),
            "cc/tenant/2023-10-27/st-acme-1/a b.mp3",
            "sound",
        );
        write(
            dir.path(),
            "cc/tenant/2023-10-28/st-acme-2/recording.json",
            r#"{"statusCode":0,"recording":{"id":"st-acme-2"}}"#,
        );
        write(
            dir.path(),
            "copy/recording.json",
            r#"{"id":"st-acme-1","mediaFiles":[]}"#,
        );
        let spill = tempfile::tempdir().expect("a folder");
        let archive = archive(Export {
            origin: Some("the vendor"),
            ..export(dir.path(), spill.path())
        })
        .expect("an archive");
        let recordings: Vec<Archived> = all(&archive.recordings);
        let ids: Vec<&str> = recordings.iter().map(Archived::id).collect();
        assert_eq!(ids, ["st-acme-1", "st-acme-2"]);
        assert!(
            archive.told.sha256.len() == 64
                && archive.told.date.is_some()
                && archive.told.origin.as_deref() == Some("the vendor")
        );
        let folder = path_of(&recordings[0].folder);
        assert!(beside(&folder, "https://store.test/recordings/x/a%20b.mp3").is_some());
        for address in [
            "https://store.test/recordings/x/other.mp3",
            "https://store.test/x/..%2frecording.json",
            "nothing",
        ] {
            assert!(beside(&folder, address).is_none(), "{address}");
        }
    }

    #[test]
    fn a_list_of_files_is_read_by_address_or_path() {
        let dir = tempfile::tempdir().expect("a folder");
        let csv = "href,size,sha256\nhttps://store.test/recordings/st-acme/a.mp3,7,\n/recordings/st-acme/b%20c.mp3,8,00\n/elsewhere/x,1,\n";
        let spill = tempfile::tempdir().expect("a folder");
        let list = write(dir.path(), "files.csv", csv);
        let read = files(export(&list, spill.path()), &root(), "st-acme").expect("a list");
        let listed: Vec<Listed> = all(&read.files);
        let paths = |listed: &[Listed]| -> Vec<String> {
            listed.iter().map(|listed| listed.path.clone()).collect()
        };
        assert_eq!(paths(&listed), ["st-acme/a.mp3", "st-acme/b c.mp3"]);
        assert!(read.mount.is_none() && listed[0].lying.bytes == Some(7));
        write(dir.path(), "mount/st-acme/day/a.mp3", "sound");
        write(dir.path(), "mount/other/b.mp3", "sound");
        let mount = dir.path().join("mount");
        let read = files(export(&mount, spill.path()), &root(), "st-acme").expect("a mount");
        assert_eq!(paths(&all(&read.files)), ["st-acme/day/a.mp3"]);
    }

    #[test]
    fn a_call_posted_twice_has_its_files_twice() {
        let dir = tempfile::tempdir().expect("a folder");
        let csv = "externalId,callTime,callDuration,folder,filename\na,1,2.5,f,1.mp3\na,1,2.5,f,2.mp3\nb,1,2,f,3.mp3\nb,1,2,f,3.mp3\n";
        let spill = tempfile::tempdir().expect("a folder");
        let file = write(dir.path(), "speechminer.csv", csv);
        let read = rows(export(&file, spill.path())).expect("rows");
        let entries: Vec<Entry> = all(&read.entries);
        let posts: Vec<(&str, u64, usize)> = entries
            .iter()
            .map(|entry| (entry.id.as_str(), entry.posts, entry.files.len()))
            .collect();
        assert_eq!(posts, [("a", 1, 2), ("b", 2, 1)]);
    }

    #[test]
    fn bad_input_is_refused_with_its_file_and_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let spill = tempfile::tempdir().expect("a folder");
        let told = |name: &str, text: &str| {
            let path = write(dir.path(), name, text);
            let error = match name {
                "speechminer.csv" => rows(export(&path, spill.path())).err(),
                "files.csv" => files(export(&path, spill.path()), &root(), "st-acme").err(),
                _ => archive(export(dir.path(), spill.path())).err(),
            };
            let _ = std::fs::remove_file(&path);
            error.map(|stop| stop.to_string()).unwrap_or_default()
        };
        let row = "externalId,callTime,callDuration,folder,filename\n";
        for (name, text, wanted) in [
            (
                "files.csv",
                "href,bytes\n",
                "line 1: the column `size` is missing",
            ),
            (
                "files.csv",
                "href,size,owner\n",
                "line 1: the column `owner` is not known",
            ),
            (
                "files.csv",
                "href,size\n/recordings/a,7\n/recordings/b,many\n",
                "line 3: `size` is not a whole number",
            ),
            (
                "files.csv",
                "href,size\nhttps://other.test/a,7\n",
                "none of its addresses is below",
            ),
            ("files.csv", "href,size\n\"a,7\n", "line "),
            (
                "speechminer.csv",
                &format!("{row},1,1,f,n\n"),
                "line 2: `externalId` is empty",
            ),
            (
                "speechminer.csv",
                &format!("{row}a,1,NaN,f,n\n"),
                "line 2: `callDuration` is not a number of seconds",
            ),
            ("speechminer.csv", &format!("{row}a,1\n"), "line 2"),
            (
                "x/recording.json",
                "{\n\"id\": 7\n}",
                "line 2: not a recording",
            ),
            ("x/recording.json", "<html>", "line 1: not a recording"),
            ("x/other.json", "{}", "no recording.json is in it"),
        ] {
            let told = told(name, text);
            assert!(
                told.contains(wanted) && told.contains(dir.path().to_str().expect("a path")),
                "{name} {text}: {told}"
            );
        }
        let absent = dir.path().join("absent");
        assert!(
            rows(export(&absent, spill.path())).is_err()
                && archive(export(&absent, spill.path())).is_err()
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_list_of_files_is_read_or_refused_with_its_file(text in "(\\PC|\n){0,80}", good in 0_usize..5, bytes in "[a-z -]{1,8}") {
            let dir = tempfile::tempdir().expect("a folder");
            let spill = tempfile::tempdir().expect("a folder");
            let refused = |text: &str| {
                let file = write(dir.path(), "files.csv", text);
                files(export(&file, spill.path()), &root(), "st-acme").err().map(|stop| stop.to_string())
            };
            for text in [&text, &format!("href,size\n{text}")] {
                if let Some(refused) = refused(text) {
                    proptest::prop_assert!(refused.contains("files.csv"), "{}", refused);
                }
            }
            let rows = "/recordings/st-acme/a.mp3,7\n".repeat(good);
            let refused = refused(&format!("href,size\n{rows}/recordings/st-acme/b.mp3,{bytes}\n")).unwrap_or_default();
            proptest::prop_assert!(refused.contains(&format!("line {}: `size`", good + 2)), "{}", refused);
        }
    }
}
