//! The same outcome on any day: the suite's own programs and whole rehearsals, under dates of other
//! years and in two time zones.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use crate::report::{Failure, Report};
use crate::workers;

/// Moments at which something about a date goes wrong, UTC.
pub(crate) const MOMENTS: [(&str, &str); 8] = [
    (
        "2031-03-30T00:59:30Z",
        "half a minute before clocks go forward in Europe; years ahead of every world",
    ),
    (
        "2027-07-01T09:00:00Z",
        "behind the worlds' windows by a year",
    ),
    ("2026-12-31T23:59:30Z", "half a minute before a new year"),
    (
        "2027-10-31T00:59:30Z",
        "half a minute before clocks go back in Europe",
    ),
    ("2028-02-29T12:00:00Z", "a leap day"),
    (
        "2032-02-29T23:59:30Z",
        "half a minute before a leap day ends",
    ),
    ("2038-01-19T03:14:00Z", "where 32 bits of seconds end"),
    ("2040-11-04T09:00:00Z", "the day clocks go back in America"),
];

/// East of every worker of a call centre in Europe, and west of them: on one side it is another
/// day.
const ZONES: [&str; 2] = ["Pacific/Auckland", "America/Los_Angeles"];

/// Programs of the suite that a small proof runs: verdicts and damages, where dates are judged.
const SMALL_SUITE: [&str; 2] = ["verification", "tamper"];
const SCENARIOS: [&str; 4] = [
    "showcase",
    "public_showcase",
    "gir_showcase",
    "source_data/retention_faults",
];

/// From Python 3.11 on `time.sleep` waits for an absolute moment of the monotonic clock, which
/// libfaketime 0.9.10 refuses as an invalid argument.
const SLEEP_UNDER_FAKETIME: &str =
    "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n";

/// `n` moments; all of them run the whole suite, fewer what judges dates.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let n = usize::try_from(n).unwrap_or(usize::MAX).min(MOMENTS.len());
    let is_whole = n == MOMENTS.len();
    let suite: Vec<Program> = programs()?
        .into_iter()
        .filter(|program| {
            program.name != "prove" && (is_whole || SMALL_SUITE.contains(&&*program.name))
        })
        .collect();
    if suite.is_empty() {
        return Err(Failure::new("the suite has no programs; is it built?"));
    }
    let scenarios = if is_whole {
        &SCENARIOS[..]
    } else {
        &SCENARIOS[..1]
    };
    let mut report = Report::default();
    let python = tempfile::tempdir().map_err(Failure::new)?;
    std::fs::write(python.path().join("sitecustomize.py"), SLEEP_UNDER_FAKETIME)
        .map_err(Failure::new)?;
    for (at, (moment, why)) in MOMENTS.iter().take(n).enumerate() {
        let rehearsals = ZONES.iter().flat_map(|zone| {
            scenarios
                .iter()
                .map(move |scenario| (*zone, Run::Rehearsal(scenario)))
        });
        let programs = suite
            .iter()
            .map(|program| (ZONES[at % ZONES.len()], Run::Program(program)));
        let runs: Vec<_> = rehearsals.chain(programs).collect();
        let one = |(zone, run): &(&'static str, Run<'_>)| -> Result<(), Failure> {
            let date = Faked::new(moment, zone, python.path())?;
            match run {
                Run::Program(program) => {
                    date.run(&program.path, &["--include-ignored"], &program.dir)
                }
                Run::Rehearsal(scenario) => date.rehearse(scenario),
            }
        };
        // Two thirds of what they do is waiting: three a core.
        let lanes = 3 * workers::cores();
        let failed: Vec<String> = workers::in_parallel(lanes, runs.len(), |at| one(&runs[at]))
            .into_iter()
            .filter_map(|run| run.err().map(|failure| failure.0))
            .collect();
        if !failed.is_empty() {
            return Err(Failure::new(failed.join("\n\n")));
        }
        report.row(
            &format!("{moment} ({why})"),
            format!(
                "{} programs of the suite and {} rehearsals pass",
                suite.len(),
                ZONES.len() * scenarios.len()
            ),
        );
    }
    report.row("time zones", ZONES.join(", "));
    Ok(report)
}

