//! The plan as the verifier reads it: indexed, secrets resolved, zones opened. Meaning is added
//! nowhere else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use audio::Ffmpeg;
use jiff::tz::TimeZone;
use plan::{
    AudioFormat, Expired, FfmpegUse, LoadedPlan, OverMax, Partial, Pauses, Phones, ShortSource,
    TimeUnit, UnmappedAgent, UnmappedQueue,
};
use uuid::Uuid;

use crate::capabilities::Capabilities;
use crate::run_error::RunError;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// Rows by an id of the source: looked up for every call a dozen times, never listed.
pub(crate) type Table<T> = HashMap<String, T, foldhash::fast::RandomState>;

/// What the plan demands.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) seconds: bool,
    pub(crate) naive_zone: Option<TimeZone>,
    pub(crate) site_zone: Option<TimeZone>,
    pub(crate) node_offset_ms: Table<i64>,
    pub(crate) agents: Table<Vec<AgentRow>>,
    pub(crate) queues: Table<Uuid>,
    pub(crate) skills: Table<Uuid>,
    pub(crate) wrap_ups: Table<Uuid>,
    pub(crate) fallback_agent: Option<AgentRow>,
    pub(crate) default_queue: Option<Uuid>,
    pub(crate) hold_partial: bool,
    pub(crate) exclusions: Table<String>,
    pub(crate) format: AudioFormat,
    pub(crate) short_tolerance_ms: u64,
    pub(crate) quarantine_short: bool,
    /// Whether ffmpeg reads sources that are not read here.
    pub(crate) ffmpeg: Ffmpeg,
    pub(crate) phones: PhoneRule,
    pub(crate) pauses: PauseRule,
    pub(crate) class_years: Table<i64>,
    pub(crate) skip_expired: bool,
    /// The target's maximum retention; read there, since no plan can know it.
    pub(crate) maximum: Maximum,
    /// Whether a date beyond it is brought forward.
    pub(crate) clamp: bool,
    /// Calls under legal hold for which the organisation has no protection left, so that they stay
    /// behind by the plan.
    pub(crate) holds_beyond: HoldsBeyond,
    /// What the target's records can show.
    pub(crate) capabilities: Capabilities,
    /// Agents behind one extension; from the source, for naming a damage and never for resolving an
    /// agent.
    pub(crate) extensions: BTreeMap<String, BTreeSet<String>>,
}

/// One mapping of an agent, valid in a half-open interval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AgentRow {
    /// Who it is in the target: a user id in lower case, or a user name of Interaction Recording.
    /// Empty: the row does not say.
    pub(crate) user: Text,
    /// Interaction Recording: login. Absent: none.
    pub(crate) login: Option<Text>,
    /// Interaction Recording: access group of recordings. Absent: none.
    pub(crate) access_group: Option<Text>,
    pub(crate) from: Option<UtcMillis>,
    pub(crate) to: Option<UtcMillis>,
    /// Line in the file, counted from 1; 0: no row is there.
    pub(crate) line: u64,
}

/// Who agents of the source are in the target.
#[derive(Debug, Default)]
pub(crate) struct AgentTable {
    rows: Table<Vec<AgentRow>>,
    /// The plan's stand-in. Absent: it has none.
    fallback: Option<AgentRow>,
}

impl AgentTable {
    /// `rows`: of the mapping, as the target's platform reads them. `stand_in`: who a stand-in is
    /// there.
    pub(crate) fn new<'a>(
        loaded: &LoadedPlan,
        rows: impl Iterator<Item = (&'a plan::AgentRow, AgentRow)>,
        stand_in: impl FnOnce(Uuid) -> AgentRow,
    ) -> AgentTable {
        let mut table = AgentTable::default();
        for (row, agent) in rows {
            table
                .rows
                .entry(padless(&row.legacy_agent_id).to_owned())
                .or_default()
                .push(agent);
        }
        table.fallback = match loaded.plan.rules.unmapped_agent {
            UnmappedAgent::Fallback(user) => Some(stand_in(user)),
            UnmappedAgent::Quarantine => None,
        };
        table
    }
}

impl AgentRow {
    /// When a row of the mapping is valid, and where it stands; whose it is in the target its
    /// platform says.
    pub(crate) fn valid_as(row: &plan::AgentRow) -> AgentRow {
        AgentRow {
            from: row.valid_from.map(UtcMillis::from),
            to: row.valid_to.map(UtcMillis::from),
            line: row.line,
            ..AgentRow::default()
        }
    }
}

