//! The chain of custody as it stands in the ledger: each line holds the hash of the one before.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::rows::stored;
use super::schema::{Lock, lock};
use super::session::{Session, Trouble};
use crate::custody::Entry;
use crate::ledger::LedgerError;

#[derive(Serialize)]
struct Line<'a> {
    n: i64,
    previous: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Appends lines; `previous` of each is the SHA-256 of the line before, or 64 zeros for the first.
/// There is one chain: whoever appends holds up the others until its commit, so it is done last.
pub(super) async fn append(session: &Session, entries: &[&Entry]) -> Result<(), Trouble> {
    if entries.is_empty() {
        return Ok(());
    }
    lock(session, Lock::Custody).await?;
    let last = session
        .rows(
            "SELECT seq, chain FROM custody ORDER BY seq DESC LIMIT 1",
            &[],
        )
        .await?;
    let (mut n, mut previous): (i64, String) = match last.first() {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, "0".repeat(64)),
    };
    let (mut numbers, mut lines, mut chain) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        n += 1;
        let line = serde_json::to_string(&Line {
            n,
            previous: &previous,
            entry,
        });
        let line =
            line.map_err(|error| LedgerError::Broken(format!("a line of custody: {error}")))?;
        previous = hex::encode(Sha256::digest(line.as_bytes()));
        numbers.push(n);
        lines.push(stored(&line).into_owned());
        chain.push(previous.clone());
    }
    session
        .change(
            "INSERT INTO custody (seq, line, chain) SELECT * FROM unnest($1::bigint[], $2::text[], \
             $3::text[])",
            &[&numbers, &lines, &chain],
        )
        .await
        .map(drop)
}
