//! Verifications from end to end, against platforms served without a network.

#[expect(unreachable_pub, reason = "a module of this test only")]
mod world;

use serde_json::{Value, json};
use verifier::{
    AudioScope, ChangeKind, Options, Report, RunError, Side, Silent, SourceFrom, Verdict, verify,
};
use world::{FALLBACK, OTHER_USER, START, Serving, World, plan, time, today, world};

async fn verified(world: World, options: Options) -> Result<Report, RunError> {
    let dir = tempfile::tempdir().expect("a folder");
    verify(
        &plan(dir.path()),
        options,
        Serving::new(world),
        today(),
        &Silent,
    )
    .await
}

async fn report(world: World) -> Report {
    verified(world, Options::default())
        .await
        .expect("a verdict")
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .findings
        .iter()
        .map(|finding| finding.defect.code())
        .collect()
}

#[tokio::test]
async fn a_right_migration_matches_and_only_reads_were_made() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::new(world());
    let options = Options {
        report_dir: Some(dir.path().join("report")),
        ..Options::default()
    };
    let report = verify(
        &plan(dir.path()),
        options,
        serving.clone(),
        today(),
        &Silent,
    )
    .await
    .expect("a verdict");
    assert_eq!(codes(&report), Vec::<&str>::new(), "{}", report.text());
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    let counts = report.summary.counts;
    assert_eq!(
        (
            counts.source_interactions,
            counts.source_recordings,
            counts.matched,
            counts.quarantined
        ),
        (4, 4, 3, 1)
    );
    assert_eq!(report.summary.by_reason.get("audio_not_audio"), Some(&1));
    assert_eq!(
        report.summary.sentence,
        "match: all 3 recordings that belong there of 4 calls are in Genesys Cloud as they should \
         be, with 1 quarantined by rule"
    );
    let asked = serving.asked.lock().len() as u64;
    assert_eq!(
        report
            .requests
            .iter()
            .map(|request| request.count)
            .sum::<u64>(),
        asked,
        "every request is listed"
    );
    let summary =
        std::fs::read_to_string(dir.path().join("report/summary.json")).expect("summary.json");
    assert!(summary.contains("\"verdict\": \"match\""));
    for finding in ["findings.jsonl", "requests.jsonl", "breakdown.csv"] {
        assert!(
            dir.path().join("report").join(finding).exists(),
            "{finding}"
        );
    }
}

