//! Agents by the mapping valid at the call's date; never by phone number or extension.

use super::rules::{AgentRow, padless};
use super::{Rules, time};
use crate::moment::Moment;
use crate::source::SourceInteraction;
use crate::stop::Stop;

/// A leg with an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentLeg {
    /// Agent as the source names it.
    pub(crate) legacy_agent: String,
    /// User that must stand in the target, as the target names users.
    pub(crate) user: String,
    /// Interaction Recording: the user's login. Absent: none.
    pub(crate) login: Option<String>,
    /// The plan's stand-in, because no mapping holds.
    pub(crate) fallback: bool,
    /// Start and end of the leg; the call's where the source gives none. Absent: not known.
    pub(crate) span: Option<super::Span>,
    /// Recordings made on it: a surface that links a recording to a leg carries the recording's times as the leg's.
    pub(crate) recorded: Vec<super::Span>,
    /// A recording may have been made on it of which the source does not tell the times.
    pub(crate) unread: bool,
}

/// Who an agent is at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolved<'a> {
    Mapped(&'a AgentRow),
    Fallback(&'a AgentRow),
    Unmapped,
}

/// The agent of a recording, for a target that names one with each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordedAgent {
    /// Agent as the source names it.
    pub(crate) legacy_agent: String,
    /// Who that is in the target.
    pub(crate) user: String,
    /// Login. Absent: none.
    pub(crate) login: Option<String>,
    /// Access group. Absent: none.
    pub(crate) access_group: Option<String>,
}

impl Rules {
    /// Refuses a mapping that does not say who an agent is in the target, naming the row.
    pub(crate) fn check_agents(&self, interactions: &[SourceInteraction]) -> Result<(), Stop> {
        if self.gir.is_none() {
            return Ok(());
        }
        for interaction in interactions {
            let entity = &interaction.entity;
            let Some(call) = time::span(&entity.start_time, &entity.end_time, entity.recorder_node.as_deref(), self) else { continue };
            for agent in entity.agent_id.iter().chain(entity.segments.iter().filter_map(|segment| segment.agent_id.as_ref())) {
                match resolve(agent, call.span.start, self) {
                    Resolved::Mapped(row) if !is_whole(row) => {
                        return Err(Stop::Plan(format!(
                            "mapping.agents line {}: agent {agent} has no gir_username or no gir_login; Interaction Recording needs both",
                            row.line
                        )));
                    }
                    Resolved::Fallback(row) if !is_whole(row) => {
                        return Err(Stop::Plan(
                            "rules.unmapped_agent: no row of mapping.agents has that genesys_user_id with gir_username and gir_login; \
                             add one with legacy_agent_id `*`"
                                .to_owned(),
                        ));
                    }
                    Resolved::Mapped(_) | Resolved::Fallback(_) | Resolved::Unmapped => {}
                }
            }
        }
        Ok(())
    }
}

fn is_whole(row: &AgentRow) -> bool {
    !row.user.is_empty() && row.login.is_some()
}

pub(super) fn resolve<'a>(agent: &str, at: Moment, rules: &'a Rules) -> Resolved<'a> {
    let rows = rules.agents.get(padless(agent)).map(Vec::as_slice).unwrap_or_default();
    let holds = |from: Option<Moment>, to: Option<Moment>| from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
    match (rows.iter().find(|row| holds(row.from, row.to)), &rules.fallback_agent) {
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

    fn at(text: &str) -> Moment {
        Moment::parse(text).expect("an instant")
    }

    #[test]
    fn a_reused_agent_id_is_who_it_was_at_the_call() {
        let row = |user: &str, from, to| AgentRow { user: user.to_owned(), from, to, ..AgentRow::default() };
        let change = Some(at("2022-01-01T00:00:00Z"));
        let mut rules = rules();
        rules.fallback_agent = None;
        let end = Some(at("2023-01-01T00:00:00Z"));
        rules.agents.insert("AGT-1".into(), vec![row("old", None, change), row("new", change, end)]);
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
        assert!(matches!(resolve("AGT-2", at("2022-01-01T00:00:00Z"), &rules), Resolved::Fallback(row) if row.user == "stand-in"));
    }

    #[test]
    fn a_mapping_that_does_not_name_a_user_is_refused_with_its_line() {
        let call = [crate::expected::testing::interaction()];
        assert!(rules().check_agents(&call).is_ok(), "another target needs no user name");
        let mut gir = crate::expected::testing::gir_rules();
        assert!(gir.check_agents(&call).is_ok());
        gir.agents.get_mut("AGT-992").expect("the test agent")[0].login = None;
        assert!(gir.check_agents(&call).is_err_and(|stop| stop.to_string().contains("line 2")));
        let mut alone = crate::expected::testing::gir_rules();
        alone.fallback_agent = Some(AgentRow::default());
        assert!(alone.check_agents(&call).is_err_and(|stop| stop.to_string().contains("`*`")));
    }
}
