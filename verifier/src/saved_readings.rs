//! Readings of a verification that did not come to its end, kept beside the report, so that the
//! next one goes on where it was.
//!
//! What is kept is what the target's limit makes slow: one request for each call. The target says
//! what is kept of an answer: ids, times and states where that is all the request tells; all that is
//! compared, numbers and user names among it, where one request tells all of a call. So the file is
//! its owner's alone, and gone when the report is written. What was absent or could not be read is
//! asked for again. Sound is compared anew, because downloads are under no limit and a comparison is
//! worth more than its memory.
//!
//! Readings from before lie in sorted runs, and are looked up in the order of their keys.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::in_order::InOrder;
use crate::observed::{MarkedPause, TargetRecording, TimeReading};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords, text_key};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

const FILE: &str = ".kept.jsonl";
const VERSION: u32 = 3;
/// Readings of yesterday say little about today.
const OLDEST_MS: i64 = 24 * 3_600_000;
/// A longer line is no reading of a call: what clients read is limited to a few megabytes.
const LONGEST_LINE: u64 = 16 << 20;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    /// Hash of the plan and every file it names.
    plan: String,
    begun: UtcMillis,
}

/// Every other line: what a request has told.
#[derive(Serialize, Deserialize)]
struct Line<'a, R> {
    /// Name of the operation.
    operation: std::borrow::Cow<'a, str>,
    /// What it was asked for.
    key: std::borrow::Cow<'a, str>,
    reading: R,
}

/// What any platform tells of a recording, and is kept of it: ids, times and states, and nothing
/// that only one platform tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedRecording {
    id: Text,
    conversation_id: Text,
    start: TimeReading,
    end: TimeReading,
    pub(crate) file_state: Option<Text>,
    delete_at: Option<UtcMillis>,
    created: Option<UtcMillis>,
    pauses: Vec<MarkedPause>,
    users: Vec<Text>,
    session: Option<Text>,
    #[serde(default)]
    originating_id: Option<Text>,
}

impl SavedRecording {
    pub(crate) fn all_of(recordings: &[TargetRecording]) -> Vec<SavedRecording> {
        recordings.iter().map(SavedRecording::from).collect()
    }
}

impl From<&TargetRecording> for SavedRecording {
    fn from(recording: &TargetRecording) -> SavedRecording {
        let recording = recording.clone();
        SavedRecording {
            id: recording.id,
            conversation_id: recording.conversation_id,
            start: recording.start,
            end: recording.end,
            file_state: recording.file_state,
            delete_at: recording.delete_at,
            created: recording.created,
            pauses: recording.pauses,
            users: recording.users,
            session: recording.session,
            originating_id: recording.originating_id,
        }
    }
}

impl From<SavedRecording> for TargetRecording {
    fn from(saved: SavedRecording) -> TargetRecording {
        TargetRecording {
            id: saved.id,
            conversation_id: saved.conversation_id,
            start: saved.start,
            end: saved.end,
            file_state: saved.file_state,
            delete_at: saved.delete_at,
            created: saved.created,
            pauses: saved.pauses,
            users: saved.users,
            session: saved.session,
            originating_id: saved.originating_id,
            ..TargetRecording::default()
        }
    }
}

/// Readings from before, and where the present ones go.
#[derive(Debug, Default)]
pub(crate) struct SavedReadings {
    /// As JSON, by operation and key.
    before: SortedRecords<String>,
    counts: BTreeMap<String, u64>,
    to: Option<Writer>,
    notice: Option<String>,
}

/// The file, made with the first reading: a verification that reads nothing leaves nothing.
#[derive(Debug)]
struct Writer {
    path: PathBuf,
    plan: String,
    begun: UtcMillis,
    /// Bytes of the file that is gone on with. Absent: it is made anew.
    whole: Option<u64>,
    file: Mutex<KeptFile>,
}

/// The file while readings are kept.
#[derive(Debug, Default)]
enum KeptFile {
    /// Nothing was kept yet.
    #[default]
    Untouched,
    Open(File),
    /// It took no more: behind a line that is cut nothing would be read.
    GivenUp,
}

