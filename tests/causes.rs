//! Findings are grouped by the rule they share, and the rule is the cause: here two that are put
//! into a migration by its plan, and that the right plan shows.

mod support;

use serde_json::Value;
use support::{NO_LIMITS, Simulation, Verification, read};

const WORLD: &str = r#"
about = "Root causes."
seed = 12
[world]
interactions = 150
agents = 10
transfer_share = 0.0
queues = 4
recorder_nodes = 3
drift_ms = [0, -73000, 1500]
mean_seconds = 1.5
codecs = ["pcm", "mulaw"]
"#;

/// The group whose rule says this.
fn group<'a>(verification: &'a Verification, rule: &str) -> &'a Value {
    let groups = verification.summary["groups"].as_array().expect("groups");
    let says = |group: &&Value| {
        group["rule"]
            .as_str()
            .is_some_and(|text| text.contains(rule))
    };
    groups
        .iter()
        .find(says)
        .unwrap_or_else(|| panic!("no `{rule}` in {groups:#?}"))
}

#[test]
fn two_causes_in_a_migration_are_two_groups_with_their_rules() {
    let simulation = Simulation::start(&format!(
        "{WORLD}{NO_LIMITS}[expect]\nverdict = \"match\"\n"
    ));
    let (plan, agents) = (
        simulation.file("plan.toml"),
        simulation.file("mapping/agents.csv"),
    );
    let (right_plan, right_agents) = (read(&plan), read(&agents));
    // The recorder's offset is an hour too much, and one agent has another's user.
    let wrong_plan = right_plan.replace("offset_ms = -73000", "offset_ms = 3527000");
    assert_ne!(wrong_plan, right_plan, "{right_plan}");
    let rows: Vec<Vec<&str>> = right_agents
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    let (agent, user, other) = (rows[3][0], rows[3][1], rows[4][1]);
    let wrong_agents = right_agents.replacen(user, other, 1);
    std::fs::write(&plan, wrong_plan).expect("a plan");
    std::fs::write(&agents, wrong_agents).expect("a mapping");
    simulation.migrated();
    std::fs::write(&plan, &right_plan).expect("a plan");
    std::fs::write(&agents, &right_agents).expect("a mapping");

    let verification = simulation.verify(&[]);
    let shift = group(
        &verification,
        "start and end are 3,600 s late, for recorder N2",
    );
    let wrong = group(
        &verification,
        &format!("agent {agent} is {other} instead of {user}, for agent {agent}"),
    );
    for cause in [shift, wrong] {
        let explained = &cause["explained"];
        assert_eq!(explained["findings"], cause["count"], "{cause}");
        assert_eq!(explained["right"], 0, "{cause}");
        assert!(cause["count"].as_u64() > Some(4), "{cause}");
        assert!(
            verification
                .run
                .stdout
                .contains(cause["rule"].as_str().expect("a rule"))
        );
        // The example is opened by its command.
        let show = cause["example"]["show"].as_str().expect("a command");
        let words: Vec<&str> = show
            .split(' ')
            .skip(1)
            .map(|word| match word {
                "PLAN" => "plan.toml",
                "REPORT" => "report",
                word => word,
            })
            .collect();
        let opened = simulation.seatrial(&words).ends(20);
        let id = cause["example"]["id"].as_str().expect("an id");
        assert!(opened.stdout.contains(id), "{opened}");
    }
    let rules: Vec<&Value> = verification.summary["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| &group["rule"])
        .collect();
    assert_eq!(rules.len(), 2, "{rules:#?}");
}
