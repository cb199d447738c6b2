//! Readings of a verification that did not come to its end, kept beside the report, so that the
//! next one goes on where it was.
//!
//! What is kept is what the target's limit makes slow: one request for each call. Ids, times and
//! states only; no number, no name, no audio. Sound is compared anew, because downloads are under
//! no limit and a comparison is worth more than its memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::observed::{MarkedPause, Recordings, TargetRecording, TimeReading};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

const FILE: &str = ".kept.jsonl";
const VERSION: u32 = 2;
/// Readings of yesterday say little about today.
const OLDEST_MS: i64 = 24 * 3_600_000;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    /// Hash of the plan and every file it names.
    plan: String,
    begun: UtcMillis,
}

/// Every other line: one call.
#[derive(Serialize, Deserialize)]
struct Line {
    conversation: String,
    recordings: Vec<SavedRecording>,
}

/// What is kept of a recording: nothing that only one platform tells, for it may name people.
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
    before: HashMap<String, Vec<SavedRecording>>,
    to: Option<Writer>,
    notice: Option<String>,
}

/// The file, made anew with the first reading: a verification that reads nothing leaves nothing.
#[derive(Debug)]
struct Writer {
    path: PathBuf,
    plan: String,
    begun: UtcMillis,
    file: Mutex<Option<File>>,
}

impl SavedReadings {
    /// Takes up what an unfinished verification of the same plan left in the report's folder;
    /// anything else there is begun anew, and `notice` says so. Without a folder nothing is kept.
    pub(crate) fn open(dir: Option<&Path>, plan: &str, now: UtcMillis) -> SavedReadings {
        let Some(dir) = dir else {
            return SavedReadings::default();
        };
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines = text.lines();
        let head = lines.next().map(serde_json::from_str::<Head>);
        let (begun, before, notice) = match head {
            None => (now, HashMap::new(), None),
            Some(Ok(head))
                if head.version == VERSION
                    && head.plan == plan
                    && now.since(head.begun) < OLDEST_MS =>
            {
                // The last line may be cut: what is not whole was not read.
                let before: HashMap<_, _> = lines
                    .filter_map(|line| serde_json::from_str::<Line>(line).ok())
                    .map(|line| (line.conversation, line.recordings))
                    .collect();
                let notice = format!(
                    "went on with {} calls of the target that an unfinished verification begun at \
                     {} had read",
                    before.len(),
                    head.begun
                );
                (head.begun, before, Some(notice))
            }
            Some(_) => {
                let notice = "an unfinished verification of another plan, or of more than a day \
                    ago, was not gone on with; this one started over";
                (now, HashMap::new(), Some(notice.to_owned()))
            }
        };
        SavedReadings {
            before,
            to: Some(Writer {
                path,
                plan: plan.to_owned(),
                begun,
                file: Mutex::default(),
            }),
            notice,
        }
    }

    /// What was read before.
    pub(crate) fn recordings(&self, conversation: &str) -> Option<Recordings> {
        let saved = self.before.get(conversation)?.iter().cloned();
        Some(Recordings::Read(saved.map(TargetRecording::from).collect()))
    }

    /// Keeps a reading. Hidden ones are read again next time. A disk that takes no more is no
    /// reason to stop reading.
    pub(crate) fn keep(&self, conversation: &str, recordings: &Recordings) {
        if let (Some(to), Recordings::Read(recordings)) = (&self.to, recordings) {
            let line = Line {
                conversation: conversation.to_owned(),
                recordings: recordings.iter().map(SavedRecording::from).collect(),
            };
            if let Err(error) = to.keep(&self.before, &line) {
                tracing::warn!(%error, "cannot keep a reading; an interrupted verification would \
                    read it again");
            }
        }
    }

    /// Calls read before.
    pub(crate) fn count(&self) -> u64 {
        self.before.len() as u64
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

impl Writer {
    fn keep(
        &self,
        before: &HashMap<String, Vec<SavedRecording>>,
        line: &Line,
    ) -> std::io::Result<()> {
        let mut slot = self.file.lock();
        if slot.is_none() {
            *slot = Some(self.begin(before)?);
        }
        slot.as_mut().map_or(Ok(()), |file| write(file, line))
    }

    /// Head and earlier readings go to a file beside it first, so that a kill meanwhile loses none
    /// of them.
    fn begin(&self, before: &HashMap<String, Vec<SavedRecording>>) -> std::io::Result<File> {
        output::private::folder(self.path.parent().unwrap_or(Path::new(".")))?;
        let part = self.path.with_extension("part");
        let mut file = output::private::create(&part)?;
        write(
            &mut file,
            &Head {
                version: VERSION,
                plan: self.plan.clone(),
                begun: self.begun,
            },
        )?;
        for (conversation, recordings) in before {
            write(
                &mut file,
                &Line {
                    conversation: conversation.clone(),
                    recordings: recordings.clone(),
                },
            )?;
        }
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

    #[test]
    fn only_whole_lines_of_the_same_plan_and_day_are_gone_on_with() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |hours: i64| UtcMillis::from_ms(1_700_000_000_000 + hours * 3_600_000);
        let recording = TargetRecording {
            id: "r".into(),
            conversation_id: "c".into(),
            created: Some(at(0)),
            ..TargetRecording::default()
        };
        let first = SavedReadings::open(Some(dir.path()), "plan", at(0));
        assert_eq!((first.count(), first.notice()), (0, None));
        first.keep("c", &Recordings::Read(vec![recording.clone()]));
        first.keep("hidden", &Recordings::Hidden("a permission".into()));
        drop(first);
        let path = dir.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).expect("kept");
        text.push_str("{\"conversation\":\"cut\",\"recor");
        std::fs::write(&path, &text).expect("cut");

        let second = SavedReadings::open(Some(dir.path()), "plan", at(20));
        assert_eq!(second.count(), 1);
        let Some(Recordings::Read(read)) = second.recordings("c") else {
            panic!("kept")
        };
        assert_eq!(
            (&read[0].id, &read[0].conversation_id, read[0].created),
            (&recording.id, &recording.conversation_id, recording.created)
        );
        assert!(
            second.recordings("cut").is_none()
                && second
                    .notice()
                    .is_some_and(|notice| notice.contains("went on with 1 call"))
        );
        drop(second);
        for (plan, hours) in [("other", 20), ("plan", 25)] {
            std::fs::write(&path, &text).expect("as before");
            let other = SavedReadings::open(Some(dir.path()), plan, at(hours));
            assert!(
                other.count() == 0
                    && other
                        .notice()
                        .is_some_and(|notice| notice.contains("started over")),
                "{plan} {hours}"
            );
        }
        let last = SavedReadings::open(Some(dir.path()), "plan", at(0));
        last.keep("d", &Recordings::default());
        last.forget();
        assert!(!path.exists());
        assert_eq!(SavedReadings::open(None, "plan", at(0)).count(), 0);
    }
}
