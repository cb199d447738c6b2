//! One difference, as written to `findings.jsonl`. Source: docs/reference/reports.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defect::{Defect, Severity};

/// How sure the rule is that a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The source, the plan, its tables or a vendor's page say what must stand there.
    #[default]
    Documented,
    /// It rests on something that nobody states: a threshold of the verifier's, or how a platform
    /// behaves.
    Assumed,
}

impl Grade {
    /// As people read it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Grade::Documented => "documented",
            Grade::Assumed => "assumed",
        }
    }
}

/// One cause, one finding: what follows from it stands in `consequences`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Class of damage.
    pub defect: Defect,
    /// The class in plain words.
    pub title: String,
    /// How bad the class is.
    pub severity: Severity,
    /// Interaction of the source. Absent: the record has no source.
    pub legacy_interaction_id: Option<String>,
    /// Recording of the source. Absent: the whole interaction is meant, or there is no source.
    pub legacy_recording_id: Option<String>,
    /// Conversation or recording in the target. Absent: there is none.
    pub target_id: Option<String>,
    /// What differs, in the target's words.
    pub field: String,
    /// What should stand there. Absent: nothing should.
    pub expected: Option<String>,
    /// What stands there. Absent: nothing does.
    pub actual: Option<String>,
    /// What follows from this and is not reported again.
    pub consequences: Vec<String>,
    /// Further calls of the source that it is about: it is seen, and put right, with them only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with_calls: Vec<String>,
    // What follows is written once all findings are summed up: it depends on the target.
    /// What it costs who uses the target.
    #[serde(default)]
    pub impact: String,
    /// What to do.
    pub advice: String,
    /// The rule it rests on: a page, and the assumption about the platform where there is one.
    #[serde(default)]
    pub source: String,
    /// How sure that rule is.
    #[serde(default)]
    pub grade: Grade,
    /// The command or request that shows it again; `PLAN` and `REPORT` stand for the plan and the
    /// report's folder.
    #[serde(default)]
    pub show: String,
    /// What findings of one origin have in common; the key of a group. Not written.
    #[serde(skip)]
    #[schemars(skip)]
    pub cause: String,
    /// Further recordings of the source that this one cause concerns. Not written: the consequences
    /// name them.
    #[serde(skip)]
    #[schemars(skip)]
    pub involved: Vec<String>,
}

impl Finding {
    /// A finding of this class about this field; everything else is added with the methods below.
    #[must_use]
    pub fn new(defect: Defect, field: impl Into<String>) -> Finding {
        let field = field.into();
        Finding {
            defect,
            title: defect.title().to_owned(),
            severity: defect.severity(),
            legacy_interaction_id: None,
            legacy_recording_id: None,
            target_id: None,
            cause: field.clone(),
            field,
            expected: None,
            actual: None,
            consequences: Vec::new(),
            involved: Vec::new(),
            with_calls: Vec::new(),
            impact: String::new(),
            advice: String::new(),
            source: String::new(),
            grade: Grade::default(),
            show: String::new(),
        }
    }

    pub(crate) fn of(mut self, interaction: &str) -> Finding {
        self.legacy_interaction_id = Some(interaction.to_owned());
        self
    }

    pub(crate) fn recording(mut self, recording: &str) -> Finding {
        self.legacy_recording_id = Some(recording.to_owned());
        self
    }

    pub(crate) fn target(mut self, id: &str) -> Finding {
        self.target_id = Some(id.to_owned());
        self
    }

    pub(crate) fn expected(mut self, value: impl ToString) -> Finding {
        self.expected = Some(value.to_string());
        self
    }

    pub(crate) fn actual(mut self, value: impl ToString) -> Finding {
        self.actual = Some(value.to_string());
        self
    }

    pub(crate) fn maybe_expected(mut self, value: Option<impl ToString>) -> Finding {
        self.expected = value.map(|value| value.to_string());
        self
    }

    pub(crate) fn maybe_actual(mut self, value: Option<impl ToString>) -> Finding {
        self.actual = value.map(|value| value.to_string());
        self
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Finding {
        self.cause = cause.into();
        self
    }

    pub(crate) fn consequence(mut self, what: impl Into<String>) -> Finding {
        self.consequences.push(what.into());
        self
    }

    /// Names another call that has to be read for it.
    pub(crate) fn with_call(mut self, call: &str) -> Finding {
        self.with_calls.push(call.to_owned());
        self
    }

    pub(crate) fn involves(mut self, recording: &str) -> Finding {
        self.involved.push(recording.to_owned());
        self
    }

    /// Takes another finding up as something that follows from this one.
    pub(crate) fn follows(&mut self, other: Finding) {
        self.consequences.push(other.as_consequence());
        self.consequences.extend(other.consequences);
        self.involved.extend(other.involved);
    }

    /// `title: field of recording`.
    pub(crate) fn as_consequence(&self) -> String {
        match &self.legacy_recording_id {
            Some(id) => format!("{}: {} of {id}", self.title, self.field),
            None => format!("{}: {}", self.title, self.field),
        }
    }
}

impl Finding {
    /// The same finding under another class, once more is known.
    pub(crate) fn reclassed(mut self, defect: Defect) -> Finding {
        self.defect = defect;
        self.title = defect.title().to_owned();
        self.severity = defect.severity();
        self
    }
}
