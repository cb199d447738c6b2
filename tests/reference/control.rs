//! `control-api.md` against a served simulator.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::page::{Page, root};
use crate::support::{NO_LIMITS, Simulation, http};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

fn served(target: &str) -> Simulation {
    let world = "[world]\ninteractions = 2\nre_used_agents = 0\n";
    let limits = if target == "gir" { "" } else { NO_LIMITS };
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = 5\ntarget = \"{target}\"\n{world}{limits}\n[expect]\nverdict \
         = \"match\"\n"
    ))
}

/// Methods and paths of the page's table.
fn described() -> BTreeSet<(String, String)> {
    let rows = Page::read("control-api.md").rows("## Paths");
    rows.into_iter()
        .map(|cells| {
            (
                cells[0].trim_matches('`').to_owned(),
                cells[1].trim_matches('`').to_owned(),
            )
        })
        .collect()
}

/// Every path the simulator registers. No answer lists them, so they are read where they are
/// written, wherever that is.
fn registered(folder: &Path, paths: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry.is_dir() {
            registered(&entry, paths);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&entry).unwrap();
            let routes = text.split(".route(").skip(1).filter_map(|rest| {
                rest.trim_start()
                    .strip_prefix("\"/_sim/")?
                    .split('"')
                    .next()
            });
            paths.extend(routes.map(|path| format!("/_sim/{path}")));
        }
    }
}

#[test]
fn every_route_of_the_control_api_is_described() {
    let described = described();
    let mut paths = BTreeSet::new();
    registered(&root().join("simulator/src"), &mut paths);
    assert!(paths.len() >= 19, "{paths:?}");
    assert_eq!(
        described
            .iter()
            .map(|(_, path)| path.clone())
            .collect::<BTreeSet<_>>(),
        paths,
        "paths of control-api.md, and the simulator's"
    );
    let simulation = served("genesys_cloud");
    let control = simulation.addresses["control"].as_str().unwrap();
    for path in paths {
        for method in METHODS {
            let asked = path
                .replace("{id}", "999999")
                .replace("{platform}", "legacy");
            let (status, answer) = http(control, method, &asked, "");
            let is_described = described.contains(&(method.to_owned(), path.clone()));
            assert_eq!(
                status != 405,
                is_described,
                "{method} {path} answers {status} {answer}"
            );
        }
    }
}

#[test]
fn every_class_that_can_be_planted_is_described() {
    let page = Page::read("control-api.md").flat();
    for (target, name) in [("genesys_cloud", "Genesys Cloud"), ("gir", "GIR")] {
        let simulation = served(target);
        let (status, answer) = simulation.post(
            "/_sim/tamper",
            &json!({"defect": "D99", "count": 1, "seed": 1}),
        );
        let said = answer["error"].as_str().unwrap_or_default().to_owned();
        let (_, classes) = said
            .split_once("there are ")
            .unwrap_or_else(|| panic!("{status} {answer}"));
        assert!(
            page.contains(&format!("- {name}: {classes}.")),
            "control-api.md lacks: - {name}: {classes}."
        );
    }
}

#[test]
fn answers_of_the_control_api_have_the_keys_that_are_described() {
    let simulation = served("genesys_cloud");
    simulation.migrated();
    let page = Page::read("control-api.md");
    let keys = |path: &str| {
        let text = simulation.get(path);
        let line = text
            .lines()
            .next()
            .unwrap_or_else(|| panic!("{path} answers nothing"))
            .to_owned();
        let value: Value = serde_json::from_str(&line).unwrap();
        let value = if value.is_array() {
            value[0].clone()
        } else {
            value
        };
        value
            .as_object()
            .unwrap_or_else(|| panic!("{path}: {line}"))
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    for path in [
        "/_sim/addresses",
        "/_sim/credentials",
        "/_sim/journal?digests=true",
        "/_sim/effects",
        "/_sim/assumptions",
    ] {
        page.must_name(path, keys(path));
    }
    let mut truth = BTreeSet::new();
    for line in ["legacy", "genesys_cloud"]
        .into_iter()
        .flat_map(|platform| simulation.truth(platform))
    {
        keys_below(&line, &mut truth);
    }
    // A list of objects is written with its brackets.
    for key in truth {
        assert!(
            page.names(&key) || page.names(&format!("{key}[]")),
            "control-api.md does not name `{key}` of the truth"
        );
    }
    for key in [
        "/_sim/health",
        "/_sim/conduct",
        "/_sim/faults",
        "/_sim/snapshots",
        "/_sim/clock",
    ]
    .into_iter()
    .flat_map(keys)
    {
        assert!(
            page.text.contains(&format!("\"{key}\"")),
            "control-api.md does not name \"{key}\""
        );
    }
}

/// Keys of a line of truth and of what it holds, attributes aside: their names are the source's.
fn keys_below(value: &Value, keys: &mut BTreeSet<String>) {
    value
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|item| keys_below(item, keys));
    for (key, below) in value.as_object().into_iter().flatten() {
        keys.insert(key.clone());
        if key != "attributes" {
            keys_below(below, keys);
        }
    }
}
