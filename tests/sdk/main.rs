//! The vendor's own SDKs, pinned, migrate and audit against the simulator with no change but the host; what they are answered is held against
//! the vendor's models where its description lies beside the repository.
//!
//! `./check` installs the SDKs: Python's into `target/sdk/python`, JavaScript's into `tests/sdk/node_modules`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![expect(clippy::print_stdout, reason = "a test says its figures, and why it did not run")]

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

/// An organisation that lacks permissions, transcodes, gives up waiting for a conversation, and answers one listing with 429.
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

/// An SDK's script: how it is run, what its organisation lacks, and what must be installed.
struct Script {
    name: &'static str,
    program: PathBuf,
    lacks: &'static str,
    installed: PathBuf,
}

fn scripts() -> [Script; 2] {
    let python = root().join("target/sdk/python/bin/python");
    let modules = root().join("tests/sdk/node_modules/purecloud-platform-client-v2");
    [
        Script { name: "audit.py", program: python.clone(), lacks: "recording:orphan:delete", installed: python },
        Script { name: "audit.mjs", program: "node".into(), lacks: "recording:crossPlatformRetentionPolicy:add", installed: modules },
    ]
}

impl Script {
    /// The script as it is run against a simulation.
    fn command(&self, simulation: &Simulation) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(root().join("tests/sdk").join(self.name)).args(["--addresses", "addresses.json", "--answers", "answers.jsonl"]);
        command.current_dir(simulation.dir()).env("NO_PROXY", "127.0.0.1");
        command
    }

    /// Whether its SDK is there; a test that must run fails where it is not.
    fn is_installed(&self) -> bool {
        let is_there = self.installed.exists();
        let why = format!("{} is not there; ./check installs it", self.installed.display());
        assert!(is_there || std::env::var_os("SEATRIAL_REQUIRE_TOOLS").is_none(), "{why}");
        if !is_there {
            println!("not run: {why}");
        }
        is_there
    }
}

/// The last line a command says, which is JSON; every line of it when it fails.
fn said(command: &mut Command) -> Value {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// The vendor's description of its API: `SEATRIAL_OPENAPI`, or where it lies beside the repository. It is never part of it.
fn description() -> Option<PathBuf> {
    let beside = root().join("../shared/reference/genesys-cloud-openapi.json");
    let path = std::env::var_os("SEATRIAL_OPENAPI").map_or(beside, PathBuf::from);
    path.exists().then_some(path)
}

fn held_to_the_models(script: &Script, description: &Path, dir: &Path) {
    let mut command = Command::new(root().join("target/sdk/python/bin/python"));
    command.arg(root().join("tests/sdk/models.py")).arg("--openapi").arg(description).arg("answers.jsonl");
    let said = said(command.current_dir(dir));
    println!("{}: {} answers held to the vendor's models", script.name, said["answers"]);
}

#[test]
fn the_vendors_sdks_migrate_and_audit_with_no_change_but_the_host() {
    let scripts = scripts();
    if !scripts.iter().all(Script::is_installed) {
        return;
    }
    let description = description();
    if description.is_none() {
        println!("the vendor's models were not there (SEATRIAL_OPENAPI); answers are not held to them");
    }
    let (mut total, mut answered) = (0, Vec::new());
    for script in &scripts {
        let simulation = Simulation::start(&organisation(&[script.lacks]));
        let operations = said(&mut script.command(&simulation))["operations"].as_u64().unwrap();
        println!("{}: {operations} operations", script.name);
        total += operations;
        if let Some(description) = &description {
            held_to_the_models(script, description, simulation.dir());
        }
        answered.extend(answered_well(simulation.dir()));
    }
    assert!(total >= OPERATIONS, "{total} operations");
    let unasked: Vec<String> = public_requests().into_iter().filter(|request| !answered.contains(request)).collect();
    assert!(unasked.is_empty(), "no script has an answer of {unasked:?}");
}

/// A request with its variable parts alike, whatever each side calls them.
fn shape(method: &str, path: &str) -> String {
    let steps: Vec<&str> = path.split('/').map(|step| if step.starts_with('{') { "{}" } else { step }).collect();
    format!("{method} {}", steps.join("/"))
}

/// What the scripts asked for and were answered without a refusal, so that there was an answer to hold to its model.
fn answered_well(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("answers.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let well = lines.filter(|line| line["status"].as_u64().is_some_and(|status| status < 300));
    well.map(|line| shape(line["method"].as_str().unwrap(), line["path"].as_str().unwrap())).collect()
}

/// Every operation of the vendor's that is served and answers with a body: not the guide's, the store's and the login's, which have no model of
/// the vendor's, and no deletion.
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
    rows.filter(is_public).map(|row| shape(row["method"].as_str().unwrap(), row["path"].as_str().unwrap())).collect()
}

#[test]
fn a_failing_operation_fails_its_script_and_is_named() {
    for script in scripts().iter().filter(|script| script.is_installed()) {
        let simulation = Simulation::start(&organisation(&[script.lacks, "routing:skill:view"]));
        let output = script.command(&simulation).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!((&lines[0]["operation"], &lines[lines.len() - 1]["failed"]), (&"skills".into(), &1.into()), "{said}");
    }
}
