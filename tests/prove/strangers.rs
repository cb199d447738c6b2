//! Wrong migrators, damages and honest variants on recorded speech, by three ways in: each must be
//! found, named and told at its record, and what is honest must be left alone. Seatrial's own
//! migrator does the work; a transport alters what it reads and writes, or something is done
//! afterwards by the platforms' own requests. Each row has calls of its own, so that one migration
//! carries all of them.

mod altering_transport;
mod encoders;
mod misread;
mod patterns;
mod platform_requests;
mod rows;
mod sound;
pub(crate) mod speech;
pub(crate) mod world;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use audio::{Codec, Pcm};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use rehearsal::Scenario;
use simulator::{Options, Simulator};
use verifier::Finding;

use self::altering_transport::{Alterations, AlteringTransport, File};
use self::platform_requests::PlatformRequests;
use self::rows::{At, Deviation, Row, Way};
use self::world::{Call, TODAY};
use crate::report::{Failure, Report};
use crate::workers;

const SEED: u64 = 15;
/// With fewer honest recordings than this only the first rows of each kind are tried.
const FEW: u64 = 100;
/// So many of each kind then.
const ROWS_OF_FEW: usize = 2;
/// The least that the full proof has to hold. Source: the issue that asked for it.
const LEAST_ROWS: usize = 120;
const LEAST_SETTINGS: usize = 20;
const LEAST_HONEST: usize = 500;

/// Rows that no reader can tell from what is right, with the reason; they are not counted.
const CANNOT_BE_TOLD: &[(&str, &str)] = &[
    (
        "a declared length that is wrong on the guide's surface, and a retention tag of another \
         class beside the right day",
        "only that surface's own answers show either, under a permission to create interactions \
         that an audit does not have; the public API shows neither",
    ),
    (
        "why a leg ended (`disconnectType`)",
        "the source does not say how its legs end",
    ),
    (
        "the order of two agents who join in the same millisecond",
        "the source has no order for them either",
    ),
    (
        "a mask that is exact in RWS and late in what SpeechMiner made of it",
        "the receiver tells the document it was given, not what it made of it",
    ),
    (
        "whose voice is on one channel that both share",
        "a folded source has no channel of either",
    ),
];

/// `n`: honest recordings for each way in.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let prompts = speech::prompts().map_err(Failure::new)?;
    let is_small = n < FEW;
    let mut told = Table::default();
    for batch in batches(usize::try_from(n).unwrap_or(usize::MAX), is_small) {
        told.add(batch.tried(&prompts)?);
    }
    told.report(n >= LEAST_HONEST as u64)
}

/// Rows in one world and one migration a way.
struct Batch {
    rows: Vec<Row>,
    /// `mp3` or `wav`; WAV is made of G.711, so that it is converted too.
    format: &'static str,
}

fn batches(honest: usize, is_small: bool) -> Vec<Batch> {
    let all: Vec<Row> = [sound::rows(), misread::rows(), written::rows()]
        .into_iter()
        .flatten()
        .collect();
    let few = |rows: Vec<Row>, most: usize| {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut is_early = |row: &Row| {
            let count = seen.entry(row.kind).or_default();
            *count += 1;
            *count <= most
        };
        rows.into_iter()
            .filter(|row| !is_small || is_early(row))
            .collect::<Vec<_>>()
    };
    let mut rows = few(all, ROWS_OF_FEW);
    rows.extend(sound::honest_rows(honest));
    let mut batches = vec![
        Batch {
            rows,
            format: "mp3",
        },
        Batch {
            rows: few(sound::wav_rows(), ROWS_OF_FEW),
            format: "wav",
        },
    ];
    batches.extend(few(patterns::rows(), 1).into_iter().map(|row| Batch {
        rows: vec![row],
        format: "mp3",
    }));
    batches
}

/// What was found for a row by one way in.
struct RowResult {
    kind: &'static str,
    name: String,
    way: Way,
    expected: String,
    found: String,
    right: bool,
    recordings: usize,
    /// What was found, in the verifier's words.
    words: Vec<String>,
}

