//! Interaction Recording as a person meets it: a store that is a real Apache, a region that is
//! wrong, a native recording in the way.

#[path = "support/apache.rs"]
mod apache;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use apache::Apache;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Simulation, http, lines};

/// A few calls of every shape, without anything that stays behind.
const WORLD: &str = r#"
about = "A test."
seed = 4
target = "gir"
[world]
interactions = 14
transfer_share = 0.3
hold_share = 0.2
pause_share = 0.3
no_recording_share = 0.0
mean_seconds = 1.5
codecs = ["pcm", "mulaw", "mp3", "gsm"]
"#;

/// Of that world.
const CALLS: usize = 14;

const EXPECT: &str = "[expect]\nmigrator = \"complete\"\nverdict = \"match\"\n";

fn scenario(more: &str) -> String {
    format!("{WORLD}{more}{EXPECT}")
}

#[test]
#[ignore = "needs apache2-bin and openssl; ./check runs it"]
fn the_bytes_on_a_real_apache_are_the_staged_ones() {
    let apache = Apache::start();
    let store = format!(
        "[plan.target]\nwebdav_url = \"{}\"\nwebdav_username = \"{}\"\nwebdav_password = \
         {{ file = \"apache.secret\" }}\n",
        apache.url,
        apache::USERNAME
    );
    let simulation = Simulation::start(&scenario(&store));
    std::fs::write(simulation.file("apache.secret"), apache::PASSWORD).expect("a secret");
    simulation.migrate(&[]).ends(0);
    simulation
        .seatrial(&["status", "plan.toml", "--custody", "custody.ndjson"])
        .ends(0);
    let staged: BTreeSet<String> = lines(&simulation.file("custody.ndjson"))
        .iter()
        .filter(|line| line["hop"] == "convert")
        .map(|line| line["sha256_after"].as_str().expect("a hash").to_owned())
        .collect();
    let files = files(&apache.root());
    let stored: BTreeSet<String> = files.iter().map(|file| hash(file)).collect();
    assert_eq!(stored, staged);
    for file in &files {
        let name = file.file_name().expect("a name").to_string_lossy();
        assert!(
            name.starts_with("st-rehearsal-") && name.contains(&hash(file)[..12]),
            "{name}"
        );
    }
    let verified = simulation.verify(&[]);
    assert_eq!(verified.run.code, 0, "{}", verified.run);
    // Once more, from a ledger that knows nothing: what lies there is found, nothing is written
    // twice.
    let _ = std::fs::remove_file(simulation.file("ledger.db"));
    simulation.migrate(&[]).ends(0);
    assert_eq!(self::files(&apache.root()).len(), files.len());
    assert!(
        simulation.verify(&[]).run.code == 0,
        "a second run changes nothing"
    );
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        // Apache keeps its properties in folders of this name.
        match path.is_dir() {
            true if path.ends_with(".DAV") => {}
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn hash(file: &Path) -> String {
    let bytes = std::fs::read(file).expect("a file");
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_wrong_region_is_found_before_anything_goes_there() {
    let simulation = Simulation::start(&scenario("[plan.target]\nregion = \"Elsewhere\"\n"));
    let looked = simulation.seatrial(&["preflight", "plan.toml"]);
    assert_eq!(looked.code, 2, "{looked}");
    assert!(
        looked.stdout.contains("region Elsewhere is not shown"),
        "{looked}"
    );
    let refused = simulation.migrate(&[]).ends(2);
    assert!(refused.stderr.contains("target.region"), "{refused}");
    let left: Vec<Value> = simulation.truth("gir");
    assert!(
        left.iter()
            .all(|line| line["target_id"] == "st-rehearsal-probe"),
        "{left:?}"
    );
}

#[test]
fn a_native_recording_under_our_id_is_never_merged_with_ours() {
    let simulation = Simulation::start(&scenario("[gir]\ncsrf = false\n"));
    let native = json!({
        "id": "st-rehearsal-100003", "callerPhoneNumber": "+15550100100", "dialedPhoneNumber": "+15550100101", "region": "Can-West",
        "mediaFiles": [{"callUUID": "011AP643CSAPR4FKQGQE31TAES00029V", "startTime": "2024-01-01T00:00:00.000+0000",
            "stopTime": "2024-01-01T00:01:00.000+0000", "mediaDescriptor": {"storage": "webDAV", "path": "http://example.com/a.mp3"}}],
    });
    assert_eq!(
        rws(
            &simulation,
            "POST",
            "/internal-api/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/recordings",
            &native
        )
        .0,
        200
    );
    let run = simulation.migrate(&["--json"]).ends(10);
    let told = run.json();
    let quarantined = &told["outcome"]["tally"]["quarantined"];
    assert!(
        quarantined["id_collision"]
            .as_u64()
            .is_some_and(|count| count > 0),
        "{quarantined}"
    );
    let read = rws(
        &simulation,
        "GET",
        "/api/v2/ops/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/recordings/st-rehearsal-100003",
        &json!(null),
    );
    assert_eq!(
        read.1["recording"]["mediaFiles"].as_array().map(Vec::len),
        Some(1),
        "{}",
        read.1
    );
}

/// Asks Recording Web Services as the ops account.
fn rws(simulation: &Simulation, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let credentials: Value =
        serde_json::from_str(&simulation.get("/_sim/credentials")).expect("credentials");
    let part = |name: &str| {
        credentials["gir"][name]
            .as_str()
            .expect("a credential")
            .to_owned()
    };
    let pair = STANDARD.encode(format!("{}:{}", part("username"), part("password")));
    let headers = [
        ("authorization", &*format!("Basic {pair}")),
        ("content-type", "application/json"),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (status, text) = support::send(
        simulation.addresses["gir"].as_str().expect("gir"),
        method,
        path,
        &headers,
        &body,
    );
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[test]
fn a_post_whose_answer_is_lost_is_a_persons_where_a_second_one_would_be_a_duplicate() {
    let lost = "[gir.speechminer]\nrepost = \"duplicate\"\n[[fault]]\non = \
        \"speechminer.post_recording\"\nkind = \"lost_answer\"\nkeys = [\"st-rehearsal-100002\"]\n";
    let simulation = Simulation::start(&scenario(lost));
    for _ in 0..2 {
        let run = simulation.migrate(&[]).ends(10);
        assert!(run.stdout.contains("1 interactions left"), "{run}");
    }
    let told = simulation.seatrial(&["status", "plan.toml"]);
    assert!(
        told.stdout
            .contains("look whether it stands in SpeechMiner"),
        "{told}"
    );
    let truth = simulation.truth("gir");
    let posts = |line: &Value| {
        line["attributes"]["sim.speechminer_posts"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(truth.iter().all(|line| posts(line) == "1"), "{truth:?}");
    // A person has looked: it stands there, and is removed and posted anew.
    let plan = support::read(&simulation.file("plan.toml")).replace(
        "speechminer_repost = \"duplicate\"",
        "speechminer_repost = \"replace\"",
    );
    std::fs::write(simulation.file("plan.toml"), plan).expect("a plan");
    let (status, _) = http(
        simulation.addresses["control"].as_str().expect("control"),
        "DELETE",
        "/_sim/faults",
        "",
    );
    assert!(status < 300, "{status}");
    simulation.migrate(&["--accept-plan-change"]).ends(0);
}

#[test]
fn an_accepted_change_of_plan_leaves_no_file_of_the_old_one() {
    let keys: Vec<String> = (100_001..=100_014)
        .map(|id| format!("\"st-rehearsal-{id}\""))
        .collect();
    let refused = format!(
        "[[fault]]\non = \"gir.insert_recording\"\nkind = \"refused\"\nstatus = 409\nkeys = [{}]\n",
        keys.join(", ")
    );
    let simulation = Simulation::start(&scenario(&refused));
    // Every file is stored, and nothing is inserted.
    simulation.migrate(&[]).ends(10);
    let plan = support::read(&simulation.file("plan.toml"))
        .replace("format = \"mp3\"", "format = \"wav\"");
    std::fs::write(simulation.file("plan.toml"), plan).expect("a plan");
    http(
        simulation.addresses["control"].as_str().expect("control"),
        "DELETE",
        "/_sim/faults",
        "",
    );
    simulation.migrate(&["--accept-plan-change"]).ends(0);
    let verified = simulation.verify(&[]);
    assert_eq!(verified.run.code, 0, "{}", verified.run);
}

#[test]
fn a_canary_goes_first_and_its_checklist_leads_to_the_recordings() {
    let simulation = Simulation::start(&scenario(""));
    simulation.migrate(&["--canary", "20"]).ends(0);
    let list = support::read(&simulation.file("canary-checklist.csv"));
    assert!(
        list.lines().any(|line| line.contains(",st-rehearsal-1000")),
        "{list}"
    );
    simulation.migrate(&[]).ends(0);
    assert_eq!(simulation.verify(&[]).run.code, 0);
}

#[test]
fn what_nobody_answered_is_looked_up_and_not_sent_again() {
    let faults = "[[fault]]\non = \"gir.insert_recording\"\nkind = \"server_error\"\nstatus = \
        503\nkeys = [\"st-rehearsal-probe\"]\nattempts = [1, 2]\n[[fault]]\non = \
        \"webdav.move_file\"\nkind = \"connection_reset\"\nattempts = [1, 2]\n";
    let simulation = Simulation::start(&scenario(faults));
    // A probe that a node in trouble does not take is no word on the region.
    simulation.migrate(&[]).ends(0);
    let stored = times_stored(&simulation);
    assert!(
        stored.len() > CALLS && stored.values().all(|times| *times == 1),
        "{stored:?}"
    );
    behaved(&simulation);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn what_a_run_had_stored_that_was_killed_is_found_and_not_sent_again() {
    let late = "[[fault]]\non = \"webdav.move_file\"\nkind = \"late_answer\"\nms = \
        600000\nattempts = [1]\n";
    let simulation = Simulation::start(&scenario(late));
    let mut run = support::command(simulation.dir())
        .args(["migrate", "plan.toml"])
        .stdout(Stdio::null())
        .spawn()
        .expect("a run");
    // Each call has a worker, and the first file of each has its name without anybody having been
    // told so.
    let moved = || {
        simulation
            .get("/_sim/journal?platform=webdav&limit=10000")
            .matches("\"webdav.move_file\"")
            .count()
    };
    while moved() < CALLS {
        assert!(
            run.try_wait().expect("a process").is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    run.kill().expect("killed");
    run.wait().expect("gone");
    http(
        simulation.addresses["control"].as_str().expect("control"),
        "DELETE",
        "/_sim/faults",
        "",
    );
    simulation.migrate(&[]).ends(0);
    let stored = times_stored(&simulation);
    assert!(
        stored.len() > CALLS && stored.values().all(|times| *times == 1),
        "{stored:?}"
    );
    behaved(&simulation);
    // Nothing is looked for that nobody can have left: a file is measured once, before its name is
    // given.
    let other = Simulation::start(&scenario(""));
    other.migrate(&["--dry-run"]).ends(0);
    other.migrate(&[]).ends(0);
    let journal = other.get("/_sim/journal?platform=webdav&limit=10000");
    assert_eq!(
        journal.matches("webdav.head_file").count(),
        times_stored(&other).len(),
        "{journal}"
    );
}

#[test]
fn what_a_run_left_in_doubt_that_met_errors_is_found_by_the_next() {
    let simulation = Simulation::start(&scenario(""));
    simulation.migrate(&[]).ends(0);
    let part = times_stored(&simulation)
        .into_keys()
        .find(|key| !key.contains("probe"))
        .expect("a file");
    let name = part.strip_suffix(".part").expect("the name of a part");
    let faults = format!(
        "[[fault]]\non = \"webdav.move_file\"\nkind = \"lost_answer\"\nkeys = \
         [\"{name}\"]\n[[fault]]\non = \"webdav.head_file\"\nkind = \"refused\"\nstatus = \
         409\nkeys = [\"{name}\"]\n"
    );
    // The same world: the file has its name, and nobody can tell.
    let simulation = Simulation::start(&scenario(&faults));
    simulation.migrate(&[]).ends(10);
    http(
        simulation.addresses["control"].as_str().expect("control"),
        "DELETE",
        "/_sim/faults",
        "",
    );
    simulation.migrate(&[]).ends(0);
    let stored = times_stored(&simulation);
    assert!(
        stored.contains_key(&part) && stored.values().all(|times| *times == 1),
        "{stored:?}"
    );
    // Nor does a copy stay beside it, had one been left.
    let journal = simulation.get("/_sim/journal?platform=webdav&limit=10000");
    let is_deletion = |line: &str| line.contains("\"webdav.delete_file\"") && line.contains(&part);
    assert!(journal.lines().any(is_deletion), "{journal}");
}

#[test]
fn a_probe_that_was_left_behind_is_taken_for_the_proof_and_taken_away() {
    let simulation = Simulation::start(&scenario("[gir]\ncsrf = false\n"));
    let centre = "57c0b771-b57c-4ea8-8655-7ef6d3c58ccc";
    let left = json!({
        "id": "st-rehearsal-probe", "callerPhoneNumber": "Unknown", "dialedPhoneNumber": "Unknown", "region": "Can-West",
        "mediaFiles": [{"callUUID": "011AP643CSAPR4FKQGQE31TAES00029V", "startTime": "2024-01-01T00:00:00.000+0000",
            "stopTime": "2024-01-01T00:01:00.000+0000", "mediaDescriptor": {"storage": "webDAV", "path": "http://example.com/a.wav"}}],
    });
    assert_eq!(
        rws(
            &simulation,
            "POST",
            &format!("/internal-api/contact-centers/{centre}/recordings"),
            &left
        )
        .0,
        200
    );
    simulation.migrate(&[]).ends(0);
    let probe = format!("/api/v2/ops/contact-centers/{centre}/recordings/st-rehearsal-probe");
    assert_eq!(rws(&simulation, "GET", &probe, &json!(null)).0, 404);
    let journal = simulation.get("/_sim/journal?limit=10000");
    let asked = |operation: &str, key: &str| {
        journal
            .lines()
            .filter(|line| line.contains(operation) && line.contains(key))
            .count()
    };
    assert_eq!(
        asked("gir.insert_recording", "st-rehearsal-probe"),
        1,
        "only what was left"
    );
    assert_eq!(
        (
            asked("webdav.put_file", "probe.wav"),
            asked("webdav.delete_file", "probe.wav")
        ),
        (1, 1),
        "the store is proved all the same"
    );
}

/// Nothing is held against a migrator, and everything is where it should be.
fn behaved(simulation: &Simulation) {
    let conduct: Value = serde_json::from_str(&simulation.get("/_sim/conduct")).expect("conduct");
    assert_eq!(conduct["breaches"], json!([]));
    assert_eq!(simulation.verify(&[]).run.code, 0);
}

/// How often each file of a recording was put into the store.
fn times_stored(simulation: &Simulation) -> BTreeMap<String, u64> {
    let mut times = BTreeMap::new();
    let journal = simulation.get("/_sim/journal?platform=webdav&limit=10000");
    for line in journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
    {
        let key = line["key"].as_str().expect("a key");
        if line["operation"] == "webdav.put_file" && key.ends_with(".part") {
            *times.entry(key.to_owned()).or_default() += 1;
        }
    }
    times
}

#[test]
fn what_interaction_recording_cannot_hold_is_said_beforehand() {
    let simulation = Simulation::start(&scenario(""));
    let dry = simulation.migrate(&["--dry-run"]).ends(0);
    for words in [
        "call without recordings",
        "a label that the site's purge rules read",
    ] {
        assert!(dry.stdout.contains(words), "{words}: {dry}");
    }
    assert!(
        simulation.truth("gir").is_empty(),
        "a dry run writes nothing, not even a probe"
    );
}