fn only(ids: &[&str]) -> Options {
    Options {
        only: Some(ids.iter().map(|id| (*id).to_owned()).collect()),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_restricted_verification_judges_the_chosen_calls_and_nothing_else() {
    let mut damaged = world();
    // Lost, and not asked about; the others are in the target and no surplus.
    damaged.conversations.remove(2);
    let serving = Serving::new(damaged.clone());
    let dir = tempfile::tempdir().expect("a folder");
    let report = verify(
        &plan(dir.path()),
        only(&["100001"]),
        serving.clone(),
        today(),
        &Silent,
    )
    .await
    .expect("a verdict");
    assert_eq!(
        (report.summary.verdict, codes(&report)),
        (Verdict::Match, Vec::new()),
        "{}",
        report.text()
    );
    let counts = report.summary.counts;
    assert_eq!(
        (
            counts.source_interactions,
            counts.source_recordings,
            counts.matched,
            counts.target_interactions
        ),
        (1, 2, 2, 1)
    );
    assert_eq!(report.summary.scope.only, Some(1));
    assert!(
        report
            .summary
            .sentence
            .contains("only 1 chosen call was looked at, nothing is said of any other"),
        "{}",
        report.text()
    );
    let asked = serving.asked.lock().join("\n");
    assert!(
        !asked.contains("100002"),
        "nothing of another call is read: {asked}"
    );

    let report = verified(damaged.clone(), only(&["100001", "100003"]))
        .await
        .expect("a verdict");
    assert_eq!(
        (report.summary.verdict, codes(&report)),
        (Verdict::Mismatch, vec!["D01"]),
        "{}",
        report.text()
    );
    *conversation(&mut damaged, 0) = world().conversations[1].clone();
    let report = verified(damaged.clone(), only(&["100001", "100002"]))
        .await
        .expect("a verdict");
    assert_eq!(
        report.summary.verdict,
        Verdict::Mismatch,
        "a chosen call is lost: {}",
        report.text()
    );
    // With nothing of it there, analytics that ends a day ago may hide it: that is not called lost.
    let report = verified(damaged, only(&["100001"]))
        .await
        .expect("a verdict");
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );

    let stop = verified(world(), only(&["100001", "7"]))
        .await
        .expect_err("a call the source does not have");
    assert!(
        matches!(&stop, RunError::Plan(why) if why.contains("1 of the 2 interactions") && why.contains("7 among them")),
        "{stop}"
    );
}

/// A source file of call 100002, of which a migrator carried what it could read.
fn carried_in_part(source: Vec<u8>, carried: Vec<u8>) -> World {
    let mut world = world();
    world.details.get_mut("100002-1").expect("a record")["sizeBytes"] = json!(source.len());
    world.source_media.insert("100002-1".into(), source);
    *audio_of(&mut world, "r-100002-1") = carried;
    world
}

#[tokio::test]
async fn a_source_that_is_incomplete_by_its_own_promise_stays_behind() {
    let part = |seed, channels| mp3(&world::speech(seed, 12.0, channels));
    // The source's record knows the length of the first part only.
    let changing = [part(1, 1), part(2, 2)].concat();
    let whole = audio::encode(&world::speech(1, 12.0, 1), audio::Codec::PcmS16).expect("wav");
    let cut = whole[..whole.len() / 2].to_vec();
    let mut unsupported = whole.clone();
    unsupported[20..22].copy_from_slice(&0x0130u16.to_le_bytes());
    let rows = [
        (
            "an MP3 that changes its channels",
            changing,
            part(1, 1),
            "audio_short",
        ),
        (
            "a WAV that is cut",
            cut.clone(),
            mp3(&audio::decode(&cut).expect("decodes").1),
            "audio_short",
        ),
        (
            "a codec nobody has",
            unsupported,
            part(1, 1),
            "audio_unsupported",
        ),
    ];
    for (name, source, carried, reason) in rows {
        let mut world = carried_in_part(source, carried);
        if reason == "audio_short" && name.contains("cut") {
            world.details.get_mut("100002-1").expect("a record")["durationMs"] = Value::Null;
        }
        let report = verified(world.clone(), Options::default())
            .await
            .expect("a verdict");
        assert_eq!(
            (report.summary.verdict, codes(&report)),
            (Verdict::Mismatch, vec!["D02"]),
            "{name}: {}",
            report.text()
        );
        assert!(report.text().contains(reason), "{name}: {}", report.text());
        let id = world
            .conversations
            .iter()
            .position(|one| one["conversationId"] == "c-100002")
            .expect("its conversation");
        world.conversations.remove(id);
        world.recordings.remove("c-100002");
        let report = verified(world, Options::default())
            .await
            .expect("a verdict");
        assert_eq!(
            report.summary.verdict,
            Verdict::Match,
            "{name}: {}",
            report.text()
        );
    }
}

/// A damage by name, what it does to the world, and the findings it leads to.
type Sabotage = (&'static str, fn(&mut World), &'static [&'static str]);

fn conversation(world: &mut World, at: usize) -> &mut Value {
    &mut world.conversations[at]
}

fn recording<'a>(world: &'a mut World, conversation: &str, at: usize) -> &'a mut Value {
    &mut world
        .recordings
        .get_mut(conversation)
        .expect("a conversation")[at]
}

fn audio_of<'a>(world: &'a mut World, id: &str) -> &'a mut Vec<u8> {
    &mut world.target_media.get_mut(id).expect("audio").0
}

fn mp3(pcm: &audio::Pcm) -> Vec<u8> {
    audio::encode(pcm, audio::Codec::Mp3).expect("mp3")
}

