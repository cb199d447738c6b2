//! The vendor's own SDKs, pinned, migrate and audit against the simulator with no change but the
//! host; what they are answered is held against what is known of the vendor's models,
//! `tests/coverage/genesys_cloud.json`.
//!
//! `./check` installs the SDKs: Python's into `target/sdk/python`, JavaScript's into
//! `tests/sdk/node_modules`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![expect(clippy::print_stdout, reason = "a test says its figures")]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{NO_LIMITS, Simulation};

/// Fewer operations than this would leave an area out.
const OPERATIONS: u64 = 200;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// An organisation that lacks permissions, transcodes, gives up waiting for a conversation, and
/// answers one listing with 429.
fn organisation(lacks: &[&str]) -> String {
    format!(
        r#"about = "The vendor's SDKs."
seed = 7
ingest = "public"
[world]
interactions = 30
agents = 12
queues = 6
{NO_LIMITS}
transcode_ms = 400
missing_scopes = {lacks:?}
[genesys_cloud.public]
wait_for_conversation_ms = 1500
[[fault]]
on = "genesys_cloud.list_wrapupcodes"
kind = "too_many_requests"
attempts = [1]
retry_after_s = 1
[expect]
verdict = "match"
"#
    )
}

/// An SDK's script: how it is run, and what its organisation lacks.
struct Script {
    name: &'static str,
    program: PathBuf,
    lacks: &'static str,
}

fn scripts() -> [Script; 2] {
    let python = root().join("target/sdk/python/bin/python");
    [
        Script {
            name: "audit.py",
            program: python,
            lacks: "recording:orphan:delete",
        },
        Script {
            name: "audit.mjs",
            program: "node".into(),
            lacks: "recording:crossPlatformRetentionPolicy:add",
        },
    ]
}

impl Script {
    /// The script as it is run against a simulation.
    fn command(&self, simulation: &Simulation) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(root().join("tests/sdk").join(self.name)).args([
            "--addresses",
            "addresses.json",
            "--answers",
            "answers.jsonl",
        ]);
        command
            .current_dir(simulation.dir())
            .env("NO_PROXY", "127.0.0.1");
        command
    }
}

/// The last line a command says, which is JSON; every line of it when it fails.
fn said(command: &mut Command) -> Value {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// Where the answers to a script stay: `models.py renew` takes from all of them what the facts must
/// have.
fn answers_of(script: &Script) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{}.jsonl", script.name))
}

fn held_to_the_models(script: &Script) {
    let answers = answers_of(script);
    let mut command = Command::new(root().join("target/sdk/python/bin/python"));
    let said = said(
        command
            .arg(root().join("tests/sdk/models.py"))
            .arg("hold")
            .arg(answers),
    );
    println!(
        "{}: {} answers held to the vendor's models",
        script.name, said["answers"]
    );
}

#[test]
#[ignore = "needs the vendor's Python and JavaScript SDKs; ./check runs it"]
fn the_vendors_sdks_migrate_and_audit_with_no_change_but_the_host() {
    let (mut total, mut answered) = (0, Vec::new());
    for script in &scripts() {
        let simulation = Simulation::start(&organisation(&[script.lacks]));
        let operations = said(&mut script.command(&simulation))["operations"]
            .as_u64()
            .unwrap();
        println!("{}: {operations} operations", script.name);
        total += operations;
        std::fs::copy(simulation.dir().join("answers.jsonl"), answers_of(script)).unwrap();
        answered.extend(answered_well(simulation.dir()));
    }
    // After the last script: a field that is new to the facts stops here, and all answers are there.
    scripts().iter().for_each(held_to_the_models);
    assert!(total >= OPERATIONS, "{total} operations");
    let unasked: Vec<String> = public_requests()
        .into_iter()
        .filter(|request| !answered.contains(request))
        .collect();
    assert!(unasked.is_empty(), "no script has an answer of {unasked:?}");
}

/// A request with its variable parts alike, whatever each side calls them.
fn shape(method: &str, path: &str) -> String {
    let steps: Vec<&str> = path
        .split('/')
        .map(|step| if step.starts_with('{') { "{}" } else { step })
        .collect();
    format!("{method} {}", steps.join("/"))
}

/// What the scripts asked for and were answered without a refusal, so that there was an answer to
/// hold to its model.
fn answered_well(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("answers.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let well = lines.filter(|line| line["status"].as_u64().is_some_and(|status| status < 300));
    well.map(|line| {
        shape(
            line["method"].as_str().unwrap(),
            line["path"].as_str().unwrap(),
        )
    })
    .collect()
}

/// Every operation of the vendor's that is served and answers with a body: not the guide's, the
/// store's and the login's, which have no model of the vendor's, and no deletion.
fn public_requests() -> Vec<String> {
    let table = simulator::fault_table();
    let rows = table["operations"].as_array().unwrap().iter();
    let is_public = |row: &&Value| {
        let (name, path) = (row["name"].as_str().unwrap(), row["path"].as_str().unwrap());
        name.starts_with("genesys_cloud.")
            && row["method"] != "DELETE"
            && path.starts_with("/api/v2/")
            && path != "/api/v2/files"
            && !path.starts_with("/api/v2/interactions")
    };
    rows.filter(is_public)
        .map(|row| {
            shape(
                row["method"].as_str().unwrap(),
                row["path"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
#[ignore = "needs the vendor's Python and JavaScript SDKs; ./check runs it"]
fn a_failing_operation_fails_its_script_and_is_named() {
    for script in &scripts() {
        let simulation = Simulation::start(&organisation(&[script.lacks, "routing:skill:view"]));
        let output = script.command(&simulation).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(
            (&lines[0]["operation"], &lines[lines.len() - 1]["failed"]),
            (&"skills".into(), &1.into()),
            "{said}"
        );
    }
}
