//! A few recordings go first, a person looks at them, and nothing else goes to a target elsewhere
//! before that.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use migrator::{Canary, CanaryState, Outcome, RunError};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::{Body, Network, Transport, TransportError};
use rehearsal::Scenario;
use serde_json::{Value, json};
use simulator::Simulator;
use support::{FULL_WORLD, Simulation, http, read, scenario};
use tempfile::TempDir;

/// Enough to show everything in [`FULL_WORLD`], and far from all of it.
const ENOUGH: usize = 24;

/// The host a plan names, reached at a simulator's port on this machine.
struct Elsewhere {
    network: Network,
    authority: http::uri::Authority,
}

const HOST: &str = "api.target.test";

#[async_trait]
impl Transport for Elsewhere {
    async fn send(
        &self,
        mut request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        if request.uri().host() == Some(HOST) {
            let mut parts = request.uri().clone().into_parts();
            parts.authority = Some(self.authority.clone());
            *request.uri_mut() = http::Uri::from_parts(parts).expect("an address");
        }
        self.network.send(request).await
    }
}

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _: u64, _: u64) {}
}

/// Simulators in this process, and a plan whose target is another machine by its name.
struct World {
    simulator: Simulator,
    dir: TempDir,
}

impl World {
    async fn start(seed: u64) -> World {
        let Scenario { setup, plan, .. } =
            Scenario::parse(&scenario(seed, FULL_WORLD), "canary.toml").expect("a scenario");
        let simulator = Simulator::start(setup, simulator::Options::default())
            .await
            .expect("simulators");
        let dir = TempDir::new().expect("a folder");
        let plan = simulator
            .write_plan_with(dir.path(), &plan)
            .expect("a plan");
        let world = World { simulator, dir };
        let here = format!(
            "base_url = \"{}\"",
            world.simulator.addresses().genesys_cloud
        );
        world.change(&plan, &here, &format!("base_url = \"http://{HOST}\""));
        world
    }

