//! What a call must have in Interaction Recording alone: its partition, and how long it is kept.
//! Source: docs/reference/gir.md.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Gir;
use crate::expected::{
    AgentRow, Expectation, ExpectedRecording, Presence, Resolved, Rules, call_span, delete_at,
    padless, resolve,
};
use crate::platform_facts::PlatformFacts;
use crate::run_error::RunError;
use crate::source::{SourceInteraction, SourceRecording};
use crate::utc_millis::UtcMillis;

/// What a call must have there, beyond what any target has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GirExpectation {
    /// Partition of each recording. Absent: none.
    pub(crate) partition: Option<String>,
    /// How long it is kept; any of these is right, and the first is named. Empty: nothing of it is
    /// carried.
    pub(crate) keeps: Vec<Keep>,
}

/// How long a call is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Keep {
    /// Labels of its class; any one of these is right. Empty: no such label.
    pub(crate) labels: BTreeSet<String>,
    /// Until when.
    pub(crate) until: Until,
}

/// Until when a call is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Until {
    /// The class's date; a rule in days may be so many later.
    Date { at: UtcMillis, slack_days: i64 },
    /// Until somebody decides.
    Decided,
}

/// Adds what only Interaction Recording has.
pub(super) fn expect(
    site: &Gir,
    source: &SourceInteraction,
    rules: &Rules,
    wanted: &mut Expectation,
) {
    if wanted.unread.is_some() {
        return;
    }
    let partition = source
        .listed
        .queue_id
        .as_ref()
        .and_then(|queue| site.partitions.get(padless(queue)))
        .cloned();
    let carried =
        |recording: &ExpectedRecording| !matches!(recording.presence, Presence::Absent(_));
    let class_of = |recording: &SourceRecording| {
        recording.details.as_ref().ok().map(|details| {
            details
                .retention_class
                .as_deref()
                .map(|class| padless(class).to_owned())
        })
    };
    let classes = |all: bool| {
        let pairs = source
            .recordings
            .iter()
            .zip(&wanted.recordings)
            .filter(|(_, expected)| all || carried(expected));
        pairs
            .filter_map(|(recording, _)| class_of(recording))
            .collect::<Vec<Option<String>>>()
    };
    // Whether what stays behind has a say in how long the rest is kept is nowhere laid down: either
    // is right.
    let mut keeps: Vec<Keep> = [false, true]
        .into_iter()
        .filter_map(|all| keep(&classes(all), wanted.span?.end, rules))
        .collect();
    keeps.dedup();
    wanted.platform = PlatformFacts::of(GirExpectation { partition, keeps });
}

/// Refuses a mapping that does not say who an agent is in the target, naming the row.
pub(super) fn check_agents(interaction: &SourceInteraction, rules: &Rules) -> Result<(), RunError> {
    let listed = &interaction.listed;
    let Some(call) = call_span(interaction, rules) else {
        return Ok(());
    };
    for agent in listed.agent_id.iter().chain(
        listed
            .segments
            .iter()
            .filter_map(|segment| segment.agent_id.as_ref()),
    ) {
        match resolve(agent, call.start, rules) {
            Resolved::Mapped(row) if !is_whole(row) => {
                return Err(RunError::Plan(format!(
                    "mapping.agents line {}: agent {agent} has no gir_username or no \
                         gir_login; Interaction Recording needs both",
                    row.line
                )));
            }
            Resolved::Fallback(row) if !is_whole(row) => {
                return Err(RunError::Plan(
                    "rules.unmapped_agent: no row of mapping.agents has that genesys_user_id \
                         with gir_username and gir_login; add one with legacy_agent_id `*`"
                        .to_owned(),
                ));
            }
            Resolved::Mapped(_) | Resolved::Fallback(_) | Resolved::Unmapped => {}
        }
    }
    Ok(())
}

fn is_whole(row: &AgentRow) -> bool {
    !row.user.is_empty() && row.login.is_some()
}

/// The class that keeps longest: none and an unknown one outlive all others.
fn keep(classes: &[Option<String>], call_end: UtcMillis, rules: &Rules) -> Option<Keep> {
    if classes.is_empty() {
        return None;
    }
    let named: BTreeSet<&String> = classes.iter().flatten().collect();
    if classes.contains(&None) {
        return Some(Keep {
            labels: BTreeSet::new(),
            until: Until::Decided,
        });
    }
    let years = |class: &String| rules.class_years.get(class).copied();
    if let Some(unknown) = named.iter().find(|class| years(class).is_none()) {
        return Some(Keep {
            labels: BTreeSet::from([class_label(unknown)]),
            until: Until::Decided,
        });
    }
    let most = named.iter().filter_map(|class| years(class)).max()?;
    let longest: Vec<&&String> = named
        .iter()
        .filter(|class| years(class) == Some(most))
        .collect();
    let at = delete_at(Some(longest.first()?), call_end, rules)?;
    let labels = longest.iter().map(|class| class_label(class)).collect();
    // Calendar years are up to so many days longer than any number of days: the leap days, and one
    // for the hour of the day.
    Some(Keep {
        labels,
        until: Until::Date {
            at,
            slack_days: (most + 3) / 4 + 1,
        },
    })
}