const SABOTAGE: &[Sabotage] = &[
    (
        "a call is lost",
        |world| {
            world.conversations.remove(0);
            world.recordings.remove("c-100001");
        },
        &["D01", "D01"],
    ),
    (
        "a call without recordings is lost",
        |world| {
            world.conversations.remove(2);
        },
        &["D01"],
    ),
    (
        "a recording is lost",
        |world| {
            world
                .recordings
                .get_mut("c-100001")
                .expect("recordings")
                .pop();
        },
        &["D01"],
    ),
    (
        "a call nobody made",
        |world| {
            let mut extra_conversation = world.conversations[2].clone();
            extra_conversation["conversationId"] = json!("phantom");
            extra_conversation["externalTag"] = json!("st:acme:999999");
            world.conversations.push(extra_conversation);
        },
        &["D02"],
    ),
    (
        "another namespace's call",
        |world| {
            let mut other = world.conversations[2].clone();
            other["conversationId"] = json!("other");
            other["externalTag"] = json!("st:acme-2:999999");
            world.conversations.push(other);
        },
        &[],
    ),
    (
        "a call twice",
        |world| {
            let mut copy = world.conversations[1].clone();
            copy["conversationId"] = json!("copy");
            world.conversations.push(copy);
        },
        &["D03"],
    ),
    (
        "a recording twice",
        |world| {
            let mut copy = recording(world, "c-100002", 0).clone();
            copy["id"] = json!("copy");
            let audio = world.target_media["r-100002-1"].clone();
            world.target_media.insert("copy".into(), audio);
            world
                .recordings
                .get_mut("c-100002")
                .expect("recordings")
                .push(copy);
        },
        &["D03"],
    ),
    (
        "the conversation of a recording is lost",
        |world| {
            world.conversations.remove(1);
        },
        &["D10"],
    ),
    (
        "audio is gone",
        |world| {
            world.lost.insert("r-100002-1".into());
        },
        &["D11"],
    ),
    (
        "a recording hangs on another call",
        |world| {
            let moved = world
                .recordings
                .get_mut("c-100002")
                .expect("recordings")
                .remove(0);
            world
                .recordings
                .get_mut("c-100003")
                .expect("recordings")
                .push(moved);
        },
        &["D13"],
    ),
    (
        "audio of two calls is exchanged",
        |world| {
            let (one, other) = (
                world.target_media["r-100001-2"].clone(),
                mp3(&audio::decode(&world.source_media["100002-1"])
                    .expect("decodes")
                    .1),
            );
            *audio_of(world, "r-100001-2") = other;
            *audio_of(world, "r-100002-1") = one.0;
        },
        &["D18", "D18"],
    ),
    (
        "audio is cut",
        |world| {
            let (_, mut pcm) = audio::decode(&world.target_media["r-100001-2"].0).expect("decodes");
            pcm.channels[0].truncate(64_000);
            *audio_of(world, "r-100001-2") = mp3(&pcm);
        },
        &["D15"],
    ),
    (
        "channels are exchanged",
        |world| {
            let (_, mut pcm) = audio::decode(&world.target_media["r-100001-1"].0).expect("decodes");
            pcm.channels.swap(0, 1);
            *audio_of(world, "r-100001-1") = mp3(&pcm);
        },
        &["D22"],
    ),
    (
        "an error page instead of audio",
        |world| {
            *audio_of(world, "r-100001-2") =
                b"<html><head><title>502 Bad Gateway</title></head></html>".to_vec()
        },
        &["D31"],
    ),
    (
        "an empty file",
        |world| audio_of(world, "r-100001-2").clear(),
        &["D32"],
    ),
    (
        "a kept file with other bytes",
        |world| audio_of(world, "r-100002-1").extend(b"TAG".iter().copied().chain([0; 125])),
        &["D26"],
    ),
    (
        "sound in a pause",
        |world| {
            let (_, pcm) = audio::decode(&world.source_media["100001-1"]).expect("decodes");
            *audio_of(world, "r-100001-1") = mp3(&pcm);
        },
        &["D59"],
    ),
    (
        "an hour off in summer",
        |world| {
            conversation(world, 2)["conversationStart"] = json!(time(START + 3 * 3_600_000));
            conversation(world, 2)["conversationEnd"] = json!(time(START + 3 * 3_600_000 + 60_000));
        },
        &["D36"],
    ),
    (
        "a wrong agent",
        |world| conversation(world, 1)["participants"][1]["userId"] = json!(OTHER_USER),
        &["D45"],
    ),
    (
        "a fallback without need",
        |world| conversation(world, 1)["participants"][1]["userId"] = json!(FALLBACK),
        &["D46"],
    ),
    (
        "the agent is lost",
        |world| {
            conversation(world, 1)["participants"]
                .as_array_mut()
                .expect("participants")
                .pop();
        },
        &["D49"],
    ),
    (
        "ids of two calls are exchanged",
        |world| {
            conversation(world, 0)["externalTag"] = json!("st:acme:100002");
            conversation(world, 1)["externalTag"] = json!("st:acme:100001");
        },
        &["D13", "D13"],
    ),
    (
        "an id lost its digits",
        |world| conversation(world, 1)["externalTag"] = json!("st:acme:0100002"),
        &["D63"],
    ),
    (
        "protected without a hold",
        |world| world.protected.extend(["c-100001".to_owned()]),
        &["D56"],
    ),
    (
        "another reason for a pause",
        |world| recording(world, "c-100001", 0)["annotations"][0]["reason"] = json!("Hold"),
        &["D60"],
    ),
    (
        "a recording names another user",
        |world| recording(world, "c-100002", 0)["users"] = json!([{"id":OTHER_USER}]),
        &["D45"],
    ),
    (
        "a policy deletes at once",
        |world| {
            world
                .policies
                .push(json!({"id":"p","name":"all","enabled":true,"actions":{"alwaysDelete":true}}))
        },
        &["D58"],
    ),
    (
        "a policy across platforms deletes at once",
        |world| {
            let actions = json!({"deleteRecording":true,"retainRecording":false});
            world.cross_platform_policies.push(json!({"id":"p","enabled":true,"conditions":{"directions":["INBOUND"]},"actions":actions}));
        },
        &["D58"],
    ),
    (
        "a policy for other calls",
        |world| {
            let policy = json!({"id":"p","enabled":true,"conditions":{"directions":["OUTBOUND"]},"actions":{"alwaysDelete":true}});
            world.policies.push(policy);
        },
        &[],
    ),
    (
        "a recording has no conversation",
        |world| {
            let recording = world
                .recordings
                .get_mut("c-100001")
                .expect("recordings")
                .pop();
            world.orphans.push(
                json!({"id":"o","sourceOrphaningId":"100001-2","mediaType":"CALL","orphanStatus":"NO_CONVERSATION","recording":recording}),
            );
        },
        &["D10"],
    ),
    (
        "an upload is left over",
        |world| {
            world
                .orphans
                .push(json!({"id":"o","sourceOrphaningId":"100001-2","mediaType":"CALL","recording":{"id":"x","conversationId":"c"}}))
        },
        &["D10"],
    ),
    (
        "somebody else's orphan",
        |world| {
            world.orphans.push(json!({"id":"o","sourceOrphaningId":"other","mediaType":"CALL","recording":{"id":"x","conversationId":"c"}}))
        },
        &[],
    ),
    (
        "a stranger with the times of a recording",
        |world| {
            let mut stranger = recording(world, "c-100002", 0).clone();
            stranger["id"] = json!("a-stranger");
            world.target_media.insert(
                "a-stranger".into(),
                (mp3(&world::speech(4242, 12.0, 1)), "audio/mpeg"),
            );
            world
                .recordings
                .get_mut("c-100002")
                .expect("recordings")
                .insert(0, stranger);
        },
        &["D02"],
    ),
    (
        "another direction",
        |world| conversation(world, 1)["originatingDirection"] = json!("outbound"),
        &["D52"],
    ),
    (
        "deleted too early",
        |world| recording(world, "c-100002", 0)["deleteDate"] = json!("2026-12-01T00:00:00.000Z"),
        &["D55"],
    ),
    (
        "kept too long",
        |world| recording(world, "c-100002", 0)["deleteDate"] = json!("2090-12-01T00:00:00.000Z"),
        &["D56"],
    ),
    ("a hold is lost", |world| world.protected.clear(), &["D57"]),
    (
        "pause marks are lost",
        |world| recording(world, "c-100001", 0)["annotations"] = json!([]),
        &["D60"],
    ),
    (
        "a wrong number",
        |world| {
            conversation(world, 1)["participants"][0]["sessions"][0]["ani"] =
                json!("tel:+15550100198")
        },
        &["D61"],
    ),
    (
        "an attribute is lost",
        |world| {
            conversation(world, 1)["participants"][0]["attributes"]
                .as_object_mut()
                .expect("attributes")
                .remove("st.skill_group");
        },
        &["D64"],
    ),
    (
        "other spellings of the same",
        |world| {
            conversation(world, 1)["conversationStart"] = json!("2023-10-27T11:00:00+0000");
            conversation(world, 1)["conversationEnd"] = json!("2023-10-27T11:01:00Z");
            conversation(world, 1)["participants"][0]["sessions"][0]["ani"] =
                json!("+1 555 010 0199");
        },
        &[],
    ),
];

