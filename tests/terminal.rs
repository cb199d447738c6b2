//! What a person meets at the terminal and on disk.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{NO_LIMITS, Simulation, command, read, seatrial};
use tempfile::TempDir;

const SMALL_WORLD: &str = "[world]\ninteractions = 6\nre_used_agents = 0\n";

fn simulation(seed: u64) -> Simulation {
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = {seed}\n{SMALL_WORLD}{NO_LIMITS}\n[expect]\nverdict = \
         \"match\"\n"
    ))
}

/// Every file and folder below.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                [vec![path.clone()], below(&path)].concat()
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn what_holds_recordings_numbers_or_names_is_its_owners_alone() {
    let simulation = simulation(71);
    let run = simulation.seatrial(&["migrate", "plan.toml"]);
    assert!([0, 10].contains(&run.code), "{run}");
    simulation
        .seatrial(&[
            "status",
            "plan.toml",
            "--crosswalk",
            "crosswalk.csv",
            "--custody",
            "custody.ndjson",
            "--quarantine",
            "q.csv",
        ])
        .ends(0);
    simulation.verify(&[]);
    let wrong: Vec<String> = below(simulation.dir())
        .into_iter()
        // The test itself wrote the scenario.
        .filter(|path| {
            path.extension().is_none_or(|extension| extension != "toml")
                || path.ends_with("plan.toml")
        })
        .filter(|path| {
            !path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("simulate."))
        })
        .filter_map(|path| {
            let mode = std::fs::metadata(&path)
                .expect("there")
                .permissions()
                .mode()
                & 0o777;
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            (mode != wanted).then(|| format!("{mode:o} {}", path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_is_a_document_too() {
    let folder = TempDir::new().expect("a folder");
    for (arguments, code) in [
        (vec!["preflight", "none.toml"], 2),
        (vec!["migrate", "none.toml"], 2),
        (vec!["status", "none.toml"], 2),
        (vec!["verify", "none.toml"], 2),
        (vec!["simulate", "none.toml"], 2),
        (vec!["explore", "none.toml"], 2),
        (vec!["forecast"], 2),
        (vec!["migrate"], 2),
        (vec!["explore", "none.toml", "--seeds", "0"], 2),
        (vec!["rehearse", "none.toml"], 2),
    ] {
        let run = seatrial(folder.path(), &[&arguments[..], &["--json"]].concat()).ends(code);
        let document = run.json();
        if arguments[0] != "rehearse" {
            assert_eq!(document["error"]["exit_code"], code, "{run}");
            assert!(
                document["error"]["sentence"]
                    .as_str()
                    .is_some_and(|sentence| !sentence.is_empty()),
                "{run}"
            );
        }
        assert!(!run.stderr.is_empty(), "{run}");
    }
}

#[test]
fn figures_that_are_none_are_refused_in_a_sentence() {
    let folder = TempDir::new().expect("a folder");
    let rows: [(&[&str], &str); 12] = [
        (&["--recordings", "0"], "--recordings"),
        (&["--recordings", "18446744073709551615"], "--recordings"),
        (
            &["--recordings", "5", "--mean-seconds", "nan"],
            "--mean-seconds",
        ),
        (
            &["--recordings", "5", "--mean-seconds", "inf"],
            "--mean-seconds",
        ),
        (
            &["--recordings", "5", "--mean-seconds", "1e308"],
            "--mean-seconds",
        ),
        (
            &["--recordings", "5", "--mean-seconds", "0"],
            "--mean-seconds",
        ),
        (
            &["--recordings", "5", "--requests-per-minute", "0"],
            "--requests-per-minute",
        ),
        (
            &["--recordings", "5", "--megabits-per-second", "nan"],
            "--megabits-per-second",
        ),
        (&["--recordings", "5", "--tokens", "0"], "--tokens"),
        (&["--recordings", "5", "--cores", "0"], "--cores"),
        (
            &["--recordings", "1000000000000", "--bytes", "1000000000000"],
            "more bytes than can be counted",
        ),
        (
            &["--recordings", "100000000000", "--requests-per-minute", "1"],
            "in no year of this calendar",
        ),
    ];
    for (arguments, part) in rows {
        let run = seatrial(folder.path(), &[&["forecast"], arguments].concat()).ends(2);
        assert!(
            run.stdout.is_empty() && run.stderr.contains(part),
            "{arguments:?}: {run}"
        );
    }
    let run = seatrial(folder.path(), &["forecast", "--recordings", "4000000"]).ends(0);
    assert!(run.stdout.contains("4,000,000 recordings"), "{run}");
}

#[test]
fn each_boolean_flag_has_its_environment_variable() {
    let simulation = simulation(72);
    for (value, sentence) in [
        ("1", "dry run: "),
        ("true", "dry run: "),
        ("0", "are in the target"),
    ] {
        let run = command(simulation.dir())
            .args(["migrate", "plan.toml"])
            .env("SEATRIAL_DRY_RUN", value)
            .output()
            .expect("run");
        assert!(
            String::from_utf8_lossy(&run.stdout).contains(sentence),
            "{value}: {run:?}"
        );
    }
}

#[test]
fn every_request_is_logged_without_a_value() {
    let simulation = simulation(73);
    let run = simulation.seatrial(&["migrate", "plan.toml", "-vv"]);
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("/api/v2/"))
        .collect();
    for part in [
        "GET 127.0.0.1:",
        "/api/v2/analytics/interactions/query 200 ",
        "/api/v2/recordings/{} 200 ",
        " ms",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(part)),
            "{part}: {run}"
        );
    }
    assert!(
        !lines
            .iter()
            .any(|line| line.contains('?') || line.contains("1000")),
        "{run}"
    );
}

#[test]
fn an_option_that_names_a_place_is_relative_to_where_one_stands() {
    let simulation = simulation(74);
    let elsewhere = TempDir::new().expect("a folder");
    let plan = simulation
        .file("plan.toml")
        .canonicalize()
        .expect("a path")
        .display()
        .to_string();
    let run = seatrial(
        elsewhere.path(),
        &["migrate", &plan, "--ledger", "own.db", "--staging", "own"],
    );
    assert!(
        [0, 10].contains(&run.code)
            && elsewhere.path().join("own.db").exists()
            && elsewhere.path().join("own/blob").exists(),
        "{run}"
    );
    seatrial(elsewhere.path(), &["status", &plan, "--ledger", "own.db"]).ends(0);
    let run = seatrial(
        elsewhere.path(),
        &[
            "status",
            &plan,
            "--ledger",
            "own.db",
            "--crosswalk",
            "/nonexist/x.csv",
        ],
    )
    .ends(2);
    assert!(
        run.stderr.contains("/nonexist/x.csv")
            && !run.stderr.contains("run the same command again"),
        "{run}"
    );

    // The chain of custody holds, and a changed byte of it is seen.
    let custody = [
        "status",
        &plan,
        "--ledger",
        "own.db",
        "--custody",
        "c.ndjson",
    ];
    seatrial(elsewhere.path(), &custody).ends(0);
    let check = [
        "status",
        &plan,
        "--ledger",
        "own.db",
        "--check-custody",
        "c.ndjson",
        "--json",
    ];
    assert_eq!(
        seatrial(elsewhere.path(), &check).ends(0).json()["custody"]["broken"],
        Value::Null
    );
    let text = read(&elsewhere.path().join("c.ndjson"));
    std::fs::write(
        elsewhere.path().join("c.ndjson"),
        text.replacen("\"hop\":\"stage\"", "\"hop\":\"stagf\"", 1),
    )
    .expect("written");
    assert!(seatrial(elsewhere.path(), &check).ends(20).json()["custody"]["broken"].is_string());
}

#[test]
fn a_standard_output_that_takes_nothing_is_an_error() {
    let simulation = simulation(75);
    simulation.seatrial(&["migrate", "plan.toml"]);
    for arguments in [
        &["status", "plan.toml", "--json"][..],
        &["status", "plan.toml"],
        &["schema", "plan"],
        &["--help"],
    ] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("a full device");
        let run = command(simulation.dir())
            .args(arguments)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .expect("run");
        let told = String::from_utf8_lossy(&run.stderr);
        assert!(
            run.status.code() == Some(11) && told.contains("standard output cannot be written"),
            "{arguments:?}: {told}"
        );
    }
}

