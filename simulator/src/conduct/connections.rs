//! How a client comes: under a name, over how many connections, with how much at once.

use super::RequestEvent;
use super::breaches::Breaches;
use super::recent::Recent;
use super::table::{CONNECTION_PER_REQUEST, NAMELESS_CLIENT, TOO_MANY_AT_ONCE};
use crate::http::request_context::hash_of;

/// A breach that goes on is counted once in so long. Milliseconds.
const ONCE_IN_MS: i64 = 60_000;

#[derive(Clone)]
pub(super) struct Connections {
    nameless: Recent<()>,
    crowded: Recent<i64>,
    minutes: Recent<Minute>,
}

/// A platform's requests within one minute.
#[derive(Clone, Default)]
struct Minute {
    began_ms: i64,
    requests: i64,
    connections: i64,
    is_told: bool,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections {
            nameless: Recent::within(86_400_000),
            crowded: Recent::within(ONCE_IN_MS),
            minutes: Recent::within(CONNECTION_PER_REQUEST.window_ms()),
        }
    }
}

impl Connections {
    pub(super) fn observe(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let now_ms = event.arrived_ms;
        let platform = hash_of(&event.platform);
        if !event.metadata.has_user_agent {
            let caller = hash_of(&(event.platform, event.metadata.caller));
            if self.nameless.get(caller, now_ms).is_none() {
                breaches.add_of_platform(&NAMELESS_CLIENT, event.platform, now_ms, event.n);
            }
            self.nameless.put(caller, now_ms, ());
        }
        if i64::from(event.metadata.in_flight) > TOO_MANY_AT_ONCE.threshold {
            let told_ms = self.crowded.get(platform, now_ms).copied();
            if told_ms.is_none_or(|told_ms| now_ms - told_ms >= ONCE_IN_MS) {
                breaches.add_of_platform(&TOO_MANY_AT_ONCE, event.platform, now_ms, event.n);
                self.crowded.put(platform, now_ms, now_ms);
            }
        }
        if let Some(connection) = event.metadata.connection {
            let minute = self.minutes.entry(platform, now_ms);
            if now_ms - minute.began_ms >= CONNECTION_PER_REQUEST.window_ms() {
                *minute = Minute {
                    began_ms: now_ms,
                    ..Minute::default()
                };
            }
            minute.requests += 1;
            minute.connections += i64::from(connection.request == 1);
            let is_breach = minute.connections >= CONNECTION_PER_REQUEST.threshold
                && minute.connections * 2 > minute.requests;
            if is_breach && !minute.is_told {
                minute.is_told = true;
                breaches.add_of_platform(&CONNECTION_PER_REQUEST, event.platform, now_ms, event.n);
            }
        }
    }
}
