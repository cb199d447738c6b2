//! Proofs with large N. `./prove NAME` runs one in full and writes `docs/proofs/NAME.md`; with an N
//! of one's own, or small and all of them without a name, nothing is written. As with any test,
//! those that need tools are ignored unless `--include-ignored` is given.

#![expect(
    clippy::print_stdout,
    reason = "a proof is a program of its own and speaks to a person"
)]

mod audit;
mod bugs;
mod calendar;
mod days;
mod detection;
mod determinism;
mod disk;
mod explore;
mod footprint;
mod forecast;
mod gir;
#[path = "../support/http.rs"]
mod http;
mod kills;
mod mutants;
mod organisation;
#[path = "../support/postgres.rs"]
mod postgres;
mod report;
mod runs;
mod scale;
mod scale_gir;
mod scenario;
#[allow(dead_code, reason = "no proof needs all that the tests ask of a store")]
#[path = "../object_stores/servers.rs"]
mod servers;
mod site;
mod sound;
mod strangers;
mod throughput;
mod workers;

use std::process::ExitCode;

use crate::report::{Failure, Report};

/// As in the program: a proof that measures memory or time in this process measures the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A proof: name, what it shows, programs that it needs beside ours when it is small (empty: none),
/// N in full and small.
struct Proof {
    name: &'static str,
    shows: &'static str,
    needs: &'static str,
    full: u64,
    small: u64,
    run: fn(u64) -> Result<Report, Failure>,
}

