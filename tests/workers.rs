//! Several `seatrial migrate` on one PostgreSQL ledger: what one run on a file comes to, whatever
//! becomes of them meanwhile.

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use postgres::Server;
use serde_json::Value;
use support::{FULL_WORLD, Simulation, command, replace, scenario};

/// Slow enough that whatever happens meets runs at every step, and not much slower.
const SLOW: &str = "
[plan.pace]
requests_per_minute = 1500
workers = 4
";
/// Seconds. As short as a plan may have it, so that a test need not wait long.
const LEASE_S: u64 = 2;

/// Simulators with a plan whose ledger is in a schema of its own.
struct Shared<'a> {
    simulation: Simulation,
    server: &'a Server,
    schema: String,
}

impl<'a> Shared<'a> {
    fn start(server: &'a Server, seed: u64, more: &str) -> Shared<'a> {
        let simulation = Simulation::start(&scenario(seed, &format!("{FULL_WORLD}{more}")));
        let schema = server.schema();
        server.keeps_ledger_of(&simulation.file("plan.toml"), &schema, LEASE_S);
        Shared {
            simulation,
            server,
            schema,
        }
    }

    fn run(&self) -> Worker {
        let mut run: Command = command(self.simulation.dir());
        let file = tempfile::NamedTempFile::new().expect("a log");
        let said = file.reopen().expect("a log");
        Worker {
            process: run
                .args(["migrate", "plan.toml"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(said)
                .spawn()
                .expect("a run"),
            said: file,
        }
    }

    /// Returns once so many calls are in the target, as the ledger has it, and so many runs have
    /// calls in hand.
    fn wait_for(&self, done: u64, at_work: u64) {
        let schema = &self.schema;
        let is_there = format!("SELECT to_regclass('{schema}.interaction') IS NOT NULL");
        let is_so = format!(
            "SELECT count(*) FILTER (WHERE phase = 'done') >= {done} AND count(DISTINCT claimed_by) \
             >= {at_work} FROM {schema}.interaction"
        );
        for _ in 0..1200 {
            if self.server.sql(&is_there) == "t" && self.server.sql(&is_so) == "t" {
                return;
            }
            nap();
        }
        panic!("not {done} calls by {at_work} runs after a minute");
    }

    /// What one run on a file leaves in the target, and what is found there.
    fn is_as_it_should_be(&self) {
        let verified = self.simulation.verify(&[]);
        assert_eq!(verified.run.code, 0, "{}", verified.run);
        let file = Simulation::start(&self.simulation_scenario());
        file.migrated();
        assert_eq!(truth(&self.simulation), truth(&file));
        assert_eq!(created_twice(&self.simulation), Vec::<String>::new());
        let status = self
            .simulation
            .seatrial(&[
                "status",
                "plan.toml",
                "--custody",
                "custody.ndjson",
                "--json",
            ])
            .ends(0)
            .json();
        assert_eq!(status["tally"]["interactions_left"], 0, "{status}");
        self.simulation
            .seatrial(&["status", "plan.toml", "--check-custody", "custody.ndjson"])
            .ends(0);
        let left = self
            .server
            .sql(&format!("SELECT count(*) FROM {}.run", self.schema));
        assert_eq!(left, "0", "every run has left");
    }

    fn simulation_scenario(&self) -> String {
        support::read(&self.simulation.file("scenario.toml"))
    }
}

/// A run.
struct Worker {
    process: Child,
    said: tempfile::NamedTempFile,
}

impl Worker {
    fn ends(mut self, codes: &[i32]) -> String {
        let status = self.process.wait().expect("a run");
        let said = std::fs::read_to_string(self.said.path()).unwrap_or_default();
        let code = status.code().unwrap_or(-1);
        assert!(codes.contains(&code), "it ended with {status}\n{said}");
        said
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Also one that stands still.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "processes go by the wall clock")]
fn nap() {
    std::thread::sleep(Duration::from_millis(50));
}

#[expect(clippy::disallowed_methods, reason = "processes go by the wall clock")]
fn longer_than_a_lease() {
    std::thread::sleep(Duration::from_millis(LEASE_S * 1000 + 1500));
}

/// What the target holds, by the id in the source and without ids that it gave itself.
fn truth(simulation: &Simulation) -> BTreeMap<String, Vec<String>> {
    let call = |call: Value| {
        let recordings = call["recordings"].as_array().expect("recordings").iter();
        let recordings = recordings.map(|recording| {
            format!(
                "{} {}",
                recording["legacy_recording_id"], recording["sha256"]
            )
        });
        (
            call["legacy_interaction_id"].to_string(),
            recordings.collect(),
        )
    };
    simulation
        .truth("genesys_cloud")
        .into_iter()
        .map(call)
        .collect()
}

/// Keys under which the target was asked twice to make a call, by the simulator's own books.
fn created_twice(simulation: &Simulation) -> Vec<String> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for line in simulation.get("/_sim/effects").lines() {
        let effect: Value = serde_json::from_str(line).expect("JSON");
        let key = effect["key"].as_str().unwrap_or_default();
        if effect["operation"] == "genesys_cloud.create_interaction" && !key.ends_with("-probe") {
            *times.entry(key.to_owned()).or_default() += 1;
        }
    }
    times
        .into_iter()
        .filter_map(|(key, times)| (times > 1).then_some(key))
        .collect()
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn one_two_and_four_runs_come_to_what_one_on_a_file_comes_to() {
    let server = Server::start();
    for (runs, seed) in [(1, 71), (2, 72), (4, 73)] {
        let shared = Shared::start(&server, seed, SLOW);
        let workers: Vec<Worker> = (0..runs).map(|_| shared.run()).collect();
        for worker in workers {
            worker.ends(&[0, 10]);
        }
        shared.is_as_it_should_be();
        // What one of them did is told by each.
        let status = shared.simulation.seatrial(&["status", "plan.toml"]).ends(0);
        assert!(status.stdout.contains("in the target"), "{status}");
    }
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn a_run_that_is_killed_loses_its_calls_to_another() {
    let server = Server::start();
    let shared = Shared::start(&server, 74, SLOW);
    let (killed, other) = (shared.run(), shared.run());
    shared.wait_for(5, 2);
    killed.signal("KILL");
    other.ends(&[0, 10]);
    shared.is_as_it_should_be();
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn a_run_that_stood_still_for_longer_than_its_lease_doubles_nothing() {
    let server = Server::start();
    let shared = Shared::start(&server, 75, SLOW);
    let (still, other) = (shared.run(), shared.run());
    shared.wait_for(5, 2);
    still.signal("STOP");
    longer_than_a_lease();
    // Somebody has its calls before it goes on.
    let claims = format!(
        "SELECT count(*) FROM {}.interaction WHERE in_doubt OR claim > 1",
        shared.schema
    );
    assert_ne!(server.sql(&claims), "0");
    still.signal("CONT");
    let said = still.ends(&[0, 10]);
    assert!(said.contains("longer than its lease"), "{said}");
    other.ends(&[0, 10]);
    shared.is_as_it_should_be();
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn a_database_that_is_restarted_is_waited_for() {
    let server = Server::start();
    let shared = Shared::start(&server, 76, SLOW);
    let workers = [shared.run(), shared.run()];
    shared.wait_for(5, 2);
    server.crash();
    for worker in workers {
        worker.ends(&[0, 10]);
    }
    shared.is_as_it_should_be();
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn connections_that_are_cut_are_made_again() {
    let server = Server::start();
    let shared = Shared::start(&server, 77, SLOW);
    let workers = [shared.run(), shared.run()];
    for done in [2, 6, 12, 20, 30] {
        shared.wait_for(done, 0);
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE \
             'seatrial/%'",
        );
    }
    for worker in workers {
        worker.ends(&[0, 10]);
    }
    shared.is_as_it_should_be();
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn four_runs_stay_within_the_limit_of_one() {
    const A_MINUTE: u64 = 900;
    let server = Server::start();
    let pace = format!("\n[plan.pace]\nrequests_per_minute = {A_MINUTE}\nworkers = 4\n");
    let shared = Shared::start(&server, 79, &pace);
    let workers: Vec<Worker> = (0..4).map(|_| shared.run()).collect();
    for worker in workers {
        worker.ends(&[0, 10]);
    }
    let journal = shared.simulation.get("/_sim/journal?limit=10000");
    let mut at: Vec<i64> = Vec::new();
    let mut refused = 0;
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let operation = line["operation"].as_str().unwrap_or_default();
        // Uploads have a limit of their own, and tokens have none.
        let counts = operation.starts_with("genesys_cloud.")
            && !["genesys_cloud.upload_file", "genesys_cloud.issue_token"].contains(&operation);
        if counts {
            let instant: jiff::Timestamp = line["at"]
                .as_str()
                .expect("a time")
                .parse()
                .expect("a time");
            at.push(instant.as_millisecond());
            refused += u32::from(line["status"] == 429);
        }
    }
    at.sort_unstable();
    assert_eq!(refused, 0);
    // In any ten seconds no more than the limit allows, and what jitter may push together.
    let allowed = usize::try_from(A_MINUTE / 6 + A_MINUTE / 60).expect("a number");
    let busiest = at
        .iter()
        .map(|begin| {
            at.iter()
                .filter(|other| (*begin..*begin + 10_000).contains(other))
                .count()
        })
        .max();
    assert!(
        busiest.is_some_and(|most| (30..=allowed).contains(&most)),
        "{busiest:?}"
    );
    shared.is_as_it_should_be();
}

#[test]
#[ignore = "needs PostgreSQL; ./check runs it"]
fn a_changed_plan_is_refused_while_others_work() {
    let server = Server::start();
    let shared = Shared::start(&server, 78, SLOW);
    let worker = shared.run();
    shared.wait_for(2, 0);
    let dir = shared.simulation.dir();
    std::fs::copy(dir.join("plan.toml"), dir.join("other.toml")).expect("a copy");
    replace(dir, "other.toml", "workers = 4", "workers = 5");
    for arguments in [
        vec!["migrate", "other.toml"],
        vec!["migrate", "plan.toml", "--retry", "quarantined"],
        vec!["migrate", "plan.toml", "--dry-run"],
    ] {
        let refused = shared.simulation.seatrial(&arguments).ends(2);
        let pid = worker.process.id().to_string();
        assert!(refused.stderr.contains(&pid), "{refused}");
        assert!(!refused.stderr.contains("seatrial@"), "{refused}");
    }
    worker.ends(&[0, 10]);
    shared.is_as_it_should_be();
}
