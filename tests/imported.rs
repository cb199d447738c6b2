//! Real recorded speech in telephony codecs, made by other programs' encoders, imported as a world,
//! migrated and verified.
//!
//! The speech is Asterisk's prompts (Debian: asterisk-core-sounds-en-wav), the encoders are sox and
//! ffmpeg.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Extension and how the file is made of a wav.
const CODECS: [(&str, &str, &[&str]); 9] = [
    (
        "pcm.wav",
        "sox",
        &["{in}", "-e", "signed-integer", "-b", "16", "{out}"],
    ),
    ("mulaw.wav", "sox", &["{in}", "-e", "mu-law", "{out}"]),
    ("alaw.wav", "sox", &["{in}", "-e", "a-law", "{out}"]),
    ("adpcm.wav", "sox", &["{in}", "-e", "ima-adpcm", "{out}"]),
    ("gsm.wav", "sox", &["{in}", "-e", "gsm-full-rate", "{out}"]),
    ("gsm", "sox", &["{in}", "-t", "gsm", "{out}"]),
    ("amr", "sox", &["{in}", "-t", "amr-nb", "{out}"]),
    (
        "mp3",
        "ffmpeg",
        &[
            "-v",
            "error",
            "-y",
            "-i",
            "{in}",
            "-codec:a",
            "libmp3lame",
            "-q:a",
            "2",
            "{out}",
        ],
    ),
    // Read by ffmpeg alone; the world knows no length of it and declares none.
    (
        "g722.wav",
        "ffmpeg",
        &[
            "-v", "error", "-y", "-i", "{in}", "-ar", "16000", "-codec:a", "g722", "{out}",
        ],
    ),
];

/// Prompts of some seconds, in the order of their names.
fn prompts() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("/usr/share/asterisk/sounds/en_US_f_Allison")
        .expect("asterisk-core-sounds-en-wav");
    let long = |path: &PathBuf| {
        path.extension().is_some_and(|e| e == "wav")
            && std::fs::metadata(path).is_ok_and(|m| (60_000..200_000).contains(&m.len()))
    };
    let mut files: Vec<PathBuf> = folder
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(long)
        .collect();
    files.sort();
    files.truncate(24);
    assert_eq!(files.len(), 24, "prompts of asterisk-core-sounds-en-wav");
    files
}

fn make(from: &Path, to: &Path, program: &str, arguments: &[&str]) {
    let path = |argument: &str| {
        argument
            .replace("{in}", &from.display().to_string())
            .replace("{out}", &to.display().to_string())
    };
    let mut command = Command::new(program);
    let status = command
        .args(arguments.iter().map(|argument| path(argument)))
        .status()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{command:?}");
}

#[test]
#[ignore = "needs sox, ffmpeg and asterisk-core-sounds-en-wav; ./check runs it"]
fn real_speech_in_nine_telephony_forms_migrates_and_matches() {
    let prompts = prompts();
    let dir = tempfile::tempdir().unwrap();
    let world = dir.path().join("world");
    std::fs::create_dir(&world).unwrap();
    let mut lines = String::new();
    for (n, prompt) in prompts.iter().enumerate() {
        let (ending, program, arguments) = CODECS[n % CODECS.len()];
        let file = format!("{n:02}.{ending}");
        make(prompt, &world.join(&file), program, arguments);
        let start = 1_717_236_000_000_u64 + n as u64 * 3_600_000;
        let _ = writeln!(
            lines,
            r#"{{"id": {id}, "startTime": {start}, "endTime": {end}, "direction": "INBOUND", "agentId": "AGT-{agent}", "queueId": "Q-{queue}", "callerNumber": "+1555010{n:04}", "dialledNumber": "+18005550100", "recordings": [{{"id": "{id}-1", "file": "{file}", "retentionClass": "7-Year Retention", "expectBad": {unread}{pause}}}]}}"#,
            id = 5000 + n,
            end = start + 30_000,
            agent = n % 5,
            queue = n % 3,
            unread = ending == "g722.wav",
            pause = if n % 4 == 0 {
                r#", "pauses": [{"startOffsetMs": 1000, "endOffsetMs": 2500, "reason": "card_number"}]"#
            } else {
                ""
            },
        );
    }
    std::fs::write(world.join("interactions.ndjson"), lines).unwrap();
    let scenario = dir.path().join("imported.toml");
    let text = "about = \"Real speech.\"\nseed = 1\n[world]\nfile = \
        \"world/interactions.ndjson\"\n[genesys_cloud.limits]\nrequests_per_minute = \
        0\nuploads_per_second = 0\n[expect]\nverdict = \"match\"\n";
    std::fs::write(&scenario, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .arg("rehearse")
        .arg(&scenario)
        .arg("--report")
        .arg(dir.path().join("report"))
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    assert!(said.contains("24 recordings"), "{said}");
}
