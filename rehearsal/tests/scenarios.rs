//! The scenarios of this repository: each can be read, its world keeps what its expectations
//! promise, and its plan can be written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use plan::Reason;
use rehearsal::{ExpectedEnding, Scenario};
use serde_json::Value;
use simulator::{ClockMode, Options, PlatformName, Simulator, SourceKind, TargetKind};
use verifier::{Defect, Verdict};

/// Every scenario of the repository by its name, which is its own in all folders.
fn files() -> BTreeMap<String, PathBuf> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios")];
    let mut files = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("scenarios") {
            let path = entry.expect("a file").path();
            if path.is_dir() && !path.ends_with("contracts") {
                folders.push(path);
                continue;
            }
            let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_suffix(".toml"))
            else {
                continue;
            };
            let twice = files.insert(name.to_owned(), path.clone());
            assert_eq!(twice, None, "{name} is there twice");
        }
    }
    files
}

fn scenario(name: &str) -> Scenario {
    Scenario::read(&files()[name]).unwrap_or_else(|error| panic!("{error}"))
}

/// Every scenario of the repository by name, sorted.
fn names() -> Vec<String> {
    let names: Vec<String> = files().into_keys().collect();
    assert!(names.len() >= 45, "{names:?}");
    names
}

#[test]
fn every_file_is_a_scenario_that_says_what_it_is_and_how_it_was_made_quick() {
    for name in &names() {
        let setup = scenario(name).setup;
        assert!(setup.about.ends_with('.'), "{name}");
        // Nobody waits in virtual time: such a scenario may be as long as it likes, at the vendor's
        // own limits.
        if setup.clock.mode == ClockMode::Virtual {
            continue;
        }
        assert!(setup.world.interactions <= 240, "{name}");
        let notice = match setup.target {
            TargetKind::GenesysCloud => "limits raised 20x for the demonstration",
            TargetKind::Gir => "the target has no published limit, and none here",
        };
        assert_eq!(setup.notices(), [notice], "{name}");
        assert_eq!(
            setup.target == TargetKind::Gir,
            name.starts_with("gir_"),
            "{name}"
        );
    }
}

#[test]
fn only_what_is_damaged_refused_or_hidden_is_no_match() {
    let names = names();
    let of = |is: fn(&Scenario) -> bool| {
        names
            .iter()
            .filter(move |name| is(&scenario(name)))
            .cloned()
            .collect::<Vec<String>>()
    };
    let mismatches = of(|scenario| scenario.expect.verdict != Verdict::Match);
    let expected = [
        "canary_lost_media",
        "gir_missing_speechminer",
        "gir_privacy_masking",
        "gir_region_mismatch",
        "hidden",
        "hidden_divisions",
        "invalid_ids",
        "refused_call",
        "retention_too_short",
        "vanished_recordings",
    ];
    assert_eq!(mismatches, expected);
    assert_eq!(
        of(|scenario| scenario.expect.migrator == ExpectedEnding::Refused),
        ["invalid_ids"]
    );
}

#[tokio::test]
async fn every_world_keeps_what_its_expectations_promise() {
    for name in &names() {
        let Scenario {
            setup,
            plan,
            expect,
            ..
        } = scenario(name);
        // Hundreds of thousands of calls would have to be told to say that nothing is planted among
        // them.
        if setup.clock.mode == ClockMode::Virtual {
            assert!(
                expect.quarantined.is_empty() && expect.skipped.is_empty(),
                "{name}"
            );
            continue;
        }
        let (world, source) = (setup.world.clone(), setup.source);
        let simulator = Simulator::start(setup, Options::default())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let truth = simulator.truth(PlatformName::Legacy).await.expect("truth");
        let lines: Vec<Value> = truth
            .lines()
            .map(|line| serde_json::from_str(line).expect("json"))
            .collect();
        assert_eq!(lines.len() as u64, world.interactions, "{name}");
        let mut quarantined: BTreeMap<String, u64> = BTreeMap::new();
        for line in lines
            .iter()
            .filter(|line| line["planted"]["outcome"]["is"] == "quarantine")
        {
            let reason = line["planted"]["outcome"]["what"]
                .as_str()
                .expect("a reason")
                .to_owned();
            *quarantined.entry(reason).or_default() += recordings(line);
        }
        // What an organisation sets aside, by the target's maximum retention or by a source's
        // archive, is its own doing; the rest is what the world holds.
        let of_world = |(reason, _): &(&Reason, &u64)| {
            !matches!(
                reason,
                Reason::RetentionOverMax | Reason::SourceNotAvailable
            )
        };
        let expected: BTreeMap<String, u64> = expect
            .quarantined
            .iter()
            .filter(of_world)
            .map(|(reason, count)| (reason.to_string(), *count))
            .collect();
        assert_eq!(expected, quarantined, "{name}");
        let ended: u64 = lines
            .iter()
            .filter(|line| has_ended(line))
            .map(recordings)
            .sum();
        assert!(ended >= world.expired, "{name}");
        let by_its_end = if source == SourceKind::GenesysCloud {
            Reason::SourceDeleted
        } else {
            Reason::Expired
        };
        assert_eq!(
            expect.skipped.get(&by_its_end).copied().unwrap_or(0),
            ended,
            "{name}"
        );
        let dir = tempfile::tempdir().expect("a folder");
        simulator
            .write_plan_with(dir.path(), &plan)
            .expect("a plan");
        let queues =
            std::fs::read_to_string(dir.path().join("mapping/queues.csv")).expect("queues.csv");
        let skips = plan
            .get("rules")
            .and_then(|rules| rules.get("unmapped_queue"))
            .is_some();
        let unmapped = |line: &&Value| {
            skips
                && line["queue"]
                    .as_str()
                    .is_some_and(|queue| !queues.contains(&format!("{queue},")))
        };
        let skipped: u64 = lines.iter().filter(unmapped).map(recordings).sum();
        assert_eq!(
            expect
                .skipped
                .get(&Reason::UnmappedQueue)
                .copied()
                .unwrap_or(0),
            skipped,
            "{name}"
        );
        if expect.migrator == ExpectedEnding::Refused {
            assert_eq!(
                expect.by_defect.get(&Defect::MissingRecording),
                Some(&lines.iter().map(recordings).sum()),
                "{name}"
            );
        }
    }
}

/// How many recordings a call has.
fn recordings(line: &Value) -> u64 {
    line["recordings"].as_array().map_or(0, Vec::len) as u64
}

/// Whether a call's time is over and nothing holds it. Every world's calls end before this day or
/// long after it.
fn has_ended(line: &Value) -> bool {
    line["retention"]["hold"] == false
        && line["retention"]["delete_at"]
            .as_str()
            .is_some_and(|at| at < "2026-06-02")
}

#[tokio::test]
async fn the_showcase_of_interaction_recording_has_the_showcases_world() {
    let [one, other] = ["showcase", "gir_showcase"].map(scenario);
    assert_eq!(
        (one.setup.seed, one.setup.world, one.expect),
        (other.setup.seed, other.setup.world, other.expect)
    );
}