impl Batch {
    fn tried(&self, prompts: &[Vec<i16>]) -> Result<Vec<RowResult>, Failure> {
        let dir = tempfile::tempdir().map_err(Failure::new)?;
        let mut number = 0;
        let mut own = |shape| {
            number += 1;
            Call::of(prompts, SEED, number - 1, shape)
        };
        let calls: Vec<Vec<Call>> = self
            .rows
            .iter()
            .map(|row| row.shapes.iter().map(|shape| own(*shape)).collect())
            .collect();
        let codec = if self.format == "wav" {
            Codec::Mulaw
        } else {
            Codec::PcmS16
        };
        world::write(calls.iter().flatten(), codec, &dir.path().join("world"))?;
        let deviations: Vec<Vec<Deviation>> = self
            .rows
            .iter()
            .zip(&calls)
            .map(|(row, calls)| (row.deviations)(calls))
            .collect();
        let files = files(&calls, &deviations)?;
        let trial = Trial {
            batch: self,
            dir: dir.path(),
            calls: &calls,
            deviations: &deviations,
            files: &files,
        };
        let ways: Vec<Way> = rows::ALL
            .iter()
            .copied()
            .filter(|way| self.rows.iter().any(|row| row.ways.contains(way)))
            .collect();
        let mut all = Vec::new();
        for way in workers::in_parallel(ways.len(), ways.len(), |at| trial.by(ways[at])) {
            all.extend(way?);
        }
        Ok(all)
    }
}

/// Files that go in the place of recordings, by their ids; made on all cores.
fn files(
    calls: &[Vec<Call>],
    deviations: &[Vec<Deviation>],
) -> Result<HashMap<String, Arc<File>>, Failure> {
    /// A recording's id; its sound, and another call's; what becomes of it; the encoder.
    type Work<'a> = (
        String,
        &'a Pcm,
        Option<&'a Pcm>,
        Option<rows::Samples>,
        &'a str,
    );
    let mut work: Vec<Work<'_>> = Vec::new();
    for (calls, deviations) in calls.iter().zip(deviations) {
        for deviation in deviations {
            match deviation {
                Deviation::Sound {
                    call,
                    recording,
                    samples,
                    line,
                } => {
                    let other = calls
                        .get(1 - call.min(&1))
                        .and_then(|call| call.recordings.first());
                    let own = &calls[*call].recordings[*recording];
                    work.push((
                        own.id.clone(),
                        &own.pcm,
                        other.map(|other| &other.pcm),
                        *samples,
                        line,
                    ));
                }
                Deviation::SoundOf {
                    call,
                    recording,
                    of,
                    line,
                } => {
                    let theirs = &calls[of.0].recordings[of.1];
                    work.push((
                        calls[*call].recordings[*recording].id.clone(),
                        &theirs.pcm,
                        None,
                        None,
                        line,
                    ));
                }
                _ => {}
            }
        }
    }
    workers::in_parallel(workers::cores(), work.len(), |at| {
        let (id, input, other, samples, line) = &work[at];
        Ok((id.clone(), Arc::new(file(input, *other, *samples, line)?)))
    })
    .into_iter()
    .collect()
}

fn file(
    input: &Pcm,
    other: Option<&Pcm>,
    samples: Option<rows::Samples>,
    line: &str,
) -> Result<File, Failure> {
    let changed = samples.map(|samples| samples(input, other.unwrap_or(input)));
    let bytes = encoders::make(line, changed.as_ref().unwrap_or(input), other)?;
    let probe = audio::probe(&bytes).map_err(|error| Failure::new(format!("`{line}`: {error}")))?;
    let codec = if probe.codec == audio::Codec::Mp3 {
        "mp3"
    } else {
        "pcm"
    };
    Ok(File {
        bytes,
        duration_ms: probe.duration_ms(),
        codec,
    })
}

/// A batch with its world and files, to be tried by each way in.
struct Trial<'a> {
    batch: &'a Batch,
    dir: &'a Path,
    calls: &'a [Vec<Call>],
    deviations: &'a [Vec<Deviation>],
    files: &'a HashMap<String, Arc<File>>,
}

