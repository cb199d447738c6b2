//! Virtual time: the same seed in two processes gives the same journal, line by line; and what
//! comes out is what real time gives.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn rehearse(scenario: &str, arguments: &[&str], report: &Path) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(format!("{scenario}.toml"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    let output = command
        .arg("rehearse")
        .arg(file)
        .args(arguments)
        .arg("--journal")
        .arg("--report")
        .arg(report)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{scenario}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    report.join(scenario.rsplit('/').next().unwrap())
}

/// The first line that differs, with its number.
fn first_difference(one: &str, other: &str) -> Option<String> {
    let (mut left, mut right) = (one.lines(), other.lines());
    for n in 1_usize.. {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (a, b) if a != b => {
                return Some(format!(
                    "line {n}:\n  {}\n  {}",
                    a.unwrap_or("nothing"),
                    b.unwrap_or("nothing")
                ));
            }
            _ => {}
        }
    }
    None
}

#[test]
fn the_same_seed_in_two_processes_gives_the_same_journal() {
    for scenario in ["network/lost_answers", "public_showcase", "gir_showcase"] {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let run = |dir: &tempfile::TempDir| rehearse(scenario, &["--clock", "virtual"], dir.path());
        let (one, other) = (run(&one), run(&other));
        for name in [
            "journal.ndjson",
            "effects.ndjson",
            "faults.ndjson",
            "truth.ndjson",
        ] {
            let read = |dir: &Path| std::fs::read_to_string(dir.join(name)).unwrap();
            let (one, other) = (read(&one), read(&other));
            assert!(one.lines().count() > 3, "{scenario}: {name} says nothing");
            if let Some(difference) = first_difference(&one, &other) {
                panic!("{scenario}: {name} differs in {difference}");
            }
        }
    }
}

#[test]
fn virtual_time_leaves_behind_what_real_time_does() {
    for scenario in ["network/lost_answers", "network/gir_webdav_faults"] {
        let (real, virtual_) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (real, virtual_) = (
            rehearse(scenario, &["--clock", "real"], real.path()),
            rehearse(scenario, &["--clock", "virtual"], virtual_.path()),
        );
        let read = |dir: &Path, name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        for name in ["effects.ndjson", "faults.ndjson", "truth.ndjson"] {
            let difference = first_difference(&read(&real, name), &read(&virtual_, name));
            assert_eq!(difference, None, "{scenario}: {name}");
        }
        let counts = |dir: &Path| {
            serde_json::from_str::<serde_json::Value>(&read(dir, "summary.json")).unwrap()["counts"]
                .clone()
        };
        assert_eq!(counts(&real), counts(&virtual_));
    }
}

/// Two downloads are refused a millisecond apart; the one refused first would be back a millisecond
/// before the store is.
#[test]
fn a_wait_that_the_store_asks_for_holds_every_download() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("throttled.toml");
    let world = "[world]\ninteractions = 12\nmean_seconds = 0.5\n[clock]\nmode = \"virtual\"\n";
    let fault = "[[fault]]\non = \"genesys_cloud.get_batch_media\"\nkind = \
        \"too_many_requests\"\nattempts = [1]\nretry_after_s = 3\n";
    let text = format!(
        "about = \"A test.\"\nseed = 64\ntarget = \
         \"genesys_cloud\"\n{world}{fault}[expect]\nverdict = \"match\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .arg("rehearse")
        .arg(file)
        .arg("--report")
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// An upload that takes longer than uploads are parked surfaces as an orphan. Sent a second time by
/// the next run, it would be there twice.
#[test]
fn a_run_that_is_killed_at_any_request_leaves_no_upload_behind() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (1..=48)
        .map(|request| dir.path().join(format!("killed_{request}.toml")))
        .collect();
    for (file, request) in files.iter().zip(1..) {
        let world = "[world]\ninteractions = 2\nmean_seconds = 0.5\nno_recording_share = \
            0.0\n[clock]\nmode = \"virtual\"\n";
        let fault = "[[fault]]\non = \"genesys_cloud.process_upload\"\nkind = \
            \"upload_stuck\"\nattempts = [1]\nms = 600000\n";
        let public =
            "[genesys_cloud.public]\nupload_processing_ms = 200\nwait_for_conversation_ms = 3000\n";
        let rest = format!(
            "[migrator]\nkill_after_requests = [{request}]\n[expect]\nverdict = \"match\"\n"
        );
        let head =
            "about = \"A test.\"\nseed = 540\ntarget = \"genesys_cloud\"\ningest = \"public\"\n";
        std::fs::write(file, format!("{head}{world}{fault}{public}{rest}")).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .arg("rehearse")
        .args(&files)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_difference_is_told_by_its_line() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(
        first_difference("a\nb\n", "a\nc\n").unwrap(),
        "line 2:\n  b\n  c"
    );
    assert_eq!(
        first_difference("a\n", "a\nc\n").unwrap(),
        "line 2:\n  nothing\n  c"
    );
}
