//! Anybody's migrator, as a command: docs/test-your-own-migrator.md says what it gets and what it is held to.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use platforms::clock::Clock;
use simulator::{Ingest, TargetKind};
use tokio::process::Child;

use super::{Migrated, Starts};
use crate::ending::Ending;
use crate::narrator::Narrator;
use crate::run::{Options, Refusal, Stage};
use crate::surroundings::Time;

/// A migrator that is a command.
#[derive(Debug, Clone)]
pub struct Command {
    /// For `sh -c`.
    pub line: String,
    /// Longest it may run at a start, on this machine's clock; then it is killed, and has failed.
    pub limit: Duration,
}

/// How often a running command is looked at: a kill "after so many requests" comes as soon as this after them.
const LOOK: Duration = Duration::from_millis(5);

enum End {
    /// By itself, with this code; absent: by a signal.
    Exited(Option<i32>),
    /// By us, as the scenario wanted.
    Killed,
    /// By us: it took too long.
    TooLong,
    Interrupted,
}

impl Stage {
    pub(super) async fn migrate_by_command(
        &self,
        options: &Options,
        command: &Command,
        time: Time,
        narrator: &dyn Narrator,
    ) -> Result<Migrated, Refusal> {
        let mut starts = Starts::of(self);
        let said = self.dir.join("migrator.out");
        let broken = |error: std::io::Error| Refusal { ending: Ending::Stopped, sentence: format!("`{}`: {error}", command.line) };
        for attempt in 1_u32.. {
            let kill = starts.kills.next();
            let mut child = self.start(command, time, attempt, &said, options.seed).map_err(broken)?;
            let end = self.watch(&mut child, command, kill, options).await.map_err(broken)?;
            match end {
                End::Killed => {
                    narrator.say(&format!("  the migrator was killed after {} requests, and started again", kill.unwrap_or_default()))
                }
                End::Interrupted => return Err(Refusal { ending: Ending::Stopped, sentence: "interrupted".to_owned() }),
                End::TooLong => {
                    let sentence = format!("still at work after {} s, and killed for it", command.limit.as_secs());
                    return Ok(Migrated::told(Ending::OurBug, sentence));
                }
                End::Exited(code) => {
                    let ending = code.and_then(|code| Ending::of_code(u8::try_from(code).ok()?)).unwrap_or(Ending::OurBug);
                    let sentence = last_line(&said).unwrap_or_else(|| "it said nothing".to_owned());
                    if starts.again(ending) {
                        narrator.say(&format!("  the migrator stopped: {sentence}; started again"));
                        continue;
                    }
                    let code = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                    return Ok(Migrated::told(ending, format!("{sentence} ({code})")));
                }
            }
        }
        Ok(Migrated::told(Ending::OurBug, "it was started too often".to_owned()))
    }

    fn start(&self, command: &Command, time: Time, attempt: u32, said: &Path, seed: Option<u64>) -> std::io::Result<Child> {
        let out = File::options().create(true).append(true).open(said)?;
        let errors = File::options().create(true).append(true).open(self.dir.join("migrator.err"))?;
        let mut shell = tokio::process::Command::new("sh");
        shell.arg("-c").arg(&command.line).stdin(Stdio::null()).stdout(out).stderr(errors).kill_on_drop(true);
        // A group of its own, so that what the shell starts is killed with it.
        #[cfg(unix)]
        shell.process_group(0);
        for (name, value) in self.environment(time, attempt, seed)? {
            shell.env(format!("REHEARSAL_{name}"), value);
        }
        shell.spawn()
    }

    async fn watch(&self, child: &mut Child, command: &Command, kill: Option<u64>, options: &Options) -> std::io::Result<End> {
        let (clock, before) = (Clock::real(), self.simulator.requests());
        let deadline_ms = clock.now_ms() + i64::try_from(command.limit.as_millis()).unwrap_or(i64::MAX / 2);
        loop {
            if let Some(status) = clock.timeout(LOOK, child.wait()).await {
                return Ok(End::Exited(status?.code()));
            }
            let end = if kill.is_some_and(|kill| self.simulator.requests() - before >= kill) {
                End::Killed
            } else if clock.now_ms() >= deadline_ms {
                End::TooLong
            } else if options.interrupt.as_ref().is_some_and(|interrupt| *interrupt.borrow()) {
                End::Interrupted
            } else {
                continue;
            };
            kill_group(child).await?;
            return Ok(end);
        }
    }

