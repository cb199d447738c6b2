//! Simulators, migrator and verifier as three processes: the same verdict as in one, and nothing
//! done or told that should not be.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{FULL_WORLD, Simulation, command, lines, read, scenario, seatrial};

fn full(seed: u64) -> Simulation {
    Simulation::start(&scenario(seed, FULL_WORLD))
}

#[test]
fn three_processes_come_to_the_verdict_and_the_counts_of_one() {
    let simulation = full(41);
    let migrated = simulation.migrate(&[]).ends(10);
    let verified = simulation.verify(&[]);
    let rehearsal = simulation
        .seatrial(&[
            "rehearse",
            "scenario.toml",
            "--report",
            "rehearsed",
            "--json",
        ])
        .ends(0)
        .json();
    let rehearsed = &rehearsal["scenarios"][0];
    assert_eq!(rehearsed["verifier_exit"], verified.run.code);
    assert_eq!(rehearsed["verifier_sentence"], verified.summary["sentence"]);
    assert_eq!(
        verified.run.sentence(),
        verified.summary["sentence"].as_str().expect("a sentence")
    );
    assert!(
        rehearsed["migrator_sentence"]
            .as_str()
            .expect("a sentence")
            .starts_with(migrated.sentence()),
        "{rehearsed}\n{migrated}"
    );
    let summary: Value =
        serde_json::from_str(&read(&simulation.file("rehearsed/scenario/summary.json")))
            .expect("JSON");
    // When, of which plan and between which addresses is each one's own.
    let judged = |mut summary: Value| {
        summary
            .as_object_mut()
            .and_then(|summary| summary.remove("identity"))
            .map(|_| summary)
    };
    assert_eq!(
        judged(summary).expect("an identity"),
        judged(verified.summary).expect("an identity")
    );
}

#[test]
fn a_rehearsal_with_damage_and_three_processes_name_the_same_findings() {
    let damage = "\n[[after_migration]]\ntamper = \"D45\"\ncount = \
        2\n\n[[after_migration]]\ntamper = \"D01\"\n";
    let simulation = Simulation::start(&scenario(42, &format!("{FULL_WORLD}{damage}")));
    simulation.migrated();
    for (defect, count) in [("D45", 2), ("D01", 1)] {
        simulation.tamper(defect, count, 42).expect("victims");
    }
    let verified = simulation.verify(&[]);
    assert_eq!(verified.run.code, 20, "{}", verified.run);
    // The scenario expects a match: a rehearsal whose verifier says otherwise fails its
    // expectations, and only them.
    simulation
        .seatrial(&["rehearse", "scenario.toml", "--report", "rehearsed"])
        .ends(30);
    assert_eq!(
        lines(&simulation.file("rehearsed/scenario/findings.jsonl")),
        verified.findings
    );
}

