//! The mapping files: rows, checked one by one and against each other.

use std::collections::{BTreeMap, HashMap};
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
    /// Cells of the columns that the kinds of target declare, by column; empty cells are left out.
    pub target_columns: BTreeMap<&'static str, String>,
    /// First instant this row holds. Absent: always before `valid_to`.
    pub valid_from: Option<Timestamp>,
    /// First instant this row no longer holds. Absent: for ever.
    pub valid_to: Option<Timestamp>,
    /// Line in the file, counted from 1.
    pub line: u64,
}

impl AgentRow {
    /// The cell of a column that a kind of target declares. Absent: no such column, or nothing in
    /// it.
    pub(crate) fn target_column(&self, name: &str) -> Option<&str> {
        self.target_columns.get(name).map(String::as_str)
    }
}

/// A row of `queues.csv`.
#[derive(Debug, Clone)]
pub struct QueueRow {
    /// Queue as the source names it.
    pub legacy_queue_id: String,
    /// Queue of the target.
    pub genesys_queue_id: Uuid,
    /// Cells of the columns that the kinds of target declare, by column; empty cells are left out.
    pub target_columns: BTreeMap<&'static str, String>,
    /// Line in the file, counted from 1.
    pub line: u64,
}

impl QueueRow {
    /// The cell of a column that a kind of target declares. Absent: no such column, or nothing in
    /// it.
    pub(crate) fn target_column(&self, name: &str) -> Option<&str> {
        self.target_columns.get(name).map(String::as_str)
    }
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
    pub(crate) fn read(
        file: &'a Path,
        text: &str,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Table<'a>, PlanError> {
        let Dialect {
            text,
            delimiter,
            skipped,
        } = dialect(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let headers = reader
            .headers()
            .map_err(|error| csv_error(file, &error, skipped))?;
        // A spreadsheet may have turned the names' case, or left columns without a name behind the
        // last one.
        let columns: Vec<String> = headers
            .iter()
            .map(|name| plain_cell(name).to_lowercase())
            .collect();
        for column in columns.iter().filter(|column| !column.is_empty()) {
            if !required.contains(&column.as_str()) && !optional.contains(&column.as_str()) {
                let known: Vec<&str> = required.iter().chain(optional).copied().collect();
                let known = crate::error::nearest(column, &known).unwrap_or_default();
                return Err(PlanError::line(
                    file,
                    1 + skipped,
                    format!("unknown column `{column}`; the nearest known column is `{known}`"),
                ));
            }
        }
        if let Some(missing) = required
            .iter()
            .find(|name| !columns.iter().any(|column| column == *name))
        {
            return Err(PlanError::line(
                file,
                1 + skipped,
                format!("the column `{missing}` is missing; cells are divided by `,`, `;` or tab"),
            ));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| csv_error(file, &error, skipped))?;
            let line = record.position().map_or(0, csv::Position::line) + skipped;
            // What a spreadsheet leaves below the last row.
            if record.iter().all(str::is_empty) {
                continue;
            }
            let nameless = columns
                .iter()
                .zip(&record)
                .position(|(column, cell)| column.is_empty() && !cell.is_empty());
            if let Some(at) = nameless {
                return Err(PlanError::line(
                    file,
                    line,
                    format!("the cell {} has a value and its column no name", at + 1),
                ));
            }
            rows.push((line, record));
        }
        Ok(Table {
            file,
            columns,
            rows,
        })
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row {
            table: self,
            line: *line,
            record,
        })
    }
}

/// How a table is written.
struct Dialect<'a> {
    /// From the header on.
    text: &'a str,
    delimiter: u8,
    /// Lines before the header.
    skipped: u64,
}

/// What divides the cells, as a spreadsheet's `sep=` line or the header tells: by where it was
/// saved that is a comma, a semicolon or a tab.
fn dialect(text: &str) -> Dialect<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(sep) = first
        .trim_matches(['"', '\r', ' '])
        .strip_prefix("sep=")
        .filter(|sep| sep.len() == 1)
    {
        return Dialect {
            text: rest,
            delimiter: sep.as_bytes()[0],
            skipped: 1,
        };
    }
    let header = first.split('\r').next().unwrap_or(first);
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .find(|delimiter| header.as_bytes().contains(delimiter));
    Dialect {
        text,
        delimiter: delimiter.unwrap_or(b','),
        skipped: 0,
    }
}

/// The text of a cell: `="000992"` is how a spreadsheet is made to leave an id alone.
fn plain_cell(cell: &str) -> &str {
    cell.strip_prefix("=\"")
        .and_then(|cell| cell.strip_suffix('"'))
        .map_or(cell, str::trim)
}