#[test]
fn a_damaged_ledger_says_the_way_on_and_the_way_works() {
    let simulation = simulation(76);
    let first = simulation.seatrial(&["migrate", "plan.toml"]);
    let ledger = simulation.file("ledger.db");
    let whole = std::fs::read(&ledger).expect("a ledger");
    for at in [0, 20, 100, 4096, 8200] {
        let mut damaged = whole.clone();
        damaged[at..at + 64]
            .iter_mut()
            .for_each(|byte| *byte = !*byte);
        std::fs::write(&ledger, &damaged).expect("written");
        for arguments in [["migrate", "plan.toml"], ["status", "plan.toml"]] {
            let run = simulation.seatrial(&arguments).ends(11);
            for part in [
                "is damaged",
                "mv '",
                "ledger.db.damaged'",
                "rm -f '",
                "built from source and staging",
            ] {
                assert!(
                    run.stderr.contains(part),
                    "{at} {arguments:?}: {part} is not in {run}"
                );
            }
        }
    }
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(simulation.file(name));
    }
    let again = simulation.seatrial(&["migrate", "plan.toml"]);
    assert_eq!(
        (again.code, again.sentence()),
        (first.code, first.sentence()),
        "{again}"
    );
    assert_eq!(simulation.verify(&[]).run.code, 0);
}

