//! Records of a verification: what the source says of each, and how far each was judged.

use super::records::{Records, facts_of_call, facts_of_recording};
use crate::columns::CallColumns;
use crate::run_error::RunError;
use crate::target::Expectations;

impl Records {
    /// All calls of the source, in its order; it is read again for them.
    ///
    /// # Errors
    ///
    /// It cannot be.
    pub(crate) fn of(
        expectations: &Expectations<'_>,
        columns: &CallColumns,
    ) -> Result<Records, RunError> {
        let site = expectations.deriving.rules.site_zone.as_ref();
        let mut records = Records::default();
        for (case, source) in expectations.interactions.iter().enumerate() {
            let source = source?;
            let expected = expectations.unheard(&source);
            let of = expected.recordings.len();
            let rows: Vec<_> = expected
                .recordings
                .iter()
                .enumerate()
                .map(|(at, recording)| {
                    let own = source
                        .recordings
                        .iter()
                        .find(|own| own.id == recording.legacy_id);
                    let details = own.and_then(|own| own.details.as_ref().ok());
                    (
                        String::from(&recording.legacy_id),
                        facts_of_recording(details, recording, (at, of)),
                        columns.judgement_of(case, at),
                    )
                })
                .collect();
            let call = (
                facts_of_call(&source, &expected, site),
                columns.judgement(case),
            );
            records.add(&expected.legacy_id, call, rows);
        }
        Ok(records.ready())
    }
}
