//! Which calls this client can see at all: an organisation's divisions, and what its role covers of them.
//!
//! A listing leaves out what stands in other divisions without a word, so an absent call may be a hidden one. No read tells which divisions a
//! role covers; but the queues it lists are those of its divisions. Source: platform API, GET routing/queues; that a call stands in the division of
//! its queue, and one without a queue in the home division, is assumed.

use std::collections::HashSet;

use platforms::genesys_cloud::wire::Named;

use crate::expected::Expectation;

/// What this client's role covers.
#[derive(Debug, Default)]
pub(crate) enum Coverage {
    /// There is one division.
    #[default]
    All,
    /// Of several divisions.
    Of(Covered),
    /// It could not be read, and what would be needed.
    Unknown(String),
}

/// What can be seen of several divisions.
#[derive(Debug)]
pub(crate) struct Covered {
    /// Ids of the queues that are listed.
    queues: HashSet<String>,
    /// Whether something of the home division is listed.
    home: bool,
    /// Divisions of which nothing is listed, and all of them.
    dark: (usize, usize),
}

impl Coverage {
    pub(crate) fn new(divisions: &[Named], queues: &[Named]) -> Coverage {
        if divisions.len() <= 1 {
            return Coverage::All;
        }
        let seen: HashSet<&str> = queues.iter().filter_map(|queue| Some(queue.division.as_ref()?.id.as_str())).collect();
        let home = divisions.iter().find(|division| division.home_division == Some(true));
        let dark = divisions.iter().filter(|division| !seen.contains(division.id.as_str())).count();
        Coverage::Of(Covered {
            queues: queues.iter().map(|queue| queue.id.to_lowercase()).collect(),
            home: home.is_some_and(|home| seen.contains(home.id.as_str())),
            dark: (dark, divisions.len()),
        })
    }

    /// Why a call that is not shown may be there all the same; `None`: it would be shown.
    pub(crate) fn hides(&self, expected: &Expectation) -> Option<String> {
        match (self, expected.queue) {
            (Coverage::All, _) => None,
            (Coverage::Unknown(need), _) => Some(need.clone()),
            (Coverage::Of(covered), Some(queue)) if !covered.queues.contains(&queue.to_string()) => {
                Some(format!("a role that covers the division of queue {queue}"))
            }
            (Coverage::Of(covered), None) if !covered.home => Some("a role that covers the home division".to_owned()),
            (Coverage::Of(_), _) => None,
        }
    }

    /// What a reader must know even when nothing is absent: surplus records may hide as well as missing ones.
    pub(crate) fn notice(&self) -> Option<String> {
        match self {
            Coverage::Of(Covered { dark: (dark @ 1.., all), .. }) => {
                Some(format!("a role that covers {dark} more of {all} divisions, to see surplus records there"))
            }
            Coverage::All | Coverage::Of(_) | Coverage::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::wanted;

    fn named(id: &str, division: Option<&str>, home: bool) -> Named {
        let division = division.map(|id| serde_json::json!({"id": id}));
        serde_json::from_value(serde_json::json!({"id": id, "name": "", "division": division, "homeDivision": home})).expect("a name")
    }

    #[test]
    fn an_absent_call_is_hidden_only_where_its_division_is() {
        let (mut queued, mut plain) = (wanted(), wanted());
        plain.queue = None;
        let queue = queued.queue.expect("a queue").to_string();
        let divisions = [named("h", None, true), named("s", None, false)];
        let rows = [
            (&divisions[..1], vec![], [false, false], false),
            (&divisions[..], vec![named(&queue, Some("s"), false)], [false, true], true),
            (&divisions[..], vec![named("another", Some("h"), false)], [true, false], true),
            (&divisions[..], vec![named(&queue, Some("s"), false), named("another", Some("h"), false)], [false, false], false),
        ];
        for (divisions, queues, hidden, dark) in rows {
            let coverage = Coverage::new(divisions, &queues);
            assert_eq!([&queued, &plain].map(|call| coverage.hides(call).is_some()), hidden, "{coverage:?}");
            assert_eq!(coverage.notice().is_some(), dark, "{coverage:?}");
        }
        queued.queue = None;
        assert!(Coverage::Unknown("a permission".to_owned()).hides(&queued).is_some());
    }
}
