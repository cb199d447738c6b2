//! What a person gets told about a plan that cannot be used.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::path::Path;

use plan::{LoadedPlan, Phones};
use proptest::prelude::*;

const PLAN: &str = r#"
plan_version = 1
[identity]
namespace = "acme-2026"
[source]
kind = "legacy"
base_url = "http://127.0.0.1:1"
client_id = "migrator"
client_secret = { file = "secret" }
[target]
kind = "genesys_cloud"
base_url = "http://127.0.0.1:2"
client_id = "c"
client_secret = { env = "TARGET_SECRET" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[pii]
phones = "keep"
pauses = "silence"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;

const AGENTS: &str = "legacy_agent_id,genesys_user_id,genesys_user_name\nAGT-1,550e8400-e29b-41d4-a716-446655440001,John\n";

fn load(plan: &str, agents: &str) -> Result<LoadedPlan, String> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "plan.toml", plan);
    write(dir.path(), "agents.csv", agents);
    write(
        dir.path(),
        "queues.csv",
        "legacy_queue_id,genesys_queue_id\nQ-1,550e8400-e29b-41d4-a716-446655440002\n",
    );
    LoadedPlan::read(&dir.path().join("plan.toml")).map_err(|error| error.to_string())
}

fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}

#[test]
fn a_plan_that_leaves_out_what_has_a_default_is_read() {
    let loaded = load(PLAN, AGENTS).unwrap();
    assert_eq!(
        (
            loaded.plan.pace.workers,
            loaded.plan.pace.requests_per_minute
        ),
        (16, 300)
    );
    assert_eq!(loaded.plan.pii.phones, Phones::Keep);
    assert_eq!(loaded.mapping.agents[0].line, 2);
    assert!(loaded.not_built().is_empty());
}

#[test]
fn a_change_of_plan_or_table_changes_the_hash() {
    let hash = |plan: &str, agents: &str| load(plan, agents).unwrap().hash;
    let before = hash(PLAN, AGENTS);
    assert_eq!(before, hash(PLAN, AGENTS));
    assert_ne!(before, hash(&PLAN.replace("silence", "keep"), AGENTS));
    assert_ne!(before, hash(PLAN, &AGENTS.replace("John", "Joan")));
}

#[test]
fn a_plan_that_cannot_be_used_says_where_and_what() {
    let rows = [
        (
            "namespace =",
            "namespce =",
            "line 4: unknown key `namespce`; the nearest known key is `namespace`",
        ),
        (
            "plan_version = 1",
            "plan_version = 2",
            "plan_version 2 is not known",
        ),
        (
            "base_url = \"http://127.0.0.1:2\"",
            "region = \"us-est-1\"",
            "target.region `us-est-1` is not a region of Genesys Cloud; the nearest known one is \
             `us-east-1`",
        ),
        (
            "base_url = \"http://127.0.0.1:2\"",
            "base_url = \"http://127.0.0.1:2\"\nregion = \"us-east-1\"",
            "both base_url and region",
        ),
        (
            "plan_version = 1",
            "plan_version = \"one\"",
            "line 2: invalid type: string \"one\", expected u32",
        ),
        (
            "\"acme-2026\"",
            "\"Acme 2026\"",
            "identity.namespace takes 1 to 40 lower-case letters",
        ),
        (
            "{ file = \"secret\" }",
            "\"hunter2\"",
            "a secret is named, never written",
        ),
        (
            "\"quarantine\"",
            "\"fallback:me\"",
            "`me` is not a user id (a UUID)",
        ),
        (
            "\"skip\"",
            "\"drop\"",
            "expected skip or default:<queue id>",
        ),
        ("phones = \"keep\"\n", "", "missing field `phones`"),
        (
            "http://127.0.0.1:2",
            "https://api.mypurecloud.de",
            "\"guide\" towards a vendor host is refused",
        ),
        (
            "base_url = \"http://127.0.0.1:2\"",
            "",
            "needs base_url, or a region",
        ),
        (
            "kind = \"legacy\"",
            "kind = \"tape\"",
            "unknown variant `tape`",
        ),
    ];
    for (from, to, wanted) in rows {
        let error = load(&PLAN.replace(from, to), AGENTS).unwrap_err();
        assert!(
            error.contains(wanted) && error.contains("plan.toml"),
            "{to}: {error}"
        );
        assert!(
            !error.contains("hunter2") && !error.contains('\n'),
            "{to}: {error}"
        );
    }
}

