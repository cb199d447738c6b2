//! The fault table against the migrator and the verifier: what a row says is right for a call whose
//! data is wrong is what comes out, and the run of a log is the run again.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use rehearsal::Scenario;
use serde_json::Value;
use simulator::{
    Injected, Layer, Options, Outcome, PlatformName, Repair, Row, Simulator, fault_rows,
};

/// Calls with the fault in each world; the others show that it touches nobody else.
const VICTIMS: u64 = 2;

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _: u64, _: u64) {}
}

/// A world with exactly one kind of wrong data.
fn world_of(row: &Row) -> String {
    format!(
        "about = 'A test.'\nseed = 11\n[world]\ninteractions = 6\nagents = 4\nre_used_agents = \
         0\nqueues = 2\ntransfer_share = 0.0\nno_recording_share = 0.0\nmasked_share = \
         0.0\npause_share = 0.0\nhold_share = 0.0\nmean_seconds = 2.5\n[[fault]]\non = '{}'\nkind \
         = '{}'\ncount = {VICTIMS}\n[plan]\n{}\n[legacy.limits]\npage_max = 4\nredirect_share = \
         0.0\n{NO_LIMITS}[expect]\nverdict = 'match'\n",
        row.on[0], row.name, row.plan
    )
}

const NO_LIMITS: &str = "[genesys_cloud.limits]\nrequests_per_minute = 0\nuploads_per_second = 0\n";

/// What came of a migration and its verification.
struct Came {
    plan: LoadedPlan,
    migrated: migrator::Outcome,
    verified: verifier::Report,
    /// Calls of the source, and of the target by legacy id.
    source: Vec<Value>,
    target: BTreeMap<String, Value>,
}

