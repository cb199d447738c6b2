//! Mutants of the migrator and of what it shares with the verifier: each migrates by each way in
//! and verifies its own work, as a tool with that bug would. All are one build
//! (`tests/mutants`); the platforms are ours, unmutated, in a process of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;

use crate::report::{Failure, Report};
use crate::scenario::{BY_GUIDE, BY_PUBLIC, INTO_GIR, Simulation, towards};

const SEED: u64 = 29;
/// The least that the full proof has to try. Source: the issue that asked for it.
const LEAST: u64 = 200;
/// With fewer nothing is built: the places are chosen and written, and that is looked at.
const FEW: u64 = 20;
/// Migration and verification of a mutant together take two seconds; one that takes this long
/// hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// So often a mutant that does not compile is left out and the rest is built again.
const BUILDS: usize = 6;

const SCENARIO: &str = r#"
about = "Every kind of call that a mutant could get wrong."
seed = 1
TARGET
[world]
interactions = 40
agents = 12
unmapped_agents = 1
re_used_agents = 2
queues = 4
unmapped_queues = 1
transfer_share = 0.3
stereo_share = 0.5
masked_share = 0.2
pause_share = 0.4
hold_share = 0.2
reversed_share = 0.1
recorder_nodes = 3
drift_ms = [0, -73000, 1500]
mean_seconds = 4.0
codecs = ["pcm", "mulaw", "alaw", "adpcm", "mp3", "amr", "gsm"]
expired = 2
[world.bad_media]
empty = 1
html = 1
noise = 1
truncated = 1
short = 1
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
FAULTS
[expect]
migrator = "quarantined"
verdict = "match"
"#;

const WAYS: [(&str, &str, &str); 3] = [
    ("guide", BY_GUIDE, "genesys_cloud"),
    ("public", BY_PUBLIC, "genesys_cloud"),
    ("gir", INTO_GIR, "gir"),
];

/// One wrong place.
#[derive(Debug, Clone, Deserialize)]
struct Mutant {
    number: u32,
    file: String,
    line: usize,
    what: String,
    instead: String,
}

/// What came of a mutant by one way in, from best to worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// The verifier: mismatch or cannot tell, with the classes of its findings.
    Found(String),
    /// The migration or the verification itself ended in an error, or did not end.
    Ended(String),
    /// The target is as without the mutant, byte for byte, and so is what stays behind.
    NoDifference,
    /// The target is otherwise, and the verdict is match.
    Missed(String),
}

/// What a run left behind.
#[derive(PartialEq, Eq)]
struct Left {
    truth: String,
    migrated: Option<i32>,
    behind: String,
    verified: Option<i32>,
    classes: String,
}

pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/mutants");
    let tool = tool(root, &folder)?;
    let mut report = Report {
        seed: SEED,
        ..Report::default()
    };
    if n < FEW {
        let mutants = write(root, &folder, &tool, n, &BTreeSet::new())?;
        if (mutants.len() as u64) < n {
            return Err(Failure::new(format!("{} mutants of {n}", mutants.len())));
        }
        report.row(
            "mutants written; only the full proof builds and tries them",
            mutants.len(),
        );
        return Ok(report);
    }
    let (mutants, omitted, binary) = build(root, &folder, &tool, n)?;
    let baseline: Vec<Left> = WAYS
        .iter()
        .map(|way| tried(&binary, 0, way))
        .collect::<Result<_, _>>()?;
    for (left, (name, ..)) in baseline.iter().zip(&WAYS) {
        if (left.migrated, left.verified) != (Some(10), Some(0)) {
            return Err(Failure::new(format!(
                "without a mutant {name} ends {:?} and {:?}",
                left.migrated, left.verified
            )));
        }
    }
    let told = all(&binary, &mutants, &baseline)?;
    let count = |wanted: fn(&[Told; 3]) -> bool| told.iter().filter(|ways| wanted(ways)).count();
    report.row("mutants tried, each by three ways in", mutants.len());
    report.row("left out, because they do not compile", omitted);
    report.row(
        "found by the verifier",
        count(|ways| ways.iter().any(|told| matches!(told, Told::Found(_)))),
    );
    report.row(
        "not by the verifier: the migration or the verification ended in an error or did not end",
        count(|ways| {
            !ways.iter().any(|told| matches!(told, Told::Found(_)))
                && ways.iter().any(|told| matches!(told, Told::Ended(_)))
        }),
    );
    report.row(
        "no difference: the target and what stays behind are byte-identical by all three ways",
        count(|ways| ways.iter().all(|told| *told == Told::NoDifference)),
    );
    let missed = count(|ways| ways.iter().any(|told| matches!(told, Told::Missed(_))));
    report.row(
        "missed by one way in at least: the target is otherwise, and the verdict is match",
        missed,
    );
    report.appendix = table(&mutants, &told);
    if n >= LEAST && (mutants.len() as u64) < LEAST {
        return Err(Failure::new(format!(
            "only {} mutants compile",
            mutants.len()
        )));
    }
    Ok(report)
}

