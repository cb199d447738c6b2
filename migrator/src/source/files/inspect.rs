//! What an export holds, before anything is moved: counted, with everything that cannot be read.

use std::collections::BTreeMap;
use std::io::Cursor;

use audio::{AudioError, Decoder};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::entity::{DataRow, Entity};
use super::index::Index;
use super::record::{self, Call};
use super::recording::Facts;
use super::value::Bad;
use super::{Export, ExportPlaces, Found, Listed};
use crate::canonical::Canonical;
use crate::error::RunError;

/// What an export holds.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Inspection {
    /// Metadata files.
    pub files: u64,
    /// Rows in them, also those that cannot be read.
    pub rows: u64,
    /// Rows that the layout's `[only]` leaves out.
    pub passed_over: u64,
    /// Calls in the window of the plan.
    pub calls: u64,
    /// Their recordings.
    pub recordings: u64,
    /// Legs.
    pub segments: u64,
    /// Calls without a recording.
    pub calls_without_recordings: u64,
    /// Calls without an agent.
    pub calls_without_agent: u64,
    /// Calls without a queue.
    pub calls_without_queue: u64,
    /// Calls by the day of their start, UTC.
    pub days: BTreeMap<String, PerDay>,
    /// Recordings by codec: as the audio itself has it, or where it was not looked at as declared.
    pub codecs: BTreeMap<String, u64>,
    /// Calls by agent; a call of several agents counts for each.
    pub agents: BTreeMap<String, u64>,
    /// Calls by queue.
    pub queues: BTreeMap<String, u64>,
    /// Recordings whose audio file is not there, or is not theirs alone.
    pub lacking: Vec<Lacking>,
    /// Everything that cannot be read.
    pub unread: Vec<Unread>,
    /// Calls whose rows have one id and are not the same.
    pub collisions: Vec<String>,
}

/// What a day holds.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub struct PerDay {
    /// Calls that start on it.
    pub calls: u64,
    /// Their recordings.
    pub recordings: u64,
}

/// A recording without its audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lacking {
    /// The call's id in the source.
    pub legacy_interaction_id: String,
    /// The recording's.
    pub legacy_recording_id: String,
    /// What was looked for.
    pub reason: String,
}

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// Path below the metadata folder.
    pub file: String,
    /// Where the row begins, counted from 1.
    pub line: u64,
    /// Column or JSON path. Absent: it is about the line.
    pub column: Option<String>,
    /// In words, without the value.
    pub reason: String,
    /// What it costs: `call` or `recording`.
    pub costs: &'static str,
}

/// Bytes of a recording that its codec is told from. Headers of all formats are in the first few;
/// so many are read at once anyway.
const BEGINNING: u64 = 64 * 1024;

/// Reads all metadata of an export, and looks for every audio file. `open_audio`: also into each of
/// them, for its codec. Blocks, and changes nothing.
///
/// # Errors
///
/// One of its folders or metadata files cannot be read ([`RunError::Plan`]).
pub fn inspect(places: &ExportPlaces, open_audio: bool) -> Result<Inspection, RunError> {
    let export = Export::open(places)?;
    let bound = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
    let window = crate::source::Window {
        from_ms: bound(places.from),
        to_ms: bound(places.to),
    };
    let mut seen = Inspection::default();
    let all = export.index(|index| {
        (seen.files, seen.rows, seen.passed_over) = (
            index.counts.files,
            index.counts.rows,
            index.counts.passed_over,
        );
        let mut after = 0;
        loop {
            let ids = index.calls_after(after, super::PAGE)?;
            let Some((last, _)) = ids.last() else {
                return Ok(());
            };
            after = *last;
            for (_, id) in ids {
                let mut calls = export.calls(index, &id)?;
                calls.retain(|call| {
                    super::format::is_in(&export.layout, &call.entity, window, &export.rules)
                });
                if calls.len() > 1 {
                    seen.collisions.push(id.clone());
                }
                for call in calls {
                    seen.call(&export, index, &id, &call, open_audio)?;
                }
            }
        }
    });
    all.map_err(|why| RunError::Plan(format!("the export: {why}")))?;
    Ok(seen)
}

impl Inspection {
    fn call(
        &mut self,
        export: &Export,
        index: &Index,
        id: &str,
        listed: &Listed,
        open_audio: bool,
    ) -> Result<(), String> {
        self.calls += 1;
        self.recordings += listed.recordings.len() as u64;
        let entity: Entity =
            serde_json::from_str(&listed.entity).map_err(|error| error.to_string())?;
        if let (Some(why), Some(row)) = (&entity.unreadable, entity.rows.first()) {
            self.unread.push(Unread {
                file: row.file.clone(),
                line: row.line,
                column: None,
                reason: why
                    .strip_prefix(&format!("{}: ", row.place()))
                    .unwrap_or(why)
                    .to_owned(),
                costs: "call",
            });
            return Ok(());
        }
        let mut rows: Vec<DataRow> = Vec::new();
        for row in entity.rows {
            let (file, line) = (row.file.clone(), row.line);
            let reason = row.unreadable.clone();
            match (row.data(export.layout.file.format), reason) {
                (Ok(row), _) => rows.push(row),
                (Err(why), reason) => {
                    self.unread.push(Unread {
                        file,
                        line,
                        column: None,
                        reason: reason.unwrap_or(why),
                        costs: "call",
                    });
                    return Ok(());
                }
            }
        }
        match record::read(&export.layout, &rows, &export.rules) {
            Err(bad) => self.unread.push(Unread::of(bad, "call")),
            Ok(call) => self.readable(export, index, id, listed, call, open_audio)?,
        }
        Ok(())
    }

