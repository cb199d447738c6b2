//! The recordings of a call. Source: docs/reference/layout.md, `[recording]` and "How the audio
//! file is found".

use plan::layout::{Each, LengthUnit, PauseCount, PauseFields, Place, RecordingFields, Value};

use super::call::{Draft, Reading, Times, at, elements, in_words, misread};
use super::folders::{Audio, below};
use super::row::last_part;
use super::times::{self, Fraction};
use super::value::{Read, Scope, Unread, bare};
use crate::source::{RecordingDetails, SourcePause, SourceRecording, SourceTime};
use crate::text::Text;

/// Files that one row's glob may find. More are a glob that is wrong.
const MOST_FILES: usize = 10_000;

/// What is needed where the export has no audio for a recording: the same words for all, and
/// recordings.csv names each.
const NO_FILE: &str = "audio files that the export names and does not have below source.audio; add \
    them, or list their recordings in rules.exclusions";
const NO_NAME: &str = "names of audio files, where the export names none for a recording; correct \
    the export or its layout";
const SEVERAL: &str = "one audio file for a recording where recording.files finds several; correct \
    the layout";
/// Why a call cannot be read.
const ONE_NAME: &str = "audio files of one call with one name each; rename one of them, or correct \
    recording.files";
const TOO_MANY: &str = "at most 10000 audio files for a row; correct recording.files";

/// What is known of a recording before the rest of it is read.
struct Known<'a> {
    scope: Scope<'a>,
    id: &'a str,
    segment: Option<String>,
    /// Where its audio is. Absent: still to be found.
    path: Option<&'a str>,
    /// The row that has it, when its call was.
    row: &'a Times,
}

