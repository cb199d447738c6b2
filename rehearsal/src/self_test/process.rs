//! Classes of process: what the migrator's log says of the work, and what became of the target
//! after it was verified.

use std::collections::BTreeSet;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use verifier::{AudioScope, Change, ChangeKind};

use super::broken;
use super::catalogue::Class;
use super::judge::{Place, Wanted, in_words, judge};
use super::trial::{IN_CALLS, Trial};
use crate::options::Refusal;

/// Folder of the clean verification's report, below that of the reports.
const CLEAN: &str = "clean";
/// What `verify --against` reads of it. Source: docs/reference/reports.md.
const FILES: [&str; 3] = ["summary.json", "findings.jsonl", "recordings.csv"];
/// What is edited in a verified target: a text and the sound.
const EDITS: [&str; 2] = ["D64", "D19"];

/// Keeps a report from the verifications that follow.
pub(super) fn keep_report(dir: &Path) -> Result<()> {
    let clean = dir.join(CLEAN);
    std::fs::create_dir_all(&clean)?;
    for name in FILES {
        std::fs::copy(dir.join(name), clean.join(name))?;
    }
    Ok(())
}

/// How a log is altered at a line about a recording; which of the altered recordings it is.
type Alter = fn(&mut Value, usize);

/// The reply to what had put it into the target was lost: the log says that it failed.
fn lose_reply(line: &mut Value, _: usize) {
    if line["hop"] != "confirm" {
        return;
    }
    line["hop"] = Value::from("left");
    line["reason"] = Value::from("left");
    line["detail"] = Value::from("cannot create the call: no answer");
    line["target_id"] = Value::Null;
    line["confirm_sha256"] = Value::Null;
}

/// Every other one was sent by another version of the tool, the rest under another plan.
fn change_version(line: &mut Value, which: usize) {
    if which.is_multiple_of(2) {
        line["tool"] = Value::from("seatrial 0.0.1");
    } else {
        line["plan_hash"] = Value::from("0123456789abcdef".repeat(4));
    }
}

