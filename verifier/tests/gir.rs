//! Migrations into Interaction Recording, right and damaged, judged against simulated stores.

mod site;

use std::collections::BTreeMap;

use site::{Call, NAMESPACE, Site};
use verifier::{AudioScope, Exports, Options, Report, Verdict};

/// A few calls of every shape, without anything that stays behind.
const SCENARIO: &str = "
about = 'A test.'
seed = 4
target = 'gir'
[world]
interactions = 30
agents = 8
re_used_agents = 2
unmapped_agents = 1
transfer_share = 0.3
hold_share = 0.1
pause_share = 0.4
no_recording_share = 0.1
mean_seconds = 1.5
codecs = ['pcm', 'mulaw', 'mp3']
[gir.speechminer]
repost = 'duplicate'
";

/// Classes found, by call.
fn found(report: &Report) -> BTreeMap<String, Vec<&'static str>> {
    let mut found: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for finding in &report.findings {
        let call = finding
            .legacy_interaction_id
            .clone()
            .or_else(|| finding.target_id.clone())
            .unwrap_or_default();
        found.entry(call).or_default().push(finding.defect.code());
    }
    found
}

#[tokio::test]
async fn what_the_page_demands_matches() {
    let site = Site::start(SCENARIO).await;
    let calls = site.calls().await;
    let mut carried = 0;
    for call in calls.iter().filter(|call| !call.files.is_empty()) {
        site.put(call).await;
        carried += call.files.len() as u64;
    }
    assert!(
        calls.iter().any(|call| call.files.is_empty()),
        "a call without recordings is not carried"
    );
    let report = site.verify(Options::default()).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert_eq!(
        (
            report.summary.counts.matched,
            report.summary.counts.target_recordings
        ),
        (carried, carried)
    );
    assert!(
        report
            .summary
            .sentence
            .contains("in Interaction Recording as they should be"),
        "{}",
        report.summary.sentence
    );
    let stores = report.summary.scope.stores.as_ref().expect("stores");
    assert_eq!(
        [&stores.rws, &stores.webdav, &stores.speechminer],
        ["live", "live", "live"]
    );
    assert!(report.drift.is_empty(), "{:?}", report.drift);
    let budget = &report.summary.budget;
    assert!(
        budget.made <= budget.announced + 2 && budget.announced > 30,
        "{budget:?}"
    );
}

/// What goes wrong with one call.
enum Damage {
    /// Its document is another in RWS and in SpeechMiner.
    Document(fn(&mut Call)),
    /// It is put there rightly, and then this happens.
    Then(Then),
}

#[derive(Clone, Copy)]
enum Then {
    DeleteFile,
    LeftoverFile,
    LeftoverPart,
    PostAgain,
    MergeAgain,
    NothingAtAll,
    NotPosted,
    NoLabels,
    ReplaceFile(&'static [u8]),
    OnlyFiles,
    LostFromRws,
    AnotherRegion,
}

fn has_agent(call: &Call) -> bool {
    call.document
        .media_files
        .iter()
        .all(|file| file.parameters.username.is_some())
}

fn is_masked(call: &Call) -> bool {
    call.document
        .media_files
        .first()
        .is_some_and(|file| !file.masks.is_empty())
}

fn is_plain(call: &Call) -> bool {
    call.files.len() == 1 && !is_masked(call) && !is_held(call)
}

fn is_held(call: &Call) -> bool {
    call.details.iter().any(|recording| recording.legal_hold)
}

/// A damage by name, the calls it can be done to, how, and what has to be found.
type Row = (
    &'static str,
    fn(&Call) -> bool,
    Damage,
    &'static [&'static str],
);

