//! A verifier is believed for what it finds and for what it does not: every damage that can be
//! planted is named, at its place, and nothing else is.

#[path = "support/damage.rs"]
mod damage;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use damage::{Place, differences, planted};
use serde_json::Value;
use support::{FULL_WORLD, Simulation, Verification, scenario};

/// Seeds of world and tamper: other calls, other victims, other choices inside a class.
const SEEDS: [(u64, u64); 2] = [(11, 7), (23, 40)];

/// What does not fit in exit code, verdict and counts.
fn contradictions(
    planted: &[Place],
    verification: &Verification,
    sound: &Verification,
) -> Vec<String> {
    let mut by_defect: BTreeMap<&str, u64> = BTreeMap::new();
    for (defect, ..) in planted {
        *by_defect.entry(defect).or_default() += 1;
    }
    let told = (
        verification.run.code,
        verification.summary["verdict"].as_str(),
    );
    let same = [
        "source_interactions",
        "source_recordings",
        "quarantined",
        "skipped",
        "not_verifiable",
    ];
    let moved = same
        .iter()
        .filter(|name| verification.count(name) != sound.count(name))
        .map(|name| format!("{name} has changed"));
    let judged =
        |of: &Verification| of.count("matched") + of.count("different") + of.count("missing");
    let of = |defect: &str| by_defect.get(defect).copied().unwrap_or_default();
    let rules = [
        (told == (20, Some("mismatch")), format!("ended {told:?}")),
        (
            verification.adds_up(),
            "the buckets do not add up".to_owned(),
        ),
        (
            judged(verification) == judged(sound),
            "a recording left the sum".to_owned(),
        ),
        (
            verification.summary["by_defect"] == serde_json::json!(by_defect),
            "by_defect is not what was planted".to_owned(),
        ),
        (
            verification.count("missing") >= of("D01"),
            "fewer missing than removed".to_owned(),
        ),
        (
            verification.count("extra") >= of("D02") + of("D03"),
            "fewer extra than added".to_owned(),
        ),
    ];
    let broken = rules
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, what)| what);
    let broken: Vec<String> = broken.chain(moved).collect();
    if broken.is_empty() {
        broken
    } else {
        broken
            .into_iter()
            .chain([format!("counts: {}", verification.summary["counts"])])
            .collect()
    }
}

/// A world of this seed, migrated, its plan with audio in this format.
fn migrated(seed: u64, format: &str) -> Simulation {
    let simulation = Simulation::start(&scenario(
        seed,
        &format!("{FULL_WORLD}\n[plan.audio]\nformat = \"{format}\"\n"),
    ));
    simulation.migrated();
    simulation
}

/// Plants each class in a migration of its own; all that went wrong.
fn try_classes(
    classes: &[(&str, usize)],
    (seed, tamper_seed): (u64, u64),
    format: &str,
) -> Vec<String> {
    let sound = migrated(seed, format).verify(&[]);
    let mut failures = Vec::new();
    for (defect, count) in classes {
        let simulation = migrated(seed, format);
        let entries = simulation
            .tamper(defect, *count, tamper_seed)
            .unwrap_or_else(|error| panic!("{defect}, seed {seed}: {error}"));
        let verification = simulation.verify(&[]);
        let planted = planted(defect, &entries);
        let mut wrong = differences(&planted, &verification);
        wrong.extend(contradictions(&planted, &verification, &sound));
        if !wrong.is_empty() {
            if failures.is_empty() {
                failures.push(simulation.story());
            }
            failures.push(format!(
                "{defect}, world seed {seed}, {format}, tamper seed {tamper_seed}, planted {}",
                Value::from(entries)
            ));
            failures.extend(wrong.into_iter().map(|line| format!("    {line}")));
        }
    }
    failures
}

fn check(classes: &[(&str, usize)]) {
    check_in(classes, &SEEDS.map(|seeds| (seeds, "mp3")));
}

/// Sound is changed by the way it is kept, so damage to it is planted in both.
fn check_sound(classes: &[(&str, usize)]) {
    let [one, other] = SEEDS;
    check_in(classes, &[(one, "mp3"), (other, "mp3"), (other, "wav")]);
}

