//! What to do next with an interaction: decided from the ledger's state alone.

/// How far an interaction has come. Each phase is written before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The source's entity is in the ledger.
    Extracted,
    /// Raw JSON and audio are in staging.
    Staged,
    /// Every recording that goes is in a form the target plays.
    Converted,
    /// Every file is in the target.
    Uploaded,
    /// The interaction with its links and its retention is in the target, as far as anybody told
    /// us.
    Created,
    /// Read back and found as it should be.
    Done,
    /// Stays behind, for a reason.
    SetAside,
}

impl Phase {
    const ALL: [Phase; 7] = [
        Phase::Extracted,
        Phase::Staged,
        Phase::Converted,
        Phase::Uploaded,
        Phase::Created,
        Phase::Done,
        Phase::SetAside,
    ];

    /// Name in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Extracted => "extracted",
            Phase::Staged => "staged",
            Phase::Converted => "converted",
            Phase::Uploaded => "uploaded",
            Phase::Created => "created",
            Phase::Done => "done",
            Phase::SetAside => "set_aside",
        }
    }

    /// The phase of that name; an unknown name starts over, which is safe because every step may be
    /// repeated.
    #[must_use]
    pub fn from_name(name: &str) -> Phase {
        Phase::ALL
            .into_iter()
            .find(|phase| phase.as_str() == name)
            .unwrap_or(Phase::Extracted)
    }
}

/// What the decision needs to know of an interaction.
#[derive(Debug, Clone, Copy)]
pub struct InteractionState {
    /// How far it has come.
    pub phase: Phase,
    /// Nothing may be sent to the target.
    pub dry_run: bool,
}

/// One step, safe to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Fetch recordings' answers and bytes into staging.
    Stage,
    /// Normalise, resolve, probe and transcode; quarantine or skip what stays behind.
    Convert,
    /// Send the files.
    Upload,
    /// Create the interaction, linked and retained.
    Ingest,
    /// Read it back; put right what differs.
    Confirm,
    /// Nothing: it is finished, or may not go further in this run.
    Rest,
}

/// The next step.
#[must_use]
pub fn next_step(state: &InteractionState) -> Step {
    match state.phase {
        Phase::Extracted => Step::Stage,
        Phase::Staged => Step::Convert,
        Phase::Converted if state.dry_run => Step::Rest,
        Phase::Converted => Step::Upload,
        Phase::Uploaded if state.dry_run => Step::Rest,
        Phase::Uploaded => Step::Ingest,
        Phase::Created => Step::Confirm,
        Phase::Done | Phase::SetAside => Step::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_leads_to_rest_and_a_dry_run_never_reaches_the_target() {
        let after = |step| match step {
            Step::Stage => Phase::Staged,
            Step::Convert => Phase::Converted,
            Step::Upload => Phase::Uploaded,
            Step::Ingest => Phase::Created,
            Step::Confirm => Phase::Done,
            Step::Rest => unreachable!("rest ends the walk"),
        };
        for phase in Phase::ALL {
            for dry_run in [false, true] {
                let mut state = InteractionState { phase, dry_run };
                let mut steps = Vec::new();
                while let step = next_step(&state)
                    && step != Step::Rest
                {
                    steps.push(step);
                    state.phase = after(step);
                    assert!(
                        steps.len() < 6,
                        "{phase:?} does not come to rest: {steps:?}"
                    );
                }
                if dry_run {
                    assert!(
                        !steps.contains(&Step::Upload) && !steps.contains(&Step::Ingest),
                        "{phase:?}: {steps:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn phases_survive_their_names() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_name(phase.as_str()), phase);
        }
        assert_eq!(Phase::from_name("something else"), Phase::Extracted);
    }
}
