//! What a person reads, without what differs from run to run, so that a snapshot of it holds on any
//! day and machine.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::path::Path;

use serde_json::Value;

/// `DIR` for a folder, `DATE` for days and times, `PORT`, `ID` for UUIDs, `HASH`, and `N` for
/// counts of requests and for seconds.
pub(crate) fn redacted(text: &str, dir: &Path) -> String {
    let mut text = text.to_owned();
    for dir in [
        dir.canonicalize().unwrap_or_else(|_| dir.to_owned()),
        dir.to_owned(),
    ] {
        text = text.replace(&dir.display().to_string(), "DIR");
    }
    text.lines()
        .map(|line| counts(&values(line)) + "\n")
        .collect()
}

fn values(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let begins = !out.ends_with(|last: char| last.is_ascii_alphanumeric());
        let word = &rest[..rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(rest.len())];
        if let Some(after) = rest.strip_prefix("127.0.0.1:") {
            out.push_str("127.0.0.1:PORT");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        } else if begins && is_like(word, "0000-00-00") {
            out.push_str("DATE");
            let after = &rest[10..];
            let time = after.len()
                - after
                    .trim_start_matches(|c: char| c.is_ascii_digit() || "T:.Z".contains(c))
                    .len();
            rest = &after[after[..time].trim_end_matches(['.', ':']).len()..];
        } else if begins
            && word.len() == 36
            && is_like(word, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh")
        {
            out.push_str("ID");
            rest = &rest[36..];
        } else if begins
            && [32, 40, 64].contains(&word.len())
            && is_like(word, &"h".repeat(word.len()))
        {
            out.push_str("HASH");
            rest = &rest[word.len()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Whether a word begins with this form: `0` is a digit, `h` one of hexadecimal.
fn is_like(word: &str, form: &str) -> bool {
    let fits = |(found, wanted): (char, char)| match wanted {
        '0' => found.is_ascii_digit(),
        'h' => found.is_ascii_hexdigit(),
        other => found == other,
    };
    word.len() >= form.len() && word.chars().zip(form.chars()).all(fits)
}

/// How often something was asked for depends on how fast it came.
fn counts(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_counted = |next: &str| {
        ["requests", "answered", "to", "s"].contains(&next.trim_end_matches([',', ')', ':']))
    };
    let one = |(at, word): (usize, &&str)| {
        let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_number && words.get(at + 1).is_some_and(|next| is_counted(next)) {
            "N".to_owned()
        } else {
            (*word).to_owned()
        }
    };
    words
        .iter()
        .enumerate()
        .map(one)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The shape of a JSON document: a line for each field, with its path and type. Items of a list are
/// taken together.
pub(crate) fn shape(document: &Value) -> String {
    let mut lines = std::collections::BTreeSet::new();
    push(document, "", &mut lines);
    lines.into_iter().map(|line| line + "\n").collect()
}

fn push(value: &Value, path: &str, lines: &mut std::collections::BTreeSet<String>) {
    let kind = match value {
        Value::Object(fields) if !fields.is_empty() => {
            let below = |name: &String| {
                if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                }
            };
            return fields
                .iter()
                .for_each(|(name, value)| push(value, &below(name), lines));
        }
        Value::Array(items) if !items.is_empty() => {
            return items
                .iter()
                .for_each(|item| push(item, &format!("{path}[]"), lines));
        }
        Value::Object(_) => "empty object",
        Value::Array(_) => "empty list",
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    lines.insert(format!("{path}: {kind}"));
}
