//! What is sent again, when, and whether it may be.

use super::RequestEvent;
use super::breaches::Breaches;
use super::operations::NOT_IDEMPOTENT;
use super::recent::{Recent, is_full, keep};
use super::table::{
    BLIND_REPEAT, FIXED_INTERVAL_RETRIES, REFUSAL_REPEATED, RETRY_AFTER_IGNORED, RETRY_STORM,
};
use crate::http::request_context::hash_of;
use crate::operations;

/// Waits of this length are no burden, however regular. Milliseconds.
const LONG_WAIT_MS: i64 = 30_000;

/// Waits below this are the machine's own, not a pause that somebody chose. Milliseconds.
const SHORT_WAIT_MS: i64 = 10;

/// How long an unknown outcome stays unknown: as long as a migration may be interrupted over a
/// weekend. Milliseconds.
const UNKNOWN_MS: i64 = 3 * 86_400_000;

#[derive(Clone)]
pub(super) struct Retries {
    holds: Recent<Hold>,
    failing: Recent<Failing>,
    refused: Recent<Refused>,
    unknown: Recent<()>,
    /// When a platform's listings were looked at last, by its hash.
    looked: Recent<i64>,
}

/// Until when nothing may be sent. Unix ms.
#[derive(Clone, Copy)]
struct Hold {
    from_ms: i64,
    until_ms: i64,
}

/// A request that keeps failing.
#[derive(Clone, Default)]
struct Failing {
    /// When its latest tries arrived, as many as a storm has.
    arrivals: Vec<i64>,
    /// The latest waits, as many as an interval has.
    waits: Vec<i64>,
    answered_ms: i64,
    was_told_to_wait: bool,
}

#[derive(Clone, Default)]
struct Refused {
    status: u16,
    digest: Option<[u8; 32]>,
    times: i64,
    /// When the latest refusal was told. Unix ms.
    answered_ms: i64,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries {
            // A Retry-After of a day is the longest that is remembered.
            holds: Recent::within(86_400_000),
            failing: Recent::within(2 * LONG_WAIT_MS),
            refused: Recent::within(REFUSAL_REPEATED.window_ms()),
            unknown: Recent::within(UNKNOWN_MS),
            looked: Recent::within(UNKNOWN_MS),
        }
    }
}

impl Retries {
    pub(super) fn observe(
        &mut self,
        event: &RequestEvent<'_>,
        grace_ms: i64,
        breaches: &mut Breaches,
    ) {
        self.hold(event, grace_ms, breaches);
        self.fail(event, breaches);
        self.refuse(event, breaches);
        self.create(event, breaches);
    }

    fn hold(&mut self, event: &RequestEvent<'_>, grace_ms: i64, breaches: &mut Breaches) {
        let caller = event.metadata.caller;
        let own = [
            hash_of(&("all", caller)),
            hash_of(&(event.operation.name, caller)),
            event.identity,
        ];
        // Uploads have a limit of their own and do not count towards their token's.
        let is_apart = *event.operation == operations::GENESYS_CLOUD_UPLOAD_FILE;
        let is_held = own.iter().skip(usize::from(is_apart)).any(|slot| {
            let hold = self.holds.get(*slot, event.arrived_ms);
            hold.is_some_and(|hold| {
                event.arrived_ms > hold.from_ms + grace_ms && event.arrived_ms < hold.until_ms
            })
        });
        if is_held {
            breaches.add(&RETRY_AFTER_IGNORED, event);
        }
        let Some(wait_ms) = event.retry_after_ms else {
            return;
        };
        let slot = match (event.status, event.metadata.is_tokens_limit) {
            (429, true) => own[0],
            (429, false) => own[1],
            _ => own[2],
        };
        let until_ms = event.answered_ms.saturating_add(wait_ms);
        // A second refusal within the first one's time does not make what was sent between the two
        // late.
        let known = self
            .holds
            .get(slot, event.answered_ms)
            .copied()
            .filter(|known| known.until_ms > event.answered_ms);
        let from_ms = known.map_or(event.answered_ms, |known| known.from_ms);
        self.holds.put(
            slot,
            event.answered_ms,
            Hold {
                from_ms,
                until_ms: known.map_or(until_ms, |known| known.until_ms.max(until_ms)),
            },
        );
    }

