//! How a verification grows with the number of calls: time beside a database's join of the same
//! columns, and memory.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::{Network, Transport};
use verifier::{AudioScope, Options, Progress, Report as Verified, Stage, Verdict};

use crate::disk::{Disk, DiskWatch};
use crate::organisation::{Listener, Organisation};
use crate::report::{Failure, Report};
use crate::scale_gir;
use crate::scenario::{Simulation, seatrial};

pub(crate) const SEED: u64 = 41;
/// Each is measured so often, in turn.
const ROUNDS: usize = 3;
/// The source takes 60,000 requests a minute: so much faster is the clock.
const FACTOR: f64 = 200.0;

/// Calls of the scenario.
pub(crate) const ORIGINALS: u64 = 24;
/// Every kind of call that is right. None is under hold: an organisation protects a thousand.
pub(crate) const SCENARIO: &str = r#"
about = "Calls of which an organisation of any size is made."
seed = 1
target = "genesys_cloud"
ingest = "guide"
[world]
interactions = 24
agents = 12
queues = 4
transfer_share = 0.2
hold_share = 0.0
stereo_share = 0.5
pause_share = 0.2
recorder_nodes = 3
mean_seconds = 3.0
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
[expect]
verdict = "match"
"#;

/// `n` calls for the memory, a tenth of them for the time.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let mut report = Report {
        seed: SEED,
        ..Report::default()
    };
    let simulation = Simulation::start(SCENARIO, SEED)?;
    migrate(&simulation)?;
    let loaded = LoadedPlan::read(&simulation.plan).map_err(Failure::new)?;
    let listener = Listener::new(Arc::new(
        Network::new().ok_or_else(|| Failure::new("no network"))?,
    ));
    let real = verify(&loaded, listener.clone(), Clock::real())?;
    is_match(&real, ORIGINALS)?;
    let now_ms = Clock::real().now_ms();
    let organisation = |calls: u64| Organisation::of(&listener.answers(), calls, now_ms);

    let tenth = n / 10;
    let (ours, theirs, pages) = beside_a_join(&loaded, &organisation(tenth)?, now_ms)?;
    report.row(
        &format!("calls on each side, with a recording or more each, beside DuckDB {pages}"),
        tenth,
    );
    report.row(
        "seconds of DuckDB's full outer join of the same columns from Parquet, median of 3",
        format!("{theirs:.2}"),
    );
    report.row(
        "seconds of the verifier's join with every check, median of 3, in turn with it",
        format!("{ours:.2}"),
    );
    report.row("ratio (goal: at most 2)", format!("{:.1}", ours / theirs));

    let Alone {
        took,
        peak_kib,
        disk,
    } = alone(&loaded, organisation(n)?, n, now_ms)?;
    report.row("calls on each side", n);
    report.row(
        "peak resident MiB of verifying them (goal for 10 million: 2048)",
        format!("{:.0}", peak_kib as f64 / 1024.0),
    );
    report.row(
        "bytes on disk a call at their most, of which readings kept for an interrupt",
        format!("{}, {}", disk.all / n, disk.kept / n),
    );
    report.row(
        "seconds of it, of which the join and every check",
        format!(
            "{:.0}, {:.1}",
            took.all.as_secs_f64(),
            took.checks.as_secs_f64()
        ),
    );

    scale_gir::rows((n / 10).max(ORIGINALS), &mut report)?;

    let calls = n * 43 / 1000;
    let (seconds, peak) = three_days(calls)?;
    report.row(
        "calls as three_days has them, verified by a process of its own, 2,000 heard",
        calls,
    );
    report.row(
        "its peak resident MiB (goal for 430000: 1024)",
        format!("{:.0}", peak as f64 / 1024.0),
    );
    report.row("its seconds", format!("{seconds:.0}"));
    Ok(report)
}

