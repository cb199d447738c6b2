//! Recordings of a call, from its rows. Source: docs/reference/layout.md.

use std::collections::BTreeSet;

use jiff::Timestamp;
use plan::layout::{Each, PauseCount, PauseFields, Place, RecordingFields, Value};
use plan::{Layout, TimeRules};

use super::entity::{Data, DataRow};
use super::folder::relative;
use super::times::{RowSpans, Span, Times, elements, node_of};
use super::value::{Bad, Scope, Stated, length_ms, trimmed};
use crate::canonical::{CanonicalRecording, Repair};
use crate::legacy_id::key;
use crate::source::instant::corrected;

/// A recording as a row has it.
pub(super) struct Recording {
    pub(super) id: String,
    /// The error says what of it cannot be read.
    pub(super) facts: Result<Facts, Bad>,
}

/// What is said of a recording.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) record: CanonicalRecording,
    pub(super) wanted: Wanted,
    /// As declared.
    pub(super) size_bytes: Option<u64>,
}

/// How its audio file is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A path below the audio folder.
    Path(String),
    /// A glob that one file has to match.
    Glob(String),
}

/// Recordings that are found by their files: as many as there are.
pub(super) struct Group {
    pub(super) glob: String,
    pub(super) facts: Result<Facts, Bad>,
}

/// Recordings of a call; with `each = "file"` what finds them instead.
pub(super) fn read(
    fields: &RecordingFields,
    rows: &RowSpans<'_>,
    whole: Option<(Timestamp, Timestamp)>,
    rules: &TimeRules,
    repairs: &mut Vec<Repair>,
) -> Result<(Vec<Recording>, Vec<Group>), Bad> {
    let (mut recordings, mut groups) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for (scope, id) in identified(fields, rows)? {
        let (scope, own) = scope;
        let scope = Scope {
            recording_id: &id,
            ..scope
        };
        // Part of what the call is: which leg it belongs to.
        let segment = scope.optional(fields.segment.as_ref())?;
        let facts = facts(fields, &scope, own, whole, rules, repairs).map(|mut facts| {
            facts.record.legacy_recording_id = id.clone();
            facts.record.legacy_segment_id = segment;
            facts
        });
        if matches!(fields.each, Each::File) {
            let glob = glob_of(fields, &scope)?;
            groups.push(Group { glob, facts });
        } else if known.insert(id.clone()) {
            recordings.push(Recording { id, facts });
        }
    }
    Ok((recordings, groups))
}

/// A place where a recording is, with its row's own times.
type At<'a> = (Scope<'a>, Option<&'a Span>);

/// Each place that has a recording, with the recording's id; with `each = "file"` it is empty.
fn identified<'a>(
    fields: &RecordingFields,
    rows: &'a RowSpans<'a>,
) -> Result<Vec<(At<'a>, String)>, Bad> {
    let mut found = Vec::new();
    for (row, own) in rows {
        for element in elements(&fields.each, row.row) {
            let scope = row.with_element(element);
            if !has_recording(fields, &scope)? {
                continue;
            }
            let id = match fields.each {
                Each::File => String::new(),
                Each::Row | Each::Element(_) => scope
                    .optional(fields.id.as_ref())?
                    .unwrap_or_else(|| format!("{}-{}", scope.call_id, found.len() + 1)),
            };
            found.push(((scope, own.as_ref()), id));
        }
    }
    Ok(found)
}

/// Whether a row or an element has a recording. A path that cannot be read is that of one.
fn has_recording(fields: &RecordingFields, scope: &Scope<'_>) -> Result<bool, Bad> {
    let Some(condition) = fields.condition() else {
        return Ok(true);
    };
    match scope.text(condition) {
        Err(bad) if fields.when.is_some() => Err(bad),
        Ok(None) => Ok(false),
        Ok(Some(_)) | Err(_) => Ok(true),
    }
}

