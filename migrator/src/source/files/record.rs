//! A call from its rows. Source: docs/reference/layout.md, "A call from its rows".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use plan::layout::{CallFields, Each, SegmentFields, Value};
use plan::{Layout, TimeRules};

use super::entity::DataRow;
use super::recording::{self, Group, Recording};
use super::times::{RowSpans, Span, Times, elements, node_of};
use super::value::{Bad, Scope};
use crate::canonical::{Canonical, CanonicalSegment, Repair};

/// A call as its rows have it.
pub(super) struct Call {
    /// Without its recordings. The error says why there are no instants.
    pub(super) record: Result<Canonical, String>,
    /// Where its times are unusable, those of its recordings mean nothing.
    pub(super) recordings: Vec<Recording>,
    /// With `each = "file"`: what finds them.
    pub(super) groups: Vec<Group>,
    /// File and line of the first row.
    pub(super) place: (String, u64),
}

/// The id of a row's call. The error says why there is none.
pub(super) fn id_of(layout: &Layout, row: &DataRow) -> Result<String, Bad> {
    let scope = Scope::of_row(layout, row);
    scope
        .text(&layout.call.id)?
        .ok_or_else(|| scope.bad_value(&layout.call.id, "there is no id"))
}

/// Reads a call. The error says which value of it cannot be read.
pub(super) fn read(layout: &Layout, rows: &[DataRow], rules: &TimeRules) -> Result<Call, Bad> {
    let first = rows.first().ok_or_else(|| Bad {
        file: String::new(),
        line: 0,
        column: None,
        why: "there is no row".to_owned(),
    })?;
    let call_id = id_of(layout, first)?;
    let mut whole = Whole::default();
    let mut spans = Vec::with_capacity(rows.len());
    for row in rows {
        let scope = Scope {
            call_id: &call_id,
            ..Scope::of_row(layout, row)
        };
        let own = whole.take(&scope, &layout.call, rules)?;
        spans.push((scope, own));
    }
    let times = whole.times();
    let mut repairs = whole.repairs.clone();
    let mut segments = Vec::new();
    if let Some(fields) = &layout.segment {
        segments = legs(fields, &spans, times, rules, &mut repairs)?;
    }
    let mut recordings = Vec::new();
    let mut groups = Vec::new();
    if let Some(fields) = &layout.recording {
        (recordings, groups) = recording::read(fields, &spans, times, rules, &mut repairs)?;
    }
    repairs.sort_unstable();
    repairs.dedup();
    let record = match times {
        Some((start, end)) => Ok(whole.record(call_id.clone(), start, end, segments, repairs)),
        None => Err(format!(
            "{}: no instant can be made of start `{}` and end `{}`",
            first.place(),
            shortened(&whole.raw_start),
            shortened(&whole.raw_end)
        )),
    };
    Ok(Call {
        record,
        recordings,
        groups,
        place: (first.file.clone(), first.line),
    })
}

/// A text that may be anything, for a sentence.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The call's fields as rows bring them: the first that has one counts.
#[derive(Default)]
struct Whole {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    /// A row had no usable times.
    unusable: bool,
    raw_start: String,
    raw_end: String,
    repairs: Vec<Repair>,
    texts: BTreeMap<&'static str, String>,
    lengths: BTreeMap<&'static str, i64>,
    attributes: BTreeMap<String, String>,
}

impl Whole {
    /// Takes a row in. Answers its own times.
    fn take(
        &mut self,
        scope: &Scope<'_>,
        fields: &CallFields,
        rules: &TimeRules,
    ) -> Result<Option<Span>, Bad> {
        let texts = [
            ("agent", &fields.agent),
            ("queue", &fields.queue),
            ("skill", &fields.skill),
            ("skill_group", &fields.skill_group),
            ("ivr_node", &fields.ivr_node),
            ("disposition", &fields.disposition),
            ("wrap_up", &fields.wrap_up),
            ("caller", &fields.caller),
            ("dialled", &fields.dialled),
            ("customer", &fields.customer),
            ("business", &fields.business),
        ];
        for (name, value) in texts {
            if let Some(text) = scope.optional(value.as_ref())? {
                self.texts.entry(name).or_insert(text);
            }
        }
        if let Some(direction) = direction(scope, fields.direction.as_ref())? {
            self.texts.entry("direction").or_insert(direction);
        }
        for (name, value) in [("wait", &fields.wait), ("talk", &fields.talk)] {
            if let Some(length) = scope.length(value.as_ref())? {
                self.lengths.entry(name).or_insert(length);
            }
        }
        for (name, value) in &scope.layout.attributes {
            if let Some(text) = scope.text(value)? {
                self.attributes.entry(name.clone()).or_insert(text);
            }
        }
        self.take_times(scope, fields, rules)
    }

