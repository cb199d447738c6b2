//! Progress: one line at the foot of a terminal, a plain line now and then in a pipe, nothing
//! beside a JSON document.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::cli::Output;
use crate::terminal;
use crate::watched::Watch;

/// How often a pipe gets a line about progress, and about somebody who is waited for.
const EVERY: Duration = Duration::from_secs(5);
const WAITING_EVERY: Duration = Duration::from_secs(30);
/// How long somebody is waited for before a pipe hears of it: no short disturbance, and within five
/// seconds.
const WAITING_AFTER: Duration = Duration::from_secs(4);
/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(250);
/// As wide as the terminals of old; a wider one shows no more of use.
const WIDEST: usize = 80;
/// Before so much has passed a rate says nothing.
const RATE_AFTER: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Quiet,
    Bar,
    Lines,
}

/// What a line tells.
#[derive(Debug, Clone, Default)]
struct State {
    what: &'static str,
    through: u64,
    /// Of these, what was through before this command began.
    before: Option<u64>,
    /// Absent: not known yet.
    known: Option<u64>,
    quarantined: u64,
    throttled: u64,
    elapsed: Duration,
    /// Who is waited for. Absent: nobody.
    waiting: Option<String>,
}

impl State {
    /// The line, no wider than `width`.
    fn line(&self, width: usize) -> String {
        let of = self
            .known
            .map(|known| format!("/{known}"))
            .unwrap_or_default();
        let counted = if self.through == 0 && self.known.unwrap_or(0) == 0 {
            String::new()
        } else {
            format!(" {}{of}", self.through)
        };
        if let Some(waiting) = &self.waiting {
            return cut(&format!("{}{counted}; {waiting}", self.what), width);
        }
        let mut right = counted.clone();
        let done = self.through - self.before.unwrap_or(0).min(self.through);
        if self.elapsed >= RATE_AFTER && done > 0 {
            let rate = done as f64 / self.elapsed.as_secs_f64();
            right.push_str(&if rate >= 10.0 {
                format!(" {rate:.0}/s")
            } else {
                format!(" {rate:.1}/s")
            });
            if let Some(left) = self
                .known
                .map(|known| known.saturating_sub(self.through))
                .filter(|left| *left > 0)
            {
                right.push_str(&format!(", {} left", words(left as f64 / rate)));
            }
        } else {
            right.push_str(&format!(" {}", words(self.elapsed.as_secs_f64())));
        }
        for (count, what) in [(self.quarantined, "quarantined"), (self.throttled, "x 429")] {
            if count > 0 {
                right.push_str(&format!(", {count} {what}"));
            }
        }
        let room = width
            .saturating_sub(self.what.chars().count() + right.chars().count() + 3)
            .min(30);
        let bar = match self.known {
            Some(known) if room >= 8 && known > 0 => {
                let full = (room as u64 * self.through.min(known) / known) as usize;
                let head = if full < room { ">" } else { "" };
                format!(" [{:<room$}]", format!("{}{head}", "=".repeat(full)))
            }
            _ => String::new(),
        };
        cut(&format!("{}{bar}{right}", self.what), width)
    }
}

fn cut(line: &str, width: usize) -> String {
    line.chars().take(width).collect()
}

/// A duration as people say it, in one unit or two.
fn words(seconds: f64) -> String {
    match seconds as u64 {
        s @ 0..100 => format!("{s} s"),
        s @ 100..6000 => format!("{} min", s / 60),
        s @ 6000..172_800 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        s => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// Shared with the thread that draws.
struct Shared {
    kind: Kind,
    state: Mutex<(State, Instant)>,
    watch: Option<Arc<Watch>>,
    over: Mutex<bool>,
    end: Condvar,
}

/// What a running command shows of itself.
pub(crate) struct Display {
    shared: Arc<Shared>,
    drawing: Option<std::thread::JoinHandle<()>>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a terminal is paced by the wall clock, not by a simulated one"
)]
fn now() -> Instant {
    Instant::now()
}

impl Display {
    /// `what` is being done: "migrating", "verifying". Who is waited for is told where the way to
    /// the platforms is watched.
    pub(crate) fn new(what: &'static str, output: &Output, watch: Option<Arc<Watch>>) -> Display {
        let kind = match (output.json, std::io::stderr().is_terminal()) {
            (true, _) => Kind::Quiet,
            (false, true) => Kind::Bar,
            (false, false) => Kind::Lines,
        };
        let state = State {
            what,
            ..State::default()
        };
        let shared = Shared {
            kind,
            state: Mutex::new((state, now())),
            watch,
            over: Mutex::new(false),
            end: Condvar::new(),
        };
        let shared = Arc::new(shared);
        let drawing = (kind != Kind::Quiet).then(|| {
            let shared = shared.clone();
            std::thread::spawn(move || shared.draw())
        });
        Display { shared, drawing }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock().0);
    }
}

