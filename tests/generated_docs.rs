//! Pages and schemas that are made from the code stand in the tree as the code makes them.
//! `SEATRIAL_BLESS=1 cargo test --release --test generated_docs` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use simulator::Scenario;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Holds a file against what it must be, or writes it.
fn holds(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("SEATRIAL_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the code makes; run SEATRIAL_BLESS=1 cargo test --release --test generated_docs");
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

#[test]
fn the_scenario_index_is_current() {
    let mut page =
        "# Scenarios\n\nMade from the files' `about` lines. `seatrial rehearse scenarios/NAME.toml` runs one, `scenarios/*.toml` all.\n\n"
            .to_owned();
    page.push_str("| scenario | what it rehearses | migrator | verdict |\n| --- | --- | --- | --- |\n");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("scenarios")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 15, "{files:?}");
    for file in &files {
        let scenario = Scenario::read(file).unwrap_or_else(|error| panic!("{error}"));
        let (migrator, verdict) = (name(&scenario.expect.migrator), name(&scenario.expect.verdict));
        let _ = writeln!(page, "| [{0}](../scenarios/{0}.toml) | {1} | {migrator} | {verdict} |", scenario.name, scenario.about);
    }
    holds("docs/scenarios.md", &page);
}

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().replace('_', " ")
}

#[test]
fn the_fault_page_is_current() {
    let table = Scenario::fault_table();
    let mut page = "# Faults\n\nMade from the simulator's fault table. A fault is addressed: it strikes by (seed, fault, operation, key, attempt), never by\norder of arrival. Every fault takes `on`, `kind`, and `attempts`, `share`, `keys`, `heal_after_attempts`.\n\n".to_owned();
    page.push_str("| kind | layer | knobs | what a correct client comes to |\n| --- | --- | --- | --- |\n");
    for row in table["faults"].as_array().unwrap() {
        let knobs = row["knobs"].as_array().unwrap().iter().map(|knob| format!("`{}` ({})", text(knob, "name"), text(knob, "unit")));
        let knobs = knobs.collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(page, "| `{}` | {} | {knobs} | {} |", text(row, "name"), text(row, "layer").replace('_', " "), text(row, "outcome"));
    }
    page.push_str("\n## Operations\n\n| operation | method | path | business key | changes |\n| --- | --- | --- | --- | --- |\n");
    for row in table["operations"].as_array().unwrap() {
        let changes = if row["mutates"] == true { "yes" } else { "" };
        let _ = writeln!(
            page,
            "| `{}` | {} | `{}` | {} | {changes} |",
            text(row, "name"),
            text(row, "method"),
            text(row, "path"),
            text(row, "key")
        );
    }
    holds("docs/faults.md", &page);
}

#[test]
fn the_schemas_are_current() {
    for of in ["plan", "scenario", "canonical", "fault", "summary", "finding"] {
        let output = Command::new(env!("CARGO_BIN_EXE_seatrial")).args(["schema", of]).output().unwrap();
        assert!(output.status.success(), "schema {of}");
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema["$schema"].as_str().is_some_and(|dialect| dialect.contains("2020-12")), "{of}: {schema}");
        holds(&format!("docs/schema/{of}.json"), &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn every_file_a_document_links_to_is_there() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/scenarios.md"] {
        let file = root().join(page);
        let text = std::fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.starts_with("http")) {
            let target = file.parent().unwrap_or(Path::new("")).join(link);
            assert!(target.exists(), "{page} links to {link}, which is not there");
        }
    }
}