/// The worlds side by side: a migration waits for its disk more than it computes.
fn check_in(classes: &[(&str, usize)], worlds: &[((u64, u64), &str)]) {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let rows: Vec<_> = worlds
            .iter()
            .map(|(seeds, format)| scope.spawn(|| try_classes(classes, *seeds, format)))
            .collect();
        rows.into_iter()
            .flat_map(|row| row.join().expect("a row that ends"))
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_missing_surplus_or_elsewhere_is_named() {
    check(&[
        ("D01", 3),
        ("D02", 2),
        ("D03", 2),
        ("D04", 4),
        ("D05", 2),
        ("D11", 3),
        ("D12", 2),
        ("D13", 2),
        ("D33", 2),
    ]);
}

#[test]
fn audio_that_lost_something_is_named() {
    check_sound(&[
        ("D15", 3),
        ("D16", 2),
        ("D17", 2),
        ("D18", 4),
        ("D19", 3),
        ("D20", 2),
        ("D21", 2),
    ]);
}

#[test]
fn audio_with_other_channels_or_another_level_is_named() {
    check_sound(&[
        ("D22", 2),
        ("D23", 2),
        ("D26", 2),
        ("D28", 2),
        ("D29", 2),
        ("D59", 2),
    ]);
}

#[test]
fn a_file_that_is_no_such_audio_is_named() {
    check_sound(&[("D24", 2), ("D25", 2), ("D30", 2), ("D31", 2), ("D32", 2)]);
}

#[test]
fn times_that_are_wrong_are_named() {
    check(&[
        ("D35", 2),
        ("D36", 3),
        ("D38", 3),
        ("D39", 3),
        ("D40", 2),
        ("D42", 2),
        ("D43", 2),
    ]);
}

#[test]
fn people_queues_and_codes_that_are_wrong_are_named() {
    check(&[
        ("D45", 3),
        ("D46", 3),
        ("D49", 2),
        ("D50", 3),
        ("D51", 3),
        ("D52", 2),
        ("D61", 2),
        ("D62", 2),
        ("D64", 2),
    ]);
}

#[test]
fn retention_and_holds_that_are_wrong_are_named() {
    check(&[("D55", 3), ("D56", 2), ("D57", 3), ("D58", 2), ("D60", 2)]);
}

/// Everything the simulator can plant, one after another in one migration: no finding hides
/// another.
#[test]
fn many_damages_together_are_named_one_by_one() {
    let world = FULL_WORLD.replace("interactions = 60", "interactions = 160");
    let simulation = Simulation::start(&scenario(5, &world));
    simulation.migrated();
    let sound = simulation.verify(&[]);
    let one_by_one = [
        "D33", "D49", "D57", "D59", "D60", "D36", "D55", "D56", "D58", "D43", "D01", "D02", "D03",
        "D05", "D11", "D12", "D13", "D15", "D16", "D17", "D19", "D20", "D21", "D22", "D23", "D24",
        "D25", "D26", "D28", "D29", "D30", "D31", "D32", "D35", "D38", "D39", "D40", "D42", "D45",
        "D46", "D50", "D51", "D52", "D61", "D62", "D64",
    ];
    let mut all = Vec::new();
    for (defect, count) in [("D04", 2), ("D18", 2)]
        .into_iter()
        .chain(one_by_one.map(|defect| (defect, 1)))
    {
        let entries = simulation
            .tamper(defect, count, 3)
            .unwrap_or_else(|error| panic!("{defect}: {error}"));
        all.extend(planted(defect, &entries));
    }
    let verification = simulation.verify(&[]);
    let mut wrong = differences(&all, &verification);
    wrong.extend(contradictions(&all, &verification, &sound));
    assert!(
        wrong.is_empty(),
        "tamper seed 3\n{}\n{}",
        simulation.story(),
        wrong.join("\n")
    );

    // The advice is followed: everything named is sent again. What is surplus a person removes, but
    // for a copy inside a call that is written anew.
    simulation
        .migrate(&["--redo", "report/findings.jsonl"])
        .ends(10);
    let healed = simulation.verify(&[]);
    let left: BTreeSet<&str> = healed
        .findings
        .iter()
        .filter_map(|finding| finding["defect"].as_str())
        .collect();
    assert!(
        left.is_subset(&BTreeSet::from(["D02", "D03"])),
        "{:?}\n{}",
        healed.findings,
        simulation.story()
    );
}

#[test]
fn a_faithful_migration_is_a_match_without_a_finding() {
    let mut failures = Vec::new();
    for seed in 31..37 {
        let simulation = Simulation::start(&scenario(seed, FULL_WORLD));
        simulation.migrated();
        let verification = simulation.verify(&[]);
        let is_silent = verification.findings.is_empty()
            && verification.run.code == 0
            && verification.adds_up();
        if !is_silent
            || verification.count("quarantined") != 6
            || verification.count("skipped") != 2
        {
            failures.push(format!("world seed {seed}: {}", verification.run));
        }
    }
    assert!(
        failures.is_empty(),
        "worlds of FULL_WORLD (tests/support/mod.rs)\n{}",
        failures.join("\n")
    );
}
