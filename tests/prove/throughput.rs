//! How fast: the simulator beside a bare axum handler, the migrator beside the guide's approach.
//! Ratios of one run; nothing is asserted about time.

use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::http::send;
use crate::report::{Failure, Report};
use crate::scenario::{Simulation, seatrial};
use crate::workers;

const SCENARIO: &str = r#"
about = "Small recordings the target plays, no limits."
seed = 11
target = "genesys_cloud"
[world]
interactions = INTERACTIONS
mean_seconds = 1.0
codecs = ["pcm"]
pause_share = 0.0
stereo_share = 0.0
[plan.audio]
format = "keep"
[plan.retention]
max_holds = 1000000
[genesys_cloud.limits]
max_protected = 1000000
requests_per_minute = 0
uploads_per_second = 0
[expect]
verdict = "match"
"#;

const TARGET: &str = "/api/v2/routing/skills?pageSize=25&pageNumber=1";

/// `n` interactions for the migration; requests for a second per hundred of them, at least one.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let scenario = SCENARIO.replace("INTERACTIONS", &n.to_string());
    let mut report = Report {
        seed: 11,
        ..Report::default()
    };
    let (simulated, bare) = small_get(&scenario, (n / 200).clamp(1, 10))?;
    report.row(
        "simulator, small GET with token, limiter and journal on: requests a second",
        simulated.round(),
    );
    report.row(
        "a bare axum handler answering the same bytes: requests a second",
        bare.round(),
    );
    report.row(
        "ratio (goal: at least 0.5)",
        format!("{:.2}", simulated / bare),
    );
    // Both are removed only at the end: some file systems are slow for a minute after thousands of
    // files were deleted.
    let (one, other) = (
        Simulation::start(&scenario, 11)?,
        Simulation::start(&scenario, 11)?,
    );
    let ours = migrate(&one)?;
    let guides = guide(&other)?;
    report.row(
        "migrator, recordings a second (16 workers, one machine with its simulator)",
        ours.round(),
    );
    report.row(
        "the guide's approach in Python (requests, requests-toolbelt, 15 threads), \
        recordings a second",
        guides.round(),
    );
    report.row("ratio (goal: 10)", format!("{:.1}", ours / guides));
    let files = (n / 50).max(2);
    let (ours, by_hand) = transcode(files)?;
    report.row(
        &format!(
            "migrator, {files} recordings of 5 minutes, mu-law to MP3, fetched, checked and \
            staged: files a second"
        ),
        tenth(ours),
    );
    report.row(
        "the same files with ffmpeg's LAME by hand, a process a core: files a second",
        tenth(by_hand),
    );
    report.row("ratio (goal: at least 1)", format!("{:.2}", ours / by_hand));
    Ok(report)
}

/// Requests a second of the simulator and of a bare handler, by the same load from outside.
fn small_get(scenario: &str, seconds: u64) -> Result<(f64, f64), Failure> {
    let simulation = Simulation::start(scenario, 11)?;
    let token = token(&simulation)?;
    let base = simulation.addresses["genesys_cloud"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let simulated = load(&format!("{base}{TARGET}"), &token, seconds)?;
    let bare = Bare::start(&exchange(&base, "GET", TARGET, &token, "")?)?;
    Ok((
        simulated,
        load(&format!("{}{TARGET}", bare.url), &token, seconds)?,
    ))
}

fn token(simulation: &Simulation) -> Result<String, Failure> {
    let credentials: Value =
        serde_json::from_str(&simulation.control("/_sim/credentials")?).map_err(Failure::new)?;
    let client = &credentials["genesys_cloud"];
    let (id, secret) = (
        client["client_id"].as_str().unwrap_or_default(),
        client["client_secret"].as_str().unwrap_or_default(),
    );
    let base = simulation.addresses["genesys_cloud"]
        .as_str()
        .unwrap_or_default();
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer: Value = serde_json::from_str(&exchange(base, "POST", "/oauth/token", "", &form)?)
        .map_err(Failure::new)?;
    answer["access_token"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("no token"))
}

/// One request and its answer's text.
fn exchange(
    base: &str,
    method: &str,
    path: &str,
    token: &str,
    form: &str,
) -> Result<String, Failure> {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", &*format!("Bearer {token}")),
    ];
    match send(base, method, path, &headers, form) {
        (200, text) => Ok(text),
        (status, text) => Err(Failure::new(format!(
            "{method} {base}{path}: {status} {text}"
        ))),
    }
}

