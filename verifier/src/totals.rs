//! Control totals: how many calls or recordings somebody else has counted, held against what was
//! read. Staging says nothing of what was never staged; an outside count does. Source:
//! docs/reference/match.md, "Population".

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use plan::LoadedPlan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::expected::{Expectation, Presence};
use crate::matching::Pairing;
use crate::run_error::RunError;
use crate::source::SourceInteraction;
use crate::text::Text;
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// A row for each day, recorder and queue of ten years is below this. Bytes.
const MOST_BYTES: u64 = 16 << 20;
/// Of calls that have no usable day, recorder or queue.
const NONE: &str = "none";
const COLUMNS: [&str; 5] = ["day", "site", "queue", "count", "calls"];

/// What a row counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CountOf {
    /// Recordings: the column `count`.
    Recordings,
    /// Calls: the column `calls`.
    Calls,
}

/// How the control totals of a verification came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TotalsCompared {
    /// The file, as it was named.
    pub file: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Zone whose days were counted: the plan's `time.site_zone`, else `UTC`.
    pub zone: String,
    /// Rows that were compared.
    pub rows: u64,
    /// Whether the file counts recordings. Without it nobody says whether one of a call is
    /// missing.
    #[serde(default)]
    pub counts_recordings: bool,
    /// Rows for days outside the plan's window; not compared.
    pub outside_window: u64,
    /// Calls of the source that belong to no row that was compared: nobody says how many of them
    /// there are.
    pub calls_without_row: u64,
    /// Rows that the source, as it was read, does not come to.
    pub differences: Vec<TotalsDifference>,
}

/// A control total that the source, as it was read, does not come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TotalsDifference {
    /// Day of the call's start. Absent: the file has no such column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<String>,
    /// Recorder node. Absent: the file has no such column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<String>,
    /// Queue as the source names it. Absent: the file has no such column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue: Option<String>,
    /// What is counted.
    pub of: CountOf,
    /// By the control totals.
    pub expected: u64,
    /// Of the source, as it was read.
    pub source: u64,
    /// Of these, found in the target.
    pub in_target: u64,
    /// Of these, rightly left behind.
    pub stay_behind: u64,
}

/// The cells a row is about; absent where the file has no such column.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    day: Option<String>,
    site: Option<String>,
    queue: Option<String>,
}

/// Which of the optional columns there are.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    day: Option<usize>,
    site: Option<usize>,
    queue: Option<usize>,
    recordings: Option<usize>,
    calls: Option<usize>,
}

/// A file of control totals.
#[derive(Debug)]
pub(crate) struct Totals {
    file: String,
    sha256: String,
    columns: Columns,
    rows: BTreeMap<Cell, Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    line: u64,
    recordings: Option<u64>,
    calls: Option<u64>,
}

/// One side's count of recordings or calls.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    source: u64,
    in_target: u64,
    stay_behind: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Both {
    recordings: Counted,
    calls: Counted,
}

/// Counts what was read, call by call, in the rows of a file of totals.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    columns: Columns,
    zone: TimeZone,
    counted: BTreeMap<Cell, Both>,
}

impl Counter {
    pub(crate) fn add(
        &mut self,
        interaction: &SourceInteraction,
        expected: &Expectation,
        pairing: &Pairing,
        buckets: &[Bucket],
    ) {
        let cell = self.columns.cell_of(interaction, expected, &self.zone);
        let both = self.counted.entry(cell).or_default();
        both.calls.source += 1;
        both.calls.in_target += u64::from(pairing.conversation.is_some());
        both.calls.stay_behind += u64::from(matches!(
            expected.presence,
            Presence::Absent(_) | Presence::NotCarried
        ));
        for (at, bucket) in buckets.iter().enumerate() {
            let is_there = pairing.recordings.get(at).is_some_and(Option::is_some);
            both.recordings.source += 1;
            both.recordings.in_target += u64::from(is_there);
            both.recordings.stay_behind += u64::from(matches!(
                bucket,
                Bucket::Quarantined { .. } | Bucket::Skipped { .. }
            ));
        }
    }