fn damages() -> Vec<Row> {
    use Damage::{Document, Then as Happens};
    vec![
        ("call lost", is_plain, Happens(Then::NothingAtAll), &["D01"]),
        ("file lost", is_plain, Happens(Then::DeleteFile), &["D11"]),
        (
            "file left over",
            is_plain,
            Happens(Then::LeftoverFile),
            &["D10"],
        ),
        (
            "broken upload left over",
            is_plain,
            Happens(Then::LeftoverPart),
            &[],
        ),
        ("not posted", is_plain, Happens(Then::NotPosted), &["D14"]),
        ("posted twice", is_plain, Happens(Then::PostAgain), &["D03"]),
        (
            "inserted twice",
            is_plain,
            Happens(Then::MergeAgain),
            &["D03"],
        ),
        (
            "no labels",
            is_plain,
            Happens(Then::NoLabels),
            &["D56", "D64"],
        ),
        (
            "an error page as audio",
            is_plain,
            Happens(Then::ReplaceFile(
                b"<!DOCTYPE html><html><body>no</body></html>",
            )),
            &["D31"],
        ),
        (
            "file without anything",
            is_plain,
            Happens(Then::OnlyFiles),
            &[],
        ),
        (
            "lost from RWS",
            is_plain,
            Happens(Then::LostFromRws),
            &["D14"],
        ),
        (
            "another region",
            is_plain,
            Happens(Then::AnotherRegion),
            &["D54"],
        ),
        (
            "seconds as length",
            is_plain,
            Document(|call| call.document.media_files[0].duration = Some("1.5".into())),
            &["D34"],
        ),
        (
            "another size",
            is_plain,
            Document(|call| call.document.media_files[0].size = Some("17".into())),
            &["D34"],
        ),
        (
            "everybody may listen",
            has_agent,
            Document(|call| call.document.media_files[0].access_groups = vec!["/".into()]),
            &["D53"],
        ),
        (
            "no partition",
            is_plain,
            Document(|call| call.document.media_files[0].partitions.clear()),
            &["D53"],
        ),
        (
            "agent lost",
            has_agent,
            Document(|call| call.document.media_files[0].parameters.username = None),
            &["D49"],
        ),
        ("direction flipped", is_plain, Document(flip), &["D52"]),
        (
            "data lost",
            is_plain,
            Document(|call| {
                call.document
                    .event_history
                    .retain(|event| event.data.is_none())
            }),
            &["D64"],
        ),
        (
            "a number changed",
            is_plain,
            Document(|call| call.document.caller_phone_number = Some("+15550000000".into())),
            &["D61"],
        ),
        (
            "pauses unpaired",
            is_masked,
            Document(|call| _ = call.document.media_files[0].masks.pop()),
            &["D60"],
        ),
        (
            "an agent's leg lost",
            is_plain,
            Document(lose_leg),
            &["D49"],
        ),
        (
            "an hour late",
            is_plain,
            Document(|call| later(call, 7_200_000)),
            &["D35"],
        ),
    ]
}

fn flip(call: &mut Call) {
    let flipped = if call.document.call_type.as_deref() == Some("Inbound") {
        "Outbound"
    } else {
        "Inbound"
    };
    call.document.call_type = Some(flipped.to_owned());
}

fn lose_leg(call: &mut Call) {
    let is_user = |event: &platforms::gir::wire::Event| {
        event
            .contact
            .as_ref()
            .is_some_and(|contact| contact.kind.as_deref() == Some("User"))
    };
    call.document.event_history.retain(|event| !is_user(event));
}

/// Every time of a call, moved.
fn later(call: &mut Call, by_ms: i64) {
    let moved = |text: &mut Option<String>| {
        let at: jiff::Timestamp = text.as_deref().expect("a time").parse().expect("a time");
        *text = Some(site::time(at.as_millisecond() + by_ms));
    };
    call.document
        .event_history
        .iter_mut()
        .for_each(|event| moved(&mut event.occurred_at));
    for file in &mut call.document.media_files {
        moved(&mut file.start_time);
        moved(&mut file.stop_time);
    }
}

