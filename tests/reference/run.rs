//! What a simulated migration leaves behind, against the pages that describe it.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::page::Page;
use crate::support::{FULL_WORLD, NO_LIMITS, Simulation, lines, read, replace, scenario, seatrial};

/// A migration of everything a source can bring, with its exports and a report that has a finding.
fn migrated() -> Simulation {
    let simulation = Simulation::start(&scenario(71, FULL_WORLD));
    simulation.migrated();
    let exports = [
        "--crosswalk",
        "crosswalk.csv",
        "--custody",
        "custody.ndjson",
        "--quarantine",
        "left.csv",
    ];
    simulation
        .seatrial(&[&["status", "plan.toml"], &exports[..]].concat())
        .ends(0);
    simulation.tamper("D19", 1, 7).unwrap();
    simulation.verify(&[]);
    simulation
}

#[test]
fn what_a_run_writes_is_described() {
    let simulation = migrated();
    let at = |name: &str| simulation.file(name);
    exports_are_described(&at);
    staging_is_described(&simulation.file("staging"));
    ids_are_described(&simulation);
    ledger_is_described(&simulation.file("ledger.db"));
    let attributes: BTreeSet<String> = simulation
        .truth("genesys_cloud")
        .iter()
        .flat_map(|line| {
            line["attributes"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(attributes.len() > 5, "{attributes:?}");
    Page::read("fields.md").must_name("attributes", attributes);
    Page::read("mapping.md").must_name("columns", header(&at("mapping/agents.csv")).split(','));
}

fn header(file: &Path) -> String {
    read(file).lines().next().unwrap_or_default().to_owned()
}

fn exports_are_described(at: &dyn Fn(&str) -> std::path::PathBuf) {
    let page = Page::read("reports.md");
    for name in [
        "crosswalk.csv",
        "left.csv",
        "report/recordings.csv",
        "report/breakdown.csv",
    ] {
        let columns = header(&at(name));
        assert!(
            page.text.lines().any(|line| line == columns),
            "reports.md lacks the columns of {name}: {columns}"
        );
    }
    assert!(
        Page::read("identity.md")
            .text
            .contains(&header(&at("crosswalk.csv"))),
        "identity.md lacks the crosswalk's columns"
    );
    for name in [
        "custody.ndjson",
        "report/findings.jsonl",
        "report/requests.jsonl",
    ] {
        let rows = lines(&at(name));
        assert!(!rows.is_empty(), "{name} is empty");
        page.must_name(
            name,
            rows.iter()
                .flat_map(|row| row.as_object().unwrap().keys())
                .collect::<BTreeSet<_>>(),
        );
    }
    let hops: BTreeSet<String> = lines(&at("custody.ndjson"))
        .iter()
        .map(|line| line["hop"].as_str().unwrap().to_owned())
        .collect();
    page.must_name("hops of custody", hops);
    for entry in std::fs::read_dir(at("report")).unwrap() {
        page.must_name(
            "files of a report",
            [entry.unwrap().file_name().to_string_lossy().into_owned()],
        );
    }
}

/// Keys of everything below, but for what the source wrote.
fn own_keys(value: &Value, keys: &mut BTreeSet<String>) {
    value
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|item| own_keys(item, keys));
    for (key, below) in value.as_object().into_iter().flatten() {
        keys.insert(key.clone());
        if !["entity", "body", "headers"].contains(&key.as_str()) {
            own_keys(below, keys);
        }
    }
}

fn staging_is_described(staging: &Path) {
    let page = Page::read("staging.md");
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.collect();
        paths.sort();
        paths
    };
    for folder in names(staging) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            page.text.contains(&format!("| `{name}/")),
            "staging.md does not describe {name}/"
        );
    }
    let raw: Value = serde_json::from_str(&read(&names(&staging.join("raw"))[0])).unwrap();
    let mut keys = BTreeSet::new();
    own_keys(&raw, &mut keys);
    let manifest = names(&names(&staging.join("manifest"))[0])[0].clone();
    assert!(manifest.ends_with("0000.ndjson"), "{}", manifest.display());
    own_keys(&lines(&manifest)[0], &mut keys);
    for key in keys {
        assert!(
            page.text.contains(&format!("\"{key}\"")),
            "staging.md does not show \"{key}\""
        );
    }
}

