//! An export of files migrated and verified: the verifier reads the export by its own rules, live
//! and from the staging, and names what was changed on either side.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use audio::{Codec, Pcm};
use support::{NO_LIMITS, Simulation, Verification};

const WORLD: &str = "[world]\ninteractions = 1\nagents = 4\nqueues = 3\n";

const LAYOUT: &str = r#"layout_version = 1
[file]
format = "csv"
encoding = "windows-1252"
separator = ";"
null = ["", "-"]
[time]
format = ["%d/%m/%Y %H:%M:%S"]
zone = "Europe/London"
lengths = "hms"
[only]
Medium = ["Voice"]
[call]
rows = "many"
id = "Call"
start = { text = "{Date} {Time}" }
duration = "Length"
direction = { column = "Dir", words = "way" }
queue = "Queue"
customer = "Customer"
business = { const = "+442079460000" }
[segment]
each = "row"
agent = { column = "Agent", pattern = '\(([^)]+)\)$' }
[recording]
each = "row"
file = { column = "Path", pattern = '^D:\\Rec\\(.*)$' }
[recording.pauses]
list = "Pauses"
[attributes]
campaign = "Campaign"
[words.way]
I = "INBOUND"
O = "OUTBOUND"
"#;

const CALLS: u64 = 60;
/// Calls of two rows.
const TRANSFERRED: u64 = CALLS / 4;

/// Three seconds of a voice-like sound, another one for each seed.
fn sound(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut chance = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let (mut samples, mut phase) = (Vec::new(), 0.0);
    for _ in 0..30 {
        let (hertz, loud) = (120.0 + 500.0 * chance(), 2000.0 + 9000.0 * chance());
        for at in 0..800 {
            phase += hertz / 8000.0 * std::f64::consts::TAU;
            let swell = (f64::from(at) / 800.0 * std::f64::consts::PI).sin();
            let noise = 400.0 * (chance() - 0.5);
            samples.push(
                (loud * swell * (phase.sin() + 0.4 * (2.1 * phase).sin()) / 1.4 + noise) as i16,
            );
        }
    }
    let pcm = Pcm {
        sample_rate: 8000,
        channels: vec![samples],
    };
    audio::encode(&pcm, Codec::Mulaw).unwrap()
}

/// Gives the first rows of a mapping table these ids, at all times.
fn rename(table: &Path, ids: &[&str]) {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_path(table).unwrap();
    writer.write_record(&header).unwrap();
    let mut ids = ids.iter();
    for row in &rows {
        let id = if &row[0] == "*" { None } else { ids.next() };
        let cells = row.iter().enumerate().map(|(at, cell)| match id {
            Some(id) if at == 0 => *id,
            Some(_) if header[at].starts_with("valid_") => "",
            _ => cell,
        });
        writer.write_record(cells).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(ids.next(), None, "{}", table.display());
}

/// Writes the export beside the simulators' plan, and makes it the plan's source.
fn exported(scenario: &str) -> Simulation {
    let simulation = Simulation::start(scenario);
    let mut rows =
        "Medium;Call;Date;Time;Length;Dir;Queue;Customer;Agent;Path;Pauses;Campaign\r\n".to_owned();
    for n in 0..CALLS {
        let mut row = |minute: u64, part: u64| {
            let path = format!("{}\\{n}-{part}.wav", n % 3);
            let file = simulation.file("export").join(path.replace('\\', "/"));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, sound(n * 2 + part)).unwrap();
            rows.push_str(&format!(
                "Voice;{};{:02}/07/2024;11:{minute:02}:00;0:03;{};Q{};+4420794601{n:02};\"J\u{f8}rgensen; A. (A{})\";D:\\Rec\\{path};{};C {n}\r\n",
                7000 + n,
                n % 28 + 1,
                if n % 2 == 0 { "I" } else { "O" },
                n % 3 + 1,
                (n + part) % 4 + 1,
                if n % 5 == 0 { "0:01-0:02" } else { "-" },
            ));
        };
        row(n % 50, 0);
        if n % 4 == 0 {
            row(n % 50 + 1, 1);
        }
        rows.push_str(&format!("Chat;{};;;;;;;;;;\r\n", 7000 + n));
    }
    let bytes: Vec<u8> = rows
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    std::fs::write(simulation.file("export/calls.csv"), bytes).unwrap();
    std::fs::write(simulation.file("layout.toml"), LAYOUT).unwrap();
    let text = std::fs::read_to_string(simulation.file("plan.toml")).unwrap();
    let mut plan: toml::Table = toml::from_str(&text).unwrap();
    let source = "kind = \"files\"\naudio = \"export\"\nlayout = \"layout.toml\"\n";
    plan["source"] = toml::Value::Table(toml::from_str(source).unwrap());
    std::fs::write(simulation.file("plan.toml"), plan.to_string()).unwrap();
    rename(
        &simulation.file("mapping/agents.csv"),
        &["A1", "A2", "A3", "A4"],
    );
    rename(&simulation.file("mapping/queues.csv"), &["Q1", "Q2", "Q3"]);
    simulation
}

