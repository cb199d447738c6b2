//! A layout as a file, or as one of the presets, read and held against itself.

use std::path::Path as FilePath;

use jiff::tz::TimeZone;

use super::value::{Place, Take, Value};
use super::{Each, Format, Layout, PauseFields, RecordingFields, RowsPerCall, SegmentFields};
use crate::PlanError;
use crate::error::nearest;

/// The layouts that come with the program, by name. Each says in comments where its facts are from.
const PRESETS: [(&str, &str); 6] = [
    (
        "amazon_connect",
        include_str!("../../presets/amazon_connect.toml"),
    ),
    ("five9", include_str!("../../presets/five9.toml")),
    (
        "genesys_cloud_s3",
        include_str!("../../presets/genesys_cloud_s3.toml"),
    ),
    ("nice", include_str!("../../presets/nice.toml")),
    ("vcon", include_str!("../../presets/vcon.toml")),
    ("verint", include_str!("../../presets/verint.toml")),
];

/// Names of the presets, sorted.
#[must_use]
pub fn preset_names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// The text of a preset. Absent: there is none of that name.
#[must_use]
pub fn preset_text(name: &str) -> Option<&'static str> {
    PRESETS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// What is asked for where no preset has that name.
pub(crate) fn no_preset(name: &str) -> String {
    let known = preset_names();
    let like = nearest(name, &known).unwrap_or_default();
    format!(
        "preset `{name}` is not known; the nearest is `{like}`, and all are {}",
        known.join(", ")
    )
}

impl Layout {
    /// Reads a layout's file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or as [`Layout::parse`].
    pub fn read(file: &FilePath) -> Result<Layout, PlanError> {
        let text = std::fs::read_to_string(file).map_err(|source| PlanError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
        Layout::parse(file, &text)
    }

    /// A layout that comes with the program.
    ///
    /// # Errors
    ///
    /// There is none of that name.
    pub fn preset(name: &str) -> Result<Layout, PlanError> {
        let file = FilePath::new(name);
        let text = preset_text(name).ok_or_else(|| PlanError::value(file, no_preset(name)))?;
        Layout::parse(file, text)
    }

    /// Reads the text of a layout; `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// A line is wrong, or what it says does not fit together ([`PlanError`], which names the file
    /// and the line or the key).
    pub fn parse(file: &FilePath, text: &str) -> Result<Layout, PlanError> {
        let layout: Layout =
            toml::from_str(text).map_err(|error| PlanError::from_toml(file, text, &error))?;
        validate(&layout).map_err(|what| PlanError::value(file, what))?;
        Ok(layout)
    }

    /// Every value with its key. A value may occur for several kinds of row.
    pub fn values(&self) -> Vec<(String, &Value)> {
        let call = &self.call;
        let mut values = vec![
            ("call.id".to_owned(), &call.id),
            ("call.start".to_owned(), &call.start),
        ];
        let mut add = |section: &str, optional| values.extend(named(section, optional));
        add(
            "call",
            vec![
                ("latest", &call.latest),
                ("end", &call.end),
                ("duration", &call.duration),
                ("direction", &call.direction),
                ("agent", &call.agent),
                ("queue", &call.queue),
                ("skill", &call.skill),
                ("skill_group", &call.skill_group),
                ("ivr_node", &call.ivr_node),
                ("disposition", &call.disposition),
                ("wrap_up", &call.wrap_up),
                ("wait", &call.wait),
                ("talk", &call.talk),
                ("caller", &call.caller),
                ("dialled", &call.dialled),
                ("customer", &call.customer),
                ("business", &call.business),
                ("recorder_node", &call.recorder_node),
            ],
        );
        if let Some(of) = &self.segment {
            add(
                "segment",
                vec![
                    ("when", &of.when),
                    ("id", &of.id),
                    ("agent", &of.agent),
                    ("start", &of.start),
                    ("end", &of.end),
                    ("duration", &of.duration),
                ],
            );
        }
        if let Some(of) = &self.recording {
            add(
                "recording",
                vec![
                    ("when", &of.when),
                    ("id", &of.id),
                    ("segment", &of.segment),
                    ("start", &of.start),
                    ("end", &of.end),
                    ("duration", &of.duration),
                    ("file", &of.file),
                    ("codec", &of.codec),
                    ("size", &of.size),
                    ("retention_class", &of.retention_class),
                    ("delete_at", &of.delete_at),
                    ("legal_hold", &of.legal_hold),
                    ("recorder_node", &of.recorder_node),
                ],
            );
            if let Some(of) = &of.pauses {
                add(
                    "recording.pauses",
                    vec![
                        ("start", &of.start),
                        ("end", &of.end),
                        ("duration", &of.duration),
                        ("list", &of.list),
                    ],
                );
            }
        }
        values.extend(
            self.attributes
                .iter()
                .map(|(name, value)| (format!("attributes.{name}"), value)),
        );
        values
    }
}

/// The values that are there, with their keys.
fn named<'a>(section: &str, optional: Vec<(&str, &'a Option<Value>)>) -> Vec<(String, &'a Value)> {
    optional
        .into_iter()
        .filter_map(|(key, value)| Some((format!("{section}.{key}"), value.as_ref()?)))
        .collect()
}

