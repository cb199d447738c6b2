//! Whether a chain of custody that was written earlier still holds. Source:
//! docs/reference/reports.md.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::ledger::Ledger;

/// What a check of a chain of custody found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustodyCheck {
    /// Lines that hold, from the first on.
    pub lines: u64,
    /// Lines of the ledger's own chain.
    pub ledger_lines: u64,
    /// Where it does not hold, in a sentence. Absent: it holds.
    pub broken: Option<String>,
}

impl CustodyCheck {
    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.broken {
            None => format!(
                "custody holds: {} lines, each with the hash of the one before, and the same as \
                 the first {} of the ledger's {}",
                self.lines, self.lines, self.ledger_lines
            ),
            Some(why) => format!("custody does not hold after {} lines: {why}", self.lines),
        }
    }
}

/// What a line says of its place.
#[derive(Deserialize)]
struct Place {
    n: u64,
    previous: String,
}

/// No line of ours is longer. Bytes.
const LINE_MOST: u64 = 1024 * 1024;
/// Lines of the ledger read at once.
const ROWS: u32 = 500;

/// Reads the file line by line beside the ledger's own chain.
pub(crate) async fn check(ledger: &dyn Ledger, path: &Path) -> Result<CustodyCheck, RunError> {
    let unreadable = |error: std::io::Error| {
        RunError::Unwritable(format!("cannot read {}: {error}", path.display()))
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let ledger_lines = ledger.custody_lines().await?;
    let mut found = CustodyCheck {
        lines: 0,
        ledger_lines,
        broken: None,
    };
    let (mut previous, mut own, mut after) = ("0".repeat(64), Vec::new().into_iter(), 0);
    loop {
        let mut bytes = Vec::new();
        (&mut file)
            .take(LINE_MOST)
            .read_until(b'\n', &mut bytes)
            .map_err(unreadable)?;
        if bytes.is_empty() {
            return Ok(found);
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let n = found.lines + 1;
        let told = match serde_json::from_slice::<Place>(line) {
            Err(error) => Some(format!("line {n} is no line of custody: {error}")),
            Ok(place) if place.n != n => Some(format!(
                "line {n} says that it is line {}: lines are missing or were moved",
                place.n
            )),
            Ok(place) if place.previous != previous => Some(format!(
                "line {n} does not hold the hash of the line before: one of the two was changed"
            )),
            Ok(_) => None,
        };
        let own_line = match own.next() {
            Some(line) => Some(line),
            None => {
                let lines: Vec<(i64, String)> = ledger.custody_after(after, ROWS).await?;
                after = lines.last().map_or(after, |(seq, _)| *seq);
                own = lines.into_iter();
                own.next()
            }
        };
        found.broken = told.or_else(|| match own_line {
            Some((_, own)) if own.as_bytes() == line => None,
            Some(_) => Some(format!(
                "line {n} is another in the ledger: one of the two was \
                changed, or the ledger is another"
            )),
            None => Some(format!(
                "line {n} is not in the ledger, which ends before it: the ledger \
                is another, or was begun anew"
            )),
        });
        if found.broken.is_some() {
            return Ok(found);
        }
        previous = hex::encode(Sha256::digest(line));
        found.lines = n;
    }
}
