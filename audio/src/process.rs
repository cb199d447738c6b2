//! Another program at work: without a shell and with an empty environment, bounded in time, and
//! ended with everything it has started when nobody reads on.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

/// What matters of a WAV header's chunk stands at its beginning. Bytes.
const FORM_BYTES: u64 = 64;
/// Messages kept: the last are the ones that say why. Bytes.
const MESSAGE_BYTES: usize = 64 * 1024;

/// The program of this name, by the `PATH`.
pub(crate) fn find_on_path(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let is_program = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute())
        .collect();
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(is_program)
}

/// Channels and rate, from the header of WAV that is written to a pipe; then the samples follow.
pub(crate) fn wav_header(out: &mut impl Read) -> Option<(usize, u32)> {
    let mut head = [0; 12];
    out.read_exact(&mut head).ok()?;
    let mut found = None;
    loop {
        let mut chunk = [0; 8];
        out.read_exact(&mut chunk).ok()?;
        let size = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        if chunk.starts_with(b"data") {
            return found;
        }
        let mut whole = out.take(u64::from(size) + u64::from(size % 2));
        let mut body = Vec::new();
        (&mut whole).take(FORM_BYTES).read_to_end(&mut body).ok()?;
        io::copy(&mut whole, &mut io::sink()).ok()?;
        if chunk.starts_with(b"fmt ") {
            let channels = u16::from_le_bytes(body.get(2..4)?.try_into().ok()?);
            found = Some((
                channels.into(),
                u32::from_le_bytes(body.get(4..8)?.try_into().ok()?),
            ));
        }
    }
}

/// A program's input: a file without a name, for its owner alone, at its beginning; and its length.
/// Bytes.
pub(crate) fn unnamed_input(from: &mut impl Read) -> io::Result<(std::fs::File, u64)> {
    let mut file = tempfile::tempfile()?;
    let bytes = io::copy(from, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok((file, bytes))
}

/// The running program; ended with everything it has started when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Absent after the end.
    pub(crate) out: Option<ChildStdout>,
    messages: Option<JoinHandle<Vec<u8>>>,
    /// Dropped to call off the watch.
    watch: Option<Sender<()>>,
    late: Arc<AtomicBool>,
}

/// How a program ended.
pub(crate) struct ExitReport {
    /// What it said, the middle of much left out.
    pub(crate) messages: Vec<u8>,
    /// With the status of success.
    pub(crate) succeeded: bool,
    /// It was ended because its time was over.
    pub(crate) timed_out: bool,
}

impl Process {
    /// Starts it, to run for so long at most.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        input: Stdio,
        limit: Duration,
    ) -> io::Result<Process> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .process_group(0);
        command.envs(
            ["PATH", "LD_LIBRARY_PATH"]
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(out), Some(mut messages)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("it has no output"));
        };
        let group = group(&child);
        let late = Arc::new(AtomicBool::new(false));
        let (watch, called_off) = channel::<()>();
        let is_late = late.clone();
        spawn(move || {
            if called_off.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                is_late.store(true, Ordering::SeqCst);
                end_group(group);
            }
        });
        let messages = spawn(move || tail(&mut messages));
        Ok(Process {
            child,
            out: Some(out),
            messages: Some(messages),
            watch: Some(watch),
            late,
        })
    }

    /// Waits for the end, which the watch bounds, and says how it went.
    pub(crate) fn end(&mut self) -> ExitReport {
        // Whoever ends the reading early is not interested in what else would come.
        self.out = None;
        let messages = self
            .messages
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        let succeeded = self.child.wait().is_ok_and(|status| status.success());
        self.watch = None;
        ExitReport {
            messages,
            succeeded,
            timed_out: self.late.load(Ordering::SeqCst),
        }
    }

    #[cfg(test)]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `end` it is no more, and its number may be another's.
        if self.watch.take().is_some() {
            end_group(group(&self.child));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn group(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

fn end_group(group: Option<Pid>) {
    if let Some(group) = group {
        // Gone already is as good.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The last of what is said.
fn tail(messages: &mut impl Read) -> Vec<u8> {
    let (mut kept, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count) = messages.read(&mut piece) {
        if count == 0 {
            break;
        }
        // The beginning says what the file is, the end what became of it: what is too much goes
        // from the middle.
        if kept.len() + count > MESSAGE_BYTES {
            kept.drain(MESSAGE_BYTES / 2..MESSAGE_BYTES / 2 + count);
        }
        kept.extend_from_slice(&piece[..count]);
    }
    kept
}
