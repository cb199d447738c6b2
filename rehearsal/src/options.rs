//! How a scenario is rehearsed, and by whose migrator.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use platforms::transport::Transport;
use tokio::sync::watch;

use crate::ending::Ending;
use crate::environment::Time;

/// How a scenario is rehearsed.
#[derive(Clone)]
pub struct Options {
    /// Folder for reports; each scenario's files go into a folder of its name there.
    pub report: PathBuf,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's clock.
    pub time: Option<Time>,
    /// Who moves the recordings.
    pub migrator: Migrator,
    /// How much audio the verifier compares, instead of what the scenario says.
    pub audio: Option<verifier::AudioScope>,
    /// Whether the simulators' journal is written beside the report.
    pub journal: bool,
    /// Requests after which our migrator is barred from sending more: a bound on one that goes
    /// round in circles.
    pub most_requests: u64,
    /// Turns true when somebody wants the rehearsal to end. Absent: nobody will.
    pub interrupt: Option<watch::Receiver<bool>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            report: PathBuf::from("seatrial-report"),
            seed: None,
            time: None,
            migrator: Migrator::Ours {
                workers: None,
                between: None,
            },
            audio: None,
            journal: false,
            most_requests: u64::MAX,
            interrupt: None,
        }
    }
}

/// A rehearsal that came to no judgement, and why in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    /// How the command ends.
    pub ending: Ending,
    /// Why.
    pub sentence: String,
}

impl Refusal {
    pub(crate) fn bad(sentence: impl ToString) -> Refusal {
        Refusal {
            ending: Ending::BadCall,
            sentence: sentence.to_string(),
        }
    }
}

/// Which migrator is rehearsed.
#[derive(Clone)]
pub enum Migrator {
    /// Ours, in this process.
    Ours {
        /// Instead of the plan's workers.
        workers: Option<usize>,
        /// What stands between it and the platforms; nothing but for tests, which plant bugs there.
        between: Option<Between>,
    },
    /// A command of anybody's.
    Command(Command),
}

/// Puts something between a migrator and the platforms: asked once a rehearsal, so it is there over
/// all starts.
pub type Between = Arc<dyn Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync>;

/// A migrator that is a command.
#[derive(Debug, Clone)]
pub struct Command {
    /// For `sh -c`.
    pub line: String,
    /// Longest it may run at a start, on this machine's clock; then it is killed, and has failed.
    pub limit: Duration,
}
