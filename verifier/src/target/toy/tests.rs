//! Verifications of a toy target against a toy source, from end to end.

mod exports;

use std::path::Path;
use std::sync::Arc;

use audio::Codec;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Pipe;
use serde_json::json;
use tempfile::TempDir;

use crate::sound::testing::speech;
use crate::{Defect, Options, Report, Silent, SourceFrom, Verdict, requests_of, verify};

const PLAN: &str = r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "legacy"
base_url = "http://127.0.0.1/toy/source"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[target]
kind = "genesys_cloud"
base_url = "http://127.0.0.1/toy/target"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[audio]
format = "keep"
[pii]
phones = "keep"
pauses = "keep"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;
const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";
const BOB: &str = "550e8400-e29b-41d4-a716-446655440002";
/// Id, hour, agent and user, file.
const CALLS: [(&str, u32, &str, &str, &str); 3] = [
    ("100001", 10, "A1", ALICE, "first.wav"),
    ("100002", 11, "A2", BOB, "second.wav"),
    ("100003", 12, "A1", ALICE, "third.wav"),
];

/// A plan, its source, and a target as a right migration leaves it.
fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for folder in ["source", "target/calls", "target/files"] {
        std::fs::create_dir_all(dir.path().join(folder)).expect("a folder");
    }
    let write =
        |name: String, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect("a file");
    let agents = format!(
        "legacy_agent_id,genesys_user_id,genesys_user_name\nA1,{ALICE},Alice\nA2,{BOB},Bob\n"
    );
    write("plan.toml".into(), PLAN.as_bytes());
    write("agents.csv".into(), agents.as_bytes());
    write("queues.csv".into(), b"legacy_queue_id,genesys_queue_id\n");
    let mut lines = String::new();
    for (id, hour, agent, user, file) in CALLS {
        let time =
            |second: u32, fraction: &str| format!("2023-10-27T{hour}:00:{second:02}{fraction}Z");
        lines.push_str(&format!(
            "{id},{},{},{agent},{file}\n",
            time(0, ""),
            time(8, "")
        ));
        let call = json!({"id": id, "start": time(0, ".000"), "end": time(8, ".000"), "agent": user, "files": [file],
            "attributes": {"st.raw_start": time(0, ""), "st.file_name": file}});
        write(
            format!("target/calls/{id}.json"),
            call.to_string().as_bytes(),
        );
        let sound = audio::encode(&speech(u64::from(hour), 8.0, 1), Codec::PcmS16).expect("a WAV");
        write(format!("source/{file}"), &sound);
        write(format!("target/files/{file}"), &sound);
    }
    write("source/calls.csv".into(), lines.as_bytes());
    dir
}

fn plan(dir: &Path) -> LoadedPlan {
    LoadedPlan::read(&dir.join("plan.toml")).expect("a plan")
}

async fn verified(dir: &Path, options: Options) -> Report {
    let no_network = Arc::new(Pipe::new(Arc::new(|_| None)));
    verify(&plan(dir), options, no_network, Clock::real(), &Silent)
        .await
        .expect("a verdict")
}

/// What is found once a file of the target is damaged: class, call and recording.
async fn found(damage: impl FnOnce(&Path)) -> Vec<(Defect, String, Option<String>)> {
    let dir = world();
    damage(&dir.path().join("target"));
    let report = verified(dir.path(), Options::default()).await;
    assert_eq!(
        report.summary.verdict,
        Verdict::Mismatch,
        "{}",
        report.text()
    );
    let of = |finding: crate::Finding| {
        (
            finding.defect,
            finding.legacy_interaction_id.unwrap_or_default(),
            finding.legacy_recording_id,
        )
    };
    report.findings.into_iter().map(of).collect()
}

fn of(defect: Defect, call: usize, recording: Option<usize>) -> (Defect, String, Option<String>) {
    (
        defect,
        CALLS[call].0.to_owned(),
        recording.map(|at| CALLS[at].4.to_owned()),
    )
}

#[tokio::test]
async fn a_right_migration_matches_without_a_request() {
    let dir = world();
    let report = verified(dir.path(), Options::default()).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert!(
        report.findings.is_empty() && report.requests.is_empty(),
        "{}",
        report.text()
    );
    assert_eq!(
        (
            report.summary.counts.source_recordings,
            report.summary.counts.matched
        ),
        (3, 3)
    );
    let sentence = "match: all 3 recordings of 3 calls are in the folder as they should be";
    assert_eq!(report.summary.sentence, sentence);
    assert!(
        requests_of(&plan(dir.path()), &Options::default()).is_empty(),
        "no other platform's requests are allowed either"
    );
}

#[tokio::test]
async fn what_was_staged_of_the_source_does_for_the_source() {
    let dir = world();
    let staging = dir.path().join("staging");
    ["raw", "blob"]
        .iter()
        .try_for_each(|folder| std::fs::create_dir_all(staging.join(folder)))
        .expect("folders");
    let lines = std::fs::read_to_string(dir.path().join("source/calls.csv")).expect("lines");
    for ((id, .., file), line) in CALLS.into_iter().zip(lines.lines()) {
        let sound = std::fs::read(dir.path().join("source").join(file)).expect("a WAV");
        let sha256 = crate::sound::hash(&sound);
        let raw = json!({"staging_version": 1, "interaction": {"request": "calls.csv", "headers": {}, "entity": line},
            "recordings": [{"request": file, "headers": {}, "body": {"line": line, "bytes": sound.len()},
                "media": {"sha256": sha256, "bytes": sound.len(), "headers": {}}}]});
        std::fs::write(staging.join(format!("raw/{id}.json")), raw.to_string()).expect("a file");
        std::fs::write(staging.join("blob").join(sha256), sound).expect("a file");
    }
    std::fs::remove_dir_all(dir.path().join("source")).expect("removed");
    let report = verified(
        dir.path(),
        Options {
            source: SourceFrom::Staged,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(
        (report.summary.verdict, report.summary.counts.matched),
        (Verdict::CannotTell, 3),
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn a_file_that_was_deleted_is_found() {
    let found =
        found(|target| std::fs::remove_file(target.join("files/second.wav")).expect("removed"))
            .await;
    assert_eq!(found, [of(Defect::AudioGone, 1, Some(1))]);
}

#[tokio::test]
async fn audio_that_was_exchanged_is_found_on_both_calls() {
    let exchange = |target: &Path| {
        let file = |name: &str| target.join("files").join(name);
        for (from, to) in [
            ("first.wav", "aside"),
            ("third.wav", "first.wav"),
            ("aside", "third.wav"),
        ] {
            std::fs::rename(file(from), file(to)).expect("renamed");
        }
    };
    assert_eq!(
        found(exchange).await,
        [
            of(Defect::AudioOfAnotherCall, 0, Some(0)),
            of(Defect::AudioOfAnotherCall, 2, Some(2))
        ]
    );
}

#[tokio::test]
async fn an_agent_that_was_changed_is_found() {
    let change = |target: &Path| {
        let file = target.join("calls/100002.json");
        let text = std::fs::read_to_string(&file).expect("a call");
        std::fs::write(file, text.replace(BOB, ALICE)).expect("written");
    };
    assert_eq!(found(change).await, [of(Defect::WrongAgent, 1, None)]);
}