impl Reading {
    pub(super) fn recordings(
        &self,
        draft: &mut Draft,
        fields: &RecordingFields,
        scopes: &[Scope<'_>],
        times: &[Times],
        audio: &dyn Audio,
    ) {
        let mut number = 0;
        for (scope, row) in scopes.iter().zip(times) {
            match fields.each {
                Each::File => self.found_files(draft, fields, scope, row, audio),
                Each::Row | Each::Element(_) => {
                    for element in elements(&fields.each, scope) {
                        let scope = Scope { element, ..*scope };
                        self.listed(draft, fields, &scope, row, &mut number, audio);
                    }
                }
            }
        }
    }

    /// The recording of a row or an element, where it has one.
    fn listed(
        &self,
        draft: &mut Draft,
        fields: &RecordingFields,
        scope: &Scope<'_>,
        row: &Times,
        number: &mut u64,
        audio: &dyn Audio,
    ) {
        match fields.condition().map(|when| scope.read(when)) {
            Some(Ok(None)) => return,
            Some(Err(unread)) if fields.when.is_some() => {
                draft.blame(scope.row, "recording.when", &unread);
                return;
            }
            // A name that cannot be read is that recording's trouble.
            None | Some(Ok(Some(_)) | Err(_)) => {}
        }
        *number += 1;
        let id = fields.id.as_ref().map_or(Ok(None), |id| scope.read(id));
        let id = match id {
            Ok(id) => id.unwrap_or_else(|| format!("{}-{number}", draft.id)),
            Err(unread) => {
                draft.blame(scope.row, "recording.id", &unread);
                return;
            }
        };
        self.add(draft, fields, scope, row, (&id, None), audio);
    }

    /// The recordings of a row that are the files a glob finds.
    fn found_files(
        &self,
        draft: &mut Draft,
        fields: &RecordingFields,
        scope: &Scope<'_>,
        row: &Times,
        audio: &dyn Audio,
    ) {
        let key = "recording.when";
        match fields.when.as_ref().map(|when| scope.read(when)) {
            Some(Ok(None)) => return,
            Some(Err(unread)) => return draft.blame(scope.row, key, &unread),
            None | Some(Ok(Some(_))) => {}
        }
        let glob = fields.files.as_ref().map_or(Ok(None), |of| scope.glob(of));
        let paths = match glob {
            Ok(None) => return,
            Ok(Some(glob)) => audio.matching(&glob, MOST_FILES + 1),
            Err(unread) => return draft.blame(scope.row, "recording.files", &unread),
        };
        if paths.len() > MOST_FILES {
            return draft.blame_for(TOO_MANY.to_owned());
        }
        for path in paths {
            let id = format!("{}-{}", draft.id, last_part(&path));
            match draft.files.get(&id) {
                Some(known) if *known == path => continue,
                Some(_) => {
                    draft.recordings.retain(|known| known.id != id);
                    draft.blame_for(ONE_NAME.to_owned());
                    continue;
                }
                None => _ = draft.files.insert(id.clone(), path.clone()),
            }
            self.add(draft, fields, scope, row, (&id, Some(&path)), audio);
        }
    }

    /// A recording with this id, and with this file where it is known; what comes twice is that
    /// which came first.
    fn add(
        &self,
        draft: &mut Draft,
        fields: &RecordingFields,
        scope: &Scope<'_>,
        row: &Times,
        (id, path): (&str, Option<&str>),
        audio: &dyn Audio,
    ) {
        let scope = Scope {
            recording_id: Some(id),
            ..*scope
        };
        let segment = fields.segment.as_ref();
        let segment = segment.map_or(Ok(None), |segment| scope.read(segment));
        let segment = segment.unwrap_or_else(|unread| {
            draft.blame(scope.row, "recording.segment", &unread);
            None
        });
        if draft.recordings.iter().any(|known| known.id == id) {
            return;
        }
        let known = Known {
            scope,
            id,
            segment,
            path,
            row,
        };
        let details = self.details(draft, fields, &known, audio);
        draft.recordings.push(SourceRecording {
            id: id.into(),
            details,
            staged: None,
        });
    }

    /// The error says what cannot be read.
    fn details(
        &self,
        draft: &Draft,
        fields: &RecordingFields,
        known: &Known<'_>,
        audio: &dyn Audio,
    ) -> Result<RecordingDetails, String> {
        let scope = &known.scope;
        let in_words =
            |key: &str, unread: &Unread| in_words(scope.row, &format!("recording.{key}"), unread);
        let text = |key: &str, value: &Option<Value>| {
            let read = value.as_ref().map_or(Ok(None), |value| scope.read(value));
            read.map_err(|unread| in_words(key, &unread))
        };
        let own_node = text("recorder_node", &fields.recorder_node)?;
        let node = own_node
            .as_deref()
            .or(draft.listed.recorder_node.as_deref());
        let length = fields.duration.as_ref();
        let length = length
            .map_or(Ok(None), |value| self.length(scope, value))
            .map_err(|unread| in_words("duration", &unread))?;
        let ms = length.map(|(ms, _)| ms);
        let ends = (&fields.start, &fields.end);
        let times = self.own_times(scope, ends, ms, node, known.row);
        let pauses = fields.pauses.as_ref();
        let pauses = pauses.map(|pauses| self.pauses(pauses, scope, &times, node));
        let delete_at = fields.delete_at.as_ref();
        let path = match known.path {
            Some(path) => path.to_owned(),
            None => file(fields, scope, audio).map_err(|why| match why {
                NoFile::Unread(key, unread) => in_words(key, &unread),
                NoFile::Because(why) => why.to_owned(),
            })?,
        };
        Ok(RecordingDetails {
            id: known.id.into(),
            interaction_id: draft.id.as_str().into(),
            segment_id: known.segment.as_deref().map(Text::from),
            start_time: times.start,
            end_time: times.end,
            duration_ms: ms,
            codec: text("codec", &fields.codec)?.map(Text::from),
            size_bytes: size(fields, scope).map_err(|unread| in_words("size", &unread))?,
            file_name: Some(last_part(&path).into()),
            recorder_node: own_node.map(Text::from),
            pauses: pauses.unwrap_or_default(),
            retention_class: text("retention_class", &fields.retention_class)?.map(Text::from),
            // No recorder wrote it.
            delete_at: delete_at.map_or(SourceTime::Absent, |value| self.time(scope, value, None)),
            legal_hold: hold(fields, scope).map_err(|unread| in_words("legal_hold", &unread))?,
            media_url: Some(path.into()),
            rounded: length
                .filter(|(_, rounded)| *rounded)
                .map(|_| "duration".to_owned())
                .into_iter()
                .collect(),
            ..RecordingDetails::default()
        })
    }

    /// One without a readable start or end has none: what must be protected is not known then.
    fn pauses(
        &self,
        fields: &PauseFields,
        scope: &Scope<'_>,
        recording: &Times,
        node: Option<&str>,
    ) -> Vec<SourcePause> {
        let reading = PauseReading {
            reading: self,
            fields,
            node,
            start_ms: recording_start(recording),
        };
        match (&fields.list, &fields.each) {
            (Some(list), _) => reading.of_list(list, scope),
            (None, Some(each)) => reading.of_elements(each, scope),
            (None, None) => Vec::new(),
        }
    }
}

/// The earlier of a recording's ends: that is where it starts. Milliseconds since 1970.
fn recording_start(times: &Times) -> Option<i64> {
    let (start, end) = (at(&times.start)?, at(&times.end)?);
    Some(start.min(end).ms())
}

/// Why a recording has no audio.
enum NoFile {
    Unread(&'static str, Unread),
    Because(&'static str),
}

/// The path of a recording's file.
fn file(fields: &RecordingFields, scope: &Scope<'_>, audio: &dyn Audio) -> Result<String, NoFile> {
    if let Some(value) = &fields.file {
        let unread = |unread| NoFile::Unread("file", unread);
        let text = scope.read(value).map_err(unread)?;
        let text = text.ok_or(NoFile::Because(NO_NAME))?;
        let path = below(&text).map_err(|why| NoFile::Unread("file", misread(value, why)))?;
        return match audio.has(&path) {
            true => Ok(path),
            false => Err(NoFile::Because(NO_FILE)),
        };
    }
    let glob = fields.files.as_ref().map_or(Ok(None), |of| scope.glob(of));
    let glob = glob.map_err(|unread| NoFile::Unread("files", unread))?;
    let glob = glob.ok_or(NoFile::Because(NO_NAME))?;
    let mut paths = audio.matching(&glob, 2);
    match (paths.pop(), paths.is_empty()) {
        (Some(path), true) => Ok(path),
        (Some(_), false) => Err(NoFile::Because(SEVERAL)),
        (None, _) => Err(NoFile::Because(NO_FILE)),
    }
}

fn size(fields: &RecordingFields, scope: &Scope<'_>) -> Read<u64> {
    let Some(value) = &fields.size else {
        return Ok(None);
    };
    let bytes = |text: String| {
        let number = times::decimal(&text, 1, Fraction::Refused);
        let number = number.and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| misread(value, "it is no number of bytes"))
    };
    scope.read(value)?.map(bytes).transpose()
}

/// Without a value there is no hold.
fn hold(fields: &RecordingFields, scope: &Scope<'_>) -> Result<bool, Unread> {
    let Some(value) = &fields.legal_hold else {
        return Ok(false);
    };
    let Some(word) = scope.read(value)? else {
        return Ok(false);
    };
    match word.to_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" | "on" => Ok(true),
        "false" | "no" | "n" | "f" | "0" | "off" => Ok(false),
        _ => Err(misread(value, "it is neither true nor false")),
    }
}

/// How the pauses of one recording are read.
struct PauseReading<'a> {
    reading: &'a Reading,
    fields: &'a PauseFields,
    node: Option<&'a str>,
    /// Where the recording starts. Absent: not known.
    start_ms: Option<i64>,
}

