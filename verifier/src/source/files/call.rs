//! A call from its rows. Source: docs/reference/layout.md, "A call from its rows" and "What cannot
//! be read".

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use plan::layout::{Each, RowsPerCall, SegmentFields, TimeFormat, Value};
use plan::{Layout, LoadedPlan};
use serde_json::Value as Json;

use super::folders::Audio;
use super::row::Row;
use super::times;
use super::value::{Read, Scope, Unread, bare, place_of};
use crate::source::{SourceCall, SourceInteraction, SourceRecording, SourceSegment, SourceTime};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// How a layout is read, with what the plan adds to it.
pub(super) struct Reading {
    pub(super) layout: Layout,
    naive_zone: Option<TimeZone>,
    /// By recorder.
    node_offset_ms: HashMap<String, i64>,
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
}

/// When something was. Absent: it is not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) start: SourceTime,
    pub(super) end: SourceTime,
}

impl Times {
    /// The earlier end first; whether they stood otherwise.
    fn in_order(self) -> (Times, bool) {
        match (at(&self.start), at(&self.end)) {
            (Some(start), Some(end)) if start > end => {
                let Times { start, end } = self;
                (
                    Times {
                        start: end,
                        end: start,
                    },
                    true,
                )
            }
            _ => (self, false),
        }
    }
}

/// The instant a time is. Absent: it is none.
pub(super) fn at(time: &SourceTime) -> Option<UtcMillis> {
    match time {
        SourceTime::Instant { at, .. } => *at,
        SourceTime::Absent | SourceTime::Number(_) | SourceTime::Text { .. } => None,
    }
}

/// A call that is put together, and why it cannot be read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) listed: SourceCall,
    pub(super) recordings: Vec<SourceRecording>,
    /// Paths of files that are recordings by themselves, by the recordings' ids.
    pub(super) files: BTreeMap<String, String>,
    /// The first of them counts. Absent: it can be read.
    trouble: Option<String>,
}

impl Draft {
    /// A value that the call cannot do without is not readable.
    pub(super) fn blame(&mut self, row: &Row, key: &str, unread: &Unread) {
        let why = || in_words(row, key, unread);
        self.trouble.get_or_insert_with(why);
    }

    pub(super) fn blame_for(&mut self, why: String) {
        self.trouble.get_or_insert(why);
    }

    /// The value, where it can be read.
    fn take<T: Default>(&mut self, row: &Row, key: &str, read: Result<T, Unread>) -> T {
        read.unwrap_or_else(|unread| {
            self.blame(row, key, &unread);
            T::default()
        })
    }

    fn finished(self) -> SourceInteraction {
        let Draft {
            id,
            listed,
            mut recordings,
            files: _,
            trouble,
        } = self;
        let Some(why) = trouble else {
            return SourceInteraction {
                recordings,
                ..SourceInteraction::of(listed)
            };
        };
        for recording in &mut recordings {
            recording.details = Err(why.clone());
        }
        SourceInteraction {
            recordings,
            ..SourceInteraction::unread(id, why)
        }
    }
}

