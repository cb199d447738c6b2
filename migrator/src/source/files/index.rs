//! The rows of an export by their calls, on disk: rows of one call may stand anywhere, and there may
//! be millions. It lives as long as a run and is made anew by each; what a run has taken from it is
//! in the ledger.

use std::io;

use plan::Layout;
use plan::layout::{Each, Format};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::entity::{DataRow, StoredRow};
use super::folder::{Overlap, Store};
use super::record::id_of;
use super::recording;
use super::rows::{self, Row, Stop};
use super::times::elements;
use super::value::{Bad, Scope};

/// Rows first, keys behind them: an index is made of sorted rows many times faster.
const TABLES: &str = "
CREATE TABLE file (seq INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE line (seq INTEGER PRIMARY KEY, call TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL, body TEXT, why TEXT);
CREATE TABLE recording (id TEXT NOT NULL, call TEXT NOT NULL);
CREATE TABLE agent (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE queue (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE audio (path TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
";
const KEYS: &str = "
CREATE INDEX line_call ON line (call);
CREATE INDEX recording_call ON recording (call);
CREATE INDEX recording_id ON recording (id, call);
CREATE INDEX audio_name ON audio (name);
CREATE TABLE call (first INTEGER PRIMARY KEY, id TEXT NOT NULL);
INSERT INTO call (first, id) SELECT min(seq), call FROM line GROUP BY call;
";

/// Rows, people, places and file names of an export.
pub(super) struct Index {
    connection: Connection,
    /// Names and lengths of the metadata files, as one hash.
    pub(super) fingerprint: String,
    pub(super) counts: Counts,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) files: u64,
    pub(super) rows: u64,
    /// Rows that `[only]` leaves out.
    pub(super) passed_over: u64,
}

impl Index {
    /// Reads all metadata. The error is a sentence that names the file.
    pub(super) fn build(
        layout: &Layout,
        metadata: &dyn Store,
        audio: &dyn Store,
        overlap: &Overlap,
    ) -> Result<Index, String> {
        let connection = open().map_err(|error| ours(&error))?;
        connection
            .execute_batch("BEGIN")
            .map_err(|error| ours(&error))?;
        let mut hash = Sha256::new();
        let mut building = Building {
            layout,
            connection: &connection,
            file: String::new(),
            counts: Counts::default(),
        };
        // A place on the disk is opened while it is walked over: what a listing holds is small.
        let mut failed = None;
        let listed = metadata.list(&mut |path, bytes| {
            if !is_metadata(layout, path) {
                return Ok(());
            }
            hash.update(format!("{path}\n{bytes}\n"));
            building
                .file(metadata, path)
                .map_err(|why| stop(&mut failed, why))
        });
        if let Some(why) = failed {
            return Err(why);
        }
        listed.map_err(|error| format!("source.metadata: {error}"))?;
        let counts = building.counts;
        if layout
            .recording
            .as_ref()
            .is_some_and(|of| of.files.is_some())
        {
            names_of_audio(layout, &connection, audio, overlap)?;
        }
        connection
            .execute_batch(KEYS)
            .and_then(|()| connection.execute_batch("COMMIT"))
            .map_err(|error| ours(&error))?;
        Ok(Index {
            connection,
            fingerprint: hex::encode(hash.finalize())[..16].to_owned(),
            counts,
        })
    }

    /// Ids of calls behind one, each with its place in the order.
    pub(super) fn calls_after(&self, after: i64, most: u32) -> Result<Vec<(i64, String)>, String> {
        self.all(
            "SELECT first, id FROM call WHERE first > ?1 ORDER BY first LIMIT ?2",
            params![after, most],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// The rows of a call, in the order of files and lines.
    pub(super) fn rows_of(&self, call: &str) -> Result<Vec<StoredRow>, String> {
        self.all(
            "SELECT path, line, body, why FROM line JOIN file ON file.seq = line.file WHERE call = \
             ?1 ORDER BY line.seq",
            params![call],
            |row| {
                let body: Option<String> = row.get(2)?;
                Ok(StoredRow {
                    file: row.get(0)?,
                    line: row.get(1)?,
                    row: body.and_then(|body| RawValue::from_string(body).ok()),
                    unreadable: row.get(3)?,
                })
            },
        )
    }

    /// A recording of a call whose id another call has too, and that call.
    pub(super) fn shared_recording(&self, call: &str) -> Result<Option<(String, String)>, String> {
        self.connection
            .prepare_cached(
                "SELECT mine.id, other.call FROM recording AS mine JOIN recording AS other ON \
                 other.id = mine.id AND other.call <> mine.call WHERE mine.call = ?1 ORDER BY 1, 2 \
                 LIMIT 1",
            )
            .and_then(|mut query| {
                query
                    .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|error| ours(&error))
    }

    /// Everybody and every queue, sorted.
    pub(super) fn directory(&self) -> Result<(Vec<String>, Vec<String>), String> {
        let ids = |sql| self.all(sql, [], |row| row.get(0));
        Ok((
            ids("SELECT id FROM agent ORDER BY id")?,
            ids("SELECT id FROM queue ORDER BY id")?,
        ))
    }

    /// Audio files that a glob matches, at most so many, in the order of their paths.
    pub(super) fn audio(&self, glob: &str, most: usize) -> Result<Vec<String>, String> {
        let name = literal_beginning(glob.rsplit('/').next().unwrap_or(glob));
        let path = literal_beginning(glob);
        // Whichever says more of the file is looked up; the other is held against what is found.
        let (sql, from) = if name.len() >= path.len() {
            (
                "SELECT path FROM audio WHERE name >= ?1 AND name < ?2 ORDER BY path",
                name,
            )
        } else {
            (
                "SELECT path FROM audio WHERE path >= ?1 AND path < ?2 ORDER BY path",
                path,
            )
        };
        let to = format!("{from}\u{10ffff}");
        let mut query = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| ours(&error))?;
        let mut rows = query
            .query(params![from, to])
            .map_err(|error| ours(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| ours(&error))? {
            let path: String = row.get(0).map_err(|error| ours(&error))?;
            if fast_glob::glob_match(glob, &path) {
                found.push(path);
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, String> {
        let mut query = self
            .connection
            .prepare_cached(sql)
            .map_err(|error| ours(&error))?;
        query
            .query_map(values, read)
            .and_then(Iterator::collect)
            .map_err(|error| ours(&error))
    }
}

/// A database without a name is a file that SQLite has deleted already: nobody finds it, and it is
/// gone with the run however that ends.
fn open() -> rusqlite::Result<Connection> {
    let connection = Connection::open("")?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

fn ours(error: &rusqlite::Error) -> String {
    format!("cannot keep the rows of the export in the folder for temporary files: {error}")
}

/// Whether a path is that of a metadata file.
pub(super) fn is_metadata(layout: &Layout, path: &str) -> bool {
    let rules = &layout.file;
    let matches = |globs: &[String]| globs.iter().any(|glob| fast_glob::glob_match(glob, path));
    let named = if rules.globs.is_empty() {
        let ending = path
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_lowercase());
        ending.is_some_and(|ending| rules.format.endings().contains(&ending.as_str()))
    } else {
        matches(&rules.globs)
    };
    named && !matches(&rules.except)
}

fn names_of_audio(
    layout: &Layout,
    connection: &Connection,
    audio: &dyn Store,
    overlap: &Overlap,
) -> Result<(), String> {
    let mut failed = None;
    let listed = audio.list(&mut |path, _| {
        let in_metadata = overlap.in_metadata(path);
        if in_metadata.is_some_and(|path| is_metadata(layout, &path)) {
            return Ok(());
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        connection
            .prepare_cached("INSERT INTO audio (path, name) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![path, name]))
            .map(drop)
            .map_err(|error| stop(&mut failed, ours(&error)))
    });
    match failed {
        Some(why) => Err(why),
        None => listed.map_err(|error| format!("source.audio: {error}")),
    }
}

/// Ends a walk; the sentence is kept apart, because it is not the walk's own.
fn stop(failed: &mut Option<String>, why: String) -> io::Error {
    *failed = Some(why);
    io::Error::other("stopped")
}

/// What a glob begins with before its first wildcard.
fn literal_beginning(glob: &str) -> String {
    let mut text = String::new();
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '*' | '?' | '[' | '{' | '!' => break,
            c => text.push(c),
        }
    }
    text
}

struct Building<'a> {
    layout: &'a Layout,
    connection: &'a Connection,
    /// The file that is read.
    file: String,
    counts: Counts,
}

impl Building<'_> {
    fn file(&mut self, metadata: &dyn Store, path: &str) -> Result<(), String> {
        self.counts.files += 1;
        path.clone_into(&mut self.file);
        self.put(
            "INSERT INTO file (seq, path) VALUES (?1, ?2)",
            params![self.counts.files, path],
        )?;
        let bytes = metadata
            .open(path)
            .map_err(|error| format!("{path}: {error}"))?;
        let layout = self.layout;
        let mut failed = None;
        let read = rows::read(
            &layout.file,
            bytes,
            &|columns| lacks(layout, columns),
            &mut |row| self.row(row).map_err(|why| stop(&mut failed, why)),
        );
        match (failed, read) {
            (Some(why), _) => Err(why),
            (None, Ok(())) => Ok(()),
            (None, Err(Stop::Io(error))) => Err(format!("{path}: {error}")),
            (None, Err(Stop::Header(why))) => Err(format!("{path} {why}")),
        }
    }

    fn row(&mut self, Row { line, body }: Row) -> Result<(), String> {
        self.counts.rows += 1;
        let own_call = format!("{}:{line}", self.file);
        let body = match body {
            Err(why) => return self.line(&own_call, line, None, Some(&why)),
            Ok(body) => body,
        };
        let stored = body.stored().map_err(|error| error.to_string())?;
        let row = DataRow {
            file: self.file.clone(),
            line,
            data: body.data().map_err(|error| error.to_string())?,
        };
        let scope = Scope::of_row(self.layout, &row);
        match self.counts_row(&scope) {
            Ok(true) => {}
            Ok(false) => {
                self.counts.passed_over += 1;
                return Ok(());
            }
            Err(bad) => return self.line(&own_call, line, None, Some(&without_place(bad))),
        }
        match id_of(self.layout, &row) {
            Ok(id) => {
                self.people(&scope)?;
                self.recordings(&id, &row)?;
                self.line(&id, line, Some(stored.get()), None)
            }
            Err(bad) => self.line(&own_call, line, None, Some(&without_place(bad))),
        }
    }

    /// Whether a row has the values of `[only]`.
    fn counts_row(&self, scope: &Scope<'_>) -> Result<bool, Bad> {
        for (place, values) in &self.layout.only.0 {
            let value = scope.at(place)?.unwrap_or_default();
            if !values.contains(&value) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What a mapping is held against. What cannot be read is told when the call is.
    fn people(&self, scope: &Scope<'_>) -> Result<(), String> {
        let call = &self.layout.call;
        let mut agents = vec![scope.optional(call.agent.as_ref())];
        if let Some(segment) = &self.layout.segment {
            let legs = elements(&segment.each, scope.row);
            agents.extend(
                legs.into_iter()
                    .map(|leg| scope.with_element(leg).optional(segment.agent.as_ref())),
            );
        }
        for agent in agents.into_iter().filter_map(|agent| agent.ok().flatten()) {
            self.put(
                "INSERT OR IGNORE INTO agent (id) VALUES (?1)",
                params![agent],
            )?;
        }
        if let Ok(Some(queue)) = scope.optional(call.queue.as_ref()) {
            self.put(
                "INSERT OR IGNORE INTO queue (id) VALUES (?1)",
                params![queue],
            )?;
        }
        Ok(())
    }

    /// Ids that the source itself gives: others are made of the call's, and no two calls have one.
    fn recordings(&self, call: &str, row: &DataRow) -> Result<(), String> {
        let named = self.layout.recording.as_ref();
        if named.is_none_or(|of| of.id.is_none() || matches!(of.each, Each::File)) {
            return Ok(());
        }
        let ids = recording::ids(self.layout, call, std::slice::from_ref(row));
        for id in ids.into_iter().flatten() {
            self.put(
                "INSERT INTO recording (id, call) VALUES (?1, ?2)",
                params![id, call],
            )?;
        }
        Ok(())
    }

    fn line(
        &self,
        call: &str,
        line: u64,
        body: Option<&str>,
        why: Option<&str>,
    ) -> Result<(), String> {
        self.put(
            "INSERT INTO line (call, file, line, body, why) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![call, self.counts.files, line, body, why],
        )
    }

    fn put(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), String> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut insert| insert.execute(values))
            .map(drop)
            .map_err(|error| ours(&error))
    }
}

/// A sentence about a row without the place that is kept beside it.
fn without_place(bad: Bad) -> String {
    match bad.column {
        Some(column) => format!("column `{column}`: {}", bad.why),
        None => bad.why,
    }
}

/// What a header lacks without which no row of the file is a call. `None`: nothing.
fn lacks(layout: &Layout, columns: &[String]) -> Option<String> {
    if layout.file.format != Format::Csv {
        return None;
    }
    let required = [
        ("call.id", &layout.call.id),
        ("call.start", &layout.call.start),
    ];
    required.into_iter().find_map(|(key, value)| {
        let mut named = value.places().peekable();
        let first = named.peek()?.to_string();
        let is_there = |place: &plan::layout::Place| match place {
            plan::layout::Place::Column(name) => columns.iter().any(|column| column == name.trim()),
            plan::layout::Place::Number(number) => *number <= columns.len(),
            plan::layout::Place::Row(_) | plan::layout::Place::Element(_) => true,
        };
        (!named.any(is_there)).then(|| {
            format!(
                "the header has no column `{first}`, which the layout takes {key} from; its first \
                 columns are `{}`",
                columns[..columns.len().min(8)].join("`, `")
            )
        })
    })
}
