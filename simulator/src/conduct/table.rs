//! The one table of conduct: what is held against a client, from which number on, and who says so.

use serde::Serialize;

use crate::rules::Grade;

/// A rule of conduct. Everything its judge counts by stands here.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ConductRule {
    /// Stable: reports name it.
    pub name: &'static str,
    /// What a breach is, in one sentence.
    pub means: &'static str,
    /// The number it begins with.
    pub threshold: i64,
    /// Of what.
    pub unit: &'static str,
    /// Within how long. Milliseconds on the simulator's clock; absent: at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<i64>,
    /// Why that number.
    pub why: &'static str,
    /// How well it is known that a platform minds: `assumed` is our opinion.
    pub grade: Grade,
    /// Page and section, or why it was assumed.
    pub source: &'static str,
}

impl ConductRule {
    /// Its window; for a rule without one as good as for ever.
    pub(super) fn window_ms(&self) -> i64 {
        self.within_ms.unwrap_or(i64::MAX / 4)
    }
}

const fn within(given: &[i64]) -> Option<i64> {
    match given {
        [ms, ..] => Some(*ms),
        [] => None,
    }
}

macro_rules! conduct {
    ($($constant:ident = $name:literal, $grade:ident, $threshold:literal $unit:literal $(within $ms:literal ms)?;
        means $means:literal; why $why:literal; source $source:literal;)*) => {
        $(pub(super) static $constant: ConductRule = ConductRule {
            name: $name,
            means: $means,
            threshold: $threshold,
            unit: $unit,
            within_ms: within(&[$($ms)?]),
            why: $why,
            grade: Grade::$grade,
            source: $source,
        };)*

        /// Every rule of conduct, in the order of the page.
        pub static TABLE: &[&ConductRule] = &[$(&$constant),*];
    };
}

