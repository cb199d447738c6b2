//! The chain of custody as it stands in the ledger: each line holds the hash of the one before.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::custody::Entry;

#[derive(Serialize)]
struct Line<'a> {
    n: i64,
    previous: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Appends a line; its `previous` is the SHA-256 of the line before, or 64 zeros for the first.
pub(super) fn append(c: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let last: Option<(i64, String)> = c
        .prepare_cached("SELECT seq, chain FROM custody ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (n, previous) = last.map_or_else(|| (1, "0".repeat(64)), |(n, chain)| (n + 1, chain));
    let line = serde_json::to_string(&Line {
        n,
        previous: &previous,
        entry,
    });
    let line = line.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let chain = hex::encode(Sha256::digest(line.as_bytes()));
    c.prepare_cached("INSERT INTO custody (seq, line, chain) VALUES (?1, ?2, ?3)")?
        .execute(params![n, line, chain])
        .map(drop)
}
