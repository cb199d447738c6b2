//! `verify --second-decoder`: a sample of recordings is decoded by another program too, and where
//! that gives different sound, nothing is said of the recording.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use support::{FULL_WORLD, Run, Simulation, command, read, scenario};
use tempfile::TempDir;

/// Recordings of some seconds, as a fake program can cut them: linear WAV.
const WORLD: &str = "
[world]
interactions = 12
no_recording_share = 0.0
mean_seconds = 3.0
codecs = [\"pcm\"]
";

fn migrated() -> Simulation {
    let simulation = Simulation::start(&scenario(91, WORLD));
    simulation.migrated();
    simulation
}

/// Verifies with these folders as the `PATH`.
fn verify(simulation: &Simulation, path: &str, more: &[&str]) -> Run {
    let _ = std::fs::remove_dir_all(simulation.file("report"));
    let output = command(simulation.dir())
        .args(["verify", "plan.toml", "--report", "report"])
        .args(more)
        .env("PATH", path)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

fn summary(simulation: &Simulation) -> Value {
    serde_json::from_str(&read(&simulation.file("report/summary.json"))).unwrap()
}

/// A folder with an ffmpeg that does this instead of decoding.
fn fake(script: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("ffmpeg");
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'ffmpeg version 0.1-fake Copyright'; exit; \
         fi\n{script}\n"
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

fn before_the_system(folder: &Path) -> String {
    format!("{}:/usr/bin:/bin", folder.display())
}

fn ids(files: &Value) -> BTreeSet<String> {
    let id = |file: &Value| file["legacy_recording_id"].as_str().unwrap().to_owned();
    files.as_array().unwrap().iter().map(id).collect()
}

/// Recordings of `recordings.csv` that could not be judged.
fn not_verifiable(simulation: &Simulation) -> BTreeSet<String> {
    let path = simulation.file("report/recordings.csv");
    let mut lines = csv::Reader::from_path(path).unwrap();
    lines
        .deserialize()
        .map(|line| line.unwrap())
        .filter(|line: &verifier::RecordingLine| line.verdict == "not_verifiable")
        .map(|line| line.legacy_recording_id)
        .collect()
}

#[test]
fn a_second_decoder_that_differs_makes_only_its_recordings_not_verifiable() {
    let simulation = migrated();
    let half = fake("f=$(mktemp); cat > $f; head -c $(($(wc -c < $f) / 2)) $f; rm $f");
    let path = before_the_system(half.path());
    let run = verify(&simulation, &path, &["--second-decoder=3"]).ends(21);
    let told = summary(&simulation);
    let twice = &told["second_decoder"];
    assert_eq!(
        (&twice["asked"], &twice["recordings"], &twice["agree"]),
        (&Value::from(3), &Value::from(3), &Value::from(0)),
        "{run}"
    );
    assert_eq!(twice["programs"], serde_json::json!(["ffmpeg 0.1-fake"]));
    let differ = ids(&twice["differ"]);
    assert_eq!((differ.len(), &differ), (3, &not_verifiable(&simulation)));
    assert_eq!(told["counts"]["not_verifiable"], 3);
    assert_eq!(told["by_defect"], serde_json::json!({}), "{run}");
    assert!(
        run.sentence().contains(
            "; the sound of 3 recordings was decoded a second time by ffmpeg 0.1-fake, and 0 agree, \
             3 differ"
        ),
        "{run}"
    );
    for id in &differ {
        let line = format!("  {id}: source's file: ffmpeg 0.1-fake and our own decoder differ: ");
        assert!(run.stdout.contains(&line), "{run}");
    }
    // The same seed, the same recordings; and another seed, others.
    verify(&simulation, &path, &["--second-decoder=3"]).ends(21);
    assert_eq!(
        ids(&summary(&simulation)["second_decoder"]["differ"]),
        differ
    );
    let others: Vec<BTreeSet<String>> = ["2", "3"]
        .iter()
        .map(|seed| {
            verify(&simulation, &path, &["--second-decoder=3", "--seed", seed]).ends(21);
            ids(&summary(&simulation)["second_decoder"]["differ"])
        })
        .collect();
    assert!(others.iter().any(|other| *other != differ), "{others:?}");
    // Not asked for: nothing is said of it.
    verify(&simulation, &path, &[]).ends(0);
    assert_eq!(summary(&simulation)["second_decoder"], Value::Null);
}

#[test]
fn a_program_that_floods_or_fails_gives_no_second_opinion_and_none_of_its_words() {
    let simulation = migrated();
    for (script, why) in [
        (
            "cat /dev/zero",
            "it gives more than the recording can hold and was ended",
        ),
        ("echo A-SECRET >&2; exit 3", "it gives no sound"),
    ] {
        let fake = fake(script);
        let path = before_the_system(fake.path());
        let run = verify(&simulation, &path, &["--second-decoder=2"]).ends(21);
        let told = summary(&simulation);
        let files = &told["second_decoder"]["not_decoded"];
        assert_eq!(ids(files), not_verifiable(&simulation), "{run}");
        assert_eq!(ids(files).len(), 2);
        let files = files.as_array().unwrap();
        assert!(files.iter().all(|file| file["what"] == why), "{files:?}");
        assert!(
            run.sentence().contains(
                "no recording was decoded a second time: 2 could not be decoded by another program"
            ),
            "{run}"
        );
        assert!(!format!("{run}{told}").contains("A-SECRET"), "{run}");
    }
}

#[test]
fn without_a_program_or_without_audio_nothing_is_asked() {
    let simulation = migrated();
    let requests = || simulation.get("/_sim/journal?limit=100000").lines().count();
    let before = requests();
    let nothing = TempDir::new().unwrap();
    let path = nothing.path().display().to_string();
    let run = verify(&simulation, &path, &["--second-decoder"]).ends(2);
    assert!(
        run.stderr
            .contains("Debian package ffmpeg, or sox and libsox-fmt-all"),
        "{run}"
    );
    let silent = fake("exit 1");
    let more = ["--second-decoder", "--audio", "none"];
    let run = verify(&simulation, &before_the_system(silent.path()), &more).ends(2);
    assert!(run.stderr.contains("--audio none compares none"), "{run}");
    assert_eq!(requests(), before, "it asked");
    assert!(!simulation.file("report").exists());
}

#[test]
#[ignore = "needs ffmpeg and sox; ./check runs it"]
fn real_programs_agree_on_every_format_and_leave_findings_alone() {
    let simulation = Simulation::start(&scenario(92, FULL_WORLD));
    simulation.migrated();
    let alone = simulation.verify(&[]);
    let all = |programs: &str, path: &str| {
        let run = verify(&simulation, path, &["--second-decoder=1000"]);
        let told = summary(&simulation);
        let twice = &told["second_decoder"];
        assert_eq!(twice["differ"], serde_json::json!([]), "{run}");
        assert_eq!(twice["not_decoded"], serde_json::json!([]), "{run}");
        assert!(twice["recordings"].as_u64().unwrap() > 40, "{run}");
        assert_eq!(twice["agree"], twice["recordings"]);
        assert_eq!(told["counts"], alone.summary["counts"], "{run}");
        assert!(twice["programs"].to_string().contains(programs), "{run}");
    };
    all("ffmpeg ", "/usr/bin:/bin");
    let sox = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/usr/bin/sox", sox.path().join("sox")).unwrap();
    all("[\"sox ", &sox.path().display().to_string());

    // What is wrong to both stays a finding.
    simulation.tamper("D19", 2, 7).unwrap();
    let run = verify(&simulation, "/usr/bin:/bin", &["--second-decoder=1000"]).ends(20);
    let told = summary(&simulation);
    assert_eq!(told["by_defect"], serde_json::json!({"D19": 2}), "{run}");
    assert_eq!(told["second_decoder"]["differ"], serde_json::json!([]));
}
