//! Anybody's migrator, as a command: docs/guide/test-your-own-migrator.md says what it gets and
//! what it is held to.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use platforms::clock::Clock;
use simulator::Ingest;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use super::{Migrated, Starts};
use crate::ending::Ending;
use crate::environment::Time;
use crate::narrator::Narrator;
use crate::options::{Command, Options, Refusal};
use crate::running_scenario::RunningScenario;

/// How often a running command is looked at: a kill "after so many requests" comes as soon as this
/// after them.
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

impl RunningScenario {
    pub(super) async fn migrate_by_command(
        &self,
        options: &Options,
        command: &Command,
        time: Time,
        narrator: &dyn Narrator,
    ) -> Result<Migrated, Refusal> {
        let mut starts = Starts::of(self);
        let said = self.dir.join("migrator.out");
        let complained = self.dir.join("migrator.err");
        let broken = |error: std::io::Error| Refusal {
            ending: Ending::Stopped,
            sentence: format!("`{}`: {error}", command.line),
        };
        for attempt in 1_u32.. {
            let kill = starts.kills.next();
            let mut child = self
                .spawn(command, time, attempt, options.seed)
                .map_err(broken)?;
            let out = child
                .stdout
                .take()
                .map(|pipe| tokio::spawn(keep(pipe, said.clone())));
            let errors = child
                .stderr
                .take()
                .map(|pipe| tokio::spawn(keep(pipe, complained.clone())));
            let end = self.watch(&mut child, command, kill, options).await;
            for keeping in [out, errors].into_iter().flatten() {
                kept(keeping).await.map_err(broken)?;
            }
            let end = end.map_err(broken)?;
            match end {
                End::Killed => narrator.say(&format!(
                    "  the migrator was killed after {} requests, and started again",
                    kill.unwrap_or_default()
                )),
                End::Interrupted => {
                    return Err(Refusal {
                        ending: Ending::Stopped,
                        sentence: "interrupted".to_owned(),
                    });
                }
                End::TooLong => {
                    let sentence = format!(
                        "still at work after {} s, and killed for it",
                        command.limit.as_secs()
                    );
                    return Ok(Migrated::told(Ending::OurBug, sentence));
                }
                End::Exited(code) => {
                    let ending = code
                        .and_then(|code| Ending::of_code(u8::try_from(code).ok()?))
                        .unwrap_or(Ending::OurBug);
                    let sentence = last_line(&said).unwrap_or_else(|| "it said nothing".to_owned());
                    if starts.again(ending) {
                        narrator.say(&format!(
                            "  the migrator stopped: {sentence}; started again"
                        ));
                        continue;
                    }
                    if matches!(ending, Ending::OurBug | Ending::BadCall) {
                        last_lines(&complained)
                            .iter()
                            .for_each(|line| narrator.say(&format!("  migrator.err: {line}")));
                    }
                    let sentence = if code == Some(127) {
                        format!(
                            "`{}`: the shell finds no such command; check its path and spelling",
                            command.line
                        )
                    } else {
                        sentence
                    };
                    let code =
                        code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                    return Ok(Migrated::told(ending, format!("{sentence} ({code})")));
                }
            }
        }
        Ok(Migrated::told(
            Ending::OurBug,
            "it was started too often".to_owned(),
        ))
    }

    fn spawn(
        &self,
        command: &Command,
        time: Time,
        attempt: u32,
        seed: Option<u64>,
    ) -> std::io::Result<Child> {
        let mut shell = tokio::process::Command::new("sh");
        shell
            .arg("-c")
            .arg(&command.line)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own, so that what the shell starts is killed with it.
        #[cfg(unix)]
        shell.process_group(0);
        for (name, value) in self.environment(time, attempt, seed)? {
            shell.env(format!("REHEARSAL_{name}"), value);
        }
        shell.spawn()
    }

    async fn watch(
        &self,
        child: &mut Child,
        command: &Command,
        kill: Option<u64>,
        options: &Options,
    ) -> std::io::Result<End> {
        let (clock, before) = (Clock::real(), self.simulator.requests());
        let deadline_ms =
            clock.now_ms() + i64::try_from(command.limit.as_millis()).unwrap_or(i64::MAX / 2);
        loop {
            if let Some(status) = clock.timeout(LOOK, child.wait()).await {
                return Ok(End::Exited(status?.code()));
            }
            let end = if kill.is_some_and(|kill| self.simulator.requests() - before >= kill) {
                End::Killed
            } else if clock.now_ms() >= deadline_ms {
                End::TooLong
            } else if options
                .interrupt
                .as_ref()
                .is_some_and(|interrupt| *interrupt.borrow())
            {
                End::Interrupted
            } else {
                continue;
            };
            kill_group(child).await?;
            return Ok(end);
        }
    }