impl Came {
    async fn of(scenario: Scenario) -> Came {
        let (simulator, dir, plan) = begin(scenario, Options::default()).await;
        let clock = Clock::starting_at(simulator.now_ms());
        let migrated = migrate(&plan, &clock).await;
        let options = verifier::Options {
            report_dir: Some(dir.path().join("report")),
            ..verifier::Options::default()
        };
        let network = Arc::new(Network::new().unwrap());
        let verified = verifier::verify(&plan, options, network, clock, &verifier::Silent)
            .await
            .unwrap_or_else(|stop| panic!("{stop}"));
        let lines = |text: String| {
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<Value>>()
        };
        let source = lines(simulator.truth(PlatformName::Legacy).await.unwrap());
        let target = lines(simulator.truth(PlatformName::GenesysCloud).await.unwrap());
        let target = target
            .into_iter()
            .map(|line| {
                (
                    line["legacy_interaction_id"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    line,
                )
            })
            .collect();
        Came {
            plan,
            migrated,
            verified,
            source,
            target,
        }
    }

    /// Calls with the fault: as the source has them, and as the target does.
    fn victims(&self) -> Vec<(&Value, Option<&Value>)> {
        let victims = self
            .source
            .iter()
            .filter(|line| line.get("planted").is_some());
        victims
            .map(|line| {
                (
                    line,
                    self.target
                        .get(line["legacy_interaction_id"].as_str().unwrap()),
                )
            })
            .collect()
    }
}

async fn begin(scenario: Scenario, options: Options) -> (Simulator, tempfile::TempDir, LoadedPlan) {
    let Scenario { setup, plan, .. } = scenario;
    let simulator = Simulator::start(setup, options).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let plan = LoadedPlan::read(&simulator.write_plan_with(dir.path(), &plan).unwrap())
        .unwrap_or_else(|error| panic!("{error}"));
    (simulator, dir, plan)
}

async fn migrate(plan: &LoadedPlan, clock: &Clock) -> migrator::Outcome {
    let network = Arc::new(Network::new().unwrap());
    let ended = migrator::migrate(
        plan.clone(),
        migrator::Options::default(),
        network,
        clock.clone(),
        &Quiet,
    )
    .await;
    ended.unwrap_or_else(|stop| panic!("{stop}"))
}

fn parsed(text: &str) -> Scenario {
    Scenario::parse(text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What differs from what the row says, in words.
fn differs(row: &Row, came: &Came) -> Vec<String> {
    let victims = came.victims();
    let recordings: u64 = victims
        .iter()
        .map(|(line, _)| line["recordings"].as_array().unwrap().len() as u64)
        .sum();
    let mut wrong = Vec::new();
    let mut hold = |what: &str, is: String, should: String| {
        if is != should {
            wrong.push(format!(
                "{}: {what} is {is} and should be {should}",
                row.name
            ));
        }
    };
    hold(
        "the number of calls with it",
        victims.len().to_string(),
        VICTIMS.to_string(),
    );
    let one = |reason: &str| BTreeMap::from([(reason.to_owned(), recordings)]);
    let (quarantined, skipped, verdict) = match row.outcome {
        Outcome::Quarantine(reason) => (one(reason), BTreeMap::new(), verifier::Verdict::Match),
        Outcome::Skip(reason) => (BTreeMap::new(), one(reason), verifier::Verdict::Match),
        Outcome::Repair(_) | Outcome::PassThrough => {
            (BTreeMap::new(), BTreeMap::new(), verifier::Verdict::Match)
        }
        Outcome::Left => (
            BTreeMap::new(),
            BTreeMap::new(),
            verifier::Verdict::CannotTell,
        ),
        Outcome::Survivable(_) => panic!("{}: wrong data does not heal", row.name),
    };
    let (tally, summary) = (&came.migrated.tally, &came.verified.summary);
    let left = if row.outcome == Outcome::Left {
        VICTIMS
    } else {
        0
    };
    let reasons: BTreeMap<String, u64> = quarantined
        .iter()
        .chain(&skipped)
        .map(|(reason, count)| (reason.clone(), *count))
        .collect();
    hold(
        "what was quarantined",
        format!("{:?}", tally.quarantined),
        format!("{quarantined:?}"),
    );
    hold(
        "what was skipped",
        format!("{:?}", tally.skipped),
        format!("{skipped:?}"),
    );
    hold(
        "what was left",
        format!(
            "{} {:?}",
            tally.interactions_left,
            came.migrated.errors.is_empty()
        ),
        format!("{left} {:?}", left == 0),
    );
    hold(
        "the verdict",
        format!("{:?}", summary.verdict),
        format!("{verdict:?}"),
    );
    hold(
        "what the verifier derives",
        format!("{:?}", summary.by_reason),
        format!("{reasons:?}"),
    );
    hold(
        "findings",
        format!(
            "{:?} {:?}",
            summary.by_defect,
            came.verified.findings.first()
        ),
        "{} None".to_owned(),
    );
    let stays = reasons.values().sum::<u64>() + if left > 0 { recordings } else { 0 };
    hold(
        "what matches",
        summary.counts.matched.to_string(),
        (summary.counts.source_recordings - stays).to_string(),
    );
    let is_there = victims.iter().all(|(_, target)| target.is_some());
    hold(
        "whether the target has them",
        is_there.to_string(),
        (stays == 0).to_string(),
    );
    if let (Outcome::Repair(repair), true) = (row.outcome, is_there) {
        wrong.extend(
            victims.iter().filter_map(|(source, target)| {
                not_seen(row, repair, came, source, target.unwrap())
            }),
        );
    }
    wrong
}

/// Why a repair is not to be seen on one call.
fn not_seen(
    row: &Row,
    repair: Repair,
    came: &Came,
    source: &Value,
    target: &Value,
) -> Option<String> {
    let (plan, warnings) = (&came.plan.plan, &came.migrated.warnings);
    let is_seen = match repair {
        Repair::EndsSwapped => {
            target["attributes"]["st.repair"] == "ends_swapped"
                && warnings.get("ends_swapped") == Some(&VICTIMS)
        }
        Repair::AmbiguousHourEarlier => {
            target["start"] == source["start"]
                && warnings.get("ambiguous_hour_earlier") == Some(&VICTIMS)
        }
        Repair::MissingHourForward => {
            target["start"] == source["start"]
                && warnings.get("missing_hour_forward") == Some(&VICTIMS)
        }
        Repair::DeclaredOffset => {
            target["start"] == source["start"]
                && target["attributes"]["st.raw_start"] == source["attributes"]["raw_start_ms"]
        }
        Repair::FallbackUser => {
            let plan::UnmappedAgent::Fallback(user) = plan.rules.unmapped_agent else {
                panic!("the plan has no fallback")
            };
            target["participants"]
                .to_string()
                .contains(&user.to_string())
        }
        Repair::DefaultQueue => {
            let plan::UnmappedQueue::Default(queue) = plan.rules.unmapped_queue else {
                panic!("the plan has no default queue")
            };
            target["queue"] == queue.to_string()
        }
    };
    (!is_seen).then(|| {
        format!(
            "{}: {repair:?} is not to be seen on {target} of {source}; warnings {warnings:?}",
            row.name
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_sources_data_comes_to_what_its_row_says() {
    let rows: Vec<&Row> = fault_rows()
        .filter(|row| row.layer == Layer::Domain)
        .collect();
    assert!(rows.len() >= 40, "{}", rows.len());
    let judged = stream::iter(rows)
        .map(|row| async move { differs(row, &Came::of(parsed(&world_of(row))).await) });
    let wrong: Vec<String> = judged.buffered(4).collect::<Vec<_>>().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn scenarios() -> Vec<Scenario> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = |folder: &PathBuf| {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let mut files = entries(&folder);
    let below: Vec<PathBuf> = files
        .iter()
        .filter(|path| path.is_dir() && !path.ends_with("contracts"))
        .flat_map(entries)
        .collect();
    files.extend(below);
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    files
        .iter()
        .map(|file| Scenario::read(file).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

#[test]
fn every_row_of_the_fault_table_is_met_in_a_scenario() {
    let scenarios = scenarios();
    let is_met = |row: &&Row| {
        scenarios
            .iter()
            .flat_map(|scenario| &scenario.setup.faults)
            .any(|rule| rule.kind == row.kind)
    };
    let unmet: Vec<&str> = fault_rows()
        .filter(|row| !is_met(row))
        .map(|row| row.name)
        .collect();
    assert!(unmet.is_empty(), "no scenario meets {unmet:?}");
}

/// Faults of every layer that strike by key, so that workers meet the same ones in any order.
const STRUCK: &str = "
[[fault]]
on = 'legacy.get_media'
kind = 'truncated_body'
attempts = [1]
share = 0.4
[[fault]]
on = 'legacy.get_recording'
kind = 'server_error'
heal_after_attempts = 2
share = 0.3
status = 502
[[fault]]
on = 'genesys_cloud.upload_file'
kind = 'connection_reset'
attempts = [1]
share = 0.4
[[fault]]
on = 'genesys_cloud.create_interaction'
kind = 'lost_answer'
attempts = [1]
share = 0.4
[[fault]]
on = 'genesys_cloud.create_interaction'
kind = 'late_answer'
attempts = [2]
share = 0.4
ms = 50
";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_with_exactly_the_faults_of_a_log() {
    let text = format!(
        "about = 'A test.'\nseed = 5\n[world]\ninteractions = 16\nmean_seconds = \
         1.0\n{STRUCK}{NO_LIMITS}[expect]\nverdict = 'match'"
    );
    let run = async |options: Options| {
        let (simulator, _dir, plan) = begin(parsed(&text), options).await;
        let clock = Clock::starting_at(simulator.now_ms());
        let migrated = migrate(&plan, &clock).await;
        assert_eq!(migrated.tally.interactions_left, 0, "{:?}", migrated.errors);
        Injected::write_log(&simulator.injected())
    };
    let first = run(Options::default()).await;
    assert!(first.lines().count() > 15, "{first}");
    let other_seed = Options {
        fault_seed: Some(6),
        ..Options::default()
    };
    assert_ne!(
        run(other_seed.clone()).await,
        first,
        "another seed of faults strikes elsewhere"
    );
    let log = Injected::read_log(&first).unwrap();
    assert_eq!(
        run(Options {
            replay: Some(log),
            ..other_seed
        })
        .await,
        first
    );
}

#[test]
fn a_replayed_log_of_a_scenario_is_read_beside_it_and_a_bad_one_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let scenario = "about = 'A test.'\nseed = 5\n[replay]\nfile = \
        'faults.ndjson'\n[expect]\nverdict = 'match'";
    std::fs::write(file("scenario.toml"), scenario).unwrap();
    let read = || Scenario::read(&file("scenario.toml"));
    assert!(
        read().is_err_and(|error| error.to_string().contains("faults.ndjson")),
        "a log that is not there"
    );
    let line = r#"{"id":"f1-1","fault":1,"kind":"server_error","operation":"legacy.get_media","key":"100001-1","attempt":1,"status":502}"#;
    std::fs::write(file("faults.ndjson"), format!("{line}\n")).unwrap();
    assert_eq!(read().unwrap().setup.replay.map(|log| log.len()), Some(1));
    std::fs::write(file("faults.ndjson"), format!("{line}\n{{}}\n")).unwrap();
    let error = read().err().unwrap().to_string();
    assert!(error.contains("faults.ndjson:2:"), "{error}");
    assert!(Path::new(&file("scenario.toml")).exists());
}
