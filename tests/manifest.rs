//! A manifest that the source's side has signed with minisign, held against what was read of the
//! source: it tells what was never staged.

#[path = "support/small_world.rs"]
mod small_world;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use platforms::transport::Network;
use serde_json::Value;
use simulator::PlatformName;
use small_world::{FirstRowLost, GUIDE, World, network};
use support::{lines, seatrial};
use verifier::{AudioScope, Options, Report, SignedManifest, SourceFrom, Verdict};

const HEADER: &str = "legacy_interaction_id,legacy_recording_id,start,bytes,sha256\n";
const COMMENT: &str = "exported by the source team";

/// Runs minisign, which must succeed.
fn minisign(dir: &Path, arguments: &[&str]) {
    let run = Command::new("minisign")
        .current_dir(dir)
        .args(arguments)
        .output()
        .expect("minisign; install the Debian package of this name");
    assert!(run.status.success(), "minisign {arguments:?}: {run:?}");
}

/// Makes a pair of keys; the file of the public one.
fn key(dir: &Path, name: &str) -> PathBuf {
    let (public, secret) = (format!("{name}.pub"), format!("{name}.key"));
    minisign(dir, &["-G", "-W", "-p", &public, "-s", &secret]);
    dir.join(public)
}

/// Writes a manifest and signs it.
fn signed(world: &World, name: &str, text: &str, key: &str) -> SignedManifest {
    let dir = world.dir.path();
    std::fs::write(dir.join(name), text).expect("written");
    let secret = format!("{key}.key");
    minisign(dir, &["-S", "-s", &secret, "-m", name, "-t", COMMENT]);
    SignedManifest {
        file: dir.join(name),
        key: dir.join(format!("{key}.pub")).display().to_string(),
    }
}

/// Lines of a manifest by what the simulated source holds.
async fn exported(world: &World) -> Vec<String> {
    let truth = world.simulator.truth(PlatformName::Legacy).await;
    let truth = truth.expect("the source's truth");
    let calls = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line"));
    let mut lines = Vec::new();
    for call in calls {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let id = text(&call["legacy_interaction_id"]);
        for recording in call["recordings"].as_array().expect("recordings") {
            lines.push(format!(
                "{id},{},{},{},{}\n",
                text(&recording["legacy_recording_id"]),
                text(&recording["start"]),
                recording["bytes"],
                text(&recording["sha256"]),
            ));
        }
    }
    lines
}

