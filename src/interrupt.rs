//! Ctrl-C, SIGTERM and SIGHUP: the first one ends a command in order, the second one at once.

use rehearsal::Ending;
use tokio::sync::watch;

use crate::terminal;

/// Turns true at the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the process at once.
pub(crate) fn interrupt() -> watch::Receiver<bool> {
    let (say, hear) = watch::channel(false);
    tokio::spawn(async move {
        stop_signal().await;
        terminal::clear_echo();
        terminal::tell("stopping after what is under way; once more to stop at once");
        let _ = say.send(true);
        stop_signal().await;
        terminal::clear_echo();
        let ending = terminal::fail(
            Ending::Stopped,
            "stopped at once, with work under way; what is done is kept, run the same command \
             again",
        );
        std::process::exit(i32::from(terminal::finish(ending).code()));
    });
    hear
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP: a lost connection ends a run as orderly as an order does.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), hangup()) {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                () = hung_up => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// SIGHUP, unless whoever started us said that it is to be ignored, as nohup does. Once we listen
/// it is no longer ignored, so this is asked once.
#[cfg(unix)]
fn hangup() -> std::io::Result<Option<tokio::signal::unix::Signal>> {
    static IGNORED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let ignored = *IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status
            .lines()
            .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        mask.is_some_and(|mask| mask & 1 == 1)
    });
    if ignored {
        Ok(None)
    } else {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map(Some)
    }
}
