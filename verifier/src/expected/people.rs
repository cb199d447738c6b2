//! Agents by the mapping valid at the call's date; never by phone number or extension.

use super::Rules;
use super::rules::{AgentRow, padless};
use crate::source::{SourceInteraction, SourceRecording};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// A leg with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentLeg {
    /// Agent as the source names it.
    pub(crate) legacy_agent: Text,
    /// User that must stand in the target, as the target names users.
    pub(crate) user: Text,
    /// Interaction Recording: the user's login. Absent: none.
    pub(crate) login: Option<Text>,
    /// The plan's stand-in, because no mapping holds.
    pub(crate) fallback: bool,
    /// Start and end of the leg; the call's where the source gives none. Absent: not known.
    pub(crate) span: Option<super::Span>,
    /// Recordings made on it: a surface that links a recording to a leg carries the recording's
    /// times as the leg's.
    pub(crate) recorded: Vec<super::Span>,
    /// A recording may have been made on it of which the source does not tell the times.
    pub(crate) unread: bool,
}

/// Who an agent is at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved<'a> {
    Mapped(&'a AgentRow),
    Fallback(&'a AgentRow),
    Unmapped,
}

/// The agent of a recording, for a target that names one with each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordedAgent {
    /// Agent as the source names it.
    pub(crate) legacy_agent: Text,
    /// Who that is in the target.
    pub(crate) user: Text,
    /// Login. Absent: none.
    pub(crate) login: Option<Text>,
    /// Access group. Absent: none.
    pub(crate) access_group: Option<Text>,
}

/// Whose recording it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Nobody's: its leg has no agent.
    Nobody,
    /// This agent's.
    Agent(RecordedAgent),
    /// The source does not say on which leg it was made.
    Unsaid,
}

/// The agent of a recording: of its leg; of the call, where it has no legs.
pub(super) fn recorded(
    source: &SourceInteraction,
    recording: &SourceRecording,
    at: UtcMillis,
    rules: &Rules,
) -> Recorded {
    let listed = &source.listed;
    let Ok(details) = &recording.details else {
        return Recorded::Unsaid;
    };
    let agent = if listed.segments.is_empty() {
        listed.agent_id.as_ref()
    } else {
        match listed
            .segments
            .iter()
            .find(|segment| details.segment_id.as_deref() == Some(segment.id.as_str()))
        {
            Some(segment) => segment.agent_id.as_ref(),
            None => return Recorded::Unsaid,
        }
    };
    let Some(agent) = agent else {
        return Recorded::Nobody;
    };
    match resolve(agent, at, rules) {
        Resolved::Mapped(row) | Resolved::Fallback(row) => Recorded::Agent(RecordedAgent {
            legacy_agent: agent.clone(),
            user: row.user.clone(),
            login: row.login.clone(),
            access_group: row.access_group.clone(),
        }),
        Resolved::Unmapped => Recorded::Unsaid,
    }
}

pub(crate) fn resolve<'a>(agent: &str, at: UtcMillis, rules: &'a Rules) -> Resolved<'a> {
    let rows = rules
        .agents
        .get(padless(agent))
        .map(Vec::as_slice)
        .unwrap_or_default();
    let holds = |from: Option<UtcMillis>, to: Option<UtcMillis>| {
        from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
    };
    match (
        rows.iter().find(|row| holds(row.from, row.to)),
        &rules.fallback_agent,
    ) {
        (Some(row), _) => Resolved::Mapped(row),
        (None, Some(row)) => Resolved::Fallback(row),
        (None, None) => Resolved::Unmapped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::rules::AgentRow;
    use crate::expected::testing::rules;

    fn at(text: &str) -> UtcMillis {
        UtcMillis::parse(text).expect("an instant")
    }

    #[test]
    fn a_reused_agent_id_is_who_it_was_at_the_call() {
        let row = |user: &str, from, to| AgentRow {
            user: user.into(),
            from,
            to,
            ..AgentRow::default()
        };
        let change = Some(at("2022-01-01T00:00:00Z"));
        let mut rules = rules();
        rules.fallback_agent = None;
        let end = Some(at("2023-01-01T00:00:00Z"));
        rules.agents.insert(
            "AGT-1".into(),
            vec![row("old", None, change), row("new", change, end)],
        );
        let rows = [
            ("2021-12-31T23:59:59.999Z", Some("old")),
            ("2022-01-01T00:00:00Z", Some("new")),
            ("2022-12-31T23:59:59.999Z", Some("new")),
            ("2023-01-01T00:00:00Z", None),
        ];
        for (when, wanted) in rows {
            let user = match resolve("AGT-1", at(when), &rules) {
                Resolved::Mapped(row) => Some(row.user.as_str()),
                Resolved::Fallback(_) | Resolved::Unmapped => None,
            };
            assert_eq!(user, wanted, "{when}");
        }
        rules.fallback_agent = Some(row("stand-in", None, None));
        assert!(
            matches!(resolve("AGT-2", at("2022-01-01T00:00:00Z"), &rules), Resolved::Fallback(row) if row.user == "stand-in")
        );
    }
}
