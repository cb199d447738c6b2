//! The run: a feeder that hands out open interactions in order, and workers that take each as far as it goes.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::legacy::Client as LegacyClient;
use platforms::transport::Transport;
use platforms::{CallError, Pages};
use tokio::sync::{Semaphore, watch};

use crate::again::{self, Named, Retry};
use crate::behind;
use crate::canary::{self, Canary};
use crate::coverage;
use crate::extract::{Window, next_page};
use crate::ledger::{InteractionRow, Ledger, LedgerError, Open, Tried, path_of};
use crate::outcome::{Outcome, Stop, Trouble};
use crate::phone::PhoneRule;
use crate::preflight::{self, Clients};
use crate::resolve::Resolver;
use crate::staging::Staging;
use crate::status;
use crate::target::Target;
use plan_change::{bind, plan_change};

mod digest;
mod genesys_cloud;
mod gir;
mod plan_change;
pub(crate) mod work;

/// How to run, beside the plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// Instead of the plan's ledger.
    pub ledger: Option<String>,
    /// Instead of the plan's staging.
    pub staging: Option<String>,
    /// Instead of the plan's workers.
    pub workers: Option<usize>,
    /// At most so many interactions in this run. Absent: all.
    pub limit: Option<u64>,
    /// So many recordings at most, chosen to show everything there is, and no others. Absent: all.
    pub canary: Option<usize>,
    /// Everything but writing to the target.
    pub dry_run: bool,
    /// Go on although the plan or a mapping has changed since the ledger was begun.
    pub accept_plan_change: bool,
    /// What stayed behind and is read again from the source. Absent: only what stayed behind because the source misbehaved.
    pub retry: Option<Retry>,
    /// What is sent again: calls that a finding names, or a person. Absent: nothing.
    pub redo: Option<Named>,
    /// Interaction Recording: what a redo finds there in another form is deleted and inserted again; else it is left, and named.
    pub replace: bool,
    /// Interactions that may meet an error before the run stops.
    pub errors_max: u64,
    /// Turns true when somebody wants the run to end; what is under way is finished first. Absent: nobody will.
    pub interrupt: Option<watch::Receiver<bool>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            ledger: None,
            staging: None,
            workers: None,
            limit: None,
            canary: None,
            dry_run: false,
            accept_plan_change: false,
            retry: None,
            redo: None,
            replace: false,
            // Enough to pass over a handful of broken records, few enough not to run for a night against a wall.
            errors_max: 100,
            interrupt: None,
        }
    }
}

/// Told how far a run has come.
pub trait Progress: Send + Sync {
    /// Interactions known so far, and those this run is through with.
    fn update(&self, known: u64, through: u64);

    /// Recordings this run has quarantined so far.
    fn quarantined(&self, _: u64) {}
}

pub(crate) struct Run {
    pub(crate) plan: Arc<LoadedPlan>,
    pub(crate) ledger: Ledger,
    pub(crate) staging: Staging,
    pub(crate) source: LegacyClient,
    pub(crate) target: Target,
    pub(crate) clock: Clock,
    pub(crate) resolver: Resolver,
    pub(crate) phones: PhoneRule,
    pub(crate) dry_run: bool,
    /// Interaction Recording: another form of a call may be deleted to insert the right one.
    pub(crate) replace: bool,
    /// Calls that were sent again in this run.
    pub(crate) redone: AtomicU64,
    /// Decoding and encoding use a core each; more at once would only take turns.
    pub(crate) cores: Semaphore,
    /// The last interaction, by seq, that was extracted when a run was killed or met errors; 0: none was. Up to it the target may hold more than
    /// the ledger knows.
    pub(crate) in_doubt: i64,
    /// Interactions, by seq, that a later page showed to share their id: whoever works on one leaves it.
    pub(crate) collided: Mutex<HashSet<i64>>,
    /// Pages of the source that this run has read.
    pub(crate) pages: tokio::sync::Mutex<Pages>,
    /// Recordings this run has quarantined.
    pub(crate) quarantined: AtomicU64,
}

/// Runs the migration a plan describes, or goes on with it.
///
/// Boxed, as every large future that leaves its crate: an `async fn` would be compiled again in each crate that awaits it.
pub fn migrate(
    plan: LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> BoxFuture<'_, Result<Outcome, Stop>> {
    Box::pin(run_plan(plan, options, transport, clock, progress))
}

