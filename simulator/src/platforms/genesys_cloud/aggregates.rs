//! Analytics aggregates of conversations: how many, and how long, by day, queue, user and whatever
//! else they are grouped by.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use jiff::{Span, Timestamp, Zoned, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::Conversation,
    endpoint::IncomingRequest,
    errors::ApiError,
    filters::{Filter, Filters, Level, MEDIA_TYPE, SegmentFacts, value_of},
    limits,
    participant_view::ParticipantView,
    rules, times,
};
use crate::http::reply::Reply;

/// POST /api/v2/analytics/conversations/aggregates/query.
pub(super) async fn query(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| query_aggregates(site, &asked),
        )
        .await
}

/// ConversationAggregationQuery of the vendor's SDKs; the vendor's description (Swagger) does not
/// have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    interval: String,
    /// The whole interval where it is not given.
    granularity: Option<String>,
    time_zone: Option<String>,
    #[serde(default)]
    group_by: Vec<String>,
    filter: Option<Filter>,
    metrics: Vec<String>,
    /// Nothing here has several values in one group.
    #[serde(rename = "flattenMultivaluedDimensions")]
    _flatten_multivalued_dimensions: Option<bool>,
    #[serde(default)]
    views: Vec<Value>,
    alternate_time_dimension: Option<String>,
    query_type: Option<String>,
    sort_metric: Option<Value>,
    limit: Option<i64>,
}

/// What is counted.
#[derive(Clone, Copy)]
enum Metric {
    /// Conversations.
    Conversations,
    /// Conversations of a queue.
    Offered,
    /// Outbound conversations.
    Outbound,
    /// Agents' legs that were answered.
    Connected,
    /// Milliseconds of speech of an agent's legs.
    Talk,
    /// Milliseconds on hold.
    Held,
    /// Both.
    Handle,
}

const METRICS: [(&str, Metric); 7] = [
    ("nConversations", Metric::Conversations),
    ("nOffered", Metric::Offered),
    ("nOutbound", Metric::Outbound),
    ("nConnected", Metric::Connected),
    ("tTalk", Metric::Talk),
    ("tHeld", Metric::Held),
    ("tHandle", Metric::Handle),
];

/// What the metrics of one group and one stretch of time are made of.
#[derive(Default)]
struct Tally {
    conversations: BTreeSet<Uuid>,
    offered: BTreeSet<Uuid>,
    outbound: BTreeSet<Uuid>,
    /// Milliseconds of speech and on hold of each agent's seat.
    seats: Vec<(i64, i64)>,
}

/// A group: the names and values of its dimensions.
type Group = BTreeMap<String, String>;

impl Tally {
    fn add(&mut self, held: &Conversation, seat: &ParticipantView<'_>, facts: &SegmentFacts) {
        self.conversations.insert(held.id);
        if facts.queue.is_some() {
            self.offered.insert(held.id);
        }
        if facts.direction == "outbound" {
            self.outbound.insert(held.id);
        }
        if facts.user.is_some() {
            let spans = seat.spans();
            let of = |kind: &str| {
                spans
                    .iter()
                    .filter(|span| span.kind == kind)
                    .map(|span| span.end_ms - span.start_ms)
                    .sum::<i64>()
            };
            self.seats.push((of("interact"), of("hold")));
        }
    }

    /// The statistics of a metric; absent where it has nothing to tell.
    fn stats(&self, metric: Metric) -> Option<Value> {
        let count = |count: usize| (count > 0).then(|| json!({"count": count}));
        let times = |ms: &dyn Fn(&(i64, i64)) -> i64| {
            let all: Vec<i64> = self.seats.iter().map(ms).filter(|ms| *ms > 0).collect();
            let (least, most) = (all.iter().min()?, all.iter().max()?);
            Some(
                json!({"count": all.len(), "min": least, "max": most, "sum": all.iter().sum::<i64>()}),
            )
        };
        match metric {
            Metric::Conversations => count(self.conversations.len()),
            Metric::Offered => count(self.offered.len()),
            Metric::Outbound => count(self.outbound.len()),
            Metric::Connected => count(self.seats.len()),
            Metric::Talk => times(&|(talk, _)| *talk),
            Metric::Held => times(&|(_, held)| *held),
            Metric::Handle => times(&|(talk, held)| talk + held),
        }
    }
}

