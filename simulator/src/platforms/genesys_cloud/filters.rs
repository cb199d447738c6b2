//! Analytics filters: what is asked for, read strictly; a filter not known here is refused, never
//! ignored.

use serde::Deserialize;
use uuid::Uuid;

use super::{conversation::Conversation, errors::ApiError};

/// One group of predicates, and of groups of them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    predicates: Vec<Predicate>,
    #[serde(default)]
    clauses: Vec<Filter>,
}

/// One condition.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Predicate {
    #[serde(rename = "type")]
    kind: Option<String>,
    dimension: Option<String>,
    operator: Option<String>,
    value: Option<String>,
}

/// What a filter is about.
#[derive(Clone, Copy)]
pub(super) enum Level {
    /// Conversations: `conversationFilters`.
    Conversation,
    /// Their segments: `segmentFilters`.
    Segment,
    /// Both, of one participant: the filter of an aggregation.
    Row,
}

/// Every group must hold.
#[derive(Clone)]
pub(super) struct Filters(Vec<Group>);

#[derive(Clone)]
struct Group {
    is_any: bool,
    conditions: Vec<Condition>,
    clauses: Vec<Group>,
}

#[derive(Clone)]
struct Condition {
    dimension: &'static Dimension,
    operator: Operator,
}

/// Something that can be filtered by.
struct Dimension {
    name: &'static str,
    of: Of,
    /// Whether its values are ids, which are the same in any case of letters.
    is_id: bool,
}

/// Where a dimension is read.
enum Of {
    Conversation(fn(&Conversation, Uuid) -> Option<String>),
    Segment(fn(&SegmentFacts) -> Option<String>),
}

/// What a segment can be filtered by.
#[derive(Clone, Default)]
pub(super) struct SegmentFacts {
    pub(super) queue: Option<Uuid>,
    pub(super) user: Option<Uuid>,
    pub(super) wrap_up: Option<Uuid>,
    pub(super) purpose: &'static str,
    pub(super) direction: &'static str,
    pub(super) kind: &'static str,
    /// As analytics writes them.
    pub(super) ani: Option<String>,
    pub(super) dnis: Option<String>,
}

static DIMENSIONS: &[Dimension] = &[
    Dimension {
        name: "conversationId",
        of: Of::Conversation(|held, _| Some(held.id.to_string())),
        is_id: true,
    },
    Dimension {
        name: "externalTag",
        of: Of::Conversation(|held, _| held.external_tag.clone()),
        is_id: false,
    },
    Dimension {
        name: "originatingDirection",
        of: Of::Conversation(|held, _| Some(held.direction.as_str().to_owned())),
        is_id: false,
    },
    Dimension {
        name: "divisionId",
        of: Of::Conversation(|_, division| Some(division.to_string())),
        is_id: true,
    },
    Dimension {
        name: "queueId",
        of: Of::Segment(|facts| facts.queue.map(|id| id.to_string())),
        is_id: true,
    },
    Dimension {
        name: "userId",
        of: Of::Segment(|facts| facts.user.map(|id| id.to_string())),
        is_id: true,
    },
    Dimension {
        name: "wrapUpCode",
        of: Of::Segment(|facts| facts.wrap_up.map(|id| id.to_string())),
        is_id: true,
    },
    Dimension {
        name: "mediaType",
        of: Of::Segment(|_| Some(MEDIA_TYPE.to_owned())),
        is_id: false,
    },
    Dimension {
        name: "purpose",
        of: Of::Segment(|facts| Some(facts.purpose.to_owned())),
        is_id: false,
    },
    Dimension {
        name: "direction",
        of: Of::Segment(|facts| Some(facts.direction.to_owned())),
        is_id: false,
    },
    Dimension {
        name: "segmentType",
        of: Of::Segment(|facts| Some(facts.kind.to_owned())),
        is_id: false,
    },
    Dimension {
        name: "ani",
        of: Of::Segment(|facts| facts.ani.clone()),
        is_id: false,
    },
    Dimension {
        name: "dnis",
        of: Of::Segment(|facts| facts.dnis.clone()),
        is_id: false,
    },
];

/// What a dimension is for one participant; absent where it is nothing, or there is no such
/// dimension.
pub(super) fn value_of(
    name: &str,
    held: &Conversation,
    division: Uuid,
    facts: &SegmentFacts,
) -> Option<String> {
    let dimension = DIMENSIONS.iter().find(|dimension| dimension.name == name)?;
    match dimension.of {
        Of::Conversation(read) => read(held, division),
        Of::Segment(read) => read(facts),
    }
}

/// The media type of every conversation here.
pub(super) const MEDIA_TYPE: &str = "voice";

#[derive(Clone)]
enum Operator {
    Matches(String),
    Exists,
    NotExists,
}

