//! Workers that take each interaction as far as it goes, and the queue that hands them out in
//! order.

pub(crate) mod holds;
mod steps;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::{Mutex, MutexGuard};
use platforms::{CallError, Pages};
use tokio::sync::{Semaphore, watch};

use crate::context::{Attempt, RunContext};
use crate::error::{RunError, StepError};
use crate::extract::next_page;
use crate::ledger::{Claim, InteractionRow, LedgerError, Pass};
use crate::options::{Options, Progress};
use crate::source::Source;
use crate::target::Target;

/// One run.
pub(crate) struct Run {
    pub(crate) context: RunContext,
    pub(crate) source: Box<dyn Source>,
    pub(crate) target: Box<dyn Target>,
    /// Calls that were sent again in this run.
    pub(crate) redone: AtomicU64,
    /// Decoding and encoding use a core each; more at once would only take turns.
    pub(crate) cores: Semaphore,
    /// Pages of the source that this run has read.
    pub(crate) pages: tokio::sync::Mutex<Pages>,
    /// Recordings this run has quarantined.
    pub(crate) quarantined: AtomicU64,
}

/// One pass: over everything that is open, or over these interactions only.
pub(crate) async fn process(
    run: &Run,
    options: &Options,
    only: Option<Vec<InteractionRow>>,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let workers = run.workers(options);
    let ledger = &run.context.ledger;
    let pool = WorkerPool::new(run, options, workers, only).await?;
    // A store of several runs keeps that of each call.
    let keeps_doubt = ledger.runs().name().is_some();
    if !run.context.dry_run && !keeps_doubt {
        run.context
            .ledger
            .set_meta(vec![(RUN_IN_PROGRESS, "yes".to_owned())])
            .await?;
    }
    pool.work(run, workers, progress).await;
    let written = run.context.ledger.flush().await;
    let stop = pool.stopped();
    // Who met an error may have written what no row tells.
    let is_sure = pool.errors.load(Ordering::Relaxed) == 0
        && matches!(stop, None | Some(RunError::Interrupted));
    let released = ledger.release(&pool.holder, is_sure).await;
    let noted = match written {
        Ok(()) if is_sure && !run.context.dry_run && !keeps_doubt => nothing_in_doubt(run).await,
        other => other,
    };
    if let Some(stop) = stop {
        return Err(stop);
    }
    noted.and(released)?;
    Ok(())
}

/// Where the ledger says that a run is writing to the target, or left it in doubt what is there;
/// empty: neither.
pub(crate) const RUN_IN_PROGRESS: &str = "at_work";

/// All that this run wrote is in the ledger. What an earlier one left stays to be looked for until
/// all is done.
async fn nothing_in_doubt(run: &Run) -> Result<(), LedgerError> {
    if run.context.unconfirmed_up_to == 0 || run.context.ledger.tally().await?.is_finished() {
        run.context
            .ledger
            .set_meta(vec![(RUN_IN_PROGRESS, String::new())])
            .await?;
    }
    Ok(())
}

impl Run {
    pub(crate) fn workers(&self, options: &Options) -> usize {
        options
            .workers
            .unwrap_or(self.context.plan.plan.pace.workers)
            .max(1)
    }

    /// Notes why an interaction was left, with a hop of custody for each of its recordings that
    /// should have gone.
    async fn left(&self, seq: i64, claim: i64, sentence: String) -> Result<(), LedgerError> {
        let custody = match self.context.ledger.these(vec![seq]).await?.first() {
            Some(row) => self.hops_left(row, &sentence),
            None => Vec::new(),
        };
        self.context
            .ledger
            .set_error(
                seq,
                claim,
                sentence,
                crate::custody::at(self.context.clock.now()),
                custody,
            )
            .await
    }

