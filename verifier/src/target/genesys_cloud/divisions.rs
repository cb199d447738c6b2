//! Which absent calls may only be hidden: in an organisation of several divisions every listing
//! leaves out, without a word, what a role does not cover.
//!
//! No read tells which divisions a role covers for a permission. What is seen tells some of it: a
//! call stands in the division of its queue, so where one call of a queue is shown, the others of
//! that queue would be; that, and that calls without a queue stand in one division, is assumed.

use std::collections::BTreeSet;

use crate::expected::Expectation;
use crate::observed::TargetConversation;

/// What this client's role covers, as far as can be known.
#[derive(Debug)]
pub(crate) enum Coverage {
    /// There is one division.
    All,
    /// There are so many.
    Several(usize),
    /// Not even that could be read; what would be needed.
    Unknown(String),
}

/// Of which queues calls are shown; `None` among them: of calls without one.
pub(crate) type Shown = BTreeSet<Option<String>>;

/// The queues of the calls that are shown.
pub(crate) fn shown(call: &TargetConversation) -> Shown {
    match call.queues.is_empty() {
        true => Shown::from([None]),
        false => call
            .queues
            .iter()
            .map(|queue| Some(queue.to_lowercase()))
            .collect(),
    }
}

impl Coverage {
    /// Why a call that is not shown may be there all the same; `None`: it would be shown.
    pub(crate) fn hides(&self, expected: &Expectation, shown: &Shown) -> Option<String> {
        let queue = expected.queue.map(|queue| queue.to_string());
        match self {
            Coverage::All => None,
            _ if shown.contains(&queue) => None,
            Coverage::Unknown(need) => Some(need.clone()),
            Coverage::Several(_) => Some(match queue {
                Some(queue) => format!("a role that covers the division of queue {queue}"),
                None => "a role that covers the home division".to_owned(),
            }),
        }
    }

    /// What a reader must know even when nothing is absent: surplus records may hide as well as
    /// missing ones.
    pub(crate) fn notice(&self) -> Option<String> {
        match self {
            Coverage::Several(count) => Some(format!(
                "a role that covers all {count} divisions, or surplus records in others are not \
                 seen"
            )),
            Coverage::All | Coverage::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};

    #[test]
    fn an_absent_call_is_hidden_only_where_no_call_of_its_queue_is_shown() {
        let (queued, mut plain) = (wanted(), wanted());
        plain.queue = None;
        let of_queue = shown(&conversation(&queued));
        let none = Shown::new();
        let rows = [
            (Coverage::All, &none, [false, false]),
            (Coverage::Several(2), &none, [true, true]),
            (Coverage::Several(2), &of_queue, [false, true]),
            (
                Coverage::Unknown("a permission".to_owned()),
                &of_queue,
                [false, true],
            ),
        ];
        for (coverage, shown, hidden) in rows {
            assert_eq!(
                [&queued, &plain].map(|call| coverage.hides(call, shown).is_some()),
                hidden,
                "{coverage:?} {shown:?}"
            );
        }
    }
}
