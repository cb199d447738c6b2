//! The built binary as a user has it: simulators in one process, migrator and verifier in others,
//! the control API between them.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test file uses its part of this"
)]

mod http;
mod redact;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use http::{http, reqwest_client, send};
pub(crate) use redact::{redacted, shape};

/// Everything a source can bring, in so few calls that a migration takes about a second.
pub(crate) const FULL_WORLD: &str = r#"
[world]
interactions = 60
agents = 14
unmapped_agents = 1
re_used_agents = 2
queues = 5
unmapped_queues = 1
transfer_share = 0.25
stereo_share = 0.5
masked_share = 0.1
pause_share = 0.3
hold_share = 0.2
reversed_share = 0.1
recorder_nodes = 3
drift_ms = [0, -73000, 1500]
codecs = ["pcm", "mulaw", "alaw", "adpcm", "mp3", "amr", "gsm"]
expired = 2

[world.bad_media]
empty = 1
html = 1
noise = 1
undecodable = 1
truncated = 1
short = 1
"#;

/// Limits off, so that nothing waits.
pub(crate) const NO_LIMITS: &str = "
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
";

/// A scenario file of this seed; its expectations are those of [`FULL_WORLD`].
pub(crate) fn scenario(seed: u64, body: &str) -> String {
    format!(
        "about = \"A test.\"\nseed = {seed}\n{body}{NO_LIMITS}
[expect]
migrator = \"quarantined\"
verdict = \"match\"
quarantined = {{ audio_empty = 1, audio_not_audio = 2, audio_undecodable = 1, audio_short = 2 }}
skipped = {{ expired = 2 }}
"
    )
}

/// What a command said and how it ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as the one JSON document it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The last line of standard output that is not where a report lies.
    pub(crate) fn sentence(&self) -> &str {
        self.stdout
            .lines()
            .rfind(|line| !line.starts_with("Report: "))
            .unwrap_or_default()
    }

    pub(crate) fn ends(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit code {}\n-- stdout\n{}\n-- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// The binary with a clean environment.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEATRIAL_")) {
        command.env_remove(name);
    }
    command.current_dir(dir);
    command
}

/// Runs the binary in a folder.
pub(crate) fn seatrial(dir: &Path, arguments: &[&str]) -> Run {
    let output = command(dir)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// A verification and its report.
pub(crate) struct Verification {
    pub(crate) run: Run,
    pub(crate) summary: Value,
    pub(crate) findings: Vec<Value>,
    pub(crate) requests: Vec<Value>,
}

impl Verification {
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.summary["counts"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("no count {name} in {}", self.summary))
    }

    /// Whether source recordings are the sum of their buckets.
    pub(crate) fn adds_up(&self) -> bool {
        let buckets = [
            "matched",
            "different",
            "missing",
            "quarantined",
            "skipped",
            "not_verifiable",
        ];
        self.count("source_recordings") == buckets.iter().map(|name| self.count(name)).sum::<u64>()
    }

    /// No finding, and everything that is needed is told.
    pub(crate) fn cannot_tell(&self, what: &str, needed: &str) {
        assert_eq!(
            (self.run.code, &self.findings),
            (21, &Vec::new()),
            "{what}: {}",
            self.run
        );
        assert!(
            self.adds_up()
                && self.count("missing") + self.count("different") + self.count("extra") == 0,
            "{what}"
        );
        assert!(self.run.stdout.contains(needed), "{what}: {}", self.run);
    }
}

/// `seatrial simulate` on a scenario, with a plan that fits, in a folder of its own. Gone on drop.
pub(crate) struct Simulation {
    folder: TempDir,
    process: Child,
    scenario: String,
    pub(crate) addresses: Value,
}