impl Trial {
    /// A log that says otherwise than the target shows. Its chain holds: it was written that way.
    pub(super) async fn in_custody(
        &mut self,
        class: &'static Class,
    ) -> std::result::Result<(), Refusal> {
        let path = self.custody().await?;
        let victims = self.victims();
        let alter: Alter = match class.code {
            "P2" => lose_reply,
            _ => change_version,
        };
        rewrite(&path, &victims, alter).map_err(broken)?;
        let wanted: Vec<Wanted> = victims
            .iter()
            .map(|(call, recording)| Wanted::of(class, Place::in_source(call, Some(recording))))
            .collect();
        let options = verifier::Options {
            audio: AudioScope::None,
            custody: Some(path),
            ..verifier::Options::default()
        };
        let report = self.verify_with(options).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// The migrator's log, as `status --custody` writes it.
    async fn custody(&self) -> std::result::Result<PathBuf, Refusal> {
        let stage = &self.world.stage;
        let path = stage.dir.join("custody.ndjson");
        let options = migrator::StatusOptions {
            custody: Some(path.clone()),
            ..migrator::StatusOptions::default()
        };
        migrator::status(&stage.plan, &options)
            .await
            .map_err(broken)?;
        Ok(path)
    }

    /// Edits in a target that has been verified: told as changes since, each at its record.
    pub(super) async fn after_verification(
        &mut self,
        class: &'static Class,
    ) -> std::result::Result<(), Refusal> {
        let mut wanted = Vec::new();
        for edit in EDITS {
            let simulator = &self.world.stage.simulator;
            let answer = simulator.tamper(edit, IN_CALLS, self.test.seed);
            let planted = answer.map_err(broken)?.planted;
            let place = |entry| Wanted::under(class, edit, Place::planted(edit, entry));
            wanted.extend(planted.iter().map(place));
        }
        let options = verifier::Options {
            against: Some(self.world.stage.dir.join(CLEAN)),
            ..verifier::Options::default()
        };
        let report = self.verify_with(options).await?;
        let lines = self.world.recordings()?;
        let recorded: BTreeSet<String> = lines.into_iter().map(|line| line.call).collect();
        // What is wrong since is found as well, and nothing else is.
        let (judged, alarms) = judge(&wanted, &report.findings);
        let way = self.way.name();
        self.tried
            .alarms
            .extend(alarms.iter().map(|alarm| format!("{way}: {alarm}")));
        let one = self.judged.entry(class.code).or_default();
        for found in judged.into_values() {
            one.surplus += found.surplus;
            one.wrong.extend(found.wrong);
        }
        for wanted in &wanted {
            one.planted += 1;
            // Of a call without recordings only its findings are compared.
            let kind = match recorded.contains(&wanted.place.call) {
                true => ChangeKind::TargetChanged,
                false => ChangeKind::FindingNew,
            };
            let is_told = |change: &Change| change.kind == kind && is_at(change, &wanted.place);
            if report.changes.iter().any(is_told) {
                one.found += 1;
                one.named += 1;
            } else {
                one.wrong
                    .push(format!("no change told: {}", in_words(&wanted.place)));
            }
        }
        for change in &report.changes {
            let call = change.legacy_interaction_id.as_deref().unwrap_or_default();
            if !wanted.iter().any(|wanted| wanted.place.call == call) {
                one.surplus += 1;
                one.wrong
                    .push(format!("also told: {:?} of {call}", change.kind));
            }
        }
        Ok(())
    }
}

/// Whether a change is at a recording, or at any of a call.
fn is_at(change: &Change, place: &Place) -> bool {
    let is = |id: &Option<String>, wanted: &str| id.as_deref() == Some(wanted);
    is(&change.legacy_interaction_id, &place.call)
        && (place.recording.is_empty() || is(&change.legacy_recording_id, &place.recording))
}

/// Alters the lines about some recordings, and chains all lines anew. Source of the form:
/// docs/reference/reports.md.
fn rewrite(path: &Path, victims: &[(String, String)], alter: Alter) -> Result<()> {
    let (mut text, mut previous) = (String::new(), "0".repeat(64));
    for line in std::fs::read_to_string(path)?.lines() {
        let mut line: Value = serde_json::from_str(line).map_err(Error::other)?;
        let is = |victim: &&(String, String)| {
            line["legacy_interaction_id"] == *victim.0 && line["legacy_recording_id"] == *victim.1
        };
        if let Some(which) = victims.iter().position(|victim| is(&victim)) {
            alter(&mut line, which);
        }
        line["previous"] = Value::from(previous);
        let line = line.to_string();
        previous = hex::encode(Sha256::digest(&line));
        text.push_str(&line);
        text.push('\n');
    }
    std::fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_victims_are_altered_and_the_chain_holds() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("custody.ndjson");
        let line = |n: u8, recording: &str, hop: &str| {
            format!(
                "{{\"n\":{n},\"previous\":\"\",\"legacy_interaction_id\":\"1\",\
                 \"legacy_recording_id\":\"{recording}\",\"hop\":\"{hop}\",\"tool\":\"t\"}}\n"
            )
        };
        let text =
            line(1, "1-1", "upload") + &line(2, "1-1", "confirm") + &line(3, "1-2", "confirm");
        let victims = [("1".to_owned(), "1-1".to_owned())];
        for (alter, wanted) in [
            (lose_reply as Alter, ["upload t", "left t", "confirm t"]),
            (
                change_version,
                [
                    "upload seatrial 0.0.1",
                    "confirm seatrial 0.0.1",
                    "confirm t",
                ],
            ),
        ] {
            std::fs::write(&path, &text).expect("written");
            rewrite(&path, &victims, alter).expect("rewritten");
            let mut previous = "0".repeat(64);
            let mut told = Vec::new();
            for line in std::fs::read_to_string(&path).expect("read").lines() {
                let value: Value = serde_json::from_str(line).expect("json");
                assert_eq!(value["previous"], previous);
                previous = hex::encode(Sha256::digest(line));
                let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
                told.push(format!("{} {}", text("hop"), text("tool")));
            }
            assert_eq!(told, wanted);
        }
    }
}
