//! What a site hands out instead of an account.

use super::*;
use crate::platforms::gir::{ExportError, Repost, SpeechMinerSettings};

#[tokio::test]
async fn the_three_stores_are_written_as_a_site_exports_them() {
    let world = World::of(
        Settings {
            speechminer: SpeechMinerSettings {
                repost: Repost::Duplicate,
            },
            ..Settings::default()
        },
        Vec::new(),
        Site::default(),
    )
    .await;
    world.migrate(4..6, "any").await;
    let (basic, again) = (
        world.basic_of(2),
        world.site.state().recordings["st-acme-4"]
            .document()
            .to_string(),
    );
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/json"),
    ];
    World::send_to(
        &world.routers.speechminer,
        "POST",
        "/interactionreceiver",
        &headers,
        Some(again.as_bytes()),
    )
    .await;
    let dir = tempfile::tempdir().expect("a folder");
    let exported = world.site.write_exports(dir.path(), true).expect("written");
    let folder = exported
        .archive
        .join("57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/Environment/2024-07-09/st-acme-5");
    let told: Value =
        serde_json::from_slice(&std::fs::read(folder.join("recording.json")).expect("a recording"))
            .expect("json");
    assert_eq!(told, world.read("st-acme-5").await.body["recording"]);
    assert_eq!(
        std::fs::read_dir(&folder).expect("the folder").count(),
        3,
        "recording.json and two media"
    );
    let read = |path: &Path| {
        csv::Reader::from_path(path)
            .expect("a table")
            .records()
            .map(|row| row.expect("a row"))
            .collect::<Vec<_>>()
    };
    let listing = read(&exported.files_csv);
    assert_eq!(listing.len(), 3);
    for row in &listing {
        let below = row[0].strip_prefix("/recordings/").expect("an href");
        let bytes = std::fs::read(exported.files.join(below)).expect("the file");
        use sha2::Digest as _;
        assert_eq!(
            (&row[1], &row[2]),
            (
                &*bytes.len().to_string(),
                &*hex::encode(sha2::Sha256::digest(&bytes))
            )
        );
    }
    let rows = read(&exported.speechminer_csv);
    let ids: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(
        ids,
        ["st-acme-4", "st-acme-4", "st-acme-5", "st-acme-5"],
        "the first was posted twice, the second has two files"
    );
    assert_eq!((&rows[0][1], &rows[0][2]), ("1720519200", "6"));
    assert!(rows[0][4].starts_with("st-acme-4-1.") && rows[0][3].ends_with("/st-acme/2024-07-09"));
    assert!(matches!(
        world.site.write_exports(dir.path(), false),
        Err(ExportError::Exists(_))
    ));
}
