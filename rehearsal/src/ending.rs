//! How a command ends. Source: docs/reference/exit-codes.md; that page's table is checked against
//! this type.

use platforms::CallError;

/// An ending with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Done, or match, or every expectation held.
    Done,
    /// A defect of this program; panics are caught and end here.
    OurBug,
    /// A bad call, plan or scenario; a plan that does not fit the target; a ledger in use or of
    /// another plan.
    BadCall,
    /// Finished, with recordings quarantined or left.
    SetAside,
    /// Stopped before the end; the same command goes on.
    Stopped,
    /// The source is unreachable or refuses us.
    Source,
    /// The target is unreachable or refuses us.
    Target,
    /// Source and target differ.
    Mismatch,
    /// Nothing wrong was found, and not everything could be read.
    CannotTell,
    /// What was expected did not hold: a scenario's expectations, a forecast's deadline.
    Unexpected,
}

impl Ending {
    /// All of them, gravest first: with several scenarios the gravest wins.
    pub const BY_GRAVITY: [Ending; 10] = [
        Ending::OurBug,
        Ending::BadCall,
        Ending::Unexpected,
        Ending::Mismatch,
        Ending::CannotTell,
        Ending::Source,
        Ending::Target,
        Ending::Stopped,
        Ending::SetAside,
        Ending::Done,
    ];

    /// The process exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Ending::Done => 0,
            Ending::OurBug => 1,
            Ending::BadCall => 2,
            Ending::SetAside => 10,
            Ending::Stopped => 11,
            Ending::Source => 12,
            Ending::Target => 13,
            Ending::Mismatch => 20,
            Ending::CannotTell => 21,
            Ending::Unexpected => 30,
        }
    }

    /// What it means, as docs/reference/exit-codes.md says it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Ending::Done => "done; match; every expectation held",
            Ending::OurBug => "our bug; panics are caught and end here",
            Ending::BadCall => {
                "bad call, plan or scenario; a plan that does not fit the target; a ledger in use \
                 or of another plan"
            }
            Ending::SetAside => "finished, some recordings quarantined or left",
            Ending::Stopped => "stopped, can resume: interrupt, disk full, too many errors",
            Ending::Source => "the source is unreachable or refuses us",
            Ending::Target => "the target is unreachable or refuses us",
            Ending::Mismatch => "mismatch",
            Ending::CannotTell => "cannot tell",
            Ending::Unexpected => {
                "what was expected did not hold: a scenario's expectations, a forecast's \
                 `--deadline`"
            }
        }
    }

    /// The ending with this exit code; `None` for a code that is not one of ours.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Ending> {
        Ending::BY_GRAVITY
            .into_iter()
            .find(|ending| ending.code() == code)
    }

    /// The graver of two.
    #[must_use]
    pub fn or_graver(self, other: Ending) -> Ending {
        Ending::BY_GRAVITY
            .into_iter()
            .find(|ending| *ending == self || *ending == other)
            .unwrap_or(self)
    }
}

impl From<&migrator::Outcome> for Ending {
    fn from(outcome: &migrator::Outcome) -> Ending {
        let tally = &outcome.tally;
        let aside = tally.quarantined_total() > 0
            || tally.interactions_failed > 0
            || tally.interactions_unrepaired > 0
            || tally
                .interactions_by_reason
                .keys()
                .any(|reason| reason != "unmapped_queue");
        if tally.is_finished() && !aside {
            Ending::Done
        } else {
            Ending::SetAside
        }
    }
}

impl From<&verifier::Report> for Ending {
    fn from(report: &verifier::Report) -> Ending {
        match report.summary.verdict {
            verifier::Verdict::Match => Ending::Done,
            verifier::Verdict::Mismatch => Ending::Mismatch,
            verifier::Verdict::CannotTell => Ending::CannotTell,
        }
    }
}

impl From<&migrator::RunError> for Ending {
    fn from(stop: &migrator::RunError) -> Ending {
        match stop {
            migrator::RunError::Plan(_) | migrator::RunError::Unwritable(_) => Ending::BadCall,
            // Nothing was looked at, and nothing will be before this machine's clock is right.
            migrator::RunError::Source(CallError::ClockDiffers { .. })
            | migrator::RunError::Target(CallError::ClockDiffers { .. }) => Ending::BadCall,
            migrator::RunError::Source(_) => Ending::Source,
            migrator::RunError::Target(_) => Ending::Target,
            migrator::RunError::Storage(_)
            | migrator::RunError::Damaged(_)
            | migrator::RunError::TooManyErrors { .. }
            | migrator::RunError::TakenOver(_)
            | migrator::RunError::Interrupted => Ending::Stopped,
        }
    }
}

impl From<&verifier::RunError> for Ending {
    fn from(stop: &verifier::RunError) -> Ending {
        match stop {
            verifier::RunError::Plan(_) => Ending::BadCall,
            verifier::RunError::Source(_) => Ending::Source,
            verifier::RunError::Target(_) => Ending::Target,
            verifier::RunError::Interrupted | verifier::RunError::Report(_) => Ending::Stopped,
            verifier::RunError::Internal(_) => Ending::OurBug,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_leads_back_to_its_ending() {
        for ending in Ending::BY_GRAVITY {
            assert_eq!(Ending::of_code(ending.code()), Some(ending));
        }
        assert_eq!(Ending::of_code(137), None);
    }

    #[test]
    fn the_gravest_ending_wins() {
        assert_eq!(Ending::Done.or_graver(Ending::SetAside), Ending::SetAside);
        assert_eq!(
            Ending::Unexpected.or_graver(Ending::BadCall),
            Ending::BadCall
        );
        assert_eq!(
            Ending::Mismatch.or_graver(Ending::Unexpected),
            Ending::Unexpected
        );
        assert_eq!(Ending::OurBug.or_graver(Ending::Done), Ending::OurBug);
    }
}