#[test]
fn a_report_says_of_which_run_it_is() {
    let simulation = simulation(77);
    simulation.seatrial(&["migrate", "plan.toml"]);
    let identity = simulation.verify(&[]).summary["identity"].clone();
    for (key, part) in [
        ("tool", "seatrial "),
        ("source", "http://127.0.0.1:"),
        ("target", "http://127.0.0.1:"),
        ("organisation", "client "),
        ("begun", "T"),
    ] {
        assert!(
            identity[key]
                .as_str()
                .is_some_and(|value| value.contains(part)),
            "{key} in {identity}"
        );
    }
    assert_eq!(
        identity["plan_sha256"].as_str().map(str::len),
        Some(64),
        "{identity}"
    );
    assert_eq!(
        identity["files"].as_object().map(serde_json::Map::len),
        Some(
            simulation
                .dir()
                .join("report")
                .read_dir()
                .expect("a report")
                .count()
                - 1
        )
    );
    assert!(read(&simulation.file("report/breakdown.csv")).contains("total,all,"));
}

#[test]
fn a_platform_that_does_not_answer_is_named_within_five_seconds() {
    let simulation = simulation(78);
    let plan = simulation.file("plan.toml");
    let address = simulation.addresses["legacy"]
        .as_str()
        .expect("an address")
        .to_owned();
    std::fs::write(&plan, read(&plan).replace(&address, "http://127.0.0.1:9")).expect("written");
    let begun = now();
    let mut child = command(simulation.dir())
        .args(["migrate", "plan.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stderr.take().expect("piped")),
        &mut line,
    )
    .expect("a line");
    assert!(
        begun.elapsed() < Duration::from_secs(6) && line.contains("127.0.0.1:9 does not answer: "),
        "{line}"
    );
    child.kill().and_then(|()| child.wait()).expect("ended");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person waits by the wall clock"
)]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_lost_connection_ends_a_run_as_orderly_as_an_order() {
    let simulation = simulation(79);
    let slow = serde_json::json!({"on": "legacy.list_users", "kind": "latency", "ms": 4000});
    assert_eq!(simulation.post("/_sim/faults", &slow).0, 201);
    // Whoever started the tests may have had SIGHUP ignored, as nohup does, and what is ignored
    // stays ignored.
    let mut migrate = std::process::Command::new("env");
    migrate
        .args([
            "--default-signal=HUP",
            env!("CARGO_BIN_EXE_seatrial"),
            "migrate",
            "plan.toml",
        ])
        .current_dir(simulation.dir());
    let child = migrate
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    while simulation.get("/_sim/journal?limit=1").is_empty() {}
    std::process::Command::new("kill")
        .args(["-HUP", &child.id().to_string()])
        .status()
        .expect("sent");
    let run = child.wait_with_output().expect("ended");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.code() == Some(11)
            && told.contains("stopping after what is under way")
            && told.contains("interrupted"),
        "{told}"
    );
}
