//! Planted defects: as many as asked for, where they are said to be, and nowhere else.

use crate::platforms::Platform as _;
use std::collections::{BTreeMap, BTreeSet};

use super::{super::identity::Tag, *};
use crate::tamper::TamperRefusal;

/// Lines of the truth by legacy id.
fn by_id(truth: &str) -> BTreeMap<String, String> {
    let line = |text: &str| {
        let value: Value = serde_json::from_str(text).expect("a line");
        (
            value["legacy_interaction_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            text.to_owned(),
        )
    };
    truth.lines().map(line).collect()
}

/// Legacy ids whose lines differ.
fn changed(before: &str, after: &str) -> BTreeSet<String> {
    let (before, after) = (by_id(before), by_id(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|id| before.get(*id) != after.get(*id))
        .cloned()
        .collect()
}

/// Legacy ids of the conversations that entries name as the place a recording went to.
fn hosts(world: &World, answer: &crate::tamper::TamperAnswer) -> BTreeSet<String> {
    let state = world.site.state();
    let named = answer
        .planted
        .iter()
        .filter(|entry| entry.field == "conversationId");
    let ids = named.filter_map(|entry| Uuid::parse_str(entry.after.as_str()?).ok());
    ids.filter_map(|id| Some(Tag::of(state.conversations.get(id)?)?.legacy_id.to_owned()))
        .collect()
}

/// Defects the truth's line has no field for.
const UNSEEN: [&str; 1] = ["D60"];

#[tokio::test]
async fn each_defect_plants_as_many_as_asked_and_the_truth_differs_only_there() {
    each_plants_as_asked(&populated(12).await);
}

/// Plants two of every defect, each into the same clean world of twelve calls.
pub(super) fn each_plants_as_asked(world: &World) {
    let clean = world.site.state().conversations.clone();
    for defect in [
        "D01", "D02", "D03", "D04", "D05", "D10", "D11", "D12", "D13", "D15", "D16", "D17", "D18",
        "D19", "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D28", "D29", "D30", "D31", "D32",
        "D33", "D35", "D36", "D38", "D39", "D40", "D41", "D42", "D43", "D45", "D46", "D49", "D50",
        "D51", "D52", "D55", "D56", "D57", "D58", "D59", "D60", "D61", "D62", "D64", "P3",
    ] {
        world.site.state().conversations = clean.clone();
        let before = world.truth();
        let answer = world
            .site
            .tamper(defect, 2, 7)
            .unwrap_or_else(|refusal| panic!("{defect}: {refusal}"));
        assert_eq!(answer.planted.len(), 2, "{defect}");
        let mut expected: BTreeSet<String> = answer
            .planted
            .iter()
            .map(|entry| entry.legacy_interaction_id.clone())
            .collect();
        assert_eq!(expected.len(), 2, "{defect}");
        expected.extend(hosts(world, &answer));
        assert!(
            answer
                .planted
                .iter()
                .all(|entry| entry.before != entry.after),
            "{defect}: {:?}",
            answer.planted
        );
        let seen = changed(&before, &world.truth());
        if UNSEEN.contains(&defect) {
            assert!(seen.is_empty(), "{defect}: {seen:?}");
        } else {
            assert_eq!(seen, expected, "{defect}: {:?}", answer.planted);
        }
    }
}

#[tokio::test]
async fn the_same_seed_plants_the_same_and_another_does_not() {
    let (one, other) = (populated(8).await, populated(8).await);
    let planted = |world: &World, seed| {
        serde_json::to_string(&world.site.tamper("D50", 3, seed).expect("victims")).expect("text")
    };
    assert_eq!(planted(&one, 7), planted(&other, 7));
    assert_eq!(one.truth(), other.truth());
    let third = populated(8).await;
    assert_ne!(planted(&third, 8), planted(&populated(8).await, 7));
}

#[tokio::test]
async fn a_victim_is_never_taken_twice_and_too_few_change_nothing() {
    let world = populated(4).await;
    let first = world.site.tamper("D50", 3, 7).expect("victims");
    let before = world.truth();
    let refusal = world.site.tamper("D51", 2, 7).expect_err("one is left");
    assert_eq!(
        refusal,
        TamperRefusal::NotEnough {
            defect: "D51".to_owned(),
            count: 2,
            found: 1
        }
    );
    assert_eq!(world.truth(), before);
    let last = world.site.tamper("D51", 1, 7).expect("one is left");
    assert!(
        first
            .planted
            .iter()
            .all(|entry| entry.legacy_interaction_id != last.planted[0].legacy_interaction_id)
    );
}

#[tokio::test]
async fn nonsense_is_refused() {
    let world = populated(4).await;
    assert!(matches!(
        world.site.tamper("D99", 1, 7),
        Err(TamperRefusal::Unknown { .. })
    ));
    assert!(matches!(
        world.site.tamper("D50", 0, 7),
        Err(TamperRefusal::BadCount { .. })
    ));
    assert!(matches!(
        world.site.tamper("D18", 3, 7),
        Err(TamperRefusal::BadCount { .. })
    ));
}

#[tokio::test]
async fn one_planted_entry_has_the_shape_of_the_contract() {
    let world = populated(4).await;
    let answer = world.site.tamper("D45", 1, 7).expect("a victim");
    let value = serde_json::to_value(&answer).expect("JSON");
    assert_eq!(
        (&value["defect"], &value["seed"]),
        (&json!("D45"), &json!(7))
    );
    let names: BTreeSet<String> = value["planted"][0]
        .as_object()
        .expect("an entry")
        .keys()
        .cloned()
        .collect();
    let wanted = [
        "after",
        "before",
        "field",
        "legacy_interaction_id",
        "legacy_recording_id",
        "target_id",
    ];
    assert_eq!(names, wanted.map(str::to_owned).into());
    assert_eq!(value["planted"][0]["before"], json!(JOHN));
}

#[tokio::test]
async fn daylight_victims_lie_in_daylight_time() {
    let world = populated(4).await;
    let ids: Vec<Uuid> = world
        .site
        .state()
        .conversations
        .all()
        .map(|held| held.id)
        .collect();
    for id in ids {
        world
            .site
            .state()
            .conversations
            .change(id, |held| held.map_times(|ms| ms - 180 * 86_400_000));
    }
    assert!(matches!(
        world.site.tamper("D36", 1, 7),
        Err(TamperRefusal::NotEnough { .. })
    ));
    assert!(world.site.tamper("D35", 1, 7).is_ok());
}

#[tokio::test]
async fn the_truth_is_sorted_and_has_the_fields_of_the_contract_in_their_order() {
    let world = populated(11).await;
    let truth = world.truth();
    let ids: Vec<String> = truth
        .lines()
        .map(|line| by_id(line).into_keys().next().expect("an id"))
        .collect();
    assert_eq!(
        ids,
        (1..=11)
            .map(|number: u64| number.to_string())
            .collect::<Vec<_>>()
    );
    let line = truth.lines().next().expect("a line");
    let names = [
        "legacy_interaction_id",
        "target_id",
        "start",
        "end",
        "direction",
        "ani",
        "dnis",
        "participants",
        "queue",
        "skill",
        "wrap_up",
        "retention",
        "recordings",
        "legacy_recording_id",
        "codec",
        "channels",
        "sample_rate",
        "samples",
        "bytes",
        "sha256",
        "pcm_sha256",
        "attributes",
    ];
    let places: Vec<usize> = names
        .iter()
        .map(|name| {
            line.find(&format!("\"{name}\":"))
                .unwrap_or_else(|| panic!("{name}"))
        })
        .collect();
    assert!(places.is_sorted(), "{line}");
    let value: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(value["recordings"][0]["legacy_recording_id"], "1-1");
    assert_eq!(
        (
            &value["recordings"][0]["codec"],
            &value["recordings"][0]["samples"]
        ),
        (&json!("mp3"), &json!(32_000))
    );
    assert_eq!(value["start"], "2023-07-27T10:00:00.123Z");
    assert_eq!(
        value["retention"],
        json!({"delete_at": "2030-07-27T10:05:00.456Z", "hold": false})
    );
}