    /// What the command is told, without the prefix `REHEARSAL_`.
    fn environment(
        &self,
        time: Time,
        attempt: u32,
        seed: Option<u64>,
    ) -> std::io::Result<Vec<(String, String)>> {
        let (simulator, plan) = (&self.simulator, &self.plan.plan);
        let (setup, addresses, credentials) = (
            simulator.setup(),
            simulator.addresses(),
            simulator.credentials(),
        );
        let work = std::path::absolute(self.dir.join("work"))?;
        let own = work.join("migrator");
        output::private::folder(&own)?;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut all: Vec<(String, String)> = Vec::new();
        let mut tell = |name: &str, value: String| all.push((name.to_owned(), value));
        tell("SCENARIO", setup.name.clone());
        tell("SEED", seed.unwrap_or(setup.seed).to_string());
        tell("ATTEMPT", attempt.to_string());
        tell("TARGET", setup.target.as_str().to_owned());
        tell(
            "INGEST",
            if setup.ingest == Ingest::Public {
                "public"
            } else {
                "guide"
            }
            .to_owned(),
        );
        tell("CLOCK", time.to_string());
        tell(
            "CLOCK_FACTOR",
            if let Time::Scaled(factor) = time {
                factor.to_string()
            } else {
                "1".to_owned()
            },
        );
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
                tell(
                    &format!("MAPPING_{name}"),
                    text(std::path::absolute(self.plan.resolve_path(table))?),
                );
            }
        }
        tell("LEGACY_MEDIA_URL", addresses.legacy_media.clone());
        for (name, url) in addresses.named() {
            tell(&format!("{}_URL", name.to_uppercase()), url.to_owned());
        }
        for (name, client) in credentials
            .clients()
            .map(|(name, client)| (name.to_uppercase(), client))
        {
            tell(&format!("{name}_CLIENT_ID"), client.client_id.clone());
            tell(
                &format!("{name}_CLIENT_SECRET"),
                client.client_secret.clone(),
            );
        }
        for (name, account) in credentials
            .accounts()
            .map(|(name, account)| (name.to_uppercase(), account))
        {
            tell(&format!("{name}_USERNAME"), account.username.clone());
            tell(&format!("{name}_PASSWORD"), account.password.clone());
        }
        Ok(all)
    }
}

impl Migrated {
    /// A command tells an exit code and a sentence, and no counts.
    fn told(ending: Ending, sentence: String) -> Migrated {
        Migrated {
            ending,
            sentence,
            aside: None,
            interactions: 0,
            recordings: 0,
            finished: None,
        }
    }
}

/// SIGKILL to the command and whatever it started. `kill` is asked, for a signal to a group needs a
/// call that is not safe.
async fn kill_group(child: &mut Child) -> std::io::Result<()> {
    if let Some(id) = child.id() {
        let _ = tokio::process::Command::new("kill")
            .args(["-KILL", "--", &format!("-{id}")])
            .stderr(Stdio::null())
            .status()
            .await;
    }
    child.kill().await
}

/// Of what a start prints, so much from its beginning and so much from its end are kept: enough to
/// see how it went wrong, and no disk is filled. Bytes.
const KEPT: usize = 8 * 1024 * 1024;

/// Appends what comes to a file, with the middle left out where there is more than twice [`KEPT`].
/// Reads on to the end, so that nobody is held up.
async fn keep(mut pipe: impl AsyncRead + Unpin, path: PathBuf) -> std::io::Result<()> {
    let mut file = output::private::append(&path)?;
    let (mut buffer, mut head, mut tail, mut left_out) =
        (vec![0; 64 * 1024], 0, VecDeque::with_capacity(0), 0_u64);
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let (first, rest) = buffer[..read].split_at(read.min(KEPT - head));
        file.write_all(first)?;
        head += first.len();
        tail.extend(rest);
        let over = tail.len().saturating_sub(KEPT);
        tail.drain(..over);
        left_out += over as u64;
    }
    if left_out > 0 {
        writeln!(file, "\n[... {left_out} bytes are left out here ...]")?;
    }
    file.write_all(tail.make_contiguous())
}

/// Waits for what is still in the pipe. Somebody the command has started and left behind may hold
/// it open: that is not waited for.
async fn kept(mut keeping: tokio::task::JoinHandle<std::io::Result<()>>) -> std::io::Result<()> {
    match Clock::real()
        .timeout(Duration::from_secs(2), &mut keeping)
        .await
    {
        Some(kept) => kept.unwrap_or_else(|error| Err(std::io::Error::other(error))),
        None => {
            keeping.abort();
            Ok(())
        }
    }
}

/// The end of a file: its last lines with anything on them, each cut to what a terminal shows.
fn last_lines(path: &Path) -> Vec<String> {
    const END: u64 = 64 * 1024;
    let end = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let from = file.metadata()?.len().saturating_sub(END);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(END).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = end().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(5)
        .map(|line| line.chars().take(500).collect())
        .collect();
    lines.reverse();
    lines
}

/// The last line with anything on it.
fn last_line(path: &Path) -> Option<String> {
    last_lines(path).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_flood_head_and_tail_are_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("migrator.out");
        let flood = [
            b"first\n".to_vec(),
            vec![b'x'; 3 * KEPT],
            b"\nlast\n".to_vec(),
        ]
        .concat();
        keep(flood.as_slice(), path.clone()).await.expect("kept");
        let bytes = std::fs::read(&path).expect("there");
        assert!(
            bytes.len() < 2 * KEPT + 100 && bytes.starts_with(b"first\n"),
            "{} bytes",
            bytes.len()
        );
        assert_eq!(last_line(&path).as_deref(), Some("last"));
        keep(&b"short\n"[..], path.clone()).await.expect("kept");
        assert_eq!(
            last_lines(&path).len(),
            3,
            "the end of the flood is one line, before the last two"
        );
    }
}
