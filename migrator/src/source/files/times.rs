//! Times of a call, a leg and a recording, each in its row. Source: docs/reference/layout.md.

use jiff::{SignedDuration, Timestamp};
use plan::TimeRules;
use plan::layout::{Each, Value};
use serde_json::Value as Json;

use super::entity::{Data, DataRow};
use super::value::{Bad, Scope, Stated};
use crate::canonical::Repair;
use crate::source::instant::{Unusable, corrected, ordered};

/// Start and end with what was put right.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) repairs: Vec<Repair>,
}

/// The elements of a row; one that is none for a row that is its own element.
pub(super) fn elements<'a>(each: &Each, row: &'a DataRow) -> Vec<Option<&'a Json>> {
    match (each, &row.data) {
        (Each::Row | Each::File, _) => vec![None],
        (Each::Element(path), Data::Document(document)) => {
            let found = path.query.query(document).all();
            found.into_iter().map(Some).collect()
        }
        (Each::Element(_), Data::Cells(_)) => Vec::new(),
    }
}

/// Where times of a call, a leg or a recording stand.
pub(super) struct Times<'a> {
    pub(super) start: Option<&'a Value>,
    pub(super) end: Option<&'a Value>,
    pub(super) duration: Option<&'a Value>,
}

/// Times as read, with the texts they were made of; empty where there was none.
pub(super) struct TimesRead {
    pub(super) span: Result<Span, Unusable>,
    pub(super) raw_start: String,
    pub(super) raw_end: String,
}

impl Times<'_> {
    /// What is not given is that of `instead`; without that there are no instants then.
    pub(super) fn read(
        &self,
        scope: &Scope<'_>,
        node: Option<&str>,
        rules: &TimeRules,
        instead: Option<&Span>,
    ) -> Result<TimesRead, Bad> {
        let (raw_start, start) = instant(scope, self.start, node, rules)?;
        let (raw_end, end) = instant(scope, self.end, node, rules)?;
        let length = scope.length(self.duration)?;
        let span = || -> Result<Span, Unusable> {
            let mut repairs = Vec::new();
            let mut noted = |read: Stated| {
                read.map(|(at, note)| {
                    repairs.extend(note);
                    at
                })
            };
            let start = match start {
                Some(start) => noted(start)?,
                None => instead.map(|span| span.start).ok_or(Unusable)?,
            };
            let end = match (end, length) {
                (Some(end), _) => noted(end)?,
                (None, Some(length)) => start
                    .checked_add(SignedDuration::from_millis(length))
                    .map_err(|_| Unusable)?,
                (None, None) => instead.map(|span| span.end).ok_or(Unusable)?,
            };
            let (start, end, swapped) = ordered(start, end);
            repairs.extend(swapped.then_some(Repair::EndsSwapped));
            Ok(Span {
                start,
                end,
                repairs,
            })
        };
        Ok(TimesRead {
            span: span(),
            raw_start,
            raw_end,
        })
    }
}

/// A time with its text. `None`: there is none.
fn instant(
    scope: &Scope<'_>,
    value: Option<&Value>,
    node: Option<&str>,
    rules: &TimeRules,
) -> Result<(String, Option<Stated>), Bad> {
    let Some(value) = value else {
        return Ok((String::new(), None));
    };
    Ok(match scope.time(value, rules.naive_zone.as_deref())? {
        None => (String::new(), None),
        Some((text, stated)) => {
            let at = stated.and_then(|(at, note)| Ok((corrected(at, node, rules)?, note)));
            (text, Some(at))
        }
    })
}

/// Rows with their own times. Absent: unusable.
pub(super) type RowSpans<'a> = [(Scope<'a>, Option<Span>)];

/// The node that wrote a row's times.
pub(super) fn node_of(scope: &Scope<'_>) -> Result<Option<String>, Bad> {
    scope.optional(scope.layout.call.recorder_node.as_ref())
}