/// What an unfinished verification has left.
struct Before {
    begun: UtcMillis,
    readings: SortedRecords<String>,
    counts: BTreeMap<String, u64>,
    /// Bytes up to the end of the last whole line.
    whole: u64,
}

impl SavedReadings {
    /// Takes up what an unfinished verification of the same plan left in the report's folder;
    /// anything else there is begun anew, and `notice` says so. Without a folder nothing is kept.
    ///
    /// # Errors
    ///
    /// There is no room to sort them ([`RunError::Report`]).
    pub(crate) fn open(
        dir: Option<&Path>,
        plan: &str,
        now: UtcMillis,
    ) -> Result<SavedReadings, RunError> {
        let Some(dir) = dir else {
            return Ok(SavedReadings::default());
        };
        let path = dir.join(FILE);
        let found = File::open(&path).ok();
        let is_found = found.is_some();
        let before = match found {
            Some(file) => Before::read(BufReader::new(file), dir, plan, now)?,
            None => None,
        };
        let writer = |begun, whole| Writer {
            path,
            plan: plan.to_owned(),
            begun,
            whole,
            file: Mutex::default(),
        };
        let Some(before) = before else {
            let started_over = "an unfinished verification of another plan, or of more than a day \
                ago, was not gone on with; this one started over";
            return Ok(SavedReadings {
                to: Some(writer(now, None)),
                notice: is_found.then(|| started_over.to_owned()),
                ..SavedReadings::default()
            });
        };
        // Of some calls more than one request has told.
        let calls = before.counts.values().copied().max().unwrap_or(0);
        let notice = format!(
            "went on with {calls} calls of the target that an unfinished verification begun at {} \
             had read",
            before.begun
        );
        Ok(SavedReadings {
            to: Some(writer(before.begun, Some(before.whole))),
            notice: Some(notice),
            before: before.readings,
            counts: before.counts,
        })
    }

    /// What an operation told before.
    pub(crate) fn of(&self, operation: &'static str) -> Saved<'_> {
        Saved {
            operation,
            readings: InOrder::new(&self.before),
        }
    }

    /// Keeps a reading. A disk that takes no more is no reason to stop reading; nothing more is kept
    /// then.
    pub(crate) fn keep(&self, operation: &'static str, key: &str, reading: &impl Serialize) {
        let line = Line {
            operation: operation.into(),
            key: key.into(),
            reading,
        };
        if let Some(to) = &self.to
            && let Err(error) = to.keep(&line)
        {
            tracing::warn!(%error, "cannot keep what is read; an interrupted verification would \
                read it again");
        }
    }

    /// Requests whose answers were kept before, by operation.
    pub(crate) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// What a reader should know about it.
    pub(crate) fn notice(&self) -> Option<String> {
        self.notice.clone()
    }

    /// The report is written: nothing is left to go on with.
    pub(crate) fn forget(self) {
        if let Some(to) = self.to {
            let _ = std::fs::remove_file(to.path);
        }
    }
}

/// Readings of an operation, asked for in the order of their keys.
pub(crate) struct Saved<'a> {
    operation: &'static str,
    readings: InOrder<'a, String>,
}

