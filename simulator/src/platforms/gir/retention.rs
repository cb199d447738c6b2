//! What becomes of a recording later: labels, non-deletion, deletion.

use serde_json::{Map, Value, json};

use super::answer::{self, Code, Refused};
use super::state::Recording;
use super::{Gir, KEEPING_FEATURE, rules};
use crate::http::reply::Reply;

/// A text of a body; absent where there is none.
fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body[name].as_str().filter(|text| !text.is_empty())
}

impl Gir {
    /// Defines a label.
    pub(super) fn define_label(&self, body: &Value) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::LABELS);
        let name = text(body, "name").ok_or_else(|| Refused::missing("name"))?;
        if !name.is_ascii() || name.starts_with("__") {
            return Err(Refused::invalid(
                "name",
                "it must be ASCII and not begin with two underscores",
            ));
        }
        let mut state = self.state();
        if state.labels.contains_key(name) {
            return Err(Refused::new(
                409,
                Code::Exists,
                format!("Label definition [{name}] already exists."),
            ));
        }
        let definition = json!({"name": name, "displayName": text(body, "displayName").unwrap_or(name),
            "description": text(body, "description").unwrap_or_default()});
        state.labels.insert(name.to_owned(), definition);
        Ok(answer::done(201).effect("created"))
    }

    /// Every label that is defined.
    pub(super) fn label_definitions(&self) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::LABEL_PATHS);
        let definitions: Vec<Value> = self.state().labels.values().cloned().collect();
        Ok(answer::told(
            200,
            Map::from_iter([("labelDefinitions".to_owned(), Value::from(definitions))]),
        ))
    }

    /// Puts labels on a recording; all of them or none.
    pub(super) fn add_labels(&self, id: &str, body: &Value) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::LABEL_PATHS);
        let sent = body["labels"]
            .as_array()
            .filter(|labels| !labels.is_empty())
            .ok_or_else(|| Refused::missing("labels"))?;
        let names: Option<Vec<&str>> = sent.iter().map(|label| text(label, "name")).collect();
        let names = names.ok_or_else(|| Refused::missing("labels.name"))?;
        let mut state = self.state();
        if let Some(unknown) = names.iter().find(|name| !state.labels.contains_key(**name)) {
            return Err(Refused::new(
                404,
                Code::NotFound,
                format!("Requested label definition [{unknown}] cannot be found."),
            ));
        }
        let held = self.seen_mut(&mut state, id)?;
        held.labels.extend(names.into_iter().map(str::to_owned));
        Ok(answer::done(200).effect("labelled"))
    }

    /// Takes a label off a recording.
    pub(super) fn remove_label(&self, id: &str, label: &str) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::LABEL_PATHS);
        let mut state = self.state();
        if !self.seen_mut(&mut state, id)?.labels.remove(label) {
            return Err(Refused::new(
                404,
                Code::NotFound,
                format!("Requested label [{label}] cannot be found."),
            ));
        }
        Ok(answer::done(200).effect("unlabelled"))
    }

    /// The labels of a recording.
    pub(super) fn labels_of(&self, id: &str) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::LABEL_PATHS);
        let labels = labels(self.seen_by_id(&self.state(), id)?);
        Ok(answer::told(
            200,
            Map::from_iter([("labels".to_owned(), labels)]),
        ))
    }

    /// Tags a recording for non-deletion, or takes the tag off.
    pub(super) fn change(&self, id: &str, body: &Value) -> Result<Reply, Refused> {
        self.has_feature(KEEPING_FEATURE)?;
        self.mark(&rules::NON_DELETION);
        let (keeps, effect) =
            match text(body, "operationName").ok_or_else(|| Refused::missing("operationName"))? {
                "applyNonDelete" => (true, "protected"),
                "removeNonDelete" => {
                    self.mark(&rules::REMOVE_NON_DELETION);
                    (false, "unprotected")
                }
                other => {
                    return Err(Refused::invalid(
                        "operationName",
                        &format!("{other} is not known"),
                    ));
                }
            };
        let mut state = self.state();
        self.seen_mut(&mut state, id)?.non_delete = keeps;
        Ok(answer::done(200).effect(effect))
    }

    /// Deletes a recording, unless it is tagged for non-deletion.
    pub(super) fn delete(&self, contact_center: &str, id: &str) -> Result<Reply, Refused> {
        self.is_ours(contact_center)?;
        self.mark(&rules::DELETE);
        let mut state = self.state();
        if self.seen_by_id(&state, id)?.non_delete {
            self.mark(&rules::DELETE_KEPT);
            return Err(Refused::new(
                403,
                Code::Forbidden,
                "Insufficient recording permissions.",
            ));
        }
        state.recordings.remove(id);
        Ok(answer::done(200).effect("deleted"))
    }
}

/// Labels as they are answered.
pub(super) fn labels(held: &Recording) -> Value {
    held.labels
        .iter()
        .map(|name| json!({"name": name}))
        .collect()
}