/// `st-ret-<class>`, what is outside printable ASCII percent-encoded.
pub(super) fn class_label(class: &str) -> String {
    let byte = |byte: u8| {
        if (0x20..0x7f).contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    format!("st-ret-{}", class.bytes().map(byte).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{expected_at, gir_rules, site};
    use super::*;
    use crate::expected::Recorded;
    use crate::expected::testing::interaction;

    fn wanted(source: &SourceInteraction, rules: &Rules) -> Expectation {
        expected_at(&site(), source, rules)
    }

    #[test]
    fn a_recording_is_its_legs_agents() {
        let mut source = interaction();
        if let Ok(details) = &mut source.recordings[0].details {
            details.segment_id = Some("100001-s1".into());
        }
        let call = wanted(&source, &gir_rules());
        assert!(
            matches!(&call.recordings[0].agent, Recorded::Agent(agent) if agent.user == "ann" && agent.login.as_deref() == Some("7001"))
        );
        assert_eq!(
            call.recordings[1].agent,
            Recorded::Unsaid,
            "the source names no leg"
        );
        assert_eq!(
            call.platform
                .get::<GirExpectation>()
                .and_then(|wanted| wanted.partition.as_deref()),
            Some("/support")
        );
        source.listed.segments[0].agent_id = None;
        assert_eq!(
            wanted(&source, &gir_rules()).recordings[0].agent,
            Recorded::Nobody
        );
        source.listed.segments.clear();
        assert!(
            matches!(&wanted(&source, &gir_rules()).recordings[1].agent, Recorded::Agent(agent) if agent.user == "ann")
        );
    }

    #[test]
    fn a_call_without_recordings_is_not_carried() {
        let mut source = interaction();
        source.recordings.clear();
        assert_eq!(wanted(&source, &gir_rules()).presence, Presence::NotCarried);
        assert_eq!(
            wanted(&source, &crate::expected::testing::rules()).presence,
            Presence::Expected
        );
    }

    #[test]
    fn a_mapping_that_does_not_name_a_user_is_refused_with_its_line() {
        let call = interaction();
        let mut rules = gir_rules();
        assert!(check_agents(&call, &rules).is_ok());
        rules.agents.get_mut("AGT-992").expect("the test agent")[0].login = None;
        assert!(check_agents(&call, &rules).is_err_and(|stop| stop.to_string().contains("line 2")));
        let alone = Rules {
            fallback_agent: Some(AgentRow::default()),
            ..gir_rules()
        };
        assert!(check_agents(&call, &alone).is_err_and(|stop| stop.to_string().contains("`*`")));
    }

    #[test]
    fn the_class_that_keeps_longest_has_the_call() {
        let mut rules = gir_rules();
        rules.class_years.insert("10-Year Retention".into(), 10);
        rules.class_years.insert("Decade".into(), 10);
        let end = UtcMillis::parse("2023-10-27T10:05:00Z").expect("an instant");
        let some = |class: &str| Some(class.to_owned());
        let date = |text: &str, slack_days| Until::Date {
            at: UtcMillis::parse(text).expect("an instant"),
            slack_days,
        };
        let rows = [
            (
                vec![some("7-Year Retention")],
                vec!["st-ret-7-Year Retention"],
                date("2030-10-27T10:05:00Z", 3),
            ),
            (
                vec![some("7-Year Retention"), some("10-Year Retention")],
                vec!["st-ret-10-Year Retention"],
                date("2033-10-27T10:05:00Z", 4),
            ),
            (
                vec![some("10-Year Retention"), some("Decade")],
                vec!["st-ret-10-Year Retention", "st-ret-Decade"],
                date("2033-10-27T10:05:00Z", 4),
            ),
            (
                vec![some("7-Year Retention"), some("Z"), some("B")],
                vec!["st-ret-B"],
                Until::Decided,
            ),
            (
                vec![some("7-Year Retention"), None, some("B")],
                vec![],
                Until::Decided,
            ),
        ];
        for (classes, labels, until) in rows {
            let keep = keep(&classes, end, &rules).expect("classes");
            assert_eq!(
                (
                    keep.labels.iter().map(String::as_str).collect::<Vec<_>>(),
                    keep.until
                ),
                (labels, until),
                "{classes:?}"
            );
        }
        assert_eq!(keep(&[], end, &rules), None);
        assert_eq!(class_label("Für immer"), "st-ret-F%C3%BCr immer");
    }
}
