//! A migration from its plan to its outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;
use tokio::sync::Semaphore;

use crate::again;
use crate::behind;
use crate::canary::{self, Canary};
use crate::context::RunContext;
use crate::copy;
use crate::coverage;
use crate::engine::{RUN_IN_PROGRESS, Run, holds, process};
use crate::error::RunError;
use crate::holds::HoldGate;
use crate::ledger::{self, Ledger, Open};
use crate::options::{Options, Progress};
use crate::outcome::Outcome;
use crate::phone::PhoneRule;
use crate::plan_change::{bind, plan_change};
use crate::preflight;
use crate::resolve::{MAXIMUM_DAYS, Resolver};
use crate::several_runs::{self, WithLease};
use crate::source;
use crate::staging::Staging;
use crate::status;
use crate::target;

/// Runs the migration a plan describes, or goes on with it.
///
/// Boxed, as every large future that leaves its crate: an `async fn` would be compiled again in
/// each crate that awaits it.
pub fn migrate(
    plan: LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> BoxFuture<'_, Result<Outcome, RunError>> {
    Box::pin(run_plan(plan, options, transport, clock, progress))
}

/// A run that was away for too long begins anew, as if it were started again: what it had in hand
/// is dropped, wherever it stood.
async fn run_plan(
    plan: LoadedPlan,
    options: Options,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> Result<Outcome, RunError> {
    let plan = Arc::new(plan);
    if let Some(first) = plan.not_built().into_iter().next() {
        return Err(RunError::Plan(first));
    }
    let ledger_url = options.ledger.as_deref().unwrap_or(&plan.plan.ledger.url);
    loop {
        let ledger = ledger::registry::open(ledger_url, &plan, Open::Exclusive, &clock).await?;
        let entered = several_runs::enter(&*ledger, &plan, &options, &clock).await;
        let ended = match entered {
            Ok(()) => {
                let work = work(
                    plan.clone(),
                    &options,
                    ledger.clone(),
                    transport.clone(),
                    clock.clone(),
                    progress,
                );
                several_runs::while_held(&*ledger, work).await
            }
            Err(stop) => Err(stop),
        };
        ledger.runs().gone().await;
        match ended {
            Err(RunError::TakenOver(why)) if several_runs::may_begin_anew(&options) => {
                tracing::warn!(target: several_runs::WAITING, "{why}; it begins anew");
            }
            ended => return ended,
        }
    }
}

/// The run itself, from when it enters until it leaves: others that enter wait until it has looked
/// at plan and ledger and has decided what is taken up.
async fn work(
    plan: Arc<LoadedPlan>,
    options: &Options,
    ledger: Arc<dyn Ledger>,
    transport: Arc<dyn Transport>,
    clock: Clock,
    progress: &dyn Progress,
) -> Result<Outcome, RunError> {
    let transport = with_lease(transport, &ledger);
    copy::require_whole(&*ledger).await?;
    let change = plan_change(&*ledger, &plan, options.accept_plan_change).await?;
    canary::gate(&plan, options, &*ledger).await?;
    let staging = Staging::open(options.staging.as_deref(), &plan, &clock)?;
    let source = source::registry::open(&plan, transport.clone(), &clock)?;
    let target = target::registry::open(&plan, transport, &clock)?;
    let maximum_days = preflight::require(&plan, &*ledger, &clock, &*source, &*target).await?;
    coverage::require(&*ledger, &plan, &*source, maximum_days, options.dry_run).await?;
    // Bound only now: a plan that does not fit is mended and tried again, and nothing was decided
    // under it.
    bind(&*ledger, &plan, change, &clock).await?;
    ledger
        .set_meta(vec![(
            MAXIMUM_DAYS,
            maximum_days
                .map(|days| days.to_string())
                .unwrap_or_default(),
        )])
        .await?;
    if !options.dry_run {
        target
            .begin(&plan, &*ledger, &clock, options.canary.is_some())
            .await?;
    }
    let taken_up = again::take_up(&*ledger, &plan, options).await?;
    // A store of several runs keeps that of each call.
    let keeps_doubt = ledger.runs().name().is_some();
    let is_unconfirmed = !keeps_doubt
        && ledger
            .meta(RUN_IN_PROGRESS)
            .await?
            .is_some_and(|value| !value.is_empty());
    let unconfirmed_up_to = if is_unconfirmed {
        ledger.last_seq().await?
    } else {
        0
    };
    let run = Arc::new(Run {
        context: RunContext {
            resolver: Resolver::new(plan.clone(), maximum_days),
            phones: PhoneRule::of(&plan)?,
            ledger,
            staging,
            clock,
            dry_run: options.dry_run,
            replace: options.replace,
            unconfirmed_up_to,
            collided: Mutex::default(),
            holds: HoldGate::default(),
            plan,
        },
        source,
        target,
        redone: AtomicU64::new(0),
        cores: Semaphore::new(
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        ),
        pages: tokio::sync::Mutex::default(),
        quarantined: AtomicU64::new(0),
    });
    holds::require(&run, options.interrupt.as_ref()).await?;
    run.context.ledger.runs().entered().await?;
    let canary = match options.canary {
        Some(wanted) => Some(canary::send(&run, options, wanted, progress).await?),
        None => {
            process(&run, options, None, progress).await?;
            None
        }
    };
    let is_last = several_runs::leave(&*run.context.ledger, options, &run.context.clock).await?;
    finish(&run, canary, taken_up, is_last).await
}

fn with_lease(transport: Arc<dyn Transport>, ledger: &Arc<dyn Ledger>) -> Arc<dyn Transport> {
    if ledger.runs().name().is_none() {
        return transport;
    }
    Arc::new(WithLease {
        inner: transport,
        ledger: ledger.clone(),
    })
}

/// Writes what a finished pass leaves for others, where nobody else works any more, and counts.
async fn finish(
    run: &Run,
    canary: Option<Canary>,
    taken_up: u64,
    is_last: bool,
) -> Result<Outcome, RunError> {
    let tally = run.context.ledger.tally().await?;
    if is_last {
        again::came_to_its_end(&*run.context.ledger).await?;
        if tally.is_finished() {
            run.context.staging.clear_converted().await?;
        }
        status::write_manifests(
            &*run.context.ledger,
            &run.context.staging,
            &run.context.plan,
        )
        .await?;
    }
    let source = run.source.counts();
    let (target_requests, throttled) = target::traffic(&*run.target);
    let throttled = source.throttled.load(Ordering::Relaxed) + throttled;
    Ok(Outcome {
        tally,
        source_requests: source.requests.load(Ordering::Relaxed),
        target_requests,
        throttled,
        errors: run.context.ledger.errors(5).await?,
        warnings: run.context.ledger.warnings().await?,
        taken_up,
        redone: run.redone.load(Ordering::Relaxed),
        left_behind: behind::listed(
            &*run.context.ledger,
            source::registry::format_of(&run.context.plan),
        )
        .await?,
        canary,
        holds: holds::seen(run).await?,
    })
}
