//! Progress: bars on a terminal, a plain line now and then in a pipe, nothing beside a JSON document.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Output;
use crate::terminal;

/// How often a pipe gets a line.
const EVERY: Duration = Duration::from_secs(5);

enum Kind {
    Quiet,
    Bar,
    Lines,
}

/// What a running command shows of itself.
pub(crate) struct Display {
    kind: Kind,
    what: Mutex<&'static str>,
    bar: ProgressBar,
    said: Mutex<Instant>,
    through: AtomicU64,
}

impl Display {
    /// `what` is being done: "migrating", "verifying".
    #[expect(clippy::disallowed_methods, reason = "a terminal is paced by the wall clock, not by a simulated one")]
    pub(crate) fn new(what: &'static str, output: &Output) -> Display {
        let kind = match (output.json, std::io::stderr().is_terminal()) {
            (true, _) => Kind::Quiet,
            (false, true) => Kind::Bar,
            (false, false) => Kind::Lines,
        };
        let bar = if matches!(kind, Kind::Bar) { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg:22} [{bar:40}] {pos}/{len} {elapsed_precise}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Display { kind, what: Mutex::new(what), bar, said: Mutex::new(Instant::now()), through: AtomicU64::new(0) }
    }

    #[expect(clippy::disallowed_methods, reason = "a terminal is paced by the wall clock, not by a simulated one")]
    fn show(&self, through: u64, known: Option<u64>) {
        self.bar.set_length(known.unwrap_or(through));
        self.bar.set_position(through);
        if !matches!(self.kind, Kind::Lines) {
            return;
        }
        if let Ok(mut said) = self.said.lock()
            && said.elapsed() >= EVERY
        {
            *said = Instant::now();
            let what = self.what.lock().map_or("working", |what| *what);
            let of = known.map(|known| format!(" of {known}")).unwrap_or_default();
            terminal::tell(&format!("{what}: {through}{of}"));
        }
    }
}

/// Takes the bar away.
impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl migrator::Progress for Display {
    fn update(&self, known: u64, through: u64) {
        self.show(through, Some(known));
    }
}

impl verifier::Progress for Display {
    fn begin(&self, stage: verifier::Stage, total: Option<u64>) {
        if let Ok(mut what) = self.what.lock() {
            *what = stage.name();
        }
        self.bar.set_message(stage.name());
        self.through.store(0, Ordering::Relaxed);
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_position(0);
    }

    fn say(&self, line: &str) {
        if !matches!(self.kind, Kind::Quiet) {
            self.bar.suspend(|| terminal::tell(line));
        }
    }

    fn advance(&self, steps: u64) {
        let through = self.through.fetch_add(steps, Ordering::Relaxed) + steps;
        self.show(through, self.bar.length());
    }
}
