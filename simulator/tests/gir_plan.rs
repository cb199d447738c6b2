//! The plan for a simulated Interaction Recording: what it names is what is served.

use std::collections::BTreeSet;
use std::path::Path;

use simulator::{Options, Setup, Simulator};

const SCENARIO: &str = "
about = 'A plan.'
seed = 7
target = 'gir'
[world]
interactions = 4
agents = 60
re_used_agents = 2
unmapped_agents = 1
unmapped_queues = 1
";

async fn started(text: &str) -> Simulator {
    let setup = Setup::parse(text, "gir").expect("a setup");
    Simulator::start(setup, Options::default())
        .await
        .expect("a simulator")
}

fn plan(dir: &Path) -> toml::Table {
    toml::from_str(&std::fs::read_to_string(dir.join("plan.toml")).expect("a plan")).expect("toml")
}

fn rows(dir: &Path, name: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(dir.join("mapping").join(name))
        .expect("a table");
    reader.records().map(|row| row.expect("a row")).collect()
}

#[tokio::test]
async fn it_names_the_servers_and_their_accounts() {
    let simulator = started(SCENARIO).await;
    let dir = tempfile::tempdir().expect("a folder");
    simulator.write_plan(dir.path()).expect("a plan");
    let plan = plan(dir.path());
    let (target, at, credentials) = (
        &plan["target"],
        simulator.addresses(),
        simulator.credentials(),
    );
    assert_eq!(target["kind"].as_str(), Some("gir"));
    for (url, account, server, served, known) in [
        ("rws_url", "username", "target", &at.gir, &credentials.gir),
        (
            "webdav_url",
            "webdav_username",
            "webdav",
            &at.webdav,
            &credentials.webdav,
        ),
        (
            "speechminer_url",
            "speechminer_username",
            "speechminer",
            &at.speechminer,
            &credentials.speechminer,
        ),
    ] {
        assert_eq!(target[url].as_str(), served.as_deref(), "{url}");
        assert_eq!(
            target[account].as_str(),
            Some(&*known.username),
            "{account}"
        );
        let password =
            std::fs::read_to_string(dir.path().join("secrets").join(server)).expect("a secret");
        assert_eq!(password, known.password, "{server}");
    }
    assert!(
        at.webdav
            .as_deref()
            .is_some_and(|url| url.ends_with("/recordings"))
    );
    assert!(
        at.speechminer
            .as_deref()
            .is_some_and(|url| url.ends_with("/interactionreceiver"))
    );
    assert!(
        target.get("speechminer_repost").is_none()
            && target.get("certificates").is_none()
            && target.get("base_url").is_none()
    );
    assert_eq!(
        plan["pace"]["requests_per_minute"].as_integer(),
        Some(60_000)
    );
    let rules = plan["retention"]["gir_rule"].as_array().expect("rules");
    let classes = plan["retention"]["class"].as_table().expect("classes");
    assert_eq!(rules.len(), classes.len());
    for rule in rules {
        let class = rule["label"]
            .as_str()
            .and_then(|label| label.strip_prefix("st-ret-"))
            .expect("a label");
        let (days, years) = (
            rule["after_days"].as_integer().expect("days"),
            classes[class]["years"].as_integer().expect("years"),
        );
        assert!(
            (1..=years / 4 + 2).contains(&(days - 365 * years)),
            "{class} {days}"
        );
    }
}

#[tokio::test]
async fn each_mapped_person_has_a_name_and_a_login_of_their_own() {
    let simulator = started(SCENARIO).await;
    let dir = tempfile::tempdir().expect("a folder");
    simulator.write_plan(dir.path()).expect("a plan");
    let agents = rows(dir.path(), "agents.csv");
    let header = "legacy_agent_id,genesys_user_id,genesys_user_name,gir_username,gir_login,gir_access_group,valid_from,valid_to";
    assert_eq!(agents[0].iter().collect::<Vec<_>>().join(","), header);
    let people = &agents[1..];
    assert_eq!(
        people.len(),
        62,
        "59 mapped agents, two of them under two names, and nobody"
    );
    for column in [3, 4] {
        let own: BTreeSet<&str> = people.iter().map(|row| &row[column]).collect();
        assert_eq!(own.len(), people.len());
    }
    assert!(people.iter().all(|row| row[3].ends_with("@example.com")
        && row[4].starts_with('L')
        && row[5].starts_with("/Support/")));
    let fallback = format!("fallback:{}", &people[61][1]);
    assert_eq!(
        (
            &people[61][0],
            plan(dir.path())["rules"]["unmapped_agent"].as_str()
        ),
        ("*", Some(&*fallback))
    );
    let queues = rows(dir.path(), "queues.csv");
    assert_eq!(
        queues[0].iter().collect::<Vec<_>>(),
        ["legacy_queue_id", "genesys_queue_id", "gir_partition"]
    );
    assert_eq!(&queues[1][2], "/support");
}

#[tokio::test]
async fn what_a_scenario_sets_stands_in_it() {
    let text = format!(
        "{SCENARIO}\n[gir]\nregion = 'EU'\n[gir.speechminer]\nrepost = \
         'duplicate'\n[gir.purge]\nrules = [{{ after_days = 9, label = 'x' }}]\n"
    );
    let simulator = started(&text).await;
    let dir = tempfile::tempdir().expect("a folder");
    simulator.write_plan(dir.path()).expect("a plan");
    let plan = plan(dir.path());
    assert_eq!(
        plan["target"]["speechminer_repost"].as_str(),
        Some("duplicate")
    );
    assert_eq!(plan["target"]["region"].as_str(), Some("EU"));
    assert_eq!(
        plan["retention"]["gir_rule"],
        toml::Value::try_from([toml::toml! { after_days = 9
        label = "x" }])
        .expect("toml")
    );
}

#[tokio::test]
async fn with_certificates_it_names_them_and_hands_the_keys_over_unless_they_stay() {
    for hand_over_key in [true, false] {
        let text = format!(
            "{SCENARIO}\n[gir.encryption]\ncertificates = 2\nhand_over_key = {hand_over_key}\n"
        );
        let simulator = started(&text).await;
        let dir = tempfile::tempdir().expect("a folder");
        simulator.write_plan(dir.path()).expect("a plan");
        let certificates = plan(dir.path())["target"]["certificates"]
            .as_array()
            .cloned()
            .expect("certificates");
        assert_eq!(
            certificates,
            ["certs/rcs.pem", "certs/rcs-2.pem"].map(toml::Value::from)
        );
        for path in certificates.iter().filter_map(|path| path.as_str()) {
            let text = std::fs::read_to_string(dir.path().join(path)).expect("a certificate");
            assert!(text.starts_with("-----BEGIN CERTIFICATE-----"));
        }
        for (i, name) in ["rcs", "rcs-2"].iter().enumerate() {
            let path = dir.path().join(format!("secrets/{name}.key.pem"));
            assert_eq!(
                std::fs::read_to_string(&path).ok().as_ref(),
                simulator.decryption_keys().get(i),
                "{name}"
            );
            assert_eq!(path.exists(), hand_over_key);
            #[cfg(unix)]
            if hand_over_key {
                let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().expect("a file"));
                assert_eq!(mode & 0o777, 0o600);
            }
        }
    }
}
