//! Mutants of the migrator and of what it shares with the verifier: each migrates by each way in
//! and verifies its own work, as a tool with that bug would. All are one build
//! (`tests/mutants`); the platforms are ours, unmutated, in a process of their own.

mod page;
mod reasons;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use self::reasons::{REASONS, Reason};
use crate::report::{Failure, Report};
use crate::scenario::{BY_GUIDE, BY_PUBLIC, FaultRow, INTO_GIR, Simulation, towards};
use crate::workers;

const SEED: u64 = 29;
/// The least that the full proof has to try: one mutant more or less moves a share by half a
/// percent then.
const LEAST: usize = 200;
/// The full proof. Only with so many is a reason without its mutant told.
pub(crate) const FULL: u64 = 400;
/// With fewer nothing is built: the places are chosen and written, and that is looked at.
const FEW: u64 = 20;
/// A mutant that takes so many times as long as the program without one hangs.
const PATIENCE: u32 = 8;
/// So often a mutant that does not compile is left out and the rest is built again.
const BUILDS: usize = 6;

/// What all three ways in have; each has a plan and network faults of its own.
const SCENARIO: &str = r#"
about = "Every kind of call that a mutant could get wrong."
seed = 1
TARGET
[world]
interactions = 100
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
mean_seconds = 2.5
codecs = ["pcm", "mulaw", "alaw", "adpcm", "mp3", "amr", "gsm"]
expired = 2
[world.bad_media]
empty = 1
html = 1
noise = 1
undecodable = 1
unsupported = 1
incomplete = 1
truncated = 1
short = 1
[legacy.limits]
page_max = 20
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
max_retention_days = 3000
[plan.time]
naive_zone = "Europe/London"
site_zone = "Europe/London"
FAULTS
[expect]
migrator = "quarantined"
verdict = "match"
"#;

/// Wrong or unusual data of the source, one call each.
const WRONG_DATA: &[(&str, &[&str])] = &[
    (
        "interaction",
        &[
            "end_before_start",
            "end_missing",
            "seconds_for_milliseconds",
            "time_as_text",
            "ambiguous_local_hour",
            "missing_local_hour",
            "leap_day",
            "drift_undeclared",
            "duplicate_on_next_page",
            "id_beyond_double",
            "id_leading_zeros",
            "id_not_a_number",
            "unknown_direction",
            "emoji",
            "overlong_text",
            "control_characters",
            "lone_surrogate",
            "empty_texts",
            "absent_fields",
            "numbers_as_text",
            "unknown_skill",
            "unknown_wrap_up",
            "phone_national",
            "phone_sip",
            "phone_missing",
        ],
    ),
    ("agent", &["agent_missing"]),
    ("queue", &["queue_missing"]),
    (
        "segment",
        &[
            "segments_missing",
            "segments_overlap",
            "segment_reversed",
            "segment_time_missing",
            "conference",
        ],
    ),
    (
        "recording",
        &[
            "recording_reversed",
            "recording_time_zero",
            "recording_outlasts_call",
            "recording_on_unknown_segment",
            "recording_id_odd",
            "unknown_retention_class",
            "retention_class_missing",
            "held_and_expired",
        ],
    ),
    (
        "pause",
        &["pause_after_end", "pauses_overlap", "pause_past_end"],
    ),
    (
        "media",
        &[
            "declared_too_short",
            "wav_length_unknown",
            "wav_list_first",
            "zeros_after_end",
            "id3_before_mp3",
            "rate_11025",
            "rate_6000",
        ],
    ),
];

/// Beside the plan of each way in.
const EXCLUSIONS: &str = "legacy_recording_id,reason,decided_by,decided_at\n\
    100011-1,the customer asked for erasure,Jo Smith,2026-11-20\n";

/// A way in, with a plan that takes other branches than those of the other two.
struct Way {
    name: &'static str,
    /// Lines of the scenario.
    target: &'static str,
    /// As the control API names it.
    platform: &'static str,
    plan: &'static str,
    network: &'static [FaultRow],
}