async fn verified(world: &World, source: SourceFrom, manifest: SignedManifest) -> Report {
    let options = Options {
        source,
        manifest: Some(manifest),
        report_dir: Some(world.file("report")),
        ..Options::default()
    };
    world.verify(options, Duration::ZERO).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs minisign; ./check runs it"]
async fn a_skipped_first_row_of_each_page_is_told_recording_by_recording() {
    let world = World::start(170, GUIDE).await;
    let careless = Arc::new(FirstRowLost(Network::new().expect("a network")));
    world.migrate(careless, None).await;
    key(world.dir.path(), "source");
    let all = exported(&world).await;
    let manifest = signed(
        &world,
        "all.csv",
        &(HEADER.to_owned() + &all.concat()),
        "source",
    );
    let report = verified(&world, SourceFrom::Staged, manifest.clone()).await;
    let compared = report.summary.manifest.as_ref().expect("compared");
    let told = lines(&world.file("report/manifest.jsonl"));
    // 40 calls on pages of 8.
    let calls: std::collections::BTreeSet<&str> = told
        .iter()
        .filter_map(|line| line["legacy_interaction_id"].as_str())
        .collect();
    assert_eq!(
        (report.summary.verdict, calls.len()),
        (Verdict::Mismatch, 5),
        "{}",
        report.text()
    );
    assert!(told.iter().all(|line| line["kind"] == "not_in_source"));
    assert_eq!(compared.not_in_source, told.len() as u64);
    assert_eq!(compared.recordings, all.len() as u64);
    let staged = report.summary.counts.source_recordings;
    assert_eq!(compared.not_in_source + staged, compared.recordings);
    assert_eq!(compared.trusted_comment, COMMENT);
    let first = told[0]["legacy_recording_id"].as_str().expect("an id");
    for words in [
        format!("manifest: {first} of call "),
        format!("signed by key {}", compared.key_id),
        format!("{} differences from the signed manifest", told.len()),
    ] {
        assert!(report.text().contains(&words), "{words}: {}", report.text());
    }
    // The live source has what the manifest names, and the target has not.
    let live = verified(&world, SourceFrom::Live, manifest).await;
    let compared = live.summary.manifest.as_ref().expect("compared");
    assert_eq!(compared.not_in_source, 0, "{}", live.text());
    assert_eq!(live.summary.counts.missing as usize, told.len());
    assert!(lines(&world.file("report/manifest.jsonl")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs minisign; ./check runs it"]
async fn staging_is_a_match_beside_a_manifest_that_names_all_of_it_and_nothing_else() {
    let world = World::start(171, GUIDE).await;
    world.migrate(network(), None).await;
    key(world.dir.path(), "source");
    let all = exported(&world).await;
    let count = all.len() as u64;
    let whole = HEADER.to_owned() + &all.concat();
    let manifest = signed(&world, "all.csv", &whole, "source");
    for source in [SourceFrom::Staged, SourceFrom::Live] {
        let report = verified(&world, source, manifest.clone()).await;
        let compared = report.summary.manifest.as_ref().expect("compared");
        assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
        for values in [compared.starts, compared.sizes, compared.hashes] {
            assert_eq!((values.given, values.compared), (count, count));
        }
    }
    let unheard = Options {
        audio: AudioScope::None,
        manifest: Some(manifest),
        ..Options::default()
    };
    let unheard = world.verify(unheard, Duration::ZERO).await;
    let notices = unheard.summary.notices.join("\n");
    assert!(notices.contains("their file was not read"), "{notices}");

    // A recording less, one with another start, size and hash.
    let cells: Vec<&str> = all[1].split(',').collect();
    let other = format!(
        "{},{},2001-01-01T00:00:00Z,7,{}\n",
        cells[0],
        cells[1],
        "0".repeat(64)
    );
    let damaged = HEADER.to_owned() + &other + &all[2..].concat();
    let report = verified(
        &world,
        SourceFrom::Staged,
        signed(&world, "damaged.csv", &damaged, "source"),
    )
    .await;
    let told = lines(&world.file("report/manifest.jsonl"));
    let mut kinds: Vec<&str> = told
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["bytes", "not_in_manifest", "sha256", "start"]);
    assert_eq!(
        report.summary.verdict,
        Verdict::Mismatch,
        "{}",
        report.text()
    );
    assert_eq!(report.findings, [], "target and staging are right");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs minisign; ./check runs it"]
async fn a_manifest_that_is_not_signed_by_the_key_is_refused_before_anything_is_asked() {
    let world = World::start(172, GUIDE).await;
    let dir = world.dir.path();
    key(dir, "source");
    key(dir, "other");
    let text = format!("{HEADER}100001,100001-1,,,\n");
    signed(&world, "good.csv", &text, "source");
    signed(&world, "changed.csv", &text, "source");
    std::fs::write(dir.join("changed.csv"), format!("{text}\n")).expect("changed");
    std::fs::write(dir.join("unsigned.csv"), &text).expect("written");
    signed(
        &world,
        "bad.csv",
        &format!("{HEADER}1,1-1,,many,\n"),
        "source",
    );
    let before = world.simulator.requests();
    for (name, key, words) in [
        ("good.csv", "other.pub", "was made with another key than"),
        (
            "changed.csv",
            "source.pub",
            "was changed after it was signed",
        ),
        ("unsigned.csv", "source.pub", "is not signed: cannot read"),
        ("unsigned.csv", "source.pub", "minisign -Sm unsigned.csv"),
        (
            "bad.csv",
            "source.pub",
            "bad.csv line 2, column 4: `many` is not a whole number",
        ),
    ] {
        let arguments = [
            "verify",
            "plan.toml",
            "--manifest",
            name,
            "--manifest-key",
            key,
        ];
        let run = seatrial(dir, &arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(words), "{words}: {run}");
    }
    let run = seatrial(dir, &["verify", "plan.toml", "--manifest", "good.csv"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--manifest-key"), "{run}");
    assert_eq!(world.simulator.requests(), before, "nothing was asked");
}
