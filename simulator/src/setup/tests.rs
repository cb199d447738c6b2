use super::*;

const WHOLE: &str = r#"
about = "Uploads are throttled twice; nothing lost, nothing twice."
seed = 7
target = "genesys_cloud"
ingest = "guide"
[world]
interactions = 40
unmapped_agents = 1
[[fault]]
on = "genesys_cloud.upload_file"
kind = "too_many_requests"
attempts = [1, 2]
retry_after_s = 1
"#;

#[test]
fn an_example_is_read() {
    let setup = Setup::parse(WHOLE, "throttled.toml").expect("a setup");
    assert_eq!(setup.name, "throttled");
    assert_eq!(setup.world.interactions, 40);
    assert_eq!(setup.faults[0].attempts, [1, 2]);
    assert!(setup.notices().is_empty());
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
            "[world]",
            "[expect]\nverdict = \"match\"\n[world]",
            "s.toml:6: unknown key `expect`",
        ),
        ("unmapped_agents = 1", "unmapped_agents = 13", "agents = 12"),
        (
            "unmapped_agents = 1",
            "file = \"calls.ndjson\"",
            "`interactions` has no effect on an imported world",
        ),
    ] {
        assert!(WHOLE.contains(was), "{was}");
        let error = Setup::parse(&WHOLE.replacen(was, becomes, 1), "s.toml")
            .err()
            .expect(becomes)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_raised_limit_is_announced() {
    let text = format!("{WHOLE}\n[genesys_cloud.limits]\nrequests_per_minute = 6000\n");
    assert_eq!(
        Setup::parse(&text, "s").expect("a setup").notices(),
        ["limits raised 20x for the demonstration"]
    );
}

#[test]
fn the_public_ingestions_assumptions_are_set_in_a_table_of_their_own() {
    let table = "[genesys_cloud.public]\nwait_for_conversation_ms = 60000\nreport_columns = \
        [\"status\", \"uploadKey\"]\nreused_event_id = \"refuse\"";
    let setup = Setup::parse(&format!("{WHOLE}\n{table}\n"), "s").expect("a setup");
    let public = &setup.genesys_cloud.public;
    assert_eq!(
        (
            public.wait_for_conversation_ms,
            public.report_columns.len(),
            public.wrong_md5_status
        ),
        (60_000, 2, 400)
    );
    for (was, becomes, expected) in [
        (
            "wait_for",
            "wait_vor",
            "the nearest known key is `wait_for_conversation_ms`",
        ),
        ("uploadKey", "colour", "colour"),
        ("refuse", "resent", "resent"),
    ] {
        let error = Setup::parse(
            &format!("{WHOLE}\n{}\n", table.replacen(was, becomes, 1)),
            "s",
        )
        .err()
        .expect(becomes)
        .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_hidden_is_set_in_a_table_of_its_own() {
    let table = "[genesys_cloud.limits]\norg_requests_per_minute = 50\nroute_requests_per_minute = \
        { \"genesys_cloud.create_batchrequest\" = 9 }\n[genesys_cloud.access]\nsensitive_share = \
        0.25\ndivisions = [\"Home\", \"North\"]\nclient_divisions = [\"North\"]";
    let setup = Setup::parse(&format!("{WHOLE}\n{table}\n"), "s")
        .expect("a setup")
        .genesys_cloud;
    assert_eq!(
        (
            setup.org_requests_per_minute,
            setup.route_requests_per_minute["genesys_cloud.create_batchrequest"]
        ),
        (50, 9)
    );
    assert_eq!(
        (
            setup.access.sensitive_share,
            setup.access.client_divisions.as_slice()
        ),
        (0.25, &["North".to_owned()][..])
    );
    for (was, becomes, expected) in [
        ("0.25", "1.25", "s.toml:18: sensitive_share must be 0..1"),
        (
            "client_divisions = [\"North\"]",
            "client_divisions = [\"South\"]",
            "names `South`",
        ),
        ("[\"Home\", \"North\"]", "[]", "at least one division"),
        (
            "create_batchrequest",
            "create_batchreqest",
            "s.toml:15: route_requests_per_minute names",
        ),
        (
            "genesys_cloud.create_batchrequest",
            "legacy.list_users",
            "is no request to Genesys Cloud",
        ),
        (
            "sensitive_share",
            "sensitive_shear",
            "the nearest known key is `sensitive_share`",
        ),
    ] {
        let error = Setup::parse(
            &format!("{WHOLE}\n{}\n", table.replacen(was, becomes, 1)),
            "s.toml",
        )
        .err()
        .expect(becomes)
        .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn its_keys_are_those_of_its_schema() {
    let schema = schemars::schema_for!(Setup).to_value();
    let keys: Vec<&String> = schema["properties"]
        .as_object()
        .expect("keys")
        .keys()
        .collect();
    assert_eq!(keys, Setup::KEYS);
}

#[test]
fn a_target_of_interaction_recording_is_set_in_tables_of_its_own() {
    let head = WHOLE.replacen("target = \"genesys_cloud\"", "target = \"gir\"", 1);
    let table = "[gir.speechminer]\nrepost = \"duplicate\"\n[gir.purge]\nrules = \
        [{ after_days = 30, call_type = \"Inbound\" }]";
    let setup = Setup::parse(&format!("{head}\n{table}\n"), "s").expect("a setup");
    assert_eq!(setup.target, TargetKind::Gir);
    assert_eq!(
        setup
            .gir
            .purge
            .rules
            .as_ref()
            .map(|rules| rules[0].after_days),
        Some(30)
    );
    assert_eq!(
        setup.notices(),
        ["the target has no published limit, and none here"]
    );
    for (was, becomes, expected) in [
        ("duplicate", "triplicate", "triplicate"),
        (
            "after_days = 30",
            "after_days = 0",
            "after_days of a purge rule must be 1 or more",
        ),
        (
            "Inbound",
            "Sideways",
            "call_type of a purge rule must be Internal",
        ),
        ("repost", "re_post", "the nearest known key is `repost`"),
    ] {
        let error = Setup::parse(
            &format!("{head}\n{}\n", table.replacen(was, becomes, 1)),
            "s",
        )
        .err()
        .expect(becomes)
        .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
