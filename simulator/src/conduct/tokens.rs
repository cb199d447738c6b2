//! Tokens and credentials: how many, how long, how often refused; and how often limits refuse one.

use super::RequestEvent;
use super::breaches::Breaches;
use super::recent::Recent;
use super::table::{
    LIMIT_RUN_INTO, MANY_TOKENS, REFUSED_CREDENTIALS_REPEATED, REFUSED_TOKEN_USED,
    TOKEN_PER_REQUEST,
};
use crate::http::request_context::hash_of;

/// Refusals before a share is a share.
const REFUSALS: u64 = 5;

/// Requests that make a token one that is used.
const USED: u64 = 10;

/// How long a refused token is remembered: the longest life of one. Milliseconds. Source:
/// terraform-provider-genesyscloud, oauth_client.
const TOKEN_MS: i64 = 172_800_000;

#[derive(Clone)]
pub(super) struct Tokens {
    /// When a token was refused, by its hash.
    refused: Recent<i64>,
    /// When credentials were refused.
    credentials: Recent<Vec<i64>>,
    /// Tokens given out on a platform: when, and until when they live.
    issued: Recent<Vec<(i64, i64)>>,
    shares: Recent<Share>,
    minutes: Recent<Minute>,
}

/// A token's requests, and those that limits refused.
#[derive(Clone, Default)]
struct Share {
    platform: &'static str,
    requests: u64,
    refused: u64,
    first: Option<(i64, u64)>,
}

/// The tokens that a platform saw within one minute.
#[derive(Clone, Default)]
struct Minute {
    began_ms: i64,
    tokens: Vec<Used>,
}

#[derive(Clone, Copy)]
struct Used {
    token: u64,
    requests: u64,
    first_ms: i64,
    last_ms: i64,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens {
            refused: Recent::within(TOKEN_MS),
            credentials: Recent::within(REFUSED_CREDENTIALS_REPEATED.window_ms()),
            issued: Recent::within(TOKEN_MS),
            shares: Recent::within(TOKEN_MS),
            minutes: Recent::within(MANY_TOKENS.window_ms()),
        }
    }
}

impl Tokens {
    pub(super) fn observe(
        &mut self,
        event: &RequestEvent<'_>,
        grace_ms: i64,
        breaches: &mut Breaches,
    ) {
        if event.is_token_request() {
            self.issue(event, breaches);
        } else if event.metadata.has_token {
            self.token(event, grace_ms, breaches);
        } else if event.metadata.caller != 0 && event.status == 401 {
            self.refuse_credentials(event, breaches);
        }
    }

    /// The shares, once every request was seen.
    pub(super) fn conclude(&self, breaches: &mut Breaches) {
        let over = self.shares.values().filter(|share| {
            share.refused >= REFUSALS
                && share.refused * 100 > share.requests * LIMIT_RUN_INTO.threshold.unsigned_abs()
        });
        let mut over: Vec<(&'static str, i64, u64)> = over
            .filter_map(|share| share.first.map(|(ms, n)| (share.platform, ms, n)))
            .collect();
        over.sort_unstable_by_key(|(_, _, n)| *n);
        over.into_iter().for_each(|(platform, ms, n)| {
            breaches.add_of_platform(&LIMIT_RUN_INTO, platform, ms, n)
        });
    }

    fn issue(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        if matches!(event.status, 400 | 401 | 403) {
            self.refuse_credentials(event, breaches);
        }
        let Some(life_s) = event.metadata.token_life_s.filter(|_| event.is_well()) else {
            return;
        };
        let now_ms = event.arrived_ms;
        let until_ms = event
            .answered_ms
            .saturating_add(i64::try_from(life_s.saturating_mul(1000)).unwrap_or(i64::MAX / 4));
        let issued = self
            .issued
            .entry(hash_of(&(event.platform, event.metadata.caller)), now_ms);
        issued.retain(|(at_ms, until_ms)| {
            now_ms - at_ms < TOKEN_PER_REQUEST.window_ms() && now_ms < *until_ms
        });
        issued.push((now_ms, until_ms));
        if issued.len() as i64 >= TOKEN_PER_REQUEST.threshold {
            breaches.add(&TOKEN_PER_REQUEST, event);
        }
    }

    fn token(&mut self, event: &RequestEvent<'_>, grace_ms: i64, breaches: &mut Breaches) {
        let caller = event.metadata.caller;
        if self
            .refused
            .get(caller, event.arrived_ms)
            .is_some_and(|at_ms| event.arrived_ms > *at_ms + grace_ms)
        {
            breaches.add(&REFUSED_TOKEN_USED, event);
        }
        if event.status == 401 {
            if self.refused.get(caller, event.arrived_ms).is_none() {
                self.refused
                    .put(caller, event.answered_ms, event.answered_ms);
            }
            // A token that is renewed because it was refused is not one too many; whose it was is
            // not told, so all are forgiven.
            self.issued = Recent::within(TOKEN_MS);
        }
        let share = self.shares.entry(caller, event.arrived_ms);
        share.platform = event.platform;
        share.requests += 1;
        if event.is_limited {
            share.refused += 1;
            share.first = share.first.or(Some((event.arrived_ms, event.n)));
        }
        if event.platform == "genesys_cloud" {
            self.minute(event, breaches);
        }
    }

    fn minute(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let now_ms = event.arrived_ms;
        let minute = self.minutes.entry(hash_of(&event.platform), now_ms);
        if now_ms - minute.began_ms >= MANY_TOKENS.window_ms() {
            *minute = Minute {
                began_ms: now_ms,
                tokens: Vec::new(),
            };
        }
        let caller = event.metadata.caller;
        let at = match minute.tokens.iter().position(|used| used.token == caller) {
            Some(at) => at,
            // A client with a token a request is told so by another rule; here its first hundred
            // are enough.
            None if minute.tokens.len() >= 100 => return,
            None => {
                minute.tokens.push(Used {
                    token: caller,
                    requests: 0,
                    first_ms: now_ms,
                    last_ms: now_ms,
                });
                minute.tokens.len() - 1
            }
        };
        minute.tokens[at].requests += 1;
        minute.tokens[at].last_ms = now_ms;
        if minute.tokens[at].requests != USED {
            return;
        }
        // One that was renewed is not used any more once the next one is.
        let since_ms = minute.tokens[at].first_ms;
        let at_once = minute
            .tokens
            .iter()
            .filter(|used| used.requests >= USED && used.last_ms > since_ms)
            .count() as i64;
        if at_once >= MANY_TOKENS.threshold {
            breaches.add_of_platform(&MANY_TOKENS, event.platform, now_ms, event.n);
        }
    }

    fn refuse_credentials(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let now_ms = event.arrived_ms;
        let refused = self
            .credentials
            .entry(hash_of(&(event.platform, event.metadata.caller)), now_ms);
        refused.retain(|at_ms| now_ms - at_ms < REFUSED_CREDENTIALS_REPEATED.window_ms());
        // More than the threshold are not told apart.
        if (refused.len() as i64) < REFUSED_CREDENTIALS_REPEATED.threshold {
            refused.push(now_ms);
        }
        if refused.len() as i64 >= REFUSED_CREDENTIALS_REPEATED.threshold {
            breaches.add(&REFUSED_CREDENTIALS_REPEATED, event);
        }
    }
}