async fn run_plan(
    plan: LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> Result<Outcome, Stop> {
    let plan = Arc::new(plan);
    if let Some(first) = plan.not_built().into_iter().next() {
        return Err(Stop::Plan(first));
    }
    let ledger_url = options.ledger.as_deref().unwrap_or(&plan.plan.ledger.url);
    let ledger = Ledger::open(path_of(ledger_url, &plan)?, Open::Exclusive, &clock).await?;
    let change = plan_change(&ledger, &plan, options.accept_plan_change).await?;
    canary::gate(&plan, &options, &ledger).await?;
    let staging = Staging::open(options.staging.as_deref().unwrap_or(&plan.plan.staging.url), &plan, &clock)?;
    let Clients { source, target } = Clients::new(&plan, transport, &clock)?;
    let maximum_days = preflight::require(&plan, &ledger, &clock, &source, &target).await?;
    coverage::require(&ledger, &plan, &source, maximum_days, options.dry_run).await?;
    // Bound only now: a plan that does not fit is mended and tried again, and nothing was decided under it.
    bind(&ledger, &plan, change).await?;
    ledger.set_meta(vec![(MAXIMUM_DAYS, maximum_days.map(|days| days.to_string()).unwrap_or_default())]).await?;
    if let Target::Gir(gir) = &target
        && !options.dry_run
    {
        gir.prove(&ledger, &clock).await?;
    }
    // Not with a canary: what it shows may still be wrong, and a key that is given stays given.
    if !options.dry_run && options.canary.is_none() {
        target.write_external_ids(&plan, &ledger).await?;
    }
    let taken_up = again::take_up(&ledger, &plan, &options).await?;
    let is_doubtful = ledger.meta(AT_WORK).await?.is_some_and(|at_work| !at_work.is_empty());
    let in_doubt = if is_doubtful { ledger.last_seq().await? } else { 0 };
    let run = Arc::new(Run {
        resolver: Resolver::new(plan.clone(), maximum_days),
        phones: PhoneRule::of(&plan)?,
        ledger,
        staging,
        source,
        target,
        clock,
        dry_run: options.dry_run,
        replace: options.replace,
        redone: AtomicU64::new(0),
        cores: Semaphore::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)),
        in_doubt,
        collided: Mutex::default(),
        pages: tokio::sync::Mutex::default(),
        quarantined: AtomicU64::new(0),
        plan,
    });
    let canary = match options.canary {
        Some(wanted) => Some(canary::send(&run, &options, wanted, progress).await?),
        None => {
            work_off(&run, &options, None, progress).await?;
            None
        }
    };
    finish(&run, canary, taken_up).await
}

/// One shift: over everything that is open, or over these interactions only.
pub(crate) async fn work_off(run: &Run, options: &Options, only: Option<Vec<InteractionRow>>, progress: &dyn Progress) -> Result<(), Stop> {
    let workers = run.workers(options);
    let shift = Shift::new(run, options, workers, only).await?;
    if !run.dry_run {
        run.ledger.set_meta(vec![(AT_WORK, "yes".to_owned())]).await?;
    }
    shift.work(run, workers, progress).await;
    let written = run.ledger.flush().await;
    let stop = shift.stopped();
    // Who met an error may have written what no row tells.
    let is_sure = shift.errors.load(Ordering::Relaxed) == 0 && matches!(stop, None | Some(Stop::Interrupted));
    let noted = match written {
        Ok(()) if is_sure && !run.dry_run => nothing_in_doubt(run).await,
        other => other,
    };
    if let Some(stop) = stop {
        return Err(stop);
    }
    Ok(noted?)
}

/// Where the ledger says that a run is writing to the target, or left it in doubt what is there; empty: neither.
const AT_WORK: &str = "at_work";

/// All that this run wrote is in the ledger. What an earlier one left stays to be looked for until all is done.
async fn nothing_in_doubt(run: &Run) -> Result<(), LedgerError> {
    if run.in_doubt == 0 || run.ledger.tally().await?.is_finished() {
        run.ledger.set_meta(vec![(AT_WORK, String::new())]).await?;
    }
    Ok(())
}

impl Run {
    pub(crate) fn workers(&self, options: &Options) -> usize {
        options.workers.unwrap_or(self.plan.plan.pace.workers).max(1)
    }

    /// Notes why an interaction was left, with a hop of custody for each of its recordings that should have gone.
    async fn left(&self, seq: i64, sentence: String) -> Result<(), LedgerError> {
        let custody = match self.ledger.these(vec![seq]).await?.first() {
            Some(row) => self.hops_left(row, &sentence),
            None => Vec::new(),
        };
        self.ledger.set_error(seq, sentence, crate::custody::at(self.clock.now()), custody).await
    }

