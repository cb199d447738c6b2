//! `migrate --canary` and `migrate --confirm-canary`: what was sent is verified, and a person has
//! the last word.

use std::path::{Path, PathBuf};
use std::time::Duration;

use migrator::{Canary, CanaryState, Outcome};
use plan::{Carrier, LoadedPlan};
use platforms::clock::Clock;
use tokio::sync::watch;

use crate::cli::{Migrate, Output};
use crate::outcome::{tell_lines, tell_stop};
use crate::{terminal, verify};
use rehearsal::Ending;

/// Before the second verification of what the target does not show yet, and before any later one at
/// most. A platform that takes recordings in is not hurried by being asked, and each verification
/// costs an analytics job.
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What `--json` prints of a canary.
#[derive(serde::Serialize)]
struct Document<'a> {
    version: u32,
    outcome: &'a Outcome,
    sentence: &'a str,
    /// `match`, `mismatch` or `cannot_tell`. Absent: it was not verified.
    verdict: Option<verifier::Verdict>,
    /// The verification's folder.
    report: Option<&'a Path>,
    /// Absent: there is nothing to look at yet.
    checklist: Option<&'a Path>,
}

/// How it came out.
struct Judged {
    ending: Ending,
    sentence: String,
    verdict: Option<verifier::Verdict>,
    report: Option<PathBuf>,
    checklist: Option<PathBuf>,
}

impl Judged {
    fn only(ending: Ending, sentence: String) -> Judged {
        Judged {
            ending,
            sentence,
            verdict: None,
            report: None,
            checklist: None,
        }
    }
}

/// Verifies a canary that was sent, and writes its checklist.
pub(crate) async fn judge(
    plan: &LoadedPlan,
    arguments: &Migrate,
    outcome: &Outcome,
    interrupt: watch::Receiver<bool>,
    output: &Output,
) -> Ending {
    let Some(canary) = &outcome.canary else {
        return Ending::OurBug;
    };
    if !output.json {
        tell_lines(outcome);
        tell_choice(canary);
    }
    let judged = match judged(plan, arguments, canary, interrupt, output).await {
        Ok(judged) => judged,
        Err((ending, sentence)) => return terminal::fail(ending, &sentence),
    };
    if output.json {
        let (report, checklist) = (judged.report.as_deref(), judged.checklist.as_deref());
        terminal::document(&Document {
            version: 1,
            outcome,
            sentence: &judged.sentence,
            verdict: judged.verdict,
            report,
            checklist,
        });
    } else {
        terminal::say(&judged.sentence);
        if let Some(report) = &judged.report {
            terminal::say(&format!(
                "Report: {}",
                report.join("summary.json").display()
            ));
        }
    }
    judged.ending
}

fn tell_choice(canary: &Canary) {
    let Canary {
        interactions,
        recordings,
        looked_at,
        of,
        ..
    } = canary;
    terminal::say(&format!(
        "  canary: {recordings} recordings of {} calls, chosen so that each of these is shown:",
        interactions.len()
    ));
    canary
        .features
        .iter()
        .for_each(|feature| terminal::say(&format!("    {feature}")));
    terminal::say(&format!(
        "  shape, age and direction were looked for in all {of} calls that may go; codec, \
         retention class, pause and hold in {looked_at} of them"
    ));
    canary
        .replaced
        .iter()
        .for_each(|sentence| terminal::say(&format!("  chosen first, and replaced: {sentence}")));
}