/// `wrk` from Debian: one thread, 16 connections. The client costs both servers the same core.
fn load(url: &str, token: &str, seconds: u64) -> Result<f64, Failure> {
    let output = Command::new("wrk")
        .args([
            "-t1",
            "-c16",
            &format!("-d{seconds}s"),
            "-H",
            &format!("authorization: Bearer {token}"),
            url,
        ])
        .output()
        .map_err(|error| Failure::new(format!("wrk: {error}; install Debian's package wrk")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") {
        return Err(Failure::new(format!(
            "{url} refused requests of the load:\n{text}"
        )));
    }
    let figure = text.lines().find_map(|line| {
        line.trim()
            .strip_prefix("Requests/sec:")?
            .trim()
            .parse()
            .ok()
    });
    figure.ok_or_else(|| Failure::new(format!("wrk said no figure:\n{text}")))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn migrate(simulation: &Simulation) -> Result<f64, Failure> {
    let began = Instant::now();
    let output = seatrial()
        .arg("migrate")
        .arg(&simulation.plan)
        .arg("--json")
        .output()
        .map_err(Failure::new)?;
    let seconds = began.elapsed().as_secs_f64();
    let told: Value = serde_json::from_slice(&output.stdout).map_err(Failure::new)?;
    let recordings = told["outcome"]["tally"]["recordings_done"]
        .as_f64()
        .unwrap_or(0.0);
    if output.status.success() && recordings > 0.0 {
        Ok(recordings / seconds)
    } else {
        Err(Failure::new(format!("the migration failed: {told}")))
    }
}

fn guide(simulation: &Simulation) -> Result<f64, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/guide_migrator.py");
    let python = std::env::var("SEATRIAL_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_owned());
    let output = Command::new(python)
        .arg(script)
        .arg("--addresses")
        .arg(simulation.dir.path().join("addresses.json"))
        .arg("--plan")
        .arg(simulation.plan.parent().unwrap_or(simulation.dir.path()))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .map_err(Failure::new)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("the guide's script: {error}; {said}")))?;
    match (
        told["recordings"].as_f64(),
        told["seconds"].as_f64(),
        told["failed"].as_u64(),
    ) {
        (Some(recordings), Some(seconds), Some(0)) if seconds > 0.0 => Ok(recordings / seconds),
        _ => Err(Failure::new(format!(
            "the guide's script failed: {told}; {said}"
        ))),
    }
}

fn tenth(figure: f64) -> String {
    format!("{figure:.1}")
}