    fn fail(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        // A part that broke off may have brought the rest nearer.
        if !event.may_be_retried() || (event.is_half() && event.metadata.has_range) {
            self.failing.remove(event.identity);
            return;
        }
        let failing = self.failing.entry(event.identity, event.answered_ms);
        let is_first = failing.arrivals.is_empty();
        keep(
            &mut failing.arrivals,
            event.arrived_ms,
            RETRY_STORM.threshold,
        );
        if is_full(&failing.arrivals, &RETRY_STORM)
            && event.arrived_ms - failing.arrivals[0] < RETRY_STORM.window_ms()
        {
            breaches.add(&RETRY_STORM, event);
            failing.arrivals.clear();
        }
        if !is_first && !failing.was_told_to_wait {
            keep(
                &mut failing.waits,
                event.arrived_ms - failing.answered_ms,
                FIXED_INTERVAL_RETRIES.threshold,
            );
        }
        if is_full(&failing.waits, &FIXED_INTERVAL_RETRIES) && are_alike(&failing.waits) {
            breaches.add(&FIXED_INTERVAL_RETRIES, event);
            failing.waits.clear();
        }
        failing.answered_ms = event.answered_ms;
        failing.was_told_to_wait = event.retry_after_ms.is_some();
    }

    fn refuse(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        // Making a collection that exists is answered 405, which is no misconduct: RFC 4918,
        // section 9.3.1.
        let is_there =
            event.status == 405 && *event.operation == operations::WEBDAV_MAKE_COLLECTION;
        if !matches!(event.status, 400 | 403 | 405 | 413 | 415 | 422)
            || event.is_token_request()
            || is_there
        {
            return;
        }
        let refused = self.refused.entry(event.identity, event.arrived_ms);
        if (refused.status, refused.digest) != (event.status, event.metadata.digest) {
            *refused = Refused {
                status: event.status,
                digest: event.metadata.digest,
                times: 0,
                answered_ms: i64::MIN,
            };
        }
        // A request sent before the refusal was answered is no repeat of it.
        if event.arrived_ms <= refused.answered_ms {
            return;
        }
        refused.times += 1;
        refused.answered_ms = event.answered_ms;
        if refused.times >= REFUSAL_REPEATED.threshold {
            breaches.add(&REFUSAL_REPEATED, event);
        }
    }

    fn create(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let (slot, all) = (
            hash_of(&(event.platform, event.key)),
            hash_of(&event.platform),
        );
        if !event.operation.mutates {
            // A read of the key, or of a listing that would contain it. A failed read shows
            // nothing.
            if !event.may_be_retried() {
                if event.key == "-" {
                    self.looked.put(all, event.arrived_ms, event.answered_ms)
                } else {
                    self.unknown.remove(slot)
                }
            }
            return;
        }
        if !NOT_IDEMPOTENT.contains(&event.operation) {
            return;
        }
        let looked_ms = self.looked.get(all, event.arrived_ms).copied();
        let is_unknown = self
            .unknown
            .kept_at(slot)
            .is_some_and(|at_ms| looked_ms.is_none_or(|looked_ms| looked_ms < at_ms));
        // A receiver that replaces what it has may be sent the same again; it has no reads to look
        // it up by.
        let is_harmless = *event.operation == operations::SPEECHMINER_POST_RECORDING
            && event.effect != Some("duplicated");
        if is_unknown && !is_harmless {
            breaches.add(&BLIND_REPEAT, event);
        }
        if event.is_unknown() {
            self.unknown.put(slot, event.answered_ms, ())
        } else {
            self.unknown.remove(slot)
        }
    }
}

/// Whether waits lie within a tenth of their mean, and are of a length that somebody chose.
fn are_alike(waits: &[i64]) -> bool {
    let mean = waits.iter().sum::<i64>() / waits.len().max(1) as i64;
    (SHORT_WAIT_MS..LONG_WAIT_MS).contains(&mean)
        && waits.iter().all(|wait| (wait - mean).abs() * 10 <= mean)
}
