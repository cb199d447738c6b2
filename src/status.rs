//! `status`.

use crate::cli::{Output, Status};
use crate::outcome::AFTER_THE_END;
use crate::plan_file::{from_here, read_plan};
use crate::terminal;
use rehearsal::Ending;

/// `seatrial status PLAN`.
pub(crate) async fn run(arguments: Status, output: Output) -> Ending {
    let plan = match read_plan(&arguments.plan) {
        Ok(plan) => plan,
        Err(ending) => return ending,
    };
    let options = migrator::StatusOptions {
        ledger: from_here(arguments.ledger.as_deref()),
        crosswalk: arguments.crosswalk,
        custody: arguments.custody,
        quarantine: arguments.quarantine,
        check_custody: arguments.check_custody,
    };
    let migrator::Status {
        tally,
        errors,
        left_behind,
        canary,
        custody,
    } = match migrator::status(&plan, &options).await {
        Ok(told) => told,
        Err(stop) => return terminal::fail(Ending::from(&stop), &stop.to_string()),
    };
    let ending = if custody
        .as_ref()
        .is_some_and(|custody| custody.broken.is_some())
    {
        Ending::Mismatch
    } else {
        Ending::Done
    };
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "tally": tally, "errors": errors, "left_behind": left_behind, "canary": canary, "custody": custody }),
        );
        return ending;
    }
    let rows = [
        ("interactions", tally.interactions),
        ("  in the target", tally.interactions_done),
        ("  stay behind", tally.interactions_set_aside),
        ("  left", tally.interactions_left),
        ("  of these with an error", tally.interactions_failed),
        ("recordings", tally.recordings),
        ("  in the target", tally.recordings_done),
        ("  quarantined", tally.quarantined_total()),
        ("  skipped", tally.skipped_total()),
        ("  sent, and not repairable", tally.interactions_unrepaired),
        ("bytes staged", tally.bytes_staged),
    ];
    for (what, count) in rows {
        terminal::say(&format!("{what:<26}{count:>14}"));
    }
    if let Some(canary) = &canary {
        terminal::say(&canary.sentence());
    }
    for error in &errors {
        terminal::say(&format!("left: {error}"));
    }
    if let Some(sentence) = tally.stand_in.sentence(tally.interactions) {
        terminal::say(&format!("stand-in: {sentence}"));
    }
    for (outcome, reasons) in [
        ("quarantined", &tally.quarantined),
        ("skipped", &tally.skipped),
    ] {
        for (reason, count) in reasons {
            terminal::say(&format!("{outcome}: {count} {reason}"));
        }
    }
    if let Some(way_back) = migrator::way_back(&plan, &left_behind) {
        terminal::say(&way_back);
    }
    for path in options
        .crosswalk
        .iter()
        .chain(&options.custody)
        .chain(&options.quarantine)
    {
        terminal::say(&format!("written: {}", path.display()));
    }
    let finished = if tally.is_finished() {
        AFTER_THE_END
    } else {
        "not finished: run migrate again to go on"
    };
    if let Some(custody) = &custody {
        terminal::say(&custody.sentence());
    }
    terminal::say(finished);
    ending
}
