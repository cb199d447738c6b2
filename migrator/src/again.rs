//! What is taken up again: read anew from the source, or sent again though it is in the target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plan::{LoadedPlan, Reason, TargetKind};
use serde::Deserialize;

use crate::behind::of_row;
use crate::engine::Options;
use crate::ledger::{InteractionRow, Ledger, LedgerError};
use crate::outcome::Stop;
use crate::step::Phase;

/// Which of what stays behind is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// A reason as it stands in the list, or one of the outcomes `quarantined`, `skipped` and `left`.
    Reason(String),
    /// These.
    Listed(Named),
}

/// Calls and recordings that a file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Ids of interactions or recordings of the source, each with what is said to be wrong, where the file says so.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// Lines that name nothing of the source, such as a finding about a record that has none.
    pub without_source: u64,
}

/// Larger than the findings of a million calls.
const MOST_BYTES: u64 = 1 << 30;

/// What a line of findings.jsonl tells.
#[derive(Deserialize)]
struct FindingLine {
    legacy_interaction_id: Option<String>,
    legacy_recording_id: Option<String>,
    #[serde(default)]
    field: String,
}

impl Named {
    /// Reads `findings.jsonl`, a CSV with a column `legacy_interaction_id` or `legacy_recording_id` (such as `status --quarantine` writes), or
    /// one id a line. The error names file and line.
    pub fn read(path: &Path) -> Result<Named, String> {
        let name = path.display();
        let size = std::fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?.len();
        if size > MOST_BYTES {
            return Err(format!("{name} has {size} bytes, which is more than {MOST_BYTES}; split it"));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let named = if first.trim_start().starts_with('{') {
            of_findings(text)
        } else if ["legacy_interaction_id", "legacy_recording_id"].iter().any(|column| first.contains(column)) {
            of_table(text)
        } else {
            Ok(of_list(text))
        };
        let named = named.map_err(|why| format!("{name} {why}"))?;
        if named.ids.is_empty() && named.without_source == 0 {
            return Err(format!("{name} names no call: give it findings.jsonl, a CSV of status --quarantine, or one id a line"));
        }
        Ok(named)
    }

    fn add(&mut self, id: Option<String>, wrong: Option<&str>) {
        match id.filter(|id| !id.is_empty()) {
            Some(id) => self.ids.entry(id).or_default().extend(wrong.map(str::to_owned)),
            None => self.without_source += 1,
        }
    }
}

fn of_findings(text: &str) -> Result<Named, String> {
    let mut named = Named::default();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: FindingLine =
            serde_json::from_str(line).map_err(|error| format!("line {}: is no finding: column {}", at + 1, error.column()))?;
        named.add(line.legacy_recording_id.or(line.legacy_interaction_id), Some(&line.field));
    }
    Ok(named)
}

fn of_table(text: &str) -> Result<Named, String> {
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let headers = rows.headers().map_err(|_| "line 1: is no CSV".to_owned())?.clone();
    let columns: Vec<usize> = ["legacy_recording_id", "legacy_interaction_id"]
        .iter()
        .filter_map(|name| headers.iter().position(|header| header == *name))
        .collect();
    let mut named = Named::default();
    for row in rows.records() {
        let row = row.map_err(|error| format!("line {}: is no CSV", error.position().map_or(0, csv::Position::line)))?;
        let cell = columns.iter().find_map(|at| row.get(*at).filter(|cell| !cell.is_empty()));
        named.add(cell.map(|cell| output::csv_cell_read(cell).to_owned()), None);
    }
    Ok(named)
}

fn of_list(text: &str) -> Named {
    let mut named = Named::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        named.add(Some(line.to_owned()), None);
    }
    named
}

/// Besides the reasons: the outcomes of the list.
const OUTCOMES: [&str; 3] = ["quarantined", "skipped", "left"];

impl Retry {
    /// A reason or outcome by its name, or a file.
    pub fn parse(text: &str) -> Result<Retry, String> {
        if Reason::from_name(text).is_some() || OUTCOMES.contains(&text) {
            return Ok(Retry::Reason(text.to_owned()));
        }
        let path = Path::new(text);
        if path.exists() {
            return Named::read(path).map(Retry::Listed);
        }
        let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).chain(OUTCOMES).collect();
        Err(format!("`{text}` is neither a file nor a reason; the reasons are {}", reasons.join(", ")))
    }
}

