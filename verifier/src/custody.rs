//! A migrator's chain of custody, read by the verifier's own rules: what the log says of a
//! recording, held against what was found of it. It may add a finding; it never changes what must
//! be in the target, and takes no finding back. Source: docs/reference/reports.md, "Custody".

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bounded_lines::BoundedLines;
use crate::defect::Defect;
use crate::finding::Finding;
use crate::join_recordings::{JudgedRecording, OfCall, Place, join, key_of};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};

/// Ten steps of 100 million recordings. Bytes.
const MOST_BYTES: u64 = 1 << 40;
/// A migration that had more tools and plans, or changed its plan more often, is not one.
const MOST_VERSIONS: usize = 1000;

/// How a chain of custody came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustodyRead {
    /// The file, as it was named.
    pub file: String,
    /// SHA-256 of its last line, hex: as that line names the one before it, it stands for all.
    pub last_sha256: String,
    /// Lines, each with the hash of the one before.
    pub lines: u64,
    /// Recordings that it names.
    pub recordings: u64,
    /// Tools and plans that recordings were sent by.
    pub versions: Vec<CustodyVersion>,
    /// Recordings that it says are confirmed, and the target does not have: each is a D01.
    pub confirmed_missing: u64,
    /// Recordings that it says have failed or stay behind, and the target has: each is a P2.
    pub failed_and_there: u64,
    /// Recordings in the target that were sent by another tool or plan than most: each is a P5.
    pub other_version: u64,
    /// Recordings in the target that it does not name.
    pub not_named: u64,
}

/// A tool and a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustodyVersion {
    /// Name and version.
    pub tool: String,
    /// Hash of the plan that holds for it: a change that was accepted makes one plan of two.
    pub plan_hash: String,
    /// Recordings of which the last step in the target was made by it.
    pub recordings: u64,
}

/// What was done with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Stage,
    Convert,
    Upload,
    Confirm,
    Quarantine,
    Skip,
    Left,
    /// A person has seen and heard it.
    Canary,
    /// Of no recording: a changed plan was accepted.
    Plan,
}

/// A line of the log, as far as it is read here.
#[derive(Deserialize)]
struct Line {
    n: u64,
    previous: String,
    legacy_interaction_id: String,
    legacy_recording_id: String,
    hop: Step,
    tool: String,
    plan_hash: String,
    #[serde(default)]
    plan_hash_before: Option<String>,
}

/// A step of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hop {
    call: String,
    recording: String,
    n: u64,
    step: Step,
    /// Place among the versions.
    version: usize,
}

impl OfCall for Hop {
    fn call(&self) -> &str {
        &self.call
    }
}

/// A changed plan that was accepted: what was sent before it and would be sent otherwise since is
/// sent again, so the two plans are one for what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Accepted {
    n: u64,
    before: String,
    after: String,
}

/// A chain of custody that holds.
pub(crate) struct Custody {
    hops: SortedRecords<Hop>,
    versions: Versions,
    read: CustodyRead,
}

/// Tools and plans, by the order in which they first stand in the log.
#[derive(Default)]
struct Versions {
    all: Vec<(String, String)>,
    accepted: Vec<Accepted>,
}

/// What a log comes to for one recording.
#[derive(Default)]
struct Told {
    /// The last line about it, and what it says.
    last: Option<(u64, Step)>,
    was_confirmed: bool,
    /// By which it was last put into the target. Absent: it was not.
    sent: Option<(u64, usize)>,
}

impl Told {
    fn of<'a>(hops: impl Iterator<Item = &'a Hop>) -> Told {
        let mut told = Told::default();
        for hop in hops {
            match hop.step {
                // A look at the target changes nothing.
                Step::Canary | Step::Plan => continue,
                Step::Upload | Step::Confirm => told.sent = Some((hop.n, hop.version)),
                Step::Stage | Step::Convert | Step::Quarantine | Step::Skip | Step::Left => {}
            }
            told.was_confirmed |= hop.step == Step::Confirm;
            told.last = Some((hop.n, hop.step));
        }
        told
    }

    /// The line that says the recording is not in the target. Absent: none does, or an earlier one
    /// says that it is, and sending it again failed.
    fn failed(&self) -> Option<(u64, &'static str)> {
        let (line, step) = self.last.filter(|_| !self.was_confirmed)?;
        let word = match step {
            Step::Left => "left with an error",
            Step::Quarantine => "quarantined",
            Step::Skip => "skipped",
            _ => return None,
        };
        Some((line, word))
    }
}

