//! The network as a plan lets it be used: whom each side's hosts are trusted by, and where plain
//! http may go.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::is_this_machine;
use platforms::request_log::Logged;
use platforms::transport::{ClockCheck, Network, Side, Transport};
use rehearsal::Ending;
use url::Url;

use crate::terminal;
use crate::watched::{Watch, Watched};

/// The network of a plan, which holds this machine's clock against the platforms'. What the plan
/// leaves unclear is told once and ends with 2.
pub(crate) fn network(plan: &LoadedPlan) -> Result<(Arc<dyn Transport>, Arc<Watch>), Ending> {
    let refuse = |sentence: String| terminal::fail(Ending::BadCall, &sentence);
    let (source, target) = sides(plan).map_err(refuse)?;
    let Some(network) = Network::between(source, target) else {
        return Err(terminal::fail(
            Ending::Stopped,
            "the TLS library does not start on this machine",
        ));
    };
    let watch = Watch::of(plan);
    let inner = Logged::wrap(Arc::new(network), Clock::real());
    let watched = Arc::new(Watched {
        inner,
        watch: watch.clone(),
    });
    Ok((
        Arc::new(ClockCheck::new(
            watched,
            Clock::real(),
            plan.plan.time.clock_tolerance(),
        )),
        watch,
    ))
}

fn sides(plan: &LoadedPlan) -> Result<(Side, Side), String> {
    let (of_source, of_target) = (&plan.plan.source, &plan.plan.target);
    let targets: Vec<Url> = of_target.urls().into_iter().flatten().collect();
    let sources: Vec<Url> = of_source.urls().into_iter().flatten().collect();
    secure("source", &sources, of_source.plain_http())?;
    secure("target", &targets, of_target.plain_http())?;
    let hosts = sources
        .iter()
        .map(authority)
        .chain(of_source.media_hosts().iter().cloned())
        .collect();
    let mut source = Side::new(hosts, of_source.plain_http());
    let mut target = Side::new(
        targets.iter().map(authority).collect(),
        of_target.plain_http(),
    );
    for (name, file, side) in [
        ("source", of_source.ca(), &mut source),
        ("target", of_target.ca(), &mut target),
    ] {
        if let Some(file) = file {
            side.trust(&plan.resolve_path(file))
                .map_err(|error| format!("{name}.ca: {error}"))?;
        }
    }
    Ok((source, target))
}

/// Every address is https, or this machine's, or the plan says that it may be in clear.
fn secure(side: &str, urls: &[Url], plain_http: bool) -> Result<(), String> {
    let is_in_clear =
        |url: &&Url| url.scheme() == "http" && !url.host_str().is_some_and(is_this_machine);
    match urls.iter().find(is_in_clear).filter(|_| !plain_http) {
        Some(url) => Err(format!(
            "{side}: plain http to {} would carry credentials and recordings in clear; use https, \
             or set {side}.plain_http = true",
            authority(url)
        )),
        None => Ok(()),
    }
}

/// `host`, or `host:port` where the port is not the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
