//! What every step of a run works with, and what one run knows of a call beside its row in the
//! ledger.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use plan::LoadedPlan;
use platforms::clock::Clock;

use crate::custody;
use crate::error::StepError;
use crate::holds::HoldGate;
use crate::ledger::{Change, InteractionRow, Ledger, RecordingRow};
use crate::phone::PhoneRule;
use crate::prepare::{Prepared, prepare};
use crate::resolve::Resolver;
use crate::staging::Staging;
use crate::step::Phase;

/// What all calls of a run share, whatever source and target are.
pub(crate) struct RunContext {
    pub(crate) plan: Arc<LoadedPlan>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) staging: Staging,
    pub(crate) clock: Clock,
    pub(crate) resolver: Resolver,
    pub(crate) phones: PhoneRule,
    pub(crate) dry_run: bool,
    /// Another form of a call in the target may be deleted to insert the right one.
    pub(crate) replace: bool,
    /// The last interaction, by seq, that was extracted when a run was killed or met errors; 0:
    /// none was. Up to it the target may hold more than the ledger knows.
    pub(crate) unconfirmed_up_to: i64,
    /// Interactions, by seq, that a later page showed to share their id: whoever works on one
    /// leaves it.
    pub(crate) collided: Mutex<HashSet<i64>>,
    /// Which calls under legal hold go.
    pub(crate) holds: HoldGate,
}

/// One run's work on a call: nothing of it is stored, and a resumed run begins with an empty one.
#[derive(Default)]
pub(crate) struct Attempt {
    /// Fetched anew in this run, because staging had lost it.
    pub(crate) restaged: bool,
    /// How often it was looked for in the target.
    pub(crate) polls: u32,
    /// How often the upload of a recording, by seq, was begun anew.
    pub(crate) uploads: HashMap<i64, u32>,
    /// The staged bytes of recordings, by seq, or those they were converted to, as far as they are
    /// few. Staging has them too.
    pub(crate) cached_bytes: HashMap<i64, Bytes>,
    /// Its recordings as they are in the target, while a redo has not sent anything.
    pub(crate) before: Option<Vec<RecordingRow>>,
    /// Custody of a redo until it is certain that anything is sent.
    pub(crate) custody: Vec<custody::Entry>,
}

impl Attempt {
    /// Keeps the bytes of a recording at hand, or none.
    pub(crate) fn cache(&mut self, seq: i64, bytes: Option<Bytes>) {
        match bytes {
            Some(bytes) => _ = self.cached_bytes.insert(seq, bytes),
            None => _ = self.cached_bytes.remove(&seq),
        }
    }
}

impl RunContext {
    /// Whether the target may hold more of a call than its row tells.
    pub(crate) fn is_unconfirmed(&self, row: &InteractionRow) -> bool {
        row.in_doubt || row.seq <= self.unconfirmed_up_to
    }

    /// Canonical record and target ids of a call.
    pub(crate) fn prepare(&self, row: &InteractionRow) -> Result<Prepared, StepError> {
        prepare(&self.plan, &self.resolver, &self.phones, row)
    }

    /// Writes a row's new phase. A redo that has sent nothing yet keeps its custody to itself: the
    /// ledger says what is in the target.
    pub(crate) async fn save(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
        mut custody: Vec<custody::Entry>,
        warnings: Vec<&'static str>,
    ) -> Result<(), StepError> {
        if row.redo.is_some() && row.phase < Phase::Converted {
            attempt.custody.append(&mut custody);
        } else {
            custody.splice(0..0, std::mem::take(&mut attempt.custody));
            let change = Change {
                plan_hash: self.plan.hash.clone(),
                warnings,
                custody,
            };
            self.ledger.save(row, change).await?;
        }
        let collided = self.collided.lock().contains(&row.seq);
        if collided {
            Err(StepError::Superseded)
        } else {
            Ok(())
        }
    }
}