const PROOFS: [Proof; 17] = [
    Proof {
        name: "kills",
        shows: "a migration by any of the three ways in, killed with SIGKILL at random moments and \
            started again, completes: nothing lost, nothing twice",
        needs: "",
        full: 1000,
        small: 24,
        run: kills::run,
    },
    Proof {
        name: "workers",
        shows: "several runs on one ledger in PostgreSQL, killed, stopped for longer than their \
            lease, cut off, and with a database that crashes, complete by each of the three ways \
            in: nothing lost, nothing twice",
        needs: "PostgreSQL",
        full: 200,
        small: 3,
        run: runs::run,
    },
    Proof {
        name: "determinism",
        shows: "truth, effects journal and sorted fault log are byte-identical with 1, 8 and 64 \
            workers, seed after seed",
        needs: "",
        full: 100,
        small: 2,
        run: determinism::run,
    },
    Proof {
        name: "gir",
        shows: "lost answers after an insertion, a put, a move or a post never give a duplicate, a \
            merge or a missing post",
        needs: "",
        full: 1000,
        small: 4,
        run: gir::run,
    },
    Proof {
        name: "explore",
        shows: "worlds, wrong data, faults, kills and workers drawn from seeds, for each of the \
            three ways in: nothing lost, doubled or altered, every migration comes to its end, and \
            neither migrator nor verifier breaches good conduct",
        needs: "",
        full: 1000,
        small: 12,
        run: explore::clean,
    },
    Proof {
        name: "planted",
        shows: "bugs planted in our migrator are found by the search over seeds, and shrunk to the \
            smallest scenario that still fails, 10 times of 10",
        needs: "",
        full: bugs::BUGS.len() as u64,
        small: 3,
        run: explore::planted,
    },
    Proof {
        name: "days",
        shows: "three days of calls, faults and limits pass in minutes of virtual time, and slices \
            of them in real time leave behind the same",
        needs: "",
        full: 430_000,
        small: 600,
        run: days::run,
    },
    Proof {
        name: "forecast",
        shows: "a forecast of a hundred times as many recordings is within a tenth of a run in \
            virtual time, scaled",
        needs: "",
        full: 40_000,
        small: 400,
        run: forecast::run,
    },
    Proof {
        name: "audit",
        shows: "an audit spends at most 1.2 times the requests of the cheapest documented way, \
            counts itself as the organisation does and changes nothing",
        needs: "",
        full: 10_000,
        small: 300,
        run: audit::run,
    },
    Proof {
        name: "detection",
        shows: "every class of defect and of process, planted by each of the three ways in, is found, \
            rightly named and told at its record, and nothing else is named; what is not planted is \
            declared with its reason and not counted",
        needs: "asterisk-core-sounds-en-wav",
        full: 20,
        small: 1,
        run: detection::run,
    },
    Proof {
        name: "calendar",
        shows: "the whole suite and rehearsals of the three ways in come out the same on days from \
            2026 to 2040, new year, leap days and clock changes among them, in two time zones",
        needs: "faketime",
        full: calendar::MOMENTS.len() as u64,
        small: 1,
        run: calendar::run,
    },
    Proof {
        name: "strangers",
        shows: "other people's wrong migrations of recorded speech are found, named and told at \
            their records, by each of the three ways in, and their honest ones are left alone",
        needs: "ffmpeg, sox, lame and asterisk-core-sounds-en-wav",
        full: 520,
        small: 12,
        run: strangers::run,
    },
    Proof {
        name: "sound",
        shows: "the check of sound takes each of 2,000 recorded calls for itself in twenty forms and \
            for no other, at a stated cost, and how good the copies are that it lets pass",
        needs: "ffmpeg, sox, lame, asterisk-core-sounds-en-wav and ViSQOL in Python",
        full: 2000,
        small: 20,
        run: sound::run,
    },
    Proof {
        name: "mutants",
        shows: "what the verifier finds of migrators that are slightly wrong in one place of their \
            own or of what they share with it",
        needs: "the registry of crates",
        full: mutants::FULL,
        small: 12,
        run: mutants::run,
    },
    Proof {
        name: "throughput",
        shows: "how fast simulator and migrator are, beside a bare handler and beside the guide's \
            script",
        needs: "wrk, ffmpeg, and Python with requests and requests-toolbelt",
        full: 2000,
        small: 40,
        run: throughput::run,
    },
    Proof {
        name: "scale",
        shows: "a verification of millions of calls needs memory that does not grow with what is \
            right; and how its time stands beside a database's join of the same columns",
        needs: "DuckDB in Python",
        full: 10_000_000,
        small: 2_000,
        run: scale::run,
    },
    Proof {
        name: "footprint",
        shows: "how little simulator and migrator need: time to the first answer, memory at rest, \
            under load, with long recordings and many calls",
        needs: "moto in Python",
        full: 1000,
        small: 4,
        run: footprint::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // A child of the throughput proof; listing by a test runner must not start proofs.
    if arguments.first().is_some_and(|word| word == "bare-handler") {
        return throughput::bare_handler();
    }
    // A child of the proof of scale.
    if arguments
        .first()
        .is_some_and(|word| word == scale_gir::CHILD)
    {
        return scale_gir::child(arguments.get(1).map(String::as_str));
    }
    if arguments.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let mut words = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with('-'));
    let (name, n) = (words.next(), words.next());
    match name {
        Some("list") => {
            PROOFS
                .iter()
                .for_each(|proof| println!("{:<14}{}", proof.name, proof.shows));
            ExitCode::SUCCESS
        }
        Some(name) => match PROOFS.iter().find(|proof| proof.name == name) {
            Some(proof) => match n.map(str::parse) {
                None => prove(proof, proof.full, true),
                Some(Ok(n)) => prove(proof, n, false),
                Some(Err(_)) => {
                    println!(
                        "N is a number: ./prove {name} 100; without it the proof runs in full and \
                         writes its page"
                    );
                    ExitCode::from(2)
                }
            },
            None => {
                println!("no proof is called {name}; ./prove lists them");
                ExitCode::from(2)
            }
        },
        None => small(arguments.iter().any(|word| word == "--include-ignored")),
    }
}

fn small(with_tools: bool) -> ExitCode {
    let (run, ignored): (Vec<&Proof>, Vec<&Proof>) = PROOFS
        .iter()
        .partition(|proof| with_tools || proof.needs.is_empty());
    ignored.iter().for_each(|proof| {
        println!(
            "proof {} ... ignored, needs {}; ./check runs it",
            proof.name, proof.needs
        )
    });
    let failed = run
        .iter()
        .filter(|proof| prove(proof, proof.small, false) != ExitCode::SUCCESS)
        .count();
    println!(
        "{} passed; {failed} failed; {} ignored",
        run.len() - failed,
        ignored.len()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn prove(proof: &Proof, n: u64, write: bool) -> ExitCode {
    println!("proof {}: {} (N = {n})", proof.name, proof.shows);
    match (proof.run)(n) {
        Ok(report) => {
            report
                .rows
                .iter()
                .for_each(|(what, figure)| println!("  {what}: {figure}"));
            if write && let Err(error) = report.write(proof.name, proof.shows, n) {
                println!("  cannot write the proof: {error}");
                return ExitCode::FAILURE;
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("  FAILED: {failure}");
            ExitCode::FAILURE
        }
    }
}
