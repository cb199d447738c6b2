//! Pages and schemas that are made from the code stand in the tree as the code makes them.
//! `SEATRIAL_BLESS=1 cargo test --release --test generated_docs` writes them anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod coverage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rehearsal::Scenario;
use serde_json::Value;
use simulator::{
    CONDUCT_RULES, Layer, OWN_HOSTS, PlatformName, REGIONS, Rule, all_rules, fault_table,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What is known of the vendor's operations and models. `tests/sdk/models.py renew` writes it from
/// the vendor's description.
fn vendor() -> Value {
    serde_json::from_str(
        &std::fs::read_to_string(root().join("tests/coverage/genesys_cloud.json")).unwrap(),
    )
    .unwrap()
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
    assert!(
        found == wanted,
        "{path} is not what the code makes; run SEATRIAL_BLESS=1 cargo test --release --test \
         generated_docs"
    );
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

#[test]
fn the_scenario_index_is_current() {
    let mut listed: Vec<PathBuf> = SCENARIO_FOLDERS
        .iter()
        .map(|(folder, _)| root().join(folder))
        .collect();
    listed.sort();
    let below = std::fs::read_dir(root().join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = below
        .filter(|path| path.is_dir() && !path.ends_with("contracts"))
        .collect();
    folders.push(root().join("scenarios"));
    folders.sort();
    assert_eq!(
        listed, folders,
        "folders of scenarios that the page lists, and those there are"
    );
    let mut page = SCENARIOS.to_owned();
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    for (folder, title) in SCENARIO_FOLDERS {
        let _ = write!(
            page,
            "\n## {title}\n\n| scenario | what it rehearses | migrator | verdict |\n| --- | --- | \
             --- | --- |\n"
        );
        let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.retain(|file| {
            file.extension()
                .is_some_and(|extension| extension == "toml")
        });
        files.sort_by_key(|file| beside_its_base(file));
        for file in &files {
            let scenario = Scenario::read(file).unwrap_or_else(|error| panic!("{error}"));
            let (migrator, verdict) = (
                name(&scenario.expect.migrator),
                name(&scenario.expect.verdict),
            );
            let path = format!("../{folder}/{}.toml", scenario.setup.name);
            let _ = writeln!(
                page,
                "| [{}]({path}) | {} | {migrator} | {verdict} |",
                scenario.setup.name, scenario.setup.about
            );
            assert_eq!(
                paths.insert(scenario.setup.name.clone(), path),
                None,
                "{} is there twice",
                scenario.setup.name
            );
        }
    }
    assert!(paths.len() >= 45, "{paths:?}");
    page.push_str(
        "\n## Edge cases of the recording-migration guide\n\n| edge case | what it says \
        | rehearsed by |\n| --- | --- | --- |\n",
    );
    for (case, says, scenarios) in EDGE_CASES {
        let path = |name: &str| {
            paths
                .get(name)
                .unwrap_or_else(|| panic!("{case}: there is no scenario {name}"))
        };
        let links: Vec<String> = scenarios
            .iter()
            .map(|name| format!("[{name}]({})", path(name)))
            .collect();
        let _ = writeln!(page, "| {case} | {says} | {} |", links.join(", "));
        assert!(!scenarios.is_empty(), "{case} is rehearsed by nothing");
    }
    holds("docs/scenarios.md", &page);
}

/// The head of [`the_scenario_index_is_current`]'s page.
const SCENARIOS: &str = "# Scenarios

Made from the files' `about` lines. `seatrial rehearse scenarios/NAME.toml` runs one, `seatrial rehearse scenarios/*.toml
scenarios/*/*.toml` all. A name that begins with `gir_` is one towards Interaction Recording, with `public_` one by the public
ingestion of Genesys Cloud.
";

/// Folders of scenarios, in the order of the page.
const SCENARIO_FOLDERS: [(&str, &str); 5] = [
    ("scenarios", "To begin with"),
    (
        "scenarios/source_data",
        "What is wrong or unusual in the source",
    ),
    ("scenarios/network", "What goes wrong on the way"),
    ("scenarios/target_behaviour", "How the target behaves"),
    ("scenarios/audit", "What a verifier must notice"),
];

/// Where a scenario stands in its folder: variants of other targets and ways in follow their base.
fn beside_its_base(file: &Path) -> (String, String) {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let base = name
        .strip_prefix("gir_")
        .or_else(|| name.strip_prefix("public_"))
        .unwrap_or(&name)
        .to_owned();
    (base, name)
}

/// The four edge cases of the recording-migration guide, numbered as there, and its traps, each
/// with what rehearses it.
const EDGE_CASES: &[(&str, &str, &[&str])] = &[
    (
        "1: clock skew and timestamp precision",
        "milliseconds become UTC text; reversed ends are swapped with a warning",
        &["clock_skew", "clock_faults", "local_times", "times_as_text"],
    ),
    (
        "2: missing agent mappings",
        "a fallback user takes the place of agents nobody knows",
        &["missing_agents", "people_faults", "people_without_fallback"],
    ),
    (
        "3: audio format incompatibility",
        "what the target does not play is transcoded and checked before it goes",
        &["bad_codecs", "bad_media", "media_faults", "odd_media"],
    ),
    (
        "4: PII masking discrepancies",
        "what is masked on a screen is not audible in the target",
        &[
            "pii_masking",
            "pause_faults",
            "pause_faults_with_a_tone",
            "numbers_hashed",
        ],
    ),
    (
        "trap: ids resolved while extracting",
        "a queue that the target has not is mapped to a default, or its calls are left",
        &["unmapped_queue", "queue_faults", "queues_skipped"],
    ),
    (
        "trap: phone numbers as identities",
        "agents share extensions; only the mapping says who somebody is",
        &["people_faults"],
    ),
    (
        "trap: rate limits and concurrency",
        "429 is answered by waiting, not by losing state",
        &["rate_limited", "outage_that_heals"],
    ),
    (
        "step 2.3: unknown users and queues",
        "400 for an id the target does not have: refused before the first write",
        &["invalid_ids"],
    ),
    (
        "step 3.3: retention",
        "a class of the source becomes a deletion date",
        &[
            "retention",
            "retention_faults",
            "retention_clamped",
            "retention_over_max",
        ],
    ),
];

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .unwrap()
        .as_str()
        .unwrap()
        .replace('_', " ")
}

#[test]
fn the_fault_page_is_current() {
    let table = fault_table();
    let mut page = FAULTS.to_owned();
    page.push_str(
        "## Requests and platforms\n\n| kind | layer | effect | knobs | what a correct \
        client comes to |\n| --- | --- | --- | --- | --- |\n",
    );
    for row in simulator::fault_rows().filter(|row| row.layer != Layer::Domain) {
        let knobs: Vec<String> = row
            .knobs
            .iter()
            .map(|knob| format!("`{}` ({})", knob.name, knob.unit))
            .collect();
        let (layer, knobs) = (name(&row.layer), knobs.join(", "));
        let on = if row.on.is_empty() {
            String::new()
        } else {
            format!("; on `{}`", row.on.join("`, `"))
        };
        let _ = writeln!(
            page,
            "| `{}` | {layer} | {}{on} | {knobs} | {} |",
            row.name, row.effect, row.outcome
        );
    }
    push_domain(&mut page);
    page.push_str(
        "\n## Operations\n\n| operation | method | path | business key | changes |\n| \
        --- | --- | --- | --- | --- |\n",
    );
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

/// The head of [`the_conduct_page_is_current`]'s page.
const CONDUCT: &str = "# Client conduct

Made from the simulator's table of conduct. Every request of every client is judged as it is journalled; `GET /_sim/conduct` (and
`Simulator::conduct()`) answers the rules and the breaches: `{\"rule\",\"platform\",\"operation\",\"key\",\"count\",\"first_at\",\"examples\"}`, the examples
being numbers of journal lines. `[expect] max_conduct` of a scenario bounds what a migrator may do until it ends; left out, it is none. Our own
verifier is held to none everywhere.

A rule graded `assumed` is our opinion of good conduct: no page of a vendor states it. Times are the simulator's clock's; under a scaled clock what
is \"on its way\" gets the same real time. Judges remember a bounded number of requests: of a client that touches more than some thousand keys
within a rule's window, the newer ones.

";

#[test]
fn the_conduct_page_is_current() {
    let mut page = CONDUCT.to_owned();
    page.push_str(
        "| rule | what it means | begins with | grade | source | why that number |\n| \
        --- | --- | --- | --- | --- | --- |\n",
    );
    for rule in CONDUCT_RULES {
        let within = rule
            .within_ms
            .map(|ms| format!(" within {}", period(ms)))
            .unwrap_or_default();
        let begins = format!("{} {}{within}", rule.threshold, rule.unit);
        let _ = writeln!(
            page,
            "| `{}` | {} | {begins} | {} | {} | {} |",
            rule.name,
            rule.means,
            name(&rule.grade),
            rule.source,
            rule.why
        );
    }
    holds("docs/conduct.md", &page);
    assert!(CONDUCT_RULES.len() >= 15);
}

#[test]
fn the_page_of_one_port_names_every_host() {
    let page = std::fs::read_to_string(root().join("docs/guide/one-port.md")).unwrap();
    let (head, rest) = page
        .split_once("| host | who answers |\n| --- | --- |\n")
        .unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let mut table = String::new();
    for (host, platform) in OWN_HOSTS {
        let who = match platform {
            PlatformName::Legacy => "the source's API",
            PlatformName::LegacyMedia => "the source's pre-signed media",
            PlatformName::GenesysCloud => "Genesys Cloud: API and login",
            PlatformName::Gir => "Interaction Recording's web services",
            PlatformName::Webdav => "its store of media",
            PlatformName::SpeechMiner => "its SpeechMiner",
            PlatformName::Control => "the control API",
            PlatformName::GenesysCloudSource => {
                "an organisation that recordings are moved from, where a scenario has one"
            }
        };
        let _ = writeln!(table, "| `{host}` | {who} |");
    }
    let regions = REGIONS.map(|region| format!("`{region}`")).join(", ");
    let _ = writeln!(
        table,
        "| `api.` and `login.` of {regions} | Genesys Cloud |\n| `localhost`, `127.0.0.1` | the \
         control API |"
    );
    holds(
        "docs/guide/one-port.md",
        &format!("{head}| host | who answers |\n| --- | --- |\n{table}\n{tail}"),
    );
}

fn period(ms: i64) -> String {
    match (ms % 3_600_000, ms % 60_000) {
        (0, _) => format!("{} h", ms / 3_600_000),
        (_, 0) => format!("{} min", ms / 60_000),
        _ => format!("{} s", ms / 1000),
    }
}

/// The head of [`the_fault_page_is_current`]'s page.
const FAULTS: &str = "# Faults

Made from the simulator's fault table. A fault of a request or a platform is addressed: it strikes by (seed, fault, operation, key, attempt), never by
order of arrival. It takes `on`, `kind`, and `attempts`, `share`, `keys`; it heals after a count (`heal_after_attempts`) or a time
(`heal_after_ms`, on the simulator's clock, from its start for a scenario's rule, else from when the rule was added). `POST`, `GET` and `DELETE
/_sim/faults` add, list and lift rules while the simulator runs; every answer that one struck names it in `x-seatrial-fault`.

`GET /_sim/faults/log` tells what struck, NDJSON and sorted. A line is a rule of exact address: a scenario with `[replay] file = \"faults.ndjson\"`
meets exactly those faults and no others, whatever its rules or `fault_seed` say.

Wrong data of the source is there from the beginning: it takes `count`, `share` or `keys` (ids of interactions), does not heal and cannot be added
while running. A call meets one of them at most. What is right for it stands in the truth of the source too (`planted`).

";

/// The layer of wrong data, place by place.
fn push_domain(page: &mut String) {
    page.push_str(
        "\n## The source's own data\n\n| kind | on | what is wrong | what is right | \
        under | knob of `[world]` |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let cell = |words: &str| {
        if words.is_empty() {
            String::new()
        } else {
            format!("`{}`", words.replace('|', "\\|"))
        }
    };
    for row in simulator::fault_rows().filter(|row| row.layer == Layer::Domain) {
        let (on, plan, knob) = (
            row.on[0],
            cell(row.plan),
            cell(row.knob.unwrap_or_default()),
        );
        let _ = writeln!(
            page,
            "| `{}` | `{on}` | {} | {} | {plan} | {knob} |",
            row.name, row.effect, row.outcome
        );
    }
}

/// The head of [`the_coverage_page_is_current`]'s page.
const COVERAGE: &str = "# Coverage of Genesys Cloud

Made from the simulator's operations table, its rules and `tests/coverage/mod.rs`. What the simulated organisation serves, in part or whole, what
it does not serve of the areas a migration and an audit touch, and what every answer rests on. The methods are the vendor's SDKs', JavaScript's
spelling; `tests/sdk` calls each by the Python or the JavaScript SDK and holds its answer to what `tests/coverage/genesys_cloud.json` knows of the
vendor's model.

";

#[test]
fn the_coverage_page_is_current() {
    let table = fault_table();
    let rows = table["operations"].as_array().unwrap().iter();
    let rows: Vec<&Value> = rows
        .filter(|row| text(row, "name").starts_with("genesys_cloud.") && row["method"] != "-")
        .collect();
    let named = |list: &[(&'static str, &'static str)], name: &str| {
        list.iter()
            .find(|(of, _)| *of == name)
            .map(|(_, what)| *what)
    };
    let mut page = COVERAGE.to_owned();
    page.push_str(
        "## Served\n\n| operation | request | needs | state | SDK method |\n| --- | --- \
        | --- | --- | --- |\n",
    );
    for row in &rows {
        let name = text(row, "name");
        let whole = if coverage::GUIDES.contains(&name) {
            "implemented; the guide's, not the vendor's"
        } else {
            "implemented"
        };
        let state = named(coverage::IN_PART, name)
            .map_or_else(|| whole.to_owned(), |lacks| format!("stubbed: {lacks}"));
        let method = named(coverage::SDK_METHODS, name)
            .map(|method| format!("`{method}`"))
            .unwrap_or_default();
        let needs: Vec<String> = row["needs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|need| format!("`{}`", need.as_str().unwrap()))
            .collect();
        let request = format!("{} {}", text(row, "method"), text(row, "path"));
        let _ = writeln!(
            page,
            "| `{name}` | `{request}` | {} | {state} | {method} |",
            needs.join(" ")
        );
    }
    page.push_str("\n## Absent\n\n");
    for (area, requests) in coverage::ABSENT {
        let requests: Vec<String> = requests
            .iter()
            .map(|request| format!("`{request}`"))
            .collect();
        let _ = writeln!(page, "- {area}: {}", requests.join(", "));
    }
    push_rules(&mut page);
    holds("docs/coverage.md", &page);
    let known = |name: &str| rows.iter().any(|row| row["name"] == name);
    for (name, _) in [coverage::IN_PART, coverage::SDK_METHODS].concat() {
        assert!(known(name), "{name} is not in the operations table");
    }
}

/// The platform's rules, area by area, with their grade.
fn push_rules(page: &mut String) {
    let area = |rule: &Rule| rule.name.split('.').nth(1).unwrap().to_owned();
    let mut last = String::new();
    for rule in all_rules()
        .into_iter()
        .filter(|rule| rule.name.starts_with("genesys_cloud."))
    {
        if area(rule) != last {
            last = area(rule);
            let _ = write!(
                page,
                "\n## Rules: {last}\n\n| rule | grade | statement | source | default |\n| --- | \
                 --- | --- | --- | --- |\n"
            );
        }
        let cell = |words: &str| words.replace('|', "\\|");
        let default = rule.default.unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {default} |",
            rule.name,
            name(&rule.grade),
            cell(rule.statement),
            cell(rule.source)
        );
    }
}

#[test]
fn every_sdk_method_of_the_coverage_page_is_called() {
    let scripts = ["audit.py", "audit.mjs"]
        .map(|script| std::fs::read_to_string(root().join("tests/sdk").join(script)).unwrap());
    for (name, method) in coverage::SDK_METHODS {
        let mut snake = String::new();
        method.chars().for_each(|c| {
            snake.extend(
                c.is_uppercase()
                    .then_some('_')
                    .into_iter()
                    .chain(c.to_lowercase()),
            )
        });
        // Whole names only: `.getUsers` is no call of `getUser`.
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_called = |script: &String| {
            [*method, &snake]
                .iter()
                .any(|call| script.split(&format!(".{call}")).skip(1).any(ends))
        };
        assert!(
            scripts.iter().any(is_called),
            "no script calls {method} of {name}"
        );
    }
}

#[test]
fn what_is_absent_is_the_vendors_and_not_served() {
    let table = fault_table();
    let shape = |path: &str| {
        path.split('/')
            .map(|step| if step.starts_with('{') { "{}" } else { step })
            .collect::<Vec<_>>()
            .join("/")
    };
    let served: Vec<String> = table["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", text(row, "method"), shape(text(row, "path"))))
        .collect();
    let vendor = vendor();
    let vendors = vendor["absent"].as_array().unwrap();
    for request in coverage::ABSENT.iter().flat_map(|(_, requests)| *requests) {
        assert!(!served.contains(&shape(request)), "{request} is served");
        assert!(
            vendors.contains(&Value::from(*request)),
            "{request} is not known to be the vendor's"
        );
    }
}

#[test]
fn the_parameters_that_are_read_are_the_vendors() {
    let vendor = vendor();
    let steps = |request: &str| {
        request
            .split('/')
            .map(|step| if step.starts_with('{') { "{}" } else { step }.to_owned())
            .collect::<Vec<_>>()
    };
    let requests = vendor["operations"].as_object().unwrap();
    let table = fault_table();
    let mut held = 0;
    for row in table["operations"].as_array().unwrap() {
        if !text(row, "name").starts_with("genesys_cloud.") {
            continue;
        }
        let asked = format!("{} {}", text(row, "method"), text(row, "path"));
        let Some((_, told)) = requests
            .iter()
            .find(|(request, _)| steps(request) == steps(&asked))
        else {
            continue;
        };
        let Some(known) = told["query"].as_array() else {
            continue;
        };
        let read = row["query"].as_array().unwrap();
        for name in read {
            assert!(
                known.contains(name),
                "{} reads {name}, which the vendor's has not",
                text(row, "name")
            );
            held += 1;
        }
        // What is read is evaluated or refused; what nobody documents is passed over.
        for one in known {
            assert!(
                read.contains(one),
                "{} passes {one} over, which the vendor's has",
                text(row, "name")
            );
        }
    }
    assert!(held >= 30, "{held} parameters");
}

#[test]
fn the_schemas_are_current() {
    let table = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .args(["schema", "fault-table"])
        .output()
        .unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&table.stdout).unwrap(),
        fault_table()
    );
    holds(
        "docs/fault-table.json",
        &String::from_utf8(table.stdout).unwrap(),
    );
    for of in [
        "plan",
        "layout",
        "scenario",
        "canonical",
        "fault",
        "summary",
        "finding",
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
            .args(["schema", of])
            .output()
            .unwrap();
        assert!(output.status.success(), "schema {of}");
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            schema["$schema"]
                .as_str()
                .is_some_and(|dialect| dialect.contains("2020-12")),
            "{of}: {schema}"
        );
        holds(
            &format!("docs/schema/{of}.json"),
            &String::from_utf8(output.stdout).unwrap(),
        );
    }
}

#[test]
fn every_file_a_document_links_to_is_there() {
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/scenarios.md",
        "docs/faults.md",
        "docs/coverage.md",
        "docs/conduct.md",
    ] {
        let file = root().join(page);
        let text = std::fs::read_to_string(&file).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|link| !link.starts_with("http"))
        {
            let target = file.parent().unwrap_or(Path::new("")).join(link);
            assert!(
                target.exists(),
                "{page} links to {link}, which is not there"
            );
        }
    }
}
