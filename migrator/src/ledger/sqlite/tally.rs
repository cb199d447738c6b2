//! Everything, counted.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use crate::ledger::{StandInCounts, Tally};
use crate::step::Phase;

pub(super) fn counts_of(c: &Connection, sql: &str) -> rusqlite::Result<BTreeMap<String, u64>> {
    c.prepare_cached(sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn tally(c: &Connection) -> rusqlite::Result<Tally> {
    let one = |sql: &str| {
        c.prepare_cached(sql)?
            .query_row([], |row| row.get::<_, u64>(0))
    };
    let phases = counts_of(c, "SELECT phase, count(*) FROM interaction GROUP BY phase")?;
    let phase = |phase: Phase| phases.get(phase.as_str()).copied().unwrap_or(0);
    let interactions = phases.values().sum();
    let finished: Option<String> = c
        .query_row(
            "SELECT value FROM meta WHERE key = 'extraction'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(Tally {
        interactions,
        recordings: one("SELECT count(*) FROM recording")?,
        interactions_done: phase(Phase::Done),
        recordings_done: one(
            "SELECT count(*) FROM recording JOIN interaction i ON i.seq = interaction WHERE \
             i.phase = 'done' AND outcome IS NULL",
        )?,
        quarantined: counts_of(
            c,
            "SELECT reason, count(*) FROM recording WHERE outcome = 'quarantined' GROUP BY reason",
        )?,
        skipped: counts_of(
            c,
            "SELECT reason, count(*) FROM recording WHERE outcome = 'skipped' GROUP BY reason",
        )?,
        interactions_set_aside: phase(Phase::SetAside),
        interactions_by_reason: counts_of(
            c,
            "SELECT reason, count(*) FROM interaction WHERE phase = 'set_aside' AND reason IS NOT \
             NULL AND seq NOT IN (SELECT interaction FROM recording) GROUP BY reason",
        )?,
        recordings_ready: one(
            "SELECT count(*) FROM recording JOIN interaction i ON i.seq = interaction \
             WHERE i.phase IN ('converted', 'uploaded', 'created') AND outcome IS NULL",
        )?,
        interactions_left: interactions - phase(Phase::Done) - phase(Phase::SetAside),
        interactions_failed: one("SELECT count(*) FROM interaction WHERE error IS NOT NULL")?,
        bytes_staged: one("SELECT coalesce(sum(staged_bytes), 0) FROM recording")?,
        interactions_unrepaired: one(
            "SELECT count(*) FROM interaction WHERE unrepaired IS NOT NULL",
        )?,
        stand_in: stand_ins(c)?,
        extraction_finished: finished.as_deref() == Some("finished"),
    })
}

/// Calls for which the plan's stand-in goes; what stays behind goes to nobody.
fn stand_ins(c: &Connection) -> rusqlite::Result<StandInCounts> {
    let mut counts = StandInCounts::default();
    let sql = "SELECT stand_in, count(*) FROM interaction WHERE stand_in IS NOT NULL AND phase <> \
        'set_aside' GROUP BY stand_in";
    for (text, calls) in counts_of(c, sql)? {
        if let Ok(stand_in) = serde_json::from_str(&text) {
            counts.add(&stand_in, calls);
        }
    }
    Ok(counts)
}