    /// Reads one more page of the source into the ledger; `None` when there is none. Answers how many interactions are new.
    pub(crate) async fn extract_page(&self) -> Result<Option<u64>, Stop> {
        let added = next_page(&self.source, &self.ledger, Window::of(&self.plan), &mut *self.pages.lock().await).await?;
        Ok(added.map(|added| {
            self.collided.lock().unwrap_or_else(PoisonError::into_inner).extend(added.collided);
            added.new
        }))
    }
}

/// Where the ledger keeps the target's maximum retention as the last run read it, for who has no target at hand; empty: none.
pub(crate) const MAXIMUM_DAYS: &str = "maximum_days";

/// Writes what a finished shift leaves for others, and counts.
async fn finish(run: &Run, canary: Option<Canary>, taken_up: u64) -> Result<Outcome, Stop> {
    again::came_to_its_end(&run.ledger).await?;
    let tally = run.ledger.tally().await?;
    if tally.is_finished() {
        run.staging.clear_converted().await?;
    }
    status::write_manifests(&run.ledger, &run.staging, &run.plan.plan.identity.namespace).await?;
    let source = run.source.counts();
    let (target_requests, throttled) = run.target.traffic();
    let throttled = source.throttled.load(Ordering::Relaxed) + throttled;
    Ok(Outcome {
        tally,
        source_requests: source.requests.load(Ordering::Relaxed),
        target_requests,
        throttled,
        errors: run.ledger.errors(5).await?,
        warnings: run.ledger.warnings().await?,
        taken_up,
        redone: run.redone.load(Ordering::Relaxed),
        left_behind: behind::listed(&run.ledger).await?,
        canary,
    })
}

/// What the workers of one run share.
struct Shift {
    feeder: tokio::sync::Mutex<Feeder>,
    stop: Mutex<Option<Stop>>,
    interrupt: Option<watch::Receiver<bool>>,
    errors: AtomicU64,
    errors_max: u64,
    /// Seqs that met an error in this run, so that the second pass leaves them to the next run.
    failed: Mutex<HashSet<i64>>,
    /// Unreachable in a row, over all workers: as many as there are workers is a platform that is gone.
    unreachable: AtomicU64,
    unreachable_max: u64,
    known: AtomicU64,
    through: AtomicU64,
    /// Calls whose recordings the target is still taking in, each with the time of its next look, Unix ms.
    put_off: Mutex<Vec<(i64, InteractionRow)>>,
}

/// Hands out open interactions in extraction order, reading further pages as the ledger runs dry.
struct Feeder {
    buffer: VecDeque<InteractionRow>,
    after: i64,
    tried: Tried,
    left: u64,
    /// The buffer is all there is: a canary.
    only: bool,
    /// Source and ledger have nothing more.
    is_dry: bool,
}

/// Rows read from the ledger at once: enough that workers seldom wait for it, few enough to hold.
const BUFFER: u32 = 256;
/// While nothing is to do but wait, an interrupt is seen this soon. Milliseconds.
const LONGEST_NAP_MS: i64 = 500;

/// Between two looks at a call the target is still taking in: from two seconds to ten.
fn pause_ms(looks: u32) -> i64 {
    (1000_i64 << looks.min(4)).min(10_000)
}

