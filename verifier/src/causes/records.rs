//! What the source says of each call and recording, so that records with a finding can be told from
//! those without one.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use super::bits::Bits;
use crate::columns::Judgement;
use crate::expected::{Expectation, ExpectedRecording};
use crate::finding::Finding;
use crate::source::{RecordingDetails, SourceInteraction};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// Something that the source's record says, whatever the target made of it. In the order in which a
/// cause is looked for: of two that fit as well the first one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Attribute {
    Recorder,
    Codec,
    Channels,
    Agent,
    Queue,
    Direction,
    Skill,
    Disposition,
    WrapUpCode,
    RetentionClass,
    LegalHold,
    Pause,
    MaskedNumbers,
    Legs,
    RecordingsOfCall,
    PlaceInCall,
    DaylightTime,
    IvrNode,
    MediaType,
    PlaceInPage,
}

/// Something of which there is more or less: described by an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Measure {
    /// Start. Milliseconds since 1970.
    Start,
    /// Length. Milliseconds.
    Length,
    /// Place in the order of ids, from 1.
    Place,
}

impl Measure {
    pub(super) const ALL: [Measure; 3] = [Measure::Start, Measure::Length, Measure::Place];
}

/// What is known of one call or recording. A value that is absent is a value too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Several of one attribute: each of them is the record's.
    pub(crate) values: BTreeSet<(Attribute, Option<String>)>,
    pub(crate) start_ms: Option<i64>,
    pub(crate) length_ms: Option<i64>,
}

/// Calls, or recordings: a row each.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What a value's number means.
    pub(super) values: Vec<(Attribute, Option<String>)>,
    numbers: HashMap<(Attribute, Option<String>), u32>,
    /// Numbers of each row's values, one row after another.
    flat: Vec<u32>,
    ends: Vec<usize>,
    /// Rows with each value.
    rows_with: Vec<Vec<u32>>,
    /// Rows in the order of each measure; those without it left out.
    pub(super) sorted: [Vec<(i64, u32)>; 3],
    judgements: Vec<Judgement>,
}

impl Table {
    fn push(&mut self, facts: Facts, judgement: Judgement) -> u32 {
        let row = self.ends.len() as u32;
        for value in facts.values {
            let number = match self.numbers.get(&value) {
                Some(number) => *number,
                None => {
                    let number = self.values.len() as u32;
                    self.values.push(value.clone());
                    self.numbers.insert(value, number);
                    self.rows_with.push(Vec::new());
                    number
                }
            };
            self.flat.push(number);
            self.rows_with[number as usize].push(row);
        }
        self.ends.push(self.flat.len());
        self.judgements.push(judgement);
        let place = i64::from(row) + 1;
        for (measure, value) in [
            (Measure::Start, facts.start_ms),
            (Measure::Length, facts.length_ms),
            (Measure::Place, Some(place)),
        ] {
            self.sorted[measure as usize].extend(value.map(|value| (value, row)));
        }
        row
    }

    fn sort(&mut self) {
        self.sorted.iter_mut().for_each(|rows| rows.sort_unstable());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn values_of(&self, row: usize) -> &[u32] {
        let begin = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.flat[begin..self.ends[row]]
    }

    pub(super) fn rows_with(&self, value: u32) -> &[u32] {
        &self.rows_with[value as usize]
    }

    /// Rows that were judged at least so far.
    pub(super) fn judged(&self, is_enough: impl Fn(Judgement) -> bool) -> Bits {
        let mut bits = Bits::none(self.len());
        for (row, judgement) in self.judgements.iter().enumerate() {
            if is_enough(*judgement) {
                bits.set(row);
            }
        }
        bits
    }
}

/// Every record of the source that a verification judged.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(super) calls: Table,
    pub(super) recordings: Table,
    call_rows: HashMap<String, u32>,
    /// By call and recording: ids of recordings alone may repeat.
    recording_rows: HashMap<(u32, String), u32>,
    call_of: Vec<u32>,
}

/// Sizes of pages by which sources are read: what is wrong at the end of each page has the reading
/// as its cause.
const PAGES: [usize; 6] = [25, 50, 100, 200, 500, 1000];

impl Records {
    /// A call and its recordings; in the order of ids.
    pub(crate) fn add(
        &mut self,
        id: &str,
        call: (Facts, Judgement),
        recordings: Vec<(String, Facts, Judgement)>,
    ) {
        let (mut facts, judgement) = call;
        let place = self.calls.len();
        for size in PAGES {
            let at = place % size;
            let end = match at {
                0 => "first",
                at if at + 1 == size => "last",
                _ => continue,
            };
            let value = format!("the {end} of every {size} calls in the order of ids");
            facts.values.insert((Attribute::PlaceInPage, Some(value)));
        }
        let row = place as u32;
        for (id, own, judgement) in recordings {
            let mut own = own;
            let told: BTreeSet<Attribute> = own.values.iter().map(|(what, _)| *what).collect();
            let of_call = facts.values.iter().filter(|(what, _)| !told.contains(what));
            own.values.extend(of_call.cloned());
            let at = self.recordings.push(own, judgement);
            self.recording_rows.insert((row, id), at);
            self.call_of.push(row);
        }
        self.calls.push(facts, judgement);
        self.call_rows.insert(id.to_owned(), row);
    }

