//! `migrate` and `preflight`.

use migrator::Outcome;
use plan::LoadedPlan;
use platforms::clock::Clock;
use rehearsal::Ending;

use crate::canary;
use crate::cli::{Migrate, Output, PlanOnly};
use crate::interrupt::interrupt;
use crate::network::network;
use crate::outcome::{AFTER_THE_END, tell_lines, tell_stop};
use crate::plan_file::{from_here, read_plan};
use crate::progress::Display;
use crate::terminal;

/// `seatrial migrate PLAN`.
pub(crate) async fn run(mut arguments: Migrate, output: Output) -> Ending {
    arguments.ledger = from_here(arguments.ledger.as_deref());
    arguments.staging = from_here(arguments.staging.as_deref());
    let plan = match read_plan(&arguments.plan) {
        Ok(plan) => plan,
        Err(ending) => return ending,
    };
    let (transport, watch) = match network(&plan) {
        Ok(network) => network,
        Err(ending) => return ending,
    };
    if let Some(file) = &arguments.confirm_canary {
        return canary::confirm(&plan, &arguments, file, &output).await;
    }
    let retry = arguments
        .retry
        .as_deref()
        .map(migrator::Retry::parse)
        .transpose();
    let redo = arguments
        .redo
        .as_deref()
        .map(migrator::Named::read)
        .transpose();
    let (retry, redo) = match (retry, redo) {
        (Ok(retry), Ok(redo)) => (retry, redo),
        (Err(sentence), _) | (_, Err(sentence)) => {
            return terminal::fail(Ending::BadCall, &sentence);
        }
    };
    let losses = arguments.dry_run.then(|| migrator::declared_losses(&plan));
    let interrupt = interrupt();
    let options = migrator::Options {
        ledger: arguments.ledger.clone(),
        staging: arguments.staging.clone(),
        workers: arguments.workers,
        limit: arguments.limit,
        canary: arguments.canary,
        dry_run: arguments.dry_run,
        accept_plan_change: arguments.accept_plan_change,
        retry,
        redo,
        replace: arguments.replace,
        errors_max: arguments.errors_max,
        interrupt: Some(interrupt.clone()),
    };
    let display = Display::new("migrating", &output, Some(watch));
    let ended = migrator::migrate(plan.clone(), options, transport, Clock::real(), &display).await;
    drop(display);
    match ended {
        Ok(outcome) if outcome.canary.is_some() => {
            canary::judge(&plan, &arguments, &outcome, interrupt, &output).await
        }
        Ok(outcome) => tell_outcome(&plan, &outcome, losses.as_deref(), &output),
        Err(stop) => tell_stop(&stop),
    }
}

fn tell_outcome(
    plan: &LoadedPlan,
    outcome: &Outcome,
    losses: Option<&[migrator::DeclaredLoss]>,
    output: &Output,
) -> Ending {
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "outcome": outcome, "sentence": outcome.sentence(), "declared_losses": losses }),
        );
        return ending(outcome, losses.is_some());
    }
    tell_lines(outcome);
    for loss in losses.unwrap_or_default() {
        terminal::say(&format!("  declared loss: {} {}", loss.field, loss.becomes));
    }
    if let Some(way_back) = migrator::way_back(plan, &outcome.left_behind) {
        terminal::say(&format!("  {way_back}"));
    }
    if losses.is_none() && outcome.tally.is_finished() {
        terminal::say(&format!("  {}", AFTER_THE_END));
    }
    match losses {
        Some(_) => terminal::say(&format!(
            "dry run: {}; nothing was written to the target{}",
            dry_sentence(outcome),
            dry_ending(outcome)
        )),
        None => terminal::say(&outcome.sentence()),
    }
    ending(outcome, losses.is_some())
}

/// A dry run that has looked at everything is done, although nothing has gone.
fn ending(outcome: &Outcome, dry_run: bool) -> Ending {
    let tally = &outcome.tally;
    let seen = tally.recordings_ready
        + tally.recordings_done
        + tally.quarantined_total()
        + tally.skipped_total()
        == tally.recordings;
    let clean = tally.extraction_finished
        && seen
        && tally.quarantined_total() == 0
        && tally.interactions_failed == 0;
    if dry_run && clean {
        Ending::Done
    } else {
        Ending::from(outcome)
    }
}

fn dry_sentence(outcome: &Outcome) -> String {
    let tally = &outcome.tally;
    let (quarantined, skipped) = (tally.quarantined_total(), tally.skipped_total());
    let would_go = tally.recordings_ready + tally.recordings_done;
    let unseen = tally
        .recordings
        .saturating_sub(would_go + quarantined + skipped);
    let because = if tally.interactions_failed > 0 {
        "their calls met an error, named above"
    } else {
        "--limit or an interruption came first"
    };
    let rest = if unseen > 0 {
        format!(", {unseen} were not looked at: {because}")
    } else {
        String::new()
    };
    format!(
        "{would_go} of {} recordings of {} interactions would go, {quarantined} would be \
         quarantined, {skipped} skipped{rest}",
        tally.recordings, tally.interactions
    )
}

/// What the exit code of a dry run means where it is not 0: everything may have gone well.
fn dry_ending(outcome: &Outcome) -> String {
    match ending(outcome, true) {
        Ending::SetAside => format!(
            "; it ends with {}, as the run itself would, for what stays behind",
            Ending::SetAside.code()
        ),
        _ => String::new(),
    }
}

/// `seatrial preflight PLAN`.
pub(crate) async fn preflight(arguments: PlanOnly, output: Output) -> Ending {
    let plan = match read_plan(&arguments.plan) {
        Ok(plan) => plan,
        Err(ending) => return ending,
    };
    let (transport, watch) = match network(&plan) {
        Ok(network) => network,
        Err(ending) => return ending,
    };
    let losses = migrator::declared_losses(&plan);
    let probe = migrator::preflight_probe(&plan);
    let display = Display::new("looking at both sides", &output, Some(watch));
    let found = migrator::preflight(plan, transport, Clock::real()).await;
    drop(display);
    let found = match found {
        Ok(found) => found,
        Err(stop) => return tell_stop(&stop),
    };
    let errors = found
        .findings
        .iter()
        .filter(|finding| finding.is_error)
        .count();
    let things = if errors == 1 { "thing" } else { "things" };
    let sentence = match (errors, probe) {
        (0, None) => "the plan fits source and target; nothing was changed".to_owned(),
        (0, Some(probe)) => format!("the plan fits source and target; {probe} was deleted again"),
        (errors, None) => {
            format!("the plan does not fit: {errors} {things} to correct; nothing was changed")
        }
        (errors, Some(_)) => format!(
            "the plan does not fit: {errors} {things} to correct; no recording of the source was \
             sent"
        ),
    };
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "preflight": found, "declared_losses": losses, "sentence": sentence }),
        );
    } else {
        for finding in &found.findings {
            terminal::say(&format!(
                "  {}: {}",
                if finding.is_error { "error" } else { "note" },
                finding.text
            ));
        }
        for loss in &losses {
            terminal::say(&format!("  declared loss: {} {}", loss.field, loss.becomes));
        }
        terminal::say(&sentence);
    }
    if errors == 0 {
        Ending::Done
    } else {
        Ending::BadCall
    }
}