/// The tag and the file names of a run have the form that is described.
fn ids_are_described(simulation: &Simulation) {
    let page = Page::read("identity.md");
    for form in [
        "st:acme-2026:100001",
        "st-acme-2026-100001-1.79a547983958.mp3",
    ] {
        page.must_name("forms", [form]);
    }
    let journal = simulation.get("/_sim/journal?limit=10000");
    let keys_of = |operation: &str| {
        let lines = journal
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let keys = lines
            .filter(|line| line["operation"] == operation)
            .map(|line| line["key"].as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    let (calls, files) = (
        keys_of("genesys_cloud.create_interaction"),
        keys_of("genesys_cloud.upload_file"),
    );
    assert!(
        calls.iter().any(|key| key == "st:rehearsal:100001"),
        "{calls:?}"
    );
    let is_file = |key: &String| {
        let parts = key
            .strip_prefix("st-rehearsal-1000")
            .and_then(|rest| rest.strip_suffix(".mp3"))
            .and_then(|rest| rest.split_once('.'));
        parts.is_some_and(|(_, hash)| {
            hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    assert!(files.iter().any(is_file), "{files:?}");
}

fn column(connection: &Connection, sql: &str) -> BTreeSet<String> {
    let mut select = connection.prepare(sql).unwrap();
    let rows = select
        .query_map([], |row| row.get::<_, Option<String>>(0))
        .unwrap();
    rows.filter_map(Result::unwrap)
        .filter(|value| !value.is_empty())
        .collect()
}

fn ledger_is_described(file: &Path) {
    let page = Page::read("ledger.md");
    let ledger = Connection::open(file).unwrap();
    let tables = column(
        &ledger,
        "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    let mut columns = BTreeSet::new();
    for table in &tables {
        let names = column(
            &ledger,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        );
        columns.extend(names.into_iter().map(|name| format!("{table}.{name}")));
    }
    page.must_name("columns", &columns);
    let code = page.text.split('`').skip(1).step_by(2);
    let named = code.filter(|code| {
        code.split_once('.')
            .is_some_and(|(table, _)| tables.contains(table))
    });
    for name in named {
        assert!(
            columns.contains(name),
            "ledger.md describes {name}, which a ledger does not have"
        );
    }
    page.must_name("keys of meta", column(&ledger, "SELECT key FROM meta"));
    page.must_name("phases", column(&ledger, "SELECT phase FROM interaction"));
    page.must_name("outcomes", column(&ledger, "SELECT outcome FROM recording"));
    page.must_name(
        "kinds of warnings",
        column(&ledger, "SELECT kind FROM warning"),
    );
    page.must_name(
        "formats",
        column(&ledger, "SELECT value FROM meta WHERE key = 'version'"),
    );
}

/// The columns that are described are taken.
#[test]
fn every_described_column_of_the_mapping_is_taken() {
    let page = Page::read("mapping.md");
    let world = "[world]\ninteractions = 2\nre_used_agents = 0\n";
    let simulation = Simulation::start(&format!(
        "about = \"A test.\"\nseed = 5\n{world}{NO_LIMITS}\n[expect]\nverdict = \"match\"\n"
    ));
    for table in ["agents", "queues", "skills", "wrapups"] {
        let rows = page.rows(&format!("## {table}.csv"));
        let columns: Vec<&str> = rows
            .iter()
            .map(|cells| cells[0].trim_matches('`'))
            .collect();
        std::fs::write(
            simulation.file(&format!("mapping/{table}.csv")),
            format!("{}\n", columns.join(",")),
        )
        .unwrap();
    }
    let rows = page.rows("## Exclusions");
    let columns: Vec<&str> = rows
        .iter()
        .map(|cells| cells[0].trim_matches('`'))
        .collect();
    std::fs::write(
        simulation.file("exclusions.csv"),
        format!("{}\n", columns.join(",")),
    )
    .unwrap();
    replace(
        simulation.dir(),
        "plan.toml",
        "partial = \"hold\"",
        "partial = \"hold\"\nexclusions = \"exclusions.csv\"",
    );
    simulation
        .seatrial(&["verify", "plan.toml", "--print-requests"])
        .ends(0);
}

#[test]
fn every_key_of_a_rehearsal_is_described() {
    let folder = tempfile::TempDir::new().unwrap();
    let world = "[world]\ninteractions = 2\nre_used_agents = 0\n";
    let text = format!(
        "about = \"A test.\"\nseed = 5\n{world}{NO_LIMITS}\n[expect]\nverdict = \"match\"\n"
    );
    std::fs::write(folder.path().join("small.toml"), text).unwrap();
    let run = seatrial(
        folder.path(),
        &[
            "rehearse",
            "small.toml",
            "--clock",
            "virtual",
            "--report",
            "report",
            "--journal",
            "--junit",
            "junit.xml",
        ],
    );
    run.ends(0);
    let page = Page::read("reports.md");
    let rehearsal: Value =
        serde_json::from_str(&read(&folder.path().join("report/rehearsal.json"))).unwrap();
    let scenario = &rehearsal["scenarios"][0];
    page.must_name(
        "keys of a scenario",
        scenario
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "expectations"),
    );
    page.must_name(
        "keys of an expectation",
        scenario["expectations"][0].as_object().unwrap().keys(),
    );
    for name in ["journal", "effects", "faults", "truth"].map(|name| format!("{name}.ndjson")) {
        assert!(
            folder.path().join("report/small").join(&name).exists(),
            "{name}"
        );
        page.must_name("files of --journal", [name]);
    }
    let junit = read(&folder.path().join("junit.xml"));
    for element in junit
        .split('<')
        .filter_map(|rest| rest.split([' ', '>', '/']).next())
        .filter(|name| name.starts_with("test"))
    {
        page.must_name("elements of JUnit", [element]);
    }
}
