//! One line per request the simulators answered, without bodies.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::fault::operations::Operation;

/// What happened to one request, as `serve` and `refused` hand it over.
pub(crate) struct Served<'a> {
    pub(crate) at_ms: i64,
    pub(crate) platform: &'static str,
    pub(crate) operation: &'static Operation,
    pub(crate) key: &'a str,
    pub(crate) attempt: u32,
    /// What the client was told; 0 when the connection was cut instead.
    pub(crate) status: u16,
    /// What the platform would have told: differs from `status` when a fault hid a commit.
    pub(crate) work_status: u16,
    pub(crate) fault: Option<String>,
    pub(crate) effect: Option<&'static str>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// A journal line, as the control API gives it (contracts, section 11).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1; `after=n` continues behind it.
    pub n: u64,
    /// When the answer was decided: UTC, RFC 3339 with milliseconds, on the simulator's clock.
    pub at: String,
    /// `legacy`, `genesys_cloud`, `gir`, `webdav` or `speechminer`.
    pub platform: String,
    /// Name in the table of operations.
    pub operation: String,
    /// Business key; `-` for an operation without one.
    pub key: String,
    /// The how-manieth request of this operation and key; 0 for one refused before its turn (bad token, limiter).
    pub attempt: u32,
    /// HTTP status the client was told; 0: the connection was cut without an answer.
    pub status: u16,
    /// Id of the fault that struck it; null for none.
    pub fault: Option<String>,
    /// What changed on the platform (`created`, `replaced`, `updated`); null for nothing.
    pub effect: Option<String>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body as decided; fewer may have reached the client under a transport fault.
    pub bytes_out: u64,
}

#[derive(Serialize)]
struct Effect<'a> {
    operation: &'a str,
    key: &'a str,
    status: u16,
    effect: &'a str,
}

struct Kept {
    at_ms: i64,
    platform: &'static str,
    operation: &'static Operation,
    key: Box<str>,
    fault: Option<Box<str>>,
    effect: Option<&'static str>,
    bytes_in: u64,
    bytes_out: u64,
    attempt: u32,
    status: u16,
    work_status: u16,
}

/// A mutation that was no request of its own.
struct Deed {
    operation: &'static Operation,
    key: Box<str>,
    effect: &'static str,
}

/// The journal of one simulator, all platforms together.
#[derive(Default)]
pub(crate) struct Journal {
    kept: Mutex<Vec<Kept>>,
    deeds: Mutex<Vec<Deed>>,
}

impl Journal {
    /// Notes a mutation that was no request of its own: an item of a batch, or what a platform did later by itself. It stands in the effects journal
    /// with status 200 and is not counted as a request.
    pub(crate) fn deed(&self, operation: &'static Operation, key: &str, effect: &'static str) {
        self.deeds.lock().unwrap_or_else(PoisonError::into_inner).push(Deed { operation, key: key.into(), effect });
    }

    pub(crate) fn write(&self, served: Served<'_>) {
        let kept = Kept {
            at_ms: served.at_ms,
            platform: served.platform,
            operation: served.operation,
            key: served.key.into(),
            fault: served.fault.map(Into::into),
            effect: served.effect,
            bytes_in: served.bytes_in,
            bytes_out: served.bytes_out,
            attempt: served.attempt,
            status: served.status,
            work_status: served.work_status,
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// Up to `limit` lines behind line `after`, of one platform or of all.
    pub(crate) fn page(&self, platform: Option<&str>, after: u64, limit: usize) -> Vec<Entry> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(kept.len());
        let lines = kept.iter().enumerate().skip(from);
        lines
            .filter(|(_, line)| platform.is_none_or(|name| name == line.platform))
            .take(limit)
            .map(|(i, line)| line.entry(i as u64 + 1))
            .collect()
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The effects journal: NDJSON of the mutations that took effect, with the status the platform gave the deed itself (a fault may have hidden it
    /// from the client). No times and no order of arrival: sorted by operation, key, effect, status, so any number of workers gives the same bytes.
    pub(crate) fn effects(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<(&str, &str, &str, u16)> =
            kept.iter().filter_map(|line| Some((line.operation.name, &*line.key, line.effect?, line.work_status))).collect();
        let deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend(deeds.iter().map(|deed| (deed.operation.name, &*deed.key, deed.effect, 200)));
        lines.sort_unstable();
        let mut text = String::new();
        for (operation, key, effect, status) in lines {
            text.push_str(&serde_json::to_string(&Effect { operation, key, status, effect }).unwrap_or_default());
            text.push('\n');
        }
        text
    }
}

impl Kept {
    fn entry(&self, n: u64) -> Entry {
        Entry {
            n,
            at: instant(self.at_ms),
            platform: self.platform.to_owned(),
            operation: self.operation.name.to_owned(),
            key: self.key.to_string(),
            attempt: self.attempt,
            status: self.status,
            fault: self.fault.as_deref().map(str::to_owned),
            effect: self.effect.map(str::to_owned),
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        }
    }
}

/// Unix ms as RFC 3339 in UTC with milliseconds; times outside jiff's range (years -9999..9999) are clamped to it.
pub(crate) fn instant(unix_ms: i64) -> String {
    let timestamp =
        jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(if unix_ms < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
    format!("{timestamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::operations;

    fn served<'a>(key: &'a str, effect: Option<&'static str>) -> Served<'a> {
        let operation = &operations::GENESYS_CLOUD_UPLOAD_FILE;
        Served {
            at_ms: 1_698_400_800_123,
            platform: "genesys_cloud",
            operation,
            key,
            attempt: 1,
            status: 0,
            work_status: 200,
            fault: None,
            effect,
            bytes_in: 3,
            bytes_out: 2,
        }
    }

    #[test]
    fn effects_do_not_show_the_order_of_arrival() {
        let (one, two) = (Journal::default(), Journal::default());
        for key in ["a", "b", "c"] {
            one.write(served(key, Some("created")));
        }
        for key in ["c", "a", "b"] {
            two.write(served(key, Some("created")));
            two.write(served(key, None));
        }
        assert_eq!(one.effects(), two.effects());
        assert_eq!(
            one.effects().lines().next(),
            Some(r#"{"operation":"genesys_cloud.upload_file","key":"a","status":200,"effect":"created"}"#)
        );
    }

    #[test]
    fn a_page_continues_behind_the_last_line() {
        let journal = Journal::default();
        for key in ["a", "b", "c"] {
            journal.write(served(key, None));
        }
        let page = journal.page(None, 1, 1);
        assert_eq!((page.len(), page[0].n, page[0].key.as_str()), (1, 2, "b"));
        assert_eq!(page[0].at, "2023-10-27T10:00:00.123Z");
        assert!(journal.page(Some("legacy"), 0, 10).is_empty());
        assert!(journal.page(None, u64::MAX, 10).is_empty());
        assert_eq!(journal.len(), 3);
    }
}