/// Ids of the recordings of rows of one call, whatever else of it cannot be read. `None`: they
/// cannot be told; with `each = "file"` there are none in rows.
pub(super) fn ids(layout: &Layout, call_id: &str, rows: &[DataRow]) -> Option<Vec<String>> {
    let fields = layout.recording.as_ref()?;
    if matches!(fields.each, Each::File) {
        return None;
    }
    let rows: Vec<(Scope<'_>, Option<Span>)> = rows
        .iter()
        .map(|row| Scope {
            call_id,
            ..Scope::of_row(layout, row)
        })
        .map(|scope| (scope, None))
        .collect();
    let mut known = BTreeSet::new();
    let found = identified(fields, &rows).ok()?;
    let ids = found.into_iter().map(|(_, id)| id);
    Some(ids.filter(|id| known.insert(id.clone())).collect())
}

fn facts(
    fields: &RecordingFields,
    scope: &Scope<'_>,
    own: Option<&Span>,
    whole: Option<(Timestamp, Timestamp)>,
    rules: &TimeRules,
    repairs: &mut Vec<Repair>,
) -> Result<Facts, Bad> {
    let node = match scope.optional(fields.recorder_node.as_ref())? {
        Some(node) => Some(node),
        None => node_of(scope)?,
    };
    let times = Times {
        start: fields.start.as_ref(),
        end: fields.end.as_ref(),
        duration: fields.duration.as_ref(),
    };
    let read = times.read(scope, node.as_deref(), rules, own)?;
    let span = read.span.ok();
    if let Some(span) = &span {
        repairs.extend(&span.repairs);
    }
    let (start, end) = span
        .as_ref()
        .map(|span| (span.start, span.end))
        .or(whole)
        .unwrap_or_default();
    let (pauses_ms, pauses_whole) = match &fields.pauses {
        Some(fields) => Pauses {
            fields,
            scope: *scope,
            start,
            node: node.as_deref(),
            rules,
        }
        .read(),
        None => (Vec::new(), true),
    };
    let wanted = match fields.each {
        Each::File => Wanted::Path(String::new()),
        Each::Row | Each::Element(_) => wanted_of(fields, scope)?,
    };
    let record = CanonicalRecording {
        start,
        end,
        time_usable: span.is_some(),
        recording_format: scope
            .optional(fields.codec.as_ref())?
            .map(|codec| codec.to_uppercase()),
        declared_duration_ms: scope.length(fields.duration.as_ref())?,
        retention_class: scope
            .optional(fields.retention_class.as_ref())?
            .map(|class| key(&class).to_owned()),
        delete_at: delete_at(fields.delete_at.as_ref(), scope, rules)?,
        legal_hold: hold(fields.legal_hold.as_ref(), scope)?,
        pauses_ms,
        pauses_whole,
        ..CanonicalRecording::default()
    };
    Ok(Facts {
        record,
        wanted,
        size_bytes: size(fields.size.as_ref(), scope)?,
    })
}

fn wanted_of(fields: &RecordingFields, scope: &Scope<'_>) -> Result<Wanted, Bad> {
    let Some(file) = &fields.file else {
        return glob_of(fields, scope).map(Wanted::Glob);
    };
    let path = scope
        .text(file)?
        .ok_or_else(|| scope.bad_value(file, "names no file"))?;
    relative(&path)
        .map(Wanted::Path)
        .map_err(|why| scope.bad_value(file, &why))
}

fn glob_of(fields: &RecordingFields, scope: &Scope<'_>) -> Result<String, Bad> {
    let template = fields
        .files
        .as_ref()
        .ok_or_else(|| scope.bad(None, "the layout says nothing of its file"))?;
    let glob = scope
        .fill(template, &escaped)?
        .ok_or_else(|| scope.bad(template.places().next(), "has no value to find the file by"))?;
    Ok(glob.trim_start_matches('/').to_owned())
}

/// A text as a glob that matches it and nothing else.
fn escaped(text: &str) -> String {
    let mut glob = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '!' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

fn delete_at(
    value: Option<&Value>,
    scope: &Scope<'_>,
    rules: &TimeRules,
) -> Result<Option<Timestamp>, Bad> {
    let Some(value) = value else { return Ok(None) };
    match scope.time(value, rules.naive_zone.as_deref())? {
        None => Ok(None),
        Some((_, Ok((at, _)))) => Ok(Some(at)),
        Some((_, Err(_))) => Err(scope.bad_value(value, "is no time")),
    }
}

fn hold(value: Option<&Value>, scope: &Scope<'_>) -> Result<bool, Bad> {
    let Some(value) = value else {
        return Ok(false);
    };
    let Some(text) = scope.text(value)? else {
        return Ok(false);
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" | "on" => Ok(true),
        "false" | "no" | "n" | "f" | "0" | "off" => Ok(false),
        _ => Err(scope.bad_value(value, "is neither true nor false")),
    }
}

fn size(value: Option<&Value>, scope: &Scope<'_>) -> Result<Option<u64>, Bad> {
    let Some(value) = value else { return Ok(None) };
    let Some(text) = scope.text(value)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| scope.bad_value(value, "is no number of bytes"))
}

/// Pauses of one recording, in milliseconds from its start.
struct Pauses<'a> {
    fields: &'a PauseFields,
    scope: Scope<'a>,
    start: Timestamp,
    node: Option<&'a str>,
    rules: &'a TimeRules,
}

