//! Verifications of a toy target against an export, from end to end.

use std::path::Path;
use std::sync::Arc;

use audio::Codec;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Pipe;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sound::testing::speech;
use crate::{Defect, Options, Report, Silent, SourceFrom, Verdict, requests_of, verify};

const PLAN: &str = r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "files"
audio = "export"
layout = "layout.toml"
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

const LAYOUT: &str = r#"layout_version = 1
[file]
format = "csv"
separator = ";"
[time]
format = "%d/%m/%Y %H:%M:%S"
zone = "Europe/London"
lengths = "hms"
[call]
id = "Call"
start = { text = "{Date} {Time}" }
duration = "Length"
agent = { column = "Agent", pattern = '\((.*)\)$' }
[recording]
each = "row"
id = "File"
file = { text = "{row.folder}/{File}" }
[attributes]
campaign = "Campaign"
"#;

const CALLS: u64 = 60;
const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";

/// A plan, its export, and a target as a right migration leaves it.
fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for folder in ["export/07", "target/calls", "target/files"] {
        std::fs::create_dir_all(dir.path().join(folder)).expect("a folder");
    }
    let write =
        |name: String, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect("a file");
    let agents = format!("legacy_agent_id,genesys_user_id,genesys_user_name\nA1,{ALICE},Alice\n");
    write("plan.toml".into(), PLAN.as_bytes());
    write("layout.toml".into(), LAYOUT.as_bytes());
    write("agents.csv".into(), agents.as_bytes());
    write("queues.csv".into(), b"legacy_queue_id,genesys_queue_id\n");
    let mut rows = "Call;Date;Time;Length;Agent;File;Campaign\n".to_owned();
    for n in 0..CALLS {
        let (id, file) = (1000 + n, format!("{n}.wav"));
        let raw = format!("01/07/2023 11:{n:02}:00");
        let (date, time) = raw.split_once(' ').expect("two words");
        rows.push_str(&format!(
            "{id};{date};{time};0:02;\"Smith; A. (A1)\";{file};C-{n}\n"
        ));
        let at = |second: u32| format!("2023-07-01T10:{n:02}:{second:02}.000Z");
        let attributes = json!({"st.raw_start": raw, "st.file_name": file, "st.data.campaign": format!("C-{n}")});
        let call = json!({"id": id.to_string(), "start": at(0), "end": at(2), "agent": ALICE,
            "files": [file], "attributes": attributes});
        write(
            format!("target/calls/{id}.json"),
            call.to_string().as_bytes(),
        );
        let sound = audio::encode(&speech(n, 2.0, 1), Codec::PcmS16).expect("a WAV");
        write(format!("export/07/{file}"), &sound);
        write(format!("target/files/{file}"), &sound);
    }
    write("export/07/calls.csv".into(), rows.as_bytes());
    dir
}

async fn verified(dir: &Path, source: SourceFrom) -> Report {
    let no_network = Arc::new(Pipe::new(Arc::new(|_| None)));
    let plan = LoadedPlan::read(&dir.join("plan.toml")).expect("a plan");
    let options = Options {
        source,
        ..Options::default()
    };
    assert!(requests_of(&plan, &options).is_empty());
    verify(&plan, options, no_network, Clock::real(), &Silent)
        .await
        .expect("a verdict")
}

/// Classes, calls and recordings of what is found, in order.
fn found(report: &Report) -> Vec<(Defect, String)> {
    let of = |finding: &crate::Finding| {
        (
            finding.defect,
            finding.legacy_interaction_id.clone().unwrap_or_default(),
        )
    };
    report.findings.iter().map(of).collect()
}

/// Changes a call of the target.
fn change(dir: &Path, id: u64, change: impl FnOnce(&mut Value)) {
    let file = dir.join(format!("target/calls/{id}.json"));
    let text = std::fs::read_to_string(&file).expect("a call");
    let mut call = serde_json::from_str(&text).expect("JSON");
    change(&mut call);
    std::fs::write(file, call.to_string()).expect("written");
}

#[tokio::test]
async fn a_right_migration_of_an_export_matches_without_a_request() {
    let dir = world();
    let report = verified(dir.path(), SourceFrom::Live).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert_eq!(report.summary.counts.matched, CALLS);
    assert!(report.requests.is_empty());
}