    /// What another counter of the same file has counted.
    pub(crate) fn merge(&mut self, other: Counter) {
        for (cell, counted) in other.counted {
            let both = self.counted.entry(cell).or_default();
            both.recordings.merge(counted.recordings);
            both.calls.merge(counted.calls);
        }
    }
}

impl Counted {
    fn merge(&mut self, other: Counted) {
        self.source += other.source;
        self.in_target += other.in_target;
        self.stay_behind += other.stay_behind;
    }
}

impl Totals {
    /// Reads a file of control totals.
    ///
    /// # Errors
    ///
    /// It cannot be read, is too large, or a line is wrong; by line and column ([`RunError::Plan`]).
    pub(crate) fn read(path: &Path) -> Result<Totals, RunError> {
        let name = path.display().to_string();
        let unreadable = |error: &std::io::Error| {
            RunError::Plan(format!("cannot read the control totals {name}: {error}"))
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(RunError::Plan(format!(
                "the control totals {name} have more than {} MiB; total them by fewer columns",
                MOST_BYTES >> 20
            )));
        }
        Totals::parse(&name, &bytes)
    }

    fn parse(name: &str, bytes: &[u8]) -> Result<Totals, RunError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            RunError::Plan(format!(
                "{name} line {line}: is not UTF-8; save it as \"CSV UTF-8\""
            ))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let header = text.lines().next().unwrap_or_default();
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .find(|delimiter| header.as_bytes().contains(delimiter))
            .unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|error| broken(name, 1, &error))?;
        let (columns, width) = (columns(name, headers)?, headers.len());
        let mut rows: BTreeMap<Cell, Row> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                broken(
                    name,
                    error.position().map_or(0, csv::Position::line),
                    &error,
                )
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != width {
                return Err(RunError::Plan(format!(
                    "{name} line {line}, column {}: the line has {} cells where the first has {width}",
                    record.len().min(width) + 1,
                    record.len()
                )));
            }
            let (cell, row) = columns.row(name, line, &record)?;
            if let Some(first) = rows.insert(cell, row) {
                return Err(RunError::Plan(format!(
                    "{name} line {line}, column 1: the same day, site and queue stand in line {}; add \
                     the two up",
                    first.line
                )));
            }
        }
        if rows.is_empty() {
            return Err(RunError::Plan(format!(
                "{name} line 2, column 1: no total is given; write a line for each of them"
            )));
        }
        Ok(Totals {
            file: name.to_owned(),
            sha256: hex::encode(Sha256::digest(bytes)),
            columns,
            rows,
        })
    }

    /// Counts what is read. `zone`: whose days are meant; absent: UTC.
    pub(crate) fn counter(&self, zone: Option<&TimeZone>) -> Counter {
        Counter {
            columns: self.columns,
            zone: zone.cloned().unwrap_or(TimeZone::UTC),
            counted: BTreeMap::new(),
        }
    }

    /// Holds the totals against what was read.
    pub(crate) fn compare(&self, loaded: &LoadedPlan, counter: &Counter) -> TotalsCompared {
        let Counter { zone, counted, .. } = counter;
        let source = &loaded.plan.source;
        let window = Window {
            from: source.from().map(UtcMillis::from),
            to: source.to().map(UtcMillis::from),
        };
        let mut compared = TotalsCompared {
            file: self.file.clone(),
            sha256: self.sha256.clone(),
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            rows: 0,
            counts_recordings: self.columns.recordings.is_some(),
            outside_window: 0,
            calls_without_row: counted
                .iter()
                .filter(|(cell, _)| {
                    !self.rows.contains_key(cell) || window.excludes(cell.day.as_deref(), zone)
                })
                .map(|(_, both)| both.calls.source)
                .sum(),
            differences: Vec::new(),
        };
        for (cell, row) in &self.rows {
            if window.excludes(cell.day.as_deref(), zone) {
                compared.outside_window += 1;
                continue;
            }
            compared.rows += 1;
            let both = counted.get(cell).copied().unwrap_or_default();
            let counts = [
                (CountOf::Recordings, row.recordings, both.recordings),
                (CountOf::Calls, row.calls, both.calls),
            ];
            for (of, expected, counted) in counts {
                let Some(expected) = expected.filter(|expected| *expected != counted.source) else {
                    continue;
                };
                compared.differences.push(TotalsDifference {
                    day: cell.day.clone(),
                    site: cell.site.clone(),
                    queue: cell.queue.clone(),
                    of,
                    expected,
                    source: counted.source,
                    in_target: counted.in_target,
                    stay_behind: counted.stay_behind,
                });
            }
        }
        compared
    }
}

