//! The migrator's turn: ours in this process, or anybody's as a command; killed and started again
//! as the scenario says.

mod command;
mod lifeline;
mod ours;

use crate::ending::Ending;
use crate::environment::Time;
use crate::judge::{Aside, Observations};
use crate::narrator::Narrator;
use crate::options::{Migrator, Options, Refusal};
use crate::running_scenario::RunningScenario;

/// How a migration ended.
#[derive(Debug, Clone)]
pub(crate) struct Migrated {
    pub(crate) ending: Ending,
    pub(crate) sentence: String,
    /// What it says it did not move. Absent: it does not tell.
    pub(crate) aside: Option<Aside>,
    pub(crate) interactions: u64,
    pub(crate) recordings: u64,
    /// Whether it says that everything is either there, or quarantined or skipped by rule. Absent:
    /// it does not tell.
    pub(crate) finished: Option<bool>,
}

impl Migrated {
    /// Notes what the migrator says it did.
    pub(crate) fn note(&self, observed: &mut Observations) {
        observed.migrator = Some(self.ending);
        observed.interactions = self.interactions;
        observed.recordings = self.recordings;
        observed.aside.clone_from(&self.aside);
    }
}

impl RunningScenario {
    /// Lets the migrator work, from its first start to its last end.
    pub(crate) async fn migrate(
        &self,
        options: &Options,
        time: Time,
        narrator: &dyn Narrator,
    ) -> Result<Migrated, Refusal> {
        match &options.migrator {
            Migrator::Ours { workers, .. } => {
                self.migrate_by_ours(options, *workers, narrator).await
            }
            Migrator::Command(_) if time == Time::Virtual => Err(Refusal::bad(
                "a command cannot follow a virtual clock; use --clock real or scaled:K with \
                 --migrator",
            )),
            Migrator::Command(command) => {
                self.migrate_by_command(options, command, time, narrator)
                    .await
            }
        }
    }
}

/// Counts down the starts a scenario grants.
struct Starts {
    kills: std::vec::IntoIter<u64>,
    restarts: u32,
}

impl Starts {
    fn of(stage: &RunningScenario) -> Starts {
        let settings = &stage.scenario.migrator;
        Starts {
            kills: settings.kill_after_requests.clone().into_iter(),
            restarts: settings.restarts,
        }
    }

    /// Whether it may go on after it stopped by itself.
    fn again(&mut self, ending: Ending) -> bool {
        let can_resume = match ending {
            Ending::Stopped | Ending::Source | Ending::Target => true,
            Ending::Done
            | Ending::OurBug
            | Ending::BadCall
            | Ending::SetAside
            | Ending::Mismatch
            | Ending::CannotTell
            | Ending::Unexpected => false,
        };
        let again = can_resume && self.restarts > 0;
        self.restarts -= u32::from(again);
        again
    }
}
