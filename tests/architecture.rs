//! Who may know whom, and what `plan` must not do.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const OURS: [&str; 9] = [
    "output",
    "plan",
    "platforms",
    "audio",
    "simulator",
    "migrator",
    "verifier",
    "rehearsal",
    "seatrial",
];

/// What each crate may depend on, tests aside. Source: docs/design/architecture.md.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("output", &[]),
    ("plan", &["output"]),
    ("platforms", &[]),
    ("audio", &[]),
    ("simulator", &["output", "audio"]),
    ("migrator", &["output", "platforms", "plan", "audio"]),
    ("verifier", &["output", "platforms", "plan", "audio"]),
    (
        "rehearsal",
        &[
            "output",
            "plan",
            "platforms",
            "simulator",
            "migrator",
            "verifier",
        ],
    ),
    (
        "seatrial",
        &[
            "output",
            "plan",
            "platforms",
            "audio",
            "simulator",
            "migrator",
            "verifier",
            "rehearsal",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest(name: &str) -> toml::Table {
    let path = if name == "seatrial" {
        root().join("Cargo.toml")
    } else {
        root().join(name).join("Cargo.toml")
    };
    toml::from_str(
        &std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
    .unwrap()
}

fn ours_in(table: Option<&toml::Value>) -> BTreeSet<String> {
    let keys = table
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|table| table.keys().cloned());
    keys.filter(|name| OURS.contains(&name.as_str())).collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let mut graph = BTreeMap::new();
    for (name, allowed) in ALLOWED {
        let manifest = manifest(name);
        let normal = ours_in(manifest.get("dependencies"));
        let build = ours_in(manifest.get("build-dependencies"));
        let found: BTreeSet<String> = normal.union(&build).cloned().collect();
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert!(
            found.is_subset(&allowed),
            "{name} depends on {found:?}, and may on {allowed:?}"
        );
        graph.insert(name, found);
    }
    for (name, found) in &graph {
        println!(
            "{name} -> {}",
            if found.is_empty() {
                "none of ours".to_owned()
            } else {
                found.iter().cloned().collect::<Vec<_>>().join(", ")
            }
        );
    }
}

#[test]
fn migrator_and_verifier_do_not_meet_in_tests_either() {
    for (name, not) in [
        ("migrator", "verifier"),
        ("verifier", "migrator"),
        ("simulator", "platforms"),
        ("platforms", "simulator"),
    ] {
        let found = ours_in(manifest(name).get("dev-dependencies"));
        assert!(!found.contains(not), "{name}'s tests depend on {not}");
    }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// What a rule would need. `plan` reads and validates; whoever resolves, moves a date or masks does
/// it on their own.
const RULE_MAKERS: [&str; 14] = [
    "checked_add",
    "checked_sub",
    "saturating_add",
    "to_zoned",
    "Span::",
    "SignedDuration",
    "Zoned",
    "hmac",
    "fn resolve(",
    "fn mask",
    "fn hash_phone",
    "fn instant(",
    "fn delete_date",
    "Timestamp::from_",
];

#[test]
fn plan_holds_no_rule() {
    for file in sources(&root().join("plan/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        // The one place where a row makes its cell an instant is the parsing of the cell.
        for maker in RULE_MAKERS
            .iter()
            .filter(|maker| !(file.ends_with("mapping.rs") && **maker == "fn instant("))
        {
            assert!(
                !text.contains(maker),
                "{} has `{maker}`: a rule belongs to migrator and verifier, each its own",
                file.display()
            );
        }
    }
    let dependencies = manifest("plan")["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    for banned in ["hmac", "tokio", "reqwest", "rusqlite", "object_store"] {
        assert!(
            !dependencies.iter().any(|name| name == banned),
            "plan depends on {banned}: it is data and validation"
        );
    }
}

#[test]
fn one_file_a_crate_asks_the_clock() {
    for name in OURS.iter().filter(|name| **name != "seatrial") {
        for file in sources(&root().join(name).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let asks = [
                "SystemTime::now",
                "Instant::now",
                "Timestamp::now",
                "time::sleep(",
            ]
            .iter()
            .any(|call| text.contains(call));
            assert!(
                !asks || file.ends_with("clock.rs"),
                "{} asks the time or sleeps; clock.rs is for that",
                file.display()
            );
        }
    }
}
