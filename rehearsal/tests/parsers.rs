//! Text from outside that a rehearsal reads: scenarios and logs of faults. Any of it is read or
//! refused in words, with its line.

use proptest::prelude::*;
use rehearsal::Scenario;
use rehearsal::forecast::Prices;
use simulator::{FaultKind, Injected};

const SCENARIO: &str = "about = 'A test.'
seed = 1
[world]
interactions = 3
[genesys_cloud.limits]
requests_per_minute = 0
[[fault]]
on = 'legacy.get_media'
kind = 'latency'
[expect]
verdict = 'match'
";

/// Any TOML value.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("TOML spells them otherwise", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        any::<bool>().prop_map(|value| value.to_string()),
        "'[ -&(-~]{0,12}'",
        "\\[[0-9, ]{0,8}\\]",
        "[ -~]{0,12}",
    ]
}

/// What a refusal says, or nothing where the text is read.
fn refused(text: &str) -> Option<String> {
    Scenario::parse(text, "bad")
        .err()
        .map(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_scenario_is_read_or_refused_with_its_name(text in "(\\PC|\n){0,120}", at in 0_usize..11, value in value()) {
        let mut lines: Vec<String> = SCENARIO.lines().map(str::to_owned).collect();
        if let Some((key, _)) = lines[at].split_once(" = ") {
            lines[at] = format!("{key} = {value}");
        }
        for text in [text.clone(), format!("{SCENARIO}{text}"), lines.join("\n")] {
            if let Some(refused) = refused(&text) {
                let line = refused.strip_prefix("bad:").and_then(|rest| rest.split(':').next()?.parse().ok());
                let lines = text.lines().count() + 1;
                prop_assert!(line.is_some_and(|line: usize| (1..=lines).contains(&line)), "{}", refused);
            }
        }
    }

    #[test]
    fn a_key_nobody_knows_is_named_with_its_line(section in 0_usize..4, key in "x[a-z]{2,8}") {
        let section = ["[world]", "[genesys_cloud.limits]", "[[fault]]", "[expect]"][section];
        let text = SCENARIO.replace(section, &format!("{section}\n{key} = 1"));
        let line = text.lines().position(|line| line.starts_with(&key)).expect("its line") + 1;
        let refused = refused(&text).unwrap_or_default();
        prop_assert!(refused.contains(&format!(":{line}")) && refused.contains(&format!("`{key}`")), "line {}: {}", line, refused);
    }

    #[test]
    fn a_log_of_faults_is_read_as_it_is_written(attempts in proptest::collection::btree_set(1_u32..1000, 0..8), key in "\\PC{1,12}", ms: Option<u64>) {
        let log: Vec<Injected> = attempts
            .iter()
            .map(|attempt| Injected {
                id: format!("f1-{attempt:08x}"),
                fault: 1,
                kind: FaultKind::Latency,
                operation: "legacy.get_media".to_owned(),
                key: key.clone(),
                attempt: *attempt,
                ms,
                status: None,
                retry_after_s: None,
            })
            .collect();
        prop_assert_eq!(Injected::read_log(&Injected::write_log(&log)), Ok(log));
    }

    #[test]
    fn a_log_of_anything_is_refused_with_its_line(text in "[!-~][ -~]{0,40}", before in 0_u64..5) {
        let (line, why) = Injected::read_log(&format!("{}{text}\n", "\n".repeat(usize::try_from(before).expect("few")))).expect_err("no log");
        prop_assert!(line == before + 1 && !why.is_empty(), "{}: {}", line, why);
    }
    #[test]
    fn any_price_file_is_read_or_refused_with_its_name(key in "per_[a-z_]{3,20}|currency|per_gigabyte_in|per_machine_hour|included_requests", value in value(), text in "(\\PC|\n){0,80}") {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prices.toml");
        for text in [format!("{key} = {value}"), text] {
            std::fs::write(&file, &text).expect("written");
            match Prices::read(&file) {
                Ok(prices) => prop_assert!(
                    [prices.per_gigabyte_in, prices.per_machine_hour, prices.per_thousand_requests]
                        .iter()
                        .all(|price| price.is_finite() && *price >= 0.0)
                ),
                Err(refusal) => prop_assert!(refusal.to_string().starts_with(&file.display().to_string())),
            }
        }
    }
}