/// The text of a file that may be UTF-8 or, with a byte-order mark, UTF-16, as spreadsheets save
/// "Unicode text".
pub(crate) fn decoded(file: &Path, bytes: &[u8]) -> Result<String, PlanError> {
    const SAVE: &str = "save it as \"CSV UTF-8\"";
    let pair: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return utf8(file, bytes, SAVE),
    };
    let (pairs, rest) = bytes[2..].as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|two| pair(*two)).collect();
    let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
    text.ok_or_else(|| PlanError::value(file, format!("is UTF-16 that is cut or damaged; {SAVE}")))
}

fn utf8(file: &Path, bytes: &[u8], save: &str) -> Result<String, PlanError> {
    let line_of = |at: usize| bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(PlanError::value(
            file,
            format!("has zero bytes, as UTF-16 without a byte-order mark has them; {save}"),
        )),
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(PlanError::line(
            file,
            line_of(error.valid_up_to()),
            format!("is not UTF-8; {save}"),
        )),
    }
}

fn csv_error(file: &Path, error: &csv::Error, skipped: u64) -> PlanError {
    let line = error.position().map_or(1, csv::Position::line) + skipped;
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields where the header has {expected_len}"),
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
        self.record
            .get(at)
            .map(plain_cell)
            .filter(|cell| !cell.is_empty())
            .map(|cell| output::csv_cell_read(cell).to_owned())
    }

    /// The filled cells of some optional columns.
    fn several(&self, columns: &[&'static str]) -> BTreeMap<&'static str, String> {
        columns
            .iter()
            .filter_map(|column| Some((*column, self.optional(column)?)))
            .collect()
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, PlanError> {
        self.optional(column)
            .ok_or_else(|| self.error(format!("`{column}` is empty")))
    }

    fn uuid(&self, column: &str) -> Result<Uuid, PlanError> {
        let cell = self.text(column)?;
        Uuid::parse_str(&cell)
            .map_err(|_| self.error(format!("`{column}`: `{cell}` is not a UUID")))
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, PlanError> {
        let Some(cell) = self.optional(column) else {
            return Ok(None);
        };
        let instant = cell.parse().map_err(|_| {
            self.error(format!(
                "`{column}`: `{cell}` is not an instant such as 2024-01-31T00:00:00Z"
            ))
        })?;
        Ok(Some(instant))
    }

    pub(crate) fn error(&self, what: String) -> PlanError {
        PlanError::line(self.table.file, self.line, what)
    }
}

/// `of_targets`: optional columns that the kinds of target declare.
pub(crate) fn agents(
    file: &Path,
    text: &str,
    of_targets: &[&'static str],
) -> Result<Vec<AgentRow>, PlanError> {
    let optional = [of_targets, &["valid_from", "valid_to"]].concat();
    let table = Table::read(
        file,
        text,
        &["legacy_agent_id", "genesys_user_id", "genesys_user_name"],
        &optional,
    )?;
    let mut agents: Vec<AgentRow> = Vec::new();
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    for row in table.rows() {
        let agent = AgentRow {
            legacy_agent_id: row.text("legacy_agent_id")?,
            genesys_user_id: row.uuid("genesys_user_id")?,
            genesys_user_name: row.optional("genesys_user_name").unwrap_or_default(),
            target_columns: row.several(of_targets),
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
        if let Some(other) = same_id
            .iter()
            .map(|at| &agents[*at])
            .find(|other| overlap(other, &agent))
        {
            return Err(row.error(format!(
                "agent `{}` stands on line {} already, for an overlapping time; give the rows \
                 valid_from and valid_to that do not overlap, or remove one",
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
fn pairs<T>(
    table: &Table<'_>,
    key: &str,
    value: &str,
    row_of: impl Fn(&Row<'_>, String, Uuid) -> T,
) -> Result<Vec<T>, PlanError> {
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut pairs = Vec::new();
    for row in table.rows() {
        let name = row.text(key)?;
        if let Some(line) = lines.insert(name.clone(), row.line) {
            return Err(row.error(format!(
                "`{name}` stands on line {line} already; remove one of the two"
            )));
        }
        pairs.push(row_of(&row, name, row.uuid(value)?));
    }
    Ok(pairs)
}

/// `of_targets`: optional columns that the kinds of target declare.
pub(crate) fn queues(
    file: &Path,
    text: &str,
    of_targets: &[&'static str],
) -> Result<Vec<QueueRow>, PlanError> {
    let table = Table::read(
        file,
        text,
        &["legacy_queue_id", "genesys_queue_id"],
        of_targets,
    )?;
    pairs(
        &table,
        "legacy_queue_id",
        "genesys_queue_id",
        |row, legacy_queue_id, genesys_queue_id| QueueRow {
            legacy_queue_id,
            genesys_queue_id,
            target_columns: row.several(of_targets),
            line: row.line,
        },
    )
}

pub(crate) fn skills(file: &Path, text: &str) -> Result<Vec<SkillRow>, PlanError> {
    let table = Table::read(file, text, &["legacy_skill", "genesys_skill_id"], &[])?;
    pairs(
        &table,
        "legacy_skill",
        "genesys_skill_id",
        |row, legacy_skill, genesys_skill_id| SkillRow {
            legacy_skill,
            genesys_skill_id,
            line: row.line,
        },
    )
}

pub(crate) fn wrapups(file: &Path, text: &str) -> Result<Vec<WrapupRow>, PlanError> {
    let table = Table::read(file, text, &["legacy_code", "genesys_wrapup_id"], &[])?;
    pairs(
        &table,
        "legacy_code",
        "genesys_wrapup_id",
        |row, legacy_code, genesys_wrapup_id| WrapupRow {
            legacy_code,
            genesys_wrapup_id,
            line: row.line,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "34db1221-afc9-4357-aa37-dd910462b774";

    fn read(bytes: &[u8]) -> Result<Vec<QueueRow>, String> {
        let file = Path::new("queues.csv");
        let text = decoded(file, bytes).map_err(|error| error.to_string())?;
        queues(file, &text, &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_save_it() {
        let plain = format!("legacy_queue_id,genesys_queue_id\n000992,{UUID}\n");
        let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            mark.iter()
                .copied()
                .chain(plain.encode_utf16().flat_map(bytes))
                .collect::<Vec<u8>>()
        };
        let rows: [(&str, Vec<u8>); 12] = [
            ("plain", plain.clone().into_bytes()),
            ("a byte-order mark", format!("\u{feff}{plain}").into_bytes()),
            (
                "line ends of Windows",
                plain.replace('\n', "\r\n").into_bytes(),
            ),
            ("line ends of old", plain.replace('\n', "\r").into_bytes()),
            ("semicolons", plain.replace(',', ";").into_bytes()),
            ("tabs", plain.replace(',', "\t").into_bytes()),
            (
                "a sep line",
                format!("sep=;\r\n{}", plain.replace(',', ";").replace('\n', "\r\n")).into_bytes(),
            ),
            (
                "UTF-16, little end first",
                wide(&[0xff, 0xfe], u16::to_le_bytes),
            ),
            (
                "UTF-16, big end first",
                wide(&[0xfe, 0xff], u16::to_be_bytes),
            ),
            (
                "names in capitals",
                plain
                    .replace("legacy_queue_id", "LEGACY_QUEUE_ID")
                    .into_bytes(),
            ),
            (
                "empty columns and rows",
                format!("legacy_queue_id,genesys_queue_id,,\n000992,{UUID},,\n,,,\n,,,\n")
                    .into_bytes(),
            ),
            (
                "a text formula and blanks",
                format!("legacy_queue_id,genesys_queue_id\n\"=\"\"000992\"\"\" ,{UUID}\n")
                    .into_bytes(),
            ),
        ];
        for (what, bytes) in rows {
            let read = read(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(read.len(), 1, "{what}");
            assert_eq!(
                (
                    read[0].legacy_queue_id.as_str(),
                    read[0].genesys_queue_id.to_string().as_str()
                ),
                ("000992", UUID),
                "{what}"
            );
        }
    }

    #[test]
    fn a_table_that_cannot_be_read_names_its_cause_and_line() {
        let header = "legacy_queue_id,genesys_queue_id\n";
        let rows: [(Vec<u8>, &str); 7] = [
            (
                [header.as_bytes(), b"Z\xfcrich,x\n"].concat(),
                "line 2: is not UTF-8",
            ),
            (
                header.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                "UTF-16 without a byte-order mark",
            ),
            ([&[0xff, 0xfe][..], b"odd"].concat(), "UTF-16 that is cut"),
            (
                format!("sep=;\nlegacy_queue_id;genesys_queue\n1;{UUID}\n").into_bytes(),
                "line 2: unknown column `genesys_queue`",
            ),
            (
                format!("sep=;\nlegacy_queue_id;genesys_queue_id\n1;{UUID}\n1;{UUID}\n")
                    .into_bytes(),
                "line 4: `1` stands on line 3",
            ),
            (
                b"legacy_queue_id|genesys_queue_id\n".to_vec(),
                "unknown column",
            ),
            (
                format!("legacy_queue_id,genesys_queue_id,\n1,{UUID},lost\n").into_bytes(),
                "its column no name",
            ),
        ];
        for (bytes, said) in rows {
            let refused = read(&bytes).expect_err(said);
            assert!(refused.contains(said), "{said}: {refused}");
        }
    }
}
