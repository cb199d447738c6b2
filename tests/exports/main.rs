//! Exports of other systems, by the layouts that come with the program: the sample of each is moved
//! into both simulated targets, every call arrives that can be read, and the verifier says so.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod samples;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

use samples::{Gaps, PRESETS, Sample};
use serde_json::Value;
use support::{Run, Simulation};

const GUIDE: &str = "about = \"A test.\"\nseed = 5\n[world]\ninteractions = 1\nagents = 8\nqueues = \
    5\n[genesys_cloud.limits]\nrequests_per_minute = 0\nuploads_per_second = 0\n[expect]\nverdict = \"match\"\n";
const PUBLIC: &str = "about = \"A test.\"\nseed = 5\ningest = \"public\"\n[world]\ninteractions = \
    1\nagents = 8\nqueues = 5\n[genesys_cloud.limits]\nrequests_per_minute = \
    0\nuploads_per_second = 0\n[expect]\nverdict = \"match\"\n";
const GIR: &str = "about = \"A test.\"\nseed = 5\ntarget = \"gir\"\n[world]\ninteractions = \
    1\nagents = 8\nqueues = 5\n[expect]\nverdict = \"match\"\n";

/// Writes an export beside the simulators' plan, and makes it the plan's source.
fn place(simulation: &Simulation, sample: &Sample) {
    for (name, bytes) in &sample.files {
        let path = simulation.file("export").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let text = std::fs::read_to_string(simulation.file("plan.toml")).unwrap();
    let mut plan: toml::Table = toml::from_str(&text).unwrap();
    let source = format!(
        "kind = \"files\"\naudio = \"export/{}\"\nmetadata = \"export/{}\"\npreset = \"{}\"\n",
        sample.audio, sample.metadata, sample.preset
    );
    plan["source"] = toml::Value::Table(toml::from_str(&source).unwrap());
    let mut time = toml::Table::new();
    time.insert("naive_zone".to_owned(), "Europe/London".into());
    plan.insert("time".to_owned(), time.into());
    std::fs::write(simulation.file("plan.toml"), plan.to_string()).unwrap();
    rename(&simulation.file("mapping/agents.csv"), &sample.agents);
    rename(&simulation.file("mapping/queues.csv"), &sample.queues);
}

/// Gives the first rows of a table the ids that the export has.
fn rename(table: &Path, ids: &[String]) {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let validity: Vec<bool> = header
        .iter()
        .map(|name| name.starts_with("valid_"))
        .collect();
    let mut writer = csv::Writer::from_path(table).unwrap();
    writer.write_record(&header).unwrap();
    let mut ids = ids.iter();
    for row in &rows {
        // A row of nobody's, which says who stands in.
        let id = if &row[0] == "*" { None } else { ids.next() };
        let cells = row.iter().enumerate().map(|(at, cell)| match (at, id) {
            (0, Some(id)) => id.as_str(),
            (at, Some(_)) if validity[at] => "",
            _ => cell,
        });
        writer.write_record(cells).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(ids.next(), None, "{}", table.display());
}

fn count(document: &Value, name: &str) -> u64 {
    document["outcome"]["tally"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name}: {document}"))
}

/// Moves a sample, and holds what happened against what it is made of.
fn moves(scenario: &str, platform: &str, sample: &Sample) {
    let simulation = Simulation::start(scenario);
    place(&simulation, sample);
    let about = format!("{} to {platform}", sample.preset);
    arrives(&simulation, platform, sample, &about);
    is_verified(&simulation, sample, &about);
}

fn arrives(simulation: &Simulation, platform: &str, sample: &Sample, about: &str) {
    let run: Run = simulation.seatrial(&["--json", "migrate", "plan.toml"]);
    let stays = sample.quarantined > 0 || !sample.named.is_empty();
    let said = format!("{about}: {run}");
    assert_eq!(run.code, if stays { 10 } else { 0 }, "{said}");
    let document = run.json();
    assert_eq!(count(&document, "interactions"), sample.calls, "{said}");
    assert_eq!(count(&document, "recordings"), sample.recordings, "{said}");
    assert_eq!(
        count(&document, "recordings_done"),
        sample.recordings - sample.quarantined,
        "{said}"
    );
    assert_eq!(count(&document, "interactions_failed"), 0, "{said}");
    let truth = simulation.truth(platform);
    let text: Vec<String> = truth.iter().map(ToString::to_string).collect();
    for id in &sample.go {
        let is_there = text
            .iter()
            .filter(|line| line.contains(id.as_str()))
            .count();
        assert!(is_there >= 1, "call {id} is not in {platform}: {said}");
    }
    for id in &sample.stay {
        let is_there = text.iter().any(|line| line.contains(&format!("\"{id}\"")));
        assert!(!is_there, "call {id} is in {platform}: {said}");
    }
    let again = simulation
        .seatrial(&["--json", "migrate", "plan.toml"])
        .json();
    assert_eq!(
        count(&again, "recordings_done"),
        sample.recordings - sample.quarantined,
        "another run changes nothing: {again}"
    );
    assert_eq!(simulation.truth(platform).len(), truth.len());
}

/// All that can be read matches. Of the rest the verifier cannot tell, and finds nothing wrong.
fn is_verified(simulation: &Simulation, sample: &Sample, about: &str) {
    let verification = simulation.verify(&[]);
    let run = &verification.run;
    assert!(
        verification.findings.is_empty() && verification.adds_up(),
        "{about}: {run}"
    );
    assert_eq!(
        run.code,
        if sample.named.is_empty() { 0 } else { 21 },
        "{about}: {run}"
    );
    assert_eq!(
        verification.count("matched"),
        sample.recordings - sample.quarantined,
        "{about}: {run}"
    );
    assert_eq!(
        verification.count("source_interactions"),
        sample.calls,
        "{about}: {run}"
    );
}

#[test]
fn each_preset_has_a_sample_and_each_sample_a_preset() {
    let made: Vec<&str> = PRESETS.iter().map(|make| make(Gaps::Some).preset).collect();
    assert_eq!(made, plan::layout::preset_names());
    for make in PRESETS {
        let sample = make(Gaps::Some);
        assert!(sample.calls >= 50, "{}: {}", sample.preset, sample.calls);
        assert!(
            sample.quarantined > 0 || !sample.stay.is_empty(),
            "{}",
            sample.preset
        );
    }
}

#[test]
fn each_preset_moves_its_sample_by_the_guide() {
    for make in PRESETS {
        moves(GUIDE, "genesys_cloud", &make(Gaps::None));
    }
}

#[test]
fn what_a_sample_cannot_tell_stays_behind_and_the_rest_arrives() {
    for make in PRESETS {
        moves(GUIDE, "genesys_cloud", &make(Gaps::Some));
    }
}

#[test]
fn each_preset_moves_its_sample_by_the_public_api() {
    for make in PRESETS {
        moves(PUBLIC, "genesys_cloud", &make(Gaps::None));
    }
}

#[test]
fn each_preset_moves_its_sample_into_interaction_recording() {
    for make in PRESETS {
        moves(GIR, "gir", &make(Gaps::None));
    }
}

#[test]
fn inspect_counts_a_sample_and_names_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    for make in PRESETS {
        let sample = make(Gaps::Some);
        let root = folder.path().join(sample.preset);
        for (name, bytes) in &sample.files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let (audio, metadata) = (root.join(&sample.audio), root.join(&sample.metadata));
        let arguments = [
            "inspect",
            audio.to_str().unwrap(),
            "--metadata",
            metadata.to_str().unwrap(),
            "--preset",
            sample.preset,
            "--naive-zone",
            "Europe/London",
        ];
        let run = support::seatrial(folder.path(), &arguments);
        assert_eq!(
            run.code,
            if sample.named.is_empty() { 0 } else { 10 },
            "{run}"
        );
        for named in &sample.named {
            assert!(
                run.stdout.contains(named.as_str()),
                "{}: `{named}` in {run}",
                sample.preset
            );
        }
        let document = support::seatrial(folder.path(), &[&["--json"], &arguments[..]].concat());
        let document = document.json();
        let seen = &document["inspection"];
        assert_eq!(seen["calls"], sample.calls, "{}: {document}", sample.preset);
        assert_eq!(
            seen["recordings"], sample.recordings,
            "{}: {document}",
            sample.preset
        );
        let days = seen["days"].as_object().unwrap();
        assert!(days.len() > 5, "{document}");
        let people = seen["agents"].as_object().unwrap();
        for agent in &sample.agents {
            assert!(people.contains_key(agent), "{agent}: {document}");
        }
        let bad =
            seen["unread"].as_array().unwrap().len() + seen["lacking"].as_array().unwrap().len();
        assert_eq!(bad, sample.named.len(), "{}: {document}", sample.preset);
    }
}