/// What is run under a date.
enum Run<'a> {
    Program(&'a Program),
    Rehearsal(&'static str),
}

/// A date and zone under which programs run, by Debian's libfaketime. Time goes on from there, and
/// waits last as long as they do.
struct Faked<'a> {
    moment: &'static str,
    zone: &'static str,
    /// Seconds from the machine's clock to the faked one: an offset, so that a program started
    /// later sees a later time.
    ahead: i64,
    /// Modules that Python loads first.
    python: &'a Path,
}

impl<'a> Faked<'a> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the offset from this machine's clock is what is asked for"
    )]
    fn new(
        moment: &'static str,
        zone: &'static str,
        python: &'a Path,
    ) -> Result<Faked<'a>, Failure> {
        let at: Timestamp = moment.parse().map_err(Failure::new)?;
        Ok(Faked {
            moment,
            zone,
            ahead: at.as_second() - Timestamp::now().as_second(),
            python,
        })
    }

    fn run(&self, program: &Path, arguments: &[&str], dir: &Path) -> Result<(), Failure> {
        let output = Command::new("faketime")
            .args([
                "-m",
                "--exclude-monotonic",
                "-f",
                &format!("{:+}s", self.ahead),
            ])
            .arg(program)
            .args(arguments)
            .current_dir(dir)
            .env("TZ", self.zone)
            .env("NO_FAKE_STAT", "1")
            .env("PYTHONPATH", self.python)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                Failure::new(format!(
                    "faketime: {error}; install Debian's package faketime"
                ))
            })?;
        if output.status.success() {
            return Ok(());
        }
        let said = [&output.stdout[..], &output.stderr[..]]
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .join("\n");
        let last: Vec<&str> = said.lines().rev().take(60).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        Err(Failure::new(format!(
            "{} {} at {} in {}: {}\n{last}",
            program.display(),
            arguments.join(" "),
            self.moment,
            self.zone,
            output.status
        )))
    }

    fn rehearse(&self, scenario: &str) -> Result<(), Failure> {
        let dir = tempfile::tempdir().map_err(Failure::new)?;
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scenarios")
            .join(format!("{scenario}.toml"));
        let scenario = scenario
            .to_str()
            .ok_or_else(|| Failure::new("a path that is text"))?;
        self.run(
            Path::new(env!("CARGO_BIN_EXE_seatrial")),
            &["rehearse", scenario],
            dir.path(),
        )
    }
}

/// A test program, and the folder cargo runs it in.
struct Program {
    name: String,
    path: PathBuf,
    dir: PathBuf,
}

/// The suite as cargo built it. Nothing is built anew where this proof itself was built with the
/// suite.
fn programs() -> Result<Vec<Program>, Failure> {
    let arguments = [
        "test",
        "--release",
        "--workspace",
        "--locked",
        "--no-run",
        "--message-format=json",
        "--quiet",
    ];
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo told this proof of its own package would look like a changed environment to build
    // scripts, and everything would be built anew.
    let of_package = |name: &String| {
        [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ]
        .iter()
        .any(|own| name.starts_with(own))
    };
    std::env::vars()
        .map(|(name, _)| name)
        .filter(of_package)
        .for_each(|name| _ = cargo.env_remove(name));
    let output = cargo
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::new)?;
    if !output.status.success() {
        return Err(Failure::new("the suite does not build"));
    }
    let program = |line: &str| -> Option<Program> {
        let line: Value = serde_json::from_str(line).ok()?;
        // The command itself is built too, for the tests that run it.
        line["profile"]["test"]
            .as_bool()
            .filter(|is_test| *is_test)?;
        let manifest = Path::new(line["manifest_path"].as_str()?);
        Some(Program {
            name: line["target"]["name"].as_str()?.to_owned(),
            path: line["executable"].as_str()?.into(),
            dir: manifest.parent()?.to_owned(),
        })
    };
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(program).collect())
}
