//! The search over seeds: ours comes out clean, and what is planted is found and shrunk.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use rehearsal::explore::{Exploration, Explored};
use rehearsal::{Migrator, Time};

use crate::bugs::{BUGS, Bug};
use crate::report::{Failure, Report};
use crate::workers;

/// Seeds a planted bug may take until it is found.
const SEEDS_A_BUG: u64 = 60;

fn exploration(
    scenario: &str,
    seeds: u64,
    migrator: Migrator,
    report: PathBuf,
) -> Result<Exploration, Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(scenario);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    Ok(Exploration {
        scenario: path,
        text,
        seeds,
        first: 1,
        migrator,
        time: Time::Virtual,
        report,
        threads: workers::cores(),
        most_failures: 1,
    })
}

fn explore(exploration: &Exploration) -> Result<Explored, Failure> {
    exploration
        .explore(&|line| println!("    {line}"), &AtomicBool::new(false))
        .map_err(Failure::new)
}

/// Ours, over seeds of each of the three ways in.
pub(crate) fn clean(n: u64) -> Result<Report, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let mut report = Report {
        seed: 1,
        ..Report::default()
    };
    for scenario in ["showcase.toml", "public_showcase.toml", "gir_showcase.toml"] {
        let ours = Migrator::Ours {
            workers: None,
            between: None,
        };
        let explored = explore(&exploration(scenario, n, ours, folder.path().to_owned())?)?;
        if let Some(failure) = explored.failures.first() {
            let kept = folder.keep();
            return Err(Failure::new(format!(
                "{scenario}, seed {}: {}; see {}",
                failure.seed,
                failure.reason,
                kept.display()
            )));
        }
        report.row(
            &format!("seeds of {scenario} without a failure"),
            format!("{} of {}", explored.clean, explored.seeds),
        );
    }
    Ok(report)
}

/// The first `n` planted bugs: each is found, and shrunk.
pub(crate) fn planted(n: u64) -> Result<Report, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let mut report = Report {
        seed: 1,
        ..Report::default()
    };
    let (mut recordings, mut faults, mut missed) = (Vec::new(), Vec::new(), Vec::new());
    let bugs: Vec<&'static Bug> = BUGS
        .iter()
        .take(usize::try_from(n).unwrap_or(usize::MAX))
        .collect();
    for bug in &bugs {
        let buggy = Migrator::Ours {
            workers: None,
            between: Some(bug.between()),
        };
        let explored = explore(&exploration(
            "showcase.toml",
            SEEDS_A_BUG,
            buggy,
            folder.path().join(bug.name),
        )?)?;
        let Some(found) = explored.failures.first() else {
            missed.push(bug.name);
            continue;
        };
        if found.shrunk.is_none() {
            missed.push(bug.name);
        }
        recordings.push(found.recordings);
        faults.push(found.faults as u64);
        let classes = found
            .found
            .classes
            .iter()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        report.row(
            &format!("`{}`: {}", bug.name, bug.mistake),
            format!(
                "seed {}: {classes}; shrunk to {} recordings and {} faults in {} trials",
                found.seed, found.recordings, found.faults, found.trials
            ),
        );
    }
    report.row(
        "bugs planted, and found",
        format!("{}, {}", bugs.len(), bugs.len() - missed.len()),
    );
    report.row(
        "median of recordings, of faults and kills",
        format!("{}, {}", median(&mut recordings), median(&mut faults)),
    );
    if !missed.is_empty() {
        return Err(Failure::new(format!(
            "not found or not shrunk within {SEEDS_A_BUG} seeds: {}",
            missed.join(", ")
        )));
    }
    if median(&mut recordings) > 3 || median(&mut faults) > 2 {
        return Err(Failure::new(
            "the median is more than 3 recordings or 2 faults",
        ));
    }
    Ok(report)
}

fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