async fn happens(site: &Site, call: &Call, then: Then) {
    let address = call.document.media_files[0]
        .path()
        .expect("an address")
        .to_owned();
    match then {
        Then::NothingAtAll => {}
        Then::OnlyFiles => site.put_files(call).await,
        Then::LostFromRws => {
            site.put_files(call).await;
            site.speechminer.post(&call.document).await.expect("posted");
        }
        Then::AnotherRegion => {
            site.put_files(call).await;
            let document = platforms::gir::wire::Recording {
                region: Some("Elsewhere".to_owned()),
                ..call.document.clone()
            };
            site.rws.insert(&document).await.expect("inserted");
            site.speechminer.post(&document).await.expect("posted");
        }
        Then::NotPosted => {
            site.put_files(call).await;
            site.insert(call).await;
        }
        Then::NoLabels => {
            site.put_files(call).await;
            site.rws.insert(&call.document).await.expect("inserted");
            site.speechminer.post(&call.document).await.expect("posted");
        }
        Then::DeleteFile
        | Then::LeftoverFile
        | Then::LeftoverPart
        | Then::PostAgain
        | Then::MergeAgain
        | Then::ReplaceFile(_) => {
            site.put(call).await;
        }
    }
    match then {
        Then::DeleteFile => assert!(
            site.dav
                .delete(&site.dav.own(&address).expect("an address"))
                .await
                .expect("deleted")
        ),
        Then::LeftoverFile => {
            site.put_file(
                &address
                    .replace(".mp3", ".0123456789ab.mp3")
                    .replacen(hash_of(&address), "", 1),
                b"ID3",
            )
            .await
        }
        Then::LeftoverPart => site.put_file(&format!("{address}.part"), b"ID3").await,
        Then::PostAgain => site.speechminer.post(&call.document).await.expect("posted"),
        Then::MergeAgain => site.rws.insert(&call.document).await.expect("merged"),
        Then::ReplaceFile(bytes) => site.put_file(&address, bytes).await,
        Then::NothingAtAll
        | Then::OnlyFiles
        | Then::LostFromRws
        | Then::AnotherRegion
        | Then::NotPosted
        | Then::NoLabels => {}
    }
}

/// `.<12 hex>` of a file's name.
fn hash_of(address: &str) -> &str {
    let stem = address.strip_suffix(".mp3").expect("an MP3");
    &stem[stem.len() - 13..]
}

