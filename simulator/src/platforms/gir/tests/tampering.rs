//! Planted defects: as many as asked for, where they are said to be, and nowhere else.

use crate::platforms::Platform as _;
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::platforms::gir::Directory;
use crate::platforms::gir::directory::Person;
use crate::tamper::TamperRefusal;

fn person(agent: Option<&str>, name: &str, login: &str, group: &str) -> Person {
    Person {
        agent_id: agent.map(str::to_owned),
        user_id: crate::seed::Seed::new(1).child(name).uuid(),
        name: name.to_owned(),
        username: format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
        login: login.to_owned(),
        access_group: format!("/Support/{group}"),
        extension: login.to_owned(),
    }
}

/// The people of the calls, a successor of one of them, two others, and three classes of retention.
fn of_site() -> Site {
    let uuid = |last: u64| {
        uuid::Uuid::parse_str(&format!("7b0d1f5e-0000-4000-8000-{last:012}")).expect("an id")
    };
    let directory = Directory {
        people: vec![
            person(Some("AGT-1"), "Alice Smith", "L4711", "Day"),
            person(Some("AGT-2"), "Bob Stone", "L4712", "Night"),
            person(Some("AGT-2"), "Carol Reed", "L4713", "Evening"),
            person(Some("AGT-3"), "Dan Hill", "L4714", "Night"),
        ],
        fallback: Some(person(None, "Historical Unknown", "L4715", "Former")),
        queues: vec![uuid(1), uuid(11)],
        wrapups: vec![uuid(3), uuid(13)],
        site_zone: "Europe/London".to_owned(),
    };
    let classes = [
        ("3-Year Retention", 3),
        ("5-Year Retention", 5),
        ("7-Year Retention", 7),
    ];
    Site {
        directory,
        retention_classes: classes
            .map(|(class, years)| (class.to_owned(), years))
            .to_vec(),
    }
}

async fn populated() -> World {
    let world = World::of(Settings::default(), Vec::new(), of_site()).await;
    world.migrate(1..16, "5-Year Retention").await;
    world
}

