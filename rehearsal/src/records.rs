//! What the simulators noted, as files beside a report.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use simulator::{JournalEntry, Simulator, SimulatorError};

/// A record that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("cannot write {path}: {source}; make room, or leave --journal out")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot tell what the target holds: {0}")]
    Truth(#[from] SimulatorError),
}

/// Lines asked of the journal at once.
const PAGE: usize = 10_000;

/// `journal.ndjson`, `effects.ndjson`, `faults.ndjson`, and `truth.ndjson`: what the target holds.
pub(crate) async fn write(simulator: &Simulator, dir: &Path) -> Result<(), RecordError> {
    lines(&dir.join("journal.ndjson"), &sorted_journal(simulator))?;
    lines(&dir.join("faults.ndjson"), &simulator.injected())?;
    whole(dir.join("effects.ndjson"), &simulator.effects())?;
    whole(
        dir.join("truth.ndjson"),
        &simulator.truth(simulator.setup().target.listener()).await?,
    )
}

fn whole(path: PathBuf, text: &str) -> Result<(), RecordError> {
    output::private::write(&path, text).map_err(|source| RecordError::Write { path, source })
}

/// By time, platform, operation, key and attempt, and numbered anew: what happened at the same
/// moment has no order of its own.
fn sorted_journal(simulator: &Simulator) -> Vec<JournalEntry> {
    let mut all: Vec<JournalEntry> = Vec::new();
    loop {
        let page = simulator.journal(None, all.len() as u64, PAGE);
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    all.sort_by(|a, b| place(a).cmp(&place(b)));
    for (at, line) in all.iter_mut().enumerate() {
        line.n = at as u64 + 1;
    }
    all
}

fn place(line: &JournalEntry) -> (&str, &str, &str, &str, u32, u16, u64) {
    (
        &line.at,
        &line.platform,
        &line.operation,
        &line.key,
        line.attempt,
        line.status,
        line.bytes_out,
    )
}

fn lines(path: &Path, values: &[impl Serialize]) -> Result<(), RecordError> {
    let broken = |source| RecordError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = BufWriter::new(output::private::create(path).map_err(broken)?);
    for value in values {
        serde_json::to_writer(&mut file, value).map_err(|error| broken(error.into()))?;
        file.write_all(b"\n").map_err(broken)?;
    }
    file.flush().map_err(broken)
}
