//! What a layout says about one value: where it stands and how it is read. Nothing is read here.

use std::fmt;

use jiff::fmt::strtime::BrokenDownTime;
use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json_path::JsonPath;

/// One value of a call, a leg or a recording: in short the name of a column or a JSON path, or a
/// list of such of which the first with a value counts; otherwise a table.
#[derive(Debug, Clone)]
pub struct Value {
    /// Where the text comes from.
    pub take: Take,
    /// Cuts the value out of the text: the first group, or the whole match where there is none.
    pub pattern: Option<Pattern>,
    /// Name of the table in `[words]` that its codes are looked up in.
    pub words: Option<String>,
    /// For times: instead of `[time] format`. Empty: that.
    pub format: Vec<TimeFormat>,
    /// For times: instead of `[time] zone`.
    pub zone: Option<String>,
    /// For lengths of time: instead of `[time] lengths`.
    pub unit: Option<LengthUnit>,
}

/// Where the text of a value comes from.
#[derive(Debug, Clone)]
pub enum Take {
    /// The first of these places with a value.
    First(Vec<Place>),
    /// Several places put together.
    Text(Template),
    /// The same text always.
    Constant(String),
}

/// A place in a row.
#[derive(Debug, Clone)]
pub enum Place {
    /// A column by its name.
    Column(String),
    /// A column by its number, counted from 1: `#3`.
    Number(usize),
    /// A path from the row: `$.Agent.Username`.
    Row(Path),
    /// A path from the element that `each` names: `@.id`.
    Element(Path),
}

/// A JSONPath of RFC 9535, as it was written and as it is followed.
#[derive(Debug, Clone)]
pub struct Path {
    /// As the layout has it, `@` included.
    pub text: String,
    /// From `$`.
    pub query: JsonPath,
}

/// A text with places in braces: `{Date} {Time}`. `{{` and `}}` stand for braces.
#[derive(Debug, Clone)]
pub struct Template {
    /// In order.
    pub parts: Vec<Part>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// `{call.id}`.
    CallId,
    /// `{recording.id}`.
    RecordingId,
    /// `{row.folder}`: folder of the row's file below the metadata folder; empty at its root.
    RowFolder,
    /// `{row.stem}`: name of the row's file without its last ending.
    RowStem,
    /// The value at a place.
    Place(Place),
}

/// A regular expression in the syntax of Rust's `regex`, without Unicode classes.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// ISO 8601 with or without an offset, `T` or a blank between date and time.
    Iso,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970; a fraction is taken to the millisecond.
    EpochS,
    /// Conversions of `strptime`, as jiff knows them.
    Strptime(String),
}

/// Unit of a length of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Milliseconds.
    #[default]
    Ms,
    /// Seconds.
    S,
    /// Minutes.
    Min,
    /// `H:MM:SS` or `M:SS`, with or without a fraction.
    Hms,
}

impl Value {
    /// All places it is taken from.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let (first, template) = match &self.take {
            Take::First(places) => (places.as_slice(), None),
            Take::Text(template) => (&[][..], Some(template)),
            Take::Constant(_) => (&[][..], None),
        };
        first
            .iter()
            .chain(template.into_iter().flat_map(Template::places))
    }

    fn of(take: Take) -> Value {
        Value {
            take,
            pattern: None,
            words: None,
            format: Vec::new(),
            zone: None,
            unit: None,
        }
    }
}

impl Template {
    /// All places in it.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            _ => None,
        })
    }

    fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let (name, after) = after
                .split_once('}')
                .filter(|_| brace == "{")
                .ok_or_else(|| format!("`{text}` has a brace without its other one"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(match name {
                "call.id" => Part::CallId,
                "recording.id" => Part::RecordingId,
                "row.folder" => Part::RowFolder,
                "row.stem" => Part::RowStem,
                name => Part::Place(Place::parse(name)?),
            });
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { parts })
    }
}

