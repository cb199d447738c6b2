//! Whole migrations from a toy source to a toy target, through the engine, the ledger and the
//! staging of every other.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use audio::{Codec, Pcm};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Pipe;
use tempfile::TempDir;

use crate::options::{Options, Progress};
use crate::{Outcome, migrate};

const PLAN: &str = r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "legacy"
base_url = "http://127.0.0.1/toy/source"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[target]
kind = "genesys_cloud"
base_url = "http://127.0.0.1/toy/target"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[audio]
format = "keep"
[pii]
phones = "keep"
pauses = "keep"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;
const AGENTS: &str = "legacy_agent_id,genesys_user_id,genesys_user_name
A1,550e8400-e29b-41d4-a716-446655440001,Alice
A2,550e8400-e29b-41d4-a716-446655440002,Bob
";
const CALLS: &str = "100001,2023-10-27T10:00:00Z,2023-10-27T10:00:01Z,A1,first.wav
100002,2023-10-27T11:00:00Z,2023-10-27T11:00:01Z,A2,second.wav
100003,2023-10-27T12:00:00Z,2023-10-27T12:00:01Z,A1,third.wav
";

/// A second of a tone.
fn tone(hertz: f64) -> Vec<u8> {
    let sample =
        |at: i32| (8000.0 * (f64::from(at) / 8000.0 * hertz * std::f64::consts::TAU).sin()) as i16;
    let pcm = Pcm {
        sample_rate: 8000,
        channels: vec![(0..8000).map(sample).collect()],
    };
    audio::encode(&pcm, Codec::PcmS16).expect("a WAV")
}

/// A plan and its source: three calls of a recording each.
fn world() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("source")).expect("a folder");
    let text =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    text("plan.toml", PLAN);
    text("agents.csv", AGENTS);
    text("queues.csv", "legacy_queue_id,genesys_queue_id\n");
    text("source/calls.csv", CALLS);
    for (name, hertz) in [
        ("first.wav", 300.0),
        ("second.wav", 500.0),
        ("third.wav", 700.0),
    ] {
        std::fs::write(dir.path().join("source").join(name), tone(hertz)).expect("a file");
    }
    dir
}

struct Nobody;
impl Progress for Nobody {
    fn update(&self, _: u64, _: u64) {}
}

/// A run that is killed when it is to be woken for the `polls`th time. `None`: it was killed.
fn run_until(dir: &Path, polls: usize) -> Option<Outcome> {
    let plan = LoadedPlan::read(&dir.join("plan.toml")).expect("a plan");
    let no_network = Arc::new(Pipe::new(Arc::new(|_| None)));
    // One call after the other, so that most of a run lies between its first write and its last.
    let options = Options {
        workers: Some(1),
        ..Options::default()
    };
    let mut run = migrate(plan, options, no_network, Clock::real(), &Nobody);
    let mut polled = 0;
    let ended = poll_fn(|context| {
        polled += 1;
        if polled > polls {
            Poll::Ready(None)
        } else {
            run.as_mut().poll(context).map(Some)
        }
    });
    // A runtime of its own, whose end waits for its threads: of a process that is killed nothing
    // writes to the ledger behind the next one's back.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(ended)
        .map(|outcome| outcome.expect("an outcome"))
}

fn run(dir: &Path) -> Outcome {
    run_until(dir, usize::MAX).expect("its end")
}

/// Every file of the target with its bytes, and when it was written.
fn target(dir: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let files = ["calls", "files"].into_iter().flat_map(|folder| {
        std::fs::read_dir(dir.join("target").join(folder))
            .into_iter()
            .flatten()
            .map(move |entry| {
                let path = entry.expect("a file").path();
                let written = path
                    .metadata()
                    .and_then(|facts| facts.modified())
                    .expect("a time");
                let name = format!("{folder}/{}", path.file_name().expect("a name").display());
                (name, (std::fs::read(path).expect("bytes"), written))
            })
    });
    files.collect()
}

fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    target(dir)
        .into_iter()
        .map(|(name, (bytes, _))| (name, bytes))
        .collect()
}

#[test]
fn every_recording_arrives_and_another_run_writes_nothing() {
    let dir = world();
    let outcome = run(dir.path());
    assert_eq!(
        outcome.sentence(),
        "3 of 3 recordings of 3 interactions are in the target"
    );
    let there = target(dir.path());
    let names = ["100001.json", "100002.json", "100003.json"].map(|name| format!("calls/{name}"));
    let files = ["first.wav", "second.wav", "third.wav"].map(|name| format!("files/{name}"));
    assert_eq!(
        there.keys().cloned().collect::<Vec<_>>(),
        [names, files].concat()
    );
    let call: serde_json::Value =
        serde_json::from_slice(&there["calls/100002.json"].0).expect("JSON");
    assert_eq!(
        call,
        serde_json::json!({
            "id": "100002", "start": "2023-10-27T11:00:00.000Z", "end": "2023-10-27T11:00:01.000Z",
            "agent": "550e8400-e29b-41d4-a716-446655440002", "files": ["second.wav"],
            "attributes": {"st.raw_start": "2023-10-27T11:00:00Z", "st.file_name": "second.wav"},
        })
    );
    for name in ["first.wav", "second.wav", "third.wav"] {
        let source = std::fs::read(dir.path().join("source").join(name)).expect("bytes");
        assert!(
            there[&format!("files/{name}")].0 == source,
            "{name} goes as it is"
        );
    }
    assert_eq!(run(dir.path()).sentence(), outcome.sentence());
    assert!(target(dir.path()) == there, "nothing is written again");
}

#[test]
fn a_run_that_is_killed_anywhere_is_finished_by_the_next_one() {
    let whole = world();
    let outcome = run(whole.path());
    let (mut polls, mut left_half) = (1, 0);
    loop {
        let dir = world();
        let is_killed = run_until(dir.path(), polls).is_none();
        left_half += usize::from((1..6).contains(&bytes(dir.path()).len()));
        let next = run(dir.path());
        assert_eq!(
            next.sentence(),
            outcome.sentence(),
            "killed after {polls} polls: {:?}",
            next.errors
        );
        assert!(
            bytes(dir.path()) == bytes(whole.path()),
            "killed after {polls} polls"
        );
        if !is_killed {
            break;
        }
        // Each takes two runs: every third place is enough.
        polls += 3;
    }
    println!(
        "killed at {} places, {left_half} of them with a part of the target written",
        polls / 3
    );
    assert!(left_half > 0);
}

#[test]
fn a_file_that_is_no_audio_stays_behind_with_its_reason() {
    let dir = world();
    std::fs::write(
        dir.path().join("source/second.wav"),
        "<html><body>moved</body></html>",
    )
    .expect("a file");
    let outcome = run(dir.path());
    assert_eq!(
        outcome.sentence(),
        "2 of 3 recordings of 3 interactions are in the target, 1 quarantined"
    );
    assert_eq!(
        outcome.tally.quarantined.get("audio_not_audio"),
        Some(&1),
        "{:?}",
        outcome.tally.quarantined
    );
    let there = bytes(dir.path());
    assert!(
        !there.contains_key("files/second.wav") && !there.contains_key("calls/100002.json"),
        "{:?}",
        there.keys()
    );
    assert_eq!(there.len(), 4);
}
