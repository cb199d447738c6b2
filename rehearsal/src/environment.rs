//! Clock and connections of a rehearsal: real, scaled, or virtual over in-memory pipes.

use std::str::FromStr;
use std::sync::Arc;

use platforms::clock::Clock;
use platforms::request_log::Logged;
use platforms::transport::{Network, Pipe, Transport};
use simulator::{ClockMode, ClockSettings, Simulator};
use tokio::runtime::{LocalOptions, LocalRuntime};

/// How time runs in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Time {
    /// As this machine's.
    Real,
    /// So many times as fast: a minute a second with 60.
    Scaled(f64),
    /// It jumps to the next deadline whenever everybody waits.
    Virtual,
}

/// What is wrong with a clock as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no clock; expected real, virtual, or scaled:K with K from 0.01 to 100000, as in \
     scaled:60"
)]
pub struct TimeError(String);

impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Time, TimeError> {
        let bad = || TimeError(text.to_owned());
        match text {
            "real" => Ok(Time::Real),
            "virtual" => Ok(Time::Virtual),
            scaled => {
                let factor: f64 = scaled
                    .strip_prefix("scaled:")
                    .ok_or_else(bad)?
                    .parse()
                    .map_err(|_| bad())?;
                if (0.01..=100_000.0).contains(&factor) {
                    Ok(Time::Scaled(factor))
                } else {
                    Err(bad())
                }
            }
        }
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Time::Real => f.write_str("real"),
            Time::Scaled(factor) => write!(f, "scaled:{factor}"),
            Time::Virtual => f.write_str("virtual"),
        }
    }
}

impl Time {
    /// As a scenario says it.
    pub fn of(settings: &ClockSettings) -> Time {
        match settings.mode {
            ClockMode::Real => Time::Real,
            ClockMode::Scaled => Time::Scaled(settings.factor),
            ClockMode::Virtual => Time::Virtual,
        }
    }

    /// For the simulators, which begin where the scenario says.
    pub(crate) fn settings(self, scenario: ClockSettings) -> ClockSettings {
        match self {
            Time::Real => ClockSettings {
                mode: ClockMode::Real,
                ..scenario
            },
            Time::Scaled(factor) => ClockSettings {
                mode: ClockMode::Scaled,
                factor,
                ..scenario
            },
            Time::Virtual => ClockSettings {
                mode: ClockMode::Virtual,
                ..scenario
            },
        }
    }
}

/// What the clients of a simulator see of the world: its clock, and the way to it.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) clock: Clock,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Environment {
    /// That of a running simulator. `None` where the TLS library does not start.
    pub(crate) fn of(simulator: &Simulator, time: Time) -> Option<Environment> {
        let plain = match time {
            Time::Real => Environment {
                clock: Clock::starting_at(simulator.now_ms()),
                transport: Arc::new(Network::new()?),
            },
            Time::Scaled(factor) => Environment {
                clock: Clock::scaled(simulator.now_ms(), factor),
                transport: Arc::new(Network::new()?),
            },
            Time::Virtual => {
                let connector = simulator.connector();
                let pipe = Pipe::new(Arc::new(move |host: &str| connector.connect_host(host)));
                Environment {
                    clock: Clock::following_tokio(simulator.now_ms()),
                    transport: Arc::new(pipe),
                }
            }
        };
        Some(Environment {
            transport: Logged::wrap(plain.transport, plain.clock.clone()),
            clock: plain.clock,
        })
    }
}

/// Less than this apart, two clocks show the same time.
const APART_MS: i64 = 60_000;

impl Environment {
    /// Has the clock show what the simulators' shows, where days have been let pass there: an
    /// auditor comes on the day it has become.
    pub(crate) fn catch_up(&mut self, simulator: &Simulator) {
        let behind_ms = simulator.now_ms() - self.clock.now_ms();
        if behind_ms.abs() > APART_MS {
            self.clock = self.clock.shifted(behind_ms);
        }
    }
}

/// A runtime whose clock jumps whenever everybody waits, and that does the same things in the same
/// order each time.
///
/// All tasks run on the caller's thread, and so does what blocks (files, database, audio: each role
/// asks its clock), so nothing depends on how long anything takes. Two things would break that:
/// work given to `block_on` itself is woken out of turn, so spawn it; and `yield_now`, or a used-up
/// budget, comes back before or after what another thread has finished, so wrap long tasks in
/// `unconstrained`.
pub(crate) fn virtual_runtime() -> std::io::Result<LocalRuntime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(LocalOptions::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;

    #[test]
    fn a_clock_is_read_as_it_is_written() {
        for text in ["real", "virtual", "scaled:60", "scaled:0.5"] {
            assert_eq!(text.parse::<Time>().expect(text).to_string(), text);
        }
        for text in [
            "",
            "Real",
            "scaled",
            "scaled:",
            "scaled:0",
            "scaled:nan",
            "scaled:-1",
            "scaled:1000000",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_takes_no_time_and_blocking_work_none_of_the_day() {
        let runtime = virtual_runtime().expect("a runtime");
        let wall = Wall::now();
        let task = runtime.spawn_local(async {
            let clock = Clock::following_tokio(0);
            clock
                .blocking(|| std::thread::park_timeout(std::time::Duration::from_millis(20)))
                .await
                .expect("done");
            let still = clock.now_ms();
            clock
                .elsewhere(tokio::task::spawn_blocking(|| {
                    std::thread::park_timeout(std::time::Duration::from_millis(20))
                }))
                .await
                .expect("done");
            clock.sleep(std::time::Duration::from_secs(86_400)).await;
            (still, clock.now_ms())
        });
        assert_eq!(runtime.block_on(task).expect("a task"), (0, 86_400_000));
        assert!(wall.seconds() < 3600.0);
    }
}
