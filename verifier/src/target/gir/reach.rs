//! Whether a store answers at all, where another was handed over: nobody who brings exports has
//! every account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use platforms::CallError;

use super::requests::need;
use crate::run_error::RunError;

/// Whether a store that is read live may be out of reach, and whether it is.
#[derive(Clone)]
pub(super) struct Reach {
    /// Out of reach is no reason to stop.
    may_be_lost: bool,
    lost: Arc<AtomicBool>,
    /// What would be needed then.
    need: &'static str,
}

impl Reach {
    pub(super) fn new(may_be_lost: bool, need: &'static str) -> Reach {
        Reach {
            may_be_lost,
            lost: Arc::default(),
            need,
        }
    }

    /// Nobody answered, or our account was refused: it is not tried again.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn need(&self) -> &str {
        self.need
    }

    /// As a report names how it was read.
    pub(super) fn word(&self) -> &'static str {
        if self.is_lost() { "none" } else { "live" }
    }

    /// What it takes to read what this operation tells; a store that must answer and does not ends
    /// the verification.
    pub(super) fn need_of(
        &self,
        operation: &str,
        step: &str,
        error: &CallError,
    ) -> Result<String, RunError> {
        match need(operation, error) {
            Some(need) => Ok(need),
            None if self.may_be_lost => {
                self.lost.store(true, Ordering::Relaxed);
                Ok(self.need.to_owned())
            }
            None => Err(RunError::target(step, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_out_of_reach_ends_the_verification_unless_others_were_handed_over() {
        let away = CallError::Unreachable {
            what: String::new(),
            why: "refused".into(),
            tries: 8,
            answered: None,
        };
        let strict = Reach::new(false, "an export");
        assert!(strict.need_of("webdav.list", "list", &away).is_err() && !strict.is_lost());
        let lenient = Reach::new(true, "an export");
        assert_eq!(
            lenient
                .need_of("webdav.list", "list", &away)
                .ok()
                .as_deref(),
            Some("an export")
        );
        assert_eq!((lenient.is_lost(), lenient.word()), (true, "none"));
    }
}
