//! Our wire types against the contract files both ends are held to: every field of an example is
//! read, and what we write reads back.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use platforms::{genesys_cloud::wire as gc, gir::wire as gir, legacy::wire as legacy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn contract(path: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios/contracts")
        .join(path);
    serde_json::from_str(&std::fs::read_to_string(&file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap_or_else(|error| panic!("{error} in {value}"))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_sources_examples_are_read_field_by_field() {
    let page = contract("legacy/query_interactions.json");
    let first: legacy::Interaction = read(&page["response"]["body"]["entities"][0]);
    assert_eq!(
        (first.id.as_str(), first.start_time.to_string().as_str()),
        ("100001", "1698400800000")
    );
    assert_eq!(
        (first.wait_time_ms, first.talk_time_ms),
        (Some(12_000), Some(281_000))
    );
    assert_eq!(
        (first.agent_id.as_deref(), first.queue_id.as_deref()),
        (Some("AGT-992"), Some("Q-SUPPORT"))
    );
    assert_eq!(
        (first.skill.as_deref(), first.skill_group.as_deref()),
        (Some("SK-BILLING"), Some("Billing Tier 1"))
    );
    assert_eq!(
        (
            first.ivr_node_id.as_deref(),
            first.disposition_code.as_deref()
        ),
        (Some("IVR-12"), Some("RESOLVED"))
    );
    assert_eq!(
        (
            first.wrap_up_code.as_deref(),
            first.recorder_node.as_deref()
        ),
        (Some("W-017"), Some("N3"))
    );
    assert_eq!(
        (
            first.caller_number.as_deref(),
            first.dialled_number.as_deref()
        ),
        (Some("+15550100199"), Some("+18005550123"))
    );
    assert_eq!(first.segments.len(), 2);
    assert_eq!(first.segments[1].agent_id.as_deref(), Some("AGT-014"));
    assert_eq!(first.recordings[1].segment_id.as_deref(), Some("100001-s2"));
    let second: legacy::Interaction = read(&page["response"]["body"]["entities"][1]);
    assert_eq!(
        (second.skill, second.recordings.len(), second.numbers_masked),
        (None, 0, Some(true))
    );

    let recording: legacy::Recording =
        read(&contract("legacy/get_recording.json")["response"]["body"]);
    assert_eq!(
        (recording.interaction_id.as_str(), recording.duration_ms),
        ("100001", Some(148_000))
    );
    assert_eq!(
        (recording.size_bytes, recording.channels),
        (Some(2_368_058), Some(2))
    );
    assert_eq!(recording.channel_roles, ["agent", "customer"]);
    assert_eq!(
        (
            recording.pauses[0].start_offset_ms,
            recording.pauses[0].end_offset_ms
        ),
        (Some(61_000), Some(74_500))
    );
    assert_eq!(
        (recording.retention_class.as_deref(), recording.legal_hold),
        (Some("7-Year Retention"), false)
    );
    assert_eq!(
        recording.media_url.as_deref(),
        Some("/api/v2/recordings/100001-1/media")
    );
}

#[test]
fn ids_beyond_two_to_the_53_keep_every_digit() {
    let text = r#"{"id": 9007199254740993123, "startTime": 1, "endTime": 2, "segments": [], "recordings": [{"id": 18446744073709551617}]}"#;
    let interaction: legacy::Interaction = serde_json::from_str(text).unwrap();
    assert_eq!(interaction.id, "9007199254740993123");
    assert_eq!(interaction.recordings[0].id, "18446744073709551617");
}

#[test]
fn a_source_time_is_taken_as_it_stands() {
    let rows = [
        (
            "1698400800000",
            legacy::SourceTime::Number(1_698_400_800_000),
        ),
        (
            "\"2023-10-27T10:00:00\"",
            legacy::SourceTime::Text("2023-10-27T10:00:00".to_owned()),
        ),
        (
            "1698400800000.5",
            legacy::SourceTime::Text("1698400800000.5".to_owned()),
        ),
        ("null", legacy::SourceTime::Absent),
    ];
    for (text, expected) in rows {
        assert_eq!(
            serde_json::from_str::<legacy::SourceTime>(text).unwrap(),
            expected,
            "{text}"
        );
    }
}

/// Everything the example holds comes back out, and nothing else.
fn reads_and_writes<T: Serialize + DeserializeOwned>(value: &Value) {
    let back = serde_json::to_value(read::<T>(value)).unwrap();
    assert_eq!(
        back.to_string().len(),
        value.to_string().len(),
        "{back}\n{value}"
    );
    assert_eq!(keys(&back), keys(value));
}

#[test]
fn the_interaction_payload_reads_back_as_the_contract_has_it() {
    reads_and_writes::<gc::Interaction>(
        &contract("genesys_cloud/create_interaction.json")["request"]["body"],
    );
}

#[test]
fn the_read_surfaces_examples_are_read_field_by_field() {
    let conversation: gc::Conversation =
        read(&contract("genesys_cloud/get_conversation.json")["response"]["body"]);
    assert_eq!(
        conversation.external_tag.as_deref(),
        Some("st:acme-2026:100001")
    );
    assert_eq!(
        conversation.participants[0].attributes["st.wait_ms"],
        "12000"
    );
    assert!(
        conversation.participants[1]
            .wrapup
            .as_ref()
            .unwrap()
            .code
            .is_some()
    );
    let recordings: Vec<gc::Recording> =
        read(&contract("genesys_cloud/list_recordings.json")["response"]["body"]);
    assert_eq!(recordings[0].annotations[0].duration_ms, Some(13_500));
    assert_eq!(
        (
            recordings[0].file_state.as_deref(),
            recordings[0].users.len()
        ),
        (Some("AVAILABLE"), 1)
    );
    assert!(recordings[0].delete_date.is_some() && recordings[0].start_time.is_some());
    let metadata: Vec<gc::Recording> =
        read(&contract("genesys_cloud/list_recordingmetadata.json")["response"]["body"]);
    assert!(metadata[0].start_time.is_none());
    let batch: gc::BatchStatus =
        read(&contract("genesys_cloud/get_batchrequest.json")["response"]["body"]);
    assert!(batch.status == "Completed" && batch.results[0].result_url.is_some());
    let job = contract("genesys_cloud/create_details_job.json");
    let state: gc::JobState = read(&job["then"][0]["response"]["body"]);
    assert_eq!(state.state, "FULFILLED");
    let page: gc::DetailsPage = read(&job["then"][1]["response"]["body"]);
    let agent = &page.conversations[0].participants[1];
    assert!(agent.user_id.is_some() && agent.sessions[0].segments[0].queue_id.is_some());
    assert_eq!(
        agent.sessions[0].segments[0]
            .requested_routing_skill_ids
            .len(),
        1
    );
    assert!(page.cursor.is_some() && page.data_availability_date.is_some());
    let users: gc::Page<gc::Named> =
        read(&contract("genesys_cloud/list_users.json")["response"]["body"]);
    assert_eq!(
        (users.entities[0].state.as_deref(), users.page_count),
        (Some("inactive"), Some(1))
    );
}

#[test]
fn the_insertion_document_is_written_as_the_vendors_page_has_it() {
    let body = &contract("gir/insert_recording.json")["request"]["body"];
    let sample: gir::Recording = read(body);
    assert_eq!(
        serde_json::to_value(&sample).unwrap(),
        *body,
        "every field is read, and written under its own spelling"
    );
    let file = &sample.media_files[0];
    assert_eq!(
        (file.call_uuid.as_deref(), file.media_id.as_deref()),
        (Some("123123"), Some("123123-FFAB-ABAD"))
    );
    assert_eq!(
        file.parameters.username.as_deref(),
        Some("agent.bob@example.com")
    );
    assert_eq!(
        (file.masks[0].kind.as_str(), file.masks[1].kind.as_str()),
        ("paused", "resume")
    );
    assert_eq!(file.path(), Some("http://example.com/file1.mp3"));
    let joined = &sample.event_history[1];
    assert_eq!(
        joined.contact.as_ref().unwrap().user_name.as_deref(),
        Some("agent.bob@example.com")
    );
    assert_eq!(joined.call_uuid.as_deref(), Some("234222"));
}

#[test]
fn a_recording_of_interaction_recording_is_read_as_it_is_told() {
    let told: gir::Recording =
        read(&contract("gir/get_recording.json")["response"]["body"]["recording"]);
    assert_eq!(
        (
            told.id.as_str(),
            told.media_files.len(),
            told.event_history.len()
        ),
        ("alex-test-id", 2, 2)
    );
    assert_eq!(
        told.start_time.as_deref(),
        Some("2015-06-15T23:58:00.000+0000")
    );
    assert_eq!(
        told.media_files[1].path(),
        Some("http://example.com/file2.mp3"),
        "the descriptor's other name"
    );
    assert_eq!(
        told.event_history[0].data.as_ref().unwrap()["added"]["drink"],
        "cola"
    );
}
