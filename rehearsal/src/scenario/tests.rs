use super::*;
use plan::Reason;
use simulator::{FaultRule, Outcome, fault_rows};
use verifier::{Defect, Verdict};

const WHOLE: &str = r#"
about = "Uploads are throttled twice; nothing lost, nothing twice."
seed = 7
target = "genesys_cloud"
ingest = "guide"
[world]
interactions = 40
unmapped_agents = 1
[plan.rules]
unmapped_queue = "skip"
[[fault]]
on = "genesys_cloud.upload_file"
kind = "too_many_requests"
attempts = [1, 2]
retry_after_s = 1
[[after_migration]]
lose_media = 1
[expect]
migrator = "complete"
verdict = "match"
"#;

#[test]
fn an_example_is_read_and_each_role_has_its_part() {
    let scenario = Scenario::parse(WHOLE, "throttled.toml").expect("a scenario");
    let setup = &scenario.setup;
    assert_eq!(
        (
            setup.name.as_str(),
            setup.world.interactions,
            &setup.faults[0].attempts[..]
        ),
        ("throttled", 40, &[1, 2][..])
    );
    assert_eq!(
        scenario.plan["rules"]["unmapped_queue"].as_str(),
        Some("skip")
    );
    assert_eq!(
        scenario.after_migration[0].damage(),
        Some((Defect::AudioGone, 1))
    );
    assert_eq!(
        (scenario.expect.migrator, scenario.expect.verdict),
        (ExpectedEnding::Complete, Verdict::Match)
    );
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_key() {
    for (was, becomes, expected) in [
        (
            "interactions = 40",
            "interactoins = 40",
            "s.toml:7: unknown key `interactoins`; the nearest known key is `interactions`",
        ),
        (
            "interactions = 40",
            "interactions = \"forty\"",
            "s.toml:7: invalid type: string \"forty\", expected u64",
        ),
        (
            "seed = 7",
            "sede = 7",
            "s.toml:3: unknown key `sede`; the nearest known key is `seed`",
        ),
        (
            "[expect]",
            "[expct]",
            "s.toml:18: unknown key `expct`; the nearest known key is `expect`",
        ),
        (
            "[expect]",
            "[migrator]\nkill_after_request = [1]\n[expect]",
            "s.toml:19: unknown key `kill_after_request`; the nearest known key is",
        ),
        (
            "[expect]",
            "[migrator]\nkill_after_requests = [0]\n[expect]",
            "s.toml:18: [migrator]: kill_after_requests counts from 1",
        ),
        (
            "genesys_cloud.upload_file",
            "genesys_cloud.upload_files",
            "nearest is `genesys_cloud.upload_file`",
        ),
        (
            "kind = \"too_many_requests\"",
            "kind = \"too_many_request\"",
            "unknown value `too_many_request`; the nearest known value is `too_many_requests`",
        ),
        (
            "lose_media = 1",
            "count = 1",
            "needs one of `tamper`, `lose_media`, `role` and `advance_days`",
        ),
        (
            "lose_media = 1",
            "lose_media = 1\nadvance_days = 3",
            "needs one of",
        ),
        (
            "lose_media = 1",
            "advance_days = 0",
            "advance_days must be 1",
        ),
        (
            "lose_media = 1",
            "tamper = \"D99\"",
            "s.toml:17: unknown defect class `D99` in tamper; docs/reference/defects.md names those",
        ),
        ("verdict = \"match\"", "", "missing field `verdict`"),
        (
            "verdict = \"match\"",
            "verdict = \"match\"\nskipped = { unmaped_queue = 1 }",
            "s.toml:21: unknown reason `unmaped_queue` in [expect]; the nearest known reason is \
             `unmapped_queue`",
        ),
        (
            "verdict = \"match\"",
            "verdict = \"match\"\nby_defect = { D65 = 1 }",
            "s.toml:21: unknown defect class `D65` in [expect]; docs/reference/defects.md names \
             those",
        ),
    ] {
        assert!(WHOLE.contains(was), "{was}");
        let error = Scenario::parse(&WHOLE.replacen(was, becomes, 1), "s.toml")
            .err()
            .expect(becomes)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn counts_are_kept_by_what_plan_and_verifier_call_them() {
    let counted = WHOLE.to_owned()
        + "skipped = { expired = 2 }\nquarantined = { audio_empty = 1 }\nby_defect = { D18 = 3 }\n";
    let expect = Scenario::parse(&counted, "s.toml")
        .expect("a scenario")
        .expect;
    assert_eq!(
        (expect.skipped, expect.quarantined),
        (
            [(Reason::Expired, 2)].into(),
            [(Reason::AudioEmpty, 1)].into()
        )
    );
    assert_eq!(expect.by_defect, [(Defect::AudioOfAnotherCall, 3)].into());
}

#[test]
fn every_reason_that_the_fault_table_expects_is_the_plans() {
    for row in fault_rows() {
        if let Outcome::Quarantine(reason) | Outcome::Skip(reason) = row.outcome {
            assert!(
                Reason::from_name(reason).is_some(),
                "{}: {reason}",
                row.name
            );
        }
    }
}

#[test]
fn the_schema_knows_every_section_and_every_fault() {
    let schema = Scenario::schema();
    let keys: Vec<&str> = schema["properties"]
        .as_object()
        .expect("keys")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, [&Setup::KEYS[..], &KEYS].concat());
    assert_eq!(
        schema["required"],
        serde_json::json!(["about", "seed", "expect"])
    );
    assert_eq!(schema["additionalProperties"], false);
    for word in ["\"max_conduct\"", "\"lost_answer\"", "\"bad_media\""] {
        assert!(schema.to_string().contains(word), "{word}");
    }
    assert!(
        simulator::fault_table()
            .to_string()
            .contains("error_after_commit")
    );
    assert!(
        FaultRule::schema()
            .to_string()
            .contains("heal_after_attempts")
    );
}
