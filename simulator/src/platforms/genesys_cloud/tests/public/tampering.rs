//! Defects planted in what came in by the public API are seen as they are in what came in by the
//! guide's.

use super::super::tampering::each_plants_as_asked;
use super::*;

/// Twelve injected calls with real audio: every fourth has a recording of each agent, every second
/// is protected.
async fn populated_by_events() -> World {
    let world = World::public(PublicSettings::default()).await;
    for number in 1..=12 {
        world.injected(number).await;
        let codec = if number.is_multiple_of(3) {
            Codec::PcmS16
        } else {
            Codec::Mp3
        };
        let bytes = |one: u64| {
            audio::encode(&sound(number * 10 + one, 1 + number % 2), codec).expect("audio")
        };
        assert_eq!(
            world
                .upload_zip(&name_of(number), &package(&metadata(number), &bytes(1)))
                .await
                .status,
            200
        );
        if number.is_multiple_of(4) {
            let mut second = metadata(number);
            second["recordingId"] = json!(recording_id(number + 3_000_000));
            second["originatingRecordingId"] = json!(format!("{number}-2"));
            second["communicationId"] = json!(leg(number, 5));
            (second["startTime"], second["endTime"]) = (
                json!("2023-07-27T10:02:40.456Z"),
                json!("2023-07-27T10:05:00.456Z"),
            );
            assert_eq!(
                world
                    .upload_zip("second.zip", &package(&second, &bytes(2)))
                    .await
                    .status,
                200
            );
        }
        let held = world
            .get(&format!(
                "/api/v2/conversations/{}",
                conversation_id(number)
            ))
            .await
            .json();
        let customer = held["participants"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!(
            "/api/v2/conversations/{}/participants/{customer}/attributes",
            conversation_id(number)
        );
        world
            .json(
                "PATCH",
                &path,
                &json!({"attributes": {"st.wait_ms": "12000", "st.skill_group": "Billing Tier 1"}}),
            )
            .await;
        if number.is_multiple_of(2) {
            let ids = json!({"conversationIds": [conversation_id(number)]});
            assert_eq!(
                world
                    .json("PUT", "/api/v2/recordings/deletionprotection", &ids)
                    .await
                    .status,
                204
            );
        }
    }
    world
}

#[tokio::test]
async fn each_defect_can_be_planted_in_injected_conversations() {
    each_plants_as_asked(&populated_by_events().await);
}