pub(crate) fn migrate(simulation: &Simulation) -> Result<(), Failure> {
    let status = seatrial()
        .arg("migrate")
        .arg(&simulation.plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(Failure::new)?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("migrate ended with {status}"))),
    }
}

pub(crate) fn is_match(report: &Verified, calls: u64) -> Result<(), Failure> {
    let counts = &report.summary.counts;
    if report.summary.verdict == Verdict::Match && counts.source_interactions == calls {
        return Ok(());
    }
    let first = report
        .findings
        .first()
        .map(|finding| format!("{finding:?}"));
    Err(Failure::new(format!(
        "{}; {counts:?}; {}",
        report.summary.sentence,
        first.unwrap_or_default()
    )))
}

/// How long the parts of a verification took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) all: Duration,
    pub(crate) checks: Duration,
}

/// What a verification took that this process made.
pub(crate) struct Alone {
    pub(crate) took: Took,
    /// Peak of the process meanwhile.
    pub(crate) peak_kib: u64,
    pub(crate) disk: Disk,
}

/// When each stage began.
#[derive(Default)]
struct Stages(Mutex<Vec<(Stage, Option<Instant>)>>);

impl Progress for Stages {
    #[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
    fn begin(&self, stage: Stage, _: Option<u64>) {
        self.0.lock().push((stage, Some(Instant::now())));
    }

    fn advance(&self, _: u64) {}
}

impl Stages {
    /// From the first check to the first sound.
    fn checks(&self) -> Duration {
        let stages = self.0.lock();
        let of = |wanted: Stage| {
            let found = stages.iter().find(|(stage, _)| *stage == wanted);
            found.and_then(|(_, at)| *at)
        };
        match (of(Stage::Checks), of(Stage::Audio)) {
            (Some(began), Some(ended)) => ended.duration_since(began),
            _ => Duration::ZERO,
        }
    }
}

pub(crate) fn verify(
    loaded: &LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: Clock,
) -> Result<Verified, Failure> {
    Ok(timed(loaded, transport, clock, None)?.0)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn timed(
    loaded: &LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: Clock,
    report_dir: Option<PathBuf>,
) -> Result<(Verified, Took), Failure> {
    let options = Options {
        report_dir,
        audio: AudioScope::None,
        concurrency: 16,
        ..Options::default()
    };
    let (stages, began) = (Stages::default(), Instant::now());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::new)?;
    let report = runtime
        .block_on(verifier::verify(loaded, options, transport, clock, &stages))
        .map_err(Failure::new)?;
    let took = Took {
        all: began.elapsed(),
        checks: stages.checks(),
    };
    Ok((report, took))
}

/// Medians of the verifier and of the database, in seconds; and the database's version.
fn beside_a_join(
    loaded: &LoadedPlan,
    organisation: &Arc<Organisation>,
    now_ms: i64,
) -> Result<(f64, f64, String), Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    let (source, target) = (dir.path().join("source.csv"), dir.path().join("target.csv"));
    write_columns(organisation, &source, &target)?;
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/scale/python/bin/python");
    let mut database = Command::new(&python)
        .arg("tests/scale/join.py")
        .arg(&source)
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("{}: {error}", python.display())))?;
    let (input, output) = (database.stdin.take(), database.stdout.take());
    let (Some(mut input), Some(output)) = (input, output) else {
        return Err(Failure::new("no pipe to the database"));
    };
    let mut answers = BufReader::new(output).lines();
    let mut next = || match answers.next() {
        Some(answer) => answer.map_err(Failure::new),
        None => Err(Failure::new("the database has ended")),
    };
    let version = next()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        writeln!(input, "join").map_err(Failure::new)?;
        let answer = next()?;
        let cells: Vec<f64> = answer
            .split(' ')
            .filter_map(|cell| cell.parse().ok())
            .collect();
        let wanted = organisation.calls() as f64;
        match cells.as_slice() {
            [seconds, calls, different] if *calls == wanted && *different == 0.0 => {
                theirs.push(*seconds);
            }
            _ => return Err(Failure::new(format!("the database answers `{answer}`"))),
        }
        let clock = Clock::scaled(now_ms, FACTOR);
        let (report, took) = timed(loaded, organisation.clone(), clock, None)?;
        is_match(&report, organisation.calls())?;
        ours.push(took.checks.as_secs_f64());
    }
    drop(input);
    database.wait().map_err(Failure::new)?;
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Ok((median(ours), median(theirs), version))
}