impl Shared {
    /// Draws until the command is through.
    fn draw(&self) {
        let (mut said, mut warned) = (now(), None::<Instant>);
        let mut over = self.over.lock();
        while !*over {
            self.end.wait_for(&mut over, TICK);
            if *over {
                break;
            }
            let (mut state, since) = self.state.lock().clone();
            let waiting = self.watch.as_ref().and_then(|watch| watch.waiting());
            state.elapsed = since.elapsed();
            state.throttled = self.watch.as_ref().map_or(0, |watch| watch.throttled());
            if self.kind == Kind::Bar {
                state.waiting = waiting.map(|(words, _)| words);
                terminal::show_progress(&state.line(width()));
                continue;
            }
            // What is tried again is told by the log, whatever its level.
            if let Some((words, waited)) = waiting.filter(|(words, _)| !words.contains(", try "))
                && waited >= WAITING_AFTER
            {
                if warned.is_none_or(|at| at.elapsed() >= WAITING_EVERY) {
                    warned = Some(now());
                    terminal::tell(&words);
                }
            } else if said.elapsed() >= EVERY && state.known.is_some() {
                said = now();
                let of = state
                    .known
                    .map(|known| format!(" of {known}"))
                    .unwrap_or_default();
                terminal::tell(&format!("{}: {}{of}", state.what, state.through));
            }
        }
        if self.kind == Kind::Bar {
            terminal::show_progress("");
        }
    }
}

/// Columns a line may fill: one fewer than there are, for a full one would go on to the next.
fn width() -> usize {
    let columns = terminal_size::terminal_size_of(std::io::stderr())
        .map_or(WIDEST, |(width, _)| usize::from(width.0));
    columns.min(WIDEST).saturating_sub(1).max(20)
}

/// Takes the line away.
impl Drop for Display {
    fn drop(&mut self) {
        *self.shared.over.lock() = true;
        self.shared.end.notify_all();
        if let Some(drawing) = self.drawing.take() {
            let _ = drawing.join();
        }
    }
}

impl migrator::Progress for Display {
    fn update(&self, known: u64, through: u64) {
        self.set(|state| {
            // The first word comes with the first call.
            state.before.get_or_insert(through.saturating_sub(1));
            (state.known, state.through) = (Some(known), through);
        });
    }

    fn quarantined(&self, recordings: u64) {
        self.set(|state| state.quarantined = recordings);
    }
}

impl verifier::Progress for Display {
    fn begin(&self, stage: verifier::Stage, total: Option<u64>) {
        *self.shared.state.lock() = (
            State {
                what: stage.name(),
                known: total,
                ..State::default()
            },
            now(),
        );
    }

    fn say(&self, line: &str) {
        if self.shared.kind != Kind::Quiet {
            terminal::tell(line);
        }
    }

    fn advance(&self, steps: u64) {
        self.set(|state| state.through += steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_its_terminal_and_tells_rate_and_rest() {
        let state = |through, known, quarantined, throttled, seconds| State {
            what: "migrating",
            through,
            before: None,
            known: Some(known),
            quarantined,
            throttled,
            elapsed: Duration::from_secs(seconds),
            waiting: None,
        };
        for (state, line) in [
            (state(0, 0, 0, 0, 1), "migrating 1 s"),
            (
                state(13, 600, 0, 0, 10),
                "migrating [>                             ] 13/600 1.3/s, 451 s left",
            ),
            (
                state(300, 600, 5, 3, 20),
                "migrating [===============>              ] 300/600 15/s, 20 s left, 5 \
                 quarantined, 3 x 429",
            ),
        ] {
            let line = line.replace("451 s", "7 min");
            let shown = state.line(79);
            assert!(shown.chars().count() <= 79, "{shown}");
            assert_eq!(
                shown.split(']').next_back(),
                line.split(']').next_back(),
                "{shown}"
            );
        }
        let million = State {
            waiting: None,
            ..state(123_456, 4_000_000, 98_765, 43_210, 1_000_000)
        };
        for width in [20, 40, 60, 79] {
            assert!(million.line(width).chars().count() <= width, "{width}");
        }
        let waiting = State {
            waiting: Some("waiting for the source, try 2 of 8: connection refused".to_owned()),
            ..state(1, 2, 0, 0, 3)
        };
        assert_eq!(
            waiting.line(79),
            "migrating 1/2; waiting for the source, try 2 of 8: connection refused"
        );
    }

    #[test]
    fn a_duration_is_told_in_the_units_people_use() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (99.0, "99 s"),
            (250.0, "4 min"),
            (7500.0, "2 h 5 min"),
            (259_200.0, "3 d 0 h"),
        ] {
            assert_eq!(words(seconds), text);
        }
    }
}
