//! How long a migration will take, what it asks of whom, and what it costs, before anybody has
//! begun.
//!
//! Requests are counted by a table (`requests`); each limit then says how long it needs for its
//! own, and the slowest binds: a migration works on everything at once. Table and whole are held
//! against runs in virtual time by a proof, for each of the three ways in.

mod prices;
mod requests;

use serde::Serialize;

pub use prices::{Bill, PriceError, Prices};
pub use requests::{Side, Surface, Tally};

/// What there is to move.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Calls.
    pub calls: u64,
    /// Recordings of them.
    pub recordings: u64,
    /// Mean length of a recording, in seconds.
    pub mean_seconds: f64,
    /// Bytes a recording has at the source.
    pub source_bytes: u64,
    /// Bytes it has at the target.
    pub target_bytes: u64,
    /// Whether it is decoded and encoded again.
    pub transcoded: bool,
}

impl Load {
    /// Whether its bytes, or the requests for it, come to more than a sum can hold.
    #[must_use]
    pub fn is_beyond_counting(&self) -> bool {
        // An exabyte; requests are at most some dozens a call.
        const MOST: u64 = 1_000_000_000_000_000_000;
        let bytes = self
            .source_bytes
            .checked_add(self.target_bytes)
            .and_then(|bytes| bytes.checked_mul(self.recordings));
        bytes.is_none_or(|bytes| bytes > MOST)
            || self.calls.saturating_add(self.recordings) > MOST / 1000
    }
}

/// By which way, and how fast it may go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pace {
    /// The surface that takes recordings in.
    pub surface: Surface,
    /// Requests a minute that a token may make. Absent: the target publishes no such limit.
    pub requests_per_minute: Option<u32>,
    /// Tokens that share the work.
    pub tokens: u32,
    /// Files a second. Absent: no limit of its own.
    pub uploads_per_second: Option<u32>,
    /// Megabits a second between source, migrator and target together. Absent: not looked at.
    pub megabits_per_second: Option<f64>,
    /// Cores that decode and encode.
    pub cores: u32,
    /// Whether verification of all metadata is counted in.
    pub verify: bool,
}

/// Seconds of sound that one core decodes and encodes in a second, fetching and staging included.
/// Measured: docs/proofs/throughput.md, 9.4 files of five minutes a second on two cores.
const SOUND_PER_SECOND: f64 = 9.4 * 300.0 / 2.0;

/// One limit, and how long the whole migration would take if there were no other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// `requests per token`, `uploads`, `bandwidth` or `encoding`.
    pub limit: &'static str,
    /// Seconds.
    pub seconds: f64,
}

/// What is to be expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// From the first request to the last.
    pub seconds: f64,
    /// Of them, verifying.
    pub verify_seconds: f64,
    /// The limit that makes it so.
    pub binding: &'static str,
    /// All limits of the migration, the slowest first.
    pub bounds: Vec<Bound>,
    /// Requests by operation.
    pub requests: Vec<Tally>,
    /// Requests in all.
    pub requests_total: u64,
    /// Requests a recording, in the mean.
    pub requests_per_recording: f64,
    /// Of them, those that count towards the token's limit.
    pub counted_requests: u64,
    /// Requests that will be refused with 429, at most: a thousandth of what counts. An evenly
    /// paced client meets none but by chance.
    pub throttled_at_most: u64,
    /// Bytes read from the source.
    pub bytes_in: u64,
    /// Bytes written to the target.
    pub bytes_out: u64,
    /// Bytes of staging needed at the end: the source's bytes, its answers, and what was encoded
    /// from them.
    pub staging_bytes: u64,
}

/// Bytes of a call's answers as kept in staging, one document a call. Measured over the showcase:
/// 416,947 bytes of 240 calls.
const RAW_BYTES: u64 = 1740;

