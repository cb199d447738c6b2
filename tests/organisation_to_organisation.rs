//! One Genesys Cloud organisation into another, and into Interaction Recording: what the source
//! holds arrives, what it cannot give is named, and what is damaged on the way is found.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{Simulation, Verification};

/// An organisation with everything that a recording may have, so small that a migration takes
/// seconds.
fn scenario(target: &str, more: &str) -> String {
    format!(
        "about = \"A test.\"\nseed = 77\nsource = \"genesys_cloud\"\ntarget = \"{target}\"\ningest = \
         \"public\"\n[world]\ninteractions = 30\nagents = 8\nunmapped_agents = 1\nre_used_agents = \
         0\nqueues = 4\nunmapped_queues = 1\ntransfer_share = 0.4\npause_share = 0.3\nhold_share = \
         0.3\nno_recording_share = 0.1\nmean_seconds = 1.5\nexpired = 2\ncodecs = [\"pcm\", \
         \"mulaw\", \
         \"mp3\"]\n[genesys_cloud.limits]\nrequests_per_minute = 0\nuploads_per_second = \
         0\n[genesys_cloud_source.limits]\nrequests_per_minute = 0\n{more}\n[expect]\nverdict = \
         \"match\"\n"
    )
}

const SOURCE: &str = "genesys_cloud_source";
const TARGET: &str = "genesys_cloud";

fn matches(simulation: &Simulation, what: &str) -> Verification {
    let verified = simulation.verify(&[]);
    assert_eq!(
        (verified.run.code, &verified.findings),
        (0, &Vec::new()),
        "{what}: {}",
        verified.run
    );
    assert!(verified.adds_up(), "{what}: {}", verified.summary);
    verified
}

/// Calls of the source by the target's attribute that names them.
fn by_legacy_id(truth: &[Value]) -> BTreeMap<String, &Value> {
    let id = |call: &Value| call["legacy_interaction_id"].as_str().map(str::to_owned);
    truth
        .iter()
        .filter_map(|call| Some((id(call)?, call)))
        .collect()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[test]
fn an_organisation_arrives_in_another_with_all_that_it_says() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    let run = simulation.migrated();
    let verified = matches(&simulation, "as it is");
    assert_eq!(verified.summary["by_reason"]["source_deleted"], 2, "{run}");
    assert!(verified.count("matched") >= 30, "{}", verified.summary);
    let (source, target) = (simulation.truth(SOURCE), simulation.truth(TARGET));
    let arrived = by_legacy_id(&target);
    let (mut held, mut dated, mut tagged, mut compared) = (0, 0, 0, 0);
    for call in &source {
        let id = text_of(&call["target_id"]);
        let Some(there) = arrived.get(id) else {
            // All that it had was deleted before.
            assert!(
                call["recordings"]
                    .as_array()
                    .is_some_and(|list| !list.is_empty()),
                "{id} is not there"
            );
            continue;
        };
        compared += 1;
        for field in ["start", "end", "direction", "ani", "dnis"] {
            assert_eq!(call[field], there[field], "{field} of {id}");
        }
        assert_eq!(
            call["retention"]["hold"], there["retention"]["hold"],
            "{id}"
        );
        assert_eq!(
            call["retention"]["delete_at"], there["retention"]["delete_at"],
            "{id}"
        );
        held += u32::from(there["retention"]["hold"] == true);
        dated += u32::from(!there["retention"]["delete_at"].is_null());
        for (name, value) in call["attributes"].as_object().expect("attributes") {
            let name = format!("st.data.participant.{name}");
            assert_eq!(&there["attributes"][&name], value, "{name} of {id}");
        }
        tagged += u32::from(!there["attributes"]["st.data.external_tag"].is_null());
    }
    assert!(
        held > 0 && dated > 0 && tagged > 0 && compared >= 28,
        "{held} held, {dated} dated, {tagged} tagged of {compared}"
    );
    let again = simulation.migrate(&[]);
    assert!([0, 10].contains(&again.code), "{again}");
    assert_eq!(
        simulation.truth(TARGET),
        target,
        "a second run changes nothing"
    );
}

#[test]
fn what_was_staged_is_read_by_the_verifier_alone() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    simulation.migrated();
    let verified = simulation.verify(&["--source", "staged"]);
    verified.cannot_tell("staged", "control totals");
}

#[test]
fn an_organisation_arrives_in_interaction_recording() {
    let simulation = Simulation::start(&scenario("gir", ""));
    simulation.migrated();
    let verified = matches(&simulation, "into Interaction Recording");
    assert_eq!(verified.summary["by_reason"]["source_deleted"], 2);
    assert!(verified.count("matched") >= 28, "{}", verified.summary);
}