/// The plan's window. Absent: no bound.
struct Window {
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
}

impl Window {
    /// Whether a whole day lies outside it.
    fn excludes(&self, day: Option<&str>, zone: &TimeZone) -> bool {
        let start = |date: Date| zone.to_zoned(date.into()).ok().map(|at| at.timestamp());
        let Some(date) = day.and_then(|day| day.parse::<Date>().ok()) else {
            return false;
        };
        let begins = start(date).map(UtcMillis::from);
        let ends = date.tomorrow().ok().and_then(start).map(UtcMillis::from);
        let is_before = self.from.zip(ends).is_some_and(|(from, ends)| ends <= from);
        let is_after = self.to.zip(begins).is_some_and(|(to, begins)| begins >= to);
        is_before || is_after
    }
}

fn columns(name: &str, headers: &csv::StringRecord) -> Result<Columns, RunError> {
    let mut columns = Columns::default();
    for (at, header) in headers.iter().enumerate() {
        let slot = match header.to_lowercase().as_str() {
            "day" => &mut columns.day,
            "site" => &mut columns.site,
            "queue" => &mut columns.queue,
            "count" => &mut columns.recordings,
            "calls" => &mut columns.calls,
            _ => {
                return Err(RunError::Plan(format!(
                    "{name} line 1, column {}: unknown column `{header}`; known are {}",
                    at + 1,
                    COLUMNS.join(", ")
                )));
            }
        };
        if slot.replace(at).is_some() {
            return Err(RunError::Plan(format!(
                "{name} line 1, column {}: the column `{header}` stands twice",
                at + 1
            )));
        }
    }
    if columns.recordings.is_none() && columns.calls.is_none() {
        return Err(RunError::Plan(format!(
            "{name} line 1, column {}: neither `count` (recordings) nor `calls` is a column; name \
             what is counted",
            headers.len()
        )));
    }
    Ok(columns)
}

impl Columns {
    fn row(
        &self,
        name: &str,
        line: u64,
        record: &csv::StringRecord,
    ) -> Result<(Cell, Row), RunError> {
        let wrong = |at: usize, why: &str| {
            RunError::Plan(format!("{name} line {line}, column {}: {why}", at + 1))
        };
        let text = |column: Option<usize>| {
            column
                .and_then(|at| record.get(at))
                .map(output::csv_cell_read)
                .map(|text| if text.is_empty() { NONE } else { text }.to_owned())
        };
        let number = |column: Option<usize>| -> Result<Option<u64>, RunError> {
            let Some(at) = column else { return Ok(None) };
            let text = record.get(at).unwrap_or_default();
            text.parse()
                .map(Some)
                .map_err(|_| wrong(at, &format!("`{text}` is not a whole number")))
        };
        let day = text(self.day);
        if let (Some(at), Some(day)) = (self.day, &day)
            && day != NONE
            && (day.len() != 10 || day.parse::<Date>().is_err())
        {
            return Err(wrong(
                at,
                &format!("`{day}` is not a day; write it as 2023-10-27, or `{NONE}`"),
            ));
        }
        let cell = Cell {
            day,
            site: text(self.site),
            queue: text(self.queue),
        };
        let row = Row {
            line,
            recordings: number(self.recordings)?,
            calls: number(self.calls)?,
        };
        Ok((cell, row))
    }

