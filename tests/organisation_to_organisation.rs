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

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{what} is no text: {value}"))
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
        let id = text(&call["target_id"], "a conversation");
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
    assert_eq!(simulation.truth(TARGET), target, "a second run changes nothing");
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
        .map(|finding| text(&finding["defect"], "a class"))
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
    for (client, is_told_by) in [("another", "same organisation ("), ("its own", "same organisation: ")] {
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