    /// Reads one more page of the source into the ledger; `None` when there is none. Answers how
    /// many interactions are new: none while another run lists the source.
    pub(crate) async fn extract_page(&self) -> Result<Option<u64>, RunError> {
        let runs = self.context.ledger.runs();
        if !runs.may_list().await? {
            self.context.clock.sleep(WHILE_ANOTHER_LISTS).await;
            return Ok(Some(0));
        }
        let added = next_page(
            &*self.source,
            &*self.context.ledger,
            &self.context.plan,
            &mut *self.pages.lock().await,
        )
        .await;
        let listed = runs.listed().await;
        let added = added?;
        listed?;
        Ok(added.map(|added| {
            self.context.collided.lock().extend(added.collided);
            added.new
        }))
    }
}

/// A call that is worked on.
struct Work {
    row: InteractionRow,
    attempt: Attempt,
}

/// What the workers of one run share.
struct WorkerPool {
    /// Under which name it claims interactions in the ledger.
    holder: String,
    queue: tokio::sync::Mutex<WorkQueue>,
    stop: Mutex<Option<RunError>>,
    interrupt: Option<watch::Receiver<bool>>,
    errors: AtomicU64,
    errors_max: u64,
    /// Seqs that met an error in this run, so that the second pass leaves them to the next run.
    failed: Mutex<HashSet<i64>>,
    /// Unreachable in a row, over all workers: as many as there are workers is a platform that is
    /// gone.
    unreachable: AtomicU64,
    unreachable_max: u64,
    known: AtomicU64,
    through: AtomicU64,
    /// Calls whose recordings the target is still taking in, each with the time of its next look,
    /// Unix ms.
    put_off: Mutex<Vec<(i64, Work)>>,
}

/// What comes next.
enum Fresh {
    /// An interaction nobody has worked on in this run.
    Row(Box<InteractionRow>),
    /// Other runs have the rest; whether they have lost any of it is looked at then. Unix ms.
    Later(i64),
    /// Nothing more.
    None,
}

/// Hands out open interactions in extraction order, reading further pages as the ledger runs dry.
struct WorkQueue {
    buffer: VecDeque<InteractionRow>,
    after: i64,
    pass: Pass,
    left: u64,
    /// The buffer is all there is: a canary.
    only: bool,
    /// Rows read from the ledger at once.
    most: u32,
    /// Nobody looks for more before this: other runs have the rest. Unix ms.
    look_again_ms: i64,
    /// Source and ledger have nothing more.
    is_dry: bool,
}

/// A lease on interactions: longer than any call takes before the next ones are claimed, which
/// renews it; so long the calls of a machine that is lost wait for another one.
const LEASE_MS: i64 = 3_600_000;
/// Rows read from the ledger at once: enough that workers seldom wait for it, few enough to hold.
const BUFFER: u32 = 256;
/// Between two looks whether another run has listed a page of the source.
const WHILE_ANOTHER_LISTS: Duration = Duration::from_millis(200);
/// While nothing is to do but wait, an interrupt is seen this soon. Milliseconds.
const LONGEST_NAP_MS: i64 = 500;

/// Between two looks at a call the target is still taking in: from two seconds to ten.
fn pause_ms(polls: u32) -> i64 {
    (1000_i64 << polls.min(4)).min(10_000)
}

impl WorkerPool {
    async fn new(
        run: &Run,
        options: &Options,
        workers: usize,
        only: Option<Vec<InteractionRow>>,
    ) -> Result<WorkerPool, RunError> {
        let ledger = &run.context.ledger;
        let tally = ledger.tally().await?;
        let made_up = || format!("{}-{}", std::process::id(), run.context.clock.now_ms());
        let holder = ledger.runs().name().unwrap_or_else(made_up);
        let buffer = match &only {
            Some(rows) => {
                let seqs = rows.iter().map(|row| row.seq).collect();
                ledger.claim_these(seqs, &holder).await?
            }
            None => Vec::new(),
        };
        Ok(WorkerPool {
            holder,
            queue: tokio::sync::Mutex::new(WorkQueue {
                only: only.is_some(),
                buffer: buffer.into(),
                look_again_ms: i64::MIN,
                most: match ledger.runs().name() {
                    // What one run holds, another one cannot work on.
                    Some(_) => u32::try_from(2 * workers).unwrap_or(BUFFER).min(BUFFER),
                    None => BUFFER,
                },
                after: 0,
                pass: Pass::First,
                left: options.limit.unwrap_or(u64::MAX),
                is_dry: false,
            }),
            stop: Mutex::new(None),
            interrupt: options.interrupt.clone(),
            errors: AtomicU64::new(0),
            errors_max: options.errors_max,
            failed: Mutex::default(),
            unreachable: AtomicU64::new(0),
            unreachable_max: (workers as u64).max(16),
            known: AtomicU64::new(tally.interactions),
            through: AtomicU64::new(tally.interactions_done + tally.interactions_set_aside),
            put_off: Mutex::default(),
        })
    }