const GIR: &str = r#"kind = "gir"
rws_url = "http://127.0.0.1:2"
contact_center_id = "57c0b771"
region = "Can-West"
username = "ops"
password = { env = "RWS" }
webdav_url = "http://127.0.0.1:3/recordings"
webdav_username = "store"
webdav_password = { env = "STORE" }
"#;

/// The plan towards Interaction Recording.
fn gir() -> String {
    let target = PLAN.find("kind = \"genesys_cloud\"").unwrap();
    let mapping = PLAN.find("[mapping]").unwrap();
    format!("{}{GIR}{}", &PLAN[..target], &PLAN[mapping..])
}

#[test]
fn a_plan_towards_interaction_recording_says_what_it_lacks() {
    let loaded = load(&gir(), AGENTS).unwrap();
    assert_eq!(
        loaded.plan.target.main_url().unwrap().as_str(),
        "http://127.0.0.1:2/"
    );
    assert_eq!(
        (
            loaded.plan.target.urls().len(),
            loaded.plan.target.gir().unwrap().speechminer_repost
        ),
        (2, plan::Repost::Replace)
    );
    assert!(loaded.not_built().is_empty());
    let rows = [
        (
            "rws_url = \"http://127.0.0.1:2\"\n",
            "",
            "target.rws_url is required for kind = \"gir\"",
        ),
        ("region = \"Can-West\"\n", "", "target.region is required"),
        (
            "region = \"Can-West\"",
            "region = \"\"",
            "target.region is required",
        ),
        (
            "contact_center_id = \"57c0b771\"\n",
            "",
            "target.contact_center_id is required",
        ),
        ("username = \"ops\"\n", "", "target.username is required"),
        (
            "password = { env = \"RWS\" }\n",
            "",
            "target.password is required",
        ),
        (
            "webdav_password = { env = \"STORE\" }\n",
            "",
            "target.webdav_password is required",
        ),
        (
            "webdav_url = \"http://127.0.0.1:3/recordings\"\n",
            "",
            "target.webdav_url is required",
        ),
        (
            "http://127.0.0.1:3/recordings",
            "http://store:pass@127.0.0.1:3/recordings",
            "target.webdav_url is not a plain http or https URL",
        ),
        (
            "http://127.0.0.1:3/recordings",
            "file:///recordings",
            "target.webdav_url is not a plain http or https URL",
        ),
        (
            "region =",
            "speechminer_url = \"http://127.0.0.1:4\"\nregion =",
            "target.speechminer_username and",
        ),
        (
            "region =",
            "speechminer_repost = \"merge\"\nregion =",
            "unknown variant `merge`",
        ),
        (
            "namespace = \"acme-2026\"",
            "namespace = \"acme-2026\"\ncarrier = \"participant_attribute:id\"",
            "identity.carrier: Interaction Recording has no participant attributes",
        ),
        (
            "queues = \"queues.csv\"",
            "queues = \"queues.csv\"\nexternal_id_authority = \"x\"",
            "is only for Genesys Cloud",
        ),
    ];
    for (from, to, wanted) in rows {
        let error = load(&gir().replacen(from, to, 1), AGENTS).unwrap_err();
        assert!(
            error.contains(wanted) && error.contains("plan.toml") && !error.contains("pass@"),
            "{to}: {error}"
        );
    }
}