impl Filters {
    /// The filters of a query; `field` is what the body calls them.
    pub(super) fn read(field: &str, level: Level, sent: &[Filter]) -> Result<Filters, ApiError> {
        sent.iter()
            .map(|filter| group(field, level, filter))
            .collect::<Result<Vec<_>, _>>()
            .map(Filters)
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a conversation, which stands in `division`, is wanted by filters of its own level.
    pub(super) fn hold(&self, held: &Conversation, division: Uuid) -> bool {
        self.0
            .iter()
            .all(|group| group.holds(held, division, &SegmentFacts::default()))
    }

    /// Whether what is known of one participant meets every filter.
    pub(super) fn hold_in_row(
        &self,
        held: &Conversation,
        division: Uuid,
        facts: &SegmentFacts,
    ) -> bool {
        self.0
            .iter()
            .all(|group| group.holds(held, division, facts))
    }

    /// Whether each filter is met by some segment.
    pub(super) fn hold_in_segments(
        &self,
        held: &Conversation,
        division: Uuid,
        segments: &[SegmentFacts],
    ) -> bool {
        self.0.iter().all(|group| {
            segments
                .iter()
                .any(|segment| group.holds(held, division, segment))
        })
    }
}

impl Group {
    fn holds(&self, held: &Conversation, division: Uuid, segment: &SegmentFacts) -> bool {
        let conditions = self
            .conditions
            .iter()
            .map(|condition| condition.holds(held, division, segment));
        let mut all = conditions.chain(
            self.clauses
                .iter()
                .map(|clause| clause.holds(held, division, segment)),
        );
        if self.is_any {
            all.any(|holds| holds)
        } else {
            all.all(|holds| holds)
        }
    }
}

impl Condition {
    fn holds(&self, held: &Conversation, division: Uuid, segment: &SegmentFacts) -> bool {
        let actual = match self.dimension.of {
            Of::Conversation(read) => read(held, division),
            Of::Segment(read) => read(segment),
        };
        match &self.operator {
            Operator::Matches(wanted) if self.dimension.is_id => {
                actual.is_some_and(|actual| actual.eq_ignore_ascii_case(wanted))
            }
            Operator::Matches(wanted) => actual.as_deref() == Some(wanted.as_str()),
            Operator::Exists => actual.is_some(),
            Operator::NotExists => actual.is_none(),
        }
    }
}

fn group(field: &str, level: Level, filter: &Filter) -> Result<Group, ApiError> {
    let is_any = match filter.kind.as_str() {
        "and" => false,
        "or" => true,
        other => return Err(unsupported(&format!("{field}.type"), other)),
    };
    let conditions = filter
        .predicates
        .iter()
        .map(|one| condition(field, level, one))
        .collect::<Result<_, _>>()?;
    let clauses = filter
        .clauses
        .iter()
        .map(|clause| match clause.clauses.as_slice() {
            [] => group(&format!("{field}.clauses"), level, clause),
            _ => Err(unsupported(&format!("{field}.clauses.clauses"), "clauses")),
        });
    Ok(Group {
        is_any,
        conditions,
        clauses: clauses.collect::<Result<_, _>>()?,
    })
}

fn condition(field: &str, level: Level, sent: &Predicate) -> Result<Condition, ApiError> {
    let kind = sent.kind.as_deref().unwrap_or("dimension");
    if kind != "dimension" {
        return Err(unsupported(&format!("{field}.predicates.type"), kind));
    }
    let asked = sent.dimension.as_deref().unwrap_or_default();
    let is_here = |dimension: &&Dimension| {
        dimension.name == asked
            && match (&dimension.of, level) {
                (Of::Conversation(_), Level::Conversation)
                | (Of::Segment(_), Level::Segment)
                | (_, Level::Row) => true,
                (Of::Conversation(_), Level::Segment) | (Of::Segment(_), Level::Conversation) => {
                    false
                }
            }
    };
    let dimension = DIMENSIONS
        .iter()
        .find(is_here)
        .ok_or_else(|| unsupported(&format!("{field}.predicates.dimension"), asked))?;
    let operator = match (sent.operator.as_deref().unwrap_or("matches"), &sent.value) {
        ("matches", Some(value)) => Operator::Matches(value.clone()),
        ("exists", _) => Operator::Exists,
        ("notExists", _) => Operator::NotExists,
        (other, _) => return Err(unsupported(&format!("{field}.predicates.operator"), other)),
    };
    Ok(Condition {
        dimension,
        operator,
    })
}

/// 400 of a filter that this simulator does not have.
pub(super) fn unsupported(field: &str, what: &str) -> ApiError {
    ApiError::new(
        400,
        "bad.request",
        format!("unsupported filter: [{what}] in {field}"),
    )
    .field(field)
}