    async fn work(&self, run: &Run, workers: usize, progress: &dyn Progress) {
        let worker = || async {
            while let Some(work) = self.next(run).await {
                let (seq, claim) = (work.row.seq, work.row.claim);
                let legacy_id = work.row.legacy_id.clone();
                match run.advance(work).await {
                    Ok(None) => self.unreachable.store(0, Ordering::Relaxed),
                    Ok(Some(later)) => {
                        self.unreachable.store(0, Ordering::Relaxed);
                        let due_ms = run.context.clock.now_ms() + pause_ms(later.attempt.polls);
                        self.put_off().push((due_ms, later));
                        continue;
                    }
                    Err(trouble) => self.note(run, (seq, claim), &legacy_id, trouble).await,
                }
                let through = self.through.fetch_add(1, Ordering::Relaxed) + 1;
                progress.quarantined(run.quarantined.load(Ordering::Relaxed));
                progress.update(self.known.load(Ordering::Relaxed), through);
            }
        };
        // Not join_all: it asks every worker whenever one may go on.
        let workers: FuturesUnordered<_> = (0..workers).map(|_| worker()).collect();
        workers.collect::<()>().await;
    }

    /// The next interaction to work on; `None` when there is none or the run is to end.
    async fn next(&self, run: &Run) -> Option<Work> {
        loop {
            if self
                .interrupt
                .as_ref()
                .is_some_and(|interrupt| *interrupt.borrow())
            {
                self.end(RunError::Interrupted);
            }
            if self.has_ended() {
                return None;
            }
            if let Some(work) = self.due(run.context.clock.now_ms()) {
                return Some(work);
            }
            match self.fresh(run).await {
                Ok(Fresh::Row(row)) => {
                    return Some(Work {
                        row: *row,
                        attempt: Attempt::default(),
                    });
                }
                Ok(rest) => {
                    // Whoever puts a call off looks at it again: who finds none may go, unless
                    // what other runs have in hand may still come to this one.
                    let put_off = self.put_off().iter().map(|(due_ms, _)| *due_ms).min();
                    let due_ms = match rest {
                        Fresh::Later(at_ms) => put_off.map_or(at_ms, |due_ms| due_ms.min(at_ms)),
                        Fresh::Row(_) | Fresh::None => put_off?,
                    };
                    let wait_ms = (due_ms - run.context.clock.now_ms()).clamp(1, LONGEST_NAP_MS);
                    run.context
                        .clock
                        .sleep(Duration::from_millis(wait_ms.unsigned_abs()))
                        .await;
                }
                Err(stop) => self.end(stop),
            }
        }
    }

    /// A call that was put off and is to be looked at.
    fn due(&self, now_ms: i64) -> Option<Work> {
        let mut put_off = self.put_off();
        let at = put_off.iter().position(|(due_ms, _)| *due_ms <= now_ms)?;
        Some(put_off.swap_remove(at).1)
    }