impl Custody {
    /// Reads a log, and refuses one whose chain does not hold. `folder`: where room is for what
    /// does not fit in memory.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is too large, a line is none of custody, or a line does not hold
    /// the hash of the one before; by line ([`RunError::Plan`]).
    pub(crate) fn read(path: &Path, folder: &Path) -> Result<Custody, RunError> {
        let name = path.display().to_string();
        let unreadable =
            |error: std::io::Error| RunError::Plan(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() > MOST_BYTES {
            return Err(RunError::Plan(format!(
                "the chain of custody {name} has more than {} GiB",
                MOST_BYTES >> 30
            )));
        }
        let mut lines = BoundedLines::new(path, BufReader::new(file.take(MOST_BYTES)));
        let mut sorter = RecordSorter::new(folder);
        let mut versions = Versions::default();
        let (mut previous, mut count) = ("0".repeat(64), 0);
        while let Some((number, text)) = lines.next_line()? {
            let wrong = |why: &str| RunError::Plan(format!("{name} line {number}: {why}"));
            let line: Line = serde_json::from_str(&text)
                .map_err(|error| wrong(&format!("is no line of custody: {error}")))?;
            if line.n != number || line.previous != previous {
                return Err(wrong(
                    "does not follow from the line before: one was changed, moved or taken out; \
                     take the file as status --custody wrote it",
                ));
            }
            (previous, count) = (hex::encode(Sha256::digest(&text)), number);
            if let Some(hop) = versions.hop(line).map_err(|why| wrong(&why))? {
                sorter.push(&key_of(&hop.call, &hop.recording), &hop)?;
            }
        }
        let hops = sorter.sorted()?;
        let mut custody = Custody {
            hops,
            read: CustodyRead {
                file: name,
                last_sha256: previous,
                lines: count,
                recordings: 0,
                versions: Vec::new(),
                confirmed_missing: 0,
                failed_and_there: 0,
                other_version: 0,
                not_named: 0,
            },
            versions,
        };
        custody.count()?;
        Ok(custody)
    }

    /// Recordings, and by which tools and plans they were sent.
    fn count(&mut self) -> Result<(), RunError> {
        let mut sent: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        let mut recordings = 0;
        let none = std::iter::empty();
        let versions = &self.versions;
        join(&self.hops, none, |hops, _| {
            for hops in by_recording(&hops) {
                recordings += 1;
                if let Some((line, version)) = Told::of(hops.iter().copied()).sent {
                    let count = sent.entry(versions.at(line, version)).or_default();
                    *count = (count.0 + 1, count.1.max(line));
                }
            }
            Ok(())
        })?;
        let mut ranked: Vec<_> = sent.into_iter().collect();
        // Of two with as many recordings the later one: the migration has gone on by it.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.read.recordings = recordings;
        self.read.versions = ranked
            .into_iter()
            .map(|((tool, plan_hash), (recordings, _))| CustodyVersion {
                tool,
                plan_hash,
                recordings,
            })
            .collect();
        Ok(())
    }

    /// Holds the log against what was found of each recording.
    ///
    /// # Errors
    ///
    /// What was stored cannot be read back.
    pub(crate) fn compare(
        self,
        judged: impl Iterator<Item = Result<JudgedRecording, RunError>>,
    ) -> Result<(CustodyRead, Vec<Finding>), RunError> {
        let Custody {
            hops,
            versions,
            mut read,
        } = self;
        let most = read.versions.first().cloned();
        let mut findings = Vec::new();
        join(&hops, judged, |hops, judged| {
            let told: BTreeMap<&str, Told> = by_recording(&hops)
                .into_iter()
                .filter_map(|hops| Some((hops.first()?.recording.as_str(), hops)))
                .map(|(recording, hops)| (recording, Told::of(hops.iter().copied())))
                .collect();
            for recording in &judged {
                let is_there = recording.place == Place::Target;
                let Some(told) = told.get(recording.recording.as_str()) else {
                    read.not_named += u64::from(is_there);
                    continue;
                };
                let is_missing = recording.place == Place::Missing;
                read.confirmed_missing += u64::from(is_missing && told.was_confirmed);
                if !is_there {
                    continue;
                }
                if let Some(failed) = told.failed() {
                    read.failed_and_there += 1;
                    findings.push(says_failed(recording, failed));
                }
                let sent = told.sent.map(|(line, version)| versions.at(line, version));
                if let Some((most, sent)) = most.as_ref().zip(sent)
                    && (&most.tool, &most.plan_hash) != (&sent.0, &sent.1)
                {
                    read.other_version += 1;
                    findings.push(by_other_version(recording, most, &sent));
                }
            }
            Ok(())
        })?;
        Ok((read, findings))
    }
}

impl Versions {
    /// A line's step of a recording. Absent: it is of none.
    fn hop(&mut self, line: Line) -> Result<Option<Hop>, String> {
        if line.hop == Step::Plan {
            let before = line
                .plan_hash_before
                .ok_or("a changed plan without `plan_hash_before`")?;
            self.accepted.push(Accepted {
                n: line.n,
                before,
                after: line.plan_hash,
            });
            return match self.accepted.len() > MOST_VERSIONS {
                true => Err(format!("more than {MOST_VERSIONS} changes of the plan")),
                false => Ok(None),
            };
        }
        let version = (line.tool, line.plan_hash);
        let known = self.all.iter().rposition(|known| *known == version);
        let version = known.unwrap_or_else(|| {
            self.all.push(version);
            self.all.len() - 1
        });
        if self.all.len() > MOST_VERSIONS {
            return Err(format!("more than {MOST_VERSIONS} tools and plans"));
        }
        Ok(Some(Hop {
            call: line.legacy_interaction_id,
            recording: line.legacy_recording_id,
            n: line.n,
            step: line.hop,
            version,
        }))
    }

