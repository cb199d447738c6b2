//! `docs/third-party-licences.txt` holds the licence texts of every crate that is linked into
//! `seatrial`. `SEATRIAL_BLESS=1 cargo test --release --test licences` writes it anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// How a file that holds a licence is named in a package. C sources that a package brings have
/// theirs one or two folders below.
const NAMES: [&str; 5] = ["license", "licence", "copying", "unlicense", "notice"];
const DEPTH: usize = 2;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo resolves on one platform, so that the page is the same on every machine.
fn metadata() -> Value {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ];
    // Under a faked clock, as `./prove calendar` sets it, cargo never ends; what is linked depends on
    // no date.
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .env_remove("LD_PRELOAD")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Packages by id that the command is linked from, other people's alone.
fn linked(metadata: &Value) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = vec![metadata["resolve"]["root"].as_str().unwrap()];
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let is_linked = |dep: &&Value| {
            dep["dep_kinds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|kind| kind["kind"].is_null())
        };
        let deps = nodes[id]["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_linked);
        open.extend(deps.map(|dep| dep["pkg"].as_str().unwrap()));
    }
    let ours: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    found.difference(&ours).copied().collect()
}

/// Licence files in a package's folder, in order.
fn licence_files(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
        if path.is_dir() && depth > 0 {
            found.extend(licence_files(&path, depth - 1));
        } else if path.is_file()
            && NAMES.iter().any(|start| name.starts_with(start))
            && !name.ends_with(".rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_licence_texts_of_all_that_is_linked_are_in_the_repository() {
    let metadata = metadata();
    let linked = linked(&metadata);
    let mut by_text: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut without = BTreeSet::new();
    for package in metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| linked.contains(one["id"].as_str().unwrap()))
    {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        assert!(
            !text("license").is_empty() || !text("license_file").is_empty(),
            "{name} states no licence"
        );
        let files = licence_files(Path::new(text("manifest_path")).parent().unwrap(), DEPTH);
        if files.is_empty() {
            without.insert(format!("{name}: {}", text("license")));
        }
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let lines: Vec<String> = String::from_utf8_lossy(&bytes)
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect();
            by_text
                .entry(lines.join("\n").trim_matches('\n').to_owned())
                .or_default()
                .insert(name.clone());
        }
    }
    assert!(
        linked.len() > 100 && by_text.len() > 10,
        "{} packages, {} texts: too few",
        linked.len(),
        by_text.len()
    );
    let mut page = format!(
        "Licences of the {} packages that seatrial is linked from. Written by tests/licences.rs.\n",
        linked.len()
    );
    let mut texts: Vec<(Vec<String>, String)> = by_text
        .into_iter()
        .map(|(text, names)| (names.into_iter().collect(), text))
        .collect();
    texts.sort();
    writeln!(
        page,
        "\nThese bring no text of their own and name their licence:\n"
    )
    .unwrap();
    for line in without {
        writeln!(page, "  {line}").unwrap();
    }
    for (names, text) in texts {
        writeln!(page, "\n{}\n{}\n\n{text}", "=".repeat(80), names.join(", ")).unwrap();
    }
    let path = root().join("docs/third-party-licences.txt");
    if std::env::var_os("SEATRIAL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "{} is not what is linked; SEATRIAL_BLESS=1 writes it anew",
        path.display()
    );
}