/// What makes a well-formed layout unusable.
fn validate(layout: &Layout) -> Result<(), String> {
    if layout.layout_version != 1 {
        return Err(format!(
            "layout_version {} is not known; this program reads version 1",
            layout.layout_version
        ));
    }
    let call = &layout.call;
    if call.end.is_none() && call.duration.is_none() {
        return Err("call.end or call.duration is required".to_owned());
    }
    if call.latest.is_some() && call.rows == RowsPerCall::Many {
        return Err("call.latest needs call.rows = \"one\"".to_owned());
    }
    let by_way = call.caller.is_some() || call.dialled.is_some();
    let by_party = call.customer.is_some() || call.business.is_some();
    if by_way && by_party {
        return Err(
            "call.caller and call.dialled exclude call.customer and call.business".to_owned(),
        );
    }
    file_rules(layout)?;
    if let Some(segment) = &layout.segment {
        legs(segment)?;
    }
    if let Some(recording) = &layout.recording {
        recordings(recording)?;
    }
    zone("time.zone", layout.time.zone.as_deref())?;
    for (key, value) in layout.values() {
        zone(&format!("{key}.zone"), value.zone.as_deref())?;
        words(layout, &key, value)?;
        places(layout, &key, value.places())?;
    }
    places(layout, "time.zone_column", layout.time.zone_column.iter())?;
    places(layout, "only", layout.only.0.iter().map(|(place, _)| place))?;
    let files = layout.recording.iter().filter_map(|of| of.files.as_ref());
    for template in files {
        places(layout, "recording.files", template.places())?;
    }
    attribute_names(layout)
}

fn file_rules(layout: &Layout) -> Result<(), String> {
    let file = &layout.file;
    if file.separator == file.quote {
        return Err("file.separator and file.quote are the same character".to_owned());
    }
    if file.rows.is_some() && file.format != Format::Json {
        return Err("file.rows needs file.format = \"json\"".to_owned());
    }
    for (key, globs) in [("where", &file.globs), ("except", &file.except)] {
        for glob in globs {
            fast_glob::validate(glob)
                .map_err(|error| format!("file.{key} `{glob}` is not a glob: {error}"))?;
        }
    }
    Ok(())
}

