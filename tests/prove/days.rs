//! Three days in virtual time, and slices of them in real time: what is left behind is the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rehearsal::{Options, Rehearsed, Scenario, Silent, Time};
use serde_json::Value;

use crate::report::{Failure, Report};
use crate::workers;

/// Calls of a slice, more or less: a few more around the one a fault struck.
const SLICE: usize = 40;

/// `n` calls of `scenarios/three_days.toml` in virtual time; then, for each kind of fault that
/// struck, the calls around the first it struck, alone and in real time.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let mut report = Report {
        seed: 72,
        ..Report::default()
    };
    let whole = rehearse(
        &scenario(n, None)?,
        Time::Virtual,
        &folder.path().join("whole"),
    )?;
    report.row("calls moved and verified in virtual time", n);
    report.row(
        "hours simulated",
        format!("{:.1}", whole.virtual_seconds / 3600.0),
    );
    report.row("requests of the migrator", whole.requests);
    report.row(
        "seconds of this machine (goal for 430000: 600)",
        format!("{:.1}", whole.wall_seconds),
    );
    let whole = Records::read(&whole.report)?;
    let mut kinds = BTreeSet::new();
    for struck in whole
        .faults
        .iter()
        .filter(|struck| kinds.insert(text(struck, "kind")))
    {
        let kind = text(struck, "kind");
        let window = whole.around(&text(struck, "key"))?;
        let slice = rehearse(
            &scenario(n, Some(window))?,
            Time::Real,
            &folder.path().join(&kind),
        )?;
        let sliced = Records::read(&slice.report)?;
        if !sliced.faults.iter().any(|fault| fault == struck) {
            return Err(Failure::new(format!(
                "{kind} did not strike {} in real time",
                struck["key"]
            )));
        }
        let calls = whole.hold_against(&sliced, window)?;
        report.row(
            &format!(
                "calls in real time around the first `{kind}`: target, effects and faults the same"
            ),
            calls,
        );
    }
    if n >= 100_000 && kinds.len() < 4 {
        return Err(Failure::new(format!(
            "of the scenario's four faults only these struck: {kinds:?}"
        )));
    }
    Ok(report)
}

type Window = (Timestamp, Timestamp);

/// The scenario with so many calls, of which only those of a window are in the plan.
fn scenario(n: u64, window: Option<Window>) -> Result<Scenario, Failure> {
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
    if let Some((from, to)) = window {
        let source = toml::Table::from_iter([
            ("from".to_owned(), from.to_string().into()),
            ("to".to_owned(), to.to_string().into()),
        ]);
        document["plan"]
            .as_table_mut()
            .ok_or_else(|| Failure::new("no plan"))?
            .insert("source".to_owned(), source.into());
    }
    Scenario::parse(&document.to_string(), "three_days.toml").map_err(Failure::new)
}

fn rehearse(scenario: &Scenario, time: Time, folder: &Path) -> Result<Rehearsed, Failure> {
    let runtime = workers::runtime()?;
    let options = Options {
        report: folder.to_owned(),
        time: Some(time),
        journal: true,
        ..Options::default()
    };
    let ran = runtime
        .block_on(rehearsal::rehearse(
            scenario.clone(),
            options,
            Arc::new(Silent),
        ))
        .map_err(Failure::new)?;
    if ran.passed {
        Ok(ran)
    } else {
        Err(Failure::new(format!(
            "{}; {}",
            ran.migrator_sentence, ran.verifier_sentence
        )))
    }
}

/// What a rehearsal left behind.
struct Records {
    /// A line a call, with its start.
    truth: Vec<(Timestamp, String)>,
    effects: Vec<String>,
    faults: Vec<Value>,
}

impl Records {
    fn read(report: &Path) -> Result<Records, Failure> {
        let lines = |name: &str| -> Result<Vec<String>, Failure> {
            let path = report.join(name);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        let started = |line: String| -> Result<(Timestamp, String), Failure> {
            let call: Value = serde_json::from_str(&line).map_err(Failure::new)?;
            Ok((text(&call, "start").parse().map_err(Failure::new)?, line))
        };
        Ok(Records {
            truth: lines("truth.ndjson")?
                .into_iter()
                .map(started)
                .collect::<Result<_, _>>()?,
            effects: lines("effects.ndjson")?,
            faults: lines("faults.ndjson")?
                .iter()
                .map(|line| serde_json::from_str(line).map_err(Failure::new))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The window of the calls around the one a key is of.
    fn around(&self, key: &str) -> Result<Window, Failure> {
        let mut by_start: Vec<&(Timestamp, String)> = self.truth.iter().collect();
        by_start.sort();
        let id = legacy_id(key).ok_or_else(|| Failure::new(format!("[{key}] names no call")))?;
        let call = format!("{{\"legacy_interaction_id\":\"{id}\"");
        let at = by_start
            .iter()
            .position(|(_, line)| line.starts_with(&call))
            .ok_or_else(|| Failure::new(format!("no call {id}")))?;
        let first = at.saturating_sub(SLICE / 2);
        let last = (at + SLICE / 2).min(by_start.len() - 1);
        Ok((by_start[first].0, by_start[last].0))
    }

    /// What the slice left is what the whole left of the same calls, line by line; their number.
    fn hold_against(&self, slice: &Records, (from, to): Window) -> Result<usize, Failure> {
        let calls: Vec<&String> = self
            .truth
            .iter()
            .filter(|(start, _)| (from..to).contains(start))
            .map(|(_, line)| line)
            .collect();
        same(
            "target",
            calls.iter().copied(),
            slice.truth.iter().map(|(_, line)| line),
        )?;
        let ids: BTreeSet<String> = calls
            .iter()
            .filter_map(|line| {
                Some(text(
                    &serde_json::from_str(line).ok()?,
                    "legacy_interaction_id",
                ))
            })
            .collect();
        let is_of_them = |key: &str| legacy_id(key).is_some_and(|id| ids.contains(id));
        let key_of = |line: &str| {
            serde_json::from_str(line)
                .map(|effect: Value| text(&effect, "key"))
                .unwrap_or_default()
        };
        same(
            "effects",
            self.effects.iter().filter(|line| is_of_them(&key_of(line))),
            slice
                .effects
                .iter()
                .filter(|line| is_of_them(&key_of(line))),
        )?;
        let faults = |all: &Records| {
            all.faults
                .iter()
                .filter(|fault| is_of_them(&text(fault, "key")))
                .map(Value::to_string)
                .collect::<Vec<_>>()
        };
        same("faults", faults(self).iter(), faults(slice).iter())?;
        Ok(calls.len())
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// The call that a key is of: `st:rehearsal:100031`, `100904-1`,
/// `st-rehearsal-100655-1.ce4fcfe8cbbf.wav`.
fn legacy_id(key: &str) -> Option<&str> {
    key.split(|one: char| !one.is_ascii_digit())
        .find(|digits| digits.len() >= 6)
}

fn same<'a>(
    what: &str,
    whole: impl Iterator<Item = &'a String>,
    slice: impl Iterator<Item = &'a String>,
) -> Result<(), Failure> {
    let (whole, slice): (BTreeSet<_>, BTreeSet<_>) = (whole.collect(), slice.collect());
    if slice.is_empty() && what != "faults" {
        return Err(Failure::new(format!("the slice left no {what} to compare")));
    }
    match whole.symmetric_difference(&slice).next() {
        None => Ok(()),
        Some(line) if whole.contains(line) => Err(Failure::new(format!(
            "{what}: only in virtual time: {line}"
        ))),
        Some(line) => Err(Failure::new(format!("{what}: only in real time: {line}"))),
    }
}
