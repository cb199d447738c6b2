//! The insertion document, field by field: what has to be there, in which shape. Source: Insertion
//! API.
//!
//! Four spellings are kept apart: `callUUID` of a media file, `callUuid` of its parameters,
//! `calluuid` of an event; `username` of parameters and `userName` of a contact.

use serde_json::{Map, Value};

use super::answer::Refused;
use super::dates::{self, Read};
use super::rules;
use super::settings::Zoneless;
use crate::rules::Rule;

/// Every type a call may have.
pub(super) const CALL_TYPES: &[&str] = &["Internal", "Inbound", "Outbound", "Consult", "Unknown"];

const CALLS: &[&str] = &["Joined", "Left"];
const USER: &[&str] = &["User"];

/// One field of the document.
struct Field {
    name: &'static str,
    need: Need,
    shape: Shape,
}

/// When a field has to be there.
enum Need {
    Always,
    /// Taken without it, yet required for a consistent system.
    InPractice,
    Never,
    /// Where the field of that name, in the same object, has one of these values.
    When(&'static str, &'static [&'static str]),
}

/// What a field holds.
enum Shape {
    Text,
    Time,
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// An object of any content.
    Free,
    Within(&'static [Field]),
    Each(&'static [Field]),
}

use Need::{Always, InPractice, Never, When};
use Shape::{Each, Free, OneOf, Text, Texts, Time, Within};

const fn field(name: &'static str, need: Need, shape: Shape) -> Field {
    Field { name, need, shape }
}

const RECORDING: &[Field] = &[
    field("id", Always, Text),
    field("callerPhoneNumber", Always, Text),
    field("dialedPhoneNumber", Always, Text),
    field("region", Always, Text),
    field("mediaFiles", Always, Each(MEDIA_FILE)),
    field("eventHistory", Never, Each(EVENT)),
    field("callType", Never, OneOf(CALL_TYPES)),
];

const MEDIA_FILE: &[Field] = &[
    field("callUUID", Always, Text),
    field("startTime", Always, Time),
    field("stopTime", Always, Time),
    field("mediaId", InPractice, Text),
    field("type", Never, Text),
    field("duration", Never, Text),
    field("size", Never, Text),
    field("tenant", Never, Text),
    field("ivrprofile", Never, Text),
    field("parameters", InPractice, Within(PARAMETERS)),
    field("masks", Never, Each(MASK)),
    field("pkcs7", Never, Text),
    field("certAlias", Never, Texts),
    field("partitions", Never, Texts),
    field("accessgroups", Never, Texts),
    field("mediaDescriptor", Always, Within(MEDIA_DESCRIPTOR)),
];

const PARAMETERS: &[Field] = &[
    field("username", Never, Text),
    field("agentId", Never, Text),
    field("recordDN", Never, Text),
    field("dnis", Never, Text),
    field("ani", Never, Text),
    field("callUuid", InPractice, Text),
    field("id", InPractice, Text),
];

const MASK: &[Field] = &[
    field("time", Always, Time),
    field("type", Always, OneOf(&["paused", "resume"])),
];

const MEDIA_DESCRIPTOR: &[Field] = &[
    field("storage", Always, OneOf(&["webDAV"])),
    field("storage_version", Never, Text),
    field("path", Always, Text),
];

const EVENT: &[Field] = &[
    field("occurredAt", Always, Time),
    field("event", Always, OneOf(&["Left", "Joined", "Data"])),
    field("calluuid", Never, Text),
    field("contact", When("event", CALLS), Within(CONTACT)),
    field("eventId", When("event", &["Data"]), Text),
    field("data", When("event", &["Data"]), Free),
];

const CONTACT: &[Field] = &[
    field("type", Always, OneOf(&["User", "External"])),
    field("phoneNumber", Always, Text),
    field("userName", When("type", USER), Text),
    field("firstName", InPractice, Text),
    field("lastName", InPractice, Text),
];

/// Holds a document against the table. The first field that is wrong, in the table's order, is the
/// one that is told.
pub(super) fn check(
    document: &Value,
    zoneless: Zoneless,
    mark: &dyn Fn(&'static Rule),
) -> Result<(), Refused> {
    let Some(document) = document.as_object() else {
        mark(&rules::JSON_TYPES);
        return Err(Refused::new(
            400,
            super::answer::Code::Invalid,
            "The request body is not a JSON object.",
        ));
    };
    mark(&rules::MANDATORY);
    mark(&rules::FIRST_WRONG);
    mark(&rules::NOT_VALIDATED);
    Check { zoneless, mark }.object(document, RECORDING, "")
}

struct Check<'a> {
    zoneless: Zoneless,
    mark: &'a dyn Fn(&'static Rule),
}

impl Check<'_> {
    fn object(
        &self,
        object: &Map<String, Value>,
        fields: &[Field],
        at: &str,
    ) -> Result<(), Refused> {
        if object
            .keys()
            .any(|key| !fields.iter().any(|field| field.name == key))
        {
            (self.mark)(&rules::UNKNOWN_KEYS);
        }
        fields.iter().try_for_each(|field| {
            let path = if at.is_empty() {
                field.name.to_owned()
            } else {
                format!("{at}.{}", field.name)
            };
            match object
                .get(field.name)
                .filter(|value| !self.is_nothing(value, field))
            {
                Some(value) => self.value(value, &field.shape, &path),
                None => self.absent(object, field, &path),
            }
        })
    }

    /// Whether a value stands for an absent one. An empty text of a field that may be left out and
    /// has values of its own is none of these values.
    fn is_nothing(&self, value: &Value, field: &Field) -> bool {
        let is_nothing = match value {
            Value::Null => true,
            Value::String(text) => {
                text.is_empty() && !matches!((&field.need, &field.shape), (Never, OneOf(_)))
            }
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if is_nothing {
            (self.mark)(&rules::EMPTY);
        }
        is_nothing
    }

    fn absent(
        &self,
        object: &Map<String, Value>,
        field: &Field,
        path: &str,
    ) -> Result<(), Refused> {
        match field.need {
            Always => Err(Refused::missing(path)),
            When(other, values)
                if object
                    .get(other)
                    .and_then(Value::as_str)
                    .is_some_and(|value| values.contains(&value)) =>
            {
                Err(Refused::missing(path))
            }
            InPractice => {
                (self.mark)(&rules::IN_PRACTICE);
                Ok(())
            }
            When(..) | Never => Ok(()),
        }
    }

    fn value(&self, value: &Value, shape: &Shape, path: &str) -> Result<(), Refused> {
        match (shape, value) {
            (Text, Value::String(_)) | (Free, Value::Object(_)) => Ok(()),
            (Time, Value::String(text)) => self.time(text, path),
            (OneOf(values), Value::String(text)) => self.one_of(values, text, path),
            (Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
            (Within(fields), Value::Object(object)) => self.object(object, fields, path),
            (Each(fields), Value::Array(items)) => {
                items.iter().enumerate().try_for_each(|(i, item)| {
                    self.value(item, &Within(fields), &format!("{path}[{i}]"))
                })
            }
            _ => {
                (self.mark)(&rules::JSON_TYPES);
                Err(Refused::invalid(
                    path,
                    &format!("it must be {}", shape.in_words()),
                ))
            }
        }
    }

    fn time(&self, text: &str, path: &str) -> Result<(), Refused> {
        (self.mark)(&rules::TIMES);
        let refused = || {
            Err(Refused::invalid(
                path,
                "it must be an ISO time such as 2013-05-17T11:45:32.000-0800",
            ))
        };
        match dates::read(text) {
            Some(Read::At(_)) => Ok(()),
            Some(Read::Zoneless(_)) => {
                (self.mark)(&rules::ZONELESS);
                if self.zoneless == Zoneless::Utc {
                    Ok(())
                } else {
                    refused()
                }
            }
            None => refused(),
        }
    }

    fn one_of(&self, values: &[&str], text: &str, path: &str) -> Result<(), Refused> {
        (self.mark)(if path.ends_with(".storage") {
            &rules::STORAGE
        } else {
            &rules::ENUMERATIONS
        });
        if values.contains(&text) {
            Ok(())
        } else {
            Err(Refused::invalid(
                path,
                &format!("it must be {}", values.join(", ")),
            ))
        }
    }
}

impl Shape {
    fn in_words(&self) -> &'static str {
        match self {
            Text | Time | OneOf(_) => "a text",
            Texts => "a list of texts",
            Free | Within(_) => "an object",
            Each(_) => "a list of objects",
        }
    }
}

/// A document without its nulls and empty texts and lists: what is nothing is absent. What the
/// client holds free stays as it is.
pub(super) fn without_nothing(document: Value) -> Value {
    match document {
        Value::Object(fields) => {
            let is_nothing = |value: &Value| match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            let kept = fields.into_iter().filter(|(_, value)| !is_nothing(value));
            kept.map(|(key, value)| {
                if key == "data" {
                    (key, value)
                } else {
                    (key, without_nothing(value))
                }
            })
            .collect()
        }
        Value::Array(items) => items.into_iter().map(without_nothing).collect(),
        other => other,
    }
}
