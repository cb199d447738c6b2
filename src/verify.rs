//! `verify`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::LoadedPlan;
use platforms::clock::Clock;
use rehearsal::Ending;
use tokio::sync::watch;
use verifier::{DecodeTwice, Jobs, Options, SignedManifest, SourceFrom};

use crate::cli::{Output, SourceArgument, Verify};
use crate::interrupt::interrupt;
use crate::network::network;
use crate::plan_file::{from_here, read_plan};
use crate::progress::Display;
use crate::terminal;

/// `seatrial verify PLAN`.
pub(crate) async fn run(arguments: Verify, output: Output) -> Ending {
    let plan = match read_plan(&arguments.plan) {
        Ok(plan) => plan,
        Err(ending) => return ending,
    };
    if let Some(id) = &arguments.call {
        return tell_call(&arguments.report, id, &output);
    }
    let only = match chosen(&arguments.only, &arguments.report) {
        Ok(only) => only,
        Err((ending, sentence)) => return terminal::fail(ending, &sentence),
    };
    // What an id or a class means is told by a report of all calls, which therefore stays.
    let report_dir = if arguments.only.iter().all(|only| is_file(only)) {
        arguments.report.clone()
    } else {
        arguments.report.join("only")
    };
    let exports = arguments.exports();
    let options = Options {
        audio: arguments.audio.scope(arguments.seed),
        source: match arguments.source {
            SourceArgument::Live => SourceFrom::Live,
            SourceArgument::Staged => SourceFrom::Staged,
        },
        staging_url: from_here(arguments.staging.as_deref()),
        jobs: if arguments.no_jobs {
            Jobs::LeaveOut
        } else {
            Jobs::Create
        },
        only,
        totals: arguments.totals,
        manifest: arguments
            .manifest
            .zip(arguments.manifest_key)
            .map(|(file, key)| SignedManifest { file, key }),
        custody: arguments.custody,
        while_migrating: arguments
            .while_migrating
            .map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
        against: arguments.against,
        decode_twice: arguments.second_decoder.map(|count| DecodeTwice {
            recordings: usize::try_from(count).unwrap_or(usize::MAX),
            seed: arguments.seed,
        }),
        report_dir: Some(report_dir.clone()),
        decryption_keys: arguments.decryption_key,
        exports,
        ..Options::default()
    };
    if arguments.print_requests {
        return print_requests(&plan, &options, &output);
    }
    let report = match verify(&plan, options, interrupt(), &output).await {
        Ok(report) => report,
        Err((ending, sentence)) => return terminal::fail(ending, &sentence),
    };
    if output.json {
        terminal::document(&report.summary);
    } else {
        report.lines().iter().for_each(|line| terminal::say(line));
        terminal::say(&format!(
            "Report: {}",
            report_dir.join("summary.json").display()
        ));
    }
    Ending::from(&report)
}

/// What a report says of one call.
fn tell_call(report: &Path, id: &str, output: &Output) -> Ending {
    match verifier::evidence_of(report, id) {
        Ok(Some(evidence)) => {
            if output.json {
                terminal::document(&evidence);
            } else {
                evidence.lines().iter().for_each(|line| terminal::say(line));
            }
            match evidence.verdict {
                verifier::Verdict::Match => Ending::Done,
                verifier::Verdict::Mismatch => Ending::Mismatch,
                verifier::Verdict::CannotTell => Ending::CannotTell,
            }
        }
        Ok(None) => terminal::fail(
            Ending::BadCall,
            &format!("the report in {} says nothing of {id}", report.display()),
        ),
        Err(stop) => terminal::fail(Ending::from(&stop), &stop.to_string()),
    }
}

/// Whether `--only` names a file of ids, by there being one or by how it is written.
fn is_file(only: &Path) -> bool {
    only.exists() || only.components().count() > 1 || only.extension().is_some()
}

/// The calls that `--only` names. `None`: it is not given.
fn chosen(only: &[PathBuf], report: &Path) -> Result<Option<BTreeSet<String>>, (Ending, String)> {
    let mut calls = BTreeSet::new();
    for only in only {
        calls.extend(if is_file(only) {
            read_ids(only).map_err(|sentence| (Ending::BadCall, sentence))?
        } else {
            verifier::calls_of(report, &only.to_string_lossy())
                .map_err(|stop| (Ending::from(&stop), stop.to_string()))?
        });
    }
    Ok((!only.is_empty()).then_some(calls))
}

/// One id a line; empty lines and comments aside.
fn read_ids(path: &Path) -> Result<BTreeSet<String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let ids: BTreeSet<String> = lines.map(str::to_owned).collect();
    if ids.is_empty() {
        Err(format!(
            "{} names no interaction; write one id a line",
            path.display()
        ))
    } else {
        Ok(ids)
    }
}

/// What `--json` prints of the list.
#[derive(serde::Serialize)]
struct Requests {
    version: u32,
    requests: Vec<verifier::Listed>,
}

/// Lists what may be sent, and sends nothing.
fn print_requests(plan: &LoadedPlan, options: &Options, output: &Output) -> Ending {
    let requests = verifier::requests_of(plan, options);
    if output.json {
        terminal::document(&Requests {
            version: 1,
            requests,
        });
        return Ending::Done;
    }
    let created = |listed: &verifier::Listed| {
        listed.creates.map_or("nothing".to_owned(), |creation| {
            format!("a {creation:?}").to_lowercase()
        })
    };
    for listed in &requests {
        let query = if listed.query.is_empty() {
            String::new()
        } else {
            format!("?{}", listed.query.join("&"))
        };
        let rights: Vec<String> = [
            ("permission", &listed.permission),
            ("scope", &listed.scope),
            ("account", &listed.account),
        ]
        .into_iter()
        .filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?)))
        .collect();
        terminal::say(&format!("{:<5}{}{query}", listed.method, listed.address));
        terminal::say(&format!(
            "     needs   {}",
            if rights.is_empty() {
                "no permission of its own".to_owned()
            } else {
                rights.join(", ")
            }
        ));
        terminal::say(&format!("     creates {}", created(listed)));
        terminal::say(&format!("     tells   {}", listed.tells));
    }
    terminal::say(&format!(
        "{} requests may be sent, and no others; none changes a record. Nothing was sent.",
        requests.len()
    ));
    Ending::Done
}

pub(crate) async fn verify(
    plan: &LoadedPlan,
    options: Options,
    mut stop: watch::Receiver<bool>,
    output: &Output,
) -> Result<verifier::Report, (Ending, String)> {
    let (transport, watched) =
        network(plan).map_err(|ending| (ending, "the network does not start".to_owned()))?;
    let interrupt = options.interrupt.clone();
    let watching = tokio::spawn(async move {
        if stop.wait_for(|stop| *stop).await.is_ok() {
            interrupt.cancel();
        }
    });
    let display = Display::new("verifying", output, Some(watched));
    let report = verifier::verify(plan, options, transport, Clock::real(), &display).await;
    drop(display);
    watching.abort();
    report.map_err(|stop| (Ending::from(&stop), stop.to_string()))
}