#[tokio::test]
async fn every_damage_is_found_and_nothing_else_is() {
    let whole = world();
    for (name, damage, wanted) in SABOTAGE {
        let mut world = whole.clone();
        damage(&mut world);
        let report = report(world).await;
        assert_eq!(codes(&report), *wanted, "{name}\n{}", report.text());
        let verdict = if wanted.is_empty() {
            Verdict::Match
        } else {
            Verdict::Mismatch
        };
        assert_eq!(report.summary.verdict, verdict, "{name}\n{}", report.text());
        assert!(report.summary.counts.adds_up(), "{name}");
    }
}

#[tokio::test]
async fn a_bad_source_that_was_sent_all_the_same_is_surplus() {
    let mut world = world();
    let mut sent = world.conversations[1].clone();
    sent["conversationId"] = json!("c-100004");
    sent["externalTag"] = json!("st:acme:100004");
    world.conversations.push(sent);
    let report = report(world).await;
    assert_eq!(codes(&report), ["D02"]);
}

#[tokio::test]
async fn what_may_not_be_read_is_not_called_missing() {
    let rows: &[(&str, &str)] = &[
        ("POST /api/v2/recording/batchrequests", "batch downloads"),
        (
            "GET /api/v2/conversations/c-100001/recordings",
            "recording:recording:view",
        ),
        (
            "POST /api/v2/recordings/deletionprotection",
            "deletion protection",
        ),
    ];
    for (refused, needed) in rows {
        let mut world = world();
        world.refused.push(refused);
        let report = report(world).await;
        assert_eq!(
            report.summary.verdict,
            Verdict::CannotTell,
            "{refused}\n{}",
            report.text()
        );
        assert!(
            report.summary.sentence.contains(needed),
            "{}",
            report.summary.sentence
        );
    }
}