    fn readable(
        &mut self,
        export: &Export,
        index: &Index,
        id: &str,
        listed: &Listed,
        call: Call,
        open_audio: bool,
    ) -> Result<(), String> {
        if listed.recordings.is_empty() {
            self.calls_without_recordings += 1;
        }
        let place = call.place;
        match &call.record {
            Ok(record) => self.record(record, listed.recordings.len() as u64),
            Err(why) => self.unread.push(Unread {
                reason: why
                    .strip_prefix(&format!("{} line {}: ", place.0, place.1))
                    .unwrap_or(why)
                    .to_owned(),
                file: place.0,
                line: place.1,
                column: None,
                costs: "call",
            }),
        }
        for recording in call.recordings {
            match recording.facts {
                Err(bad) => self.unread.push(Unread::of(bad, "recording")),
                Ok(facts) => {
                    let found = export.file_of(index, &facts)?;
                    self.audio(export, id, &recording.id, &facts, found, open_audio);
                }
            }
        }
        for group in call.groups {
            let paths = index.audio(&group.glob, usize::MAX)?;
            match group.facts {
                Err(bad) => self.unread.push(Unread::of(bad, "recording")),
                Ok(facts) => {
                    for path in paths {
                        let name = format!("{id}-{}", super::name_of(&path));
                        self.audio(export, id, &name, &facts, Ok(path), open_audio);
                    }
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &Canonical, recordings: u64) {
        let day = record.legacy_start_time.to_zoned(TimeZone::UTC).date();
        let day = self.days.entry(day.to_string()).or_default();
        day.calls += 1;
        day.recordings += recordings;
        self.segments += record.segments.len() as u64;
        let legs = record.segments.iter().map(|leg| &leg.agent_legacy_id);
        let mut agents: Vec<&str> = legs
            .chain([&record.agent_legacy_id])
            .filter_map(Option::as_deref)
            .collect();
        agents.sort_unstable();
        agents.dedup();
        if agents.is_empty() {
            self.calls_without_agent += 1;
        }
        for agent in agents {
            *self.agents.entry(agent.to_owned()).or_default() += 1;
        }
        match &record.queue_legacy_id {
            Some(queue) => *self.queues.entry(queue.clone()).or_default() += 1,
            None => self.calls_without_queue += 1,
        }
    }

    fn audio(
        &mut self,
        export: &Export,
        call: &str,
        recording: &str,
        facts: &Facts,
        found: Result<String, String>,
        open_audio: bool,
    ) {
        let codec = found.and_then(|path| match export.audio.look(&path) {
            Ok(Found::File(_)) if open_audio => Ok(codec_of(export, &path)),
            Ok(Found::File(_)) => Ok(facts
                .record
                .recording_format
                .clone()
                .unwrap_or_else(|| "not looked at".to_owned())),
            Ok(Found::Nothing) => Err(format!("there is no file {path}")),
            Ok(Found::NoFile) => Err(format!("{path} is no file")),
            Ok(Found::Outside) => Err(format!("{path} is a link out of the audio folder")),
            Err(error) => Err(format!("{path}: {error}")),
        });
        match codec {
            Ok(codec) => *self.codecs.entry(codec).or_default() += 1,
            Err(reason) => self.lacking.push(Lacking {
                legacy_interaction_id: call.to_owned(),
                legacy_recording_id: recording.to_owned(),
                reason,
            }),
        }
    }

    /// Whether everything can be read and is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty() && self.lacking.is_empty() && self.collisions.is_empty()
    }
}

impl Unread {
    fn of(bad: Bad, costs: &'static str) -> Unread {
        Unread {
            file: bad.file,
            line: bad.line,
            column: bad.column,
            reason: bad.why,
            costs,
        }
    }
}

/// The codec by the audio's beginning, or what it is instead.
fn codec_of(export: &Export, path: &str) -> String {
    use std::io::Read;
    let mut beginning = Vec::new();
    let read = export
        .audio
        .open(path)
        .and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
    if let Err(error) = read {
        return format!("not readable: {}", error.kind());
    }
    match Decoder::new(Cursor::new(beginning)) {
        Ok(decoder) => decoder.head().codec.to_string(),
        Err(AudioError::Empty) => "empty".to_owned(),
        Err(AudioError::NotAudio { looks_like }) => format!("not audio: {looks_like}"),
        Err(AudioError::Unsupported { what }) => what,
        Err(AudioError::Undecodable { .. }) => "not decodable".to_owned(),
        Err(AudioError::Io(error)) => format!("not readable: {}", error.kind()),
    }
}