fn scenario(more: &str) -> String {
    format!(
        "about = \"A test.\"\nseed = 5\n{more}{WORLD}{NO_LIMITS}[expect]\nverdict = \"match\"\n",
    )
}

fn matches(verification: &Verification, code: i32) {
    assert_eq!(verification.run.code, code, "{}", verification.run);
    assert!(
        verification.findings.is_empty() && verification.adds_up(),
        "{}",
        verification.run
    );
    assert_eq!(verification.count("source_interactions"), CALLS);
    assert_eq!(verification.count("matched"), CALLS + TRANSFERRED);
}

/// Classes that were found, of the calls they were found on.
fn found(verification: &Verification) -> BTreeSet<(String, String)> {
    let text = |finding: &serde_json::Value, key: &str| {
        finding[key].as_str().unwrap_or_default().to_owned()
    };
    let findings = verification.findings.iter();
    findings
        .map(|finding| {
            (
                text(finding, "legacy_interaction_id"),
                text(finding, "defect"),
            )
        })
        .collect()
}

#[test]
fn an_export_that_was_migrated_matches_live_and_as_it_was_staged() {
    for more in ["", "ingest = \"public\"\n", "target = \"gir\"\n"] {
        let simulation = exported(&scenario(more));
        simulation.migrate(&[]).ends(0);
        let live = simulation.verify(&[]);
        matches(&live, 0);
        let to_source = live
            .requests
            .iter()
            .filter(|request| request["side"] == "source");
        assert_eq!(to_source.count(), 0, "files are asked nothing");
        std::fs::rename(simulation.file("export"), simulation.file("aside")).unwrap();
        // Nobody counts what staging holds.
        matches(&simulation.verify(&["--source", "staged"]), 21);
    }
}

#[test]
fn what_was_changed_behind_a_migration_is_found_on_its_call() {
    let simulation = exported(&scenario(""));
    simulation.migrate(&[]).ends(0);
    std::fs::write(simulation.file("export/1/1-0.wav"), sound(999)).unwrap();
    let calls = simulation.file("export/calls.csv");
    let bytes = std::fs::read(&calls).unwrap();
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let changed = text
        .replace(";03/07/2024;11:02:00;", ";03/07/2024;11:22:00;")
        .replace("C 10\r\n", "C 11\r\n");
    assert_ne!(text, changed);
    let bytes: Vec<u8> = changed.chars().map(|c| c as u8).collect();
    std::fs::write(&calls, bytes).unwrap();
    let planted = simulation.tamper("D01", 1, 3).unwrap();
    let gone = planted[0]["legacy_interaction_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let verification = simulation.verify(&[]);
    assert_eq!(verification.run.code, 20, "{}", verification.run);
    let found = found(&verification);
    let calls: BTreeSet<&str> = found.iter().map(|(call, _)| call.as_str()).collect();
    let wanted = BTreeSet::from(["7001", "7002", "7010", gone.as_str()]);
    assert_eq!(calls, wanted, "{found:?}");
    assert!(
        found.contains(&(gone.clone(), "D01".to_owned())),
        "{found:?}"
    );
    assert!(
        found.contains(&("7010".to_owned(), "D64".to_owned())),
        "{found:?}"
    );
}

#[test]
fn what_cannot_be_read_of_an_export_cannot_be_told() {
    let simulation = exported(&scenario(""));
    std::fs::remove_file(simulation.file("export/1/1-0.wav")).unwrap();
    let more = "Voice;7999;01/07/2024;11:00:00;soon;I;Q1;;;;;\r\nVoice;7998\r\n";
    let calls = simulation.file("export/calls.csv");
    let mut bytes = std::fs::read(&calls).unwrap();
    bytes.extend(more.bytes());
    std::fs::write(&calls, bytes).unwrap();
    simulation.migrate(&[]).ends(10);
    let verification = simulation.verify(&[]);
    verification.cannot_tell("an export with gaps", "calls.csv");
    assert_eq!(verification.count("source_interactions"), CALLS + 2);
    assert_eq!(verification.count("not_verifiable"), 1);
    assert_eq!(verification.count("matched"), CALLS + TRANSFERRED - 1);
}
