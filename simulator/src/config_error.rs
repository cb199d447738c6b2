//! What is wrong with a scenario or an imported world, in words that name file, line and key.

use std::path::{Path, PathBuf};

/// Why a scenario or an imported world cannot be used. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("could not read {}: {source}; check the path", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line says something that cannot be used.
    #[error("{}:{line}: {reason}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong and what would be right.
        reason: String,
    },
}

impl ConfigError {
    pub(crate) fn at(path: &Path, line: u64, reason: impl Into<String>) -> ConfigError {
        ConfigError::Invalid {
            path: path.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

/// Turns serde's "unknown field `x`, expected one of `a`, `b`" into a sentence with the nearest
/// name.
pub(crate) fn in_words(message: &str) -> String {
    let plain = || message.replace('\n', " ").trim().to_owned();
    for (opening, noun) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        let Some((unknown, known)) = message
            .strip_prefix(opening)
            .and_then(|rest| rest.split_once('`'))
        else {
            continue;
        };
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return match nearest(unknown, &known) {
            Some(nearest) => {
                format!("unknown {noun} `{unknown}`; the nearest known {noun} is `{nearest}`")
            }
            None => format!("unknown {noun} `{unknown}`"),
        };
    }
    plain()
}

/// The name most like `unknown`, whatever the case of its letters. `None` where nothing is known.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    let alike = |name: &str| strsim::jaro_winkler(&unknown, &name.to_lowercase());
    known
        .iter()
        .copied()
        .max_by(|a, b| alike(a).total_cmp(&alike(b)))
}