impl Trial<'_> {
    fn by(&self, way: Way) -> Result<Vec<RowResult>, Failure> {
        let runtime = workers::runtime()?;
        let told = runtime.block_on(self.run(way));
        told.map_err(|failure| {
            Failure::new(format!("{}, {}: {failure}", way.name(), self.batch.format))
        })
    }

    async fn run(&self, way: Way) -> Result<Vec<RowResult>, Failure> {
        let scenario = Scenario::parse(
            &scenario(
                way,
                self.batch.format,
                &self.dir.join("world/interactions.ndjson"),
            ),
            "strangers.toml",
        );
        let Scenario {
            setup,
            plan: overrides,
            ..
        } = scenario.map_err(Failure::new)?;
        let simulator = Simulator::start(setup, Options::default())
            .await
            .map_err(Failure::new)?;
        let (theirs, ours) = (
            tempfile::tempdir().map_err(Failure::new)?,
            tempfile::tempdir().map_err(Failure::new)?,
        );
        let (their_plan, our_plan) = (
            strangers_plan(&simulator, &overrides, theirs.path())?,
            auditors_plan(&simulator, &overrides, ours.path())?,
        );
        let network = Arc::new(Network::new().ok_or_else(|| Failure::new("no network"))?);
        let source = [
            simulator.addresses().legacy.clone(),
            simulator.addresses().legacy_media.clone(),
        ];
        let altering = Arc::new(AlteringTransport::new(
            Network::new().ok_or_else(|| Failure::new("no network"))?,
            Arc::new(self.alterations(way)),
            source,
        ));
        let clock = Clock::starting_at(simulator.now_ms());
        let plan = LoadedPlan::read(&their_plan).map_err(Failure::new)?;
        let outcome = migrator::migrate(
            plan,
            migrator::Options::default(),
            altering,
            clock.clone(),
            &Quiet,
        )
        .await
        .map_err(Failure::new)?;
        let mut broken: Vec<String> = outcome
            .errors
            .iter()
            .map(|left| format!("a call was left: {left}"))
            .collect();
        let text = std::fs::read_to_string(&our_plan).map_err(Failure::new)?;
        let requests =
            PlatformRequests::new(&simulator, network.clone(), way, &text, &clock).await?;
        let mut owned: Vec<Vec<String>> = Vec::new();
        for (row, deviations) in self.batch.rows.iter().zip(self.deviations) {
            let mut ids = Vec::new();
            for deviation in deviations.iter().filter(|_| row.ways.contains(&way)) {
                if let Deviation::After(after) = deviation {
                    ids.extend(
                        after(&requests)
                            .await
                            .map_err(|failure| Failure::new(format!("{}: {failure}", row.name)))?,
                    );
                }
            }
            owned.push(ids);
        }
        let plan = LoadedPlan::read(&our_plan).map_err(Failure::new)?;
        let clock = Clock::starting_at(simulator.now_ms());
        let report = verifier::verify(
            &plan,
            verifier::Options::default(),
            network,
            clock,
            &verifier::Silent,
        )
        .await
        .map_err(Failure::new)?;
        let summary = serde_json::to_value(&report.summary).map_err(Failure::new)?;
        let unseen = summary["counts"]["not_verifiable"]
            .as_u64()
            .unwrap_or_default();
        if unseen > 0 {
            broken.push(format!(
                "{unseen} recordings could not be verified: {}",
                summary["sentence"]
            ));
        }
        broken.extend(
            outcome
                .left_behind
                .recordings
                .iter()
                .map(|behind| format!("a recording stayed behind: {behind:?}")),
        );
        Ok(self.judged(way, &report.findings, &owned, broken))
    }

    fn alterations(&self, way: Way) -> Alterations {
        let mut alterations = Alterations {
            files: self.files.clone(),
            ..Alterations::default()
        };
        for ((row, calls), deviations) in
            self.batch.rows.iter().zip(self.calls).zip(self.deviations)
        {
            let tried = row.ways.contains(&way);
            for deviation in deviations.iter().filter(|_| tried) {
                let by_call = |call: &usize| calls[*call].id();
                match deviation {
                    Deviation::Call(call, change) => alterations
                        .calls
                        .entry(by_call(call))
                        .or_default()
                        .push(change.clone()),
                    Deviation::Recording(call, at, change) => {
                        alterations
                            .recordings
                            .entry(calls[*call].recordings[*at].id.clone())
                            .or_default()
                            .push(change.clone());
                    }
                    Deviation::List(change_list) => alterations.lists.push(change_list.clone()),
                    Deviation::Guide(call, change) => alterations
                        .guide
                        .entry(by_call(call))
                        .or_default()
                        .push(change.clone()),
                    Deviation::Events(call, change) => alterations
                        .events
                        .entry(by_call(call))
                        .or_default()
                        .push(change.clone()),
                    Deviation::Rws(call, change) => alterations
                        .rws
                        .entry(by_call(call))
                        .or_default()
                        .push(change.clone()),
                    Deviation::SpeechMiner(call, change) => alterations
                        .speechminer
                        .entry(by_call(call))
                        .or_default()
                        .push(change.clone()),
                    Deviation::Sound { .. } | Deviation::SoundOf { .. } | Deviation::After(_) => {}
                }
            }
        }
        alterations
    }

    /// `broken`: what else went wrong, each a row of its own.
    fn judged(
        &self,
        way: Way,
        findings: &[Finding],
        owned: &[Vec<String>],
        mut broken: Vec<String>,
    ) -> Vec<RowResult> {
        let mut rows_of: HashMap<String, usize> = HashMap::new();
        for (row, calls) in self.calls.iter().enumerate() {
            rows_of.extend(calls.iter().map(|call| (call.id(), row)));
        }
        let mut found: Vec<Vec<(&str, String, String)>> = vec![Vec::new(); self.batch.rows.len()];
        for finding in findings {
            let target = finding.target_id.as_deref().unwrap_or_default();
            let row = match &finding.legacy_interaction_id {
                Some(call) => rows_of.get(call).copied(),
                None => owned
                    .iter()
                    .position(|ids| ids.iter().any(|id| id == target)),
            };
            let Some(row) = row.filter(|row| self.batch.rows[*row].ways.contains(&way)) else {
                broken.push(format!("a finding of nobody: {}", in_words(finding)));
                continue;
            };
            let place = match (&finding.legacy_interaction_id, &finding.legacy_recording_id) {
                (Some(_), Some(recording)) => recording.clone(),
                (Some(call), None) => call.clone(),
                (None, _) => "nobody's".to_owned(),
            };
            let (expected, actual) = (
                finding.expected.as_deref().unwrap_or("-"),
                finding.actual.as_deref().unwrap_or("-"),
            );
            found[row].push((
                finding.defect.code(),
                place,
                format!("{}: {actual} instead of {expected}", finding.field),
            ));
        }
        let rows = self
            .batch
            .rows
            .iter()
            .zip(self.calls)
            .zip(found)
            .filter(|((row, _), _)| row.ways.contains(&way));
        let broken = broken.into_iter().map(|name| RowResult {
            kind: "the migration itself",
            name,
            way,
            expected: String::new(),
            found: "this".to_owned(),
            right: false,
            recordings: 0,
            words: Vec::new(),
        });
        rows.map(|((row, calls), found)| judged_row(row, calls, way, found))
            .chain(broken)
            .collect()
    }
}

