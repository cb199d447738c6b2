//! Bad input ends each command with one clear sentence and the exit code that says whose turn it
//! is.

mod support;

use std::net::TcpListener;
use std::path::Path;

use support::{NO_LIMITS, Run, Simulation, copied, read, redacted, replace, seatrial};
use tempfile::TempDir;

const SMALL_WORLD: &str = "[world]\ninteractions = 3\nre_used_agents = 0\n";

fn simulation(body: &str) -> Simulation {
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = 3\n{body}{NO_LIMITS}\n[expect]\nverdict = \"match\"\n"
    ))
}

fn append(dir: &Path, file: &str, line: &str) {
    let path = dir.join(file);
    let text = read(&path) + line + "\n";
    std::fs::write(path, text).expect("written");
}

/// What refusals say, case by case, as a snapshot holds it; and what is wrong about their form.
#[derive(Default)]
struct Refusals {
    said: String,
    wrong: Vec<String>,
}

impl Refusals {
    /// Takes a refusal: one sentence on standard error, nothing on standard output, no secret
    /// anywhere. The same sentence for a further command of one case is not repeated.
    fn add(&mut self, what: &str, dir: &Path, run: &Run, code: i32, secrets: &[String]) {
        let mut hold = |holds: bool, why: String| {
            if !holds {
                self.wrong.push(format!("{what}: {why}: {run}"));
            }
        };
        hold(run.code == code, format!("should end {code}"));
        hold(
            run.stdout.is_empty(),
            "nothing is said on standard output".to_owned(),
        );
        // Who is waited for is told meanwhile.
        let told: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| !line.starts_with("waiting for the "))
            .collect();
        hold(
            told.len() == 1 && told[0].starts_with("seatrial: "),
            "one sentence".to_owned(),
        );
        hold(
            !secrets
                .iter()
                .any(|secret| run.stderr.contains(secret.as_str())),
            "a secret is told".to_owned(),
        );
        let case = format!(
            "{what} ({code})\n    {}\n",
            redacted(&told.join("\n"), dir).trim_end()
        );
        if !self.said.ends_with(&case) {
            self.said.push_str(&case);
        }
    }

    /// What was said, once nothing is wrong about its form.
    fn held(self) -> String {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        self.said
    }
}

fn secrets(simulation: &Simulation) -> Vec<String> {
    ["source", "target"]
        .map(|name| {
            read(&simulation.file(&format!("secrets/{name}")))
                .trim()
                .to_owned()
        })
        .to_vec()
}