    fn change(&self, file: &Path, old: &str, new: &str) {
        let text = read(file);
        assert!(text.contains(old), "no {old} in {text}");
        std::fs::write(file, text.replacen(old, new, 1)).expect("written");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn plan(&self) -> LoadedPlan {
        LoadedPlan::read(&self.file("plan.toml")).expect("a plan")
    }

    /// The scenario's day, whatever day it is.
    fn clock(&self) -> Clock {
        Clock::starting_at(self.simulator.now_ms())
    }

    fn transport(&self) -> Arc<dyn Transport> {
        let authority = self
            .simulator
            .addresses()
            .genesys_cloud
            .trim_start_matches("http://")
            .trim_end_matches('/');
        Arc::new(Elsewhere {
            network: Network::new().expect("a network"),
            authority: authority.parse().expect("an authority"),
        })
    }

    async fn migrate(&self, options: migrator::Options) -> Result<Outcome, RunError> {
        migrator::migrate(self.plan(), options, self.transport(), self.clock(), &Quiet).await
    }

    /// The sentence a run is refused with; nothing has changed in the target.
    async fn refused(&self, options: migrator::Options) -> String {
        let before = self.simulator.effects();
        let stop = self.migrate(options).await.expect_err("a refusal");
        assert!(matches!(stop, RunError::Plan(_)), "{stop}");
        assert_eq!(self.simulator.effects(), before, "{stop}");
        stop.to_string()
    }

    async fn canary(&self, wanted: usize) -> Canary {
        let options = migrator::Options {
            canary: Some(wanted),
            accept_plan_change: true,
            ..migrator::Options::default()
        };
        let canary = self
            .migrate(options)
            .await
            .expect("a canary")
            .canary
            .expect("told");
        assert_eq!(canary.left, Vec::<String>::new());
        assert!(canary.recordings <= wanted, "{canary:?}");
        canary
    }

    async fn verify(&self, only: Option<&Canary>) -> verifier::Report {
        let only = only.map(|canary| canary.interactions.iter().cloned().collect());
        let options = verifier::Options {
            only,
            ..verifier::Options::default()
        };
        verifier::verify(
            &self.plan(),
            options,
            self.transport(),
            self.clock(),
            &verifier::Silent,
        )
        .await
        .expect("a verdict")
    }

    async fn checklist(&self) -> PathBuf {
        let path = self.file("canary-checklist.csv");
        migrator::write_checklist(&self.plan(), None, &path, "match", &self.clock())
            .await
            .expect("a checklist")
    }

    async fn confirm(&self, file: &Path) -> Result<Canary, RunError> {
        migrator::confirm_canary(&self.plan(), None, file, &self.clock()).await
    }

    /// Calls in the target, by their ids in the source.
    fn there(&self) -> BTreeSet<String> {
        let truth = http(
            &self.simulator.addresses().control,
            "GET",
            "/_sim/truth/genesys_cloud",
            "",
        )
        .1;
        truth
            .lines()
            .map(|line| id(&serde_json::from_str(line).expect("truth")))
            .collect()
    }
}

fn id(call: &Value) -> String {
    call["legacy_interaction_id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Fills in a checklist: yes everywhere but in the cells of `no`, given as line from 0 and column.
fn fill(clock: &Clock, path: &Path, no: &[(usize, &str)]) -> PathBuf {
    let text = read(path);
    let comments: Vec<&str> = text
        .lines()
        .take_while(|line| line.starts_with('#'))
        .collect();
    let rows = &text[comments.iter().map(|line| line.len() + 1).sum()..];
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).expect("written");
    for (at, row) in reader.records().enumerate() {
        let row = row.expect("a row");
        let cell = |(name, cell): (&str, &str)| match name {
            "found" | "plays" | "right_agent" | "right_date" | "right_deletion_date" => {
                if no.contains(&(at, name)) {
                    "no".to_owned()
                } else {
                    "yes".to_owned()
                }
            }
            "checked_by" => "Jo Smith".to_owned(),
            "checked_at" => format!("{:.0}", clock.now()),
            _ => cell.to_owned(),
        };
        writer
            .write_record(header.iter().zip(&row).map(cell))
            .expect("written");
    }
    let filled = path.with_file_name(if no.is_empty() {
        "filled.csv"
    } else {
        "failed.csv"
    });
    let rows = String::from_utf8(writer.into_inner().expect("rows")).expect("text");
    std::fs::write(&filled, comments.join("\n") + "\n" + &rows).expect("written");
    filled
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_elsewhere_before_its_canary_is_confirmed() {
    let world = World::start(61).await;
    let refused = world.refused(migrator::Options::default()).await;
    assert!(
        refused.contains(HOST) && refused.contains("--canary"),
        "{refused}"
    );
    world
        .refused(migrator::Options {
            limit: Some(1),
            ..migrator::Options::default()
        })
        .await;
    world
        .refused(migrator::Options {
            canary: Some(ENOUGH),
            limit: Some(1),
            ..migrator::Options::default()
        })
        .await;
    world
        .migrate(migrator::Options {
            dry_run: true,
            limit: Some(5),
            ..migrator::Options::default()
        })
        .await
        .expect("a dry run");
    let too_many = world
        .refused(migrator::Options {
            canary: Some(100_000),
            ..migrator::Options::default()
        })
        .await;
    assert!(
        too_many.contains("nobody has confirmed; give it 200 at most"),
        "{too_many}"
    );
    let too_few = world
        .refused(migrator::Options {
            canary: Some(3),
            ..migrator::Options::default()
        })
        .await;
    assert!(
        too_few.contains("would do") && too_few.contains("codec"),
        "{too_few}"
    );
    assert_eq!(
        (world.simulator.effects(), world.there().len()),
        (String::new(), 0)
    );

    let canary = world.canary(ENOUGH).await;
    assert_eq!(
        world.there(),
        canary.interactions.iter().cloned().collect(),
        "exactly the chosen ones"
    );
    for feature in [
        "codec GSM",
        "codec AMR",
        "codec ADPCM",
        "with a pause",
        "without a pause",
        "under legal hold",
        "direction INBOUND",
    ] {
        assert!(
            canary
                .features
                .iter()
                .any(|shown| shown.starts_with(feature)),
            "{feature}: {:?}",
            canary.features
        );
    }
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("is not verified")
    );
    let report = world.verify(Some(&canary)).await;
    assert_eq!(
        report.summary.verdict,
        verifier::Verdict::Match,
        "{}",
        report.text()
    );
    assert_eq!(
        (report.summary.scope.only, report.summary.counts.matched),
        (
            Some(canary.interactions.len() as u64),
            canary.recordings as u64
        )
    );

    let checklist = world.checklist().await;
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("waits to be filled in")
    );
    // While somebody is looking, no other number sends more.
    let other = world
        .refused(migrator::Options {
            canary: Some(ENOUGH + 4),
            ..migrator::Options::default()
        })
        .await;
    assert!(other.contains("waits to be filled in"), "{other}");
    let unfilled = world
        .confirm(&checklist)
        .await
        .expect_err("nothing filled in");
    assert!(
        unfilled.to_string().contains("column found: it is empty"),
        "{unfilled}"
    );
    let filled = fill(&world.clock(), &checklist, &[]);
    for _ in 0..2 {
        let confirmed = world.confirm(&filled).await.expect("confirmed");
        assert_eq!(
            (confirmed.state, confirmed.checked_by.join("")),
            (CanaryState::Confirmed, "Jo Smith".to_owned())
        );
    }
    // Another size is another choice, which nobody has confirmed; what has gone stays in it.
    let greater = world.canary(ENOUGH + 4).await;
    assert!(
        canary
            .interactions
            .iter()
            .all(|id| greater.interactions.contains(id)),
        "{canary:?} {greater:?}"
    );
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("is not verified")
    );
    assert!(
        world.confirm(&filled).await.is_err(),
        "a list of another choice"
    );
    let filled = fill(&world.clock(), &world.checklist().await, &[]);
    assert_eq!(
        world.confirm(&filled).await.expect("confirmed").state,
        CanaryState::Confirmed
    );

