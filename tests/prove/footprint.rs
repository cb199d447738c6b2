//! How little: time to the first answer, memory at rest and under load, and a migration's memory
//! with a long recording and with many calls.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use platforms::clock::Clock;
use platforms::genesys_cloud::{self, GuideClient};
use platforms::transport::Network;
use platforms::{Credentials, legacy};
use platforms::{OpenFile, Upload};
use serde_json::Value;

use crate::report::{Failure, Report};
use crate::scenario::{Simulation, seatrial};
use crate::servers::{self, Store};
use crate::workers;

/// No limits; `WORLD` and `PLAN` are filled in.
const SCENARIO: &str = r#"
about = "A footprint is measured; no limits."
seed = 12
target = "genesys_cloud"
[world]
WORLD
[plan.audio]
format = "mp3"
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
[expect]
verdict = "match"
"#;

/// `n` is the long recording in MiB; uploads, interactions and the large world follow from it.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let mut report = Report {
        seed: 12,
        ..Report::default()
    };
    report.row(
        "simulator, from start to first answer, ms, median of 9 (goal 50)",
        first_answer()?,
    );
    let Sustained {
        rest,
        few,
        many,
        asked,
    } = sustained(n * 4, n * 100, n * 1300)?;
    report.row("simulator at rest, resident MiB (goal 20)", mib(rest));
    report.row(
        &format!(
            "simulator after {} uploads of 256 KiB, resident MiB (goal: constant)",
            n * 4
        ),
        mib(few),
    );
    report.row(
        &format!("the same after {} uploads, resident MiB", n * 100),
        mib(many),
    );
    report.row(
        &format!(
            "the same after {} further requests, each of a key of its own, resident MiB (goal 150)",
            n * 1300
        ),
        mib(asked),
    );
    let large = n * 10_000;
    let world = large_world(large)?;
    report.row(
        &format!(
            "source of {large} interactions, ms until it answers a page (goal for 10 million: 1000)"
        ),
        world.ready_ms,
    );
    report.row(
        &format!(
            "the same, {PAGES} pages of 1000 from anywhere, ms, median and slowest \
        (goal: milliseconds)"
        ),
        world.pages_of_1000,
    );
    report.row(
        &format!("the same, {PAGES} pages of 25 from anywhere, ms, median and slowest"),
        world.pages_of_25,
    );
    report.row(
        "the same after them, resident MiB (goal 200)",
        mib(world.resident),
    );
    report.row(
        &format!("migrator with one recording of {n} MiB to MP3, peak resident MiB (goal 128)"),
        mib(long_recording(n, None)?),
    );
    report.row(
        "the same with staging in an S3 store, peak resident MiB (goal 128)",
        mib(long_recording(n, Some(&Store::s3()))?),
    );
    let many = n * 1000;
    report.row(
        &format!("migrator with {many} interactions, peak resident MiB (goal 128)"),
        mib(many_interactions(many)?),
    );
    Ok(report)
}

fn scenario(world: &str) -> String {
    SCENARIO.replace("WORLD", world)
}

fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