/// `None`: it has no start or no end that can be read.
type Pause = Option<(i64, i64)>;

impl Pauses<'_> {
    /// Pauses, and whether all of them can be read.
    fn read(&self) -> (Vec<(i64, i64)>, bool) {
        let pauses = match &self.fields.list {
            Some(list) => self.listed(list),
            None => Ok(self.by_element()),
        };
        match pauses {
            Err(_) => (Vec::new(), false),
            Ok(pauses) => (
                pauses.iter().flatten().copied().collect(),
                pauses.iter().all(Option::is_some),
            ),
        }
    }

    fn by_element(&self) -> Vec<Pause> {
        let Data::Document(document) = &self.scope.row.data else {
            return Vec::new();
        };
        let found = match &self.fields.each {
            Some(Place::Row(path)) => path.query.query(document),
            Some(Place::Element(path)) => path.query.query(self.scope.element.unwrap_or(document)),
            Some(Place::Column(_) | Place::Number(_)) | None => return Vec::new(),
        };
        let pause = |element| {
            let scope = self.scope.with_element(Some(element));
            let at = |value: Option<&Value>| match self.fields.count {
                PauseCount::FromStart => scope.length(value).ok().flatten(),
                PauseCount::Times => {
                    let zone = self.rules.naive_zone.as_deref();
                    let (_, stated) = scope.time(value?, zone).ok().flatten()?;
                    self.since_start(stated)
                }
            };
            let from = at(self.fields.start.as_ref())?;
            let to = match &self.fields.end {
                Some(end) => at(Some(end))?,
                None => {
                    let length = scope.length(self.fields.duration.as_ref());
                    from.checked_add(length.ok().flatten()?)?
                }
            };
            Some((from, to))
        };
        found.iter().map(|element| pause(element)).collect()
    }

    fn listed(&self, list: &Value) -> Result<Vec<Pause>, Bad> {
        let Some(text) = self.scope.text(list)? else {
            return Ok(Vec::new());
        };
        let unit = list.unit.unwrap_or(self.scope.layout.time.lengths);
        let at = |text: &str| match self.fields.count {
            PauseCount::FromStart => length_ms(trimmed(text), unit),
            PauseCount::Times => {
                let zone = self.rules.naive_zone.as_deref();
                let stated = self.scope.time_of(trimmed(text), list, zone);
                self.since_start(stated.ok()?)
            }
        };
        let pause = |text: &str| {
            let (from, to) = text.split_once(self.fields.within.as_str())?;
            at(from).zip(at(to))
        };
        Ok(text
            .split(self.fields.between.as_str())
            .map(trimmed)
            .filter(|text| !text.is_empty())
            .map(pause)
            .collect())
    }

    /// The recorder that wrote the recording's start wrote this time too.
    fn since_start(&self, stated: Stated) -> Option<i64> {
        let at = corrected(stated.ok()?.0, self.node, self.rules).ok()?;
        Some(at.as_millisecond() - self.start.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_a_template_stands_for_matches_itself_alone() {
        for text in ["4411", "a[1]*.?", "{x}!y", "a\\b"] {
            assert!(fast_glob::glob_match(escaped(text), text), "{text}");
        }
        assert!(!fast_glob::glob_match(escaped("a*"), "ab"));
        assert!(!fast_glob::glob_match(escaped("[a]"), "a"));
    }
}
