//! Holds a JSON value against a shape. Pure.

use serde_json::Value;

use crate::utc_millis::UtcMillis;

/// What may stand somewhere. `null` may stand for everything that need not be there.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    /// A text that is an instant.
    Time,
    Number,
    Truth,
    /// One of these texts, in any case.
    OneOf(&'static [&'static str]),
    List(&'static Shape),
    /// Any names, each with this.
    Map(&'static Shape),
    /// These names, one behind `*` must be there, and these further ones, which are not looked
    /// into; no others.
    Object(&'static [(&'static str, Shape)], &'static str),
    /// Documented, and not looked into.
    Any,
}

/// Tells place, expectation and what came, for each deviation.
pub(super) fn check(
    shape: &Shape,
    value: &Value,
    path: &str,
    tell: &mut dyn FnMut(&str, &str, &str),
) {
    match (shape, value) {
        (Shape::Any, _) | (_, Value::Null) | (Shape::Text, Value::String(_)) => {}
        (Shape::Number, Value::Number(_)) | (Shape::Truth, Value::Bool(_)) => {}
        (Shape::Time, Value::String(text)) if UtcMillis::parse(text).is_some() => {}
        (Shape::OneOf(known), Value::String(text))
            if known.iter().any(|known| known.eq_ignore_ascii_case(text)) => {}
        (Shape::List(inner), Value::Array(list)) => {
            let path = format!("{path}[]");
            list.iter()
                .for_each(|value| check(inner, value, &path, tell));
        }
        // Names of a map are data.
        (Shape::Map(inner), Value::Object(map)) => {
            let path = format!("{path}{{}}");
            map.values()
                .for_each(|value| check(inner, value, &path, tell));
        }
        (Shape::Object(fields, named), Value::Object(map)) => {
            object(fields, named, map, path, tell)
        }
        _ => tell(path, &words(shape), &came(value)),
    }
}

fn object(
    fields: &[(&str, Shape)],
    named: &str,
    map: &serde_json::Map<String, Value>,
    path: &str,
    tell: &mut dyn FnMut(&str, &str, &str),
) {
    for (name, shape) in fields {
        let (name, required) = name
            .strip_prefix('*')
            .map_or((*name, false), |name| (name, true));
        let path = format!("{path}.{name}");
        match map.get(name) {
            None | Some(Value::Null) if required => tell(&path, &words(shape), "nothing"),
            None => {}
            Some(value) => check(shape, value, &path, tell),
        }
    }
    for (name, value) in map {
        let known = fields
            .iter()
            .any(|(known, _)| known.trim_start_matches('*') == name)
            || named.split_whitespace().any(|known| known == name);
        if !known {
            tell(
                &format!("{path}.{}", field(name)),
                "no such field",
                &came(value),
            );
        }
    }
}

/// A name of the vendor's kind is told; anything else may be somebody's data.
fn field(name: &str) -> String {
    let plain = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphabetic());
    if plain {
        name.to_owned()
    } else {
        format!("(a name of {} characters)", name.chars().count())
    }
}

fn words(shape: &Shape) -> String {
    match shape {
        Shape::Text => "a text".to_owned(),
        Shape::Time => "a time".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Truth => "true or false".to_owned(),
        Shape::OneOf(known) => format!("one of {} values", known.len()),
        Shape::List(_) => "a list".to_owned(),
        Shape::Map(_) | Shape::Object(..) => "an object".to_owned(),
        Shape::Any => "anything".to_owned(),
    }
}

/// Type and length; never the value.
fn came(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("a text of {} characters", text.chars().count()),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(map) => format!(
            "an object of {} field{}",
            map.len(),
            if map.len() == 1 { "" } else { "s" }
        ),
    }
}