/// A figure of `/proc/PID/status`, KiB; `None` once the process is gone.
pub(crate) fn of_process(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Runs a process to its end and answers its peak, KiB. It is read while it lives: what the kernel
/// keeps of an ended child includes its parent's own size at the fork.
pub(crate) fn peak(mut child: Child) -> Result<u64, Failure> {
    let mut peak = 0;
    loop {
        peak = of_process(child.id(), "VmHWM").unwrap_or(peak).max(peak);
        match child.try_wait().map_err(Failure::new)? {
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(Failure::new(format!("it ended with {status}"))),
            None => nap(10),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process is watched by the wall clock"
)]
fn nap(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn first_answer() -> Result<u64, Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    let file = dir.path().join("scenario.toml");
    std::fs::write(&file, scenario("interactions = 200")).map_err(Failure::new)?;
    let mut times = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        let mut child = seatrial()
            .arg("simulate")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::new)?;
        let lines = child
            .stdout
            .take()
            .map(|out| BufReader::new(out).lines().map_while(Result::ok));
        let control = lines
            .into_iter()
            .flatten()
            .find_map(|line| Some(line.strip_prefix("control")?.trim().to_owned()));
        let (status, said) =
            crate::http::http(&control.unwrap_or_default(), "GET", "/_sim/health", "");
        let took = began.elapsed();
        let _ = child.kill();
        let _ = child.wait();
        if status != 200 {
            return Err(Failure::new(format!("GET /_sim/health: {status} {said}")));
        }
        times.push(took.as_millis() as u64);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Memory of one simulator, KiB: at rest, after few and after many uploads, and after many small
/// requests besides.
struct Sustained {
    rest: u64,
    few: u64,
    many: u64,
    asked: u64,
}

fn sustained(few: u64, many: u64, requests: u64) -> Result<Sustained, Failure> {
    let simulation = Simulation::start(&scenario("interactions = 200"), 12)?;
    let memory = || {
        of_process(simulation.pid(), "VmRSS").ok_or_else(|| Failure::new("the simulator is gone"))
    };
    let rest = memory()?;
    let base = simulation.addresses["genesys_cloud"]
        .as_str()
        .unwrap_or_default();
    let url = |path: &str| format!("{base}{path}").parse().map_err(Failure::new);
    let settings = genesys_cloud::Settings {
        api_url: url("/")?,
        token_url: url("/oauth/token")?,
        credentials: credentials(&simulation, "genesys_cloud")?,
        requests_per_minute: u32::MAX,
    };
    block_on(async {
        let client = GuideClient::new(network()?, Clock::real(), settings, u32::MAX);
        at_once(0..few, |k| upload(&client, k)).await?;
        let after_few = memory()?;
        at_once(few..many, |k| upload(&client, k)).await?;
        let after_many = memory()?;
        at_once(0..requests, |k| ask(&client, k)).await?;
        Ok(Sustained {
            rest,
            few: after_few,
            many: after_many,
            asked: memory()?,
        })
    })
}

/// Does so many things, eight at a time.
async fn at_once<F: Future<Output = Result<(), Failure>>>(
    all: std::ops::Range<u64>,
    work: impl Fn(u64) -> F,
) -> Result<(), Failure> {
    futures_util::stream::iter(all.map(work))
        .buffer_unordered(8)
        .try_collect()
        .await
}

async fn upload(client: &GuideClient, k: u64) -> Result<(), Failure> {
    static SOUND: [u8; 256 * 1024] = [7; 256 * 1024];
    let open: OpenFile = Arc::new(|| {
        let bytes = axum::body::Bytes::from_static(&SOUND);
        Box::pin(async move {
            Ok(axum::body::Body::from(bytes)
                .into_data_stream()
                .map_err(std::io::Error::other)
                .boxed())
        })
    });
    let upload = Upload {
        name: format!("footprint-{k}.wav"),
        content_type: "audio/wav",
        length: 256 * 1024,
        open,
    };
    client
        .upload_file(&upload)
        .await
        .map(|_| ())
        .map_err(Failure::new)
}

/// Asks for an interaction that is not there.
async fn ask(client: &GuideClient, k: u64) -> Result<(), Failure> {
    client
        .get_interaction(&format!("a2c1d6a0-0f0e-4b52-8a53-{k:012}"))
        .await
        .map(|_| ())
        .map_err(Failure::new)
}

fn credentials(simulation: &Simulation, platform: &str) -> Result<Credentials, Failure> {
    let all: Value =
        serde_json::from_str(&simulation.control("/_sim/credentials")?).map_err(Failure::new)?;
    let text = |name: &str| all[platform][name].as_str().unwrap_or_default().to_owned();
    Ok(Credentials {
        client_id: text("client_id"),
        client_secret: text("client_secret"),
    })
}

fn network() -> Result<Arc<Network>, Failure> {
    Network::new()
        .map(Arc::new)
        .ok_or_else(|| Failure::new("no network"))
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    workers::runtime()?.block_on(work)
}

/// Pages of a size that are asked of a large source.
const PAGES: u64 = 200;

/// A source of very many interactions.
struct LargeWorld {
    /// From its start to its first page, milliseconds.
    ready_ms: u64,
    pages_of_1000: String,
    pages_of_25: String,
    /// KiB.
    resident: u64,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn large_world(interactions: u64) -> Result<LargeWorld, Failure> {
    let began = Instant::now();
    let simulation = Simulation::start(&scenario(&format!("interactions = {interactions}")), 12)?;
    let base_url = simulation.addresses["legacy"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(Failure::new)?;
    let credentials = credentials(&simulation, "legacy")?;
    let settings = legacy::Settings {
        base_url,
        media_hosts: Vec::new(),
        credentials,
        requests_per_minute: u32::MAX,
    };
    block_on(async {
        let client = legacy::Client::new(network()?, Clock::real(), settings)
            .ok_or_else(|| Failure::new("no source"))?;
        client
            .interactions(&legacy::Page {
                size: 1000,
                ..legacy::Page::default()
            })
            .await
            .map_err(Failure::new)?;
        let ready_ms = began.elapsed().as_millis() as u64;
        let pages_of_1000 = pages_anywhere(&client, interactions, 1000).await?;
        let pages_of_25 = pages_anywhere(&client, interactions, 25).await?;
        let resident = of_process(simulation.pid(), "VmRSS")
            .ok_or_else(|| Failure::new("the simulator is gone"))?;
        Ok(LargeWorld {
            ready_ms,
            pages_of_1000,
            pages_of_25,
            resident,
        })
    })
}

/// Milliseconds a page, the first and the last of the world among them: the median and the slowest.
#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
async fn pages_anywhere(
    client: &legacy::Client,
    interactions: u64,
    size: u32,
) -> Result<String, Failure> {
    let last = interactions - u64::from(size);
    let mut took = Vec::new();
    for k in 0..PAGES {
        // Steps that share no factor with their number: every part of the world, in no order.
        let offset = last * (k * 79 % PAGES) / (PAGES - 1);
        let cursor =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("offset:{offset}"));
        let began = Instant::now();
        let page = client
            .interactions(&legacy::Page {
                cursor: Some(cursor),
                size,
                ..legacy::Page::default()
            })
            .await
            .map_err(Failure::new)?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        if page.entities.len() != size as usize {
            return Err(Failure::new(format!(
                "a page at {offset} has {} interactions of {size}",
                page.entities.len()
            )));
        }
    }
    took.sort_by(f64::total_cmp);
    Ok(format!(
        "{:.1}, {:.1}",
        took[took.len() / 2],
        took[took.len() - 1]
    ))
}

/// Peak of a migrator that takes one recording of so many MiB, staged in a folder or in a store.
fn long_recording(mib: u64, store: Option<&Store>) -> Result<u64, Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    long_wav(&dir.path().join("long.wav"), mib).map_err(Failure::new)?;
    let seconds = mib * 1024 * 1024 / 16_000;
    let start = 1_672_567_200_000_u64;
    let interaction = serde_json::json!({
        "id": 1, "startTime": start, "endTime": start + seconds * 1000, "direction": "INBOUND", "callerNumber": "+441632960001",
        "recordings": [{"id": "R-1", "file": "long.wav"}],
    });
    let file = dir.path().join("world.ndjson");
    std::fs::write(&file, format!("{interaction}\n")).map_err(Failure::new)?;
    let simulation = Simulation::start(
        &scenario(&format!("file = {:?}", file.display().to_string())),
        12,
    )?;
    if let Some(store) = store {
        stage_in(store, &simulation).map_err(Failure::new)?;
    }
    peak(migrate(&simulation.plan)?)
}

/// Has a plan stage in an object store.
fn stage_in(store: &Store, simulation: &Simulation) -> Result<(), Box<dyn std::error::Error>> {
    let mut plan: toml::Table = std::fs::read_to_string(&simulation.plan)?.parse()?;
    let staging = store.section("long").parse::<toml::Table>()?;
    plan.insert("staging".to_owned(), toml::Value::Table(staging));
    std::fs::write(&simulation.plan, plan.to_string())?;
    let secrets = simulation.plan.with_file_name("secrets");
    std::fs::write(secrets.join("store"), servers::KEY)?;
    Ok(())
}

/// A sound that is neither silent nor the same for long: two tones that beat.
fn long_wav(path: &Path, mib: u64) -> std::io::Result<()> {
    let data = mib * 1024 * 1024;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    let length = u32::try_from(data).map_err(std::io::Error::other)?;
    out.write_all(b"RIFF")?;
    out.write_all(&(length + 36).to_le_bytes())?;
    out.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0")?;
    out.write_all(&8000_u32.to_le_bytes())?;
    out.write_all(&16_000_u32.to_le_bytes())?;
    out.write_all(b"\x02\0\x10\0data")?;
    out.write_all(&length.to_le_bytes())?;
    let beat: Vec<u8> = (0..8000)
        .flat_map(|k| {
            let t = f64::from(k) / 8000.0;
            let value = 6000.0
                * ((t * 440.0 * std::f64::consts::TAU).sin()
                    + (t * 447.0 * std::f64::consts::TAU).sin());
            (value as i16).to_le_bytes()
        })
        .collect();
    let mut left = data as usize;
    while left > 0 {
        let piece = left.min(beat.len());
        out.write_all(&beat[..piece])?;
        left -= piece;
    }
    out.flush()
}

/// Peak of a migrator that takes so many interactions without recordings: what grows with their
/// number, and nothing else.
fn many_interactions(count: u64) -> Result<u64, Failure> {
    let simulation = Simulation::start(
        &scenario(&format!("interactions = {count}\nno_recording_share = 1.0")),
        12,
    )?;
    peak(migrate(&simulation.plan)?)
}

fn migrate(plan: &Path) -> Result<Child, Failure> {
    let mut command: Command = seatrial();
    command
        .arg("migrate")
        .arg(plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Failure::new)
}
