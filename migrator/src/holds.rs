//! Legal holds against what the organisation protects at most, so that nothing under hold stands
//! unprotected. They are counted in `engine::holds`. Source: docs/reference/plan.md, `[retention]`.

use std::collections::HashSet;
use std::sync::OnceLock;

use plan::{LoadedPlan, Reason};

use crate::canonical::Canonical;
use crate::error::Aside;

/// Calls under legal hold, and how many can be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Holds {
    /// Calls of the plan's window with a recording under hold, but for those that are agreed to stay
    /// behind with all of their recordings.
    pub calls: u64,
    /// Conversations that the organisation protects at most.
    pub most: u64,
    /// Of these taken by conversations of others, as the plan says.
    pub taken: u64,
    /// Calls for which no protection is left.
    pub beyond: u64,
}

impl Holds {
    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Holds {
            calls,
            most,
            taken,
            beyond,
        } = self;
        let noun = if *calls == 1 { "call" } else { "calls" };
        let beyond = if *beyond > 0 {
            format!(": {beyond} too many")
        } else {
            String::new()
        };
        format!(
            "{calls} {noun} under legal hold; the organisation protects at most {most} \
             conversations, and {taken} of them are taken{beyond}"
        )
    }

    /// So many calls under hold, for so many conversations of which so many are taken.
    pub(crate) fn of(calls: u64, most: u64, taken: u64) -> Holds {
        Holds {
            calls,
            most,
            taken,
            beyond: calls.saturating_sub(most.saturating_sub(taken)),
        }
    }
}

/// Which calls under hold may be sent. Empty: they were not counted, because there are no more
/// calls than can be protected.
#[derive(Default)]
pub(crate) struct HoldGate(OnceLock<Counted>);

struct Counted {
    holds: Holds,
    /// Calls that are protected, by their ids in the source; those behind them stay behind.
    /// Absent: all of them go.
    admitted: Option<HashSet<String>>,
}

impl HoldGate {
    /// Notes what was counted. `admitted`: calls that are protected, by their ids in the source;
    /// absent: all of them go. Whoever counted first is right as well.
    pub(crate) fn settle(&self, holds: Holds, admitted: Option<HashSet<String>>) {
        let _ = self.0.set(Counted { holds, admitted });
    }

    /// What was counted. Absent: nothing was.
    pub(crate) fn told(&self) -> Option<Holds> {
        self.0.get().map(|counted| counted.holds)
    }

    /// Why a call stays behind: no protection is left for it.
    pub(crate) fn keeps_back(&self, record: &Canonical) -> Option<Aside> {
        let Counted { holds, admitted } = self.0.get()?;
        let is_behind =
            record.is_held() && !admitted.as_ref()?.contains(&record.legacy_interaction_id);
        is_behind.then(|| {
            Aside::new(
                Reason::HoldOverMax,
                format!(
                    "it is under legal hold, and the organisation protects at most {} \
                     conversations: {} are taken, and earlier calls have the others",
                    holds.most, holds.taken
                ),
            )
        })
    }
}

/// How many conversations the organisation protects, and how many of them are taken. `most`: what the platform protects
/// where the plan does not say.
pub(crate) fn room(plan: &LoadedPlan, most: u64) -> (u64, u64) {
    let retention = &plan.plan.retention;
    (
        retention.max_holds.map_or(most, u64::from),
        u64::from(retention.holds_taken),
    )
}

/// What preflight says where the calls it has seen could be too many. Absent: they are not.
pub(crate) fn outlook(plan: &LoadedPlan, most: Option<u64>, calls: u64) -> Option<String> {
    let (most, taken) = room(plan, most?);
    let left = most.saturating_sub(taken);
    (calls > left).then(|| {
        format!(
            "legal holds: the organisation protects at most {most} conversations, and {taken} of \
             them are taken; the source has more than {left} calls, so migrate counts those under \
             hold before it writes"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_is_what_the_others_leave_no_room_for() {
        for (held, most, taken, beyond) in [
            (1000, 1000, 0, 0),
            (1001, 1000, 0, 1),
            (1000, 1000, 10, 10),
            (3, 1000, 2000, 3),
            (0, 0, 0, 0),
        ] {
            let holds = Holds::of(held, most, taken);
            assert_eq!(holds.beyond, beyond, "{held} of {most}, {taken} taken");
            assert_eq!(holds.sentence().contains("too many"), beyond > 0);
        }
    }
}
