//! `inspect`.

use std::collections::BTreeMap;

use migrator::{ExportPlaces, Inspection, Lacking, Unread};
use plan::{Layout, TimeRules};
use rehearsal::Ending;

use crate::cli::{Inspect, Output};
use crate::plan_file::read_plan;
use crate::terminal;

/// `seatrial inspect SOURCE`.
pub(crate) fn run(arguments: &Inspect, output: &Output) -> Ending {
    let places = match places(arguments) {
        Ok(places) => places,
        Err(ending) => return ending,
    };
    let seen = match migrator::inspect(&places, !arguments.no_audio) {
        Ok(seen) => seen,
        Err(stop) => return terminal::fail(Ending::from(&stop), &stop.to_string()),
    };
    let sentence = sentence(&seen);
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "inspection": seen, "sentence": sentence }),
        );
    } else {
        tell(&seen);
        terminal::say(&sentence);
    }
    if seen.is_whole() {
        Ending::Done
    } else {
        Ending::SetAside
    }
}

/// A plan's export, or that of a folder and a layout.
fn places(arguments: &Inspect) -> Result<ExportPlaces, Ending> {
    let refuse = |what: &str| terminal::fail(Ending::BadCall, what);
    if !arguments.source.is_dir() {
        let given = arguments.layout.is_some() || arguments.preset.is_some();
        if given || arguments.metadata.is_some() || arguments.naive_zone.is_some() {
            return Err(refuse(
                "--layout, --preset, --metadata and --naive-zone are for a folder; a plan names \
                 its own",
            ));
        }
        let plan = read_plan(&arguments.source)?;
        return ExportPlaces::of(&plan).map_err(|stop| refuse(&stop.to_string()));
    }
    let layout = match (&arguments.layout, &arguments.preset) {
        (Some(file), _) => Layout::read(file),
        (None, Some(name)) => Layout::preset(name),
        (None, None) => {
            return Err(refuse(&format!(
                "{} is a folder: name its --layout, or a --preset of {}",
                arguments.source.display(),
                plan::layout::preset_names().join(", ")
            )));
        }
    };
    let layout = layout.map_err(|error| refuse(&error.to_string()))?;
    if let Some(zone) = &arguments.naive_zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        return Err(refuse(&format!(
            "--naive-zone `{zone}` is not an IANA time zone such as Europe/London"
        )));
    }
    Ok(ExportPlaces {
        audio: arguments.source.clone(),
        metadata: arguments
            .metadata
            .clone()
            .unwrap_or_else(|| arguments.source.clone()),
        layout,
        time: TimeRules {
            naive_zone: arguments.naive_zone.clone(),
            ..TimeRules::default()
        },
        from: None,
        to: None,
    })
}

fn sentence(seen: &Inspection) -> String {
    let all = format!(
        "{} calls with {} recordings in {} files",
        seen.calls, seen.recordings, seen.files
    );
    if seen.is_whole() {
        return format!("{all}: everything can be read and every audio file is there");
    }
    format!(
        "{all}: {} things cannot be read, {} recordings have no audio file of their own, {} ids \
         stand for different calls",
        seen.unread.len(),
        seen.lacking.len(),
        seen.collisions.len()
    )
}

fn tell(seen: &Inspection) {
    let rows = [
        ("metadata files", seen.files),
        ("rows", seen.rows),
        ("  passed over", seen.passed_over),
        ("calls", seen.calls),
        ("  without a recording", seen.calls_without_recordings),
        ("  without an agent", seen.calls_without_agent),
        ("  without a queue", seen.calls_without_queue),
        ("legs", seen.segments),
        ("recordings", seen.recordings),
    ];
    for (what, count) in rows {
        terminal::say(&format!("{what:<26}{count:>14}"));
    }
    if !seen.days.is_empty() {
        terminal::say("calls and recordings by day");
    }
    for (day, of_day) in &seen.days {
        terminal::say(&format!(
            "  {day:<24}{:>14}{:>14}",
            of_day.calls, of_day.recordings
        ));
    }
    counted("recordings by codec", &seen.codecs);
    counted("calls by agent", &seen.agents);
    counted("calls by queue", &seen.queues);
    for Lacking {
        legacy_interaction_id,
        legacy_recording_id,
        reason,
    } in &seen.lacking
    {
        terminal::say(&format!(
            "no audio: call {legacy_interaction_id} recording {legacy_recording_id}: {reason}"
        ));
    }
    for Unread {
        file,
        line,
        column,
        reason,
        costs,
    } in &seen.unread
    {
        let column = column
            .as_ref()
            .map_or(String::new(), |column| format!(" column `{column}`"));
        terminal::say(&format!(
            "cannot be read: {file} line {line}{column}: {reason} (costs the {costs})"
        ));
    }
    for id in &seen.collisions {
        terminal::say(&format!("different calls under one id: {id}"));
    }
}

fn counted(what: &str, counts: &BTreeMap<String, u64>) {
    if !counts.is_empty() {
        terminal::say(what);
    }
    for (name, count) in counts {
        terminal::say(&format!("  {name:<24}{count:>14}"));
    }
}
