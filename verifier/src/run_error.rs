//! Why a verification could not be made at all.

use plan::PlanError;
use platforms::CallError;

/// A verification that came to no verdict. Cut by who has to act next; `Display` is the one
/// sentence to print.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source, or its staged copy, is unreachable or refuses us.
    #[error("{0}")]
    Source(String),
    /// The target is unreachable or refuses us.
    #[error("{0}")]
    Target(String),
    /// The plan cannot be verified with.
    #[error("{0}")]
    Plan(String),
    /// Somebody asked to stop.
    #[error(
        "verification was interrupted; nothing was changed, and the same command goes on where it \
         was"
    )]
    Interrupted,
    /// The report could not be written.
    #[error("{0}")]
    Report(String),
    /// A rule of the verifier itself is broken: our bug.
    #[error("internal error: {0}; please report it with the scenario or plan")]
    Internal(String),
}

impl RunError {
    /// The process exit code. Source: docs/reference/exit-codes.md.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            RunError::Source(_) => 12,
            RunError::Target(_) => 13,
            RunError::Plan(_) => 2,
            RunError::Interrupted | RunError::Report(_) => 11,
            RunError::Internal(_) => 1,
        }
    }

    pub(crate) fn source(step: &str, error: &CallError) -> RunError {
        if let CallError::ClockDiffers { .. } = error {
            return RunError::Plan(format!("the source: {error}"));
        }
        RunError::Source(format!(
            "cannot {step} of the source: {error}; check source.base_url, its credentials and \
             scopes, then verify again"
        ))
    }

    pub(crate) fn target(step: &str, error: &CallError) -> RunError {
        if let CallError::ClockDiffers { .. } = error {
            return RunError::Plan(format!("the target: {error}"));
        }
        RunError::Target(format!(
            "cannot {step} of the target: {error}; check its address, credentials and permissions \
             in the plan's [target], then verify again"
        ))
    }
}

impl From<PlanError> for RunError {
    fn from(error: PlanError) -> RunError {
        RunError::Plan(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ending_has_its_documented_exit_code() {
        let codes = [
            (RunError::Source(String::new()), 12),
            (RunError::Target(String::new()), 13),
            (RunError::Plan(String::new()), 2),
            (RunError::Interrupted, 11),
            (RunError::Report(String::new()), 11),
            (RunError::Internal(String::new()), 1),
        ];
        for (stop, code) in codes {
            assert_eq!(stop.exit_code(), code, "{stop:?}");
        }
    }
}