/// What is wrong with the plan, and how it is made so.
type Row = (&'static str, fn(&Path));

const BAD_PLANS: &[Row] = &[
    ("a wrong type", |dir| {
        replace(dir, "plan.toml", "workers = 16", "workers = \"many\"")
    }),
    ("an unknown key", |dir| {
        replace(dir, "plan.toml", "workers = 16", "worker = 16")
    }),
    ("a missing key", |dir| {
        replace(dir, "plan.toml", "phones = \"keep\"\n", "")
    }),
    ("no TOML", |dir| {
        replace(dir, "plan.toml", "workers = 16", "workers = ")
    }),
    ("a literal secret", |dir| {
        replace(
            dir,
            "plan.toml",
            "[source.client_secret]\nfile = \"secrets/source\"\n",
            "",
        );
        replace(
            dir,
            "plan.toml",
            "client_id = \"migrator\"",
            "client_id = \"migrator\"\nclient_secret = \"hunter2\"",
        );
    }),
    ("a secret that is not there", |dir| {
        drop(std::fs::remove_file(dir.join("secrets/target")))
    }),
    ("an unknown version", |dir| {
        replace(dir, "plan.toml", "plan_version = 1", "plan_version = 9")
    }),
    ("a zone nobody has", |dir| {
        replace(dir, "plan.toml", "Europe/London", "Europe/Londinium")
    }),
    ("the guide's endpoints towards a vendor host", |dir| {
        let text = read(&dir.join("plan.toml"));
        let (head, target) = text.split_once("[target]").expect("a target");
        let url = target
            .lines()
            .find(|line| line.starts_with("base_url"))
            .expect("a URL");
        let text = format!(
            "{head}[target]{}",
            target.replacen(url, "base_url = \"https://api.mypurecloud.com\"", 1)
        );
        std::fs::write(dir.join("plan.toml"), text).expect("written");
    }),
    ("no mapping file", |dir| {
        drop(std::fs::remove_file(dir.join("mapping/agents.csv")))
    }),
    ("an agent on two lines", |dir| {
        let row = read(&dir.join("mapping/agents.csv"))
            .lines()
            .nth(2)
            .expect("a row")
            .to_owned();
        append(dir, "mapping/agents.csv", &row);
    }),
    ("overlapping validity", |dir| {
        let user = "1a91c4a5-1111-4111-8111-111111111111";
        append(
            dir,
            "mapping/agents.csv",
            &format!("AGT-900,{user},One,,2025-02-01T00:00:00Z"),
        );
        append(
            dir,
            "mapping/agents.csv",
            &format!("AGT-900,{user},Two,2025-01-01T00:00:00Z,"),
        );
    }),
    ("a user that is no UUID", |dir| {
        append(dir, "mapping/agents.csv", "AGT-900,jane.doe,Jane Doe,,")
    }),
    ("a queue on two lines", |dir| {
        let row = read(&dir.join("mapping/queues.csv"))
            .lines()
            .nth(1)
            .expect("a row")
            .to_owned();
        append(dir, "mapping/queues.csv", &row);
    }),
    ("a column nobody knows", |dir| {
        replace(
            dir,
            "mapping/queues.csv",
            "genesys_queue_id",
            "genesys_queue",
        )
    }),
    ("a row too short", |dir| {
        append(dir, "mapping/agents.csv", "AGT-900")
    }),
];

#[test]
fn a_bad_plan_is_refused_before_the_first_request() {
    let simulation = simulation(SMALL_WORLD);
    let mut secrets = secrets(&simulation);
    secrets.push("hunter2".to_owned());
    let mut refusals = Refusals::default();
    for (what, damage) in BAD_PLANS {
        let folder = copied(&simulation);
        damage(folder.path());
        for command in ["preflight", "migrate", "verify"] {
            let run = seatrial(folder.path(), &[command, "plan.toml"]);
            refusals.add(what, folder.path(), &run, 2, &secrets);
        }
        assert!(
            !folder.path().join("seatrial-report").exists(),
            "{what}: a report without a verification"
        );
    }
    assert_eq!(simulation.get("/_sim/journal"), "", "a request was sent");
    insta::assert_snapshot!("bad_plans", refusals.held());
}

#[test]
fn a_plan_that_does_not_fit_the_target_is_refused_before_a_write() {
    let ghost = "00000000-aaaa-4aaa-8aaa-000000000000";
    let rules = format!(
        "fallback_user = false\nunmapped_agents = 1\n\n[plan.rules]\nunmapped_agent = \
         \"fallback:{ghost}\"\n"
    );
    let no_fallback = simulation(&format!("{SMALL_WORLD}{rules}"));
    let mut refusals = Refusals::default();
    refusals.add(
        "no fallback user",
        no_fallback.dir(),
        &no_fallback.migrate(&[]),
        2,
        &secrets(&no_fallback),
    );
    assert_eq!(no_fallback.get("/_sim/truth/genesys_cloud"), "");

    let strangers = simulation(&format!("{SMALL_WORLD}invalid_agent_ids = 1\n"));
    refusals.add(
        "a user nobody has",
        strangers.dir(),
        &strangers.migrate(&[]),
        2,
        &secrets(&strangers),
    );
    insta::assert_snapshot!("plans_that_do_not_fit", refusals.held());
}

#[test]
fn a_wrong_secret_names_the_side_that_refuses() {
    let simulation = simulation(SMALL_WORLD);
    let mut secrets = secrets(&simulation);
    secrets.push("not-the-secret".to_owned());
    let mut refusals = Refusals::default();
    for (side, code) in [("source", 12), ("target", 13)] {
        let folder = copied(&simulation);
        std::fs::write(folder.path().join("secrets").join(side), "not-the-secret")
            .expect("written");
        for command in ["preflight", "migrate", "verify"] {
            let run = seatrial(folder.path(), &[command, "plan.toml"]);
            refusals.add(
                &format!("a wrong secret of the {side}"),
                folder.path(),
                &run,
                code,
                &secrets,
            );
        }
    }
    insta::assert_snapshot!("wrong_secrets", refusals.held());
}

/// A side whose port is closed: the clients say at once that nobody answers, try for some seconds,
/// then the sentence names address and side.
fn unreachable(side: &str, code: i32) {
    let simulation = simulation(SMALL_WORLD);
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let address = simulation.addresses[if side == "source" {
        "legacy"
    } else {
        "genesys_cloud"
    }]
    .as_str()
    .expect("an address");
    let folder = copied(&simulation);
    let closed = format!("http://127.0.0.1:{port}");
    let text = read(&folder.path().join("plan.toml")).replace(address, &closed);
    std::fs::write(folder.path().join("plan.toml"), text).expect("written");
    let mut run = seatrial(folder.path(), &["migrate", "plan.toml"]);
    let (waiting, rest): (Vec<&str>, Vec<&str>) = run
        .stderr
        .lines()
        .partition(|line| line.contains("trying again"));
    assert!(
        waiting.len() == 1 && waiting[0].contains("does not answer: connection refused"),
        "{run}"
    );
    run.stderr = rest.join("\n");
    let mut refusals = Refusals::default();
    refusals.add(
        &format!("no {side}"),
        folder.path(),
        &run,
        code,
        &secrets(&simulation),
    );
    insta::assert_snapshot!(format!("unreachable_{side}"), refusals.held());
}

#[test]
fn an_unreachable_source_is_named() {
    unreachable("source", 12);
}

#[test]
fn an_unreachable_target_is_named() {
    unreachable("target", 13);
}

#[test]
fn a_bad_scenario_is_refused_with_its_line() {
    let good =
        "about = \"A test.\"\nseed = 1\n[world]\ninteractions = 3\n[expect]\nverdict = \"match\"\n";
    let rows: [(&str, &str, &str); 9] = [
        ("an unknown key", "interactions = 3", "interaction = 3"),
        (
            "a wrong type",
            "interactions = 3",
            "interactions = \"three\"",
        ),
        (
            "a share above one",
            "interactions = 3",
            "stereo_share = 1.5",
        ),
        (
            "an unknown value",
            "verdict = \"match\"",
            "verdict = \"mach\"",
        ),
        ("no verdict", "verdict = \"match\"", ""),
        (
            "an unknown reason",
            "verdict = \"match\"",
            "verdict = \"match\"\nskipped = { expird = 1 }",
        ),
        (
            "an unknown defect",
            "[expect]",
            "[[after_migration]]\ntamper = \"D99\"\n[expect]",
        ),
        (
            "an unknown operation",
            "[expect]",
            "[[fault]]\non = \"genesys_cloud.upload_fil\"\nkind = \"latency\"\n[expect]",
        ),
        ("no TOML", "seed = 1", "seed = "),
    ];
    let folder = TempDir::new().expect("a folder");
    let mut refusals = Refusals::default();
    for (what, old, new) in rows {
        std::fs::write(folder.path().join("bad.toml"), good.replacen(old, new, 1))
            .expect("written");
        refusals.add(
            what,
            folder.path(),
            &seatrial(folder.path(), &["simulate", "bad.toml"]),
            2,
            &[],
        );
    }
    refusals.add(
        "no file",
        folder.path(),
        &seatrial(folder.path(), &["simulate", "none.toml"]),
        2,
        &[],
    );
    insta::assert_snapshot!("bad_scenarios", refusals.held());
}

#[test]
fn a_rehearsal_of_no_scenario_ends_like_a_bad_call() {
    let folder = TempDir::new().expect("a folder");
    let run = seatrial(folder.path(), &["rehearse", "none.toml"]).ends(2);
    insta::assert_snapshot!(
        "nothing_to_rehearse",
        redacted(
            &format!("{}-- standard error\n{}", run.stdout, run.stderr),
            folder.path()
        )
    );
}

#[test]
fn a_bad_line_of_an_imported_world_is_named() {
    let good = r#"{"id":5,"startTime":1000,"endTime":4000,"direction":"INBOUND"}"#;
    let rows: [(&str, &str); 5] = [
        (
            "an unknown field",
            r#"{"id":6,"startTim":1000,"endTime":4000,"direction":"INBOUND"}"#,
        ),
        ("an id twice", good),
        ("no JSON", "{"),
        (
            "a file outside",
            r#"{"id":6,"startTime":1,"endTime":2,"direction":"INBOUND","recordings":[{"id":"6-1","file":"../6.wav"}]}"#,
        ),
        (
            "a direction nobody has",
            r#"{"id":6,"startTime":1,"endTime":2,"direction":"UP"}"#,
        ),
    ];
    let folder = TempDir::new().expect("a folder");
    let scenario = "about = \"A test.\"\nseed = 1\n[world]\nfile = \
        \"calls.ndjson\"\n[expect]\nverdict = \"match\"\n";
    std::fs::write(folder.path().join("imported.toml"), scenario).expect("written");
    let mut refusals = Refusals::default();
    for (what, line) in rows {
        std::fs::write(
            folder.path().join("calls.ndjson"),
            format!("{good}\n{line}\n"),
        )
        .expect("written");
        refusals.add(
            what,
            folder.path(),
            &seatrial(folder.path(), &["simulate", "imported.toml"]),
            2,
            &[],
        );
    }
    std::fs::remove_file(folder.path().join("calls.ndjson")).expect("removed");
    refusals.add(
        "no file",
        folder.path(),
        &seatrial(folder.path(), &["simulate", "imported.toml"]),
        2,
        &[],
    );
    insta::assert_snapshot!("bad_worlds", refusals.held());
}

#[test]
fn each_permission_the_public_ingestion_lacks_is_named_before_a_write() {
    let lacking = |scope: &str| {
        let limits = NO_LIMITS.replace(
            "[genesys_cloud.limits]",
            &format!("[genesys_cloud.limits]\nmissing_scopes = [\"{scope}\"]"),
        );
        let text = format!(
            "about = \"A test.\"\nseed = 3\ningest = \
             \"public\"\n{SMALL_WORLD}{limits}\n[expect]\nverdict = \"match\"\n"
        );
        Simulation::start(&text)
    };
    let (mut refusals, mut wrong) = (Refusals::default(), Vec::new());
    for scope in [
        "conversation:conversation:inject",
        "recording:recording:upload",
    ] {
        let simulation = lacking(scope);
        refusals.add(
            scope,
            simulation.dir(),
            &simulation.migrate(&[]),
            2,
            &secrets(&simulation),
        );
        assert_eq!(
            simulation.get("/_sim/effects"),
            "",
            "{scope}: something was written"
        );
    }
    // What is needed only where something goes wrong does not hold a run up; preflight says it all
    // the same.
    for scope in [
        "recording:uploadReport:add",
        "recording:uploadReport:view",
        "recording:orphan:view",
        "recording:orphan:edit",
        "recording:deletionProtection:apply",
        "recording:recording:editRetention",
    ] {
        let simulation = lacking(scope);
        let run = simulation.seatrial(&["preflight", "plan.toml"]);
        let said = format!("{}{}", run.stdout, run.stderr);
        if run.code != 0 || !said.contains(scope) {
            wrong.push(format!("{scope}: {run}"));
        }
        assert_eq!(
            simulation.get("/_sim/effects"),
            "",
            "{scope}: preflight changes nothing"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("lacking_permissions", refusals.held());
}