fn query_aggregates(site: &GenesysCloud, asked: &Asked) -> Result<Reply, ApiError> {
    [&rules::AGGREGATES, &rules::AGGREGATE_GROUPS]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let interval = site.interval("interval", &asked.interval)?;
    let (metrics, filters) = asked
        .check()
        .and_then(|metrics| Ok((metrics, asked.filters()?)))
        .inspect_err(|_| {
            site.mark(&rules::UNSUPPORTED_FILTER);
        })?;
    let stretches = asked
        .stretches(interval)
        .inspect_err(|_| site.mark(&limits::AGGREGATE_STRETCHES.rule))?;
    let state = site.state();
    let mut groups: BTreeMap<Group, BTreeMap<usize, Tally>> = BTreeMap::new();
    let is_in = |held: &&Conversation| {
        (interval.0..interval.1).contains(&held.start_ms) && site.shows(held)
    };
    for held in state.conversations.all().filter(is_in) {
        let division = site.division_of(held).id;
        let at = stretches.partition_point(|(_, to)| *to <= held.start_ms);
        let seats = site.seats(held);
        let is_routed = seats.iter().any(ParticipantView::is_routed);
        for seat in seats.iter().filter(|seat| seat.is_routed() || !is_routed) {
            let facts = site.facts_of_seat(held, seat);
            if filters.hold_in_row(held, division, &facts) {
                let group = asked.group_of(held, division, &facts);
                groups
                    .entry(group)
                    .or_default()
                    .entry(at)
                    .or_default()
                    .add(held, seat, &facts);
            }
        }
    }
    let told = |tally: &Tally| -> Vec<Value> {
        let told = metrics.iter().filter_map(|(name, metric)| {
            Some(json!({"metric": name, "stats": tally.stats(*metric)?}))
        });
        told.collect()
    };
    let results = groups.into_iter().map(|(group, tallies)| {
        let data = tallies.iter().filter_map(|(at, tally)| {
            let (from, to) = stretches.get(*at)?;
            Some(json!({"interval": format!("{}/{}", times::text(*from), times::text(*to)), "metrics": told(tally)}))
        });
        json!({"group": group, "data": data.collect::<Vec<Value>>()})
    });
    Ok(Reply::json(
        200,
        &json!({"results": results.collect::<Vec<Value>>()}),
    ))
}

impl Asked {
    /// The metrics asked for; refuses whatever is not evaluated here.
    fn check(&self) -> Result<Vec<(&'static str, Metric)>, ApiError> {
        let refused = |field: &str, what: &str| {
            ApiError::new(
                400,
                "bad.request",
                format!("[{what}] in {field} is not evaluated here"),
            )
            .field(field)
        };
        if self.metrics.is_empty() {
            return Err(ApiError::new(400, "bad.request", "metrics is empty").field("metrics"));
        }
        for (field, is_asked) in [
            ("views", !self.views.is_empty()),
            (
                "alternateTimeDimension",
                self.alternate_time_dimension.is_some(),
            ),
            ("sortMetric", self.sort_metric.is_some()),
            ("limit", self.limit.is_some()),
            (
                "queryType",
                self.query_type
                    .as_deref()
                    .is_some_and(|kind| kind != "groupBy"),
            ),
        ] {
            if is_asked {
                return Err(refused(field, field));
            }
        }
        if let Some(other) = self
            .group_by
            .iter()
            .find(|name| !GROUPS.contains(&name.as_str()))
        {
            return Err(refused("groupBy", other));
        }
        let known = |name: &String| METRICS.into_iter().find(|(known, _)| known == name);
        self.metrics
            .iter()
            .map(|name| known(name).ok_or_else(|| refused("metrics", name)))
            .collect()
    }

    fn filters(&self) -> Result<Filters, ApiError> {
        Filters::read("filter", Level::Row, self.filter.as_slice())
    }

