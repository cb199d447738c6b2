//! Tables of the ledger.

use rusqlite::{Connection, OptionalExtension};

use super::LedgerError;

/// Format of the tables; another one is refused rather than guessed at.
const VERSION: &str = "1";

/// Row ids follow extraction order: ascending keys insert an order of magnitude faster than random ones (measured).
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
  posted TEXT
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
  pkcs7 TEXT,
  cert_alias TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS recording_legacy ON recording (legacy_id);
CREATE INDEX IF NOT EXISTS recording_interaction ON recording (interaction);
CREATE TABLE IF NOT EXISTS custody (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, chain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS warning (kind TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (kind, subject)) WITHOUT ROWID;
";

/// Columns that came after the first ledgers of this format: absent means what it meant before.
const LATER: [(&str, &str, &str); 15] = [
    ("interaction", "posted", "TEXT"),
    ("interaction", "detail", "TEXT"),
    ("interaction", "since", "TEXT"),
    ("interaction", "error_since", "TEXT"),
    ("interaction", "stand_in", "TEXT"),
    ("interaction", "redo", "TEXT"),
    ("interaction", "unrepaired", "TEXT"),
    ("interaction", "listed", "INTEGER"),
    ("interaction", "document", "TEXT"),
    ("interaction", "audio_rules", "TEXT"),
    ("recording", "pkcs7", "TEXT"),
    ("recording", "cert_alias", "TEXT"),
    ("recording", "detail", "TEXT"),
    ("recording", "since", "TEXT"),
    ("recording", "doubt", "INTEGER"),
];

/// Over later columns, so after them: the few rows that are asked for among millions.
const LATER_INDEXES: &str = "
CREATE INDEX IF NOT EXISTS interaction_redo ON interaction (seq) WHERE redo IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_error ON interaction (seq) WHERE error IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_unrepaired ON interaction (seq) WHERE unrepaired IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_stand_in ON interaction (stand_in) WHERE stand_in IS NOT NULL;
CREATE INDEX IF NOT EXISTS interaction_aside ON interaction (seq) WHERE phase = 'set_aside';
CREATE INDEX IF NOT EXISTS recording_aside ON recording (interaction) WHERE outcome IS NOT NULL;
";

pub(super) fn prepare(connection: &Connection) -> Result<(), LedgerError> {
    connection.execute_batch(TABLES)?;
    for (table, column, kind) in LATER {
        let known: u64 =
            connection.query_row("SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2", [table, column], |row| row.get(0))?;
        if known == 0 {
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
        }
    }
    connection.execute_batch(LATER_INDEXES)?;
    let version: Option<String> = connection.query_row("SELECT value FROM meta WHERE key = 'version'", [], |row| row.get(0)).optional()?;
    match version.as_deref() {
        Some(VERSION) => Ok(()),
        Some(other) => Err(LedgerError::Refused(format!("the ledger has format {other}; this program reads {VERSION}"))),
        None => {
            connection.execute("INSERT INTO meta (key, value) VALUES ('version', ?1)", [VERSION])?;
            Ok(())
        }
    }
}