#[test]
fn an_organisation_arrives_by_the_guides_endpoints() {
    let scenario = scenario(TARGET, "").replace("\"public\"", "\"guide\"");
    let simulation = Simulation::start(&scenario);
    simulation.migrated();
    matches(&simulation, "by the guide");
}

#[test]
fn planted_damage_is_found() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    simulation.migrated();
    let mut wanted = Vec::new();
    for (at, class) in ["D01", "D35", "D46", "D50", "D56", "D57", "D64"]
        .into_iter()
        .enumerate()
    {
        let planted = simulation
            .tamper(class, 1, 900 + at as u64)
            .unwrap_or_else(|why| panic!("{class}: {why}"));
        assert_eq!(planted.len(), 1, "{class}");
        wanted.push(class);
    }
    let verified = simulation.verify(&[]);
    assert_eq!(verified.run.code, 20, "{}", verified.run);
    let mut found: Vec<&str> = verified
        .findings
        .iter()
        .map(|finding| text_of(&finding["defect"]))
        .collect();
    found.sort_unstable();
    assert_eq!(found, wanted, "{}", verified.run);
}

#[test]
fn a_run_that_stopped_goes_on_through_throttling_and_broken_downloads() {
    let faults = "
[[fault]]
on = \"genesys_cloud.list_recordings\"
kind = \"too_many_requests\"
attempts = [1]
share = 0.3
retry_after_s = 1
[[fault]]
on = \"genesys_cloud.get_batch_media\"
kind = \"truncated_body\"
attempts = [1]
share = 0.3
[[fault]]
on = \"genesys_cloud.create_batchrequest\"
kind = \"server_error\"
attempts = [1]
[[fault]]
on = \"genesys_cloud.get_details_results\"
kind = \"connection_reset\"
attempts = [1]
";
    let simulation = Simulation::start(&scenario(TARGET, faults));
    // Cut off after a few calls, twice.
    for _ in 0..2 {
        let part = simulation.migrate(&["--limit", "7"]);
        assert!([0, 10].contains(&part.code), "{part}");
    }
    simulation.migrated();
    let whole = simulation.truth(TARGET);
    simulation.migrated();
    assert_eq!(simulation.truth(TARGET).len(), whole.len());
    matches(&simulation, "after faults");
    let conduct = simulation.get("/_sim/conduct");
    let conduct: Value = serde_json::from_str(&conduct).expect("JSON");
    assert_eq!(conduct["breaches"], serde_json::json!([]), "{conduct}");
}

#[test]
fn archived_recordings_are_quarantined_and_come_with_a_later_run() {
    let archive = "[genesys_cloud_source.access]\narchived_share = 0.2\n";
    let simulation = Simulation::start(&scenario(TARGET, archive));
    let run = simulation.migrate(&[]).ends(10);
    let verified = matches(&simulation, "with an archive");
    let behind = &verified.summary["by_reason"]["source_not_available"];
    assert!(behind.as_u64().is_some_and(|count| count > 0), "{run}");
    simulation
        .seatrial(&["status", "plan.toml", "--quarantine", "behind.csv"])
        .ends(0);
    let listed = std::fs::File::open(simulation.file("behind.csv")).expect("a list");
    let mut listed = csv::Reader::from_reader(listed);
    let mut restored = 0;
    for row in listed.deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row");
        if row["detail"].contains("fileState ARCHIVED") {
            let (call, recording) = (&row["legacy_interaction_id"], &row["legacy_recording_id"]);
            restore(&simulation, call, recording);
            restored += 1;
        }
    }
    assert!(restored > 0);
    simulation.migrated();
    let verified = matches(&simulation, "after the archive gave them back");
    assert_eq!(
        verified.summary["by_reason"]["source_not_available"],
        Value::Null
    );
    assert_eq!(verified.count("quarantined"), 0, "{}", verified.summary);
}

/// Brings a recording of the source back from the archive, as its administrator does: by a later
/// date of archiving.
fn restore(simulation: &Simulation, call: &str, recording: &str) {
    let text = std::fs::read_to_string(simulation.file("plan.toml")).expect("a plan");
    let plan: toml::Table = toml::from_str(&text).expect("TOML");
    let client = plan["source"]["client_id"].as_str().expect("a client");
    let secret = std::fs::read_to_string(simulation.file("secrets/source")).expect("a secret");
    let address = simulation.addresses[SOURCE].as_str().expect("an address");
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={}",
        secret.trim()
    );
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let (_, token) = support::send(address, "POST", "/oauth/token", &kind, &form);
    let token: Value = serde_json::from_str(&token).expect("a token");
    let bearer = format!("Bearer {}", text_of(&token["access_token"]));
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let path = format!("/api/v2/conversations/{call}/recordings/{recording}");
    let later = r#"{"archiveDate":"2050-01-01T00:00:00.000Z"}"#;
    let (status, answer) = support::send(address, "PUT", &path, &headers, later);
    assert!([200, 202].contains(&status), "{status} {answer}");
}

