//! The mapping files: rows, checked one by one and against each other.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use uuid::Uuid;

use crate::PlanError;

/// All mapping tables of a plan, as rows in file order.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Agents. One legacy id may stand on several rows whose validity does not overlap.
    pub agents: Vec<AgentRow>,
    /// Queues.
    pub queues: Vec<QueueRow>,
    /// Skills.
    pub skills: Vec<SkillRow>,
    /// Wrap-up codes.
    pub wrapups: Vec<WrapupRow>,
}

/// A row of `agents.csv`.
#[derive(Debug, Clone)]
pub struct AgentRow {
    /// Agent as the source names it.
    pub legacy_agent_id: String,
    /// User of the target.
    pub genesys_user_id: Uuid,
    /// Name, for a person who reads the file.
    pub genesys_user_name: String,
    /// GIR: user name as in the configuration.
    pub gir_username: Option<String>,
    /// GIR: agent login.
    pub gir_login: Option<String>,
    /// GIR: access group. Absent: none is written, and perhaps nobody may hear the recording.
    pub gir_access_group: Option<String>,
    /// First instant this row holds. Absent: always before `valid_to`.
    pub valid_from: Option<Timestamp>,
    /// First instant this row no longer holds. Absent: for ever.
    pub valid_to: Option<Timestamp>,
    /// Line in the file, counted from 1.
    pub line: u64,
}

/// A row of `queues.csv`.
#[derive(Debug, Clone)]
pub struct QueueRow {
    /// Queue as the source names it.
    pub legacy_queue_id: String,
    /// Queue of the target.
    pub genesys_queue_id: Uuid,
    /// GIR: partition of its recordings. Absent: none.
    pub gir_partition: Option<String>,
    /// Line in the file, counted from 1.
    pub line: u64,
}

/// A row of `skills.csv`.
#[derive(Debug, Clone)]
pub struct SkillRow {
    /// Skill as the source names it.
    pub legacy_skill: String,
    /// Skill of the target.
    pub genesys_skill_id: Uuid,
    /// Line in the file, counted from 1.
    pub line: u64,
}

/// A row of `wrapups.csv`.
#[derive(Debug, Clone)]
pub struct WrapupRow {
    /// Wrap-up code as the source names it.
    pub legacy_code: String,
    /// Wrap-up code of the target.
    pub genesys_wrapup_id: Uuid,
    /// Line in the file, counted from 1.
    pub line: u64,
}

/// A CSV file read into rows of named cells; unknown and missing columns are refused.
pub(crate) struct Table<'a> {
    file: &'a Path,
    columns: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl<'a> Table<'a> {
    pub(crate) fn read(file: &'a Path, text: &str, required: &[&str], optional: &[&str]) -> Result<Table<'a>, PlanError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let columns: Vec<String> = reader.headers().map_err(|error| csv_error(file, &error))?.iter().map(str::to_owned).collect();
        for column in &columns {
            if !required.contains(&column.as_str()) && !optional.contains(&column.as_str()) {
                let known: Vec<&str> = required.iter().chain(optional).copied().collect();
                let known = crate::error::nearest(column, &known).unwrap_or_default();
                return Err(PlanError::line(file, 1, format!("unknown column `{column}`; the nearest known column is `{known}`")));
            }
        }
        if let Some(missing) = required.iter().find(|name| !columns.iter().any(|column| column == *name)) {
            return Err(PlanError::line(file, 1, format!("the column `{missing}` is missing")));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| csv_error(file, &error))?;
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        Ok(Table { file, columns, rows })
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { table: self, line: *line, record })
    }
}

fn csv_error(file: &Path, error: &csv::Error) -> PlanError {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} fields where the header has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "not UTF-8; save the file as UTF-8".to_owned(),
        _ => error.to_string(),
    };
    PlanError::line(file, line, what)
}