fn judged_row(
    row: &Row,
    calls: &[Call],
    way: Way,
    mut found: Vec<(&str, String, String)>,
) -> RowResult {
    let place = |at: &At| match at {
        At::Call(call) => calls[*call].id(),
        At::Recording(call, at) => calls[*call].recordings[*at].id.clone(),
        At::TargetOnly => "nobody's".to_owned(),
    };
    let name = |codes: &str, at: &At| match at {
        At::Call(call) => format!("{codes} at call {}", call + 1),
        At::Recording(call, at) => format!("{codes} at recording {} of call {}", at + 1, call + 1),
        At::TargetOnly => format!("{codes} in the target"),
    };
    let expected: Vec<String> = row
        .expected
        .iter()
        .map(|(codes, at)| name(codes, at))
        .collect();
    found.sort();
    let places: Vec<String> = found
        .iter()
        .map(|(code, place, _)| format!("{code} at {}", at_of(calls, place)))
        .collect();
    let words = found
        .iter()
        .map(|(code, _, words)| format!("{code} {words}"))
        .collect();
    let mut left = found;
    let met = row.expected.iter().all(|(codes, at)| {
        let place = place(at);
        let there = left.iter().position(|(code, found, _)| {
            codes.split('|').any(|one| one == *code) && *found == place
        });
        there.map(|at| left.remove(at)).is_some()
    });
    let recordings = calls.iter().map(|call| call.recordings.len()).sum();
    let summed = |list: Vec<String>| {
        if list.len() > 3 {
            format!("{} and {} more", list[..2].join(", "), list.len() - 2)
        } else {
            list.join(", ")
        }
    };
    RowResult {
        kind: row.kind,
        name: row.name.clone(),
        way,
        expected: summed(expected),
        found: summed(places),
        right: met && left.is_empty(),
        recordings,
        words,
    }
}

