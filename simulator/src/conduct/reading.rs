//! What is read, and how often.

use super::Seen;
use super::breaches::Breaches;
use super::recent::Recent;
use super::table::{CURSOR_RESTARTED, MEDIA_FETCHED_AGAIN, POLLED_AFTER_FINAL, POLLED_TOO_FAST, SMALL_PAGES};
use crate::exchange::{Standing, hash_of};
use crate::fault::operations::{self, Operation};

/// What answers with the bytes of a media.
static MEDIA: [&Operation; 6] = [
    &operations::LEGACY_GET_MEDIA,
    &operations::LEGACY_GET_PRESIGNED,
    &operations::GENESYS_CLOUD_GET_BATCH_MEDIA,
    &operations::GIR_PLAY_MEDIA,
    &operations::GIR_PLAY_MEDIA_FOR_USER,
    &operations::WEBDAV_GET_FILE,
];

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
    pub(super) fn see(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        self.poll(seen, breaches);
        if seen.is_well() && !seen.operation.mutates {
            self.list(seen, breaches);
            self.fetch(seen, breaches);
        }
    }

    fn poll(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        let slot = hash_of(&(seen.identity, seen.facts.caller));
        if self.pending.get(slot, seen.arrived_ms).is_some_and(|asked_ms| seen.arrived_ms - *asked_ms < POLLED_TOO_FAST.threshold) {
            breaches.add(&POLLED_TOO_FAST, seen);
        }
        // What never came, or broke off, told nothing.
        let standing = if seen.is_well() { seen.facts.standing } else { Standing::None };
        match standing {
            Standing::Pending => self.pending.put(slot, seen.arrived_ms, seen.arrived_ms),
            Standing::Final => {
                self.pending.remove(slot);
                let questions = self.done.entry(slot, seen.arrived_ms);
                *questions += 1;
                // The first is the one that told.
                if *questions > POLLED_AFTER_FINAL.threshold {
                    breaches.add(&POLLED_AFTER_FINAL, seen);
                }
            }
            Standing::None => self.pending.remove(slot),
        }
    }

    fn list(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        // A listing says a page, or goes on to one.
        if seen.facts.page.is_none() && seen.facts.page_size.is_none() {
            return;
        }
        let listing = self.listings.entry(hash_of(&(seen.facts.caller, seen.facts.listing)), seen.arrived_ms);
        match seen.facts.page {
            None => {
                listing.times += i64::from(listing.has_gone_on);
                listing.has_gone_on = false;
                listing.small = 0;
                // `times` counts what was begun before this.
                if listing.times >= CURSOR_RESTARTED.threshold - 1 {
                    breaches.add(&CURSOR_RESTARTED, seen);
                }
            }
            Some(_) => {
                listing.has_gone_on = true;
                let is_small = seen.facts.page_size.unwrap_or(USUAL_PAGE) < LARGE_PAGE;
                listing.small = if is_small { listing.small + 1 } else { 0 };
                if listing.small == SMALL_PAGES.threshold {
                    breaches.add(&SMALL_PAGES, seen);
                }
            }
        }
    }

    fn fetch(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        if !MEDIA.contains(&seen.operation) || seen.facts.has_range || seen.status != 200 || seen.bytes_out == 0 {
            return;
        }
        let times = self.media.entry(hash_of(&(seen.operation.name, seen.key)), seen.arrived_ms);
        *times += 1;
        if *times >= MEDIA_FETCHED_AGAIN.threshold {
            breaches.add(&MEDIA_FETCHED_AGAIN, seen);
        }
    }
}
