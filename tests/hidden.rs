//! What an organisation does not show an auditor is hidden, not lost: no wrong finding, and what is
//! needed is told.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{FULL_WORLD, Simulation, Verification, scenario};

/// A migrated world whose organisation is set like this.
fn migrated(seed: u64, limits: &str, access: &str) -> Simulation {
    let text = scenario(seed, FULL_WORLD).replace(
        "uploads_per_second = 0\n",
        &format!("uploads_per_second = 0\n{limits}\n[genesys_cloud.access]\n{access}\n"),
    );
    let simulation = Simulation::start(&text);
    simulation.migrated();
    simulation
}

/// The auditor's role: what it lacks, and the divisions it covers.
fn role(simulation: &Simulation, lacks: &[&str], divisions: &[&str]) {
    let (status, answer) = simulation.post(
        "/_sim/role",
        &json!({"missing_scopes": lacks, "client_divisions": divisions}),
    );
    assert_eq!(status, 204, "{answer}");
}

fn is_match(what: &str, verified: &Verification) {
    assert_eq!(
        (verified.run.code, &verified.findings),
        (0, &Vec::new()),
        "{what}: {}",
        verified.run
    );
    assert!(verified.adds_up(), "{what}");
}

/// Permissions and scopes of the target that a verification says it needs.
fn listed(simulation: &Simulation) -> BTreeSet<String> {
    let listed = simulation
        .seatrial(&["verify", "plan.toml", "--print-requests", "--json"])
        .ends(0)
        .json();
    let target = listed["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["side"] == "target");
    let named = |request: &Value| {
        ["permission", "scope"].map(|key| request[key].as_str().map(str::to_owned))
    };
    target.flat_map(named).flatten().collect()
}

#[test]
fn each_permission_removed_in_turn_gives_no_wrong_finding() {
    let simulation = migrated(
        57,
        "max_retention_days = 36500",
        "divisions = [\"Home\", \"Sales\"]",
    );
    is_match("nothing is missing", &simulation.verify(&[]));
    // Scopes of the vendor that this organisation does not ask for cannot be taken away.
    let is_asked_for = |name: &String| {
        simulation
            .post("/_sim/role", &json!({"missing_scopes": [name]}))
            .0
            == 204
    };
    let permissions: BTreeSet<String> = listed(&simulation)
        .into_iter()
        .filter(is_asked_for)
        .collect();
    assert!(permissions.len() >= 6, "{permissions:?}");
    // What nothing else tells is said to be needed; the rest is a note, or has a way around it.
    let essential = [
        "analytics:conversationDetail:view",
        "recording:recording:view",
        "recording:recording:viewSensitiveData",
    ];
    for permission in permissions.iter().map(String::as_str).chain([
        "recording:recording:viewSensitiveData",
        "analytics:call:read",
    ]) {
        role(&simulation, &[permission], &[]);
        let verified = simulation.verify(&[]);
        assert!(
            verified.findings.is_empty() && [0, 21].contains(&verified.run.code),
            "without {permission}: {}",
            verified.run
        );
        assert!(verified.adds_up(), "without {permission}");
        let hides = essential.contains(&permission)
            && permission != "recording:recording:viewSensitiveData";
        assert!(
            !hides || verified.run.code == 21,
            "without {permission}: {}",
            verified.run
        );
        assert!(
            verified.run.code == 0 || verified.run.stdout.contains(permission),
            "without {permission}: {}",
            verified.run
        );
    }
    // Two at a time: the way around the one is closed by the other.
    role(
        &simulation,
        &[
            "analytics:conversationDetail:view",
            "conversation:communication:view",
        ],
        &[],
    );
    simulation
        .verify(&[])
        .cannot_tell("both", "conversation:communication:view");
    role(&simulation, &[], &[]);
    is_match("given back", &simulation.verify(&[]));
}

#[test]
fn calls_of_divisions_that_the_role_does_not_cover_are_hidden_and_not_missing() {
    let simulation = migrated(61, "", "divisions = [\"Home\", \"Sales\", \"Claims\"]");
    is_match("all divisions", &simulation.verify(&[]));
    for division in ["Home", "Sales", "Claims"] {
        role(&simulation, &[], &[division]);
        let verified = simulation.verify(&[]);
        verified.cannot_tell(division, "a role that covers");
        assert!(
            verified.count("matched") > 0,
            "what is covered is judged: {}",
            verified.run
        );
    }
    // What is gone in a division that is covered is lost all the same.
    role(&simulation, &[], &[]);
    let planted = simulation.tamper("D01", 12, 3).unwrap();
    let all = simulation.verify(&[]);
    assert_eq!(
        (all.run.code, all.summary["by_defect"]["D01"].as_u64()),
        (20, Some(12)),
        "{}",
        all.run
    );
    role(&simulation, &[], &["Sales"]);
    let some = simulation.verify(&[]);
    let found = some
        .findings
        .iter()
        .map(|finding| finding["legacy_recording_id"].clone())
        .collect::<Vec<_>>();
    assert!(
        !found.is_empty() && found.len() < planted.len(),
        "{}",
        some.run
    );
    assert!(
        found.iter().all(|id| planted
            .iter()
            .any(|entry| entry["legacy_recording_id"] == *id)),
        "{}",
        some.run
    );
}

#[test]
fn sensitive_and_archived_media_are_hidden_and_not_lost() {
    let simulation = migrated(62, "", "sensitive_share = 0.4");
    is_match("seen", &simulation.verify(&[]));
    role(&simulation, &["recording:recording:viewSensitiveData"], &[]);
    simulation
        .verify(&[])
        .cannot_tell("sensitive", "recording:recording:viewSensitiveData");
    let archived = migrated(63, "", "archived_share = 0.3");
    let verified = archived.verify(&[]);
    verified.cannot_tell("archived", "ARCHIVED");
    assert!(
        verified.count("matched") > 0 && verified.count("not_verifiable") > 0,
        "{}",
        verified.run
    );
}

#[test]
fn what_analytics_does_not_show_yet_is_not_missing() {
    let simulation = migrated(58, "analytics_lag_ms = 86400000", "");
    simulation.verify(&[]).cannot_tell("lag", "analytics");
    // What is read singly is judged: a wrong agent is seen all the same, and what is gone may only
    // be late.
    let planted = simulation.tamper("D45", 1, 1).expect("a victim");
    let wrong = simulation.verify(&[]);
    assert_eq!(wrong.run.code, 20, "{}", wrong.run);
    assert!(
        wrong
            .findings
            .iter()
            .all(|finding| finding["legacy_interaction_id"] == planted[0]["legacy_interaction_id"]),
        "{}",
        wrong.run
    );
}

#[test]
fn lists_longer_than_a_page_hide_nothing() {
    // More calls than one question of deletion protection takes, more recordings than a batch.
    let body =
        "[world]\ninteractions = 130\nhold_share = 0.5\nmean_seconds = 0.5\ncodecs = [\"mp3\"]\n";
    let text = format!(
        "about = \"Lists.\"\nseed = 64\n{body}[genesys_cloud.limits]\nrequests_per_minute = \
         0\nuploads_per_second = 0\n[genesys_cloud.access]\ndivisions = [\"Home\", \
         \"Sales\"]\n[expect]\nverdict = \"match\"\n"
    );
    let simulation = Simulation::start(&text);
    simulation.migrate(&[]).ends(0);
    let verified = simulation.verify(&[]);
    is_match("pages", &verified);
    let asked = |name: &str| {
        verified
            .requests
            .iter()
            .find(|request| request["operation"] == name && request["side"] == "target")
    };
    for paged in ["query_deletionprotection", "create_batchrequest"] {
        assert!(
            asked(paged).is_some_and(|request| request["count"].as_u64() >= Some(2)),
            "{paged}: {:?}",
            verified.requests
        );
    }
}
