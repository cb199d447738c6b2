//! What stays behind has a name and a way back: listed, read again, sent again.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use support::{FULL_WORLD, NO_LIMITS, Simulation, read, scenario};

/// Calls enough for each agent to have some, with nothing wrong in them.
const PLAIN_WORLD: &str =
    "[world]\ninteractions = 24\nagents = 4\nqueues = 3\ntransfer_share = 0.3\n";

fn plain(target: &str, world: &str) -> String {
    format!(
        "about = \"A test.\"\nseed = 7\n{target}\n{world}{NO_LIMITS}\n[expect]\nverdict = \
         \"match\"\n"
    )
}

fn rewrite(path: &Path, change: impl Fn(&str) -> String) -> String {
    let before = read(path);
    std::fs::write(path, change(&before)).expect("written");
    before
}

/// Every agent's row ended before the first call; the stand-in's own row stays.
fn expired(table: &str) -> String {
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let at = |name: &str| {
        header
            .iter()
            .position(|column| *column == name)
            .expect("a column")
    };
    let (from, to, id) = (at("valid_from"), at("valid_to"), at("legacy_agent_id"));
    let mut seen = std::collections::BTreeSet::new();
    let rows = lines.map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let rows = rows
        .filter(|cells| seen.insert(cells[id].clone()))
        .map(|mut cells| {
            if cells[id] != "*" {
                (cells[from], cells[to]) = (String::new(), "2001-02-01T00:00:00Z".to_owned());
            }
            cells.join(",")
        });
    let rows: Vec<String> = rows.collect();
    format!("{}\n{}\n", header.join(","), rows.join("\n"))
}

/// Every second agent's rows stay as they are, the others have expired: a table that was forgotten
/// for a while.
fn half_expired(table: &str) -> String {
    let id_of = |row: &str| row.split(',').next().unwrap_or_default().to_owned();
    let expired = expired(table);
    let mut rows: Vec<&str> = table.lines().take(1).collect();
    for (at, row) in expired.lines().skip(1).enumerate() {
        if at % 2 == 0 && id_of(row) != "*" {
            rows.push(row);
        } else {
            rows.extend(table.lines().skip(1).filter(|own| id_of(own) == id_of(row)));
        }
    }
    rows.join("\n") + "\n"
}

#[test]
fn a_table_that_has_expired_is_refused_and_one_that_expired_in_part_is_counted_and_healed() {
    let world = Simulation::start(&plain("target = \"genesys_cloud\"", PLAIN_WORLD));
    let agents = world.file("mapping/agents.csv");
    let good = rewrite(&agents, expired);
    for command in ["preflight", "migrate"] {
        let refused = world.seatrial(&[command, "plan.toml"]).ends(2);
        let said = refused.stdout.clone() + &refused.stderr;
        assert!(
            said.contains("every row has expired") && said.contains("2001-02-01"),
            "{refused}"
        );
    }
    assert_eq!(
        world.truth("genesys_cloud").len(),
        0,
        "nothing was written under it"
    );

    std::fs::write(&agents, half_expired(&good)).expect("written");
    let preflight = world
        .seatrial(&["preflight", "plan.toml", "--json"])
        .ends(0)
        .json();
    let counted = &preflight["preflight"]["coverage"];
    assert_eq!(counted["calls"], 24);
    let calls = counted["without_row"]["calls"].as_u64().expect("calls");
    assert!(calls > 0 && calls < 24, "{counted}");
    assert_eq!(
        counted["not_valid_then"]
            .as_object()
            .map(serde_json::Map::len),
        counted["without_row"]["agents"]
            .as_object()
            .map(serde_json::Map::len)
    );
    let plan = rewrite(&world.file("plan.toml"), |plan| {
        plan.replace("[rules]\n", "[rules]\nmax_fallback_share = 0.01\n")
    });
    let stopped = world.migrate(&[]).ends(2);
    assert!(
        stopped.stderr.contains("max_fallback_share")
            && stopped.stderr.contains(&format!("{calls} of 24 calls")),
        "{stopped}"
    );
    assert_eq!(
        world.truth("genesys_cloud").len(),
        0,
        "it stopped before the first write"
    );
    let dry = world.migrate(&["--dry-run", "--accept-plan-change"]);
    assert!(
        dry.stdout
            .contains(&format!("{calls} of 24 calls go to the plan's stand-in")),
        "{dry}"
    );
    std::fs::write(world.file("plan.toml"), plan).expect("written");
    let run = world
        .migrate(&["--accept-plan-change", "--json"])
        .ends(0)
        .json();
    assert_eq!(run["outcome"]["tally"]["stand_in"]["calls"], calls);
    assert_eq!(
        world
            .seatrial(&["status", "plan.toml", "--json"])
            .ends(0)
            .json()["tally"]["stand_in"]["calls"],
        calls
    );
    let verified = world.verify(&[]);
    assert_eq!(
        (
            verified.run.code,
            verified.summary["stand_in"]["calls"].as_u64()
        ),
        (0, Some(calls)),
        "{}",
        verified.run
    );
    assert!(
        verified.run.stdout.contains("carry the plan's stand-in"),
        "{}",
        verified.run
    );

    // The right table back: it says what that would heal, and heals it.
    std::fs::write(&agents, good).expect("written");
    assert_eq!(world.verify(&[]).run.code, 20);
    let told = world.migrate(&[]).ends(2);
    assert!(
        told.stderr
            .contains(&format!("sends again {calls} of the 24 calls")),
        "{told}"
    );
    let healed = world
        .migrate(&["--accept-plan-change", "--json"])
        .ends(0)
        .json();
    assert_eq!(healed["outcome"]["redone"], calls);
    world.verify(&[]).run.ends(0);
    assert_eq!(
        world.truth("genesys_cloud").len(),
        24,
        "nothing was doubled"
    );

    // What was sent before a change that was accepted, and is the same since, is no finding.
    world
        .seatrial(&["status", "plan.toml", "--custody", "custody.ndjson"])
        .ends(0);
    let accepted = support::lines(&world.file("custody.ndjson"));
    let accepted = accepted.iter().filter(|line| line["hop"] == "plan");
    assert!(accepted.clone().count() >= 2, "each change is in the log");
    assert!(
        accepted
            .clone()
            .all(|line| line["plan_hash_before"].is_string())
    );
    let verified = world.verify(&["--custody", "custody.ndjson"]);
    let versions = verified.summary["custody"]["versions"].as_array();
    assert_eq!(versions.map(Vec::len), Some(1), "{}", verified.run);
    verified.run.ends(0);
}

