//! Analytics of conversations: the synchronous details query, and the jobs that lag behind but
//! carry attributes.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::Conversation,
    cursor,
    endpoint::{AuthorizedRequest, IncomingRequest},
    errors::ApiError,
    filters::{Filter, Filters, Level, MEDIA_TYPE, SegmentFacts, unsupported},
    limits,
    participant_view::{ParticipantView, Span, attributes, put},
    rules,
    settings::name_of,
    state::State as Held,
    stores::{Conversations, TimedJob},
    times,
    validate::uuid,
};
use crate::{http::reply::Reply, http::request_context, operations};

/// Milliseconds of a day; also how long a job's results are kept.
const DAY_MS: i64 = 86_400_000;
/// Results of a job where a request names no size.
const RESULTS_PAGE: u64 = 1_000;

/// POST .../details/query.
pub(super) async fn query(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| query_details(site, &asked),
        )
        .await
}

/// POST .../details/jobs.
pub(super) async fn create_job(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| create_details_job(site, &asked),
        )
        .await
}

/// GET .../details/jobs/availability.
pub(super) async fn availability(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, _| {
            Ok(Reply::json(
                200,
                &json!({"dataAvailabilityDate": times::text(available_ms(site))}),
            ))
        })
        .await
}

/// GET .../details/jobs/{id}.
pub(super) async fn job(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, _| job_state(site, &id)).await
}

/// GET .../details/jobs/{id}/results.
pub(super) async fn results(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, authorized| job_results(site, &id, authorized))
        .await
}

/// Body of a details query or job.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DetailsQuery {
    interval: String,
    #[serde(default)]
    conversation_filters: Vec<Filter>,
    #[serde(default)]
    segment_filters: Vec<Filter>,
    #[serde(default)]
    evaluation_filters: Vec<Value>,
    #[serde(default)]
    survey_filters: Vec<Value>,
    #[serde(default)]
    resolution_filters: Vec<Value>,
    #[serde(default)]
    aggregations: Vec<Value>,
    order: Option<String>,
    order_by: Option<String>,
    paging: Option<Paging>,
}

/// Which page of a query.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Paging {
    page_size: u64,
    page_number: u64,
}

/// An analytics details job, its conversations fixed when it was submitted.
#[derive(Clone)]
pub(super) struct DetailsJob {
    submitted_ms: i64,
    available_ms: i64,
    conversations: Vec<Uuid>,
}

/// What an interval is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Start,
    Activity,
}