#[test]
fn crosswalk_and_custody_tell_what_the_target_holds() {
    let simulation = full(43);
    simulation.migrated();
    simulation
        .seatrial(&[
            "status",
            "plan.toml",
            "--crosswalk",
            "crosswalk.csv",
            "--custody",
            "custody.ndjson",
        ])
        .ends(0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut held = BTreeSet::new();
    for call in simulation.truth("genesys_cloud") {
        if call["recordings"] == json!([]) {
            // A call without a recording has a row too: who holds only its old id must find it.
            held.insert([
                text(&call["legacy_interaction_id"]),
                String::new(),
                text(&call["target_id"]),
                String::new(),
                String::new(),
            ]);
        }
        for recording in call["recordings"].as_array().expect("recordings") {
            let (call_id, recording_id) = (
                &call["legacy_interaction_id"],
                &recording["legacy_recording_id"],
            );
            held.insert(
                [
                    call_id,
                    recording_id,
                    &call["target_id"],
                    &recording["target_id"],
                    &recording["sha256"],
                ]
                .map(text),
            );
        }
    }
    let crosswalk = read(&simulation.file("crosswalk.csv"));
    assert_eq!(
        crosswalk.lines().next(),
        Some(
            "legacy_interaction_id,legacy_recording_id,target,target_interaction_id,target_recording_id,file_id,sha256"
        )
    );
    let rows: Vec<Vec<&str>> = crosswalk
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(
        rows.len(),
        held.len(),
        "one row a recording, or a call without one"
    );
    let rows: BTreeSet<[String; 5]> = rows
        .iter()
        .map(|row| [0, 1, 3, 4, 6].map(|at: usize| row[at].to_owned()))
        .collect();
    assert_eq!(rows, held);

    let custody = read(&simulation.file("custody.ndjson"));
    let mut previous = "0".repeat(64);
    let mut confirmed = BTreeSet::new();
    for line in custody.lines() {
        let entry: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(entry["previous"], previous, "{line}");
        previous = hex::encode(Sha256::digest(line.as_bytes()));
        if entry["hop"] == "confirm" {
            confirmed.insert(text(&entry["legacy_recording_id"]));
        }
    }
    let held: BTreeSet<String> = held
        .into_iter()
        .map(|[_, recording, ..]| recording)
        .filter(|recording| !recording.is_empty())
        .collect();
    assert_eq!(
        confirmed, held,
        "every recording in the target was read back"
    );
}

#[test]
fn a_verification_says_how_far_it_looked() {
    let simulation = full(44);
    simulation.migrated();
    let whole = simulation.verify(&[]);
    assert_eq!(
        whole.summary["scope"],
        json!({"metadata": "all", "audio": "all", "source": "live"})
    );
    for (arguments, key, value, words, code) in [
        (
            ["--source", "staged"],
            "source",
            "staged",
            "judged against staged data",
            21,
        ),
        (
            ["--audio", "none"],
            "audio",
            "none",
            "audio was not compared",
            0,
        ),
        (
            ["--audio", "5"],
            "audio",
            "sample",
            "audio was compared for 5 of",
            0,
        ),
    ] {
        let verified = simulation.verify(&arguments);
        assert_eq!(
            (verified.run.code, &verified.findings),
            (code, &Vec::new()),
            "{}",
            verified.run
        );
        assert_eq!(verified.summary["scope"][key], value);
        assert!(verified.run.sentence().contains(words), "{}", verified.run);
        assert_eq!(
            verified.summary["counts"], whole.summary["counts"],
            "{}",
            verified.run
        );
    }
    let sample = simulation.verify(&["--audio", "5"]).summary["scope"]["sample"].clone();
    assert_eq!(
        (&sample["size"], &sample["wrong"], &sample["of"]),
        (&json!(5), &json!(0), &whole.summary["counts"]["matched"])
    );
    // 1 - 0.05^(1/5): of a larger share, five sound ones in a row would be luck of less than 5 %;
    // less for a population this small.
    assert!(
        (0.40..0.46).contains(&sample["upper_95"].as_f64().expect("a bound")),
        "{sample}"
    );
}

#[test]
fn a_staged_file_that_was_altered_is_no_source_to_judge_by() {
    let simulation = full(45);
    simulation.migrated();
    let blob = std::fs::read_dir(simulation.file("staging/blob"))
        .expect("blobs")
        .map(|entry| entry.expect("a blob").path());
    let largest = blob
        .max_by_key(|path| path.metadata().map(|data| data.len()).unwrap_or(0))
        .expect("a blob");
    let mut bytes = std::fs::read(&largest).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&largest, bytes).expect("altered");
    let verified = simulation.verify(&["--source", "staged"]);
    assert_ne!(
        (verified.run.code, verified.count("not_verifiable")),
        (0, 0),
        "{}",
        verified.run
    );
    assert_eq!(
        simulation.verify(&[]).run.code,
        0,
        "the target itself is as it was"
    );
}

#[test]
fn a_limited_run_is_gone_on_with() {
    let simulation = full(46);
    let limited = simulation
        .migrate(&["--limit", "5", "--json"])
        .ends(10)
        .json();
    assert!(simulation.truth("genesys_cloud").len() <= 5);
    let tally = &limited["outcome"]["tally"];
    assert!(tally["interactions_left"].as_u64() > Some(0), "{limited}");
    simulation.migrate(&[]).ends(10);
    assert_eq!(simulation.verify(&[]).run.code, 0);
}