    /// To be called once all calls are in.
    pub(crate) fn ready(mut self) -> Records {
        self.calls.sort();
        self.recordings.sort();
        self
    }

    /// Rows of what a finding is about: its call, and its recording. Absent: it is about neither.
    pub(super) fn rows_of(&self, finding: &Finding) -> (Option<usize>, Option<usize>) {
        let call = finding
            .legacy_interaction_id
            .as_ref()
            .and_then(|id| self.call_rows.get(id).copied());
        let recording = call
            .zip(finding.legacy_recording_id.clone())
            .and_then(|key| self.recording_rows.get(&key).copied());
        (
            call.map(|row| row as usize),
            recording.map(|row| row as usize),
        )
    }

    /// Rows of a call's recordings.
    pub(super) fn recordings_of(&self, call: usize) -> impl Iterator<Item = usize> + '_ {
        let of = |call: usize| self.call_of.partition_point(|row| (*row as usize) < call);
        of(call)..of(call + 1)
    }
}

/// What the source says of a call.
pub(crate) fn facts_of_call(
    source: &SourceInteraction,
    expected: &Expectation,
    site: Option<&TimeZone>,
) -> Facts {
    let listed = &source.listed;
    let details = || {
        source
            .recordings
            .iter()
            .filter_map(|recording| recording.details.as_ref().ok())
    };
    let mut facts = Facts {
        start_ms: expected.span.map(|span| span.start.ms()),
        length_ms: expected.span.map(|span| span.ms()),
        ..Facts::default()
    };
    let stated = [
        (Attribute::Recorder, &listed.recorder_node),
        (Attribute::Queue, &listed.queue_id),
        (Attribute::Skill, &listed.skill),
        (Attribute::Disposition, &listed.disposition_code),
        (Attribute::WrapUpCode, &listed.wrap_up_code),
        (Attribute::IvrNode, &listed.ivr_node_id),
    ];
    facts
        .values
        .extend(stated.map(|(what, value)| (what, value.as_ref().map(String::from))));
    let direction = listed.direction.as_ref().map(|word| word.to_lowercase());
    facts.values.insert((Attribute::Direction, direction));
    let agents: BTreeSet<&Text> = listed
        .agent_id
        .iter()
        .chain(
            listed
                .segments
                .iter()
                .filter_map(|leg| leg.agent_id.as_ref()),
        )
        .collect();
    if agents.is_empty() {
        facts.values.insert((Attribute::Agent, None));
    }
    let agents = agents.into_iter().map(String::from);
    facts
        .values
        .extend(agents.map(|agent| (Attribute::Agent, Some(agent))));
    add(&mut facts, Attribute::Legs, count(listed.segments.len()));
    add(
        &mut facts,
        Attribute::RecordingsOfCall,
        count(source.recordings.len()),
    );
    if listed.numbers_masked == Some(true) {
        add(&mut facts, Attribute::MaskedNumbers, "masked".to_owned());
    }
    if expected.hold {
        add(&mut facts, Attribute::LegalHold, "hold".to_owned());
    }
    if let Some(name) = site.and_then(|zone| daylight_time(facts.start_ms?, zone)) {
        add(&mut facts, Attribute::DaylightTime, name);
    }
    for details in details() {
        facts.values.extend(own_values(details));
    }
    facts
}

/// What the source says of a recording, beside what it says of its call. `at`: its place in the
/// call, from 0.
pub(crate) fn facts_of_recording(
    details: Option<&RecordingDetails>,
    expected: &ExpectedRecording,
    (at, of): (usize, usize),
) -> Facts {
    let mut facts = Facts {
        start_ms: expected.span.map(|span| span.start.ms()),
        length_ms: expected.span.map(|span| span.ms()),
        ..Facts::default()
    };
    if let Some(details) = details {
        facts.values.extend(own_values(details));
        // Its call's are those of all its recordings.
        for what in [
            Attribute::Codec,
            Attribute::Channels,
            Attribute::RetentionClass,
            Attribute::MediaType,
        ] {
            if !facts.values.iter().any(|(known, _)| *known == what) {
                facts.values.insert((what, None));
            }
        }
        for (is_so, what) in [
            (details.legal_hold, Attribute::LegalHold),
            (!details.pauses.is_empty(), Attribute::Pause),
        ] {
            if !is_so {
                facts.values.insert((what, None));
            }
        }
    }
    let place = match at {
        _ if of == 1 => "only",
        0 => "first",
        _ => "later",
    };
    add(&mut facts, Attribute::PlaceInCall, place.to_owned());
    facts
}