/// Whether the last run came to its end: only then what it doubted is read again, so that a run that is killed and started again a hundred times
/// does not read the same a hundred times.
const CAME_TO_ITS_END: &str = "came_to_its_end";

pub(crate) async fn came_to_its_end(ledger: &Ledger) -> Result<(), LedgerError> {
    ledger.set_meta(vec![(CAME_TO_ITS_END, "yes".to_owned())]).await
}

/// Takes up again what the options name; without them what stays behind because the source misbehaved. Answers how many interactions.
pub(crate) async fn take_up(ledger: &Ledger, plan: &LoadedPlan, options: &Options) -> Result<u64, Stop> {
    let came_to_its_end = ledger.meta(CAME_TO_ITS_END).await?.is_some_and(|yes| yes == "yes");
    ledger.set_meta(vec![(CAME_TO_ITS_END, String::new())]).await?;
    let mut chosen = Chosen::default();
    match (&options.retry, &options.redo) {
        (None, None) if came_to_its_end && options.canary.is_none() => {
            let rows = ledger.these(ledger.doubtful().await?).await?;
            rows.iter().for_each(|row| chosen.read_again(row, plan));
            // Its own listing was not in doubt.
            ledger.take_up(chosen.open.clone(), chosen.done.clone(), false).await?;
            return Ok(chosen.count());
        }
        (None, None) => return Ok(0),
        (Some(Retry::Reason(name)), _) => {
            for chunk in ledger.behind().await?.chunks(500) {
                let rows = ledger.these(chunk.to_vec()).await?;
                let fits = |row: &&InteractionRow| of_row(row).iter().any(|behind| behind.reason == *name || behind.outcome == *name);
                rows.iter().filter(fits).for_each(|row| chosen.read_again(row, plan));
            }
        }
        (Some(Retry::Listed(named)), _) => {
            let (rows, _) = rows_of(ledger, named).await?;
            rows.iter().for_each(|row| chosen.read_again(row, plan));
        }
        (None, Some(named)) => {
            let (rows, wrong) = rows_of(ledger, named).await?;
            rows.iter().for_each(|row| chosen.send_again(row, wrong.get(&row.seq), plan));
        }
    }
    for sentence in &chosen.ignored {
        tracing::warn!("{sentence}");
    }
    let count = chosen.count();
    ledger.unrepairable(chosen.unrepairable).await?;
    ledger.take_up(chosen.open, chosen.done, true).await?;
    Ok(count)
}

/// The rows that a file names, and what is said to be wrong with each. An id that no call of the ledger has ends the command: a list that does not
/// fit is another migration's.
async fn rows_of(ledger: &Ledger, named: &Named) -> Result<(Vec<InteractionRow>, BTreeMap<i64, BTreeSet<String>>), Stop> {
    let mut wrong: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    let mut unknown: BTreeSet<&String> = named.ids.keys().collect();
    let ids: Vec<String> = named.ids.keys().cloned().collect();
    for (id, seq) in ledger.seqs_of_ids(ids).await? {
        if let Some((id, said)) = named.ids.get_key_value(&id) {
            unknown.remove(id);
            wrong.entry(seq).or_default().extend(said.iter().cloned());
        }
    }
    if let Some(first) = unknown.first() {
        let (count, all) = (unknown.len(), named.ids.len());
        return Err(Stop::Plan(format!("{count} of the {all} ids to take up again are in no call of this ledger, {first} among them")));
    }
    if named.without_source > 0 {
        tracing::warn!(
            "{} lines name nothing of the source: what they are about was not sent by this migration or stands there in surplus, and is taken \
             away in the target, by hand",
            named.without_source
        );
    }
    Ok((ledger.these(wrong.keys().copied().collect()).await?, wrong))
}

#[derive(Default)]
struct Chosen {
    open: Vec<i64>,
    done: Vec<i64>,
    unrepairable: Vec<(i64, String)>,
    ignored: Vec<String>,
}