impl Saved<'_> {
    /// What was read before. Absent: nothing was, or not in this shape.
    ///
    /// # Errors
    ///
    /// It cannot be read back ([`RunError::Report`]).
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, RunError> {
        let json = self.readings.last(&sort_key(self.operation, key))?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

fn sort_key(operation: &str, key: &str) -> Vec<u8> {
    let mut sort_key = Vec::new();
    text_key(operation, &mut sort_key);
    text_key(key, &mut sort_key);
    sort_key
}

impl Before {
    /// Absent: of another plan or version, too old, or no such file at all. The last line may be
    /// cut: what is not whole was not read.
    fn read(
        mut file: impl BufRead,
        folder: &Path,
        plan: &str,
        now: UtcMillis,
    ) -> Result<Option<Before>, RunError> {
        let mut line = Vec::new();
        let is_next = |file: &mut _, line: &mut Vec<u8>| {
            line.clear();
            let read = Read::take(file, LONGEST_LINE).read_until(b'\n', line);
            read.is_ok() && line.ends_with(b"\n")
        };
        let is_ours = |head: &Head| {
            head.version == VERSION && head.plan == plan && now.since(head.begun) < OLDEST_MS
        };
        if !is_next(&mut file, &mut line) {
            return Ok(None);
        }
        let head = serde_json::from_slice(&line).ok().filter(is_ours);
        let Some(head) = head else {
            return Ok(None);
        };
        let (mut whole, mut counts) = (line.len() as u64, BTreeMap::new());
        let mut readings = RecordSorter::new(folder);
        while is_next(&mut file, &mut line) {
            let Ok(of_line) = serde_json::from_slice::<Line<'_, &RawValue>>(&line) else {
                break;
            };
            readings.push(
                &sort_key(&of_line.operation, &of_line.key),
                &of_line.reading.get().to_owned(),
            )?;
            *counts.entry(of_line.operation.into_owned()).or_default() += 1;
            whole += line.len() as u64;
        }
        Ok(Some(Before {
            begun: head.begun,
            readings: readings.sorted()?,
            counts,
            whole,
        }))
    }
}

impl Writer {
    fn keep(&self, line: &impl Serialize) -> std::io::Result<()> {
        let mut file = self.file.lock();
        let kept = self.keep_in(&mut file, line);
        if kept.is_err() {
            *file = KeptFile::GivenUp;
        }
        kept
    }

    fn keep_in(&self, kept: &mut KeptFile, line: &impl Serialize) -> std::io::Result<()> {
        if let KeptFile::Untouched = kept {
            *kept = KeptFile::Open(match self.whole {
                Some(whole) => self.go_on(whole)?,
                None => self.begin()?,
            });
        }
        match kept {
            KeptFile::Open(file) => write(file, line),
            KeptFile::Untouched | KeptFile::GivenUp => Ok(()),
        }
    }

    /// Behind the last whole line.
    fn go_on(&self, whole: u64) -> std::io::Result<File> {
        let mut file = output::private::keep(&self.path)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }

    /// The head goes to a file beside it first, so that a kill meanwhile leaves no half of it.
    fn begin(&self) -> std::io::Result<File> {
        output::private::folder(self.path.parent().unwrap_or(Path::new(".")))?;
        let part = self.path.with_extension("part");
        let mut file = output::private::create(&part)?;
        let head = Head {
            version: VERSION,
            plan: self.plan.clone(),
            begun: self.begun,
        };
        write(&mut file, &head)?;
        std::fs::rename(part, &self.path)?;
        Ok(file)
    }
}

