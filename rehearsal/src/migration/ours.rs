//! Our migrator, in this process.

use super::lifeline::Lifeline;
use super::{Migrated, Starts};
use crate::ending::Ending;
use crate::judge::Aside;
use crate::narrator::Narrator;
use crate::options::{Options, Refusal};
use crate::running_scenario::RunningScenario;

impl RunningScenario {
    pub(super) async fn migrate_by_ours(
        &self,
        options: &Options,
        workers: Option<usize>,
        narrator: &dyn Narrator,
    ) -> Result<Migrated, Refusal> {
        let mut starts = Starts::of(self);
        loop {
            let kill = starts.kills.next();
            let (transport, cut) = Lifeline::new(self.way.clone(), kill, options.most_requests);
            let chosen = migrator::Options {
                workers,
                interrupt: options.interrupt.clone(),
                ..migrator::Options::default()
            };
            let progress = narrator.migrating();
            let work = migrator::migrate(
                self.plan.clone(),
                chosen,
                transport,
                self.environment.clock.clone(),
                &*progress,
            );
            let ended = tokio::select! {
                biased;
                () = cut.notified() => None,
                ended = work => Some(ended),
            };
            match ended {
                None => narrator.say(&format!(
                    "  the migrator was killed at its request {}, and started again",
                    kill.unwrap_or_default()
                )),
                Some(Ok(outcome)) => return Ok(Migrated::from(&outcome)),
                Some(Err(migrator::RunError::Interrupted)) => {
                    return Err(Refusal {
                        ending: Ending::Stopped,
                        sentence: "interrupted".to_owned(),
                    });
                }
                Some(Err(stop)) if starts.again(Ending::from(&stop)) => {
                    narrator.say(&format!("  the migrator stopped: {stop}; started again"))
                }
                Some(Err(stop)) => return Ok(Migrated::from(&stop)),
            }
        }
    }
}

impl From<&migrator::Outcome> for Migrated {
    fn from(outcome: &migrator::Outcome) -> Migrated {
        let tally = &outcome.tally;
        let requests = outcome.source_requests + outcome.target_requests;
        Migrated {
            ending: Ending::from(outcome),
            sentence: format!(
                "{} ({requests} requests, {} answered 429)",
                outcome.sentence(),
                outcome.throttled
            ),
            aside: Some(Aside {
                quarantined: tally.quarantined.clone(),
                skipped: tally.skipped.clone(),
                left: tally.interactions_failed,
            }),
            interactions: tally.interactions,
            recordings: tally.recordings,
            finished: Some(tally.is_finished()),
        }
    }
}

impl From<&migrator::RunError> for Migrated {
    fn from(stop: &migrator::RunError) -> Migrated {
        Migrated {
            ending: Ending::from(stop),
            sentence: format!("refused or stopped: {stop}"),
            aside: Some(Aside::default()),
            interactions: 0,
            recordings: 0,
            finished: Some(false),
        }
    }
}
