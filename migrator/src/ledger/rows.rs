//! What is read from a ledger and written to it.

use crate::custody;
use crate::step::Phase;

/// An interaction as extracted.
pub(crate) struct NewInteraction {
    pub(crate) legacy_id: String,
    /// The source's entity, byte for byte. JSON: what a source says in another form is a JSON
    /// string.
    pub(crate) entity: String,
    /// Headers of the page it came in, JSON.
    pub(crate) headers: String,
    /// Why the entity cannot be read, and where it stands. Absent: it can.
    pub(crate) unreadable: Option<String>,
    pub(crate) recordings: Vec<NewRecording>,
}

/// A recording as the query named it.
pub(crate) struct NewRecording {
    pub(crate) legacy_id: String,
}

/// An interaction's row with its recordings.
#[derive(Debug, Clone)]
pub(crate) struct InteractionRow {
    pub(crate) seq: i64,
    pub(crate) legacy_id: String,
    pub(crate) phase: Phase,
    pub(crate) entity: String,
    pub(crate) headers: String,
    pub(crate) target_id: Option<String>,
    /// Why all of it stays behind.
    pub(crate) reason: Option<String>,
    /// What was seen, for a person.
    pub(crate) detail: Option<String>,
    /// Since when it stays behind. RFC 3339, UTC.
    pub(crate) since: Option<String>,
    /// Agents and queues without a valid row, for which the plan's stand-in goes:
    /// `{"agents":[],"queue":null}`. Absent: none.
    pub(crate) stand_in: Option<String>,
    /// It is in the target and is to be sent again. Absent: it is not.
    pub(crate) redo: Option<Redo>,
    /// Why what is in the target could not be made as it should be. Absent: nothing is known to be
    /// wrong.
    pub(crate) unrepaired: Option<String>,
    /// Digest of what was sent, and of the rules its audio was made by: whether another plan would
    /// send it otherwise. Absent: not sent.
    pub(crate) document: Option<String>,
    pub(crate) audio_rules: Option<String>,
    /// The last error it was left with, and since when. Written by `Ledger::set_error` alone.
    pub(crate) error: Option<String>,
    pub(crate) error_since: Option<String>,
    /// What the target keeps of it in a form of its own, JSON. Absent: nothing.
    pub(crate) target_state: Option<String>,
    /// Grows each time somebody takes it: whoever holds an older number writes nothing. 0 in a
    /// store of one process.
    pub(crate) claim: i64,
    /// Whoever had it last may have written to the target what this row does not tell.
    pub(crate) in_doubt: bool,
    pub(crate) recordings: Vec<RecordingRow>,
}

/// From where a call that is in the target is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redo {
    /// From the source: everything is read again.
    Source,
    /// From staging: the audio is made by other rules.
    Audio,
    /// Only what is said of it.
    Document,
}

impl Redo {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Redo::Source => "source",
            Redo::Audio => "audio",
            Redo::Document => "document",
        }
    }

    /// An unknown name begins at the source, which is always right.
    pub(super) fn from_name(name: &str) -> Redo {
        [Redo::Audio, Redo::Document]
            .into_iter()
            .find(|redo| redo.as_str() == name)
            .unwrap_or(Redo::Source)
    }
}

/// A recording's row.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordingRow {
    pub(crate) seq: i64,
    pub(crate) legacy_id: String,
    /// The source's answer with its headers, as in the staging layout.
    pub(crate) answer: Option<String>,
    pub(crate) staged_sha256: Option<String>,
    pub(crate) staged_bytes: Option<u64>,
    pub(crate) read_twice: bool,
    pub(crate) out_sha256: Option<String>,
    pub(crate) out_bytes: Option<u64>,
    pub(crate) out_codec: Option<String>,
    pub(crate) out_samples: Option<u64>,
    pub(crate) out_rate: Option<u32>,
    /// The source's bytes go as they are.
    pub(crate) sent_unchanged: bool,
    /// Name of its file in the target; in a store of files the address of the one that was
    /// confirmed or stored first, so that it can be deleted once other bytes have taken its place.
    pub(crate) file_name: Option<String>,
    pub(crate) file_id: Option<String>,
    pub(crate) target_id: Option<String>,
    /// Absent: it goes or has gone.
    pub(crate) outcome: Option<Disposition>,
    pub(crate) reason: Option<String>,
    /// What was seen, for a person.
    pub(crate) detail: Option<String>,
    /// Since when it stays behind. RFC 3339, UTC.
    pub(crate) since: Option<String>,
    /// It stays behind for what the source answered, which may be another answer next time.
    pub(crate) doubt: bool,
    /// What the target keeps of it in a form of its own, JSON. Absent: nothing.
    pub(crate) target_state: Option<String>,
}

/// How a recording stays behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Something is wrong with it.
    Quarantined,
    /// By the plan's rule or by agreement.
    Skipped,
}

impl Disposition {
    /// Name in the ledger and in lists.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Disposition::Quarantined => "quarantined",
            Disposition::Skipped => "skipped",
        }
    }

    pub(super) fn from_name(name: &str) -> Disposition {
        if name == Disposition::Skipped.as_str() {
            Disposition::Skipped
        } else {
            Disposition::Quarantined
        }
    }
}

/// Which open interactions: those that met no error yet go first, so that a few bad ones at the
/// head never hold up the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    First,
    Retry,
    /// In the target, and to be sent again.
    Redo,
}

/// What a page brought.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// Interactions that were not known.
    pub(crate) new: u64,
    /// Those, by seq, that share their id with another one and are set aside.
    pub(crate) collided: Vec<i64>,
}

/// What goes into the ledger beside a row.
#[derive(Default)]
pub(crate) struct Change {
    /// Hash of the plan the row was made under.
    pub(crate) plan_hash: String,
    /// Repairs and gaps, counted once an interaction.
    pub(crate) warnings: Vec<&'static str>,
    pub(crate) custody: Vec<custody::Entry>,
}

/// What a worker asks for.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// Who asks: another name for each run on each machine.
    pub(crate) holder: String,
    pub(crate) pass: Pass,
    /// The last interaction, by seq, that it was given in this pass; 0: none.
    pub(crate) after: i64,
    pub(crate) most: u32,
    /// Unix milliseconds, by the holder's clock. A store that several machines share goes by its
    /// own clock, and takes from this only how long the lease is.
    pub(crate) now_ms: i64,
    /// When the lease ends unless it is renewed. Unix milliseconds.
    pub(crate) until_ms: i64,
}
