//! `explore`: many seeds, and the smallest scenario that still fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rehearsal::explore::{Exploration, Explored};
use rehearsal::{Ending, Time};

use crate::cli::{Explore, Output};
use crate::interrupt::interrupt;
use crate::rehearse::migrator;
use crate::terminal;

/// `seatrial explore SCENARIO --seeds N`.
pub(crate) async fn run(arguments: Explore, output: Output) -> Ending {
    let text = match std::fs::read_to_string(&arguments.scenario) {
        Ok(text) => text,
        Err(error) => {
            return terminal::fail(
                Ending::BadCall,
                &format!("cannot read {}: {error}", arguments.scenario.display()),
            );
        }
    };
    let usual = if arguments.migrator.is_some() {
        Time::Real
    } else {
        Time::Virtual
    };
    let exploration = Exploration {
        text,
        seeds: arguments.seeds,
        first: arguments.first_seed,
        migrator: migrator(
            arguments.migrator.as_deref(),
            arguments.migrator_minutes,
            None,
        ),
        time: arguments.clock.unwrap_or(usual),
        report: arguments.report,
        threads: arguments.threads.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
        }),
        most_failures: arguments.most_failures,
        scenario: arguments.scenario,
    };
    let again = exploration.clone();
    let interrupted = Arc::new(AtomicBool::new(false));
    let mut interrupt = interrupt();
    let watch = tokio::spawn({
        let interrupted = interrupted.clone();
        async move {
            if interrupt.wait_for(|stop| *stop).await.is_ok() {
                interrupted.store(true, Ordering::Release);
            }
        }
    });
    let stop = interrupted.clone();
    let explored =
        tokio::task::spawn_blocking(move || exploration.explore(&terminal::tell, &stop)).await;
    watch.abort();
    match explored {
        Ok(Ok(explored)) => conclude(
            &explored,
            &again,
            interrupted.load(Ordering::Acquire),
            &output,
        ),
        Ok(Err(refusal)) => terminal::fail(refusal.ending, &refusal.sentence),
        Err(error) => terminal::fail(
            Ending::OurBug,
            &format!("the exploration broke off: {error}"),
        ),
    }
}

fn conclude(
    explored: &Explored,
    exploration: &Exploration,
    interrupted: bool,
    output: &Output,
) -> Ending {
    if output.json {
        terminal::document(explored);
    } else {
        for failure in &explored.failures {
            terminal::say(&format!("  seed {}: {}", failure.seed, failure.reason));
            if let Some(file) = &failure.shrunk {
                terminal::say(&format!("    {}", exploration.again(file)));
            }
        }
        let cut = if interrupted {
            ", and was interrupted"
        } else {
            ""
        };
        terminal::say(&format!(
            "{} of {} seeds went as they should{cut}.",
            explored.clean, explored.seeds
        ));
    }
    match (explored.failures.is_empty(), interrupted) {
        (false, _) => Ending::Unexpected,
        (true, true) => Ending::Stopped,
        (true, false) => Ending::Done,
    }
}
