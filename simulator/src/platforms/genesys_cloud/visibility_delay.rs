//! What a platform does later than it says, where a fault says so: what is new is not shown yet,
//! and jobs take longer.

use super::GenesysCloud;
use super::conversation::{Conversation, Recording};
use super::errors::ApiError;
use super::read::find_recording;
use crate::faults::table::FaultKind;
use crate::operations::{self, Operation};

impl GenesysCloud {
    /// From when on something new is shown, Unix ms; 0: at once.
    pub(super) fn shown_from_ms(&self, operation: &'static Operation, key: &str) -> i64 {
        match self
            .core
            .faults
            .late_ms(operation, key, FaultKind::LateVisibility)
        {
            0 => 0,
            late_ms => self.now_ms().saturating_add_unsigned(late_ms),
        }
    }

    /// A conversation that is new with all its recordings.
    pub(super) fn hide_new(&self, held: &mut Conversation) {
        let key = held
            .external_tag
            .clone()
            .unwrap_or_else(|| held.id.to_string());
        held.shown_from_ms = self.shown_from_ms(&operations::GENESYS_CLOUD_SHOW_CONVERSATION, &key);
        for recording in &mut held.recordings {
            recording.shown_from_ms = self.shown_from_ms(
                &operations::GENESYS_CLOUD_SHOW_RECORDING,
                &recording.id.to_string(),
            );
        }
    }

    /// Whether reads show it by now.
    pub(super) fn is_shown_by_now(&self, shown_from_ms: i64) -> bool {
        shown_from_ms <= self.now_ms()
    }

    /// A recording of a conversation by the id in an address, once it is shown.
    pub(super) fn find_shown_recording<'a>(
        &self,
        held: &'a Conversation,
        id: &str,
    ) -> Result<&'a Recording, ApiError> {
        let one = find_recording(held, id)?;
        if self.is_shown_by_now(one.shown_from_ms) {
            Ok(one)
        } else {
            Err(ApiError::not_found())
        }
    }

    /// When a job is through that takes so long by itself, Unix ms.
    pub(super) fn job_done_ms(&self, operation: &'static Operation, takes_ms: u64) -> i64 {
        let late_ms = self
            .core
            .faults
            .late_ms(operation, "-", FaultKind::JobStuck);
        self.now_ms()
            .saturating_add_unsigned(takes_ms)
            .saturating_add_unsigned(late_ms)
    }
}
