//! A simulator as a process of its own, on a scenario given as text.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::http;
use crate::report::Failure;

/// A fault in short: operation, kind, attempt, share of the keys.
pub(crate) type FaultRow = (&'static str, &'static str, u32, f64);

/// The line of a scenario that says where to, and by which surface.
pub(crate) const BY_GUIDE: &str = "target = \"genesys_cloud\"\ningest = \"guide\"";
/// By the public ingestion.
pub(crate) const BY_PUBLIC: &str = "target = \"genesys_cloud\"\ningest = \"public\"";
/// Into Interaction Recording.
pub(crate) const INTO_GIR: &str = "target = \"gir\"";

/// A scenario towards one target: `TARGET` and `FAULTS` filled in.
pub(crate) fn towards(scenario: &str, target: &str, faults: &[FaultRow]) -> String {
    let fault = |(on, kind, attempt, share): &FaultRow| {
        format!(
            "[[fault]]\non = \"{on}\"\nkind = \"{kind}\"\nshare = {share:?}\nattempts = \
             [{attempt}]\n"
        )
    };
    scenario
        .replace("TARGET", target)
        .replace("FAULTS", &faults.iter().map(fault).collect::<String>())
}

/// The command under proof.
pub(crate) fn seatrial() -> Command {
    Command::new(env!("CARGO_BIN_EXE_seatrial"))
}

/// A running `seatrial simulate` with a plan that fits. Killed on drop.
pub(crate) struct Simulation {
    child: Child,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) plan: PathBuf,
    pub(crate) addresses: Value,
}

impl Simulation {
    pub(crate) fn start(scenario: &str, seed: u64) -> Result<Simulation, Failure> {
        let dir = tempfile::tempdir().map_err(Failure::new)?;
        let file = dir.path().join("scenario.toml");
        std::fs::write(&file, scenario).map_err(Failure::new)?;
        let (addresses, plan) = (
            dir.path().join("addresses.json"),
            dir.path().join("plan/plan.toml"),
        );
        let mut command = seatrial();
        command
            .arg("simulate")
            .arg(&file)
            .arg("--seed")
            .arg(seed.to_string());
        command
            .arg("--addresses")
            .arg(&addresses)
            .arg("--plan")
            .arg(&plan);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::new)?;
        let mut simulation = Simulation {
            child,
            dir,
            plan,
            addresses: Value::Null,
        };
        simulation.addresses = simulation.wait_for(&addresses)?;
        Ok(simulation)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a process is waited for by the wall clock"
    )]
    fn wait_for(&mut self, file: &Path) -> Result<Value, Failure> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if let Ok(text) = std::fs::read_to_string(file) {
                return serde_json::from_str(&text).map_err(Failure::new);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Failure::new(format!("simulate ended at once: {status}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new("simulate did not start within 30 s"))
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A document of the control API.
    pub(crate) fn control(&self, path: &str) -> Result<String, Failure> {
        let base = self.addresses["control"].as_str().unwrap_or_default();
        match http(base, "GET", path, "") {
            (200, text) => Ok(text),
            (status, text) => Err(Failure::new(format!("GET {base}{path}: {status} {text}"))),
        }
    }

    /// Verifies, and answers the exit code and the last lines said.
    pub(crate) fn verify(&self) -> Result<(i32, String), Failure> {
        let report = self.dir.path().join("report");
        let output = seatrial()
            .arg("verify")
            .arg(&self.plan)
            .arg("--report")
            .arg(report)
            .output()
            .map_err(Failure::new)?;
        Ok((
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