    /// Where a call belongs.
    fn cell_of(
        &self,
        interaction: &SourceInteraction,
        expected: &Expectation,
        zone: &TimeZone,
    ) -> Cell {
        let named = |name: Option<&Text>| {
            name.map(|name| name.trim())
                .filter(|name| !name.is_empty())
                .unwrap_or(NONE)
                .to_owned()
        };
        let day = || {
            expected
                .span
                .and_then(|span| span.start.timestamp())
                .map_or_else(
                    || NONE.to_owned(),
                    |at| at.to_zoned(zone.clone()).date().to_string(),
                )
        };
        Cell {
            day: self.day.map(|_| day()),
            site: self
                .site
                .map(|_| named(interaction.listed.recorder_node.as_ref())),
            queue: self.queue.map(|_| named(expected.legacy_queue.as_ref())),
        }
    }
}

fn broken(name: &str, line: u64, error: &csv::Error) -> RunError {
    RunError::Plan(format!("{name} line {line}, column 1: {error}"))
}

impl TotalsCompared {
    /// Whether the file says of every call that was read how many recordings of its kind there are,
    /// and so whether there is one that was not read.
    pub(crate) fn is_whole(&self) -> bool {
        self.rows > 0 && self.counts_recordings && self.calls_without_row == 0
    }

