//! The plan as the verifier reads it: indexed, secrets resolved, zones opened. Meaning is added nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use plan::{AudioFormat, Expired, LoadedPlan, OverMax, Partial, Pauses, Phones, ShortSource, TimeUnit, UnmappedAgent, UnmappedQueue};
use uuid::Uuid;

use crate::moment::Moment;
use crate::stop::Stop;

/// What the plan demands.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) seconds: bool,
    pub(crate) naive_zone: Option<TimeZone>,
    pub(crate) site_zone: Option<TimeZone>,
    pub(crate) node_offset_ms: BTreeMap<String, i64>,
    pub(crate) agents: BTreeMap<String, Vec<AgentRow>>,
    pub(crate) queues: BTreeMap<String, Uuid>,
    pub(crate) skills: BTreeMap<String, Uuid>,
    pub(crate) wrap_ups: BTreeMap<String, Uuid>,
    pub(crate) fallback_agent: Option<Uuid>,
    pub(crate) default_queue: Option<Uuid>,
    pub(crate) hold_partial: bool,
    pub(crate) exclusions: BTreeMap<String, String>,
    pub(crate) format: AudioFormat,
    pub(crate) short_tolerance_ms: u64,
    pub(crate) quarantine_short: bool,
    pub(crate) phones: PhoneRule,
    pub(crate) pauses: PauseRule,
    pub(crate) class_years: BTreeMap<String, i64>,
    pub(crate) skip_expired: bool,
    /// The target's maximum retention; read there, since no plan can know it.
    pub(crate) maximum: Maximum,
    /// Whether a date beyond it is brought forward.
    pub(crate) clamp: bool,
    /// Agents behind one extension; from the source, for naming a damage and never for resolving an agent.
    pub(crate) extensions: BTreeMap<String, BTreeSet<String>>,
}

/// One mapping of an agent, valid in a half-open interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgentRow {
    pub(crate) user: Uuid,
    pub(crate) from: Option<Moment>,
    pub(crate) to: Option<Moment>,
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

impl Rules {
    /// Reads the plan. The error names what cannot be used.
    pub(crate) fn new(loaded: &LoadedPlan) -> Result<Rules, Stop> {
        let plan = &loaded.plan;
        let mapping = &loaded.mapping;
        let mut agents: BTreeMap<String, Vec<AgentRow>> = BTreeMap::new();
        for row in &mapping.agents {
            let row_here =
                AgentRow { user: row.genesys_user_id, from: row.valid_from.map(Moment::from), to: row.valid_to.map(Moment::from) };
            agents.entry(row.legacy_agent_id.clone()).or_default().push(row_here);
        }
        Ok(Rules {
            seconds: plan.time.unit == TimeUnit::S,
            naive_zone: zone("time.naive_zone", plan.time.naive_zone.as_deref())?,
            site_zone: zone("time.site_zone", plan.time.site_zone.as_deref())?,
            node_offset_ms: plan.time.node.iter().map(|(node, time)| (node.clone(), time.offset_ms)).collect(),
            agents,
            queues: mapping.queues.iter().map(|row| (row.legacy_queue_id.clone(), row.genesys_queue_id)).collect(),
            skills: mapping.skills.iter().map(|row| (row.legacy_skill.clone(), row.genesys_skill_id)).collect(),
            wrap_ups: mapping.wrapups.iter().map(|row| (row.legacy_code.clone(), row.genesys_wrapup_id)).collect(),
            fallback_agent: match plan.rules.unmapped_agent {
                UnmappedAgent::Fallback(user) => Some(user),
                UnmappedAgent::Quarantine => None,
            },
            default_queue: match plan.rules.unmapped_queue {
                UnmappedQueue::Default(queue) => Some(queue),
                UnmappedQueue::Skip => None,
            },
            hold_partial: plan.rules.partial == Partial::Hold,
            exclusions: loaded.exclusions.iter().map(|row| (row.legacy_recording_id.clone(), row.reason.clone())).collect(),
            format: plan.audio.format,
            short_tolerance_ms: plan.audio.short_tolerance_ms,
            quarantine_short: plan.audio.short_source == ShortSource::Quarantine,
            phones: match &plan.pii.phones {
                Phones::Keep => PhoneRule::Keep,
                Phones::Mask => PhoneRule::Mask,
                Phones::Hash(key) => PhoneRule::Hash(loaded.secret(key, "pii.phones")?.expose_the_secret().as_bytes().to_vec()),
            },
            pauses: match plan.pii.pauses {
                Pauses::Keep => PauseRule::Keep,
                Pauses::Silence | Pauses::Seal(_) => PauseRule::Silence,
                Pauses::Tone => PauseRule::Tone,
            },
            class_years: plan.retention.class.iter().map(|(name, class)| (name.clone(), class.years)).collect(),
            skip_expired: plan.retention.expired == Expired::Skip,
            maximum: Maximum::None,
            clamp: plan.retention.over_max == OverMax::Clamp,
            extensions: BTreeMap::new(),
        })
    }
}

fn zone(key: &str, name: Option<&str>) -> Result<Option<TimeZone>, Stop> {
    let Some(name) = name else { return Ok(None) };
    TimeZone::get(name)
        .map(Some)
        .map_err(|_| Stop::Plan(format!("{key} `{name}` is not a known time zone; use an IANA name such as Europe/London")))
}