pub(crate) struct Row<'a> {
    table: &'a Table<'a>,
    pub(crate) line: u64,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    pub(crate) fn optional(&self, column: &str) -> Option<String> {
        let at = self.table.columns.iter().position(|name| name == column)?;
        self.record.get(at).filter(|cell| !cell.is_empty()).map(|cell| output::csv_cell_read(cell).to_owned())
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, PlanError> {
        self.optional(column).ok_or_else(|| self.error(format!("`{column}` is empty")))
    }

    fn uuid(&self, column: &str) -> Result<Uuid, PlanError> {
        let cell = self.text(column)?;
        Uuid::parse_str(&cell).map_err(|_| self.error(format!("`{column}`: `{cell}` is not a UUID")))
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, PlanError> {
        let Some(cell) = self.optional(column) else { return Ok(None) };
        let instant =
            cell.parse().map_err(|_| self.error(format!("`{column}`: `{cell}` is not an instant such as 2024-01-31T00:00:00Z")))?;
        Ok(Some(instant))
    }

    pub(crate) fn error(&self, what: String) -> PlanError {
        PlanError::line(self.table.file, self.line, what)
    }
}

pub(crate) fn agents(file: &Path, text: &str) -> Result<Vec<AgentRow>, PlanError> {
    let optional = ["gir_username", "gir_login", "gir_access_group", "valid_from", "valid_to"];
    let table = Table::read(file, text, &["legacy_agent_id", "genesys_user_id", "genesys_user_name"], &optional)?;
    let mut agents: Vec<AgentRow> = Vec::new();
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    for row in table.rows() {
        let agent = AgentRow {
            legacy_agent_id: row.text("legacy_agent_id")?,
            genesys_user_id: row.uuid("genesys_user_id")?,
            genesys_user_name: row.optional("genesys_user_name").unwrap_or_default(),
            gir_username: row.optional("gir_username"),
            gir_login: row.optional("gir_login"),
            gir_access_group: row.optional("gir_access_group"),
            valid_from: row.instant("valid_from")?,
            valid_to: row.instant("valid_to")?,
            line: row.line,
        };
        if let (Some(from), Some(to)) = (agent.valid_from, agent.valid_to)
            && from >= to
        {
            return Err(row.error("valid_from is not before valid_to".to_owned()));
        }
        let same_id = seen.entry(agent.legacy_agent_id.clone()).or_default();
        if let Some(other) = same_id.iter().map(|at| &agents[*at]).find(|other| overlap(other, &agent)) {
            return Err(row.error(format!(
                "agent `{}` stands on line {} already, for an overlapping time; give the rows valid_from and valid_to that do not overlap, or remove one",
                agent.legacy_agent_id, other.line
            )));
        }
        same_id.push(agents.len());
        agents.push(agent);
    }
    Ok(agents)
}

/// Whether two half-open intervals share an instant.
fn overlap(a: &AgentRow, b: &AgentRow) -> bool {
    let starts_before_end = |start: Option<Timestamp>, end: Option<Timestamp>| match (start, end) {
        (Some(start), Some(end)) => start < end,
        _ => true,
    };
    starts_before_end(a.valid_from, b.valid_to) && starts_before_end(b.valid_from, a.valid_to)
}

/// A table of keys and UUIDs, each key once; `row_of` makes the row.
fn pairs<T>(table: &Table<'_>, key: &str, value: &str, row_of: impl Fn(&Row<'_>, String, Uuid) -> T) -> Result<Vec<T>, PlanError> {
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut pairs = Vec::new();
    for row in table.rows() {
        let name = row.text(key)?;
        if let Some(line) = lines.insert(name.clone(), row.line) {
            return Err(row.error(format!("`{name}` stands on line {line} already; remove one of the two")));
        }
        pairs.push(row_of(&row, name, row.uuid(value)?));
    }
    Ok(pairs)
}

pub(crate) fn queues(file: &Path, text: &str) -> Result<Vec<QueueRow>, PlanError> {
    let table = Table::read(file, text, &["legacy_queue_id", "genesys_queue_id"], &["gir_partition"])?;
    pairs(&table, "legacy_queue_id", "genesys_queue_id", |row, legacy_queue_id, genesys_queue_id| QueueRow {
        legacy_queue_id,
        genesys_queue_id,
        gir_partition: row.optional("gir_partition"),
        line: row.line,
    })
}

pub(crate) fn skills(file: &Path, text: &str) -> Result<Vec<SkillRow>, PlanError> {
    let table = Table::read(file, text, &["legacy_skill", "genesys_skill_id"], &[])?;
    pairs(&table, "legacy_skill", "genesys_skill_id", |row, legacy_skill, genesys_skill_id| SkillRow {
        legacy_skill,
        genesys_skill_id,
        line: row.line,
    })
}

pub(crate) fn wrapups(file: &Path, text: &str) -> Result<Vec<WrapupRow>, PlanError> {
    let table = Table::read(file, text, &["legacy_code", "genesys_wrapup_id"], &[])?;
    pairs(&table, "legacy_code", "genesys_wrapup_id", |row, legacy_code, genesys_wrapup_id| WrapupRow {
        legacy_code,
        genesys_wrapup_id,
        line: row.line,
    })
}
