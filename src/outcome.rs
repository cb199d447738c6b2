//! What a migration came to, in lines.

use migrator::{Outcome, RunError};
use rehearsal::Ending;

use crate::terminal;

/// What a person may do with what lies on this machine when all has gone.
pub(crate) const AFTER_THE_END: &str = "finished: once verify says match, and custody and \
    crosswalk are exported, staging (all sound) and ledger (all numbers) may be deleted";

/// Why a run did not come to its end.
pub(crate) fn tell_stop(stop: &RunError) -> Ending {
    terminal::fail(Ending::from(stop), &stop.to_string())
}

/// What a run met on its way.
pub(crate) fn tell_lines(outcome: &Outcome) {
    let tally = &outcome.tally;
    for (reason, count) in &tally.quarantined {
        terminal::say(&format!("  quarantined  {count:>7}  {reason}"));
    }
    for (reason, count) in &tally.skipped {
        terminal::say(&format!("  skipped      {count:>7}  {reason}"));
    }
    if let Some(sentence) = tally.stand_in.sentence(tally.interactions) {
        terminal::say(&format!("  stand-in: {sentence}"));
    }
    if let Some(holds) = &outcome.holds {
        terminal::say(&format!("  {}", holds.sentence()));
    }
    if outcome.taken_up > 0 {
        let calls = if outcome.taken_up == 1 {
            "call"
        } else {
            "calls"
        };
        terminal::say(&format!("  taken up again: {} {calls}", outcome.taken_up));
    }
    for (kind, count) in &outcome.warnings {
        terminal::say(&format!("  noted        {count:>7}  {kind}"));
    }
    for error in &outcome.errors {
        terminal::say(&format!("  left: {error}"));
    }
    let requests = format!(
        "{} requests to the source, {} to the target, {} answered 429",
        outcome.source_requests, outcome.target_requests, outcome.throttled
    );
    terminal::say(&format!("  {requests}"));
}