impl GenesysCloud {
    /// The conversations a query is about, in its order.
    pub(super) fn chosen<'a>(
        &self,
        conversations: &'a Conversations,
        asked: &DetailsQuery,
        by: Match,
        known_ms: i64,
    ) -> Result<Vec<&'a Conversation>, ApiError> {
        let (from, to) = self.interval("interval", &asked.interval)?;
        let (filters, of_segments) = filters(self, asked)?;
        let is_met = |held: &Conversation| {
            of_segments.is_empty()
                || of_segments.hold_in_segments(
                    held,
                    self.division_of(held).id,
                    &self.segment_facts(held),
                )
        };
        if !of_segments.is_empty() {
            self.mark(&rules::SEGMENT_FILTERS);
        }
        let is_in = |held: &Conversation| match by {
            Match::Start => (from..to).contains(&held.start_ms),
            Match::Activity => {
                held.start_ms.min(held.end_ms) < to && held.start_ms.max(held.end_ms) >= from
            }
        };
        let all = conversations
            .all()
            .filter(|held| held.created_at_ms <= known_ms);
        let mut found: Vec<&Conversation> = all
            .filter(|held| {
                is_in(held)
                    && filters.hold(held, self.division_of(held).id)
                    && self.shows(held)
                    && is_met(held)
            })
            .collect();
        match asked.order_by.as_deref().unwrap_or("conversationStart") {
            "conversationEnd" => found.sort_by_key(|held| (held.end_ms, held.id)),
            _ => found.sort_by_key(|held| (held.start_ms, held.id)),
        }
        if asked.order.as_deref() == Some("desc") {
            found.reverse();
        }
        Ok(found)
    }

    /// Whether a query can be answered here at all.
    pub(super) fn check_query(&self, asked: &DetailsQuery) -> Result<(), ApiError> {
        self.interval("interval", &asked.interval)?;
        filters(self, asked).map(drop)
    }

    /// What a participant can be grouped and filtered by.
    pub(super) fn facts_of_seat(
        &self,
        held: &Conversation,
        seat: &ParticipantView<'_>,
    ) -> SegmentFacts {
        SegmentFacts {
            queue: held
                .queue
                .as_ref()
                .map(|queue| queue.id)
                .filter(|_| seat.is_routed()),
            user: seat.user(),
            wrap_up: seat.who.and_then(|who| who.wrap_up),
            purpose: seat.purpose,
            direction: held.direction.as_str(),
            kind: "interact",
            ani: held.ani().map(address),
            dnis: held.dnis().map(address),
        }
    }

    /// What each segment of a conversation can be filtered by, as analytics shows it.
    pub(super) fn segment_facts(&self, held: &Conversation) -> Vec<SegmentFacts> {
        let seats = self.seats(held);
        let facts = seats.iter().flat_map(|seat| {
            let spans = seat.spans();
            let last = spans.len().saturating_sub(1);
            spans.into_iter().enumerate().map(move |(at, span)| {
                let whole = self.facts_of_seat(held, seat);
                SegmentFacts {
                    wrap_up: whole.wrap_up.filter(|_| at == last),
                    kind: span.kind,
                    ..whole
                }
            })
        });
        facts.collect()
    }

    /// A conversation as analytics shows it.
    pub(super) fn analytics_json(&self, held: &Conversation, include: IncludeAttributes) -> Value {
        let seats = self.seats(held);
        let participants: Vec<Value> = seats
            .iter()
            .map(|seat| analytics_participant(self, held, seat, include))
            .collect();
        let mut body = json!({
            "conversationId": held.id,
            "conversationStart": times::text(held.start_ms),
            "originatingDirection": held.direction.as_str(),
            "divisionIds": [self.division_of(held).id],
            "participants": participants,
        });
        put(
            &mut body,
            "conversationEnd",
            (!held.is_open()).then(|| times::text(held.end_ms)),
        );
        put(&mut body, "externalTag", held.external_tag.clone());
        body
    }
}

/// Up to when the jobs know everything.
fn available_ms(site: &GenesysCloud) -> i64 {
    site.now_ms()
        .saturating_sub_unsigned(site.settings.analytics_lag_ms)
}

fn query_details(site: &GenesysCloud, asked: &DetailsQuery) -> Result<Reply, ApiError> {
    let (from, to) = site.interval("interval", &asked.interval)?;
    if to - from > limits::QUERY_INTERVAL_DAYS.value as i64 * DAY_MS {
        site.mark(&limits::QUERY_INTERVAL_DAYS.rule);
        let message = format!(
            "the interval is over {} {}",
            limits::QUERY_INTERVAL_DAYS.value,
            limits::QUERY_INTERVAL_DAYS.unit
        );
        return Err(ApiError::new(400, "bad.request", message).field("interval"));
    }
    let (size, number) = match &asked.paging {
        Some(paging) => (paging.page_size, paging.page_number),
        None => (limits::PAGE_SIZE_DEFAULT.value, 1),
    };
    if size == 0 || size > limits::QUERY_PAGE_MAX.value || number == 0 {
        site.mark(&limits::QUERY_PAGE_MAX.rule);
        let message = format!(
            "pageSize is 1 to {}, pageNumber from 1",
            limits::QUERY_PAGE_MAX.value
        );
        return Err(ApiError::new(400, "bad.request", message).field("paging"));
    }
    let state = site.state();
    let found = site.chosen(&state.conversations, asked, Match::Start, i64::MAX)?;
    let skip = usize::try_from(size.saturating_mul(number - 1)).unwrap_or(usize::MAX);
    let page: Vec<Value> = found
        .iter()
        .skip(skip)
        .take(size as usize)
        .map(|held| site.analytics_json(held, IncludeAttributes::No))
        .collect();
    Ok(Reply::json(
        200,
        &json!({"conversations": page, "totalHits": found.len()}),
    ))
}

