//! The numbers this platform imposes, each with its unit, source and grade, and the windows that
//! count towards two of them.

use crate::rules::{Grade, Rule};

/// One number, its unit, and the rule it stands for.
pub(super) struct Limit {
    pub(super) value: u64,
    pub(super) unit: &'static str,
    pub(super) rule: Rule,
}

macro_rules! limit {
    ($(#[$doc:meta])* $constant:ident = $value:expr, $unit:literal, $grade:ident, $name:literal, $statement:literal, $source:literal) => {
        $(#[$doc])*
        pub(super) static $constant: Limit = Limit {
            value: $value,
            unit: $unit,
            rule: Rule {
                name: concat!("genesys_cloud.limits.", $name),
                grade: Grade::$grade,
                statement: $statement,
                source: $source,
                default: Some(concat!(stringify!($value), " ", $unit)),
            },
        };
    };
}

limit!(
    /// Default of `requests_per_minute`.
    TOKEN_REQUESTS = 300, "requests a minute", Documented, "token_rate",
    "a token makes at most 300 API requests a minute; the next is 429 with Retry-After in whole \
     seconds",
    "developer-center-blog 2021-02-03-Caching-in-flows; limit key \
     client.credentials.token.rate.per.minute"
);
limit!(
    /// Default of `uploads_per_second`.
    UPLOADS = 100, "uploads a second", Documented, "upload_rate",
    "POST /api/v2/files takes at most 100 requests a second and does not count towards the token's \
     minute",
    "recording-migration guide, step 3"
);
limit!(
    /// Default of `token_seconds`.
    TOKEN_LIFE = 86_400, "seconds", Documented, "token_life",
    "an access token lives 86400 seconds unless its client says otherwise (300 to 172800)",
    "terraform-provider-genesyscloud, docs/resources/oauth_client.md"
);
limit!(
    /// Default of `max_request_bytes`.
    REQUEST_BYTES = 512_000, "bytes", Observed, "request_bytes",
    "a request body is at most 512000 bytes; more is 413",
    "limit key request.bytes.max in a third party's copy of the limits page"
);
limit!(
    /// Default of `max_upload_bytes`: the ceiling of one S3 PUT. A smaller one would refuse real
    /// day-long recordings, a larger one no store takes.
    UPLOAD_BYTES = 5 * 1024 * 1024 * 1024, "bytes", Assumed, "upload_bytes",
    "an uploaded file is at most 5 GiB; more is 413",
    "no maximum found in any source; S3's ceiling for one PUT"
);
limit!(
    /// Default of `download_url_minutes`.
    DOWNLOAD_URL_MINUTES = 60, "minutes", Documented, "download_url_life",
    "a pre-signed address lives recordingBatchDownloadUrlTtl minutes, 60 unless set (2 to 60)",
    "platform API, RecordingSettings"
);
limit!(
    /// Page size where a request names none.
    PAGE_SIZE_DEFAULT = 25, "entities", Documented, "page_size_default",
    "a list without pageSize answers 25 entities",
    "platform API, nearly every listing"
);
limit!(
    /// Largest page of users, queues, wrap-up codes and skills.
    PAGE_SIZE_MAX = 500, "entities", Observed, "page_size_max",
    "pageSize of users and routing lists is at most 500",
    "estuary/connectors source-genesys uses 500 for users; the others from memory"
);
limit!(
    /// Largest page of `retention/query`.
    RETENTION_PAGE_MAX = 500, "entities", Documented, "retention_page_max",
    "pageSize of recordings/retention/query is at most 500",
    "platform API, GET /api/v2/recordings/retention/query"
);
limit!(
    /// Items of one batch download request.
    BATCH_ITEMS = 100, "items", Documented, "batch_items",
    "a batch download request has at most 100 items",
    "platform API, batch.download.too.many.items"
);
limit!(
    /// Stretches of time that an aggregates query may be cut into.
    AGGREGATE_STRETCHES = 10_000, "stretches", Assumed, "aggregate_stretches",
    "an aggregates query's granularity cuts its interval into at most 10000 stretches; more is 400",
    "no page states a limit; this one keeps an answer readable"
);
limit!(
    /// Largest page of a queue's members.
    MEMBERS_PAGE_MAX = 100, "members", Documented, "members_page_max",
    "pageSize of a queue's members is at most 100",
    "platform API, GET /api/v2/routing/queues/{queueId}/members"
);
limit!(
    /// Longest description of an annotation.
    ANNOTATION_TEXT = 500, "characters", Documented, "annotation_text",
    "the description of an annotation has at most 500 characters; more is 400",
    "platform API, Annotation"
);
limit!(
    /// Conversations of one deletion-protection question.
    PROTECTION_IDS = 100, "ids", Documented, "protection_ids",
    "a deletion-protection request names at most 100 conversations",
    "platform API, POST /api/v2/recordings/deletionprotection"
);
limit!(
    /// Default of `max_protected`.
    PROTECTED_CONVERSATIONS = 1_000, "conversations", Documented, "protected_conversations",
    "an organisation protects at most 1000 conversations against deletion",
    "help page on protecting recordings from deletion for a legal hold directive"
);
limit!(
    /// User ids of one listing.
    USER_IDS = 100, "ids", Documented, "user_ids",
    "users are asked for by at most 100 ids at once",
    "platform API, max.user.ids"
);
limit!(
    /// Page of the synchronous details query.
    QUERY_PAGE_MAX = 100, "conversations", Observed, "query_page_max",
    "pageSize of the synchronous details query is at most 100",
    "third-party clients page by 100"
);
limit!(
    /// Interval of the synchronous details query.
    QUERY_INTERVAL_DAYS = 31, "days", Observed, "query_interval",
    "the interval of the synchronous details query is at most 31 days",
    "third-party clients use windows of 31 days"
);
limit!(
    /// Page of an analytics job's results.
    RESULTS_PAGE_MAX = 10_000, "conversations", Observed, "results_page_max",
    "pageSize of a details job's results is at most 10000; 1000 where none is given",
    "third-party clients use 1000 and 10000"
);

limit!(
    /// External ids of one user.
    EXTERNAL_IDS = 100, "external ids", Documented, "external_ids",
    "a user has at most 100 external ids",
    "platform API, POST /api/v2/users/{userId}/externalid"
);
limit!(
    /// Recording jobs of an organisation that are pending or processing.
    RECORDING_JOBS = 2, "jobs", Documented, "recording_jobs",
    "an organisation runs at most two recording jobs at once",
    "platform API, POST /api/v2/recording/jobs"
);
limit!(
    /// Largest page of a recording job's failed recordings.
    FAILED_PAGE_MAX = 100, "recordings", Documented, "failed_page_max",
    "pageSize of a recording job's failed recordings is at most 100",
    "platform API, GET /api/v2/recording/jobs/{jobId}/failedrecordings"
);
limit!(
    /// Largest page of an audit query's results.
    AUDIT_PAGE_MAX = 500, "entries", Documented, "audit_page_max",
    "pageSize of an audit query's results is at most 500, 25 where none is given",
    "platform API, GET /api/v2/audits/query/{transactionId}/results"
);
limit!(
    /// Results of one page of a search of participants' attributes.
    ATTRIBUTE_ROWS = 50, "conversations", Observed, "attribute_rows",
    "a page of attributes/search has 50 results",
    "a third party's client: about 50 rows or 1 MB a page"
);
limit!(
    /// Longest DATE_RANGE of a search of participants' attributes.
    ATTRIBUTE_WINDOW_HOURS = 24, "hours", Observed, "attribute_window",
    "a DATE_RANGE of attributes/search spans at most 24 hours; more is 400",
    "a third party's client, which quotes the vendor's search limits: 24 hours at most, 4 \
     recommended"
);

/// Every limit here, in this order.
pub(super) static ALL: [&Limit; 25] = [
    &TOKEN_REQUESTS,
    &UPLOADS,
    &TOKEN_LIFE,
    &REQUEST_BYTES,
    &UPLOAD_BYTES,
    &DOWNLOAD_URL_MINUTES,
    &PAGE_SIZE_DEFAULT,
    &PAGE_SIZE_MAX,
    &RETENTION_PAGE_MAX,
    &BATCH_ITEMS,
    &AGGREGATE_STRETCHES,
    &MEMBERS_PAGE_MAX,
    &ANNOTATION_TEXT,
    &PROTECTION_IDS,
    &PROTECTED_CONVERSATIONS,
    &USER_IDS,
    &QUERY_PAGE_MAX,
    &QUERY_INTERVAL_DAYS,
    &RESULTS_PAGE_MAX,
    &EXTERNAL_IDS,
    &RECORDING_JOBS,
    &FAILED_PAGE_MAX,
    &AUDIT_PAGE_MAX,
    &ATTRIBUTE_ROWS,
    &ATTRIBUTE_WINDOW_HOURS,
];

/// Milliseconds of the token's window.
pub(super) const MINUTE_MS: i64 = 60_000;
/// Milliseconds of the uploads' window.
pub(super) const SECOND_MS: i64 = 1_000;

/// Requests counted since a moment. The first request opens a window; the first one after its end
/// opens the next.
#[derive(Default, Clone, Copy)]
pub(super) struct Window {
    started_ms: i64,
    count: u64,
}

/// What the rate headers say.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// Requests counted in this window, the present one included.
    pub(super) count: u64,
    /// Requests allowed in it; 0 means no limit.
    pub(super) allowed: u64,
    /// Whole seconds until it ends, at least 1.
    pub(super) reset_s: u64,
}

impl Rate {
    /// Whether the present request is one too many.
    pub(super) fn exceeded(self) -> bool {
        self.allowed > 0 && self.count > self.allowed
    }
}

impl Window {
    /// Counts one request.
    pub(super) fn count(&mut self, now_ms: i64, length_ms: i64, allowed: u64) -> Rate {
        if self.count == 0 || now_ms >= self.started_ms + length_ms || now_ms < self.started_ms {
            *self = Window {
                started_ms: now_ms,
                count: 0,
            };
        }
        self.count += 1;
        self.look(now_ms, length_ms, allowed)
    }

    /// Says where the window stands, counting nothing.
    pub(super) fn look(&self, now_ms: i64, length_ms: i64, allowed: u64) -> Rate {
        let left_ms = (self.started_ms + length_ms - now_ms).clamp(0, length_ms);
        let over = self.count == 0 || left_ms == 0;
        Rate {
            count: if over { 0 } else { self.count },
            allowed,
            reset_s: (if over { length_ms } else { left_ms } as u64)
                .div_ceil(1_000)
                .max(1),
        }
    }
}