/// Files a second that a dry run stages and converts, and that ffmpeg converts with one process a
/// core.
#[expect(clippy::disallowed_methods, reason = "a benchmark asks the wall clock")]
fn transcode(files: u64) -> Result<(f64, f64), Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    let mut world = String::new();
    for k in 0..files {
        let sound = audio::encode(&murmur(k), audio::Codec::Mulaw).map_err(Failure::new)?;
        std::fs::write(dir.path().join(format!("{k}.wav")), sound).map_err(Failure::new)?;
        let start = 1_672_567_200_000 + k * 600_000;
        let interaction = serde_json::json!({
            "id": k + 1, "startTime": start, "endTime": start + 300_000, "direction": "INBOUND", "callerNumber": "+441632960001",
            "recordings": [{"id": format!("R-{k}"), "file": format!("{k}.wav")}],
        });
        world.push_str(&format!("{interaction}\n"));
    }
    let file = dir.path().join("world.ndjson");
    std::fs::write(&file, world).map_err(Failure::new)?;
    let scenario = SCENARIO.split("[world]").next().unwrap_or_default();
    let scenario = format!(
        "{scenario}[world]\nfile = {:?}\n[plan.audio]\nformat = \"mp3\"\n[expect]\nverdict = \
         \"match\"\n",
        file.display().to_string()
    );
    let simulation = Simulation::start(&scenario, 11)?;
    let began = Instant::now();
    let output = seatrial()
        .arg("migrate")
        .arg(&simulation.plan)
        .args(["--dry-run", "--json"])
        .output()
        .map_err(Failure::new)?;
    let ours = files as f64 / began.elapsed().as_secs_f64();
    let told: Value = serde_json::from_slice(&output.stdout).map_err(Failure::new)?;
    if told["outcome"]["tally"]["recordings_ready"].as_u64() != Some(files) {
        return Err(Failure::new(format!(
            "the dry run converted something else: {told}"
        )));
    }
    let cores = workers::cores();
    let by_hand = format!(
        "seq 0 {} | xargs -P {cores} -I N ffmpeg -nostdin -v error -y -i N.wav -codec:a libmp3lame \
         -q:a 2 N.mp3",
        files - 1
    );
    let began = Instant::now();
    let status = Command::new("sh")
        .args(["-c", &by_hand])
        .current_dir(dir.path())
        .status()
        .map_err(Failure::new)?;
    if !status.success() {
        return Err(Failure::new(
            "ffmpeg failed; install Debian's package ffmpeg",
        ));
    }
    Ok((ours, files as f64 / began.elapsed().as_secs_f64()))
}

/// Five minutes of something like a voice at 8 kHz: a gliding tone with overtones that comes and
/// goes, each of them another one.
fn murmur(k: u64) -> audio::Pcm {
    let mut phase = 0.0_f64;
    let channel = (0..300 * 8000_u32)
        .map(|n| {
            let t = f64::from(n) / 8000.0;
            phase += (120.0 + 40.0 * (t * 0.7 + k as f64).sin()) / 8000.0 * std::f64::consts::TAU;
            let loudness = (t * 2.3).sin().max(0.0) * (t * 0.11).cos().abs();
            let voice: f64 = (1..8)
                .map(|overtone| (phase * f64::from(overtone)).sin() / f64::from(overtone))
                .sum();
            (loudness * voice * 6000.0) as i16
        })
        .collect();
    audio::Pcm {
        sample_rate: 8000,
        channels: vec![channel],
    }
}

/// This program as a bare axum server, in a process of its own.
struct Bare {
    child: Child,
    url: String,
}

impl Bare {
    /// `answer` is what every request gets.
    fn start(answer: &str) -> Result<Bare, Failure> {
        use std::io::BufRead;
        let program = std::env::current_exe().map_err(Failure::new)?;
        let mut child = Command::new(program)
            .args(["bare-handler", answer])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::new)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            std::io::BufReader::new(out)
                .read_line(&mut line)
                .map_err(Failure::new)?;
        }
        Ok(Bare {
            child,
            url: line.trim().to_owned(),
        })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the bound: a handler that parses nothing, checks nothing and remembers nothing.
pub(crate) fn bare_handler() -> ExitCode {
    let Ok(runtime) = workers::runtime() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(async {
        let body = axum::body::Bytes::from(std::env::args().nth(2).unwrap_or_default());
        let router = axum::Router::new().fallback(move || {
            let body = body.clone();
            async move { ([("content-type", "application/json")], body) }
        });
        let Ok(listener) = tokio::net::TcpListener::bind("127.0.0.1:0").await else {
            return ExitCode::FAILURE;
        };
        let Ok(address) = listener.local_addr() else {
            return ExitCode::FAILURE;
        };
        println!("http://{address}");
        let _ = axum::serve(listener, router).await;
        ExitCode::SUCCESS
    })
}