impl Place {
    fn parse(text: &str) -> Result<Place, String> {
        let path = |query: &str| {
            let query = JsonPath::parse(query).map_err(|error| {
                format!(
                    "`{text}` is not a JSONPath of RFC 9535: {}",
                    error.message()
                )
            })?;
            Ok(Path {
                text: text.to_owned(),
                query,
            })
        };
        match text.chars().next() {
            None => Err("the name of a column is empty".to_owned()),
            Some('$') => path(text).map(Place::Row),
            Some('@') => path(&format!("${}", &text[1..])).map(Place::Element),
            Some('#') => match text[1..].parse() {
                Ok(number @ 1..) => Ok(Place::Number(number)),
                _ => Err(format!("`{text}` is not a column's number such as #3")),
            },
            Some(_) => Ok(Place::Column(text.to_owned())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Column(name) => f.write_str(name),
            Place::Number(number) => write!(f, "#{number}"),
            Place::Row(path) | Place::Element(path) => f.write_str(&path.text),
        }
    }
}

impl TimeFormat {
    fn parse(text: &str) -> Result<TimeFormat, String> {
        match text {
            "iso" => Ok(TimeFormat::Iso),
            "epoch_ms" => Ok(TimeFormat::EpochMs),
            "epoch_s" => Ok(TimeFormat::EpochS),
            format if format.contains('%') => known_conversions(format),
            other => Err(format!(
                "`{other}` is not a format of times; known are iso, epoch_ms, epoch_s, and \
                 conversions such as %d/%m/%Y %H:%M:%S"
            )),
        }
    }
}

/// A conversion that is not known is told when the layout is read, not by every row: a date is
/// written by the format and read back.
fn known_conversions(format: &str) -> Result<TimeFormat, String> {
    BrokenDownTime::from(jiff::Timestamp::UNIX_EPOCH)
        .to_string(format)
        .and_then(|text| BrokenDownTime::parse(format, &text))
        .map_err(|error| format!("`{format}` is not a format of times: {error}"))?;
    Ok(TimeFormat::Strptime(format.to_owned()))
}

/// The keys of a value that is written as a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Keys {
    /// A column or a JSON path, or a list of such: the first with a value counts.
    column: Option<OneOrMore>,
    /// Several places put together: `{Date} {Time}`.
    text: Option<String>,
    /// The same text always.
    #[serde(rename = "const")]
    constant: Option<String>,
    /// Regular expression that cuts the value out.
    pattern: Option<String>,
    /// Name of a table in `[words]`.
    words: Option<String>,
    /// Of a time: its format, or a list of formats.
    format: Option<OneOrMore>,
    /// Of a time: its zone.
    zone: Option<String>,
    /// Of a length of time: its unit.
    unit: Option<LengthUnit>,
}

/// A text or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the schema is made from the variants")]
enum OneOrMoreShape {
    One(String),
    More(Vec<String>),
}

pub(super) struct OneOrMore(pub(super) Vec<String>);

impl JsonSchema for OneOrMore {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMore".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OneOrMoreShape::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMore, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Vec<String>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
                Ok(vec![text.to_owned()])
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<String>, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list))
            }
        }
        deserializer.deserialize_any(Texts).map(OneOrMore)
    }
}

impl OneOrMore {
    fn places<E: de::Error>(&self) -> Result<Vec<Place>, E> {
        if self.0.is_empty() {
            return Err(E::custom("the list of columns is empty"));
        }
        self.0
            .iter()
            .map(|text| Place::parse(text).map_err(E::custom))
            .collect()
    }

    pub(super) fn formats<E: de::Error>(&self) -> Result<Vec<TimeFormat>, E> {
        self.0
            .iter()
            .map(|text| TimeFormat::parse(text).map_err(E::custom))
            .collect()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column or JSON path, a list of such, or a table with `column`, `text` or `const`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                let place = Place::parse(text).map_err(E::custom)?;
                Ok(Value::of(Take::First(vec![place])))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
                let texts = Vec::deserialize(de::value::SeqAccessDeserializer::new(list))?;
                Ok(Value::of(Take::First(OneOrMore(texts).places()?)))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                value(Keys::deserialize(de::value::MapAccessDeserializer::new(
                    map,
                ))?)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

fn value<E: de::Error>(keys: Keys) -> Result<Value, E> {
    let take = match (keys.column, keys.text, keys.constant) {
        (Some(places), None, None) => Take::First(places.places()?),
        (None, Some(text), None) => Take::Text(Template::parse(&text).map_err(E::custom)?),
        (None, None, Some(text)) => Take::Constant(text),
        _ => {
            return Err(E::custom(
                "a value has exactly one of `column`, `text` and `const`",
            ));
        }
    };
    Ok(Value {
        pattern: keys.pattern.map(|text| pattern(&text)).transpose()?,
        words: keys.words,
        format: keys
            .format
            .map_or(Ok(Vec::new()), |format| format.formats())?,
        zone: keys.zone,
        unit: keys.unit,
        ..Value::of(take)
    })
}

fn pattern<E: de::Error>(text: &str) -> Result<Pattern, E> {
    Regex::new(text)
        .map(Pattern)
        .map_err(|error| E::custom(format!("`{text}` is not a regular expression: {error}")))
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (short, keys) = (
            generator.subschema_for::<OneOrMoreShape>(),
            generator.subschema_for::<Keys>(),
        );
        json_schema!({"anyOf": [short, keys]})
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        Place::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        Template::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A path from the row alone, such as what lists the rows of a document.
pub(super) fn row_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
    match Place::deserialize(deserializer)? {
        Place::Row(path) => Ok(path),
        other => Err(de::Error::custom(format!(
            "`{other}` is not a JSONPath that begins with `$`"
        ))),
    }
}

/// A format, or a list of such.
pub(super) fn formats<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<TimeFormat>, D::Error> {
    OneOrMore::deserialize(deserializer)?.formats()
}