/// Whether each line of recordings.csv is in one of the summary's counts, and all of them are
/// there.
fn adds_up(world: &Simulation, summary: &Value) {
    let text = read(&world.file("report/recordings.csv"));
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let at = |name: &str| {
        header
            .iter()
            .position(|column| column == name)
            .unwrap_or_else(|| panic!("no column {name}"))
    };
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows.records() {
        let row = row.expect("a row");
        let verdict = &row[at("verdict")];
        *verdicts.entry(verdict.to_owned()).or_default() += 1;
        if ["quarantined", "skipped"].contains(&verdict) {
            *reasons.entry(row[at("reason")].to_owned()).or_default() += 1;
        }
        let is_there = !row[at("target_recording_id")].is_empty();
        assert_eq!(
            is_there,
            ["matched", "different"].contains(&verdict),
            "{row:?}"
        );
        assert!(
            !is_there
                || (row[at("source_sha256")].len() == 64 && row[at("target_sha256")].len() == 64),
            "{row:?}"
        );
    }
    for name in [
        "matched",
        "different",
        "missing",
        "quarantined",
        "skipped",
        "not_verifiable",
    ] {
        assert_eq!(
            summary["counts"][name].as_u64(),
            Some(verdicts.get(name).copied().unwrap_or(0)),
            "{name}"
        );
    }
    assert_eq!(summary["by_reason"], serde_json::json!(reasons));
}

