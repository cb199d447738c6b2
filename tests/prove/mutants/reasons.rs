//! Why no verifier could find some mutants. A missed mutant without a reason fails the proof.

/// A missed mutant, known by its text.
pub(super) struct Reason {
    pub(super) file: &'static str,
    /// What stands there, as the page shows it.
    pub(super) what: &'static str,
    pub(super) instead: &'static str,
    /// Of several places with the same text, counted from 1; 0 means each.
    pub(super) occurrence: u32,
    pub(super) why: &'static str,
}

pub(super) const REASONS: &[Reason] = &[];