    /// What a reader should know. Absent: every call is counted, and every row was compared.
    pub(crate) fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.counts_recordings {
            parts.push(
                "the control totals count calls and not recordings (`count`), so a missing \
                 recording of a call is not told by them"
                    .to_owned(),
            );
        }
        if self.calls_without_row > 0 {
            parts.push(format!(
                "{} calls of the source belong to no control total, so nobody says how many of \
                 their kind there are",
                self.calls_without_row
            ));
        }
        if self.outside_window > 0 {
            parts.push(format!(
                "{} control totals are for days outside the plan's window, and were not compared",
                self.outside_window
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl TotalsDifference {
    /// For a person: where, and the figures.
    pub(crate) fn words(&self, source: &str) -> String {
        let cell = [
            ("", &self.day),
            ("site ", &self.site),
            ("queue ", &self.queue),
        ];
        let place: Vec<String> = cell
            .into_iter()
            .filter_map(|(what, value)| Some(format!("{what}{}", value.as_ref()?)))
            .collect();
        let place = if place.is_empty() {
            "all".to_owned()
        } else {
            place.join(", ")
        };
        let of = match self.of {
            CountOf::Recordings => "recordings",
            CountOf::Calls => "calls",
        };
        format!(
            "{place}: {} {of} by the control totals, {} {source}, {} in the target, {} stay behind",
            self.expected, self.source, self.in_target, self.stay_behind
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::wanted;

    fn parsed(text: &str) -> Result<Totals, String> {
        Totals::parse("totals.csv", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bad_line_is_refused_with_line_and_column() {
        let rows = [
            ("day,count\n", "totals.csv line 2, column 1: no total"),
            (
                "day,cuont\n2023-10-27,1\n",
                "line 1, column 2: unknown column `cuont`",
            ),
            (
                "day,day,count\n",
                "line 1, column 2: the column `day` stands twice",
            ),
            (
                "day,queue\n2023-10-27,Q\n",
                "line 1, column 2: neither `count`",
            ),
            (
                "day,count\n2023-10-27,1\n27.10.2023,1\n",
                "line 3, column 1: `27.10.2023` is not a day",
            ),
            (
                "day,count\n2023-02-30,1\n",
                "line 2, column 1: `2023-02-30` is not a day",
            ),
            (
                "day,count\n2023-10-27,-1\n",
                "line 2, column 2: `-1` is not a whole number",
            ),
            (
                "day,count\n2023-10-27,\n",
                "line 2, column 2: `` is not a whole number",
            ),
            (
                "day,count\n2023-10-27,1,2\n",
                "line 2, column 3: the line has 3 cells",
            ),
            (
                "day,count\n2023-10-27\n",
                "line 2, column 2: the line has 1 cells",
            ),
            (
                "day,count\n2023-10-27,1\n2023-10-28,1\n2023-10-27,2\n",
                "line 4, column 1: the same day, site and queue stand in line 2",
            ),
        ];
        for (text, wanted) in rows {
            let told = parsed(text).expect_err(text);
            assert!(told.contains(wanted), "{text:?}: {told}");
        }
        let told = Totals::parse("t.csv", b"day,count\n\xff\n").expect_err("bytes");
        assert!(
            told.to_string().contains("t.csv line 2: is not UTF-8"),
            "{told}"
        );
    }

    #[test]
    fn a_file_of_a_spreadsheet_is_read() {
        let totals = parsed("\u{feff}Day;Queue;Count\r\n2023-10-27;Q-1;3\r\n;none;2\r\n;;\r\n")
            .expect("totals");
        assert_eq!(totals.rows.len(), 2);
        let none = totals
            .rows
            .keys()
            .find(|cell| cell.day.as_deref() == Some(NONE));
        assert_eq!(none.and_then(|cell| cell.queue.as_deref()), Some(NONE));
    }

    #[test]
    fn calls_are_counted_where_they_belong() {
        let expected = wanted();
        let interaction = |node: &str| {
            let mut call = SourceInteraction::of(crate::source::SourceCall::default());
            call.listed.recorder_node = Some(node.into());
            call
        };
        let matched = vec![Bucket::Matched; expected.recordings.len()];
        let pairing = Pairing {
            conversation: Some(0),
            recordings: vec![Some(0); expected.recordings.len()],
            ..Pairing::default()
        };
        let calls = [
            (interaction("N1"), pairing.clone()),
            (interaction("N2"), Pairing::default()),
        ];
        let each = expected.recordings.len() as u64;
        for (text, counts) in [
            ("day,count\n2023-10-27,0\n", [2 * each, each]),
            ("site,count\nN1,0\n", [each, each]),
            ("site,count\nN2,0\n", [each, 0]),
            ("site,count\nN3,0\n", [0, 0]),
            ("site,calls\nN2,0\n", [1, 0]),
            ("calls\n0\n", [2, 1]),
        ] {
            let totals = parsed(text).expect("totals");
            let mut counter = totals.counter(None);
            for (interaction, pairing) in &calls {
                let mut own = totals.counter(None);
                own.add(interaction, &expected, pairing, &matched);
                counter.merge(own);
            }
            let (cell, row) = totals.rows.iter().next().expect("a row");
            let both = counter.counted.get(cell).copied().unwrap_or_default();
            let one = if row.calls.is_some() {
                both.calls
            } else {
                both.recordings
            };
            assert_eq!([one.source, one.in_target], counts, "{text}");
        }
    }

    #[test]
    fn a_day_is_outside_the_window_only_as_a_whole() {
        let at = |text: &str| UtcMillis::parse(text);
        let window = Window {
            from: at("2023-10-27T12:00:00Z"),
            to: at("2023-10-29T00:00:00Z"),
        };
        for (day, is_excluded) in [
            ("2023-10-26", true),
            ("2023-10-27", false),
            ("2023-10-28", false),
            ("2023-10-29", true),
            ("none", false),
        ] {
            assert_eq!(
                window.excludes(Some(day), &TimeZone::UTC),
                is_excluded,
                "{day}"
            );
        }
    }
}
