//! `layout.toml`: how another system's export is laid out, so that its rows can be read as calls.
//!
//! Data and its validation only. How a row becomes a record is written by the migrator and by the
//! verifier, each on its own, from docs/reference/layout.md. A layout names no file of a migration
//! and no id of a target, so it can be shared; presets are such files.

mod load;
mod value;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::{self, Deserializer};

pub(crate) use load::no_preset;
pub use load::{preset_names, preset_text};
pub use value::{LengthUnit, Part, Path, Pattern, Place, Take, Template, TimeFormat, Value};

/// A layout, whole. Unknown keys are refused with the nearest known one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Format of this file: 1.
    pub layout_version: u32,
    /// What it is for, for a person.
    pub about: Option<String>,
    /// How the metadata files are written.
    pub file: FileRules,
    /// How times and lengths are written.
    #[serde(default)]
    pub time: TimeRules,
    /// Rows that count: column or JSON path, and the values it may have. Rows with another value
    /// are passed over.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub only: Only,
    /// Fields of a call.
    pub call: CallFields,
    /// Legs. Absent: the export lists none.
    pub segment: Option<SegmentFields>,
    /// Recordings. Absent: the export has calls without recordings only.
    pub recording: Option<RecordingFields>,
    /// What goes to the target beside the known fields, by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Tables of codes: code to word. `*` stands for every other code.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
}

/// `[file]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    /// How rows are written.
    pub format: Format,
    /// Globs of the metadata files, from the metadata folder. Absent: every file with the format's
    /// endings.
    #[serde(rename = "where", default)]
    pub globs: Vec<String>,
    /// Globs of files that are none.
    #[serde(default)]
    pub except: Vec<String>,
    /// Character encoding, by its WHATWG label.
    #[serde(default)]
    #[schemars(with = "String", default = "Encoding::default_label")]
    pub encoding: Encoding,
    /// CSV: what divides the cells. One ASCII character.
    #[serde(default = "comma", deserialize_with = "ascii")]
    #[schemars(with = "char", extend("default" = ","))]
    pub separator: u8,
    /// CSV: what encloses a cell. One ASCII character.
    #[serde(default = "quotation_mark", deserialize_with = "ascii")]
    #[schemars(with = "char", extend("default" = "\""))]
    pub quote: u8,
    /// CSV: whether the first line has the columns' names.
    #[serde(default = "yes")]
    pub header: bool,
    /// CSV: lines before the header, or before the first row.
    #[serde(default)]
    pub skip_lines: u32,
    /// JSON: where the rows of a document stand. Absent: the document is one row.
    #[serde(default, deserialize_with = "rows")]
    #[schemars(with = "Option<String>")]
    pub rows: Option<Rows>,
    /// Values that mean none.
    #[serde(default = "nothing")]
    pub null: Vec<String>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cells and separators.
    Csv,
    /// A JSON document a line.
    Ndjson,
    /// A JSON document a file.
    Json,
}

impl Format {
    /// Endings of its files, lower case.
    #[must_use]
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Format::Csv => &["csv"],
            Format::Ndjson => &["ndjson", "jsonl"],
            Format::Json => &["json"],
        }
    }
}

/// A character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub &'static encoding_rs::Encoding);

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding(encoding_rs::UTF_8)
    }
}

impl Encoding {
    fn default_label() -> String {
        "utf-8".to_owned()
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
        let label = String::deserialize(deserializer)?;
        // Python's name for UTF-8 with a byte-order mark, which is accepted anyway.
        let known = if label.eq_ignore_ascii_case("utf-8-sig") {
            Some(encoding_rs::UTF_8)
        } else {
            encoding_rs::Encoding::for_label(label.as_bytes())
        };
        known.map(Encoding).ok_or_else(|| {
            de::Error::custom(format!(
                "`{label}` is not an encoding; known are utf-8, utf-16, windows-1252, iso-8859-1 \
                 and the other labels of the WHATWG encoding standard"
            ))
        })
    }
}

/// Where the rows of a JSON document stand: names of members down to a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// From the document's root; empty: the document itself is the list.
    pub members: Vec<String>,
}

/// `[only]`: all of them have to hold.
#[derive(Debug, Clone, Default)]
pub struct Only(pub Vec<(Place, Vec<String>)>);