#[tokio::test]
async fn a_call_that_analytics_may_still_hide_is_not_called_missing() {
    let mut world = world();
    world.conversations.remove(2);
    world.available = Some("2026-11-01T00:00:00.000Z");
    let report = report(world).await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn a_refusing_platform_ends_without_a_verdict() {
    let mut world_without = world();
    world_without
        .refused
        .push("GET /api/v2/analytics/interactions/query");
    let stop = verified(world_without, Options::default())
        .await
        .expect_err("no verdict");
    assert_eq!(stop.exit_code(), 12, "{stop}");
    let options = Options::default();
    options.interrupt.cancel();
    assert!(matches!(
        verified(world(), options).await,
        Err(RunError::Interrupted)
    ));
}

#[tokio::test]
async fn a_cut_in_transport_is_read_again_before_it_is_judged() {
    let mut world = world();
    world.cut_once.insert("100001-2".into());
    assert_eq!(report(world).await.summary.verdict, Verdict::Match);
}

#[tokio::test]
async fn without_audio_an_absence_is_still_justified_by_the_source() {
    let report = verified(
        world(),
        Options {
            audio: AudioScope::None,
            ..Options::default()
        },
    )
    .await
    .expect("a verdict");
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert_eq!(
        (
            report.summary.scope.audio.as_str(),
            report.summary.counts.quarantined
        ),
        ("none", 1)
    );
    assert!(report.summary.sentence.ends_with("audio was not compared"));
}

#[tokio::test]
async fn a_sample_states_its_bound_and_is_the_same_for_the_same_seed() {
    let draw = |seed| {
        verified(
            world(),
            Options {
                audio: AudioScope::Sample { size: 2, seed },
                ..Options::default()
            },
        )
    };
    let first = draw(7).await.expect("a verdict");
    let bound = first.summary.scope.sample.clone().expect("a bound");
    assert_eq!((bound.size, bound.of, bound.wrong), (2, 3, 0));
    assert!(
        (bound.upper_95 - 0.776_393).abs() < 1e-5,
        "{}",
        bound.upper_95
    );
    // When it was made is its own.
    let mut again = draw(7).await.expect("a verdict").summary;
    again.identity.clone_from(&first.summary.identity);
    assert_eq!(again, first.summary);
}

/// A note beside what was migrated: no check names it, and yet it is another record than the one
/// that was verified.
#[tokio::test]
async fn an_edit_that_no_check_looks_at_is_told_beside_an_earlier_report() {
    let dir = tempfile::tempdir().expect("a folder");
    let options = |name: &str, against: Option<&str>| Options {
        report_dir: Some(dir.path().join(name)),
        against: against.map(|name| dir.path().join(name)),
        ..Options::default()
    };
    let first = verified(world(), options("first", None)).await;
    assert_eq!(first.expect("a verdict").summary.against, None);
    let mut edited = world();
    let customer = &mut conversation(&mut edited, 1)["participants"][0];
    customer["attributes"]["note"] = json!("reviewed");
    let report = verified(edited, options("second", Some("first")))
        .await
        .expect("a verdict");
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    let told: Vec<_> = report
        .changes
        .iter()
        .map(|change| (change.kind, change.what.as_str()))
        .collect();
    let recordings = report.changes.len();
    assert!(recordings > 0, "{}", report.text());
    assert_eq!(
        told,
        vec![(ChangeKind::TargetChanged, "target_evidence"); recordings]
    );
    let calls: std::collections::BTreeSet<_> = report
        .changes
        .iter()
        .map(|change| change.legacy_interaction_id.clone())
        .collect();
    assert_eq!(calls.len(), 1, "one call was edited: {calls:?}");
}

#[tokio::test]
async fn staged_data_is_judged_as_the_source_was() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = world();
    stage(&world, &dir.path().join("staging"));
    let plan = plan(dir.path());
    let options = Options {
        source: SourceFrom::Staged,
        ..Options::default()
    };
    let report = verify(&plan, options, Serving::new(world), today(), &Silent)
        .await
        .expect("a verdict");
    // All that was staged is there, and nobody says whether that is all.
    assert_eq!(
        (report.summary.verdict, report.summary.counts.not_verifiable),
        (Verdict::CannotTell, 0),
        "{}",
        report.text()
    );
    assert_eq!(report.summary.scope.source, "staged");
    assert!(
        report
            .requests
            .iter()
            .all(|request| request.side == Side::Target),
        "the source is not touched"
    );
}