#[test]
fn every_recording_has_a_line_and_what_stays_behind_is_named_everywhere() {
    let world = Simulation::start(&scenario(11, FULL_WORLD));
    let run = world.migrate(&["--json"]).ends(10).json();
    let listed = run["outcome"]["left_behind"]["recordings"]
        .as_array()
        .expect("a list")
        .clone();
    let tally = &run["outcome"]["tally"];
    let sum = |counts: &Value| {
        counts
            .as_object()
            .expect("counts")
            .values()
            .filter_map(Value::as_u64)
            .sum::<u64>()
    };
    assert_eq!(
        listed.len() as u64,
        sum(&tally["quarantined"]) + sum(&tally["skipped"])
    );
    for behind in &listed {
        for name in [
            "legacy_interaction_id",
            "legacy_recording_id",
            "reason",
            "detail",
            "since",
        ] {
            assert!(
                behind[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name} of {behind}"
            );
        }
    }
    let html = listed
        .iter()
        .filter(|behind| behind["detail"] == "not audio: looks like html")
        .count();
    assert_eq!(html, 1, "the decoder's words: {listed:?}");
    let status = world
        .seatrial(&[
            "status",
            "plan.toml",
            "--quarantine",
            "q.csv",
            "--custody",
            "c.ndjson",
            "--json",
        ])
        .ends(0)
        .json();
    assert_eq!(
        status["left_behind"]["recordings"],
        Value::Array(listed.clone())
    );
    let table = read(&world.file("q.csv"));
    let custody = support::lines(&world.file("c.ndjson"));
    for behind in &listed {
        let (id, reason) = (
            behind["legacy_recording_id"].as_str().expect("an id"),
            behind["reason"].as_str().expect("a reason"),
        );
        assert!(
            table
                .lines()
                .any(|line| line.contains(id) && line.contains(reason)),
            "{id} {reason}"
        );
        let hop = if behind["outcome"] == "skipped" {
            "skip"
        } else {
            "quarantine"
        };
        let is_told = |line: &&Value| {
            line["legacy_recording_id"] == id && line["hop"] == hop && line["reason"] == reason
        };
        assert!(
            custody.iter().any(|line| is_told(&line)),
            "{id}: no hop {hop} for {reason}"
        );
    }
    let verified = world.verify(&[]);
    assert_eq!(verified.run.code, 0, "{}", verified.run);
    adds_up(&world, &verified.summary);

    // One call from the report, without a request.
    let one = listed[0]["legacy_recording_id"].as_str().expect("an id");
    let call = world
        .seatrial(&[
            "verify",
            "plan.toml",
            "--report",
            "report",
            "--call",
            one,
            "--json",
        ])
        .ends(0)
        .json();
    assert!(
        call["recordings"]
            .as_array()
            .is_some_and(|lines| lines.iter().any(|line| line["legacy_recording_id"] == one)),
        "{call}"
    );
    let shown = world
        .seatrial(&["verify", "plan.toml", "--report", "report", "--call", one])
        .ends(0);
    assert!(
        !shown.stdout.contains("\\n") && shown.stdout.lines().count() > 5,
        "each value is a line: {shown}"
    );
    let unknown = world
        .seatrial(&[
            "verify",
            "plan.toml",
            "--report",
            "report",
            "--call",
            "nobody",
        ])
        .ends(2);
    assert!(
        unknown.stderr.contains("says nothing of nobody"),
        "{unknown}"
    );

    // By reason and by list it is read again; the source is as bad as before.
    for what in ["audio_empty", "q.csv"] {
        let again = world.migrate(&["--retry", what, "--json"]).ends(10).json();
        assert!(
            again["outcome"]["taken_up"].as_u64() >= Some(1),
            "{what}: {again}"
        );
        assert_eq!(
            again["outcome"]["tally"]["quarantined"], tally["quarantined"],
            "{what}"
        );
        let now = again["outcome"]["left_behind"]["recordings"]
            .as_array()
            .expect("a list");
        let since = |list: &[Value]| {
            list.iter()
                .map(|behind| behind["since"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            since(now),
            since(&listed),
            "{what}: since when it stays behind"
        );
    }
    for (what, said) in [
        ("audio_emty", "audio_not_audio"),
        ("plan.toml", "in no call of this ledger"),
    ] {
        let refused = world.migrate(&["--retry", what]).ends(2);
        assert!(refused.stderr.contains(said), "{what}: {refused}");
    }
    world.verify(&[]).run.ends(0);
}

/// What a redo repairs on each way in, and what it names.
#[test]
fn what_is_wrong_in_the_target_is_sent_again_where_the_target_allows_it() {
    let rows: [(&str, &[&str], &[&str]); 3] = [
        (
            "target = \"genesys_cloud\"",
            &["D46", "D35", "D55", "D01"],
            &[],
        ),
        (
            "target = \"genesys_cloud\"\ningest = \"public\"",
            &["D55"],
            &["D46"],
        ),
        ("target = \"gir\"", &["D46", "D01"], &[]),
    ];
    for (target, repaired, named) in rows {
        for (defects, code) in [(repaired, 0), (named, 20)] {
            if defects.is_empty() {
                continue;
            }
            let world = Simulation::start(&plain(
                target,
                &PLAIN_WORLD.replace("agents = 4", "agents = 4\nunmapped_agents = 1"),
            ));
            world.migrated();
            for defect in defects {
                world
                    .tamper(defect, 1, 3)
                    .unwrap_or_else(|why| panic!("{target}: {defect} cannot be planted: {why}"));
            }
            let wrong = world.verify(&[]);
            assert_eq!(wrong.run.code, 20, "{target} {defects:?}: {}", wrong.run);
            let run = world.migrate(&["--redo", "report/findings.jsonl", "--replace"]);
            assert_eq!(
                run.code,
                if code == 0 { 0 } else { 10 },
                "{target} {defects:?}: {run}"
            );
            let after = world.verify(&[]);
            assert_eq!(
                after.run.code, code,
                "{target} {defects:?}: {run}\n{}",
                after.run
            );
            if code != 0 {
                let status = world.seatrial(&["status", "plan.toml", "--json"]).json();
                let listed = status["left_behind"]["recordings"]
                    .as_array()
                    .expect("a list")
                    .clone();
                assert!(!listed.is_empty(), "{target}: nothing is named");
                assert!(
                    listed
                        .iter()
                        .all(|behind| behind["outcome"] == "unrepaired"
                            && behind["detail"].is_string()),
                    "{listed:?}"
                );
            }
        }
    }
}