/// A place by its number in the row.
fn at_of(calls: &[Call], place: &str) -> String {
    for (at, call) in calls.iter().enumerate() {
        if call.id() == place {
            return format!("call {}", at + 1);
        }
        if let Some(recording) = call
            .recordings
            .iter()
            .position(|recording| recording.id == place)
        {
            return format!("recording {} of call {}", recording + 1, at + 1);
        }
    }
    format!("{place} elsewhere")
}

fn in_words(finding: &Finding) -> String {
    serde_json::to_string(finding).unwrap_or_default()
}

fn scenario(way: Way, format: &str, world: &Path) -> String {
    let target = match way {
        Way::Guide => crate::scenario::BY_GUIDE,
        Way::Public => crate::scenario::BY_PUBLIC,
        Way::Gir => crate::scenario::INTO_GIR,
    };
    format!(
        "about = \"Strangers.\"\nseed = {SEED}\n{target}\n[world]\nfile = \
         {world:?}\n[clock]\nstart = \"{TODAY}T10:00:00Z\"\n[plan.audio]\nformat = \
         \"{format}\"\n[genesys_cloud.limits]\nrequests_per_minute = 0\nuploads_per_second = \
         0\n[expect]\nverdict = \"mismatch\"\n"
    )
}

/// The faulty migrator's plan: it keeps pauses, and takes files of any length.
fn strangers_plan(
    simulator: &Simulator,
    overrides: &toml::Table,
    dir: &Path,
) -> Result<std::path::PathBuf, Failure> {
    let path = simulator
        .write_plan_with(dir, overrides)
        .map_err(Failure::new)?;
    let plan = std::fs::read_to_string(&path).map_err(Failure::new)?;
    let changed = plan
        .replace("pauses = \"silence\"", "pauses = \"keep\"")
        .replace("short_tolerance_ms = 1000", "short_tolerance_ms = 600000");
    std::fs::write(&path, changed).map_err(Failure::new)?;
    Ok(path)
}

/// What was agreed: the plan that fits, with an agent who was another user before 2020.
fn auditors_plan(
    simulator: &Simulator,
    overrides: &toml::Table,
    dir: &Path,
) -> Result<std::path::PathBuf, Failure> {
    let path = simulator
        .write_plan_with(dir, overrides)
        .map_err(Failure::new)?;
    let table = dir.join("mapping/agents.csv");
    let rows = std::fs::read_to_string(&table).map_err(Failure::new)?;
    std::fs::write(&table, misread::renamed_agent(&rows)?).map_err(Failure::new)?;
    Ok(path)
}

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _known: u64, _through: u64) {}
}

/// Everything that was found.
#[derive(Default)]
struct Table {
    all: Vec<RowResult>,
}

impl Table {
    fn add(&mut self, told: Vec<RowResult>) {
        self.all.extend(told);
    }

    /// Rows by kind and name, each with its ways in; an honest setting is one row, however many
    /// recordings it was tried on.
    fn rows(&self) -> Vec<Vec<&RowResult>> {
        let mut places: BTreeMap<(usize, &str, &str), Vec<&RowResult>> = BTreeMap::new();
        let mut kinds: Vec<&str> = Vec::new();
        for told in &self.all {
            if !kinds.contains(&told.kind) {
                kinds.push(told.kind);
            }
        }
        let kind = |told: &RowResult| {
            kinds
                .iter()
                .position(|kind| *kind == told.kind)
                .unwrap_or_default()
        };
        for told in &self.all {
            places
                .entry((kind(told), told.name.as_str(), told.expected.as_str()))
                .or_default()
                .push(told);
        }
        places.into_values().collect()
    }

    fn honest_recordings(&self, way: Way) -> usize {
        self.all
            .iter()
            .filter(|told| told.kind == sound::HONEST && told.way == way)
            .map(|told| told.recordings)
            .sum()
    }