const WAYS: [Way; 3] = [
    Way {
        name: "guide",
        target: BY_GUIDE,
        platform: "genesys_cloud",
        plan: r#"
[plan.pii]
phones = "mask"
pauses = "silence"
[plan.retention]
max_holds = 14
holds_beyond_maximum = "quarantine"
"#,
        network: &[
            ("legacy.get_media", "truncated_body", 1, 0.1),
            ("legacy.get_recording", "server_error", 1, 0.05),
            ("genesys_cloud.create_interaction", "lost_answer", 1, 0.1),
            ("genesys_cloud.upload_file", "too_many_requests", 1, 0.1),
        ],
    },
    Way {
        name: "public",
        target: BY_PUBLIC,
        platform: "genesys_cloud",
        plan: r#"
[plan.mapping]
external_id_authority = "legacy"
[plan.pii]
phones = { hash = { file = "secrets/source" } }
pauses = "tone"
[plan.audio]
format = "wav"
[plan.rules]
unmapped_queue = "skip"
partial = "send_rest"
[plan.retention]
over_max = "clamp"
"#,
        network: &[
            ("legacy.get_media", "truncated_body", 1, 0.1),
            ("genesys_cloud.inject_events", "lost_answer", 1, 0.1),
            ("genesys_cloud.put_upload", "server_error", 1, 0.1),
        ],
    },
    Way {
        name: "gir",
        target: INTO_GIR,
        platform: "gir",
        plan: r#"
[plan.pii]
phones = "keep"
pauses = "silence"
[plan.audio]
format = "keep"
"#,
        network: &[
            ("legacy.get_media", "truncated_body", 1, 0.1),
            ("webdav.put_file", "lost_answer", 1, 0.1),
            ("gir.insert_recording", "error_after_commit", 1, 0.1),
        ],
    },
];

impl Way {
    fn scenario(&self) -> String {
        let wrong_data = WRONG_DATA.iter().flat_map(|(place, kinds)| {
            kinds.iter().map(move |kind| {
                format!("[[fault]]\non = \"world.{place}\"\nkind = \"{kind}\"\ncount = 1\n")
            })
        });
        let exclusions = if self.plan.contains("[plan.rules]") {
            self.plan.replace(
                "[plan.rules]",
                "[plan.rules]\nexclusions = \"exclusions.csv\"",
            )
        } else {
            format!(
                "{}[plan.rules]\nexclusions = \"exclusions.csv\"\n",
                self.plan
            )
        };
        towards(SCENARIO, self.target, self.network) + &exclusions + &wrong_data.collect::<String>()
    }
}

/// One wrong place.
#[derive(Debug, Clone, Deserialize)]
struct Mutant {
    number: u32,
    file: String,
    line: usize,
    what: String,
    instead: String,
    /// Counted from 1: the same text may stand in a file several times.
    occurrence: u32,
}

impl Mutant {
    /// Which crate it is in.
    fn of_crate(&self) -> &str {
        self.file.split('/').next().unwrap_or_default()
    }

    fn reason(&self) -> Option<&'static Reason> {
        REASONS.iter().find(|reason| {
            (reason.file, reason.what, reason.instead) == (&*self.file, &*self.what, &*self.instead)
                && (reason.occurrence == 0 || reason.occurrence == self.occurrence)
        })
    }
}

/// What came of a mutant by one way in, from best to worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Neither migration nor verification comes to its place.
    NotReached,
    /// The target is as without the mutant, byte for byte, and so is what stays behind.
    NoDifference,
    /// The same, and the migrator's own counts differ: it says so itself, as far as that is wrong.
    CountsDiffer(String),
    /// The migration or the verification itself ended in an error, or did not end.
    Ended(String),
    /// The verifier: mismatch or cannot tell, with the classes of its findings.
    Found(String),
    /// The target is otherwise, and the verdict is match. A verifier without the mutant finds it:
    /// what that one says.
    Shared(String),
    /// The target is otherwise, and the verdict is match, with the mutant in the verifier or
    /// without it.
    Missed(String),
}

/// What a migration and its verification left.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    truth: String,
    migrated: Option<i32>,
    behind: String,
    verified: Option<i32>,
    classes: String,
    /// What a verifier without the mutant says, where the verdict was match and something differs.
    without_mutant: Option<String>,
    /// The migrator's own counts, a line each.
    counts: String,
}

/// A run without a mutant.
struct Baseline {
    run: Run,
    /// Numbers of the mutants whose places it comes to.
    reached: BTreeSet<u32>,
    patience: Duration,
}

/// A mutant with what came of it by each way in.
struct Tried {
    mutant: Mutant,
    ways: [Outcome; 3],
}