    fn put_off(&self) -> MutexGuard<'_, Vec<(i64, Work)>> {
        self.put_off.lock()
    }

    /// The next one nobody has worked on in this run.
    async fn fresh(&self, run: &Run) -> Result<Fresh, RunError> {
        let mut queue = self.queue.lock().await;
        // Another worker may have met what ends the run while this one waited for the queue.
        while queue.left > 0 && !queue.is_dry && !self.has_ended() {
            if let Some(row) = queue.buffer.pop_front() {
                queue.left -= 1;
                return Ok(Fresh::Row(Box::new(row)));
            }
            let now_ms = run.context.clock.now_ms();
            if queue.look_again_ms > now_ms {
                return Ok(Fresh::Later(queue.look_again_ms));
            }
            if self.refill(run, &mut queue).await? {
                continue;
            }
            if queue.only || !run.context.ledger.runs().others_have_work().await? {
                queue.is_dry = true;
            } else {
                (queue.pass, queue.after) = (Pass::First, 0);
                queue.look_again_ms = now_ms + LONGEST_NAP_MS;
            }
        }
        Ok(Fresh::None)
    }

    /// Fills the buffer; `false` when source and ledger have nothing more.
    async fn refill(&self, run: &Run, queue: &mut WorkQueue) -> Result<bool, RunError> {
        if queue.only {
            return Ok(false);
        }
        let most = u32::try_from(queue.left.min(u64::from(queue.most))).unwrap_or(queue.most);
        let now_ms = run.context.clock.now_ms();
        let runs = run.context.ledger.runs();
        let lease_ms = runs.lease_ms().unwrap_or(LEASE_MS);
        let claim = Claim {
            holder: self.holder.clone(),
            pass: queue.pass,
            after: queue.after,
            most,
            now_ms,
            until_ms: now_ms + lease_ms,
        };
        let rows = run.context.ledger.claim(claim).await?;
        if let Some(last) = rows.last() {
            queue.after = last.seq;
            // Another run may have listed more calls than this one has counted.
            if runs.name().is_some() {
                holds::require(run, self.interrupt.as_ref()).await?;
            }
            let failed = self.failed.lock();
            queue
                .buffer
                .extend(rows.into_iter().filter(|row| !failed.contains(&row.seq)));
            return Ok(true);
        }
        if let Some(new) = run.extract_page().await? {
            self.known.fetch_add(new, Ordering::Relaxed);
            holds::require(run, self.interrupt.as_ref()).await?;
            return Ok(true);
        }
        // Everything is extracted and handed out: now those an earlier run left with an error, and
        // then those in the target that are sent again.
        let next = match queue.pass {
            Pass::First => Pass::Retry,
            Pass::Retry if !run.context.dry_run => Pass::Redo,
            Pass::Retry | Pass::Redo => return Ok(false),
        };
        (queue.pass, queue.after) = (next, 0);
        Ok(true)
    }

    async fn note(&self, run: &Run, (seq, claim): (i64, i64), legacy_id: &str, trouble: StepError) {
        let stop = match trouble {
            // Whatever ended the run first: what this one was about is in doubt.
            StepError::Run(stop) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                return self.end(stop);
            }
            // Dealt with where the work is done; none of them leaves an interaction.
            StepError::SetAside(_)
            | StepError::Unrepairable(_)
            | StepError::StagedObjectMissing
            | StepError::Superseded
            | StepError::RetryLater => return,
            StepError::InteractionFailed(stop) => stop,
        };
        let sentence = format!("interaction {legacy_id}: {stop}");
        tracing::warn!("{sentence}");
        match run.left(seq, claim, sentence.clone()).await {
            Ok(()) => {}
            // Whoever has it now will meet the same, or not.
            Err(LedgerError::CallTakenOver) => return,
            Err(error) => return self.end(error.into()),
        }
        self.failed.lock().insert(seq);
        let gone = matches!(
            &stop,
            RunError::Source(CallError::Unreachable { answered: None, .. })
                | RunError::Target(CallError::Unreachable { answered: None, .. })
        );
        let in_a_row = if gone {
            self.unreachable.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            0
        };
        let errors = self.errors.fetch_add(1, Ordering::Relaxed) + 1;
        if in_a_row >= self.unreachable_max {
            self.end(stop);
        } else if errors >= self.errors_max {
            self.end(RunError::TooManyErrors {
                count: errors,
                last: sentence,
            });
        }
    }

    /// The first to end a run says why.
    fn end(&self, stop: RunError) {
        self.stop.lock().get_or_insert(stop);
    }

    fn has_ended(&self) -> bool {
        self.stop.lock().is_some()
    }

    fn stopped(&self) -> Option<RunError> {
        self.stop.lock().take()
    }
}