impl<'de> Deserialize<'de> for Only {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Only, D::Error> {
        let place = |text: String| {
            let reader = de::value::StringDeserializer::<D::Error>::new(text);
            Place::deserialize(reader)
        };
        BTreeMap::<String, Vec<String>>::deserialize(deserializer)?
            .into_iter()
            .map(|(text, values)| Ok((place(text)?, values)))
            .collect::<Result<_, _>>()
            .map(Only)
    }
}

/// `[time]` of a layout.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeRules {
    /// `iso`, `epoch_ms`, `epoch_s` or conversions of `strptime`, or a list of such: the first that
    /// fits counts.
    #[serde(deserialize_with = "value::formats")]
    #[schemars(with = "value::OneOrMore")]
    pub format: Vec<TimeFormat>,
    /// Zone of times without an offset. An IANA name. Absent: the plan's `time.naive_zone`.
    pub zone: Option<String>,
    /// Where a row names its own zone or offset. Absent: nowhere.
    #[schemars(with = "Option<String>")]
    pub zone_column: Option<Place>,
    /// Unit of lengths of time.
    pub lengths: LengthUnit,
}

impl Default for TimeRules {
    fn default() -> TimeRules {
        TimeRules {
            format: vec![TimeFormat::Iso],
            zone: None,
            zone_column: None,
            lengths: LengthUnit::Ms,
        }
    }
}

/// `[call]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallFields {
    /// Whether a call is one row or several.
    #[serde(default)]
    pub rows: RowsPerCall,
    /// With `rows = "one"`: of several rows with one id, the one with the greatest value here
    /// counts. Absent: several rows with one id and other values are a collision.
    pub latest: Option<Value>,
    /// Id of the call.
    pub id: Value,
    /// Start.
    pub start: Value,
    /// End. This or `duration`; where both are given and a row has both, the end counts.
    pub end: Option<Value>,
    /// Length from start to end.
    pub duration: Option<Value>,
    /// `INBOUND` or `OUTBOUND` in any case.
    pub direction: Option<Value>,
    /// First agent.
    pub agent: Option<Value>,
    /// Queue.
    pub queue: Option<Value>,
    /// Skill.
    pub skill: Option<Value>,
    /// Name of the skill group.
    pub skill_group: Option<Value>,
    /// IVR node.
    pub ivr_node: Option<Value>,
    /// Outcome.
    pub disposition: Option<Value>,
    /// Wrap-up code.
    pub wrap_up: Option<Value>,
    /// Length of time in the queue.
    pub wait: Option<Value>,
    /// Length of time in conversation.
    pub talk: Option<Value>,
    /// Number that called. This and `dialled`, or `customer` and `business`.
    pub caller: Option<Value>,
    /// Number that was called.
    pub dialled: Option<Value>,
    /// Number of the customer, whoever called.
    pub customer: Option<Value>,
    /// Number of the contact centre, whoever called.
    pub business: Option<Value>,
    /// Recorder that wrote the times.
    pub recorder_node: Option<Value>,
}

/// How many rows a call has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowsPerCall {
    /// One.
    #[default]
    One,
    /// All rows with its id.
    Many,
}

/// What a leg or a recording stands in.
#[derive(Debug, Clone)]
pub enum Each {
    /// Each row is one.
    Row,
    /// Each element that this path finds in a row is one.
    Element(Path),
    /// Each audio file that is found is one. Recordings only.
    File,
}

impl<'de> Deserialize<'de> for Each {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Each, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "row" => Ok(Each::Row),
            "file" => Ok(Each::File),
            _ => value::row_path(de::value::StringDeserializer::<D::Error>::new(text))
                .map(Each::Element),
        }
    }
}

/// `[segment]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentFields {
    /// `row`, or a JSON path that finds the legs in a row.
    #[schemars(with = "String")]
    pub each: Each,
    /// A row or element without this is no leg. Absent: with `each = "row"` the agent.
    pub when: Option<Value>,
    /// Id. Absent: the call's id, `-s` and the leg's number.
    pub id: Option<Value>,
    /// Agent.
    pub agent: Option<Value>,
    /// Start. Absent: the row's call starts it.
    pub start: Option<Value>,
    /// End. Absent: start and `duration`, or the row's call ends it.
    pub end: Option<Value>,
    /// Length.
    pub duration: Option<Value>,
}