/// Lines of the truth by legacy id.
fn by_id(world: &World) -> BTreeMap<String, Value> {
    let id = |line: &Value| {
        line["legacy_interaction_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    world
        .truth()
        .into_iter()
        .map(|line| (id(&line), line))
        .collect()
}

/// Defects the truth's line has no field for.
const UNSEEN: [&str; 5] = ["D10", "D34", "D53", "D54", "D60"];

#[tokio::test]
async fn each_defect_plants_as_many_as_asked_and_the_truth_differs_only_there() {
    for defect in [
        "D01", "D02", "D03", "D04", "D10", "D11", "D13", "D14", "D15", "D16", "D17", "D18", "D19",
        "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D28", "D29", "D30", "D31", "D32", "D34",
        "D35", "D36", "D38", "D39", "D40", "D41", "D42", "D45", "D46", "D48", "D49", "D50", "D51",
        "D52", "D53", "D54", "D55", "D56", "D57", "D59", "D60", "D61", "D62", "D64", "P3",
    ] {
        let world = populated().await;
        let before = by_id(&world);
        let answer = world
            .site
            .tamper(defect, 2, 7)
            .unwrap_or_else(|refusal| panic!("{defect}: {refusal}"));
        assert_eq!(answer.planted.len(), 2, "{defect}");
        let after = by_id(&world);
        let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed: BTreeSet<String> = all
            .into_iter()
            .filter(|id| before.get(*id) != after.get(*id))
            .cloned()
            .collect();
        let mut expected: BTreeSet<String> = answer
            .planted
            .iter()
            .map(|entry| entry.legacy_interaction_id.clone())
            .collect();
        assert_eq!(expected.len(), 2, "{defect}");
        if defect == "D13" {
            let hosts = answer
                .planted
                .iter()
                .filter_map(|entry| entry.after.as_str()?.rsplit('-').next().map(str::to_owned));
            expected.extend(hosts);
        }
        if UNSEEN.contains(&defect) {
            assert!(changed.is_empty(), "{defect}: {changed:?}");
        } else {
            assert_eq!(changed, expected, "{defect}: {:?}", answer.planted);
        }
        let told = serde_json::to_value(&answer.planted).expect("json");
        for entry in told.as_array().expect("a list") {
            assert!(
                entry["target_id"]
                    .as_str()
                    .is_some_and(|id| id.contains("st-acme-")),
                "{defect} {entry}"
            );
            assert_ne!(entry["before"], entry["after"], "{defect} {entry}");
        }
    }
}

#[tokio::test]
async fn what_speechminer_holds_goes_with_what_a_wrong_migration_would_have_posted() {
    for (defect, expected) in [
        ("D45", true),
        ("D54", true),
        ("D15", true),
        ("D03", false),
        ("D14", false),
    ] {
        let world = populated().await;
        let answer = world.site.tamper(defect, 1, 7).expect("a victim");
        let id = format!("st-acme-{}", answer.planted[0].legacy_interaction_id);
        let whole = world
            .site
            .state()
            .recordings
            .get(&id)
            .map(super::super::state::Recording::document);
        let posted = world
            .site
            .speechminer()
            .held()
            .get(&id)
            .map(|posted| posted.document.clone());
        let same = posted.is_some() && posted == whole;
        assert_eq!(same, expected, "{defect}: {id}");
    }
}

#[tokio::test]
async fn a_damaged_file_lies_under_its_own_hash_and_is_declared_as_it_is() {
    let world = populated().await;
    let answer = world.site.tamper("D15", 1, 7).expect("a victim");
    let entry = &answer.planted[0];
    let told = world
        .read(&format!("st-acme-{}", entry.legacy_interaction_id))
        .await
        .body["recording"]
        .clone();
    let files = told["mediaFiles"].as_array().expect("files");
    let file = files
        .iter()
        .find(|file| file["mediaId"] == entry.target_id.as_str())
        .expect("the file");
    let path = file["originalMediaDescriptor"]["path"]
        .as_str()
        .expect("a path");
    let bytes = std::fs::read(world.site.webdav().file_of(path).expect("a file")).expect("bytes");
    use sha2::Digest as _;
    let sha256 = hex::encode(sha2::Sha256::digest(&bytes));
    assert!(
        path.ends_with(&format!("{}.{}.wav", entry.target_id, &sha256[..12])),
        "{path}"
    );
    assert_eq!(
        (&file["size"], &file["duration"]),
        (&json!(bytes.len().to_string()), &json!("4800"))
    );
    assert_eq!(
        (&entry.before, &entry.after),
        (&json!(48_000), &json!(38_400))
    );
}

#[tokio::test]
async fn a_victim_is_never_taken_twice_and_too_few_change_nothing() {
    let world = populated().await;
    let mut seen = BTreeSet::new();
    for (defect, count) in [("D45", 4), ("D50", 4), ("D11", 4), ("D10", 2)] {
        let answer = world
            .site
            .tamper(defect, count, 7)
            .unwrap_or_else(|refusal| panic!("{defect}: {refusal}"));
        assert!(
            answer
                .planted
                .iter()
                .all(|entry| seen.insert(entry.legacy_interaction_id.clone())),
            "{defect}"
        );
    }
    let before = world.truth();
    let refusal = world.site.tamper("D45", 2, 7).expect_err("one is left");
    assert_eq!(
        refusal,
        TamperRefusal::NotEnough {
            defect: "D45".to_owned(),
            count: 2,
            found: 1
        }
    );
    assert_eq!(world.truth(), before);
}

#[tokio::test]
async fn the_seed_chooses_and_nonsense_is_refused() {
    let victims = async |seed: u64| {
        let answer = populated()
            .await
            .site
            .tamper("D19", 3, seed)
            .expect("victims");
        answer
            .planted
            .into_iter()
            .map(|entry| entry.legacy_interaction_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(victims(7).await, victims(7).await);
    assert_ne!(victims(7).await, victims(8).await);
    let world = populated().await;
    assert!(matches!(
        world.site.tamper("D99", 1, 7),
        Err(TamperRefusal::Unknown {
            platform: "gir",
            ..
        })
    ));
    assert!(matches!(
        world.site.tamper("D50", 0, 7),
        Err(TamperRefusal::BadCount { .. })
    ));
    assert!(matches!(
        world.site.tamper("D18", 3, 7),
        Err(TamperRefusal::BadCount { .. })
    ));
    world
        .site
        .state()
        .recordings
        .values_mut()
        .flat_map(|held| &mut held.media)
        .for_each(|file| file.pkcs7 = Some("sealed".to_owned()));
    let refusal = world.site.tamper("D15", 1, 7).expect_err("it is encrypted");
    assert_eq!(
        refusal.to_string(),
        "D15 changes sound, and the media are encrypted; nothing was done, rehearse it without \
         [gir.encryption]"
    );
    assert!(world.site.tamper("D45", 1, 7).is_ok());
}