/// What a recording's own record says.
fn own_values(details: &RecordingDetails) -> Vec<(Attribute, Option<String>)> {
    let is_so = |is_so: bool, word: &str| is_so.then(|| word.to_owned());
    let text = |value: &Option<Text>| value.as_ref().map(String::from);
    [
        (Attribute::Recorder, text(&details.recorder_node)),
        (Attribute::Codec, text(&details.codec)),
        (Attribute::MediaType, text(&details.content_type)),
        (Attribute::RetentionClass, text(&details.retention_class)),
        (
            Attribute::Channels,
            details.channels.map(|channels| channels.to_string()),
        ),
        (Attribute::LegalHold, is_so(details.legal_hold, "hold")),
        (Attribute::Pause, is_so(!details.pauses.is_empty(), "pause")),
    ]
    .into_iter()
    .filter(|(_, value)| value.is_some())
    .collect()
}

fn add(facts: &mut Facts, what: Attribute, value: String) {
    facts.values.insert((what, Some(value)));
}

/// More than a few is a kind of its own.
fn count(number: usize) -> String {
    match number {
        0..=3 => number.to_string(),
        _ => "4 or more".to_owned(),
    }
}

/// Name of the zone in whose daylight saving time an instant lies.
fn daylight_time(at_ms: i64, zone: &TimeZone) -> Option<String> {
    let at = UtcMillis::from_ms(at_ms).timestamp()?;
    let is_so = zone.to_offset_info(at).dst().is_dst();
    is_so.then(|| zone.iana_name().unwrap_or("the site").to_owned())
}

impl Attribute {
    /// A condition in words, to stand behind "for".
    pub(super) fn words(self, value: Option<&str>) -> String {
        let Some(value) = value else {
            return match self {
                Attribute::LegalHold => "recordings without a legal hold".to_owned(),
                Attribute::Pause => "recordings without a pause".to_owned(),
                _ => format!("calls without {}", self.noun()),
            };
        };
        match self {
            Attribute::LegalHold => "calls under legal hold".to_owned(),
            Attribute::Pause => "recordings with a pause".to_owned(),
            Attribute::MaskedNumbers => "calls with masked numbers".to_owned(),
            Attribute::Legs if value == "1" => "calls of one leg".to_owned(),
            Attribute::Legs => format!("calls of {value} legs"),
            Attribute::RecordingsOfCall if value == "1" => "calls of one recording".to_owned(),
            Attribute::RecordingsOfCall => format!("calls of {value} recordings"),
            Attribute::PlaceInCall if value == "only" => "only recordings of their call".to_owned(),
            Attribute::PlaceInCall if value == "first" => {
                "first recordings of several of a call".to_owned()
            }
            Attribute::PlaceInCall => "recordings after the first of their call".to_owned(),
            Attribute::DaylightTime => format!("calls in daylight saving time of {value}"),
            Attribute::Channels if value == "1" => "recordings of one channel".to_owned(),
            Attribute::Channels => format!("recordings of {value} channels"),
            Attribute::Direction => format!("{value} calls"),
            Attribute::PlaceInPage => value.to_owned(),
            Attribute::Recorder
            | Attribute::Codec
            | Attribute::Agent
            | Attribute::Queue
            | Attribute::Skill
            | Attribute::Disposition
            | Attribute::WrapUpCode
            | Attribute::RetentionClass
            | Attribute::IvrNode
            | Attribute::MediaType => format!("{} {value}", self.noun()),
        }
    }

    /// What it is of, as a noun; one that can be `without`.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Attribute::Recorder => "recorder",
            Attribute::Codec => "codec",
            Attribute::Channels => "channels",
            Attribute::Agent => "agent",
            Attribute::Queue => "queue",
            Attribute::Direction => "direction",
            Attribute::Skill => "skill",
            Attribute::Disposition => "disposition",
            Attribute::WrapUpCode => "wrap-up code",
            Attribute::RetentionClass => "retention class",
            Attribute::LegalHold => "legal hold",
            Attribute::Pause => "pause",
            Attribute::MaskedNumbers => "masked numbers",
            Attribute::Legs => "legs",
            Attribute::RecordingsOfCall => "recordings",
            Attribute::PlaceInCall => "place in the call",
            Attribute::DaylightTime => "daylight saving time",
            Attribute::IvrNode => "IVR node",
            Attribute::MediaType => "media type",
            Attribute::PlaceInPage => "place in a page",
        }
    }
}

impl Measure {
    /// An interval in words. An end beyond which no such record lies is left out.
    pub(super) fn words(self, (from, to): (Option<i64>, Option<i64>)) -> String {
        let told = |value: i64| match self {
            Measure::Start => UtcMillis::from_ms(value).day(),
            Measure::Length => format!("{} s", seconds(value)),
            Measure::Place => value.to_string(),
        };
        let between = match (from.map(told), to.map(told)) {
            (Some(from), Some(to)) if from == to && self == Measure::Start => format!("on {from}"),
            (Some(from), Some(to)) => format!("from {from} to {to}"),
            (Some(from), None) => format!("from {from} on"),
            (None, Some(to)) => format!("up to {to}"),
            (None, None) => String::new(),
        };
        match self {
            Measure::Start => between,
            Measure::Length => format!("lengths {between}"),
            Measure::Place => format!("numbers {between} when sorted by id"),
        }
    }
}

/// Seconds with as many decimals as are needed.
fn seconds(ms: i64) -> String {
    let text = format!("{:.3}", ms as f64 / 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
