//! What must not change while the code around it is moved and renamed: whole runs of the three ways
//! in, byte for byte, and the names that seeds, operations and ledgers are made of.
//!
//! Where a change of behaviour is meant,
//! `INSTA_UPDATE=always cargo test --release --workspace --test unchanged_runs` takes it over, and
//! the commit says what moved. Audio stays uncompressed here: a run is the same on every machine.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;
const DOCUMENTS: [&str; 4] = ["journal", "effects", "faults", "truth"];

const COMMON: &str = r#"
[world]
interactions = 16
transfer_share = 0.2
reversed_share = 0.1
hold_share = 0.2
pause_share = 0.2
unmapped_agents = 1
mean_seconds = 1.0
codecs = ["pcm", "mulaw", "alaw"]
[world.bad_media]
html = 1
[clock]
mode = "virtual"
[[fault]]
on = "legacy.get_recording"
kind = "server_error"
status = 502
share = 0.2
attempts = [1]
[[fault]]
on = "legacy.get_media"
kind = "truncated_body"
share = 0.2
attempts = [1]
[expect]
migrator = "quarantined"
verdict = "match"
quarantined = { audio_not_audio = 1 }
"#;

/// A way in: where to and by which surface, and faults of the target's operations as operation,
/// kind and share.
struct Way {
    name: &'static str,
    target: &'static str,
    faults: [(&'static str, &'static str, f64); 3],
}

const WAYS: [Way; 3] = [
    Way {
        name: "guide",
        target: "target = \"genesys_cloud\"\ningest = \"guide\"\n[plan.audio]\nformat = \"wav\"\n",
        faults: [
            ("genesys_cloud.create_interaction", "lost_answer", 0.3),
            ("genesys_cloud.upload_file", "error_after_commit", 0.3),
            ("genesys_cloud.create_interaction", "too_many_requests", 0.2),
        ],
    },
    Way {
        name: "public",
        target: "target = \"genesys_cloud\"\ningest = \"public\"\n[plan.audio]\nformat = \"wav\"\n",
        faults: [
            ("genesys_cloud.inject_events", "lost_answer", 0.1),
            ("genesys_cloud.put_upload", "error_after_commit", 0.3),
            ("genesys_cloud.create_upload", "too_many_requests", 0.2),
        ],
    },
    Way {
        name: "gir",
        target: "target = \"gir\"\n",
        faults: [
            ("gir.insert_recording", "lost_answer", 0.2),
            ("webdav.put_file", "error_after_commit", 0.2),
            ("speechminer.post_recording", "error_after_commit", 0.2),
        ],
    },
];

fn scenario(
    Way {
        name,
        target,
        faults,
    }: &Way,
) -> String {
    let mut text = format!("about = \"A run by {name} that is kept.\"\nseed = 1\n{target}{COMMON}");
    for (operation, kind, share) in faults {
        let _ = write!(
            text,
            "[[fault]]\non = \"{operation}\"\nkind = \"{kind}\"\nshare = {share:?}\nattempts = \
             [1]\n"
        );
    }
    text
}

/// A rehearsal in virtual time; the folder of its report.
fn rehearse(dir: &Path, way: &Way, seed: u64) -> PathBuf {
    let file = dir.join(format!("{}.toml", way.name));
    std::fs::write(&file, scenario(way)).unwrap();
    let report = dir.join(seed.to_string());
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command
        .arg("rehearse")
        .arg(file)
        .args(["--seed", &seed.to_string(), "--journal", "--report"])
        .arg(&report);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    assert!(output.status.success(), "{}, seed {seed}: {said}", way.name);
    report.join(way.name)
}

/// Distinct values of the ledger's columns that hold names.
fn names_of(ledger: &Path, names: &mut BTreeMap<String, BTreeSet<String>>) {
    let ledger = Connection::open(ledger).unwrap();
    for (table, column) in [
        ("interaction", "phase"),
        ("interaction", "reason"),
        ("recording", "outcome"),
        ("recording", "reason"),
    ] {
        let mut rows = ledger
            .prepare(&format!(
                "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ))
            .unwrap();
        let found = rows
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(Result::unwrap);
        names
            .entry(format!("{table}.{column}"))
            .or_default()
            .extend(found);
    }
}

/// Names of the operations in a journal.
fn operations_of(journal: &str, operations: &mut BTreeSet<String>) {
    operations.extend(journal.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["operation"].as_str().unwrap_or("none").to_owned()
    }));
}

#[test]
fn a_seed_gives_the_run_it_gave_before() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hashes, mut ledgers, mut operations) =
        (String::new(), BTreeMap::new(), BTreeSet::new());
    for way in &WAYS {
        for seed in SEEDS {
            let report = rehearse(dir.path(), way, seed);
            let _ = write!(hashes, "{} {seed}", way.name);
            for document in DOCUMENTS {
                let text =
                    std::fs::read_to_string(report.join(format!("{document}.ndjson"))).unwrap();
                assert!(
                    text.lines().count() > 1,
                    "{}, seed {seed}: {document} says nothing",
                    way.name
                );
                let hash = Sha256::digest(text.as_bytes());
                let _ = write!(hashes, " {document} {}", hex::encode(&hash[..8]));
                if document == "journal" {
                    operations_of(&text, &mut operations);
                }
            }
            hashes.push('\n');
            names_of(&report.join("work/ledger.db"), &mut ledgers);
        }
    }
    insta::assert_snapshot!("hashes", hashes);
    insta::assert_snapshot!(
        "operations",
        operations.into_iter().collect::<Vec<_>>().join("\n")
    );
    let names = ledgers.iter().map(|(column, names)| {
        format!(
            "{column}: {}\n",
            names.iter().cloned().collect::<Vec<_>>().join(", ")
        )
    });
    insta::assert_snapshot!("ledger", names.collect::<String>());
}

/// What random numbers are drawn for, as the sources say it. A renamed one changes every run of
/// every seed.
#[test]
fn numbers_are_drawn_under_the_names_they_were() {
    const DRAWN: &str = ".child(\"";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for source in ["simulator/src", "rehearsal/src"] {
        let mut folders = vec![root.join(source)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    names.extend(
                        text.split(DRAWN)
                            .skip(1)
                            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
                    );
                }
            }
        }
    }
    insta::assert_snapshot!("seeds", names.into_iter().collect::<Vec<_>>().join("\n"));
}