#[tokio::test]
async fn a_changed_file_a_call_that_is_gone_and_another_time_are_found() {
    let dir = world();
    let other = audio::encode(&speech(777, 2.0, 1), Codec::PcmS16).expect("a WAV");
    std::fs::write(dir.path().join("target/files/7.wav"), other).expect("written");
    std::fs::remove_file(dir.path().join("target/calls/1020.json")).expect("removed");
    change(dir.path(), 1033, |call| {
        call["start"] = json!("2023-07-01T10:33:40.000Z");
        call["end"] = json!("2023-07-01T10:33:42.000Z");
    });
    change(dir.path(), 1040, |call| {
        call["attributes"]["st.data.campaign"] = json!("C-1")
    });
    change(dir.path(), 1041, |call| {
        call["attributes"]["st.data.other"] = json!("x")
    });
    let report = verified(dir.path(), SourceFrom::Live).await;
    assert_eq!(report.summary.verdict, Verdict::Mismatch);
    let found = found(&report);
    let calls: Vec<&str> = found.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(calls, ["1007", "1020", "1033", "1040", "1041"], "{found:?}");
    assert_eq!(found[1].0, Defect::MissingRecording);
    assert_eq!(found[3].0, Defect::AttributeWrong);
    assert_eq!(found[4].0, Defect::AttributeWrong);
}

#[tokio::test]
async fn what_cannot_be_read_of_an_export_is_never_taken_for_right() {
    let dir = world();
    let file = dir.path().join("export/07/calls.csv");
    let mut text = std::fs::read_to_string(&file).expect("rows");
    text.push_str("1100;01/07/2023\n");
    std::fs::write(&file, &text).expect("written");
    std::fs::remove_file(dir.path().join("export/07/3.wav")).expect("removed");
    let report = verified(dir.path(), SourceFrom::Live).await;
    let summary = &report.summary;
    assert_eq!(summary.verdict, Verdict::CannotTell, "{}", report.text());
    assert_eq!(
        (summary.counts.not_verifiable, summary.counts.matched),
        (1, CALLS - 1)
    );
    let said = report.text();
    assert!(said.contains("lines of 07/calls.csv"), "{said}");
    assert!(said.contains("audio files that the export names"), "{said}");
}

#[tokio::test]
async fn what_was_staged_of_an_export_does_for_the_export() {
    let dir = world();
    let staging = dir.path().join("staging");
    for folder in ["raw", "blob"] {
        std::fs::create_dir_all(staging.join(folder)).expect("a folder");
    }
    let rows = std::fs::read_to_string(dir.path().join("export/07/calls.csv")).expect("rows");
    for (n, row) in rows.lines().skip(1).enumerate() {
        let cell = |at: usize| {
            row.replace("Smith; A. ", "Smith. A. ")
                .split(';')
                .nth(at)
                .expect("a cell")
                .to_owned()
        };
        let row = json!({"Call": cell(0), "Date": cell(1), "Time": cell(2), "Length": cell(3),
            "Agent": cell(4).trim_matches('"'), "File": cell(5), "Campaign": cell(6)});
        let sound = std::fs::read(dir.path().join(format!("export/07/{n}.wav"))).expect("a WAV");
        let sha256 = crate::sound::hash(&sound);
        let entity = json!({"rows": [{"file": "07/calls.csv", "line": n + 2, "row": row}]});
        let raw = json!({"staging_version": 1,
            "interaction": {"request": "rows of call", "headers": {}, "entity": entity},
            "recordings": [{"request": format!("file of recording {n}.wav"), "headers": {},
                "body": {"path": format!("07/{n}.wav"), "bytes": sound.len()},
                "media": {"sha256": sha256, "bytes": sound.len(), "headers": {}}}]});
        std::fs::write(
            staging.join(format!("raw/{}.json", cell(0))),
            raw.to_string(),
        )
        .expect("a file");
        std::fs::write(staging.join("blob").join(sha256), sound).expect("a file");
    }
    std::fs::remove_dir_all(dir.path().join("export")).expect("removed");
    let report = verified(dir.path(), SourceFrom::Staged).await;
    assert_eq!(
        (report.summary.verdict, report.summary.counts.matched),
        (Verdict::CannotTell, CALLS),
        "{}",
        report.text()
    );
    assert!(report.findings.is_empty());
}
