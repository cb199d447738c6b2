//! Exports that stand for a store: files and folders that somebody hands over where there is no ops
//! account. Source: docs/reference/gir.md, "Exports".

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use platforms::gir::wire::Recording;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use super::listing::{Lying, below, below_path};
use super::posts::Entry;
use super::stores_read::HandedOver;
use crate::run_error::RunError;
use crate::utc_millis::UtcMillis;

/// Folders within folders that are looked into: an archive lies four deep.
const DEEPEST: usize = 16;

/// RCS archives: recordings by id, each with the folder it lies in.
pub(super) struct Archive {
    pub(super) recordings: BTreeMap<String, (Recording, PathBuf)>,
    pub(super) told: HandedOver,
}

/// Files of the store, as a list or as the folder it is mounted on.
pub(super) struct Files {
    /// By their paths below the store's root.
    pub(super) files: BTreeMap<String, Lying>,
    /// Where their bytes lie. Absent: it is a list.
    pub(super) mount: Option<PathBuf>,
    pub(super) told: HandedOver,
}

/// What SpeechMiner has, by recording id.
pub(super) struct Rows {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) told: HandedOver,
}

/// `{"recording": {...}}` as read from the service, or the recording alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Enveloped { recording: Recording },
    Plain(Recording),
}

/// Reads `DIR/**/recording.json`.
pub(super) fn archive(dir: &Path, origin: Option<&str>) -> Result<Archive, RunError> {
    let mut recordings: BTreeMap<String, (Recording, PathBuf)> = BTreeMap::new();
    let mut seen = Seen::default();
    for file in walk(dir)?.into_iter().filter(|file| {
        file.file_name()
            .is_some_and(|name| name == "recording.json")
    }) {
        let bytes = std::fs::read(&file).map_err(|error| broken(&file, &error.to_string()))?;
        seen.add(
            &file,
            &format!("{} {} {}", inside(dir, &file), bytes.len(), hash(&bytes)),
        );
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| {
            not_a_recording(&file, serde_json::from_slice::<Recording>(&bytes).err())
        })?;
        let recording = match document {
            Document::Enveloped { recording } | Document::Plain(recording) => recording,
        };
        let folder = file.parent().unwrap_or(dir).to_owned();
        match recordings.get(&recording.id) {
            Some((known, elsewhere)) if *known != recording => {
                return Err(broken(
                    &file,
                    &format!(
                        "recording {} stands in {} too, with other content",
                        recording.id,
                        elsewhere.display()
                    ),
                ));
            }
            Some(_) => {}
            None => _ = recordings.insert(recording.id.clone(), (recording, folder)),
        }
    }
    if recordings.is_empty() {
        return Err(broken(
            dir,
            "no recording.json is in it; give the folder of an RCS archive",
        ));
    }
    Ok(Archive {
        recordings,
        told: seen.told("rws", dir, origin),
    })
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
pub(super) fn files(
    path: &Path,
    root: &Url,
    folder: &str,
    origin: Option<&str>,
) -> Result<Files, RunError> {
    if !path.is_dir() {
        return listing(path, root, origin);
    }
    let (mut files, mut seen) = (BTreeMap::new(), Seen::default());
    let here = path.join(folder);
    for file in if here.is_dir() {
        walk(&here)?
    } else {
        Vec::new()
    } {
        let bytes = std::fs::metadata(&file)
            .map_err(|error| broken(&file, &error.to_string()))?
            .len();
        let name = inside(path, &file);
        seen.add(&file, &format!("{name} {bytes}"));
        // When a copy was written says nothing about when the file was.
        files.insert(
            name,
            Lying {
                bytes: Some(bytes),
                written: None,
            },
        );
    }
    Ok(Files {
        files,
        mount: Some(path.to_owned()),
        told: seen.told("webdav", path, origin),
    })
}

/// `href,size[,sha256]`.
fn listing(path: &Path, root: &Url, origin: Option<&str>) -> Result<Files, RunError> {
    let (text, told) = whole("webdav", path, origin)?;
    let table = Table::read(path, &text, &["href", "size"], &["sha256"])?;
    let mut files = BTreeMap::new();
    for row in &table.rows {
        let href = row.text("href")?;
        let place = below(root, href).or_else(|| below_path(root, &super::listing::decoded(href)));
        let bytes = row.number("size")?;
        // A store has other folders than ours, and other hosts' files are nobody's here.
        if let Some(place) = place {
            files.insert(
                place,
                Lying {
                    bytes: Some(bytes),
                    written: None,
                },
            );
        }
    }
    if files.is_empty() && !table.rows.is_empty() {
        return Err(broken(
            path,
            &format!("none of its addresses is below {root}; check target.webdav_url"),
        ));
    }
    Ok(Files {
        files,
        mount: None,
        told,
    })
}