#[test]
fn a_table_that_cannot_be_used_says_which_lines() {
    let row = "AGT-1,550e8400-e29b-41d4-a716-446655440001,John";
    let head = "legacy_agent_id,genesys_user_id,genesys_user_name";
    let dated = format!("{head},valid_from,valid_to");
    let rows = [
        (
            format!("{head}\n{row}\n{row}\n"),
            "line 3: agent `AGT-1` stands on line 2 already",
        ),
        (
            format!("{head}\nAGT-1,nobody,John\n"),
            "line 2: `genesys_user_id`: `nobody` is not a UUID",
        ),
        (
            format!("{head}\nAGT-1,x\n"),
            "line 2: 2 fields where the header has 3",
        ),
        (
            "legacy_agent,genesys_user_id,genesys_user_name\n".to_owned(),
            "line 1: unknown column `legacy_agent`; the nearest known column is `legacy_agent_id`",
        ),
        (
            "legacy_agent_id,genesys_user_id\n".to_owned(),
            "line 1: the column `genesys_user_name` is missing",
        ),
        (
            format!("{dated}\n{row},,2024-01-02T00:00:00Z\n{row},2024-01-01T00:00:00Z,\n"),
            "line 3: agent `AGT-1` stands on line 2 already",
        ),
        (
            format!("{dated}\n{row},2024-01-02T00:00:00Z,2024-01-01T00:00:00Z\n"),
            "line 2: valid_from is not before valid_to",
        ),
        (
            format!("{dated}\n{row},yesterday,\n"),
            "line 2: `valid_from`: `yesterday` is not an instant",
        ),
    ];
    for (agents, wanted) in rows {
        let error = load(PLAN, &agents).unwrap_err();
        assert!(
            error.contains(wanted) && error.contains("agents.csv"),
            "{agents}: {error}"
        );
    }
    let touching = format!("{dated}\n{row},,2024-01-01T00:00:00Z\n{row},2024-01-01T00:00:00Z,\n");
    assert_eq!(
        load(PLAN, &touching).unwrap().mapping.agents.len(),
        2,
        "half-open intervals that touch do not overlap"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(plan in "\\PC{0,200}", agents in "\\PC{0,200}") {
        let _ = load(&plan, AGENTS);
        let _ = load(PLAN, &agents);
        let _ = load(&format!("{PLAN}{plan}"), AGENTS);
    }

    #[test]
    fn a_key_nobody_knows_and_a_bad_row_are_named_with_their_line(line in 0_usize..5, key in "x[a-z]{2,8}", good in 0_usize..6, id in "[a-z ]{0,12}") {
        let section = ["[identity]", "[source]", "[mapping]", "[rules]", "[ledger]"][line];
        let plan = PLAN.replace(section, &format!("{section}\n{key} = 1"));
        let at = plan.lines().position(|found| found.starts_with(&key)).unwrap() + 1;
        let refused = load(&plan, AGENTS).unwrap_err();
        prop_assert!(refused.contains(&format!("plan.toml line {at}:")) && refused.contains(&key), "{}", refused);

        let agents: String = (0..good).map(|n| format!("AGT-1{n},550e8400-e29b-41d4-a716-44665544000{n},Jo\n")).collect();
        let refused = load(PLAN, &format!("{AGENTS}{agents}AGT-9,{id},Jo\n")).unwrap_err();
        prop_assert!(refused.contains(&format!("agents.csv line {}", good + 3)), "{}", refused);
    }
}

#[test]
fn every_region_leads_to_its_api_and_login_hosts() {
    for (region, api, token) in [
        (
            "us-east-1",
            "https://api.mypurecloud.com/",
            "https://login.mypurecloud.com/oauth/token",
        ),
        (
            "mypurecloud.ie",
            "https://api.mypurecloud.ie/",
            "https://login.mypurecloud.ie/oauth/token",
        ),
        (
            "us-east-2",
            "https://api.use2.us-gov-pure.cloud/",
            "https://login.use2.us-gov-pure.cloud/oauth/token",
        ),
        (
            "euc2.pure.cloud",
            "https://api.euc2.pure.cloud/",
            "https://login.euc2.pure.cloud/oauth/token",
        ),
    ] {
        let text = PLAN.replace(
            "base_url = \"http://127.0.0.1:2\"",
            &format!("ingest = \"public\"\nregion = \"{region}\""),
        );
        let target = load(&text, AGENTS).unwrap().plan.target;
        assert_eq!(
            target.genesys_cloud().unwrap().api_url().unwrap().as_str(),
            api
        );
        assert_eq!(
            target
                .genesys_cloud()
                .unwrap()
                .token_url()
                .unwrap()
                .as_str(),
            token
        );
    }
}

/// The plan with an organisation as its source.
fn organisation(source: &str, target: &str) -> String {
    let legacy = "kind = \"legacy\"\nbase_url = \"http://127.0.0.1:1\"\nclient_id = \
                  \"migrator\"\nclient_secret = { file = \"secret\" }";
    let cloud = "base_url = \"http://127.0.0.1:2\"\nclient_id = \"c\"";
    assert!(PLAN.contains(legacy) && PLAN.contains(cloud));
    let kind =
        format!("kind = \"genesys_cloud\"\n{source}\nclient_secret = {{ file = \"secret\" }}");
    PLAN.replace(legacy, &kind).replace(cloud, target)
}

#[test]
fn an_organisation_is_a_source_by_address_or_region() {
    let target = "base_url = \"http://127.0.0.1:2\"\nclient_id = \"c\"";
    let plan = organisation("region = \"eu-west-1\"\nclient_id = \"s\"", target);
    let loaded = load(&plan, AGENTS).unwrap();
    let source = loaded.plan.source.genesys_cloud().unwrap();
    assert_eq!(source.requests_per_minute, 300);
    let urls: Vec<String> = loaded
        .plan
        .source
        .urls()
        .into_iter()
        .flatten()
        .map(String::from)
        .collect();
    assert_eq!(
        urls,
        [
            "https://api.mypurecloud.ie/",
            "https://login.mypurecloud.ie/oauth/token"
        ]
    );
    for (source, why) in [
        (
            "client_id = \"s\"",
            "source needs base_url, or a region such as us-east-1",
        ),
        (
            "region = \"eu-wst-1\"\nclient_id = \"s\"",
            "the nearest known one is `eu-west-1`",
        ),
        (
            "region = \"eu-west-1\"\nbase_url = \"https://a.example\"\nclient_id = \"s\"",
            "source has both base_url and region",
        ),
        (
            "base_url = \"ftp://a.example\"\nclient_id = \"s\"",
            "source.base_url is not an http or https URL",
        ),
        (
            "region = \"eu-west-1\"\nclient_id = \"\"",
            "source.client_id is empty",
        ),
        (
            "region = \"eu-west-1\"\nclient_id = \"s\"\nrequests_per_minute = 0",
            "source.requests_per_minute takes 1 or more",
        ),
        (
            "region = \"eu-west-1\"\nclient_id = \"s\"\nfrom = \"2024-01-02T00:00:00Z\"\nto = \
             \"2024-01-01T00:00:00Z\"",
            "source.from is not before source.to",
        ),
        (
            "region = \"eu-west-1\"\nclient_id = \"s\"\nmedia_hosts = []",
            "unknown key `media_hosts`",
        ),
        (
            "region = \"eu-west-1\"\nclient_id = \"s\"\nqueues = [\"sales\"]",
            "UUID",
        ),
    ] {
        let error = load(&organisation(source, target), AGENTS).unwrap_err();
        assert!(error.contains(why), "{source}: {error}");
    }
}

#[test]
fn an_organisation_is_not_moved_into_itself() {
    let at = |url: &str, client: &str| format!("base_url = \"{url}\"\nclient_id = \"{client}\"");
    let (here, there) = ("http://127.0.0.1:2", "http://127.0.0.1:3");
    for (source, target, is_refused) in [
        (at(here, "c"), at(here, "c"), true),
        (at(here, "s"), at(here, "c"), false),
        (at(there, "c"), at(here, "c"), false),
    ] {
        let read = load(&organisation(&source, &target), AGENTS);
        let told = read.err().unwrap_or_default();
        assert_eq!(
            told.contains("source and target are the same organisation"),
            is_refused,
            "{source} {target}: {told}"
        );
    }
}
