//! Agents by the mapping valid at the call's date; never by phone number or extension.

use uuid::Uuid;

use super::Rules;
use crate::moment::Moment;

/// A leg with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentLeg {
    /// Agent as the source names it.
    pub(crate) legacy_agent: String,
    /// User that must stand in the target.
    pub(crate) user: Uuid,
    /// The plan's stand-in, because no mapping holds.
    pub(crate) fallback: bool,
    /// Start and end of the leg. Absent: the source gives no segment for it.
    pub(crate) span: Option<super::Span>,
    /// Recordings made on it: a surface that links a recording to a leg carries the recording's times as the leg's.
    pub(crate) recorded: Vec<super::Span>,
}

/// Who an agent is at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved {
    Mapped(Uuid),
    Fallback(Uuid),
    Unmapped,
}

pub(super) fn resolve(agent: &str, at: Moment, rules: &Rules) -> Resolved {
    let rows = rules.agents.get(agent).map(Vec::as_slice).unwrap_or_default();
    let holds = |from: Option<Moment>, to: Option<Moment>| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
    match (rows.iter().find(|row| holds(row.from, row.to)), rules.fallback_agent) {
        (Some(row), _) => Resolved::Mapped(row.user),
        (None, Some(user)) => Resolved::Fallback(user),
        (None, None) => Resolved::Unmapped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::rules::AgentRow;
    use crate::expected::testing::rules;

    fn at(text: &str) -> Moment {
        Moment::parse(text).expect("an instant")
    }

    #[test]
    fn a_reused_agent_id_is_who_it_was_at_the_call() {
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let change = Some(at("2022-01-01T00:00:00Z"));
        let mut rules = rules();
        rules.fallback_agent = None;
        rules.agents.insert(
            "AGT-1".into(),
            vec![
                AgentRow { user: old, from: None, to: change },
                AgentRow { user: new, from: change, to: Some(at("2023-01-01T00:00:00Z")) },
            ],
        );
        let rows = [
            ("2021-12-31T23:59:59.999Z", Resolved::Mapped(old)),
            ("2022-01-01T00:00:00Z", Resolved::Mapped(new)),
            ("2022-12-31T23:59:59.999Z", Resolved::Mapped(new)),
            ("2023-01-01T00:00:00Z", Resolved::Unmapped),
        ];
        for (when, wanted) in rows {
            assert_eq!(resolve("AGT-1", at(when), &rules), wanted, "{when}");
        }
        rules.fallback_agent = Some(Uuid::from_u128(9));
        assert_eq!(resolve("AGT-2", at("2022-01-01T00:00:00Z"), &rules), Resolved::Fallback(Uuid::from_u128(9)));
    }
}