    fn take_times(
        &mut self,
        scope: &Scope<'_>,
        fields: &CallFields,
        rules: &TimeRules,
    ) -> Result<Option<Span>, Bad> {
        let node = scope.optional(fields.recorder_node.as_ref())?;
        let times = Times {
            start: Some(&fields.start),
            end: fields.end.as_ref(),
            duration: fields.duration.as_ref(),
        };
        let read = times.read(scope, node.as_deref(), rules, None)?;
        let Ok(span) = read.span else {
            self.unusable = true;
            if self.raw_start.is_empty() && self.raw_end.is_empty() {
                (self.raw_start, self.raw_end) = (read.raw_start, read.raw_end);
            }
            return Ok(None);
        };
        if !self.unusable && self.start.is_none_or(|start| span.start < start) {
            self.raw_start = read.raw_start;
        }
        self.start = Some(self.start.map_or(span.start, |start| start.min(span.start)));
        self.end = Some(self.end.map_or(span.end, |end| end.max(span.end)));
        self.repairs.extend(&span.repairs);
        Ok(Some(span))
    }

    fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.start.zip(self.end).filter(|_| !self.unusable)
    }

    fn record(
        mut self,
        id: String,
        start: Timestamp,
        end: Timestamp,
        segments: Vec<CanonicalSegment>,
        repairs: Vec<Repair>,
    ) -> Canonical {
        let mut text = |name: &str| self.texts.remove(name);
        let direction = text("direction");
        let is_outbound = direction.as_deref() == Some("OUTBOUND");
        let (customer, business) = (text("customer"), text("business"));
        let (mut caller, mut dialled) = (text("caller"), text("dialled"));
        if customer.is_some() || business.is_some() {
            (caller, dialled) = if is_outbound {
                (business, customer)
            } else {
                (customer, business)
            };
        }
        let duration_ms = end.as_millisecond() - start.as_millisecond();
        Canonical {
            legacy_interaction_id: id,
            legacy_start_time: start,
            legacy_end_time: end,
            customer_phone: if is_outbound {
                dialled.clone()
            } else {
                caller.clone()
            },
            caller_number: caller,
            dialled_number: dialled,
            direction,
            agent_legacy_id: text("agent"),
            queue_legacy_id: text("queue"),
            skill_legacy: text("skill"),
            skill_group: text("skill_group"),
            ivr_node: text("ivr_node"),
            disposition_code: text("disposition"),
            wrap_up_code: text("wrap_up"),
            wait_ms: self.lengths.get("wait").copied(),
            talk_ms: self.lengths.get("talk").copied(),
            duration_seconds: duration_ms / 1000,
            duration_ms,
            raw_start: self.raw_start,
            repairs,
            lengths_rounded: false,
            attributes: self.attributes,
            segments,
            recordings: Vec::new(),
        }
    }
}

fn direction(scope: &Scope<'_>, value: Option<&Value>) -> Result<Option<String>, Bad> {
    let Some(value) = value else { return Ok(None) };
    let Some(text) = scope.text(value)? else {
        return Ok(None);
    };
    let word = text.to_uppercase();
    if matches!(word.as_str(), "INBOUND" | "OUTBOUND") {
        return Ok(Some(word));
    }
    Err(scope.bad_value(
        value,
        "is neither INBOUND nor OUTBOUND; the layout's `words` can say what it means",
    ))
}

fn legs(
    fields: &SegmentFields,
    rows: &RowSpans<'_>,
    whole: Option<(Timestamp, Timestamp)>,
    rules: &TimeRules,
    repairs: &mut Vec<Repair>,
) -> Result<Vec<CanonicalSegment>, Bad> {
    let when = fields.when.as_ref().or(match fields.each {
        Each::Row => fields.agent.as_ref(),
        Each::Element(_) | Each::File => None,
    });
    let mut segments: Vec<CanonicalSegment> = Vec::new();
    let (mut known, mut number) = (BTreeSet::new(), 0_usize);
    for (row, own) in rows {
        let node = node_of(row)?;
        for element in elements(&fields.each, row.row) {
            let scope = row.with_element(element);
            if let Some(when) = when
                && scope.text(when)?.is_none()
            {
                continue;
            }
            number += 1;
            let id = scope
                .optional(fields.id.as_ref())?
                .unwrap_or_else(|| format!("{}-s{number}", scope.call_id));
            let agent_legacy_id = scope.optional(fields.agent.as_ref())?;
            let times = Times {
                start: fields.start.as_ref(),
                end: fields.end.as_ref(),
                duration: fields.duration.as_ref(),
            };
            let read = times.read(&scope, node.as_deref(), rules, own.as_ref())?;
            if !known.insert(id.clone()) {
                continue;
            }
            if let Ok(span) = &read.span {
                repairs.extend(&span.repairs);
            }
            let own = read.span.ok().map(|span| (span.start, span.end));
            let Some((start, end)) = own.or(whole) else {
                continue;
            };
            segments.push(CanonicalSegment {
                legacy_segment_id: id,
                agent_legacy_id,
                start,
                end,
            });
        }
    }
    segments.sort_by_key(|segment| segment.start);
    Ok(segments)
}