impl Tried {
    fn worst(&self) -> &Outcome {
        self.ways.iter().max().unwrap_or(&Outcome::NotReached)
    }
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
    let baselines = WAYS
        .iter()
        .map(|way| baseline(&binary, way))
        .collect::<Result<Vec<_>, _>>()?;
    let tried = all(&binary, mutants, &baselines)?;
    let stale = page::write(&mut report, &tried, omitted);
    // With fewer mutants the one that a reason is about may not be among them.
    if n >= FULL && !stale.is_empty() {
        return Err(Failure::new(format!(
            "no missed mutant has these reasons any more; remove them from reasons.rs: {}",
            stale.join(", ")
        )));
    }
    let reached = tried
        .iter()
        .filter(|tried| *tried.worst() != Outcome::NotReached)
        .count();
    if n >= FULL && reached < LEAST {
        return Err(Failure::new(format!("only {reached} mutants are reached")));
    }
    let unexplained = tried
        .iter()
        .filter(|tried| {
            matches!(tried.worst(), Outcome::Missed(_)) && tried.mutant.reason().is_none()
        })
        .count();
    if unexplained == 0 {
        return Ok(report);
    }
    let table = folder.join("table.md");
    std::fs::write(&table, &report.appendix).map_err(Failure::new)?;
    Err(Failure::new(format!(
        "{unexplained} mutants are missed without a reason in tests/prove/mutants/reasons.rs; see \
         {}",
        table.display()
    )))
}

/// Two runs without a mutant, which have to be the same: one that tells what is reached, one that
/// does not.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn baseline(binary: &Path, way: &Way) -> Result<Baseline, Failure> {
    const LONGEST: Duration = Duration::from_secs(300);
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let file = folder.path().join("reached");
    let telling = try_mutant(binary, 0, way, LONGEST, Observe::Reached(&file))?;
    let began = Instant::now();
    let run = try_mutant(binary, 0, way, LONGEST, Observe::Nothing)?;
    let patience = began.elapsed() * PATIENCE;
    if (run.migrated, run.verified) != (Some(10), Some(0)) {
        return Err(Failure::new(format!(
            "without a mutant {} ends {:?} and {:?}: {}",
            way.name, run.migrated, run.verified, run.classes
        )));
    }
    if telling != run {
        return Err(Failure::new(format!(
            "two runs without a mutant by {} differ: {}",
            way.name,
            first_difference(&telling.truth, &run.truth)
        )));
    }
    let reached = std::fs::read_to_string(file)
        .map_err(Failure::new)?
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    Ok(Baseline {
        run,
        reached,
        patience,
    })
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
    let fresh = folder.join("fresh");
    copied(root, &fresh).map_err(Failure::new)?;
    let omitted: Vec<String> = omitted.iter().map(u32::to_string).collect();
    let output = Command::new(tool)
        .arg(root)
        .arg(&fresh)
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
        // What did not change keeps its time of change, and is not built again.
        copied(&folder.join("fresh"), &folder.join("workspace")).map_err(Failure::new)?;
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

/// Every mutant by every way in that comes to its place, on all cores.
fn all(binary: &Path, mutants: Vec<Mutant>, baselines: &[Baseline]) -> Result<Vec<Tried>, Failure> {
    // Two thirds of a run is waiting: three a core.
    let lanes = 3 * workers::cores();
    let outcomes = workers::in_parallel(lanes, mutants.len() * WAYS.len(), |at| {
        let (mutant, way) = (&mutants[at / WAYS.len()], at % WAYS.len());
        let outcome = outcome(binary, mutant.number, &WAYS[way], &baselines[way])?;
        if let Outcome::Missed(what) = &outcome {
            println!(
                "    missed by {}: {}:{} `{}` as `{}`: {what}",
                WAYS[way].name, mutant.file, mutant.line, mutant.what, mutant.instead
            );
        }
        Ok(outcome)
    });
    let mut outcomes = outcomes.into_iter();
    let mut next = || {
        outcomes
            .next()
            .unwrap_or_else(|| Err(Failure::new("an outcome is absent")))
    };
    mutants
        .into_iter()
        .map(|mutant| {
            Ok(Tried {
                mutant,
                ways: [next()?, next()?, next()?],
            })
        })
        .collect()
}

/// What a run of a mutant shows beside one without.
fn outcome(binary: &Path, mutant: u32, way: &Way, baseline: &Baseline) -> Result<Outcome, Failure> {
    if !baseline.reached.contains(&mutant) {
        return Ok(Outcome::NotReached);
    }
    let run = try_mutant(
        binary,
        mutant,
        way,
        baseline.patience,
        Observe::Difference(&baseline.run),
    )?;
    let same_truth = run.truth == baseline.run.truth;
    Ok(match (run.migrated, run.verified) {
        // A migration that itself ended in an error was not found by the verifier.
        (Some(0 | 10), Some(code @ (20 | 21))) => Outcome::Found(finding(code, &run.classes)),
        (Some(0 | 10), Some(0)) if run.without_mutant.is_some() => {
            Outcome::Shared(run.without_mutant.unwrap_or_default())
        }
        (Some(0 | 10), Some(0)) if same_truth && run.behind == baseline.run.behind => {
            let (before, after) = (baseline.run.counts.lines(), run.counts.lines());
            match before.zip(after).find(|(before, after)| before != after) {
                Some((before, after)) => {
                    Outcome::CountsDiffer(format!("{after} instead of {before}"))
                }
                None => Outcome::NoDifference,
            }
        }
        (Some(0 | 10), Some(0)) if same_truth => Outcome::Missed(format!(
            "{} stay behind instead of {} (quarantined and skipped)",
            run.behind, baseline.run.behind
        )),
        (Some(0 | 10), Some(0)) => {
            Outcome::Missed(first_difference(&baseline.run.truth, &run.truth))
        }
        (migrated, verified) => {
            let said =
                |code: Option<i32>| code.map_or("did not end".to_owned(), |code| code.to_string());
            Outcome::Ended(format!(
                "migrate {}, verify {}",
                said(migrated),
                said(verified)
            ))
        }
    })
}