/// Says what is to be expected.
#[must_use]
pub fn forecast(load: &Load, pace: &Pace) -> Forecast {
    let requests = requests::of(load, pace.surface, pace.verify);
    let sum = |counts: fn(&Tally) -> bool| {
        requests
            .iter()
            .filter(|tally| counts(tally))
            .map(|tally| tally.count)
            .sum::<u64>()
    };
    let counted = |side| {
        requests
            .iter()
            .filter(|tally| tally.counted && tally.side == side)
            .map(|tally| tally.count)
            .sum::<u64>()
    };
    let (bytes_in, bytes_out) = (
        load.recordings * load.source_bytes,
        load.recordings * load.target_bytes,
    );
    let per_second = pace
        .requests_per_minute
        .map(|rate| f64::from(rate) * f64::from(pace.tokens.max(1)) / 60.0);
    let seconds_for = |count: u64| per_second.map_or(0.0, |rate| count as f64 / rate);
    let mut bounds = vec![Bound {
        limit: "requests per token",
        seconds: seconds_for(counted(Side::Migration)),
    }];
    if let Some(rate) = pace.uploads_per_second {
        bounds.push(Bound {
            limit: "uploads",
            seconds: load.recordings as f64 / f64::from(rate),
        });
    }
    if let Some(rate) = pace.megabits_per_second {
        bounds.push(Bound {
            limit: "bandwidth",
            seconds: (bytes_in + bytes_out) as f64 * 8.0 / (rate * 1e6),
        });
    }
    if load.transcoded {
        let sound = load.recordings as f64 * load.mean_seconds;
        bounds.push(Bound {
            limit: "encoding",
            seconds: sound / (SOUND_PER_SECOND * f64::from(pace.cores.max(1))),
        });
    }
    bounds.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    // An audit has one token, however many the migration had.
    let one_token = pace.requests_per_minute.map_or(0.0, |rate| {
        counted(Side::Verification) as f64 / (f64::from(rate) / 60.0)
    });
    let binding = bounds.first().cloned().unwrap_or(Bound {
        limit: "nothing",
        seconds: 0.0,
    });
    let requests_total = sum(|_| true);
    let counted_requests = sum(|tally| tally.counted);
    Forecast {
        seconds: binding.seconds + one_token,
        verify_seconds: one_token,
        binding: binding.limit,
        bounds,
        requests_total,
        requests_per_recording: requests_total as f64 / load.recordings.max(1) as f64,
        counted_requests,
        throttled_at_most: counted_requests.div_ceil(1000),
        requests,
        bytes_in,
        bytes_out,
        staging_bytes: bytes_in
            + if load.transcoded { bytes_out } else { 0 }
            + load.calls * RAW_BYTES,
    }
}

/// Bytes of a recording of so many seconds in a codec by its plan name, mono at 8 kHz; `None` for a
/// codec nobody here knows.
#[must_use]
pub fn bytes_of(codec: &str, seconds: f64) -> Option<u64> {
    let bytes_per_second = match codec {
        "pcm" => 16_000.0,
        "mulaw" | "alaw" => 8000.0,
        "adpcm" => 4056.0,
        "gsm" => 1625.0,
        "amr" => 1600.0,
        // Speech at the encoder's own quality, measured: 33 kbit/s.
        "mp3" => 4125.0,
        _ => return None,
    };
    Some((bytes_per_second * seconds).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(recordings: u64) -> Load {
        Load {
            calls: recordings,
            recordings,
            mean_seconds: 180.0,
            source_bytes: 1_440_000,
            target_bytes: 742_500,
            transcoded: true,
        }
    }

    fn pace() -> Pace {
        Pace {
            surface: Surface::Guide,
            requests_per_minute: Some(300),
            tokens: 1,
            uploads_per_second: Some(100),
            megabits_per_second: None,
            cores: 2,
            verify: false,
        }
    }

    #[test]
    fn a_token_binds_where_calls_are_short() {
        let found = forecast(
            &Load {
                mean_seconds: 30.0,
                ..load(4_000_000)
            },
            &pace(),
        );
        assert_eq!(found.binding, "requests per token");
        // Two counted requests a call at five a second.
        assert!(
            (found.seconds - 1_600_000.0).abs() < 100.0,
            "{}",
            found.seconds
        );
    }

    #[test]
    fn each_limit_can_bind() {
        type Change = fn(&mut Pace);
        let changes: [(&str, Change); 4] = [
            ("requests per token", |_| {}),
            ("encoding", |pace| (pace.cores, pace.tokens) = (1, 9)),
            ("bandwidth", |pace| pace.megabits_per_second = Some(10.0)),
            ("uploads", |pace| {
                (pace.uploads_per_second, pace.tokens) = (Some(1), 9)
            }),
        ];
        for (limit, change) in changes {
            let mut pace = pace();
            change(&mut pace);
            assert_eq!(forecast(&load(1_000_000), &pace).binding, limit);
        }
    }

    #[test]
    fn more_tokens_speed_up_the_migration_and_not_the_audit() {
        let (one, four) = (
            Pace {
                verify: true,
                cores: 64,
                ..pace()
            },
            Pace {
                verify: true,
                cores: 64,
                tokens: 4,
                ..pace()
            },
        );
        let (one, four) = (
            forecast(&load(100_000), &one),
            forecast(&load(100_000), &four),
        );
        assert!((one.verify_seconds - four.verify_seconds).abs() < 1.0);
        assert!(one.seconds - one.verify_seconds > 3.9 * (four.seconds - four.verify_seconds));
    }

    #[test]
    fn what_nobody_knows_is_not_guessed() {
        assert_eq!(bytes_of("wma", 10.0), None);
        assert_eq!(bytes_of("mulaw", 10.0), Some(80_000));
    }
}
