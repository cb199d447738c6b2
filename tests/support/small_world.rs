//! A small world of simulators in this process, its plan, and a migrator that loses calls: what the
//! tests of whether the source was read whole have in common.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::{Request, Response, header};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::{Body, Network, Transport, TransportError};
use rehearsal::Scenario;
use serde_json::Value;
use simulator::Simulator;
use tempfile::TempDir;
use verifier::{Options, Report};

use crate::support::NO_LIMITS;

const WORLD: &str = "
[world]
interactions = 40
agents = 6
queues = 3
recorder_nodes = 2
transfer_share = 0.2
no_recording_share = 0.0
mean_seconds = 0.6
codecs = [\"pcm\"]
[legacy.limits]
page_max = 8
[plan.time]
site_zone = \"Europe/London\"
clock_tolerance_s = 1000000
[plan.pace]
requests_per_minute = 60000
[clock]
mode = \"scaled\"
factor = 5.0
";
/// So many times as fast as this machine's go the clocks of both ends: towards a platform without
/// a published limit a client begins slowly, and 20 verifications would wait a minute and a half.
const FACTOR: f64 = 5.0;
pub(crate) const GUIDE: &str = "target = \"genesys_cloud\"\n";
const GIR: &str = "target = \"gir\"\n";

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _: u64, _: u64) {}
}

/// A migrator that loses the first row of each page of the source's list.
pub(crate) struct FirstRowLost(pub(crate) Network);

#[async_trait]
impl Transport for FirstRowLost {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let is_list = request.uri().path() == "/api/v2/analytics/interactions/query";
        let answer = self.0.send(request).await?;
        if !is_list || !answer.status().is_success() {
            return Ok(answer);
        }
        let (mut parts, body) = answer.into_parts();
        let mut stream = body.into_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        let mut page: Value = serde_json::from_slice(&bytes).expect("a page");
        let rows = page["entities"].as_array_mut().expect("rows");
        if !rows.is_empty() {
            rows.remove(0);
        }
        let bytes = page.to_string();
        parts
            .headers
            .insert(header::CONTENT_LENGTH, bytes.len().into());
        Ok(Response::from_parts(parts, Body::Full(bytes.into())))
    }
}

/// Simulators in this process, and a plan for them.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) async fn start(seed: u64, target: &str) -> World {
        let text = format!(
            "about = \"A test.\"\nseed = {seed}\n{target}{WORLD}{NO_LIMITS}[expect]\nverdict = \
             \"match\"\n"
        );
        let text = match target {
            GIR => text.replace(NO_LIMITS, ""),
            _ => text,
        };
        let Scenario { setup, plan, .. } =
            Scenario::parse(&text, "population.toml").expect("a scenario");
        let simulator = Simulator::start(setup, simulator::Options::default())
            .await
            .expect("simulators");
        let dir = TempDir::new().expect("a folder");
        simulator
            .write_plan_with(dir.path(), &plan)
            .expect("a plan");
        World { simulator, dir }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn plan(&self) -> LoadedPlan {
        LoadedPlan::read(&self.file("plan.toml")).expect("a plan")
    }

    /// The simulators' time, and so much later.
    pub(crate) fn clock(&self, later: Duration) -> Clock {
        let now_ms = self.simulator.now_ms() + later.as_millis() as i64;
        Clock::scaled(now_ms, FACTOR)
    }

    pub(crate) async fn migrate(&self, transport: Arc<dyn Transport>, limit: Option<u64>) {
        let options = migrator::Options {
            limit,
            ..migrator::Options::default()
        };
        let clock = self.clock(Duration::ZERO);
        migrator::migrate(self.plan(), options, transport, clock, &Quiet)
            .await
            .expect("a migration");
    }

    pub(crate) async fn verify(&self, options: Options, later: Duration) -> Report {
        let network = Arc::new(Network::new().expect("a network"));
        let clock = self.clock(later);
        verifier::verify(&self.plan(), options, network, clock, &verifier::Silent)
            .await
            .expect("a verdict")
    }
}

pub(crate) fn network() -> Arc<dyn Transport> {
    Arc::new(Network::new().expect("a network"))
}