/// Builds what writes mutants.
fn tool(root: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let target = folder.join("tool");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--manifest-path",
        ])
        .arg(root.join("tests/mutants/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .map_err(Failure::new)?;
    if built.success() {
        Ok(target.join("release/mutants"))
    } else {
        Err(Failure::new("tests/mutants does not build"))
    }
}

/// Writes a copy of the workspace, with mutants.
fn write(
    root: &Path,
    folder: &Path,
    tool: &Path,
    n: u64,
    omitted: &BTreeSet<u32>,
) -> Result<Vec<Mutant>, Failure> {
    let copy = folder.join("workspace");
    copied(root, &copy).map_err(Failure::new)?;
    let omitted: Vec<String> = omitted.iter().map(u32::to_string).collect();
    let output = Command::new(tool)
        .arg(root)
        .arg(&copy)
        .arg(n.to_string())
        .arg(omitted.join(","))
        .output()
        .map_err(Failure::new)?;
    if !output.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).map_err(Failure::new))
        .collect()
}

/// Makes `to` a copy of a folder, without what is built or downloaded. What is the same already
/// stays untouched, so that it is not built again; what `from` no longer has is removed.
fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    // `target` is also the name of a module; the one that cargo writes stands beside a manifest.
    let has_manifest = from.join("Cargo.toml").exists();
    let built = |name: &std::ffi::OsStr| {
        ["node_modules", ".git", "seatrial-report"]
            .iter()
            .any(|built| name == *built)
            || (name == "target" && has_manifest)
    };
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if from.join(entry.file_name()).exists() {
            continue;
        }
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if built(&name) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copied(&from, &to)?;
            continue;
        }
        let bytes = std::fs::read(&from)?;
        if !std::fs::read(&to).is_ok_and(|old| old == bytes) {
            std::fs::write(&to, bytes)?;
        }
    }
    Ok(())
}

/// Builds the program with all mutants in it; those that do not compile are left out.
fn build(
    root: &Path,
    folder: &Path,
    tool: &Path,
    n: u64,
) -> Result<(Vec<Mutant>, usize, PathBuf), Failure> {
    let mut omitted = BTreeSet::new();
    for _ in 0..BUILDS {
        let mutants = write(root, folder, tool, n, &omitted)?;
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--locked",
                "--bin",
                "seatrial",
                "--message-format",
                "json",
            ])
            .arg("--target-dir")
            .arg(folder.join("target"))
            .current_dir(folder.join("workspace"))
            .stderr(Stdio::null())
            .output()
            .map_err(Failure::new)?;
        if output.status.success() {
            return Ok((
                mutants,
                omitted.len(),
                folder.join("target/release/seatrial"),
            ));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let broken = broken(&folder.join("workspace"), &text);
        if broken.is_subset(&omitted) {
            let said: String = text
                .lines()
                .filter(|line| line.contains("\"level\":\"error\""))
                .take(3)
                .collect();
            return Err(Failure::new(format!("the mutants do not build: {said}")));
        }
        omitted.extend(broken);
    }
    Err(Failure::new(format!(
        "after {BUILDS} builds some mutants still do not compile"
    )))
}

/// Numbers of mutants that stand at what the compiler refuses, or closely beside it.
fn broken(copy: &Path, messages: &str) -> BTreeSet<u32> {
    const MARK: &str = "mutants::on(";
    const BESIDE_LINES: usize = 6;
    let errors = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["message"]["level"] == "error");
    let mut numbers = BTreeSet::new();
    for span in errors.flat_map(|message| {
        message["message"]["spans"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }) {
        let line = |key: &str| usize::try_from(span[key].as_u64().unwrap_or(0)).unwrap_or(0);
        let text =
            std::fs::read_to_string(copy.join(span["file_name"].as_str().unwrap_or_default()))
                .unwrap_or_default();
        let first = line("line_start").saturating_sub(BESIDE_LINES);
        let lines = text
            .lines()
            .skip(first)
            .take(line("line_end") + BESIDE_LINES - first);
        numbers.extend(lines.filter_map(|line| {
            let (_, number) = line.split_once(MARK)?;
            number
                .split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse::<u32>()
                .ok()
        }));
    }
    numbers
}

/// Every mutant by every way in, on all cores.
fn all(binary: &Path, mutants: &[Mutant], baseline: &[Left]) -> Result<Vec<[Told; 3]>, Failure> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result<Told, Failure>>> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(at / WAYS.len()) else {
                        break;
                    };
                    let way = at % WAYS.len();
                    let told = tried(binary, mutant.number, &WAYS[way])
                        .map(|left| held(&left, &baseline[way]));
                    done.lock().insert(at, told);
                }
            });
        }
    });
    let mut flat = done.into_inner().into_values();
    mutants
        .iter()
        .map(|_| {
            let mut next = || {
                flat.next()
                    .unwrap_or_else(|| Err(Failure::new("a way in broke off")))
            };
            Ok([next()?, next()?, next()?])
        })
        .collect()
}

