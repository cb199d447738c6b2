//! `migrate` and `preflight`.

use std::path::Path;

use migrator::{Outcome, Stop};
use plan::{LoadedPlan, TargetKind};
use platforms::clock::Clock;
use rehearsal::Ending;
use tokio::sync::watch;

use crate::canary;
use crate::cli::{Migrate, Output, PlanOnly};
use crate::network::network;
use crate::progress::Display;
use crate::terminal;

/// Reads a plan; a bad one is told once and ends with 2.
pub(crate) fn read_plan(path: &Path) -> Result<LoadedPlan, Ending> {
    LoadedPlan::read(path).map_err(|error| terminal::fail(Ending::BadCall, &error.to_string()))
}

/// Turns true at the first Ctrl-C or SIGTERM; a second one ends the process at once.
pub(crate) fn interrupt() -> watch::Receiver<bool> {
    let (say, hear) = watch::channel(false);
    tokio::spawn(async move {
        stop_signal().await;
        terminal::tell("stopping after what is under way; once more to stop at once");
        let _ = say.send(true);
        stop_signal().await;
        std::process::exit(i32::from(Ending::Stopped.code()));
    });
    hear
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// `seatrial migrate PLAN`.
pub(crate) async fn run(arguments: Migrate, output: Output) -> Ending {
    let (plan, transport) = match read_plan(&arguments.plan).and_then(|plan| Ok((network(&plan)?, plan))) {
        Ok((transport, plan)) => (plan, transport),
        Err(ending) => return ending,
    };
    if let Some(file) = &arguments.confirm_canary {
        return canary::confirm(&plan, &arguments, file, &output).await;
    }
    let retry = arguments.retry.as_deref().map(migrator::Retry::parse).transpose();
    let redo = arguments.redo.as_deref().map(migrator::Named::read).transpose();
    let (retry, redo) = match (retry, redo) {
        (Ok(retry), Ok(redo)) => (retry, redo),
        (Err(sentence), _) | (_, Err(sentence)) => return terminal::fail(Ending::BadCall, &sentence),
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
    let display = Display::new("migrating", &output);
    let ended = migrator::migrate(plan.clone(), options, transport, Clock::real(), &display).await;
    drop(display);
    match ended {
        Ok(outcome) if outcome.canary.is_some() => canary::judge(&plan, &arguments, &outcome, interrupt, &output).await,
        Ok(outcome) => tell_outcome(&plan, &outcome, losses.as_deref(), &output),
        Err(stop) => tell_stop(&stop),
    }
}

pub(crate) fn tell_stop(stop: &Stop) -> Ending {
    terminal::fail(Ending::from(stop), &stop.to_string())
}

fn tell_outcome(plan: &LoadedPlan, outcome: &Outcome, losses: Option<&[migrator::DeclaredLoss]>, output: &Output) -> Ending {
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
    match losses {
        Some(_) => terminal::say(&format!("dry run: {}; nothing was written to the target", dry_sentence(outcome))),
        None => terminal::say(&outcome.sentence()),
    }
    ending(outcome, losses.is_some())
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
    if outcome.taken_up > 0 {
        terminal::say(&format!("  taken up again: {} calls", outcome.taken_up));
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

/// A dry run that has looked at everything is done, although nothing has gone.
fn ending(outcome: &Outcome, dry_run: bool) -> Ending {
    let tally = &outcome.tally;
    let seen = tally.recordings_ready + tally.recordings_done + tally.quarantined_total() + tally.skipped_total() == tally.recordings;
    let clean = tally.extraction_finished && seen && tally.quarantined_total() == 0 && tally.interactions_failed == 0;
    if dry_run && clean { Ending::Done } else { Ending::from(outcome) }
}

fn dry_sentence(outcome: &Outcome) -> String {
    let tally = &outcome.tally;
    let (quarantined, skipped) = (tally.quarantined_total(), tally.skipped_total());
    let would_go = tally.recordings_ready + tally.recordings_done;
    let unseen = tally.recordings.saturating_sub(would_go + quarantined + skipped);
    let rest = if unseen > 0 { format!(", {unseen} were not looked at") } else { String::new() };
    format!(
        "{would_go} of {} recordings of {} interactions would go, {quarantined} would be quarantined, {skipped} skipped{rest}",
        tally.recordings, tally.interactions
    )
}

/// `seatrial preflight PLAN`.
pub(crate) async fn preflight(arguments: PlanOnly, output: Output) -> Ending {
    let (plan, transport) = match read_plan(&arguments.plan).and_then(|plan| Ok((network(&plan)?, plan))) {
        Ok((transport, plan)) => (plan, transport),
        Err(ending) => return ending,
    };
    let losses = migrator::declared_losses(&plan);
    let kind = plan.plan.target.kind;
    let found = match migrator::preflight(plan, transport, Clock::real()).await {
        Ok(found) => found,
        Err(stop) => return tell_stop(&stop),
    };
    let errors = found.findings.iter().filter(|finding| finding.is_error).count();
    let sentence = match (errors, kind) {
        (0, TargetKind::GenesysCloud) => "the plan fits source and target; nothing was changed".to_owned(),
        (0, TargetKind::Gir) => "the plan fits source and target; the probe that proved the region was deleted again".to_owned(),
        (errors, TargetKind::GenesysCloud) => format!("the plan does not fit: {errors} things to correct; nothing was changed"),
        (errors, TargetKind::Gir) => format!("the plan does not fit: {errors} things to correct; no recording of the source was sent"),
    };
    if output.json {
        terminal::document(&serde_json::json!({ "version": 1, "preflight": found, "declared_losses": losses, "sentence": sentence }));
    } else {
        for finding in &found.findings {
            terminal::say(&format!("  {}: {}", if finding.is_error { "error" } else { "note" }, finding.text));
        }
        for loss in &losses {
            terminal::say(&format!("  declared loss: {} {}", loss.field, loss.becomes));
        }
        terminal::say(&sentence);
    }
    if errors == 0 { Ending::Done } else { Ending::BadCall }
}