fn write_columns(
    organisation: &Organisation,
    source: &PathBuf,
    target: &PathBuf,
) -> Result<(), Failure> {
    let write = |path: &PathBuf, row: &dyn Fn(u64) -> Result<String, Failure>| {
        let file = std::fs::File::create(path).map_err(Failure::new)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        writeln!(out, "{}", Organisation::COLUMNS.join(",")).map_err(Failure::new)?;
        for n in 0..organisation.calls() {
            writeln!(out, "{}", row(n)?).map_err(Failure::new)?;
        }
        out.flush().map_err(Failure::new)
    };
    write(source, &|n| organisation.source_row(n))?;
    write(target, &|n| organisation.target_row(n))
}

/// A verification of so many calls that writes its report, as a person has it made.
pub(crate) fn alone(
    loaded: &LoadedPlan,
    transport: Arc<dyn Transport>,
    n: u64,
    now_ms: i64,
) -> Result<Alone, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    // Source: proc(5), /proc/pid/clear_refs: 5 sets the peak back to what is resident.
    std::fs::write("/proc/self/clear_refs", "5").map_err(Failure::new)?;
    let clock = Clock::scaled(now_ms, FACTOR);
    let disk = DiskWatch::start(std::process::id(), folder.path());
    let (report, took) = timed(loaded, transport, clock, Some(folder.path().to_owned()))?;
    let disk = disk.most();
    is_match(&report, n)?;
    let peak_kib = crate::footprint::of_process(std::process::id(), "VmHWM")
        .ok_or_else(|| Failure::new("no peak"))?;
    Ok(Alone {
        took,
        peak_kib,
        disk,
    })
}

/// `scenarios/three_days.toml` with so many calls, without the limits and faults that make it three
/// days.
fn three_days_at_once(calls: u64) -> Result<String, Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/three_days.toml");
    let mut scenario: toml::Table = std::fs::read_to_string(path)
        .map_err(Failure::new)?
        .parse()
        .map_err(Failure::new)?;
    scenario.remove("clock");
    scenario.remove("fault");
    let calls = i64::try_from(calls).map_err(Failure::new)?;
    for (table, key, value) in [
        (vec!["world"], "interactions", calls),
        (vec!["genesys_cloud", "limits"], "requests_per_minute", 0),
        (vec!["genesys_cloud", "limits"], "uploads_per_second", 0),
    ] {
        let mut inner = Some(&mut scenario);
        for name in table {
            inner = inner.and_then(|outer| outer.get_mut(name)?.as_table_mut());
        }
        let inner = inner.ok_or_else(|| Failure::new(format!("three_days has no {key}")))?;
        inner.insert(key.to_owned(), toml::Value::Integer(value));
    }
    Ok(scenario.to_string())
}

/// Seconds and peak of `seatrial verify`. KiB.
#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn three_days(calls: u64) -> Result<(f64, u64), Failure> {
    let simulation = Simulation::start(&three_days_at_once(calls)?, SEED)?;
    migrate(&simulation)?;
    let began = Instant::now();
    let child = seatrial()
        .arg("verify")
        .arg(&simulation.plan)
        .arg("--report")
        .arg(simulation.dir.path().join("report"))
        .args(["--audio", "2000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Failure::new)?;
    let peak = crate::footprint::peak(child)?;
    Ok((began.elapsed().as_secs_f64(), peak))
}
