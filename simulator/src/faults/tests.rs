use super::*;
use crate::operations::{GENESYS_CLOUD_UPLOAD_FILE as UPLOAD, LEGACY_GET_MEDIA as MEDIA};
use proptest::prelude::*;
use rule::meant;

fn rule(text: &str) -> FaultRule {
    toml::from_str(text).expect("a fault")
}

fn faults(rules: Vec<FaultRule>) -> Faults {
    Faults::new(Seed::new(7), Clock::of_a_test(), rules, None)
}

#[test]
fn a_legacy_id_finds_its_key_wherever_it_stands() {
    for (wanted, key, expected) in [
        ("100001", "100001", true),
        ("100001", "st:acme:100001", true),
        ("100001-1", "st-acme-100001-1.0123456789ab.mp3", true),
        ("100001", "st-acme-100001-1.0123456789ab.mp3", false),
        ("00001", "st:acme:100001", false),
        ("100001", "1000010", false),
    ] {
        assert_eq!(meant(wanted, key), expected, "{wanted} in {key}");
    }
}

#[test]
fn attempts_are_counted_for_each_key() {
    let faults = faults(vec![rule(
        "on = 'genesys_cloud.upload_file'\nkind = 'too_many_requests'\nattempts = [1, 2]",
    )]);
    let struck: Vec<bool> = (0..3)
        .flat_map(|_| ["a", "b"])
        .map(|key| {
            faults
                .decide(&UPLOAD, key, faults.attempt(&UPLOAD, key))
                .is_some()
        })
        .collect();
    assert_eq!(struck, [true, true, true, true, false, false]);
    assert!(faults.decide(&MEDIA, "a", 1).is_none());
    assert_eq!(faults.injected().len(), 4);
    assert_eq!(faults.remove(Some(1)), 1);
}