fn legs(segment: &SegmentFields) -> Result<(), String> {
    match &segment.each {
        Each::File => Err("segment.each takes \"row\" or a JSON path".to_owned()),
        Each::Row if segment.when.is_none() && segment.agent.is_none() => Err(
            "segment.agent or segment.when is required with each = \"row\": it tells which rows \
             are legs"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn recordings(recording: &RecordingFields) -> Result<(), String> {
    if recording.file.is_some() == recording.files.is_some() {
        return Err("recording has exactly one of `file` and `files`".to_owned());
    }
    if matches!(recording.each, Each::File) && recording.files.is_none() {
        return Err("recording.files is required with each = \"file\"".to_owned());
    }
    if matches!(recording.each, Each::File) && recording.id.is_some() {
        return Err(
            "recording.id is refused with each = \"file\": the file's name is the id".to_owned(),
        );
    }
    let Some(pauses) = &recording.pauses else {
        return Ok(());
    };
    let PauseFields {
        each,
        start,
        end,
        duration,
        list,
        ..
    } = pauses;
    let by_element = each.is_some() && start.is_some() && end.is_some() != duration.is_some();
    let by_list = each.is_none() && start.is_none() && end.is_none() && duration.is_none();
    let named = match (list, each) {
        (Some(_), _) if by_list => true,
        (None, Some(Place::Row(_) | Place::Element(_))) => by_element,
        _ => false,
    };
    if named {
        Ok(())
    } else {
        Err(
            "recording.pauses has `list`, or `each` as a JSON path with `start` and one of `end` \
             and `duration`"
                .to_owned(),
        )
    }
}

fn zone(key: &str, name: Option<&str>) -> Result<(), String> {
    match name {
        Some(name) if TimeZone::get(name).is_err() => Err(format!(
            "{key} `{name}` is not an IANA time zone such as Europe/London"
        )),
        _ => Ok(()),
    }
}

fn words(layout: &Layout, key: &str, value: &Value) -> Result<(), String> {
    match &value.words {
        Some(table) if !layout.words.contains_key(table) => {
            Err(format!("{key}: there is no table [words.{table}]"))
        }
        _ => Ok(()),
    }
}

/// Columns are a table's, and paths a document's; `@` needs an element.
fn places<'a>(
    layout: &Layout,
    key: &str,
    places: impl Iterator<Item = &'a Place>,
) -> Result<(), String> {
    let is_table = layout.file.format == Format::Csv;
    let section = key.split('.').next().unwrap_or_default();
    let has_elements = match section {
        "segment" => layout
            .segment
            .as_ref()
            .is_some_and(|of| matches!(of.each, Each::Element(_))),
        "recording" => layout.recording.as_ref().is_some_and(|of| {
            matches!(of.each, Each::Element(_)) || key.starts_with("recording.pauses.")
        }),
        _ => false,
    };
    for place in places {
        match place {
            Place::Row(_) | Place::Element(_) if is_table => {
                return Err(format!(
                    "{key}: `{place}` is a JSON path, and file.format is csv; a column whose name \
                     begins so is named by its number, such as #3"
                ));
            }
            Place::Column(_) | Place::Number(_) if !is_table => {
                return Err(format!(
                    "{key}: `{place}` is a column, and file.format is not csv; write a JSON path \
                     such as $.{place}"
                ));
            }
            Place::Column(_) if !layout.file.header => {
                return Err(format!(
                    "{key}: there is no header, so `{place}` cannot be found; name the column by \
                     its number, such as #3"
                ));
            }
            Place::Element(_) if !has_elements => {
                return Err(format!(
                    "{key}: `{place}` begins at an element, and each = a JSON path names none \
                     here; begin with `$`"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A name becomes part of a name in the target.
fn attribute_names(layout: &Layout) -> Result<(), String> {
    let fits = |name: &str| {
        (1..=40).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match layout.attributes.keys().find(|name| !fits(name)) {
        Some(name) => Err(format!(
            "attributes.\"{name}\": a name takes 1 to 40 letters, digits, `_`, `-` or `.`"
        )),
        None => Ok(()),
    }
}

impl RecordingFields {
    /// What tells whether a row or an element has a recording. Absent: each has.
    #[must_use]
    pub fn condition(&self) -> Option<&Value> {
        let by_file = || {
            self.file
                .as_ref()
                .filter(|file| matches!(file.take, Take::First(_)))
        };
        self.when.as_ref().or_else(by_file)
    }
}