/// Which calls under legal hold stay behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum HoldsBeyond {
    /// None.
    #[default]
    None,
    /// These.
    Calls(BTreeSet<String>),
    /// Not known, because not all calls were read; what would be needed.
    Unknown(String),
}

/// The organisation's maximum retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maximum {
    /// There is none.
    None,
    /// So many days from the start of the call.
    Days(u32),
    /// It could not be read, and what would be needed.
    Unread(String),
}

/// What becomes of phone numbers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PhoneRule {
    Keep,
    Mask,
    Hash(Vec<u8>),
}

/// What must be audible inside a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseRule {
    Keep,
    Silence,
    Tone,
}

/// What an id is looked up by, in the tables and in the source alike: blanks and control characters
/// around it are padding. Zeros are not.
#[inline]
pub(crate) fn padless(id: &str) -> &str {
    // As it mostly is: what begins and ends with a letter or digit has nothing around it.
    if let [first, .., last] = id.as_bytes()
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
    {
        return id;
    }
    id.trim_matches(|c: char| c.is_control() || c.is_whitespace())
}

impl Rules {
    /// Reads the plan. `agents` and `capabilities` are the target's. The error names what cannot be
    /// used.
    pub(crate) fn new(
        loaded: &LoadedPlan,
        agents: AgentTable,
        capabilities: Capabilities,
    ) -> Result<Rules, RunError> {
        let plan = &loaded.plan;
        let mapping = &loaded.mapping;
        Ok(Rules {
            seconds: plan.time.unit == TimeUnit::S,
            naive_zone: zone("time.naive_zone", plan.time.naive_zone.as_deref())?,
            site_zone: zone("time.site_zone", plan.time.site_zone.as_deref())?,
            node_offset_ms: plan
                .time
                .node
                .iter()
                .map(|(node, time)| (node.clone(), time.offset_ms))
                .collect(),
            agents: agents.rows,
            queues: mapping
                .queues
                .iter()
                .map(|row| {
                    (
                        padless(&row.legacy_queue_id).to_owned(),
                        row.genesys_queue_id,
                    )
                })
                .collect(),
            skills: mapping
                .skills
                .iter()
                .map(|row| (padless(&row.legacy_skill).to_owned(), row.genesys_skill_id))
                .collect(),
            wrap_ups: mapping
                .wrapups
                .iter()
                .map(|row| (padless(&row.legacy_code).to_owned(), row.genesys_wrapup_id))
                .collect(),
            fallback_agent: agents.fallback,
            default_queue: match plan.rules.unmapped_queue {
                UnmappedQueue::Default(queue) => Some(queue),
                UnmappedQueue::Skip => None,
            },
            hold_partial: plan.rules.partial == Partial::Hold,
            exclusions: loaded
                .exclusions
                .iter()
                .map(|row| (row.legacy_recording_id.clone(), row.reason.clone()))
                .collect(),
            format: plan.audio.format,
            short_tolerance_ms: plan.audio.short_tolerance_ms,
            quarantine_short: plan.audio.short_source == ShortSource::Quarantine,
            ffmpeg: if plan.audio.ffmpeg == FfmpegUse::Never {
                Ffmpeg::Never
            } else {
                Ffmpeg::Auto
            },
            phones: match &plan.pii.phones {
                Phones::Keep => PhoneRule::Keep,
                Phones::Mask => PhoneRule::Mask,
                Phones::Hash(key) => PhoneRule::Hash(
                    loaded
                        .secret(key, "pii.phones")?
                        .expose_the_secret()
                        .as_bytes()
                        .to_vec(),
                ),
            },
            pauses: match plan.pii.pauses {
                Pauses::Keep => PauseRule::Keep,
                Pauses::Silence | Pauses::Seal(_) => PauseRule::Silence,
                Pauses::Tone => PauseRule::Tone,
            },
            class_years: plan
                .retention
                .class
                .iter()
                .map(|(name, class)| (name.clone(), class.years))
                .collect(),
            skip_expired: plan.retention.expired == Expired::Skip,
            maximum: Maximum::None,
            clamp: plan.retention.over_max == OverMax::Clamp,
            holds_beyond: HoldsBeyond::None,
            capabilities,
            extensions: BTreeMap::new(),
        })
    }
}

fn zone(key: &str, name: Option<&str>) -> Result<Option<TimeZone>, RunError> {
    let Some(name) = name else { return Ok(None) };
    TimeZone::get(name).map(Some).map_err(|_| {
        RunError::Plan(format!(
            "{key} `{name}` is not a known time zone; use an IANA name such as Europe/London"
        ))
    })
}
