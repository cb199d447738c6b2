//! Tables of the ledger, version by version.

use crate::ledger::LedgerError;

use super::session::{Session, Trouble};

/// What each version adds, from 1 on. One that was given out is never changed: another is added.
const VERSIONS: [&str; 1] = [VERSION_1];

/// As the tables of a file, and beside them: what tells several runs apart. Row numbers are given
/// by the statement that inserts, without gaps, as code counts by them.
const VERSION_1: &str = "
CREATE FUNCTION clock_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
  'SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint';
CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE interaction (
  seq bigint PRIMARY KEY,
  legacy_id text NOT NULL UNIQUE,
  page bigint NOT NULL,
  phase text NOT NULL,
  entity text NOT NULL,
  headers text NOT NULL,
  reason text,
  error text,
  target_id text,
  plan_hash text,
  target_state text,
  detail text,
  since text,
  error_since text,
  stand_in text,
  redo text,
  unrepaired text,
  listed bigint,
  document text,
  audio_rules text,
  claimed_by text,
  claim bigint NOT NULL DEFAULT 0,
  in_doubt boolean NOT NULL DEFAULT false
);
CREATE TABLE recording (
  seq bigint PRIMARY KEY,
  interaction bigint NOT NULL REFERENCES interaction (seq),
  legacy_id text NOT NULL UNIQUE,
  answer text,
  staged_sha256 text,
  staged_bytes bigint,
  read_twice boolean NOT NULL DEFAULT false,
  out_sha256 text,
  out_bytes bigint,
  out_codec text,
  out_samples bigint,
  out_rate bigint,
  kept boolean,
  file_name text,
  file_id text,
  target_id text,
  outcome text,
  reason text,
  target_state text,
  detail text,
  since text,
  doubt boolean
);
CREATE INDEX recording_interaction ON recording (interaction);
CREATE TABLE custody (seq bigint PRIMARY KEY, line text NOT NULL, chain text NOT NULL);
CREATE TABLE warning (kind text NOT NULL, subject text NOT NULL, PRIMARY KEY (kind, subject));
CREATE TABLE run (
  name text PRIMARY KEY,
  until_ms bigint NOT NULL,
  since_ms bigint NOT NULL,
  plan_hash text NOT NULL DEFAULT '',
  alone text,
  is_in boolean NOT NULL DEFAULT false,
  written bigint NOT NULL DEFAULT 0
);
CREATE SEQUENCE run_number;
CREATE UNLOGGED TABLE budget (name text PRIMARY KEY, next_us bigint NOT NULL);
CREATE TABLE turn (name text PRIMARY KEY, run text NOT NULL REFERENCES run (name) ON DELETE CASCADE);
CREATE INDEX interaction_open ON interaction (seq) WHERE phase NOT IN ('done', 'set_aside');
CREATE INDEX interaction_claimed ON interaction (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX interaction_redo ON interaction (seq) WHERE redo IS NOT NULL;
CREATE INDEX interaction_error ON interaction (seq) WHERE error IS NOT NULL;
CREATE INDEX interaction_unrepaired ON interaction (seq) WHERE unrepaired IS NOT NULL;
CREATE INDEX interaction_stand_in ON interaction (stand_in) WHERE stand_in IS NOT NULL;
CREATE INDEX interaction_aside ON interaction (seq) WHERE phase = 'set_aside';
CREATE INDEX recording_aside ON recording (interaction) WHERE outcome IS NOT NULL;
";

/// Locks of one schema, each held until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lock {
    /// A page is being added.
    Page = 1,
    /// The chain of custody grows.
    Custody = 2,
}

/// Takes a lock that is this schema's alone; waits for whoever has it.
pub(super) async fn lock(session: &Session, which: Lock) -> Result<(), Trouble> {
    session
        .rows(
            "SELECT pg_advisory_xact_lock(oid::int, $1) FROM pg_namespace WHERE nspname = \
             current_schema()",
            &[&(which as i32)],
        )
        .await
        .map(drop)
}

/// The number of the newest version that was applied; 0: none was.
pub(super) async fn version(session: &Session) -> Result<i64, Trouble> {
    let there = session
        .one::<bool>("SELECT to_regclass('version') IS NOT NULL", &[])
        .await?;
    if !there {
        return Ok(0);
    }
    session
        .one("SELECT coalesce(max(number), 0) FROM version", &[])
        .await
}

/// Brings the tables of the current schema to the version of this program, in one transaction.
/// A newer one is left as it is and refused.
pub(super) async fn prepare(session: &Session, schema: &str) -> Result<(), Trouble> {
    // Over the schema's name, as there may be no schema yet.
    session
        .rows("SELECT pg_advisory_xact_lock(1, hashtext($1))", &[&schema])
        .await?;
    let there = session
        .one::<bool>("SELECT to_regnamespace($1) IS NOT NULL", &[&schema])
        .await?;
    // Not IF NOT EXISTS alone: it asks for a permission that whoever only uses a schema lacks.
    if !there {
        session
            .batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
            .await?;
    }
    let found = version(session).await?;
    newer(found)?;
    if found == 0 {
        let table = "CREATE TABLE version (number bigint PRIMARY KEY, at timestamptz NOT NULL \
            DEFAULT now())";
        session.batch(table).await?;
    }
    for (number, sql) in (1_i64..).zip(VERSIONS) {
        if number > found {
            session.batch(sql).await?;
            session
                .change("INSERT INTO version (number) VALUES ($1)", &[&number])
                .await?;
        }
    }
    Ok(())
}

/// Refuses tables that a newer program made.
pub(super) fn newer(found: i64) -> Result<(), Trouble> {
    let known = VERSIONS.len();
    match usize::try_from(found) {
        Ok(found) if found <= known => Ok(()),
        _ => Err(Trouble::Ledger(LedgerError::Refused(format!(
            "the ledger's tables have version {found}, and this program knows {known}: go on with \
             the newer program, or name another schema in ledger.url"
        )))),
    }
}

#[cfg(test)]
pub(super) const NEWEST: i64 = VERSIONS.len() as i64;