impl Chosen {
    fn count(&self) -> u64 {
        (self.open.len() + self.done.len()) as u64
    }

    /// What stays behind is read again. A call of which only a part went is sent again whole, where the target allows it.
    fn read_again(&mut self, row: &InteractionRow, plan: &LoadedPlan) {
        let is_partial = row.recordings.iter().any(|recording| recording.outcome.is_some());
        match row.phase {
            Phase::Done if !is_partial && row.unrepaired.is_none() && row.error.is_none() => {
                self.ignored
                    .push(format!("interaction {} is in the target, and nothing of it stays behind; --redo sends it again", row.legacy_id));
            }
            Phase::Done if plan.plan.target.kind() == TargetKind::Gir && is_partial => {
                // Source: contracts section 2.
                let why = "it went without one of its recordings, and inserting it again would merge the two; --redo with --replace deletes it \
                           there and inserts it whole";
                self.unrepairable.push((row.seq, why.to_owned()));
            }
            Phase::Done => self.done.push(row.seq),
            _ => self.open.push(row.seq),
        }
    }

    fn send_again(&mut self, row: &InteractionRow, wrong: Option<&BTreeSet<String>>, plan: &LoadedPlan) {
        let is_public = plan.plan.target.genesys_cloud().is_some_and(|cloud| cloud.ingest == plan::Ingest::Public);
        let sound = wrong.is_some_and(|fields| fields.contains("audio"));
        match row.phase {
            // Assumed: scenarios/contracts/genesys_cloud/upload_recording.json.
            Phase::Done if is_public && sound => {
                let why = "its sound differs, and the public ingestion takes no other bytes for a recording that is there; have the recording \
                           deleted there, then redo it";
                self.unrepairable.push((row.seq, why.to_owned()));
            }
            Phase::Done => self.done.push(row.seq),
            _ => self.open.push(row.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Named, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("list");
        std::fs::write(&path, text).expect("written");
        Named::read(&path)
    }

    #[test]
    fn calls_are_named_by_findings_by_a_table_or_by_a_list() {
        let finding = r#"{"defect":"D46","title":"t","legacy_interaction_id":"7","legacy_recording_id":null,"field":"agent"}"#;
        let sound = r#"{"defect":"D19","legacy_interaction_id":"8","legacy_recording_id":"8-1","field":"audio"}"#;
        let phantom = r#"{"defect":"D02","legacy_interaction_id":null,"legacy_recording_id":null,"field":"presence"}"#;
        let rows: [(String, &[&str], u64); 5] = [
            (format!("{finding}\n{sound}\n\n{phantom}\n"), &["7", "8-1"], 1),
            ("legacy_interaction_id,legacy_recording_id,file\n7,,\n8,8-1,\"a,b\"\n".to_owned(), &["7", "8-1"], 0),
            ("\u{feff}file,legacy_interaction_id\r\nx,7\r\n".to_owned(), &["7"], 0),
            ("# mine\n 7 \n\n8-1\n".to_owned(), &["7", "8-1"], 0),
            ("legacy_recording_id\n'=1+2\n".to_owned(), &["=1+2"], 0),
        ];
        for (text, ids, without_source) in rows {
            let named = read(&text).expect("names");
            assert_eq!(named.ids.keys().map(String::as_str).collect::<Vec<_>>(), ids, "{text}");
            assert_eq!(named.without_source, without_source, "{text}");
        }
        assert!(read(&sound.replace("8-1", "9")).expect("names").ids["9"].contains("audio"));
        for (text, said) in [("", "names no call"), ("# none\n", "names no call"), ("{\"legacy_interaction_id\":7}", "line 1")] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn a_retry_is_a_reason_an_outcome_or_a_file() {
        for reason in ["audio_empty", "left", "skipped", "quarantined"] {
            assert_eq!(Retry::parse(reason), Ok(Retry::Reason(reason.to_owned())));
        }
        let refused = Retry::parse("audio_emty").expect_err("a typing error");
        assert!(refused.contains("audio_empty") && refused.contains("left"), "{refused}");
    }
}
