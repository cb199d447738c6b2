//! What is read, and how often.

use super::RequestEvent;
use super::breaches::Breaches;
use super::operations::MEDIA_READS;
use super::recent::Recent;
use super::table::{
    CURSOR_RESTARTED, MEDIA_FETCHED_AGAIN, POLLED_AFTER_FINAL, POLLED_TOO_FAST, SMALL_PAGES,
};
use crate::http::request_context::{JobState, hash_of};

/// A page of this many entities is as large as any list allows.
const LARGE_PAGE: u32 = 100;

/// Entities where a request names no number. Source: platform API, nearly every listing.
const USUAL_PAGE: u32 = 25;

#[derive(Clone)]
pub(super) struct Reading {
    pending: Recent<i64>,
    done: Recent<i64>,
    listings: Recent<Listing>,
    media: Recent<i64>,
}

/// A listing that one token reads.
#[derive(Clone, Default)]
struct Listing {
    /// Whether it has gone beyond the first page since it was begun.
    has_gone_on: bool,
    times: i64,
    small: i64,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            // Who asks again after a minute does not ask too fast.
            pending: Recent::within(60_000),
            done: Recent::within(POLLED_AFTER_FINAL.window_ms()),
            listings: Recent::within(CURSOR_RESTARTED.window_ms()),
            media: Recent::within(MEDIA_FETCHED_AGAIN.window_ms()),
        }
    }
}

impl Reading {
    pub(super) fn observe(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        self.poll(event, breaches);
        if event.is_well() && !event.operation.mutates {
            self.list(event, breaches);
            self.fetch(event, breaches);
        }
    }

    fn poll(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let slot = hash_of(&(event.identity, event.metadata.caller));
        if self
            .pending
            .get(slot, event.arrived_ms)
            .is_some_and(|asked_ms| event.arrived_ms - *asked_ms < POLLED_TOO_FAST.threshold)
        {
            breaches.add(&POLLED_TOO_FAST, event);
        }
        // What never came, or broke off, told nothing.
        let job_state = if event.is_well() {
            event.metadata.job_state
        } else {
            JobState::None
        };
        match job_state {
            JobState::Pending => self.pending.put(slot, event.arrived_ms, event.arrived_ms),
            JobState::Final => {
                self.pending.remove(slot);
                let questions = self.done.entry(slot, event.arrived_ms);
                *questions += 1;
                // The first is the one that told.
                if *questions > POLLED_AFTER_FINAL.threshold {
                    breaches.add(&POLLED_AFTER_FINAL, event);
                }
            }
            JobState::None => self.pending.remove(slot),
        }
    }

    fn list(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        // A listing says a page, or goes on to one.
        if event.metadata.page.is_none() && event.metadata.page_size.is_none() {
            return;
        }
        let listing = self.listings.entry(
            hash_of(&(event.metadata.caller, event.metadata.listing)),
            event.arrived_ms,
        );
        match event.metadata.page {
            None => {
                listing.times += i64::from(listing.has_gone_on);
                listing.has_gone_on = false;
                listing.small = 0;
                // `times` counts what was begun before this.
                if listing.times >= CURSOR_RESTARTED.threshold - 1 {
                    breaches.add(&CURSOR_RESTARTED, event);
                }
            }
            Some(_) => {
                listing.has_gone_on = true;
                let is_small = event.metadata.page_size.unwrap_or(USUAL_PAGE) < LARGE_PAGE;
                listing.small = if is_small { listing.small + 1 } else { 0 };
                if listing.small == SMALL_PAGES.threshold {
                    breaches.add(&SMALL_PAGES, event);
                }
            }
        }
    }

    fn fetch(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        if !MEDIA_READS.contains(&event.operation)
            || event.metadata.has_range
            || event.status != 200
            || event.bytes_out == 0
        {
            return;
        }
        let times = self.media.entry(
            hash_of(&(event.operation.name, event.key)),
            event.arrived_ms,
        );
        *times += 1;
        if *times >= MEDIA_FETCHED_AGAIN.threshold {
            breaches.add(&MEDIA_FETCHED_AGAIN, event);
        }
    }
}