/// `[recording]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingFields {
    /// `row`, a JSON path that finds the recordings in a row, or `file`: each audio file that
    /// `files` finds.
    #[schemars(with = "String")]
    pub each: Each,
    /// A row or element without this has no recording. Absent: `file`, where that is taken from a
    /// column or path.
    pub when: Option<Value>,
    /// Id. Absent: the call's id, `-` and the recording's number; with `each = "file"` the file's
    /// name without its ending.
    pub id: Option<Value>,
    /// Id of the leg it was made on.
    pub segment: Option<Value>,
    /// Start. Absent: the row's call starts it.
    pub start: Option<Value>,
    /// End. Absent: start and `duration`, or the row's call ends it.
    pub end: Option<Value>,
    /// Length, which is also held against the audio.
    pub duration: Option<Value>,
    /// Path of the audio file below the audio folder. This or `files`.
    pub file: Option<Value>,
    /// Glob of the audio file below the audio folder, with places in braces.
    #[schemars(with = "Option<String>")]
    pub files: Option<Template>,
    /// Codec as declared.
    pub codec: Option<Value>,
    /// Bytes as declared.
    pub size: Option<Value>,
    /// Retention class by name.
    pub retention_class: Option<Value>,
    /// When it is to be deleted; goes before the retention class.
    pub delete_at: Option<Value>,
    /// Whether it must not be deleted.
    pub legal_hold: Option<Value>,
    /// Recorder that wrote its times. Absent: the call's.
    pub recorder_node: Option<Value>,
    /// Pauses. Absent: the export lists none.
    pub pauses: Option<PauseFields>,
}

/// `[recording.pauses]`: parts of a recording in which something was said that nobody may hear.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseFields {
    /// JSON path that finds the pauses; `@` is the recording. This or `list`.
    #[schemars(with = "Option<String>")]
    pub each: Option<Place>,
    /// Start of a pause.
    pub start: Option<Value>,
    /// End of a pause. This or `duration`.
    pub end: Option<Value>,
    /// Length of a pause.
    pub duration: Option<Value>,
    /// A text with all pauses of a recording, such as `12-15;30-41`.
    pub list: Option<Value>,
    /// In `list`: what divides the pauses.
    #[serde(default = "semicolon")]
    pub between: String,
    /// In `list`: what divides the start of a pause from its end.
    #[serde(default = "hyphen")]
    pub within: String,
    /// What starts and ends are.
    #[serde(default)]
    pub count: PauseCount,
}

/// What starts and ends of pauses are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseCount {
    /// Lengths of time from the recording's start.
    #[default]
    FromStart,
    /// Times.
    Times,
}

impl Layout {
    /// JSON Schema of `layout.toml`.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Layout)
    }
}

fn comma() -> u8 {
    b','
}

fn quotation_mark() -> u8 {
    b'"'
}

fn yes() -> bool {
    true
}

fn nothing() -> Vec<String> {
    vec![String::new()]
}

fn semicolon() -> String {
    ";".to_owned()
}

fn hyphen() -> String {
    "-".to_owned()
}

fn ascii<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        _ => Err(de::Error::custom(format!(
            "`{text}` is not one ASCII character"
        ))),
    }
}

/// `$[*]`, or `$.contacts[*]`: names and one list, so that a document is read as a stream.
fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rows>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_name = |name: &&str| {
        name.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
            && !name.is_empty()
    };
    let members = text
        .strip_prefix('$')
        .and_then(|rest| rest.strip_suffix("[*]"))
        .and_then(|names| match names.strip_prefix('.') {
            None if names.is_empty() => Some(Vec::new()),
            None => None,
            Some(names) => {
                let names: Vec<&str> = names.split('.').collect();
                names.iter().all(is_name).then_some(names)
            }
        });
    match members {
        Some(names) => Ok(Some(Rows {
            members: names.into_iter().map(str::to_owned).collect(),
        })),
        None => Err(de::Error::custom(format!(
            "`{text}` is not a list of a document such as $[*] or $.contacts[*]"
        ))),
    }
}
