//! Tables of the ledger.

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::LedgerError;

/// Format of the tables; another one is refused rather than guessed at.
const VERSION: &str = "2";

/// Row ids follow extraction order: ascending keys insert an order of magnitude faster than random
/// ones (measured).
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS interaction (
  seq INTEGER PRIMARY KEY,
  legacy_id TEXT NOT NULL,
  page INTEGER NOT NULL,
  phase TEXT NOT NULL,
  entity TEXT NOT NULL,
  headers TEXT NOT NULL,
  reason TEXT,
  error TEXT,
  target_id TEXT,
  plan_hash TEXT,
  target_state TEXT,
  detail TEXT,
  since TEXT,
  error_since TEXT,
  stand_in TEXT,
  redo TEXT,
  unrepaired TEXT,
  listed INTEGER,
  document TEXT,
  audio_rules TEXT,
  claimed_by TEXT,
  claimed_until INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS interaction_legacy ON interaction (legacy_id);
CREATE INDEX IF NOT EXISTS interaction_open ON interaction (seq) WHERE phase NOT IN ('done', 'set_aside');
CREATE TABLE IF NOT EXISTS recording (
  seq INTEGER PRIMARY KEY,
  interaction INTEGER NOT NULL REFERENCES interaction (seq),
  legacy_id TEXT NOT NULL,
  answer TEXT,
  staged_sha256 TEXT,
  staged_bytes INTEGER,
  read_twice INTEGER NOT NULL DEFAULT 0,
  out_sha256 TEXT,
  out_bytes INTEGER,
  out_codec TEXT,
  out_samples INTEGER,
  out_rate INTEGER,
  kept INTEGER,
  file_name TEXT,
  file_id TEXT,
  target_id TEXT,
  outcome TEXT,
  reason TEXT,
  target_state TEXT,
  detail TEXT,
  since TEXT,
  doubt INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS recording_legacy ON recording (legacy_id);
CREATE INDEX IF NOT EXISTS recording_interaction ON recording (interaction);
CREATE TABLE IF NOT EXISTS custody (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, chain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS warning (kind TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (kind, subject)) WITHOUT ROWID;
-- The few rows that are asked for among millions.
CREATE INDEX IF NOT EXISTS interaction_claimed ON interaction (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_redo ON interaction (seq) WHERE redo IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_error ON interaction (seq) WHERE error IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_unrepaired ON interaction (seq) WHERE unrepaired IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_stand_in ON interaction (stand_in) WHERE stand_in IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_aside ON interaction (seq) WHERE phase = 'set_aside';
CREATE INDEX IF NOT EXISTS recording_aside ON recording (interaction) WHERE outcome IS NOT NULL;
";

/// Makes the tables of a new ledger; one of another format is left as it is.
pub(super) fn prepare(connection: &Connection) -> Result<(), LedgerError> {
    let tables: u64 = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name = 'meta'",
        [],
        |row| row.get(0),
    )?;
    let version: Option<String> = match tables {
        0 => None,
        _ => connection
            .query_row("SELECT value FROM meta WHERE key = 'version'", [], |row| {
                row.get(0)
            })
            .optional()?,
    };
    match version.as_deref() {
        Some(VERSION) => Ok(()),
        Some(other) => Err(LedgerError::Refused(format!(
            "the ledger has format {other}, and this program reads format {VERSION}: finish the \
             migration with the version that began it, or name another file in ledger.url and run \
             again; a new ledger is built from source and staging, and what is in the target is \
             found there and not sent twice"
        ))),
        None => {
            connection.execute_batch(TABLES)?;
            connection.execute(
                "INSERT INTO meta (key, value) VALUES ('version', ?1)",
                [VERSION],
            )?;
            Ok(())
        }
    }
}