#[tokio::test]
async fn each_damage_is_found_as_what_it_is_and_nothing_else() {
    let site = Site::start(&SCENARIO.replace("interactions = 30", "interactions = 60")).await;
    let mut calls: Vec<Call> = site
        .calls()
        .await
        .into_iter()
        .filter(|call| !call.files.is_empty())
        .collect();
    let mut all: Vec<Call> = Vec::new();
    let (mut wanted, mut names) = (BTreeMap::new(), BTreeMap::new());
    for (name, may, damage, codes) in damages() {
        let at = calls
            .iter()
            .position(may)
            .unwrap_or_else(|| panic!("no call for {name}"));
        let mut call = calls.remove(at);
        names.insert(call.entity.id.clone(), name);
        if !codes.is_empty() {
            wanted.insert(call.entity.id.clone(), codes.to_vec());
        }
        match damage {
            Damage::Document(damage) => {
                damage(&mut call);
                site.put(&call).await;
            }
            Damage::Then(then) => happens(&site, &call, then).await,
        }
        all.push(call);
    }
    for call in calls {
        site.put(&call).await;
        all.push(call);
    }
    let report = site.verify(Options::default()).await;
    let mut found = found(&report);
    found.values_mut().for_each(|codes| codes.sort_unstable());
    let named = |found: &BTreeMap<String, Vec<&'static str>>| {
        found
            .iter()
            .map(|(call, codes)| {
                format!("{}: {codes:?}", names.get(call).unwrap_or(&call.as_str()))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(named(&found), named(&wanted), "{}", report.text());
    assert_eq!(
        (report.summary.verdict, report.summary.counts.not_verifiable),
        (Verdict::Mismatch, 1),
        "{}",
        report.text()
    );
    let stand_in = format!(
        "{} of 60 calls carry the plan's stand-in",
        report.summary.stand_in.calls
    );
    assert!(
        matches!(report.summary.notices.as_slice(), [only] if only.starts_with(&stand_in)),
        "{:?}",
        report.summary.notices
    );

    // The same from exports, without asking any store.
    let exports = site.dir.path().join("exports");
    site.export(&all.iter().collect::<Vec<_>>(), &exports).await;
    let options = |files: &str| Options {
        exports: handed(&exports, files),
        ..Options::default()
    };
    let mounted = site.verify(options("files")).await;
    let mut from_mount = self::found(&mounted);
    from_mount
        .values_mut()
        .for_each(|codes| codes.sort_unstable());
    // Rows of SpeechMiner have no region: what RWS does not show is hidden then.
    let mut told = wanted.clone();
    told.retain(|call, _| !["lost from RWS", "another region"].contains(&names[call]));
    assert_eq!(named(&from_mount), named(&told), "{}", mounted.text());
    assert!(
        mounted
            .requests
            .iter()
            .all(|line| line.side == verifier::Side::Source),
        "{:?}",
        mounted.requests
    );
    let stores = mounted.summary.scope.stores.as_ref().expect("stores");
    assert_eq!(
        [&stores.rws, &stores.webdav, &stores.speechminer],
        ["archive", "mount", "csv"]
    );
    assert!(
        stores
            .handed_over
            .iter()
            .all(|handed| handed.origin.as_deref() == Some("the vendor")
                && handed.sha256.len() == 64)
    );
    assert!(
        mounted
            .summary
            .sentence
            .contains("RWS was handed over by the vendor as "),
        "{}",
        mounted.summary.sentence
    );
    // A list of files has no sound: what is heard cannot be told, everything else is.
    let listed = site.verify(options("files.csv")).await;
    let unheard = |(call, codes): (&String, &Vec<&'static str>)| {
        let kept: Vec<&str> = codes
            .iter()
            .copied()
            .filter(|code| *code != "D31")
            .collect();
        (!kept.is_empty()).then(|| (call.clone(), kept))
    };
    let mut from_list = self::found(&listed);
    from_list
        .values_mut()
        .for_each(|codes| codes.sort_unstable());
    // Without the file's content its size alone says that it is another.
    from_list.retain(|call, _| names.get(call) != Some(&"an error page as audio"));
    let heard = told.iter().filter_map(unheard).collect::<BTreeMap<_, _>>();
    assert_eq!(named(&from_list), named(&heard), "{}", listed.text());
    assert!(
        listed.summary.counts.not_verifiable > 20,
        "{}",
        listed.text()
    );
}

fn handed(exports: &std::path::Path, files: &str) -> Exports {
    Exports {
        archive: Some(exports.join("archive")),
        files: Some(exports.join(files)),
        speechminer: Some(exports.join("speechminer.csv")),
        origin: Some("the vendor".to_owned()),
    }
}

#[tokio::test]
async fn a_store_that_nobody_brought_and_nobody_may_read_is_what_cannot_be_told() {
    let site = Site::start(&SCENARIO.replace("interactions = 30", "interactions = 8")).await;
    let calls: Vec<Call> = site
        .calls()
        .await
        .into_iter()
        .filter(|call| !call.files.is_empty())
        .collect();
    for call in &calls {
        site.put(call).await;
    }
    let exports = site.dir.path().join("exports");
    site.export(&calls.iter().collect::<Vec<_>>(), &exports)
        .await;
    std::fs::write(site.dir.path().join("secrets/webdav"), "wrong").expect("written");
    let with_archive = Exports {
        files: None,
        ..handed(&exports, "files")
    };
    let report = site
        .verify(Options {
            exports: with_archive,
            ..Options::default()
        })
        .await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
    assert!(
        report.findings.is_empty() && report.summary.sentence.contains("--gir-files"),
        "{}",
        report.text()
    );
    assert!(
        report
            .summary
            .sentence
            .contains("the WebDAV store was not looked at"),
        "{}",
        report.summary.sentence
    );
    let stop = site
        .try_verify(Options::default())
        .await
        .map(|report| report.summary.verdict)
        .expect_err("a refusal");
    assert_eq!(
        stop.exit_code(),
        13,
        "a refused account is no verdict: {stop}"
    );
    std::fs::write(exports.join("speechminer.csv"), "externalId\n").expect("written");
    let options = Options {
        exports: handed(&exports, "files"),
        ..Options::default()
    };
    let stop = site
        .try_verify(options)
        .await
        .map(|report| report.summary.verdict)
        .expect_err("a refusal");
    assert!(
        stop.exit_code() == 2 && stop.to_string().contains("speechminer.csv: line 1"),
        "{stop}"
    );
}

#[tokio::test]
async fn fields_that_are_hidden_from_the_account_are_not_called_lost() {
    let privacy = "[gir.privacy]\nagent_fields = ['username', 'userName']\ncustomer_fields = \
        ['callerPhoneNumber']\nops_sees_all = false\n";
    let site = Site::start(
        &(SCENARIO.to_owned() + privacy).replace("interactions = 30", "interactions = 8"),
    )
    .await;
    for call in site
        .calls()
        .await
        .iter()
        .filter(|call| !call.files.is_empty())
    {
        site.put(call).await;
    }
    let report = site
        .verify(Options {
            audio: AudioScope::None,
            ..Options::default()
        })
        .await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
    assert!(
        report.findings.is_empty() && report.summary.sentence.contains("privacy settings"),
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn a_search_that_lags_behind_hides_nothing() {
    let lagging = "[gir.index]\ndelay_ms = 3600000\nwrites_need_index = false\n";
    let site = Site::start(
        &(SCENARIO.to_owned() + lagging).replace("interactions = 30", "interactions = 8"),
    )
    .await;
    for call in site
        .calls()
        .await
        .iter()
        .filter(|call| !call.files.is_empty())
    {
        site.put(call).await;
    }
    let report = site
        .verify(Options {
            audio: AudioScope::None,
            ..Options::default()
        })
        .await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
}

#[tokio::test]
async fn surplus_is_found_wherever_it_stands() {
    let site = Site::start(SCENARIO).await;
    let calls = site.calls().await;
    for call in calls.iter().filter(|call| !call.files.is_empty()) {
        site.put(call).await;
    }
    let like = calls.iter().find(|call| is_plain(call)).expect("a call");
    let copy = |id: &str| {
        let mut document = like.document.clone();
        document.id = format!("st-{NAMESPACE}-{id}");
        document
    };
    site.rws
        .insert(&copy("900001"))
        .await
        .expect("in RWS alone");
    site.speechminer
        .post(&copy("900002"))
        .await
        .expect("in SpeechMiner alone");
    site.rws
        .insert(&copy("of-others-900003"))
        .await
        .expect("of another namespace");
    let root = like.document.media_files[0]
        .path()
        .expect("an address")
        .split("/st-")
        .next()
        .expect("the root")
        .to_owned();
    site.put_file(&format!("{root}/st-{NAMESPACE}/notes.txt"), b"hello")
        .await;
    site.put_file(&format!("{root}/voice/native.mp3"), b"ID3")
        .await;
    let report = site
        .verify(Options {
            audio: AudioScope::None,
            ..Options::default()
        })
        .await;
    let wanted: BTreeMap<String, Vec<&str>> = [
        ("900002", "D02"),
        ("st-rehearsal-900001", "D02"),
        ("st-rehearsal/notes.txt", "D10"),
    ]
    .map(|(target, code)| (target.to_owned(), vec![code]))
    .into();
    assert_eq!(found(&report), wanted, "{}", report.text());
    let only = [like.entity.id.clone()].into();
    let restricted = site
        .verify(Options {
            only: Some(only),
            ..Options::default()
        })
        .await;
    assert_eq!(
        restricted.summary.verdict,
        Verdict::Match,
        "of other calls nothing is said: {}",
        restricted.text()
    );
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_called_missing() {
    let site = Site::start(SCENARIO).await;
    let calls = site.calls().await;
    // Everything was inserted for another region than this node's.
    for call in calls.iter().filter(|call| !call.files.is_empty()) {
        site.put_files(call).await;
        let mut document = call.document.clone();
        document.region = Some("Elsewhere".to_owned());
        site.rws.insert(&document).await.expect("inserted");
        site.speechminer.post(&document).await.expect("posted");
    }
    let report = site.verify(Options::default()).await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
    assert!(
        report.findings.is_empty()
            && report
                .summary
                .sentence
                .contains("a node of the recording's region"),
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn without_declared_rules_and_without_speechminer_the_rest_is_judged() {
    let site = Site::start(SCENARIO).await;
    let calls = site.calls().await;
    for call in calls.iter().filter(|call| !call.files.is_empty()) {
        site.put_files(call).await;
        site.insert(call).await;
    }
    let mut text = std::fs::read_to_string(site.dir.path().join("plan.toml")).expect("a plan");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("speechminer_"))
        .collect();
    text = lines.join("\n");
    std::fs::write(site.dir.path().join("plan.toml"), &text).expect("written");
    let report = site.verify(Options::default()).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert!(
        report
            .summary
            .sentence
            .contains("SpeechMiner was not looked at"),
        "{}",
        report.summary.sentence
    );
    let from = text.find("[[retention.gir_rule]]").expect("rules");
    let kept: String = text[from..]
        .split("\n[")
        .skip(1)
        .filter(|part| !part.starts_with("[retention.gir_rule]]"))
        .map(|part| format!("\n[{part}"))
        .collect();
    std::fs::write(
        site.dir.path().join("plan.toml"),
        format!("{}{kept}", &text[..from]),
    )
    .expect("written");
    let report = site
        .verify(Options {
            audio: AudioScope::None,
            ..Options::default()
        })
        .await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
    assert!(
        report.findings.is_empty() && report.summary.sentence.contains("[[retention.gir_rule]]"),
        "{}",
        report.text()
    );
}

/// Where something is damaged: class, call, recording.
type Place = (String, String, String);

/// Everything of a world in the stores, and these classes planted one by one, each in calls of its
/// own.
async fn planted(world: &str, classes: &[(&str, usize)]) -> (Site, Vec<Place>) {
    let site = Site::start(world).await;
    for call in site
        .calls()
        .await
        .iter()
        .filter(|call| !call.files.is_empty())
    {
        site.put(call).await;
    }
    let mut places = Vec::new();
    for (defect, count) in classes {
        let answer = site
            .simulator
            .tamper(defect, *count, 7)
            .unwrap_or_else(|refusal| panic!("{defect}: {refusal}"));
        let answer = serde_json::to_value(&answer).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        for entry in answer["planted"].as_array().expect("a list") {
            let place = match *defect {
                "D02" => (text(&entry["target_id"]), String::new()),
                _ => (
                    text(&entry["legacy_interaction_id"]),
                    text(&entry["legacy_recording_id"]),
                ),
            };
            places.push(((*defect).to_owned(), place.0, place.1));
        }
    }
    places.sort();
    (site, places)
}

fn places(report: &Report) -> Vec<Place> {
    let place = |finding: &verifier::Finding| {
        let call = finding
            .legacy_interaction_id
            .clone()
            .or_else(|| finding.target_id.clone())
            .unwrap_or_default();
        (
            finding.defect.code().to_owned(),
            call,
            finding.legacy_recording_id.clone().unwrap_or_default(),
        )
    };
    let mut places: Vec<Place> = report.findings.iter().map(place).collect();
    places.sort();
    places
}

#[tokio::test]
async fn every_damage_of_a_call_that_can_be_planted_is_named_at_its_place() {
    let one = [
        "D01", "D02", "D03", "D10", "D11", "D14", "D34", "D35", "D36", "D38", "D39", "D40", "D42",
        "D45", "D46", "D48", "D49", "D50", "D51", "D52", "D53", "D54", "D55", "D56", "D57", "D60",
        "D61", "D62", "D64",
    ];
    let classes: Vec<(&str, usize)> = one
        .map(|defect| (defect, 1))
        .into_iter()
        .chain([("D04", 2), ("D13", 1)])
        .collect();
    let (site, planted) = planted(
        &SCENARIO.replace("interactions = 30", "interactions = 110"),
        &classes,
    )
    .await;
    let report = site
        .verify(Options {
            audio: AudioScope::None,
            ..Options::default()
        })
        .await;
    assert_eq!(places(&report), planted, "{}", report.text());
    assert_eq!(report.summary.counts.not_verifiable, 0, "{}", report.text());
}

#[tokio::test]
async fn every_damage_of_sound_that_can_be_planted_is_named_at_its_place() {
    let one = [
        "D15", "D16", "D17", "D19", "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D28", "D29",
        "D30", "D31", "D32", "D59",
    ];
    let classes: Vec<(&str, usize)> = one
        .map(|defect| (defect, 1))
        .into_iter()
        .chain([("D18", 2)])
        .collect();
    let world = SCENARIO
        .replace("interactions = 30", "interactions = 50")
        .replace("mean_seconds = 1.5", "mean_seconds = 12.0");
    let (site, planted) = planted(&world, &classes).await;
    let report = site.verify(Options::default()).await;
    assert_eq!(places(&report), planted, "{}", report.text());
}