impl Shift {
    async fn new(run: &Run, options: &Options, workers: usize, only: Option<Vec<InteractionRow>>) -> Result<Shift, Stop> {
        let tally = run.ledger.tally().await?;
        Ok(Shift {
            feeder: tokio::sync::Mutex::new(Feeder {
                only: only.is_some(),
                buffer: only.unwrap_or_default().into(),
                after: 0,
                tried: Tried::Clean,
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
            while let Some(row) = self.next(run).await {
                let seq = row.seq;
                let legacy_id = row.legacy_id.clone();
                match run.advance(row).await {
                    Ok(None) => self.unreachable.store(0, Ordering::Relaxed),
                    Ok(Some(later)) => {
                        self.unreachable.store(0, Ordering::Relaxed);
                        let due_ms = run.clock.now_ms() + pause_ms(later.looks);
                        self.put_off().push((due_ms, later));
                        continue;
                    }
                    Err(trouble) => self.note(run, seq, &legacy_id, trouble).await,
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
    async fn next(&self, run: &Run) -> Option<InteractionRow> {
        loop {
            if self.interrupt.as_ref().is_some_and(|interrupt| *interrupt.borrow()) {
                self.end(Stop::Interrupted);
            }
            if self.has_ended() {
                return None;
            }
            if let Some(row) = self.due(run.clock.now_ms()) {
                return Some(row);
            }
            match self.fresh(run).await {
                Ok(Some(row)) => return Some(row),
                Ok(None) => {
                    // Whoever puts a call off looks at it again: who finds none may go.
                    let due_ms = self.put_off().iter().map(|(due_ms, _)| *due_ms).min()?;
                    let wait_ms = (due_ms - run.clock.now_ms()).clamp(1, LONGEST_NAP_MS);
                    run.clock.sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
                }
                Err(stop) => self.end(stop),
            }
        }
    }

    /// A call that was put off and is to be looked at.
    fn due(&self, now_ms: i64) -> Option<InteractionRow> {
        let mut put_off = self.put_off();
        let at = put_off.iter().position(|(due_ms, _)| *due_ms <= now_ms)?;
        Some(put_off.swap_remove(at).1)
    }

    fn put_off(&self) -> MutexGuard<'_, Vec<(i64, InteractionRow)>> {
        self.put_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one nobody has worked on in this run.
    async fn fresh(&self, run: &Run) -> Result<Option<InteractionRow>, Stop> {
        let mut feeder = self.feeder.lock().await;
        while feeder.left > 0 && !feeder.is_dry {
            if let Some(row) = feeder.buffer.pop_front() {
                feeder.left -= 1;
                return Ok(Some(row));
            }
            feeder.is_dry = !self.refill(run, &mut feeder).await?;
        }
        Ok(None)
    }

    /// Fills the buffer; `false` when source and ledger have nothing more.
    async fn refill(&self, run: &Run, feeder: &mut Feeder) -> Result<bool, Stop> {
        if feeder.only {
            return Ok(false);
        }
        let most = u32::try_from(feeder.left.min(u64::from(BUFFER))).unwrap_or(BUFFER);
        let rows = match feeder.tried {
            Tried::Redo => run.ledger.redo_after(feeder.after, most).await?,
            tried => run.ledger.open_after(feeder.after, most, tried).await?,
        };
        if let Some(last) = rows.last() {
            feeder.after = last.seq;
            let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            feeder.buffer.extend(rows.into_iter().filter(|row| !failed.contains(&row.seq)));
            return Ok(true);
        }
        if let Some(new) = run.extract_page().await? {
            self.known.fetch_add(new, Ordering::Relaxed);
            return Ok(true);
        }
        // Everything is extracted and handed out: now those an earlier run left with an error, and then those in the target that are sent again.
        let next = match feeder.tried {
            Tried::Clean => Tried::Failed,
            Tried::Failed if !run.dry_run => Tried::Redo,
            Tried::Failed | Tried::Redo => return Ok(false),
        };
        (feeder.tried, feeder.after) = (next, 0);
        Ok(true)
    }

    async fn note(&self, run: &Run, seq: i64, legacy_id: &str, trouble: Trouble) {
        let stop = match trouble {
            // Whatever ended the run first: what this one was about is in doubt.
            Trouble::Stop(stop) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                return self.end(stop);
            }
            // Dealt with where the work is done; none of them leaves an interaction.
            Trouble::SetAside(_) | Trouble::Unrepairable(_) | Trouble::Gone | Trouble::Overtaken | Trouble::NotYet => return,
            Trouble::Left(stop) => stop,
        };
        let sentence = format!("interaction {legacy_id}: {stop}");
        tracing::warn!("{sentence}");
        if let Err(error) = run.left(seq, sentence.clone()).await {
            return self.end(error.into());
        }
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(seq);
        let gone = matches!(
            &stop,
            Stop::Source(CallError::Unreachable { answered: None, .. }) | Stop::Target(CallError::Unreachable { answered: None, .. })
        );
        let in_a_row = if gone { self.unreachable.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
        let errors = self.errors.fetch_add(1, Ordering::Relaxed) + 1;
        if in_a_row >= self.unreachable_max {
            self.end(stop);
        } else if errors >= self.errors_max {
            self.end(Stop::TooManyErrors { count: errors, last: sentence });
        }
    }

    /// The first to end a run says why.
    fn end(&self, stop: Stop) {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop);
    }

    fn has_ended(&self) -> bool {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn stopped(&self) -> Option<Stop> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