#[test]
fn nonsense_is_refused_with_the_way_out() {
    for (text, expected) in [
        (
            "on = 'legacy.get_medai'\nkind = 'latency'",
            "nearest is `legacy.get_media`",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'lost_answer'",
            "nothing to commit",
        ),
        (
            "on = 'legacy.issue_token'\nkind = 'expired_token'",
            "neither ends",
        ),
        (
            "on = 'webdav.put_file'\nkind = 'expired_token'",
            "neither ends",
        ),
        (
            "on = 'gir.get_recording'\nkind = 'expired_token'",
            "neither ends",
        ),
        (
            "on = 'genesys_cloud.get_batch_media'\nkind = 'expired_token'",
            "neither ends",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'latency'\nstatus = 500",
            "no knob `status`",
        ),
        (
            "on = 'genesys_cloud.put_upload'\nkind = 'upload_stuck'",
            "can only strike genesys_cloud.process_upload",
        ),
        (
            "on = 'genesys_cloud.process_upload'\nkind = 'job_stuck'",
            "nothing else strikes it",
        ),
        (
            "on = 'world.agent'\nkind = 'end_before_start'",
            "it is planted on `world.interaction`",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'end_before_start'",
            "it is planted on `world.interaction`",
        ),
        (
            "on = 'world.interaction'\nkind = 'latency'",
            "no such operation",
        ),
        (
            "on = 'world.interaction'\nkind = 'zero_time'\nattempts = [1]",
            "has no attempts",
        ),
        (
            "on = 'world.interaction'\nkind = 'zero_time'\ncount = 1\nshare = 0.5",
            "one of count, share and keys",
        ),
        (
            "on = 'world.interaction'\nkind = 'zero_time'\ncount = 0",
            "1 or more",
        ),
        (
            "on = 'world.interaction'\nkind = 'zero_time'\nms = 1",
            "no knob `ms`",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'latency'\ncount = 1",
            "no knob `count`",
        ),
        (
            "on = 'genesys_cloud.process_upload'\nkind = 'latency'",
            "nothing else strikes it",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'server_error'\nstatus = 404",
            "must be one of [500",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'latency'\nattempts = [0]",
            "count from 1",
        ),
        (
            "on = 'legacy.get_media'\nkind = 'latency'\nshare = 1.5",
            "share must be",
        ),
    ] {
        let error = rule(text).check().expect_err(text);
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(seed: u64, mut order in Just((0_u32..40).collect::<Vec<_>>()).prop_shuffle()) {
        let rules = vec![rule("on = 'genesys_cloud.upload_file'\nkind = 'server_error'\nshare = \
            0.3\nheal_after_attempts = 2")];
        let run = |keys: &[u32]| {
            let faults = Faults::new(Seed::new(seed), Clock::of_a_test(), rules.clone(), None);
            for key in keys.iter().chain(keys) {
                let key = key.to_string();
                let _ = faults.decide(&UPLOAD, &key, faults.attempt(&UPLOAD, &key));
            }
            faults.injected()
        };
        let shuffled = run(&order);
        order.sort_unstable();
        prop_assert_eq!(shuffled, run(&order));
    }
}

#[test]
fn a_rule_heals_by_the_simulators_clock_counted_from_when_it_was_added() {
    let faults = faults(vec![rule(
        "on = 'legacy.get_media'\nkind = 'server_error'\nheal_after_ms = 60000",
    )]);
    let strikes = |key: &str| {
        faults
            .decide(&MEDIA, key, faults.attempt(&MEDIA, key))
            .map(|decision| decision.id)
    };
    assert!(strikes("a").is_some_and(|id| id.starts_with("f1-")));
    faults.clock.advance_ms(50_000).expect("on the calendar");
    faults.add(rule(
        "on = 'legacy.get_media'\nkind = 'latency'\nheal_after_ms = 60000",
    ));
    faults.clock.advance_ms(20_000).expect("on the calendar");
    assert!(
        strikes("a").is_some_and(|id| id.starts_with("f2-")),
        "the first has healed, the second was added later"
    );
    faults.clock.advance_ms(50_000).expect("on the calendar");
    assert_eq!(strikes("a"), None);
}

#[test]
fn a_replayed_log_strikes_again_under_another_seed_and_nothing_else_does() {
    let rules = vec![rule(
        "on = 'legacy.get_media'\nkind = 'server_error'\nshare = 0.5\nstatus = \
         502\nheal_after_attempts = 2",
    )];
    let run = |faults: &Faults| {
        for attempt in 1..4 {
            for key in 0..20 {
                let _ = faults.decide(&MEDIA, &key.to_string(), attempt);
            }
        }
        Injected::write_log(&faults.injected())
    };
    let first = run(&faults(rules.clone()));
    assert!(first.lines().count() > 10, "{first}");
    let log = Injected::read_log(&first).expect("a log");
    let again = Faults::new(Seed::new(8), Clock::of_a_test(), rules.clone(), Some(log));
    assert!(again.unmet() > 10);
    assert_eq!((run(&again), again.unmet()), (first.clone(), 0));
    assert!(again.refuses(&rules[0]).is_some());
    assert_ne!(
        run(&Faults::new(Seed::new(8), Clock::of_a_test(), rules, None)),
        first,
        "another seed strikes elsewhere"
    );
}

#[test]
fn a_log_that_cannot_be_replayed_is_refused_with_its_line() {
    let line = |operation: &str, kind: &str| {
        format!(
            "{{\"id\":\"f1-0\",\"fault\":1,\"kind\":\"{kind}\",\"operation\":\"{operation}\",\"key\":\"a\",\"attempt\":1}}\n"
        )
    };
    let good = line("legacy.get_media", "latency");
    assert_eq!(Injected::read_log(&good).map(|log| log.len()), Ok(1));
    for (text, at, expected) in [
        (
            good.clone() + &line("legacy.get_medai", "latency"),
            2,
            "nearest is `legacy.get_media`",
        ),
        (good.clone() + &good, 2, "the same attempt"),
        (
            line("legacy.get_media", "zero_time"),
            1,
            "strikes no attempt",
        ),
        ("{}".to_owned(), 1, "missing field"),
    ] {
        let (line, why) = Injected::read_log(&text).expect_err(&text);
        assert!(line == at && why.contains(expected), "{line}: {why}");
    }
}