const NOT_TOLD: SourcePause = SourcePause {
    start_offset_ms: None,
    end_offset_ms: None,
};

impl PauseReading<'_> {
    /// A text such as `12-15;30-41`.
    fn of_list(&self, list: &Value, scope: &Scope<'_>) -> Vec<SourcePause> {
        let text = match scope.read(list) {
            Ok(None) => return Vec::new(),
            Ok(Some(text)) => text,
            Err(_) => return vec![NOT_TOLD],
        };
        let pieces: Vec<&str> = match self.fields.between.as_str() {
            "" => vec![text.as_str()],
            between => text.split(between).collect(),
        };
        let pieces = pieces.into_iter().map(bare);
        let pause = |piece: &str| {
            let Some((start, end)) = piece.split_once(self.fields.within.as_str()) else {
                return NOT_TOLD;
            };
            SourcePause {
                start_offset_ms: self.offset(scope, list, bare(start)),
                end_offset_ms: self.offset(scope, list, bare(end)),
            }
        };
        pieces
            .filter(|piece| !piece.is_empty())
            .map(pause)
            .collect()
    }

    /// Elements that a path finds.
    fn of_elements(&self, each: &Place, scope: &Scope<'_>) -> Vec<SourcePause> {
        let (from, path) = match each {
            Place::Row(path) => (scope.row.json(), path),
            Place::Element(path) => (scope.element.or(scope.row.json()), path),
            Place::Column(_) | Place::Number(_) => return Vec::new(),
        };
        let nodes = from.map(|from| path.query.query(from).all());
        let pause = |element| {
            let scope = Scope {
                element: Some(element),
                ..*scope
            };
            let start = self.end(&scope, self.fields.start.as_ref());
            let by_length = || {
                let length = self.reading.length(&scope, self.fields.duration.as_ref()?);
                start?.checked_add(length.ok()??.0)
            };
            let end = match &self.fields.end {
                Some(end) => self.end(&scope, Some(end)),
                None => by_length(),
            };
            SourcePause {
                start_offset_ms: start,
                end_offset_ms: end,
            }
        };
        nodes.unwrap_or_default().into_iter().map(pause).collect()
    }

    fn end(&self, scope: &Scope<'_>, value: Option<&Value>) -> Option<i64> {
        let text = scope.read(value?).ok()??;
        self.offset(scope, value?, &text)
    }

    /// Milliseconds from the recording's start. Absent: it cannot be told.
    fn offset(&self, scope: &Scope<'_>, value: &Value, text: &str) -> Option<i64> {
        match self.fields.count {
            PauseCount::FromStart => {
                let unit: LengthUnit = value.unit.unwrap_or(self.reading.layout.time.lengths);
                times::length(text, unit).map(|(ms, _)| ms)
            }
            PauseCount::Times => {
                let at = self.reading.instant(scope, value, text, self.node)?;
                at.ms().checked_sub(self.start_ms?)
            }
        }
    }
}