fn create_details_job(site: &GenesysCloud, asked: &DetailsQuery) -> Result<Reply, ApiError> {
    let now = site.now_ms();
    let available_ms = available_ms(site);
    if site.settings.analytics_lag_ms > 0 {
        site.mark(&rules::JOB_LAG);
    }
    site.mark(&rules::JOB_ACTIVITY);
    let operation = &operations::GENESYS_CLOUD_CREATE_DETAILS_JOB;
    let mut state = site.state();
    let conversations = site
        .chosen(&state.conversations, asked, Match::Activity, available_ms)?
        .iter()
        .map(|held| held.id)
        .collect();
    let id = site.made_id(operation, "-", state.ordinals.next(operation.name));
    let ready_at_ms = site.job_done_ms(
        &operations::GENESYS_CLOUD_RUN_ANALYTICS_JOB,
        site.settings.analytics_job_ms,
    );
    state.details_jobs.start(
        id,
        ready_at_ms,
        DetailsJob {
            submitted_ms: now,
            available_ms,
            conversations,
        },
    );
    Ok(Reply::json(202, &json!({"jobId": id})))
}

fn job_state(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let state = site.state();
    let job = find_job(&state, id)?;
    let is_done = job.is_done(site.now_ms());
    if is_done {
        request_context::record_job_done()
    } else {
        request_context::record_job_pending()
    }
    let mut body = json!({
        "state": if is_done { "FULFILLED" } else { "PENDING" },
        "submissionDate": times::text(job.order.submitted_ms),
    });
    put(
        &mut body,
        "completionDate",
        is_done.then(|| times::text(job.ready_at_ms)),
    );
    put(
        &mut body,
        "expirationDate",
        is_done.then(|| times::text(job.ready_at_ms + DAY_MS)),
    );
    Ok(Reply::json(200, &body))
}

fn job_results(
    site: &GenesysCloud,
    id: &str,
    authorized: &AuthorizedRequest,
) -> Result<Reply, ApiError> {
    let most = &limits::RESULTS_PAGE_MAX;
    let size = authorized
        .query
        .number("pageSize", RESULTS_PAGE, 1, most.value)
        .inspect_err(|_| site.mark(&most.rule))?;
    let from = authorized
        .query
        .one("cursor")
        .map(|text| cursor::place("offset", text, cursor::IN_QUERY))
        .transpose()?
        .unwrap_or(0);
    let state = site.state();
    let job = find_job(&state, id)?;
    if !job.is_done(site.now_ms()) {
        return Err(ApiError::new(
            400,
            "bad.request",
            "the job is not FULFILLED yet; ask for its state first",
        ));
    }
    let job = &job.order;
    let ids = job.conversations.iter().skip(from).take(size as usize);
    let page: Vec<Value> = ids
        .filter_map(|id| state.conversations.get(*id))
        .map(|held| site.analytics_json(held, IncludeAttributes::Yes))
        .collect();
    let next = from.saturating_add(size as usize);
    let mut body =
        json!({"conversations": page, "dataAvailabilityDate": times::text(job.available_ms)});
    put(
        &mut body,
        "cursor",
        (next < job.conversations.len()).then(|| cursor::to("offset", next)),
    );
    Ok(Reply::json(200, &body))
}