/// `externalId,callTime,callDuration,folder,filename`: one row a file, so a call that was posted
/// twice has each of its files twice.
pub(super) fn rows(path: &Path, origin: Option<&str>) -> Result<Rows, RunError> {
    let (text, told) = whole("speechminer", path, origin)?;
    let table = Table::read(
        path,
        &text,
        &[
            "externalId",
            "callTime",
            "callDuration",
            "folder",
            "filename",
        ],
        &[],
    )?;
    let mut files: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut starts: BTreeMap<String, UtcMillis> = BTreeMap::new();
    for row in &table.rows {
        let seconds = i64::try_from(row.number("callTime")?).unwrap_or(i64::MAX);
        starts.insert(
            row.text("externalId")?.to_owned(),
            UtcMillis::from_ms(seconds.saturating_mul(1000)),
        );
        row.seconds("callDuration")?;
        let file = format!("{}/{}", row.cell("folder"), row.cell("filename"));
        *files
            .entry((row.text("externalId")?.to_owned(), file))
            .or_default() += 1;
    }
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for ((id, file), count) in files {
        let entry = entries.entry(id).or_default();
        entry.posts = count.max(entry.posts);
        entry.files.insert(file);
    }
    for (id, start) in starts {
        if let Some(entry) = entries.get_mut(&id) {
            entry.start = Some(start);
        }
    }
    Ok(Rows { entries, told })
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

/// Every file below a folder, in order. Links are not followed.
fn walk(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let (mut files, mut level) = (BTreeSet::new(), vec![dir.to_owned()]);
    for _ in 0..DEEPEST {
        let mut deeper = Vec::new();
        for folder in level {
            let entries =
                std::fs::read_dir(&folder).map_err(|error| broken(&folder, &error.to_string()))?;
            for entry in entries {
                let entry = entry.map_err(|error| broken(&folder, &error.to_string()))?;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => deeper.push(entry.path()),
                    Ok(kind) if kind.is_file() => _ = files.insert(entry.path()),
                    _ => {}
                }
            }
        }
        level = deeper;
        if level.is_empty() {
            return Ok(files.into_iter().collect());
        }
    }
    Err(broken(dir, &format!("it is deeper than {DEEPEST} levels")))
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
    lines: Vec<String>,
    newest: Option<UtcMillis>,
}

impl Seen {
    fn add(&mut self, file: &Path, line: &str) {
        self.newest = self.newest.max(written(file));
        self.lines.push(format!("{line}\n"));
    }

    fn told(self, store: &str, path: &Path, origin: Option<&str>) -> HandedOver {
        told(
            store,
            path,
            origin,
            self.newest,
            hash(self.lines.concat().as_bytes()),
        )
    }
}

