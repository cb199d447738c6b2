//! The forecast against what a migration really took, in virtual time.

use std::path::PathBuf;
use std::sync::Arc;

use rehearsal::forecast::{Load, Pace, Surface, forecast};
use rehearsal::{Options, Rehearsed, Scenario, Silent, Time};

use crate::report::{Failure, Report};
use crate::workers;

/// How many times as many recordings the forecast is made for.
const TIMES: u64 = 100;
/// Most a forecast may be off.
const MOST: f64 = 0.1;

/// `n` recordings in virtual time and a forecast of a hundred times as many; and the table of
/// requests against each of the three ways in.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let mut report = Report {
        seed: 72,
        ..Report::default()
    };
    days(n, &mut report)?;
    for (way, target, surface) in WAYS {
        table(way, target, surface, &mut report)?;
    }
    Ok(report)
}

/// Name, what the scenario says of its target, and the surface.
const WAYS: [(&str, &str, Surface); 3] = [
    (
        "guide",
        "target = 'genesys_cloud'\ningest = 'guide'",
        Surface::Guide,
    ),
    (
        "public",
        "target = 'genesys_cloud'\ningest = 'public'",
        Surface::Public,
    ),
    ("Interaction Recording", "target = 'gir'", Surface::Gir),
];

/// Calls of each of them: enough that what is asked once does not show.
const CALLS: u64 = 600;

fn table(way: &str, target: &str, surface: Surface, report: &mut Report) -> Result<(), Failure> {
    let text = format!(
        "about = 'Calls as a forecast thinks of them.'\nseed = 5\n{target}\n[world]\ninteractions \
         = {CALLS}\nmean_seconds = 0.5\nno_recording_share = 0.0\ncodecs = ['pcm']\nexpired = \
         0\n[verifier]\naudio_sample = 0\n[expect]\nverdict = 'match'"
    );
    let ran = rehearse(&text)?;
    let (recordings, bytes) = (ran.recordings, 8000);
    let load = Load {
        calls: ran.interactions,
        recordings,
        mean_seconds: 0.5,
        source_bytes: bytes,
        target_bytes: bytes,
        transcoded: true,
    };
    let told = forecast(
        &load,
        &Pace {
            surface,
            verify: false,
            ..usual_pace()
        },
    );
    let off = told.requests_total as f64 / ran.requests as f64 - 1.0;
    report.row(
        &format!("requests of {CALLS} calls, {way}: run, and forecast"),
        format!(
            "{}, {} ({:+.1} %)",
            ran.requests,
            told.requests_total,
            off * 100.0
        ),
    );
    if off.abs() > MOST {
        return Err(Failure::new(format!(
            "the table of requests is off by more than a tenth: {:?}",
            report.rows
        )));
    }
    Ok(())
}

fn usual_pace() -> Pace {
    Pace {
        surface: Surface::Guide,
        requests_per_minute: Some(300),
        tokens: 1,
        uploads_per_second: Some(100),
        megabits_per_second: None,
        cores: 2,
        verify: true,
    }
}

fn rehearse(text: &str) -> Result<Rehearsed, Failure> {
    let scenario = Scenario::parse(text, "forecast.toml").map_err(Failure::new)?;
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let runtime = workers::runtime()?;
    let options = Options {
        report: folder.path().to_owned(),
        time: Some(Time::Virtual),
        ..Options::default()
    };
    let ran = runtime
        .block_on(rehearsal::rehearse(scenario, options, Arc::new(Silent)))
        .map_err(Failure::new)?;
    // Who a run sets aside is not what is counted here, but it has to have come to its end, and to
    // a match.
    if ran.verifier_exit != 0 {
        return Err(Failure::new(format!(
            "the run itself failed: {}",
            ran.verifier_sentence
        )));
    }
    Ok(ran)
}

fn days(n: u64, report: &mut Report) -> Result<(), Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/three_days.toml");
    let mut document: toml::Table = std::fs::read_to_string(&path)
        .map_err(Failure::new)?
        .parse()
        .map_err(Failure::new)?;
    let interactions = toml::Value::Integer(i64::try_from(n).map_err(Failure::new)?);
    document["world"]
        .as_table_mut()
        .ok_or_else(|| Failure::new("no world"))?
        .insert("interactions".to_owned(), interactions);
    document["verifier"]
        .as_table_mut()
        .ok_or_else(|| Failure::new("no verifier"))?
        .insert("audio_sample".to_owned(), 20.into());
    let ran = rehearse(&document.to_string())?;
    let mean_seconds = document["world"]["mean_seconds"]
        .as_float()
        .ok_or_else(|| Failure::new("no length"))?;
    let (recordings, bytes) = (n * TIMES, (mean_seconds * 16_000.0) as u64);
    let load = Load {
        calls: recordings,
        recordings,
        mean_seconds,
        source_bytes: bytes,
        target_bytes: bytes,
        transcoded: false,
    };
    let told = forecast(&load, &usual_pace());
    let scaled = ran.virtual_seconds * TIMES as f64;
    let off = told.seconds / scaled - 1.0;
    report.row(
        "recordings run in virtual time, and forecast",
        format!("{n}, {recordings}"),
    );
    report.row("hours run, times 100", format!("{:.1}", scaled / 3600.0));
    report.row(
        "hours forecast",
        format!("{:.1} ({:+.1} %)", told.seconds / 3600.0, off * 100.0),
    );
    report.row("binding limit", told.binding);
    report.row(
        "seconds of this machine for the run",
        format!("{:.1}", ran.wall_seconds),
    );
    if off.abs() > MOST {
        return Err(Failure::new(format!(
            "the forecast is off by more than a tenth: {:?}",
            report.rows
        )));
    }
    Ok(())
}