    /// The stretches of time an interval is cut into, in order.
    fn stretches(&self, (from_ms, to_ms): (i64, i64)) -> Result<Vec<(i64, i64)>, ApiError> {
        let Some(text) = &self.granularity else {
            return Ok(vec![(from_ms, to_ms)]);
        };
        let wrong = |field: &str, text: &str| ApiError::invalid_value(field, field, text);
        let step = text
            .starts_with('P')
            .then(|| text.parse::<Span>().ok())
            .flatten()
            .filter(|step| step.is_positive());
        let step = step.ok_or_else(|| wrong("granularity", text))?;
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(zone).map_err(|_| wrong("timeZone", zone))?;
        let start: Zoned = Timestamp::from_millisecond(from_ms)
            .map_err(|_| wrong("interval", &self.interval))?
            .to_zoned(zone);
        let mut stretches = Vec::new();
        let mut from = from_ms;
        for count in 1.. {
            if from >= to_ms {
                break;
            }
            if stretches.len() as u64 >= limits::AGGREGATE_STRETCHES.value {
                let (most, unit) = (
                    limits::AGGREGATE_STRETCHES.value,
                    limits::AGGREGATE_STRETCHES.unit,
                );
                return Err(ApiError::new(
                    400,
                    "bad.request",
                    format!("granularity makes more than {most} {unit}"),
                )
                .field("granularity"));
            }
            let end = step
                .checked_mul(count)
                .ok()
                .and_then(|span| start.checked_add(span).ok());
            let to = end
                .map_or(to_ms, |end| end.timestamp().as_millisecond())
                .clamp(from + 1, to_ms);
            stretches.push((from, to));
            from = to;
        }
        Ok(stretches)
    }

    /// The group of one seat.
    fn group_of(&self, held: &Conversation, division: Uuid, facts: &SegmentFacts) -> Group {
        let named = self
            .group_by
            .iter()
            .filter_map(|name| Some((name.clone(), value_of(name, held, division, facts)?)));
        named
            .chain([("mediaType".to_owned(), MEDIA_TYPE.to_owned())])
            .collect()
    }
}

/// What can be grouped by.
const GROUPS: [&str; 12] = [
    "ani",
    "conversationId",
    "direction",
    "divisionId",
    "dnis",
    "externalTag",
    "mediaType",
    "originatingDirection",
    "purpose",
    "queueId",
    "userId",
    "wrapUpCode",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(granularity: &str, zone: Option<&str>, interval: &str) -> Result<Vec<String>, String> {
        let body = json!({"interval": interval, "granularity": granularity, "timeZone": zone, "metrics": ["nConversations"]});
        let asked: Asked = serde_json::from_value(body).expect("a query");
        let (from, to) = times::parse_interval(interval).expect("an interval");
        let cut = asked
            .stretches((from, to))
            .map_err(|error| error.status.to_string())?;
        Ok(cut
            .into_iter()
            .map(|(from, _)| times::text(from)[..16].to_owned())
            .collect())
    }

    #[test]
    fn an_interval_is_cut_into_days_of_a_zone_and_months_of_the_calendar() {
        let days = cut("P1D", None, "2023-10-27T00:00:00Z/2023-10-29T12:00:00Z");
        assert_eq!(
            days,
            Ok(vec![
                "2023-10-27T00:00".to_owned(),
                "2023-10-28T00:00".to_owned(),
                "2023-10-29T00:00".to_owned()
            ])
        );
        // The clocks of London go back on the 29th: that day has 25 hours.
        let london = cut(
            "P1D",
            Some("Europe/London"),
            "2023-10-28T23:00:00Z/2023-10-31T00:00:00Z",
        );
        assert_eq!(
            london,
            Ok(vec![
                "2023-10-28T23:00".to_owned(),
                "2023-10-30T00:00".to_owned()
            ])
        );
        let months = cut("P1M", None, "2024-01-31T00:00:00Z/2024-04-01T00:00:00Z");
        assert_eq!(
            months,
            Ok(vec![
                "2024-01-31T00:00".to_owned(),
                "2024-02-29T00:00".to_owned(),
                "2024-03-31T00:00".to_owned()
            ])
        );
    }

    #[test]
    fn a_granularity_that_is_none_or_too_fine_is_refused() {
        for granularity in ["1 day", "P0D", "-P1D", "PT1S", "day"] {
            assert_eq!(
                cut(
                    granularity,
                    None,
                    "2023-01-01T00:00:00Z/2024-01-01T00:00:00Z"
                ),
                Err("400".to_owned()),
                "{granularity}"
            );
        }
        assert_eq!(
            cut(
                "P1D",
                Some("Mars/Olympus"),
                "2023-01-01T00:00:00Z/2024-01-01T00:00:00Z"
            ),
            Err("400".to_owned())
        );
    }
}
