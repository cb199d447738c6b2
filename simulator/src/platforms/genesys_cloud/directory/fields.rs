//! Bodies whose fields are kept as they are sent: each is held to its name and its type.

use serde_json::{Map, Value};

use super::super::errors::ApiError;

/// What a field may be.
pub(super) enum Kind {
    Text,
    Truth,
    Object,
    List,
    OneOf(&'static [&'static str]),
}

/// A model whose fields are kept.
pub(super) struct Model {
    pub(super) kept: &'static [(&'static str, Kind)],
    /// Fields that the server writes, or that are read by name; they are not kept.
    pub(super) others: &'static [&'static str],
}

impl Kind {
    fn takes(&self, value: &Value) -> bool {
        match self {
            Kind::Text => value.is_string(),
            Kind::Truth => value.is_boolean(),
            Kind::Object => value.is_object(),
            Kind::List => value.is_array(),
            Kind::OneOf(known) => value.as_str().is_some_and(|text| known.contains(&text)),
        }
    }
}

impl Model {
    /// The fields of a body that are kept. A null is an absent field. Refuses a name that the model
    /// lacks and a value of another type.
    pub(super) fn read(&self, sent: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
        let mut kept = Map::new();
        for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
            match self.kept.iter().find(|(known, _)| known == name) {
                Some((_, kind)) if kind.takes(value) => {
                    drop(kept.insert(name.clone(), value.clone()))
                }
                Some(_) => return Err(ApiError::invalid_value(name, name, &value.to_string())),
                None if self.others.contains(&name.as_str()) => {}
                None => return Err(ApiError::invalid_property(name)),
            }
        }
        Ok(kept)
    }
}

/// A text that is not empty, or the refusal with a code of the operation.
pub(super) fn worded<'a>(
    sent: Option<&'a str>,
    field: &str,
    code: &'static str,
) -> Result<&'a str, ApiError> {
    let text = sent.map(str::trim).filter(|text| !text.is_empty());
    text.ok_or_else(|| {
        ApiError::new(400, code, format!("{field} is missing or empty")).field(field)
    })
}