    world
        .migrate(migrator::Options::default())
        .await
        .expect("the rest");
    let report = world.verify(None).await;
    assert_eq!(
        (report.summary.verdict, report.summary.scope.only),
        (verifier::Verdict::Match, None),
        "{}",
        report.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_plan_needs_a_canary_of_its_own() {
    let world = World::start(62).await;
    let first = world.canary(ENOUGH).await;
    let old = fill(&world.clock(), &world.checklist().await, &[]);
    world.confirm(&old).await.expect("confirmed");
    world.change(
        &world.file("plan.toml"),
        "[pace]",
        "# Another evening.\n[pace]",
    );
    let changed = world.refused(migrator::Options::default()).await;
    assert!(changed.contains("the plan has changed"), "{changed}");
    let accepted = migrator::Options {
        accept_plan_change: true,
        ..migrator::Options::default()
    };
    let accepted = world.refused(accepted).await;
    assert!(accepted.contains("of another plan"), "{accepted}");
    assert!(
        world
            .confirm(&old)
            .await
            .expect_err("of another plan")
            .to_string()
            .contains("of another plan")
    );

    let second = world.canary(ENOUGH).await;
    assert!(
        first
            .interactions
            .iter()
            .all(|id| !second.interactions.contains(id)),
        "what went under the old plan shows nothing of this one"
    );
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("is not verified")
    );
    let checklist = world.checklist().await;
    let stale = world
        .confirm(&old)
        .await
        .expect_err("of another plan")
        .to_string();
    assert!(stale.contains("line 2: it is of the plan"), "{stale}");
    world
        .confirm(&fill(&world.clock(), &checklist, &[]))
        .await
        .expect("confirmed");
    world
        .migrate(migrator::Options::default())
        .await
        .expect("the rest");
    assert_eq!(
        world.verify(None).await.summary.verdict,
        verifier::Verdict::Match
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_line_stops_the_run_until_another_canary_is_confirmed() {
    let world = World::start(63).await;
    world.canary(ENOUGH).await;
    let checklist = world.checklist().await;
    let failed = fill(&world.clock(), &checklist, &[(2, "right_date")]);
    let canary = world.confirm(&failed).await.expect("read");
    assert_eq!(
        (canary.state, canary.failed.len()),
        (CanaryState::Failed, 1)
    );
    let refused = world.refused(migrator::Options::default()).await;
    assert!(
        refused.contains("failed (Jo Smith") && refused.contains("right_date is no"),
        "{refused}"
    );
    // A nicer list of the same canary lifts nothing.
    assert!(
        world
            .confirm(&fill(&world.clock(), &checklist, &[]))
            .await
            .expect_err("too late")
            .to_string()
            .contains("failed")
    );
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("failed")
    );

    let recording = canary.failed[0]
        .split([' ', ':'])
        .nth(1)
        .expect("a recording")
        .to_owned();
    let call = read(&checklist)
        .lines()
        .find(|line| line.contains(&recording))
        .and_then(|line| line.split(',').next())
        .map(str::to_owned);
    let second = world.canary(ENOUGH).await;
    assert!(
        second.interactions.contains(&call.expect("its call")),
        "what failed is looked at again"
    );
    assert!(
        world
            .refused(migrator::Options::default())
            .await
            .contains("is not verified")
    );
    std::fs::remove_file(world.file("filled.csv")).expect("removed");
    let checklist = world.checklist().await;
    world
        .confirm(&fill(&world.clock(), &checklist, &[]))
        .await
        .expect("confirmed");
    world
        .migrate(migrator::Options::default())
        .await
        .expect("the rest");
    assert_eq!(
        world.verify(None).await.summary.verdict,
        verifier::Verdict::Match
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_out_to_stay_behind_is_replaced_and_said() {
    let world = World::start(64).await;
    // All of it: bad media is only met when it is decoded.
    let canary = world.canary(200).await;
    assert!(
        canary
            .replaced
            .iter()
            .any(|sentence| sentence.contains("stays behind: audio_")),
        "{:?}",
        canary.replaced
    );
    assert_eq!(world.there(), canary.interactions.iter().cloned().collect());
    let report = world.verify(Some(&canary)).await;
    assert_eq!(
        (report.summary.verdict, report.summary.counts.quarantined),
        (verifier::Verdict::Match, 0),
        "{}",
        report.text()
    );
}

fn simulation(seed: u64, head: &str) -> Simulation {
    Simulation::start(&scenario(seed, &format!("{head}{FULL_WORLD}")))
}

fn there(simulation: &Simulation) -> BTreeSet<String> {
    simulation.truth("genesys_cloud").iter().map(id).collect()
}

#[test]
fn a_person_takes_a_canary_to_the_whole_migration_on_both_surfaces() {
    for (seed, head) in [(65, ""), (66, "ingest = \"public\"\n")] {
        let simulation = simulation(seed, head);
        let sent = simulation.migrate(&["--canary", "24"]).ends(0);
        for part in [
            "chosen so that each of these is shown",
            "canary match: all",
            "nothing is said of any other",
            "--confirm-canary",
        ] {
            assert!(sent.stdout.contains(part), "{part} is not in {sent}");
        }
        let summary: Value =
            serde_json::from_str(&read(&simulation.file("canary-report/summary.json")))
                .expect("JSON");
        assert_eq!(
            (&summary["scope"]["only"], &summary["scope"]["audio"]),
            (&json!(there(&simulation).len()), &json!("all"))
        );
        let checklist = simulation.file("canary-checklist.csv");
        let customers = simulation.truth("legacy");
        let numbers = customers
            .iter()
            .flat_map(|call| [call["ani"].as_str(), call["dnis"].as_str()])
            .flatten();
        let text = read(&checklist);
        for number in numbers
            .map(|number| number.trim_start_matches('+'))
            .filter(|number| number.len() > 6)
        {
            assert!(!text.contains(number), "a number stands in the checklist");
        }
        // Again: the same canary, and the list as it was.
        let again = simulation
            .migrate(&["--canary", "24", "--json"])
            .ends(0)
            .json();
        assert_eq!(
            (&again["verdict"], read(&checklist)),
            (&json!("match"), text)
        );
        assert!(
            simulation
                .seatrial(&["status", "plan.toml"])
                .ends(0)
                .stdout
                .contains("waits to be filled in")
        );
        let filled = fill(&Clock::real(), &checklist, &[]);
        let confirmed = simulation
            .migrate(&["--confirm-canary", filled.to_str().expect("a path")])
            .ends(0);
        assert!(
            confirmed.sentence().contains("was confirmed by Jo Smith"),
            "{confirmed}"
        );
        assert!(
            simulation
                .migrate(&["--canary", "24"])
                .ends(0)
                .stdout
                .contains("nothing was sent")
        );
        simulation.migrated();
        let verified = simulation.verify(&[]);
        assert_eq!(verified.run.code, 0, "{}", verified.run);
        simulation
            .seatrial(&["status", "plan.toml", "--custody", "custody.ndjson"])
            .ends(0);
        let heard = read(&simulation.file("custody.ndjson"))
            .lines()
            .filter(|line| line.contains("\"hop\":\"canary\""))
            .count() as u64;
        assert_eq!(
            Some(heard),
            again["outcome"]["canary"]["recordings"].as_u64()
        );
    }
}

#[test]
fn bad_checklists_are_refused_with_line_and_column_and_a_no_is_kept() {
    let simulation = simulation(67, "");
    simulation.migrate(&["--canary", "24"]).ends(0);
    let checklist = simulation.file("canary-checklist.csv");
    let filled = read(&fill(&Clock::real(), &checklist, &[]));
    let last = filled.lines().last().expect("a line").to_owned();
    let rows = [
        (
            "not filled in",
            read(&checklist),
            "column found: it is empty",
        ),
        (
            "a line gone",
            filled.replace(&format!("{last}\n"), ""),
            "is missing",
        ),
        (
            "neither",
            filled.replace(&last, &last.replacen(",yes,", ",maybe,", 1)),
            "`maybe` is neither yes nor no",
        ),
        (
            "another plan",
            filled.replacen("# plan: ", "# plan: 0", 1),
            "line 2: it is of the plan 0",
        ),
        (
            "tomorrow",
            filled.replace(",Jo Smith,2", ",Jo Smith,3"),
            "lies in the future",
        ),
        (
            "an expectation",
            filled.replacen(" s,", ".0 s,", 1),
            "column expected_duration",
        ),
    ];
    for (what, text, part) in rows {
        std::fs::write(simulation.file("bad.csv"), text).expect("written");
        let run = simulation.migrate(&["--confirm-canary", "bad.csv"]).ends(2);
        assert!(
            run.stderr.contains("bad.csv: ") && run.stderr.contains(part),
            "{what}: {run}"
        );
    }
    simulation
        .migrate(&["--confirm-canary", "none.csv"])
        .ends(2);
    fill(&Clock::real(), &checklist, &[(0, "plays")]);
    for _ in 0..2 {
        let failed = simulation
            .migrate(&["--confirm-canary", "failed.csv"])
            .ends(20);
        assert!(failed.stdout.contains("plays is no"), "{failed}");
    }
    simulation
        .migrate(&["--confirm-canary", "filled.csv"])
        .ends(2);
    assert!(
        simulation
            .seatrial(&["status", "plan.toml"])
            .ends(0)
            .stdout
            .contains("the canary of this plan failed")
    );
}

#[test]
fn what_cannot_be_told_yet_is_verified_again_until_patience_is_over() {
    let lagging = "uploads_per_second = 0\nanalytics_lag_ms = 12000\n";
    let simulation =
        Simulation::start(&scenario(70, FULL_WORLD).replace("uploads_per_second = 0\n", lagging));
    let run = simulation
        .migrate(&["--canary", "24", "--patience", "0"])
        .ends(21);
    assert!(
        run.stdout.contains("cannot tell") && !simulation.file("canary-checklist.csv").exists(),
        "{run}"
    );
    let run = simulation
        .migrate(&["--canary", "24", "--patience", "1"])
        .ends(0);
    assert!(
        run.stdout.contains("verified again in 10 s")
            && simulation.file("canary-checklist.csv").exists(),
        "{run}"
    );
    // What no waiting brings is not asked for again, and a list of what was so is taken back.
    assert_eq!(
        simulation
            .post(
                "/_sim/role",
                &json!({"missing_scopes": ["recording:recording:view"]})
            )
            .0,
        204
    );
    let run = simulation
        .migrate(&["--canary", "24", "--patience", "1"])
        .ends(21);
    assert!(
        !run.stdout.contains("verified again")
            && run
                .stdout
                .contains("whether the canary is right cannot be told"),
        "{run}"
    );
    let run = simulation
        .migrate(&["--confirm-canary", "canary-checklist.csv"])
        .ends(2);
    assert!(run.stderr.contains("is not verified"), "{run}");
}

#[test]
fn a_canary_that_is_not_right_gets_no_checklist() {
    let simulation = simulation(68, "");
    // Sent and verified; then a damage, and the same command again.
    simulation
        .migrate(&["--canary", "24", "--checklist", "first.csv"])
        .ends(0);
    simulation.tamper("D45", 1, 1).expect("a victim");
    let run = simulation.migrate(&["--canary", "24"]).ends(20);
    assert!(
        run.stdout.contains("the canary is not right")
            && !simulation.file("canary-checklist.csv").exists(),
        "{run}"
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn a_killed_canary_goes_on_with_the_same_choice() {
    let simulation = simulation(69, "");
    let slow = json!({"on": "genesys_cloud.create_interaction", "kind": "latency", "ms": 150});
    assert_eq!(simulation.post("/_sim/faults", &slow).0, 201);
    let arguments = ["migrate", "plan.toml", "--canary", "24", "--workers", "1"];
    for more in [1, 3] {
        let mut run = support::command(simulation.dir());
        let mut run = run
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a run");
        let before = there(&simulation).len();
        while there(&simulation).len() < before + more {
            assert!(
                run.try_wait().expect("a process").is_none(),
                "it ended before it was killed"
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        run.kill().and_then(|()| run.wait()).expect("killed");
    }
    let sent = simulation
        .migrate(&["--canary", "24", "--json"])
        .ends(0)
        .json();
    let chosen: BTreeSet<String> = sent["outcome"]["canary"]["interactions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|id| id.as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(there(&simulation), chosen);
    let only = chosen.iter().cloned().collect::<Vec<_>>().join("\n");
    std::fs::write(
        simulation.file("only.txt"),
        format!("# the canary\n{only}\n"),
    )
    .expect("written");
    assert_eq!(
        simulation.verify(&["--only", "only.txt"]).summary["scope"]["only"],
        json!(chosen.len())
    );
}