/// The filters of conversations, and those of their segments.
fn filters(site: &GenesysCloud, asked: &DetailsQuery) -> Result<(Filters, Filters), ApiError> {
    let refused = [
        ("evaluationFilters", &asked.evaluation_filters),
        ("surveyFilters", &asked.survey_filters),
        ("resolutionFilters", &asked.resolution_filters),
        ("aggregations", &asked.aggregations),
    ];
    if let Some((field, _)) = refused.into_iter().find(|(_, list)| !list.is_empty()) {
        site.mark(&rules::UNSUPPORTED_FILTER);
        return Err(unsupported(field, field));
    }
    one_of(
        "order",
        asked.order.as_deref(),
        &["asc", "desc", "unordered"],
    )?;
    one_of(
        "orderBy",
        asked.order_by.as_deref(),
        &["conversationStart", "conversationEnd"],
    )?;
    let of_conversations = Filters::read(
        "conversationFilters",
        Level::Conversation,
        &asked.conversation_filters,
    );
    let of_segments = Filters::read("segmentFilters", Level::Segment, &asked.segment_filters);
    let both = of_conversations.and_then(|conversations| Ok((conversations, of_segments?)));
    both.inspect_err(|_| site.mark(&rules::UNSUPPORTED_FILTER))
}

fn analytics_participant(
    site: &GenesysCloud,
    held: &Conversation,
    seat: &ParticipantView<'_>,
    include: IncludeAttributes,
) -> Value {
    let spans = seat.spans();
    let last = spans.len().saturating_sub(1);
    let segments: Vec<Value> = spans
        .iter()
        .enumerate()
        .map(|(at, span)| analytics_segment(held, seat, span, at == last))
        .collect();
    let mut session = json!({
        "sessionId": seat.session_id,
        "mediaType": MEDIA_TYPE,
        "direction": held.direction.as_str(),
        "recording": !held.recordings.is_empty(),
        "segments": segments,
    });
    put(&mut session, "ani", held.ani().map(address));
    put(&mut session, "dnis", held.dnis().map(address));
    let mut body =
        json!({"participantId": seat.id, "purpose": seat.purpose, "sessions": [session]});
    put(
        &mut body,
        "userId",
        seat.user().map(|user| user.to_string()),
    );
    put(
        &mut body,
        "participantName",
        seat.user()
            .and_then(|user| name_of(&site.directory().users, user).map(str::to_owned)),
    );
    if seat.is_customer() && include == IncludeAttributes::Yes {
        put(&mut body, "attributes", Some(attributes(held)));
    }
    body
}

/// Whether participants carry their attributes: a job's do, a query's do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IncludeAttributes {
    Yes,
    No,
}

fn analytics_segment(
    held: &Conversation,
    seat: &ParticipantView<'_>,
    span: &Span,
    is_last: bool,
) -> Value {
    let mut body = json!({"segmentStart": times::text(span.start_ms), "segmentEnd": times::text(span.end_ms), "segmentType": span.kind});
    if seat.is_routed() {
        put(
            &mut body,
            "queueId",
            held.queue.as_ref().map(|queue| queue.id.to_string()),
        );
        put(
            &mut body,
            "requestedRoutingSkillIds",
            (!held.skills.is_empty()).then(|| json!(held.skills)),
        );
    }
    put(
        &mut body,
        "wrapUpCode",
        seat.who
            .and_then(|who| who.wrap_up)
            .filter(|_| is_last)
            .map(|code| code.to_string()),
    );
    body
}

/// A number as analytics gives it: `tel:` before one in E.164, plain otherwise.
fn address(number: &str) -> String {
    let digits = number.strip_prefix('+').unwrap_or_default();
    let is_e164 = !digits.is_empty()
        && digits.len() <= 15
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_e164 {
        format!("tel:{number}")
    } else {
        number.to_owned()
    }
}

fn one_of(field: &str, sent: Option<&str>, known: &[&str]) -> Result<(), ApiError> {
    match sent {
        Some(value) if !known.contains(&value) => Err(ApiError::invalid_value(field, field, value)),
        _ => Ok(()),
    }
}

/// A job by the id in an address.
fn find_job<'a>(state: &'a Held, id: &str) -> Result<&'a TimedJob<DetailsJob>, ApiError> {
    uuid(id)
        .and_then(|id| state.details_jobs.get(id))
        .ok_or_else(ApiError::not_found)
}
