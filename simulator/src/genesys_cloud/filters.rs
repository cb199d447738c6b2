//! Analytics filters: what is asked for, read strictly; a filter not known here is refused, never ignored.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{errors::ApiError, state::Conversation};

/// One group of predicates.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    predicates: Vec<Predicate>,
    #[serde(default)]
    clauses: Vec<Value>,
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

/// Every group must hold.
#[derive(Clone)]
pub(super) struct Filters(Vec<Group>);

#[derive(Clone)]
struct Group {
    is_any: bool,
    conditions: Vec<Condition>,
}

#[derive(Clone)]
struct Condition {
    dimension: Dimension,
    operator: Operator,
}

#[derive(Clone)]
enum Dimension {
    ConversationId,
    ExternalTag,
    OriginatingDirection,
    DivisionId,
}

#[derive(Clone)]
enum Operator {
    Matches(String),
    Exists,
    NotExists,
}

impl Filters {
    /// The filters of a query.
    pub(super) fn read(sent: &[Filter]) -> Result<Filters, ApiError> {
        sent.iter().map(group).collect::<Result<Vec<_>, _>>().map(Filters)
    }

    /// Whether a conversation, which stands in `division`, is wanted.
    pub(super) fn hold(&self, held: &Conversation, division: Uuid) -> bool {
        self.0.iter().all(|group| {
            let mut conditions = group.conditions.iter().map(|condition| condition.holds(held, division));
            if group.is_any { conditions.any(|holds| holds) } else { conditions.all(|holds| holds) }
        })
    }
}

impl Condition {
    fn holds(&self, held: &Conversation, division: Uuid) -> bool {
        let actual = match &self.dimension {
            Dimension::ConversationId => Some(held.id.to_string()),
            Dimension::ExternalTag => held.external_tag.clone(),
            Dimension::OriginatingDirection => Some(held.direction.as_str().to_owned()),
            Dimension::DivisionId => Some(division.to_string()),
        };
        match &self.operator {
            Operator::Matches(wanted) => actual.as_deref() == Some(wanted.as_str()),
            Operator::Exists => actual.is_some(),
            Operator::NotExists => actual.is_none(),
        }
    }
}

fn group(filter: &Filter) -> Result<Group, ApiError> {
    let is_any = match filter.kind.as_str() {
        "and" => false,
        "or" => true,
        other => return Err(unsupported("conversationFilters.type", other)),
    };
    if !filter.clauses.is_empty() {
        return Err(unsupported("conversationFilters.clauses", "clauses"));
    }
    let conditions = filter.predicates.iter().map(condition).collect::<Result<_, _>>()?;
    Ok(Group { is_any, conditions })
}

fn condition(sent: &Predicate) -> Result<Condition, ApiError> {
    let kind = sent.kind.as_deref().unwrap_or("dimension");
    if kind != "dimension" {
        return Err(unsupported("conversationFilters.predicates.type", kind));
    }
    let dimension = match sent.dimension.as_deref().unwrap_or_default() {
        "conversationId" => Dimension::ConversationId,
        "externalTag" => Dimension::ExternalTag,
        "originatingDirection" => Dimension::OriginatingDirection,
        "divisionId" => Dimension::DivisionId,
        other => return Err(unsupported("conversationFilters.predicates.dimension", other)),
    };
    let operator = match (sent.operator.as_deref().unwrap_or("matches"), &sent.value) {
        ("matches", Some(value)) => Operator::Matches(value.clone()),
        ("exists", _) => Operator::Exists,
        ("notExists", _) => Operator::NotExists,
        (other, _) => return Err(unsupported("conversationFilters.predicates.operator", other)),
    };
    Ok(Condition { dimension, operator })
}

/// 400 of a filter that this simulator does not have.
pub(super) fn unsupported(field: &str, what: &str) -> ApiError {
    ApiError::new(400, "bad.request", format!("unsupported filter: [{what}] in {field}")).field(field)
}