/// One line, in one piece: a kill leaves whole lines and at most a cut last one.
fn write(file: &mut File, line: &impl Serialize) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    file.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "read_a_call";

    fn at(hours: i64) -> UtcMillis {
        UtcMillis::from_ms(1_700_000_000_000 + hours * 3_600_000)
    }

    fn open(dir: &Path, plan: &str, hours: i64) -> SavedReadings {
        SavedReadings::open(Some(dir), plan, at(hours)).expect("room for readings")
    }

    fn count(readings: &SavedReadings) -> u64 {
        readings.counts().values().sum()
    }

    #[test]
    fn only_whole_lines_of_the_same_plan_and_day_are_gone_on_with() {
        let dir = tempfile::tempdir().expect("a folder");
        let recording = TargetRecording {
            id: "r".into(),
            conversation_id: "c".into(),
            created: Some(at(0)),
            ..TargetRecording::default()
        };
        let first = open(dir.path(), "plan", 0);
        assert_eq!((count(&first), first.notice()), (0, None));
        first.keep(
            READ,
            "c",
            &SavedRecording::all_of(std::slice::from_ref(&recording)),
        );
        drop(first);
        let path = dir.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).expect("kept");
        text.push_str("{\"operation\":\"read_a_call\",\"key\":\"cut\",\"rea");
        std::fs::write(&path, &text).expect("cut");

        let second = open(dir.path(), "plan", 20);
        assert_eq!(count(&second), 1);
        let mut saved = second.of(READ);
        let read: Vec<SavedRecording> = saved.take("c").expect("read").expect("kept");
        let read = TargetRecording::from(read[0].clone());
        assert_eq!(
            (&read.id, &read.conversation_id, read.created),
            (&recording.id, &recording.conversation_id, recording.created)
        );
        let cut: Option<Vec<SavedRecording>> = saved.take("cut").expect("read");
        let other: Option<Vec<SavedRecording>> =
            second.of("another_request").take("c").expect("read");
        assert!(cut.is_none() && other.is_none());
        let notice = second.notice().unwrap_or_default();
        assert!(notice.contains("went on with 1 call"), "{notice}");
        second.keep(READ, "b", &7);
        drop(saved);
        drop(second);
        let third = open(dir.path(), "plan", 21);
        let mut saved = third.of(READ);
        assert_eq!(
            saved.take("b").expect("read"),
            Some(7),
            "behind what was whole"
        );
        assert_eq!(
            saved.take::<u8>("c").expect("read"),
            None,
            "of another shape"
        );
        assert_eq!(count(&third), 2);
        drop(saved);
        drop(third);

        for (plan, hours) in [("other", 20), ("plan", 25)] {
            std::fs::write(&path, &text).expect("as before");
            let other = open(dir.path(), plan, hours);
            let notice = other.notice().unwrap_or_default();
            assert!(
                count(&other) == 0 && notice.contains("started over"),
                "{plan} {hours}: {notice}"
            );
        }
        let last = open(dir.path(), "plan", 0);
        last.keep(READ, "d", &1);
        last.forget();
        assert!(!path.exists());
        let nowhere = SavedReadings::open(None, "plan", at(0)).expect("nothing to open");
        assert_eq!(count(&nowhere), 0);
    }

    #[test]
    fn readings_are_its_owners_alone_and_stop_at_what_is_no_reading() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let first = open(dir.path(), "plan", 0);
        for n in 0..200 {
            first.keep(READ, &format!("{n:03}"), &n);
        }
        drop(first);
        let path = dir.path().join(FILE);
        let mode = std::fs::metadata(&path).expect("kept").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut text = std::fs::read_to_string(&path).expect("kept");
        text = text.replacen("{\"operation\":\"read_a_call\",\"key\":\"150\"", "?", 1);
        std::fs::write(&path, &text).expect("damaged");
        let second = open(dir.path(), "plan", 1);
        assert_eq!(count(&second), 150);
        let mut saved = second.of(READ);
        for n in (0..200).step_by(7) {
            let read = saved.take::<u64>(&format!("{n:03}")).expect("read");
            assert_eq!(read, (n < 150).then_some(n), "{n}");
        }
    }

    #[test]
    fn nothing_more_is_kept_once_a_disk_has_taken_no_more() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("report");
        std::fs::write(&folder, "no folder").expect("written");
        let readings = open(&folder, "plan", 0);
        readings.keep(READ, "a", &1);
        std::fs::remove_file(&folder).expect("removed");
        readings.keep(READ, "b", &2);
        assert!(!folder.exists());
    }

    #[test]
    fn readings_that_find_no_room_end_with_what_to_do() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = open(dir.path(), "plan", 0);
        (0..100).for_each(|n| first.keep(READ, &format!("{n}"), &n));
        drop(first);
        let nowhere = dir.path().join(FILE);
        let file = BufReader::new(File::open(&nowhere).expect("kept"));
        let error = Before::read(file, &nowhere, "plan", at(0))
            .err()
            .expect("no room");
        assert_eq!(error.exit_code(), 11);
        assert!(error.to_string().contains("free space there"), "{error}");
    }
}
