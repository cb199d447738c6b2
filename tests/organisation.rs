//! What an organisation imposes on a migration is told before it begins, and the mapping of agents
//! can be read back from it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::{Simulation, lines, read};

/// An organisation with limits of its own, and a plan with one override.
fn organisation(limits: &str, plan: &str) -> Simulation {
    by("public", limits, plan)
}

fn by(ingest: &str, limits: &str, plan: &str) -> Simulation {
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = 41\ningest = \"{ingest}\"\n{plan}\n[world]\ninteractions = \
         12\nagents = 6\nre_used_agents = 1\n[genesys_cloud.limits]\nuploads_per_second = \
         0\n{limits}\n[expect]\nverdict = \"match\"\n"
    ))
}

const NO_LIMIT: &str = "requests_per_minute = 0";

/// What preflight finds: whether it forbids the run, and in which words.
fn preflight(simulation: &Simulation, code: i32) -> Vec<(bool, String)> {
    let told = simulation
        .seatrial(&["preflight", "plan.toml", "--json"])
        .ends(code)
        .json();
    let findings = told["preflight"]["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            (
                finding["is_error"] == true,
                finding["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn has(found: &[(bool, String)], is_error: bool, words: &str) -> bool {
    found
        .iter()
        .any(|(error, text)| *error == is_error && text.contains(words))
}

#[test]
fn the_mapping_of_agents_can_be_read_back_from_the_organisation() {
    let simulation = organisation(
        NO_LIMIT,
        "[plan.mapping]\nexternal_id_authority = \"acme recorder\"",
    );
    let told = simulation.migrate(&["--json"]).ends(0).json();
    let mut users: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for row in read(&simulation.file("mapping/agents.csv")).lines().skip(1) {
        let mut cells = row.split(',');
        let (agent, user) = (
            cells.next().unwrap().to_owned(),
            cells.next().unwrap().to_owned(),
        );
        users.entry(agent).or_default().push(user);
    }
    let mut ambiguous = 0;
    for (agent, of) in &users {
        let (status, found) = simulation.genesys_cloud(
            "GET",
            &format!("/api/v2/users/externalid/acme%20recorder/{agent}"),
            &Value::Null,
        );
        if of.len() > 1 {
            ambiguous += 1;
            assert_eq!(status, 404, "{agent} was two people");
        } else {
            assert_eq!(
                (status, found["id"].as_str()),
                (200, Some(of[0].as_str())),
                "{agent}"
            );
        }
    }
    assert_eq!(
        (users.len() - ambiguous > 3, ambiguous),
        (true, 1),
        "{users:?}"
    );
    assert_eq!(told["outcome"]["warnings"]["external_id_ambiguous"], 1);
    // Nothing is written twice, and nothing under a plan it was written for.
    let asked = |simulation: &Simulation| {
        let journal = simulation.get("/_sim/journal?limit=10000");
        journal
            .lines()
            .filter(|line| line.contains("genesys_cloud.add_external_id"))
            .count()
    };
    let before = asked(&simulation);
    simulation.migrate(&[]).ends(0);
    assert_eq!((before, asked(&simulation)), (users.len() - 1, before));
    assert_eq!(simulation.verify(&[]).summary["verdict"], "match");
}

#[test]
fn a_user_that_has_somebody_elses_key_keeps_nothing_back() {
    let simulation = organisation(NO_LIMIT, "[plan.mapping]\nexternal_id_authority = \"acme\"");
    let mapping = read(&simulation.file("mapping/agents.csv"));
    let rows: Vec<Vec<&str>> = mapping
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let alone: Vec<&Vec<&str>> = rows
        .iter()
        .filter(|row| rows.iter().filter(|other| other[0] == row[0]).count() == 1)
        .collect();
    let key = json!({"authorityName": "acme", "externalKey": alone[0][0]});
    assert_eq!(
        simulation
            .genesys_cloud(
                "POST",
                &format!("/api/v2/users/{}/externalid", alone[1][1]),
                &key
            )
            .0,
        201
    );
    let told = simulation.migrate(&["--json"]).ends(0).json();
    assert_eq!(
        told["outcome"]["warnings"]["external_id_taken"], 1,
        "{told}"
    );
}

#[test]
fn limits_and_the_maximum_retention_are_told_before_the_run() {
    let simulation = organisation(
        "requests_per_minute = 120\nmax_retention_days = 2192",
        "[plan.pace]\nrequests_per_minute = 300",
    );
    let found = preflight(&simulation, 0);
    assert!(
        has(
            &found,
            false,
            "allows 120 requests a minute and token, the plan's pace is 300"
        ),
        "{found:?}"
    );
    assert!(
        has(&found, false, "nothing longer than 2192 days")
            && has(&found, false, "10-Year Retention, 7-Year Retention"),
        "{found:?}"
    );
    let hidden = organisation("missing_scopes = [\"analytics:dataRetention:view\"]", "");
    let found = preflight(&hidden, 0);
    assert!(
        has(
            &found,
            false,
            "maximum retention cannot be read; analytics:dataRetention:view is needed"
        ),
        "{found:?}"
    );
}

#[test]
fn a_queue_of_a_division_that_the_role_does_not_cover_is_told_from_one_that_is_not_there() {
    let simulation = organisation(
        &format!("{NO_LIMIT}\n[genesys_cloud.access]\ndivisions = [\"Home\", \"Sales\"]"),
        "",
    );
    assert!(has(
        &preflight(&simulation, 0),
        false,
        "the organisation has 2 divisions"
    ));
    assert_eq!(
        simulation
            .post("/_sim/role", &json!({"client_divisions": ["Sales"]}))
            .0,
        204
    );
    let found = preflight(&simulation, 2);
    assert!(
        has(
            &found,
            true,
            "does not exist in the target, or stands in a division that this client's role does \
             not cover"
        ),
        "{found:?}"
    );
    simulation.migrate(&[]).ends(2);
}

#[test]
fn a_policy_that_would_purge_everything_forbids_the_run_and_one_with_conditions_is_told() {
    let simulation = organisation(NO_LIMIT, "");
    let policy = |name: &str, conditions: Value, actions: Value| {
        let call = json!({"conditions": conditions, "actions": actions});
        let body = json!({"name": name, "enabled": true, "mediaPolicies": {"callPolicy": call}});
        let made = simulation.genesys_cloud(
            "POST",
            "/api/v2/recording/crossplatform/mediaretentionpolicies",
            &body,
        );
        assert_eq!(made.0, 200, "{}", made.1);
    };
    policy(
        "outbound",
        json!({"directions": ["OUTBOUND"]}),
        json!({"alwaysDelete": true}),
    );
    policy(
        "a month",
        json!({}),
        json!({"retentionDuration": {"deleteRetention": {"days": 30}}}),
    );
    let found = preflight(&simulation, 0);
    assert!(
        has(
            &found,
            false,
            "`outbound` deletes recordings that meet its conditions at once"
        ),
        "{found:?}"
    );
    assert!(
        has(&found, false, "`a month` deletes after 30 days"),
        "{found:?}"
    );
    policy("purge", json!({}), json!({"alwaysDelete": true}));
    let found = preflight(&simulation, 2);
    assert!(
        has(&found, true, "`purge` deletes every recording at once"),
        "{found:?}"
    );
    let run = simulation.migrate(&[]).ends(2);
    assert!(
        run.stderr
            .contains("`purge` deletes every recording at once"),
        "{run}"
    );
    let effects = lines_of(&simulation.get("/_sim/effects"));
    assert!(
        effects
            .iter()
            .all(|line| !line.to_string().contains("inject_events")),
        "nothing was sent"
    );
}

fn lines_of(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_unread_maximum_makes_no_wrong_finding() {
    // Six years: what is kept for longer stays behind, and only the maximum says why.
    let body = "requests_per_minute = 0\nmax_retention_days = 2192";
    let simulation = by("guide", body, "");
    simulation.migrate(&[]).ends(10);
    let seen = simulation.verify(&[]);
    assert_eq!(seen.summary["verdict"], "match", "{}", seen.run);
    let absent = seen.summary["by_reason"]["retention_over_max"]
        .as_u64()
        .unwrap();
    assert!(absent > 0 && seen.adds_up());
    // The same target through a client that may not read it.
    let blind = by(
        "guide",
        &format!("{body}\nmissing_scopes = [\"analytics:dataRetention:view\"]"),
        "",
    );
    blind.migrate(&[]);
    let seen = blind.verify(&[]);
    assert_eq!(
        (seen.run.code, seen.findings.len()),
        (21, 0),
        "{}",
        seen.run
    );
    assert!(
        seen.run.sentence().contains("analytics:dataRetention:view"),
        "{}",
        seen.run
    );
    assert!(lines(&blind.file("report/findings.jsonl")).is_empty() && seen.adds_up());
}

#[test]
fn permissions_are_asked_for_once_and_only_where_the_way_in_needs_them() {
    let simulation = by("guide", NO_LIMIT, "");
    // What is asked by a request that is made to be refused: an upload of a name that no file may
    // have.
    let asked = || {
        let journal = simulation.get("/_sim/journal?platform=genesys_cloud&limit=10000");
        let of = |line: &&str| {
            line.contains("\"genesys_cloud.create_upload\"") && line.contains("\"key\":\".\"")
        };
        journal.lines().filter(of).count()
    };
    simulation.migrate(&["--dry-run"]).ends(0);
    assert_eq!(asked(), 0);
    let plan = read(&simulation.file("plan.toml"));
    assert!(plan.contains("ingest = \"guide\""), "{plan}");
    std::fs::write(
        simulation.file("plan.toml"),
        plan.replace("ingest = \"guide\"", "ingest = \"public\""),
    )
    .unwrap();
    for _ in 0..3 {
        simulation
            .migrate(&["--dry-run", "--accept-plan-change"])
            .ends(0);
        assert_eq!(
            asked(),
            1,
            "what the guide's way in did not ask is asked, and not at every start"
        );
    }
    // Whoever asks for a look gets one.
    simulation.seatrial(&["preflight", "plan.toml"]).ends(0);
    assert_eq!(asked(), 2);
}