    /// Tool and plan of what was sent at a line: the plan is the one that it has become by changes
    /// that were accepted since.
    fn at(&self, line: u64, version: usize) -> (String, String) {
        let (tool, mut plan) = self.all.get(version).cloned().unwrap_or_default();
        for accepted in self.accepted.iter().filter(|accepted| accepted.n > line) {
            if accepted.before == plan {
                plan.clone_from(&accepted.after);
            }
        }
        (tool, plan)
    }
}

/// Steps of a call, recording by recording; they are sorted that way.
fn by_recording(hops: &[Hop]) -> Vec<Vec<&Hop>> {
    hops.chunk_by(|one, other| one.recording == other.recording)
        .map(|hops| hops.iter().collect())
        .collect()
}

fn about(judged: &JudgedRecording, defect: Defect, field: &str) -> Finding {
    Finding::new(defect, field)
        .of(&judged.call)
        .recording(&judged.recording)
        .target(&judged.target_id)
}

fn says_failed(judged: &JudgedRecording, (n, word): (u64, &'static str)) -> Finding {
    about(judged, Defect::LedgerSaysFailed, "chain of custody")
        .expected("confirmed, as it is in the target")
        .actual(format!("{word} (line {n})"))
        .because(word)
}

fn by_other_version(
    judged: &JudgedRecording,
    most: &CustodyVersion,
    sent: &(String, String),
) -> Finding {
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let (field, expected, actual) = match (most.tool == sent.0, most.plan_hash == sent.1) {
        (false, true) => ("tool", most.tool.clone(), sent.0.clone()),
        (true, _) => ("plan", short(&most.plan_hash), short(&sent.1)),
        (false, false) => (
            "tool and plan",
            format!("{}, {}", most.tool, short(&most.plan_hash)),
            format!("{}, {}", sent.0, short(&sent.1)),
        ),
    };
    let cause = format!("{actual} instead of {expected}");
    about(judged, Defect::VersionChanged, field)
        .expected(expected)
        .actual(actual)
        .because(cause)
}

impl CustodyRead {
    /// Recordings about which it says otherwise than was found.
    pub(crate) fn off(&self) -> u64 {
        self.failed_and_there + self.other_version
    }

    /// What a reader should know. Absent: nothing.
    pub(crate) fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.confirmed_missing > 0 {
            parts.push(format!(
                "the chain of custody says that {} of the missing recordings are confirmed",
                self.confirmed_missing
            ));
        }
        if self.not_named > 0 {
            parts.push(format!(
                "{} recordings in the target stand in no line of the chain of custody",
                self.not_named
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join_recordings::testing::judged;

    /// A line: recording `call-1` of the call, step, tool, plan, and the plan before a change.
    type Step5<'a> = (&'a str, &'a str, &'a str, &'a str, Option<&'a str>);

    fn log(steps: &[Step5<'_>]) -> String {
        let (mut text, mut previous) = (String::new(), "0".repeat(64));
        for (at, (call, hop, tool, plan, before)) in steps.iter().enumerate() {
            let recording = match *call {
                "" => String::new(),
                call => format!("{call}-1"),
            };
            let line = serde_json::json!({
                "n": at + 1, "previous": previous, "legacy_interaction_id": call,
                "legacy_recording_id": recording, "hop": hop, "at": "2026-01-01T00:00:00.000Z",
                "tool": tool, "plan_hash": plan, "plan_hash_before": before,
            })
            .to_string();
            previous = hex::encode(Sha256::digest(&line));
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn read(text: &str) -> Result<Custody, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("custody.ndjson");
        std::fs::write(&path, text).expect("written");
        Custody::read(&path, dir.path()).map_err(|error| error.to_string())
    }

    /// Findings: class, recording, field.
    fn found(steps: &[Step5<'_>], lines: Vec<JudgedRecording>) -> (CustodyRead, Vec<String>) {
        let custody = read(&log(steps)).expect("a log");
        let (read, findings) = custody
            .compare(lines.into_iter().map(Ok))
            .expect("compared");
        let told = findings.iter().map(|finding| {
            let recording = finding.legacy_recording_id.as_deref();
            let recording = recording.unwrap_or_default();
            format!("{} {recording} {}", finding.defect.code(), finding.field)
        });
        let told = told.collect();
        (read, told)
    }

    fn there(calls: &[&str]) -> Vec<JudgedRecording> {
        let one = |call: &&str| judged(call, &format!("{call}-1"));
        calls.iter().map(one).collect()
    }

    #[test]
    fn what_the_log_calls_failed_and_the_target_has_is_named() {
        let one = |hop| ("1", hop, "t 1", "p", None);
        for (steps, lines, wanted) in [
            (vec!["stage", "left"], there(&["1"]), true),
            (vec!["stage", "convert", "quarantine"], there(&["1"]), true),
            (vec!["stage", "skip"], there(&["1"]), true),
            // It was tried again and went.
            (vec!["left", "upload", "confirm"], there(&["1"]), false),
            // It is there, and sending it again failed.
            (
                vec!["upload", "confirm", "stage", "left"],
                there(&["1"]),
                false,
            ),
            // A run was killed: nothing says that it failed.
            (vec!["stage", "upload"], there(&["1"]), false),
            (vec!["stage", "left"], Vec::new(), false),
            (
                vec!["stage", "quarantine"],
                vec![JudgedRecording {
                    place: Place::Elsewhere,
                    ..judged("1", "1-1")
                }],
                false,
            ),
        ] {
            let steps: Vec<Step5<'_>> = steps.into_iter().map(one).collect();
            let (read, told) = found(&steps, lines);
            let wanted: Vec<&str> = wanted
                .then_some("P2 1-1 chain of custody")
                .into_iter()
                .collect();
            assert_eq!(told, wanted, "{steps:?}");
            assert_eq!(read.failed_and_there, wanted.len() as u64);
        }
    }

    #[test]
    fn what_another_tool_or_an_unaccepted_plan_has_sent_is_named() {
        let sent = |call, tool, plan| (call, "confirm", tool, plan, None);
        let all = || there(&["1", "2", "3"]);
        let most = [sent("1", "t 1", "p"), sent("2", "t 1", "p")];
        for (last, wanted) in [
            (sent("3", "t 1", "p"), None),
            (sent("3", "t 2", "p"), Some("P5 3-1 tool")),
            (sent("3", "t 1", "q"), Some("P5 3-1 plan")),
            (sent("3", "t 2", "q"), Some("P5 3-1 tool and plan")),
        ] {
            let steps = [most[0], most[1], last];
            let (read, told) = found(&steps, all());
            assert_eq!(told, wanted.into_iter().collect::<Vec<_>>(), "{last:?}");
            assert_eq!(read.versions.len(), 1 + usize::from(wanted.is_some()));
        }
        let accepted = ("", "plan", "t 1", "p", Some("q"));
        let again = ("3", "confirm", "t 1", "p", None);
        for (steps, wanted) in [
            // The change was accepted, and what it did not concern stayed as it was.
            (vec![sent("3", "t 1", "q"), accepted, most[0], most[1]], 0),
            // A plan that came before one that was accepted is no plan of this migration.
            (vec![accepted, sent("3", "t 1", "q"), most[0], most[1]], 1),
            // It was sent again.
            (vec![sent("3", "t 0", "q"), most[0], most[1], again], 0),
        ] {
            let (_, told) = found(&steps, all());
            assert_eq!(told.len(), wanted, "{steps:?}: {told:?}");
        }
    }

    #[test]
    fn what_the_log_does_not_name_or_the_target_lacks_is_counted() {
        let steps = [("1", "confirm", "t 1", "p", None)];
        let missing = JudgedRecording {
            place: Place::Missing,
            ..judged("1", "1-1")
        };
        let (read, told) = found(&steps, vec![missing, judged("2", "2-1")]);
        assert_eq!(told, [""; 0]);
        assert_eq!(
            (read.confirmed_missing, read.not_named, read.recordings),
            (1, 1, 1)
        );
        let notice = read.notice().expect("a notice");
        assert!(
            notice.contains("1 of the missing recordings are confirmed"),
            "{notice}"
        );
    }

    #[test]
    fn a_log_that_does_not_hold_is_refused_by_line() {
        let good = log(&[
            ("1", "stage", "t 1", "p", None),
            ("1", "confirm", "t 1", "p", None),
            ("2", "confirm", "t 1", "p", None),
        ]);
        assert_eq!(read(&good).expect("holds").read.lines, 3);
        let lines: Vec<&str> = good.lines().collect();
        let rows = [
            (
                good.replacen("stage", "convert", 1),
                "line 2: does not follow",
            ),
            (
                format!("{}\n{}\n", lines[0], lines[2]),
                "line 2: does not follow",
            ),
            (lines[1].to_owned(), "line 1: does not follow"),
            (
                format!("{}\nnonsense\n", lines[0]),
                "line 2: is no line of custody",
            ),
            (
                lines[0].replace("\"hop\":\"stage\",", ""),
                "line 1: is no line of custody: missing field `hop`",
            ),
            (
                lines[0].replace("\"stage\"", "\"thrown\""),
                "line 1: is no line of custody: unknown variant `thrown`",
            ),
            (
                log(&[("", "plan", "t 1", "p", None)]),
                "line 1: a changed plan without `plan_hash_before`",
            ),
        ];
        for (text, wanted) in rows {
            let told = read(&text).err().expect("refused");
            assert!(told.contains(wanted), "{wanted}: {told}");
        }
    }
}
