//! Files that the self-test reads and damages: a report's list of recordings, staging, exports.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A line of `recordings.csv`. Source: docs/reference/reports.md.
pub(super) struct Line {
    pub(super) call: String,
    pub(super) recording: String,
    pub(super) verdict: String,
    /// Reason and what follows it.
    pub(super) rest: String,
}

/// The lines of a list. No cell before the reason holds a comma.
pub(super) fn lines(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(path)?;
    let line = |text: &str| {
        let cells: Vec<&str> = text.splitn(7, ',').collect();
        match cells.as_slice() {
            [call, recording, _, _, _, verdict, rest] => Some(Line {
                call: (*call).to_owned(),
                recording: (*recording).to_owned(),
                verdict: (*verdict).to_owned(),
                rest: (*rest).to_owned(),
            }),
            _ => None,
        }
    };
    Ok(text.lines().skip(1).filter_map(line).collect())
}

/// Id in the target of a call of the source, by what the simulator says that it holds.
pub(super) fn target_of(truth: &str, call: u64) -> Option<String> {
    let lines = truth
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["legacy_interaction_id"].as_str() == Some(&call.to_string()))
        .find_map(|line| Some(line["target_id"].as_str()?.to_owned()))
}

/// Alters the staged media of a recording and leaves its name: the file and what was in it. Source
/// of the layout: docs/reference/staging.md.
pub(super) fn alter(staging: &Path, call: &str, recording: &str) -> Result<(PathBuf, Vec<u8>)> {
    let missing = || Error::other(format!("no staged media of {recording}"));
    let raw: Value = json(&staging.join(format!("raw/{call}.json")))?;
    let hash = raw["recordings"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["body"]["id"].as_str() == Some(recording))
        .and_then(|one| one["media"]["sha256"].as_str())
        .ok_or_else(missing)?;
    let path = staging.join("blob").join(hash);
    let before = std::fs::read(&path)?;
    let mut after = before.clone();
    let middle = after.len() / 2;
    *after.get_mut(middle).ok_or_else(missing)? ^= 0x10;
    std::fs::write(&path, after)?;
    Ok((path, before))
}

/// Damages the start of a media file in a recording's document, somewhere in an archive.
pub(super) fn damage_time(archive: &Path, recording: &str, media: &str) -> Result<()> {
    let path = find(archive, recording)?
        .ok_or_else(|| Error::other(format!("{recording} is not in the archive")))?;
    let mut document = json(&path)?;
    let file = document["mediaFiles"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .find(|file| file["mediaId"].as_str() == Some(media))
        .ok_or_else(|| Error::other(format!("{media} is not in the archive")))?;
    let text = file["startTime"].as_str().unwrap_or_default();
    file["startTime"] = Value::from(text.replace(['-', ':'], " "));
    std::fs::write(path, document.to_string())
}

/// The document in the folder of a recording.
fn find(folder: &Path, recording: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        if path.file_name().is_some_and(|name| name == recording) {
            return Ok(Some(path.join("recording.json")));
        }
        if let Some(found) = find(&path, recording)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn json(path: &Path) -> Result<Value> {
    serde_json::from_slice(&std::fs::read(path)?).map_err(Error::other)
}