fn told(
    store: &str,
    path: &Path,
    origin: Option<&str>,
    date: Option<UtcMillis>,
    sha256: String,
) -> HandedOver {
    HandedOver {
        store: store.to_owned(),
        path: path.display().to_string(),
        date: date.map(|date| date.to_string()),
        origin: origin.map(str::to_owned),
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

fn whole(store: &str, path: &Path, origin: Option<&str>) -> Result<(String, HandedOver), RunError> {
    let bytes = std::fs::read(path).map_err(|error| broken(path, &error.to_string()))?;
    let told = told(store, path, origin, written(path), hash(&bytes));
    let text =
        String::from_utf8(bytes).map_err(|_| broken(path, "not UTF-8; export it as UTF-8"))?;
    Ok((text, told))
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn broken(path: &Path, why: &str) -> RunError {
    RunError::Plan(format!("{}: {why}", path.display()))
}

/// A CSV export.
struct Table<'a> {
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    file: &'a Path,
    line: u64,
    cells: BTreeMap<String, String>,
}

impl<'a> Table<'a> {
    fn read(
        file: &'a Path,
        text: &str,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Table<'a>, RunError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let at = |error: &csv::Error| {
            broken(
                file,
                &format!(
                    "line {}: {error}",
                    error.position().map_or(1, csv::Position::line)
                ),
            )
        };
        let headers: Vec<String> = reader
            .headers()
            .map_err(|error| at(&error))?
            .iter()
            .map(str::to_owned)
            .collect();
        let known = required.iter().chain(optional);
        if let Some(name) = required
            .iter()
            .find(|name| !headers.iter().any(|header| header == *name))
        {
            return Err(broken(
                file,
                &format!(
                    "line 1: the column `{name}` is missing; it has {}",
                    headers.join(", ")
                ),
            ));
        }
        if let Some(header) = headers
            .iter()
            .find(|header| !known.clone().any(|name| name == header))
        {
            return Err(broken(
                file,
                &format!("line 1: the column `{header}` is not known; leave it out"),
            ));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| at(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(Row {
                file,
                line,
                cells: headers
                    .iter()
                    .cloned()
                    .zip(record.iter().map(str::to_owned))
                    .collect(),
            });
        }
        Ok(Table { rows })
    }
}

impl Row<'_> {
    fn cell(&self, column: &str) -> &str {
        self.cells
            .get(column)
            .map(String::as_str)
            .unwrap_or_default()
    }

    fn text(&self, column: &str) -> Result<&str, RunError> {
        let cell = self.cell(column);
        if cell.is_empty() {
            Err(self.error(column, "is empty"))
        } else {
            Ok(cell)
        }
    }

    fn number(&self, column: &str) -> Result<u64, RunError> {
        self.text(column)?
            .parse()
            .map_err(|_| self.error(column, "is not a whole number"))
    }

    fn seconds(&self, column: &str) -> Result<f64, RunError> {
        let seconds: Option<f64> = self
            .text(column)?
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
        seconds.ok_or_else(|| self.error(column, "is not a number of seconds"))
    }

    fn error(&self, column: &str, what: &str) -> RunError {
        broken(self.file, &format!("line {}: `{column}` {what}", self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Url {
        Url::parse("https://store.test/recordings").expect("a URL")
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
        let archive = archive(dir.path(), Some("the vendor")).expect("an archive");
        assert_eq!(
            archive.recordings.keys().collect::<Vec<_>>(),
            ["st-acme-1", "st-acme-2"]
        );
        assert!(
            archive.told.sha256.len() == 64
                && archive.told.date.is_some()
                && archive.told.origin.as_deref() == Some("the vendor")
        );
        let folder = &archive.recordings["st-acme-1"].1;
        assert!(beside(folder, "https://store.test/recordings/x/a%20b.mp3").is_some());
        for address in [
            "https://store.test/recordings/x/other.mp3",
            "https://store.test/x/..%2frecording.json",
            "nothing",
        ] {
            assert!(beside(folder, address).is_none(), "{address}");
        }
    }

    #[test]
    fn a_list_of_files_is_read_by_address_or_path() {
        let dir = tempfile::tempdir().expect("a folder");
        let csv = "href,size,sha256\nhttps://store.test/recordings/st-acme/a.mp3,7,\n/recordings/st-acme/b%20c.mp3,8,00\n/elsewhere/x,1,\n";
        let read = files(
            &write(dir.path(), "files.csv", csv),
            &root(),
            "st-acme",
            None,
        )
        .expect("a list");
        assert_eq!(
            read.files.keys().collect::<Vec<_>>(),
            ["st-acme/a.mp3", "st-acme/b c.mp3"]
        );
        assert!(read.mount.is_none() && read.files["st-acme/a.mp3"].bytes == Some(7));
        write(dir.path(), "mount/st-acme/day/a.mp3", "sound");
        write(dir.path(), "mount/other/b.mp3", "sound");
        let read = files(&dir.path().join("mount"), &root(), "st-acme", None).expect("a mount");
        assert_eq!(read.files.keys().collect::<Vec<_>>(), ["st-acme/day/a.mp3"]);
    }

    #[test]
    fn a_call_posted_twice_has_its_files_twice() {
        let dir = tempfile::tempdir().expect("a folder");
        let csv = "externalId,callTime,callDuration,folder,filename\na,1,2.5,f,1.mp3\na,1,2.5,f,2.mp3\nb,1,2,f,3.mp3\nb,1,2,f,3.mp3\n";
        let read = rows(&write(dir.path(), "speechminer.csv", csv), None).expect("rows");
        let posts: Vec<(&str, u64, usize)> = read
            .entries
            .iter()
            .map(|(id, entry)| (id.as_str(), entry.posts, entry.files.len()))
            .collect();
        assert_eq!(posts, [("a", 1, 2), ("b", 2, 1)]);
    }

    #[test]
    fn bad_input_is_refused_with_its_file_and_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let told = |name: &str, text: &str| {
            let path = write(dir.path(), name, text);
            let error = match name {
                "speechminer.csv" => rows(&path, None).err(),
                "files.csv" => files(&path, &root(), "st-acme", None).err(),
                _ => archive(dir.path(), None).err(),
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
        assert!(
            rows(&dir.path().join("absent.csv"), None).is_err()
                && archive(&dir.path().join("absent"), None).is_err()
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_list_of_files_is_read_or_refused_with_its_file(text in "(\\PC|\n){0,80}", good in 0_usize..5, bytes in "[a-z -]{1,8}") {
            let dir = tempfile::tempdir().expect("a folder");
            let refused = |text: &str| files(&write(dir.path(), "files.csv", text), &root(), "st-acme", None).err().map(|stop| stop.to_string());
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