#[test]
fn a_dry_run_counts_what_the_run_will_do_and_writes_nothing() {
    let simulation = full(47);
    let told = simulation.migrate(&["--dry-run"]).ends(10);
    assert!(
        told.sentence()
            .ends_with("; it ends with 10, as the run itself would, for what stays behind"),
        "{told}"
    );
    let dry = simulation.migrate(&["--dry-run", "--json"]).ends(10).json();
    assert_eq!(
        (
            simulation.get("/_sim/truth/genesys_cloud"),
            simulation.get("/_sim/effects")
        ),
        (String::new(), String::new())
    );
    assert!(
        !dry["declared_losses"]
            .as_array()
            .expect("losses")
            .is_empty()
    );
    let real = simulation.migrate(&["--json"]).ends(10).json();
    let (dry, real) = (&dry["outcome"]["tally"], &real["outcome"]["tally"]);
    for count in [
        "interactions",
        "recordings",
        "quarantined",
        "skipped",
        "bytes_staged",
    ] {
        assert_eq!(dry[count], real[count], "{count}");
    }
    assert_eq!(
        (&dry["recordings_done"], &real["interactions_left"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let simulation = full(48);
    let first = simulation.migrate(&[]).ends(10);
    let (effects, truth) = (
        simulation.get("/_sim/effects"),
        simulation.get("/_sim/truth/genesys_cloud"),
    );
    let second = simulation.migrate(&[]).ends(10);
    assert_eq!(simulation.get("/_sim/effects"), effects);
    assert_eq!(simulation.get("/_sim/truth/genesys_cloud"), truth);
    assert_eq!(first.sentence(), second.sentence());
}

#[test]
fn a_ledger_in_use_is_left_alone() {
    let simulation = full(49);
    let slow = json!({"on": "legacy.list_users", "kind": "latency", "ms": 3000});
    assert_eq!(simulation.post("/_sim/faults", &slow).0, 201);
    let mut first = command(simulation.dir());
    let mut first = first
        .args(["migrate", "plan.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the first run");
    // It asks for a token once it holds the ledger.
    while simulation.get("/_sim/journal?limit=1").is_empty() {
        assert!(
            first.try_wait().expect("a process").is_none(),
            "the first run ended"
        );
    }
    let second = simulation.migrate(&[]).ends(2);
    assert!(
        second.stderr.contains("in use by another run") && second.stderr.lines().count() == 1,
        "{second}"
    );
    assert_eq!(first.wait().expect("a process").code(), Some(10));
}

#[test]
fn a_changed_mapping_is_shown_and_waits_for_a_decision() {
    let simulation = full(50);
    simulation.migrate(&["--limit", "5"]).ends(10);
    let path = simulation.file("mapping/agents.csv");
    let before = read(&path);
    let row = before.lines().nth(4).expect("a row").to_owned();
    let other = row.replacen(row.split(',').nth(2).expect("a name"), "Someone Else", 1);
    std::fs::write(&path, before.replacen(&row, &other, 1)).expect("a changed mapping");
    let refused = simulation.migrate(&[]).ends(2);
    for part in [
        "the plan has changed",
        "mapping/agents.csv",
        &row,
        &other,
        "--accept-plan-change",
    ] {
        assert!(refused.stderr.contains(part), "{part} is not in {refused}");
    }
    assert!(
        !refused.stderr.contains("\\n") && refused.stderr.lines().count() >= 5,
        "each part is a line: {refused}"
    );
    simulation.migrate(&["--accept-plan-change"]).ends(10);
    assert_eq!(simulation.verify(&[]).run.code, 0);
}

#[test]
fn with_json_every_command_prints_one_document() {
    let simulation = full(51);
    for (arguments, key, code) in [
        (vec!["preflight", "plan.toml", "--json"], "preflight", 0),
        (vec!["migrate", "plan.toml", "--json"], "outcome", 10),
        (vec!["status", "plan.toml", "--json"], "tally", 0),
        (
            vec!["verify", "plan.toml", "--json", "--report", "report"],
            "verdict",
            0,
        ),
    ] {
        let run = simulation.seatrial(&arguments).ends(code);
        let document = run.json();
        assert!(
            document[key] != Value::Null && document["version"] == 1,
            "{arguments:?}: {run}"
        );
        assert!(run.stderr.is_empty(), "{arguments:?}: {run}");
    }
}

#[test]
fn a_verifier_only_reads_and_never_where_a_migrator_writes() {
    let simulation = full(52);
    simulation.migrated();
    let effects = simulation.get("/_sim/effects");
    let requests = simulation.verify(&[]).requests;
    assert!(!requests.is_empty());
    for request in &requests {
        assert_eq!(request["read_only"], true, "{request}");
        let path = request["path"].as_str().expect("a path");
        assert!(
            !path.starts_with("/api/v2/files") && !path.starts_with("/api/v2/interactions"),
            "{request}"
        );
        assert!(
            !["PUT", "PATCH", "DELETE"].contains(&request["method"].as_str().expect("a method")),
            "{request}"
        );
    }
    assert_eq!(simulation.get("/_sim/effects"), effects);
}

/// Client secrets, tokens by their shape, and customers' numbers as the source holds them.
struct Canary {
    secrets: Vec<String>,
    numbers: BTreeSet<String>,
}

impl Canary {
    fn of(simulation: &Simulation) -> Canary {
        let credentials: Value =
            serde_json::from_str(&simulation.get("/_sim/credentials")).expect("JSON");
        let secrets = ["legacy", "genesys_cloud"].map(|side| {
            credentials[side]["client_secret"]
                .as_str()
                .expect("a secret")
                .to_owned()
        });
        let customers = simulation.truth("legacy").into_iter().filter_map(|call| {
            let number = if call["direction"] == "inbound" {
                &call["ani"]
            } else {
                &call["dnis"]
            };
            Some(number.as_str()?.trim_start_matches('+').to_owned())
        });
        Canary {
            secrets: secrets.to_vec(),
            numbers: customers
                .filter(|number| number.chars().all(|c| c.is_ascii_digit()))
                .collect(),
        }
    }

    /// What a text gives away; the words stay out of the message.
    fn in_text(&self, place: &str, text: &str) -> Vec<String> {
        let is_hex =
            |text: &str| text.len() >= 32 && text.chars().take(32).all(|c| c.is_ascii_hexdigit());
        let token = ["lt-", "gc-"]
            .iter()
            .any(|prefix| text.split(prefix).skip(1).any(is_hex));
        let found = [
            (
                "a client secret",
                self.secrets.iter().any(|secret| text.contains(secret)),
            ),
            ("a token", token || text.contains("Bearer ")),
            (
                "a phone number",
                self.numbers.iter().any(|number| text.contains(number)),
            ),
        ];
        found
            .into_iter()
            .filter(|(_, is_there)| *is_there)
            .map(|(what, _)| format!("{what} in {place}"))
            .collect()
    }
}

#[test]
fn no_secret_no_token_and_no_number_is_told_anywhere() {
    let simulation = full(53);
    let canary = Canary::of(&simulation);
    assert!(
        canary.numbers.len() > 20,
        "the world has numbers to give away"
    );
    let mut found = Vec::new();
    let mut tell = |arguments: &[&str]| {
        let run = simulation.seatrial(&[arguments, &["-vvv"]].concat());
        found.extend(canary.in_text(&format!("{arguments:?} stdout"), &run.stdout));
        found.extend(canary.in_text(&format!("{arguments:?} stderr"), &run.stderr));
        run
    };
    tell(&["preflight", "plan.toml"]);
    let migrated = tell(&["migrate", "plan.toml"]);
    assert!(migrated.stderr.len() > 1000, "-vvv says much: {migrated}");
    for defect in ["D61", "D52", "D01", "D02", "D49", "D64"] {
        simulation.tamper(defect, 2, 1).expect("victims");
    }
    assert_eq!(
        tell(&["verify", "plan.toml", "--report", "report"]).code,
        20
    );
    assert_eq!(
        tell(&[
            "verify",
            "plan.toml",
            "--report",
            "report-staged",
            "--source",
            "staged",
            "--json"
        ])
        .code,
        20
    );
    tell(&[
        "status",
        "plan.toml",
        "--crosswalk",
        "crosswalk.csv",
        "--custody",
        "custody.ndjson",
    ]);
    assert!(
        read(&simulation.file("report/findings.jsonl")).contains("D61"),
        "a finding about a number"
    );

    let mut folders = vec![simulation.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .strip_prefix(simulation.dir())
                .expect("below")
                .display()
                .to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with("secrets/") {
                let text =
                    String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
                // The source's own answers and the ledger hold numbers: that is their purpose.
                // Secrets they do not.
                let holds_numbers =
                    name.starts_with("staging/raw/") || name.starts_with("ledger.db");
                let told = canary.in_text(&name, &text);
                found.extend(
                    told.into_iter()
                        .filter(|what| !holds_numbers || !what.starts_with("a phone number")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_scenario_that_expects_too_much_fails_and_says_what() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let wrong = scenario(54, FULL_WORLD).replace("expired = 2 }", "expired = 3 }");
    std::fs::write(folder.path().join("wrong.toml"), wrong).expect("a scenario");
    let run = seatrial(folder.path(), &["rehearse", "wrong.toml"]).ends(30);
    assert!(
        run.stdout
            .contains("FAILED skipped: expected expired 3, got expired 2"),
        "{run}"
    );
}

/// Requests of the target by operation, as the simulator's journal has them from line `after` on.
fn journalled(simulation: &Simulation, after: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut after = after;
    loop {
        let page = simulation.get(&format!(
            "/_sim/journal?platform=genesys_cloud&limit=10000&after={after}"
        ));
        let Some(last) = page.lines().last() else {
            return counts;
        };
        after = serde_json::from_str::<Value>(last).expect("JSON")["n"]
            .as_u64()
            .expect("a number") as usize;
        for line in page.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let operation = line["operation"]
                .as_str()
                .expect("an operation")
                .trim_start_matches("genesys_cloud.");
            *counts.entry(operation.to_owned()).or_default() += 1;
        }
    }
}

fn journal_length(simulation: &Simulation) -> usize {
    let mut length = 0;
    loop {
        let page = simulation.get(&format!("/_sim/journal?limit=10000&after={length}"));
        match page.lines().count() {
            0 => return length,
            lines => length += lines,
        }
    }
}

/// Requests to the target as a report lists them.
fn listed(requests: &[Value]) -> BTreeMap<String, u64> {
    let target = requests
        .iter()
        .filter(|request| request["side"] == "target");
    target
        .map(|request| {
            (
                request["operation"].as_str().expect("a name").to_owned(),
                request["count"].as_u64().expect("a count"),
            )
        })
        .collect()
}

#[test]
fn an_audit_changes_nothing_and_says_itself_what_it_asked_for() {
    let simulation = full(55);
    simulation.migrated();
    let truths = || {
        ["genesys_cloud", "legacy"]
            .map(|platform| simulation.get(&format!("/_sim/truth/{platform}")))
    };
    let (truth, effects, before) = (
        truths(),
        simulation.get("/_sim/effects"),
        journal_length(&simulation),
    );
    let verified = simulation.verify(&[]);
    assert_eq!(
        (truths(), simulation.get("/_sim/effects")),
        (truth, effects),
        "the platforms are as they were"
    );
    let asked = journalled(&simulation, before);
    assert_eq!(
        listed(&verified.requests),
        asked,
        "the report's own count is the simulator's"
    );
    let created: BTreeSet<&str> = verified
        .requests
        .iter()
        .filter(|request| request["creates"] != Value::Null)
        .filter_map(|request| request["operation"].as_str())
        .collect();
    assert_eq!(
        created,
        BTreeSet::from(["issue_token", "create_details_job", "create_batchrequest"]),
        "and nothing else was created"
    );

    let budget = &verified.summary["budget"];
    let number = |name: &str| {
        budget[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name} in {budget}"))
    };
    assert!(
        number("made") * 10 <= number("announced") * 12,
        "at most a fifth over the cheapest documented way: {budget}"
    );
    let counted: u64 = asked
        .iter()
        .filter(|(name, _)| !["issue_token", "get_batch_media"].contains(&name.as_str()))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(number("made"), counted, "{budget}");
    assert!(
        verified.run.stderr.contains(&format!(
            "the target takes about {} requests",
            number("announced")
        )),
        "{}",
        verified.run
    );
    assert_eq!(
        read(&simulation.file("report/drift.jsonl")),
        "",
        "the simulator answers as the vendor documents"
    );
    let notices = verified.summary["notices"]
        .as_array()
        .expect("notices")
        .clone();
    assert!(
        notices.iter().all(|notice| notice
            .as_str()
            .is_some_and(|notice| notice.contains("carry the plan's stand-in"))),
        "{notices:?}"
    );
}

#[test]
fn the_requests_are_listed_without_a_request() {
    let simulation = full(56);
    let before = journal_length(&simulation);
    std::fs::remove_dir_all(simulation.file("secrets")).expect("no secret is needed");
    let all = simulation
        .seatrial(&["verify", "plan.toml", "--print-requests", "--json"])
        .ends(0)
        .json();
    let without = simulation
        .seatrial(&[
            "verify",
            "plan.toml",
            "--print-requests",
            "--json",
            "--no-jobs",
        ])
        .ends(0)
        .json();
    let text = simulation
        .seatrial(&["verify", "plan.toml", "--print-requests"])
        .ends(0)
        .stdout;
    assert_eq!(journal_length(&simulation), before, "nothing was sent");
    assert!(
        !simulation.file("seatrial-report").exists(),
        "and nothing was written"
    );
    let creating = |list: &Value| {
        let requests = list["requests"].as_array().expect("requests").clone();
        requests
            .into_iter()
            .filter(|request| {
                !["token", ""].contains(&request["creates"].as_str().unwrap_or_default())
            })
            .count()
    };
    assert_eq!(
        (all["version"].clone(), creating(&all), creating(&without)),
        (json!(1), 2, 0)
    );
    for part in [
        "POST http://127.0.0.1:",
        "/api/v2/recordings/deletionprotection\n",
        "/recordings?formatId=NONE&maxWaitMs\n",
        "permission analytics:conversationDetail:view, scope analytics:readonly",
        "creates a batch",
        "Nothing was sent.",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(
        !text.contains("PUT")
            && !text.contains("/api/v2/files")
            && !text.contains("/api/v2/interactions\n"),
        "{text}"
    );
}

#[test]
fn without_jobs_nothing_is_created_and_what_hangs_on_them_cannot_be_told() {
    let simulation = full(59);
    simulation.migrated();
    let before = journal_length(&simulation);
    let verified = simulation.verify(&["--no-jobs"]);
    verified.cannot_tell("no jobs", "--no-jobs");
    let asked = journalled(&simulation, before);
    assert!(
        !asked.keys().any(|name| name.contains("batch")
            || name.contains("details_job")
            || name.contains("details_results")),
        "{asked:?}"
    );
    assert_eq!(
        (
            listed(&verified.requests),
            &verified.summary["scope"]["no_jobs"]
        ),
        (asked, &json!(true))
    );
}

/// The example that docs/guide/test-your-own-migrator.md begins with.
#[test]
#[ignore = "needs Python with requests, and ffmpeg; ./check runs it"]
fn the_first_migrator_of_the_docs_comes_to_a_match() {
    let python = std::env::var("SEATRIAL_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = format!("{root}/scenarios/happy_path.toml");
    let migrator = format!("{python} {root}/examples/python-migrator/first_migrator.py");
    let run = seatrial(
        folder.path(),
        &[
            "rehearse",
            &scenario,
            "--migrator",
            &migrator,
            "--report",
            "rehearsed",
            "--json",
        ],
    );
    let rehearsal = run.ends(0).json();
    assert_eq!(
        rehearsal["scenarios"][0]["verifier_sentence"],
        "match: all 32 recordings of 30 calls are in Genesys Cloud as they should be"
    );
}