    /// What the command is told, without the prefix `REHEARSAL_`.
    fn environment(&self, time: Time, attempt: u32, seed: Option<u64>) -> std::io::Result<Vec<(String, String)>> {
        let (simulator, plan) = (&self.simulator, &self.plan.plan);
        let (scenario, addresses, credentials) = (simulator.scenario(), simulator.addresses(), simulator.credentials());
        let work = std::path::absolute(self.dir.join("work"))?;
        let own = work.join("migrator");
        output::private::folder(&own)?;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut all: Vec<(String, String)> = Vec::new();
        let mut tell = |name: &str, value: String| all.push((name.to_owned(), value));
        tell("SCENARIO", scenario.name.clone());
        tell("SEED", seed.unwrap_or(scenario.seed).to_string());
        tell("ATTEMPT", attempt.to_string());
        tell("TARGET", if scenario.target == TargetKind::Gir { "gir" } else { "genesys_cloud" }.to_owned());
        tell("INGEST", if scenario.ingest == Ingest::Public { "public" } else { "guide" }.to_owned());
        tell("CLOCK", time.to_string());
        tell("CLOCK_FACTOR", if let Time::Scaled(factor) = time { factor.to_string() } else { "1".to_owned() });
        tell("NAMESPACE", plan.identity.namespace.clone());
        tell("PLAN", text(work.join("plan.toml")));
        tell("WORK", text(own));
        for (name, table) in [
            ("AGENTS", Some(&plan.mapping.agents)),
            ("QUEUES", Some(&plan.mapping.queues)),
            ("SKILLS", plan.mapping.skills.as_ref()),
            ("WRAPUPS", plan.mapping.wrapups.as_ref()),
        ] {
            if let Some(table) = table {
                tell(&format!("MAPPING_{name}"), text(std::path::absolute(self.plan.resolve_path(table))?));
            }
        }
        tell("LEGACY_URL", addresses.legacy.clone());
        tell("LEGACY_MEDIA_URL", addresses.legacy_media.clone());
        tell("GENESYS_CLOUD_URL", addresses.genesys_cloud.clone());
        tell("CONTROL_URL", addresses.control.clone());
        for (name, url) in [("GIR", &addresses.gir), ("WEBDAV", &addresses.webdav), ("SPEECHMINER", &addresses.speechminer)] {
            tell(&format!("{name}_URL"), url.clone().unwrap_or_default());
        }
        for (name, client) in [("LEGACY", &credentials.legacy), ("GENESYS_CLOUD", &credentials.genesys_cloud)] {
            tell(&format!("{name}_CLIENT_ID"), client.client_id.clone());
            tell(&format!("{name}_CLIENT_SECRET"), client.client_secret.clone());
        }
        for (name, account) in [("GIR", &credentials.gir), ("WEBDAV", &credentials.webdav), ("SPEECHMINER", &credentials.speechminer)] {
            tell(&format!("{name}_USERNAME"), account.username.clone());
            tell(&format!("{name}_PASSWORD"), account.password.clone());
        }
        Ok(all)
    }
}

impl Migrated {
    /// A command tells an exit code and a sentence, and no counts.
    fn told(ending: Ending, sentence: String) -> Migrated {
        Migrated { ending, sentence, aside: None, interactions: 0, recordings: 0, finished: None }
    }
}

/// SIGKILL to the command and whatever it started. `kill` is asked, for a signal to a group needs a call that is not safe.
async fn kill_group(child: &mut Child) -> std::io::Result<()> {
    if let Some(id) = child.id() {
        let _ = tokio::process::Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).stderr(Stdio::null()).status().await;
    }
    child.kill().await
}

/// The last line with anything on it.
fn last_line(path: &Path) -> Option<String> {
    let text = String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned();
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(500).collect())
}
