//! A run among others on one ledger: it enters, works while it has its lease, and leaves.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use plan::LoadedPlan;
use platforms::Budget;
use platforms::clock::Clock;
use platforms::transport::{Body, Retry, Transport, TransportError};

use crate::error::RunError;
use crate::ledger::Ledger;
use crate::ledger::runs::NewRun;
use crate::options::Options;

/// Lines under this target are told whatever the level: somebody may wonder what is waited for.
pub(crate) const WAITING: &str = "platforms::waiting";
/// Between two looks whether somebody who enters or leaves has done so.
const PAUSE: Duration = Duration::from_millis(500);

/// Enters, and waits for whoever enters or leaves. Until [`Ledger::runs`]'s `entered` everybody
/// else waits.
pub(crate) async fn enter(
    ledger: &dyn Ledger,
    plan: &LoadedPlan,
    options: &Options,
    clock: &Clock,
) -> Result<(), RunError> {
    let new_run = NewRun {
        plan_hash: plan.hash.clone(),
        alone: alone(options),
    };
    let mut told = false;
    while let Some(other) = ledger.runs().try_enter(&new_run).await? {
        if !told {
            tracing::warn!(
                target: WAITING,
                "waiting for {other}, which begins or ends on the same ledger"
            );
            told = true;
        }
        go_on(options)?;
        clock.sleep(PAUSE).await;
    }
    Ok(())
}

/// Leaves: what is done once for all is done by the last one, and nobody enters meanwhile. Answers
/// whether this run is the last.
pub(crate) async fn leave(
    ledger: &dyn Ledger,
    options: &Options,
    clock: &Clock,
) -> Result<bool, RunError> {
    loop {
        if let Some(is_last) = ledger.runs().try_leave().await? {
            return Ok(is_last);
        }
        go_on(options)?;
        clock.sleep(PAUSE).await;
    }
}

/// Enters as the only one, or is refused; for what is no run of a plan.
pub(crate) async fn enter_alone(
    ledger: &dyn Ledger,
    why: &'static str,
    clock: &Clock,
) -> Result<(), RunError> {
    let new_run = NewRun {
        plan_hash: String::new(),
        alone: Some(why),
    };
    while ledger.runs().try_enter(&new_run).await?.is_some() {
        clock.sleep(PAUSE).await;
    }
    Ok(ledger.runs().entered().await?)
}

fn go_on(options: &Options) -> Result<(), RunError> {
    let interrupt = options.interrupt.as_ref();
    match interrupt.is_some_and(|interrupt| *interrupt.borrow()) {
        true => Err(RunError::Interrupted),
        false => Ok(()),
    }
}

/// What changes or judges all of the ledger is done by a run alone.
fn alone(options: &Options) -> Option<&'static str> {
    [
        (options.accept_plan_change, "--accept-plan-change"),
        (options.retry.is_some(), "--retry"),
        (options.redo.is_some(), "--redo"),
        (options.canary.is_some(), "--canary"),
        (options.dry_run, "--dry-run"),
    ]
    .into_iter()
    .find_map(|(is_given, name)| is_given.then_some(name))
}

/// Whether the same command, begun anew in place of a run that lost its lease, asks for nothing
/// that was done already.
pub(crate) fn may_begin_anew(options: &Options) -> bool {
    alone(options).is_none() && options.limit.is_none()
}

/// Does work that stands still, wherever it is, while the run's lease is in doubt, and ends when that
/// is lost: a process that was stopped goes on in the middle of a step.
pub(crate) async fn while_held<T>(
    ledger: &dyn Ledger,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    let runs = ledger.runs();
    if runs.name().is_none() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let mut lost = runs.lost();
    let mut standing = runs.at_work();
    std::future::poll_fn(move |context| {
        if let Poll::Ready(why) = lost.as_mut().poll(context) {
            return Poll::Ready(Err(why.into()));
        }
        if standing.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        standing = runs.at_work();
        work.as_mut().poll(context)
    })
    .await
}

/// A transport that sends nothing while the run's lease is in doubt, and nothing ever again once it
/// is lost: what others have taken over must not be written by two.
pub(crate) struct WithLease {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) ledger: Arc<dyn Ledger>,
}

#[async_trait]
impl Transport for WithLease {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        self.ledger.runs().at_work().await;
        self.inner.send(request).await
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.inner.retrying(retry);
    }

    fn budget(&self) -> Option<&dyn Budget> {
        self.ledger.runs().budget()
    }
}