/// What is needed of a value that cannot be read: the same words for all rows of a file, so that a
/// report says them once. What stands there is left out.
pub(super) fn in_words(row: &Row, key: &str, unread: &Unread) -> String {
    let place = match unread.place.as_str() {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    format!(
        "{key}{place} in {} in a form that can be read: {}; correct the export or its layout",
        row.file.path, unread.why
    )
}

/// The words for a text that is no number, length or the like.
pub(super) fn misread(value: &Value, why: &'static str) -> Unread {
    Unread {
        place: place_of(value),
        why,
    }
}

impl Reading {
    /// Absent: the plan's source is another one.
    pub(super) fn of(loaded: &LoadedPlan) -> Option<Reading> {
        let layout = loaded.layout.clone()?;
        let (source, time) = (&loaded.plan.source, &loaded.plan.time);
        let zone = time.naive_zone.as_deref();
        let nodes = time.node.iter();
        Some(Reading {
            layout,
            naive_zone: zone.and_then(|name| TimeZone::get(name).ok()),
            node_offset_ms: nodes
                .map(|(node, of)| (bare(node).to_owned(), of.offset_ms))
                .collect(),
            from: source.from().map(UtcMillis::from),
            to: source.to().map(UtcMillis::from),
        })
    }

    /// The same with every call in the window.
    pub(super) fn without_window(self) -> Reading {
        Reading {
            from: None,
            to: None,
            ..self
        }
    }

    /// The id of the call that a row belongs to. Absent: it has none, or one that cannot be read;
    /// the error says which.
    pub(super) fn id(&self, row: &Row) -> Result<String, String> {
        let id = Scope::of(&self.layout, row).read(&self.layout.call.id);
        match id {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(format!(
                "call.id in {} in every row; correct the export or its layout",
                row.file.path
            )),
            Err(unread) => Err(in_words(row, "call.id", &unread)),
        }
    }

    /// The call of these rows, which all have its id. Absent: it lies outside the plan's window.
    pub(super) fn call(
        &self,
        id: &str,
        mut rows: Vec<Row>,
        audio: &dyn Audio,
    ) -> Option<SourceInteraction> {
        if self.layout.call.rows == RowsPerCall::Many {
            let (draft, in_window) = self.draft(id, &rows, audio);
            return in_window.then(|| draft.finished());
        }
        let mut distinct: Vec<Row> = Vec::new();
        for row in rows.drain(..) {
            if !distinct.iter().any(|known| known.says_as(&row)) {
                distinct.push(row);
            }
        }
        let (rows, unread) = self.latest(distinct);
        let mut drafts = rows
            .iter()
            .map(|row| self.draft(id, std::slice::from_ref(row), audio));
        let (mut first, mut in_window) = drafts.next()?;
        if let Some((row, unread)) = unread {
            first.blame(&row, "call.latest", &unread);
        }
        let mut interaction = first.finished();
        for (other, other_in_window) in drafts {
            in_window |= other_in_window;
            collide(&mut interaction, other.finished());
        }
        in_window.then_some(interaction)
    }

    /// Of several rows of a call that is one row, the one that counts; all of them where the layout
    /// does not say which. The error is that of a row of which it cannot be told.
    fn latest(&self, rows: Vec<Row>) -> (Vec<Row>, Option<(Row, Unread)>) {
        let Some(value) = &self.layout.call.latest else {
            return (rows, None);
        };
        let (mut best, mut failed): (Option<(String, Row)>, _) = (None, None);
        for row in rows {
            let text = match Scope::of(&self.layout, &row).read(value) {
                Ok(text) => text.unwrap_or_default(),
                Err(unread) => {
                    failed = Some((row.clone(), unread));
                    String::new()
                }
            };
            if best.as_ref().is_none_or(|(known, _)| text >= *known) {
                best = Some((text, row));
            }
        }
        (best.into_iter().map(|(_, row)| row).collect(), failed)
    }

    /// A call of some rows, and whether it lies in the plan's window.
    fn draft(&self, id: &str, rows: &[Row], audio: &dyn Audio) -> (Draft, bool) {
        let mut draft = Draft {
            id: id.to_owned(),
            ..Draft::default()
        };
        draft.listed.id = id.into();
        let scopes: Vec<Scope<'_>> = rows
            .iter()
            .map(|row| Scope {
                call_id: Some(id),
                ..Scope::of(&self.layout, row)
            })
            .collect();
        for scope in &scopes {
            if let Err(unread) = scope.counts() {
                draft.blame(scope.row, "only", &unread);
            }
        }
        let node = self.field(
            &mut draft,
            &scopes,
            "call.recorder_node",
            self.layout.call.recorder_node.as_ref(),
        );
        let times: Vec<Times> = scopes
            .iter()
            .map(|scope| self.row_times(&mut draft, scope, node.as_deref()))
            .collect();
        let times = self.call_times(&mut draft, times);
        draft.listed.recorder_node = node.map(Text::from);
        let in_window = self.is_in_window(&draft.listed);
        self.fields(&mut draft, &scopes);
        if let Some(segment) = &self.layout.segment {
            self.legs(&mut draft, segment, &scopes, &times);
        }
        if let Some(recording) = &self.layout.recording {
            self.recordings(&mut draft, recording, &scopes, &times, audio);
        }
        let listed = draft.recordings.iter();
        draft.listed.recordings = listed
            .map(|recording| {
                let details = recording.details.as_ref().ok();
                let segment = details.and_then(|details| details.segment_id.clone());
                (recording.id.clone(), segment)
            })
            .collect();
        (draft, in_window)
    }

    /// When a row says that its call was.
    fn row_times(&self, draft: &mut Draft, scope: &Scope<'_>, node: Option<&str>) -> Times {
        let call = &self.layout.call;
        let start = self.time(scope, &call.start, node);
        let end = call.end.as_ref().map(|end| self.time(scope, end, node));
        // A length that cannot be read is the call's trouble also beside an end.
        let length = call.duration.as_ref();
        let length = length.map_or(Ok(None), |value| self.length(scope, value));
        let length = draft.take(scope.row, "call.duration", length);
        let end = match (end.unwrap_or_default(), &call.duration) {
            (SourceTime::Absent, Some(_)) => later(&start, length.map(|(ms, _)| ms)),
            (end, _) => end,
        };
        Times { start, end }
    }

    /// When the call was, and each of its rows. A call of one row has its ends as they stand there.
    fn call_times(&self, draft: &mut Draft, rows: Vec<Times>) -> Vec<Times> {
        let is_one = self.layout.call.rows == RowsPerCall::One;
        let mut ordered = Vec::new();
        for times in rows {
            if is_one {
                draft.listed.start_time = times.start.clone();
                draft.listed.end_time = times.end.clone();
            }
            let (times, swapped) = times.in_order();
            draft.listed.row_reversed |= swapped && !is_one;
            ordered.push(times);
        }
        if is_one {
            return ordered;
        }
        let unusable = |times: &[SourceTime]| times.iter().find(|time| at(time).is_none()).cloned();
        let starts: Vec<SourceTime> = ordered.iter().map(|times| times.start.clone()).collect();
        let ends: Vec<SourceTime> = ordered.iter().map(|times| times.end.clone()).collect();
        let earliest = || starts.iter().min_by_key(|time| at(time)).cloned();
        let latest = || ends.iter().max_by_key(|time| at(time)).cloned();
        draft.listed.start_time = unusable(&starts).or_else(earliest).unwrap_or_default();
        draft.listed.end_time = unusable(&ends).or_else(latest).unwrap_or_default();
        ordered
    }

    /// A call without a usable start is always in the window.
    fn is_in_window(&self, listed: &SourceCall) -> bool {
        let times = Times {
            start: listed.start_time.clone(),
            end: listed.end_time.clone(),
        };
        let Some(start) = at(&times.in_order().0.start) else {
            return true;
        };
        self.from.is_none_or(|from| from <= start) && self.to.is_none_or(|to| start < to)
    }

    /// A field of the call: that of the first row that has a value.
    fn field(
        &self,
        draft: &mut Draft,
        scopes: &[Scope<'_>],
        key: &str,
        value: Option<&Value>,
    ) -> Option<String> {
        let value = value?;
        let mut first = None;
        for scope in scopes {
            let text = draft.take(scope.row, key, scope.read(value));
            first = first.or(text);
        }
        first
    }

    fn fields(&self, draft: &mut Draft, scopes: &[Scope<'_>]) {
        let call = &self.layout.call;
        let mut text = |key: &str, value: &Option<Value>| {
            self.field(draft, scopes, &format!("call.{key}"), value.as_ref())
        };
        let (agent, queue) = (text("agent", &call.agent), text("queue", &call.queue));
        let skill = text("skill", &call.skill);
        let skill_group = text("skill_group", &call.skill_group);
        let ivr_node = text("ivr_node", &call.ivr_node);
        let disposition = text("disposition", &call.disposition);
        let wrap_up = text("wrap_up", &call.wrap_up);
        let (caller, dialled) = (text("caller", &call.caller), text("dialled", &call.dialled));
        let customer = text("customer", &call.customer);
        let business = text("business", &call.business);
        let direction = self.direction(draft, scopes);
        let by_party = call.customer.is_some() || call.business.is_some();
        let (caller, dialled) = match direction.as_deref() {
            _ if !by_party => (caller, dialled),
            Some("OUTBOUND") => (business, customer),
            _ => (customer, business),
        };
        let (wait, wait_rounded) = self.shared_length(draft, scopes, "call.wait", &call.wait);
        let (talk, talk_rounded) = self.shared_length(draft, scopes, "call.talk", &call.talk);
        let rounded = [("wait", wait_rounded), ("talk", talk_rounded)].into_iter();
        let attributes = self.layout.attributes.iter();
        let extra: BTreeMap<String, String> = attributes
            .filter_map(|(name, value)| {
                let key = format!("attributes.{name}");
                let text = self.field(draft, scopes, &key, Some(value))?;
                Some((name.clone(), text))
            })
            .collect();
        let listed = std::mem::take(&mut draft.listed);
        draft.listed = SourceCall {
            wait_time_ms: wait,
            talk_time_ms: talk,
            direction: direction.map(Text::from),
            agent_id: agent.map(Text::from),
            queue_id: queue.map(Text::from),
            skill: skill.map(Text::from),
            skill_group: skill_group.map(Text::from),
            ivr_node_id: ivr_node.map(Text::from),
            disposition_code: disposition.map(Text::from),
            wrap_up_code: wrap_up.map(Text::from),
            caller_number: caller.map(Text::from),
            dialled_number: dialled.map(Text::from),
            rounded: rounded
                .filter(|(_, rounded)| *rounded)
                .map(|(name, _)| name.to_owned())
                .collect(),
            extra,
            ..listed
        };
    }

    /// `INBOUND` or `OUTBOUND`.
    fn direction(&self, draft: &mut Draft, scopes: &[Scope<'_>]) -> Option<String> {
        let value = self.layout.call.direction.as_ref()?;
        let mut first = None;
        for scope in scopes {
            let word = scope.read(value).and_then(|text| {
                let word = text.map(|text| text.to_uppercase());
                match word.as_deref() {
                    None | Some("INBOUND" | "OUTBOUND") => Ok(word),
                    Some(_) => Err(misread(value, "it is neither INBOUND nor OUTBOUND")),
                }
            });
            let word = draft.take(scope.row, "call.direction", word);
            first = first.or(word);
        }
        first
    }

    /// A length of the call: that of the first row that has one. Milliseconds, and whether it is
    /// rounded.
    fn shared_length(
        &self,
        draft: &mut Draft,
        scopes: &[Scope<'_>],
        key: &str,
        value: &Option<Value>,
    ) -> (Option<i64>, bool) {
        let mut first = None;
        for scope in scopes {
            let Some(value) = value else { break };
            let length = draft.take(scope.row, key, self.length(scope, value));
            first = first.or(length);
        }
        first.map_or((None, false), |(ms, rounded)| (Some(ms), rounded))
    }

    fn legs(
        &self,
        draft: &mut Draft,
        segment: &SegmentFields,
        scopes: &[Scope<'_>],
        times: &[Times],
    ) {
        let by_agent = || {
            segment
                .agent
                .as_ref()
                .filter(|_| matches!(segment.each, Each::Row))
        };
        let when = segment.when.as_ref().or_else(by_agent);
        let node = draft.listed.recorder_node.clone();
        let (mut number, mut legs) = (0_u64, Vec::<SourceSegment>::new());
        for (scope, row) in scopes.iter().zip(times) {
            for element in elements(&segment.each, scope) {
                let scope = Scope { element, ..*scope };
                let is_leg = when.is_none_or(|when| {
                    let text = draft.take(scope.row, "segment.when", scope.read(when));
                    text.is_some()
                });
                if !is_leg {
                    continue;
                }
                number += 1;
                let mut text = |key: &str, value: &Option<Value>| {
                    let read = value.as_ref().map_or(Ok(None), |value| scope.read(value));
                    draft.take(scope.row, key, read)
                };
                let id = text("segment.id", &segment.id);
                let agent = text("segment.agent", &segment.agent);
                let id = Text::from(id.unwrap_or_else(|| format!("{}-s{number}", draft.id)));
                if legs.iter().any(|leg| leg.id == id) {
                    continue;
                }
                let length = segment.duration.as_ref();
                let length = length.map_or(Ok(None), |value| self.length(&scope, value));
                let length = draft.take(scope.row, "segment.duration", length);
                let times = self.own_times(
                    &scope,
                    (&segment.start, &segment.end),
                    length.map(|(ms, _)| ms),
                    node.as_deref(),
                    row,
                );
                legs.push(SourceSegment {
                    id,
                    agent_id: agent.map(Text::from),
                    start_time: times.start,
                    end_time: times.end,
                });
            }
        }
        draft.listed.segments = legs;
    }

    /// When a leg or a recording was; what it does not say is its row's call's.
    pub(super) fn own_times(
        &self,
        scope: &Scope<'_>,
        (start, end): (&Option<Value>, &Option<Value>),
        length: Option<i64>,
        node: Option<&str>,
        row: &Times,
    ) -> Times {
        let read = |value: &Option<Value>| {
            let time = value.as_ref().map(|value| self.time(scope, value, node));
            time.filter(|time| *time != SourceTime::Absent)
        };
        let start = read(start).unwrap_or_else(|| row.start.clone());
        let by_length = || length.map(|length| later(&start, Some(length)));
        let end = read(end).or_else(by_length);
        Times {
            end: end.unwrap_or_else(|| row.end.clone()),
            start,
        }
    }

    /// A time, with its recorder's offset. One that cannot be read is no instant.
    pub(super) fn time(&self, scope: &Scope<'_>, value: &Value, node: Option<&str>) -> SourceTime {
        match scope.read(value) {
            Ok(None) => SourceTime::Absent,
            Err(_) => SourceTime::Instant {
                text: Text::default(),
                at: None,
            },
            Ok(Some(text)) => SourceTime::Instant {
                at: self.instant(scope, value, &text, node),
                text: text.into(),
            },
        }
    }

    /// The instant that a text is, where a call can have been recorded then.
    pub(super) fn instant(
        &self,
        scope: &Scope<'_>,
        value: &Value,
        text: &str,
        node: Option<&str>,
    ) -> Option<UtcMillis> {
        let formats: &[TimeFormat] = match value.format.as_slice() {
            [] => &self.layout.time.format,
            own => own,
        };
        let stated = times::instant(text, formats, || self.zone(scope, value))?;
        let offset = node.and_then(|node| self.node_offset_ms.get(bare(node)));
        UtcMillis::from_ms(stated)
            .plus_ms(offset.copied().unwrap_or(0))
            .if_recordable()
    }

    /// The zone of a time without an offset. Absent: nothing says it, or what does names no zone.
    fn zone(&self, scope: &Scope<'_>, value: &Value) -> Option<TimeZone> {
        let time = &self.layout.time;
        if let Some(place) = &time.zone_column
            && let Some(name) = scope.at(place).ok()?
        {
            return times::zone(&name);
        }
        match value.zone.as_ref().or(time.zone.as_ref()) {
            Some(name) => TimeZone::get(name).ok(),
            None => self.naive_zone.clone(),
        }
    }

    /// A length of time in milliseconds, and whether it is rounded.
    pub(super) fn length(&self, scope: &Scope<'_>, value: &Value) -> Read<(i64, bool)> {
        let unit = value.unit.unwrap_or(self.layout.time.lengths);
        match scope.read(value)? {
            None => Ok(None),
            Some(text) => times::length(&text, unit)
                .map(Some)
                .ok_or_else(|| misread(value, "it is no length of time")),
        }
    }
}

/// So many milliseconds after a time. Absent: no length is given.
fn later(start: &SourceTime, length: Option<i64>) -> SourceTime {
    length.map_or(SourceTime::Absent, |length| SourceTime::Instant {
        text: Text::default(),
        at: at(start).and_then(|start| start.plus_ms(length).if_recordable()),
    })
}

/// What is one leg or one recording each: the row, or the elements that a path finds in it.
pub(super) fn elements<'a>(each: &Each, scope: &Scope<'a>) -> Vec<Option<&'a Json>> {
    match (each, scope.row.json()) {
        (Each::Row | Each::File, _) => vec![None],
        (Each::Element(path), Some(row)) => {
            path.query.query(row).all().into_iter().map(Some).collect()
        }
        (Each::Element(_), None) => Vec::new(),
    }
}

/// Another row that says otherwise under the id of a call that is one row.
fn collide(first: &mut SourceInteraction, second: SourceInteraction) {
    first.collided = true;
    // Whatever the rows say, which of them is the call nobody knows.
    first.unread = None;
    for recording in second.recordings {
        if first
            .recordings
            .iter()
            .all(|known| known.id != recording.id)
        {
            first.recordings.push(recording);
        }
    }
}
