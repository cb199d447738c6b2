//! What can be wrong with a plan, told so that a person can mend it.

use std::path::{Path, PathBuf};

/// A plan, mapping or exclusions file that cannot be used. Every variant ends a command with exit
/// code 2 before the first request.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file is not there or cannot be opened.
    #[error("cannot read {}: {source}", .file.display())]
    Unreadable {
        /// The file as it was named.
        file: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A line that is wrong: syntax, type, unknown key, duplicate row.
    #[error("{} line {line}: {what}", .file.display())]
    Line {
        /// The file as it was named.
        file: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// A value that is well formed but makes no usable plan.
    #[error("{}: {what}", .file.display())]
    Value {
        /// The file as it was named.
        file: PathBuf,
        /// The key, what is wrong and what to do.
        what: String,
    },
    /// A secret that is not where the plan says.
    #[error("the secret for {what} is not available: {why}")]
    Secret {
        /// The key of the plan that names the secret.
        what: String,
        /// Where it was looked for. Never the value.
        why: String,
    },
}

impl PlanError {
    pub(crate) fn value(file: &Path, what: impl Into<String>) -> PlanError {
        PlanError::Value {
            file: file.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn line(file: &Path, line: u64, what: impl Into<String>) -> PlanError {
        PlanError::Line {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }

    /// A TOML error with its line, and the nearest known key where the key is unknown.
    pub(crate) fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> PlanError {
        let what =
            nearest_key(error.message()).unwrap_or_else(|| error.message().replace('\n', " "));
        PlanError::at(file, text, error.span().map_or(0, |span| span.start), what)
    }

    /// `at`: bytes from the start of the text.
    pub(crate) fn at(file: &Path, text: &str, at: usize, what: impl Into<String>) -> PlanError {
        let before = &text.as_bytes()[..at.min(text.len())];
        PlanError::line(
            file,
            before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1,
            what,
        )
    }
}

/// The name most like `unknown`, whatever the case of its letters.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    let alike = |name: &str| strsim::jaro_winkler(&unknown, &name.to_lowercase());
    known
        .iter()
        .copied()
        .max_by(|a, b| alike(a).total_cmp(&alike(b)))
}

/// Turns serde's "unknown field `x`, expected one of `a`, `b`" into a sentence with the nearest
/// key.
fn nearest_key(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, expected) = rest.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    Some(match nearest(unknown, &known) {
        Some(nearest) => format!("unknown key `{unknown}`; the nearest known key is `{nearest}`"),
        None => format!("unknown key `{unknown}`; no key is known here"),
    })
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_found_in_any_case() {
        let known = ["legacy_agent_id", "genesys_user_id", "genesys_user_name"];
        for (unknown, wanted) in [
            ("LEGACY_AGENT_ID", "legacy_agent_id"),
            ("Genesys_User_Nam", "genesys_user_name"),
            ("GENESYSUSERID", "genesys_user_id"),
            ("legacy_agent", "legacy_agent_id"),
        ] {
            assert_eq!(nearest(unknown, &known), Some(wanted), "{unknown}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