/// As docs/reference/staging.md lays it down.
fn stage(world: &World, dir: &std::path::Path) {
    std::fs::create_dir_all(dir.join("raw")).expect("raw");
    std::fs::create_dir_all(dir.join("blob")).expect("blob");
    for entity in &world.interactions {
        let recordings = entity["recordings"].as_array().expect("recordings").iter().map(|reference| {
            let id = reference["id"].as_str().expect("an id");
            let bytes = &world.source_media[id];
            let hash = sha256(bytes);
            std::fs::write(dir.join("blob").join(&hash), bytes).expect("a blob");
            let mut body = world.details[id].clone();
            body["sizeBytes"] = json!(null);
            json!({"request":format!("GET /api/v2/recordings/{id}"),"headers":{},"body":body,"media":{"sha256":hash,"bytes":bytes.len(),"headers":{"content-length":bytes.len().to_string()}}})
        });
        let raw = json!({"staging_version":1,"interaction":{"request":"GET","headers":{},"entity":entity},"recordings":recordings.collect::<Vec<_>>()});
        std::fs::write(
            dir.join("raw").join(format!("{}.json", entity["id"])),
            raw.to_string(),
        )
        .expect("a raw file");
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[tokio::test]
async fn no_number_reaches_a_report() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut world = world();
    conversation(&mut world, 1)["participants"][0]["sessions"][0]["ani"] =
        json!("tel:+15550177777");
    conversation(&mut world, 2)["participants"][0]["sessions"][0]["dnis"] =
        json!("tel:+18005559999");
    let options = Options {
        report_dir: Some(dir.path().join("report")),
        ..Options::default()
    };
    let report = verify(
        &plan(dir.path()),
        options,
        Serving::new(world),
        today(),
        &Silent,
    )
    .await
    .expect("a verdict");
    assert!(codes(&report).contains(&"D61"));
    let mut told = report.text();
    for file in [
        "summary.json",
        "findings.jsonl",
        "drift.jsonl",
        "requests.jsonl",
        "breakdown.csv",
    ] {
        told.push_str(&std::fs::read_to_string(dir.path().join("report").join(file)).expect(file));
    }
    for canary in ["15550100199", "5550177777", "8005559999", "8005550123"] {
        assert!(!told.contains(canary), "{canary}");
    }
}