conduct! {
    RETRY_AFTER_IGNORED = "retry_after_ignored", Documented, 1 "request";
        means "a request under a limit whose Retry-After has not run out: of the token where the token's limit refused, else of the operation; behind any other status, the same request";
        why "what arrives within half a second of the refusal was on its way, and does not count; one later was sent knowingly";
        source "RFC 6585 section 4 and RFC 9110 section 10.2.3; Retry-After in whole seconds on 429: vendor's SDKs and terraform-provider-genesyscloud";
    LIMIT_RUN_INTO = "limit_run_into", Documented, 1 "per cent of a token's requests refused by a limit";
        means "a token is refused by limits again and again: its client bursts into the limit instead of pacing by inin-ratelimit-*; judged from five refusals on";
        why "a client that spaces its requests meets a limit it was not told of once or twice; under one in a hundred the announced numbers are heeded";
        source "inin-ratelimit-count, -allowed and -reset on every answer: developer-center-blog 2021-05-06 and the SDKs' pages; the share is ours";
    MANY_TOKENS = "many_tokens", Documented, 4 "tokens of ten requests or more" within 60_000 ms;
        means "requests are spread over several tokens at once, which goes round the limit of each";
        why "a migrator, an auditor and a token just being renewed make three; a fourth serves no one but the limit. A token that is used no more once the next one is does not count";
        source "developer-center-blog 2021-02-03-Caching-in-flows: spreading over several clients or tokens is misuse that can hurt the whole contact centre";
    TOKEN_PER_REQUEST = "token_per_request", Assumed, 10 "tokens while all of them are valid" within 60_000 ms;
        means "new tokens are asked for though the last ones are valid and none was refused";
        why "one a process, and a process that is started again asks again; nine starts within a minute are no token for each request yet";
        source "a token lives 300 to 172800 s (terraform-provider-genesyscloud, oauth_client); that it be kept for so long is our opinion";
    REFUSED_TOKEN_USED = "refused_token_used", Documented, 1 "request";
        means "a token that was answered 401 is sent again";
        why "what arrives within half a second of the refusal was on its way";
        source "RFC 6750 section 3.1: invalid_token, the client may ask for a new one and repeat the request with it";
    REFUSED_CREDENTIALS_REPEATED = "refused_credentials_repeated", Assumed, 4 "refusals" within 60_000 ms;
        means "credentials that a platform refuses are sent again and again";
        why "three tries may be three parts of a program starting; a fourth locks an account where a site locks accounts";
        source "no page states a lock-out; our opinion";
    RETRY_STORM = "retry_storm", Assumed, 10 "failed tries of one request" within 10_000 ms;
        means "a request that fails is sent again many times in a short while";
        why "waits that double from a tenth of a second need 51 s for ten tries, half of it with full jitter; a fixed second needs 9 s";
        source "no page states a number of retries; our opinion";
    FIXED_INTERVAL_RETRIES = "fixed_interval_retries", Assumed, 4 "waits within a tenth of their mean";
        means "a request that fails is sent again at a fixed interval: no growing wait, no jitter";
        why "four waits that jitter by half lie so close once in a thousand; waits of 30 s and more, and those a Retry-After asked for, do not count";
        source "the vendor's CLI waits 5 to 60 s between tries (platform-client-sdk-cli); that waits must grow is our opinion";
    BLIND_REPEAT = "blind_repeat", Documented, 1 "request";
        means "a creation whose outcome is unknown is sent again without a look: on operations that merge, double or make a second one; for SpeechMiner, which cannot be asked, only where the post was doubled";
        why "one is enough: what it does cannot be undone by asking again";
        source "Interaction Recording's Insertion API: a second post of an id is merged, uniqueness is the client's job; for SpeechMiner, policies and jobs assumed";
    REFUSAL_REPEATED = "refusal_repeated", Assumed, 5 "equal requests refused equally" within 600_000 ms;
        means "what was refused with 400, 403, 405, 413, 415 or 422 is sent again as it was";
        why "a run that is started again sends it twice, and may die again before it keeps a note; a fifth time it is no news";
        source "RFC 9110 section 15.5: the client seems to have erred; that it must not repeat is said of 400 only in older text, so our opinion";
    POLLED_TOO_FAST = "polled_too_fast", Assumed, 500 "ms between two questions";
        means "what is not done yet is asked for again at once";
        why "a tenth of the 5 s at which the vendor's sample asks, and of the longest wait of a transcoding (maxWaitMs 5000)";
        source "developercenter-tutorials, recordings-downloader (asks every 5 s); the tenth is our opinion";
    POLLED_AFTER_FINAL = "polled_after_final", Assumed, 3 "questions after the last word" within 3_600_000 ms;
        means "a job that was told to be done is asked for again and again";
        why "one more may be a second reader, two a third; results have addresses of their own";
        source "developer-center-blog 2020-10-22: every request counts towards a metered allocation; the number is our opinion";
    CURSOR_RESTARTED = "cursor_restarted", Assumed, 3 "readings of a listing" within 3_600_000 ms;
        means "a listing of several pages is begun again from its first page";
        why "one token reads a listing to look, and once to work; a third time it has lost its place";
        source "developer-center-blog 2020-10-22: every page fetched counts; the number is our opinion";
    SMALL_PAGES = "small_pages", Documented, 5 "further pages of under 100 entities";
        means "a listing is read in pages smaller than every list allows";
        why "100 is the smallest of the largest page sizes; four pages more are a list of a few hundred, which does no harm";
        source "developer-center-blog 2020-10-22: every page fetched counts; platform API: pageSize, 25 unless given";
    MEDIA_FETCHED_AGAIN = "media_fetched_again", Assumed, 16 "whole downloads of one media" within 3_600_000 ms;
        means "the same media is downloaded whole again and again";
        why "a migrator and an auditor may each read one that looks damaged up to three times, to tell it from a cut, and the migrator as often again at each of three further starts; a sixteenth reading has no reader";
        source "no page states a limit; bytes out of the cloud are paid for; our opinion";
    UPLOADED_AGAIN = "uploaded_again", Assumed, 5 "uploads of equal bytes that were told to be well" within 3_600_000 ms;
        means "what was taken in is uploaded again";
        why "a run that dies between answer and note uploads once more, and may die again; a fifth time nobody keeps notes. What the platform took in and then failed to process counts from there, three times";
        source "recording-migration guide, step 3: 100 uploads a second for all; the number is our opinion";
    DELETED_AND_CREATED = "deleted_and_created", Assumed, 3 "creations" within 600_000 ms;
        means "what was deleted is created again under the same key within ten minutes, where it could have been replaced; counted over all keys of a store";
        why "a look and a run may each put a probe of their own there and take it away; a program that deletes to write leaves a gap in which the recording is nowhere";
        source "WebDAV: PUT replaces (RFC 4918 section 9.7.1); Interaction Recording: a deleted id may stay in an index; our opinion";
    TOO_MANY_AT_ONCE = "too_many_at_once", Assumed, 100 "requests in work at once";
        means "a platform is asked more at once than it lets through in a second";
        why "the guide's 100 uploads a second is the largest number any source names; a second's worth may be under way";
        source "recording-migration guide, step 3; that it bounds concurrency is our opinion";
    CONNECTION_PER_REQUEST = "connection_per_request", Documented, 100 "new connections, more than half of all requests" within 60_000 ms;
        means "nearly every request opens a connection of its own";
        why "over TLS each costs two round trips more; a pool of workers opens some dozens once, faults that cut connections some more";
        source "RFC 9112 section 9.3: persistent by default; section 9.4: clients ought to limit the connections they open";
    NAMELESS_CLIENT = "nameless_client", Documented, 1 "caller";
        means "requests without a User-Agent: nobody can tell whose they are";
        why "once is enough, and counted once a caller";
        source "RFC 9110 section 10.1.5: a user agent should send User-Agent in each request";
}