impl Simulation {
    /// Starts the simulators and returns once they serve.
    pub(crate) fn start(scenario: &str) -> Simulation {
        Simulation::start_with(scenario, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(scenario: &str, more: &[&str]) -> Simulation {
        let folder = TempDir::new().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("scenario.toml"), scenario).expect("a scenario");
        let arguments = [
            "simulate",
            "scenario.toml",
            "--addresses",
            "addresses.json",
            "--plan",
            "plan.toml",
        ];
        let said = File::create(file("simulate.stderr")).expect("a log");
        let mut process = command(folder.path())
            .args(arguments)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said)
            .spawn()
            .expect("simulators");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let serves = stdout
            .lines()
            .map_while(Result::ok)
            .any(|line| line.starts_with("serving"));
        if !serves {
            let _ = process.kill();
            let _ = process.wait();
            panic!(
                "simulate ended: {}\n{scenario}",
                read(&file("simulate.stderr"))
            );
        }
        let addresses = serde_json::from_str(&read(&file("addresses.json"))).expect("addresses");
        Simulation {
            folder,
            process,
            scenario: scenario.to_owned(),
            addresses,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Runs the binary in this folder.
    pub(crate) fn seatrial(&self, arguments: &[&str]) -> Run {
        seatrial(self.dir(), arguments)
    }

    pub(crate) fn migrate(&self, more: &[&str]) -> Run {
        self.seatrial(&[&["migrate", "plan.toml"], more].concat())
    }

    /// A migration that comes to its end.
    pub(crate) fn migrated(&self) -> Run {
        let run = self.migrate(&[]);
        assert!([0, 10].contains(&run.code), "{run}\n{}", self.story());
        run
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Verification {
        let _ = std::fs::remove_dir_all(self.file("report"));
        let run = self.seatrial(&[&["verify", "plan.toml", "--report", "report"], more].concat());
        let summary = File::open(self.file("report/summary.json"))
            .map(|file| serde_json::from_reader(file).expect("summary.json"));
        let Ok(summary) = summary else {
            panic!("no verdict: {run}\n{}", self.story())
        };
        let (findings, requests) = (
            lines(&self.file("report/findings.jsonl")),
            lines(&self.file("report/requests.jsonl")),
        );
        Verification {
            run,
            summary,
            findings,
            requests,
        }
    }

    /// Plants a defect; the planted entries, or the refusal in words.
    pub(crate) fn tamper(
        &self,
        defect: &str,
        count: usize,
        seed: u64,
    ) -> Result<Vec<Value>, String> {
        let (status, answer) = self.post(
            "/_sim/tamper",
            &serde_json::json!({"defect": defect, "count": count, "seed": seed}),
        );
        if status == 200 {
            Ok(answer["planted"].as_array().expect("planted").clone())
        } else {
            Err(answer["error"].to_string())
        }
    }

    /// Sends JSON to the control API.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = http(
            self.addresses["control"].as_str().expect("control"),
            "POST",
            path,
            &body.to_string(),
        );
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Text from the control API.
    pub(crate) fn get(&self, path: &str) -> String {
        let (status, text) = http(
            self.addresses["control"].as_str().expect("control"),
            "GET",
            path,
            "",
        );
        assert_eq!(status, 200, "GET {path}: {text}");
        text
    }

    /// Asks Genesys Cloud itself, as a client with a token of its own.
    pub(crate) fn genesys_cloud(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let address = self.addresses["genesys_cloud"]
            .as_str()
            .expect("genesys_cloud");
        let credentials: Value =
            serde_json::from_str(&self.get("/_sim/credentials")).expect("credentials");
        let part = |name: &str| {
            credentials["genesys_cloud"][name]
                .as_str()
                .expect("a credential")
                .to_owned()
        };
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            part("client_id"),
            part("client_secret")
        );
        let (_, token) = send(
            address,
            "POST",
            "/oauth/token",
            &[("content-type", "application/x-www-form-urlencoded")],
            &form,
        );
        let token: Value = serde_json::from_str(&token).expect("a token");
        let bearer = token["access_token"].as_str().expect("a token");
        let headers = [
            ("authorization", &*format!("Bearer {bearer}")),
            ("content-type", "application/json"),
        ];
        let (status, text) = send(address, method, path, &headers, &body.to_string());
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// What a platform really holds.
    pub(crate) fn truth(&self, platform: &str) -> Vec<Value> {
        self.get(&format!("/_sim/truth/{platform}"))
            .lines()
            .map(|line| serde_json::from_str(line).expect("truth"))
            .collect()
    }

    /// What a failing test tells: the scenario with its seed, and the last lines of the journal.
    pub(crate) fn story(&self) -> String {
        let address = self.addresses["control"].as_str().unwrap_or_default();
        let journal = http(address, "GET", "/_sim/journal?limit=10000", "").1;
        let journal: Vec<&str> = journal.lines().collect();
        format!(
            "-- scenario\n{}\n-- journal\n{}\n",
            self.scenario,
            journal[journal.len().saturating_sub(8)..].join("\n")
        )
    }
}

impl Drop for Simulation {
    #[expect(
        clippy::print_stderr,
        reason = "told with the failure of the test that is ending"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The plan's folder as the simulator wrote it, to be damaged.
pub(crate) fn copied(simulation: &Simulation) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for name in ["mapping", "secrets", "staging"] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let tables =
        ["agents", "queues", "skills", "wrapups"].map(|name| format!("mapping/{name}.csv"));
    let secrets = ["source", "target"].map(|name| format!("secrets/{name}"));
    for name in tables
        .iter()
        .chain(&secrets)
        .map(String::as_str)
        .chain(["plan.toml"])
    {
        std::fs::copy(simulation.file(name), folder.path().join(name)).expect("a copy");
    }
    // Ledger and staging of its own.
    let (old, new) = (
        simulation.dir().canonicalize().expect("a path"),
        folder.path().canonicalize().expect("a path"),
    );
    replace_all(
        folder.path(),
        "plan.toml",
        &old.display().to_string(),
        &new.display().to_string(),
    );
    folder
}

/// Wherever it stands.
pub(crate) fn replace_all(dir: &Path, file: &str, old: &str, new: &str) {
    let path = dir.join(file);
    let text = read(&path);
    assert!(text.contains(old), "{file} has no {old}:\n{text}");
    std::fs::write(path, text.replace(old, new)).expect("written");
}

/// Where it stands first.
pub(crate) fn replace(dir: &Path, file: &str, old: &str, new: &str) {
    let path = dir.join(file);
    let text = read(&path);
    assert!(text.contains(old), "{file} has no {old}:\n{text}");
    std::fs::write(path, text.replacen(old, new, 1)).expect("written");
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of JSON lines.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    read(path)
        .lines()
        .map(|line| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()))
        })
        .collect()
}
