//! The forecast against what a migration really took, in virtual time.

use std::path::PathBuf;
use std::sync::Arc;

use rehearsal::forecast::{Load, Pace, Surface, forecast};
use rehearsal::{Options, Silent, Time};
use simulator::Scenario;

use crate::report::{Failure, Report};

/// How many times as many recordings the forecast is made for.
const TIMES: u64 = 100;
/// Most a forecast may be off.
const MOST: f64 = 0.1;

/// `n` recordings in virtual time, and a forecast of a hundred times as many.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/three_days.toml");
    let text = std::fs::read_to_string(&path).map_err(Failure::new)?;
    let mut document: toml::Table = text.parse().map_err(Failure::new)?;
    let interactions = toml::Value::Integer(i64::try_from(n).map_err(Failure::new)?);
    document["world"].as_table_mut().ok_or_else(|| Failure::new("no world"))?.insert("interactions".to_owned(), interactions);
    document["verifier"].as_table_mut().ok_or_else(|| Failure::new("no verifier"))?.insert("audio_sample".to_owned(), 20.into());
    let scenario = Scenario::parse(&document.to_string(), "forecast.toml").map_err(Failure::new)?;
    let mean_seconds = scenario.world.mean_seconds;
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)?;
    let options = Options { report: folder.path().to_owned(), time: Some(Time::Virtual), ..Options::default() };
    let ran = runtime.block_on(rehearsal::rehearse(scenario, options, Arc::new(Silent))).map_err(Failure::new)?;
    if !ran.passed {
        return Err(Failure::new(format!("the run itself failed: {}", ran.verifier_sentence)));
    }
    let (recordings, bytes) = (n * TIMES, (mean_seconds * 16_000.0) as u64);
    let load = Load { calls: recordings, recordings, mean_seconds, source_bytes: bytes, target_bytes: bytes, transcoded: false };
    let pace = Pace {
        surface: Surface::Guide,
        requests_per_minute: Some(300),
        tokens: 1,
        uploads_per_second: Some(100),
        megabits_per_second: None,
        cores: 2,
        verify: true,
    };
    let told = forecast(&load, &pace);
    let (scaled, scaled_requests) = (ran.virtual_seconds * TIMES as f64, ran.requests * TIMES);
    let migration: u64 =
        told.requests.iter().filter(|tally| tally.side == rehearsal::forecast::Side::Migration).map(|tally| tally.count).sum();
    let (off, off_requests) = (told.seconds / scaled - 1.0, migration as f64 / scaled_requests as f64 - 1.0);
    let mut report = Report { seed: 72, ..Report::default() };
    report.row("recordings run in virtual time, and forecast", format!("{n}, {recordings}"));
    report.row("hours run, times 100", format!("{:.1}", scaled / 3600.0));
    report.row("hours forecast", format!("{:.1} ({:+.1} %)", told.seconds / 3600.0, off * 100.0));
    report.row(
        "requests of the migration run, times 100, and forecast",
        format!("{scaled_requests}, {migration} ({:+.1} %)", off_requests * 100.0),
    );
    report.row("binding limit", told.binding);
    report.row("seconds of this machine for the run", format!("{:.1}", ran.wall_seconds));
    if off.abs() > MOST || off_requests.abs() > MOST {
        return Err(Failure::new(format!("the forecast is off by more than a tenth: {:?}", report.rows)));
    }
    Ok(report)
}
