//! A call as it is kept: its rows verbatim, each with its place. Source: docs/reference/layout.md,
//! "What is staged".

use std::fmt;

use plan::layout::Format;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::rows::Body;

/// A call's entity in the ledger and in staging.
#[derive(Serialize, Deserialize)]
pub(super) struct Entity {
    pub(super) rows: Vec<StoredRow>,
    /// Why nothing can be made of the rows together. Absent: each is judged by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<String>,
}

/// A row with its place.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredRow {
    /// Path below the metadata folder.
    pub(super) file: String,
    /// The line it begins at, counted from 1.
    pub(super) line: u64,
    /// Absent: it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<Box<RawValue>>,
    /// Why it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<String>,
}

/// What a row holds, ready to be looked into.
#[derive(Debug, PartialEq)]
pub(super) enum Data {
    /// Cells by column, in their order.
    Cells(Vec<(String, String)>),
    /// A JSON object.
    Document(Json),
}

/// A row ready to be looked into.
#[derive(Debug)]
pub(super) struct DataRow {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) data: Data,
}

impl DataRow {
    /// Where it stands, for a person.
    pub(super) fn place(&self) -> String {
        format!("{} line {}", self.file, self.line)
    }
}

impl Entity {
    /// A call of these rows as text. Nothing in it can fail to be written.
    pub(super) fn text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// The rows of a call; the error says why they cannot be read.
    pub(super) fn read(text: &str, format: Format) -> Result<Vec<DataRow>, String> {
        let entity: Entity = serde_json::from_str(text).map_err(|error| {
            format!(
                "it is not kept as rows of files, at column {}",
                error.column()
            )
        })?;
        if let Some(why) = entity.unreadable {
            return Err(why);
        }
        entity
            .rows
            .into_iter()
            .map(|row| row.data(format))
            .collect()
    }
}

impl StoredRow {
    pub(super) fn data(self, format: Format) -> Result<DataRow, String> {
        let StoredRow {
            file,
            line,
            row,
            unreadable,
        } = self;
        let place = format!("{file} line {line}");
        let Some(row) = row else {
            let why = unreadable.unwrap_or_else(|| "there is no row".to_owned());
            return Err(format!("{place}: {why}"));
        };
        let data = match format {
            Format::Csv => serde_json::from_str(row.get()).map(|Pairs(cells)| Data::Cells(cells)),
            Format::Ndjson | Format::Json => serde_json::from_str(row.get()).map(Data::Document),
        };
        let data =
            data.map_err(|error| format!("{place}: is not JSON at column {}", error.column()))?;
        Ok(DataRow { file, line, data })
    }
}

impl Body {
    /// The body as the JSON that is kept.
    pub(super) fn stored(&self) -> Result<Box<RawValue>, serde_json::Error> {
        match self {
            Body::Cells(cells) => {
                struct Object<'a>(&'a [(String, String)]);
                impl Serialize for Object<'_> {
                    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                        serializer.collect_map(self.0.iter().map(|(name, cell)| (name, cell)))
                    }
                }
                serde_json::value::to_raw_value(&Object(cells))
            }
            Body::Document(text) => RawValue::from_string(text.clone()),
        }
    }

    /// The body ready to be looked into.
    pub(super) fn data(self) -> Result<Data, serde_json::Error> {
        match self {
            Body::Cells(cells) => Ok(Data::Cells(cells)),
            Body::Document(text) => serde_json::from_str(&text).map(Data::Document),
        }
    }
}

/// The members of an object in their order.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cells by column")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