#[test]
fn a_window_divisions_and_queues_choose_the_same_calls_for_both() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    let source = simulation.truth(SOURCE);
    let mut starts: Vec<&str> = source.iter().map(|call| text_of(&call["start"])).collect();
    starts.sort_unstable();
    let (from, to) = (starts[5], starts[25]);
    let queue = source
        .iter()
        .find(|call| text_of(&call["start"]) == starts[12])
        .map(|call| text_of(&call["queue"]))
        .expect("a queue");
    let plan = simulation.file("plan.toml");
    let written = std::fs::read_to_string(&plan).expect("a plan");
    let mut chosen: toml::Table = toml::from_str(&written).expect("TOML");
    let section = chosen["source"].as_table_mut().expect("a table");
    section.insert("from".to_owned(), from.into());
    section.insert("to".to_owned(), to.into());
    section.insert("queues".to_owned(), vec![queue].into());
    std::fs::write(&plan, chosen.to_string()).expect("written");
    simulation.migrated();
    let wanted: Vec<&str> = source
        .iter()
        .filter(|call| (from..to).contains(&text_of(&call["start"])) && call["queue"] == queue)
        .map(|call| text_of(&call["target_id"]))
        .collect();
    assert!(!wanted.is_empty() && wanted.len() < 20);
    let verified = matches(&simulation, "a window");
    assert_eq!(verified.count("source_interactions"), wanted.len() as u64);
    let target = simulation.truth(TARGET);
    let there = by_legacy_id(&target);
    assert!(
        there.keys().all(|id| wanted.contains(&id.as_str())),
        "{there:?}"
    );
    // Divisions are the organisation's: of another one there is no call.
    chosen["source"].as_table_mut().expect("a table").insert(
        "divisions".to_owned(),
        vec!["7a1f0b6e-2f7c-4c0a-9d5e-0c2b8f6c1d11"].into(),
    );
    std::fs::write(&plan, chosen.to_string()).expect("written");
    let none = simulation.verify(&[]);
    assert_eq!(none.count("source_interactions"), 0, "{}", none.run);
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was_and_sends_nothing_twice() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    let mut kills = 0;
    for least in [1, 6, 12] {
        let mut run = support::command(simulation.dir())
            .args(["migrate", "plan.toml"])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("a migrator");
        // Killed as soon as so many calls are in the target.
        while simulation.truth(TARGET).len() < least && run.try_wait().expect("a process").is_none()
        {
            std::thread::yield_now();
        }
        kills += u32::from(run.try_wait().expect("a process").is_none());
        run.kill().expect("killed");
        run.wait().expect("a process");
    }
    assert!(kills > 0, "every run was faster than the test");
    simulation.migrated();
    matches(&simulation, "after kills");
    let target = simulation.truth(TARGET);
    let ids: Vec<&str> = target
        .iter()
        .map(|call| text_of(&call["legacy_interaction_id"]))
        .collect();
    let once: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(once.len(), ids.len(), "{ids:?}");
}

#[test]
fn one_organisation_is_not_moved_into_itself() {
    let simulation = Simulation::start(&scenario(TARGET, ""));
    let plan = simulation.file("plan.toml");
    let written = std::fs::read_to_string(&plan).expect("a plan");
    let mut same: toml::Table = toml::from_str(&written).expect("TOML");
    let address = simulation.addresses[SOURCE].as_str().expect("an address");
    for key in ["base_url", "login_url"] {
        same["target"][key] = address.into();
    }
    for (client, is_told_by) in [
        ("another", "same organisation ("),
        ("its own", "same organisation: "),
    ] {
        if client == "its own" {
            same["target"]["client_id"] = same["source"]["client_id"].clone();
        } else {
            // A second client of the organisation: only the organisation itself can tell.
            same["target"]["client_id"] = same["source"]["client_id"].clone();
            same["target"]["base_url"] = address.replace("127.0.0.1", "localhost").into();
            same["target"]["client_secret"] = same["source"]["client_secret"].clone();
        }
        std::fs::write(&plan, same.to_string()).expect("written");
        let refused = simulation.migrate(&[]).ends(2);
        assert!(refused.stderr.contains(is_told_by), "{client}: {refused}");
        same["target"]["base_url"] = address.into();
    }
    assert!(simulation.truth(TARGET).is_empty());
}