async fn judged(
    plan: &LoadedPlan,
    arguments: &Migrate,
    canary: &Canary,
    interrupt: watch::Receiver<bool>,
    output: &Output,
) -> Result<Judged, (Ending, String)> {
    if canary.state == CanaryState::Confirmed {
        return Ok(Judged::only(
            Ending::Done,
            format!(
                "{}; nothing was sent: run `seatrial migrate PLAN`",
                canary.sentence()
            ),
        ));
    }
    if !canary.left.is_empty() {
        let left = canary.left.len();
        let sentence = format!(
            "{left} of the {} calls of the canary are not settled: run the same command again; \
             another number chooses anew, if one never settles",
            canary.interactions.len()
        );
        return Ok(Judged::only(Ending::SetAside, sentence));
    }
    let stop = |stop: migrator::RunError| (Ending::from(&stop), stop.to_string());
    if let Carrier::Crosswalk(file) = &plan.plan.identity.carrier {
        // The verifier finds its way by it.
        let options = migrator::StatusOptions {
            ledger: arguments.ledger.clone(),
            crosswalk: Some(plan.resolve_path(file)),
            ..migrator::StatusOptions::default()
        };
        migrator::status(plan, &options).await.map_err(stop)?;
    }
    let dir = arguments
        .report
        .clone()
        .unwrap_or_else(|| plan.dir.join("canary-report"));
    let report = verified(plan, arguments, canary, &dir, interrupt, output).await?;
    let (verdict, verified) = (
        Some(report.summary.verdict),
        report.summary.sentence.as_str(),
    );
    if report.summary.verdict != verifier::Verdict::Match {
        migrator::withdraw_checklist(plan, arguments.ledger.as_deref())
            .await
            .map_err(stop)?;
        let what = match report.summary.verdict {
            verifier::Verdict::CannotTell => "whether the canary is right cannot be told",
            _ => "the canary is not right",
        };
        let sentence = format!("{what}, and there is no checklist: {verified}");
        return Ok(Judged {
            verdict,
            report: Some(dir),
            ..Judged::only(Ending::from(&report), sentence)
        });
    }
    let path = arguments
        .checklist
        .clone()
        .unwrap_or_else(|| plan.dir.join("canary-checklist.csv"));
    let ledger = arguments.ledger.as_deref();
    let path = migrator::write_checklist(plan, ledger, &path, verified, &Clock::real())
        .await
        .map_err(stop)?;
    let shown = path.display();
    let sentence = format!(
        "canary {verified}. Now somebody looks at them in the target's user interface and fills in \
         {shown}; then: seatrial migrate PLAN --confirm-canary {shown}"
    );
    Ok(Judged {
        verdict,
        report: Some(dir),
        checklist: Some(path),
        ..Judged::only(Ending::Done, sentence)
    })
}

/// Verifies with all audio, and again while the target cannot show everything yet.
async fn verified(
    plan: &LoadedPlan,
    arguments: &Migrate,
    canary: &Canary,
    dir: &Path,
    mut interrupt: watch::Receiver<bool>,
    output: &Output,
) -> Result<verifier::Report, (Ending, String)> {
    let clock = Clock::real();
    let patience_ms = i64::try_from(arguments.patience.saturating_mul(60_000)).unwrap_or(i64::MAX);
    let until_ms = clock.now_ms().saturating_add(patience_ms);
    let mut pause = PAUSE;
    loop {
        let only = Some(canary.interactions.iter().cloned().collect());
        let options = verifier::Options {
            only,
            report_dir: Some(dir.to_owned()),
            ..verifier::Options::default()
        };
        let report = verify::verify(plan, options, interrupt.clone(), output).await?;
        let later = report.summary.verdict == verifier::Verdict::CannotTell
            && !is_lasting(&report.summary)
            && clock
                .now_ms()
                .saturating_add(i64::try_from(pause.as_millis()).unwrap_or(0))
                <= until_ms;
        if !later {
            return Ok(report);
        }
        if !output.json {
            terminal::say(&format!(
                "  {}; verified again in {} s",
                report.summary.sentence,
                pause.as_secs()
            ));
        }
        tokio::select! {
            biased;
            _ = interrupt.wait_for(|stop| *stop) => {
                return Err((Ending::Stopped, "interrupted; the canary is sent, run the same \
                    command again to verify it".to_owned()));
            }
            () = clock.sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether waiting is no help: a permission does not come by itself.
fn is_lasting(summary: &verifier::Summary) -> bool {
    summary
        .notices
        .iter()
        .chain([&summary.sentence])
        .any(|words| words.contains("needed: permission "))
}

/// Reads a filled-in checklist.
pub(crate) async fn confirm(
    plan: &LoadedPlan,
    arguments: &Migrate,
    file: &Path,
    output: &Output,
) -> Ending {
    let canary =
        match migrator::confirm_canary(plan, arguments.ledger.as_deref(), file, &Clock::real())
            .await
        {
            Ok(canary) => canary,
            Err(stop) => return tell_stop(&stop),
        };
    let sentence = canary.sentence();
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "canary": canary, "sentence": sentence }),
        );
    } else {
        canary
            .failed
            .iter()
            .for_each(|failed| terminal::say(&format!("  {failed}")));
        terminal::say(&sentence);
    }
    if canary.state == CanaryState::Confirmed {
        Ending::Done
    } else {
        Ending::Mismatch
    }
}
