//! What a person reads of a migration, from preflight to verdict, and the shape of the JSON
//! documents that no schema in docs/schema describes.
//! `INSTA_UPDATE=always cargo test --release --test reports` takes a changed text over.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{NO_LIMITS, Run, Simulation, lines, read, redacted, seatrial, shape};

/// A call that is quarantined, one that is not kept any more, and an agent without a mapping.
const SCENARIO: &str = r#"
about = "Reports."
seed = 4
target = "genesys_cloud"
[world]
interactions = 12
agents = 5
unmapped_agents = 1
re_used_agents = 0
queues = 3
transfer_share = 0.3
mean_seconds = 1.5
codecs = ["pcm", "mulaw", "gsm"]
expired = 1
[world.bad_media]
html = 1
"#;

const EXPECT: &str = r#"
[expect]
migrator = "quarantined"
verdict = "match"
quarantined = { audio_not_audio = 1 }
skipped = { expired = 1 }
"#;

fn simulation() -> Simulation {
    Simulation::start(&format!("{SCENARIO}{NO_LIMITS}{EXPECT}"))
}

/// A run as it is read on a terminal.
fn page(run: &Run, dir: &Path) -> String {
    let said = redacted(
        &format!("{}-- standard error\n{}", run.stdout, run.stderr),
        dir,
    );
    format!("exit code {}\n{said}", run.code)
}

#[test]
fn a_migration_is_told_from_preflight_to_verdict() {
    let simulation = simulation();
    let said = |arguments: &[&str]| page(&simulation.seatrial(arguments), simulation.dir());
    insta::assert_snapshot!("preflight", said(&["preflight", "plan.toml"]));
    insta::assert_snapshot!("dry_run", said(&["migrate", "plan.toml", "--dry-run"]));
    insta::assert_snapshot!("migrate", said(&["migrate", "plan.toml"]));
    insta::assert_snapshot!(
        "status",
        said(&[
            "status",
            "plan.toml",
            "--custody",
            "custody.ndjson",
            "--quarantine",
            "behind.csv"
        ])
    );
    insta::assert_snapshot!(
        "left_behind",
        redacted(&read(&simulation.file("behind.csv")), simulation.dir())
    );
    insta::assert_snapshot!(
        "match",
        said(&["verify", "plan.toml", "--report", "report"])
    );
    for (defect, count) in [("D01", 1), ("D19", 1), ("D45", 2)] {
        simulation
            .tamper(defect, count, 7)
            .unwrap_or_else(|error| panic!("{defect}: {error}"));
    }
    insta::assert_snapshot!(
        "mismatch",
        said(&["verify", "plan.toml", "--report", "report"])
    );
    let call = &lines(&simulation.file("report/findings.jsonl"))[0]["legacy_interaction_id"];
    insta::assert_snapshot!(
        "evidence",
        said(&[
            "verify",
            "plan.toml",
            "--report",
            "report",
            "--call",
            call.as_str().expect("a call")
        ])
    );
    insta::assert_snapshot!(
        "unwritable_report",
        said(&["verify", "plan.toml", "--report", "plan.toml"])
    );
    let heads = ["recordings.csv", "breakdown.csv"].map(|name| {
        let text = read(&simulation.file(&format!("report/{name}")));
        format!("{name}: {}\n", text.lines().next().unwrap_or_default())
    });
    insta::assert_snapshot!("tables", heads.concat());
}

#[test]
fn documents_keep_their_shape() {
    let simulation = simulation();
    let document = |arguments: &[&str]| {
        shape(
            &simulation
                .seatrial(&[arguments, &["--json"]].concat())
                .json(),
        )
    };
    insta::assert_snapshot!("preflight_json", document(&["preflight", "plan.toml"]));
    insta::assert_snapshot!("migrate_json", document(&["migrate", "plan.toml"]));
    insta::assert_snapshot!(
        "status_json",
        document(&["status", "plan.toml", "--custody", "custody.ndjson"])
    );
    let custody = lines(&simulation.file("custody.ndjson"));
    insta::assert_snapshot!("custody_head", shape(&custody[0]));
    insta::assert_snapshot!("custody_lines", shape(&Value::Array(custody[1..].to_vec())));
    insta::assert_snapshot!("addresses_json", shape(&simulation.addresses));
    insta::assert_snapshot!(
        "refusal_json",
        shape(&seatrial(simulation.dir(), &["verify", "none.toml", "--json"]).json())
    );
}
