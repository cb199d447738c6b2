//! Several runs on one ledger in PostgreSQL, while runs are killed or stand still, connections are cut
//! and the database crashes.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::Duration;

use crate::kills::{Chance, SCENARIO, Surface, finish, migrate, wait};
use crate::postgres::Server;
use crate::report::{Failure, Report};
use crate::scenario::{Simulation, towards};

const SEED: u64 = 20_261_201;
/// As short as a plan may have it.
const LEASE_S: u64 = 2;

/// What befalls the runs of a round.
#[derive(Debug, Clone, Copy)]
enum Event {
    Killed,
    StoodStill,
    Cut,
    Crashed,
}

impl Event {
    const ALL: [Event; 4] = [Event::Killed, Event::StoodStill, Event::Cut, Event::Crashed];

    fn words(self) -> &'static str {
        match self {
            Event::Killed => "runs killed (SIGKILL)",
            Event::StoodStill => {
                "runs that stood still for longer than their lease (SIGSTOP, SIGCONT)"
            }
            Event::Cut => "times all connections were cut",
            Event::Crashed => "crashes of the database",
        }
    }
}

/// Rounds of a migration each, by two to four runs.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let server = Server::start();
    let mut chance = Chance(SEED);
    let mut events: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut runs, mut created, mut taken_over) = (0, 0, 0);
    for round in 0..n {
        let seed = SEED + round;
        let surface = Surface::of(round);
        let simulation =
            Simulation::start(&towards(SCENARIO, surface.target, surface.faults), seed)?;
        let schema = server.schema();
        server.keeps_ledger_of(&simulation.plan, &schema, LEASE_S);
        let count = 2 + chance.below(3);
        let mut workers = (0..count)
            .map(|_| migrate(&simulation).map(Run))
            .collect::<Result<Vec<_>, _>>()?;
        runs += count;
        for _ in 0..1 + chance.below(3) {
            wait(Duration::from_millis(300 + chance.below(1500)));
            let at = usize::try_from(chance.below(4)).unwrap_or(0);
            let event = Event::ALL[at];
            // Nobody is left to go on where every run was killed.
            if matches!(event, Event::Killed) && workers.len() < 2 {
                continue;
            }
            befalls(event, &server, &mut workers, &mut chance)?;
            *events.entry(event.words()).or_default() += 1;
        }
        for mut worker in workers {
            let status = worker.0.wait().map_err(Failure::new)?;
            if !matches!(status.code(), Some(0 | 10)) {
                return Err(Failure::new(format!(
                    "seed {seed}: a run ended with {status}"
                )));
            }
        }
        let doubted = format!("SELECT count(*) FROM {schema}.interaction WHERE claim > 1");
        taken_over += server.sql(&doubted).parse::<u64>().map_err(Failure::new)?;
        created += finish(&simulation, surface, seed)?;
        server.sql(&format!("DROP SCHEMA {schema} CASCADE"));
    }
    let mut report = Report {
        seed: SEED,
        ..Report::default()
    };
    report.row("migrations completed and verified as match", n);
    report.row("runs, two to four on each ledger", runs);
    for (words, count) in events {
        report.row(words, count);
    }
    report.row("calls that were taken more than once", taken_over);
    report.row(
        "interactions created, each (or each event of it) exactly once by the simulator's effects \
         journal",
        created,
    );
    Ok(report)
}

/// A run, which does not outlive this value.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn befalls(
    event: Event,
    server: &Server,
    workers: &mut Vec<Run>,
    chance: &mut Chance,
) -> Result<(), Failure> {
    let at = usize::try_from(chance.below(workers.len() as u64)).unwrap_or(0);
    match event {
        Event::Killed => drop(workers.swap_remove(at)),
        Event::StoodStill => {
            signal("-STOP", &workers[at])?;
            wait(Duration::from_millis(LEASE_S * 1000 + 700));
            signal("-CONT", &workers[at])?;
        }
        Event::Cut => {
            server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name \
                 LIKE 'seatrial/%'",
            );
        }
        Event::Crashed => server.crash(),
    }
    Ok(())
}

/// One that has ended by itself hears nothing, which is no failure.
fn signal(name: &str, run: &Run) -> Result<(), Failure> {
    let pid = run.0.id().to_string();
    let mut kill = Command::new("kill");
    kill.args([name, &pid]).status().map_err(Failure::new)?;
    Ok(())
}
