//! A verification that is killed with SIGKILL and started again goes on where it was, and its
//! report is that of a verification in one go.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Simulation, http, lines, read};

/// Calls of every shape, none under hold.
fn scenario(target: &str) -> String {
    format!(
        "about = \"A test.\"\nseed = 7\ntarget = \"{target}\"\n[world]\ninteractions = 40\n\
         agents = 8\ntransfer_share = 0.3\nhold_share = 0.0\npause_share = 0.3\nmean_seconds = \
         1.0\n[genesys_cloud.limits]\nrequests_per_minute = 0\nuploads_per_second = 0\n[expect]\n\
         migrator = \"complete\"\nverdict = \"match\"\n"
    )
}

/// Where it is killed: while it waits for the answer to this request of a call in the middle.
struct Point {
    target: &'static str,
    platform: &'static str,
    operation: &'static str,
}

const POINTS: [Point; 3] = [
    Point {
        target: "genesys_cloud",
        platform: "genesys_cloud",
        operation: "genesys_cloud.list_recordings",
    },
    Point {
        target: "gir",
        platform: "gir",
        operation: "gir.get_recording",
    },
    Point {
        target: "gir",
        platform: "speechminer",
        operation: "speechminer.get_recording",
    },
];

#[test]
fn the_report_of_a_killed_verification_that_goes_on_is_that_of_one_in_one_go() {
    for target in ["genesys_cloud", "gir"] {
        let simulation = Simulation::start(&scenario(target));
        simulation.migrate(&[]).ends(0);
        for defect in ["D01", "D22", "D32"] {
            simulation.tamper(defect, 2, 5).expect("planted");
        }
        let in_one_go = verify(&simulation, "in_one_go");
        let points = || POINTS.iter().filter(|point| point.target == target);
        let all: BTreeMap<&str, usize> = points()
            .map(|point| (point.operation, answered(&simulation, point).len()))
            .collect();
        for point in points() {
            let report = point.operation;
            killed_at(&simulation, point, report);
            assert_is_private(&simulation.file(report).join(".kept.jsonl"));
            let before = answered(&simulation, point).len();
            let went_on = verify(&simulation, report);
            assert_eq!(went_on.0, in_one_go.0, "{report}");
            assert_eq!(went_on.1, in_one_go.1, "{report}");
            let again = answered(&simulation, point).len() - before;
            let all = all[point.operation];
            assert!(
                (1..all).contains(&again),
                "{report}: {again} of {all} read again"
            );
            let summary: Value =
                serde_json::from_str(&read(&simulation.file(report).join("summary.json")))
                    .expect("a summary");
            let notices = summary["notices"].to_string();
            assert!(notices.contains("went on with"), "{notices}");
            assert!(!simulation.file(report).join(".kept.jsonl").exists());
        }
    }
}

/// Keys that an operation was asked for so far.
fn answered(simulation: &Simulation, point: &Point) -> Vec<String> {
    let path = format!("/_sim/journal?platform={}&limit=10000", point.platform);
    let journal = simulation.get(&path);
    let entries = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an entry"));
    entries
        .filter(|entry| entry["operation"] == point.operation)
        .map(|entry| entry["key"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Leaves what a verification has read that was killed in its middle: a call is not answered, so
/// that it goes no further.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn killed_at(simulation: &Simulation, point: &Point, report: &str) {
    let mut keys = answered(simulation, point);
    keys.sort();
    keys.dedup();
    let key = &keys[keys.len() / 2];
    let unanswered = json!({
        "on": point.operation, "kind": "latency", "ms": 600_000, "keys": [key],
    });
    assert_eq!(simulation.post("/_sim/faults", &unanswered).0, 201);
    let mut run = support::command(simulation.dir())
        .args(["verify", "plan.toml", "--report", report])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a run");
    let kept = simulation.file(report).join(".kept.jsonl");
    let read = || std::fs::read_to_string(&kept).unwrap_or_default();
    // Few of those before it may be absent, and are not kept.
    while read().lines().count() < keys.len() / 4 {
        let ended = run.try_wait().expect("a process");
        assert!(ended.is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    run.kill().and_then(|()| run.wait()).expect("killed");
    let control = simulation.addresses["control"].as_str().expect("control");
    assert!(http(control, "DELETE", "/_sim/faults", "").0 < 300);
    assert!(!simulation.file(report).join("summary.json").exists());
}

fn assert_is_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).expect("kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", file.display());
}

/// Files of a report byte for byte, and its summary without what tells one run from another: its
/// times, how many requests it made, that it went on, and the hash of the list of requests.
fn verify(simulation: &Simulation, report: &str) -> (Vec<(String, String)>, Value) {
    let run = simulation.seatrial(&["verify", "plan.toml", "--report", report]);
    assert_eq!(run.code, 20, "{run}");
    let folder = simulation.file(report);
    let names = [
        "findings.jsonl",
        "recordings.csv",
        "breakdown.csv",
        "drift.jsonl",
    ];
    let files = names.map(|name| (name.to_owned(), read(&folder.join(name))));
    assert!(!lines(&folder.join("requests.jsonl")).is_empty());
    let mut summary: Value =
        serde_json::from_str(&read(&folder.join("summary.json"))).expect("a summary");
    let of_run = summary.as_object_mut().expect("an object");
    of_run.remove("budget");
    of_run["identity"]["begun"] = Value::Null;
    of_run["identity"]["ended"] = Value::Null;
    of_run["identity"]["files"]["requests.jsonl"] = Value::Null;
    if let Some(notices) = of_run["notices"].as_array_mut() {
        notices.retain(|notice| !notice.as_str().is_some_and(|text| text.contains("went on")));
    }
    (files.into(), summary)
}
