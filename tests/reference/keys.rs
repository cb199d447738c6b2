//! Keys of the plan, the scenario and the canonical record, against the schemas the program prints.

use serde_json::Value;
use tempfile::TempDir;

use crate::page::Page;
use crate::support::seatrial;

/// A key of a schema.
struct Key {
    path: String,
    /// Absent: the schema gives none, or none that is written in one word.
    default: Option<String>,
}

/// A document that the program prints.
pub(crate) fn schema(of: &str) -> Value {
    let folder = TempDir::new().unwrap();
    seatrial(folder.path(), &["schema", of]).ends(0).json()
}

/// All keys of a schema, dotted; `[]` stands for an element of a list, `*` for a name of the
/// reader's own.
fn keys(schema: &Value) -> Vec<Key> {
    let mut found = Vec::new();
    walk(schema, schema, "", &mut Vec::new(), &mut found);
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|key: &Key| seen.insert(key.path.clone()));
    found
}

fn walk(schema: &Value, at: &Value, path: &str, within: &mut Vec<String>, found: &mut Vec<Key>) {
    if let Some(name) = at["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix("#/$defs/"))
    {
        // A value of a layout is described once for all keys that take one.
        if name != "Value" && !within.iter().any(|known| known == name) {
            within.push(name.to_owned());
            walk(schema, &schema["$defs"][name], path, within, found);
            within.pop();
        }
        return;
    }
    for of in ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|name| at[name].as_array())
        .flatten()
    {
        walk(schema, of, path, within, found);
    }
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    for (name, property) in at["properties"].as_object().into_iter().flatten() {
        found.push(Key {
            path: below(name),
            default: written(&property["default"]),
        });
        walk(schema, property, &below(name), within, found);
    }
    if at["items"].is_object() {
        walk(schema, &at["items"], &format!("{path}[]"), within, found);
    }
    if at["additionalProperties"].is_object() {
        walk(
            schema,
            &at["additionalProperties"],
            &below("*"),
            within,
            found,
        );
    }
}

/// A default as a page writes it.
fn written(default: &Value) -> Option<String> {
    match default {
        Value::Null | Value::Object(_) => None,
        Value::String(text) if text.is_empty() => Some("\"\"".to_owned()),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The bullets of a page describe the keys of a schema: all of them, no others, and with their
/// defaults.
fn describes(page: &str, of: &str) {
    let page = Page::read(page);
    let bullets = page.bullets();
    let keys = keys(&schema(of));
    assert!(keys.len() > 50, "{} keys", keys.len());
    let text_of = |path: &str| {
        bullets
            .iter()
            .find(|(key, _)| key == path)
            .map(|(_, text)| text.as_str())
    };
    for Key { path, default } in &keys {
        // `{ env = .. }` and `{ file = .. }` are described once for all secrets.
        let secret = path
            .strip_suffix(".env")
            .or_else(|| path.strip_suffix(".file"));
        if secret
            .and_then(text_of)
            .is_some_and(|text| text.starts_with("(secret"))
        {
            continue;
        }
        let text =
            text_of(path).unwrap_or_else(|| panic!("{} does not describe `{path}`", page.name));
        if let Some(default) = default
            .as_ref()
            .filter(|_| !text.contains("The default is"))
        {
            let plain = |text: &str| text.replace(' ', "");
            let wanted = format!("default `{default}`");
            assert!(
                plain(text).contains(&plain(&wanted)),
                "{}: `{path}` does not say {wanted}: {text}",
                page.name
            );
        }
    }
    for (key, text) in bullets.iter().filter(|(_, text)| text.starts_with('(')) {
        assert!(
            keys.iter().any(|known| known.path == *key),
            "{} describes `{key}`, which is no key: {text}",
            page.name
        );
    }
}

#[test]
fn every_key_of_the_plan_is_described() {
    describes("plan.md", "plan");
}

#[test]
fn every_key_of_a_layout_is_described() {
    describes("layout.md", "layout");
    let values = schema("layout")["$defs"]["Value"].clone();
    let keys = values["anyOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|shape| shape["$ref"].as_str()?.strip_prefix("#/$defs/"))
        .filter_map(|name| {
            schema("layout")["$defs"][name]["properties"]
                .as_object()
                .cloned()
        })
        .flat_map(|keys| keys.into_iter().map(|(key, _)| key))
        .collect::<Vec<_>>();
    assert_eq!(keys.len(), 8, "{keys:?}");
    Page::read("layout.md").must_name("keys of a value", keys);
}

#[test]
fn every_key_of_a_scenario_is_described() {
    describes("scenario.md", "scenario");
}

fn leaves(of: &str) -> Vec<String> {
    let last = |path: String| path.rsplit('.').next().unwrap().to_owned();
    keys(&schema(of))
        .into_iter()
        .map(|key| last(key.path))
        .collect()
}

#[test]
fn every_field_of_the_canonical_record_is_described() {
    Page::read("fields.md").must_name("fields of the canonical record", leaves("canonical"));
    let repairs = schema("canonical")["$defs"]["Repair"]["oneOf"]
        .as_array()
        .unwrap()
        .clone();
    Page::read("time.md").must_name(
        "repairs",
        repairs
            .iter()
            .map(|repair| repair["const"].as_str().unwrap()),
    );
}

#[test]
fn every_key_of_the_reports_is_described() {
    let page = Page::read("reports.md");
    page.must_name("keys of summary.json", leaves("summary"));
    page.must_name("keys of findings.jsonl", leaves("finding"));
    let counts = keys(&schema("summary"))
        .into_iter()
        .filter_map(|key| Some(key.path.strip_prefix("counts.")?.to_owned()));
    Page::read("match.md").must_name("counts", counts);
}

#[test]
fn every_time_rule_of_the_plan_is_named_where_times_are_explained() {
    let page = Page::read("time.md");
    for key in keys(&schema("plan"))
        .into_iter()
        .filter(|key| key.path.starts_with("time."))
    {
        let name = key.path.rsplit('.').next().unwrap().to_owned();
        assert!(
            page.text.contains(&name),
            "time.md does not name {}",
            key.path
        );
    }
}

/// Columns of the mapping tables, as the plan's schema lists them.
#[test]
fn every_column_of_the_mapping_is_described() {
    let page = Page::read("mapping.md");
    let schema = schema("plan");
    for table in ["agents", "queues", "skills", "wrapups"] {
        let text = schema["$defs"]["MappingFiles"]["properties"][table]["description"]
            .as_str()
            .unwrap();
        let columns = text
            .split('`')
            .nth(1)
            .unwrap()
            .split([',', '[', ']'])
            .filter(|column| !column.is_empty());
        let described: Vec<String> = page
            .rows(&format!("## {table}.csv"))
            .iter()
            .map(|cells| cells[0].trim_matches('`').to_owned())
            .collect();
        assert_eq!(
            described,
            columns.map(str::to_owned).collect::<Vec<_>>(),
            "columns of {table}.csv in mapping.md, and in the plan's schema"
        );
    }
    let exclusions = schema["$defs"]["Rules"]["properties"]["exclusions"]["description"]
        .as_str()
        .unwrap();
    assert!(
        page.text
            .contains(&format!("{}\n", exclusions.split('`').nth(1).unwrap())),
        "mapping.md lacks the exclusions file's columns"
    );
}
