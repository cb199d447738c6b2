//! A plan towards Interaction Recording, and a call, for tests.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::gir::wire::Recording;
use platforms::legacy::wire;
use serde_json::{Value, json};

use super::{Place, recording};
use crate::ledger::{Disposition, RecordingRow};
use crate::phone::PhoneRule;
use crate::resolve::Resolver;
use crate::source::legacy::normalise;
use crate::target::gir::Names;

const PLAN: &str = r#"
plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "legacy"
base_url = "http://127.0.0.1:1"
client_id = "a"
client_secret = { env = "NOBODY" }
[target]
kind = "gir"
rws_url = "http://127.0.0.1:2"
contact_center_id = "57c0b771"
region = "Can-West"
username = "ops"
password = { env = "NOBODY" }
webdav_url = "http://127.0.0.1:3/recordings"
webdav_username = "store"
webdav_password = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
wrapups = "wrapups.csv"
[rules]
unmapped_agent = "fallback:550e8400-e29b-41d4-a716-446655440009"
unmapped_queue = "skip"
[pii]
phones = "keep"
pauses = "keep"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;

const AGENTS: &str = "legacy_agent_id,genesys_user_id,genesys_user_name,gir_username,gir_login,gir_access_group
A1,550e8400-e29b-41d4-a716-446655440001,Alice van Berg,alice@example.com,L4711,/Support/Alice
A2,550e8400-e29b-41d4-a716-446655440002,Bob,bob@example.com,L4712,
*,550e8400-e29b-41d4-a716-446655440009,Historical Migration - Unknown Agent,unknown@example.com,L0000,/
";

/// The plan with further tables at its end.
pub(in crate::target::gir) fn plan(tables: &str) -> LoadedPlan {
    let dir = tempfile::tempdir().expect("a folder");
    let files = [
        ("plan.toml", format!("{PLAN}{tables}")),
        ("agents.csv", AGENTS.to_owned()),
        ("queues.csv", "legacy_queue_id,genesys_queue_id,gir_partition\nQ1,0a0b0000-0000-4000-8000-0000000000d1,/support\n".to_owned()),
        ("wrapups.csv", "legacy_code,genesys_wrapup_id\nW1,7f3c0000-0000-4000-8000-00000000a017\n".to_owned()),
    ];
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("a file");
    }
    LoadedPlan::read(&dir.path().join("plan.toml")).expect("a plan")
}

/// A transferred call of two agents with a queue, a wrap-up, a hold and a pause, two recordings of
/// which the second stays behind.
pub(in crate::target::gir) fn call() -> Value {
    json!({
        "id": 100001, "startTime": 1_698_400_800_000_i64, "endTime": 1_698_401_100_000_i64, "direction": "INBOUND", "waitTimeMs": 12_000,
        "queueId": "Q1", "wrapUpCode": "W1", "callerNumber": "+15550100199", "dialledNumber": "+18005550123", "agentId": "A1",
        "segments": [
            {"id": "s1", "startTime": 1_698_400_812_000_i64, "endTime": 1_698_400_960_000_i64, "agentId": "A1"},
            {"id": "s2", "startTime": 1_698_400_960_000_i64, "endTime": 1_698_401_100_000_i64, "agentId": "A2"},
        ],
        "recordings": [],
    })
}

/// Its document.
pub(in crate::target::gir) fn document(call: &Value) -> Recording {
    let plan = Arc::new(plan("[retention.class.Seven]\nyears = 7\n"));
    let interaction: wire::Interaction =
        serde_json::from_value(call.clone()).expect("an interaction");
    let told = |id: &str, segment: &str| -> wire::Recording {
        serde_json::from_value(json!({
            "id": id, "interactionId": "100001", "segmentId": segment, "startTime": 1_698_400_812_000_i64, "endTime": 1_698_400_960_000_i64,
            "retentionClass": "Seven", "legalHold": false, "pauses": [{"startOffsetMs": 61_000, "endOffsetMs": 74_500, "reason": "card"}],
            "channels": 1, "channelRoles": [],
        }))
        .expect("a recording")
    };
    let record = normalise(
        &interaction,
        &[told("100001-1", "s1"), told("100001-2", "s2")],
        &plan.plan.time,
    )
    .expect("a record");
    let resolver = Resolver::new(plan.clone(), None);
    let resolved = resolver.resolve(&record).expect("resolved");
    let row = |id: &str, outcome: Option<Disposition>| RecordingRow {
        legacy_id: id.to_owned(),
        outcome,
        out_codec: Some("mp3".to_owned()),
        out_samples: Some(1_184_000),
        out_rate: Some(8000),
        out_bytes: Some(592_000),
        file_id: Some(
            "http://127.0.0.1:3/recordings/st-acme/2023-10-27/st-acme-100001-1.0123.mp3".to_owned(),
        ),
        ..RecordingRow::default()
    };
    let rows = [
        row("100001-1", None),
        row("100001-2", Some(Disposition::Quarantined)),
    ];
    let phones = PhoneRule::of(&plan).expect("a rule");
    let place = Place {
        names: Names::new("acme"),
        region: "Can-West",
        resolver: &resolver,
        phones: &phones,
    };
    recording(&place, &record, &resolved, &rows).expect("a document")
}