    fn is_large_enough(&self) -> Result<(), Failure> {
        let settings: BTreeSet<&str> = self
            .all
            .iter()
            .filter(|told| told.kind == sound::HONEST)
            .map(|told| told.name.as_str())
            .collect();
        let counted = [
            (self.rows().len(), LEAST_ROWS, "rows"),
            (settings.len(), LEAST_SETTINGS, "honest settings"),
            (
                self.honest_recordings(Way::Guide),
                LEAST_HONEST,
                "honest recordings",
            ),
        ];
        match counted.iter().find(|(count, least, _)| count < least) {
            Some((count, least, what)) => Err(Failure::new(format!(
                "{count} {what}, and at least {least} were asked for"
            ))),
            None => Ok(()),
        }
    }

    fn report(self, is_full: bool) -> Result<Report, Failure> {
        let wrong: Vec<String> = self
            .all
            .iter()
            .filter(|told| !told.right)
            .map(|told| {
                let or_nothing = |text: &str| {
                    if text.is_empty() {
                        "nothing".to_owned()
                    } else {
                        text.to_owned()
                    }
                };
                let line = format!(
                    "{}: {} ({}): found {} instead of {}",
                    told.kind,
                    told.name,
                    told.way.name(),
                    or_nothing(&told.found),
                    or_nothing(&told.expected)
                );
                std::iter::once(line)
                    .chain(told.words.iter().map(|words| format!("    {words}")))
                    .collect::<Vec<_>>()
                    .join("\n    ")
            })
            .collect();
        if !wrong.is_empty() {
            return Err(Failure::new(format!(
                "{} of {} were missed, misnamed or alarmed:\n    {}",
                wrong.len(),
                self.all.len(),
                wrong.join("\n    ")
            )));
        }
        if is_full {
            self.is_large_enough()?;
        }
        let rows = self.rows();
        let is_honest = |row: &Vec<&RowResult>| row[0].expected.is_empty();
        let mut report = Report {
            seed: SEED,
            ..Report::default()
        };
        report.row("rows", rows.len());
        report.row(
            "wrong migrators and damages, each found, named and at its record",
            rows.iter().filter(|row| !is_honest(row)).count(),
        );
        report.row(
            "honest settings and variants, each without a finding",
            rows.iter().filter(|row| is_honest(row)).count(),
        );
        report.row(
            "row by way in",
            self.all
                .iter()
                .filter(|told| !told.expected.is_empty())
                .count(),
        );
        for way in rows::ALL {
            report.row(
                &format!(
                    "honest recordings of other encoders compared, {}",
                    way.name()
                ),
                self.honest_recordings(*way),
            );
        }
        let mut kinds: Vec<(&str, usize)> = Vec::new();
        for row in &rows {
            match kinds.iter_mut().find(|(kind, _)| *kind == row[0].kind) {
                Some((_, count)) => *count += 1,
                None => kinds.push((row[0].kind, 1)),
            }
        }
        kinds
            .into_iter()
            .for_each(|(kind, count)| report.row(&format!("rows of the kind: {kind}"), count));
        report.appendix = appendix(&rows);
        Ok(report)
    }
}

fn appendix(rows: &[Vec<&RowResult>]) -> String {
    let mut page = String::from(
        "\n## Rows\n\nEach was told by every way in that is named. A place is counted within the \
         row: the call it is about, and a second one where two are needed.\n\n| kind | row | ways \
         in | expected | found | at its record |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let mut ways: Vec<&str> = row.iter().map(|told| told.way.name()).collect();
        ways.dedup();
        let recordings: usize = row.iter().map(|told| told.recordings).sum();
        let mut found: Vec<&str> = row.iter().map(|told| told.found.as_str()).collect();
        found.sort_unstable();
        found.dedup();
        let first = row[0];
        let (expected, found, place) = if first.expected.is_empty() {
            (
                "nothing".to_owned(),
                format!("nothing, {recordings} recordings"),
                "-",
            )
        } else {
            (first.expected.replace('|', " or "), found.join("; "), "yes")
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {expected} | {found} | {place} |",
            first.kind,
            first.name.replace('|', "/"),
            ways.join(", ")
        );
    }
    page.push_str("\n## What no reader can tell\n\nDeclared, and not counted.\n\n");
    for (what, why) in CANNOT_BE_TOLD {
        let _ = writeln!(page, "- {what}: {why}.");
    }
    page
}