/// What a run of a mutant shows beside one without.
fn held(left: &Left, baseline: &Left) -> Told {
    match (left.migrated, left.verified) {
        // A migration that itself ended in an error was not found by the verifier.
        (Some(0 | 10), Some(20)) => Told::Found(format!("mismatch {}", left.classes)),
        (Some(0 | 10), Some(21)) => Told::Found("cannot tell".to_owned()),
        (Some(0 | 10), Some(0))
            if left.truth == baseline.truth && left.behind == baseline.behind =>
        {
            Told::NoDifference
        }
        (Some(0 | 10), Some(0)) if left.truth == baseline.truth => Told::Missed(format!(
            "{} stay behind instead of {} (quarantined and skipped)",
            left.behind, baseline.behind
        )),
        (Some(0 | 10), Some(0)) => Told::Missed(first_difference(&baseline.truth, &left.truth)),
        (migrated, verified) => {
            let said =
                |code: Option<i32>| code.map_or("did not end".to_owned(), |code| code.to_string());
            Told::Ended(format!(
                "migrate {}, verify {}",
                said(migrated),
                said(verified)
            ))
        }
    }
}

/// Where two documents of a line a call differ first, shortened.
fn first_difference(before: &str, after: &str) -> String {
    let lines = before.lines().zip(after.lines()).find(|(a, b)| a != b);
    let Some((a, b)) = lines else {
        return format!(
            "{} calls instead of {}",
            after.lines().count(),
            before.lines().count()
        );
    };
    let at = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let around =
        |text: &str| -> String { text.chars().skip(at.saturating_sub(30)).take(70).collect() };
    format!("{} instead of {}", around(b), around(a))
}

/// Migrates and verifies with a mutant against fresh platforms.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn tried(binary: &Path, mutant: u32, way: &(&str, &str, &str)) -> Result<Left, Failure> {
    let (_, target, platform) = way;
    let simulation = Simulation::start(&towards(SCENARIO, target, &[]), SEED)?;
    let dir = simulation.dir.path();
    let began = Instant::now();
    let command = |name: &str, arguments: &[&str]| {
        run_for(
            Command::new(binary)
                .arg(name)
                .arg(&simulation.plan)
                .args(arguments)
                .env("SEATRIAL_MUTANT", mutant.to_string())
                .current_dir(dir),
            began,
        )
    };
    let migrated = command("migrate", &[])?;
    let verified = match migrated {
        Some(_) => command("verify", &["--report", "report"])?,
        None => None,
    };
    let summary: Value = std::fs::read_to_string(dir.join("report/summary.json"))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let classes = summary["by_defect"]
        .as_object()
        .map(|classes| classes.keys().cloned().collect::<Vec<_>>().join(" "))
        .unwrap_or_default();
    let counts = &summary["counts"];
    Ok(Left {
        truth: simulation.control(&format!("/_sim/truth/{platform}"))?,
        migrated,
        behind: format!("{} {}", counts["quarantined"], counts["skipped"]),
        verified,
        classes,
    })
}

/// The exit code; none where it has to be killed, or was ended by a signal.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn run_for(command: &mut Command, began: Instant) -> Result<Option<i32>, Failure> {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Failure::new)?;
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().map_err(Failure::new)? {
            return Ok(status.code());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().map_err(Failure::new)?;
    child.wait().map_err(Failure::new)?;
    Ok(None)
}

/// A line for each mutant, worst first.
fn table(mutants: &[Mutant], told: &[[Told; 3]]) -> String {
    let mut rows: Vec<(&Mutant, &[Told; 3])> = mutants.iter().zip(told).collect();
    rows.sort_by(|(_, a), (_, b)| b.iter().max().cmp(&a.iter().max()));
    let cell = |text: &str| text.replace('|', "\\|");
    let mut page =
        "\n## Mutants\n\n| place | what stands there | the mutant | guide | public | gir |\n\
        | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for (mutant, ways) in rows {
        let words = |told: &Told| match told {
            Told::Found(what) => format!("found: {what}"),
            Told::Ended(what) => format!("ended: {what}"),
            Told::NoDifference => "no difference".to_owned(),
            Told::Missed(what) => format!("**missed**: {what}"),
        };
        let _ = writeln!(
            page,
            "| {}:{} | `{}` | `{}` | {} | {} | {} |",
            mutant.file,
            mutant.line,
            cell(&mutant.what),
            cell(&mutant.instead),
            cell(&words(&ways[0])),
            cell(&words(&ways[1])),
            cell(&words(&ways[2]))
        );
    }
    page
}