/// The words for the exit code of a verification, 20 or 21.
fn finding(code: i32, classes: &str) -> String {
    if code == 20 {
        format!("mismatch {classes}")
    } else {
        "cannot tell".to_owned()
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

/// What is asked of a run beside its outcome.
#[derive(Clone, Copy)]
enum Observe<'a> {
    Nothing,
    /// The numbers of the mutants whose places it comes to, in a file.
    Reached(&'a Path),
    /// What a verifier without the mutant says, if the verdict is match and the run differs from
    /// this one.
    Difference(&'a Run),
}

/// Migrates and verifies with a mutant against fresh platforms.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn try_mutant(
    binary: &Path,
    mutant: u32,
    way: &Way,
    patience: Duration,
    observe: Observe<'_>,
) -> Result<Run, Failure> {
    let simulation = Simulation::start(&way.scenario(), SEED)?;
    let dir = simulation.dir.path();
    std::fs::write(dir.join("plan/exclusions.csv"), EXCLUSIONS).map_err(Failure::new)?;
    let end = Instant::now() + patience;
    let command = |mutant: u32, arguments: &[&str]| {
        let mut command = Command::new(binary);
        command
            .args(&arguments[..1])
            .arg(&simulation.plan)
            .args(&arguments[1..])
            .env("SEATRIAL_MUTANT", mutant.to_string())
            .current_dir(dir);
        if let Observe::Reached(file) = observe {
            command.env("SEATRIAL_MUTANTS_REACHED", file);
        }
        exit_code(&mut command, end)
    };
    let migrated = command(mutant, &["migrate"])?;
    let verified = match migrated {
        Some(_) => command(mutant, &["verify", "--report", "report"])?,
        None => None,
    };
    let summary = summary(&dir.join("report"));
    let counts = &summary["counts"];
    let mut run = Run {
        truth: simulation.control(&format!("/_sim/truth/{}", way.platform))?,
        migrated,
        behind: format!("{} {}", counts["quarantined"], counts["skipped"]),
        verified,
        classes: classes(&summary),
        without_mutant: None,
        counts: own_counts(binary, &simulation)?,
    };
    if let Observe::Difference(baseline) = observe
        && verified == Some(0)
        && (&run.truth, &run.behind) != (&baseline.truth, &baseline.behind)
        && let Some(code @ (20 | 21)) = command(0, &["verify", "--report", "without-mutant"])?
    {
        let classes = classes(&self::summary(&dir.join("without-mutant")));
        run.without_mutant = Some(finding(code, &classes));
    }
    Ok(run)
}

/// What `status` counts, a line each: read without a mutant.
fn own_counts(binary: &Path, simulation: &Simulation) -> Result<String, Failure> {
    let output = Command::new(binary)
        .arg("status")
        .arg(&simulation.plan)
        .arg("--json")
        .current_dir(simulation.dir.path())
        .stderr(Stdio::null())
        .output()
        .map_err(Failure::new)?;
    // A migration that failed at once has no ledger, and nothing is counted.
    let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let lines = status["tally"].as_object().into_iter().flatten();
    Ok(lines
        .map(|(name, count)| format!("{name} {count}\n"))
        .collect())
}

/// Null if there is none.
fn summary(report: &Path) -> Value {
    std::fs::read_to_string(report.join("summary.json"))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// The classes of its findings.
fn classes(summary: &Value) -> String {
    summary["by_defect"]
        .as_object()
        .map(|classes| classes.keys().cloned().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

/// Absent: it had to be killed at `end`, or was ended by a signal.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn exit_code(command: &mut Command, end: Instant) -> Result<Option<i32>, Failure> {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Failure::new)?;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().map_err(Failure::new)? {
            return Ok(status.code());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().map_err(Failure::new)?;
    child.wait().map_err(Failure::new)?;
    Ok(None)
}
